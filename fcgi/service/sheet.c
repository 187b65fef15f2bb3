/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sheet.c -- a CSV file with named columns, and what is wrong with it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/geo.h"
#include "base/text.h"
#include "base/view.h"

#include "service/sheet.h"

#define SHEET_MEMORY	(16 << 20)
#define QUOTED		20	/* code points of a cell in a message */

struct sheet {
	struct arena			*own;	/* lives as long as this */
	struct arena			*row;	/* lives as long as a row */
	FILE				*file;
	struct csv			*csv;
	struct csv_row			 at;
	const struct sheet_column		*columns;
	int				 n;
	int				 where[SHEET_COLUMNS]; /* or -1 */
	int				 width;	/* cells of the first row */
	int				 faults;
	struct sheet_sink		 sink;
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
tell(struct sheet *s, const char *label, const char *fmt, va_list ap)
{
	char	*text = arena_vfmt(s->row, fmt, ap);

	s->faults++;
	s->sink.fault(s->sink.arg, s->at.line, label, text);
}

void
sheet_fault(struct sheet *s, int column, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	tell(s, column < 0 ? NULL : s->columns[column].label, fmt, ap);
	va_end(ap);
}

/* Read a row; at a fault of the file there are no more. */
static bool
advance(struct sheet *s)
{
	enum csv_state	state;

	if (s->ended)
		return false;
	state = csv_next(s->csv, &s->at);
	s->ended = state != CSV_ROW;
	if (s->ended && (state != CSV_END || s->width == 0))
		sheet_fault(s, -1, "%s", why(state));
	return !s->ended;
}

static int
column_of(const struct sheet *s, const char *title)
{
	int	i;

	for (i = 0; i < s->n; i++)
		if (strcasecmp(title, s->columns[i].name) == 0 ||
		    strcmp(title, s->columns[i].label) == 0)
			return i;
	return -1;
}

static void
read_title(struct sheet *s, int cell)
{
	const char	*title = text_trim(s->row, s->at.field[cell]);
	int		 i = column_of(s, title);

	if (title[0] == '\0')
		return;
	if (i < 0)
		sheet_fault(s, -1, "第 %d 列“%s”不是能导入的列，请删除"
		    "或改名", cell + 1, text_cut(s->row, title, QUOTED));
	else if (s->where[i] >= 0)
		sheet_fault(s, i, "这一列出现了两次");
	else
		s->where[i] = cell;
}

static void
read_titles(struct sheet *s)
{
	int	i;

	for (i = 0; i < SHEET_COLUMNS; i++)
		s->where[i] = -1;
	if (!advance(s))
		return;
	s->width = s->at.count;
	for (i = 0; i < s->width; i++)
		read_title(s, i);
	for (i = 0; i < s->n; i++)
		if (s->columns[i].must && s->where[i] < 0)
			sheet_fault(s, i, "缺少这一列（列名写“%s”或 %s）",
			    s->columns[i].label, s->columns[i].name);
	s->ended = s->faults > 0;
}

struct sheet *
sheet_open(const char *path, const struct sheet_column *columns, int n,
    struct sheet_sink sink)
{
	struct sheet	*s;
	struct arena		*own;
	FILE			*file;

	file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	own = arena_new(SHEET_MEMORY);
	s = ARENA_NEW(own, struct sheet);
	s->own = own;
	s->row = arena_new(SHEET_MEMORY);
	s->sink = sink;
	s->file = file;
	s->csv = csv_new(file);
	s->columns = columns;
	s->n = n;
	read_titles(s);
	return s;
}

void
sheet_close(struct sheet *s)
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
is_blank(struct sheet *s)
{
	bool	 blank = true, past = false, full;
	int	 i;

	for (i = 0; i < s->at.count; i++) {
		full = text_trim(s->row, s->at.field[i])[0] != '\0';
		blank = blank && !full;
		past = past || (full && i >= s->width);
	}
	if (past)
		sheet_fault(s, -1, "这一行的格数比标题行多，请检查是否多了"
		    "逗号");
	return blank;
}

bool
sheet_next(struct sheet *s)
{
	do {
		arena_reset(s->row);
		if (!advance(s))
			return false;
	} while (is_blank(s));
	return true;
}

bool
sheet_has(const struct sheet *s, int column)
{
	return s->where[column] >= 0;
}

int
sheet_line(const struct sheet *s)
{
	return s->at.line;
}

int
sheet_faults(const struct sheet *s)
{
	return s->faults;
}

const char *
sheet_cell(const struct sheet *s, int column)
{
	int	cell = s->where[column];

	if (cell < 0 || cell >= s->at.count)
		return "";
	return text_trim(s->row, s->at.field[cell]);
}

/* What a spreadsheet would run; a number with its sign is none. */
static bool
is_formula(const char *text)
{
	const char	*c = text + 1;

	if (*text == '=' || *text == '@')
		return true;
	if (*text != '+' && *text != '-')
		return false;
	return c[strspn(c, "0123456789")] != '\0' || *c == '\0';
}

const char *
sheet_maybe(struct sheet *s, int column, int max)
{
	return sheet_cell(s, column)[0] == '\0' ? NULL :
	    sheet_text(s, column, max);
}

const char *
sheet_raw(const struct sheet *s, int i)
{
	return i < s->at.count ? s->at.field[i] : "";
}

int
sheet_width(const struct sheet *s)
{
	return s->width;
}

const char *
sheet_text(struct sheet *s, int column, int max)
{
	const char	*text = sheet_cell(s, column);

	if (text[0] == '\0')
		sheet_fault(s, column, "不能为空");
	else if (is_formula(text))
		sheet_fault(s, column, "像是公式（以“%.1s”开头），为了安全没有"
		    "采用，请改成普通文字", text);
	else if (!text_clean(text, false))
		sheet_fault(s, column, "含有换行或看不见的字符，请删除");
	else if (text_length(text) > (size_t)max)
		sheet_fault(s, column, "太长，最多 %d 个字", max);
	else
		return text;
	return NULL;
}

/* One coordinate; false after a fault. */
static bool
degree(struct sheet *s, int column, const char *text, int64_t *ret)
{
	if (geo_parse(text, ret))
		return true;
	sheet_fault(s, column, "应是小数形式的度数，如 26.236438"
	    "（填的是“%s”）", text_cut(s->row, text, QUOTED));
	return false;
}

void
sheet_point(struct sheet *s, int lat, int lng, int64_t *ret_lat,
    int64_t *ret_lng)
{
	const char	*a = sheet_cell(s, lat);
	const char	*b = sheet_cell(s, lng);
	struct geo	 at;

	*ret_lat = *ret_lng = VIEW_NULL_INT;
	if (a[0] == '\0' && b[0] == '\0')
		return;
	if (a[0] == '\0' || b[0] == '\0') {
		sheet_fault(s, a[0] == '\0' ? lat : lng,
		    "纬度和经度要么都填，要么都不填");
		return;
	}
	if (!degree(s, lat, a, &at.lat) || !degree(s, lng, b, &at.lng))
		return;
	if (!geo_in_china(at)) {
		sheet_fault(s, lat, "这个位置不在中国，请检查纬度和经度"
		    "是否填反");
		return;
	}
	*ret_lat = at.lat;
	*ret_lng = at.lng;
}
