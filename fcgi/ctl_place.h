/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_place.h -- the places of a community as a tree in memory, brought
 * together from the database and from rows, and written back.
 *
 * A row is a dwelling with the names of what it lies in; names identify
 * within their parent.  A lift is the entrance's and holds for all its
 * dwellings.  The point of what has parts is the mean of its parts'.
 */
#ifndef CTL_PLACE_H
#define CTL_PLACE_H

#include <stdint.h>

#include "base/err.h"

#define CTL_PLACE_NAME	40	/* code points */

struct arena;
struct db;
struct ctl_places;

enum ctl_place_level { PLACE_COMPOUND, PLACE_BUILDING, PLACE_ENTRANCE,
	PLACE_DWELLING, PLACE_LEVELS };

/* One dwelling; VIEW_NULL_INT where nothing is said. */
struct ctl_place_row {
	const char	*name[PLACE_LEVELS];
	int64_t		 floor;
	int64_t		 lift;		/* 0 or 1 */
	int64_t		 lat, lng;
	int		 line;		/* where it stands, from 1 */
};

/* Places that rows name, and others that these change. */
struct ctl_place_counts {
	int		 added[PLACE_LEVELS];
	int		 changed[PLACE_LEVELS];
	int		 same[PLACE_LEVELS];
};

enum ctl_place_fault {
	PLACE_FITS,
	PLACE_TWICE,	/* the dwelling was in an earlier row */
	PLACE_LIFT	/* an earlier row says otherwise of the lift */
};

void ctl_place_register(void);

/* An empty tree that lives as long as the arena. */
struct ctl_places *ctl_place_new(struct arena *, int64_t community_id);

/* Add what the database holds; before the first row. */
enum err ctl_place_load(struct ctl_places *, struct db *);

/* Add a row, its text kept by the caller; an earlier line on a fault. */
enum ctl_place_fault ctl_place_add(struct ctl_places *,
    const struct ctl_place_row *, int *ret_line);

/* Write what is new or changed.  Once, in a transaction. */
enum err ctl_place_write(struct ctl_places *, struct db *,
    struct ctl_place_counts *ret);

/* The id of the place with these names, `depth` of them; 0 for none. */
int64_t ctl_place_id(const struct ctl_places *, const char *const *names,
    int depth);

/*
 * Where a name stands among its siblings: letters that lead (A before B),
 * then the first number in it (in digits or Chinese, up to 99), then a
 * letter after that; names without a number come last.
 */
int64_t ctl_place_rank(const char *name);

#endif
