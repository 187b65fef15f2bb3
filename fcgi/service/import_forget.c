/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_forget.c -- staged rows and files that are needed no more.
 *
 * Rows go when their import can no longer be undone, a file when its
 * faulty rows can no longer be asked for.
 */
#include <unistd.h>

#include "base/clock.h"
#include "service/import_internal.h"

#define KEEP_FILE	(7 * CLOCK_DAY)
#define KEEP_ROWS	(30 * CLOCK_DAY)

struct import_old {
	int64_t		 id;
	int64_t		 community_id;
};

static const struct view_column import_old_columns[] = {
	C_ID(import_old, id),
	C_ID(import_old, community_id),
	C_END
};
static const struct view import_old_view = VIEW(import_old, "ImportOld");

enum { FORGET_CLEAR, FORGET_CLEAR_FAULTS, FORGET_OLD_FILES, FORGET_OLD_ROWS,
	FORGET_UNKEEP, FORGET_SQL_MAX };

static struct stmt forget_sql[] = {
	[FORGET_CLEAR] = { RW, 4, NULL,
	    "DELETE FROM import_row WHERE community_id = $1"
	    " AND import_id = $2 AND id >= $3 AND id < $4", NULL, 0 },
	[FORGET_CLEAR_FAULTS] = { RW, 2, NULL,
	    "DELETE FROM import_fault WHERE community_id = $1"
	    " AND import_id = $2", NULL, 0 },
	[FORGET_OLD_FILES] = { RO, 1, &import_old_view,
	    "SELECT id, community_id FROM import WHERE kept = 1"
	    " AND created_at < $1 AND state NOT IN ('uploaded', 'applying',"
	    " 'undoing') ORDER BY id LIMIT 100", NULL, 0 },
	[FORGET_OLD_ROWS] = { RO, 1, &import_old_view,
	    "SELECT m.id, m.community_id FROM import m"
	    " WHERE m.created_at < $1 AND EXISTS (SELECT 1 FROM import_row r"
	    " WHERE r.community_id = m.community_id AND r.import_id = m.id)"
	    " ORDER BY m.id LIMIT 10", NULL, 0 },
	[FORGET_UNKEEP] = { RW, 2, NULL,
	    "UPDATE import SET kept = 0 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
};

void
import_forget_register(void)
{
	db_register(forget_sql, FORGET_SQL_MAX);
}

struct clearing {
	struct req	*rq;
	int64_t		 community_id, id, from;
};

static enum err
clear_window(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &forget_sql[FORGET_CLEAR],
	    WITH(V(c->community_id), V(c->id), V(c->from),
	    V(c->from + IMPORT_WINDOW)), NULL);
}

static enum err
clear_faults(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &forget_sql[FORGET_CLEAR_FAULTS],
	    WITH(V(c->community_id), V(c->id)), NULL);
}

enum err
import_forget_rows(struct req *rq, int64_t community_id, int64_t id)
{
	struct import_bound	b = import_step_bound(rq, community_id, id);
	struct clearing		c = { rq, community_id, id, 0 };
	enum err		e;

	if ((e = import_step_last(rq, &b)) != OK)
		return e;
	for (c.from = 1; e == OK && c.from <= b.to; c.from += IMPORT_WINDOW)
		e = db_transact(rq->db, 20, clear_window, &c);
	return e != OK ? e : db_transact(rq->db, 20, clear_faults, &c);
}

static enum err
unkeep(void *arg)
{
	struct clearing	*c = arg;

	return db_run(c->rq->db, &forget_sql[FORGET_UNKEEP],
	    WITH(V(c->community_id), V(c->id)), NULL);
}

static enum err
list_old(struct req *rq, int which, int64_t before, struct import_old *ret,
    int max, int *ret_n)
{
	struct rows	rows;
	enum err	e;

	*ret_n = 0;
	e = db_query(rq->db, &forget_sql[which], WITH(V(before)), &rows);
	if (e != OK)
		return e;
	while (*ret_n < max && db_each(&rows, &ret[*ret_n]))
		++*ret_n;
	return db_end(&rows);
}

enum err
import_sweep(struct req *rq)
{
	struct import_old	old[100];
	struct clearing		c = { .rq = rq };
	enum err		e;
	int			i, n;

	e = list_old(rq, FORGET_OLD_FILES, rq->now - KEEP_FILE, old, 100, &n);
	for (i = 0; e == OK && i < n; i++) {
		unlink(import_path(rq, old[i].id));
		c.community_id = old[i].community_id;
		c.id = old[i].id;
		e = db_transact(rq->db, 5, unkeep, &c);
	}
	if (e == OK)
		e = list_old(rq, FORGET_OLD_ROWS, rq->now - KEEP_ROWS, old, 100,
		    &n);
	for (i = 0; e == OK && i < n; i++)
		e = import_forget_rows(rq, old[i].community_id, old[i].id);
	return e;
}
