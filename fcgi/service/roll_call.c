/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_call.c -- one question to every home (联户长点名): started, listed,
 * and how far it has come.
 *
 * The homes asked are those of the day it starts, with the unit and grid
 * they have then; who moves in later was not asked.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "flow/flow.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/roll_call.h"
#include "service/scope.h"
#include "service/service.h"

#define SHORTEST	(10 * CLOCK_MINUTE)
#define LONGEST		(14 * CLOCK_DAY)

/* ---- what it looks like ---- */

struct roll_choice {
	const char	*code;
	const char	*label;
	bool		 alarm;
};

static const struct view_column roll_choice_columns[] = {
	C_TEXT(roll_choice, code),
	C_TEXT(roll_choice, label),
	C_BOOL(roll_choice, alarm, .about = "somebody has to look after it"),
	C_END
};
static const struct view roll_choice_view =
    VIEW(roll_choice, "RollChoice");

static const char *const roll_scopes[] = { "community", "grid", "unit",
    NULL };

struct roll_call {
	int64_t		 id;
	const char	*state;
	const char	*question;
	const char	*choices;
	const char	*scope;
	int64_t		 scope_id;
	int64_t		 homes;
	int64_t		 remind_at;
	int64_t		 closes_at;
	int64_t		 created_at;
	int64_t		 owner_id;
};

static void
call_label(struct json *j, const struct req *rq, const void *row)
{
	const struct roll_call	*c = row;

	(void)rq;
	json_text(j, flow_label(&roll_call_flow, c->state));
}

static void
call_can(struct json *j, const struct req *rq, const void *row)
{
	const struct roll_call	*c = row;

	flow_can(j, &roll_call_flow, c->state,
	    flow_mask(rq, c->owner_id, 0, NULL));
}

static const struct view_column roll_call_columns[] = {
	C_ID(roll_call, id),
	C_CODE(roll_call, state, roll_call_states),
	C_TEXT(roll_call, question),
	C_ARRAY(roll_call, choices, &roll_choice_view),
	C_CODE(roll_call, scope, roll_scopes),
	C_ID(roll_call, scope_id, .flags = VIEW_NULL,
	    .about = "null for the whole community"),
	C_INT(roll_call, homes, .about = "homes that are asked"),
	C_TIME(roll_call, remind_at,
	    .about = "when heads get their silent homes"),
	C_TIME(roll_call, closes_at),
	C_TIME(roll_call, created_at),
	C_ID(roll_call, owner_id, .flags = VIEW_HIDDEN),
	C_CALC("state_label", SHAPE_TEXT, call_label),
	C_CALC("can", SHAPE_CODES, call_can, .names = roll_call_events),
	C_END
};
static const struct view roll_call_view = VIEW(roll_call, "RollCall");

/* How far one unit has come. */
struct roll_unit {
	int64_t		 unit_id;
	const char	*unit;
	int64_t		 grid_id;
	const char	*grid;
	int64_t		 homes;
	int64_t		 answered;
	int64_t		 alarms;
	int64_t		 silent;
};

static const struct view_column roll_unit_columns[] = {
	C_ID(roll_unit, unit_id, .flags = VIEW_NULL,
	    .about = "null: homes in no unit"),
	C_TEXT(roll_unit, unit, .flags = VIEW_NULL),
	C_ID(roll_unit, grid_id, .flags = VIEW_NULL),
	C_TEXT(roll_unit, grid, .flags = VIEW_NULL),
	C_INT(roll_unit, homes),
	C_INT(roll_unit, answered),
	C_INT(roll_unit, alarms),
	C_INT(roll_unit, silent),
	C_END
};
static const struct view roll_unit_view = VIEW(roll_unit, "RollUnit");

/* ---- what comes in ---- */

static const struct field roll_choice_fields[] = {
	F_TEXT(roll_choice, code, "选项代码", MUST, 1, 20),
	F_TEXT(roll_choice, label, "选项", MUST, 1, 12),
	F_BOOL(roll_choice, alarm, "需要关注", MAY),
	F_END
};
static const struct shape roll_choice_shape =
    SHAPE(roll_choice, "RollChoiceNew");

struct roll_new {
	const char		*question;
	struct field_list	 choices;
	int64_t			 scope;
	int64_t			 scope_id;
	int64_t			 closes_at;
	int64_t			 remind_at;
};

