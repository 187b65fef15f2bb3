/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment.c -- routes of the payer, and what is created.
 *
 * What is sent is written first: a payment with its number stands before
 * WeChat Pay hears of it, and asking again with the same things goes on
 * with the same payment.  Of two that open one for a thing at once the
 * index payment_item_live lets one through.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

#define PREPAY_LIFE	(110 * CLOCK_MINUTE)	/* two hours, less some */
#define LEFT_TO_PAY	(60 * CLOCK_SECOND)	/* or it is not gone on with */
#define FIRST_ASK	(5 * CLOCK_SECOND)
#define PAYERS		ROLE_RESIDENT

/* ---- what is shown ---- */

struct payment {
	int64_t		 id;
	const char	*state;
	const char	*number;
	const char	*title;
	int64_t		 total_fen;
	int64_t		 refunded_fen;
	const char	*things;
	int64_t		 expires_at;
	int64_t		 paid_at;
	int64_t		 created_at;
	int64_t		 updated_at;
	enum err	*e;
};

struct payment_line {
	const char	*kind;
	int64_t		 id;
	const char	*title;
	int64_t		 amount_fen;
};
static const struct view_column payment_line_columns[] = {
	C_TEXT(payment_line, kind),
	C_ID(payment_line, id),
	C_TEXT(payment_line, title),
	C_FEN(payment_line, amount_fen),
	C_END
};
static const struct view payment_line_view =
    VIEW(payment_line, "PaymentLine");

static void
calc_label(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, flow_label(&payment_flow,
	    ((const struct payment *)row)->state));
}

static void
calc_refunds(struct json *j, const struct req *rq, const void *row)
{
	const struct payment	*p = row;

	payment_refund_stream(j, rq, p->id, p->e);
}

#define PAYMENT_COLUMNS							\
	C_ID(payment, id),						\
	C_CODE(payment, state, payment_state_names),			\
	C_TEXT(payment, number, .about = "as WeChat shows it"),		\
	C_TEXT(payment, title),						\
	C_FEN(payment, total_fen),					\
	C_FEN(payment, refunded_fen, .about = "on its way or done"),	\
	C_ARRAY(payment, things, &payment_line_view),			\
	C_TIME(payment, expires_at, .about = "to be paid by then"),	\
	C_TIME(payment, paid_at, .flags = VIEW_NULL),			\
	C_TIME(payment, created_at),					\
	C_TIME(payment, updated_at),					\
	C_CALC("state_label", SHAPE_TEXT, calc_label,			\
	    .about = "the state in Chinese")

static const char *const payment_state_names[] = { "created", "paying", "paid",
    "closed", "refunding", "refunded", "doubtful", NULL };

static const struct view_column payment_columns[] = {
	PAYMENT_COLUMNS,
	C_END
};
static const struct view payment_view = VIEW(payment, "Payment");

static const struct view_column payment_full_columns[] = {
	PAYMENT_COLUMNS,
	C_CALC("refunds", SHAPE_OBJECTS, calc_refunds,
	    .sub = &payment_refund_view),
	C_END
};
static const struct view payment_full_view = { .name = "PaymentFull",
	.size = sizeof(struct payment), .columns = payment_full_columns };

/* What POST /payments answers. */
struct payment_made {
	struct payment		 payment;
	struct pay_params	 params;
};

struct payment_wechat {
	const char	*timeStamp, *nonceStr, *package, *signType, *paySign;
};
static const struct view_column payment_wechat_columns[] = {
	C_TEXT(payment_wechat, timeStamp),
	C_TEXT(payment_wechat, nonceStr),
	C_TEXT(payment_wechat, package),
	C_TEXT(payment_wechat, signType),
	C_TEXT(payment_wechat, paySign),
	C_END
};
static const struct view payment_wechat_view =
    VIEW(payment_wechat, "PaymentWechat");

static void
calc_payment(struct json *j, const struct req *rq, const void *row)
{
	json_view(j, &payment_view, &((const struct payment_made *)row)
	    ->payment, rq, rq->arena);
}

static void
calc_wechat(struct json *j, const struct req *rq, const void *row)
{
	const struct pay_params	*p = &((const struct payment_made *)row)
				    ->params;
	struct payment_wechat	 w = { p->time_stamp, p->nonce_str,
		p->package, p->sign_type, p->pay_sign };

	json_view(j, &payment_wechat_view, &w, rq, rq->arena);
}

