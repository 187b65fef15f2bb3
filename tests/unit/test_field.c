/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_field.c -- every kind of field at its limits and past them, and
 * JSON that is none.
 */
#include "unit.h"

#include "http_rig.h"

#include "http/field.h"

struct item {
	int64_t		 product_id;
	int64_t		 quantity;
	const char	*note;
};

static const struct field item_fields[] = {
	F_ID(item, product_id, "商品", MUST),
	F_INT(item, quantity, "数量", MUST, 1, 99),
	F_TEXT(item, note, "备注", MAY, 0, 3),
	F_END
};
static const struct shape item_shape = SHAPE(item, "Item");

struct all {
	int64_t			 id;
	int64_t			 number;
	int64_t			 big;
	int64_t			 other_id;
	const char		*name;
	const char		*lines;
	const char		*secret;
	int64_t			 color;
	int64_t			 at;
	bool			 yes;
	const char		*phone;
	int64_t			 lat;
	const struct item	*item;
	struct field_list	 items;
	int64_t			 codes;
	int64_t			 maybe;
	int64_t			 limit, after;
};

static const char *const colors[] = { "red", "green", NULL };
static const struct field all_fields[] = {
	F_ID(all, id, "编号", MUST),
	F_INT(all, number, "数量", MAY, 1, 99),
	F_INT(all, big, "大数", MAY, INT64_MIN, INT64_MAX),
	F_ID(all, other_id, "地址", MAY),
	F_TEXT(all, name, "姓名", MAY, 1, 4),
	F_TEXT(all, lines, "说明", FIELD_LINES, 0, 20),
	F_SECRET(all, secret, "密码", MAY, 2, 8),
	F_ENUM(all, color, "颜色", MAY, colors),
	F_TIME(all, at, "时间", MAY),
	F_BOOL(all, yes, "同意", MAY),
	F_PHONE(all, phone, "手机号", MAY),
	F_DEGREE(all, lat, "纬度", MAY),
	F_OBJECT(all, item, "商品项", MAY, &item_shape),
	F_LIST(all, items, "商品", MAY, 1, 3, &item_shape),
	F_CODES(all, codes, "颜色组", MAY, 1, colors),
	F_INT(all, maybe, "楼层", FIELD_NULL, 0, 9),
	F_END
};
static const struct shape all_shape = SHAPE(all, "All");

struct must {
	const char	*name;
	int64_t		 color;
	struct field_list items;
};
static const struct field must_fields[] = {
	F_TEXT(must, name, "地址", MUST, 1, 9),
	F_ENUM(must, color, "颜色", MUST, colors),
	F_LIST(must, items, "商品", MUST, 1, 3, &item_shape),
	F_END
};
static const struct shape must_shape = SHAPE(must, "Must");

struct page {
	int64_t		 limit, after;
	int64_t		 color;
	const char	*name;
	bool		 yes;
};
static const struct field page_fields[] = {
	F_PAGE(page),
	F_ENUM(page, color, "颜色", MAY, colors),
	F_TEXT(page, name, "姓名", MAY, 0, 9),
	F_BOOL(page, yes, "同意", MAY),
	F_END
};
static const struct shape page_shape = SHAPE(page, "Page");

static const struct route routes[] = {
	{ .method = PATCH, .path = "/all/{id}", .in = &all_shape },
	{ .method = POST, .path = "/must", .in = &must_shape },
	{ .method = GET, .path = "/page", .in = &page_shape },
	{ .method = POST, .path = "/none" },
};
enum { ALL, MUSTS, PAGES, NONE };

static struct rig rig;
static struct req *rq;

static enum err
decode(int route, const char *body)
{
	rq = rig_request(&rig, routes[route].method, routes[route].path);
	rq->route = &routes[route];
	if (route == ALL) {
		rq->match.n = 1;
		rq->match.names[0] = "id";
		rq->match.values[0] = "42/x";
		rq->match.lengths[0] = 2;
	}
	if (body != NULL)
		rig_body(&rig, body);
	return field_decode(rq);
}

static enum err
decode_query(const char *query)
{
	rq = rig_request(&rig, GET, "/page");
	rq->route = &routes[PAGES];
	rq->query = query;
	return field_decode(rq);
}

/* One fault, of this field and code; its sentence begins with `say`. */
static void
fault(enum err e, const char *field, const char *code, const char *say)
{
	if (e != ERR_FIELD || rq->faults == NULL)
		fail_msg("no fault for %s %s", field, code);
	assert_int_equal(rq->err, ERR_FIELD);
	assert_string_equal(rq->faults->field, field);
	assert_string_equal(rq->faults->code, code);
	assert_int_equal(strncmp(rq->faults->detail, say, strlen(say)), 0);
	assert_null(rq->faults->next);
}