static const struct field roll_new_fields[] = {
	F_TEXT(roll_new, question, "问题", MUST, 2, 60),
	F_LIST(roll_new, choices, "选项", MAY, 2, ROLL_CHOICES,
	    &roll_choice_shape),
	F_ENUM(roll_new, scope, "范围", MUST, roll_scopes),
	F_ID(roll_new, scope_id, "网格或十联户", MAY),
	F_TIME(roll_new, closes_at, "截止时间", MUST),
	F_TIME(roll_new, remind_at, "提醒联户长的时间", MAY),
	F_END
};
static const struct shape roll_new_shape = SHAPE(roll_new, "RollCallNew");

struct roll_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field roll_page_fields[] = {
	F_PAGE(roll_page),
	F_END
};
static const struct shape roll_page_shape = SHAPE(roll_page, "RollCallPage");

struct roll_id {
	int64_t		 id;
	int64_t		 event;
};

static const struct field roll_id_fields[] = {
	F_ID(roll_id, id, "点名", MUST),
	F_END
};
static const struct shape roll_id_shape = SHAPE(roll_id, "RollCallId");

static const struct field roll_event_fields[] = {
	F_ID(roll_id, id, "点名", MUST),
	F_ENUM(roll_id, event, "操作", MUST, roll_call_events),
	F_END
};
static const struct shape roll_event_shape = { .name = "RollCallEvent",
	.size = sizeof(struct roll_id), .fields = roll_event_fields };

/* ---- statements ---- */

#define CALL_SELECT							\
	"SELECT id, state, question, choices, scope,"			\
	" NULLIF(scope_id, 0) AS scope_id, homes, remind_at,"		\
	" closes_at, created_at, owner_id FROM roll_call"

enum { CALL_INSERT, CALL_ASK, CALL_HOMES, CALL_GET, CALL_LIST,
	CALL_PROGRESS, CALL_SQL_MAX };

static struct stmt call_sql[] = {
	[CALL_INSERT] = { RW, 12, NULL,
	    "INSERT INTO roll_call (community_id, id, state, version, urged,"
	    " deadline_at, owner_id, org_id, title, created_at, updated_at,"
	    " question, choices, scope, scope_id, homes, remind_at,"
	    " closes_at) VALUES ($1, $2, 'open', 1, 0, $3, $4, 0, $5, $6, $6,"
	    " $7, $8, $9, $10, 0, $11, $12)", NULL, 0 },
	[CALL_ASK] = { RW, 5, NULL,
	    "INSERT INTO roll_home (community_id, roll_call_id, household_id,"
	    " dwelling_id, unit_id, grid_id, place, alarm)"
	    " SELECT h.community_id, CAST($2 AS BIGINT), h.id, h.dwelling_id,"
	    " COALESCE(d.unit_id, 0), COALESCE(g.grid_id, 0), p.full_name, 0"
	    " FROM household h JOIN place p"
	    " ON p.community_id = h.community_id AND p.id = h.dwelling_id"
	    " LEFT JOIN unit_dwelling d ON d.community_id = h.community_id"
	    " AND d.dwelling_id = h.dwelling_id AND d.from_at <= $3"
	    " AND (d.to_at IS NULL OR d.to_at > $3)"
	    " LEFT JOIN unit_grid g ON g.community_id = d.community_id"
	    " AND g.unit_id = d.unit_id AND g.from_at <= $3"
	    " AND (g.to_at IS NULL OR g.to_at > $3)"
	    " WHERE h.community_id = $1 AND h.from_at <= $3"
	    " AND (h.to_at IS NULL OR h.to_at > $3)"
	    " AND (CAST($4 AS TEXT) = 'community'"
	    " OR ($4 = 'grid' AND g.grid_id = $5)"
	    " OR ($4 = 'unit' AND d.unit_id = $5))", NULL, 0 },
	[CALL_HOMES] = { RW, 3, NULL,
	    "UPDATE roll_call SET homes = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[CALL_GET] = { RO, 2, &roll_call_view,
	    CALL_SELECT " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[CALL_LIST] = { RO, 3, &roll_call_view,
	    CALL_SELECT " WHERE community_id = $1"
	    " AND (CAST($2 AS BIGINT) = 0 OR id < $2)"
	    " ORDER BY id DESC LIMIT $3", NULL, 0 },
	[CALL_PROGRESS] = { RO, 5, &roll_unit_view,
	    "SELECT NULLIF(t.unit_id, 0) AS unit_id, u.name AS unit,"
	    " NULLIF(t.grid_id, 0) AS grid_id, g.name AS grid, t.homes,"
	    " t.answered, t.alarms, t.homes - t.answered AS silent"
	    " FROM (SELECT community_id, unit_id, grid_id,"
	    " COUNT(*) AS homes, COUNT(choice) AS answered,"
	    " COUNT(NULLIF(alarm, 0)) AS alarms FROM roll_home"
	    " WHERE community_id = $1 AND roll_call_id = $2"
	    " GROUP BY community_id, unit_id, grid_id) t"
	    " LEFT JOIN unit u ON u.community_id = t.community_id"
	    " AND u.id = t.unit_id"
	    " LEFT JOIN grid g ON g.community_id = t.community_id"
	    " AND g.id = t.grid_id"
	    " WHERE " SCOPE_HAS("$3", "1") " OR EXISTS (SELECT 1 FROM post p"
	    " WHERE p.community_id = t.community_id AND p.user_id = $4"
	    " AND " SCOPE_VALID("p", "$5") " AND ((" SCOPE_HAS("$3", "2")
	    " AND p.role = 'head' AND p.scope = 'unit'"
	    " AND p.scope_id = t.unit_id) OR (" SCOPE_HAS("$3", "4")
	    " AND p.role = 'grid' AND p.scope = 'grid'"
	    " AND p.scope_id = t.grid_id)))"
	    " ORDER BY g.code, u.code, t.unit_id", NULL, 0 },
};