static const struct view_column payment_made_columns[] = {
	C_CALC("payment", SHAPE_OBJECT, calc_payment, .sub = &payment_view),
	C_CALC("wechat", SHAPE_OBJECT, calc_wechat,
	    .sub = &payment_wechat_view, .about = "for wx.requestPayment"),
	C_END
};
static const struct view payment_made_view =
    VIEW(payment_made, "PaymentMade");

/* A payment that holds a thing. */
struct payment_holder {
	int64_t		 id;
	const char	*state;
	int64_t		 owner_id;
	const char	*things;
	int64_t		 expires_at;
};
static const struct view_column payment_holder_columns[] = {
	C_ID(payment_holder, id),
	C_TEXT(payment_holder, state),
	C_ID(payment_holder, owner_id),
	C_TEXT(payment_holder, things),
	C_TIME(payment_holder, expires_at),
	C_END
};
static const struct view payment_holder_view =
    VIEW(payment_holder, "PaymentHolder");

struct payment_openid {
	const char	*openid;
};
static const struct view_column payment_openid_columns[] = {
	C_TEXT(payment_openid, openid, .flags = VIEW_NULL),
	C_END
};
static const struct view payment_openid_view =
    VIEW(payment_openid, "PaymentOpenid");

enum { PAY_LIST, PAY_ONE, PAY_HOLDER, PAY_OPENID, PAY_ADD, PAY_ADD_PART,
	PAY_PREPAID, PAY_GIVE_UP, PAY_SQL_MAX };

#define PAY_SELECT							\
	"SELECT id, state, number, title, total_fen, refunded_fen,"	\
	" things, expires_at, paid_at, created_at, updated_at"		\
	" FROM payment WHERE community_id = $1 AND owner_id = $2"

