/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_batch.c -- files of bills: brought, looked at, applied, undone.
 *
 * The file itself is not kept: what is needed of it is staged, with the
 * holder's name masked.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/id.h"
#include "base/log.h"
#include "http/audit.h"
#include "http/upload.h"
#include "service/bill_internal.h"

struct batch_new {
	int64_t		 payee_id;
};

static const struct field batch_new_fields[] = {
	F_ID(batch_new, payee_id, "收费单位", MUST),
	F_END
};
static const struct shape batch_new_shape =
    SHAPE_UPLOAD(batch_new, "BillBatchNew");

struct batch_id {
	int64_t		 id;
};

static const struct field batch_id_fields[] = {
	F_ID(batch_id, id, "批次", MUST),
	F_END
};
static const struct shape batch_id_shape = SHAPE(batch_id, "BillBatchId");

struct batch_query {
	int64_t		 payee_id;
	int64_t		 limit, after;
};

static const struct field batch_query_fields[] = {
	F_ID(batch_query, payee_id, "收费单位", MAY),
	F_PAGE(batch_query),
	F_END
};
static const struct shape batch_query_shape =
    SHAPE(batch_query, "BillBatchQuery");

static const char *const row_states[] = { "matched", "unmatched", NULL };

struct batch_rows_query {
	int64_t		 id;
	int64_t		 state;
	int64_t		 limit, after;
};

static const struct field batch_rows_query_fields[] = {
	F_ID(batch_rows_query, id, "批次", MUST),
	F_ENUM(batch_rows_query, state, "匹配结果", MAY, row_states),
	F_PAGE(batch_rows_query),
	F_END
};
static const struct shape batch_rows_shape =
    SHAPE(batch_rows_query, "BillBatchRowsQuery");

struct batch_faults_query {
	int64_t		 id;
	int64_t		 limit, after;
};

static const struct field batch_faults_query_fields[] = {
	F_ID(batch_faults_query, id, "批次", MUST),
	F_PAGE(batch_faults_query),
	F_END
};
static const struct shape batch_faults_shape =
    SHAPE(batch_faults_query, "BillBatchFaultsQuery");

struct batch_row {
	int64_t		 id;
	int64_t		 line;
	const char	*state;
	int64_t		 bill_id;
	const char	*account_no;
	const char	*holder;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*kind, *what, *period, *due_on;
	int64_t		 reading_before, reading_after, quantity, unit_price;
	int64_t		 amount_fen;
	const char	*note;
};

static const struct view_column batch_row_columns[] = {
	C_ID(batch_row, id),
	C_INT(batch_row, line, .about = "of the file"),
	C_CODE(batch_row, state, row_states),
	C_ID(batch_row, bill_id, .about = "that it is, or will be, part of"),
	C_TEXT(batch_row, account_no),
	C_TEXT(batch_row, holder, .about = "masked"),
	C_ID(batch_row, dwelling_id, .flags = VIEW_NULL),
	C_TEXT(batch_row, place, .flags = VIEW_NULL),
	C_CODE(batch_row, kind, bill_kinds),
	C_TEXT(batch_row, what),
	C_TEXT(batch_row, period),
	C_TEXT(batch_row, due_on),
	C_INT(batch_row, reading_before, .flags = VIEW_NULL),
	C_INT(batch_row, reading_after, .flags = VIEW_NULL),
	C_INT(batch_row, quantity, .flags = VIEW_NULL),
	C_INT(batch_row, unit_price, .flags = VIEW_NULL),
	C_FEN(batch_row, amount_fen),
	C_TEXT(batch_row, note, .flags = VIEW_NULL),
	C_END
};
static const struct view batch_row_view = VIEW(batch_row, "BillBatchRow");

struct batch_wrong {
	int64_t		 id;
	int64_t		 line;
	const char	*label, *detail;
};

static const struct view_column batch_wrong_columns[] = {
	C_ID(batch_wrong, id),
	C_INT(batch_wrong, line, .about = "0: of the file"),
	C_TEXT(batch_wrong, label, .flags = VIEW_NULL, .about = "Chinese"),
	C_TEXT(batch_wrong, detail, .about = "Chinese"),
	C_END
};
static const struct view batch_wrong_view =
    VIEW(batch_wrong, "BillBatchFault");

