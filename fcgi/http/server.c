/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c -- start the threads, wait for a signal, see them end.
 *
 * One connection is opened first: a statement that does not fit the
 * schema stops the process here, while a database that is only away does
 * not, because its requests say so themselves.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "store/db.h"
#include "store/session.h"

#include "http/metrics.h"
#include "http/server.h"
#include "http/server_internal.h"

#define STACK		(512 * 1024)
#define GRACE_MS	5000	/* beyond a request's time, at the end */
#define THREADS_MAX	256

static bool
check_database(const struct conf *conf, bool *ret_away)
{
	struct db *db = NULL;
	enum err e;

	e = db_open(conf->db, conf->db_timeout_ms, true, &db);
	if (e == OK)
		db_close(db);
	else if (e == ERR_AWAY)
		log_warn("event=start database=away");
	*ret_away = e == ERR_AWAY;
	return e == OK || e == ERR_AWAY;
}

/* Let no signal but the ones we wait for reach a thread. */
static void
take_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int
start_threads(struct server *s, pthread_t *t, int n)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (i = 0; i < n; i++)
		if (pthread_create(&t[i], &attr, server_thread, s) != 0)
			break;
	pthread_attr_destroy(&attr);
	return i;
}

/* A thread that hangs in somebody's library must not hold up the end. */
static int
join_threads(const struct conf *conf, const pthread_t *t, int n)
{
	int64_t ms = conf->request_ms + GRACE_MS;
	struct timespec end;
	int i, left = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += (time_t)(ms / 1000 + 1);
	for (i = 0; i < n; i++)
		if (pthread_timedjoin_np(t[i], NULL, &end) != 0)
			left++;
	return left;
}

static int
serve_until_told(struct server *s, int threads, const char *pool)
{
	pthread_t t[THREADS_MAX];
	sigset_t signals;
	int n, sig = 0, left;

	take_signals(&signals);
	session_start(s->conf);
	metrics_start(threads);
	n = start_threads(s, t, threads);
	if (n < threads)
		log_error("event=start reason=threads wanted=%d got=%d",
		    threads, n);
	else {
		log_info("event=start pool=%s threads=%d generation=%s", pool,
		    threads, s->conf->generation);
		while (sigwait(&signals, &sig) != 0)
			;
		log_info("event=stop signal=%d", sig);
	}
	server_conn_drain(s, s->conf->drain_ms);
	server_conn_end(s);
	left = join_threads(s->conf, t, n);
	if (left > 0) {
		/* Nothing may be freed under them. */
		log_warn("event=end threads_left=%d", left);
		_exit(n < threads);
	}
	session_stop();
	log_info("event=end");
	return n < threads;
}

int
server_run(const struct conf *conf, int fd, int threads, const char *pool)
{
	struct server *s;
	int flags, ret;
	bool away;

	if (threads < 1 || threads > THREADS_MAX) {
		log_error("event=start reason=\"1 to %d threads\"",
		    THREADS_MAX);
		return 1;
	}
	flags = fcntl(fd, F_GETFL);
	if (FCGX_Init() != 0 || flags < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		log_error("event=start reason=\"no listening socket\"");
		return 1;
	}
	if (!check_database(conf, &away))
		return 1;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return 1;
	s->conf = conf;
	s->fd = fd;
	s->db_retry_us = away ? clock_mono_us() : 0;
	if (!server_conn_open(s)) {
		free(s);
		return 1;
	}
	db_queue(threads > 2 ? threads / 2 : 1);
	ret = serve_until_told(s, threads, pool);
	server_conn_close(s);
	free(s);
	return ret;
}
