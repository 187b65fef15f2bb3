/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt_internal.h -- between crypt.c, crypt_key.c and crypt_keyfile.c.
 */
#ifndef BASE_CRYPT_INTERNAL_H
#define BASE_CRYPT_INTERNAL_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

#define CRYPT_KEYS_MAX	16
#define CRYPT_KEY_BYTES	32

struct crypt_one_key {
	char		 name[CRYPT_KEY_MAX];
	unsigned char	 seal[CRYPT_KEY_BYTES];
};

/* What a key file holds. */
struct crypt_keys {
	struct crypt_one_key key[CRYPT_KEYS_MAX];
	struct crypt_keys *older;	/* in use before these */
	int		 count;
	bool		 fixed;		/* index and cursor have own lines */
	unsigned char	 index[CRYPT_KEY_BYTES];
	unsigned char	 cursor[CRYPT_KEY_BYTES];
};

/* Give cursors a key of this process, until a key file brings one. */
void crypt_key_init(void);

/* The key called the `n` bytes at `name`; NULL for none. */
const struct crypt_one_key *crypt_key_find(const struct crypt_keys *,
    const char *name, size_t n);

/*
 * Read and check a key file and what stat says of it; false after logging
 * what is wrong, `ret` untouched.
 */
bool crypt_keyfile_read(const char *path, struct crypt_keys *ret,
    struct stat *ret_stat);

#endif
