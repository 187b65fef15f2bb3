/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_refund.c -- money going back: asked for, booked, and what came
 * of it.
 *
 * One intention has one number, written before anybody is told, and its
 * sum is taken from what is left by a conditional update.  States only go
 * forward; a refund that WeChat closed is followed by another row.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

#define FOLLOW_AFTER	(10 * CLOCK_MINUTE)	/* what was closed */
#define FOLLOWED_TOLD	3			/* so many times, then told */
#define REFUND_SLOWLY	(6 * CLOCK_HOUR)	/* asking after a stuck one */

static const char *const refund_states[] = { "asked", "running", "done",
    "abnormal", "dead", NULL };

struct payment_refund {
	int64_t		 id;
	int64_t		 community_id;
	int64_t		 payment_id;
	const char	*number;
	const char	*state;
	int64_t		 amount_fen;
	const char	*reason;
	int64_t		 by_id;
	const char	*account;
	int64_t		 created_at;
	int64_t		 done_at;
};

static const struct view_column payment_refund_columns[] = {
	C_ID(payment_refund, id),
	C_ID(payment_refund, community_id, .flags = VIEW_HIDDEN),
	C_ID(payment_refund, payment_id, .flags = VIEW_NULL),
	C_TEXT(payment_refund, number),
	C_CODE(payment_refund, state, refund_states),
	C_FEN(payment_refund, amount_fen),
	C_TEXT(payment_refund, reason),
	C_ID(payment_refund, by_id, .flags = VIEW_NULL | VIEW_HIDDEN),
	C_TEXT(payment_refund, account, .flags = VIEW_NULL,
	    .about = "where it went, in WeChat's words"),
	C_TIME(payment_refund, created_at),
	C_TIME(payment_refund, done_at, .flags = VIEW_NULL),
	C_END
};
const struct view payment_refund_view =
    VIEW(payment_refund, "PaymentRefund");

struct refund_count {
	int64_t		 n;
};
static const struct view_column refund_count_columns[] = {
	C_INT(refund_count, n), C_END
};
static const struct view refund_count_view =
    VIEW(refund_count, "PaymentRefundCount");

enum { REFUND_LIST, REFUND_ONE, REFUND_NUMBER, REFUND_COUNT, REFUND_OPEN,
	REFUND_TAKE, REFUND_TAKE_PART, REFUND_ADD, REFUND_ADD_PART,
	REFUND_COPY_PARTS, REFUND_RUNS, REFUND_ENDS, REFUND_STUCK,
	REFUND_DEAD, REFUND_SQL_MAX };

#define REFUND_SELECT							\
	"SELECT id, community_id, payment_id, number, state,"		\
	" amount_fen, reason, by_id, account, created_at, done_at"	\
	" FROM payment_refund WHERE "

