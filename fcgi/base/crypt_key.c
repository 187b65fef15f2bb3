/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt_key.c -- the key file, sealed columns, blind indexes, cursors.
 *
 * No key of the file is used itself: one is derived from it for each
 * purpose.  Sealing takes the last key, so that a line added rotates it;
 * indexes and cursors take the first one, because what they made must
 * still be found after a rotation.  Keys are read before threads start and
 * do not change after.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/crypt_internal.h"
#include "base/log.h"

#define KEYS_MAX	16
#define KEY_NAME_MAX	17		/* 16 characters and NUL */
#define KEY_BYTES	32
#define KEY_CONTEXT	"01planet"	/* crypto_kdf_CONTEXTBYTES long */
#define KEY_FILE_MAX	8192
#define NONCE_BYTES	crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES	crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64		sodium_base64_VARIANT_ORIGINAL
#define BASE64_URL	sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define CURSOR_TAG	16

_Static_assert(KEY_BYTES == crypto_kdf_KEYBYTES, "derivation fits");
_Static_assert(sizeof(KEY_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES,
    "context fits");

enum { FOR_SEAL = 1, FOR_INDEX, FOR_CURSOR };

struct key {
	char		 name[KEY_NAME_MAX];
	unsigned char	 seal[KEY_BYTES];
};

struct keys {
	struct key	 key[KEYS_MAX];
	int		 count;
	unsigned char	 index[KEY_BYTES];
	unsigned char	 cursor[KEY_BYTES];
};

static struct keys	keys;

void
crypt_key_init(void)
{
	if (keys.count == 0)
		randombytes_buf(keys.cursor, sizeof(keys.cursor));
}

static bool
is_name(const char *s, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || s[i] == '-' ||
		    (s[i] >= 'a' && s[i] <= 'z') || s[i] == '_' ||
		    (s[i] >= 'A' && s[i] <= 'Z')))
			return false;
	return n > 0 && n < KEY_NAME_MAX;
}

static struct key *
key_find(struct keys *k, const char *name, size_t n)
{
	int	 i;

	for (i = 0; i < k->count; i++)
		if (strlen(k->key[i].name) == n &&
		    memcmp(k->key[i].name, name, n) == 0)
			return &k->key[i];
	return NULL;
}

static void
derive(unsigned char *out, int purpose, const unsigned char *raw)
{
	crypto_kdf_derive_from_key(out, KEY_BYTES, (uint64_t)purpose,
	    KEY_CONTEXT, raw);
}

/* One line of the key file; NULL, or what is wrong with it. */
static const char *
key_line(struct keys *k, const char *s, size_t n)
{
	unsigned char	 raw[KEY_BYTES];
	const char	*blank = memchr(s, ' ', n);
	size_t		 got, name = blank == NULL ? n : (size_t)(blank - s);
	struct key	*key = &k->key[k->count];

	if (blank == NULL || !is_name(s, name))
		return "not 'ID BASE64'";
	if (k->count == KEYS_MAX)
		return "more than 16 keys";
	if (key_find(k, s, name) != NULL)
		return "the id stands here twice";
	if (sodium_base642bin(raw, sizeof(raw), blank + 1, n - name - 1,
	    NULL, &got, NULL, BASE64) == -1 || got != sizeof(raw)) {
		sodium_memzero(raw, sizeof(raw));
		return "the key is not 32 bytes in base64";
	}
	memcpy(key->name, s, name);
	derive(key->seal, FOR_SEAL, raw);
	if (k->count++ == 0) {
		derive(k->index, FOR_INDEX, raw);
		derive(k->cursor, FOR_CURSOR, raw);
	}
	sodium_memzero(raw, sizeof(raw));
	return NULL;
}

/* Lines of `text`; blank ones and those with a # first are passed over. */
static const char *
key_lines(struct keys *k, const char *text, size_t n, int *ret_line)
{
	const char	*end, *s, *stop = text + n, *why;

	for (s = text; s < stop; s = end + 1) {
		++*ret_line;
		if ((end = memchr(s, '\n', (size_t)(stop - s))) == NULL)
			end = stop;
		n = (size_t)(end - s);
		if (n > 0 && s[n - 1] == '\r')
			n--;
		if (n == 0 || *s == '#')
			continue;
		if ((why = key_line(k, s, n)) != NULL)
			return why;
	}
	return k->count == 0 ? "no key" : NULL;
}

