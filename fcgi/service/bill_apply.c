/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_apply.c -- a batch of bills applied and undone, whole or not at all.
 *
 * Late fee and cap are the payee's of the day it is applied, and stay in
 * the bill.  What is paid, being paid or paid back is not undone.
 */
#include <string.h>

#include "http/audit.h"
#include "service/bill_internal.h"

static const char *const batch_states[] = { "uploaded", "checked", "faulty",
    "applied", "undone", NULL };

static const struct view_column bill_batch_columns[] = {
	C_ID(bill_batch, id),
	C_ID(bill_batch, payee_id),
	C_TEXT(bill_batch, payee),
	C_TEXT(bill_batch, name, .about = "of the file"),
	C_CODE(bill_batch, state, batch_states),
	C_INT(bill_batch, rows),
	C_INT(bill_batch, bills),
	C_INT(bill_batch, unmatched, .about = "rows without a dwelling"),
	C_INT(bill_batch, faults),
	C_FEN(bill_batch, total_fen),
	C_ID(bill_batch, by_id, .flags = VIEW_NULL,
	    .about = "null: at the console"),
	C_TIME(bill_batch, created_at),
	C_TIME(bill_batch, checked_at, .flags = VIEW_NULL),
	C_TIME(bill_batch, applied_at, .flags = VIEW_NULL),
	C_TIME(bill_batch, undone_at, .flags = VIEW_NULL),
	C_TEXT(bill_batch, sha256),
	C_END
};
const struct view bill_batch_view = VIEW(bill_batch, "BillBatch");

struct apply_count {
	int64_t		 n;
};

static const struct view_column apply_count_columns[] = {
	C_INT(apply_count, n),
	C_END
};
static const struct view apply_count_view =
    VIEW(apply_count, "BillApplyCount");

struct batch_fault {
	int64_t		 line;
	const char	*label, *detail;
};

static const struct view_column batch_fault_columns[] = {
	C_INT(batch_fault, line),
	C_TEXT(batch_fault, label, .flags = VIEW_NULL),
	C_TEXT(batch_fault, detail),
	C_END
};
static const struct view batch_fault_view =
    VIEW(batch_fault, "BillBatchFaultRow");

enum { APPLY_GET, APPLY_FAULTS, APPLY_TAKE, APPLY_AGAIN, APPLY_MATCH,
	APPLY_BILLS, APPLY_LINES, APPLY_ACCOUNTS, UNDO_TAKE, UNDO_PAID,
	UNDO_BILLS, UNDO_LINES, UNDO_ACCOUNTS, APPLY_SQL_MAX };

