/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h -- a file of places, grids or persons: checked, applied, undone.
 *
 * One engine for planetctl and the API.  The file is read once, its rows
 * judged and sealed here, and staged in import_row; what they change is
 * worked out and applied by SQL over those rows, so memory does not grow
 * with the file.  Applying and undoing are one transaction each.
 */
#ifndef SERVICE_IMPORT_H
#define SERVICE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct req;

#define IMPORT_ROWS_MAX		1000000

enum import_kind { IMPORT_TERRITORY, IMPORT_GRIDS, IMPORT_ROSTER };

/* Names of the kinds, NULL-ended. */
extern const char *const import_kinds[];

/* The record of an import, as everybody sees it. */
struct import_record {
	int64_t		 id;
	const char	*kind;
	const char	*name;
	int64_t		 bytes;
	const char	*state;
	int64_t		 partial;
	int64_t		 rows;
	int64_t		 added, changed, same;
	int64_t		 faults;
	const char	*counts;
	const char	*detail;
	int64_t		 by_id;
	int64_t		 created_at, checked_at, applied_at, undone_at;
	const char	*sha256;
	int64_t		 kept;
};
extern const struct view import_view;

/* Where the file of an import lies while it is kept. */
const char *import_path(struct req *, int64_t id);

/*
 * Note a file for a community; state uploaded.  `claim` is the runner that
 * goes on with it at once, 0 for none.  In a transaction.
 */
enum err import_begin(struct req *, int64_t community_id, int64_t id,
    enum import_kind, const char *name, const char *path, bool partial,
    int64_t by_id, int64_t claim);

/*
 * At the console a file may be for several communities, each an import of
 * its own that passes over the rows of others.
 */
struct import_console {
	const char	*usual;		/* code for rows that say none */
};

/*
 * Read the file and compare it with what there is; the import is then
 * checked or faulty.  `claim` is what it was begun or taken with.  Without
 * a console rows of other communities are faulty.  Opens its own
 * transactions; ERR_CONFLICT when somebody else has taken it.
 */
enum err import_check(struct req *, int64_t community_id, int64_t id,
    int64_t claim, const char *path, const struct import_console *);

/*
 * Do what was found, all or nothing.  ERR_CONFLICT when something has
 * changed since, with the sentence in rq->detail.  In a transaction.
 */
enum err import_apply(struct req *, int64_t community_id, int64_t id);

/* Put back what it did, on the same terms. */
enum err import_undo(struct req *, int64_t community_id, int64_t id);

/* ERR_ABSENT when there is none. */
enum err import_get(struct req *, int64_t community_id, int64_t id,
    struct import_record *ret);

/*
 * The rows with faults as they stand in the file, a column for the reason
 * added, as CSV that a spreadsheet opens; at most `max` bytes.
 */
struct buf;
enum err import_faulty_rows(struct req *, int64_t community_id, int64_t id,
    const char *path, struct buf *out);

/* Call fn for each fault that was kept, in the order of lines. */
enum err import_faults(struct req *, int64_t community_id, int64_t id,
    void (*fn)(void *arg, int64_t line, const char *label,
    const char *detail), void *arg);

/* Call fn for each part of it that is there: how many things of it. */
enum err import_parts(struct req *, int64_t community_id, int64_t id,
    void (*fn)(void *arg, const char *label, int64_t added,
    int64_t changed, int64_t same), void *arg);

/* The community of an import; ERR_ABSENT. */
enum err import_community(struct req *, int64_t id, int64_t *ret);

/* Forget what is too old to be undone or mended, and its file. */
enum err import_sweep(struct req *);

/* Statements of the engine; the routes are import_register's. */
void import_engine_register(void);

#endif
