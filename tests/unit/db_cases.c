/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_cases.c -- the promises of db.h, each with its refusal beside it.
 */
#include <pthread.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"

#include "db_cases.h"

struct thing {
	int64_t		 id;
	const char	*name;
	const char	*note;		/* may be NULL */
	int64_t		 count;		/* may be NULL, flagged */
	int64_t		 rest;		/* may be NULL, not flagged */
	int64_t		 flag;
};

static const struct view_column thing_columns[] = {
	C_ID(thing, id),
	C_TEXT(thing, name),
	C_CALC("can", SHAPE_TEXT, NULL),
	C_TEXT(thing, note, .flags = VIEW_NULL),
	C_INT(thing, count, .flags = VIEW_NULL),
	C_INT(thing, rest),
	C_BOOL(thing, flag),
	C_END
};
static const struct view thing = VIEW(thing, "Thing");

struct number {
	int64_t n;
};

static const struct view_column number_columns[] = {
	C_INT(number, n),
	C_END
};
static const struct view number = VIEW(number, "Number");

#define THING	"id, name, note, count, rest, flag"

enum { ADD, GET, LIST, BACKWARDS, COUNT, RAISE, RENAME, CHILD, DROP,
	SLOW, ADD_QUIETLY, CASES_SQL_MAX };

static struct stmt sql[] = {
	[ADD] = { .mode = RW, .nargs = 6, .view = &thing,
	    .sql = "INSERT INTO thing (" THING ")"
	    " VALUES ($1, $2, $3, $4, $5, $6 = 1) RETURNING " THING,
	    .pgsql = "INSERT INTO thing (" THING ")"
	    " VALUES ($1, $2, $3, $4, $5, $6) RETURNING " THING },
	[GET] = { .mode = RO, .nargs = 1, .view = &thing,
	    .sql = "SELECT " THING " FROM thing WHERE id = $1" },
	[LIST] = { .mode = RO, .nargs = 1, .view = &thing,
	    .sql = "SELECT " THING " FROM thing ORDER BY id LIMIT $1" },
	/* $3 stands first, $1 twice. */
	[BACKWARDS] = { .mode = RO, .nargs = 3, .view = &number,
	    .sql = "SELECT id AS n FROM thing WHERE name = $3"
	    " AND id > $1 AND id < $2 AND id <> $1" },
	[COUNT] = { .mode = RO, .nargs = 0, .view = &number,
	    .sql = "SELECT COUNT(*) AS n FROM thing" },
	[RAISE] = { .mode = RW, .nargs = 2, .view = NULL,
	    .sql = "UPDATE thing SET count = count + $2 WHERE id = $1" },
	[RENAME] = { .mode = RW, .nargs = 2, .view = NULL,
	    .sql = "UPDATE thing SET name = $2 WHERE id = $1" },
	[CHILD] = { .mode = RW, .nargs = 2, .view = &number,
	    .sql = "INSERT INTO child (id, thing) VALUES ($1, $2)"
	    " RETURNING id AS n" },
	[DROP] = { .mode = RW, .nargs = 0, .view = NULL,
	    .sql = "DELETE FROM thing" },
	[SLOW] = { .mode = RO, .nargs = 1, .view = &number,
	    .sql = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM r WHERE i < $1) SELECT COUNT(*) AS n FROM r" },
	[ADD_QUIETLY] = { .mode = RW, .nargs = 2, .view = NULL,
	    .sql = "INSERT INTO thing (id, name) VALUES ($1, $2)"
	    " ON CONFLICT (id) DO NOTHING" },
};
_Static_assert(nitems(sql) == CASES_SQL_MAX, "one entry each");

static const char	*url;
static struct db	*db, *other;
static struct arena	*arena;

void
cases_register(void)
{
	db_register(sql, nitems(sql));
}

struct db *
cases_open(void)
{
	struct db *d = NULL;

	assert_int_equal(db_open(url, CASES_TIMEOUT_MS, true, &d), OK);
	return d;
}

enum err
cases_add(struct db *d, int64_t id, const char *name)
{
	enum err e;

	if ((e = db_begin(d)) != OK)
		return e;
	if ((e = db_run(d, &sql[ADD], WITH(V(id), V(name), VNULL, V(0),
	    VNULL, V(true)), NULL)) != OK) {
		db_rollback(d);
		return e;
	}
	return db_commit(d);
}

