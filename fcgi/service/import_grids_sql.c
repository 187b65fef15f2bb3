/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_grids_sql.c -- staged grids and units against those there are.
 *
 * A dwelling moves by ending one row and beginning another, so that a case
 * keeps the grid of its day.  A post whose holder the file names otherwise
 * ends, and another begins.  r is the staged row, i its objects and u what
 * it lies in.
 */
#include "service/import_internal.h"
#include "service/post.h"

#define IS(part)	" AND r.part = '" part "'"
#define GRID(name)	"('{' || " JT("name", name) " || '}')"
#define UNIT(name, grid) "('{' || " JT("name", name) " || ',' || "	\
	JT("grid", grid) " || '}')"
#define HOME(unit)	"('{' || " JT("unit", unit) " || '}')"
#define POST(name, mask) "('{' || " JT("name", name) " || ',' || "	\
	JT("phone_mask", mask) " || '}')"

/* The code of the grid that unit x is in, and of the unit of dwelling x. */
#define GRID_OF(x)	"(SELECT k.code FROM unit_grid q JOIN grid k"	\
	" ON k.community_id = q.community_id AND k.id = q.grid_id"	\
	" WHERE q.community_id = $1 AND q.unit_id = " x			\
	" AND q.to_at IS NULL)"
#define UNIT_OF(x)	"(SELECT n.code FROM unit_dwelling q JOIN unit n" \
	" ON n.community_id = q.community_id AND n.id = q.unit_id"	\
	" WHERE q.community_id = $1 AND q.dwelling_id = " x		\
	" AND q.to_at IS NULL)"

/* Posts s of what u is, as a worker or a head, and no deputy's. */
#define POST_HERE							\
	" s.community_id = $1 AND s.scope_id = u.thing_id"		\
	" AND s.scope = CASE r.part WHEN 'worker' THEN 'grid'"		\
	" ELSE 'unit' END AND s.role = CASE r.part WHEN 'worker'"	\
	" THEN 'grid' ELSE 'head' END AND s.deputy_of IS NULL"		\
	" AND s.to_at IS NULL"
#define IS_POST		" AND r.part IN ('worker', 'head')"

/* Whether the dwelling is, or becomes, one of the unit u. */
#define IN_UNIT(d)							\
	"(EXISTS (SELECT 1 FROM import_row t WHERE t.community_id = $1"	\
	" AND t.import_id = $2 AND t.up = r.up AND t.part = 'home'"	\
	" AND t.a_id = " d ") OR EXISTS (SELECT 1 FROM unit_dwelling q"	\
	" WHERE q.community_id = $1 AND q.dwelling_id = " d		\
	" AND q.to_at IS NULL AND q.unit_id = u.thing_id))"

enum { GRIDS_FIND, UNITS_FIND, HOMES_FIND, HOMES_LATER, HOMES_LATER_OUT,
	POSTS_FIND, POSTS_FACTS, POSTS_OTHER, HEADS_ELSEWHERE, HEADS_OUT,
	ALL_CHANGED, COMPARE_MAX };