/* The whole file into `out`; NULL, or what is wrong with it. */
static const char *
read_secret(const char *path, char *out, size_t size, size_t *ret_len)
{
	struct stat	 st;
	const char	*why = NULL;
	ssize_t		 n;
	size_t		 len = 0;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return strerror(errno);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		why = "not a file";
	else if ((st.st_mode & 077) != 0)
		why = "others may read it; chmod 600";
	while (why == NULL && len < size &&
	    (n = read(fd, out + len, size - len)) != 0) {
		if (n == -1 && errno != EINTR)
			why = strerror(errno);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (why == NULL && len == size)
		why = "too long";
	*ret_len = len;
	return why;
}

bool
crypt_load_keys(const char *path)
{
	char		 text[KEY_FILE_MAX], quoted[512];
	struct keys	 fresh = { .count = 0 };
	const char	*why;
	size_t		 n = 0;
	int		 line = 0;

	why = read_secret(path, text, sizeof(text), &n);
	if (why == NULL)
		why = key_lines(&fresh, text, n, &line);
	if (why == NULL)
		keys = fresh;
	else
		log_error("event=keys_refused file=%s line=%d why=\"%s\"",
		    log_quote(path, quoted, sizeof(quoted)), line, why);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(&fresh, sizeof(fresh));
	return why == NULL;
}

static bool
write_all(int fd, const char *s, size_t n)
{
	ssize_t	 w;

	while (n > 0) {
		w = write(fd, s, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0;
}

bool
crypt_new_keys(const char *path)
{
	struct clock_local	 day = clock_local(clock_now());
	unsigned char		 raw[KEY_BYTES];
	char			 line[128], key[64], quoted[512];
	bool			 good;
	int			 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		log_error("event=keys_not_written file=%s why=\"%s\"",
		    log_quote(path, quoted, sizeof(quoted)),
		    strerror(errno));
		return false;
	}
	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(key, sizeof(key), raw, sizeof(raw), BASE64);
	/* Files of two days can be joined: the ids differ. */
	snprintf(line, sizeof(line), "k%04d%02d%02d-%04x %s\n", day.year,
	    day.month, day.day, (unsigned)randombytes_uniform(0x10000), key);
	good = write_all(fd, line, strlen(line));
	good &= close(fd) == 0;
	if (!good) {
		unlink(path);
		log_error("event=keys_not_written file=%s",
		    log_quote(path, quoted, sizeof(quoted)));
	}
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(line, sizeof(line));
	return good;
}

/* A program that seals without keys is a broken program. */
static void
need_keys(void)
{
	if (keys.count > 0)
		return;
	log_error("event=no_keys");
	abort();
}

char *
crypt_seal(struct arena *a, const char *column, const char *text)
{
	const struct key	*key;
	unsigned char		*raw;
	size_t			 n, size;
	char			*out;
	int			 name;

	need_keys();
	key = &keys.key[keys.count - 1];
	n = strlen(text);
	raw = arena_take(a, NONCE_BYTES + n + TAG_BYTES);
	randombytes_buf(raw, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(raw + NONCE_BYTES, NULL,
	    (const unsigned char *)text, n, (const unsigned char *)column,
	    strlen(column), NULL, raw, key->seal);
	size = sodium_base64_encoded_len(NONCE_BYTES + n + TAG_BYTES, BASE64);
	out = arena_take(a, KEY_NAME_MAX + 1 + size);
	name = snprintf(out, KEY_NAME_MAX + 1, "%s:", key->name);
	sodium_bin2base64(out + name, size, raw, NONCE_BYTES + n + TAG_BYTES,
	    BASE64);
	return out;
}

char *
crypt_open(struct arena *a, const char *column, const char *sealed)
{
	const char	*colon = strchr(sealed, ':');
	struct key	*key;
	unsigned char	*raw;
	size_t		 n, size;
	char		*out;

	if (colon == NULL || (key = key_find(&keys, sealed,
	    (size_t)(colon - sealed))) == NULL)
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
	    key->seal) == -1)
		return NULL;
	return out;
}

/* Keyed BLAKE2b of `name`, NUL, `data`: where one ends is not open. */
static void
keyed_hash(unsigned char *out, size_t size, const unsigned char *key,
    const char *name, const void *data, size_t n)
{
	crypto_generichash_state	 state;

	crypto_generichash_init(&state, key, KEY_BYTES, size);
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

	need_keys();
	keyed_hash(hash, sizeof(hash), keys.index, column, text,
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
	keyed_hash(raw + 8, CURSOR_TAG, keys.cursor, scope, raw, 8);
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
	keyed_hash(tag, sizeof(tag), keys.cursor, scope, raw, 8);
	if (sodium_memcmp(tag, raw + 8, sizeof(tag)) != 0)
		return false;
	for (i = 0; i < 8; i++)
		value = value << 8 | raw[i];
	*ret = (int64_t)value;
	return true;
}