static const struct all *
good(const char *body)
{
	enum err e = decode(ALL, body);

	if (e != OK)
		fail_msg("%s refused: %s", body, rq->faults ?
		    rq->faults->detail : rq->detail ? rq->detail : "?");
	return rq->in;
}

static void
bad(const char *body, const char *field, const char *code, const char *say)
{
	fault(decode(ALL, body), field, code, say);
}

static void
malformed(const char *body)
{
	if (decode(ALL, body) != ERR_MALFORMED)
		fail_msg("taken: %.60s", body);
	assert_int_equal(rq->err, ERR_MALFORMED);
}

static void
test_given(void **state)
{
	const struct all *in;

	(void)state;
	in = good("{}");
	assert_int_equal(in->id, 42);
	assert_true(field_given(rq, "id"));
	assert_false(field_given(rq, "number"));
	assert_false(field_given(rq, "nonsense"));
	in = good("{\"number\":1,\"maybe\":null}");
	assert_true(field_given(rq, "number"));
	assert_false(field_null(rq, "number"));
	assert_true(field_given(rq, "maybe"));
	assert_true(field_null(rq, "maybe"));
	assert_int_equal(in->maybe, 0);
	in = good("{\"maybe\":0}");
	assert_true(field_given(rq, "maybe"));
	assert_false(field_null(rq, "maybe"));
	bad("{\"number\":null}", "number", "null", "数量不能为空");
}

static void
test_int(void **state)
{
	(void)state;
	assert_int_equal(good("{\"number\":1}")->number, 1);
	assert_int_equal(good("{\"number\":99}")->number, 99);
	bad("{\"number\":0}", "number", "too_small", "数量最少 1");
	bad("{\"number\":100}", "number", "too_large", "数量最多 99");
	bad("{\"number\":-1}", "number", "too_small", "数量");
	bad("{\"number\":1000000}", "number", "too_large", "数量最多 99");
	bad("{\"number\":1.0}", "number", "type", "数量应为整数");
	bad("{\"number\":\"1\"}", "number", "type", "数量应为整数");
	bad("{\"number\":true}", "number", "type", "数量应为整数");
	bad("{\"number\":[]}", "number", "type", "数量应为整数");
	assert_true(good("{\"big\":9223372036854775807}")->big == INT64_MAX);
	assert_true(good("{\"big\":-9223372036854775808}")->big ==
	    INT64_MIN);
	malformed("{\"big\":9223372036854775808}");
	malformed("{\"big\":-9223372036854775809}");
	malformed("{\"big\":1e999}");
	malformed("{\"big\":99999999999999999999999999999999999999999}");
	bad("{\"big\":1e3}", "big", "type", "大数应为整数");
}

static void
test_id(void **state)
{
	(void)state;
	assert_int_equal(good("{\"other_id\":\"7\"}")->other_id, 7);
	assert_true(good("{\"other_id\":\"9223372036854775807\"}")->other_id
	    == INT64_MAX);
	bad("{\"other_id\":7}", "other_id", "type", "地址应为数字编号");
	bad("{\"other_id\":\"0\"}", "other_id", "format", "地址");
	bad("{\"other_id\":\"-7\"}", "other_id", "format", "地址");
	bad("{\"other_id\":\"07\"}", "other_id", "format", "地址");
	bad("{\"other_id\":\"\"}", "other_id", "format", "地址");
	bad("{\"other_id\":\"7x\"}", "other_id", "format", "地址");
	bad("{\"other_id\":\"9223372036854775808\"}", "other_id", "format",
	    "地址");
}

