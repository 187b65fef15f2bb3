/* SPDX-License-Identifier: Apache-2.0 */
/*
 * need.c -- what a person needs, with source, day and ground.
 */
#include "service/service.h"

void
need_register(void)
{
}
