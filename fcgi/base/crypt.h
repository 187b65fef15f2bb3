/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt.h -- tokens, digests, passwords and sealed columns.
 *
 * Sealed text is  KEYID:base64(nonce || XChaCha20-Poly1305)  with the
 * column's name as associated data, so a value moved to another column
 * does not open.  The key file holds one line a key, "ID BASE64(32)"; the
 * last line seals, all open.  An index is a keyed BLAKE2b of the value, by
 * a key that a rotation does not change: else nothing would be found until
 * every index was made anew.  A program sees by itself that the file was
 * changed.
 */
#ifndef BASE_CRYPT_H
#define BASE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CRYPT_TOKEN_MAX	44	/* 256 bits in base64url, and NUL */
#define CRYPT_HEX_MAX	65	/* 256 bits in hex, and NUL */
#define CRYPT_KEY_MAX	17	/* a key's name: 16 characters and NUL */

struct arena;

/* Once per process, before threads.  False when there is no randomness. */
bool crypt_init(void);

/*
 * Load the key file; the reason of a failure goes to the log.  Refused
 * when others than the owner may read it, or a key is malformed.  Later
 * changes of the file are followed.
 */
bool crypt_load_keys(const char *path);

/* Write a key file with one new key, mode 0600; never over one there. */
bool crypt_new_keys(const char *path);

/*
 * Put a new key last into the file: from then on it seals, in every
 * program that has the file loaded, within a second.  The file is replaced
 * at once, owner and mode as they were.  False after logging why not.
 */
bool crypt_add_key(const char *path);

/*
 * Take a key out; not the one that seals.  What it sealed cannot be opened
 * any more; indexes and cursors stay what they are.
 */
bool crypt_drop_key(const char *path, const char *name);

/*
 * Names of the keys as the file has them now, the last one seals; up to
 * `max` of them into `names`.  How many there are.
 */
int crypt_keys(char names[][CRYPT_KEY_MAX], int max);

/* Fill with random bytes. */
void crypt_random(void *out, size_t n);

/* A random number below `bound` without bias. */
uint32_t crypt_uniform(uint32_t bound);

/* A fresh 256-bit token, base64url without padding. */
void crypt_token(char out[CRYPT_TOKEN_MAX]);

/* SHA-256 in lower-case hex. */
void crypt_sha256(const void *data, size_t n, char out[CRYPT_HEX_MAX]);

/*
 * The same of a file, read piece by piece; its size.  Empty and false when
 * it is no ordinary file or cannot be read.
 */
bool crypt_sha256_file(const char *path, char out[CRYPT_HEX_MAX],
    int64_t *ret_size);

/* Equal strings, compared in constant time for equal lengths. */
bool crypt_equal(const char *a, const char *b);

/* Seal `text` for `column`; needs keys. */
char *crypt_seal(struct arena *, const char *column, const char *text);

/* Open what crypt_seal made; NULL when it does not open. */
char *crypt_open(struct arena *, const char *column, const char *sealed);

/* The blind index of `text` for `column`, hex. */
char *crypt_index(struct arena *, const char *column, const char *text);

/* An argon2id string of `password` (19 MiB, two passes; OWASP 2023). */
char *crypt_password(struct arena *, const char *password);

/* Whether `password` fits `hash`; a NULL hash takes as long and is false. */
bool crypt_password_fits(const char *hash, const char *password);

/* A cursor for `value`, bound to `scope` by a keyed checksum, base64url. */
char *crypt_cursor(struct arena *, const char *scope, int64_t value);

/* Read it back; false when it was not made here for `scope`. */
bool crypt_cursor_read(const char *scope, const char *cursor, int64_t *ret);

#endif
