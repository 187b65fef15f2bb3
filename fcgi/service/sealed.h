/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h -- every column that is sealed, for who changes the keys.
 *
 * Whoever makes such a column adds its line to sealed.c; a key that a
 * forgotten column still needs could be dropped.
 */
#ifndef SERVICE_SEALED_H
#define SERVICE_SEALED_H

#include <stdint.h>

#include "store/db.h"

/* A sealed value and where it lies; what a key lacks is 0 or "". */
struct sealed_row {
	int64_t		 a, b, c;
	const char	*t;
	const char	*sealed;
};

struct sealed {
	const char	*table, *column;	/* table NULL ends the list */
	const char	*name;			/* as crypt_seal was told */
	/*
	 * Rows after a place, that another key sealed: $1..$4 the place,
	 * $5 length of "KEYID:", $6 that itself, $7 how many.
	 */
	struct stmt	 read;
	/* $1 new value, $2..$5 the place, $6 the old one. */
	struct stmt	 write;
	/* How many a key sealed: $1 length, $2 "KEYID:". */
	struct stmt	 count;
	/* One that is there, any. */
	struct stmt	 sample;
};

struct sealed_count {
	int64_t		 n;
};
extern const struct view sealed_row_view;
extern const struct view sealed_count_view;

/* The list; not const because statements are registered. */
extern struct sealed sealed_columns[];

void sealed_register(void);

#endif
