/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import.c -- planetctl import: what a community hands in as a table.
 *
 * The whole file is read and judged before the database is touched; what
 * is then written is one transaction, begun anew from the rows when the
 * engine says so.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"
#include "base/view.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_community.h"
#include "ctl_import.h"
#include "ctl_place.h"
#include "ctl_sheet.h"

#define IMPORT_MEMORY	(1 << 30)
#define IMPORT_TRIES	10
#define FLOOR_MIN	(-9)
#define FLOOR_MAX	199
#define QUOTED		20	/* code points of a cell in a message */

enum { COL_COMMUNITY, COL_COMPOUND, COL_BUILDING, COL_ENTRANCE,
	COL_DWELLING, COL_FLOOR, COL_LIFT, COL_LAT, COL_LNG, COL_MAX };

static const struct ctl_column columns[] = {
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
_Static_assert(COL_MAX <= CTL_SHEET_COLUMNS, "room for all");

/* A community that rows are for. */
struct target {
	struct ctl_community	 community;
	struct ctl_places	*places;
	struct ctl_place_counts	 counts;
	int			 rows;
	struct target		*next;
};

struct row {
	struct ctl_place_row	 place;
	struct target		*target;
	struct row		*next;
};

struct import {
	struct ctl		*ctl;
	struct arena		*arena;
	struct arena		*attempt; /* of one transaction */
	struct ctl_sheet	*sheet;
	struct target		*targets;
	struct target		*usual;	/* of rows that name none */
	struct row		*first;
	struct row		**last;
	enum err		 err;	/* of the database, while reading */
};

void
ctl_import_register(void)
{
	ctl_community_register();
	ctl_place_register();
}

/* ---- communities ---- */

static struct target *
add_target(struct import *im, const struct ctl_community *c)
{
	struct target	*t = ARENA_NEW(im->arena, struct target);

	t->community = *c;
	t->places = ctl_place_new(im->arena, c->id);
	t->next = im->targets;
	im->targets = t;
	return t;
}

/* The community with this code; NULL when there is none, or no answer. */
static struct target *
target_of(struct import *im, const char *code)
{
	struct ctl_community	 c;
	struct target		*t;
	enum err		 e;

	for (t = im->targets; t != NULL; t = t->next)
		if (strcmp(t->community.code, code) == 0)
			return t;
	e = ctl_community_find(im->ctl->db, im->arena, code, &c);
	if (e == OK)
		return add_target(im, &c);
	if (e != ERR_ABSENT)
		im->err = e;
	return NULL;
}

/* The one named on the command line, or the only one there is. */
static bool
choose_usual(struct import *im, const char *code)
{
	struct ctl_community	 c;
	enum err		 e;

	if (code != NULL) {
		im->usual = target_of(im, code);
		if (im->usual == NULL && im->err == OK)
			fprintf(stderr, "没有代码为 %s 的社区\n", code);
		return im->usual != NULL;
	}
	e = ctl_community_only(im->ctl->db, im->arena, &c);
	if (e == OK)
		im->usual = add_target(im, &c);
	else if (e != ERR_ABSENT)
		im->err = e;
	return im->err == OK;
}

static struct target *
read_target(struct import *im)
{
	const char	*code = ctl_sheet_cell(im->sheet, COL_COMMUNITY);
	struct target	*t = im->usual;

	if (code[0] != '\0' && (t = target_of(im, code)) == NULL)
		ctl_sheet_fault(im->sheet, COL_COMMUNITY,
		    "没有代码为“%s”的社区", text_cut(im->arena, code,
		    QUOTED));
	else if (t == NULL)
		ctl_sheet_fault(im->sheet, COL_COMMUNITY,
		    "请填写社区的 12 位代码");
	return t;
}

/* ---- rows ---- */

/* False when one of them is none. */
static bool
read_names(struct import *im, struct ctl_place_row *r)
{
	const char	*name;
	bool		 good = true;
	int		 i;

	for (i = 0; i < PLACE_LEVELS; i++) {
		name = ctl_sheet_text(im->sheet, COL_COMPOUND + i,
		    CTL_PLACE_NAME);
		r->name[i] = arena_str(im->arena, name);
		good = good && name != NULL;
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
	const char	*s = ctl_sheet_cell(im->sheet, COL_FLOOR);
	int64_t		 v;

	if (s[0] == '\0')
		return VIEW_NULL_INT;
	if (!parse_floor(s, &v))
		ctl_sheet_fault(im->sheet, COL_FLOOR, "应是 %d 到 %d 的整数，"
		    "没有 0 层（填的是“%s”）", FLOOR_MIN, FLOOR_MAX,
		    text_cut(im->arena, s, QUOTED));
	return v;
}

static int64_t
read_lift(struct import *im)
{
	static const char *const yes[] = { "是", "有", "1", "yes", NULL };
	static const char *const no[] = { "否", "无", "0", "no", NULL };
	const char	*s = ctl_sheet_cell(im->sheet, COL_LIFT);
	int		 i;

	if (s[0] == '\0')
		return VIEW_NULL_INT;
	for (i = 0; yes[i] != NULL; i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return 1;
		if (strcasecmp(s, no[i]) == 0)
			return 0;
	}
	ctl_sheet_fault(im->sheet, COL_LIFT, "应是 有、无、是、否、1 或 0"
	    "（填的是“%s”）", text_cut(im->arena, s, QUOTED));
	return VIEW_NULL_INT;
}

/* Into the tree of what was read, to see whether it goes with that. */
static void
check_row(struct import *im, const struct row *r)
{
	int	line;

	switch (ctl_place_add(r->target->places, &r->place, &line)) {
	case PLACE_FITS:
		break;
	case PLACE_TWICE:
		ctl_sheet_fault(im->sheet, COL_DWELLING,
		    "与第 %d 行是同一户", line);
		break;
	case PLACE_LIFT:
		ctl_sheet_fault(im->sheet, COL_LIFT,
		    "同一单元的电梯与第 %d 行填的不一样", line);
		break;
	}
}

static void
read_row(struct import *im)
{
	struct row	*r = ARENA_NEW(im->arena, struct row);
	bool		 named;

	r->target = read_target(im);
	named = read_names(im, &r->place);
	r->place.floor = read_floor(im);
	r->place.lift = read_lift(im);
	ctl_sheet_point(im->sheet, COL_LAT, COL_LNG, &r->place.lat,
	    &r->place.lng);
	r->place.line = ctl_sheet_line(im->sheet);
	if (r->target == NULL || !named)
		return;
	check_row(im, r);
	r->target->rows++;
	*im->last = r;
	im->last = &r->next;
}

static bool
read_all(struct import *im)
{
	int	faults;

	if (im->usual == NULL && !ctl_sheet_has(im->sheet, COL_COMMUNITY)) {
		fprintf(stderr, "请用 --community 指定社区的 12 位代码\n");
		return false;
	}
	while (im->err == OK && ctl_sheet_next(im->sheet))
		read_row(im);
	if (im->err != OK)
		return false;
	faults = ctl_sheet_faults(im->sheet);
	if (faults > 0)
		fprintf(stderr, "共 %d 处错误，没有导入任何内容。\n", faults);
	else if (im->first == NULL)
		fprintf(stderr, "文件里没有一户，没有导入任何内容。\n");
	return faults == 0 && im->first != NULL;
}

/* ---- writing ---- */

static enum err
write_all(void *arg)
{
	struct import	*im = arg;
	struct target	*t;
	struct row	*r;
	enum err	 e;
	int		 line;

	arena_reset(im->attempt);
	for (t = im->targets; t != NULL; t = t->next) {
		t->places = ctl_place_new(im->attempt, t->community.id);
		if ((e = ctl_place_load(t->places, im->ctl->db)) != OK)
			return e;
	}
	for (r = im->first; r != NULL; r = r->next)
		ctl_place_add(r->target->places, &r->place, &line);
	for (t = im->targets; t != NULL; t = t->next) {
		e = ctl_place_write(t->places, im->ctl->db, &t->counts);
		/* Somebody else imported the same: look again. */
		if (e != OK)
			return e == ERR_UNIQUE ? ERR_AGAIN : e;
	}
	return OK;
}

static void
print_counts(const struct target *t)
{
	const struct ctl_place_counts	*c = &t->counts;
	int				 i;

	for (i = 0; i < PLACE_LEVELS; i++)
		printf("%s %s：新增 %d，更新 %d，不变 %d\n",
		    t->community.name,
		    i == PLACE_DWELLING ? "住户" : columns[COL_COMPOUND +
		    i].label, c->added[i], c->changed[i], c->same[i]);
}

static int
import_rows(struct import *im)
{
	struct target	*t;
	enum err	 e;

	if (!read_all(im))
		return 1;
	im->attempt = arena_new(IMPORT_MEMORY);
	e = db_transact(im->ctl->db, IMPORT_TRIES, write_all, im);
	arena_free(im->attempt);
	if ((im->err = e) != OK)
		return 1;
	for (t = im->targets; t != NULL; t = t->next)
		if (t->rows > 0)
			print_counts(t);
	return 0;
}

static int
import_territory(struct ctl *ctl, const char *path, const char *code)
{
	struct import	im = { .ctl = ctl };
	int		rc = 1;

	im.last = &im.first;
	im.arena = arena_new(IMPORT_MEMORY);
	if (choose_usual(&im, code))
		im.sheet = ctl_sheet_open(path, columns, COL_MAX);
	if (im.sheet != NULL)
		rc = import_rows(&im);
	if (im.err != OK)
		fprintf(stderr, "planetctl: import: %s; nothing was"
		    " written\n", err_info(im.err)->title);
	ctl_sheet_close(im.sheet);
	arena_free(im.arena);
	return rc;
}

int
ctl_import(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "community", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 }
	};
	const char	*code = NULL;
	int		 c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'c')
			return 2;
		code = optarg;
	}
	if (argc - optind != 2)
		return 2;
	if (strcmp(argv[optind], "territory") == 0)
		return import_territory(ctl, argv[optind + 1], code);
	if (strcmp(argv[optind], "communities") == 0 && code == NULL)
		return ctl_import_community(ctl, argv[optind + 1]);
	return 2;
}