static void
test_text(void **state)
{
	(void)state;
	assert_string_equal(good("{\"name\":\"王\"}")->name, "王");
	assert_string_equal(good("{\"name\":\" 王小明😀\\u3000\"}")->name,
	    "王小明😀");
	bad("{\"name\":\"王小明明明\"}", "name", "too_long",
	    "姓名最多 4 个字");
	bad("{\"name\":\"\"}", "name", "too_short", "请填写姓名");
	bad("{\"name\":\"   \"}", "name", "too_short", "请填写姓名");
	bad("{\"name\":3}", "name", "type", "姓名应为文字");
	bad("{\"name\":\"a\\u0000b\"}", "name", "not_text", "姓名含有");
	bad("{\"name\":\"a\\u0001\"}", "name", "not_text", "姓名含有");
	bad("{\"name\":\"a\\nb\"}", "name", "not_text", "姓名含有");
	bad("{\"name\":\"a\\u202eb\"}", "name", "not_text", "姓名含有");
	assert_string_equal(good("{\"lines\":\"a\\nb\"}")->lines, "a\nb");
	assert_string_equal(good("{\"lines\":\"\"}")->lines, "");
	assert_null(good("{}")->lines);
	bad("{\"lines\":\"a\\u0000\"}", "lines", "not_text", "说明含有");
	assert_string_equal(good("{\"secret\":\" a \"}")->secret, " a ");
	bad("{\"secret\":\"a\"}", "secret", "too_short",
	    "密码至少 2 个字");
	bad("{\"secret\":\"123456789\"}", "secret", "too_long",
	    "密码最多 8 个字");
}

static void
test_enum_bool_time(void **state)
{
	(void)state;
	assert_int_equal(good("{\"color\":\"green\"}")->color, 1);
	bad("{\"color\":\"blue\"}", "color", "not_listed", "颜色不在");
	bad("{\"color\":\"Red\"}", "color", "not_listed", "颜色不在");
	bad("{\"color\":1}", "color", "type", "颜色");
	assert_int_equal(good("{\"codes\":[\"green\"]}")->codes, 2);
	assert_int_equal(good("{\"codes\":[\"green\",\"red\",\"red\"]}")
	    ->codes, 3);
	bad("{\"codes\":[]}", "codes", "too_short", "请选择颜色组");
	bad("{\"codes\":[\"red\",\"blue\"]}", "codes", "not_listed",
	    "颜色组不在");
	bad("{\"codes\":[1]}", "codes", "not_listed", "颜色组不在");
	bad("{\"codes\":\"red\"}", "codes", "type", "颜色组应为列表");
	bad("{\"codes\":null}", "codes", "null", "颜色组");
	assert_true(good("{\"yes\":true}")->yes);
	assert_false(good("{\"yes\":false}")->yes);
	bad("{\"yes\":1}", "yes", "type", "同意应为是或否");
	bad("{\"yes\":\"true\"}", "yes", "type", "同意应为是或否");
	assert_int_equal(good("{\"at\":\"1970-01-01T08:00:01+08:00\"}")->at,
	    1000);
	bad("{\"at\":\"1970-01-01\"}", "at", "format", "时间应为");
	bad("{\"at\":0}", "at", "type", "时间");
}

static void
test_phone_degree(void **state)
{
	(void)state;
	assert_string_equal(good("{\"phone\":\"+86 138-0013-8000\"}")->phone,
	    "13800138000");
	bad("{\"phone\":\"1380013800\"}", "phone", "format",
	    "手机号应为 11 位手机号码");
	bad("{\"phone\":\"\"}", "phone", "format", "手机号应为");
	bad("{\"phone\":13800138000}", "phone", "type", "手机号");
	bad("{\"phone\":\"138\\u000000138000\"}", "phone", "not_text",
	    "手机号");
	assert_int_equal(good("{\"lat\":26.236438}")->lat, 26236438);
	assert_int_equal(good("{\"lat\":-180}")->lat, -180000000);
	assert_int_equal(good("{\"lat\":0.1}")->lat, 100000);
	bad("{\"lat\":180.0001}", "lat", "format", "纬度应为");
	bad("{\"lat\":1e300}", "lat", "format", "纬度应为");
	bad("{\"lat\":\"26\"}", "lat", "type", "纬度应为");
}

static void
test_nested(void **state)
{
	const struct item *items;
	const struct all *in;

	(void)state;
	in = good("{\"item\":{\"product_id\":\"5\",\"quantity\":2}}");
	assert_non_null(in->item);
	assert_int_equal(in->item->product_id, 5);
	assert_null(good("{}")->item);
	assert_int_equal(good("{}")->items.n, 0);
	in = good("{\"items\":[{\"product_id\":\"5\",\"quantity\":2},"
	    "{\"product_id\":\"6\",\"quantity\":3,\"note\":\"急\"}]}");
	assert_int_equal(in->items.n, 2);
	items = in->items.items;
	assert_int_equal(items[1].product_id, 6);
	assert_int_equal(items[1].quantity, 3);
	assert_string_equal(items[1].note, "急");
	assert_null(items[0].note);
	bad("{\"items\":[]}", "items", "too_short", "请添加商品");
	bad("{\"items\":[{},{},{},{}]}", "items", "too_long",
	    "商品最多 3 项");
	bad("{\"items\":{}}", "items", "type", "商品应为列表");
	bad("{\"items\":[7]}", "items[0]", "type", "商品");
	bad("{\"items\":[null]}", "items[0]", "type", "商品");
	bad("{\"item\":[]}", "item", "type", "商品项");
	bad("{\"item\":{\"product_id\":\"5\"}}", "item.quantity", "required",
	    "请填写数量");
	bad("{\"items\":[{\"product_id\":\"5\",\"quantity\":1},"
	    "{\"product_id\":\"5\",\"quantity\":100}]}", "items[1].quantity",
	    "too_large", "数量最多 99");
	bad("{\"items\":[{\"product_id\":\"5\",\"quantity\":1,\"x\":1}]}",
	    "items[0].x", "unknown", "没有这一项");
}

