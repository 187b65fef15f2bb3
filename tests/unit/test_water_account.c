/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_water_account.c -- ten thousand things that happen to twelve
 * residents and one station, four at a time, by the product's own handlers;
 * then all is added up from the lines and compared with what orders and
 * books say.
 *
 * The seed is printed; PLANET_TEST_SEED repeats the choices (not their
 * interleaving), PLANET_TEST_OPS their number.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "http/req.h"

#include "ledger_rig.h"
#include "servers.h"

#define THREADS	4
#define OPS	10000
#define THINGS	100000	/* orders and books remembered */

static struct server	 server;
static uint64_t		 seed;
static int		 ops = OPS;

/* What all threads may act upon: two may choose the same. */
static pthread_mutex_t	 lock = PTHREAD_MUTEX_INITIALIZER;
static struct known {
	int64_t		 id, owner;
}			 orders[THINGS], books[THINGS];
static int		 norders, nbooks;

static atomic_int	 left, done[8], refused[8], wrong;
static atomic_llong	 brought_back;	/* barrels by `returns` */

struct hand {			/* one thread */
	struct req	 rq;
	struct buf	 out;
	uint64_t	 dice;
};

/* splitmix64, so that a failure can be tried again. */
static int64_t
dice(struct hand *h, int64_t n)
{
	uint64_t	z = h->dice += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (int64_t)((z ^ z >> 31) % (uint64_t)n);
}

static enum err
call_handler(struct req *rq, void *arg)
{
	(void)arg;
	return rq->route->handler(rq);
}

/* As the dispatcher does it, without session and network. */
static enum err
act(struct hand *h, int64_t user, const char *path, const char *body)
{
	struct req	*rq = &h->rq;
	enum err	 e;

	req_reset(rq);
	rq->given = rq->nulls = 0;
	rq->method = POST;
	rq->path = path;
	rq->query = "";
	rq->content_type = "application/json";
	rq->body = body;
	rq->body_len = strlen(body);
	rq->now = rig_now;
	rq->deadline = clock_mono_us() + 30000000;
	rq->who = (struct session){ .user_id = user,
	    .community_id = RIG_COMMUNITY, .roles = user == RIG_KEEPER ?
	    ROLE_MERCHANT | ROLE_COURIER : ROLE_RESIDENT };
	if ((e = route_find(POST, path, &rq->match)) != OK)
		return e;
	rq->route = rq->match.route;
	if ((e = field_decode(rq)) != OK)
		return e;
	return req_transact(rq, call_handler, NULL);
}

/* The first "id" of the reply; 0 when there is none. */
static int64_t
reply_id(struct hand *h)
{
	const char	*at = strstr(buf_text(&h->out), "\"id\":\"");
	int64_t		 id = 0;

	for (at += at != NULL ? 6 : 0; at != NULL && *at >= '0' &&
	    *at <= '9'; at++)
		id = id * 10 + (*at - '0');
	return id;
}

static void
remember(struct known *list, int *n, int64_t id, int64_t owner)
{
	pthread_mutex_lock(&lock);
	if (*n < THINGS)
		list[(*n)++] = (struct known){ id, owner };
	pthread_mutex_unlock(&lock);
}

/* One of those of late; id 0 when there is none. */
static struct known
any_of(struct hand *h, const struct known *list, const int *n)
{
	struct known	one = { 0, 0 };
	int64_t		late;

	pthread_mutex_lock(&lock);
	late = *n < 24 ? *n : 24;
	if (late > 0)
		one = list[*n - 1 - dice(h, late)];
	pthread_mutex_unlock(&lock);
	return one;
}

/* A body or a query; holds until the hand's next act. */
#define text(h, ...)	arena_fmt((h)->rq.arena, __VA_ARGS__)

static int
product(struct hand *h)
{
	static const int	ids[] = { RIG_BIG, RIG_OTHER, RIG_SMALL };

	return ids[dice(h, 7) / 3];
}

static enum err
sell(struct hand *h)
{
	int64_t		owner = 1 + dice(h, RIG_RESIDENTS);
	int64_t		paid = dice(h, 6), gift = dice(h, 4);
	enum err	e;

	if (paid + gift == 0)
		gift = 1;
	e = act(h, RIG_KEEPER, "/api/v1/station/ticket-books", text(h,
	    "{\"address_id\":\"%d\",\"product_id\":\"%d\",\"paid\":%d,"
	    "\"gift\":%d,\"price_fen\":%d,\"received\":\"cash\"}",
	    (int)(100 + owner), product(h), (int)paid,
	    (int)gift, paid ? (int)dice(h, 20000) : 0));
	if (e == OK)
		remember(books, &nbooks, reply_id(h), owner);
	return e;
}

