/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payee.c -- who may bill, for what, and on which terms.
 *
 * Residents read the terms; the payee's own people change them, and what
 * was billed keeps those it was billed with.
 */
#include <string.h>

#include "base/id.h"
#include "http/audit.h"
#include "service/bill_internal.h"
#include "service/service.h"

#define KIND		"payee"		/* of an org */
#define DAY_FIRST	(-30)
#define DAY_LAST	365
#define USUAL_DAYS	"-3,0,7"

static void
payee_kinds(struct json *j, const struct req *rq, const void *row)
{
	const struct payee	*p = row;
	int			 i;

	(void)rq;
	json_list(j);
	for (i = 0; bill_kinds[i] != NULL; i++)
		if (p->kinds & INT64_C(1) << i)
			json_text(j, bill_kinds[i]);
	json_unlist(j);
}

static const char *const duties[] = { "owner", "clerk", "courier", NULL };

static const struct view_column payee_columns[] = {
	C_ID(payee, id),
	C_TEXT(payee, name),
	C_TEXT(payee, phone),
	C_TEXT(payee, contact),
	C_INT(payee, kinds, .flags = VIEW_HIDDEN),
	C_INT(payee, late_rate, .flags = VIEW_NULL,
	    .about = "1/10000 a day; null: not set, nothing is applied"),
	C_INT(payee, late_cap, .flags = VIEW_NULL,
	    .about = "percent of the principal, at most 100"),
	C_TEXT(payee, remind, .about = "days after the due day: -3,0,7"),
	C_CODE(payee, duty, duties, .flags = VIEW_NULL,
	    .about = "the caller's there"),
	C_CALC("bill_kinds", SHAPE_CODES, payee_kinds, .names = bill_kinds),
	C_END
};
static const struct view payee_view = VIEW(payee, "Payee");

struct payee_id {
	int64_t		 id;
};

static const struct field payee_id_fields[] = {
	F_ID(payee_id, id, "收费单位", MUST),
	F_END
};
static const struct shape payee_id_shape = SHAPE(payee_id, "PayeeId");

struct payee_patch {
	int64_t		 id;
	int64_t		 late_rate, late_cap;
	const char	*remind;
	const char	*contact;
};

static const struct field payee_patch_fields[] = {
	F_ID(payee_patch, id, "收费单位", MUST),
	F_INT(payee_patch, late_rate, "违约金日费率（万分之）", MAY, 0, 100),
	F_INT(payee_patch, late_cap, "违约金上限（本金的百分之）", MAY, 0, 100),
	F_TEXT(payee_patch, remind, "提醒日", MAY, 0, 60),
	F_TEXT(payee_patch, contact, "联系方式", MAY, 0, 60),
	F_END
};
static const struct shape payee_patch_shape =
    SHAPE(payee_patch, "PayeePatch");

struct payee_new {
	const char	*name;
	const char	*phone;
	int64_t		 kinds;
	const char	*contact;
	int64_t		 owner_id;
};

static const struct field payee_new_fields[] = {
	F_TEXT(payee_new, name, "名称", MUST, 2, 40),
	F_TEXT(payee_new, phone, "电话", MUST, 3, 30),
	F_CODES(payee_new, kinds, "费用类型", MUST, 1, bill_kinds),
	F_TEXT(payee_new, contact, "联系方式", MAY, 0, 60),
	F_ID(payee_new, owner_id, "负责人账号", MUST),
	F_END
};
static const struct shape payee_new_shape = SHAPE(payee_new, "PayeeNew");

struct account_in {
	int64_t		 id;
	const char	*account_no;
	int64_t		 dwelling_id;
};

static const struct field account_in_fields[] = {
	F_ID(account_in, id, "收费单位", MUST),
	F_TEXT(account_in, account_no, "户号", MUST, 1, 32),
	F_ID(account_in, dwelling_id, "房屋", MUST),
	F_END
};
static const struct shape account_shape =
    SHAPE(account_in, "PayeeAccount");

struct account {
	const char	*account_no;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*holder;
	int64_t		 bills;
};

