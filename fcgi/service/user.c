/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.c -- a person as the services see one: row, roles, session.
 *
 * A person is not of one community: the row is found by its own id,
 * openid or account, and names the community chosen last.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/id.h"
#include "http/req.h"
#include "service/user.h"

static void
user_roles(struct json *j, const struct req *rq, const void *row)
{
	const struct user	*u = row;
	int			 i;

	(void)rq;
	json_list(j);
	for (i = 0; i < ROLE__COUNT; i++)
		if (u->roles & (1ULL << i))
			json_text(j, role_names[i]);
	json_unlist(j);
}

static const struct view_column user_columns[] = {
	C_ID(user, id),
	C_TEXT(user, name),
	C_PHONE(user, phone, .flags = VIEW_NULL),
	C_ID(user, community_id, .flags = VIEW_NULL),
	C_TEXT(user, community, .flags = VIEW_NULL),
	C_TEXT(user, password, .flags = VIEW_NULL | VIEW_HIDDEN),
	C_CALC("roles", SHAPE_CODES, user_roles, .names = role_names,
	    .about = "roles held in the community chosen"),
	C_END
};
const struct view user_view = VIEW(user, "User");

struct user_role {
	const char	*role;
};

static const struct view_column user_role_columns[] = {
	C_TEXT(user_role, role),
	C_END
};
static const struct view user_role_view = VIEW(user_role, "UserRole");

#define USER_SELECT							\
	"SELECT u.id, u.name, u.phone, u.community_id,"			\
	" c.name AS community, u.password FROM app_user u"		\
	" LEFT JOIN community c ON c.id = u.community_id"		\
	" WHERE u.closed_at IS NULL AND "

enum { USER_GET, USER_OPENID, USER_ACCOUNT, USER_ROLES, USER_MEET,
	USER_SETTLE, USER_NAME, USER_PHONE, USER_GRANT, USER_SQL_MAX };

static struct stmt user_sql[] = {
	[USER_GET] = { RO, 1, &user_view, USER_SELECT "u.id = $1", NULL, 0 },
	[USER_OPENID] = { RO, 1, &user_view, USER_SELECT "u.openid = $1",
	    NULL, 0 },
	[USER_ACCOUNT] = { RO, 1, &user_view, USER_SELECT "u.account = $1",
	    NULL, 0 },
	[USER_ROLES] = { RO, 2, &user_role_view,
	    "SELECT role FROM user_role WHERE user_id = $1"
	    " AND community_id IN (0, $2)", NULL, 0 },
	[USER_MEET] = { RW, 4, NULL,
	    "INSERT INTO app_user (id, openid, unionid, name, created_at,"
	    " updated_at) VALUES ($1, $2, $3, '', $4, $4)"
	    " ON CONFLICT (openid) DO NOTHING", NULL, 0 },
	[USER_SETTLE] = { RW, 3, NULL,
	    "UPDATE app_user SET community_id = $2, updated_at = $3"
	    " WHERE id = $1 AND closed_at IS NULL AND EXISTS"
	    " (SELECT 1 FROM community WHERE id = $2)", NULL, 0 },
	[USER_NAME] = { RW, 3, NULL,
	    "UPDATE app_user SET name = $2, updated_at = $3 WHERE id = $1"
	    " AND closed_at IS NULL", NULL, 0 },
	[USER_PHONE] = { RW, 4, NULL,
	    "UPDATE app_user SET phone = $2, phone_index = $3,"
	    " updated_at = $4 WHERE id = $1 AND closed_at IS NULL", NULL, 0 },
	[USER_GRANT] = { RW, 4, NULL,
	    "INSERT INTO user_role (community_id, user_id, role, granted_at)"
	    " VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (community_id, user_id, role) DO NOTHING",
	    NULL, 0 },
};

void
user_register(void)
{
	db_register(user_sql, USER_SQL_MAX);
}

static enum err
load_roles(struct req *rq, struct user *u)
{
	struct user_role	row;
	struct rows		rows;
	enum err		e;

	u->roles = 0;
	e = db_query(rq->db, &user_sql[USER_ROLES],
	    WITH(V(u->id), V(u->community_id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		u->roles |= role_bit(row.role);
	return db_end(&rows);
}

static enum err
find(struct req *rq, const struct stmt *stmt, struct values v,
    struct user *ret)
{
	enum err	e;

	if ((e = db_one(rq->db, rq->arena, stmt, v, ret)) != OK)
		return e;
	return load_roles(rq, ret);
}

enum err
user_get(struct req *rq, int64_t id, struct user *ret)
{
	return find(rq, &user_sql[USER_GET], WITH(V(id)), ret);
}

enum err
user_by_openid(struct req *rq, const char *openid, struct user *ret)
{
	return find(rq, &user_sql[USER_OPENID], WITH(V(openid)), ret);
}

enum err
user_by_account(struct req *rq, const char *account, struct user *ret)
{
	return find(rq, &user_sql[USER_ACCOUNT], WITH(V(account)), ret);
}

enum err
user_meet(struct req *rq, const char *openid, const char *unionid)
{
	return db_run(rq->db, &user_sql[USER_MEET],
	    WITH(V(id_new()), V(openid), V(unionid), V(rq->now)), NULL);
}

enum err
user_grant(struct req *rq, int64_t community_id, int64_t id,
    const char *role)
{
	return db_run(rq->db, &user_sql[USER_GRANT],
	    WITH(V(community_id), V(id), V(role), V(rq->now)), NULL);
}

enum err
user_settle(struct req *rq, int64_t id, int64_t community_id)
{
	struct user	u;
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &user_sql[USER_SETTLE],
	    WITH(V(id), V(community_id), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0) {
		e = user_get(rq, id, &u);
		return e == ERR_ABSENT ? ERR_NO_SESSION :
		    e == OK ? ERR_ABSENT : e;
	}
	return user_grant(rq, community_id, id, "resident");
}

/* Nothing is written into an account that was closed meanwhile. */
static enum err
write_own(struct req *rq, int which, struct values v)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &user_sql[which], v, &n);
	return e != OK ? e : n == 0 ? ERR_NO_SESSION : OK;
}

enum err
user_rename(struct req *rq, int64_t id, const char *name)
{
	return write_own(rq, USER_NAME, WITH(V(id), V(name), V(rq->now)));
}

enum err
user_set_phone(struct req *rq, int64_t id, const char *phone)
{
	return write_own(rq, USER_PHONE,
	    WITH(V(id), V(crypt_seal(rq->arena, "phone", phone)),
	    V(crypt_index(rq->arena, "phone", phone)), V(rq->now)));
}

struct session
user_session(const struct user *u, bool staff, int64_t life_ms)
{
	return (struct session){
		.user_id = u->id,
		.community_id = u->community_id == VIEW_NULL_INT ? 0 :
		    u->community_id,
		.roles = u->roles,
		.staff = staff,
		.life_ms = life_ms,
	};
}

enum err
user_sync(struct req *rq, struct user *u)
{
	struct session	s;
	struct user	now;
	enum err	e;
	int		i;

	for (i = 0; i < 4; i++) {
		s = user_session(u, false, 0);
		e = session_refresh(rq->redis, rq->arena, u->id,
		    s.community_id, s.roles);
		if (e != OK || (e = user_get(rq, u->id, &now)) != OK)
			return e;
		if (now.community_id == u->community_id &&
		    now.roles == u->roles) {
			*u = now;
			return OK;
		}
		*u = now;
	}
	return ERR_BUSY;
}
