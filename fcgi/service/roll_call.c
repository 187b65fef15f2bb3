/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_call.c -- one question to every home.
 */
#include "service/service.h"

void
roll_call_register(void)
{
}
