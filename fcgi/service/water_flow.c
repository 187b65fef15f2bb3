/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_flow.c -- a barrel of water from tap to door, as a table.
 *
 * placed -> accepted -> delivering -> delivered -> completed; cancelled
 * and rejected are the other ends.  Barrels come back to the stock in
 * both, tickets to their book, and money paid online to its payer.  What is
 * to be paid online begins as unpaid and is paying while a payment is open;
 * the station sees it when it is placed.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "http/req.h"
#include "service/shipping.h"
#include "service/water.h"
#include "service/water_account.h"

#define MINUTE	CLOCK_MINUTE
#define HOUR	CLOCK_HOUR

struct water_code {
	const char	*code;
	int64_t		 code_tries;
};

static const struct view_column water_code_columns[] = {
	C_TEXT(water_code, code),
	C_INT(water_code, code_tries),
	C_END
};
static const struct view water_code_view = VIEW(water_code, "WaterCode");

struct water_promise {
	int64_t		 window_to;
};

static const struct view_column water_promise_columns[] = {
	C_TIME(water_promise, window_to),
	C_END
};
static const struct view water_promise_view =
    VIEW(water_promise, "WaterPromise");

struct water_courier {
	int64_t		 user_id;
};

static const struct view_column water_courier_columns[] = {
	C_ID(water_courier, user_id),
	C_END
};
static const struct view water_courier_view =
    VIEW(water_courier, "WaterCourierId");

enum { WATER_PROMISE, WATER_COURIER, WATER_NAME, WATER_TRY, WATER_CODE,
	WATER_PAID, WATER_REASON, WATER_SQL_MAX };

