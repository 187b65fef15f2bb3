/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.c -- who may act for whom.
 *
 * A grant names a number; it is good for whoever proves that number.  Both
 * sides see it, when it was last used, and either may end it.  What it
 * opens is decided by http/acting.c.
 */
#include <string.h>

#include "base/clock.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/text.h"
#include "flow/flow.h"
#include "flow/outbox.h"
#include "flow/task.h"
#include "http/acting.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/helper.h"
#include "service/service.h"

static const char *const ground_names[] = { "self", "desk", NULL };
static const char *const direction_names[] = { "given", "received", NULL };

static const struct field helper_new_fields[] = {
	F_PHONE(helper_new, phone, "家人手机号", MUST),
	F_TEXT(helper_new, name, "家人称呼", MUST, 1, 20),
	F_CODES(helper_new, rights, "代办事项", MUST, 1, acting_rights),
	F_TIME(helper_new, until, "截止时间", MAY),
	F_END
};
static const struct shape helper_new_shape = SHAPE(helper_new, "HelperNew");

struct helper_id {
	int64_t		 id;
};

static const struct field helper_id_fields[] = {
	F_ID(helper_id, id, "代办授权", MUST),
	F_END
};
static const struct shape helper_id_shape = SHAPE(helper_id, "HelperId");

struct helper_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field helper_page_fields[] = {
	F_PAGE(helper_page),
	F_END
};
static const struct shape helper_page_shape =
    SHAPE(helper_page, "HelperPage");

struct helper {
	int64_t		 id;
	int64_t		 community_id;
	const char	*community;
	int64_t		 elder_id;
	int64_t		 helper_id;
	const char	*name;
	const char	*phone;
	const char	*elder;
	int64_t		 bits;
	const char	*ground;
	const char	*note;
	int64_t		 from_at;
	int64_t		 to_at;
	int64_t		 used_at;
	int64_t		 created_at;
	int64_t		 revoked_at;
};

static void
helper_rights(struct json *j, const struct req *rq, const void *row)
{
	const struct helper	*h = row;
	int			 i;

	(void)rq;
	json_list(j);
	for (i = 0; acting_rights[i] != NULL; i++)
		if (h->bits >> i & 1)
			json_text(j, acting_rights[i]);
	json_unlist(j);
}

static void
helper_direction(struct json *j, const struct req *rq, const void *row)
{
	const struct helper	*h = row;

	json_text(j, direction_names[h->helper_id == rq->who.user_id]);
}

/* Whether a number has an account is told by its use, not to the giver. */
static void
helper_state(struct json *j, const struct req *rq, const void *row)
{
	const struct helper	*h = row;

	if (h->revoked_at != VIEW_NULL_INT)
		json_text(j, "revoked");
	else if (h->to_at != VIEW_NULL_INT && h->to_at <= rq->now)
		json_text(j, "expired");
	else
		json_text(j, h->helper_id == rq->who.user_id ||
		    h->used_at != VIEW_NULL_INT ? "active" : "waiting");
}

