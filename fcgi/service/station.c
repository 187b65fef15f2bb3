/* SPDX-License-Identifier: Apache-2.0 */
/*
 * station.c -- the station's side: its orders, hours, goods and couriers.
 *
 * Every statement joins the caller's own staff row, so another station's
 * things read as absent; changes need the owner's or a clerk's.
 */
#include "base/id.h"
#include "http/req.h"
#include "service/service.h"
#include "service/water.h"

struct station_orders {
	int64_t		 state;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field station_orders_fields[] = {
	F_ENUM(station_orders, state, "订单状态", MAY, water_state_names),
	F_PAGE(station_orders),
	F_END
};
static const struct shape station_orders_shape =
    SHAPE(station_orders, "StationOrders");

struct station_patch {
	int64_t		 id;
	int64_t		 opens, closes;
	const char	*windows;
	int64_t		 floor_fee_fen;
	int64_t		 free_floors;
	int64_t		 accept_minutes;
	bool		 paused;
};

static const struct field station_patch_fields[] = {
	F_ID(station_patch, id, "水站", MUST),
	F_INT(station_patch, opens, "开门时间", MAY, 0, 1439),
	F_INT(station_patch, closes, "关门时间", MAY, 1, 1440),
	F_TEXT(station_patch, windows, "送水时段", MAY, 11, 95),
	F_INT(station_patch, floor_fee_fen, "楼层费", MAY, 0, 10000),
	F_INT(station_patch, free_floors, "免费楼层", MAY, 0, 99),
	F_INT(station_patch, accept_minutes, "接单时限", MAY, 1, 240),
	F_BOOL(station_patch, paused, "暂停接单", MAY),
	F_END
};
static const struct shape station_patch_shape =
    SHAPE(station_patch, "StationPatch");

struct product_new {
	int64_t		 station_id;
	const char	*brand;
	const char	*name;
	int64_t		 millilitres;
	int64_t		 price_fen;
	int64_t		 stock;
	bool		 on_sale;
	bool		 returnable;
	int64_t		 deposit_fen;
};

static const struct field product_new_fields[] = {
	F_ID(product_new, station_id, "水站", MUST),
	F_TEXT(product_new, brand, "品牌", MUST, 1, 20),
	F_TEXT(product_new, name, "商品名", MUST, 1, 40),
	F_INT(product_new, millilitres, "容量（毫升）", MUST, 100, 50000),
	F_INT(product_new, price_fen, "价格（分）", MUST, 0, 1000000),
	F_INT(product_new, stock, "库存", MUST, 0, 100000),
	F_BOOL(product_new, on_sale, "上架", MUST),
	F_BOOL(product_new, returnable, "回收空桶", MAY),
	F_INT(product_new, deposit_fen, "空桶押金（分）", MAY, 0, 100000),
	F_END
};
static const struct shape product_new_shape =
    SHAPE(product_new, "WaterProductNew");

struct product_patch {
	int64_t		 id;
	const char	*name;
	int64_t		 price_fen;
	bool		 on_sale;
	bool		 returnable;
	int64_t		 deposit_fen;
};

static const struct field product_patch_fields[] = {
	F_ID(product_patch, id, "商品", MUST),
	F_TEXT(product_patch, name, "商品名", MAY, 1, 40),
	F_INT(product_patch, price_fen, "价格（分）", MAY, 0, 1000000),
	F_BOOL(product_patch, on_sale, "上架", MAY),
	F_BOOL(product_patch, returnable, "回收空桶", MAY),
	F_INT(product_patch, deposit_fen, "空桶押金（分）", MAY, 0, 100000),
	F_END
};
static const struct shape product_patch_shape =
    SHAPE(product_patch, "WaterProductPatch");

struct product_stock {
	int64_t		 id;
	int64_t		 change;
};

static const struct field product_stock_fields[] = {
	F_ID(product_stock, id, "商品", MUST),
	F_INT(product_stock, change, "库存变动", MUST, -100000, 100000),
	F_END
};
static const struct shape product_stock_shape =
    SHAPE(product_stock, "WaterStockChange");

struct station_id {
	int64_t		 station_id;
};

static const struct field station_id_fields[] = {
	F_ID(station_id, station_id, "水站", MUST),
	F_END
};
static const struct shape station_id_shape =
    SHAPE(station_id, "StationId");

static const char *const duties[] = { "owner", "clerk", "courier", NULL };

struct station_person {
	int64_t		 id;
	const char	*name;
	const char	*duty;
};

static const struct view_column station_person_columns[] = {
	C_ID(station_person, id),
	C_TEXT(station_person, name),
	C_CODE(station_person, duty, duties),
	C_END
};
static const struct view station_person_view =
    VIEW(station_person, "StationPerson");

#define STATION_SELECT							\
	"SELECT s.id, o.name, o.phone, o.place, o.lat, o.lng, s.opens,"	\
	" s.closes, s.windows, s.floor_fee_fen, s.free_floors,"		\
	" s.accept_minutes, s.paused FROM org_staff f"			\
	" JOIN water_station s ON s.community_id = f.community_id"	\
	" AND s.id = f.org_id JOIN org o"				\
	" ON o.community_id = s.community_id AND o.id = s.id"		\
	" WHERE f.community_id = $1 AND f.user_id = $2"

/* The caller ($2) is on the staff of the station and no mere courier. */
#define MANAGES(station)						\
	" EXISTS (SELECT 1 FROM org_staff f WHERE f.community_id = $1"	\
	" AND f.org_id = " station " AND f.user_id = $2"		\
	" AND f.duty <> 'courier')"

enum { MY_STATIONS, MY_STATION, MY_STATION_PATCH, MY_PRODUCTS,
	MY_PRODUCT_ADD, MY_PRODUCT_PATCH, MY_PRODUCT_STOCK, MY_PRODUCT,
	MY_PEOPLE, MY_SQL_MAX };

static struct stmt my_sql[] = {
	[MY_STATIONS] = { RO, 2, &water_station_view,
	    STATION_SELECT " ORDER BY s.id", NULL, 0 },
	[MY_STATION] = { RO, 3, &water_station_view,
	    STATION_SELECT " AND s.id = $3 AND f.duty <> 'courier'",
	    NULL, 0 },
	[MY_STATION_PATCH] = { RW, 10, NULL,
	    "UPDATE water_station SET opens = COALESCE($4, opens),"
	    " closes = COALESCE($5, closes),"
	    " windows = COALESCE($6, windows),"
	    " floor_fee_fen = COALESCE($7, floor_fee_fen),"
	    " free_floors = COALESCE($8, free_floors),"
	    " accept_minutes = COALESCE($9, accept_minutes),"
	    " paused = COALESCE($10, paused)"
	    " WHERE community_id = $1 AND id = $3 AND"
	    MANAGES("water_station.id"), NULL, 0 },
	[MY_PRODUCTS] = { RO, 3, &water_product_view,
	    "SELECT " WATER_PRODUCT_COLUMNS " FROM water_product"
	    " WHERE community_id = $1 AND station_id = $3"
	    " AND EXISTS (SELECT 1 FROM org_staff f"
	    " WHERE f.community_id = $1 AND f.org_id = $3"
	    " AND f.user_id = $2) ORDER BY brand, millilitres DESC, id",
	    NULL, 0 },
	[MY_PRODUCT_ADD] = { RW, 13, NULL,
	    "INSERT INTO water_product (community_id, id, station_id,"
	    " brand, name, millilitres, price_fen, stock, on_sale,"
	    " updated_at, returnable, deposit_fen)"
	    " SELECT community_id, CAST($4 AS BIGINT), id,"
	    " CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT),"
	    " CAST($8 AS BIGINT), CAST($9 AS BIGINT), CAST($10 AS BIGINT),"
	    " CAST($11 AS BIGINT), CAST($12 AS BIGINT),"
	    " CAST($13 AS BIGINT) FROM water_station"
	    " WHERE community_id = $1 AND id = $3 AND"
	    MANAGES("water_station.id"), NULL, 0 },
	[MY_PRODUCT_PATCH] = { RW, 9, NULL,
	    "UPDATE water_product SET name = COALESCE($4, name),"
	    " price_fen = COALESCE($5, price_fen),"
	    " on_sale = COALESCE($6, on_sale), updated_at = $7,"
	    " returnable = COALESCE($8, returnable),"
	    " deposit_fen = COALESCE($9, deposit_fen)"
	    " WHERE community_id = $1 AND id = $3 AND"
	    MANAGES("water_product.station_id"), NULL, 0 },
	[MY_PRODUCT_STOCK] = { RW, 5, NULL,
	    "UPDATE water_product SET stock = stock + $4, updated_at = $5"
	    " WHERE community_id = $1 AND id = $3"
	    " AND stock + $4 BETWEEN 0 AND 1000000 AND"
	    MANAGES("water_product.station_id"), NULL, 0 },
	[MY_PRODUCT] = { RO, 3, &water_product_view,
	    "SELECT " WATER_PRODUCT_COLUMNS " FROM water_product"
	    " WHERE community_id = $1 AND id = $3 AND"
	    MANAGES("water_product.station_id"), NULL, 0 },
	[MY_PEOPLE] = { RO, 3, &station_person_view,
	    "SELECT u.id, u.name, s.duty FROM org_staff s"
	    " JOIN app_user u ON u.id = s.user_id"
	    " WHERE s.community_id = $1 AND s.org_id = $3"
	    " AND EXISTS (SELECT 1 FROM org_staff f"
	    " WHERE f.community_id = $1 AND f.org_id = $3"
	    " AND f.user_id = $2) ORDER BY s.duty, u.id", NULL, 0 },
};

static enum err
station_mine(struct req *rq)
{
	return req_list(rq, &my_sql[MY_STATIONS],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), 0);
}

