/* SPDX-License-Identifier: Apache-2.0 */
/*
 * money.c -- integer fen, checked.
 */
#include <stdio.h>

#include "base/money.h"

bool
money_add(int64_t *sum, int64_t price, int64_t quantity)
{
	int64_t	 v;

	if (__builtin_mul_overflow(price, quantity, &v) ||
	    __builtin_add_overflow(v, *sum, &v) ||
	    v > MONEY_MAX || v < -MONEY_MAX)
		return false;
	*sum = v;
	return true;
}

int
money_text(int64_t fen, char out[MONEY_TEXT_MAX])
{
	uint64_t	 u = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;

	return snprintf(out, MONEY_TEXT_MAX, "%s%llu.%02u",
	    fen < 0 ? "-" : "", (unsigned long long)(u / 100),
	    (unsigned)(u % 100));
}
