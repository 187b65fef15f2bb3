/* SPDX-License-Identifier: Apache-2.0 */
/*
 * req.c -- what a handler says about its request.
 *
 * Only the first refusal counts; faulty fields are collected, up to a
 * number that no form has.
 */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/view.h"

#include "http/metrics.h"
#include "http/reply.h"
#include "http/req.h"


#define FAULTS_MAX	64
#define TRIES		5
#define QUEUE_US	250000	/* to get into the queue of writers */
#define PAGE		20

void
req_reset(struct req *rq)
{
	buf_clear(rq->out);
	rq->status = 0;
	rq->content = NULL;
	rq->download = NULL;
	rq->from_file = false;
	rq->err = OK;
	rq->faults = NULL;
	rq->detail = NULL;
	rq->retry_after = 0;
	rq->keep = false;
	rq->once = false;
	rq->replayed = false;
	rq->written = false;
	rq->audit = (struct audit_note){ .thing = NULL };
}

struct json *
req_json(struct req *rq)
{
	buf_clear(rq->out);
	json_init(&rq->json, rq->out);
	rq->written = true;
	return &rq->json;
}

enum err
req_one(struct req *rq, const void *row)
{
	json_view(req_json(rq), rq->route->out, row, rq, rq->arena);
	return OK;
}

enum err
req_list(struct req *rq, const struct stmt *stmt, struct values args,
    int64_t limit)
{
	struct json *j = req_json(rq);
	const char *next = NULL;
	struct rows rows;
	int64_t n = 0, last = 0;
	enum err e;
	void *row;

	row = arena_take(rq->arena, stmt->view->size);
	if ((e = db_query(rq->db, stmt, args, &rows)) != OK)
		return e;
	json_open(j);
	json_key(j, "items");
	json_list(j);
	while (db_each(&rows, row)) {
		if (limit > 0 && n++ == limit) {
			next = crypt_cursor(rq->arena, rq->route->path, last);
			break;
		}
		last = *(const int64_t *)((const char *)row +
		    stmt->view->columns[0].offset);
		json_view(j, stmt->view, row, rq, rq->arena);
	}
	if ((e = db_end(&rows)) != OK)
		return e;
	json_unlist(j);
	json_put_text(j, "next", next);
	json_close(j);
	return OK;
}

enum err
req_fail(struct req *rq, enum err e, const char *detail)
{
	if (rq->err == OK) {
		rq->err = e;
		if (detail != NULL)
			rq->detail = arena_str(rq->arena, detail);
	}
	return e;
}

enum err
req_failf(struct req *rq, enum err e, const char *fmt, ...)
{
	const char *detail;
	va_list ap;

	va_start(ap, fmt);
	detail = arena_vfmt(rq->arena, fmt, ap);
	va_end(ap);
	return req_fail(rq, e, detail);
}

enum err
req_field_as(struct req *rq, enum err e, const char *field,
    const char *code, const char *detail)
{
	struct req_fault *fault, **end = &rq->faults;
	int n = 0;

	req_fail(rq, e, NULL);
	for (; *end != NULL; end = &(*end)->next)
		if (++n == FAULTS_MAX)
			return e;
	fault = ARENA_NEW(rq->arena, struct req_fault);
	fault->field = arena_str(rq->arena, field);
	fault->code = code;
	fault->detail = arena_str(rq->arena, detail);
	*end = fault;
	return e;
}

enum err
req_field(struct req *rq, const char *field, const char *code,
    const char *detail)
{
	return req_field_as(rq, ERR_FIELD, field, code, detail);
}

int64_t
req_limit(int64_t asked)
{
	return asked > 0 ? asked : PAGE;
}

/* A task has no reply, and a TX_OWN handler replies later. */
static bool
sound(const struct req *rq)
{
	if (rq->route == NULL || rq->route->tx == TX_OWN)
		return !arena_over(rq->arena);
	return reply_sound(rq);
}

/* The audit's row belongs to what it tells: kept or lost together. */
static enum err
commit(struct req *rq, enum err e)
{
	enum err c = OK;

	if (!rq->replayed)
		c = audit_request(rq, e);
	if (c == OK && (c = db_commit(rq->db)) == OK) {
		/* What a next transaction does is for it to say. */
		rq->audit = (struct audit_note){ .thing = NULL };
		return e;
	}
	db_rollback(rq->db);
	req_reset(rq);
	return c;
}

/* What failed is undone, unless the handler wants its traces kept. */
static enum err
once(struct req *rq, enum err (*fn)(struct req *, void *), void *arg,
    int *tries)
{
	enum err e;

	if ((e = db_begin(rq->db)) != OK)
		return e;
	++*tries;
	e = fn(rq, arg);
	if (e == OK)
		e = rq->err;
	if (e == OK && !sound(rq))
		e = ERR_INTERNAL;
	if (e == OK || (rq->keep && e != ERR_AGAIN && e != ERR_AWAY &&
	    e != ERR_TIMEOUT && e != ERR_INTERNAL))
		return commit(rq, e);
	db_rollback(rq->db);
	return e;
}

static void
pause_after(int tries)
{
	struct timespec t = { 0, 0 };
	uint32_t n = tries > 0 ? (uint32_t)tries : 1;

	t.tv_nsec = (long)crypt_uniform(n * 4000 + 1000) * 1000;
	nanosleep(&t, NULL);
}

/*
 * Who did not even get to wait for his turn to write asks again for a
 * little while.  A try that could not end in time is not begun.
 */
static bool
may_try_again(const struct req *rq, int tries, int64_t since)
{
	int64_t now = clock_mono_us();

	return now + rq->conf->db_timeout_ms * 1000 < rq->deadline &&
	    tries < TRIES && (tries > 0 || now - since < QUEUE_US);
}

enum err
req_transact(struct req *rq, enum err (*fn)(struct req *, void *), void *arg)
{
	int64_t since = clock_mono_us();
	int tries = 0;
	enum err e;

	for (;;) {
		e = once(rq, fn, arg, &tries);
		if (e != ERR_AGAIN)
			return e;
		req_reset(rq);
		if (!may_try_again(rq, tries, since))
			return req_fail(rq, ERR_BUSY, NULL);
		metrics_replay();
		pause_after(tries);
	}
}
