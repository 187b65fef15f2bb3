/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid.c -- grids, and who works in them.
 *
 * A grid is a row with a beginning and an end; which units are in it, and
 * who works there, are rows of the same kind, so that any day can be
 * asked for.  A grid closes only when it is empty.
 */
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/grid.h"
#include "service/scope.h"
#include "service/service.h"

struct grid {
	int64_t		 id;
	const char	*code;
	const char	*name;
	int64_t		 units;
	int64_t		 dwellings;
	int64_t		 households;
	const char	*worker;
	const char	*deputy;
	int64_t		 from_at;
	int64_t		 to_at;
	enum err	*e;		/* not a column: of what is within */
};

#define GRID_COLUMNS							\
	C_ID(grid, id),							\
	C_TEXT(grid, code, .about = "as the office numbers it"),	\
	C_TEXT(grid, name),						\
	C_INT(grid, units),						\
	C_INT(grid, dwellings),						\
	C_INT(grid, households),					\
	C_TEXT(grid, worker, .flags = VIEW_NULL,			\
	    .about = "name of the grid worker"),			\
	C_TEXT(grid, deputy, .flags = VIEW_NULL,			\
	    .about = "who stands in for the worker now"),		\
	C_TIME(grid, from_at),						\
	C_TIME(grid, to_at, .flags = VIEW_NULL)

static const struct view_column grid_columns[] = {
	GRID_COLUMNS,
	C_END
};
static const struct view grid_view = VIEW(grid, "Grid");

static void
calc_units(struct json *j, const struct req *rq, const void *row)
{
	const struct grid	*g = row;

	unit_stream(j, rq, g->id, g->e);
}

static void
calc_workers(struct json *j, const struct req *rq, const void *row)
{
	const struct grid	*g = row;

	grid_stream_now(j, rq, "grid", "grid", g->id, g->e);
}

static void
calc_history(struct json *j, const struct req *rq, const void *row)
{
	const struct grid	*g = row;

	grid_stream_past(j, rq, "grid", "grid", g->id, g->e);
}

static const struct view_column grid_full_columns[] = {
	GRID_COLUMNS,
	C_CALC("unit_list", SHAPE_OBJECTS, calc_units, .sub = &unit_view),
	C_CALC("workers", SHAPE_OBJECTS, calc_workers,
	    .sub = &grid_person_view, .about = "now, deputies included"),
	C_CALC("history", SHAPE_OBJECTS, calc_history,
	    .sub = &grid_person_view, .about = "who worked here before"),
	C_END
};
static const struct view grid_full_view = { .name = "GridFull",
	.size = sizeof(struct grid), .columns = grid_full_columns };

static const struct view_column duty_person_columns[] = {
	C_ID(duty_person, post_id),
	C_TEXT(duty_person, name),
	C_BOOL(duty_person, deputy),
	C_TIME(duty_person, from_at),
	C_TIME(duty_person, to_at, .flags = VIEW_NULL),
	C_END
};
const struct view grid_person_view = VIEW(duty_person, "DutyPerson");

struct grid_id {
	int64_t		 id;
};

static const struct field grid_id_fields[] = {
	F_ID(grid_id, id, "网格", MUST),
	F_END
};
static const struct shape grid_id_shape = SHAPE(grid_id, "GridId");

struct grid_new {
	const char	*code;
	const char	*name;
};

static const struct field grid_new_fields[] = {
	F_TEXT(grid_new, code, "网格编号", MUST, 1, 20),
	F_TEXT(grid_new, name, "网格名称", MUST, 1, 40),
	F_END
};
static const struct shape grid_new_shape = SHAPE(grid_new, "GridNew");

struct grid_patch {
	int64_t		 id;
	const char	*code;
	const char	*name;
	bool		 closed;
};

static const struct field grid_patch_fields[] = {
	F_ID(grid_patch, id, "网格", MUST),
	F_TEXT(grid_patch, code, "网格编号", MAY, 1, 20),
	F_TEXT(grid_patch, name, "网格名称", MAY, 1, 40),
	F_BOOL(grid_patch, closed, "停用", MAY),
	F_END
};
static const struct shape grid_patch_shape =
    SHAPE(grid_patch, "GridPatch");

struct grid_count {
	int64_t		 n;
};

static const struct view_column grid_count_columns[] = {
	C_INT(grid_count, n),
	C_END
};
static const struct view grid_count_view = VIEW(grid_count, "GridCount");

/* What lies in grid g now; $1 community, $2 now. */
#define IN_GRID(more)							\
	" FROM unit_grid ug" more " WHERE ug.community_id = $1"		\
	" AND ug.grid_id = g.id AND " SCOPE_VALID("ug", "$2")

#define AND_DWELLINGS							\
	" AND ud.community_id = $1 AND ud.unit_id = ug.unit_id AND "	\
	SCOPE_VALID("ud", "$2")

