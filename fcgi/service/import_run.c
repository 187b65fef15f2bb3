/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_run.c -- an import from its file to its end.
 *
 * What was found when the file was checked is what is applied, or nothing:
 * the steps begin by looking whether anything has changed since.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/csv.h"
#include "service/import_internal.h"
#include "service/place_tree.h"

#define FIRST		1000	/* rows that are tried before others */
#define WINDOW		4000	/* rows that one statement goes over */
#define ROW_MEMORY	(16 << 20)
#define LONG_MEMORY	(256 << 20)
#define BATCH_BYTES	(8 << 20)
#define KEEP_FILE	(7 * CLOCK_DAY)
#define KEEP_ROWS	(30 * CLOCK_DAY)
/* Faults that SQL finds are numbered from here. */
#define SQL_FAULTS	100000000LL

const char *const import_kinds[] = { "territory", "grids", "roster", NULL };

static const char *const import_states[] = { "uploaded", "checked",
    "faulty", "applying", "applied", "undoing", "undone", "failed", NULL };

static const struct import_reader *const readers[] = {
	[IMPORT_TERRITORY] = &import_territory,
	[IMPORT_GRIDS] = &import_grids,
	[IMPORT_ROSTER] = &import_roster,
};

static const struct import_plan *const plans[] = {
	[IMPORT_TERRITORY] = &import_territory_plan,
	[IMPORT_GRIDS] = &import_grids_plan,
	[IMPORT_ROSTER] = &import_roster_plan,
};

/* Parts in the order in which they are told. */
static const struct {
	const char	*part, *label;
} parts[] = {
	{ "compound", "小区" }, { "building", "楼栋" },
	{ "entrance", "单元" }, { "dwelling", "住户" },
	{ "grid", "网格" }, { "unit", "十联户" }, { "home", "联户房屋" },
	{ "worker", "网格员" }, { "head", "联户长" },
	{ "household", "户" }, { "person", "人员" }, { "need", "需求" },
};
#define PARTS	(sizeof(parts) / sizeof(parts[0]))

struct import_part {
	const char	*part;
	const char	*label;
	int64_t		 added, changed, same, faults;
};

static const struct view_column import_part_columns[] = {
	C_TEXT(import_part, part),
	C_TEXT(import_part, label, .about = "Chinese"),
	C_INT(import_part, added),
	C_INT(import_part, changed),
	C_INT(import_part, same),
	C_INT(import_part, faults),
	C_END
};
static const struct view import_part_view = VIEW(import_part, "ImportPart");

static const struct view_column import_record_columns[] = {
	C_ID(import_record, id),
	C_CODE(import_record, kind, import_kinds),
	C_TEXT(import_record, name, .about = "of the file"),
	C_INT(import_record, bytes),
	C_CODE(import_record, state, import_states),
	C_BOOL(import_record, partial,
	    .about = "faulty rows are left out instead of stopping all"),
	C_INT(import_record, rows),
	C_INT(import_record, added, .about = "things, of all parts"),
	C_INT(import_record, changed),
	C_INT(import_record, same),
	C_INT(import_record, faults),
	C_ARRAY(import_record, counts, &import_part_view,
	    .about = "the same by part"),
	C_TEXT(import_record, detail, .flags = VIEW_NULL,
	    .about = "why it came to nothing"),
	C_ID(import_record, by_id, .flags = VIEW_NULL,
	    .about = "null for the console"),
	C_TIME(import_record, created_at),
	C_TIME(import_record, checked_at, .flags = VIEW_NULL),
	C_TIME(import_record, applied_at, .flags = VIEW_NULL),
	C_TIME(import_record, undone_at, .flags = VIEW_NULL),
	C_TEXT(import_record, sha256),
	C_BOOL(import_record, kept,
	    .about = "the file is there, to give the faulty rows back"),
	C_END
};
const struct view import_view = {
	.name = "Import", .size = sizeof(struct import_record),
	.columns = import_record_columns
};

static const struct view_column import_count_columns[] = {
	C_INT(import_count, n),
	C_END
};
const struct view import_count_view = VIEW(import_count, "ImportCount");

struct import_tally {
	const char	*part;
	const char	*verdict;
	int64_t		 n;
};

static const struct view_column import_tally_columns[] = {
	C_TEXT(import_tally, part),
	C_TEXT(import_tally, verdict),
	C_INT(import_tally, n),
	C_END
};
static const struct view import_tally_view =
    VIEW(import_tally, "ImportTally");

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

