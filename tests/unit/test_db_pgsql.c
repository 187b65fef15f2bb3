/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_db_pgsql.c -- db.h on PostgreSQL: the common cases, and what can
 * only happen to a server.
 */
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

enum { WIDE, PID, END_OTHERS, SQL_MAX };

static struct stmt sql[] = {
	[WIDE] = { .mode = RO, .view = &seen,
	    .sql = "SELECT n FROM wide" },
	[PID] = { .mode = RO, .view = &seen,
	    .sql = "SELECT pg_backend_pid() AS n" },
	[END_OTHERS] = { .mode = RO, .view = &seen,
	    .sql = "SELECT COUNT(pg_terminate_backend(pid)) AS n"
	    " FROM pg_stat_activity WHERE backend_type = 'client backend'"
	    " AND pid <> pg_backend_pid()" },
};

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
	    " INSERT INTO wide VALUES (5)") != OK)
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
