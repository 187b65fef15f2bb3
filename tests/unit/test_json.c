/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_json.c -- the writer's grammar, its escaping, and views.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/view.h"

#include "http/json.h"

static struct buf	 out;
static struct json	 j;

static void
start(void)
{
	buf_clear(&out);
	json_init(&j, &out);
}

static void
expect(const char *want)
{
	assert_true(json_done(&j));
	assert_string_equal(buf_text(&out), want);
}

static void
test_nested(void **state)
{
	(void)state;
	start();
	json_open(&j);
	json_put_int(&j, "a", 1);
	json_key(&j, "b");
	json_list(&j);
	json_int(&j, INT64_MIN);
	json_id(&j, INT64_MAX);
	json_bool(&j, true);
	json_bool(&j, false);
	json_nil(&j);
	json_text(&j, NULL);
	json_open(&j);
	json_close(&j);
	json_list(&j);
	json_unlist(&j);
	json_raw(&j, "[7]");
	json_unlist(&j);
	json_put_id(&j, "c", 5);
	json_put_bool(&j, "d", true);
	json_put_text(&j, "e", "x");
	json_put_time(&j, "f", 0);
	assert_false(json_done(&j));
	json_close(&j);
	expect("{\"a\":1,\"b\":[-9223372036854775808,"
	    "\"9223372036854775807\",true,false,null,null,{},[],[7]],"
	    "\"c\":\"5\",\"d\":true,\"e\":\"x\","
	    "\"f\":\"1970-01-01T08:00:00+08:00\"}");
}

static void
test_scalar_alone(void **state)
{
	(void)state;
	start();
	assert_false(json_done(&j));
	json_text(&j, "");
	expect("\"\"");
	json_text(&j, "two");
	assert_false(json_done(&j));
}

/* Each of these is a fault, and stays one. */
static void
test_grammar(void **state)
{
	(void)state;
	start();
	json_key(&j, "a");
	assert_true(j.bad);

	start();
	json_list(&j);
	json_key(&j, "a");
	assert_true(j.bad);

	start();
	json_open(&j);
	json_int(&j, 1);
	assert_true(j.bad);

	start();
	json_open(&j);
	json_key(&j, "a");
	json_key(&j, "b");
	assert_true(j.bad);

	start();
	json_open(&j);
	json_key(&j, "a");
	json_close(&j);
	assert_true(j.bad);

	start();
	json_open(&j);
	json_unlist(&j);
	assert_true(j.bad);

	start();
	json_list(&j);
	json_close(&j);
	assert_true(j.bad);

	start();
	json_close(&j);
	assert_true(j.bad);

	start();
	json_open(&j);
	json_close(&j);
	json_close(&j);
	assert_true(j.bad);
	assert_false(json_done(&j));

	start();
	json_open(&j);
	json_put_text(&j, "a", "b");
	json_key(&j, "c");
	json_raw(&j, "");
	assert_true(j.bad);
}

static void
test_depth(void **state)
{
	int i;

	(void)state;
	start();
	for (i = 0; i < JSON_DEPTH; i++)
		json_list(&j);
	assert_false(j.bad);
	for (i = 0; i < JSON_DEPTH; i++)
		json_unlist(&j);
	assert_true(json_done(&j));

	start();
	for (i = 0; i < JSON_DEPTH + 1; i++)
		json_list(&j);
	assert_true(j.bad);
}

static void
test_escape(void **state)
{
	(void)state;
	start();
	json_text(&j, "a\"b\\c\n\r\t\b\f\x01\x1f\x7f/");
	expect("\"a\\\"b\\\\c\\n\\r\\t\\u0008\\u000c\\u0001\\u001f\x7f/\"");
	start();
	json_textn(&j, "a\0b", 3);
	expect("\"a\\u0000b\"");
	start();
	json_text(&j, "送水到门口，谢谢😀 8楼");
	expect("\"送水到门口，谢谢😀 8楼\"");
	start();
	json_open(&j);
	json_put_int(&j, "q\"", 1);
	json_close(&j);
	expect("{\"q\\\"\":1}");
}

