/* SPDX-License-Identifier: Apache-2.0 */
/*
 * correction.c -- what a resident wants put right in the roster.
 *
 * The resident says which field of the own record is wrong and what is
 * right; the desk looks at proof, changes the record by its own route with
 * source and ground, and then says so here.  Nothing is changed by asking.
 */
#include "base/clock.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/flow.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/service.h"

#define DESK		(ROLE_CLERK | ROLE_ADMIN)
#define TO_DO		"order_todo"
#define PROGRESS	"order_progress"
#define ANSWER_IN	(3 * CLOCK_DAY)	/* PIPL practice allows 15 days */
#define VALUE		"correction"

static const char *const correction_states[] = { "asked", "done", "refused",
    "withdrawn", NULL };
static const char *const correction_events[] = { "accept", "refuse",
    "withdraw", NULL };
static const char *const desk_events[] = { "accept", "refuse", NULL };
static const char *const correction_fields_of[] = { "name", "sex", "born",
    "id_number", "phone", "relation", "tenancy", "needs", "other", NULL };
static const char *const field_labels[] = { "姓名", "性别", "出生日期",
    "证件号码", "手机号码", "与户主关系", "居住方式", "关爱需求", "其他" };

/* ---- the flow ---- */

struct correction_in {
	int64_t		 id;
	int64_t		 event;
	const char	*reason;
};

enum { CORRECT_REASON, CORRECT_ADD, CORRECT_PERSON, CORRECT_MINE,
	CORRECT_DESK, CORRECT_GET, CORRECT_ONE, CORRECT_SQL_MAX };

static struct stmt correct_sql[CORRECT_SQL_MAX];

static enum err
need_reason(struct req *rq, struct flow_step *st)
{
	if (st->note == NULL || st->note[0] == '\0')
		return req_field(rq, "reason", "required",
		    "请写明不能更正的原因，居民会看到。");
	return OK;
}

static enum err
keep_reason(struct req *rq, struct flow_step *st)
{
	return db_run(rq->db, &correct_sql[CORRECT_REASON],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(st->note)),
	    NULL);
}

