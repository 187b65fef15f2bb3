/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.h -- lists of the community taken out as files.
 *
 * A masked one is made at once; a clear one when a second member of staff
 * agrees.  Whoever was in the roster when a clear list was made was on it
 * and is to be told (GET /api/v1/me/looks):
 *
 *	SELECT x.made_at, x.reason, x.title, x.owner_id FROM export x
 *	JOIN person p ON p.community_id = x.community_id
 *	WHERE x.community_id = $1 AND p.id = $2
 *	AND x.clear = 1 AND x.made_at IS NOT NULL
 *	AND p.created_at <= x.made_at
 *	AND (p.gone_at IS NULL OR p.gone_at > x.made_at)
 *	AND (x.kind = 'persons' OR x.kind = 'households'
 *	AND EXISTS (SELECT 1 FROM member m
 *	WHERE m.community_id = x.community_id AND m.person_id = p.id
 *	AND m.from_at <= x.made_at
 *	AND (m.to_at IS NULL OR m.to_at > x.made_at)))
 *
 * (`persons` has everybody; `households` the home of each member, with who
 * is asked for it; `units` only counts, and heads, who are named anyway.)
 * The index export_clear is for that.
 */
#ifndef SERVICE_EXPORT_H
#define SERVICE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "flow/flow.h"

struct req;

enum export_kind { EXPORT_PERSONS, EXPORT_HOUSEHOLDS, EXPORT_UNITS };

extern const char *const export_kinds[];	/* in that order */
extern const char *const export_formats[];	/* csv, xlsx */
extern const struct flow export_flow;

/* One that is to be made. */
struct export_job {
	int64_t		 community_id;
	int64_t		 id;
	const char	*kind;
	const char	*format;
	int64_t		 clear;
	int64_t		 claimed_until;
};

/* Where the file of an export lies, in the arena. */
const char *export_path(struct req *, int64_t id, const char *format);

/*
 * Write the rows of a list to `path`; how many through ret_rows.  Reads
 * page by page, in no transaction.
 */
enum err export_write(struct req *, const struct export_job *,
    const char *path, int64_t *ret_rows);

/* Tasks: make the next file; delete those whose time is over. */
enum err export_make(struct req *);
enum err export_sweep(struct req *);

void export_make_register(void);
void export_rows_register(void);

#endif
