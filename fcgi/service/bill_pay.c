/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_pay.c -- bills as things to be paid (payment.h, kind "bill").
 *
 * What is opened to be paid is noted line by line, with the late fee of
 * that moment, and stands until it is paid or closed.  A payment pays what
 * is not doubted; the rest is paid by another when the doubt is settled.
 * What was given back whole is owed again, without late fee for the days
 * between.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "http/req.h"
#include "service/bill_internal.h"
#include "service/ledger.h"
#include "service/payment.h"

/* What is left of the payments of a bill, and of one. */
struct bill_kept {
	int64_t		 principal_fen, late_fen, waived_fen, refunded_fen;
	int64_t		 paid_at;
};

static const struct view_column bill_kept_columns[] = {
	C_FEN(bill_kept, principal_fen),
	C_FEN(bill_kept, late_fen),
	C_FEN(bill_kept, waived_fen),
	C_FEN(bill_kept, refunded_fen),
	C_TIME(bill_kept, paid_at),
	C_END
};
static const struct view bill_kept_view = VIEW(bill_kept, "BillKept");

enum { PAY_OPEN, PAY_OPEN_LINES, PAY_REST, PAY_CLOSE, PAY_CLOSE_LINES,
	PAY_LINES, PAY_NOTE, PAY_BILL, PAY_KEPT, PAY_ONE, PAY_BACK,
	PAY_BACK_BILL, PAY_AGAIN, PAY_AGAIN_BILL, PAY_CHECK,
	PAY_SQL_MAX };

