/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c -- logging in to the console by scanning its code with WeChat.
 *
 * The console begins a scan, shows the code and asks for the outcome with
 * a secret that only it has.  Whoever of the staff scans the code sees from
 * where it was asked for, and confirms or refuses in the mini-program.  All
 * of it lies in Redis for two minutes; one script gives it away once.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/device.h"
#include "service/login.h"
#include "service/service.h"
#include "store/redis.h"

#define SCAN_MS		(2 * CLOCK_MINUTE)
#define SCAN_LIFE	"120000"
#define KEY_MAX		(CRYPT_HEX_MAX + 8)
#define STAFF		(ROLE__ALL & ~ROLE_RESIDENT)

static const char *const states[] = { "waiting", "confirmed", "refused",
	NULL };
static const char *const outcomes[] = { "waiting", "done", NULL };

/* KEYS scan, ARGV secret address device now life. */
static const char script_begin[] =
    "redis.call('HSET', KEYS[1], 'secret', ARGV[1], 'address', ARGV[2],"
    " 'device', ARGV[3], 'at', ARGV[4], 'state', 'waiting')"
    " redis.call('PEXPIRE', KEYS[1], ARGV[5]) return 1";

/* KEYS scan, ARGV state user; 0 when it was decided, -1 when it is gone. */
static const char script_decide[] =
    "local s = redis.call('HGET', KEYS[1], 'state')"
    " if not s then return -1 end"
    " if s ~= 'waiting' then return 0 end"
    " redis.call('HSET', KEYS[1], 'state', ARGV[1], 'user', ARGV[2])"
    " return 1";

/* KEYS scan, ARGV secret; when it began, the state and who confirmed. */
static const char script_claim[] =
    "local s = redis.call('HMGET', KEYS[1], 'secret', 'at', 'state',"
    " 'user')"
    " if s[1] ~= ARGV[1] then return {} end"
    " if s[3] ~= 'waiting' then redis.call('DEL', KEYS[1]) end"
    " return {s[2], s[3], s[4] or ''}";

struct scan_new {
	const char	*code;
	const char	*secret;
	int64_t		 expires_at;
};

static const struct view_column scan_new_columns[] = {
	C_TEXT(scan_new, code, .about = "to be shown as a QR code"),
	C_TEXT(scan_new, secret, .about = "for the claim; never shown"),
	C_TIME(scan_new, expires_at),
	C_END
};
static const struct view scan_new_view = VIEW(scan_new, "ScanNew");

struct scan {
	const char	*state;
	const char	*address;
	const char	*device;
	int64_t		 created_at;
	int64_t		 expires_at;
};

static const struct view_column scan_columns[] = {
	C_CODE(scan, state, states),
	C_TEXT(scan, address, .about = "from where it was asked for"),
	C_TEXT(scan, device),
	C_TIME(scan, created_at),
	C_TIME(scan, expires_at),
	C_END
};
static const struct view scan_view = VIEW(scan, "Scan");

struct scan_outcome {
	const char		*state;
	struct login_session	*session;	/* not a column */
};

static void
outcome_session(struct json *j, const struct req *rq, const void *row)
{
	const struct scan_outcome	*o = row;

	if (o->session == NULL)
		json_nil(j);
	else
		json_view(j, &login_session_view, o->session, rq, rq->arena);
}

static const struct view_column scan_outcome_columns[] = {
	C_CODE(scan_outcome, state, outcomes),
	C_CALC("session", SHAPE_OBJECT, outcome_session, .flags = VIEW_NULL,
	    .sub = &login_session_view, .about = "once, when it is done"),
	C_END
};
static const struct view scan_outcome_view =
    VIEW(scan_outcome, "ScanOutcome");

struct scan_claim {
	const char	*code;
	const char	*secret;
};

static const struct field scan_claim_fields[] = {
	F_SECRET(scan_claim, code, "二维码", MUST, 1, 64),
	F_SECRET(scan_claim, secret, "密钥", MUST, 1, 64),
	F_END
};
static const struct shape scan_claim_shape = SHAPE(scan_claim, "ScanClaim");

