/* SPDX-License-Identifier: Apache-2.0 */
/*
 * household.c -- households of a dwelling.
 */
#include "service/service.h"

void
household_register(void)
{
}
