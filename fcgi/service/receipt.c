/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.c -- receipts of what was paid, and whom invoices are made out to.
 *
 * A receipt is made when it is asked for first.  Its number is the next of
 * the community's year: the counter's row is taken before we look whether
 * there is one already, and counted up in the transaction that issues, so
 * there are no gaps and no payment has two.  An invoice is the payee's to
 * make; we keep the title for their staff.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/money.h"
#include "http/audit.h"
#include "http/reply.h"
#include "http/req.h"
#include "service/receipt.h"
#include "service/service.h"

#define PAYER	(ROLE_RESIDENT | ACT_PAY | ACT_READ)

/* ---- a receipt ---- */

struct receipt {
	int64_t		 id;
	int64_t		 year, seq;
	int64_t		 payment_id;
	const char	*payment_number, *transaction_id;
	const char	*community, *title;
	int64_t		 total_fen, refunded_fen;
	int64_t		 paid_at, issued_at;
};

struct receipt_item {
	int64_t		 seq;
	const char	*title, *payee;
	int64_t		 payee_id, amount_fen, refunded_fen;
};

static const struct view_column receipt_item_columns[] = {
	C_INT(receipt_item, seq),
	C_TEXT(receipt_item, title),
	C_TEXT(receipt_item, payee),
	C_ID(receipt_item, payee_id),
	C_FEN(receipt_item, amount_fen),
	C_FEN(receipt_item, refunded_fen),
	C_END
};
static const struct view receipt_item_view =
    VIEW(receipt_item, "ReceiptItem");

enum { RECEIPT_COUNTER, RECEIPT_FIND, RECEIPT_SEE, RECEIPT_NEXT,
	RECEIPT_COUNT, RECEIPT_ADD, RECEIPT_PAID, RECEIPT_ITEMS,
	RECEIPT_SQL_MAX };

static const char *
number_of(struct arena *a, const struct receipt *r)
{
	return arena_fmt(a, "%lld-%06lld", (long long)r->year,
	    (long long)r->seq);
}

static void
calc_number(struct json *j, const struct req *rq, const void *row)
{
	json_text(j, number_of(rq->arena, row));
}

static struct stmt receipt_sql[RECEIPT_SQL_MAX];

static void
calc_items(struct json *j, const struct req *rq, const void *row)
{
	const struct receipt	*r = row;
	struct receipt_item	 item;
	struct rows		 rows;

	json_list(j);
	if (db_query(rq->db, &receipt_sql[RECEIPT_ITEMS],
	    WITH(V(rq->who.community_id), V(r->payment_id)), &rows) == OK) {
		while (db_each(&rows, &item))
			json_view(j, &receipt_item_view, &item, rq,
			    rq->arena);
		if (db_end(&rows) != OK)
			j->bad = true;
	} else
		j->bad = true;
	json_unlist(j);
}

static const struct view_column receipt_columns[] = {
	C_ID(receipt, id),
	C_INT(receipt, year),
	C_INT(receipt, seq, .about = "in the community's year, no gaps"),
	C_ID(receipt, payment_id),
	C_TEXT(receipt, payment_number),
	C_TEXT(receipt, transaction_id, .about = "WeChat Pay's"),
	C_TEXT(receipt, community),
	C_TEXT(receipt, title),
	C_FEN(receipt, total_fen),
	C_FEN(receipt, refunded_fen, .about = "given back since"),
	C_TIME(receipt, paid_at),
	C_TIME(receipt, issued_at),
	C_CALC("number", SHAPE_TEXT, calc_number, .about = "2026-000001"),
	C_CALC("items", SHAPE_OBJECTS, calc_items,
	    .sub = &receipt_item_view),
	C_END
};
static const struct view receipt_view = VIEW(receipt, "Receipt");

struct receipt_count {
	int64_t		 n;
};
static const struct view_column receipt_count_columns[] = {
	C_INT(receipt_count, n), C_END
};
static const struct view receipt_count_view =
    VIEW(receipt_count, "ReceiptCount");

#define RECEIPT_SELECT							\
	"SELECT r.id, r.year, r.seq, r.payment_id,"			\
	" p.number AS payment_number, p.transaction_id,"		\
	" c.name AS community, p.title, p.total_fen, p.refunded_fen,"	\
	" p.paid_at, r.issued_at FROM receipt r JOIN payment p"		\
	" ON p.community_id = r.community_id AND p.id = r.payment_id"	\
	" JOIN community c ON c.id = r.community_id"			\
	" WHERE r.community_id = $1 AND p.owner_id = $3 AND "

