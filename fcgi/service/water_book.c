/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_book.c -- ticket books: sold, and given back.
 *
 * One ticket is one barrel of the book's product at the book's station.  A
 * book given back returns the money of the tickets paid for that are not
 * spent; its gifts lapse.  How tickets are spent is in water_ticket.c.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/water.h"
#include "service/water_account.h"

/* How the money came; by hand only the first. */
static const char *const till_names[] = { "cash", NULL };
static const char *const received_names[] = { "cash", "online", NULL };

struct book_new {
	int64_t		 address_id;
	int64_t		 order_id;
	int64_t		 product_id;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
	int64_t		 received;
};

static const struct field book_new_fields[] = {
	F_ID(book_new, address_id, "地址", MAY),
	F_ID(book_new, order_id, "订单", MAY),
	F_ID(book_new, product_id, "商品", MUST),
	F_INT(book_new, paid, "付款张数", MUST, 0, WATER_BOOK_MAX),
	F_INT(book_new, gift, "赠送张数", MUST, 0, WATER_BOOK_MAX),
	F_INT(book_new, price_fen, "金额（分）", MUST, 0, 10000000),
	F_ENUM(book_new, received, "收款方式", MUST, till_names),
	F_END
};
static const struct shape book_new_shape =
    SHAPE(book_new, "WaterTicketBookNew");

struct book_refund {
	int64_t		 id;
	int64_t		 expected_fen;
};

static const struct field book_refund_fields[] = {
	F_ID(book_refund, id, "水票", MUST),
	F_INT(book_refund, expected_fen, "应退金额（分）", MAY, 0, MONEY_MAX),
	F_END
};
static const struct shape book_refund_shape =
    SHAPE(book_refund, "WaterTicketRefund");

struct book_account {
	int64_t		 id;
};

static const struct field book_account_fields[] = {
	F_ID(book_account, id, "水账户", MUST),
	F_END
};
static const struct shape book_account_shape =
    SHAPE(book_account, "WaterTicketAccount");

struct water_book {
	int64_t		 id;
	int64_t		 account_id;
	int64_t		 station_id;
	const char	*station;
	int64_t		 product_id;
	const char	*title;
	int64_t		 paid;
	int64_t		 gift;
	int64_t		 price_fen;
	const char	*received;
	int64_t		 real_left;
	int64_t		 gift_left;
	int64_t		 held;
	int64_t		 prepaid_fen;
	int64_t		 sold_at;
	int64_t		 refund_fen;
	int64_t		 closed_at;
};

static const struct view_column water_book_columns[] = {
	C_ID(water_book, id),
	C_ID(water_book, account_id),
	C_ID(water_book, station_id),
	C_TEXT(water_book, station),
	C_ID(water_book, product_id),
	C_TEXT(water_book, title, .about = "of the product, as sold"),
	C_INT(water_book, paid, .about = "tickets paid for"),
	C_INT(water_book, gift, .about = "tickets given on top"),
	C_FEN(water_book, price_fen, .about = "for all of them"),
	C_CODE(water_book, received, received_names),
	C_INT(water_book, real_left, .about = "paid for and free to use"),
	C_INT(water_book, gift_left, .about = "used after all paid ones"),
	C_INT(water_book, held, .about = "for open orders"),
	C_FEN(water_book, prepaid_fen,
	    .about = "what comes back when the book is given back now"),
	C_TIME(water_book, sold_at),
	C_FEN(water_book, refund_fen, .flags = VIEW_NULL),
	C_TIME(water_book, closed_at, .flags = VIEW_NULL),
	C_END
};
static const struct view water_book_view = VIEW(water_book, "WaterTicketBook");

/* To whom a book is sold, and for what. */
struct sale {
	int64_t		 user_id;
	int64_t		 dwelling_id;
	int64_t		 station_id;
	const char	*brand;
	const char	*name;
};

