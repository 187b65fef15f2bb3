/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person.c -- persons: lists, search, the clear look.
 */
#include "service/service.h"

void
person_register(void)
{
}
