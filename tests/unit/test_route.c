/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_route.c -- the matcher on a good table, then every bad row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/view.h"

#include "http/field.h"
#include "http/route.h"
#include "http/route_internal.h"

struct in {
	int64_t		 id;
	const char	*event;
	int64_t		 limit, after, n;
	struct field_list items;
};

static enum err
nothing(struct req *rq)
{
	(void)rq;
	return OK;
}

static const struct field id_fields[] = { F_ID(in, id, "编号", MUST), F_END };
static const struct shape id_shape = { .name = "Id",
	.size = sizeof(struct in), .fields = id_fields };
static const struct field event_fields[] = {
	F_ID(in, id, "编号", MUST), F_TEXT(in, event, "操作", MUST, 1, 20),
	F_END
};
static const struct shape event_shape = { .name = "Event",
	.size = sizeof(struct in), .fields = event_fields };
static const struct field page_fields[] = { F_PAGE(in), F_END };
static const struct shape page_shape = { .name = "Page",
	.size = sizeof(struct in), .fields = page_fields };
static const struct field body_fields[] = { F_INT(in, n, "数量", MUST, 1, 9),
	F_END };
static const struct shape body_shape = { .name = "Body",
	.size = sizeof(struct in), .fields = body_fields };

static const struct field good_phone_fields[] = {
	F_PHONE(in, event, "手机", MAY), F_END
};
static const struct shape good_phone_shape = { .name = "GoodPhone",
	.size = sizeof(struct in), .fields = good_phone_fields };
static const struct field good_secret_fields[] = {
	F_SECRET(in, event, "密码", MUST, 1, 9), F_END
};
static const struct shape good_secret_shape = { .name = "GoodSecret",
	.size = sizeof(struct in), .fields = good_secret_fields };

static const struct view_column row_columns[] = { C_ID(in, id), C_END };
static const struct view row_view = { "Row", sizeof(struct in),
	row_columns };

/* Each row says only in what it differs. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define ROW(m, p, ...) { .method = (m), .path = (p), .who = ROLE_RESIDENT, \
	.reply = REPLY_ONE, .out = &row_view, .status = 200,		\
	.pool = POOL_API, .tx = TX_READ, .handler = nothing,		\
	.about = "x", __VA_ARGS__ }

static const struct route good[] = {
	ROW(GET, "/", .who = ANYONE),
	ROW(GET, "/api/things", .in = &page_shape, .reply = REPLY_LIST),
	ROW(POST, "/api/things", .in = &body_shape, .status = 201),
	ROW(GET, "/api/things/{id}", .in = &id_shape),
	ROW(DELETE, "/api/things/{id}", .in = &id_shape, .reply = REPLY_NONE,
	    .out = NULL, .status = 204, .tx = TX_WRITE),
	ROW(POST, "/api/things/again", .tx = TX_WRITE),
	ROW(GET, "/api/things/{id}/timeline", .in = &id_shape,
	    .reply = REPLY_LIST),
	ROW(POST, "/api/things/{id}/{event}", .in = &event_shape),
	ROW(POST, "/api/things/{id}/pay", .in = &id_shape),
	ROW(GET, "/healthz", .who = ANYONE, .reply = REPLY_TEXT,
	    .out = NULL),
	/* A search reads and has pages; what it is for stays out of logs. */
	ROW(POST, "/search", .in = &page_shape, .reply = REPLY_LIST),
	ROW(POST, "/search/phone", .in = &good_phone_shape),
	ROW(GET, "/search/{event}", .in = &good_secret_shape),
	{ 0 }
};

static void
test_ready(void **state)
{
	const char *tag;

	(void)state;
	route_register("things", good);
	route_register("things", good);
	assert_int_equal(route_count(), 13);
	assert_true(route_ready());
	assert_ptr_equal(route_at(0, &tag), &good[0]);
	assert_string_equal(tag, "things");
	assert_null(route_at(13, NULL));
	assert_null(route_at(-1, NULL));
	assert_int_equal(route_index(&good[3]), 3);
	assert_int_equal(route_index(&good[13]), -1);
}

static void
found(enum method m, const char *path, int want)
{
	struct route_match got;

	assert_int_equal(route_find(m, path, &got), OK);
	assert_ptr_equal(got.route, &good[want]);
	assert_int_equal(got.index, want);
}

