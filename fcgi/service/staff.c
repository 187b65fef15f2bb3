/* SPDX-License-Identifier: Apache-2.0 */
/*
 * staff.c -- accounts of staff, as the admin of a community sees them.
 *
 * An account is seen where it was made and where it holds a role; but what
 * it logs in with may be changed only by who answers for all its roles, or
 * an admin of one community could become staff of another.
 */
#include <string.h>

#include "base/arena.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/password.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/credential.h"
#include "service/service.h"
#include "service/user.h"
#include "store/redis.h"

#define ACCOUNT_MIN	3
#define ACCOUNT_MAX	64

struct staff {
	int64_t		 id;
	const char	*account;
	const char	*name;
	const char	*phone;
	int64_t		 admin;
	int64_t		 clerk;
	int64_t		 wechat;
	int64_t		 totp;
	int64_t		 must_change;
	int64_t		 locked_until;
	int64_t		 created_at;
	int64_t		 closed_at;
	int64_t		 elsewhere;
};

static const struct view_column staff_columns[] = {
	C_ID(staff, id),
	C_TEXT(staff, account),
	C_TEXT(staff, name),
	C_PHONE(staff, phone, .flags = VIEW_NULL),
	C_BOOL(staff, admin, .about = "of this community"),
	C_BOOL(staff, clerk, .about = "of this community"),
	C_BOOL(staff, wechat, .about = "also a resident with WeChat"),
	C_BOOL(staff, totp, .about = "has a second factor"),
	C_BOOL(staff, must_change, .about = "the password, at log-in"),
	C_TIME(staff, locked_until, .flags = VIEW_NULL),
	C_TIME(staff, created_at),
	C_TIME(staff, closed_at, .flags = VIEW_NULL),
	C_INT(staff, elsewhere, .flags = VIEW_HIDDEN),
	C_END
};
static const struct view staff_view = VIEW(staff, "Staff");

struct staff_password {
	int64_t		 id;
	const char	*account;
	const char	*password;
};

static const struct view_column staff_password_columns[] = {
	C_ID(staff_password, id),
	C_TEXT(staff_password, account),
	C_TEXT(staff_password, password,
	    .about = "for one log-in; shown only now"),
	C_END
};
static const struct view staff_password_view =
    VIEW(staff_password, "StaffPassword");

struct staff_count {
	int64_t		 n;
};

static const struct view_column staff_count_columns[] = {
	C_INT(staff_count, n),
	C_END
};
static const struct view staff_count_view =
    VIEW(staff_count, "StaffCount");

