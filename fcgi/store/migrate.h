/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.h -- bring a database to this program's schema.
 *
 * Files sql/NNNN-noun.sql, forward only, each in a transaction, recorded
 * in schema_version with its SHA-256.  A block between the lines
 * "-- only sqlite" or "-- only postgresql" and "-- end" is for that engine.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/err.h"

struct db;

/*
 * Apply what is missing from folder `dir`.  Refused (ERR_CONFLICT, logged)
 * when the database is newer than the folder, or an applied file changed.
 * Two at once: one waits for the other.
 */
enum err migrate_run(struct db *, const char *dir, int *ret_applied);

/* OK when the database is exactly at `dir`; ERR_CONFLICT otherwise. */
enum err migrate_check(struct db *, const char *dir);

#endif
