/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_community.h -- communities, as planetctl finds and adds them.
 */
#ifndef CTL_COMMUNITY_H
#define CTL_COMMUNITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct db;

struct ctl_community {
	int64_t		 id;
	const char	*code;		/* statistical code, 12 digits */
	const char	*edition;	/* of the code, yyyy-mm-dd */
	const char	*name;
	const char	*township;
	int64_t		 lat, lng;	/* VIEW_NULL_INT: not known */
};

void ctl_community_register(void);

/* By code; ERR_ABSENT when there is none. */
enum err ctl_community_find(struct db *, struct arena *, const char *code,
    struct ctl_community *ret);

/* The only one there is; ERR_ABSENT when there is none, or more. */
enum err ctl_community_only(struct db *, struct arena *,
    struct ctl_community *ret);

/*
 * Add it under a new id, or bring the one of this code to what `c` says;
 * `c` gets the id, and the point when it has none.  What was done through
 * ret_change: +1 added, 0 nothing, -1 changed.  In a transaction.
 */
enum err ctl_community_keep(struct db *, struct arena *,
    struct ctl_community *c, int *ret_change);

/* Twelve digits, the first not 0. */
bool ctl_community_code(const char *s);

#endif
