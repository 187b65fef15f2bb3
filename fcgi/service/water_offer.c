/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_offer.c -- a station does not accept: who is asked next.
 *
 * The next station must serve the compound, be open during the window,
 * have the very same goods in stock, and ask for no more money than
 * the resident agreed to.  No station is asked twice, and tickets are good
 * for the one that sold them only, as is money for the one that has it.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "http/req.h"
#include "service/water.h"

/* What the order was agreed to be. */
struct agreed {
	int64_t		 compound_id;
	int64_t		 floor;
	int64_t		 lift;
	int64_t		 window_from;
	int64_t		 window_to;
	int64_t		 agreed_fen;
	int64_t		 prepaid;	/* by ticket or online */
};

static const struct view_column agreed_columns[] = {
	C_ID(agreed, compound_id),
	C_INT(agreed, floor, .flags = VIEW_NULL),
	C_BOOL(agreed, lift, .flags = VIEW_NULL),
	C_TIME(agreed, window_from),
	C_TIME(agreed, window_to),
	C_FEN(agreed, agreed_fen),
	C_BOOL(agreed, prepaid),
	C_END
};
static const struct view agreed_view = VIEW(agreed, "WaterAgreed");

struct candidate {
	int64_t		 station_id;
};

static const struct view_column candidate_columns[] = {
	C_ID(candidate, station_id),
	C_END
};
static const struct view candidate_view = VIEW(candidate, "WaterCandidate");

enum { OFFER_AGREED, OFFER_CANDIDATES, OFFER_MATCH, OFFER_ORDER,
	OFFER_NOTE, OFFER_SQL_MAX };

static struct stmt offer_sql[] = {
	[OFFER_AGREED] = { RO, 2, &agreed_view,
	    "SELECT compound_id, floor, lift, window_from, window_to,"
	    " agreed_fen, CASE WHEN payment = 'on_delivery' THEN 0 ELSE 1"
	    " END AS prepaid FROM water_order WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[OFFER_CANDIDATES] = { RO, 3, &candidate_view,
	    "SELECT w.station_id FROM water_area w JOIN water_station s"
	    " ON s.community_id = w.community_id AND s.id = w.station_id"
	    " WHERE w.community_id = $1 AND w.compound_id = $2"
	    " AND s.paused = 0 AND NOT EXISTS (SELECT 1 FROM water_offer f"
	    " WHERE f.community_id = w.community_id AND f.order_id = $3"
	    " AND f.station_id = w.station_id)"
	    " ORDER BY w.rank, w.station_id LIMIT 16", NULL, 0 },
	[OFFER_MATCH] = { RO, 6, &water_product_view,
	    "SELECT " WATER_PRODUCT_COLUMNS " FROM water_product"
	    " WHERE community_id = $1 AND station_id = $2 AND brand = $3"
	    " AND name = $4 AND millilitres = $5 AND on_sale = 1"
	    " AND stock >= $6", NULL, 0 },
	[OFFER_ORDER] = { RW, 9, NULL,
	    "UPDATE water_order SET items = $3, goods_fen = $4,"
	    " floor_fen = $5, total_fen = $6, title = $7, station = $8,"
	    " station_phone = $9"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[OFFER_NOTE] = { RW, 4, NULL,
	    "INSERT INTO water_offer (community_id, order_id, station_id,"
	    " offered_at) VALUES ($1, $2, $3, $4)", NULL, 0 },
};

void
water_offer_register(void)
{
	db_register(offer_sql, OFFER_SQL_MAX);
}

enum err
water_offer_note(struct req *rq, int64_t order_id, int64_t station_id)
{
	return db_run(rq->db, &offer_sql[OFFER_NOTE],
	    WITH(V(rq->who.community_id), V(order_id), V(station_id),
	    V(rq->now)), NULL);
}

/* One station that may take it over. */
struct offer {
	struct water_station	 station;
	struct field_list	 items;
	int64_t			 total_fen;
};

static bool
open_during(const struct water_station *s, const struct agreed *a)
{
	int64_t	day = clock_day(a->window_from);

	return !s->paused &&
	    a->window_from - day >= s->opens * CLOCK_MINUTE &&
	    a->window_to - day <= s->closes * CLOCK_MINUTE;
}

/* The same things there, and what they come to; ERR_ABSENT if not all. */
static enum err
match_lines(struct req *rq, const struct water_lines *lines,
    struct offer *o)
{
	struct water_item_in	*items;
	struct water_product	 p;
	enum err		 e;
	int			 i;

