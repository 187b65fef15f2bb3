/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_db_sqlite.c -- db.h on SQLite: the common cases, and what can only
 * happen to a file.
 */
#include <pthread.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"

#include "db_cases.h"
#include "servers.h"

static char file[128], url[160];

struct seen {
	int64_t n;
};

static const struct view_column seen_columns[] = {
	C_INT(seen, n),
	C_END
};
static const struct view seen = VIEW(seen, "Seen");

/* Ask the engine itself for one number. */
static int64_t
ask(struct db *db, const char *sql)
{
	struct stmt	 s = { .mode = RO, .view = &seen, .sql = sql };
	struct arena	*arena = arena_new(4096);
	struct seen	 row = { -1 };

	assert_int_equal(db_one(db, arena, &s, NOTHING, &row), OK);
	arena_free(arena);
	return row.n;
}

static void
the_connection_is_set_up(void **state)
{
	struct db *db = cases_open();

	(void)state;
	assert_int_equal(ask(db, "SELECT journal_mode = 'wal' AS n"
	    " FROM pragma_journal_mode"), 1);
	assert_int_equal(ask(db, "SELECT synchronous AS n"
	    " FROM pragma_synchronous"), 2);
	assert_int_equal(ask(db, "SELECT foreign_keys AS n"
	    " FROM pragma_foreign_keys"), 1);
	db_close(db);
}

static void
double_quotes_are_no_text(void **state)
{
	struct stmt	s = { .mode = RO, .view = &seen,
			    .sql = "SELECT id AS n FROM thing"
			    " WHERE name = \"a\"" };
	struct rows	rows;
	struct db	*db = cases_open();

	(void)state;
	assert_int_equal(db_query(db, &s, NOTHING, &rows), ERR_INTERNAL);
	db_close(db);
}

/* Hold the write lock in another process until `fd` is closed there. */
static pid_t
hold_lock(int *ret_fd)
{
	int	down[2], up[2];
	char	c;
	pid_t	pid;

	assert_int_equal(pipe(down), 0);
	assert_int_equal(pipe(up), 0);
	if ((pid = fork()) == 0) {
		sqlite3 *h;

		close(down[1]);
		if (sqlite3_open(file, &h) != SQLITE_OK ||
		    sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		    SQLITE_OK || write(up[1], "x", 1) != 1)
			_exit(1);
		(void)!read(down[0], &c, 1);
		_exit(0);
	}
	assert_true(pid > 0);
	close(down[0]);
	close(up[1]);
	assert_int_equal(read(up[0], &c, 1), 1);
	close(up[0]);
	*ret_fd = down[1];
	return pid;
}

static void
a_lock_of_another_process_is_bounded(void **state)
{
	struct db	*db = cases_open();
	int64_t		 start;
	int		 fd;
	pid_t		 pid;

	(void)state;
	cases_clear(db);
	pid = hold_lock(&fd);
	start = clock_mono_us();
	assert_int_equal(cases_add(db, 1, "a"), ERR_AGAIN);
	assert_in_range(clock_mono_us() - start, CASES_TIMEOUT_MS * 900,
	    CASES_TIMEOUT_MS * 2500);
	/* Readers do not mind. */
	assert_int_equal(cases_count(db), 0);
	close(fd);
	waitpid(pid, NULL, 0);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	db_close(db);
}

/* Whether the whole WAL can be taken in: nobody reads an old snapshot. */
static bool
checkpoint(void)
{
	sqlite3	*h;
	int	 log = -1, done = -1, rc;

	assert_int_equal(sqlite3_open(file, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "SELECT COUNT(*) FROM thing", NULL,
	    NULL, NULL), SQLITE_OK);
	rc = sqlite3_wal_checkpoint_v2(h, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    &log, &done);
	sqlite3_close(h);
	assert_true(rc == SQLITE_OK || rc == SQLITE_BUSY);
	assert_int_not_equal(log, -1);
	return rc == SQLITE_OK;
}

