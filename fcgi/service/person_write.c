/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person_write.c -- persons as the desk, a visit or they themselves say.
 *
 * Whoever writes says where it is from, of which day, and on which ground;
 * a number that stands here already is refused without a word on whose.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "base/idcard.h"
#include "base/text.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/home.h"
#include "service/household.h"
#include "service/person_internal.h"
#include "service/service.h"

#define NUMBER_MIN	5
#define NUMBER_MAX	20

struct person_new {
	const char	*name;
	int64_t		 sex;
	int64_t		 born;
	int64_t		 id_type;
	const char	*id_number;
	const char	*phone;
	int64_t		 household_id;
	int64_t		 relation;
	int64_t		 source;
	int64_t		 ground;
	int64_t		 as_of;
};

static const struct field person_new_fields[] = {
	F_TEXT(person_new, name, "姓名", MUST, 1, 40),
	F_ENUM(person_new, sex, "性别", MAY, person_sexes),
	F_INT(person_new, born, "出生日期", MAY, 18000101, 21991231),
	F_ENUM(person_new, id_type, "证件类型", MAY, person_id_types),
	F_TEXT(person_new, id_number, "证件号码", MAY, 1, 40),
	F_PHONE(person_new, phone, "手机号码", MAY),
	F_ID(person_new, household_id, "住户", MAY),
	F_ENUM(person_new, relation, "与户主关系", MAY, person_relations),
	F_ENUM(person_new, source, "信息来源", MUST, person_sources),
	F_ENUM(person_new, ground, "采集依据", MUST, person_grounds),
	F_INT(person_new, as_of, "了解日期", MAY, 0, 99999999),
	F_END
};
static const struct shape person_new_shape = SHAPE(person_new, "PersonNew");

struct person_patch {
	int64_t		 id;
	const char	*name;
	int64_t		 sex;
	int64_t		 born;
	int64_t		 id_type;
	const char	*id_number;
	const char	*phone;
	bool		 gone;
	int64_t		 source;
	int64_t		 ground;
	int64_t		 as_of;
};

static const struct field person_patch_fields[] = {
	F_ID(person_patch, id, "居民", MUST),
	F_TEXT(person_patch, name, "姓名", MAY, 1, 40),
	F_ENUM(person_patch, sex, "性别", MAY, person_sexes),
	F_INT(person_patch, born, "出生日期", MAY, 18000101, 21991231),
	F_ENUM(person_patch, id_type, "证件类型", MAY, person_id_types),
	F_TEXT(person_patch, id_number, "证件号码", MAY, 1, 40),
	F_PHONE(person_patch, phone, "手机号码", FIELD_NULL),
	F_BOOL(person_patch, gone, "已故", MAY),
	F_ENUM(person_patch, source, "信息来源", MUST, person_sources),
	F_ENUM(person_patch, ground, "采集依据", MUST, person_grounds),
	F_INT(person_patch, as_of, "了解日期", MAY, 0, 99999999),
	F_END
};
static const struct shape person_patch_shape =
    SHAPE(person_patch, "PersonPatch");

struct person_place {
	int64_t		 dwelling_id;
};

static const struct view_column person_place_columns[] = {
	C_ID(person_place, dwelling_id),
	C_END
};
static const struct view person_place_view =
    VIEW(person_place, "PersonPlace");

enum { WRITE_ADD, WRITE_JOIN, WRITE_HOME, WRITE_PATCH, WRITE_FACT,
	WRITE_GONE_MEMBER, WRITE_GONE_NEED, WRITE_GONE_CONTACT,
	WRITE_SQL_MAX };

