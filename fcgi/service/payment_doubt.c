/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_doubt.c -- the shelf: money that came and that nothing waits for.
 *
 * A minute after it came, what is still payable at the same amount is
 * booked and the rest goes back; a person may be faster.  Money of an order
 * that we do not know waits for a person until the promised time, and then
 * goes back too.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

#define SETTLE_AFTER	CLOCK_MINUTE
#define SETTLE_US	(60 * 1000000LL)

struct money_doubt {
	int64_t		 id;
	int64_t		 community_id;
	const char	*state;
	const char	*why;
	int64_t		 owner_id;
	const char	*title;
	int64_t		 payment_id;
	const char	*number;
	const char	*transaction_id;
	int64_t		 amount_fen;
	int64_t		 expected_fen;
	int64_t		 paid_at;
	int64_t		 promised_at;
	int64_t		 refund_id;
	int64_t		 created_at;
	int64_t		 updated_at;
};

static void
calc_label(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, flow_label(&payment_doubt_flow,
	    ((const struct money_doubt *)row)->state));
}

static const char *const doubt_can[] = { "rebook", "refund", NULL };

static void
calc_can(struct json *j, const struct req *rq, const void *row)
{
	const struct money_doubt	*d = row;

	flow_can(j, &payment_doubt_flow, d->state,
	    flow_mask(rq, d->owner_id, 0, NULL));
}

static const struct view_column money_doubt_columns[] = {
	C_ID(money_doubt, id),
	C_ID(money_doubt, community_id, .flags = VIEW_HIDDEN),
	C_CODE(money_doubt, state, payment_doubt_states),
	C_CODE(money_doubt, why, payment_doubt_whys),
	C_ID(money_doubt, owner_id, .flags = VIEW_HIDDEN),
	C_TEXT(money_doubt, title),
	C_ID(money_doubt, payment_id, .flags = VIEW_NULL),
	C_TEXT(money_doubt, number),
	C_TEXT(money_doubt, transaction_id),
	C_FEN(money_doubt, amount_fen),
	C_FEN(money_doubt, expected_fen, .flags = VIEW_NULL),
	C_TIME(money_doubt, paid_at, .about = "as WeChat Pay says"),
	C_TIME(money_doubt, promised_at, .about = "it is settled by then"),
	C_ID(money_doubt, refund_id, .flags = VIEW_NULL),
	C_TIME(money_doubt, created_at),
	C_TIME(money_doubt, updated_at),
	C_CALC("state_label", SHAPE_TEXT, calc_label,
	    .about = "the state in Chinese"),
	C_CALC("can", SHAPE_CODES, calc_can, .names = doubt_can,
	    .about = "what the caller may do now"),
	C_END
};
static const struct view money_doubt_view =
    VIEW(money_doubt, "MoneyInDoubt");

enum { DOUBT_LIST, DOUBT_ONE, DOUBT_OF_REFUND, DOUBT_DUE, DOUBT_ADD,
	DOUBT_REFUND, DOUBT_FOLLOW, DOUBT_LIVE, DOUBT_SQL_MAX };

#define DOUBT_SELECT							\
	"SELECT id, community_id, state, why, owner_id, title,"		\
	" payment_id, number, transaction_id, amount_fen,"		\
	" expected_fen, paid_at, promised_at, refund_id, created_at,"	\
	" updated_at"							\
	" FROM money_doubt WHERE "

