/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c -- which dwellings a member of staff answers for.
 *
 * Always asked of the posts valid now, so that a post that ends, or a
 * deputy's that begins, counts from that moment on.
 */
#include <stdbool.h>

#include "http/req.h"
#include "service/post.h"
#include "service/scope.h"
#include "service/service.h"

struct scope_found {
	int64_t		 id;
};

static const struct view_column scope_found_columns[] = {
	C_ID(scope_found, id),
	C_END
};
static const struct view scope_found_view =
    VIEW(scope_found, "ScopeFound");

static const struct view_column scope_duty_columns[] = {
	C_ID(scope_duty, grid_id),
	C_ID(scope_duty, unit_id),
	C_ID(scope_duty, head_id),
	C_ID(scope_duty, grid_worker_id),
	C_END
};
static const struct view scope_duty_view = VIEW(scope_duty, "ScopeDuty");

/*
 * $1 community, $2 the thing, $3 bits, $4 the caller, $5 now; `bit` as in
 * SCOPE_HAS
 */
#define MY_POST(role, bit, scoped, id)					\
	" FROM post sp WHERE " SCOPE_HAS("$3", bit)			\
	" AND sp.community_id = $1 AND sp.user_id = $4"			\
	" AND sp.role = '" role "'"					\
	" AND " SCOPE_VALID("sp", "$5")	" AND sp.scope = '" scoped "'"	\
	" AND sp.scope_id = " id

/*
 * The user in a post of `role` for what `id` names; who stands in goes
 * first, and of two the one who began last.
 */
#define HOLDER(role, scoped, id)					\
	"(SELECT hp.user_id FROM post hp"				\
	" JOIN app_user hu ON hu.id = hp.user_id"			\
	" AND hu.closed_at IS NULL"					\
	" WHERE hp.community_id = $1 AND hp.scope = '" scoped "'"	\
	" AND hp.scope_id = " id " AND hp.role = '" role "' AND "	\
	SCOPE_VALID("hp", "$3")						\
	" ORDER BY CASE WHEN hp.deputy_of IS NULL THEN 1 ELSE 0 END,"	\
	" hp.from_at DESC, hp.id DESC LIMIT 1)"

enum { FIND_DWELLING, FIND_UNIT, FIND_GRID, FIND_DUTY, FIND_SQL_MAX };

static struct stmt scope_sql[] = {
	[FIND_DWELLING] = { RO, 5, &scope_found_view,
	    "SELECT p.id FROM place p WHERE p.community_id = $1"
	    " AND p.id = $2 AND p.kind = 'dwelling'"
	    " AND (" SCOPE_HAS("$3", "1") " OR EXISTS (SELECT 1"
	    MY_POST("property", "8", "compound", "p.compound_id") ")"
	    " OR EXISTS (SELECT 1 FROM unit_dwelling sd"
	    " WHERE sd.community_id = $1 AND sd.dwelling_id = p.id AND "
	    SCOPE_VALID("sd", "$5") " AND (EXISTS (SELECT 1"
	    MY_POST("head", "2", "unit", "sd.unit_id") ")"
	    " OR EXISTS (SELECT 1 FROM unit_grid sg"
	    " WHERE sg.community_id = $1 AND sg.unit_id = sd.unit_id AND "
	    SCOPE_VALID("sg", "$5") " AND EXISTS (SELECT 1"
	    MY_POST("grid", "4", "grid", "sg.grid_id") ")))))",
	    NULL, 0 },
	[FIND_UNIT] = { RO, 5, &scope_found_view,
	    "SELECT n.id FROM unit n WHERE n.community_id = $1"
	    " AND n.id = $2 AND (" SCOPE_HAS("$3", "1")
	    " OR EXISTS (SELECT 1" MY_POST("head", "2", "unit", "n.id") ")"
	    " OR EXISTS (SELECT 1 FROM unit_grid sg"
	    " WHERE sg.community_id = $1 AND sg.unit_id = n.id AND "
	    SCOPE_VALID("sg", "$5") " AND EXISTS (SELECT 1"
	    MY_POST("grid", "4", "grid", "sg.grid_id") ")))",
	    NULL, 0 },
	[FIND_GRID] = { RO, 5, &scope_found_view,
	    "SELECT g.id FROM grid g WHERE g.community_id = $1"
	    " AND g.id = $2 AND (" SCOPE_HAS("$3", "1")
	    " OR EXISTS (SELECT 1" MY_POST("grid", "4", "grid", "g.id")
	    "))", NULL, 0 },
	[FIND_DUTY] = { RO, 3, &scope_duty_view,
	    "SELECT COALESCE((SELECT sg.grid_id FROM unit_grid sg"
	    " WHERE sg.community_id = $1 AND sg.unit_id = sd.unit_id AND "
	    SCOPE_VALID("sg", "$3") "), 0) AS grid_id, sd.unit_id,"
	    " COALESCE(" HOLDER("head", "unit", "sd.unit_id") ", 0)"
	    " AS head_id, COALESCE((SELECT " HOLDER("grid", "grid",
	    "sg.grid_id") " FROM unit_grid sg WHERE sg.community_id = $1"
	    " AND sg.unit_id = sd.unit_id AND " SCOPE_VALID("sg", "$3")
	    "), 0) AS grid_worker_id FROM unit_dwelling sd"
	    " WHERE sd.community_id = $1 AND sd.dwelling_id = $2 AND "
	    SCOPE_VALID("sd", "$3"), NULL, 0 },
};

int64_t
scope_bits(const struct req *rq)
{
	uint64_t	as = rq->route == NULL ? 0 :
			    rq->who.roles & rq->route->who;
	int64_t		bits = 0;

	if ((as & SCOPE_WIDE) != 0 || (rq->who.roles & ROLE_PLATFORM) != 0)
		bits |= SCOPE_ALL;
	if (as & ROLE_HEAD)
		bits |= SCOPE_HEAD;
	if (as & ROLE_GRID)
		bits |= SCOPE_GRID;
	if (as & ROLE_PROPERTY)
		bits |= SCOPE_PROPERTY;
	return bits;
}

bool
scope_wide(const struct req *rq)
{
	return (scope_bits(rq) & SCOPE_ALL) != 0;
}

static enum err
covers(struct req *rq, int which, int64_t id)
{
	struct scope_found	row;

	return db_one(rq->db, rq->arena, &scope_sql[which],
	    WITH(V(rq->who.community_id), V(id), V(scope_bits(rq)),
	    V(rq->who.user_id), V(rq->now)), &row);
}

enum err
scope_dwelling(struct req *rq, int64_t dwelling_id)
{
	return covers(rq, FIND_DWELLING, dwelling_id);
}

enum err
scope_unit(struct req *rq, int64_t unit_id)
{
	return covers(rq, FIND_UNIT, unit_id);
}

enum err
scope_grid(struct req *rq, int64_t grid_id)
{
	return covers(rq, FIND_GRID, grid_id);
}

enum err
scope_duty_of(struct req *rq, int64_t dwelling_id, struct scope_duty *ret)
{
	struct scope_duty	row = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &scope_sql[FIND_DUTY],
	    WITH(V(rq->who.community_id), V(dwelling_id), V(rq->now)), &row);
	if (e != OK && e != ERR_ABSENT)
		return e;
	*ret = row;
	return OK;
}

enum err
scope_claim(struct req *rq, int64_t user_id, const char *phone_index)
{
	return post_claim(rq, user_id, phone_index);
}

void
scope_register(void)
{
	db_register(scope_sql, FIND_SQL_MAX);
}
