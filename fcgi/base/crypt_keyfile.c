/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt_keyfile.c -- the key file: read, made, added to, taken from.
 *
 * A line a key, ID BASE64.  No key of the file is used itself: one is
 * derived from it for each purpose.  Index and cursor keys come from the
 * first line, and must stay when that key is dropped: they then get lines
 * of their own, @index and @cursor.  A file is replaced whole, never
 * changed, with the owner and mode that it had.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/crypt_internal.h"
#include "base/log.h"

#define KEY_CONTEXT	"01planet"	/* crypto_kdf_CONTEXTBYTES long */
#define KEY_FILE_MAX	8192
#define KEY_LINE_MAX	128
#define BASE64		sodium_base64_VARIANT_ORIGINAL

_Static_assert(CRYPT_KEY_BYTES == crypto_kdf_KEYBYTES, "derivation fits");
_Static_assert(sizeof(KEY_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES,
    "context fits");

enum { FOR_SEAL = 1, FOR_INDEX, FOR_CURSOR };

/* A key file being replaced. */
struct edit {
	const char	*path;
	int		 fd;		/* of the old one, locked */
	struct stat	 st;
	char		 old[KEY_FILE_MAX], text[KEY_FILE_MAX];
	size_t		 old_len, len;
};

static bool
is_name(const char *s, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || s[i] == '-' ||
		    (s[i] >= 'a' && s[i] <= 'z') || s[i] == '_' ||
		    (s[i] >= 'A' && s[i] <= 'Z')))
			return false;
	return n > 0 && n < CRYPT_KEY_MAX;
}

const struct crypt_one_key *
crypt_key_find(const struct crypt_keys *k, const char *name, size_t n)
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
	crypto_kdf_derive_from_key(out, CRYPT_KEY_BYTES, (uint64_t)purpose,
	    KEY_CONTEXT, raw);
}

static bool
is_word(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(s, word, n) == 0;
}

/* Take the 32 bytes of a line named by the `n` bytes at `s`. */
static void
take(struct crypt_keys *k, const char *s, size_t n, const unsigned char *raw)
{
	struct crypt_one_key	*key;

	if (is_word(s, n, "@index")) {
		memcpy(k->index, raw, CRYPT_KEY_BYTES);
		k->fixed = true;
	} else if (is_word(s, n, "@cursor"))
		memcpy(k->cursor, raw, CRYPT_KEY_BYTES);
	else {
		key = &k->key[k->count];
		memcpy(key->name, s, n);
		derive(key->seal, FOR_SEAL, raw);
		if (k->count++ == 0 && !k->fixed) {
			derive(k->index, FOR_INDEX, raw);
			derive(k->cursor, FOR_CURSOR, raw);
		}
	}
}

/* One line of the key file; NULL, or what is wrong with it. */
static const char *
key_line(struct crypt_keys *k, const char *s, size_t n)
{
	unsigned char	 raw[CRYPT_KEY_BYTES];
	const char	*blank = memchr(s, ' ', n);
	size_t		 got, name = blank == NULL ? n : (size_t)(blank - s);
	bool		 fixed = is_word(s, name, "@index") ||
			    is_word(s, name, "@cursor");

	if (blank == NULL || (!fixed && !is_name(s, name)))
		return "not 'ID BASE64'";
	if (fixed && k->count > 0)
		return "this line stands before all keys";
	if (k->count == CRYPT_KEYS_MAX)
		return "more than 16 keys";
	if (crypt_key_find(k, s, name) != NULL)
		return "the id stands here twice";
	if (sodium_base642bin(raw, sizeof(raw), blank + 1, n - name - 1,
	    NULL, &got, NULL, BASE64) == -1 || got != sizeof(raw)) {
		sodium_memzero(raw, sizeof(raw));
		return "the key is not 32 bytes in base64";
	}
	take(k, s, name, raw);
	sodium_memzero(raw, sizeof(raw));
	return NULL;
}

/* Lines of `text`; blank ones and those with a # first are passed over. */
static const char *
key_lines(struct crypt_keys *k, const char *text, size_t n, int *ret_line)
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

