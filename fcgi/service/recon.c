/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon.c -- requests about days, their differences and their closing.
 *
 * Each community's administrators have their own day; what belongs to
 * nobody is the platform's, by the same handlers on routes of its own.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/recon.h"
#include "service/service.h"
#include "service/statement.h"

#define MONEY	(ROLE_ADMIN | ROLE_PLATFORM)

const char *const recon_kinds[] = { "not_ours", "missing", "amount",
	"state", "transaction", "items", "ledger", "fee", "twice", "damaged",
	"summary", "fund", NULL };
static const char *const kind_labels[] = { "账单有、系统没有",
	"系统有、账单没有", "金额不一致", "状态不一致", "微信订单号不一致",
	"付款项目与总额不符", "没有记入总账", "手续费与费率不符",
	"账单中重复", "账单行损坏", "账单合计不符", "资金账单与交易账单不符" };
const char *const recon_states[] = { "running", "failed", "open", "closed",
	NULL };
static const char *const diff_states[] = { "open", "explained", "gone",
	NULL };
static const char *const formats[] = { "csv", "xlsx", NULL };

/* ---- what is shown ---- */

struct recon_day {
	int64_t		 day;
	const char	*state;
	const char	*why;
	int64_t		 ran_at;
	int64_t		 payments, paid_fen, refunds, refunded_fen;
	int64_t		 fee_mill;
	int64_t		 our_payments, our_paid_fen;
	int64_t		 open, explained;
	int64_t		 closed_at;
	const char	*closed_by;
	const char	*sha256;
	int64_t		 run;
};

static void
calc_date(struct json *j, const struct req *rq, const void *row)
{
	const struct recon_day	*d = row;
	char			 text[32];

	(void)rq;
	snprintf(text, sizeof(text), "%04d-%02d-%02d",
	    (int)(d->day / 10000), (int)(d->day / 100 % 100),
	    (int)(d->day % 100));
	json_text(j, text);
}

static void
calc_fee(struct json *j, const struct req *rq, const void *row)
{
	const struct recon_day	*d = row;
	int64_t			 half = STATEMENT_MILL / 2;

	(void)rq;
	json_int(j, (d->fee_mill + (d->fee_mill < 0 ? -half : half)) /
	    STATEMENT_MILL);
}

static const struct view_column recon_day_columns[] = {
	C_INT(recon_day, day, .about = "20261122, of China"),
	C_CODE(recon_day, state, recon_states),
	C_TEXT(recon_day, why, .flags = VIEW_NULL,
	    .about = "code of what the last run failed by"),
	C_TIME(recon_day, ran_at, .flags = VIEW_NULL),
	C_INT(recon_day, payments, .about = "of the statement"),
	C_FEN(recon_day, paid_fen),
	C_INT(recon_day, refunds),
	C_FEN(recon_day, refunded_fen),
	C_INT(recon_day, fee_mill, .flags = VIEW_HIDDEN),
	C_INT(recon_day, our_payments, .about = "of our own payments"),
	C_FEN(recon_day, our_paid_fen),
	C_INT(recon_day, open, .about = "differences"),
	C_INT(recon_day, explained, .about = "differences"),
	C_TIME(recon_day, closed_at, .flags = VIEW_NULL),
	C_TEXT(recon_day, closed_by, .flags = VIEW_NULL,
	    .about = "name of who closed it"),
	C_TEXT(recon_day, sha256, .flags = VIEW_NULL,
	    .about = "of totals and differences, when it was closed"),
	C_INT(recon_day, run, .flags = VIEW_HIDDEN),
	C_CALC("date", SHAPE_TEXT, calc_date, .about = "2026-11-22"),
	C_CALC("fee_fen", SHAPE_INT, calc_fee,
	    .about = "of the statement, refunds' taken off"),
	C_END
};
static const struct view recon_day_view = VIEW(recon_day, "Reconciliation");

