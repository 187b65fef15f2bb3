/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.c -- files brought in by a clerk: uploaded, looked at, applied.
 *
 * Checking and applying take seconds and are done by planet-jobs; a route
 * only says what is to be done.  The file is kept, readable by us alone,
 * until nothing of it needs to be mended.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/upload.h"
#include "service/import_diff.h"
#include "service/import_internal.h"
#include "service/service.h"

#define WORKERS		(ROLE_CLERK | ROLE_ADMIN)
#define CLAIM_MS	(5 * CLOCK_MINUTE)
#define WORK_US		(10 * 60 * 1000000LL)
#define FAULTY_MAX	(3 << 20)	/* bytes given back at once */

static const char *const verdicts[] = { "add", "change", "same", "fault",
    NULL };

/* ---- what comes ---- */

struct import_new {
	int64_t		 kind;
	bool		 partial;
};

static const struct field import_new_fields[] = {
	F_ENUM(import_new, kind, "文件内容", MUST, import_kinds),
	F_BOOL(import_new, partial, "跳过有错误的行", MAY),
	F_END
};
static const struct shape import_new_shape =
    SHAPE_UPLOAD(import_new, "ImportNew");

struct import_id {
	int64_t		 id;
};

static const struct field import_id_fields[] = {
	F_ID(import_id, id, "导入", MUST),
	F_END
};
static const struct shape import_id_shape = SHAPE(import_id, "ImportId");

struct import_page {
	int64_t		 limit, after;
};

static const struct field import_page_fields[] = {
	F_PAGE(import_page),
	F_END
};
static const struct shape import_page_shape =
    SHAPE(import_page, "ImportPage");

struct import_rows_query {
	int64_t		 id;
	int64_t		 verdict;
	int64_t		 limit, after;
};

static const struct field import_rows_query_fields[] = {
	F_ID(import_rows_query, id, "导入", MUST),
	F_ENUM(import_rows_query, verdict, "结果", MAY, verdicts),
	F_PAGE(import_rows_query),
	F_END
};
static const struct shape import_rows_query_shape =
    SHAPE(import_rows_query, "ImportRowsQuery");

struct import_faults_query {
	int64_t		 id;
	int64_t		 limit, after;
};

static const struct field import_faults_query_fields[] = {
	F_ID(import_faults_query, id, "导入", MUST),
	F_PAGE(import_faults_query),
	F_END
};
static const struct shape import_faults_query_shape =
    SHAPE(import_faults_query, "ImportFaultsQuery");

/* ---- what is said ---- */

struct import_line {
	int64_t		 id;
	int64_t		 line;
	const char	*part;
	const char	*name;
	const char	*verdict;
	const char	*before;
	int64_t		 hidden;
	const char	*after;
};

static void
put_changes(struct json *j, const struct req *rq, const void *row)
{
	const struct import_line	*r = row;

	import_diff(j, rq->arena, r->before, r->after,
	    (unsigned)r->hidden);
}

static const struct view_column import_line_columns[] = {
	C_ID(import_line, id, .about = "1, 2, 3 within the import"),
	C_INT(import_line, line,
	    .about = "of the file; 0 follows from other lines"),
	C_TEXT(import_line, part),
	C_TEXT(import_line, name),
	C_CODE(import_line, verdict, verdicts),
	C_TEXT(import_line, before, .flags = VIEW_NULL | VIEW_HIDDEN),
	C_INT(import_line, hidden, .flags = VIEW_HIDDEN),
	C_TEXT(import_line, after, .flags = VIEW_HIDDEN),
	C_CALC("changes", SHAPE_OBJECTS, put_changes,
	    .sub = &import_change_view),
	C_END
};
static const struct view import_line_view = VIEW(import_line, "ImportRow");

struct import_wrong {
	int64_t		 id;
	int64_t		 line;
	const char	*label;
	const char	*detail;
};

static const struct view_column import_wrong_columns[] = {
	C_ID(import_wrong, id),
	C_INT(import_wrong, line, .about = "of the file; 0 is the file"),
	C_TEXT(import_wrong, label, .flags = VIEW_NULL,
	    .about = "of the column"),
	C_TEXT(import_wrong, detail, .about = "Chinese, for a person"),
	C_END
};
static const struct view import_wrong_view =
    VIEW(import_wrong, "ImportFault");

struct import_work {
	int64_t		 id;
	int64_t		 community_id;
	const char	*state;
	int64_t		 by_id;
	int64_t		 claim;
};

static const struct view_column import_work_columns[] = {
	C_ID(import_work, id),
	C_ID(import_work, community_id),
	C_TEXT(import_work, state),
	C_ID(import_work, by_id),
	C_INT(import_work, claim),
	C_END
};
static const struct view import_work_view = VIEW(import_work, "ImportWork");

