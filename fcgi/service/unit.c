/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.c -- ten-household units, and the grid that each is in.
 *
 * A unit is in one grid at a time; the row that has no end says where.  A
 * row that begins later belongs to borders that are to be redrawn, and is
 * not touched here.
 */
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/grid.h"
#include "service/scope.h"
#include "service/service.h"
#include "service/unit_internal.h"

#define UNIT_COLUMNS(s)							\
	C_ID(s, id),							\
	C_TEXT(s, code),						\
	C_TEXT(s, name),						\
	C_ID(s, grid_id, .flags = VIEW_NULL),				\
	C_TEXT(s, grid, .flags = VIEW_NULL, .about = "its name"),	\
	C_INT(s, dwellings),						\
	C_INT(s, households),						\
	C_TEXT(s, head, .flags = VIEW_NULL, .about = "name"),		\
	C_TEXT(s, deputy, .flags = VIEW_NULL,				\
	    .about = "who stands in for the head now"),			\
	C_TIME(s, from_at),						\
	C_TIME(s, to_at, .flags = VIEW_NULL)

static const struct view_column unit_columns[] = {
	UNIT_COLUMNS(unit),
	C_END
};
const struct view unit_view = VIEW(unit, "Unit");

/* The same, and where what is within leaves its fault. */
struct unit_full {
	struct unit	 u;
	enum err	*e;
};

struct unit_home {
	int64_t		 id;
	const char	*place;
	int64_t		 floor;
	int64_t		 households;
	int64_t		 from_at;
	int64_t		 to_at;
};

static const struct view_column unit_home_columns[] = {
	C_ID(unit_home, id),
	C_TEXT(unit_home, place, .about = "the dwelling's full name"),
	C_INT(unit_home, floor, .flags = VIEW_NULL),
	C_INT(unit_home, households),
	C_TIME(unit_home, from_at, .about = "in this unit since"),
	C_TIME(unit_home, to_at, .flags = VIEW_NULL),
	C_END
};
static const struct view unit_home_view = VIEW(unit_home, "UnitDwelling");

static void calc_homes(struct json *, const struct req *, const void *);

static void
calc_heads(struct json *j, const struct req *rq, const void *row)
{
	const struct unit_full	*f = row;

	grid_stream_now(j, rq, "head", "unit", f->u.id, f->e);
}

static void
calc_history(struct json *j, const struct req *rq, const void *row)
{
	const struct unit_full	*f = row;

	grid_stream_past(j, rq, "head", "unit", f->u.id, f->e);
}

static const struct view_column unit_full_columns[] = {
	UNIT_COLUMNS(unit),
	C_CALC("dwelling_list", SHAPE_OBJECTS, calc_homes,
	    .sub = &unit_home_view),
	C_CALC("heads", SHAPE_OBJECTS, calc_heads,
	    .sub = &grid_person_view, .about = "now, deputies included"),
	C_CALC("history", SHAPE_OBJECTS, calc_history,
	    .sub = &grid_person_view, .about = "who was head before"),
	C_END
};
const struct view unit_full_view = { .name = "UnitFull",
	.size = sizeof(struct unit_full), .columns = unit_full_columns };

struct unit_id {
	int64_t		 id;
};

static const struct field unit_id_fields[] = {
	F_ID(unit_id, id, "联户", MUST),
	F_END
};
static const struct shape unit_id_shape = SHAPE(unit_id, "UnitId");

struct unit_new {
	int64_t		 grid_id;
	const char	*code;
	const char	*name;
};

static const struct field unit_new_fields[] = {
	F_ID(unit_new, grid_id, "网格", MUST),
	F_TEXT(unit_new, code, "联户编号", MUST, 1, 20),
	F_TEXT(unit_new, name, "联户名称", MUST, 1, 40),
	F_END
};
static const struct shape unit_new_shape = SHAPE(unit_new, "UnitNew");

struct unit_patch {
	int64_t		 id;
	int64_t		 grid_id;
	const char	*code;
	const char	*name;
	bool		 closed;
};

