/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_place.c -- placing an order, and the last one again.
 *
 * All in one transaction: stock is taken by conditional updates, so an
 * order that stands has its barrels, and one that fails took none.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/money.h"
#include "base/text.h"
#include "http/req.h"
#include "service/water.h"
#include "service/water_account.h"

const char *const water_payments[] = { "on_delivery", "ticket",
    "online", NULL };

static const struct field water_item_in_fields[] = {
	F_ID(water_item_in, product_id, "商品", MUST),
	F_INT(water_item_in, quantity, "数量", MUST, 1, WATER_QUANTITY),
	F_END
};
static const struct shape water_item_in_shape =
    SHAPE(water_item_in, "WaterItemNew");

static const struct field water_window_in_fields[] = {
	F_TIME(water_window_in, from, "送水时段开始", MUST),
	F_TIME(water_window_in, to, "送水时段结束", MUST),
	F_END
};
static const struct shape water_window_in_shape =
    SHAPE(water_window_in, "WaterWindowNew");

static const struct field water_order_new_fields[] = {
	F_ID(water_order_new, station_id, "水站", MUST),
	F_ID(water_order_new, address_id, "地址", MUST),
	F_LIST(water_order_new, items, "商品", MUST, 1, WATER_ITEMS,
	    &water_item_in_shape),
	F_OBJECT(water_order_new, window, "送水时段", MAY,
	    &water_window_in_shape),
	F_ENUM(water_order_new, payment, "付款方式", MUST, water_payments),
	F_TEXT(water_order_new, note, "备注", MAY, 0, 100),
	F_INT(water_order_new, expected_total_fen, "应付金额", MAY, 0,
	    MONEY_MAX),
	F_END
};
const struct shape water_order_new_shape =
    SHAPE(water_order_new, "WaterOrderNew");

/* Where it goes, as the address stands now. */
struct target {
	int64_t		 id;
	int64_t		 dwelling_id;
	int64_t		 compound_id;
	const char	*place;
	int64_t		 floor;
	int64_t		 lift;
	const char	*contact;
	const char	*phone;
};

static const struct view_column target_columns[] = {
	C_ID(target, id),
	C_ID(target, dwelling_id),
	C_ID(target, compound_id),
	C_TEXT(target, place),
	C_INT(target, floor, .flags = VIEW_NULL),
	C_BOOL(target, lift, .flags = VIEW_NULL),
	C_TEXT(target, contact),
	C_TEXT(target, phone),
	C_END
};
static const struct view target_view = VIEW(target, "WaterTarget");

/* The caller's last order, to be repeated. */
struct last {
	int64_t		 id;
	int64_t		 org_id;
	int64_t		 address_id;
	const char	*payment;
	const char	*note;
};

static const struct view_column last_columns[] = {
	C_ID(last, id),
	C_ID(last, org_id),
	C_ID(last, address_id),
	C_TEXT(last, payment),
	C_TEXT(last, note, .flags = VIEW_NULL),
	C_END
};
static const struct view last_view = VIEW(last, "WaterLast");

enum { PLACE_TARGET, PLACE_INSERT, PLACE_LAST, PLACE_SQL_MAX };

static struct stmt place_sql[] = {
	[PLACE_TARGET] = { RO, 3, &target_view,
	    "SELECT a.id, a.dwelling_id, p.compound_id,"
	    " p.full_name AS place, p.floor, p.lift, a.contact, a.phone"
	    " FROM address a JOIN place p"
	    " ON p.community_id = a.community_id AND p.id = a.dwelling_id"
	    " WHERE a.community_id = $1 AND a.user_id = $2 AND a.id = $3"
	    " AND a.removed_at IS NULL", NULL, 0 },
	[PLACE_INSERT] = { RW, 27, NULL,
	    "INSERT INTO water_order (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, title, created_at,"
	    " updated_at, address_id, compound_id, place, floor, lift,"
	    " contact, phone, phone_mask, window_from, window_to, items,"
	    " goods_fen, floor_fen, total_fen, agreed_fen, payment, code,"
	    " code_tries, note, station, station_phone, tickets)"
	    " VALUES ($1, $2, $3, 1, 0, $4, $5, $6, $7, $8, $8, $9, $10,"
	    " $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"
	    " $22, $22, $23, '', 0, $24, $25, $26, $27)", NULL, 0 },
	[PLACE_LAST] = { RO, 2, &last_view,
	    "SELECT id, org_id, address_id, payment, note"
	    " FROM water_order"
	    " WHERE community_id = $1 AND owner_id = $2"
	    " ORDER BY id DESC LIMIT 1", NULL, 0 },
};

