/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h -- who is calling, kept in Redis, cached in the process.
 *
 * A token is 256 random bits that only the client holds; Redis holds its
 * SHA-256 as  sess:HASH  and, per user,  user-sess:ID , the set of these;
 * beside each,  sess-from:HASH  says from where it was opened.
 * Life slides: using a session renews it once a tenth of it has gone; but
 * no use carries it past `until_at`.
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
	bool		staff;		/* of the console: a short life */
	bool		must_change;	/* the password first (staff only) */
	int64_t		life_ms;	/* slides by this much */
	int64_t		expires_at;
	int64_t		until_at;	/* its end in any case; 0: none */
};

/* From where a session was opened; text of at most SESSION_FROM_MAX. */
#define SESSION_FROM_MAX 64
struct session_from {
	const char	*address;
	const char	*device;
};

/* One of a user's sessions, as the user sees it. */
struct session_row {
	int64_t		 id;		/* neither token nor hash tells it */
	bool		 current;
	bool		 staff;
	int64_t		 opened_at;
	int64_t		 used_at;	/* as its life slides */
	int64_t		 expires_at;
	const char	*address;
	const char	*device;
};

/* Start the process's cache and its watching thread.  Once. */
void session_start(const struct conf *);

/* Stop the thread and forget all. */
void session_stop(void);

/* Make a token for `s` (its expires_at is set here) and keep it. */
enum err session_open(struct redis *, struct session *s,
    char ret_token[CRYPT_TOKEN_MAX]);

/* The same, and remember from where it was opened. */
enum err session_open_from(struct redis *, struct session *s,
    const struct session_from *, char ret_token[CRYPT_TOKEN_MAX]);

/* When it ends although it is not used again before. */
int64_t session_end_at(const struct session *);

/* Whose token this is; ERR_NO_SESSION for none, ended or malformed. */
enum err session_find(struct redis *, const char *token, int64_t now,
    struct session *ret);

/* End one; an unknown token is fine. */
enum err session_end(struct redis *, const char *token);

/* End all of a user's, except the one of token `keep` when not NULL. */
enum err session_end_all(struct redis *, struct arena *, int64_t user_id,
    const char *keep);

/*
 * All of a user's, the newest first; `token` is the current one (or NULL).
 */
enum err session_list(struct redis *, struct arena *, int64_t user_id,
    const char *token, const struct session_row **ret, int *ret_n);

/* End the one of `user_id` that session_list calls `id`; ERR_ABSENT. */
enum err session_end_one(struct redis *, struct arena *, int64_t user_id,
    int64_t id);

/* The password was changed: no session of `user_id` must do so any more. */
enum err session_relieve(struct redis *, struct arena *, int64_t user_id);

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