static const struct view_column account_columns[] = {
	C_TEXT(account, account_no),
	C_ID(account, dwelling_id),
	C_TEXT(account, place),
	C_TEXT(account, holder, .about = "masked"),
	C_INT(account, bills, .about = "that found their dwelling by it"),
	C_END
};
static const struct view account_view = VIEW(account, "PayeeAccountSet");

#define PAYEE_SELECT(user)						\
	"SELECT p.id, o.name, o.phone, p.contact, p.kinds,"		\
	" p.late_rate, p.late_cap, p.remind, s.duty"			\
	" FROM payee p JOIN org o"					\
	" ON o.community_id = p.community_id AND o.id = p.id"		\
	" LEFT JOIN org_staff s ON s.community_id = p.community_id"	\
	" AND s.org_id = p.id AND s.user_id = " user			\
	" WHERE p.community_id = $1"

enum { PAYEE_GET, PAYEE_BY_NAME, PAYEE_LIST, PAYEE_MAKE, PAYEE_ORG,
	PAYEE_OWNER, PAYEE_ROLE, PAYEE_PATCH, PAYEE_ACCOUNT, PAYEE_BILLS,
	PAYEE_SEEN, PAYEE_SQL_MAX };

static struct stmt payee_sql[] = {
	[PAYEE_GET] = { RO, 3, &payee_view,
	    PAYEE_SELECT("$2") " AND p.id = $3", NULL, 0 },
	[PAYEE_BY_NAME] = { RO, 2, &payee_view,
	    PAYEE_SELECT("0") " AND o.name = $2 ORDER BY p.id LIMIT 1",
	    NULL, 0 },
	[PAYEE_LIST] = { RO, 2, &payee_view,
	    PAYEE_SELECT("$2") " AND o.closed_at IS NULL ORDER BY p.id"
	    " LIMIT 200", NULL, 0 },
	[PAYEE_MAKE] = { RW, 6, NULL,
	    "INSERT INTO payee (community_id, id, kinds, contact, remind,"
	    " updated_at) VALUES ($1, $2, $3, $4, $5, $6)", NULL, 0 },
	[PAYEE_ORG] = { RW, 6, NULL,
	    "INSERT INTO org (community_id, id, kind, name, phone, place,"
	    " created_at) VALUES ($1, $2, $3, $4, $5, '', $6)", NULL, 0 },
	[PAYEE_OWNER] = { RW, 4, NULL,
	    "INSERT INTO org_staff (community_id, org_id, user_id, duty,"
	    " since) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), u.id,"
	    " 'owner', CAST($4 AS BIGINT) FROM app_user u WHERE u.id = $3"
	    " AND u.closed_at IS NULL AND (u.community_id = $1"
	    " OR u.staff_of = $1)", NULL, 0 },
	[PAYEE_ROLE] = { RW, 3, NULL,
	    "INSERT INTO user_role (community_id, user_id, role, granted_at)"
	    " VALUES ($1, $2, 'property', $3)"
	    " ON CONFLICT (community_id, user_id, role) DO NOTHING",
	    NULL, 0 },
	[PAYEE_PATCH] = { RW, 8, NULL,
	    "UPDATE payee SET late_rate = COALESCE($4, late_rate),"
	    " late_cap = COALESCE($5, late_cap),"
	    " remind = COALESCE($6, remind),"
	    " contact = COALESCE($7, contact), updated_at = $8"
	    " WHERE community_id = $1 AND id = $3 AND EXISTS (SELECT 1"
	    " FROM org_staff f WHERE f.community_id = $1"
	    " AND f.org_id = payee.id AND f.user_id = $2"
	    " AND f.duty <> 'courier')", NULL, 0 },
	[PAYEE_ACCOUNT] = { RW, 5, NULL,
	    "INSERT INTO bill_account (community_id, payee_id, account_no,"
	    " dwelling_id, holder_mask, batch_id, updated_at)"
	    " SELECT p.community_id, CAST($2 AS BIGINT), CAST($3 AS TEXT),"
	    " p.id, '', 0, CAST($5 AS BIGINT) FROM place p"
	    " WHERE p.community_id = $1 AND p.id = $4"
	    " AND p.kind = 'dwelling'"
	    " ON CONFLICT (community_id, payee_id, account_no) DO UPDATE"
	    " SET dwelling_id = excluded.dwelling_id, batch_id = 0,"
	    " updated_at = excluded.updated_at", NULL, 0 },
	/* Bills keep the dwelling they were sent to. */
	[PAYEE_BILLS] = { RW, 5, NULL,
	    "UPDATE bill SET dwelling_id = $4, place = (SELECT p.full_name"
	    " FROM place p WHERE p.community_id = $1 AND p.id = $4),"
	    " updated_at = $5 WHERE community_id = $1 AND payee_id = $2"
	    " AND account_no = $3 AND dwelling_id IS NULL"
	    " AND state <> 'undone'", NULL, 0 },
	[PAYEE_SEEN] = { RO, 4, &account_view,
	    "SELECT a.account_no, a.dwelling_id, p.full_name AS place,"
	    " a.holder_mask AS holder, CAST($4 AS BIGINT) AS bills"
	    " FROM bill_account a JOIN place p"
	    " ON p.community_id = a.community_id AND p.id = a.dwelling_id"
	    " WHERE a.community_id = $1 AND a.payee_id = $2"
	    " AND a.account_no = $3", NULL, 0 },
};

