/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_internal.h -- what the store's own files need of hiredis.
 */
#ifndef STORE_REDIS_INTERNAL_H
#define STORE_REDIS_INTERNAL_H

#include <hiredis.h>

#include "store/redis.h"

/*
 * Connect, set the time-out and choose the database.  NULL when that
 * fails, the reason in `why`.  Broken pipes no longer kill the process.
 */
redisContext *redis_dial(const char *where, int64_t db, int64_t timeout_ms,
    char *why, size_t size);

/*
 * GET into a buffer.  ERR_ABSENT when there is no such key; what does not
 * fit reads as an empty string.
 */
enum err redis_fetch(struct redis *, const char *key, char *out,
    size_t size);

#endif
