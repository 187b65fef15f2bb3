/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_tree.h -- the places of a community as a tree in memory, brought
 * together from the database and from rows, and written back.
 *
 * A row is a dwelling with the names of what it lies in; names identify
 * within their parent.  A lift is the entrance's and holds for all its
 * dwellings.  The point of what has parts is the mean of its parts'.
 */
#ifndef SERVICE_PLACE_TREE_H
#define SERVICE_PLACE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PLACE_NAME	40	/* code points */

struct arena;
struct db;
struct place_tree;

enum place_level { PLACE_COMPOUND, PLACE_BUILDING, PLACE_ENTRANCE,
	PLACE_DWELLING, PLACE_LEVELS };

/* One dwelling; VIEW_NULL_INT where nothing is said. */
struct place_row {
	const char	*name[PLACE_LEVELS];
	int64_t		 floor;
	int64_t		 lift;		/* 0 or 1 */
	int64_t		 lat, lng;
	int		 line;		/* where it stands, from 1 */
};

/* Places that rows name, and others that these change. */
struct place_counts {
	int		 added[PLACE_LEVELS];
	int		 changed[PLACE_LEVELS];
	int		 same[PLACE_LEVELS];
};

enum place_fault {
	PLACE_FITS,
	PLACE_TWICE,	/* the dwelling was in an earlier row */
	PLACE_LIFT	/* an earlier row says otherwise of the lift */
};

void place_tree_register(void);

/* An empty tree that lives as long as the arena. */
struct place_tree *place_tree_new(struct arena *, int64_t community_id);

/* Add what the database holds; before the first row. */
enum err place_tree_load(struct place_tree *, struct db *);

/* Add a row, its text kept by the caller; an earlier line on a fault. */
enum place_fault place_tree_add(struct place_tree *,
    const struct place_row *, int *ret_line);

/* What can change of a place; VIEW_NULL_INT where nothing is known. */
struct place_facts {
	int64_t		 rank;
	int64_t		 floor;
	int64_t		 lift;
	int64_t		 lat, lng;
};

/* One place that rows name, or that others change. */
struct place_diff {
	int64_t		 id, parent_id, compound_id;
	const char	*kind;
	const char	*name;
	const char	*full_name;	/* until the next one */
	int		 line;		/* that named it first; 0 for none */
	bool		 stored, same;
	struct place_facts is, was;
};

/*
 * Work out what follows from the rows and call fn for each place that is
 * named or changed, parents before what lies in them.  Once.
 */
void place_tree_diff(struct place_tree *,
    void (*fn)(void *arg, const struct place_diff *), void *arg);

/* Write what is new or changed.  Once, in a transaction. */
enum err place_tree_write(struct place_tree *, struct db *,
    struct place_counts *ret);

/* The id of the place with these names, `depth` of them; 0 for none. */
int64_t place_tree_id(const struct place_tree *, const char *const *names,
    int depth);

/*
 * Where a name stands among its siblings: letters that lead (A before B),
 * then the first number in it (in digits or Chinese, up to 99), then a
 * letter after that; names without a number come last.
 */
int64_t place_rank(const char *name);

#endif