static void *
wait_to_write(void *arg)
{
	struct db *db = cases_open();

	*(enum err *)arg = db_begin(db);
	db_close(db);
	return NULL;
}

/* Who comes when the queue is full is told at once. */
static void
the_queue_of_writers_is_bounded(void **state)
{
	struct db	*first = cases_open(), *other = cases_open();
	enum err	 waiter = ERR_INTERNAL;
	pthread_t	 thread;
	int64_t		 start;

	(void)state;
	assert_int_equal(db_begin(first), OK);
	db_queue(0);
	start = clock_mono_us();
	assert_int_equal(db_begin(other), ERR_AGAIN);
	assert_true(clock_mono_us() - start < CASES_TIMEOUT_MS * 500);
	/* Reading waits for nobody. */
	assert_true(cases_count(other) >= 0);
	db_queue(1);
	assert_int_equal(pthread_create(&thread, NULL, wait_to_write,
	    &waiter), 0);
	db_rollback(first);
	pthread_join(thread, NULL);
	assert_int_equal(waiter, OK);
	db_queue(8);
	assert_int_equal(db_begin(other), OK);
	db_close(first);
	db_close(other);
}

static void
reading_leaves_no_snapshot_behind(void **state)
{
	struct db	*db = cases_open(), *writer = cases_open();
	struct stmt	 list = { .mode = RO, .view = &seen,
			    .sql = "SELECT id AS n FROM thing" };
	struct rows	 rows;
	struct seen	 row;

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_add(db, 2, "b"), OK);
	assert_int_equal(db_query(db, &list, NOTHING, &rows), OK);
	assert_true(db_each(&rows, &row));
	assert_int_equal(cases_add(writer, 3, "c"), OK);
	/* Half-way the reader stands in the way, once ended it does not. */
	assert_false(checkpoint());
	assert_int_equal(db_end(&rows), OK);
	assert_true(checkpoint());
	/* Read to its end it does not wait for db_end. */
	assert_int_equal(db_query(db, &list, NOTHING, &rows), OK);
	while (db_each(&rows, &row))
		;
	assert_int_equal(cases_add(writer, 4, "d"), OK);
	assert_true(checkpoint());
	assert_int_equal(db_end(&rows), OK);
	db_close(writer);
	db_close(db);
}

static void
forgotten_rows_are_released(void **state)
{
	struct db	*db = cases_open();
	struct stmt	 list = { .mode = RO, .view = &seen,
			    .sql = "SELECT id AS n FROM thing" };
	struct rows	 rows;
	struct seen	 row;

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_add(db, 2, "b"), OK);
	assert_int_equal(db_query(db, &list, NOTHING, &rows), OK);
	assert_true(db_each(&rows, &row));
	db_rollback(db);
	assert_true(checkpoint());
	assert_int_equal(db_end(&rows), OK);
	db_close(db);
}

/* More statements than stay compiled, round and round. */
static void
many_statements_give_way_to_each_other(void **state)
{
	static struct stmt	 many[150];
	static char		 text[150][48];
	struct rows		 held, rows;
	struct arena		*arena = arena_new(1 << 16);
	struct db		*db;
	struct seen		 row;

	(void)state;
	for (int i = 0; i < 150; i++) {
		snprintf(text[i], sizeof(text[i]),
		    "SELECT $1 + %d AS n UNION ALL SELECT 1", i);
		many[i] = (struct stmt){ .mode = RO, .nargs = 1,
		    .view = &seen, .sql = text[i] };
	}
	db_register(many, 150);
	db = cases_open();
	/* One that is being read does not go. */
	assert_int_equal(db_query(db, &many[0], WITH(V(7)), &held), OK);
	for (int round = 0; round < 2; round++)
		for (int i = 1; i < 150; i++) {
			assert_int_equal(db_query(db, &many[i], WITH(V(7)),
			    &rows), OK);
			assert_true(db_each(&rows, &row));
			assert_int_equal(row.n, 7 + i);
			assert_int_equal(db_end(&rows), OK);
		}
	assert_true(db_each(&held, &row));
	assert_int_equal(row.n, 7);
	assert_int_equal(db_end(&held), OK);
	assert_int_equal(db_one(db, arena, &many[0], WITH(V(9)), &row), OK);
	assert_int_equal(row.n, 9);
	arena_free(arena);
	db_close(db);
}

