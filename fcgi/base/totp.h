/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp.h -- codes of an authenticator app (RFC 6238 over RFC 4226).
 *
 * HMAC-SHA1, 30 seconds, 6 digits: what every app can do.  A secret is 20
 * random bytes, kept and shown in base32.
 */
#ifndef BASE_TOTP_H
#define BASE_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTP_SECRET_MAX	33	/* 20 bytes in base32, and NUL */
#define TOTP_DIGITS	6
#define TOTP_SECONDS	30

struct arena;

/* A fresh secret. */
void totp_secret(char out[TOTP_SECRET_MAX]);

/*
 * The code of `digits` (6 to 8) for the step `counter`; `key` is raw.
 * False when the digest fails.
 */
bool totp_code(const unsigned char *key, size_t n, int64_t counter,
    int digits, char out[9]);

/*
 * The step (of 30 seconds) that `code` fits: that of `now` (ms) or one to
 * either side, and later than `after`.  0 when there is none.
 */
int64_t totp_fits(const char *secret, const char *code, int64_t now,
    int64_t after);

/* otpauth://totp/ISSUER:ACCOUNT?... for a QR code. */
char *totp_uri(struct arena *, const char *issuer, const char *account,
    const char *secret);

#endif