static enum err
order(struct hand *h)
{
	int64_t		owner = 1 + dice(h, RIG_RESIDENTS);
	char		items[200];
	enum err	e;

	snprintf(items, sizeof(items),
	    "{\"product_id\":\"%d\",\"quantity\":%d}%s",
	    dice(h, 2) ? RIG_BIG : RIG_OTHER, (int)(1 + dice(h, 3)),
	    dice(h, 5) ? "" :
	    ",{\"product_id\":\"23\",\"quantity\":1}");
	e = act(h, owner, "/api/v1/water/orders", text(h,
	    "{\"station_id\":\"%d\",\"address_id\":\"%d\",\"items\":[%s],"
	    "\"payment\":\"%s\"}", RIG_STATION, (int)(100 + owner), items,
	    dice(h, 4) ? "ticket" : "on_delivery"));
	if (e == OK)
		remember(orders, &norders, reply_id(h), owner);
	return e;
}

static enum err
fire(struct hand *h, int64_t user, int64_t id, const char *event,
    const char *body)
{
	char	path[96];

	snprintf(path, sizeof(path), "/api/v1/water/orders/%lld/%s",
	    (long long)id, event);
	return act(h, user, path, body);
}

static enum err
cancel(struct hand *h)
{
	struct known	o = any_of(h, orders, &norders);

	if (o.id == 0)
		return OK;
	return dice(h, 3) ? fire(h, o.owner, o.id, "cancel", "{}") :
	    fire(h, RIG_KEEPER, o.id, "reject", "{\"reason\":\"x\"}");
}

/* As far to the door as others let it come. */
static enum err
deliver(struct hand *h)
{
	struct known	o = any_of(h, orders, &norders);
	enum err	e;
	int64_t		code;

	if (o.id == 0)
		return OK;
	if ((e = fire(h, RIG_KEEPER, o.id, "accept", "{}")) != OK ||
	    (e = fire(h, RIG_KEEPER, o.id, "deliver", "{}")) != OK)
		return e;
	if (dice(h, 8) == 0)
		return fire(h, o.owner, o.id, "confirm", "{}");
	code = rig_number(h->rq.db, text(h, "SELECT CAST(code AS BIGINT)"
	    " AS n FROM water_order WHERE community_id = 1 AND id = %lld",
	    (long long)o.id));
	if (dice(h, 4) == 0)
		return fire(h, RIG_KEEPER, o.id, "handover", text(h,
		    "{\"code\":\"%04d\"}", (int)code));
	return fire(h, RIG_KEEPER, o.id, "handover", text(h,
	    "{\"code\":\"%04d\",\"empties\":%d}", (int)code,
	    (int)dice(h, 6)));
}

static enum err
bring_back(struct hand *h)
{
	struct known	o = any_of(h, orders, &norders);
	int64_t		n = 1 + dice(h, 3);
	enum err	e;

	if (o.id == 0)
		return OK;
	e = act(h, RIG_KEEPER, "/api/v1/station/returns", text(h,
	    "{\"order_id\":\"%lld\",\"barrels\":%d}", (long long)o.id,
	    (int)n));
	if (e == OK)
		atomic_fetch_add(&brought_back, n);
	return e;
}

static enum err
refund(struct hand *h)
{
	struct known	b = any_of(h, books, &nbooks);
	char		path[96];

	if (b.id == 0)
		return OK;
	snprintf(path, sizeof(path),
	    "/api/v1/station/ticket-books/%lld/refund", (long long)b.id);
	return act(h, RIG_KEEPER, path, "{}");
}

/* A refusal is fine where somebody else was faster or nothing is left. */
static bool
is_fine(enum err e)
{
	return e == OK || e == ERR_SHORT || e == ERR_STATE ||
	    e == ERR_CONFLICT || e == ERR_FIELD;
}

