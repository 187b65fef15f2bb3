/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_cell.h -- the cells of a file of bills.
 */
#ifndef SERVICE_BILL_CELL_H
#define SERVICE_BILL_CELL_H

#include <stdbool.h>
#include <stdint.h>

enum bill_number { BILL_NUMBER_OK, BILL_NUMBER_FORM, BILL_NUMBER_NEGATIVE,
	BILL_NUMBER_DECIMALS, BILL_NUMBER_LARGE };

/*
 * "123.45" or "1,234.5" as an integer of 10^-scale, by digits alone; what
 * is beyond `scale` decimals must be 0.
 */
enum bill_number bill_cell_number(const char *text, int scale, int64_t max,
    int64_t *ret);

/* 2026-10, 2026/10, 202610, 2026年10月 as "2026-10". */
#define BILL_PERIOD_MAX	8
bool bill_cell_period(const char *text, char out[BILL_PERIOD_MAX]);

/* Letters, digits, - and _ ; at most 32. */
bool bill_cell_account(const char *text);

/* The code of a kind by code or Chinese; -1 for none. */
int bill_cell_kind(const char *text);

#endif
