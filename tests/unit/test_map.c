/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_map.c -- numbers found by the hash of some key.
 */
#include "unit.h"

#include "base/map.h"

#define MANY	100000

static void
test_empty_map_has_nothing(void **state)
{
	struct map m = { 0 };

	(void)state;
	assert_null(map_find(&m, map_hash(0, "1")));
	map_free(&m);
	assert_null(map_find(&m, map_hash(0, "1")));
}

static void
test_spot_is_made_once(void **state)
{
	struct map m = { 0 };
	uint64_t h = map_hash(0, "三号楼");
	struct map_spot *s;
	bool fresh;

	(void)state;
	s = map_at(&m, h, &fresh);
	assert_true(fresh);
	assert_int_equal(s->a, 0);
	assert_int_equal(s->b, 0);
	s->a = 7;
	s = map_at(&m, h, &fresh);
	assert_false(fresh);
	assert_int_equal(s->a, 7);
	assert_ptr_equal(map_find(&m, h), s);
	assert_null(map_find(&m, map_hash(0, "三号")));
	assert_int_equal(m.used, 1);
	map_free(&m);
}

/* Over all its growths each keeps what it was given, and no more are. */
static void
test_many_stay_what_they_are(void **state)
{
	struct map m = { 0 };
	struct map_spot *s;
	bool fresh;
	int i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		s = map_at(&m, map_hash_int(0, i), &fresh);
		assert_true(fresh);
		s->a = i;
		s->b = -i;
	}
	assert_int_equal(m.used, MANY);
	assert_true(m.size >= 2 * MANY && m.size <= 4 * MANY);
	for (i = 0; i < MANY; i++) {
		s = map_find(&m, map_hash_int(0, i));
		assert_non_null(s);
		assert_int_equal(s->a, i);
		assert_int_equal(s->b, -i);
	}
	for (i = MANY; i < 2 * MANY; i++)
		assert_null(map_find(&m, map_hash_int(0, i)));
	map_free(&m);
	assert_null(map_find(&m, map_hash_int(0, 1)));
}

/* Hashes that all belong at one place, which is the last. */
static void
test_spots_in_each_others_way(void **state)
{
	struct map m = { 0 };
	struct map_spot *s;
	bool fresh;
	uint64_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		s = map_at(&m, i << 10 | 1023, &fresh);
		assert_true(fresh);
		s->a = (int64_t)i;
	}
	assert_int_equal(m.size, 1024);
	for (i = 0; i < 200; i++)
		assert_int_equal(map_find(&m, i << 10 | 1023)->a, i);
	assert_null(map_find(&m, (uint64_t)200 << 10 | 1023));
	map_free(&m);
}

static void
test_hash_knows_where_a_text_ends(void **state)
{
	(void)state;
	assert_int_equal(map_hash(map_hash(0, "ab"), "c"),
	    map_hash(map_hash(0, "ab"), "c"));
	assert_int_not_equal(map_hash(map_hash(0, "ab"), "c"),
	    map_hash(map_hash(0, "a"), "bc"));
	assert_int_not_equal(map_hash(map_hash(0, "a"), "b"),
	    map_hash(map_hash(0, "b"), "a"));
	assert_int_not_equal(map_hash(0, ""), 0);
	assert_int_not_equal(map_hash(map_hash(0, "a"), ""),
	    map_hash(0, "a"));
	/* A number is its digits. */
	assert_int_equal(map_hash_int(0, -12), map_hash(0, "-12"));
	assert_int_not_equal(map_hash_int(0, 12), map_hash_int(0, -12));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_map_has_nothing),
		cmocka_unit_test(test_spot_is_made_once),
		cmocka_unit_test(test_many_stay_what_they_are),
		cmocka_unit_test(test_spots_in_each_others_way),
		cmocka_unit_test(test_hash_knows_where_a_text_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
