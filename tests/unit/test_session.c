/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_session.c -- sessions in Redis, and the cache that Redis keeps
 * true, through revocation, restarts and races.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "store/redis.h"
#include "store/session.h"

#include "servers.h"

#define LIFE	(30 * CLOCK_DAY)
#define LONG_US	10000000	/* no condition takes longer */

static struct server	 server;
static struct redis	*redis;
static struct arena	*arena;
static struct conf	 conf;

static void
nap(void)
{
	struct timespec t = { 0, 1000000 };

	nanosleep(&t, NULL);
}

static void
wait_tracking(bool on)
{
	int64_t start = clock_mono_us();

	while (session_stats().tracking != on) {
		assert_true(clock_mono_us() - start < LONG_US);
		nap();
	}
}

static int
start_cached(void **state)
{
	(void)state;
	arena_reset(arena);
	session_start(&conf);
	wait_tracking(true);
	return 0;
}

static int
stop_cached(void **state)
{
	const char *argv[] = { "FLUSHALL" };

	(void)state;
	session_stop();
	return redis_command(redis, 1, argv, NULL) == OK ? 0 : -1;
}

static void
make(int64_t user, int64_t life, char token[CRYPT_TOKEN_MAX])
{
	struct session s = { .user_id = user, .community_id = 7,
	    .roles = 5, .staff = false, .life_ms = life };
	int64_t before = clock_now();

	assert_int_equal(session_open(redis, &s, token), OK);
	assert_true(s.expires_at >= before + life);
}

static enum err
find(const char *token, struct session *ret)
{
	return session_find(redis, token, clock_now(), ret);
}

/* Wait until `token` is answered with `e`. */
static void
wait_find(const char *token, enum err e)
{
	struct session	s;
	int64_t		start = clock_mono_us();

	while (find(token, &s) != e) {
		assert_true(clock_mono_us() - start < LONG_US);
		nap();
	}
}

static void
key_of(const char *token, char key[96])
{
	char hash[CRYPT_HEX_MAX];

	crypt_sha256(token, strlen(token), hash);
	snprintf(key, 96, "sess:%s", hash);
}

static int64_t
members(int64_t user)
{
	char		 key[64];
	const char	*argv[] = { "SCARD", key };
	int64_t		 n = -1;

	snprintf(key, sizeof(key), "user-sess:%lld", (long long)user);
	assert_int_equal(redis_command(redis, 2, argv, &n), OK);
	return n;
}

static int64_t
ttl(const char *key)
{
	const char	*argv[] = { "PTTL", key };
	int64_t		 n = -3;

	assert_int_equal(redis_command(redis, 2, argv, &n), OK);
	return n;
}

static void
a_session_is_found_by_its_token_only(void **state)
{
	struct session	s = { .user_id = INT64_MAX, .community_id = 0,
			    .roles = UINT64_MAX, .staff = true,
			    .life_ms = LIFE }, t;
	char		token[CRYPT_TOKEN_MAX], key[96], *v;

	(void)state;
	assert_int_equal(session_open(redis, &s, token), OK);
	assert_int_equal(strlen(token), CRYPT_TOKEN_MAX - 1);
	for (int i = 0; i < 2; i++) {
		memset(&t, 0, sizeof(t));
		assert_int_equal(find(token, &t), OK);
		assert_true(t.user_id == INT64_MAX && t.community_id == 0);
		assert_true(t.roles == UINT64_MAX && t.staff);
		assert_true(t.life_ms == LIFE);
		assert_true(t.expires_at == s.expires_at);
	}
	/* Redis does not know the token. */
	key_of(token, key);
	assert_int_equal(redis_get(redis, arena, key, &v), OK);
	assert_null(strstr(v, token));
	assert_null(strstr(key, token));
	token[0] = token[0] == 'A' ? 'B' : 'A';
	assert_int_equal(find(token, &t), ERR_NO_SESSION);
}

