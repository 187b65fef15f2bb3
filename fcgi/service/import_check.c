/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_check.c -- a file read, judged, staged and compared.
 *
 * Each batch and each window is a transaction of its own: nothing waits
 * for a long file, and what is staged can be seen by its import alone.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "service/import_internal.h"

#define ROW_MEMORY	(16 << 20)
#define LONG_MEMORY	(256 << 20)
#define BATCH_BYTES	(8 << 20)
/* Faults that SQL finds are numbered from here. */
#define SQL_FAULTS	100000000LL

static const struct import_reader *const readers[] = {
	[IMPORT_TERRITORY] = &import_territory,
	[IMPORT_GRIDS] = &import_grids,
	[IMPORT_ROSTER] = &import_roster,
};

struct import_code {
	const char	*code;
};

static const struct view_column import_code_columns[] = {
	C_TEXT(import_code, code),
	C_END
};
static const struct view import_code_view = VIEW(import_code, "ImportCode");

enum { CHECK_CODE, CHECK_SQL_FAULTS, CHECK_CHECKED, CHECK_SQL_MAX };

static struct stmt check_sql[] = {
	[CHECK_CODE] = { RO, 1, &import_code_view,
	    "SELECT code FROM community WHERE id = $1", NULL, 0 },
	[CHECK_SQL_FAULTS] = { RO, 3, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_fault WHERE community_id = $1"
	    " AND import_id = $2 AND id >= $3", NULL, 0 },
	[CHECK_CHECKED] = { RW, 11, NULL,
	    "UPDATE import SET state = $4, rows = $5, added = $6,"
	    " changed = $7, same = $8, faults = $9, counts = $10,"
	    " checked_at = $11, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2 AND claim = $3"
	    " AND state = 'uploaded'", NULL, 0 },
};

void
import_check_register(void)
{
	db_register(check_sql, CHECK_SQL_MAX);
}

/* ---- reading ---- */

static void
note_fault(void *arg, int line, const char *label, const char *text)
{
	import_fault(arg, line, label, "%s", text);
}

/* More rows than we take are told before anything is staged. */
static bool
is_too_long(const char *path)
{
	struct csv_row	 row;
	struct csv	*csv;
	FILE		*file = fopen(path, "r");
	struct stat	 st;
	int64_t		 n = 0;

	if (file == NULL)
		return false;
	if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= IMPORT_ROWS_MAX) {
		fclose(file);
		return false;
	}
	csv = csv_new(file);
	while (n <= IMPORT_ROWS_MAX + 1 && csv_next(csv, &row) == CSV_ROW)
		n++;
	csv_free(csv);
	fclose(file);
	return n > IMPORT_ROWS_MAX + 1;
}

static enum err
read_rows(struct import *im, const char *path)
{
	const struct import_reader	*reader = readers[im->kind];
	struct sheet_sink		 sink = { note_fault, im };
	enum err			 e;

	if (is_too_long(path)) {
		import_fault(im, 0, NULL, "文件超过 %d 行，请分成几个文件后"
		    "分别导入", IMPORT_ROWS_MAX);
		return import_flush(im);
	}
	im->sheet = sheet_open(path, reader->columns, reader->n, sink);
	if (im->sheet == NULL) {
		import_fault(im, 0, NULL, "文件打不开，请重新上传");
		return import_flush(im);
	}
	e = reader->begin(im);
	while (e == OK && im->err == OK && sheet_next(im->sheet)) {
		im->rows++;
		reader->row(im);
		arena_reset(im->row);
		if (im->rows > IMPORT_ROWS_MAX) {
			import_fault(im, 0, NULL, "文件超过 %d 行，请分成"
			    "几个文件后分别导入", IMPORT_ROWS_MAX);
			break;
		}
	}
	if (im->rows == 0 && sheet_faults(im->sheet) == 0)
		import_fault(im, 0, NULL, im->kind == IMPORT_ROSTER ?
		    "文件里没有一个人" : "文件里没有一户");
	if (e == OK && im->err == OK)
		reader->end(im);
	sheet_close(im->sheet);
	im->sheet = NULL;
	return e != OK ? e : import_flush(im);
}

/* ---- comparing ---- */

struct one_step {
	struct import			*im;
	const struct import_step	*step;
	const struct import_bound	*bound;
};

