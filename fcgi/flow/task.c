/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.c -- periodic work, done by one runner at a time.
 *
 * A claim is an id of its own in the task's row, taken by an UPDATE that
 * demands what was read: of two runners one changes nothing.  Only who
 * still holds the claim may say when the task ran.
 */
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/req.h"

#define TASKS		64
#define AFTER_FAULT	CLOCK_MINUTE
#define TASK_TIME	(5 * 60 * 1000000LL)	/* us, for its SQL */

struct task_run {
	int64_t		 ran_at;
	int64_t		 claimed_until;
};

static const struct view_column task_run_columns[] = {
	C_TIME(task_run, ran_at),
	C_TIME(task_run, claimed_until),
	C_END
};
static const struct view task_run_view = VIEW(task_run, "TaskRun");

enum { TASK_READ, TASK_BEGIN, TASK_CLAIM, TASK_DONE, TASK_SQL_MAX };

static struct stmt task_sql[] = {
	[TASK_READ] = { RO, 1, &task_run_view,
	    "SELECT ran_at, claimed_until FROM task_run WHERE name = $1",
	    NULL, 0 },
	[TASK_BEGIN] = { RW, 1, NULL,
	    "INSERT INTO task_run (name, ran_at, claimed_until, claim)"
	    " VALUES ($1, 0, 0, 0) ON CONFLICT (name) DO NOTHING",
	    NULL, 0 },
	[TASK_CLAIM] = { RW, 5, NULL,
	    "UPDATE task_run SET claim = $1, claimed_until = $2"
	    " WHERE name = $3 AND ran_at = $4 AND claimed_until <= $5",
	    NULL, 0 },
	[TASK_DONE] = { RW, 4, NULL,
	    "UPDATE task_run SET ran_at = COALESCE($1, ran_at),"
	    " claimed_until = $2, claim = 0 WHERE name = $3 AND claim = $4",
	    NULL, 0 },
};

static const struct task	*tasks[TASKS];
static int			 ntasks;

void
task_register_own(void)
{
	db_register(task_sql, TASK_SQL_MAX);
}

void
task_register(const struct task *table)
{
	int	i;

	for (; table->name != NULL && ntasks < TASKS; table++) {
		for (i = 0; i < ntasks && tasks[i] != table; i++)
			;
		if (i == ntasks)
			tasks[ntasks++] = table;
	}
}

const struct task *
task_at(int i)
{
	return i >= 0 && i < ntasks ? tasks[i] : NULL;
}

static bool
is_daily(const struct task *t)
{
	return t->at_minute >= 0 && (t->every_ms == 0 ||
	    t->every_ms >= CLOCK_DAY);
}

/* The last moment at which it should have begun. */
static int64_t
last_slot(const struct task *t, int64_t now)
{
	int64_t	at;

	if (!is_daily(t))
		return now - t->every_ms;
	at = clock_day(now) + t->at_minute * CLOCK_MINUTE;
	return at <= now ? at : at - CLOCK_DAY;
}

static bool
is_due(const struct task *t, const struct task_run *run, int64_t now)
{
	int64_t	slot = last_slot(t, now);

	if (run->claimed_until > now)
		return false;
	return is_daily(t) ? run->ran_at < slot : run->ran_at <= slot;
}

struct hold {
	struct req		*rq;
	const struct task	*task;
	struct task_run		 run;
	int64_t			 claim, now, until;
	bool			 ran;
	int64_t			 n;
};

static enum err
claim(void *arg)
{
	struct hold	*h = arg;
	enum err	 e;

	e = db_run(h->rq->db, &task_sql[TASK_BEGIN], WITH(V(h->task->name)),
	    NULL);
	if (e != OK)
		return e;
	return db_run(h->rq->db, &task_sql[TASK_CLAIM],
	    WITH(V(h->claim), V(h->until), V(h->task->name),
	    V(h->run.ran_at), V(h->now)), &h->n);
}

static enum err
give_back(void *arg)
{
	struct hold	*h = arg;

	return db_run(h->rq->db, &task_sql[TASK_DONE],
	    WITH(h->ran ? V(h->now) : VNULL, V(h->until),
	    V(h->task->name), V(h->claim)), &h->n);
}

/* Everything a run finds in rq, as if it were the first. */
static enum err
call(struct req *rq, const struct task *t)
{
	enum err	e;

	arena_reset(rq->arena);
	memset(&rq->who, 0, sizeof(rq->who));
	req_reset(rq);
	rq->route = NULL;
	rq->actor_id = 0;
	rq->now = clock_now();
	rq->deadline = clock_mono_us() + TASK_TIME;
	rq->task = t->name;
	e = t->run(rq);
	rq->task = NULL;
	if (db_in_transaction(rq->db)) {
		db_rollback(rq->db);
		e = ERR_INTERNAL;
	}
	memset(&rq->who, 0, sizeof(rq->who));
	req_reset(rq);
	return e;
}

static enum err
run_claimed(struct req *rq, struct hold *h)
{
	int64_t		began = clock_mono_us();
	enum err	e, d;

	e = call(rq, h->task);
	h->ran = e == OK;
	h->until = e == OK ? 0 : clock_now() + AFTER_FAULT;
	d = db_transact(rq->db, 5, give_back, h);
	if (e != OK)
		log_error("task=%s err=%s", h->task->name,
		    err_info(e)->name);
	else
		log_info("task=%s us=%lld", h->task->name,
		    (long long)(clock_mono_us() - began));
	return e != OK ? e : d;
}

/* Run it if it is ours to run; *ret_ran says whether it was. */
static enum err
run_one(struct req *rq, const struct task *t, bool now, bool *ret_ran)
{
	struct hold	h = { .rq = rq, .task = t, .now = clock_now() };
	enum err	e;

	*ret_ran = false;
	e = db_one(rq->db, rq->arena, &task_sql[TASK_READ],
	    WITH(V(t->name)), &h.run);
	if (e != OK && e != ERR_ABSENT)
		return e;
	if (!now && !is_due(t, &h.run, h.now))
		return OK;
	h.claim = id_new();
	h.until = h.now + TASK_LEASE;
	if ((e = db_transact(rq->db, 5, claim, &h)) != OK || h.n == 0)
		return e;
	*ret_ran = true;
	return run_claimed(rq, &h);
}

enum err
task_run_due(struct req *rq)
{
	enum err	e;
	bool		ran;
	int		i;

	for (i = 0; i < ntasks; i++) {
		if (tasks[i]->every_ms == 0 && !is_daily(tasks[i]))
			e = call(rq, tasks[i]);
		else
			e = run_one(rq, tasks[i], false, &ran);
		/* One that fails does not stand in the way of the others. */
		if (e == ERR_AWAY)
			return e;
	}
	return OK;
}

enum err
task_run_named(struct req *rq, const char *name)
{
	enum err	e;
	bool		ran;
	int		i;

	for (i = 0; i < ntasks; i++)
		if (strcmp(tasks[i]->name, name) == 0) {
			e = run_one(rq, tasks[i], true, &ran);
			return e == OK && !ran ? ERR_BUSY : e;
		}
	return ERR_ABSENT;
}