static const struct view_column sale_columns[] = {
	C_ID(sale, user_id),
	C_ID(sale, dwelling_id),
	C_ID(sale, station_id),
	C_TEXT(sale, brand),
	C_TEXT(sale, name),
	C_END
};
static const struct view sale_view = VIEW(sale, "WaterTicketSale");

#define LEFT(kinds)							\
	" (SELECT CAST(COALESCE(SUM(l.balance), 0) AS BIGINT)"		\
	" FROM ledger_account l WHERE l.community_id = b.community_id"	\
	" AND l.owner = 'water_book' AND l.owner_id = b.id"		\
	" AND l.kind IN (" kinds "))"

#define BOOK_SELECT							\
	"SELECT b.id, b.account_id, b.station_id, o.name AS station,"	\
	" b.product_id, b.title, b.paid, b.gift, b.price_fen,"		\
	" b.received,"							\
	LEFT("'real'") " AS real_left,"					\
	LEFT("'gift'") " AS gift_left,"					\
	LEFT("'held_real', 'held_gift'") " AS held,"			\
	LEFT("'prepaid'") " AS prepaid_fen,"				\
	" b.sold_at, b.refund_fen, b.closed_at FROM water_book b"	\
	" JOIN org o ON o.community_id = b.community_id"		\
	" AND o.id = b.station_id"

#define MANAGES(station) WATER_WORKS(station, WATER_NO_COURIER)

enum { BOOK_FOR_ADDRESS, BOOK_FOR_ORDER, BOOK_ADD, BOOK_GET, BOOK_GET_MINE,
	BOOK_GET_ANY, BOOK_MINE, BOOK_OF_ACCOUNT, BOOK_CLOSE,
	BOOK_SQL_MAX };

static struct stmt book_sql[] = {
	[BOOK_FOR_ADDRESS] = { RO, 4, &sale_view,
	    "SELECT a.user_id, a.dwelling_id, p.station_id, p.brand, p.name"
	    " FROM address a JOIN place d"
	    " ON d.community_id = a.community_id AND d.id = a.dwelling_id"
	    " JOIN water_area w ON w.community_id = d.community_id"
	    " AND w.compound_id = d.compound_id JOIN water_product p"
	    " ON p.community_id = w.community_id"
	    " AND p.station_id = w.station_id"
	    " WHERE a.community_id = $1 AND a.id = $3 AND p.id = $4"
	    " AND a.removed_at IS NULL AND" MANAGES("p.station_id"),
	    NULL, 0 },
	[BOOK_FOR_ORDER] = { RO, 4, &sale_view,
	    "SELECT o.owner_id AS user_id, a.dwelling_id, p.station_id,"
	    " p.brand, p.name FROM water_order o JOIN address a"
	    " ON a.community_id = o.community_id AND a.id = o.address_id"
	    " JOIN water_product p ON p.community_id = o.community_id"
	    " AND p.station_id = o.org_id"
	    " WHERE o.community_id = $1 AND o.id = $3 AND p.id = $4 AND"
	    MANAGES("p.station_id"), NULL, 0 },
	[BOOK_ADD] = { RW, 12, NULL,
	    "INSERT INTO water_book (community_id, id, account_id,"
	    " station_id, product_id, title, paid, gift, price_fen,"
	    " received, sold_at, sold_by)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
	    NULL, 0 },
	[BOOK_GET] = { RO, 3, &water_book_view,
	    BOOK_SELECT " WHERE b.community_id = $1 AND b.id = $3 AND"
	    MANAGES("b.station_id"), NULL, 0 },
	[BOOK_GET_MINE] = { RO, 3, &water_book_view,
	    BOOK_SELECT " JOIN water_account a"
	    " ON a.community_id = b.community_id AND a.id = b.account_id"
	    " WHERE" WATER_MINE("a") " AND b.id = $3", NULL, 0 },
	/* For the platform, which has no user. */
	[BOOK_GET_ANY] = { RO, 3, &water_book_view,
	    BOOK_SELECT " WHERE b.community_id = $1"
	    " AND CAST($2 AS BIGINT) >= 0 AND b.id = $3", NULL, 0 },
	[BOOK_MINE] = { RO, 2, &water_book_view,
	    BOOK_SELECT " JOIN water_account a"
	    " ON a.community_id = b.community_id AND a.id = b.account_id"
	    " WHERE" WATER_MINE("a") " ORDER BY b.id DESC LIMIT 200",
	    NULL, 0 },
	[BOOK_OF_ACCOUNT] = { RO, 3, &water_book_view,
	    BOOK_SELECT " WHERE b.community_id = $1 AND b.account_id = $3"
	    " AND" WATER_WORKS("b.station_id", "")
	    " ORDER BY b.id DESC LIMIT 200", NULL, 0 },
	[BOOK_CLOSE] = { RW, 4, NULL,
	    "UPDATE water_book SET closed_at = $3, refund_fen = $4"
	    " WHERE community_id = $1 AND id = $2 AND closed_at IS NULL",
	    NULL, 0 },
};

