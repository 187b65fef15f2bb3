/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.h -- who may act for whom, as other services ask for it.
 *
 * helper.c       grants that a person gives, sees and ends
 * helper_desk.c  the same at the service hall, for who has no phone
 */
#ifndef SERVICE_HELPER_H
#define SERVICE_HELPER_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "http/field.h"

struct json;
struct req;

#define HELPER_MAX	10	/* current helpers of one person */
#define HELPER_DAY	20	/* new grants of one person in 24 hours */

extern const struct view helper_view;

/*
 * A number was proved to be the caller's: grants that wait for it become
 * theirs.  In a transaction.
 */
enum err helper_claim(struct req *, int64_t user_id,
    const char *phone_index);

/*
 * End all that the caller gave and got, and forget the number in what they
 * got: the account is being closed.
 */
enum err helper_end_all(struct req *);

/* Write the caller's grants, both ways, as a JSON list. */
enum err helper_put_all(struct req *, struct json *);

/* ---- between the files of helpers ---- */

/* A grant that is to be. */
struct helper_new {
	int64_t		 id;		/* of a person; the desk's only */
	const char	*phone;
	const char	*name;
	int64_t		 rights;
	int64_t		 until;		/* 0: until it is taken back */
	const char	*note;
};

/*
 * Give it; its id through ret_id.  Refuses the elder's own number,
 * the caller's, one that has a grant, and one too many, also in a day.  An
 * elder whose helper the desk enters is told.
 */
enum err helper_give(struct req *, int64_t elder_id, const char *ground,
    const struct helper_new *, int64_t *ret_id);

/* Grant `id` that the elder gave, by the caller; ERR_ABSENT for none. */
enum err helper_revoke(struct req *, int64_t elder_id, int64_t id);

/* $1 is the one who looks: what is theirs is `given`. */
#define HELPER_COLUMNS							\
	"SELECT h.id, h.community_id, c.name AS community,"		\
	" h.elder_id, h.helper_id, h.name, h.phone_mask AS phone,"	\
	" e.name AS elder, h.rights AS bits, h.ground, h.note,"		\
	" h.from_at, h.to_at, h.used_at, h.created_at, h.revoked_at"	\
	" FROM helper h JOIN app_user e ON e.id = h.elder_id"		\
	" JOIN community c ON c.id = h.community_id"

void helper_desk_register(void);

#endif