static const struct view_column helper_columns[] = {
	C_ID(helper, id, .about = "to be sent as Acting-For"),
	C_ID(helper, community_id),
	C_TEXT(helper, community),
	C_ID(helper, elder_id, .flags = VIEW_HIDDEN),
	C_ID(helper, helper_id, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_TEXT(helper, name, .about = "of the helper"),
	C_TEXT(helper, phone, .about = "of the helper, masked"),
	C_TEXT(helper, elder, .about = "who is helped"),
	C_INT(helper, bits, .flags = VIEW_HIDDEN),
	C_CODE(helper, ground, ground_names),
	C_TEXT(helper, note, .flags = VIEW_NULL,
	    .about = "who was present at the desk"),
	C_TIME(helper, from_at),
	C_TIME(helper, to_at, .flags = VIEW_NULL),
	C_TIME(helper, used_at, .flags = VIEW_NULL,
	    .about = "when it was last used; reading counts once a day"),
	C_TIME(helper, created_at),
	C_TIME(helper, revoked_at, .flags = VIEW_NULL),
	C_CALC("rights", SHAPE_CODES, helper_rights, .names = acting_rights),
	C_CALC("direction", SHAPE_TEXT, helper_direction,
	    .about = "given or received"),
	C_CALC("state", SHAPE_TEXT, helper_state,
	    .about = "waiting (not used yet, but to the helper), active,"
	    " expired or revoked"),
	C_END
};
const struct view helper_view = VIEW(helper, "Helper");

struct helper_elder {
	const char	*phone_index;
};

static const struct view_column helper_elder_columns[] = {
	C_TEXT(helper_elder, phone_index, .flags = VIEW_NULL),
	C_END
};
static const struct view helper_elder_view =
    VIEW(helper_elder, "HelperElder");

struct helper_user {
	int64_t		 id;
};

static const struct view_column helper_user_columns[] = {
	C_ID(helper_user, id),
	C_END
};
static const struct view helper_user_view = VIEW(helper_user, "HelperUser");

struct helper_unclaimed {
	int64_t		 community_id;
	const char	*phone_index;
	int64_t		 user_id;
};

static const struct view_column helper_unclaimed_columns[] = {
	C_ID(helper_unclaimed, community_id),
	C_TEXT(helper_unclaimed, phone_index),
	C_ID(helper_unclaimed, user_id),
	C_END
};
static const struct view helper_unclaimed_view =
    VIEW(helper_unclaimed, "HelperUnclaimed");

enum { HELPER_LIST, HELPER_GET, HELPER_LOCK, HELPER_EXPIRE, HELPER_COUNT,
	HELPER_TODAY, HELPER_WAITING, HELPER_OF, HELPER_ADD, HELPER_REVOKE,
	HELPER_LEAVE, HELPER_CLAIM,
	HELPER_END_GIVEN, HELPER_END_GOT, HELPER_SQL_MAX };

/* Who helps from another city has no community, or another one. */
static struct stmt helper_sql[] = {
	[HELPER_LIST] = { RO, 3, &helper_view,
	    HELPER_COLUMNS " WHERE (h.elder_id = $1 OR h.helper_id = $1)"
	    " AND (CAST($2 AS BIGINT) = 0 OR h.id < $2)"
	    " ORDER BY h.id DESC LIMIT $3", NULL, 0 },
	[HELPER_GET] = { RO, 2, &helper_view,
	    HELPER_COLUMNS " WHERE (h.elder_id = $1 OR h.helper_id = $1)"
	    " AND h.id = $2", NULL, 0 },
	/* Grants of one elder are given one after the other. */
	[HELPER_LOCK] = { RW, 2, &helper_elder_view,
	    "UPDATE app_user SET updated_at = $2 WHERE id = $1"
	    " AND closed_at IS NULL RETURNING phone_index", NULL, 0 },
	[HELPER_EXPIRE] = { RW, 3, NULL,
	    "UPDATE helper SET revoked_at = to_at, revoked_by = elder_id"
	    " WHERE community_id = $1 AND elder_id = $2"
	    " AND revoked_at IS NULL AND to_at <= $3", NULL, 0 },
	[HELPER_COUNT] = { RO, 2, &helper_user_view,
	    "SELECT COUNT(*) AS id FROM helper WHERE community_id = $1"
	    " AND elder_id = $2 AND revoked_at IS NULL", NULL, 0 },
	[HELPER_TODAY] = { RO, 2, &helper_user_view,
	    "SELECT COUNT(*) AS id FROM helper WHERE elder_id = $1"
	    " AND created_at > $2", NULL, 0 },
	/* Given in the moment when the number was proved. */
	[HELPER_WAITING] = { RO, 1, &helper_unclaimed_view,
	    "SELECT h.community_id, h.phone_index, u.id AS user_id"
	    " FROM helper h JOIN app_user u ON u.phone_index = h.phone_index"
	    " AND u.closed_at IS NULL AND u.id <> h.elder_id"
	    " WHERE h.helper_id IS NULL AND h.revoked_at IS NULL"
	    " AND (h.to_at IS NULL OR h.to_at > $1)"
	    " ORDER BY h.id, u.updated_at DESC, u.id DESC LIMIT 1",
	    NULL, 0 },
	[HELPER_OF] = { RO, 1, &helper_user_view,
	    "SELECT id FROM app_user WHERE phone_index = $1"
	    " AND closed_at IS NULL ORDER BY updated_at DESC, id DESC"
	    " LIMIT 1", NULL, 0 },
	[HELPER_ADD] = { RW, 14, NULL,
	    "INSERT INTO helper (community_id, id, elder_id, helper_id,"
	    " phone, phone_index, phone_mask, name, rights, ground, note,"
	    " entered_by, from_at, to_at, created_at) VALUES ($1, $2, $3,"
	    " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $13)",
	    NULL, 0 },
	[HELPER_REVOKE] = { RW, 4, &helper_user_view,
	    "UPDATE helper SET revoked_at = $3, revoked_by = $4"
	    " WHERE elder_id = $1 AND id = $2 AND revoked_at IS NULL"
	    " RETURNING COALESCE(helper_id, 0) AS id", NULL, 0 },
	[HELPER_LEAVE] = { RW, 3, &helper_user_view,
	    "UPDATE helper SET revoked_at = $3, revoked_by = $1"
	    " WHERE helper_id = $1 AND id = $2 AND revoked_at IS NULL"
	    " RETURNING elder_id AS id", NULL, 0 },
	[HELPER_CLAIM] = { RW, 2, NULL,
	    "UPDATE helper SET helper_id = $1 WHERE phone_index = $2"
	    " AND helper_id IS NULL AND revoked_at IS NULL"
	    " AND elder_id <> $1 AND EXISTS (SELECT 1 FROM app_user u"
	    " WHERE u.id = $1 AND u.closed_at IS NULL)", NULL, 0 },
	[HELPER_END_GIVEN] = { RW, 2, NULL,
	    "UPDATE helper SET revoked_at = COALESCE(revoked_at, $2),"
	    " revoked_by = COALESCE(revoked_by, $1), phone = '',"
	    " phone_index = '', phone_mask = '' WHERE elder_id = $1",
	    NULL, 0 },
	[HELPER_END_GOT] = { RW, 2, NULL,
	    "UPDATE helper SET revoked_at = COALESCE(revoked_at, $2),"
	    " revoked_by = COALESCE(revoked_by, $1), phone = '',"
	    " phone_index = '', phone_mask = '', name = '已注销'"
	    " WHERE helper_id = $1", NULL, 0 },
};

static struct value
id_or_null(int64_t id)
{
	return id != 0 ? value_int(id) : VNULL;
}

static enum err
tell(struct req *rq, int64_t user_id, const char *phrase, const char *tip)
{
	if (user_id == 0)
		return OK;
	return outbox_put(rq, user_id, "order_progress",
	    "pages/me/helpers", flow_message(rq, "家人代办授权", phrase,
	    tip));
}

/* Who may be given it: not the elder, and not too many. */
static enum err
check_new(struct req *rq, int64_t elder_id, const char *index)
{
	struct helper_elder	elder;
	struct helper_user	count;
	enum err		e;

	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_LOCK],
	    WITH(V(elder_id), V(rq->now)), &elder);
	if (e != OK)
		return e;
	if (elder.phone_index != NULL && strcmp(elder.phone_index, index) == 0)
		return req_field(rq, "phone", "own",
		    "这是本人的手机号，请填写家人的手机号。");
	e = db_run(rq->db, &helper_sql[HELPER_EXPIRE],
	    WITH(V(rq->who.community_id), V(elder_id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_COUNT],
	    WITH(V(rq->who.community_id), V(elder_id)), &count);
	if (e == OK && count.id >= HELPER_MAX)
		return req_failf(rq, ERR_CONFLICT,
		    "最多授权 %d 位家人代办，请先取消不用的授权。",
		    HELPER_MAX);
	if (e == OK)
		e = db_one(rq->db, rq->arena, &helper_sql[HELPER_TODAY],
		    WITH(V(elder_id), V(rq->now - CLOCK_DAY)), &count);
	if (e == OK && count.id >= HELPER_DAY)
		return req_failf(rq, ERR_LIMITED,
		    "一天最多授权 %d 次，请明天再试。", HELPER_DAY);
	return e;
}

