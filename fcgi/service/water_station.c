/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_station.c -- stations and what they sell, as a resident sees them.
 */
#include "base/clock.h"
#include "http/req.h"
#include "service/service.h"
#include "service/water.h"

/* Windows shown: enough for today and tomorrow of most stations. */
#define WINDOWS_SHOWN 6

static void
station_open(struct json *j, const struct req *rq, const void *row)
{
	const struct water_station	*s = row;
	int				 minute;

	minute = clock_local(rq->now).minute;
	json_bool(j, !s->paused && minute >= s->opens && minute < s->closes);
}

static void
station_windows(struct json *j, const struct req *rq, const void *row)
{
	const struct water_station	*s = row;
	struct water_hours		 h;
	struct water_window		 w;
	int				 i;

	json_list(j);
	if (water_window_parse(s->windows, s->opens, s->closes, &h) &&
	    !s->paused)
		for (i = 0; i < WINDOWS_SHOWN &&
		    water_window_next(&h, rq->now, i, &w); i++) {
			json_open(j);
			json_put_time(j, "from", w.from);
			json_put_time(j, "to", w.to);
			json_close(j);
		}
	json_unlist(j);
}

static const struct view_column water_window_columns[] = {
	C_TIME(water_window, from),
	C_TIME(water_window, to),
	C_END
};
static const struct view water_window_view =
    VIEW(water_window, "WaterWindow");

static const struct view_column water_station_columns[] = {
	C_ID(water_station, id),
	C_TEXT(water_station, name),
	C_TEXT(water_station, phone, .about = "public number"),
	C_TEXT(water_station, place),
	C_DEGREE(water_station, lat, .flags = VIEW_NULL),
	C_DEGREE(water_station, lng, .flags = VIEW_NULL),
	C_INT(water_station, opens, .about = "minute of the day"),
	C_INT(water_station, closes, .about = "minute of the day"),
	C_TEXT(water_station, windows, .about = "of each day"),
	C_FEN(water_station, floor_fee_fen,
	    .about = "fen a barrel and floor above the free ones, no lift"),
	C_INT(water_station, free_floors),
	C_INT(water_station, accept_minutes),
	C_BOOL(water_station, paused),
	C_CALC("open", SHAPE_BOOL, station_open, .about = "open now"),
	C_CALC("next_windows", SHAPE_OBJECTS, station_windows,
	    .sub = &water_window_view, .about = "that can be ordered for"),
	C_END
};
const struct view water_station_view = VIEW(water_station, "WaterStation");

static const struct view_column water_product_columns[] = {
	C_ID(water_product, id),
	C_ID(water_product, station_id),
	C_TEXT(water_product, brand),
	C_TEXT(water_product, name),
	C_INT(water_product, millilitres),
	C_FEN(water_product, price_fen),
	C_INT(water_product, stock),
	C_BOOL(water_product, on_sale),
	C_BOOL(water_product, returnable, .about = "its barrel is lent"),
	C_FEN(water_product, deposit_fen,
	    .about = "for a lent barrel without an empty in exchange"),
	C_TIME(water_product, updated_at),
	C_END
};
const struct view water_product_view = VIEW(water_product, "WaterProduct");

struct station_query {
	int64_t		 address_id;
};

static const struct field station_query_fields[] = {
	F_ID(station_query, address_id, "地址", MUST),
	F_END
};
static const struct shape station_query_shape =
    SHAPE(station_query, "StationQuery");

struct product_query {
	int64_t		 station_id;
};

static const struct field product_query_fields[] = {
	F_ID(product_query, station_id, "水站", MUST),
	F_END
};
static const struct shape product_query_shape =
    SHAPE(product_query, "ProductQuery");

struct station_served {
	int64_t		 rank;
};

static const struct view_column station_served_columns[] = {
	C_INT(station_served, rank),
	C_END
};
static const struct view station_served_view =
    VIEW(station_served, "StationServed");

