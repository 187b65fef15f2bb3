/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_person.h -- people with an account, as planetctl makes them.
 */
#ifndef CTL_PERSON_H
#define CTL_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct db;

struct ctl_person {
	int64_t		 id;
	const char	*account;
	const char	*password;	/* argon2id string */
	const char	*name;
	const char	*openid;	/* NULL: logs in by password alone */
	int64_t		 community_id;	/* chosen, and administers it; or 0 */
	bool		 must_change;	/* the password, at the first log-in */
};

void ctl_person_register(void);

/* The id of an account, closed ones too; ERR_ABSENT when there is none. */
enum err ctl_person_find(struct db *, struct arena *, const char *account,
    int64_t *ret_id);

/* Add one under a new id, given through p->id.  In a transaction. */
enum err ctl_person_add(struct db *, struct ctl_person *p);

/*
 * Give a role; the role platform counts everywhere and is kept under
 * community 0.  Harmless when it is held.  In a transaction.
 */
enum err ctl_person_grant(struct db *, int64_t id, int64_t community_id,
    const char *role);

/*
 * Another password, to be changed at the next log-in or not; what was
 * locked is open again.  In a transaction.
 */
enum err ctl_person_password(struct db *, int64_t id, const char *hash,
    bool must_change);

#endif
