/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_pay.c -- orders of water as things that are paid online.
 *
 * The barrels of an order that waits for its money are taken from the
 * stock.  They go back only when nobody can pay any more: an order with a
 * payment open is never ended by its own clock, but has the payment closed
 * at the gateway first and waits to be told.  Its owner may end it at any
 * time, for money that comes after that goes back by itself.
 *
 * A paid order that ends without water gives all back; what is given back
 * after water came is the station's own decision.  A deposit is taken at
 * the door and given back there.
 */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/water.h"

#define KIND	"water_order"
/* Beyond the time to pay: the gateway ends first. */
#define GRACE	(2 * CLOCK_MINUTE)
#define AGAIN	(2 * CLOCK_MINUTE)

struct payable {
	int64_t		 id;
	const char	*state;
	const char	*payment;
	int64_t		 org_id;
	int64_t		 owner_id;
	int64_t		 total_fen;
	const char	*title;
	int64_t		 created_at;
};

static const struct view_column payable_columns[] = {
	C_ID(payable, id),
	C_TEXT(payable, state),
	C_TEXT(payable, payment),
	C_ID(payable, org_id),
	C_ID(payable, owner_id),
	C_FEN(payable, total_fen),
	C_TEXT(payable, title),
	C_TIME(payable, created_at),
	C_END
};
static const struct view payable_view = VIEW(payable, "WaterPayable");

/* An order as its owner or the desk of its station see it. */
struct returnable {
	const char	*state;
	int64_t		 owner_id;
};

static const struct view_column returnable_columns[] = {
	C_TEXT(returnable, state),
	C_ID(returnable, owner_id),
	C_END
};
static const struct view returnable_view =
    VIEW(returnable, "WaterReturnable");

enum { PAY_TAKE, PAY_UNTIL, PAY_PAID, PAY_BACK, PAY_CHECK_PAID,
	PAY_CHECK_MOVED, PAY_SQL_MAX };