int64_t
cases_count(struct db *d)
{
	struct number row;

	if (db_one(d, arena, &sql[COUNT], NOTHING, &row) != OK)
		return -1;
	return row.n;
}

void
cases_clear(struct db *d)
{
	assert_int_equal(db_script(d, "DELETE FROM child; DELETE FROM thing;"),
	    OK);
}

static int
set_up(void **state)
{
	(void)state;
	arena_reset(arena);
	cases_clear(db);
	return 0;
}

static void
addresses_are_refused(void **state)
{
	struct db *d = NULL;

	(void)state;
	assert_int_equal(db_open("mysql://x", 100, false, &d), ERR_INTERNAL);
	assert_int_equal(db_open("sqlite:", 100, false, &d), ERR_INTERNAL);
	assert_int_equal(db_open("sqlite:/nowhere/at/all.db", 100, false,
	    &d), ERR_AWAY);
	assert_int_equal(db_open("postgresql:///x?host=/nowhere", 100, false,
	    &d), ERR_AWAY);
	assert_null(d);
	db_close(NULL);
}

static void
every_kind_comes_back(void **state)
{
	struct thing in, out;

	(void)state;
	assert_int_equal(db_begin(db), OK);
	assert_true(db_in_transaction(db));
	assert_int_equal(db_one(db, arena, &sql[ADD], WITH(V(INT64_MAX),
	    V("水桶 🚰 'x'"), V(""), V(INT64_MIN + 1), V(-7), V(true)),
	    &in), OK);
	assert_int_equal(db_commit(db), OK);
	assert_false(db_in_transaction(db));
	assert_int_equal(db_one(db, arena, &sql[GET], WITH(V(INT64_MAX)),
	    &out), OK);
	assert_true(in.id == INT64_MAX && out.id == INT64_MAX);
	assert_string_equal(in.name, "水桶 🚰 'x'");
	assert_string_equal(out.name, in.name);
	assert_string_equal(out.note, "");
	assert_true(out.count == INT64_MIN + 1);
	assert_int_equal(out.rest, -7);
	assert_int_equal(out.flag, 1);
}

static void
null_is_told_from_zero_where_flagged(void **state)
{
	struct thing row;

	(void)state;
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_one(db, arena, &sql[ADD], WITH(V(1), V("a"),
	    V((const char *)NULL), VNULL, VNULL, V(false)), &row), OK);
	assert_int_equal(db_commit(db), OK);
	assert_null(row.note);
	assert_true(row.count == VIEW_NULL_INT);
	assert_int_equal(row.rest, 0);
	assert_int_equal(row.flag, 0);
}

static void
no_row_is_absent_and_writes_nothing(void **state)
{
	struct thing row, before;

	(void)state;
	memset(&row, 0x5a, sizeof(row));
	before = row;
	assert_int_equal(db_one(db, arena, &sql[GET], WITH(V(4)), &row),
	    ERR_ABSENT);
	assert_memory_equal(&row, &before, sizeof(row));
	/* Absence is no failure: a transaction goes on after it. */
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_one(db, arena, &sql[GET], WITH(V(4)), &row),
	    ERR_ABSENT);
	assert_int_equal(db_run(db, &sql[ADD_QUIETLY], WITH(V(4), V("d")),
	    NULL), OK);
	assert_int_equal(db_commit(db), OK);
	assert_int_equal(cases_count(db), 1);
}

static void
parameters_go_by_number(void **state)
{
	static const char *const names[] = { "v", "w", "x", "y", "z" };
	struct number row;

	(void)state;
	for (int i = 1; i <= 5; i++)
		assert_int_equal(cases_add(db, i, names[i - 1]), OK);
	assert_int_equal(db_one(db, arena, &sql[BACKWARDS], WITH(V(1), V(5),
	    V("x")), &row), OK);
	assert_int_equal(row.n, 3);
	assert_int_equal(db_one(db, arena, &sql[BACKWARDS], WITH(V(3), V(5),
	    V("x")), &row), ERR_ABSENT);
}

static void
values_must_be_as_many_as_parameters(void **state)
{
	struct thing row;

	(void)state;
	assert_int_equal(db_one(db, arena, &sql[GET], NOTHING, &row),
	    ERR_INTERNAL);
	assert_int_equal(db_one(db, arena, &sql[GET], WITH(V(1), V(2)),
	    &row), ERR_INTERNAL);
}

