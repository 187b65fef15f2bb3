/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_cases.h -- what must hold on every engine, run by test_db_sqlite and
 * test_db_pgsql against their own.
 */
#ifndef UNIT_DB_CASES_H
#define UNIT_DB_CASES_H

#include "store/db.h"

#define CASES_TIMEOUT_MS	400

/* Register the statements; before the first db_open. */
void cases_register(void);

/* Run all cases on the empty database at `url`; the number that failed. */
int cases_run(const char *url);

/* A connection, prepared; fails the test when there is none. */
struct db *cases_open(void);

/* Empty the tables. */
void cases_clear(struct db *);

/* Insert a row in a transaction of its own. */
enum err cases_add(struct db *, int64_t id, const char *name);

/* How many rows there are; -1 when that cannot be read. */
int64_t cases_count(struct db *);

#endif
