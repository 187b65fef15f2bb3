/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post_make.c -- giving somebody a post.
 *
 * The part of the community that the post is for is written first, so
 * that of two who give the same post one is told of the other.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/grid.h"
#include "service/household.h"
#include "service/post.h"
#include "service/post_internal.h"
#include "service/service.h"

enum { IN_COMMUNITY, IN_GRID, IN_UNIT, IN_COMPOUND, IN_ORG };

const char *const post_scope_names[] = { "community", "grid", "unit",
    "compound", "org", NULL };
const char *const post_role_names[] = { "head", "grid", "clerk", "party",
    "property", "technician", "teacher", NULL };

/* Which parts a role may be for, in the order of their names. */
static const unsigned fits[] = {
	1u << IN_UNIT,
	1u << IN_GRID,
	1u << IN_COMMUNITY,
	1u << IN_COMMUNITY | 1u << IN_GRID | 1u << IN_UNIT,
	1u << IN_COMPOUND,
	1u << IN_COMMUNITY | 1u << IN_COMPOUND | 1u << IN_ORG,
	1u << IN_COMMUNITY | 1u << IN_ORG,
};

struct post_new {
	int64_t		 role;
	int64_t		 scope;
	int64_t		 scope_id;
	int64_t		 user_id;
	int64_t		 person_id;
	const char	*name;
	const char	*phone;
	int64_t		 from;
	int64_t		 to;
};

static const struct field post_new_fields[] = {
	F_ENUM(post_new, role, "角色", MUST, post_role_names),
	F_ENUM(post_new, scope, "范围", MUST, post_scope_names),
	F_ID(post_new, scope_id, "范围编号", MAY),
	F_ID(post_new, user_id, "人员", MAY),
	F_ID(post_new, person_id, "居民", MAY),
	F_TEXT(post_new, name, "姓名", MAY, 1, 40),
	F_PHONE(post_new, phone, "手机号", MAY),
	F_TIME(post_new, from, "开始时间", MAY),
	F_TIME(post_new, to, "结束时间", MAY),
	F_END
};
static const struct shape post_new_shape = SHAPE(post_new, "PostNew");

struct post_resident {
	const char	*name;
	const char	*phone;
	const char	*phone_index;
};

static const struct view_column post_resident_columns[] = {
	C_TEXT(post_resident, name),
	C_TEXT(post_resident, phone, .flags = VIEW_NULL),
	C_TEXT(post_resident, phone_index, .flags = VIEW_NULL),
	C_END
};
static const struct view post_resident_view =
    VIEW(post_resident, "PostResident");

struct post_name {
	const char	*name;
};

static const struct view_column post_name_columns[] = {
	C_TEXT(post_name, name),
	C_END
};
static const struct view post_name_view = VIEW(post_name, "PostName");

enum { MAKE_HOLD_COMMUNITY, MAKE_HOLD_COMPOUND, MAKE_HOLD_ORG,
	MAKE_BY_PHONE, MAKE_RESIDENT, MAKE_OTHER, MAKE_ADD,
	MAKE_SQL_MAX };

static struct stmt make_sql[] = {
	[MAKE_HOLD_COMMUNITY] = { RW, 2, NULL,
	    "UPDATE community SET name = name WHERE id = $1"
	    " AND CAST($2 AS BIGINT) = 0", NULL, 0 },
	[MAKE_HOLD_COMPOUND] = { RW, 2, NULL,
	    "UPDATE place SET name = name WHERE community_id = $1"
	    " AND id = $2 AND kind = 'compound'", NULL, 0 },
	[MAKE_HOLD_ORG] = { RW, 2, NULL,
	    "UPDATE org SET name = name WHERE community_id = $1"
	    " AND id = $2 AND closed_at IS NULL", NULL, 0 },
	[MAKE_BY_PHONE] = { RO, 2, &post_user_view,
	    "SELECT u.id, u.name FROM app_user u WHERE u.phone_index = $2"
	    " AND u.closed_at IS NULL ORDER BY CASE"
	    " WHEN u.community_id = $1 THEN 0 ELSE 1 END, u.id DESC"
	    " LIMIT 1", NULL, 0 },
	[MAKE_RESIDENT] = { RO, 2, &post_resident_view,
	    "SELECT name, phone, phone_index FROM person"
	    " WHERE community_id = $1 AND id = $2 AND gone_at IS NULL",
	    NULL, 0 },
	/* who else has it in that time; $8: whoever, or the same person */
	[MAKE_OTHER] = { RO, 10, &post_name_view,
	    "SELECT name FROM post WHERE community_id = $1 AND role = $2"
	    " AND scope = $3 AND scope_id = $4 AND deputy_of IS NULL"
	    " AND id <> $5 AND (to_at IS NULL OR to_at > $6)"
	    " AND (CAST($7 AS BIGINT) IS NULL OR from_at < $7)"
	    " AND (CAST($8 AS BIGINT) = 1 OR user_id = $9"
	    " OR phone_index = $10) ORDER BY from_at LIMIT 1", NULL, 0 },
	[MAKE_ADD] = { RW, 13, NULL,
	    "INSERT INTO post (community_id, id, role, scope, scope_id,"
	    " user_id, person_id, name, phone, phone_index, from_at, to_at,"
	    " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
	    " $11, $12, $13)", NULL, 0 },
};

