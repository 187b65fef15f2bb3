/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_openapi.c -- the description says what the tables say.
 *
 * With an argument the program writes the document there, for a linter.
 */
#include "unit.h"

#include <jansson.h>

#include "base/log.h"
#include "base/view.h"

#include "http/field.h"
#include "http/health.h"
#include "http/route.h"

struct tag {
	int64_t		 id;
	const char	*text;
};
static const struct view_column tag_columns[] = {
	C_ID(tag, id), C_TEXT(tag, text, .flags = VIEW_NULL), C_END
};
static const struct view tag_view = VIEW(tag, "Tag");

struct order {
	int64_t		 id, total_fen, urgent, at, lat, floors;
	const char	*state, *phone, *secret, *tags, *first;
};

static void
calc(struct json *j, const struct req *rq, const void *row)
{
	(void)j;
	(void)rq;
	(void)row;
}

static const char *const states[] = { "placed", "done", NULL };
static const char *const events[] = { "cancel", "confirm", NULL };
static const struct view_column order_columns[] = {
	C_ID(order, id),
	C_FEN(order, total_fen),
	C_BOOL(order, urgent),
	C_TIME(order, at, .flags = VIEW_NULL),
	C_DEGREE(order, lat),
	C_INT(order, floors, .flags = VIEW_NULL),
	C_CODE(order, state, states, .about = "where it is"),
	C_PHONE(order, phone),
	C_TEXT(order, secret, .flags = VIEW_HIDDEN),
	C_ARRAY(order, tags, &tag_view),
	C_OBJECT(order, first, &tag_view, .flags = VIEW_NULL),
	C_CALC("can", SHAPE_CODES, calc, .names = events),
	C_CALC("n", SHAPE_INT, calc),
	C_CALC("last", SHAPE_OBJECT, calc, .sub = &tag_view),
	C_CALC("all", SHAPE_OBJECTS, calc, .sub = &tag_view),
	C_END
};
static const struct view order_view = VIEW(order, "Order");

struct item {
	int64_t	 product_id, quantity;
};
static const struct field item_fields[] = {
	F_ID(item, product_id, "商品", MUST),
	F_INT(item, quantity, "数量", MUST, 1, 99), F_END
};
static const struct shape item_shape = SHAPE(item, "Item");

struct new_order {
	int64_t			 state, at, lat;
	bool			 urgent;
	const char		*note, *phone, *secret;
	struct field_list	 items;
	const struct item	*gift;
};
static const struct field new_order_fields[] = {
	F_LIST(new_order, items, "商品", MUST, 1, 20, &item_shape),
	F_OBJECT(new_order, gift, "赠品", FIELD_NULL, &item_shape),
	F_TEXT(new_order, note, "备注", FIELD_LINES, 0, 200),
	F_SECRET(new_order, secret, "密码", MAY, 8, 64),
	F_ENUM(new_order, state, "状态", FIELD_NULL, states),
	F_TIME(new_order, at, "时间", MAY),
	F_BOOL(new_order, urgent, "加急", MAY),
	F_PHONE(new_order, phone, "手机号", MAY),
	F_DEGREE(new_order, lat, "纬度", MAY),
	F_END
};
static const struct shape new_order_shape = SHAPE(new_order, "OrderNew");

struct act {
	int64_t		 id, event;
	const char	*why;
};
static const struct field act_fields[] = {
	F_ID(act, id, "编号", MUST), F_ENUM(act, event, "操作", MUST, events),
	F_TEXT(act, why, "原因", MAY, 1, 9), F_END
};
static const struct shape act_shape = SHAPE(act, "OrderAct");

struct page {
	int64_t	 limit, after, state;
};
static const struct field page_fields[] = {
	F_PAGE(page), F_ENUM(page, state, "状态", MAY, states), F_END
};
static const struct shape page_shape = SHAPE(page, "OrderPage");

static enum err
nothing(struct req *rq)
{
	(void)rq;
	return OK;
}