static void
what_is_no_token_is_no_session(void **state)
{
	static const char *const tokens[] = {
		"", "x", "0123456789012345678901234567890123456789012345",
		"012345678901234567890123456789012345678901",
		"0123456789012345678901234567890123456789 12",
		"0123456789012345678901234567890123456789\n12",
		"0123456789012345678901234567890123456789=12",
		"水水水水水水水水水水水水水水1"
	};
	struct session	 s;
	struct redis	*nobody = redis_new("unix:/nowhere", 0, 100);

	(void)state;
	/* Refused without asking anybody. */
	for (size_t i = 0; i < nitems(tokens); i++)
		assert_int_equal(session_find(nobody, tokens[i], 1, &s),
		    ERR_NO_SESSION);
	assert_int_equal(session_find(nobody, NULL, 1, &s), ERR_NO_SESSION);
	assert_int_equal(session_end(nobody, "x"), OK);
	assert_int_equal(session_end(nobody, NULL), OK);
	redis_free(nobody);
}

static void
a_spoilt_value_is_no_session(void **state)
{
	static const char *const values[] = {
		"", "v1", "v2 1 7 5 0 60000 99999999999999", "v1 1 7 5 0 60000",
		"v1 1 7 5 0 60000 99999999999999 ", "v1 01 7 5 0 60000 "
		"99999999999999", "v1 -1 7 5 0 60000 99999999999999",
		"v1 0 7 5 0 60000 99999999999999", "v1 1 7 5 2 60000 "
		"99999999999999", "v1 1 7 5 0 0 99999999999999",
		"v1 99999999999999999999 7 5 0 60000 99999999999999",
		"v1 1 7 99999999999999999999 0 60000 99999999999999",
		"v1 x 7 5 0 60000 99999999999999", "garbage",
		"v1 1 7 5 3 60000 99999999999999 0",
		"v1 1 7 5 4 60000 99999999999999",
		"v1 1 7 5 1 60000 99999999999999 99999999999999 1"
	};
	char		token[CRYPT_TOKEN_MAX], key[96], longer[4000];
	struct session	s;

	(void)state;
	make(1, LIFE, token);
	key_of(token, key);
	for (size_t i = 0; i < nitems(values); i++) {
		assert_int_equal(redis_set(redis, key, values[i], 0, false),
		    OK);
		wait_find(token, ERR_NO_SESSION);
	}
	memset(longer, '1', sizeof(longer));
	longer[3999] = '\0';
	assert_int_equal(redis_set(redis, key, longer, 0, false), OK);
	wait_find(token, ERR_NO_SESSION);
	assert_int_equal(redis_set(redis, key,
	    "v1 1 7 5 0 60000 99999999999999", 0, false), OK);
	wait_find(token, OK);
	assert_int_equal(find(token, &s), OK);
	assert_int_equal(s.roles, 5);
}

static void
a_hit_asks_nobody(void **state)
{
	char			token[CRYPT_TOKEN_MAX];
	struct session		s;
	struct session_stats	a, b;
	int64_t			start = clock_mono_us();

	(void)state;
	a = session_stats();
	make(1, LIFE, token);
	/* The news of its birth would drop it from the cache again. */
	while (session_stats().invalidations == a.invalidations) {
		assert_true(clock_mono_us() - start < LONG_US);
		nap();
	}
	assert_int_equal(find(token, &s), OK);
	a = session_stats();
	assert_int_equal(a.entries, 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(find(token, &s), OK);
	b = session_stats();
	assert_int_equal(b.hits - a.hits, 100);
	assert_int_equal(b.misses, a.misses);
}

static void
what_others_delete_is_forgotten(void **state)
{
	struct redis	*other = redis_new(server.where, 0, 1000);
	char		 token[CRYPT_TOKEN_MAX], key[96];
	int64_t		 told = session_stats().invalidations;

	(void)state;
	make(1, LIFE, token);
	wait_find(token, OK);
	key_of(token, key);
	assert_int_equal(redis_del(other, key), OK);
	wait_find(token, ERR_NO_SESSION);
	assert_true(session_stats().invalidations > told);
	redis_free(other);
}

static void
a_flush_forgets_all(void **state)
{
	const char	*argv[] = { "FLUSHALL" };
	char		 token[CRYPT_TOKEN_MAX];

	(void)state;
	make(1, LIFE, token);
	wait_find(token, OK);
	assert_int_equal(redis_command(redis, 1, argv, NULL), OK);
	wait_find(token, ERR_NO_SESSION);
}

static void
one_is_ended_at_once(void **state)
{
	char		a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX];
	struct session	s;

	(void)state;
	make(1, LIFE, a);
	make(1, LIFE, b);
	assert_int_equal(members(1), 2);
	assert_int_equal(find(a, &s), OK);
	assert_int_equal(find(a, &s), OK);
	assert_int_equal(session_end(redis, a), OK);
	/* Here nothing is waited for. */
	assert_int_equal(find(a, &s), ERR_NO_SESSION);
	assert_int_equal(find(b, &s), OK);
	assert_int_equal(members(1), 1);
	assert_int_equal(session_end(redis, a), OK);
}

