/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import.h -- between the files of planetctl import.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

struct ctl;

/* The communities of a file; an exit code. */
int ctl_import_community(struct ctl *, const char *path);

#endif