static const struct flow_state states[] = {
	{ "asked", "待处理", false, "supervise", 0, NULL, NULL },
	{ "done", "已更正", true, NULL, 0, NULL, NULL },
	{ "refused", "未更正", true, NULL, 0, NULL, NULL },
	{ "withdrawn", "已撤回", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move moves[] = {
	{ NULL, "ask", "asked", REL_OWNER, ANSWER_IN, "申请更正", NULL, NULL,
	    { { TELL_ADMINS, TO_DO, "有居民申请更正档案" } } },
	{ "asked", "accept", "done", DESK, FLOW_NONE, "已更正", NULL, NULL,
	    { { TELL_OWNER, PROGRESS, "档案已按您说的更正" } } },
	{ "asked", "refuse", "refused", DESK, FLOW_NONE, "不予更正",
	    need_reason, keep_reason,
	    { { TELL_OWNER, PROGRESS, "未能更正，请点开看原因" } } },
	{ "asked", "withdraw", "withdrawn", REL_OWNER, FLOW_NONE, "撤回申请",
	    NULL, NULL, { { 0 } } },
	{ "asked", "supervise", "asked", REL_SYSTEM, CLOCK_DAY, "超时督办",
	    NULL, NULL, { { TELL_ADMINS, TO_DO, "更正申请等待处理" } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

static struct stmt flow_statements[] = {
	FLOW_SQL("correction")
};

static const struct flow correction_flow = {
	.name = "correction",
	.label = "档案更正",
	.page = "pages/me/correction?id=",
	.states = states,
	.moves = moves,
	.sql = flow_statements,
	.watchers = DESK,
};

/* ---- what it looks like ---- */

struct correction {
	int64_t		 id;
	const char	*state;
	const char	*field;
	const char	*person;
	const char	*note;
	const char	*reason;
	int64_t		 deadline_at;
	int64_t		 created_at;
	int64_t		 owner_id;
};

static void
correction_label(struct json *j, const struct req *rq, const void *row)
{
	const struct correction	*c = row;

	(void)rq;
	json_text(j, flow_label(&correction_flow, c->state));
}

static void
correction_can(struct json *j, const struct req *rq, const void *row)
{
	const struct correction	*c = row;

	flow_can(j, &correction_flow, c->state,
	    flow_mask(rq, c->owner_id, 0, NULL));
}

static const struct view_column correction_columns[] = {
	C_ID(correction, id),
	C_CODE(correction, state, correction_states),
	C_CODE(correction, field, correction_fields_of),
	C_TEXT(correction, person, .about = "name in the record"),
	C_TEXT(correction, note, .flags = VIEW_NULL),
	C_TEXT(correction, reason, .flags = VIEW_NULL,
	    .about = "of a refusal"),
	C_TIME(correction, deadline_at, .flags = VIEW_NULL),
	C_TIME(correction, created_at),
	C_ID(correction, owner_id, .flags = VIEW_HIDDEN),
	C_CALC("state_label", SHAPE_TEXT, correction_label),
	C_CALC("can", SHAPE_CODES, correction_can,
	    .names = correction_events),
	C_END
};
static const struct view correction_view = VIEW(correction, "Correction");

/* What the desk reads to act on it; the look is kept. */
struct correction_case {
	int64_t		 id;
	const char	*state;
	int64_t		 person_id;
	const char	*field;
	const char	*value;
	const char	*note;
};

static const struct view_column correction_case_columns[] = {
	C_ID(correction_case, id),
	C_CODE(correction_case, state, correction_states),
	C_ID(correction_case, person_id),
	C_CODE(correction_case, field, correction_fields_of),
	C_TEXT(correction_case, value, .about = "in clear; the look is kept"),
	C_TEXT(correction_case, note, .flags = VIEW_NULL),
	C_END
};
static const struct view correction_case_view =
    VIEW(correction_case, "CorrectionCase");

struct correction_person {
	int64_t		 id;
};

static const struct view_column correction_person_columns[] = {
	C_ID(correction_person, id),
	C_END
};
static const struct view correction_person_view =
    VIEW(correction_person, "CorrectionPerson");

/* ---- what comes in ---- */

struct correction_new {
	int64_t		 home_id;
	int64_t		 field;
	const char	*value;
	const char	*note;
};

static const struct field correction_new_fields[] = {
	F_ID(correction_new, home_id, "住址", MUST),
	F_ENUM(correction_new, field, "要更正的内容", MUST,
	    correction_fields_of),
	F_TEXT(correction_new, value, "正确的内容", MUST, 1, 100),
	F_TEXT(correction_new, note, "说明", MAY, 0, 200),
	F_END
};
static const struct shape correction_new_shape =
    SHAPE(correction_new, "CorrectionNew");

struct correction_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field correction_page_fields[] = {
	F_PAGE(correction_page),
	F_END
};
static const struct shape correction_page_shape =
    SHAPE(correction_page, "CorrectionPage");

static const struct field correction_in_fields[] = {
	F_ID(correction_in, id, "更正申请", MUST),
	F_END
};
static const struct shape correction_id_shape =
    SHAPE(correction_in, "CorrectionId");

static const struct field correction_event_fields[] = {
	F_ID(correction_in, id, "更正申请", MUST),
	F_ENUM(correction_in, event, "操作", MUST, desk_events),
	F_TEXT(correction_in, reason, "原因", MAY, 0, 100),
	F_END
};
static const struct shape correction_event_shape = {
	.name = "CorrectionEvent", .size = sizeof(struct correction_in),
	.fields = correction_event_fields };

/* ---- statements ---- */

#define CORRECT_SELECT							\
	"SELECT c.id, c.state, c.field, p.name AS person, c.note,"	\
	" c.reason, c.deadline_at, c.created_at, c.owner_id"		\
	" FROM correction c JOIN person p"				\
	" ON p.community_id = c.community_id AND p.id = c.person_id"

static struct stmt correct_sql[CORRECT_SQL_MAX] = {
	[CORRECT_REASON] = { RW, 3, NULL,
	    "UPDATE correction SET reason = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[CORRECT_ADD] = { RW, 10, NULL,
	    "INSERT INTO correction (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, person_id, field, value, note)"
	    " VALUES ($1, $2, 'asked', 1, 0, $3, $4, 0, $5, $6, $6, $7, $8,"
	    " $9, $10)", NULL, 0 },
	[CORRECT_PERSON] = { RO, 3, &correction_person_view,
	    "SELECT h.person_id AS id FROM home h JOIN person p"
	    " ON p.community_id = h.community_id AND p.id = h.person_id"
	    " WHERE h.community_id = $1 AND h.owner_id = $2 AND h.id = $3"
	    " AND h.state = 'bound' AND p.gone_at IS NULL", NULL, 0 },
	[CORRECT_MINE] = { RO, 4, &correction_view,
	    CORRECT_SELECT " WHERE c.community_id = $1 AND c.owner_id = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR c.id < $3)"
	    " ORDER BY c.id DESC LIMIT $4", NULL, 0 },
	[CORRECT_DESK] = { RO, 3, &correction_view,
	    CORRECT_SELECT " WHERE c.community_id = $1"
	    " AND c.state = 'asked' AND c.id > $2"
	    " ORDER BY c.id LIMIT $3", NULL, 0 },
	[CORRECT_GET] = { RO, 2, &correction_view,
	    CORRECT_SELECT " WHERE c.community_id = $1 AND c.id = $2",
	    NULL, 0 },
	[CORRECT_ONE] = { RO, 2, &correction_case_view,
	    "SELECT id, state, person_id, field, value, note"
	    " FROM correction WHERE community_id = $1 AND id = $2",
	    NULL, 0 },
};

/* ---- handlers ---- */

static enum err
answer(struct req *rq, int64_t id)
{
	struct correction	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &correct_sql[CORRECT_GET],
	    WITH(V(rq->who.community_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
correction_ask(struct req *rq)
{
	const struct correction_new	*in = rq->in;
	struct correction_person	 person;
	struct flow_thing		 t = { .id = id_new(),
	    .community_id = rq->who.community_id, .state = "asked",
	    .owner_id = rq->who.user_id };
	enum err			 e;

	e = db_one(rq->db, rq->arena, &correct_sql[CORRECT_PERSON],
	    WITH(V(t.community_id), V(t.owner_id), V(in->home_id)), &person);
	if (e == ERR_ABSENT)
		return req_field(rq, "home_id", "not_found",
		    "请先绑定住址，并由社区登记到档案后再申请更正。");
	if (e != OK)
		return e;
	t.title = arena_fmt(rq->arena, "更正%s", field_labels[in->field]);
	e = db_run(rq->db, &correct_sql[CORRECT_ADD],
	    WITH(V(t.community_id), V(t.id), V(rq->now + ANSWER_IN),
	    V(t.owner_id), V(t.title), V(rq->now), V(person.id),
	    V(correction_fields_of[in->field]),
	    V(crypt_seal(rq->arena, VALUE, in->value)), V(in->note)), NULL);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "这一项已经申请更正，请等待社区处理。");
	if (e != OK ||
	    (e = flow_start(rq, &correction_flow, "ask", &t)) != OK)
		return e;
	audit_thing(rq, "correction", t.id);
	return answer(rq, t.id);
}

static enum err
correction_mine(struct req *rq)
{
	const struct correction_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &correct_sql[CORRECT_MINE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->after),
	    V(limit + 1)), limit);
}

static enum err
correction_desk(struct req *rq)
{
	const struct correction_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &correct_sql[CORRECT_DESK],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
correction_look(struct req *rq)
{
	const struct correction_in	*in = rq->in;
	struct correction_case		 row;
	enum err			 e;

	e = db_one(rq->db, rq->arena, &correct_sql[CORRECT_ONE],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	if ((row.value = crypt_open(rq->arena, VALUE, row.value)) == NULL) {
		log_error("correction=%lld fault=\"value does not open\"",
		    (long long)in->id);
		return ERR_INTERNAL;
	}
	audit_thing(rq, "correction", in->id);
	audit_subject(rq, row.person_id, "处理更正申请");
	rq->once = true;
	return req_one(rq, &row);
}

static enum err
fire(struct req *rq, int64_t id, const char *event, const char *reason)
{
	enum err	e;

	audit_thing(rq, "correction", id);
	e = flow_fire(rq, &correction_flow, id, event, NULL, reason);
	return e != OK ? e : answer(rq, id);
}

static enum err
correction_event(struct req *rq)
{
	const struct correction_in	*in = rq->in;

	return fire(rq, in->id, desk_events[in->event], in->reason);
}

static enum err
correction_withdraw(struct req *rq)
{
	return fire(rq, ((const struct correction_in *)rq->in)->id,
	    "withdraw", NULL);
}

static enum err
correction_timeline(struct req *rq)
{
	return flow_timeline(rq, &correction_flow,
	    ((const struct correction_in *)rq->in)->id);
}

static const struct route correction_routes[] = {
	{ POST, "/api/v1/me/corrections", ROLE_RESIDENT,
	    &correction_new_shape,
	    REPLY_ONE, &correction_view, 201, POOL_API, TX_WRITE,
	    correction_ask, "Ask to have my record put right" },
	{ GET, "/api/v1/me/corrections", ROLE_RESIDENT,
	    &correction_page_shape,
	    REPLY_LIST, &correction_view, 200, POOL_API, TX_READ,
	    correction_mine, "What I asked for, newest first" },
	{ DELETE, "/api/v1/me/corrections/{id}", ROLE_RESIDENT,
	    &correction_id_shape,
	    REPLY_ONE, &correction_view, 200, POOL_API, TX_WRITE,
	    correction_withdraw, "Take it back" },
	{ GET, "/api/v1/corrections", DESK, &correction_page_shape,
	    REPLY_LIST, &correction_view, 200, POOL_API, TX_READ,
	    correction_desk, "Those that wait, oldest first" },
	{ GET, "/api/v1/corrections/{id}", DESK, &correction_id_shape,
	    REPLY_ONE, &correction_case_view, 200, POOL_API, TX_WRITE,
	    correction_look, "One with what is right; the look is kept" },
	{ GET, "/api/v1/corrections/{id}/timeline", DESK | ROLE_RESIDENT,
	    &correction_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    correction_timeline, "Every step" },
	{ POST, "/api/v1/corrections/{id}/{event}", DESK,
	    &correction_event_shape,
	    REPLY_ONE, &correction_view, 200, POOL_API, TX_WRITE,
	    correction_event, "Put right, or refused with a reason" },
	{ 0 }
};

void
correction_register(void)
{
	db_register(correct_sql, CORRECT_SQL_MAX);
	flow_register(&correction_flow);
	route_register("corrections", correction_routes);
}