static struct stmt compare_sql[] = {
	[GRIDS_FIND] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = g.id, verdict = 'same',"
	    " before = " GRID("g.name") " FROM grid g WHERE " IMPORT_MINE
	    IS("grid") " AND g.community_id = $1 AND g.code = r.key"
	    " AND g.to_at IS NULL", NULL, 0 },
	[UNITS_FIND] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = g.id, verdict = 'same',"
	    " before = " UNIT("g.name", GRID_OF("g.id")) " FROM unit g WHERE "
	    IMPORT_MINE IS("unit") " AND g.community_id = $1"
	    " AND g.code = r.key AND g.to_at IS NULL", NULL, 0 },
	[HOMES_FIND] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'same', before = "
	    HOME(UNIT_OF("d.dwelling_id")) " FROM unit_dwelling d WHERE "
	    IMPORT_MINE IS("home") " AND d.community_id = $1"
	    " AND d.dwelling_id = r.a_id AND d.to_at IS NULL", NULL, 0 },
	/* Borders that have been redrawn for a day to come. */
	[HOMES_LATER] = { RW, 5, NULL,
	    "INSERT INTO import_fault (community_id, import_id, id, line,"
	    " label, detail) SELECT r.community_id, r.import_id,"
	    " 100000000 + r.id, r.line, '房号', r.key ||"
	    " '已有预定的网格调整，请等调整生效后再导入'"
	    " FROM import_row r JOIN unit_dwelling d"
	    " ON d.community_id = r.community_id AND d.dwelling_id = r.a_id"
	    " AND d.to_at IS NULL WHERE " IMPORT_MINE IS("home")
	    " AND d.from_at > $5", NULL, 0 },
	[HOMES_LATER_OUT] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'fault'"
	    " FROM import_fault f WHERE " IMPORT_MINE IS("home")
	    " AND f.community_id = $1 AND f.import_id = $2"
	    " AND f.id = 100000000 + r.id", NULL, 0 },
	[POSTS_FIND] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET thing_id = q.id, a_id = q.id,"
	    " verdict = 'same' FROM (SELECT r.id AS row_id, MIN(s.id) AS id"
	    " FROM import_row r, import_row u, post s WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") IS_POST " AND" POST_HERE
	    " AND (s.phone_index = r.phone_index OR (s.name = r.key"
	    " AND (r.phone_index IS NULL OR s.phone_index IS NULL)))"
	    " GROUP BY r.id) q WHERE r.community_id = $1"
	    " AND r.import_id = $2 AND r.id = q.row_id", NULL, 0 },
	[POSTS_FACTS] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET was_phone = s.phone,"
	    " was_phone_index = s.phone_index, before = "
	    POST("s.name", NOW("phone_mask")) ", body = "
	    POST(NOW("name"), NOW("phone_mask"))
	    " FROM import_item i, post s WHERE " IMPORT_MINE IMPORT_ITEM
	    IS_POST " AND r.verdict = 'same' AND s.community_id = $1"
	    " AND s.id = r.a_id", NULL, 0 },
	[POSTS_OTHER] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET a_id = s.id, verdict = 'change',"
	    " before = " POST("s.name", "NULL")
	    " FROM import_row u, post s WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") IS_POST " AND r.verdict = 'add' AND"
	    POST_HERE, NULL, 0 },
	[HEADS_ELSEWHERE] = { RW, 4, NULL,
	    "INSERT INTO import_fault (community_id, import_id, id, line,"
	    " label, detail) SELECT r.community_id, r.import_id,"
	    " 200000000 + r.id, r.line, '联户长', r.key || '住在' ||"
	    " MIN(l.full_name) || '，不在这个十联户，请检查联户长或名单'"
	    " FROM import_row r, import_row u, person p, member m,"
	    " household h, place l WHERE " IMPORT_MINE IMPORT_UP("u", "r")
	    IS("head") " AND p.community_id = $1 AND p.gone_at IS NULL"
	    " AND (p.phone_index = r.phone_index OR (r.phone_index IS NULL"
	    " AND p.name = r.key)) AND m.community_id = $1"
	    " AND m.person_id = p.id AND m.to_at IS NULL"
	    " AND h.community_id = $1 AND h.id = m.household_id"
	    " AND h.to_at IS NULL AND l.community_id = $1"
	    " AND l.id = h.dwelling_id GROUP BY r.community_id, r.import_id,"
	    " r.id, r.line, r.key HAVING MAX(CASE WHEN "
	    IN_UNIT("h.dwelling_id") " THEN 1 ELSE 0 END) = 0", NULL, 0 },
	[HEADS_OUT] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'fault'"
	    " FROM import_fault f WHERE " IMPORT_MINE IS("head")
	    " AND f.community_id = $1 AND f.import_id = $2"
	    " AND f.id = 200000000 + r.id", NULL, 0 },
	[ALL_CHANGED] = { RW, 4, NULL,
	    "UPDATE import_row AS r SET verdict = 'change' WHERE "
	    IMPORT_MINE " AND r.verdict = 'same' AND (r.body <> r.before"
	    " OR r.phone_index <> COALESCE(r.was_phone_index, ''))",
	    NULL, 0 },
};

