/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c -- WeChat Pay's statements of a day, read row by row.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/money.h"
#include "service/statement.h"

#define COLUMNS		40
#define PLACES		5	/* decimals of a yuan that a fee has */

enum { AT, NUMBER, TRANSACTION, REFUND_NUMBER, REFUND_ID, STATE,
	REFUND_STATE, TITLE, ATTACH, FEE, RATE, PAID, PAID_SETTLED, PAID_OLD,
	REFUNDED, REFUNDED_SETTLED, KIND, WAY, FUND_AMOUNT, REMARK,
	NAMES };

static const char *const names[NAMES] = {
	[AT] = "交易时间",
	[NUMBER] = "商户订单号",
	[TRANSACTION] = "微信订单号",
	[REFUND_NUMBER] = "商户退款单号",
	[REFUND_ID] = "微信退款单号",
	[STATE] = "交易状态",
	[REFUND_STATE] = "退款状态",
	[TITLE] = "商品名称",
	[ATTACH] = "商户数据包",
	[FEE] = "手续费",
	[RATE] = "费率",
	[PAID] = "订单金额",
	[PAID_SETTLED] = "应结订单金额",
	[PAID_OLD] = "总金额",
	[REFUNDED] = "申请退款金额",
	[REFUNDED_SETTLED] = "退款金额",
	[KIND] = "业务类型",
	[WAY] = "收支类型",
	[FUND_AMOUNT] = "收支金额(元)",
	[REMARK] = "备注",
};

struct statement {
	FILE			*file;
	enum statement_kind	 kind;
	bool			 begun, ended, stated;
	bool			 read_fault, odd_header;
	int			 line;
	int			 columns;
	int			 place[NAMES];	/* of a column, or -1 */
	char			*cells[COLUMNS];
	int			 ncells;
	int64_t			 damaged;
	struct statement_sum	 rows, last;
	char			 none[1];	/* "" */
	char			 text[STATEMENT_LINE];
};

enum line { LINE_GOOD, LINE_LONG, LINE_NONE };

struct statement *
statement_open(struct arena *a, FILE *file, enum statement_kind kind)
{
	struct statement	*st = ARENA_NEW(a, struct statement);

	st->file = file;
	st->kind = kind;
	return st;
}

/* ---- lines and cells ---- */

/* The next line without its end; one too long, or with a NUL, is passed. */
static enum line
read_line(struct statement *st)
{
	size_t	n = 0;
	bool	bad = false;
	int	c;

	while ((c = getc_unlocked(st->file)) != EOF && c != '\n')
		if (c == '\0' || n >= sizeof(st->text) - 1)
			bad = true;
		else
			st->text[n++] = (char)c;
	if (c == EOF && ferror(st->file))
		st->read_fault = true;
	if (c == EOF && n == 0 && !bad)
		return LINE_NONE;
	st->line++;
	if (n > 0 && st->text[n - 1] == '\r')
		n--;
	st->text[n] = '\0';
	return bad ? LINE_LONG : LINE_GOOD;
}

/* Cut at every comma that `mark` follows; true when the line fits. */
static bool
split(struct statement *st, char *s, const char *mark)
{
	char	*next;
	size_t	 n = strlen(mark);

	for (st->ncells = 0; st->ncells < COLUMNS; s = next + n) {
		st->cells[st->ncells++] = s;
		if ((next = strstr(s, mark)) == NULL)
			return true;
		*next = '\0';
	}
	return false;
}

/* A remark may have a comma and a back-tick of its own. */
static void
join_remark(struct statement *st)
{
	int	at = st->place[REMARK], more = st->ncells - st->columns, i;

	if (st->kind != STATEMENT_FUND || at < 0 || more <= 0)
		return;
	for (i = 0; i < more; i++)
		memcpy(st->cells[at + i] + strlen(st->cells[at + i]), ",`",
		    2);
	for (i = at + 1; i < st->columns; i++)
		st->cells[i] = st->cells[i + more];
	st->ncells = st->columns;
}

