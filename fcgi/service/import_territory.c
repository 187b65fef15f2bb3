/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_territory.c -- a file of dwellings, and what they lie in.
 *
 * The tree of places, which the demo uses too, works out what a row means
 * for others: a lift is the entrance's, a point the mean of the parts'.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "service/import_internal.h"
#include "service/place_tree.h"

#define FLOOR_MIN	(-9)
#define FLOOR_MAX	199
#define QUOTED		20	/* code points of a cell in a message */

enum { COL_COMMUNITY, COL_COMPOUND, COL_BUILDING, COL_ENTRANCE,
	COL_DWELLING, COL_FLOOR, COL_LIFT, COL_LAT, COL_LNG, COL_MAX };

static const struct sheet_column columns[] = {
	[COL_COMMUNITY] = { "community", "社区", false },
	[COL_COMPOUND] = { "compound", "小区", true },
	[COL_BUILDING] = { "building", "楼栋", true },
	[COL_ENTRANCE] = { "entrance", "单元", true },
	[COL_DWELLING] = { "dwelling", "房号", true },
	[COL_FLOOR] = { "floor", "楼层", false },
	[COL_LIFT] = { "lift", "电梯", false },
	[COL_LAT] = { "lat", "纬度", false },
	[COL_LNG] = { "lng", "经度", false },
};
_Static_assert(COL_MAX <= SHEET_COLUMNS, "room for all");

static enum err
begin(struct import *im)
{
	im->state = place_tree_new(im->long_lived, im->community_id);
	return place_tree_load(im->state, im->rq->db);
}

/* False when one of them is none. */
static bool
read_names(struct import *im, struct place_row *r)
{
	bool	good = true;
	int	i;

	for (i = 0; i < PLACE_LEVELS; i++) {
		r->name[i] = sheet_text(im->sheet, COL_COMPOUND + i,
		    PLACE_NAME);
		good = good && r->name[i] != NULL;
	}
	return good;
}

/* "5", "-1", "5层", "5楼"; there is no floor 0. */
static bool
parse_floor(const char *s, int64_t *ret)
{
	int64_t	v = 0;
	int	sign = 1, n = 0;

	if (*s == '-') {
		sign = -1;
		s++;
	}
	for (; *s >= '0' && *s <= '9' && n < 4; s++, n++)
		v = v * 10 + (*s - '0');
	if (strcmp(s, "层") == 0 || strcmp(s, "楼") == 0)
		s += strlen(s);
	*ret = v * sign;
	return n > 0 && *s == '\0' && v != 0 && *ret >= FLOOR_MIN &&
	    *ret <= FLOOR_MAX;
}

static int64_t
read_floor(struct import *im)
{
	const char	*s = sheet_cell(im->sheet, COL_FLOOR);
	int64_t		 v;

	if (s[0] == '\0')
		return VIEW_NULL_INT;
	if (!parse_floor(s, &v))
		sheet_fault(im->sheet, COL_FLOOR, "应是 %d 到 %d 的整数，"
		    "没有 0 层（填的是“%s”）", FLOOR_MIN, FLOOR_MAX,
		    text_cut(im->row, s, QUOTED));
	return v;
}

static int64_t
read_lift(struct import *im)
{
	static const char *const yes[] = { "是", "有", "1", "yes", NULL };
	static const char *const no[] = { "否", "无", "0", "no", NULL };
	const char	*s = sheet_cell(im->sheet, COL_LIFT);
	int		 i;

	if (s[0] == '\0')
		return VIEW_NULL_INT;
	for (i = 0; yes[i] != NULL; i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return 1;
		if (strcasecmp(s, no[i]) == 0)
			return 0;
	}
	sheet_fault(im->sheet, COL_LIFT, "应是 有、无、是、否、1 或 0"
	    "（填的是“%s”）", text_cut(im->row, s, QUOTED));
	return VIEW_NULL_INT;
}

