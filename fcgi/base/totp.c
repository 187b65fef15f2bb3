/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp.c -- codes of an authenticator app.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/hmac.h"
#include "base/totp.h"

#define SECRET_BYTES	20
#define WINDOW		1

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void
totp_secret(char out[TOTP_SECRET_MAX])
{
	unsigned char	raw[SECRET_BYTES];
	size_t		i, bit;

	crypt_random(raw, sizeof(raw));
	for (i = 0; i + 1 < TOTP_SECRET_MAX; i++) {
		unsigned	v = 0;

		for (bit = i * 5; bit < i * 5 + 5; bit++)
			v = v << 1 | (raw[bit / 8] >> (7 - bit % 8) & 1u);
		out[i] = base32[v];
	}
	out[TOTP_SECRET_MAX - 1] = '\0';
	explicit_bzero(raw, sizeof(raw));
}

static bool
secret_read(const char *secret, unsigned char raw[SECRET_BYTES])
{
	const char	*at;
	size_t		 i, bit;

	if (strlen(secret) != TOTP_SECRET_MAX - 1)
		return false;
	memset(raw, 0, SECRET_BYTES);
	for (i = 0; i < TOTP_SECRET_MAX - 1; i++) {
		if ((at = strchr(base32, secret[i])) == NULL)
			return false;
		for (bit = 0; bit < 5; bit++)
			if ((at - base32) >> (4 - bit) & 1)
				raw[(i * 5 + bit) / 8] |= (unsigned char)
				    (0x80 >> (i * 5 + bit) % 8);
	}
	return true;
}

bool
totp_code(const unsigned char *key, size_t n, int64_t counter, int digits,
    char out[9])
{
	unsigned char	 mac[HMAC_SHA1_BYTES], message[8];
	unsigned	 at;
	uint32_t	 v, bound = 1;
	int		 i;

	for (i = 0; i < 8; i++)
		message[i] = (unsigned char)((uint64_t)counter >>
		    (56 - 8 * i));
	if (!hmac_sha1(key, n, message, sizeof(message), mac))
		return false;
	at = mac[19] & 0x0f;
	v = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
	    (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	for (i = 0; i < digits; i++)
		bound *= 10;
	snprintf(out, 9, "%0*u", digits, (unsigned)(v % bound));
	return true;
}

int64_t
totp_fits(const char *secret, const char *code, int64_t now, int64_t after)
{
	unsigned char	 raw[SECRET_BYTES];
	char		 want[9];
	int64_t		 step = now / CLOCK_SECOND / TOTP_SECONDS, found = 0;
	int		 i;

	if (strlen(code) != TOTP_DIGITS || !secret_read(secret, raw))
		return 0;
	for (i = -WINDOW; i <= WINDOW; i++)
		if (step + i > after && totp_code(raw, sizeof(raw),
		    step + i, TOTP_DIGITS, want) && crypt_equal(want, code))
			found = step + i;
	explicit_bzero(raw, sizeof(raw));
	return found;
}

/* Percent-encode what is not unreserved (RFC 3986). */
static char *
escape(struct arena *a, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	char		*out = arena_take(a, strlen(s) * 3 + 1), *p = out;

	for (; *s != '\0'; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL)
			*p++ = *s;
		else {
			*p++ = '%';
			*p++ = hex[(unsigned char)*s >> 4];
			*p++ = hex[(unsigned char)*s & 15];
		}
	*p = '\0';
	return out;
}

char *
totp_uri(struct arena *a, const char *issuer, const char *account,
    const char *secret)
{
	const char	*from = escape(a, issuer);

	return arena_fmt(a, "otpauth://totp/%s:%s?secret=%s&issuer=%s"
	    "&algorithm=SHA1&digits=%d&period=%d", from, escape(a, account),
	    secret, from, TOTP_DIGITS, TOTP_SECONDS);
}