struct scan_code {
	const char	*code;
};

static const struct field scan_code_fields[] = {
	F_SECRET(scan_code, code, "二维码", MUST, 1, 64),
	F_END
};
static const struct shape scan_code_shape = SHAPE(scan_code, "ScanCode");
static const struct shape scan_confirm_shape =
    SHAPE(scan_code, "ScanConfirm");
static const struct shape scan_refuse_shape = SHAPE(scan_code, "ScanRefuse");

/* Redis knows neither the code nor the secret. */
static void
key_of(const char *code, char key[KEY_MAX])
{
	char	hash[CRYPT_HEX_MAX];

	crypt_sha256(code, strlen(code), hash);
	snprintf(key, KEY_MAX, "scan:%s", hash);
}

/* ---- the console ---- */

static enum err
scan_begin(struct req *rq)
{
	char		 code[CRYPT_TOKEN_MAX], secret[CRYPT_TOKEN_MAX];
	char		 key[KEY_MAX], hash[CRYPT_HEX_MAX];
	char		 device[DEVICE_MAX];
	struct scan_new	 row = { .code = code, .secret = secret,
			    .expires_at = rq->now + SCAN_MS };
	const char	*argv[] = { "EVAL", script_begin, "1", key, hash,
			    rq->address, device,
			    arena_fmt(rq->arena, "%lld", (long long)rq->now),
			    SCAN_LIFE };
	enum err	 e;

	crypt_token(code);
	crypt_token(secret);
	key_of(code, key);
	crypt_sha256(secret, strlen(secret), hash);
	device_name(rq->agent, device);
	e = redis_command(rq->redis, 9, argv, NULL);
	return e != OK ? e : req_one(rq, &row);
}

/* What the script gave away: once, so nobody else has it now. */
static enum err
give_away(struct req *rq, const struct scan_claim *in, const char **ret_state,
    const char **ret_user)
{
	char		  key[KEY_MAX], hash[CRYPT_HEX_MAX];
	const char	 *argv[] = { "EVAL", script_claim, "1", key, hash };
	const char	**items;
	int64_t		  at;
	enum err	  e;
	int		  n;

	key_of(in->code, key);
	crypt_sha256(in->secret, strlen(in->secret), hash);
	e = redis_list(rq->redis, rq->arena, 5, argv, &items, &n);
	if (e != OK)
		return e;
	if (n != 3 || items[0] == NULL || items[1] == NULL ||
	    items[2] == NULL || !id_parse(items[0], &at) ||
	    at + SCAN_MS <= rq->now)
		return req_fail(rq, ERR_ABSENT,
		    "二维码已过期，请刷新后重新扫码。");
	*ret_state = items[1];
	*ret_user = items[2];
	return OK;
}

static enum err
note(struct req *rq, void *arg)
{
	const struct user	*u = arg;

	audit_as(rq, u->community_id == VIEW_NULL_INT ? 0 : u->community_id,
	    u->id);
	audit_thing(rq, "user", u->id);
	return OK;
}

static enum err
scan_claim(struct req *rq)
{
	struct scan_outcome	 row = { .state = outcomes[0] };
	struct login_session	 session;
	const char		*state = "", *user = "";
	struct user		 u;
	int64_t			 id;
	enum err		 e;

	if ((e = give_away(rq, rq->in, &state, &user)) != OK)
		return e;
	if (strcmp(state, "waiting") == 0)
		return req_one(rq, &row);
	if (strcmp(state, "confirmed") != 0 || !id_parse(user, &id))
		return req_fail(rq, ERR_STATE,
		    "手机上已取消这次登录，请刷新后重新扫码。");
	e = user_get(rq, id, &u);
	if (e == ERR_ABSENT || (e == OK && (u.roles & STAFF) == 0))
		return req_fail(rq, ERR_STATE,
		    "该账号没有工作人员身份，请联系社区管理员。");
	if (e != OK || (e = req_transact(rq, note, &u)) != OK)
		return e;
	e = login_open(rq, &u, LOGIN_STAFF, &session);
	if (e == ERR_CREDENTIALS)
		return req_fail(rq, ERR_STATE,
		    "账号信息刚刚有变化，请刷新后重新扫码。");
	if (e != OK)
		return e;
	row.state = outcomes[1];
	row.session = &session;
	return req_one(rq, &row);
}

