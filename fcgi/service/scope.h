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

/* SQL: whether row `a`, with its from_at and to_at, is valid at `now`. */
#define SCOPE_VALID(a, now)						\
	"(" a ".from_at <= " now " AND (" a ".to_at IS NULL OR "	\
	a ".to_at > " now "))"

/*
 * SQL: whether dwelling `d` (an expression, with the community's id in `c`)
 * is the caller's.  `wide`, `user`, `now` are parameters ("$2") bound to
 * scope_wide, the caller's id and rq->now.
 *
 * The list in it names no row outside, so both engines make it once a
 * statement and look dwellings up in it; CROSS JOIN holds SQLite to the
 * order of the tables.
 */
#define SCOPE_COVERS(c, d, wide, user, now)				\
	"(CAST(" wide " AS BIGINT) = 1 OR (" c ", " d ") IN ("		\
	"SELECT sd.community_id, sd.dwelling_id"			\
	" FROM post sp CROSS JOIN unit_dwelling sd"			\
	" WHERE sp.user_id = " user					\
	" AND sp.role = 'head' AND sp.scope = 'unit' AND "		\
	SCOPE_VALID("sp", now)						\
	" AND sd.community_id = sp.community_id"			\
	" AND sd.unit_id = sp.scope_id AND " SCOPE_VALID("sd", now)	\
	" UNION ALL SELECT sd.community_id, sd.dwelling_id"		\
	" FROM post sp CROSS JOIN unit_grid sg"				\
	" CROSS JOIN unit_dwelling sd WHERE sp.user_id = " user		\
	" AND sp.role = 'grid' AND sp.scope = 'grid' AND "		\
	SCOPE_VALID("sp", now)						\
	" AND sg.community_id = sp.community_id"			\
	" AND sg.grid_id = sp.scope_id AND " SCOPE_VALID("sg", now)	\
	" AND sd.community_id = sg.community_id"			\
	" AND sd.unit_id = sg.unit_id AND " SCOPE_VALID("sd", now)	\
	" UNION ALL SELECT sq.community_id, sq.id"			\
	" FROM post sp CROSS JOIN place sq WHERE sp.user_id = " user	\
	" AND sp.role = 'property' AND sp.scope = 'compound' AND "	\
	SCOPE_VALID("sp", now)						\
	" AND sq.community_id = sp.community_id"			\
	" AND sq.compound_id = sp.scope_id))"

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