static enum err
compare_once(void *arg)
{
	struct one_step	*o = arg;

	return import_step_once(o->im->rq, o->step, o->bound);
}

static enum err
analyse(void *arg)
{
	struct import	*im = arg;

	return db_run(im->rq->db, &import_step_analyse, NOTHING, NULL);
}

/* Each window of each step by itself: nothing waits for it to end. */
static enum err
compare(struct import *im)
{
	const struct import_step *s = import_plan_of(im->kind)->compare;
	struct import_bound	 b = import_step_bound(im->rq,
				    im->community_id, im->id);
	struct one_step		 o = { im, NULL, &b };
	enum err		 e;

	e = db_transact(im->rq->db, 20, analyse, im);
	for (; e == OK && s->stmt != NULL; s++) {
		o.step = s;
		for (b.from = 1; e == OK && b.from <= im->item_id;
		    b.from = b.to) {
			b.to = strchr(s->args, 'w') != NULL ?
			    b.from + IMPORT_WINDOW : im->item_id + 1;
			e = db_transact(im->rq->db, 20, compare_once, &o);
		}
	}
	return e;
}

/* ---- the end of it ---- */

struct finish {
	struct import		*im;
	struct import_part	 sum;
	const char		*counts;
	int64_t			 n;
};

static enum err
note_checked(void *arg)
{
	struct finish	*f = arg;
	struct import	*im = f->im;
	bool		 bad = im->fault_count > 0 && !im->partial;

	bad = bad || (f->sum.added + f->sum.changed + f->sum.same == 0);
	return db_run(im->rq->db, &check_sql[CHECK_CHECKED],
	    WITH(V(im->community_id), V(im->id), V(im->claim),
	    V(bad ? "faulty" : "checked"), V(im->rows), V(f->sum.added),
	    V(f->sum.changed), V(f->sum.same), V(im->fault_count),
	    V(f->counts), V(clock_now())), &f->n);
}

static enum err
finish(struct import *im)
{
	struct finish		f = { .im = im };
	struct import_part	all[IMPORT_PARTS];
	struct import_count	more = { 0 };
	enum err		e;
	size_t			i;

	e = db_one(im->rq->db, im->row, &check_sql[CHECK_SQL_FAULTS],
	    WITH(V(im->community_id), V(im->id), V(SQL_FAULTS)), &more);
	if (e == OK)
		e = import_tally(im->rq, im->community_id, im->id, all);
	if (e != OK)
		return e;
	im->fault_count += more.n;
	for (i = 0; i < IMPORT_PARTS; i++) {
		f.sum.added += all[i].added;
		f.sum.changed += all[i].changed;
		f.sum.same += all[i].same;
	}
	f.counts = import_tally_text(im->row, all);
	e = db_transact(im->rq->db, 20, note_checked, &f);
	return e != OK ? e : f.n == 1 ? OK : ERR_CONFLICT;
}

static enum err
check(struct import *im, const char *path)
{
	struct import_code	code;
	enum err		e;

	e = db_one(im->rq->db, im->long_lived, &check_sql[CHECK_CODE],
	    WITH(V(im->community_id)), &code);
	if (e != OK)
		return e;
	im->code = code.code;
	e = import_forget_rows(im->rq, im->community_id, im->id);
	if (e != OK || (e = read_rows(im, path)) != OK ||
	    (e = compare(im)) != OK)
		return e;
	return finish(im);
}

enum err
import_check(struct req *rq, int64_t community_id, int64_t id,
    int64_t claim, const char *path, const struct import_console *console)
{
	struct import		im = { .rq = rq, .id = id, .claim = claim,
				    .community_id = community_id,
				    .console = console };
	struct import_record	r;
	enum err		e;

	if ((e = import_get(rq, community_id, id, &r)) != OK)
		return e;
	im.kind = import_kind_of(&r);
	im.partial = r.partial != 0;
	im.today = import_today(rq->now);
	im.row = arena_new(ROW_MEMORY);
	im.long_lived = arena_new(LONG_MEMORY);
	buf_init(&im.items, BATCH_BYTES);
	buf_init(&im.faults, BATCH_BYTES);
	e = check(&im, path);
	buf_free(&im.items);
	buf_free(&im.faults);
	arena_free(im.long_lived);
	arena_free(im.row);
	return e;
}