static const struct import_step compare_steps[] = {
	{ &compare_sql[GRIDS_FIND], "w", NULL },
	{ &compare_sql[UNITS_FIND], "w", NULL },
	{ &compare_sql[HOMES_FIND], "w", NULL },
	{ &compare_sql[HOMES_LATER], "wn", NULL },
	{ &compare_sql[HOMES_LATER_OUT], "w", NULL },
	{ &compare_sql[POSTS_FIND], "w", NULL },
	{ &compare_sql[POSTS_FACTS], "w", NULL },
	{ &compare_sql[POSTS_OTHER], "w", NULL },
	{ &compare_sql[HEADS_ELSEWHERE], "w", NULL },
	{ &compare_sql[HEADS_OUT], "w", NULL },
	{ &compare_sql[ALL_CHANGED], "w", NULL },
	{ NULL, NULL, NULL }
};

/* ---- applying ---- */

/* How it is now, by part; NULL when it is no more. */
#define AS_IT_IS							\
	"CASE r.part WHEN 'grid' THEN (SELECT " GRID("g.name")		\
	" FROM grid g WHERE g.community_id = $1 AND g.id = r.thing_id"	\
	" AND g.to_at IS NULL)"						\
	" WHEN 'unit' THEN (SELECT " UNIT("g.name", GRID_OF("g.id"))	\
	" FROM unit g WHERE g.community_id = $1 AND g.id = r.thing_id"	\
	" AND g.to_at IS NULL)"						\
	" WHEN 'home' THEN " HOME(UNIT_OF("r.a_id")) " END"

#define GROUPS		" AND r.part IN ('grid', 'unit', 'home')"

enum { STALE, STALE_POSTS, ADD_GRIDS, CHANGE_GRIDS, ADD_UNITS, CHANGE_UNITS,
	END_GRID_OF, ADD_GRID_OF, END_HOMES, ADD_HOMES, CHANGE_POSTS,
	END_POSTS, ADD_POSTS, HEAD_PERSONS, APPLY_MAX };

