/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person.c -- one person's file: who, where, since when we know, and what
 * they need.
 *
 * Opening a file is a look: the route writes, so that the audit has it and
 * the person can read who it was.
 */
#include <string.h>

#include "base/clock.h"
#include "base/idcard.h"
#include "base/text.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/person_internal.h"
#include "service/service.h"

#define HOMES_MAX	16
#define FACTS_MAX	5
#define EARLIEST	19000101

const char *const person_relations[] = { "head", "spouse", "child", "parent",
    "grandchild", "grandparent", "sibling", "relative", "tenant", "carer",
    "other", NULL };
const char *const person_tenancies[] = { "owned", "rented", "lent", "public",
    "other", NULL };
const char *const person_sources[] = { "roster", "self", "visit", "desk",
    "other", NULL };
const char *const person_grounds[] = { "duty", "consent", "contract",
    "vital", NULL };
const char *const person_sexes[] = { "male", "female", NULL };
const char *const person_id_types[] = { "citizen", "permit", "passport",
    "other", NULL };
static const char *const fact_fields[] = { "name", "sex", "born",
    "id_number", "phone", NULL };

int64_t
person_today(const struct req *rq)
{
	struct clock_local	t = clock_local(rq->now);

	return t.year * 10000 + t.month * 100 + t.day;
}

enum err
person_as_of(struct req *rq, int64_t *as_of)
{
	int64_t	today = person_today(rq);

	if (!field_given(rq, "as_of")) {
		*as_of = today;
		return OK;
	}
	if (!idcard_day(*as_of) || *as_of < EARLIEST)
		return req_field(rq, "as_of", "format",
		    "了解日期应为真实的日期，例如 20260131。");
	if (*as_of > today)
		return req_field(rq, "as_of", "too_large",
		    "了解日期不能晚于今天。");
	return OK;
}

void
person_put_name(struct json *j, const struct req *rq, const char *name,
    bool clear)
{
	if (name == NULL || clear)
		json_text(j, name);
	else
		json_text(j, text_mask_name(rq->arena, name));
}

static void
line_name(struct json *j, const struct req *rq, const void *row)
{
	const struct person_line	*p = row;

	person_put_name(j, rq, p->own_name, p->named != 0);
}

static void
line_number(struct json *j, const struct req *rq, const void *row)
{
	const struct person_line	*p = row;

	(void)rq;
	json_text(j, p->numbered ? p->own_mask : NULL);
}

static const struct view_column person_line_columns[] = {
	C_ID(person_line, id),
	C_ID(person_line, household_id, .flags = VIEW_NULL),
	C_ID(person_line, dwelling_id, .flags = VIEW_NULL),
	C_TEXT(person_line, place, .flags = VIEW_NULL),
	C_CODE(person_line, sex, person_sexes, .flags = VIEW_NULL),
	C_INT(person_line, born, .flags = VIEW_NULL, .about = "yyyymmdd"),
	C_TEXT(person_line, phone_mask, .flags = VIEW_NULL),
	C_TEXT(person_line, own_name, .flags = VIEW_HIDDEN),
	C_TEXT(person_line, own_mask, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_BOOL(person_line, named, .flags = VIEW_HIDDEN),
	C_BOOL(person_line, numbered, .flags = VIEW_HIDDEN),
	C_CALC("name", SHAPE_TEXT, line_name,
	    .about = "masked, but for the head of the unit"),
	C_CALC("id_mask", SHAPE_TEXT, line_number, .flags = VIEW_NULL,
	    .about = "null for heads"),
	C_END
};
const struct view person_line_view = VIEW(person_line, "PersonLine");

/* --- the file -------------------------------------------------------- */

struct person_home {
	int64_t		 household_id;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*relation;
	int64_t		 from_at;
	int64_t		 to_at;
};

static const struct view_column person_home_columns[] = {
	C_ID(person_home, household_id),
	C_ID(person_home, dwelling_id),
	C_TEXT(person_home, place),
	C_CODE(person_home, relation, person_relations),
	C_TIME(person_home, from_at),
	C_TIME(person_home, to_at, .flags = VIEW_NULL),
	C_END
};
static const struct view person_home_view = VIEW(person_home, "PersonHome");

struct person_fact {
	const char	*field;
	const char	*source;
	const char	*ground;
	int64_t		 as_of;
};

static const struct view_column person_fact_columns[] = {
	C_CODE(person_fact, field, fact_fields),
	C_CODE(person_fact, source, person_sources),
	C_CODE(person_fact, ground, person_grounds),
	C_INT(person_fact, as_of, .about = "yyyymmdd"),
	C_END
};
static const struct view person_fact_view = VIEW(person_fact, "PersonFact");

static void
put_all(struct json *j, const struct req *rq, const struct view *view,
    const struct field_list *list)
{
	size_t	i;

	json_list(j);
	for (i = 0; i < list->n; i++)
		json_view(j, view, (const char *)list->items +
		    i * view->size, rq, rq->arena);
	json_unlist(j);
}

static void
file_needs(struct json *j, const struct req *rq, const void *row)
{
	put_all(j, rq, &need_view, &((const struct person *)row)->needs);
}

static void
file_facts(struct json *j, const struct req *rq, const void *row)
{
	put_all(j, rq, &person_fact_view,
	    &((const struct person *)row)->facts);
}

static void
file_homes(struct json *j, const struct req *rq, const void *row)
{
	put_all(j, rq, &person_home_view,
	    &((const struct person *)row)->homes);
}

static void
file_number(struct json *j, const struct req *rq, const void *row)
{
	const struct person	*p = row;

	(void)rq;
	json_text(j, p->numbered ? p->own_mask : NULL);
}

static void
file_notice(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, ((const struct person *)row)->notice);
}

