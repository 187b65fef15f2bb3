/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idempotency.c -- the same key gets the first reply.
 *
 * Two requests with one key at once: the second one's INSERT waits for the
 * first one's end, then finds its row (or, after a rollback, takes its
 * place).
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypt.h"
#include "base/log.h"
#include "base/view.h"
#include "store/db.h"

#include "http/idempotency.h"
#include "http/req.h"

#define KEY_MAX 64
/* Replies are sealed: some of them hold what is sealed elsewhere. */
#define COLUMN "idempotency.reply"

struct kept {
	const char	*route;		/* POST /api/v1/things */
	const char	*body_hash;	/* of path and body */
	int64_t		 status;
	const char	*reply;
};

static const struct view_column kept_columns[] = {
	C_TEXT(kept, route),
	C_TEXT(kept, body_hash),
	C_INT(kept, status),
	C_TEXT(kept, reply),
	C_END
};
static const struct view kept_view = VIEW(kept, "IdempotencyKept");

struct taken {
	const char	*key;
};

static const struct view_column taken_columns[] = {
	C_TEXT(taken, key),
	C_END
};
static const struct view taken_view = VIEW(taken, "IdempotencyTaken");

enum { TAKE, FIND, KEEP, FORGET, SQL_MAX };

static struct stmt sql[] = {
	[TAKE] = { .mode = RW, .nargs = 6, .view = &taken_view, .sql =
	    "INSERT INTO idempotency (community_id, user_id, key, route,"
	    " body_hash, status, reply, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, 0, '', $6)"
	    " ON CONFLICT (community_id, user_id, key) DO NOTHING"
	    " RETURNING key" },
	[FIND] = { .mode = RO, .nargs = 3, .view = &kept_view, .sql =
	    "SELECT route, body_hash, status, reply FROM idempotency"
	    " WHERE community_id = $1 AND user_id = $2 AND key = $3" },
	[KEEP] = { .mode = RW, .nargs = 5, .sql =
	    "UPDATE idempotency SET status = $1, reply = $2"
	    " WHERE community_id = $3 AND user_id = $4 AND key = $5" },
	[FORGET] = { .mode = RW, .nargs = 3, .sql =
	    "DELETE FROM idempotency"
	    " WHERE community_id = $1 AND user_id = $2 AND key = $3" },
};
static_assert(sizeof(sql) / sizeof(sql[0]) == SQL_MAX, "one entry each");

void
idempotency_register(void)
{
	db_register(sql, SQL_MAX);
}

bool
idempotency_wanted(const struct req *rq)
{
	return rq->key != NULL && rq->method == POST &&
	    rq->route->tx == TX_WRITE && rq->who.user_id != 0;
}

enum err
idempotency_check(struct req *rq)
{
	const char *s = rq->key;
	size_t n = strlen(s);

	for (; *s > ' ' && *s < 0x7f; s++)
		;
	if (*s == '\0' && n >= 1 && n <= KEY_MAX)
		return OK;
	return req_field(rq, "Idempotency-Key", "format",
	    "请求编号应为 1 到 64 个英文字母、数字或符号");
}

static const char *
route_name(struct req *rq)
{
	return arena_fmt(rq->arena, "%s %s", method_name(rq->method),
	    rq->route->path);
}

static const char *
fingerprint(struct req *rq)
{
	char *hex = arena_take(rq->arena, CRYPT_HEX_MAX);
	const char *path = rq->path;
	size_t n;
	char *both;

	/* For another it is another request, whatever it says. */
	if (rq->grant_id != 0)
		path = arena_fmt(rq->arena, "%s for %lld", path,
		    (long long)rq->grant_id);
	n = strlen(path) + 1;
	both = arena_take(rq->arena, n + rq->body_len + 1);
	memcpy(both, path, n);
	if (rq->body_len > 0)
		memcpy(both + n, rq->body, rq->body_len);
	crypt_sha256(both, n + rq->body_len, hex);
	return hex;
}

static enum err
replay(struct req *rq, const char *route, const char *hash)
{
	struct kept kept;
	const char *reply;
	enum err e;

	e = db_one(rq->db, rq->arena, &sql[FIND], WITH(
	    V(rq->who.community_id), V(req_caller(rq)), V(rq->key)), &kept);
	if (e == ERR_ABSENT)	/* its owner went away in between */
		return ERR_AGAIN;
	if (e != OK)
		return e;
	if (strcmp(kept.route, route) != 0 ||
	    strcmp(kept.body_hash, hash) != 0)
		return req_fail(rq, ERR_KEY_REUSED, NULL);
	reply = crypt_open(rq->arena, COLUMN, kept.reply);
	if (reply == NULL) {
		log_error("request_id=%s fault=\"kept reply does not open\"",
		    rq->request_id);
		return ERR_INTERNAL;
	}
	rq->replayed = true;
	rq->status = (int)kept.status;
	buf_clear(rq->out);
	buf_puts(rq->out, reply);
	return OK;
}

enum err
idempotency_begin(struct req *rq)
{
	const char *route = route_name(rq), *hash = fingerprint(rq);
	struct taken taken;
	enum err e;

	e = db_one(rq->db, rq->arena, &sql[TAKE], WITH(
	    V(rq->who.community_id), V(req_caller(rq)), V(rq->key),
	    V(route), V(hash), V(rq->now)), &taken);
	return e == ERR_ABSENT ? replay(rq, route, hash) : e;
}

static enum err
forget(struct req *rq)
{
	return db_run(rq->db, &sql[FORGET], WITH(V(rq->who.community_id),
	    V(req_caller(rq)), V(rq->key)), NULL);
}

static enum err
keep_reply(struct req *rq)
{
	int status = rq->status ? rq->status : rq->route->status;

	return db_run(rq->db, &sql[KEEP], WITH(V(status),
	    V(crypt_seal(rq->arena, COLUMN, buf_text(rq->out))),
	    V(rq->who.community_id), V(req_caller(rq)), V(rq->key)), NULL);
}

enum err
idempotency_end(struct req *rq, enum err e)
{
	enum err lost;

	if (e == OK)
		return rq->once ? forget(rq) : keep_reply(rq);
	if (!rq->keep || (lost = forget(rq)) == OK)
		return e;
	/* What was counted is rolled back, so it must not be told. */
	req_reset(rq);
	return lost;
}