void
water_place_register(void)
{
	water_stock_register();
	db_register(place_sql, PLACE_SQL_MAX);
}

/* All that is known before anything is written. */
struct placing {
	struct water_station	 station;
	struct target		 to;
	struct water_window	 window;
	struct water_lines	 lines;
	int64_t			 floor_fen;
	int64_t			 total_fen;
};

static enum err
find_target(struct req *rq, const struct water_order_new *in,
    struct placing *p)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &place_sql[PLACE_TARGET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->address_id)), &p->to);
	if (e == ERR_ABSENT)
		return req_field(rq, "address_id", "not_found",
		    "没有找到这个地址，请重新选择送水地址。");
	return e;
}

static enum err
find_station(struct req *rq, const struct water_order_new *in,
    struct placing *p)
{
	enum err	e;

	e = water_station_get(rq, in->station_id, &p->station);
	if (e == ERR_ABSENT)
		return req_field(rq, "station_id", "not_found",
		    "没有找到这家水站，请重新选择。");
	if (e != OK)
		return e;
	e = water_station_serves(rq, p->station.id, p->to.compound_id);
	if (e == ERR_ABSENT)
		return req_field_as(rq, ERR_NOT_SERVED, "address_id",
		    "not_served", "这家水站不送到该地址，请更换水站。");
	if (e != OK)
		return e;
	if (p->station.paused)
		return req_field_as(rq, ERR_CLOSED, "station_id", "paused",
		    "这家水站暂停接单，请稍后再试或更换水站。");
	return OK;
}

static enum err
find_window(struct req *rq, const struct water_order_new *in,
    struct placing *p)
{
	const struct water_window_in	*want = in->window;
	struct water_hours		 h;

	if (!water_window_parse(p->station.windows, p->station.opens,
	    p->station.closes, &h))
		return ERR_INTERNAL;
	if (want == NULL) {
		if (!water_window_next(&h, rq->now, 0, &p->window))
			return ERR_CLOSED;
		return OK;
	}
	p->window.from = want->from;
	p->window.to = want->to;
	if (!water_window_open(&h, rq->now, p->window))
		return req_field_as(rq, ERR_CLOSED, "window", "closed",
		    "该时段不送水，请在可选时段中选择。");
	return OK;
}

static enum err
add_up(struct req *rq, struct placing *p)
{
	int64_t	each;

	each = water_station_floor_fee(&p->station, p->to.floor, p->to.lift);
	p->floor_fen = 0;
	p->total_fen = p->lines.goods_fen;
	if (!money_add(&p->floor_fen, each, p->lines.barrels) ||
	    !money_add(&p->total_fen, p->floor_fen, 1))
		return req_field(rq, "items", "too_large",
		    "订单金额过大，请分次下单。");
	return OK;
}

/* The price the resident saw is the price, or is asked about again. */
static enum err
check_total(struct req *rq, const struct placing *p, bool told,
    int64_t expected)
{
	if (!told || expected == p->total_fen)
		return OK;
	return req_field_as(rq, ERR_CONFLICT, "expected_total_fen",
	    "changed", arena_fmt(rq->arena,
	    "价格有变化，现在应付 %lld.%02lld 元，请确认后再下单。",
	    (long long)p->total_fen / 100, (long long)p->total_fen % 100));
}

static enum err
insert_order(struct req *rq, const struct water_order_new *in,
    const struct placing *p, const struct flow_thing *t)
{
	const char	*clear, *mask;
	enum err	 e;

	if ((clear = crypt_open(rq->arena, "phone", p->to.phone)) == NULL)
		return ERR_INTERNAL;
	mask = text_mask_phone(rq->arena, clear);

	e = db_run(rq->db, &place_sql[PLACE_INSERT],
	    WITH(V(t->community_id), V(t->id), V(t->state), V(t->deadline_at),
	    V(t->owner_id), V(t->org_id), V(t->title), V(rq->now),
	    V(p->to.id), V(p->to.compound_id), V(p->to.place),
	    p->to.floor == VIEW_NULL_INT ? VNULL : V(p->to.floor),
	    p->to.lift == VIEW_NULL_INT ? VNULL : V(p->to.lift),
	    V(p->to.contact), V(p->to.phone), V(mask), V(p->window.from),
	    V(p->window.to), V(water_stock_json(rq, &p->lines)),
	    V(p->lines.goods_fen), V(p->floor_fen), V(p->total_fen),
	    V(water_payments[in->payment]), V(in->note), V(p->station.name),
	    V(p->station.phone), V(in->payment == WATER_BY_TICKET ?
	    p->lines.barrels : (int64_t)0)), NULL);
	if (e != OK)
		return e;
	if ((e = water_stock_write(rq, t->id, &p->lines)) != OK)
		return e;
	return water_offer_note(rq, t->id, t->org_id);
}

