/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_barrel.c -- full barrels out, empties in, and the deposit.
 *
 * Barrels of the station at home = brought - taken back, never below zero.
 * The deposit stands for those barrels: one more costs what its product
 * asks, one less gives back the same part of the deposit as each other.
 */
#include "base/arena.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/water.h"
#include "service/water_account.h"

struct return_new {
	int64_t		 account_id;
	int64_t		 order_id;
	int64_t		 barrels;
};

static const struct field return_new_fields[] = {
	F_ID(return_new, account_id, "水账户", MAY),
	F_ID(return_new, order_id, "订单", MAY),
	F_INT(return_new, barrels, "空桶数", MUST, 1, WATER_BARRELS_MAX),
	F_END
};
static const struct shape return_new_shape =
    SHAPE(return_new, "WaterReturnNew");

struct door_query {
	int64_t		 id;
	int64_t		 empties;
};

static const struct field door_query_fields[] = {
	F_ID(door_query, id, "订单", MUST),
	F_INT(door_query, empties, "空桶数", MAY, 0, WATER_BARRELS_MAX),
	F_END
};
static const struct shape door_query_shape =
    SHAPE(door_query, "WaterDoorQuery");

/* What a handover would come to. */
struct door_answer {
	int64_t		 barrels;
	int64_t		 owed;
	int64_t		 empties;
	int64_t		 empties_max;
	int64_t		 deposit_fen;
	int64_t		 cash_fen;
};

static const struct view_column door_answer_columns[] = {
	C_INT(door_answer, barrels, .about = "lent ones of this order"),
	C_INT(door_answer, owed, .about = "at home from before"),
	C_INT(door_answer, empties, .about = "reckoned with"),
	C_INT(door_answer, empties_max),
	C_FEN(door_answer, deposit_fen,
	    .about = "to take; below 0 to give back"),
	C_FEN(door_answer, cash_fen,
	    .about = "to take in all; below 0 to give"),
	C_END
};
static const struct view door_answer_view =
    VIEW(door_answer, "WaterDoor");

/* The order at the door, and what the household has, nothing taken. */
struct door_state {
	int64_t		 barrels;
	int64_t		 deposit_fen;
	int64_t		 due_fen;
};

static const struct view_column door_state_columns[] = {
	C_INT(door_state, barrels),
	C_FEN(door_state, deposit_fen),
	C_FEN(door_state, due_fen),
	C_END
};
static const struct view door_state_view =
    VIEW(door_state, "WaterDoorState");

/* Whose barrels come back. */
struct bringer {
	int64_t		 account_id;
	int64_t		 station_id;
	int64_t		 user_id;
	int64_t		 dwelling_id;
};

static const struct view_column bringer_columns[] = {
	C_ID(bringer, account_id),
	C_ID(bringer, station_id),
	C_ID(bringer, user_id),
	C_ID(bringer, dwelling_id),
	C_END
};
static const struct view bringer_view = VIEW(bringer, "WaterBringer");

/* Barrels of an order that are lent. */
struct lent {
	int64_t		 quantity;
	int64_t		 deposit_fen;
};

static const struct view_column lent_columns[] = {
	C_INT(lent, quantity),
	C_FEN(lent, deposit_fen),
	C_END
};
static const struct view lent_view = VIEW(lent, "WaterLent");

struct lent_list {
	int		 n;
	struct lent	 at[WATER_ITEMS];
};

struct order_home {
	int64_t		 dwelling_id;
};

static const struct view_column order_home_columns[] = {
	C_ID(order_home, dwelling_id),
	C_END
};
static const struct view order_home_view =
    VIEW(order_home, "WaterOrderHome");

