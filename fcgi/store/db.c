/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c -- the rules of db.h that hold for both engines.
 *
 * The registry is written before the first connection and only read
 * after.  A transaction keeps its first error and is dead from then on.
 * Outside a transaction a lost connection is opened again and the call
 * repeated once: it was a read or a BEGIN, so nothing happens twice.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"

#include "store/db_internal.h"

#define PAUSE_MIN_US	50000
#define PAUSE_MAX_US	1000000

static struct stmt	**registry;
static int		  nregistry;
static int		  registry_cap;
/* The last attempt to connect failed; one thread is at the next. */
static _Atomic bool	  away, probing;

static void *
must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

void
db_register(struct stmt *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].id != 0)
			continue;
		if (nregistry == registry_cap) {
			registry_cap = registry_cap ? registry_cap * 2 : 64;
			registry = must(realloc(registry,
			    sizeof(*registry) * (size_t)registry_cap));
		}
		registry[nregistry++] = &table[i];
		table[i].id = nregistry;
	}
}

const struct stmt *
db_registered(size_t i)
{
	return i < (size_t)nregistry ? registry[i] : NULL;
}

int
db_count(void)
{
	return nregistry;
}

const char *
db_text(const struct db *db, const struct stmt *stmt)
{
	if (stmt->pgsql != NULL && db->ops == &db_pgsql_ops)
		return stmt->pgsql;
	return stmt->sql;
}

int
db_columns(const struct view *view)
{
	int n = 0;

	if (view == NULL)
		return 0;
	for (const struct view_column *c = view->columns; c->name; c++)
		n += c->kind != VIEW_CALC;
	return n;
}

bool
db_is_text(const struct view_column *c)
{
	switch (c->kind) {
	case VIEW_TEXT:
	case VIEW_CODE:
	case VIEW_PHONE:
	case VIEW_OBJECT:
	case VIEW_ARRAY:
		return true;
	default:
		return false;
	}
}

void
db_complain(const struct db *db, const char *sql, const char *what)
{
	char	q[1500], w[600];

	/* It is away and this is the next try: said before. */
	if (db->pause_us != 0)
		return;
	log_error("db engine=%s message=%s sql=%s", db->ops->name,
	    log_quote(what, w, sizeof(w)), log_quote(sql, q, sizeof(q)));
}

bool
db_check(const struct db *db, const struct stmt *stmt, int nparams, int ncols,
    const char *(*name)(void *arg, int i), void *arg)
{
	const char	*sql = db_text(db, stmt);
	int		 i = 0;

	if (nparams != stmt->nargs) {
		db_complain(db, sql, "its parameters are not $1..$nargs");
		return false;
	}
	if (ncols != db_columns(stmt->view)) {
		db_complain(db, sql, "its columns are not those of the view");
		return false;
	}
	if (stmt->view == NULL)
		return true;
	for (const struct view_column *c = stmt->view->columns; c->name; c++) {
		if (c->kind == VIEW_CALC)
			continue;
		if (strcmp(name(arg, i++), c->name) != 0) {
			log_error("db column=%s message=\"not in its place\"",
			    c->name);
			db_complain(db, sql,
			    "its columns are not those of the view");
			return false;
		}
	}
	return true;
}

/* Drop the connection; a transaction on it is lost as well. */
static void
db_lost(struct db *db)
{
	db->ops->disconnect(db);
	db->up = false;
	db->open_rows = 0;
}

/* Connect now; failures make the next attempt wait. */
static enum err
db_dial(struct db *db)
{
	enum err e;

	e = db->ops->connect(db);
	if (e == OK) {
		if (db->pause_us != 0)
			log_info("db engine=%s message=\"connected again\"",
			    db->ops->name);
		db->up = true;
		db->pause_us = 0;
		atomic_store(&away, false);
		return OK;
	}
	db_lost(db);
	atomic_store(&away, true);
	db->pause_us = db->pause_us ? db->pause_us * 2 : PAUSE_MIN_US;
	if (db->pause_us > PAUSE_MAX_US)
		db->pause_us = PAUSE_MAX_US;
	db->retry_us = clock_mono_us() + db->pause_us;
	return e;
}

/*
 * Be connected, unless it has just been tried in vain.  An attempt may
 * last until its time-out: one thread makes it for all that know already.
 */
static enum err
db_ready(struct db *db)
{
	bool	 known = db->pause_us != 0 && atomic_load(&away);
	enum err e;

	if (db->up)
		return OK;
	if (db->pause_us != 0 && clock_mono_us() < db->retry_us)
		return ERR_AWAY;
	if (known && atomic_exchange(&probing, true))
		return ERR_AWAY;
	e = db_dial(db);
	if (known)
		atomic_store(&probing, false);
	return e;
}

