/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.c -- from a WeChat code, or an account and password, to a session.
 *
 * Nothing waits for WeChat or for argon2id inside a transaction, and the
 * session is opened last, when all it stands on is committed.
 */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/credential.h"
#include "service/device.h"
#include "service/login.h"
#include "service/service.h"
#include "service/user.h"
#include "store/limit.h"
#include "wechat/wechat.h"

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
	const char	*totp;
};

static const struct field login_staff_fields[] = {
	F_TEXT(login_staff, account, "账号", MUST, 1, 64),
	F_SECRET(login_staff, password, "密码", MUST, 1, 128),
	F_SECRET(login_staff, totp, "动态码", MAY, 6, 20),
	F_END
};
static const struct shape login_staff_shape =
    SHAPE(login_staff, "LoginStaff");

static void
session_user(struct json *j, const struct req *rq, const void *row)
{
	const struct login_session	*s = row;

	json_view(j, &user_view, &s->user, rq, rq->arena);
}

static const struct view_column login_session_columns[] = {
	C_TEXT(login_session, token),
	C_TIME(login_session, expires_at),
	C_BOOL(login_session, must_change,
	    .about = "the password first: all else is refused"),
	C_CALC("user", SHAPE_OBJECT, session_user, .sub = &user_view),
	C_END
};
const struct view login_session_view =
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

/* What a session of this kind is like. */
static struct session
session_of(const struct req *rq, const struct user *u, enum login_kind kind)
{
	const struct conf	*conf = rq->conf;
	struct session		 s;

	if (kind == LOGIN_WECHAT)
		return user_session(u, false, conf->session_days * CLOCK_DAY);
	s = user_session(u, true, conf->staff_minutes * CLOCK_MINUTE);
	s.must_change = kind == LOGIN_MUST_CHANGE;
	s.until_at = rq->now + conf->staff_hours * CLOCK_HOUR;
	return s;
}

enum err
login_open(struct req *rq, const struct user *u, enum login_kind kind,
    struct login_session *ret)
{
	char			device[DEVICE_MAX], token[CRYPT_TOKEN_MAX];
	struct session_from	from = { rq->address, device };
	struct session		s = session_of(rq, u, kind);
	enum err		e;

	*ret = (struct login_session){ .user = *u,
		.must_change = s.must_change };
	device_name(rq->agent, device);
	if ((e = session_open_from(rq->redis, &s, &from, token)) != OK)
		return e;
	if ((e = recheck(rq, &ret->user)) != OK) {
		session_end(rq->redis, token);
		return e;
	}
	ret->token = arena_str(rq->arena, token);
	ret->expires_at = session_end_at(&s);
	return OK;
}

static enum err
answer(struct req *rq, const struct user *u, enum login_kind kind)
{
	struct login_session	row;
	enum err		e;

	e = login_open(rq, u, kind, &row);
	return e != OK ? e : req_one(rq, &row);
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
	if ((e = user_by_openid(rq, m->wx.openid, &m->user)) != OK)
		return e;
	audit_as(rq, 0, m->user.id);
	audit_thing(rq, "user", m->user.id);
	return OK;
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
	return e != OK ? e : answer(rq, &m.user, LOGIN_WECHAT);
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

struct proof {
	const char		*account;
	const char		*totp;
	struct credential	 c;
	enum err		 end;	/* OK so far, or why not */
	int			 wait;
};

/* What came of it, with its row of the audit, whatever it is. */
static enum err
conclude(struct req *rq, void *arg)
{
	struct proof	*p = arg;
	enum err	 e = p->end;

	audit_as(rq, p->c.community_id, p->c.id);
	if (p->c.id != 0)
		audit_thing(rq, "user", p->c.id);
	rq->retry_after = p->wait;
	if (e == OK && p->c.totp != NULL)
		e = credential_totp(rq, &p->c, p->totp);
	if (e == OK)
		return credential_fits(rq, p->account);
	rq->keep = true;
	return e;
}

/* From the words to OK, or to what is wrong with them. */
static enum err
prove(struct req *rq, const struct login_staff *in, struct proof *p)
{
	enum err	e;

	e = credential_by_account(rq, in->account, &p->c);
	if (e != OK && e != ERR_ABSENT)
		return e;
	e = credential_try(rq, in->account, p->c.id);
	if (e == ERR_LOGIN_LOCKED) {
		p->end = e;
		p->wait = rq->retry_after;
		return req_transact(rq, conclude, p);
	}
	if (e != OK)
		return e;
	/* An unknown account takes as long as a wrong password. */
	p->end = credential_check(p->c.password, in->password);
	if (p->end == OK && p->c.totp != NULL && in->totp == NULL)
		p->end = ERR_TOTP_NEEDED;
	/* Neither is a wrong password. */
	if (p->end == ERR_BUSY || p->end == ERR_TOTP_NEEDED) {
		e = credential_untry(rq, in->account);
		return e != OK ? e : p->end;
	}
	return req_transact(rq, conclude, p);
}

static enum err
login_staff(struct req *rq)
{
	const struct login_staff	*in = rq->in;
	struct proof			 p = { .account = in->account,
						.totp = in->totp };
	struct user			 u;
	enum err			 e;

	if ((e = limit_account(rq, in->account)) != OK)
		return e;
	rq->retry_after = 0;
	if ((e = prove(rq, in, &p)) != OK)
		return e;
	e = user_get(rq, p.c.id, &u);
	/* Closed, or given another password, since we looked. */
	if (e == ERR_ABSENT || (e == OK && (u.password == NULL ||
	    strcmp(u.password, p.c.password) != 0)))
		return ERR_CREDENTIALS;
	return e != OK ? e : answer(rq, &u, credential_stale(rq, &p.c) ?
	    LOGIN_MUST_CHANGE : LOGIN_STAFF);
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
	credential_register();
	route_register("sessions", login_routes);
}
