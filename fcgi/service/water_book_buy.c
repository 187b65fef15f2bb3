/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_book_buy.c -- ticket books that a station offers, bought online.
 *
 * An offer is what the station would say at its desk: so many tickets paid
 * for, so many on top, for so much.  Who buys has a thing of a flow that
 * waits for its money as an order of water does (water_pay.c), and keeps
 * the offer as it was that moment.  When the money is there, a book with
 * the same id is written in the same transaction.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/water.h"
#include "service/water_account.h"

#define KIND	"water_book"
#define GRACE	(2 * CLOCK_MINUTE)

/* ---- offers ---- */

struct offer_new {
	int64_t		 product_id;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
};

static const struct field offer_new_fields[] = {
	F_ID(offer_new, product_id, "商品", MUST),
	F_INT(offer_new, paid, "付款张数", MUST, 1, WATER_BOOK_MAX),
	F_INT(offer_new, gift, "赠送张数", MUST, 0, WATER_BOOK_MAX),
	F_INT(offer_new, price_fen, "金额（分）", MUST, 1, 10000000),
	F_END
};
static const struct shape offer_new_shape =
    SHAPE(offer_new, "WaterBookOfferNew");

struct offer_patch {
	int64_t		 id;
	bool		 on_sale;
};

static const struct field offer_patch_fields[] = {
	F_ID(offer_patch, id, "水票套餐", MUST),
	F_BOOL(offer_patch, on_sale, "上架", MUST),
	F_END
};
static const struct shape offer_patch_shape =
    SHAPE(offer_patch, "WaterBookOfferPatch");

struct offer_query {
	int64_t		 station_id;
};

static const struct field offer_query_fields[] = {
	F_ID(offer_query, station_id, "水站", MUST),
	F_END
};
static const struct shape offer_query_shape =
    SHAPE(offer_query, "WaterBookOfferQuery");

struct book_offer {
	int64_t		 id;
	int64_t		 station_id;
	int64_t		 product_id;
	const char	*title;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
	int64_t		 on_sale;
	int64_t		 updated_at;
};

static const struct view_column book_offer_columns[] = {
	C_ID(book_offer, id),
	C_ID(book_offer, station_id),
	C_ID(book_offer, product_id),
	C_TEXT(book_offer, title, .about = "of the product"),
	C_INT(book_offer, paid, .about = "tickets paid for"),
	C_INT(book_offer, gift, .about = "tickets given on top"),
	C_FEN(book_offer, price_fen, .about = "for all of them"),
	C_BOOL(book_offer, on_sale),
	C_TIME(book_offer, updated_at),
	C_END
};
static const struct view book_offer_view =
    VIEW(book_offer, "WaterBookOffer");

/* ---- who buys ---- */

struct buy_new {
	int64_t		 offer_id;
	int64_t		 address_id;
	int64_t		 expected_fen;
};

static const struct field buy_new_fields[] = {
	F_ID(buy_new, offer_id, "水票套餐", MUST),
	F_ID(buy_new, address_id, "地址", MUST),
	F_INT(buy_new, expected_fen, "应付金额（分）", MAY, 0, MONEY_MAX),
	F_END
};
static const struct shape buy_new_shape = SHAPE(buy_new, "WaterBookBuy");

struct buy_id {
	int64_t		 id;
};

static const struct field buy_id_fields[] = {
	F_ID(buy_id, id, "水票", MUST),
	F_END
};
static const struct shape buy_id_shape = SHAPE(buy_id, "WaterBookId");

struct deal {			/* an offer, for a dwelling it is good for */
	int64_t		 dwelling_id;
	int64_t		 station_id;
	int64_t		 product_id;
	const char	*title;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
};

static const struct view_column deal_columns[] = {
	C_ID(deal, dwelling_id),
	C_ID(deal, station_id),
	C_ID(deal, product_id),
	C_TEXT(deal, title),
	C_INT(deal, paid),
	C_INT(deal, gift),
	C_FEN(deal, price_fen),
	C_END
};
static const struct view deal_view = VIEW(deal, "WaterBookDeal");

static const char *const buy_states[] = { "unpaid", "paying", "sold",
    "cancelled", NULL };
static const char *const buy_buttons[] = { "cancel", NULL };

