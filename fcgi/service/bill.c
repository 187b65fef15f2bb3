/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill.c -- bills: lists, preview, look-up by account, and what changes
 * them has in common.
 *
 * A resident sees the bills of dwellings that are bound to them, and of
 * those whose people let them pay.  Staff see what their payee billed.
 */
#include <string.h>

#include "http/req.h"
#include "service/bill_internal.h"
#include "service/service.h"
#include "store/limit.h"

#define PREVIEW_DAYS	3660
#define LOOKS		10	/* at account numbers, a minute */

const char *const bill_kinds[] = { "property", "water", "electricity",
    "gas", "heating", "parking", "broadband", "other", NULL };
const char *const bill_states[] = { "open", "disputed", "paid", "waived",
    "undone", NULL };

static const char *const kind_labels[] = { "物业费", "水费", "电费", "燃气费",
    "供暖费", "停车费", "宽带费", "其他费用" };
static const char *const state_labels[] = { "待缴", "有异议", "已缴", "已减免",
    "已撤回" };
_Static_assert(sizeof(kind_labels) / sizeof(kind_labels[0]) ==
    sizeof(bill_kinds) / sizeof(bill_kinds[0]) - 1, "one each");

static const char *
label_of(const char *const *names, const char *const *labels,
    const char *name)
{
	int	i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return labels[i];
	return name;
}

const char *
bill_kind_label(const char *kind)
{
	return label_of(bill_kinds, kind_labels, kind);
}

const char *
bill_state_label(const char *state)
{
	return label_of(bill_states, state_labels, state);
}

int64_t
bill_helper(const struct req *rq)
{
	return rq->actor_id != 0 ? 0 : rq->who.user_id;
}

/* ---- what it looks like ---- */

struct bill_due
bill_row_due(const struct bill_row *b)
{
	struct bill_sums	s = { b->open_fen, b->fen_days,
				    b->disputed_fen, b->late_rate,
				    b->late_cap, b->late_waived_fen };
	struct bill_due		d = bill_due(&s);

	if (b->paying_fen == VIEW_NULL_INT)
		return d;
	/* What is being paid stands until it is paid or given up. */
	d.total_fen = b->paying_fen;
	d.late_fen = b->paying_late_fen;
	d.waived_fen = b->paying_waived_fen;
	d.principal_fen = d.total_fen - d.late_fen;
	return d;
}

void
bill_put_due(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_int(j, bill_row_due(row).total_fen);
}

void
bill_put_late(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_int(j, bill_row_due(row).late_fen);
}

void
bill_put_kind(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, bill_kind_label(((const struct bill_row *)row)->kind));
}

void
bill_put_state(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, bill_state_label(((const struct bill_row *)row)->state));
}

/* pay and dispute for who lives there, waive for the payee. */
const char *const bill_buttons[] = { "pay", "dispute", "waive", NULL };

void
bill_put_can(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_row	*b = row;
	bool			 open = strcmp(b->state, "open") == 0 ||
				    strcmp(b->state, "disputed") == 0;

	(void)rq;
	json_list(j);
	if (open && b->bound && bill_row_due(b).total_fen > 0)
		json_text(j, "pay");
	if (open && b->bound && b->open_fen > 0 &&
	    b->paying_fen == VIEW_NULL_INT)
		json_text(j, "dispute");
	if (open && b->staff && b->paying_fen == VIEW_NULL_INT)
		json_text(j, "waive");
	json_unlist(j);
}

static const struct view_column bill_row_columns[] = {
	BILL_ROW_COLUMNS,
	C_END
};
static const struct view bill_view = VIEW(bill_row, "Bill");

struct bill_preview {
	const char	*date;
	int64_t		 principal_fen;
	int64_t		 late_fen;
	int64_t		 waived_fen;
	int64_t		 total_fen;
	int64_t		 disputed_fen;
	int64_t		 late_days;
	int64_t		 capped;
	const char	*rule;
};

static const struct view_column bill_preview_columns[] = {
	C_TEXT(bill_preview, date),
	C_FEN(bill_preview, principal_fen),
	C_FEN(bill_preview, late_fen),
	C_FEN(bill_preview, waived_fen, .about = "late fee that was waived"),
	C_FEN(bill_preview, total_fen),
	C_FEN(bill_preview, disputed_fen,
	    .about = "doubted: not due, and without late fee meanwhile"),
	C_INT(bill_preview, late_days),
	C_BOOL(bill_preview, capped),
	C_TEXT(bill_preview, rule, .about = "Chinese"),
	C_END
};
static const struct view bill_preview_view =
    VIEW(bill_preview, "BillPreview");