struct recon_diff {
	int64_t		 id;
	const char	*kind, *state;
	const char	*number, *refund_number, *transaction_id;
	int64_t		 line, theirs_fen, ours_fen;
	const char	*theirs, *ours, *note, *explained_by;
	int64_t		 explained_at, created_at;
};

const char *
recon_kind_label(const char *kind)
{
	int	i;

	for (i = 0; kind != NULL && recon_kinds[i] != NULL; i++)
		if (strcmp(recon_kinds[i], kind) == 0)
			return kind_labels[i];
	return kind;
}

static void
calc_label(struct json *j, const struct req *rq, const void *row)
{
	const struct recon_diff	*d = row;

	(void)rq;
	json_text(j, recon_kind_label(d->kind));
}

static const struct view_column recon_diff_columns[] = {
	C_ID(recon_diff, id),
	C_CODE(recon_diff, kind, recon_kinds),
	C_CODE(recon_diff, state, diff_states),
	C_TEXT(recon_diff, number, .about = "of the payment, or the line"),
	C_TEXT(recon_diff, refund_number, .about = "empty for a payment"),
	C_TEXT(recon_diff, transaction_id, .flags = VIEW_NULL),
	C_INT(recon_diff, line, .flags = VIEW_NULL,
	    .about = "of the statement"),
	C_FEN(recon_diff, theirs_fen, .flags = VIEW_NULL),
	C_FEN(recon_diff, ours_fen, .flags = VIEW_NULL),
	C_TEXT(recon_diff, theirs, .flags = VIEW_NULL,
	    .about = "state in the statement"),
	C_TEXT(recon_diff, ours, .flags = VIEW_NULL,
	    .about = "state with us"),
	C_TEXT(recon_diff, note, .flags = VIEW_NULL),
	C_TEXT(recon_diff, explained_by, .flags = VIEW_NULL),
	C_TIME(recon_diff, explained_at, .flags = VIEW_NULL),
	C_TIME(recon_diff, created_at),
	C_CALC("label", SHAPE_TEXT, calc_label,
	    .about = "the kind in Chinese"),
	C_END
};
static const struct view recon_diff_view =
    VIEW(recon_diff, "ReconDifference");

struct recon_payee {
	int64_t		 payee_id;
	const char	*payee;
	int64_t		 paid_fen, refunded_fen, fee_fen, net_fen;
};

static const struct view_column recon_payee_columns[] = {
	C_ID(recon_payee, payee_id),
	C_TEXT(recon_payee, payee),
	C_FEN(recon_payee, paid_fen),
	C_FEN(recon_payee, refunded_fen),
	C_FEN(recon_payee, fee_fen),
	C_FEN(recon_payee, net_fen),
	C_END
};
static const struct view recon_payee_view =
    VIEW(recon_payee, "ReconPayee");

enum { RECON_LIST, RECON_ONE, RECON_DIFFS, RECON_DIFF, RECON_EXPLAIN,
	RECON_PAYEES, RECON_CLOSE, RECON_SIGN, RECON_SQL_MAX };

#define DAY_SELECT							\
	"SELECT c.day, c.state, c.why, c.ran_at, c.payments,"		\
	" c.paid_fen, c.refunds, c.refunded_fen, c.fee_mill,"		\
	" c.our_payments, c.our_paid_fen, (SELECT COUNT(*)"		\
	" FROM recon_diff d WHERE d.community_id = c.community_id"	\
	" AND d.day = c.day AND d.state = 'open') AS open,"		\
	" (SELECT COUNT(*) FROM recon_diff d"				\
	" WHERE d.community_id = c.community_id AND d.day = c.day"	\
	" AND d.state = 'explained') AS explained, c.closed_at,"	\
	" u.name AS closed_by, c.sha256, c.run FROM reconciliation c"	\
	" LEFT JOIN app_user u ON u.id = c.closed_by"			\
	" WHERE c.community_id = $1"