/* ---- SQL ---- */

enum { IMPORT_LIST, IMPORT_LINES, IMPORT_WRONG, IMPORT_ORDER, IMPORT_WAITING,
	IMPORT_CLAIM, IMPORT_RELEASE, IMPORT_FAIL, IMPORT_UNDO_FAIL,
	IMPORT_FORGET, IMPORT_SQL_MAX };

static struct stmt import_sql[] = {
	[IMPORT_LIST] = { RO, 3, &import_view,
	    "SELECT " IMPORT_COLUMNS " FROM import WHERE community_id = $1"
	    " AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3", NULL, 0 },
	[IMPORT_LINES] = { RO, 5, &import_line_view,
	    "SELECT id, line, part, CASE part WHEN 'need' THEN '' ELSE key"
	    " END AS name, verdict, before,"
	    " CASE WHEN phone_index IS NOT NULL AND was_phone_index IS NOT"
	    " NULL AND phone_index <> was_phone_index THEN 1 ELSE 0 END +"
	    " CASE WHEN id_index IS NOT NULL AND was_index IS NOT NULL"
	    " AND id_index <> was_index THEN 2 ELSE 0 END AS hidden,"
	    " body AS after FROM import_row"
	    " WHERE community_id = $1 AND import_id = $2 AND id > $3"
	    " AND (CAST($4 AS TEXT) IS NULL OR verdict = $4)"
	    " ORDER BY id LIMIT $5", NULL, 0 },
	[IMPORT_WRONG] = { RO, 4, &import_wrong_view,
	    "SELECT id, line, label, detail FROM import_fault"
	    " WHERE community_id = $1 AND import_id = $2 AND id > $3"
	    " ORDER BY id LIMIT $4", NULL, 0 },
	[IMPORT_ORDER] = { RW, 4, NULL,
	    "UPDATE import SET state = $3, claimed_until = 0, claim = 0"
	    " WHERE community_id = $1 AND id = $2 AND state = $4", NULL, 0 },
	[IMPORT_WAITING] = { RO, 1, &import_work_view,
	    "SELECT id, community_id, state, by_id, claim FROM import"
	    " WHERE state IN ('uploaded', 'applying', 'undoing')"
	    " AND claimed_until <= $1 ORDER BY id LIMIT 1", NULL, 0 },
	[IMPORT_CLAIM] = { RW, 5, NULL,
	    "UPDATE import SET claim = $3, claimed_until = $4"
	    " WHERE community_id = $1 AND id = $2 AND claim = $5", NULL, 0 },
	[IMPORT_RELEASE] = { RW, 3, NULL,
	    "UPDATE import SET claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2 AND claim = $3", NULL, 0 },
	[IMPORT_FAIL] = { RW, 3, NULL,
	    "UPDATE import SET state = 'failed', detail = $3, claim = 0,"
	    " claimed_until = 0 WHERE community_id = $1 AND id = $2"
	    " AND state IN ('uploaded', 'applying')", NULL, 0 },
	[IMPORT_UNDO_FAIL] = { RW, 3, NULL,
	    "UPDATE import SET state = 'applied', detail = $3, claim = 0,"
	    " claimed_until = 0 WHERE community_id = $1 AND id = $2"
	    " AND state = 'undoing'", NULL, 0 },
	[IMPORT_FORGET] = { RW, 2, NULL,
	    "UPDATE import SET kept = 0 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
};

/* ---- routes ---- */

static enum err
answer(struct req *rq, int64_t id)
{
	struct import_record	row;
	enum err		e;

	e = import_get(rq, rq->who.community_id, id, &row);
	return e != OK ? e : req_one(rq, &row);
}

struct brought {
	int64_t			 id;
	const char		*path;
	struct upload		 file;
};

static enum err
note(struct req *rq, void *arg)
{
	const struct brought	*b = arg;
	const struct import_new	*in = rq->in;

	audit_thing(rq, "import", b->id);
	return import_begin(rq, rq->who.community_id, b->id,
	    (enum import_kind)in->kind, b->file.name, b->path, in->partial,
	    rq->who.user_id, 0);
}

static enum err
import_add_file(struct req *rq)
{
	struct brought	b = { .id = id_new() };
	const char	*dir;
	enum err	e;

	dir = arena_fmt(rq->arena, "%s/imports", rq->conf->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		log_error("event=import dir=%s errno=%d", dir, errno);
		return ERR_AWAY;
	}
	b.path = import_path(rq, b.id);
	if ((e = upload_read(rq, b.path, &b.file)) != OK)
		return e;
	if (b.file.size == 0)
		e = req_field(rq, "file", "too_short",
		    "文件是空的，请重新选择");
	if (e == OK)
		e = req_transact(rq, note, &b);
	if (e != OK) {
		unlink(b.path);
		return e;
	}
	return answer(rq, b.id);
}

static enum err
import_list(struct req *rq)
{
	const struct import_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &import_sql[IMPORT_LIST],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
import_one(struct req *rq)
{
	const struct import_id	*in = rq->in;

	return answer(rq, in->id);
}

static enum err
import_lines(struct req *rq)
{
	const struct import_rows_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct import_record		 r;
	const char			*verdict = NULL;
	enum err			 e;

	if ((e = import_get(rq, rq->who.community_id, in->id, &r)) != OK)
		return e;
	if (field_given(rq, "verdict"))
		verdict = verdicts[in->verdict];
	return req_list(rq, &import_sql[IMPORT_LINES],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(verdict), V(limit + 1)), limit);
}

static enum err
import_wrong(struct req *rq)
{
	const struct import_faults_query	*in = rq->in;
	int64_t					 limit = req_limit(in->limit);
	struct import_record			 r;
	enum err				 e;

	if ((e = import_get(rq, rq->who.community_id, in->id, &r)) != OK)
		return e;
	return req_list(rq, &import_sql[IMPORT_WRONG],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(limit + 1)), limit);
}