static bool
is_mark(const char *s)
{
	return strncmp(s, "\xef\xbb\xbf", 3) == 0;
}

static bool
bind_header(struct statement *st)
{
	int	i, k;

	if (!split(st, st->text + (is_mark(st->text) ? 3 : 0), ","))
		return false;
	st->columns = st->ncells;
	for (k = 0; k < NAMES; k++)
		for (st->place[k] = -1, i = 0; i < st->ncells; i++)
			if (strcmp(st->cells[i], names[k]) == 0)
				st->place[k] = i;
	if (st->kind == STATEMENT_FUND) {
		for (i = 0; i < st->ncells; i++)
			if (strcmp(st->cells[i], "记账时间") == 0)
				st->place[AT] = i;
		return st->place[AT] >= 0 && st->place[KIND] >= 0 &&
		    st->place[WAY] >= 0 && st->place[FUND_AMOUNT] >= 0;
	}
	return st->place[AT] >= 0 && st->place[NUMBER] >= 0 &&
	    st->place[TRANSACTION] >= 0 && st->place[STATE] >= 0 &&
	    st->place[FEE] >= 0 && (st->place[PAID] >= 0 ||
	    st->place[PAID_SETTLED] >= 0 || st->place[PAID_OLD] >= 0);
}

/* A cell by name; "" where this kind of statement has none. */
static char *
cell(struct statement *st, int name)
{
	return st->place[name] >= 0 ? st->cells[st->place[name]] : st->none;
}

/* The first of these columns that there is. */
static const char *
cell_of(struct statement *st, int a, int b, int c)
{
	if (st->place[a] >= 0)
		return cell(st, a);
	return cell(st, st->place[b] >= 0 ? b : c);
}

/* ---- values ---- */

bool
statement_mill(const char *s, int64_t *ret)
{
	int64_t	v = 0;
	bool	minus = *s == '-';
	int	places = -1;

	s += minus;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s != '\0' && places < PLACES; s++) {
		if (*s == '.' && places < 0) {
			places = 0;
			continue;
		}
		if (*s < '0' || *s > '9')
			return false;
		if ((v = v * 10 + (*s - '0')) > MONEY_MAX * STATEMENT_MILL)
			return false;
		places += places >= 0;
	}
	if (*s != '\0' || places == 0)
		return false;
	for (places = places < 0 ? 0 : places; places < PLACES; places++)
		if ((v *= 10) > MONEY_MAX * STATEMENT_MILL)
			return false;
	*ret = minus ? -v : v;
	return true;
}

static bool
fen(const char *s, int64_t *ret)
{
	int64_t	mill;

	if (!statement_mill(s, &mill) || mill % STATEMENT_MILL != 0)
		return false;
	*ret = mill / STATEMENT_MILL;
	return true;
}

/* 0.60% as 60; anything else is not known. */
static int64_t
rate(const char *s)
{
	char	digits[16];
	int64_t	mill;
	size_t	n = strlen(s);

	if (n < 2 || n > sizeof(digits) || s[n - 1] != '%')
		return STATEMENT_NO_RATE;
	memcpy(digits, s, n - 1);
	digits[n - 1] = '\0';
	if (!statement_mill(digits, &mill) || mill < 0 || mill % 1000 != 0)
		return STATEMENT_NO_RATE;
	return mill / 1000;
}

/* Numbers as WeChat allows them; not 4.2E+27 out of a spreadsheet. */
static bool
is_number(const char *s)
{
	size_t	n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-|*@");

	return n > 0 && n <= 64 && s[n] == '\0';
}

/*
 * 2026-11-14 16:00:05 of China.  Old ones have colons of full width, and
 * some two blanks.
 */
