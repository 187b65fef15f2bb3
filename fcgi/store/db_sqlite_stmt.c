/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite_stmt.c -- SQLite behind db.h: prepared statements and rows.
 *
 * A slot holds a statement with the plan that takes its columns straight
 * into a struct.  It is reset as soon as it has been read: a read left
 * open would keep the WAL from being checkpointed.  All statements are
 * checked when the connection opens, but a compiled one takes some 10 KiB
 * for each thread, so only the KEEP used last stay compiled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"

#include "store/db_sqlite_internal.h"

#define LOOK_US		1000000	/* between looks at the file, for reads */
#define KEEP		64	/* compiled statements of a connection */

/* Where one column goes in the row's struct. */
struct fill {
	uint32_t	offset;
	enum { FILL_INT, FILL_INT_NULL, FILL_TEXT } how;
};

/* A prepared statement. */
struct slot {
	sqlite3_stmt		*st;
	const struct stmt	*stmt;
	struct fill		*fill;		/* ncols of them */
	int			 ncols;
	uint64_t		 used;		/* connection's tick */
	bool			 done;		/* stepped to its end */
	bool			 open;		/* between query and end */
	bool			 once;		/* goes away at its end */
	unsigned char		 at[];		/* index of $n, nargs */
};

static void
slot_free(struct slot *slot)
{
	if (slot == NULL)
		return;
	sqlite3_finalize(slot->st);
	free(slot->fill);
	free(slot);
}

static const char *
column_name(void *arg, int i)
{
	const char *name = sqlite3_column_name(arg, i);

	return name != NULL ? name : "";
}

/* Lay out where columns go and which index each $n has. */
static bool
slot_plan(struct sqlite *q, struct slot *slot)
{
	const struct stmt	*stmt = slot->stmt;
	char			 name[16];
	int			 at, n = 0;

	if (!db_check(&q->db, stmt, sqlite3_bind_parameter_count(slot->st),
	    sqlite3_column_count(slot->st), column_name, slot->st))
		return false;
	for (int i = 0; i < stmt->nargs; i++) {
		snprintf(name, sizeof(name), "$%d", i + 1);
		at = sqlite3_bind_parameter_index(slot->st, name);
		if (at <= 0) {
			db_complain(&q->db, stmt->sql,
			    "its parameters are not $1..$nargs");
			return false;
		}
		slot->at[i] = (unsigned char)at;
	}
	if (stmt->mode == RO && !sqlite3_stmt_readonly(slot->st)) {
		db_complain(&q->db, stmt->sql, "marked RO but writes");
		return false;
	}
	if (slot->ncols == 0)
		return true;
	for (const struct view_column *c = stmt->view->columns; c->name; c++) {
		if (c->kind == VIEW_CALC)
			continue;
		slot->fill[n].offset = (uint32_t)c->offset;
		slot->fill[n++].how = db_is_text(c) ? FILL_TEXT :
		    c->flags & VIEW_NULL ? FILL_INT_NULL : FILL_INT;
	}
	return true;
}

static enum err
slot_new(struct sqlite *q, const struct stmt *stmt, bool keep,
    struct slot **ret)
{
	struct slot	*slot;
	const char	*rest = NULL;
	int		 rc, nargs = stmt->nargs;

	if (nargs < 0 || nargs > DB_ARGS_MAX) {
		db_complain(&q->db, stmt->sql, "too many parameters");
		return ERR_INTERNAL;
	}
	slot = calloc(1, sizeof(*slot) + (size_t)nargs);
	if (slot == NULL)
		abort();
	slot->stmt = stmt;
	slot->once = !keep;
	slot->ncols = db_columns(stmt->view);
	slot->fill = calloc((size_t)slot->ncols + 1, sizeof(*slot->fill));
	if (slot->fill == NULL)
		abort();
	rc = sqlite3_prepare_v3(q->handle, stmt->sql, -1,
	    keep ? SQLITE_PREPARE_PERSISTENT : 0, &slot->st, &rest);
	if (rc != SQLITE_OK) {
		enum err e = sqlite_failed(q, rc, stmt->sql);

		slot_free(slot);
		return e;
	}
	if (slot->st == NULL || rest[strspn(rest, " \t\n;")] != '\0' ||
	    !slot_plan(q, slot)) {
		if (slot->st == NULL || *rest != '\0')
			db_complain(&q->db, stmt->sql, "not one statement");
		slot_free(slot);
		return ERR_INTERNAL;
	}
	*ret = slot;
	return OK;
}

/* Make room for one more: the longest unused goes, if it can. */
static void
make_room(struct sqlite *q)
{
	struct slot	**oldest = NULL;

	if (q->nkept < KEEP)
		return;
	for (int i = 1; i <= q->nslots; i++) {
		struct slot **s = &q->slots[i];

		if (*s != NULL && !(*s)->open &&
		    (oldest == NULL || (*s)->used < (*oldest)->used))
			oldest = s;
	}
	if (oldest != NULL) {
		slot_free(*oldest);
		*oldest = NULL;
		q->nkept--;
	}
}

