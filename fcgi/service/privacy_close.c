/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy_close.c -- closing the account, and what must stay.
 *
 * What is open with others is finished first; then every personal column
 * is emptied in one transaction and the sessions end.  Closing twice is
 * harmless: the second ends sessions that the first could not.
 */
#include "base/clock.h"
#include "base/crypt.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/helper.h"
#include "service/home.h"
#include "service/privacy.h"
#include "service/water.h"

const struct stay privacy_stays[] = {
	{ "订单与付款记录", "电子商务法第三十一条、会计档案管理办法",
	    "订单不少于三年，会计凭证三十年，到期删除" },
	{ "事项的办理进度", "作为订单与申请的凭据，只留编号，不留您的资料",
	    "与所属订单相同" },
	{ "操作记录（审计）", "网络安全法第二十一条", "不少于六个月" },
	{ "社区住户登记", "社区依法履职登记，与账号无关，更正请联系社区",
	    "搬离并完成法定事项后由社区处理" },
	{ NULL, NULL, NULL }
};

void
privacy_put_stays(struct json *j)
{
	const struct stay	*s;

	json_list(j);
	for (s = privacy_stays; s->what != NULL; s++) {
		json_open(j);
		json_put_text(j, "what", s->what);
		json_put_text(j, "why", s->why);
		json_put_text(j, "until", s->until);
		json_close(j);
	}
	json_unlist(j);
}

/* How many of each stand in the way. */
struct closing {
	int64_t		 orders;
	int64_t		 offices;
	int64_t		 accounts;
};

static const struct {
	const char	*field, *detail;
} todo[] = {
	{ "orders", "还有未完成的订单，请先完成或取消。" },
	{ "offices", "您还担任社区或商家的职务，请先请管理员办理交接。" },
	{ "water", "水站账户里还有空桶、押金或水票，请先与水站结清。" },
};
#define OPENS	(sizeof(todo) / sizeof(todo[0]))

static int64_t
count(const struct closing *c, size_t i)
{
	const int64_t	n[OPENS] = { c->orders, c->offices, c->accounts };

	return n[i];
}

static void
closing_todo(struct json *j, const struct req *rq, const void *row)
{
	size_t	i;

	(void)rq;
	json_list(j);
	for (i = 0; i < OPENS; i++) {
		if (count(row, i) == 0)
			continue;
		json_open(j);
		json_put_text(j, "what", todo[i].field);
		json_put_text(j, "detail", todo[i].detail);
		json_put_int(j, "count", count(row, i));
		json_close(j);
	}
	json_unlist(j);
}

static void
closing_stays(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	(void)row;
	privacy_put_stays(j);
}

/* Only described; written by hand above. */
struct closing_todo {
	const char	*what, *detail;
	int64_t		 count;
};

static const struct view_column closing_todo_columns[] = {
	C_TEXT(closing_todo, what),
	C_TEXT(closing_todo, detail),
	C_INT(closing_todo, count),
	C_END
};
static const struct view closing_todo_view =
    VIEW(closing_todo, "ClosingTodo");

static const struct view_column stay_columns[] = {
	C_TEXT(stay, what),
	C_TEXT(stay, why),
	C_TEXT(stay, until),
	C_END
};
static const struct view stay_view = VIEW(stay, "ClosingStay");

static const struct view_column closing_columns[] = {
	C_INT(closing, orders, .flags = VIEW_HIDDEN),
	C_INT(closing, offices, .flags = VIEW_HIDDEN),
	C_INT(closing, accounts, .flags = VIEW_HIDDEN),
	C_CALC("todo", SHAPE_OBJECTS, closing_todo,
	    .sub = &closing_todo_view, .about = "must be finished first"),
	C_CALC("stays", SHAPE_OBJECTS, closing_stays, .sub = &stay_view,
	    .about = "what the law has us keep"),
	C_END
};
static const struct view closing_view = VIEW(closing, "Closing");

/* An order that was on its way in when its account was closed. */
struct late_order {
	int64_t		 id;
	int64_t		 community_id;
	int64_t		 owner_id;
};

static const struct view_column late_order_columns[] = {
	C_ID(late_order, id),
	C_ID(late_order, community_id),
	C_ID(late_order, owner_id),
	C_END
};
static const struct view late_order_view = VIEW(late_order, "LateOrder");

/* Of all communities, found by the keys that begin with them. */
#define EVERYWHERE(t) t ".community_id IN (SELECT id FROM community)"
/* A ledger account of what `owner` and `id` name has something left. */
#define LEFT_OVER(owner, id)						\
	"EXISTS (SELECT 1 FROM ledger_account l"			\
	" WHERE l.community_id = a.community_id AND l.owner = '" owner "'" \
	" AND l.owner_id = " id " AND l.balance > 0)"

