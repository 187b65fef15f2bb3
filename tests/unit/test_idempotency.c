/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_idempotency.c -- one key, one effect, one reply.
 */
#include "unit.h"

#include <pthread.h>

#include "store/redis.h"

#include "http_notes.h"
#include "servers.h"

#include "http/server.h"

#define THREADS	6
#define ROUNDS	8

static struct server pgsql;

static void
test_key_same(void **state)
{
	static const char body[] = "{\"id\":300,\"body\":\"a\"}";
	char first[256];

	(void)state;
	notes_runs = 0;
	assert_int_equal(notes_post("/t/notes", body, "k-1"), 201);
	assert_false(notes_heads("Idempotency-Replayed"));
	snprintf(first, sizeof(first), "%s", rig_reply(&notes_rig));
	assert_int_equal(notes_post("/t/notes", body, "k-1"), 201);
	assert_true(notes_heads("Idempotency-Replayed: true\r\n"));
	assert_string_equal(rig_reply(&notes_rig), first);
	assert_int_equal(notes_runs, 1);
	/* Another body, another path, another user. */
	assert_int_equal(notes_post("/t/notes", "{\"id\":301,\"body\":\"a\"}",
	    "k-1"), 422);
	assert_true(notes_says("\"code\":\"idempotency_key_reused\""));
	assert_int_equal(notes_post("/t/others", body, "k-1"), 422);
	assert_int_equal(notes_runs, 1);
	notes_resident(21, 1);
	assert_int_equal(notes_post("/t/notes", "{\"id\":302,\"body\":\"a\"}",
	    "k-1"), 201);
	assert_int_equal(notes_runs, 2);
	notes_resident(20, 1);
}

static void
test_key_failed(void **state)
{
	int64_t before = notes_keys();

	(void)state;
	notes_runs = 0;
	assert_int_equal(notes_post("/t/fail", "{\"id\":400,\"body\":\"a\"}",
	    "k-2"), 409);
	assert_int_equal(notes_post("/t/fail", "{\"id\":400,\"body\":\"a\"}",
	    "k-2"), 409);
	assert_int_equal(notes_runs, 2);
	assert_int_equal(notes_post("/t/keep", "{\"id\":401,\"body\":\"a\"}",
	    "k-2"), 409);
	assert_int_equal(notes_post("/t/torn", "{\"id\":402,\"body\":\"a\"}",
	    "k-2"), 500);
	assert_int_equal(notes_keys(), before);
	notes_agains = 2;
	assert_int_equal(notes_post("/t/again", "{\"id\":403,\"body\":\"a\"}",
	    "k-2"), 201);
	assert_int_equal(notes_keys(), before + 1);
	assert_int_equal(notes_post("/t/notes", "{", "k-3"), 400);
	assert_int_equal(notes_keys(), before + 1);
}

static void
test_key_form(void **state)
{
	static const char *const bad[] = { "", "a b", "a\tb", "\x7f",
		"\xe4\xbd\xa0",
		("12345678901234567890123456789012345678901234567890"
		"123456789012345") };
	size_t i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		assert_int_equal(notes_post("/t/notes",
		    "{\"id\":500,\"body\":\"a\"}", bad[i]), 422);
		assert_true(notes_says("\"field\":\"Idempotency-Key\""));
	}
	assert_int_equal(notes_post("/t/notes", "{\"id\":500,\"body\":\"a\"}",
	    bad[5] + 1), 201);
	/* Where nothing is written it means nothing. */
	notes_rq = rig_request(&notes_rig, GET, "/t/me");
	notes_rq->token = notes_token;
	notes_rq->key = "";
	assert_int_equal(notes_send(), 200);
}

/* What one thread sends, and what it got. */
struct sender {
	pthread_t	 thread;
	pthread_barrier_t *gate;
	const char	*key, *body;
	int		 status;
	char		 reply[256];
	bool		 replayed;
};

static void *
send_one(void *arg)
{
	struct sender *s = arg;
	struct req rq = { .method = POST, .path = "/t/notes", .query = "",
		.conf = &notes_rig.conf, .token = notes_token,
		.key = s->key, .body = s->body,
		.body_len = strlen(s->body), .address = "203.0.113.9",
		.content_type = "application/json", .request_id = "many" };
	struct buf out;
	enum err e;

	buf_init(&out, 65536);
	rq.out = &out;
	rq.arena = arena_new(1 << 20);
	rq.redis = redis_new(notes_rig.socket, 0, 1000);
	e = db_open(notes_rig.database, 4000, true, &rq.db);
	pthread_barrier_wait(s->gate);
	if (e == OK)
		server_dispatch(&rq);
	s->status = rq.status;
	s->replayed = rq.replayed;
	snprintf(s->reply, sizeof(s->reply), "%s", buf_text(&out));
	db_close(rq.db);
	redis_free(rq.redis);
	arena_free(rq.arena);
	buf_free(&out);
	return NULL;
}

/* The same at the same instant: one effect, one reply, given to all. */
static void
test_key_at_once(void **state)
{
	struct sender s[THREADS];
	pthread_barrier_t gate;
	char key[16], body[64];
	int64_t before = notes_count();
	int round, i, replayed;

	(void)state;
	pthread_barrier_init(&gate, NULL, THREADS);
	for (round = 0; round < ROUNDS; round++) {
		snprintf(key, sizeof(key), "once-%d", round);
		snprintf(body, sizeof(body), "{\"id\":%d,\"body\":\"a\"}",
		    600 + round);
		for (i = 0; i < THREADS; i++) {
			s[i] = (struct sender){ .gate = &gate, .key = key,
				.body = body };
			assert_int_equal(pthread_create(&s[i].thread, NULL,
			    send_one, &s[i]), 0);
		}
		for (i = 0, replayed = 0; i < THREADS; i++) {
			pthread_join(s[i].thread, NULL);
			assert_int_equal(s[i].status, 201);
			assert_string_equal(s[i].reply, s[0].reply);
			replayed += s[i].replayed;
		}
		assert_int_equal(replayed, THREADS - 1);
		assert_int_equal(notes_count(), before + round + 1);
	}
	pthread_barrier_destroy(&gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_same),
		cmocka_unit_test(test_key_failed),
		cmocka_unit_test(test_key_form),
		cmocka_unit_test(test_key_at_once),
	};
	int n;

	n = cmocka_run_group_tests_name("sqlite", tests, notes_start,
	    notes_stop);
	if (n != 0 || !servers_pgsql(&pgsql))
		return n;
	notes_url = pgsql.where;
	n = cmocka_run_group_tests_name("postgresql", tests, notes_start,
	    notes_stop);
	servers_stop(&pgsql);
	return n;
}