void
payee_sql_register(void)
{
	db_register(payee_sql, PAYEE_SQL_MAX);
}

/* ---- for others ---- */

enum err
payee_mine(struct req *rq, int64_t id, struct payee *ret)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &payee_sql[PAYEE_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), ret);
	if (e == OK && (!bill_is_staff(rq) || ret->duty == NULL ||
	    strcmp(ret->duty, "courier") == 0))
		e = ERR_ABSENT;
	return e;
}

enum err
payee_find(struct req *rq, int64_t community_id, int64_t id,
    const char *name, struct payee *ret)
{
	if (id == 0)
		return db_one(rq->db, rq->arena, &payee_sql[PAYEE_BY_NAME],
		    WITH(V(community_id), V(name)), ret);
	return db_one(rq->db, rq->arena, &payee_sql[PAYEE_GET],
	    WITH(V(community_id), V(0), V(id)), ret);
}

int
payee_days(const char *s, int64_t ret[PAYEE_DAYS])
{
	int64_t	v, last = DAY_FIRST - 1;
	int	n = 0, digits, sign;

	if (*s == '\0')
		return 0;
	for (;; s++) {
		sign = *s == '-' ? -1 : 1;
		s += *s == '-';
		for (v = 0, digits = 0; *s >= '0' && *s <= '9' && digits < 3;
		    s++, digits++)
			v = v * 10 + (*s - '0');
		v *= sign;
		if (digits == 0 || v <= last || v > DAY_LAST ||
		    n == PAYEE_DAYS)
			return -1;
		ret[n++] = last = v;
		if (*s == '\0')
			return n;
		if (*s != ',')
			return -1;
	}
}

enum err
payee_make(struct req *rq, int64_t community_id, int64_t org_id,
    int64_t kinds, const char *contact)
{
	return db_run(rq->db, &payee_sql[PAYEE_MAKE], WITH(V(community_id),
	    V(org_id), V(kinds), V(contact), V(USUAL_DAYS), V(rq->now)),
	    NULL);
}

/* ---- handlers ---- */

