/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.c -- one connection over hiredis, opened when it is needed.
 *
 * A reply that fails to come ends the connection, because the next reply
 * would be taken for it.  Before a command is sent the socket is looked
 * at: a Redis that was restarted costs no caller an error, and nothing is
 * ever sent twice.
 */
#include <sys/socket.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#include "store/redis_internal.h"

#define PAUSE_MIN_US	50000
#define PAUSE_MAX_US	1000000
#define NUMBER_MAX	24

struct redis {
	char		*where;		/* unix:PATH or HOST:PORT */
	int64_t		 db;
	int64_t		 timeout_ms;
	redisContext	*c;		/* NULL while away */
	int64_t		 retry_us;	/* connect not before */
	int64_t		 pause_us;	/* grows while away; 0 when well */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* hiredis 0.14 writes without MSG_NOSIGNAL. */
static void
ignore_pipe(void)
{
	struct sigaction sa;

	if (sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL) {
		sa.sa_handler = SIG_IGN;
		sigaction(SIGPIPE, &sa, NULL);
	}
}

struct redis *
redis_new(const char *where, int64_t db, int64_t timeout_ms)
{
	struct redis *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->where = strdup(where)) == NULL)
		abort();
	r->db = db;
	r->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
	return r;
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	if (r->c != NULL)
		redisFree(r->c);
	free(r->where);
	free(r);
}

/* HOST:PORT or [HOST]:PORT. */
static redisContext *
dial_tcp(const char *where, struct timeval tv)
{
	const char	*colon = strrchr(where, ':');
	char		 host[256];
	size_t		 n;
	int		 port = 0;

	if (colon == NULL)
		return NULL;
	for (const char *p = colon + 1; *p >= '0' && *p <= '9'; p++)
		if ((port = port * 10 + (*p - '0')) > 65535)
			return NULL;
	n = (size_t)(colon - where);
	if (*where == '[' && n >= 2 && colon[-1] == ']') {
		where++;
		n -= 2;
	}
	if (port == 0 || n == 0 || n >= sizeof(host))
		return NULL;
	memcpy(host, where, n);
	host[n] = '\0';
	return redisConnectWithTimeout(host, port, tv);
}

redisContext *
redis_dial(const char *where, int64_t db, int64_t timeout_ms, char *why,
    size_t size)
{
	struct timeval	 tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	redisContext	*c;
	redisReply	*reply;
	bool		 well;

	pthread_once(&once, ignore_pipe);
	if (strncmp(where, "unix:", 5) == 0)
		c = redisConnectUnixWithTimeout(where + 5, tv);
	else
		c = dial_tcp(where, tv);
	if (c == NULL || c->err != 0) {
		snprintf(why, size, "%s", c ? c->errstr : "bad address");
		if (c != NULL)
			redisFree(c);
		return NULL;
	}
	redisSetTimeout(c, tv);
	reply = redisCommand(c, "SELECT %lld", (long long)db);
	well = reply != NULL && reply->type == REDIS_REPLY_STATUS;
	if (!well)
		snprintf(why, size, "%s",
		    reply != NULL && reply->str ? reply->str : c->errstr);
	if (reply != NULL)
		freeReplyObject(reply);
	if (!well) {
		redisFree(c);
		return NULL;
	}
	return c;
}

/* Give the connection up and let the next attempt wait. */
static void
away(struct redis *r, const char *why)
{
	char q[200];

	if (r->pause_us == 0)
		log_error("redis message=%s", log_quote(why, q, sizeof(q)));
	if (r->c != NULL)
		redisFree(r->c);
	r->c = NULL;
	r->pause_us = r->pause_us ? r->pause_us * 2 : PAUSE_MIN_US;
	if (r->pause_us > PAUSE_MAX_US)
		r->pause_us = PAUSE_MAX_US;
	r->retry_us = clock_mono_us() + r->pause_us;
}

