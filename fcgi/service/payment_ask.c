/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_ask.c -- the runner's questions: what became of a payment, of a
 * refund.
 *
 * A notice is a hint and the query is the truth.  Whatever is not known is
 * asked for at the times WeChat Pay names, and when the time to pay is over
 * the order is closed there before its things are let go here.  Who asks
 * holds the row by a claim that lapses.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

#define LATER		(30 * CLOCK_MINUTE)
#define SOON		(5 * CLOCK_SECOND)
#define ASK_US		(60 * 1000000LL)	/* for one, its SQL */
#define NOTICES_KEPT	(30 * CLOCK_DAY)
#define REASON_POINTS	26			/* 80 bytes of Chinese */
#define REFUSED_TOLD	6			/* times, hours at least */
#define KEYS_EVERY	(6 * CLOCK_HOUR)

struct due {
	int64_t		 community_id;
	int64_t		 id;
};
static const struct view_column due_columns[] = {
	C_ID(due, community_id), C_ID(due, id), C_END
};
static const struct view due_view = VIEW(due, "PaymentDue");

struct refund_job {
	int64_t		 id;
	const char	*refund_number;
	const char	*state;
	int64_t		 amount_fen;
	const char	*reason;
	int64_t		 asked;
	const char	*number;
	int64_t		 total_fen;
};
static const struct view_column refund_job_columns[] = {
	C_ID(refund_job, id),
	C_TEXT(refund_job, refund_number),
	C_TEXT(refund_job, state),
	C_FEN(refund_job, amount_fen),
	C_TEXT(refund_job, reason),
	C_INT(refund_job, asked),
	C_TEXT(refund_job, number),
	C_FEN(refund_job, total_fen),
	C_END
};
static const struct view refund_job_view =
    VIEW(refund_job, "PaymentRefundJob");

enum { ASK_DUE, ASK_CLAIM, ASK_NEXT, ASK_DROP, ASK_REFUNDS, ASK_REFUND,
	ASK_REFUND_CLAIM, ASK_REFUND_NEXT, ASK_SWEEP, ASK_SQL_MAX };

