/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_order.c -- orders: what one looks like, lists, and the routes.
 *
 * One view serves resident, station and courier; what only one of them
 * may see (the handover code, the buttons) is calculated per row.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/log.h"
#include "base/money.h"
#include "http/req.h"
#include "service/service.h"
#include "service/shipping.h"
#include "service/water.h"
#include "service/water_account.h"

struct water_order {
	int64_t		 id;
	const char	*state;
	int64_t		 station_id;
	const char	*station;
	const char	*station_phone;
	int64_t		 address_id;
	const char	*place;
	int64_t		 floor;
	const char	*contact;
	const char	*phone;
	int64_t		 courier_id;
	const char	*courier;
	int64_t		 window_from;
	int64_t		 window_to;
	const char	*items;
	int64_t		 goods_fen;
	int64_t		 floor_fen;
	int64_t		 total_fen;
	const char	*payment;
	int64_t		 tickets;
	int64_t		 empties;
	int64_t		 deposit_fen;
	int64_t		 paid_at;
	const char	*note;
	const char	*reason;
	int64_t		 urged;
	int64_t		 deadline_at;
	int64_t		 created_at;
	int64_t		 updated_at;
	int64_t		 owner_id;
	const char	*code;
	const char	*duty;
};

/* All that `can` may hold: the events, and the look at the number. */
static const char *const order_buttons[] = { "accept", "reject", "pass",
    "cancel", "assign", "contact", "deliver", "handover", "fail", "confirm",
    NULL };

static uint64_t
row_mask(const struct req *rq, const struct water_order *o)
{
	int64_t	courier = o->courier_id == VIEW_NULL_INT ? 0 :
	    o->courier_id;

	return flow_mask(rq, o->owner_id, courier, o->duty);
}

static void
order_can(struct json *j, const struct req *rq, const void *row)
{
	const struct water_order	*o = row;
	uint64_t			 mask = row_mask(rq, o);

	/* Another courier has it. */
	if (o->courier_id != VIEW_NULL_INT && (mask & REL_ASSIGNEE) == 0)
		mask &= ~REL_COURIER;
	flow_can(j, &water_flow, o->state, mask);
}

static void
order_label(struct json *j, const struct req *rq, const void *row)
{
	const struct water_order	*o = row;

	(void)rq;
	json_text(j, flow_label(&water_flow, o->state));
}

/* The code is the owner's, to be shown at the door. */
static void
order_code(struct json *j, const struct req *rq, const void *row)
{
	const struct water_order	*o = row;

	if (o->owner_id == rq->who.user_id &&
	    strcmp(o->state, "delivering") == 0)
		json_text(j, o->code);
	else
		json_nil(j);
}

