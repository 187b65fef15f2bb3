/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.h -- a connection to Redis, one a thread, over hiredis.
 *
 * RESP2 only, so that hiredis 0.14 (Debian 12) and 1.x (Debian 13) serve
 * alike.  A lost connection is opened again by the next call; between
 * failures a pause of up to one second keeps a dead Redis from costing
 * each request its time-out.  Every call may return ERR_AWAY.
 */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct redis;

/* `where` is unix:PATH or HOST:PORT; connects at the first call. */
struct redis *redis_new(const char *where, int64_t db, int64_t timeout_ms);
void redis_free(struct redis *);

enum err redis_ping(struct redis *);

/* ERR_ABSENT when there is no such key. */
enum err redis_get(struct redis *, struct arena *, const char *key,
    char **ret_value);

/*
 * Set with a life of `px` ms (0: for ever); `nx`: only when absent, then
 * ERR_CONFLICT when it is there.
 */
enum err redis_set(struct redis *, const char *key, const char *value,
    int64_t px, bool nx);

enum err redis_del(struct redis *, const char *key);

/* Delete `key` only while it holds `value` (releasing a lock). */
enum err redis_del_if(struct redis *, const char *key, const char *value);

/*
 * Add `by` to a counter that lives `px` ms from its first use; gives the
 * new count and the ms it has left.
 */
enum err redis_count(struct redis *, const char *key, int64_t by, int64_t px,
    int64_t *ret_count, int64_t *ret_left_ms);

/*
 * Any command as an argument vector; integer or status reply (0 for "+OK",
 * ERR_ABSENT for nil).
 */
enum err redis_command(struct redis *, int argc, const char **argv,
    int64_t *ret_integer);

/*
 * Any command whose reply is a list of strings, copied to the arena; an
 * item that is nil is NULL.
 */
enum err redis_list(struct redis *, struct arena *, int argc,
    const char **argv, const char ***ret_items, int *ret_n);

#endif
