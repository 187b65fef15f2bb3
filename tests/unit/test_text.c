/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_text.c -- UTF-8, GB18030 and phone numbers as people type them.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/text.h"

static struct arena	*arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1024 * 1024);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define LIT(s)	{ (s), sizeof(s) - 1 }

struct bytes {
	const char	*s;
	size_t		 n;
};

static void
well_formed_is_valid(void **state)
{
	static const struct bytes	 rows[] = {
		LIT(""), LIT("a"), LIT("abcdefgh"), LIT("一键送水"),
		LIT("abcdefg一"), LIT("\xc2\x80"), LIT("\xdf\xbf"),
		LIT("\xe0\xa0\x80"), LIT("\xed\x9f\xbf"),
		LIT("\xee\x80\x80"), LIT("\xef\xbf\xbf"),
		LIT("\xf0\x90\x80\x80"), LIT("\xf4\x8f\xbf\xbf"),
		LIT("💧12345678"), LIT("a\0b"),
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (!text_valid(rows[i].s, rows[i].n))
			fail_msg("row %zu is valid", i);
}

static void
malformed_is_not(void **state)
{
	static const struct bytes	 rows[] = {
		LIT("\x80"), LIT("\xbf"), LIT("\xc0\x80"), LIT("\xc1\xbf"),
		LIT("\xc2"), LIT("\xc2\x20"), LIT("\xe0\x9f\xbf"),
		LIT("\xe0\xa0"), LIT("\xed\xa0\x80"), LIT("\xed\xbf\xbf"),
		LIT("\xf0\x8f\xbf\xbf"), LIT("\xf0\x90\x80"),
		LIT("\xf4\x90\x80\x80"), LIT("\xf5\x80\x80\x80"),
		LIT("\xff"), LIT("\xfe"), LIT("abcdefgh\x80"),
		LIT("abcdefghabcdefg\xe4"), LIT("\xe4\xb8\x41"),
		LIT("\xe4\x41\x80"),
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (text_valid(rows[i].s, rows[i].n))
			fail_msg("row %zu is malformed", i);
}

/* All sequences of up to three bytes against the definition itself. */
static void
each_code_point_is_valid_and_no_surrogate(void **state)
{
	unsigned	 c;
	char		 s[4];

	(void)state;
	for (c = 0x800; c < 0x10000; c++) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3f));
		s[2] = (char)(0x80 | (c & 0x3f));
		assert_int_equal(text_valid(s, 3), c < 0xd800 || c > 0xdfff);
	}
	for (c = 0; c < 0x800; c++) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3f));
		s[2] = (char)(0x80 | (c & 0x3f));
		assert_false(text_valid(s, 3));
	}
}

static void
length_counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_length(""), 0);
	assert_int_equal(text_length("abc"), 3);
	assert_int_equal(text_length("一键送水💧"), 5);
}

static void
clean_text_is_what_people_type(void **state)
{
	(void)state;
	assert_true(text_clean("", false));
	assert_true(text_clean("请放门口，谢谢💧 3栋", false));
	assert_true(text_clean("一\n二", true));
	assert_true(text_clean("\u200d\u00a0\u2027\u2030\ufdcf\ufdf0\ufffd",
	    false));
}

static void
what_hides_or_misleads_is_unclean(void **state)
{
	static const char *const	 rows[] = { "\x01", "\x1f", "\t",
	    "\r", "\x7f", "\xc2\x80", "\xc2\x9f", "\u2028", "\u2029", "\u202a",
	    "\u202e", "\u2066", "\u2069", "\ufdd0", "\ufdef", "\ufffe",
	    "\uffff", "\U0001fffe", "\U0010ffff", "\xff", "好\xe4" };
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (text_clean(rows[i], true))
			fail_msg("row %zu is unclean", i);
	assert_false(text_clean("一\n二", false));
}

static void
trimmed_text_has_no_blanks_around(void **state)
{
	(void)state;
	assert_string_equal(text_trim(arena, ""), "");
	assert_string_equal(text_trim(arena, " \t\n\u3000\u00a0"), "");
	assert_string_equal(text_trim(arena, "\u3000 三 栋\u3000 "),
	    "三 栋");
	assert_string_equal(text_trim(arena, "abc"), "abc");
	assert_string_equal(text_trim(arena, " a"), "a");
	assert_string_equal(text_trim(arena, "a "), "a");
	assert_string_equal(text_trim(arena, " \xff "), "\xff");
}

static void
cut_text_ends_with_dots(void **state)
{
	(void)state;
	assert_string_equal(text_cut(arena, "一键送水", 4), "一键送水");
	assert_string_equal(text_cut(arena, "一键送水", 9), "一键送水");
	assert_string_equal(text_cut(arena, "一键送水", 3), "一键…");
	assert_string_equal(text_cut(arena, "a💧bc", 3), "a💧…");
	assert_string_equal(text_cut(arena, "ab", 1), "…");
	assert_string_equal(text_cut(arena, "ab", 0), "");
	assert_string_equal(text_cut(arena, "", 0), "");
}

static void
phone_numbers_are_found(void **state)
{
	static const char *const	 rows[] = { "13812341234",
	    " 138 1234 1234 ", "138-1234-1234", "+8613812341234",
	    "+86 138 1234 1234", "8613812341234", "86-138-1234-1234",
	    "１３８１２３４１２３４", "＋８６ １３８１２３４１２３４",
	    "138\u300012341234", "138\u201312341234", "138－1234－1234",
	    "\u00a013812341234" };
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		if (text_phone(arena, rows[i]) == NULL)
			fail_msg("'%s' is one", rows[i]);
		assert_string_equal(text_phone(arena, rows[i]),
		    "13812341234");
	}
	assert_string_equal(text_phone(arena, "19999999999"), "19999999999");
	/* The country is dropped once, and only before eleven digits. */
	assert_null(text_phone(arena, "86138123412"));
}