static const struct field unit_patch_fields[] = {
	F_ID(unit_patch, id, "联户", MUST),
	F_ID(unit_patch, grid_id, "网格", MAY),
	F_TEXT(unit_patch, code, "联户编号", MAY, 1, 20),
	F_TEXT(unit_patch, name, "联户名称", MAY, 1, 40),
	F_BOOL(unit_patch, closed, "停用", MAY),
	F_END
};
static const struct shape unit_patch_shape =
    SHAPE(unit_patch, "UnitPatch");

struct unit_count {
	int64_t		 n;
};

static const struct view_column unit_count_columns[] = {
	C_INT(unit_count, n),
	C_END
};
static const struct view unit_count_view = VIEW(unit_count, "UnitCount");

/* $1 community, $2 now; n a unit, ug its grid now or nothing */
#define UNIT_SELECT							\
	"SELECT n.id, n.code, n.name, ug.grid_id, g.name AS grid,"	\
	" (SELECT COUNT(*) FROM unit_dwelling ud"			\
	" WHERE ud.community_id = $1 AND ud.unit_id = n.id AND "	\
	SCOPE_VALID("ud", "$2") ") AS dwellings,"			\
	" (SELECT COUNT(*) FROM unit_dwelling ud"			\
	" CROSS JOIN household h WHERE ud.community_id = $1"		\
	" AND ud.unit_id = n.id AND " SCOPE_VALID("ud", "$2")		\
	" AND h.community_id = $1 AND h.dwelling_id = ud.dwelling_id"	\
	" AND h.to_at IS NULL) AS households, "				\
	DUTY_NAME("$1", "head", "unit", "n.id", "$2", "") " AS head, "	\
	DUTY_NAME("$1", "head", "unit", "n.id", "$2", "NOT ")		\
	" AS deputy, n.from_at, n.to_at"

#define UNIT_GRID_JOIN							\
	" LEFT JOIN unit_grid ug ON ug.community_id = n.community_id"	\
	" AND ug.unit_id = n.id AND " SCOPE_VALID("ug", "$2")		\
	" LEFT JOIN grid g ON g.community_id = ug.community_id"		\
	" AND g.id = ug.grid_id"

enum { UNIT_OF_GRID, UNIT_GET, UNIT_HOMES, UNIT_ADD, UNIT_PATCH,
	UNIT_CLOSE, UNIT_LEFT, UNIT_LEAVE, UNIT_HOLD, UNIT_IN_GRID,
	UNIT_FROM_GRID, UNIT_INTO_GRID, UNIT_SQL_MAX };

