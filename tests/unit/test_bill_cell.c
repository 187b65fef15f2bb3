/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_bill_cell.c -- cells of a file of bills: numbers, months, accounts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"
#include "service/bill_cell.h"

static void
numbers(void **state)
{
	static const struct {
		const char	*text;
		int		 scale;
		int64_t		 is;
	} good[] = {
		{ "123.45", 2, 12345 }, { "0.01", 2, 1 }, { "5", 2, 500 },
		{ "5.5", 2, 550 }, { "5.50000", 2, 550 }, { "0", 2, 0 },
		{ "1,234.56", 2, 123456 }, { "12,345,678.9", 2, 1234567890 },
		{ "-0.00", 2, 0 }, { "00012.30", 2, 1230 },
		{ "100000000", 2, MONEY_MAX }, { "12.5", 3, 12500 },
		{ "3.1234", 4, 31234 },
	};
	static const struct {
		const char		*text;
		enum bill_number	 is;
	} bad[] = {
		{ "-5.00", BILL_NUMBER_NEGATIVE },
		{ "1.005", BILL_NUMBER_DECIMALS },
		{ "100000000.01", BILL_NUMBER_LARGE },
		{ "99999999999999999999999", BILL_NUMBER_LARGE },
		{ "", BILL_NUMBER_FORM }, { "-", BILL_NUMBER_FORM },
		{ ".5", BILL_NUMBER_FORM }, { "5.", BILL_NUMBER_FORM },
		{ "1e3", BILL_NUMBER_FORM }, { "1.2E+05", BILL_NUMBER_FORM },
		{ "=1+1", BILL_NUMBER_FORM }, { "+5", BILL_NUMBER_FORM },
		{ "1,23", BILL_NUMBER_FORM }, { "1234,567", BILL_NUMBER_FORM },
		{ "1,2345", BILL_NUMBER_FORM }, { "1,,234", BILL_NUMBER_FORM },
		{ "--5", BILL_NUMBER_FORM }, { "5.0.0", BILL_NUMBER_FORM },
		{ "5 元", BILL_NUMBER_FORM }, { "NaN", BILL_NUMBER_FORM },
	};
	int64_t	v;
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(bill_cell_number(good[i].text,
		    good[i].scale, MONEY_MAX, &v), BILL_NUMBER_OK);
		assert_int_equal(v, good[i].is);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(bill_cell_number(bad[i].text, 2, MONEY_MAX,
		    &v), bad[i].is);
}

static void
periods(void **state)
{
	static const char *const good[] = { "2026-10", "2026/10", "202610",
	    "2026.10", "2026年10月" };
	static const char *const bad[] = { "2026-13", "2026-00", "202613",
	    "2026", "2026-", "26-10", "2026-100", "2026-10-01", "20261",
	    "1999-12", "", "十月" };
	char	out[BILL_PERIOD_MAX];
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(bill_cell_period(good[i], out));
		assert_string_equal(out, "2026-10");
	}
	assert_true(bill_cell_period("2026-3", out));
	assert_string_equal(out, "2026-03");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bill_cell_period(bad[i], out));
}

static void
words(void **state)
{
	(void)state;
	assert_true(bill_cell_account("0012345678"));
	assert_true(bill_cell_account("GZ-12_a"));
	assert_true(bill_cell_account("12345678901234567890123456789012"));
	assert_false(bill_cell_account("123456789012345678901234567890123"));
	assert_false(bill_cell_account("1.23E+10"));
	assert_false(bill_cell_account("-5"));
	assert_false(bill_cell_account(""));
	assert_false(bill_cell_account("一二三"));
	assert_int_equal(bill_cell_kind("物业费"), 0);
	assert_int_equal(bill_cell_kind("Water"), 1);
	assert_int_equal(bill_cell_kind("天然气费"), 3);
	assert_int_equal(bill_cell_kind("其他"), 7);
	assert_int_equal(bill_cell_kind("罚款"), -1);
	assert_int_equal(bill_cell_kind(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(periods),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
