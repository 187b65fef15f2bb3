/* SPDX-License-Identifier: Apache-2.0 */
/*
 * border.c -- borders redrawn: drawn up, applied from a day on, undone.
 *
 * A draft names where each dwelling and unit was when it was drawn up; it
 * applies only while that still holds.  Applying ends rows on the day and
 * begins others, so what happened before keeps its grid.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/border_internal.h"
#include "service/service.h"

#define MOVES_MAX 400		/* of one border */

const char *const border_states[] = { "draft", "applied", "undone", NULL };

static const struct view_column border_columns[] = {
	BORDER_COLUMNS,
	C_END
};
static const struct view border_view = VIEW(border, "Border");

static const struct view_column border_full_columns[] = {
	BORDER_COLUMNS,
	C_CALC("moves", SHAPE_OBJECTS, border_moves,
	    .sub = &border_move_view),
	C_END
};
static const struct view border_full_view = { .name = "BorderFull",
	.size = sizeof(struct border), .columns = border_full_columns };

struct border_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field border_page_fields[] = {
	F_PAGE(border_page),
	F_END
};
static const struct shape border_page_shape =
    SHAPE(border_page, "BorderPage");

static const struct field border_id_fields[] = {
	F_ID(border_id, id, "边界调整", MUST),
	F_END
};
const struct shape border_id_shape = SHAPE(border_id, "BorderId");

enum { KIND_DWELLING, KIND_UNIT };
static const char *const kinds[] = { "dwelling", "unit", NULL };

struct move_in {
	int64_t		 kind;
	int64_t		 id;
	int64_t		 to_id;
};

static const struct field move_in_fields[] = {
	F_ENUM(move_in, kind, "类别", MUST, kinds),
	F_ID(move_in, id, "房屋或联户", MUST),
	F_ID(move_in, to_id, "调入的联户或网格", MUST),
	F_END
};
static const struct shape move_in_shape = SHAPE(move_in, "BorderMoveNew");

struct border_new {
	const char		*title;
	struct field_list	 moves;
};

static const struct field border_new_fields[] = {
	F_TEXT(border_new, title, "标题", MUST, 1, 60),
	F_LIST(border_new, moves, "调整", MUST, 1, MOVES_MAX,
	    &move_in_shape),
	F_END
};
static const struct shape border_new_shape =
    SHAPE(border_new, "BorderNew");

struct border_apply {
	int64_t		 id;
	const char	*on;
};

static const struct field border_apply_fields[] = {
	F_ID(border_apply, id, "边界调整", MUST),
	F_TEXT(border_apply, on, "生效日期", MUST, 10, 10),
	F_END
};
static const struct shape border_apply_shape =
    SHAPE(border_apply, "BorderApply");

/* What is to be moved, and whether it can be. */
struct movable {
	const char	*what;
	int64_t		 holder_id;	/* VIEW_NULL_INT: in none */
	int64_t		 from_at;
	int64_t		 target;	/* 1: it is there and open */
};

static const struct view_column movable_columns[] = {
	C_TEXT(movable, what),
	C_ID(movable, holder_id, .flags = VIEW_NULL),
	C_TIME(movable, from_at),
	C_INT(movable, target),
	C_END
};
static const struct view movable_view = VIEW(movable, "BorderMovable");

enum { BORDER_LIST, BORDER_GET, BORDER_DWELLING, BORDER_UNIT, BORDER_ADD,
	BORDER_ADD_MOVE, BORDER_APPLY, BORDER_UNDO, BORDER_SQL_MAX };

