/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shipping.c -- telling WeChat that what was paid is delivered: the rows,
 * the task that tells, and what WeChat says later.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/service.h"
#include "service/shipping.h"
#include "wechat/wechat.h"

#define ROUND		20	/* told in one run of the task */
#define FRESH		(3 * CLOCK_DAY)
#define TRIES		40
#define REST		(10 * CLOCK_MINUTE)	/* waiting for a handover */

static const char *const state_names[] = { "wanted", "done", "faulty",
    "unneeded", NULL };

/* One to be told, and all that is to be said. */
struct parcel {
	int64_t		 community_id;
	int64_t		 payment_id;
	int64_t		 logistics;
	const char	*item_desc;
	int64_t		 tries;
	const char	*transaction_id;
	const char	*openid;
	int64_t		 waits;		/* for a handover */
	int64_t		 back;		/* all money went back */
};

static const struct view_column parcel_columns[] = {
	C_ID(parcel, community_id),
	C_ID(parcel, payment_id),
	C_INT(parcel, logistics),
	C_TEXT(parcel, item_desc),
	C_INT(parcel, tries),
	C_TEXT(parcel, transaction_id, .flags = VIEW_NULL),
	C_TEXT(parcel, openid, .flags = VIEW_NULL),
	C_BOOL(parcel, waits),
	C_BOOL(parcel, back),
	C_END
};
static const struct view parcel_view = VIEW(parcel, "ShippingParcel");

struct rule {
	int64_t		 managed;
	int64_t		 asked_at;
};

static const struct view_column rule_columns[] = {
	C_BOOL(rule, managed),
	C_TIME(rule, asked_at),
	C_END
};
static const struct view rule_view = VIEW(rule, "ShippingRule");

struct claimed {
	int64_t		 upload_time;
};

static const struct view_column claimed_columns[] = {
	C_TIME(claimed, upload_time),
	C_END
};
static const struct view claimed_view = VIEW(claimed, "ShippingClaim");

struct paid {
	int64_t		 community_id;
	int64_t		 id;
};

static const struct view_column paid_columns[] = {
	C_ID(paid, community_id),
	C_ID(paid, id),
	C_END
};
static const struct view paid_view = VIEW(paid, "ShippingPayment");

struct shipping {
	int64_t		 payment_id;
	const char	*number;
	int64_t		 logistics;
	const char	*item_desc;
	const char	*state;
	int64_t		 uploads;
	int64_t		 corrections;
	int64_t		 tries;
	int64_t		 errcode;
	int64_t		 created_at;
	int64_t		 done_at;
	int64_t		 reminded_at;
	int64_t		 received_at;
	int64_t		 settled_at;
};

static const struct view_column shipping_columns[] = {
	C_ID(shipping, payment_id),
	C_TEXT(shipping, number, .about = "out_trade_no"),
	C_INT(shipping, logistics, .about = "2 same-city, 3 virtual"),
	C_TEXT(shipping, item_desc),
	C_CODE(shipping, state, state_names),
	C_INT(shipping, uploads, .about = "that WeChat took"),
	C_INT(shipping, corrections, .about = "used, of one"),
	C_INT(shipping, tries),
	C_INT(shipping, errcode, .flags = VIEW_NULL,
	    .about = "of the last refusal, WeChat's"),
	C_TIME(shipping, created_at),
	C_TIME(shipping, done_at, .flags = VIEW_NULL),
	C_TIME(shipping, reminded_at, .flags = VIEW_NULL),
	C_TIME(shipping, received_at, .flags = VIEW_NULL,
	    .about = "confirmed by the payer, or for them"),
	C_TIME(shipping, settled_at, .flags = VIEW_NULL,
	    .about = "the money is free, or will be"),
	C_END
};
static const struct view shipping_view = VIEW(shipping, "Shipping");