static struct stmt apply_sql[] = {
	[STALE] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    GROUPS " AND r.verdict IN ('change', 'same')"
	    " AND COALESCE(" AS_IT_IS ", '') <> r.before", NULL, 0 },
	[STALE_POSTS] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    IS_POST " AND r.verdict IN ('change', 'same') AND NOT EXISTS"
	    " (SELECT 1 FROM post s WHERE s.community_id = $1"
	    " AND s.id = r.a_id AND s.to_at IS NULL)", NULL, 0 },
	[ADD_GRIDS] = { RW, 5, NULL,
	    "INSERT INTO grid (community_id, id, code, name, from_at)"
	    " SELECT r.community_id, r.thing_id, r.key, " NOW("name")
	    ", CAST($5 AS BIGINT) FROM import_row r, import_item i WHERE "
	    IMPORT_MINE IMPORT_ITEM IS("grid") " AND r.verdict = 'add'",
	    NULL, 0 },
	[CHANGE_GRIDS] = { RW, 4, NULL,
	    "UPDATE grid SET name = " NOW("name")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS("grid") " AND r.verdict = 'change'"
	    " AND grid.community_id = $1 AND grid.id = r.thing_id",
	    NULL, 0 },
	[ADD_UNITS] = { RW, 5, NULL,
	    "INSERT INTO unit (community_id, id, code, name, from_at)"
	    " SELECT r.community_id, r.thing_id, r.key, " NOW("name")
	    ", CAST($5 AS BIGINT) FROM import_row r, import_item i WHERE "
	    IMPORT_MINE IMPORT_ITEM IS("unit") " AND r.verdict = 'add'",
	    NULL, 0 },
	[CHANGE_UNITS] = { RW, 4, NULL,
	    "UPDATE unit SET name = " NOW("name")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS("unit") " AND r.verdict = 'change'"
	    " AND unit.community_id = $1 AND unit.id = r.thing_id",
	    NULL, 0 },
	[END_GRID_OF] = { RW, 5, NULL,
	    "UPDATE unit_grid SET to_at = $5"
	    " FROM import_row r, import_row u WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") IS("unit") " AND r.verdict = 'change'"
	    " AND unit_grid.community_id = $1"
	    " AND unit_grid.unit_id = r.thing_id"
	    " AND unit_grid.grid_id <> u.thing_id"
	    " AND unit_grid.to_at IS NULL", NULL, 0 },
	[ADD_GRID_OF] = { RW, 5, NULL,
	    "INSERT INTO unit_grid (community_id, unit_id, from_at, grid_id)"
	    " SELECT r.community_id, r.thing_id, CAST($5 AS BIGINT),"
	    " u.thing_id FROM import_row r, import_row u WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") IS("unit")
	    " AND r.verdict IN ('add', 'change') AND NOT EXISTS (SELECT 1"
	    " FROM unit_grid q WHERE q.community_id = $1"
	    " AND q.unit_id = r.thing_id AND q.to_at IS NULL)", NULL, 0 },
	[END_HOMES] = { RW, 5, NULL,
	    "UPDATE unit_dwelling SET to_at = $5"
	    " FROM import_row r WHERE " IMPORT_MINE IS("home")
	    " AND r.verdict = 'change' AND unit_dwelling.community_id = $1"
	    " AND unit_dwelling.dwelling_id = r.a_id"
	    " AND unit_dwelling.to_at IS NULL", NULL, 0 },
	[ADD_HOMES] = { RW, 5, NULL,
	    "INSERT INTO unit_dwelling (community_id, dwelling_id, from_at,"
	    " unit_id) SELECT r.community_id, r.a_id, CAST($5 AS BIGINT),"
	    " u.thing_id FROM import_row r, import_row u WHERE " IMPORT_MINE
	    IMPORT_UP("u", "r") IS("home")
	    " AND r.verdict IN ('add', 'change')", NULL, 0 },
	[CHANGE_POSTS] = { RW, 4, NULL,
	    "UPDATE post SET name = " NOW("name")
	    ", phone = COALESCE(r.phone, post.phone),"
	    " phone_index = COALESCE(r.phone_index, post.phone_index)"
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_POST " AND r.verdict = 'change'"
	    " AND r.a_id = r.thing_id AND post.community_id = $1"
	    " AND post.id = r.a_id", NULL, 0 },
	[END_POSTS] = { RW, 5, NULL,
	    "UPDATE post SET to_at = $5 FROM import_row r, import_row u"
	    " WHERE " IMPORT_MINE IMPORT_UP("u", "r") IS_POST
	    " AND r.verdict = 'change' AND r.a_id <> r.thing_id"
	    " AND post.community_id = $1 AND post.scope_id = u.thing_id"
	    " AND post.scope = CASE r.part WHEN 'worker' THEN 'grid'"
	    " ELSE 'unit' END AND post.role = CASE r.part WHEN 'worker'"
	    " THEN 'grid' ELSE 'head' END AND post.to_at IS NULL", NULL, 0 },
	[ADD_POSTS] = { RW, 5, NULL,
	    "INSERT INTO post (community_id, id, role, scope, scope_id,"
	    " user_id, name, phone, phone_index, from_at, created_at)"
	    " SELECT r.community_id, r.thing_id, CASE r.part"
	    " WHEN 'worker' THEN 'grid' ELSE 'head' END, CASE r.part"
	    " WHEN 'worker' THEN 'grid' ELSE 'unit' END, u.thing_id,"
	    " (SELECT MIN(a.id) FROM app_user a"
	    " WHERE a.phone_index = r.phone_index AND a.closed_at IS NULL), "
	    NOW("name") ", r.phone, r.phone_index, CAST($5 AS BIGINT),"
	    " CAST($5 AS BIGINT)"
	    " FROM import_row r, import_row u, import_item i WHERE "
	    IMPORT_MINE IMPORT_UP("u", "r") IMPORT_ITEM IS_POST
	    " AND r.verdict IN ('add', 'change')"
	    " AND (r.a_id IS NULL OR r.a_id <> r.thing_id)", NULL, 0 },
	[HEAD_PERSONS] = { RW, 4, NULL,
	    "UPDATE post SET person_id = s.person_id FROM (SELECT"
	    " r.thing_id AS post_id, MIN(p.id) AS person_id"
	    " FROM import_row r JOIN person p"
	    " ON p.community_id = r.community_id"
	    " AND p.phone_index = r.phone_index AND p.gone_at IS NULL"
	    " WHERE " IMPORT_MINE IS("head")
	    " AND r.verdict IN ('add', 'change') GROUP BY r.thing_id) s"
	    " WHERE post.community_id = $1 AND post.id = s.post_id",
	    NULL, 0 },
};

