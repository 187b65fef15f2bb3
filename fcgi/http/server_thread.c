/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_thread.c -- one thread, one connection of nginx after another.
 *
 * libfcgi blocks in accept and in read without looking at anything else,
 * so we poll first: without a connection for the listening socket, with a
 * kept one for its next request, and always for the word to stop.  After
 * that word no connection is taken (the listening descriptor is hidden
 * from libfcgi, which would accept by itself when a peer goes away).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include <fcgiapp.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/redis.h"
#include "wechat/wechat.h"

#include "http/metrics.h"
#include "http/reply.h"
#include "http/req.h"
#include "http/server.h"
#include "http/server_internal.h"

#define ARENA_LIMIT	(8 * 1024 * 1024)
#define REPLY_MAX	(4 * 1024 * 1024)
#define HEAD_MAX	4096
#define DRAIN_MAX	(8 * 1024 * 1024) /* of a body nobody wants */
#define PEER_SECONDS	30	/* patience in the middle of a request */
#define REOPEN_US	500000	/* between tries to reach the database */

struct worker {
	struct server	*server;
	const struct conf *conf;
	FCGX_Request	 fcgi;
	struct arena	*arena;
	struct db	*db;
	struct redis	*redis;
	struct wechat	*wechat;
	struct buf	 out, head, body;
	int64_t		 db_tried;	/* clock_mono_us */
	bool		 fresh;		/* no request yet on it */
};

static void
open_database(struct worker *w)
{
	int64_t now = clock_mono_us();

	if (w->db != NULL || now - w->db_tried < REOPEN_US)
		return;
	w->db_tried = now;
	if (db_open(w->conf->db, w->conf->db_timeout_ms, true, &w->db) != OK)
		w->db = NULL;
}

static void
worker_open(struct worker *w, struct server *s)
{
	memset(w, 0, sizeof(*w));
	w->server = s;
	w->conf = s->conf;
	w->db_tried = -REOPEN_US;
	w->arena = arena_new(ARENA_LIMIT);
	w->redis = redis_new(w->conf->redis, w->conf->redis_db,
	    w->conf->redis_timeout_ms);
	if ((w->wechat = wechat_new(w->conf)) == NULL) {
		log_error("event=start reason=wechat");
		abort();
	}
	buf_init(&w->out, REPLY_MAX);
	buf_init(&w->head, HEAD_MAX);
	buf_init(&w->body, (size_t)w->conf->body_max + 2);
	FCGX_InitRequest(&w->fcgi, s->fd, 0);
	w->fcgi.ipcFd = -1;
	open_database(w);
}

static void
worker_close(struct worker *w)
{
	FCGX_Free(&w->fcgi, w->fcgi.ipcFd >= 0);
	db_close(w->db);
	redis_free(w->redis);
	wechat_free(w->wechat);
	arena_free(w->arena);
	buf_free(&w->out);
	buf_free(&w->head);
	buf_free(&w->body);
}

static void
drop_connection(struct worker *w)
{
	FCGX_Free(&w->fcgi, 1);
}

