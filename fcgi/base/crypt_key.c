/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt_key.c -- the keys in use: sealed columns, blind indexes, cursors.
 *
 * Sealing takes the last key of the file, so that a line added rotates it;
 * indexes and cursors take keys that stay, because what they made must
 * still be found after a rotation.  The file is looked at again at most
 * once a second, and at once when something names a key that we lack.  A
 * set of keys is never changed and never freed: whoever still works with
 * an old one may.
 */
#include <sys/stat.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/crypt_internal.h"
#include "base/log.h"

#define NONCE_BYTES	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES	crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64		sodium_base64_VARIANT_ORIGINAL
#define BASE64_URL	sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define CURSOR_TAG	16
#define LOOK_US		1000000
#define COMPLAIN_US	10000000

static _Atomic(struct crypt_keys *)	current;
static _Atomic int64_t			next_look, next_complaint;

static pthread_mutex_t		lock = PTHREAD_MUTEX_INITIALIZER;
static char			path_used[4096];	/* as below: locked */
static struct stat		seen;
static bool			gone;

/* Of this process, while there is no key file. */
static unsigned char		own_cursor[CRYPT_KEY_BYTES];

void
crypt_key_init(void)
{
	randombytes_buf(own_cursor, sizeof(own_cursor));
}

/* At most one thread in `us` is told yes. */
static bool
is_time(_Atomic int64_t *at, int64_t us)
{
	int64_t	 now = clock_mono_us(), next = atomic_load(at);

	return now >= next &&
	    atomic_compare_exchange_strong(at, &next, now + us);
}

static bool
may_complain(void)
{
	return is_time(&next_complaint, COMPLAIN_US);
}

static void
use(const struct crypt_keys *fresh)
{
	struct crypt_keys	*k = malloc(sizeof(*k));

	if (k == NULL)
		abort();
	*k = *fresh;
	k->older = atomic_load(&current);
	atomic_store(&current, k);
}

static bool
is_seen(const struct stat *st)
{
	return st->st_ino == seen.st_ino && st->st_size == seen.st_size &&
	    st->st_mtim.tv_sec == seen.st_mtim.tv_sec &&
	    st->st_mtim.tv_nsec == seen.st_mtim.tv_nsec &&
	    st->st_mode == seen.st_mode;
}

/* A file that cannot be used is said so once; what we have is kept. */
static void
look_again(void)
{
	struct crypt_keys	 fresh;
	struct stat		 st;

	if (stat(path_used, &st) == -1) {
		if (!gone)
			log_error("event=keys_gone why=\"the key file is not"
			    " there any more; the keys in memory are used\"");
		gone = true;
		return;
	}
	gone = false;
	if (is_seen(&st))
		return;
	seen = st;
	if (!crypt_keyfile_read(path_used, &fresh, &st))
		return;
	use(&fresh);
	log_info("event=keys_read keys=%d seals=%s", fresh.count,
	    fresh.key[fresh.count - 1].name);
	sodium_memzero(&fresh, sizeof(fresh));
}

/* The keys; without any before the first were loaded. */
static const struct crypt_keys *
in_use(bool now)
{
	static const struct crypt_keys	 none;

	if (atomic_load(&current) == NULL)
		return &none;
	if (is_time(&next_look, LOOK_US) || now) {
		pthread_mutex_lock(&lock);
		look_again();
		pthread_mutex_unlock(&lock);
	}
	return atomic_load(&current);
}

bool
crypt_load_keys(const char *path)
{
	struct crypt_keys	 fresh;
	struct stat		 st;
	bool			 good;

	pthread_mutex_lock(&lock);
	good = strlen(path) < sizeof(path_used) &&
	    crypt_keyfile_read(path, &fresh, &st);
	if (good) {
		snprintf(path_used, sizeof(path_used), "%s", path);
		seen = st;
		gone = false;
		use(&fresh);
		sodium_memzero(&fresh, sizeof(fresh));
	}
	pthread_mutex_unlock(&lock);
	return good;
}

int
crypt_keys(char names[][CRYPT_KEY_MAX], int max)
{
	const struct crypt_keys	*k = in_use(true);
	int			 i;

	for (i = 0; i < k->count && i < max; i++)
		memcpy(names[i], k->key[i].name, CRYPT_KEY_MAX);
	return k->count;
}

/* A program that seals without keys is a broken program. */
static const struct crypt_keys *
need_keys(void)
{
	const struct crypt_keys	*k = in_use(false);

	if (k->count > 0)
		return k;
	log_error("event=no_keys");
	abort();
}

static const unsigned char *
cursor_key(void)
{
	const struct crypt_keys	*k = atomic_load(&current);

	return k != NULL ? k->cursor : own_cursor;
}