static void
test_match(void **state)
{
	struct route_match got;

	(void)state;
	found(GET, "/", 0);
	found(GET, "/api/things", 1);
	found(POST, "/api/things", 2);
	found(GET, "/api/things/12", 3);
	found(DELETE, "/api/things/12", 4);
	found(POST, "/api/things/again", 5);
	found(GET, "/api/things/again", 3);
	found(GET, "/api/things/5/timeline", 6);
	found(POST, "/api/things/5/cancel", 7);
	found(POST, "/api/things/5/pay", 8);
	assert_int_equal(route_find(POST, "/api/things/55/cancel", &got), OK);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.names[0], "id");
	assert_string_equal(got.names[1], "event");
	assert_int_equal(got.lengths[0], 2);
	assert_memory_equal(got.values[0], "55", 2);
	assert_int_equal(got.lengths[1], 6);
	assert_memory_equal(got.values[1], "cancel", 6);
}

static void
test_absent(void **state)
{
	static const char *const paths[] = {
		"", "api", "/api", "/api/", "//", "/api//things",
		"/api/things/", "/api/Things", "/api/things/1/2/3",
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", "/healthz/", "/api/thing",
		"/api/thingsx", "api/things"
	};
	struct route_match got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(route_find(GET, paths[i], &got), ERR_ABSENT);
		assert_int_equal(route_allow(paths[i]), 0);
	}
}

static void
test_method(void **state)
{
	struct route_match got;

	(void)state;
	assert_int_equal(route_find(PUT, "/api/things", &got), ERR_METHOD);
	assert_int_equal(route_find(0, "/api/things", &got), ERR_METHOD);
	assert_int_equal(route_allow("/api/things"), 1u << GET | 1u << POST);
	assert_int_equal(route_allow("/api/things/1"), 1u << GET |
	    1u << DELETE);
	assert_int_equal(route_find(PUT, "/nowhere", &got), ERR_ABSENT);
	assert_int_equal(method_find("PATCH"), PATCH);
	assert_int_equal(method_find("patch"), 0);
	assert_int_equal(method_find("BREW"), 0);
	assert_string_equal(method_name(DELETE), "DELETE");
	assert_string_equal(method_name(77), "-");
}

static void
test_param_length(void **state)
{
	char path[128] = "/api/things/";
	struct route_match got;
	size_t n = strlen(path);

	(void)state;
	memset(path + n, '7', ROUTE_PARAM_MAX);
	assert_int_equal(route_find(GET, path, &got), OK);
	path[n + ROUTE_PARAM_MAX] = '7';
	assert_int_equal(route_find(GET, path, &got), ERR_ABSENT);
}

static void
test_roles(void **state)
{
	(void)state;
	assert_int_equal(role_bit("resident"), ROLE_RESIDENT);
	assert_int_equal(role_bit("platform"), ROLE_PLATFORM);
	assert_int_equal(role_bit("king"), 0);
	assert_int_equal(role_bit(""), 0);
}

#define ONE_SHAPE(tag, ...)						\
	static const struct field tag##_fields[] = { __VA_ARGS__, F_END }; \
	static const struct shape tag##_shape = { .name = #tag,		\
	    .size = sizeof(struct in), .fields = tag##_fields }

ONE_SHAPE(outside, { .kind = FIELD_INT, .name = "n",
    .offset = sizeof(struct in) - 1, .max = 1, .label = "数" });
ONE_SHAPE(twice, F_INT(in, n, "数", MAY, 0, 1), F_INT(in, n, "数", MAY, 0, 1));
ONE_SHAPE(order, F_INT(in, n, "数", MAY, 2, 1));
ONE_SHAPE(unnamed, F_ENUM(in, n, "数", MAY, NULL));
ONE_SHAPE(silent, F_INT(in, n, NULL, MAY, 0, 1));
ONE_SHAPE(subless, F_LIST(in, items, "数", MAY, 0, 1, NULL));
ONE_SHAPE(listing, F_LIST(in, items, "数", MAY, 0, 1, &body_shape));
ONE_SHAPE(phone, F_PHONE(in, event, "手机", MAY));
ONE_SHAPE(secret, F_SECRET(in, event, "密码", MAY, 1, 9));
ONE_SHAPE(nullid, F_ID(in, id, "编号", FIELD_NULL));

