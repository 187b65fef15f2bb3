/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_run.c -- a run from its claim to its end, and the morning's task.
 *
 * The claim is renewed by each transaction of the run, so one that stopped
 * in the middle is taken up by the next, which begins anew: rows are staged
 * again, and a difference found again is the same row.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/recon.h"
#include "wechat/pay.h"

#define HOLD		(3 * CLOCK_MINUTE)
#define TRIES		20
#define ROW_MEMORY	(64 << 20)
#define BATCH_BYTES	(4 << 20)
#define TASK_AT		(10 * 60 + 10)	/* they promise it for 10:00 */
#define DAYS_BACK	7
#define ROWS_LIFE	(400 * CLOCK_DAY)

static const struct view_column recon_count_columns[] = {
	C_INT(recon_count, n), C_END
};
const struct view recon_count_view = VIEW(recon_count, "ReconCount");

enum { RUN_BEGIN, RUN_CLAIM, RUN_DAYS, RUN_HOLD, RUN_NEXT, RUN_LAST,
	RUN_GONE, RUN_DONE, RUN_FAILED, RUN_RELEASE, RUN_DUE, RUN_NEWEST,
	RUN_SWEEP, RUN_SQL_MAX };

#define OF(what, refund)						\
	"CAST(COALESCE(SUM(CASE WHEN refund = " refund " THEN " what	\
	" ELSE 0 END), 0) AS BIGINT)"

static struct stmt run_sql[] = {
	[RUN_BEGIN] = { RW, 1, NULL,
	    "INSERT INTO recon_run (day, claim, claimed_until)"
	    " VALUES ($1, 0, 0) ON CONFLICT (day) DO NOTHING", NULL, 0 },
	[RUN_CLAIM] = { RW, 4, NULL,
	    "UPDATE recon_run SET claim = $2, claimed_until = $3"
	    " WHERE day = $1 AND claimed_until <= $4", NULL, 0 },
	[RUN_DAYS] = { RW, 2, NULL,
	    "INSERT INTO reconciliation (community_id, day, state, run,"
	    " payments, paid_fen, refunds, refunded_fen, fee_mill,"
	    " our_payments, our_paid_fen) SELECT c.id, CAST($1 AS BIGINT),"
	    " 'running', CAST($2 AS BIGINT), 0, 0, 0, 0, 0, 0, 0"
	    " FROM (SELECT id FROM community UNION ALL"
	    " SELECT CAST(0 AS BIGINT)) c WHERE TRUE"
	    " ON CONFLICT (community_id, day) DO UPDATE"
	    " SET state = 'running', why = NULL, run = excluded.run"
	    " WHERE reconciliation.state <> 'closed'", NULL, 0 },
	[RUN_HOLD] = { RW, 3, NULL,
	    "UPDATE recon_run SET claimed_until = $3 WHERE day = $1"
	    " AND claim = $2", NULL, 0 },
	[RUN_NEXT] = { RO, 3, &recon_count_view,
	    "SELECT community_id AS n FROM reconciliation WHERE day = $1"
	    " AND run = $2 AND state = 'running' AND community_id > $3"
	    " ORDER BY community_id LIMIT 1", NULL, 0 },
	[RUN_LAST] = { RO, 2, &recon_count_view,
	    "SELECT COALESCE(MAX(id), 0) AS n FROM recon_row"
	    " WHERE community_id = $1 AND day = $2", NULL, 0 },
	[RUN_GONE] = { RW, 3, NULL,
	    "UPDATE recon_diff SET state = 'gone' WHERE community_id = $1"
	    " AND day = $2 AND run <> $3 AND state <> 'gone'", NULL, 0 },
	[RUN_DONE] = { RW, 6, NULL,
	    "UPDATE reconciliation SET state = 'open', ran_at = $4,"
	    " payments = s.payments, paid_fen = s.paid_fen,"
	    " refunds = s.refunds, refunded_fen = s.refunded_fen,"
	    " fee_mill = s.fee_mill, our_payments = o.our_payments,"
	    " our_paid_fen = o.our_paid_fen FROM (SELECT "
	    OF("1", "0") " AS payments, " OF("amount_fen", "0")
	    " AS paid_fen, " OF("1", "1") " AS refunds, "
	    OF("amount_fen", "1") " AS refunded_fen,"
	    " CAST(COALESCE(SUM(fee_mill), 0) AS BIGINT) AS fee_mill"
	    " FROM recon_row WHERE community_id = $1 AND day = $2) s,"
	    " (SELECT COUNT(*) AS our_payments,"
	    " CAST(COALESCE(SUM(total_fen), 0) AS BIGINT) AS our_paid_fen"
	    " FROM payment WHERE community_id = $1 AND paid_at >= $5"
	    " AND paid_at < $6) o"
	    " WHERE reconciliation.community_id = $1"
	    " AND reconciliation.day = $2 AND reconciliation.run = $3"
	    " AND reconciliation.state = 'running'", NULL, 0 },
	[RUN_FAILED] = { RW, 3, NULL,
	    "UPDATE reconciliation SET state = 'failed', why = $3"
	    " WHERE day = $1 AND run = $2 AND state = 'running'", NULL, 0 },
	[RUN_RELEASE] = { RW, 2, NULL,
	    "UPDATE recon_run SET claimed_until = 0 WHERE day = $1"
	    " AND claim = $2", NULL, 0 },
	[RUN_DUE] = { RO, 1, &recon_count_view,
	    "SELECT COUNT(*) AS n FROM reconciliation WHERE day = $1"
	    " AND community_id = 0 AND state IN ('open', 'closed')",
	    NULL, 0 },
	[RUN_NEWEST] = { RO, 0, &recon_count_view,
	    "SELECT COALESCE(MAX(day), 0) AS n FROM reconciliation"
	    " WHERE community_id = 0", NULL, 0 },
	[RUN_SWEEP] = { RW, 1, NULL,
	    "DELETE FROM recon_row WHERE day < $1 AND community_id IN"
	    " (SELECT c.community_id FROM reconciliation c"
	    " WHERE c.day < $1)", NULL, 0 },
};

