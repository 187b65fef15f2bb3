/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hmac.h -- a keyed digest that others prescribe (RFC 2104 with SHA-1).
 */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include <stdbool.h>
#include <stddef.h>

#define HMAC_SHA1_BYTES 20

/* False when libcrypto refuses. */
bool hmac_sha1(const unsigned char *key, size_t n, const void *message,
    size_t len, unsigned char out[HMAC_SHA1_BYTES]);

#endif