static bool
moment(const char *s, int64_t *ret)
{
	char	text[CLOCK_TEXT_MAX];
	size_t	n = 0;

	for (; *s != '\0' && n < 20; s++)
		if (strncmp(s, "：", 3) == 0) {
			text[n++] = ':';
			s += 2;
		} else if (*s == ' ' && n == 10)
			text[n++] = 'T';
		else if (*s != ' ' || n != 11)
			text[n++] = *s;
	if (n != 19 || *s != '\0')
		return false;
	memcpy(text + n, "+08:00", 7);
	return clock_parse(text, ret);
}

void
statement_unescape(char *s)
{
	static const char	codes[] = "nrt ", texts[] = "\n\r\t,";
	const char		*at;
	char			*to = s;

	for (; *s != '\0'; s++) {
		if (*s != '\\' || s[1] == '\0') {
			*to++ = *s;
			continue;
		}
		s++;
		if (strncmp(s, "140", 3) == 0) {
			*to++ = '`';
			s += 2;
		} else if ((at = strchr(codes, *s)) != NULL)
			*to++ = texts[at - codes];
		else
			*to++ = *s;
	}
	*to = '\0';
}

/* ---- rows ---- */

static const char *
trade_row(struct statement *st, struct statement_row *r)
{
	int64_t	gave, took;

	r->state = cell(st, STATE);
	r->refund = strcmp(r->state, "REFUND") == 0;
	r->number = cell(st, NUMBER);
	r->transaction_id = cell(st, TRANSACTION);
	r->refund_number = r->refund ? cell(st, REFUND_NUMBER) : "";
	r->refund_id = r->refund ? cell(st, REFUND_ID) : "";
	r->refund_state = r->refund ? cell(st, REFUND_STATE) : "";
	if (!is_number(r->number) || !is_number(r->transaction_id))
		return "订单号不完整";
	if (r->refund && (!is_number(r->refund_number) ||
	    !is_number(r->refund_id)))
		return "退款单号不完整";
	if (*r->state == '\0')
		return "没有交易状态";
	if (!moment(cell(st, AT), &r->at))
		return "交易时间无法识别";
	took = gave = 0;
	if (!fen(cell_of(st, PAID, PAID_SETTLED, PAID_OLD), &took) ||
	    (r->refund && !fen(cell_of(st, REFUNDED, REFUNDED_SETTLED,
	    REFUNDED), &gave)) || took < 0 || gave < 0)
		return "金额无法识别";
	if (!statement_mill(cell(st, FEE), &r->fee_mill))
		return "手续费无法识别";
	r->amount_fen = r->refund ? gave : took;
	r->rate = rate(cell(st, RATE));
	statement_unescape(cell(st, TITLE));
	statement_unescape(cell(st, ATTACH));
	r->title = cell(st, TITLE);
	r->attach = cell(st, ATTACH);
	st->rows.fee_mill += r->fee_mill;
	st->rows.paid_fen += took;
	st->rows.refunded_fen += gave;
	return NULL;
}

static const char *
fund_row(struct statement *st, struct statement_row *r)
{
	const char	*way = cell(st, WAY);

	r->kind = cell(st, KIND);
	r->income = strcmp(way, "收入") == 0;
	if (!r->income && strcmp(way, "支出") != 0)
		return "收支类型无法识别";
	if (!moment(cell(st, AT), &r->at))
		return "记账时间无法识别";
	if (!fen(cell(st, FUND_AMOUNT), &r->amount_fen) || r->amount_fen < 0)
		return "金额无法识别";
	if (r->income)
		st->rows.paid_fen += r->amount_fen;
	else
		st->rows.refunded_fen += r->amount_fen;
	return NULL;
}

/* ---- the last two lines ---- */

static bool
is_last_header(const char *s)
{
	return strncmp(s, "总交易单数", strlen("总交易单数")) == 0 ||
	    strncmp(s, "资金流水总笔数", strlen("资金流水总笔数")) == 0;
}

static bool
whole(const char *s, int64_t *ret)
{
	int64_t	v = 0;

	if (*s == '\0' || strlen(s) > 15)
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (*s - '0');
	}
	*ret = v;
	return true;
}