struct shipping_query {
	int64_t		 state;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field shipping_query_fields[] = {
	F_ENUM(shipping_query, state, "状态", MUST, state_names),
	F_PAGE(shipping_query),
	F_END
};
static const struct shape shipping_query_shape =
    SHAPE(shipping_query, "ShippingQuery");

struct shipping_again {
	int64_t		 id;
	const char	*item_desc;
};

static const struct field shipping_again_fields[] = {
	F_ID(shipping_again, id, "付款", MUST),
	F_TEXT(shipping_again, item_desc, "商品说明", MAY, 1, 120),
	F_END
};
static const struct shape shipping_again_shape =
    SHAPE(shipping_again, "ShippingAgain");

#define SHIPPING_SELECT							\
	"SELECT s.payment_id, p.number, s.logistics, s.item_desc,"	\
	" s.state, s.uploads, s.corrections, s.tries, s.errcode,"	\
	" s.created_at, s.done_at, s.reminded_at, s.received_at,"	\
	" s.settled_at FROM shipping s JOIN payment p"			\
	" ON p.community_id = s.community_id AND p.id = s.payment_id"	\
	" WHERE s.community_id = $1"

enum { SHIP_HANDOVER, SHIP_VIRTUAL, SHIP_DUE, SHIP_CLAIM, SHIP_NOTE,
	SHIP_PUT_OFF, SHIP_RULE, SHIP_RULE_SET, SHIP_RULE_STALE, SHIP_PAID,
	SHIP_SETTLED, SHIP_REMINDED, SHIP_LIST, SHIP_ONE, SHIP_AGAIN,
	SHIP_SQL_MAX };

static struct stmt ship_sql[] = {
	/* What was told as virtual meanwhile is corrected, once. */
	[SHIP_HANDOVER] = { RW, 4, NULL,
	    "INSERT INTO shipping (community_id, payment_id, logistics,"
	    " item_desc, state, upload_time, uploads, corrections, tries,"
	    " ask_at, created_at)"
	    " SELECT i.community_id, i.payment_id, 2, CAST($3 AS TEXT),"
	    " 'wanted', 0, 0, 0, 0, CAST($4 AS BIGINT), CAST($4 AS BIGINT)"
	    " FROM payment_item i JOIN payment p"
	    " ON p.community_id = i.community_id AND p.id = i.payment_id"
	    " WHERE i.community_id = $1 AND i.kind = 'water_order'"
	    " AND i.thing_id = $2 AND i.live = 1 AND p.paid_at IS NOT NULL"
	    " ON CONFLICT (community_id, payment_id) DO UPDATE"
	    " SET logistics = 2, item_desc = excluded.item_desc,"
	    " state = 'wanted', ask_at = excluded.ask_at, tries = 0,"
	    " corrections = CASE WHEN shipping.uploads > 0 THEN 1"
	    " ELSE shipping.corrections END WHERE shipping.logistics = 3"
	    " AND (shipping.uploads = 0 OR shipping.corrections = 0)",
	    NULL, 0 },
	/* What needs no door is delivered when it is paid. */
	[SHIP_VIRTUAL] = { RW, 2, NULL,
	    "INSERT INTO shipping (community_id, payment_id, logistics,"
	    " item_desc, state, upload_time, uploads, corrections, tries,"
	    " ask_at, created_at)"
	    " SELECT i.community_id, i.payment_id, 3, MIN(i.title),"
	    " 'wanted', 0, 0, 0, 0, CAST($2 AS BIGINT), CAST($2 AS BIGINT)"
	    " FROM community c CROSS JOIN payment p"
	    " CROSS JOIN payment_item i"
	    " WHERE p.community_id = c.id AND p.paid_at > $1"
	    " AND i.community_id = p.community_id AND i.payment_id = p.id"
	    " AND i.live = 1 AND i.kind <> 'water_order'"
	    " AND i.refunded_fen < i.amount_fen"
	    " AND NOT EXISTS (SELECT 1 FROM shipping s"
	    " WHERE s.community_id = p.community_id"
	    " AND s.payment_id = p.id)"
	    " GROUP BY i.community_id, i.payment_id"
	    " ON CONFLICT (community_id, payment_id) DO NOTHING",
	    NULL, 0 },
	[SHIP_DUE] = { RO, 2, &parcel_view,
	    "SELECT s.community_id, s.payment_id, s.logistics, s.item_desc,"
	    " s.tries, p.transaction_id, u.openid,"
	    " CASE WHEN s.logistics = 3 AND EXISTS (SELECT 1"
	    " FROM payment_item i WHERE i.community_id = s.community_id"
	    " AND i.payment_id = s.payment_id AND i.kind = 'water_order'"
	    " AND i.live = 1 AND i.refunded_fen < i.amount_fen)"
	    " THEN 1 ELSE 0 END AS waits,"
	    " CASE WHEN p.refunded_fen >= p.total_fen THEN 1 ELSE 0 END"
	    " AS back FROM shipping s JOIN payment p"
	    " ON p.community_id = s.community_id AND p.id = s.payment_id"
	    " JOIN app_user u ON u.id = p.owner_id"
	    " WHERE s.ask_at IS NOT NULL AND s.ask_at <= $1"
	    " ORDER BY s.ask_at LIMIT $2", NULL, 0 },
	[SHIP_CLAIM] = { RW, 5, &claimed_view,
	    "UPDATE shipping SET upload_time = CASE WHEN upload_time <"
	    " CAST($4 AS BIGINT) THEN CAST($4 AS BIGINT)"
	    " ELSE upload_time + 1 END, tries = tries + 1,"
	    " ask_at = $5 WHERE community_id = $1 AND payment_id = $2"
	    " AND logistics = $3 AND state = 'wanted'"
	    " RETURNING upload_time", NULL, 0 },
	/* Of what was said then, not of what is to be said since. */
	[SHIP_NOTE] = { RW, 8, NULL,
	    "UPDATE shipping SET state = $4, ask_at = $5, errcode = $6,"
	    " done_at = COALESCE($7, done_at), uploads = uploads + $8"
	    " WHERE community_id = $1 AND payment_id = $2"
	    " AND logistics = $3 AND state = 'wanted'", NULL, 0 },
	[SHIP_PUT_OFF] = { RW, 4, NULL,
	    "UPDATE shipping SET ask_at = $4 WHERE community_id = $1"
	    " AND payment_id = $2 AND logistics = $3 AND state = 'wanted'",
	    NULL, 0 },
	[SHIP_RULE] = { RO, 0, &rule_view,
	    "SELECT managed, asked_at FROM shipping_rule WHERE id = 1",
	    NULL, 0 },
	[SHIP_RULE_SET] = { RW, 2, NULL,
	    "INSERT INTO shipping_rule (id, managed, asked_at)"
	    " VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE"
	    " SET managed = excluded.managed, asked_at = excluded.asked_at",
	    NULL, 0 },
	[SHIP_RULE_STALE] = { RW, 0, NULL,
	    "UPDATE shipping_rule SET asked_at = 0 WHERE id = 1", NULL, 0 },
	[SHIP_PAID] = { RO, 1, &paid_view,
	    "SELECT community_id, id FROM payment WHERE number = $1",
	    NULL, 0 },
	[SHIP_SETTLED] = { RW, 4, NULL,
	    "UPDATE shipping SET received_at = COALESCE($3, received_at),"
	    " settled_at = COALESCE($4, settled_at)"
	    " WHERE community_id = $1 AND payment_id = $2", NULL, 0 },
	/* A reminder makes us tell at once what we could not. */
	[SHIP_REMINDED] = { RW, 3, NULL,
	    "UPDATE shipping SET reminded_at = CAST($3 AS BIGINT), tries = 0,"
	    " ask_at = CASE WHEN state IN ('wanted', 'faulty')"
	    " THEN CAST($3 AS BIGINT) END,"
	    " state = CASE WHEN state = 'faulty' THEN 'wanted'"
	    " ELSE state END WHERE community_id = $1 AND payment_id = $2",
	    NULL, 0 },
	[SHIP_LIST] = { RO, 4, &shipping_view,
	    SHIPPING_SELECT " AND s.state = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR s.payment_id < $3)"
	    " ORDER BY s.payment_id DESC LIMIT $4", NULL, 0 },
	[SHIP_ONE] = { RO, 2, &shipping_view,
	    SHIPPING_SELECT " AND s.payment_id = $2", NULL, 0 },
	[SHIP_AGAIN] = { RW, 4, NULL,
	    "UPDATE shipping SET item_desc = COALESCE($3, item_desc),"
	    " state = 'wanted', ask_at = $4, tries = 0,"
	    " corrections = CASE WHEN uploads > 0 THEN 1"
	    " ELSE corrections END WHERE community_id = $1"
	    " AND payment_id = $2 AND (state = 'faulty' OR state = 'done')"
	    " AND (uploads = 0 OR corrections = 0)", NULL, 0 },
};

enum err
shipping_handover(struct req *rq, int64_t id, const char *what)
{
	return db_run(rq->db, &ship_sql[SHIP_HANDOVER],
	    WITH(V(rq->who.community_id), V(id), V(what), V(rq->now)), NULL);
}

/* ---- the task ---- */

static enum err
find_virtual(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &ship_sql[SHIP_VIRTUAL],
	    WITH(V(rq->now - FRESH), V(rq->now)), NULL);
}