enum { CLOSE_LOOK, CLOSE_LOCK, CLOSE_ADDRESS, CLOSE_HOME, CLOSE_PERMIT,
	CLOSE_OUTBOX, CLOSE_ROLE, CLOSE_OLD, CLOSE_CODE, CLOSE_USER,
	CLOSE_LATE, CLOSE_SQL_MAX };

static struct stmt close_sql[] = {
	[CLOSE_LOOK] = { RO, 1, &closing_view,
	    "SELECT (SELECT COUNT(*) FROM water_order w WHERE "
	    EVERYWHERE("w") " AND w.owner_id = $1 AND w.state IN"
	    " ('unpaid', 'paying', 'placed', 'accepted', 'delivering',"
	    " 'delivered')) AS orders,"
	    " (SELECT COUNT(*) FROM user_role r WHERE r.user_id = $1"
	    " AND r.role <> 'resident') + (SELECT COUNT(*)"
	    " FROM org_staff s WHERE " EVERYWHERE("s")
	    " AND s.user_id = $1) AS offices,"
	    /* What a family shares stays with who is left of it. */
	    " (SELECT COUNT(*) FROM water_account a WHERE "
	    EVERYWHERE("a") " AND a.closed_at IS NULL"
	    " AND ((a.household_id IS NULL AND a.user_id = $1)"
	    " OR (a.household_id IS NOT NULL AND EXISTS (SELECT 1"
	    " FROM home t WHERE t.owner_id = $1"
	    " AND t.community_id = a.community_id AND t.state = 'bound'"
	    " AND t.household_id = a.household_id)"
	    " AND NOT EXISTS (SELECT 1 FROM home t"
	    " WHERE t.community_id = a.community_id AND t.state = 'bound'"
	    " AND t.household_id = a.household_id AND t.owner_id <> $1)))"
	    " AND (" LEFT_OVER("water_account", "a.id")
	    " OR EXISTS (SELECT 1 FROM water_book b"
	    " WHERE b.community_id = a.community_id AND b.account_id = a.id"
	    " AND b.closed_at IS NULL AND " LEFT_OVER("water_book", "b.id")
	    "))) AS accounts", NULL, 0 },
	/*
	 * A unique column is changed, so that PostgreSQL too lets nobody
	 * write a row that points here meanwhile, and waits for who did.
	 */
	[CLOSE_LOCK] = { RW, 2, NULL,
	    "UPDATE app_user SET account = $2 WHERE id = $1"
	    " AND closed_at IS NULL", NULL, 0 },
	[CLOSE_ADDRESS] = { RW, 3, NULL,
	    "UPDATE address SET removed_at = COALESCE(removed_at, $2),"
	    " is_default = 0, contact = '', label = '', phone = $3"
	    " WHERE " EVERYWHERE("address") " AND user_id = $1", NULL, 0 },
	[CLOSE_HOME] = { RW, 1, NULL,
	    "UPDATE home SET name = '' WHERE owner_id = $1", NULL, 0 },
	[CLOSE_PERMIT] = { RW, 1, NULL,
	    "DELETE FROM notice_permit WHERE user_id = $1", NULL, 0 },
	[CLOSE_OUTBOX] = { RW, 2, NULL,
	    "UPDATE outbox SET state = 'failed', data = '{}', claim = 0,"
	    " claimed_until = 0, done_at = $2"
	    " WHERE user_id = $1 AND state = 'queued'", NULL, 0 },
	[CLOSE_ROLE] = { RW, 1, NULL,
	    "DELETE FROM user_role WHERE user_id = $1", NULL, 0 },
	[CLOSE_OLD] = { RW, 1, NULL,
	    "DELETE FROM password_old WHERE user_id = $1", NULL, 0 },
	[CLOSE_CODE] = { RW, 1, NULL,
	    "DELETE FROM recovery_code WHERE user_id = $1", NULL, 0 },
	[CLOSE_USER] = { RW, 2, NULL,
	    "UPDATE app_user SET openid = NULL, unionid = NULL,"
	    " password = NULL, totp = NULL, totp_new = NULL,"
	    " staff_phone = NULL,"
	    " name = '', phone = NULL, phone_index = NULL,"
	    " updated_at = $2, closed_at = $2 WHERE id = $1", NULL, 0 },
	[CLOSE_LATE] = { RO, 2, &late_order_view,
	    "SELECT w.id, w.community_id, w.owner_id FROM app_user u"
	    " JOIN water_order w ON " EVERYWHERE("w")
	    " AND w.owner_id = u.id WHERE u.closed_at > $1"
	    " AND w.state IN ('unpaid', 'paying', 'placed', 'accepted')"
	    " ORDER BY w.id LIMIT $2",
	    NULL, 0 },
};

