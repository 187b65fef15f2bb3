/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_read.c -- a file of bills read row by row, judged and staged.
 *
 * Rows of one account, kind and period are one bill when their items
 * differ; the same item twice is a fault.  Hundreds of rows go into one
 * statement; nothing of the file is kept in memory but what tells rows
 * apart.
 */
#include <sys/stat.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/map.h"
#include "base/money.h"
#include "base/text.h"
#include "http/audit.h"
#include "service/bill_cell.h"
#include "service/bill_internal.h"
#include "service/import_internal.h"

#define BATCH		500
#define BATCH_BYTES	(4 << 20)
#define ROW_MEMORY	(16 << 20)
#define LONG_MEMORY	(256 << 20)
#define FAULTS_KEPT	1000
#define QUOTED		20
#define NAME		30
#define METER_MAX	1000000000000LL	/* thousandths */
#define PRICE_MAX	1000000000LL	/* 1/10000 yuan */
/* Faults that SQL finds are numbered from here. */
#define BILLED		100000000LL
#define ELSEWHERE	200000000LL

enum { COL_ACCOUNT, COL_HOLDER, COL_COMPOUND, COL_BUILDING, COL_ENTRANCE,
	COL_DWELLING, COL_KIND, COL_ITEM, COL_PERIOD, COL_BEFORE, COL_AFTER,
	COL_QUANTITY, COL_PRICE, COL_AMOUNT, COL_DUE, COL_NOTE, COL_MAX };

static const struct sheet_column columns[] = {
	[COL_ACCOUNT] = { "account", "户号", true },
	[COL_HOLDER] = { "holder", "户名", false },
	[COL_COMPOUND] = { "compound", "小区", false },
	[COL_BUILDING] = { "building", "楼栋", false },
	[COL_ENTRANCE] = { "entrance", "单元", false },
	[COL_DWELLING] = { "dwelling", "房号", false },
	[COL_KIND] = { "kind", "费用类型", true },
	[COL_ITEM] = { "item", "项目", false },
	[COL_PERIOD] = { "period", "账期", true },
	[COL_BEFORE] = { "before", "上期读数", false },
	[COL_AFTER] = { "after", "本期读数", false },
	[COL_QUANTITY] = { "quantity", "用量", false },
	[COL_PRICE] = { "price", "单价", false },
	[COL_AMOUNT] = { "amount", "金额", true },
	[COL_DUE] = { "due", "应缴日期", true },
	[COL_NOTE] = { "note", "备注", false },
};
_Static_assert(COL_MAX <= SHEET_COLUMNS, "room for all");

/* A row on its way. */
struct item {
	const char	*account, *holder, *what, *note;
	int		 kind;
	char		 period[BILL_PERIOD_MAX];
	char		 due_on[BILL_DAY_MAX];
	int64_t		 due_day, dwelling_id;
	int64_t		 before, after, quantity, price, amount_fen;
	int64_t		 bill_id;
	int		 seq;
};

struct reader {
	struct req		*rq;
	int64_t			 community_id, payee_id, id;
	int64_t			 kinds;
	struct sheet		*sheet;
	struct import		 places_of;	/* for the places alone */
	struct import_places	*places;
	struct arena		*row;
	struct map		 bills;	/* a: id, b: line, c: lines */
	struct map		 dues;	/* of bills; a: day */
	struct map		 lines;	/* with their item; b: line */
	struct map		 homes;	/* of accounts; a: dwelling */
	struct buf		 items, faults;
	struct json		 item_json, fault_json;
	int			 nitems, nfaults;
	int64_t			 item_id, fault_id, fault_count;
	enum err		 err;
};

struct bill_tally {
	int64_t		 rows, bills, unmatched, total_fen, faults;
};

static const struct view_column bill_tally_columns[] = {
	C_INT(bill_tally, rows),
	C_INT(bill_tally, bills),
	C_INT(bill_tally, unmatched),
	C_FEN(bill_tally, total_fen),
	C_INT(bill_tally, faults),
	C_END
};
static const struct view bill_tally_view = VIEW(bill_tally, "BillTally");

enum { READ_ADD, READ_ROWS, READ_FAULTS, READ_MATCH, READ_BILLED,
	READ_ELSEWHERE, READ_TALLY, READ_DONE, READ_SQL_MAX };