static struct stmt write_sql[] = {
	[WRITE_ADD] = { RW, 16, NULL,
	    "INSERT INTO person (community_id, id, name, sex, born,"
	    " id_type, id_number, id_index, id_mask, phone, phone_index,"
	    " phone_mask, source, ground, as_of, created_at, updated_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
	    " $13, $14, $15, $16, $16)", NULL, 0 },
	[WRITE_JOIN] = { RW, 5, NULL,
	    "INSERT INTO member (community_id, household_id, person_id,"
	    " from_at, relation) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[WRITE_HOME] = { RO, 2, &person_place_view,
	    "SELECT dwelling_id FROM household WHERE community_id = $1"
	    " AND id = $2 AND to_at IS NULL", NULL, 0 },
	[WRITE_PATCH] = { RW, 15, NULL,
	    "UPDATE person SET name = COALESCE($3, name),"
	    " sex = COALESCE($4, sex), born = COALESCE($5, born),"
	    " id_type = COALESCE($6, id_type),"
	    " id_number = COALESCE($7, id_number),"
	    " id_index = COALESCE($8, id_index),"
	    " id_mask = COALESCE($9, id_mask),"
	    " phone = CASE WHEN CAST($10 AS BIGINT) = 1"
	    " THEN CAST($11 AS TEXT) ELSE phone END,"
	    " phone_index = CASE WHEN CAST($10 AS BIGINT) = 1"
	    " THEN CAST($12 AS TEXT) ELSE phone_index END,"
	    " phone_mask = CASE WHEN CAST($10 AS BIGINT) = 1"
	    " THEN CAST($13 AS TEXT) ELSE phone_mask END,"
	    " updated_at = $15, gone_at = CASE WHEN CAST($14 AS BIGINT) > 0"
	    " THEN CAST($14 AS BIGINT) ELSE gone_at END"
	    " WHERE community_id = $1 AND id = $2 AND gone_at IS NULL",
	    NULL, 0 },
	[WRITE_FACT] = { RW, 8, NULL,
	    "INSERT INTO person_fact (community_id, person_id, field,"
	    " source, ground, as_of, by_id, at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	    " ON CONFLICT (community_id, person_id, field) DO UPDATE SET"
	    " source = excluded.source, ground = excluded.ground,"
	    " as_of = excluded.as_of, by_id = excluded.by_id,"
	    " at = excluded.at", NULL, 0 },
	[WRITE_GONE_MEMBER] = { RW, 3, NULL,
	    "UPDATE member SET to_at = $3 WHERE community_id = $1"
	    " AND person_id = $2 AND to_at IS NULL", NULL, 0 },
	[WRITE_GONE_NEED] = { RW, 3, NULL,
	    "UPDATE need SET ended_at = $3 WHERE community_id = $1"
	    " AND person_id = $2 AND ended_at IS NULL", NULL, 0 },
	[WRITE_GONE_CONTACT] = { RW, 3, NULL,
	    "UPDATE household SET contact_id = NULL, updated_at = $3"
	    " WHERE community_id = $1 AND contact_id = $2", NULL, 0 },
};

/* Number and phone as they are kept. */
struct kept {
	const char	*type, *number, *number_index, *number_mask;
	const char	*phone, *phone_index, *phone_mask;
	struct value	 sex, born;
	const char	*notice;
};

static enum err
check_born(struct req *rq, int64_t born)
{
	if (idcard_day(born) && born <= person_today(rq) &&
	    idcard_age(born, person_today(rq)) <= 130)
		return OK;
	return req_field(rq, "born", "format",
	    "出生日期应为真实的、不晚于今天的日期，例如 19480312。");
}

static enum err
keep_citizen(struct req *rq, const char *number, const char **ret,
    struct kept *k)
{
	struct idcard		*c = ARENA_NEW(rq->arena, struct idcard);
	enum idcard_fault	 fault = idcard_read(number,
				    person_today(rq), c);
	const char		*sex = c->female ? "female" : "male";

	if (fault != IDCARD_GOOD)
		return req_field(rq, "id_number", idcard_code(fault),
		    idcard_detail(fault));
	if (k->sex.kind == VALUE_TEXT && strcmp(k->sex.s, sex) != 0)
		return req_field(rq, "sex", "mismatch",
		    "性别与身份证号码不一致，请核对。");
	if (k->born.kind == VALUE_INT && k->born.i != c->born)
		return req_field(rq, "born", "mismatch",
		    "出生日期与身份证号码不一致，请核对。");
	k->sex = V(sex);
	k->born = V(c->born);
	if (!c->area_known)
		k->notice = "证件号码的地区代码不在名录中，号码已保存，"
		    "请再核对一遍证件。";
	*ret = c->number;
	return OK;
}

/* Passports and others: letters and digits, as long as such numbers are. */
static enum err
keep_other(struct req *rq, const char *number, const char **ret)
{
	char	*tidy = arena_take(rq->arena, NUMBER_MAX + 1);
	size_t	 n = text_narrow(number, tidy, NUMBER_MAX + 1), i;

	for (i = 0; i < n && n <= NUMBER_MAX; i++) {
		if (tidy[i] >= 'a' && tidy[i] <= 'z')
			tidy[i] -= 'a' - 'A';
		if (!((tidy[i] >= '0' && tidy[i] <= '9') ||
		    (tidy[i] >= 'A' && tidy[i] <= 'Z')))
			n = 0;
	}
	if (n < NUMBER_MIN || n > NUMBER_MAX)
		return req_field(rq, "id_number", "format",
		    "证件号码应为 5 到 20 位字母或数字，请对照证件核对。");
	*ret = tidy;
	return OK;
}