/* The slot of a statement, compiled now if it is not. */
static enum err
slot_of(struct sqlite *q, const struct stmt *stmt, struct slot **ret)
{
	struct slot	**place;
	enum err	  e;

	if (stmt->id == 0)
		return slot_new(q, stmt, false, ret);
	if (stmt->id > q->nslots) {
		db_complain(&q->db, stmt->sql, "registered too late");
		return ERR_INTERNAL;
	}
	place = &q->slots[stmt->id];
	if (*place == NULL) {
		make_room(q);
		if ((e = slot_new(q, stmt, true, place)) != OK)
			return e;
		q->nkept++;
	}
	if ((*place)->open) {
		db_complain(&q->db, stmt->sql, "is being read already");
		return ERR_INTERNAL;
	}
	(*place)->used = ++q->tick;
	*ret = *place;
	return OK;
}

enum err
sqlite_slots(struct sqlite *q)
{
	struct slot	*slot;
	enum err	 e, worst = OK;

	q->nslots = db_count();
	q->nkept = 0;
	q->slots = calloc((size_t)q->nslots + 1, sizeof(*q->slots));
	if (q->slots == NULL)
		abort();
	if (!q->db.prepare)
		return OK;
	/* Go on after a failure: all faults in one start. */
	for (int i = 0; i < q->nslots; i++) {
		if ((e = slot_new(q, db_registered((size_t)i), false,
		    &slot)) != OK)
			worst = e;
		else
			slot_free(slot);
	}
	return worst;
}

void
sqlite_release(struct db *db)
{
	struct sqlite	*q = (struct sqlite *)db;
	sqlite3_stmt	*st = NULL;

	for (int i = 1; i <= q->nslots; i++) {
		if (q->slots[i] != NULL && q->slots[i]->open) {
			q->slots[i]->done = true;
			q->slots[i]->open = false;
		}
	}
	/* Also those that were compiled for one call. */
	while ((st = sqlite3_next_stmt(q->handle, st)) != NULL)
		if (sqlite3_stmt_busy(st))
			sqlite3_reset(st);
}

void
sqlite_slots_free(struct sqlite *q)
{
	for (int i = 0; q->slots != NULL && i <= q->nslots; i++)
		slot_free(q->slots[i]);
	free(q->slots);
	q->slots = NULL;
}

static int
bind(struct slot *slot, struct values values)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < values.n && rc == SQLITE_OK; i++) {
		const struct value *v = &values.v[i];

		if (v->kind == VALUE_INT)
			rc = sqlite3_bind_int64(slot->st, slot->at[i], v->i);
		else if (v->kind == VALUE_TEXT)
			rc = sqlite3_bind_text(slot->st, slot->at[i], v->s,
			    -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(slot->st, slot->at[i]);
	}
	return rc;
}

enum err
sqlite_query(struct db *db, const struct stmt *stmt, struct values values,
    struct rows *rows)
{
	struct sqlite	*q = (struct sqlite *)db;
	struct slot	*slot;
	enum err	 e;
	int		 rc;

	if (!db->in_tx && clock_mono_us() - q->looked_us > LOOK_US &&
	    !sqlite_there(q))
		return ERR_AWAY;
	sqlite_fresh(q);
	if ((e = slot_of(q, stmt, &slot)) != OK)
		return e;
	if ((rc = bind(slot, values)) != SQLITE_OK) {
		e = sqlite_failed(q, rc, stmt->sql);
		if (slot->once)
			slot_free(slot);
		return e;
	}
	slot->done = false;
	slot->open = true;
	rows->handle = slot;
	return OK;
}

/* One step: true for a row.  A failure is kept in rows->err. */
static bool
step(struct rows *rows, struct slot *slot)
{
	struct sqlite	*q = (struct sqlite *)rows->db;
	int		 rc;

	if (slot->done)
		return false;
	rc = sqlite3_step(slot->st);
	if (rc == SQLITE_ROW)
		return true;
	slot->done = true;
	if (rc != SQLITE_DONE)
		rows->err = sqlite_failed(q, rc, rows->stmt->sql);
	/* Not later: it would hold its snapshot until db_end. */
	sqlite3_reset(slot->st);
	return false;
}

bool
sqlite_each(struct rows *rows, void *row)
{
	struct slot	*slot = rows->handle;

	if (!step(rows, slot))
		return false;
	rows->at++;
	for (int i = 0; i < slot->ncols; i++) {
		const struct fill	*f = &slot->fill[i];
		void			*p = (char *)row + f->offset;

		if (f->how == FILL_TEXT)
			*(const char **)p = (const char *)
			    sqlite3_column_text(slot->st, i);
		else if (f->how == FILL_INT_NULL &&
		    sqlite3_column_type(slot->st, i) == SQLITE_NULL)
			*(int64_t *)p = VIEW_NULL_INT;
		else
			*(int64_t *)p = sqlite3_column_int64(slot->st, i);
	}
	return true;
}

enum err
sqlite_end(struct rows *rows, int64_t *ret_n)
{
	struct sqlite	*q = (struct sqlite *)rows->db;
	struct slot	*slot = rows->handle;
	int		 rc;

	/* A writing statement checks its foreign keys at the very end. */
	if (slot->stmt->mode == RW)
		while (step(rows, slot))
			;
	if (rows->err == OK && ret_n != NULL)
		*ret_n = sqlite3_changes64(q->handle);
	rc = sqlite3_reset(slot->st);
	if (rows->err == OK && !slot->done && rc != SQLITE_OK)
		rows->err = sqlite_failed(q, rc, rows->stmt->sql);
	slot->open = false;
	if (slot->once)
		slot_free(slot);
	return rows->err;
}