static void *
work(void *arg)
{
	static enum err (*const kinds[])(struct hand *) = { sell, order,
	    deliver, cancel, bring_back, refund };
	static const int often[] = { 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5 };
	struct hand	h = { .dice = *(const uint64_t *)arg };
	int		n, at;
	enum err	e;

	buf_init(&h.out, 1 << 20);
	h.rq.out = &h.out;
	h.rq.arena = arena_new(8 << 20);
	h.rq.conf = rig_conf;
	h.rq.db = rig_db();
	h.rq.address = "127.0.0.1";
	h.rq.request_id = "test";
	while ((at = atomic_fetch_sub(&left, 1)) > 0) {
		/* Half-way two more are bound: what they have is merged. */
		if (at == ops / 2) {
			rig_bind(h.rq.db, 3);
			rig_bind(h.rq.db, 4);
		}
		arena_reset(h.rq.arena);
		n = often[dice(&h, nitems(often))];
		e = kinds[n](&h);
		atomic_fetch_add(e == OK ? &done[n] : &refused[n], 1);
		if (!is_fine(e)) {
			printf("kind %d ended with %s\n", n,
			    err_info(e)->name);
			atomic_fetch_add(&wrong, 1);
		}
	}
	db_close(h.rq.db);
	arena_free(h.rq.arena);
	buf_free(&h.out);
	return NULL;
}

/* Two ways to reckon the same: the difference must be 0. */
static const struct {
	const char	*what;
	const char	*sql;
} same[] = {
	{ "tickets: sold = left + held + spent + lapsed or given back",
	    "SELECT CAST((SELECT SUM(paid + gift) FROM water_book)"
	    " - (SELECT SUM(balance) FROM ledger_account"
	    " WHERE owner = 'water_book' AND unit = 'ticket')"
	    " - (SELECT COALESCE(SUM(tickets), 0) FROM water_order"
	    " WHERE state IN ('delivered', 'completed'))"
	    " - (SELECT COALESCE(SUM(l.amount), 0) FROM ledger_line l"
	    " JOIN ledger_entry e ON e.id = l.entry_id"
	    " JOIN ledger_account a ON a.id = l.account_id"
	    " WHERE e.kind = 'ticket_refund' AND a.owner = 'org'"
	    " AND a.kind = 'tickets') AS BIGINT) AS n" },
	{ "tickets held = tickets of open orders",
	    "SELECT CAST((SELECT SUM(balance) FROM ledger_account"
	    " WHERE kind IN ('held_real', 'held_gift'))"
	    " - (SELECT COALESCE(SUM(tickets), 0) FROM water_order"
	    " WHERE state IN ('placed', 'accepted', 'delivering'))"
	    " AS BIGINT) AS n" },
	{ "money of tickets: paid = prepaid + earned + given back",
	    "SELECT CAST((SELECT SUM(price_fen) FROM water_book)"
	    " - (SELECT SUM(balance) FROM ledger_account"
	    " WHERE kind = 'prepaid') - (SELECT COALESCE(SUM(l.amount), 0)"
	    " FROM ledger_line l JOIN ledger_account a"
	    " ON a.id = l.account_id WHERE a.kind = 'earned')"
	    " - (SELECT COALESCE(SUM(refund_fen), 0) FROM water_book)"
	    " AS BIGINT) AS n" },
	{ "cash taken in = prepaid + earned + deposits",
	    "SELECT CAST((SELECT SUM(l.amount) FROM ledger_line l"
	    " JOIN ledger_account a ON a.id = l.account_id"
	    " WHERE a.kind IN ('cash', 'earned'))"
	    " + (SELECT SUM(balance) FROM ledger_account"
	    " WHERE kind IN ('prepaid', 'deposit')) AS BIGINT) AS n" },
	{ "deposits = taken and given back at the door and the station",
	    "SELECT CAST((SELECT SUM(balance) FROM ledger_account"
	    " WHERE kind = 'deposit') - (SELECT SUM(deposit_fen)"
	    " FROM water_order) - (SELECT COALESCE(SUM(l.amount), 0)"
	    " FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id"
	    " JOIN ledger_account a ON a.id = l.account_id"
	    " WHERE e.kind = 'return' AND a.kind = 'deposit') AS BIGINT)"
	    " AS n" },
	{ "stock = what there was - what is ordered or delivered",
	    "SELECT CAST((SELECT SUM(stock) FROM water_product)"
	    " - 3000000 + (SELECT SUM(i.quantity) FROM water_item i"
	    " JOIN water_order o ON o.id = i.order_id"
	    " WHERE o.state NOT IN ('cancelled', 'rejected')) AS BIGINT)"
	    " AS n" },
	{ "an order by ticket has one for each barrel",
	    "SELECT COUNT(*) AS n FROM water_order o"
	    " WHERE o.tickets <> CASE WHEN o.payment = 'ticket' THEN"
	    " (SELECT SUM(i.quantity) FROM water_item i"
	    " WHERE i.order_id = o.id) ELSE 0 END" },
	{ "one open account a resident, and one for the four of a household",
	    "SELECT (SELECT COUNT(*) FROM water_account"
	    " WHERE closed_at IS NULL) - 9 AS n" },
	{ "no book is left in an account that is closed",
	    "SELECT COUNT(*) AS n FROM water_book b JOIN water_account a"
	    " ON a.id = b.account_id WHERE a.closed_at IS NOT NULL" },
	{ "nothing is left in an account that is closed",
	    "SELECT COUNT(*) AS n FROM ledger_account l"
	    " JOIN water_account a ON a.id = l.owner_id"
	    " WHERE l.owner = 'water_account' AND l.balance > 0"
	    " AND a.closed_at IS NOT NULL" },
};

