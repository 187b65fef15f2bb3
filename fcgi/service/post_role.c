/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post_role.c -- roles kept in step with posts, and sessions with roles.
 *
 * Posts begin and end by the clock, so a task looks every minute for roles
 * that no longer fit, a community and person at a time.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/post.h"
#include "service/scope.h"
#include "service/service.h"
#include "service/user.h"

#define AT_ONCE		200

struct holder {
	int64_t		 community_id;
	int64_t		 user_id;
};

static const struct view_column holder_columns[] = {
	C_ID(holder, community_id),
	C_ID(holder, user_id),
	C_END
};
static const struct view holder_view = VIEW(holder, "PostHolder");

struct waiting {
	int64_t		 user_id;
	int64_t		 since;
};

static const struct view_column waiting_columns[] = {
	C_ID(waiting, user_id),
	C_TIME(waiting, since),
	C_END
};
static const struct view waiting_view = VIEW(waiting, "PostWaiting");

/* A post that waits for a number, and who has proved it meanwhile. */
struct unclaimed {
	int64_t		 community_id;
	int64_t		 user_id;
	const char	*phone_index;
};

static const struct view_column unclaimed_columns[] = {
	C_ID(unclaimed, community_id),
	C_ID(unclaimed, user_id),
	C_TEXT(unclaimed, phone_index),
	C_END
};
static const struct view unclaimed_view =
    VIEW(unclaimed, "PostUnclaimed");

/* Roles that no valid post gives any longer. */
#define NO_POST(r, now)							\
	"NOT EXISTS (SELECT 1 FROM post p"				\
	" WHERE p.community_id = " r ".community_id"			\
	" AND p.user_id = " r ".user_id AND p.role = " r ".role AND "	\
	SCOPE_VALID("p", now) ")"

enum { ROLE_NOTE, ROLE_GRANT, ROLE_TAKE, ROLE_FORGET, ROLE_CLAIM,
	ROLE_CLAIMED, ROLE_WAIT, ROLE_WRONG, ROLE_UNCLAIMED, ROLE_WAITING,
	ROLE_TOLD, ROLE_SQL_MAX };

