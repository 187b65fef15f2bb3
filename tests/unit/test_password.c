/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_password.c -- which passwords are fit, and those made by us.
 */
#include "unit.h"

#include "base/crypt.h"
#include "base/password.h"

static void
fit_ones_have_three_kinds(void **state)
{
	static const char *const good[] = { "Abcdefg1", "abcdef-1",
		"ABCDEF-1", "Abc-defg", "密码密码密码a1", "A1-bcdef" };
	static const char *const plain[] = { "abcdefgh", "abcdefg1",
		"ABCDEFG1", "12345678", "--------", "abcdefg-",
		"密码密码密码密码", "密码密码密码密1" };

	(void)state;
	for (size_t i = 0; i < nitems(good); i++)
		assert_int_equal(password_check(good[i], "zhou"),
		    PASSWORD_FIT);
	for (size_t i = 0; i < nitems(plain); i++)
		assert_int_equal(password_check(plain[i], "zhou"),
		    PASSWORD_PLAIN);
}

static void
length_is_in_characters(void **state)
{
	char	longest[131];

	(void)state;
	assert_int_equal(password_check("", NULL), PASSWORD_SHORT);
	assert_int_equal(password_check("Abcde-1", NULL), PASSWORD_SHORT);
	assert_int_equal(password_check("密码密码-a1", NULL),
	    PASSWORD_SHORT);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "B1", 2);
	longest[128] = '\0';
	assert_int_equal(password_check(longest, NULL), PASSWORD_FIT);
	longest[128] = 'a';
	longest[129] = '\0';
	assert_int_equal(password_check(longest, NULL), PASSWORD_LONG);
}

static void
the_account_is_no_part_of_it(void **state)
{
	(void)state;
	assert_int_equal(password_check("Zhou.Min-1", "zhou.min"),
	    PASSWORD_ACCOUNT);
	assert_int_equal(password_check("x1-ZHOU.MIN", "zhou.min"),
	    PASSWORD_ACCOUNT);
	assert_int_equal(password_check("Zhou-Min-1", "zhou.min"),
	    PASSWORD_FIT);
	assert_int_equal(password_check("Zhou.Min-1", NULL), PASSWORD_FIT);
	assert_int_equal(password_check("Zhou.Min-1", ""), PASSWORD_FIT);
}

static void
those_made_are_fit_and_differ(void **state)
{
	char	a[PASSWORD_FIRST], b[PASSWORD_FIRST];

	(void)state;
	password_make(b);
	for (int i = 0; i < 500; i++) {
		password_make(a);
		assert_int_equal(strlen(a), PASSWORD_FIRST - 1);
		assert_int_equal(password_check(a, NULL), PASSWORD_FIT);
		assert_null(strpbrk(a, "0O1lI"));
		assert_string_not_equal(a, b);
		memcpy(b, a, sizeof(a));
	}
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		cmocka_unit_test(fit_ones_have_three_kinds),
		cmocka_unit_test(length_is_in_characters),
		cmocka_unit_test(the_account_is_no_part_of_it),
		cmocka_unit_test(those_made_are_fit_and_differ),
	};

	if (!crypt_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
