/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.c -- append to the chain of who did what.
 *
 * A row's hash is over all its columns and the hash before it, each column
 * with its length in front, so that no two rows read alike.  Whoever adds a
 * row first changes the head's row, which queues all that add to one chain
 * until the commit.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/db.h"

#include "http/audit.h"
#include "http/req.h"

#define ROW_MAX		(256 * 1024)

static const struct view_column audit_link_columns[] = {
	C_ID(audit_link, community_id),
	C_INT(audit_link, seq),
	C_TIME(audit_link, at),
	C_ID(audit_link, user_id),
	C_TEXT(audit_link, actor),
	C_ID(audit_link, for_id, .flags = VIEW_NULL),
	C_TEXT(audit_link, action),
	C_TEXT(audit_link, thing, .flags = VIEW_NULL),
	C_ID(audit_link, thing_id, .flags = VIEW_NULL),
	C_ID(audit_link, subject_id, .flags = VIEW_NULL),
	C_TEXT(audit_link, reason, .flags = VIEW_NULL),
	C_TEXT(audit_link, address, .flags = VIEW_NULL),
	C_TEXT(audit_link, request_id, .flags = VIEW_NULL),
	C_TEXT(audit_link, prev),
	C_TEXT(audit_link, hash),
	C_END
};
const struct view audit_link_view = VIEW(audit_link, "AuditLink");

struct audit_head {
	int64_t		 seq;		/* the row's own */
	const char	*hash;		/* of the row before */
};

static const struct view_column audit_head_columns[] = {
	C_INT(audit_head, seq),
	C_TEXT(audit_head, hash),
	C_END
};
static const struct view audit_head_view = VIEW(audit_head, "AuditHead");

enum { NEXT, BEGIN, ADD, HEAD, SQL_MAX };

static struct stmt sql[] = {
	[NEXT] = { .mode = RW, .nargs = 1, .view = &audit_head_view, .sql =
	    "UPDATE audit_head SET seq = seq + 1 WHERE community_id = $1"
	    " RETURNING seq, hash" },
	[BEGIN] = { .mode = RW, .nargs = 1, .sql =
	    "INSERT INTO audit_head (community_id, seq, hash)"
	    " VALUES ($1, 0, '') ON CONFLICT (community_id) DO NOTHING" },
	[ADD] = { .mode = RW, .nargs = 15, .sql =
	    "INSERT INTO audit (community_id, seq, at, user_id, actor,"
	    " for_id, action, thing, thing_id, subject_id, reason, address,"
	    " request_id, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7,"
	    " $8, $9, $10, $11, $12, $13, $14, $15)" },
	[HEAD] = { .mode = RW, .nargs = 2, .sql =
	    "UPDATE audit_head SET hash = $2 WHERE community_id = $1" },
};
static_assert(sizeof(sql) / sizeof(sql[0]) == SQL_MAX, "one entry each");

void
audit_register(void)
{
	db_register(sql, SQL_MAX);
}

void
audit_thing(struct req *rq, const char *thing, int64_t id)
{
	rq->audit.thing = arena_str(rq->arena, thing);
	rq->audit.thing_id = id;
}

void
audit_subject(struct req *rq, int64_t person_id, const char *reason)
{
	struct audit_subject *s, **end = &rq->audit.subjects;

	while (*end != NULL)
		end = &(*end)->next;
	s = ARENA_NEW(rq->arena, struct audit_subject);
	s->id = person_id;
	s->reason = arena_str(rq->arena, reason);
	*end = s;
}

void
audit_reason(struct req *rq, const char *reason)
{
	rq->audit.reason = arena_str(rq->arena, reason);
}

void
audit_as(struct req *rq, int64_t community_id, int64_t user_id)
{
	rq->audit.as = true;
	rq->audit.community_id = community_id;
	rq->audit.user_id = user_id;
}

static void
put_text(struct buf *b, const char *s)
{
	if (s == NULL) {
		BUF_LIT(b, "-;");
		return;
	}
	buf_puti(b, (int64_t)strlen(s));
	buf_putc(b, ':');
	buf_puts(b, s);
	buf_putc(b, ';');
}

static void
put_int(struct buf *b, int64_t v)
{
	if (v == VIEW_NULL_INT)
		BUF_LIT(b, "-");
	else
		buf_puti(b, v);
	buf_putc(b, ';');
}

