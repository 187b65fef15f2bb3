/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_export.c -- the rows of a day as a file: the statement's, each with
 * what was found about it, then differences that have no row.
 *
 * Read a window at a time into a file of its own, which is gone from its
 * folder before the reply begins.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/money.h"
#include "http/req.h"
#include "service/export_file.h"
#include "service/recon.h"
#include "service/statement.h"

#define ROWS_AT_ONCE	2000
#define PAGE_MEMORY	(16 << 20)

/* A row of the statement, or a difference without one. */
struct recon_line {
	int64_t		 id;
	int64_t		 refund;
	const char	*number, *refund_number, *transaction_id;
	int64_t		 at;
	const char	*state;
	int64_t		 amount_fen, ours_fen, fee_mill;
	const char	*kind, *diff_state, *note;
};

static const struct view_column recon_line_columns[] = {
	C_ID(recon_line, id),
	C_BOOL(recon_line, refund),
	C_TEXT(recon_line, number),
	C_TEXT(recon_line, refund_number),
	C_TEXT(recon_line, transaction_id, .flags = VIEW_NULL),
	C_TIME(recon_line, at, .flags = VIEW_NULL),
	C_TEXT(recon_line, state, .flags = VIEW_NULL),
	C_FEN(recon_line, amount_fen, .flags = VIEW_NULL),
	C_FEN(recon_line, ours_fen, .flags = VIEW_NULL),
	C_INT(recon_line, fee_mill, .flags = VIEW_NULL),
	C_TEXT(recon_line, kind, .flags = VIEW_NULL),
	C_TEXT(recon_line, diff_state, .flags = VIEW_NULL),
	C_TEXT(recon_line, note, .flags = VIEW_NULL),
	C_END
};
static const struct view recon_line_view = VIEW(recon_line, "ReconLine");

enum { EXPORT_ROWS, EXPORT_DIFFS, EXPORT_SQL_MAX };

static struct stmt export_sql[] = {
	[EXPORT_ROWS] = { RO, 4, &recon_line_view,
	    "SELECT r.id, r.refund, r.number, r.refund_number,"
	    " r.transaction_id, r.at, r.state, r.amount_fen, d.ours_fen,"
	    " r.fee_mill, d.kind, d.state AS diff_state, d.note"
	    " FROM (SELECT * FROM recon_row WHERE community_id = $1"
	    " AND day = $2 AND id > $3 ORDER BY id LIMIT $4) r"
	    " LEFT JOIN recon_diff d ON d.community_id = r.community_id"
	    " AND d.day = r.day AND d.number = r.number"
	    " AND d.refund_number = r.refund_number AND d.line = r.id"
	    " AND d.state <> 'gone' ORDER BY r.id", NULL, 0 },
	[EXPORT_DIFFS] = { RO, 4, &recon_line_view,
	    "SELECT d.id, CASE WHEN d.refund_number = '' THEN 0 ELSE 1 END"
	    " AS refund, d.number, d.refund_number, d.transaction_id,"
	    " CAST(NULL AS BIGINT) AS at, COALESCE(d.theirs, d.ours)"
	    " AS state, d.theirs_fen AS amount_fen, d.ours_fen,"
	    " CAST(NULL AS BIGINT) AS fee_mill, d.kind,"
	    " d.state AS diff_state, d.note FROM recon_diff d"
	    " WHERE d.community_id = $1 AND d.day = $2 AND d.id > $3"
	    " AND d.kind IN ('missing', 'damaged', 'summary', 'fund')"
	    " AND d.state <> 'gone' ORDER BY d.id LIMIT $4", NULL, 0 },
};

void
recon_export_register(void)
{
	db_register(export_sql, EXPORT_SQL_MAX);
}

static const char *const heads[] = { "交易时间", "类型", "商户订单号",
	"微信订单号", "商户退款单号", "账单金额（元）", "系统金额（元）",
	"手续费（元）", "账单状态", "差异", "处理", "说明" };
#define HEADS	((int)(sizeof(heads) / sizeof(heads[0])))

