/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_pgsql_internal.h -- what db_pgsql.c (connection, transactions) and
 * db_pgsql_stmt.c (statements, rows) share.
 */
#ifndef STORE_DB_PGSQL_INTERNAL_H
#define STORE_DB_PGSQL_INTERNAL_H

#include <libpq-fe.h>

#include "store/db_internal.h"

struct pgsql {
	struct db	 db;
	PGconn		*conn;
	bool		*ready;		/* by statement id: prepared */
	int		 nready;
};

/*
 * Wait for the answer to what was just sent (`sent`: PQsend*'s result).
 * NULL when the connection is lost or silent past the time-out; else the
 * last result, to be cleared.
 */
PGresult *pgsql_answer(struct pgsql *, int sent);

/*
 * The end that a result means (NULL: away), logged with `sql` when it is
 * the engine's fault or ours.
 */
enum err pgsql_error(struct pgsql *, const PGresult *, const char *sql);

/* Send and forget; the command tag goes to `tag` (of 16) when not NULL. */
enum err pgsql_exec(struct pgsql *, const char *sql, char *tag);

/* Marks for all statements; prepares them when the db says so. */
enum err pgsql_slots(struct pgsql *);

enum err pgsql_query(struct db *, const struct stmt *, struct values,
    struct rows *);
bool pgsql_each(struct rows *, void *row);
enum err pgsql_end(struct rows *, int64_t *ret_n);

#endif
