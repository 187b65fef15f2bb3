/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c -- the files of a folder against the rows of schema_version.
 *
 * Each step is a transaction that first takes the lock of the engine, then
 * reads what is applied, then applies the next file: so two at once take
 * turns and each sees what the other did.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"

#include "store/db_internal.h"
#include "store/migrate.h"

#define FILE_MAX	(4 << 20)
#define PATIENCE_MS	(10 * CLOCK_MINUTE)	/* for locks and scripts */
#define VERSION_MAX	9999

/* One file of the folder. */
struct step {
	int		 version;
	const char	*name;		/* 0001-people */
	const char	*text;		/* as it stands in the file */
	char		 sha256[CRYPT_HEX_MAX];
};

struct plan {
	struct arena	*arena;
	const char	*dir;
	struct step	*steps;		/* 1..n, no gap; at [version - 1] */
	int		 n;
};

struct applied_row {
	int64_t		 version;
	const char	*name;
	const char	*sha256;
};

static const struct view_column applied_row_columns[] = {
	C_INT(applied_row, version),
	C_TEXT(applied_row, name),
	C_TEXT(applied_row, sha256),
	C_END
};
static const struct view applied_row = VIEW(applied_row, "Migration");

struct count_row {
	int64_t n;
};

static const struct view_column count_row_columns[] = {
	C_INT(count_row, n),
	C_END
};
static const struct view count_row = VIEW(count_row, "Count");

/* Not registered: they must work before there is a schema. */
enum { MIGRATE_IS_THERE, MIGRATE_APPLIED, MIGRATE_RECORD };

static const struct stmt migrate_sql[] = {
	[MIGRATE_IS_THERE] = { .mode = RO, .nargs = 0, .view = &count_row,
	    .sql = "SELECT COUNT(*) AS n FROM sqlite_schema"
	    " WHERE type = 'table' AND name = 'schema_version'",
	    .pgsql = "SELECT COUNT(*) AS n FROM pg_catalog.pg_class"
	    " WHERE oid = to_regclass('schema_version')" },
	[MIGRATE_APPLIED] = { .mode = RO, .nargs = 0, .view = &applied_row,
	    .sql = "SELECT version, name, sha256 FROM schema_version"
	    " ORDER BY version" },
	[MIGRATE_RECORD] = { .mode = RW, .nargs = 4,
	    .sql = "INSERT INTO schema_version"
	    " (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)" },
};

static const char bootstrap[] =
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version BIGINT PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " applied_at BIGINT NOT NULL)";

static enum err
refuse(const char *name, const char *why)
{
	char q[300];

	log_error("migrate file=%s message=\"%s\"",
	    log_quote(name, q, sizeof(q)), why);
	return ERR_CONFLICT;
}

/* NNNN-noun.sql: its number; 0 for a name of another form. */
static int
version_of(const char *name)
{
	size_t	n = strlen(name), digits = strspn(name, "0123456789");
	size_t	noun;
	int	v = 0;

	if (digits != 4 || name[4] != '-')
		return 0;
	noun = strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (noun == 0 || 5 + noun + 4 != n ||
	    strcmp(name + 5 + noun, ".sql") != 0)
		return 0;
	for (int i = 0; i < 4; i++)
		v = v * 10 + (name[i] - '0');
	return v;
}

static enum err
read_file(struct plan *p, const char *file, struct step *ret)
{
	char		*path = arena_fmt(p->arena, "%s/%s", p->dir, file);
	char		*text = NULL;
	struct stat	 st;
	size_t		 n = 0;
	FILE		*f;

	if ((f = fopen(path, "re")) == NULL)
		return refuse(file, strerror(errno));
	if (fstat(fileno(f), &st) == 0 && st.st_size <= FILE_MAX) {
		text = arena_take(p->arena, (size_t)st.st_size + 1);
		n = fread(text, 1, (size_t)st.st_size, f);
	}
	fclose(f);
	if (text == NULL || n != (size_t)st.st_size || strlen(text) != n)
		return refuse(file, "unreadable, too large or with a NUL");
	ret->version = version_of(file);
	ret->name = arena_copy(p->arena, file, strlen(file) - 4);
	ret->text = text;
	crypt_sha256(text, n, ret->sha256);
	return OK;
}

static int
is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".sql") == 0 &&
	    d->d_name[0] != '.';
}

/* Read the sorted names into the plan. */
static enum err
plan_fill(struct plan *p, struct dirent **names, int n)
{
	enum err e;

	if (n == 0 || n > VERSION_MAX)
		return refuse(p->dir, "no migrations in this folder");
	p->steps = ARENA_ARRAY(p->arena, struct step, n);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (version_of(name) == 0)
			return refuse(name, "not named NNNN-noun.sql");
		if (version_of(name) != i + 1)
			return refuse(name, "a number is missing or double");
		if ((e = read_file(p, name, &p->steps[i])) != OK)
			return e;
	}
	p->n = n;
	return OK;
}

static enum err
plan_read(struct plan *p)
{
	struct dirent	**names;
	enum err	  e;
	int		  n;

	if ((n = scandir(p->dir, &names, is_sql, alphasort)) < 0)
		return refuse(p->dir, strerror(errno));
	e = plan_fill(p, names, n);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return e;
}

/* Whether the line at `s` of `n` bytes is `-- WORDS`, blanks aside. */
static bool
is_line(const char *s, size_t n, const char *words)
{
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		n--;
	while (n > 0 && strchr(" \t", *s) != NULL) {
		s++;
		n--;
	}
	return n == strlen(words) && memcmp(s, words, n) == 0;
}

