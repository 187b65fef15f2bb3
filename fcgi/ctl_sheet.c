/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_sheet.c -- a CSV file with named columns, and what is wrong with it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/geo.h"
#include "base/text.h"
#include "base/view.h"

#include "ctl_sheet.h"

#define SHEET_MEMORY	(16 << 20)
#define QUOTED		20	/* code points of a cell in a message */

struct ctl_sheet {
	struct arena			*own;	/* lives as long as this */
	struct arena			*row;	/* lives as long as a row */
	const char			*path;
	FILE				*file;
	struct csv			*csv;
	struct csv_row			 at;
	const struct ctl_column		*columns;
	int				 n;
	int				 where[CTL_SHEET_COLUMNS]; /* or -1 */
	int				 width;	/* cells of the first row */
	int				 faults;
	bool				 ended;
};

static const char *
why(enum csv_state state)
{
	switch (state) {
	case CSV_QUOTE:
		return "引号没有成对，请检查这一行的英文双引号";
	case CSV_LONG:
		return "有一格内容过长（超过 64 KiB）";
	case CSV_COLUMNS:
		return "列太多（超过 64 列）";
	case CSV_ENCODING:
		return "文字编码无法识别，请把文件另存为 UTF-8 或 GBK 的 CSV";
	case CSV_READ:
		return "文件读不出来";
	default:
		return "文件是空的";
	}
}

static __attribute__((format(printf, 3, 0))) void
tell(struct ctl_sheet *s, const char *label, const char *fmt, va_list ap)
{
	char	*text = arena_vfmt(s->row, fmt, ap);

	s->faults++;
	fprintf(stderr, "%s 第 %d 行%s%s：%s\n", s->path, s->at.line,
	    label != NULL ? "，" : "", label != NULL ? label : "", text);
}

void
ctl_sheet_fault(struct ctl_sheet *s, int column, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	tell(s, column < 0 ? NULL : s->columns[column].label, fmt, ap);
	va_end(ap);
}

/* Read a row; at a fault of the file there are no more. */
static bool
advance(struct ctl_sheet *s)
{
	enum csv_state	state;

	if (s->ended)
		return false;
	state = csv_next(s->csv, &s->at);
	s->ended = state != CSV_ROW;
	if (s->ended && (state != CSV_END || s->width == 0))
		ctl_sheet_fault(s, -1, "%s", why(state));
	return !s->ended;
}

static int
column_of(const struct ctl_sheet *s, const char *title)
{
	int	i;

	for (i = 0; i < s->n; i++)
		if (strcasecmp(title, s->columns[i].name) == 0 ||
		    strcmp(title, s->columns[i].label) == 0)
			return i;
	return -1;
}

static void
read_title(struct ctl_sheet *s, int cell)
{
	const char	*title = text_trim(s->row, s->at.field[cell]);
	int		 i = column_of(s, title);

	if (title[0] == '\0')
		return;
	if (i < 0)
		ctl_sheet_fault(s, -1, "第 %d 列“%s”不是能导入的列，请删除"
		    "或改名", cell + 1, text_cut(s->row, title, QUOTED));
	else if (s->where[i] >= 0)
		ctl_sheet_fault(s, i, "这一列出现了两次");
	else
		s->where[i] = cell;
}

static void
read_titles(struct ctl_sheet *s)
{
	int	i;

	for (i = 0; i < CTL_SHEET_COLUMNS; i++)
		s->where[i] = -1;
	if (!advance(s))
		return;
	s->width = s->at.count;
	for (i = 0; i < s->width; i++)
		read_title(s, i);
	for (i = 0; i < s->n; i++)
		if (s->columns[i].must && s->where[i] < 0)
			ctl_sheet_fault(s, i, "缺少这一列（列名写“%s”或 %s）",
			    s->columns[i].label, s->columns[i].name);
	s->ended = s->faults > 0;
}

