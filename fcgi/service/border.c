/* SPDX-License-Identifier: Apache-2.0 */
/*
 * border.c -- borders redrawn: preview, apply on a day, undo.
 */
#include "service/service.h"

void
border_register(void)
{
}
