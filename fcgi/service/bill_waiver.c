/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_waiver.c -- late fee or principal let go, by two persons.
 *
 * One of the payee's asks, with the reason; another of theirs agrees.
 * Nobody agrees to what they asked for themselves (the table refuses too).
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill_internal.h"

#define AT_ONCE		500	/* ended in one round of an undo */
#define PAGE		"pages/bill/waiver?id="
#define TO_DO		"order_todo"
#define PROGRESS	"order_progress"
#define LIFE		(14 * CLOCK_DAY)

static const char *const waiver_states[] = { "asked", "agreed", "refused",
    "withdrawn", "lapsed", "void", NULL };
static const char *const waiver_events[] = { "agree", "refuse", "withdraw",
    NULL };
static const char *const waiver_whats[] = { "late", "principal", NULL };

struct waiver_event_in {
	int64_t		 id;
	int64_t		 event;
	const char	*reason;
};

static const struct field waiver_event_in_fields[] = {
	F_ID(waiver_event_in, id, "减免", MUST),
	F_ENUM(waiver_event_in, event, "操作", MUST, waiver_events),
	F_TEXT(waiver_event_in, reason, "说明", MAY, 1, 300),
	F_END
};
static const struct shape waiver_event_shape =
    SHAPE(waiver_event_in, "BillWaiverEvent");

struct waiver_new {
	int64_t		 id;
	int64_t		 what;
	int64_t		 amount_fen;
	const char	*reason;
};

static const struct field waiver_new_fields[] = {
	F_ID(waiver_new, id, "账单", MUST),
	F_ENUM(waiver_new, what, "减免内容", MUST, waiver_whats),
	{ .kind = FIELD_INT, .name = "amount_fen",
	    .offset = offsetof(struct waiver_new, amount_fen), .min = 1,
	    .max = MONEY_MAX, .label = "金额（分）",
	    .about = "all of it when absent; late: also what comes later" },
	F_TEXT(waiver_new, reason, "理由", MUST, 2, 300),
	F_END
};
static const struct shape waiver_new_shape =
    SHAPE(waiver_new, "BillWaiverNew");

struct waiver_query {
	int64_t		 id;
	int64_t		 limit, after;
};

static const struct field waiver_query_fields[] = {
	F_ID(waiver_query, id, "收费单位", MUST),
	F_PAGE(waiver_query),
	F_END
};
static const struct shape waiver_query_shape =
    SHAPE(waiver_query, "BillWaiverQuery");

struct waiver {
	int64_t		 id;
	int64_t		 bill_id;
	const char	*state;
	const char	*title;
	const char	*what;
	int64_t		 amount_fen;
	const char	*reason;
	const char	*asked_by, *agreed_by;
	int64_t		 deadline_at, created_at;
	int64_t		 owner_id;
	const char	*duty;
};

static void
waiver_label(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, flow_label(&bill_waiver_flow,
	    ((const struct waiver *)row)->state));
}

/* Who asked does not agree as well. */
static void
waiver_can(struct json *j, const struct req *rq, const void *row)
{
	const struct waiver	*w = row;
	uint64_t		 mask = flow_mask(rq, w->owner_id, 0, w->duty);

	if (mask & REL_OWNER)
		mask &= ~REL_ORG;
	flow_can(j, &bill_waiver_flow, w->state, mask);
}

