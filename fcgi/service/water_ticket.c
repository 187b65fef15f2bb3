/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_ticket.c -- tickets pay for orders: held, spent, or back again.
 *
 * What was paid for is spent before what was a gift, so that giving a book
 * back returns all money that is not used up.  The money of a book is
 * earned ticket by ticket: of n left worth P, k earn P * k / n, and the
 * last one takes the rest.
 */
#include <string.h>

#include "base/arena.h"
#include "http/req.h"
#include "service/water.h"
#include "service/water_account.h"

/* What a book still has, for holding. */
struct stack {
	int64_t		 id;
	int64_t		 real;
	int64_t		 gift;
};

static const struct view_column stack_columns[] = {
	C_ID(stack, id),
	C_INT(stack, real),
	C_INT(stack, gift),
	C_END
};
static const struct view stack_view = VIEW(stack, "WaterTicketStack");

/* What an order holds of a book. */
struct held {
	int64_t		 book_id;
	int64_t		 account_id;
	const char	*kind;
	int64_t		 n;
};

static const struct view_column held_columns[] = {
	C_ID(held, book_id),
	C_ID(held, account_id),
	C_TEXT(held, kind),
	C_INT(held, n),
	C_END
};
static const struct view held_view = VIEW(held, "WaterTicketHeld");

#define LEFT(kinds)							\
	" (SELECT CAST(COALESCE(SUM(l.balance), 0) AS BIGINT)"		\
	" FROM ledger_account l WHERE l.community_id = b.community_id"	\
	" AND l.owner = 'water_book' AND l.owner_id = b.id"		\
	" AND l.kind IN (" kinds "))"

enum { TICKET_STACKS, TICKET_HELD, TICKET_SQL_MAX };

static struct stmt ticket_sql[] = {
	[TICKET_STACKS] = { RO, 3, &stack_view,
	    "SELECT b.id," LEFT("'real'") " AS real,"
	    LEFT("'gift'") " AS gift FROM water_book b"
	    " WHERE b.community_id = $1 AND b.account_id = $2"
	    " AND b.product_id = $3 AND b.closed_at IS NULL"
	    " ORDER BY b.id", NULL, 0 },
	[TICKET_HELD] = { RO, 2, &held_view,
	    "SELECT b.id AS book_id, b.account_id, a.kind, l.amount AS n"
	    " FROM ledger_entry e JOIN ledger_line l"
	    " ON l.community_id = e.community_id AND l.entry_id = e.id"
	    " JOIN ledger_account a ON a.community_id = l.community_id"
	    " AND a.id = l.account_id JOIN water_book b"
	    " ON b.community_id = a.community_id AND b.id = a.owner_id"
	    " WHERE e.community_id = $1 AND e.thing = 'water_order'"
	    " AND e.thing_id = $2 AND e.kind = '" WATER_HOLD "'"
	    " AND a.owner = 'water_book'"
	    " AND a.kind IN ('held_real', 'held_gift')"
	    " ORDER BY b.account_id, b.id, a.kind", NULL, 0 },
};

static enum err
balance(struct req *rq, int64_t book_id, const char *kind, int64_t *ret)
{
	return ledger_balance(rq->db, rq->arena, rq->who.community_id,
	    water_key_book(book_id, kind), ret);
}

/* ---- orders ---- */

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* From free to held, as many as there are of `*need`. */
static void
hold_some(struct ledger_entry *entry, int64_t book, const char *from,
    const char *to, int64_t have, int64_t *need)
{
	int64_t	n = least(have, *need);

	ledger_add(entry, water_key_book(book, from), -n);
	ledger_add(entry, water_key_book(book, to), n);
	*need -= n;
}

static enum err
too_few(struct req *rq, const struct water_line *l, int64_t have)
{
	return req_field_as(rq, ERR_SHORT, "payment", "no_tickets",
	    arena_fmt(rq->arena, "“%s”的水票还剩 %lld 张，这一单需要 %lld 张，"
	    "请改为货到付款，或先向水站购买水票。", l->name, (long long)have,
	    (long long)l->quantity));
}

/* The books of one product: first all that was paid for, then gifts. */
static enum err
hold_line(struct req *rq, struct ledger_entry *entry, int64_t account_id,
    const struct water_line *l)
{
	struct stack	 s[LEDGER_LINES / 2];
	struct rows	 rows;
	int64_t		 need = l->quantity;
	enum err	 e;
	int		 i, n = 0;

	e = db_query(rq->db, &ticket_sql[TICKET_STACKS],
	    WITH(V(rq->who.community_id), V(account_id), V(l->product_id)),
	    &rows);
	if (e != OK)
		return e;
	while (n < LEDGER_LINES / 2 && db_each(&rows, &s[n]))
		n += s[n].real + s[n].gift > 0;
	if ((e = db_end(&rows)) != OK)
		return e;
	for (i = 0; i < n && need > 0; i++)
		hold_some(entry, s[i].id, "real", "held_real", s[i].real,
		    &need);
	for (i = 0; i < n && need > 0; i++)
		hold_some(entry, s[i].id, "gift", "held_gift", s[i].gift,
		    &need);
	if (need > 0)
		return too_few(rq, l, l->quantity - need);
	return OK;
}