static const char *
yuan(struct arena *a, int64_t fen)
{
	char	text[MONEY_TEXT_MAX];

	if (fen == VIEW_NULL_INT)
		return NULL;
	money_text(fen, text);
	return arena_str(a, text);
}

static const char *
moment(struct arena *a, int64_t ms)
{
	char	text[CLOCK_TEXT_MAX];

	if (ms == VIEW_NULL_INT)
		return NULL;
	clock_text(ms, text);
	return arena_fmt(a, "%.10s %.8s", text, text + 11);
}

static const char *
said(const struct recon_line *r)
{
	if (r->diff_state == NULL)
		return NULL;
	return strcmp(r->diff_state, "open") == 0 ? "待处理" : "已说明";
}

static void
put_line(struct arena *a, struct export_file *f, const struct recon_line *r)
{
	const char	*cells[HEADS] = { moment(a, r->at),
		r->refund ? "退款" : "付款", r->number, r->transaction_id,
		r->refund_number, yuan(a, r->amount_fen),
		yuan(a, r->ours_fen != VIEW_NULL_INT || r->kind != NULL ?
		    r->ours_fen : r->amount_fen),
		yuan(a, r->fee_mill == VIEW_NULL_INT ? VIEW_NULL_INT :
		    r->fee_mill / STATEMENT_MILL), r->state,
		recon_kind_label(r->kind), said(r), r->note };

	export_file_row(f, cells, HEADS);
}

static enum err
put_lines(struct req *rq, int which, struct arena *a, struct export_file *f,
    int64_t community_id, int64_t day)
{
	struct recon_line	row;
	struct rows		rows;
	int64_t			after = 0;
	int			n;
	enum err		e;

	do {
		n = 0;
		e = db_query(rq->db, &export_sql[which],
		    WITH(V(community_id), V(day), V(after),
		    V(ROWS_AT_ONCE)), &rows);
		if (e != OK)
			return e;
		for (; db_each(&rows, &row); n++) {
			arena_reset(a);
			after = row.id;
			put_line(a, f, &row);
		}
		if ((e = db_end(&rows)) != OK)
			return e;
	} while (n >= ROWS_AT_ONCE);
	return OK;
}

static enum err
write_file(struct req *rq, const char *path, const char *dir, bool sheet,
    int64_t community_id, int64_t day)
{
	struct export_file	*f;
	struct arena		*a;
	enum err		 e;

	f = export_file_open(rq->arena, path, dir, sheet, "对账");
	if (f == NULL)
		return ERR_INTERNAL;
	export_file_row(f, heads, HEADS);
	a = arena_new(PAGE_MEMORY);
	e = put_lines(rq, EXPORT_ROWS, a, f, community_id, day);
	if (e == OK)
		e = put_lines(rq, EXPORT_DIFFS, a, f, community_id, day);
	arena_free(a);
	return !export_file_close(f) && e == OK ? ERR_INTERNAL : e;
}

static void
close_file(void *arg)
{
	close((int)(intptr_t)arg);
}

enum err
recon_export(struct req *rq, int64_t community_id, int64_t day, bool sheet)
{
	const char	*dir, *path;
	struct stat	 st;
	enum err	 e;
	int		 fd;

	dir = arena_fmt(rq->arena, "%s/exports", rq->conf->dir);
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return ERR_INTERNAL;
	path = arena_fmt(rq->arena, "%s/recon-%lld.%s", dir,
	    (long long)id_new(), sheet ? "xlsx" : "csv");
	e = write_file(rq, path, dir, sheet, community_id, day);
	fd = e == OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	unlink(path);
	if (e != OK || fd == -1)
		return e != OK ? e : ERR_INTERNAL;
	arena_later(rq->arena, close_file, (void *)(intptr_t)fd);
	if (fstat(fd, &st) == -1)
		return ERR_INTERNAL;
	rq->from_file = true;
	rq->file = fd;
	rq->file_len = st.st_size;
	rq->content = sheet ? "application/"
	    "vnd.openxmlformats-officedocument.spreadsheetml.sheet" :
	    "text/csv; charset=utf-8";
	rq->download = arena_fmt(rq->arena, "reconciliation-%lld.%s",
	    (long long)day, sheet ? "xlsx" : "csv");
	return OK;
}
