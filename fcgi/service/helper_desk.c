/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper_desk.c -- helpers of somebody who has no phone, at the desk.
 *
 * The service hall enters the grant in the elder's presence and notes who
 * was there.  An elder without an account gets one that nobody can log in
 * to, with the home and an address, so that there is somebody to act for.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "http/acting.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/helper.h"
#include "service/home.h"
#include "service/scope.h"
#include "service/user.h"

static const struct field desk_new_fields[] = {
	F_ID(helper_new, id, "住户", MUST),
	F_PHONE(helper_new, phone, "家人手机号", MUST),
	F_TEXT(helper_new, name, "家人称呼", MUST, 1, 20),
	F_CODES(helper_new, rights, "代办事项", MUST, 1, acting_rights),
	F_TIME(helper_new, until, "截止时间", MAY),
	F_TEXT(helper_new, note, "在场人员", MUST, 2, 100),
	F_END
};
static const struct shape desk_new_shape = {
	.name = "HelperDeskNew",
	.size = sizeof(struct helper_new),
	.fields = desk_new_fields,
};

struct desk_page {
	int64_t		 id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field desk_page_fields[] = {
	F_ID(desk_page, id, "住户", MUST),
	F_PAGE(desk_page),
	F_END
};
static const struct shape desk_page_shape =
    SHAPE(desk_page, "HelperDeskPage");

struct desk_id {
	int64_t		 id;
	int64_t		 helper_id;
};

static const struct field desk_id_fields[] = {
	F_ID(desk_id, id, "住户", MUST),
	F_ID(desk_id, helper_id, "代办授权", MUST),
	F_END
};
static const struct shape desk_id_shape = SHAPE(desk_id, "HelperDeskId");

/* The person and where they live, as the roster has it. */
struct desk_person {
	int64_t		 id;
	const char	*name;
	const char	*phone;
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*relation;
	const char	*tenancy;
};

static const struct view_column desk_person_columns[] = {
	C_ID(desk_person, id),
	C_TEXT(desk_person, name),
	C_TEXT(desk_person, phone, .flags = VIEW_NULL),
	C_ID(desk_person, household_id),
	C_ID(desk_person, dwelling_id),
	C_TEXT(desk_person, relation),
	C_TEXT(desk_person, tenancy),
	C_END
};
static const struct view desk_person_view =
    VIEW(desk_person, "HelperDeskPerson");

struct desk_user {
	int64_t		 id;
};

static const struct view_column desk_user_columns[] = {
	C_ID(desk_user, id),
	C_END
};
static const struct view desk_user_view = VIEW(desk_user, "HelperDeskUser");

enum { DESK_PERSON, DESK_OWN, DESK_USER, DESK_ACCOUNT, DESK_ADDRESS, DESK_LIST,
	DESK_GET, DESK_SQL_MAX };

static struct stmt desk_sql[] = {
	[DESK_PERSON] = { RO, 2, &desk_person_view,
	    "SELECT p.id, p.name, p.phone, h.id AS household_id,"
	    " h.dwelling_id, m.relation, h.tenancy FROM person p"
	    " JOIN member m ON m.community_id = p.community_id"
	    " AND m.person_id = p.id AND m.to_at IS NULL"
	    " JOIN household h ON h.community_id = m.community_id"
	    " AND h.id = m.household_id AND h.to_at IS NULL"
	    " WHERE p.community_id = $1 AND p.id = $2"
	    " AND p.gone_at IS NULL ORDER BY m.from_at DESC, h.id LIMIT 1",
	    NULL, 0 },
	[DESK_OWN] = { RO, 2, &desk_user_view,
	    "SELECT id FROM app_user WHERE id = $1 AND phone_index = $2",
	    NULL, 0 },
	[DESK_USER] = { RO, 2, &desk_user_view,
	    "SELECT t.owner_id AS id FROM home t JOIN app_user u"
	    " ON u.id = t.owner_id AND u.closed_at IS NULL"
	    " WHERE t.community_id = $1 AND t.person_id = $2"
	    " AND t.state = 'bound' ORDER BY t.id LIMIT 1", NULL, 0 },
	[DESK_ACCOUNT] = { RW, 5, NULL,
	    "INSERT INTO app_user (id, account, name, community_id,"
	    " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
	    NULL, 0 },
	[DESK_ADDRESS] = { RW, 7, NULL,
	    "INSERT INTO address (community_id, id, user_id, dwelling_id,"
	    " contact, phone, label, is_default, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, '', 1, $7)", NULL, 0 },
	[DESK_LIST] = { RO, 4, &helper_view,
	    HELPER_COLUMNS " WHERE h.community_id = $1 AND h.elder_id = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR h.id < $3)"
	    " ORDER BY h.id DESC LIMIT $4", NULL, 0 },
	[DESK_GET] = { RO, 2, &desk_user_view,
	    "SELECT elder_id AS id FROM helper WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
};

static enum err
find_person(struct req *rq, int64_t id, struct desk_person *ret)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &desk_sql[DESK_PERSON],
	    WITH(V(rq->who.community_id), V(id)), ret);
	return e != OK ? e : scope_dwelling(rq, ret->dwelling_id);
}

static enum err
find_user(struct req *rq, int64_t person_id, int64_t *ret)
{
	struct desk_user	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &desk_sql[DESK_USER],
	    WITH(V(rq->who.community_id), V(person_id)), &row);
	if (e == OK)
		*ret = row.id;
	return e;
}

