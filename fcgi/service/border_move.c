/* SPDX-License-Identifier: Apache-2.0 */
/*
 * border_move.c -- the moves of a border: rows ended, begun, taken back.
 *
 * Each step says how many rows it must change.  When it changes fewer, a
 * dwelling or unit is no longer where the draft found it, and the whole
 * is refused with its name.
 */
#include "http/req.h"
#include "service/border_internal.h"
#include "service/grid.h"
#include "service/service.h"

struct border_move {
	const char	*kind;
	int64_t		 id;
	const char	*name;
	int64_t		 from_id;
	const char	*from_name;
	int64_t		 to_id;
	const char	*to_name;
};

static const char *const kinds[] = { "dwelling", "unit", NULL };

static const struct view_column border_move_columns[] = {
	C_CODE(border_move, kind, kinds),
	C_ID(border_move, id),
	C_TEXT(border_move, name),
	C_ID(border_move, from_id, .flags = VIEW_NULL),
	C_TEXT(border_move, from_name, .flags = VIEW_NULL),
	C_ID(border_move, to_id),
	C_TEXT(border_move, to_name),
	C_END
};
const struct view border_move_view = VIEW(border_move, "BorderMove");

/* How many rows a step must find. */
struct move_count {
	int64_t		 from_units;	/* dwellings that were in a unit */
	int64_t		 to_units;
	int64_t		 from_grids;
	int64_t		 to_grids;
	int64_t		 old_units;	/* different ones */
	int64_t		 new_units;
	int64_t		 old_grids;
	int64_t		 new_grids;
};

static const struct view_column move_count_columns[] = {
	C_INT(move_count, from_units),
	C_INT(move_count, to_units),
	C_INT(move_count, from_grids),
	C_INT(move_count, to_grids),
	C_INT(move_count, old_units),
	C_INT(move_count, new_units),
	C_INT(move_count, old_grids),
	C_INT(move_count, new_grids),
	C_END
};
static const struct view move_count_view = VIEW(move_count, "BorderCount");

struct move_name {
	const char	*name;
};

static const struct view_column move_name_columns[] = {
	C_TEXT(move_name, name),
	C_END
};
static const struct view move_name_view = VIEW(move_name, "BorderName");

/* $1 community, $2 border */
#define MOVES(kind, thing, holder)					\
	"EXISTS (SELECT 1 FROM border_move m WHERE m.community_id = $1"	\
	" AND m.border_id = $2 AND m.kind = '" kind "'"			\
	" AND m.moved_id = " thing " AND m." holder ")"

/* End the rows that hold now; $3 when, $4 now. */
#define MOVE_END(table)							\
	"UPDATE " table " SET to_at = $3 WHERE community_id = $1"	\
	" AND to_at IS NULL AND from_at <= $4 AND "

/* Begin rows where the column `to` says; $3 when. */
#define MOVE_BEGIN(table, thing, holder, kind, to)			\
	"INSERT INTO " table " (community_id, " thing ", from_at, "	\
	holder ") SELECT community_id, moved_id, CAST($3 AS BIGINT), "	\
	to " FROM border_move WHERE community_id = $1"			\
	" AND border_id = $2 AND kind = '" kind "' AND " to		\
	" IS NOT NULL"

/* Keep what the column `at` names open until the commit. */
#define MOVE_HOLD(table, kind, at)					\
	"UPDATE " table " SET name = name WHERE community_id = $1"	\
	" AND to_at IS NULL AND id IN (SELECT " at " FROM border_move"	\
	" WHERE community_id = $1 AND border_id = $2"			\
	" AND kind = '" kind "')"

/* One whose row did not end at $3 with the holder that `at` names. */
#define MOVE_STRAY(table, thing, holder, kind, at, names, name)		\
	"SELECT x." name " AS name FROM border_move m JOIN " names " x"	\
	" ON x.community_id = m.community_id AND x.id = m.moved_id"	\
	" WHERE m.community_id = $1 AND m.border_id = $2"		\
	" AND m.kind = '" kind "' AND m." at " IS NOT NULL"		\
	" AND NOT EXISTS (SELECT 1 FROM " table " t"			\
	" WHERE t.community_id = $1 AND t." thing " = m.moved_id"	\
	" AND t." holder " = m." at " AND t.to_at = $3)"		\
	" ORDER BY m.moved_id LIMIT 1"

