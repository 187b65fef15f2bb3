/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settlement.c -- what payees have to get, and what was paid out to them.
 *
 * The sum is that of the ledger's account org/due, which is not kept; so a
 * pay-out takes the payee's row first, and of two at once the second sees
 * the first.  The money moves at the bank; here it is written down with the
 * bank's reference, once.
 */
#include "base/arena.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/ledger.h"
#include "service/payment.h"
#include "service/service.h"

#define MONEY	(ROLE_ADMIN | ROLE_PLATFORM)

struct settlement {
	int64_t		 payee_id;
	const char	*payee;
	int64_t		 due_fen;
	int64_t		 paid_out_fen;
};

static const struct view_column settlement_columns[] = {
	C_ID(settlement, payee_id),
	C_TEXT(settlement, payee),
	C_FEN(settlement, due_fen, .about = "theirs and not paid out"),
	C_FEN(settlement, paid_out_fen, .about = "in all"),
	C_END
};
static const struct view settlement_view = VIEW(settlement, "Settlement");

struct payout {
	int64_t		 id;
	int64_t		 payee_id, amount_fen;
	const char	*reference;
	const char	*by_name;
	int64_t		 at;
};

static const struct view_column payout_columns[] = {
	C_ID(payout, id),
	C_ID(payout, payee_id),
	C_FEN(payout, amount_fen),
	C_TEXT(payout, reference),
	C_TEXT(payout, by_name),
	C_TIME(payout, at),
	C_END
};
static const struct view payout_view = VIEW(payout, "Payout");

enum { SETTLEMENT_LIST, SETTLEMENT_ONE, SETTLEMENT_TAKE, SETTLEMENT_ADD,
	SETTLEMENT_PAYOUTS, SETTLEMENT_SQL_MAX };

#define SETTLEMENT_SELECT						\
	"SELECT o.id AS payee_id, o.name AS payee,"			\
	" CAST(COALESCE((SELECT SUM(l.amount) FROM ledger_line l"	\
	" WHERE l.community_id = a.community_id"			\
	" AND l.account_id = a.id), 0) AS BIGINT) AS due_fen,"		\
	" CAST(COALESCE((SELECT SUM(t.amount_fen) FROM payout t"	\
	" WHERE t.community_id = o.community_id"			\
	" AND t.payee_id = o.id), 0) AS BIGINT) AS paid_out_fen"	\
	" FROM org o JOIN ledger_account a"				\
	" ON a.community_id = o.community_id AND a.owner = 'org'"	\
	" AND a.owner_id = o.id AND a.kind = 'due'"			\
	" WHERE o.community_id = $1"

static struct stmt settlement_sql[] = {
	[SETTLEMENT_LIST] = { RO, 3, &settlement_view,
	    SETTLEMENT_SELECT " AND o.id > $2 ORDER BY o.id LIMIT $3",
	    NULL, 0 },
	[SETTLEMENT_ONE] = { RO, 2, &settlement_view,
	    SETTLEMENT_SELECT " AND o.id = $2", NULL, 0 },
	[SETTLEMENT_TAKE] = { RW, 2, NULL,
	    "INSERT INTO payout_payee (community_id, payee_id, payouts)"
	    " VALUES ($1, $2, 1) ON CONFLICT (community_id, payee_id)"
	    " DO UPDATE SET payouts = payout_payee.payouts + 1", NULL, 0 },
	[SETTLEMENT_ADD] = { RW, 7, NULL,
	    "INSERT INTO payout (community_id, id, payee_id, amount_fen,"
	    " reference, by_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	    " ON CONFLICT (community_id, payee_id, reference) DO NOTHING",
	    NULL, 0 },
	[SETTLEMENT_PAYOUTS] = { RO, 4, &payout_view,
	    "SELECT t.id, t.payee_id, t.amount_fen, t.reference,"
	    " u.name AS by_name, t.at FROM payout t"
	    " JOIN app_user u ON u.id = t.by_id"
	    " WHERE t.community_id = $1 AND t.payee_id = $2"
	    " AND t.id < $3 ORDER BY t.id DESC LIMIT $4", NULL, 0 },
};

struct settlement_page {
	int64_t		 limit, after;
};
static const struct field settlement_page_fields[] = {
	F_PAGE(settlement_page), F_END
};
static const struct shape settlement_page_shape =
    SHAPE(settlement_page, "SettlementPage");