static struct stmt receipt_sql[RECEIPT_SQL_MAX] = {
	[RECEIPT_COUNTER] = { RW, 2, NULL,
	    "INSERT INTO receipt_counter (community_id, year, last)"
	    " VALUES ($1, $2, 0) ON CONFLICT (community_id, year)"
	    " DO UPDATE SET last = receipt_counter.last", NULL, 0 },
	[RECEIPT_FIND] = { RO, 3, &receipt_view,
	    RECEIPT_SELECT "r.payment_id = $2", NULL, 0 },
	[RECEIPT_SEE] = { RO, 3, &receipt_view,
	    RECEIPT_SELECT "r.id = $2", NULL, 0 },
	[RECEIPT_NEXT] = { RO, 2, &receipt_count_view,
	    "SELECT last + 1 AS n FROM receipt_counter"
	    " WHERE community_id = $1 AND year = $2", NULL, 0 },
	[RECEIPT_COUNT] = { RW, 3, NULL,
	    "UPDATE receipt_counter SET last = $3 WHERE community_id = $1"
	    " AND year = $2", NULL, 0 },
	[RECEIPT_ADD] = { RW, 6, NULL,
	    "INSERT INTO receipt (community_id, id, year, seq, payment_id,"
	    " issued_at) VALUES ($1, $2, $3, $4, $5, $6)", NULL, 0 },
	[RECEIPT_PAID] = { RO, 3, &receipt_count_view,
	    "SELECT CASE WHEN paid_at IS NULL THEN 0 ELSE 1 END AS n"
	    " FROM payment WHERE community_id = $1 AND id = $2"
	    " AND owner_id = $3", NULL, 0 },
	[RECEIPT_ITEMS] = { RO, 2, &receipt_item_view,
	    "SELECT i.seq, i.title, o.name AS payee, i.payee_id,"
	    " i.amount_fen, i.refunded_fen FROM payment_item i"
	    " JOIN org o ON o.community_id = i.community_id"
	    " AND o.id = i.payee_id WHERE i.community_id = $1"
	    " AND i.payment_id = $2 ORDER BY i.seq", NULL, 0 },
};

struct receipt_id {
	int64_t		 id;
};
static const struct field receipt_id_fields[] = {
	F_ID(receipt_id, id, "编号", MUST),
	F_END
};
static const struct shape receipt_id_shape = SHAPE(receipt_id, "ReceiptId");

static enum err
find(struct req *rq, int which, int64_t id, struct receipt *ret)
{
	return db_one(rq->db, rq->arena, &receipt_sql[which],
	    WITH(V(rq->who.community_id), V(id), V(rq->who.user_id)), ret);
}

/* Whether it is the caller's, and paid. */
static enum err
check_paid(struct req *rq, int64_t payment_id)
{
	struct receipt_count	paid;
	enum err		e;

	e = db_one(rq->db, rq->arena, &receipt_sql[RECEIPT_PAID],
	    WITH(V(rq->who.community_id), V(payment_id),
	    V(rq->who.user_id)), &paid);
	if (e == OK && paid.n == 0)
		return req_fail(rq, ERR_STATE, "这笔款还没有付，付款后可以"
		    "查看收据。");
	return e;
}

static enum err
issue(struct req *rq, int64_t payment_id, struct receipt *ret)
{
	int64_t			here = rq->who.community_id;
	int64_t			year = clock_local(rq->now).year;
	struct receipt_count	next;
	enum err		e;

	if ((e = db_run(rq->db, &receipt_sql[RECEIPT_COUNTER],
	    WITH(V(here), V(year)), NULL)) != OK)
		return e;
	if ((e = find(rq, RECEIPT_FIND, payment_id, ret)) != ERR_ABSENT)
		return e;
	if ((e = db_one(rq->db, rq->arena, &receipt_sql[RECEIPT_NEXT],
	    WITH(V(here), V(year)), &next)) != OK ||
	    (e = db_run(rq->db, &receipt_sql[RECEIPT_COUNT],
	    WITH(V(here), V(year), V(next.n)), NULL)) != OK ||
	    (e = db_run(rq->db, &receipt_sql[RECEIPT_ADD], WITH(V(here),
	    V(id_new()), V(year), V(next.n), V(payment_id), V(rq->now)),
	    NULL)) != OK)
		return e;
	return find(rq, RECEIPT_FIND, payment_id, ret);
}