#define COUNT(what, kind)						\
	" COALESCE(SUM(CASE WHEN kind = '" kind "' AND " what		\
	" IS NOT NULL THEN 1 ELSE 0 END), 0)"
#define DIFFERENT(what, kind)						\
	" COUNT(DISTINCT CASE WHEN kind = '" kind "' THEN " what " END)"

enum { MOVE_LIST, MOVE_COUNT, UNIT_END_FROM, UNIT_END_TO, UNIT_BEGIN_TO,
	UNIT_BEGIN_FROM, UNIT_TAKE, UNIT_REOPEN, UNIT_HOLD_TO,
	UNIT_HOLD_FROM, UNIT_STRAY_FROM, UNIT_STRAY_TO, GRID_END_FROM,
	GRID_END_TO, GRID_BEGIN_TO, GRID_BEGIN_FROM, GRID_TAKE,
	GRID_REOPEN, GRID_HOLD_TO, GRID_HOLD_FROM, GRID_STRAY_FROM,
	GRID_STRAY_TO, MOVE_SQL_MAX };

#define UD "unit_dwelling"
#define UG "unit_grid"

static struct stmt move_sql[] = {
	[MOVE_LIST] = { RO, 2, &border_move_view,
	    "SELECT m.kind, m.moved_id AS id, COALESCE(p.full_name, n.name)"
	    " AS name, m.from_id, COALESCE(fn.name, fg.name) AS from_name,"
	    " m.to_id, COALESCE(tn.name, tg.name) AS to_name"
	    " FROM border_move m"
	    " LEFT JOIN place p ON m.kind = 'dwelling'"
	    " AND p.community_id = m.community_id AND p.id = m.moved_id"
	    " LEFT JOIN unit n ON m.kind = 'unit'"
	    " AND n.community_id = m.community_id AND n.id = m.moved_id"
	    " LEFT JOIN unit fn ON m.kind = 'dwelling'"
	    " AND fn.community_id = m.community_id AND fn.id = m.from_id"
	    " LEFT JOIN grid fg ON m.kind = 'unit'"
	    " AND fg.community_id = m.community_id AND fg.id = m.from_id"
	    " LEFT JOIN unit tn ON m.kind = 'dwelling'"
	    " AND tn.community_id = m.community_id AND tn.id = m.to_id"
	    " LEFT JOIN grid tg ON m.kind = 'unit'"
	    " AND tg.community_id = m.community_id AND tg.id = m.to_id"
	    " WHERE m.community_id = $1 AND m.border_id = $2"
	    " ORDER BY m.kind, m.moved_id", NULL, 0 },
	[MOVE_COUNT] = { RO, 2, &move_count_view,
	    "SELECT" COUNT("from_id", "dwelling") " AS from_units,"
	    COUNT("to_id", "dwelling") " AS to_units,"
	    COUNT("from_id", "unit") " AS from_grids,"
	    COUNT("to_id", "unit") " AS to_grids,"
	    DIFFERENT("from_id", "dwelling") " AS old_units,"
	    DIFFERENT("to_id", "dwelling") " AS new_units,"
	    DIFFERENT("from_id", "unit") " AS old_grids,"
	    DIFFERENT("to_id", "unit") " AS new_grids"
	    " FROM border_move WHERE community_id = $1 AND border_id = $2",
	    NULL, 0 },
	[UNIT_END_FROM] = { RW, 4, NULL, MOVE_END(UD)
	    MOVES("dwelling", UD ".dwelling_id", "from_id = " UD ".unit_id"),
	    NULL, 0 },
	[UNIT_END_TO] = { RW, 4, NULL, MOVE_END(UD)
	    MOVES("dwelling", UD ".dwelling_id", "to_id = " UD ".unit_id"),
	    NULL, 0 },
	[UNIT_BEGIN_TO] = { RW, 3, NULL, MOVE_BEGIN(UD, "dwelling_id",
	    "unit_id", "dwelling", "to_id"), NULL, 0 },
	[UNIT_BEGIN_FROM] = { RW, 3, NULL, MOVE_BEGIN(UD, "dwelling_id",
	    "unit_id", "dwelling", "from_id"), NULL, 0 },
	[UNIT_TAKE] = { RW, 3, NULL,
	    "DELETE FROM " UD " WHERE community_id = $1 AND from_at = $3"
	    " AND to_at IS NULL AND " MOVES("dwelling", UD ".dwelling_id",
	    "to_id = " UD ".unit_id"), NULL, 0 },
	[UNIT_REOPEN] = { RW, 3, NULL,
	    "UPDATE " UD " SET to_at = NULL WHERE community_id = $1"
	    " AND to_at = $3 AND " MOVES("dwelling", UD ".dwelling_id",
	    "from_id = " UD ".unit_id"), NULL, 0 },
	[UNIT_HOLD_TO] = { RW, 2, NULL,
	    MOVE_HOLD("unit", "dwelling", "to_id"), NULL, 0 },
	[UNIT_HOLD_FROM] = { RW, 2, NULL,
	    MOVE_HOLD("unit", "dwelling", "from_id"), NULL, 0 },
	[UNIT_STRAY_FROM] = { RO, 3, &move_name_view,
	    MOVE_STRAY(UD, "dwelling_id", "unit_id", "dwelling", "from_id",
	    "place", "full_name"), NULL, 0 },
	[UNIT_STRAY_TO] = { RO, 3, &move_name_view,
	    MOVE_STRAY(UD, "dwelling_id", "unit_id", "dwelling", "to_id",
	    "place", "full_name"), NULL, 0 },
	[GRID_END_FROM] = { RW, 4, NULL, MOVE_END(UG)
	    MOVES("unit", UG ".unit_id", "from_id = " UG ".grid_id"),
	    NULL, 0 },
	[GRID_END_TO] = { RW, 4, NULL, MOVE_END(UG)
	    MOVES("unit", UG ".unit_id", "to_id = " UG ".grid_id"),
	    NULL, 0 },
	[GRID_BEGIN_TO] = { RW, 3, NULL, MOVE_BEGIN(UG, "unit_id",
	    "grid_id", "unit", "to_id"), NULL, 0 },
	[GRID_BEGIN_FROM] = { RW, 3, NULL, MOVE_BEGIN(UG, "unit_id",
	    "grid_id", "unit", "from_id"), NULL, 0 },
	[GRID_TAKE] = { RW, 3, NULL,
	    "DELETE FROM " UG " WHERE community_id = $1 AND from_at = $3"
	    " AND to_at IS NULL AND " MOVES("unit", UG ".unit_id",
	    "to_id = " UG ".grid_id"), NULL, 0 },
	[GRID_REOPEN] = { RW, 3, NULL,
	    "UPDATE " UG " SET to_at = NULL WHERE community_id = $1"
	    " AND to_at = $3 AND " MOVES("unit", UG ".unit_id",
	    "from_id = " UG ".grid_id"), NULL, 0 },
	[GRID_HOLD_TO] = { RW, 2, NULL,
	    MOVE_HOLD("grid", "unit", "to_id"), NULL, 0 },
	[GRID_HOLD_FROM] = { RW, 2, NULL,
	    MOVE_HOLD("grid", "unit", "from_id"), NULL, 0 },
	[GRID_STRAY_FROM] = { RO, 3, &move_name_view,
	    MOVE_STRAY(UG, "unit_id", "grid_id", "unit", "from_id",
	    "unit", "name"), NULL, 0 },
	[GRID_STRAY_TO] = { RO, 3, &move_name_view,
	    MOVE_STRAY(UG, "unit_id", "grid_id", "unit", "to_id",
	    "unit", "name"), NULL, 0 },
};

