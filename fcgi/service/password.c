/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c -- changing one's own password.
 *
 * The old one is guarded as a log-in is.  All other sessions end, and this
 * one may do everything again.
 */
#include "base/crypt.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/credential.h"
#include "service/service.h"
#include "store/redis.h"

struct password_change {
	const char	*old;
	const char	*new;
};

static const struct field password_change_fields[] = {
	F_SECRET(password_change, old, "原密码", MUST, 1, 128),
	F_SECRET(password_change, new, "新密码", MUST, 1, 128),
	F_END
};
static const struct shape password_change_shape =
    SHAPE(password_change, "PasswordChange");

struct change {
	struct credential	 c;
	const char		*hash;
};

static enum err
set(struct req *rq, void *arg)
{
	const struct change	*ch = arg;
	enum err		 e;

	audit_thing(rq, "user", ch->c.id);
	e = credential_set(rq, &ch->c, ch->hash, false);
	return e != OK ? e : credential_fits(rq, ch->c.account);
}

/* OK when the old one is right and the new one is fit. */
static enum err
check(struct req *rq, const struct password_change *in,
    const struct credential *c)
{
	enum err	e, back;

	if ((e = credential_try(rq, c->account, c->id)) != OK)
		return e;
	e = credential_check(c->password, in->old);
	if (e == ERR_CREDENTIALS)
		return req_field(rq, "old", "wrong",
		    "原密码不正确，请重新输入。");
	if (e == OK)
		e = credential_new_fits(rq, c, "new", in->new);
	if (e != OK && (back = credential_untry(rq, c->account)) != OK)
		return back;
	return e;
}

static enum err
change(struct req *rq)
{
	const struct password_change	*in = rq->in;
	struct change			 ch;
	enum err			 e;

	e = credential_get(rq, rq->who.user_id, &ch.c);
	if (e == ERR_ABSENT)
		return ERR_NO_SESSION;
	if (e != OK)
		return e;
	if (ch.c.account == NULL || ch.c.password == NULL)
		return req_fail(rq, ERR_STATE,
		    "您用微信登录，没有设置密码，不需要修改。");
	/* Sessions are told after the commit: do not begin in vain. */
	if ((e = redis_ping(rq->redis)) != OK ||
	    (e = check(rq, in, &ch.c)) != OK)
		return e;
	ch.hash = crypt_password(rq->arena, in->new);
	if ((e = req_transact(rq, set, &ch)) != OK)
		return e;
	e = session_end_all(rq->redis, rq->arena, ch.c.id, rq->token);
	return e != OK ? e : session_relieve(rq->redis, rq->arena, ch.c.id);
}

static const struct route password_routes[] = {
	{ POST, "/api/v1/me/password", LOGGED_IN, &password_change_shape,
	    REPLY_NONE, NULL, 204, POOL_SLOW, TX_OWN,
	    change, "Change my password; my other sessions end" },
	{ 0 }
};

void
password_register(void)
{
	route_register("me", password_routes);
}