static struct stmt refund_sql[] = {
	[REFUND_LIST] = { RO, 2, &payment_refund_view,
	    REFUND_SELECT "community_id = $1 AND payment_id = $2"
	    " ORDER BY id", NULL, 0 },
	[REFUND_ONE] = { RO, 2, &payment_refund_view,
	    REFUND_SELECT "community_id = $1 AND id = $2", NULL, 0 },
	[REFUND_NUMBER] = { RO, 1, &payment_refund_view,
	    REFUND_SELECT "number = $1", NULL, 0 },
	[REFUND_COUNT] = { RO, 2, &refund_count_view,
	    "SELECT count(*) AS n FROM payment_refund"
	    " WHERE community_id = $1 AND payment_id = $2", NULL, 0 },
	[REFUND_OPEN] = { RO, 2, &refund_count_view,
	    "SELECT count(*) AS n FROM payment_refund"
	    " WHERE community_id = $1 AND payment_id = $2"
	    " AND state IN ('asked', 'running', 'abnormal')", NULL, 0 },
	[REFUND_TAKE] = { RW, 3, NULL,
	    "UPDATE payment SET refunded_fen = refunded_fen + $3"
	    " WHERE community_id = $1 AND id = $2"
	    " AND refunded_fen + $3 <= total_fen"
	    " AND transaction_id IS NOT NULL", NULL, 0 },
	[REFUND_TAKE_PART] = { RW, 4, NULL,
	    "UPDATE payment_item SET refunded_fen = refunded_fen + $4,"
	    " live = CASE WHEN refunded_fen + $4 = amount_fen THEN 0"
	    " ELSE live END WHERE community_id = $1 AND payment_id = $2"
	    " AND seq = $3 AND refunded_fen + $4 <= amount_fen", NULL, 0 },
	[REFUND_ADD] = { RW, 9, NULL,
	    "INSERT INTO payment_refund (community_id, id, payment_id,"
	    " number, state, amount_fen, reason, by_id, created_at, ask_at,"
	    " asked, claimed_until) VALUES ($1, $2, $3, $4, 'asked', $5,"
	    " $6, $7, $8, $9, 0, 0)", NULL, 0 },
	[REFUND_ADD_PART] = { RW, 4, NULL,
	    "INSERT INTO payment_refund_item (community_id, refund_id, seq,"
	    " amount_fen) VALUES ($1, $2, $3, $4)", NULL, 0 },
	[REFUND_COPY_PARTS] = { RW, 3, NULL,
	    "INSERT INTO payment_refund_item (community_id, refund_id, seq,"
	    " amount_fen) SELECT community_id, $3, seq, amount_fen"
	    " FROM payment_refund_item WHERE community_id = $1"
	    " AND refund_id = $2", NULL, 0 },
	[REFUND_RUNS] = { RW, 4, NULL,
	    "UPDATE payment_refund SET state = 'running', refund_id = $3,"
	    " ask_at = $4 WHERE community_id = $1 AND id = $2"
	    " AND (state = 'asked' OR (state = 'abnormal'"
	    " AND refund_id IS NULL))", NULL, 0 },
	[REFUND_ENDS] = { RW, 7, NULL,
	    "UPDATE payment_refund SET state = $3,"
	    " refund_id = COALESCE($4, refund_id),"
	    " account = COALESCE($5, account), done_at = $6, ask_at = $7"
	    " WHERE community_id = $1 AND id = $2 AND state <> $3"
	    " AND state IN ('asked', 'running', 'abnormal')", NULL, 0 },
	[REFUND_STUCK] = { RW, 2, NULL,
	    "UPDATE payment_refund SET state = 'abnormal'"
	    " WHERE community_id = $1 AND id = $2 AND state = 'asked'",
	    NULL, 0 },
	[REFUND_DEAD] = { RO, 3, &refund_count_view,
	    "SELECT count(*) AS n FROM payment_refund"
	    " WHERE community_id = $1 AND state = 'dead'"
	    " AND COALESCE(payment_id, 0) = $2 AND amount_fen = $3",
	    NULL, 0 },
};

void
payment_refund_stream(struct json *j, const struct req *rq,
    int64_t payment_id, enum err *ret_err)
{
	struct payment_refund	row;
	struct rows		rows;
	enum err		e;

	json_list(j);
	e = db_query(rq->db, &refund_sql[REFUND_LIST],
	    WITH(V(rq->who.community_id), V(payment_id)), &rows);
	if (e == OK) {
		while (db_each(&rows, &row))
			json_view(j, &payment_refund_view, &row, rq,
			    rq->arena);
		e = db_end(&rows);
	}
	json_unlist(j);
	*ret_err = e;
}

/* ---- written ---- */

enum err
payment_refund_write(struct req *rq, struct payment_back *b)
{
	b->id = id_new();
	return db_run(rq->db, &refund_sql[REFUND_ADD],
	    WITH(V(rq->who.community_id), V(b->id), b->payment_id != 0 ?
	    V(b->payment_id) : VNULL, V(arena_fmt(rq->arena, "R%lld",
	    (long long)b->id)), V(b->amount_fen), V(b->reason),
	    b->by_id != 0 ? V(b->by_id) : VNULL, V(rq->now),
	    V(rq->now + b->wait)), NULL);
}

static enum err
post_back(struct req *rq, const struct payment_parts *parts,
    const int64_t *fen, const struct payment_back *b)
{
	struct ledger_entry	*x = ARENA_NEW(rq->arena,
				    struct ledger_entry);
	int			 i;

	x->community_id = rq->who.community_id;
	x->kind = "refund";
	x->thing = "payment_refund";
	x->thing_id = b->id;
	x->note = b->reason;
	x->at = rq->now;
	x->by_id = b->by_id;
	for (i = 0; i < parts->n; i++)
		ledger_add(x, payment_thing_due(parts->at[i].payee_id),
		    -fen[i]);
	ledger_add(x, payment_thing_clearing(), b->amount_fen);
	return ledger_post(rq->db, rq->arena, x);
}

