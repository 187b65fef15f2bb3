/* SPDX-License-Identifier: Apache-2.0 */
/*
 * me.c -- the caller's own name, community, phone number and messages.
 */
#include <string.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "flow/outbox.h"
#include "http/req.h"
#include "service/helper.h"
#include "service/scope.h"
#include "service/service.h"
#include "service/user.h"
#include "wechat/wechat.h"

struct me_patch {
	const char	*name;
	int64_t		 community_id;
};

static const struct field me_patch_fields[] = {
	F_TEXT(me_patch, name, "称呼", MAY, 1, 20),
	F_ID(me_patch, community_id, "社区", MAY),
	F_END
};
static const struct shape me_patch_shape = SHAPE(me_patch, "MePatch");

struct me_phone {
	const char	*code;
};

static const struct field me_phone_fields[] = {
	F_TEXT(me_phone, code, "手机号凭证", MUST, 1, 128),
	F_END
};
static const struct shape me_phone_shape = SHAPE(me_phone, "MePhone");

struct me_accept {
	int64_t		 template;
};

static const struct field me_accept_fields[] = {
	F_ENUM(me_accept, template, "消息类型", MUST, conf_template_names),
	F_END
};
static const struct shape me_accept_shape = SHAPE(me_accept, "NoticeAccept");

struct me_notice {
	const char	*template;
	int64_t		 remaining;
};

static void
notice_template_id(struct json *j, const struct req *rq, const void *row)
{
	const struct me_notice	*n = row;

	json_text(j, conf_template(rq->conf, n->template));
}

static const struct view_column me_notice_columns[] = {
	C_CODE(me_notice, template, conf_template_names),
	C_INT(me_notice, remaining,
	    .about = "messages that may still be sent"),
	C_CALC("template_id", SHAPE_TEXT, notice_template_id,
	    .flags = VIEW_NULL, .about = "for wx.requestSubscribeMessage"),
	C_END
};
static const struct view me_notice_view = VIEW(me_notice, "Notice");

enum { ME_NOTICE, ME_SQL_MAX };

static struct stmt me_sql[] = {
	[ME_NOTICE] = { RO, 2, &me_notice_view,
	    "SELECT template, remaining FROM notice_permit"
	    " WHERE user_id = $1 AND template = $2", NULL, 0 },
};

static enum err
answer(struct req *rq)
{
	struct user	u;
	enum err	e;

	e = user_get(rq, rq->who.user_id, &u);
	/* The account was closed under a live session. */
	if (e == ERR_ABSENT)
		return ERR_NO_SESSION;
	return e != OK ? e : req_one(rq, &u);
}

static enum err
patch(struct req *rq, void *arg)
{
	const struct me_patch	*in = arg;
	enum err		 e = OK;

	if (in->name != NULL)
		e = user_rename(rq, rq->who.user_id, in->name);
	if (e == OK && in->community_id != 0)
		e = user_settle(rq, rq->who.user_id, in->community_id);
	if (e == ERR_ABSENT)
		return req_field(rq, "community_id", "not_found",
		    "没有这个社区，请重新选择。");
	return e;
}

/*
 * Sessions are told after the commit.  When Redis is away just then the
 * caller gets 503 and tries again, which is harmless.
 */
static enum err
me_patch(struct req *rq)
{
	struct me_patch	in = *(const struct me_patch *)rq->in;
	struct user	u;
	enum err	e;

	if ((e = req_transact(rq, patch, &in)) != OK)
		return e;
	if ((e = user_get(rq, rq->who.user_id, &u)) != OK)
		return e;
	e = user_sync(rq, &u);
	return e != OK ? e : req_one(rq, &u);
}

/* What waits for the number becomes theirs: posts, and whom they help. */
static enum err
set_phone(struct req *rq, void *arg)
{
	const char	*index = crypt_index(rq->arena, "phone", arg);
	int64_t		 id = rq->who.user_id;
	enum err	 e;

	if ((e = user_set_phone(rq, id, arg)) != OK ||
	    (e = scope_claim(rq, id, index)) != OK)
		return e;
	return helper_claim(rq, id, index);
}

static enum err
me_phone(struct req *rq)
{
	const struct me_phone	*in = rq->in;
	struct user		 u;
	const char		*phone;
	enum err		 e;

	e = wechat_phone(rq->wechat, rq->redis, rq->arena, in->code, &phone);
	if (e == ERR_LOGIN_CODE)
		return req_field(rq, "code", "invalid",
		    "手机号授权已失效，请重新点击获取手机号。");
	if (e != OK)
		return e;
	e = req_transact(rq, set_phone, arena_str(rq->arena, phone));
	if (e != OK || (e = user_get(rq, rq->who.user_id, &u)) != OK)
		return e == ERR_ABSENT ? ERR_NO_SESSION : e;
	e = user_sync(rq, &u);
	return e != OK ? e : req_one(rq, &u);
}

static enum err
notice_row(struct req *rq, const char *name, struct me_notice *ret)
{
	enum err	e;

	*ret = (struct me_notice){ .template = name };
	e = db_one(rq->db, rq->arena, &me_sql[ME_NOTICE],
	    WITH(V(rq->who.user_id), V(name)), ret);
	return e == ERR_ABSENT ? OK : e;
}

static enum err
me_notices(struct req *rq)
{
	struct me_notice	 rows[CONF_TEMPLATES];
	struct json		*j;
	enum err		 e;
	int			 i;

	for (i = 0; conf_template_names[i] != NULL; i++)
		if ((e = notice_row(rq, conf_template_names[i],
		    &rows[i])) != OK)
			return e;
	j = req_json(rq);
	json_open(j);
	json_key(j, "items");
	json_list(j);
	for (i = 0; conf_template_names[i] != NULL; i++)
		json_view(j, &me_notice_view, &rows[i], rq, rq->arena);
	json_unlist(j);
	json_key(j, "next");
	json_nil(j);
	json_close(j);
	return OK;
}

static enum err
me_accept(struct req *rq)
{
	const struct me_accept	*in = rq->in;
	const char		*name = conf_template_names[in->template];
	struct me_notice	 row;
	enum err		 e;

	if ((e = outbox_permit(rq, rq->who.user_id, name)) != OK)
		return e;
	if ((e = notice_row(rq, name, &row)) != OK)
		return e;
	return req_one(rq, &row);
}

static const struct route me_routes[] = {
	{ GET, "/api/v1/me", LOGGED_IN, NULL,
	    REPLY_ONE, &user_view, 200, POOL_API, TX_READ,
	    answer, "Who I am" },
	{ PATCH, "/api/v1/me", LOGGED_IN, &me_patch_shape,
	    REPLY_ONE, &user_view, 200, POOL_API, TX_OWN,
	    me_patch, "Change name or community" },
	{ POST, "/api/v1/me/phone", LOGGED_IN, &me_phone_shape,
	    REPLY_ONE, &user_view, 200, POOL_SLOW, TX_OWN,
	    me_phone, "Set the phone number with the button's code" },
	{ GET, "/api/v1/me/notices", LOGGED_IN, NULL,
	    REPLY_LIST, &me_notice_view, 200, POOL_API, TX_READ,
	    me_notices, "Messages I may be sent, and how many" },
	{ POST, "/api/v1/me/notices", LOGGED_IN, &me_accept_shape,
	    REPLY_ONE, &me_notice_view, 200, POOL_API, TX_WRITE,
	    me_accept, "Record one accept of a subscribe message" },
	{ 0 }
};

void
me_register(void)
{
	db_register(me_sql, ME_SQL_MAX);
	route_register("me", me_routes);
}