#define DIFF_SELECT							\
	"SELECT d.id, d.kind, d.state, d.number, d.refund_number,"	\
	" d.transaction_id, d.line, d.theirs_fen, d.ours_fen, d.theirs," \
	" d.ours, d.note, u.name AS explained_by, d.explained_at,"	\
	" d.created_at FROM recon_diff d"				\
	" LEFT JOIN app_user u ON u.id = d.explained_by"		\
	" WHERE d.community_id = $1 AND d.day = $2"

static struct stmt recon_sql[] = {
	[RECON_LIST] = { RO, 3, &recon_day_view,
	    DAY_SELECT " AND c.day < $2 ORDER BY c.day DESC LIMIT $3",
	    NULL, 0 },
	[RECON_ONE] = { RO, 2, &recon_day_view,
	    DAY_SELECT " AND c.day = $2", NULL, 0 },
	[RECON_DIFFS] = { RO, 5, &recon_diff_view,
	    DIFF_SELECT " AND d.id > $3 AND (d.state = CAST($4 AS TEXT)"
	    " OR ($4 IS NULL AND d.state <> 'gone'))"
	    " ORDER BY d.id LIMIT $5", NULL, 0 },
	[RECON_DIFF] = { RO, 3, &recon_diff_view,
	    DIFF_SELECT " AND d.id = $3", NULL, 0 },
	[RECON_EXPLAIN] = { RW, 6, NULL,
	    "UPDATE recon_diff SET state = 'explained', note = $4,"
	    " explained_by = $5, explained_at = $6 WHERE community_id = $1"
	    " AND day = $2 AND id = $3 AND state <> 'gone'"
	    " AND EXISTS (SELECT 1 FROM reconciliation c"
	    " WHERE c.community_id = recon_diff.community_id"
	    " AND c.day = recon_diff.day AND c.state = 'open')", NULL, 0 },
	[RECON_PAYEES] = { RO, 4, &recon_payee_view,
	    "SELECT s.payee_id, o.name AS payee, s.paid_fen,"
	    " s.refunded_fen, s.fee_fen,"
	    " s.paid_fen - s.refunded_fen - s.fee_fen AS net_fen"
	    " FROM recon_payee s JOIN org o"
	    " ON o.community_id = s.community_id AND o.id = s.payee_id"
	    " WHERE s.community_id = $1 AND s.day = $2 AND s.payee_id > $3"
	    " ORDER BY s.payee_id LIMIT $4", NULL, 0 },
	[RECON_CLOSE] = { RW, 4, NULL,
	    "UPDATE reconciliation SET state = 'closed', closed_by = $3,"
	    " closed_at = $4 WHERE community_id = $1 AND day = $2"
	    " AND state = 'open'", NULL, 0 },
	[RECON_SIGN] = { RW, 3, NULL,
	    "UPDATE reconciliation SET sha256 = $3"
	    " WHERE community_id = $1 AND day = $2", NULL, 0 },
};

/* ---- what comes ---- */

struct recon_page {
	int64_t		 limit, after;
};
static const struct field recon_page_fields[] = {
	F_PAGE(recon_page), F_END
};
static const struct shape recon_page_shape = SHAPE(recon_page, "ReconPage");

#define F_DATE(s) F_TEXT(s, date, "日期", MUST, 10, 10)

struct recon_date {
	const char	*date;
};
static const struct field recon_date_fields[] = {
	F_DATE(recon_date), F_END
};
static const struct shape recon_date_shape = SHAPE(recon_date, "ReconDate");

struct recon_part_page {
	const char	*date;
	int64_t		 state;
	int64_t		 limit, after;
};
static const struct field recon_diff_page_fields[] = {
	F_DATE(recon_part_page),
	F_ENUM(recon_part_page, state, "状态", MAY, diff_states),
	F_PAGE(recon_part_page), F_END
};
static const struct shape recon_diff_page_shape = {
	.name = "ReconDiffPage", .size = sizeof(struct recon_part_page),
	.fields = recon_diff_page_fields };