void
audit_hash(const struct audit_link *l, char out[CRYPT_HEX_MAX])
{
	struct buf b;

	buf_init(&b, ROW_MAX);
	put_int(&b, l->community_id);
	put_int(&b, l->seq);
	put_int(&b, l->at);
	put_int(&b, l->user_id);
	put_text(&b, l->actor);
	put_int(&b, l->for_id);
	put_text(&b, l->action);
	put_text(&b, l->thing);
	put_int(&b, l->thing_id);
	put_int(&b, l->subject_id);
	put_text(&b, l->reason);
	put_text(&b, l->address);
	put_text(&b, l->request_id);
	put_text(&b, l->prev);
	crypt_sha256(b.data, b.len, out);
	buf_free(&b);
}

/* The place of the next row; it is ours until the commit. */
static enum err
take_place(struct db *db, struct arena *a, int64_t community_id,
    struct audit_head *ret)
{
	enum err e;

	e = db_one(db, a, &sql[NEXT], WITH(V(community_id)), ret);
	if (e != ERR_ABSENT)
		return e;
	e = db_run(db, &sql[BEGIN], WITH(V(community_id)), NULL);
	if (e != OK)
		return e;
	return db_one(db, a, &sql[NEXT], WITH(V(community_id)), ret);
}

static struct value
or_null(int64_t v)
{
	return v == VIEW_NULL_INT ? VNULL : value_int(v);
}

static int64_t
id_or_null(int64_t id)
{
	return id == 0 ? VIEW_NULL_INT : id;
}

static enum err
append(struct db *db, struct arena *a, const struct audit_row *row)
{
	char hash[CRYPT_HEX_MAX];
	struct audit_head head;
	struct audit_link l = { .community_id = row->community_id,
		.at = row->at, .user_id = row->user_id, .actor = row->actor,
		.for_id = id_or_null(row->for_id), .action = row->action,
		.thing = row->thing, .thing_id = id_or_null(row->thing_id),
		.subject_id = id_or_null(row->subject_id),
		.reason = row->reason, .address = row->address,
		.request_id = row->request_id };
	enum err e;

	if ((e = take_place(db, a, row->community_id, &head)) != OK)
		return e;
	l.seq = head.seq;
	l.prev = head.hash;
	audit_hash(&l, hash);
	e = db_run(db, &sql[ADD], WITH(V(l.community_id), V(l.seq), V(l.at),
	    V(l.user_id), V(l.actor), or_null(l.for_id), V(l.action),
	    V(l.thing), or_null(l.thing_id), or_null(l.subject_id),
	    V(l.reason), V(l.address), V(l.request_id), V(l.prev),
	    V((const char *)hash)), NULL);
	if (e != OK)
		return e;
	return db_run(db, &sql[HEAD], WITH(V(l.community_id),
	    V((const char *)hash)), NULL);
}

enum err
audit_append(struct db *db, const struct audit_row *row)
{
	struct arena *a = arena_new(4096);
	enum err e = append(db, a, row);

	arena_free(a);
	return e;
}

/* What all rows of this request share. */
static struct audit_row
common_row(struct req *rq)
{
	struct audit_row row = { .community_id = rq->who.community_id,
		.at = rq->now, .user_id = rq->who.user_id, .actor = "user",
		.thing = rq->audit.thing, .thing_id = rq->audit.thing_id,
		.reason = rq->audit.reason, .address = rq->address,
		.request_id = rq->request_id };

	if (rq->actor_id != 0) {
		row.actor = "helper";
		row.for_id = row.user_id;
		row.user_id = rq->actor_id;
	}
	if (rq->audit.as) {
		row.community_id = rq->audit.community_id;
		row.user_id = rq->audit.user_id;
	}
	if (rq->route == NULL) {
		row.actor = "system";
		row.action = rq->task != NULL ? rq->task : "task";
	} else
		row.action = arena_fmt(rq->arena, "%s %s",
		    method_name(rq->route->method), rq->route->path);
	return row;
}

enum err
audit_request(struct req *rq, enum err end)
{
	const struct audit_subject *s = rq->audit.subjects;
	struct audit_row row;
	enum err e;

	if (rq->route == NULL && s == NULL && rq->audit.thing == NULL)
		return OK;
	row = common_row(rq);
	/* A failure whose traces are kept says what it failed of. */
	if (end != OK)
		row.reason = err_info(end)->code;
	if (s == NULL)
		return append(rq->db, rq->arena, &row);
	for (; s != NULL; s = s->next) {
		row.subject_id = s->id;
		if (end == OK)
			row.reason = s->reason;
		if ((e = append(rq->db, rq->arena, &row)) != OK)
			return e;
	}
	return OK;
}