/* ---- the mini-program ---- */

static enum err
absent(struct req *rq)
{
	return req_fail(rq, ERR_ABSENT,
	    "二维码已过期或已使用，请在电脑上刷新后重新扫码。");
}

static enum err
look(struct req *rq, const char *code, struct scan *ret)
{
	char		  key[KEY_MAX];
	const char	 *argv[] = { "HMGET", key, "state", "address",
			     "device", "at" };
	const char	**items;
	enum err	  e;
	int		  n;

	key_of(code, key);
	e = redis_list(rq->redis, rq->arena, 6, argv, &items, &n);
	if (e != OK)
		return e;
	*ret = (struct scan){ .state = NULL };
	if (n != 4 || items[0] == NULL || items[1] == NULL ||
	    items[2] == NULL || items[3] == NULL ||
	    !id_parse(items[3], &ret->created_at) ||
	    ret->created_at + SCAN_MS <= rq->now)
		return absent(rq);
	ret->state = items[0];
	ret->address = items[1];
	ret->device = items[2];
	ret->expires_at = ret->created_at + SCAN_MS;
	return OK;
}

static enum err
scan_look(struct req *rq)
{
	const struct scan_code	*in = rq->in;
	struct scan		 row;
	enum err		 e;

	e = look(rq, in->code, &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
note_scan(struct req *rq, void *arg)
{
	(void)arg;
	audit_thing(rq, "user", rq->who.user_id);
	return OK;
}

static enum err
decide(struct req *rq, const char *state)
{
	const struct scan_code	*in = rq->in;
	char			 key[KEY_MAX];
	const char		*argv[] = { "EVAL", script_decide, "1", key,
				    state, arena_fmt(rq->arena, "%lld",
				    (long long)rq->who.user_id) };
	struct scan		 s;
	int64_t			 n = 0;
	enum err		 e;

	/* A session of the console must not make another one. */
	if (rq->who.staff)
		return req_fail(rq, ERR_STATE,
		    "请在微信小程序中扫码确认。");
	if ((e = look(rq, in->code, &s)) != OK ||
	    (e = req_transact(rq, note_scan, NULL)) != OK)
		return e;
	key_of(in->code, key);
	if ((e = redis_command(rq->redis, 6, argv, &n)) != OK)
		return e;
	if (n < 0)
		return absent(rq);
	if (n == 0)
		return req_fail(rq, ERR_STATE,
		    "这次登录已经处理过了，请在电脑上刷新后重新扫码。");
	return OK;
}

static enum err
scan_confirm(struct req *rq)
{
	return decide(rq, "confirmed");
}

static enum err
scan_refuse(struct req *rq)
{
	return decide(rq, "refused");
}

#define SCANS	"/api/v1/sessions/scans"

static const struct route scan_routes[] = {
	{ POST, SCANS, ANYONE, NULL,
	    REPLY_ONE, &scan_new_view, 201, POOL_API, TX_OWN,
	    scan_begin, "Begin a log-in by scanning" },
	{ POST, SCANS "/{code}/claim", ANYONE, &scan_claim_shape,
	    REPLY_ONE, &scan_outcome_view, 200, POOL_API, TX_OWN,
	    scan_claim, "The session, once it was confirmed" },
	{ GET, SCANS "/{code}", STAFF, &scan_code_shape,
	    REPLY_ONE, &scan_view, 200, POOL_API, TX_READ,
	    scan_look, "From where a log-in was asked for" },
	{ POST, SCANS "/{code}/confirm", STAFF, &scan_confirm_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    scan_confirm, "Log the console in as me" },
	{ POST, SCANS "/{code}/refuse", STAFF, &scan_refuse_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_OWN,
	    scan_refuse, "It was not me" },
	{ 0 }
};

void
scan_register(void)
{
	route_register("sessions", scan_routes);
}