static enum err
set_rule(struct req *rq, void *arg)
{
	const bool	*managed = arg;

	return db_run(rq->db, &ship_sql[SHIP_RULE_SET],
	    WITH(V((int64_t)*managed), V(rq->now)), NULL);
}

/* Asked once a day; while WeChat is silent, what it said last stands. */
static enum err
look_rule(struct req *rq, bool *ret)
{
	struct rule	rule = { 0 };
	enum err	e, known;

	known = db_one(rq->db, rq->arena, &ship_sql[SHIP_RULE], NOTHING,
	    &rule);
	if (known != OK && known != ERR_ABSENT)
		return known;
	*ret = rule.managed != 0;
	if (known == OK && rule.asked_at > rq->now - CLOCK_DAY)
		return OK;
	e = wechat_ship_managed(rq->wechat, rq->redis, rq->arena, ret);
	if (e != OK) {
		*ret = rule.managed != 0;
		return known == OK ? OK : ERR_WECHAT_AWAY;
	}
	return req_transact(rq, set_rule, ret);
}

struct told {
	struct parcel		 p;
	int64_t			 at;		/* upload_time */
	enum wechat_shipped	 how;
	int			 code;
};

static enum err
claim(struct req *rq, void *arg)
{
	struct told	*t = arg;
	struct claimed	 row;
	int64_t		 tries = t->p.tries < 6 ? t->p.tries : 6;
	enum err	 e;

	e = db_one(rq->db, rq->arena, &ship_sql[SHIP_CLAIM],
	    WITH(V(t->p.community_id), V(t->p.payment_id),
	    V(t->p.logistics), V(rq->now),
	    V(rq->now + (CLOCK_MINUTE << tries))), &row);
	t->at = e == OK ? row.upload_time : 0;
	return e == ERR_ABSENT ? OK : e;
}

