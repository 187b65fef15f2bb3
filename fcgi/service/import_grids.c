/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_grids.c -- a file of grids and ten-household units.
 *
 * A row is a dwelling of a unit, or all dwellings of an entrance when the
 * number of the dwelling is left empty.  Grids, units and who has them are
 * said by the first row that names them; the others may say it again, but
 * nothing else.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "base/text.h"
#include "service/import_internal.h"

#define CODE_MAX	16	/* code points */
#define NAME_MAX_	40
#define PERSON_MAX	20

enum { COL_COMMUNITY, COL_GRID, COL_GRID_NAME, COL_WORKER, COL_WORKER_PHONE,
	COL_UNIT, COL_UNIT_NAME, COL_HEAD, COL_HEAD_PHONE, COL_COMPOUND,
	COL_BUILDING, COL_ENTRANCE, COL_DWELLING, COL_MAX };

static const struct sheet_column columns[] = {
	[COL_COMMUNITY] = { "community", "社区", false },
	[COL_GRID] = { "grid_code", "网格编号", true },
	[COL_GRID_NAME] = { "grid_name", "网格名称", true },
	[COL_WORKER] = { "worker_name", "网格员", false },
	[COL_WORKER_PHONE] = { "worker_phone", "网格员手机", false },
	[COL_UNIT] = { "unit_code", "十联户编号", true },
	[COL_UNIT_NAME] = { "unit_name", "十联户名称", true },
	[COL_HEAD] = { "head_name", "联户长", false },
	[COL_HEAD_PHONE] = { "head_phone", "联户长手机", false },
	[COL_COMPOUND] = { "compound", "小区", true },
	[COL_BUILDING] = { "building", "楼栋", true },
	[COL_ENTRANCE] = { "entrance", "单元", true },
	[COL_DWELLING] = { "dwelling", "房号", false },
};
_Static_assert(COL_MAX <= SHEET_COLUMNS, "room for all");

struct import_home {
	int64_t		 id;
	const char	*full_name;
};

static const struct view_column import_home_columns[] = {
	C_ID(import_home, id),
	C_TEXT(import_home, full_name),
	C_END
};
static const struct view import_home_view = VIEW(import_home, "ImportHome");

enum { HOMES_OF, HOME_OF, HOMES_SQL_MAX };

static struct stmt homes_sql[] = {
	[HOMES_OF] = { RO, 2, &import_home_view,
	    "SELECT id, full_name FROM place WHERE community_id = $1"
	    " AND parent_id = $2 AND kind = 'dwelling' ORDER BY rank, id",
	    NULL, 0 },
	[HOME_OF] = { RO, 2, &import_home_view,
	    "SELECT id, full_name FROM place WHERE community_id = $1"
	    " AND id = $2 AND kind = 'dwelling'", NULL, 0 },
};

/* A grid or a unit as the first row says it. */
struct group {
	int64_t		 item;
	int		 line;
	const char	*name, *person, *phone;	/* NULL: not said */
	const struct group *in;		/* of a unit: its grid */
};

struct grids {
	struct import_places	*places;
	struct map		 grids, units;	/* a: struct group */
	struct map		 homes;		/* b: line, a: unit's item */
};

struct row {
	int		 line;
	const char	*grid, *grid_name, *worker, *worker_phone;
	const char	*unit, *unit_name, *head, *head_phone;
	const char	*place[4];
	int		 depth;		/* 3: the whole entrance */
	int64_t		 place_id;
};

static void
free_maps(void *arg)
{
	struct grids	*g = arg;

	map_free(&g->grids);
	map_free(&g->units);
	map_free(&g->homes);
}

static enum err
begin(struct import *im)
{
	struct grids	*g = ARENA_NEW(im->long_lived, struct grids);

	im->state = g;
	arena_later(im->long_lived, free_maps, g);
	g->places = import_places_load(im);
	return im->err;
}

static void
end(struct import *im)
{
	(void)im;
}

static const char *
read_phone(struct import *im, int column)
{
	const char	*s = sheet_cell(im->sheet, column), *phone;

	if (s[0] == '\0')
		return NULL;
	phone = text_phone(im->row, s);
	if (phone == NULL)
		sheet_fault(im->sheet, column, "应是 11 位手机号码");
	return phone;
}