static struct stmt apply_sql[] = {
	[APPLY_GET] = { RO, 2, &bill_batch_view,
	    "SELECT " BILL_BATCH_COLUMNS BILL_BATCH_FROM
	    " WHERE t.community_id = $1 AND t.id = $2", NULL, 0 },
	[APPLY_FAULTS] = { RO, 2, &batch_fault_view,
	    "SELECT line, label, detail FROM bill_batch_fault"
	    " WHERE community_id = $1 AND batch_id = $2"
	    " ORDER BY line, id LIMIT 2000", NULL, 0 },
	[APPLY_TAKE] = { RW, 3, NULL,
	    "UPDATE bill_batch SET state = 'applied', applied_at = $3"
	    " WHERE community_id = $1 AND id = $2 AND state = 'checked'",
	    NULL, 0 },
	[APPLY_AGAIN] = { RO, 3, &apply_count_view,
	    "SELECT COUNT(*) AS n FROM bill_batch_row r JOIN bill b"
	    " ON b.community_id = r.community_id AND b.payee_id = $3"
	    " AND b.account_no = r.account_no AND b.kind = r.kind"
	    " AND b.period = r.period AND b.state <> 'undone'"
	    " WHERE r.community_id = $1 AND r.batch_id = $2", NULL, 0 },
	/* Accounts that were matched by hand since the check. */
	[APPLY_MATCH] = { RW, 3, NULL,
	    "UPDATE bill_batch_row SET dwelling_id = (SELECT a.dwelling_id"
	    " FROM bill_account a WHERE a.community_id = $1"
	    " AND a.payee_id = $3"
	    " AND a.account_no = bill_batch_row.account_no)"
	    " WHERE community_id = $1 AND batch_id = $2"
	    " AND dwelling_id IS NULL", NULL, 0 },
	[APPLY_BILLS] = { RW, 7, NULL,
	    "INSERT INTO bill (community_id, id, payee_id, account_no,"
	    " dwelling_id, place, holder_mask, kind, period, due_on,"
	    " due_day, state, billed_fen, principal_fen, late_rate,"
	    " late_cap, late_waived_fen, paid_fen, late_paid_fen,"
	    " refunded_fen, batch_id, reminded_day, created_at, updated_at)"
	    " SELECT r.community_id, r.bill_id, CAST($3 AS BIGINT),"
	    " MIN(r.account_no), MAX(r.dwelling_id), MAX(p.full_name),"
	    " MAX(r.holder_mask), MIN(r.kind), MIN(r.period),"
	    " MIN(r.due_on), MIN(r.due_day), 'open',"
	    " CAST(SUM(r.amount_fen) AS BIGINT),"
	    " CAST(SUM(r.amount_fen) AS BIGINT), CAST($4 AS BIGINT),"
	    " CAST($5 AS BIGINT), 0, 0, 0, 0, r.batch_id,"
	    " CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($7 AS BIGINT)"
	    " FROM bill_batch_row r LEFT JOIN place p"
	    " ON p.community_id = r.community_id AND p.id = r.dwelling_id"
	    " WHERE r.community_id = $1 AND r.batch_id = $2"
	    " GROUP BY r.community_id, r.bill_id, r.batch_id", NULL, 0 },
	[APPLY_LINES] = { RW, 2, NULL,
	    "INSERT INTO bill_line (community_id, bill_id, seq, what,"
	    " reading_before, reading_after, quantity, unit_price,"
	    " billed_fen, amount_fen, note, frozen_days, paying)"
	    " SELECT community_id, bill_id, seq, what, reading_before,"
	    " reading_after, quantity, unit_price, amount_fen, amount_fen,"
	    " note, 0, 0 FROM bill_batch_row WHERE community_id = $1"
	    " AND batch_id = $2", NULL, 0 },
	[APPLY_ACCOUNTS] = { RW, 4, NULL,
	    "INSERT INTO bill_account (community_id, payee_id, account_no,"
	    " dwelling_id, holder_mask, batch_id, updated_at)"
	    " SELECT r.community_id, CAST($3 AS BIGINT), r.account_no,"
	    " MAX(r.dwelling_id), MAX(r.holder_mask), r.batch_id,"
	    " CAST($4 AS BIGINT) FROM bill_batch_row r"
	    " WHERE r.community_id = $1 AND r.batch_id = $2"
	    " GROUP BY r.community_id, r.account_no, r.batch_id"
	    " ON CONFLICT (community_id, payee_id, account_no) DO UPDATE"
	    " SET dwelling_id = COALESCE(bill_account.dwelling_id,"
	    " excluded.dwelling_id), holder_mask = CASE"
	    " WHEN excluded.holder_mask = '' THEN bill_account.holder_mask"
	    " ELSE excluded.holder_mask END,"
	    " updated_at = excluded.updated_at", NULL, 0 },
	[UNDO_TAKE] = { RW, 3, NULL,
	    "UPDATE bill_batch SET state = 'undone', undone_at = $3"
	    " WHERE community_id = $1 AND id = $2 AND state = 'applied'",
	    NULL, 0 },
	/* Rows are taken too: who begins to pay now waits, or was first. */
	[UNDO_BILLS] = { RW, 3, NULL,
	    "UPDATE bill SET state = 'undone', updated_at = $3"
	    " WHERE community_id = $1 AND batch_id = $2"
	    " AND state <> 'undone'", NULL, 0 },
	[UNDO_PAID] = { RO, 2, &apply_count_view,
	    "SELECT COUNT(*) AS n FROM bill b WHERE b.community_id = $1"
	    " AND b.batch_id = $2 AND (b.paying_id IS NOT NULL"
	    " OR EXISTS (SELECT 1 FROM bill_payment p"
	    " WHERE p.community_id = b.community_id"
	    " AND p.bill_id = b.id))", NULL, 0 },
	[UNDO_LINES] = { RW, 2, NULL,
	    "UPDATE bill_line SET dispute_id = NULL, disputed_day = NULL"
	    " WHERE community_id = $1 AND dispute_id IS NOT NULL"
	    " AND bill_id IN (SELECT b.id FROM bill b"
	    " WHERE b.community_id = $1 AND b.batch_id = $2)", NULL, 0 },
	[UNDO_ACCOUNTS] = { RW, 2, NULL,
	    "DELETE FROM bill_account WHERE community_id = $1"
	    " AND batch_id = $2 AND NOT EXISTS (SELECT 1 FROM bill b"
	    " WHERE b.community_id = bill_account.community_id"
	    " AND b.payee_id = bill_account.payee_id"
	    " AND b.account_no = bill_account.account_no"
	    " AND b.state <> 'undone')", NULL, 0 },
};

