/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_report.c -- what came in of what was billed, and what is overdue for
 * how long; for the payee's own people alone, and never by name.
 */
#include <string.h>

#include "service/bill_cell.h"
#include "service/bill_internal.h"

static const char *const bys[] = { "payee", "compound", "building", NULL };

struct collection_in {
	int64_t		 id;
	int64_t		 by;
	const char	*from, *to;
};

static const struct field collection_in_fields[] = {
	F_ID(collection_in, id, "收费单位", MUST),
	F_ENUM(collection_in, by, "统计范围", MAY, bys),
	F_TEXT(collection_in, from, "开始账期", MAY, 6, 7),
	F_TEXT(collection_in, to, "结束账期", MAY, 6, 7),
	F_END
};
static const struct shape collection_shape =
    SHAPE(collection_in, "BillCollectionQuery");

struct arrears_in {
	int64_t		 id;
};

static const struct field arrears_in_fields[] = {
	F_ID(arrears_in, id, "收费单位", MUST),
	F_END
};
static const struct shape arrears_shape =
    SHAPE(arrears_in, "BillArrearsQuery");

struct collection {
	int64_t		 place_id;
	const char	*place;
	int64_t		 bills, paid_bills;
	int64_t		 billed_fen, principal_fen, paid_fen, late_paid_fen;
};

/* In 1/10000 of what is owed after disputes and waivers. */
static void
put_rate(struct json *j, const struct req *rq, const void *row)
{
	const struct collection	*c = row;

	(void)rq;
	json_int(j, c->principal_fen == 0 ? 10000 :
	    c->paid_fen / c->principal_fen * 10000 +
	    c->paid_fen % c->principal_fen * 10000 / c->principal_fen);
}

static const struct view_column collection_columns[] = {
	C_ID(collection, place_id, .flags = VIEW_NULL,
	    .about = "null: all of it, or bills without a dwelling"),
	C_TEXT(collection, place, .flags = VIEW_NULL),
	C_INT(collection, bills),
	C_INT(collection, paid_bills),
	C_FEN(collection, billed_fen),
	C_FEN(collection, principal_fen,
	    .about = "after disputes and waivers"),
	C_FEN(collection, paid_fen),
	C_FEN(collection, late_paid_fen),
	C_CALC("rate", SHAPE_INT, put_rate, .about = "1/10000"),
	C_END
};
static const struct view collection_view =
    VIEW(collection, "BillCollection");

static const char *const ages[] = { "not_due", "d0_30", "d31_90", "d91_365",
    "more", NULL };

struct arrears {
	int64_t		 rank;
	const char	*age;
	int64_t		 bills;
	int64_t		 open_fen;
	int64_t		 disputed_fen;
};

static const struct view_column arrears_columns[] = {
	C_INT(arrears, rank, .flags = VIEW_HIDDEN),
	C_CODE(arrears, age, ages, .about = "days after the due day"),
	C_INT(arrears, bills),
	C_FEN(arrears, open_fen, .about = "principal, not doubted"),
	C_FEN(arrears, disputed_fen),
	C_END
};
static const struct view arrears_view = VIEW(arrears, "BillArrears");

#define COLLECTION(id, name)						\
	"SELECT " id " AS place_id, MAX(" name ") AS place,"		\
	" COUNT(*) AS bills,"						\
	" COUNT(CASE WHEN b.state IN ('paid', 'waived') THEN 1 END)"	\
	" AS paid_bills, CAST(SUM(b.billed_fen) AS BIGINT) AS billed_fen," \
	" CAST(SUM(b.principal_fen) AS BIGINT) AS principal_fen,"	\
	" CAST(SUM(b.paid_fen) AS BIGINT) AS paid_fen,"			\
	" CAST(SUM(b.late_paid_fen) AS BIGINT) AS late_paid_fen"	\
	" FROM bill b"
#define COLLECTED							\
	" WHERE b.community_id = $1 AND b.payee_id = $2"		\
	" AND b.state <> 'undone' AND b.period >= $3 AND b.period <= $4"
#define DWELLING							\
	" LEFT JOIN place d ON d.community_id = b.community_id"		\
	" AND d.id = b.dwelling_id"

enum { REPORT_ALL, REPORT_COMPOUND, REPORT_BUILDING, REPORT_ARREARS,
	REPORT_SQL_MAX };

