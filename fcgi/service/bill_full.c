/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_full.c -- one bill that explains itself: lines, readings, what it
 * was a year before, who doubted it, what was paid, and where it is from.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/req.h"
#include "service/bill_internal.h"

#define DOUBTS		50
#define NUMBER_MAX	32

/* ---- lines ---- */

struct bill_line {
	int64_t		 seq;
	const char	*what;
	int64_t		 reading_before, reading_after;
	int64_t		 quantity, unit_price;
	int64_t		 billed_fen, amount_fen;
	const char	*note;
	int64_t		 disputed, paid;
};

/* A number with `scale` decimals, those that are not 0. */
static const char *
decimal(char out[NUMBER_MAX], int64_t v, int scale)
{
	int64_t	unit = 1;
	int	i, n;

	for (i = 0; i < scale; i++)
		unit *= 10;
	n = snprintf(out, NUMBER_MAX, "%lld.%0*lld", (long long)(v / unit),
	    scale, (long long)(v % unit));
	while (n > 0 && out[n - 1] == '0')
		out[--n] = '\0';
	if (n > 0 && out[n - 1] == '.')
		out[--n] = '\0';
	return out;
}

static void
say(char *out, size_t size, const char *label, int64_t v, int scale,
    const char *unit)
{
	char	number[NUMBER_MAX];
	size_t	n = strlen(out);

	if (v == VIEW_NULL_INT || n >= size)
		return;
	snprintf(out + n, size - n, "%s%s %s%s", n > 0 ? "，" : "", label,
	    decimal(number, v, scale), unit);
}

/* What stands on the meter's slip, in one line. */
static void
line_words(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_line	*l = row;
	char			 out[256] = "";

	(void)rq;
	say(out, sizeof(out), "上期读数", l->reading_before, 3, "");
	say(out, sizeof(out), "本期读数", l->reading_after, 3, "");
	say(out, sizeof(out), "用量", l->quantity, 3, "");
	say(out, sizeof(out), "单价", l->unit_price, 4, " 元");
	say(out, sizeof(out), "金额", l->billed_fen, 2, " 元");
	if (l->amount_fen != l->billed_fen)
		say(out, sizeof(out), "现应缴", l->amount_fen, 2, " 元");
	json_text(j, out);
}

static const struct view_column bill_line_columns[] = {
	C_INT(bill_line, seq),
	C_TEXT(bill_line, what),
	C_INT(bill_line, reading_before, .flags = VIEW_NULL,
	    .about = "thousandths"),
	C_INT(bill_line, reading_after, .flags = VIEW_NULL,
	    .about = "thousandths"),
	C_INT(bill_line, quantity, .flags = VIEW_NULL,
	    .about = "thousandths"),
	C_INT(bill_line, unit_price, .flags = VIEW_NULL,
	    .about = "1/10000 yuan"),
	C_FEN(bill_line, billed_fen),
	C_FEN(bill_line, amount_fen, .about = "after disputes and waivers"),
	C_TEXT(bill_line, note, .flags = VIEW_NULL),
	C_BOOL(bill_line, disputed),
	C_BOOL(bill_line, paid),
	C_CALC("words", SHAPE_TEXT, line_words, .about = "Chinese"),
	C_END
};
static const struct view bill_line_view = VIEW(bill_line, "BillLine");

/* ---- beside ---- */

struct bill_paid {
	int64_t		 payment_id;
	int64_t		 principal_fen, late_fen, refunded_fen;
	int64_t		 paid_at;
};

static const struct view_column bill_paid_columns[] = {
	C_ID(bill_paid, payment_id),
	C_FEN(bill_paid, principal_fen),
	C_FEN(bill_paid, late_fen),
	C_FEN(bill_paid, refunded_fen),
	C_TIME(bill_paid, paid_at),
	C_END
};
static const struct view bill_paid_view = VIEW(bill_paid, "BillPaid");

