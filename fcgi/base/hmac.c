/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac.c -- a keyed digest by libcrypto.
 *
 * Apart, because libcrypto has an ERR_STATE of its own.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hmac.h"

bool
hmac_sha1(const unsigned char *key, size_t n, const void *message,
    size_t len, unsigned char out[HMAC_SHA1_BYTES])
{
	unsigned	got = 0;

	return HMAC(EVP_sha1(), key, (int)n, message, len, out, &got) !=
	    NULL && got == HMAC_SHA1_BYTES;
}