static struct stmt doubt_sql[] = {
	[DOUBT_LIST] = { RO, 5, &money_doubt_view,
	    DOUBT_SELECT "(community_id = $1 OR (community_id = 0"
	    " AND CAST($2 AS BIGINT) = 1)) AND id < $3"
	    " AND (CAST($4 AS TEXT) IS NULL OR state = $4)"
	    " ORDER BY id DESC LIMIT $5", NULL, 0 },
	[DOUBT_ONE] = { RO, 2, &money_doubt_view,
	    DOUBT_SELECT "community_id = $1 AND id = $2", NULL, 0 },
	[DOUBT_OF_REFUND] = { RO, 2, &money_doubt_view,
	    DOUBT_SELECT "community_id = $1 AND refund_id = $2", NULL, 0 },
	[DOUBT_DUE] = { RO, 2, &money_doubt_view,
	    DOUBT_SELECT "deadline_at IS NOT NULL AND state = 'open'"
	    " AND why <> 'unknown' AND created_at <= $1"
	    " ORDER BY deadline_at LIMIT $2", NULL, 0 },
	[DOUBT_ADD] = { RW, 14, NULL,
	    "INSERT INTO money_doubt (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, why, payment_id, number, transaction_id,"
	    " amount_fen, expected_fen, promised_at, paid_at) VALUES ($1,"
	    " $2, 'open', 1, 0, $3, $4, 0, $5, $6, $6, $7, $8, $9, $10,"
	    " $11, $12, $13, $14) ON CONFLICT (transaction_id) DO NOTHING",
	    NULL, 0 },
	[DOUBT_REFUND] = { RW, 3, NULL,
	    "UPDATE money_doubt SET refund_id = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[DOUBT_FOLLOW] = { RW, 3, NULL,
	    "UPDATE money_doubt SET refund_id = $3 WHERE community_id = $1"
	    " AND refund_id = $2", NULL, 0 },
	[DOUBT_LIVE] = { RW, 3, NULL,
	    "UPDATE payment_item SET live = 1 WHERE community_id = $1"
	    " AND payment_id = $2 AND seq = $3 AND live = 0"
	    " AND NOT EXISTS (SELECT 1 FROM payment_item o"
	    " WHERE o.community_id = payment_item.community_id"
	    " AND o.kind = payment_item.kind"
	    " AND o.thing_id = payment_item.thing_id AND o.live = 1)",
	    NULL, 0 },
};

/* An entry of two lines about a row of the shelf or its refund. */
static enum err
post_two(struct req *rq, const char *kind, const char *thing, int64_t id,
    int64_t doubt_fen)
{
	struct ledger_entry	*x;

	/* Nobody's community has no accounts. */
	if (rq->who.community_id == 0)
		return OK;
	x = ARENA_NEW(rq->arena, struct ledger_entry);
	x->community_id = rq->who.community_id;
	x->kind = kind;
	x->thing = thing;
	x->thing_id = id;
	x->at = rq->now;
	ledger_add(x, payment_thing_doubt(), doubt_fen);
	ledger_add(x, payment_thing_clearing(), -doubt_fen);
	return ledger_post(rq->db, rq->arena, x);
}

enum err
payment_doubt_add(struct req *rq, const struct payment_row *p,
    const struct pay_trade *t, const char *why)
{
	struct flow_thing	thing = { .community_id = p != NULL ?
		p->community_id : 0, .id = id_new(), .state = "open",
		.owner_id = p != NULL ? p->owner_id : 0,
		.title = p != NULL ? p->title : "来源不明的款项" };
	int64_t			n, until = rq->now + PAYMENT_DOUBT;
	enum err		e;

	e = db_run(rq->db, &doubt_sql[DOUBT_ADD],
	    WITH(V(thing.community_id), V(thing.id), V(until),
	    V(thing.owner_id), V(thing.title), V(rq->now), V(why),
	    p != NULL ? V(p->id) : VNULL, V(t->number),
	    V(t->transaction_id), V(t->total_fen), p != NULL ?
	    V(p->total_fen) : VNULL, V(until), V(t->paid_at)), &n);
	if (e != OK || n == 0)
		return e;
	log_warn("money-in-doubt=%lld number=%s why=%s fen=%lld",
	    (long long)thing.id, t->number, why, (long long)t->total_fen);
	if ((e = post_two(rq, "doubt", "money_doubt", thing.id,
	    t->total_fen)) != OK)
		return e;
	return flow_start(rq, &payment_doubt_flow, "shelve", &thing);
}

static enum err
move_of_refund(struct req *rq, int64_t refund_id, const char *event)
{
	struct money_doubt	d;
	enum err		e;

	e = db_one(rq->db, rq->arena, &doubt_sql[DOUBT_OF_REFUND],
	    WITH(V(rq->who.community_id), V(refund_id)), &d);
	if (e != OK)
		return e == ERR_ABSENT ? OK : e;
	return payment_move(rq, &payment_doubt_flow, d.id, event, NULL);
}

enum err
payment_doubt_done(struct req *rq, int64_t refund_id)
{
	return move_of_refund(rq, refund_id, "returned");
}

enum err
payment_doubt_stuck(struct req *rq, int64_t refund_id)
{
	return move_of_refund(rq, refund_id, "stuck");
}

enum err
payment_doubt_follow(struct req *rq, int64_t was, int64_t now)
{
	return db_run(rq->db, &doubt_sql[DOUBT_FOLLOW],
	    WITH(V(rq->who.community_id), V(was), V(now)), NULL);
}