static struct stmt unit_sql[] = {
	[UNIT_OF_GRID] = { RO, 3, &unit_view,
	    UNIT_SELECT " FROM unit_grid ug JOIN unit n"
	    " ON n.community_id = ug.community_id AND n.id = ug.unit_id"
	    " JOIN grid g ON g.community_id = ug.community_id"
	    " AND g.id = ug.grid_id WHERE ug.community_id = $1"
	    " AND ug.grid_id = $3 AND " SCOPE_VALID("ug", "$2")
	    " ORDER BY n.code, n.id", NULL, 0 },
	[UNIT_GET] = { RO, 3, &unit_full_view,
	    UNIT_SELECT " FROM unit n" UNIT_GRID_JOIN
	    " WHERE n.community_id = $1 AND n.id = $3", NULL, 0 },
	[UNIT_HOMES] = { RO, 3, &unit_home_view,
	    "SELECT p.id, p.full_name AS place, p.floor,"
	    " (SELECT COUNT(*) FROM household h WHERE h.community_id = $1"
	    " AND h.dwelling_id = p.id AND h.to_at IS NULL) AS households,"
	    " ud.from_at, ud.to_at FROM unit_dwelling ud JOIN place p"
	    " ON p.community_id = ud.community_id AND p.id = ud.dwelling_id"
	    " WHERE ud.community_id = $1 AND ud.unit_id = $2 AND "
	    SCOPE_VALID("ud", "$3") " ORDER BY p.full_name, p.id", NULL, 0 },
	[UNIT_ADD] = { RW, 5, NULL,
	    "INSERT INTO unit (community_id, id, code, name, from_at)"
	    " VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[UNIT_PATCH] = { RW, 4, NULL,
	    "UPDATE unit SET code = COALESCE($3, code),"
	    " name = COALESCE($4, name) WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[UNIT_CLOSE] = { RW, 3, NULL,
	    "UPDATE unit SET to_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[UNIT_LEFT] = { RO, 3, &unit_count_view,
	    "SELECT COUNT(*) AS n FROM unit_dwelling"
	    " WHERE community_id = $1 AND unit_id = $2"
	    " AND (to_at IS NULL OR to_at > $3)", NULL, 0 },
	[UNIT_LEAVE] = { RW, 3, NULL,
	    "UPDATE unit_grid SET to_at = $3 WHERE community_id = $1"
	    " AND unit_id = $2 AND to_at IS NULL AND from_at <= $3",
	    NULL, 0 },
	[UNIT_HOLD] = { RW, 2, NULL,
	    "UPDATE unit SET name = name WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[UNIT_IN_GRID] = { RO, 2, &unit_dwelling_view,
	    "SELECT n.name AS what, COALESCE(ug.grid_id, 0) AS holder_id,"
	    " g.name AS holder, ug.from_at FROM unit n"
	    " LEFT JOIN unit_grid ug ON ug.community_id = n.community_id"
	    " AND ug.unit_id = n.id AND ug.to_at IS NULL"
	    " LEFT JOIN grid g ON g.community_id = ug.community_id"
	    " AND g.id = ug.grid_id WHERE n.community_id = $1"
	    " AND n.id = $2", NULL, 0 },
	[UNIT_FROM_GRID] = { RW, 4, NULL,
	    "UPDATE unit_grid SET to_at = $4 WHERE community_id = $1"
	    " AND unit_id = $2 AND grid_id = $3 AND to_at IS NULL"
	    " AND from_at <= $4", NULL, 0 },
	[UNIT_INTO_GRID] = { RW, 4, NULL,
	    "INSERT INTO unit_grid (community_id, unit_id, grid_id,"
	    " from_at) VALUES ($1, $2, $3, $4)", NULL, 0 },
};

static void
calc_homes(struct json *j, const struct req *rq, const void *row)
{
	const struct unit_full	*f = row;
	struct unit_home	 home;

	grid_stream(j, rq, &unit_sql[UNIT_HOMES],
	    WITH(V(rq->who.community_id), V(f->u.id), V(rq->now)), &home,
	    f->e);
}

void
unit_stream(struct json *j, const struct req *rq, int64_t grid_id,
    enum err *ret_e)
{
	struct unit	row;

	grid_stream(j, rq, &unit_sql[UNIT_OF_GRID],
	    WITH(V(rq->who.community_id), V(rq->now), V(grid_id)), &row,
	    ret_e);
}

