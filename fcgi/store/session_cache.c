/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_cache.c -- a bounded table of sessions by token hash.
 *
 * Shards, each with its lock; in a shard buckets of WAYS entries, of which
 * the one not used for longest gives way.  Nothing is chained, so nothing
 * grows.  A shard's epoch moves whenever something is forgotten; a ticket
 * is that epoch, and 0 while the table is off.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "store/session_cache.h"

#define SHARDS_MAX	64
#define WAYS		8

struct entry {
	char		hash[SESSION_HASH];
	struct session	session;
	int64_t		kept_us;	/* 0: free */
	uint64_t	used;		/* shard's tick when last found */
};

struct shard {
	pthread_mutex_t	 lock;
	struct entry	*entries;	/* nbuckets * WAYS */
	uint64_t	 epoch;
	uint64_t	 tick;
	int64_t		 hits, misses;
	bool		 on;
} __attribute__((aligned(64)));

static struct shard	 shards[SHARDS_MAX] = {
	[0 ... SHARDS_MAX - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER }
};
static struct entry	*all;		/* the shards' entries, one block */
static size_t		 nshards;	/* 0: no cache */
static size_t		 nbuckets;	/* of a shard */
static int64_t		 age_us;
static atomic_llong	 told;
static atomic_bool	 tracking;

void
session_cache_open(int64_t entries, int64_t age_ms)
{
	size_t n = entries > 0 ? (size_t)entries : 0;

	session_cache_close();
	if (n == 0)
		return;
	nshards = (n + WAYS - 1) / WAYS;
	if (nshards > SHARDS_MAX)
		nshards = SHARDS_MAX;
	nbuckets = n / (nshards * WAYS);
	if (nbuckets == 0)
		nbuckets = 1;
	age_us = age_ms * 1000;
	all = calloc(nshards * nbuckets * WAYS, sizeof(*all));
	if (all == NULL)
		abort();
	for (size_t i = 0; i < nshards; i++)
		shards[i].entries = all + i * nbuckets * WAYS;
}

void
session_cache_close(void)
{
	session_cache_switch(false);
	nshards = 0;
	free(all);
	all = NULL;
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The hash is uniform: its first digits choose shard and bucket. */
static struct shard *
shard_of(const char *hash, struct entry **ret_bucket)
{
	uint32_t	 h = 0;
	struct shard	*s;

	for (int i = 0; i < 8; i++)
		h = h << 4 | ((unsigned)hex(hash[i]) & 15);
	s = &shards[h % nshards];
	*ret_bucket = s->entries + h / nshards % nbuckets * WAYS;
	return s;
}

static struct entry *
seek(struct entry *bucket, const char *hash)
{
	for (int i = 0; i < WAYS; i++)
		if (bucket[i].kept_us != 0 &&
		    memcmp(bucket[i].hash, hash, SESSION_HASH) == 0)
			return &bucket[i];
	return NULL;
}

static void
forget(struct entry *e)
{
	/* Not only the mark: who was logged in is nobody's business now. */
	memset(e, 0, sizeof(*e));
}

bool
session_cache_find(const char *hash, struct session *ret,
    uint64_t *ret_ticket)
{
	struct entry	*bucket, *e;
	struct shard	*s;
	bool		 found = false;

	*ret_ticket = 0;
	if (nshards == 0)
		return false;
	s = shard_of(hash, &bucket);
	pthread_mutex_lock(&s->lock);
	e = s->on ? seek(bucket, hash) : NULL;
	if (e != NULL && clock_mono_us() - e->kept_us > age_us) {
		forget(e);
		e = NULL;
	}
	if (e != NULL) {
		*ret = e->session;
		e->used = ++s->tick;
		found = true;
		s->hits++;
	} else {
		s->misses++;
		*ret_ticket = s->on ? s->epoch : 0;
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* The entry that gives way: a free one, or the one longest unused. */
static struct entry *
victim(struct entry *bucket)
{
	struct entry *oldest = bucket;

	for (int i = 0; i < WAYS; i++) {
		if (bucket[i].kept_us == 0)
			return &bucket[i];
		if (bucket[i].used < oldest->used)
			oldest = &bucket[i];
	}
	return oldest;
}

void
session_cache_keep(const char *hash, const struct session *session,
    uint64_t ticket)
{
	struct entry	*bucket, *e;
	struct shard	*s;

	if (nshards == 0 || ticket == 0)
		return;
	s = shard_of(hash, &bucket);
	pthread_mutex_lock(&s->lock);
	if (s->on && s->epoch == ticket) {
		if ((e = seek(bucket, hash)) == NULL)
			e = victim(bucket);
		memcpy(e->hash, hash, SESSION_HASH);
		e->session = *session;
		e->kept_us = clock_mono_us();
		e->used = ++s->tick;
	}
	pthread_mutex_unlock(&s->lock);
}

void
session_cache_drop(const char *hash)
{
	struct entry	*bucket, *e;
	struct shard	*s;

	if (nshards == 0)
		return;
	s = shard_of(hash, &bucket);
	pthread_mutex_lock(&s->lock);
	s->epoch++;
	if ((e = seek(bucket, hash)) != NULL)
		forget(e);
	pthread_mutex_unlock(&s->lock);
}

/* Forget all; afterwards `on` says whether the shards answer. */
static void
sweep(bool on)
{
	for (size_t i = 0; i < nshards; i++) {
		struct shard *s = &shards[i];

		pthread_mutex_lock(&s->lock);
		s->epoch++;
		s->on = on;
		memset(s->entries, 0,
		    sizeof(*s->entries) * nbuckets * WAYS);
		pthread_mutex_unlock(&s->lock);
	}
}

void
session_cache_switch(bool on)
{
	sweep(on);
	tracking = on;
}

void
session_cache_clear(void)
{
	sweep(tracking);
}

void
session_cache_told(void)
{
	told++;
}

struct session_stats
session_cache_stats(void)
{
	struct session_stats st = { .tracking = tracking };

	st.invalidations = told;
	for (size_t i = 0; i < nshards; i++) {
		struct shard *s = &shards[i];

		pthread_mutex_lock(&s->lock);
		st.hits += s->hits;
		st.misses += s->misses;
		for (size_t j = 0; j < nbuckets * WAYS; j++)
			st.entries += s->entries[j].kept_us != 0;
		pthread_mutex_unlock(&s->lock);
	}
	return st;
}