#define TEXT(k)		", value ->> '" k "'"
#define NUMBER(k)	", CAST(value ->> '" k "' AS BIGINT)"

static struct stmt read_sql[] = {
	[READ_ADD] = { RW, 8, NULL,
	    "INSERT INTO bill_batch (community_id, id, payee_id, name,"
	    " sha256, bytes, by_id, created_at, state, rows, bills,"
	    " unmatched, faults, total_fen) VALUES ($1, $2, $3, $4, $5, $6,"
	    " $7, $8, 'uploaded', 0, 0, 0, 0, 0)", NULL, 0 },
	[READ_ROWS] = { RW, 3, NULL,
	    "INSERT INTO bill_batch_row (community_id, batch_id, id, line,"
	    " bill_id, seq, account_no, holder_mask, dwelling_id, kind,"
	    " what, period, due_on, due_day, reading_before, reading_after,"
	    " quantity, unit_price, amount_fen, note)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"
	    NUMBER("i") NUMBER("l") NUMBER("bi") NUMBER("s") TEXT("a")
	    TEXT("h") NUMBER("d") TEXT("k") TEXT("w") TEXT("p") TEXT("do")
	    NUMBER("dd") NUMBER("b") NUMBER("f") NUMBER("q") NUMBER("u")
	    NUMBER("m") TEXT("n") " FROM json_each($3)", NULL, 0 },
	[READ_FAULTS] = { RW, 3, NULL,
	    "INSERT INTO bill_batch_fault (community_id, batch_id, id, line,"
	    " label, detail) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"
	    NUMBER("i") NUMBER("l") TEXT("c") TEXT("d")
	    " FROM json_each($3)", NULL, 0 },
	[READ_MATCH] = { RW, 3, NULL,
	    "UPDATE bill_batch_row SET dwelling_id = (SELECT a.dwelling_id"
	    " FROM bill_account a WHERE a.community_id = $1"
	    " AND a.payee_id = $3"
	    " AND a.account_no = bill_batch_row.account_no)"
	    " WHERE community_id = $1 AND batch_id = $2"
	    " AND dwelling_id IS NULL", NULL, 0 },
	[READ_BILLED] = { RW, 4, NULL,
	    "INSERT INTO bill_batch_fault (community_id, batch_id, id, line,"
	    " label, detail) SELECT r.community_id, r.batch_id,"
	    " CAST($4 AS BIGINT) + r.id, r.line, '账期',"
	    " '这个户号的这项费用在 ' || r.period || ' 已经有账单，"
	    "不能重复收取' FROM bill_batch_row r JOIN bill b"
	    " ON b.community_id = r.community_id AND b.payee_id = $3"
	    " AND b.account_no = r.account_no AND b.kind = r.kind"
	    " AND b.period = r.period AND b.state <> 'undone'"
	    " WHERE r.community_id = $1 AND r.batch_id = $2 AND r.seq = 1",
	    NULL, 0 },
	[READ_ELSEWHERE] = { RW, 4, NULL,
	    "INSERT INTO bill_batch_fault (community_id, batch_id, id, line,"
	    " label, detail) SELECT r.community_id, r.batch_id,"
	    " CAST($4 AS BIGINT) + r.id, r.line, '户号',"
	    " '这个户号以前对应的是' || p.full_name || '，与这一行的房屋不同'"
	    " FROM bill_batch_row r JOIN bill_account a"
	    " ON a.community_id = r.community_id AND a.payee_id = $3"
	    " AND a.account_no = r.account_no"
	    " AND a.dwelling_id <> r.dwelling_id"
	    " JOIN place p ON p.community_id = a.community_id"
	    " AND p.id = a.dwelling_id"
	    " WHERE r.community_id = $1 AND r.batch_id = $2", NULL, 0 },
	[READ_TALLY] = { RO, 2, &bill_tally_view,
	    "SELECT COUNT(*) AS rows, COUNT(CASE WHEN seq = 1 THEN 1 END)"
	    " AS bills, COUNT(CASE WHEN dwelling_id IS NULL THEN 1 END)"
	    " AS unmatched, COALESCE(CAST(SUM(amount_fen) AS BIGINT), 0)"
	    " AS total_fen, (SELECT COUNT(*) FROM bill_batch_fault f"
	    " WHERE f.community_id = $1 AND f.batch_id = $2) AS faults"
	    " FROM bill_batch_row WHERE community_id = $1"
	    " AND batch_id = $2", NULL, 0 },
	[READ_DONE] = { RW, 9, NULL,
	    "UPDATE bill_batch SET state = $3, rows = $4, bills = $5,"
	    " unmatched = $6, faults = $7, total_fen = $8, checked_at = $9"
	    " WHERE community_id = $1 AND id = $2 AND state = 'uploaded'",
	    NULL, 0 },
};

