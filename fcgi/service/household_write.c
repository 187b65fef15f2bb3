/* SPDX-License-Identifier: Apache-2.0 */
/*
 * household_write.c -- households made, corrected and ended, and who moves
 * in and out.
 *
 * Nothing is deleted: who moves out, and a household that does, gets an
 * end, and what happened before keeps its home.
 */
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/home.h"
#include "service/household_internal.h"
#include "service/service.h"

struct household_new {
	int64_t		 dwelling_id;
	const char	*number;
	int64_t		 tenancy;
	int64_t		 source;
	int64_t		 ground;
	int64_t		 as_of;
};

static const struct field household_new_fields[] = {
	F_ID(household_new, dwelling_id, "房屋", MUST),
	F_TEXT(household_new, number, "户号", MAY, 1, 10),
	F_ENUM(household_new, tenancy, "居住性质", MUST, person_tenancies),
	F_ENUM(household_new, source, "信息来源", MUST, person_sources),
	F_ENUM(household_new, ground, "采集依据", MUST, person_grounds),
	F_INT(household_new, as_of, "了解日期", MAY, 0, 99999999),
	F_END
};
static const struct shape household_new_shape =
    SHAPE(household_new, "HouseholdNew");

struct household_patch {
	int64_t		 id;
	int64_t		 tenancy;
	int64_t		 contact_id;
	bool		 moved_out;
	int64_t		 source;
	int64_t		 ground;
	int64_t		 as_of;
};

static const struct field household_patch_fields[] = {
	F_ID(household_patch, id, "住户", MUST),
	F_ENUM(household_patch, tenancy, "居住性质", MAY, person_tenancies),
	F_ID(household_patch, contact_id, "联系人", FIELD_NULL),
	F_BOOL(household_patch, moved_out, "整户搬离", MAY),
	F_ENUM(household_patch, source, "信息来源", MUST, person_sources),
	F_ENUM(household_patch, ground, "采集依据", MUST, person_grounds),
	F_INT(household_patch, as_of, "了解日期", MAY, 0, 99999999),
	F_END
};
static const struct shape household_patch_shape =
    SHAPE(household_patch, "HouseholdPatch");

struct member_new {
	int64_t		 id;
	int64_t		 person_id;
	int64_t		 relation;
	bool		 moves;
};

static const struct field member_new_fields[] = {
	F_ID(member_new, id, "住户", MUST),
	F_ID(member_new, person_id, "居民", MUST),
	F_ENUM(member_new, relation, "与户主关系", MUST, person_relations),
	F_BOOL(member_new, moves, "从原住户迁出", MAY),
	F_END
};
static const struct shape member_new_shape = SHAPE(member_new, "MemberNew");

struct member_id {
	int64_t		 id;
	int64_t		 person_id;
};

static const struct field member_id_fields[] = {
	F_ID(member_id, id, "住户", MUST),
	F_ID(member_id, person_id, "居民", MUST),
	F_END
};
static const struct shape member_id_shape = SHAPE(member_id, "MemberId");

struct member_found {
	int64_t		 person_id;
};

static const struct view_column member_found_columns[] = {
	C_ID(member_found, person_id),
	C_END
};
static const struct view member_found_view =
    VIEW(member_found, "MemberFound");

enum { MOVE_HOLD, MOVE_HOLD_PERSON, MOVE_ADD, MOVE_PATCH,
	MOVE_END, MOVE_MEMBERS_END, MOVE_FOUND,
	MOVE_IN, MOVE_OUT, MOVE_OUT_OTHERS, MOVE_UNCONTACT, MOVE_SQL_MAX };