/* ---- selling ---- */

static enum err
check_sale(struct req *rq, const struct book_new *in)
{
	if ((in->address_id == 0) == (in->order_id == 0))
		return req_field(rq, "address_id", "required",
		    "请在地址和订单中选择一个，说明卖给哪一户。");
	if (in->paid + in->gift == 0)
		return req_field(rq, "paid", "too_small",
		    "水票至少要有一张，请填写张数。");
	if (in->paid == 0 && in->price_fen > 0)
		return req_field(rq, "price_fen", "too_large",
		    "没有付款的张数，金额应为 0。");
	return OK;
}

static enum err
read_book(struct req *rq, int which, int64_t id, struct water_book *ret)
{
	return db_one(rq->db, rq->arena, &book_sql[which],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), ret);
}

static enum err
book_answer(struct req *rq, int which, int64_t id)
{
	struct water_book	row;
	enum err		e;

	e = read_book(rq, which, id, &row);
	return e != OK ? e : req_one(rq, &row);
}

enum err
water_book_answer_mine(struct req *rq, int64_t id)
{
	return book_answer(rq, BOOK_GET_MINE, id);
}

static enum err
post_sale(struct req *rq, const struct water_book_new *b)
{
	struct ledger_entry	*entry;

	entry = water_account_entry(rq, WATER_SALE, "water_book", b->id);
	ledger_add(entry, water_key_book(b->id, "real"), b->paid);
	ledger_add(entry, water_key_book(b->id, "gift"), b->gift);
	ledger_add(entry, water_key_station(b->station_id, "tickets"),
	    -b->paid - b->gift);
	ledger_add(entry, water_key_book(b->id, "prepaid"), b->price_fen);
	ledger_add(entry, water_key_station(b->station_id,
	    received_names[b->online]), -b->price_fen);
	return water_account_post(rq, entry);
}

enum err
water_book_write(struct req *rq, const struct water_book_new *b)
{
	enum err	e;

	e = db_run(rq->db, &book_sql[BOOK_ADD],
	    WITH(V(rq->who.community_id), V(b->id), V(b->account_id),
	    V(b->station_id), V(b->product_id), V(b->title), V(b->paid),
	    V(b->gift), V(b->price_fen), V(received_names[b->online]),
	    V(rq->now), V(b->sold_by)), NULL);
	return e != OK ? e : post_sale(rq, b);
}