struct import_code {
	const char	*code;
};

static const struct view_column import_code_columns[] = {
	C_TEXT(import_code, code),
	C_END
};
static const struct view import_code_view = VIEW(import_code, "ImportCode");

struct import_old {
	int64_t		 id;
	int64_t		 community_id;
};

static const struct view_column import_old_columns[] = {
	C_ID(import_old, id),
	C_ID(import_old, community_id),
	C_END
};
static const struct view import_old_view = VIEW(import_old, "ImportOld");

enum { RUN_BEGIN, RUN_GET, RUN_CODE, RUN_LAST, RUN_CLEAR, RUN_CLEAR_FAULTS,
	RUN_TALLY, RUN_SQL_FAULTS, RUN_CHECKED, RUN_APPLIED, RUN_UNDONE,
	RUN_SINCE, RUN_FAULTS, RUN_OLD_FILES, RUN_OLD_ROWS, RUN_UNKEEP,
	RUN_COMMUNITY, RUN_ANALYSE, RUN_BY_INDEX,
	RUN_SQL_MAX };

static struct stmt run_sql[] = {
	[RUN_BEGIN] = { RW, 12, NULL,
	    "INSERT INTO import (community_id, id, kind, name, sha256,"
	    " bytes, partial, by_id, claim, claimed_until, kept, created_at,"
	    " state, rows, added, changed, same, faults, counts)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	    " 'uploaded', 0, 0, 0, 0, 0, '[]')", NULL, 0 },
	[RUN_GET] = { RO, 2, &import_view,
	    "SELECT " IMPORT_COLUMNS " FROM import WHERE community_id = $1"
	    " AND id = $2",
	    NULL, 0 },
	[RUN_CODE] = { RO, 1, &import_code_view,
	    "SELECT code FROM community WHERE id = $1", NULL, 0 },
	[RUN_LAST] = { RO, 2, &import_count_view,
	    "SELECT COALESCE(MAX(id), 0) AS n FROM import_row"
	    " WHERE community_id = $1 AND import_id = $2", NULL, 0 },
	[RUN_CLEAR] = { RW, 4, NULL,
	    "DELETE FROM import_row WHERE community_id = $1"
	    " AND import_id = $2 AND id >= $3 AND id < $4", NULL, 0 },
	[RUN_CLEAR_FAULTS] = { RW, 2, NULL,
	    "DELETE FROM import_fault WHERE community_id = $1"
	    " AND import_id = $2", NULL, 0 },
	[RUN_TALLY] = { RO, 2, &import_tally_view,
	    "SELECT part, verdict, COUNT(*) AS n FROM import_row"
	    " WHERE community_id = $1 AND import_id = $2"
	    " GROUP BY part, verdict", NULL, 0 },
	[RUN_SQL_FAULTS] = { RO, 3, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_fault WHERE community_id = $1"
	    " AND import_id = $2 AND id >= $3", NULL, 0 },
	[RUN_CHECKED] = { RW, 11, NULL,
	    "UPDATE import SET state = $4, rows = $5, added = $6,"
	    " changed = $7, same = $8, faults = $9, counts = $10,"
	    " checked_at = $11, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2 AND claim = $3"
	    " AND state = 'uploaded'", NULL, 0 },
	[RUN_APPLIED] = { RW, 3, NULL,
	    "UPDATE import SET state = 'applied', applied_at = $3,"
	    " detail = NULL, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('checked', 'applying')", NULL, 0 },
	[RUN_UNDONE] = { RW, 3, NULL,
	    "UPDATE import SET state = 'undone', undone_at = $3,"
	    " detail = NULL, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('applied', 'undoing')", NULL, 0 },
	[RUN_SINCE] = { RO, 2, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import o JOIN import m"
	    " ON m.community_id = o.community_id WHERE o.community_id = $1"
	    " AND m.id = $2 AND o.id <> m.id AND o.kind = m.kind"
	    " AND (COALESCE(o.applied_at, 0) > m.checked_at"
	    " OR COALESCE(o.undone_at, 0) > m.checked_at)", NULL, 0 },
	[RUN_FAULTS] = { RO, 2, &import_fault_row_view,
	    "SELECT line, label, detail FROM import_fault"
	    " WHERE community_id = $1 AND import_id = $2"
	    " ORDER BY line, id LIMIT 20000", NULL, 0 },
	[RUN_OLD_FILES] = { RO, 1, &import_old_view,
	    "SELECT id, community_id FROM import WHERE kept = 1"
	    " AND created_at < $1 AND state NOT IN ('uploaded', 'applying',"
	    " 'undoing') ORDER BY id LIMIT 100", NULL, 0 },
	[RUN_OLD_ROWS] = { RO, 1, &import_old_view,
	    "SELECT m.id, m.community_id FROM import m"
	    " WHERE m.created_at < $1 AND EXISTS (SELECT 1 FROM import_row r"
	    " WHERE r.community_id = m.community_id AND r.import_id = m.id)"
	    " ORDER BY m.id LIMIT 10", NULL, 0 },
	[RUN_COMMUNITY] = { RO, 1, &import_count_view,
	    "SELECT community_id AS n FROM import WHERE id = $1", NULL, 0 },
	/* PostgreSQL guesses badly at a table that has just been filled. */
	[RUN_ANALYSE] = { RW, 0, NULL,
	    "DELETE FROM import_row WHERE 1 = 0", "ANALYZE import_row", 0 },
	/*
	 * Tables that were small a moment ago: PostgreSQL would go through
	 * them from end to end, in our statements and in the triggers'.
	 */
	[RUN_BY_INDEX] = { RW, 0, NULL,
	    "DELETE FROM import WHERE 1 = 0",
	    "SET LOCAL enable_seqscan = off", 0 },
	[RUN_UNKEEP] = { RW, 2, NULL,
	    "UPDATE import SET kept = 0 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
};

void
import_engine_register(void)
{
	db_register(run_sql, RUN_SQL_MAX);
	import_stage_register();
	import_read_register();
	import_territory_register();
	import_grids_register();
	import_roster_register();
	place_tree_register();
}

const char *
import_path(struct req *rq, int64_t id)
{
	return arena_fmt(rq->arena, "%s/imports/%lld.csv", rq->conf->dir,
	    (long long)id);
}

/* ---- the record ---- */

/* Its digest and size; false when it cannot be read. */
static bool
digest(const char *path, char out[CRYPT_HEX_MAX], int64_t *ret_size)
{
	struct stat	 st;
	void		*at = NULL;
	bool		 good = false;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*ret_size = st.st_size;
		if (st.st_size > 0)
			at = mmap(NULL, (size_t)st.st_size, PROT_READ,
			    MAP_PRIVATE, fd, 0);
		good = at != MAP_FAILED;
		if (good)
			crypt_sha256(at != NULL ? at : "",
			    (size_t)st.st_size, out);
		if (good && at != NULL)
			munmap(at, (size_t)st.st_size);
	}
	close(fd);
	return good;
}

