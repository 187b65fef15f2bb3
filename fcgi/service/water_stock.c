/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_stock.c -- taking barrels from a station's stock and giving them
 * back.  Each take is one conditional UPDATE: of two residents and one
 * barrel, one finds no row.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/money.h"
#include "http/req.h"
#include "service/water.h"

struct taken {
	const char	*brand;
	const char	*name;
	int64_t		 millilitres;
	int64_t		 price_fen;
};

static const struct view_column taken_columns[] = {
	C_TEXT(taken, brand),
	C_TEXT(taken, name),
	C_INT(taken, millilitres),
	C_FEN(taken, price_fen),
	C_END
};
static const struct view taken_view = VIEW(taken, "WaterTaken");

struct shelf {
	int64_t		 stock;
	int64_t		 on_sale;
};

static const struct view_column shelf_columns[] = {
	C_INT(shelf, stock),
	C_BOOL(shelf, on_sale),
	C_END
};
static const struct view shelf_view = VIEW(shelf, "WaterShelf");

static const struct view_column water_line_columns[] = {
	C_ID(water_line, product_id),
	C_INT(water_line, quantity),
	C_TEXT(water_line, brand),
	C_TEXT(water_line, name),
	C_INT(water_line, millilitres),
	C_FEN(water_line, price_fen),
	C_END
};
const struct view water_line_view = VIEW(water_line, "WaterLine");

enum { STOCK_TAKE, STOCK_LOOK, STOCK_LINES, STOCK_RETURN, STOCK_CLEAR,
	STOCK_ADD, STOCK_SQL_MAX };

static struct stmt stock_sql[] = {
	[STOCK_TAKE] = { RW, 4, &taken_view,
	    "UPDATE water_product SET stock = stock - $4"
	    " WHERE community_id = $1 AND station_id = $2 AND id = $3"
	    " AND on_sale = 1 AND stock >= $4"
	    " RETURNING brand, name, millilitres, price_fen", NULL, 0 },
	[STOCK_LOOK] = { RO, 3, &shelf_view,
	    "SELECT stock, on_sale FROM water_product"
	    " WHERE community_id = $1 AND station_id = $2 AND id = $3",
	    NULL, 0 },
	[STOCK_LINES] = { RO, 2, &water_line_view,
	    "SELECT i.product_id, i.quantity, p.brand, p.name,"
	    " p.millilitres, i.price_fen FROM water_item i"
	    " JOIN water_product p ON p.community_id = i.community_id"
	    " AND p.id = i.product_id"
	    " WHERE i.community_id = $1 AND i.order_id = $2"
	    " ORDER BY i.product_id", NULL, 0 },
	[STOCK_RETURN] = { RW, 2, NULL,
	    "UPDATE water_product SET stock = stock + (SELECT i.quantity"
	    " FROM water_item i WHERE i.community_id = $1"
	    " AND i.order_id = $2 AND i.product_id = water_product.id)"
	    " WHERE community_id = $1 AND id IN (SELECT i.product_id"
	    " FROM water_item i WHERE i.community_id = $1"
	    " AND i.order_id = $2)", NULL, 0 },
	[STOCK_CLEAR] = { RW, 2, NULL,
	    "DELETE FROM water_item WHERE community_id = $1"
	    " AND order_id = $2", NULL, 0 },
	[STOCK_ADD] = { RW, 5, NULL,
	    "INSERT INTO water_item (community_id, order_id, product_id,"
	    " quantity, price_fen) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
};

void
water_stock_register(void)
{
	db_register(stock_sql, STOCK_SQL_MAX);
}

/* Say of item `i` why it could not be taken. */
static enum err
refuse(struct req *rq, int64_t station_id, const struct water_item_in *item,
    int i)
{
	const char	*field;
	struct shelf	 s;
	enum err	 e;

	field = arena_fmt(rq->arena, "items[%d].product_id", i);
	e = db_one(rq->db, rq->arena, &stock_sql[STOCK_LOOK],
	    WITH(V(rq->who.community_id), V(station_id),
	    V(item->product_id)), &s);
	if (e == ERR_ABSENT)
		return req_field(rq, field, "not_found",
		    "这家水站没有这个商品，请重新选择。");
	if (e != OK)
		return e;
	if (!s.on_sale)
		return req_field_as(rq, ERR_STOCK, field, "off_sale",
		    "这个商品已下架，请更换其他商品。");
	return req_field_as(rq, ERR_STOCK,
	    arena_fmt(rq->arena, "items[%d].quantity", i), "out_of_stock",
	    s.stock > 0 ? arena_fmt(rq->arena,
	    "库存只剩 %lld 桶，请减少数量。", (long long)s.stock) :
	    "这个商品暂时没货，请更换其他商品。");
}

static int
by_product(const void *a, const void *b)
{
	const struct water_item_in *const	*x = a, *const *y = b;

	return ((*x)->product_id > (*y)->product_id) -
	    ((*x)->product_id < (*y)->product_id);
}

/* Take one item and add it to the lines. */
static enum err
take_one(struct req *rq, int64_t station_id,
    const struct water_item_in *item, int place, struct water_lines *ret)
{
	struct water_line	*l = &ret->at[ret->n];
	struct taken		 t;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &stock_sql[STOCK_TAKE],
	    WITH(V(rq->who.community_id), V(station_id),
	    V(item->product_id), V(item->quantity)), &t);
	if (e == ERR_ABSENT)
		return refuse(rq, station_id, item, place);
	if (e != OK)
		return e;
	*l = (struct water_line){ .product_id = item->product_id,
	    .quantity = item->quantity, .brand = t.brand, .name = t.name,
	    .millilitres = t.millilitres, .price_fen = t.price_fen };
	ret->n++;
	ret->barrels += item->quantity;
	if (!money_add(&ret->goods_fen, t.price_fen, item->quantity))
		return req_field(rq, "items", "too_large",
		    "订单金额过大，请分次下单。");
	return OK;
}