#define CHANGED_SINCE	"检查之后有的网格或联户被改过，没有写入任何内容，请重新" \
	"上传文件再核对一遍。"
#define CHANGED_LATER	"导入之后有的网格或联户又被改过，不能整体撤销，请改为"	\
	"逐条修改。"

static const struct import_step apply_steps[] = {
	{ &apply_sql[STALE], "w", CHANGED_SINCE },
	{ &apply_sql[STALE_POSTS], "w", CHANGED_SINCE },
	{ &apply_sql[ADD_GRIDS], "wn", NULL },
	{ &apply_sql[CHANGE_GRIDS], "w", NULL },
	{ &apply_sql[ADD_UNITS], "wn", NULL },
	{ &apply_sql[CHANGE_UNITS], "w", NULL },
	{ &apply_sql[END_GRID_OF], "wn", NULL },
	{ &apply_sql[ADD_GRID_OF], "wn", NULL },
	{ &apply_sql[END_HOMES], "wn", NULL },
	{ &apply_sql[ADD_HOMES], "wn", NULL },
	{ &apply_sql[CHANGE_POSTS], "w", NULL },
	{ &apply_sql[END_POSTS], "wn", NULL },
	{ &apply_sql[ADD_POSTS], "wn", NULL },
	{ &apply_sql[HEAD_PERSONS], "w", NULL },
	{ NULL, NULL, NULL }
};

/* ---- undoing ---- */

enum { MOVED, MOVED_POSTS, LATER_HOMES, LATER_UNITS, LESS_POSTS, BACK_POSTS,
	MORE_POSTS, LESS_HOMES, MORE_HOMES, LESS_GRID_OF, MORE_GRID_OF,
	LESS_UNITS, BACK_UNITS, LESS_GRIDS, BACK_GRIDS, UNDO_MAX };

