/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_book.c -- a paid trade: booked once, or put on the shelf.
 *
 * Answer, query and notice all end here, in any order and any number.  The
 * payment's row is taken first, so they come one after the other, and only
 * the first finds something to do.
 */
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/fault.h"
#include "base/log.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

static const struct view_column payment_of_columns[] = {
	C_ID(payment_of, payment_id),
	C_TEXT(payment_of, number),
	C_TEXT(payment_of, transaction_id),
	C_TEXT(payment_of, openid, .flags = VIEW_NULL),
	C_TIME(payment_of, paid_at),
	C_FEN(payment_of, amount_fen),
	C_FEN(payment_of, refunded_fen),
	C_END
};
static const struct view payment_of_view = VIEW(payment_of, "PaymentOf");

enum { BOOK_FIND, BOOK_PAID, BOOK_FREE, BOOK_LET_GO, BOOK_QUIET,
	BOOK_NOTICE, BOOK_SQL_MAX };

static struct stmt book_sql[] = {
	[BOOK_FIND] = { RO, 3, &payment_of_view,
	    "SELECT p.id AS payment_id, p.number, p.transaction_id,"
	    " u.openid, p.paid_at, i.amount_fen, i.refunded_fen"
	    " FROM payment_item i JOIN payment p"
	    " ON p.community_id = i.community_id AND p.id = i.payment_id"
	    " JOIN app_user u ON u.id = p.owner_id"
	    " WHERE i.community_id = $1 AND i.kind = $2 AND i.thing_id = $3"
	    " AND p.paid_at IS NOT NULL"
	    " ORDER BY i.live DESC, p.paid_at DESC LIMIT 1", NULL, 0 },
	[BOOK_PAID] = { RW, 4, NULL,
	    "UPDATE payment SET transaction_id = $3, paid_at = $4,"
	    " ask_at = NULL WHERE community_id = $1 AND id = $2"
	    " AND transaction_id IS NULL", NULL, 0 },
	[BOOK_FREE] = { RW, 2, NULL,
	    "UPDATE payment_item SET live = 0 WHERE community_id = $1"
	    " AND payment_id = $2 AND live = 1", NULL, 0 },
	[BOOK_LET_GO] = { RW, 4, NULL,
	    "UPDATE payment_item SET live = 0 WHERE community_id = $1"
	    " AND payment_id = $2 AND kind = $3 AND thing_id = $4",
	    NULL, 0 },
	[BOOK_QUIET] = { RW, 2, NULL,
	    "UPDATE payment SET ask_at = NULL WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[BOOK_NOTICE] = { RW, 3, NULL,
	    "INSERT INTO payment_notice (id, number, taken_at)"
	    " VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING", NULL, 0 },
};

/*
 * Every entry has its lines; every payment and refund has its entry.  Asked
 * row by row by unique keys: a server that knows nothing of the tables yet
 * would else walk all lines for each payment.
 */
enum { CHECK_ENTRY, CHECK_SUM, CHECK_PARTS, CHECK_REFUNDS, CHECK_SHELF,
	CHECK_LIVE, CHECK_SQL_MAX };

