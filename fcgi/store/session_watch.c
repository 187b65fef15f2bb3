/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_watch.c -- the thread to which Redis tells what changed.
 *
 * Connection A listens to __redis__:invalidate; B asks for tracking of all
 * keys sess:* with the news sent to A.  Redis tells neither of the other's
 * death, so both are watched and pinged; without both there is no cache.
 */
#include <sys/eventfd.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#include "store/redis_internal.h"
#include "store/session_cache.h"

#define PREFIX		"sess:"
#define CHANNEL		"__redis__:invalidate"
#define PING_MS		2000
#define PAUSE_MIN_MS	20
#define PAUSE_MAX_MS	1000

struct watch {
	pthread_t	 thread;
	char		*where;
	int64_t		 db;
	int64_t		 timeout_ms;
	int		 stop_fd;	/* readable: end */
	redisContext	*a;		/* listens */
	redisContext	*b;		/* is tracked */
	bool		 waiting_a;	/* for an answer to PING */
	bool		 waiting_b;
	bool		 running;
};

static struct watch watch = { .stop_fd = -1 };

/* Wait up to `ms` for the word to stop. */
static bool
stopped(struct watch *w, int64_t ms)
{
	struct pollfd fd = { w->stop_fd, POLLIN, 0 };

	return poll(&fd, 1, (int)ms) > 0;
}

static void
hang_up(struct watch *w)
{
	if (w->a != NULL)
		redisFree(w->a);
	if (w->b != NULL)
		redisFree(w->b);
	w->a = w->b = NULL;
}

/* Both connections, in this order: A's number must be known to B. */
static bool
stand_up(struct watch *w)
{
	redisReply	*reply;
	char		 why[160];
	bool		 well;

	w->a = redis_dial(w->where, w->db, w->timeout_ms, why, sizeof(why));
	w->b = redis_dial(w->where, w->db, w->timeout_ms, why, sizeof(why));
	if (w->a == NULL || w->b == NULL)
		return false;
	reply = redisCommand(w->a, "CLIENT ID");
	if (reply == NULL)
		return false;
	well = reply->type == REDIS_REPLY_INTEGER;
	snprintf(why, sizeof(why), "%lld", reply->integer);
	freeReplyObject(reply);
	if (!well || (reply = redisCommand(w->a, "SUBSCRIBE " CHANNEL)) ==
	    NULL)
		return false;
	well = reply->type == REDIS_REPLY_ARRAY;
	freeReplyObject(reply);
	if (!well || (reply = redisCommand(w->b, "CLIENT TRACKING ON "
	    "REDIRECT %s BCAST PREFIX " PREFIX, why)) == NULL)
		return false;
	well = reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	return well;
}

static void
on_key(const redisReply *key)
{
	const size_t n = sizeof(PREFIX) - 1;

	if (key->type != REDIS_REPLY_STRING ||
	    (size_t)key->len != n + SESSION_HASH)
		return;
	session_cache_told();
	session_cache_drop(key->str + n);
}

/* ["message", channel, keys or nil] or ["pong", ""]. */
static void
on_news(struct watch *w, const redisReply *reply)
{
	const redisReply *keys;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING) {
		w->waiting_a = false;
		return;
	}
	if (strcmp(reply->element[0]->str, "pong") == 0)
		w->waiting_a = false;
	if (strcmp(reply->element[0]->str, "message") != 0 ||
	    reply->elements < 3)
		return;
	keys = reply->element[2];
	if (keys->type == REDIS_REPLY_ARRAY) {
		for (size_t i = 0; i < keys->elements; i++)
			on_key(keys->element[i]);
		return;
	}
	if (keys->type == REDIS_REPLY_STRING) {
		on_key(keys);
		return;
	}
	session_cache_told();
	session_cache_clear();
}

/* Read what came on `c`; false when it is lost. */
static bool
take(struct watch *w, redisContext *c)
{
	void *reply = NULL;

	if (redisBufferRead(c) != REDIS_OK)
		return false;
	for (;;) {
		if (redisGetReplyFromReader(c, &reply) != REDIS_OK)
			return false;
		if (reply == NULL)
			return true;
		if (c == w->a)
			on_news(w, reply);
		else
			w->waiting_b = false;
		freeReplyObject(reply);
	}
}

static bool
send_ping(redisContext *c)
{
	int done = 0;

	if (redisAppendCommand(c, "PING") != REDIS_OK)
		return false;
	while (!done)
		if (redisBufferWrite(c, &done) != REDIS_OK)
			return false;
	return true;
}

static bool
ping_both(struct watch *w)
{
	w->waiting_a = w->waiting_b = true;
	return send_ping(w->a) && send_ping(w->b);
}

/* Follow the news until a connection is lost or it is time to stop. */
static void
follow(struct watch *w)
{
	struct pollfd	fds[3] = {
		{ w->stop_fd, POLLIN, 0 },
		{ w->a->fd, POLLIN, 0 },
		{ w->b->fd, POLLIN, 0 },
	};
	int64_t		due = clock_mono_us() + PING_MS * 1000, left;
	bool		waiting = false;

	for (;;) {
		left = (due - clock_mono_us() + 999) / 1000;
		if (left <= 0) {
			/* Time for an answer to have come, or to ask. */
			if (w->waiting_a || w->waiting_b)
				return;
			waiting = !waiting;
			if (waiting && !ping_both(w))
				return;
			due = clock_mono_us() + 1000 *
			    (waiting ? w->timeout_ms : PING_MS);
			continue;
		}
		if (poll(fds, 3, (int)left) < 0)
			continue;
		if (fds[0].revents != 0 ||
		    (fds[1].revents != 0 && !take(w, w->a)) ||
		    (fds[2].revents != 0 && !take(w, w->b)))
			return;
	}
}

static void *
run(void *arg)
{
	struct watch	*w = arg;
	int64_t		 pause_ms = PAUSE_MIN_MS;

	while (!stopped(w, 0)) {
		if (stand_up(w)) {
			pause_ms = PAUSE_MIN_MS;
			w->waiting_a = w->waiting_b = false;
			session_cache_switch(true);
			log_info("session message=\"cache is on\"");
			follow(w);
			session_cache_switch(false);
			if (!stopped(w, 0))
				log_warn("session message=\"cache is off\"");
		} else if (pause_ms == PAUSE_MIN_MS)
			log_warn("session message=\"Redis cannot be watched\"");
		hang_up(w);
		if (stopped(w, pause_ms))
			break;
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 :
		    PAUSE_MAX_MS;
	}
	return NULL;
}

void
session_watch_start(const char *where, int64_t db, int64_t timeout_ms)
{
	struct watch	*w = &watch;
	sigset_t	 all, before;

	if (w->running)
		return;
	w->where = strdup(where);
	w->db = db;
	w->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
	w->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (w->where == NULL || w->stop_fd < 0)
		abort();
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	w->running = pthread_create(&w->thread, NULL, run, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!w->running)
		log_error("session message=\"no thread: no cache\"");
}

void
session_watch_stop(void)
{
	struct watch	*w = &watch;
	uint64_t	 one = 1;

	if (w->running) {
		if (write(w->stop_fd, &one, sizeof(one)) < 0)
			log_error("session message=\"cannot stop\"");
		pthread_join(w->thread, NULL);
	}
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	free(w->where);
	*w = (struct watch){ .stop_fd = -1 };
}
