/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_make.c -- the tasks of exports: make files, delete files.
 *
 * A file is written beside its name and put there when it is whole.  The
 * runner that makes it holds the row by its claim; should two make it all
 * the same, the flow's version lets one of them say so.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/export.h"

#define CLAIM	(5 * CLOCK_MINUTE)

static const struct view_column export_job_columns[] = {
	C_ID(export_job, community_id),
	C_ID(export_job, id),
	C_TEXT(export_job, kind),
	C_TEXT(export_job, format),
	C_INT(export_job, clear),
	C_TIME(export_job, claimed_until),
	C_END
};
static const struct view export_job_view = VIEW(export_job, "ExportJob");

enum { MAKE_NEXT, MAKE_CLAIM, MAKE_DONE, MAKE_KEPT, MAKE_SQL_MAX };

static struct stmt make_sql[] = {
	[MAKE_NEXT] = { RO, 1, &export_job_view,
	    "SELECT community_id, id, kind, format, clear, claimed_until"
	    " FROM export WHERE state IN ('agreed', 'ordered')"
	    " AND claimed_until <= $1 ORDER BY claimed_until, id LIMIT 1",
	    NULL, 0 },
	[MAKE_CLAIM] = { RW, 4, NULL,
	    "UPDATE export SET claimed_until = $4 WHERE community_id = $1"
	    " AND id = $2 AND claimed_until = $3", NULL, 0 },
	[MAKE_DONE] = { RW, 5, NULL,
	    "UPDATE export SET rows = $3, bytes = $4, made_at = $5"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[MAKE_KEPT] = { RO, 1, &export_job_view,
	    "SELECT community_id, id, kind, format, clear, claimed_until"
	    " FROM export WHERE id = $1 AND state IN ('agreed', 'ordered',"
	    " 'made')", NULL, 0 },
};

void
export_make_register(void)
{
	db_register(make_sql, MAKE_SQL_MAX);
}

const char *
export_path(struct req *rq, int64_t id, const char *format)
{
	return arena_fmt(rq->arena, "%s/exports/%lld.%s", rq->conf->dir,
	    (long long)id, format);
}

struct making {
	struct export_job	 job;
	int64_t			 rows, bytes, n, until;
};

static enum err
claim(struct req *rq, void *arg)
{
	struct making	*m = arg;

	return db_run(rq->db, &make_sql[MAKE_CLAIM],
	    WITH(V(m->job.community_id), V(m->job.id),
	    V(m->job.claimed_until), V(m->until)), &m->n);
}

static enum err
done(struct req *rq, void *arg)
{
	struct making	*m = arg;
	enum err	 e;

	e = db_run(rq->db, &make_sql[MAKE_DONE], WITH(V(m->job.community_id),
	    V(m->job.id), V(m->rows), V(m->bytes), V(clock_now())), NULL);
	if (e != OK)
		return e;
	return flow_system(rq, &export_flow, m->job.id, "make", NULL);
}

/* The file, whole, under its name. */
static enum err
make_file(struct req *rq, struct making *m)
{
	const char	*dir, *path, *part;
	struct stat	 st;
	enum err	 e;

	dir = arena_fmt(rq->arena, "%s/exports", rq->conf->dir);
	path = export_path(rq, m->job.id, m->job.format);
	part = arena_fmt(rq->arena, "%s.%lld", path, (long long)id_new());
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return ERR_INTERNAL;
	e = export_write(rq, &m->job, part, &m->rows);
	if (e == OK && (stat(part, &st) == -1 || rename(part, path) == -1))
		e = ERR_INTERNAL;
	if (e != OK)
		unlink(part);
	else
		m->bytes = st.st_size;
	return e;
}

enum err
export_make(struct req *rq)
{
	struct making	m = { .n = 0 };
	enum err	e;

	e = db_one(rq->db, rq->arena, &make_sql[MAKE_NEXT],
	    WITH(V(rq->now)), &m.job);
	if (e != OK)
		return e == ERR_ABSENT ? OK : e;
	m.until = rq->now + CLAIM;
	if ((e = req_transact(rq, claim, &m)) != OK || m.n == 0)
		return e;
	rq->who.community_id = m.job.community_id;
	if ((e = make_file(rq, &m)) == OK) {
		e = req_transact(rq, done, &m);
		/* Given up meanwhile, or made by another: the sweep's. */
		if (e == ERR_STATE || e == ERR_CONFLICT)
			e = OK;
	}
	if (e != OK)
		log_error("export=%lld err=%s", (long long)m.job.id,
		    err_info(e)->name);
	else
		log_info("export=%lld rows=%lld bytes=%lld",
		    (long long)m.job.id, (long long)m.rows,
		    (long long)m.bytes);
	return e;
}

/* The id that a file's name begins with; 0 for other files. */
static int64_t
id_of(const char *name)
{
	char	digits[ID_TEXT_MAX];
	size_t	n = strspn(name, "0123456789");
	int64_t	id;

	if (n == 0 || n >= sizeof(digits) || name[n] != '.')
		return 0;
	memcpy(digits, name, n);
	digits[n] = '\0';
	return id_parse(digits, &id) ? id : 0;
}

enum err
export_sweep(struct req *rq)
{
	const char		*dir;
	struct export_job	 job;
	struct dirent		*entry;
	enum err		 e = OK;
	int64_t			 id;
	DIR			*d;

	dir = arena_fmt(rq->arena, "%s/exports", rq->conf->dir);
	if ((d = opendir(dir)) == NULL)
		return OK;
	while ((e == OK || e == ERR_ABSENT) && (entry = readdir(d)) != NULL) {
		if ((id = id_of(entry->d_name)) == 0)
			continue;
		e = db_one(rq->db, rq->arena, &make_sql[MAKE_KEPT],
		    WITH(V(id)), &job);
		if (e == ERR_ABSENT && unlinkat(dirfd(d), entry->d_name, 0)
		    == 0)
			log_info("export=%lld file=deleted", (long long)id);
	}
	closedir(d);
	return e == ERR_ABSENT ? OK : e;
}
