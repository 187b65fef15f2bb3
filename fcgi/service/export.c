/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.c -- files taken out, in clear only when a second person agrees.
 *
 * asked -> agreed -> made -> expired; a masked one begins as ordered.
 * planet-jobs makes the file, and only who asked gets it, for a day.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/export.h"
#include "service/service.h"

#define OFFICE		(ROLE_CLERK | ROLE_ADMIN)
#define TIME_TO_AGREE	(3 * CLOCK_DAY)
#define TIME_TO_MAKE	CLOCK_HOUR
#define TIME_TO_FETCH	CLOCK_DAY
#define WAITING_MOST	10	/* of one community */

const char *const export_kinds[] = { "persons", "households", "units",
    NULL };
const char *const export_formats[] = { "csv", "xlsx", NULL };
static const char *const kind_titles[] = { "居民名单", "住户名单",
    "联户名单" };
static const char *const export_states[] = { "asked", "ordered", "agreed",
    "made", "refused", "lapsed", "failed", "expired", NULL };
static const char *const export_can[] = { "agree", "refuse", "file", NULL };

/* ---- what is shown ---- */

struct export {
	int64_t		 id;
	const char	*kind, *format;
	int64_t		 clear;
	const char	*title;
	const char	*reason;
	const char	*state;
	int64_t		 owner_id;
	const char	*owner;
	const char	*agreed_by;
	int64_t		 rows, bytes, downloads;
	int64_t		 created_at, made_at, deadline_at;
};

static void
calc_label(struct json *j, const struct req *rq, const void *row)
{
	const struct export	*x = row;

	(void)rq;
	json_text(j, flow_label(&export_flow, x->state));
}

static bool
is_ready(const struct req *rq, const struct export *x)
{
	return strcmp(x->state, "made") == 0 && x->deadline_at > rq->now &&
	    x->owner_id == rq->who.user_id;
}

static void
calc_can(struct json *j, const struct req *rq, const void *row)
{
	const struct export	*x = row;

	json_list(j);
	if (strcmp(x->state, "asked") == 0) {
		if (x->owner_id != rq->who.user_id)
			json_text(j, "agree");
		json_text(j, "refuse");
	}
	if (is_ready(rq, x))
		json_text(j, "file");
	json_unlist(j);
}

static const struct view_column export_columns[] = {
	C_ID(export, id),
	C_CODE(export, kind, export_kinds),
	C_CODE(export, format, export_formats),
	C_BOOL(export, clear),
	C_TEXT(export, title),
	C_TEXT(export, reason, .flags = VIEW_NULL),
	C_CODE(export, state, export_states),
	C_ID(export, owner_id, .about = "who asked"),
	C_TEXT(export, owner),
	C_TEXT(export, agreed_by, .flags = VIEW_NULL,
	    .about = "name of who agreed"),
	C_INT(export, rows, .flags = VIEW_NULL),
	C_INT(export, bytes, .flags = VIEW_NULL),
	C_INT(export, downloads),
	C_TIME(export, created_at),
	C_TIME(export, made_at, .flags = VIEW_NULL),
	C_TIME(export, deadline_at, .flags = VIEW_NULL,
	    .about = "of this state; of a file that was made, its end"),
	C_CALC("state_label", SHAPE_TEXT, calc_label,
	    .about = "the state in Chinese"),
	C_CALC("can", SHAPE_CODES, calc_can, .names = export_can,
	    .about = "what the caller may do now"),
	C_END
};
static const struct view export_view = VIEW(export, "Export");

struct export_waiting {
	int64_t		 n;
};
static const struct view_column export_waiting_columns[] = {
	C_INT(export_waiting, n), C_END
};
static const struct view export_waiting_view =
    VIEW(export_waiting, "ExportWaiting");

enum { EXPORT_LIST, EXPORT_ONE, EXPORT_WAITING, EXPORT_ADD, EXPORT_AGREED,
	EXPORT_FETCHED, EXPORT_SQL_MAX };

#define EXPORT_SELECT							\
	"SELECT x.id, x.kind, x.format, x.clear, x.title, x.reason,"	\
	" x.state, x.owner_id, u.name AS owner, a.name AS agreed_by,"	\
	" x.rows, x.bytes, x.downloads, x.created_at, x.made_at,"	\
	" x.deadline_at FROM export x JOIN app_user u"			\
	" ON u.id = x.owner_id LEFT JOIN app_user a"			\
	" ON a.id = x.agreed_by WHERE x.community_id = $1"