static const struct view_column waiver_columns[] = {
	C_ID(waiver, id),
	C_ID(waiver, bill_id),
	C_CODE(waiver, state, waiver_states),
	C_TEXT(waiver, title),
	C_CODE(waiver, what, waiver_whats),
	C_FEN(waiver, amount_fen, .flags = VIEW_NULL, .about = "null: all"),
	C_TEXT(waiver, reason),
	C_TEXT(waiver, asked_by),
	C_TEXT(waiver, agreed_by, .flags = VIEW_NULL),
	C_TIME(waiver, deadline_at, .flags = VIEW_NULL),
	C_TIME(waiver, created_at),
	C_ID(waiver, owner_id, .flags = VIEW_HIDDEN),
	C_TEXT(waiver, duty, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_CALC("state_label", SHAPE_TEXT, waiver_label),
	C_CALC("can", SHAPE_CODES, waiver_can, .names = waiver_events),
	C_END
};
static const struct view waiver_view = VIEW(waiver, "BillWaiver");

struct waiver_facts {
	int64_t		 bill_id;
	const char	*what;
	int64_t		 amount_fen;	/* 0: all */
};

static const struct view_column waiver_facts_columns[] = {
	C_ID(waiver_facts, bill_id),
	C_TEXT(waiver_facts, what),
	C_FEN(waiver_facts, amount_fen),
	C_END
};
static const struct view waiver_facts_view =
    VIEW(waiver_facts, "BillWaiverFacts");

#define WAIVER_SELECT							\
	"SELECT t.id, t.bill_id, t.state, t.title, t.what, t.amount_fen," \
	" t.reason, u.name AS asked_by, a.name AS agreed_by,"		\
	" t.deadline_at, t.created_at, t.owner_id, s.duty"		\
	" FROM bill_waiver t JOIN app_user u ON u.id = t.owner_id"	\
	" LEFT JOIN app_user a ON a.id = t.agreed_by"			\
	" LEFT JOIN org_staff s ON s.community_id = t.community_id"	\
	" AND s.org_id = t.org_id AND s.user_id = $2"			\
	" WHERE t.community_id = $1"

enum { WAI_ADD, WAI_GET, WAI_LIST, WAI_FACTS, WAI_AGREED, WAI_LATE,
	WAI_NO_LATE, WAI_OPEN, WAI_SQL_MAX };

static struct stmt waiver_sql[] = {
	[WAI_ADD] = { RW, 11, NULL,
	    "INSERT INTO bill_waiver (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, bill_id, what, amount_fen, reason) VALUES ($1, $2,"
	    " 'asked', 1, 0, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)",
	    NULL, 0 },
	[WAI_GET] = { RO, 3, &waiver_view,
	    WAIVER_SELECT " AND t.id = $3", NULL, 0 },
	[WAI_LIST] = { RO, 5, &waiver_view,
	    WAIVER_SELECT " AND t.org_id = $3"
	    " AND (CAST($4 AS BIGINT) = 0 OR t.id < $4)"
	    " ORDER BY t.id DESC LIMIT $5", NULL, 0 },
	[WAI_FACTS] = { RO, 2, &waiver_facts_view,
	    "SELECT bill_id, what, amount_fen FROM bill_waiver"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[WAI_AGREED] = { RW, 3, NULL,
	    "UPDATE bill_waiver SET agreed_by = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[WAI_LATE] = { RW, 3, NULL,
	    "UPDATE bill SET late_waived_fen = late_waived_fen + $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[WAI_NO_LATE] = { RW, 2, NULL,
	    "UPDATE bill SET late_rate = 0 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[WAI_OPEN] = { RO, 2, &waiver_facts_view,
	    "SELECT w.id AS bill_id, w.what, w.amount_fen FROM bill b"
	    " JOIN bill_waiver w ON w.community_id = b.community_id"
	    " AND w.bill_id = b.id AND w.state = 'asked'"
	    " WHERE b.community_id = $1 AND b.batch_id = $2"
	    " ORDER BY w.id LIMIT 500", NULL, 0 },
};

/* ---- hooks ---- */

static enum err
take(struct req *rq, const struct flow_step *st, struct waiver_facts *w,
    struct bill_core *b)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &waiver_sql[WAI_FACTS],
	    WITH(V(rq->who.community_id), V(st->thing.id)), w);
	return e != OK ? e : bill_take(rq, w->bill_id, b);
}

static bool
is_open(const struct bill_core *b)
{
	return strcmp(b->state, "open") == 0 ||
	    strcmp(b->state, "disputed") == 0;
}

