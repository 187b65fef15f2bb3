/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_ledger.c -- every line of a water account, explained.
 *
 * The lines are the ledger's own.  Tickets are kept book by book; the
 * balance shown is that of all books of the account together, as it was
 * after the line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "http/req.h"
#include "service/water.h"
#include "service/water_account.h"

struct ledger_query {
	int64_t		 account_id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field ledger_query_fields[] = {
	F_ID(ledger_query, account_id, "水账户", MAY),
	F_PAGE(ledger_query),
	F_END
};
static const struct shape ledger_query_shape =
    SHAPE(ledger_query, "WaterLedgerQuery");

struct ledger_page {
	int64_t		 id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field ledger_page_fields[] = {
	F_ID(ledger_page, id, "水账户", MUST),
	F_PAGE(ledger_page),
	F_END
};
static const struct shape ledger_page_shape =
    SHAPE(ledger_page, "WaterLedgerPage");

static const char *const event_names[] = { WATER_SALE, WATER_HOLD,
    WATER_SPEND, WATER_BACK, WATER_REFUND, WATER_DELIVERY, WATER_RETURN,
    WATER_MERGE, NULL };
static const char *const kind_names[] = { "tickets_real", "tickets_gift",
    "tickets_held", "prepaid", "barrels", "deposit", NULL };
static const char *const units[] = { LEDGER_FEN, LEDGER_BARREL,
    LEDGER_TICKET, NULL };
static const char *const things[] = { "water_order", "water_book",
    "water_return", "water_account", NULL };

struct water_entry {
	int64_t		 id;
	int64_t		 account_id;
	int64_t		 entry_id;
	int64_t		 at;
	const char	*event;
	const char	*kind;
	const char	*unit;
	int64_t		 amount;
	int64_t		 balance;
	const char	*thing;
	int64_t		 thing_id;
};

/* What to say of a line; %s is its amount without sign. */
struct saying {
	const char	*event;
	const char	*kind;
	int		 sign;
	const char	*text;
};

static const struct saying sayings[] = {
	{ WATER_SALE, "tickets_real", 1, "购买水票 %s 张" },
	{ WATER_SALE, "tickets_gift", 1, "购买水票，赠送 %s 张" },
	{ WATER_SALE, "prepaid", 1, "购买水票，付款 %s 元" },
	{ WATER_HOLD, "tickets_real", -1, "下单，留出水票 %s 张" },
	{ WATER_HOLD, "tickets_gift", -1,
	    "下单，留出赠票 %s 张（付款的票先用）" },
	{ WATER_HOLD, "tickets_held", 1, "为订单留着水票 %s 张" },
	{ WATER_SPEND, "tickets_held", -1, "水已送到，用去水票 %s 张" },
	{ WATER_SPEND, "prepaid", -1, "水已送到，水票抵付 %s 元" },
	{ WATER_BACK, "tickets_held", -1, "订单未送水，不再留水票 %s 张" },
	{ WATER_BACK, "tickets_real", 1, "订单未送水，退回水票 %s 张" },
	{ WATER_BACK, "tickets_gift", 1, "订单未送水，退回赠票 %s 张" },
	{ WATER_REFUND, "tickets_real", -1, "退水票 %s 张" },
	{ WATER_REFUND, "tickets_gift", -1, "退水票，赠票 %s 张一并作废" },
	{ WATER_REFUND, "prepaid", -1, "退水票，退还 %s 元" },
	{ WATER_DELIVERY, "barrels", 1, "送到满桶 %s 只" },
	{ WATER_DELIVERY, "barrels", -1, "收回空桶 %s 只" },
	{ WATER_DELIVERY, "deposit", 1, "空桶不够换，收押金 %s 元" },
	{ WATER_DELIVERY, "deposit", -1, "多还了空桶，退押金 %s 元" },
	{ WATER_RETURN, "barrels", -1, "退还空桶 %s 只" },
	{ WATER_RETURN, "deposit", -1, "退还空桶，退押金 %s 元" },
	{ WATER_MERGE, "barrels", 1, "并入家庭水账户，水桶 %s 只" },
	{ WATER_MERGE, "barrels", -1, "转到家庭水账户，水桶 %s 只" },
	{ WATER_MERGE, "deposit", 1, "并入家庭水账户，押金 %s 元" },
	{ WATER_MERGE, "deposit", -1, "转到家庭水账户，押金 %s 元" },
	{ NULL, NULL, 0, NULL }
};

static void
line_text(struct json *j, const struct req *rq, const void *row)
{
	const struct water_entry	*l = row;
	const struct saying		*s;
	char				 n[MONEY_TEXT_MAX], text[160];
	int64_t				 amount = llabs(l->amount);
	const char			*at;

	(void)rq;
	if (strcmp(l->unit, LEDGER_FEN) == 0)
		money_text(amount, n);
	else
		snprintf(n, sizeof(n), "%" PRId64, amount);
	for (s = sayings; s->event != NULL; s++)
		if (strcmp(s->event, l->event) == 0 &&
		    strcmp(s->kind, l->kind) == 0 &&
		    (s->sign > 0) == (l->amount > 0))
			break;
	if (s->event == NULL) {
		json_text(j, n);
		return;
	}
	at = strstr(s->text, "%s");
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - s->text),
	    s->text, n, at + strlen("%s"));
	json_text(j, text);
}