/* ---- days ---- */

int64_t
recon_day_start(int64_t day)
{
	char		text[CLOCK_TEXT_MAX];
	int64_t		ms;

	if (day < 20000101 || day > 99991231)
		return -1;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00+08:00",
	    (int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100));
	return clock_parse(text, &ms) ? ms : -1;
}

int64_t
recon_day_of(int64_t ms)
{
	struct clock_local	t = clock_local(ms);

	return t.year * 10000LL + t.month * 100 + t.day;
}

/* ---- transactions of a run ---- */

struct held {
	struct recon	*rn;
	enum err	(*fn)(struct req *, void *);
	void		*arg;
};

static enum err
hold(void *arg)
{
	struct held	*h = arg;
	struct recon	*rn = h->rn;
	int64_t		 n;
	enum err	 e;

	e = db_run(rn->rq->db, &run_sql[RUN_HOLD], WITH(V(rn->day),
	    V(rn->claim), V(clock_now() + HOLD)), &n);
	if (e != OK)
		return e;
	return n == 0 ? ERR_CONFLICT : h->fn(rn->rq, h->arg);
}

enum err
recon_transact(struct recon *rn, enum err (*fn)(struct req *, void *),
    void *arg)
{
	struct held	h = { rn, fn, arg };

	return db_transact(rn->rq->db, TRIES, hold, &h);
}

/* The first one makes its row, and all communities', before it holds. */
static enum err
begin(void *arg)
{
	struct recon	*rn = arg;
	struct db	*db = rn->rq->db;
	int64_t		 now = clock_now(), n;
	enum err	 e;

	if ((e = db_run(db, &run_sql[RUN_BEGIN], WITH(V(rn->day)),
	    NULL)) != OK || (e = db_run(db, &run_sql[RUN_CLAIM],
	    WITH(V(rn->day), V(rn->claim), V(now + HOLD), V(now)),
	    &n)) != OK)
		return e;
	if (n == 0)
		return ERR_BUSY;
	return db_run(db, &run_sql[RUN_DAYS], WITH(V(rn->day),
	    V(rn->run)), NULL);
}

static enum err
finish(struct req *rq, void *arg)
{
	struct recon	*rn = arg;
	enum err	 e;

	e = db_run(rq->db, &run_sql[RUN_GONE], WITH(V(rn->community_id),
	    V(rn->day), V(rn->run)), NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &run_sql[RUN_DONE], WITH(V(rn->community_id),
	    V(rn->day), V(rn->run), V(clock_now()), V(rn->from),
	    V(rn->to)), NULL);
}

