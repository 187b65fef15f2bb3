/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conf.c -- planet.conf: defaults, values, and what is refused how.
 */
#include <fcntl.h>

#include "unit.h"

#include "base/conf.h"
#include "base/conf_internal.h"

static const char	*folder, *path;
static char		 said[8192];

/* Load `text` as a file; what went to standard error is in `said`. */
static struct conf *
load(const char *text)
{
	const char	*log = unit_path(folder, "stderr");
	struct conf	*c;
	FILE		*f;
	size_t		 n;
	int		 kept, fd;

	unit_write(path, text, strlen(text), 0600);
	fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	fflush(stderr);
	kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	c = conf_load(path);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	f = fopen(log, "r");
	assert_non_null(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	unlink(log);
	return c;
}

static int
setup(void **state)
{
	(void)state;
	folder = unit_folder();
	path = strdup(unit_path(folder, "planet.conf"));
	return path == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	free((char *)(uintptr_t)path);
	return rmdir(folder);
}

static void
assert_same(const struct conf *a, const struct conf *b)
{
	const struct conf_key	*k;
	const char		*x, *y;

	for (k = conf_keys; k->section != NULL; k++) {
		x = (const char *)a + k->offset;
		y = (const char *)b + k->offset;
		if (k->kind == CONF_INT)
			assert_memory_equal(x, y, sizeof(int64_t));
		else
			assert_string_equal(*(const char *const *)x,
			    *(const char *const *)y);
	}
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct conf	*c = load("");
	char		 want[512];

	(void)state;
	assert_non_null(c);
	assert_string_equal(said, "");
	assert_string_equal(c->dir, folder);
	assert_string_equal(c->run_dir, unit_path(folder, "run"));
	snprintf(want, sizeof(want), "sqlite:%s/planet.db", folder);
	assert_string_equal(c->db, want);
	snprintf(want, sizeof(want), "unix:%s/run/redis.sock", folder);
	assert_string_equal(c->redis, want);
	assert_string_equal(c->keys_file, unit_path(folder, "planet.keys"));
	assert_string_equal(c->clock_file, "");
	assert_string_equal(c->listen, "127.0.0.1:8080");
	assert_string_equal(c->generation, "0");
	assert_string_equal(c->log_level, "info");
	assert_string_equal(c->wechat_url, "https://api.weixin.qq.com");
	assert_string_equal(c->wechat_state, "formal");
	assert_int_equal(c->api_threads, 16);
	assert_int_equal(c->body_max, 65536);
	assert_int_equal(c->session_cache_ms, 30000);
	assert_int_equal(c->accept_minutes, 15);
	assert_null(conf_template(c, "order_progress"));
	conf_free(c);
}

static void
the_sample_loads_and_equals_the_defaults(void **state)
{
	struct conf	*c = load(""), *s;
	char		 text[16384];
	FILE		*f = fmemopen(text, sizeof(text), "w");
	const struct conf_key	*k;

	(void)state;
	assert_non_null(c);
	assert_non_null(f);
	conf_sample(f);
	assert_int_equal(fclose(f), 0);
	s = load(text);
	assert_string_equal(said, "");
	assert_non_null(s);
	assert_same(s, c);
	for (k = conf_keys; k->section != NULL; k++) {
		assert_non_null(strstr(text, k->name));
		assert_non_null(strstr(text, k->about));
	}
	conf_free(s);
	conf_free(c);
}

static void
the_table_is_whole(void **state)
{
	const struct conf_key	*k, *o;

	(void)state;
	for (k = conf_keys; k->section != NULL; k++) {
		assert_true(strlen(k->about) > 0);
		assert_true(k->kind != CONF_INT || k->min < k->max);
		assert_int_equal(k->kind == CONF_ENUM, k->names != NULL);
		for (o = conf_keys; o < k; o++) {
			assert_int_not_equal(o->offset, k->offset);
			assert_string_not_equal(o->name, k->name);
		}
	}
	assert_true(k - conf_keys <= 64);
}

static void
values_are_taken(void **state)
{
	struct conf	*c = load("\xef\xbb\xbf; ours\n"
	    "[server]\nlisten = 0.0.0.0:80 ; all\nnode=7\ndir = ./var/\n"
	    "run_dir = /run/planet\nclock_file = clock\nlog_level=debug\r\n"
	    "generation = g-2_b\n\n"
	    "[database]\ndb = postgresql://planet@/planet?host=/run#x\n"
	    "[redis]\nredis = 127.0.0.1:6379\nredis_db = 15\n"
	    "# users\n[limits]\nuser_reads = 0\n"
	    "[wechat]\nwechat_appid = wx0123456789abcdef\n"
	    "wechat_state = trial\n"
	    "[templates]\norder_todo = T-2_x\norder_progress = abc\n");

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(c);
	assert_string_equal(c->listen, "0.0.0.0:80");
	assert_int_equal(c->node, 7);
	assert_string_equal(c->dir, unit_path(folder, "var/"));
	assert_string_equal(c->run_dir, "/run/planet");
	assert_string_equal(c->clock_file, unit_path(folder, "clock"));
	assert_string_equal(c->log_level, "debug");
	assert_string_equal(c->generation, "g-2_b");
	assert_string_equal(c->db,
	    "postgresql://planet@/planet?host=/run#x");
	assert_string_equal(c->redis, "127.0.0.1:6379");
	assert_int_equal(c->redis_db, 15);
	assert_int_equal(c->user_reads, 0);
	assert_int_equal(c->user_writes, 60);
	assert_string_equal(c->wechat_state, "trial");
	assert_string_equal(conf_template(c, "order_todo"), "T-2_x");
	assert_string_equal(conf_template(c, "order_progress"), "abc");
	assert_null(conf_template(c, "other"));
	conf_free(c);
}

static void
faults_are_told_with_their_line(void **state)
{
	static const struct {
		const char	*text, *line, *why;
	} rows[] = {
		{ "[server]\nnode = x\n", ":2: ", "node must be a whole" },
		{ "[server]\nnode = -1\n", ":2: ", "from 0 to 1000" },
		{ "[server]\nnode = 1001\n", ":2: ", "from 0 to 1000" },
		{ "[server]\nnode = 1.5\n", ":2: ", "node" },
		{ "[server]\nnode =\n", ":2: ", "node" },
		{ "[server]\nnode = 99999999999999999999\n", ":2: ",
		    "node" },
		{ "[server]\n\n; x\nnod = 1\n", ":4: ",
		    "unknown key 'nod' in [server]" },
		{ "[server]\ndb = sqlite:x\n", ":2: ",
		    "unknown key 'db' in [server]" },
		{ "\n[sever]\nnode = 1\n", ":2: ",
		    "unknown section [sever]" },
		{ "[empty]\n", ":1: ", "unknown section [empty]" },
		{ "node = 1\n", ":1: ", "before any [section]" },
		{ "[server]\nnode = 1\nnode = 1\n", ":3: ", "twice" },
		{ "[server]\nnode = 1\n  2\n", ":3: ", "twice" },
		{ "[server]\nnonsense\n", ":2: ", "neither" },
		{ "[server\nnode = 1\n", ":1: ", "neither" },
		{ "[server]\nlog_level = loud\n", ":2: ", "'loud'" },
		{ "[server]\nlisten =\n", ":2: ", "empty" },
		{ "[server]\ngeneration = a/b\n", ":2: ", "generation" },
		{ "[database]\ndb = mysql:x\n", ":2: ", "sqlite:PATH" },
		{ "[database]\ndb = sqlite:\n", ":2: ", "sqlite:PATH" },
		{ "[redis]\nredis = nowhere\n", ":2: ", "HOST:PORT" },
		{ "[redis]\nredis = a:0\n", ":2: ", "HOST:PORT" },
		{ "[redis]\nredis = a:65536\n", ":2: ", "HOST:PORT" },
		{ "[redis]\nredis = :1\n", ":2: ", "HOST:PORT" },
		{ "[redis]\nredis = unix:\n", ":2: ", "HOST:PORT" },
		{ "[templates]\nother = abc\n", ":2: ",
		    "unknown template 'other'" },
		{ "[templates]\norder_todo =\n", ":2: ", "order_todo" },
		{ "[templates]\norder_todo = a b\n", ":2: ", "order_todo" },
		{ "[templates]\norder_todo = a\norder_todo = b\n", ":3: ",
		    "twice" },
	};
	const char	*at;
	char		 want[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		if (load(rows[i].text) != NULL)
			fail_msg("row %zu was taken", i);
		snprintf(want, sizeof(want), "%s%s", path, rows[i].line);
		at = strstr(said, want);
		if (at == NULL || strstr(at, rows[i].why) == NULL)
			fail_msg("row %zu says: %s", i, said);
	}
}

static void
all_faults_are_told_at_once(void **state)
{
	(void)state;
	assert_null(load("[server]\nnode = x\nlog_level = y\n[nowhere]\n"));
	assert_non_null(strstr(said, ":2: "));
	assert_non_null(strstr(said, ":3: "));
	assert_non_null(strstr(said, ":4: "));
}

static void
a_long_line_is_refused(void **state)
{
	char	 text[9000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "[server]\ndir = /", 16);
	text[sizeof(text) - 1] = '\0';
	assert_null(load(text));
	assert_non_null(strstr(said, ":2: the line is longer than "));
}

static void
a_file_that_is_not_there_is_told(void **state)
{
	(void)state;
	unlink(path);
	assert_null(conf_load(unit_path(folder, "absent.conf")));
	assert_null(conf_load("/nonexistent/planet.conf"));
	assert_null(conf_load(folder));
}

static void
the_folder_is_the_files_wherever_we_stand(void **state)
{
	struct conf	*c;
	char		 here[4096];

	(void)state;
	conf_free(load(""));
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(folder), 0);
	c = conf_load("planet.conf");
	assert_int_equal(chdir(here), 0);
	assert_non_null(c);
	assert_string_equal(c->dir, folder);
	conf_free(c);
	conf_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults),
		cmocka_unit_test(the_sample_loads_and_equals_the_defaults),
		cmocka_unit_test(the_table_is_whole),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(faults_are_told_with_their_line),
		cmocka_unit_test(all_faults_are_told_at_once),
		cmocka_unit_test(a_long_line_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(the_folder_is_the_files_wherever_we_stand),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
