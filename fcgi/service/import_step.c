/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_step.c -- the statements of a kind, over the staged rows.
 *
 * Those that go over all rows do it a window at a time: no statement is
 * long, and what memory one takes does not grow with the file.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/import_internal.h"

#define FIRST		1000	/* rows that are tried before others */

static const struct import_plan *const plans[] = {
	[IMPORT_TERRITORY] = &import_territory_plan,
	[IMPORT_GRIDS] = &import_grids_plan,
	[IMPORT_ROSTER] = &import_roster_plan,
};

enum { STEP_LAST, STEP_SQL_MAX };

static struct stmt step_sql[] = {
	[STEP_LAST] = { RO, 2, &import_count_view,
	    "SELECT COALESCE(MAX(id), 0) AS n FROM import_row"
	    " WHERE community_id = $1 AND import_id = $2", NULL, 0 },
};

/* PostgreSQL guesses badly at a table that has just been filled. */
struct stmt import_step_analyse = { RW, 0, NULL,
    "DELETE FROM import_row WHERE 1 = 0", "ANALYZE import_row", 0 };

void
import_step_register(void)
{
	db_register(&import_step_analyse, 1);
	db_register(step_sql, STEP_SQL_MAX);
}

const struct import_plan *
import_plan_of(enum import_kind kind)
{
	return plans[kind];
}

int64_t
import_today(int64_t now)
{
	struct clock_local	t = clock_local(now);

	return t.year * 10000LL + t.month * 100 + t.day;
}

struct import_bound
import_step_bound(struct req *rq, int64_t community_id, int64_t id)
{
	struct import_bound	b = { .community_id = community_id,
				    .id = id, .now = rq->now };

	snprintf(b.today, sizeof(b.today), "%lld",
	    (long long)import_today(rq->now));
	return b;
}

static struct values
bind(const struct import_step *s, const struct import_bound *b,
    struct value v[static 8])
{
	const char	*a;
	int		 n = 0;

	if (s->stmt->nargs == 0)
		return NOTHING;
	v[n++] = value_int(b->community_id);
	v[n++] = value_int(b->id);
	for (a = s->args; *a != '\0'; a++)
		switch (*a) {
		case 'w':
			v[n++] = value_int(b->from);
			v[n++] = value_int(b->to);
			break;
		case 'f':
			v[n++] = value_int(1);
			v[n++] = value_int(FIRST);
			break;
		case 'n':
			v[n++] = value_int(b->now);
			break;
		case 'a':
			v[n++] = value_int(b->applied_at);
			break;
		case 't':
			v[n++] = value_text(b->today);
			break;
		}
	return (struct values){ n, v };
}

enum err
import_step_once(struct req *rq, const struct import_step *s,
    const struct import_bound *b)
{
	struct import_count	count = { 0 };
	struct value		v[8];
	enum err		e;

	if (s->refuse == NULL)
		return db_run(rq->db, s->stmt, bind(s, b, v), NULL);
	e = db_one(rq->db, rq->arena, s->stmt, bind(s, b, v), &count);
	if (e == OK && count.n > 0)
		return req_fail(rq, ERR_CONFLICT, s->refuse);
	return e;
}

enum err
import_step_last(struct req *rq, struct import_bound *b)
{
	struct import_count	count = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &step_sql[STEP_LAST],
	    WITH(V(b->community_id), V(b->id)), &count);
	b->to = count.n;
	return e;
}

enum err
import_step_all(struct req *rq, const struct import_step *s,
    struct import_bound *b)
{
	int64_t		last = b->to;
	enum err	e = OK;

	for (; e == OK && s->stmt != NULL; s++) {
		if (strchr(s->args, 'w') == NULL) {
			e = import_step_once(rq, s, b);
			continue;
		}
		for (b->from = 1; e == OK && b->from <= last;
		    b->from = b->to) {
			b->to = b->from + IMPORT_WINDOW;
			e = import_step_once(rq, s, b);
		}
	}
	b->to = last;
	return e;
}