static void
constraints_have_their_ends(void **state)
{
	struct number row;

	(void)state;
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_add(db, 1, "b"), ERR_UNIQUE);
	assert_int_equal(cases_add(db, 2, "a"), ERR_UNIQUE);
	assert_int_equal(cases_add(db, 2, NULL), ERR_CONSTRAINT);
	assert_int_equal(cases_add(db, -2, "c"), ERR_CONSTRAINT);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_one(db, arena, &sql[CHILD], WITH(V(1), V(99)),
	    &row), ERR_CONSTRAINT);
	db_rollback(db);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_one(db, arena, &sql[CHILD], WITH(V(1), V(1)),
	    &row), OK);
	assert_int_equal(db_commit(db), OK);
	assert_int_equal(cases_count(db), 1);
}

/* The constraint that failed is said once, without the value. */
static void
a_constraint_leaves_a_trace(void **state)
{
	char	 line[4096] = "";
	FILE	*fp = tmpfile();
	int	 kept = dup(STDERR_FILENO);
	enum err e;

	(void)state;
	assert_non_null(fp);
	dup2(fileno(fp), STDERR_FILENO);
	e = cases_add(db, -7361, "quite secret");
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(fp);
	line[fread(line, 1, sizeof(line) - 1, fp)] = '\0';
	fclose(fp);
	assert_int_equal(e, ERR_CONSTRAINT);
	assert_non_null(strstr(line, "onstraint"));
	assert_null(strstr(line, "7361"));
	assert_null(strstr(line, "secret"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
an_error_ends_the_transaction(void **state)
{
	(void)state;
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, &sql[RENAME], WITH(V(1), V("changed")),
	    NULL), OK);
	assert_int_equal(db_run(db, &sql[ADD], WITH(V(1), V("b"), VNULL,
	    VNULL, VNULL, V(0)), NULL), ERR_UNIQUE);
	assert_int_equal(db_run(db, &sql[RAISE], WITH(V(1), V(1)), NULL),
	    ERR_UNIQUE);
	assert_int_equal(db_commit(db), ERR_UNIQUE);
	assert_false(db_in_transaction(db));
	/* And nothing of it stays, nor stands in the way. */
	assert_int_equal(cases_add(db, 2, "changed"), OK);
}

static void
writing_needs_a_transaction(void **state)
{
	int64_t n = 5;

	(void)state;
	assert_int_equal(db_run(db, &sql[ADD_QUIETLY], WITH(V(1), V("a")),
	    &n), ERR_INTERNAL);
	assert_int_equal(n, 5);
	assert_int_equal(cases_count(db), 0);
	assert_int_equal(db_commit(db), ERR_INTERNAL);
	db_rollback(db);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_begin(db), ERR_INTERNAL);
	assert_int_equal(db_run(db, &sql[COUNT], NOTHING, &n), ERR_INTERNAL);
	db_rollback(db);
}