static void
read_place(struct import *im, struct row *r)
{
	struct grids	*g = im->state;
	bool		 good = true;
	int		 i;

	for (i = 0; i < 3; i++) {
		r->place[i] = sheet_text(im->sheet, COL_COMPOUND + i, 40);
		good = good && r->place[i] != NULL;
	}
	r->place[3] = sheet_maybe(im->sheet, COL_DWELLING, 40);
	r->depth = sheet_cell(im->sheet, COL_DWELLING)[0] == '\0' ? 3 : 4;
	if (!good || (r->depth == 4 && r->place[3] == NULL))
		return;
	r->place_id = import_place_id(g->places, r->place, r->depth);
	if (r->place_id == 0)
		sheet_fault(im->sheet, r->depth == 4 ? COL_DWELLING :
		    COL_ENTRANCE, "没有找到这个%s，请检查小区、楼栋、单元和"
		    "房号，或先导入房屋表", r->depth == 4 ? "房屋" : "单元");
}

static void
read_cells(struct import *im, struct row *r)
{
	r->grid = sheet_text(im->sheet, COL_GRID, CODE_MAX);
	r->grid_name = sheet_text(im->sheet, COL_GRID_NAME, NAME_MAX_);
	r->worker = sheet_maybe(im->sheet, COL_WORKER, PERSON_MAX);
	r->worker_phone = read_phone(im, COL_WORKER_PHONE);
	r->unit = sheet_text(im->sheet, COL_UNIT, CODE_MAX);
	r->unit_name = sheet_text(im->sheet, COL_UNIT_NAME, NAME_MAX_);
	r->head = sheet_maybe(im->sheet, COL_HEAD, PERSON_MAX);
	r->head_phone = read_phone(im, COL_HEAD_PHONE);
	if (r->worker == NULL && r->worker_phone != NULL)
		sheet_fault(im->sheet, COL_WORKER,
		    "填了手机，请填写网格员的姓名");
	if (r->head == NULL && r->head_phone != NULL)
		sheet_fault(im->sheet, COL_HEAD,
		    "填了手机，请填写联户长的姓名");
	read_place(im, r);
}

/* ---- rows against rows ---- */

static bool
differs(const char *said, const char *first)
{
	return said != NULL && (first == NULL || strcmp(said, first) != 0);
}

static void
check_group(struct import *im, const struct group *g, int column,
    const char *name, const char *person, const char *phone)
{
	if (differs(name, g->name))
		sheet_fault(im->sheet, column + 1,
		    "与第 %d 行同一编号的名称不一样，请改成一致", g->line);
	if (differs(person, g->person))
		sheet_fault(im->sheet, column + 2,
		    "与第 %d 行填的不是同一个人，请改成一致", g->line);
	if (differs(phone, g->phone))
		sheet_fault(im->sheet, column + 3,
		    "与第 %d 行填的手机不一样，请改成一致", g->line);
}

/* The group of a code; new ones are filled in by the first row. */
static struct group *
group_of(struct import *im, struct map *map, const char *code,
    int line, bool *fresh)
{
	struct map_spot		*s = map_at(map, map_hash(0, code),
				    fresh);
	struct group		*g;

	if (*fresh) {
		g = ARENA_NEW(im->long_lived, struct group);
		g->line = line;
		s->a = (int64_t)(intptr_t)g;
	}
	return (struct group *)(intptr_t)s->a;
}

static void
say(struct import *im, struct group *g, const char *name,
    const char *person, const char *phone)
{
	g->name = arena_str(im->long_lived, name);
	g->person = arena_str(im->long_lived, person);
	g->phone = arena_str(im->long_lived, phone);
}

/* ---- staging ---- */

static int64_t
stage_group(struct import *im, const char *part, const struct row *r,
    const char *code, int64_t up, const char *name)
{
	static const char *const keys[] = { "name", "grid" };
	const char *const	 texts[] = { name, r->grid };
	struct import_item	 it = { .part = part, .line = r->line,
				    .key = code, .up = up,
				    .a_id = VIEW_NULL_INT };

	it.thing_id = id_new();
	it.body = import_object(im, up != 0 ? 2 : 1, keys, texts, NULL);
	return import_add(im, &it);
}

static void
stage_post(struct import *im, const char *part, const struct row *r,
    int64_t up, const char *name, const char *phone)
{
	static const char *const keys[] = { "name", "phone_mask" };
	const char		*texts[] = { name, NULL };
	struct import_item	 it = { .part = part, .line = r->line,
				    .key = name, .up = up,
				    .a_id = VIEW_NULL_INT };

	if (name == NULL)
		return;
	if (phone != NULL) {
		texts[1] = text_mask_phone(im->row, phone);
		it.phone = crypt_seal(im->row, "phone", phone);
		it.phone_index = crypt_index(im->row, "phone", phone);
	}
	it.thing_id = id_new();
	it.body = import_object(im, 2, keys, texts, NULL);
	import_add(im, &it);
}