/* What the accounts that the handover would use have of `kind`. */
#define AT_HOME(kind)							\
	" (SELECT CAST(COALESCE(SUM(l.balance), 0) AS BIGINT)"		\
	" FROM water_account a JOIN ledger_account l"			\
	" ON l.community_id = a.community_id"				\
	" AND l.owner = 'water_account' AND l.owner_id = a.id"		\
	" AND l.kind = '" kind "' WHERE a.community_id = $1"		\
	" AND a.station_id = o.org_id AND a.closed_at IS NULL"		\
	" AND ((a.household_id IS NULL AND a.user_id = o.owner_id"	\
	" AND a.dwelling_id = d.dwelling_id) OR EXISTS (SELECT 1"	\
	" FROM home h WHERE h.community_id = $1"			\
	" AND h.owner_id = o.owner_id AND h.state = 'bound'"		\
	" AND h.dwelling_id = d.dwelling_id"				\
	" AND h.household_id = a.household_id)))"

enum { BARREL_LENT, BARREL_HOME, BARREL_ACCOUNT, BARREL_ORDER, BARREL_DOOR,
	BARREL_SQL_MAX };

static struct stmt barrel_sql[] = {
	[BARREL_LENT] = { RO, 2, &lent_view,
	    "SELECT i.quantity, p.deposit_fen FROM water_item i"
	    " JOIN water_product p ON p.community_id = i.community_id"
	    " AND p.id = i.product_id WHERE i.community_id = $1"
	    " AND i.order_id = $2 AND p.returnable = 1"
	    " ORDER BY p.deposit_fen, p.id", NULL, 0 },
	[BARREL_HOME] = { RO, 2, &order_home_view,
	    "SELECT a.dwelling_id FROM water_order o JOIN address a"
	    " ON a.community_id = o.community_id AND a.id = o.address_id"
	    " WHERE o.community_id = $1 AND o.id = $2", NULL, 0 },
	[BARREL_ACCOUNT] = { RO, 3, &bringer_view,
	    "SELECT a.id AS account_id, a.station_id, a.user_id,"
	    " a.dwelling_id FROM water_account a WHERE a.community_id = $1"
	    " AND a.id = $3 AND a.closed_at IS NULL AND"
	    WATER_WORKS("a.station_id", ""), NULL, 0 },
	[BARREL_ORDER] = { RO, 3, &bringer_view,
	    "SELECT CAST(0 AS BIGINT) AS account_id,"
	    " o.org_id AS station_id, o.owner_id AS user_id, a.dwelling_id"
	    " FROM water_order o JOIN address a"
	    " ON a.community_id = o.community_id AND a.id = o.address_id"
	    " WHERE o.community_id = $1 AND o.id = $3 AND"
	    WATER_WORKS("o.org_id", ""), NULL, 0 },
	[BARREL_DOOR] = { RO, 2, &door_state_view,
	    "SELECT" AT_HOME("barrels") " AS barrels,"
	    AT_HOME("deposit") " AS deposit_fen, CASE WHEN o.paid_at"
	    " IS NOT NULL THEN 0 WHEN o.payment = 'ticket' THEN o.floor_fen"
	    " ELSE o.total_fen END AS due_fen FROM water_order o"
	    " JOIN address d ON d.community_id = o.community_id"
	    " AND d.id = o.address_id WHERE o.community_id = $1"
	    " AND o.id = $2", NULL, 0 },
};

/* What an account has: barrels at home and the deposit for them. */
static enum err
read_account(struct req *rq, int64_t account, int64_t *barrels,
    int64_t *deposit)
{
	enum err	e;

	e = ledger_balance(rq->db, rq->arena, rq->who.community_id,
	    water_key_account(account, "barrels"), barrels);
	if (e != OK)
		return e;
	return ledger_balance(rq->db, rq->arena, rq->who.community_id,
	    water_key_account(account, "deposit"), deposit);
}

static enum err
read_lent(struct req *rq, int64_t order_id, struct lent_list *ret)
{
	struct rows	rows;
	enum err	e;

	ret->n = 0;
	e = db_query(rq->db, &barrel_sql[BARREL_LENT],
	    WITH(V(rq->who.community_id), V(order_id)), &rows);
	if (e != OK)
		return e;
	while (ret->n < WATER_ITEMS && db_each(&rows, &ret->at[ret->n]))
		ret->n++;
	return db_end(&rows);
}