void
bill_apply_register(void)
{
	db_register(apply_sql, APPLY_SQL_MAX);
}

void
bill_engine_register(void)
{
	bill_read_register();
	bill_apply_register();
	payee_sql_register();
}

enum err
bill_batch_get(struct req *rq, int64_t community_id, int64_t id,
    struct bill_batch *ret)
{
	return db_one(rq->db, rq->arena, &apply_sql[APPLY_GET],
	    WITH(V(community_id), V(id)), ret);
}

enum err
bill_batch_faults(struct req *rq, int64_t community_id, int64_t id,
    void (*fn)(void *, int64_t, const char *, const char *), void *arg)
{
	struct batch_fault	row;
	struct rows		rows;
	enum err		e;

	e = db_query(rq->db, &apply_sql[APPLY_FAULTS],
	    WITH(V(community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		fn(arg, row.line, row.label, row.detail);
	return db_end(&rows);
}

static enum err
count(struct req *rq, int which, struct values v, const char *refusal)
{
	struct apply_count	c = { 0 };
	enum err		e;

	e = db_one(rq->db, rq->arena, &apply_sql[which], v, &c);
	if (e == OK && c.n > 0)
		return req_fail(rq, ERR_CONFLICT, refusal);
	return e;
}

static enum err
write_bills(struct req *rq, int64_t community_id, int64_t id,
    const struct payee *p)
{
	enum err	e;

	e = db_run(rq->db, &apply_sql[APPLY_MATCH], WITH(V(community_id),
	    V(id), V(p->id)), NULL);
	if (e == OK)
		e = db_run(rq->db, &apply_sql[APPLY_BILLS],
		    WITH(V(community_id), V(id), V(p->id), V(p->late_rate),
		    V(p->late_cap), V(bill_day(rq->now) - 1), V(rq->now)),
		    NULL);
	if (e == OK)
		e = db_run(rq->db, &apply_sql[APPLY_LINES],
		    WITH(V(community_id), V(id)), NULL);
	if (e == OK)
		e = db_run(rq->db, &apply_sql[APPLY_ACCOUNTS],
		    WITH(V(community_id), V(id), V(p->id), V(rq->now)),
		    NULL);
	/* Somebody billed the same in this moment. */
	return e == ERR_UNIQUE ? req_fail(rq, ERR_CONFLICT,
	    "有账单刚刚已被另一批生成，请重新上传这份文件。") : e;
}

enum err
bill_batch_apply(struct req *rq, int64_t community_id, int64_t id)
{
	struct bill_batch	b;
	struct payee		p;
	int64_t			n;
	enum err		e;

	if ((e = bill_batch_get(rq, community_id, id, &b)) != OK ||
	    (e = payee_find(rq, community_id, b.payee_id, NULL, &p)) != OK)
		return e;
	if (p.late_rate == VIEW_NULL_INT || p.late_cap == VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE, "请先在收费单位设置里填写违约金的"
		    "日费率和上限（不收违约金请填 0），再应用账单。");
	e = db_run(rq->db, &apply_sql[APPLY_TAKE], WITH(V(community_id),
	    V(id), V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE, "这批账单现在不能应用，请刷新后"
		    "查看检查结果。");
	audit_thing(rq, "bill_batch", id);
	e = count(rq, APPLY_AGAIN, WITH(V(community_id), V(id), V(p.id)),
	    "检查以后又有相同的账单生成，请重新上传这份文件。");
	return e != OK ? e : write_bills(rq, community_id, id, &p);
}

enum err
bill_batch_undo(struct req *rq, int64_t community_id, int64_t id)
{
	struct values	v = WITH(V(community_id), V(id), V(rq->now));
	struct values	two = WITH(V(community_id), V(id));
	int64_t		n;
	enum err	e;

	if ((e = db_run(rq->db, &apply_sql[UNDO_TAKE], v, &n)) != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE, "只有已经应用的批次才能撤销，请"
		    "刷新后查看。");
	audit_thing(rq, "bill_batch", id);
	if ((e = db_run(rq->db, &apply_sql[UNDO_BILLS], v, NULL)) != OK ||
	    (e = count(rq, UNDO_PAID, two, "这批账单里已有缴费或正在付款的，不能"
	    "整批撤销；有误的请逐张更正或退款。")) != OK ||
	    (e = bill_dispute_void(rq, id)) != OK ||
	    (e = bill_waiver_void(rq, id)) != OK)
		return e;
	if ((e = db_run(rq->db, &apply_sql[UNDO_LINES], two, NULL)) != OK)
		return e;
	return db_run(rq->db, &apply_sql[UNDO_ACCOUNTS], two, NULL);
}