static struct stmt undo_sql[] = {
	[MOVED] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    GROUPS " AND r.verdict IN ('add', 'change')"
	    " AND COALESCE(" AS_IT_IS ", '') <> r.body", NULL, 0 },
	[MOVED_POSTS] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    IS_POST " AND r.verdict IN ('add', 'change') AND NOT EXISTS"
	    " (SELECT 1 FROM post s WHERE s.community_id = $1"
	    " AND s.id = r.thing_id AND s.name = r.key"
	    " AND s.to_at IS NULL)", NULL, 0 },
	/* What was put since into a unit or grid that would go. */
	[LATER_HOMES] = { RO, 5, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r JOIN unit_dwelling d"
	    " ON d.community_id = r.community_id AND d.unit_id = r.thing_id"
	    " WHERE " IMPORT_MINE IS("unit") " AND r.verdict = 'add'"
	    " AND d.from_at <> $5", NULL, 0 },
	[LATER_UNITS] = { RO, 5, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r JOIN unit_grid d"
	    " ON d.community_id = r.community_id AND d.grid_id = r.thing_id"
	    " WHERE " IMPORT_MINE IS("grid") " AND r.verdict = 'add'"
	    " AND d.from_at <> $5", NULL, 0 },
	/* A post has been held: it ends, and is not forgotten. */
	[LESS_POSTS] = { RW, 5, NULL,
	    "UPDATE post SET to_at = $5 FROM import_row r WHERE " IMPORT_MINE
	    IS_POST " AND r.verdict IN ('add', 'change')"
	    " AND (r.a_id IS NULL OR r.a_id <> r.thing_id)"
	    " AND post.community_id = $1 AND post.id = r.thing_id"
	    " AND post.to_at IS NULL", NULL, 0 },
	[BACK_POSTS] = { RW, 4, NULL,
	    "UPDATE post SET name = " WAS("name") ", phone = r.was_phone,"
	    " phone_index = r.was_phone_index"
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS_POST " AND r.verdict = 'change'"
	    " AND r.a_id = r.thing_id AND post.community_id = $1"
	    " AND post.id = r.a_id", NULL, 0 },
	[MORE_POSTS] = { RW, 5, NULL,
	    "UPDATE post SET to_at = NULL FROM import_row r, import_row u"
	    " WHERE " IMPORT_MINE IMPORT_UP("u", "r") IS_POST
	    " AND r.verdict = 'change' AND r.a_id <> r.thing_id"
	    " AND post.community_id = $1 AND post.scope_id = u.thing_id"
	    " AND post.scope = CASE r.part WHEN 'worker' THEN 'grid'"
	    " ELSE 'unit' END AND post.to_at = $5", NULL, 0 },
	[LESS_HOMES] = { RW, 5, NULL,
	    "DELETE FROM unit_dwelling WHERE community_id = $1"
	    " AND dwelling_id IN (SELECT r.a_id FROM import_row r WHERE "
	    IMPORT_MINE IS("home") " AND r.verdict IN ('add', 'change'))"
	    " AND from_at = $5", NULL, 0 },
	[MORE_HOMES] = { RW, 5, NULL,
	    "UPDATE unit_dwelling SET to_at = NULL WHERE community_id = $1"
	    " AND dwelling_id IN (SELECT r.a_id FROM import_row r WHERE "
	    IMPORT_MINE IS("home") " AND r.verdict = 'change')"
	    " AND to_at = $5", NULL, 0 },
	[LESS_GRID_OF] = { RW, 5, NULL,
	    "DELETE FROM unit_grid WHERE community_id = $1 AND unit_id IN"
	    " (SELECT r.thing_id FROM import_row r WHERE " IMPORT_MINE
	    IS("unit") " AND r.verdict IN ('add', 'change'))"
	    " AND from_at = $5", NULL, 0 },
	[MORE_GRID_OF] = { RW, 5, NULL,
	    "UPDATE unit_grid SET to_at = NULL WHERE community_id = $1"
	    " AND unit_id IN (SELECT r.thing_id FROM import_row r WHERE "
	    IMPORT_MINE IS("unit") " AND r.verdict = 'change')"
	    " AND to_at = $5", NULL, 0 },
	[LESS_UNITS] = { RW, 4, NULL,
	    "DELETE FROM unit WHERE community_id = $1 AND id IN (SELECT"
	    " r.thing_id FROM import_row r WHERE " IMPORT_MINE IS("unit")
	    " AND r.verdict = 'add')", NULL, 0 },
	[BACK_UNITS] = { RW, 4, NULL,
	    "UPDATE unit SET name = " WAS("name")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS("unit") " AND r.verdict = 'change'"
	    " AND unit.community_id = $1 AND unit.id = r.thing_id",
	    NULL, 0 },
	[LESS_GRIDS] = { RW, 4, NULL,
	    "DELETE FROM grid WHERE community_id = $1 AND id IN (SELECT"
	    " r.thing_id FROM import_row r WHERE " IMPORT_MINE IS("grid")
	    " AND r.verdict = 'add')", NULL, 0 },
	[BACK_GRIDS] = { RW, 4, NULL,
	    "UPDATE grid SET name = " WAS("name")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM IS("grid") " AND r.verdict = 'change'"
	    " AND grid.community_id = $1 AND grid.id = r.thing_id",
	    NULL, 0 },
};