struct bill_doubt {
	int64_t		 id;
	const char	*state;
	int64_t		 seq;
	const char	*reason, *answer;
	int64_t		 was_fen, now_fen;
	int64_t		 created_at;
};

static const char *const doubt_states[] = { "asked", "upheld", "refused",
    "withdrawn", NULL };

static const struct view_column bill_doubt_columns[] = {
	C_ID(bill_doubt, id),
	C_CODE(bill_doubt, state, doubt_states),
	C_INT(bill_doubt, seq, .about = "of the line; 0: all"),
	C_TEXT(bill_doubt, reason),
	C_TEXT(bill_doubt, answer, .flags = VIEW_NULL),
	C_FEN(bill_doubt, was_fen),
	C_FEN(bill_doubt, now_fen, .flags = VIEW_NULL),
	C_TIME(bill_doubt, created_at),
	C_END
};
static const struct view doubt_view = VIEW(bill_doubt, "BillDoubt");

struct bill_last {
	const char	*period;
	int64_t		 billed_fen;
	int64_t		 quantity;
};

static const struct view_column bill_last_columns[] = {
	C_TEXT(bill_last, period),
	C_FEN(bill_last, billed_fen),
	C_INT(bill_last, quantity, .flags = VIEW_NULL,
	    .about = "thousandths, of all lines"),
	C_END
};
static const struct view bill_last_view = VIEW(bill_last, "BillLast");

struct bill_made {
	const char	*name;
	int64_t		 applied_at;
};

static const struct view_column bill_made_columns[] = {
	C_TEXT(bill_made, name),
	C_TIME(bill_made, applied_at),
	C_END
};
static const struct view bill_made_view = VIEW(bill_made, "BillMade");

static void
put_lines(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_row	*b = row;
	size_t			 i;

	json_list(j);
	for (i = 0; i < b->nlines; i++)
		json_view(j, &bill_line_view, &b->lines[i], rq, rq->arena);
	json_unlist(j);
}

static void
put_payments(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_row	*b = row;
	size_t			 i;

	json_list(j);
	for (i = 0; i < b->npayments; i++)
		json_view(j, &bill_paid_view, &b->payments[i], rq,
		    rq->arena);
	json_unlist(j);
}

static void
put_doubts(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_row	*b = row;
	size_t			 i;

	json_list(j);
	for (i = 0; i < b->ndoubts; i++)
		json_view(j, &doubt_view, &b->doubts[i], rq, rq->arena);
	json_unlist(j);
}

static void
put_last(struct json *j, const struct req *rq, const void *row)
{
	const struct bill_row	*b = row;

	if (b->last == NULL)
		json_nil(j);
	else
		json_view(j, &bill_last_view, b->last, rq, rq->arena);
}

static void
put_made(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, ((const struct bill_row *)row)->made);
}

static const struct view_column bill_row_columns[] = {
	BILL_ROW_COLUMNS,
	C_CALC("lines", SHAPE_OBJECTS, put_lines, .sub = &bill_line_view),
	C_CALC("last_year", SHAPE_OBJECT, put_last, .sub = &bill_last_view,
	    .flags = VIEW_NULL, .about = "the same month a year before"),
	C_CALC("disputes", SHAPE_OBJECTS, put_doubts, .sub = &doubt_view),
	C_CALC("payments", SHAPE_OBJECTS, put_payments,
	    .sub = &bill_paid_view),
	C_CALC("made", SHAPE_TEXT, put_made,
	    .about = "Chinese: where it is from"),
	C_END
};
const struct view bill_full_view = VIEW(bill_row, "BillFull");

/* ---- what changes are made from ---- */