struct payout_page {
	int64_t		 payee_id, limit, after;
};
static const struct field payout_page_fields[] = {
	F_ID(payout_page, payee_id, "收款单位", MUST),
	F_PAGE(payout_page), F_END
};
static const struct shape payout_page_shape =
    SHAPE(payout_page, "PayoutPage");

struct payout_new {
	int64_t		 payee_id, amount_fen;
	const char	*reference;
};
static const struct field payout_new_fields[] = {
	F_ID(payout_new, payee_id, "收款单位", MUST),
	F_INT(payout_new, amount_fen, "金额", MUST, 1, MONEY_MAX),
	F_TEXT(payout_new, reference, "银行流水号", MUST, 4, 64),
	F_END
};
static const struct shape payout_new_shape = SHAPE(payout_new, "PayoutNew");

static enum err
settlement_list(struct req *rq)
{
	const struct settlement_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &settlement_sql[SETTLEMENT_LIST],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
settlement_payouts(struct req *rq)
{
	const struct payout_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &settlement_sql[SETTLEMENT_PAYOUTS],
	    WITH(V(rq->who.community_id), V(in->payee_id),
	    V(in->after != 0 ? in->after : INT64_MAX), V(limit + 1)),
	    limit);
}

static enum err
post(struct req *rq, const struct payout_new *in, int64_t id)
{
	struct ledger_entry	*x = ARENA_NEW(rq->arena,
				    struct ledger_entry);

	x->community_id = rq->who.community_id;
	x->kind = "settled";
	x->thing = "payout";
	x->thing_id = id;
	x->note = in->reference;
	x->at = rq->now;
	x->by_id = req_caller(rq);
	ledger_add(x, payment_thing_due(in->payee_id), -in->amount_fen);
	ledger_add(x, payment_thing_clearing(), in->amount_fen);
	return ledger_post(rq->db, rq->arena, x);
}

static enum err
settlement_pay(struct req *rq)
{
	const struct payout_new	*in = rq->in;
	struct settlement	 s;
	int64_t			 id = id_new(), n;
	int64_t			 here = rq->who.community_id;
	enum err		 e;

	if ((e = db_one(rq->db, rq->arena, &settlement_sql[SETTLEMENT_ONE],
	    WITH(V(here), V(in->payee_id)), &s)) != OK ||
	    (e = db_run(rq->db, &settlement_sql[SETTLEMENT_TAKE],
	    WITH(V(here), V(in->payee_id)), NULL)) != OK ||
	    (e = db_one(rq->db, rq->arena, &settlement_sql[SETTLEMENT_ONE],
	    WITH(V(here), V(in->payee_id)), &s)) != OK)
		return e;
	if (in->amount_fen > s.due_fen)
		return req_fail(rq, ERR_SHORT,
		    "金额超过应结给该单位的余额，请核对后再登记。");
	e = db_run(rq->db, &settlement_sql[SETTLEMENT_ADD], WITH(V(here),
	    V(id), V(in->payee_id), V(in->amount_fen), V(in->reference),
	    V(req_caller(rq)), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_CONFLICT,
		    "这个银行流水号已经登记过，请核对。");
	if ((e = post(rq, in, id)) != OK)
		return e;
	audit_thing(rq, "payout", id);
	audit_reason(rq, in->reference);
	if ((e = db_one(rq->db, rq->arena, &settlement_sql[SETTLEMENT_ONE],
	    WITH(V(here), V(in->payee_id)), &s)) != OK)
		return e;
	return req_one(rq, &s);
}

static const struct route settlement_routes[] = {
	{ GET, "/api/v1/settlements", MONEY, &settlement_page_shape,
	    REPLY_LIST, &settlement_view, 200, POOL_API, TX_READ,
	    settlement_list, "What each payee has to get now" },
	{ GET, "/api/v1/settlements/{payee_id}/payouts", MONEY,
	    &payout_page_shape, REPLY_LIST, &payout_view, 200, POOL_API,
	    TX_READ, settlement_payouts, "What a payee got, newest first" },
	{ POST, "/api/v1/settlements/{payee_id}/paid-out", MONEY,
	    &payout_new_shape, REPLY_ONE, &settlement_view, 201, POOL_API,
	    TX_WRITE, settlement_pay,
	    "Write down what left for a payee's bank account" },
	{ 0 }
};

void
settlement_register(void)
{
	db_register(settlement_sql, SETTLEMENT_SQL_MAX);
	route_register("settlements", settlement_routes);
}
