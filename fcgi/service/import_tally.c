/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_tally.c -- how many things of each part an import brings.
 *
 * Counted from the staged rows, whose verdicts are the comparison's.
 */
#include <string.h>

#include "service/import_internal.h"

/* Parts in the order in which they are told. */
static const struct {
	const char	*part, *label;
} parts[] = {
	{ "compound", "小区" }, { "building", "楼栋" },
	{ "entrance", "单元" }, { "dwelling", "住户" },
	{ "grid", "网格" }, { "unit", "十联户" }, { "home", "联户房屋" },
	{ "worker", "网格员" }, { "head", "联户长" },
	{ "household", "户" }, { "person", "人员" }, { "need", "需求" },
};
_Static_assert(sizeof(parts) / sizeof(parts[0]) == IMPORT_PARTS, "all");

static const struct view_column import_part_columns[] = {
	C_TEXT(import_part, part),
	C_TEXT(import_part, label, .about = "Chinese"),
	C_INT(import_part, added),
	C_INT(import_part, changed),
	C_INT(import_part, same),
	C_INT(import_part, faults),
	C_END
};
const struct view import_part_view =
    VIEW(import_part, "ImportPart");

struct import_tally {
	const char	*part;
	const char	*verdict;
	int64_t		 n;
};

static const struct view_column import_tally_columns[] = {
	C_TEXT(import_tally, part),
	C_TEXT(import_tally, verdict),
	C_INT(import_tally, n),
	C_END
};
static const struct view import_tally_view =
    VIEW(import_tally, "ImportTally");

enum { TALLY_BY_PART, TALLY_SQL_MAX };

static struct stmt tally_sql[] = {
	[TALLY_BY_PART] = { RO, 2, &import_tally_view,
	    "SELECT part, verdict, COUNT(*) AS n FROM import_row"
	    " WHERE community_id = $1 AND import_id = $2"
	    " GROUP BY part, verdict", NULL, 0 },
};

void
import_tally_register(void)
{
	db_register(tally_sql, TALLY_SQL_MAX);
}

static int
part_of(const char *part)
{
	size_t	i;

	for (i = 0; i < IMPORT_PARTS - 1; i++)
		if (strcmp(parts[i].part, part) == 0)
			break;
	return (int)i;
}

static void
count_in(struct import_part *p, const struct import_tally *t)
{
	switch (t->verdict[0]) {
	case 'a':
		p->added += t->n;
		break;
	case 'c':
		p->changed += t->n;
		break;
	case 's':
		p->same += t->n;
		break;
	default:
		p->faults += t->n;
	}
}

const char *
import_tally_text(struct arena *a, const struct import_part *all)
{
	struct json	 j;
	struct buf	 b;
	const char	*s;
	size_t		 i;

	buf_init(&b, 65536);
	json_init(&j, &b);
	json_list(&j);
	for (i = 0; i < IMPORT_PARTS; i++)
		if (all[i].added + all[i].changed + all[i].same +
		    all[i].faults > 0)
			json_view(&j, &import_part_view, &all[i], NULL, a);
	json_unlist(&j);
	s = arena_copy(a, b.data, b.len);
	buf_free(&b);
	return s;
}

enum err
import_tally(struct req *rq, int64_t community_id, int64_t id,
    struct import_part all[IMPORT_PARTS])
{
	struct import_tally	row;
	struct rows		rows;
	enum err		e;
	size_t			i;

	for (i = 0; i < IMPORT_PARTS; i++)
		all[i] = (struct import_part){ parts[i].part,
		    parts[i].label, 0, 0, 0, 0 };
	e = db_query(rq->db, &tally_sql[TALLY_BY_PART],
	    WITH(V(community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		count_in(&all[part_of(row.part)], &row);
	return db_end(&rows);
}

enum err
import_parts(struct req *rq, int64_t community_id, int64_t id,
    void (*fn)(void *, const char *, int64_t, int64_t, int64_t), void *arg)
{
	struct import_part	all[IMPORT_PARTS];
	enum err		e = import_tally(rq, community_id, id, all);
	size_t			i;

	for (i = 0; e == OK && i < IMPORT_PARTS; i++)
		if (all[i].added + all[i].changed + all[i].same > 0)
			fn(arg, all[i].label, all[i].added, all[i].changed,
			    all[i].same);
	return e;
}
