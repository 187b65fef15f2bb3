/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h -- who is calling, kept in Redis, cached in the process.
 *
 * A token is 256 random bits that only the client holds; Redis holds its
 * SHA-256 as  sess:HASH  and, per user,  user-sess:ID , the set of these.
 * Life slides: using a session renews it once a tenth of it has gone.
 *
 * The cache is kept true by Redis: one thread watches two connections,
 * A subscribed to __redis__:invalidate, B with CLIENT TRACKING ON REDIRECT
 * A BCAST PREFIX sess: .  When either is lost the cache is emptied and
 * stays off until both stand again.  An entry read while an invalidation
 * arrived is not kept, and no entry outlives its age limit.
 */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypt.h"
#include "base/err.h"

struct arena;
struct conf;
struct redis;

struct session {
	int64_t		user_id;
	int64_t		community_id;	/* 0 when none is chosen yet */
	uint64_t	roles;		/* ROLE_ bits in that community */
	bool		staff;		/* by password, with its short life */
	int64_t		life_ms;	/* slides by this much */
	int64_t		expires_at;
};

/* Start the process's cache and its watching thread.  Once. */
void session_start(const struct conf *);

/* Stop the thread and forget all. */
void session_stop(void);

/* Make a token for `s` (its expires_at is set here) and keep it. */
enum err session_open(struct redis *, struct session *s,
    char ret_token[CRYPT_TOKEN_MAX]);

/* Whose token this is; ERR_NO_SESSION for none, ended or malformed. */
enum err session_find(struct redis *, const char *token, int64_t now,
    struct session *ret);

/* End one; an unknown token is fine. */
enum err session_end(struct redis *, const char *token);

/* End all of a user's, except the one of token `keep` when not NULL. */
enum err session_end_all(struct redis *, struct arena *, int64_t user_id,
    const char *keep);

/* Write community and roles anew into all sessions of `user_id`. */
enum err session_refresh(struct redis *, struct arena *, int64_t user_id,
    int64_t community_id, uint64_t roles);

/* For /metrics. */
struct session_stats {
	int64_t hits, misses, invalidations, entries;
	bool tracking;
};
struct session_stats session_stats(void);

#endif
