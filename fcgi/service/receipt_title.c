/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt_title.c -- whom an invoice is made out to, one for each payee of a
 * payment.
 *
 * The payer says it, and may say it again; who works for that payee reads
 * it, and nobody else's.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/receipt.h"

#define PAYER	(ROLE_RESIDENT | ACT_PAY)
#define STAFF	(ROLE_MERCHANT | ROLE_PROPERTY)
#define CODE	18

struct invoice_title {
	int64_t		 id;
	int64_t		 payment_id;
	const char	*payment_number;
	int64_t		 payee_id;
	const char	*payee, *title, *tax_no;
	int64_t		 amount_fen, refunded_fen, at;
};

static const struct view_column invoice_title_columns[] = {
	C_ID(invoice_title, id),
	C_ID(invoice_title, payment_id),
	C_TEXT(invoice_title, payment_number),
	C_ID(invoice_title, payee_id),
	C_TEXT(invoice_title, payee),
	C_TEXT(invoice_title, title),
	C_TEXT(invoice_title, tax_no, .flags = VIEW_NULL),
	C_FEN(invoice_title, amount_fen, .about = "of that payee's things"),
	C_FEN(invoice_title, refunded_fen),
	C_TIME(invoice_title, at),
	C_END
};
static const struct view invoice_title_view =
    VIEW(invoice_title, "InvoiceTitle");

struct receipt_payee {
	int64_t		 payee_id;
};
static const struct view_column receipt_payee_columns[] = {
	C_ID(receipt_payee, payee_id), C_END
};
static const struct view receipt_payee_view =
    VIEW(receipt_payee, "ReceiptPayee");

enum { TITLE_PAYEES, TITLE_PUT, TITLE_ONE, TITLE_LIST, TITLE_SQL_MAX };

#define TITLE_SELECT							\
	"SELECT t.id, t.payment_id, p.number AS payment_number,"	\
	" t.payee_id, o.name AS payee, t.title, t.tax_no,"		\
	" (SELECT CAST(SUM(i.amount_fen) AS BIGINT) FROM payment_item i" \
	" WHERE i.community_id = t.community_id"			\
	" AND i.payment_id = t.payment_id"				\
	" AND i.payee_id = t.payee_id) AS amount_fen,"			\
	" (SELECT CAST(SUM(i.refunded_fen) AS BIGINT)"			\
	" FROM payment_item i WHERE i.community_id = t.community_id"	\
	" AND i.payment_id = t.payment_id"				\
	" AND i.payee_id = t.payee_id) AS refunded_fen, t.at"		\
	" FROM invoice_title t JOIN payment p"				\
	" ON p.community_id = t.community_id AND p.id = t.payment_id"	\
	" JOIN org o ON o.community_id = t.community_id"		\
	" AND o.id = t.payee_id WHERE t.community_id = $1"

static struct stmt title_sql[] = {
	[TITLE_PAYEES] = { RO, 4, &receipt_payee_view,
	    "SELECT DISTINCT i.payee_id FROM payment p JOIN payment_item i"
	    " ON i.community_id = p.community_id AND i.payment_id = p.id"
	    " WHERE p.community_id = $1 AND p.id = $2 AND p.owner_id = $3"
	    " AND p.paid_at IS NOT NULL"
	    " AND (CAST($4 AS BIGINT) = 0 OR i.payee_id = $4)"
	    " ORDER BY i.payee_id LIMIT 2",
	    NULL, 0 },
	[TITLE_PUT] = { RW, 8, NULL,
	    "INSERT INTO invoice_title (community_id, payment_id, payee_id,"
	    " id, title, tax_no, by_id, at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	    " ON CONFLICT (community_id, payment_id, payee_id) DO UPDATE"
	    " SET title = excluded.title, tax_no = excluded.tax_no,"
	    " by_id = excluded.by_id, at = excluded.at", NULL, 0 },
	[TITLE_ONE] = { RO, 3, &invoice_title_view,
	    TITLE_SELECT " AND t.payment_id = $2 AND t.payee_id = $3",
	    NULL, 0 },
	[TITLE_LIST] = { RO, 4, &invoice_title_view,
	    TITLE_SELECT " AND t.id < $2 AND t.payee_id IN"
	    " (SELECT s.org_id FROM org_staff s WHERE s.community_id = $1"
	    " AND s.user_id = $3 AND s.duty <> 'courier')"
	    " ORDER BY t.id DESC LIMIT $4", NULL, 0 },
};

