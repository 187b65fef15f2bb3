/* SPDX-License-Identifier: Apache-2.0 */
/*
 * money_sweep.c -- what a kill in the middle left behind: batches of bills
 * whose check never ended, with their rows, and files that were to be gone
 * with the request that made them.
 *
 * A batch is let go a day after it came, so no check can be about it.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill.h"

#define KEEP		CLOCK_DAY
#define ROUND		50

struct sweep_batch {
	int64_t		 id;
	int64_t		 community_id;
};

static const struct view_column sweep_batch_columns[] = {
	C_ID(sweep_batch, id),
	C_ID(sweep_batch, community_id),
	C_END
};
static const struct view sweep_batch_view =
    VIEW(sweep_batch, "SweepBatch");

enum { SWEEP_OLD, SWEEP_END, SWEEP_ROWS, SWEEP_FAULTS, SWEEP_TELL,
	SWEEP_SQL_MAX };

static struct stmt sweep_sql[] = {
	[SWEEP_OLD] = { RO, 2, &sweep_batch_view,
	    "SELECT id, community_id FROM bill_batch"
	    " WHERE state = 'uploaded' AND created_at < $1"
	    " ORDER BY created_at LIMIT $2", NULL, 0 },
	[SWEEP_END] = { RW, 3, NULL,
	    "UPDATE bill_batch SET state = 'faulty', checked_at = $3,"
	    " rows = 0, bills = 0, unmatched = 0, faults = 1, total_fen = 0"
	    " WHERE community_id = $1 AND id = $2 AND state = 'uploaded'",
	    NULL, 0 },
	[SWEEP_ROWS] = { RW, 2, NULL,
	    "DELETE FROM bill_batch_row WHERE community_id = $1"
	    " AND batch_id = $2", NULL, 0 },
	[SWEEP_FAULTS] = { RW, 2, NULL,
	    "DELETE FROM bill_batch_fault WHERE community_id = $1"
	    " AND batch_id = $2", NULL, 0 },
	[SWEEP_TELL] = { RW, 3, NULL,
	    "INSERT INTO bill_batch_fault (community_id, batch_id, id, line,"
	    " detail) VALUES ($1, $2, 1, 0, $3)", NULL, 0 },
};

/* Whoever ended it first, its rows go once. */
static enum err
end_batch(struct req *rq, void *arg)
{
	const struct sweep_batch *b = arg;
	struct values		  v = WITH(V(b->community_id), V(b->id));
	int64_t			  n;
	enum err		  e;

	e = db_run(rq->db, &sweep_sql[SWEEP_END], WITH(V(b->community_id),
	    V(b->id), V(rq->now)), &n);
	if (e != OK || n == 0)
		return e;
	audit_as(rq, b->community_id, 0);
	audit_thing(rq, "bill_batch", b->id);
	if ((e = db_run(rq->db, &sweep_sql[SWEEP_ROWS], v, NULL)) != OK ||
	    (e = db_run(rq->db, &sweep_sql[SWEEP_FAULTS], v, NULL)) != OK)
		return e;
	return db_run(rq->db, &sweep_sql[SWEEP_TELL],
	    WITH(V(b->community_id), V(b->id),
	    V("检查没有完成，请重新上传这份文件")), NULL);
}

static enum err
end_batches(struct req *rq)
{
	struct sweep_batch	old[ROUND];
	struct rows		rows;
	enum err		e;
	int			i, n;

	do {
		e = db_query(rq->db, &sweep_sql[SWEEP_OLD],
		    WITH(V(rq->now - KEEP), V((int64_t)ROUND)), &rows);
		if (e != OK)
			return e;
		for (n = 0; n < ROUND && db_each(&rows, &old[n]);)
			n++;
		e = db_end(&rows);
		for (i = 0; e == OK && i < n; i++)
			e = req_transact(rq, end_batch, &old[i]);
	} while (e == OK && n == ROUND);
	return e;
}

/* The id that a file was named by, the last of its name; 0 for none. */
static int64_t
id_of(const char *name)
{
	char		 digits[ID_TEXT_MAX];
	const char	*at = strrchr(name, '-');
	int64_t		 id;
	size_t		 n;

	if (at == NULL || (n = strspn(++at, "0123456789")) == 0 ||
	    n >= sizeof(digits) || at[n] != '.')
		return 0;
	memcpy(digits, at, n);
	digits[n] = '\0';
	return id_parse(digits, &id) ? id : 0;
}

static void
sweep_folder(struct req *rq, const char *folder, const char *prefix)
{
	struct dirent	*entry;
	int64_t		 id;
	DIR		*d;

	d = opendir(arena_fmt(rq->arena, "%s/%s", rq->conf->dir, folder));
	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		id = id_of(entry->d_name);
		if (id != 0 && id < id_at(rq->now - KEEP) &&
		    unlinkat(dirfd(d), entry->d_name, 0) == 0)
			log_info("sweep folder=%s id=%lld file=deleted",
			    folder, (long long)id);
	}
	closedir(d);
}

static enum err
sweep(struct req *rq)
{
	sweep_folder(rq, "imports", "bills-");
	sweep_folder(rq, "exports", "recon-");
	sweep_folder(rq, "statements", "");
	return end_batches(rq);
}

static const struct task sweep_tasks[] = {
	{ "money_sweep", CLOCK_HOUR, TASK_NEVER, sweep },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
money_sweep_register(void)
{
	db_register(sweep_sql, SWEEP_SQL_MAX);
	task_register(sweep_tasks);
}