/* The caller ($2) is owner or clerk of the payee of batch t. */
#define MINE								\
	" EXISTS (SELECT 1 FROM org_staff f"				\
	" WHERE f.community_id = t.community_id"			\
	" AND f.org_id = t.payee_id AND f.user_id = $2"			\
	" AND f.duty <> 'courier')"

enum { BATCH_GET, BATCH_LIST, BATCH_ROWS, BATCH_FAULTS, BATCH_SQL_MAX };

static struct stmt batch_sql[] = {
	[BATCH_GET] = { RO, 3, &bill_batch_view,
	    "SELECT " BILL_BATCH_COLUMNS BILL_BATCH_FROM
	    " WHERE t.community_id = $1 AND t.id = $3 AND" MINE, NULL, 0 },
	[BATCH_LIST] = { RO, 5, &bill_batch_view,
	    "SELECT " BILL_BATCH_COLUMNS BILL_BATCH_FROM
	    " WHERE t.community_id = $1"
	    " AND (CAST($3 AS BIGINT) = 0 OR t.payee_id = $3)"
	    " AND (CAST($4 AS BIGINT) = 0 OR t.id < $4) AND" MINE
	    " ORDER BY t.id DESC LIMIT $5", NULL, 0 },
	[BATCH_ROWS] = { RO, 5, &batch_row_view,
	    "SELECT r.id, r.line, CASE WHEN r.dwelling_id IS NULL"
	    " THEN 'unmatched' ELSE 'matched' END AS state, r.bill_id,"
	    " r.account_no, r.holder_mask AS holder, r.dwelling_id,"
	    " p.full_name AS place, r.kind, r.what, r.period, r.due_on,"
	    " r.reading_before, r.reading_after, r.quantity, r.unit_price,"
	    " r.amount_fen, r.note FROM bill_batch_row r LEFT JOIN place p"
	    " ON p.community_id = r.community_id AND p.id = r.dwelling_id"
	    " WHERE r.community_id = $1 AND r.batch_id = $2 AND r.id > $3"
	    " AND (CAST($4 AS BIGINT) < 0 OR CASE WHEN r.dwelling_id IS NULL"
	    " THEN 1 ELSE 0 END = $4) ORDER BY r.id LIMIT $5", NULL, 0 },
	[BATCH_FAULTS] = { RO, 4, &batch_wrong_view,
	    "SELECT id, line, label, detail FROM bill_batch_fault"
	    " WHERE community_id = $1 AND batch_id = $2 AND id > $3"
	    " ORDER BY id LIMIT $4", NULL, 0 },
};

static enum err
mine(struct req *rq, int64_t id, struct bill_batch *ret)
{
	return db_one(rq->db, rq->arena, &batch_sql[BATCH_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), ret);
}

static enum err
answer(struct req *rq, int64_t id)
{
	struct bill_batch	row;
	enum err		e;

	e = mine(rq, id, &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
check_file(struct req *rq, const char *path, const struct upload *file)
{
	const struct batch_new	*in = rq->in;
	struct payee		 payee;
	int64_t			 id;
	enum err		 e;

	if ((e = payee_mine(rq, in->payee_id, &payee)) != OK)
		return e;
	if (file->size == 0)
		return req_field(rq, "file", "too_short",
		    "文件是空的，请重新选择");
	e = bill_batch_check(rq, rq->who.community_id, in->payee_id,
	    file->name, path, rq->who.user_id, &id);
	return e != OK ? e : answer(rq, id);
}

static enum err
batch_add(struct req *rq)
{
	struct upload	 file;
	const char	*dir, *path;
	enum err	 e;

	dir = arena_fmt(rq->arena, "%s/imports", rq->conf->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		log_error("event=bill_batch dir=%s errno=%d", dir, errno);
		return ERR_AWAY;
	}
	path = arena_fmt(rq->arena, "%s/bills-%lld.csv", dir,
	    (long long)id_new());
	if ((e = upload_read(rq, path, &file)) != OK)
		return e;
	e = check_file(rq, path, &file);
	unlink(path);
	return e;
}

static enum err
batch_list(struct req *rq)
{
	const struct batch_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);

	return req_list(rq, &batch_sql[BATCH_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(in->payee_id), V(in->after), V(limit + 1)), limit);
}

static enum err
batch_one(struct req *rq)
{
	return answer(rq, ((const struct batch_id *)rq->in)->id);
}

static enum err
batch_rows(struct req *rq)
{
	const struct batch_rows_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct bill_batch		 b;
	enum err			 e;

	if ((e = mine(rq, in->id, &b)) != OK)
		return e;
	return req_list(rq, &batch_sql[BATCH_ROWS],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(field_given(rq, "state") ? in->state : -1), V(limit + 1)),
	    limit);
}