static const struct view_column water_entry_columns[] = {
	C_ID(water_entry, id),
	C_ID(water_entry, account_id),
	C_ID(water_entry, entry_id, .about = "lines that happened at once"),
	C_TIME(water_entry, at),
	C_CODE(water_entry, event, event_names),
	C_CODE(water_entry, kind, kind_names, .about = "what changed"),
	C_CODE(water_entry, unit, units),
	C_INT(water_entry, amount, .about = "more above 0, less below"),
	C_INT(water_entry, balance, .about = "of this kind, after it"),
	C_CODE(water_entry, thing, things),
	C_ID(water_entry, thing_id),
	C_CALC("text", SHAPE_TEXT, line_text, .about = "in Chinese"),
	C_END
};
static const struct view water_entry_view =
    VIEW(water_entry, "WaterLedgerLine");

/*
 * All lines of the accounts that `which` chooses, with running balances.
 * A book's lines stand in the account that has the book now.  The joins
 * are crossed because SQLite then goes from the accounts to their lines,
 * and not through all lines of the community.
 */
#define LINE_OF_G							\
	" AND l.community_id = g.community_id AND l.account_id = g.id"	\
	" AND e.community_id = l.community_id AND e.id = l.entry_id"
#define LINES(which)							\
	"SELECT id, account_id, entry_id, at, event, kind, unit, amount," \
	" CAST(SUM(amount) OVER (PARTITION BY account_id, kind"		\
	" ORDER BY id) AS BIGINT) AS balance, thing, thing_id FROM"	\
	" (SELECT l.id, a.id AS account_id, l.entry_id, e.at,"		\
	" e.kind AS event, g.kind, l.unit, l.amount, e.thing,"		\
	" e.thing_id FROM water_account a CROSS JOIN ledger_account g"	\
	" CROSS JOIN ledger_line l CROSS JOIN ledger_entry e WHERE"	\
	which " AND g.community_id = a.community_id"			\
	" AND g.owner = 'water_account' AND g.owner_id = a.id"		\
	LINE_OF_G							\
	" UNION ALL SELECT l.id, a.id AS account_id, l.entry_id, e.at,"	\
	" e.kind AS event, CASE g.kind WHEN 'real' THEN 'tickets_real'"	\
	" WHEN 'gift' THEN 'tickets_gift' WHEN 'prepaid'"		\
	" THEN 'prepaid' ELSE 'tickets_held' END AS kind, l.unit,"	\
	" l.amount, e.thing, e.thing_id FROM water_account a"		\
	" CROSS JOIN water_book b CROSS JOIN ledger_account g"		\
	" CROSS JOIN ledger_line l CROSS JOIN ledger_entry e WHERE"	\
	which " AND b.community_id = a.community_id"			\
	" AND b.account_id = a.id AND g.community_id = b.community_id"	\
	" AND g.owner = 'water_book' AND g.owner_id = b.id"		\
	LINE_OF_G ") one"

#define PAGE(which, n3, n4)						\
	"SELECT * FROM (" LINES(which) ") lines"			\
	" WHERE (CAST(" n3 " AS BIGINT) = 0 OR id < " n3 ")"		\
	" ORDER BY id DESC LIMIT " n4

enum { LINES_MINE, LINES_STATION, LINES_SQL_MAX };

static struct stmt lines_sql[] = {
	[LINES_MINE] = { RO, 5, &water_entry_view,
	    PAGE(WATER_MINE("a") " AND (CAST($3 AS BIGINT) = 0"
	    " OR a.id = $3)", "$4", "$5"), NULL, 0 },
	[LINES_STATION] = { RO, 5, &water_entry_view,
	    PAGE(" a.community_id = $1 AND"
	    WATER_WORKS("a.station_id", "") " AND a.id = $3", "$4", "$5"),
	    NULL, 0 },
};

static enum err
ledger_mine(struct req *rq)
{
	const struct ledger_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &lines_sql[LINES_MINE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->account_id), V(in->after), V(limit + 1)), limit);
}

static enum err
ledger_station(struct req *rq)
{
	const struct ledger_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &lines_sql[LINES_STATION],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    V(in->after), V(limit + 1)), limit);
}

static const struct route ledger_routes[] = {
	{ GET, "/api/v1/water/ledger",
	    ROLE_RESIDENT | ACT_WATER | ACT_READ, &ledger_query_shape,
	    REPLY_LIST, &water_entry_view, 200, POOL_API, TX_READ,
	    ledger_mine, "Every line of my water accounts, newest first" },
	{ GET, "/api/v1/station/accounts/{id}/ledger",
	    ROLE_MERCHANT | ROLE_COURIER, &ledger_page_shape,
	    REPLY_LIST, &water_entry_view, 200, POOL_API, TX_READ,
	    ledger_station, "Every line of an account with my station" },
	{ 0 }
};

void
water_ledger_register(void)
{
	db_register(lines_sql, LINES_SQL_MAX);
	route_register("water", ledger_routes);
}
