/* SPDX-License-Identifier: Apache-2.0 */
/*
 * totp.c -- the caller's second factor: set up, confirmed, taken away.
 *
 * A secret counts only after its first code.  Who has one needs a code to
 * be rid of it, so that a session left open cannot exchange it.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/totp.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/credential.h"
#include "service/service.h"

#define ISSUER	"01星球"

struct totp_state {
	int64_t		 enabled;
	int64_t		 codes;
};

static const struct view_column totp_state_columns[] = {
	C_BOOL(totp_state, enabled),
	C_INT(totp_state, codes, .about = "recovery codes that are left"),
	C_END
};
static const struct view totp_state_view = VIEW(totp_state, "TotpState");

struct totp_new {
	const char	*secret;
	const char	*uri;
};

static const struct view_column totp_new_columns[] = {
	C_TEXT(totp_new, secret, .about = "base32, to be typed"),
	C_TEXT(totp_new, uri, .about = "otpauth://, to be scanned"),
	C_END
};
static const struct view totp_new_view = VIEW(totp_new, "TotpNew");

struct recovery_code {
	const char	*code;
};

static const struct view_column recovery_code_columns[] = {
	C_TEXT(recovery_code, code, .about = "good once; shown only now"),
	C_END
};
static const struct view recovery_code_view =
    VIEW(recovery_code, "RecoveryCode");

struct totp_code {
	const char	*code;
};

static const struct field totp_code_fields[] = {
	F_SECRET(totp_code, code, "动态码", MUST, 6, 20),
	F_END
};
static const struct shape totp_code_shape = SHAPE(totp_code, "TotpCode");

enum { TOTP_STATE, TOTP_BEGIN, TOTP_CONFIRM, TOTP_SQL_MAX };

static struct stmt totp_sql[] = {
	[TOTP_STATE] = { RO, 1, &totp_state_view,
	    "SELECT CASE WHEN totp IS NULL THEN 0 ELSE 1 END AS enabled,"
	    " (SELECT COUNT(*) FROM recovery_code c"
	    " WHERE c.user_id = u.id) AS codes FROM app_user u"
	    " WHERE u.id = $1", NULL, 0 },
	[TOTP_BEGIN] = { RW, 3, NULL,
	    "UPDATE app_user SET totp_new = $2, updated_at = $3"
	    " WHERE id = $1 AND totp IS NULL", NULL, 0 },
	[TOTP_CONFIRM] = { RW, 4, NULL,
	    "UPDATE app_user SET totp = totp_new, totp_new = NULL,"
	    " totp_step = $3, updated_at = $4 WHERE id = $1"
	    " AND totp IS NULL AND totp_new = $2", NULL, 0 },
};

static enum err
me(struct req *rq, struct credential *ret)
{
	enum err	e = credential_get(rq, rq->who.user_id, ret);

	return e == ERR_ABSENT ? ERR_NO_SESSION : e;
}

static enum err
state(struct req *rq)
{
	struct totp_state	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &totp_sql[TOTP_STATE],
	    WITH(V(rq->who.user_id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
begin(struct req *rq)
{
	char			secret[TOTP_SECRET_MAX];
	struct totp_new		row = { .secret = secret };
	struct credential	c;
	int64_t			n;
	enum err		e;

	if ((e = me(rq, &c)) != OK)
		return e;
	if (c.account == NULL || c.password == NULL)
		return req_fail(rq, ERR_STATE,
		    "您用微信登录，不需要设置动态码。");
	audit_thing(rq, "user", c.id);
	totp_secret(secret);
	e = db_run(rq->db, &totp_sql[TOTP_BEGIN],
	    WITH(V(c.id), V(crypt_seal(rq->arena, "totp", secret)),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE,
		    "动态码已经开启，如需更换请先关闭。");
	row.uri = totp_uri(rq->arena, ISSUER, c.account, secret);
	rq->once = true;
	return req_one(rq, &row);
}

static enum err
answer_codes(struct req *rq, const char *const codes[CREDENTIAL_CODES])
{
	struct json	*j = req_json(rq);
	int		 i;

	json_open(j);
	json_key(j, "items");
	json_list(j);
	for (i = 0; i < CREDENTIAL_CODES; i++)
		json_view(j, &recovery_code_view,
		    &(struct recovery_code){ codes[i] }, rq, rq->arena);
	json_unlist(j);
	json_key(j, "next");
	json_nil(j);
	json_close(j);
	rq->once = true;
	return OK;
}

static enum err
confirm(struct req *rq)
{
	const struct totp_code	*in = rq->in;
	const char		*codes[CREDENTIAL_CODES], *secret;
	struct credential	 c;
	int64_t			 n, step;
	enum err		 e;

	if ((e = me(rq, &c)) != OK)
		return e;
	audit_thing(rq, "user", c.id);
	if (c.totp_new == NULL || c.totp != NULL)
		return req_fail(rq, ERR_STATE,
		    "请先获取新的动态码二维码，再输入动态码。");
	secret = crypt_open(rq->arena, "totp", c.totp_new);
	step = secret == NULL ? 0 : totp_fits(secret, in->code, rq->now, 0);
	if (step == 0)
		return req_field(rq, "code", "wrong",
		    "动态码不正确，请检查手机时间并输入最新的 6 位数字。");
	e = db_run(rq->db, &totp_sql[TOTP_CONFIRM],
	    WITH(V(c.id), V(c.totp_new), V(step), V(rq->now)), &n);
	if (e == OK && n == 0)
		e = ERR_CONFLICT;
	if (e != OK || (e = credential_recovery(rq, c.id, codes)) != OK)
		return e;
	return answer_codes(rq, codes);
}

struct farewell {
	const struct totp_code	*in;
	struct credential	 c;
};

static enum err
take_away(struct req *rq, void *arg)
{
	const struct farewell	*f = arg;
	enum err		 e;

	audit_thing(rq, "user", f->c.id);
	e = credential_totp(rq, &f->c, f->in->code);
	if (e == ERR_TOTP) {
		rq->keep = true;
		return req_field(rq, "code", "wrong",
		    "动态码不正确或已用过，请输入最新的 6 位数字。");
	}
	if (e != OK || (e = credential_totp_off(rq, f->c.id)) != OK)
		return e;
	return credential_fits(rq, f->c.account);
}

static enum err
drop(struct req *rq)
{
	struct farewell	f = { .in = rq->in };
	enum err	e;

	if ((e = me(rq, &f.c)) != OK)
		return e;
	if (f.c.totp == NULL || f.c.account == NULL)
		return ERR_ABSENT;
	if ((e = credential_try(rq, f.c.account, f.c.id)) != OK)
		return e;
	return req_transact(rq, take_away, &f);
}

static const struct route totp_routes[] = {
	{ GET, "/api/v1/me/totp", LOGGED_IN, NULL,
	    REPLY_ONE, &totp_state_view, 200, POOL_API, TX_READ,
	    state, "Whether I have a second factor" },
	{ POST, "/api/v1/me/totp", LOGGED_IN, NULL,
	    REPLY_ONE, &totp_new_view, 201, POOL_API, TX_WRITE,
	    begin, "A secret for an authenticator app" },
	{ POST, "/api/v1/me/totp/confirm", LOGGED_IN, &totp_code_shape,
	    REPLY_LIST, &recovery_code_view, 200, POOL_API, TX_WRITE,
	    confirm, "Switch it on by its first code; recovery codes" },
	{ POST, "/api/v1/me/totp/off", LOGGED_IN, &totp_code_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    drop, "Switch it off by a code or a recovery code" },
	{ 0 }
};

void
totp_register(void)
{
	db_register(totp_sql, TOTP_SQL_MAX);
	route_register("me", totp_routes);
}
