/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c -- scan to log in.
 */
#include "service/service.h"

void
scan_register(void)
{
}
