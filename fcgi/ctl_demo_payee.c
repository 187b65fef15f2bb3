/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo_payee.c -- who bills in the demo, and what the residents of
 * demo.json owe: a property fee that is not due yet, and water that is late.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_demo.h"
#include "ctl_person.h"

#define KIND		"payee"
#define LATE_RATE	5	/* 1/10000 a day */
#define LATE_CAP	100	/* percent */
#define BILL(k)		(INT64_C(1) << (k))
#define PROPERTY	(BILL(0) | BILL(5))
#define UTILITY		(BILL(1) | BILL(2) | BILL(3))

static const struct {
	int		 community;
	const char	*name, *phone;
	int64_t		 kinds;
	const char	*owner, *clerk;	/* accounts */
	const char	*kind;		/* of the first bills */
	int64_t		 fen;
	int		 due;		/* days from now */
} payees[DEMO_PAYEES] = {
	{ 0, "学院物业", "0851-33550101", PROPERTY, "owner-wuye",
	    "clerk-wuye", "物业费", 12860, 10 },
	{ 0, "城北水务", "0851-33550102", UTILITY, "owner-shuiwu",
	    "clerk-shuiwu", "水费", 4275, -20 },
	{ 1, "航苑物业", "0851-33550103", PROPERTY | UTILITY,
	    "owner-hangyuan-wuye", "clerk-hangyuan-wuye", "物业费", 15600, 10 },
	{ 2, "青松物业", "0851-33550104", PROPERTY | UTILITY,
	    "owner-qingsong-wuye", "clerk-qingsong-wuye", "物业费", 9800, 10 },
};

struct demo_count {
	int64_t		 n;
};

static const struct view_column demo_count_columns[] = {
	C_INT(demo_count, n),
	C_END
};
static const struct view demo_count_view =
    VIEW(demo_count, "CtlDemoCount");

enum { PAYEE_ORG, PAYEE_ORG_ADD, PAYEE_ADD, PAYEE_STAFF, PAYEE_BATCHES,
	PAYEE_SQL_MAX };

static struct stmt payee_sql[] = {
	[PAYEE_ORG] = { RO, 3, &demo_count_view,
	    "SELECT id AS n FROM org WHERE community_id = $1 AND kind = $2"
	    " AND name = $3", NULL, 0 },
	[PAYEE_ORG_ADD] = { RW, 6, NULL,
	    "INSERT INTO org (community_id, id, kind, name, phone, place,"
	    " created_at) VALUES ($1, $2, $3, $4, $5, '', $6)", NULL, 0 },
	[PAYEE_ADD] = { RW, 7, NULL,
	    "INSERT INTO payee (community_id, id, kinds, late_rate,"
	    " late_cap, remind, contact, updated_at)"
	    " VALUES ($1, $2, $3, $4, $5, '-3,0,7', $6, $7)", NULL, 0 },
	[PAYEE_STAFF] = { RW, 5, NULL,
	    "INSERT INTO org_staff (community_id, org_id, user_id, duty,"
	    " since) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[PAYEE_BATCHES] = { RO, 2, &demo_count_view,
	    "SELECT COUNT(*) AS n FROM bill_batch WHERE community_id = $1"
	    " AND payee_id = $2 AND state <> 'uploaded'", NULL, 0 },
};

void
ctl_demo_payee_register(void)
{
	audit_register();
	bill_engine_register();
	db_register(payee_sql, PAYEE_SQL_MAX);
}

static enum err
add_staff(struct demo *d, int i, const char *account, const char *duty)
{
	int64_t		id;
	enum err	e;

	e = ctl_person_find(d->ctl->db, d->attempt, account, &id);
	return e != OK ? e : db_run(d->ctl->db, &payee_sql[PAYEE_STAFF],
	    WITH(V(d->communities[payees[i].community]), V(d->payees[i]),
	    V(id), V(duty), V(clock_now())), NULL);
}

static enum err
add_payee(struct demo *d, int i)
{
	int64_t		community = d->communities[payees[i].community];
	enum err	e;

	d->payees[i] = id_new();
	e = db_run(d->ctl->db, &payee_sql[PAYEE_ORG_ADD],
	    WITH(V(community), V(d->payees[i]), V(KIND), V(payees[i].name),
	    V(payees[i].phone), V(clock_now())), NULL);
	if (e == OK)
		e = db_run(d->ctl->db, &payee_sql[PAYEE_ADD],
		    WITH(V(community), V(d->payees[i]), V(payees[i].kinds),
		    V(LATE_RATE), V(LATE_CAP), V(payees[i].phone),
		    V(clock_now())), NULL);
	if (e == OK)
		e = add_staff(d, i, payees[i].owner, "owner");
	return e != OK ? e : add_staff(d, i, payees[i].clerk, "clerk");
}

