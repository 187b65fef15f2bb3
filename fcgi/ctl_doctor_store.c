/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_doctor_store.c -- what doctor asks the database and Redis.
 *
 * These statements are each engine's own and run once, so they are not
 * registered with the others.
 */
#include <sys/stat.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/view.h"
#include "service/sealed.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/redis.h"

#include "ctl.h"
#include "ctl_doctor.h"

#define QUICK_CHECK_MAX	(256LL << 20)	/* bytes; beyond it takes long */
#define PGSQL_VERSION	150000
#define REDIS_MAJOR	6
#define CLOCKS_APART	2000		/* ms */
#define GENERATIONS	2		/* at once, during a reload */

/* The one value of a setting. */
struct setting {
	const char	*value;
};

/* Leading digits as a number; what follows does not matter. */
static int64_t
number(const char *s)
{
	int64_t	v = 0;

	for (; *s >= '0' && *s <= '9' && v < INT64_MAX / 100; s++)
		v = v * 10 + (*s - '0');
	return v;
}

/* What the engine answers to `sql`, whose column is `name`; NULL: none. */
static const char *
setting(struct doctor *d, struct db *db, const char *sql, const char *name)
{
	const struct view_column	columns[] = {
		{ .kind = VIEW_TEXT, .name = name,
		    .offset = offsetof(struct setting, value) },
		C_END
	};
	const struct view		view = { .name = "Setting",
		.size = sizeof(struct setting), .columns = columns };
	const struct stmt		stmt = { RO, 0, &view, sql, NULL, 0 };
	struct setting			row = { NULL };

	if (db_one(db, d->arena, &stmt, NOTHING, &row) != OK)
		return NULL;
	return row.value;
}

/* Say of a setting whether it is `want`; when not, `grade`. */
static void
expect(struct doctor *d, const char *name, const char *value,
    const char *want, enum grade grade, const char *how)
{
	if (value != NULL && strcmp(value, want) == 0)
		ctl_doctor_say(d, GRADE_OK, arena_fmt(d->arena, "%s is %s",
		    name, value), NULL);
	else
		ctl_doctor_say(d, grade, arena_fmt(d->arena,
		    "%s is %s, not %s", name,
		    value != NULL ? value : "unknown", want), how);
}

/* ---- SQLite ---- */

static bool
is_sqlite(const struct doctor *d)
{
	return strncmp(d->conf->db, "sqlite:", strlen("sqlite:")) == 0;
}

static const char *
sqlite_path(const struct doctor *d)
{
	return d->conf->db + strlen("sqlite:");
}

static void
check_sqlite_file(struct doctor *d, struct db *db)
{
	const char	*path = sqlite_path(d);
	const char	*value;
	struct stat	 st;

	if (stat(path, &st) == -1)
		return;
	if ((st.st_mode & 077) != 0)
		ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
		    "%s can be read by others", path),
		    arena_fmt(d->arena, "chmod 600 %s", path));
	if (st.st_size > QUICK_CHECK_MAX)
		return;
	value = setting(d, db, "PRAGMA quick_check(1)", "quick_check");
	expect(d, "SQLite's quick_check", value, "ok", GRADE_FAIL,
	    "stop the programs and restore the last good copy");
}

static void
check_sqlite(struct doctor *d, struct db *db)
{
	expect(d, "SQLite's journal_mode",
	    setting(d, db, "SELECT journal_mode FROM pragma_journal_mode",
	    "journal_mode"), "wal",
	    GRADE_FAIL, "keep the file on a local disk");
	check_sqlite_file(d, db);
}

/* ---- PostgreSQL ---- */

static void
check_connections(struct doctor *d, struct db *db)
{
	const struct conf	*c = d->conf;
	const char		*value = setting(d, db,
	    "SHOW max_connections", "max_connections");
	int64_t			 need, have;
	char			*what;

	need = (c->api_threads + c->slow_threads + c->jobs_threads) *
	    GENERATIONS;
	have = value != NULL ? number(value) : 0;
	what = arena_fmt(d->arena, "PostgreSQL takes %lld connections; one"
	    " worker a pool and a reload want %lld", (long long)have,
	    (long long)need);
	if (have > need)
		ctl_doctor_say(d, GRADE_OK, what, NULL);
	else
		ctl_doctor_say(d, GRADE_WARN, what, "raise max_connections,"
		    " or lower api_threads and slow_threads");
}

static void
check_pgsql(struct doctor *d, struct db *db)
{
	const char	*value;
	char		*what;

	value = setting(d, db, "SHOW server_version_num",
	    "server_version_num");
	what = arena_fmt(d->arena, "PostgreSQL %lld", value != NULL ?
	    (long long)number(value) / 10000 : 0);
	if (value != NULL && number(value) >= PGSQL_VERSION)
		ctl_doctor_say(d, GRADE_OK, what, NULL);
	else
		ctl_doctor_say(d, GRADE_FAIL, what,
		    "PostgreSQL 15 or later is needed");
	expect(d, "PostgreSQL's server_encoding",
	    setting(d, db, "SHOW server_encoding", "server_encoding"),
	    "UTF8", GRADE_FAIL, "make the database with ENCODING 'UTF8'");
	expect(d, "PostgreSQL's fsync", setting(d, db, "SHOW fsync",
	    "fsync"), "on", GRADE_WARN,
	    "fsync = on, or a power cut loses orders");
	expect(d, "PostgreSQL's synchronous_commit", setting(d, db,
	    "SHOW synchronous_commit", "synchronous_commit"), "on",
	    GRADE_WARN, "synchronous_commit = on, or a crash loses orders");
	check_connections(d, db);
}

/* ---- both ---- */