static enum err
read_one(struct req *rq, int64_t id, struct money_doubt *ret)
{
	return db_one(rq->db, rq->arena, &doubt_sql[DOUBT_ONE],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static enum err
not_payable(struct req *rq)
{
	payment_forgive(rq);
	return req_fail(rq, ERR_STATE,
	    "这笔款对应的项目已不需要付款，不能入账，请退回。");
}

/* All its things are taken again, none is another payment's. */
static enum err
take_things(struct req *rq, int64_t payment_id)
{
	struct payment_parts	parts;
	enum err		e;
	int64_t			n;
	int			i;

	if ((e = payment_parts(rq, payment_id, &parts)) != OK)
		return e;
	for (i = 0; i < parts.n; i++) {
		e = db_run(rq->db, &doubt_sql[DOUBT_LIVE],
		    WITH(V(rq->who.community_id), V(payment_id),
		    V(parts.at[i].seq)), &n);
		if (e != OK || n == 0)
			return e != OK ? e : not_payable(rq);
	}
	return OK;
}

enum err
payment_doubt_rebook(struct req *rq, struct flow_step *st)
{
	struct money_doubt	d;
	struct payment_row	p;
	enum err		e;

	if ((e = read_one(rq, st->thing.id, &d)) != OK)
		return e;
	if (d.payment_id == VIEW_NULL_INT)
		return not_payable(rq);
	if ((e = payment_take(rq, d.payment_id, &p)) != OK)
		return e;
	if (strcmp(p.state, "doubtful") != 0 ||
	    p.total_fen != d.amount_fen)
		return not_payable(rq);
	if ((e = take_things(rq, p.id)) != OK)
		return e;
	e = payment_book_parts(rq, &p, payment_thing_doubt(), true,
	    d.transaction_id, d.paid_at);
	return e == ERR_STATE ? not_payable(rq) : e;
}

enum err
payment_doubt_refund(struct req *rq, struct flow_step *st)
{
	struct payment_back	b = { .reason = "未能入账，原路退回" };
	struct money_doubt	d;
	struct payment_row	p;
	enum err		e;

	if ((e = read_one(rq, st->thing.id, &d)) != OK)
		return e;
	b.payment_id = d.payment_id == VIEW_NULL_INT ? 0 : d.payment_id;
	b.amount_fen = d.amount_fen;
	b.by_id = req_caller(rq);
	if (b.payment_id != 0 &&
	    (e = payment_take(rq, d.payment_id, &p)) != OK)
		return e;
	if ((e = payment_refund_write(rq, &b)) != OK ||
	    (e = db_run(rq->db, &doubt_sql[DOUBT_REFUND],
	    WITH(V(rq->who.community_id), V(d.id), V(b.id)), NULL)) != OK ||
	    (e = post_two(rq, "refund", "payment_refund", b.id,
	    -d.amount_fen)) != OK)
		return e;
	if (b.payment_id != 0 && strcmp(p.state, "doubtful") == 0)
		return payment_move(rq, &payment_flow, p.id, "refund", NULL);
	return OK;
}

/* ---- by itself ---- */

static enum err
rebook(struct req *rq, void *arg)
{
	const struct money_doubt	*d = arg;

	return payment_move(rq, &payment_doubt_flow, d->id, "rebook",
	    "自动核对：仍需付款，金额一致");
}

static enum err
refund(struct req *rq, void *arg)
{
	const struct money_doubt	*d = arg;

	return payment_move(rq, &payment_doubt_flow, d->id, "refund",
	    "自动核对：已不需要付款，原路退回");
}

static enum err
settle_one(struct req *rq, struct money_doubt *d)
{
	enum err	e = ERR_STATE;

	req_reset(rq);
	rq->who.community_id = d->community_id;
	rq->deadline = clock_mono_us() + SETTLE_US;
	if (strcmp(d->why, "late") == 0 || strcmp(d->why, "unwanted") == 0)
		e = req_transact(rq, rebook, d);
	if (e != ERR_STATE)
		return e;
	req_reset(rq);
	e = req_transact(rq, refund, d);
	return e == ERR_STATE ? OK : e;
}

static enum err
settle(struct req *rq)
{
	struct money_doubt	due[PAYMENT_AT_ONCE];
	struct rows		rows;
	enum err		e;
	int			i, n = 0;

	e = db_query(rq->db, &doubt_sql[DOUBT_DUE],
	    WITH(V(rq->now - SETTLE_AFTER), V(PAYMENT_AT_ONCE)), &rows);
	if (e != OK)
		return e;
	while (n < PAYMENT_AT_ONCE && db_each(&rows, &due[n])) {
		due[n].why = arena_str(rq->arena, due[n].why);
		n++;
	}
	if ((e = db_end(&rows)) != OK)
		return e;
	for (i = 0; i < n; i++) {
		e = settle_one(rq, &due[i]);
		if (e == ERR_AWAY)
			return e;
		if (e != OK)
			log_error("money-in-doubt=%lld err=%s",
			    (long long)due[i].id, err_info(e)->name);
	}
	return OK;
}

/* ---- by a person ---- */

struct doubt_page {
	int64_t		 state;
	int64_t		 limit, after;
};
static const struct field doubt_page_fields[] = {
	F_ENUM(doubt_page, state, "状态", MAY, payment_doubt_states),
	F_PAGE(doubt_page),
	F_END
};
static const struct shape doubt_page_shape =
    SHAPE(doubt_page, "MoneyInDoubtPage");

struct doubt_id {
	int64_t		 id;
};
static const struct field doubt_id_fields[] = {
	F_ID(doubt_id, id, "款项", MUST),
	F_END
};
static const struct shape doubt_id_shape = SHAPE(doubt_id, "MoneyInDoubtId");

struct doubt_event {
	int64_t		 id;
	const char	*reason;
};
static const struct field doubt_event_fields[] = {
	F_ID(doubt_event, id, "款项", MUST),
	F_TEXT(doubt_event, reason, "说明", MUST, 2, 200),
	F_END
};
static const struct shape doubt_event_shape =
    SHAPE(doubt_event, "MoneyInDoubtEvent");

static enum err
doubt_list(struct req *rq)
{
	const struct doubt_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &doubt_sql[DOUBT_LIST],
	    WITH(V(rq->who.community_id),
	    V((rq->who.roles & ROLE_PLATFORM) != 0), V(in->after != 0 ?
	    in->after : INT64_MAX), field_given(rq, "state") ?
	    V(payment_doubt_states[in->state]) : VNULL, V(limit + 1)),
	    limit);
}

/* What no community knows is the platform's to see. */
static void
look_where(struct req *rq, int64_t id)
{
	struct money_doubt	d;

	if ((rq->who.roles & ROLE_PLATFORM) != 0 &&
	    db_one(rq->db, rq->arena, &doubt_sql[DOUBT_ONE],
	    WITH(V(0), V(id)), &d) == OK)
		rq->who.community_id = 0;
}

static enum err
doubt_timeline(struct req *rq)
{
	const struct doubt_id	*in = rq->in;

	look_where(rq, in->id);
	return flow_timeline(rq, &payment_doubt_flow, in->id);
}

static enum err
fire(struct req *rq, const char *event)
{
	const struct doubt_event	*in = rq->in;
	struct money_doubt		 d;
	enum err			 e;

	look_where(rq, in->id);
	audit_reason(rq, in->reason);
	e = flow_fire(rq, &payment_doubt_flow, in->id, event, in, in->reason);
	if (e == OK)
		e = read_one(rq, in->id, &d);
	return e != OK ? e : req_one(rq, &d);
}

static enum err
doubt_refund(struct req *rq)
{
	return fire(rq, "refund");
}

static enum err
doubt_rebook(struct req *rq)
{
	return fire(rq, "rebook");
}

#define MONEY	(ROLE_ADMIN | ROLE_PLATFORM)
#define ONE	REPLY_ONE, &money_doubt_view, 200, POOL_API, TX_WRITE

static const struct route doubt_routes[] = {
	{ GET, "/api/v1/money-in-doubt", MONEY, &doubt_page_shape,
	    REPLY_LIST, &money_doubt_view, 200, POOL_API, TX_READ,
	    doubt_list, "Money that came and that nothing waits for" },
	{ GET, "/api/v1/money-in-doubt/{id}/timeline", MONEY,
	    &doubt_id_shape, REPLY_LIST, &flow_event_view, 200, POOL_API,
	    TX_READ, doubt_timeline, "What happened to it, oldest first" },
	{ POST, "/api/v1/money-in-doubt/{id}/refund", MONEY,
	    &doubt_event_shape, ONE, doubt_refund, "Give it back now" },
	{ POST, "/api/v1/money-in-doubt/{id}/rebook", MONEY,
	    &doubt_event_shape, ONE, doubt_rebook,
	    "Book it for what it was meant for" },
	{ 0 }
};

static const struct task doubt_tasks[] = {
	{ "payment_doubt", 10 * CLOCK_SECOND, TASK_NEVER, settle },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
payment_doubt_register(void)
{
	db_register(doubt_sql, DOUBT_SQL_MAX);
	route_register("payments", doubt_routes);
	task_register(doubt_tasks);
}
