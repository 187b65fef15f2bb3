/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home.c -- homes of a user: matched to the roster or asked for.
 */
#include "service/service.h"

void
home_register(void)
{
}
