/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_money.c -- sums of fen are exact or refused.
 */
#include "unit.h"

#include "base/money.h"

static void
sums_are_exact(void **state)
{
	int64_t	 sum = 0;

	(void)state;
	assert_true(money_add(&sum, 1800, 2));
	assert_true(money_add(&sum, 200, 3));
	assert_int_equal(sum, 4200);
	assert_true(money_add(&sum, -4200, 1));
	assert_int_equal(sum, 0);
	assert_true(money_add(&sum, MONEY_MAX, 1));
	assert_int_equal(sum, MONEY_MAX);
}

static void
what_is_too_much_changes_nothing(void **state)
{
	int64_t	 sum = 5;

	(void)state;
	assert_false(money_add(&sum, MONEY_MAX, 1));
	assert_false(money_add(&sum, MONEY_MAX - 4, 1));
	assert_false(money_add(&sum, 1, -MONEY_MAX - 6));
	assert_false(money_add(&sum, -MONEY_MAX - 6, 1));
	assert_false(money_add(&sum, INT64_MAX, 2));
	assert_false(money_add(&sum, INT64_MIN, -1));
	assert_false(money_add(&sum, INT64_MAX, 1));
	assert_int_equal(sum, 5);
}

static void
yuan_are_written_with_two_places(void **state)
{
	char	 out[MONEY_TEXT_MAX];

	(void)state;
	assert_int_equal(money_text(1230, out), 5);
	assert_string_equal(out, "12.30");
	money_text(0, out);
	assert_string_equal(out, "0.00");
	money_text(7, out);
	assert_string_equal(out, "0.07");
	money_text(-7, out);
	assert_string_equal(out, "-0.07");
	money_text(-123456, out);
	assert_string_equal(out, "-1234.56");
	money_text(INT64_MIN, out);
	assert_string_equal(out, "-92233720368547758.08");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(sums_are_exact),
		cmocka_unit_test(what_is_too_much_changes_nothing),
		cmocka_unit_test(yuan_are_written_with_two_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
