/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_stage.c -- the statement of a day, brought and staged.
 *
 * The file lies in DIR/statements while it is read.  Its rows go in by
 * hundreds; each finds its community by the number it names.  Rows of a
 * community that has closed the day are passed over.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "http/req.h"
#include "service/recon.h"
#include "service/statement.h"
#include "wechat/pay.h"

#define BATCH		500
#define FAULTS_KEPT	1000

#define TEXT(k)		"v.value ->> '" k "'"
#define NUMBER(k)	"CAST(v.value ->> '" k "' AS BIGINT)"
#define ROWS(each)							\
	"INSERT INTO recon_row (community_id, day, id, refund, number,"	\
	" refund_number, transaction_id, at, state, amount_fen,"	\
	" fee_mill, rate) SELECT c.community_id, c.day, "		\
	NUMBER("i") ", " NUMBER("k") ", " TEXT("n") ", " TEXT("r") ", "	\
	TEXT("t") ", " NUMBER("a") ", " TEXT("s") ", " NUMBER("m") ", "	\
	NUMBER("f") ", " NUMBER("p") " FROM " each "($2) v"		\
	" LEFT JOIN payment p ON p.number = " TEXT("n")			\
	" LEFT JOIN money_doubt d ON d.transaction_id = " TEXT("t")	\
	" JOIN reconciliation c ON c.community_id ="			\
	" COALESCE(p.community_id, d.community_id, 0)"			\
	" AND c.day = CAST($1 AS BIGINT) AND c.state = 'running'"

enum { STAGE_CLEAR, STAGE_ROWS, STAGE_ANALYSE, STAGE_SQL_MAX };

static struct stmt stage_sql[] = {
	[STAGE_CLEAR] = { RW, 2, NULL,
	    "DELETE FROM recon_row WHERE community_id = $1 AND day = $2",
	    NULL, 0 },
	/* PostgreSQL would parse what is JSON as text at each member. */
	[STAGE_ROWS] = { RW, 2, NULL, ROWS("json_each"), ROWS("jsonb_each"),
	    0 },
	/* It guesses badly at a table that has just been filled. */
	[STAGE_ANALYSE] = { RW, 0, NULL,
	    "DELETE FROM recon_row WHERE 1 = 0", "ANALYZE recon_row", 0 },
};

struct stage_community {
	int64_t		 id;
};
static const struct view_column stage_community_columns[] = {
	C_ID(stage_community, id), C_END
};
static const struct view stage_community_view =
    VIEW(stage_community, "StageCommunity");

static struct stmt stage_old = { RO, 1, &stage_community_view,
    "SELECT c.community_id AS id FROM reconciliation c WHERE c.day = $1"
    " AND c.state = 'running' AND EXISTS (SELECT 1 FROM recon_row r"
    " WHERE r.community_id = c.community_id AND r.day = c.day)"
    " ORDER BY c.community_id LIMIT 1", NULL, 0 };

void
recon_stage_register(void)
{
	db_register(stage_sql, STAGE_SQL_MAX);
	db_register(&stage_old, 1);
}

static enum err
clear_one(struct req *rq, void *arg)
{
	struct recon	*rn = arg;

	return db_run(rq->db, &stage_sql[STAGE_CLEAR],
	    WITH(V(rn->community_id), V(rn->day)), NULL);
}

/* What an earlier run has staged. */
static enum err
clear_all(struct recon *rn)
{
	struct stage_community	old;
	enum err		e;

	while ((e = db_one(rn->rq->db, rn->row, &stage_old,
	    WITH(V(rn->day)), &old)) == OK) {
		rn->community_id = old.id;
		if ((e = recon_transact(rn, clear_one, rn)) != OK)
			return e;
	}
	return e == ERR_ABSENT ? OK : e;
}

static enum err
write_batch(struct req *rq, void *arg)
{
	struct recon	*rn = arg;

	return db_run(rq->db, &stage_sql[STAGE_ROWS], WITH(V(rn->day),
	    V(buf_text(&rn->batch))), NULL);
}

