/* SPDX-License-Identifier: Apache-2.0 */
/*
 * household.h -- persons and households as other services ask for them.
 */
#ifndef SERVICE_HOUSEHOLD_H
#define SERVICE_HOUSEHOLD_H

#include <stdint.h>

#include "base/err.h"

struct req;

extern const char *const person_relations[];	/* NULL-ended, as below */
extern const char *const person_tenancies[];
extern const char *const person_sources[];
extern const char *const person_grounds[];
extern const char *const need_kinds[];	/* alone over_80 disabled pregnant
					   minor chronic low_income other */

/* A place in the roster: one person in one household of a dwelling. */
struct household_match {
	int64_t		 community_id;
	int64_t		 person_id;
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*place;		/* full name of the dwelling */
	const char	*name;
	const char	*relation;
};

/*
 * Whom the roster of the caller's community has under a number, living
 * there now: up to `max`; how many through ret_n.  With dwelling_id only
 * that home.
 */
enum err household_match(struct req *, const char *phone_index,
    int64_t dwelling_id, struct household_match *ret, int max, int *ret_n);

/*
 * Nobody ends the household before the commit: whoever joins it calls this
 * first.  ERR_STATE with a sentence when it has moved out.
 */
enum err household_hold(struct req *, int64_t household_id);

/* The person lives in a dwelling of the unit now; ERR_ABSENT if not. */
enum err household_in_unit(struct req *, int64_t person_id, int64_t unit_id);

#endif
