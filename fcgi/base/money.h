/* SPDX-License-Identifier: Apache-2.0 */
/*
 * money.h -- integer fen, checked.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* No single amount is larger: 100 million yuan. */
#define MONEY_MAX	10000000000LL
#define MONEY_TEXT_MAX	24

/* *sum += price * quantity; false (sum untouched) past MONEY_MAX. */
bool money_add(int64_t *sum, int64_t price, int64_t quantity);

/* "12.30"; negative amounts with a leading minus. */
int money_text(int64_t fen, char out[MONEY_TEXT_MAX]);

#endif
