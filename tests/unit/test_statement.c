/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_statement.c -- WeChat Pay's statements, sound and spoiled.
 *
 * The vectors and the damaged file lie beside the checkout, in the folder
 * that PLANET_SHARED names or ../shared; without it they are skipped.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "service/statement.h"

static struct arena		*arena;
static FILE			*file;
static struct statement		*st;
static struct statement_row	 row;

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(1 << 22);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	if (file != NULL)
		fclose(file);
	file = NULL;
	arena_free(arena);
	return 0;
}

static void
open_text(const char *s, size_t n, enum statement_kind kind)
{
	if (file != NULL)
		fclose(file);
	assert_non_null(file = tmpfile());
	assert_int_equal(fwrite(s, 1, n, file), n);
	rewind(file);
	st = statement_open(arena, file, kind);
}

static void
open_data(const char *name)
{
	char	path[512];

	snprintf(path, sizeof(path), "%s/bills/%s", TEST_DATA_DIR, name);
	assert_non_null(file = fopen(path, "r"));
	st = statement_open(arena, file, STATEMENT_TRADE);
}

static enum statement_state
next(void)
{
	return statement_next(st, &row);
}

static void
assert_sum(const struct statement_sum *s, int64_t rows, int64_t paid,
    int64_t refunded, int64_t fee)
{
	assert_non_null(s);
	assert_int_equal(s->rows, rows);
	assert_int_equal(s->paid_fen, paid);
	assert_int_equal(s->refunded_fen, refunded);
	assert_int_equal(s->fee_mill, fee);
}

/* ---- what WeChat made ---- */

static void
all_of_2019(void **state)
{
	(void)state;
	open_data("wechat_all_2019.csv");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_int_equal(row.line, 2);
	assert_false(row.refund);
	assert_int_equal(row.amount_fen, 600);
	assert_int_equal(row.fee_mill, 4000);
	assert_int_equal(row.rate, 60);
	assert_string_equal(row.refund_number, "");
	assert_int_equal(next(), STATEMENT_END);
	assert_int_equal(next(), STATEMENT_END);
	assert_sum(statement_rows(st), 1, 600, 0, 4000);
	/* Cut by who published it: we say so, and hide nothing. */
	assert_sum(statement_stated(st), 48, 576, 142, 1000);
}

static void
old_columns(void **state)
{
	int64_t	at;

	(void)state;
	open_data("wechat_all_2014_old_columns.csv");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_string_equal(row.number, "1415640626");
	assert_string_equal(row.transaction_id,
	    "1001690740201411100005734289");
	assert_true(clock_parse("2014-11-10T16:33:45+08:00", &at));
	assert_int_equal(row.at, at);
	assert_string_equal(row.attach, "订单额外描述");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_int_equal(next(), STATEMENT_END);
	assert_sum(statement_rows(st), 2, 2, 0, 0);
	assert_sum(statement_stated(st), 2, 2, 0, 0);
	assert_int_equal(statement_damaged(st), 0);
}

static void
success_and_refunds(void **state)
{
	int64_t	at;

	(void)state;
	open_data("wechat_success_2019.csv");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_int_equal(row.amount_fen, 1);
	assert_int_equal(next(), STATEMENT_END);
	fclose(file);
	open_data("wechat_refund_2019.csv");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_true(row.refund);
	assert_true(clock_parse("2019-07-23T20:53:36+08:00", &at));
	assert_int_equal(row.at, at);
	assert_string_equal(row.refund_state, "SUCCESS");
	assert_string_equal(row.refund_number, "xxx");
	assert_int_equal(row.amount_fen, 1);
	assert_int_equal(next(), STATEMENT_END);
	assert_sum(statement_rows(st), 1, 0, 1, 0);
	assert_sum(statement_stated(st), 4, 0, 202, -2000);
}

/* ---- what lies beside the checkout ---- */

static const char *
shared(const char *name)
{
	static char	 path[512];
	const char	*folder = getenv("PLANET_SHARED");

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder :
	    TEST_SHARED_DIR, name);
	if (access(path, R_OK) == 0)
		return path;
	print_message("no %s\n", path);
	return NULL;
}

static void
damaged_file(void **state)
{
	const char	*path = shared("data/bills/wechat_sandbox_damaged.csv");
	int		 line;

	(void)state;
	if (path == NULL)
		skip();
	assert_non_null(file = fopen(path, "r"));
	st = statement_open(arena, file, STATEMENT_TRADE);
	for (line = 2; line <= 4; line++) {
		assert_int_equal(next(), STATEMENT_DAMAGED);
		assert_int_equal(row.line, line);
		assert_non_null(row.why);
	}
	assert_int_equal(next(), STATEMENT_END);
	assert_int_equal(statement_damaged(st), 3);
	assert_sum(statement_rows(st), 0, 0, 0, 0);
	assert_sum(statement_stated(st), 1269, 1127, 637, 0);
}