static struct stmt check_sql[] = {
	[CHECK_ENTRY] = { RO, 0, &ledger_fault_view,
	    "SELECT p.community_id, p.id FROM payment p"
	    " WHERE (p.paid_at IS NULL) <> ((SELECT e.id"
	    " FROM ledger_entry e WHERE e.community_id = p.community_id"
	    " AND e.thing = 'payment' AND e.thing_id = p.id"
	    " AND e.kind = 'paid') IS NULL)", NULL, 0 },
	[CHECK_SUM] = { RO, 0, &ledger_fault_view,
	    "SELECT p.community_id, p.id FROM payment p"
	    " WHERE p.paid_at IS NOT NULL"
	    " AND (SELECT COALESCE(SUM(l.amount), 0) FROM ledger_line l"
	    " WHERE l.community_id = p.community_id AND l.entry_id ="
	    " (SELECT e.id FROM ledger_entry e"
	    " WHERE e.community_id = p.community_id"
	    " AND e.thing = 'payment' AND e.thing_id = p.id"
	    " AND e.kind = 'paid') AND (SELECT a.owner"
	    " FROM ledger_account a WHERE a.community_id = l.community_id"
	    " AND a.id = l.account_id) = 'org') <> p.total_fen", NULL, 0 },
	[CHECK_PARTS] = { RO, 0, &ledger_fault_view,
	    "SELECT p.community_id, p.id FROM payment p"
	    " JOIN payment_item i ON i.community_id = p.community_id"
	    " AND i.payment_id = p.id"
	    " GROUP BY p.community_id, p.id, p.total_fen, p.refunded_fen"
	    " HAVING SUM(i.amount_fen) <> p.total_fen"
	    " OR SUM(i.refunded_fen) <> p.refunded_fen", NULL, 0 },
	[CHECK_REFUNDS] = { RO, 0, &ledger_fault_view,
	    "SELECT r.community_id, r.id FROM payment_refund r"
	    " WHERE r.community_id <> 0 AND (SELECT e.id"
	    " FROM ledger_entry e WHERE e.community_id = r.community_id"
	    " AND e.thing = 'payment_refund' AND e.thing_id = r.id"
	    " AND e.kind = 'refund') IS NULL", NULL, 0 },
	[CHECK_SHELF] = { RO, 0, &ledger_fault_view,
	    "SELECT a.community_id, a.id FROM ledger_account a"
	    " LEFT JOIN ledger_line l ON l.community_id = a.community_id"
	    " AND l.account_id = a.id"
	    " WHERE a.owner = 'gateway' AND a.kind = 'doubt'"
	    " GROUP BY a.community_id, a.id"
	    " HAVING COALESCE(SUM(l.amount), 0) <> (SELECT"
	    " COALESCE(SUM(d.amount_fen), 0) FROM money_doubt d"
	    " WHERE d.community_id = a.community_id"
	    " AND d.state = 'open')", NULL, 0 },
	[CHECK_LIVE] = { RO, 0, &ledger_fault_view,
	    "SELECT p.community_id, p.id FROM payment p"
	    " JOIN payment_item i ON i.community_id = p.community_id"
	    " AND i.payment_id = p.id AND i.live = 1"
	    " WHERE p.state IN ('closed', 'doubtful', 'refunded')"
	    " GROUP BY p.community_id, p.id", NULL, 0 },
};

static const struct ledger_check checks[] = {
	{ "a payment is paid without an entry, or the other way round",
	    &check_sql[CHECK_ENTRY] },
	{ "a payment's entry is not what was paid", &check_sql[CHECK_SUM] },
	{ "a payment is not the sum of its parts",
	    &check_sql[CHECK_PARTS] },
	{ "a refund has no entry", &check_sql[CHECK_REFUNDS] },
	{ "the shelf is not the sum of what lies on it",
	    &check_sql[CHECK_SHELF] },
	{ "a payment that is over holds a thing",
	    &check_sql[CHECK_LIVE] },
	{ NULL, NULL }
};

void
payment_book_register(void)
{
	db_register(book_sql, BOOK_SQL_MAX);
	db_register(check_sql, CHECK_SQL_MAX);
	ledger_check_register(checks);
}

enum err
payment_find(struct req *rq, const char *kind, int64_t thing_id,
    struct payment_of *ret)
{
	return db_one(rq->db, rq->arena, &book_sql[BOOK_FIND],
	    WITH(V(rq->who.community_id), V(kind), V(thing_id)), ret);
}

enum err
payment_release(struct req *rq, const struct payment_row *p)
{
	const struct payment_kind	*k;
	struct payment_parts		 parts;
	enum err			 e;
	int				 i;

	if ((e = payment_parts(rq, p->id, &parts)) != OK ||
	    (e = db_run(rq->db, &book_sql[BOOK_FREE],
	    WITH(V(p->community_id), V(p->id)), NULL)) != OK ||
	    (e = db_run(rq->db, &book_sql[BOOK_QUIET],
	    WITH(V(p->community_id), V(p->id)), NULL)) != OK)
		return e;
	for (i = 0; i < parts.n; i++) {
		k = payment_thing_kind(parts.at[i].kind);
		if (!parts.at[i].live || k == NULL || k->closed == NULL)
			continue;
		e = k->closed(rq, parts.at[i].thing_id, p->id);
		if (e == ERR_STATE || e == ERR_ABSENT)
			payment_forgive(rq);
		else if (e != OK)
			return e;
	}
	return OK;
}