/* ---- starting one ---- */

static const char default_choices[] =
    "[{\"code\":\"ok\",\"label\":\"都好\",\"alarm\":false},"
    "{\"code\":\"water\",\"label\":\"需要送水\",\"alarm\":true},"
    "{\"code\":\"help\",\"label\":\"需要帮助\",\"alarm\":true},"
    "{\"code\":\"away\",\"label\":\"家中无人\",\"alarm\":false}]";

static bool
good_code(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static enum err
check_choices(struct req *rq, const struct roll_new *in)
{
	const struct roll_choice *c = in->choices.items;
	size_t			 i, k;

	for (i = 0; i < in->choices.n; i++) {
		const char *field = arena_fmt(rq->arena,
		    "choices[%zu].code", i);

		if (!good_code(c[i].code))
			return req_field(rq, field, "invalid",
			    "选项代码只能用小写字母、数字和下划线。");
		for (k = 0; k < i; k++)
			if (strcmp(c[i].code, c[k].code) == 0)
				return req_field(rq, field, "twice",
				    "两个选项的代码不能相同。");
	}
	return OK;
}

static const char *
choices_json(struct req *rq, const struct roll_new *in)
{
	const struct roll_choice *c = in->choices.items;
	struct json		 j;
	struct buf		 b;
	const char		*text;
	size_t			 i;

	if (in->choices.n == 0)
		return default_choices;
	buf_init(&b, 4096);
	json_init(&j, &b);
	json_list(&j);
	for (i = 0; i < in->choices.n; i++) {
		json_open(&j);
		json_put_text(&j, "code", c[i].code);
		json_put_text(&j, "label", c[i].label);
		json_put_bool(&j, "alarm", c[i].alarm);
		json_close(&j);
	}
	json_unlist(&j);
	text = arena_copy(rq->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

static enum err
check_times(struct req *rq, struct roll_new *in)
{
	int64_t	life = in->closes_at - rq->now;

	if (life < SHORTEST || life > LONGEST)
		return req_field(rq, "closes_at", "out_of_range",
		    "截止时间请选在 10 分钟以后、14 天以内。");
	if (!field_given(rq, "remind_at"))
		in->remind_at = rq->now + life / 2;
	if (in->remind_at <= rq->now || in->remind_at > in->closes_at)
		return req_field(rq, "remind_at", "out_of_range",
		    "提醒时间请选在现在之后、截止时间之前。");
	return OK;
}

/* Whoever asks may ask those they answer for, and nobody else. */
static enum err
check_scope(struct req *rq, const struct roll_new *in)
{
	const char	*scope = roll_scopes[in->scope];
	enum err	 e;

	if (strcmp(scope, "community") == 0) {
		if (in->scope_id != 0)
			return req_field(rq, "scope_id", "unexpected",
			    "全社区点名不需要选择网格或十联户。");
		return scope_wide(rq) ? OK : req_fail(rq, ERR_FORBIDDEN,
		    "全社区点名由社区工作人员发起，您可以选择自己的网格或十联户。");
	}
	if (in->scope_id == 0)
		return req_field(rq, "scope_id", "required",
		    "请选择网格或十联户。");
	e = strcmp(scope, "grid") == 0 ? scope_grid(rq, in->scope_id) :
	    scope_unit(rq, in->scope_id);
	return e == ERR_ABSENT ? req_field(rq, "scope_id", "not_found",
	    "没有找到这个网格或十联户，或者不由您负责。") : e;
}

static enum err
ask_homes(struct req *rq, const struct roll_new *in, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &call_sql[CALL_ASK],
	    WITH(V(rq->who.community_id), V(id), V(rq->now),
	    V(roll_scopes[in->scope]), V(in->scope_id)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_field(rq, "scope_id", "empty",
		    "这个范围内还没有登记住户，请先导入或登记住户。");
	e = db_run(rq->db, &call_sql[CALL_HOMES],
	    WITH(V(rq->who.community_id), V(id), V(n)), NULL);
	if (e != OK)
		return e;
	return roll_call_tell_homes(rq, id, in->question);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct roll_call	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &call_sql[CALL_GET],
	    WITH(V(rq->who.community_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
call_start(struct req *rq)
{
	struct roll_new		in = *(const struct roll_new *)rq->in;
	struct flow_thing	t = { .id = id_new(), .state = "open",
	    .community_id = rq->who.community_id,
	    .owner_id = rq->who.user_id, .title = in.question };
	enum err		e;

	if ((e = check_times(rq, &in)) != OK ||
	    (e = check_choices(rq, &in)) != OK ||
	    (e = check_scope(rq, &in)) != OK)
		return e;
	e = db_run(rq->db, &call_sql[CALL_INSERT],
	    WITH(V(t.community_id), V(t.id), V(in.remind_at), V(t.owner_id),
	    V(t.title), V(rq->now), V(in.question), V(choices_json(rq, &in)),
	    V(roll_scopes[in.scope]), V(in.scope_id), V(in.remind_at),
	    V(in.closes_at)), NULL);
	if (e != OK || (e = ask_homes(rq, &in, t.id)) != OK ||
	    (e = flow_start(rq, &roll_call_flow, "start", &t)) != OK)
		return e;
	audit_thing(rq, "roll_call", t.id);
	return answer(rq, t.id);
}

/* ---- the rest ---- */

static enum err
call_list(struct req *rq)
{
	const struct roll_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &call_sql[CALL_LIST],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
call_get(struct req *rq)
{
	return answer(rq, ((const struct roll_id *)rq->in)->id);
}

static enum err
call_progress(struct req *rq)
{
	const struct roll_id	*in = rq->in;
	struct roll_call	 row;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &call_sql[CALL_GET],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	return req_list(rq, &call_sql[CALL_PROGRESS],
	    WITH(V(rq->who.community_id), V(in->id), V(scope_bits(rq)),
	    V(rq->who.user_id), V(rq->now)), 0);
}

static enum err
call_timeline(struct req *rq)
{
	return flow_timeline(rq, &roll_call_flow,
	    ((const struct roll_id *)rq->in)->id);
}

static enum err
call_event(struct req *rq)
{
	const struct roll_id	*in = rq->in;
	enum err		 e;

	audit_thing(rq, "roll_call", in->id);
	e = flow_fire(rq, &roll_call_flow, in->id,
	    roll_call_events[in->event], in, NULL);
	return e != OK ? e : answer(rq, in->id);
}

static const struct route roll_call_routes[] = {
	{ POST, "/api/v1/roll-calls", ROLL_STAFF, &roll_new_shape,
	    REPLY_ONE, &roll_call_view, 201, POOL_API, TX_WRITE,
	    call_start, "Ask one question of every home" },
	{ GET, "/api/v1/roll-calls", ROLL_STAFF, &roll_page_shape,
	    REPLY_LIST, &roll_call_view, 200, POOL_API, TX_READ,
	    call_list, "Roll calls of the community, newest first" },
	{ GET, "/api/v1/roll-calls/{id}", ROLL_STAFF, &roll_id_shape,
	    REPLY_ONE, &roll_call_view, 200, POOL_API, TX_READ,
	    call_get, "One roll call" },
	{ GET, "/api/v1/roll-calls/{id}/progress", ROLL_STAFF,
	    &roll_id_shape,
	    REPLY_LIST, &roll_unit_view, 200, POOL_API, TX_READ,
	    call_progress, "Answers by unit, of the caller's part" },
	{ GET, "/api/v1/roll-calls/{id}/timeline", ROLL_STAFF,
	    &roll_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    call_timeline, "Every step of a roll call" },
	{ POST, "/api/v1/roll-calls/{id}/{event}", ROLL_STAFF,
	    &roll_event_shape,
	    REPLY_ONE, &roll_call_view, 200, POOL_API, TX_WRITE,
	    call_event, "Close or cancel a roll call" },
	{ 0 }
};

void
roll_call_register(void)
{
	roll_call_flow_register();
	roll_call_answer_register();
	db_register(call_sql, CALL_SQL_MAX);
	route_register("roll_calls", roll_call_routes);
}
