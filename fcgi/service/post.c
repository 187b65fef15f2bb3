/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post.c -- who holds which post, from when to when: lists and changes.
 *
 * A post is a role for a part of the community.  Posts of one part are
 * changed one after the other, because the part's row is written first.
 * Nothing is deleted: a post ends, so that any day can be asked for.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/grid.h"
#include "service/post.h"
#include "service/post_internal.h"
#include "service/service.h"

static const char *const states[] = { "waiting", "active", "ended", NULL };

static void
post_state(struct json *j, const struct req *rq, const void *row)
{
	const struct post	*p = row;

	if (p->to_at != VIEW_NULL_INT && p->to_at <= rq->now)
		json_text(j, states[2]);
	else
		json_text(j, states[p->from_at <= rq->now]);
}

static void post_times(struct json *, const struct req *, const void *);

#define POST_COLUMNS							\
	C_ID(post, id),							\
	C_ID(post, community_id),					\
	C_TEXT(post, community),					\
	C_CODE(post, role, post_role_names),				\
	C_CODE(post, scope, post_scope_names),				\
	C_ID(post, scope_id, .flags = VIEW_NULL,			\
	    .about = "null for the whole community"),			\
	C_TEXT(post, scope_name),					\
	C_ID(post, user_id, .flags = VIEW_NULL,				\
	    .about = "null until the first log-in"),			\
	C_ID(post, person_id, .flags = VIEW_NULL),			\
	C_TEXT(post, name),						\
	C_PHONE(post, phone, .flags = VIEW_NULL),			\
	C_ID(post, deputy_of, .flags = VIEW_NULL,			\
	    .about = "the post this one stands in for"),		\
	C_TIME(post, from_at),						\
	C_TIME(post, to_at, .flags = VIEW_NULL),			\
	C_TEXT(post, phone_index, .flags = VIEW_NULL | VIEW_HIDDEN),	\
	C_CALC("state", SHAPE_TEXT, post_state,				\
	    .about = "waiting, active or ended")

static const struct view_column post_columns[] = {
	POST_COLUMNS,
	C_END
};
static const struct view post_view = VIEW(post, "Post");

struct duty_time {
	int64_t		 weekday;
	int64_t		 from_minute;
	int64_t		 to_minute;
};

static const struct view_column duty_time_columns[] = {
	C_INT(duty_time, weekday, .about = "1 Monday to 7 Sunday"),
	C_INT(duty_time, from_minute, .about = "of the day"),
	C_INT(duty_time, to_minute),
	C_END
};
static const struct view duty_time_view = VIEW(duty_time, "DutyTime");

static const struct view_column post_full_columns[] = {
	POST_COLUMNS,
	C_CALC("duty_times", SHAPE_OBJECTS, post_times,
	    .sub = &duty_time_view),
	C_END
};
const struct view post_full_view = { .name = "PostFull",
	.size = sizeof(struct post), .columns = post_full_columns };