/* The deposit for `n` barrels, cheapest first: empties stood for the rest. */
static int64_t
deposit_of(const struct lent_list *l, int64_t n)
{
	int64_t	sum = 0, some;
	int	i;

	for (i = 0; i < l->n && n > 0; i++) {
		some = l->at[i].quantity < n ? l->at[i].quantity : n;
		sum += some * l->at[i].deposit_fen;
		n -= some;
	}
	return sum;
}

static void
add_both(struct ledger_entry *entry, struct ledger_key to,
    struct ledger_key from, int64_t n)
{
	ledger_add(entry, to, n);
	ledger_add(entry, from, -n);
}

/* `door` as lines of an entry: barrels out, empties in, deposit. */
static enum err
post_door(struct req *rq, struct ledger_entry *entry, int64_t account,
    int64_t station, const struct water_door *door)
{
	add_both(entry, water_key_account(account, "barrels"),
	    water_key_station(station, "barrels"), door->out);
	add_both(entry, water_key_account(account, "barrels"),
	    water_key_station(station, "barrels"), -door->empties);
	add_both(entry, water_key_account(account, "deposit"),
	    water_key_station(station, "cash"), door->deposit_fen);
	return entry->n == 0 ? OK : water_account_post(rq, entry);
}

static enum err
too_many(struct req *rq, const char *field, int64_t most)
{
	return req_field(rq, field, "too_large", most == 0 ?
	    "这一户没有需要归还的空桶，请填写 0。" :
	    arena_fmt(rq->arena, "空桶最多 %lld 只，请核对数量。",
	    (long long)most));
}

/* What comes of the deposit when `net` barrels more (or less) stay. */
static int64_t
deposit_change(const struct lent_list *lent, int64_t net, int64_t barrels,
    int64_t deposit)
{
	if (net >= 0)
		return deposit_of(lent, net);
	return -(deposit * -net / barrels);
}

enum err
water_barrel_deliver(struct req *rq, const struct flow_step *st,
    int64_t empties, struct water_door *ret)
{
	int64_t			 id = st->thing.id, account, barrels, deposit;
	struct lent_list	 lent;
	struct order_home	 home;
	enum err		 e;
	int			 i;

	*ret = (struct water_door){ 0 };
	if ((e = read_lent(rq, id, &lent)) != OK)
		return e;
	for (i = 0; i < lent.n; i++)
		ret->out += lent.at[i].quantity;
	/* Nothing is lent and nothing comes back. */
	if (ret->out == 0 && (empties == VIEW_NULL_INT || empties == 0))
		return OK;
	e = db_one(rq->db, rq->arena, &barrel_sql[BARREL_HOME],
	    WITH(V(rq->who.community_id), V(id)), &home);
	if (e != OK || (e = water_account_take(rq, st->thing.org_id,
	    st->thing.owner_id, home.dwelling_id, &account)) != OK ||
	    (e = read_account(rq, account, &barrels, &deposit)) != OK)
		return e;
	ret->empties = empties == VIEW_NULL_INT ? ret->out : empties;
	if (ret->empties > ret->out + barrels)
		return too_many(rq, "empties", ret->out + barrels);
	ret->deposit_fen = deposit_change(&lent, ret->out - ret->empties,
	    barrels, deposit);
	return post_door(rq, water_account_entry(rq, WATER_DELIVERY,
	    "water_order", id), account, st->thing.org_id, ret);
}

const char *
water_door_note(struct req *rq, const struct water_door *door)
{
	int64_t		 fen = door->deposit_fen;
	const char	*money = "";

	if (fen != 0)
		money = arena_fmt(rq->arena, "，%s %lld.%02lld 元",
		    fen > 0 ? "收押金" : "退押金",
		    (long long)(fen > 0 ? fen : -fen) / 100,
		    (long long)(fen > 0 ? fen : -fen) % 100);
	return arena_fmt(rq->arena, "收回空桶 %lld 只%s",
	    (long long)door->empties, money);
}