static enum err
hold(struct req *rq, int which, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &make_sql[which],
	    WITH(V(rq->who.community_id), V(id)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

enum err
post_owner(struct req *rq, const char *phone_index, struct post_user *ret)
{
	return db_one(rq->db, rq->arena, &make_sql[MAKE_BY_PHONE],
	    WITH(V(rq->who.community_id), V(phone_index)), ret);
}

/* A post about to be written. */
struct making {
	const struct post_new	*in;
	int64_t			 id;
	int64_t			 user_id;	/* 0: not known yet */
	const char		*name;
	const char		*phone;
	const char		*phone_index;
	int64_t			 from;
};

/* The part of the community is there, and held until the commit. */
static enum err
hold_scope(struct req *rq, const struct post_new *in)
{
	enum err	e;

	if ((fits[in->role] & 1u << in->scope) == 0)
		return req_field(rq, "scope", "not_fitting",
		    "这个角色不能任职于这个范围，请重新选择。");
	if (in->scope == IN_COMMUNITY)
		e = hold(rq, MAKE_HOLD_COMMUNITY, in->scope_id);
	else if (in->scope == IN_GRID)
		e = grid_hold(rq, in->scope_id);
	else if (in->scope == IN_UNIT)
		e = unit_hold(rq, in->scope_id);
	else
		e = hold(rq, in->scope == IN_ORG ? MAKE_HOLD_ORG :
		    MAKE_HOLD_COMPOUND, in->scope_id);
	if (e != ERR_ABSENT)
		return e;
	return req_field(rq, "scope_id",
	    in->scope_id == 0 ? "required" : "not_found",
	    "没有找到这个范围，或它已停用，请重新选择。");
}

/* A head lives among those the head answers for. */
static enum err
find_resident(struct req *rq, struct making *m)
{
	const struct post_new	*in = m->in;
	struct post_resident	 r;
	bool			 head = in->scope == IN_UNIT &&
	    strcmp(post_role_names[in->role], "head") == 0;
	enum err		 e;

	if (in->person_id == 0)
		return !head ? OK : req_field(rq, "person_id", "required",
		    "请从本联户的住户中选择联户长。");
	e = db_one(rq->db, rq->arena, &make_sql[MAKE_RESIDENT],
	    WITH(V(rq->who.community_id), V(in->person_id)), &r);
	if (e == ERR_ABSENT)
		return req_field(rq, "person_id", "not_found",
		    "没有找到这位居民，请重新选择。");
	if (e == OK && head)
		e = household_in_unit(rq, in->person_id, in->scope_id);
	if (e == ERR_ABSENT)
		return req_field(rq, "person_id", "elsewhere",
		    "这位居民不住在本联户，联户长请从本联户的住户中选择。");
	if (e != OK)
		return e;
	m->name = r.name;
	m->phone = r.phone;
	m->phone_index = r.phone_index;
	return OK;
}

static enum err
find_user(struct req *rq, struct making *m)
{
	const struct post_new	*in = m->in;
	struct post_user	 u = { 0 };
	enum err		 e = OK;

	if (in->phone != NULL) {
		m->phone = crypt_seal(rq->arena, "phone", in->phone);
		m->phone_index = crypt_index(rq->arena, "phone", in->phone);
	}
	if (in->user_id != 0) {
		e = post_person(rq, in->user_id, &u);
		if (e == ERR_ABSENT)
			return req_field(rq, "user_id", "not_found",
			    "没有找到这位人员，请先让对方登录并选择本社区。");
	} else if (m->phone_index == NULL) {
		return req_field(rq, "phone", "required",
		    "请填写手机号，对方登录后即可开始工作。");
	} else {
		e = post_owner(rq, m->phone_index, &u);
	}
	if (e != OK && e != ERR_ABSENT)
		return e;
	m->user_id = u.id;
	if (in->name != NULL)
		m->name = in->name;
	else if (m->name == NULL && in->user_id != 0 && *u.name != '\0')
		m->name = u.name;
	return m->name != NULL ? OK : req_field(rq, "name", "required",
	    "请填写姓名。");
}

struct value
post_or_null(int64_t v)
{
	return v == 0 || v == VIEW_NULL_INT ? VNULL : V(v);
}

/* One head a unit; and nobody has the same post twice. */
enum err
post_check_others(struct req *rq, const struct post *p)
{
	bool			alone = strcmp(p->role, "head") == 0;
	struct post_name	other;
	enum err		e;

	e = db_one(rq->db, rq->arena, &make_sql[MAKE_OTHER],
	    WITH(V(rq->who.community_id), V(p->role), V(p->scope),
	    V(p->scope_id == VIEW_NULL_INT ? 0 : p->scope_id), V(p->id),
	    V(p->from_at), post_or_null(p->to_at), V(alone),
	    post_or_null(p->user_id), V(p->phone_index)), &other);
	if (e != OK)
		return e == ERR_ABSENT ? OK : e;
	if (alone)
		return req_failf(rq, ERR_CONFLICT,
		    "这段时间联户长是%s，请先结束原来的任职。", other.name);
	return req_failf(rq, ERR_CONFLICT, "%s已在这个岗位任职。",
	    other.name);
}

enum err
post_check_time(struct req *rq, int64_t from, int64_t to)
{
	if (to != 0 && (to <= from || to <= rq->now))
		return req_field(rq, "to", "too_small",
		    "结束时间应晚于开始时间和现在。");
	return OK;
}

static enum err
make(struct req *rq, void *arg)
{
	struct making		*m = arg;
	const struct post_new	*in = m->in;
	struct post		 p;
	enum err		 e;

	m->from = in->from != 0 ? in->from : rq->now;
	if ((e = post_check_time(rq, m->from, in->to)) != OK ||
	    (e = hold_scope(rq, in)) != OK ||
	    (e = find_resident(rq, m)) != OK ||
	    (e = find_user(rq, m)) != OK)
		return e;
	p = (struct post){ .id = m->id, .role = post_role_names[in->role],
		.scope = post_scope_names[in->scope], .scope_id = in->scope_id,
		.user_id = m->user_id, .from_at = m->from,
		.to_at = in->to, .phone_index = m->phone_index };
	if ((e = post_check_others(rq, &p)) != OK)
		return e;
	e = db_run(rq->db, &make_sql[MAKE_ADD],
	    WITH(V(rq->who.community_id), V(m->id), V(p.role), V(p.scope),
	    V(p.scope_id), post_or_null(m->user_id),
	    post_or_null(in->person_id), V(m->name), V(m->phone),
	    V(m->phone_index), V(m->from),
	    post_or_null(in->to), V(rq->now)), NULL);
	if (e != OK)
		return e;
	audit_thing(rq, "post", m->id);
	return post_roles_of(rq, m->id);
}

static enum err
post_add(struct req *rq)
{
	struct making	m = { .in = rq->in, .id = id_new() };
	enum err	e;

	if ((e = req_transact(rq, make, &m)) != OK)
		return e;
	post_tell_of(rq, m.id);
	return post_answer(rq, m.id);
}

static const struct route make_routes[] = {
	{ POST, "/api/v1/posts", ROLE_ADMIN, &post_new_shape,
	    REPLY_ONE, &post_full_view, 201, POOL_API, TX_OWN,
	    post_add, "Give somebody a post" },
	{ 0 }
};

void
post_make_register(void)
{
	db_register(make_sql, MAKE_SQL_MAX);
	route_register("posts", make_routes);
}
