/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite_internal.h -- what db_sqlite.c (connection, transactions) and
 * db_sqlite_stmt.c (statements, rows) share.
 */
#ifndef STORE_DB_SQLITE_INTERNAL_H
#define STORE_DB_SQLITE_INTERNAL_H

#include <sys/types.h>

#include <sqlite3.h>

#include "store/db_internal.h"

struct slot;

struct sqlite {
	struct db	  db;
	sqlite3		 *handle;
	struct slot	**slots;	/* by statement id */
	int		  nslots;
	int		  nkept;	/* of them compiled */
	uint64_t	  tick;		/* counts uses, for the oldest */
	dev_t		  dev;		/* the file that was opened */
	ino_t		  ino;
	int64_t		  looked_us;	/* when it was last found there */
	int64_t		  until_us;	/* of the lock waited for, or 0 */
	int64_t		  budget_us;	/* for the next lock */
	int64_t		  stop_us;	/* of the running statement, or 0 */
	bool		  writer;	/* holds the mutex */
};

/* The end that `rc` means. */
enum err sqlite_error(int rc);

/* The same, logged when it is the engine's fault or ours. */
enum err sqlite_failed(struct sqlite *, int rc, const char *sql);

/* Whether the path still leads to the file that is open; logged if not. */
bool sqlite_there(struct sqlite *);

/* Let the next statement wait and run as long as a fresh one may. */
static inline void
sqlite_fresh(struct sqlite *q)
{
	q->until_us = q->stop_us = 0;
}

/* Places for all registered statements; checks them when the db says so. */
enum err sqlite_slots(struct sqlite *);
void sqlite_slots_free(struct sqlite *);

/* Let go of rows that were never ended. */
void sqlite_release(struct db *);

enum err sqlite_query(struct db *, const struct stmt *, struct values,
    struct rows *);
bool sqlite_each(struct rows *, void *row);
enum err sqlite_end(struct rows *, int64_t *ret_n);

#endif