static void
what_is_no_phone_number_is_refused(void **state)
{
	static const char *const	 rows[] = { "", " ", "+", "12812341234",
	    "23812341234", "1381234123", "138123412345", "+1 3812341234",
	    "+13812341234", "868613812341234", "+868613812341234",
	    "138+12341234", "1381234123x", "０８５１３３２２１２３４",
	    "0851-33221234", "138.1234.1234", "+86", "13812341234\xff",
	    "++8613812341234", "138123412341381234123413812341234",
	    "8513812341234" };
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (text_phone(arena, rows[i]) != NULL)
			fail_msg("'%s' was taken", rows[i]);
}

static void
masked_phones_hide_the_middle(void **state)
{
	(void)state;
	assert_string_equal(text_mask_phone(arena, "13812341234"),
	    "138****1234");
	assert_string_equal(text_mask_phone(arena, "085133221234"),
	    "085****1234");
	assert_string_equal(text_mask_phone(arena, "123456"), "****");
	assert_string_equal(text_mask_phone(arena, ""), "****");
	/* Four places at least stay hidden. */
	assert_string_equal(text_mask_phone(arena, "1234567"), "123****");
	assert_string_equal(text_mask_phone(arena, "12345678"), "123****8");
}

static void
gbk_becomes_utf8(void **state)
{
	(void)state;
	assert_string_equal(text_from_gbk(arena, "", 0), "");
	assert_string_equal(text_from_gbk(arena, "abc", 3), "abc");
	assert_string_equal(text_from_gbk(arena, "\xd1\xa7\xd4\xb7", 4),
	    "学苑");
	/* Looks like UTF-8 by chance. */
	assert_string_equal(text_from_gbk(arena, "\xc1\xaa\xcd\xa8", 4),
	    "联通");
	/* Four bytes: a rare character of a person's name. */
	assert_string_equal(text_from_gbk(arena, "\x95\x32\x82\x36", 4),
	    "𠀀");
}

static void
what_is_no_gbk_is_refused(void **state)
{
	static const struct bytes	 rows[] = { LIT("\x80"), LIT("\xff"),
	    LIT("\xd1"), LIT("\xd1\x20"), LIT("\x95\x32\x82"),
	    LIT("a\0b"), LIT("学\xff") };
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (text_from_gbk(arena, rows[i].s, rows[i].n) != NULL)
			fail_msg("row %zu was taken", i);
}

static const char *
unescape(const char *s)
{
	return text_unescape(arena, s, strlen(s));
}

static void
queries_are_unescaped(void **state)
{
	(void)state;
	assert_string_equal(unescape(""), "");
	assert_string_equal(unescape("a+b%20c"), "a b c");
	assert_string_equal(unescape("%E6%b0%B4%2B"), "水+");
	assert_string_equal(text_unescape(arena, "a%41b", 4), "aA");
	assert_null(unescape("%"));
	assert_null(unescape("a%4"));
	assert_null(unescape("%4g"));
	assert_null(unescape("%g4"));
	assert_null(unescape("%%41"));
	assert_null(unescape("a%00b"));
	assert_null(text_unescape(arena, "a\0b", 3));
	assert_null(text_unescape(arena, "a%41b", 3));
}

static void
names_and_numbers_are_masked(void **state)
{
	static const char *const pairs[][2] = {
		{ "王伟", "王*" }, { "李小龙", "李**" },
		{ "欧阳修文", "欧阳**" }, { "欧阳", "欧*" },
		{ "欧阳修", "欧阳*" }, { "阿依古丽·买买提", "阿****" },
		{ "王", "*" }, { "", "*" }, { "John", "J***" },
		{ "司马", "司*" }, { "马司令", "马**" }, { "𠮷田一", "𠮷**" }
	};
	struct arena	*a = arena_new(1 << 20);
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_equal(text_mask_name(a, pairs[i][0]),
		    pairs[i][1]);
	assert_string_equal(text_mask_id(a, "520499190013010001"),
	    "520499********0001");
	assert_string_equal(text_mask_id(a, "E12345678"), "E****8");
	assert_string_equal(text_mask_id(a, "123"), "****");
	assert_string_equal(text_mask_id(a, ""), "****");
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(well_formed_is_valid),
		cmocka_unit_test(malformed_is_not),
		cmocka_unit_test(each_code_point_is_valid_and_no_surrogate),
		cmocka_unit_test(length_counts_code_points),
		cmocka_unit_test(clean_text_is_what_people_type),
		cmocka_unit_test(what_hides_or_misleads_is_unclean),
		cmocka_unit_test(trimmed_text_has_no_blanks_around),
		cmocka_unit_test(cut_text_ends_with_dots),
		cmocka_unit_test(phone_numbers_are_found),
		cmocka_unit_test(what_is_no_phone_number_is_refused),
		cmocka_unit_test(masked_phones_hide_the_middle),
		cmocka_unit_test(gbk_becomes_utf8),
		cmocka_unit_test(what_is_no_gbk_is_refused),
		cmocka_unit_test(queries_are_unescaped),
		cmocka_unit_test(names_and_numbers_are_masked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
