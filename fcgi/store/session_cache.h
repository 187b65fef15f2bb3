/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_cache.h -- sessions kept in the process, and who keeps them true.
 *
 * The table (session_cache.c) answers only while it is switched on, and
 * the watcher (session_watch.c) switches it on only while Redis tells it
 * of every change.  Who misses gets a ticket; what is read from Redis then
 * is kept only if nothing happened to that part of the table since.
 */
#ifndef STORE_SESSION_CACHE_H
#define STORE_SESSION_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/session.h"

#define SESSION_HASH	64	/* hex digits of a token's SHA-256 */

/* Room for `entries` (0: never answers), none older than `age_ms`. */
void session_cache_open(int64_t entries, int64_t age_ms);

/* Forget all, give the memory back. */
void session_cache_close(void);

/* Answer from now on, or forget all and be silent. */
void session_cache_switch(bool on);

/* True and *ret for a hit; else a ticket for session_cache_keep. */
bool session_cache_find(const char *hash, struct session *ret,
    uint64_t *ret_ticket);

/* Keep what was read after session_cache_find gave `ticket`. */
void session_cache_keep(const char *hash, const struct session *,
    uint64_t ticket);

/* Forget one; tickets given out for it before are void. */
void session_cache_drop(const char *hash);

/* Forget all (Redis was flushed). */
void session_cache_clear(void);

/* One change that Redis told of, for the statistics. */
void session_cache_told(void);

struct session_stats session_cache_stats(void);

/* Start and stop the thread that watches Redis. */
void session_watch_start(const char *where, int64_t db, int64_t timeout_ms);
void session_watch_stop(void);

#endif
