/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_remind.c -- reminders of open bills, on the days the payee set.
 *
 * By day only (08:00 to 21:00 in China), each bill once a day at most, and
 * none that is doubted or paid.  A day that was missed is made up for
 * within two days.  A reminder is all that happens to who owes: nothing is
 * cut or shut (bill.h).
 */
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "flow/outbox.h"
#include "flow/task.h"
#include "http/audit.h"
#include "service/bill_internal.h"

#define MESSAGE		"bill_due"
#define PAGE		"pages/bill/bill?id="
#define FROM		(8 * 60)
#define TO		(21 * 60)
#define MISSED		2	/* days that are made up for */
#define AT_ONCE		100	/* bills of a transaction */
#define TOLD		10	/* people of a bill */
#define EVERY		(5 * CLOCK_MINUTE)

struct remind_payee {
	int64_t		 id;
	int64_t		 community_id;
	const char	*remind;
};

static const struct view_column remind_payee_columns[] = {
	C_ID(remind_payee, id),
	C_ID(remind_payee, community_id),
	C_TEXT(remind_payee, remind),
	C_END
};
static const struct view remind_payee_view =
    VIEW(remind_payee, "RemindPayee");

struct remind_bill {
	int64_t		 id;
	int64_t		 dwelling_id;
	const char	*kind, *period;
	int64_t		 due_day;
};

static const struct view_column remind_bill_columns[] = {
	C_ID(remind_bill, id),
	C_ID(remind_bill, dwelling_id),
	C_TEXT(remind_bill, kind),
	C_TEXT(remind_bill, period),
	C_INT(remind_bill, due_day),
	C_END
};
static const struct view remind_bill_view = VIEW(remind_bill, "RemindBill");

struct remind_user {
	int64_t		 user_id;
};

static const struct view_column remind_user_columns[] = {
	C_ID(remind_user, user_id),
	C_END
};
static const struct view remind_user_view = VIEW(remind_user, "RemindUser");

enum { REMIND_PAYEES, REMIND_BILLS, REMIND_MARK, REMIND_WHO,
	REMIND_SQL_MAX };

static struct stmt remind_sql[] = {
	[REMIND_PAYEES] = { RO, 2, &remind_payee_view,
	    "SELECT id, community_id, remind FROM payee"
	    " WHERE (id > $1) AND remind <> '' ORDER BY id LIMIT $2",
	    NULL, 0 },
	[REMIND_BILLS] = { RO, 6, &remind_bill_view,
	    "SELECT id, dwelling_id, kind, period, due_day FROM bill"
	    " WHERE community_id = $1 AND payee_id = $2 AND state = 'open'"
	    " AND due_day BETWEEN $3 AND $4 AND dwelling_id IS NOT NULL"
	    " AND due_day + $5 > reminded_day AND paying_id IS NULL"
	    " ORDER BY due_day, id LIMIT $6", NULL, 0 },
	[REMIND_MARK] = { RW, 3, NULL,
	    "UPDATE bill SET reminded_day = $3 WHERE community_id = $1"
	    " AND id = $2 AND state = 'open' AND reminded_day < $3",
	    NULL, 0 },
	/* Who pays for the family, or else all who live there. */
	[REMIND_WHO] = { RO, 2, &remind_user_view,
	    "SELECT h.owner_id AS user_id FROM home h"
	    " WHERE h.community_id = $1 AND h.dwelling_id = $2"
	    " AND h.state = 'bound' AND (h.payer = 1 OR NOT EXISTS"
	    " (SELECT 1 FROM home p WHERE p.community_id = h.community_id"
	    " AND p.dwelling_id = h.dwelling_id AND p.state = 'bound'"
	    " AND p.payer = 1)) ORDER BY h.owner_id LIMIT 10", NULL, 0 },
};

struct round {
	struct remind_payee	 payee;
	int64_t			 offset, today;
	int			 n;
};

static const char *
words(struct req *rq, const struct remind_bill *b, int64_t today)
{
	if (today < b->due_day)
		return arena_fmt(rq->arena, "还有%lld天到应缴日",
		    (long long)(b->due_day - today));
	if (today == b->due_day)
		return "今天是应缴日";
	return arena_fmt(rq->arena, "已过应缴日%lld天，可查看",
	    (long long)(today - b->due_day));
}