static struct stmt role_sql[] = {
	[ROLE_NOTE] = { RW, 3, NULL,
	    "INSERT INTO post_role (community_id, user_id, role)"
	    " SELECT DISTINCT p.community_id, p.user_id, p.role FROM post p"
	    " WHERE p.community_id = $1 AND p.user_id = $2 AND "
	    SCOPE_VALID("p", "$3") " AND NOT EXISTS (SELECT 1"
	    " FROM user_role r WHERE r.community_id = p.community_id"
	    " AND r.user_id = p.user_id AND r.role = p.role)"
	    " ON CONFLICT (community_id, user_id, role) DO NOTHING",
	    NULL, 0 },
	[ROLE_GRANT] = { RW, 3, NULL,
	    "INSERT INTO user_role (community_id, user_id, role, granted_at)"
	    " SELECT DISTINCT p.community_id, p.user_id, p.role,"
	    " CAST($3 AS BIGINT) FROM post p"
	    " WHERE p.community_id = $1 AND p.user_id = $2 AND "
	    SCOPE_VALID("p", "$3")
	    " ON CONFLICT (community_id, user_id, role) DO NOTHING",
	    NULL, 0 },
	[ROLE_TAKE] = { RW, 3, NULL,
	    "DELETE FROM user_role WHERE community_id = $1"
	    " AND user_id = $2 AND EXISTS (SELECT 1 FROM post_role r"
	    " WHERE r.community_id = user_role.community_id"
	    " AND r.user_id = user_role.user_id"
	    " AND r.role = user_role.role) AND " NO_POST("user_role", "$3"),
	    NULL, 0 },
	[ROLE_FORGET] = { RW, 3, NULL,
	    "DELETE FROM post_role WHERE community_id = $1"
	    " AND user_id = $2 AND " NO_POST("post_role", "$3"), NULL, 0 },
	[ROLE_CLAIM] = { RW, 3, NULL,
	    "UPDATE post SET user_id = $1 WHERE phone_index = $2"
	    " AND user_id IS NULL AND (to_at IS NULL OR to_at > $3)",
	    NULL, 0 },
	[ROLE_CLAIMED] = { RO, 1, &holder_view,
	    "SELECT DISTINCT community_id, user_id FROM post"
	    " WHERE user_id = $1", NULL, 0 },
	[ROLE_WAIT] = { RW, 2, NULL,
	    "INSERT INTO post_sync (user_id, since) VALUES ($1, $2)"
	    " ON CONFLICT (user_id) DO UPDATE SET since = excluded.since",
	    NULL, 0 },
	[ROLE_WRONG] = { RO, 2, &holder_view,
	    "SELECT p.community_id, p.user_id FROM post p"
	    " WHERE p.user_id IS NOT NULL AND " SCOPE_VALID("p", "$1")
	    " AND NOT EXISTS (SELECT 1 FROM user_role r"
	    " WHERE r.community_id = p.community_id"
	    " AND r.user_id = p.user_id AND r.role = p.role)"
	    " UNION SELECT r.community_id, r.user_id FROM post_role r"
	    " WHERE " NO_POST("r", "$1") " LIMIT $2", NULL, 0 },
	[ROLE_UNCLAIMED] = { RO, 1, &unclaimed_view,
	    "SELECT p.community_id, u.id AS user_id, p.phone_index"
	    " FROM post p JOIN app_user u ON u.phone_index = p.phone_index"
	    " AND u.closed_at IS NULL WHERE p.user_id IS NULL"
	    " AND (p.to_at IS NULL OR p.to_at > $1)"
	    " ORDER BY p.id, u.id DESC LIMIT 1", NULL, 0 },
	[ROLE_WAITING] = { RO, 2, &waiting_view,
	    "SELECT user_id, since FROM post_sync WHERE since <= $1"
	    " ORDER BY since, user_id LIMIT $2", NULL, 0 },
	[ROLE_TOLD] = { RW, 2, NULL,
	    "DELETE FROM post_sync WHERE user_id = $1 AND since = $2",
	    NULL, 0 },
};

static enum err
set_roles(struct req *rq, int64_t community_id, int64_t user_id,
    int64_t *ret_changed)
{
	static const int	steps[] = { ROLE_NOTE, ROLE_GRANT, ROLE_TAKE,
				    ROLE_FORGET };
	int64_t			n, changed = 0;
	enum err		e;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		e = db_run(rq->db, &role_sql[steps[i]],
		    WITH(V(community_id), V(user_id), V(rq->now)), &n);
		if (e != OK)
			return e;
		changed += n;
	}
	*ret_changed = changed;
	if (changed == 0)
		return OK;
	return db_run(rq->db, &role_sql[ROLE_WAIT],
	    WITH(V(user_id), V(rq->now)), NULL);
}

enum err
post_roles(struct req *rq, int64_t community_id, int64_t user_id)
{
	int64_t	changed;

	return set_roles(rq, community_id, user_id, &changed);
}

static enum err
sync_one(struct req *rq, int64_t user_id)
{
	struct user	u;
	enum err	e;

	e = user_get(rq, user_id, &u);
	/* A closed account has no sessions to be told. */
	if (e == ERR_ABSENT)
		return OK;
	return e != OK ? e : user_sync(rq, &u);
}

void
post_tell(struct req *rq, int64_t user_id)
{
	enum err	e = sync_one(rq, user_id);

	if (e != OK)
		log_info("user=%lld sessions are told later err=%s",
		    (long long)user_id, err_info(e)->name);
}