static void
read_row(struct import *im)
{
	struct place_row	r;
	bool			ours, named;
	int			line, faults = sheet_faults(im->sheet);

	ours = import_is_ours(im, COL_COMMUNITY);
	if (!ours && sheet_faults(im->sheet) == faults)
		return;
	named = read_names(im, &r);
	r.floor = read_floor(im);
	r.lift = read_lift(im);
	sheet_point(im->sheet, COL_LAT, COL_LNG, &r.lat, &r.lng);
	r.line = sheet_line(im->sheet);
	/* A row that is left out leaves no trace; one that stops all may. */
	if (!ours || !named ||
	    (im->partial && sheet_faults(im->sheet) > faults))
		return;
	switch (place_tree_add(im->state, &r, &line)) {
	case PLACE_FITS:
		break;
	case PLACE_TWICE:
		sheet_fault(im->sheet, COL_DWELLING, "与第 %d 行是同一户",
		    line);
		break;
	case PLACE_LIFT:
		sheet_fault(im->sheet, COL_LIFT,
		    "同一单元的电梯与第 %d 行填的不一样", line);
		break;
	}
}

/* What SQL makes of the place's row, to the letter. */
static const char *
facts(struct import *im, const struct place_facts *f)
{
	static const char *const keys[] = { "rank", "floor", "lift", "lat",
	    "lng" };
	static const char *const none[5];
	const int64_t		 v[] = { f->rank, f->floor, f->lift, f->lat,
				    f->lng };

	return import_object(im, 5, keys, none, v);
}

static const char *
whole(struct import *im, const struct place_diff *d)
{
	static const char *const keys[] = { "rank", "floor", "lift", "lat",
	    "lng", "full_name", "parent_id", "compound_id" };
	const char *const	 texts[] = { NULL, NULL, NULL, NULL, NULL,
				    d->full_name, NULL, NULL };
	const int64_t		 v[] = { d->is.rank, d->is.floor,
				    d->is.lift, d->is.lat, d->is.lng, 0,
				    d->parent_id, d->compound_id };

	return import_object(im, 8, keys, texts, v);
}

static void
stage(void *arg, const struct place_diff *d)
{
	struct import		*im = arg;
	struct import_item	 it = { .part = d->kind, .line = d->line,
				    .key = d->name, .thing_id = d->id,
				    .a_id = d->parent_id };

	if (im->err != OK)
		return;
	it.verdict = !d->stored ? "add" : d->same ? "same" : "change";
	it.body = d->stored ? facts(im, &d->is) : whole(im, d);
	it.before = d->stored ? facts(im, &d->was) : NULL;
	import_add(im, &it);
	arena_reset(im->row);
}

static void
end(struct import *im)
{
	place_tree_diff(im->state, stage, im);
}

const struct import_reader import_territory = { columns, COL_MAX, begin,
    read_row, end };

/* ---- SQL ---- */

#define FACTS(p)	"('{' || " JN("rank", p ".rank") " || ',' || "	\
	JN("floor", p ".floor") " || ',' || " JN("lift", p ".lift")	\
	" || ',' || " JN("lat", p ".lat") " || ',' || "			\
	JN("lng", p ".lng") " || '}')"

#define SET_FACTS(o)	"rank = " BIG("(i." o " ->> 'rank')")		\
	", floor = " BIG("(i." o " ->> 'floor')")			\
	", lift = " BIG("(i." o " ->> 'lift')")				\
	", lat = " BIG("(i." o " ->> 'lat')")				\
	", lng = " BIG("(i." o " ->> 'lng')")

#define NO_SUCH(facts)	" AND NOT EXISTS (SELECT 1 FROM place p"	\
	" WHERE p.community_id = $1 AND p.id = r.thing_id AND "		\
	FACTS("p") " = " facts ")"

enum { PLACES_STALE, PLACES_ADD, PLACES_CHANGE, PLACES_MOVED, PLACES_BACK,
	PLACES_REMOVE_4, PLACES_REMOVE_3, PLACES_REMOVE_2, PLACES_REMOVE_1,
	PLACES_SQL_MAX };

#define REMOVE(part) { RW, 4, NULL,					\
	"DELETE FROM place WHERE community_id = $1 AND kind = '" part "'" \
	" AND id IN (SELECT r.thing_id FROM import_row r WHERE "	\
	IMPORT_MINE " AND r.part = '" part "' AND r.verdict = 'add')",	\
	NULL, 0 }