static struct stmt pay_sql[] = {
	[PAY_LIST] = { RO, 4, &payment_view,
	    PAY_SELECT " AND id < $3 ORDER BY id DESC LIMIT $4", NULL, 0 },
	[PAY_ONE] = { RO, 3, &payment_full_view,
	    PAY_SELECT " AND id = $3", NULL, 0 },
	[PAY_HOLDER] = { RO, 3, &payment_holder_view,
	    "SELECT p.id, p.state, p.owner_id, p.things, p.expires_at"
	    " FROM payment_item i JOIN payment p"
	    " ON p.community_id = i.community_id AND p.id = i.payment_id"
	    " WHERE i.community_id = $1 AND i.kind = $2"
	    " AND i.thing_id = $3 AND i.live = 1", NULL, 0 },
	[PAY_OPENID] = { RO, 1, &payment_openid_view,
	    "SELECT openid FROM app_user WHERE id = $1", NULL, 0 },
	[PAY_ADD] = { RW, 10, NULL,
	    "INSERT INTO payment (community_id, id, state, version, urged,"
	    " owner_id, org_id, title, created_at, updated_at, number,"
	    " things, total_fen, refunded_fen, expires_at, ask_at, asked,"
	    " claimed_until) VALUES ($1, $2, 'created', 1, 0, $3, 0, $4,"
	    " $5, $5, $6, $7, $8, 0, $9, $10, 0, 0)", NULL, 0 },
	[PAY_ADD_PART] = { RW, 8, NULL,
	    "INSERT INTO payment_item (community_id, payment_id, seq, kind,"
	    " thing_id, payee_id, title, amount_fen, refunded_fen, live)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 1)"
	    " ON CONFLICT (community_id, kind, thing_id) WHERE live = 1"
	    " DO NOTHING", NULL, 0 },
	[PAY_PREPAID] = { RW, 4, NULL,
	    "UPDATE payment SET prepay_id = $3, prepay_at = $4"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('created', 'paying')", NULL, 0 },
	[PAY_GIVE_UP] = { RW, 4, NULL,
	    "UPDATE payment SET ask_at = $4, expires_at = CASE"
	    " WHEN expires_at > $4 THEN $4 ELSE expires_at END,"
	    " claimed_until = 0 WHERE community_id = $1 AND id = $2"
	    " AND owner_id = $3 AND state IN ('created', 'paying')",
	    NULL, 0 },
};

/* ---- what comes in ---- */

struct payment_thing_in {
	const char	*kind;
	int64_t		 id;
};
static const struct field payment_thing_in_fields[] = {
	F_TEXT(payment_thing_in, kind, "种类", MUST, 1, 30),
	F_ID(payment_thing_in, id, "编号", MUST),
	F_END
};
static const struct shape payment_thing_in_shape =
    SHAPE(payment_thing_in, "PaymentThing");

struct payment_new {
	struct field_list	 things;
};
static const struct field payment_new_fields[] = {
	F_LIST(payment_new, things, "付款项目", MUST, 1, PAYMENT_THINGS,
	    &payment_thing_in_shape),
	F_END
};
static const struct shape payment_new_shape =
    SHAPE(payment_new, "PaymentNew");

struct payment_id {
	int64_t		 id;
};
static const struct field payment_id_fields[] = {
	F_ID(payment_id, id, "付款", MUST),
	F_END
};
static const struct shape payment_id_shape = SHAPE(payment_id, "PaymentId");

struct payment_page {
	int64_t		 limit, after;
};
static const struct field payment_page_fields[] = {
	F_PAGE(payment_page),
	F_END
};
static const struct shape payment_page_shape =
    SHAPE(payment_page, "PaymentPage");

/* ---- opening ---- */

struct opening {
	int				 n;
	struct payment_thing_in		 in[PAYMENT_THINGS];
	const struct payment_kind	*kinds[PAYMENT_THINGS];
	struct payment_thing		 things[PAYMENT_THINGS];
	const char			*openid;
	int64_t				 id;
	struct payment_row		 p;
	const char			*prepay_id;
};

static int
by_kind_and_id(const void *x, const void *y)
{
	const struct payment_thing_in	*a = x, *b = y;
	int				 d = strcmp(a->kind, b->kind);

	return d != 0 ? d : a->id < b->id ? -1 : a->id > b->id;
}

/*
 * Rows are taken in one order by all, and the same things read the same
 * however they were asked for.
 */
static enum err
sort_things(struct req *rq, struct opening *o)
{
	const struct payment_new	*in = rq->in;
	int				 i;

	o->n = (int)in->things.n;
	memcpy(o->in, in->things.items, sizeof(o->in[0]) * in->things.n);
	qsort(o->in, in->things.n, sizeof(o->in[0]), by_kind_and_id);
	for (i = 0; i < o->n; i++) {
		o->kinds[i] = payment_thing_kind(o->in[i].kind);
		if (o->kinds[i] == NULL)
			return req_field(rq, "things", "unknown",
			    "有不能在线付款的项目，请更新小程序后重试。");
		if (i > 0 && by_kind_and_id(&o->in[i - 1], &o->in[i]) == 0)
			return req_field(rq, "things", "doubled",
			    "同一项只能出现一次。");
	}
	return OK;
}

/* The things as JSON; amounts and titles once they are known. */
static const char *
things_json(struct req *rq, const struct opening *o)
{
	const char	*text;
	struct json	 j;
	struct buf	 b;
	int		 i;

	buf_init(&b, 65536);
	json_init(&j, &b);
	json_list(&j);
	for (i = 0; i < o->n; i++) {
		json_open(&j);
		json_put_text(&j, "kind", o->in[i].kind);
		json_put_id(&j, "id", o->in[i].id);
		json_put_text(&j, "title", o->things[i].title);
		json_put_int(&j, "amount_fen", o->things[i].amount_fen);
		json_close(&j);
	}
	json_unlist(&j);
	text = arena_copy(rq->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

/* Whether payment `id` is for exactly these things. */
static enum err
is_same(struct req *rq, const struct opening *o, int64_t id, bool *ret)
{
	struct payment_parts	parts;
	enum err		e;
	int			i;

	if ((e = payment_parts(rq, id, &parts)) != OK)
		return e;
	*ret = parts.n == o->n;
	for (i = 0; *ret && i < o->n; i++)
		*ret = parts.at[i].thing_id == o->in[i].id &&
		    strcmp(parts.at[i].kind, o->in[i].kind) == 0;
	return OK;
}

/* Somebody has a payment for thing `i`: whose, and what now. */
static enum err
meet(struct req *rq, struct opening *o, int i,
    const struct payment_holder *h)
{
	struct clock_local	at = clock_local(h->expires_at);
	bool			same, over = h->expires_at <= rq->now +
				    (o->id != 0 ? 0 : LEFT_TO_PAY);
	enum err		e;

	/* What others do is told only to who may pay it too. */
	if (h->owner_id != rq->who.user_id &&
	    (e = o->kinds[i]->quote(rq, o->in[i].id, &o->things[i])) != OK)
		return e;
	if (strcmp(h->state, "created") != 0 &&
	    strcmp(h->state, "paying") != 0)
		return req_fail(rq, ERR_STATE,
		    "这一项已经付过款，不用再付。");
	if (h->owner_id != rq->who.user_id)
		return req_failf(rq, ERR_CONFLICT, "家人正在付这一项，请等"
		    "对方付完；如果没有付，%02d:%02d 以后可以再试。",
		    at.minute / 60, at.minute % 60);
	if ((e = is_same(rq, o, h->id, &same)) != OK)
		return e;
	if (over)
		return req_fail(rq, ERR_CONFLICT,
		    "上一次付款正在关闭，请一分钟后再试。");
	if (!same)
		return req_failf(rq, ERR_CONFLICT, "其中有项目正在另一笔"
		    "付款（%lld）里，请先付完或关闭那一笔。",
		    (long long)h->id);
	o->id = h->id;
	return OK;
}

static enum err
find_holder(struct req *rq, struct opening *o)
{
	struct payment_holder	h;
	enum err		e;
	int			i;

	for (i = 0; i < o->n; i++) {
		e = db_one(rq->db, rq->arena, &pay_sql[PAY_HOLDER],
		    WITH(V(rq->who.community_id), V(o->in[i].kind),
		    V(o->in[i].id)), &h);
		if (e == OK)
			return meet(rq, o, i, &h);
		if (e != ERR_ABSENT)
			return e;
	}
	return OK;
}

static enum err
quote_all(struct req *rq, struct opening *o, int64_t *ret_total)
{
	enum err	e;
	int		i;

	*ret_total = 0;
	for (i = 0; i < o->n; i++) {
		e = o->kinds[i]->quote(rq, o->in[i].id, &o->things[i]);
		if (e != OK)
			return e;
		if (o->things[i].amount_fen <= 0 ||
		    o->things[i].amount_fen > LEDGER_MAX)
			return req_fail(rq, ERR_STATE,
			    "这一项现在没有需要付的金额。");
		*ret_total += o->things[i].amount_fen;
	}
	/* More could be paid, and then not be booked in one line. */
	if (*ret_total > LEDGER_MAX)
		return req_fail(rq, ERR_STATE, "合计金额过大，请分开付款。");
	return OK;
}

static enum err
add_parts(struct req *rq, const struct opening *o, int64_t id,
    int64_t until)
{
	enum err	e;
	int64_t		n;
	int		i;

	for (i = 0; i < o->n; i++) {
		e = db_run(rq->db, &pay_sql[PAY_ADD_PART],
		    WITH(V(rq->who.community_id), V(id), V(i + 1),
		    V(o->in[i].kind), V(o->in[i].id),
		    V(o->things[i].payee_id), V(o->things[i].title),
		    V(o->things[i].amount_fen)), &n);
		/* Somebody was faster: look again whose it is. */
		if (e == OK && n == 0)
			e = ERR_AGAIN;
		if (e == OK && o->kinds[i]->opened != NULL)
			e = o->kinds[i]->opened(rq, o->in[i].id, id, until);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
add_payment(struct req *rq, struct opening *o)
{
	struct flow_thing	t = { .community_id = rq->who.community_id,
		.id = id_new(), .state = "created",
		.owner_id = rq->who.user_id };
	int64_t			total, until;
	enum err		e;

	if ((e = quote_all(rq, o, &total)) != OK)
		return e;
	/* The gateway counts in seconds. */
	until = (rq->now + rq->conf->pay_minutes * CLOCK_MINUTE) /
	    CLOCK_SECOND * CLOCK_SECOND;
	t.title = o->n == 1 ? o->things[0].title : arena_fmt(rq->arena,
	    "%s等 %d 项", o->things[0].title, o->n);
	e = db_run(rq->db, &pay_sql[PAY_ADD], WITH(V(t.community_id),
	    V(t.id), V(t.owner_id), V(t.title), V(rq->now),
	    V(arena_fmt(rq->arena, "P%lld", (long long)t.id)),
	    V(things_json(rq, o)), V(total), V(until),
	    V(rq->now + FIRST_ASK)), NULL);
	if (e != OK || (e = add_parts(rq, o, t.id, until)) != OK)
		return e;
	o->id = t.id;
	return flow_start(rq, &payment_flow, "create", &t);
}

/* What is to be sent, written down; or what was before. */
static enum err
open_payment(struct req *rq, void *arg)
{
	struct opening	*o = arg;
	enum err	 e;

	o->id = 0;
	if ((e = find_holder(rq, o)) != OK)
		return e;
	if (o->id == 0 && (e = add_payment(rq, o)) != OK)
		return e;
	return payment_take(rq, o->id, &o->p);
}

static enum err
note_prepay(struct req *rq, void *arg)
{
	struct opening		*o = arg;
	struct payment_row	 p;
	int64_t			 n;
	enum err		 e;

	if ((e = payment_take(rq, o->id, &p)) != OK ||
	    (e = db_run(rq->db, &pay_sql[PAY_PREPAID],
	    WITH(V(p.community_id), V(p.id), V(o->prepay_id), V(rq->now)),
	    &n)) != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE,
		    "这笔付款刚刚有了变化，请刷新后查看。");
	return strcmp(p.state, "created") != 0 ? OK :
	    payment_move(rq, &payment_flow, p.id, "order", NULL);
}

static enum err
give_up(struct req *rq, void *arg)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &pay_sql[PAY_GIVE_UP],
	    WITH(V(rq->who.community_id), V(*(int64_t *)arg),
	    V(rq->who.user_id), V(rq->now)), &n);
	return e == OK && n == 0 ? ERR_ABSENT : e;
}

/* WeChat will not have it: let the things go, as after any payment. */
static enum err
refused(struct req *rq, struct opening *o, const struct pay_refusal *why)
{
	enum err	e;

	log_warn("payment=%s order refused status=%d code=%s", o->p.number,
	    why->status, why->code != NULL ? why->code : "-");
	e = req_transact(rq, give_up, &o->id);
	if (e == OK)
		e = payment_ask_one(rq, o->id);
	return e != OK && e != ERR_ABSENT ? e : ERR_PAY_REFUSED;
}

/* Tell WeChat, unless it was told and what it gave is still good. */
static enum err
order(struct req *rq, struct opening *o)
{
	struct pay_order	order = { .number = o->p.number,
		.description = o->p.title, .openid = o->openid,
		.total_fen = o->p.total_fen, .expires_at = o->p.expires_at };
	struct pay_refusal	why = { 0 };
	enum err		e;

	o->prepay_id = o->p.prepay_id;
	if (o->prepay_id != NULL && o->p.prepay_at != VIEW_NULL_INT &&
	    o->p.prepay_at > rq->now - PREPAY_LIFE)
		return OK;
	FAULT("payment.before_prepay");
	e = pay_order_create(rq->wechat, rq->arena, &order, &o->prepay_id,
	    &why);
	FAULT("payment.after_prepay");
	/* Our own keys are wrong: no fault of this payment. */
	if (e == ERR_PAY_REFUSED && why.status == 401)
		return ERR_PAY_AWAY;
	if (e == ERR_PAY_REFUSED)
		return refused(rq, o, &why);
	return e != OK ? e : req_transact(rq, note_prepay, o);
}

static enum err
see(struct req *rq, int64_t id, struct payment *ret)
{
	return db_one(rq->db, rq->arena, &pay_sql[PAY_ONE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), ret);
}

static enum err
find_openid(struct req *rq, const char **ret)
{
	struct payment_openid	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &pay_sql[PAY_OPENID],
	    WITH(V(rq->who.user_id)), &row);
	if (e == OK && row.openid == NULL)
		return req_fail(rq, ERR_STATE, "请在微信小程序里付款。");
	if (e == OK)
		*ret = row.openid;
	return e;
}

static enum err
payment_make(struct req *rq)
{
	struct opening		*o = ARENA_NEW(rq->arena, struct opening);
	struct payment_made	 made = { .payment = { .id = 0 } };
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if ((e = sort_things(rq, o)) != OK ||
	    (e = find_openid(rq, &o->openid)) != OK ||
	    (e = req_transact(rq, open_payment, o)) != OK ||
	    (e = order(rq, o)) != OK ||
	    (e = pay_order_params(rq->arena, o->prepay_id,
	    &made.params)) != OK ||
	    (e = see(rq, o->id, &made.payment)) != OK)
		return e;
	return req_one(rq, &made);
}

/* ---- looking ---- */

static enum err
payment_list(struct req *rq)
{
	const struct payment_page *in = rq->in;
	int64_t			   limit = req_limit(in->limit);

	return req_list(rq, &pay_sql[PAY_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->after != 0 ? in->after : INT64_MAX), V(limit + 1)), limit);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct payment	row;
	enum err	e, refunds = OK;

	if ((e = see(rq, id, &row)) != OK)
		return e;
	row.e = &refunds;
	e = req_one(rq, &row);
	return e != OK ? e : refunds;
}

static bool
is_unknown(const struct payment *p)
{
	return strcmp(p->state, "created") == 0 ||
	    strcmp(p->state, "paying") == 0;
}

/* What is not known yet is asked for; a gateway away is no failure. */
static enum err
payment_see(struct req *rq)
{
	const struct payment_id	*in = rq->in;
	struct payment		 row;
	enum err		 e;

	if ((e = see(rq, in->id, &row)) != OK)
		return e;
	if (is_unknown(&row) && pay_ready() &&
	    (e = payment_ask_one(rq, in->id)) != OK)
		return e;
	return answer(rq, in->id);
}

static enum err
payment_close(struct req *rq)
{
	struct payment_id	 in = *(const struct payment_id *)rq->in;
	struct payment		 row;
	enum err		 e;

	if ((e = see(rq, in.id, &row)) != OK)
		return e;
	if (is_unknown(&row)) {
		e = req_transact(rq, give_up, &in.id);
		if (e == OK)
			e = payment_ask_one(rq, in.id);
		if (e != OK && e != ERR_ABSENT)
			return e;
		payment_forgive(rq);
	} else if (strcmp(row.state, "closed") != 0)
		return req_fail(rq, ERR_STATE,
		    "这笔款已经付了，不能关闭；如需退款请申请退款。");
	return answer(rq, in.id);
}

static enum err
payment_timeline(struct req *rq)
{
	const struct payment_id	*in = rq->in;

	return flow_timeline(rq, &payment_flow, in->id);
}

#define FULL	REPLY_ONE, &payment_full_view, 200, POOL_SLOW, TX_OWN

static const struct route payment_routes[] = {
	{ GET, "/api/v1/payments", PAYERS, &payment_page_shape,
	    REPLY_LIST, &payment_view, 200, POOL_API, TX_READ,
	    payment_list, "My payments, newest first" },
	{ POST, "/api/v1/payments", PAYERS, &payment_new_shape,
	    REPLY_ONE, &payment_made_view, 201, POOL_SLOW, TX_OWN,
	    payment_make, "Pay things; the same things again go on with the"
	    " same payment" },
	{ GET, "/api/v1/payments/{id}", PAYERS, &payment_id_shape,
	    FULL, payment_see, "One of them, asking WeChat Pay when it is"
	    " not known" },
	{ POST, "/api/v1/payments/{id}/close", PAYERS, &payment_id_shape,
	    FULL, payment_close, "Give it up: closed at WeChat Pay first" },
	{ GET, "/api/v1/payments/{id}/timeline", PAYERS | ROLE_ADMIN,
	    &payment_id_shape, REPLY_LIST, &flow_event_view, 200, POOL_API,
	    TX_READ, payment_timeline, "What happened, oldest first" },
	{ 0 }
};

void
payment_register(void)
{
	payment_flow_register();
	db_register(pay_sql, PAY_SQL_MAX);
	route_register("payments", payment_routes);
	payment_book_register();
	payment_notice_register();
	payment_ask_register();
	payment_refund_register();
	payment_doubt_register();
}