static struct stmt border_sql[] = {
	[BORDER_LIST] = { RO, 3, &border_view,
	    BORDER_SELECT " AND (CAST($2 AS BIGINT) = 0 OR b.id < $2)"
	    " ORDER BY b.id DESC LIMIT $3", NULL, 0 },
	[BORDER_GET] = { RO, 2, &border_full_view,
	    BORDER_SELECT " AND b.id = $2", NULL, 0 },
	[BORDER_DWELLING] = { RO, 3, &movable_view,
	    "SELECT p.full_name AS what, ud.unit_id AS holder_id,"
	    " ud.from_at, (SELECT COUNT(*) FROM unit n"
	    " WHERE n.community_id = $1 AND n.id = $3"
	    " AND n.to_at IS NULL) AS target FROM place p"
	    " LEFT JOIN unit_dwelling ud"
	    " ON ud.community_id = p.community_id"
	    " AND ud.dwelling_id = p.id AND ud.to_at IS NULL"
	    " WHERE p.community_id = $1 AND p.id = $2"
	    " AND p.kind = 'dwelling'", NULL, 0 },
	[BORDER_UNIT] = { RO, 3, &movable_view,
	    "SELECT n.name AS what, ug.grid_id AS holder_id, ug.from_at,"
	    " (SELECT COUNT(*) FROM grid g WHERE g.community_id = $1"
	    " AND g.id = $3 AND g.to_at IS NULL) AS target FROM unit n"
	    " LEFT JOIN unit_grid ug ON ug.community_id = n.community_id"
	    " AND ug.unit_id = n.id AND ug.to_at IS NULL"
	    " WHERE n.community_id = $1 AND n.id = $2"
	    " AND n.to_at IS NULL", NULL, 0 },
	[BORDER_ADD] = { RW, 5, NULL,
	    "INSERT INTO border (community_id, id, title, state, by_id,"
	    " created_at) VALUES ($1, $2, $3, 'draft', $4, $5)", NULL, 0 },
	[BORDER_ADD_MOVE] = { RW, 6, NULL,
	    "INSERT INTO border_move (community_id, border_id, kind,"
	    " moved_id, to_id, from_id) VALUES ($1, $2, $3, $4, $5, $6)",
	    NULL, 0 },
	[BORDER_APPLY] = { RW, 4, NULL,
	    "UPDATE border SET state = 'applied', applies_at = $3,"
	    " applied_at = $4 WHERE community_id = $1 AND id = $2"
	    " AND state = 'draft'", NULL, 0 },
	[BORDER_UNDO] = { RW, 4, NULL,
	    "UPDATE border SET state = 'undone', undone_at = $3"
	    " WHERE community_id = $1 AND id = $2 AND state = $4",
	    NULL, 0 },
};

static enum err
get(struct req *rq, int64_t id, struct border *ret)
{
	return db_one(rq->db, rq->arena, &border_sql[BORDER_GET],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct border	row;
	enum err	e, within = OK;

	if ((e = get(rq, id, &row)) != OK)
		return e;
	row.e = &within;
	e = req_one(rq, &row);
	return e != OK ? e : within;
}

static enum err
border_list(struct req *rq)
{
	const struct border_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &border_sql[BORDER_LIST],
	    WITH(V(rq->who.community_id), V(in->after), V(limit + 1)),
	    limit);
}

static enum err
faulty(struct req *rq, size_t i, const char *member, const char *code,
    const char *detail)
{
	return req_field(rq, arena_fmt(rq->arena, "moves[%zu].%s", i,
	    member), code, detail);
}

/* One move: both ends are there, and it moves something. */
static enum err
check_move(struct req *rq, size_t i, const struct move_in *m,
    struct movable *ret)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &border_sql[m->kind == KIND_UNIT ?
	    BORDER_UNIT : BORDER_DWELLING],
	    WITH(V(rq->who.community_id), V(m->id), V(m->to_id)), ret);
	if (e == ERR_ABSENT)
		return faulty(rq, i, "id", "not_found",
		    "没有找到要调整的房屋或联户，请重新选择。");
	if (e != OK)
		return e;
	if (ret->target == 0)
		return faulty(rq, i, "to_id", "not_found",
		    "没有找到调入的联户或网格，或它已停用，请重新选择。");
	if (ret->holder_id == m->to_id)
		return faulty(rq, i, "to_id", "same", arena_fmt(rq->arena,
		    "%s已经在那里，无需调整。", ret->what));
	if (ret->from_at > rq->now)
		return req_failf(rq, ERR_CONFLICT, "%s已有尚未生效的边界调整，"
		    "请先撤销那次调整。", ret->what);
	return OK;
}

static enum err
add_move(struct req *rq, int64_t id, size_t i, const struct move_in *m)
{
	struct movable	row;
	enum err	e;

	if ((e = check_move(rq, i, m, &row)) != OK)
		return e;
	e = db_run(rq->db, &border_sql[BORDER_ADD_MOVE],
	    WITH(V(rq->who.community_id), V(id), V(kinds[m->kind]),
	    V(m->id), V(m->to_id), row.holder_id == VIEW_NULL_INT ?
	    VNULL : V(row.holder_id)), NULL);
	return e != ERR_UNIQUE ? e : faulty(rq, i, "id", "duplicate",
	    "同一房屋或联户只能调整一次。");
}

