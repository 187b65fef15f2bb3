/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acting.c -- one person acts for another, as far as a grant goes.
 *
 * The grant is read when the request comes and changed (used_at) in its
 * transaction: whoever takes it back meanwhile waits for that transaction,
 * or is there first and the request is refused.
 */
#include <assert.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/view.h"
#include "store/db.h"

#include "http/acting.h"
#include "http/req.h"

const char *const acting_rights[] = { "water", "pay", "report", "read",
    NULL };

struct grant {
	int64_t		 id;
	int64_t		 community_id;
	int64_t		 elder_id;
	int64_t		 rights;	/* bit 0 is ACT_WATER */
	int64_t		 from_at;
	int64_t		 to_at;
	int64_t		 revoked_at;
	int64_t		 used_at;
};

static const struct view_column grant_columns[] = {
	C_ID(grant, id),
	C_ID(grant, community_id),
	C_ID(grant, elder_id),
	C_INT(grant, rights),
	C_TIME(grant, from_at),
	C_TIME(grant, to_at, .flags = VIEW_NULL),
	C_TIME(grant, revoked_at, .flags = VIEW_NULL),
	C_TIME(grant, used_at, .flags = VIEW_NULL),
	C_END
};
static const struct view grant_view = VIEW(grant, "ActingGrant");

enum { FIND, HOLD, SQL_MAX };

/* The grant names its community; the caller may be of none. */
static struct stmt sql[] = {
	[FIND] = { .mode = RO, .nargs = 2, .view = &grant_view, .sql =
	    "SELECT h.id, h.community_id, h.elder_id, h.rights, h.from_at,"
	    " h.to_at, h.revoked_at, h.used_at FROM helper h"
	    " WHERE h.helper_id = $1 AND h.id = $2" },
	[HOLD] = { .mode = RW, .nargs = 3, .sql =
	    "UPDATE helper SET used_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND revoked_at IS NULL AND from_at <= $3"
	    " AND (to_at IS NULL OR to_at > $3)" },
};
static_assert(sizeof(sql) / sizeof(sql[0]) == SQL_MAX, "one entry each");

void
acting_register(void)
{
	db_register(sql, SQL_MAX);
}

static enum err
ended(struct req *rq)
{
	return req_fail(rq, ERR_FORBIDDEN,
	    "这份代办授权已经结束，如还需要代办，请家人重新授权。");
}

/* Whether it stands now and has one of the rights the route asks for. */
static enum err
check(struct req *rq, const struct grant *g)
{
	uint64_t have = (uint64_t)g->rights * ACT_WATER;

	if (g->revoked_at != VIEW_NULL_INT || g->from_at > rq->now ||
	    (g->to_at != VIEW_NULL_INT && g->to_at <= rq->now))
		return ended(rq);
	if ((rq->route->who & ACT__ALL) == 0)
		return req_fail(rq, ERR_FORBIDDEN,
		    "这项业务不能由他人代办，请本人办理。");
	if ((rq->route->who & ACT__ALL & have) == 0)
		return req_fail(rq, ERR_FORBIDDEN,
		    "您的代办授权不包含这项业务，请家人调整授权后再试。");
	return OK;
}

enum err
acting_begin(struct req *rq)
{
	struct grant g;
	int64_t id;
	enum err e;

	if (!id_parse(rq->acting_for, &id))
		return ERR_ABSENT;
	if (rq->db == NULL)
		return ERR_AWAY;
	e = db_one(rq->db, rq->arena, &sql[FIND], WITH(V(rq->who.user_id),
	    V(id)), &g);
	if (e != OK || (e = check(rq, &g)) != OK)
		return e;
	rq->actor_id = rq->who.user_id;
	rq->grant_id = g.id;
	rq->grant_fresh = g.used_at != VIEW_NULL_INT &&
	    g.used_at > rq->now - CLOCK_DAY;
	rq->who.user_id = g.elder_id;
	rq->who.community_id = g.community_id;
	rq->who.roles = ROLE_RESIDENT;
	rq->who.staff = false;
	return OK;
}

enum err
acting_hold(struct req *rq)
{
	int64_t n;
	enum err e;

	if (rq->grant_id == 0)
		return OK;
	e = db_run(rq->db, &sql[HOLD], WITH(V(rq->who.community_id),
	    V(rq->grant_id), V(rq->now)), &n);
	if (e != OK)
		return e;
	return n == 1 ? OK : ended(rq);
}

static enum err
touch(void *arg)
{
	struct req *rq = arg;

	return db_run(rq->db, &sql[HOLD], WITH(V(rq->who.community_id),
	    V(rq->grant_id), V(rq->now)), NULL);
}

void
acting_note_read(struct req *rq)
{
	enum err e;

	if (rq->grant_id == 0 || rq->grant_fresh)
		return;
	if ((e = db_transact(rq->db, 1, touch, rq)) != OK)
		log_warn("event=grant_not_noted request_id=%s err=%s",
		    rq->request_id, err_info(e)->code);
}