static enum err
note(struct req *rq, void *arg)
{
	const struct told	*t = arg;
	bool			 done = t->how == WECHAT_SHIPPED;

	return db_run(rq->db, &ship_sql[SHIP_NOTE],
	    WITH(V(t->p.community_id), V(t->p.payment_id),
	    V(t->p.logistics), V(done ? "done" : "faulty"), VNULL,
	    t->code != 0 ? V((int64_t)t->code) : VNULL,
	    done ? V(rq->now) : VNULL, V((int64_t)done)), NULL);
}

static enum err
unneeded(struct req *rq, void *arg)
{
	const struct told	*t = arg;

	return db_run(rq->db, &ship_sql[SHIP_NOTE],
	    WITH(V(t->p.community_id), V(t->p.payment_id),
	    V(t->p.logistics), V("unneeded"), VNULL, VNULL, VNULL,
	    V((int64_t)0)), NULL);
}

static enum err
put_off(struct req *rq, void *arg)
{
	const struct told	*t = arg;

	return db_run(rq->db, &ship_sql[SHIP_PUT_OFF],
	    WITH(V(t->p.community_id), V(t->p.payment_id),
	    V(t->p.logistics), V(rq->now + REST)), NULL);
}

/* ERR_WECHAT_AWAY when there is no use in going on. */
static enum err
tell_one(struct req *rq, struct told *t)
{
	struct wechat_shipment	s;
	enum err		e;

	if ((e = req_transact(rq, claim, t)) != OK || t->at == 0)
		return e;
	s = (struct wechat_shipment){ .transaction_id = t->p.transaction_id,
	    .openid = t->p.openid, .item = t->p.item_desc, .at = t->at,
	    .logistics = (int)t->p.logistics };
	t->how = wechat_ship(rq->wechat, rq->redis, rq->arena, &s, &t->code);
	log_info("shipping payment=%lld outcome=%d errcode=%d",
	    (long long)t->p.payment_id, (int)t->how, t->code);
	if (t->how == WECHAT_SHIP_LATER && t->p.tries < TRIES)
		return t->code == 0 ? ERR_WECHAT_AWAY : OK;
	return req_transact(rq, note, t);
}

static enum err
read_due(struct req *rq, struct told *at, int *ret_n)
{
	struct rows	rows;
	enum err	e;
	int		n = 0;

	e = db_query(rq->db, &ship_sql[SHIP_DUE],
	    WITH(V(rq->now), V((int64_t)ROUND)), &rows);
	if (e != OK)
		return e;
	while (n < ROUND && db_each(&rows, &at[n].p)) {
		at[n].p.item_desc = arena_str(rq->arena, at[n].p.item_desc);
		at[n].p.transaction_id = arena_str(rq->arena,
		    at[n].p.transaction_id);
		at[n].p.openid = arena_str(rq->arena, at[n].p.openid);
		n++;
	}
	*ret_n = n;
	return db_end(&rows);
}

