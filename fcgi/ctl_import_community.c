/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import_community.c -- planetctl import communities: which there are.
 *
 * A community is known by its statistical code; the rest of the row is
 * brought up to date when the code is there already.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/view.h"
#include "service/sheet.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_community.h"
#include "ctl_import.h"

#define COMMUNITY_MEMORY	(64 << 20)
#define COMMUNITY_TRIES		10

enum { COL_CODE, COL_EDITION, COL_NAME, COL_TOWNSHIP, COL_LAT, COL_LNG,
	COL_MAX };

static const struct sheet_column columns[] = {
	[COL_CODE] = { "code", "代码", true },
	[COL_EDITION] = { "edition", "代码版本", true },
	[COL_NAME] = { "name", "社区", true },
	[COL_TOWNSHIP] = { "township", "街道乡镇", true },
	[COL_LAT] = { "lat", "纬度", false },
	[COL_LNG] = { "lng", "经度", false },
};
_Static_assert(COL_MAX <= SHEET_COLUMNS, "room for all");

struct row {
	struct ctl_community	 community;
	int			 line;
	struct row		*next;
};

struct import {
	struct ctl		*ctl;
	struct arena		*arena;
	struct sheet	*sheet;
	struct row		*first;
	struct row		**last;
	int			 added, changed, same;
};

static void
tell(void *arg, int line, const char *label, const char *text)
{
	fprintf(stderr, "%s 第 %d 行%s%s：%s\n", (const char *)arg, line,
	    label != NULL ? "，" : "", label != NULL ? label : "", text);
}

static const char *
read_text(struct import *im, int column)
{
	return arena_str(im->arena, sheet_text(im->sheet, column, 40));
}

static const char *
read_code(struct import *im)
{
	const char		*code = read_text(im, COL_CODE);
	const struct row	*r;

	if (code == NULL)
		return NULL;
	if (!ctl_community_code(code))
		sheet_fault(im->sheet, COL_CODE,
		    "应是 12 位数字的统计用区划代码");
	for (r = im->first; r != NULL; r = r->next)
		if (strcmp(r->community.code, code) == 0)
			sheet_fault(im->sheet, COL_CODE,
			    "与第 %d 行相同", r->line);
	return code;
}

/* A day as 2023-06-30. */
static const char *
read_edition(struct import *im)
{
	const char	*day = read_text(im, COL_EDITION);
	int64_t		 ms;

	if (day != NULL && (strlen(day) != 10 || !clock_parse(
	    arena_fmt(im->arena, "%sT00:00:00+08:00", day), &ms)))
		sheet_fault(im->sheet, COL_EDITION,
		    "应是日期，如 2023-06-30");
	return day;
}

static void
read_row(struct import *im)
{
	struct row	*r = ARENA_NEW(im->arena, struct row);

	r->line = sheet_line(im->sheet);
	r->community.code = read_code(im);
	r->community.edition = read_edition(im);
	r->community.name = read_text(im, COL_NAME);
	r->community.township = read_text(im, COL_TOWNSHIP);
	sheet_point(im->sheet, COL_LAT, COL_LNG, &r->community.lat,
	    &r->community.lng);
	if (r->community.code == NULL)
		return;
	*im->last = r;
	im->last = &r->next;
}

static enum err
write_all(void *arg)
{
	struct import	*im = arg;
	struct row	*r;
	enum err	 e;
	int		 change;

	im->added = im->changed = im->same = 0;
	for (r = im->first; r != NULL; r = r->next) {
		e = ctl_community_keep(im->ctl->db, im->arena, &r->community,
		    &change);
		if (e != OK)
			return e == ERR_UNIQUE ? ERR_AGAIN : e;
		im->added += change > 0;
		im->changed += change < 0;
		im->same += change == 0;
	}
	return OK;
}

static int
import_rows(struct import *im)
{
	enum err	e;
	int		faults;

	while (sheet_next(im->sheet))
		read_row(im);
	faults = sheet_faults(im->sheet);
	if (faults > 0) {
		fprintf(stderr, "共 %d 处错误，没有导入任何内容。\n", faults);
		return 1;
	}
	e = db_transact(im->ctl->db, COMMUNITY_TRIES, write_all, im);
	if (e != OK) {
		fprintf(stderr, "planetctl: import: %s; nothing was"
		    " written\n", err_info(e)->title);
		return 1;
	}
	printf("社区：新增 %d，更新 %d，不变 %d\n", im->added, im->changed,
	    im->same);
	return 0;
}

int
ctl_import_community(struct ctl *ctl, const char *path)
{
	struct import		im = { .ctl = ctl };
	struct sheet_sink	sink = { tell, (void *)(uintptr_t)path };
	int			rc;

	im.last = &im.first;
	im.sheet = sheet_open(path, columns, COL_MAX, sink);
	if (im.sheet == NULL) {
		fprintf(stderr, "%s：打不开\n", path);
		return 1;
	}
	im.arena = arena_new(COMMUNITY_MEMORY);
	rc = import_rows(&im);
	arena_free(im.arena);
	sheet_close(im.sheet);
	return rc;
}
