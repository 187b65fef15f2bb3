/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_redis.c -- a connection to Redis, while it is there and while it
 * is not.
 */
#include <signal.h>
#include <time.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "store/redis.h"

#include "servers.h"

#define TIMEOUT_MS	300

static struct server	 server;
static struct redis	*redis;
static struct arena	*arena;

static int
set_up(void **state)
{
	const char *argv[] = { "FLUSHALL" };

	(void)state;
	arena_reset(arena);
	return redis_command(redis, 1, argv, NULL) == OK ? 0 : -1;
}

static void
a_value_is_kept(void **state)
{
	char *v = NULL;

	(void)state;
	assert_int_equal(redis_ping(redis), OK);
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_ABSENT);
	assert_null(v);
	assert_int_equal(redis_set(redis, "k", "水 a b\r\n", 0, false), OK);
	assert_int_equal(redis_get(redis, arena, "k", &v), OK);
	assert_string_equal(v, "水 a b\r\n");
	assert_int_equal(redis_set(redis, "k", "", 0, false), OK);
	assert_int_equal(redis_get(redis, arena, "k", &v), OK);
	assert_string_equal(v, "");
	assert_int_equal(redis_del(redis, "k"), OK);
	assert_int_equal(redis_del(redis, "k"), OK);
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_ABSENT);
}

/* Wait until `key` is gone, for at most ten seconds. */
static bool
goes(const char *key)
{
	struct timespec	t = { 0, 5000000 };
	char		*v;

	for (int i = 0; i < 2000; i++) {
		if (redis_get(redis, arena, key, &v) == ERR_ABSENT)
			return true;
		nanosleep(&t, NULL);
	}
	return false;
}

static void
a_lock_is_taken_once_and_released_by_its_owner(void **state)
{
	char *v;

	(void)state;
	assert_int_equal(redis_set(redis, "lock", "me", 60000, true), OK);
	assert_int_equal(redis_set(redis, "lock", "you", 60000, true),
	    ERR_CONFLICT);
	assert_int_equal(redis_del_if(redis, "lock", "you"), OK);
	assert_int_equal(redis_get(redis, arena, "lock", &v), OK);
	assert_string_equal(v, "me");
	assert_int_equal(redis_del_if(redis, "lock", "me"), OK);
	assert_int_equal(redis_get(redis, arena, "lock", &v), ERR_ABSENT);
	assert_int_equal(redis_set(redis, "lock", "you", 50, true), OK);
	assert_true(goes("lock"));
}

static void
a_counter_lives_from_its_first_use(void **state)
{
	int64_t n, left, again;

	(void)state;
	assert_int_equal(redis_count(redis, "c", 1, 60000, &n, &left), OK);
	assert_int_equal(n, 1);
	assert_in_range(left, 59000, 60000);
	assert_int_equal(redis_count(redis, "c", 5, 90000, &n, &again), OK);
	assert_int_equal(n, 6);
	assert_true(again <= left);
	assert_int_equal(redis_count(redis, "d", 2, 50, &n, &left), OK);
	assert_true(goes("d"));
	assert_int_equal(redis_count(redis, "d", 2, 50, &n, &left), OK);
	assert_int_equal(n, 2);
	assert_int_equal(redis_set(redis, "text", "x", 0, false), OK);
	assert_int_equal(redis_count(redis, "text", 1, 50, &n, &left),
	    ERR_INTERNAL);
	assert_int_equal(n, 2);
}

