/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vectors.c -- the vectors of the reference that no code of ours has a
 * use for: the product drops the session_key as it comes.
 *
 * Made with libcrypto alone, so that the ways and the vectors are known to
 * be good; and a list of who proves which kind, so that none is forgotten.
 * Skipped without the reference.
 */
#include <jansson.h>

#include "unit.h"

#include "base/arena.h"
#include "wechat/pay_internal.h"

#define VECTORS	TEST_SHARED_DIR "/reference/wechat-vectors.json"

static struct arena	*a;
static json_t		*vectors;

static const char *
member(const json_t *o, const char *name)
{
	const char	*s = json_string_value(json_object_get(o, name));

	assert_non_null(s);
	return s;
}

/* The vector of this id, or the test is skipped. */
static const json_t *
vector(const char *id)
{
	const json_t	*list = json_object_get(vectors, "vectors");
	size_t		 i;

	if (vectors == NULL)
		skip();
	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(member(json_array_get(list, i), "id"), id) == 0)
			return json_array_get(list, i);
	fail_msg("no vector %s", id);
	return NULL;
}

static const unsigned char *
bytes(const char *text, size_t *n)
{
	const unsigned char	*raw = pay_sign_bytes(a, text, n);

	assert_non_null(raw);
	return raw;
}

/* What libcrypto makes of a user's data; NULL when the key is another. */
static const char *
user_data(const json_t *v, const unsigned char *key)
{
	size_t			 n, len;
	const unsigned char	*iv = bytes(member(v, "iv"), &len);
	const unsigned char	*in = bytes(member(v, "encryptedData"), &n);
	unsigned char		*out = arena_take(a, n + 16);
	EVP_CIPHER_CTX		*ctx = EVP_CIPHER_CTX_new();
	int			 got = 0, end = 0;
	bool			 good;

	assert_int_equal(len, 16);
	good = EVP_DecryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, iv) == 1
	    && EVP_DecryptUpdate(ctx, out, &got, in, (int)n) == 1 &&
	    EVP_DecryptFinal_ex(ctx, out + got, &end) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return good ? arena_copy(a, (char *)out, (size_t)(got + end)) : NULL;
}

static void
test_user_data(void **state)
{
	static const char *const ids[] = { "userinfo-official",
		"phone-number-legacy-generated" };
	unsigned char	 key[16];
	const char	*s;
	size_t		 i, n;

	(void)state;
	for (i = 0; i < nitems(ids); i++) {
		const json_t *v = vector(ids[i]);

		memcpy(key, bytes(member(v, "session_key"), &n), 16);
		assert_int_equal(n, 16);
		assert_string_equal(user_data(v, key), member(v,
		    "plaintext"));
		assert_non_null(strstr(member(v, "plaintext"),
		    member(v, "appid")));
		key[15] ^= 1;
		s = user_data(v, key);
		assert_true(s == NULL ||
		    strcmp(s, member(v, "plaintext")) != 0);
	}
}

static const char *
hex(const unsigned char *raw, unsigned n)
{
	char		*out = arena_take(a, 2 * (size_t)n + 1);
	unsigned	 i;

	for (i = 0; i < n; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", raw[i]);
	return out;
}

static void
test_raw_data(void **state)
{
	const json_t	*v = vector("rawdata-signature-official");
	const char	*s = arena_fmt(a, "%s%s", member(v, "rawData"),
			    member(v, "session_key"));
	unsigned char	 raw[EVP_MAX_MD_SIZE];
	unsigned	 n;

	(void)state;
	assert_int_equal(EVP_Digest(s, strlen(s), raw, &n, EVP_sha1(), NULL),
	    1);
	assert_string_equal(hex(raw, n), member(v, "signature"));
	assert_int_equal(EVP_Digest(s, strlen(s) - 1, raw, &n, EVP_sha1(),
	    NULL), 1);
	assert_string_not_equal(hex(raw, n), member(v, "signature"));
}

/* HMAC-SHA256 in hex. */
static const char *
mac(const void *key, size_t len, const char *data)
{
	unsigned char	 raw[EVP_MAX_MD_SIZE];
	size_t		 n;

	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key,
	    len, (const unsigned char *)data, strlen(data), raw, sizeof(raw),
	    &n));
	return hex(raw, (unsigned)n);
}

/* The key is the text in base64, not what it stands for. */
static void
test_session_hmac(void **state)
{
	static const char *const ids[] = { "session-hmac-published",
		"checksession-empty-string-generated" };
	const unsigned char	*key;
	size_t			 i, n;

	(void)state;
	for (i = 0; i < nitems(ids); i++) {
		const json_t *v = vector(ids[i]);
		const char *text = member(v, "session_key");
		const char *data = member(v, "data");

		assert_string_equal(mac(text, strlen(text), data),
		    member(v, "signature"));
		key = bytes(text, &n);
		assert_string_not_equal(mac(key, n, data),
		    member(v, "signature"));
	}
}

/* A kind that is new in the reference needs a test. */
static void
test_kinds(void **state)
{
	static const char *const known[] = {
		/* test_pay_sign.c */
		"request_signature", "pay_sign", "app_sign",
		"response_signature", "notification", "notification_must_fail",
		"aead_aes_256_gcm", "certificates_response",
		"rsa_sha256_signature", "rsa_oaep_sha1", "security_echo",
		/* test_wechat_push.c */
		"push_signature", "push_encrypted", "push_encrypted_reply",
		/* test_statement.c */
		"trade_bill", "bill_escape",
		/* here */
		"userdata_aes_128_cbc", "rawdata_sha1",
		"session_hmac_sha256" };
	json_t	*v;
	size_t	 i, k;

	(void)state;
	if (vectors == NULL)
		skip();
	json_array_foreach(json_object_get(vectors, "vectors"), i, v) {
		for (k = 0; k < nitems(known); k++)
			if (strcmp(member(v, "kind"), known[k]) == 0)
				break;
		if (k == nitems(known))
			fail_msg("no test of %s", member(v, "kind"));
	}
	assert_int_equal(i, 39);
}

static int
begin(void **state)
{
	(void)state;
	a = arena_new(1 << 20);
	vectors = json_load_file(VECTORS, 0, NULL);
	return 0;
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
		cmocka_unit_test(test_user_data),
		cmocka_unit_test(test_raw_data),
		cmocka_unit_test(test_session_hmac),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
