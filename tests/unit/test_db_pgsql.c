/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_db_pgsql.c -- db.h on PostgreSQL: the common cases, and what can
 * only happen to a server.
 */
#include <pthread.h>
#include <signal.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"

#include "db_cases.h"
#include "servers.h"

static struct server server;

struct seen {
	int64_t n;
};

static const struct view_column seen_columns[] = {
	C_INT(seen, n),
	C_END
};
static const struct view seen = VIEW(seen, "Seen");

enum { WIDE, PID, END_OTHERS, DEADLOCKS, TWICE, TRIES, SQL_MAX };

static struct stmt sql[] = {
	[WIDE] = { .mode = RO, .view = &seen,
	    .sql = "SELECT n FROM wide" },
	[PID] = { .mode = RO, .view = &seen,
	    .sql = "SELECT pg_backend_pid() AS n" },
	[END_OTHERS] = { .mode = RO, .view = &seen,
	    .sql = "SELECT COUNT(pg_terminate_backend(pid)) AS n"
	    " FROM pg_stat_activity WHERE backend_type = 'client backend'"
	    " AND pid <> pg_backend_pid()" },
	[DEADLOCKS] = { .mode = RO, .view = &seen,
	    .sql = "SELECT deadlocks AS n FROM pg_stat_database"
	    " WHERE datname = current_database()" },
	[TWICE] = { .mode = RO, .view = &seen,
	    .sql = "SELECT COUNT(*) AS n FROM thing WHERE count = 2" },
	[TRIES] = { .mode = RO, .view = &seen,
	    .sql = "SELECT last_value AS n FROM tries" },
};

/* Of db_cases.c: raises the count of row $1 by $2. */
#define RAISE	5

static enum err
ask(struct db *db, int which, int64_t *ret)
{
	struct arena	*arena = arena_new(4096);
	struct seen	 row;
	enum err	 e;

	if ((e = db_one(db, arena, &sql[which], NOTHING, &row)) == OK)
		*ret = row.n;
	arena_free(arena);
	return e;
}

static void
a_lost_connection_is_opened_again(void **state)
{
	struct db	*db = cases_open(), *other = cases_open();
	int64_t		 n;

	(void)state;
	cases_clear(db);
	assert_int_equal(ask(other, END_OTHERS, &n), OK);
	assert_true(n >= 1);
	/* A read and a BEGIN are simply made again. */
	assert_int_equal(cases_count(db), 0);
	assert_int_equal(ask(other, END_OTHERS, &n), OK);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(ask(other, END_OTHERS, &n), OK);
	assert_int_equal(db_ping(db), OK);
	db_close(other);
	db_close(db);
}

static void
a_transaction_is_lost_with_its_connection(void **state)
{
	const struct stmt	*drop = db_registered(8);
	struct db		*db = cases_open(), *other = cases_open();
	int64_t			 n;

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, drop, NOTHING, NULL), OK);
	assert_int_equal(ask(other, END_OTHERS, &n), OK);
	assert_int_equal(db_run(db, drop, NOTHING, NULL), ERR_AWAY);
	assert_int_equal(db_commit(db), ERR_AWAY);
	assert_int_equal(cases_count(db), 1);
	/* The same when only the commit notices. */
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, drop, NOTHING, NULL), OK);
	assert_int_equal(ask(other, END_OTHERS, &n), OK);
	assert_int_equal(db_commit(db), ERR_AWAY);
	assert_int_equal(cases_count(db), 1);
	db_close(other);
	db_close(db);
}

static void
a_server_that_was_killed_comes_back(void **state)
{
	struct db	*db = cases_open();
	int64_t		 start;

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	servers_kill(&server);
	start = clock_mono_us();
	while (db_ping(db) == OK)
		assert_true(clock_mono_us() - start < 20000000);
	assert_int_equal(cases_add(db, 2, "b"), ERR_AWAY);
	assert_int_equal(cases_count(db), -1);
	servers_again(&server);
	start = clock_mono_us();
	while (cases_add(db, 2, "b") != OK)
		assert_true(clock_mono_us() - start < 20000000);
	assert_int_equal(cases_count(db), 2);
	db_close(db);
}

