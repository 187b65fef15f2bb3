/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_account.c -- whose water account it is, and what is in it.
 *
 * See water_account.h for the rule of sharing.  Another household's and
 * another station's accounts read as absent.
 */
#include "base/arena.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/service.h"
#include "service/water.h"
#include "service/water_account.h"

struct account_query {
	int64_t		 station_id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field account_query_fields[] = {
	F_ID(account_query, station_id, "水站", MUST),
	F_PAGE(account_query),
	F_END
};
static const struct shape account_query_shape =
    SHAPE(account_query, "WaterAccountQuery");

struct account_id {
	int64_t		 id;
};

static const struct field account_id_fields[] = {
	F_ID(account_id, id, "水账户", MUST),
	F_END
};
static const struct shape account_id_shape =
    SHAPE(account_id, "WaterAccountId");

static const struct view_column water_account_columns[] = {
	C_ID(water_account, id),
	C_ID(water_account, station_id),
	C_TEXT(water_account, station),
	C_ID(water_account, dwelling_id),
	C_TEXT(water_account, place),
	C_BOOL(water_account, shared, .about = "by all of the household"),
	C_INT(water_account, tickets_real, .about = "paid for, free to use"),
	C_INT(water_account, tickets_gift, .about = "given on top"),
	C_INT(water_account, tickets_held, .about = "for open orders"),
	C_FEN(water_account, prepaid_fen,
	    .about = "what the tickets paid for are worth, held ones too"),
	C_INT(water_account, barrels, .about = "of the station, at home"),
	C_FEN(water_account, deposit_fen),
	C_TIME(water_account, created_at),
	C_END
};
const struct view water_account_view = VIEW(water_account, "WaterAccount");

/* An account's row as it is taken. */
struct account_row {
	int64_t		 id;
};

static const struct view_column account_row_columns[] = {
	C_ID(account_row, id),
	C_END
};
static const struct view account_row_view =
    VIEW(account_row, "WaterAccountRow");

struct account_home {
	int64_t		 household_id;
};

static const struct view_column account_home_columns[] = {
	C_ID(account_home, household_id),
	C_END
};
static const struct view account_home_view =
    VIEW(account_home, "WaterAccountHome");

#define OWN_BALANCE(kind)						\
	" COALESCE((SELECT l.balance FROM ledger_account l"		\
	" WHERE l.community_id = a.community_id"			\
	" AND l.owner = 'water_account' AND l.owner_id = a.id"		\
	" AND l.kind = '" kind "'), 0)"

#define BOOKS_SUM(kinds)						\
	" (SELECT CAST(COALESCE(SUM(l.balance), 0) AS BIGINT)"		\
	" FROM water_book b JOIN ledger_account l"			\
	" ON l.community_id = b.community_id"				\
	" AND l.owner = 'water_book' AND l.owner_id = b.id"		\
	" AND l.kind IN (" kinds ")"					\
	" WHERE b.community_id = a.community_id"			\
	" AND b.account_id = a.id)"

#define ACCOUNT_SELECT							\
	"SELECT a.id, a.station_id, o.name AS station, a.dwelling_id,"	\
	" p.full_name AS place, CASE WHEN a.household_id IS NULL"	\
	" THEN 0 ELSE 1 END AS shared,"					\
	BOOKS_SUM("'real'") " AS tickets_real,"				\
	BOOKS_SUM("'gift'") " AS tickets_gift,"				\
	BOOKS_SUM("'held_real', 'held_gift'") " AS tickets_held,"	\
	BOOKS_SUM("'prepaid'") " AS prepaid_fen,"			\
	OWN_BALANCE("barrels") " AS barrels,"				\
	OWN_BALANCE("deposit") " AS deposit_fen, a.created_at"		\
	" FROM water_account a"						\
	" JOIN org o ON o.community_id = a.community_id"		\
	" AND o.id = a.station_id"					\
	" JOIN place p ON p.community_id = a.community_id"		\
	" AND p.id = a.dwelling_id"

enum { ACCOUNT_HOME, ACCOUNT_OWN, ACCOUNT_SHARED, ACCOUNT_LOCK, ACCOUNT_MAKE,
	ACCOUNT_SHARE, ACCOUNT_BOOKS, ACCOUNT_CLOSE, ACCOUNT_MINE,
	ACCOUNT_STATION, ACCOUNT_ONE, ACCOUNT_CHECK_HELD,
	ACCOUNT_CHECK_WORTH, ACCOUNT_CHECK_DEPOSIT, ACCOUNT_SQL_MAX };

static struct stmt account_sql[] = {
	[ACCOUNT_HOME] = { RO, 3, &account_home_view,
	    "SELECT household_id FROM home WHERE community_id = $1"
	    " AND owner_id = $2 AND dwelling_id = $3 AND state = 'bound'"
	    " AND household_id IS NOT NULL ORDER BY id LIMIT 1", NULL, 0 },
	[ACCOUNT_OWN] = { RW, 4, &account_row_view,
	    "UPDATE water_account SET moves = moves + 1"
	    " WHERE community_id = $1 AND station_id = $2"
	    " AND user_id = $3 AND dwelling_id = $4"
	    " AND household_id IS NULL AND closed_at IS NULL RETURNING id",
	    NULL, 0 },
	[ACCOUNT_SHARED] = { RW, 3, &account_row_view,
	    "UPDATE water_account SET moves = moves + 1"
	    " WHERE community_id = $1 AND station_id = $2"
	    " AND household_id = $3 AND closed_at IS NULL RETURNING id",
	    NULL, 0 },
	[ACCOUNT_LOCK] = { RW, 2, &account_row_view,
	    "UPDATE water_account SET moves = moves + 1"
	    " WHERE community_id = $1 AND id = $2 RETURNING id", NULL, 0 },
	[ACCOUNT_MAKE] = { RW, 7, NULL,
	    "INSERT INTO water_account (community_id, id, station_id,"
	    " user_id, dwelling_id, household_id, moves, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 0, $7)"
	    " ON CONFLICT DO NOTHING", NULL, 0 },
	[ACCOUNT_SHARE] = { RW, 3, NULL,
	    "UPDATE water_account SET household_id = $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[ACCOUNT_BOOKS] = { RW, 3, NULL,
	    "UPDATE water_book SET account_id = $3"
	    " WHERE community_id = $1 AND account_id = $2", NULL, 0 },
	[ACCOUNT_CLOSE] = { RW, 3, NULL,
	    "UPDATE water_account SET closed_at = $3"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[ACCOUNT_MINE] = { RO, 2, &water_account_view,
	    ACCOUNT_SELECT " WHERE" WATER_MINE("a")
	    " AND a.closed_at IS NULL ORDER BY a.id",
	    NULL, 0 },
	[ACCOUNT_STATION] = { RO, 5, &water_account_view,
	    ACCOUNT_SELECT " WHERE a.community_id = $1"
	    " AND a.closed_at IS NULL AND a.station_id = $3 AND"
	    WATER_WORKS("a.station_id", "")
	    " AND a.id > $4 ORDER BY a.id LIMIT $5", NULL, 0 },
	[ACCOUNT_ONE] = { RO, 3, &water_account_view,
	    ACCOUNT_SELECT " WHERE a.community_id = $1 AND a.id = $3"
	    " AND" WATER_WORKS("a.station_id", ""), NULL, 0 },

	/* An order by ticket holds them exactly while it is open. */
	[ACCOUNT_CHECK_HELD] = { RO, 0, &ledger_fault_view,
	    "SELECT o.community_id, o.id FROM water_order o"
	    " LEFT JOIN ledger_entry h ON h.community_id = o.community_id"
	    " AND h.thing = 'water_order' AND h.thing_id = o.id"
	    " AND h.kind = '" WATER_HOLD "'"
	    " LEFT JOIN ledger_entry s ON s.community_id = o.community_id"
	    " AND s.thing = 'water_order' AND s.thing_id = o.id"
	    " AND s.kind = '" WATER_SPEND "'"
	    " LEFT JOIN ledger_entry b ON b.community_id = o.community_id"
	    " AND b.thing = 'water_order' AND b.thing_id = o.id"
	    " AND b.kind = '" WATER_BACK "'"
	    " WHERE o.payment = 'ticket' AND (h.id IS NULL"
	    " OR (o.state IN ('placed', 'accepted', 'delivering')"
	    " AND (s.id IS NOT NULL OR b.id IS NOT NULL))"
	    " OR (o.state IN ('delivered', 'completed')"
	    " AND (s.id IS NULL OR b.id IS NOT NULL))"
	    " OR (o.state IN ('cancelled', 'rejected')"
	    " AND (b.id IS NULL OR s.id IS NOT NULL)))", NULL, 0 },
	/* What is prepaid belongs to tickets, and they to what was sold. */
	[ACCOUNT_CHECK_WORTH] = { RO, 0, &ledger_fault_view,
	    "SELECT b.community_id, b.id FROM water_book b"
	    " LEFT JOIN ledger_account l ON l.community_id = b.community_id"
	    " AND l.owner = 'water_book' AND l.owner_id = b.id"
	    " GROUP BY b.community_id, b.id, b.paid, b.gift, b.price_fen"
	    " HAVING SUM(CASE WHEN l.kind IN ('real', 'held_real')"
	    " THEN l.balance ELSE 0 END) > b.paid"
	    " OR SUM(CASE WHEN l.kind IN ('gift', 'held_gift')"
	    " THEN l.balance ELSE 0 END) > b.gift"
	    " OR SUM(CASE WHEN l.kind = 'prepaid'"
	    " THEN l.balance ELSE 0 END) > b.price_fen"
	    " OR (SUM(CASE WHEN l.kind = 'prepaid'"
	    " THEN l.balance ELSE 0 END) > 0"
	    " AND SUM(CASE WHEN l.kind IN ('real', 'held_real')"
	    " THEN l.balance ELSE 0 END) = 0)", NULL, 0 },
	[ACCOUNT_CHECK_DEPOSIT] = { RO, 0, &ledger_fault_view,
	    "SELECT d.community_id, d.owner_id AS id FROM ledger_account d"
	    " LEFT JOIN ledger_account n ON n.community_id = d.community_id"
	    " AND n.owner = d.owner AND n.owner_id = d.owner_id"
	    " AND n.kind = 'barrels' WHERE d.owner = 'water_account'"
	    " AND d.kind = 'deposit' AND d.balance > 0"
	    " AND COALESCE(n.balance, 0) = 0", NULL, 0 },
};

static const struct ledger_check account_checks[] = {
	{ "an order's tickets are not held, spent or back as its state asks",
	    &account_sql[ACCOUNT_CHECK_HELD] },
	{ "a ticket book has more than was sold",
	    &account_sql[ACCOUNT_CHECK_WORTH] },
	{ "a deposit is left without a barrel",
	    &account_sql[ACCOUNT_CHECK_DEPOSIT] },
	{ NULL, NULL }
};

/* ---- the ledger's names ---- */

struct ledger_key
water_key_account(int64_t id, const char *kind)
{
	return (struct ledger_key){ "water_account", id, kind,
	    kind[0] == 'b' ? LEDGER_BARREL : LEDGER_FEN, true };
}

struct ledger_key
water_key_book(int64_t id, const char *kind)
{
	return (struct ledger_key){ "water_book", id, kind,
	    kind[0] == 'p' ? LEDGER_FEN : LEDGER_TICKET, true };
}

struct ledger_key
water_key_station(int64_t id, const char *kind)
{
	return (struct ledger_key){ "org", id, kind, kind[0] == 't' ?
	    LEDGER_TICKET : kind[0] == 'b' ? LEDGER_BARREL : LEDGER_FEN,
	    false };
}

struct ledger_entry *
water_account_entry(struct req *rq, const char *kind, const char *thing,
    int64_t thing_id)
{
	struct ledger_entry	*entry;

	entry = ARENA_NEW(rq->arena, struct ledger_entry);
	entry->community_id = rq->who.community_id;
	entry->kind = kind;
	entry->thing = thing;
	entry->thing_id = thing_id;
	entry->at = rq->now;
	entry->by_id = req_caller(rq);
	return entry;
}

enum err
water_account_post(struct req *rq, const struct ledger_entry *entry)
{
	return ledger_post(rq->db, rq->arena, entry);
}

/* ---- whose ---- */

enum err
water_account_lock(struct req *rq, int64_t id)
{
	struct account_row	row;

	return db_one(rq->db, rq->arena, &account_sql[ACCOUNT_LOCK],
	    WITH(V(rq->who.community_id), V(id)), &row);
}

/* Take the resident's own (household 0) or the household's; 0: none. */
static enum err
lock_one(struct req *rq, int64_t station_id, int64_t user_id,
    int64_t dwelling_id, int64_t household_id, int64_t *ret_id)
{
	struct account_row	row = { 0 };
	enum err		e;

	if (household_id != 0)
		e = db_one(rq->db, rq->arena, &account_sql[ACCOUNT_SHARED],
		    WITH(V(rq->who.community_id), V(station_id),
		    V(household_id)), &row);
	else
		e = db_one(rq->db, rq->arena, &account_sql[ACCOUNT_OWN],
		    WITH(V(rq->who.community_id), V(station_id), V(user_id),
		    V(dwelling_id)), &row);
	*ret_id = e == OK ? row.id : 0;
	return e == ERR_ABSENT ? OK : e;
}

/* Make it; of two at once the other's is taken. */
static enum err
make_one(struct req *rq, int64_t station_id, int64_t user_id,
    int64_t dwelling_id, int64_t household_id, int64_t *ret_id)
{
	enum err	e;

	e = db_run(rq->db, &account_sql[ACCOUNT_MAKE],
	    WITH(V(rq->who.community_id), V(id_new()), V(station_id),
	    V(user_id), V(dwelling_id),
	    household_id != 0 ? V(household_id) : VNULL, V(rq->now)), NULL);
	if (e != OK)
		return e;
	e = lock_one(rq, station_id, user_id, dwelling_id, household_id,
	    ret_id);
	/* It was merged in this very moment. */
	return e == OK && *ret_id == 0 ? ERR_AGAIN : e;
}

/* Move all of account `from` to `to`. */
static enum err
merge(struct req *rq, int64_t from, int64_t to)
{
	static const char *const kinds[] = { "barrels", "deposit", NULL };
	struct ledger_entry	*entry;
	int64_t			 n;
	enum err		 e;
	int			 i;

	entry = water_account_entry(rq, WATER_MERGE, "water_account", from);
	for (i = 0; kinds[i] != NULL; i++) {
		e = ledger_balance(rq->db, rq->arena, rq->who.community_id,
		    water_key_account(from, kinds[i]), &n);
		if (e != OK)
			return e;
		ledger_add(entry, water_key_account(from, kinds[i]), -n);
		ledger_add(entry, water_key_account(to, kinds[i]), n);
	}
	if (entry->n > 0 && (e = water_account_post(rq, entry)) != OK)
		return e;
	e = db_run(rq->db, &account_sql[ACCOUNT_BOOKS],
	    WITH(V(rq->who.community_id), V(from), V(to)), NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &account_sql[ACCOUNT_CLOSE],
	    WITH(V(rq->who.community_id), V(from), V(rq->now)), NULL);
}

/* The household's, with what was the resident's own. */
static enum err
take_shared(struct req *rq, int64_t station_id, int64_t user_id,
    int64_t dwelling_id, int64_t household_id, int64_t *ret_id)
{
	int64_t		own;
	enum err	e;

	if ((e = lock_one(rq, station_id, user_id, dwelling_id, 0,
	    &own)) != OK ||
	    (e = lock_one(rq, station_id, user_id, dwelling_id,
	    household_id, ret_id)) != OK)
		return e;
	if (own != 0 && *ret_id != 0)
		return merge(rq, own, *ret_id);
	if (*ret_id != 0)
		return OK;
	if (own == 0)
		return make_one(rq, station_id, user_id, dwelling_id,
		    household_id, ret_id);
	*ret_id = own;
	e = db_run(rq->db, &account_sql[ACCOUNT_SHARE],
	    WITH(V(rq->who.community_id), V(own), V(household_id)), NULL);
	/* Another of the household was faster: then merge with theirs. */
	return e == ERR_UNIQUE ? ERR_AGAIN : e;
}

enum err
water_account_take(struct req *rq, int64_t station_id, int64_t user_id,
    int64_t dwelling_id, int64_t *ret_id)
{
	struct account_home	home;
	enum err		e;

	e = db_one(rq->db, rq->arena, &account_sql[ACCOUNT_HOME],
	    WITH(V(rq->who.community_id), V(user_id), V(dwelling_id)),
	    &home);
	if (e == OK)
		return take_shared(rq, station_id, user_id, dwelling_id,
		    home.household_id, ret_id);
	if (e != ERR_ABSENT)
		return e;
	e = lock_one(rq, station_id, user_id, dwelling_id, 0, ret_id);
	if (e != OK || *ret_id != 0)
		return e;
	return make_one(rq, station_id, user_id, dwelling_id, 0, ret_id);
}

/* ---- routes ---- */

enum err
water_account_answer(struct req *rq, int64_t id)
{
	struct water_account	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &account_sql[ACCOUNT_ONE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
account_mine(struct req *rq)
{
	return req_list(rq, &account_sql[ACCOUNT_MINE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), 0);
}

static enum err
account_station(struct req *rq)
{
	const struct account_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &account_sql[ACCOUNT_STATION],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->station_id), V(in->after), V(limit + 1)), limit);
}

static enum err
account_one(struct req *rq)
{
	const struct account_id	*in = rq->in;

	return water_account_answer(rq, in->id);
}

#define STAFF	(ROLE_MERCHANT | ROLE_COURIER)

static const struct route account_routes[] = {
	{ GET, "/api/v1/water/account",
	    ROLE_RESIDENT | ACT_WATER | ACT_READ, NULL,
	    REPLY_LIST, &water_account_view, 200, POOL_API, TX_READ,
	    account_mine, "My household's water accounts, one a station" },
	{ GET, "/api/v1/station/accounts", STAFF, &account_query_shape,
	    REPLY_LIST, &water_account_view, 200, POOL_API, TX_READ,
	    account_station, "Water accounts with a station of mine" },
	{ GET, "/api/v1/station/accounts/{id}", STAFF, &account_id_shape,
	    REPLY_ONE, &water_account_view, 200, POOL_API, TX_READ,
	    account_one, "One water account with my station" },
	{ 0 }
};

void
water_account_register(void)
{
	water_book_register();
	water_book_buy_register();
	water_ticket_register();
	water_barrel_register();
	water_ledger_register();
	db_register(account_sql, ACCOUNT_SQL_MAX);
	ledger_check_register(account_checks);
	route_register("water", account_routes);
}
