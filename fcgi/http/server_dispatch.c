/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_dispatch.c -- one request from its row to its reply.
 *
 * The order is fixed: the row, the caller, the limits, the input, the
 * handler inside its transaction, the reply, one log line.  Whoever may
 * not is told so before anything of the input is looked at.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "store/limit.h"

#include "http/acting.h"
#include "http/idempotency.h"
#include "http/metrics.h"
#include "http/reply.h"
#include "http/req.h"
#include "http/server.h"

static bool
has_body(const struct req *rq)
{
	return rq->method != GET && rq->method != DELETE;
}

static enum err
find_route(struct req *rq)
{
	enum err e;

	e = route_find(rq->method, rq->path, &rq->match);
	if (e == ERR_METHOD)
		rq->allow = route_allow(rq->path);
	rq->route = e == OK ? rq->match.route : NULL;
	return e;
}

static bool
ends(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && strcmp(s + n - m, tail) == 0;
}

/*
 * Who an address belongs to: an IPv6 customer has a whole /64 (RFC 6177),
 * so its first half is counted.
 */
static const char *
address_key(struct req *rq)
{
	struct in6_addr a;

	if (strchr(rq->address, ':') == NULL ||
	    inet_pton(AF_INET6, rq->address, &a) != 1)
		return rq->address;
	return arena_fmt(rq->arena, "%02x%02x%02x%02x%02x%02x%02x%02x",
	    a.s6_addr[0], a.s6_addr[1], a.s6_addr[2], a.s6_addr[3],
	    a.s6_addr[4], a.s6_addr[5], a.s6_addr[6], a.s6_addr[7]);
}

/*
 * Passwords can be guessed and are counted tightly; WeChat's codes cannot,
 * and thousands of phones share one address of a carrier.  Without Redis
 * nobody can count: what is public stays so, but nobody can log in.
 */
static enum err
limit_address(struct req *rq)
{
	bool password = ends(rq->route->path, "/sessions/staff");
	bool login = password || rq->route->method == POST;
	enum err e;

	/* What proves itself by a signature comes from few addresses. */
	if (rq->route->reply == REPLY_TEXT ||
	    (rq->route->in != NULL && rq->route->in->raw))
		return OK;
	e = limit_take(rq->redis, password ? "login" : "address",
	    address_key(rq), password ? rq->conf->logins :
	    rq->conf->address_requests, rq->now, &rq->retry_after);
	return e == ERR_AWAY && !login ? OK : e;
}

static enum err
limit_user(struct req *rq)
{
	bool read = rq->method == GET;
	char who[24];
	int64_t id = rq->who.user_id;
	size_t at = sizeof(who) - 1;

	who[at] = '\0';
	do
		who[--at] = (char)('0' + id % 10);
	while ((id /= 10) > 0 && at > 0);
	return limit_take(rq->redis, read ? "read" : "write", who + at,
	    read ? rq->conf->user_reads : rq->conf->user_writes, rq->now,
	    &rq->retry_after);
}

static bool
is_loopback(const char *address)
{
	return address != NULL && (strcmp(address, "127.0.0.1") == 0 ||
	    strcmp(address, "::1") == 0);
}

/*
 * Whoever must change the password may do this, see who they are, and log
 * out; nothing else.
 */
static enum err
check_password(const struct req *rq)
{
	static const struct {
		enum method	 method;
		const char	*path;
	} open[] = {
		{ GET, "/api/v1/me" }, { POST, "/api/v1/me/password" },
		{ DELETE, "/api/v1/sessions" },
		{ DELETE, "/api/v1/sessions/current" },
	};
	size_t i;

	if (!rq->who.must_change)
		return OK;
	for (i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (rq->route->method == open[i].method &&
		    strcmp(rq->route->path, open[i].path) == 0)
			return OK;
	return ERR_PASSWORD;
}

/* Whether the roles of this session open the route. */
static enum err
check_roles(const struct req *rq)
{
	uint64_t have = rq->who.roles;

	if (rq->route->who == LOGGED_IN)
		return OK;
	if (have & ROLE_PLATFORM)
		have |= ROLE_ADMIN;
	if (rq->who.community_id == 0)
		return ERR_NO_COMMUNITY;
	return (have & rq->route->who) != 0 ? OK : ERR_FORBIDDEN;
}

static enum err
authorise(struct req *rq)
{
	enum err e;

	if (rq->route->who == LOOPBACK)
		return is_loopback(rq->address) ? OK : ERR_FORBIDDEN;
	if (rq->route->who == ANYONE)
		return limit_address(rq);
	if (rq->token == NULL)
		return ERR_NO_SESSION;
	e = session_find(rq->redis, rq->token, rq->now, &rq->who);
	if (e != OK) {
		memset(&rq->who, 0, sizeof(rq->who));
		return e;
	}
	if ((e = check_password(rq)) != OK)
		return e;
	if (rq->acting_for != NULL) {
		if ((e = limit_user(rq)) != OK)
			return e;
		rq->retry_after = 0;
		return acting_begin(rq);
	}
	if ((e = check_roles(rq)) != OK)
		return e;
	return limit_user(rq);
}

/* application/json, with no other charset than UTF-8. */
static bool
is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t n = sizeof(json) - 1;

	if (type == NULL || strncasecmp(type, json, n) != 0)
		return false;
	type += n;
	type += strspn(type, " \t");
	if (*type == '\0')
		return true;
	if (*type++ != ';')
		return false;
	type += strspn(type, " \t");
	if (strncasecmp(type, "charset=", 8) != 0)
		return *type == '\0';
	type += 8;
	if (*type == '"')
		return strcasecmp(type, "\"utf-8\"") == 0;
	return strcasecmp(type, "utf-8") == 0;
}