static enum err
answer(struct req *rq, int64_t id)
{
	struct payee	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &payee_sql[PAYEE_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
payee_list(struct req *rq)
{
	return req_list(rq, &payee_sql[PAYEE_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id)), 0);
}

static enum err
payee_get(struct req *rq)
{
	return answer(rq, ((const struct payee_id *)rq->in)->id);
}

static enum err
payee_add(struct req *rq)
{
	const struct payee_new	*in = rq->in;
	int64_t			 community = rq->who.community_id;
	int64_t			 id = id_new(), n;
	enum err		 e;

	e = db_run(rq->db, &payee_sql[PAYEE_ORG], WITH(V(community), V(id),
	    V(KIND), V(in->name), V(in->phone), V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "已有同名的收费单位，请直接修改它。");
	if (e != OK || (e = payee_make(rq, community, id, in->kinds,
	    in->contact != NULL ? in->contact : in->phone)) != OK)
		return e;
	e = db_run(rq->db, &payee_sql[PAYEE_OWNER], WITH(V(community),
	    V(id), V(in->owner_id), V(rq->now)), &n);
	if (e == OK && n == 0)
		return req_field(rq, "owner_id", "not_found",
		    "本社区没有这个账号，请先建立账号。");
	if (e == OK)
		e = db_run(rq->db, &payee_sql[PAYEE_ROLE],
		    WITH(V(community), V(in->owner_id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	audit_thing(rq, "payee", id);
	return answer(rq, id);
}

static struct value
sent(const struct req *rq, const char *field, int64_t v)
{
	return field_given(rq, field) ? V(v) : VNULL;
}

static enum err
payee_patch(struct req *rq)
{
	const struct payee_patch *in = rq->in;
	int64_t			  days[PAYEE_DAYS], n;
	enum err		  e;

	if (in->remind != NULL && payee_days(in->remind, days) < 0)
		return req_field(rq, "remind", "format", "提醒日请从小到大写成"
		    " -3,0,7 的形式（应缴日前后的天数，-30 到 365，最多 8 个）。");
	e = db_run(rq->db, &payee_sql[PAYEE_PATCH],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    sent(rq, "late_rate", in->late_rate),
	    sent(rq, "late_cap", in->late_cap), V(in->remind),
	    V(in->contact), V(rq->now)), &n);
	if (e != OK || n == 0)
		return e != OK ? e : ERR_ABSENT;
	audit_thing(rq, "payee", in->id);
	return answer(rq, in->id);
}

static enum err
payee_account(struct req *rq)
{
	const struct account_in	*in = rq->in;
	int64_t			 community = rq->who.community_id, n, bills;
	struct account		 row;
	struct payee		 p;
	enum err		 e;

	if ((e = payee_mine(rq, in->id, &p)) != OK)
		return e;
	e = db_run(rq->db, &payee_sql[PAYEE_ACCOUNT], WITH(V(community),
	    V(in->id), V(in->account_no), V(in->dwelling_id), V(rq->now)),
	    &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_field(rq, "dwelling_id", "not_found",
		    "没有找到这套房屋。");
	e = db_run(rq->db, &payee_sql[PAYEE_BILLS], WITH(V(community),
	    V(in->id), V(in->account_no), V(in->dwelling_id), V(rq->now)),
	    &bills);
	if (e == OK)
		e = db_one(rq->db, rq->arena, &payee_sql[PAYEE_SEEN],
		    WITH(V(community), V(in->id), V(in->account_no),
		    V(bills)), &row);
	if (e != OK)
		return e;
	audit_thing(rq, "payee", in->id);
	return req_one(rq, &row);
}

#define READERS	(ROLE_RESIDENT | BILL_STAFF_ROLES | ROLE_ADMIN | ROLE_CLERK)

static const struct route payee_routes[] = {
	{ GET, "/api/v1/payees", READERS, NULL,
	    REPLY_LIST, &payee_view, 200, POOL_API, TX_READ,
	    payee_list, "Who bills here, and on which terms" },
	{ POST, "/api/v1/payees", ROLE_ADMIN, &payee_new_shape,
	    REPLY_ONE, &payee_view, 201, POOL_API, TX_WRITE,
	    payee_add, "Add a payee and who is responsible" },
	{ GET, "/api/v1/payees/{id}", READERS, &payee_id_shape,
	    REPLY_ONE, &payee_view, 200, POOL_API, TX_READ,
	    payee_get, "One payee" },
	{ PATCH, "/api/v1/payees/{id}", BILL_STAFF_ROLES,
	    &payee_patch_shape,
	    REPLY_ONE, &payee_view, 200, POOL_API, TX_WRITE,
	    payee_patch, "Set late fee, cap, reminders, contact" },
	{ PUT, "/api/v1/payees/{id}/accounts", BILL_STAFF_ROLES,
	    &account_shape,
	    REPLY_ONE, &account_view, 200, POOL_API, TX_WRITE,
	    payee_account, "Say which dwelling an account number is for" },
	{ 0 }
};

void
payee_register(void)
{
	route_register("bills", payee_routes);
}
