/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c -- which dwellings a member of staff answers for.
 */
#include "service/service.h"

void
scope_register(void)
{
}