struct title_new {
	int64_t		 id, payee_id;
	const char	*title, *tax_no;
};
static const struct field title_new_fields[] = {
	F_ID(title_new, id, "付款", MUST),
	F_ID(title_new, payee_id, "收款单位", MAY),
	F_TEXT(title_new, title, "发票抬头", MUST, 2, 100),
	F_TEXT(title_new, tax_no, "统一社会信用代码", MAY, CODE, CODE),
	F_END
};
static const struct shape title_new_shape =
    SHAPE(title_new, "InvoiceTitleNew");

struct title_page {
	int64_t		 limit, after;
};
static const struct field title_page_fields[] = {
	F_PAGE(title_page), F_END
};
static const struct shape title_page_shape =
    SHAPE(title_page, "InvoiceTitlePage");

bool
receipt_credit_code(const char *s)
{
	static const char	used[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	const char		*at;
	int			 sum = 0, weight = 1, i;

	for (i = 0; i < CODE; i++) {
		if (s[i] == '\0' || (at = strchr(used, s[i])) == NULL)
			return false;
		if (i == CODE - 1)
			return s[i + 1] == '\0' &&
			    at - used == (31 - sum % 31) % 31;
		sum += (int)(at - used) * weight;
		weight = weight * 3 % 31;
	}
	return false;
}

/* Whose title it is: the one named, or the only one there is. */
static enum err
choose_payee(struct req *rq, const struct title_new *in, int64_t *ret)
{
	struct receipt_payee	row;
	struct rows		rows;
	enum err		e;
	int			n = 0;

	e = db_query(rq->db, &title_sql[TITLE_PAYEES],
	    WITH(V(rq->who.community_id), V(in->id), V(rq->who.user_id),
	    V(in->payee_id)), &rows);
	if (e != OK)
		return e;
	for (; db_each(&rows, &row); n++)
		*ret = row.payee_id;
	if ((e = db_end(&rows)) != OK)
		return e;
	if (n > 1)
		return req_field(rq, "payee_id", "required",
		    "这笔款付给了多个单位，请选择由谁开票。");
	return n == 0 ? ERR_ABSENT : OK;
}

static enum err
title_put(struct req *rq)
{
	const struct title_new	*in = rq->in;
	struct invoice_title	 row;
	int64_t			 here = rq->who.community_id, payee = 0;
	enum err		 e;

	if (in->tax_no != NULL && !receipt_credit_code(in->tax_no))
		return req_field(rq, "tax_no", "invalid",
		    "统一社会信用代码不正确，请核对18位代码。");
	if ((e = choose_payee(rq, in, &payee)) != OK ||
	    (e = db_run(rq->db, &title_sql[TITLE_PUT], WITH(V(here),
	    V(in->id), V(payee), V(id_new()), V(in->title), V(in->tax_no),
	    V(req_caller(rq)), V(rq->now)), NULL)) != OK ||
	    (e = db_one(rq->db, rq->arena, &title_sql[TITLE_ONE],
	    WITH(V(here), V(in->id), V(payee)), &row)) != OK)
		return e;
	audit_thing(rq, "invoice_title", row.id);
	return req_one(rq, &row);
}

static enum err
title_list(struct req *rq)
{
	const struct title_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &title_sql[TITLE_LIST],
	    WITH(V(rq->who.community_id), V(in->after != 0 ? in->after :
	    INT64_MAX), V(rq->who.user_id), V(limit + 1)), limit);
}

static const struct route title_routes[] = {
	{ POST, "/api/v1/payments/{id}/invoice-title", PAYER,
	    &title_new_shape, REPLY_ONE, &invoice_title_view, 200, POOL_API,
	    TX_WRITE, title_put,
	    "Say whom a payee's invoice is to be made out to" },
	{ GET, "/api/v1/invoice-titles", STAFF, &title_page_shape,
	    REPLY_LIST, &invoice_title_view, 200, POOL_API, TX_READ,
	    title_list, "Titles for one's own org, newest first" },
	{ 0 }
};

void
receipt_title_register(void)
{
	db_register(title_sql, TITLE_SQL_MAX);
	route_register("receipts", title_routes);
}
