/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h -- what the unit tests of C nouns share: cmocka, and a folder of
 * the test's own that goes when the test ends well.
 */
#ifndef UNIT_H
#define UNIT_H

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

/* A new folder, its name in a buffer of this program. */
static inline const char *
unit_folder(void)
{
	static char	 path[64];

	snprintf(path, sizeof(path), "/tmp/planet-unit-XXXXXX");
	assert_non_null(mkdtemp(path));
	return path;
}

/* "folder/name" in a buffer that holds until the fourth call after. */
static inline const char *
unit_path(const char *folder, const char *name)
{
	static char	 paths[4][256];
	static int	 turn;
	char		*p = paths[turn++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", folder, name);
	return p;
}

/* Write `n` bytes as the file `path` with the permissions `mode`. */
static inline void
unit_write(const char *path, const char *data, size_t n, mode_t mode)
{
	FILE	*f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

#endif
