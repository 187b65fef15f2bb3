/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wechat_token.c -- the token that all processes share.
 *
 * The stand-in counts the calls it gets, so that "one fetches" and "once
 * more" are seen and not assumed.
 */
#include <sys/wait.h>

#include <pthread.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "store/redis.h"
#include "wechat/wechat.h"

#include "wechat_rig.h"

#define AT_ONCE		6

static struct wechat_rig rig;

static int
begin(void **state)
{
	(void)state;
	wechat_rig_start(&rig);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	wechat_rig_stop(&rig);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	wechat_rig_clean(&rig);
	return 0;
}

static enum err
token(const char *stale, const char **ret)
{
	*ret = "untouched";
	return wechat_token(rig.w, rig.redis, rig.a, stale, ret);
}

static const char *
good_token(void)
{
	const char *got;

	assert_int_equal(token(NULL, &got), OK);
	return got;
}

static const char *
kept(const char *key)
{
	char *value;

	return redis_get(rig.redis, rig.a, key, &value) == OK ? value : NULL;
}

static int64_t
life_of(const char *key)
{
	const char	*argv[] = { "PTTL", key };
	int64_t		 left;

	assert_int_equal(redis_command(rig.redis, 2, argv, &left), OK);
	return left;
}

static int
calls(const char *kind)
{
	return wechat_rig_calls(&rig, kind);
}

/* Nothing that was logged so far holds what no log may hold. */
static void
assert_discreet(const char *more)
{
	const char *log = wechat_rig_log(&rig);

	assert_null(strstr(log, RIG_SECRET));
	assert_null(strstr(log, "99_"));	/* how tokens begin */
	if (more != NULL)
		assert_null(strstr(log, more));
}

/* The token */

static void
token_kept(void **state)
{
	const char	*first;
	int		 before = calls("token");

	(void)state;
	first = good_token();
	assert_string_equal(kept(RIG_KEY), first);
	assert_in_range(life_of(RIG_KEY), 6890000, 6900000);
	assert_null(kept(RIG_LOCK));
	assert_string_equal(good_token(), first);
	assert_int_equal(calls("token"), before + 1);
	assert_discreet(NULL);
}

static void
token_stale(void **state)
{
	const char	*first, *second, *got;
	int		 before;

	(void)state;
	first = good_token();
	before = calls("token");
	/* Another one was refused: ours is good and stays. */
	assert_int_equal(token("99_another", &got), OK);
	assert_string_equal(got, first);
	assert_int_equal(calls("token"), before);
	/* This one was, and the platform gives it again: by force. */
	assert_int_equal(token(first, &second), OK);
	assert_string_not_equal(second, first);
	assert_string_equal(kept(RIG_KEY), second);
	assert_int_equal(calls("token"), before + 2);
	/* Force again at once is one too many. */
	assert_int_equal(token(second, &got), ERR_WECHAT_AWAY);
	assert_string_equal(got, "untouched");
	assert_null(kept(RIG_LOCK));
	assert_non_null(strstr(wechat_rig_log(&rig), "errcode=45011"));
	wechat_rig_pass(&rig, 31000);
	assert_int_equal(token(second, &got), OK);
	assert_string_not_equal(got, second);
	assert_discreet(NULL);
}

/* A stale token that the platform has replaced itself needs no force. */
static void
token_replaced(void **state)
{
	const char	*first, *second;
	int		 before;

	(void)state;
	first = good_token();
	before = calls("token");
	wechat_rig_pass(&rig, 7300 * CLOCK_SECOND);
	assert_int_equal(token(first, &second), OK);
	assert_string_not_equal(second, first);
	assert_int_equal(calls("token"), before + 1);
}

static void
token_lives(void **state)
{
	static const struct {
		const char	*expires_in;
		int64_t		 least, most;	/* ms in Redis */
	} rows[] = {
		{ "7200", 6890000, 6900000 },
		{ "1000000000000", 6890000, 6900000 },
		{ "400", 90000, 100000 },
		{ "311", 1000, 11000 },
		{ "310", 1000, 10000 },
		{ "120", 1000, 10000 },
		{ "5", 1000, 5000 },
	};
	char	body[128];
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		snprintf(body, sizeof(body), "{\"access_token\":\"t%zu\","
		    "\"expires_in\":%s}", i, rows[i].expires_in);
		wechat_rig_answer(&rig, "token", body);
		good_token();
		assert_in_range(life_of(RIG_KEY), rows[i].least, rows[i].most);
		assert_int_equal(redis_del(rig.redis, RIG_KEY), OK);
	}
}

static void
token_misshapen(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{\"access_token\":\"t\"}",
		"{\"access_token\":\"t\",\"expires_in\":0}",
		"{\"access_token\":\"t\",\"expires_in\":-7200}",
		"{\"access_token\":\"t\",\"expires_in\":\"7200\"}",
		"{\"access_token\":\"t\",\"expires_in\":7200.0}",
		"{\"access_token\":\"\",\"expires_in\":7200}",
		"{\"access_token\":\"a b\",\"expires_in\":7200}",
		"{\"access_token\":\"a\\nb\",\"expires_in\":7200}",
		"{\"access_token\":\"a\x7f\",\"expires_in\":7200}",
		"{\"access_token\":7,\"expires_in\":7200}",
	};
	static char	 body[1200];
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		wechat_rig_answer(&rig, "token", rows[i]);
		if (token(NULL, &got) != ERR_WECHAT_AWAY)
			fail_msg("taken: %s", rows[i]);
		assert_null(kept(RIG_KEY));
		assert_null(kept(RIG_LOCK));
		assert_non_null(strstr(wechat_rig_log(&rig),
		    "call=token kind=misshapen"));
	}
	snprintf(body, sizeof(body),
	    "{\"access_token\":\"%01025d\",\"expires_in\":7200}", 7);
	wechat_rig_answer(&rig, "token", body);
	assert_int_equal(token(NULL, &got), ERR_WECHAT_AWAY);
	snprintf(body, sizeof(body),
	    "{\"access_token\":\"%01024d\",\"expires_in\":7200}", 7);
	wechat_rig_answer(&rig, "token", body);
	assert_int_equal(token(NULL, &got), OK);
	assert_int_equal(strlen(got), 1024);
}