/* PostgreSQL guesses badly at tables that have just been filled. */
static struct stmt analyse_sql = { RW, 0, NULL,
    "DELETE FROM bill_batch_row WHERE 1 = 0",
    "ANALYZE bill_batch_row, bill_account, bill", 0 };

void
bill_read_register(void)
{
	db_register(read_sql, READ_SQL_MAX);
	db_register(&analyse_sql, 1);
}

/* ---- staging ---- */

static enum err
write_batch(void *arg)
{
	struct reader	*rd = arg;
	enum err	 e = OK;

	if (rd->nitems > 0)
		e = db_run(rd->rq->db, &read_sql[READ_ROWS],
		    WITH(V(rd->community_id), V(rd->id),
		    V(buf_text(&rd->items))), NULL);
	if (e == OK && rd->nfaults > 0)
		e = db_run(rd->rq->db, &read_sql[READ_FAULTS],
		    WITH(V(rd->community_id), V(rd->id),
		    V(buf_text(&rd->faults))), NULL);
	return e;
}

static enum err
flush(struct reader *rd)
{
	if (rd->nitems > 0)
		json_close(&rd->item_json);
	if (rd->nfaults > 0)
		json_close(&rd->fault_json);
	if (rd->err == OK && (rd->items.over || rd->faults.over))
		rd->err = ERR_INTERNAL;
	if (rd->err == OK && rd->nitems + rd->nfaults > 0)
		rd->err = db_transact(rd->rq->db, 20, write_batch, rd);
	rd->nitems = rd->nfaults = 0;
	buf_clear(&rd->items);
	buf_clear(&rd->faults);
	return rd->err;
}

static void
note_fault(void *arg, int line, const char *label, const char *text)
{
	struct reader	*rd = arg;
	struct json	*j = &rd->fault_json;

	rd->fault_count++;
	if (rd->fault_id >= FAULTS_KEPT)
		return;
	json_open_numbered(&rd->faults, j, &rd->nfaults);
	json_put_int(j, "i", ++rd->fault_id);
	json_put_int(j, "l", line);
	if (label != NULL)
		json_put_text(j, "c", label);
	json_put_text(j, "d", text);
	json_close(j);
	if (rd->nfaults >= BATCH)
		flush(rd);
}

static void
put_number(struct json *j, const char *key, int64_t v)
{
	if (v != VIEW_NULL_INT)
		json_put_int(j, key, v);
}

static void
stage(struct reader *rd, const struct item *it)
{
	struct json	*j = &rd->item_json;

	json_open_numbered(&rd->items, j, &rd->nitems);
	json_put_int(j, "i", ++rd->item_id);
	json_put_int(j, "l", sheet_line(rd->sheet));
	json_put_int(j, "bi", it->bill_id);
	json_put_int(j, "s", it->seq);
	json_put_text(j, "a", it->account);
	json_put_text(j, "h", it->holder);
	if (it->dwelling_id != 0)
		json_put_int(j, "d", it->dwelling_id);
	json_put_text(j, "k", bill_kinds[it->kind]);
	json_put_text(j, "w", it->what);
	json_put_text(j, "p", it->period);
	json_put_text(j, "do", it->due_on);
	json_put_int(j, "dd", it->due_day);
	put_number(j, "b", it->before);
	put_number(j, "f", it->after);
	put_number(j, "q", it->quantity);
	put_number(j, "u", it->price);
	json_put_int(j, "m", it->amount_fen);
	if (it->note != NULL)
		json_put_text(j, "n", it->note);
	json_close(j);
	if (rd->nitems >= BATCH)
		flush(rd);
}

/* ---- cells ---- */

static const char *
quoted(struct reader *rd, int column)
{
	return text_cut(rd->row, sheet_cell(rd->sheet, column), QUOTED);
}