#define GRID_SELECT							\
	"SELECT g.id, g.code, g.name,"					\
	" (SELECT COUNT(*)" IN_GRID("") ") AS units,"			\
	" (SELECT COUNT(*)" IN_GRID(" CROSS JOIN unit_dwelling ud")	\
	AND_DWELLINGS ") AS dwellings,"					\
	" (SELECT COUNT(*)" IN_GRID(" CROSS JOIN unit_dwelling ud"	\
	" CROSS JOIN household h") AND_DWELLINGS			\
	" AND h.community_id = $1 AND h.dwelling_id = ud.dwelling_id"	\
	" AND h.to_at IS NULL) AS households, "				\
	DUTY_NAME("$1", "grid", "grid", "g.id", "$2", "") " AS worker, " \
	DUTY_NAME("$1", "grid", "grid", "g.id", "$2", "NOT ")		\
	" AS deputy, g.from_at, g.to_at FROM grid g"			\
	" WHERE g.community_id = $1"

#define PEOPLE_SELECT							\
	"SELECT p.id AS post_id, p.name,"				\
	" CASE WHEN p.deputy_of IS NULL THEN 0 ELSE 1 END AS deputy,"	\
	" p.from_at, p.to_at FROM post p WHERE p.community_id = $1"	\
	" AND p.role = $2 AND p.scope = $3 AND p.scope_id = $4"

enum { GRID_LIST, GRID_GET, GRID_ADD, GRID_PATCH, GRID_CLOSE, GRID_LEFT,
	GRID_HOLD, GRID_PEOPLE, GRID_PAST, GRID_END_POSTS, GRID_SQL_MAX };

static struct stmt grid_sql[] = {
	[GRID_LIST] = { RO, 4, &grid_view,
	    GRID_SELECT " AND " SCOPE_VALID("g", "$2")
	    " AND (CAST($3 AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM post sp"
	    " WHERE sp.community_id = $1 AND sp.user_id = $4"
	    " AND sp.role = 'grid' AND sp.scope = 'grid'"
	    " AND sp.scope_id = g.id AND " SCOPE_VALID("sp", "$2") "))"
	    " ORDER BY g.code, g.id", NULL, 0 },
	[GRID_GET] = { RO, 3, &grid_full_view,
	    GRID_SELECT " AND g.id = $3", NULL, 0 },
	[GRID_ADD] = { RW, 5, NULL,
	    "INSERT INTO grid (community_id, id, code, name, from_at)"
	    " VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[GRID_PATCH] = { RW, 4, NULL,
	    "UPDATE grid SET code = COALESCE($3, code),"
	    " name = COALESCE($4, name) WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[GRID_CLOSE] = { RW, 3, NULL,
	    "UPDATE grid SET to_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[GRID_LEFT] = { RO, 3, &grid_count_view,
	    "SELECT COUNT(*) AS n FROM unit_grid WHERE community_id = $1"
	    " AND grid_id = $2 AND (to_at IS NULL OR to_at > $3)",
	    NULL, 0 },
	[GRID_HOLD] = { RW, 2, NULL,
	    "UPDATE grid SET name = name WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[GRID_PEOPLE] = { RO, 5, &grid_person_view,
	    PEOPLE_SELECT " AND " SCOPE_VALID("p", "$5")
	    " ORDER BY p.from_at DESC, p.id DESC", NULL, 0 },
	[GRID_PAST] = { RO, 5, &grid_person_view,
	    PEOPLE_SELECT " AND p.to_at <= $5"
	    " ORDER BY p.from_at DESC, p.id DESC", NULL, 0 },
	[GRID_END_POSTS] = { RW, 4, NULL,
	    "UPDATE post SET to_at = CASE WHEN from_at > $4 THEN from_at"
	    " ELSE $4 END WHERE community_id = $1 AND scope = $2"
	    " AND scope_id = $3 AND (to_at IS NULL OR to_at > $4)",
	    NULL, 0 },
};

void
grid_stream(struct json *j, const struct req *rq, const struct stmt *stmt,
    struct values v, void *row, enum err *ret_e)
{
	struct rows	rows;
	enum err	e;

	json_list(j);
	if ((e = db_query(rq->db, stmt, v, &rows)) == OK) {
		while (db_each(&rows, row))
			json_view(j, stmt->view, row, rq, rq->arena);
		e = db_end(&rows);
	}
	json_unlist(j);
	if (e != OK)
		*ret_e = e;
}

static void
stream_people(struct json *j, const struct req *rq, int which,
    const char *role, const char *scope, int64_t id, enum err *ret_e)
{
	struct duty_person	row;

	grid_stream(j, rq, &grid_sql[which], WITH(V(rq->who.community_id),
	    V(role), V(scope), V(id), V(rq->now)), &row, ret_e);
}

