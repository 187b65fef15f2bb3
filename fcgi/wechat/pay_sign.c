/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_sign.c -- what is signed and what is proved (doc/v3/merchant
 * 4012365336, 4012365342, 4012154180), and the two ciphers.
 *
 * Proof is over the bytes that came, before anything of them is read.
 * libcrypto's error queue is emptied where something may fail, for it is
 * shared with libcurl's connections of this thread.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"

#include "wechat/pay_internal.h"

#define SIGNATURE_MAX	1024	/* bytes; of the longest keys */
#define TAG_BYTES	16
#define PROBE		"WECHATPAY/SIGNTEST/"

const char *
pay_sign_base64(struct arena *a, const unsigned char *s, size_t n)
{
	char	*out = arena_take(a, (n + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)out, s, (int)n);
	return out;
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

unsigned char *
pay_sign_bytes(struct arena *a, const char *s, size_t *ret_n)
{
	size_t		 n = strlen(s), i, len = 0;
	unsigned char	*out;
	uint32_t	 bits = 0;
	int		 v, pad;

	pad = n > 0 && s[n - 1] == '=' ? 1 + (n > 1 && s[n - 2] == '=') : 0;
	if (n % 4 != 0)
		return NULL;
	out = arena_take(a, n / 4 * 3 + 1);
	for (i = 0; i < n; i++) {
		v = i < n - (size_t)pad ? value_of(s[i]) : 0;
		if (v == -1)
			return NULL;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 != 3)
			continue;
		out[len++] = (unsigned char)(bits >> 16);
		out[len++] = (unsigned char)(bits >> 8);
		out[len++] = (unsigned char)bits;
	}
	*ret_n = len - (size_t)pad;
	return out;
}

const char *
pay_sign_make(struct arena *a, EVP_PKEY *key, const char *s, size_t n)
{
	unsigned char	 raw[SIGNATURE_MAX];
	size_t		 len = sizeof(raw);
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	bool		 good;

	/* PKCS #1 v1.5 is what a key of RSA does unless told otherwise. */
	good = ctx != NULL && (size_t)EVP_PKEY_get_size(key) <= len &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, raw, &len, (const unsigned char *)s, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good ? pay_sign_base64(a, raw, len) : NULL;
}

bool
pay_sign_good(EVP_PKEY *key, const char *s, size_t n, const char *text)
{
	struct arena	*a = arena_new(1 << 16);
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	unsigned char	*raw = NULL;
	size_t		 len = 0;
	bool		 good;

	if (strlen(text) <= 2 * SIGNATURE_MAX)
		raw = pay_sign_bytes(a, text, &len);
	good = raw != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, raw, len, (const unsigned char *)s, n)
	    == 1;
	EVP_MD_CTX_free(ctx);
	arena_free(a);
	ERR_clear_error();
	return good;
}

const char *
pay_sign_lines(struct arena *a, const char *method, const char *url,
    const char *stamp, const char *nonce, const char *body)
{
	return arena_fmt(a, "%s\n%s\n%s\n%s\n%s\n", method, url, stamp,
	    nonce, body != NULL ? body : "");
}

const char *
pay_sign_header(struct arena *a, EVP_PKEY *key, const char *mchid,
    const char *serial, const char *method, const char *url,
    const char *stamp, const char *nonce, const char *body)
{
	const char	*lines = pay_sign_lines(a, method, url, stamp, nonce,
			    body);
	const char	*sign = pay_sign_make(a, key, lines, strlen(lines));

	if (sign == NULL)
		return NULL;
	return arena_fmt(a, "WECHATPAY2-SHA256-RSA2048 mchid=\"%s\","
	    "nonce_str=\"%s\",signature=\"%s\",timestamp=\"%s\","
	    "serial_no=\"%s\"", mchid, nonce, sign, stamp, serial);
}

const char *
pay_sign_client(struct arena *a, EVP_PKEY *key, const char *appid,
    const char *stamp, const char *nonce, const char *package)
{
	const char	*lines = arena_fmt(a, "%s\n%s\n%s\n%s\n", appid, stamp,
			    nonce, package);

	return pay_sign_make(a, key, lines, strlen(lines));
}

void
pay_sign_nonce(char out[PAY_NONCE_MAX])
{
	static const char	digits[] = "0123456789ABCDEF";
	unsigned char		raw[(PAY_NONCE_MAX - 1) / 2];
	size_t			i;

	crypt_random(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * i] = '\0';
}

/* Seconds in decimal; -1 when they are none. */
static int64_t
seconds(const char *s)
{
	int64_t	v = 0;
	size_t	i;

	for (i = 0; s[i] >= '0' && s[i] <= '9' && i < 12; i++)
		v = v * 10 + (s[i] - '0');
	return i > 0 && s[i] == '\0' ? v : -1;
}