enum err
import_begin(struct req *rq, int64_t community_id, int64_t id,
    enum import_kind kind, const char *name, const char *path, bool partial,
    int64_t by_id, int64_t claim)
{
	char	sha256[CRYPT_HEX_MAX] = "";
	int64_t	bytes = 0;

	/* A pipe has no size; it is read all the same. */
	digest(path, sha256, &bytes);
	return db_run(rq->db, &run_sql[RUN_BEGIN], WITH(V(community_id),
	    V(id), V(import_kinds[kind]), V(name), V(sha256), V(bytes),
	    V(partial), V(by_id), V(claim),
	    V(claim != 0 ? rq->now + CLOCK_HOUR : 0), V(by_id != 0),
	    V(rq->now)), NULL);
}

enum err
import_get(struct req *rq, int64_t community_id, int64_t id,
    struct import_record *ret)
{
	return db_one(rq->db, rq->arena, &run_sql[RUN_GET],
	    WITH(V(community_id), V(id)), ret);
}

static enum import_kind
kind_of(const struct import_record *r)
{
	int	i = 0;

	while (strcmp(import_kinds[i], r->kind) != 0)
		i++;
	return (enum import_kind)i;
}

/* ---- steps ---- */

/* What one run of a step binds. */
struct bound {
	int64_t		 community_id, id;
	int64_t		 from, to;	/* of the window */
	int64_t		 now, applied_at;
	const char	*today;
};

static struct values
bind(const struct import_step *s, const struct bound *b,
    struct value v[static 8])
{
	const char	*a;
	int		 n = 0;

	if (s->stmt->nargs == 0)
		return NOTHING;
	v[n++] = value_int(b->community_id);
	v[n++] = value_int(b->id);
	for (a = s->args; *a != '\0'; a++)
		switch (*a) {
		case 'w':
			v[n++] = value_int(b->from);
			v[n++] = value_int(b->to);
			break;
		case 'f':
			v[n++] = value_int(1);
			v[n++] = value_int(FIRST);
			break;
		case 'n':
			v[n++] = value_int(b->now);
			break;
		case 'a':
			v[n++] = value_int(b->applied_at);
			break;
		case 't':
			v[n++] = value_text(b->today);
			break;
		}
	return (struct values){ n, v };
}