static void
commands_and_lists(void **state)
{
	const char	*push[] = { "RPUSH", "l", "a", "", "c" };
	const char	*range[] = { "LRANGE", "l", "0", "-1" };
	const char	*none[] = { "LRANGE", "m", "0", "-1" };
	const char	*mget[] = { "MGET", "nothing", "s" };
	const char	*wrong[] = { "GET", "l" };
	const char	**items;
	int64_t		 n = 0;
	int		 count = -1;
	char		*v;

	(void)state;
	assert_int_equal(redis_command(redis, 5, push, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(redis_list(redis, arena, 4, range, &items, &count),
	    OK);
	assert_int_equal(count, 3);
	assert_string_equal(items[0], "a");
	assert_string_equal(items[1], "");
	assert_string_equal(items[2], "c");
	assert_int_equal(redis_list(redis, arena, 4, none, &items, &count),
	    OK);
	assert_int_equal(count, 0);
	assert_int_equal(redis_set(redis, "s", "x", 0, false), OK);
	assert_int_equal(redis_list(redis, arena, 3, mget, &items, &count),
	    OK);
	assert_int_equal(count, 2);
	assert_null(items[0]);
	assert_string_equal(items[1], "x");
	/* The wrong type is our fault, not Redis's absence. */
	assert_int_equal(redis_command(redis, 2, wrong, &n), ERR_INTERNAL);
	assert_int_equal(redis_get(redis, arena, "l", &v), ERR_INTERNAL);
	assert_int_equal(redis_list(redis, arena, 2, push, &items, &count),
	    ERR_INTERNAL);
	assert_int_equal(redis_ping(redis), OK);
}

static void
databases_are_apart(void **state)
{
	struct redis	*two = redis_new(server.where, 2, TIMEOUT_MS);
	struct redis	*many = redis_new(server.where, 99, TIMEOUT_MS);
	char		*v;

	(void)state;
	assert_int_equal(redis_set(two, "k", "two", 0, false), OK);
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_ABSENT);
	assert_int_equal(redis_ping(many), ERR_AWAY);
	redis_free(many);
	redis_free(two);
	redis_free(NULL);
}

static void
nobody_there_is_away_at_once(void **state)
{
	static const char *const places[] = {
		"unix:/nowhere/redis.sock", "127.0.0.1:1", "nonsense", ":",
		"[::1]:1", "127.0.0.1:99999", "", "127.0.0.1:"
	};

	(void)state;
	for (size_t i = 0; i < nitems(places); i++) {
		struct redis	*r = redis_new(places[i], 0, TIMEOUT_MS);
		int64_t		 start = clock_mono_us();

		for (int j = 0; j < 3; j++)
			assert_int_equal(redis_del(r, "k"), ERR_AWAY);
		assert_true(clock_mono_us() - start < 2000000);
		redis_free(r);
	}
}

static void
a_restart_is_not_noticed_and_an_absence_is(void **state)
{
	char	*v;
	int64_t	 start;

	(void)state;
	assert_int_equal(redis_set(redis, "k", "v", 0, false), OK);
	servers_kill(&server);
	servers_again(&server);
	/* The file brought it back, and no call saw an error. */
	assert_int_equal(redis_get(redis, arena, "k", &v), OK);
	assert_string_equal(v, "v");
	servers_kill(&server);
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_AWAY);
	assert_int_equal(redis_set(redis, "k", "w", 0, false), ERR_AWAY);
	servers_again(&server);
	start = clock_mono_us();
	while (redis_get(redis, arena, "k", &v) != OK)
		assert_true(clock_mono_us() - start < 3000000);
	assert_string_equal(v, "v");
}

static void
one_that_hangs_costs_its_timeout_once(void **state)
{
	char	*v;
	int64_t	 start;

	(void)state;
	assert_int_equal(redis_set(redis, "k", "v", 0, false), OK);
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	start = clock_mono_us();
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_AWAY);
	assert_in_range(clock_mono_us() - start, TIMEOUT_MS * 900,
	    TIMEOUT_MS * 3000);
	/* Within the pause that follows nobody waits. */
	start = clock_mono_us();
	assert_int_equal(redis_get(redis, arena, "k", &v), ERR_AWAY);
	assert_true(clock_mono_us() - start < 40000);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	start = clock_mono_us();
	while (redis_get(redis, arena, "k", &v) != OK)
		assert_true(clock_mono_us() - start < 5000000);
	/* The late answer went with its connection. */
	assert_string_equal(v, "v");
	assert_int_equal(redis_set(redis, "other", "o", 0, false), OK);
	assert_int_equal(redis_get(redis, arena, "other", &v), OK);
	assert_string_equal(v, "o");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_value_is_kept, set_up),
		cmocka_unit_test_setup(
		    a_lock_is_taken_once_and_released_by_its_owner, set_up),
		cmocka_unit_test_setup(a_counter_lives_from_its_first_use,
		    set_up),
		cmocka_unit_test_setup(commands_and_lists, set_up),
		cmocka_unit_test_setup(databases_are_apart, set_up),
		cmocka_unit_test(nobody_there_is_away_at_once),
		cmocka_unit_test_setup(
		    a_restart_is_not_noticed_and_an_absence_is, set_up),
		cmocka_unit_test_setup(one_that_hangs_costs_its_timeout_once,
		    set_up),
	};
	int failed;

	if (!servers_redis(&server))
		return SERVERS_SKIP;
	arena = arena_new(1 << 20);
	redis = redis_new(server.where, 0, TIMEOUT_MS);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_free(redis);
	arena_free(arena);
	servers_stop(&server);
	return failed;
}
