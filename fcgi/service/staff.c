/* SPDX-License-Identifier: Apache-2.0 */
/*
 * staff.c -- accounts of staff.
 */
#include "service/service.h"

void
staff_register(void)
{
}