struct book_buy {
	int64_t		 id;
	const char	*state;
	int64_t		 station_id;
	const char	*station;
	int64_t		 product_id;
	const char	*title;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
	int64_t		 paid_at;
	int64_t		 deadline_at;
	int64_t		 created_at;
	int64_t		 updated_at;
	int64_t		 dwelling_id;
	int64_t		 owner_id;
};

static const struct flow buy_flow;

static void
buy_label(struct json *j, const struct req *rq, const void *row)
{
	const struct book_buy	*b = row;

	(void)rq;
	json_text(j, flow_label(&buy_flow, b->state));
}

static void
buy_can(struct json *j, const struct req *rq, const void *row)
{
	const struct book_buy	*b = row;

	flow_can(j, &buy_flow, b->state, flow_mask(rq, b->owner_id, 0,
	    NULL));
}

static const struct view_column book_buy_columns[] = {
	C_ID(book_buy, id, .about = "of the book too, once it is sold"),
	C_CODE(book_buy, state, buy_states),
	C_ID(book_buy, station_id),
	C_TEXT(book_buy, station),
	C_ID(book_buy, product_id),
	C_TEXT(book_buy, title),
	C_INT(book_buy, paid, .about = "tickets paid for"),
	C_INT(book_buy, gift, .about = "tickets given on top"),
	C_FEN(book_buy, price_fen),
	C_TIME(book_buy, paid_at, .flags = VIEW_NULL),
	C_TIME(book_buy, deadline_at, .flags = VIEW_NULL),
	C_TIME(book_buy, created_at),
	C_TIME(book_buy, updated_at),
	C_ID(book_buy, dwelling_id),
	C_ID(book_buy, owner_id, .flags = VIEW_HIDDEN),
	C_CALC("state_label", SHAPE_TEXT, buy_label),
	C_CALC("can", SHAPE_CODES, buy_can, .names = buy_buttons,
	    .about = "events the caller may fire now"),
	C_END
};
static const struct view book_buy_view = VIEW(book_buy, "WaterBookOrder");

#define MANAGES(station) WATER_WORKS(station, WATER_NO_COURIER)
#define OFFER_SELECT							\
	"SELECT v.id, v.station_id, v.product_id,"			\
	" p.brand || ' ' || p.name AS title, v.paid, v.gift,"		\
	" v.price_fen, v.on_sale, v.updated_at FROM water_book_offer v"	\
	" JOIN water_product p ON p.community_id = v.community_id"	\
	" AND p.id = v.product_id WHERE v.community_id = $1"
#define BUY_COLUMNS							\
	"b.id, b.state, b.org_id AS station_id, o.name AS station,"	\
	" b.product_id, b.title, b.paid, b.gift, b.price_fen,"		\
	" b.paid_at, b.deadline_at, b.created_at, b.updated_at,"	\
	" b.dwelling_id, b.owner_id FROM water_book_order b"		\
	" JOIN org o ON o.community_id = b.community_id"		\
	" AND o.id = b.org_id"

enum { OFFER_ADD, OFFER_PATCH, OFFER_ONE, OFFER_STATION, OFFER_LIST,
	BUY_DEAL, BUY_ADD, BUY_GET, BUY_TAKE, BUY_ANY, BUY_UNTIL, BUY_PAID,
	BUY_CHECK, BUY_SQL_MAX };