void
border_moves(struct json *j, const struct req *rq, const void *row)
{
	const struct border	*b = row;
	struct border_move	 m;

	grid_stream(j, rq, &move_sql[MOVE_LIST],
	    WITH(V(rq->who.community_id), V(b->id)), &m, b->e);
}

static enum err
count(struct req *rq, int64_t id, struct move_count *ret)
{
	return db_one(rq->db, rq->arena, &move_sql[MOVE_COUNT],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

static enum err
meanwhile(struct req *rq, const char *what)
{
	return req_failf(rq, ERR_CONFLICT, "%s的归属已另有变动，"
	    "请按现在的情况重新拟定。", what);
}

/* One that is in the way is named; -1 for none that can be. */
static enum err
stray(struct req *rq, int which, int64_t id, int64_t at)
{
	struct move_name	row;
	enum err		e;

	if (which < 0)
		return meanwhile(rq, "其中一处");
	e = db_one(rq->db, rq->arena, &move_sql[which],
	    WITH(V(rq->who.community_id), V(id), V(at)), &row);
	if (e != OK && e != ERR_ABSENT)
		return e;
	return meanwhile(rq, e == OK ? row.name : "其中一处");
}

static enum err
hold(struct req *rq, int which, int64_t id, int64_t want)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &move_sql[which],
	    WITH(V(rq->who.community_id), V(id)), &n);
	if (e == OK && n != want)
		return req_fail(rq, ERR_CONFLICT,
		    "有联户或网格已停用，请按现在的情况重新拟定。");
	return e;
}

