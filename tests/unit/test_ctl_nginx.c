/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ctl_nginx.c -- what nginx is told about routes, pools and refusals.
 *
 * The route table here is the test's own: it has the cases that ours does
 * not have yet, above all patterns of both pools that overlap.
 */
#include "unit.h"

#include "base/conf.h"
#include "http/route.h"

#include "ctl_nginx.h"

#define API(m, p)	{ .method = (m), .path = (p), .who = LOGGED_IN, \
	.pool = POOL_API }
#define SLOW(m, p)	{ .method = (m), .path = (p), .who = LOGGED_IN, \
	.pool = POOL_SLOW }

static const struct route usual[] = {
	SLOW(POST, "/api/v1/sessions"),
	API(GET, "/api/v1/sessions"),
	API(GET, "/api/v1/orders/{id}"),
	API(POST, "/api/v1/orders/again"),
	SLOW(POST, "/api/v1/orders/{id}"),
	SLOW(POST, "/api/v1/things/{id}/{event}"),
	API(POST, "/api/v1/things/{id}/cancel"),
	API(DELETE, "/api/v1/things/{id}/{event}"),
	{ .method = GET, .path = "/healthz", .who = ANYONE,
	    .pool = POOL_API },
	{ .method = GET, .path = "/metrics", .who = LOOPBACK,
	    .pool = POOL_API },
	{ .method = 0 }
};
static const struct route quoted[] = {
	API(GET, "/api/v1/\"; evil"),
	{ .method = 0 }
};

static const struct route *table = usual;

const struct route *
route_at(int i, const char **ret_tag)
{
	(void)ret_tag;
	return table[i].method == 0 ? NULL : &table[i];
}

const char *
method_name(enum method m)
{
	static const char *const names[] = { "", "GET", "POST", "PATCH",
	    "PUT", "DELETE" };

	return names[m];
}

static struct conf
usual_conf(void)
{
	return (struct conf){ .listen = "127.0.0.1:8080",
	    .run_dir = "/srv/a b/run", .generation = "0",
	    .api_threads = 16, .slow_threads = 5, .nginx_workers = 3,
	    .drain_ms = 10000, .request_ms = 1500, .body_max = 4096 };
}

/* What a part prints, in a buffer of this program; NULL when refused. */
static const char *
printed(const struct conf *cf, const char *part)
{
	static char *text;
	size_t n;
	FILE *fp;
	int rc;

	free(text);
	fp = open_memstream(&text, &n);
	assert_non_null(fp);
	rc = ctl_nginx(cf, part, fp);
	assert_int_equal(fclose(fp), 0);
	return rc == 0 ? text : NULL;
}

static const char *
must_have(const char *text, const char *what)
{
	const char *p = strstr(text, what);

	if (p == NULL)
		fail_msg("not printed: %s", what);
	return p;
}

static void
test_map_names_slow_rows(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "http");

	(void)state;
	must_have(s, "default planet_api;");
	must_have(s, "\"POST:/api/v1/sessions\" planet_slow;");
	must_have(s, "\"~^POST:/api/v1/orders/[^/]+$\" planet_slow;");
	/* The same path by another method stays where it is. */
	assert_null(strstr(s, "GET:"));
	assert_null(strstr(s, "DELETE:"));
}

static void
test_map_keeps_api_rows_from_slow_patterns(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "http"), *narrow, *wide;

	(void)state;
	must_have(s, "\"POST:/api/v1/orders/again\" planet_api;");
	narrow = must_have(s,
	    "\"~^POST:/api/v1/things/[^/]+/cancel$\" planet_api;");
	wide = must_have(s,
	    "\"~^POST:/api/v1/things/[^/]+/[^/]+$\" planet_slow;");
	assert_true(narrow < wide);
}

static void
test_connections_are_kept(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "http"), *slow;

	(void)state;
	must_have(s, "server \"unix:/srv/a b/run/api-0.sock\";");
	/* 16 x 2 and 5 x 2, among 3 workers of nginx. */
	slow = must_have(s, "upstream planet_slow {");
	assert_true(must_have(s, "each of 16 threads.\n"
	    "\tkeepalive 10;\n") < slow);
	must_have(slow, "each of 5 threads.\n\tkeepalive 3;\n");
	cf.slow_threads = 1;
	must_have(printed(&cf, "http"), "\tkeepalive 1;\n");
}

/* Else it would send to a worker that has ended. */
static void
test_none_is_kept_for_longer_than_a_worker_waits(void **state)
{
	static const int64_t drains[] = { 3, 1000, 10000, 600000 };
	struct conf cf = usual_conf();
	const char *s;
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < nitems(drains); i++) {
		cf.drain_ms = drains[i];
		snprintf(line, sizeof(line), "\tkeepalive_time %lldms;\n",
		    (long long)drains[i] * 2 / 5);
		s = must_have(printed(&cf, "http"), line);
		snprintf(line, sizeof(line), "\tkeepalive_timeout %lldms;\n",
		    (long long)drains[i] * 2 / 5);
		must_have(s, line);
	}
	/* One that does not wait must not be kept at all. */
	cf.drain_ms = 2;
	assert_null(strstr(printed(&cf, "http"), "keepalive"));
	assert_int_equal(ctl_nginx_keep(&cf, 16), 0);
}