/* What stands under one name of the last line's header. */
static bool
take_last(struct statement *st, const char *name, const char *value)
{
	static const struct {
		const char	*name;
		char		 what;
	} known[] = { { "总交易单数", 'n' }, { "资金流水总笔数", 'n' },
	    { "应结订单总金额", 'p' }, { "订单总金额", 'p' },
	    { "总交易额", 'p' }, { "收入金额", 'p' },
	    { "退款总金额", 'r' }, { "申请退款总金额", 'r' },
	    { "总退款金额", 'r' }, { "支出金额", 'r' },
	    { "手续费总金额", 'f' } };
	struct statement_sum	*to = &st->last;
	size_t			 i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		switch (known[i].what) {
		case 'n':
			return whole(value, &to->rows);
		case 'p':
			return fen(value, &to->paid_fen);
		case 'r':
			return fen(value, &to->refunded_fen);
		default:
			return statement_mill(value, &to->fee_mill);
		}
	}
	return true;
}

/* Sums before coupons stand behind those after them, and so they stay. */
static void
read_last(struct statement *st)
{
	char	*heads[COLUMNS];
	char	 header[1024];
	int	 i, n;

	if (strlen(st->text) >= sizeof(header))
		return;
	memcpy(header, st->text, strlen(st->text) + 1);
	if (!split(st, header, ","))
		return;
	n = st->ncells;
	memcpy(heads, st->cells, sizeof(heads));
	if (read_line(st) != LINE_GOOD ||
	    !split(st, st->text + (*st->text == '`'), ",`") ||
	    st->ncells != n)
		return;
	st->stated = true;
	for (i = 0; i < n; i++)
		if (!take_last(st, heads[i], st->cells[i]))
			st->stated = false;
}

/* ---- reading ---- */

static enum statement_state
damaged(struct statement *st, struct statement_row *r, const char *why)
{
	st->damaged++;
	r->why = why;
	return STATEMENT_DAMAGED;
}

static bool
begin(struct statement *st)
{
	st->begun = true;
	return read_line(st) == LINE_GOOD && bind_header(st);
}

enum statement_state
statement_next(struct statement *st, struct statement_row *ret)
{
	const char	*why;
	enum line	 line;

	*ret = (struct statement_row){ .rate = STATEMENT_NO_RATE };
	if (!st->begun && !begin(st))
		st->odd_header = st->ended = true;
	do {
		if (st->read_fault)
			return STATEMENT_READ;
		if (st->ended)
			return st->odd_header ? STATEMENT_HEADER :
			    STATEMENT_END;
		if ((line = read_line(st)) == LINE_NONE)
			st->ended = true;
		else if (line == LINE_GOOD && is_last_header(st->text)) {
			read_last(st);
			st->ended = true;
		}
	} while (st->ended || (line == LINE_GOOD && *st->text == '\0'));
	ret->line = st->line;
	if (line == LINE_LONG)
		return damaged(st, ret, "这一行过长或含有异常字符");
	if (*st->text != '`')
		return damaged(st, ret, "这一行的开头不完整");
	if (!split(st, st->text + 1, ",`"))
		return damaged(st, ret, "列数与表头不符");
	join_remark(st);
	if (st->ncells != st->columns)
		return damaged(st, ret, "列数与表头不符");
	why = st->kind == STATEMENT_FUND ? fund_row(st, ret) :
	    trade_row(st, ret);
	if (why != NULL)
		return damaged(st, ret, why);
	st->rows.rows++;
	return STATEMENT_ROW;
}

const struct statement_sum *
statement_rows(const struct statement *st)
{
	return &st->rows;
}

int64_t
statement_damaged(const struct statement *st)
{
	return st->damaged;
}

const struct statement_sum *
statement_stated(const struct statement *st)
{
	return st->stated ? &st->last : NULL;
}
