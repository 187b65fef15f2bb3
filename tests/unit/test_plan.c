/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plan.c -- by which index SQLite goes through tables that only grow:
 * nothing but the newest rows is found by walking a whole community.
 */
#include <sqlite3.h>

#include "unit.h"

#include "service/service.h"
#include "store/db.h"
#include "store/migrate.h"

#include "servers.h"

static sqlite3	*base;

/* Whether the plan of `sql` has a step with `a` and `b` in it. */
static bool
goes(const char *sql, const char *a, const char *b)
{
	char		 text[32768];
	sqlite3_stmt	*plan;
	const char	*step;
	bool		 found = false;

	snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql);
	if (sqlite3_prepare_v2(base, text, -1, &plan, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sqlite3_errmsg(base), sql);
	while (sqlite3_step(plan) == SQLITE_ROW) {
		step = (const char *)sqlite3_column_text(plan, 3);
		if (strstr(step, a) != NULL && strstr(step, b) != NULL)
			found = true;
	}
	sqlite3_finalize(plan);
	return found;
}

/* The statements in which `part` stands, i from 0. */
static const char *
with(const char *part, size_t i)
{
	const struct stmt	*st;
	size_t			 k;

	for (k = 0; (st = db_registered(k)) != NULL; k++)
		if (strstr(st->sql, part) != NULL && i-- == 0)
			return st->sql;
	return NULL;
}

static void
test_lines_are_found_by_account(void **state)
{
	static const char	 part[] = "(PARTITION BY account_id, kind";
	const char		*sql;
	size_t			 i;

	(void)state;
	/* Those of a resident, and those of a station. */
	assert_non_null(with(part, 1));
	for (i = 0; (sql = with(part, i)) != NULL; i++) {
		assert_true(goes(sql, "SEARCH l ",
		    "(community_id=? AND account_id=?)"));
		assert_false(goes(sql, "SEARCH l ", "(community_id=?)"));
		assert_false(goes(sql, "SEARCH a ", "(community_id=?)"));
		assert_false(goes(sql, "SEARCH w ", "(community_id=?)"));
	}
}

static void
test_the_audit_has_an_index_for_each_question(void **state)
{
	static const char	*const ways[][2] = {
		{ "(a.at, a.seq) <", "audit_at" },
		{ " AND a.thing = $7 AND (a.thing_id", "audit_kind" },
		{ " AND a.thing = $7 AND a.thing_id = $8", "audit_thing" },
		{ " AND a.subject_id = $6", "audit_subject" },
		{ " AND a.user_id = $5", "audit_user" },
	};
	const char		*sql;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		sql = with(ways[i][0], 0);
		assert_non_null(sql);
		assert_true(goes(sql, "SEARCH a ", ways[i][1]));
		assert_false(goes(sql, "ORDER BY", ""));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_found_by_account),
		cmocka_unit_test(
		    test_the_audit_has_an_index_for_each_question),
	};
	char		 url[300];
	const char	*folder, *file;
	struct db	*db;
	int		 n, failed;

	folder = unit_folder();
	file = unit_path(folder, "planet.db");
	snprintf(url, sizeof(url), "sqlite:%s", file);
	if (!service_ready() || db_open(url, 5000, false, &db) != OK ||
	    migrate_run(db, TEST_SQL_DIR, &n) != OK)
		return 1;
	db_close(db);
	if (sqlite3_open(unit_path(folder, "planet.db"), &base) != SQLITE_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	sqlite3_close(base);
	servers_remove(folder);
	return failed;
}