static const struct view_column bill_core_columns[] = {
	C_ID(bill_core, id),
	C_ID(bill_core, payee_id),
	C_TEXT(bill_core, payee),
	C_TEXT(bill_core, state),
	C_TEXT(bill_core, kind),
	C_TEXT(bill_core, period),
	C_INT(bill_core, due_day),
	C_FEN(bill_core, open_fen),
	C_INT(bill_core, fen_days),
	C_FEN(bill_core, disputed_fen),
	C_INT(bill_core, late_rate),
	C_INT(bill_core, late_cap),
	C_FEN(bill_core, late_waived_fen),
	C_ID(bill_core, paying_id),
	C_TIME(bill_core, paying_until),
	C_FEN(bill_core, paying_fen),
	C_FEN(bill_core, paying_late_fen),
	C_FEN(bill_core, paying_waived_fen),
	C_BOOL(bill_core, bound),
	C_BOOL(bill_core, staff),
	C_END
};
const struct view bill_core_view = VIEW(bill_core, "BillCore");

static const struct view_column bill_rest_columns[] = {
	C_INT(bill_rest, unpaid),
	C_INT(bill_rest, disputed),
	C_INT(bill_rest, paid),
	C_FEN(bill_rest, principal_fen),
	C_END
};
const struct view bill_rest_view = VIEW(bill_rest, "BillRest");

/* ---- statements ---- */

#define IS_BOUND	"CASE WHEN " BILL_BOUND("$2", "$4", "$5")	\
			" THEN 1 ELSE 0 END"
#define IS_STAFF	"CASE WHEN " BILL_STAFF("b.payee_id", "$2")	\
			" THEN 1 ELSE 0 END"

enum { FULL_GET, FULL_LINES, FULL_PAID, FULL_DOUBTS, FULL_LAST, FULL_MADE,
	FULL_SQL_MAX };

static struct stmt full_sql[] = {
	[FULL_GET] = { RO, 6, &bill_full_view,
	    BILL_ROW_SELECT("$6", IS_BOUND, IS_STAFF)
	    " WHERE b.community_id = $1 AND b.id = $3", NULL, 0 },
	[FULL_LINES] = { RO, 2, &bill_line_view,
	    "SELECT seq, what, reading_before, reading_after, quantity,"
	    " unit_price, billed_fen, amount_fen, note,"
	    " CASE WHEN dispute_id IS NULL THEN 0 ELSE 1 END AS disputed,"
	    " CASE WHEN payment_id IS NULL THEN 0 ELSE 1 END AS paid"
	    " FROM bill_line WHERE community_id = $1 AND bill_id = $2"
	    " ORDER BY seq", NULL, 0 },
	[FULL_PAID] = { RO, 2, &bill_paid_view,
	    "SELECT payment_id, principal_fen, late_fen, refunded_fen,"
	    " paid_at FROM bill_payment WHERE community_id = $1"
	    " AND bill_id = $2 ORDER BY paid_at, payment_id LIMIT 50",
	    NULL, 0 },
	[FULL_DOUBTS] = { RO, 2, &doubt_view,
	    "SELECT id, state, seq, reason, answer, was_fen, now_fen,"
	    " created_at FROM bill_dispute WHERE community_id = $1"
	    " AND bill_id = $2 AND state <> 'void' ORDER BY id LIMIT 50",
	    NULL, 0 },
	[FULL_LAST] = { RO, 5, &bill_last_view,
	    "SELECT b.period, b.billed_fen,"
	    " (SELECT CAST(SUM(l.quantity) AS BIGINT) FROM bill_line l"
	    " WHERE l.community_id = b.community_id"
	    " AND l.bill_id = b.id) AS quantity FROM bill b"
	    " WHERE b.community_id = $1 AND b.payee_id = $2"
	    " AND b.account_no = $3 AND b.kind = $4 AND b.period = $5"
	    " AND b.state <> 'undone'", NULL, 0 },
	[FULL_MADE] = { RO, 2, &bill_made_view,
	    "SELECT t.name, t.applied_at FROM bill b JOIN bill_batch t"
	    " ON t.community_id = b.community_id AND t.id = b.batch_id"
	    " WHERE b.community_id = $1 AND b.id = $2", NULL, 0 },
};

