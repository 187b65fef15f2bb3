/* SPDX-License-Identifier: Apache-2.0 */
/*
 * border_preview.c -- what a border does: homes of units and grids before
 * and after, and what it would leave in want.
 *
 * A draft is held against today, what has been in force against the
 * moment before.
 */
#include <string.h>

#include "http/req.h"
#include "service/border_internal.h"
#include "service/grid.h"
#include "service/scope.h"
#include "service/service.h"

struct unit_change {
	int64_t		 id;
	const char	*code;
	const char	*name;
	int64_t		 homes_before;
	int64_t		 homes_after;
};

static const struct view_column unit_change_columns[] = {
	C_ID(unit_change, id),
	C_TEXT(unit_change, code),
	C_TEXT(unit_change, name),
	C_INT(unit_change, homes_before),
	C_INT(unit_change, homes_after),
	C_END
};
static const struct view unit_change_view =
    VIEW(unit_change, "UnitChange");

struct grid_change {
	int64_t		 id;
	const char	*code;
	const char	*name;
	int64_t		 units_before;
	int64_t		 units_after;
	int64_t		 homes_before;
	int64_t		 homes_after;
	int64_t		 empty;
};

static const struct view_column grid_change_columns[] = {
	C_ID(grid_change, id),
	C_TEXT(grid_change, code),
	C_TEXT(grid_change, name),
	C_INT(grid_change, units_before),
	C_INT(grid_change, units_after),
	C_INT(grid_change, homes_before),
	C_INT(grid_change, homes_after),
	C_BOOL(grid_change, empty, .about = "left without units"),
	C_END
};
static const struct view grid_change_view =
    VIEW(grid_change, "GridChange");

struct head_away {
	int64_t		 post_id;
	const char	*name;
	int64_t		 unit_id;
	const char	*unit_code;
	const char	*unit;
};

static const struct view_column head_away_columns[] = {
	C_ID(head_away, post_id),
	C_TEXT(head_away, name),
	C_ID(head_away, unit_id),
	C_TEXT(head_away, unit_code),
	C_TEXT(head_away, unit),
	C_END
};
static const struct view head_away_view = VIEW(head_away, "HeadAway");

/*
 * d: each dwelling with its unit before and after; s: each unit with its
 * grid; t: the units that something happens to.  $1 community, $2 border,
 * $3 the moment.
 */
#define SIDES(name, table, thing, holder, kind)				\
	name " AS (SELECT r." thing " AS id, r." holder " AS before_id," \
	" COALESCE(m.to_id, r." holder ") AS after_id FROM " table " r"	\
	" LEFT JOIN mv m ON m.kind = '" kind "'"			\
	" AND m.moved_id = r." thing " WHERE r.community_id = $1 AND "	\
	SCOPE_VALID("r", "$3") " UNION ALL SELECT m.moved_id,"		\
	" CAST(NULL AS BIGINT), m.to_id FROM mv m"			\
	" WHERE m.kind = '" kind "' AND NOT EXISTS (SELECT 1 FROM "	\
	table " r WHERE r.community_id = $1 AND r." thing		\
	" = m.moved_id AND " SCOPE_VALID("r", "$3") "))"

#define PREVIEW								\
	"WITH mv AS (SELECT kind, moved_id, to_id, from_id"		\
	" FROM border_move WHERE community_id = $1 AND border_id = $2)," \
	SIDES(" d", "unit_dwelling", "dwelling_id", "unit_id",		\
	"dwelling") ","							\
	SIDES(" s", "unit_grid", "unit_id", "grid_id", "unit") ","	\
	" t AS (SELECT to_id AS id FROM mv WHERE kind = 'dwelling'"	\
	" UNION SELECT from_id FROM mv WHERE kind = 'dwelling'"		\
	" UNION SELECT moved_id FROM mv WHERE kind = 'unit')"

/* Rows of `from` counted by their side before and after. */
#define BY_SIDE(before, after, from)					\
	"(SELECT x.id, SUM(x.b) AS b, SUM(x.a) AS a FROM (SELECT "	\
	before " AS id, 1 AS b, 0 AS a" from " UNION ALL SELECT "	\
	after ", 0, 1" from ") x GROUP BY x.id)"

#define OF_GRIDS							\
	" FROM d LEFT JOIN s sb ON sb.id = d.before_id"			\
	" LEFT JOIN s sa ON sa.id = d.after_id"

enum { PREVIEW_UNITS, PREVIEW_GRIDS, PREVIEW_HEADS, PREVIEW_BORDER,
	PREVIEW_SQL_MAX };

static struct stmt preview_sql[PREVIEW_SQL_MAX];

/* The moment that it is held against. */
static int64_t
moment(const struct req *rq, const struct border *b)
{
	if (b->applies_at == VIEW_NULL_INT || b->applies_at > rq->now)
		return rq->now;
	return b->applies_at - 1;
}