static struct stmt report_sql[] = {
	[REPORT_ALL] = { RO, 4, &collection_view,
	    COLLECTION("CAST(NULL AS BIGINT)", "CAST(NULL AS TEXT)")
	    COLLECTED " HAVING COUNT(*) > 0", NULL, 0 },
	[REPORT_COMPOUND] = { RO, 4, &collection_view,
	    COLLECTION("c.id", "c.name") DWELLING
	    " LEFT JOIN place c ON c.community_id = d.community_id"
	    " AND c.id = d.compound_id" COLLECTED
	    " GROUP BY c.id ORDER BY c.id NULLS LAST LIMIT 1000", NULL, 0 },
	[REPORT_BUILDING] = { RO, 4, &collection_view,
	    COLLECTION("g.id", "g.full_name") DWELLING
	    " LEFT JOIN place n ON n.community_id = d.community_id"
	    " AND n.id = d.parent_id"
	    " LEFT JOIN place g ON g.community_id = n.community_id"
	    " AND g.id = n.parent_id" COLLECTED
	    " GROUP BY g.id ORDER BY g.id NULLS LAST LIMIT 1000", NULL, 0 },
	[REPORT_ARREARS] = { RO, 3, &arrears_view,
	    "SELECT x.rank, CASE x.rank WHEN 0 THEN 'not_due'"
	    " WHEN 1 THEN 'd0_30' WHEN 2 THEN 'd31_90' WHEN 3 THEN 'd91_365'"
	    " ELSE 'more' END AS age, COUNT(DISTINCT x.bill_id) AS bills,"
	    " CAST(SUM(CASE WHEN x.dispute_id IS NULL THEN x.amount_fen"
	    " ELSE 0 END) AS BIGINT) AS open_fen,"
	    " CAST(SUM(CASE WHEN x.dispute_id IS NULL THEN 0"
	    " ELSE x.amount_fen END) AS BIGINT) AS disputed_fen"
	    " FROM (SELECT l.bill_id, l.dispute_id, l.amount_fen,"
	    " CASE WHEN b.due_day >= $3 THEN 0"
	    " WHEN b.due_day >= $3 - 30 THEN 1"
	    " WHEN b.due_day >= $3 - 90 THEN 2"
	    " WHEN b.due_day >= $3 - 365 THEN 3 ELSE 4 END AS rank"
	    " FROM bill b JOIN bill_line l"
	    " ON l.community_id = b.community_id AND l.bill_id = b.id"
	    " AND l.payment_id IS NULL AND l.amount_fen > 0"
	    " WHERE b.community_id = $1 AND b.payee_id = $2"
	    " AND b.state IN ('open', 'disputed')) x"
	    " GROUP BY x.rank ORDER BY x.rank", NULL, 0 },
};

/* The period that was asked for; `usual` when none was. */
static enum err
period(struct req *rq, const char *field, const char *text,
    const char *usual, char out[BILL_PERIOD_MAX])
{
	if (text == NULL)
		text = usual;
	return bill_cell_period(text, out) ? OK : req_field(rq, field,
	    "format", "账期请写成 2026-10 这样的年月。");
}

static enum err
report_collection(struct req *rq)
{
	static const int	which[] = { REPORT_ALL, REPORT_COMPOUND,
				    REPORT_BUILDING };
	const struct collection_in *in = rq->in;
	char			from[BILL_PERIOD_MAX], to[BILL_PERIOD_MAX];
	struct payee		payee;
	enum err		e;

	if ((e = payee_mine(rq, in->id, &payee)) != OK ||
	    (e = period(rq, "from", in->from, "2000-01", from)) != OK ||
	    (e = period(rq, "to", in->to, "2100-12", to)) != OK)
		return e;
	return req_list(rq, &report_sql[which[in->by]],
	    WITH(V(rq->who.community_id), V(in->id),
	    V((const char *)from), V((const char *)to)), 0);
}

static enum err
report_arrears(struct req *rq)
{
	const struct arrears_in	*in = rq->in;
	struct payee		 payee;
	enum err		 e;

	if ((e = payee_mine(rq, in->id, &payee)) != OK)
		return e;
	return req_list(rq, &report_sql[REPORT_ARREARS],
	    WITH(V(rq->who.community_id), V(in->id), V(bill_day(rq->now))),
	    0);
}

static const struct route report_routes[] = {
	{ GET, "/api/v1/payees/{id}/reports/collection", BILL_STAFF_ROLES,
	    &collection_shape,
	    REPLY_LIST, &collection_view, 200, POOL_API, TX_READ,
	    report_collection, "What came in, by compound or building" },
	{ GET, "/api/v1/payees/{id}/reports/arrears", BILL_STAFF_ROLES,
	    &arrears_shape,
	    REPLY_LIST, &arrears_view, 200, POOL_API, TX_READ,
	    report_arrears, "What is overdue, by age" },
	{ 0 }
};

void
bill_report_register(void)
{
	db_register(report_sql, REPORT_SQL_MAX);
	route_register("bills", report_routes);
}