/* The rows are as clear as they came: only who brought them gets them. */
static enum err
import_faulty(struct req *rq)
{
	const struct import_id	*in = rq->in;
	struct import_record	 r;
	struct buf		 out;
	enum err		 e;

	e = import_get(rq, rq->who.community_id, in->id, &r);
	if (e == OK && (!r.kept || r.by_id != rq->who.user_id))
		e = ERR_ABSENT;
	if (e != OK)
		return e;
	audit_thing(rq, "import", in->id);
	buf_init(&out, FAULTY_MAX);
	e = import_faulty_rows(rq, rq->who.community_id, in->id,
	    import_path(rq, in->id), &out);
	if (e == OK && out.over)
		e = req_fail(rq, ERR_TOO_LARGE, "有错误的行太多，请先修改文件"
		    "里的共同问题再重新上传。");
	if (e == OK) {
		buf_putn(rq->out, out.data, out.len);
		rq->content = "text/csv; charset=utf-8";
		rq->download = "faulty-rows.csv";
	}
	buf_free(&out);
	return e;
}

static enum err
order(struct req *rq, const char *from, const char *to, const char *refusal)
{
	const struct import_id	*in = rq->in;
	struct import_record	 r;
	int64_t			 n;
	enum err		 e;

	if ((e = import_get(rq, rq->who.community_id, in->id, &r)) != OK)
		return e;
	e = db_run(rq->db, &import_sql[IMPORT_ORDER],
	    WITH(V(rq->who.community_id), V(in->id), V(to), V(from)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE, refusal);
	audit_thing(rq, "import", in->id);
	return answer(rq, in->id);
}

static enum err
import_apply_order(struct req *rq)
{
	return order(rq, "checked", "applying", "这次导入现在不能应用，请刷新"
	    "后查看检查结果和进度。");
}

static enum err
import_undo_order(struct req *rq)
{
	return order(rq, "applied", "undoing", "只有已经应用的导入才能撤销，"
	    "请刷新后查看最新进度。");
}

static const struct route import_routes[] = {
	{ POST, "/api/v1/imports", WORKERS, &import_new_shape,
	    REPLY_ONE, &import_view, 202, POOL_SLOW, TX_OWN,
	    import_add_file, "Bring in a CSV file; it is checked next" },
	{ GET, "/api/v1/imports", WORKERS, &import_page_shape,
	    REPLY_LIST, &import_view, 200, POOL_API, TX_READ,
	    import_list, "Imports of the community, the latest first" },
	{ GET, "/api/v1/imports/{id}", WORKERS, &import_id_shape,
	    REPLY_ONE, &import_view, 200, POOL_API, TX_READ,
	    import_one, "How far an import is, and what it comes to" },
	{ GET, "/api/v1/imports/{id}/rows", WORKERS,
	    &import_rows_query_shape,
	    REPLY_LIST, &import_line_view, 200, POOL_API, TX_READ,
	    import_lines, "What it changes, thing by thing" },
	{ GET, "/api/v1/imports/{id}/faults", WORKERS,
	    &import_faults_query_shape,
	    REPLY_LIST, &import_wrong_view, 200, POOL_API, TX_READ,
	    import_wrong, "What is wrong with the file, by line" },
	{ GET, "/api/v1/imports/{id}/faulty-rows", WORKERS,
	    &import_id_shape,
	    REPLY_FILE, NULL, 200, POOL_SLOW, TX_WRITE,
	    import_faulty, "The faulty rows as CSV, with the reasons" },
	{ POST, "/api/v1/imports/{id}/apply", WORKERS, &import_id_shape,
	    REPLY_ONE, &import_view, 202, POOL_API, TX_WRITE,
	    import_apply_order, "Do what was found" },
	{ POST, "/api/v1/imports/{id}/undo", WORKERS, &import_id_shape,
	    REPLY_ONE, &import_view, 202, POOL_API, TX_WRITE,
	    import_undo_order, "Put back what it did" },
	{ 0 }
};

/* ---- the runner's side ---- */

struct work {
	struct req		*rq;
	struct import_work	 of;
	int64_t			 claim;
	int64_t			 n;
	int			 which;
	const char		*detail;
};

static enum err
claim(void *arg)
{
	struct work	*w = arg;

	return db_run(w->rq->db, &import_sql[IMPORT_CLAIM],
	    WITH(V(w->of.community_id), V(w->of.id), V(w->claim),
	    V(clock_now() + CLAIM_MS), V(w->of.claim)), &w->n);
}

static enum err
release(void *arg)
{
	struct work	*w = arg;

	return db_run(w->rq->db, &import_sql[IMPORT_RELEASE],
	    WITH(V(w->of.community_id), V(w->of.id), V(w->claim)), NULL);
}

static enum err
forget_file(void *arg)
{
	struct work	*w = arg;

	return db_run(w->rq->db, &import_sql[IMPORT_FORGET],
	    WITH(V(w->of.community_id), V(w->of.id)), NULL);
}

static enum err
note_failure(void *arg)
{
	struct work	*w = arg;

	return db_run(w->rq->db, &import_sql[w->which],
	    WITH(V(w->of.community_id), V(w->of.id), V(w->detail)), NULL);
}

/* All of a sound file is staged, so the file itself is not needed. */
static enum err
check(struct work *w)
{
	struct import_record	 r;
	const char		*path = import_path(w->rq, w->of.id);
	enum err		 e;

	e = import_check(w->rq, w->of.community_id, w->of.id, w->claim,
	    path, NULL);
	if (e == OK)
		e = import_get(w->rq, w->of.community_id, w->of.id, &r);
	if (e != OK || r.faults > 0)
		return e;
	unlink(path);
	return db_transact(w->rq->db, 5, forget_file, w);
}

static enum err
apply(struct req *rq, void *arg)
{
	struct work	*w = arg;
	bool		 undo = strcmp(w->of.state, "undoing") == 0;

	audit_as(rq, w->of.community_id, w->of.by_id);
	audit_thing(rq, "import", w->of.id);
	return undo ? import_undo(rq, w->of.community_id, w->of.id) :
	    import_apply(rq, w->of.community_id, w->of.id);
}

static enum err
work(struct work *w)
{
	struct req	*rq = w->rq;
	enum err	 e;

	rq->now = clock_now();
	rq->deadline = clock_mono_us() + WORK_US;
	e = strcmp(w->of.state, "uploaded") == 0 ? check(w) :
	    req_transact(rq, apply, w);
	if (e == OK)
		return OK;
	log_warn("import=%lld state=%s err=%s", (long long)w->of.id,
	    w->of.state, err_info(e)->name);
	if (e == ERR_AWAY || e == ERR_AGAIN || e == ERR_BUSY ||
	    e == ERR_TIMEOUT) {
		db_transact(rq->db, 5, release, w);
		return e;
	}
	w->which = strcmp(w->of.state, "undoing") == 0 ? IMPORT_UNDO_FAIL :
	    IMPORT_FAIL;
	w->detail = rq->detail != NULL ? rq->detail : err_info(e)->detail;
	return db_transact(rq->db, 5, note_failure, w);
}

/* One import that waits for a runner. */
static enum err
import_task(struct req *rq)
{
	struct work	w = { .rq = rq, .claim = id_new() };
	enum err	e;

	e = db_one(rq->db, rq->arena, &import_sql[IMPORT_WAITING],
	    WITH(V(clock_now())), &w.of);
	if (e != OK)
		return e == ERR_ABSENT ? OK : e;
	e = db_transact(rq->db, 5, claim, &w);
	if (e != OK || w.n == 0)
		return e;
	return work(&w);
}

static const struct task import_tasks[] = {
	{ "import", 0, TASK_NEVER, import_task },
	{ "import_sweep", CLOCK_HOUR, TASK_NEVER, import_sweep },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
import_register(void)
{
	db_register(import_sql, IMPORT_SQL_MAX);
	import_engine_register();
	route_register("imports", import_routes);
	task_register(import_tasks);
}
