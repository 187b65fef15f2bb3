/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_limit.c -- so many a minute and not one more, with few round trips.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "unit.h"

#include "base/clock.h"
#include "base/crypt.h"
#include "store/limit.h"
#include "store/redis.h"

#include "servers.h"

#define NOON	(29000000 * CLOCK_MINUTE)

static struct server	 server;
static struct redis	*redis;

/* How many of `tries` pass. */
static int
passes(struct redis *r, const char *who, int64_t limit, int64_t now,
    int tries)
{
	int n = 0, wait = -1;

	for (int i = 0; i < tries; i++) {
		enum err e = limit_take(r, "test", who, limit, now, &wait);

		assert_true(e == OK || e == ERR_LIMITED);
		n += e == OK;
	}
	return n;
}

/* What Redis has counted for `who` in the minute of NOON. */
static int64_t
counted(const char *who)
{
	char		 key[96];
	int64_t		 n = 0, left;

	snprintf(key, sizeof(key), "limit:test:%s:%lld", who,
	    (long long)(NOON / CLOCK_MINUTE));
	assert_int_equal(redis_count(redis, key, 0, 1000, &n, &left), OK);
	return n;
}

static void
small_limits_are_exact(void **state)
{
	(void)state;
	assert_int_equal(passes(redis, "one", 1, NOON, 3), 1);
	assert_int_equal(passes(redis, "ten", 10, NOON, 30), 10);
	assert_int_equal(passes(redis, "sixty", 60, NOON, 100), 60);
	assert_int_equal(passes(redis, "none", 0, NOON, 100), 100);
	/* Someone else and another class have their own. */
	assert_int_equal(passes(redis, "eleven", 10, NOON, 30), 10);
	assert_int_equal(limit_take(redis, "else", "ten", 10, NOON,
	    &(int){ 0 }), OK);
}

static void
large_limits_are_never_passed(void **state)
{
	static const int limits[] = { 61, 64, 100, 160, 600, 1000 };

	(void)state;
	for (size_t i = 0; i < nitems(limits); i++) {
		char who[16];

		snprintf(who, sizeof(who), "user%d", limits[i]);
		assert_int_equal(passes(redis, who, limits[i], NOON,
		    limits[i] * 2), limits[i]);
	}
}

static void
large_limits_cost_few_round_trips(void **state)
{
	(void)state;
	assert_int_equal(passes(redis, "busy", 1600, NOON, 1), 1);
	assert_int_equal(counted("busy"), 100);
	assert_int_equal(passes(redis, "busy", 1600, NOON, 99), 99);
	assert_int_equal(counted("busy"), 100);
	assert_int_equal(passes(redis, "busy", 1600, NOON, 1), 1);
	assert_int_equal(counted("busy"), 200);
}

static void
the_next_minute_is_another(void **state)
{
	int wait = 0;

	(void)state;
	assert_int_equal(passes(redis, "a", 5, NOON, 9), 5);
	assert_int_equal(passes(redis, "b", 100, NOON, 200), 100);
	assert_int_equal(passes(redis, "a", 5, NOON + 59999, 9), 0);
	assert_int_equal(passes(redis, "a", 5, NOON + 60000, 9), 5);
	assert_int_equal(passes(redis, "b", 100, NOON + 59999, 9), 0);
	assert_int_equal(passes(redis, "b", 100, NOON + 60000, 200), 100);
	assert_int_equal(limit_take(redis, "test", "a", 5, NOON + 60000,
	    &wait), ERR_LIMITED);
	assert_int_equal(wait, 60);
	assert_int_equal(limit_take(redis, "test", "b", 100, NOON + 118001,
	    &wait), ERR_LIMITED);
	assert_int_equal(wait, 2);
}

static void
long_names_are_told_apart(void **state)
{
	char a[400], b[400];

	(void)state;
	memset(a, 'x', sizeof(a));
	memset(b, 'x', sizeof(b));
	a[399] = b[399] = '\0';
	b[398] = 'y';
	assert_int_equal(passes(redis, a, 5, NOON, 9), 5);
	assert_int_equal(passes(redis, b, 5, NOON, 9), 5);
	assert_int_equal(passes(redis, a, 100, NOON + 60000, 120), 100);
	assert_int_equal(passes(redis, b, 100, NOON + 60000, 120), 100);
}

static void
a_crowd_does_not_grow_the_table(void **state)
{
	char who[32];

	(void)state;
	/* More than there is room for; nobody gains or loses by it. */
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 12000; i++) {
			snprintf(who, sizeof(who), "crowd%d", i);
			assert_int_equal(passes(redis, who, 64, NOON, 1), 1);
		}
	for (int i = 0; i < 12000; i += 300) {
		snprintf(who, sizeof(who), "crowd%d", i);
		assert_int_equal(passes(redis, who, 64, NOON, 80), 62);
	}
	/* The next minute all places are free again. */
	assert_int_equal(passes(redis, "crowd11999", 64, NOON + 60000, 80),
	    64);
}

static atomic_int passed;

static void *
rush(void *arg)
{
	struct redis *r = redis_new(server.where, 0, 5000);

	(void)arg;
	passed += passes(r, "rush", 500, NOON, 300);
	redis_free(r);
	return NULL;
}

static void
threads_share_the_limit(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, rush,
		    NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(passed, 500);
}

static void
away_is_neither_yes_nor_no(void **state)
{
	struct redis	*r = redis_new("unix:/nowhere/redis.sock", 0, 100);
	int		 wait = 7;

	(void)state;
	assert_int_equal(limit_take(r, "test", "x", 5, NOON, &wait),
	    ERR_AWAY);
	assert_int_equal(limit_take(r, "test", "x", 500, NOON, &wait),
	    ERR_AWAY);
	assert_int_equal(wait, 7);
	assert_int_equal(limit_take(r, "test", "x", 0, NOON, &wait), OK);
	redis_free(r);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_limits_are_exact),
		cmocka_unit_test(large_limits_are_never_passed),
		cmocka_unit_test(large_limits_cost_few_round_trips),
		cmocka_unit_test(the_next_minute_is_another),
		cmocka_unit_test(long_names_are_told_apart),
		cmocka_unit_test(threads_share_the_limit),
		cmocka_unit_test(away_is_neither_yes_nor_no),
		cmocka_unit_test(a_crowd_does_not_grow_the_table),
	};
	int failed;

	if (!crypt_init())
		return 1;
	if (!servers_redis(&server))
		return SERVERS_SKIP;
	redis = redis_new(server.where, 0, 5000);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_free(redis);
	servers_stop(&server);
	return failed;
}
