/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.c -- counting requests by the minute.
 *
 * The count of a minute is one key in Redis.  For a large limit a process
 * takes a block from it at a time and spends it here; what a process has
 * not spent by the end of the minute is lost, so the limit may be felt up
 * to a block a process too early and never too late.  The table of blocks
 * is bounded.  What is left of a block never gives way to somebody else:
 * who finds no place is counted one by one.  One thread at a time gets a
 * block; if all did at once, the last would find a limit that nobody has
 * reached yet.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypt.h"

#include "store/limit.h"
#include "store/redis.h"

#define WHO_MAX		64	/* longer ones are hashed */
#define EXACT_MAX	60	/* up to here one by one */
#define BLOCKS		16	/* a limit is leased in so many */
#define KEY_MAX		96
#define SHARDS		16
#define BUCKETS		64
#define WAYS		8
#define WAIT_US		200	/* for another thread's block, each time */
#define WAITS		50

/* A block being spent. */
struct lease {
	char	name[KEY_MAX];		/* what:who; empty when free */
	int64_t	window;			/* minute it belongs to */
	int64_t	left;
	bool	denied;			/* the minute is used up */
	bool	fetching;		/* a thread is getting a block */
};

static struct lease	leases[SHARDS][BUCKETS][WAYS];
static pthread_mutex_t	locks[SHARDS] = {
	[0 ... SHARDS - 1] = PTHREAD_MUTEX_INITIALIZER
};

static uint32_t
hash_of(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h ^ h >> 15;
}

/*
 * The lease of `name` for this minute, made empty when there is none;
 * NULL when the bucket is full of what others may still spend.
 */
static struct lease *
lease_of(const char *name, uint32_t hash, int64_t window)
{
	struct lease	*bucket = leases[hash % SHARDS]
			    [hash / SHARDS % BUCKETS];
	struct lease	*l = NULL, *spare = NULL;

	for (int i = 0; i < WAYS && l == NULL; i++) {
		if (strcmp(bucket[i].name, name) == 0)
			l = &bucket[i];
		else if (bucket[i].window >= window &&
		    (bucket[i].left > 0 || bucket[i].fetching))
			continue;
		/* The oldest minute gives way, then one that is spent. */
		if (spare == NULL || bucket[i].window < spare->window)
			spare = &bucket[i];
	}
	if (l == NULL) {
		if ((l = spare) == NULL)
			return NULL;
		snprintf(l->name, sizeof(l->name), "%s", name);
		l->window = window - 1;
	}
	if (l->window != window) {
		l->window = window;
		l->left = 0;
		l->denied = false;
		l->fetching = false;
	}
	return l;
}

/*
 * Spend one from the lease: OK, ERR_LIMITED, ERR_ABSENT: get more, then
 * stock, or ERR_AGAIN: another thread is getting more.  *ret_block becomes
 * 1 when there is no place for more than that.
 */
static enum err
spend(const char *name, uint32_t hash, int64_t window, int64_t *ret_block)
{
	struct lease	*l;
	enum err	 e = ERR_ABSENT;

	pthread_mutex_lock(&locks[hash % SHARDS]);
	l = lease_of(name, hash, window);
	if (l == NULL)
		*ret_block = 1;
	else if (l->left > 0) {
		l->left--;
		e = OK;
	} else if (l->fetching)
		e = ERR_AGAIN;
	else if (l->denied)
		e = ERR_LIMITED;
	else
		l->fetching = true;
	pthread_mutex_unlock(&locks[hash % SHARDS]);
	return e;
}

/* The same, waiting for the other thread; ERR_AGAIN when it takes long. */
static enum err
spend_patiently(const char *name, uint32_t hash, int64_t window,
    int64_t *ret_block)
{
	static const struct timespec	pause = { 0, WAIT_US * 1000 };
	enum err			e;
	int				i;

	e = spend(name, hash, window, ret_block);
	for (i = 0; e == ERR_AGAIN && i < WAITS; i++) {
		nanosleep(&pause, NULL);
		e = spend(name, hash, window, ret_block);
	}
	return e;
}

/* Put what Redis granted beyond the one now spent into the lease. */
static void
stock(const char *name, uint32_t hash, int64_t window, int64_t granted,
    enum err e)
{
	struct lease *l;

	pthread_mutex_lock(&locks[hash % SHARDS]);
	l = lease_of(name, hash, window);
	if (l != NULL) {
		l->fetching = false;
		l->left += granted > 0 ? granted - 1 : 0;
		l->denied = e == ERR_LIMITED;
	}
	pthread_mutex_unlock(&locks[hash % SHARDS]);
}

/* Take up to `block` from the minute's count in Redis. */
static enum err
take_block(struct redis *r, const char *name, int64_t window, int64_t block,
    int64_t limit, int64_t *ret_granted)
{
	char		key[KEY_MAX + 32];
	int64_t		count, left;
	enum err	e;

	snprintf(key, sizeof(key), "limit:%s:%lld", name,
	    (long long)window);
	if ((e = redis_count(r, key, block, CLOCK_MINUTE + CLOCK_SECOND,
	    &count, &left)) != OK)
		return e;
	/* The last block may reach beyond the limit. */
	*ret_granted = count <= limit ? block : limit - (count - block);
	return *ret_granted > 0 ? OK : ERR_LIMITED;
}

enum err
limit_take(struct redis *r, const char *what, const char *who,
    int64_t per_minute, int64_t now, int *ret_wait)
{
	int64_t		window = now / CLOCK_MINUTE, block, granted = 0;
	char		name[KEY_MAX], digest[CRYPT_HEX_MAX];
	uint32_t	hash;
	bool		exact = per_minute <= EXACT_MAX;
	enum err	e = ERR_ABSENT;

	if (per_minute <= 0)
		return OK;
	if (strlen(who) > WHO_MAX) {
		crypt_sha256(who, strlen(who), digest);
		who = digest;
	}
	snprintf(name, sizeof(name), "%.24s:%s", what, who);
	block = exact ? 1 : per_minute / BLOCKS;
	hash = hash_of(name);
	if (!exact)
		e = spend_patiently(name, hash, window, &block);
	if (e == ERR_AGAIN)
		e = take_block(r, name, window, 1, per_minute, &granted);
	else if (e == ERR_ABSENT) {
		e = take_block(r, name, window, block, per_minute, &granted);
		if (!exact)
			stock(name, hash, window, granted, e);
	}
	if (e == ERR_LIMITED)
		*ret_wait = (int)((CLOCK_MINUTE - now % CLOCK_MINUTE +
		    CLOCK_SECOND - 1) / CLOCK_SECOND);
	return e;
}
