/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.c -- a table as spreadsheets save it, one row at a time.
 *
 * Fields are cut at the byte level before they are decoded: no byte of a
 * comma, quote or line break is part of a longer character in UTF-8 or
 * GB18030.  The encoding is one for the file, because a short GBK field
 * can look like UTF-8 by chance.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/csv.h"
#include "base/text.h"

#define CSV_CHUNK	65536
#define TITLED		4	/* characters that make sure of UTF-8 */
#define CSV_MEMORY	(32 * 1024 * 1024)

struct csv {
	struct arena	*own;		/* lives as long as this */
	struct arena	*row;		/* lives as long as a row */
	FILE		*file;
	FILE		*copy;		/* ours, when the caller's is a pipe */
	struct buf	 field;
	bool		 gbk;
	bool		 titled;	/* its first line is UTF-8, not ASCII */
	int		 line;		/* physical, where we stand */
	int		 opened;	/* line of the open quote */
	enum csv_state	 fault;		/* CSV_ROW while there is none */
	int		 fault_line;
};

/* How a field ended. */
enum stop { STOP_COMMA, STOP_LINE, STOP_END, STOP_FAULT };

/*
 * The bytes at the end of a chunk that may be the start of a character
 * whose rest is in the next one.
 */
static size_t
open_tail(const char *s, size_t n)
{
	size_t		 back;
	unsigned char	 c;

	for (back = 1; back <= 3 && back <= n; back++) {
		c = (unsigned char)s[n - back];
		if (c >= 0xc0)
			return c >= 0xf0 || (c >= 0xe0 && back < 3) ||
			    back < 2 ? back : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

/*
 * Whether the first line can only be UTF-8: a GBK one as long as a row of
 * titles is not well-formed by chance.
 */
static bool
is_titled(const char *s, size_t n)
{
	const char	*end = memchr(s, '\n', n);
	size_t		 i, wide = 0;

	n = end != NULL ? (size_t)(end - s) : 0;
	for (i = 0; i < n; i++)
		wide += (unsigned char)s[i] >= 0xe0;
	return wide >= TITLED && text_valid(s, n);
}

/* Read on to the end; whether all of it is UTF-8.  Copied on the way. */
static bool
scan(struct csv *c)
{
	char	 chunk[CSV_CHUNK];
	size_t	 n, have = 0, tail;
	bool	 good = true, first = true;

	while ((n = fread(chunk + have, 1, sizeof(chunk) - have,
	    c->file)) > 0) {
		if (c->copy != NULL &&
		    fwrite(chunk + have, 1, n, c->copy) != n) {
			c->fault = CSV_READ;
			return false;
		}
		have += n;
		c->titled = first ? is_titled(chunk, have) : c->titled;
		first = false;
		tail = open_tail(chunk, have);
		good = good && text_valid(chunk, have - tail);
		memmove(chunk, chunk + have - tail, tail);
		have = tail;
	}
	if (ferror(c->file))
		c->fault = CSV_READ;
	return good && have == 0;
}

/* Drop a byte-order mark; true when there was one. */
static bool
skip_mark(FILE *file, long start)
{
	char	 mark[3];

	if (fread(mark, 1, 3, file) == 3 &&
	    memcmp(mark, "\xef\xbb\xbf", 3) == 0)
		return true;
	clearerr(file);
	fseek(file, start, SEEK_SET);
	return false;
}

static void
start(struct csv *c)
{
	long	 at = ftell(c->file);
	bool	 utf8;

	if (at == -1) {
		c->copy = tmpfile();
		if (c->copy == NULL) {
			c->fault = CSV_READ;
			return;
		}
		utf8 = scan(c);
		c->file = c->copy;
		at = 0;
		rewind(c->file);
		c->gbk = !skip_mark(c->file, at) && !utf8 && !c->titled;
	} else if (!skip_mark(c->file, at)) {
		c->gbk = !scan(c) && !c->titled;
		clearerr(c->file);
		if (fseek(c->file, at, SEEK_SET) == -1)
			c->fault = CSV_READ;
	}
}

struct csv *
csv_new(FILE *file)
{
	struct arena	*own = arena_new(CSV_MEMORY);
	struct csv	*c = ARENA_NEW(own, struct csv);

	c->own = own;
	c->row = arena_new(CSV_MEMORY);
	c->file = file;
	c->line = 1;
	buf_init(&c->field, CSV_FIELD_MAX);
	start(c);
	c->fault_line = 1;
	return c;
}

void
csv_free(struct csv *c)
{
	if (c == NULL)
		return;
	if (c->copy != NULL)
		fclose(c->copy);
	buf_free(&c->field);
	arena_free(c->row);
	arena_free(c->own);
}

static enum stop
fail(struct csv *c, enum csv_state why, int line)
{
	c->fault = why;
	c->fault_line = line;
	return STOP_FAULT;
}

/* The next byte; CRLF and CR come as LF, which counts the line. */
static int
next_byte(struct csv *c)
{
	int	 b = getc_unlocked(c->file);

	if (b == '\r') {
		b = getc_unlocked(c->file);
		if (b != '\n' && b != EOF)
			ungetc(b, c->file);
		b = '\n';
	}
	return b;
}

/* How the field ends with `b`, or what is wrong with it there. */
static enum stop
stop_at(struct csv *c, int b)
{
	if (b == ',')
		return STOP_COMMA;
	if (b == '\n')
		return STOP_LINE;
	if (b == EOF && !ferror(c->file))
		return STOP_END;
	return fail(c, b == EOF ? CSV_READ : CSV_QUOTE, c->line);
}

/* After the opening quote. */
static enum stop
quoted(struct csv *c)
{
	int	 b;

	c->opened = c->line;
	for (;;) {
		b = next_byte(c);
		if (b == EOF)
			return fail(c, ferror(c->file) ? CSV_READ :
			    CSV_QUOTE, c->opened);
		if (b == '"' && (b = next_byte(c)) != '"')
			return stop_at(c, b);
		buf_putc(&c->field, (char)b);
		if (c->field.over)
			return fail(c, CSV_LONG, c->line);
		c->line += b == '\n';
	}
}

/* One field into c->field, from its first byte `b`. */
static enum stop
field(struct csv *c, int b)
{
	buf_clear(&c->field);
	if (b == '"')
		return quoted(c);
	while (b != ',' && b != '\n' && b != '"' && b != EOF) {
		buf_putc(&c->field, (char)b);
		if (c->field.over)
			return fail(c, CSV_LONG, c->line);
		b = next_byte(c);
	}
	return stop_at(c, b);
}

/* The field's bytes as a string of the row; NULL when they are none. */
static char *
decode(struct csv *c)
{
	const char	*s = buf_text(&c->field);
	size_t		 n = c->field.len;

	if (memchr(s, '\0', n) != NULL)
		return NULL;
	if (c->gbk)
		return text_from_gbk(c->row, s, n);
	return text_valid(s, n) ? arena_copy(c->row, s, n) : NULL;
}

static enum stop
take_field(struct csv *c, struct csv_row *row, int b)
{
	enum stop	 stop;
	int		 line = c->line;

	if (row->count == CSV_COLUMNS_MAX)
		return fail(c, CSV_COLUMNS, c->line);
	if ((stop = field(c, b)) == STOP_FAULT)
		return stop;
	row->field[row->count] = decode(c);
	if (row->field[row->count++] == NULL)
		return fail(c, CSV_ENCODING, line);
	return stop;
}

/* Past empty lines; the first byte of a row, or EOF. */
static int
first_byte(struct csv *c)
{
	int	 b;

	while ((b = next_byte(c)) == '\n')
		c->line++;
	if (b == EOF)
		fail(c, ferror(c->file) ? CSV_READ : CSV_END, c->line);
	return b;
}

enum csv_state
csv_next(struct csv *c, struct csv_row *ret)
{
	enum stop	 stop = STOP_FAULT;
	int		 b;

	arena_reset(c->row);
	memset(ret, 0, sizeof(*ret));
	if (c->fault == CSV_ROW && (b = first_byte(c)) != EOF) {
		ret->line = c->line;
		while ((stop = take_field(c, ret, b)) == STOP_COMMA)
			b = next_byte(c);
		c->line += stop == STOP_LINE;
	}
	if (stop != STOP_FAULT)
		return CSV_ROW;
	memset(ret, 0, sizeof(*ret));
	ret->line = c->fault_line;
	return c->fault;
}

const char *
csv_why(enum csv_state state)
{
	switch (state) {
	case CSV_ROW:
		return "no fault";
	case CSV_END:
		return "end of the file";
	case CSV_QUOTE:
		return "a quote where none may be, or one left open";
	case CSV_LONG:
		return "a field is longer than 64 KiB";
	case CSV_COLUMNS:
		return "more than 64 columns";
	case CSV_ENCODING:
		return "neither UTF-8 nor GB18030";
	case CSV_READ:
		return "the file cannot be read";
	}
	return "unknown";
}