static const struct shape loop_shape;
static const struct field loop_fields[] = {
	F_LIST(in, items, "数", MAY, 0, 1, &loop_shape), F_END
};
static const struct shape loop_shape = { .name = "Loop",
	.size = sizeof(struct in), .fields = loop_fields };

#define BAD(p, ...) ROW(GET, p, __VA_ARGS__)
#define NO_PATH	"/bad"

/* Every one of these must be refused for its own reason. */
static const struct route bad[] = {
	BAD(NULL, .about = "x"),
	BAD("x/y", .about = "x"),
	BAD("/b/", .about = "x"),
	BAD("/b//c", .about = "x"),
	BAD("/B", .about = "x"),
	BAD("/b/{}", .in = &id_shape),
	BAD("/b/{id", .in = &id_shape),
	BAD("/b/{other}", .in = &id_shape),
	BAD("/b/{id}", .in = NULL),
	BAD("/b/{limit}", .in = NULL),
	BAD("/b/{after}", .in = &page_shape),
	BAD("/b1/{id}", .in = &nullid_shape),
	BAD("/b/who", .who = 0),
	BAD("/b/who2", .who = ANYONE | ROLE_ADMIN),
	BAD("/b/who3", .who = ANYONE | LOOPBACK),
	BAD("/b/who4", .who = 1ULL << 40),
	BAD("/b/act", .who = ROLE_ADMIN | ACT_WATER),
	BAD("/b/act2", .who = LOGGED_IN | ACT_READ),
	BAD("/b/act3", .who = ROLE_RESIDENT | ACT_WATER, .tx = TX_OWN),
	BAD("/b/reply", .reply = 0),
	BAD("/b/reply2", .out = NULL),
	BAD("/b/reply3", .reply = REPLY_NONE, .status = 204),
	BAD("/b/reply4", .reply = REPLY_NONE, .out = NULL, .status = 200),
	BAD("/b/reply5", .status = 204),
	BAD("/b/reply6", .reply = REPLY_LIST, .status = 201),
	BAD("/b/pool", .pool = 0),
	BAD("/b/tx", .tx = 0),
	BAD("/b/handler", .handler = NULL),
	BAD("/b/about", .about = NULL),
	BAD("/b/about2", .about = ""),
	BAD("/b/shape", .in = &outside_shape),
	BAD("/b/shape2", .in = &twice_shape),
	BAD("/b/shape3", .in = &order_shape),
	BAD("/b/shape4", .in = &unnamed_shape),
	BAD("/b/shape5", .in = &silent_shape),
	BAD("/b/shape6", .in = &subless_shape),
	BAD("/b/shape7", .in = &listing_shape),
	ROW(POST, "/b/shape8", .in = &loop_shape),
	ROW(POST, "/b/shape9", .in = &page_shape, .tx = TX_WRITE),
	ROW(PUT, "/b/shape10", .in = &page_shape),
	BAD("/b/logged", .in = &phone_shape),
	ROW(DELETE, "/b/logged2", .in = &secret_shape),
	BAD("/api/things", .in = &page_shape, .reply = REPLY_LIST),
	BAD("/api/things/{limit}", .in = &page_shape),
	ROW(PUT, "/api/things/{event}", .in = &event_shape),
	ROW(PUT, "/b/share/{id}", .in = &event_shape),
	{ .method = 9, .path = "/b/method", .who = ANYONE },
	{ 0 }
};

static void
test_faults(void **state)
{
	int i, base = route_count();

	(void)state;
	route_register("bad", bad);
	assert_int_equal(route_count(), base + 47);
	for (i = base; i < route_count(); i++)
		if (route_check(i))
			fail_msg("row %s %s was taken",
			    method_name(route_at(i, NULL)->method),
			    route_at(i, NULL)->path);
	assert_false(route_ready());
}

static void
test_print(void **state)
{
	char text[8192];
	FILE *f = tmpfile();
	size_t n;

	(void)state;
	assert_non_null(f);
	route_print(f);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	assert_non_null(strstr(text, "POST   /api/things/{id}/{event}"));
	assert_non_null(strstr(text, "ANYONE"));
	assert_non_null(strstr(text, "resident"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_method),
		cmocka_unit_test(test_param_length),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_faults),
	};

	log_open("test", LOG_ERROR_ + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