static enum err
before_agree(struct req *rq, struct flow_step *st)
{
	struct waiver_facts	w;
	struct bill_core	b;
	enum err		e;

	if (st->thing.owner_id == req_caller(rq))
		return req_fail(rq, ERR_FORBIDDEN,
		    "减免需要两个人：请让另一位同事来同意。");
	if ((e = take(rq, st, &w, &b)) != OK ||
	    (e = bill_not_paying(rq, &b)) != OK)
		return e;
	if (!is_open(&b) || b.open_fen == 0)
		return req_fail(rq, ERR_STATE,
		    "这张账单已经没有可以减免的金额。");
	if (strcmp(w.what, "principal") == 0 && w.amount_fen > b.open_fen)
		return req_fail(rq, ERR_STATE,
		    "申请减免的金额多于现在未缴的金额，请重新申请。");
	return OK;
}

static enum err
after_agree(struct req *rq, struct flow_step *st)
{
	int64_t			community = rq->who.community_id;
	struct waiver_facts	w;
	struct bill_core	b;
	enum err		e;

	if ((e = take(rq, st, &w, &b)) != OK)
		return e;
	e = db_run(rq->db, &waiver_sql[WAI_AGREED], WITH(V(community),
	    V(st->thing.id), V(req_caller(rq))), NULL);
	if (e != OK)
		return e;
	if (strcmp(w.what, "principal") == 0) {
		e = bill_cut(rq, b.id, 0, w.amount_fen != 0 ?
		    w.amount_fen : b.open_fen);
		return e != OK ? e : bill_settle(rq, b.id);
	}
	if (w.amount_fen == 0)
		return db_run(rq->db, &waiver_sql[WAI_NO_LATE],
		    WITH(V(community), V(b.id)), NULL);
	return db_run(rq->db, &waiver_sql[WAI_LATE], WITH(V(community),
	    V(b.id), V(w.amount_fen)), NULL);
}

static enum err
before_refuse(struct req *rq, struct flow_step *st)
{
	const struct waiver_event_in	*in = st->in;

	(void)rq;
	st->note = in->reason;
	return OK;
}