static struct stmt buy_sql[] = {
	[OFFER_ADD] = { RW, 8, NULL,
	    "INSERT INTO water_book_offer (community_id, id, station_id,"
	    " product_id, paid, gift, price_fen, on_sale, updated_at)"
	    " SELECT community_id, CAST($3 AS BIGINT), station_id, id,"
	    " CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS BIGINT),"
	    " 1, CAST($8 AS BIGINT) FROM water_product"
	    " WHERE community_id = $1 AND id = $4 AND"
	    MANAGES("water_product.station_id"), NULL, 0 },
	[OFFER_PATCH] = { RW, 5, NULL,
	    "UPDATE water_book_offer SET on_sale = $4, updated_at = $5"
	    " WHERE community_id = $1 AND id = $3 AND"
	    MANAGES("water_book_offer.station_id"), NULL, 0 },
	[OFFER_ONE] = { RO, 3, &book_offer_view,
	    OFFER_SELECT " AND v.id = $3 AND" MANAGES("v.station_id"),
	    NULL, 0 },
	[OFFER_STATION] = { RO, 3, &book_offer_view,
	    OFFER_SELECT " AND v.station_id = $3 AND"
	    WATER_WORKS("v.station_id", "") " ORDER BY v.id", NULL, 0 },
	[OFFER_LIST] = { RO, 2, &book_offer_view,
	    OFFER_SELECT " AND v.station_id = $2 AND v.on_sale = 1"
	    " ORDER BY v.price_fen, v.id", NULL, 0 },
	[BUY_DEAL] = { RO, 4, &deal_view,
	    "SELECT a.dwelling_id, v.station_id, v.product_id,"
	    " p.brand || ' ' || p.name AS title, v.paid, v.gift,"
	    " v.price_fen FROM address a"
	    " JOIN place d ON d.community_id = a.community_id"
	    " AND d.id = a.dwelling_id"
	    " JOIN water_area w ON w.community_id = d.community_id"
	    " AND w.compound_id = d.compound_id"
	    " JOIN water_book_offer v ON v.community_id = w.community_id"
	    " AND v.station_id = w.station_id"
	    " JOIN water_product p ON p.community_id = v.community_id"
	    " AND p.id = v.product_id"
	    " JOIN org o ON o.community_id = v.community_id"
	    " AND o.id = v.station_id AND o.closed_at IS NULL"
	    " WHERE a.community_id = $1 AND a.user_id = $2 AND a.id = $3"
	    " AND a.removed_at IS NULL AND v.id = $4 AND v.on_sale = 1",
	    NULL, 0 },
	[BUY_ADD] = { RW, 13, NULL,
	    "INSERT INTO water_book_order (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, offer_id, dwelling_id, product_id, paid, gift,"
	    " price_fen) VALUES ($1, $2, 'unpaid', 1, 0, $3, $4, $5, $6,"
	    " $7, $7, $8, $9, $10, $11, $12, $13)", NULL, 0 },
	[BUY_GET] = { RO, 3, &book_buy_view,
	    "SELECT " BUY_COLUMNS " WHERE b.community_id = $1"
	    " AND b.id = $3 AND (b.owner_id = $2 OR"
	    " (b.paid_at IS NOT NULL AND" MANAGES("b.org_id") "))",
	    NULL, 0 },
	[BUY_TAKE] = { RW, 2, NULL,
	    "UPDATE water_book_order SET version = version"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[BUY_ANY] = { RO, 2, &book_buy_view,
	    "SELECT " BUY_COLUMNS " WHERE b.community_id = $1"
	    " AND b.id = $2", NULL, 0 },
	[BUY_UNTIL] = { RW, 3, NULL,
	    "UPDATE water_book_order SET deadline_at = $3"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state = 'paying'", NULL, 0 },
	[BUY_PAID] = { RW, 3, NULL,
	    "UPDATE water_book_order SET paid_at = $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	/* What was paid and is not given back is there. */
	[BUY_CHECK] = { RO, 0, &ledger_fault_view,
	    "SELECT i.community_id, i.thing_id AS id FROM payment_item i"
	    " WHERE i.kind = 'water_book' AND i.live = 1"
	    " AND (SELECT p.paid_at FROM payment p"
	    " WHERE p.community_id = i.community_id"
	    " AND p.id = i.payment_id) IS NOT NULL"
	    " AND COALESCE((SELECT b.price_fen FROM water_book b"
	    " WHERE b.community_id = i.community_id"
	    " AND b.id = i.thing_id), 0) <> i.amount_fen", NULL, 0 },
};

static struct stmt buy_flow_sql[] = {
	FLOW_SQL("water_book_order")
};

/* ---- the station ---- */

static enum err
offer_answer(struct req *rq, int64_t id)
{
	struct book_offer	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &buy_sql[OFFER_ONE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
offer_add(struct req *rq)
{
	const struct offer_new	*in = rq->in;
	int64_t			 id = id_new(), n;
	enum err		 e;

	e = db_run(rq->db, &buy_sql[OFFER_ADD],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id),
	    V(in->product_id), V(in->paid), V(in->gift), V(in->price_fen),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	audit_thing(rq, "water_book_offer", id);
	return offer_answer(rq, id);
}

static enum err
offer_patch(struct req *rq)
{
	const struct offer_patch	*in = rq->in;
	int64_t				 n;
	enum err			 e;

	e = db_run(rq->db, &buy_sql[OFFER_PATCH],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V((int64_t)in->on_sale), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	audit_thing(rq, "water_book_offer", in->id);
	return offer_answer(rq, in->id);
}

static enum err
offer_station(struct req *rq)
{
	const struct offer_query	*in = rq->in;

	return req_list(rq, &buy_sql[OFFER_STATION],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->station_id)), 0);
}

static enum err
offer_list(struct req *rq)
{
	const struct offer_query	*in = rq->in;

	return req_list(rq, &buy_sql[OFFER_LIST],
	    WITH(V(rq->who.community_id), V(in->station_id)), 0);
}

/* ---- buying ---- */

static enum err
find_deal(struct req *rq, const struct buy_new *in, struct deal *d)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &buy_sql[BUY_DEAL],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->address_id), V(in->offer_id)), d);
	if (e == ERR_ABSENT)
		return req_field(rq, "offer_id", "not_found",
		    "没有找到这个水票套餐，或者它已下架、不送到该地址。");
	if (e != OK)
		return e;
	if (field_given(rq, "expected_fen") &&
	    in->expected_fen != d->price_fen)
		return req_field_as(rq, ERR_CONFLICT, "expected_fen",
		    "changed", arena_fmt(rq->arena,
		    "价格有变化，现在应付 %lld.%02lld 元，请确认后再买。",
		    (long long)d->price_fen / 100,
		    (long long)d->price_fen % 100));
	return OK;
}

