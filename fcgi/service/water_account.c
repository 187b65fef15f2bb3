/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_account.c -- barrels, deposits and tickets of a household.
 */
#include "service/service.h"

void
water_account_register(void)
{
}