static enum err
look(struct req *rq, struct closing *ret)
{
	return db_one(rq->db, rq->arena, &close_sql[CLOSE_LOOK],
	    WITH(V(rq->who.user_id)), ret);
}

static enum err
closing_get(struct req *rq)
{
	struct closing	row;
	enum err	e;

	return (e = look(rq, &row)) != OK ? e : req_one(rq, &row);
}

static enum err
run(struct req *rq, int which, struct values v)
{
	return db_run(rq->db, &close_sql[which], v, NULL);
}

/* Forget everything that says who it was. */
static enum err
empty(struct req *rq)
{
	int64_t		id = rq->who.user_id;
	enum err	e;

	if ((e = run(rq, CLOSE_ADDRESS, WITH(V(id), V(rq->now),
	    V(crypt_seal(rq->arena, "phone", ""))))) != OK ||
	    (e = run(rq, CLOSE_HOME, WITH(V(id)))) != OK ||
	    (e = run(rq, CLOSE_PERMIT, WITH(V(id)))) != OK ||
	    (e = run(rq, CLOSE_OUTBOX, WITH(V(id), V(rq->now)))) != OK ||
	    (e = run(rq, CLOSE_ROLE, WITH(V(id)))) != OK ||
	    (e = run(rq, CLOSE_OLD, WITH(V(id)))) != OK ||
	    (e = run(rq, CLOSE_CODE, WITH(V(id)))) != OK)
		return e;
	return run(rq, CLOSE_USER, WITH(V(id), V(rq->now)));
}

static enum err
close_account(struct req *rq, void *arg)
{
	struct closing	*row = arg;
	const char	*account;
	int64_t		 n;
	size_t		 i;
	enum err	 e;

	account = arena_fmt(rq->arena, "closed-%lld",
	    (long long)rq->who.user_id);
	e = db_run(rq->db, &close_sql[CLOSE_LOCK],
	    WITH(V(rq->who.user_id), V(account)), &n);
	if (e != OK || n == 0)
		return e;
	if ((e = look(rq, row)) != OK)
		return e;
	for (i = 0; i < OPENS; i++)
		if (count(row, i) != 0)
			e = req_field_as(rq, ERR_INCOMPLETE, todo[i].field,
			    "open", todo[i].detail);
	if (e != OK)
		return e;
	audit_thing(rq, "user", rq->who.user_id);
	if ((e = home_leave_all(rq)) != OK || (e = helper_end_all(rq)) != OK)
		return e;
	return empty(rq);
}

/*
 * Sessions end after the commit.  When Redis is away just then the caller
 * gets 503 and tries again.
 */
static enum err
me_close(struct req *rq)
{
	struct closing	row = { 0 };
	enum err	e;

	if ((e = req_transact(rq, close_account, &row)) != OK)
		return e;
	e = session_end_all(rq->redis, rq->arena, rq->who.user_id, NULL);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
cancel_late(struct req *rq, void *arg)
{
	const struct late_order	*o = arg;

	return flow_fire(rq, &water_flow, o->id, "cancel", NULL,
	    "账号已注销");
}

/*
 * On PostgreSQL an order may be placed in the very moment of the closing,
 * by a request that began before it.  It must not be brought to nobody.
 */
static enum err
cancel_all_late(struct req *rq)
{
	struct session		none = rq->who;
	struct late_order	at[16];
	struct rows		rows;
	enum err		e;
	int			i, n = 0;

	e = db_query(rq->db, &close_sql[CLOSE_LATE],
	    WITH(V(rq->now - CLOCK_DAY), V(16)), &rows);
	if (e != OK)
		return e;
	while (n < 16 && db_each(&rows, &at[n]))
		n++;
	e = db_end(&rows);
	for (i = 0; e == OK && i < n; i++) {
		rq->who.community_id = at[i].community_id;
		rq->who.user_id = at[i].owner_id;
		e = req_transact(rq, cancel_late, &at[i]);
	}
	rq->who = none;
	return e;
}

static const struct task close_tasks[] = {
	{ "closed_accounts", 10 * CLOCK_MINUTE, TASK_NEVER, cancel_all_late },
	{ NULL, 0, 0, NULL }
};

static const struct route close_routes[] = {
	{ GET, "/api/v1/me/closing", LOGGED_IN, NULL,
	    REPLY_ONE, &closing_view, 200, POOL_API, TX_READ,
	    closing_get, "What closing my account would leave, and needs" },
	{ DELETE, "/api/v1/me", LOGGED_IN, NULL,
	    REPLY_ONE, &closing_view, 200, POOL_API, TX_OWN,
	    me_close, "Close my account; says what stays" },
	{ 0 }
};

void
privacy_close_register(void)
{
	db_register(close_sql, CLOSE_SQL_MAX);
	route_register("privacy", close_routes);
	task_register(close_tasks);
}