struct staff_list {
	bool		 closed;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field staff_list_fields[] = {
	F_BOOL(staff_list, closed, "已停用", MAY),
	F_PAGE(staff_list),
	F_END
};
static const struct shape staff_list_shape = SHAPE(staff_list, "StaffList");

struct staff_id {
	int64_t		 id;
};

static const struct field staff_id_fields[] = {
	F_ID(staff_id, id, "账号", MUST),
	F_END
};
static const struct shape staff_id_shape = SHAPE(staff_id, "StaffId");
static const struct shape staff_reset_shape = SHAPE(staff_id, "StaffReset");
static const struct shape staff_unlock_shape =
    SHAPE(staff_id, "StaffUnlock");
static const struct shape staff_sessions_shape =
    SHAPE(staff_id, "StaffSessions");
static const struct shape staff_totp_shape = SHAPE(staff_id, "StaffTotp");

struct staff_new {
	const char	*account;
	const char	*name;
	const char	*phone;
	bool		 admin;
	bool		 clerk;
};

static const struct field staff_new_fields[] = {
	F_TEXT(staff_new, account, "账号", MUST, ACCOUNT_MIN, ACCOUNT_MAX),
	F_TEXT(staff_new, name, "姓名", MUST, 1, 20),
	F_PHONE(staff_new, phone, "手机号", MAY),
	F_BOOL(staff_new, admin, "管理员", MAY),
	F_BOOL(staff_new, clerk, "办事员", MAY),
	F_END
};
static const struct shape staff_new_shape = SHAPE(staff_new, "StaffNew");

struct staff_patch {
	int64_t		 id;
	const char	*name;
	const char	*phone;
	bool		 closed;
};

static const struct field staff_patch_fields[] = {
	F_ID(staff_patch, id, "账号", MUST),
	F_TEXT(staff_patch, name, "姓名", MAY, 1, 20),
	F_PHONE(staff_patch, phone, "手机号", MAY),
	F_BOOL(staff_patch, closed, "停用", MAY),
	F_END
};
static const struct shape staff_patch_shape =
    SHAPE(staff_patch, "StaffPatch");

struct staff_roles {
	int64_t		 id;
	bool		 admin;
	bool		 clerk;
};

static const struct field staff_roles_fields[] = {
	F_ID(staff_roles, id, "账号", MUST),
	F_BOOL(staff_roles, admin, "管理员", MUST),
	F_BOOL(staff_roles, clerk, "办事员", MUST),
	F_END
};
static const struct shape staff_roles_shape =
    SHAPE(staff_roles, "StaffRoles");

/* $1 community, $2 whether the caller sees all, $3 now */
#define HOLDS(role)							\
	" CASE WHEN EXISTS (SELECT 1 FROM user_role r"			\
	" WHERE r.community_id = $1 AND r.user_id = u.id"		\
	" AND r.role = '" role "') THEN 1 ELSE 0 END AS " role ","
#define STAFF_SELECT							\
	"SELECT u.id, u.account, u.name, u.staff_phone AS phone,"	\
	HOLDS("admin") HOLDS("clerk")					\
	" CASE WHEN u.openid IS NULL THEN 0 ELSE 1 END AS wechat,"	\
	" CASE WHEN u.totp IS NULL THEN 0 ELSE 1 END AS totp,"		\
	" u.must_change, (SELECT MAX(g.locked_until) FROM login_guard g" \
	" WHERE g.user_id = u.id AND g.locked_until > $3)"		\
	" AS locked_until, u.created_at, u.closed_at,"			\
	" CASE WHEN CAST($2 AS BIGINT) = 1 OR (u.staff_of = $1"		\
	" AND NOT EXISTS (SELECT 1 FROM user_role o"			\
	" WHERE o.user_id = u.id AND o.role <> 'resident'"		\
	" AND o.community_id <> $1)) THEN 0 ELSE 1 END AS elsewhere"	\
	" FROM app_user u WHERE u.account IS NOT NULL"			\
	" AND (CAST($2 AS BIGINT) = 1 OR ((u.staff_of = $1"		\
	" OR EXISTS (SELECT 1 FROM user_role h WHERE h.community_id = $1" \
	" AND h.user_id = u.id AND h.role <> 'resident'))"		\
	" AND NOT EXISTS (SELECT 1 FROM user_role p"			\
	" WHERE p.community_id = 0 AND p.user_id = u.id)))"

enum { STAFF_LIST, STAFF_GET, STAFF_ADD, STAFF_PATCH, STAFF_CLOSE,
	STAFF_OPEN, STAFF_LOCK, STAFF_UNGRANT, STAFF_LAST, STAFF_SQL_MAX };

static struct stmt staff_sql[] = {
	[STAFF_LIST] = { RO, 6, &staff_view,
	    STAFF_SELECT " AND u.id > $4 AND (u.closed_at IS NOT NULL)"
	    " = (CAST($5 AS BIGINT) = 1) ORDER BY u.id LIMIT $6", NULL, 0 },
	[STAFF_GET] = { RO, 4, &staff_view,
	    STAFF_SELECT " AND u.id = $4", NULL, 0 },
	[STAFF_ADD] = { RW, 7, NULL,
	    "INSERT INTO app_user (id, account, password, name, staff_phone,"
	    " community_id, staff_of, must_change, password_at, created_at,"
	    " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6, 1, $7, $7,"
	    " $7)", NULL, 0 },
	[STAFF_PATCH] = { RW, 4, NULL,
	    "UPDATE app_user SET name = COALESCE($2, name),"
	    " staff_phone = COALESCE($3, staff_phone), updated_at = $4"
	    " WHERE id = $1", NULL, 0 },
	[STAFF_CLOSE] = { RW, 2, NULL,
	    "UPDATE app_user SET closed_at = $2, updated_at = $2"
	    " WHERE id = $1 AND closed_at IS NULL", NULL, 0 },
	[STAFF_OPEN] = { RW, 2, NULL,
	    "UPDATE app_user SET closed_at = NULL, updated_at = $2"
	    " WHERE id = $1", NULL, 0 },
	/*
	 * One after another, or two who remove each other leave none; one
	 * row for all communities, as an account may be admin of several.
	 */
	[STAFF_LOCK] = { RW, 0, NULL,
	    "UPDATE community SET code = code"
	    " WHERE id = (SELECT MIN(id) FROM community)", NULL, 0 },
	[STAFF_UNGRANT] = { RW, 4, NULL,
	    "DELETE FROM user_role WHERE community_id = $1"
	    " AND user_id = $2 AND role = $3 AND NOT EXISTS"
	    " (SELECT 1 FROM post p WHERE p.community_id = $1"
	    " AND p.user_id = $2 AND p.role = $3 AND p.from_at <= $4"
	    " AND (p.to_at IS NULL OR p.to_at > $4))", NULL, 0 },
	/* Of how many communities ($2, or 0: any) $1 is the only admin. */
	[STAFF_LAST] = { RO, 2, &staff_count_view,
	    "SELECT COUNT(*) AS n FROM user_role r"
	    " JOIN app_user s ON s.id = r.user_id"
	    " WHERE r.user_id = $1 AND r.role IN ('admin', 'platform')"
	    " AND (CAST($2 AS BIGINT) = 0 OR r.community_id = $2)"
	    " AND s.closed_at IS NULL AND NOT EXISTS"
	    " (SELECT 1 FROM user_role o JOIN app_user u"
	    " ON u.id = o.user_id WHERE o.community_id = r.community_id"
	    " AND o.role = r.role AND o.user_id <> r.user_id"
	    " AND u.closed_at IS NULL)", NULL, 0 },
};

static int64_t
wide(const struct req *rq)
{
	return (rq->who.roles & ROLE_PLATFORM) != 0 ? 1 : 0;
}

static enum err
find(struct req *rq, int64_t id, struct staff *ret)
{
	audit_thing(rq, "staff", id);
	return db_one(rq->db, rq->arena, &staff_sql[STAFF_GET],
	    WITH(V(rq->who.community_id), V(wide(rq)), V(rq->now), V(id)),
	    ret);
}

/* One whose every role is the caller's to answer for. */
static enum err
find_own(struct req *rq, int64_t id, struct staff *ret)
{
	enum err	e = find(rq, id, ret);

	if (e == OK && ret->elsewhere != 0)
		return req_fail(rq, ERR_FORBIDDEN,
		    "该账号不只属于本社区，请联系平台管理员办理。");
	return e;
}

static enum err
find_other(struct req *rq, int64_t id, const char *instead,
    struct staff *ret)
{
	if (id == rq->who.user_id) {
		audit_thing(rq, "staff", id);
		return req_fail(rq, ERR_STATE, instead);
	}
	return find_own(rq, id, ret);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct staff	row;
	enum err	e = find(rq, id, &row);