static enum err
step_once(struct req *rq, const struct import_step *s,
    const struct bound *b)
{
	struct import_count	count = { 0 };
	struct value		v[8];
	enum err		e;

	if (s->refuse == NULL)
		return db_run(rq->db, s->stmt, bind(s, b, v), NULL);
	e = db_one(rq->db, rq->arena, s->stmt, bind(s, b, v), &count);
	if (e == OK && count.n > 0)
		return req_fail(rq, ERR_CONFLICT, s->refuse);
	return e;
}

static enum err
last_row(struct req *rq, struct bound *b)
{
	struct import_count	count = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &run_sql[RUN_LAST],
	    WITH(V(b->community_id), V(b->id)), &count);
	b->to = count.n;
	return e;
}

/* All steps, in the transaction that there is. */
static enum err
run_steps(struct req *rq, const struct import_step *s, struct bound *b)
{
	int64_t		last = b->to;
	enum err	e = OK;

	for (; e == OK && s->stmt != NULL; s++) {
		if (strchr(s->args, 'w') == NULL) {
			e = step_once(rq, s, b);
			continue;
		}
		for (b->from = 1; e == OK && b->from <= last;
		    b->from = b->to) {
			b->to = b->from + WINDOW;
			e = step_once(rq, s, b);
		}
	}
	b->to = last;
	return e;
}

/* ---- checking ---- */

struct one_step {
	struct import		*im;
	const struct import_step *step;
	const struct bound	*bound;
};

static enum err
compare_once(void *arg)
{
	struct one_step	*o = arg;

	return step_once(o->im->rq, o->step, o->bound);
}

static enum err
analyse(void *arg)
{
	struct import	*im = arg;

	return db_run(im->rq->db, &run_sql[RUN_ANALYSE], NOTHING, NULL);
}

/* Each window of each step by itself: nothing waits for it to end. */
static enum err
compare(struct import *im)
{
	const struct import_step *s = plans[im->kind]->compare;
	char			 today[24];
	struct bound		 b = { .community_id = im->community_id,
				    .id = im->id, .now = im->rq->now,
				    .today = today };
	struct one_step		 o = { im, NULL, &b };
	enum err		 e;

	snprintf(today, sizeof(today), "%lld", (long long)im->today);
	e = db_transact(im->rq->db, 20, analyse, im);
	for (; e == OK && s->stmt != NULL; s++) {
		o.step = s;
		for (b.from = 1; e == OK && b.from <= im->item_id;
		    b.from = b.to) {
			b.to = strchr(s->args, 'w') != NULL ?
			    b.from + WINDOW : im->item_id + 1;
			e = db_transact(im->rq->db, 20, compare_once, &o);
		}
	}
	return e;
}

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

static int
part_of(const char *part)
{
	size_t	i;

	for (i = 0; i < PARTS - 1; i++)
		if (strcmp(parts[i].part, part) == 0)
			break;
	return (int)i;
}

static void
count_in(struct import_part *p, const struct import_tally *t)
{
	switch (t->verdict[0]) {
	case 'a':
		p->added += t->n;
		break;
	case 'c':
		p->changed += t->n;
		break;
	case 's':
		p->same += t->n;
		break;
	default:
		p->faults += t->n;
	}
}

static const char *
counts_text(struct arena *a, const struct import_part *all)
{
	struct json	 j;
	struct buf	 b;
	const char	*s;
	size_t		 i;

	buf_init(&b, 65536);
	json_init(&j, &b);
	json_list(&j);
	for (i = 0; i < PARTS; i++)
		if (all[i].added + all[i].changed + all[i].same +
		    all[i].faults > 0)
			json_view(&j, &import_part_view, &all[i], NULL, a);
	json_unlist(&j);
	s = arena_copy(a, b.data, b.len);
	buf_free(&b);
	return s;
}