static const struct view_column person_columns[] = {
	C_ID(person, id),
	C_ID(person, household_id, .flags = VIEW_NULL),
	C_ID(person, dwelling_id, .flags = VIEW_NULL),
	C_TEXT(person, place, .flags = VIEW_NULL),
	C_TEXT(person, name),
	C_CODE(person, sex, person_sexes, .flags = VIEW_NULL),
	C_INT(person, born, .flags = VIEW_NULL, .about = "yyyymmdd"),
	C_CODE(person, id_type, person_id_types, .flags = VIEW_NULL),
	C_TEXT(person, phone_mask, .flags = VIEW_NULL),
	C_CODE(person, source, person_sources),
	C_CODE(person, ground, person_grounds),
	C_INT(person, as_of, .about = "day it was learned, yyyymmdd"),
	C_TIME(person, created_at),
	C_TIME(person, updated_at),
	C_TIME(person, gone_at, .flags = VIEW_NULL),
	C_TEXT(person, own_mask, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_BOOL(person, numbered, .flags = VIEW_HIDDEN),
	C_TEXT(person, id_number, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_TEXT(person, phone, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_CALC("id_mask", SHAPE_TEXT, file_number, .flags = VIEW_NULL,
	    .about = "null for heads"),
	C_CALC("needs", SHAPE_OBJECTS, file_needs, .sub = &need_view),
	C_CALC("facts", SHAPE_OBJECTS, file_facts, .sub = &person_fact_view,
	    .about = "where each field is from, and of which day"),
	C_CALC("homes", SHAPE_OBJECTS, file_homes, .sub = &person_home_view),
	C_CALC("notice", SHAPE_TEXT, file_notice, .flags = VIEW_NULL,
	    .about = "what to look at again, in Chinese"),
	C_END
};
const struct view person_view = VIEW(person, "Person");

struct person_id {
	int64_t		 id;
};

static const struct field person_id_fields[] = {
	F_ID(person_id, id, "居民", MUST),
	F_END
};
static const struct shape person_id_shape = SHAPE(person_id, "PersonId");

/* Whoever answers for one of the homes; who has none is the desk's. */
#define REACHED(bits)							\
	"(" SCOPE_HAS(bits, "1") " OR EXISTS (SELECT 1 FROM member m"	\
	" JOIN household h ON h.community_id = m.community_id"		\
	" AND h.id = m.household_id WHERE m.community_id = $1"		\
	" AND m.person_id = $2 AND m.to_at IS NULL"			\
	" AND h.to_at IS NULL AND "					\
	SCOPE_COVERS("$1", "h.dwelling_id", bits, "$4", "$5") "))"

enum { PERSON_GET, PERSON_FACTS, PERSON_HOMES, PERSON_SQL_MAX };

static struct stmt person_sql[] = {
	[PERSON_GET] = { RO, 5, &person_view,
	    "SELECT p.id, p.household_id, p.dwelling_id,"
	    " q.full_name AS place, p.name, p.sex, p.born, p.id_type,"
	    " p.phone_mask, p.source, p.ground, p.as_of, p.created_at,"
	    " p.updated_at, p.gone_at, p.id_mask AS own_mask,"
	    " CASE WHEN " REACHED(SCOPE_NOT_HEAD("$3")) " THEN 1 ELSE 0"
	    " END AS numbered, p.id_number, p.phone"
	    " FROM person p" PERSON_PLACE
	    " WHERE p.community_id = $1 AND p.id = $2 AND " REACHED("$3"),
	    NULL, 0 },
	[PERSON_FACTS] = { RO, 2, &person_fact_view,
	    "SELECT field, source, ground, as_of FROM person_fact"
	    " WHERE community_id = $1 AND person_id = $2", NULL, 0 },
	[PERSON_HOMES] = { RO, 2, &person_home_view,
	    "SELECT m.household_id, h.dwelling_id, q.full_name AS place,"
	    " m.relation, m.from_at,"
	    " CASE WHEN m.to_at IS NULL THEN h.to_at ELSE m.to_at END"
	    " AS to_at FROM member m"
	    " JOIN household h ON h.community_id = m.community_id"
	    " AND h.id = m.household_id"
	    " JOIN place q ON q.community_id = h.community_id"
	    " AND q.id = h.dwelling_id"
	    " WHERE m.community_id = $1 AND m.person_id = $2"
	    " ORDER BY m.from_at DESC, m.household_id DESC", NULL, 0 },
};

enum err
person_reach(struct req *rq, int64_t id, struct person *ret)
{
	memset(ret, 0, sizeof(*ret));
	return db_one(rq->db, rq->arena, &person_sql[PERSON_GET],
	    WITH(V(rq->who.community_id), V(id), V(scope_bits(rq)),
	    V(rq->who.user_id), V(rq->now)), ret);
}

/* A field's own row when it is not older than the person's as a whole. */
static enum err
read_facts(struct req *rq, struct person *p)
{
	struct person_fact	*all, row;
	struct rows		 rows;
	enum err		 e;
	size_t			 i;

	all = ARENA_ARRAY(rq->arena, struct person_fact, FACTS_MAX);
	for (i = 0; i < FACTS_MAX; i++)
		all[i] = (struct person_fact){ fact_fields[i], p->source,
		    p->ground, p->as_of };
	e = db_query(rq->db, &person_sql[PERSON_FACTS],
	    WITH(V(rq->who.community_id), V(p->id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		for (i = 0; i < FACTS_MAX; i++) {
			if (strcmp(row.field, fact_fields[i]) != 0 ||
			    row.as_of < p->as_of)
				continue;
			all[i].source = arena_str(rq->arena, row.source);
			all[i].ground = arena_str(rq->arena, row.ground);
			all[i].as_of = row.as_of;
		}
	p->facts = (struct field_list){ FACTS_MAX, all };
	return db_end(&rows);
}

static enum err
read_homes(struct req *rq, struct person *p)
{
	struct person_home	*all;
	struct rows		 rows;
	enum err		 e;
	size_t			 n = 0;

	all = ARENA_ARRAY(rq->arena, struct person_home, HOMES_MAX);
	e = db_query(rq->db, &person_sql[PERSON_HOMES],
	    WITH(V(rq->who.community_id), V(p->id)), &rows);
	if (e != OK)
		return e;
	while (n < HOMES_MAX && db_each(&rows, &all[n])) {
		all[n].place = arena_str(rq->arena, all[n].place);
		all[n].relation = arena_str(rq->arena, all[n].relation);
		n++;
	}
	p->homes = (struct field_list){ n, all };
	return db_end(&rows);
}

enum err
person_answer(struct req *rq, int64_t id, const char *notice)
{
	struct person	p;
	enum err	e;

	if ((e = person_reach(rq, id, &p)) != OK ||
	    (e = read_facts(rq, &p)) != OK ||
	    (e = read_homes(rq, &p)) != OK ||
	    (e = need_list(rq, &p, &p.needs)) != OK)
		return e;
	p.notice = notice;
	audit_thing(rq, "person", id);
	audit_subject(rq, id, NULL);
	return req_one(rq, &p);
}

static enum err
person_get(struct req *rq)
{
	const struct person_id	*in = rq->in;

	return person_answer(rq, in->id, NULL);
}

static const struct route person_routes[] = {
	{ GET, "/api/v1/persons/{id}", PERSON_READERS, &person_id_shape,
	    REPLY_ONE, &person_view, 200, POOL_API, TX_WRITE,
	    person_get, "A person's file; the look is recorded, and the"
	    " person can read it" },
	{ 0 }
};

void
person_register(void)
{
	db_register(person_sql, PERSON_SQL_MAX);
	person_list_register();
	route_register("persons", person_routes);
	person_write_register();
	person_look_register();
}