/* An empty cell is VIEW_NULL_INT, or a fault where it must not be. */
static int64_t
read_number(struct reader *rd, int column, int scale, int64_t max, bool must)
{
	const char	*s = sheet_cell(rd->sheet, column);
	int64_t		 v = VIEW_NULL_INT;

	if (s[0] == '\0') {
		if (must)
			sheet_fault(rd->sheet, column, "不能为空");
		return v;
	}
	switch (bill_cell_number(s, scale, max, &v)) {
	case BILL_NUMBER_OK:
		return v;
	case BILL_NUMBER_NEGATIVE:
		sheet_fault(rd->sheet, column, "不能是负数（填的是“%s”）",
		    quoted(rd, column));
		break;
	case BILL_NUMBER_DECIMALS:
		sheet_fault(rd->sheet, column, "最多 %d 位小数（填的是“%s”）",
		    scale, quoted(rd, column));
		break;
	case BILL_NUMBER_LARGE:
		sheet_fault(rd->sheet, column, "数字太大（填的是“%s”）",
		    quoted(rd, column));
		break;
	default:
		sheet_fault(rd->sheet, column, "应是 123.45 这样的数字"
		    "（填的是“%s”）", quoted(rd, column));
	}
	return VIEW_NULL_INT;
}

static void
read_account(struct reader *rd, struct item *it)
{
	it->account = sheet_text(rd->sheet, COL_ACCOUNT, 32);
	if (it->account != NULL && !bill_cell_account(it->account))
		sheet_fault(rd->sheet, COL_ACCOUNT, "应是数字、字母或横线，最多"
		    " 32 位；若变成了 1.23E+10 这样的数字，请把这一列设为文本"
		    "（填的是“%s”）", quoted(rd, COL_ACCOUNT));
	it->holder = sheet_maybe(rd->sheet, COL_HOLDER, NAME);
	if (it->holder == NULL)
		it->holder = "";
	else if (strchr(it->holder, '*') == NULL)
		it->holder = text_mask_name(rd->row, it->holder);
}

static void
read_kind(struct reader *rd, struct item *it)
{
	it->kind = bill_cell_kind(sheet_cell(rd->sheet, COL_KIND));
	if (it->kind < 0)
		sheet_fault(rd->sheet, COL_KIND, "应是 物业费、水费、电费、燃气费、"
		    "供暖费、停车费、宽带费 或 其他（填的是“%s”）",
		    quoted(rd, COL_KIND));
	else if ((rd->kinds & (INT64_C(1) << it->kind)) == 0)
		sheet_fault(rd->sheet, COL_KIND, "贵单位没有开通%s，请联系社区",
		    bill_kind_label(bill_kinds[it->kind]));
	it->what = sheet_maybe(rd->sheet, COL_ITEM, NAME);
	if (it->what == NULL)
		it->what = it->kind < 0 ? "" :
		    bill_kind_label(bill_kinds[it->kind]);
}

static void
read_days(struct reader *rd, struct item *it)
{
	const char	*due = sheet_cell(rd->sheet, COL_DUE);
	int64_t		 day;

	if (!bill_cell_period(sheet_cell(rd->sheet, COL_PERIOD), it->period))
		sheet_fault(rd->sheet, COL_PERIOD, "应是 2026-10 这样的年月，月份从"
		    " 1 到 12（填的是“%s”）", quoted(rd, COL_PERIOD));
	if (!import_day(due, &day) || day < 20000101 || day > 21001231) {
		sheet_fault(rd->sheet, COL_DUE, "应是 2026-10-31 这样的日期"
		    "（填的是“%s”）", quoted(rd, COL_DUE));
		return;
	}
	it->due_day = bill_day_of(day);
	bill_day_text(it->due_day, it->due_on);
}

static void
read_meter(struct reader *rd, struct item *it)
{
	it->before = read_number(rd, COL_BEFORE, 3, METER_MAX, false);
	it->after = read_number(rd, COL_AFTER, 3, METER_MAX, false);
	it->quantity = read_number(rd, COL_QUANTITY, 3, METER_MAX, false);
	it->price = read_number(rd, COL_PRICE, 4, PRICE_MAX, false);
	it->amount_fen = read_number(rd, COL_AMOUNT, 2, MONEY_MAX, true);
	if (it->amount_fen == 0)
		sheet_fault(rd->sheet, COL_AMOUNT, "应大于 0，不收费的不用列出");
	if (it->before != VIEW_NULL_INT && it->after != VIEW_NULL_INT &&
	    it->after < it->before)
		sheet_fault(rd->sheet, COL_AFTER, "比上期读数小，请核对；换表请"
		    "分成两个项目");
}