static enum err
receipt_of(struct req *rq)
{
	const struct receipt_id	*in = rq->in;
	struct receipt		 r;
	enum err		 e;

	if ((e = find(rq, RECEIPT_FIND, in->id, &r)) == ERR_ABSENT)
		if ((e = check_paid(rq, in->id)) == OK)
			e = issue(rq, in->id, &r);
	if (e != OK)
		return e;
	audit_thing(rq, "receipt", r.id);
	return req_one(rq, &r);
}

/* ---- to be printed ---- */

/* NULL is nothing. */
static void
put_escaped(struct buf *b, const char *s)
{
	if (s != NULL)
		buf_html(b, s, strlen(s));
}

static void
put_cell(struct buf *b, const char *s)
{
	BUF_LIT(b, "<td>");
	put_escaped(b, s);
	BUF_LIT(b, "</td>");
}

static void
put_fen(struct buf *b, int64_t fen)
{
	char	text[MONEY_TEXT_MAX];

	money_text(fen, text);
	buf_fmt(b, "<td class=\"n\">%s</td>", text);
}

static void
put_head(struct req *rq, const struct receipt *r)
{
	struct buf	*b = rq->out;
	char		 at[CLOCK_TEXT_MAX];

	buf_clear(b);
	buf_puts(b, "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head>"
	    "<meta charset=\"utf-8\"><meta name=\"viewport\""
	    " content=\"width=device-width\"><title>收据</title><style>"
	    "body{font:16px/1.6 sans-serif;max-width:40em;margin:1em auto;"
	    "padding:0 1em}table{width:100%;border-collapse:collapse}"
	    "th,td{text-align:left;padding:.3em;border-bottom:1px solid "
	    "#888}.n{text-align:right}@media print{body{margin:0}}"
	    "</style></head><body>\n<h1>收据</h1>\n");
	buf_fmt(b, "<p>编号 %s</p>\n<p>", number_of(rq->arena, r));
	put_escaped(b, r->community);
	clock_text(r->paid_at, at);
	buf_fmt(b, "</p>\n<p>付款时间 %.10s %.8s</p>\n<p>付款单号 ", at,
	    at + 11);
	put_escaped(b, r->payment_number);
	buf_puts(b, "</p>\n<p>微信支付订单号 ");
	put_escaped(b, r->transaction_id);
	buf_puts(b, "</p>\n<table><tr><th>项目</th><th>收款单位</th>"
	    "<th class=\"n\">金额（元）</th><th class=\"n\">已退（元）</th>"
	    "</tr>\n");
}

static enum err
receipt_page(struct req *rq)
{
	const struct receipt_id	*in = rq->in;
	struct receipt_item	 item;
	struct receipt		 r;
	struct rows		 rows;
	struct buf		*b = rq->out;
	enum err		 e;

	if ((e = find(rq, RECEIPT_SEE, in->id, &r)) != OK)
		return e;
	put_head(rq, &r);
	e = db_query(rq->db, &receipt_sql[RECEIPT_ITEMS],
	    WITH(V(rq->who.community_id), V(r.payment_id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &item)) {
		BUF_LIT(b, "<tr>");
		put_cell(b, item.title);
		put_cell(b, item.payee);
		put_fen(b, item.amount_fen);
		put_fen(b, item.refunded_fen);
		BUF_LIT(b, "</tr>\n");
	}
	if ((e = db_end(&rows)) != OK)
		return e;
	buf_puts(b, "<tr><th colspan=\"2\">合计</th>");
	put_fen(b, r.total_fen);
	put_fen(b, r.refunded_fen);
	buf_puts(b, "</tr></table>\n<p>本收据不是发票。需要发票请在付款详情中"
	    "填写发票抬头，由收款单位开具。</p>\n</body></html>\n");
	rq->content = REPLY_HTML;
	return OK;
}

static const struct route receipt_routes[] = {
	{ GET, "/api/v1/payments/{id}/receipt", PAYER, &receipt_id_shape,
	    REPLY_ONE, &receipt_view, 200, POOL_API, TX_WRITE, receipt_of,
	    "The receipt of a payment; it gets its number when it is asked"
	    " for first" },
	{ GET, "/api/v1/receipts/{id}/page", PAYER, &receipt_id_shape,
	    REPLY_FILE, NULL, 200, POOL_API, TX_READ, receipt_page,
	    "A receipt to be printed" },
	{ 0 }
};

void
receipt_register(void)
{
	db_register(receipt_sql, RECEIPT_SQL_MAX);
	route_register("receipts", receipt_routes);
	receipt_title_register();
}