/* The rest of an address's allowance is the worker's to count. */
static void
test_one_address_has_limits(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "http"), *geo, *map;

	(void)state;
	must_have(s, "\nlimit_req_zone $planet_address zone=planet_req:10m"
	    " rate=200r/s;\n");
	must_have(s, "\nlimit_conn_zone $planet_address"
	    " zone=planet_conn:10m;\n");
	/* An empty key is not counted: that of this machine, no other's. */
	geo = must_have(s, "geo $planet_stranger {\n");
	must_have(geo, "\tdefault 1;\n\t127.0.0.1 0;\n\t::1 0;\n}\n");
	map = must_have(s, "map $planet_stranger $planet_address {\n");
	must_have(map, "\t0 \"\";\n\tdefault $binary_remote_addr;\n}\n");
	/* The server uses these zones, and says 429 as we do. */
	s = printed(&cf, "server");
	must_have(s, "\nlimit_req zone=planet_req burst=1000 nodelay;\n");
	must_have(s, "\nlimit_req_status 429;\n");
	must_have(s, "\nlimit_conn planet_conn 1000;\n");
	must_have(s, "\nlimit_conn_status 429;\n");
	must_have(s, "error_page 429 =429 /_planet/rate_limited;\n");
	assert_null(strstr(s, "limit_req_zone"));
}

static void
test_locations(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "server");

	(void)state;
	must_have(s, "location / {\n\treturn 404;\n}");
	must_have(s, "location /api/ {\n\tfastcgi_pass $planet_pool;\n}");
	must_have(s, "location = /healthz {\n\tfastcgi_pass");
	must_have(s, "location = /metrics {\n\tallow 127.0.0.1;\n"
	    "\tallow ::1;\n\tdeny all;\n");
	must_have(s, "location = /metrics/slow {\n\tallow 127.0.0.1;\n");
	assert_null(strstr(s, "/healthz/slow"));
	/* nginx would send it on to /api/ with a redirection. */
	must_have(s, "location = /api {\n\treturn 404;\n}");
	must_have(s, "client_max_body_size 4096;");
	must_have(s, "fastcgi_read_timeout 7s;");
	must_have(s, "fastcgi_pass_request_headers off;");
}

static void
test_refusals_read_like_ours(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, "server"), *page;

	(void)state;
	must_have(s, "error_page 502 503 504 =503 "
	    "/_planet/temporarily_unavailable;");
	page = must_have(s, "location = /_planet/temporarily_unavailable {\n"
	    "\tinternal;\n");
	must_have(page, "\tadd_header Retry-After 5 always;\n");
	must_have(page, "\"status\":503,\"code\":\"temporarily_unavailable\"");
	must_have(page, "\"request_id\":\"$request_id\"}';\n}");
	page = must_have(s, "location = /_planet/too_large {\n");
	must_have(page, "return 413 '{\"type\":\"https://");
}

static void
test_parts(void **state)
{
	struct conf cf = usual_conf();
	const char *s = printed(&cf, NULL);

	(void)state;
	must_have(s, "worker_processes 3;");
	must_have(s, "listen 127.0.0.1:8080;");
	must_have(s, "upstream planet_api {");
	must_have(s, "location /api/ {");
	assert_non_null(printed(&cf, "all"));
	assert_null(strstr(printed(&cf, "http"), "\nlocation "));
	assert_null(strstr(printed(&cf, "server"), "\nupstream "));
	assert_null(printed(&cf, "everything"));
	assert_null(printed(&cf, ""));
}

static void
test_syntax_cannot_be_smuggled(void **state)
{
	struct conf cf = usual_conf();

	(void)state;
	cf.run_dir = "/srv/\"; evil";
	assert_null(printed(&cf, "http"));
	cf = usual_conf();
	cf.listen = "80; evil";
	assert_null(printed(&cf, "all"));
	cf = usual_conf();
	cf.generation = "../0";
	assert_null(printed(&cf, "http"));
	cf = usual_conf();
	table = quoted;
	assert_null(printed(&cf, "http"));
	table = usual;
	assert_non_null(printed(&cf, "http"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_names_slow_rows),
		cmocka_unit_test(test_map_keeps_api_rows_from_slow_patterns),
		cmocka_unit_test(test_connections_are_kept),
		cmocka_unit_test(
		    test_none_is_kept_for_longer_than_a_worker_waits),
		cmocka_unit_test(test_one_address_has_limits),
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_refusals_read_like_ours),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_syntax_cannot_be_smuggled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