enum err
post_claim(struct req *rq, int64_t user_id, const char *phone_index)
{
	struct holder	rows[16];
	struct rows	r;
	enum err	e;
	int64_t		n;
	int		i, found = 0;

	e = db_run(rq->db, &role_sql[ROLE_CLAIM],
	    WITH(V(user_id), V(phone_index), V(rq->now)), &n);
	if (e != OK || n == 0)
		return e;
	e = db_query(rq->db, &role_sql[ROLE_CLAIMED], WITH(V(user_id)), &r);
	if (e != OK)
		return e;
	while (found < 16 && db_each(&r, &rows[found]))
		found++;
	if ((e = db_end(&r)) != OK)
		return e;
	for (i = 0; i < found && e == OK; i++)
		e = post_roles(rq, rows[i].community_id, rows[i].user_id);
	return e;
}

static enum err
correct(struct req *rq, void *arg)
{
	const struct holder	*h = arg;
	int64_t			 changed;
	enum err		 e;

	e = set_roles(rq, h->community_id, h->user_id, &changed);
	if (e == OK && changed > 0) {
		audit_as(rq, h->community_id, 0);
		audit_thing(rq, "user", h->user_id);
	}
	return e;
}

static enum err
claim(struct req *rq, void *arg)
{
	const struct unclaimed	*u = arg;

	audit_as(rq, u->community_id, 0);
	audit_thing(rq, "user", u->user_id);
	return post_claim(rq, u->user_id, u->phone_index);
}

/* Posts written by an import, for numbers that are known already. */
static enum err
claim_all(struct req *rq)
{
	struct unclaimed	u;
	enum err		e;
	int			i;

	for (i = 0; i < AT_ONCE; i++) {
		e = db_one(rq->db, rq->arena, &role_sql[ROLE_UNCLAIMED],
		    WITH(V(rq->now)), &u);
		if (e != OK)
			return e == ERR_ABSENT ? OK : e;
		if ((e = req_transact(rq, claim, &u)) != OK)
			return e;
	}
	return OK;
}

/* Posts that began or ended since. */
static enum err
correct_all(struct req *rq, int *ret_n)
{
	struct holder	rows[AT_ONCE];
	struct rows	r;
	enum err	e;
	int		i, found = 0;

	e = db_query(rq->db, &role_sql[ROLE_WRONG],
	    WITH(V(rq->now), V(AT_ONCE)), &r);
	if (e != OK)
		return e;
	while (found < AT_ONCE && db_each(&r, &rows[found]))
		found++;
	if ((e = db_end(&r)) != OK)
		return e;
	for (i = 0; i < found && e == OK; i++)
		e = req_transact(rq, correct, &rows[i]);
	*ret_n = found;
	return e;
}

static enum err
told(struct req *rq, void *arg)
{
	const struct waiting	*w = arg;

	return db_run(rq->db, &role_sql[ROLE_TOLD],
	    WITH(V(w->user_id), V(w->since)), NULL);
}

static enum err
tell_all(struct req *rq)
{
	struct waiting	rows[AT_ONCE];
	struct rows	r;
	enum err	e;
	int		i, found = 0;

	e = db_query(rq->db, &role_sql[ROLE_WAITING],
	    WITH(V(rq->now), V(AT_ONCE)), &r);
	if (e != OK)
		return e;
	while (found < AT_ONCE && db_each(&r, &rows[found]))
		found++;
	if ((e = db_end(&r)) != OK)
		return e;
	for (i = 0; i < found && e == OK; i++) {
		if ((e = sync_one(rq, rows[i].user_id)) == OK)
			e = req_transact(rq, told, &rows[i]);
	}
	return e;
}

static enum err
post_task(struct req *rq)
{
	enum err	e;
	int		n = AT_ONCE, rounds = 0;

	if ((e = claim_all(rq)) != OK)
		return e;
	while (n == AT_ONCE && rounds++ < 50) {
		if ((e = correct_all(rq, &n)) != OK)
			return e;
		if ((e = tell_all(rq)) != OK)
			return e;
	}
	return OK;
}

static const struct task post_tasks[] = {
	{ "post_roles", CLOCK_MINUTE, -1, post_task },
	{ NULL, 0, 0, NULL }
};

void
post_role_register(void)
{
	db_register(role_sql, ROLE_SQL_MAX);
	task_register(post_tasks);
}
