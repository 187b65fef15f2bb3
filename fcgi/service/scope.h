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

/*
 * As what the caller may use this route, bits to bind in SQL: the roles
 * held that the route names, so that a second post opens no more than it
 * would alone.  What a head may not see is asked without SCOPE_HEAD.
 */
enum { SCOPE_ALL = 1, SCOPE_HEAD = 2, SCOPE_GRID = 4, SCOPE_PROPERTY = 8 };
int64_t scope_bits(const struct req *);

/* Whether the caller sees the whole community. */
bool scope_wide(const struct req *);

/* SQL: whether row `a`, with its from_at and to_at, is valid at `now`. */
#define SCOPE_VALID(a, now)						\
	"(" a ".from_at <= " now " AND (" a ".to_at IS NULL OR "	\
	a ".to_at > " now "))"

/* SQL: whether `bits` have bit `n` ("2" for SCOPE_HEAD and so on). */
#define SCOPE_HAS(bits, n)						\
	"(CAST(" bits " AS BIGINT) & " n ") <> 0"

/*
 * SQL: the dwellings, with their community, of the caller's posts as head
 * and as grid worker.  `bits`, `user`, `now` are parameters ("$2") bound
 * to scope_bits, the caller's id and rq->now.  CROSS JOIN holds SQLite to
 * the order of the tables.
 */
#define SCOPE_AS_HEAD(bits, user, now)					\
	"SELECT sd.community_id, sd.dwelling_id"			\
	" FROM post sp CROSS JOIN unit_dwelling sd"			\
	" WHERE " SCOPE_HAS(bits, "2") " AND sp.user_id = " user	\
	" AND sp.role = 'head' AND sp.scope = 'unit' AND "		\
	SCOPE_VALID("sp", now)						\
	" AND sd.community_id = sp.community_id"			\
	" AND sd.unit_id = sp.scope_id AND " SCOPE_VALID("sd", now)
#define SCOPE_AS_GRID(bits, user, now)					\
	"SELECT sd.community_id, sd.dwelling_id"			\
	" FROM post sp CROSS JOIN unit_grid sg"				\
	" CROSS JOIN unit_dwelling sd"					\
	" WHERE " SCOPE_HAS(bits, "4") " AND sp.user_id = " user	\
	" AND sp.role = 'grid' AND sp.scope = 'grid' AND "		\
	SCOPE_VALID("sp", now)						\
	" AND sg.community_id = sp.community_id"			\
	" AND sg.grid_id = sp.scope_id AND " SCOPE_VALID("sg", now)	\
	" AND sd.community_id = sg.community_id"			\
	" AND sd.unit_id = sg.unit_id AND " SCOPE_VALID("sd", now)

/*
 * SQL: both, each once, to drive a statement from; for who is not wide and
 * on routes that are not for property staff.
 */
#define SCOPE_MINE(bits, user, now)					\
	"(" SCOPE_AS_HEAD(bits, user, now)				\
	" UNION " SCOPE_AS_GRID(bits, user, now) ")"

/*
 * SQL: whether dwelling `d` (an expression, with the community's id in `c`)
 * is the caller's; and whether it is as head of its unit.
 *
 * The list in it names no row outside, so both engines make it once a
 * statement and look dwellings up in it.
 */
#define SCOPE_COVERS(c, d, bits, user, now)				\
	"(" SCOPE_HAS(bits, "1") " OR (" c ", " d ") IN ("		\
	SCOPE_AS_HEAD(bits, user, now)					\
	" UNION ALL " SCOPE_AS_GRID(bits, user, now)			\
	" UNION ALL SELECT sq.community_id, sq.id"			\
	" FROM post sp CROSS JOIN place sq"				\
	" WHERE " SCOPE_HAS(bits, "8") " AND sp.user_id = " user	\
	" AND sp.role = 'property' AND sp.scope = 'compound' AND "	\
	SCOPE_VALID("sp", now)						\
	" AND sq.community_id = sp.community_id"			\
	" AND sq.compound_id = sp.scope_id))"
#define SCOPE_HEADS(c, d, bits, user, now)				\
	"(" c ", " d ") IN (" SCOPE_AS_HEAD(bits, user, now) ")"

/* SQL: the bits but SCOPE_HEAD, to be given to the others. */
#define SCOPE_NOT_HEAD(bits)	"CAST(" bits " AS BIGINT) & 13"

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
