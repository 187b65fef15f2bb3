/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.h -- what an account proves itself with, and how often it may
 * try.
 *
 * A try is counted before the password is looked at, by the name that was
 * typed: many at once are no more than the limit, a restart forgets none,
 * and a name that does not exist is locked as one that does.
 */
#ifndef SERVICE_CREDENTIAL_H
#define SERVICE_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct req;

struct credential {
	int64_t		 id;		/* 0: there is no such account */
	const char	*account;	/* or NULL */
	const char	*password;	/* argon2id string, or NULL */
	int64_t		 password_at;
	int64_t		 must_change;
	int64_t		 community_id;	/* 0 for none */
	int64_t		 staff_of;	/* 0 for the platform */
	const char	*totp;		/* sealed, or NULL */
	const char	*totp_new;
	int64_t		 totp_step;
};

#define CREDENTIAL_CODES 10	/* recovery codes */

void credential_register(void);

/* By account or id, closed ones not; ERR_ABSENT. */
enum err credential_by_account(struct req *, const char *account,
    struct credential *ret);
enum err credential_get(struct req *, int64_t id, struct credential *ret);

/*
 * Take one try at `account`; ERR_LOGIN_LOCKED with the seconds to wait in
 * rq->retry_after.  `user_id` is 0 for nobody's.  Commits by itself.
 */
enum err credential_try(struct req *, const char *account, int64_t user_id);

/* The try was none after all.  Commits by itself. */
enum err credential_untry(struct req *, const char *account);

/* It was the right one: forget the wrong ones.  In a transaction. */
enum err credential_fits(struct req *, const char *account);

/* Forget the wrong ones of a user.  In a transaction. */
enum err credential_unlock(struct req *, int64_t user_id);

/*
 * OK, ERR_CREDENTIALS, or ERR_BUSY when too many wait for argon2id.  Never
 * in a transaction.  A NULL hash takes as long and never fits.
 */
enum err credential_check(const char *hash, const char *password);

/*
 * OK when `password` may be the new one of `c`; else the field `name` is
 * faulty.  Never in a transaction.
 */
enum err credential_new_fits(struct req *, const struct credential *c,
    const char *name, const char *password);

/*
 * Another password, `must` be changed at once or not; ERR_CONFLICT when it
 * is no longer c's.  In a transaction.
 */
enum err credential_set(struct req *, const struct credential *c,
    const char *hash, bool must);

/* Whether `c` must change the password: told so, or it is too old. */
bool credential_stale(const struct req *, const struct credential *c);

/*
 * Use up a code of the authenticator, or a recovery code; OK, or ERR_TOTP.
 * In a transaction.
 */
enum err credential_totp(struct req *, const struct credential *c,
    const char *code);

/* Make recovery codes in place of those there are.  In a transaction. */
enum err credential_recovery(struct req *, int64_t id,
    const char *ret[CREDENTIAL_CODES]);

/* No second factor any more.  In a transaction. */
enum err credential_totp_off(struct req *, int64_t id);

#endif