struct post_query {
	int64_t		 role;
	int64_t		 scope;
	int64_t		 scope_id;
	bool		 ended;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field post_query_fields[] = {
	F_ENUM(post_query, role, "角色", MAY, post_role_names),
	F_ENUM(post_query, scope, "范围", MAY, post_scope_names),
	F_ID(post_query, scope_id, "范围编号", MAY),
	F_BOOL(post_query, ended, "包括已结束的", MAY),
	F_PAGE(post_query),
	F_END
};
static const struct shape post_query_shape =
    SHAPE(post_query, "PostQuery");

struct post_id {
	int64_t		 id;
};

static const struct field post_id_fields[] = {
	F_ID(post_id, id, "任职", MUST),
	F_END
};
static const struct shape post_id_shape = SHAPE(post_id, "PostId");

struct post_patch {
	int64_t		 id;
	const char	*name;
	const char	*phone;
	int64_t		 to;
};

static const struct field post_patch_fields[] = {
	F_ID(post_patch, id, "任职", MUST),
	F_TEXT(post_patch, name, "姓名", MAY, 1, 40),
	F_PHONE(post_patch, phone, "手机号", MAY),
	F_TIME(post_patch, to, "结束时间", MAY | FIELD_NULL),
	F_END
};
static const struct shape post_patch_shape =
    SHAPE(post_patch, "PostPatch");

static const struct view_column post_user_columns[] = {
	C_ID(post_user, id),
	C_TEXT(post_user, name),
	C_END
};
const struct view post_user_view = VIEW(post_user, "PostUser");

/* $1 the community or, for one's own, the user */
#define POST_SELECT							\
	"SELECT p.id, p.community_id, c.name AS community, p.role,"	\
	" p.scope, NULLIF(p.scope_id, 0) AS scope_id,"			\
	" COALESCE(CASE p.scope"					\
	" WHEN 'grid' THEN (SELECT g.name FROM grid g"			\
	" WHERE g.community_id = p.community_id AND g.id = p.scope_id)"	\
	" WHEN 'unit' THEN (SELECT n.name FROM unit n"			\
	" WHERE n.community_id = p.community_id AND n.id = p.scope_id)"	\
	" WHEN 'compound' THEN (SELECT q.name FROM place q"		\
	" WHERE q.community_id = p.community_id AND q.id = p.scope_id)"	\
	" WHEN 'org' THEN (SELECT o.name FROM org o"			\
	" WHERE o.community_id = p.community_id AND o.id = p.scope_id)"	\
	" END, c.name) AS scope_name, p.user_id, p.person_id, p.name,"	\
	" p.phone, p.deputy_of, p.from_at, p.to_at, p.phone_index"	\
	" FROM post p JOIN community c ON c.id = p.community_id"

enum { POST_LIST, POST_MINE, POST_GET, POST_TIMES, POST_HOLD, POST_USER,
	POST_PATCH, POST_END, POST_USERS, POST_SQL_MAX };

static struct stmt post_sql[] = {
	[POST_LIST] = { RO, 8, &post_view,
	    POST_SELECT " WHERE p.community_id = $1"
	    " AND (CAST($2 AS TEXT) IS NULL OR p.role = $2)"
	    " AND (CAST($3 AS TEXT) IS NULL OR p.scope = $3)"
	    " AND (CAST($4 AS BIGINT) = 0 OR p.scope_id = $4)"
	    " AND (CAST($5 AS BIGINT) = 1 OR p.to_at IS NULL"
	    " OR p.to_at > $6)"
	    " AND (CAST($7 AS BIGINT) = 0 OR p.id < $7)"
	    " ORDER BY p.id DESC LIMIT $8", NULL, 0 },
	[POST_MINE] = { RO, 1, &post_view,
	    POST_SELECT " WHERE p.user_id = $1"
	    " ORDER BY p.from_at DESC, p.id DESC LIMIT 100", NULL, 0 },
	[POST_GET] = { RO, 2, &post_full_view,
	    POST_SELECT " WHERE p.community_id = $1 AND p.id = $2",
	    NULL, 0 },
	[POST_TIMES] = { RO, 2, &duty_time_view,
	    "SELECT weekday, from_minute, to_minute FROM duty_time"
	    " WHERE community_id = $1 AND post_id = $2"
	    " ORDER BY weekday, from_minute", NULL, 0 },
	[POST_HOLD] = { RW, 2, NULL,
	    "UPDATE post SET name = name WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[POST_USER] = { RO, 2, &post_user_view,
	    "SELECT u.id, u.name FROM app_user u WHERE u.id = $2"
	    " AND u.closed_at IS NULL AND (u.community_id = $1"
	    " OR EXISTS (SELECT 1 FROM user_role r WHERE r.user_id = u.id"
	    " AND r.community_id = $1))", NULL, 0 },
	[POST_PATCH] = { RW, 8, NULL,
	    "UPDATE post SET name = COALESCE($3, name),"
	    " phone = COALESCE($4, phone),"
	    " phone_index = COALESCE($5, phone_index),"
	    " user_id = COALESCE($6, user_id),"
	    " to_at = CASE WHEN CAST($7 AS BIGINT) = 1 THEN $8"
	    " ELSE to_at END WHERE community_id = $1 AND id = $2",
	    NULL, 0 },
	/* the post and who stands in for its holder */
	[POST_END] = { RW, 3, NULL,
	    "UPDATE post SET to_at = CASE WHEN from_at > $3 THEN from_at"
	    " ELSE $3 END WHERE community_id = $1"
	    " AND (id = $2 OR deputy_of = $2)"
	    " AND (to_at IS NULL OR to_at > $3)", NULL, 0 },
	[POST_USERS] = { RO, 2, &post_user_view,
	    "SELECT DISTINCT user_id AS id, '' AS name FROM post"
	    " WHERE community_id = $1 AND (id = $2 OR deputy_of = $2)"
	    " AND user_id IS NOT NULL", NULL, 0 },
};

static void
post_times(struct json *j, const struct req *rq, const void *row)
{
	const struct post	*p = row;
	struct duty_time	 t;

	grid_stream(j, rq, &post_sql[POST_TIMES],
	    WITH(V(p->community_id), V(p->id)), &t, p->e);
}

enum err
post_get(struct req *rq, int64_t id, struct post *ret)
{
	return db_one(rq->db, rq->arena, &post_sql[POST_GET],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

enum err
post_answer(struct req *rq, int64_t id)
{
	struct post	row;
	enum err	e, within = OK;

	if ((e = post_get(rq, id, &row)) != OK)
		return e;
	row.e = &within;
	e = req_one(rq, &row);
	return e != OK ? e : within;
}

enum err
post_person(struct req *rq, int64_t user_id, struct post_user *ret)
{
	return db_one(rq->db, rq->arena, &post_sql[POST_USER],
	    WITH(V(rq->who.community_id), V(user_id)), ret);
}

enum err
post_hold(struct req *rq, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &post_sql[POST_HOLD],
	    WITH(V(rq->who.community_id), V(id)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

#define TOGETHER 64		/* holder and deputies, past ones too */

static enum err
users_of(struct req *rq, int64_t id, struct post_user *ret, int *ret_n)
{
	struct rows	rows;
	enum err	e;
	int		n = 0;

	e = db_query(rq->db, &post_sql[POST_USERS],
	    WITH(V(rq->who.community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (n < TOGETHER && db_each(&rows, &ret[n]))
		n++;
	*ret_n = n;
	return db_end(&rows);
}

enum err
post_roles_of(struct req *rq, int64_t id)
{
	struct post_user	u[TOGETHER];
	enum err		e;
	int			i, n = 0;

	e = users_of(rq, id, u, &n);
	for (i = 0; i < n && e == OK; i++)
		e = post_roles(rq, rq->who.community_id, u[i].id);
	return e;
}

void
post_tell_of(struct req *rq, int64_t id)
{
	struct post_user	u[TOGETHER];
	int			i, n = 0;

	if (users_of(rq, id, u, &n) != OK)
		return;
	for (i = 0; i < n; i++)
		post_tell(rq, u[i].id);
}

static enum err
post_list(struct req *rq)
{
	const struct post_query	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &post_sql[POST_LIST],
	    WITH(V(rq->who.community_id),
	    V(field_given(rq, "role") ? post_role_names[in->role] : NULL),
	    V(field_given(rq, "scope") ? post_scope_names[in->scope] : NULL),
	    V(in->scope_id), V(in->ended), V(rq->now), V(in->after),
	    V(limit + 1)), limit);
}

static enum err
post_mine(struct req *rq)
{
	return req_list(rq, &post_sql[POST_MINE], WITH(V(rq->who.user_id)),
	    0);
}

static enum err
post_one(struct req *rq)
{
	const struct post_id	*in = rq->in;

	return post_answer(rq, in->id);
}

static enum err
is_over(struct req *rq)
{
	return req_fail(rq, ERR_STATE, "这个任职已经结束，不能再修改。");
}

static bool
over(const struct req *rq, const struct post *p)
{
	return p->to_at != VIEW_NULL_INT && p->to_at <= rq->now;
}

/* A new number finds its owner, as long as nobody has logged in. */
static enum err
find_owner(struct req *rq, const char *index, const struct post *p,
    int64_t *ret)
{
	struct post_user	u = { 0 };
	enum err		e;

	if (p->user_id != VIEW_NULL_INT)
		return req_field_as(rq, ERR_CONFLICT, "phone", "logged_in",
		    "对方已登录，手机号由本人在小程序中修改。");
	e = post_owner(rq, index, &u);
	*ret = u.id;
	return e == ERR_ABSENT ? OK : e;
}

static enum err
change(struct req *rq, void *arg)
{
	const struct post_patch	*in = arg;
	const char		*phone = NULL, *index = NULL;
	struct post		 p;
	int64_t			 owner = 0;
	bool			 ends = field_given(rq, "to");
	enum err		 e;

	if ((e = post_hold(rq, in->id)) != OK ||
	    (e = post_get(rq, in->id, &p)) != OK)
		return e;
	if (over(rq, &p))
		return is_over(rq);
	if (ends && (e = post_check_time(rq, p.from_at, in->to)) != OK)
		return e;
	if (in->phone != NULL) {
		phone = crypt_seal(rq->arena, "phone", in->phone);
		index = crypt_index(rq->arena, "phone", in->phone);
		if ((e = find_owner(rq, index, &p, &owner)) != OK)
			return e;
	}
	audit_thing(rq, "post", in->id);
	if (ends && in->to != 0 && (e = db_run(rq->db, &post_sql[POST_END],
	    WITH(V(rq->who.community_id), V(in->id), V(in->to)),
	    NULL)) != OK)
		return e;
	e = db_run(rq->db, &post_sql[POST_PATCH],
	    WITH(V(rq->who.community_id), V(in->id), V(in->name), V(phone),
	    V(index), post_or_null(owner), V(ends),
	    post_or_null(in->to)), NULL);
	if (e != OK || (e = post_get(rq, in->id, &p)) != OK)
		return e;
	if (p.deputy_of == VIEW_NULL_INT &&
	    (e = post_check_others(rq, &p)) != OK)
		return e;
	return post_roles_of(rq, in->id);
}

static enum err
post_patch(struct req *rq)
{
	struct post_patch	in = *(const struct post_patch *)rq->in;
	enum err		e;

	if ((e = req_transact(rq, change, &in)) != OK)
		return e;
	post_tell_of(rq, in.id);
	return post_answer(rq, in.id);
}

static enum err
finish(struct req *rq, void *arg)
{
	const struct post_id	*in = arg;
	struct post		 p;
	enum err		 e;

	if ((e = post_hold(rq, in->id)) != OK ||
	    (e = post_get(rq, in->id, &p)) != OK)
		return e;
	if (over(rq, &p))
		return is_over(rq);
	audit_thing(rq, "post", in->id);
	e = db_run(rq->db, &post_sql[POST_END],
	    WITH(V(rq->who.community_id), V(in->id), V(rq->now)), NULL);
	return e != OK ? e : post_roles_of(rq, in->id);
}

static enum err
post_end(struct req *rq)
{
	struct post_id	in = *(const struct post_id *)rq->in;
	enum err	e;

	if ((e = req_transact(rq, finish, &in)) != OK)
		return e;
	post_tell_of(rq, in.id);
	return OK;
}

static const struct route post_routes[] = {
	{ GET, "/api/v1/posts", ROLE_ADMIN | ROLE_CLERK, &post_query_shape,
	    REPLY_LIST, &post_view, 200, POOL_API, TX_READ,
	    post_list, "Posts of the community, newest first" },
	{ GET, "/api/v1/posts/{id}", ROLE_ADMIN | ROLE_CLERK,
	    &post_id_shape,
	    REPLY_ONE, &post_full_view, 200, POOL_API, TX_READ,
	    post_one, "A post with its times of duty" },
	{ PATCH, "/api/v1/posts/{id}", ROLE_ADMIN, &post_patch_shape,
	    REPLY_ONE, &post_full_view, 200, POOL_API, TX_OWN,
	    post_patch, "Change name, number or end of a post" },
	{ DELETE, "/api/v1/posts/{id}", ROLE_ADMIN, &post_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    post_end, "End a post now; it stays in the history" },
	{ GET, "/api/v1/me/posts", LOGGED_IN, NULL,
	    REPLY_LIST, &post_view, 200, POOL_API, TX_READ,
	    post_mine, "My posts in all communities, past ones too" },
	{ 0 }
};

void
post_register(void)
{
	db_register(post_sql, POST_SQL_MAX);
	route_register("posts", post_routes);
	post_make_register();
	post_deputy_register();
	post_role_register();
}
