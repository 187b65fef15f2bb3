/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_bill_sum.c -- days, and what a late bill costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/bill.h"

static void
days(void **state)
{
	char	text[BILL_DAY_MAX];
	int64_t	day, v;

	(void)state;
	assert_int_equal(bill_day_of(19700101), 0);
	assert_int_equal(bill_day_of(20261122), 20779);
	assert_int_equal(bill_day_of(20240301) - bill_day_of(20240228), 2);
	assert_int_equal(bill_day_of(20230301) - bill_day_of(20230228), 1);
	assert_int_equal(bill_day_of(21000301) - bill_day_of(21000228), 1);
	for (day = bill_day_of(19991201); day < bill_day_of(20290101); day++) {
		bill_day_text(day, text);
		assert_true(bill_day_parse(text, &v));
		assert_int_equal(v, day);
	}
	/* Midnight in China is 16:00 the day before elsewhere. */
	assert_int_equal(bill_day(20779 * 86400000LL - 8 * 3600000LL), 20779);
	assert_int_equal(bill_day(20779 * 86400000LL - 8 * 3600000LL - 1),
	    20778);
	assert_false(bill_day_parse("2026-02-29", &v));
	assert_false(bill_day_parse("2026-13-01", &v));
	assert_false(bill_day_parse("2026-1-01", &v));
	assert_false(bill_day_parse("2026-01-011", &v));
	assert_false(bill_day_parse("", &v));
}

static void
late(void **state)
{
	(void)state;
	/* 123.45 yuan, 30 days, 5 in 10000: 185.175 fen. */
	assert_int_equal(bill_late(12345 * 30, 5, 100, 12345), 185);
	/* Half goes up, less goes down. */
	assert_int_equal(bill_late(1000, 5, 100, 1000), 1);
	assert_int_equal(bill_late(999, 5, 100, 1000), 0);
	/* Never above the cap, and that never above the principal. */
	assert_int_equal(bill_late(10000 * 100000LL, 30, 100, 10000), 10000);
	assert_int_equal(bill_late(10000 * 1000LL, 30, 20, 10000), 2000);
	assert_int_equal(bill_late(10000 * 1000LL, 30, 0, 10000), 0);
	assert_int_equal(bill_late(10000 * 1000LL, 0, 100, 10000), 0);
	assert_int_equal(bill_late(0, 5, 100, 10000), 0);
	/* The largest bill, a century late, at the highest rate. */
	assert_int_equal(bill_late(10000000000LL * 36500, 100, 100,
	    10000000000LL), 10000000000LL);
}

static void
due(void **state)
{
	struct bill_sums	s = { .open_fen = 12345,
				    .fen_days = 12345 * 30, .late_rate = 5,
				    .late_cap = 100, .disputed_fen = 700 };
	struct bill_due		d = bill_due(&s);

	(void)state;
	assert_int_equal(d.total_fen, 12345 + 185);
	assert_int_equal(d.disputed_fen, 700);
	s.late_waived_fen = 100;
	d = bill_due(&s);
	assert_int_equal(d.late_fen, 85);
	assert_int_equal(d.waived_fen, 100);
	s.late_waived_fen = 1000;
	d = bill_due(&s);
	assert_int_equal(d.late_fen, 0);
	assert_int_equal(d.waived_fen, 185);
	assert_int_equal(d.total_fen, 12345);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days),
		cmocka_unit_test(late),
		cmocka_unit_test(due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
