/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_session_list.c -- sessions of staff, with an end in any case, and
 * the list of a user's.
 */
#include <time.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "store/redis.h"
#include "store/session.h"

#include "servers.h"

#define LIFE	(30 * CLOCK_DAY)

static struct server	 server;
static struct redis	*redis;
static struct arena	*arena;

static int
clean(void **state)
{
	const char *argv[] = { "FLUSHALL" };

	(void)state;
	arena_reset(arena);
	return redis_command(redis, 1, argv, NULL) == OK ? 0 : -1;
}

static void
nap(void)
{
	struct timespec t = { 0, 1000000 };

	nanosleep(&t, NULL);
}

static void
make(int64_t user, int64_t life, char token[CRYPT_TOKEN_MAX])
{
	struct session s = { .user_id = user, .life_ms = life };

	assert_int_equal(session_open(redis, &s, token), OK);
}

static enum err
find(const char *token, struct session *ret)
{
	return session_find(redis, token, clock_now(), ret);
}

static void
key_of(const char *token, char key[96])
{
	char hash[CRYPT_HEX_MAX];

	crypt_sha256(token, strlen(token), hash);
	snprintf(key, 96, "sess:%s", hash);
}

static int64_t
ask(const char *word, const char *key)
{
	const char	*argv[] = { word, key };
	int64_t		 n = -3;

	assert_int_equal(redis_command(redis, 2, argv, &n), OK);
	return n;
}

static void
no_use_carries_it_past_its_end(void **state)
{
	struct session	s = { .user_id = 1, .staff = true,
			    .life_ms = CLOCK_HOUR }, t;
	char		token[CRYPT_TOKEN_MAX], key[96];
	int64_t		now = clock_now(), until;

	(void)state;
	s.until_at = until = now + CLOCK_HOUR + CLOCK_HOUR / 2;
	assert_int_equal(session_open(redis, &s, token), OK);
	assert_true(session_end_at(&s) == s.expires_at);
	key_of(token, key);
	assert_in_range(ask("PTTL", key), CLOCK_HOUR - CLOCK_MINUTE,
	    CLOCK_HOUR);
	now += CLOCK_HOUR - 1;
	assert_int_equal(session_find(redis, token, now, &t), OK);
	assert_true(t.expires_at == now + CLOCK_HOUR);
	assert_true(t.until_at == until && session_end_at(&t) == until);
	assert_in_range(ask("PTTL", key), 1, CLOCK_HOUR / 2 + 1);
	assert_int_equal(session_find(redis, token, until - 1, &t), OK);
	assert_int_equal(session_find(redis, token, until, &t),
	    ERR_NO_SESSION);
	/* Only staff can be told to change a password. */
	s.must_change = true;
	s.staff = false;
	assert_int_equal(session_open(redis, &s, token), ERR_INTERNAL);
}

static void
a_changed_password_relieves(void **state)
{
	struct session	s = { .user_id = 1, .community_id = 7, .roles = 5,
			    .staff = true, .must_change = true,
			    .life_ms = LIFE }, t;
	char		a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX], key[96];

	(void)state;
	assert_int_equal(session_open(redis, &s, a), OK);
	s.user_id = 2;
	assert_int_equal(session_open(redis, &s, b), OK);
	assert_int_equal(find(a, &t), OK);
	assert_true(t.must_change && t.staff);
	/* Roles that change do not relieve. */
	assert_int_equal(session_refresh(redis, arena, 1, 8, 9), OK);
	assert_int_equal(find(a, &t), OK);
	assert_true(t.must_change && t.staff && t.roles == 9);
	assert_int_equal(session_relieve(redis, arena, 1), OK);
	assert_int_equal(find(a, &t), OK);
	assert_true(!t.must_change && t.staff && t.roles == 9);
	assert_true(t.community_id == 8 && t.life_ms == LIFE);
	key_of(a, key);
	assert_in_range(ask("PTTL", key), LIFE - CLOCK_MINUTE, LIFE);
	assert_int_equal(find(b, &t), OK);
	assert_true(t.must_change);
	assert_int_equal(session_relieve(redis, arena, 99), OK);
}