/* A place that is not found is told by the list of unmatched rows. */
static void
read_place(struct reader *rd, struct item *it)
{
	const char	*names[4];
	int		 i, n = 0;

	for (i = 0; i < 4; i++) {
		names[i] = sheet_cell(rd->sheet, COL_COMPOUND + i);
		n += names[i][0] != '\0';
	}
	if (n == 4)
		it->dwelling_id = import_place_id(rd->places, names, 4);
	else if (n > 0)
		sheet_fault(rd->sheet, COL_DWELLING,
		    "小区、楼栋、单元、房号要么都填，要么都不填");
}

/* ---- a row among the others ---- */

/* One account is one home, in one file. */
static void
check_home(struct reader *rd, const struct item *it)
{
	struct map_spot	*spot;
	bool		 fresh;

	if (it->dwelling_id == 0)
		return;
	spot = map_at(&rd->homes, map_hash(0, it->account), &fresh);
	if (fresh)
		spot->a = it->dwelling_id;
	else if (spot->a != it->dwelling_id)
		sheet_fault(rd->sheet, COL_ACCOUNT,
		    "同一个户号在文件里对应了不同的房屋");
}

static void
join_bill(struct reader *rd, struct item *it)
{
	uint64_t	 key = map_hash(0, it->account);
	struct map_spot	*spot;
	bool		 fresh;

	key = map_hash(map_hash(key, bill_kinds[it->kind]), it->period);
	spot = map_at(&rd->lines, map_hash(key, it->what), &fresh);
	if (!fresh) {
		sheet_fault(rd->sheet, COL_ACCOUNT, "与第 %d 行重复：户号、费用"
		    "类型、账期都相同；一张账单有几项时请用“项目”一列区分",
		    spot->b);
		return;
	}
	spot->b = sheet_line(rd->sheet);
	spot = map_at(&rd->bills, key, &fresh);
	if (fresh) {
		spot->a = id_new();
		spot->b = sheet_line(rd->sheet);
	}
	it->bill_id = spot->a;
	it->seq = ++spot->c;
	if (it->seq == BILL_LINES + 1)
		sheet_fault(rd->sheet, -1, "一张账单最多 %d 项", BILL_LINES);
	spot = map_at(&rd->dues, key, &fresh);
	if (fresh)
		spot->a = it->due_day;
	else if (spot->a != it->due_day)
		sheet_fault(rd->sheet, COL_DUE, "同一张账单的各项应缴日期应相同");
}

static void
read_row(struct reader *rd)
{
	struct item	it = { 0 };
	int		faults = sheet_faults(rd->sheet);

	read_account(rd, &it);
	read_kind(rd, &it);
	read_days(rd, &it);
	read_meter(rd, &it);
	read_place(rd, &it);
	it.note = sheet_maybe(rd->sheet, COL_NOTE, 100);
	if (sheet_faults(rd->sheet) > faults)
		return;
	check_home(rd, &it);
	join_bill(rd, &it);
	if (sheet_faults(rd->sheet) == faults)
		stage(rd, &it);
}

static enum err
read_file(struct reader *rd, const char *path)
{
	struct sheet_sink	sink = { note_fault, rd };
	int64_t			n = 0;

	rd->sheet = sheet_open(path, columns, COL_MAX, sink);
	if (rd->sheet == NULL) {
		note_fault(rd, 0, NULL, "文件打不开，请重新上传");
		return flush(rd);
	}
	while (rd->err == OK && sheet_next(rd->sheet)) {
		if (++n > BILL_ROWS_MAX) {
			note_fault(rd, 0, NULL, "文件超过 50000 行，请分成几个"
			    "文件后分别上传");
			break;
		}
		read_row(rd);
		arena_reset(rd->row);
	}
	if (n == 0 && sheet_faults(rd->sheet) == 0)
		note_fault(rd, 0, NULL, "文件里没有一张账单");
	sheet_close(rd->sheet);
	return flush(rd);
}

/* ---- the whole ---- */

static enum err
analyse(void *arg)
{
	struct reader	*rd = arg;

	return db_run(rd->rq->db, &analyse_sql, NOTHING, NULL);
}

