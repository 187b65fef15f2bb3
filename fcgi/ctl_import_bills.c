/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import_bills.c -- planetctl import bills: a payee's file, checked and
 * applied whole, as POST /api/v1/bill-batches does it.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill.h"

#include "ctl.h"
#include "ctl_community.h"
#include "ctl_import.h"

#define BILLS_MEMORY	(64 << 20)
#define BILLS_TIME	(30 * 60 * 1000000LL)	/* us */

struct bills {
	const char	*path;
	int64_t		 community_id, id;
};

static void
print_fault(void *arg, int64_t line, const char *label, const char *detail)
{
	const struct bills	*b = arg;

	if (line == 0)
		fprintf(stderr, "%s：%s\n", b->path, detail);
	else
		fprintf(stderr, "%s 第 %lld 行%s%s：%s\n", b->path,
		    (long long)line, label != NULL ? "，" : "",
		    label != NULL ? label : "", detail);
}

static enum err
apply(struct req *rq, void *arg)
{
	const struct bills	*b = arg;

	audit_as(rq, b->community_id, 0);
	return bill_batch_apply(rq, b->community_id, b->id);
}

static enum err
check(struct req *rq, struct bills *b, const char *payee,
    struct bill_batch *ret)
{
	const char	*name = strrchr(b->path, '/');
	struct payee	 p;
	enum err	 e;

	e = payee_find(rq, b->community_id, 0, payee, &p);
	if (e == ERR_ABSENT)
		fprintf(stderr, "没有收费单位“%s”\n", payee);
	if (e != OK)
		return e;
	e = bill_batch_check(rq, b->community_id, p.id,
	    name != NULL ? name + 1 : b->path, b->path, 0, &b->id);
	return e != OK ? e : bill_batch_get(rq, b->community_id, b->id, ret);
}

static int
bring(struct req *rq, struct bills *b, const char *payee, bool preview)
{
	struct bill_batch	batch = { 0 };
	enum err		e;

	e = check(rq, b, payee, &batch);
	if (e == OK && batch.faults > 0) {
		e = bill_batch_faults(rq, b->community_id, b->id,
		    print_fault, b);
		fprintf(stderr, "共 %lld 处错误，没有导入任何内容。\n",
		    (long long)batch.faults);
		return 1;
	}
	rq->now = clock_now();
	if (e == OK && !preview)
		e = req_transact(rq, apply, b);
	if (e != OK) {
		fprintf(stderr, "planetctl: import: %s\n", rq->detail != NULL ?
		    rq->detail : err_info(e)->title);
		return 1;
	}
	printf("%s %lld 张账单，共 %lld 行，其中 %lld 行没有匹配到房屋；批次"
	    " %lld\n", preview ? "检查通过：" : "已生成",
	    (long long)batch.bills, (long long)batch.rows,
	    (long long)batch.unmatched, (long long)b->id);
	return 0;
}

int
ctl_import_bills(struct ctl *ctl, const char *path, const char *code,
    const char *payee, bool preview)
{
	struct arena		*a = arena_new(BILLS_MEMORY);
	struct bills		 b = { .path = path };
	struct ctl_community	 c;
	struct buf		 out;
	struct req		 rq = { .arena = a, .db = ctl->db,
				    .conf = ctl->conf, .out = &out,
				    .task = "planetctl import" };
	enum err		 e;
	int			 rc = 1;

	buf_init(&out, 65536);
	rq.now = clock_now();
	rq.deadline = clock_mono_us() + BILLS_TIME;
	e = code != NULL ? ctl_community_find(ctl->db, a, code, &c) :
	    ctl_community_only(ctl->db, a, &c);
	if (e == OK) {
		b.community_id = c.id;
		rc = bring(&rq, &b, payee, preview);
	} else
		fprintf(stderr, "请用 --community 指定社区的 12 位代码\n");
	buf_free(&out);
	arena_free(a);
	return rc;
}
