/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_internal.h -- the table of keys, between conf.c and conf_table.c.
 */
#ifndef BASE_CONF_INTERNAL_H
#define BASE_CONF_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

enum conf_kind {
	CONF_TEXT,	/* anything, not empty */
	CONF_WORD,	/* letters, digits, - and _; at most 64; may be empty */
	CONF_PATH,	/* taken from the file's folder; may be empty */
	CONF_INT,	/* digits, min..max */
	CONF_ENUM,	/* one of `names` */
	CONF_DB,	/* sqlite:PATH or postgresql://... */
	CONF_REDIS	/* unix:PATH or HOST:PORT */
};

struct conf_key {
	const char	*section;	/* NULL ends the table */
	const char	*name;
	enum conf_kind	 kind;
	size_t		 offset;	/* in struct conf */
	const char	*value;		/* the default, as a user types it */
	int64_t		 min, max;	/* CONF_INT */
	const char	*about;		/* one line */
	const char *const *names;	/* CONF_ENUM */
};

/* The keys, those of one section together. */
extern const struct conf_key conf_keys[];

#endif
