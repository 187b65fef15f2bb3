/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_verify.c -- go through a chain and say where it is broken.
 *
 * Rows are read by pages, so that a long chain holds up nobody.  The last
 * row is looked up before the head, because rows are only ever added: so
 * the head that is read is never behind it.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "store/db.h"

#include "http/audit.h"
#include "http/audit_verify.h"

#define ROWS_AT_ONCE	500
#define CHAINS		4096

struct chain_head {
	int64_t		 seq;
	const char	*hash;
};
static const struct view_column chain_head_columns[] = {
	C_INT(chain_head, seq), C_TEXT(chain_head, hash), C_END
};
static const struct view chain_head_view = VIEW(chain_head, "ChainHead");

struct chain_id {
	int64_t		 community_id;
};
static const struct view_column chain_id_columns[] = {
	C_ID(chain_id, community_id), C_END
};
static const struct view chain_id_view = VIEW(chain_id, "ChainId");

struct chain_last {
	int64_t		 seq;
};
static const struct view_column chain_last_columns[] = {
	C_INT(chain_last, seq), C_END
};
static const struct view chain_last_view = VIEW(chain_last, "ChainLast");

enum { CHAINS_, LAST, HEAD, ROWS, AT, SQL_MAX };

static struct stmt sql[] = {
	[CHAINS_] = { .mode = RO, .nargs = 0, .view = &chain_id_view, .sql =
	    "SELECT community_id FROM audit_head"
	    " UNION SELECT community_id FROM audit WHERE seq = 1"
	    " ORDER BY 1" },
	[LAST] = { .mode = RO, .nargs = 1, .view = &chain_last_view, .sql =
	    "SELECT COALESCE(MAX(seq), 0) AS seq FROM audit"
	    " WHERE community_id = $1" },
	[HEAD] = { .mode = RO, .nargs = 1, .view = &chain_head_view, .sql =
	    "SELECT seq, hash FROM audit_head WHERE community_id = $1" },
	[ROWS] = { .mode = RO, .nargs = 4, .view = &audit_link_view, .sql =
	    "SELECT community_id, seq, at, user_id, actor, for_id, action,"
	    " thing, thing_id, subject_id, reason, address, request_id,"
	    " prev, hash FROM audit WHERE community_id = $1 AND seq > $2"
	    " AND seq <= $3 ORDER BY seq LIMIT $4" },
	[AT] = { .mode = RO, .nargs = 2, .view = &chain_head_view, .sql =
	    "SELECT seq, hash FROM audit WHERE community_id = $1"
	    " AND seq = $2" },
};
static_assert(sizeof(sql) / sizeof(sql[0]) == SQL_MAX, "one entry each");

void
audit_verify_register(void)
{
	db_register(sql, SQL_MAX);
}

enum err
audit_chains(struct db *db, struct arena *a, int64_t **ret_ids, int *ret_n)
{
	struct chain_id row;
	struct rows rows;
	enum err e;
	int n = 0;

	*ret_ids = ARENA_ARRAY(a, int64_t, CHAINS);
	if ((e = db_query(db, &sql[CHAINS_], NOTHING, &rows)) != OK)
		return e;
	while (n < CHAINS && db_each(&rows, &row))
		(*ret_ids)[n++] = row.community_id;
	*ret_n = n;
	return db_end(&rows);
}

/* Where we are in a chain. */
struct walk {
	int64_t		 community_id, seq, faults;
	char		 prev[CRYPT_HEX_MAX];	/* hash of row `seq` */
	bool		 sure;			/* prev can be relied on */
	audit_tell	*tell;
	void		*arg;
};

static void
fault(struct walk *w, int64_t seq, const char *what)
{
	w->faults++;
	w->tell(w->arg, w->community_id, seq, what);
}

static void
step(struct walk *w, const struct audit_link *l)
{
	char hash[CRYPT_HEX_MAX];
	bool own;

	if (l->seq != w->seq + 1) {
		fault(w, w->seq + 1, "the row is missing");
		w->sure = false;
	}
	audit_hash(l, hash);
	own = strcmp(hash, l->hash) == 0;
	if (!own)
		fault(w, l->seq, "the row was changed");
	else if (w->sure && strcmp(l->prev, w->prev) != 0)
		fault(w, l->seq, "the row does not follow the one before"
		    " (changed, or put in another's place)");
	w->seq = l->seq;
	/* What follows is judged by what this row says of itself. */
	memcpy(w->prev, hash, sizeof(hash));
	w->sure = own;
}

static enum err
walk_page(struct db *db, struct walk *w, int64_t last, int *ret_n)
{
	struct audit_link l;
	struct rows rows;
	enum err e;
	int n = 0;

	e = db_query(db, &sql[ROWS], WITH(V(w->community_id), V(w->seq),
	    V(last), V(ROWS_AT_ONCE)), &rows);
	if (e != OK)
		return e;
	for (; db_each(&rows, &l); n++)
		step(w, &l);
	*ret_n = n;
	return db_end(&rows);
}

/* The head against the last row there was before it was read. */
static void
check_head(struct walk *w, int64_t last, const struct chain_head *head)
{
	if (head->hash == NULL)
		fault(w, last, "the head of the chain is missing");
	else if (head->seq < last)
		fault(w, last, "the row is beyond the head of the chain");
	else if (w->seq < head->seq)
		fault(w, w->seq + 1, "the row is missing: the chain was cut"
		    " off, its head says more");
	else if (w->sure && strcmp(head->hash, w->prev) != 0)
		fault(w, w->seq, "the row is not what the head says");
}

enum err
audit_verify(struct db *db, int64_t community_id, audit_tell *tell,
    void *arg, int64_t *ret_rows, int64_t *ret_faults)
{
	struct walk w = { .community_id = community_id, .tell = tell,
		.arg = arg, .sure = true };
	struct arena *a = arena_new(4096);
	struct chain_last last = { .seq = 0 };
	struct chain_head head = { .hash = NULL };
	int64_t rows = 0, end;
	enum err e;
	int n = 1;

	e = db_one(db, a, &sql[LAST], WITH(V(community_id)), &last);
	if (e == OK)
		e = db_one(db, a, &sql[HEAD], WITH(V(community_id)), &head);
	e = e == ERR_ABSENT ? OK : e;
	end = head.seq > last.seq ? head.seq : last.seq;
	while (e == OK && n > 0 && (e = walk_page(db, &w, end, &n)) == OK)
		rows += n;
	if (e == OK && (head.hash != NULL || last.seq > 0))
		check_head(&w, last.seq, &head);
	arena_free(a);
	*ret_rows = rows;
	*ret_faults += w.faults;
	return e;
}

enum err
audit_verify_anchor(struct db *db, const struct audit_anchor *anchor,
    audit_tell *tell, void *arg, int64_t *ret_faults)
{
	struct arena *a = arena_new(4096);
	const char *what = NULL;
	struct chain_head row;
	enum err e;

	e = db_one(db, a, &sql[AT], WITH(V(anchor->community_id),
	    V(anchor->seq)), &row);
	if (e == ERR_ABSENT)
		what = arena_fmt(a, "the row is missing: the anchor of %s"
		    " knows it", anchor->day);
	else if (e == OK && strcmp(row.hash, anchor->hash) != 0)
		what = arena_fmt(a, "the row is not what it was: see the"
		    " anchor of %s", anchor->day);
	if (what != NULL) {
		++*ret_faults;
		tell(arg, anchor->community_id, anchor->seq, what);
	}
	arena_free(a);
	return e == ERR_ABSENT ? OK : e;
}
