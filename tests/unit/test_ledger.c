/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ledger.c -- what ledger_post writes and refuses, and that of many
 * who want the last ticket one gets it, on both engines.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "unit.h"

#include "base/log.h"
#include "service/ledger.h"

#include "ledger_rig.h"
#include "servers.h"

#define THREADS	4
#define ROUNDS	50

static struct server	 server;
static struct db	*db;
static struct arena	*arena;
static int64_t		 thing;		/* a new one for each entry */

static const struct ledger_key tickets = { "book", 1, "real", LEDGER_TICKET,
    true };
static const struct ledger_key sold = { "org", 1, "tickets", LEDGER_TICKET,
    false };
static const struct ledger_key purse = { "book", 1, "prepaid", LEDGER_FEN,
    true };
static const struct ledger_key cash = { "org", 1, "cash", LEDGER_FEN,
    false };

static struct ledger_entry *
entry_of(int64_t id)
{
	struct ledger_entry	*entry = ARENA_NEW(arena,
	    struct ledger_entry);

	entry->community_id = RIG_COMMUNITY;
	entry->kind = "test";
	entry->thing = "thing";
	entry->thing_id = id;
	entry->at = 1;
	return entry;
}

static enum err
post(struct ledger_entry *entry)
{
	enum err	e;

	assert_int_equal(db_begin(db), OK);
	e = ledger_post(db, arena, entry);
	if (e == OK)
		return db_commit(db);
	db_rollback(db);
	return e;
}

/* `n` from the one to the other, as an entry of its own. */
static enum err
move(struct ledger_key from, struct ledger_key to, int64_t n)
{
	struct ledger_entry	*entry = entry_of(++thing);

	ledger_add(entry, to, n);
	ledger_add(entry, from, -n);
	return post(entry);
}

static int64_t
balance(struct ledger_key key)
{
	int64_t	n;

	assert_int_equal(ledger_balance(db, arena, RIG_COMMUNITY, key, &n),
	    OK);
	return n;
}

static void
test_posting(void **state)
{
	struct ledger_entry	*entry = entry_of(++thing);

	(void)state;
	assert_int_equal(balance(tickets), 0);
	ledger_add(entry, tickets, 3);
	ledger_add(entry, sold, -3);
	ledger_add(entry, purse, 100);
	ledger_add(entry, cash, -100);
	ledger_add(entry, cash, 0);
	assert_int_equal(entry->n, 4);
	assert_int_equal(post(entry), OK);
	assert_int_equal(balance(tickets), 3);
	assert_int_equal(balance(purse), 100);
	/* Not kept: its lines are summed by who wants to know. */
	assert_int_equal(balance(sold), 0);
	assert_int_equal(rig_number(db, "SELECT CAST(SUM(amount) AS BIGINT)"
	    " AS n FROM ledger_line WHERE balance IS NULL"
	    " AND unit = 'ticket'"), -3);
	assert_int_equal(ledger_find(db, arena, RIG_COMMUNITY, "thing",
	    thing, "test"), OK);
	assert_int_equal(ledger_find(db, arena, RIG_COMMUNITY, "thing",
	    thing, "other"), ERR_ABSENT);
	assert_int_equal(ledger_find(db, arena, 2, "thing", thing, "test"),
	    ERR_ABSENT);
}

static void
test_once_to_a_thing(void **state)
{
	struct ledger_entry	*entry = entry_of(thing);
	int64_t			 before = balance(tickets);

	(void)state;
	ledger_add(entry, tickets, 1);
	ledger_add(entry, sold, -1);
	assert_int_equal(post(entry), ERR_UNIQUE);
	assert_int_equal(balance(tickets), before);
	entry->kind = "another";
	assert_int_equal(post(entry), OK);
	assert_int_equal(balance(tickets), before + 1);
}

static void
test_never_below_zero(void **state)
{
	int64_t	before = balance(tickets);

	(void)state;
	assert_int_equal(move(tickets, sold, before + 1), ERR_SHORT);
	assert_int_equal(balance(tickets), before);
	assert_int_equal(move(tickets, sold, before), OK);
	assert_int_equal(balance(tickets), 0);
	assert_int_equal(move(tickets, sold, 1), ERR_SHORT);
	assert_int_equal(move(sold, tickets, 4), OK);
}