static struct stmt ask_sql[] = {
	[ASK_DUE] = { RO, 2, &due_view,
	    "SELECT community_id, id FROM payment WHERE ask_at <= $1"
	    " AND claimed_until <= $1 ORDER BY ask_at LIMIT $2", NULL, 0 },
	[ASK_CLAIM] = { RW, 4, &payment_row_view,
	    "UPDATE payment SET claimed_until = $3, asked = asked + 1"
	    " WHERE community_id = $1 AND id = $2 AND claimed_until <= $4"
	    " AND state IN ('created', 'paying') RETURNING " PAYMENT_ROW,
	    NULL, 0 },
	[ASK_NEXT] = { RW, 4, NULL,
	    "UPDATE payment SET ask_at = $3, claimed_until = $4"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('created', 'paying')", NULL, 0 },
	[ASK_DROP] = { RW, 4, NULL,
	    "UPDATE payment SET ask_at = $4, expires_at = CASE"
	    " WHEN expires_at > $4 THEN $4 ELSE expires_at END"
	    " WHERE community_id = $1 AND id = (SELECT i.payment_id"
	    " FROM payment_item i WHERE i.community_id = $1"
	    " AND i.kind = $2 AND i.thing_id = $3 AND i.live = 1)"
	    " AND state IN ('created', 'paying')", NULL, 0 },
	[ASK_REFUNDS] = { RO, 2, &due_view,
	    "SELECT community_id, id FROM payment_refund"
	    " WHERE ask_at <= $1 AND claimed_until <= $1"
	    " ORDER BY ask_at LIMIT $2", NULL, 0 },
	[ASK_REFUND] = { RO, 2, &refund_job_view,
	    "SELECT r.id, r.number AS refund_number, r.state,"
	    " r.amount_fen, r.reason, r.asked,"
	    " COALESCE(d.number, p.number) AS number,"
	    " COALESCE(d.amount_fen, p.total_fen) AS total_fen"
	    " FROM payment_refund r LEFT JOIN payment p"
	    " ON p.community_id = r.community_id AND p.id = r.payment_id"
	    " LEFT JOIN money_doubt d ON d.community_id = r.community_id"
	    " AND d.refund_id = r.id"
	    " WHERE r.community_id = $1 AND r.id = $2", NULL, 0 },
	[ASK_REFUND_CLAIM] = { RW, 4, NULL,
	    "UPDATE payment_refund SET claimed_until = $3,"
	    " asked = asked + 1 WHERE community_id = $1 AND id = $2"
	    " AND claimed_until <= $4 AND ask_at IS NOT NULL", NULL, 0 },
	[ASK_REFUND_NEXT] = { RW, 3, NULL,
	    "UPDATE payment_refund SET ask_at = $3, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('asked', 'running', 'abnormal')", NULL, 0 },
	[ASK_SWEEP] = { RW, 1, NULL,
	    "DELETE FROM payment_notice WHERE taken_at < $1", NULL, 0 },
};

enum err
payment_drop(struct req *rq, const char *kind, int64_t thing_id)
{
	return db_run(rq->db, &ask_sql[ASK_DROP],
	    WITH(V(rq->who.community_id), V(kind), V(thing_id), V(rq->now)),
	    NULL);
}

/* ---- payments ---- */

struct asking {
	int64_t			 id;
	struct payment_row	 p;
	int64_t			 next;
	bool			 ours;
};

static enum err
claim(struct req *rq, void *arg)
{
	struct asking	*a = arg;
	enum err	 e;

	e = db_one(rq->db, rq->arena, &ask_sql[ASK_CLAIM],
	    WITH(V(rq->who.community_id), V(a->id),
	    V(rq->now + PAYMENT_CLAIM), V(rq->now)), &a->p);
	a->ours = e == OK;
	return e == ERR_ABSENT ? OK : e;
}

static enum err
put_next(struct req *rq, void *arg)
{
	struct asking	*a = arg;

	return db_run(rq->db, &ask_sql[ASK_NEXT],
	    WITH(V(rq->who.community_id), V(a->id), V(a->next),
	    V(rq->now + PAYMENT_REST)), NULL);
}

/*
 * The next of the times after ordering, but not past its end; after that
 * ever more slowly, for then the gateway does not answer.
 */
static int64_t
next_time(const struct req *rq, const struct payment_row *p)
{
	static const int64_t	after[] = { 5, 30, 60, 180, 300, 600, 1800 };
	int64_t			at = rq->now + LATER;
	size_t			i;

	for (i = sizeof(after) / sizeof(after[0]); i-- > 0;)
		if (p->created_at + after[i] * CLOCK_SECOND > rq->now)
			at = p->created_at + after[i] * CLOCK_SECOND;
	if (at > p->expires_at)
		at = p->expires_at;
	if (at > rq->now + PAYMENT_REST)
		return at;
	at = (rq->now - p->expires_at) / 4;
	return rq->now + (at < SOON ? SOON : at < LATER ? at : LATER);
}

static enum err
ask_later(struct req *rq, struct asking *a, int64_t at)
{
	a->next = at;
	return req_transact(rq, put_next, a);
}

static enum err
close_here(struct req *rq, void *arg)
{
	struct asking		*a = arg;
	struct payment_row	 p;
	enum err		 e;

	if ((e = payment_take(rq, a->id, &p)) != OK)
		return e;
	if (strcmp(p.state, "created") != 0 && strcmp(p.state, "paying") != 0)
		return OK;
	if ((e = payment_release(rq, &p)) != OK)
		return e;
	return payment_move(rq, &payment_flow, p.id, "close", NULL);
}

static void
log_refusal(const char *what, const char *number,
    const struct pay_refusal *why)
{
	log_warn("payment=%s %s refused status=%d code=%s", number, what,
	    why->status, why->code != NULL ? why->code : "-");
}

/* Its time is over: closed there first, or it could still be paid. */
static enum err
close_there(struct req *rq, struct asking *a)
{
	struct pay_refusal	why = { 0 };
	enum err		e;

	FAULT("payment.before_close");
	e = pay_order_close(rq->wechat, rq->arena, a->p.number, &why);
	FAULT("payment.after_close");
	if (e == OK)
		return req_transact(rq, close_here, a);
	/* Paid in this second, perhaps: the next question tells. */
	if (e == ERR_PAY_REFUSED)
		log_refusal("close", a->p.number, &why);
	return ask_later(rq, a, next_time(rq, &a->p));
}

static enum err
settle(struct req *rq, struct asking *a, const struct pay_trade *t)
{
	enum err	e;

	switch (t->state) {
	case PAY_PAID:
	case PAY_REFUNDING:
		FAULT("payment.after_query");
		e = payment_book(rq, t, NULL);
		if (e == ERR_CONFLICT || e == ERR_MALFORMED)
			return ask_later(rq, a, rq->now + LATER);
		return e;
	case PAY_CLOSED:
		return req_transact(rq, close_here, a);
	case PAY_UNPAID:
	case PAY_ABSENT:
		break;
	}
	if (rq->now >= a->p.expires_at)
		return close_there(rq, a);
	return ask_later(rq, a, next_time(rq, &a->p));
}

enum err
payment_ask_one(struct req *rq, int64_t id)
{
	struct asking		a = { .id = id };
	struct pay_refusal	why = { 0 };
	struct pay_trade	t;
	enum err		e;

	if ((e = req_transact(rq, claim, &a)) != OK || !a.ours)
		return e;
	FAULT("payment.before_query");
	e = pay_order_query(rq->wechat, rq->arena, a.p.number, &t, &why);
	if (e == OK)
		return settle(rq, &a, &t);
	if (e == ERR_PAY_REFUSED)
		log_refusal("query", a.p.number, &why);
	return ask_later(rq, &a, next_time(rq, &a.p));
}

/* ---- refunds ---- */

struct giving {
	struct due		 due;
	struct refund_job	 job;
	int64_t			 next, n;
	bool			 hopeless, told;
};

static enum err
claim_refund(struct req *rq, void *arg)
{
	struct giving	*g = arg;

	return db_run(rq->db, &ask_sql[ASK_REFUND_CLAIM],
	    WITH(V(g->due.community_id), V(g->due.id),
	    V(rq->now + PAYMENT_CLAIM), V(rq->now)), &g->n);
}

static enum err
put_next_refund(struct req *rq, void *arg)
{
	struct giving	*g = arg;
	enum err	 e = OK;

	if (g->hopeless || g->told)
		e = payment_refund_refused(rq, g->due.id, g->hopeless);
	return e != OK ? e : db_run(rq->db, &ask_sql[ASK_REFUND_NEXT],
	    WITH(V(g->due.community_id), V(g->due.id), V(g->next)), NULL);
}

/* Polls of a minute, slower after some, and for days of a bank. */
static int64_t
next_refund(const struct req *rq, int64_t asked)
{
	if (asked <= 5)
		return rq->now + CLOCK_MINUTE;
	return rq->now + (asked <= 20 ? LATER : 6 * CLOCK_HOUR);
}

static enum err
call_refund(struct req *rq, const struct refund_job *job,
    struct pay_refund *r, struct pay_refusal *why)
{
	struct pay_refund_order	order = { .number = job->number,
		.refund_number = job->refund_number,
		.reason = text_cut(rq->arena, job->reason, REASON_POINTS),
		.refund_fen = job->amount_fen,
		.total_fen = job->total_fen };
	enum err		e;