enum err
payment_let_go(struct req *rq, const char *kind, int64_t thing_id,
    int64_t payment_id)
{
	return db_run(rq->db, &book_sql[BOOK_LET_GO],
	    WITH(V(rq->who.community_id), V(payment_id), V(kind),
	    V(thing_id)), NULL);
}

static enum err
post_paid(struct req *rq, const struct payment_row *p,
    const struct payment_parts *parts, struct ledger_key from, int64_t at)
{
	struct ledger_entry	*x = ARENA_NEW(rq->arena,
				    struct ledger_entry);
	int			 i;

	x->community_id = p->community_id;
	x->kind = "paid";
	x->thing = "payment";
	x->thing_id = p->id;
	x->at = at;
	x->by_id = p->owner_id;
	for (i = 0; i < parts->n; i++)
		ledger_add(x, payment_thing_due(parts->at[i].payee_id),
		    parts->at[i].amount_fen);
	ledger_add(x, from, -p->total_fen);
	return ledger_post(rq->db, rq->arena, x);
}

/* Tell the kinds; fen[i] is what nobody wants. */
static enum err
tell_kinds(struct req *rq, const struct payment_row *p,
    const struct payment_parts *parts, int64_t at, int64_t *fen,
    int *ret_wanted)
{
	const struct payment_kind	*k;
	const struct payment_part	*part;
	enum err			 e;
	int				 i;

	*ret_wanted = 0;
	for (i = 0; i < parts->n; i++) {
		part = &parts->at[i];
		fen[i] = 0;
		k = payment_thing_kind(part->kind);
		e = k == NULL ? ERR_STATE : k->paid(rq,
		    &(struct payment_item){ .payment_id = p->id,
		    .thing_id = part->thing_id, .payee_id = part->payee_id,
		    .payer_id = p->owner_id, .amount_fen = part->amount_fen,
		    .left_fen = part->amount_fen, .at = at });
		if (e == OK)
			++*ret_wanted;
		else if (e == ERR_STATE || e == ERR_ABSENT) {
			payment_forgive(rq);
			fen[i] = part->amount_fen;
		} else
			return e;
	}
	return OK;
}

enum err
payment_book_parts(struct req *rq, const struct payment_row *p,
    struct ledger_key from, bool all, const char *transaction_id,
    int64_t paid_at)
{
	struct payment_parts	*parts = ARENA_NEW(rq->arena,
				    struct payment_parts);
	struct payment_back	 back = { .payment_id = p->id,
		.reason = "已不需要付款，原路退回" };
	int64_t			 fen[PAYMENT_THINGS];
	enum err		 e;
	int			 wanted;

	if ((e = payment_parts(rq, p->id, parts)) != OK ||
	    (e = tell_kinds(rq, p, parts, paid_at, fen, &wanted)) != OK)
		return e;
	if (wanted == 0 || (all && wanted < parts->n))
		return ERR_STATE;
	if ((e = db_run(rq->db, &book_sql[BOOK_PAID],
	    WITH(V(p->community_id), V(p->id), V(transaction_id),
	    V(paid_at)), NULL)) != OK ||
	    (e = post_paid(rq, p, parts, from, paid_at)) != OK ||
	    (e = payment_move(rq, &payment_flow, p->id, all ? "rebook" :
	    "pay", NULL)) != OK)
		return e;
	if (wanted == parts->n)
		return OK;
	return payment_refund_parts(rq, p, parts, fen, false, &back);
}

struct booking {
	const struct pay_trade	*trade;
	const char		*notice;
};

/* Whether something else paid for what this one was to pay. */
static enum err
why_unwanted(struct req *rq, const struct payment_row *p, const char **ret)
{
	struct payment_parts	parts;
	struct payment_of	of;
	enum err		e;
	int			i;

	*ret = "unwanted";
	if ((e = payment_parts(rq, p->id, &parts)) != OK)
		return e;
	for (i = 0; i < parts.n; i++) {
		e = payment_find(rq, parts.at[i].kind, parts.at[i].thing_id,
		    &of);
		if (e == OK && of.payment_id != p->id &&
		    of.refunded_fen < of.amount_fen)
			*ret = "doubled";
		else if (e != OK && e != ERR_ABSENT)
			return e;
	}
	return OK;
}

