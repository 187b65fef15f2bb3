/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_diff.c -- differences on their way into the table.
 *
 * One that an earlier run found and that is the same still keeps what was
 * said of it; one that changed is open again.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/id.h"
#include "http/req.h"
#include "service/recon.h"

#define BATCH		500

#define TEXT(k)		"v.value ->> '" k "'"
#define NUMBER(k)	"CAST(v.value ->> '" k "' AS BIGINT)"
#define SAME(c)		" AND recon_diff." c " IS NOT DISTINCT FROM excluded." c

enum { DIFF_ADD, DIFF_SQL_MAX };

static struct stmt diff_sql[] = {
	[DIFF_ADD] = { RW, 5, NULL,
	    "INSERT INTO recon_diff (community_id, day, run, created_at,"
	    " state, id, kind, number, refund_number, nth, transaction_id,"
	    " line, theirs_fen, ours_fen, theirs, ours)"
	    " SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT),"
	    " CAST($3 AS BIGINT), CAST($4 AS BIGINT), 'open', "
	    NUMBER("i") ", " TEXT("k") ", " TEXT("n") ", " TEXT("r") ", "
	    NUMBER("x") ", " TEXT("t") ", " NUMBER("l") ", " NUMBER("a")
	    ", " NUMBER("b") ", " TEXT("s") ", " TEXT("o")
	    " FROM json_each($5) v WHERE TRUE"
	    " ON CONFLICT (community_id, day, kind, number, refund_number,"
	    " nth) DO UPDATE SET run = excluded.run, line = excluded.line,"
	    " state = CASE WHEN recon_diff.state = 'explained'"
	    SAME("theirs_fen") SAME("ours_fen") SAME("theirs") SAME("ours")
	    " THEN 'explained' ELSE 'open' END,"
	    " transaction_id = excluded.transaction_id,"
	    " theirs_fen = excluded.theirs_fen,"
	    " ours_fen = excluded.ours_fen, theirs = excluded.theirs,"
	    " ours = excluded.ours", NULL, 0 },
};

void
recon_diff_register(void)
{
	db_register(diff_sql, DIFF_SQL_MAX);
}

void
recon_member(struct recon *rn)
{
	char	key[16];

	if (rn->n == 0) {
		buf_clear(&rn->batch);
		json_init(&rn->json, &rn->batch);
		json_open(&rn->json);
	}
	snprintf(key, sizeof(key), "%d", rn->n++);
	json_key(&rn->json, key);
	json_open(&rn->json);
}

static void
put_text(struct json *j, const char *key, const char *s)
{
	if (s != NULL)
		json_put_text(j, key, s);
}

static void
put_int(struct json *j, const char *key, int64_t v)
{
	if (v != VIEW_NULL_INT)
		json_put_int(j, key, v);
}

enum err
recon_diff_add(struct recon *rn, const struct recon_found *d)
{
	struct json	*j = &rn->json;
	bool		 twice = d->kind[0] == 't' && d->kind[1] == 'w';

	recon_member(rn);
	json_put_int(j, "i", id_new());
	json_put_text(j, "k", d->kind);
	json_put_text(j, "n", d->number);
	json_put_text(j, "r", d->refund_number != NULL ? d->refund_number :
	    "");
	json_put_int(j, "x", twice ? d->line : 0);
	put_text(j, "t", d->transaction_id);
	put_int(j, "l", d->line);
	put_int(j, "a", d->theirs_fen);
	put_int(j, "b", d->ours_fen);
	put_text(j, "s", d->theirs);
	put_text(j, "o", d->ours);
	json_close(j);
	return rn->n >= BATCH ? recon_diff_flush(rn) : OK;
}

static enum err
write_batch(struct req *rq, void *arg)
{
	struct recon	*rn = arg;

	return db_run(rq->db, &diff_sql[DIFF_ADD], WITH(V(rn->community_id),
	    V(rn->day), V(rn->run), V(rq->now), V(buf_text(&rn->batch))),
	    NULL);
}

enum err
recon_diff_flush(struct recon *rn)
{
	enum err	e;

	if (rn->n == 0)
		return OK;
	json_close(&rn->json);
	e = rn->batch.over ? ERR_INTERNAL : recon_transact(rn, write_batch, rn);
	rn->n = 0;
	return e;
}