static const struct field recon_part_page_fields[] = {
	F_DATE(recon_part_page), F_PAGE(recon_part_page), F_END
};
static const struct shape recon_part_page_shape =
    SHAPE(recon_part_page, "ReconPartPage");

struct recon_note {
	const char	*date;
	int64_t		 id;
	const char	*note;
};
static const struct field recon_note_fields[] = {
	F_DATE(recon_note),
	F_ID(recon_note, id, "差异", MUST),
	F_TEXT(recon_note, note, "说明", MUST, 4, 500),
	F_END
};
static const struct shape recon_note_shape = SHAPE(recon_note, "ReconNote");

struct recon_file {
	const char	*date;
	int64_t		 format;
};
static const struct field recon_file_fields[] = {
	F_DATE(recon_file),
	F_ENUM(recon_file, format, "文件格式", MAY, formats),
	F_END
};
static const struct shape recon_file_shape = SHAPE(recon_file, "ReconFile");

/* What is nobody's has routes that only the platform may call. */
static int64_t
community(const struct req *rq)
{
	return rq->route->who == ROLE_PLATFORM ? RECON_NOBODY :
	    rq->who.community_id;
}

/* 2026-11-22; ERR_ABSENT when there is no such day. */
static enum err
read_day(const char *s, int64_t *ret)
{
	static const char	form[] = "dddd-dd-dd";
	int64_t			day = 0;
	int			i;

	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' :
		    s[i] != form[i])
			return ERR_ABSENT;
		if (form[i] == 'd')
			day = day * 10 + (s[i] - '0');
	}
	if (s[i] != '\0' || recon_day_start(day) < 0)
		return ERR_ABSENT;
	*ret = day;
	return OK;
}

static enum err
see(struct req *rq, const char *date, struct recon_day *ret)
{
	int64_t		day;
	enum err	e;

	if ((e = read_day(date, &day)) != OK)
		return e;
	return db_one(rq->db, rq->arena, &recon_sql[RECON_ONE],
	    WITH(V(community(rq)), V(day)), ret);
}

static enum err
answer(struct req *rq, const char *date)
{
	struct recon_day	row;
	enum err		e = see(rq, date, &row);

	return e != OK ? e : req_one(rq, &row);
}

static enum err
recon_list(struct req *rq)
{
	const struct recon_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &recon_sql[RECON_LIST], WITH(V(community(rq)),
	    V(in->after != 0 ? in->after : INT64_MAX), V(limit + 1)), limit);
}

static enum err
recon_see(struct req *rq)
{
	return answer(rq, ((const struct recon_date *)rq->in)->date);
}

static enum err
recon_diffs(struct req *rq)
{
	const struct recon_part_page	*in = rq->in;
	struct recon_day		 day;
	int64_t				 limit = req_limit(in->limit);
	enum err			 e;

	if ((e = see(rq, in->date, &day)) != OK)
		return e;
	return req_list(rq, &recon_sql[RECON_DIFFS], WITH(V(community(rq)),
	    V(day.day), V(in->after), V(field_given(rq, "state") ?
	    diff_states[in->state] : NULL), V(limit + 1)), limit);
}

static enum err
recon_payees(struct req *rq)
{
	const struct recon_part_page	*in = rq->in;
	struct recon_day		 day;
	int64_t				 limit = req_limit(in->limit);
	enum err			 e;

	if ((e = see(rq, in->date, &day)) != OK)
		return e;
	return req_list(rq, &recon_sql[RECON_PAYEES], WITH(V(community(rq)),
	    V(day.day), V(in->after), V(limit + 1)), limit);
}