static bool
peer_gone(int fd)
{
	ssize_t n;
	char c;

	n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

/* How long to wait in ms: for ever, or what is left after the word. */
static int
patience(const struct worker *w, int64_t stop_us)
{
	int64_t left;

	if (stop_us == 0)
		return -1;
	left = stop_us + w->conf->drain_ms * 1000 - clock_mono_us();
	return left <= 0 ? 0 : (int)(left / 1000 + 1);
}

/* Wait until libfcgi has something to read; false when this is the end. */
static bool
wait_request(struct worker *w)
{
	struct pollfd p[2];
	int64_t stop_us;
	bool kept;
	int n;

	for (;;) {
		stop_us = atomic_load(&w->server->stop_us);
		kept = w->fcgi.ipcFd >= 0;
		if (stop_us != 0 && !kept)
			return false;
		p[0] = (struct pollfd){ kept ? w->fcgi.ipcFd : w->server->fd,
		    POLLIN, 0 };
		p[1] = (struct pollfd){ stop_us ? -1 : w->server->stop_fd,
		    POLLIN, 0 };
		n = poll(p, 2, patience(w, stop_us));
		if (n == 0 && stop_us != 0)
			return false;
		if (n <= 0 || p[0].revents == 0)
			continue;
		if (kept && peer_gone(w->fcgi.ipcFd)) {
			drop_connection(w);
			continue;
		}
		if (stop_us != 0)
			w->fcgi.listen_sock = -1;
		w->fresh = !kept;
		return true;
	}
}

/* A peer that stops half-way must not hold the thread for ever. */
static void
bound_peer(int fd)
{
	struct timeval t = { PEER_SECONDS, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static const char *
bearer(const char *v)
{
	if (strncasecmp(v, "Bearer ", 7) != 0)
		return NULL;
	v += 7;
	return v + strspn(v, " ");
}

/* The value when `env` is "name=value". */
static const char *
named(const char *env, const char *name, size_t n)
{
	return strncmp(env, name, n) == 0 && env[n] == '=' ? env + n + 1 :
	    NULL;
}
#define NAMED(env, lit) named((env), (lit), sizeof(lit) - 1)

/* What we want of the some twenty parameters that nginx sends. */
static void
read_param(struct req *rq, const char *env, const char **ret_length)
{
	const char *v;

	if ((v = NAMED(env, "REQUEST_METHOD")) != NULL)
		rq->method = method_find(strcmp(v, "HEAD") ? v : "GET");
	else if ((v = NAMED(env, "DOCUMENT_URI")) != NULL)
		rq->path = v;
	else if ((v = NAMED(env, "QUERY_STRING")) != NULL)
		rq->query = v;
	else if ((v = NAMED(env, "CONTENT_TYPE")) != NULL)
		rq->content_type = *v ? v : NULL;
	else if ((v = NAMED(env, "CONTENT_LENGTH")) != NULL)
		*ret_length = v;
	else if ((v = NAMED(env, "REMOTE_ADDR")) != NULL)
		rq->address = v;
	else if ((v = NAMED(env, "REQUEST_ID")) != NULL)
		rq->request_id = v;
	else if ((v = NAMED(env, "HTTP_AUTHORIZATION")) != NULL)
		rq->token = bearer(v);
	else if ((v = NAMED(env, "HTTP_IDEMPOTENCY_KEY")) != NULL)
		rq->key = v;
}

static bool
good_request_id(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (n == 64 || strchr("0123456789abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_", s[n]) == NULL)
			return false;
	return n > 0;
}

static const char *
make_request_id(struct arena *a)
{
	uint64_t r[2];

	crypt_random(r, sizeof(r));
	return arena_fmt(a, "%016llx%016llx", (unsigned long long)r[0],
	    (unsigned long long)r[1]);
}

/* -1 when it is none or larger than anything we take. */
static int64_t
announced(const char *s)
{
	int64_t n = 0;

	if (s == NULL || *s == '\0')
		return -1;
	for (; *s >= '0' && *s <= '9' && n < INT32_MAX; s++)
		n = n * 10 + (*s - '0');
	return *s == '\0' ? n : INT32_MAX;
}

/*
 * Throw away the rest, so that the connection stays in step; when there
 * is too much of it, the connection goes.  (At its close libfcgi reads on
 * while a peer sends, so that the reply is not lost; hence the shutdown.)
 */
static void
discard(struct worker *w)
{
	char trash[8192];
	size_t all = 0;
	int n;

	while ((n = FCGX_GetStr(trash, sizeof(trash), w->fcgi.in)) > 0) {
		all += (size_t)n;
		if (all > DRAIN_MAX)
			break;
	}
	if (n > 0) {
		w->fcgi.keepConnection = 0;
		shutdown(w->fcgi.ipcFd, SHUT_RD);
	}
}

/* Read the body to its end; what is wrong with it is for later. */
static void
read_body(struct worker *w, struct req *rq, const char *length)
{
	size_t max = (size_t)w->conf->body_max;
	int64_t want = announced(length);
	size_t room = want >= 0 && (size_t)want <= max ? (size_t)want : max;
	int n;

	buf_clear(&w->body);
	if (want > (int64_t)max) {
		rq->body_err = ERR_TOO_LARGE;
		discard(w);
		return;
	}
	if (!buf_reserve(&w->body, room + 2))
		rq->body_err = ERR_TOO_LARGE;
	else {
		n = FCGX_GetStr(w->body.data, (int)room + 1, w->fcgi.in);
		w->body.len = n > 0 ? (size_t)n : 0;
	}
	if (w->body.len > room || rq->body_err != OK) {
		rq->body_err = want < 0 ? ERR_TOO_LARGE : ERR_MALFORMED;
		discard(w);
	} else if (want >= 0 && w->body.len != (size_t)want)
		rq->body_err = ERR_MALFORMED;
	rq->body_len = w->body.len;
	rq->body = buf_text(&w->body);
}

static void
fill_request(struct worker *w, struct req *rq, bool *ret_head)
{
	const char *length = NULL;
	char **env;

	memset(rq, 0, sizeof(*rq));
	rq->arena = w->arena;
	rq->db = w->db;
	rq->redis = w->redis;
	rq->wechat = w->wechat;
	rq->conf = w->conf;
	rq->out = &w->out;
	rq->path = "";
	rq->query = "";
	rq->address = "";
	rq->body = "";
	*ret_head = false;
	for (env = w->fcgi.envp; *env != NULL; env++) {
		read_param(rq, *env, &length);
		if (strcmp(*env, "REQUEST_METHOD=HEAD") == 0)
			*ret_head = true;
	}
	if (rq->request_id == NULL || !good_request_id(rq->request_id))
		rq->request_id = make_request_id(w->arena);
	read_body(w, rq, length);
}

/* Head and body meet in libfcgi's buffer: one write when they fit it. */
static void
send_reply(struct worker *w, const struct req *rq, bool head_only)
{
	buf_clear(&w->head);
	reply_head(rq, &w->head);
	FCGX_PutStr(w->head.data, (int)w->head.len, w->fcgi.out);
	if (!head_only && w->out.len > 0)
		FCGX_PutStr(w->out.data, (int)w->out.len, w->fcgi.out);
}

static void
serve_request(struct worker *w)
{
	struct req rq;
	bool head;

	open_database(w);
	buf_clear(&w->out);
	fill_request(w, &rq, &head);
	if (FCGX_GetError(w->fcgi.in) == 0) {
		server_dispatch(&rq);
		send_reply(w, &rq, head);
	}
	FCGX_Finish_r(&w->fcgi);
	arena_reset(w->arena);
}

/* Out of descriptors or the like: wait a little rather than spin. */
static void
accept_failed(int e)
{
	static const struct timespec pause = { 0, 20 * 1000 * 1000 };

	if (e == -EAGAIN || e == -EINTR || e == -EBADF)
		return;
	log_warn("event=accept errno=%d", -e);
	nanosleep(&pause, NULL);
}

void *
server_thread(void *arg)
{
	struct worker *w;
	int e;

	if ((w = malloc(sizeof(*w))) == NULL)
		abort();
	worker_open(w, arg);
	while (wait_request(w)) {
		e = FCGX_Accept_r(&w->fcgi);
		if (e != 0) {
			accept_failed(e);
			continue;
		}
		if (w->fresh)
			bound_peer(w->fcgi.ipcFd);
		metrics_busy(1);
		serve_request(w);
		metrics_busy(-1);
	}
	worker_close(w);
	free(w);
	return NULL;
}
