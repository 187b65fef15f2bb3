/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_flow.c -- a payment, and money in doubt, as tables.
 *
 * Nobody moves a payment by hand: what the gateway said does, and the
 * payer's wish to have money back.  A closed payment is not an end, since
 * money may still come; then it is in doubt and lies on the shelf until it
 * is booked after all or given back.
 */
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

static struct stmt payment_flow_sql[] = {
	FLOW_SQL("payment")
};
static struct stmt doubt_flow_sql[] = {
	FLOW_SQL("money_doubt")
};

const char *const payment_states[] = { "created", "paying", "paid", "closed",
    "refunding", "refunded", "doubtful", NULL };
const char *const payment_doubt_states[] = { "open", "rebooked", "refunding",
    "refunded", NULL };
const char *const payment_doubt_whys[] = { "late", "doubled", "wrong_amount",
    "unknown", "unwanted", NULL };

#define ASKED	"the task of payments asks the gateway"

static const struct flow_state states[] = {
	{ "created", "提交中", false, NULL, 0, NULL, ASKED },
	{ "paying", "待付款", false, NULL, 0, NULL, ASKED },
	{ "paid", "已付款", false, NULL, 0, NULL,
	    "done, unless money goes back" },
	{ "closed", "已关闭", false, NULL, 0, NULL,
	    "done, unless money comes late" },
	{ "refunding", "退款中", false, NULL, 0, NULL,
	    "the task of refunds asks the gateway" },
	{ "refunded", "已退款", true, NULL, 0, NULL, NULL },
	{ "doubtful", "核对中", false, NULL, 0, NULL,
	    "the money's row on the shelf has the deadline" },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

#define PROGRESS	"order_progress"
#define ERRAND		"order_todo"
#define OWNER(tip)	{ TELL_OWNER, PROGRESS, (tip) }
#define ADMINS(tip)	{ TELL_ADMINS, ERRAND, (tip) }
#define MOVE(from, event, to, label, ...)				\
	{ from, event, to, REL_SYSTEM, FLOW_NONE, label, NULL, NULL,	\
	    { __VA_ARGS__ } }
#define NOBODY		{ 0 }

static const struct flow_move moves[] = {
	{ NULL, "create", "created", REL_OWNER, FLOW_NONE, "发起付款",
	    NULL, NULL, { { 0 } } },
	MOVE("created", "order", "paying", "微信已受理", NOBODY),
	MOVE("created", "pay", "paid", "付款成功",
	    OWNER("付款成功，点击查看详情")),
	MOVE("paying", "pay", "paid", "付款成功",
	    OWNER("付款成功，点击查看详情")),
	MOVE("created", "close", "closed", "未付款，已关闭", NOBODY),
	MOVE("paying", "close", "closed", "未付款，已关闭", NOBODY),
	MOVE("created", "doubt", "doubtful", "款项待核对",
	    OWNER("款项正在核对，不会丢失")),
	MOVE("paying", "doubt", "doubtful", "款项待核对",
	    OWNER("款项正在核对，不会丢失")),
	MOVE("closed", "doubt", "doubtful", "款项待核对",
	    OWNER("款项正在核对，不会丢失")),
	MOVE("doubtful", "rebook", "paid", "核对后入账",
	    OWNER("款项已核对入账")),
	MOVE("doubtful", "refund", "refunding", "核对后退回",
	    OWNER("款项将原路退回")),
	MOVE("paid", "refund", "refunding", "开始退款",
	    OWNER("退款已受理，将原路退回")),
	MOVE("refunding", "refund", "refunding", "又一笔退款",
	    OWNER("退款已受理，将原路退回")),
	MOVE("refunding", "stuck", "refunding", "退款受阻",
	    ADMINS("有退款未能到账，请处理")),
	MOVE("refunding", "returned", "refunded", "已全部退回",
	    OWNER("退款已完成，请查收")),
	MOVE("refunding", "keep", "paid", "部分退款完成",
	    OWNER("退款已完成，请查收")),
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow payment_flow = {
	.name = "payment",
	.label = "在线付款",
	.page = "pages/payment/detail?id=",
	.states = states,
	.moves = moves,
	.sql = payment_flow_sql,
	.watchers = ROLE_ADMIN,
};

static const struct flow_state doubt_states[] = {
	{ "open", "待核对", false, "refund", 0, NULL, NULL },
	{ "rebooked", "已入账", true, NULL, 0, NULL, NULL },
	{ "refunding", "退回中", false, NULL, 0, NULL,
	    "the task of refunds asks the gateway" },
	{ "refunded", "已退回", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move doubt_moves[] = {
	{ NULL, "shelve", "open", REL_SYSTEM, FLOW_SET, "款项待核对",
	    NULL, NULL, { ADMINS("有一笔款项待核对") } },
	{ "open", "rebook", "rebooked", REL_SYSTEM | ROLE_ADMIN, FLOW_NONE,
	    "核对后入账", NULL, payment_doubt_rebook, { { 0 } } },
	{ "open", "refund", "refunding", REL_SYSTEM | ROLE_ADMIN, FLOW_NONE,
	    "退回款项", NULL, payment_doubt_refund, { { 0 } } },
	{ "refunding", "stuck", "refunding", REL_SYSTEM, FLOW_NONE,
	    "退回受阻", NULL, NULL, { ADMINS("有退款未能到账，请处理") } },
	{ "refunding", "returned", "refunded", REL_SYSTEM, FLOW_NONE,
	    "已退回", NULL, NULL, { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow payment_doubt_flow = {
	.name = "money_doubt",
	.label = "待核对款项",
	.page = "pages/payment/doubt?id=",
	.states = doubt_states,
	.moves = doubt_moves,
	.sql = doubt_flow_sql,
	.watchers = ROLE_ADMIN,
};

static const struct view_column payment_row_columns[] = {
	C_ID(payment_row, community_id),
	C_ID(payment_row, id),
	C_TEXT(payment_row, state),
	C_ID(payment_row, owner_id),
	C_TEXT(payment_row, title),
	C_TEXT(payment_row, number),
	C_TEXT(payment_row, things),
	C_FEN(payment_row, total_fen),
	C_FEN(payment_row, refunded_fen),
	C_TIME(payment_row, expires_at),
	C_TEXT(payment_row, prepay_id, .flags = VIEW_NULL),
	C_TIME(payment_row, prepay_at, .flags = VIEW_NULL),
	C_TEXT(payment_row, transaction_id, .flags = VIEW_NULL),
	C_INT(payment_row, asked),
	C_TIME(payment_row, created_at),
	C_END
};
const struct view payment_row_view = VIEW(payment_row, "PaymentRow");

static const struct view_column payment_part_columns[] = {
	C_ID(payment_part, payment_id),
	C_INT(payment_part, seq),
	C_TEXT(payment_part, kind),
	C_ID(payment_part, thing_id),
	C_ID(payment_part, payee_id),
	C_TEXT(payment_part, title),
	C_FEN(payment_part, amount_fen),
	C_FEN(payment_part, refunded_fen),
	C_INT(payment_part, live),
	C_END
};
const struct view payment_part_view = VIEW(payment_part, "PaymentPart");

enum { FLOW_TAKE, FLOW_TAKE_NUMBER, FLOW_PARTS, SQL_MAX };

static struct stmt sql[] = {
	[FLOW_TAKE] = { RW, 2, &payment_row_view,
	    "UPDATE payment SET asked = asked WHERE community_id = $1"
	    " AND id = $2 RETURNING " PAYMENT_ROW, NULL, 0 },
	[FLOW_TAKE_NUMBER] = { RW, 1, &payment_row_view,
	    "UPDATE payment SET asked = asked WHERE number = $1"
	    " RETURNING " PAYMENT_ROW, NULL, 0 },
	[FLOW_PARTS] = { RO, 2, &payment_part_view,
	    "SELECT payment_id, seq, kind, thing_id, payee_id, title,"
	    " amount_fen, refunded_fen, live FROM payment_item"
	    " WHERE community_id = $1 AND payment_id = $2 ORDER BY seq",
	    NULL, 0 },
};

void
payment_flow_register(void)
{
	db_register(sql, SQL_MAX);
	flow_register(&payment_flow);
	flow_register(&payment_doubt_flow);
}

enum err
payment_take(struct req *rq, int64_t id, struct payment_row *ret)
{
	return db_one(rq->db, rq->arena, &sql[FLOW_TAKE],
	    WITH(V(rq->who.community_id), V(id)), ret);
}

enum err
payment_take_number(struct req *rq, const char *number,
    struct payment_row *ret)
{
	return db_one(rq->db, rq->arena, &sql[FLOW_TAKE_NUMBER],
	    WITH(V(number)), ret);
}

enum err
payment_parts(struct req *rq, int64_t id, struct payment_parts *ret)
{
	struct payment_part	row, *p;
	struct rows		rows;
	enum err		e;

	ret->n = 0;
	e = db_query(rq->db, &sql[FLOW_PARTS],
	    WITH(V(rq->who.community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (ret->n < PAYMENT_THINGS && db_each(&rows, &row)) {
		p = &ret->at[ret->n++];
		*p = row;
		p->kind = arena_str(rq->arena, row.kind);
		p->title = arena_str(rq->arena, row.title);
	}
	return db_end(&rows);
}

void
payment_forgive(struct req *rq)
{
	rq->err = OK;
	rq->detail = NULL;
	rq->faults = NULL;
}

enum err
payment_move(struct req *rq, const struct flow *flow, int64_t id,
    const char *event, const char *note)
{
	enum err	e = flow_system(rq, flow, id, event, note);

	return e == ERR_CONFLICT ? ERR_AGAIN : e;
}
