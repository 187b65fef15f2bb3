/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_log.c -- the audit as the office reads it.
 */
#include "service/service.h"

void
audit_log_register(void)
{
}
