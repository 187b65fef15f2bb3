/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_file.c -- rows of text into a CSV file or a spreadsheet.
 *
 * The only place that knows libxlsxwriter.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "base/arena.h"
#include "service/export_file.h"

#define LONG_NUMBER	12	/* digits; Excel keeps fifteen */
#define COLUMN_WIDTH	16
#define COLUMNS		32

struct export_file {
	FILE			*csv;
	lxw_workbook		*book;
	lxw_worksheet		*sheet;
	const char		*path;
	lxw_row_t		 row;
	bool			 bad;
};

static FILE *
open_csv(const char *path)
{
	FILE	*f = NULL;
	int	 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd != -1 && (f = fdopen(fd, "w")) == NULL)
		close(fd);
	if (f != NULL)
		fputs("\xef\xbb\xbf", f);
	return f;
}

static void
open_sheet(struct export_file *f, const char *dir, const char *title)
{
	lxw_workbook_options	 how = { .constant_memory = LXW_TRUE };

	how.tmpdir = (char *)(uintptr_t)dir;
	if ((f->book = workbook_new_opt(f->path, &how)) == NULL)
		return;
	f->sheet = workbook_add_worksheet(f->book, title);
	if (f->sheet == NULL)
		return;
	worksheet_set_column(f->sheet, 0, COLUMNS - 1, COLUMN_WIDTH, NULL);
	worksheet_freeze_panes(f->sheet, 1, 0);
}

struct export_file *
export_file_open(struct arena *a, const char *path, const char *dir,
    bool sheet, const char *title)
{
	struct export_file	*f = ARENA_NEW(a, struct export_file);

	f->path = arena_str(a, path);
	if (sheet)
		open_sheet(f, dir, title);
	else
		f->csv = open_csv(path);
	if (f->csv != NULL || f->sheet != NULL)
		return f;
	f->bad = true;
	export_file_close(f);
	return NULL;
}

static bool
is_long_number(const char *s)
{
	size_t	n = strspn(s, "0123456789");

	if (s[n] == 'X')
		n++;
	return n >= LONG_NUMBER && s[n] == '\0';
}

static void
put_cell(FILE *f, const char *s)
{
	const char	*before = "";

	if (strchr("=+-@\t\r", *s) != NULL && *s != '\0')
		before = "'";
	else if (is_long_number(s))
		before = "\t";
	if (strpbrk(s, "\",\r\n\t") == NULL && *before != '\t') {
		fputs(before, f);
		fputs(s, f);
		return;
	}
	putc('"', f);
	fputs(before, f);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

void
export_file_row(struct export_file *f, const char *const *cells, int n)
{
	int	i;

	for (i = 0; i < n && f->csv != NULL; i++) {
		if (i > 0)
			putc(',', f->csv);
		put_cell(f->csv, cells[i] != NULL ? cells[i] : "");
	}
	if (f->csv != NULL)
		fputs("\r\n", f->csv);
	for (i = 0; i < n && f->sheet != NULL; i++)
		if (cells[i] != NULL && worksheet_write_string(f->sheet,
		    f->row, (lxw_col_t)i, cells[i], NULL) != LXW_NO_ERROR)
			f->bad = true;
	f->row++;
}

/* The library writes with everybody's rights, and does not wait. */
static bool
keep_sheet(const char *path)
{
	int	fd = open(path, O_RDONLY | O_CLOEXEC);
	bool	good;

	if (fd == -1)
		return false;
	good = fchmod(fd, 0600) == 0 && fsync(fd) == 0;
	close(fd);
	return good;
}

bool
export_file_close(struct export_file *f)
{
	bool	good = !f->bad;

	if (f->csv != NULL) {
		good &= fflush(f->csv) == 0 && ferror(f->csv) == 0 &&
		    fsync(fileno(f->csv)) == 0;
		good &= fclose(f->csv) == 0;
	}
	if (f->book != NULL)
		good &= workbook_close(f->book) == LXW_NO_ERROR &&
		    keep_sheet(f->path);
	return good;
}