/* A ticket a barrel, held until it is there; carrying is paid in cash. */
static enum err
hold_tickets(struct req *rq, const struct placing *p, int64_t order_id)
{
	int64_t		account;
	enum err	e;

	e = water_account_take(rq, p->station.id, rq->who.user_id,
	    p->to.dwelling_id, &account);
	if (e != OK)
		return e;
	return water_ticket_hold(rq, account, order_id, &p->lines);
}

static enum err
check_payment(struct req *rq, const struct placing *p, int64_t payment)
{
	if (payment != WATER_ONLINE)
		return OK;
	if (rq->conf->pay_mchid[0] == '\0')
		return req_fail(rq, ERR_NO_PAY, NULL);
	if (p->total_fen == 0)
		return req_field(rq, "payment", "nothing_to_pay",
		    "这一单不需要付钱，请选择货到付款。");
	return OK;
}

/* What waits for its money has the time to pay, and a little. */
static int64_t
first_deadline(struct req *rq, const struct placing *p, bool online)
{
	if (online)
		return rq->now + water_pay_time(rq) + CLOCK_MINUTE;
	return water_window_deadline(rq->now, p->station.opens,
	    p->station.closes, p->station.accept_minutes);
}

static enum err
place(struct req *rq, const struct water_order_new *in)
{
	bool			online = in->payment == WATER_ONLINE;
	struct placing		p;
	struct flow_thing	t = { .id = id_new(),
	    .state = online ? "unpaid" : "placed" };
	enum err		e;

	if ((e = find_target(rq, in, &p)) != OK ||
	    (e = find_station(rq, in, &p)) != OK ||
	    (e = find_window(rq, in, &p)) != OK ||
	    (e = water_stock_take(rq, p.station.id, &in->items,
	    &p.lines)) != OK ||
	    (e = add_up(rq, &p)) != OK ||
	    (e = check_total(rq, &p, field_given(rq, "expected_total_fen"),
	    in->expected_total_fen)) != OK ||
	    (e = check_payment(rq, &p, in->payment)) != OK)
		return e;
	t.community_id = rq->who.community_id;
	t.owner_id = rq->who.user_id;
	t.org_id = p.station.id;
	t.title = water_stock_title(rq, &p.lines);
	t.deadline_at = first_deadline(rq, &p, online);
	if ((e = insert_order(rq, in, &p, &t)) != OK)
		return e;
	if (in->payment == WATER_BY_TICKET &&
	    (e = hold_tickets(rq, &p, t.id)) != OK)
		return e;
	e = flow_start(rq, &water_flow, online ? "order" : "place", &t);
	if (e != OK)
		return e;
	return water_order_answer(rq, t.id);
}

enum err
water_place(struct req *rq)
{
	return place(rq, rq->in);
}

enum err
water_place_again(struct req *rq)
{
	const struct water_again_in *asked = rq->in;
	struct water_order_new	 in = { .payment = WATER_ON_DELIVERY };
	struct water_item_in	*items;
	struct water_lines	 lines;
	struct last		 last;
	enum err		 e;
	int			 i;

	e = db_one(rq->db, rq->arena, &place_sql[PLACE_LAST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), &last);
	if (e == ERR_ABSENT)
		return req_fail(rq, ERR_INCOMPLETE,
		    "您还没有订过水，请先选择水站和商品下第一单。");
	if (e != OK)
		return e;
	if ((e = water_stock_lines(rq, last.id, &lines)) != OK)
		return e;
	items = ARENA_ARRAY(rq->arena, struct water_item_in, lines.n);
	for (i = 0; i < lines.n; i++)
		items[i] = (struct water_item_in){ lines.at[i].product_id,
		    lines.at[i].quantity };
	if (strcmp(last.payment, water_payments[WATER_BY_TICKET]) == 0)
		in.payment = WATER_BY_TICKET;
	if (strcmp(last.payment, water_payments[WATER_ONLINE]) == 0)
		in.payment = WATER_ONLINE;
	in.station_id = last.org_id;
	in.address_id = last.address_id;
	in.items = (struct field_list){ (size_t)lines.n, items };
	in.note = last.note;
	in.expected_total_fen = asked->expected_total_fen;
	return place(rq, &in);
}