/* Where things are brought; the helper is called when the elder has none. */
static enum err
add_address(struct req *rq, int64_t user_id, const struct desk_person *p,
    const char *phone)
{
	const char	*sealed = p->phone;

	if (sealed == NULL)
		sealed = crypt_seal(rq->arena, "phone", phone);
	return db_run(rq->db, &desk_sql[DESK_ADDRESS],
	    WITH(V(rq->who.community_id), V(id_new()), V(user_id),
	    V(p->dwelling_id), V(p->name), V(sealed), V(rq->now)), NULL);
}

static enum err
make_user(struct req *rq, const struct desk_person *p, const char *phone,
    int64_t *ret_id)
{
	int64_t		id = id_new(), home;
	struct home_new	in = { .owner_id = id, .dwelling_id = p->dwelling_id,
	    .via = "desk", .name = p->name, .relation = p->relation,
	    .tenancy = p->tenancy, .household_id = p->household_id,
	    .person_id = p->id };
	enum err	e;

	*ret_id = id;
	e = db_run(rq->db, &desk_sql[DESK_ACCOUNT],
	    WITH(V(id), V(arena_fmt(rq->arena, "elder-%lld", (long long)id)),
	    V(p->name), V(rq->who.community_id), V(rq->now)), NULL);
	if (e == OK)
		e = user_grant(rq, rq->who.community_id, id, "resident");
	if (e == OK)
		e = home_start(rq, "enter", &in, &home);
	/* Somebody at the next desk was faster. */
	if (e == ERR_UNIQUE)
		return ERR_CONFLICT;
	return e != OK ? e : add_address(rq, id, p, phone);
}

/* The grants of the person, as the elder would see them. */
static enum err
answer(struct req *rq, int64_t elder_id, int64_t after, int64_t limit)
{
	return req_list(rq, &desk_sql[DESK_LIST],
	    WITH(V(rq->who.community_id), V(elder_id), V(after),
	    V(limit + 1)), limit);
}

/* Nobody makes themselves the helper of whom they serve. */
static enum err
not_own(struct req *rq, const char *phone)
{
	struct desk_user	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &desk_sql[DESK_OWN],
	    WITH(V(rq->who.user_id), V(crypt_index(rq->arena, "phone",
	    phone))), &row);
	if (e == OK)
		return req_field(rq, "phone", "own", "不能把自己登记为代办人，"
		    "请填写住户家人的手机号。");
	return e == ERR_ABSENT ? OK : e;
}

static enum err
desk_add(struct req *rq)
{
	const struct helper_new	*in = rq->in;
	struct desk_person	 p;
	int64_t			 elder = 0, id;
	enum err		 e;

	if ((e = find_person(rq, in->id, &p)) != OK ||
	    (e = not_own(rq, in->phone)) != OK)
		return e;
	e = find_user(rq, p.id, &elder);
	if (e == ERR_ABSENT)
		e = make_user(rq, &p, in->phone, &elder);
	if (e == OK)
		e = helper_give(rq, elder, "desk", in, &id);
	if (e != OK)
		return e;
	audit_subject(rq, p.id, in->note);
	return answer(rq, elder, 0, 100);
}

static enum err
desk_list(struct req *rq)
{
	const struct desk_page	*in = rq->in;
	struct desk_person	 p;
	int64_t			 elder = 0;
	enum err		 e;

	if ((e = find_person(rq, in->id, &p)) != OK)
		return e;
	e = find_user(rq, p.id, &elder);
	if (e != OK && e != ERR_ABSENT)
		return e;
	return answer(rq, elder, in->after, req_limit(in->limit));
}

static enum err
desk_remove(struct req *rq)
{
	const struct desk_id	*in = rq->in;
	struct desk_person	 p;
	struct desk_user	 giver;
	int64_t			 elder = 0;
	enum err		 e;

	if ((e = find_person(rq, in->id, &p)) != OK ||
	    (e = find_user(rq, p.id, &elder)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &desk_sql[DESK_GET],
	    WITH(V(rq->who.community_id), V(in->helper_id)), &giver);
	if (e == OK && giver.id != elder)
		e = ERR_ABSENT;
	if (e != OK)
		return e;
	audit_subject(rq, p.id, "取消代办授权");
	return helper_revoke(rq, elder, in->helper_id);
}

#define DESK	(ROLE_CLERK | ROLE_ADMIN)

static const struct route desk_routes[] = {
	{ POST, "/api/v1/persons/{id}/helpers", DESK, &desk_new_shape,
	    REPLY_LIST, &helper_view, 200, POOL_API, TX_WRITE,
	    desk_add, "Enter a helper for a person who is present" },
	{ GET, "/api/v1/persons/{id}/helpers", DESK, &desk_page_shape,
	    REPLY_LIST, &helper_view, 200, POOL_API, TX_READ,
	    desk_list, "Who acts for a person" },
	{ DELETE, "/api/v1/persons/{id}/helpers/{helper_id}", DESK,
	    &desk_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    desk_remove, "End a grant for a person" },
	{ 0 }
};

void
helper_desk_register(void)
{
	db_register(desk_sql, DESK_SQL_MAX);
	route_register("helpers", desk_routes);
}
