/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_rig.c -- a database and a folder for the commands of planetctl.
 */
#include <fcntl.h>

#include "unit.h"

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/view.h"
#include "store/db.h"
#include "store/migrate.h"

#include "ctl_rig.h"
#include "servers.h"

#define WORDS_MAX 32

struct ctl	 ctl_rig;
const char	*ctl_rig_dir;
const char	*ctl_rig_redis;
char		 ctl_rig_out[65536];
char		 ctl_rig_err[65536];

static struct conf	*conf;

const char *
ctl_sql_dir(void)
{
	return TEST_SQL_DIR;
}

void
ctl_rig_start(void)
{
	const char	secret[] = "0123456789abcdef";

	log_open("test", LOG_ERROR_);
	assert_true(crypt_init());
	ctl_rig_dir = unit_folder();
	assert_int_equal(mkdir(unit_path(ctl_rig_dir, "run"), 0700), 0);
	assert_true(crypt_new_keys(unit_path(ctl_rig_dir, "planet.keys")));
	unit_write(unit_path(ctl_rig_dir, "wechat.secret"), secret,
	    strlen(secret), 0600);
	ctl_import_register();
	ctl_demo_register();
	ctl_admin_register();
}

void
ctl_rig_stop(void)
{
	servers_remove(ctl_rig_dir);
}

const char *
ctl_rig_file(const char *name, const char *text)
{
	char	*path = arena_fmt(ctl_rig.arena, "%s/%s", ctl_rig_dir, name);

	unit_write(path, text, strlen(text), 0600);
	return path;
}

static void
load_conf(const char *url, const char *more)
{
	char	*text;

	text = arena_fmt(ctl_rig.arena, "[server]\n%s\n[database]\ndb = %s\n"
	    "[redis]\nredis = %s\n[wechat]\nwechat_appid = wx01\n"
	    "wechat_url = http://127.0.0.1:9\nwechat_timeout_ms = 200\n"
	    "[templates]\norder_progress = a\norder_todo = b\n",
	    more, url, ctl_rig_redis != NULL ? ctl_rig_redis :
	    "unix:run/none.sock");
	conf = conf_load(ctl_rig_file("planet.conf", text));
	assert_non_null(conf);
	ctl_rig.conf = conf;
}

/* A database as before the first migration. */
static void
empty(const char *url)
{
	struct db	*db;

	if (url == NULL) {
		unlink(unit_path(ctl_rig_dir, "planet.db"));
		unlink(unit_path(ctl_rig_dir, "planet.db-wal"));
		unlink(unit_path(ctl_rig_dir, "planet.db-shm"));
		return;
	}
	assert_int_equal(db_open(url, 5000, false, &db), OK);
	assert_int_equal(db_script(db, "SET client_min_messages = warning;"
	    "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"), OK);
	db_close(db);
}

void
ctl_rig_open(const char *url, const char *more)
{
	struct db	*db;
	int		 n;

	ctl_rig.arena = arena_new(64 << 20);
	load_conf(url != NULL ? url : "sqlite:planet.db", more);
	empty(url);
	assert_int_equal(db_open(conf->db, 5000, false, &db), OK);
	assert_int_equal(migrate_run(db, ctl_sql_dir(), &n), OK);
	db_close(db);
	assert_int_equal(db_open(conf->db, 5000, true, &ctl_rig.db), OK);
}

void
ctl_rig_close(void)
{
	db_close(ctl_rig.db);
	arena_free(ctl_rig.arena);
	conf_free(conf);
	ctl_rig = (struct ctl){ .conf = NULL };
}

/* From now on `fd` is written to the file; a copy of what it was. */
static int
divert(int fd, const char *path)
{
	int	saved = dup(fd);
	int	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(saved >= 0 && file >= 0);
	assert_int_equal(dup2(file, fd), fd);
	close(file);
	return saved;
}

static void
restore(int fd, int saved, const char *path, char *out, size_t size)
{
	FILE	*f;
	size_t	 n;

	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

int
ctl_rig_run(int (*fn)(struct ctl *, int, char **), const char *const *words)
{
	const char	*out = unit_path(ctl_rig_dir, "out");
	const char	*err = unit_path(ctl_rig_dir, "err");
	char		*argv[WORDS_MAX];
	int		 rc, argc, saved_out, saved_err;

	for (argc = 0; words[argc] != NULL; argc++) {
		assert_true(argc < WORDS_MAX - 1);
		argv[argc] = arena_str(ctl_rig.arena, words[argc]);
	}
	argv[argc] = NULL;
	fflush(stdout);
	fflush(stderr);
	saved_out = divert(STDOUT_FILENO, out);
	saved_err = divert(STDERR_FILENO, err);
	rc = fn(&ctl_rig, argc, argv);
	fflush(stdout);
	fflush(stderr);
	restore(STDOUT_FILENO, saved_out, out, ctl_rig_out,
	    sizeof(ctl_rig_out));
	restore(STDERR_FILENO, saved_err, err, ctl_rig_err,
	    sizeof(ctl_rig_err));
	return rc;
}

struct number {
	int64_t		 n;
};

static const struct view_column number_columns[] = { C_INT(number, n), C_END };
static const struct view number_view = VIEW(number, "Number");

int64_t
ctl_rig_number(const char *sql)
{
	struct stmt	s = { .mode = RO, .view = &number_view, .sql = sql };
	struct number	row = { -1 };

	assert_int_equal(db_one(ctl_rig.db, ctl_rig.arena, &s, NOTHING,
	    &row), OK);
	return row.n;
}

struct text {
	const char	*s;
};

static const struct view_column text_columns[] = { C_TEXT(text, s), C_END };
static const struct view text_view = VIEW(text, "Text");

const char *
ctl_rig_text(const char *sql)
{
	struct stmt	s = { .mode = RO, .view = &text_view, .sql = sql };
	struct text	row = { NULL };

	assert_int_equal(db_one(ctl_rig.db, ctl_rig.arena, &s, NOTHING,
	    &row), OK);
	return row.s;
}

int
ctl_rig_both(int (*cases)(const char *url))
{
	struct server	pgsql;
	int		failed;

	ctl_rig_start();
	failed = cases(NULL);
	if (servers_pgsql(&pgsql)) {
		failed += cases(pgsql.where);
		servers_stop(&pgsql);
	}
	if (failed == 0)
		ctl_rig_stop();
	return failed;
}
