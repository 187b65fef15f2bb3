/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_migrate.c -- migrations on both engines: what is applied, what is
 * refused, and two at once.
 */
#include <sys/wait.h>

#include "unit.h"

#include "base/arena.h"
#include "base/crypt.h"
#include "store/db.h"
#include "store/migrate.h"

#include "servers.h"

struct seen {
	int64_t n;
};

static const struct view_column seen_columns[] = {
	C_INT(seen, n),
	C_END
};
static const struct view seen = VIEW(seen, "Seen");

static char		 root[64], dir[128];
static const char	*url;
static struct db	*db;

static void
put(const char *name, const char *text)
{
	unit_write(unit_path(dir, name), text, strlen(text), 0600);
}

static int64_t
ask(const char *sql)
{
	struct stmt	 s = { .mode = RO, .view = &seen, .sql = sql };
	struct arena	*arena = arena_new(4096);
	struct seen	 row = { -1 };

	if (db_one(db, arena, &s, NOTHING, &row) != OK)
		row.n = -1;
	arena_free(arena);
	return row.n;
}

/* A fresh folder with two migrations, and a database without anything. */
static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/sql", root);
	servers_remove(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	put("0001-people.sql",
	    "-- People.\nCREATE TABLE people (id BIGINT PRIMARY KEY);\n"
	    "-- only sqlite\nCREATE TABLE here (a BIGINT);\n-- end\n"
	    "-- only postgresql\nCREATE TABLE there (a BIGINT);\n-- end\n");
	put("0002-house.sql", "INSERT INTO people VALUES (1);\n"
	    "CREATE TABLE house (id BIGINT PRIMARY KEY);");
	put("notes.txt", "no migration");
	assert_int_equal(db_open(url, 5000, false, &db), OK);
	assert_int_equal(db_script(db,
	    "DROP TABLE IF EXISTS schema_version;"
	    "DROP TABLE IF EXISTS people; DROP TABLE IF EXISTS house;"
	    "DROP TABLE IF EXISTS here; DROP TABLE IF EXISTS there;"
	    "DROP TABLE IF EXISTS late;"), OK);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static void
all_are_applied_once(void **state)
{
	int n = -1;

	(void)state;
	assert_int_equal(migrate_check(db, dir), ERR_CONFLICT);
	assert_int_equal(migrate_run(db, dir, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(migrate_check(db, dir), OK);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM people"), 1);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM schema_version"
	    " WHERE length(sha256) = 64 AND applied_at > 0"
	    " AND name IN ('0001-people', '0002-house')"), 2);
	assert_int_equal(migrate_run(db, dir, &n), OK);
	assert_int_equal(n, 0);
	put("0003-late.sql", "CREATE TABLE late (id BIGINT);");
	assert_int_equal(migrate_check(db, dir), ERR_CONFLICT);
	assert_int_equal(migrate_run(db, dir, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM late"), 0);
}

static void
blocks_are_for_their_engine(void **state)
{
	bool	lite = strcmp(db_engine(db), "sqlite") == 0;
	int	n;

	(void)state;
	assert_int_equal(migrate_run(db, dir, &n), OK);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM here"),
	    lite ? 0 : -1);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM there"),
	    lite ? -1 : 0);
}

static void
odd_folders_are_refused(void **state)
{
	static const struct {
		const char *file, *text;
	} t[] = {
		{ "0004-gap.sql", "SELECT 1;" },
		{ "0002-double.sql", "SELECT 1;" },
		{ "3-short.sql", "SELECT 1;" },
		{ "0003_under.sql", "SELECT 1;" },
		{ "0003-.sql", "SELECT 1;" },
		{ "0003-Upper.sql", "SELECT 1;" },
		{ "00003-long.sql", "SELECT 1;" },
		{ "0000-zero.sql", "SELECT 1;" },
	};
	int n = -1;

	(void)state;
	for (size_t i = 0; i < nitems(t); i++) {
		put(t[i].file, t[i].text);
		if (migrate_run(db, dir, &n) != ERR_CONFLICT)
			fail_msg("%s", t[i].file);
		unlink(unit_path(dir, t[i].file));
	}
	assert_int_equal(migrate_run(db, "/nowhere/sql", &n), ERR_CONFLICT);
	assert_int_equal(migrate_run(db, "/var/empty-or-not/x", &n),
	    ERR_CONFLICT);
	assert_int_equal(n, -1);
	/* Nothing of it was applied. */
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM people"), -1);
}

static void
odd_blocks_are_refused(void **state)
{
	static const char *const t[] = {
		"-- only sqlite\nCREATE TABLE late (id BIGINT);\n",
		"-- only sqlite\n-- only postgresql\n-- end\n",
		"-- end\n",
		"-- only oracle\nSELECT 1;\n-- end\n",
	};
	int n;

	(void)state;
	for (size_t i = 0; i < nitems(t); i++) {
		put("0003-late.sql", t[i]);
		if (migrate_run(db, dir, &n) != ERR_CONFLICT)
			fail_msg("block %zu", i);
		assert_int_equal(ask("SELECT COUNT(*) AS n FROM late"), -1);
	}
	put("0003-late.sql", "CREATE TABLE late (id BIGINT);\n"
	    "-- only sqlite\r\n-- end \n");
	assert_int_equal(migrate_run(db, dir, &n), OK);
}

static void
a_newer_database_is_refused(void **state)
{
	int n;

	(void)state;
	put("0003-late.sql", "CREATE TABLE late (id BIGINT);");
	assert_int_equal(migrate_run(db, dir, &n), OK);
	unlink(unit_path(dir, "0003-late.sql"));
	assert_int_equal(migrate_run(db, dir, &n), ERR_CONFLICT);
	assert_int_equal(migrate_check(db, dir), ERR_CONFLICT);
}

static void
a_changed_file_is_refused(void **state)
{
	int n;

	(void)state;
	assert_int_equal(migrate_run(db, dir, &n), OK);
	put("0002-house.sql", "INSERT INTO people VALUES (2);");
	assert_int_equal(migrate_run(db, dir, &n), ERR_CONFLICT);
	assert_int_equal(migrate_check(db, dir), ERR_CONFLICT);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM people"), 1);
}

static void
a_failing_file_leaves_nothing(void **state)
{
	int n = -1;

	(void)state;
	put("0003-late.sql", "CREATE TABLE late (id BIGINT);\nNONSENSE;");
	assert_int_equal(migrate_run(db, dir, &n), ERR_INTERNAL);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM late"), -1);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM schema_version"), 2);
	assert_false(db_in_transaction(db));
	/* Mended, it goes on from there. */
	put("0003-late.sql", "CREATE TABLE late (id BIGINT);");
	assert_int_equal(migrate_run(db, dir, &n), OK);
	assert_int_equal(n, 1);
}

