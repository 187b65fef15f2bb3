/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_idcard.c -- citizen numbers: what is refused, and for which reason.
 */
#include "unit.h"

#include <string.h>

#include "base/idcard.h"

#define TODAY	20261123

static enum idcard_fault
read_it(const char *s, struct idcard *ret)
{
	return idcard_read(s, TODAY, ret);
}

static void
a_sound_number_says_who_it_is(void **state)
{
	struct idcard	 c;

	(void)state;
	assert_int_equal(read_it("11010519491231002X", &c), IDCARD_GOOD);
	assert_string_equal(c.number, "11010519491231002X");
	assert_int_equal(c.born, 19491231);
	assert_true(c.female);
	assert_true(c.area_known);
	assert_false(c.permit);
	assert_int_equal(read_it("110105194912310038", &c), IDCARD_GOOD);
	assert_false(c.female);
}

static void
as_people_type_it(void **state)
{
	static const char *const forms[] = { "11010519491231002x",
	    " 11010519491231002X ", "110105 19491231 002x",
	    "１１０１０５１９４９１２３１００２Ｘ",
	    "１１０１０５１９４９１２３１００２ｘ", "110105-19491231-002X",
	    "110105194912310\u300002X" };
	struct idcard	 c;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(read_it(forms[i], &c), IDCARD_GOOD);
		assert_string_equal(c.number, "11010519491231002X");
	}
}

static void
each_fault_by_its_name(void **state)
{
	static const struct {
		const char		*number;
		enum idcard_fault	 fault;
	} bad[] = {
		{ "", IDCARD_LENGTH },
		{ "520403", IDCARD_LENGTH },
		{ "11010519491231002", IDCARD_LENGTH },
		{ "11010519491231002X1", IDCARD_LENGTH },
		{ "1101054912310021", IDCARD_LENGTH },
		{ "110105491231002", IDCARD_OLD },
		{ "1101051949123100X2", IDCARD_DIGITS },
		{ "A1010519491231002X", IDCARD_DIGITS },
		{ "11010519491231002Y", IDCARD_DIGITS },
		{ "1101051949123100２\xc3\xa4", IDCARD_DIGITS },
		{ "\xff""1010519491231002X", IDCARD_DIGITS },
		{ "110105194912310021", IDCARD_CHECK },
		{ "110105194921310021", IDCARD_DATE },
		{ "520499190013010001", IDCARD_DATE },	/* month 13 */
		{ "520499202602309998", IDCARD_DATE },	/* 30 February */
	};
	struct idcard	 c;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_it(bad[i].number, &c) != bad[i].fault)
			fail_msg("%s gives %s", bad[i].number,
			    idcard_code(read_it(bad[i].number, &c)));
}

/* `digits` with their check digit, found by asking. */
static const char *
with_check(const char *digits, char out[19])
{
	static const char	 ends[] = "0123456789X";
	struct idcard		 c;
	int			 i;

	memcpy(out, digits, 17);
	out[18] = '\0';
	for (i = 0; i < 11; i++) {
		out[17] = ends[i];
		if (read_it(out, &c) != IDCARD_CHECK)
			return out;
	}
	return "";
}

static void
days_serials_and_areas(void **state)
{
	static const struct {
		const char		*digits;
		enum idcard_fault	 fault;
	} some[] = {
		{ "52040220000229001", IDCARD_GOOD },
		{ "52040219000229001", IDCARD_DATE },
		{ "52040220260230001", IDCARD_DATE },
		{ "52040220001301001", IDCARD_DATE },
		{ "52040220000001001", IDCARD_DATE },
		{ "52040220000100001", IDCARD_DATE },
		{ "52040220000431001", IDCARD_DATE },
		{ "52040217991231001", IDCARD_DATE },
		{ "52040220261123001", IDCARD_GOOD },
		{ "52040220261124001", IDCARD_FUTURE },
		{ "52040220270101001", IDCARD_FUTURE },
		{ "52040218961123001", IDCARD_GOOD },
		{ "52040218951124001", IDCARD_GOOD },
		{ "52040218951123001", IDCARD_AGE },
		{ "52040220000101000", IDCARD_SERIAL },
		{ "52049920000101000", IDCARD_SERIAL },
	};
	struct idcard	 c;
	char		 number[19];
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_int_equal(read_it(with_check(some[i].digits, number),
		    &c), some[i].fault);
	assert_int_equal(read_it(with_check("52049920000101001", number),
	    &c), IDCARD_GOOD);
	assert_false(c.area_known);
	assert_int_equal(read_it(with_check("52250119480312002", number),
	    &c), IDCARD_GOOD);
	assert_true(c.area_known);
	assert_int_equal(read_it(with_check("83000020000101001", number),
	    &c), IDCARD_GOOD);
	assert_true(c.permit && c.area_known);
	assert_int_equal(read_it(with_check("84000020000101001", number),
	    &c), IDCARD_GOOD);
	assert_false(c.permit || c.area_known);
	assert_int_equal(read_it(with_check("00000020000101001", number),
	    &c), IDCARD_GOOD);
	assert_false(c.area_known);
}

static void
every_fault_has_words(void **state)
{
	int	 i, k;

	(void)state;
	for (i = IDCARD_OLD; i <= IDCARD_SERIAL; i++) {
		assert_true(
		    strlen(idcard_detail((enum idcard_fault)i)) > 30);
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    idcard_code((enum idcard_fault)i),
			    idcard_code((enum idcard_fault)k));
	}
}

static void
ages(void **state)
{
	(void)state;
	assert_int_equal(idcard_age(19461123, TODAY), 80);
	assert_int_equal(idcard_age(19461124, TODAY), 79);
	assert_int_equal(idcard_age(20261123, TODAY), 0);
	assert_true(idcard_day(20240229));
	assert_false(idcard_day(20230229));
	assert_false(idcard_day(0));
	assert_false(idcard_day(-20230201));
	assert_false(idcard_day(INT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_sound_number_says_who_it_is),
		cmocka_unit_test(as_people_type_it),
		cmocka_unit_test(each_fault_by_its_name),
		cmocka_unit_test(days_serials_and_areas),
		cmocka_unit_test(every_fault_has_words),
		cmocka_unit_test(ages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
