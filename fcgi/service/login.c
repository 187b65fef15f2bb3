/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.c -- from a WeChat code, or an account and password, to a session.
 *
 * Nothing waits for WeChat or for argon2id inside a transaction, and the
 * session is opened last, when all it stands on is committed.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "http/req.h"
#include "service/service.h"
#include "service/user.h"
#include "store/limit.h"
#include "wechat/wechat.h"

#define PASSWORDS_WAITING 4

struct login_code {
	const char	*code;
};

static const struct field login_code_fields[] = {
	F_TEXT(login_code, code, "登录凭证", MUST, 1, 128),
	F_END
};
static const struct shape login_code_shape = SHAPE(login_code, "LoginCode");

struct login_staff {
	const char	*account;
	const char	*password;
};

static const struct field login_staff_fields[] = {
	F_TEXT(login_staff, account, "账号", MUST, 1, 64),
	F_SECRET(login_staff, password, "密码", MUST, 1, 128),
	F_END
};
static const struct shape login_staff_shape =
    SHAPE(login_staff, "LoginStaff");

struct login_session {
	const char	*token;
	int64_t		 expires_at;
	struct user	 user;		/* not a column */
};

static void
session_user(struct json *j, const struct req *rq, const void *row)
{
	const struct login_session	*s = row;

	json_view(j, &user_view, &s->user, rq, rq->arena);
}

static const struct view_column login_session_columns[] = {
	C_TEXT(login_session, token),
	C_TIME(login_session, expires_at),
	C_CALC("user", SHAPE_OBJECT, session_user, .sub = &user_view),
	C_END
};
static const struct view login_session_view =
    VIEW(login_session, "Session");

/*
 * Whoever takes rights away commits, then ends or changes the sessions;
 * we open one, then look again: one of the two sees the other.
 */
static enum err
recheck(struct req *rq, struct user *u)
{
	struct user	now;
	enum err	e;

	e = user_get(rq, u->id, &now);
	if (e == ERR_ABSENT || (e == OK && (now.password == NULL) !=
	    (u->password == NULL)) || (e == OK && u->password != NULL &&
	    strcmp(u->password, now.password) != 0))
		return ERR_CREDENTIALS;
	if (e != OK)
		return e;
	if (now.roles == u->roles && now.community_id == u->community_id)
		return OK;
	*u = now;
	return user_sync(rq, u);
}

/* Open a session for `u` and answer with it. */
static enum err
answer(struct req *rq, const struct user *u, bool staff)
{
	struct session		s;
	struct login_session	row = { .user = *u };
	char			token[CRYPT_TOKEN_MAX];
	enum err		e;

	s = user_session(u, staff, staff ?
	    rq->conf->staff_minutes * CLOCK_MINUTE :
	    rq->conf->session_days * CLOCK_DAY);
	if ((e = session_open(rq->redis, &s, token)) != OK)
		return e;
	if ((e = recheck(rq, &row.user)) != OK) {
		session_end(rq->redis, token);
		return e;
	}
	row.token = token;
	row.expires_at = s.expires_at;
	return req_one(rq, &row);
}

struct meet {
	struct wechat_login	 wx;
	struct user		 user;
};

static enum err
meet(struct req *rq, void *arg)
{
	struct meet	*m = arg;
	enum err	 e;

	e = user_meet(rq, m->wx.openid, m->wx.unionid);
	if (e != OK)
		return e;
	return user_by_openid(rq, m->wx.openid, &m->user);
}

static enum err
login_wechat(struct req *rq)
{
	const struct login_code	*in = rq->in;
	struct meet		 m;
	enum err		 e;

	e = wechat_login(rq->wechat, rq->arena, in->code, &m.wx);
	if (e != OK)
		return e;
	e = user_by_openid(rq, m.wx.openid, &m.user);
	if (e == ERR_ABSENT)
		e = req_transact(rq, meet, &m);
	/* Absent again: the person has closed the account. */
	if (e == ERR_ABSENT)
		return req_fail(rq, ERR_FORBIDDEN,
		    "该账号已注销，如需恢复请联系社区工作人员。");
	return e != OK ? e : answer(rq, &m.user, false);
}

/*
 * Guesses at one account: few from one address, and not so few from all
 * that a stranger could lock its owner out.
 */
static enum err
limit_account(struct req *rq, const char *account)
{
	char		who[CRYPT_HEX_MAX];
	const char	*pair;
	int64_t		most = rq->conf->logins;
	enum err	e;

	pair = arena_fmt(rq->arena, "%s %s", rq->address, account);
	crypt_sha256(pair, strlen(pair), who);
	e = limit_take(rq->redis, "staff", who, most, rq->now,
	    &rq->retry_after);
	if (e != OK)
		return e;
	crypt_sha256(account, strlen(account), who);
	return limit_take(rq->redis, "staff-all", who, most * 10, rq->now,
	    &rq->retry_after);
}

/* argon2id runs one at a time; a queue of it must not fill the pool. */
static enum err
check_password(const char *hash, const char *password)
{
	static atomic_int	waiting;
	enum err		e = ERR_BUSY;

	if (atomic_fetch_add(&waiting, 1) < PASSWORDS_WAITING)
		e = crypt_password_fits(hash, password) ? OK :
		    ERR_CREDENTIALS;
	atomic_fetch_sub(&waiting, 1);
	return e;
}

static enum err
login_staff(struct req *rq)
{
	const struct login_staff	*in = rq->in;
	struct user			 u = { .password = NULL };
	enum err			 e;

	if ((e = limit_account(rq, in->account)) != OK)
		return e;
	e = user_by_account(rq, in->account, &u);
	if (e != OK && e != ERR_ABSENT)
		return e;
	/* An unknown account takes as long as a wrong password. */
	e = check_password(e == OK ? u.password : NULL, in->password);
	return e != OK ? e : answer(rq, &u, true);
}

static enum err
logout(struct req *rq)
{
	return session_end(rq->redis, rq->token);
}

static enum err
logout_all(struct req *rq)
{
	return session_end_all(rq->redis, rq->arena, rq->who.user_id, NULL);
}

static const struct route login_routes[] = {
	{ POST, "/api/v1/sessions", ANYONE, &login_code_shape,
	    REPLY_ONE, &login_session_view, 201, POOL_SLOW, TX_OWN,
	    login_wechat, "Log in with a code of wx.login" },
	{ POST, "/api/v1/sessions/staff", ANYONE, &login_staff_shape,
	    REPLY_ONE, &login_session_view, 201, POOL_SLOW, TX_OWN,
	    login_staff, "Log in with account and password" },
	{ DELETE, "/api/v1/sessions/current", LOGGED_IN, NULL,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    logout, "End this session" },
	{ DELETE, "/api/v1/sessions", LOGGED_IN, NULL,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    logout_all, "End all sessions of the caller" },
	{ 0 }
};

void
login_register(void)
{
	user_register();
	route_register("sessions", login_routes);
}