static enum err
buy_answer(struct req *rq, int64_t id)
{
	struct book_buy	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &buy_sql[BUY_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
buy_post(struct req *rq)
{
	const struct buy_new	*in = rq->in;
	struct flow_thing	 t = { .id = id_new(), .state = "unpaid" };
	struct deal		 d;
	enum err		 e;

	if (rq->conf->pay_mchid[0] == '\0')
		return req_fail(rq, ERR_NO_PAY, NULL);
	if ((e = find_deal(rq, in, &d)) != OK)
		return e;
	t.community_id = rq->who.community_id;
	t.owner_id = rq->who.user_id;
	t.org_id = d.station_id;
	t.title = arena_fmt(rq->arena, "水票 %s ×%lld", d.title,
	    (long long)d.paid);
	t.deadline_at = rq->now + water_pay_time(rq) + CLOCK_MINUTE;
	e = db_run(rq->db, &buy_sql[BUY_ADD],
	    WITH(V(t.community_id), V(t.id), V(t.deadline_at),
	    V(t.owner_id), V(t.org_id), V(t.title), V(rq->now),
	    V(in->offer_id), V(d.dwelling_id), V(d.product_id), V(d.paid),
	    V(d.gift), V(d.price_fen)), NULL);
	if (e != OK ||
	    (e = flow_start(rq, &buy_flow, "order", &t)) != OK)
		return e;
	return buy_answer(rq, t.id);
}

static enum err
buy_get(struct req *rq)
{
	const struct buy_id	*in = rq->in;

	return buy_answer(rq, in->id);
}

static enum err
buy_cancel(struct req *rq)
{
	const struct buy_id	*in = rq->in;
	enum err		 e;

	e = flow_fire(rq, &buy_flow, in->id, "cancel", NULL, NULL);
	return e != OK ? e : buy_answer(rq, in->id);
}

/* ---- the flow ---- */

static enum err
buy_time(struct req *rq, struct flow_step *st)
{
	st->deadline_at = rq->now + water_pay_time(rq) + GRACE;
	return OK;
}

static enum err
buy_wind_up(struct req *rq, struct flow_step *st)
{
	st->deadline_at = rq->now + GRACE;
	return payment_drop(rq, KIND, st->thing.id);
}

static enum err
buy_drop(struct req *rq, struct flow_step *st)
{
	return payment_drop(rq, KIND, st->thing.id);
}

static const struct flow_state states[] = {
	{ "unpaid", "待付款", false, "lapse", 0, NULL, NULL },
	{ "paying", "付款中", false, "wind_up", 0, NULL, NULL },
	{ "sold", "已购买", true, NULL, 0, NULL, NULL },
	{ "cancelled", "已取消", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move moves[] = {
	{ NULL, "order", "unpaid", REL_OWNER, FLOW_SET, "购买，等待付款",
	    NULL, NULL, { { 0 } } },
	{ "unpaid", "begin", "paying", REL_SYSTEM, FLOW_SET, "开始付款",
	    buy_time, NULL, { { 0 } } },
	{ "unpaid", "pay", "sold", REL_SYSTEM, FLOW_NONE, "付款成功",
	    NULL, NULL, { { 0 } } },
	{ "unpaid", "cancel", "cancelled", REL_OWNER, FLOW_NONE, "取消购买",
	    NULL, buy_drop, { { 0 } } },
	{ "unpaid", "lapse", "cancelled", REL_SYSTEM, FLOW_NONE,
	    "超时未付款，自动取消", NULL, buy_drop, { { 0 } } },
	{ "paying", "pay", "sold", REL_SYSTEM, FLOW_NONE, "付款成功",
	    NULL, NULL, { { 0 } } },
	{ "paying", "reopen", "unpaid", REL_SYSTEM, FLOW_SET,
	    "这次付款已关闭", buy_time, NULL, { { 0 } } },
	{ "paying", "cancel", "cancelled", REL_OWNER, FLOW_NONE, "取消购买",
	    NULL, buy_drop, { { 0 } } },
	{ "paying", "lapse", "cancelled", REL_SYSTEM, FLOW_NONE,
	    "超时未付款，自动取消", NULL, buy_drop, { { 0 } } },
	{ "paying", "wind_up", "paying", REL_SYSTEM, FLOW_SET,
	    "付款超时，正在关闭", buy_wind_up, NULL, { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

static const struct flow buy_flow = {
	.name = "water_book_order",
	.label = "购买水票",
	.page = "pages/water/book?id=",
	.states = states,
	.moves = moves,
	.sql = buy_flow_sql,
	.watchers = ROLE_ADMIN | ROLE_CLERK,
};

/* ---- as a kind of things ---- */

/* The row is taken first: what is read after that stands. */
static enum err
take(struct req *rq, int64_t id, struct book_buy *ret)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &buy_sql[BUY_TAKE],
	    WITH(V(rq->who.community_id), V(id)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	return db_one(rq->db, rq->arena, &buy_sql[BUY_ANY],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static bool
waits(const struct book_buy *b)
{
	return strcmp(b->state, "unpaid") == 0 ||
	    strcmp(b->state, "paying") == 0;
}

static enum err
buy_quote(struct req *rq, int64_t id, struct payment_thing *ret)
{
	struct book_buy	b;
	enum err	e;

	if ((e = take(rq, id, &b)) != OK)
		return e;
	if (b.owner_id != rq->who.user_id)
		return ERR_ABSENT;
	if (!waits(&b))
		return req_failf(rq, ERR_STATE,
		    "这本水票现在是“%s”，不需要付款。",
		    flow_label(&buy_flow, b.state));
	ret->id = b.id;
	ret->payee_id = b.station_id;
	ret->amount_fen = b.price_fen;
	ret->title = b.title;
	return OK;
}

static enum err
buy_opened(struct req *rq, int64_t id, int64_t payment_id, int64_t until)
{
	struct book_buy	b;
	enum err	e;

	(void)payment_id;
	if ((e = take(rq, id, &b)) != OK)
		return e;
	if (strcmp(b.state, "unpaid") == 0 &&
	    (e = flow_system(rq, &buy_flow, id, "begin", NULL)) != OK)
		return e;
	return db_run(rq->db, &buy_sql[BUY_UNTIL],
	    WITH(V(rq->who.community_id), V(id), V(until + GRACE)), NULL);
}

static enum err
buy_closed(struct req *rq, int64_t id, int64_t payment_id)
{
	struct book_buy	b;
	enum err	e;

	(void)payment_id;
	if ((e = take(rq, id, &b)) != OK)
		return e;
	if (strcmp(b.state, "paying") != 0)
		return OK;
	return flow_system(rq, &buy_flow, id,
	    rq->now < b.created_at + water_pay_time(rq) ? "reopen" : "lapse",
	    NULL);
}

/* Ours: the row of the account, then the book. */
static enum err
write_book(struct req *rq, const struct book_buy *b)
{
	struct water_book_new	n = { .id = b->id,
	    .station_id = b->station_id, .product_id = b->product_id,
	    .title = b->title, .paid = b->paid, .gift = b->gift,
	    .price_fen = b->price_fen, .online = true,
	    .sold_by = b->owner_id };
	enum err		e;

	e = water_account_take(rq, b->station_id, b->owner_id,
	    b->dwelling_id, &n.account_id);
	return e != OK ? e : water_book_write(rq, &n);
}

static enum err
buy_paid(struct req *rq, const struct payment_item *item)
{
	struct book_buy	b;
	enum err	e;

	e = take(rq, item->thing_id, &b);
	if (e == ERR_ABSENT)
		return ERR_STATE;
	if (e != OK)
		return e;
	if (!waits(&b) || b.price_fen != item->amount_fen ||
	    b.station_id != item->payee_id)
		return ERR_STATE;
	e = db_run(rq->db, &buy_sql[BUY_PAID],
	    WITH(V(rq->who.community_id), V(b.id), V(item->at)), NULL);
	if (e != OK || (e = write_book(rq, &b)) != OK)
		return e;
	return flow_system(rq, &buy_flow, b.id, "pay", NULL);
}

static enum err
buy_refunded(struct req *rq, const struct payment_item *item)
{
	return water_book_end(rq, item->thing_id, item->amount_fen);
}

static const struct ledger_check buy_checks[] = {
	{ "a ticket book that was paid is not there", &buy_sql[BUY_CHECK] },
	{ NULL, NULL }
};

static const struct payment_kind buy_kind = {
	.name = KIND,
	.label = "水票",
	.quote = buy_quote,
	.opened = buy_opened,
	.closed = buy_closed,
	.paid = buy_paid,
	.refundable = water_book_worth,
	.refunded = buy_refunded,
};

#define STAFF	(ROLE_MERCHANT | ROLE_COURIER)

static const struct route buy_routes[] = {
	{ GET, "/api/v1/water/book-offers",
	    ROLE_RESIDENT | ACT_WATER | ACT_READ, &offer_query_shape,
	    REPLY_LIST, &book_offer_view, 200, POOL_API, TX_READ,
	    offer_list, "Ticket books that a station offers" },
	{ POST, "/api/v1/water/books", ROLE_RESIDENT | ACT_WATER,
	    &buy_new_shape,
	    REPLY_ONE, &book_buy_view, 201, POOL_API, TX_WRITE,
	    buy_post, "Buy a ticket book, to be paid online" },
	{ GET, "/api/v1/water/books/{id}",
	    ROLE_RESIDENT | ROLE_MERCHANT | ACT_WATER | ACT_READ,
	    &buy_id_shape,
	    REPLY_ONE, &book_buy_view, 200, POOL_API, TX_READ,
	    buy_get, "A ticket book being bought" },
	{ POST, "/api/v1/water/books/{id}/cancel",
	    ROLE_RESIDENT | ACT_WATER, &buy_id_shape,
	    REPLY_ONE, &book_buy_view, 200, POOL_API, TX_WRITE,
	    buy_cancel, "Do not buy it after all" },
	{ GET, "/api/v1/station/book-offers", STAFF, &offer_query_shape,
	    REPLY_LIST, &book_offer_view, 200, POOL_API, TX_READ,
	    offer_station, "What a station of mine offers, off sale too" },
	{ POST, "/api/v1/station/book-offers", ROLE_MERCHANT,
	    &offer_new_shape,
	    REPLY_ONE, &book_offer_view, 201, POOL_API, TX_WRITE,
	    offer_add, "Offer a ticket book" },
	{ PATCH, "/api/v1/station/book-offers/{id}", ROLE_MERCHANT,
	    &offer_patch_shape,
	    REPLY_ONE, &book_offer_view, 200, POOL_API, TX_WRITE,
	    offer_patch, "Put an offer on or off sale" },
	{ 0 }
};

void
water_book_buy_register(void)
{
	db_register(buy_sql, BUY_SQL_MAX);
	ledger_check_register(buy_checks);
	flow_register(&buy_flow);
	payment_thing_add(&buy_kind);
	route_register("water", buy_routes);
}
