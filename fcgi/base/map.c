/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c -- numbers found by the hash of some key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"

#define MAP_START	1024	/* spots; a power of two, as all sizes */
#define FNV_START	0xcbf29ce484222325u
#define FNV_PRIME	0x100000001b3u

uint64_t
map_hash(uint64_t h, const char *s)
{
	if (h == 0)
		h = FNV_START;
	for (; *s != '\0'; s++) {
		h ^= (unsigned char)*s;
		h *= FNV_PRIME;
	}
	/* An end, so that "ab","c" and "a","bc" differ. */
	h ^= 0xff;
	h *= FNV_PRIME;
	return h != 0 ? h : 1;
}

uint64_t
map_hash_int(uint64_t h, int64_t v)
{
	char	text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	return map_hash(h, text);
}

void
map_free(struct map *m)
{
	free(m->spots);
	memset(m, 0, sizeof(*m));
}

/* The spot of this hash or the free one where it belongs. */
static struct map_spot *
spot_of(const struct map *m, uint64_t hash)
{
	size_t	i = (hash ^ hash >> 29) & (m->size - 1);

	while (m->spots[i].hash != 0 && m->spots[i].hash != hash)
		i = (i + 1) & (m->size - 1);
	return &m->spots[i];
}

static void
grow(struct map *m)
{
	struct map	 old = *m;
	size_t		 i;

	m->size = old.size > 0 ? old.size * 2 : MAP_START;
	m->spots = calloc(m->size, sizeof(*m->spots));
	if (m->spots == NULL) {
		log_error("event=out_of_memory map=%zu", m->size);
		abort();
	}
	for (i = 0; i < old.size; i++)
		if (old.spots[i].hash != 0)
			*spot_of(m, old.spots[i].hash) = old.spots[i];
	free(old.spots);
}

struct map_spot *
map_at(struct map *m, uint64_t hash, bool *ret_new)
{
	struct map_spot	*s;

	if ((m->used + 1) * 2 > m->size)
		grow(m);
	s = spot_of(m, hash);
	*ret_new = s->hash == 0;
	if (*ret_new) {
		s->hash = hash;
		m->used++;
	}
	return s;
}

struct map_spot *
map_find(const struct map *m, uint64_t hash)
{
	struct map_spot	*s;

	if (m->size == 0)
		return NULL;
	s = spot_of(m, hash);
	return s->hash != 0 ? s : NULL;
}