static void
all_are_ended_but_one(void **state)
{
	char		t[4][CRYPT_TOKEN_MAX];
	struct session	s;

	(void)state;
	for (int i = 0; i < 3; i++)
		make(1, LIFE, t[i]);
	make(2, LIFE, t[3]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(find(t[i], &s), OK);
	assert_int_equal(session_end_all(redis, arena, 1, t[1]), OK);
	assert_int_equal(find(t[0], &s), ERR_NO_SESSION);
	assert_int_equal(find(t[1], &s), OK);
	assert_int_equal(find(t[2], &s), ERR_NO_SESSION);
	assert_int_equal(find(t[3], &s), OK);
	assert_int_equal(members(1), 1);
	assert_int_equal(session_end_all(redis, arena, 1, NULL), OK);
	assert_int_equal(find(t[1], &s), ERR_NO_SESSION);
	assert_int_equal(members(1), 0);
	assert_int_equal(session_end_all(redis, arena, 99, NULL), OK);
}

static void
roles_change_in_all_sessions(void **state)
{
	char		a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX];
	char		c[CRYPT_TOKEN_MAX], key[96];
	struct session	s;
	int64_t		expires;

	(void)state;
	make(1, LIFE, a);
	make(1, LIFE, b);
	make(2, LIFE, c);
	assert_int_equal(find(a, &s), OK);
	expires = s.expires_at;
	assert_int_equal(session_refresh(redis, arena, 1, 88,
	    UINT64_MAX - 1), OK);
	assert_int_equal(find(a, &s), OK);
	assert_true(s.community_id == 88 && s.roles == UINT64_MAX - 1);
	assert_true(s.expires_at == expires && s.user_id == 1);
	assert_int_equal(find(b, &s), OK);
	assert_int_equal(s.community_id, 88);
	assert_int_equal(find(c, &s), OK);
	assert_int_equal(s.community_id, 7);
	key_of(a, key);
	assert_in_range(ttl(key), LIFE - CLOCK_MINUTE, LIFE);
	assert_int_equal(session_refresh(redis, arena, 1, 0, 0), OK);
	assert_int_equal(find(a, &s), OK);
	assert_true(s.community_id == 0 && s.roles == 0);
}

static void
life_slides_once_a_tenth_is_gone(void **state)
{
	char		token[CRYPT_TOKEN_MAX], key[96];
	struct session	s;
	int64_t		now = clock_now(), first;

	(void)state;
	make(1, LIFE, token);
	key_of(token, key);
	assert_int_equal(session_find(redis, token, now, &s), OK);
	first = s.expires_at;
	assert_int_equal(session_find(redis, token, now + LIFE / 11, &s),
	    OK);
	assert_true(s.expires_at == first);
	assert_int_equal(session_find(redis, token, now + LIFE / 9, &s),
	    OK);
	assert_true(s.expires_at == now + LIFE / 9 + LIFE);
	/* And it is kept, not only told. */
	assert_int_equal(session_find(redis, token, now + LIFE / 9, &s),
	    OK);
	assert_true(s.expires_at == now + LIFE / 9 + LIFE);
	assert_int_equal(session_find(redis, token, now + LIFE + 1, &s), OK);
	assert_in_range(ttl(key), LIFE - CLOCK_MINUTE, LIFE);
}

static void
an_ended_life_is_no_session(void **state)
{
	char		token[CRYPT_TOKEN_MAX], key[96];
	struct session	s;
	int64_t		now = clock_now();

	(void)state;
	make(1, LIFE, token);
	assert_int_equal(session_find(redis, token, now, &s), OK);
	assert_int_equal(session_find(redis, token, s.expires_at, &s),
	    ERR_NO_SESSION);
	assert_int_equal(session_find(redis, token, now + LIFE * 2, &s),
	    ERR_NO_SESSION);
	/* In real time Redis ends it; nobody asks meanwhile, that renews. */
	make(1, 60, token);
	key_of(token, key);
	while (ttl(key) != -2)
		nap();
	assert_int_equal(session_find(redis, token, now, &s),
	    ERR_NO_SESSION);
}