static const struct import_step undo_steps[] = {
	{ &undo_sql[MOVED], "w", CHANGED_LATER },
	{ &undo_sql[MOVED_POSTS], "w", CHANGED_LATER },
	{ &undo_sql[LATER_HOMES], "wa", CHANGED_LATER },
	{ &undo_sql[LATER_UNITS], "wa", CHANGED_LATER },
	{ &undo_sql[LESS_POSTS], "wn", NULL },
	{ &undo_sql[BACK_POSTS], "w", NULL },
	{ &undo_sql[MORE_POSTS], "wa", NULL },
	{ &undo_sql[LESS_HOMES], "wa", NULL },
	{ &undo_sql[MORE_HOMES], "wa", NULL },
	{ &undo_sql[LESS_GRID_OF], "wa", NULL },
	{ &undo_sql[MORE_GRID_OF], "wa", NULL },
	{ &undo_sql[LESS_UNITS], "w", NULL },
	{ &undo_sql[BACK_UNITS], "w", NULL },
	{ &undo_sql[LESS_GRIDS], "w", NULL },
	{ &undo_sql[BACK_GRIDS], "w", NULL },
	{ NULL, NULL, NULL }
};

/* ---- roles ---- */

struct import_holder {
	int64_t		 user_id;
};

static const struct view_column import_holder_columns[] = {
	C_ID(import_holder, user_id),
	C_END
};
static const struct view import_holder_view =
    VIEW(import_holder, "ImportHolder");

/* All whose posts the import began or ended. */
static struct stmt holders_sql = { RO, 2, &import_holder_view,
    "SELECT DISTINCT p.user_id FROM import_row r JOIN import_row u"
    " ON u.community_id = r.community_id AND u.import_id = r.import_id"
    " AND u.id = r.up JOIN post p ON p.community_id = r.community_id"
    " AND p.scope_id = u.thing_id AND p.scope IN ('grid', 'unit')"
    " WHERE " IMPORT_ALL IS_POST " AND r.verdict IN ('add', 'change')"
    " AND p.user_id IS NOT NULL", NULL, 0 };

struct holder {
	int64_t		 user_id;
	struct holder	*next;
};

static enum err
roles(struct req *rq, int64_t community_id, int64_t id)
{
	struct import_holder	 row;
	struct holder		*first = NULL, *h;
	struct rows		 rows;
	enum err		 e;

	e = db_query(rq->db, &holders_sql, WITH(V(community_id), V(id)),
	    &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row)) {
		h = ARENA_NEW(rq->arena, struct holder);
		h->user_id = row.user_id;
		h->next = first;
		first = h;
	}
	e = db_end(&rows);
	for (h = first; e == OK && h != NULL; h = h->next)
		e = post_roles(rq, community_id, h->user_id);
	return e;
}

const struct import_plan import_grids_plan = { compare_steps, apply_steps,
    undo_steps, roles, roles };

void
import_grids_register(void)
{
	db_register(compare_sql, COMPARE_MAX);
	db_register(apply_sql, APPLY_MAX);
	db_register(undo_sql, UNDO_MAX);
	db_register(&holders_sql, 1);
	import_grids_rows_register();
	post_role_register();
}
