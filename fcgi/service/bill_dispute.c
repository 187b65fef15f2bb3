/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_dispute.c -- a resident doubts a line of a bill, or all of it.
 *
 * What is doubted is not due and bears no late fee until the payee has
 * answered; the rest of the bill goes on.  Upheld, the amount becomes what
 * the payee then says; refused, it is due as before.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill_internal.h"

#define AT_ONCE		500	/* ended in one round of an undo */
#define PAGE		"pages/bill/dispute?id="
#define TO_DO		"order_todo"
#define PROGRESS	"order_progress"
#define DAYS		(7 * CLOCK_DAY)
#define TIMES		3	/* that one line may be doubted */

static const char *const dispute_states[] = { "asked", "upheld", "refused",
    "withdrawn", "void", NULL };
static const char *const dispute_events[] = { "uphold", "refuse",
    "withdraw", NULL };

struct dispute_event_in {
	int64_t		 id;
	int64_t		 event;
	const char	*answer;
	int64_t		 amount_fen;
};

static const struct field dispute_event_in_fields[] = {
	F_ID(dispute_event_in, id, "异议", MUST),
	F_ENUM(dispute_event_in, event, "操作", MUST, dispute_events),
	F_TEXT(dispute_event_in, answer, "答复", MAY, 1, 300),
	F_INT(dispute_event_in, amount_fen, "更正后的金额（分）", MAY, 0,
	    MONEY_MAX),
	F_END
};
static const struct shape dispute_event_shape =
    SHAPE(dispute_event_in, "BillDisputeEvent");

struct dispute_new {
	int64_t		 id;
	int64_t		 line;
	const char	*reason;
};

static const struct field dispute_new_fields[] = {
	F_ID(dispute_new, id, "账单", MUST),
	F_INT(dispute_new, line, "账单项目", MAY, 1, BILL_LINES),
	F_TEXT(dispute_new, reason, "理由", MUST, 2, 300),
	F_END
};
static const struct shape dispute_new_shape =
    SHAPE(dispute_new, "BillDisputeNew");

struct dispute_query {
	int64_t		 payee_id;
	int64_t		 limit, after;
};

static const struct field dispute_query_fields[] = {
	F_ID(dispute_query, payee_id, "收费单位", MAY),
	F_PAGE(dispute_query),
	F_END
};
static const struct shape dispute_query_shape =
    SHAPE(dispute_query, "BillDisputeQuery");

struct dispute_id {
	int64_t		 id;
};

static const struct field dispute_id_fields[] = {
	F_ID(dispute_id, id, "异议", MUST),
	F_END
};
static const struct shape dispute_id_shape =
    SHAPE(dispute_id, "BillDisputeId");

struct dispute {
	int64_t		 id;
	int64_t		 bill_id;
	const char	*state;
	const char	*title;
	int64_t		 seq;
	const char	*reason, *answer;
	int64_t		 was_fen, now_fen;
	int64_t		 urged, deadline_at, created_at;
	int64_t		 owner_id;
	const char	*duty;
};

static void
dispute_label(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, flow_label(&bill_dispute_flow,
	    ((const struct dispute *)row)->state));
}

static void
dispute_can(struct json *j, const struct req *rq, const void *row)
{
	const struct dispute	*d = row;

	flow_can(j, &bill_dispute_flow, d->state,
	    flow_mask(rq, d->owner_id, 0, d->duty));
}