static enum err
tell_all(struct req *rq)
{
	struct told	*at;
	bool		 managed;
	enum err	 e;
	int		 i, n;

	if (rq->conf->pay_mchid[0] == '\0')
		return OK;
	at = ARENA_ARRAY(rq->arena, struct told, ROUND);
	if ((e = req_transact(rq, find_virtual, NULL)) != OK ||
	    (e = read_due(rq, at, &n)) != OK || n == 0)
		return e;
	e = look_rule(rq, &managed);
	if (e == ERR_WECHAT_AWAY)
		return OK;
	for (i = 0; e == OK && i < n; i++) {
		/* A closed account has no openid to name. */
		if (!managed || at[i].p.back || at[i].p.openid == NULL ||
		    at[i].p.transaction_id == NULL)
			e = req_transact(rq, unneeded, &at[i]);
		else if (at[i].p.waits)
			e = req_transact(rq, put_off, &at[i]);
		else
			e = tell_one(rq, &at[i]);
	}
	return e == ERR_WECHAT_AWAY ? OK : e;
}

static const struct task shipping_tasks[] = {
	{ "shipping", 10 * CLOCK_SECOND, TASK_NEVER, tell_all },
	{ NULL, 0, 0, NULL }
};

/* ---- what WeChat says later ---- */

static struct value
or_null(int64_t ms)
{
	return ms > 0 ? V(ms) : VNULL;
}

static enum err
about_payment(struct req *rq, const struct shipping_event *ev, bool settled)
{
	struct paid	p;
	int64_t		n;
	enum err	e;

	if (ev->number == NULL)
		return ERR_ABSENT;
	e = db_one(rq->db, rq->arena, &ship_sql[SHIP_PAID],
	    WITH(V(ev->number)), &p);
	if (e != OK)
		return e;
	rq->who.community_id = p.community_id;
	if (settled)
		e = db_run(rq->db, &ship_sql[SHIP_SETTLED],
		    WITH(V(p.community_id), V(p.id),
		    or_null(ev->received_at), or_null(ev->settled_at)), &n);
	else
		e = db_run(rq->db, &ship_sql[SHIP_REMINDED],
		    WITH(V(p.community_id), V(p.id), V(rq->now)), &n);
	if (e != OK)
		return e;
	audit_thing(rq, "payment", p.id);
	return n == 1 ? OK : ERR_ABSENT;
}

enum err
shipping_event(struct req *rq, const struct shipping_event *ev)
{
	if (strcmp(ev->event, "trade_manage_order_settlement") == 0)
		return about_payment(rq, ev, true);
	if (strcmp(ev->event, "trade_manage_remind_shipping") == 0)
		return about_payment(rq, ev, false);
	if (strcmp(ev->event, "trade_manage_remind_access_api") == 0 ||
	    strcmp(ev->event, "wxa_trade_controlled") == 0)
		return db_run(rq->db, &ship_sql[SHIP_RULE_STALE], NOTHING,
		    NULL);
	return ERR_FIELD;
}

/* ---- for who looks after it ---- */

static enum err
shipping_list(struct req *rq)
{
	const struct shipping_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &ship_sql[SHIP_LIST],
	    WITH(V(rq->who.community_id), V(state_names[in->state]),
	    V(in->after), V(limit + 1)), limit);
}

static enum err
shipping_again(struct req *rq)
{
	const struct shipping_again	*in = rq->in;
	struct shipping			 row;
	int64_t				 n;
	enum err			 e;

	e = db_run(rq->db, &ship_sql[SHIP_AGAIN],
	    WITH(V(rq->who.community_id), V(in->id), V(in->item_desc),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &ship_sql[SHIP_ONE],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE,
		    "这笔付款的发货信息正在上传，或已经更正过一次，微信不再接受。");
	audit_thing(rq, "payment", in->id);
	return req_one(rq, &row);
}

static const struct route shipping_routes[] = {
	{ GET, "/api/v1/shippings", ROLE_ADMIN, &shipping_query_shape,
	    REPLY_LIST, &shipping_view, 200, POOL_API, TX_READ,
	    shipping_list, "What WeChat was told of deliveries" },
	{ POST, "/api/v1/shippings/{id}/again", ROLE_ADMIN,
	    &shipping_again_shape,
	    REPLY_ONE, &shipping_view, 200, POOL_API, TX_WRITE,
	    shipping_again, "Tell it again, or correct it once" },
	{ 0 }
};

void
shipping_register(void)
{
	db_register(ship_sql, SHIP_SQL_MAX);
	task_register(shipping_tasks);
	route_register("payments", shipping_routes);
}
