/* SPDX-License-Identifier: Apache-2.0 */
/*
 * household.c -- households of a dwelling, read; and what other services
 * ask of the roster.
 */
#include <string.h>

#include "base/arena.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/household_internal.h"
#include "service/service.h"

#define MEMBERS_MAX	60

struct household_query {
	int64_t		 dwelling_id;
	int64_t		 unit_id;
	int64_t		 grid_id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field household_query_fields[] = {
	F_ID(household_query, dwelling_id, "房屋", MAY),
	F_ID(household_query, unit_id, "联户单元", MAY),
	F_ID(household_query, grid_id, "网格", MAY),
	F_PAGE(household_query),
	F_END
};
static const struct shape household_query_shape =
    SHAPE(household_query, "HouseholdQuery");

struct household_id {
	int64_t		 id;
};

static const struct field household_id_fields[] = {
	F_ID(household_id, id, "住户", MUST),
	F_END
};
static const struct shape household_id_shape =
    SHAPE(household_id, "HouseholdId");

static void
line_contact(struct json *j, const struct req *rq, const void *row)
{
	const struct household_line	*h = row;

	person_put_name(j, rq, h->own_name, h->named != 0);
}

static const struct view_column household_line_columns[] = {
	C_ID(household_line, id),
	C_ID(household_line, dwelling_id),
	C_TEXT(household_line, place),
	C_TEXT(household_line, number, .about = "tells the households of a"
	    " dwelling apart"),
	C_CODE(household_line, tenancy, person_tenancies),
	C_INT(household_line, people),
	C_ID(household_line, contact_id, .flags = VIEW_NULL),
	C_TEXT(household_line, contact_phone_mask, .flags = VIEW_NULL),
	C_TEXT(household_line, own_name, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_TIME(household_line, from_at),
	C_BOOL(household_line, named, .flags = VIEW_HIDDEN),
	C_CALC("contact", SHAPE_TEXT, line_contact, .flags = VIEW_NULL,
	    .about = "name, masked but for the head of the unit"),
	C_END
};
static const struct view household_line_view =
    VIEW(household_line, "HouseholdLine");

static void
member_name(struct json *j, const struct req *rq, const void *row)
{
	const struct household_member	*m = row;

	person_put_name(j, rq, m->own_name, m->named != 0);
}

static const struct view_column household_member_columns[] = {
	C_ID(household_member, person_id),
	C_CODE(household_member, relation, person_relations),
	C_CODE(household_member, sex, person_sexes, .flags = VIEW_NULL),
	C_INT(household_member, born, .flags = VIEW_NULL,
	    .about = "yyyymmdd"),
	C_TEXT(household_member, phone_mask, .flags = VIEW_NULL),
	C_TIME(household_member, from_at),
	C_TEXT(household_member, own_name, .flags = VIEW_HIDDEN),
	C_BOOL(household_member, named, .flags = VIEW_HIDDEN),
	C_CALC("name", SHAPE_TEXT, member_name,
	    .about = "masked, but for the head of the unit"),
	C_END
};
static const struct view household_member_view =
    VIEW(household_member, "HouseholdMember");

static void
file_members(struct json *j, const struct req *rq, const void *row)
{
	const struct household	*h = row;
	size_t			 i;

	json_list(j);
	for (i = 0; i < h->n; i++)
		json_view(j, &household_member_view, &h->members[i], rq,
		    rq->arena);
	json_unlist(j);
}

static const struct view_column household_columns[] = {
	C_ID(household, id),
	C_ID(household, dwelling_id),
	C_TEXT(household, place),
	C_TEXT(household, number),
	C_CODE(household, tenancy, person_tenancies),
	C_ID(household, contact_id, .flags = VIEW_NULL),
	C_CODE(household, source, person_sources),
	C_CODE(household, ground, person_grounds),
	C_INT(household, as_of, .about = "day it was learned, yyyymmdd"),
	C_TIME(household, from_at),
	C_TIME(household, to_at, .flags = VIEW_NULL),
	C_TIME(household, updated_at),
	C_BOOL(household, named, .flags = VIEW_HIDDEN),
	C_CALC("members", SHAPE_OBJECTS, file_members,
	    .sub = &household_member_view, .about = "who lives there now"),
	C_END
};
const struct view household_view = VIEW(household, "Household");

struct match_row {
	int64_t		 person_id;
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*name;
	const char	*relation;
};

static const struct view_column match_row_columns[] = {
	C_ID(match_row, person_id),
	C_ID(match_row, household_id),
	C_ID(match_row, dwelling_id),
	C_TEXT(match_row, place),
	C_TEXT(match_row, name),
	C_TEXT(match_row, relation),
	C_END
};
static const struct view match_row_view = VIEW(match_row, "RosterMatch");

/* $1 community, $2 bits, $3 user, $4 now, $5 after, $6 limit */
#define FROM_HOUSEHOLD							\
	"SELECT h.id, h.dwelling_id, q.full_name AS place, h.number,"	\
	" h.tenancy, (SELECT COUNT(*) FROM member m"			\
	" WHERE m.community_id = h.community_id"			\
	" AND m.household_id = h.id AND m.to_at IS NULL) AS people,"	\
	" h.contact_id, c.phone_mask AS contact_phone_mask,"		\
	" c.name AS own_name, h.from_at, CASE WHEN "			\
	SCOPE_HEADS("$1", "h.dwelling_id", "$2", "$3", "$4")		\
	" THEN 1 ELSE 0 END AS named FROM household h"			\
	" JOIN place q ON q.community_id = h.community_id"		\
	" AND q.id = h.dwelling_id"					\
	" LEFT JOIN person c ON c.community_id = h.community_id"	\
	" AND c.id = h.contact_id"					\
	" WHERE h.community_id = $1 AND h.to_at IS NULL AND "
#define AFTER "h.id > $5 AND "
#define AFTER_FILTER "+h.id > $5 AND "	/* not by id, see person_list.c */
#define COVERED SCOPE_COVERS("$1", "h.dwelling_id", "$2", "$3", "$4")
#define PAGED " ORDER BY h.id LIMIT $6"

enum { HOUSE_ALL, HOUSE_MINE, HOUSE_DWELLING, HOUSE_UNIT, HOUSE_GRID,
	HOUSE_GET, HOUSE_MEMBERS, HOUSE_MATCH, HOUSE_IN_UNIT,
	HOUSE_SQL_MAX };

static struct stmt house_sql[] = {
	[HOUSE_ALL] = { RO, 6, &household_line_view,
	    FROM_HOUSEHOLD AFTER COVERED PAGED, NULL, 0 },
	[HOUSE_MINE] = { RO, 6, &household_line_view,
	    FROM_HOUSEHOLD AFTER_FILTER
	    "h.dwelling_id IN (SELECT mine.dwelling_id FROM "
	    SCOPE_MINE("$2", "$3", "$4") " mine"
	    " WHERE mine.community_id = $1)" PAGED, NULL, 0 },
	[HOUSE_DWELLING] = { RO, 7, &household_line_view,
	    FROM_HOUSEHOLD AFTER_FILTER "h.dwelling_id = $7 AND " COVERED PAGED,
	    NULL, 0 },
	[HOUSE_UNIT] = { RO, 7, &household_line_view,
	    FROM_HOUSEHOLD AFTER_FILTER "h.dwelling_id IN "
	    PERSON_OF_UNIT("$1", "$7", "$4") " AND " COVERED PAGED,
	    NULL, 0 },
	[HOUSE_GRID] = { RO, 7, &household_line_view,
	    FROM_HOUSEHOLD AFTER_FILTER "h.dwelling_id IN "
	    PERSON_OF_GRID("$1", "$7", "$4") " AND " COVERED PAGED,
	    NULL, 0 },
	[HOUSE_GET] = { RO, 5, &household_view,
	    "SELECT h.id, h.dwelling_id, q.full_name AS place, h.number,"
	    " h.tenancy, h.contact_id, h.source, h.ground, h.as_of,"
	    " h.from_at, h.to_at, h.updated_at, CASE WHEN "
	    SCOPE_HEADS("$1", "h.dwelling_id", "$3", "$4", "$5")
	    " THEN 1 ELSE 0 END AS named FROM household h"
	    " JOIN place q ON q.community_id = h.community_id"
	    " AND q.id = h.dwelling_id"
	    " WHERE h.community_id = $1 AND h.id = $2 AND "
	    SCOPE_COVERS("$1", "h.dwelling_id", "$3", "$4", "$5"),
	    NULL, 0 },
	[HOUSE_MEMBERS] = { RO, 3, &household_member_view,
	    "SELECT m.person_id, m.relation, p.sex, p.born, p.phone_mask,"
	    " m.from_at, p.name AS own_name,"
	    " CAST($3 AS BIGINT) AS named FROM member m"
	    " JOIN person p ON p.community_id = m.community_id"
	    " AND p.id = m.person_id WHERE m.community_id = $1"
	    " AND m.household_id = $2 AND m.to_at IS NULL"
	    " ORDER BY m.from_at, m.person_id", NULL, 0 },
	[HOUSE_MATCH] = { RO, 4, &match_row_view,
	    "SELECT p.id AS person_id, h.id AS household_id,"
	    " h.dwelling_id, q.full_name AS place, p.name, m.relation"
	    " FROM person p JOIN member m"
	    " ON m.community_id = p.community_id AND m.person_id = p.id"
	    " AND m.to_at IS NULL JOIN household h"
	    " ON h.community_id = m.community_id AND h.id = m.household_id"
	    " AND h.to_at IS NULL JOIN place q"
	    " ON q.community_id = h.community_id AND q.id = h.dwelling_id"
	    " WHERE p.phone_index = $2 AND p.community_id = $1"
	    " AND p.gone_at IS NULL AND (CAST($3 AS BIGINT) = 0"
	    " OR h.dwelling_id = $3)"
	    " ORDER BY p.id, h.id LIMIT $4", NULL, 0 },
	[HOUSE_IN_UNIT] = { RO, 4, &match_row_view,
	    "SELECT m.person_id, h.id AS household_id, h.dwelling_id,"
	    " q.full_name AS place, p.name, m.relation FROM member m"
	    " JOIN person p ON p.community_id = m.community_id"
	    " AND p.id = m.person_id AND p.gone_at IS NULL"
	    " JOIN household h ON h.community_id = m.community_id"
	    " AND h.id = m.household_id AND h.to_at IS NULL"
	    " JOIN place q ON q.community_id = h.community_id"
	    " AND q.id = h.dwelling_id"
	    " WHERE m.community_id = $1 AND m.person_id = $2"
	    " AND m.to_at IS NULL AND h.dwelling_id IN "
	    PERSON_OF_UNIT("$1", "$3", "$4") " LIMIT 1", NULL, 0 },
};

enum err
household_match(struct req *rq, const char *phone_index, int64_t dwelling_id,
    struct household_match *ret, int max, int *ret_n)
{
	struct match_row	row;
	struct rows		rows;
	enum err		e;
	int			n = 0;

	*ret_n = 0;
	e = db_query(rq->db, &house_sql[HOUSE_MATCH],
	    WITH(V(rq->who.community_id), V(phone_index), V(dwelling_id),
	    V(max)), &rows);
	if (e != OK)
		return e;
	while (n < max && db_each(&rows, &row))
		ret[n++] = (struct household_match){
		    .community_id = rq->who.community_id,
		    .person_id = row.person_id,
		    .household_id = row.household_id,
		    .dwelling_id = row.dwelling_id,
		    .place = arena_str(rq->arena, row.place),
		    .name = arena_str(rq->arena, row.name),
		    .relation = arena_str(rq->arena, row.relation) };
	*ret_n = n;
	return db_end(&rows);
}

enum err
household_in_unit(struct req *rq, int64_t person_id, int64_t unit_id)
{
	struct match_row	row;

	return db_one(rq->db, rq->arena, &house_sql[HOUSE_IN_UNIT],
	    WITH(V(rq->who.community_id), V(person_id), V(unit_id),
	    V(rq->now)), &row);
}

enum err
household_reach(struct req *rq, int64_t id, struct household *ret)
{
	memset(ret, 0, sizeof(*ret));
	return db_one(rq->db, rq->arena, &house_sql[HOUSE_GET],
	    WITH(V(rq->who.community_id), V(id), V(scope_bits(rq)),
	    V(rq->who.user_id), V(rq->now)), ret);
}

static enum err
read_members(struct req *rq, struct household *h)
{
	struct household_member	*all;
	struct rows		 rows;
	enum err		 e;
	size_t			 n = 0;

	all = ARENA_ARRAY(rq->arena, struct household_member, MEMBERS_MAX);
	e = db_query(rq->db, &house_sql[HOUSE_MEMBERS],
	    WITH(V(rq->who.community_id), V(h->id), V(h->named)), &rows);
	if (e != OK)
		return e;
	while (n < MEMBERS_MAX && db_each(&rows, &all[n])) {
		all[n].relation = arena_str(rq->arena, all[n].relation);
		all[n].sex = arena_str(rq->arena, all[n].sex);
		all[n].phone_mask = arena_str(rq->arena, all[n].phone_mask);
		all[n].own_name = arena_str(rq->arena, all[n].own_name);
		n++;
	}
	h->members = all;
	h->n = n;
	return db_end(&rows);
}

enum err
household_answer(struct req *rq, int64_t id)
{
	struct household	h;
	enum err		e;

	if ((e = household_reach(rq, id, &h)) != OK ||
	    (e = read_members(rq, &h)) != OK)
		return e;
	audit_thing(rq, "household", id);
	return req_one(rq, &h);
}

static enum err
household_get(struct req *rq)
{
	const struct household_id	*in = rq->in;

	return household_answer(rq, in->id);
}

static enum err
household_list(struct req *rq)
{
	const struct household_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	int64_t				 id = 0;
	int64_t				 bits = scope_bits(rq);
	int				 which = bits & SCOPE_ALL ? HOUSE_ALL :
	    HOUSE_MINE;
	int				 given = 0;
	struct values			 v;

	if (in->dwelling_id != 0 && ++given)
		id = in->dwelling_id, which = HOUSE_DWELLING;
	if (in->unit_id != 0 && ++given)
		id = in->unit_id, which = HOUSE_UNIT;
	if (in->grid_id != 0 && ++given)
		id = in->grid_id, which = HOUSE_GRID;
	if (given > 1)
		return req_field(rq, in->grid_id != 0 ? "grid_id" : "unit_id",
		    "one_only", "一次只能按一种条件查找，请去掉多余的条件。");
	v = WITH(V(rq->who.community_id), V(bits), V(rq->who.user_id),
	    V(rq->now), V(in->after), V(limit + 1), V(id));
	v.n = house_sql[which].nargs;
	return req_list(rq, &house_sql[which], v, limit);
}

static const struct route household_routes[] = {
	{ GET, "/api/v1/households", PERSON_READERS, &household_query_shape,
	    REPLY_LIST, &household_line_view, 200, POOL_API, TX_READ,
	    household_list, "Households the caller answers for" },
	{ GET, "/api/v1/households/{id}", PERSON_READERS,
	    &household_id_shape,
	    REPLY_ONE, &household_view, 200, POOL_API, TX_READ,
	    household_get, "A household and who lives there, masked" },
	{ 0 }
};

void
household_register(void)
{
	db_register(house_sql, HOUSE_SQL_MAX);
	route_register("households", household_routes);
	household_write_register();
}