static enum err
flush(struct recon *rn)
{
	enum err	e;

	if (rn->n == 0)
		return OK;
	json_close(&rn->json);
	e = rn->batch.over ? ERR_INTERNAL : recon_transact(rn, write_batch, rn);
	rn->n = 0;
	return e;
}

static enum err
add_row(struct recon *rn, const struct statement_row *r)
{
	struct json	*j = &rn->json;

	recon_member(rn);
	json_put_int(j, "i", r->line);
	json_put_int(j, "k", r->refund);
	json_put_text(j, "n", r->number);
	json_put_text(j, "r", r->refund_number);
	json_put_text(j, "t", r->transaction_id);
	json_put_int(j, "a", r->at);
	json_put_text(j, "s", r->refund ? r->refund_state : r->state);
	json_put_int(j, "m", r->amount_fen);
	json_put_int(j, "f", r->fee_mill);
	json_put_int(j, "p", r->rate);
	json_close(j);
	rn->last = r->line;
	if (strcmp(r->refund_state, "FAIL") != 0 &&
	    strcmp(r->refund_state, "CHANGE") != 0)
		rn->moved_mill += (r->refund ? -1 : 1) * r->amount_fen *
		    STATEMENT_MILL - r->fee_mill;
	return rn->n >= BATCH ? flush(rn) : OK;
}

/* ---- what is wrong with the statement itself ---- */

struct faults {
	int		 n;
	struct {
		int		 line;
		const char	*why;
	} at[FAULTS_KEPT];
};

static enum err
tell_fault(struct recon *rn, int line, const char *why)
{
	return recon_diff_add(rn, &(struct recon_found){
	    .kind = "damaged", .number = arena_fmt(rn->row, "line %d", line),
	    .line = line, .theirs = why, .theirs_fen = VIEW_NULL_INT,
	    .ours_fen = VIEW_NULL_INT });
}

static enum err
tell_sum(struct recon *rn, const char *what, int64_t stated, int64_t rows)
{
	if (stated == rows)
		return OK;
	return recon_diff_add(rn, &(struct recon_found){
	    .kind = "summary", .number = what, .line = VIEW_NULL_INT,
	    .theirs_fen = stated, .ours_fen = rows,
	    .theirs = "账单最后一行", .ours = "各行相加" });
}

static enum err
tell_all(struct recon *rn, const struct statement *st,
    const struct faults *f)
{
	const struct statement_sum	*rows = statement_rows(st),
					*said = statement_stated(st);
	enum err			 e = OK;
	int				 i;

	rn->community_id = RECON_NOBODY;
	for (i = 0; e == OK && i < f->n; i++)
		e = tell_fault(rn, f->at[i].line, f->at[i].why);
	if (e == OK && said == NULL)
		e = tell_fault(rn, 0, "账单没有结尾的汇总行，可能不完整");
	else if (e == OK && (e = tell_sum(rn, "rows", said->rows,
	    rows->rows)) == OK && (e = tell_sum(rn, "paid_fen",
	    said->paid_fen, rows->paid_fen)) == OK && (e = tell_sum(rn,
	    "refunded_fen", said->refunded_fen, rows->refunded_fen)) == OK)
		e = tell_sum(rn, "fee_mill", said->fee_mill, rows->fee_mill);
	return e != OK ? e : recon_diff_flush(rn);
}

static enum err
read_trade(struct recon *rn, FILE *file)
{
	struct statement	*st = statement_open(rn->rq->arena, file,
				    STATEMENT_TRADE);
	struct faults		*f = ARENA_NEW(rn->rq->arena, struct faults);
	struct statement_row	 r;
	enum statement_state	 s;
	enum err		 e = OK;

	while (e == OK && ((s = statement_next(st, &r)) == STATEMENT_ROW ||
	    s == STATEMENT_DAMAGED))
		if (s == STATEMENT_ROW)
			e = add_row(rn, &r);
		else if (f->n < FAULTS_KEPT) {
			f->at[f->n].line = r.line;
			f->at[f->n++].why = r.why;
		}
	if (e != OK || (e = flush(rn)) != OK)
		return e;
	if (s != STATEMENT_END) {
		log_error("recon day=%lld fault=\"the statement cannot be"
		    " read\"", (long long)rn->day);
		return ERR_MALFORMED;
	}
	return tell_all(rn, st, f);
}

