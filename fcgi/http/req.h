/* SPDX-License-Identifier: Apache-2.0 */
/*
 * req.h -- one request on its way, and all a handler may touch.
 */
#ifndef HTTP_REQ_H
#define HTTP_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "http/audit.h"
#include "http/field.h"
#include "http/json.h"
#include "http/route.h"
#include "store/db.h"
#include "store/session.h"

struct conf;
struct pay_proof;
struct redis;
struct wechat;

struct req_fault {			/* one faulty field */
	const char	*field;		/* items[0].quantity */
	const char	*code;		/* required, too_long, ... */
	const char	*detail;	/* Chinese */
	struct req_fault *next;
};

struct req {
	/* What a thread lends for the time of the request. */
	struct arena		*arena;
	struct db		*db;
	struct redis		*redis;
	struct wechat		*wechat;
	const struct conf	*conf;

	/* What came. */
	enum method		 method;
	const char		*path;		/* decoded, no query */
	const char		*query;		/* raw; "" when none */
	const char		*content_type;	/* NULL when none */
	const char		*token;		/* bearer; NULL when none */
	const char		*key;		/* Idempotency-Key or NULL */
	const char		*acting_for;	/* a grant's id or NULL */
	const char		*address;	/* client's IP */
	const char		*agent;		/* User-Agent; NULL when none */
	const char		*request_id;	/* nginx's $request_id */
	const struct pay_proof	*proof;		/* of WeChat Pay, or NULL */
	const char		*body;		/* NUL-terminated */
	size_t			 body_len;
	enum err		 body_err;	/* it was too large or cut */
	/* A form with a file comes unread: the next bytes, 0 at the end. */
	long			 (*read)(struct req *, void *, size_t);
	void			*reader;

	/* What the dispatcher found. */
	struct route_match	 match;
	const struct route	*route;
	struct session		 who;		/* zero for ANYONE */
	int64_t			 actor_id;	/* who acts for `who`, or 0 */
	int64_t			 grant_id;	/* by which right, or 0 */
	bool			 grant_fresh;	/* noted as used today */
	const char		*task;		/* no request: a task's name */
	const void		*in;		/* the shape's struct */
	uint64_t		 given, nulls;	/* bits by field row */
	int64_t			 now;		/* clock_now at the start */
	int64_t			 deadline;	/* clock_mono_us */

	/* What is to be said. */
	struct buf		*out;		/* body of the reply */
	int			 status;	/* 0: the route's */
	const char		*content;	/* content type; NULL: JSON */
	const char		*download;	/* ASCII name to save it as */
	bool			 from_file;	/* not rq->out, but */
	int			 file;		/* this, whose opener closes */
	int64_t			 file_len;
	enum err		 err;		/* first fault wins */
	struct req_fault	*faults;
	const char		*detail;	/* overrides the error's text */
	int			 retry_after;	/* overrides, seconds */
	bool			 keep;		/* commit although it failed */
	bool			 once;		/* this reply is not kept */
	bool			 replayed;	/* a kept reply is given */
	unsigned		 allow;		/* bits (1 << method) for 405 */
	struct json		 json;		/* behind req_json */
	bool			 written;	/* req_json was asked for */
	struct audit_note	 audit;		/* see audit.h */
};

/* Forget what a handler said, before it is run again. */
void req_reset(struct req *);

/* Who is really calling: the helper, when one acts for another. */
static inline int64_t
req_caller(const struct req *rq)
{
	return rq->actor_id != 0 ? rq->actor_id : rq->who.user_id;
}

/* Answer with one object of the route's view. */
enum err req_one(struct req *, const void *row);

/*
 * Answer with a list: run the statement (of the route's view) and stream
 * its rows.  With `limit` > 0 the statement must have been given limit + 1;
 * the row too many becomes "next".  The first column is the cursor.
 */
enum err req_list(struct req *, const struct stmt *, struct values,
    int64_t limit);

/* Answer by hand: write one JSON value into this, then return OK. */
struct json *req_json(struct req *);

/*
 * Refuse.  Records the first error with an own sentence (NULL: the
 * error's) and returns it, so that handlers can `return req_fail(...)`.
 */
enum err req_fail(struct req *, enum err, const char *detail);
enum err req_failf(struct req *, enum err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Note a faulty field; returns ERR_FIELD (or ERR as given by _as). */
enum err req_field(struct req *, const char *field, const char *code,
    const char *detail);
enum err req_field_as(struct req *, enum err, const char *field,
    const char *code, const char *detail);

/* Page size of a list: what was asked, or 20. */
int64_t req_limit(int64_t asked);

/*
 * For TX_OWN handlers: fn(rq, arg) in a transaction with replay, as the
 * dispatcher does for TX_WRITE.
 */
enum err req_transact(struct req *, enum err (*fn)(struct req *, void *),
    void *arg);

#endif
