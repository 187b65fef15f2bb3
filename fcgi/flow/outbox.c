/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.c -- queue, claim and finish messages; count permissions.
 *
 * A claim is an id of its own written into the rows it takes: whoever
 * finishes a row must still hold that claim, so a runner that slept past
 * its time cannot undo what another did.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "flow/outbox.h"
#include "http/req.h"

static const struct view_column outbox_row_columns[] = {
	C_ID(outbox_row, community_id),
	C_ID(outbox_row, id),
	C_ID(outbox_row, user_id),
	C_TEXT(outbox_row, openid),
	C_TEXT(outbox_row, template),
	C_TEXT(outbox_row, page, .flags = VIEW_NULL),
	C_TEXT(outbox_row, data),
	C_INT(outbox_row, permit),
	C_INT(outbox_row, tries),
	C_TIME(outbox_row, created_at),
	C_END
};
static const struct view outbox_row_view = VIEW(outbox_row, "OutboxRow");

enum { OUT_PUT, OUT_CLAIM, OUT_CLAIMED, OUT_TAKE, OUT_MARK, OUT_END,
	OUT_ZERO, OUT_PERMIT, OUT_MAX };

static struct stmt outbox_sql[] = {
	[OUT_PUT] = { RW, 7, NULL,
	    "INSERT INTO outbox (community_id, id, user_id, template, page,"
	    " data, state, permit, tries, due_at, claimed_until, claim,"
	    " created_at) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), id,"
	    " CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT),"
	    " 'queued', 0, 0, CAST($7 AS BIGINT), 0, 0, CAST($7 AS BIGINT)"
	    " FROM app_user"
	    " WHERE id = $3 AND openid IS NOT NULL AND closed_at IS NULL",
	    NULL, 0 },
	/*
	 * The oldest due row of each person who has none on its way; by
	 * groups, or one who is owed thousands would be compared with
	 * themselves.
	 */
	[OUT_CLAIM] = { RW, 4, NULL,
	    "UPDATE outbox SET claim = $1, claimed_until = $2,"
	    " tries = tries + 1 WHERE state = 'queued'"
	    " AND claimed_until <= $3 AND due_at <= $3 AND id IN ("
	    "SELECT o.id FROM (SELECT user_id, MIN(id) AS id,"
	    " MIN(due_at) AS due_at, MAX(claimed_until) AS held"
	    " FROM outbox WHERE state = 'queued'"
	    " AND (due_at <= $3 OR claimed_until > $3)"
	    " GROUP BY user_id) o WHERE o.held <= $3"
	    " ORDER BY o.due_at, o.id LIMIT $4)", NULL, 0 },
	[OUT_CLAIMED] = { RO, 1, &outbox_row_view,
	    "SELECT o.community_id, o.id, o.user_id, u.openid, o.template,"
	    " o.page, o.data, o.permit, o.tries, o.created_at"
	    " FROM outbox o JOIN app_user u ON u.id = o.user_id"
	    " WHERE o.state = 'queued' AND o.claim = $1 ORDER BY o.id",
	    NULL, 0 },
	[OUT_TAKE] = { RW, 3, NULL,
	    "UPDATE notice_permit SET remaining = remaining - 1,"
	    " updated_at = $3 WHERE user_id = $1 AND template = $2"
	    " AND remaining > 0", NULL, 0 },
	[OUT_MARK] = { RW, 2, NULL,
	    "UPDATE outbox SET permit = 1 WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[OUT_END] = { RW, 8, NULL,
	    "UPDATE outbox SET state = $4, code = $5,"
	    " due_at = COALESCE($6, due_at), tries = tries - $8,"
	    " claimed_until = 0, claim = 0, done_at = $7"
	    " WHERE community_id = $1 AND id = $2 AND claim = $3"
	    " AND state = 'queued'", NULL, 0 },
	[OUT_ZERO] = { RW, 3, NULL,
	    "UPDATE notice_permit SET remaining = 0, updated_at = $3"
	    " WHERE user_id = $1 AND template = $2", NULL, 0 },
	[OUT_PERMIT] = { RW, 3, NULL,
	    "INSERT INTO notice_permit (user_id, template, remaining,"
	    " updated_at) VALUES ($1, $2, 1, $3)"
	    " ON CONFLICT (user_id, template) DO UPDATE"
	    " SET remaining = notice_permit.remaining + 1,"
	    " updated_at = excluded.updated_at"
	    " WHERE notice_permit.remaining < 1000", NULL, 0 },
};

static const char *const end_states[] = {
	[OUTBOX_SENT] = "sent",
	[OUTBOX_REFUSED] = "refused",
	[OUTBOX_NO_PERMISSION] = "no_permission",
	[OUTBOX_FAILED] = "failed",
	[OUTBOX_LATER] = "queued",
	[OUTBOX_RELEASED] = "queued",
};

const char *
outbox_end_name(enum outbox_end end)
{
	if (end == OUTBOX_LATER)
		return "later";
	return end == OUTBOX_RELEASED ? "released" : end_states[end];
}

void
outbox_register(void)
{
	db_register(outbox_sql, OUT_MAX);
}

enum err
outbox_put(struct req *rq, int64_t user_id, const char *template,
    const char *page, const char *data)
{
	return db_run(rq->db, &outbox_sql[OUT_PUT],
	    WITH(V(rq->who.community_id), V(id_new()), V(user_id),
	    V(template), V(page), V(data), V(rq->now)), NULL);
}

