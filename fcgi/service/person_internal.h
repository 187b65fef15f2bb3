/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person_internal.h -- what persons, households and needs share.
 *
 * Who sees what (domain rules 7 and 9): lists show names masked, but to the
 * head of a unit, who knows these people; a head sees no identity number,
 * not even masked.  One person's file is opened by a request that the
 * person can read about, and has the name in clear.
 *
 * It is asked home by home: who is head here and grid worker there sees
 * names without numbers here, numbers without names there.
 */
#ifndef SERVICE_PERSON_INTERNAL_H
#define SERVICE_PERSON_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "http/json.h"
#include "http/route.h"
#include "service/household.h"
#include "service/scope.h"

struct req;

/* Who may open persons and households at all, and who may write them. */
#define PERSON_READERS	(ROLE_CLERK | ROLE_ADMIN | ROLE_GRID | ROLE_HEAD)
#define PERSON_WRITERS	(ROLE_CLERK | ROLE_ADMIN | ROLE_GRID)

extern const char *const person_sexes[];
extern const char *const person_id_types[];

/* Today in China as yyyymmdd. */
int64_t person_today(const struct req *);

/*
 * The day a fact was learned: today when none was given.  ERR_FIELD for one
 * that never was or is still to come.
 */
enum err person_as_of(struct req *, int64_t *as_of);

/* Write a name as a list shows it; `clear` to the head of that home. */
void person_put_name(struct json *, const struct req *, const char *name,
    bool clear);

/* A line of a list. */
struct person_line {
	int64_t		 id;
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*sex;
	int64_t		 born;
	const char	*phone_mask;
	const char	*own_name;	/* clear */
	const char	*own_mask;	/* of the number */
	int64_t		 named;		/* the caller is head there */
	int64_t		 numbered;	/* and not only that */
};
extern const struct view person_line_view;
#define PERSON_LINE(bits, user, now)					\
	"p.id, p.household_id, p.dwelling_id, q.full_name AS place,"	\
	" p.sex, p.born, p.phone_mask, p.name AS own_name,"		\
	" p.id_mask AS own_mask, CASE WHEN "				\
	SCOPE_HEADS("p.community_id", "p.dwelling_id", bits, user, now)	\
	" THEN 1 ELSE 0 END AS named, CASE WHEN "			\
	SCOPE_COVERS("p.community_id", "p.dwelling_id",			\
	SCOPE_NOT_HEAD(bits), user, now)				\
	" THEN 1 ELSE 0 END AS numbered"
#define PERSON_PLACE							\
	" LEFT JOIN place q ON q.community_id = p.community_id"		\
	" AND q.id = p.dwelling_id"

/* The dwellings of a unit or a grid at a moment. */
#define PERSON_OF_UNIT(c, unit, now)					\
	"(SELECT fd.dwelling_id FROM unit_dwelling fd"			\
	" WHERE fd.community_id = " c " AND fd.unit_id = " unit		\
	" AND fd.from_at <= " now " AND (fd.to_at IS NULL"		\
	" OR fd.to_at > " now "))"
#define PERSON_OF_GRID(c, grid, now)					\
	"(SELECT fd.dwelling_id FROM unit_grid fg"			\
	" JOIN unit_dwelling fd ON fd.community_id = fg.community_id"	\
	" AND fd.unit_id = fg.unit_id AND fd.from_at <= " now		\
	" AND (fd.to_at IS NULL OR fd.to_at > " now ")"			\
	" WHERE fg.community_id = " c " AND fg.grid_id = " grid		\
	" AND fg.from_at <= " now " AND (fg.to_at IS NULL"		\
	" OR fg.to_at > " now "))"

/* One person as the rows have it; sealed columns stay sealed. */
struct person {
	int64_t		 id;
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*name;
	const char	*sex;
	int64_t		 born;
	const char	*id_type;
	const char	*phone_mask;
	const char	*source;
	const char	*ground;
	int64_t		 as_of;
	int64_t		 created_at;
	int64_t		 updated_at;
	int64_t		 gone_at;
	const char	*own_mask;	/* of the number */
	int64_t		 numbered;	/* the caller may know the number */
	const char	*id_number;	/* sealed */
	const char	*phone;		/* sealed */
	struct field_list needs;	/* struct need; not of the row */
	struct field_list facts;	/* struct person_fact */
	struct field_list homes;	/* struct person_home */
	const char	*notice;	/* what to look at again, or NULL */
};
extern const struct view person_view;

/* The person, when the caller answers for a home of theirs; else absent. */
enum err person_reach(struct req *, int64_t id, struct person *ret);

/* Answer with the whole file; `notice` may be NULL. */
enum err person_answer(struct req *, int64_t id, const char *notice);

/* What a person needs, for the file and for lists of needs. */
struct need {
	int64_t		 id;
	const char	*source;
	const char	*ground;
	int64_t		 as_of;
	int64_t		 created_at;
	const char	*body;		/* sealed */
	const char	*derived;	/* its kind when it has no row */
};
extern const struct view need_view;

/* The needs of a person that have not ended, those of age included. */
enum err need_list(struct req *, const struct person *,
    struct field_list *ret);

/* Whether a kind follows from the day of birth, and for whom. */
bool need_of_age(const char *kind, int64_t today, int64_t *ret_from,
    int64_t *ret_to);

void person_list_register(void);
void person_look_register(void);
void person_write_register(void);
void household_write_register(void);

#endif