static struct stmt export_sql[] = {
	[EXPORT_LIST] = { RO, 3, &export_view,
	    EXPORT_SELECT " AND x.id < $2 ORDER BY x.id DESC LIMIT $3",
	    NULL, 0 },
	[EXPORT_ONE] = { RO, 2, &export_view,
	    EXPORT_SELECT " AND x.id = $2", NULL, 0 },
	[EXPORT_WAITING] = { RO, 1, &export_waiting_view,
	    "SELECT count(*) AS n FROM export WHERE community_id = $1"
	    " AND state IN ('asked', 'ordered', 'agreed')", NULL, 0 },
	[EXPORT_ADD] = { RW, 11, NULL,
	    "INSERT INTO export (community_id, id, state, version, urged,"
	    " deadline_at, owner_id, org_id, title, created_at, updated_at,"
	    " kind, format, clear, reason, downloads, claimed_until)"
	    " VALUES ($1, $2, $3, 1, 0, $4, $5, 0, $6, $7, $7, $8, $9, $10,"
	    " $11, 0, 0)", NULL, 0 },
	[EXPORT_AGREED] = { RW, 3, NULL,
	    "UPDATE export SET agreed_by = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[EXPORT_FETCHED] = { RW, 2, NULL,
	    "UPDATE export SET downloads = downloads + 1"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
};

static struct stmt export_flow_sql[] = {
	FLOW_SQL("export")
};

/* ---- the flow ---- */

/* Four eyes: whoever asked is not the one who agrees. */
static enum err
other_person(struct req *rq, struct flow_step *st)
{
	if (st->thing.owner_id == req_caller(rq))
		return req_fail(rq, ERR_FORBIDDEN,
		    "不能同意自己提出的导出申请，请另一位工作人员核实。");
	return OK;
}

static enum err
note_agreed(struct req *rq, struct flow_step *st)
{
	return db_run(rq->db, &export_sql[EXPORT_AGREED],
	    WITH(V(st->thing.community_id), V(st->thing.id),
	    V(req_caller(rq))), NULL);
}

static const struct flow_state export_flow_states[] = {
	{ "asked", "待同意", false, "lapse", 0, NULL, NULL },
	{ "ordered", "待生成", false, "give_up", 0, NULL, NULL },
	{ "agreed", "待生成", false, "give_up", 0, NULL, NULL },
	{ "made", "可下载", false, "expire", 0, NULL, NULL },
	{ "refused", "未同意", true, NULL, 0, NULL, NULL },
	{ "lapsed", "已过期", true, NULL, 0, NULL, NULL },
	{ "failed", "未生成", true, NULL, 0, NULL, NULL },
	{ "expired", "已删除", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move export_moves[] = {
	{ NULL, "order", "ordered", OFFICE, TIME_TO_MAKE, "申请导出",
	    NULL, NULL, { { 0 } } },
	{ NULL, "ask", "asked", OFFICE, TIME_TO_AGREE, "申请明文导出",
	    NULL, NULL, { { TELL_ADMINS, "order_todo",
	    "明文导出申请，请核实" } } },
	{ "asked", "agree", "agreed", OFFICE, TIME_TO_MAKE, "同意导出",
	    other_person, note_agreed, { { 0 } } },
	{ "asked", "refuse", "refused", OFFICE, FLOW_NONE, "不同意导出",
	    NULL, NULL, { { TELL_OWNER, "order_progress",
	    "导出申请未获同意" } } },
	{ "asked", "lapse", "lapsed", REL_SYSTEM, FLOW_NONE, "超时未处理",
	    NULL, NULL, { { TELL_OWNER, "order_progress",
	    "如仍需要，请重新申请" } } },
	{ "ordered", "make", "made", REL_SYSTEM, TIME_TO_FETCH, "生成文件",
	    NULL, NULL, { { TELL_OWNER, "order_progress",
	    "请在24小时内下载" } } },
	{ "agreed", "make", "made", REL_SYSTEM, TIME_TO_FETCH, "生成文件",
	    NULL, NULL, { { TELL_OWNER, "order_progress",
	    "请在24小时内下载" } } },
	{ "ordered", "give_up", "failed", REL_SYSTEM, FLOW_NONE,
	    "未能生成", NULL, NULL, { { TELL_OWNER, "order_progress",
	    "未能生成，请重新申请" } } },
	{ "agreed", "give_up", "failed", REL_SYSTEM, FLOW_NONE,
	    "未能生成", NULL, NULL, { { TELL_OWNER, "order_progress",
	    "未能生成，请重新申请" } } },
	{ "made", "expire", "expired", REL_SYSTEM, FLOW_NONE, "文件已删除",
	    NULL, NULL, { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow export_flow = {
	.name = "export",
	.label = "资料导出",
	.page = "pages/export/detail?id=",
	.states = export_flow_states,
	.moves = export_moves,
	.sql = export_flow_sql,
	.watchers = OFFICE,
};

/* ---- requests ---- */

struct export_new {
	int64_t		 kind, format;
	bool		 clear;
	const char	*reason;
};

static const struct field export_new_fields[] = {
	F_ENUM(export_new, kind, "名单", MUST, export_kinds),
	F_ENUM(export_new, format, "文件格式", MUST, export_formats),
	F_BOOL(export_new, clear, "完整号码", MAY),
	F_TEXT(export_new, reason, "用途", MAY, 4, 200),
	F_END
};
static const struct shape export_new_shape = SHAPE(export_new, "ExportNew");

struct export_page {
	int64_t		 limit, after;
};

static const struct field export_page_fields[] = {
	F_PAGE(export_page),
	F_END
};
static const struct shape export_page_shape =
    SHAPE(export_page, "ExportPage");

struct export_id {
	int64_t		 id;
};

static const struct field export_id_fields[] = {
	F_ID(export_id, id, "导出", MUST),
	F_END
};
static const struct shape export_id_shape = SHAPE(export_id, "ExportId");

struct export_refusal {
	int64_t		 id;
	const char	*reason;
};

static const struct field export_refusal_fields[] = {
	F_ID(export_refusal, id, "导出", MUST),
	F_TEXT(export_refusal, reason, "原因", MAY, 1, 200),
	F_END
};
static const struct shape export_refusal_shape =
    SHAPE(export_refusal, "ExportRefusal");

static enum err
see(struct req *rq, int64_t id, struct export *ret)
{
	return db_one(rq->db, rq->arena, &export_sql[EXPORT_ONE],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct export	row;
	enum err	e = see(rq, id, &row);

	return e != OK ? e : req_one(rq, &row);
}

static enum err
export_list(struct req *rq)
{
	const struct export_page *in = rq->in;
	int64_t			  limit = req_limit(in->limit);

	return req_list(rq, &export_sql[EXPORT_LIST],
	    WITH(V(rq->who.community_id), V(in->after != 0 ? in->after :
	    INT64_MAX), V(limit + 1)), limit);
}

static enum err
export_see(struct req *rq)
{
	const struct export_id	*in = rq->in;

	return answer(rq, in->id);
}

static enum err
check_new(struct req *rq, const struct export_new *in)
{
	struct export_waiting	 waiting;
	enum err		 e;

	if (in->clear && in->reason == NULL)
		return req_field(rq, "reason", "required",
		    "导出完整号码须写明用途，居民会看到。");
	e = db_one(rq->db, rq->arena, &export_sql[EXPORT_WAITING],
	    WITH(V(rq->who.community_id)), &waiting);
	if (e == OK && waiting.n >= WAITING_MOST)
		return req_fail(rq, ERR_CONFLICT,
		    "还有导出申请没有办完，请办完后再申请。");
	return e;
}

static enum err
export_ask(struct req *rq)
{
	const struct export_new	*in = rq->in;
	struct flow_thing	 t = { .community_id = rq->who.community_id,
		.id = id_new(), .owner_id = rq->who.user_id };
	enum err		 e;

	if ((e = check_new(rq, in)) != OK)
		return e;
	t.state = in->clear ? "asked" : "ordered";
	t.title = arena_fmt(rq->arena, "%s（%s）", kind_titles[in->kind],
	    in->clear ? "完整" : "脱敏");
	e = db_run(rq->db, &export_sql[EXPORT_ADD], WITH(V(t.community_id),
	    V(t.id), V(t.state), V(rq->now + (in->clear ? TIME_TO_AGREE :
	    TIME_TO_MAKE)), V(t.owner_id), V(t.title), V(rq->now),
	    V(export_kinds[in->kind]), V(export_formats[in->format]),
	    V(in->clear), V(in->reason)), NULL);
	if (e != OK)
		return e;
	audit_thing(rq, "export", t.id);
	audit_reason(rq, in->reason);
	e = flow_start(rq, &export_flow, in->clear ? "ask" : "order", &t);
	return e != OK ? e : answer(rq, t.id);
}

static enum err
export_agree(struct req *rq)
{
	const struct export_id	*in = rq->in;
	enum err		 e;

	e = flow_fire(rq, &export_flow, in->id, "agree", in, NULL);
	return e != OK ? e : answer(rq, in->id);
}

static enum err
export_refuse(struct req *rq)
{
	const struct export_refusal	*in = rq->in;
	enum err			 e;

	audit_reason(rq, in->reason);
	e = flow_fire(rq, &export_flow, in->id, "refuse", in, in->reason);
	return e != OK ? e : answer(rq, in->id);
}

static void
close_file(void *arg)
{
	close((int)(intptr_t)arg);
}

/* Let the reply be what lies there. */
static enum err
open_file(struct req *rq, const struct export *x)
{
	struct clock_local	 day = clock_local(x->made_at);
	struct stat		 st;
	int			 fd;

	fd = open(export_path(rq, x->id, x->format), O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1 || st.st_size != x->bytes) {
		log_error("export=%lld fault=\"its file is not there, or"
		    " not whole\"", (long long)x->id);
		if (fd != -1)
			close(fd);
		return ERR_ABSENT;
	}
	arena_later(rq->arena, close_file, (void *)(intptr_t)fd);
	rq->from_file = true;
	rq->file = fd;
	rq->file_len = st.st_size;
	rq->content = strcmp(x->format, "csv") == 0 ?
	    "text/csv; charset=utf-8" : "application/"
	    "vnd.openxmlformats-officedocument.spreadsheetml.sheet";
	rq->download = arena_fmt(rq->arena, "%s-%04d%02d%02d.%s", x->kind,
	    day.year, day.month, day.day, x->format);
	return OK;
}

static enum err
export_fetch(struct req *rq)
{
	const struct export_id	*in = rq->in;
	struct export		 row;
	enum err		 e;

	if ((e = see(rq, in->id, &row)) != OK)
		return e;
	if (!is_ready(rq, &row))
		return ERR_ABSENT;
	audit_thing(rq, "export", row.id);
	audit_reason(rq, row.reason);
	e = db_run(rq->db, &export_sql[EXPORT_FETCHED],
	    WITH(V(rq->who.community_id), V(row.id)), NULL);
	return e != OK ? e : open_file(rq, &row);
}

static enum err
export_timeline(struct req *rq)
{
	const struct export_id	*in = rq->in;

	return flow_timeline(rq, &export_flow, in->id);
}

#define ONE	REPLY_ONE, &export_view
static const struct route export_routes[] = {
	{ GET, "/api/v1/exports", OFFICE, &export_page_shape,
	    REPLY_LIST, &export_view, 200, POOL_API, TX_READ,
	    export_list, "Exports of the community, newest first" },
	{ POST, "/api/v1/exports", OFFICE, &export_new_shape,
	    ONE, 201, POOL_API, TX_WRITE, export_ask,
	    "Ask for a list as a file: masked at once, in clear when"
	    " another agrees" },
	{ GET, "/api/v1/exports/{id}", OFFICE, &export_id_shape,
	    ONE, 200, POOL_API, TX_READ, export_see, "One export" },
	{ GET, "/api/v1/exports/{id}/timeline", OFFICE, &export_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    export_timeline, "What happened to it, oldest first" },
	{ POST, "/api/v1/exports/{id}/agree", OFFICE, &export_id_shape,
	    ONE, 200, POOL_API, TX_WRITE, export_agree,
	    "Agree to what another asked for" },
	{ POST, "/api/v1/exports/{id}/refuse", OFFICE,
	    &export_refusal_shape, ONE, 200, POOL_API, TX_WRITE,
	    export_refuse, "Refuse it, or take back one's own" },
	{ GET, "/api/v1/exports/{id}/file", OFFICE, &export_id_shape,
	    REPLY_FILE, NULL, 200, POOL_SLOW, TX_WRITE, export_fetch,
	    "The file, for who asked, for a day" },
	{ 0 }
};

static const struct task export_tasks[] = {
	{ "export_make", 0, TASK_NEVER, export_make },
	{ "export_sweep", 10 * CLOCK_MINUTE, TASK_NEVER, export_sweep },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
export_register(void)
{
	db_register(export_sql, EXPORT_SQL_MAX);
	export_rows_register();
	export_make_register();
	flow_register(&export_flow);
	route_register("exports", export_routes);
	task_register(export_tasks);
}