/* Connect anew after a call outside a transaction found nobody there. */
static enum err
db_redial(struct db *db)
{
	db_lost(db);
	return db_dial(db);
}

static const struct db_ops *
ops_of(const char *url, const char **ret_where)
{
	if (strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0') {
		*ret_where = url + 7;
		return &db_sqlite_ops;
	}
	if (strncmp(url, "postgresql://", 13) == 0 ||
	    strncmp(url, "postgres://", 11) == 0) {
		*ret_where = url;
		return &db_pgsql_ops;
	}
	return NULL;
}

enum err
db_open(const char *url, int64_t timeout_ms, bool prepare,
    struct db **ret_db)
{
	const struct db_ops	*ops;
	const char		*where = NULL;
	struct db		*db;
	enum err		 e;

	if ((ops = ops_of(url, &where)) == NULL) {
		log_error("db message=\"the address is neither sqlite: nor "
		    "postgresql://\"");
		return ERR_INTERNAL;
	}
	db = must(calloc(1, ops->size));
	db->ops = ops;
	db->where = must(strdup(where));
	db->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
	db->prepare = prepare;
	if ((e = db_dial(db)) != OK) {
		db_close(db);
		return e;
	}
	*ret_db = db;
	return OK;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_rollback(db);
	db_lost(db);
	free(db->where);
	free(db);
}

const char *
db_engine(const struct db *db)
{
	return db->ops->name;
}

enum err
db_ping(struct db *db)
{
	enum err e;

	if (db->in_tx)
		return db->tx_err;
	if (!db->up)
		return db_dial(db);
	if ((e = db->ops->ping(db)) == ERR_AWAY &&
	    (e = db_redial(db)) == OK)
		e = db->ops->ping(db);
	if (e == ERR_AWAY)
		db_lost(db);
	return e;
}

enum err
db_patience(struct db *db, int64_t timeout_ms)
{
	enum err e;

	if ((e = db_ready(db)) != OK)
		return e;
	db->timeout_ms = timeout_ms;
	return db->ops->patience(db);
}

enum err
db_begin(struct db *db)
{
	enum err e;

	if (db->in_tx) {
		db_complain(db, "BEGIN", "inside a transaction");
		return ERR_INTERNAL;
	}
	if (db->open_rows > 0) {
		db_complain(db, "BEGIN", "rows were not ended");
		db_rollback(db);
	}
	if ((e = db_ready(db)) != OK)
		return e;
	if ((e = db->ops->begin(db)) == ERR_AWAY &&
	    (e = db_redial(db)) == OK)
		e = db->ops->begin(db);
	if (e == ERR_AWAY)
		db_lost(db);
	db->in_tx = e == OK;
	db->tx_err = OK;
	return e;
}

enum err
db_commit(struct db *db)
{
	enum err e;

	if (!db->in_tx) {
		db_complain(db, "COMMIT", "outside a transaction");
		return ERR_INTERNAL;
	}
	if (db->open_rows > 0) {
		db_complain(db, "COMMIT", "rows were not ended");
		db->tx_err = db->tx_err != OK ? db->tx_err : ERR_INTERNAL;
	}
	if ((e = db->tx_err) != OK) {
		db_rollback(db);
		return e;
	}
	e = db->ops->commit(db);
	db->in_tx = false;
	if (e == ERR_AWAY)
		db_lost(db);
	return e;
}

void
db_rollback(struct db *db)
{
	if (db->up && db->open_rows > 0)
		db->ops->release(db);
	db->open_rows = 0;
	if (!db->in_tx)
		return;
	/* The connection that is lost takes its transaction along. */
	if (db->tx_err != ERR_AWAY)
		db->ops->rollback(db);
	db->in_tx = false;
	if (db->tx_err == ERR_AWAY)
		db_lost(db);
	db->tx_err = OK;
}

bool
db_in_transaction(const struct db *db)
{
	return db->in_tx;
}

/* Remember how a statement ended where that matters for the next. */
static enum err
db_note(struct db *db, enum err e)
{
	if (e == OK || e == ERR_ABSENT)
		return e;
	if (db->in_tx && db->tx_err == OK)
		db->tx_err = e;
	if (!db->in_tx && e == ERR_AWAY && db->open_rows == 0)
		db_lost(db);
	return e;
}