/* One special byte at every place of strings around the fast path. */
static void
test_escape_places(void **state)
{
	static const char special[] = { '"', '\\', '\n', 0x1f };
	static const char *const shown[] = { "\\\"", "\\\\", "\\n",
		"\\u001f" };
	char text[40], want[64];
	size_t n, at, k;

	(void)state;
	for (n = 1; n < 34; n++)
		for (at = 0; at < n; at++)
			for (k = 0; k < sizeof(special); k++) {
				memset(text, 'x', n);
				text[at] = special[k];
				start();
				json_textn(&j, text, n);
				memset(want, 'x', sizeof(want));
				want[0] = '"';
				memcpy(want + 1 + at, shown[k],
				    strlen(shown[k]));
				want[n + strlen(shown[k])] = '"';
				want[n + strlen(shown[k]) + 1] = '\0';
				expect(want);
			}
}

static void
test_degree(void **state)
{
	static const struct {
		int64_t		 e6;
		const char	*want;
	} rows[] = {
		{ 0, "0" }, { 26236438, "26.236438" }, { 1, "0.000001" },
		{ -1, "-0.000001" }, { 106500000, "106.5" },
		{ -180000000, "-180" }, { 100, "0.0001" },
		{ -105930010, "-105.93001" }
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start();
		json_degree(&j, rows[i].e6);
		expect(rows[i].want);
	}
}

static void
test_overflow(void **state)
{
	struct buf small;
	struct json k;
	int i;

	(void)state;
	buf_init(&small, 16);
	json_init(&k, &small);
	json_list(&k);
	for (i = 0; i < 10; i++)
		json_int(&k, 1000000);
	json_unlist(&k);
	assert_true(small.over);
	assert_true(json_done(&k));
	buf_free(&small);
}

struct thing {
	int64_t		 id;
	int64_t		 price_fen;
	int64_t		 open;
	int64_t		 at;
	int64_t		 lat;
	const char	*name;
	const char	*state;
	const char	*secret;
	const char	*tags;
};

static void
thing_can(struct json *to, const struct req *rq, const void *row)
{
	(void)rq;
	json_list(to);
	json_text(to, ((const struct thing *)row)->state);
	json_unlist(to);
}

static const char *const states[] = { "on", "off", NULL };
static const struct view_column thing_columns[] = {
	C_ID(thing, id),
	C_FEN(thing, price_fen, .flags = VIEW_NULL),
	C_BOOL(thing, open),
	C_TIME(thing, at, .flags = VIEW_NULL),
	C_DEGREE(thing, lat),
	C_TEXT(thing, name, .flags = VIEW_NULL),
	C_CODE(thing, state, states),
	C_TEXT(thing, secret, .flags = VIEW_HIDDEN),
	C_ARRAY(thing, tags, NULL),
	C_CALC("can", SHAPE_CODES, thing_can),
	C_END
};
static const struct view thing_view = VIEW(thing, "Thing");

static void
test_view(void **state)
{
	struct thing t = { 7, 1234, 1, 1000, 26000000, "水", "on", "hush",
		"[1,2]" };
	struct arena *a = arena_new(65536);

	(void)state;
	start();
	json_view(&j, &thing_view, &t, (const struct req *)&t, a);
	expect("{\"id\":\"7\",\"price_fen\":1234,\"open\":true,"
	    "\"at\":\"1970-01-01T08:00:01+08:00\",\"lat\":26,"
	    "\"name\":\"水\",\"state\":\"on\",\"tags\":[1,2],"
	    "\"can\":[\"on\"]}");
	t.price_fen = VIEW_NULL_INT;
	t.at = VIEW_NULL_INT;
	t.open = 0;
	t.name = NULL;
	t.tags = NULL;
	start();
	json_view(&j, &thing_view, &t, NULL, a);
	expect("{\"id\":\"7\",\"price_fen\":null,\"open\":false,"
	    "\"at\":null,\"lat\":26,\"name\":null,\"state\":\"on\","
	    "\"tags\":null}");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_scalar_alone),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_places),
		cmocka_unit_test(test_degree),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_view),
	};
	int n;

	buf_init(&out, 1 << 20);
	n = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&out);
	return n;
}