	return e != OK ? e : req_one(rq, &row);
}

static enum err
staff_list(struct req *rq)
{
	const struct staff_list	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &staff_sql[STAFF_LIST],
	    WITH(V(rq->who.community_id), V(wide(rq)), V(rq->now),
	    V(in->after), V(in->closed), V(limit + 1)), limit);
}

static enum err
staff_get(struct req *rq)
{
	const struct staff_id	*in = rq->in;

	return answer(rq, in->id);
}

/* ---- a new one ---- */

struct hire {
	const struct staff_new	*in;
	const char		*hash;
	int64_t			 id;
};

/* Lower-case letters, digits and . _ - , a letter first. */
static bool
is_account(const char *s)
{
	return *s >= 'a' && *s <= 'z' && strspn(s,
	    "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(s);
}

static const char *
sealed_phone(struct req *rq, const char *phone)
{
	return phone == NULL ? NULL : crypt_seal(rq->arena, "phone", phone);
}

static enum err
hire(struct req *rq, void *arg)
{
	const struct hire	*h = arg;
	const struct staff_new	*in = h->in;
	int64_t			 community = rq->who.community_id;
	enum err		 e;

	audit_thing(rq, "staff", h->id);
	e = db_run(rq->db, &staff_sql[STAFF_ADD],
	    WITH(V(h->id), V(in->account), V(h->hash), V(in->name),
	    V(sealed_phone(rq, in->phone)), V(community), V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return req_field(rq, "account", "taken",
		    "这个账号已有人使用，请换一个。");
	if (e == OK && in->admin)
		e = user_grant(rq, community, h->id, "admin");
	if (e == OK && in->clerk)
		e = user_grant(rq, community, h->id, "clerk");
	return e;
}

static enum err
staff_add(struct req *rq)
{
	struct hire		h = { .in = rq->in, .id = id_new() };
	char			password[PASSWORD_FIRST];
	struct staff_password	row = { .id = h.id,
				    .account = h.in->account,
				    .password = password };
	enum err		e;

	if (!is_account(h.in->account))
		return req_field(rq, "account", "format",
		    "账号请用小写字母开头，只含小写字母、数字和 . _ - 。");
	password_make(password);
	h.hash = crypt_password(rq->arena, password);
	e = req_transact(rq, hire, &h);
	if (e == OK)
		e = req_one(rq, &row);
	explicit_bzero(password, sizeof(password));
	return e;
}

/* ---- what it logs in with ---- */

struct reset {
	int64_t			 id;
	struct credential	 c;
	const char		*hash;
};

static enum err
reset(struct req *rq, void *arg)
{
	struct reset	*r = arg;
	struct staff	 s;
	enum err	 e;

	e = find_other(rq, r->id, "请用“修改密码”更改自己的密码。", &s);
	if (e != OK)
		return e;
	if (s.closed_at != VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE,
		    "该账号已停用，请先恢复再重置密码。");
	e = credential_set(rq, &r->c, r->hash, true);
	return e != OK ? e : credential_unlock(rq, r->id);
}

static enum err
staff_reset(struct req *rq)
{
	const struct staff_id	*in = rq->in;
	char			 password[PASSWORD_FIRST];
	struct staff_password	 row = { .id = in->id,
				     .password = password };
	struct reset		 r = { .id = in->id };
	struct staff		 s;
	enum err		 e;

	/* Before argon2id, who may not is told so. */
	if ((e = find_own(rq, in->id, &s)) != OK ||
	    (e = redis_ping(rq->redis)) != OK)
		return e;
	e = credential_get(rq, in->id, &r.c);
	if (e != OK && e != ERR_ABSENT)
		return e;
	password_make(password);
	r.hash = crypt_password(rq->arena, password);
	row.account = s.account;
	e = req_transact(rq, reset, &r);
	if (e == OK)
		e = session_end_all(rq->redis, rq->arena, in->id, NULL);
	if (e == OK)
		e = req_one(rq, &row);
	explicit_bzero(password, sizeof(password));
	return e;
}

static enum err
staff_unlock(struct req *rq)
{
	const struct staff_id	*in = rq->in;
	struct staff		 s;
	enum err		 e;

	if ((e = find_own(rq, in->id, &s)) != OK)
		return e;
	return credential_unlock(rq, in->id);
}

static enum err
staff_totp(struct req *rq)
{
	const struct staff_id	*in = rq->in;
	struct staff		 s;
	enum err		 e;

	e = find_other(rq, in->id,
	    "请用自己的动态码或恢复码关闭动态码。", &s);
	return e != OK ? e : credential_totp_off(rq, in->id);
}

static enum err
look(struct req *rq, void *arg)
{
	const struct staff_id	*in = arg;
	struct staff		 s;

	return find_own(rq, in->id, &s);
}

static enum err
staff_sessions(struct req *rq)
{
	struct staff_id	in = *(const struct staff_id *)rq->in;
	enum err	e;

	if ((e = req_transact(rq, look, &in)) != OK)
		return e;
	return session_end_all(rq->redis, rq->arena, in.id, NULL);
}

/* ---- name, number, open or closed ---- */

/*
 * Whoever leaves, in a community or (0) for good, must not be the last who
 * could let others in; whoever asks, whose own role may be gone by now.
 */
static enum err
check_last(struct req *rq, int64_t id, int64_t community_id)
{
	struct staff_count	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &staff_sql[STAFF_LAST],
	    WITH(V(id), V(community_id)), &row);
	if (e != OK || row.n == 0)
		return e;
	return req_fail(rq, ERR_STATE,
	    "这是最后一位管理员，请先指定另一位管理员。");
}

static enum err
lock(struct req *rq)
{
	return db_run(rq->db, &staff_sql[STAFF_LOCK], NOTHING, NULL);
}

static enum err
close_account(struct req *rq, const struct staff *s)
{
	enum err	e;

	if (s->wechat != 0)
		return req_fail(rq, ERR_STATE,
		    "该账号同时是微信居民，不能停用；请取消其角色并重置密码。");
	if ((e = lock(rq)) != OK || (e = check_last(rq, s->id, 0)) != OK)
		return e;
	return db_run(rq->db, &staff_sql[STAFF_CLOSE],
	    WITH(V(s->id), V(rq->now)), NULL);
}

static enum err
patch(struct req *rq, void *arg)
{
	const struct staff_patch	*in = arg;
	struct staff			 s;
	enum err			 e;

	if ((e = find_own(rq, in->id, &s)) != OK)
		return e;
	e = db_run(rq->db, &staff_sql[STAFF_PATCH],
	    WITH(V(in->id), V(in->name), V(sealed_phone(rq, in->phone)),
	    V(rq->now)), NULL);
	if (e != OK || !field_given(rq, "closed"))
		return e;
	if (in->closed)
		return close_account(rq, &s);
	return db_run(rq->db, &staff_sql[STAFF_OPEN],
	    WITH(V(in->id), V(rq->now)), NULL);
}

static enum err
staff_patch(struct req *rq)
{
	struct staff_patch	in = *(const struct staff_patch *)rq->in;
	enum err		e;

	if ((e = req_transact(rq, patch, &in)) != OK)
		return e;
	if (in.closed && (e = session_end_all(rq->redis, rq->arena, in.id,
	    NULL)) != OK)
		return e;
	return answer(rq, in.id);
}

static enum err
leave(struct req *rq, void *arg)
{
	const struct staff_id	*in = arg;
	struct staff		 s;
	enum err		 e;

	if ((e = find_own(rq, in->id, &s)) != OK)
		return e;
	return close_account(rq, &s);
}

static enum err
staff_close(struct req *rq)
{
	struct staff_id	in = *(const struct staff_id *)rq->in;
	enum err	e;

	if ((e = req_transact(rq, leave, &in)) != OK)
		return e;
	return session_end_all(rq->redis, rq->arena, in.id, NULL);
}

/* ---- roles ---- */

static enum err
ungrant(struct req *rq, int64_t id, const char *role)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &staff_sql[STAFF_UNGRANT],
	    WITH(V(rq->who.community_id), V(id), V(role), V(rq->now)), &n);
	if (e != OK || n == 1)
		return e;
	return req_fail(rq, ERR_STATE,
	    "这个角色来自岗位，请先结束岗位任期。");
}