static const struct view_column dispute_columns[] = {
	C_ID(dispute, id),
	C_ID(dispute, bill_id),
	C_CODE(dispute, state, dispute_states),
	C_TEXT(dispute, title),
	C_INT(dispute, seq, .about = "of the line; 0: all"),
	C_TEXT(dispute, reason),
	C_TEXT(dispute, answer, .flags = VIEW_NULL),
	C_FEN(dispute, was_fen),
	C_FEN(dispute, now_fen, .flags = VIEW_NULL),
	C_INT(dispute, urged),
	C_TIME(dispute, deadline_at, .flags = VIEW_NULL),
	C_TIME(dispute, created_at),
	C_ID(dispute, owner_id, .flags = VIEW_HIDDEN),
	C_TEXT(dispute, duty, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_CALC("state_label", SHAPE_TEXT, dispute_label),
	C_CALC("can", SHAPE_CODES, dispute_can, .names = dispute_events),
	C_END
};
static const struct view dispute_view = VIEW(dispute, "BillDispute");

/* What is being doubted, and how often it was. */
struct dispute_facts {
	int64_t		 n, fen, times;
};

static const struct view_column dispute_facts_columns[] = {
	C_INT(dispute_facts, n),
	C_FEN(dispute_facts, fen),
	C_INT(dispute_facts, times),
	C_END
};
static const struct view dispute_facts_view =
    VIEW(dispute_facts, "BillDisputeFacts");

struct dispute_bill {
	int64_t		 bill_id;
	int64_t		 was_fen;
};

static const struct view_column dispute_bill_columns[] = {
	C_ID(dispute_bill, bill_id),
	C_FEN(dispute_bill, was_fen),
	C_END
};
static const struct view dispute_bill_view =
    VIEW(dispute_bill, "BillDisputeOf");

struct cut_line {
	int64_t		 seq;
	int64_t		 amount_fen;
};

static const struct view_column cut_line_columns[] = {
	C_INT(cut_line, seq),
	C_FEN(cut_line, amount_fen),
	C_END
};
static const struct view cut_line_view = VIEW(cut_line, "BillCutLine");

#define DISPUTE_SELECT							\
	"SELECT t.id, t.bill_id, t.state, t.title, t.seq, t.reason,"	\
	" t.answer, t.was_fen, t.now_fen, t.urged, t.deadline_at,"	\
	" t.created_at, t.owner_id, s.duty FROM bill_dispute t"		\
	" LEFT JOIN org_staff s ON s.community_id = t.community_id"	\
	" AND s.org_id = t.org_id AND s.user_id = $2"			\
	" WHERE t.community_id = $1"

#define DISPUTE_PAGE(after, limit)					\
	" AND (CAST(" after " AS BIGINT) = 0 OR t.id < " after ")"	\
	" ORDER BY t.id DESC LIMIT " limit

enum { DIS_FACTS, DIS_ADD, DIS_MARK, DIS_GET, DIS_MINE, DIS_PAYEE,
	DIS_BILL, DIS_ANSWER, DIS_FREE, DIS_CUT_LINES, DIS_CUT, DIS_OPEN,
	DIS_SQL_MAX };

static struct stmt dispute_sql[] = {
	[DIS_FACTS] = { RO, 3, &dispute_facts_view,
	    "SELECT COUNT(*) AS n, COALESCE(CAST(SUM(amount_fen) AS BIGINT),"
	    " 0) AS fen, (SELECT COUNT(*) FROM bill_dispute d"
	    " WHERE d.community_id = $1 AND d.bill_id = $2"
	    " AND (d.seq = $3 OR d.seq = 0)) AS times FROM bill_line"
	    " WHERE community_id = $1 AND bill_id = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR seq = $3)"
	    " AND payment_id IS NULL AND dispute_id IS NULL"
	    " AND amount_fen > 0", NULL, 0 },
	[DIS_ADD] = { RW, 11, NULL,
	    "INSERT INTO bill_dispute (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, bill_id, seq, reason, was_fen) VALUES ($1, $2,"
	    " 'asked', 1, 0, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)",
	    NULL, 0 },
	[DIS_MARK] = { RW, 5, NULL,
	    "UPDATE bill_line SET dispute_id = $3, disputed_day = $4"
	    " WHERE community_id = $1 AND bill_id = $2"
	    " AND (CAST($5 AS BIGINT) = 0 OR seq = $5)"
	    " AND payment_id IS NULL AND dispute_id IS NULL"
	    " AND amount_fen > 0", NULL, 0 },
	[DIS_GET] = { RO, 3, &dispute_view,
	    DISPUTE_SELECT " AND t.id = $3", NULL, 0 },
	[DIS_MINE] = { RO, 4, &dispute_view,
	    DISPUTE_SELECT " AND t.owner_id = $2" DISPUTE_PAGE("$3", "$4"),
	    NULL, 0 },
	[DIS_PAYEE] = { RO, 5, &dispute_view,
	    DISPUTE_SELECT " AND t.org_id = $5" DISPUTE_PAGE("$3", "$4"),
	    NULL, 0 },
	[DIS_BILL] = { RO, 2, &dispute_bill_view,
	    "SELECT bill_id, was_fen FROM bill_dispute"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[DIS_ANSWER] = { RW, 5, NULL,
	    "UPDATE bill_dispute SET answer = $3, answered_by = $4,"
	    " now_fen = $5 WHERE community_id = $1 AND id = $2", NULL, 0 },
	/* The days between bear no fee, as far as it was late. */
	[DIS_FREE] = { RW, 4, NULL,
	    "UPDATE bill_line SET dispute_id = NULL, disputed_day = NULL,"
	    " frozen_days = frozen_days + (SELECT CASE"
	    " WHEN b.due_day >= $4 THEN 0 WHEN b.due_day >"
	    " bill_line.disputed_day THEN $4 - b.due_day"
	    " ELSE $4 - bill_line.disputed_day END FROM bill b"
	    " WHERE b.community_id = bill_line.community_id"
	    " AND b.id = bill_line.bill_id)"
	    " WHERE community_id = $1 AND bill_id = $2 AND dispute_id = $3",
	    NULL, 0 },
	[DIS_CUT_LINES] = { RO, 3, &cut_line_view,
	    "SELECT seq, amount_fen FROM bill_line WHERE community_id = $1"
	    " AND bill_id = $2 AND payment_id IS NULL"
	    " AND COALESCE(dispute_id, 0) = $3 AND amount_fen > 0"
	    " ORDER BY seq DESC LIMIT 20", NULL, 0 },
	[DIS_CUT] = { RW, 4, NULL,
	    "UPDATE bill_line SET amount_fen = amount_fen - $4"
	    " WHERE community_id = $1 AND bill_id = $2 AND seq = $3",
	    NULL, 0 },
	[DIS_OPEN] = { RO, 2, &dispute_bill_view,
	    "SELECT d.id AS bill_id, d.was_fen FROM bill b"
	    " JOIN bill_dispute d ON d.community_id = b.community_id"
	    " AND d.bill_id = b.id AND d.state = 'asked'"
	    " WHERE b.community_id = $1 AND b.batch_id = $2"
	    " ORDER BY d.id LIMIT 500", NULL, 0 },
};

enum err
bill_cut(struct req *rq, int64_t bill_id, int64_t dispute_id, int64_t fen)
{
	struct cut_line	lines[BILL_LINES];
	struct rows	rows;
	enum err	e;
	int64_t		part;
	int		i, n = 0;

	e = db_query(rq->db, &dispute_sql[DIS_CUT_LINES],
	    WITH(V(rq->who.community_id), V(bill_id), V(dispute_id)), &rows);
	if (e != OK)
		return e;
	while (n < BILL_LINES && db_each(&rows, &lines[n]))
		n++;
	if ((e = db_end(&rows)) != OK)
		return e;
	for (i = 0; e == OK && i < n && fen > 0; i++) {
		part = lines[i].amount_fen < fen ? lines[i].amount_fen : fen;
		fen -= part;
		e = db_run(rq->db, &dispute_sql[DIS_CUT],
		    WITH(V(rq->who.community_id), V(bill_id),
		    V(lines[i].seq), V(part)), NULL);
	}
	return e != OK ? e : fen == 0 ? OK : ERR_STATE;
}

/* ---- hooks ---- */

static enum err
of_bill(struct req *rq, const struct flow_step *st, struct dispute_bill *ret)
{
	return db_one(rq->db, rq->arena, &dispute_sql[DIS_BILL],
	    WITH(V(rq->who.community_id), V(st->thing.id)), ret);
}

/* The lines are due again, and the bill stands as they do. */
static enum err
release(struct req *rq, const struct flow_step *st)
{
	struct dispute_bill	of;
	enum err		e;

	if ((e = of_bill(rq, st, &of)) != OK)
		return e;
	e = db_run(rq->db, &dispute_sql[DIS_FREE],
	    WITH(V(rq->who.community_id), V(of.bill_id), V(st->thing.id),
	    V(bill_day(rq->now))), NULL);
	return e != OK ? e : bill_settle(rq, of.bill_id);
}

static enum err
before_answer(struct req *rq, struct flow_step *st)
{
	const struct dispute_event_in	*in = st->in;
	struct dispute_bill		 of;
	struct bill_core		 b;
	enum err			 e;

	if (!bill_is_staff(rq))
		return ERR_FORBIDDEN;
	if (in->answer == NULL)
		return req_field(rq, "answer", "required",
		    "请写明处理结果，住户会看到。");
	st->note = in->answer;
	if ((e = of_bill(rq, st, &of)) != OK ||
	    (e = bill_take(rq, of.bill_id, &b)) != OK)
		return e;
	if (strcmp(st->move->event, "uphold") != 0)
		return OK;
	if (!field_given(rq, "amount_fen"))
		return req_field(rq, "amount_fen", "required",
		    "请填写更正后的金额。");
	if (in->amount_fen >= of.was_fen)
		return req_field(rq, "amount_fen", "too_large",
		    "更正后的金额应小于原来的金额，不变请选择不予更正。");
	return OK;
}

static enum err
after_uphold(struct req *rq, struct flow_step *st)
{
	const struct dispute_event_in	*in = st->in;
	struct dispute_bill		 of;
	enum err			 e;

	if ((e = of_bill(rq, st, &of)) != OK)
		return e;
	e = bill_cut(rq, of.bill_id, st->thing.id,
	    of.was_fen - in->amount_fen);
	if (e == OK)
		e = db_run(rq->db, &dispute_sql[DIS_ANSWER],
		    WITH(V(rq->who.community_id), V(st->thing.id),
		    V(in->answer), V(req_caller(rq)), V(in->amount_fen)),
		    NULL);
	return e != OK ? e : release(rq, st);
}

static enum err
after_refuse(struct req *rq, struct flow_step *st)
{
	const struct dispute_event_in	*in = st->in;
	enum err			 e;

	e = db_run(rq->db, &dispute_sql[DIS_ANSWER],
	    WITH(V(rq->who.community_id), V(st->thing.id), V(in->answer),
	    V(req_caller(rq)), VNULL), NULL);
	return e != OK ? e : release(rq, st);
}

static enum err
after_withdraw(struct req *rq, struct flow_step *st)
{
	struct dispute_bill	of;
	struct bill_core	b;
	enum err		e;

	if ((e = of_bill(rq, st, &of)) != OK ||
	    (e = bill_take(rq, of.bill_id, &b)) != OK)
		return e;
	return release(rq, st);
}

static const struct flow_state states[] = {
	{ "asked", "处理中", false, "remind", 0, NULL, NULL },
	{ "upheld", "已更正", true, NULL, 0, NULL, NULL },
	{ "refused", "未更正", true, NULL, 0, NULL, NULL },
	{ "withdrawn", "已撤回", true, NULL, 0, NULL, NULL },
	{ "void", "已作废", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move moves[] = {
	{ NULL, "ask", "asked", REL_OWNER, DAYS, "提出异议", NULL, NULL,
	    { { TELL_ORG, TO_DO, "住户对账单有异议，请核实" } } },
	{ "asked", "remind", "asked", REL_SYSTEM, DAYS, "催办", NULL, NULL,
	    { { TELL_ORG, TO_DO, "异议已超期，请尽快答复" },
	    { TELL_ADMINS, TO_DO, "账单异议超期未答复" } } },
	{ "asked", "uphold", "upheld", REL_ORG, FLOW_NONE, "更正金额",
	    before_answer, after_uphold,
	    { { TELL_OWNER, PROGRESS, "金额已更正，请查看账单" } } },
	{ "asked", "refuse", "refused", REL_ORG, FLOW_NONE, "核实无误",
	    before_answer, after_refuse,
	    { { TELL_OWNER, PROGRESS, "已核实并答复，请查看" } } },
	{ "asked", "withdraw", "withdrawn", REL_OWNER, FLOW_NONE,
	    "撤回异议", NULL, after_withdraw, { { 0 } } },
	{ "asked", "void", "void", REL_SYSTEM, FLOW_NONE, "账单已撤回",
	    NULL, NULL, { { TELL_OWNER, PROGRESS, "账单已撤回，不用缴纳" } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

static struct stmt flow_statements[] = {
	FLOW_SQL("bill_dispute")
};

const struct flow bill_dispute_flow = {
	.name = "bill_dispute",
	.label = "账单异议",
	.page = PAGE,
	.states = states,
	.moves = moves,
	.sql = flow_statements,
};

/* ---- handlers ---- */

static enum err
answer(struct req *rq, int64_t id)
{
	struct dispute	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &dispute_sql[DIS_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
check_new(struct req *rq, const struct bill_core *b,
    const struct dispute_new *in, struct dispute_facts *f)
{
	enum err	e;

	if (!b->bound)
		return ERR_ABSENT;
	if ((e = bill_not_paying(rq, b)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &dispute_sql[DIS_FACTS],
	    WITH(V(rq->who.community_id), V(in->id), V(in->line)), f);
	if (e != OK)
		return e;
	if (f->n == 0)
		return req_fail(rq, ERR_STATE, in->line != 0 ?
		    "没有这个项目，或者它已经缴清、正在处理异议。" :
		    "这张账单没有可以提出异议的项目。");
	if (f->times >= TIMES)
		return req_fail(rq, ERR_STATE, "同一项目已提过多次异议，请直接"
		    "与收费单位联系，也可以请社区帮助协调。");
	return OK;
}

static enum err
dispute_add(struct req *rq)
{
	const struct dispute_new *in = rq->in;
	struct flow_thing	 t = { .id = id_new(), .state = "asked",
	    .community_id = rq->who.community_id,
	    .owner_id = rq->who.user_id };
	struct dispute_facts	 f;
	struct bill_core	 b;
	enum err		 e;

	if ((e = bill_take(rq, in->id, &b)) != OK ||
	    (e = check_new(rq, &b, in, &f)) != OK)
		return e;
	t.org_id = b.payee_id;
	t.title = bill_title(rq, &b);
	e = db_run(rq->db, &dispute_sql[DIS_ADD], WITH(V(t.community_id),
	    V(t.id), V(rq->now + DAYS), V(t.owner_id), V(t.org_id),
	    V(t.title), V(rq->now), V(in->id), V(in->line), V(in->reason),
	    V(f.fen)), NULL);
	if (e == OK)
		e = db_run(rq->db, &dispute_sql[DIS_MARK],
		    WITH(V(t.community_id), V(in->id), V(t.id),
		    V(bill_day(rq->now)), V(in->line)), NULL);
	if (e != OK || (e = bill_settle(rq, in->id)) != OK ||
	    (e = flow_start(rq, &bill_dispute_flow, "ask", &t)) != OK)
		return e;
	audit_thing(rq, "bill", in->id);
	return answer(rq, t.id);
}

static enum err
dispute_event(struct req *rq)
{
	const struct dispute_event_in	*in = rq->in;
	enum err			 e;

	audit_thing(rq, "bill_dispute", in->id);
	e = flow_fire(rq, &bill_dispute_flow, in->id,
	    dispute_events[in->event], in, NULL);
	return e != OK ? e : answer(rq, in->id);
}

static enum err
dispute_list(struct req *rq)
{
	const struct dispute_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct payee			 payee;
	enum err			 e;

	if (in->payee_id == 0)
		return req_list(rq, &dispute_sql[DIS_MINE],
		    WITH(V(rq->who.community_id), V(rq->who.user_id),
		    V(in->after), V(limit + 1)), limit);
	if ((e = payee_mine(rq, in->payee_id, &payee)) != OK)
		return e;
	return req_list(rq, &dispute_sql[DIS_PAYEE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->after),
	    V(limit + 1), V(in->payee_id)), limit);
}

static enum err
dispute_timeline(struct req *rq)
{
	return flow_timeline(rq, &bill_dispute_flow,
	    ((const struct dispute_id *)rq->in)->id);
}

enum err
bill_dispute_void(struct req *rq, int64_t batch_id)
{
	struct dispute_bill	all[AT_ONCE];
	struct rows		rows;
	enum err		e;
	int			i, n;

	/* What is ended is not found again. */
	do {
		e = db_query(rq->db, &dispute_sql[DIS_OPEN],
		    WITH(V(rq->who.community_id), V(batch_id)), &rows);
		if (e != OK)
			return e;
		for (n = 0; n < AT_ONCE && db_each(&rows, &all[n]);)
			n++;
		e = db_end(&rows);
		for (i = 0; e == OK && i < n; i++)
			e = flow_system(rq, &bill_dispute_flow, all[i].bill_id,
			    "void", NULL);
	} while (e == OK && n == AT_ONCE);
	return e;
}

#define PARTIES	(ROLE_RESIDENT | BILL_STAFF_ROLES | ACT_PAY)

static const struct route dispute_routes[] = {
	{ POST, "/api/v1/bills/{id}/dispute", ROLE_RESIDENT | ACT_PAY,
	    &dispute_new_shape,
	    REPLY_ONE, &dispute_view, 201, POOL_API, TX_WRITE,
	    dispute_add, "Doubt a line, or all; the rest can be paid" },
	{ GET, "/api/v1/bill-disputes", PARTIES, &dispute_query_shape,
	    REPLY_LIST, &dispute_view, 200, POOL_API, TX_READ,
	    dispute_list, "My disputes, or those of my payee" },
	{ GET, "/api/v1/bill-disputes/{id}/timeline", PARTIES,
	    &dispute_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    dispute_timeline, "Every step of a dispute" },
	{ POST, "/api/v1/bill-disputes/{id}/{event}", PARTIES,
	    &dispute_event_shape,
	    REPLY_ONE, &dispute_view, 200, POOL_API, TX_WRITE,
	    dispute_event, "Answer or withdraw a dispute" },
	{ 0 }
};

void
bill_dispute_register(void)
{
	db_register(dispute_sql, DIS_SQL_MAX);
	flow_register(&bill_dispute_flow);
	route_register("bills", dispute_routes);
}
