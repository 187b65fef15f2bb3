/* SPDX-License-Identifier: Apache-2.0 */
/*
 * border_internal.h -- what the files about borders share.
 */
#ifndef SERVICE_BORDER_INTERNAL_H
#define SERVICE_BORDER_INTERNAL_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct json;
struct req;

struct border {
	int64_t		 id;
	const char	*title;
	const char	*state;
	int64_t		 applies_at;	/* VIEW_NULL_INT: a draft */
	int64_t		 by_id;
	const char	*by_name;
	int64_t		 move_count;
	int64_t		 created_at;
	int64_t		 applied_at;
	int64_t		 undone_at;
	enum err	*e;		/* not a column */
};

extern const char *const border_states[];	/* draft applied undone */
extern const struct view border_move_view;
extern const struct view border_preview_view;

#define BORDER_COLUMNS							\
	C_ID(border, id),						\
	C_TEXT(border, title),						\
	C_CODE(border, state, border_states),				\
	C_TIME(border, applies_at, .flags = VIEW_NULL,			\
	    .about = "in force from then on"),				\
	C_ID(border, by_id),						\
	C_TEXT(border, by_name, .about = "who drew it up"),		\
	C_INT(border, move_count),					\
	C_TIME(border, created_at),					\
	C_TIME(border, applied_at, .flags = VIEW_NULL),			\
	C_TIME(border, undone_at, .flags = VIEW_NULL)

/* $1 community */
#define BORDER_SELECT							\
	"SELECT b.id, b.title, b.state, b.applies_at, b.by_id,"		\
	" u.name AS by_name, (SELECT COUNT(*) FROM border_move m"	\
	" WHERE m.community_id = b.community_id"			\
	" AND m.border_id = b.id) AS move_count, b.created_at,"		\
	" b.applied_at, b.undone_at FROM border b"			\
	" JOIN app_user u ON u.id = b.by_id WHERE b.community_id = $1"

/* The moves, as a calculated column of a struct border. */
void border_moves(struct json *, const struct req *, const void *row);

/* Put the moves into force at `at`; 409 when one no longer fits. */
enum err border_set(struct req *, int64_t id, int64_t at);

/* Take back what begins only at `at`, or move all back from now on. */
enum err border_take(struct req *, int64_t id, int64_t at);
enum err border_back(struct req *, int64_t id);

/* Handler of the preview. */
enum err border_preview(struct req *);
extern const struct shape border_id_shape;
struct border_id {
	int64_t		 id;
};

void border_move_register(void);
void border_preview_register(void);

#endif