static enum err
one_station(struct req *rq, int64_t id, struct water_station *ret)
{
	return db_one(rq->db, rq->arena, &my_sql[MY_STATION],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), ret);
}

/* The number when the field was sent, else NULL: keep what there is. */
static struct value
sent(const struct req *rq, const char *field, int64_t v)
{
	return field_given(rq, field) ? V(v) : VNULL;
}

/*
 * Written first, looked at after: the row is ours from then on, and what
 * does not fit together is rolled back.
 */
static enum err
station_patch(struct req *rq)
{
	const struct station_patch	*in = rq->in;
	struct water_station		 s;
	struct water_hours		 h;
	enum err			 e;

	e = db_run(rq->db, &my_sql[MY_STATION_PATCH],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    sent(rq, "opens", in->opens), sent(rq, "closes", in->closes),
	    V(in->windows), sent(rq, "floor_fee_fen", in->floor_fee_fen),
	    sent(rq, "free_floors", in->free_floors),
	    sent(rq, "accept_minutes", in->accept_minutes),
	    sent(rq, "paused", in->paused)), NULL);
	/* The table's own check of the hours. */
	if (e == ERR_CONSTRAINT)
		return req_field(rq, "closes", "too_small",
		    "关门时间应晚于开门时间。");
	if (e != OK || (e = one_station(rq, in->id, &s)) != OK)
		return e;
	if (!water_window_parse(s.windows, s.opens, s.closes, &h))
		return req_field(rq, "windows", "format",
		    "送水时段请写成 09:00-12:00,14:00-18:00，"
		    "并在营业时间内。");
	return req_one(rq, &s);
}