static enum err
change_role(struct req *rq, int64_t id, const char *role, bool has,
    bool wants)
{
	if (has == wants)
		return OK;
	return wants ? user_grant(rq, rq->who.community_id, id, role) :
	    ungrant(rq, id, role);
}

struct appointment {
	struct staff_roles	 in;
	struct staff		 row;	/* as it is after it */
};

static enum err
roles(struct req *rq, void *arg)
{
	struct appointment		*a = arg;
	const struct staff_roles	*in = &a->in;
	struct staff			 s;
	enum err			 e;

	if ((e = lock(rq)) != OK || (e = find(rq, in->id, &s)) != OK)
		return e;
	if (s.closed_at != VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE,
		    "该账号已停用，请先恢复再分配角色。");
	if (!in->admin && (e = check_last(rq, in->id,
	    rq->who.community_id)) != OK)
		return e;
	a->row = s;
	a->row.admin = in->admin;
	a->row.clerk = in->clerk;
	e = change_role(rq, in->id, "admin", s.admin != 0, in->admin);
	return e != OK ? e : change_role(rq, in->id, "clerk", s.clerk != 0,
	    in->clerk);
}

static enum err
staff_roles(struct req *rq)
{
	struct appointment	a;
	struct user		u;
	enum err		e;

	a.in = *(const struct staff_roles *)rq->in;
	if ((e = req_transact(rq, roles, &a)) != OK)
		return e;
	e = user_get(rq, a.in.id, &u);
	if (e == OK)
		e = user_sync(rq, &u);
	/*
	 * Closed in between, it has no sessions.  The answer is not read
	 * again: without a role here it may have left the caller's sight.
	 */
	return e != OK && e != ERR_ABSENT ? e : req_one(rq, &a.row);
}