static enum err
finish(void *arg)
{
	struct reader		*rd = arg;
	struct db		*db = rd->rq->db;
	struct bill_tally	 t;
	int64_t			 faults;
	enum err		 e;

	e = db_run(db, &read_sql[READ_ELSEWHERE], WITH(V(rd->community_id),
	    V(rd->id), V(rd->payee_id), V(ELSEWHERE)), NULL);
	if (e == OK)
		e = db_run(db, &read_sql[READ_MATCH],
		    WITH(V(rd->community_id), V(rd->id), V(rd->payee_id)),
		    NULL);
	if (e == OK)
		e = db_run(db, &read_sql[READ_BILLED],
		    WITH(V(rd->community_id), V(rd->id), V(rd->payee_id),
		    V(BILLED)), NULL);
	if (e == OK)
		e = db_one(db, rd->rq->arena, &read_sql[READ_TALLY],
		    WITH(V(rd->community_id), V(rd->id)), &t);
	if (e != OK)
		return e;
	/* Those past the number that is kept count too. */
	faults = t.faults + rd->fault_count - rd->fault_id;
	return db_run(db, &read_sql[READ_DONE], WITH(V(rd->community_id),
	    V(rd->id), V(faults > 0 ? "faulty" : "checked"), V(t.rows),
	    V(t.bills), V(t.unmatched), V(faults), V(t.total_fen),
	    V(clock_now())), NULL);
}

static enum err
check(struct reader *rd, const char *path)
{
	enum err	e;

	rd->places_of = (struct import){ .rq = rd->rq,
	    .community_id = rd->community_id,
	    .long_lived = arena_new(LONG_MEMORY) };
	rd->row = arena_new(ROW_MEMORY);
	buf_init(&rd->items, BATCH_BYTES);
	buf_init(&rd->faults, BATCH_BYTES);
	rd->places = import_places_load(&rd->places_of);
	rd->err = rd->places_of.err;
	e = read_file(rd, path);
	if (e == OK)
		e = db_transact(rd->rq->db, 20, analyse, rd);
	if (e == OK)
		e = db_transact(rd->rq->db, 20, finish, rd);
	map_free(&rd->bills);
	map_free(&rd->dues);
	map_free(&rd->lines);
	map_free(&rd->homes);
	buf_free(&rd->items);
	buf_free(&rd->faults);
	arena_free(rd->row);
	arena_free(rd->places_of.long_lived);
	return e;
}

/* Looked at before a byte is read; a pipe has no size. */
static enum err
check_size(struct req *rq, const char *path)
{
	struct stat	st;

	if (stat(path, &st) != 0 || st.st_size <= rq->conf->upload_max)
		return OK;
	return req_failf(rq, ERR_TOO_LARGE, "文件超过 %lld MB，请分成几个"
	    "文件。", (long long)rq->conf->upload_max >> 20);
}

struct beginning {
	const struct reader	*rd;
	const char		*name, *sha256;
	int64_t			 bytes, by_id;
};

static enum err
begin(struct req *rq, void *arg)
{
	const struct beginning	*b = arg;

	audit_as(rq, b->rd->community_id, b->by_id);
	audit_thing(rq, "bill_batch", b->rd->id);
	return db_run(rq->db, &read_sql[READ_ADD],
	    WITH(V(b->rd->community_id), V(b->rd->id), V(b->rd->payee_id),
	    V(b->name), V(b->sha256), V(b->bytes), V(b->by_id),
	    V(rq->now)), NULL);
}

enum err
bill_batch_check(struct req *rq, int64_t community_id, int64_t payee_id,
    const char *name, const char *path, int64_t by_id, int64_t *ret_id)
{
	struct reader		rd = { .rq = rq, .id = id_new(),
				    .community_id = community_id,
				    .payee_id = payee_id };
	char			sha256[CRYPT_HEX_MAX];
	struct beginning	b = { &rd, name, sha256, 0, by_id };
	struct payee		p;
	enum err		e;

	if ((e = payee_find(rq, community_id, payee_id, NULL, &p)) != OK)
		return e;
	rd.kinds = p.kinds;
	if ((e = check_size(rq, path)) != OK)
		return e;
	crypt_sha256_file(path, sha256, &b.bytes);
	if ((e = req_transact(rq, begin, &b)) != OK ||
	    (e = check(&rd, path)) != OK)
		return e;
	*ret_id = rd.id;
	return OK;
}