/* A form with a file; upload_read looks at the rest. */
static bool
is_form(const char *type)
{
	static const char form[] = "multipart/form-data";

	return type != NULL &&
	    strncasecmp(type, form, sizeof(form) - 1) == 0;
}

static enum err
check_body(const struct req *rq)
{
	if (rq->body_err != OK)
		return rq->body_err;
	if (rq->body_len > (size_t)rq->conf->body_max)
		return ERR_TOO_LARGE;
	if (rq->route->in != NULL && rq->route->in->upload)
		return is_form(rq->content_type) ? OK : ERR_MEDIA_TYPE;
	if (rq->route->in != NULL && rq->route->in->raw)
		return OK;
	if (has_body(rq) && rq->body_len > 0 && !is_json(rq->content_type))
		return ERR_MEDIA_TYPE;
	return OK;
}

static enum err
call_handler(struct req *rq)
{
	enum err e = rq->route->handler(rq);

	if (e == OK)
		e = rq->err;
	if (e == OK && !reply_sound(rq))
		e = ERR_INTERNAL;
	return e;
}

/*
 * A connection that was lost while nobody looked is found out by the first
 * statement; reading again over a new one is harmless.
 */
static enum err
read_twice(struct req *rq)
{
	enum err e = call_handler(rq);

	if (e != ERR_AWAY || rq->db == NULL)
		return e;
	req_reset(rq);
	return call_handler(rq);
}

static enum err
write_once(struct req *rq, void *arg)
{
	enum err e;

	(void)arg;
	if ((e = acting_hold(rq)) != OK)
		return e;
	if (!idempotency_wanted(rq))
		return call_handler(rq);
	e = idempotency_begin(rq);
	if (e != OK || rq->replayed)
		return e;
	return idempotency_end(rq, call_handler(rq));
}

static enum err
run(struct req *rq)
{
	enum err e;

	if (rq->db == NULL && (rq->route->reply != REPLY_TEXT ||
	    rq->route->tx != TX_READ))
		return ERR_AWAY;
	if (rq->route->tx == TX_READ) {
		if ((e = read_twice(rq)) == OK)
			acting_note_read(rq);
		return e;
	}
	if (rq->route->tx == TX_OWN)
		return call_handler(rq);
	if (idempotency_wanted(rq) && (e = idempotency_check(rq)) != OK)
		return e;
	return req_transact(rq, write_once, NULL);
}

static enum err
serve(struct req *rq)
{
	enum err e;

	if ((e = find_route(rq)) != OK || (e = authorise(rq)) != OK ||
	    (e = check_body(rq)) != OK || (e = field_decode(rq)) != OK)
		return e;
	rq->retry_after = 0;
	e = run(rq);
	if (rq->db != NULL && db_in_transaction(rq->db)) {
		log_error("event=unsound request_id=%s route=%s "
		    "reason=transaction", rq->request_id, rq->route->path);
		db_rollback(rq->db);
		rq->err = e = ERR_INTERNAL;
	}
	return e == OK ? rq->err : e;
}

/* A reply that outgrew its memory is our fault, whatever it says. */
static enum err
check_memory(struct req *rq)
{
	if (rq->err != ERR_INTERNAL && !arena_over(rq->arena) &&
	    !rq->out->over)
		return OK;
	log_error("event=unsound request_id=%s route=%s arena=%zu out=%zu "
	    "over=%d done=%d", rq->request_id, rq->route ? rq->route->path :
	    "-", arena_used(rq->arena), rq->out->len, rq->out->over,
	    rq->written && json_done(&rq->json));
	return ERR_INTERNAL;
}

static void
log_request(const struct req *rq, int64_t us)
{
	const char *code = rq->err != OK ? err_info(rq->err)->code : "-";
	enum log_level level = rq->status >= 500 ? LOG_WARN_ : LOG_INFO_;

	log_line(level, "event=request id=%s method=%s route=%s status=%d "
	    "us=%" PRId64 " user=%" PRId64 " err=%s%s", rq->request_id,
	    method_name(rq->method), rq->route ? rq->route->path : "-",
	    rq->status, us, req_caller(rq), code,
	    rq->replayed ? " replayed=1" : "");
}

void
server_dispatch(struct req *rq)
{
	int64_t began = clock_mono_us(), us;
	enum err e;

	rq->now = clock_now();
	rq->deadline = began + rq->conf->request_ms * 1000;
	e = serve(rq);
	if (e != OK)
		req_fail(rq, e, NULL);
	if (check_memory(rq) != OK) {
		rq->err = ERR_INTERNAL;
		rq->detail = NULL;
		rq->faults = NULL;
	}
	if (rq->err == OK)
		reply_success(rq);
	else
		reply_problem(rq, rq->err);
	us = clock_mono_us() - began;
	metrics_request(rq->route ? rq->match.index : -1, rq->route,
	    rq->status, us);
	log_request(rq, us);
}