static enum err
recon_explain(struct req *rq)
{
	const struct recon_note	*in = rq->in;
	struct recon_diff	 row;
	struct recon_day	 day;
	int64_t			 n;
	enum err		 e;

	if ((e = see(rq, in->date, &day)) != OK ||
	    (e = db_one(rq->db, rq->arena, &recon_sql[RECON_DIFF],
	    WITH(V(community(rq)), V(day.day), V(in->id)), &row)) != OK)
		return e;
	e = db_run(rq->db, &recon_sql[RECON_EXPLAIN], WITH(V(community(rq)),
	    V(day.day), V(in->id), V(in->note), V(req_caller(rq)),
	    V(rq->now)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE,
		    "这一天已结账、正在对账，或这条差异已不存在。");
	audit_thing(rq, "recon_diff", in->id);
	audit_reason(rq, in->note);
	if ((e = db_one(rq->db, rq->arena, &recon_sql[RECON_DIFF],
	    WITH(V(community(rq)), V(day.day), V(in->id)), &row)) != OK)
		return e;
	return req_one(rq, &row);
}

static enum err
recon_bring(struct req *rq)
{
	const struct recon_date	*in = rq->in;
	int64_t			 day;
	enum err		 e;

	if ((e = read_day(in->date, &day)) != OK)
		return e;
	if (day >= recon_day_of(rq->now))
		return req_fail(rq, ERR_CONFLICT,
		    "这一天还没有结束，次日10点后可以对账。");
	if ((e = recon_run(rq, day)) == ERR_BUSY)
		return req_fail(rq, e, "正在对账，或微信账单还没有出来"
		    "（次日10点后），请稍后再试。");
	return e != OK ? e : answer(rq, in->date);
}

/* ---- closing ---- */

/* The hash so far and one more line. */
static void
sign(char hash[CRYPT_HEX_MAX], struct arena *a, const char *line)
{
	const char	*both = arena_fmt(a, "%s\n%s", hash, line);

	crypt_sha256(both, strlen(both), hash);
}

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "";
}

static enum err
sign_diffs(struct req *rq, int64_t day, char hash[CRYPT_HEX_MAX])
{
	struct arena		*a = arena_new(1 << 20);
	struct recon_diff	 d;
	struct rows		 rows;
	enum err		 e;

	e = db_query(rq->db, &recon_sql[RECON_DIFFS], WITH(V(community(rq)),
	    V(day), V(0), VNULL, V(INT64_MAX)), &rows);
	while (e == OK && db_each(&rows, &d)) {
		arena_reset(a);
		sign(hash, a, arena_fmt(a, "%lld|%s|%s|%s|%s|%lld|%lld|%s|"
		    "%s|%lld|%s", (long long)d.id, d.kind, d.state,
		    d.number, d.refund_number, (long long)d.theirs_fen,
		    (long long)d.ours_fen, or_none(d.theirs),
		    or_none(d.ours), (long long)d.explained_at,
		    or_none(d.note)));
	}
	arena_free(a);
	return e != OK ? e : db_end(&rows);
}

/*
 * SHA-256 of the totals; then, for each difference by its id, of the hash
 * so far and the difference.
 */
static enum err
sign_day(struct req *rq, const struct recon_day *d)
{
	char		 hash[CRYPT_HEX_MAX] = "";
	enum err	 e;

	sign(hash, rq->arena, arena_fmt(rq->arena, "%lld|%lld|%lld|%lld|"
	    "%lld|%lld|%lld|%lld|%lld|%lld|%lld", (long long)community(rq),
	    (long long)d->day, (long long)d->payments,
	    (long long)d->paid_fen, (long long)d->refunds,
	    (long long)d->refunded_fen, (long long)d->fee_mill,
	    (long long)d->our_payments, (long long)d->our_paid_fen,
	    (long long)rq->now, (long long)req_caller(rq)));
	if ((e = sign_diffs(rq, d->day, hash)) != OK)
		return e;
	return db_run(rq->db, &recon_sql[RECON_SIGN],
	    WITH(V(community(rq)), V(d->day), V(hash)), NULL);
}

