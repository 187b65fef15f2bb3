/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_geo.c -- points, their distance, and WGS-84 turned into GCJ-02.
 */
#include <math.h>

#include "unit.h"

#include "base/geo.h"

static void
near(double have, double want, double by)
{
	if (fabs(have - want) > by)
		fail_msg("%f is not %f", have, want);
}

static void
the_worked_example_holds(void **state)
{
	struct geo	 wgs = { .lat = 26240000, .lng = 105920000 }, gcj;

	(void)state;
	gcj = geo_from_wgs84(wgs);
	/* 26.2364385 N, 105.9233163 E */
	assert_in_range(gcj.lat, 26236438, 26236439);
	assert_int_equal(gcj.lng, 105923316);
	near(geo_metres(wgs, gcj), 516, 1);
}

static void
outside_china_nothing_moves(void **state)
{
	static const struct geo	 out[] = { { 26240000, 72003999 },
	    { 26240000, 137834701 }, { 829299, 105920000 },
	    { 55827101, 105920000 }, { 0, 0 }, { -26240000, 105920000 } };
	static const struct geo	 in[] = { { 26240000, 72004000 },
	    { 26240000, 137834700 }, { 829300, 105920000 },
	    { 55827100, 105920000 } };
	struct geo	 g;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(out); i++) {
		assert_false(geo_in_china(out[i]));
		g = geo_from_wgs84(out[i]);
		assert_int_equal(g.lat, out[i].lat);
		assert_int_equal(g.lng, out[i].lng);
	}
	for (i = 0; i < nitems(in); i++) {
		assert_true(geo_in_china(in[i]));
		g = geo_from_wgs84(in[i]);
		assert_true(g.lat != in[i].lat || g.lng != in[i].lng);
	}
}

static void
distances_are_great_circles(void **state)
{
	struct geo	 a = { 26240000, 105920000 }, b = a;
	struct geo	 pole = { 90000000, 0 }, south = { -90000000, 0 };

	(void)state;
	near(geo_metres(a, a), 0, 0);
	b.lat += 1000000;
	near(geo_metres(a, b), 111195, 1);
	near(geo_metres(b, a), geo_metres(a, b), 0);
	b = a;
	b.lng += 1000000;
	near(geo_metres(a, b), 99737, 2);
	near(geo_metres(pole, south), M_PI * 6371008.8, 0.1);
	/* One step of the grid is a hand's breadth, not lost in rounding. */
	b = a;
	b.lat += 1;
	near(geo_metres(a, b), 0.111195, 0.0001);
}

static void
degrees_are_read(void **state)
{
	static const struct {
		const char	*s;
		int64_t		 v;
	} rows[] = {
		{ "26.236438", 26236438 }, { "26.2364389", 26236438 },
		{ "26", 26000000 }, { "26.2", 26200000 }, { "-0.5", -500000 },
		{ "180", 180000000 }, { "-180.0000000", -180000000 },
		{ "026.1", 26100000 }, { "0.000001", 1 },
		{ "0.0000009", 0 }, { "-0", 0 },
		{ "105.92000000000000000000000001", 105920000 },
	};
	int64_t	 v;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		v = 1;
		if (!geo_parse(rows[i].s, &v) || v != rows[i].v)
			fail_msg("%s gives %lld", rows[i].s, (long long)v);
	}
}

static void
what_is_no_degree_is_refused(void **state)
{
	static const char *const	 rows[] = { "", "-", ".", ".5", "26.",
	    "+26", " 26", "26 ", "26.2.3", "26,2", "1e2", "180.0000001",
	    "-180.000001", "181", "1000", "0026", "nan", "inf", "0x10",
	    "--1", "２6", "99999999999999999999" };
	int64_t	 v = 42;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (geo_parse(rows[i], &v) || v != 42)
			fail_msg("'%s' was taken", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(the_worked_example_holds),
		cmocka_unit_test(outside_china_nothing_moves),
		cmocka_unit_test(distances_are_great_circles),
		cmocka_unit_test(degrees_are_read),
		cmocka_unit_test(what_is_no_degree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