void
grid_stream_now(struct json *j, const struct req *rq, const char *role,
    const char *scope, int64_t id, enum err *ret_e)
{
	stream_people(j, rq, GRID_PEOPLE, role, scope, id, ret_e);
}

void
grid_stream_past(struct json *j, const struct req *rq, const char *role,
    const char *scope, int64_t id, enum err *ret_e)
{
	stream_people(j, rq, GRID_PAST, role, scope, id, ret_e);
}

enum err
grid_hold(struct req *rq, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &grid_sql[GRID_HOLD],
	    WITH(V(rq->who.community_id), V(id)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

enum err
grid_end_posts(struct req *rq, const char *scope, int64_t id)
{
	return db_run(rq->db, &grid_sql[GRID_END_POSTS],
	    WITH(V(rq->who.community_id), V(scope), V(id), V(rq->now)),
	    NULL);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct grid	row;
	enum err	e, within = OK;

	e = db_one(rq->db, rq->arena, &grid_sql[GRID_GET],
	    WITH(V(rq->who.community_id), V(rq->now), V(id)), &row);
	if (e != OK)
		return e;
	row.e = &within;
	e = req_one(rq, &row);
	return e != OK ? e : within;
}

static enum err
grid_list(struct req *rq)
{
	return req_list(rq, &grid_sql[GRID_LIST],
	    WITH(V(rq->who.community_id), V(rq->now), V(scope_wide(rq)),
	    V(rq->who.user_id)), 0);
}

static enum err
grid_get(struct req *rq)
{
	const struct grid_id	*in = rq->in;
	enum err		 e;

	e = scope_grid(rq, in->id);
	return e != OK ? e : answer(rq, in->id);
}

static enum err
code_taken(struct req *rq)
{
	return req_field_as(rq, ERR_CONFLICT, "code", "taken",
	    "已有网格使用这个编号，请换一个编号。");
}

static enum err
grid_add(struct req *rq)
{
	const struct grid_new	*in = rq->in;
	int64_t			 id = id_new();
	enum err		 e;

	e = db_run(rq->db, &grid_sql[GRID_ADD],
	    WITH(V(rq->who.community_id), V(id), V(in->code), V(in->name),
	    V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return code_taken(rq);
	if (e != OK)
		return e;
	audit_thing(rq, "grid", id);
	return answer(rq, id);
}

/* Closed first, counted after: whoever adds a unit meanwhile waits. */
static enum err
close_grid(struct req *rq, int64_t id)
{
	struct grid_count	left;
	enum err		e;

	e = db_run(rq->db, &grid_sql[GRID_CLOSE],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &grid_sql[GRID_LEFT],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), &left);
	if (e != OK)
		return e;
	if (left.n > 0)
		return req_failf(rq, ERR_CONFLICT, "这个网格还有 %lld 个联户，"
		    "请先把它们调整到其他网格。", (long long)left.n);
	return grid_end_posts(rq, "grid", id);
}

static enum err
grid_patch(struct req *rq)
{
	const struct grid_patch	*in = rq->in;
	int64_t			 n;
	enum err		 e;

	e = db_run(rq->db, &grid_sql[GRID_PATCH],
	    WITH(V(rq->who.community_id), V(in->id), V(in->code),
	    V(in->name)), &n);
	if (e == ERR_UNIQUE)
		return code_taken(rq);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	audit_thing(rq, "grid", in->id);
	if (in->closed && (e = close_grid(rq, in->id)) != OK)
		return e;
	return answer(rq, in->id);
}

#define READERS	(ROLE_GRID | ROLE_CLERK | ROLE_ADMIN)

static const struct route grid_routes[] = {
	{ GET, "/api/v1/grids", READERS, NULL,
	    REPLY_LIST, &grid_view, 200, POOL_API, TX_READ,
	    grid_list, "Grids: the community's, or my own" },
	{ GET, "/api/v1/grids/{id}", READERS, &grid_id_shape,
	    REPLY_ONE, &grid_full_view, 200, POOL_API, TX_READ,
	    grid_get, "A grid with its units and workers, past ones too" },
	{ POST, "/api/v1/grids", ROLE_ADMIN, &grid_new_shape,
	    REPLY_ONE, &grid_full_view, 201, POOL_API, TX_WRITE,
	    grid_add, "Add a grid" },
	{ PATCH, "/api/v1/grids/{id}", ROLE_ADMIN, &grid_patch_shape,
	    REPLY_ONE, &grid_full_view, 200, POOL_API, TX_WRITE,
	    grid_patch, "Change a grid's code or name; close it when empty" },
	{ 0 }
};

void
grid_register(void)
{
	db_register(grid_sql, GRID_SQL_MAX);
	route_register("grids", grid_routes);
	unit_register();
}