static enum err
find_bringer(struct req *rq, const struct return_new *in,
    struct bringer *ret)
{
	enum err	e;

	if ((in->account_id == 0) == (in->order_id == 0))
		return req_field(rq, "account_id", "required",
		    "请在水账户和订单中选择一个，说明是哪一户还桶。");
	e = db_one(rq->db, rq->arena, &barrel_sql[in->account_id != 0 ?
	    BARREL_ACCOUNT : BARREL_ORDER],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->account_id != 0 ? in->account_id : in->order_id)), ret);
	if (e != OK)
		return e;
	if (in->account_id != 0)
		return water_account_lock(rq, ret->account_id);
	return water_account_take(rq, ret->station_id, ret->user_id,
	    ret->dwelling_id, &ret->account_id);
}

static enum err
barrels_back(struct req *rq)
{
	const struct return_new	*in = rq->in;
	struct water_door	 door = { .empties = in->barrels };
	struct bringer		 b;
	int64_t			 barrels, deposit, id = id_new();
	enum err		 e;

	if ((e = find_bringer(rq, in, &b)) != OK ||
	    (e = read_account(rq, b.account_id, &barrels, &deposit)) != OK)
		return e;
	if (in->barrels > barrels)
		return too_many(rq, "barrels", barrels);
	door.deposit_fen = deposit_change(NULL, -in->barrels, barrels,
	    deposit);
	e = post_door(rq, water_account_entry(rq, WATER_RETURN,
	    "water_return", id), b.account_id, b.station_id, &door);
	if (e != OK)
		return e;
	audit_thing(rq, "water_account", b.account_id);
	return water_account_answer(rq, b.account_id);
}

/* Before the handover: how much to take or give for so many empties. */
static enum err
door_look(struct req *rq)
{
	const struct door_query	*in = rq->in;
	struct flow_thing	 t;
	struct lent_list	 lent;
	struct door_state	 s;
	struct door_answer	 a = { 0 };
	enum err		 e;
	int			 i;

	if ((e = flow_see(rq, &water_flow, in->id, &t, NULL)) != OK ||
	    (e = read_lent(rq, in->id, &lent)) != OK ||
	    (e = db_one(rq->db, rq->arena, &barrel_sql[BARREL_DOOR],
	    WITH(V(rq->who.community_id), V(in->id)), &s)) != OK)
		return e;
	for (i = 0; i < lent.n; i++)
		a.barrels += lent.at[i].quantity;
	a.owed = s.barrels;
	a.empties_max = a.barrels + a.owed;
	a.empties = field_given(rq, "empties") ? in->empties : a.barrels;
	if (a.empties > a.empties_max)
		return too_many(rq, "empties", a.empties_max);
	a.deposit_fen = deposit_change(&lent, a.barrels - a.empties,
	    s.barrels, s.deposit_fen);
	a.cash_fen = s.due_fen + a.deposit_fen;
	return req_one(rq, &a);
}

static const struct route barrel_routes[] = {
	{ GET, "/api/v1/water/orders/{id}/door",
	    ROLE_MERCHANT | ROLE_COURIER | ROLE_RESIDENT | ACT_WATER |
	    ACT_READ, &door_query_shape,
	    REPLY_ONE, &door_answer_view, 200, POOL_API, TX_READ,
	    door_look, "What a handover with so many empties comes to" },
	{ POST, "/api/v1/station/returns", ROLE_MERCHANT | ROLE_COURIER,
	    &return_new_shape,
	    REPLY_ONE, &water_account_view, 201, POOL_API, TX_WRITE,
	    barrels_back, "Barrels come back, and their deposit" },
	{ 0 }
};

void
water_barrel_register(void)
{
	db_register(barrel_sql, BARREL_SQL_MAX);
	route_register("water", barrel_routes);
}