/* Balanced as a whole, but on its way below zero. */
static void
test_lines_follow_each_other(void **state)
{
	struct ledger_entry	*entry = entry_of(++thing);

	(void)state;
	ledger_add(entry, tickets, -5);
	ledger_add(entry, tickets, 5);
	assert_int_equal(post(entry), ERR_SHORT);
	entry = entry_of(++thing);
	ledger_add(entry, tickets, 5);
	ledger_add(entry, tickets, -5);
	assert_int_equal(post(entry), OK);
	assert_int_equal(balance(tickets), 4);
}

/* An entry of two lines, of which the second is as given. */
static enum err
pair(struct ledger_key a, int64_t n, struct ledger_key b, int64_t m)
{
	struct ledger_entry	*entry = entry_of(++thing);
	enum err		 e;

	ledger_add(entry, a, n);
	ledger_add(entry, b, m);
	log_open("test", LOG_ERROR_ + 1);
	e = post(entry);
	log_open("test", LOG_ERROR_);
	return e;
}

static void
test_what_does_not_balance(void **state)
{
	struct ledger_entry	*entry;
	struct ledger_key	 odd = tickets;
	int64_t			 before = rig_number(db,
	    "SELECT COUNT(*) AS n FROM ledger_line");
	int			 i;

	(void)state;
	assert_int_equal(pair(tickets, 1, sold, -2), ERR_INTERNAL);
	assert_int_equal(pair(tickets, 1, sold, 1), ERR_INTERNAL);
	/* Equal in number, not in kind. */
	assert_int_equal(pair(tickets, 1, cash, -1), ERR_INTERNAL);
	assert_int_equal(pair(tickets, 1, sold, 0), ERR_INTERNAL);
	assert_int_equal(pair(tickets, 0, sold, 0), ERR_INTERNAL);
	assert_int_equal(pair(tickets, LEDGER_MAX + 1, sold,
	    -LEDGER_MAX - 1), ERR_INTERNAL);
	assert_int_equal(pair(tickets, INT64_MIN, sold, INT64_MIN),
	    ERR_INTERNAL);
	/* The same account as another sort of account. */
	odd.kept = false;
	assert_int_equal(pair(odd, 1, sold, -1), ERR_INTERNAL);
	odd = tickets;
	odd.unit = LEDGER_FEN;
	assert_int_equal(pair(odd, 1, cash, -1), ERR_INTERNAL);
	entry = entry_of(++thing);
	for (i = 0; i <= LEDGER_LINES; i++)
		ledger_add(entry, i % 2 ? tickets : sold, i % 2 ? 1 : -1);
	log_open("test", LOG_ERROR_ + 1);
	assert_int_equal(post(entry), ERR_INTERNAL);
	log_open("test", LOG_ERROR_);
	assert_int_equal(rig_number(db,
	    "SELECT COUNT(*) AS n FROM ledger_line"), before);
}

static atomic_int	 got, refused;
static int64_t		 round_thing;
static pthread_barrier_t barrier;

/* Each wants the one ticket that there is, for a thing of its own. */
static void *
grab(void *arg)
{
	int64_t			 me = *(const int64_t *)arg;
	struct arena		*a = arena_new(1 << 20);
	struct db		*mine = rig_db();
	struct ledger_entry	 entry;
	enum err		 e;
	int			 i;

	for (i = 0; i < ROUNDS; i++) {
		entry = (struct ledger_entry){ RIG_COMMUNITY, "grab",
		    "thing", round_thing + i * THREADS + me, NULL, 1, 0, 0,
		    { { { 0 }, 0 } } };
		ledger_add(&entry, sold, 1);
		ledger_add(&entry, tickets, -1);
		pthread_barrier_wait(&barrier);
		do {
			e = db_begin(mine);
			if (e == OK && (e = ledger_post(mine, a,
			    &entry)) == OK)
				e = db_commit(mine);
			else
				db_rollback(mine);
		} while (e == ERR_AGAIN);
		atomic_fetch_add(e == OK ? &got : &refused, e == OK ||
		    e == ERR_SHORT);
		pthread_barrier_wait(&barrier);
		/* One puts a ticket back for the next round. */
		if (me == 0) {
			entry.n = 0;
			entry.kind = "put";
			ledger_add(&entry, tickets, 1);
			ledger_add(&entry, sold, -1);
			if (db_begin(mine) == OK && ledger_post(mine, a,
			    &entry) == OK)
				db_commit(mine);
			else
				db_rollback(mine);
		}
		arena_reset(a);
	}
	db_close(mine);
	arena_free(a);
	return NULL;
}