void
bill_full_register(void)
{
	db_register(full_sql, FULL_SQL_MAX);
}

/* Up to `max` rows of `which` for the bill. */
static enum err
read_all(struct req *rq, int which, int64_t id, size_t max,
    const void **ret, size_t *ret_n)
{
	const struct view	*view = full_sql[which].view;
	char			*all = arena_take(rq->arena,
				    view->size * max);
	const struct view_column *c;
	struct rows		 rows;
	enum err		 e;

	*ret = all;
	*ret_n = 0;
	e = db_query(rq->db, &full_sql[which],
	    WITH(V(rq->who.community_id), V(id)), &rows);
	if (e != OK)
		return e;
	while (*ret_n < max && db_each(&rows, all + *ret_n * view->size)) {
		char	*row = all + *ret_n * view->size;

		/* Text of a row is good only until the next. */
		for (c = view->columns; c->name != NULL; c++) {
			const char *text;

			if (c->kind != VIEW_TEXT && c->kind != VIEW_CODE)
				continue;
			memcpy(&text, row + c->offset, sizeof(text));
			if (text != NULL)
				text = arena_str(rq->arena, text);
			memcpy(row + c->offset, &text, sizeof(text));
		}
		++*ret_n;
	}
	return db_end(&rows);
}

static enum err
read_last(struct req *rq, struct bill_row *b)
{
	struct bill_last	*last = ARENA_NEW(rq->arena,
				    struct bill_last);
	char			*period = arena_str(rq->arena, b->period);
	int			 i = 3;
	enum err		 e;

	/* The year before; the text was checked when it came. */
	while (i > 0 && period[i] == '0')
		period[i--] = '9';
	period[i]--;
	e = db_one(rq->db, rq->arena, &full_sql[FULL_LAST],
	    WITH(V(rq->who.community_id), V(b->payee_id), V(b->account_no),
	    V(b->kind), V(period)), last);
	if (e == OK)
		b->last = last;
	return e == ERR_ABSENT ? OK : e;
}

static enum err
read_made(struct req *rq, struct bill_row *b)
{
	struct bill_made	made;
	struct clock_local	at;
	enum err		e;

	e = db_one(rq->db, rq->arena, &full_sql[FULL_MADE],
	    WITH(V(rq->who.community_id), V(b->id)), &made);
	if (e != OK)
		return e;
	at = clock_local(made.applied_at);
	b->made = arena_fmt(rq->arena, "由%s于 %d 年 %d 月 %d 日根据账单文件生成，"
	    "对金额有疑问可以逐项提出异议。", b->payee, at.year, at.month,
	    at.day);
	return OK;
}

enum err
bill_answer(struct req *rq, int64_t id)
{
	struct bill_row	b = { 0 };
	enum err	e;

	e = db_one(rq->db, rq->arena, &full_sql[FULL_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id),
	    V(bill_helper(rq)), V(rq->now), V(bill_day(rq->now))), &b);
	if (e != OK)
		return e;
	b.staff = b.staff && bill_is_staff(rq);
	if (!b.staff && (!b.bound || strcmp(b.state, "undone") == 0))
		return ERR_ABSENT;
	e = read_all(rq, FULL_LINES, id, BILL_LINES,
	    (const void **)&b.lines, &b.nlines);
	if (e == OK)
		e = read_all(rq, FULL_PAID, id, DOUBTS,
		    (const void **)&b.payments, &b.npayments);
	if (e == OK)
		e = read_all(rq, FULL_DOUBTS, id, DOUBTS,
		    (const void **)&b.doubts, &b.ndoubts);
	if (e == OK)
		e = read_last(rq, &b);
	if (e == OK)
		e = read_made(rq, &b);
	return e != OK ? e : req_one(rq, &b);
}
