/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.c -- who may act for whom.
 */
#include "service/service.h"

void
helper_register(void)
{
}