static enum err
tell(struct req *rq, const struct remind_bill *b, int64_t today)
{
	struct remind_user	users[TOLD];
	struct rows		rows;
	const char		*page, *data;
	enum err		e;
	int			i, n = 0;

	e = db_query(rq->db, &remind_sql[REMIND_WHO],
	    WITH(V(rq->who.community_id), V(b->dwelling_id)), &rows);
	if (e != OK)
		return e;
	while (n < TOLD && db_each(&rows, &users[n]))
		n++;
	e = db_end(&rows);
	page = arena_fmt(rq->arena, "%s%lld", PAGE, (long long)b->id);
	data = flow_message(rq, arena_fmt(rq->arena, "%s %s", b->period,
	    bill_kind_label(b->kind)), "待缴费", words(rq, b, today));
	for (i = 0; e == OK && i < n; i++)
		e = outbox_put(rq, users[i].user_id, MESSAGE, page, data);
	return e;
}

/* Some bills of one day that was set; marked and told in one go. */
static enum err
remind_some(struct req *rq, void *arg)
{
	struct round		*r = arg;
	struct remind_bill	 all[AT_ONCE];
	struct rows		 rows;
	int64_t			 marked;
	enum err		 e;
	int			 i;

	rq->who.community_id = r->payee.community_id;
	r->n = 0;
	e = db_query(rq->db, &remind_sql[REMIND_BILLS],
	    WITH(V(r->payee.community_id), V(r->payee.id),
	    V(r->today - r->offset - MISSED), V(r->today - r->offset),
	    V(r->offset), V(AT_ONCE)), &rows);
	if (e != OK)
		return e;
	while (r->n < AT_ONCE && db_each(&rows, &all[r->n])) {
		all[r->n].kind = arena_str(rq->arena, all[r->n].kind);
		all[r->n].period = arena_str(rq->arena, all[r->n].period);
		r->n++;
	}
	e = db_end(&rows);
	for (i = 0; e == OK && i < r->n; i++) {
		e = db_run(rq->db, &remind_sql[REMIND_MARK],
		    WITH(V(r->payee.community_id), V(all[i].id),
		    V(r->today)), &marked);
		if (e == OK && marked == 1)
			e = tell(rq, &all[i], r->today);
	}
	return e;
}

static enum err
remind_payee(struct req *rq, const struct remind_payee *p, int64_t today)
{
	int64_t		days[PAYEE_DAYS];
	struct round	r = { .payee = *p, .today = today };
	enum err	e = OK;
	int		i, n = payee_days(p->remind, days);

	/* The latest day first: one message stands for those missed. */
	for (i = n - 1; e == OK && i >= 0; i--) {
		r.offset = days[i];
		do
			e = req_transact(rq, remind_some, &r);
		while (e == OK && r.n == AT_ONCE);
	}
	return e;
}

static enum err
remind(struct req *rq)
{
	struct remind_payee	all[50];
	struct clock_local	at = clock_local(rq->now);
	struct rows		rows;
	int64_t			last = 0;
	enum err		e = OK;
	int			i, n = 50;

	if (at.minute < FROM || at.minute >= TO)
		return OK;
	while (e == OK && n == 50) {
		e = db_query(rq->db, &remind_sql[REMIND_PAYEES],
		    WITH(V(last), V(50)), &rows);
		for (n = 0; e == OK && n < 50 && db_each(&rows, &all[n]);
		    n++)
			all[n].remind = arena_str(rq->arena, all[n].remind);
		if (e == OK)
			e = db_end(&rows);
		for (i = 0; e == OK && i < n; i++) {
			last = all[i].id;
			e = remind_payee(rq, &all[i], bill_day(rq->now));
		}
	}
	return e;
}

static const struct task remind_tasks[] = {
	{ "bill_remind", EVERY, TASK_NEVER, remind },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
bill_remind_register(void)
{
	db_register(remind_sql, REMIND_SQL_MAX);
	task_register(remind_tasks);
}