static void
test_unknown(void **state)
{
	char body[2048], name[1500];

	(void)state;
	bad("{\"nope\":1}", "nope", "unknown", "没有这一项");
	bad("{\"Number\":1}", "Number", "unknown", "没有这一项");
	bad("{\"\":1}", "", "unknown", "没有这一项");
	bad("{\"id\":\"42\"}", "id", "unknown", "没有这一项");
	memset(name, 'k', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	snprintf(body, sizeof(body), "{\"%s\":1}", name);
	assert_int_equal(decode(ALL, body), ERR_FIELD);
	assert_true(strlen(rq->faults->field) < 200);
}

/* All at once, in the order of the rows, and not more than a form has. */
static void
test_several(void **state)
{
	const struct req_fault *f;
	char body[8192];
	size_t n = 1;
	int i, count = 0;

	(void)state;
	assert_int_equal(decode(MUSTS, "{}"), ERR_FIELD);
	f = rq->faults;
	assert_string_equal(f->field, "name");
	assert_string_equal(f->detail, "请填写地址");
	f = f->next;
	assert_string_equal(f->field, "color");
	assert_string_equal(f->detail, "请选择颜色");
	f = f->next;
	assert_string_equal(f->field, "items");
	assert_string_equal(f->detail, "请添加商品");
	assert_null(f->next);
	assert_int_equal(decode(MUSTS, NULL), ERR_FIELD);
	assert_string_equal(rq->faults->code, "required");

	body[0] = '{';
	for (i = 0; i < 300; i++)
		n += (size_t)snprintf(body + n, sizeof(body) - n,
		    "%s\"k%d\":%d", i ? "," : "", i, i);
	memcpy(body + n, "}", 2);
	assert_int_equal(decode(ALL, body), ERR_FIELD);
	for (f = rq->faults; f != NULL; f = f->next)
		count++;
	assert_in_range(count, 10, 100);
}

static void
test_malformed(void **state)
{
	static const char *const bodies[] = {
		"[]", "7", "null", "\"x\"", "{", "}", "{\"a\"", "{\"a\":}",
		"{'a':1}", "{\"number\":1,}", "{\"number\":01}", "{} {}",
		"{}x", "   ", "{\"number\":1,\"number\":2}",
		"\xef\xbb\xbf{}", "{\"name\":\"\xff\"}",
		"{\"name\":\"\xed\xa0\x80\"}", "{\"name\":\"\\ud800\"}",
		"{\"name\":\"\xc0\xaf\"}", "{\"name\":\"a\nb\"}",
		"{\"number\":NaN}", "{\"number\":Infinity}",
		"{\"item\":{\"quantity\":1,\"quantity\":1}}",
		"{\"na\\u0000me\":1}", "{\"name\":\"王"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		malformed(bodies[i]);
	malformed("{\n  \"number\": 1,\n  oops\n}");
	assert_non_null(strstr(rq->detail, "第 3 行"));
}

static void
test_nul_in_body(void **state)
{
	(void)state;
	rq = rig_request(&rig, POST, "/none");
	rq->route = &routes[NONE];
	rq->body = "{ \0}";
	rq->body_len = 4;
	assert_int_equal(field_decode(rq), ERR_MALFORMED);
}

static void
test_deep(void **state)
{
	static char body[40000];
	int i;

	(void)state;
	memset(body, '[', 10000);
	body[10000] = '\0';
	malformed(body);
	memset(body + 10000, ']', 10000);
	body[20000] = '\0';
	malformed(body);
	for (i = 0; i < 6000; i++)
		memcpy(body + i * 5, "{\"a\":", 5);
	body[30000] = '\0';
	malformed(body);
	/* Brackets in text are text. */
	bad("{\"name\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[\"}",
	    "name", "too_long", "姓名");
}

static void
test_no_shape(void **state)
{
	(void)state;
	assert_int_equal(decode(NONE, NULL), OK);
	assert_null(rq->in);
	assert_int_equal(decode(NONE, "{}"), OK);
	fault(decode(NONE, "{\"a\":1}"), "a", "unknown", "没有");
	assert_int_equal(decode(NONE, "[]"), ERR_MALFORMED);
}

static void
test_path(void **state)
{
	static const char *const values[] = { "0", "x", "4a", "-4",
		"99999999999999999999", "\xff" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		rq = rig_request(&rig, PATCH, "/all/{id}");
		rq->route = &routes[ALL];
		rq->match.n = 1;
		rq->match.names[0] = "id";
		rq->match.values[0] = values[i];
		rq->match.lengths[0] = strlen(values[i]);
		assert_int_equal(field_decode(rq), ERR_ABSENT);
		assert_null(rq->faults);
		assert_int_equal(rq->err, ERR_ABSENT);
	}
}

static void
test_query(void **state)
{
	const struct page *in;

	(void)state;
	assert_int_equal(decode_query(""), OK);
	assert_int_equal(((const struct page *)rq->in)->limit, 0);
	assert_int_equal(decode_query("limit=100&color=green&yes=true&"
	    "name=%E7%8E%8B+%41"), OK);
	in = rq->in;
	assert_int_equal(in->limit, 100);
	assert_int_equal(in->color, 1);
	assert_true(in->yes);
	assert_string_equal(in->name, "王 A");
	assert_int_equal(decode_query("&limit=1&"), OK);
	fault(decode_query("limit=101"), "limit", "too_large", "每页数量最多");
	fault(decode_query("limit=0"), "limit", "too_small", "每页数量最少");
	fault(decode_query("limit="), "limit", "type", "每页数量");
	fault(decode_query("limit"), "limit", "type", "每页数量");
	fault(decode_query("limit=1.0"), "limit", "type", "每页数量");
	fault(decode_query("limit=+1"), "limit", "type", "每页数量");
	fault(decode_query("limit=99999999999999999999"), "limit", "type",
	    "每页数量");
	fault(decode_query("limit=-"), "limit", "type", "每页数量");
	fault(decode_query("yes=1"), "yes", "type", "同意");
	fault(decode_query("color=blue"), "color", "not_listed", "颜色");
	fault(decode_query("x=1"), "x", "unknown", "没有");
	fault(decode_query("name=%FF"), "name", "not_text", "姓名");
	assert_int_equal(decode_query("limit=1&limit=1"), ERR_MALFORMED);
	assert_int_equal(decode_query("name=%0"), ERR_MALFORMED);
	assert_int_equal(decode_query("name=%00"), ERR_MALFORMED);
	assert_int_equal(decode_query("%zz=1"), ERR_MALFORMED);
}

static void
test_query_elsewhere(void **state)
{
	(void)state;
	rq = rig_request(&rig, POST, "/none");
	rq->route = &routes[NONE];
	rq->query = "a=1";
	fault(field_decode(rq), "a", "unknown", "没有");
	rq = rig_request(&rig, GET, "/page");
	rq->route = &routes[PAGES];
	rig_body(&rig, "{}");
	assert_int_equal(field_decode(rq), ERR_MALFORMED);
}

static void
test_cursor(void **state)
{
	char query[256], made[200];
	size_t i;

	(void)state;
	snprintf(made, sizeof(made), "%s", crypt_cursor(rig.arena, "/page",
	    77));
	snprintf(query, sizeof(query), "after=%s", made);
	assert_int_equal(decode_query(query), OK);
	assert_int_equal(((const struct page *)rq->in)->after, 77);
	for (i = 0; made[i] != '\0'; i++) {
		snprintf(query, sizeof(query), "after=%s", made);
		query[6 + i] = query[6 + i] == 'A' ? 'B' : 'A';
		if (decode_query(query) == OK)
			assert_int_equal(((const struct page *)rq->in)->after,
			    77);
	}
	fault(decode_query("after=77"), "after", "format", "翻页标记已失效");
	fault(decode_query("after="), "after", "format", "翻页标记已失效");
	snprintf(query, sizeof(query), "after=%s", crypt_cursor(rig.arena,
	    "/other", 77));
	fault(decode_query(query), "after", "format", "翻页标记已失效");
}

static int
set_up(void **state)
{
	(void)state;
	rig_start(&rig, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_enum_bool_time),
		cmocka_unit_test(test_phone_degree),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul_in_body),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_no_shape),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_query_elsewhere),
		cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
