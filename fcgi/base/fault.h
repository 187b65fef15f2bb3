/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h -- places where a test may have a program die.
 *
 * Without --enable-faults a point is nothing at all.  With it, the file
 * named by PLANET_FAULT holds the name of one point: whoever comes there
 * removes the file and is killed, as by a power cut.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef PLANET_FAULTS
void fault_point(const char *name);
#define FAULT(name)	fault_point(name)
#else
#define FAULT(name)	((void)0)
#endif

#endif