enum err
ctl_demo_payee_load(struct demo *d)
{
	struct demo_count	row;
	enum err		e;
	int			i;

	for (i = 0; i < DEMO_PAYEES; i++) {
		e = db_one(d->ctl->db, d->attempt, &payee_sql[PAYEE_ORG],
		    WITH(V(d->communities[payees[i].community]), V(KIND),
		    V(payees[i].name)), &row);
		if (e == OK)
			d->payees[i] = row.n;
		else if (e != ERR_ABSENT || (e = add_payee(d, i)) != OK)
			return e;
	}
	return OK;
}

/* ---- their first bills ---- */

/* The place as four cells. */
static void
put_place(FILE *fp, const char *place)
{
	for (; *place != '\0'; place++)
		fputc(*place == ' ' ? ',' : *place, fp);
}

static bool
write_file(const struct demo *d, int i, const char *path)
{
	struct clock_local	 now = clock_local(clock_now());
	char			 due[BILL_DAY_MAX];
	FILE			*fp = fopen(path, "w");
	int64_t			 fen;
	int			 k;

	if (fp == NULL)
		return false;
	bill_day_text(bill_day(clock_now()) + payees[i].due, due);
	fprintf(fp, "户号,户名,小区,楼栋,单元,房号,费用类型,账期,金额,应缴日期\n");
	for (k = 0; k < DEMO_RESIDENTS; k++) {
		if (d->residents[k].community != payees[i].community)
			continue;
		fen = payees[i].fen + 100 * k;
		fprintf(fp, "D%d%03d,住户%d,", i + 1, k + 1, k + 1);
		put_place(fp, d->residents[k].place);
		fprintf(fp, ",%s,%04d-%02d,%lld.%02lld,%s\n", payees[i].kind,
		    now.year, now.month, (long long)(fen / 100),
		    (long long)(fen % 100), due);
	}
	return fclose(fp) == 0;
}

struct first {
	int64_t		 community_id, id;
};

static enum err
apply(struct req *rq, void *arg)
{
	const struct first	*f = arg;

	audit_as(rq, f->community_id, 0);
	return bill_batch_apply(rq, f->community_id, f->id);
}

static enum err
first_bills(struct req *rq, const struct demo *d, int i)
{
	struct first		 f = { d->communities[payees[i].community],
				    0 };
	struct demo_count	 row;
	const char		*path;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &payee_sql[PAYEE_BATCHES],
	    WITH(V(f.community_id), V(d->payees[i])), &row);
	if (e != OK || row.n > 0)
		return e;
	path = arena_fmt(rq->arena, "%s/demo-bills-%ld.csv", rq->conf->dir,
	    (long)getpid());
	e = write_file(d, i, path) ? bill_batch_check(rq, f.community_id,
	    d->payees[i], "demo.csv", path, 0, &f.id) : ERR_INTERNAL;
	unlink(path);
	return e != OK ? e : req_transact(rq, apply, &f);
}

enum err
ctl_demo_payee_bills(struct demo *d)
{
	struct buf	out;
	struct req	rq = { .arena = d->ctl->arena, .db = d->ctl->db,
			    .conf = d->ctl->conf, .out = &out,
			    .task = "planetctl demo" };
	enum err	e = OK;
	int		i;

	buf_init(&out, 65536);
	rq.now = clock_now();
	rq.deadline = clock_mono_us() + 60 * 1000000LL;
	for (i = 0; e == OK && i < DEMO_PAYEES; i++)
		e = first_bills(&rq, d, i);
	buf_free(&out);
	return e;
}

int
ctl_demo_payee_of(const char *account, const char **ret_duty)
{
	int	i;

	for (i = 0; i < DEMO_PAYEES; i++) {
		*ret_duty = strcmp(payees[i].owner, account) == 0 ? "owner" :
		    "clerk";
		if (strcmp(payees[i].owner, account) == 0 ||
		    strcmp(payees[i].clerk, account) == 0)
			return i;
	}
	return -1;
}

const char *
ctl_demo_payee_name(int i, int64_t *ret_kinds)
{
	*ret_kinds = payees[i].kinds;
	return payees[i].name;
}
