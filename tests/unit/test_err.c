/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_err.c -- every row of err.def is whole and fit for the wire.
 */
#include "unit.h"

#include "base/err.h"
#include "base/text.h"

static void
each_row_is_whole(void **state)
{
	const struct err_info	*row;
	int			 e;

	(void)state;
	for (e = OK + 1; e < ERR__MAX; e++) {
		row = err_info((enum err)e);
		assert_non_null(row->name);
		assert_in_range(row->status, 400, 599);
		assert_true(strlen(row->code) > 0);
		assert_int_equal(strspn(row->code,
		    "abcdefghijklmnopqrstuvwxyz_"), strlen(row->code));
		assert_true(strlen(row->title) > 0);
		assert_true(text_clean(row->detail, false));
		assert_true(text_length(row->detail) >= 8);
		/* A client is told to wait exactly when waiting helps. */
		assert_int_equal(row->retry_after > 0,
		    row->status == 429 || row->status == 503);
	}
}

static void
a_row_is_found_by_its_value(void **state)
{
	(void)state;
	assert_string_equal(err_info(ERR_STOCK)->name, "STOCK");
	assert_int_equal(err_info(ERR_STOCK)->status, 409);
	assert_string_equal(err_info(ERR_LIMITED)->code, "rate_limited");
}

static void
strangers_read_as_internal(void **state)
{
	const struct err_info	*internal = err_info(ERR_INTERNAL);

	(void)state;
	assert_int_equal(internal->status, 500);
	assert_ptr_equal(err_info(OK), internal);
	assert_ptr_equal(err_info(ERR__MAX), internal);
	assert_ptr_equal(err_info((enum err)-1), internal);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(each_row_is_whole),
		cmocka_unit_test(a_row_is_found_by_its_value),
		cmocka_unit_test(strangers_read_as_internal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
