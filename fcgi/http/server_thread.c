/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_thread.c -- one thread, one request after another.
 *
 * server_conn.c hands us a connection with a request on it.  libfcgi reads
 * the request and never sees the listening socket, nor closes anything
 * (its way to close waits for the peer, and knows no descriptor above
 * 1023), unless it cannot make sense of what it reads.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <fcgiapp.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/redis.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"

#include "http/health.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/req.h"
#include "http/server.h"
#include "http/server_internal.h"

#define ARENA_LIMIT	(8 * 1024 * 1024)
#define REPLY_MAX	(4 * 1024 * 1024)
#define HEAD_MAX	4096
#define UPLOAD_REST	65536	/* of a form, beside the file */
#define DRAIN_MAX	(8 * 1024 * 1024) /* of a body nobody wants */
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
};

/*
 * When it is away one thread tries for all: the others answer meanwhile.
 */
static void
open_database(struct worker *w)
{
	_Atomic int64_t *at = &w->server->db_retry_us;
	int64_t now = clock_mono_us(), retry = atomic_load(at);
	int64_t most = w->conf->db_timeout_ms * 1000 + REOPEN_US;

	if (now < retry || (retry != 0 &&
	    !atomic_compare_exchange_strong(at, &retry, now + most)))
		return;
	if (db_open(w->conf->db, w->conf->db_timeout_ms, true, &w->db) == OK)
		atomic_store(at, 0);
	else {
		w->db = NULL;
		atomic_store(at, clock_mono_us() + REOPEN_US);
	}
}

/* Alive and counted, that can be said without it. */
static bool
needs_database(const struct req *rq)
{
	struct route_match m;

	return route_find(rq->method, rq->path, &m) == OK &&
	    (m.route->reply != REPLY_TEXT || m.route->tx != TX_READ ||
	    strcmp(rq->path, HEALTH_READY) == 0);
}

static void
worker_open(struct worker *w, struct server *s)
{
	memset(w, 0, sizeof(*w));
	w->server = s;
	w->conf = s->conf;
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
	FCGX_InitRequest(&w->fcgi, -1, 0);
	w->fcgi.ipcFd = -1;
	if (atomic_load(&s->db_retry_us) == 0)
		open_database(w);
}