const char *
pay_sign_proved(const struct pay_proof *p, const char *body, size_t len,
    int64_t now)
{
	int64_t		 at;
	EVP_PKEY	*key;
	struct buf	 b;
	bool		 good;

	if (p == NULL || p->timestamp == NULL || p->nonce == NULL ||
	    p->signature == NULL || p->serial == NULL)
		return "absent";
	if (strncmp(p->signature, PROBE, sizeof(PROBE) - 1) == 0)
		return "probe";
	at = seconds(p->timestamp);
	now /= CLOCK_SECOND;
	if (at < 0 || now - at >= PAY_STALE_S || at - now >= PAY_STALE_S)
		return "clock";
	if ((key = pay_key_theirs(p->serial, now * CLOCK_SECOND)) == NULL)
		return "serial";
	buf_init(&b, len + 1024);
	buf_puts(&b, p->timestamp);
	BUF_LIT(&b, "\n");
	buf_puts(&b, p->nonce);
	BUF_LIT(&b, "\n");
	buf_putn(&b, body, len);
	BUF_LIT(&b, "\n");
	good = !b.over && pay_sign_good(key, b.data, b.len, p->signature);
	buf_free(&b);
	return good ? NULL : "signature";
}

/* The work of pay_sign_open on bytes; the last TAG_BYTES are the tag. */
static bool
open_gcm(const unsigned char *key, size_t key_len, const char *nonce,
    const char *aad, unsigned char *s, size_t n, char *out)
{
	const EVP_CIPHER	*cipher = key_len == 32 ? EVP_aes_256_gcm() :
				    EVP_aes_128_gcm();
	EVP_CIPHER_CTX		*ctx = EVP_CIPHER_CTX_new();
	int			 got = 0, end = 0, size = (int)n - TAG_BYTES;
	bool			 good;

	good = ctx != NULL &&
	    EVP_DecryptInit_ex(ctx, cipher, NULL, NULL, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN,
	    (int)strlen(nonce), NULL) == 1 &&
	    EVP_DecryptInit_ex(ctx, NULL, NULL, key,
	    (const unsigned char *)nonce) == 1 &&
	    (aad[0] == '\0' || EVP_DecryptUpdate(ctx, NULL, &got,
	    (const unsigned char *)aad, (int)strlen(aad)) == 1) &&
	    EVP_DecryptUpdate(ctx, (unsigned char *)out, &got, s, size)
	    == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
	    s + size) == 1 &&
	    EVP_DecryptFinal_ex(ctx, (unsigned char *)out + got, &end) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

char *
pay_sign_open(struct arena *a, const unsigned char *key, size_t key_len,
    const char *nonce, const char *aad, const char *sealed, size_t *ret_len)
{
	unsigned char	*raw;
	size_t		 n, iv = strlen(nonce);
	char		*out;

	if ((key_len != 32 && key_len != 16) || iv == 0 || iv > 16 ||
	    (raw = pay_sign_bytes(a, sealed, &n)) == NULL ||
	    n < TAG_BYTES || n > 16 << 20)
		return NULL;
	out = arena_take(a, n - TAG_BYTES + 1);
	if (!open_gcm(key, key_len, nonce, aad != NULL ? aad : "", raw, n,
	    out)) {
		memset(out, 0, n - TAG_BYTES);
		return NULL;
	}
	*ret_len = n - TAG_BYTES;
	return out;
}

static bool
use_oaep(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
	    && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha1()) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha1()) == 1;
}

const char *
pay_sign_hide(struct arena *a, EVP_PKEY *key, const char *text)
{
	unsigned char	 raw[SIGNATURE_MAX];
	size_t		 n = sizeof(raw);
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new(key, NULL);
	bool		 good;

	good = ctx != NULL && (size_t)EVP_PKEY_get_size(key) <= n &&
	    EVP_PKEY_encrypt_init(ctx) == 1 && use_oaep(ctx) &&
	    EVP_PKEY_encrypt(ctx, raw, &n, (const unsigned char *)text,
	    strlen(text)) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return good ? pay_sign_base64(a, raw, n) : NULL;
}

const char *
pay_sign_show(struct arena *a, EVP_PKEY *key, const char *text)
{
	EVP_PKEY_CTX	*ctx;
	unsigned char	*raw, *out;
	size_t		 n, size = SIGNATURE_MAX;
	bool		 good;

	if ((raw = pay_sign_bytes(a, text, &n)) == NULL ||
	    (ctx = EVP_PKEY_CTX_new(key, NULL)) == NULL)
		return NULL;
	out = arena_take(a, size + 1);
	good = (size_t)EVP_PKEY_get_size(key) <= size &&
	    EVP_PKEY_decrypt_init(ctx) == 1 && use_oaep(ctx) &&
	    EVP_PKEY_decrypt(ctx, out, &size, raw, n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (!good)
		return NULL;
	out[size] = '\0';
	return (const char *)out;
}
