/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_faulty.c -- what was wrong with a file, and its faulty rows.
 *
 * Those go back as they stand in the file, to be mended and sent again;
 * so the file must be kept until then.
 */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "service/import_internal.h"

#define REASONS_MEMORY	(256 << 20)

struct import_fault_row {
	int64_t		 line;
	const char	*label;
	const char	*detail;
};

static const struct view_column import_fault_row_columns[] = {
	C_INT(import_fault_row, line),
	C_TEXT(import_fault_row, label, .flags = VIEW_NULL),
	C_TEXT(import_fault_row, detail),
	C_END
};
static const struct view import_fault_row_view =
    VIEW(import_fault_row, "ImportFaultRow");

enum { FAULTY_LIST, FAULTY_SQL_MAX };

static struct stmt faulty_sql[] = {
	[FAULTY_LIST] = { RO, 2, &import_fault_row_view,
	    "SELECT line, label, detail FROM import_fault"
	    " WHERE community_id = $1 AND import_id = $2"
	    " ORDER BY line, id LIMIT 20000", NULL, 0 },
};

void
import_faulty_register(void)
{
	db_register(faulty_sql, FAULTY_SQL_MAX);
}

enum err
import_faults(struct req *rq, int64_t community_id, int64_t id,
    void (*fn)(void *, int64_t, const char *, const char *), void *arg)
{
	struct import_fault_row	row;
	struct rows		rows;
	enum err		e;

	e = db_query(rq->db, &faulty_sql[FAULTY_LIST],
	    WITH(V(community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		fn(arg, row.line, row.label, row.detail);
	return db_end(&rows);
}

/* Lines with what is wrong there, in order. */
struct reason {
	int64_t		 line;
	const char	*text;
	struct reason	*next;
};

struct reasons {
	struct arena	*arena;
	struct reason	*first, **last;
	struct reason	*now;
};

static void
note_reason(void *arg, int64_t line, const char *label, const char *detail)
{
	struct reasons	*all = arg;
	struct reason	*r = all->now;

	if (r != NULL && r->line == line) {
		r->text = arena_fmt(all->arena, "%s；%s%s%s", r->text,
		    label != NULL ? label : "", label != NULL ? "：" : "",
		    detail);
		return;
	}
	r = ARENA_NEW(all->arena, struct reason);
	r->line = line;
	r->text = arena_fmt(all->arena, "%s%s%s",
	    label != NULL ? label : "", label != NULL ? "：" : "", detail);
	all->now = r;
	*all->last = r;
	all->last = &r->next;
}

/* A cell as a spreadsheet reads it, and never as a formula. */
static void
put_cell(struct buf *out, const char *cell)
{
	bool	risky = cell[0] != '\0' && strchr("=+-@\t", cell[0]) != NULL;

	buf_putc(out, '"');
	if (risky)
		buf_putc(out, '\'');
	for (; *cell != '\0'; cell++) {
		if (*cell == '"')
			buf_putc(out, '"');
		buf_putc(out, *cell);
	}
	buf_putc(out, '"');
}

static void
put_row(struct buf *out, const struct csv_row *row, int width,
    const char *reason)
{
	int	i;

	for (i = 0; i < width; i++) {
		put_cell(out, i < row->count ? row->field[i] : "");
		buf_putc(out, ',');
	}
	put_cell(out, reason);
	BUF_LIT(out, "\r\n");
}

static void
put_faulty(struct buf *out, struct csv *csv, struct reason *r)
{
	struct csv_row	row;
	int		width;

	if (csv_next(csv, &row) != CSV_ROW)
		return;
	width = row.count;
	put_row(out, &row, width, "错误原因");
	while (r != NULL && r->line <= row.line)
		r = r->next;
	while (r != NULL && !out->over && csv_next(csv, &row) == CSV_ROW) {
		while (r != NULL && r->line < row.line)
			r = r->next;
		if (r != NULL && r->line == row.line)
			put_row(out, &row, width, r->text);
	}
}

enum err
import_faulty_rows(struct req *rq, int64_t community_id, int64_t id,
    const char *path, struct buf *out)
{
	struct arena	*arena = arena_new(REASONS_MEMORY);
	struct reasons	 all = { .arena = arena };
	struct csv	*csv;
	FILE		*file = fopen(path, "r");
	enum err	 e;

	all.last = &all.first;
	e = file == NULL ? ERR_ABSENT : import_faults(rq, community_id, id,
	    note_reason, &all);
	if (e == OK) {
		/* The mark tells a spreadsheet that it is UTF-8. */
		BUF_LIT(out, "\xef\xbb\xbf");
		csv = csv_new(file);
		put_faulty(out, csv, all.first);
		csv_free(csv);
	}
	if (file != NULL)
		fclose(file);
	arena_free(arena);
	return e;
}
