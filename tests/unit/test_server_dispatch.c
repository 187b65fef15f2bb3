/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_server_dispatch.c -- who may, what may come, and what is kept.
 */
#include "unit.h"

#include <time.h>

#include <jansson.h>

#include "http_notes.h"
#include "servers.h"

static struct server pgsql;

static void
test_absent(void **state)
{
	(void)state;
	assert_int_equal(notes_get("/t/nothing", notes_token), 404);
	assert_true(notes_says("\"code\":\"not_found\""));
	assert_true(notes_says("\"type\":\"https://01planet.cn/problems/"
	    "not_found\""));
	assert_int_equal(notes_get("", notes_token), 404);
	notes_rq = rig_request(&notes_rig, DELETE, "/t/notes");
	assert_int_equal(notes_send(), 405);
	assert_true(notes_heads("\r\nAllow: GET, POST\r\n"));
	assert_true(notes_heads("Status: 405 Method Not Allowed\r\n"));
	notes_rq = rig_request(&notes_rig, 0, "/t/notes");
	assert_int_equal(notes_send(), 405);
}

static void
test_head(void **state)
{
	(void)state;
	assert_int_equal(notes_get("/t/open", NULL), 200);
	assert_string_equal(rig_reply(&notes_rig),
	    "{\"user\":\"0\",\"roles\":0}");
	assert_string_equal(rig_head(&notes_rig), "Status: 200 OK\r\n"
	    "Content-Type: application/json\r\nContent-Length: 22\r\n"
	    "Cache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "X-Request-Id: 0123456789abcdef\r\n\r\n");
	notes_rq = rig_request(&notes_rig, DELETE, "/t/notes/7");
	notes_rq->token = notes_token;
	assert_int_equal(notes_send(), 204);
	assert_int_equal(notes_rig.out.len, 0);
	assert_false(notes_heads("Content-Type: "));
}

static void
test_session(void **state)
{
	const char *nobody, *homeless, *clerk, *platform, *gone;

	(void)state;
	notes_runs = 0;
	assert_int_equal(notes_get("/t/me", NULL), 401);
	assert_true(notes_says("\"code\":\"no_session\""));
	assert_true(notes_heads("WWW-Authenticate: Bearer\r\n"));
	assert_int_equal(notes_get("/t/me", ""), 401);
	assert_int_equal(notes_get("/t/me", "x"), 401);
	assert_int_equal(notes_get("/t/me",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 401);
	gone = rig_session(&notes_rig, 31, 1, ROLE_RESIDENT);
	assert_int_equal(session_end(notes_rig.redis, gone), OK);
	assert_int_equal(notes_get("/t/me", gone), 401);
	assert_int_equal(notes_runs, 0);

	nobody = rig_session(&notes_rig, 32, 1, 0);
	homeless = rig_session(&notes_rig, 33, 0, 0);
	clerk = rig_session(&notes_rig, 34, 1, ROLE_CLERK);
	platform = rig_session(&notes_rig, 35, 1, ROLE_PLATFORM);
	assert_int_equal(notes_get("/t/notes", nobody), 403);
	assert_true(notes_says("\"code\":\"forbidden\""));
	assert_int_equal(notes_get("/t/notes", homeless), 403);
	assert_true(notes_says("\"code\":\"no_community\""));
	assert_int_equal(notes_get("/t/admin", clerk), 403);
	assert_int_equal(notes_get("/t/admin", notes_token), 403);
	assert_int_equal(notes_get("/t/notes", platform), 403);
	assert_int_equal(notes_runs, 0);
	assert_int_equal(notes_get("/t/notes", clerk), 200);
	assert_int_equal(notes_get("/t/admin", platform), 200);
	assert_int_equal(notes_get("/t/me", homeless), 200);
	assert_true(notes_says("\"user\":\"33\""));
	assert_int_equal(notes_get("/t/me", nobody), 200);
	assert_int_equal(notes_runs, 4);
}

/* Who may not is told so before the input is looked at. */
static void
test_order(void **state)
{
	(void)state;
	notes_token = NULL;
	assert_int_equal(notes_post("/t/notes", "garbage", NULL), 401);
	notes_token = rig_session(&notes_rig, 36, 1, ROLE_CLERK);
	assert_int_equal(notes_post("/t/notes", "garbage", NULL), 403);
	notes_resident(20, 1);
	assert_int_equal(notes_post("/t/notes", "garbage", NULL), 400);
}

static void
test_loopback(void **state)
{
	(void)state;
	assert_int_equal(notes_get("/t/local", NULL), 403);
	assert_int_equal(notes_get("/metrics", notes_token), 403);
	assert_int_equal(notes_get("/readyz", NULL), 403);
	assert_int_equal(notes_get("/healthz", NULL), 200);
	assert_string_equal(rig_reply(&notes_rig), "ok\n");
	assert_true(notes_heads("Content-Type: text/plain; charset=utf-8\r\n"));
	notes_rq = rig_request(&notes_rig, GET, "/t/local");
	notes_rq->address = "127.0.0.1";
	assert_int_equal(notes_send(), 200);
	notes_rq = rig_request(&notes_rig, GET, "/t/local");
	notes_rq->address = "::1";
	assert_int_equal(notes_send(), 200);
	notes_rq = rig_request(&notes_rig, GET, "/t/local");
	notes_rq->address = "127.0.0.10";
	assert_int_equal(notes_send(), 403);
	notes_rq = rig_request(&notes_rig, GET, "/readyz");
	notes_rq->address = "127.0.0.1";
	assert_int_equal(notes_send(), 200);
	notes_rq = rig_request(&notes_rig, GET, "/metrics");
	notes_rq->address = "127.0.0.1";
	assert_int_equal(notes_send(), 200);
	assert_true(notes_says("planet_requests_total{method=\"GET\","
	    "route=\"/t/open\",status=\"2xx\"} "));
	assert_true(notes_says("planet_request_seconds_bucket{pool=\"api\","
	    "le=\"+Inf\"} "));
}

static void
test_content_type(void **state)
{
	static const char *const good[] = { "application/json",
		"Application/JSON", "application/json; charset=utf-8",
		"application/json;charset=UTF-8",
		"application/json; charset=\"utf-8\"" };
	static const char *const bad[] = { NULL, "", "text/plain",
		"application/jsonp", "application/json; charset=gbk",
		"application/json; x=1", "application/json charset=utf-8",
		"multipart/form-data; boundary=x",
		"application/x-www-form-urlencoded" };
	size_t i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		notes_rq = rig_request(&notes_rig, POST, "/t/notes");
		notes_rq->token = notes_token;
		rig_body(&notes_rig, "{}");
		notes_rq->content_type = good[i];
		assert_int_equal(notes_send(), 422);
	}
	for (i = 0; i < nitems(bad); i++) {
		notes_rq = rig_request(&notes_rig, POST, "/t/notes");
		notes_rq->token = notes_token;
		rig_body(&notes_rig, "{}");
		notes_rq->content_type = bad[i];
		assert_int_equal(notes_send(), 415);
	}
	assert_int_equal(notes_post("/t/notes", NULL, NULL), 422);
	assert_true(notes_says("\"fields\":[{\"field\":\"id\",\"code\":"
	    "\"required\",\"detail\":\"请填写编号\"}"));
}

static void
test_body_size(void **state)
{
	static char body[70000];

	(void)state;
	memset(body, ' ', sizeof(body));
	memcpy(body, "{}", 2);
	body[65536] = '\0';
	assert_int_equal(notes_post("/t/notes", body, NULL), 422);
	body[65536] = ' ';
	body[65537] = '\0';
	assert_int_equal(notes_post("/t/notes", body, NULL), 413);
	notes_rq = rig_request(&notes_rig, POST, "/t/notes");
	notes_rq->token = notes_token;
	notes_rq->body_err = ERR_MALFORMED;
	assert_int_equal(notes_send(), 400);
}

static void
test_fields(void **state)
{
	(void)state;
	notes_runs = 0;
	assert_int_equal(notes_post("/t/notes", "{\"id\":0,\"body\":\"\","
	    "\"x\":1}", NULL), 422);
	assert_true(notes_says("\"code\":\"invalid_field\""));
	assert_true(notes_says("{\"field\":\"x\",\"code\":\"unknown\""));
	assert_true(notes_says("{\"field\":\"id\",\"code\":\"too_small\","
	    "\"detail\":\"编号最少 1\"}"));
	assert_true(notes_says("{\"field\":\"body\",\"code\":\"too_short\","
	    "\"detail\":\"请填写内容\"}"));
	assert_int_equal(notes_post("/t/notes", "{", NULL), 400);
	assert_true(notes_says("第 1 行"));
	assert_int_equal(notes_runs, 0);
}

static void
test_write(void **state)
{
	(void)state;
	assert_int_equal(notes_post("/t/notes",
	    "{\"id\":\"5\",\"body\":\"a\"}", NULL), 422);
	assert_int_equal(notes_post("/t/notes",
	    "{\"id\":5,\"body\":\"a\\\"b\"}", NULL), 201);
	assert_string_equal(rig_reply(&notes_rig), "{\"id\":\"5\",\"body\":"
	    "\"a\\\"b\",\"phone\":\"138****8000\"}");
	assert_true(notes_heads("Status: 201 Created\r\n"));
	assert_int_equal(notes_count(), 1);
	assert_int_equal(notes_post("/t/notes",
	    "{\"id\":5,\"body\":\"a\"}", NULL), 409);
	assert_true(notes_says("\"code\":\"conflict\""));
	assert_int_equal(notes_count(), 1);
}

static void
test_rollback(void **state)
{
	int64_t before = notes_count();

	(void)state;
	assert_int_equal(notes_post("/t/fail",
	    "{\"id\":90,\"body\":\"a\"}", NULL), 409);
	assert_true(notes_says("\"code\":\"state_conflict\""));
	assert_true(notes_says("\"detail\":\"这样不行。\""));
	assert_int_equal(notes_count(), before);
	assert_int_equal(notes_post("/t/torn",
	    "{\"id\":90,\"body\":\"a\"}", NULL), 500);
	assert_true(notes_says("\"code\":\"internal\""));
	assert_int_equal(notes_count(), before);
	assert_int_equal(notes_post("/t/keep",
	    "{\"id\":90,\"body\":\"a\"}", NULL), 409);
	assert_true(notes_says("\"code\":\"locked\""));
	assert_int_equal(notes_count(), before + 1);
}

/* A transaction that a handler forgot is undone, and is a fault. */
static void
test_left_open(void **state)
{
	int64_t before = notes_count();

	(void)state;
	assert_int_equal(notes_post("/t/left",
	    "{\"id\":95,\"body\":\"a\"}", NULL), 500);
	assert_true(notes_says("\"code\":\"internal\""));
	assert_int_equal(notes_count(), before);
}

static void
test_replay(void **state)
{
	int64_t before = notes_count();

	(void)state;
	notes_runs = 0;
	notes_agains = 4;
	assert_int_equal(notes_post("/t/again", "{\"id\":100,\"body\":\"a\"}",
	    NULL), 201);
	assert_int_equal(notes_runs, 5);
	assert_true(notes_says("{\"id\":\"100\""));
	assert_int_equal(notes_count(), before + 1);

	notes_runs = 0;
	notes_agains = 5;
	assert_int_equal(notes_post("/t/again", "{\"id\":101,\"body\":\"a\"}",
	    NULL), 503);
	assert_int_equal(notes_runs, 5);
	assert_true(notes_says("\"code\":\"busy\""));
	assert_false(notes_says("\"fields\""));
	assert_true(notes_heads("Retry-After: 1\r\n"));
	assert_int_equal(notes_count(), before + 1);

	notes_runs = 0;
	notes_agains = 2;
	assert_int_equal(notes_post("/t/own", "{\"id\":102,\"body\":\"a\"}",
	    NULL), 201);
	assert_int_equal(notes_runs, 3);

	/* The request's own deadline ends it earlier. */
	notes_runs = 0;
	notes_agains = 5;
	notes_again_ms = 30;
	notes_rig.conf.request_ms = 20;
	assert_int_equal(notes_post("/t/again", "{\"id\":103,\"body\":\"a\"}",
	    NULL), 503);
	assert_int_equal(notes_runs, 1);
	notes_rig.conf.request_ms = 5000;
	notes_agains = 0;
	notes_again_ms = 0;
}

static void
test_unsound(void **state)
{
	(void)state;
	assert_int_equal(notes_get("/t/silent", NULL), 500);
	assert_int_equal(notes_get("/t/huge", NULL), 500);
	assert_true(notes_says("\"code\":\"internal\""));
	assert_int_equal(notes_get("/t/fat", NULL), 500);
	assert_int_equal(notes_get("/t/open", NULL), 200);
}

static void
test_list(void **state)
{
	char body[64], query[256];
	const char *next;
	json_t *root;
	int i, seen = 0, pages = 0;

	(void)state;
	for (i = 200; i < 245; i++) {
		snprintf(body, sizeof(body), "{\"id\":%d,\"body\":\"n\"}", i);
		notes_resident(40, 9);
		assert_int_equal(notes_post("/t/notes", body, NULL), 201);
	}
	query[0] = '\0';
	do {
		notes_rq = rig_request(&notes_rig, GET, "/t/notes");
		notes_rq->token = notes_token;
		notes_rq->query = query;
		assert_int_equal(notes_send(), 200);
		root = json_loads(rig_reply(&notes_rig), 0, NULL);
		assert_non_null(root);
		seen += (int)json_array_size(json_object_get(root, "items"));
		next = json_string_value(json_object_get(root, "next"));
		if (next != NULL)
			snprintf(query, sizeof(query), "after=%s", next);
		json_decref(root);
		pages++;
	} while (strstr(rig_reply(&notes_rig), "\"next\":null") == NULL);
	assert_int_equal(pages, 3);
	assert_int_equal(seen, 45);
	notes_rq = rig_request(&notes_rig, GET, "/t/notes");
	notes_rq->token = notes_token;
	notes_rq->query = "limit=45";
	assert_int_equal(notes_send(), 200);
	assert_true(notes_says("\"next\":null"));
	notes_rq = rig_request(&notes_rig, GET, "/t/notes");
	notes_rq->token = notes_token;
	notes_rq->query = "after=200";
	assert_int_equal(notes_send(), 422);
	assert_true(notes_says("\"field\":\"after\""));
	assert_int_equal(notes_get("/t/all", notes_token), 200);
	assert_true(notes_says("\"next\":null"));
	notes_resident(41, 10);
	assert_int_equal(notes_get("/t/all", notes_token), 200);
	assert_string_equal(rig_reply(&notes_rig),
	    "{\"items\":[],\"next\":null}");
	notes_resident(20, 1);
}

static void
test_limits(void **state)
{
	(void)state;
	notes_rig.conf.logins = 2;
	assert_int_equal(notes_post("/t/sessions/staff", NULL, NULL), 201);
	assert_int_equal(notes_post("/t/sessions/staff", NULL, NULL), 201);
	assert_int_equal(notes_post("/t/sessions/staff", NULL, NULL), 429);
	assert_true(notes_says("\"code\":\"rate_limited\""));
	assert_true(notes_heads("\r\nRetry-After: "));
	assert_int_equal(notes_get("/t/open", NULL), 200);
	notes_rig.conf.logins = 0;
	notes_rig.conf.address_requests = 1;
	assert_int_equal(notes_get("/t/open", NULL), 200);
	assert_int_equal(notes_get("/t/open", NULL), 429);
	assert_int_equal(notes_get("/healthz", NULL), 200);
	assert_int_equal(notes_get("/t/me", notes_token), 200);
	notes_rig.conf.address_requests = 0;
	notes_rig.conf.user_reads = 1;
	notes_rig.conf.user_writes = 1;
	assert_int_equal(notes_get("/t/me", notes_token), 200);
	assert_int_equal(notes_get("/t/me", notes_token), 429);
	assert_int_equal(notes_post("/t/notes", "{}", NULL), 422);
	assert_int_equal(notes_post("/t/notes", "{}", NULL), 429);
	notes_rig.conf.user_reads = 0;
	notes_rig.conf.user_writes = 0;
}

static void
test_redis_away(void **state)
{
	struct timespec t = { 0, 20000000 };
	int i;

	(void)state;
	notes_rig.conf.logins = 10;
	notes_rig.conf.address_requests = 10;
	rig_redis_stop(&notes_rig);
	assert_int_equal(notes_get("/t/me", notes_token), 503);
	assert_true(notes_says("\"code\":\"temporarily_unavailable\""));
	assert_true(notes_heads("Retry-After: 5\r\n"));
	assert_int_equal(notes_get("/t/open", NULL), 200);
	assert_int_equal(notes_post("/t/sessions/staff", NULL, NULL), 503);
	assert_int_equal(notes_get("/healthz", NULL), 200);
	notes_rq = rig_request(&notes_rig, GET, "/readyz");
	notes_rq->address = "127.0.0.1";
	assert_int_equal(notes_send(), 503);
	rig_redis_start(&notes_rig);
	notes_resident(20, 1);
	for (i = 0; i < 200 && notes_get("/t/me", notes_token) != 200; i++)
		nanosleep(&t, NULL);
	assert_int_equal(notes_get("/t/me", notes_token), 200);
	notes_rig.conf.logins = 0;
	notes_rig.conf.address_requests = 0;
}

static void
test_database_away(void **state)
{
	(void)state;
	notes_rq = rig_request(&notes_rig, GET, "/t/me");
	notes_rq->token = notes_token;
	notes_rq->db = NULL;
	assert_int_equal(notes_send(), 503);
	notes_rq = rig_request(&notes_rig, GET, "/healthz");
	notes_rq->db = NULL;
	assert_int_equal(notes_send(), 200);
	notes_rq = rig_request(&notes_rig, GET, "/readyz");
	notes_rq->address = "127.0.0.1";
	notes_rq->db = NULL;
	assert_int_equal(notes_send(), 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_body_size),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_left_open),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_unsound),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_redis_away),
		cmocka_unit_test(test_database_away),
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
