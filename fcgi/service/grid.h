/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid.h -- what grids and units show of each other.
 */
#ifndef SERVICE_GRID_H
#define SERVICE_GRID_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "store/db.h"

struct json;
struct req;

/* A ten-household unit as lists show it. */
struct unit {
	int64_t		 id;
	const char	*code;
	const char	*name;
	int64_t		 grid_id;	/* VIEW_NULL_INT: in none now */
	const char	*grid;
	int64_t		 dwellings;
	int64_t		 households;
	const char	*head;		/* name, or NULL */
	const char	*deputy;	/* who stands in now, or NULL */
	int64_t		 from_at;
	int64_t		 to_at;
};
extern const struct view unit_view;

/* Who holds or held a post here. */
struct duty_person {
	int64_t		 post_id;
	const char	*name;
	int64_t		 deputy;
	int64_t		 from_at;
	int64_t		 to_at;
};
extern const struct view grid_person_view;

/*
 * SQL: the name of who has the post of `role` for `scoped` number `id` in
 * community `c` at `now`; the holder's or, with "NOT ", the deputy's.
 */
#define DUTY_NAME(c, role, scoped, id, now, not)			\
	"(SELECT np.name FROM post np WHERE np.community_id = " c	\
	" AND np.scope = '" scoped "' AND np.scope_id = " id		\
	" AND np.role = '" role "' AND np.deputy_of IS " not "NULL"	\
	" AND " SCOPE_VALID("np", now)					\
	" ORDER BY np.from_at DESC, np.id DESC LIMIT 1)"

/*
 * Write the rows of a statement as a JSON array, from within a calculated
 * column; what goes wrong is left in *ret_e for the handler.
 */
void grid_stream(struct json *, const struct req *, const struct stmt *,
    struct values, void *row, enum err *ret_e);

/* The units of a grid now, and the people of a post now and before. */
void unit_stream(struct json *, const struct req *, int64_t grid_id,
    enum err *ret_e);
void grid_stream_now(struct json *, const struct req *, const char *role,
    const char *scope, int64_t id, enum err *ret_e);
void grid_stream_past(struct json *, const struct req *, const char *role,
    const char *scope, int64_t id, enum err *ret_e);

/*
 * Keep a grid or a unit open until the commit; ERR_ABSENT when it is
 * closed or none.  In a transaction.
 */
enum err grid_hold(struct req *, int64_t id);
enum err unit_hold(struct req *, int64_t id);

/* End the posts of a grid or unit that is closed.  In a transaction. */
enum err grid_end_posts(struct req *, const char *scope, int64_t id);

void unit_register(void);

#endif
