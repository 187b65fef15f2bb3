/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.h -- what the files about one's own data share.
 *
 * privacy.c         who looked at my record
 * privacy_export.c  all that is mine, as JSON or as a page to read
 * privacy_close.c   closing the account, and what must stay
 */
#ifndef SERVICE_PRIVACY_H
#define SERVICE_PRIVACY_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct json;
struct req;
struct stmt;

/* A look at a person's record. */
struct look {
	int64_t		 id;		/* in the order of time */
	int64_t		 at;
	const char	*who;
	const char	*action;
	const char	*reason;
	const char	*actor;
	const char	*role;
	const char	*person;
};
extern const struct view privacy_look_view;

/*
 * Looks by others at the persons that the caller's homes stand for, newest
 * first: community, user, after (0: from the start), limit.
 */
extern struct stmt *const privacy_looks;

/* What was done, and who did it, in Chinese. */
const char *privacy_action(const struct look *);
const char *privacy_role(const struct look *);

/* What stays when an account is closed, and why; NULL ends it. */
struct stay {
	const char	*what, *why, *until;
};
extern const struct stay privacy_stays[];
void privacy_put_stays(struct json *);

void privacy_export_register(void);
void privacy_close_register(void);

#endif