static struct stmt places_sql[] = {
	[PLACES_STALE] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    " AND r.verdict = 'change'" NO_SUCH("r.before"), NULL, 0 },
	[PLACES_ADD] = { RW, 4, NULL,
	    "INSERT INTO place (community_id, id, parent_id, kind,"
	    " compound_id, name, full_name, rank, floor, lift, lat, lng)"
	    " SELECT r.community_id, r.thing_id, "
	    BIG(NOW("parent_id")) ", r.part, " BIG(NOW("compound_id"))
	    ", r.key, " NOW("full_name") ", " BIG(NOW("rank")) ", "
	    BIG(NOW("floor")) ", " BIG(NOW("lift")) ", " BIG(NOW("lat"))
	    ", " BIG(NOW("lng")) " FROM import_row r, import_item i WHERE "
	    IMPORT_MINE IMPORT_ITEM " AND r.verdict = 'add'", NULL, 0 },
	[PLACES_CHANGE] = { RW, 4, NULL,
	    "UPDATE place SET " SET_FACTS("now")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM " AND r.verdict = 'change'"
	    " AND place.community_id = $1 AND place.id = r.thing_id",
	    NULL, 0 },
	[PLACES_MOVED] = { RO, 4, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import_row r WHERE " IMPORT_MINE
	    " AND r.verdict = 'change'" NO_SUCH("r.body"), NULL, 0 },
	[PLACES_BACK] = { RW, 4, NULL,
	    "UPDATE place SET " SET_FACTS("was")
	    " FROM import_row r, import_item i WHERE " IMPORT_MINE
	    IMPORT_ITEM " AND r.verdict = 'change'"
	    " AND place.community_id = $1 AND place.id = r.thing_id",
	    NULL, 0 },
	/* What lies in them is refused by the key on the parent below. */
	[PLACES_REMOVE_4] = REMOVE("dwelling"),
	[PLACES_REMOVE_3] = REMOVE("entrance"),
	[PLACES_REMOVE_2] = REMOVE("building"),
	[PLACES_REMOVE_1] = REMOVE("compound"),
};

/* parent_id is no key of the schema: a place added since has none then. */
static struct stmt orphan_sql = { RO, 4, &import_count_view,
    "SELECT COUNT(*) AS n FROM import_row r JOIN place p"
    " ON p.community_id = r.community_id AND p.parent_id = r.thing_id"
    " WHERE " IMPORT_MINE " AND r.verdict = 'add' AND NOT EXISTS (SELECT 1"
    " FROM import_row o WHERE o.community_id = $1 AND o.import_id = $2"
    " AND o.thing_id = p.id AND o.verdict = 'add')", NULL, 0 };

void
import_territory_register(void)
{
	db_register(places_sql, PLACES_SQL_MAX);
	db_register(&orphan_sql, 1);
}

#define CHANGED_SINCE	"检查之后有的房屋被改过，没有写入任何内容，请重新"	\
	"上传文件再核对一遍。"
#define CHANGED_LATER	"导入之后有的房屋又被改过，不能整体撤销，请改为逐条修改。"

static const struct import_step no_steps[] = { { NULL, NULL, NULL } };

static const struct import_step apply_steps[] = {
	{ &places_sql[PLACES_STALE], "w", CHANGED_SINCE },
	{ &places_sql[PLACES_ADD], "w", NULL },
	{ &places_sql[PLACES_CHANGE], "w", NULL },
	{ NULL, NULL, NULL }
};

static const struct import_step undo_steps[] = {
	{ &places_sql[PLACES_MOVED], "w", CHANGED_LATER },
	{ &orphan_sql, "w", CHANGED_LATER },
	{ &places_sql[PLACES_REMOVE_4], "w", NULL },
	{ &places_sql[PLACES_REMOVE_3], "w", NULL },
	{ &places_sql[PLACES_REMOVE_2], "w", NULL },
	{ &places_sql[PLACES_REMOVE_1], "w", NULL },
	{ &places_sql[PLACES_BACK], "w", NULL },
	{ NULL, NULL, NULL }
};

const struct import_plan import_territory_plan = { no_steps, apply_steps,
    undo_steps, NULL, NULL };