enum err
water_stock_take(struct req *rq, int64_t station_id,
    const struct field_list *in, struct water_lines *ret)
{
	const struct water_item_in	*items = in->items;
	const struct water_item_in	*sorted[WATER_ITEMS];
	enum err			 e, first = OK;
	size_t				 i;

	*ret = (struct water_lines){ .n = 0 };
	for (i = 0; i < in->n; i++)
		sorted[i] = &items[i];
	/* One order for all, or two buyers could wait for each other. */
	qsort(sorted, in->n, sizeof(sorted[0]), by_product);
	for (i = 1; i < in->n; i++)
		if (sorted[i]->product_id == sorted[i - 1]->product_id)
			return req_field(rq, "items", "duplicate",
			    "同一商品出现了两次，请合并数量。");
	for (i = 0; i < in->n; i++) {
		e = take_one(rq, station_id, sorted[i],
		    (int)(sorted[i] - items), ret);
		if (e != OK && e != ERR_FIELD && e != ERR_STOCK)
			return e;
		if (first == OK)
			first = e;
	}
	return first;
}

enum err
water_stock_lines(struct req *rq, int64_t order_id, struct water_lines *ret)
{
	struct water_line	row;
	struct rows		rows;
	enum err		e;

	*ret = (struct water_lines){ .n = 0 };
	e = db_query(rq->db, &stock_sql[STOCK_LINES],
	    WITH(V(rq->who.community_id), V(order_id)), &rows);
	if (e != OK)
		return e;
	while (ret->n < WATER_ITEMS && db_each(&rows, &row)) {
		row.brand = arena_str(rq->arena, row.brand);
		row.name = arena_str(rq->arena, row.name);
		ret->barrels += row.quantity;
		ret->goods_fen += row.quantity * row.price_fen;
		ret->at[ret->n++] = row;
	}
	return db_end(&rows);
}

enum err
water_stock_return(struct req *rq, int64_t order_id)
{
	return db_run(rq->db, &stock_sql[STOCK_RETURN],
	    WITH(V(rq->who.community_id), V(order_id)), NULL);
}

enum err
water_stock_write(struct req *rq, int64_t order_id,
    const struct water_lines *lines)
{
	enum err	e;
	int		i;

	e = db_run(rq->db, &stock_sql[STOCK_CLEAR],
	    WITH(V(rq->who.community_id), V(order_id)), NULL);
	for (i = 0; e == OK && i < lines->n; i++)
		e = db_run(rq->db, &stock_sql[STOCK_ADD],
		    WITH(V(rq->who.community_id), V(order_id),
		    V(lines->at[i].product_id), V(lines->at[i].quantity),
		    V(lines->at[i].price_fen)), NULL);
	return e;
}

const char *
water_stock_title(struct req *rq, const struct water_lines *lines)
{
	const struct water_line	*l = &lines->at[0];

	return arena_fmt(rq->arena, "%s%lld.%lldL×%lld%s", l->brand,
	    (long long)l->millilitres / 1000,
	    (long long)l->millilitres % 1000 / 100, (long long)l->quantity,
	    lines->n > 1 ? arena_fmt(rq->arena, "等%lld桶",
	    (long long)lines->barrels) : "");
}

const char *
water_stock_json(struct req *rq, const struct water_lines *lines)
{
	struct json	 j;
	struct buf	 b;
	const char	*text;
	int		 i;

	buf_init(&b, 65536);
	json_init(&j, &b);
	json_list(&j);
	for (i = 0; i < lines->n; i++)
		json_view(&j, &water_line_view, &lines->at[i], rq,
		    rq->arena);
	json_unlist(&j);
	text = arena_copy(rq->arena, b.data, b.len);
	buf_free(&b);
	return text;
}