#define STATION_COLUMNS							\
	"SELECT s.id, o.name, o.phone, o.place, o.lat, o.lng, s.opens,"	\
	" s.closes, s.windows, s.floor_fee_fen, s.free_floors,"		\
	" s.accept_minutes, s.paused FROM water_station s JOIN org o"	\
	" ON o.community_id = s.community_id AND o.id = s.id"		\
	" AND o.closed_at IS NULL"

enum { STATION_FOR_ADDRESS, STATION_GET, STATION_SERVES, STATION_PRODUCTS,
	STATION_SQL_MAX };

static struct stmt station_sql[] = {
	[STATION_FOR_ADDRESS] = { RO, 3, &water_station_view,
	    STATION_COLUMNS " JOIN water_area w"
	    " ON w.community_id = s.community_id AND w.station_id = s.id"
	    " JOIN place p ON p.community_id = w.community_id"
	    " AND p.compound_id = w.compound_id"
	    " JOIN address a ON a.community_id = p.community_id"
	    " AND a.dwelling_id = p.id"
	    " WHERE a.community_id = $1 AND a.user_id = $2 AND a.id = $3"
	    " AND a.removed_at IS NULL ORDER BY s.paused, w.rank, s.id",
	    NULL, 0 },
	[STATION_GET] = { RO, 2, &water_station_view,
	    STATION_COLUMNS " WHERE s.community_id = $1 AND s.id = $2",
	    NULL, 0 },
	[STATION_SERVES] = { RO, 3, &station_served_view,
	    "SELECT rank FROM water_area WHERE community_id = $1"
	    " AND station_id = $2 AND compound_id = $3", NULL, 0 },
	[STATION_PRODUCTS] = { RO, 2, &water_product_view,
	    "SELECT " WATER_PRODUCT_COLUMNS " FROM water_product"
	    " WHERE community_id = $1 AND station_id = $2 AND on_sale = 1"
	    " ORDER BY brand, millilitres DESC, id", NULL, 0 },
};

enum err
water_station_get(struct req *rq, int64_t id, struct water_station *ret)
{
	return db_one(rq->db, rq->arena, &station_sql[STATION_GET],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

enum err
water_station_serves(struct req *rq, int64_t id, int64_t compound_id)
{
	struct station_served	row;

	return db_one(rq->db, rq->arena, &station_sql[STATION_SERVES],
	    WITH(V(rq->who.community_id), V(id), V(compound_id)), &row);
}

int64_t
water_station_floor_fee(const struct water_station *s, int64_t floor,
    int64_t lift)
{
	if (floor == VIEW_NULL_INT || lift == 1 || floor <= s->free_floors)
		return 0;
	return (floor - s->free_floors) * s->floor_fee_fen;
}

static enum err
station_list(struct req *rq)
{
	const struct station_query	*in = rq->in;

	return req_list(rq, &station_sql[STATION_FOR_ADDRESS],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->address_id)), 0);
}

static enum err
product_list(struct req *rq)
{
	const struct product_query	*in = rq->in;
	struct water_station		 s;
	enum err			 e;

	if ((e = water_station_get(rq, in->station_id, &s)) != OK)
		return e;
	return req_list(rq, &station_sql[STATION_PRODUCTS],
	    WITH(V(rq->who.community_id), V(in->station_id)), 0);
}

static const struct route station_routes[] = {
	{ GET, "/api/v1/water/stations", ROLE_RESIDENT | ACT_WATER,
	    &station_query_shape,
	    REPLY_LIST, &water_station_view, 200, POOL_API, TX_READ,
	    station_list, "Stations that serve one of my addresses" },
	{ GET, "/api/v1/water/products", ROLE__ALL | ACT_WATER,
	    &product_query_shape,
	    REPLY_LIST, &water_product_view, 200, POOL_API, TX_READ,
	    product_list, "What a station sells" },
	{ 0 }
};

void
water_station_register(void)
{
	db_register(station_sql, STATION_SQL_MAX);
	route_register("water", station_routes);
}
