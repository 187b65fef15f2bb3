/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.c -- who looked at my record, my data, closing my account.
 */
#include "service/service.h"

void
privacy_register(void)
{
}