static void
test_one_ticket_one_winner(void **state)
{
	int64_t		number[THREADS];
	pthread_t	threads[THREADS];
	int		i;

	(void)state;
	assert_int_equal(move(tickets, sold, balance(tickets)), OK);
	assert_int_equal(move(sold, tickets, 1), OK);
	atomic_store(&got, 0);
	atomic_store(&refused, 0);
	round_thing = 1000000;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (i = 0; i < THREADS; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, grab,
		    &number[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(atomic_load(&got), ROUNDS);
	assert_int_equal(atomic_load(&refused), ROUNDS * (THREADS - 1));
	assert_int_equal(balance(tickets), 1);
	assert_int_equal(rig_faults(db), 0);
}

static void
count_fault(void *arg, const char *what, const struct ledger_fault *f)
{
	int	*seen = arg;

	assert_string_equal(what, "found");
	assert_int_equal(f->id, 7);
	++*seen;
}

/* What could not be read hides nothing else.  These checks stay. */
static void
test_a_check_that_takes_too_long(void **state)
{
	static struct stmt		 slow = { RO, 0, &ledger_fault_view,
	    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r"
	    " WHERE i < 2000000000) SELECT CAST(1 AS BIGINT) AS"
	    " community_id, CAST(COUNT(*) AS BIGINT) AS id FROM r",
	    NULL, 0 };
	static struct stmt		 bad = { RO, 0, &ledger_fault_view,
	    "SELECT CAST(1 AS BIGINT) AS community_id,"
	    " CAST(7 AS BIGINT) AS id", NULL, 0 };
	static const struct ledger_check checks[] = { { "slow", &slow },
	    { "found", &bad }, { NULL, NULL } };
	struct ledger_report		 report;
	struct db			*mine = NULL;
	int				 seen = 0;

	(void)state;
	ledger_check_register(checks);
	assert_int_equal(db_open(rig_url, 300, false, &mine), OK);
	assert_int_equal(ledger_check(mine, arena, count_fault, &seen,
	    &report), ERR_TIMEOUT);
	assert_int_equal(seen, 1);
	assert_int_equal(report.faults, 1);
	db_close(mine);
}

static int
run(const char *url)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_posting),
		cmocka_unit_test(test_once_to_a_thing),
		cmocka_unit_test(test_never_below_zero),
		cmocka_unit_test(test_lines_follow_each_other),
		cmocka_unit_test(test_what_does_not_balance),
		cmocka_unit_test(test_one_ticket_one_winner),
	};
	int	failed;

	rig_open(url);
	db = rig_db();
	arena = arena_new(8 << 20);
	thing = 0;
	failed = cmocka_run_group_tests_name(url == NULL ? "ledger on SQLite" :
	    "ledger on PostgreSQL", tests, NULL, NULL);
	db_close(db);
	arena_free(arena);
	return failed;
}

static int
run_last(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_check_that_takes_too_long),
	};
	int	failed;

	arena = arena_new(8 << 20);
	failed = cmocka_run_group_tests_name("ledger, late", tests, NULL,
	    NULL);
	arena_free(arena);
	return failed;
}

int
main(void)
{
	int	failed;

	rig_start();
	failed = run(NULL);
	if (servers_pgsql(&server)) {
		failed += run(server.where);
		failed += run_last();
		servers_stop(&server);
	} else
		failed += run_last();
	rig_stop();
	return failed;
}
