/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sheet.h -- a CSV file with named columns, and what is wrong with it.
 *
 * The first row names the columns, in English or Chinese, in any order.
 * Faults are told in Chinese with line and column; all of them, not just
 * the first, but the first where a file cannot be read on.
 */
#ifndef SERVICE_SHEET_H
#define SERVICE_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#define SHEET_COLUMNS	24

struct sheet;

struct sheet_column {
	const char	*name;
	const char	*label;		/* Chinese */
	bool		 must;		/* the file has to have it */
};

/* Who is told of a fault; `label` is the column's, NULL for the row's. */
struct sheet_sink {
	void	(*fault)(void *arg, int line, const char *label,
		    const char *text);
	void	*arg;
};

/*
 * Open `path` and read its first row; NULL when it cannot be opened.  A
 * fault of the first row is counted like others, and there are no rows.
 */
struct sheet *sheet_open(const char *path,
    const struct sheet_column *columns, int n, struct sheet_sink);

/* NULL is fine. */
void sheet_close(struct sheet *);

/* Whether the file has this column. */
bool sheet_has(const struct sheet *, int column);

/* The next row that is not blank; false when there is none. */
bool sheet_next(struct sheet *);

/* Where the row begins, from 1. */
int sheet_line(const struct sheet *);

/* A fault of `column` in this row; -1: of the row. */
void sheet_fault(struct sheet *, int column, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Faults so far. */
int sheet_faults(const struct sheet *);

/*
 * The cell without blanks at its ends, "" for none; valid until the next
 * row.
 */
const char *sheet_cell(const struct sheet *, int column);

/*
 * A text of 1..max code points that no spreadsheet takes for a formula, or
 * NULL after a fault.
 */
const char *sheet_text(struct sheet *, int column, int max);

/* The same, but NULL without a fault when the cell is empty. */
const char *sheet_maybe(struct sheet *, int column, int max);

/* The row as it stands in the file: cells, and how many. */
const char *sheet_raw(const struct sheet *, int i);
int sheet_width(const struct sheet *);

/*
 * A point in GCJ-02 from two columns, VIEW_NULL_INT when both are empty;
 * a fault otherwise.
 */
void sheet_point(struct sheet *, int lat, int lng, int64_t *ret_lat,
    int64_t *ret_lng);

#endif