enum err
water_ticket_hold(struct req *rq, int64_t account_id, int64_t order_id,
    const struct water_lines *lines)
{
	struct ledger_entry	*entry;
	enum err		 e;
	int			 i;

	entry = water_account_entry(rq, WATER_HOLD, "water_order", order_id);
	for (i = 0; i < lines->n; i++) {
		e = hold_line(rq, entry, account_id, &lines->at[i]);
		if (e != OK)
			return e;
	}
	if (entry->n > LEDGER_LINES)
		return req_field(rq, "items", "too_large",
		    "这一单要用太多本水票，请分次下单。");
	return water_account_post(rq, entry);
}

/* What the order holds; n through ret_n. */
static enum err
read_held(struct req *rq, int64_t order_id, struct held *h, int *ret_n)
{
	struct rows	 rows;
	struct held	 row;
	enum err	 e;
	int		 n = 0;

	e = db_query(rq->db, &ticket_sql[TICKET_HELD],
	    WITH(V(rq->who.community_id), V(order_id)), &rows);
	if (e != OK)
		return e;
	while (n < LEDGER_LINES && db_each(&rows, &row)) {
		row.kind = strcmp(row.kind, "held_real") == 0 ?
		    "held_real" : "held_gift";
		h[n++] = row;
	}
	*ret_n = n;
	return db_end(&rows);
}

/* The same with the rows of all its accounts taken. */
static enum err
take_held(struct req *rq, int64_t order_id, struct held *h, int *ret_n)
{
	struct held	now[LEDGER_LINES];
	enum err	e;
	int		i, n;

	if ((e = read_held(rq, order_id, h, ret_n)) != OK)
		return e;
	for (i = 0; i < *ret_n; i++)
		if ((i == 0 || h[i].account_id != h[i - 1].account_id) &&
		    (e = water_account_lock(rq, h[i].account_id)) != OK)
			return e;
	/* A book may have gone to the household's account meanwhile. */
	if ((e = read_held(rq, order_id, now, &n)) != OK)
		return e;
	for (i = 0; i < n && i < *ret_n; i++)
		if (now[i].account_id != h[i].account_id)
			return ERR_AGAIN;
	return n == *ret_n ? OK : ERR_AGAIN;
}

enum err
water_ticket_back(struct req *rq, int64_t order_id)
{
	struct held		 h[LEDGER_LINES];
	struct ledger_entry	*entry;
	enum err		 e;
	int			 i, n;

	if ((e = take_held(rq, order_id, h, &n)) != OK || n == 0)
		return e;
	entry = water_account_entry(rq, WATER_BACK, "water_order", order_id);
	for (i = 0; i < n; i++) {
		ledger_add(entry, water_key_book(h[i].book_id, h[i].kind),
		    -h[i].n);
		/* held_real goes back to real, held_gift to gift. */
		ledger_add(entry, water_key_book(h[i].book_id,
		    h[i].kind + strlen("held_")), h[i].n);
	}
	return water_account_post(rq, entry);
}

/* The money of `h->n` paid tickets, of what their book is worth now. */
static enum err
earn(struct req *rq, struct ledger_entry *entry, const struct held *h,
    int64_t station_id)
{
	int64_t		real, held, worth, n;
	enum err	e;

	if ((e = balance(rq, h->book_id, "real", &real)) != OK ||
	    (e = balance(rq, h->book_id, "held_real", &held)) != OK ||
	    (e = balance(rq, h->book_id, "prepaid", &worth)) != OK)
		return e;
	if (real + held < h->n)
		return ERR_SHORT;
	n = worth * h->n / (real + held);
	ledger_add(entry, water_key_book(h->book_id, "prepaid"), -n);
	ledger_add(entry, water_key_station(station_id, "earned"), n);
	return OK;
}

enum err
water_ticket_spend(struct req *rq, int64_t order_id, int64_t station_id)
{
	struct held		 h[LEDGER_LINES];
	struct ledger_entry	*entry;
	int64_t			 all = 0;
	enum err		 e;
	int			 i, n;

	if ((e = take_held(rq, order_id, h, &n)) != OK || n == 0)
		return e;
	entry = water_account_entry(rq, WATER_SPEND, "water_order",
	    order_id);
	for (i = 0; i < n; i++) {
		ledger_add(entry, water_key_book(h[i].book_id, h[i].kind),
		    -h[i].n);
		all += h[i].n;
	}
	ledger_add(entry, water_key_station(station_id, "tickets"), all);
	for (i = 0; i < n; i++)
		if (strcmp(h[i].kind, "held_real") == 0 &&
		    (e = earn(rq, entry, &h[i], station_id)) != OK)
			return e;
	return water_account_post(rq, entry);
}

void
water_ticket_register(void)
{
	db_register(ticket_sql, TICKET_SQL_MAX);
}