static struct stmt water_sql[] = {
	[WATER_PROMISE] = { RO, 2, &water_promise_view,
	    "SELECT window_to FROM water_order WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[WATER_COURIER] = { RO, 3, &water_courier_view,
	    "SELECT user_id FROM org_staff WHERE community_id = $1"
	    " AND org_id = $2 AND user_id = $3", NULL, 0 },
	[WATER_NAME] = { RW, 2, NULL,
	    "UPDATE water_order SET courier = (SELECT u.name FROM app_user u"
	    " WHERE u.id = assignee_id) WHERE community_id = $1 AND id = $2",
	    NULL, 0 },
	[WATER_TRY] = { RW, 3, &water_code_view,
	    "UPDATE water_order SET code_tries = code_tries + 1"
	    " WHERE community_id = $1 AND id = $2 AND code_tries < $3"
	    " AND state = 'delivering' RETURNING code, code_tries",
	    NULL, 0 },
	[WATER_CODE] = { RW, 4, NULL,
	    "UPDATE water_order SET code = $3, code_tries = code_tries * $4"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[WATER_PAID] = { RW, 5, NULL,
	    "UPDATE water_order SET paid_at = COALESCE(paid_at, $3),"
	    " empties = $4, deposit_fen = $5"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[WATER_REASON] = { RW, 3, NULL,
	    "UPDATE water_order SET reason = $3 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
};

static struct stmt water_flow_sql[] = {
	[FLOW_READ] = { RO, 3, &flow_thing_view,
	    "SELECT t.community_id, t.id, t.state, t.version, t.urged,"
	    " t.deadline_at, t.owner_id, t.org_id, t.assignee_id,"
	    " t.title, s.duty FROM water_order t"
	    " LEFT JOIN org_staff s ON s.community_id = t.community_id"
	    " AND s.org_id = t.org_id AND s.user_id = $3"
	    " AND NOT " WATER_UNPAID("t")
	    " WHERE t.community_id = $1 AND t.id = $2", NULL, 0 },
	FLOW_SQL_REST("water_order")
};

static enum err
set_reason(struct req *rq, struct flow_step *st)
{
	return db_run(rq->db, &water_sql[WATER_REASON],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(st->note)),
	    NULL);
}

/* What the resident was promised is the deadline of an accepted order. */
static enum err
promise(struct req *rq, struct flow_step *st)
{
	struct water_promise	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &water_sql[WATER_PROMISE],
	    WITH(V(st->thing.community_id), V(st->thing.id)), &row);
	if (e != OK)
		return e;
	st->deadline_at = row.window_to > rq->now + HOUR ? row.window_to :
	    rq->now + HOUR;
	return OK;
}

/* A reason is the least that the other side is owed. */
static enum err
need_reason(struct req *rq, struct flow_step *st)
{
	if (st->note == NULL || st->note[0] == '\0')
		return req_field(rq, "reason", "required",
		    "请写明原因，对方会看到。");
	return OK;
}

static enum err
not_home(struct req *rq, struct flow_step *st)
{
	enum err	e;

	if ((e = need_reason(rq, st)) != OK)
		return e;
	return promise(rq, st);
}

/*
 * When to look again: `minutes` of the station's opening hours later (0:
 * what it has to accept in), so that nobody is urged at night.
 */
static enum err
look_again(struct req *rq, struct flow_step *st, int64_t minutes)
{
	struct water_station	s;
	enum err		e;

	e = water_station_get(rq, st->org_id, &s);
	if (e == ERR_ABSENT) {
		/* The station has gone out of business. */
		st->deadline_at = rq->now + HOUR;
		return OK;
	}
	if (e != OK)
		return e;
	st->deadline_at = water_window_deadline(rq->now, s.opens, s.closes,
	    minutes != 0 ? minutes : s.accept_minutes);
	return OK;
}

/* Ask another station, or urge this one while it still has its time. */
static enum err
supervise_placed(struct req *rq, struct flow_step *st)
{
	enum err	e;

	if ((e = water_offer_next(rq, st)) != ERR_ABSENT)
		return e;
	st->note = "已再次提醒水站接单";
	return look_again(rq, st, 0);
}

static enum err
supervise_hourly(struct req *rq, struct flow_step *st)
{
	return look_again(rq, st, 60);
}

static enum err
pass_on(struct req *rq, struct flow_step *st)
{
	const char	*why;
	enum err	 e;

	if ((e = need_reason(rq, st)) != OK)
		return e;
	why = st->note;
	e = water_offer_next(rq, st);
	if (e == ERR_ABSENT)
		return req_fail(rq, ERR_STATE,
		    "没有其他水站可以接这一单，请接单或说明原因后拒单。");
	if (e == OK)
		st->note = arena_fmt(rq->arena, "%s，原因：%s", st->note, why);
	return e;
}

static enum err
expire(struct req *rq, struct flow_step *st)
{
	(void)rq;
	st->note = "附近水站暂时都无法接单，非常抱歉，请换个时段再试";
	return OK;
}

/* The money is there: the station's time to accept begins. */
static enum err
hand_to_station(struct req *rq, struct flow_step *st)
{
	return look_again(rq, st, 0);
}

static enum err
lapse(struct req *rq, struct flow_step *st)
{
	(void)rq;
	st->note = "未在规定时间内付款，订单已自动取消，需要时请重新下单";
	return OK;
}

/* Barrels, tickets and money go back when an order ends without water. */
static enum err
give_back(struct req *rq, struct flow_step *st)
{
	enum err	e;

	if ((e = water_stock_return(rq, st->thing.id)) != OK ||
	    (e = water_ticket_back(rq, st->thing.id)) != OK ||
	    (e = water_pay_end(rq, st)) != OK)
		return e;
	return set_reason(rq, st);
}

static enum err
assign(struct req *rq, struct flow_step *st)
{
	const struct water_event_in	*in = st->in;
	struct water_courier		 row;
	enum err			 e;

	if (in->courier_id == 0)
		return req_field(rq, "courier_id", "required",
		    "请选择配送员。");
	e = db_one(rq->db, rq->arena, &water_sql[WATER_COURIER],
	    WITH(V(st->thing.community_id), V(st->thing.org_id),
	    V(in->courier_id)), &row);
	if (e == ERR_ABSENT)
		return req_field(rq, "courier_id", "not_found",
		    "没有找到这位配送员，请重新选择。");
	st->assignee_id = row.user_id;
	return e;
}

static enum err
name_courier(struct req *rq, struct flow_step *st)
{
	return db_run(rq->db, &water_sql[WATER_NAME],
	    WITH(V(st->thing.community_id), V(st->thing.id)), NULL);
}

/* Who sets out has it; the resident gets a code to show at the door. */
static enum err
set_out(struct req *rq, struct flow_step *st)
{
	if (st->thing.assignee_id != 0 &&
	    st->thing.assignee_id != rq->who.user_id &&
	    (st->mask & REL_ORG) == 0)
		return req_fail(rq, ERR_FORBIDDEN,
		    "这一单已安排给其他配送员。");
	if ((st->mask & REL_COURIER) || st->thing.assignee_id == 0)
		st->assignee_id = rq->who.user_id;
	return OK;
}

/*
 * Setting out again does not give a courier new tries at the code; the
 * station may, by sending the order out itself.
 */
static enum err
new_code(struct req *rq, struct flow_step *st)
{
	bool		courier = (st->mask & REL_ORG) == 0;
	enum err	e;

	e = name_courier(rq, st);
	if (e != OK)
		return e;
	return db_run(rq->db, &water_sql[WATER_CODE],
	    WITH(V(st->thing.community_id), V(st->thing.id),
	    V(arena_fmt(rq->arena, "%04u", crypt_uniform(10000))),
	    V(courier)), NULL);
}

/*
 * Each try is counted and the count is kept, right or wrong: otherwise a
 * patient courier would find any code.
 */
static enum err
check_code(struct req *rq, struct flow_step *st)
{
	const struct water_event_in	*in = st->in;
	struct water_code		 row;
	enum err			 e;

	if (in->code == NULL)
		return req_field(rq, "code", "required",
		    "请输入收货人出示的 4 位收货码。");
	e = db_one(rq->db, rq->arena, &water_sql[WATER_TRY],
	    WITH(V(st->thing.community_id), V(st->thing.id),
	    V(WATER_TRIES)), &row);
	if (e == ERR_ABSENT)
		return ERR_LOCKED;
	if (e != OK)
		return e;
	if (crypt_equal(row.code, in->code))
		return OK;
	rq->keep = true;
	if (row.code_tries >= WATER_TRIES)
		return ERR_LOCKED;
	return req_field(rq, "code", "wrong", arena_fmt(rq->arena,
	    "收货码不正确，还可以再试 %d 次。",
	    (int)(WATER_TRIES - row.code_tries)));
}

/*
 * The water is there: tickets are spent, barrels and deposit booked.  The
 * resident who confirms without the courier has given back as many
 * barrels as came, for nobody has counted.
 */
static enum err
paid_at_door(struct req *rq, struct flow_step *st)
{
	const struct water_event_in	*in = st->in;
	struct water_door		 door;
	bool				 counted;
	enum err			 e;

	counted = field_given(rq, "empties") &&
	    strcmp(st->move->event, "handover") == 0;
	if ((e = water_ticket_spend(rq, st->thing.id,
	    st->thing.org_id)) != OK ||
	    (e = water_barrel_deliver(rq, st, counted ? in->empties :
	    VIEW_NULL_INT, &door)) != OK)
		return e;
	if (counted)
		st->note = water_door_note(rq, &door);
	e = shipping_handover(rq, st->thing.id, st->thing.title);
	if (e != OK)
		return e;
	return db_run(rq->db, &water_sql[WATER_PAID],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(rq->now),
	    V(door.empties), V(door.deposit_fen)), NULL);
}

