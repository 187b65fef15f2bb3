/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wechat_push.c -- proof and seal of pushes, by what is made here and
 * by the vectors of the reference when it lies beside the sources.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "base/crypt.h"
#include "wechat/wechat_push.h"

#define VECTORS	TEST_SHARED_DIR "/reference/wechat-vectors.json"
#define KEY	"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
#define APPID	"wxb11529c136998cb6"

static struct arena	*a;
static json_t		*vectors;

static const char *
text(const json_t *v, const char *name)
{
	return json_string_value(json_object_get(v, name));
}

static void
test_seal(void **state)
{
	const char	*sealed, *open, *broken;
	char		 more[128];
	size_t		 i, n;

	(void)state;
	/* Paddings of 1 to 32 bytes. */
	for (i = 0; i < 64; i++) {
		memset(more, 'x', i);
		more[i] = '\0';
		sealed = wechat_push_seal(a, KEY, APPID, "0123456789abcdef",
		    more);
		assert_non_null(sealed);
		open = wechat_push_open(a, KEY, APPID, sealed, &n);
		assert_non_null(open);
		assert_string_equal(open, more);
		assert_int_equal(n, i);
	}
	assert_null(wechat_push_open(a, KEY, "wx00", sealed, &n));
	assert_null(wechat_push_open(a, KEY, APPID "0", sealed, &n));
	assert_null(wechat_push_open(a, "short", APPID, sealed, &n));
	assert_null(wechat_push_open(a, KEY, APPID, "", &n));
	assert_null(wechat_push_open(a, KEY, APPID, "AAAA", &n));
	assert_null(wechat_push_open(a, KEY, APPID, "?", &n));
	broken = arena_fmt(a, "B%s", sealed + 1);
	open = wechat_push_open(a, KEY, APPID, broken, &n);
	assert_true(open == NULL || strcmp(open, more) == 0);
	assert_null(wechat_push_seal(a, "short", APPID, "0123456789abcdef",
	    ""));
}

static void
test_proof(void **state)
{
	const char	*s = wechat_push_sign(a, "t", "1", "2", NULL);

	(void)state;
	assert_true(wechat_push_proved(a, "t", "1", "2", NULL, s));
	assert_true(wechat_push_proved(a, "t", "2", "1", NULL, s));
	assert_false(wechat_push_proved(a, "t", "1", "3", NULL, s));
	assert_false(wechat_push_proved(a, "t", "1", "2", "x", s));
	assert_false(wechat_push_proved(a, "t", "1", "2", NULL, NULL));
	assert_false(wechat_push_proved(a, "", "1", "2", NULL, s));
	assert_false(wechat_push_proved(a, "t", NULL, "2", NULL, s));
}

/* Signatures of one vector, as far as it has them. */
static void
check_signatures(const json_t *v)
{
	if (text(v, "signature") != NULL)
		assert_true(wechat_push_proved(a, text(v, "token"),
		    text(v, "timestamp"), text(v, "nonce"), NULL,
		    text(v, "signature")));
	if (text(v, "msg_signature") != NULL)
		assert_true(wechat_push_proved(a, text(v, "token"),
		    text(v, "timestamp"), text(v, "nonce"),
		    text(v, "encrypt"), text(v, "msg_signature")));
}

static void
test_vectors(void **state)
{
	const char	*s;
	json_t		*v;
	size_t		 i, n, seen = 0;

	(void)state;
	if (vectors == NULL)
		skip();
	json_array_foreach(json_object_get(vectors, "vectors"), i, v) {
		if (strncmp(text(v, "kind"), "push_", 5) != 0)
			continue;
		seen++;
		check_signatures(v);
		if (text(v, "encrypt") == NULL)
			continue;
		s = wechat_push_open(a, text(v, "encoding_aes_key"),
		    text(v, "appid"), text(v, "encrypt"), &n);
		assert_non_null(s);
		assert_string_equal(s, text(v, "plaintext"));
		assert_string_equal(wechat_push_seal(a,
		    text(v, "encoding_aes_key"), text(v, "appid"),
		    text(v, "random16"), s), text(v, "encrypt"));
	}
	assert_int_equal(seen, 7);
}

static int
begin(void **state)
{
	(void)state;
	a = arena_new(1 << 22);
	vectors = json_load_file(VECTORS, 0, NULL);
	return crypt_init() ? 0 : -1;
}

static int
finish(void **state)
{
	(void)state;
	json_decref(vectors);
	arena_free(a);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