static void
the_set_forgets_the_dead(void **state)
{
	char		token[CRYPT_TOKEN_MAX], key[96];
	struct session	s;

	(void)state;
	for (int i = 0; i < 3; i++) {
		make(1, LIFE, token);
		key_of(token, key);
		assert_int_equal(redis_del(redis, key), OK);
	}
	make(1, LIFE, token);
	assert_int_equal(members(1), 1);
	assert_int_equal(find(token, &s), OK);
	assert_in_range(ttl("user-sess:1"), LIFE - CLOCK_MINUTE, LIFE);
	/* A short one does not shorten the set's life. */
	make(1, 60000, token);
	assert_in_range(ttl("user-sess:1"), LIFE - CLOCK_MINUTE, LIFE);
}

static void
without_redis_there_is_no_answer(void **state)
{
	char		token[CRYPT_TOKEN_MAX], other[CRYPT_TOKEN_MAX];
	struct session	s = { .user_id = 1, .life_ms = LIFE };

	(void)state;
	make(1, LIFE, token);
	wait_find(token, OK);
	assert_int_equal(find(token, &s), OK);
	servers_kill(&server);
	wait_find(token, ERR_AWAY);
	wait_tracking(false);
	assert_int_equal(session_stats().entries, 0);
	assert_int_equal(session_open(redis, &s, other), ERR_AWAY);
	servers_again(&server);
	wait_find(token, OK);
	wait_tracking(true);
	wait_find(token, OK);
}

static void
a_redis_that_hangs_is_noticed(void **state)
{
	char token[CRYPT_TOKEN_MAX];

	(void)state;
	make(1, LIFE, token);
	wait_find(token, OK);
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	wait_tracking(false);
	assert_int_equal(session_stats().entries, 0);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	wait_tracking(true);
	wait_find(token, OK);
}

/* Kill the connections of one kind, as an administrator might. */
static void
kill_clients(const char *kind)
{
	const char	*argv[] = { "CLIENT", "KILL", "TYPE", kind, "SKIPME",
			    "yes" };
	int64_t		 n = 0;

	assert_int_equal(redis_command(redis, 6, argv, &n), OK);
	assert_true(n > 0);
}

static void
either_connection_lost_empties_the_cache(void **state)
{
	static const char *const kinds[] = { "pubsub", "normal" };
	char			 token[CRYPT_TOKEN_MAX], key[96];
	struct session		 s;

	(void)state;
	for (size_t i = 0; i < nitems(kinds); i++) {
		make(1, LIFE, token);
		wait_find(token, OK);
		assert_int_equal(find(token, &s), OK);
		kill_clients(kinds[i]);
		key_of(token, key);
		assert_int_equal(redis_del(redis, key), OK);
		wait_find(token, ERR_NO_SESSION);
		wait_tracking(true);
		assert_int_equal(find(token, &s), ERR_NO_SESSION);
	}
}

static void
entries_grow_old(void **state)
{
	char			token[CRYPT_TOKEN_MAX];
	struct session		s;
	struct session_stats	a, b;
	int64_t			start = clock_mono_us();

	(void)state;
	session_stop();
	conf.session_cache_ms = 30;
	session_start(&conf);
	conf.session_cache_ms = 60000;
	wait_tracking(true);
	make(1, LIFE, token);
	wait_find(token, OK);
	/* Now and then it must be read anew although nothing happened. */
	a = b = session_stats();
	while (b.misses - a.misses < 3) {
		assert_true(clock_mono_us() - start < LONG_US);
		assert_int_equal(find(token, &s), OK);
		b = session_stats();
	}
	assert_true(clock_mono_us() - start > 50000);
	assert_true(b.hits > a.hits);
}

static void
the_cache_is_bounded(void **state)
{
	char		tokens[400][CRYPT_TOKEN_MAX];
	struct session	s;

	(void)state;
	for (int i = 0; i < 400; i++)
		make(i + 1, LIFE, tokens[i]);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 400; i++) {
			assert_int_equal(find(tokens[i], &s), OK);
			assert_int_equal(s.user_id, i + 1);
		}
	assert_in_range(session_stats().entries, 1, conf.session_cache);
}