static enum err
border_add(struct req *rq)
{
	const struct border_new	*in = rq->in;
	const struct move_in	*m = in->moves.items;
	int64_t			 id = id_new();
	enum err		 e;

	e = db_run(rq->db, &border_sql[BORDER_ADD],
	    WITH(V(rq->who.community_id), V(id), V(in->title),
	    V(rq->who.user_id), V(rq->now)), NULL);
	for (size_t i = 0; i < in->moves.n && e == OK; i++)
		e = add_move(rq, id, i, &m[i]);
	if (e != OK)
		return e;
	audit_thing(rq, "border", id);
	return answer(rq, id);
}

/* Midnight of the day; today means now. */
static enum err
day(struct req *rq, const char *on, int64_t *ret)
{
	int64_t	at;

	if (!clock_parse(arena_fmt(rq->arena, "%sT00:00:00+08:00", on), &at))
		return req_field(rq, "on", "format",
		    "生效日期请写成 2026-01-31 的样子。");
	if (at < clock_day(rq->now))
		return req_field(rq, "on", "too_small",
		    "生效日期不能早于今天。");
	if (at > rq->now + 366 * CLOCK_DAY)
		return req_field(rq, "on", "too_large",
		    "生效日期请在一年以内。");
	*ret = at > rq->now ? at : rq->now;
	return OK;
}

static enum err
not_so(struct req *rq, int64_t id)
{
	struct border	row;
	enum err	e;

	if ((e = get(rq, id, &row)) != OK)
		return e;
	if (strcmp(row.state, "undone") == 0)
		return req_fail(rq, ERR_STATE, "这次边界调整已经撤销。");
	return req_fail(rq, ERR_STATE, "这次边界调整已经提交生效。");
}

static enum err
border_apply(struct req *rq)
{
	const struct border_apply	*in = rq->in;
	int64_t				 at = 0, n;
	enum err			 e;

	if ((e = day(rq, in->on, &at)) != OK)
		return e;
	e = db_run(rq->db, &border_sql[BORDER_APPLY],
	    WITH(V(rq->who.community_id), V(in->id), V(at), V(rq->now)),
	    &n);
	if (e != OK)
		return e;
	if (n == 0)
		return not_so(rq, in->id);
	audit_thing(rq, "border", in->id);
	e = border_set(rq, in->id, at);
	return e != OK ? e : answer(rq, in->id);
}

/* A draft is dropped; what was applied is taken or moved back. */
static enum err
border_undo(struct req *rq)
{
	const struct border_id	*in = rq->in;
	struct border		 row;
	int64_t			 n;
	enum err		 e;

	if ((e = get(rq, in->id, &row)) != OK)
		return e;
	if (strcmp(row.state, "undone") == 0)
		return not_so(rq, in->id);
	e = db_run(rq->db, &border_sql[BORDER_UNDO],
	    WITH(V(rq->who.community_id), V(in->id), V(rq->now),
	    V(row.state)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_CONFLICT, NULL);
	audit_thing(rq, "border", in->id);
	if (strcmp(row.state, "applied") == 0)
		e = row.applies_at > rq->now ?
		    border_take(rq, in->id, row.applies_at) :
		    border_back(rq, in->id);
	return e != OK ? e : answer(rq, in->id);
}

#define READERS	(ROLE_CLERK | ROLE_ADMIN)

static const struct route border_routes[] = {
	{ GET, "/api/v1/borders", READERS, &border_page_shape,
	    REPLY_LIST, &border_view, 200, POOL_API, TX_READ,
	    border_list, "Borders redrawn, newest first" },
	{ POST, "/api/v1/borders", ROLE_ADMIN, &border_new_shape,
	    REPLY_ONE, &border_full_view, 201, POOL_API, TX_WRITE,
	    border_add, "Draw up new borders; nothing moves yet" },
	{ GET, "/api/v1/borders/{id}/preview", READERS, &border_id_shape,
	    REPLY_ONE, &border_preview_view, 200, POOL_API, TX_READ,
	    border_preview, "Homes of units and grids before and after" },
	{ POST, "/api/v1/borders/{id}/apply", ROLE_ADMIN,
	    &border_apply_shape,
	    REPLY_ONE, &border_full_view, 200, POOL_API, TX_WRITE,
	    border_apply, "Put borders into force from a day on" },
	{ POST, "/api/v1/borders/{id}/undo", ROLE_ADMIN, &border_id_shape,
	    REPLY_ONE, &border_full_view, 200, POOL_API, TX_WRITE,
	    border_undo, "Undo: before the day as if never, else from now" },
	{ 0 }
};

void
border_register(void)
{
	db_register(border_sql, BORDER_SQL_MAX);
	route_register("borders", border_routes);
	border_move_register();
	border_preview_register();
}