static void
worker_close(struct worker *w)
{
	FCGX_Free(&w->fcgi, 0);
	db_close(w->db);
	redis_free(w->redis);
	wechat_free(w->wechat);
	arena_free(w->arena);
	buf_free(&w->out);
	buf_free(&w->head);
	buf_free(&w->body);
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

/* What proves a notice of WeChat Pay; false when it is none of that. */
static bool
read_proof(struct req *rq, const char *env)
{
	struct pay_proof *proof = (struct pay_proof *)rq->proof;
	const char *v;

	if (strncmp(env, "HTTP_WECHATPAY_", 15) != 0)
		return false;
	if (proof == NULL)
		rq->proof = proof = ARENA_NEW(rq->arena, struct pay_proof);
	if ((v = NAMED(env, "HTTP_WECHATPAY_TIMESTAMP")) != NULL)
		proof->timestamp = v;
	else if ((v = NAMED(env, "HTTP_WECHATPAY_NONCE")) != NULL)
		proof->nonce = v;
	else if ((v = NAMED(env, "HTTP_WECHATPAY_SIGNATURE")) != NULL)
		proof->signature = v;
	else if ((v = NAMED(env, "HTTP_WECHATPAY_SERIAL")) != NULL)
		proof->serial = v;
	return true;
}

/* What we want of the some twenty parameters that nginx sends. */
static void
read_param(struct req *rq, const char *env, const char **ret_length)
{
	const char *v;

	if (read_proof(rq, env))
		return;
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
	else if ((v = NAMED(env, "HTTP_USER_AGENT")) != NULL)
		rq->agent = *v ? v : NULL;
	else if ((v = NAMED(env, "HTTP_IDEMPOTENCY_KEY")) != NULL)
		rq->key = v;
	else if ((v = NAMED(env, "HTTP_ACTING_FOR")) != NULL)
		rq->acting_for = v;
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
 * is too much of it, the connection goes.
 */
static void
discard(struct worker *w, int64_t most)
{
	char trash[8192];
	int64_t all = 0;
	int n;

	while ((n = FCGX_GetStr(trash, sizeof(trash), w->fcgi.in)) > 0) {
		all += n;
		if (all > most)
			break;
	}
	if (n > 0)
		w->fcgi.keepConnection = 0;
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
		discard(w, DRAIN_MAX);
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
		discard(w, DRAIN_MAX);
	} else if (want >= 0 && w->body.len != (size_t)want)
		rq->body_err = ERR_MALFORMED;
	rq->body_len = w->body.len;
	rq->body = buf_text(&w->body);
}

static long
read_more(struct req *rq, void *to, size_t n)
{
	struct worker *w = rq->reader;

	return FCGX_GetStr(to, n > INT32_MAX ? INT32_MAX : (int)n,
	    w->fcgi.in);
}

/* A form with a file is read when its caller has been judged. */
static bool
is_upload(const struct req *rq)
{
	struct route_match m;

	return route_find(rq->method, rq->path, &m) == OK &&
	    m.route->in != NULL && m.route->in->upload;
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
	if (!is_upload(rq)) {
		read_body(w, rq, length);
		return;
	}
	rq->read = read_more;
	rq->reader = w;
	if (announced(length) > w->conf->upload_max + UPLOAD_REST)
		rq->body_err = ERR_TOO_LARGE;
}

static bool
send_reply(struct worker *w, const struct req *rq, bool head)
{
	if (rq->from_file && !head)
		return server_write_file(w->fcgi.ipcFd, w->fcgi.requestId,
		    &w->head, rq->file, rq->file_len);
	return server_write(w->fcgi.ipcFd, w->fcgi.requestId, &w->head,
	    w->out.data, head ? 0 : w->out.len);
}

/*
 * True when the connection is to be kept.  We write the records ourselves,
 * so libfcgi must not close its streams (FCGX_Finish_r) but only forget
 * them.
 */
static bool
serve_request(struct worker *w)
{
	bool head, kept = false;
	struct req rq;

	buf_clear(&w->out);
	fill_request(w, &rq, &head);
	if (rq.db == NULL && needs_database(&rq)) {
		open_database(w);
		rq.db = w->db;
	}
	if (FCGX_GetError(w->fcgi.in) == 0) {
		server_dispatch(&rq);
		if (rq.read != NULL)
			discard(w, w->conf->upload_max + 2 * UPLOAD_REST);
		buf_clear(&w->head);
		reply_head(&rq, &w->head);
		kept = send_reply(w, &rq, head) && w->fcgi.keepConnection;
	}
	FCGX_Free(&w->fcgi, 0);
	w->fcgi.ipcFd = -1;
	arena_reset(w->arena);
	return kept;
}

/*
 * Let libfcgi read a request from `fd`.  When it finds none it closes `fd`
 * (at once, being told that it is detached) and fails to accept another.
 */
static bool
read_request(struct worker *w, int fd)
{
	w->fcgi.ipcFd = fd;
	w->fcgi.keepConnection = 1;
	w->fcgi.detached = 1;
	return FCGX_Accept_r(&w->fcgi) == 0;
}

static void
serve_connection(struct worker *w, struct taken *t)
{
	bool kept;

	do {
		if (!read_request(w, t->fd)) {
			server_conn_lost(w->server, t);
			return;
		}
		metrics_busy(1);
		kept = serve_request(w);
		metrics_busy(-1);
		if (!kept) {
			server_conn_drop(w->server, t);
			return;
		}
	} while (server_conn_keep(w->server, t));
}

void *
server_thread(void *arg)
{
	struct worker *w;
	struct taken t;

	if ((w = malloc(sizeof(*w))) == NULL)
		abort();
	worker_open(w, arg);
	while (server_conn_next(w->server, &t))
		serve_connection(w, &t);
	worker_close(w);
	free(w);
	return NULL;
}