static const struct flow_state water_states[] = {
	{ "unpaid", "待付款", false, "lapse", 0, NULL, NULL },
	{ "paying", "付款中", false, "wind_up", 0, NULL, NULL },
	{ "placed", "待接单", false, "supervise", 3, "expire", NULL },
	{ "accepted", "已接单", false, "supervise", 0, NULL, NULL },
	{ "delivering", "配送中", false, "supervise", 0, NULL, NULL },
	{ "delivered", "已送达", false, "complete", 0, NULL, NULL },
	{ "completed", "已完成", true, NULL, 0, NULL, NULL },
	{ "cancelled", "已取消", true, NULL, 0, NULL, NULL },
	{ "rejected", "未接单", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

#define PROGRESS	"order_progress"
#define TASK		"order_todo"
#define OWNER(tip)	{ TELL_OWNER, PROGRESS, (tip) }
/* The service hall and the community's admin help when all else fails. */
#define DESK		(ROLE_ADMIN | ROLE_CLERK)
#define STATION(tip)	{ TELL_ORG, TASK, (tip) }

static const struct flow_move water_moves[] = {
	{ NULL, "place", "placed", REL_OWNER, FLOW_SET, "下单",
	    NULL, NULL, { STATION("有新订单，请及时接单") } },
	{ NULL, "order", "unpaid", REL_OWNER, FLOW_SET, "下单，等待付款",
	    NULL, NULL, { { 0 } } },

	{ "unpaid", "begin", "paying", REL_SYSTEM, FLOW_SET, "开始付款",
	    water_pay_begin, NULL, { { 0 } } },
	{ "unpaid", "pay", "placed", REL_SYSTEM, FLOW_SET, "付款成功",
	    hand_to_station, NULL, { STATION("有新订单，请及时接单") } },
	{ "unpaid", "cancel", "cancelled", REL_OWNER, FLOW_NONE, "取消订单",
	    NULL, give_back, { { 0 } } },
	{ "unpaid", "lapse", "cancelled", REL_SYSTEM, FLOW_NONE,
	    "超时未付款，自动取消", lapse, give_back,
	    { OWNER("未付款，订单已取消") } },

	{ "paying", "pay", "placed", REL_SYSTEM, FLOW_SET, "付款成功",
	    hand_to_station, NULL, { STATION("有新订单，请及时接单") } },
	{ "paying", "reopen", "unpaid", REL_SYSTEM, FLOW_SET,
	    "这次付款已关闭", water_pay_begin, NULL, { { 0 } } },
	{ "paying", "cancel", "cancelled", REL_OWNER, FLOW_NONE, "取消订单",
	    NULL, give_back, { { 0 } } },
	{ "paying", "lapse", "cancelled", REL_SYSTEM, FLOW_NONE,
	    "超时未付款，自动取消", lapse, give_back,
	    { OWNER("未付款，订单已取消") } },
	{ "paying", "wind_up", "paying", REL_SYSTEM, FLOW_SET,
	    "付款超时，正在关闭", water_pay_wind_up, NULL, { { 0 } } },

	{ "placed", "accept", "accepted", REL_ORG, FLOW_SET, "水站接单",
	    promise, NULL, { OWNER("水站已接单，请留意送水时间") } },
	{ "placed", "reject", "rejected", REL_ORG | DESK, FLOW_NONE, "拒单",
	    need_reason, give_back, { OWNER("未能接单，可换一家水站") } },
	{ "placed", "pass", "placed", REL_ORG | DESK, FLOW_SET,
	    "转给其他水站",
	    pass_on, NULL, { STATION("有新订单，请及时接单"),
	    OWNER("已转给其他水站，请稍候") } },
	{ "placed", "cancel", "cancelled", REL_OWNER, FLOW_NONE, "取消订单",
	    NULL, give_back, { STATION("客户已取消，无需送水") } },
	{ "placed", "supervise", "placed", REL_SYSTEM, FLOW_SET, "超时督办",
	    supervise_placed, NULL, { STATION("订单等待接单，请尽快处理"),
	    OWNER("暂未接单，正在为您联系水站"),
	    { TELL_ADMINS, TASK, "水站未及时接单，请跟进" } } },
	{ "placed", "expire", "rejected", REL_SYSTEM, FLOW_NONE,
	    "无人接单，自动关闭", expire, give_back,
	    { OWNER("暂无水站接单，请换个时段"),
	    { TELL_ADMINS, TASK, "订单无人接，请跟进" } } },

	{ "accepted", "assign", "accepted", REL_ORG, FLOW_KEEP, "安排配送员",
	    assign, name_courier,
	    { { TELL_ASSIGNEE, TASK, "有新的送水任务" } } },
	{ "accepted", "contact", "accepted", REL_ORG | REL_ASSIGNEE,
	    FLOW_KEEP, "查看联系电话", NULL, NULL, { { 0 } } },
	{ "accepted", "deliver", "delivering",
	    REL_ORG | REL_COURIER | REL_ASSIGNEE, 3 * HOUR, "开始配送",
	    set_out, new_code, { OWNER("送水在路上，请准备收货码") } },
	{ "accepted", "reject", "rejected", REL_ORG | DESK, FLOW_NONE,
	    "无法送达", need_reason, give_back,
	    { OWNER("水站无法送达，可换一家") } },
	{ "accepted", "cancel", "cancelled", REL_OWNER, FLOW_NONE,
	    "取消订单", NULL, give_back,
	    { STATION("客户已取消，无需送水"),
	    { TELL_ASSIGNEE, TASK, "客户已取消，无需送水" } } },
	{ "accepted", "supervise", "accepted", REL_SYSTEM, FLOW_SET,
	    "超时督办", supervise_hourly, NULL, { STATION("已过约定时段，请尽快送水"),
	    OWNER("送水已超时，正在催促"),
	    { TELL_ADMINS, TASK, "送水超过约定时段，请跟进" } } },

	{ "delivering", "contact", "delivering", REL_ORG | REL_ASSIGNEE,
	    FLOW_KEEP, "查看联系电话", NULL, NULL, { { 0 } } },
	{ "delivering", "handover", "delivered", REL_ASSIGNEE, 24 * HOUR,
	    "凭收货码交付", check_code, paid_at_door,
	    { OWNER("水已送达，请确认收货") } },
	{ "delivering", "fail", "accepted", REL_ASSIGNEE | REL_ORG | DESK,
	    FLOW_SET, "未能送达", not_home, NULL, { OWNER("未能送达，将再次联系您"),
	    STATION("未能送达，请重新安排") } },
	{ "delivering", "confirm", "completed", REL_OWNER, FLOW_NONE,
	    "确认收货", NULL, paid_at_door, { STATION("客户已确认收货"),
	    { TELL_ASSIGNEE, TASK, "客户已确认收货" } } },
	{ "delivering", "supervise", "delivering", REL_SYSTEM, FLOW_SET,
	    "超时督办", supervise_hourly, NULL, { STATION("配送超时，请联系配送员"),
	    { TELL_ADMINS, TASK, "配送超时，请跟进" } } },

	{ "delivered", "confirm", "completed", REL_OWNER, FLOW_NONE,
	    "确认收货", NULL, NULL, { { 0 } } },
	{ "delivered", "complete", "completed", REL_SYSTEM, FLOW_NONE,
	    "自动完成", NULL, NULL, { { 0 } } },

	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow water_flow = {
	.name = "water_order",
	.label = "送水订单",
	.page = "pages/water/order?id=",
	.states = water_states,
	.moves = water_moves,
	.sql = water_flow_sql,
	.watchers = ROLE_ADMIN | ROLE_CLERK,
};

const char *const water_state_names[] = { "unpaid", "paying", "placed",
    "accepted", "delivering", "delivered", "completed", "cancelled",
    "rejected", NULL };
const char *const water_events[] = { "accept", "reject", "pass", "cancel",
    "assign", "deliver", "handover", "fail", "confirm", NULL };

void
water_flow_register(void)
{
	db_register(water_sql, WATER_SQL_MAX);
	flow_register(&water_flow);
}