#define STAFF_PATH	"/api/v1/staff"

static const struct route staff_routes[] = {
	{ GET, STAFF_PATH, ROLE_ADMIN, &staff_list_shape,
	    REPLY_LIST, &staff_view, 200, POOL_API, TX_READ,
	    staff_list, "Accounts of staff" },
	{ POST, STAFF_PATH, ROLE_ADMIN, &staff_new_shape,
	    REPLY_ONE, &staff_password_view, 201, POOL_SLOW, TX_OWN,
	    staff_add, "Make an account; its first password" },
	{ GET, STAFF_PATH "/{id}", ROLE_ADMIN, &staff_id_shape,
	    REPLY_ONE, &staff_view, 200, POOL_API, TX_READ,
	    staff_get, "One account" },
	{ PATCH, STAFF_PATH "/{id}", ROLE_ADMIN, &staff_patch_shape,
	    REPLY_ONE, &staff_view, 200, POOL_API, TX_OWN,
	    staff_patch, "Change name or number, close, open again" },
	{ DELETE, STAFF_PATH "/{id}", ROLE_ADMIN, &staff_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    staff_close, "Close an account" },
	{ PUT, STAFF_PATH "/{id}/roles", ROLE_ADMIN, &staff_roles_shape,
	    REPLY_ONE, &staff_view, 200, POOL_API, TX_OWN,
	    staff_roles, "Make or unmake an admin or clerk" },
	{ POST, STAFF_PATH "/{id}/reset-password", ROLE_ADMIN,
	    &staff_reset_shape,
	    REPLY_ONE, &staff_password_view, 200, POOL_SLOW, TX_OWN,
	    staff_reset, "A password for one log-in" },
	{ POST, STAFF_PATH "/{id}/unlock", ROLE_ADMIN, &staff_unlock_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    staff_unlock, "Forget the wrong passwords" },
	{ DELETE, STAFF_PATH "/{id}/sessions", ROLE_ADMIN,
	    &staff_sessions_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    staff_sessions, "End all sessions of an account" },
	{ DELETE, STAFF_PATH "/{id}/totp", ROLE_ADMIN, &staff_totp_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    staff_totp, "Take away a second factor that was lost" },
	{ 0 }
};

void
staff_register(void)
{
	db_register(staff_sql, STAFF_SQL_MAX);
	route_register("staff", staff_routes);
}
