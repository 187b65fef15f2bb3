/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs.c -- planet-jobs: what must happen without anybody asking.
 *
 *	planet-jobs --config FILE
 *
 * Each thread goes round: fire what is overdue, send what waits, sweep
 * what has served.  Any number of threads and of these programs may run at
 * once: a deadline is fired by a conditional update, a message is sent by
 * who holds its claim.  SIGTERM: finish what is in hand, then end.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "flow/flow.h"
#include "flow/outbox.h"
#include "flow/task.h"
#include "http/req.h"
#include "program.h"
#include "store/redis.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"

#define DUE_AT_ONCE	64
/* Sending from one claim ends then; the claim outlives the last call. */
#define HOLD_MS		(60 * CLOCK_SECOND)
#define PUT_OFF		(10 * CLOCK_MINUTE)
#define KEEP_REPLIES	(7 * CLOCK_DAY)
#define ROUND_US	(60 * 1000000LL)	/* for the SQL of a round */

enum { JOBS_SWEEP, JOBS_SQL_MAX };

static struct stmt jobs_sql[] = {
	[JOBS_SWEEP] = { RW, 1, NULL,
	    "DELETE FROM idempotency WHERE created_at < $1", NULL, 0 },
};

/* What one thread works with. */
struct runner {
	struct req	 rq;		/* as a request, without a caller */
};

static atomic_bool	 stopping;
static pthread_mutex_t	 wake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t	 wake = PTHREAD_COND_INITIALIZER;

struct overdue {
	struct req		*rq;
	const struct flow	*flow;
	int64_t			 id;
};

static enum err
fire(struct req *rq, void *arg)
{
	struct overdue	*o = arg;

	return flow_overdue(rq, o->flow, o->id);
}

static enum err
put_off(void *arg)
{
	struct overdue	*o = arg;

	return flow_put_off(o->rq, o->flow, o->id, PUT_OFF);
}

/*
 * Fire one.  A conflict means that a person or another runner was faster.
 * What cannot be moved on is put off, or it would be first in the queue
 * for ever.
 */
static enum err
fire_one(struct req *rq, const struct flow *flow, struct flow_due due,
    int *n)
{
	struct overdue	o = { rq, flow, due.id };
	enum err	e;

	req_reset(rq);
	rq->who.community_id = due.community_id;
	rq->task = arena_fmt(rq->arena, "flow %s overdue", flow->name);
	e = req_transact(rq, fire, &o);
	rq->task = NULL;
	if (e == OK)
		++*n;
	if (e == OK || e == ERR_CONFLICT || e == ERR_UNIQUE)
		return OK;
	log_error("flow=%s id=%lld overdue err=%s", flow->name,
	    (long long)due.id, err_info(e)->name);
	if (e == ERR_AWAY || e == ERR_BUSY)
		return e;
	return db_transact(rq->db, 5, put_off, &o);
}

static enum err
fire_overdue(struct runner *r, const struct flow *flow, int *n)
{
	struct flow_due	due[DUE_AT_ONCE];
	struct rows	rows;
	enum err	e;
	int		i, found = 0;

	e = db_query(r->rq.db, &flow->sql[FLOW_DUE],
	    WITH(V(r->rq.now), V(DUE_AT_ONCE)), &rows);
	if (e != OK)
		return e;
	while (found < DUE_AT_ONCE && db_each(&rows, &due[found]))
		found++;
	if ((e = db_end(&rows)) != OK)
		return e;
	for (i = 0; i < found && !atomic_load(&stopping); i++)
		if ((e = fire_one(&r->rq, flow, due[i], n)) != OK)
			return e;
	return OK;
}

static enum outbox_end
send_one(struct runner *r, const struct outbox_row *row, int *ret_code)
{
	const char	*id = conf_template(r->rq.conf, row->template);

	if (id == NULL) {
		log_warn("template=%s fault=\"not configured\"",
		    row->template);
		return OUTBOX_FAILED;
	}
	switch (wechat_notify(r->rq.wechat, r->rq.redis, r->rq.arena,
	    row->openid, id, row->page, row->data, ret_code)) {
	case WECHAT_SENT:
		return OUTBOX_SENT;
	case WECHAT_REFUSED:
		return OUTBOX_REFUSED;
	case WECHAT_FAULTY:
		return OUTBOX_FAILED;
	case WECHAT_LATER:
		break;
	}
	return OUTBOX_LATER;
}

/* Send what was claimed; what there is no time for is let go unsent. */
static enum err
send_claimed(struct runner *r, const struct outbox_row *row, int64_t claim,
    bool in_time)
{
	enum outbox_end	end = OUTBOX_RELEASED;
	enum err	e;
	int		code = 0;

	if (in_time && !atomic_load(&stopping))
		end = send_one(r, row, &code);
	e = outbox_finish(r->rq.db, row, claim, end, code, clock_now());
	log_info("outbox=%lld template=%s end=%s code=%d",
	    (long long)row->id, row->template, outbox_end_name(end), code);
	return e;
}