static struct stmt pay_sql[] = {
	[PAY_OPEN] = { RW, 7, NULL,
	    "UPDATE bill SET paying_id = $3, paying_until = $4,"
	    " paying_fen = $5, paying_late_fen = $6, paying_waived_fen = $7"
	    " WHERE community_id = $1 AND id = $2 AND paying_id IS NULL",
	    NULL, 0 },
	[PAY_OPEN_LINES] = { RW, 2, NULL,
	    "UPDATE bill_line SET paying = 1 WHERE community_id = $1"
	    " AND bill_id = $2 AND payment_id IS NULL"
	    " AND dispute_id IS NULL AND amount_fen > 0", NULL, 0 },
	[PAY_REST] = { RO, 2, &bill_rest_view,
	    "SELECT COUNT(*) AS unpaid, COUNT(dispute_id) AS disputed,"
	    " CAST(0 AS BIGINT) AS paid,"
	    " COALESCE(CAST(SUM(amount_fen) AS BIGINT), 0) AS principal_fen"
	    " FROM bill_line WHERE community_id = $1 AND bill_id = $2"
	    " AND payment_id IS NULL AND amount_fen > 0", NULL, 0 },
	[PAY_CLOSE] = { RW, 3, NULL,
	    "UPDATE bill SET paying_id = NULL, paying_until = NULL,"
	    " paying_fen = NULL, paying_late_fen = NULL,"
	    " paying_waived_fen = NULL WHERE community_id = $1 AND id = $2"
	    " AND paying_id = $3", NULL, 0 },
	[PAY_CLOSE_LINES] = { RW, 2, NULL,
	    "UPDATE bill_line SET paying = 0 WHERE community_id = $1"
	    " AND bill_id = $2 AND paying = 1", NULL, 0 },
	[PAY_LINES] = { RW, 3, NULL,
	    "UPDATE bill_line SET payment_id = $3, paying = 0"
	    " WHERE community_id = $1 AND bill_id = $2 AND paying = 1",
	    NULL, 0 },
	[PAY_NOTE] = { RW, 8, NULL,
	    "INSERT INTO bill_payment (community_id, bill_id, payment_id,"
	    " payer_id, principal_fen, late_fen, waived_fen, refunded_fen,"
	    " paid_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
	    NULL, 0 },
	[PAY_BILL] = { RW, 6, NULL,
	    "UPDATE bill SET paid_fen = paid_fen + $3,"
	    " late_paid_fen = late_paid_fen + $4,"
	    " late_waived_fen = late_waived_fen - $5, paying_id = NULL,"
	    " paying_until = NULL, paying_fen = NULL,"
	    " paying_late_fen = NULL, paying_waived_fen = NULL,"
	    " paid_at = $6 WHERE community_id = $1 AND id = $2", NULL, 0 },
	[PAY_KEPT] = { RO, 2, &bill_kept_view,
	    "SELECT COALESCE(CAST(SUM(principal_fen) AS BIGINT), 0)"
	    " AS principal_fen, COALESCE(CAST(SUM(late_fen) AS BIGINT), 0)"
	    " AS late_fen, CAST(0 AS BIGINT) AS waived_fen,"
	    " COALESCE(CAST(SUM(refunded_fen) AS BIGINT), 0)"
	    " AS refunded_fen, CAST(0 AS BIGINT) AS paid_at"
	    " FROM bill_payment WHERE community_id = $1 AND bill_id = $2",
	    NULL, 0 },
	[PAY_ONE] = { RO, 3, &bill_kept_view,
	    "SELECT principal_fen, late_fen, waived_fen, refunded_fen,"
	    " paid_at FROM bill_payment WHERE community_id = $1"
	    " AND bill_id = $2 AND payment_id = $3", NULL, 0 },
	[PAY_BACK] = { RW, 4, NULL,
	    "UPDATE bill_payment SET refunded_fen = refunded_fen + $4"
	    " WHERE community_id = $1 AND bill_id = $2 AND payment_id = $3",
	    NULL, 0 },
	[PAY_BACK_BILL] = { RW, 3, NULL,
	    "UPDATE bill SET refunded_fen = refunded_fen + $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	/* Days late while it was paid are nobody's fault. */
	[PAY_AGAIN] = { RW, 5, NULL,
	    "UPDATE bill_line SET payment_id = NULL,"
	    " frozen_days = frozen_days + (SELECT CASE"
	    " WHEN b.due_day >= $5 THEN 0 WHEN b.due_day > $4"
	    " THEN $5 - b.due_day ELSE $5 - $4 END FROM bill b"
	    " WHERE b.community_id = bill_line.community_id"
	    " AND b.id = bill_line.bill_id)"
	    " WHERE community_id = $1 AND bill_id = $2"
	    " AND payment_id = $3", NULL, 0 },
	[PAY_AGAIN_BILL] = { RW, 5, NULL,
	    "UPDATE bill SET paid_fen = paid_fen - $3,"
	    " late_paid_fen = late_paid_fen - $4,"
	    " late_waived_fen = late_waived_fen + $5"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	/* What was paid and is not given back paid its lines. */
	[PAY_CHECK] = { RO, 0, &ledger_fault_view,
	    "SELECT i.community_id, i.thing_id AS id FROM payment_item i"
	    " WHERE i.kind = 'bill' AND i.live = 1"
	    " AND (SELECT p.paid_at FROM payment p"
	    " WHERE p.community_id = i.community_id"
	    " AND p.id = i.payment_id) IS NOT NULL"
	    " AND (COALESCE((SELECT k.principal_fen + k.late_fen"
	    " FROM bill_payment k WHERE k.community_id = i.community_id"
	    " AND k.bill_id = i.thing_id"
	    " AND k.payment_id = i.payment_id), 0) <> i.amount_fen"
	    " OR (SELECT COUNT(l.payment_id) FROM bill_line l"
	    " WHERE l.community_id = i.community_id"
	    " AND l.bill_id = i.thing_id"
	    " AND l.payment_id = i.payment_id) = 0)", NULL, 0 },
};

static const struct ledger_check pay_checks[] = {
	{ "a bill that was paid is not marked so", &pay_sql[PAY_CHECK] },
	{ NULL, NULL }
};

static enum err
quote(struct req *rq, int64_t id, struct payment_thing *ret)
{
	struct bill_core	b;
	struct bill_due		d;
	enum err		e;

	if ((e = bill_take(rq, id, &b)) != OK)
		return e;
	if (!b.bound)
		return ERR_ABSENT;
	d = bill_core_due(&b);
	if (d.total_fen == 0)
		return req_fail(rq, ERR_STATE, d.disputed_fen > 0 ?
		    "这张账单有异议正在处理，处理完再缴也不计违约金。" :
		    "这张账单已经没有要缴的金额。");
	*ret = (struct payment_thing){ id, b.payee_id, d.total_fen,
	    bill_title(rq, &b) };
	return OK;
}

static enum err
run(struct req *rq, int which, int64_t id)
{
	return db_run(rq->db, &pay_sql[which],
	    WITH(V(rq->who.community_id), V(id)), NULL);
}

static enum err
opened(struct req *rq, int64_t id, int64_t payment_id, int64_t until)
{
	struct bill_core	b;
	struct bill_due		d;
	int64_t			n;
	enum err		e;

	if ((e = bill_take(rq, id, &b)) != OK ||
	    (e = bill_not_paying(rq, &b)) != OK)
		return e;
	d = bill_core_due(&b);
	e = db_run(rq->db, &pay_sql[PAY_OPEN],
	    WITH(V(rq->who.community_id), V(id), V(payment_id), V(until),
	    V(d.total_fen), V(d.late_fen), V(d.waived_fen)), &n);
	return e != OK ? e : run(rq, PAY_OPEN_LINES, id);
}

static enum err
closed(struct req *rq, int64_t id, int64_t payment_id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &pay_sql[PAY_CLOSE],
	    WITH(V(rq->who.community_id), V(id), V(payment_id)), &n);
	/* It is being paid by another, or was paid. */
	if (e != OK || n == 0)
		return e;
	return run(rq, PAY_CLOSE_LINES, id);
}

/*
 * Money that was opened here, or comes late for just what is due; not wanted
 * is what was paid or changed meanwhile.
 */
static enum err
wanted(struct req *rq, const struct payment_item *it, struct bill_due *ret)
{
	struct bill_core	b;
	enum err		e;

	e = bill_take(rq, it->thing_id, &b);
	if (e != OK)
		return e == ERR_ABSENT ? ERR_STATE : e;
	*ret = bill_core_due(&b);
	if (ret->total_fen != it->amount_fen || it->amount_fen == 0)
		return ERR_STATE;
	if (b.paying_id == it->payment_id)
		return OK;
	return b.paying_id != 0 ? ERR_STATE :
	    run(rq, PAY_OPEN_LINES, it->thing_id);
}

/*
 * What was doubted when this was opened, and may be due again by now, is
 * paid by another payment.
 */
static enum err
leave_rest(struct req *rq, const struct payment_item *it)
{
	struct bill_rest	rest;
	enum err		e;

	if ((e = bill_settle(rq, it->thing_id)) != OK ||
	    (e = db_one(rq->db, rq->arena, &pay_sql[PAY_REST],
	    WITH(V(rq->who.community_id), V(it->thing_id)), &rest)) != OK ||
	    rest.unpaid == 0)
		return e;
	return payment_let_go(rq, "bill", it->thing_id, it->payment_id);
}

static enum err
paid(struct req *rq, const struct payment_item *it)
{
	int64_t		community = rq->who.community_id;
	struct bill_due	d;
	enum err	e;

	if ((e = wanted(rq, it, &d)) != OK)
		return e;
	e = db_run(rq->db, &pay_sql[PAY_LINES], WITH(V(community),
	    V(it->thing_id), V(it->payment_id)), NULL);
	if (e == OK)
		e = db_run(rq->db, &pay_sql[PAY_NOTE], WITH(V(community),
		    V(it->thing_id), V(it->payment_id), V(it->payer_id),
		    V(d.principal_fen), V(d.late_fen), V(d.waived_fen),
		    V(it->at)), NULL);
	if (e == OK)
		e = db_run(rq->db, &pay_sql[PAY_BILL], WITH(V(community),
		    V(it->thing_id), V(d.principal_fen), V(d.late_fen),
		    V(d.waived_fen), V(it->at)), NULL);
	return e != OK ? e : leave_rest(rq, it);
}

static enum err
refundable(struct req *rq, int64_t id, int64_t *ret_fen)
{
	struct bill_core	b;
	struct bill_kept	k;
	enum err		e;

	if ((e = bill_take(rq, id, &b)) != OK)
		return e;
	if (!b.staff)
		return !b.bound ? ERR_ABSENT : req_fail(rq, ERR_STATE,
		    "已缴账单的退款由收费单位办理，请与收费单位联系。");
	e = db_one(rq->db, rq->arena, &pay_sql[PAY_KEPT],
	    WITH(V(rq->who.community_id), V(id)), &k);
	if (e != OK)
		return e;
	*ret_fen = k.principal_fen + k.late_fen - k.refunded_fen;
	return *ret_fen > 0 ? OK : req_fail(rq, ERR_STATE,
	    "这张账单没有可以退的金额。");
}

/* All of that payment went back: it is owed again. */
static enum err
owe_again(struct req *rq, const struct payment_item *it)
{
	int64_t			community = rq->who.community_id;
	struct bill_kept	k;
	enum err		e;

	e = db_one(rq->db, rq->arena, &pay_sql[PAY_ONE], WITH(V(community),
	    V(it->thing_id), V(it->payment_id)), &k);
	if (e != OK || k.refunded_fen < k.principal_fen + k.late_fen)
		return e;
	e = db_run(rq->db, &pay_sql[PAY_AGAIN], WITH(V(community),
	    V(it->thing_id), V(it->payment_id), V(bill_day(k.paid_at)),
	    V(bill_day(rq->now))), NULL);
	if (e == OK)
		e = db_run(rq->db, &pay_sql[PAY_AGAIN_BILL],
		    WITH(V(community), V(it->thing_id), V(k.principal_fen),
		    V(k.late_fen), V(k.waived_fen)), NULL);
	return e != OK ? e : bill_settle(rq, it->thing_id);
}

static enum err
refunded(struct req *rq, const struct payment_item *it)
{
	int64_t			community = rq->who.community_id;
	struct bill_core	b;
	int64_t			n;
	enum err		e;

	if ((e = bill_take(rq, it->thing_id, &b)) != OK)
		return e;
	e = db_run(rq->db, &pay_sql[PAY_BACK], WITH(V(community),
	    V(it->thing_id), V(it->payment_id), V(it->amount_fen)), &n);
	/* It was never booked here: the shelf gives it back. */
	if (e != OK || n == 0)
		return e;
	e = db_run(rq->db, &pay_sql[PAY_BACK_BILL], WITH(V(community),
	    V(it->thing_id), V(it->amount_fen)), NULL);
	return e != OK ? e : owe_again(rq, it);
}

static const struct payment_kind bill_kind = {
	.name = "bill",
	.label = "生活缴费",
	.quote = quote,
	.opened = opened,
	.closed = closed,
	.paid = paid,
	.refundable = refundable,
	.refunded = refunded,
};

void
bill_pay_register(void)
{
	db_register(pay_sql, PAY_SQL_MAX);
	ledger_check_register(pay_checks);
	payment_thing_add(&bill_kind);
}