static enum err
station_orders(struct req *rq)
{
	const struct station_orders	*in = rq->in;

	return water_order_of_station(rq, field_given(rq, "state") ?
	    water_state_names[in->state] : NULL, in->after, in->limit);
}

static enum err
station_products(struct req *rq)
{
	const struct station_id	*in = rq->in;

	return req_list(rq, &my_sql[MY_PRODUCTS],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->station_id)), 0);
}

static enum err
station_people(struct req *rq)
{
	const struct station_id	*in = rq->in;

	return req_list(rq, &my_sql[MY_PEOPLE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->station_id)), 0);
}

static enum err
answer_product(struct req *rq, int64_t id)
{
	struct water_product	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &my_sql[MY_PRODUCT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
product_add(struct req *rq)
{
	const struct product_new	*in = rq->in;
	int64_t				 id = id_new(), n;
	enum err			 e;

	e = db_run(rq->db, &my_sql[MY_PRODUCT_ADD],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->station_id), V(id), V(in->brand), V(in->name),
	    V(in->millilitres), V(in->price_fen), V(in->stock),
	    V(in->on_sale), V(rq->now), V(in->returnable),
	    V(in->deposit_fen)), &n);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "已有相同品牌、名称和容量的商品，请直接修改它。");
	if (e != OK)
		return e;
	return n == 0 ? ERR_ABSENT : answer_product(rq, id);
}