static const struct route routes[] = {
	{ GET, "/api/v1/orders", ROLE_RESIDENT, &page_shape, REPLY_LIST,
	    &order_view, 200, POOL_API, TX_READ, nothing, "My orders" },
	{ POST, "/api/v1/orders", ROLE_RESIDENT | ROLE_ADMIN,
	    &new_order_shape, REPLY_ONE, &order_view, 201, POOL_API,
	    TX_WRITE, nothing, "Place an order" },
	{ POST, "/api/v1/orders/{id}/{event}", LOGGED_IN, &act_shape,
	    REPLY_ONE, &order_view, 200, POOL_API, TX_WRITE, nothing,
	    "Do something to an order" },
	{ POST, "/api/v1/sessions", ANYONE, NULL, REPLY_NONE, NULL, 204,
	    POOL_SLOW, TX_OWN, nothing, "Log in" },
	{ 0 }
};

static json_t *doc;

/* The value at a path whose steps are parted by blanks. */
static const json_t *
at(const char *path)
{
	const json_t *v = doc;
	char step[128];
	size_t n;

	while (*path != '\0' && v != NULL) {
		n = strcspn(path, " ");
		assert_true(n < sizeof(step));
		memcpy(step, path, n);
		step[n] = '\0';
		v = json_is_array(v) ? json_array_get(v,
		    (size_t)(step[0] - '0')) : json_object_get(v, step);
		path += n + (path[n] == ' ');
	}
	return v;
}

static void
is(const char *path, const char *want)
{
	char *got = at(path) ? json_dumps(at(path), JSON_ENCODE_ANY |
	    JSON_COMPACT) : NULL;

	if (got == NULL || strcmp(got, want) != 0)
		fail_msg("%s is %s, not %s", path, got ? got : "absent",
		    want);
	free(got);
}

#define ORDERS	"paths /api/v1/orders "
#define ACT	"paths /api/v1/orders/{id}/{event} post "
#define SCHEMA	"components schemas "

static void
test_operations(void **state)
{
	(void)state;
	is("openapi", "\"3.1.0\"");
	is("info license identifier", "\"Apache-2.0\"");
	is(ORDERS "get operationId", "\"order_get_orders\"");
	is(ORDERS "get tags", "[\"order\"]");
	is(ORDERS "get summary", "\"My orders\"");
	is(ORDERS "post x-roles", "[\"resident\",\"admin\"]");
	is(ACT "x-roles", "[\"logged_in\"]");
	is(ACT "operationId", "\"order_post_orders_id_event\"");
	is("paths /api/v1/sessions post security", "[]");
	is("paths /api/v1/sessions post x-pool", "\"slow\"");
	is("paths /metrics get x-roles", "[\"loopback\"]");
	is("paths /healthz get responses 200 content",
	    "{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}");
	assert_null(at(ORDERS "get security"));
	assert_null(at(ORDERS "get requestBody"));
}

static void
test_parameters(void **state)
{
	(void)state;
	is(ORDERS "get parameters 0", "{\"name\":\"limit\",\"in\":\"query\","
	    "\"required\":false,\"schema\":{\"type\":\"integer\",\"format\":"
	    "\"int64\",\"minimum\":1,\"maximum\":100,\"description\":"
	    "\"每页数量\"}}");
	is(ORDERS "get parameters 2 schema enum", "[\"placed\",\"done\"]");
	is(ACT "parameters 0 in", "\"path\"");
	is(ACT "parameters 0 required", "true");
	is(ACT "parameters 0 schema pattern", "\"^[1-9][0-9]{0,18}$\"");
	is(ACT "parameters 1 name", "\"event\"");
	is(ACT "parameters 2", "{\"$ref\":"
	    "\"#/components/parameters/IdempotencyKey\"}");
	assert_null(at("paths /api/v1/sessions post parameters"));
}