char *
crypt_seal(struct arena *a, const char *column, const char *text)
{
	const struct crypt_keys		*keys = need_keys();
	const struct crypt_one_key	*key = &keys->key[keys->count - 1];
	unsigned char			*raw;
	size_t				 n, size;
	char				*out;
	int				 name;

	n = strlen(text);
	raw = arena_take(a, NONCE_BYTES + n + TAG_BYTES);
	randombytes_buf(raw, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(raw + NONCE_BYTES, NULL,
	    (const unsigned char *)text, n, (const unsigned char *)column,
	    strlen(column), NULL, raw, key->seal);
	size = sodium_base64_encoded_len(NONCE_BYTES + n + TAG_BYTES, BASE64);
	out = arena_take(a, CRYPT_KEY_MAX + 1 + size);
	name = snprintf(out, CRYPT_KEY_MAX + 1, "%s:", key->name);
	sodium_bin2base64(out + name, size, raw, NONCE_BYTES + n + TAG_BYTES,
	    BASE64);
	return out;
}

/* The key that `sealed` names, looked for in the file when it is new. */
static const struct crypt_one_key *
key_of(const char *sealed, size_t n)
{
	const struct crypt_one_key	*key;
	char				 quoted[64], name[CRYPT_KEY_MAX];

	key = crypt_key_find(in_use(false), sealed, n);
	if (key == NULL)
		key = crypt_key_find(in_use(true), sealed, n);
	if (key == NULL && may_complain()) {
		snprintf(name, sizeof(name), "%.*s", (int)(n < sizeof(name) ?
		    n : sizeof(name) - 1), sealed);
		log_error("event=unknown_key id=%s why=\"what was sealed"
		    " cannot be opened: the key file lacks this key\"",
		    log_quote(name, quoted, sizeof(quoted)));
	}
	return key;
}

char *
crypt_open(struct arena *a, const char *column, const char *sealed)
{
	const char			*colon = strchr(sealed, ':');
	const struct crypt_one_key	*key;
	unsigned char			*raw;
	size_t				 n, size;
	char				*out;

	if (colon == NULL ||
	    (key = key_of(sealed, (size_t)(colon - sealed))) == NULL)
		return NULL;
	size = strlen(++colon);
	raw = arena_take(a, size);
	if (sodium_base642bin(raw, size, colon, size, NULL, &n, NULL,
	    BASE64) == -1 || n < NONCE_BYTES + TAG_BYTES)
		return NULL;
	out = arena_take(a, n - NONCE_BYTES - TAG_BYTES + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)out,
	    NULL, NULL, raw + NONCE_BYTES, n - NONCE_BYTES,
	    (const unsigned char *)column, strlen(column), raw,
	    key->seal) == 0)
		return out;
	if (may_complain())
		log_error("event=not_opened key=%s column=%s why=\"changed by"
		    " hand, moved here, or the key file is another's\"",
		    key->name, column);
	return NULL;
}

/* Keyed BLAKE2b of `name`, NUL, `data`: where one ends is not open. */
static void
keyed_hash(unsigned char *out, size_t size, const unsigned char *key,
    const char *name, const void *data, size_t n)
{
	crypto_generichash_state	 state;

	crypto_generichash_init(&state, key, CRYPT_KEY_BYTES, size);
	crypto_generichash_update(&state, (const unsigned char *)name,
	    strlen(name) + 1);
	crypto_generichash_update(&state, data, n);
	crypto_generichash_final(&state, out, size);
	sodium_memzero(&state, sizeof(state));
}

char *
crypt_index(struct arena *a, const char *column, const char *text)
{
	unsigned char	 hash[32];
	char		*out = arena_take(a, CRYPT_HEX_MAX);

	keyed_hash(hash, sizeof(hash), need_keys()->index, column, text,
	    strlen(text));
	return sodium_bin2hex(out, CRYPT_HEX_MAX, hash, sizeof(hash));
}

char *
crypt_cursor(struct arena *a, const char *scope, int64_t value)
{
	unsigned char	 raw[8 + CURSOR_TAG];
	size_t		 size;
	char		*out;
	int		 i;

	for (i = 0; i < 8; i++)
		raw[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
	keyed_hash(raw + 8, CURSOR_TAG, cursor_key(), scope, raw, 8);
	size = sodium_base64_encoded_len(sizeof(raw), BASE64_URL);
	out = arena_take(a, size);
	return sodium_bin2base64(out, size, raw, sizeof(raw), BASE64_URL);
}

bool
crypt_cursor_read(const char *scope, const char *cursor, int64_t *ret)
{
	unsigned char	 raw[8 + CURSOR_TAG], tag[CURSOR_TAG];
	uint64_t	 value = 0;
	size_t		 n;
	int		 i;

	if (sodium_base642bin(raw, sizeof(raw), cursor, strlen(cursor), NULL,
	    &n, NULL, BASE64_URL) == -1 || n != sizeof(raw))
		return false;
	keyed_hash(tag, sizeof(tag), cursor_key(), scope, raw, 8);
	if (sodium_memcmp(tag, raw + 8, sizeof(tag)) != 0)
		return false;
	for (i = 0; i < 8; i++)
		value = value << 8 | raw[i];
	*ret = (int64_t)value;
	return true;
}
