/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h -- numbers found by the hash of some key.
 *
 * For tables too large to be searched and too large for an arena, which
 * would keep each smaller one: the rows of a file of a million lines.  The
 * key itself is not kept; two keys of one hash are one.  Give a map that
 * must end with an arena to arena_later.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is kept of one key, zeroed when it is made. */
struct map_spot {
	uint64_t	 hash;		/* 0: free */
	int64_t		 a;
	int32_t		 b, c;
};

/* All zero is an empty map.  Open addressing, at most half full. */
struct map {
	struct map_spot	*spots;
	size_t		 size, used;
};

/* Give the memory back; the map is empty then. */
void map_free(struct map *);

/*
 * The spot of this hash, made when there is none; *ret_new says so.  Good
 * until the next call.  Without memory the process ends, as in an arena.
 */
struct map_spot *map_at(struct map *, uint64_t hash, bool *ret_new);

/* Or NULL. */
struct map_spot *map_find(const struct map *, uint64_t hash);

/*
 * The hash (FNV-1a) of a text or a number, going on from `h`, which is 0
 * for the first of a key; never 0.
 */
uint64_t map_hash(uint64_t h, const char *s);
uint64_t map_hash_int(uint64_t h, int64_t v);

#endif