/* What a stranger with account number and name learns: no id, no place. */
struct bill_found {
	const char	*payee;
	const char	*kind;
	const char	*period;
	const char	*due_on;
	const char	*state;
	int64_t		 open_fen, fen_days, disputed_fen;
	int64_t		 late_rate, late_cap, late_waived_fen;
	const char	*holder;
};

static void
found_due(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_found	*b = row;
	struct bill_sums	 s = { b->open_fen, b->fen_days,
				    b->disputed_fen, b->late_rate,
				    b->late_cap, b->late_waived_fen };

	(void)rq;
	json_int(j, bill_due(&s).total_fen);
}

static void
found_kind(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, bill_kind_label(((const struct bill_found *)row)->kind));
}

static const struct view_column bill_found_columns[] = {
	C_TEXT(bill_found, payee),
	C_CODE(bill_found, kind, bill_kinds),
	C_TEXT(bill_found, period),
	C_TEXT(bill_found, due_on),
	C_CODE(bill_found, state, bill_states),
	C_FEN(bill_found, open_fen, .flags = VIEW_HIDDEN),
	C_INT(bill_found, fen_days, .flags = VIEW_HIDDEN),
	C_FEN(bill_found, disputed_fen),
	C_INT(bill_found, late_rate, .flags = VIEW_HIDDEN),
	C_INT(bill_found, late_cap, .flags = VIEW_HIDDEN),
	C_FEN(bill_found, late_waived_fen, .flags = VIEW_HIDDEN),
	C_TEXT(bill_found, holder, .about = "masked"),
	C_CALC("kind_label", SHAPE_TEXT, found_kind),
	C_CALC("due_fen", SHAPE_INT, found_due),
	C_END
};
static const struct view bill_found_view = VIEW(bill_found, "BillFound");

/* ---- what comes in ---- */

struct bill_query {
	int64_t		 state;
	int64_t		 dwelling_id;
	int64_t		 limit, after;
};

static const struct field bill_query_fields[] = {
	F_ENUM(bill_query, state, "状态", MAY, bill_states),
	F_ID(bill_query, dwelling_id, "房屋", MAY),
	F_PAGE(bill_query),
	F_END
};
static const struct shape bill_query_shape = SHAPE(bill_query, "BillQuery");

struct payee_query {
	int64_t		 id;
	int64_t		 state;
	int64_t		 limit, after;
};

static const struct field payee_query_fields[] = {
	F_ID(payee_query, id, "收费单位", MUST),
	F_ENUM(payee_query, state, "状态", MAY, bill_states),
	F_PAGE(payee_query),
	F_END
};
static const struct shape payee_query_shape =
    SHAPE(payee_query, "PayeeBillQuery");

static const struct field bill_id_in_fields[] = {
	F_ID(bill_id_in, id, "账单", MUST),
	F_END
};
const struct shape bill_id_shape = SHAPE(bill_id_in, "BillId");

struct bill_date_in {
	int64_t		 id;
	const char	*date;
};

static const struct field bill_date_in_fields[] = {
	F_ID(bill_date_in, id, "账单", MUST),
	F_TEXT(bill_date_in, date, "日期", MAY, 10, 10),
	F_END
};
static const struct shape bill_date_shape =
    SHAPE(bill_date_in, "BillPreviewQuery");

struct bill_lookup_in {
	const char	*account_no;
	const char	*holder;
};

static const struct field bill_lookup_in_fields[] = {
	F_TEXT(bill_lookup_in, account_no, "户号", MUST, 1, 32),
	F_TEXT(bill_lookup_in, holder, "户名", MUST, 2, 60),
	F_END
};
static const struct shape bill_lookup_shape =
    SHAPE(bill_lookup_in, "BillLookup");

/* ---- statements ---- */

#define BILL_PAGE(after, limit)						\
	" AND (CAST(" after " AS BIGINT) = 0 OR b.id < " after ")"	\
	" ORDER BY b.id DESC LIMIT " limit

enum { BILL_MINE, BILL_OF_PAYEE, BILL_PREVIEW, BILL_LOOKUP, BILL_LOCK,
	BILL_CORE, BILL_REST, BILL_STATE, BILL_SQL_MAX };