static void
without_a_cache_it_works_too(void **state)
{
	char		token[CRYPT_TOKEN_MAX];
	struct session	s;
	int64_t		before = conf.session_cache;

	(void)state;
	session_stop();
	conf.session_cache = 0;
	session_start(&conf);
	conf.session_cache = before;
	make(1, LIFE, token);
	assert_int_equal(find(token, &s), OK);
	assert_int_equal(find(token, &s), OK);
	assert_int_equal(session_stats().hits, 0);
	assert_false(session_stats().tracking);
	assert_int_equal(session_end(redis, token), OK);
	assert_int_equal(find(token, &s), ERR_NO_SESSION);
}

static atomic_bool	 finished;
static char		 shared[CRYPT_TOKEN_MAX];
static atomic_llong	 least;		/* role bits known to be in force */

/* Read all the time; what is read must never be older than `least`. */
static void *
reader(void *arg)
{
	struct redis	*r = redis_new(server.where, 0, 5000);
	struct session	 s;
	int64_t		 floor, *stale = arg;

	while (!finished) {
		floor = least;
		if (session_find(r, shared, clock_now(), &s) == OK &&
		    (int64_t)s.roles < floor)
			(*stale)++;
	}
	redis_free(r);
	return NULL;
}

static void
a_race_never_brings_back_the_old(void **state)
{
	pthread_t	threads[3];
	int64_t		stale[3] = { 0 };

	(void)state;
	make(1, LIFE, shared);
	finished = false;
	least = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader,
		    &stale[i]), 0);
	for (int i = 10; i < 1010; i++) {
		assert_int_equal(session_refresh(redis, arena, 1, 7,
		    (uint64_t)i), OK);
		least = i;
		arena_reset(arena);
	}
	finished = true;
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(stale[i], 0);
	}
}

static void
renewing_does_not_undo_a_change(void **state)
{
	struct session	s;
	char		token[CRYPT_TOKEN_MAX], key[96], value[128];
	int64_t		now = clock_now();

	(void)state;
	make(1, LIFE, token);
	wait_find(token, OK);
	assert_int_equal(find(token, &s), OK);
	/* Changed by another process; our entry may not know it yet. */
	key_of(token, key);
	snprintf(value, sizeof(value), "v1 1 7 0 0 %lld %lld",
	    (long long)LIFE, (long long)(now + LIFE));
	assert_int_equal(redis_set(redis, key, value, LIFE, false), OK);
	assert_int_equal(session_find(redis, token, now + LIFE / 2, &s), OK);
	assert_int_equal(s.roles, 0);
	assert_int_equal(session_find(redis, token, now + LIFE / 2, &s), OK);
	assert_int_equal(s.roles, 0);
}

#define CACHED(test)	cmocka_unit_test_setup_teardown(test, start_cached, \
	stop_cached)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CACHED(a_session_is_found_by_its_token_only),
		CACHED(what_is_no_token_is_no_session),
		CACHED(a_spoilt_value_is_no_session),
		CACHED(a_hit_asks_nobody),
		CACHED(what_others_delete_is_forgotten),
		CACHED(a_flush_forgets_all),
		CACHED(one_is_ended_at_once),
		CACHED(all_are_ended_but_one),
		CACHED(roles_change_in_all_sessions),
		CACHED(life_slides_once_a_tenth_is_gone),
		CACHED(an_ended_life_is_no_session),
		CACHED(the_set_forgets_the_dead),
		CACHED(without_redis_there_is_no_answer),
		CACHED(a_redis_that_hangs_is_noticed),
		CACHED(either_connection_lost_empties_the_cache),
		CACHED(entries_grow_old),
		CACHED(the_cache_is_bounded),
		CACHED(without_a_cache_it_works_too),
		CACHED(a_race_never_brings_back_the_old),
		CACHED(renewing_does_not_undo_a_change),
	};
	int failed;

	if (!crypt_init())
		return 1;
	if (!servers_redis(&server))
		return SERVERS_SKIP;
	conf.redis = server.where;
	conf.redis_timeout_ms = 2000;
	conf.session_cache = 128;
	conf.session_cache_ms = 60000;
	arena = arena_new(1 << 20);
	redis = redis_new(server.where, 0, LONG_US / 1000);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_free(redis);
	arena_free(arena);
	servers_stop(&server);
	return failed;
}