enum err
unit_hold(struct req *rq, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &unit_sql[UNIT_HOLD],
	    WITH(V(rq->who.community_id), V(id)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

enum err
unit_answer(struct req *rq, int64_t id)
{
	struct unit_full	row;
	enum err		e, within = OK;

	e = db_one(rq->db, rq->arena, &unit_sql[UNIT_GET],
	    WITH(V(rq->who.community_id), V(rq->now), V(id)), &row);
	if (e != OK)
		return e;
	row.e = &within;
	e = req_one(rq, &row);
	return e != OK ? e : within;
}

static enum err
unit_get(struct req *rq)
{
	const struct unit_id	*in = rq->in;
	enum err		 e;

	e = scope_unit(rq, in->id);
	return e != OK ? e : unit_answer(rq, in->id);
}

static enum err
code_taken(struct req *rq)
{
	return req_field_as(rq, ERR_CONFLICT, "code", "taken",
	    "已有联户使用这个编号，请换一个编号。");
}

static enum err
no_grid(struct req *rq)
{
	return req_field(rq, "grid_id", "not_found",
	    "没有找到这个网格，或它已停用，请重新选择。");
}

static enum err
unit_add(struct req *rq)
{
	const struct unit_new	*in = rq->in;
	int64_t			 id = id_new();
	enum err		 e;

	if ((e = grid_hold(rq, in->grid_id)) == ERR_ABSENT)
		return no_grid(rq);
	if (e != OK)
		return e;
	e = db_run(rq->db, &unit_sql[UNIT_ADD],
	    WITH(V(rq->who.community_id), V(id), V(in->code), V(in->name),
	    V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return code_taken(rq);
	if (e != OK)
		return e;
	audit_thing(rq, "unit", id);
	e = unit_into(rq, &unit_sql[UNIT_INTO_GRID], id, in->grid_id);
	return e != OK ? e : unit_answer(rq, id);
}

static enum err
move_unit(struct req *rq, int64_t id, int64_t grid_id)
{
	struct whereabouts	w;
	enum err		e;

	if ((e = grid_hold(rq, grid_id)) == ERR_ABSENT)
		return no_grid(rq);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &unit_sql[UNIT_IN_GRID],
	    WITH(V(rq->who.community_id), V(id)), &w);
	if (e != OK)
		return e;
	if (w.from_at > rq->now)
		return unit_waits(rq, &w);
	if (w.holder_id == grid_id)
		return OK;
	if (w.holder_id != 0 && (e = unit_out_of(rq,
	    &unit_sql[UNIT_FROM_GRID], id, w.holder_id)) != OK)
		return e;
	return unit_into(rq, &unit_sql[UNIT_INTO_GRID], id, grid_id);
}

/* Closed first, counted after: whoever adds a dwelling waits. */
static enum err
close_unit(struct req *rq, int64_t id)
{
	struct whereabouts	w;
	struct unit_count	left;
	enum err		e;

	e = db_run(rq->db, &unit_sql[UNIT_CLOSE],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &unit_sql[UNIT_LEFT],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), &left);
	if (e != OK)
		return e;
	if (left.n > 0)
		return req_failf(rq, ERR_CONFLICT, "这个联户还有 %lld 户房屋，"
		    "请先把它们调整到其他联户。", (long long)left.n);
	e = db_one(rq->db, rq->arena, &unit_sql[UNIT_IN_GRID],
	    WITH(V(rq->who.community_id), V(id)), &w);
	if (e != OK)
		return e;
	if (w.from_at > rq->now)
		return unit_waits(rq, &w);
	e = db_run(rq->db, &unit_sql[UNIT_LEAVE],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	return e != OK ? e : grid_end_posts(rq, "unit", id);
}

static enum err
unit_patch(struct req *rq)
{
	const struct unit_patch	*in = rq->in;
	int64_t			 n;
	enum err		 e;

	e = db_run(rq->db, &unit_sql[UNIT_PATCH],
	    WITH(V(rq->who.community_id), V(in->id), V(in->code),
	    V(in->name)), &n);
	if (e == ERR_UNIQUE)
		return code_taken(rq);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	audit_thing(rq, "unit", in->id);
	if (in->grid_id != 0 &&
	    (e = move_unit(rq, in->id, in->grid_id)) != OK)
		return e;
	if (in->closed && (e = close_unit(rq, in->id)) != OK)
		return e;
	return unit_answer(rq, in->id);
}

static const struct route unit_routes[] = {
	{ GET, "/api/v1/units/{id}", UNIT_READERS, &unit_id_shape,
	    REPLY_ONE, &unit_full_view, 200, POOL_API, TX_READ,
	    unit_get, "A unit with its dwellings and heads" },
	{ POST, "/api/v1/units", ROLE_ADMIN, &unit_new_shape,
	    REPLY_ONE, &unit_full_view, 201, POOL_API, TX_WRITE,
	    unit_add, "Add a unit to a grid" },
	{ PATCH, "/api/v1/units/{id}", ROLE_ADMIN, &unit_patch_shape,
	    REPLY_ONE, &unit_full_view, 200, POOL_API, TX_WRITE,
	    unit_patch, "Change a unit, move it, close it when empty" },
	{ 0 }
};

void
unit_register(void)
{
	db_register(unit_sql, UNIT_SQL_MAX);
	route_register("grids", unit_routes);
	unit_dwelling_register();
}