static struct stmt move_sql[] = {
	[MOVE_HOLD] = { RW, 3, NULL,
	    "UPDATE household SET updated_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[MOVE_HOLD_PERSON] = { RW, 3, NULL,
	    "UPDATE person SET updated_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND gone_at IS NULL", NULL, 0 },
	[MOVE_ADD] = { RW, 9, NULL,
	    "INSERT INTO household (community_id, id, dwelling_id, number,"
	    " tenancy, source, ground, as_of, from_at, updated_at)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), id,"
	    " CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),"
	    " CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT),"
	    " CAST($9 AS BIGINT) FROM place WHERE community_id = $1"
	    " AND id = $3 AND kind = 'dwelling'", NULL, 0 },
	[MOVE_PATCH] = { RW, 9, NULL,
	    "UPDATE household SET tenancy = COALESCE($3, tenancy),"
	    " contact_id = CASE WHEN CAST($4 AS BIGINT) = 1"
	    " THEN CAST($5 AS BIGINT) ELSE contact_id END, source = $6,"
	    " ground = $7, as_of = $8, updated_at = $9"
	    " WHERE community_id = $1 AND id = $2 AND to_at IS NULL",
	    NULL, 0 },
	[MOVE_END] = { RW, 3, NULL,
	    "UPDATE household SET to_at = $3, contact_id = NULL"
	    " WHERE community_id = $1 AND id = $2 AND to_at IS NULL",
	    NULL, 0 },
	[MOVE_MEMBERS_END] = { RW, 3, NULL,
	    "UPDATE member SET to_at = $3 WHERE community_id = $1"
	    " AND household_id = $2 AND to_at IS NULL", NULL, 0 },
	[MOVE_FOUND] = { RO, 3, &member_found_view,
	    "SELECT person_id FROM member WHERE community_id = $1"
	    " AND household_id = $2 AND person_id = $3 AND to_at IS NULL",
	    NULL, 0 },
	[MOVE_IN] = { RW, 5, NULL,
	    "INSERT INTO member (community_id, household_id, person_id,"
	    " from_at, relation) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[MOVE_OUT] = { RW, 4, NULL,
	    "UPDATE member SET to_at = $4 WHERE community_id = $1"
	    " AND household_id = $2 AND person_id = $3 AND to_at IS NULL",
	    NULL, 0 },
	[MOVE_OUT_OTHERS] = { RW, 4, NULL,
	    "UPDATE member SET to_at = $4 WHERE community_id = $1"
	    " AND household_id <> $2 AND person_id = $3"
	    " AND to_at IS NULL", NULL, 0 },
	/* A contact lives there; who left is none. */
	[MOVE_UNCONTACT] = { RW, 3, NULL,
	    "UPDATE household SET contact_id = NULL, updated_at = $3"
	    " WHERE community_id = $1 AND contact_id = $2"
	    " AND NOT EXISTS (SELECT 1 FROM member m"
	    " WHERE m.community_id = household.community_id"
	    " AND m.household_id = household.id"
	    " AND m.person_id = household.contact_id"
	    " AND m.to_at IS NULL)", NULL, 0 },
};

static enum err
household_add(struct req *rq)
{
	const struct household_new	*in = rq->in;
	int64_t				 id = id_new(), as_of = in->as_of, n;
	enum err			 e;

	if ((e = person_as_of(rq, &as_of)) != OK)
		return e;
	if (!scope_wide(rq))
		e = scope_dwelling(rq, in->dwelling_id);
	n = 0;
	if (e == OK)
		e = db_run(rq->db, &move_sql[MOVE_ADD],
		    WITH(V(rq->who.community_id), V(id), V(in->dwelling_id),
		    V(in->number != NULL ? in->number : "1"),
		    V(person_tenancies[in->tenancy]),
		    V(person_sources[in->source]),
		    V(person_grounds[in->ground]), V(as_of), V(rq->now)),
		    &n);
	if (e == ERR_UNIQUE)
		return req_field_as(rq, ERR_CONFLICT, "number", "taken",
		    "这个房屋已有同一户号的住户；合住的另一户请填写其他"
		    "户号，例如 2。");
	if (e == ERR_ABSENT || (e == OK && n == 0))
		return req_field(rq, "dwelling_id", "not_found",
		    "没有找到这个房屋，请重新选择。");
	return e != OK ? e : household_answer(rq, id);
}

static enum err
check_contact(struct req *rq, const struct household_patch *in)
{
	struct member_found	found;
	enum err		e;

	if (in->contact_id == 0 || field_null(rq, "contact_id"))
		return OK;
	e = db_one(rq->db, rq->arena, &move_sql[MOVE_FOUND],
	    WITH(V(rq->who.community_id), V(in->id), V(in->contact_id)),
	    &found);
	if (e == ERR_ABSENT)
		return req_field(rq, "contact_id", "not_found",
		    "联系人应是现在住在这户的人，请重新选择。");
	return e;
}

/* The whole household leaves: its members with it. */
static enum err
move_out_all(struct req *rq, int64_t id)
{
	enum err	e;

	e = db_run(rq->db, &move_sql[MOVE_MEMBERS_END],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_END],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	return e != OK ? e : home_end_of(rq, id, 0);
}

static enum err
household_patch(struct req *rq)
{
	const struct household_patch	*in = rq->in;
	int64_t				 as_of = in->as_of, n;
	struct household		 h;
	enum err			 e;

	if ((e = household_reach(rq, in->id, &h)) != OK ||
	    (e = person_as_of(rq, &as_of)) != OK ||
	    (e = check_contact(rq, in)) != OK)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_PATCH],
	    WITH(V(rq->who.community_id), V(in->id),
	    field_given(rq, "tenancy") ? V(person_tenancies[in->tenancy]) :
	    VNULL, V(field_given(rq, "contact_id")),
	    in->contact_id != 0 ? V(in->contact_id) : VNULL,
	    V(person_sources[in->source]), V(person_grounds[in->ground]),
	    V(as_of), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE, "这户已经搬离，不能再修改。");
	if (in->moved_out && (e = move_out_all(rq, in->id)) != OK)
		return e;
	return household_answer(rq, in->id);
}