static enum err
tally(struct import *im, struct import_part *all)
{
	struct import_tally	row;
	struct rows		rows;
	enum err		e;
	size_t			i;

	for (i = 0; i < PARTS; i++)
		all[i] = (struct import_part){ parts[i].part,
		    parts[i].label, 0, 0, 0, 0 };
	e = db_query(im->rq->db, &run_sql[RUN_TALLY],
	    WITH(V(im->community_id), V(im->id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		count_in(&all[part_of(row.part)], &row);
	return db_end(&rows);
}

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
	return db_run(im->rq->db, &run_sql[RUN_CHECKED],
	    WITH(V(im->community_id), V(im->id), V(im->claim),
	    V(bad ? "faulty" : "checked"), V(im->rows), V(f->sum.added),
	    V(f->sum.changed), V(f->sum.same), V(im->fault_count),
	    V(f->counts), V(clock_now())), &f->n);
}

static enum err
finish(struct import *im)
{
	struct finish		f = { .im = im };
	struct import_part	all[PARTS];
	struct import_count	more = { 0 };
	enum err		e;
	size_t			i;

	e = db_one(im->rq->db, im->row, &run_sql[RUN_SQL_FAULTS],
	    WITH(V(im->community_id), V(im->id), V(SQL_FAULTS)), &more);
	if (e == OK)
		e = tally(im, all);
	if (e != OK)
		return e;
	im->fault_count += more.n;
	for (i = 0; i < PARTS; i++) {
		f.sum.added += all[i].added;
		f.sum.changed += all[i].changed;
		f.sum.same += all[i].same;
	}
	f.counts = counts_text(im->row, all);
	e = db_transact(im->rq->db, 20, note_checked, &f);
	return e != OK ? e : f.n == 1 ? OK : ERR_CONFLICT;
}

struct clearing {
	struct req	*rq;
	int64_t		 community_id, id, from;
};

static enum err
clear_window(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &run_sql[RUN_CLEAR],
	    WITH(V(c->community_id), V(c->id), V(c->from),
	    V(c->from + WINDOW)), NULL);
}

static enum err
clear_faults(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &run_sql[RUN_CLEAR_FAULTS],
	    WITH(V(c->community_id), V(c->id)), NULL);
}

/* Forget the staged rows of an import. */
static enum err
clear_rows(struct req *rq, int64_t community_id, int64_t id)
{
	struct clearing	c = { rq, community_id, id, 0 };
	struct bound	b = { .community_id = community_id, .id = id };
	enum err	e;

	if ((e = last_row(rq, &b)) != OK)
		return e;
	for (c.from = 1; e == OK && c.from <= b.to; c.from += WINDOW)
		e = db_transact(rq->db, 20, clear_window, &c);
	return e != OK ? e : db_transact(rq->db, 20, clear_faults, &c);
}

static int64_t
today_of(int64_t now)
{
	struct clock_local	t = clock_local(now);

	return t.year * 10000LL + t.month * 100 + t.day;
}

static enum err
check(struct import *im, const char *path)
{
	struct import_code	code;
	enum err		e;

	e = db_one(im->rq->db, im->long_lived, &run_sql[RUN_CODE],
	    WITH(V(im->community_id)), &code);
	if (e != OK)
		return e;
	im->code = code.code;
	if ((e = clear_rows(im->rq, im->community_id, im->id)) != OK ||
	    (e = read_rows(im, path)) != OK || (e = compare(im)) != OK)
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
	im.kind = kind_of(&r);
	im.partial = r.partial != 0;
	im.today = today_of(rq->now);
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

/* ---- applying and undoing ---- */

static enum err
move_on(struct req *rq, int which, int64_t community_id, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &run_sql[which], WITH(V(community_id), V(id),
	    V(rq->now)), &n);
	return e != OK ? e : n == 1 ? OK : ERR_STATE;
}

/* What the engine alone could say, in words. */
static enum err
explain(struct req *rq, enum err e)
{
	if (e != ERR_UNIQUE && e != ERR_CONSTRAINT)
		return e;
	return req_fail(rq, e, "有的内容刚刚被别处改过或正在使用，没有写入"
	    "任何内容，请重新上传文件检查一遍。");
}