static struct stmt bill_sql[] = {
	/* From the few dwellings, not from all bills. */
	[BILL_MINE] = { RO, 9, &bill_view,
	    BILL_ROW_SELECT("$6", "1", "0") " WHERE b.community_id = $1"
	    " AND b.dwelling_id IN (SELECT h.dwelling_id FROM home h"
	    " WHERE h.owner_id = $2 AND h.community_id = $1"
	    " AND h.state = 'bound' UNION ALL SELECT h.dwelling_id"
	    " FROM helper g JOIN home h ON h.owner_id = g.elder_id"
	    " AND h.community_id = g.community_id AND h.state = 'bound'"
	    " WHERE g.helper_id = $3 AND g.community_id = $1"
	    " AND g.revoked_at IS NULL AND g.from_at <= $7"
	    " AND (g.to_at IS NULL OR g.to_at > $7)"
	    " AND (g.rights & 2) <> 0)"
	    " AND (CAST($8 AS BIGINT) = 0 OR b.dwelling_id = $8)"
	    " AND b.state <> 'undone'"
	    " AND (CAST($9 AS TEXT) IS NULL OR b.state = $9)"
	    BILL_PAGE("$4", "$5"), NULL, 0 },
	[BILL_OF_PAYEE] = { RO, 6, &bill_view,
	    BILL_ROW_SELECT("$5", "0", "1") " WHERE b.community_id = $1"
	    " AND b.payee_id = $2"
	    " AND (CAST($6 AS TEXT) IS NULL OR b.state = $6)"
	    BILL_PAGE("$3", "$4"), NULL, 0 },
	[BILL_PREVIEW] = { RO, 6, &bill_core_view,
	    BILL_CORE_SELECT("$3", "$4", "$5", "$6")
	    " WHERE b.community_id = $1 AND b.id = $2"
	    " AND b.state <> 'undone'", NULL, 0 },
	[BILL_LOOKUP] = { RO, 3, &bill_found_view,
	    "SELECT o.name AS payee, b.kind, b.period, b.due_on, b.state, "
	    BILL_SUMS("$3") ", b.late_rate, b.late_cap, b.late_waived_fen,"
	    " b.holder_mask AS holder FROM bill b JOIN org o"
	    " ON o.community_id = b.community_id AND o.id = b.payee_id"
	    " WHERE b.community_id = $1 AND b.account_no = $2"
	    " AND b.state IN ('open', 'disputed')"
	    " ORDER BY b.id DESC LIMIT 50", NULL, 0 },
	[BILL_LOCK] = { RW, 3, NULL,
	    "UPDATE bill SET updated_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND state <> 'undone'", NULL, 0 },
	[BILL_CORE] = { RO, 6, &bill_core_view,
	    BILL_CORE_SELECT("$3", "$4", "$5", "$6")
	    " WHERE b.community_id = $1 AND b.id = $2", NULL, 0 },
	[BILL_REST] = { RO, 2, &bill_rest_view,
	    "SELECT COUNT(CASE WHEN payment_id IS NULL AND amount_fen > 0"
	    " THEN 1 END) AS unpaid, COUNT(CASE WHEN payment_id IS NULL"
	    " THEN dispute_id END) AS disputed, COUNT(payment_id) AS paid,"
	    " CAST(SUM(amount_fen) AS BIGINT) AS principal_fen"
	    " FROM bill_line WHERE community_id = $1 AND bill_id = $2",
	    NULL, 0 },
	[BILL_STATE] = { RW, 6, NULL,
	    "UPDATE bill SET state = $3, principal_fen = $4,"
	    " paid_at = CASE WHEN CAST($3 AS TEXT) = 'paid'"
	    " THEN COALESCE(paid_at, $5) END, updated_at = $6"
	    " WHERE community_id = $1 AND id = $2 AND state <> 'undone'",
	    NULL, 0 },
};

/* ---- for those who change bills ---- */

static struct values
core_values(const struct req *rq, int64_t id, int64_t day,
    struct value v[static 6])
{
	v[0] = V(rq->who.community_id);
	v[1] = V(id);
	v[2] = V(day);
	v[3] = V(rq->who.user_id);
	v[4] = V(bill_helper(rq));
	v[5] = V(rq->now);
	return (struct values){ 6, v };
}