static const struct flow_state states[] = {
	{ "asked", "待同意", false, "lapse", 0, NULL, NULL },
	{ "agreed", "已减免", true, NULL, 0, NULL, NULL },
	{ "refused", "未同意", true, NULL, 0, NULL, NULL },
	{ "withdrawn", "已撤回", true, NULL, 0, NULL, NULL },
	{ "lapsed", "已过期", true, NULL, 0, NULL, NULL },
	{ "void", "已作废", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move moves[] = {
	{ NULL, "ask", "asked", REL_OWNER, LIFE, "申请减免", NULL, NULL,
	    { { TELL_ORG, TO_DO, "有减免申请，请另一人审核" } } },
	{ "asked", "agree", "agreed", REL_ORG, FLOW_NONE, "同意减免",
	    before_agree, after_agree,
	    { { TELL_OWNER, PROGRESS, "减免已同意" } } },
	{ "asked", "refuse", "refused", REL_ORG, FLOW_NONE, "不同意",
	    before_refuse, NULL,
	    { { TELL_OWNER, PROGRESS, "减免未同意，请查看说明" } } },
	{ "asked", "withdraw", "withdrawn", REL_OWNER, FLOW_NONE,
	    "撤回申请", NULL, NULL, { { 0 } } },
	{ "asked", "lapse", "lapsed", REL_SYSTEM, FLOW_NONE, "无人审核",
	    NULL, NULL, { { TELL_OWNER, PROGRESS, "减免申请无人审核已过期" } } },
	{ "asked", "void", "void", REL_SYSTEM, FLOW_NONE, "账单已撤回",
	    NULL, NULL, { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

static struct stmt flow_statements[] = {
	FLOW_SQL("bill_waiver")
};

const struct flow bill_waiver_flow = {
	.name = "bill_waiver",
	.label = "账单减免",
	.page = PAGE,
	.states = states,
	.moves = moves,
	.sql = flow_statements,
};

/* ---- handlers ---- */

static enum err
answer(struct req *rq, int64_t id)
{
	struct waiver	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &waiver_sql[WAI_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
waiver_add(struct req *rq)
{
	const struct waiver_new	*in = rq->in;
	struct flow_thing	 t = { .id = id_new(), .state = "asked",
	    .community_id = rq->who.community_id,
	    .owner_id = rq->who.user_id };
	struct bill_core	 b;
	enum err		 e;

	if ((e = bill_take(rq, in->id, &b)) != OK)
		return e;
	if (!b.staff)
		return ERR_ABSENT;
	if (!is_open(&b) || b.open_fen == 0)
		return req_fail(rq, ERR_STATE,
		    "这张账单已经没有可以减免的金额。");
	if (in->what == 1 && in->amount_fen > b.open_fen)
		return req_field(rq, "amount_fen", "too_large",
		    "减免的金额不能多于现在未缴的金额。");
	t.org_id = b.payee_id;
	t.title = bill_title(rq, &b);
	e = db_run(rq->db, &waiver_sql[WAI_ADD], WITH(V(t.community_id),
	    V(t.id), V(rq->now + LIFE), V(t.owner_id), V(t.org_id),
	    V(t.title), V(rq->now), V(in->id), V(waiver_whats[in->what]),
	    in->amount_fen != 0 ? V(in->amount_fen) : VNULL, V(in->reason)),
	    NULL);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "这张账单已有减免申请在等待审核。");
	if (e != OK ||
	    (e = flow_start(rq, &bill_waiver_flow, "ask", &t)) != OK)
		return e;
	audit_thing(rq, "bill", in->id);
	return answer(rq, t.id);
}

static enum err
waiver_event(struct req *rq)
{
	const struct waiver_event_in	*in = rq->in;
	enum err			 e;

	audit_thing(rq, "bill_waiver", in->id);
	e = flow_fire(rq, &bill_waiver_flow, in->id,
	    waiver_events[in->event], in, NULL);
	return e != OK ? e : answer(rq, in->id);
}

static enum err
waiver_list(struct req *rq)
{
	const struct waiver_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct payee			 payee;
	enum err			 e;

	if ((e = payee_mine(rq, in->id, &payee)) != OK)
		return e;
	return req_list(rq, &waiver_sql[WAI_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(in->after), V(limit + 1)), limit);
}

enum err
bill_waiver_void(struct req *rq, int64_t batch_id)
{
	struct waiver_facts	all[AT_ONCE];
	struct rows		rows;
	enum err		e;
	int			i, n;

	/* What is ended is not found again. */
	do {
		e = db_query(rq->db, &waiver_sql[WAI_OPEN],
		    WITH(V(rq->who.community_id), V(batch_id)), &rows);
		if (e != OK)
			return e;
		for (n = 0; n < AT_ONCE && db_each(&rows, &all[n]);)
			n++;
		e = db_end(&rows);
		for (i = 0; e == OK && i < n; i++)
			e = flow_system(rq, &bill_waiver_flow, all[i].bill_id,
			    "void", NULL);
	} while (e == OK && n == AT_ONCE);
	return e;
}

static const struct route waiver_routes[] = {
	{ POST, "/api/v1/bills/{id}/waivers", BILL_STAFF_ROLES,
	    &waiver_new_shape,
	    REPLY_ONE, &waiver_view, 201, POOL_API, TX_WRITE,
	    waiver_add, "Ask to let go of late fee or principal" },
	{ GET, "/api/v1/payees/{id}/waivers", BILL_STAFF_ROLES,
	    &waiver_query_shape,
	    REPLY_LIST, &waiver_view, 200, POOL_API, TX_READ,
	    waiver_list, "Waivers of my payee, newest first" },
	{ POST, "/api/v1/bill-waivers/{id}/{event}", BILL_STAFF_ROLES,
	    &waiver_event_shape,
	    REPLY_ONE, &waiver_view, 200, POOL_API, TX_WRITE,
	    waiver_event, "Agree (another person), refuse or withdraw" },
	{ 0 }
};

void
bill_waiver_register(void)
{
	db_register(waiver_sql, WAI_SQL_MAX);
	flow_register(&bill_waiver_flow);
	route_register("bills", waiver_routes);
}
