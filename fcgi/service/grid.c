/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid.c -- grids, ten-household units, and their people.
 */
#include "service/service.h"

void
grid_register(void)
{
}
