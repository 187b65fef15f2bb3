/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h -- SQL: registered statements on SQLite or PostgreSQL.
 *
 * A connection belongs to one thread.  Statements are whole literals in
 * tables, registered before the first connection is opened, prepared all
 * when a connection opens, and checked then: the engine must accept
 * them, the parameters must be $1..$nargs, and the columns must be those
 * of the view.  One SQL text serves both engines; a row with a second
 * text says so (tests list these).
 *
 * Five ends are told apart here, once: a row (OK), no row (ERR_ABSENT), a
 * constraint (ERR_UNIQUE, ERR_CONSTRAINT), run me again (ERR_AGAIN), and
 * the database away (ERR_AWAY); anything else is logged and ERR_INTERNAL,
 * but for a statement that was cut (ERR_TIMEOUT), which is logged too: it
 * would take as long again.
 * After ERR_AWAY the connection is opened again by the next db_begin or
 * statement outside a transaction.
 *
 * PostgreSQL gives a transaction up at its first error, so both engines
 * do here: after ERR_UNIQUE or any other error inside a transaction the
 * handler must fail; further statements and db_commit return that error.
 * To go on after a duplicate, write ON CONFLICT DO NOTHING.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct arena;
struct db;

enum stmt_mode {
	RO,		/* reads */
	RW		/* writes: refused outside a transaction */
};

/*
 * One statement.  Not const: `id` is set when the table is registered.
 * One that never was is prepared for the single call: for migrations,
 * planetctl and tests, never on the way of a request.
 */
struct stmt {
	enum stmt_mode		 mode;
	int			 nargs;	/* highest $n */
	const struct view	*view;	/* of the rows; NULL for none */
	const char		*sql;
	const char		*pgsql;	/* where PostgreSQL must differ */
	int			 id;	/* 1.. once registered */
};

enum value_kind { VALUE_NULL, VALUE_INT, VALUE_TEXT };

struct value {
	enum value_kind	 kind;
	int64_t		 i;
	const char	*s;		/* NULL text binds NULL */
};

struct values {
	int			 n;
	const struct value	*v;
};

static inline struct value
value_int(int64_t i)
{
	return (struct value){ .kind = VALUE_INT, .i = i };
}

static inline struct value
value_text(const char *s)
{
	return (struct value){ .kind = s ? VALUE_TEXT : VALUE_NULL, .s = s };
}

#define VNULL	((struct value){ .kind = VALUE_NULL })
#define V(x) _Generic((x),			\
	char *: value_text,			\
	const char *: value_text,		\
	bool: value_int,			\
	int: value_int,				\
	long: value_int,			\
	long long: value_int,			\
	unsigned int: value_int)(x)
#define WITH(...) ((struct values){					\
	sizeof((struct value[]){ __VA_ARGS__ }) / sizeof(struct value),	\
	(const struct value[]){ __VA_ARGS__ } })
#define NOTHING	((struct values){ 0, NULL })

/* Rows being read; on the caller's stack, ended by db_end. */
struct rows {
	struct db		*db;
	const struct stmt	*stmt;
	void			*handle;	/* engine's, NULL once ended */
	int			 at;		/* row number, from 0 */
	enum err		 err;		/* sticky */
};

/*
 * Add a table of `n` statements.  Before the first db_open; the ids are
 * process-wide.  A table registered twice counts once.
 */
void db_register(struct stmt *table, size_t n);

/* Every registered statement, for tests: i from 0, NULL past the end. */
const struct stmt *db_registered(size_t i);

/*
 * Connect to `url`: "sqlite:PATH" or "postgresql://..." (libpq's own
 * form; a socket folder as host= works).  `timeout_ms` bounds waiting for
 * a lock or a statement.  Statements are prepared when `prepare`.
 * ERR_AWAY when it cannot connect, ERR_INTERNAL when a statement does not
 * fit, each logged.
 */
enum err db_open(const char *url, int64_t timeout_ms, bool prepare,
    struct db **ret_db);

/*
 * Of the threads of this process at most `n` wait for their turn to write
 * to SQLite (8 unless told); to one more db_begin says ERR_AGAIN at once,
 * so that there are always threads for readers.
 */
void db_queue(int n);

/* Roll back what is open and disconnect; NULL is fine. */
void db_close(struct db *);

/* "sqlite" or "postgresql". */
const char *db_engine(const struct db *);

/* Whether the connection answers now; opens it again when it was lost. */
enum err db_ping(struct db *);

/*
 * Start a writing transaction.  SQLite: BEGIN IMMEDIATE behind a mutex of
 * the process; PostgreSQL: READ COMMITTED.  ERR_AGAIN when the lock was not
 * to be had within the time-out.
 */
enum err db_begin(struct db *);

/*
 * ERR_AGAIN means it was rolled back, ERR_AWAY that nobody knows; an error
 * of an earlier statement in the transaction is returned again (rolled back).
 */
enum err db_commit(struct db *);

/* Undo, and release rows never ended; harmless without a transaction. */
void db_rollback(struct db *);

bool db_in_transaction(const struct db *);

/* Run a writing statement; rows changed through ret_n, which may be NULL. */
enum err db_run(struct db *, const struct stmt *, struct values,
    int64_t *ret_n);

/*
 * Run and read at most one row into `row` (of the statement's view), its
 * text copied to the arena.  ERR_ABSENT when there is none; `row` is then
 * untouched.
 */
enum err db_one(struct db *, struct arena *, const struct stmt *,
    struct values, void *row);

/*
 * Run and read row by row.  db_each gives the next row into `row`, its
 * text valid until the next call; false at the end or on failure.  db_end
 * releases and returns what went wrong, or OK.  Text that was bound must
 * live until db_end.  The same statement cannot be read twice at once.
 *
 *	if ((e = db_query(db, &sql[X], WITH(V(a)), &rows)) != OK)
 *		return e;
 *	while (db_each(&rows, &row))
 *		...
 *	return db_end(&rows);
 */
enum err db_query(struct db *, const struct stmt *, struct values,
    struct rows *ret);
bool db_each(struct rows *, void *row);
enum err db_end(struct rows *);

/*
 * Run several statements of SQL text at once; only for migrations and
 * tests, never with anything that came from outside.
 */
enum err db_script(struct db *, const char *sql);

/*
 * Run fn(arg) in a transaction and commit; again from BEGIN on ERR_AGAIN,
 * at most `tries` times in all with a short random pause.  fn must have no
 * effect but SQL.  Returns fn's error (rolled back) or the commit's.
 */
enum err db_transact(struct db *, int tries, enum err (*fn)(void *),
    void *arg);

#endif
