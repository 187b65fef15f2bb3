/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_clock.c -- times are written, read and cut into days as China does.
 */
#include <time.h>

#include "unit.h"

#include "base/clock.h"

static const char *
text(int64_t ms)
{
	static char	 out[CLOCK_TEXT_MAX];
	int		 n = clock_text(ms, out);

	assert_int_equal(n, strlen(out));
	return out;
}

static void
known_moments_are_written(void **state)
{
	(void)state;
	assert_string_equal(text(0), "1970-01-01T08:00:00+08:00");
	assert_string_equal(text(1795335632123),
	    "2026-11-22T16:20:32.123+08:00");
	assert_string_equal(text(1795335632005),
	    "2026-11-22T16:20:32.005+08:00");
	assert_string_equal(text(951840000000), "2000-03-01T00:00:00+08:00");
	assert_string_equal(text(951839999999),
	    "2000-02-29T23:59:59.999+08:00");
	assert_string_equal(text(-1), "1970-01-01T07:59:59.999+08:00");
	assert_string_equal(text(253402271999999),
	    "9999-12-31T23:59:59.999+08:00");
}

static void
what_has_no_four_digit_year_is_clamped(void **state)
{
	(void)state;
	assert_string_equal(text(253402272000000),
	    "9999-12-31T23:59:59.999+08:00");
	assert_string_equal(text(INT64_MAX), "9999-12-31T23:59:59.999+08:00");
	assert_string_equal(text(INT64_MIN), "0000-01-01T00:00:00+08:00");
}

/* Every day of six centuries against the C library's calendar. */
static void
each_day_agrees_with_the_library(void **state)
{
	struct clock_local	 l;
	struct tm		 tm;
	char			 want[40];
	int64_t			 day, ms, back;
	time_t			 t;

	(void)state;
	for (day = -100000; day < 120000; day++) {
		ms = day * CLOCK_DAY + (day * 7919 % 86400 + 86400) % 86400 *
		    CLOCK_SECOND;
		t = (time_t)(ms / 1000 + 8 * 3600);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S+08:00", &tm);
		assert_string_equal(text(ms), want);
		l = clock_local(ms);
		assert_int_equal(l.year, tm.tm_year + 1900);
		assert_int_equal(l.month, tm.tm_mon + 1);
		assert_int_equal(l.day, tm.tm_mday);
		assert_int_equal(l.weekday, tm.tm_wday == 0 ? 7 : tm.tm_wday);
		assert_int_equal(l.minute, tm.tm_hour * 60 + tm.tm_min);
		if (ms >= 0) {
			assert_true(clock_parse(want, &back));
			assert_int_equal(back, ms);
		}
	}
}

static void
any_offset_is_read(void **state)
{
	static const struct {
		const char	*s;
		int64_t		 ms;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1970-01-01T08:00:00+08:00", 0 },
		{ "1969-12-31T19:00:00-05:00", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1970-01-01T00:00:00+08:00", -28800000 },
		{ "2026-11-22T16:20:32.123+08:00", 1795335632123 },
		{ "2026-11-22T16:20:32.1239999+08:00", 1795335632123 },
		{ "2026-11-22T16:20:32.1+08:00", 1795335632100 },
		{ "2026-11-22T13:50:32+05:30", 1795335632000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
		{ "2017-01-01T07:59:60+08:00", 1483228800000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "9999-12-31T23:59:59.999+08:00", 253402271999999 },
	};
	int64_t	 ms;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		ms = 1;
		if (!clock_parse(rows[i].s, &ms) || ms != rows[i].ms)
			fail_msg("%s gives %lld", rows[i].s, (long long)ms);
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const	 rows[] = {
		"", "2026", "2026-11-22", "2026-11-22T16:20", "x",
		"2026-11-22T16:20:32", "2026-11-22 16:20:32Z",
		"2026-11-22T16:20:32.Z", "2026-11-22T16:20:32,5Z",
		"2026-11-22T16:20:32Z ", " 2026-11-22T16:20:32Z",
		"2026-11-22T16:20:32+0800", "2026-11-22T16:20:32+08",
		"2026-11-22T16:20:32+24:00", "2026-11-22T16:20:32+08:60",
		"2026-11-22T24:00:00Z", "2026-11-22T16:60:00Z",
		"2026-11-22T16:20:61Z", "2026-11-22T16:20:60Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "1969-12-31T15:59:59.999Z",
		"9999-12-31T23:59:59Z", "9999-12-31T16:00:00Z",
		"+026-11-22T16:20:32Z", "2026-1-22T16:20:32Z",
		"２026-11-22T16:20:32Z", "0000-01-01T00:00:00Z",
	};
	int64_t	 ms = 42;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (clock_parse(rows[i], &ms) || ms != 42)
			fail_msg("'%s' was read as %lld", rows[i],
			    (long long)ms);
}

static void
the_day_is_chinas(void **state)
{
	int64_t	 midnight = 1795276800000;	/* 2026-11-22 in China */

	(void)state;
	assert_string_equal(text(midnight), "2026-11-22T00:00:00+08:00");
	assert_int_equal(clock_day(midnight), midnight);
	assert_int_equal(clock_day(midnight + CLOCK_DAY - 1), midnight);
	assert_int_equal(clock_day(midnight - 1), midnight - CLOCK_DAY);
	assert_int_equal(clock_day(-CLOCK_DAY), -8 * CLOCK_HOUR - CLOCK_DAY);
}

static void
now_is_now(void **state)
{
	int64_t	 before = (int64_t)time(NULL) * 1000, now = clock_now();
	int64_t	 mono = clock_mono_us();

	(void)state;
	assert_true(now >= before - 1000);
	assert_true(now <= ((int64_t)time(NULL) + 1) * 1000);
	assert_true(clock_mono_us() >= mono);
}

static void
a_test_moves_the_clock(void **state)
{
	const char	*folder = unit_folder();
	const char	*path = unit_path(folder, "clock");
	int64_t		 offset = 0, now;
	FILE		*f;

	(void)state;
	assert_false(clock_follow(path));
	unit_write(path, "1234567", 7, 0600);
	assert_false(clock_follow(path));
	unit_write(path, (char *)&offset, sizeof(offset), 0600);
	assert_true(clock_follow(path));
	now = clock_now();
	assert_true(now - (int64_t)time(NULL) * 1000 < 2000);
	offset = 3 * CLOCK_DAY;
	f = fopen(path, "r+");
	assert_non_null(f);
	fwrite(&offset, sizeof(offset), 1, f);
	fclose(f);
	assert_true(clock_now() - now >= 3 * CLOCK_DAY);
	assert_true(clock_now() - now < 3 * CLOCK_DAY + CLOCK_MINUTE);
	unlink(path);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(known_moments_are_written),
		cmocka_unit_test(what_has_no_four_digit_year_is_clamped),
		cmocka_unit_test(each_day_agrees_with_the_library),
		cmocka_unit_test(any_offset_is_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(the_day_is_chinas),
		cmocka_unit_test(now_is_now),
		cmocka_unit_test(a_test_moves_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