enum err
bill_take(struct req *rq, int64_t id, struct bill_core *ret)
{
	struct value	v[6];
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &bill_sql[BILL_LOCK],
	    WITH(V(rq->who.community_id), V(id), V(rq->now)), &n);
	if (e != OK || n == 0)
		return e != OK ? e : ERR_ABSENT;
	e = db_one(rq->db, rq->arena, &bill_sql[BILL_CORE],
	    core_values(rq, id, bill_day(rq->now), v), ret);
	if (e == OK && !bill_is_staff(rq))
		ret->staff = false;
	return e;
}

struct bill_due
bill_core_due(const struct bill_core *b)
{
	struct bill_sums	s = { b->open_fen, b->fen_days,
				    b->disputed_fen, b->late_rate,
				    b->late_cap, b->late_waived_fen };
	struct bill_due		d = bill_due(&s);

	if (b->paying_id != 0) {
		d.total_fen = b->paying_fen;
		d.late_fen = b->paying_late_fen;
		d.waived_fen = b->paying_waived_fen;
		d.principal_fen = d.total_fen - d.late_fen;
	}
	return d;
}

enum err
bill_settle(struct req *rq, int64_t id)
{
	struct bill_rest	 r;
	const char		*state;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &bill_sql[BILL_REST],
	    WITH(V(rq->who.community_id), V(id)), &r);
	if (e != OK)
		return e;
	state = r.disputed > 0 ? "disputed" : r.unpaid > 0 ? "open" :
	    r.paid > 0 ? "paid" : "waived";
	return db_run(rq->db, &bill_sql[BILL_STATE],
	    WITH(V(rq->who.community_id), V(id), V(state),
	    V(r.principal_fen), V(rq->now), V(rq->now)), NULL);
}

const char *
bill_title(struct req *rq, const struct bill_core *b)
{
	return arena_fmt(rq->arena, "%s %s", b->period,
	    bill_kind_label(b->kind));
}

enum err
bill_not_paying(struct req *rq, const struct bill_core *b)
{
	if (b->paying_id == 0)
		return OK;
	return req_fail(rq, ERR_STATE, "这张账单正在付款，请等付款完成或关闭后再"
	    "操作。");
}

/* ---- handlers ---- */

static enum err
bill_list(struct req *rq)
{
	const struct bill_query	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, &bill_sql[BILL_MINE],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(bill_helper(rq)), V(in->after), V(limit + 1),
	    V(bill_day(rq->now)), V(rq->now), V(in->dwelling_id),
	    V(field_given(rq, "state") ? bill_states[in->state] : NULL)),
	    limit);
}

static enum err
bill_of_payee(struct req *rq)
{
	const struct payee_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct payee			 payee;
	enum err			 e;

	if ((e = payee_mine(rq, in->id, &payee)) != OK)
		return e;
	return req_list(rq, &bill_sql[BILL_OF_PAYEE],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(limit + 1), V(bill_day(rq->now)),
	    V(field_given(rq, "state") ? bill_states[in->state] : NULL)),
	    limit);
}

static enum err
preview_day(struct req *rq, const char *date, int64_t *ret)
{
	int64_t	today = bill_day(rq->now);

	*ret = today;
	if (date == NULL)
		return OK;
	if (!bill_day_parse(date, ret))
		return req_field(rq, "date", "format",
		    "日期请写成 2026-10-31 这样的格式。");
	if (*ret < today || *ret > today + PREVIEW_DAYS)
		return req_field(rq, "date", "out_of_range",
		    "请选今天或以后、十年以内的日期。");
	return OK;
}

static const char *
preview_rule(struct req *rq, const struct bill_core *b)
{
	if (b->late_rate == 0)
		return "这项费用不收违约金。";
	return arena_fmt(rq->arena, "从应缴日期的次日起，按未缴金额每日万分之%lld"
	    "计违约金，不计复利，最多为未缴金额的%lld%%；有异议的部分在处理期间不计。",
	    (long long)b->late_rate, (long long)b->late_cap);
}

