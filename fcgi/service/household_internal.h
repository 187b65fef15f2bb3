/* SPDX-License-Identifier: Apache-2.0 */
/*
 * household_internal.h -- a household as its reading and writing files
 * share it.
 */
#ifndef SERVICE_HOUSEHOLD_INTERNAL_H
#define SERVICE_HOUSEHOLD_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/view.h"
#include "service/person_internal.h"

/* A line of a list. */
struct household_line {
	int64_t		 id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*number;
	const char	*tenancy;
	int64_t		 people;
	int64_t		 contact_id;
	const char	*contact_phone_mask;
	const char	*own_name;	/* of the contact, clear */
	int64_t		 from_at;
	int64_t		 named;		/* the caller is head there */
};

struct household_member {
	int64_t		 person_id;
	const char	*relation;
	const char	*sex;
	int64_t		 born;
	const char	*phone_mask;
	int64_t		 from_at;
	const char	*own_name;	/* clear */
	int64_t		 named;		/* as of its household */
};

struct household {
	int64_t		 id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*number;
	const char	*tenancy;
	int64_t		 contact_id;
	const char	*source;
	const char	*ground;
	int64_t		 as_of;
	int64_t		 from_at;
	int64_t		 to_at;
	int64_t		 updated_at;
	int64_t		 named;		/* the caller is head there */
	struct household_member	*members;	/* not of the row */
	size_t		 n;
};
extern const struct view household_view;

/* The household, when its dwelling is the caller's; else absent. */
enum err household_reach(struct req *, int64_t id, struct household *ret);

/* Answer with it and its members. */
enum err household_answer(struct req *, int64_t id);

#endif