static enum err
keep_number(struct req *rq, const char *type, const char *number,
    struct kept *k)
{
	const char	*tidy = NULL;
	enum err	 e;

	if (number == NULL)
		return OK;
	if (strcmp(type, "citizen") == 0 || strcmp(type, "permit") == 0)
		e = keep_citizen(rq, number, &tidy, k);
	else
		e = keep_other(rq, number, &tidy);
	if (e != OK)
		return e;
	k->type = type;
	k->number = crypt_seal(rq->arena, "id_number", tidy);
	k->number_index = crypt_index(rq->arena, "id_number",
	    arena_fmt(rq->arena, "%s:%s", type, tidy));
	k->number_mask = text_mask_id(rq->arena, tidy);
	return OK;
}

static void
keep_phone(struct req *rq, const char *phone, struct kept *k)
{
	if (phone == NULL)
		return;
	k->phone = crypt_seal(rq->arena, "phone", phone);
	k->phone_index = crypt_index(rq->arena, "phone", phone);
	k->phone_mask = text_mask_phone(rq->arena, phone);
}

/* Sex and day of birth as given, then the number that must agree. */
static enum err
keep(struct req *rq, int64_t sex, int64_t born, int64_t type,
    const char *number, const char *phone, struct kept *k)
{
	enum err	e;

	*k = (struct kept){ .sex = VNULL, .born = VNULL };
	if (field_given(rq, "sex"))
		k->sex = V(person_sexes[sex]);
	if (field_given(rq, "born")) {
		if ((e = check_born(rq, born)) != OK)
			return e;
		k->born = V(born);
	}
	keep_phone(rq, phone, k);
	return keep_number(rq, person_id_types[type], number, k);
}

static enum err
number_taken(struct req *rq)
{
	return req_field_as(rq, ERR_CONFLICT, "id_number", "taken",
	    "这个证件号码已经登记过。请核对号码；如果无误，请先按证件号码"
	    "查找已有档案，在那里修改。");
}

/* The household is the caller's to write to. */
static enum err
check_home(struct req *rq, const struct person_new *in)
{
	struct person_place	home;
	enum err		e;

	if (in->household_id == 0)
		return scope_wide(rq) ? OK : req_field(rq, "household_id",
		    "required", "请选择住户。");
	if (!field_given(rq, "relation"))
		return req_field(rq, "relation", "required",
		    "请选择与户主关系。");
	e = db_one(rq->db, rq->arena, &write_sql[WRITE_HOME],
	    WITH(V(rq->who.community_id), V(in->household_id)), &home);
	if (e == OK)
		e = scope_dwelling(rq, home.dwelling_id);
	if (e == ERR_ABSENT)
		return req_field(rq, "household_id", "not_found",
		    "没有找到这个住户，请重新选择。");
	return e;
}

static enum err
person_add(struct req *rq)
{
	const struct person_new	*in = rq->in;
	int64_t			 id = id_new(), as_of = in->as_of;
	struct kept		 k;
	enum err		 e;

	if ((e = person_as_of(rq, &as_of)) != OK ||
	    (e = keep(rq, in->sex, in->born, in->id_type, in->id_number,
	    in->phone, &k)) != OK || (e = check_home(rq, in)) != OK)
		return e;
	e = db_run(rq->db, &write_sql[WRITE_ADD],
	    WITH(V(rq->who.community_id), V(id), V(in->name), k.sex, k.born,
	    V(k.type), V(k.number), V(k.number_index), V(k.number_mask),
	    V(k.phone), V(k.phone_index), V(k.phone_mask),
	    V(person_sources[in->source]), V(person_grounds[in->ground]),
	    V(as_of), V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return number_taken(rq);
	if (e == OK && in->household_id != 0)
		e = household_hold(rq, in->household_id);
	if (e == OK && in->household_id != 0)
		e = db_run(rq->db, &write_sql[WRITE_JOIN],
		    WITH(V(rq->who.community_id), V(in->household_id), V(id),
		    V(rq->now), V(person_relations[in->relation])), NULL);
	return e != OK ? e : person_answer(rq, id, k.notice);
}

/* Each field that was said stands with its own source and day. */
static enum err
write_facts(struct req *rq, const struct person_patch *in, int64_t as_of)
{
	static const char *const	 names[] = { "name", "sex", "born",
	    "id_number", "phone" };
	bool				 number = in->id_number != NULL &&
	    in->id_type <= 1;
	enum err			 e = OK;
	size_t				 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && e == OK; i++) {
		if (!field_given(rq, names[i]) &&
		    !(number && (i == 1 || i == 2)))
			continue;
		e = db_run(rq->db, &write_sql[WRITE_FACT],
		    WITH(V(rq->who.community_id), V(in->id), V(names[i]),
		    V(person_sources[in->source]),
		    V(person_grounds[in->ground]), V(as_of),
		    V(rq->who.user_id), V(rq->now)), NULL);
	}
	return e;
}

/* Who died leaves home, needs and the contact's place. */
static enum err
let_go(struct req *rq, int64_t id)
{
	static const int	steps[] = { WRITE_GONE_MEMBER,
	    WRITE_GONE_NEED, WRITE_GONE_CONTACT };
	enum err		e = OK;
	size_t			i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && e == OK; i++)
		e = db_run(rq->db, &write_sql[steps[i]],
		    WITH(V(rq->who.community_id), V(id), V(rq->now)), NULL);
	return e != OK ? e : home_end_of(rq, 0, id);
}