enum err
import_apply(struct req *rq, int64_t community_id, int64_t id)
{
	char			 today[24];
	struct bound		 b = { .community_id = community_id,
				    .id = id, .now = rq->now,
				    .today = today };
	struct import_record	 r;
	struct import_count	 since = { 0 };
	const struct import_plan *plan;
	enum err		 e;

	if ((e = import_get(rq, community_id, id, &r)) != OK ||
	    (e = move_on(rq, RUN_APPLIED, community_id, id)) != OK ||
	    (e = last_row(rq, &b)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &run_sql[RUN_SINCE],
	    WITH(V(community_id), V(id)), &since);
	if (e == OK && since.n > 0)
		return req_fail(rq, ERR_CONFLICT, "检查之后又有别的文件导入，"
		    "请重新上传这个文件再核对一遍。");
	if (e == OK)
		e = db_run(rq->db, &run_sql[RUN_BY_INDEX], NOTHING, NULL);
	plan = plans[kind_of(&r)];
	snprintf(today, sizeof(today), "%lld", (long long)today_of(rq->now));
	if (e == OK)
		e = run_steps(rq, plan->apply, &b);
	if (e == OK && plan->applied != NULL)
		e = plan->applied(rq, community_id, id);
	return explain(rq, e);
}

enum err
import_undo(struct req *rq, int64_t community_id, int64_t id)
{
	struct bound		 b = { .community_id = community_id,
				    .id = id, .now = rq->now };
	struct import_record	 r;
	const struct import_plan *plan;
	enum err		 e;

	if ((e = import_get(rq, community_id, id, &r)) != OK ||
	    (e = move_on(rq, RUN_UNDONE, community_id, id)) != OK ||
	    (e = last_row(rq, &b)) != OK)
		return e;
	if (b.to == 0)
		return req_fail(rq, ERR_STATE,
		    "导入已超过 30 天，不能再撤销，请改为逐条修改。");
	b.applied_at = r.applied_at;
	plan = plans[kind_of(&r)];
	e = db_run(rq->db, &run_sql[RUN_BY_INDEX], NOTHING, NULL);
	if (e == OK)
		e = run_steps(rq, plan->undo, &b);
	if (e == OK && plan->undone != NULL)
		e = plan->undone(rq, community_id, id);
	if (e == ERR_CONSTRAINT || e == ERR_UNIQUE)
		return req_fail(rq, e, "导入的内容已经在别处使用，不能撤销，"
		    "请改为逐条修改。");
	return e;
}

/* ---- faults ---- */

enum err
import_faults(struct req *rq, int64_t community_id, int64_t id,
    void (*fn)(void *, int64_t, const char *, const char *), void *arg)
{
	struct import_fault_row	row;
	struct rows		rows;
	enum err		e;

	e = db_query(rq->db, &run_sql[RUN_FAULTS],
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
	struct arena	*arena = arena_new(LONG_MEMORY);
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

enum err
import_parts(struct req *rq, int64_t community_id, int64_t id,
    void (*fn)(void *, const char *, int64_t, int64_t, int64_t), void *arg)
{
	struct import		im = { .rq = rq, .id = id,
				    .community_id = community_id };
	struct import_part	all[PARTS];
	enum err		e = tally(&im, all);
	size_t			i;

	for (i = 0; e == OK && i < PARTS; i++)
		if (all[i].added + all[i].changed + all[i].same > 0)
			fn(arg, all[i].label, all[i].added, all[i].changed,
			    all[i].same);
	return e;
}

enum err
import_community(struct req *rq, int64_t id, int64_t *ret)
{
	struct import_count	row = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &run_sql[RUN_COMMUNITY], WITH(V(id)),
	    &row);
	*ret = row.n;
	return e;
}

/* ---- forgetting ---- */

static enum err
unkeep(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &run_sql[RUN_UNKEEP],
	    WITH(V(c->community_id), V(c->id)), NULL);
}

static enum err
list_old(struct req *rq, int which, int64_t before, struct import_old *ret,
    int max, int *ret_n)
{
	struct rows	rows;
	enum err	e;

	*ret_n = 0;
	e = db_query(rq->db, &run_sql[which], WITH(V(before)), &rows);
	if (e != OK)
		return e;
	while (*ret_n < max && db_each(&rows, &ret[*ret_n]))
		++*ret_n;
	return db_end(&rows);
}

enum err
import_sweep(struct req *rq)
{
	struct import_old	old[100];
	struct clearing		c = { .rq = rq };
	enum err		e;
	int			i, n;

	e = list_old(rq, RUN_OLD_FILES, rq->now - KEEP_FILE, old, 100, &n);
	for (i = 0; e == OK && i < n; i++) {
		unlink(import_path(rq, old[i].id));
		c.community_id = old[i].community_id;
		c.id = old[i].id;
		e = db_transact(rq->db, 5, unkeep, &c);
	}
	if (e == OK)
		e = list_old(rq, RUN_OLD_ROWS, rq->now - KEEP_ROWS, old, 100,
		    &n);
	for (i = 0; e == OK && i < n; i++)
		e = clear_rows(rq, old[i].community_id, old[i].id);
	return e;
}