enum err
household_hold(struct req *rq, int64_t household_id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &move_sql[MOVE_HOLD],
	    WITH(V(rq->who.community_id), V(household_id), V(rq->now)), &n);
	if (e == OK && n == 0)
		return req_fail(rq, ERR_STATE,
		    "这户已经搬离，不能再修改。");
	return e;
}

/* Neither leaves before the commit. */
static enum err
hold(struct req *rq, const struct member_new *in)
{
	int64_t		n;
	enum err	e;

	if ((e = household_hold(rq, in->id)) != OK)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_HOLD_PERSON],
	    WITH(V(rq->who.community_id), V(in->person_id), V(rq->now)),
	    &n);
	if (e == OK && n == 0)
		return req_fail(rq, ERR_STATE,
		    "这位居民已经注销，不能再修改。");
	return e;
}

static enum err
move_in(struct req *rq, const struct member_new *in)
{
	enum err	e;

	if ((e = hold(rq, in)) != OK)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_IN],
	    WITH(V(rq->who.community_id), V(in->id), V(in->person_id),
	    V(rq->now), V(person_relations[in->relation])), NULL);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT, "这位居民已经在这户中。");
	if (e != OK || !in->moves)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_OUT_OTHERS],
	    WITH(V(rq->who.community_id), V(in->id), V(in->person_id),
	    V(rq->now)), NULL);
	if (e == OK)
		e = db_run(rq->db, &move_sql[MOVE_UNCONTACT],
		    WITH(V(rq->who.community_id), V(in->person_id),
		    V(rq->now)), NULL);
	return e != OK ? e : home_end_of(rq, 0, in->person_id);
}

static enum err
member_add(struct req *rq)
{
	const struct member_new	*in = rq->in;
	struct household	 h;
	struct person		 p;
	enum err		 e;

	if ((e = household_reach(rq, in->id, &h)) != OK)
		return e;
	if (h.to_at != VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE, "这户已经搬离，不能再修改。");
	e = person_reach(rq, in->person_id, &p);
	if (e == ERR_ABSENT || (e == OK && p.gone_at != VIEW_NULL_INT))
		return req_field(rq, "person_id", "not_found",
		    "没有找到这位居民，请重新选择或先登记。");
	if (e != OK || (e = move_in(rq, in)) != OK)
		return e;
	audit_subject(rq, in->person_id, NULL);
	return household_answer(rq, in->id);
}

static enum err
member_remove(struct req *rq)
{
	const struct member_id	*in = rq->in;
	struct household	 h;
	enum err		 e;
	int64_t			 n;

	if ((e = household_reach(rq, in->id, &h)) != OK)
		return e;
	e = db_run(rq->db, &move_sql[MOVE_OUT],
	    WITH(V(rq->who.community_id), V(in->id), V(in->person_id),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return ERR_ABSENT;
	audit_thing(rq, "household", in->id);
	audit_subject(rq, in->person_id, NULL);
	e = db_run(rq->db, &move_sql[MOVE_UNCONTACT],
	    WITH(V(rq->who.community_id), V(in->person_id), V(rq->now)),
	    NULL);
	return e != OK ? e : home_end_of(rq, in->id, in->person_id);
}

static const struct route household_write_routes[] = {
	{ POST, "/api/v1/households", PERSON_WRITERS, &household_new_shape,
	    REPLY_ONE, &household_view, 201, POOL_API, TX_WRITE,
	    household_add, "A household of a dwelling" },
	{ PATCH, "/api/v1/households/{id}", PERSON_WRITERS,
	    &household_patch_shape,
	    REPLY_ONE, &household_view, 200, POOL_API, TX_WRITE,
	    household_patch, "Tenancy, contact, or that all moved out" },
	{ POST, "/api/v1/households/{id}/members", PERSON_WRITERS,
	    &member_new_shape,
	    REPLY_ONE, &household_view, 201, POOL_API, TX_WRITE,
	    member_add, "A person joins the household" },
	{ DELETE, "/api/v1/households/{id}/members/{person_id}",
	    PERSON_WRITERS, &member_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    member_remove, "A person moved out" },
	{ 0 }
};

void
household_write_register(void)
{
	db_register(move_sql, MOVE_SQL_MAX);
	route_register("households", household_write_routes);
}
