/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idcard_internal.h -- shared by idcard.c and its table of areas.
 */
#ifndef BASE_IDCARD_INTERNAL_H
#define BASE_IDCARD_INTERNAL_H

#include <stdbool.h>

/* Whether the first six characters, digits, are an area there ever was. */
bool idcard_area(const char *number);

#endif