static void
they_are_listed_with_from_where(void **state)
{
	/* 22 characters of 3 bytes: the last is cut off whole. */
	static const char	long_name[] = "水水水水水水水水水水水"
	    "水水水水水水水水水水水";
	struct session		s = { .user_id = 1, .staff = true,
				    .life_ms = LIFE };
	struct session_from	from = { "192.0.2.7", "Chrome\nx" };
	const struct session_row *rows;
	char			a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX];
	char			c[CRYPT_TOKEN_MAX], key[96];
	int			n;

	(void)state;
	assert_int_equal(session_open_from(redis, &s, &from, a), OK);
	nap();
	nap();
	from.address = NULL;
	from.device = long_name;
	s.staff = false;
	assert_int_equal(session_open_from(redis, &s, &from, b), OK);
	make(2, LIFE, c);
	assert_int_equal(session_list(redis, arena, 1, a, &rows, &n), OK);
	assert_int_equal(n, 2);
	assert_true(rows[0].opened_at > rows[1].opened_at);
	assert_true(!rows[0].current && rows[1].current);
	assert_true(!rows[0].staff && rows[1].staff);
	assert_string_equal(rows[0].address, "");
	assert_int_equal(strlen(rows[0].device), 63);
	assert_string_equal(rows[1].address, "192.0.2.7");
	assert_string_equal(rows[1].device, "Chrome");
	assert_true(rows[0].id > 0 && rows[0].id != rows[1].id);
	assert_true(rows[1].used_at - rows[1].opened_at < 1000);
	assert_true(rows[1].expires_at == rows[1].used_at + LIFE);
	/* One that Redis has lost is not told. */
	key_of(b, key);
	assert_int_equal(redis_del(redis, key), OK);
	assert_int_equal(session_list(redis, arena, 1, NULL, &rows, &n), OK);
	assert_true(n == 1 && !rows[0].current);
	assert_int_equal(session_list(redis, arena, 3, NULL, &rows, &n), OK);
	assert_int_equal(n, 0);
}

static void
one_of_the_list_is_ended(void **state)
{
	const struct session_row *rows;
	struct session		s;
	char			a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX];
	int64_t			id;
	int			n;

	(void)state;
	make(1, LIFE, a);
	make(1, LIFE, b);
	assert_int_equal(find(a, &s), OK);
	assert_int_equal(session_list(redis, arena, 1, a, &rows, &n), OK);
	assert_int_equal(n, 2);
	id = rows[rows[0].current ? 0 : 1].id;
	assert_int_equal(session_end_one(redis, arena, 2, id), ERR_ABSENT);
	assert_int_equal(session_end_one(redis, arena, 1, id ^ 1),
	    ERR_ABSENT);
	assert_int_equal(find(a, &s), OK);
	assert_int_equal(session_end_one(redis, arena, 1, id), OK);
	assert_int_equal(find(a, &s), ERR_NO_SESSION);
	assert_int_equal(find(b, &s), OK);
	assert_int_equal(ask("SCARD", "user-sess:1"), 1);
	assert_int_equal(session_end_one(redis, arena, 1, id), ERR_ABSENT);
}

#define CASE(test)	cmocka_unit_test_setup(test, clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(no_use_carries_it_past_its_end),
		CASE(a_changed_password_relieves),
		CASE(they_are_listed_with_from_where),
		CASE(one_of_the_list_is_ended),
	};
	int failed;

	if (!crypt_init())
		return 1;
	if (!servers_redis(&server))
		return SERVERS_SKIP;
	arena = arena_new(1 << 20);
	redis = redis_new(server.where, 0, 500);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	redis_free(redis);
	arena_free(arena);
	servers_stop(&server);
	return failed;
}
