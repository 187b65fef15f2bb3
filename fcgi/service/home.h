/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home.h -- homes of users, as the files about people share them.
 *
 * home_flow.c   how a home is asked for, bound, refused, ended
 * home_roster.c linking a home to the person in the roster
 * home.c        views, lists, routes
 */
#ifndef SERVICE_HOME_H
#define SERVICE_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/flow.h"

struct req;

#define HOME_MAX	10	/* open homes of one user */

extern const struct flow home_flow;
/* States in the order of the flow, and how a home came; NULL-ended. */
extern const char *const home_states[];
extern const char *const home_vias[];

/* A home that is to be. */
struct home_new {
	int64_t		 owner_id;
	int64_t		 dwelling_id;
	const char	*via;
	const char	*name;
	const char	*relation;
	const char	*tenancy;
	int64_t		 household_id;	/* 0: not known */
	int64_t		 person_id;
};

/*
 * Insert it, bound (`match` or `enter`) or asked for, as `event` of the
 * flow begins it; its id through ret_id.  ERR_ABSENT: no such dwelling.
 */
enum err home_start(struct req *, const char *event,
    const struct home_new *, int64_t *ret_id);

/*
 * End every open home of the caller, in all communities: the account is
 * being closed.
 */
enum err home_leave_all(struct req *);

/*
 * The roster has changed: end the bound homes of the caller's community
 * whose person is no longer an open member of the household they are
 * linked to.  0 for household or person: of any.  In a transaction, after
 * the change; what others write is found within a minute by a task.
 */
enum err home_end_of(struct req *, int64_t household_id, int64_t person_id);

/* ---- between the files of homes ---- */

/* What a member of staff says with an event. */
struct home_event_in {
	int64_t		 id;
	int64_t		 event;
	int64_t		 household_id;
	int64_t		 person_id;
	bool		 enter;		/* write the asker into the roster */
	const char	*reason;
};

/* Where a home lies and who asks, for the hooks. */
struct home_facts {
	int64_t		 dwelling_id;
	int64_t		 owner_id;
	const char	*name;
	const char	*relation;
	const char	*tenancy;
	const char	*phone;		/* sealed, or NULL */
	const char	*phone_index;
};

/*
 * The person and household that the approver chose, or, with `enter`,
 * made from what the asker said; zeros when none was chosen.
 */
enum err home_roster_find(struct req *, const struct home_facts *,
    const struct home_event_in *, int64_t *ret_household,
    int64_t *ret_person);

/* SQL: the caller ($user) has a post for where home `t` lies. */
#define HOME_AREA(user, now)						\
	"EXISTS (SELECT 1 FROM unit_dwelling ad JOIN post ap"		\
	" ON ap.community_id = ad.community_id AND ap.user_id = " user	\
	" AND " SCOPE_VALID("ap", now)					\
	" WHERE ad.community_id = t.community_id"			\
	" AND ad.dwelling_id = t.dwelling_id AND " SCOPE_VALID("ad", now) \
	" AND ((ap.role = 'head' AND ap.scope = 'unit'"			\
	" AND ap.scope_id = ad.unit_id) OR (ap.role = 'grid'"		\
	" AND ap.scope = 'grid' AND ap.scope_id IN (SELECT ag.grid_id"	\
	" FROM unit_grid ag WHERE ag.community_id = ad.community_id"	\
	" AND ag.unit_id = ad.unit_id AND " SCOPE_VALID("ag", now) "))))"

void home_flow_register(void);
void home_roster_register(void);

#endif