static enum err
take_parts(struct req *rq, const struct payment_row *p,
    const struct payment_parts *parts, const int64_t *fen,
    const struct payment_back *b)
{
	enum err	e;
	int64_t		n;
	int		i;

	for (i = 0; i < parts->n; i++) {
		if (fen[i] == 0)
			continue;
		e = db_run(rq->db, &refund_sql[REFUND_TAKE_PART],
		    WITH(V(p->community_id), V(p->id), V(parts->at[i].seq),
		    V(fen[i])), &n);
		if (e == OK && n == 0)
			e = ERR_SHORT;
		if (e == OK)
			e = db_run(rq->db, &refund_sql[REFUND_ADD_PART],
			    WITH(V(p->community_id), V(b->id),
			    V(parts->at[i].seq), V(fen[i])), NULL);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
tell_kinds(struct req *rq, const struct payment_row *p,
    const struct payment_parts *parts, const int64_t *fen)
{
	const struct payment_kind	*k;
	const struct payment_part	*part;
	enum err			 e;
	int				 i;

	for (i = 0; i < parts->n; i++) {
		part = &parts->at[i];
		k = payment_thing_kind(part->kind);
		if (fen[i] == 0 || k == NULL || k->refunded == NULL)
			continue;
		e = k->refunded(rq, &(struct payment_item){
		    .payment_id = p->id, .thing_id = part->thing_id,
		    .payee_id = part->payee_id, .payer_id = p->owner_id,
		    .amount_fen = fen[i], .left_fen = part->amount_fen -
		    part->refunded_fen - fen[i], .at = rq->now });
		if (e != OK)
			return e;
	}
	return OK;
}

enum err
payment_refund_parts(struct req *rq, const struct payment_row *p,
    const struct payment_parts *parts, const int64_t *fen, bool told,
    struct payment_back *b)
{
	struct refund_count	count;
	int64_t			n;
	enum err		e;
	int			i;

	b->amount_fen = 0;
	for (i = 0; i < parts->n; i++)
		b->amount_fen += fen[i];
	e = db_one(rq->db, rq->arena, &refund_sql[REFUND_COUNT],
	    WITH(V(p->community_id), V(p->id)), &count);
	if (e == OK && count.n >= PAY_REFUNDS)
		return req_fail(rq, ERR_STATE,
		    "这笔付款的退款次数已到上限，请联系社区工作人员。");
	if (e == OK)
		e = db_run(rq->db, &refund_sql[REFUND_TAKE],
		    WITH(V(p->community_id), V(p->id), V(b->amount_fen)),
		    &n);
	if (e == OK && (n == 0 || b->amount_fen <= 0))
		e = ERR_SHORT;
	if (e != OK || (e = payment_refund_write(rq, b)) != OK ||
	    (e = take_parts(rq, p, parts, fen, b)) != OK ||
	    (e = post_back(rq, parts, fen, b)) != OK ||
	    (e = payment_move(rq, &payment_flow, p->id, "refund",
	    b->reason)) != OK)
		return e;
	return told ? tell_kinds(rq, p, parts, fen) : OK;
}

enum err
payment_give_back(struct req *rq, const char *kind, int64_t thing_id,
    int64_t fen, const char *reason)
{
	struct payment_parts	*parts = ARENA_NEW(rq->arena,
				    struct payment_parts);
	struct payment_back	 b = { .reason = reason };
	struct payment_of	 of;
	struct payment_row	 p;
	int64_t			 some[PAYMENT_THINGS] = { 0 }, left = 0;
	enum err		 e;
	int			 i;

	if ((e = payment_find(rq, kind, thing_id, &of)) != OK ||
	    (e = payment_take(rq, of.payment_id, &p)) != OK ||
	    (e = payment_parts(rq, p.id, parts)) != OK)
		return e;
	b.payment_id = p.id;
	for (i = 0; i < parts->n; i++)
		if (parts->at[i].thing_id == thing_id &&
		    strcmp(parts->at[i].kind, kind) == 0) {
			left = parts->at[i].amount_fen -
			    parts->at[i].refunded_fen;
			some[i] = fen != 0 ? fen : left;
		}
	if (fen == 0 && left == 0)
		return OK;
	if (fen < 0 || fen > left)
		return ERR_SHORT;
	return payment_refund_parts(rq, &p, parts, some, false, &b);
}

/* ---- what came of it ---- */

/* All that was asked of this payment is done: so is its refunding. */
static enum err
settle(struct req *rq, int64_t payment_id)
{
	struct refund_count	open;
	struct payment_row	p;
	enum err		e;

	if ((e = payment_take(rq, payment_id, &p)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &refund_sql[REFUND_OPEN],
	    WITH(V(rq->who.community_id), V(payment_id)), &open);
	if (e != OK || open.n > 0 || strcmp(p.state, "refunding") != 0)
		return e;
	return payment_move(rq, &payment_flow, p.id,
	    p.transaction_id == NULL || p.refunded_fen == p.total_fen ?
	    "returned" : "keep", NULL);
}

/* It does not go on by itself: the admins are told. */
static enum err
tell_stuck(struct req *rq, const struct payment_refund *r)
{
	struct payment_row	p;
	enum err		e;

	if (r->payment_id != VIEW_NULL_INT) {
		if ((e = payment_take(rq, r->payment_id, &p)) != OK)
			return e;
		if (strcmp(p.state, "refunding") == 0)
			return payment_move(rq, &payment_flow, p.id, "stuck",
			    NULL);
	}
	/* Money beside a payment goes back while that stands. */
	return payment_doubt_stuck(rq, r->id);
}

enum err
payment_refund_refused(struct req *rq, int64_t id, bool hopeless)
{
	struct payment_refund	r;
	struct payment_row	p;
	int64_t			n = 1;
	enum err		e;

	e = db_one(rq->db, rq->arena, &refund_sql[REFUND_ONE],
	    WITH(V(rq->who.community_id), V(id)), &r);
	if (e == OK && r.payment_id != VIEW_NULL_INT)
		e = payment_take(rq, r.payment_id, &p);
	if (e == OK && hopeless)
		e = db_run(rq->db, &refund_sql[REFUND_STUCK],
		    WITH(V(r.community_id), V(r.id)), &n);
	return e == OK && n == 1 ? tell_stuck(rq, &r) : e;
}

/* Each that WeChat closed is followed later than the one before. */
static enum err
slow_down(struct req *rq, const struct payment_refund *r,
    struct payment_back *b)
{
	struct refund_count	dead;
	enum err		e;

	e = db_one(rq->db, rq->arena, &refund_sql[REFUND_DEAD],
	    WITH(V(rq->who.community_id), V(b->payment_id),
	    V(b->amount_fen)), &dead);
	if (e != OK)
		return e;
	b->wait = FOLLOW_AFTER << (dead.n > 7 ? 7 : dead.n < 1 ? 0 :
	    dead.n - 1);
	return dead.n == FOLLOWED_TOLD ? tell_stuck(rq, r) : OK;
}

/*
 * WeChat closed it: the same intention under another number.  The ledger
 * has both, and between them the sum that came back to us.
 */
static enum err
follow(struct req *rq, const struct payment_refund *r)
{
	struct payment_back	 b = { .payment_id = r->payment_id ==
		VIEW_NULL_INT ? 0 : r->payment_id, .reason = r->reason,
		.amount_fen = r->amount_fen, .by_id = r->by_id ==
		VIEW_NULL_INT ? 0 : r->by_id };
	struct ledger_entry	*x = ARENA_NEW(rq->arena,
				    struct ledger_entry);
	enum err		 e;

	if ((e = slow_down(rq, r, &b)) != OK ||
	    (e = payment_refund_write(rq, &b)) != OK ||
	    (e = db_run(rq->db, &refund_sql[REFUND_COPY_PARTS],
	    WITH(V(rq->who.community_id), V(r->id), V(b.id)), NULL)) != OK ||
	    (e = payment_doubt_follow(rq, r->id, b.id)) != OK)
		return e;
	if (rq->who.community_id == 0)
		return OK;
	x->community_id = rq->who.community_id;
	x->kind = "refund";
	x->thing = "payment_refund";
	x->thing_id = b.id;
	x->note = "微信关闭了上一笔退款，重新退款";
	x->at = rq->now;
	ledger_add(x, payment_thing_clearing(), b.amount_fen);
	ledger_add(x, payment_thing_clearing(), -b.amount_fen);
	return ledger_post(rq->db, rq->arena, x);
}

static enum err
ends(struct req *rq, const struct payment_refund *r,
    const struct pay_refund *now, const char *state, bool *ret_new)
{
	bool		done = strcmp(state, "done") == 0;
	int64_t		n, at = now->done_at;
	enum err	e;

	if (done && at == VIEW_NULL_INT)
		at = rq->now;
	e = db_run(rq->db, &refund_sql[REFUND_ENDS],
	    WITH(V(rq->who.community_id), V(r->id), V(state),
	    V(now->refund_id), V(now->account), done ? V(at) : VNULL,
	    strcmp(state, "abnormal") == 0 ? V(rq->now + REFUND_SLOWLY) :
	    VNULL), &n);
	*ret_new = e == OK && n == 1;
	return e;
}

static enum err
done(struct req *rq, const struct payment_refund *r,
    const struct pay_refund *now)
{
	bool		fresh;
	enum err	e;

	e = ends(rq, r, now, "done", &fresh);
	if (e != OK || !fresh || (e = payment_doubt_done(rq, r->id)) != OK ||
	    r->payment_id == VIEW_NULL_INT)
		return e;
	return settle(rq, r->payment_id);
}

static enum err
note_state(struct req *rq, const struct payment_refund *r,
    const struct pay_refund *now)
{
	bool		fresh;
	enum err	e;

	switch (now->state) {
	case PAY_REFUND_RUNNING:
		return db_run(rq->db, &refund_sql[REFUND_RUNS],
		    WITH(V(rq->who.community_id), V(r->id),
		    V(now->refund_id), V(rq->now + CLOCK_MINUTE)), NULL);
	case PAY_REFUND_DONE:
		return done(rq, r, now);
	case PAY_REFUND_CLOSED:
		e = ends(rq, r, now, "dead", &fresh);
		return e == OK && fresh ? follow(rq, r) : e;
	case PAY_REFUND_ABNORMAL:
		e = ends(rq, r, now, "abnormal", &fresh);
		return e == OK && fresh ? tell_stuck(rq, r) : e;
	case PAY_REFUND_ABSENT:
		break;
	}
	return OK;
}

struct noting {
	const struct pay_refund	*now;
	const char		*notice;
};

static enum err
note(struct req *rq, void *arg)
{
	struct noting		*n = arg;
	struct payment_refund	 r;
	struct payment_row	 p;
	bool			 first;
	enum err		 e;

	e = payment_book_notice(rq, n->notice, n->now->refund_number,
	    &first);
	if (e != OK || !first)
		return e;
	e = db_one(rq->db, rq->arena, &refund_sql[REFUND_NUMBER],
	    WITH(V(n->now->refund_number)), &r);
	if (e != OK)
		return e;
	rq->who.community_id = r.community_id;
	if (r.payment_id != VIEW_NULL_INT &&
	    (e = payment_take(rq, r.payment_id, &p)) != OK)
		return e;
	if (n->now->state != PAY_REFUND_ABSENT &&
	    n->now->refund_fen != r.amount_fen) {
		log_error("refund=%s fen=%lld asked=%lld fault=\"another"
		    " sum\"", r.number, (long long)n->now->refund_fen,
		    (long long)r.amount_fen);
		return ERR_CONFLICT;
	}
	return note_state(rq, &r, n->now);
}

enum err
payment_refund_note(struct req *rq, const struct pay_refund *now,
    const char *notice)
{
	struct noting	n = { now, notice };

	if (now->refund_number == NULL)
		return ERR_MALFORMED;
	return req_transact(rq, note, &n);
}

/* ---- asked for ---- */

struct refund_new_item {
	const char	*kind;
	int64_t		 id;
	int64_t		 amount_fen;
};

static const struct field refund_new_item_fields[] = {
	F_TEXT(refund_new_item, kind, "种类", MUST, 1, 30),
	F_ID(refund_new_item, id, "编号", MUST),
	F_INT(refund_new_item, amount_fen, "金额", MAY, 1, 100000000),
	F_END
};
static const struct shape refund_new_item_shape =
    SHAPE(refund_new_item, "PaymentRefundItem");

struct refund_new {
	int64_t			 id;
	struct field_list	 items;
	const char		*reason;
};

static const struct field refund_new_fields[] = {
	F_ID(refund_new, id, "付款", MUST),
	F_LIST(refund_new, items, "退款项目", MAY, 1, PAYMENT_THINGS,
	    &refund_new_item_shape),
	F_TEXT(refund_new, reason, "退款原因", MUST, 2, 26),
	F_END
};
static const struct shape refund_new_shape =
    SHAPE(refund_new, "PaymentRefundNew");

/* What of a part goes back; `asked` 0 for all that may. */
static enum err
choose(struct req *rq, const struct payment_part *part, int64_t asked,
    int64_t *ret_fen)
{
	const struct payment_kind	*k = payment_thing_kind(part->kind);
	int64_t				 most = 0;
	enum err			 e;

	if (k == NULL || k->refundable == NULL)
		return req_fail(rq, ERR_STATE, "这一项不支持在线退款。");
	if ((e = k->refundable(rq, part->thing_id, &most)) != OK)
		return e;
	if (most > part->amount_fen - part->refunded_fen)
		most = part->amount_fen - part->refunded_fen;
	if (asked > most || most <= 0)
		return req_fail(rq, ERR_SHORT,
		    "退款金额超过了还可以退的金额，请刷新后再试。");
	*ret_fen = asked != 0 ? asked : most;
	return OK;
}

static enum err
choose_named(struct req *rq, const struct refund_new *in,
    const struct payment_parts *parts, int64_t *fen)
{
	const struct refund_new_item	*x = in->items.items;
	enum err			 e;
	size_t				 i;
	int				 at;

	for (i = 0; i < in->items.n; i++, x++) {
		for (at = 0; at < parts->n; at++)
			if (parts->at[at].thing_id == x->id &&
			    strcmp(parts->at[at].kind, x->kind) == 0)
				break;
		if (at == parts->n)
			return req_fail(rq, ERR_ABSENT, NULL);
		if (fen[at] != 0)
			return req_field(rq, "items", "doubled",
			    "同一项只能出现一次。");
		e = choose(rq, &parts->at[at], x->amount_fen, &fen[at]);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
refund_ask(struct req *rq)
{
	const struct refund_new	*in = rq->in;
	struct payment_parts	*parts = ARENA_NEW(rq->arena,
				    struct payment_parts);
	struct payment_back	 b = { .payment_id = in->id,
		.reason = in->reason, .by_id = req_caller(rq) };
	struct payment_refund	 row;
	struct payment_row	 p;
	int64_t			 fen[PAYMENT_THINGS] = { 0 };
	enum err		 e;
	int			 i;

	if ((e = payment_take(rq, in->id, &p)) != OK ||
	    (e = payment_parts(rq, p.id, parts)) != OK)
		return e;
	if (in->items.n > 0)
		e = choose_named(rq, in, parts, fen);
	for (i = 0; in->items.n == 0 && e == OK && i < parts->n; i++)
		if (parts->at[i].refunded_fen < parts->at[i].amount_fen)
			e = choose(rq, &parts->at[i], 0, &fen[i]);
	if (e != OK)
		return e;
	audit_reason(rq, in->reason);
	e = payment_refund_parts(rq, &p, parts, fen, true, &b);
	if (e == OK)
		e = db_one(rq->db, rq->arena, &refund_sql[REFUND_ONE],
		    WITH(V(rq->who.community_id), V(b.id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

#define REFUNDERS	(ROLE_RESIDENT | ROLE_PROPERTY | ROLE_MERCHANT | \
			ROLE_CLERK | ROLE_ADMIN)

static const struct route refund_routes[] = {
	{ POST, "/api/v1/payments/{id}/refunds", REFUNDERS,
	    &refund_new_shape, REPLY_ONE, &payment_refund_view, 201,
	    POOL_API, TX_WRITE, refund_ask,
	    "Give back all or part of what was paid: the payer where the"
	    " thing allows it, or staff of the payee" },
	{ 0 }
};

void
payment_refund_register(void)
{
	db_register(refund_sql, REFUND_SQL_MAX);
	route_register("payments", refund_routes);
}