/* It came, and is not what this payment waits for. */
static enum err
shelve(struct req *rq, const struct payment_row *p,
    const struct pay_trade *t, const char *why)
{
	enum err	e;

	if ((e = payment_doubt_add(rq, p, t, why)) != OK ||
	    (e = payment_release(rq, p)) != OK)
		return e;
	return payment_move(rq, &payment_flow, p->id, "doubt", NULL);
}

static bool
is_waiting(const struct payment_row *p)
{
	return strcmp(p->state, "created") == 0 ||
	    strcmp(p->state, "paying") == 0;
}

static enum err
book_row(struct req *rq, const struct payment_row *p,
    const struct pay_trade *t)
{
	const char	*why;
	bool		 closed = strcmp(p->state, "closed") == 0;
	enum err	 e;

	if (p->transaction_id != NULL &&
	    strcmp(p->transaction_id, t->transaction_id) == 0)
		return OK;
	if (!is_waiting(p) && !closed)
		return payment_doubt_add(rq, p, t, "doubled");
	if (t->total_fen != p->total_fen || t->currency == NULL ||
	    strcmp(t->currency, "CNY") != 0)
		return shelve(rq, p, t, "wrong_amount");
	if (closed) {
		if ((e = why_unwanted(rq, p, &why)) != OK)
			return e;
		return shelve(rq, p, t, strcmp(why, "doubled") == 0 ? why :
		    "late");
	}
	e = payment_book_parts(rq, p, payment_thing_clearing(), false,
	    t->transaction_id, t->paid_at);
	if (e != ERR_STATE)
		return e;
	if ((e = why_unwanted(rq, p, &why)) != OK)
		return e;
	return shelve(rq, p, t, why);
}

enum err
payment_book_notice(struct req *rq, const char *id, const char *number,
    bool *ret_first)
{
	int64_t		n = 1;
	enum err	e = OK;

	if (id != NULL)
		e = db_run(rq->db, &book_sql[BOOK_NOTICE],
		    WITH(V(id), V(number), V(rq->now)), &n);
	*ret_first = n == 1;
	return e;
}

static enum err
book(struct req *rq, void *arg)
{
	struct booking		*b = arg;
	struct payment_row	 p;
	bool			 first;
	enum err		 e;

	e = payment_book_notice(rq, b->notice, b->trade->number, &first);
	if (e != OK || !first)
		return e;
	e = payment_take_number(rq, b->trade->number, &p);
	if (e == ERR_ABSENT)
		return payment_doubt_add(rq, NULL, b->trade, "unknown");
	if (e != OK)
		return e;
	rq->who.community_id = p.community_id;
	e = book_row(rq, &p, b->trade);
	/* All is written and nothing is kept. */
	FAULT("payment.before_commit");
	return e;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Whether it is for our merchant number and program at all. */
static bool
is_ours(const struct req *rq, const struct pay_trade *t)
{
	const char	*sub = rq->conf->pay_sub_appid;

	return same(t->mchid, pay_mchid()) &&
	    (same(t->appid, rq->conf->wechat_appid) ||
	    (sub != NULL && sub[0] != '\0' && same(t->appid, sub)));
}

enum err
payment_book(struct req *rq, const struct pay_trade *t, const char *notice)
{
	struct booking	b = { t, notice };
	struct pay_trade copy = *t;

	if (t->number == NULL || t->transaction_id == NULL ||
	    t->total_fen <= 0)
		return ERR_MALFORMED;
	if (!is_ours(rq, t)) {
		log_error("payment number=%s appid=%s mchid=%s"
		    " fault=\"not for us\"", t->number,
		    t->appid != NULL ? t->appid : "-",
		    t->mchid != NULL ? t->mchid : "-");
		return ERR_CONFLICT;
	}
	if (copy.paid_at == VIEW_NULL_INT)
		copy.paid_at = rq->now;
	b.trade = &copy;
	return req_transact(rq, book, &b);
}
