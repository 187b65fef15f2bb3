/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_water_window.c -- delivery windows: text, next ones, deadlines.
 */
#include "unit.h"

#include "base/clock.h"
#include "service/water.h"

#define OPENS	420	/* 07:00 */
#define CLOSES	1260	/* 21:00 */

static int64_t
at(const char *text)
{
	int64_t	ms = 0;

	assert_true(clock_parse(text, &ms));
	return ms;
}

static void
test_parse(void **state)
{
	static const char *const bad[] = { "", "09:00", "09:00-12:00,",
	    "9:00-12:00", "09:00-09:00", "12:00-09:00", "06:00-08:00",
	    "20:00-22:00", "09:00-12:00,11:00-13:00", "09:00-12:60",
	    "09:00/12:00", "24:01-24:30", "09:00-12:00;13:00-14:00",
	    ("08:00-09:00,09:00-10:00,10:00-11:00,11:00-12:00,12:00-13:00,"
	    "13:00-14:00,14:00-15:00,15:00-16:00,16:00-17:00") };
	struct water_hours	h;
	size_t			i;

	(void)state;
	assert_true(water_window_parse("07:00-21:00", OPENS, CLOSES, &h));
	assert_int_equal(h.n, 1);
	assert_true(water_window_parse("09:00-12:00,12:00-18:30", OPENS,
	    CLOSES, &h));
	assert_int_equal(h.n, 2);
	assert_int_equal(h.at[1].from, 720);
	assert_int_equal(h.at[1].to, 1110);
	assert_true(water_window_parse("00:00-24:00", 0, 1440, &h));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (water_window_parse(bad[i], OPENS, CLOSES, &h))
			fail_msg("took \"%s\"", bad[i]);
}

static void
test_next(void **state)
{
	struct water_hours	h;
	struct water_window	w;
	int			i;

	(void)state;
	assert_true(water_window_parse("09:00-12:00,14:00-18:00", OPENS,
	    CLOSES, &h));
	assert_true(water_window_next(&h, at("2026-11-22T08:00:00+08:00"), 0,
	    &w));
	assert_int_equal(w.from, at("2026-11-22T09:00:00+08:00"));
	assert_int_equal(w.to, at("2026-11-22T12:00:00+08:00"));
	/* Half an hour before its end it is still good, then no longer. */
	assert_true(water_window_next(&h, at("2026-11-22T11:30:00+08:00"), 0,
	    &w));
	assert_int_equal(w.from, at("2026-11-22T09:00:00+08:00"));
	assert_true(water_window_next(&h, at("2026-11-22T11:30:01+08:00"), 0,
	    &w));
	assert_int_equal(w.from, at("2026-11-22T14:00:00+08:00"));
	/* Late at night it is tomorrow's, over a month's end too. */
	assert_true(water_window_next(&h, at("2026-11-30T23:00:00+08:00"), 0,
	    &w));
	assert_int_equal(w.from, at("2026-12-01T09:00:00+08:00"));
	for (i = 0; water_window_next(&h, at("2026-11-22T08:00:00+08:00"),
	    i, &w); i++)
		;
	assert_int_equal(i, 2 * WATER_DAYS);
}

static void
test_open(void **state)
{
	int64_t			now = at("2026-11-22T10:00:00+08:00");
	struct water_hours	h;
	struct water_window	w;

	(void)state;
	assert_true(water_window_parse("09:00-12:00", OPENS, CLOSES, &h));
	w.from = at("2026-11-23T09:00:00+08:00");
	w.to = at("2026-11-23T12:00:00+08:00");
	assert_true(water_window_open(&h, now, w));
	w.to++;
	assert_false(water_window_open(&h, now, w));
	w.from = at("2026-11-21T09:00:00+08:00");
	w.to = at("2026-11-21T12:00:00+08:00");
	assert_false(water_window_open(&h, now, w));
	w.from = at("2026-11-29T09:00:00+08:00");
	w.to = at("2026-11-29T12:00:00+08:00");
	assert_false(water_window_open(&h, now, w));
}

static void
test_deadline(void **state)
{
	(void)state;
	/* While open: from now. */
	assert_int_equal(water_window_deadline(
	    at("2026-11-22T10:00:00+08:00"), OPENS, CLOSES, 15),
	    at("2026-11-22T10:15:00+08:00"));
	/* Before opening: from opening. */
	assert_int_equal(water_window_deadline(
	    at("2026-11-22T03:00:00+08:00"), OPENS, CLOSES, 15),
	    at("2026-11-22T07:15:00+08:00"));
	/* After closing: from tomorrow's opening. */
	assert_int_equal(water_window_deadline(
	    at("2026-11-22T21:00:00+08:00"), OPENS, CLOSES, 15),
	    at("2026-11-23T07:15:00+08:00"));
	/* Across closing: what is left is used up tomorrow. */
	assert_int_equal(water_window_deadline(
	    at("2026-11-22T20:50:00+08:00"), OPENS, CLOSES, 15),
	    at("2026-11-23T07:05:00+08:00"));
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