static void
changed_rows_are_counted(void **state)
{
	int64_t n = -1;

	(void)state;
	for (int i = 1; i <= 3; i++)
		assert_int_equal(cases_add(db, i, i == 1 ? "a" : i == 2 ?
		    "b" : "c"), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, &sql[RAISE], WITH(V(1), V(1)), &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(db_run(db, &sql[RAISE], WITH(V(9), V(1)), &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(db_run(db, &sql[ADD_QUIETLY], WITH(V(1), V("z")),
	    &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(db_run(db, &sql[DROP], NOTHING, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(db_commit(db), OK);
}

static void
rows_come_one_by_one(void **state)
{
	struct rows	rows;
	struct thing	row;
	int64_t		id = 0;
	char		name[16];

	(void)state;
	for (int i = 1; i <= 30; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(cases_add(db, i, name), OK);
	}
	assert_int_equal(db_query(db, &sql[LIST], WITH(V(20)), &rows), OK);
	while (db_each(&rows, &row)) {
		snprintf(name, sizeof(name), "n%d", (int)++id);
		assert_int_equal(row.id, id);
		assert_string_equal(row.name, name);
	}
	assert_false(db_each(&rows, &row));
	assert_int_equal(db_end(&rows), OK);
	assert_int_equal(db_end(&rows), OK);
	assert_int_equal(id, 20);
}

static void
rows_may_be_left_and_nested(void **state)
{
	struct rows	outer, inner;
	struct thing	row;
	struct number	n;

	(void)state;
	for (int i = 1; i <= 3; i++)
		assert_int_equal(cases_add(db, i, i == 1 ? "a" : i == 2 ?
		    "b" : "c"), OK);
	assert_int_equal(db_query(db, &sql[LIST], WITH(V(9)), &outer), OK);
	assert_true(db_each(&outer, &row));
	assert_int_equal(db_query(db, &sql[COUNT], NOTHING, &inner), OK);
	assert_true(db_each(&inner, &n));
	assert_int_equal(n.n, 3);
	assert_int_equal(db_end(&inner), OK);
	assert_true(db_each(&outer, &row));
	assert_int_equal(row.id, 2);
	assert_int_equal(db_end(&outer), OK);
	/* Left half-way, it begins anew. */
	assert_int_equal(db_query(db, &sql[LIST], WITH(V(9)), &outer), OK);
	assert_true(db_each(&outer, &row));
	assert_int_equal(row.id, 1);
	assert_int_equal(db_end(&outer), OK);
}

static void
a_failed_query_can_be_ended(void **state)
{
	struct rows	rows;
	struct thing	row;

	(void)state;
	assert_int_equal(db_query(db, &sql[LIST], NOTHING, &rows),
	    ERR_INTERNAL);
	assert_false(db_each(&rows, &row));
	assert_int_equal(db_end(&rows), ERR_INTERNAL);
}

static void
rollback_undoes_and_others_do_not_see(void **state)
{
	(void)state;
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, &sql[ADD_QUIETLY], WITH(V(1), V("a")),
	    NULL), OK);
	assert_int_equal(cases_count(db), 1);
	assert_int_equal(cases_count(other), 0);
	db_rollback(db);
	assert_int_equal(cases_count(db), 0);
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(cases_count(other), 1);
}

static void
closing_rolls_back(void **state)
{
	struct db *d = cases_open();

	(void)state;
	assert_int_equal(db_begin(d), OK);
	assert_int_equal(db_run(d, &sql[ADD_QUIETLY], WITH(V(1), V("a")),
	    NULL), OK);
	db_close(d);
	assert_int_equal(cases_add(db, 1, "b"), OK);
}

static void
a_lock_is_waited_for_in_vain_but_not_long(void **state)
{
	int64_t		start;
	enum err	e;

	(void)state;
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(db_begin(db), OK);
	assert_int_equal(db_run(db, &sql[RAISE], WITH(V(1), V(1)), NULL),
	    OK);
	start = clock_mono_us();
	if ((e = db_begin(other)) == OK) {
		e = db_run(other, &sql[RAISE], WITH(V(1), V(1)), NULL);
		db_rollback(other);
	}
	assert_int_equal(e, ERR_AGAIN);
	assert_in_range(clock_mono_us() - start,
	    CASES_TIMEOUT_MS * 900, CASES_TIMEOUT_MS * 2500);
	assert_int_equal(db_commit(db), OK);
	assert_int_equal(db_begin(other), OK);
	assert_int_equal(db_run(other, &sql[RAISE], WITH(V(1), V(1)), NULL),
	    OK);
	assert_int_equal(db_commit(other), OK);
}

static void
a_long_statement_is_cut(void **state)
{
	struct number	row;
	int64_t		start = clock_mono_us();

	(void)state;
	assert_int_equal(db_one(db, arena, &sql[SLOW], WITH(V(1000)), &row),
	    OK);
	assert_int_equal(row.n, 1000);
	assert_int_equal(db_one(db, arena, &sql[SLOW],
	    WITH(V(2000000000)), &row), ERR_TIMEOUT);
	assert_true(clock_mono_us() - start < CASES_TIMEOUT_MS * 4000);
	assert_int_equal(db_one(db, arena, &sql[SLOW], WITH(V(10)), &row),
	    OK);
}

/* What a replayed function is to do. */
struct replay {
	int		calls;
	int		fail;		/* this many times */
	enum err	with;
};

static enum err
replayed(void *arg)
{
	struct replay	*r = arg;
	char		 name[16];
	enum err	 e;

	snprintf(name, sizeof(name), "n%d", r->calls);
	e = db_run(db, &sql[ADD_QUIETLY], WITH(V(++r->calls),
	    V((const char *)name)), NULL);
	assert_int_equal(e, OK);
	return r->calls <= r->fail ? r->with : OK;
}

static void
a_transaction_is_replayed_boundedly(void **state)
{
	struct replay	thrice = { 0, 2, ERR_AGAIN };
	struct replay	always = { 0, 99, ERR_AGAIN };
	struct replay	refused = { 0, 99, ERR_STATE };

	(void)state;
	assert_int_equal(db_transact(db, 5, replayed, &thrice), OK);
	assert_int_equal(thrice.calls, 3);
	assert_int_equal(cases_count(db), 1);
	assert_int_equal(db_transact(db, 4, replayed, &always), ERR_AGAIN);
	assert_int_equal(always.calls, 4);
	assert_int_equal(db_transact(db, 4, replayed, &refused), ERR_STATE);
	assert_int_equal(refused.calls, 1);
	assert_false(db_in_transaction(db));
	assert_int_equal(cases_count(db), 1);
}

static enum err
swallow(void *arg)
{
	(*(int *)arg)++;
	db_run(db, &sql[ADD], WITH(V(1), V("b"), VNULL, VNULL, VNULL, V(0)),
	    NULL);
	return OK;
}

static void
a_swallowed_error_is_not_committed(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(cases_add(db, 1, "a"), OK);
	assert_int_equal(db_transact(db, 3, swallow, &calls), ERR_UNIQUE);
	assert_int_equal(calls, 1);
}

#define WRITERS	6
#define EACH	40

static enum err
raise_one(void *arg)
{
	return db_run(arg, &sql[RAISE], WITH(V(1), V(1)), NULL);
}

static void *
writer(void *arg)
{
	struct db	*d = NULL;
	enum err	 e;

	(void)arg;
	/* The machine may be slow: only whether it adds up counts here. */
	if (db_open(url, 30000, true, &d) != OK)
		return NULL;
	for (int i = 0; i < EACH; i++)
		if ((e = db_transact(d, 5, raise_one, d)) != OK)
			break;
	db_close(d);
	return NULL;
}

static void
writers_do_not_lose_each_other(void **state)
{
	pthread_t	threads[WRITERS];
	struct thing	row;

	(void)state;
	assert_int_equal(cases_add(db, 1, "a"), OK);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer,
		    NULL), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(db_one(db, arena, &sql[GET], WITH(V(1)), &row), OK);
	assert_int_equal(row.count, WRITERS * EACH);
}

static void
a_script_is_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(db_script(db,
	    "INSERT INTO thing (id, name) VALUES (1, 'a');"
	    "INSERT INTO thing (id, name) VALUES (2, 'b;c');"), OK);
	assert_int_equal(cases_count(db), 2);
	assert_int_equal(db_script(db,
	    "INSERT INTO thing (id, name) VALUES (3, 'c');"
	    "INSERT INTO thing (id, name) VALUES (1, 'a');"), ERR_UNIQUE);
	assert_int_equal(db_script(db,
	    "INSERT INTO thing (id, name) VALUES (3, 'c'); NONSENSE;"),
	    ERR_INTERNAL);
	assert_int_equal(cases_count(db), 2);
}

/* Run a statement that was never registered, to see what is thought of it. */
static enum err
opinion(struct stmt s, struct values values)
{
	struct rows	rows;
	struct thing	row;
	enum err	e;

	if (s.mode == RW)
		assert_int_equal(db_begin(db), OK);
	if ((e = db_query(db, &s, values, &rows)) == OK) {
		while (db_each(&rows, &row))
			;
		e = db_end(&rows);
	}
	db_rollback(db);
	return e;
}

static void
statements_must_fit_their_rows(void **state)
{
	static const struct {
		struct stmt	stmt;
		enum err	e;
	} t[] = {
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT 1 AS n" }, OK },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT 1 AS m" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT 1 AS n, 2 AS m" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = NULL,
		    .sql = "SELECT 1 AS n" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT id AS n FROM thing WHERE id = $1" },
		    ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT id AS n FROM nothing" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELEKT 1 AS n" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "SELECT 1 AS n; SELECT 2 AS n" }, ERR_INTERNAL },
		{ { .mode = RO, .nargs = 0, .view = &number,
		    .sql = "INSERT INTO thing (id, name) VALUES (77, 'x')"
		    " RETURNING id AS n" }, ERR_INTERNAL },
		{ { .mode = RW, .nargs = 0, .view = &number,
		    .sql = "INSERT INTO thing (id, name) VALUES (77, 'x')"
		    " RETURNING id AS n" }, OK },
	};

	(void)state;
	for (size_t i = 0; i < nitems(t); i++)
		if (opinion(t[i].stmt, NOTHING) != t[i].e)
			fail_msg("row %zu: %s", i, t[i].stmt.sql);
	/* One of two parameters is missing. */
	assert_int_equal(opinion((struct stmt){ .mode = RO, .nargs = 2,
	    .view = &number, .sql = "SELECT id AS n FROM thing"
	    " WHERE id = $2" }, WITH(V(1), V(1))), ERR_INTERNAL);
	assert_int_equal(cases_count(db), 0);
}

static void
ping_answers(void **state)
{
	(void)state;
	assert_int_equal(db_ping(db), OK);
	assert_true(strcmp(db_engine(db), "sqlite") == 0 ||
	    strcmp(db_engine(db), "postgresql") == 0);
}

static void
registering_twice_counts_once(void **state)
{
	size_t n = 0;

	(void)state;
	cases_register();
	while (db_registered(n) != NULL)
		n++;
	assert_int_equal(n, CASES_SQL_MAX);
	assert_ptr_equal(db_registered(0), &sql[0]);
	assert_int_equal(sql[CASES_SQL_MAX - 1].id, CASES_SQL_MAX);
}

static const char schema[] =
    "CREATE TABLE thing (id BIGINT PRIMARY KEY CHECK (id > 0),"
    " name TEXT NOT NULL UNIQUE, note TEXT, count BIGINT, rest BIGINT,"
    " flag BOOLEAN NOT NULL DEFAULT TRUE);"
    "CREATE TABLE child (id BIGINT PRIMARY KEY,"
    " thing BIGINT NOT NULL REFERENCES thing (id));";

int
cases_run(const char *where)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_refused),
		cmocka_unit_test(registering_twice_counts_once),
		cmocka_unit_test_setup(every_kind_comes_back, set_up),
		cmocka_unit_test_setup(null_is_told_from_zero_where_flagged,
		    set_up),
		cmocka_unit_test_setup(no_row_is_absent_and_writes_nothing,
		    set_up),
		cmocka_unit_test_setup(parameters_go_by_number, set_up),
		cmocka_unit_test_setup(values_must_be_as_many_as_parameters,
		    set_up),
		cmocka_unit_test_setup(constraints_have_their_ends, set_up),
		cmocka_unit_test_setup(a_constraint_leaves_a_trace, set_up),
		cmocka_unit_test_setup(an_error_ends_the_transaction, set_up),
		cmocka_unit_test_setup(writing_needs_a_transaction, set_up),
		cmocka_unit_test_setup(changed_rows_are_counted, set_up),
		cmocka_unit_test_setup(rows_come_one_by_one, set_up),
		cmocka_unit_test_setup(rows_may_be_left_and_nested, set_up),
		cmocka_unit_test_setup(a_failed_query_can_be_ended, set_up),
		cmocka_unit_test_setup(rollback_undoes_and_others_do_not_see,
		    set_up),
		cmocka_unit_test_setup(closing_rolls_back, set_up),
		cmocka_unit_test_setup(
		    a_lock_is_waited_for_in_vain_but_not_long, set_up),
		cmocka_unit_test_setup(a_long_statement_is_cut, set_up),
		cmocka_unit_test_setup(a_transaction_is_replayed_boundedly,
		    set_up),
		cmocka_unit_test_setup(a_swallowed_error_is_not_committed,
		    set_up),
		cmocka_unit_test_setup(writers_do_not_lose_each_other,
		    set_up),
		cmocka_unit_test_setup(a_script_is_all_or_nothing, set_up),
		cmocka_unit_test_setup(statements_must_fit_their_rows,
		    set_up),
		cmocka_unit_test_setup(ping_answers, set_up),
	};
	int failed;

	url = where;
	arena = arena_new(1 << 20);
	if (db_open(url, CASES_TIMEOUT_MS, false, &db) != OK ||
	    db_script(db, schema) != OK)
		return 1;
	db_close(db);
	if (db_open(url, CASES_TIMEOUT_MS, true, &db) != OK ||
	    db_open(url, CASES_TIMEOUT_MS, true, &other) != OK)
		return 1;
	failed = cmocka_run_group_tests_name(db_engine(db), tests, NULL,
	    NULL);
	db_close(other);
	db_close(db);
	arena_free(arena);
	arena = arena_new(1 << 20);
	return failed;
}