static enum err
add(struct req *rq, int64_t elder_id, int64_t helper_id, const char *ground,
    const char *index, const struct helper_new *in, int64_t id)
{
	return db_run(rq->db, &helper_sql[HELPER_ADD],
	    WITH(V(rq->who.community_id), V(id), V(elder_id),
	    id_or_null(helper_id),
	    V(crypt_seal(rq->arena, "phone", in->phone)), V(index),
	    V(text_mask_phone(rq->arena, in->phone)), V(in->name),
	    V(in->rights), V(ground), V(in->note), V(rq->who.user_id),
	    V(rq->now), in->until != 0 ? V(in->until) : VNULL), NULL);
}

enum err
helper_give(struct req *rq, int64_t elder_id, const char *ground,
    const struct helper_new *in, int64_t *ret_id)
{
	const char		*index;
	struct helper_user	 to = { 0 };
	enum err		 e;

	if (in->until != 0 && in->until <= rq->now)
		return req_field(rq, "until", "past",
		    "截止时间应晚于现在，请重新选择。");
	index = crypt_index(rq->arena, "phone", in->phone);
	if ((e = check_new(rq, elder_id, index)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_OF],
	    WITH(V(index)), &to);
	if (e != OK && e != ERR_ABSENT)
		return e;
	if (to.id == rq->who.user_id && to.id != 0)
		return req_field(rq, "phone", "own",
		    "这是您本人的手机号，请填写家人的手机号。");
	*ret_id = id_new();
	e = add(rq, elder_id, to.id, ground, index, in, *ret_id);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "已经授权过这个手机号，如需调整请先取消原来的授权。");
	if (e != OK)
		return e;
	audit_thing(rq, "helper", *ret_id);
	e = tell(rq, to.id, "已授权", "家人请您代办，请查看");
	if (e == OK && strcmp(ground, "desk") == 0)
		e = tell(rq, elder_id, "已登记",
		    "社区为您登记了代办人，请查看");
	return e;
}

