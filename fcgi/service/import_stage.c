/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_stage.c -- rows on their way into the staging tables.
 *
 * Hundreds go into one statement as one JSON object, numbered by its keys;
 * json_each of an object is what both engines have in common.  Each batch
 * is a transaction of its own and holds the claim, so that a runner that
 * lost it stops.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "service/import_internal.h"

#define BATCH		500
#define BATCH_BYTES	(4 << 20)
#define HOLD_MS		(5 * CLOCK_MINUTE)

enum { STAGE_ROWS, STAGE_FAULTS, STAGE_HOLD, STAGE_SQL_MAX };

#define TEXT(k)		", value ->> '" k "'"
#define NUMBER(k)	", CAST(value ->> '" k "' AS BIGINT)"

#define ROWS(each)							\
	"INSERT INTO import_row (community_id, import_id, id, part,"	\
	" line, up, key, a_id, thing_id, verdict, body, before, phone,"	\
	" phone_index, id_number, id_index, need)"			\
	" SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"		\
	NUMBER("i") TEXT("p") NUMBER("l") NUMBER("u") TEXT("k")		\
	NUMBER("a") NUMBER("t") TEXT("v") TEXT("b") TEXT("w")		\
	TEXT("f") TEXT("fi") TEXT("d") TEXT("di") TEXT("n")		\
	" FROM " each "($3)"

static struct stmt stage_sql[] = {
	/* PostgreSQL would parse what is JSON as text at each member. */
	[STAGE_ROWS] = { RW, 3, NULL, ROWS("json_each"), ROWS("jsonb_each"),
	    0 },
	[STAGE_FAULTS] = { RW, 3, NULL,
	    "INSERT INTO import_fault (community_id, import_id, id, line,"
	    " label, detail)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT)"
	    NUMBER("i") NUMBER("l") TEXT("c") TEXT("d")
	    " FROM json_each($3)", NULL, 0 },
	[STAGE_HOLD] = { RW, 4, NULL,
	    "UPDATE import SET claimed_until = $3 WHERE community_id = $1"
	    " AND id = $2 AND claim = $4", NULL, 0 },
};

void
import_stage_register(void)
{
	db_register(stage_sql, STAGE_SQL_MAX);
}

/* ---- batches ---- */

static void
put_text(struct json *j, const char *key, const char *text)
{
	if (text != NULL)
		json_put_text(j, key, text);
}

int64_t
import_add(struct import *im, const struct import_item *it)
{
	struct json	*j = &im->item_json;

	json_open_numbered(&im->items, j, &im->nitems);
	json_put_int(j, "i", ++im->item_id);
	json_put_text(j, "p", it->part);
	json_put_int(j, "l", it->line);
	if (it->up != 0)
		json_put_int(j, "u", it->up);
	json_put_text(j, "k", it->key);
	if (it->a_id != VIEW_NULL_INT)
		json_put_int(j, "a", it->a_id);
	json_put_int(j, "t", it->thing_id);
	json_put_text(j, "v", it->verdict != NULL ? it->verdict : "add");
	json_put_text(j, "b", it->body);
	put_text(j, "w", it->before);
	put_text(j, "f", it->phone);
	put_text(j, "fi", it->phone_index);
	put_text(j, "d", it->id_number);
	put_text(j, "di", it->id_index);
	put_text(j, "n", it->need);
	json_close(j);
	if (im->nitems >= BATCH)
		import_flush(im);
	return im->item_id;
}

void
import_fault(struct import *im, int line, const char *label,
    const char *fmt, ...)
{
	struct json	*j = &im->fault_json;
	va_list		 ap;

	im->fault_count++;
	if (im->fault_id >= IMPORT_FAULTS_KEPT)
		return;
	json_open_numbered(&im->faults, j, &im->nfaults);
	json_put_int(j, "i", ++im->fault_id);
	json_put_int(j, "l", line);
	put_text(j, "c", label);
	va_start(ap, fmt);
	json_put_text(j, "d", arena_vfmt(im->row, fmt, ap));
	va_end(ap);
	json_close(j);
	if (im->nfaults >= BATCH)
		import_flush(im);
}

static enum err
hold(struct import *im)
{
	int64_t		n;
	enum err	e;

	e = db_run(im->rq->db, &stage_sql[STAGE_HOLD],
	    WITH(V(im->community_id), V(im->id), V(clock_now() + HOLD_MS),
	    V(im->claim)), &n);
	if (e != OK)
		return e;
	return n == 1 ? OK : ERR_CONFLICT;
}

static enum err
write_batch(void *arg)
{
	struct import	*im = arg;
	enum err	 e;

	if ((e = hold(im)) != OK)
		return e;
	if (im->nitems > 0 && (e = db_run(im->rq->db,
	    &stage_sql[STAGE_ROWS], WITH(V(im->community_id), V(im->id),
	    V(buf_text(&im->items))), NULL)) != OK)
		return e;
	if (im->nfaults > 0)
		e = db_run(im->rq->db, &stage_sql[STAGE_FAULTS],
		    WITH(V(im->community_id), V(im->id),
		    V(buf_text(&im->faults))), NULL);
	return e;
}

enum err
import_flush(struct import *im)
{
	if (im->nitems > 0)
		json_close(&im->item_json);
	if (im->nfaults > 0)
		json_close(&im->fault_json);
	if (im->err == OK && (im->items.over || im->faults.over))
		im->err = ERR_INTERNAL;
	if (im->err == OK)
		im->err = db_transact(im->rq->db, 20, write_batch, im);
	im->nitems = im->nfaults = 0;
	buf_clear(&im->items);
	buf_clear(&im->faults);
	return im->err;
}

const char *
import_object(struct import *im, int n, const char *const *keys,
    const char *const *texts, const int64_t *numbers)
{
	struct json	 j;
	struct buf	 b;
	const char	*s;
	int		 i;

	buf_init(&b, BATCH_BYTES);
	json_init(&j, &b);
	json_open(&j);
	for (i = 0; i < n; i++) {
		json_key(&j, keys[i]);
		if (texts[i] != NULL)
			json_text(&j, texts[i]);
		else if (numbers != NULL && numbers[i] != VIEW_NULL_INT)
			json_int(&j, numbers[i]);
		else
			json_nil(&j);
	}
	json_close(&j);
	s = arena_copy(im->row, b.data, b.len);
	buf_free(&b);
	return s;
}
