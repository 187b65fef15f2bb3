/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home_roster.c -- linking a home to the person in the roster.
 *
 * The approver knows who is at the door: they name the person, or say that
 * the roster does not have them yet, and then what the asker said of
 * themselves is written down as such (source self).
 */
#include "base/clock.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/text.h"
#include "http/req.h"
#include "service/household.h"
#include "service/home.h"

#define NUMBERS	1000	/* households of a dwelling, and more */

struct roster_place {
	int64_t		 household_id;
	int64_t		 person_id;
};

static const struct view_column roster_place_columns[] = {
	C_ID(roster_place, household_id),
	C_ID(roster_place, person_id),
	C_END
};
static const struct view roster_place_view =
    VIEW(roster_place, "RosterPlace");

struct roster_number {
	const char	*number;
};

static const struct view_column roster_number_columns[] = {
	C_TEXT(roster_number, number),
	C_END
};
static const struct view roster_number_view =
    VIEW(roster_number, "RosterNumber");

enum { ROSTER_PERSON, ROSTER_HOUSEHOLD, ROSTER_NUMBER, ROSTER_NEW_HOUSEHOLD,
	ROSTER_NEW_PERSON, ROSTER_NEW_MEMBER, ROSTER_SQL_MAX };

static struct stmt roster_sql[] = {
	[ROSTER_PERSON] = { RO, 3, &roster_place_view,
	    "SELECT m.household_id, m.person_id FROM member m"
	    " JOIN household h ON h.community_id = m.community_id"
	    " AND h.id = m.household_id AND h.to_at IS NULL"
	    " WHERE m.community_id = $1 AND h.dwelling_id = $2"
	    " AND m.person_id = $3 AND m.to_at IS NULL"
	    " ORDER BY m.household_id LIMIT 1", NULL, 0 },
	[ROSTER_HOUSEHOLD] = { RO, 3, &roster_place_view,
	    "SELECT id AS household_id, CAST(0 AS BIGINT) AS person_id"
	    " FROM household WHERE community_id = $1 AND dwelling_id = $2"
	    " AND id = $3 AND to_at IS NULL", NULL, 0 },
	[ROSTER_NUMBER] = { RO, 2, &roster_number_view,
	    "SELECT number FROM household WHERE community_id = $1"
	    " AND dwelling_id = $2 AND to_at IS NULL", NULL, 0 },
	[ROSTER_NEW_HOUSEHOLD] = { RW, 7, NULL,
	    "INSERT INTO household (community_id, id, dwelling_id, number,"
	    " tenancy, source, as_of, from_at, updated_at)"
	    " VALUES ($1, $2, $3, $4, $5, 'self', $6, $7, $7)", NULL, 0 },
	[ROSTER_NEW_PERSON] = { RW, 8, NULL,
	    "INSERT INTO person (community_id, id, name, phone, phone_index,"
	    " phone_mask, source, ground, as_of, created_at, updated_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 'self', 'consent', $7, $8,"
	    " $8)", NULL, 0 },
	[ROSTER_NEW_MEMBER] = { RW, 5, NULL,
	    "INSERT INTO member (community_id, household_id, person_id,"
	    " from_at, relation) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
};

void
home_roster_register(void)
{
	db_register(roster_sql, ROSTER_SQL_MAX);
}

static int64_t
today(const struct req *rq)
{
	struct clock_local	at = clock_local(rq->now);

	return at.year * 10000LL + at.month * 100 + at.day;
}

static enum err
find_person(struct req *rq, const struct home_facts *home,
    const struct home_event_in *in, struct roster_place *ret)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &roster_sql[ROSTER_PERSON],
	    WITH(V(rq->who.community_id), V(home->dwelling_id),
	    V(in->person_id)), ret);
	if (e == ERR_ABSENT || (e == OK && in->household_id != 0 &&
	    in->household_id != ret->household_id))
		return req_field(rq, "person_id", "not_found",
		    "这个房屋的登记住户中没有这个人，请重新选择。");
	return e;
}

