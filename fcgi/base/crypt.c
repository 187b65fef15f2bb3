/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt.c -- tokens, digests, passwords and cursors.
 *
 * libsodium does the work; no algorithm is written here.  The keys and
 * what is done with them alone stand in crypt_key.c.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/crypt.h"
#include "base/crypt_internal.h"
#include "base/log.h"

#define PIECE		(64 * 1024)	/* of a file */
#define PASSWORD_PASSES	2
#define PASSWORD_MEMORY	(19 * 1024 * 1024)

/* One at a time: 19 MiB each would break the bound on a worker's size. */
static pthread_mutex_t	password_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t	dummy_once = PTHREAD_ONCE_INIT;
static char		dummy[crypto_pwhash_STRBYTES];

bool
crypt_init(void)
{
	if (sodium_init() == -1)
		return false;
	crypt_key_init();
	return true;
}

void
crypt_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

uint32_t
crypt_uniform(uint32_t bound)
{
	return randombytes_uniform(bound);
}

void
crypt_token(char out[CRYPT_TOKEN_MAX])
{
	unsigned char	 raw[32];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(out, CRYPT_TOKEN_MAX, raw, sizeof(raw),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
}

void
crypt_sha256(const void *data, size_t n, char out[CRYPT_HEX_MAX])
{
	unsigned char	 hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, data, n);
	sodium_bin2hex(out, CRYPT_HEX_MAX, hash, sizeof(hash));
}

static bool
hash_file(int fd, char out[CRYPT_HEX_MAX], int64_t *ret_size)
{
	crypto_hash_sha256_state	 st;
	unsigned char			 hash[crypto_hash_sha256_BYTES];
	unsigned char			*piece = malloc(PIECE);
	ssize_t				 n = -1;

	crypto_hash_sha256_init(&st);
	while (piece != NULL && ((n = read(fd, piece, PIECE)) > 0 ||
	    (n < 0 && errno == EINTR))) {
		if (n < 0)
			continue;
		crypto_hash_sha256_update(&st, piece, (size_t)n);
		*ret_size += n;
	}
	free(piece);
	if (n != 0)
		return false;
	crypto_hash_sha256_final(&st, hash);
	sodium_bin2hex(out, CRYPT_HEX_MAX, hash, sizeof(hash));
	return true;
}

bool
crypt_sha256_file(const char *path, char out[CRYPT_HEX_MAX],
    int64_t *ret_size)
{
	struct stat	 st;
	bool		 good;
	/* One that is a pipe would wait for somebody to write. */
	int		 fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	out[0] = '\0';
	*ret_size = 0;
	if (fd < 0)
		return false;
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    hash_file(fd, out, ret_size);
	close(fd);
	return good;
}

bool
crypt_equal(const char *a, const char *b)
{
	size_t	 n = strlen(a);

	return n == strlen(b) && sodium_memcmp(a, b, n) == 0;
}

static void
hash_password(const char *password, char out[crypto_pwhash_STRBYTES])
{
	int	 rc;

	pthread_mutex_lock(&password_lock);
	rc = crypto_pwhash_str(out, password, strlen(password),
	    PASSWORD_PASSES, PASSWORD_MEMORY);
	pthread_mutex_unlock(&password_lock);
	if (rc != 0) {
		log_error("event=out_of_memory bytes=%d", PASSWORD_MEMORY);
		abort();
	}
}

char *
crypt_password(struct arena *a, const char *password)
{
	char	*out = arena_take(a, crypto_pwhash_STRBYTES);

	hash_password(password, out);
	return out;
}

static void
make_dummy(void)
{
	char	 password[CRYPT_TOKEN_MAX];

	crypt_token(password);
	hash_password(password, dummy);
	sodium_memzero(password, sizeof(password));
}

bool
crypt_password_fits(const char *hash, const char *password)
{
	bool	 fits;

	pthread_once(&dummy_once, make_dummy);
	pthread_mutex_lock(&password_lock);
	fits = crypto_pwhash_str_verify(hash == NULL ? dummy : hash,
	    password, strlen(password)) == 0;
	pthread_mutex_unlock(&password_lock);
	return fits && hash != NULL;
}
