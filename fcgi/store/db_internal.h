/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_internal.h -- what db.c and the two engines share.
 *
 * An engine's own struct starts with struct db.  The engine knows its
 * library and nothing of transactions' rules; db.c knows the rules and no
 * library.  Engines return the five ends and log what becomes
 * ERR_INTERNAL; db.c decides about connecting again.
 */
#ifndef STORE_DB_INTERNAL_H
#define STORE_DB_INTERNAL_H

#include "store/db.h"

#define DB_ARGS_MAX	64	/* parameters of one statement */

struct db {
	const struct db_ops	*ops;
	char			*where;		/* path or URL */
	int64_t			 timeout_ms;	/* a lock, a statement */
	int64_t			 retry_us;	/* connect not before */
	int64_t			 pause_us;	/* grows while it is away */
	int			 open_rows;	/* db_query without db_end */
	enum err		 tx_err;	/* first in the transaction */
	bool			 in_tx;
	bool			 up;		/* connected */
	bool			 prepare;	/* all statements at once */
};

struct db_ops {
	const char	*name;
	size_t		 size;		/* of the engine's struct */

	/* Connect and, when db->prepare, prepare and check everything. */
	enum err (*connect)(struct db *);
	/* Also ends a transaction that is still open; may be repeated. */
	void (*disconnect)(struct db *);
	enum err (*ping)(struct db *);
	enum err (*begin)(struct db *);
	/* After it there is no transaction, whatever it returns. */
	enum err (*commit)(struct db *);
	void (*rollback)(struct db *);
	/* Let go of rows that were never ended. */
	void (*release)(struct db *);
	/* On success sets handle; on failure there is nothing to end. */
	enum err (*query)(struct db *, const struct stmt *, struct values,
	    struct rows *);
	bool (*each)(struct rows *, void *row);
	/* Finish a writing statement, release, give the rows changed. */
	enum err (*end)(struct rows *, int64_t *ret_n);
	enum err (*script)(struct db *, const char *sql);
	/* timeout_ms has changed. */
	enum err (*patience)(struct db *);
};

extern const struct db_ops db_sqlite_ops;
extern const struct db_ops db_pgsql_ops;

/* The statement's text for this engine. */
const char *db_text(const struct db *, const struct stmt *);

/* Registered statements; their ids are 1..db_count(). */
int db_count(void);

/* Columns of a view that come from SQL. */
int db_columns(const struct view *);

/* Whether a column is text in its struct; all others are int64_t. */
bool db_is_text(const struct view_column *);

/*
 * Compare what the engine says of a statement with its row; false after
 * logging the difference.  `name(arg, i)` names column i.
 */
bool db_check(const struct db *, const struct stmt *, int nparams, int ncols,
    const char *(*name)(void *arg, int i), void *arg);

/* Log a failure with the statement's text; `what` is the engine's word. */
void db_complain(const struct db *, const char *sql, const char *what);

/* Wait this long for locks and statements from now on. */
enum err db_patience(struct db *, int64_t timeout_ms);

#endif