/* A value of each sealed column: a key file of elsewhere opens none. */
static void
check_sealed(struct doctor *d, struct db *db)
{
	const struct sealed	*col;
	struct sealed_row	 row;
	char			 names[1][CRYPT_KEY_MAX];
	int			 n = 0, bad = 0;

	if (crypt_keys(names, 1) == 0)
		return;
	for (col = sealed_columns; col->table != NULL; col++) {
		if (db_one(db, d->arena, &col->sample, NOTHING, &row) != OK)
			continue;
		n++;
		if (crypt_open(d->arena, col->name, row.sealed) != NULL)
			continue;
		bad++;
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s.%s does not open with these keys", col->table,
		    col->column), arena_fmt(d->arena, "bring back the %s"
		    " that belongs to this database", d->conf->keys_file));
	}
	if (bad == 0)
		ctl_doctor_say(d, GRADE_OK, arena_fmt(d->arena,
		    "what is sealed opens (%d columns in use)", n), NULL);
}

/* All statements of the programs against what is there. */
static void
check_statements(struct doctor *d)
{
	struct db	*db = NULL;

	if (db_open(d->conf->db, d->conf->db_timeout_ms, true, &db) == OK) {
		ctl_doctor_say(d, GRADE_OK, "all statements fit", NULL);
		check_sealed(d, db);
	} else
		ctl_doctor_say(d, GRADE_FAIL, "statements do not fit the"
		    " database", "bring in the same version of programs"
		    " and migrations");
	db_close(db);
}

static void
check_schema(struct doctor *d, struct db *db)
{
	if (migrate_check(db, ctl_sql_dir()) != OK) {
		ctl_doctor_say(d, GRADE_FAIL, "the database is not at this"
		    " program's schema", "planetctl migrate");
		return;
	}
	ctl_doctor_say(d, GRADE_OK, "the database is at this program's"
	    " schema", NULL);
	check_statements(d);
}

/* Without the password that a URL may hold. */
static const char *
name_of(const struct doctor *d)
{
	return is_sqlite(d) ? d->conf->db : "PostgreSQL";
}

void
ctl_doctor_store_db(struct doctor *d)
{
	struct db	*db = NULL;
	char		*what;

	what = arena_fmt(d->arena, "database %s", name_of(d));
	/* Opening would make it. */
	if (is_sqlite(d) && access(sqlite_path(d), F_OK) == -1) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s is not there", what), "planetctl migrate");
		return;
	}
	if (db_open(d->conf->db, d->conf->db_timeout_ms, false, &db) != OK) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s does not answer", what), "start it, or see to"
		    " [database]; the log line says why");
		return;
	}
	ctl_doctor_say(d, GRADE_OK, what, NULL);
	if (strcmp(db_engine(db), "sqlite") == 0)
		check_sqlite(d, db);
	else
		check_pgsql(d, db);
	check_schema(d, db);
	db_close(db);
}

/* ---- Redis ---- */

/* Item `i` of the reply to a command of up to three words; NULL: none. */
static const char *
reply_item(struct doctor *d, int i, const char *a, const char *b,
    const char *c)
{
	const char	*argv[] = { a, b, c };
	const char	**items;
	int		 n, argc = b == NULL ? 1 : c == NULL ? 2 : 3;

	if (redis_list(d->redis, d->arena, argc, argv, &items, &n) != OK ||
	    i >= n)
		return NULL;
	return items[i];
}

static void
check_redis_version(struct doctor *d)
{
	static const char	 field[] = "redis_version:";
	const char		*info, *at;
	char			*what;

	/* A list is what redis_list takes, so a script makes one. */
	info = reply_item(d, 0, "EVAL",
	    "return {redis.call('INFO', 'server')}", "0");
	if (info == NULL || (at = strstr(info, field)) == NULL) {
		ctl_doctor_say(d, GRADE_WARN, "Redis does not say its"
		    " version", "Redis 6 or later is needed");
		return;
	}
	at += strlen(field);
	what = arena_fmt(d->arena, "Redis %.*s", (int)strcspn(at, "\r\n"),
	    at);
	if (number(at) >= REDIS_MAJOR)
		ctl_doctor_say(d, GRADE_OK, what, NULL);
	else
		ctl_doctor_say(d, GRADE_FAIL, what,
		    "Redis 6 or later is needed");
}

static void
check_redis_clock(struct doctor *d)
{
	const char	*value = reply_item(d, 0, "TIME", NULL, NULL);
	int64_t		 apart;

	if (value == NULL)
		return;
	apart = llabs(number(value) * CLOCK_SECOND - clock_now());
	if (apart > CLOCKS_APART && d->conf->clock_file[0] == '\0')
		ctl_doctor_say(d, GRADE_WARN, arena_fmt(d->arena,
		    "Redis's clock and ours are %lld s apart",
		    (long long)(apart / CLOCK_SECOND)),
		    "keep both by a time server");
}

void
ctl_doctor_store_redis(struct doctor *d)
{
	char	*what = arena_fmt(d->arena, "Redis at %s", d->conf->redis);

	if (redis_ping(d->redis) != OK) {
		ctl_doctor_say(d, GRADE_FAIL, arena_fmt(d->arena,
		    "%s does not answer", what),
		    "start it, or see to [redis]");
		return;
	}
	ctl_doctor_say(d, GRADE_OK, what, NULL);
	check_redis_version(d);
	expect(d, "Redis's appendonly", reply_item(d, 1, "CONFIG", "GET",
	    "appendonly"), "yes", GRADE_WARN,
	    "appendonly yes, or a restart logs everybody out");
	expect(d, "Redis's maxmemory-policy", reply_item(d, 1, "CONFIG",
	    "GET", "maxmemory-policy"), "noeviction", GRADE_WARN,
	    "maxmemory-policy noeviction, or sessions vanish");
	check_redis_clock(d);
}