/* The grid of the row; NULL after a fault. */
static struct group *
take_grid(struct import *im, const struct row *r)
{
	struct grids	*all = im->state;
	struct group	*g;
	bool		 fresh;

	g = group_of(im, &all->grids, r->grid, r->line, &fresh);
	if (!fresh) {
		check_group(im, g, COL_GRID, r->grid_name, r->worker,
		    r->worker_phone);
		return g;
	}
	say(im, g, r->grid_name, r->worker, r->worker_phone);
	g->item = stage_group(im, "grid", r, r->grid, 0, r->grid_name);
	stage_post(im, "worker", r, g->item, r->worker, r->worker_phone);
	return g;
}

static struct group *
take_unit(struct import *im, const struct row *r, const struct group *in)
{
	struct grids	*all = im->state;
	struct group	*g;
	bool		 fresh;

	g = group_of(im, &all->units, r->unit, r->line, &fresh);
	if (!fresh) {
		if (g->in != in)
			sheet_fault(im->sheet, COL_UNIT, "第 %d 行把这个"
			    "十联户放在另一个网格，一个十联户只能属于一个网格",
			    g->line);
		check_group(im, g, COL_UNIT, r->unit_name, r->head,
		    r->head_phone);
		return g;
	}
	g->in = in;
	say(im, g, r->unit_name, r->head, r->head_phone);
	g->item = stage_group(im, "unit", r, r->unit, in->item,
	    r->unit_name);
	stage_post(im, "head", r, g->item, r->head, r->head_phone);
	return g;
}

static void
stage_home(struct import *im, const struct row *r, const struct group *unit,
    const struct import_home *h)
{
	static const char *const keys[] = { "unit" };
	struct grids		*all = im->state;
	struct import_item	 it = { .part = "home", .line = r->line,
				    .key = h->full_name, .a_id = h->id,
				    .up = unit->item, .thing_id = h->id };
	struct map_spot		*s;
	bool			 fresh;

	s = map_at(&all->homes, map_hash_int(0, h->id), &fresh);
	if (!fresh) {
		sheet_fault(im->sheet, COL_DWELLING, s->a == unit->item ?
		    "%s已经在第 %d 行" : "%s已经在第 %d 行划给另一个十联户，"
		    "一户只能属于一个网格和一个十联户", h->full_name, s->b);
		return;
	}
	s->a = unit->item;
	s->b = r->line;
	it.body = import_object(im, 1, keys, &r->unit, NULL);
	import_add(im, &it);
}

/* Rows are read to the end before staging writes. */
struct found {
	struct import_home	 home;
	struct found		*next;
};

static enum err
find_homes(struct import *im, const struct row *r, struct found **ret)
{
	struct import_home	 h;
	struct found		*f;
	struct rows		 rows;
	enum err		 e;

	*ret = NULL;
	e = db_query(im->rq->db, &homes_sql[r->depth == 3 ? HOMES_OF :
	    HOME_OF], WITH(V(im->community_id), V(r->place_id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &h)) {
		f = ARENA_NEW(im->row, struct found);
		f->home = (struct import_home){ h.id,
		    arena_str(im->row, h.full_name) };
		*ret = f;
		ret = &f->next;
	}
	return db_end(&rows);
}

/* The dwelling, or those of the entrance. */
static void
stage_homes(struct import *im, const struct row *r, const struct group *unit)
{
	struct found	*f;
	enum err	 e;

	if ((e = find_homes(im, r, &f)) != OK) {
		im->err = im->err != OK ? im->err : e;
		return;
	}
	if (f == NULL)
		sheet_fault(im->sheet, COL_ENTRANCE, "这个单元还没有房屋，"
		    "请先导入房屋表");
	for (; f != NULL; f = f->next)
		stage_home(im, r, unit, &f->home);
}

static void
read_row(struct import *im)
{
	int		 faults = sheet_faults(im->sheet);
	struct row	 r = { .line = sheet_line(im->sheet) };
	struct group	*grid, *unit;

	if (!import_is_ours(im, COL_COMMUNITY))
		return;
	read_cells(im, &r);
	if (sheet_faults(im->sheet) > faults)
		return;
	grid = take_grid(im, &r);
	if (sheet_faults(im->sheet) > faults)
		return;
	unit = take_unit(im, &r, grid);
	if (sheet_faults(im->sheet) > faults)
		return;
	stage_homes(im, &r, unit);
}

const struct import_reader import_grids = { columns, COL_MAX, begin,
    read_row, end };

void
import_grids_rows_register(void)
{
	db_register(homes_sql, HOMES_SQL_MAX);
}
