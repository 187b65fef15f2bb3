/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_totp.c -- the vectors of RFC 4226 and RFC 6238, and the window.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/hmac.h"
#include "base/totp.h"

/* "12345678901234567890" in base32. */
#define SECRET	"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static const unsigned char key[] = "12345678901234567890";

static void
hmac_as_in_rfc_2202(void **state)
{
	static const unsigned char want[HMAC_SHA1_BYTES] = {
		0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
		0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79 };
	unsigned char	out[HMAC_SHA1_BYTES];

	(void)state;
	assert_true(hmac_sha1((const unsigned char *)"Jefe", 4,
	    "what do ya want for nothing?", 28, out));
	assert_memory_equal(out, want, sizeof(want));
}

static void
counters_as_in_rfc_4226(void **state)
{
	static const char *const want[] = { "755224", "287082", "359152",
		"969429", "338314", "254676", "287922", "162583", "399871",
		"520489" };
	char	out[9];

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_true(totp_code(key, 20, i, 6, out));
		assert_string_equal(out, want[i]);
	}
}

static void
times_as_in_rfc_6238(void **state)
{
	static const struct {
		int64_t		 seconds;
		const char	*code;
	} rows[] = {
		{ 59, "94287082" }, { 1111111109, "07081804" },
		{ 1111111111, "14050471" }, { 1234567890, "89005924" },
		{ 2000000000, "69279037" }, { 20000000000, "65353130" },
	};
	char	out[9];

	(void)state;
	for (size_t i = 0; i < nitems(rows); i++) {
		assert_true(totp_code(key, 20, rows[i].seconds / 30, 8,
		    out));
		assert_string_equal(out, rows[i].code);
		/* The last six are those of six digits. */
		assert_int_equal(totp_fits(SECRET, rows[i].code + 2,
		    rows[i].seconds * CLOCK_SECOND, 0),
		    rows[i].seconds / 30);
	}
}

static void
one_step_to_either_side(void **state)
{
	int64_t	now = 1111111111LL * CLOCK_SECOND, step = 1111111111 / 30;
	char	code[9];

	(void)state;
	for (int i = -3; i <= 3; i++) {
		assert_true(totp_code(key, 20, step + i, 6, code));
		assert_int_equal(totp_fits(SECRET, code, now, 0),
		    i < -1 || i > 1 ? 0 : step + i);
	}
}

static void
a_step_that_was_used_is_over(void **state)
{
	int64_t	now = 1111111111LL * CLOCK_SECOND, step = 1111111111 / 30;
	char	code[9];

	(void)state;
	assert_true(totp_code(key, 20, step, 6, code));
	assert_int_equal(totp_fits(SECRET, code, now, step - 1), step);
	assert_int_equal(totp_fits(SECRET, code, now, step), 0);
	assert_int_equal(totp_fits(SECRET, code, now, step + 1), 0);
	assert_true(totp_code(key, 20, step + 1, 6, code));
	assert_int_equal(totp_fits(SECRET, code, now, step), step + 1);
}

static void
what_is_no_code_or_secret_fits_nothing(void **state)
{
	int64_t	now = 59 * CLOCK_SECOND;

	(void)state;
	assert_int_equal(totp_fits(SECRET, "287082", now, 0), 1);
	for (size_t i = 0; i < 5; i++) {
		static const char *const codes[] = { "", "28708", "2870820",
			" 287082", "287O82" };
		assert_int_equal(totp_fits(SECRET, codes[i], now, 0), 0);
	}
	assert_int_equal(totp_fits("", "287082", now, 0), 0);
	assert_int_equal(totp_fits("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
	    "287082", now, 0), 0);
	assert_int_equal(totp_fits("gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
	    "287082", now, 0), 0);
}

static void
secrets_differ_and_fit_themselves(void **state)
{
	char	a[TOTP_SECRET_MAX], b[TOTP_SECRET_MAX];

	(void)state;
	totp_secret(a);
	totp_secret(b);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 32);
	assert_string_not_equal(a, b);
}

static void
a_uri_names_issuer_and_account(void **state)
{
	struct arena	*a = arena_new(4096);

	(void)state;
	assert_string_equal(totp_uri(a, "01\xe6\x98\x9f", "li.s@x", SECRET),
	    "otpauth://totp/01%E6%98%9F:li.s%40x?secret=" SECRET
	    "&issuer=01%E6%98%9F&algorithm=SHA1&digits=6&period=30");
	arena_free(a);
}

int
main(void)
{
	static const struct CMUnitTest	tests[] = {
		cmocka_unit_test(hmac_as_in_rfc_2202),
		cmocka_unit_test(counters_as_in_rfc_4226),
		cmocka_unit_test(times_as_in_rfc_6238),
		cmocka_unit_test(one_step_to_either_side),
		cmocka_unit_test(a_step_that_was_used_is_over),
		cmocka_unit_test(what_is_no_code_or_secret_fits_nothing),
		cmocka_unit_test(secrets_differ_and_fit_themselves),
		cmocka_unit_test(a_uri_names_issuer_and_account),
	};

	if (!crypt_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
