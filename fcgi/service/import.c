/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c -- files brought in: checked, applied, undone.
 */
#include "service/service.h"

void
import_register(void)
{
}