struct ctl_sheet *
ctl_sheet_open(const char *path, const struct ctl_column *columns, int n)
{
	struct ctl_sheet	*s;
	struct arena		*own;
	FILE			*file;

	file = fopen(path, "r");
	if (file == NULL) {
		fprintf(stderr, "%s：打不开（%s）\n", path, strerror(errno));
		return NULL;
	}
	own = arena_new(SHEET_MEMORY);
	s = ARENA_NEW(own, struct ctl_sheet);
	s->own = own;
	s->row = arena_new(SHEET_MEMORY);
	s->path = path;
	s->file = file;
	s->csv = csv_new(file);
	s->columns = columns;
	s->n = n;
	read_titles(s);
	return s;
}

void
ctl_sheet_close(struct ctl_sheet *s)
{
	if (s == NULL)
		return;
	csv_free(s->csv);
	fclose(s->file);
	arena_free(s->row);
	arena_free(s->own);
}

/* Cells past the first row's are refused unless empty. */
static bool
is_blank(struct ctl_sheet *s)
{
	bool	 blank = true, past = false, full;
	int	 i;

	for (i = 0; i < s->at.count; i++) {
		full = text_trim(s->row, s->at.field[i])[0] != '\0';
		blank = blank && !full;
		past = past || (full && i >= s->width);
	}
	if (past)
		ctl_sheet_fault(s, -1, "这一行的格数比标题行多，请检查是否多了"
		    "逗号");
	return blank;
}

bool
ctl_sheet_next(struct ctl_sheet *s)
{
	do {
		arena_reset(s->row);
		if (!advance(s))
			return false;
	} while (is_blank(s));
	return true;
}

bool
ctl_sheet_has(const struct ctl_sheet *s, int column)
{
	return s->where[column] >= 0;
}

int
ctl_sheet_line(const struct ctl_sheet *s)
{
	return s->at.line;
}

int
ctl_sheet_faults(const struct ctl_sheet *s)
{
	return s->faults;
}

const char *
ctl_sheet_cell(const struct ctl_sheet *s, int column)
{
	int	cell = s->where[column];

	if (cell < 0 || cell >= s->at.count)
		return "";
	return text_trim(s->row, s->at.field[cell]);
}

const char *
ctl_sheet_text(struct ctl_sheet *s, int column, int max)
{
	const char	*text = ctl_sheet_cell(s, column);

	if (text[0] == '\0')
		ctl_sheet_fault(s, column, "不能为空");
	else if (!text_clean(text, false))
		ctl_sheet_fault(s, column, "含有换行或看不见的字符，请删除");
	else if (text_length(text) > (size_t)max)
		ctl_sheet_fault(s, column, "太长，最多 %d 个字", max);
	else
		return text;
	return NULL;
}

/* One coordinate; false after a fault. */
static bool
degree(struct ctl_sheet *s, int column, const char *text, int64_t *ret)
{
	if (geo_parse(text, ret))
		return true;
	ctl_sheet_fault(s, column, "应是小数形式的度数，如 26.236438"
	    "（填的是“%s”）", text_cut(s->row, text, QUOTED));
	return false;
}

void
ctl_sheet_point(struct ctl_sheet *s, int lat, int lng, int64_t *ret_lat,
    int64_t *ret_lng)
{
	const char	*a = ctl_sheet_cell(s, lat);
	const char	*b = ctl_sheet_cell(s, lng);
	struct geo	 at;

	*ret_lat = *ret_lng = VIEW_NULL_INT;
	if (a[0] == '\0' && b[0] == '\0')
		return;
	if (a[0] == '\0' || b[0] == '\0') {
		ctl_sheet_fault(s, a[0] == '\0' ? lat : lng,
		    "纬度和经度要么都填，要么都不填");
		return;
	}
	if (!degree(s, lat, a, &at.lat) || !degree(s, lng, b, &at.lng))
		return;
	if (!geo_in_china(at)) {
		ctl_sheet_fault(s, lat, "这个位置不在中国，请检查纬度和经度"
		    "是否填反");
		return;
	}
	*ret_lat = at.lat;
	*ret_lng = at.lng;
}
