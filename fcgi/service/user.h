/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h -- a person as the services see one: row, roles, session.
 */
#ifndef SERVICE_USER_H
#define SERVICE_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct req;
struct session;

/* A person; `roles` are the bits held in the community chosen. */
struct user {
	int64_t		 id;
	const char	*name;
	const char	*phone;		/* sealed, or NULL */
	int64_t		 community_id;	/* VIEW_NULL_INT: none chosen */
	const char	*community;	/* its name, or NULL */
	const char	*password;	/* argon2id string, or NULL */
	uint64_t	 roles;		/* not a column */
};
extern const struct view user_view;

void user_register(void);

/* By id, openid or account, roles included; ERR_ABSENT when closed too. */
enum err user_get(struct req *, int64_t id, struct user *ret);
enum err user_by_openid(struct req *, const char *openid, struct user *ret);
enum err user_by_account(struct req *, const char *account,
    struct user *ret);

/* Make the person of `openid` if there is none yet.  In a transaction. */
enum err user_meet(struct req *, const char *openid, const char *unionid);

/*
 * Choose a community and be a resident of it; ERR_ABSENT when there is no
 * such community, ERR_NO_SESSION when the account was closed meanwhile.
 * In a transaction.
 */
enum err user_settle(struct req *, int64_t id, int64_t community_id);

/*
 * Set name; keep the number, sealed, with its index.  ERR_NO_SESSION when
 * the account was closed meanwhile.  In a transaction.
 */
enum err user_rename(struct req *, int64_t id, const char *name);
enum err user_set_phone(struct req *, int64_t id, const char *phone);

/* Give a role; harmless when it is held.  In a transaction. */
enum err user_grant(struct req *, int64_t community_id, int64_t id,
    const char *role);

/*
 * Make all sessions of `u` hold what the database holds, and `u` too: what
 * changes meanwhile is seen by the second look.
 */
enum err user_sync(struct req *, struct user *u);

/* What a session of this person holds, `life_ms` long. */
struct session user_session(const struct user *, bool staff,
    int64_t life_ms);

#endif