/* Barrels: brought - taken back, at the door and by the test's own count. */
static int64_t
barrels_lost(struct db *db)
{
	return rig_number(db, "SELECT CAST((SELECT SUM(i.quantity)"
	    " FROM water_item i JOIN water_order o ON o.id = i.order_id"
	    " WHERE o.state IN ('delivered', 'completed'))"
	    " - (SELECT SUM(empties) FROM water_order)"
	    " - (SELECT SUM(balance) FROM ledger_account"
	    " WHERE kind = 'barrels' AND owner = 'water_account')"
	    " AS BIGINT) AS n") - atomic_load(&brought_back);
}

static void
compare(struct db *db)
{
	int64_t	n;
	size_t	i;
	int	bad = 0;

	for (i = 0; i < nitems(same); i++)
		if ((n = rig_number(db, same[i].sql)) != 0) {
			printf("off by %lld: %s\n", (long long)n,
			    same[i].what);
			bad++;
		}
	assert_int_equal(bad, 0);
	assert_int_equal(barrels_lost(db), 0);
	assert_int_equal(rig_faults(db), 0);
}

/* So that all six have an account at the end, also of few steps. */
static void
begin(struct db *db)
{
	rig_bind(db, 1);
	rig_bind(db, 2);
	norders = nbooks = 0;
	atomic_store(&left, ops);
	atomic_store(&wrong, 0);
	atomic_store(&brought_back, 0);
}

static void
test_balances(void **state)
{
	uint64_t	seeds[THREADS];
	pthread_t	threads[THREADS];
	struct db	*db = rig_db();
	int64_t		began = clock_mono_us();
	int		i;

	(void)state;
	begin(db);
	for (i = 0; i < THREADS; i++) {
		seeds[i] = seed + (uint64_t)i * 7919;
		assert_int_equal(pthread_create(&threads[i], NULL, work,
		    &seeds[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("seed %llu on %s: %d in %lld ms\n",
	    (unsigned long long)seed, db_engine(db), ops,
	    (long long)(clock_mono_us() - began) / 1000);
	for (i = 0; i < 6; i++) {
		printf("kind %d: %d done, %d refused\n", i,
		    atomic_load(&done[i]), atomic_load(&refused[i]));
		/* A test in which all is refused shows nothing. */
		assert_true(ops < 1000 || (atomic_load(&done[i]) > ops / 500 &&
		    atomic_load(&refused[i]) + (i == 0) > 0));
		atomic_store(&done[i], 0);
		atomic_store(&refused[i], 0);
	}
	assert_int_equal(atomic_load(&wrong), 0);
	compare(db);
	db_close(db);
}

static int
run(const char *url)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balances),
	};

	rig_open(url);
	return cmocka_run_group_tests_name(url == NULL ?
	    "water account on SQLite" : "water account on PostgreSQL", tests,
	    NULL, NULL);
}

static int64_t
number_of(const char *name, int64_t otherwise)
{
	const char	*s = getenv(name);
	int64_t		 n = 0;

	if (s == NULL || *s == '\0')
		return otherwise;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return n;
}

int
main(void)
{
	int	failed;

	seed = (uint64_t)number_of("PLANET_TEST_SEED", clock_now());
	ops = (int)number_of("PLANET_TEST_OPS", OPS);
	rig_start();
	failed = run(NULL);
	if (servers_pgsql(&server)) {
		failed += run(server.where);
		servers_stop(&server);
	}
	rig_stop();
	return failed;
}
