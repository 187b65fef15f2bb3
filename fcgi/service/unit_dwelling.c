/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_dwelling.c -- the dwellings of a unit, and who answered for one at a
 * moment.
 *
 * A dwelling is in one unit at a time: where it is, is named to who would
 * put it into another, and it is moved only when that is wanted.
 */
#include "http/audit.h"
#include "http/req.h"
#include "service/grid.h"
#include "service/scope.h"
#include "service/service.h"
#include "service/unit_internal.h"

#define DWELLINGS_MAX 300	/* moved by one request */

struct dwelling_ref {
	int64_t		 id;
};

static const struct field dwelling_ref_fields[] = {
	F_ID(dwelling_ref, id, "房屋", MUST),
	F_END
};
static const struct shape dwelling_ref_shape =
    SHAPE(dwelling_ref, "DwellingRef");

struct unit_take {
	int64_t			 id;
	struct field_list	 dwellings;
	bool			 move;
};

static const struct field unit_take_fields[] = {
	F_ID(unit_take, id, "联户", MUST),
	F_LIST(unit_take, dwellings, "房屋", MUST, 1, DWELLINGS_MAX,
	    &dwelling_ref_shape),
	F_BOOL(unit_take, move, "从其他联户移入", MAY),
	F_END
};
static const struct shape unit_take_shape =
    SHAPE(unit_take, "UnitDwellings");

struct unit_drop {
	int64_t		 id;
	int64_t		 dwelling_id;
};

static const struct field unit_drop_fields[] = {
	F_ID(unit_drop, id, "联户", MUST),
	F_ID(unit_drop, dwelling_id, "房屋", MUST),
	F_END
};
static const struct shape unit_drop_shape =
    SHAPE(unit_drop, "UnitDwellingId");

struct duty_query {
	int64_t		 id;
	int64_t		 at;
};

static const struct field duty_query_fields[] = {
	F_ID(duty_query, id, "房屋", MUST),
	F_TIME(duty_query, at, "时间", MAY),
	F_END
};
static const struct shape duty_query_shape =
    SHAPE(duty_query, "DutyQuery");

static const struct view_column whereabouts_columns[] = {
	C_TEXT(whereabouts, what),
	C_ID(whereabouts, holder_id),
	C_TEXT(whereabouts, holder, .flags = VIEW_NULL),
	C_TIME(whereabouts, from_at),
	C_END
};
const struct view unit_dwelling_view =
    VIEW(whereabouts, "UnitWhereabouts");

struct duty {
	int64_t		 dwelling_id;
	const char	*place;
	int64_t		 at;
	int64_t		 grid_id;
	const char	*grid_code;
	const char	*grid;
	const char	*worker;
	const char	*worker_deputy;
	int64_t		 unit_id;
	const char	*unit_code;
	const char	*unit;
	const char	*head;
	const char	*head_deputy;
};

static const struct view_column duty_columns[] = {
	C_ID(duty, dwelling_id),
	C_TEXT(duty, place),
	C_TIME(duty, at),
	C_ID(duty, grid_id, .flags = VIEW_NULL),
	C_TEXT(duty, grid_code, .flags = VIEW_NULL),
	C_TEXT(duty, grid, .flags = VIEW_NULL),
	C_TEXT(duty, worker, .flags = VIEW_NULL),
	C_TEXT(duty, worker_deputy, .flags = VIEW_NULL),
	C_ID(duty, unit_id, .flags = VIEW_NULL),
	C_TEXT(duty, unit_code, .flags = VIEW_NULL),
	C_TEXT(duty, unit, .flags = VIEW_NULL),
	C_TEXT(duty, head, .flags = VIEW_NULL),
	C_TEXT(duty, head_deputy, .flags = VIEW_NULL),
	C_END
};
static const struct view duty_view = VIEW(duty, "DwellingDuty");

enum { HOME_PLACE, HOME_OUT, HOME_INTO, HOME_DUTY, HOME_SQL_MAX };

static struct stmt home_sql[] = {
	[HOME_PLACE] = { RO, 2, &unit_dwelling_view,
	    "SELECT p.full_name AS what,"
	    " COALESCE(ud.unit_id, 0) AS holder_id,"
	    " n.code || ' ' || n.name AS holder, ud.from_at FROM place p"
	    " LEFT JOIN unit_dwelling ud"
	    " ON ud.community_id = p.community_id"
	    " AND ud.dwelling_id = p.id AND ud.to_at IS NULL"
	    " LEFT JOIN unit n ON n.community_id = ud.community_id"
	    " AND n.id = ud.unit_id WHERE p.community_id = $1"
	    " AND p.id = $2 AND p.kind = 'dwelling'", NULL, 0 },
	[HOME_OUT] = { RW, 4, NULL,
	    "UPDATE unit_dwelling SET to_at = $4 WHERE community_id = $1"
	    " AND dwelling_id = $2 AND unit_id = $3 AND to_at IS NULL"
	    " AND from_at <= $4", NULL, 0 },
	[HOME_INTO] = { RW, 4, NULL,
	    "INSERT INTO unit_dwelling (community_id, dwelling_id, unit_id,"
	    " from_at) VALUES ($1, $2, $3, $4)", NULL, 0 },
	[HOME_DUTY] = { RO, 3, &duty_view,
	    "SELECT p.id AS dwelling_id, p.full_name AS place,"
	    " CAST($3 AS BIGINT) AS at, ug.grid_id, g.code AS grid_code,"
	    " g.name AS grid, "
	    DUTY_NAME("$1", "grid", "grid", "ug.grid_id", "$3", "")
	    " AS worker, "
	    DUTY_NAME("$1", "grid", "grid", "ug.grid_id", "$3", "NOT ")
	    " AS worker_deputy, ud.unit_id, n.code AS unit_code,"
	    " n.name AS unit, "
	    DUTY_NAME("$1", "head", "unit", "ud.unit_id", "$3", "")
	    " AS head, "
	    DUTY_NAME("$1", "head", "unit", "ud.unit_id", "$3", "NOT ")
	    " AS head_deputy FROM place p LEFT JOIN unit_dwelling ud"
	    " ON ud.community_id = p.community_id"
	    " AND ud.dwelling_id = p.id AND " SCOPE_VALID("ud", "$3")
	    " LEFT JOIN unit n ON n.community_id = ud.community_id"
	    " AND n.id = ud.unit_id LEFT JOIN unit_grid ug"
	    " ON ug.community_id = ud.community_id"
	    " AND ug.unit_id = ud.unit_id AND " SCOPE_VALID("ug", "$3")
	    " LEFT JOIN grid g ON g.community_id = ug.community_id"
	    " AND g.id = ug.grid_id WHERE p.community_id = $1"
	    " AND p.id = $2", NULL, 0 },
};