static const struct view_column water_order_columns[] = {
	C_ID(water_order, id),
	C_CODE(water_order, state, water_state_names),
	C_ID(water_order, station_id),
	C_TEXT(water_order, station),
	C_TEXT(water_order, station_phone),
	C_ID(water_order, address_id),
	C_TEXT(water_order, place),
	C_INT(water_order, floor, .flags = VIEW_NULL),
	C_TEXT(water_order, contact),
	C_TEXT(water_order, phone, .about = "masked"),
	C_ID(water_order, courier_id, .flags = VIEW_NULL),
	C_TEXT(water_order, courier, .flags = VIEW_NULL),
	C_TIME(water_order, window_from),
	C_TIME(water_order, window_to),
	C_ARRAY(water_order, items, &water_line_view),
	C_FEN(water_order, goods_fen),
	C_FEN(water_order, floor_fen),
	C_FEN(water_order, total_fen),
	C_CODE(water_order, payment, water_payments),
	C_INT(water_order, tickets, .about = "that pay for the barrels"),
	C_INT(water_order, empties, .flags = VIEW_NULL,
	    .about = "taken back at the door"),
	C_FEN(water_order, deposit_fen,
	    .about = "taken at the door beside the total; below 0 given back"),
	C_TIME(water_order, paid_at, .flags = VIEW_NULL),
	C_TEXT(water_order, note, .flags = VIEW_NULL),
	C_TEXT(water_order, reason, .flags = VIEW_NULL),
	C_INT(water_order, urged, .about = "times overdue in this state"),
	C_TIME(water_order, deadline_at, .flags = VIEW_NULL),
	C_TIME(water_order, created_at),
	C_TIME(water_order, updated_at),
	C_ID(water_order, owner_id, .flags = VIEW_HIDDEN),
	C_TEXT(water_order, code, .flags = VIEW_HIDDEN),
	C_TEXT(water_order, duty, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_CALC("state_label", SHAPE_TEXT, order_label),
	C_CALC("handover_code", SHAPE_TEXT, order_code, .flags = VIEW_NULL,
	    .about = "to show at the door; only to the owner"),
	C_CALC("can", SHAPE_CODES, order_can, .names = order_buttons,
	    .about = "events the caller may fire now"),
	C_END
};
const struct view water_order_view = VIEW(water_order, "WaterOrder");

struct order_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field order_page_fields[] = {
	F_PAGE(order_page),
	F_END
};
static const struct shape order_page_shape = SHAPE(order_page, "OrderPage");

struct order_id {
	int64_t		 id;
};

static const struct field order_id_fields[] = {
	F_ID(order_id, id, "订单", MUST),
	F_END
};
static const struct shape order_id_shape = SHAPE(order_id, "OrderId");

static const struct field water_event_in_fields[] = {
	F_ID(water_event_in, id, "订单", MUST),
	F_ENUM(water_event_in, event, "操作", MUST, water_events),
	F_TEXT(water_event_in, code, "收货码", MAY, 4, 4),
	F_ID(water_event_in, courier_id, "配送员", MAY),
	F_TEXT(water_event_in, reason, "原因", MAY, 0, 100),
	{ .kind = FIELD_INT, .name = "empties",
	    .offset = offsetof(struct water_event_in, empties),
	    .max = WATER_BARRELS_MAX, .label = "空桶数",
	    .about = "at the handover; as many as barrels when absent" },
	F_END
};
const struct shape water_event_shape =
    SHAPE(water_event_in, "WaterOrderEvent");

static const struct field water_again_in_fields[] = {
	F_INT(water_again_in, expected_total_fen, "应付金额", MAY, 0,
	    MONEY_MAX),
	F_END
};
static const struct shape again_shape =
    SHAPE(water_again_in, "WaterOrderAgain");

struct order_contact {
	const char	*contact;
	const char	*phone;
};

static const struct view_column order_contact_columns[] = {
	C_TEXT(order_contact, contact),
	C_TEXT(order_contact, phone, .about = "in clear; the look is kept"),
	C_END
};
static const struct view order_contact_view =
    VIEW(order_contact, "OrderContact");

#define ORDER_COLUMNS							\
	"SELECT w.id, w.state, w.org_id AS station_id,"			\
	" w.station, w.station_phone, w.address_id, w.place, w.floor,"	\
	" w.contact, w.phone_mask AS phone,"				\
	" w.assignee_id AS courier_id, w.courier, w.window_from,"	\
	" w.window_to, w.items, w.goods_fen, w.floor_fen, w.total_fen,"	\
	" w.payment, w.tickets, w.empties, w.deposit_fen, w.paid_at,"	\
	" w.note, w.reason, w.urged,"					\
	" w.deadline_at, w.created_at, w.updated_at, w.owner_id,"	\
	" w.code,"

/* Keyset: the id is the cursor, 0 for the first page. */
#define ORDER_PAGE(after, limit)					\
	" AND (CAST(" after " AS BIGINT) = 0 OR w.id < " after ")"	\
	" ORDER BY w.id DESC LIMIT " limit

enum { ORDER_MINE, ORDER_MINE_AFTER, ORDER_GET, ORDER_STATION,
	ORDER_STATION_STATE, ORDER_URGED, ORDER_CONTACT, ORDER_SQL_MAX };

static struct stmt order_sql[] = {
	[ORDER_MINE] = { RO, 3, &water_order_view,
	    ORDER_COLUMNS " CAST(NULL AS TEXT) AS duty FROM water_order w"
	    " WHERE w.community_id = $1 AND w.owner_id = $2"
	    " ORDER BY w.id DESC LIMIT $3", NULL, 0 },
	[ORDER_MINE_AFTER] = { RO, 4, &water_order_view,
	    ORDER_COLUMNS " CAST(NULL AS TEXT) AS duty FROM water_order w"
	    " WHERE w.community_id = $1 AND w.owner_id = $2 AND w.id < $4"
	    " ORDER BY w.id DESC LIMIT $3", NULL, 0 },
	[ORDER_GET] = { RO, 3, &water_order_view,
	    ORDER_COLUMNS " s.duty FROM water_order w"
	    " LEFT JOIN org_staff s ON s.community_id = w.community_id"
	    " AND s.org_id = w.org_id AND s.user_id = $3"
	    " AND NOT " WATER_UNPAID("w")
	    " WHERE w.community_id = $1 AND w.id = $2", NULL, 0 },
	[ORDER_STATION] = { RO, 4, &water_order_view,
	    ORDER_COLUMNS " s.duty FROM water_order w"
	    " JOIN org_staff s ON s.community_id = w.community_id"
	    " AND s.org_id = w.org_id"
	    " WHERE w.community_id = $1 AND s.user_id = $2"
	    " AND NOT " WATER_UNPAID("w") ORDER_PAGE("$3", "$4"),
	    NULL, 0 },
	[ORDER_STATION_STATE] = { RO, 5, &water_order_view,
	    ORDER_COLUMNS " s.duty FROM water_order w"
	    " JOIN org_staff s ON s.community_id = w.community_id"
	    " AND s.org_id = w.org_id"
	    " WHERE w.community_id = $1 AND s.user_id = $2"
	    " AND NOT " WATER_UNPAID("w")
	    " AND w.state = $5" ORDER_PAGE("$3", "$4"), NULL, 0 },
	[ORDER_URGED] = { RO, 3, &water_order_view,
	    ORDER_COLUMNS " CAST(NULL AS TEXT) AS duty FROM water_order w"
	    " WHERE w.community_id = $1 AND w.urged > 0"
	    " AND w.deadline_at IS NOT NULL" ORDER_PAGE("$2", "$3"),
	    NULL, 0 },
	[ORDER_CONTACT] = { RO, 2, &order_contact_view,
	    "SELECT contact, phone FROM water_order"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
};

static enum err
read_order(struct req *rq, int64_t id, struct water_order *ret)
{
	return db_one(rq->db, rq->arena, &order_sql[ORDER_GET],
	    WITH(V(rq->who.community_id), V(id), V(rq->who.user_id)), ret);
}

enum err
water_order_answer(struct req *rq, int64_t id)
{
	struct water_order	row;
	enum err		e;

	if ((e = read_order(rq, id, &row)) != OK)
		return e;
	if ((row_mask(rq, &row) & (REL__ALL | water_flow.watchers)) == 0)
		return ERR_ABSENT;
	return req_one(rq, &row);
}

enum err
water_order_of_station(struct req *rq, const char *state, int64_t after,
    int64_t limit)
{
	limit = req_limit(limit);
	if (state == NULL)
		return req_list(rq, &order_sql[ORDER_STATION],
		    WITH(V(rq->who.community_id), V(rq->who.user_id),
		    V(after), V(limit + 1)), limit);
	return req_list(rq, &order_sql[ORDER_STATION_STATE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(after),
	    V(limit + 1), V(state)), limit);
}

static enum err
order_list(struct req *rq)
{
	const struct order_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	if (in->after == 0)
		return req_list(rq, &order_sql[ORDER_MINE],
		    WITH(V(rq->who.community_id), V(rq->who.user_id),
		    V(limit + 1)), limit);
	return req_list(rq, &order_sql[ORDER_MINE_AFTER],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(limit + 1),
	    V(in->after)), limit);
}

static enum err
order_urged(struct req *rq)
{
	const struct order_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &order_sql[ORDER_URGED],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
order_get(struct req *rq)
{
	const struct order_id	*in = rq->in;

	return water_order_answer(rq, in->id);
}

static enum err
order_timeline(struct req *rq)
{
	const struct order_id	*in = rq->in;

	return flow_timeline(rq, &water_flow, in->id);
}

static enum err
order_event(struct req *rq)
{
	const struct water_event_in	*in = rq->in;
	struct water_order		 row;
	enum err			 e;

	e = flow_fire(rq, &water_flow, in->id, water_events[in->event], in,
	    in->reason);
	/* Who has passed it on may not see it again, but sees it go. */
	if (e != OK || (e = read_order(rq, in->id, &row)) != OK)
		return e;
	return req_one(rq, &row);
}

/* The look at a phone number is a step that the owner can read. */
static enum err
order_contact(struct req *rq)
{
	const struct order_id	*in = rq->in;
	struct order_contact	 row;
	enum err		 e;

	e = flow_fire(rq, &water_flow, in->id, "contact", NULL, NULL);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &order_sql[ORDER_CONTACT],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	/* Asked again, it must be a step and be allowed again. */
	rq->once = true;
	row.phone = crypt_open(rq->arena, "phone", row.phone);
	if (row.phone == NULL) {
		log_error("order=%lld fault=\"phone does not open\"",
		    (long long)in->id);
		return ERR_INTERNAL;
	}
	return req_one(rq, &row);
}

#define STAFF	(ROLE_MERCHANT | ROLE_COURIER)
#define PARTIES	(ROLE_RESIDENT | STAFF | ROLE_ADMIN | ROLE_CLERK)

static const struct route order_routes[] = {
	{ POST, "/api/v1/water/orders", ROLE_RESIDENT | ACT_WATER,
	    &water_order_new_shape,
	    REPLY_ONE, &water_order_view, 201, POOL_API, TX_WRITE,
	    water_place, "Order water" },
	{ POST, "/api/v1/water/orders/again", ROLE_RESIDENT | ACT_WATER,
	    &again_shape,
	    REPLY_ONE, &water_order_view, 201, POOL_API, TX_WRITE,
	    water_place_again, "Order the same again" },
	{ GET, "/api/v1/water/orders", ROLE_RESIDENT | ACT_WATER | ACT_READ,
	    &order_page_shape,
	    REPLY_LIST, &water_order_view, 200, POOL_API, TX_READ,
	    order_list, "My orders, newest first" },
	{ GET, "/api/v1/water/urged-orders", ROLE_ADMIN | ROLE_CLERK,
	    &order_page_shape,
	    REPLY_LIST, &water_order_view, 200, POOL_API, TX_READ,
	    order_urged, "Open orders that were overdue" },
	{ GET, "/api/v1/water/orders/{id}", PARTIES | ACT_WATER | ACT_READ,
	    &order_id_shape,
	    REPLY_ONE, &water_order_view, 200, POOL_API, TX_READ,
	    order_get, "One order" },
	{ GET, "/api/v1/water/orders/{id}/timeline",
	    PARTIES | ACT_WATER | ACT_READ,
	    &order_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    order_timeline, "Every step of an order" },
	{ POST, "/api/v1/water/orders/{id}/contact", STAFF, &order_id_shape,
	    REPLY_ONE, &order_contact_view, 200, POOL_API, TX_WRITE,
	    order_contact, "The receiver's number in clear, for the door" },
	{ POST, "/api/v1/water/orders/{id}/{event}", PARTIES | ACT_WATER,
	    &water_event_shape,
	    REPLY_ONE, &water_order_view, 200, POOL_API, TX_WRITE,
	    order_event, "Move an order on" },
	{ 0 }
};

void
water_order_register(void)
{
	water_place_register();
	water_offer_register();
	water_flow_register();
	water_pay_register();
	shipping_register();
	db_register(order_sql, ORDER_SQL_MAX);
	route_register("water", order_routes);
}