static enum err
product_patch(struct req *rq)
{
	const struct product_patch	*in = rq->in;
	int64_t				 n;
	enum err			 e;

	e = db_run(rq->db, &my_sql[MY_PRODUCT_PATCH],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(in->name),
	    sent(rq, "price_fen", in->price_fen),
	    sent(rq, "on_sale", in->on_sale), V(rq->now),
	    sent(rq, "returnable", in->returnable),
	    sent(rq, "deposit_fen", in->deposit_fen)), &n);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "已有相同品牌、名称和容量的商品，请换个名称。");
	if (e != OK)
		return e;
	return n == 0 ? ERR_ABSENT : answer_product(rq, in->id);
}

/* A change, not a count: orders take from the stock meanwhile. */
static enum err
product_stock(struct req *rq)
{
	const struct product_stock	*in = rq->in;
	struct water_product		 row;
	int64_t				 n;
	enum err			 e;

	e = db_run(rq->db, &my_sql[MY_PRODUCT_STOCK],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(in->change), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 1)
		return answer_product(rq, in->id);
	e = db_one(rq->db, rq->arena, &my_sql[MY_PRODUCT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id)),
	    &row);
	if (e != OK)
		return e;
	if (row.stock + in->change < 0)
		return req_field(rq, "change", "too_small",
		    "库存不能小于 0，请刷新后按现有库存修改。");
	return req_field(rq, "change", "too_large",
	    "库存最多 1000000，请检查数量。");
}

#define STAFF	(ROLE_MERCHANT | ROLE_COURIER)

static const struct route station_routes[] = {
	{ GET, "/api/v1/station", STAFF, NULL,
	    REPLY_LIST, &water_station_view, 200, POOL_API, TX_READ,
	    station_mine, "Stations I work for" },
	{ PATCH, "/api/v1/station/{id}", ROLE_MERCHANT, &station_patch_shape,
	    REPLY_ONE, &water_station_view, 200, POOL_API, TX_WRITE,
	    station_patch, "Change hours, windows, fees; pause" },
	{ GET, "/api/v1/station/orders", STAFF, &station_orders_shape,
	    REPLY_LIST, &water_order_view, 200, POOL_API, TX_READ,
	    station_orders, "Orders of my stations, newest first" },
	{ GET, "/api/v1/station/people", STAFF, &station_id_shape,
	    REPLY_LIST, &station_person_view, 200, POOL_API, TX_READ,
	    station_people, "Who works at a station of mine" },
	{ GET, "/api/v1/station/products", STAFF, &station_id_shape,
	    REPLY_LIST, &water_product_view, 200, POOL_API, TX_READ,
	    station_products, "What a station of mine sells, all of it" },
	{ POST, "/api/v1/station/products", ROLE_MERCHANT,
	    &product_new_shape,
	    REPLY_ONE, &water_product_view, 201, POOL_API, TX_WRITE,
	    product_add, "Add a product" },
	{ PATCH, "/api/v1/station/products/{id}", ROLE_MERCHANT,
	    &product_patch_shape,
	    REPLY_ONE, &water_product_view, 200, POOL_API, TX_WRITE,
	    product_patch, "Change a product's name, price, sale" },
	{ POST, "/api/v1/station/products/{id}/stock", ROLE_MERCHANT,
	    &product_stock_shape,
	    REPLY_ONE, &water_product_view, 200, POOL_API, TX_WRITE,
	    product_stock, "Add to or take from the stock" },
	{ 0 }
};

void
station_register(void)
{
	db_register(my_sql, MY_SQL_MAX);
	route_register("station", station_routes);
}