/* The whole of an open file; NULL, or what is wrong with it. */
static const char *
read_secret(int fd, struct stat *st, char *out, size_t size,
    size_t *ret_len)
{
	const char	*why = NULL;
	ssize_t		 n;
	size_t		 len = 0;

	if (fstat(fd, st) == -1 || !S_ISREG(st->st_mode))
		why = "not a file";
	else if ((st->st_mode & 077) != 0)
		why = "others may read it; chmod 600";
	while (why == NULL && len < size &&
	    (n = read(fd, out + len, size - len)) != 0) {
		if (n == -1 && errno != EINTR)
			why = strerror(errno);
		len += n > 0 ? (size_t)n : 0;
	}
	if (why == NULL && len == size)
		why = "too long";
	*ret_len = len;
	return why;
}

bool
crypt_keyfile_read(const char *path, struct crypt_keys *ret,
    struct stat *ret_stat)
{
	char		 text[KEY_FILE_MAX], quoted[512];
	struct crypt_keys fresh = { .count = 0 };
	const char	*why;
	size_t		 n = 0;
	int		 line = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		why = strerror(errno);
	else {
		why = read_secret(fd, ret_stat, text, sizeof(text), &n);
		close(fd);
	}
	if (why == NULL)
		why = key_lines(&fresh, text, n, &line);
	if (why == NULL)
		*ret = fresh;
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

static bool
refuse(const char *path, const char *why)
{
	char	 quoted[512];

	log_error("event=keys_not_written file=%s why=\"%s\"",
	    log_quote(path, quoted, sizeof(quoted)), why);
	return false;
}

/* A line of a new key; its length. */
static size_t
new_line(char line[KEY_LINE_MAX])
{
	struct clock_local	 day = clock_local(clock_now());
	unsigned char		 raw[CRYPT_KEY_BYTES];
	char			 key[64];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(key, sizeof(key), raw, sizeof(raw), BASE64);
	/* Files of two days can be joined: the ids differ. */
	snprintf(line, KEY_LINE_MAX, "k%04d%02d%02d-%04x %s\n", day.year,
	    day.month, day.day, (unsigned)randombytes_uniform(0x10000), key);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(key, sizeof(key));
	return strlen(line);
}

bool
crypt_new_keys(const char *path)
{
	char	 line[KEY_LINE_MAX];
	bool	 good;
	int	 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return refuse(path, strerror(errno));
	good = write_all(fd, line, new_line(line));
	good &= close(fd) == 0;
	sodium_memzero(line, sizeof(line));
	if (good)
		return true;
	unlink(path);
	return refuse(path, "the disk did not take it");
}

/* Lock the file that is there now and read it. */
static const char *
edit_open(struct edit *e, const char *path)
{
	struct crypt_keys keys = { .count = 0 };
	struct stat	 now;
	const char	*why;
	int		 line = 0;

	e->path = path;
	if ((e->fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return strerror(errno);
	if (flock(e->fd, LOCK_EX | LOCK_NB) == -1 ||
	    fstat(e->fd, &e->st) == -1 || stat(path, &now) == -1 ||
	    now.st_ino != e->st.st_ino)
		return "somebody else is changing it";
	why = read_secret(e->fd, &e->st, e->old, sizeof(e->old),
	    &e->old_len);
	if (why == NULL)
		why = key_lines(&keys, e->old, e->old_len, &line);
	sodium_memzero(&keys, sizeof(keys));
	return why;
}

static void
edit_close(struct edit *e)
{
	if (e->fd != -1)
		close(e->fd);
	sodium_memzero(e->old, sizeof(e->old));
	sodium_memzero(e->text, sizeof(e->text));
}

static bool
edit_add(struct edit *e, const char *s, size_t n)
{
	if (n >= sizeof(e->text) - e->len)
		return false;
	memcpy(e->text + e->len, s, n);
	e->len += n;
	return true;
}

/* The folder too: without it a crash could bring the old file back. */
static void
sync_folder(const char *path)
{
	char	 dir[4096], *slash;
	int	 fd;

	snprintf(dir, sizeof(dir), "%s", path);
	if ((slash = strrchr(dir, '/')) == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	fsync(fd);
	close(fd);
}

/* Put the text in the file's place. */
static const char *
edit_replace(struct edit *e)
{
	char		 fresh[4096];
	const char	*why = NULL;
	int		 fd;

	snprintf(fresh, sizeof(fresh), "%s.new", e->path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return strerror(errno);
	if (fchown(fd, e->st.st_uid, e->st.st_gid) == -1 ||
	    fchmod(fd, e->st.st_mode & 07777) == -1)
		why = "its owner and mode cannot be given to the new file";
	else if (!write_all(fd, e->text, e->len))
		why = "the disk did not take it";
	close(fd);
	if (why == NULL && rename(fresh, e->path) == -1)
		why = strerror(errno);
	if (why != NULL)
		unlink(fresh);
	else
		sync_folder(e->path);
	return why;
}

/* The old text with a new line after it. */
static const char *
add_line(struct edit *e)
{
	char		 line[KEY_LINE_MAX];
	size_t		 n = new_line(line);
	bool		 end = e->old[e->old_len - 1] == '\n';
	const char	*why = NULL;

	if (!edit_add(e, e->old, e->old_len) ||
	    !edit_add(e, "\n", end ? 0 : 1) || !edit_add(e, line, n))
		why = "too long";
	sodium_memzero(line, sizeof(line));
	return why;
}

bool
crypt_add_key(const char *path)
{
	struct crypt_keys keys = { .count = 0 };
	struct edit	 e = { .fd = -1 };
	const char	*why = edit_open(&e, path);
	int		 line = 0;

	if (why == NULL)
		why = add_line(&e);
	/* What every program would refuse must not get there. */
	if (why == NULL)
		why = key_lines(&keys, e.text, e.len, &line);
	if (why == NULL)
		why = edit_replace(&e);
	sodium_memzero(&keys, sizeof(keys));
	edit_close(&e);
	return why == NULL ? true : refuse(path, why);
}

static bool
add_fixed(struct edit *e, const char *name, const unsigned char *key)
{
	char	 text[64], line[KEY_LINE_MAX];
	int	 n;
	bool	 good;

	sodium_bin2base64(text, sizeof(text), key, CRYPT_KEY_BYTES, BASE64);
	n = snprintf(line, sizeof(line), "%s %s\n", name, text);
	good = edit_add(e, line, (size_t)n);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(line, sizeof(line));
	return good;
}

/* The text without the line of `name`. */
static const char *
leave_out(struct edit *e, const struct crypt_keys *k, const char *name)
{
	const char	*s, *end, *stop = e->old + e->old_len;
	size_t		 n = strlen(name);

	if (!k->fixed && strcmp(k->key[0].name, name) == 0 &&
	    !(add_fixed(e, "@index", k->index) &&
	    add_fixed(e, "@cursor", k->cursor)))
		return "too long";
	for (s = e->old; s < stop; s = end) {
		end = memchr(s, '\n', (size_t)(stop - s));
		end = end == NULL ? stop : end + 1;
		if ((size_t)(end - s) > n && memcmp(s, name, n) == 0 &&
		    s[n] == ' ')
			continue;
		if (!edit_add(e, s, (size_t)(end - s)))
			return "too long";
	}
	return NULL;
}

bool
crypt_drop_key(const char *path, const char *name)
{
	struct crypt_keys keys = { .count = 0 };
	struct edit	 e = { .fd = -1 };
	const char	*why = edit_open(&e, path);
	int		 line = 0;

	if (why == NULL)
		why = key_lines(&keys, e.old, e.old_len, &line);
	if (why == NULL && crypt_key_find(&keys, name, strlen(name)) == NULL)
		why = "there is no such key";
	if (why == NULL &&
	    strcmp(keys.key[keys.count - 1].name, name) == 0)
		why = "it is the key that seals";
	if (why == NULL)
		why = leave_out(&e, &keys, name);
	if (why == NULL)
		why = edit_replace(&e);
	sodium_memzero(&keys, sizeof(keys));
	edit_close(&e);
	return why == NULL ? true : refuse(path, why);
}