static struct stmt pay_sql[] = {
	/* The row is taken: what it says stands until the commit. */
	[PAY_TAKE] = { RW, 2, &payable_view,
	    "UPDATE water_order SET version = version"
	    " WHERE community_id = $1 AND id = $2"
	    " RETURNING id, state, payment, org_id, owner_id, total_fen,"
	    " title, created_at", NULL, 0 },
	[PAY_UNTIL] = { RW, 3, NULL,
	    "UPDATE water_order SET deadline_at = $3"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state = 'paying'", NULL, 0 },
	[PAY_PAID] = { RW, 3, NULL,
	    "UPDATE water_order SET paid_at = $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[PAY_BACK] = { RO, 3, &returnable_view,
	    "SELECT w.state, w.owner_id FROM water_order w"
	    " WHERE w.community_id = $1 AND w.id = $2"
	    " AND (w.owner_id = $3 OR EXISTS (SELECT 1 FROM org_staff s"
	    " WHERE s.community_id = w.community_id AND s.org_id = w.org_id"
	    " AND s.user_id = $3 AND s.duty <> 'courier'))", NULL, 0 },

	/* What a station was told to deliver was paid. */
	[PAY_CHECK_PAID] = { RO, 0, &ledger_fault_view,
	    "SELECT o.community_id, o.id FROM water_order o"
	    " WHERE o.payment = 'online' AND ((o.state IN ('placed',"
	    " 'accepted', 'delivering', 'delivered', 'completed')"
	    " AND (SELECT MAX((SELECT p.paid_at FROM payment p"
	    " WHERE p.community_id = i.community_id"
	    " AND p.id = i.payment_id)) FROM payment_item i"
	    " WHERE i.community_id = o.community_id"
	    " AND i.kind = '" KIND "' AND i.thing_id = o.id)"
	    " IS NULL) OR (o.state IN ('unpaid', 'paying')"
	    " AND o.paid_at IS NOT NULL))", NULL, 0 },
	/* And what was paid was told to it, or went back. */
	[PAY_CHECK_MOVED] = { RO, 0, &ledger_fault_view,
	    "SELECT i.community_id, i.thing_id AS id FROM payment_item i"
	    " WHERE i.kind = '" KIND "' AND i.live = 1"
	    " AND (SELECT p.paid_at FROM payment p"
	    " WHERE p.community_id = i.community_id"
	    " AND p.id = i.payment_id) IS NOT NULL"
	    " AND COALESCE((SELECT o.state FROM water_order o"
	    " WHERE o.community_id = i.community_id"
	    " AND o.id = i.thing_id), 'unpaid') NOT IN ('placed',"
	    " 'accepted', 'delivering', 'delivered', 'completed')",
	    NULL, 0 },
};

static const struct ledger_check pay_checks[] = {
	{ "an order paid online is not paid as its state asks",
	    &pay_sql[PAY_CHECK_PAID] },
	{ "an order that was paid has not moved on",
	    &pay_sql[PAY_CHECK_MOVED] },
	{ NULL, NULL }
};

int64_t
water_pay_time(const struct req *rq)
{
	return rq->conf->pay_minutes * CLOCK_MINUTE;
}

static enum err
take(struct req *rq, int64_t id, struct payable *ret)
{
	return db_one(rq->db, rq->arena, &pay_sql[PAY_TAKE],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static bool
waits(const struct payable *o)
{
	return strcmp(o->payment, water_payments[WATER_ONLINE]) == 0 &&
	    (strcmp(o->state, "unpaid") == 0 ||
	    strcmp(o->state, "paying") == 0);
}

/* ---- as a kind of things ---- */

static enum err
pay_quote(struct req *rq, int64_t id, struct payment_thing *ret)
{
	struct payable	o;
	enum err	e;

	if ((e = take(rq, id, &o)) != OK)
		return e;
	if (o.owner_id != rq->who.user_id)
		return ERR_ABSENT;
	if (!waits(&o))
		return req_failf(rq, ERR_STATE,
		    "这张订单现在是“%s”，不需要在线付款。",
		    flow_label(&water_flow, o.state));
	ret->id = o.id;
	ret->payee_id = o.org_id;
	ret->amount_fen = o.total_fen;
	ret->title = o.title;
	return OK;
}

static enum err
pay_opened(struct req *rq, int64_t id, int64_t payment_id, int64_t until)
{
	struct payable	o;
	enum err	e;

	(void)payment_id;
	if ((e = take(rq, id, &o)) != OK)
		return e;
	if (strcmp(o.state, "unpaid") == 0 &&
	    (e = flow_system(rq, &water_flow, id, "begin", NULL)) != OK)
		return e;
	return db_run(rq->db, &pay_sql[PAY_UNTIL],
	    WITH(V(rq->who.community_id), V(id), V(until + GRACE)), NULL);
}

/* It may be paid anew while its own time is not over. */
static enum err
pay_closed(struct req *rq, int64_t id, int64_t payment_id)
{
	struct payable	o;
	enum err	e;

	(void)payment_id;
	if ((e = take(rq, id, &o)) != OK)
		return e;
	if (strcmp(o.state, "paying") != 0)
		return OK;
	return flow_system(rq, &water_flow, id,
	    rq->now < o.created_at + water_pay_time(rq) ? "reopen" : "lapse",
	    NULL);
}

static enum err
pay_paid(struct req *rq, const struct payment_item *item)
{
	struct payable	o;
	enum err	e;

	e = take(rq, item->thing_id, &o);
	if (e == ERR_ABSENT)
		return ERR_STATE;
	if (e != OK)
		return e;
	if (!waits(&o) || o.total_fen != item->amount_fen ||
	    o.org_id != item->payee_id)
		return ERR_STATE;
	e = db_run(rq->db, &pay_sql[PAY_PAID],
	    WITH(V(rq->who.community_id), V(o.id), V(item->at)), NULL);
	if (e != OK)
		return e;
	return flow_system(rq, &water_flow, o.id, "pay", NULL);
}

static enum err
pay_refundable(struct req *rq, int64_t id, int64_t *ret_fen)
{
	struct payment_of	of;
	struct returnable	o;
	enum err		e;

	e = db_one(rq->db, rq->arena, &pay_sql[PAY_BACK],
	    WITH(V(rq->who.community_id), V(id), V(rq->who.user_id)), &o);
	if (e != OK)
		return e;
	/* Who lost the role is no desk, though the station lists them. */
	if (o.owner_id != rq->who.user_id &&
	    (rq->who.roles & ROLE_MERCHANT) == 0)
		return ERR_ABSENT;
	if (strcmp(o.state, "delivered") != 0 &&
	    strcmp(o.state, "completed") != 0)
		return req_fail(rq, ERR_STATE,
		    "水还没有送到，请直接取消订单，货款会自动原路退回。");
	if (o.owner_id == rq->who.user_id)
		return req_fail(rq, ERR_STATE,
		    "水已经送到，退款请联系水站，由水站确认后原路退回。");
	if ((e = payment_find(rq, KIND, id, &of)) != OK)
		return e;
	*ret_fen = of.amount_fen - of.refunded_fen;
	return OK;
}

/* The order's own end, if any, has been told by its flow. */
static enum err
pay_refunded(struct req *rq, const struct payment_item *item)
{
	(void)rq;
	(void)item;
	return OK;
}

static const struct payment_kind pay_kind = {
	.name = KIND,
	.label = "送水订单",
	.quote = pay_quote,
	.opened = pay_opened,
	.closed = pay_closed,
	.paid = pay_paid,
	.refundable = pay_refundable,
	.refunded = pay_refunded,
};

/* ---- for the flow ---- */

enum err
water_pay_begin(struct req *rq, struct flow_step *st)
{
	st->deadline_at = rq->now + water_pay_time(rq) + GRACE;
	return OK;
}

enum err
water_pay_wind_up(struct req *rq, struct flow_step *st)
{
	st->deadline_at = rq->now + AGAIN;
	return payment_drop(rq, KIND, st->thing.id);
}

enum err
water_pay_end(struct req *rq, struct flow_step *st)
{
	enum err	e;

	if (strcmp(st->thing.state, "unpaid") == 0 ||
	    strcmp(st->thing.state, "paying") == 0)
		return payment_drop(rq, KIND, st->thing.id);
	e = payment_give_back(rq, KIND, st->thing.id, 0,
	    "订单没有送水，货款退回");
	return e == ERR_ABSENT ? OK : e;
}

void
water_pay_register(void)
{
	db_register(pay_sql, PAY_SQL_MAX);
	ledger_check_register(pay_checks);
	payment_thing_add(&pay_kind);
}