/* One statement at `at`, which must change `want` rows. */
static enum err
step(struct req *rq, int which, int naming, int64_t id, int64_t at,
    int64_t want)
{
	const struct stmt	*s = &move_sql[which];
	int64_t			 n;
	enum err		 e;

	if (want == 0)
		return OK;
	e = s->nargs == 4 ? db_run(rq->db, s, WITH(V(rq->who.community_id),
	    V(id), V(at), V(rq->now)), &n) :
	    db_run(rq->db, s, WITH(V(rq->who.community_id), V(id), V(at)),
	    &n);
	if (e == ERR_UNIQUE)
		return meanwhile(rq, "其中一处");
	return e == OK && n != want ? stray(rq, naming, id, at) : e;
}

enum err
border_set(struct req *rq, int64_t id, int64_t at)
{
	struct move_count	c;
	enum err		e;

	if ((e = count(rq, id, &c)) != OK ||
	    (e = hold(rq, GRID_HOLD_TO, id, c.new_grids)) != OK ||
	    (e = hold(rq, UNIT_HOLD_TO, id, c.new_units)) != OK ||
	    (e = step(rq, GRID_END_FROM, GRID_STRAY_FROM, id, at,
	    c.from_grids)) != OK ||
	    (e = step(rq, GRID_BEGIN_TO, -1, id, at, c.to_grids)) != OK ||
	    (e = step(rq, UNIT_END_FROM, UNIT_STRAY_FROM, id, at,
	    c.from_units)) != OK)
		return e;
	return step(rq, UNIT_BEGIN_TO, -1, id, at, c.to_units);
}

enum err
border_take(struct req *rq, int64_t id, int64_t at)
{
	struct move_count	c;
	enum err		e;

	if ((e = count(rq, id, &c)) != OK ||
	    (e = hold(rq, GRID_HOLD_FROM, id, c.old_grids)) != OK ||
	    (e = hold(rq, UNIT_HOLD_FROM, id, c.old_units)) != OK ||
	    (e = step(rq, GRID_TAKE, -1, id, at, c.to_grids)) != OK ||
	    (e = step(rq, GRID_REOPEN, -1, id, at, c.from_grids)) != OK ||
	    (e = step(rq, UNIT_TAKE, -1, id, at, c.to_units)) != OK)
		return e;
	return step(rq, UNIT_REOPEN, -1, id, at, c.from_units);
}

enum err
border_back(struct req *rq, int64_t id)
{
	struct move_count	c;
	int64_t			at = rq->now;
	enum err		e;

	if ((e = count(rq, id, &c)) != OK ||
	    (e = hold(rq, GRID_HOLD_FROM, id, c.old_grids)) != OK ||
	    (e = hold(rq, UNIT_HOLD_FROM, id, c.old_units)) != OK ||
	    (e = step(rq, GRID_END_TO, GRID_STRAY_TO, id, at,
	    c.to_grids)) != OK ||
	    (e = step(rq, GRID_BEGIN_FROM, -1, id, at,
	    c.from_grids)) != OK ||
	    (e = step(rq, UNIT_END_TO, UNIT_STRAY_TO, id, at,
	    c.to_units)) != OK)
		return e;
	return step(rq, UNIT_BEGIN_FROM, -1, id, at, c.from_units);
}

void
border_move_register(void)
{
	db_register(move_sql, MOVE_SQL_MAX);
}
