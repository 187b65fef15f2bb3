/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h -- a table as spreadsheets save it, one row at a time (RFC 4180).
 *
 * A byte-order mark is dropped; lines end with CRLF, LF or CR; a quoted
 * field may hold commas, doubled quotes and line breaks, which become LF.
 * Empty lines are passed over.  A file that is not UTF-8 as a whole is
 * taken for GB18030 (GBK with it), unless its first line is UTF-8 beyond
 * doubt; one with a mark must be UTF-8.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdio.h>

#define CSV_FIELD_MAX	65536	/* bytes in the file */
#define CSV_COLUMNS_MAX	64

struct csv;

enum csv_state {
	CSV_ROW,	/* here is a row */
	CSV_END,	/* no more rows */
	CSV_QUOTE,	/* a quote where none may be, or one left open */
	CSV_LONG,	/* a field over CSV_FIELD_MAX */
	CSV_COLUMNS,	/* a row over CSV_COLUMNS_MAX */
	CSV_ENCODING,	/* neither UTF-8 nor GB18030, or a NUL */
	CSV_READ	/* the file cannot be read; see errno */
};

struct csv_row {
	int		 line;		/* of the file, from 1 */
	int		 count;
	const char	*field[CSV_COLUMNS_MAX]; /* NULL past the count */
};

/*
 * Read from where `file` stands.  The file stays the caller's and is read
 * twice when it has no mark; one that cannot seek is copied first.
 */
struct csv *csv_new(FILE *file);

/* Give it back; NULL is fine. */
void csv_free(struct csv *);

/*
 * The next row into `ret`, valid until the next call.  When the state is
 * another, only ret->line is set: the line of the fault (a quote left open
 * is at the line that opened it), or the last line.  A fault is repeated.
 */
enum csv_state csv_next(struct csv *, struct csv_row *ret);

/* A short English reason for a fault. */
const char *csv_why(enum csv_state);

#endif