static void
one_bill(const json_t *v)
{
	const char	*text = json_string_value(json_object_get(v, "text"));
	int64_t		 at;

	open_text(text, strlen(text), STATEMENT_TRADE);
	assert_int_equal(next(), STATEMENT_ROW);
	assert_string_equal(row.number, "P20261114000001");
	assert_string_equal(row.transaction_id,
	    "4200002026111400000000000001");
	assert_string_equal(row.state, "SUCCESS");
	assert_string_equal(row.title, "物业费 2026年11月");
	assert_int_equal(row.amount_fen, 12800);
	assert_int_equal(row.fee_mill, 77000);
	assert_true(clock_parse("2026-11-14T16:00:05+08:00", &at));
	assert_int_equal(row.at, at);
	assert_int_equal(next(), STATEMENT_ROW);
	assert_true(row.refund);
	assert_string_equal(row.refund_number, "R20261114000001");
	assert_string_equal(row.refund_id, "50300002026111400000000000001");
	assert_string_equal(row.refund_state, "SUCCESS");
	assert_int_equal(row.amount_fen, 1500);
	assert_int_equal(row.fee_mill, -9000);
	assert_int_equal(next(), STATEMENT_END);
	assert_sum(statement_rows(st), 2, 12800, 1500, 68000);
	assert_sum(statement_stated(st), 2, 12800, 1500, 68000);
}

/* U+E000 and a comma are written alike, so it cannot come back. */
static void
escapes(const json_t *v)
{
	static const char *const sides[] = { "in_order_row",
		"in_refund_row" };
	char		 text[32];
	const char	*raw;
	json_t		*one;
	size_t		 i, k;

	json_array_foreach(json_object_get(v, "map"), i, one) {
		raw = json_string_value(json_object_get(one, "raw"));
		for (k = 0; k < nitems(sides); k++) {
			snprintf(text, sizeof(text), "a%sb",
			    json_string_value(json_object_get(one,
			    sides[k])));
			statement_unescape(text);
			if (strcmp(raw, "\xee\x80\x80") == 0)
				raw = ",";
			assert_int_equal(strlen(text), strlen(raw) + 2);
			assert_memory_equal(text + 1, raw, strlen(raw));
		}
	}
}

static void
vectors(void **state)
{
	const char	*path = shared("reference/wechat-vectors.json"), *kind;
	json_t		*all, *one;
	size_t		 i;
	int		 bills = 0, tables = 0;

	(void)state;
	if (path == NULL)
		skip();
	assert_non_null(all = json_load_file(path, 0, NULL));
	json_array_foreach(json_object_get(all, "vectors"), i, one) {
		kind = json_string_value(json_object_get(one, "kind"));
		if (strcmp(kind, "trade_bill") == 0) {
			one_bill(one);
			bills++;
		} else if (strcmp(kind, "bill_escape") == 0) {
			escapes(one);
			tables++;
		}
	}
	json_decref(all);
	assert_int_equal(bills, 2);
	assert_int_equal(tables, 1);
}

/* ---- by hand ---- */

#define HEAD "交易时间,微信订单号,商户订单号,交易状态,微信退款单号,"	\
	"商户退款单号,退款状态,手续费,费率,订单金额,申请退款金额\n"
#define GOOD "`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0.77000,"	\
	"`0.60%,`128.00,`0.00\n"

static void
spoiled_rows(void **state)
{
	static const char *const bad[] = {
		"2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0.7,`0.6%,`1,"
		    "`0\n",
		"`2026-11-14 16:00:05,`4.2E+27,`P1,`SUCCESS,`0,`0,`,`0,`0,"
		    "`1,`0\n",
		"`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0,`0,`1\n",
		"`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0,`0,`1,`0,"
		    "`x\n",
		"`2026-13-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0,`0,`1,"
		    "`0\n",
		"`2026-11-14 16:00:05,`42,`P1,`,`0,`0,`,`0,`0,`1,`0\n",
		"`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0,`0,`1.005,"
		    "`0\n",
		"`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`0,`0,`-1,"
		    "`0\n",
		"`2026-11-14 16:00:05,`42,`P1,`REFUND,`0,`,`,`0,`0,`0,`1\n",
		"`2026-11-14 16:00:05,`42,`P1,`SUCCESS,`0,`0,`,`x,`0,`1,"
		    "`0\n",
	};
	char		 text[2048];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		snprintf(text, sizeof(text), "%s%s\n%s", HEAD, bad[i], GOOD);
		open_text(text, strlen(text), STATEMENT_TRADE);
		assert_int_equal(next(), STATEMENT_DAMAGED);
		assert_int_equal(row.line, 2);
		assert_int_equal(next(), STATEMENT_ROW);
		assert_int_equal(row.line, 4);
		assert_string_equal(row.number, "P1");
		assert_int_equal(next(), STATEMENT_END);
		/* Cut short: there is no last line to hold it against. */
		assert_null(statement_stated(st));
		assert_sum(statement_rows(st), 1, 12800, 0, 77000);
	}
}