static enum err
send_waiting(struct runner *r, int *n)
{
	struct outbox_row	rows[OUTBOX_CLAIM];
	int64_t			claim, began = clock_now();
	enum err		e;
	int			i, found;

	e = outbox_claim(r->rq.db, r->rq.arena, began, HOLD_MS +
	    4 * r->rq.conf->wechat_timeout_ms, &claim, rows, &found);
	if (e != OK)
		return e;
	for (i = 0; i < found; i++) {
		e = send_claimed(r, &rows[i], claim,
		    clock_now() - began < HOLD_MS);
		if (e != OK)
			return e;
	}
	*n += found;
	return OK;
}

static enum err
sweep_replies(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &jobs_sql[JOBS_SWEEP],
	    WITH(V(rq->now - KEEP_REPLIES)), NULL);
}

static enum err
sweep(struct req *rq)
{
	return req_transact(rq, sweep_replies, NULL);
}

static const struct task jobs_tasks[] = {
	{ "idempotency_sweep", CLOCK_HOUR, TASK_NEVER, sweep },
	{ NULL, 0, TASK_NEVER, NULL }
};

/* One round of everything; how much there was to do through ret_n. */
static enum err
go_round(struct runner *r, int *ret_n)
{
	enum err	e;
	int		i;

	*ret_n = 0;
	arena_reset(r->rq.arena);
	r->rq.now = clock_now();
	r->rq.deadline = clock_mono_us() + ROUND_US;
	for (i = 0; flow_at(i) != NULL; i++)
		if ((e = fire_overdue(r, flow_at(i), ret_n)) != OK)
			return e;
	if ((e = send_waiting(r, ret_n)) != OK)
		return e;
	return task_run_due(&r->rq);
}

static void
pause_ms(int64_t ms)
{
	struct timespec	at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&wake_lock);
	if (!atomic_load(&stopping))
		pthread_cond_timedwait(&wake, &wake_lock, &at);
	pthread_mutex_unlock(&wake_lock);
}

static void *
run(void *arg)
{
	const struct conf	*conf = arg;
	struct buf		 out;
	struct runner		 r = { .rq = { .conf = conf } };
	enum err		 e;
	int			 n;

	buf_init(&out, 65536);
	r.rq.out = &out;
	r.rq.arena = arena_new(8 << 20);
	r.rq.redis = redis_new(conf->redis, conf->redis_db,
	    conf->redis_timeout_ms);
	r.rq.wechat = wechat_new(conf);
	while (!atomic_load(&stopping)) {
		e = r.rq.db != NULL ? OK : db_open(conf->db,
		    conf->db_timeout_ms, true, &r.rq.db);
		if (e == OK)
			e = go_round(&r, &n);
		if (e != OK)
			log_warn("round err=%s", err_info(e)->name);
		if (e != OK || n == 0)
			pause_ms(e != OK ? CLOCK_SECOND :
			    conf->jobs_poll_ms);
	}
	db_close(r.rq.db);
	redis_free(r.rq.redis);
	wechat_free(r.rq.wechat);
	arena_free(r.rq.arena);
	buf_free(&out);
	return NULL;
}

/* Start the threads, wait for a signal, end them. */
static int
run_all(struct conf *conf)
{
	pthread_t	threads[64];
	sigset_t	set;
	int		i, sig, n = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < conf->jobs_threads && i < 64; i++)
		if (pthread_create(&threads[n], NULL, run, conf) == 0)
			n++;
	if (n == 0) {
		log_error("fault=\"no thread could be started\"");
		return 1;
	}
	log_info("started threads=%d", n);
	sigwait(&set, &sig);
	log_info("stopping signal=%d", sig);
	pthread_mutex_lock(&wake_lock);
	atomic_store(&stopping, true);
	pthread_cond_broadcast(&wake);
	pthread_mutex_unlock(&wake_lock);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	struct conf	*conf;
	int		 rc = 1;

	if (argc != 3 || strcmp(argv[1], "--config") != 0) {
		fprintf(stderr, "usage: planet-jobs --config FILE\n");
		return 2;
	}
	if ((conf = program_start("jobs", argv[2], true)) == NULL)
		return 1;
	db_register(jobs_sql, JOBS_SQL_MAX);
	task_register(jobs_tasks);
	if (wechat_init(conf) == OK && pay_init(conf) == OK)
		rc = run_all(conf);
	conf_free(conf);
	return rc;
}