static enum err
recon_close(struct req *rq)
{
	const struct recon_date	*in = rq->in;
	struct recon_day	 d;
	int64_t			 n;
	enum err		 e;

	if ((e = see(rq, in->date, &d)) != OK ||
	    (e = db_run(rq->db, &recon_sql[RECON_CLOSE],
	    WITH(V(community(rq)), V(d.day), V(req_caller(rq)),
	    V(rq->now)), &n)) != OK)
		return e;
	if (n == 0)
		return req_fail(rq, ERR_STATE, strcmp(d.state, "closed") ==
		    0 ? "这一天已经结账。" :
		    "这一天还没有对账成功，请先对账。");
	/* The row is ours now: what it says cannot change any more. */
	if ((e = see(rq, in->date, &d)) != OK)
		return e;
	if (d.open > 0)
		return req_failf(rq, ERR_CONFLICT,
		    "还有 %lld 处差异没有说明，处理完才能结账。",
		    (long long)d.open);
	if ((e = recon_share_book(rq, community(rq), d.day)) != OK ||
	    (e = sign_day(rq, &d)) != OK)
		return e;
	audit_thing(rq, "reconciliation", d.day);
	return answer(rq, in->date);
}

static enum err
recon_fetch(struct req *rq)
{
	const struct recon_file	*in = rq->in;
	struct recon_day	 d;
	enum err		 e;

	if ((e = see(rq, in->date, &d)) != OK)
		return e;
	return recon_export(rq, community(rq), d.day, in->format == 1);
}

#define ONE	REPLY_ONE, &recon_day_view
#define OURS	"/api/v1/reconciliations"
#define NOBODYS	"/api/v1/platform/reconciliations"
#define DAYS(path, who)							\
	{ GET, path, who, &recon_page_shape, REPLY_LIST,		\
	    &recon_day_view, 200, POOL_API, TX_READ, recon_list,	\
	    "Days that were reconciled, newest first" },		\
	{ GET, path "/{date}", who, &recon_date_shape, ONE, 200,	\
	    POOL_API, TX_READ, recon_see, "One day" },			\
	{ GET, path "/{date}/differences", who, &recon_diff_page_shape,	\
	    REPLY_LIST, &recon_diff_view, 200, POOL_API, TX_READ,	\
	    recon_diffs, "What does not fit; those gone only by state" }, \
	{ POST, path "/{date}/differences/{id}/explain", who,		\
	    &recon_note_shape, REPLY_ONE, &recon_diff_view, 200,	\
	    POOL_API, TX_WRITE, recon_explain,				\
	    "Say why a difference is right as it is" },			\
	{ POST, path "/{date}/close", who, &recon_date_shape, ONE, 200,	\
	    POOL_API, TX_WRITE, recon_close,				\
	    "Close the day: fees are booked, totals and differences"	\
	    " signed" },						\
	{ GET, path "/{date}/export", who, &recon_file_shape,		\
	    REPLY_FILE, NULL, 200, POOL_SLOW, TX_OWN, recon_fetch,	\
	    "The day's rows as a file" }

static const struct route recon_routes[] = {
	DAYS(OURS, MONEY),
	{ POST, OURS "/{date}/run", MONEY, &recon_date_shape, ONE, 200,
	    POOL_SLOW, TX_OWN, recon_bring,
	    "Bring the day's statement now and match it, for all"
	    " communities that have not closed it" },
	{ GET, OURS "/{date}/settlement", MONEY, &recon_part_page_shape,
	    REPLY_LIST, &recon_payee_view, 200, POOL_API, TX_READ,
	    recon_payees, "What each payee's things brought that day" },
	DAYS(NOBODYS, ROLE_PLATFORM),
	{ 0 }
};

void
recon_register(void)
{
	db_register(recon_sql, RECON_SQL_MAX);
	recon_run_register();
	recon_stage_register();
	recon_match_register();
	recon_diff_register();
	recon_share_register();
	recon_export_register();
	route_register("reconciliations", recon_routes);
}