static void
long_line_and_nul(void **state)
{
	size_t	 n = strlen(HEAD), far = 3 * STATEMENT_LINE;
	char	*text = calloc(1, n + far + 64 + strlen(GOOD));

	(void)state;
	memcpy(text, HEAD, n);
	memset(text + n, '`', far);
	n += far;
	text[n++] = '\n';
	memcpy(text + n, "`a\0b\n", 5);
	n += 5;
	memcpy(text + n, GOOD, strlen(GOOD));
	n += strlen(GOOD);
	open_text(text, n, STATEMENT_TRADE);
	assert_int_equal(next(), STATEMENT_DAMAGED);
	assert_int_equal(next(), STATEMENT_DAMAGED);
	assert_int_equal(row.line, 3);
	assert_int_equal(next(), STATEMENT_ROW);
	assert_int_equal(next(), STATEMENT_END);
	free(text);
}

static void
other_headers(void **state)
{
	static const char *const bad[] = { "", "\n", "a,b,c\n`1,`2,`3\n",
		"<html>\n", "交易时间,商户订单号\n" };
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		open_text(bad[i], strlen(bad[i]), STATEMENT_TRADE);
		assert_int_equal(next(), STATEMENT_HEADER);
		assert_int_equal(next(), STATEMENT_HEADER);
	}
}

static void
fund(void **state)
{
	static const char text[] = "\xef\xbb\xbf" "记账时间,微信支付业务单号,"
	    "资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
	    "资金变更提交申请人,备注,业务凭证号\r\n"
	    "`2026-11-14 16:00:05,`42,`1,`交易,`交易,`收入,`128.00,`128.00,"
	    "`system,`结算,含手续费,`v,`P1\r\n"
	    "`2026-11-14 16:00:05,`42,`2,`手续费,`扣除交易手续费,`支出,`0.77,"
	    "`127.23,`system,`a,`b,`P1\r\n"
	    "`2026-11-14 16:00:06,`42,`3,`x,`退款,`借,`0.77,`1,`s,`a,`P1\r\n"
	    "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n"
	    "`2,`1,`128.00,`1,`0.77\r\n";

	(void)state;
	open_text(text, sizeof(text) - 1, STATEMENT_FUND);
	assert_int_equal(next(), STATEMENT_ROW);
	assert_true(row.income);
	assert_int_equal(row.amount_fen, 12800);
	assert_string_equal(row.kind, "交易");
	assert_int_equal(next(), STATEMENT_ROW);
	assert_false(row.income);
	assert_int_equal(row.amount_fen, 77);
	assert_int_equal(next(), STATEMENT_DAMAGED);
	assert_int_equal(next(), STATEMENT_END);
	assert_sum(statement_rows(st), 2, 12800, 77, 0);
	assert_sum(statement_stated(st), 2, 12800, 77, 0);
}

static void
amounts(void **state)
{
	static const struct {
		const char	*s;
		int64_t		 mill;
	} good[] = { { "0", 0 }, { "0.0", 0 }, { "6.00", 600000 },
	    { "0.04000", 4000 }, { "-0.09000", -9000 }, { "12", 1200000 },
	    { "0.00001", 1 }, { "100000000.00000", 10000000000000 } };
	static const char *const bad[] = { "", "-", ".5", "5.", "1.000000",
		"1e5", "1,000.00", " 1", "1 ", "+1", "--1", "1.2.3",
		"100000000.00001", "99999999999999999999", "１" };
	int64_t	v;
	size_t	i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		assert_true(statement_mill(good[i].s, &v));
		assert_int_equal(v, good[i].mill);
	}
	for (i = 0; i < nitems(bad); i++)
		assert_false(statement_mill(bad[i], &v));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_2019, begin, end),
		cmocka_unit_test_setup_teardown(old_columns, begin, end),
		cmocka_unit_test_setup_teardown(success_and_refunds, begin,
		    end),
		cmocka_unit_test_setup_teardown(damaged_file, begin, end),
		cmocka_unit_test_setup_teardown(vectors, begin, end),
		cmocka_unit_test_setup_teardown(spoiled_rows, begin, end),
		cmocka_unit_test_setup_teardown(long_line_and_nul, begin,
		    end),
		cmocka_unit_test_setup_teardown(other_headers, begin, end),
		cmocka_unit_test_setup_teardown(fund, begin, end),
		cmocka_unit_test_setup_teardown(amounts, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