/* Whether the other end hung up, or sent what nobody asked for. */
static bool
stale(const redisContext *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    (errno != EAGAIN && errno != EWOULDBLOCK);
}

static bool
ready(struct redis *r)
{
	char why[160];

	if (r->c != NULL) {
		if (!stale(r->c))
			return true;
		redisFree(r->c);
		r->c = NULL;
	}
	if (r->pause_us != 0 && clock_mono_us() < r->retry_us)
		return false;
	r->c = redis_dial(r->where, r->db, r->timeout_ms, why, sizeof(why));
	if (r->c == NULL) {
		away(r, why);
		return false;
	}
	return true;
}

/* Redis speaks, but says that it cannot serve now. */
static bool
unwell(const char *message)
{
	static const char *const words[] = {
		"LOADING", "BUSY", "MISCONF", "OOM", "READONLY", "NOAUTH",
		"MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "TRYAGAIN"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(message, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* Ask; on OK the reply is neither NULL nor an error, and the caller's. */
static enum err
ask(struct redis *r, int argc, const char **argv, redisReply **ret)
{
	redisReply	*reply;
	char		 q[200];
	enum err	 e = ERR_INTERNAL;

	if (!ready(r))
		return ERR_AWAY;
	reply = redisCommandArgv(r->c, argc, argv, NULL);
	if (reply == NULL) {
		away(r, r->c->errstr);
		return ERR_AWAY;
	}
	if (reply->type != REDIS_REPLY_ERROR) {
		if (r->pause_us != 0)
			log_info("redis message=\"connected again\"");
		r->pause_us = 0;
		*ret = reply;
		return OK;
	}
	if (unwell(reply->str)) {
		away(r, reply->str);
		e = ERR_AWAY;
	} else
		log_error("redis command=%s message=%s", argv[0],
		    log_quote(reply->str, q, sizeof(q)));
	freeReplyObject(reply);
	return e;
}

/* The integer in a reply; status is 0, nil is absent. */
static enum err
integer(const redisReply *reply, int64_t *ret)
{
	switch (reply->type) {
	case REDIS_REPLY_INTEGER:
		*ret = reply->integer;
		return OK;
	case REDIS_REPLY_STATUS:
		*ret = 0;
		return OK;
	case REDIS_REPLY_NIL:
		return ERR_ABSENT;
	default:
		log_error("redis message=\"reply of another type\" type=%d",
		    reply->type);
		return ERR_INTERNAL;
	}
}

enum err
redis_command(struct redis *r, int argc, const char **argv,
    int64_t *ret_integer)
{
	redisReply	*reply;
	int64_t		 v;
	enum err	 e;

	if ((e = ask(r, argc, argv, &reply)) != OK)
		return e;
	e = integer(reply, &v);
	freeReplyObject(reply);
	if (e == OK && ret_integer != NULL)
		*ret_integer = v;
	return e;
}

enum err
redis_ping(struct redis *r)
{
	const char *argv[] = { "PING" };

	/* The one who asks for health does not wait out the pause. */
	r->retry_us = 0;
	return redis_command(r, 1, argv, NULL);
}

enum err
redis_get(struct redis *r, struct arena *arena, const char *key,
    char **ret_value)
{
	const char	*argv[] = { "GET", key };
	redisReply	*reply;
	enum err	 e;

	if ((e = ask(r, 2, argv, &reply)) != OK)
		return e;
	if (reply->type == REDIS_REPLY_STRING)
		*ret_value = arena_copy(arena, reply->str,
		    (size_t)reply->len);
	else
		e = reply->type == REDIS_REPLY_NIL ? ERR_ABSENT :
		    ERR_INTERNAL;
	freeReplyObject(reply);
	return e;
}

enum err
redis_fetch(struct redis *r, const char *key, char *out, size_t size)
{
	const char	*argv[] = { "GET", key };
	redisReply	*reply;
	enum err	 e;
	size_t		 n;

	if ((e = ask(r, 2, argv, &reply)) != OK)
		return e;
	if (reply->type == REDIS_REPLY_STRING) {
		n = (size_t)reply->len;
		if (n >= size || memchr(reply->str, '\0', n) != NULL)
			n = 0;
		memcpy(out, reply->str, n);
		out[n] = '\0';
	} else
		e = reply->type == REDIS_REPLY_NIL ? ERR_ABSENT :
		    ERR_INTERNAL;
	freeReplyObject(reply);
	return e;
}

enum err
redis_set(struct redis *r, const char *key, const char *value, int64_t px,
    bool nx)
{
	const char	*argv[6] = { "SET", key, value };
	char		 life[NUMBER_MAX];
	int		 argc = 3;
	enum err	 e;

	if (px > 0) {
		snprintf(life, sizeof(life), "%lld", (long long)px);
		argv[argc++] = "PX";
		argv[argc++] = life;
	}
	if (nx)
		argv[argc++] = "NX";
	e = redis_command(r, argc, argv, NULL);
	return e == ERR_ABSENT ? ERR_CONFLICT : e;
}

enum err
redis_del(struct redis *r, const char *key)
{
	const char *argv[] = { "DEL", key };

	return redis_command(r, 2, argv, NULL);
}

enum err
redis_del_if(struct redis *r, const char *key, const char *value)
{
	const char *argv[] = { "EVAL",
	    "if redis.call('GET', KEYS[1]) == ARGV[1] then"
	    " return redis.call('DEL', KEYS[1]) end return 0",
	    "1", key, value };

	return redis_command(r, 5, argv, NULL);
}

enum err
redis_count(struct redis *r, const char *key, int64_t by, int64_t px,
    int64_t *ret_count, int64_t *ret_left_ms)
{
	char		 step[NUMBER_MAX], life[NUMBER_MAX];
	const char	*argv[] = { "EVAL",
	    "local n = redis.call('INCRBY', KEYS[1], ARGV[1])"
	    " local left = redis.call('PTTL', KEYS[1])"
	    " if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2])"
	    " left = tonumber(ARGV[2]) end return {n, left}",
	    "1", key, step, life };
	redisReply	*reply;
	enum err	 e;

	snprintf(step, sizeof(step), "%lld", (long long)by);
	snprintf(life, sizeof(life), "%lld", (long long)px);
	if ((e = ask(r, 6, argv, &reply)) != OK)
		return e;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    reply->element[0]->type == REDIS_REPLY_INTEGER &&
	    reply->element[1]->type == REDIS_REPLY_INTEGER) {
		*ret_count = reply->element[0]->integer;
		*ret_left_ms = reply->element[1]->integer;
	} else
		e = ERR_INTERNAL;
	freeReplyObject(reply);
	return e;
}

static const char *
item(struct arena *arena, const redisReply *e)
{
	switch (e->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return arena_copy(arena, e->str, (size_t)e->len);
	case REDIS_REPLY_INTEGER:
		return arena_fmt(arena, "%lld", e->integer);
	default:
		return NULL;
	}
}

enum err
redis_list(struct redis *r, struct arena *arena, int argc,
    const char **argv, const char ***ret_items, int *ret_n)
{
	redisReply	*reply;
	const char	**items;
	enum err	 e;

	if ((e = ask(r, argc, argv, &reply)) != OK)
		return e;
	if (reply->type == REDIS_REPLY_ARRAY) {
		items = ARENA_ARRAY(arena, const char *, reply->elements + 1);
		for (size_t i = 0; i < reply->elements; i++)
			items[i] = item(arena, reply->element[i]);
		*ret_items = items;
		*ret_n = (int)reply->elements;
	} else if (reply->type == REDIS_REPLY_NIL) {
		*ret_items = ARENA_ARRAY(arena, const char *, 1);
		*ret_n = 0;
	} else
		e = ERR_INTERNAL;
	freeReplyObject(reply);
	return e;
}
