/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_read.c -- what the readers of all kinds have in common: whose a
 * row is, which dwelling it names, days and words.
 *
 * Of the places only hashes of their paths are kept: a community of a
 * hundred thousand dwellings takes a few MiB.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/idcard.h"
#include "service/import_internal.h"

struct import_place {
	int64_t		 id, parent_id;
	const char	*name;
	int64_t		 dwelling;
};

static const struct view_column import_place_columns[] = {
	C_ID(import_place, id),
	C_ID(import_place, parent_id),
	C_TEXT(import_place, name),
	C_BOOL(import_place, dwelling),
	C_END
};
static const struct view import_place_view =
    VIEW(import_place, "ImportPlace");

enum { READ_PLACES, READ_SQL_MAX };

static struct stmt read_sql[] = {
	/* Parents first. */
	[READ_PLACES] = { RO, 1, &import_place_view,
	    "SELECT id, parent_id, name, CASE WHEN kind = 'dwelling' THEN 1"
	    " ELSE 0 END AS dwelling FROM place WHERE community_id = $1"
	    " ORDER BY CASE kind WHEN 'compound' THEN 1 WHEN 'building'"
	    " THEN 2 WHEN 'entrance' THEN 3 ELSE 4 END", NULL, 0 },
};

void
import_read_register(void)
{
	db_register(read_sql, READ_SQL_MAX);
}

bool
import_is_ours(struct import *im, int column)
{
	const char	*code = sheet_cell(im->sheet, column);
	const char	*usual = im->console != NULL ? im->console->usual :
			    im->code;

	if (code[0] == '\0')
		code = usual != NULL ? usual : "";
	if (strcmp(code, im->code) == 0)
		return true;
	if (im->console == NULL)
		sheet_fault(im->sheet, column,
		    "这一行是别的社区的，您只能导入本社区（%s）的内容",
		    im->code);
	else
		im->rows--;
	return false;
}

/* ---- places ---- */

struct import_places {
	struct map	 by_path;	/* a: id */
	struct map	 by_id;		/* a: hash of its path */
};

static void
note_place(struct import_places *p, const struct import_place *row)
{
	struct map_spot		*up = NULL, *spot;
	uint64_t		 path;
	bool			 fresh;

	if (row->parent_id != 0) {
		up = map_find(&p->by_id,
		    map_hash_int(0, row->parent_id));
		if (up == NULL)
			return;
	}
	path = map_hash(up != NULL ? (uint64_t)up->a : 0, row->name);
	spot = map_at(&p->by_path, path, &fresh);
	spot->a = row->id;
	if (row->dwelling)
		return;
	spot = map_at(&p->by_id, map_hash_int(0, row->id), &fresh);
	spot->a = (int64_t)path;
}

struct import_places *
import_places_load(struct import *im)
{
	struct import_places	*p = ARENA_NEW(im->long_lived,
				    struct import_places);
	struct import_place	 row;
	struct rows		 rows;
	enum err		 e;

	arena_later(im->long_lived, (void (*)(void *))import_places_free, p);
	e = db_query(im->rq->db, &read_sql[READ_PLACES],
	    WITH(V(im->community_id)), &rows);
	if (e == OK) {
		while (db_each(&rows, &row))
			note_place(p, &row);
		e = db_end(&rows);
	}
	if (e != OK && im->err == OK)
		im->err = e;
	return p;
}

int64_t
import_place_id(const struct import_places *p, const char *const *names,
    int depth)
{
	struct map_spot		*spot;
	uint64_t		 path = 0;
	int			 i;

	for (i = 0; i < depth; i++)
		path = map_hash(path, names[i]);
	spot = map_find(&p->by_path, path);
	return spot != NULL ? spot->a : 0;
}

void
import_places_free(struct import_places *p)
{
	map_free(&p->by_path);
	map_free(&p->by_id);
}

/* ---- cells ---- */

/* Digits at *s, which moves past them; how many there were. */
static int
digits(const char **s, int64_t *ret)
{
	int	n = 0;

	for (*ret = 0; **s >= '0' && **s <= '9' && n < 9; (*s)++, n++)
		*ret = *ret * 10 + (**s - '0');
	return n;
}

/* One of - / . and 年 月, which *s moves past. */
static bool
between(const char **s, const char *word)
{
	if (**s == '-' || **s == '/' || **s == '.') {
		(*s)++;
		return true;
	}
	if (strncmp(*s, word, strlen(word)) != 0)
		return false;
	*s += strlen(word);
	return true;
}

bool
import_day(const char *text, int64_t *ret)
{
	int64_t	year, month, day;
	int	n;

	n = digits(&text, &year);
	if (n == 8 && *text == '\0') {
		*ret = year;
		return idcard_day(year);
	}
	if (n != 4 || !between(&text, "年") || digits(&text, &month) == 0 ||
	    !between(&text, "月") || digits(&text, &day) == 0)
		return false;
	if (strcmp(text, "日") != 0 && *text != '\0')
		return false;
	if (month > 12 || day > 31)
		return false;
	*ret = year * 10000 + month * 100 + day;
	return idcard_day(*ret);
}

int
import_word(const char *const (*words)[2], const char *text)
{
	int	i;

	for (i = 0; words[i][0] != NULL; i++)
		if (strcasecmp(words[i][0], text) == 0 ||
		    strcmp(words[i][1], text) == 0)
			return i;
	return -1;
}