static enum err
bill_preview(struct req *rq)
{
	const struct bill_date_in *in = rq->in;
	struct bill_preview	 p = { 0 };
	struct bill_core	 b;
	struct bill_due		 d;
	struct value		 v[6];
	char			*date;
	int64_t			 day;
	enum err		 e;

	if ((e = preview_day(rq, in->date, &day)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &bill_sql[BILL_PREVIEW],
	    core_values(rq, in->id, day, v), &b);
	if (e != OK || (!b.bound && !(b.staff && bill_is_staff(rq))))
		return e != OK ? e : ERR_ABSENT;
	b.paying_id = 0;
	d = bill_core_due(&b);
	date = arena_take(rq->arena, BILL_DAY_MAX);
	bill_day_text(day, date);
	p.date = date;
	p.principal_fen = d.principal_fen;
	p.late_fen = d.late_fen;
	p.waived_fen = d.waived_fen;
	p.total_fen = d.total_fen;
	p.disputed_fen = d.disputed_fen;
	p.late_days = day > b.due_day && d.principal_fen > 0 ?
	    day - b.due_day : 0;
	p.capped = (b.fen_days * b.late_rate + 5000) / 10000 >
	    d.late_fen + d.waived_fen;
	p.rule = preview_rule(rq, &b);
	return req_one(rq, &p);
}

/*
 * Whether what was typed is the holder: the name itself, or its mask, a
 * star standing for any one character of the name.  Stars alone are nobody.
 */
static bool
is_holder(const char *mask, const char *typed)
{
	bool	known = false;
	size_t	n;

	while (*mask != '\0' && *typed != '\0') {
		n = 1;
		while (((unsigned char)typed[n] & 0xc0) == 0x80)
			n++;
		if (*mask == '*') {
			mask++;
		} else {
			if (strncmp(mask, typed, n) != 0)
				return false;
			mask += n;
			known = true;
		}
		typed += n;
	}
	return known && *mask == '\0' && *typed == '\0';
}

static enum err
put_found(struct req *rq, const struct bill_lookup_in *in)
{
	struct json		*j = req_json(rq);
	struct bill_found	 row;
	struct rows		 rows;
	enum err		 e;

	e = db_query(rq->db, &bill_sql[BILL_LOOKUP],
	    WITH(V(rq->who.community_id), V(in->account_no),
	    V(bill_day(rq->now))), &rows);
	if (e != OK)
		return e;
	json_open(j);
	json_key(j, "items");
	json_list(j);
	while (db_each(&rows, &row))
		if (is_holder(row.holder, in->holder))
			json_view(j, &bill_found_view, &row, rq, rq->arena);
	json_unlist(j);
	json_put_text(j, "next", NULL);
	json_close(j);
	return db_end(&rows);
}

/* Guessed at by few names a minute; it tells no more than the sum. */
static enum err
bill_lookup(struct req *rq)
{
	const char	*who = arena_fmt(rq->arena, "%lld",
			    (long long)rq->who.user_id);
	enum err	 e;

	e = limit_take(rq->redis, "bill-lookup", who, LOOKS, rq->now,
	    &rq->retry_after);
	return e != OK ? e : put_found(rq, rq->in);
}

static enum err
bill_get(struct req *rq)
{
	return bill_answer(rq, ((const struct bill_id_in *)rq->in)->id);
}

#define PAYERS	(ROLE_RESIDENT | ACT_PAY | ACT_READ)

static const struct route bill_routes[] = {
	{ GET, "/api/v1/bills", PAYERS, &bill_query_shape,
	    REPLY_LIST, &bill_view, 200, POOL_API, TX_READ,
	    bill_list, "Bills of my homes, and of those I may pay for" },
	{ POST, "/api/v1/bills/lookup", ROLE_RESIDENT, &bill_lookup_shape,
	    REPLY_LIST, &bill_found_view, 200, POOL_API, TX_OWN,
	    bill_lookup, "Open bills of an account number and its holder" },
	{ GET, "/api/v1/bills/{id}", PAYERS | BILL_STAFF_ROLES,
	    &bill_id_shape,
	    REPLY_ONE, &bill_full_view, 200, POOL_API, TX_READ,
	    bill_get, "A bill, and how it came about" },
	{ GET, "/api/v1/bills/{id}/preview", PAYERS | BILL_STAFF_ROLES,
	    &bill_date_shape,
	    REPLY_ONE, &bill_preview_view, 200, POOL_API, TX_READ,
	    bill_preview, "What it costs on a day" },
	{ GET, "/api/v1/payees/{id}/bills", BILL_STAFF_ROLES,
	    &payee_query_shape,
	    REPLY_LIST, &bill_view, 200, POOL_API, TX_READ,
	    bill_of_payee, "What my payee billed, newest first" },
	{ 0 }
};

void
bill_register(void)
{
	bill_engine_register();
	bill_full_register();
	bill_pay_register();
	bill_dispute_register();
	bill_waiver_register();
	bill_batch_register();
	bill_remind_register();
	bill_report_register();
	money_sweep_register();
	payee_register();
	db_register(bill_sql, BILL_SQL_MAX);
	route_register("bills", bill_routes);
}