static void
stream(struct json *j, const struct req *rq, const struct border *b,
    int which, void *row)
{
	grid_stream(j, rq, &preview_sql[which],
	    WITH(V(rq->who.community_id), V(b->id), V(moment(rq, b))), row,
	    b->e);
}

static void
preview_units(struct json *j, const struct req *rq, const void *row)
{
	struct unit_change	u;

	stream(j, rq, row, PREVIEW_UNITS, &u);
}

static void
preview_grids(struct json *j, const struct req *rq, const void *row)
{
	struct grid_change	g;

	stream(j, rq, row, PREVIEW_GRIDS, &g);
}

static void
preview_heads(struct json *j, const struct req *rq, const void *row)
{
	struct head_away	h;

	stream(j, rq, row, PREVIEW_HEADS, &h);
}

static const struct view_column border_preview_columns[] = {
	BORDER_COLUMNS,
	C_CALC("moves", SHAPE_OBJECTS, border_moves,
	    .sub = &border_move_view),
	C_CALC("units", SHAPE_OBJECTS, preview_units,
	    .sub = &unit_change_view),
	C_CALC("grids", SHAPE_OBJECTS, preview_grids,
	    .sub = &grid_change_view),
	C_CALC("heads_away", SHAPE_OBJECTS, preview_heads,
	    .sub = &head_away_view,
	    .about = "heads who would not live in their unit"),
	C_END
};
const struct view border_preview_view = { .name = "BorderPreview",
	.size = sizeof(struct border), .columns = border_preview_columns };

static struct stmt preview_sql[PREVIEW_SQL_MAX] = {
	[PREVIEW_UNITS] = { RO, 3, &unit_change_view,
	    PREVIEW " SELECT n.id, n.code, n.name,"
	    " COALESCE(c.b, 0) AS homes_before,"
	    " COALESCE(c.a, 0) AS homes_after FROM unit n LEFT JOIN "
	    BY_SIDE("d.before_id", "d.after_id", " FROM d")
	    " c ON c.id = n.id WHERE n.community_id = $1"
	    " AND n.id IN (SELECT id FROM t) ORDER BY n.code, n.id",
	    NULL, 0 },
	[PREVIEW_GRIDS] = { RO, 3, &grid_change_view,
	    PREVIEW " SELECT g.id, g.code, g.name,"
	    " COALESCE(n.b, 0) AS units_before,"
	    " COALESCE(n.a, 0) AS units_after,"
	    " COALESCE(c.b, 0) AS homes_before,"
	    " COALESCE(c.a, 0) AS homes_after,"
	    " CASE WHEN COALESCE(n.a, 0) = 0 THEN 1 ELSE 0 END AS empty"
	    " FROM grid g LEFT JOIN "
	    BY_SIDE("s.before_id", "s.after_id", " FROM s")
	    " n ON n.id = g.id LEFT JOIN "
	    BY_SIDE("sb.before_id", "sa.after_id", OF_GRIDS)
	    " c ON c.id = g.id WHERE g.community_id = $1 AND g.id IN"
	    " (SELECT s.before_id FROM s WHERE s.id IN (SELECT id FROM t)"
	    " UNION SELECT s.after_id FROM s"
	    " WHERE s.id IN (SELECT id FROM t)) ORDER BY g.code, g.id",
	    NULL, 0 },
	[PREVIEW_HEADS] = { RO, 3, &head_away_view,
	    PREVIEW " SELECT p.id AS post_id, p.name,"
	    " p.scope_id AS unit_id, n.code AS unit_code, n.name AS unit"
	    " FROM post p JOIN unit n ON n.community_id = p.community_id"
	    " AND n.id = p.scope_id WHERE p.community_id = $1"
	    " AND p.role = 'head' AND p.scope = 'unit'"
	    " AND p.person_id IS NOT NULL AND " SCOPE_VALID("p", "$3")
	    " AND p.scope_id IN (SELECT from_id FROM mv"
	    " WHERE kind = 'dwelling') AND NOT EXISTS (SELECT 1"
	    " FROM member b JOIN household h"
	    " ON h.community_id = b.community_id AND h.id = b.household_id"
	    " AND h.to_at IS NULL JOIN d ON d.id = h.dwelling_id"
	    " AND d.after_id = p.scope_id WHERE b.community_id = $1"
	    " AND b.person_id = p.person_id AND b.to_at IS NULL)"
	    " ORDER BY n.code, p.id", NULL, 0 },
	[PREVIEW_BORDER] = { RO, 2, &border_preview_view,
	    BORDER_SELECT " AND b.id = $2", NULL, 0 },
};

enum err
border_preview(struct req *rq)
{
	const struct border_id	*in = rq->in;
	struct border		 row;
	enum err		 e, within = OK;

	e = db_one(rq->db, rq->arena, &preview_sql[PREVIEW_BORDER],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	row.e = &within;
	e = req_one(rq, &row);
	return e != OK ? e : within;
}

void
border_preview_register(void)
{
	db_register(preview_sql, PREVIEW_SQL_MAX);
}