static enum err
find_household(struct req *rq, const struct home_facts *home,
    const struct home_event_in *in, struct roster_place *ret)
{
	enum err	e;

	e = db_one(rq->db, rq->arena, &roster_sql[ROSTER_HOUSEHOLD],
	    WITH(V(rq->who.community_id), V(home->dwelling_id),
	    V(in->household_id)), ret);
	if (e == ERR_ABSENT)
		return req_field(rq, "household_id", "not_found",
		    "这个房屋没有这个家庭，请重新选择。");
	return e;
}

/* The number that a text is, below `most`; else 0. */
static int
number_of(const char *s, int most)
{
	int	n = 0;

	for (; *s >= '0' && *s <= '9' && n < most; s++)
		n = n * 10 + (*s - '0');
	return *s == '\0' && n < most ? n : 0;
}

/* The first number that no household of the dwelling has. */
static enum err
free_number(struct req *rq, int64_t dwelling_id, int *ret)
{
	bool			used[NUMBERS] = { false };
	struct roster_number	row;
	struct rows		rows;
	enum err		e;

	e = db_query(rq->db, &roster_sql[ROSTER_NUMBER],
	    WITH(V(rq->who.community_id), V(dwelling_id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		used[number_of(row.number, NUMBERS)] = true;
	for (*ret = 1; *ret < NUMBERS - 1 && used[*ret];)
		(*ret)++;
	return db_end(&rows);
}

static enum err
new_household(struct req *rq, const struct home_facts *home,
    int64_t *ret_id)
{
	int		number;
	enum err	e;

	e = free_number(rq, home->dwelling_id, &number);
	if (e != OK)
		return e;
	*ret_id = id_new();
	e = db_run(rq->db, &roster_sql[ROSTER_NEW_HOUSEHOLD],
	    WITH(V(rq->who.community_id), V(*ret_id), V(home->dwelling_id),
	    V(arena_fmt(rq->arena, "%d", number)),
	    V(home->tenancy), V(today(rq)), V(rq->now)), NULL);
	return e == ERR_UNIQUE ? ERR_CONFLICT : e;
}

static enum err
new_person(struct req *rq, const struct home_facts *home,
    struct roster_place *ret)
{
	const char	*clear = NULL, *mask = NULL;
	enum err	 e;

	if (home->name[0] == '\0')
		return req_field(rq, "enter", "no_name",
		    "申请人没有填写姓名，请先核对后在住户档案中登记。");
	if (home->phone != NULL) {
		clear = crypt_open(rq->arena, "phone", home->phone);
		if (clear == NULL)
			return ERR_INTERNAL;
		mask = text_mask_phone(rq->arena, clear);
	}
	ret->person_id = id_new();
	e = db_run(rq->db, &roster_sql[ROSTER_NEW_PERSON],
	    WITH(V(rq->who.community_id), V(ret->person_id), V(home->name),
	    V(home->phone), V(home->phone_index), V(mask), V(today(rq)),
	    V(rq->now)), NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &roster_sql[ROSTER_NEW_MEMBER],
	    WITH(V(rq->who.community_id), V(ret->household_id),
	    V(ret->person_id), V(rq->now), V(home->relation)), NULL);
}

enum err
home_roster_find(struct req *rq, const struct home_facts *home,
    const struct home_event_in *in, int64_t *ret_household,
    int64_t *ret_person)
{
	struct roster_place	at = { 0, 0 };
	enum err		e = OK;

	if (in->person_id != 0)
		e = find_person(rq, home, in, &at);
	else if (in->household_id != 0)
		e = find_household(rq, home, in, &at);
	if (e == OK && at.household_id != 0)
		e = household_hold(rq, at.household_id);
	if (e == OK && in->enter && at.person_id == 0) {
		if (at.household_id == 0)
			e = new_household(rq, home, &at.household_id);
		if (e == OK)
			e = new_person(rq, home, &at);
	}
	*ret_household = at.household_id;
	*ret_person = at.person_id;
	return e;
}
