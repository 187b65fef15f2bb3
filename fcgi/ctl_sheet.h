/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_sheet.h -- a CSV file with named columns, and what is wrong with it.
 *
 * The first row names the columns, in English or Chinese, in any order.
 * Faults go to standard error in Chinese, one line each, with line and
 * column; all of them, not just the first.
 */
#ifndef CTL_SHEET_H
#define CTL_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#define CTL_SHEET_COLUMNS	16

struct ctl_sheet;

struct ctl_column {
	const char	*name;
	const char	*label;		/* Chinese */
	bool		 must;		/* the file has to have it */
};

/*
 * Open `path` and read its first row; NULL when it cannot be opened.  A
 * fault of the first row is counted like others, and there are no rows.
 */
struct ctl_sheet *ctl_sheet_open(const char *path,
    const struct ctl_column *columns, int n);

/* NULL is fine. */
void ctl_sheet_close(struct ctl_sheet *);

/* Whether the file has this column. */
bool ctl_sheet_has(const struct ctl_sheet *, int column);

/* The next row that is not blank; false when there is none. */
bool ctl_sheet_next(struct ctl_sheet *);

/* Where the row begins, from 1. */
int ctl_sheet_line(const struct ctl_sheet *);

/* A fault of `column` in this row; -1: of the row. */
void ctl_sheet_fault(struct ctl_sheet *, int column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Faults so far. */
int ctl_sheet_faults(const struct ctl_sheet *);

/*
 * The cell without blanks at its ends, "" for none; valid until the next
 * row.
 */
const char *ctl_sheet_cell(const struct ctl_sheet *, int column);

/* A text of 1..max code points, or NULL after a fault. */
const char *ctl_sheet_text(struct ctl_sheet *, int column, int max);

/*
 * A point in GCJ-02 from two columns, VIEW_NULL_INT when both are empty;
 * a fault otherwise.
 */
void ctl_sheet_point(struct ctl_sheet *, int lat, int lng, int64_t *ret_lat,
    int64_t *ret_lng);

#endif
