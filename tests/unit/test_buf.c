/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_buf.c -- a buffer that grows to its maximum and no further.
 */
#include <inttypes.h>

#include "unit.h"

#include "base/buf.h"

static void
it_grows_and_keeps_what_is_in_it(void **state)
{
	struct buf	 b;
	size_t		 i;

	(void)state;
	buf_init(&b, 100000);
	assert_string_equal(buf_text(&b), "");
	for (i = 0; i < 100000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(b.len, 100000);
	assert_false(b.over);
	for (i = 0; i < b.len; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	assert_int_equal(strlen(buf_text(&b)), 100000);
	buf_free(&b);
}

static void
past_the_maximum_is_dropped_and_told(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 8);
	buf_puts(&b, "1234567");
	assert_false(b.over);
	buf_puts(&b, "89");
	assert_true(b.over);
	assert_string_equal(buf_text(&b), "1234567");
	buf_clear(&b);
	assert_false(b.over);
	buf_puts(&b, "12345678");
	assert_false(b.over);
	assert_string_equal(buf_text(&b), "12345678");
	buf_putc(&b, '9');
	assert_true(b.over);
	buf_fmt(&b, "%d", 1);
	assert_string_equal(buf_text(&b), "12345678");
	buf_free(&b);
}

static void
reserve_says_whether_there_is_room(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 1000);
	assert_true(buf_reserve(&b, 1000));
	assert_in_range(b.cap, 1000, 1000);
	assert_false(buf_reserve(&b, 1001));
	assert_true(b.over);
	buf_clear(&b);
	BUF_LIT(&b, "x");
	assert_false(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(b.len, 1);
	buf_free(&b);
}

static void
check_int(int64_t v)
{
	struct buf	 b;
	char		 want[32];

	buf_init(&b, 64);
	snprintf(want, sizeof(want), "%" PRId64, v);
	buf_puti(&b, v);
	assert_string_equal(buf_text(&b), want);
	buf_free(&b);
}

static void
integers_are_as_printf_writes_them(void **state)
{
	int64_t	 v = 1;
	int	 i;

	(void)state;
	check_int(0);
	check_int(INT64_MIN);
	check_int(INT64_MAX);
	for (i = 0; i < 18; i++, v *= 10) {
		check_int(v);
		check_int(v - 1);
		check_int(v + 1);
		check_int(-v);
		check_int(v * 7);
	}
}

static void
formatted_text_grows_the_buffer(void **state)
{
	struct buf	 b;
	int		 i;

	(void)state;
	buf_init(&b, 100000);
	for (i = 0; i < 5000; i++)
		buf_fmt(&b, "%04d,", i);
	assert_int_equal(b.len, 25000);
	assert_memory_equal(b.data + 24990, "4998,4999,", 10);
	buf_fmt(&b, "%s", "");
	assert_int_equal(b.len, 25000);
	buf_free(&b);
}

static void
clear_keeps_little_and_gives_much_back(void **state)
{
	struct buf	 b;

	(void)state;
	buf_init(&b, 1024 * 1024);
	buf_reserve(&b, 100 * 1024);
	buf_clear(&b);
	assert_true(b.cap >= 100 * 1024);
	buf_reserve(&b, 300 * 1024);
	buf_clear(&b);
	assert_int_equal(b.cap, 0);
	BUF_LIT(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_free(&b);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(it_grows_and_keeps_what_is_in_it),
		cmocka_unit_test(past_the_maximum_is_dropped_and_told),
		cmocka_unit_test(reserve_says_whether_there_is_room),
		cmocka_unit_test(integers_are_as_printf_writes_them),
		cmocka_unit_test(formatted_text_grows_the_buffer),
		cmocka_unit_test(clear_keeps_little_and_gives_much_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
