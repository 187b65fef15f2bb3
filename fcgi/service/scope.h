/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h -- which dwellings a member of staff answers for.
 *
 * Clerks and admins see their community, property staff their compound, a
 * grid worker the grid, a head the unit: as the post says today (domain
 * rules 7).  All else is absent.  Held by the posts valid at rq->now, not
 * by the session's roles alone.
 */
#ifndef SERVICE_SCOPE_H
#define SERVICE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "http/route.h"

struct req;

/* Those who see the whole community. */
#define SCOPE_WIDE	(ROLE_ADMIN | ROLE_CLERK)

/* Whether the caller sees the whole community; 1 or 0 to bind in SQL. */
bool scope_wide(const struct req *);

/*
 * SQL: whether dwelling `d` (an expression, with the community's id in `c`)
 * is the caller's.  `wide`, `user`, `now` are parameters ("$2") bound to
 * scope_wide, the caller's id and rq->now.
 */
#define SCOPE_COVERS(c, d, wide, user, now)				\
	"(CAST(" wide " AS BIGINT) = 1 OR EXISTS (SELECT 1"		\
	" FROM post sp JOIN unit_dwelling sd"				\
	" ON sd.community_id = sp.community_id AND sd.dwelling_id = " d	\
	" AND sd.from_at <= " now " AND (sd.to_at IS NULL"		\
	" OR sd.to_at > " now ")"					\
	" JOIN unit_grid sg ON sg.community_id = sd.community_id"	\
	" AND sg.unit_id = sd.unit_id AND sg.from_at <= " now		\
	" AND (sg.to_at IS NULL OR sg.to_at > " now ")"			\
	" JOIN place sq ON sq.community_id = sd.community_id"		\
	" AND sq.id = sd.dwelling_id"					\
	" WHERE sp.community_id = " c " AND sp.user_id = " user		\
	" AND sp.from_at <= " now " AND (sp.to_at IS NULL"		\
	" OR sp.to_at > " now ")"					\
	" AND ((sp.scope = 'unit' AND sp.scope_id = sd.unit_id)"	\
	" OR (sp.scope = 'grid' AND sp.scope_id = sg.grid_id)"		\
	" OR (sp.scope = 'compound'"					\
	" AND sp.scope_id = sq.compound_id)"				\
	" OR sp.scope = 'community')))"

/* OK when it is the caller's, else ERR_ABSENT. */
enum err scope_dwelling(struct req *, int64_t dwelling_id);
enum err scope_unit(struct req *, int64_t unit_id);
enum err scope_grid(struct req *, int64_t grid_id);

/*
 * Who answers for a dwelling now: the head's and the grid worker's user,
 * the deputy's when one stands in; 0 where nobody has logged in yet.
 */
struct scope_duty {
	int64_t		 grid_id;	/* 0: in no grid */
	int64_t		 unit_id;
	int64_t		 head_id;
	int64_t		 grid_worker_id;
};
enum err scope_duty_of(struct req *, int64_t dwelling_id,
    struct scope_duty *ret);

/*
 * A number was proved to be the caller's: posts that wait for it become
 * theirs, and the roles with them.  In a transaction; sessions are synced
 * by the caller of it after the commit.
 */
enum err scope_claim(struct req *, int64_t user_id, const char *phone_index);

#endif