static void
two_at_once_take_turns(void **state)
{
	char	name[32], text[96];
	int	status, total = 0;
	pid_t	pids[3];

	(void)state;
	for (int i = 3; i <= 20; i++) {
		snprintf(name, sizeof(name), "%04d-more.sql", i);
		snprintf(text, sizeof(text),
		    "INSERT INTO people VALUES (%d);", i);
		put(name, text);
	}
	for (int i = 0; i < 3; i++) {
		if ((pids[i] = fork()) == 0) {
			struct db	*own = NULL;
			int		 n = 99;

			if (db_open(url, 200, false, &own) != OK ||
			    migrate_run(own, dir, &n) != OK)
				_exit(99);
			_exit(n);
		}
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 99);
		total += WEXITSTATUS(status);
	}
	assert_int_equal(total, 20);
	assert_int_equal(ask("SELECT COUNT(*) AS n FROM people"), 19);
	assert_int_equal(migrate_check(db, dir), OK);
}

static int
run(const char *where)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_applied_once,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(blocks_are_for_their_engine,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_folders_are_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_blocks_are_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_newer_database_is_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_changed_file_is_refused,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failing_file_leaves_nothing,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_at_once_take_turns,
		    set_up, tear_down),
	};

	url = where;
	return cmocka_run_group_tests_name(where, tests, NULL, NULL);
}

int
main(void)
{
	struct server	server;
	char		file[160];
	int		failed;
	bool		both;

	if (!crypt_init())
		return 1;
	snprintf(root, sizeof(root), "%s", unit_folder());
	snprintf(file, sizeof(file), "sqlite:%s/planet.db", root);
	failed = run(file);
	if ((both = servers_pgsql(&server))) {
		failed += run(server.where);
		servers_stop(&server);
	}
	servers_remove(root);
	return failed != 0 ? failed : both ? 0 : SERVERS_SKIP;
}