/* ---- the fund bill ---- */

/* What trade moved in the account; paying out to the bank is none. */
static bool
is_trade(const char *kind)
{
	static const char *const kinds[] = { "交易", "退款",
		"扣除交易手续费" };
	size_t	i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

/* Thousandths of a fen that trade moved, by the fund bill. */
static enum err
read_fund(struct recon *rn, FILE *file, int64_t *ret_mill)
{
	struct statement	*st = statement_open(rn->rq->arena, file,
				    STATEMENT_FUND);
	struct statement_row	 r;
	enum statement_state	 s;

	*ret_mill = 0;
	while ((s = statement_next(st, &r)) == STATEMENT_ROW ||
	    s == STATEMENT_DAMAGED)
		if (s == STATEMENT_ROW && is_trade(r.kind))
			*ret_mill += (r.income ? 1 : -1) * r.amount_fen *
			    STATEMENT_MILL;
	return s == STATEMENT_END ? OK : ERR_MALFORMED;
}

static enum err
compare_fund(struct recon *rn, int64_t mill)
{
	enum err	e;

	if (mill == rn->moved_mill)
		return OK;
	rn->community_id = RECON_NOBODY;
	e = recon_diff_add(rn, &(struct recon_found){ .kind = "fund",
	    .number = "fund", .line = VIEW_NULL_INT,
	    .theirs_fen = mill / STATEMENT_MILL,
	    .ours_fen = rn->moved_mill / STATEMENT_MILL,
	    .theirs = "资金账单", .ours = "交易账单" });
	return e != OK ? e : recon_diff_flush(rn);
}

/* ---- bringing them ---- */

static void
forget_file(void *arg)
{
	unlink(arg);
}

/* OK with *ret_file NULL when nothing happened that day. */
static enum err
fetch(struct recon *rn, enum pay_bill which, FILE **ret_file)
{
	struct pay_refusal	 why = { 0 };
	struct req		*rq = rn->rq;
	const char		*dir;
	char			*path;
	enum err		 e;

	*ret_file = NULL;
	dir = arena_fmt(rq->arena, "%s/statements", rq->conf->dir);
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return ERR_INTERNAL;
	path = arena_fmt(rq->arena, "%s/%lld-%lld.csv", dir,
	    (long long)rn->day, (long long)id_new());
	arena_later(rq->arena, forget_file, path);
	e = pay_bill_fetch(rq->wechat, rq->arena, which, rn->day, path,
	    &why);
	if (e != OK)
		log_info("recon day=%lld bill=%d err=%s code=%s",
		    (long long)rn->day, (int)which, err_info(e)->name,
		    why.code != NULL ? why.code : "-");
	if (e == ERR_ABSENT)
		return OK;
	if (e == OK && (*ret_file = fopen(path, "re")) == NULL)
		e = ERR_INTERNAL;
	return e;
}

/* A merchant may be without it; what it says is not needed to match. */
static enum err
stage_fund(struct recon *rn)
{
	FILE		*file;
	int64_t		 mill = 0;
	enum err	 e;

	if ((e = fetch(rn, PAY_BILL_FUND, &file)) != OK)
		return e == ERR_INTERNAL ? e : OK;
	if (file != NULL) {
		e = read_fund(rn, file, &mill);
		fclose(file);
	}
	return e != OK ? e : compare_fund(rn, mill);
}

static enum err
analyse(struct req *rq, void *arg)
{
	(void)arg;
	return db_run(rq->db, &stage_sql[STAGE_ANALYSE], NOTHING, NULL);
}

enum err
recon_stage(struct recon *rn)
{
	FILE		*file;
	enum err	 e;

	if ((e = fetch(rn, PAY_BILL_TRADE, &file)) != OK ||
	    (e = clear_all(rn)) != OK)
		return e;
	if (file != NULL) {
		e = read_trade(rn, file);
		fclose(file);
	}
	if (e == OK)
		e = stage_fund(rn);
	return e != OK ? e : recon_transact(rn, analyse, rn);
}
