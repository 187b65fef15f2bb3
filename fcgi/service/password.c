/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c -- passwords: rules, change, lock-out.
 */
#include "service/service.h"

void
password_register(void)
{
}