struct ended {
	struct recon	*rn;
	enum err	 e;
};

static enum err
release(void *arg)
{
	struct ended	*x = arg;
	struct recon	*rn = x->rn;
	enum err	 e = OK;

	if (x->e != OK)
		e = db_run(rn->rq->db, &run_sql[RUN_FAILED],
		    WITH(V(rn->day), V(rn->run),
		    V(err_info(x->e)->code)), NULL);
	if (e != OK)
		return e;
	return db_run(rn->rq->db, &run_sql[RUN_RELEASE], WITH(V(rn->day),
	    V(rn->claim)), NULL);
}

/* ---- the run ---- */

static enum err
match_one(struct recon *rn)
{
	struct recon_count	last;
	enum err		e;

	e = db_one(rn->rq->db, rn->row, &run_sql[RUN_LAST],
	    WITH(V(rn->community_id), V(rn->day)), &last);
	if (e != OK)
		return e;
	rn->last = last.n;
	if ((e = recon_match(rn)) != OK || (e = recon_share(rn)) != OK)
		return e;
	return recon_transact(rn, finish, rn);
}

static enum err
run_all(struct recon *rn)
{
	struct recon_count	next = { -1 };
	enum err		e;

	if ((e = recon_stage(rn)) != OK)
		return e;
	while ((e = db_one(rn->rq->db, rn->row, &run_sql[RUN_NEXT],
	    WITH(V(rn->day), V(rn->run), V(next.n)), &next)) == OK) {
		rn->community_id = next.n;
		if ((e = match_one(rn)) != OK)
			return e;
	}
	return e == ERR_ABSENT ? OK : e;
}

enum err
recon_run(struct req *rq, int64_t day)
{
	struct recon	rn = { .rq = rq, .day = day, .claim = id_new(),
		.run = id_new(), .from = recon_day_start(day) };
	int64_t		began = clock_mono_us();
	enum err	e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (rn.from < 0)
		return ERR_ABSENT;
	rn.to = rn.from + CLOCK_DAY;
	if ((e = db_transact(rq->db, TRIES, begin, &rn)) != OK)
		return e;
	rn.row = arena_new(ROW_MEMORY);
	buf_init(&rn.batch, BATCH_BYTES);
	e = run_all(&rn);
	buf_free(&rn.batch);
	arena_free(rn.row);
	if (e != ERR_CONFLICT)
		db_transact(rq->db, TRIES, release,
		    &(struct ended){ &rn, e });
	log_info("recon day=%lld err=%s us=%lld", (long long)day,
	    e == OK ? "-" : err_info(e)->name,
	    (long long)(clock_mono_us() - began));
	return e;
}

/* ---- each morning ---- */

static enum err
run_due(struct req *rq, int64_t day)
{
	struct recon_count	done;
	enum err		e;

	e = db_one(rq->db, rq->arena, &run_sql[RUN_DUE], WITH(V(day)),
	    &done);
	if (e != OK || done.n > 0)
		return e;
	e = recon_run(rq, day);
	/* What they refuse they refuse in a minute too; it is shown. */
	return e == ERR_PAY_REFUSED || e == ERR_CONFLICT ? OK : e;
}

static enum err
sweep(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &run_sql[RUN_SWEEP],
	    WITH(V(recon_day_of(rq->now - ROWS_LIFE))), NULL);
}

/* Yesterday, and the days since the newest that were missed. */
static enum err
run_morning(struct req *rq)
{
	struct recon_count	newest;
	int64_t			today = clock_day(rq->now), day;
	enum err		e;
	int			i;

	if (!pay_ready())
		return OK;
	e = db_one(rq->db, rq->arena, &run_sql[RUN_NEWEST], NOTHING,
	    &newest);
	for (i = DAYS_BACK; e == OK && i >= 1; i--) {
		day = recon_day_of(today - i * CLOCK_DAY);
		if (i == 1 || (newest.n > 0 && day >= newest.n))
			e = run_due(rq, day);
	}
	return e != OK ? e : req_transact(rq, sweep, NULL);
}

static const struct task recon_tasks[] = {
	{ "reconcile", 0, TASK_AT, run_morning },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
recon_run_register(void)
{
	db_register(run_sql, RUN_SQL_MAX);
	task_register(recon_tasks);
}