	items = ARENA_ARRAY(rq->arena, struct water_item_in, lines->n);
	o->total_fen = 0;
	for (i = 0; i < lines->n; i++) {
		e = db_one(rq->db, rq->arena, &offer_sql[OFFER_MATCH],
		    WITH(V(rq->who.community_id), V(o->station.id),
		    V(lines->at[i].brand), V(lines->at[i].name),
		    V(lines->at[i].millilitres), V(lines->at[i].quantity)),
		    &p);
		if (e != OK)
			return e;
		items[i].product_id = p.id;
		items[i].quantity = lines->at[i].quantity;
		o->total_fen += p.price_fen * lines->at[i].quantity;
	}
	o->items = (struct field_list){ (size_t)lines->n, items };
	return OK;
}

static enum err
try_station(struct req *rq, int64_t station_id, const struct agreed *a,
    const struct water_lines *lines, struct offer *o)
{
	enum err	e;

	if ((e = water_station_get(rq, station_id, &o->station)) != OK)
		return e;
	if (!open_during(&o->station, a))
		return ERR_ABSENT;
	if ((e = match_lines(rq, lines, o)) != OK)
		return e;
	o->total_fen += lines->barrels *
	    water_station_floor_fee(&o->station, a->floor, a->lift);
	return o->total_fen <= a->agreed_fen ? OK : ERR_ABSENT;
}

static enum err
find_offer(struct req *rq, int64_t order_id, const struct agreed *a,
    const struct water_lines *lines, struct offer *o)
{
	struct candidate	row;
	struct rows		rows;
	int64_t			ids[16];
	enum err		e;
	int			i, n = 0;

	e = db_query(rq->db, &offer_sql[OFFER_CANDIDATES],
	    WITH(V(rq->who.community_id), V(a->compound_id), V(order_id)),
	    &rows);
	if (e != OK)
		return e;
	while (n < 16 && db_each(&rows, &row))
		ids[n++] = row.station_id;
	if ((e = db_end(&rows)) != OK)
		return e;
	for (i = 0; i < n; i++)
		if ((e = try_station(rq, ids[i], a, lines, o)) != ERR_ABSENT)
			return e;
	return ERR_ABSENT;
}

/* Stock from the one to the other, and the order's own figures. */
static enum err
hand_over(struct req *rq, int64_t order_id, const struct agreed *a,
    const struct offer *o)
{
	struct water_lines	lines;
	int64_t			floor_fen;
	enum err		e;

	if ((e = water_stock_return(rq, order_id)) != OK)
		return e;
	e = water_stock_take(rq, o->station.id, &o->items, &lines);
	/* Sold in this very moment: all is rolled back and tried anew. */
	if (e == ERR_STOCK || e == ERR_FIELD) {
		req_reset(rq);
		return ERR_CONFLICT;
	}
	if (e != OK)
		return e;
	if ((e = water_stock_write(rq, order_id, &lines)) != OK)
		return e;
	floor_fen = lines.barrels *
	    water_station_floor_fee(&o->station, a->floor, a->lift);
	e = db_run(rq->db, &offer_sql[OFFER_ORDER],
	    WITH(V(rq->who.community_id), V(order_id),
	    V(water_stock_json(rq, &lines)), V(lines.goods_fen),
	    V(floor_fen), V(lines.goods_fen + floor_fen),
	    V(water_stock_title(rq, &lines)), V(o->station.name),
	    V(o->station.phone)), NULL);
	if (e != OK)
		return e;
	return water_offer_note(rq, order_id, o->station.id);
}

enum err
water_offer_next(struct req *rq, struct flow_step *st)
{
	int64_t			id = st->thing.id;
	struct water_lines	lines;
	struct agreed		a;
	struct offer		o;
	enum err		e;

	e = db_one(rq->db, rq->arena, &offer_sql[OFFER_AGREED],
	    WITH(V(rq->who.community_id), V(id)), &a);
	if (e != OK)
		return e;
	if (a.window_to <= rq->now || a.prepaid)
		return ERR_ABSENT;
	if ((e = water_stock_lines(rq, id, &lines)) != OK)
		return e;
	if ((e = find_offer(rq, id, &a, &lines, &o)) != OK)
		return e;
	if ((e = hand_over(rq, id, &a, &o)) != OK)
		return e;
	st->org_id = o.station.id;
	st->deadline_at = water_window_deadline(rq->now, o.station.opens,
	    o.station.closes, o.station.accept_minutes);
	if (st->deadline_at > a.window_to)
		st->deadline_at = a.window_to;
	st->note = arena_fmt(rq->arena, "已转给%s", o.station.name);
	return OK;
}