static enum err
book_sell(struct req *rq)
{
	const struct book_new	*in = rq->in;
	struct water_book_new	 b;
	struct sale		 s;
	enum err		 e;

	if ((e = check_sale(rq, in)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &book_sql[in->order_id != 0 ?
	    BOOK_FOR_ORDER : BOOK_FOR_ADDRESS],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->order_id != 0 ? in->order_id : in->address_id),
	    V(in->product_id)), &s);
	if (e != OK)
		return e;
	b = (struct water_book_new){ .id = id_new(),
	    .station_id = s.station_id, .product_id = in->product_id,
	    .title = arena_fmt(rq->arena, "%s %s", s.brand, s.name),
	    .paid = in->paid, .gift = in->gift, .price_fen = in->price_fen,
	    .sold_by = rq->who.user_id };
	if ((e = water_account_take(rq, s.station_id, s.user_id,
	    s.dwelling_id, &b.account_id)) != OK ||
	    (e = water_book_write(rq, &b)) != OK)
		return e;
	audit_thing(rq, "water_book", b.id);
	return book_answer(rq, BOOK_GET, b.id);
}

/* ---- giving back ---- */

static enum err
refuse_refund(struct req *rq, const struct water_book *b)
{
	if (b->closed_at != VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE,
		    "这本水票已经退过了，不能再退。");
	if (b->held > 0)
		return req_fail(rq, ERR_STATE,
		    "有订单正在使用这本水票，请先完成或取消订单再退。");
	if (b->real_left + b->gift_left == 0)
		return req_fail(rq, ERR_STATE,
		    "这本水票已经用完，没有可退的。");
	return OK;
}

static bool
is_online(const struct water_book *b)
{
	return strcmp(b->received, received_names[true]) == 0;
}

static enum err
post_refund(struct req *rq, const struct water_book *b)
{
	struct ledger_entry	*entry;

	entry = water_account_entry(rq, WATER_REFUND, "water_book", b->id);
	ledger_add(entry, water_key_book(b->id, "real"), -b->real_left);
	ledger_add(entry, water_key_book(b->id, "gift"), -b->gift_left);
	ledger_add(entry, water_key_station(b->station_id, "tickets"),
	    b->real_left + b->gift_left);
	ledger_add(entry, water_key_book(b->id, "prepaid"),
	    -b->prepaid_fen);
	ledger_add(entry, water_key_station(b->station_id,
	    received_names[is_online(b)]), b->prepaid_fen);
	return water_account_post(rq, entry);
}

/* Read again once the account's row is ours: then it stands. */
static enum err
take_book(struct req *rq, int which, int64_t id, struct water_book *ret)
{
	int64_t		account = 0;
	enum err	e;
	int		i;

	for (i = 0; i < 2; i++) {
		e = read_book(rq, which, id, ret);
		if (e == OK && i == 0)
			e = water_account_lock(rq, account = ret->account_id);
		if (e != OK)
			return e;
	}
	/* Or it went to the household's account while we waited. */
	return ret->account_id == account ? OK : ERR_AGAIN;
}

/* No ticket of it is left; its money is somewhere else. */
static enum err
close_book(struct req *rq, const struct water_book *b)
{
	enum err	e;

	if ((e = post_refund(rq, b)) != OK)
		return e;
	return db_run(rq->db, &book_sql[BOOK_CLOSE],
	    WITH(V(rq->who.community_id), V(b->id), V(rq->now),
	    V(b->prepaid_fen)), NULL);
}

static enum err
give_back(struct req *rq, int which)
{
	const struct book_refund	*in = rq->in;
	struct water_book		 b;
	enum err			 e;

	if ((e = take_book(rq, which, in->id, &b)) != OK)
		return e;
	if (which == BOOK_GET_MINE && !is_online(&b))
		return req_fail(rq, ERR_STATE,
		    "这本水票是在水站付的钱，请到水站退。");
	if ((e = refuse_refund(rq, &b)) != OK)
		return e;
	if (field_given(rq, "expected_fen") &&
	    in->expected_fen != b.prepaid_fen)
		return req_field_as(rq, ERR_CONFLICT, "expected_fen",
		    "changed", arena_fmt(rq->arena,
		    "现在应退 %lld.%02lld 元，请确认后再退。",
		    (long long)b.prepaid_fen / 100,
		    (long long)b.prepaid_fen % 100));
	if ((e = close_book(rq, &b)) != OK)
		return e;
	if (is_online(&b) && b.prepaid_fen > 0 &&
	    (e = payment_give_back(rq, "water_book", b.id, b.prepaid_fen,
	    "退水票")) != OK)
		return e;
	audit_thing(rq, "water_book", b.id);
	return book_answer(rq, which, b.id);
}

