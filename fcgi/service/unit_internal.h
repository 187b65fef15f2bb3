/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_internal.h -- what the files about units share.
 */
#ifndef SERVICE_UNIT_INTERNAL_H
#define SERVICE_UNIT_INTERNAL_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "http/route.h"
#include "store/db.h"

struct req;

#define UNIT_READERS (ROLE_HEAD | ROLE_GRID | ROLE_CLERK | ROLE_ADMIN)

/* Where a thing is by the row that has no end. */
struct whereabouts {
	const char	*what;
	int64_t		 holder_id;
	const char	*holder;
	int64_t		 from_at;
};

extern const struct view unit_dwelling_view;
extern const struct view unit_full_view;

/* Answer with one unit and what is in it. */
enum err unit_answer(struct req *, int64_t id);

/* Refuse, because a border waits to move the thing. */
enum err unit_waits(struct req *, const struct whereabouts *);

/*
 * Begin or end the row of thing `id` with its holder, from now on; 409
 * when another was faster.  $1 community, $2 thing, $3 holder, $4 now.
 */
enum err unit_into(struct req *, const struct stmt *, int64_t id,
    int64_t holder_id);
enum err unit_out_of(struct req *, const struct stmt *, int64_t id,
    int64_t holder_id);

void unit_dwelling_register(void);

#endif