static enum err
write_patch(struct req *rq, const struct person_patch *in, struct kept *k)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &write_sql[WRITE_PATCH],
	    WITH(V(rq->who.community_id), V(in->id), V(in->name), k->sex,
	    k->born, V(k->type), V(k->number), V(k->number_index),
	    V(k->number_mask), V(field_given(rq, "phone")), V(k->phone),
	    V(k->phone_index), V(k->phone_mask),
	    V(in->gone ? rq->now : (int64_t)0), V(rq->now)), &n);
	if (e == ERR_UNIQUE)
		return number_taken(rq);
	if (e == OK && n == 0)
		return ERR_ABSENT;
	return e;
}

/* A number known already must agree with what is said now. */
static enum err
check_known(struct req *rq, const struct person *p, const struct kept *k)
{
	bool	citizen = p->id_number != NULL && p->id_type != NULL &&
		    (strcmp(p->id_type, "citizen") == 0 ||
		    strcmp(p->id_type, "permit") == 0);

	if (k->number != NULL || !citizen)
		return OK;
	if (k->born.kind == VALUE_INT && k->born.i != p->born)
		return req_field(rq, "born", "mismatch",
		    "出生日期与已登记的身份证号码不一致，请先核对号码。");
	if (k->sex.kind == VALUE_TEXT && p->sex != NULL &&
	    strcmp(k->sex.s, p->sex) != 0)
		return req_field(rq, "sex", "mismatch",
		    "性别与已登记的身份证号码不一致，请先核对号码。");
	return OK;
}

static enum err
person_patch(struct req *rq)
{
	const struct person_patch	*in = rq->in;
	int64_t				 as_of = in->as_of;
	struct person			 p;
	struct kept			 k;
	enum err			 e;

	if ((e = person_reach(rq, in->id, &p)) != OK ||
	    (e = person_as_of(rq, &as_of)) != OK ||
	    (e = keep(rq, in->sex, in->born, in->id_type, in->id_number,
	    in->phone, &k)) != OK || (e = check_known(rq, &p, &k)) != OK)
		return e;
	if (in->gone && !scope_wide(rq))
		return req_fail(rq, ERR_FORBIDDEN,
		    "注销居民由社区窗口办理，请联系社区工作人员。");
	if ((e = write_patch(rq, in, &k)) != OK ||
	    (e = write_facts(rq, in, as_of)) != OK ||
	    (in->gone && (e = let_go(rq, in->id)) != OK))
		return e;
	return person_answer(rq, in->id, k.notice);
}

static const struct route write_routes[] = {
	{ POST, "/api/v1/persons", PERSON_WRITERS, &person_new_shape,
	    REPLY_ONE, &person_view, 201, POOL_API, TX_WRITE,
	    person_add, "Enter a person, into a household or without" },
	{ PATCH, "/api/v1/persons/{id}", PERSON_WRITERS,
	    &person_patch_shape,
	    REPLY_ONE, &person_view, 200, POOL_API, TX_WRITE,
	    person_patch, "Correct a person; each field keeps its source" },
	{ 0 }
};

void
person_write_register(void)
{
	db_register(write_sql, WRITE_SQL_MAX);
	route_register("persons", write_routes);
}
