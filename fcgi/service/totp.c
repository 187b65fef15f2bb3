/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp.c -- the second factor, RFC 6238.
 */
#include "service/service.h"

void
totp_register(void)
{
}