enum err
helper_revoke(struct req *rq, int64_t elder_id, int64_t id)
{
	struct helper_user	other;
	enum err		e;

	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_REVOKE],
	    WITH(V(elder_id), V(id), V(rq->now), V(rq->who.user_id)),
	    &other);
	if (e != OK)
		return e;
	audit_thing(rq, "helper", id);
	return tell(rq, other.id, "已取消", "家人已取消代办授权");
}

enum err
helper_claim(struct req *rq, int64_t user_id, const char *phone_index)
{
	return db_run(rq->db, &helper_sql[HELPER_CLAIM],
	    WITH(V(user_id), V(phone_index)), NULL);
}

enum err
helper_end_all(struct req *rq)
{
	enum err	e;

	e = db_run(rq->db, &helper_sql[HELPER_END_GIVEN],
	    WITH(V(rq->who.user_id), V(rq->now)), NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &helper_sql[HELPER_END_GOT],
	    WITH(V(rq->who.user_id), V(rq->now)), NULL);
}

enum err
helper_put_all(struct req *rq, struct json *j)
{
	struct helper	row;
	struct rows	rows;
	enum err	e;

	e = db_query(rq->db, &helper_sql[HELPER_LIST],
	    WITH(V(rq->who.user_id), V(0), V(1000)), &rows);
	if (e != OK)
		return e;
	json_list(j);
	while (db_each(&rows, &row))
		json_view(j, &helper_view, &row, rq, rq->arena);
	json_unlist(j);
	return db_end(&rows);
}

static enum err
helper_add(struct req *rq)
{
	const struct helper_new	*in = rq->in;
	struct helper		 row;
	int64_t			 id;
	enum err		 e;

	e = helper_give(rq, rq->who.user_id, "self", in, &id);
	/* The account was closed under a live session. */
	if (e == ERR_ABSENT)
		return ERR_NO_SESSION;
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_GET],
	    WITH(V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
helper_list(struct req *rq)
{
	const struct helper_page	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &helper_sql[HELPER_LIST],
	    WITH(V(rq->who.user_id), V(in->after), V(limit + 1)), limit);
}

/* Either side may end it. */
static enum err
helper_remove(struct req *rq)
{
	const struct helper_id	*in = rq->in;
	struct helper_user	 elder;
	enum err		 e;

	e = helper_revoke(rq, rq->who.user_id, in->id);
	if (e != ERR_ABSENT)
		return e;
	e = db_one(rq->db, rq->arena, &helper_sql[HELPER_LEAVE],
	    WITH(V(rq->who.user_id), V(in->id), V(rq->now)), &elder);
	if (e != OK)
		return e;
	audit_thing(rq, "helper", in->id);
	return tell(rq, elder.id, "已退出", "家人已退出代办，请知悉");
}

static const struct route helper_routes[] = {
	{ POST, "/api/v1/me/helpers", ROLE_RESIDENT, &helper_new_shape,
	    REPLY_ONE, &helper_view, 201, POOL_API, TX_WRITE,
	    helper_add, "Let somebody act for me, as far as this goes" },
	{ GET, "/api/v1/me/helpers", LOGGED_IN, &helper_page_shape,
	    REPLY_LIST, &helper_view, 200, POOL_API, TX_READ,
	    helper_list, "Who acts for me, and for whom I act" },
	{ DELETE, "/api/v1/me/helpers/{id}", LOGGED_IN, &helper_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    helper_remove, "End a grant, from either side" },
	{ 0 }
};

static enum err
claim_one(struct req *rq, void *arg)
{
	const struct helper_unclaimed	*u = arg;

	audit_as(rq, u->community_id, 0);
	audit_thing(rq, "user", u->user_id);
	return helper_claim(rq, u->user_id, u->phone_index);
}

static enum err
claim_all(struct req *rq)
{
	struct helper_unclaimed	u;
	enum err		e = OK;
	int			i;

	for (i = 0; i < 50 && e == OK; i++) {
		e = db_one(rq->db, rq->arena, &helper_sql[HELPER_WAITING],
		    WITH(V(rq->now)), &u);
		if (e == OK)
			e = req_transact(rq, claim_one, &u);
	}
	return e == ERR_ABSENT ? OK : e;
}

static const struct task helper_tasks[] = {
	{ "helper_claims", CLOCK_MINUTE, TASK_NEVER, claim_all },
	{ NULL, 0, 0, NULL }
};

void
helper_register(void)
{
	task_register(helper_tasks);
	db_register(helper_sql, HELPER_SQL_MAX);
	route_register("helpers", helper_routes);
	helper_desk_register();
}