/* Whether the statement may run here and now with so many values. */
static enum err
db_fits(struct db *db, const struct stmt *stmt, struct values values)
{
	const char *sql = db_text(db, stmt);

	if (values.n != stmt->nargs || values.n > DB_ARGS_MAX) {
		db_complain(db, sql, "wrong number of values");
		return db_note(db, ERR_INTERNAL);
	}
	if (stmt->mode == RW && !db->in_tx) {
		db_complain(db, sql, "writes outside a transaction");
		return ERR_INTERNAL;
	}
	return db->in_tx ? db->tx_err : db_ready(db);
}

enum err
db_query(struct db *db, const struct stmt *stmt, struct values values,
    struct rows *ret)
{
	enum err e;

	*ret = (struct rows){ .db = db, .stmt = stmt };
	if ((e = db_fits(db, stmt, values)) == OK) {
		e = db->ops->query(db, stmt, values, ret);
		if (e == ERR_AWAY && !db->in_tx && db->open_rows == 0 &&
		    (e = db_redial(db)) == OK)
			e = db->ops->query(db, stmt, values, ret);
		db_note(db, e);
	}
	if (e == OK)
		db->open_rows++;
	return ret->err = e;
}

bool
db_each(struct rows *rows, void *row)
{
	if (rows->err != OK || rows->handle == NULL)
		return false;
	return rows->db->ops->each(rows, row);
}

static enum err
rows_end(struct rows *rows, int64_t *ret_n)
{
	struct db	*db = rows->db;
	enum err	 e;

	if (rows->handle == NULL)
		return rows->err;
	e = db->ops->end(rows, ret_n);
	rows->handle = NULL;
	if (db->open_rows > 0)
		db->open_rows--;
	return rows->err = db_note(db, e);
}

enum err
db_end(struct rows *rows)
{
	return rows_end(rows, NULL);
}

enum err
db_run(struct db *db, const struct stmt *stmt, struct values values,
    int64_t *ret_n)
{
	struct rows	rows;
	enum err	e;

	if (stmt->mode != RW) {
		db_complain(db, db_text(db, stmt), "db_run of a read");
		return db_note(db, ERR_INTERNAL);
	}
	if ((e = db_query(db, stmt, values, &rows)) != OK)
		return e;
	return rows_end(&rows, ret_n);
}

/* Move the row's text, still the engine's, into the arena. */
static void
row_keep(struct arena *arena, const struct view *view, void *row)
{
	for (const struct view_column *c = view->columns; c->name; c++) {
		if (db_is_text(c)) {
			const char **s = (void *)((char *)row + c->offset);

			*s = arena_str(arena, *s);
		}
	}
}

enum err
db_one(struct db *db, struct arena *arena, const struct stmt *stmt,
    struct values values, void *row)
{
	struct rows	rows;
	enum err	e;
	bool		found;

	if (stmt->view == NULL) {
		db_complain(db, db_text(db, stmt), "db_one without a view");
		return db_note(db, ERR_INTERNAL);
	}
	if ((e = db_query(db, stmt, values, &rows)) != OK)
		return e;
	if ((found = db_each(&rows, row)))
		row_keep(arena, stmt->view, row);
	if ((e = db_end(&rows)) != OK)
		return e;
	return found ? OK : ERR_ABSENT;
}

enum err
db_script(struct db *db, const char *sql)
{
	enum err e;

	if (db->in_tx) {
		if (db->tx_err != OK)
			return db->tx_err;
		return db_note(db, db->ops->script(db, sql));
	}
	if ((e = db_begin(db)) != OK)
		return e;
	if ((e = db_note(db, db->ops->script(db, sql))) != OK) {
		db_rollback(db);
		return e;
	}
	return db_commit(db);
}

/* 1..2 ms at first, doubling up to 32..64. */
static void
pause_before(int attempt)
{
	int64_t		 us = 1000LL << (attempt < 6 ? attempt - 1 : 5);
	struct timespec	 t;

	us += crypt_uniform((uint32_t)us);
	t.tv_sec = 0;
	t.tv_nsec = us * 1000;
	nanosleep(&t, NULL);
}

enum err
db_transact(struct db *db, int tries, enum err (*fn)(void *), void *arg)
{
	enum err e = ERR_AGAIN;

	for (int i = 0; i < tries; i++) {
		if (i > 0)
			pause_before(i);
		if ((e = db_begin(db)) == OK) {
			if ((e = fn(arg)) == OK)
				e = db_commit(db);
			else
				db_rollback(db);
		}
		if (e != ERR_AGAIN)
			break;
	}
	return e;
}