static enum err
book_give_back(struct req *rq)
{
	return give_back(rq, BOOK_GET);
}

static enum err
book_give_back_mine(struct req *rq)
{
	return give_back(rq, BOOK_GET_MINE);
}

/* ---- given back as a payment's refund ---- */

enum err
water_book_worth(struct req *rq, int64_t id, int64_t *ret_fen)
{
	struct water_book	b;
	enum err		e;

	e = take_book(rq, BOOK_GET_MINE, id, &b);
	/* A desk that lost the role is none. */
	if (e == ERR_ABSENT && (rq->who.roles & ROLE_MERCHANT) != 0)
		e = take_book(rq, BOOK_GET, id, &b);
	if (e != OK)
		return e;
	if (!is_online(&b))
		return ERR_ABSENT;
	if ((e = refuse_refund(rq, &b)) != OK)
		return e;
	*ret_fen = b.prepaid_fen;
	return OK;
}

enum err
water_book_end(struct req *rq, int64_t id, int64_t fen)
{
	struct water_book	b;
	enum err		e;

	if ((e = take_book(rq, BOOK_GET_ANY, id, &b)) != OK)
		return e;
	/* By the book's own door: then the money follows the book. */
	if (b.closed_at != VIEW_NULL_INT)
		return OK;
	if ((e = refuse_refund(rq, &b)) != OK)
		return e;
	if (fen != b.prepaid_fen)
		return req_failf(rq, ERR_STATE,
		    "水票要整本退，现在应退 %lld.%02lld 元。",
		    (long long)b.prepaid_fen / 100,
		    (long long)b.prepaid_fen % 100);
	return close_book(rq, &b);
}

/* ---- lists ---- */

static enum err
book_mine(struct req *rq)
{
	return req_list(rq, &book_sql[BOOK_MINE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), 0);
}

static enum err
book_of_account(struct req *rq)
{
	const struct book_account	*in = rq->in;

	return req_list(rq, &book_sql[BOOK_OF_ACCOUNT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id)),
	    0);
}

static const struct route book_routes[] = {
	{ GET, "/api/v1/water/ticket-books",
	    ROLE_RESIDENT | ACT_WATER | ACT_READ, NULL,
	    REPLY_LIST, &water_book_view, 200, POOL_API, TX_READ,
	    book_mine, "My household's ticket books, newest first" },
	{ POST, "/api/v1/station/ticket-books", ROLE_MERCHANT,
	    &book_new_shape,
	    REPLY_ONE, &water_book_view, 201, POOL_API, TX_WRITE,
	    book_sell, "Sell a ticket book to a household" },
	{ POST, "/api/v1/station/ticket-books/{id}/refund", ROLE_MERCHANT,
	    &book_refund_shape,
	    REPLY_ONE, &water_book_view, 200, POOL_API, TX_WRITE,
	    book_give_back, "Take a book back for what is unspent of it" },
	{ POST, "/api/v1/water/books/{id}/refund",
	    ROLE_RESIDENT | ACT_WATER, &book_refund_shape,
	    REPLY_ONE, &water_book_view, 200, POOL_API, TX_WRITE,
	    book_give_back_mine,
	    "Give a book paid online back; its payer gets the money" },
	{ GET, "/api/v1/station/accounts/{id}/ticket-books",
	    ROLE_MERCHANT | ROLE_COURIER, &book_account_shape,
	    REPLY_LIST, &water_book_view, 200, POOL_API, TX_READ,
	    book_of_account, "Ticket books of an account with my station" },
	{ 0 }
};

void
water_book_register(void)
{
	db_register(book_sql, BOOK_SQL_MAX);
	route_register("water", book_routes);
}