static void
a_statement_is_not_read_twice_at_once(void **state)
{
	const struct stmt	*list = db_registered(2);
	struct db		*db = cases_open();
	struct rows		 one, two;
	char			 row[256];

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_add(db, 2, "b"), OK);
	assert_int_equal(db_query(db, list, WITH(V(9)), &one), OK);
	assert_true(db_each(&one, row));
	assert_int_equal(db_query(db, list, WITH(V(9)), &two), ERR_INTERNAL);
	assert_int_equal(db_end(&two), ERR_INTERNAL);
	assert_int_equal(db_end(&one), OK);
	assert_int_equal(db_query(db, list, WITH(V(9)), &one), OK);
	assert_true(db_each(&one, row));
	assert_int_equal(db_end(&one), OK);
	db_close(db);
}

static void
a_file_that_is_gone_takes_no_writes(void **state)
{
	struct db	*db = cases_open();
	char		 aside[160];

	(void)state;
	cases_clear(db);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	snprintf(aside, sizeof(aside), "%s.aside", file);
	assert_int_equal(rename(file, aside), 0);
	assert_int_equal(cases_add(db, 2, "b"), ERR_AWAY);
	assert_int_equal(db_ping(db), ERR_AWAY);
	/* A worker never makes a new, empty file of its own. */
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_equal(rename(aside, file), 0);
	assert_int_equal(db_ping(db), OK);
	assert_int_equal(cases_add(db, 2, "b"), OK);
	assert_int_equal(cases_count(db), 2);
	db_close(db);
}

static void
a_file_that_is_none_is_refused(void **state)
{
	struct db	*db = NULL;
	char		 other[170];

	(void)state;
	snprintf(other, sizeof(other), "sqlite:%s.none", file);
	unit_write(other + 7, "this is no database, and long enough", 36,
	    0600);
	assert_int_equal(db_open(other, 100, true, &db), ERR_INTERNAL);
	assert_null(db);
	unlink(other + 7);
	/* Not there: only who migrates may make it. */
	assert_int_equal(db_open(other, 100, true, &db), ERR_AWAY);
	assert_int_equal(db_open(other, 100, false, &db), OK);
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
	assert_int_equal(db_open(url, 100, true, &db), ERR_INTERNAL);
	assert_null(db);
	assert_int_equal(db_open(url, 100, false, &db), OK);
	db_close(db);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_connection_is_set_up),
		cmocka_unit_test(double_quotes_are_no_text),
		cmocka_unit_test(a_lock_of_another_process_is_bounded),
		cmocka_unit_test(the_queue_of_writers_is_bounded),
		cmocka_unit_test(reading_leaves_no_snapshot_behind),
		cmocka_unit_test(forgotten_rows_are_released),
		cmocka_unit_test(many_statements_give_way_to_each_other),
		cmocka_unit_test(a_statement_is_not_read_twice_at_once),
		cmocka_unit_test(a_file_that_is_gone_takes_no_writes),
		cmocka_unit_test(a_file_that_is_none_is_refused),
		cmocka_unit_test(a_bad_statement_stops_the_start),
	};
	const char	*dir;
	int		 failed;

	if (!crypt_init())
		return 1;
	dir = unit_folder();
	snprintf(file, sizeof(file), "%s/planet.db", dir);
	snprintf(url, sizeof(url), "sqlite:%s", file);
	cases_register();
	failed = cases_run(url);
	failed += cmocka_run_group_tests_name("sqlite file", tests, NULL,
	    NULL);
	servers_remove(dir);
	return failed;
}
