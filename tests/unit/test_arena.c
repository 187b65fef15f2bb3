/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_arena.c -- memory of one request: zeroed, aligned, apart, limited.
 */
#include "unit.h"

#include "base/arena.h"

#define MIB	(1024 * 1024)

static void
bytes_are_zeroed_and_aligned(void **state)
{
	struct arena	*a = arena_new(MIB);
	unsigned char	*p;
	size_t		 i, n, round;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (n = 0; n < 3000; n += 7) {
			p = arena_take(a, n);
			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			/* Dirty it for whoever gets it next. */
			memset(p, 0xa5, n);
		}
		arena_reset(a);
	}
	arena_free(a);
}

static void
pieces_do_not_overlap(void **state)
{
	static const size_t	 sizes[] = { 1, 16, 17, 8191, 8192, 8193,
	    32767, 32768, 32769, 100000, 3, 0, 20000, 20000, 5 };
	struct arena		*a = arena_new(MIB);
	unsigned char		*p[nitems(sizes)];
	size_t			 i, j;

	(void)state;
	for (i = 0; i < nitems(sizes); i++) {
		p[i] = arena_take(a, sizes[i]);
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (i = 0; i < nitems(sizes); i++) {
		for (j = 0; j < sizes[i]; j++)
			assert_int_equal(p[i][j], i + 1);
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(p[i], p[j]);
	}
	arena_free(a);
}

static void
the_limit_is_soft_and_sticky(void **state)
{
	struct arena	*a = arena_new(1000);

	(void)state;
	arena_take(a, 1000);
	assert_false(arena_over(a));
	assert_non_null(arena_take(a, 1));
	assert_true(arena_over(a));
	assert_non_null(arena_take(a, 50000));
	assert_true(arena_over(a));
	arena_reset(a);
	assert_false(arena_over(a));
	arena_free(a);
}

static void
used_counts_since_the_reset(void **state)
{
	struct arena	*a = arena_new(MIB);

	(void)state;
	assert_int_equal(arena_used(a), 0);
	arena_take(a, 100);
	arena_take(a, 23);
	assert_in_range(arena_used(a), 123, 200);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	arena_free(a);
}

static void
strings_are_copied(void **state)
{
	struct arena	*a = arena_new(MIB);
	char		 long_one[5000], source[] = "water", *s;

	(void)state;
	s = arena_copy(a, source, 3);
	source[0] = 'x';
	assert_string_equal(s, "wat");
	assert_string_equal(arena_copy(a, NULL, 0), "");
	assert_string_equal(arena_str(a, "一键送水"), "一键送水");
	assert_null(arena_str(a, NULL));
	assert_string_equal(arena_fmt(a, "%d-%s", 7, "a"), "7-a");
	assert_string_equal(arena_fmt(a, "%s", ""), "");
	memset(long_one, 'q', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_string_equal(arena_fmt(a, "%s", long_one), long_one);
	arena_free(a);
}

static char	order[8];

static void
note(void *arg)
{
	size_t	 n = strlen(order);

	order[n] = *(const char *)arg;
	order[n + 1] = '\0';
}

static void
what_is_due_runs_newest_first_and_once(void **state)
{
	struct arena	*a = arena_new(MIB);
	static char	 names[] = "123";

	(void)state;
	order[0] = '\0';
	arena_later(a, note, &names[0]);
	arena_later(a, note, &names[1]);
	arena_reset(a);
	assert_string_equal(order, "21");
	arena_reset(a);
	assert_string_equal(order, "21");
	arena_later(a, note, &names[2]);
	arena_free(a);
	assert_string_equal(order, "213");
}

struct chain {
	struct arena	*a;
	char		*text;
};

static void
chained(void *arg)
{
	struct chain	*c = arg;
	static char	 last[] = "z";

	/* The memory still stands, and more may be put off. */
	note(c->text);
	arena_later(c->a, note, last);
}

static void
what_is_due_may_use_the_arena(void **state)
{
	struct arena	*a = arena_new(MIB);
	struct chain	*c = ARENA_NEW(a, struct chain);

	(void)state;
	order[0] = '\0';
	c->a = a;
	c->text = arena_str(a, "y");
	arena_later(a, chained, c);
	arena_reset(a);
	assert_string_equal(order, "yz");
	arena_free(a);
}

static void
nothing_to_free_is_fine(void **state)
{
	(void)state;
	arena_free(NULL);
	arena_free(arena_new(0));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(bytes_are_zeroed_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(the_limit_is_soft_and_sticky),
		cmocka_unit_test(used_counts_since_the_reset),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(what_is_due_runs_newest_first_and_once),
		cmocka_unit_test(what_is_due_may_use_the_arena),
		cmocka_unit_test(nothing_to_free_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
