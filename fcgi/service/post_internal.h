/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post_internal.h -- what the files about posts share.
 */
#ifndef SERVICE_POST_INTERNAL_H
#define SERVICE_POST_INTERNAL_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "store/db.h"

struct req;

struct post {
	int64_t		 id;
	int64_t		 community_id;
	const char	*community;
	const char	*role;
	const char	*scope;
	int64_t		 scope_id;	/* VIEW_NULL_INT: the community */
	const char	*scope_name;
	int64_t		 user_id;	/* VIEW_NULL_INT: not logged in */
	int64_t		 person_id;
	const char	*name;
	const char	*phone;		/* sealed, or NULL */
	int64_t		 deputy_of;	/* VIEW_NULL_INT: is no deputy */
	int64_t		 from_at;
	int64_t		 to_at;		/* VIEW_NULL_INT: no end */
	const char	*phone_index;
	enum err	*e;		/* not a column */
};
extern const struct view post_full_view;

extern const char *const post_role_names[];	/* NULL-ended */
extern const char *const post_scope_names[];

/* Whom a post is for. */
struct post_user {
	int64_t		 id;
	const char	*name;
};
extern const struct view post_user_view;

/* One post of the caller's community; ERR_ABSENT. */
enum err post_get(struct req *, int64_t id, struct post *ret);

/* Answer with one post and its times of duty. */
enum err post_answer(struct req *, int64_t id);

/* Somebody who belongs to the community; ERR_ABSENT. */
enum err post_person(struct req *, int64_t user_id, struct post_user *ret);

/* Keep others from changing the post until the commit; ERR_ABSENT. */
enum err post_hold(struct req *, int64_t id);

/* The roles of who holds the post, or stands in for its holder. */
enum err post_roles_of(struct req *, int64_t id);

/* After the commit: tell the sessions of them all. */
void post_tell_of(struct req *, int64_t id);

/* Who has proved to have the number; ERR_ABSENT. */
enum err post_owner(struct req *, const char *phone_index,
    struct post_user *ret);

/* One head a unit, and nobody has the same post twice; 409 with a name. */
enum err post_check_others(struct req *, const struct post *);

/* An end, 0 for none, lies after the beginning and after now. */
enum err post_check_time(struct req *, int64_t from, int64_t to);

/* To bind: NULL for 0 and for VIEW_NULL_INT. */
struct value post_or_null(int64_t);

void post_make_register(void);
void post_deputy_register(void);

#endif