static void
test_bodies(void **state)
{
	(void)state;
	is(ORDERS "post requestBody", "{\"required\":true,\"content\":{"
	    "\"application/json\":{\"schema\":{\"$ref\":"
	    "\"#/components/schemas/OrderNew\"}}}}");
	is(ACT "requestBody required", "false");
	is(SCHEMA "OrderNew additionalProperties", "false");
	is(SCHEMA "OrderNew required", "[\"items\"]");
	is(SCHEMA "OrderNew properties items", "{\"type\":\"array\","
	    "\"items\":{\"$ref\":\"#/components/schemas/Item\"},"
	    "\"minItems\":1,\"maxItems\":20,\"description\":\"商品\"}");
	is(SCHEMA "OrderNew properties gift oneOf", "[{\"$ref\":"
	    "\"#/components/schemas/Item\"},{\"type\":\"null\"}]");
	is(SCHEMA "OrderNew properties state", "{\"type\":[\"string\","
	    "\"null\"],\"enum\":[\"placed\",\"done\",null],"
	    "\"description\":\"状态\"}");
	is(SCHEMA "Item properties quantity maximum", "99");
	is(SCHEMA "OrderAct properties", "{\"why\":{\"type\":\"string\","
	    "\"minLength\":1,\"maxLength\":9,\"description\":\"原因\"}}");
	assert_null(at(SCHEMA "OrderAct required"));
	assert_null(at(SCHEMA "OrderPage"));
}

static void
test_replies(void **state)
{
	(void)state;
	is(ORDERS "get responses 200 content", "{\"application/json\":{"
	    "\"schema\":{\"$ref\":\"#/components/schemas/OrderList\"}}}");
	is(ORDERS "post responses 201 content", "{\"application/json\":{"
	    "\"schema\":{\"$ref\":\"#/components/schemas/Order\"}}}");
	is(ORDERS "post responses default",
	    "{\"$ref\":\"#/components/responses/Problem\"}");
	assert_null(at("paths /api/v1/sessions post responses 204 content"));
	is(SCHEMA "OrderList required", "[\"items\",\"next\"]");
	is(SCHEMA "OrderList properties items items",
	    "{\"$ref\":\"#/components/schemas/Order\"}");
	is(SCHEMA "Order required", "[\"id\",\"total_fen\",\"urgent\","
	    "\"at\",\"lat\",\"floors\",\"state\",\"phone\",\"tags\","
	    "\"first\",\"can\",\"n\",\"last\",\"all\"]");
	is(SCHEMA "Order properties at", "{\"type\":[\"string\",\"null\"],"
	    "\"format\":\"date-time\"}");
	is(SCHEMA "Order properties can items", "{\"type\":\"string\","
	    "\"enum\":[\"cancel\",\"confirm\"]}");
	is(SCHEMA "Order properties last",
	    "{\"$ref\":\"#/components/schemas/Tag\"}");
	assert_null(at(SCHEMA "Order properties secret"));
	is(SCHEMA "Problem properties code type", "\"string\"");
	assert_non_null(at(SCHEMA "Fault"));
}

static void
test_stable(void **state)
{
	char *text[2];
	size_t n[2];
	FILE *f;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		f = open_memstream(&text[i], &n[i]);
		assert_int_equal(openapi_print(f), OK);
		fclose(f);
	}
	assert_string_equal(text[0], text[1]);
	assert_non_null(strstr(text[0], "\n  \"info\": {\n    \"title\": "));
	assert_non_null(strstr(text[0], "\"security\": []"));
	free(text[0]);
	free(text[1]);
}

static const struct view twin_view = VIEW(tag, "Order");
static const struct route twins[] = {
	{ GET, "/api/v1/twin", ROLE_RESIDENT, NULL, REPLY_ONE, &twin_view,
	    200, POOL_API, TX_READ, nothing, "Another Order" },
	{ 0 }
};

static void
test_twins(void **state)
{
	FILE *f = tmpfile();

	(void)state;
	route_register("twin", twins);
	assert_int_equal(openapi_print(f), ERR_INTERNAL);
	assert_int_equal(ftell(f), 0);
	fclose(f);
}

static int
set_up(void **state)
{
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	log_open("test", LOG_ERROR_ + 1);
	route_register("order", routes);
	route_register("health", health_routes);
	assert_true(route_ready());
	assert_int_equal(openapi_print(f), OK);
	fclose(f);
	doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	free(text);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	json_decref(doc);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_stable),
		cmocka_unit_test(test_twins),
	};

	if (argc > 1) {
		set_up(NULL);
		return json_dump_file(doc, argv[1], JSON_INDENT(2));
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