	if (strcmp(job->state, "asked") != 0) {
		e = pay_refund_query(rq->wechat, rq->arena,
		    job->refund_number, r, why);
		/* What WeChat never took is told it again as it was. */
		if (e != OK || r->state != PAY_REFUND_ABSENT)
			return e;
	}
	FAULT("refund.before_call");
	e = pay_refund_create(rq->wechat, rq->arena, &order, r, why);
	FAULT("refund.after_call");
	return e;
}

/* A definite no that no repetition changes is for a person. */
static bool
is_hopeless(const struct pay_refusal *why)
{
	static const char *const	codes[] = { "USERACCOUNTABNORMAL",
	    "TRADEOVERDUE", "RESOURCENOTEXISTS" };
	size_t				i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (why->code != NULL && strcmp(why->code, codes[i]) == 0)
			return true;
	return false;
}

static void
note_refusal(struct req *rq, struct giving *g, const struct pay_refusal *why)
{
	log_refusal("refund", g->job.refund_number, why);
	if (strcmp(g->job.state, "asked") == 0) {
		g->hopeless = is_hopeless(why);
		g->told = g->job.asked == REFUSED_TOLD;
	}
	if (g->next < rq->now + LATER)
		g->next = rq->now + LATER;
}

static enum err
give_one(struct req *rq, struct giving *g)
{
	struct pay_refusal	why = { 0 };
	struct pay_refund	r;
	enum err		e, d;

	if ((e = req_transact(rq, claim_refund, g)) != OK || g->n == 0)
		return e;
	e = db_one(rq->db, rq->arena, &ask_sql[ASK_REFUND],
	    WITH(V(g->due.community_id), V(g->due.id)), &g->job);
	if (e != OK)
		return e;
	g->next = next_refund(rq, g->job.asked);
	e = call_refund(rq, &g->job, &r, &why);
	if (e == OK)
		e = payment_refund_note(rq, &r, NULL);
	else if (e == ERR_PAY_REFUSED) {
		note_refusal(rq, g, &why);
		e = OK;
	} else if (e == ERR_PAY_AWAY)
		e = OK;
	d = req_transact(rq, put_next_refund, g);
	return e != OK ? e : d;
}

/* ---- tasks ---- */

static enum err
read_due(struct req *rq, const struct stmt *s, struct due *due, int *ret_n)
{
	struct rows	rows;
	enum err	e;
	int		n = 0;

	*ret_n = 0;
	e = db_query(rq->db, s, WITH(V(rq->now), V(PAYMENT_AT_ONCE)), &rows);
	if (e != OK)
		return e;
	while (n < PAYMENT_AT_ONCE && db_each(&rows, &due[n]))
		n++;
	*ret_n = n;
	return db_end(&rows);
}

static void
begin_one(struct req *rq, int64_t community_id)
{
	req_reset(rq);
	rq->who.community_id = community_id;
	rq->now = clock_now();
	rq->deadline = clock_mono_us() + ASK_US;
}

static enum err
ask_payments(struct req *rq)
{
	struct due	due[PAYMENT_AT_ONCE];
	enum err	e;
	int		i, n;

	if (!pay_ready())
		return OK;
	if ((e = read_due(rq, &ask_sql[ASK_DUE], due, &n)) != OK)
		return e;
	for (i = 0; i < n; i++) {
		begin_one(rq, due[i].community_id);
		e = payment_ask_one(rq, due[i].id);
		if (e == ERR_AWAY)
			return e;
		if (e != OK)
			log_error("payment=%lld err=%s",
			    (long long)due[i].id, err_info(e)->name);
	}
	return OK;
}

static enum err
ask_refunds(struct req *rq)
{
	struct due	due[PAYMENT_AT_ONCE];
	enum err	e;
	int		i, n;

	if (!pay_ready())
		return OK;
	if ((e = read_due(rq, &ask_sql[ASK_REFUNDS], due, &n)) != OK)
		return e;
	for (i = 0; i < n; i++) {
		begin_one(rq, due[i].community_id);
		e = give_one(rq, &(struct giving){ .due = due[i] });
		if (e == ERR_AWAY)
			return e;
		if (e != OK)
			log_error("refund=%lld err=%s",
			    (long long)due[i].id, err_info(e)->name);
	}
	return OK;
}

static enum err
sweep_notices(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &ask_sql[ASK_SWEEP],
	    WITH(V(rq->now - NOTICES_KEPT)), NULL);
}

static enum err
sweep(struct req *rq)
{
	return req_transact(rq, sweep_notices, NULL);
}

/* New certificates come while the old ones are good; keys need none. */
static enum err
refresh_keys(struct req *rq)
{
	struct pay_refusal	why = { 0 };
	enum err		e;

	if (!pay_ready() || !pay_key_has_certificate())
		return OK;
	e = pay_key_refresh(rq->wechat, rq->arena, &why);
	if (e == OK || e == ERR_ABSENT)
		return OK;
	log_refusal("certificates", "-", &why);
	return e == ERR_PAY_REFUSED ? OK : e;
}

static const struct task ask_tasks[] = {
	{ "payment_ask", 0, TASK_NEVER, ask_payments },
	{ "payment_refund", 0, TASK_NEVER, ask_refunds },
	{ "payment_notice_sweep", 0, 4 * 60 + 20, sweep },
	{ "pay_keys", KEYS_EVERY, TASK_NEVER, refresh_keys },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
payment_ask_register(void)
{
	db_register(ask_sql, ASK_SQL_MAX);
	task_register(ask_tasks);
}