static enum err
batch_faults(struct req *rq)
{
	const struct batch_faults_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	struct bill_batch		 b;
	enum err			 e;

	if ((e = mine(rq, in->id, &b)) != OK)
		return e;
	return req_list(rq, &batch_sql[BATCH_FAULTS],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(limit + 1)), limit);
}

static enum err
batch_apply(struct req *rq)
{
	const struct batch_id	*in = rq->in;
	struct bill_batch	 b;
	enum err		 e;

	if ((e = mine(rq, in->id, &b)) != OK || (e = bill_batch_apply(rq,
	    rq->who.community_id, in->id)) != OK)
		return e;
	return answer(rq, in->id);
}

static enum err
batch_undo(struct req *rq)
{
	const struct batch_id	*in = rq->in;
	struct bill_batch	 b;
	enum err		 e;

	if ((e = mine(rq, in->id, &b)) != OK || (e = bill_batch_undo(rq,
	    rq->who.community_id, in->id)) != OK)
		return e;
	return answer(rq, in->id);
}

static const struct route batch_routes[] = {
	{ POST, "/api/v1/bill-batches", BILL_STAFF_ROLES, &batch_new_shape,
	    REPLY_ONE, &bill_batch_view, 201, POOL_SLOW, TX_OWN,
	    batch_add, "Bring a CSV file of bills; it is checked at once" },
	{ GET, "/api/v1/bill-batches", BILL_STAFF_ROLES, &batch_query_shape,
	    REPLY_LIST, &bill_batch_view, 200, POOL_API, TX_READ,
	    batch_list, "Files of my payees, the latest first" },
	{ GET, "/api/v1/bill-batches/{id}", BILL_STAFF_ROLES,
	    &batch_id_shape,
	    REPLY_ONE, &bill_batch_view, 200, POOL_API, TX_READ,
	    batch_one, "What a file comes to" },
	{ GET, "/api/v1/bill-batches/{id}/rows", BILL_STAFF_ROLES,
	    &batch_rows_shape,
	    REPLY_LIST, &batch_row_view, 200, POOL_API, TX_READ,
	    batch_rows, "Its rows, or those that fit no dwelling" },
	{ GET, "/api/v1/bill-batches/{id}/faults", BILL_STAFF_ROLES,
	    &batch_faults_shape,
	    REPLY_LIST, &batch_wrong_view, 200, POOL_API, TX_READ,
	    batch_faults, "What is wrong with it, by line" },
	{ POST, "/api/v1/bill-batches/{id}/apply", BILL_STAFF_ROLES,
	    &batch_id_shape,
	    REPLY_ONE, &bill_batch_view, 200, POOL_SLOW, TX_WRITE,
	    batch_apply, "Make its bills, all of them" },
	{ POST, "/api/v1/bill-batches/{id}/undo", BILL_STAFF_ROLES,
	    &batch_id_shape,
	    REPLY_ONE, &bill_batch_view, 200, POOL_SLOW, TX_WRITE,
	    batch_undo, "Take them back while nothing of it is paid" },
	{ 0 }
};

void
bill_batch_register(void)
{
	db_register(batch_sql, BATCH_SQL_MAX);
	route_register("bills", batch_routes);
}