static enum err
add_permit(struct db *db, int64_t user_id, const char *template,
    int64_t now)
{
	return db_run(db, &outbox_sql[OUT_PERMIT],
	    WITH(V(user_id), V(template), V(now)), NULL);
}

enum err
outbox_permit(struct req *rq, int64_t user_id, const char *template)
{
	return add_permit(rq->db, user_id, template, rq->now);
}

struct claim {
	struct db		*db;
	struct arena		*arena;
	int64_t			 id, now, hold_ms;
	struct outbox_row	*rows;
	int			 n;
};

/* `pause` ms until it is due again; changed rows through ret_n or NULL. */
static enum err
end_row(struct db *db, const struct outbox_row *row, int64_t claim,
    enum outbox_end end, int code, int64_t now, int64_t pause,
    int64_t *ret_n)
{
	bool	again = end == OUTBOX_LATER || end == OUTBOX_RELEASED;

	return db_run(db, &outbox_sql[OUT_END],
	    WITH(V(row->community_id), V(row->id), V(claim),
	    V(end_states[end]), code != 0 ? V(code) : VNULL,
	    end == OUTBOX_LATER ? V(now + pause) : VNULL,
	    again ? VNULL : V(now), V(end == OUTBOX_RELEASED)), ret_n);
}

/* Take a permission for the row, or end it here; *ret_ok says which. */
static enum err
take_permit(struct claim *c, struct outbox_row *row, bool *ret_ok)
{
	int64_t		n;
	enum err	e;

	*ret_ok = true;
	if (row->permit)
		return OK;
	e = db_run(c->db, &outbox_sql[OUT_TAKE],
	    WITH(V(row->user_id), V(row->template), V(c->now)), &n);
	if (e != OK)
		return e;
	*ret_ok = n == 1;
	if (n == 0)
		return end_row(c->db, row, c->id, OUTBOX_NO_PERMISSION, 0,
		    c->now, 0, NULL);
	row->permit = 1;
	return db_run(c->db, &outbox_sql[OUT_MARK],
	    WITH(V(row->community_id), V(row->id)), NULL);
}

static enum err
read_claimed(struct claim *c)
{
	struct outbox_row	*row;
	struct rows		 rows;
	enum err		 e;

	e = db_query(c->db, &outbox_sql[OUT_CLAIMED], WITH(V(c->id)), &rows);
	if (e != OK)
		return e;
	while (c->n < OUTBOX_CLAIM && db_each(&rows, &c->rows[c->n])) {
		row = &c->rows[c->n++];
		row->openid = arena_str(c->arena, row->openid);
		row->template = arena_str(c->arena, row->template);
		row->page = arena_str(c->arena, row->page);
		row->data = arena_str(c->arena, row->data);
	}
	return db_end(&rows);
}

static enum err
claim_rows(void *arg)
{
	struct claim	*c = arg;
	bool		 ok;
	enum err	 e;
	int64_t		 changed;
	int		 i, kept = 0;

	c->n = 0;
	c->id = id_new();
	e = db_run(c->db, &outbox_sql[OUT_CLAIM],
	    WITH(V(c->id), V(c->now + c->hold_ms), V(c->now),
	    V(OUTBOX_CLAIM)), &changed);
	if (e != OK || changed == 0)
		return e;
	if ((e = read_claimed(c)) != OK)
		return e;
	for (i = 0; i < c->n; i++) {
		if ((e = take_permit(c, &c->rows[i], &ok)) != OK)
			return e;
		if (ok)
			c->rows[kept++] = c->rows[i];
	}
	c->n = kept;
	return OK;
}

enum err
outbox_claim(struct db *db, struct arena *a, int64_t now, int64_t hold_ms,
    int64_t ret_claim[1], struct outbox_row *ret, int *ret_n)
{
	struct claim	c = { .db = db, .arena = a, .now = now,
	    .hold_ms = hold_ms, .rows = ret };
	enum err	e;

	*ret_n = 0;
	if ((e = db_transact(db, 5, claim_rows, &c)) != OK)
		return e;
	*ret_claim = c.id;
	*ret_n = c.n;
	return OK;
}

struct finish {
	struct db		*db;
	const struct outbox_row	*row;
	int64_t			 claim, now;
	enum outbox_end		 end;
	int			 code;
};

static enum err
finish_row(void *arg)
{
	const struct finish	*f = arg;
	const struct outbox_row	*row = f->row;
	enum outbox_end		 end = f->end;
	int64_t			 pause, n;
	enum err		 e;

	if (end == OUTBOX_LATER && row->created_at + OUTBOX_LIFE < f->now)
		end = OUTBOX_FAILED;
	/* 2 s, 4 s .. 4 min: a busy WeChat is not asked in a loop. */
	pause = 1000LL << (row->tries < 8 ? row->tries : 8);
	e = end_row(f->db, row, f->claim, end, f->code, f->now, pause, &n);
	if (e != OK || n == 0)
		return e;
	if (end == OUTBOX_FAILED && row->permit)
		return add_permit(f->db, row->user_id, row->template,
		    f->now);
	if (end != OUTBOX_REFUSED)
		return OK;
	return db_run(f->db, &outbox_sql[OUT_ZERO],
	    WITH(V(row->user_id), V(row->template), V(f->now)), NULL);
}

enum err
outbox_finish(struct db *db, const struct outbox_row *row, int64_t claim,
    enum outbox_end end, int code, int64_t now)
{
	struct finish	f = { .db = db, .row = row, .claim = claim,
	    .now = now, .end = end, .code = code };

	return db_transact(db, 5, finish_row, &f);
}