/* A thing in Redis that is no token is replaced by one. */
static void
token_spoilt(void **state)
{
	static const char *const rows[] = { "", "two words", "line\nline" };
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		assert_int_equal(redis_set(rig.redis, RIG_KEY, rows[i], 60000,
		    false), OK);
		got = good_token();
		assert_string_equal(got, kept(RIG_KEY));
	}
}

static void
token_failures(void **state)
{
	static const char *const modes[] = { "garbage", "half", "http500",
		"close" };
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(modes); i++) {
		wechat_rig_fresh(&rig, 10000);
		wechat_rig_set(&rig, "faults",
		    "{\"kind\":\"token\",\"mode\":\"%s\"}", modes[i]);
		assert_int_equal(token(NULL, &got), ERR_WECHAT_AWAY);
		/* The lock is free again: the next one need not wait. */
		assert_null(kept(RIG_LOCK));
	}
	wechat_rig_fresh(&rig, 300);
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"token\",\"mode\":\"hang\"}");
	assert_int_equal(token(NULL, &got), ERR_WECHAT_AWAY);
	assert_null(kept(RIG_LOCK));
	wechat_rig_fresh(&rig, 10000);
	wechat_rig_set(&rig, "whitelist", "{\"ips\":[]}");
	assert_int_equal(token(NULL, &got), ERR_WECHAT_AWAY);
	assert_non_null(strstr(wechat_rig_log(&rig), "errcode=40164"));
	wechat_rig_set(&rig, "whitelist", "{\"ips\":null}");
	assert_int_equal(token(NULL, &got), OK);
}

/* While another holds the lock one waits for its token, not for ever. */
static void
token_waits(void **state)
{
	const char	*got;
	int		 before = calls("token");

	(void)state;
	wechat_rig_fresh(&rig, 200);
	assert_int_equal(redis_set(rig.redis, RIG_LOCK, "other", 60000, true),
	    OK);
	assert_int_equal(token(NULL, &got), ERR_WECHAT_AWAY);
	assert_int_equal(calls("token"), before);
	assert_string_equal(kept(RIG_LOCK), "other");
	assert_non_null(strstr(wechat_rig_log(&rig), "kind=timeout"));
	/* Its holder died: the lock ends and somebody else fetches. */
	wechat_rig_fresh(&rig, 10000);
	assert_int_equal(redis_set(rig.redis, RIG_LOCK, "other", 300, false),
	    OK);
	assert_int_equal(token(NULL, &got), OK);
	assert_int_equal(calls("token"), before + 1);
	assert_null(kept(RIG_LOCK));
}

/* One of those who ask at once, with everything of its own. */
static void *
ask_token(void *arg)
{
	struct wechat	*w = wechat_new(&rig.conf);
	struct redis	*redis = redis_new(rig.server.where, 0, 2000);
	struct arena	*a = arena_new(1 << 20);
	const char	*got;
	char		*out = arg;

	if (wechat_token(w, redis, a, NULL, &got) == OK)
		snprintf(out, 256, "%s", got);
	arena_free(a);
	redis_free(redis);
	wechat_free(w);
	return NULL;
}

static void
token_threads(void **state)
{
	pthread_t	threads[AT_ONCE];
	static char	got[AT_ONCE][256];
	int		before = calls("token"), i;

	(void)state;
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"token\",\"mode\":\"delay\",\"delay_ms\":300}");
	for (i = 0; i < AT_ONCE; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_token,
		    got[i]), 0);
	for (i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < AT_ONCE; i++)
		assert_string_equal(got[i], kept(RIG_KEY));
	assert_int_equal(calls("token"), before + 1);
}

static void
token_processes(void **state)
{
	pid_t	pids[AT_ONCE];
	char	got[256];
	int	fds[2], before = calls("token"), status, i;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wechat_rig_set(&rig, "faults",
	    "{\"kind\":\"token\",\"mode\":\"delay\",\"delay_ms\":300}");
	for (i = 0; i < AT_ONCE; i++) {
		if ((pids[i] = fork()) == 0) {
			memset(got, 0, sizeof(got));
			ask_token(got);
			_exit(write(fds[1], got, sizeof(got)) != sizeof(got));
		}
		assert_true(pids[i] > 0);
	}
	for (i = 0; i < AT_ONCE; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
		assert_int_equal(read(fds[0], got, sizeof(got)), sizeof(got));
		assert_string_equal(got, kept(RIG_KEY));
	}
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(calls("token"), before + 1);
}

/* Redis goes and comes back. */
static void
token_redis_away(void **state)
{
	const char *got;

	(void)state;
	servers_kill(&rig.server);
	assert_int_equal(token(NULL, &got), ERR_AWAY);
	assert_string_equal(got, "untouched");
	servers_again(&rig.server);
	while (token(NULL, &got) == ERR_AWAY)
		continue;
	assert_string_equal(got, kept(RIG_KEY));
}

#define T(f)	cmocka_unit_test_setup(f, clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(token_kept), T(token_stale), T(token_replaced),
		T(token_lives), T(token_misshapen), T(token_spoilt),
		T(token_failures), T(token_waits), T(token_processes),
		T(token_threads), T(token_redis_away),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
