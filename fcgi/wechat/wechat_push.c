/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_push.c -- proof and seal of what the platform pushes.
 *
 * Sealed is AES-256-CBC over 16 random bytes, a length of 4 bytes, the
 * text and the appid, padded to whole 32 bytes.  A library pads to 16, so
 * padding is done by hand.  The proof comes first: who cannot make it
 * learns nothing from how a padding was wrong.
 */
#include <string.h>

#include "base/arena.h"
#include "base/crypt.h"

#include "wechat/pay_internal.h"
#include "wechat/wechat_push.h"

#define BLOCK		32
#define KEY_BYTES	32
#define HEAD		(WECHAT_PUSH_RANDOM + 4)
#define SHA1_BYTES	20

const char *
wechat_push_sign(struct arena *a, const char *token, const char *stamp,
    const char *nonce, const char *sealed)
{
	const char	*s[4] = { token, stamp, nonce, sealed }, *one, *all;
	size_t		 n = sealed != NULL ? 4 : 3, i, j;
	unsigned char	 raw[SHA1_BYTES];
	char		*hex = arena_take(a, 2 * SHA1_BYTES + 1);

	for (i = 1; i < n; i++)
		for (j = i; j > 0 && strcmp(s[j - 1], s[j]) > 0; j--) {
			one = s[j];
			s[j] = s[j - 1];
			s[j - 1] = one;
		}
	all = arena_fmt(a, "%s%s%s%s", s[0], s[1], s[2],
	    n == 4 ? s[3] : "");
	if (EVP_Digest(all, strlen(all), raw, NULL, EVP_sha1(), NULL) != 1)
		return NULL;
	for (i = 0; i < sizeof(raw); i++) {
		hex[2 * i] = "0123456789abcdef"[raw[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
	}
	return hex;
}

bool
wechat_push_proved(struct arena *a, const char *token, const char *stamp,
    const char *nonce, const char *sealed, const char *signature)
{
	const char	*good;

	if (token == NULL || token[0] == '\0' || stamp == NULL ||
	    nonce == NULL || signature == NULL)
		return false;
	good = wechat_push_sign(a, token, stamp, nonce, sealed);
	return good != NULL && crypt_equal(good, signature);
}

/* The bytes of an EncodingAESKey, or NULL. */
static const unsigned char *
key_of(struct arena *a, const char *key)
{
	unsigned char	*raw;
	size_t		 n;

	if (strlen(key) != WECHAT_PUSH_KEY_LEN)
		return NULL;
	raw = pay_sign_bytes(a, arena_fmt(a, "%s=", key), &n);
	return raw != NULL && n == KEY_BYTES ? raw : NULL;
}

bool
wechat_push_key_sound(const char *key)
{
	struct arena	*a = arena_new(4096);
	bool		 good = key_of(a, key) != NULL;

	arena_free(a);
	return good;
}

/* AES-256-CBC without padding; the first half of the key is its start. */
static bool
cipher(const unsigned char *key, int seal, unsigned char *out,
    const unsigned char *in, size_t n)
{
	EVP_CIPHER_CTX	*ctx = EVP_CIPHER_CTX_new();
	int		 got = 0, end = 0;
	bool		 good;

	good = ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL,
	    key, key, seal) == 1 && EVP_CIPHER_CTX_set_padding(ctx, 0) == 1
	    && EVP_CipherUpdate(ctx, out, &got, in, (int)n) == 1 &&
	    EVP_CipherFinal_ex(ctx, out + got, &end) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good && (size_t)(got + end) == n;
}

char *
wechat_push_open(struct arena *a, const char *key, const char *appid,
    const char *sealed, size_t *ret_len)
{
	const unsigned char	*k = key_of(a, key);
	unsigned char		*raw, *s;
	size_t			 n, len, pad, i, id = strlen(appid);

	if (k == NULL || strlen(sealed) > 4 << 20 ||
	    (raw = pay_sign_bytes(a, sealed, &n)) == NULL || n == 0 ||
	    n % 16 != 0)
		return NULL;
	s = arena_take(a, n);
	if (!cipher(k, 0, s, raw, n))
		return NULL;
	pad = s[n - 1];
	if (pad < 1 || pad > BLOCK || pad > n)
		return NULL;
	for (i = 1; i < pad; i++)
		if (s[n - 1 - i] != pad)
			return NULL;
	n -= pad;
	if (n < HEAD)
		return NULL;
	len = (size_t)s[HEAD - 4] << 24 | (size_t)s[HEAD - 3] << 16 |
	    (size_t)s[HEAD - 2] << 8 | s[HEAD - 1];
	if (len > n - HEAD || n - HEAD - len != id ||
	    memcmp(s + HEAD + len, appid, id) != 0)
		return NULL;
	*ret_len = len;
	return arena_copy(a, (char *)s + HEAD, len);
}

const char *
wechat_push_seal(struct arena *a, const char *key, const char *appid,
    const void *random, const char *text)
{
	const unsigned char	*k = key_of(a, key);
	size_t			 len = strlen(text), id = strlen(appid),
				 n = HEAD + len + id, pad = BLOCK - n % BLOCK;
	unsigned char		*s = arena_take(a, n + pad), *out;

	if (k == NULL)
		return NULL;
	memcpy(s, random, WECHAT_PUSH_RANDOM);
	s[HEAD - 4] = (unsigned char)(len >> 24);
	s[HEAD - 3] = (unsigned char)(len >> 16);
	s[HEAD - 2] = (unsigned char)(len >> 8);
	s[HEAD - 1] = (unsigned char)len;
	memcpy(s + HEAD, text, len);
	memcpy(s + HEAD + len, appid, id);
	memset(s + n, (int)pad, pad);
	out = arena_take(a, n + pad);
	return cipher(k, 1, out, s, n + pad) ?
	    pay_sign_base64(a, out, n + pad) : NULL;
}