static void
a_server_that_hangs_is_left(void **state)
{
	struct db	*db = cases_open();
	int64_t		 start, pid = 0;

	(void)state;
	cases_clear(db);
	assert_int_equal(ask(db, PID, &pid), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
	start = clock_mono_us();
	assert_int_equal(db_run(db, db_registered(8), NOTHING, NULL),
	    ERR_AWAY);
	assert_int_equal(db_commit(db), ERR_AWAY);
	assert_true(clock_mono_us() - start < 5000000);
	/* The others of the server still serve. */
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(kill((pid_t)pid, SIGCONT), 0);
	db_close(db);
}

static void
a_plan_may_outlive_its_table(void **state)
{
	struct db	*db = cases_open();
	int64_t		 n = 0;

	(void)state;
	assert_int_equal(ask(db, WIDE, &n), OK);
	assert_int_equal(n, 5);
	assert_int_equal(db_script(db,
	    "ALTER TABLE wide ALTER COLUMN n TYPE BIGINT"), OK);
	assert_int_equal(ask(db, WIDE, &n), OK);
	assert_int_equal(n, 5);
	db_close(db);
}

static void
a_number_that_is_none_is_an_error(void **state)
{
	struct stmt	 half = { .mode = RO, .view = &seen,
			    .sql = "SELECT 1.5 AS n" };
	struct stmt	 most = { .mode = RO, .view = &seen,
			    .sql = "SELECT 9223372036854775808 AS n" };
	struct arena	*arena = arena_new(4096);
	struct db	*db = cases_open();
	struct seen	 row;

	(void)state;
	assert_int_equal(db_one(db, arena, &half, NOTHING, &row),
	    ERR_INTERNAL);
	assert_int_equal(db_one(db, arena, &most, NOTHING, &row),
	    ERR_INTERNAL);
	most.sql = "SELECT -9223372036854775808 AS n";
	assert_int_equal(db_one(db, arena, &most, NOTHING, &row), OK);
	assert_true(row.n == INT64_MIN);
	arena_free(arena);
	db_close(db);
}

static void
a_script_cannot_end_the_transaction(void **state)
{
	struct db *db = cases_open();

	(void)state;
	cases_clear(db);
	assert_int_equal(db_script(db,
	    "INSERT INTO thing (id, name) VALUES (1, 'a'); COMMIT;"),
	    ERR_INTERNAL);
	assert_int_equal(db_ping(db), OK);
	db_close(db);
}

/* One of two transactions that take the same two rows crosswise. */
struct crossing {
	struct db		*db;
	pthread_barrier_t	*both;
	int64_t			 first, second;
	int			 calls, beaten;
	enum err		 end;
};

static enum err
raise_both(void *arg)
{
	const struct stmt	*raise = db_registered(RAISE);
	struct crossing		*c = arg;
	enum err		 e;

	e = db_run(c->db, raise, WITH(V(c->first), V(1)), NULL);
	/* Once both have their first row, each wants the other's. */
	if (c->calls++ == 0)
		pthread_barrier_wait(c->both);
	if (e == OK)
		e = db_run(c->db, raise, WITH(V(c->second), V(1)), NULL);
	c->beaten += e == ERR_AGAIN;
	return e;
}

static void *
cross(void *arg)
{
	struct crossing *c = arg;

	c->end = db_transact(c->db, 5, raise_both, c);
	return NULL;
}

/* A connection that is in no hurry: no time-out may end the wait. */
static struct db *
open_patient(void)
{
	struct db *db = NULL;

	assert_int_equal(db_open(server.where, 30000, true, &db), OK);
	return db;
}

static void
a_deadlock_is_replayed_and_both_end_well(void **state)
{
	pthread_barrier_t	both;
	struct crossing		c[2] = {
		{ .db = open_patient(), .both = &both, .first = 1,
		    .second = 2 },
		{ .db = open_patient(), .both = &both, .first = 2,
		    .second = 1 },
	};
	struct db		*db = cases_open();
	pthread_t		 threads[2];
	int64_t			 before = 0, n = 0, start;

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_add(db, 2, "b"), OK);
	assert_int_equal(ask(db, DEADLOCKS, &before), OK);
	pthread_barrier_init(&both, NULL, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cross,
		    &c[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(c[i].end, OK);
		db_close(c[i].db);
	}
	pthread_barrier_destroy(&both);
	/* Somebody had to give way, and what was undone counts once. */
	assert_true(c[0].beaten + c[1].beaten >= 1);
	assert_int_equal(c[0].calls + c[1].calls,
	    2 + c[0].beaten + c[1].beaten);
	assert_int_equal(ask(db, TWICE, &n), OK);
	assert_int_equal(n, 2);
	/* The server, too, calls it one: 40P01, and no time-out. */
	start = clock_mono_us();
	do {
		assert_int_equal(ask(db, DEADLOCKS, &n), OK);
		assert_true(clock_mono_us() - start < 20000000);
	} while (n - before < c[0].beaten + c[1].beaten);
	db_close(db);
}

/* A transaction that sees but one moment, and is overtaken once. */
struct overtaken {
	struct db	*db, *other;
	int		 calls, beaten;
};

static enum err
raise_overtaken(void *arg)
{
	/*
	 * At READ COMMITTED, where we write, this cannot fail so; a
	 * trigger or a server's own setting may still bring 40001.
	 */
	static const struct stmt one_moment = { .mode = RW,
	    .sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ" };
	struct overtaken	*o = arg;
	int64_t			 n;
	enum err		 e;

	assert_int_equal(db_run(o->db, &one_moment, NOTHING, NULL), OK);
	assert_int_equal(ask(o->db, TWICE, &n), OK);
	if (o->calls++ == 0) {
		assert_int_equal(db_begin(o->other), OK);
		assert_int_equal(db_run(o->other, db_registered(RAISE),
		    WITH(V(1), V(1)), NULL), OK);
		assert_int_equal(db_commit(o->other), OK);
	}
	e = db_run(o->db, db_registered(RAISE), WITH(V(1), V(1)), NULL);
	o->beaten += e == ERR_AGAIN;
	return e;
}

static void
a_serialisation_failure_is_replayed(void **state)
{
	struct overtaken	o = { .db = open_patient(),
				    .other = open_patient() };
	int64_t			n = 0;

	(void)state;
	cases_clear(o.db);
	assert_int_equal(cases_add(o.db, 1, "a"), OK);
	assert_int_equal(db_transact(o.db, 5, raise_overtaken, &o), OK);
	assert_int_equal(o.calls, 2);
	assert_int_equal(o.beaten, 1);
	assert_int_equal(ask(o.db, TWICE, &n), OK);
	assert_int_equal(n, 1);
	db_close(o.other);
	db_close(o.db);
}

static enum err
try_in_vain(void *arg)
{
	static const struct stmt refused = { .mode = RW, .view = &seen,
	    .sql = "SELECT refuse() AS n" };
	struct arena	*arena = arena_new(4096);
	struct seen	 row;
	enum err	 e;

	e = db_one(arg, arena, &refused, NOTHING, &row);
	arena_free(arena);
	return e;
}

/* It counts in a sequence, which no rollback sets back. */
static void
a_replay_without_end_ends(void **state)
{
	struct db	*db = cases_open();
	int64_t		 n = 0;

	(void)state;
	assert_int_equal(db_script(db, "CREATE FUNCTION refuse()"
	    " RETURNS BIGINT LANGUAGE plpgsql AS $$ BEGIN"
	    " PERFORM nextval('tries');"
	    " RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$"), OK);
	assert_int_equal(db_transact(db, 4, try_in_vain, db), ERR_AGAIN);
	assert_int_equal(ask(db, TRIES, &n), OK);
	assert_int_equal(n, 4);
	assert_false(db_in_transaction(db));
	db_close(db);
}

/* Last: the registry keeps it for ever. */
static void
a_bad_statement_stops_the_start(void **state)
{
	static struct stmt	 bad = { .mode = RO, .view = &seen,
				    .sql = "SELECT nothing AS n FROM thing" };
	struct db		*db = NULL;

	(void)state;
	db_register(&bad, 1);
	assert_int_equal(db_open(server.where, 100, true, &db),
	    ERR_INTERNAL);
	assert_null(db);
	assert_int_equal(db_open(server.where, 100, false, &db), OK);
	db_close(db);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_connection_is_opened_again),
		cmocka_unit_test(a_transaction_is_lost_with_its_connection),
		cmocka_unit_test(a_server_that_was_killed_comes_back),
		cmocka_unit_test(a_server_that_hangs_is_left),
		cmocka_unit_test(a_plan_may_outlive_its_table),
		cmocka_unit_test(a_number_that_is_none_is_an_error),
		cmocka_unit_test(a_script_cannot_end_the_transaction),
		cmocka_unit_test(a_deadlock_is_replayed_and_both_end_well),
		cmocka_unit_test(a_serialisation_failure_is_replayed),
		cmocka_unit_test(a_replay_without_end_ends),
		cmocka_unit_test(a_bad_statement_stops_the_start),
	};
	struct db	*db = NULL;
	int		 failed;

	if (!crypt_init())
		return 1;
	if (!servers_pgsql(&server))
		return SERVERS_SKIP;
	if (db_open(server.where, 1000, false, &db) != OK ||
	    db_script(db, "CREATE TABLE wide (n INTEGER);"
	    " INSERT INTO wide VALUES (5); CREATE SEQUENCE tries;"
	    /* How soon a deadlock is looked for; a second by itself. */
	    " DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
	    " deadlock_timeout = 50', current_database()); END $$") != OK)
		return 1;
	db_close(db);
	cases_register();
	failed = cases_run(server.where);
	db_register(sql, SQL_MAX);
	failed += cmocka_run_group_tests_name("postgresql server", tests,
	    NULL, NULL);
	servers_stop(&server);
	return failed;
}