/* Another was faster, or the two moments are one. */
static enum err
moved_meanwhile(struct req *rq)
{
	return req_fail(rq, ERR_CONFLICT,
	    "归属刚刚有变化，请刷新后再试。");
}

enum err
unit_into(struct req *rq, const struct stmt *stmt, int64_t id,
    int64_t holder_id)
{
	enum err	e;

	e = db_run(rq->db, stmt,
	    WITH(V(rq->who.community_id), V(id), V(holder_id),
	    V(rq->now)), NULL);
	return e == ERR_UNIQUE ? moved_meanwhile(rq) : e;
}

enum err
unit_out_of(struct req *rq, const struct stmt *stmt, int64_t id,
    int64_t holder_id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, stmt,
	    WITH(V(rq->who.community_id), V(id), V(holder_id),
	    V(rq->now)), &n);
	return e == OK && n == 0 ? moved_meanwhile(rq) : e;
}

enum err
unit_waits(struct req *rq, const struct whereabouts *w)
{
	return req_failf(rq, ERR_CONFLICT, "%s已安排在以后调整到%s，"
	    "请先撤销那次边界调整。", w->what, w->holder);
}

static enum err
take_dwelling(struct req *rq, int64_t id, int64_t unit_id, bool move)
{
	struct whereabouts	w;
	enum err		e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_PLACE],
	    WITH(V(rq->who.community_id), V(id)), &w);
	if (e != OK)
		return e;
	if (w.holder_id != 0 && w.from_at > rq->now)
		return unit_waits(rq, &w);
	if (w.holder_id == unit_id)
		return OK;
	if (w.holder_id != 0 && !move)
		return req_failf(rq, ERR_CONFLICT, "%s现在属于联户 %s，"
		    "如需移入请确认从原联户移出。", w.what, w.holder);
	if (w.holder_id != 0 && (e = unit_out_of(rq,
	    &home_sql[HOME_OUT], id, w.holder_id)) != OK)
		return e;
	return unit_into(rq, &home_sql[HOME_INTO], id, unit_id);
}

static enum err
unit_take(struct req *rq)
{
	const struct unit_take		*in = rq->in;
	const struct dwelling_ref	*d = in->dwellings.items;
	enum err			 e;

	if ((e = unit_hold(rq, in->id)) != OK)
		return e;
	audit_thing(rq, "unit", in->id);
	for (size_t i = 0; i < in->dwellings.n; i++) {
		e = take_dwelling(rq, d[i].id, in->id, in->move);
		if (e == ERR_ABSENT)
			return req_field(rq, arena_fmt(rq->arena,
			    "dwellings[%zu].id", i), "not_found",
			    "没有找到这个房屋，请重新选择。");
		if (e != OK)
			return e;
	}
	return unit_answer(rq, in->id);
}

static enum err
unit_drop(struct req *rq)
{
	const struct unit_drop	*in = rq->in;
	int64_t			 n;
	enum err		 e;

	audit_thing(rq, "unit", in->id);
	e = db_run(rq->db, &home_sql[HOME_OUT],
	    WITH(V(rq->who.community_id), V(in->dwelling_id), V(in->id),
	    V(rq->now)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

static enum err
unit_duty(struct req *rq)
{
	const struct duty_query	*in = rq->in;
	struct duty		 row;
	enum err		 e;

	if ((e = scope_dwelling(rq, in->id)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &home_sql[HOME_DUTY],
	    WITH(V(rq->who.community_id), V(in->id),
	    V(field_given(rq, "at") ? in->at : rq->now)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static const struct route dwelling_routes[] = {
	{ POST, "/api/v1/units/{id}/dwellings", ROLE_ADMIN,
	    &unit_take_shape,
	    REPLY_ONE, &unit_full_view, 200, POOL_API, TX_WRITE,
	    unit_take, "Put dwellings into a unit, from now on" },
	{ DELETE, "/api/v1/units/{id}/dwellings/{dwelling_id}", ROLE_ADMIN,
	    &unit_drop_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    unit_drop, "Take a dwelling out of a unit, from now on" },
	{ GET, "/api/v1/dwellings/{id}/duty", UNIT_READERS | ROLE_PROPERTY,
	    &duty_query_shape,
	    REPLY_ONE, &duty_view, 200, POOL_API, TX_READ,
	    unit_duty, "Who answered for a dwelling at a moment" },
	{ 0 }
};

void
unit_dwelling_register(void)
{
	db_register(home_sql, HOME_SQL_MAX);
	route_register("grids", dwelling_routes);
}