/* The text without the blocks that are for the other engine. */
static enum err
select_engine(struct plan *p, const struct step *step, const char *engine,
    const char **ret)
{
	char		*out = arena_take(p->arena, strlen(step->text) + 1);
	size_t		 used = 0;
	const char	*mark = NULL;	/* engine of the block we are in */

	for (const char *s = step->text, *next; *s != '\0'; s = next) {
		size_t n = strcspn(s, "\n");

		next = s + n + (s[n] == '\n');
		if (is_line(s, n, "-- only sqlite") ||
		    is_line(s, n, "-- only postgresql")) {
			if (mark != NULL)
				return refuse(step->name, "block in a block");
			mark = is_line(s, n, "-- only sqlite") ? "sqlite" :
			    "postgresql";
		} else if (is_line(s, n, "-- end")) {
			if (mark == NULL)
				return refuse(step->name, "end of no block");
			mark = NULL;
		} else if (n >= 7 && memcmp(s, "-- only", 7) == 0)
			return refuse(step->name, "for which engine?");
		else if (mark == NULL || strcmp(mark, engine) == 0) {
			memcpy(out + used, s, (size_t)(next - s));
			used += (size_t)(next - s);
		}
	}
	if (mark != NULL)
		return refuse(step->name, "block without its end");
	*ret = out;
	return OK;
}

/* Compare the rows with the files; gives how many are applied. */
static enum err
compare(struct db *db, const struct plan *p, int *ret_applied)
{
	struct applied_row	row;
	struct rows		rows;
	enum err		e, verdict = OK;
	int			n = 0;

	if ((e = db_query(db, &migrate_sql[MIGRATE_APPLIED], NOTHING,
	    &rows)) != OK)
		return e;
	while (verdict == OK && db_each(&rows, &row)) {
		if (row.version > p->n)
			verdict = refuse(row.name,
			    "the database is newer than this program");
		else if (row.version != ++n)
			verdict = refuse(row.name, "was applied out of turn");
		else if (strcmp(row.sha256, p->steps[n - 1].sha256) != 0 ||
		    strcmp(row.name, p->steps[n - 1].name) != 0)
			verdict = refuse(row.name,
			    "was changed after it was applied");
	}
	if ((e = db_end(&rows)) != OK)
		return e;
	*ret_applied = n;
	return verdict;
}

/* BEGIN IMMEDIATE is SQLite's lock; PostgreSQL has one to be asked for. */
static enum err
lock(struct db *db)
{
	if (db->ops == &db_pgsql_ops)
		return db_script(db,
		    "SELECT pg_advisory_xact_lock(3472328296227680304)");
	return OK;
}

static enum err
apply(struct db *db, struct plan *p, const struct step *step)
{
	const char	*sql = NULL;
	enum err	 e;

	if ((e = select_engine(p, step, db_engine(db), &sql)) != OK)
		return e;
	log_info("migrate apply=%s", step->name);
	if ((e = db_script(db, sql)) != OK) {
		refuse(step->name, "failed");
		return e;
	}
	return db_run(db, &migrate_sql[MIGRATE_RECORD],
	    WITH(V(step->version), V(step->name),
	    V((const char *)step->sha256), V(clock_now())), NULL);
}

/* Within a transaction: apply the next file, if there is one. */
static enum err
next_step(struct db *db, struct plan *p, bool *ret_more)
{
	enum err	e;
	int		n;

	if ((e = lock(db)) != OK || (e = db_script(db, bootstrap)) != OK ||
	    (e = compare(db, p, &n)) != OK)
		return e;
	*ret_more = n < p->n;
	return *ret_more ? apply(db, p, &p->steps[n]) : OK;
}

static enum err
run_all(struct db *db, struct plan *p, int *ret_applied)
{
	enum err	e;
	int		n = 0;
	bool		more = true;

	while (more) {
		if ((e = db_begin(db)) != OK)
			return e;
		if ((e = next_step(db, p, &more)) != OK) {
			db_rollback(db);
			return e;
		}
		if ((e = db_commit(db)) != OK)
			return e;
		n += more;
	}
	*ret_applied = n;
	return OK;
}

enum err
migrate_run(struct db *db, const char *dir, int *ret_applied)
{
	struct plan	p = { .dir = dir };
	int64_t		before = db->timeout_ms;
	enum err	e;

	p.arena = arena_new((size_t)FILE_MAX * 16);
	if ((e = plan_read(&p)) == OK &&
	    (e = db_patience(db, PATIENCE_MS)) == OK) {
		e = run_all(db, &p, ret_applied);
		db_patience(db, before);
	}
	arena_free(p.arena);
	return e;
}

/* Whether schema_version is there and says what the folder says. */
static enum err
check(struct db *db, struct plan *p)
{
	struct count_row	row = { 0 };
	enum err		e;
	int			n = 0;

	if ((e = db_one(db, p->arena, &migrate_sql[MIGRATE_IS_THERE],
	    NOTHING, &row)) != OK)
		return e;
	if (row.n != 0 && (e = compare(db, p, &n)) != OK)
		return e;
	if (n < p->n)
		return refuse(p->steps[n].name, "is not applied yet");
	return OK;
}

enum err
migrate_check(struct db *db, const char *dir)
{
	struct plan	p = { .dir = dir };
	enum err	e;

	p.arena = arena_new((size_t)FILE_MAX * 16);
	if ((e = plan_read(&p)) == OK)
		e = check(db, &p);
	arena_free(p.arena);
	return e;
}
