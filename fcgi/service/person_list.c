/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person_list.c -- persons in lists, by where they live and by full value.
 *
 * One statement a filter, each driven by the index that fits it; nothing
 * is opened for a list, so that it costs no more than what it shows.  What
 * says who somebody is comes in a body: addresses stand in logs.
 */
#include <string.h>

#include "base/crypt.h"
#include "base/idcard.h"
#include "base/text.h"
#include "http/req.h"
#include "service/person_internal.h"
#include "service/service.h"

struct person_query {
	int64_t		 dwelling_id;
	int64_t		 household_id;
	int64_t		 unit_id;
	int64_t		 grid_id;
	const char	*name;
	const char	*phone;
	const char	*id_number;
	int64_t		 id_type;
	int64_t		 need;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field person_query_fields[] = {
	F_ID(person_query, dwelling_id, "房屋", MAY),
	F_ID(person_query, household_id, "住户", MAY),
	F_ID(person_query, unit_id, "联户单元", MAY),
	F_ID(person_query, grid_id, "网格", MAY),
	F_ENUM(person_query, need, "关爱类别", MAY, need_kinds),
	F_PAGE(person_query),
	F_END
};
static const struct shape person_query_shape =
    SHAPE(person_query, "PersonQuery");

static const struct field person_search_fields[] = {
	F_TEXT(person_query, name, "姓名", MAY, 1, 40),
	F_PHONE(person_query, phone, "手机号码", MAY),
	F_TEXT(person_query, id_number, "证件号码", MAY, 1, 40),
	F_ENUM(person_query, id_type, "证件类型", MAY, person_id_types),
	F_ENUM(person_query, need, "关爱类别", MAY, need_kinds),
	F_PAGE(person_query),
	F_END
};
static const struct shape person_search_shape = {
	.name = "PersonSearch", .size = sizeof(struct person_query),
	.fields = person_search_fields };

/*
 * $1 community, $2 bits, $3 user, $4 now, $5 after, $6 limit, $7 index of
 * the need or NULL, $8 and $9 born from and to of a need of age.  The plus
 * keeps SQLite from walking all persons by id where a filter is better.
 */
#define FROM_PERSON							\
	"SELECT " PERSON_LINE("$2", "$3", "$4") " FROM person p" PERSON_PLACE
#define HERE_NOW							\
	" p.community_id = $1 AND p.gone_at IS NULL AND +p.id > $5"
#define COVERED SCOPE_COVERS("$1", "p.dwelling_id", "$2", "$3", "$4")
#define NEEDED								\
	" AND (CAST($7 AS TEXT) IS NULL OR p.born BETWEEN $8 AND $9"	\
	" OR EXISTS (SELECT 1 FROM need n WHERE n.community_id = $1"	\
	" AND n.person_id = p.id AND n.kind_index = $7"			\
	" AND n.ended_at IS NULL))"
#define PAGED " ORDER BY p.id LIMIT $6"

enum { LIST_ALL, LIST_MINE, LIST_NEED, LIST_DWELLING, LIST_HOUSEHOLD,
	LIST_UNIT, LIST_GRID, LIST_NAME, LIST_PHONE, LIST_NUMBER,
	LIST_SQL_MAX };

static struct stmt list_sql[] = {
	[LIST_ALL] = { RO, 9, &person_line_view,
	    FROM_PERSON " WHERE p.community_id = $1 AND p.gone_at IS NULL"
	    " AND p.id > $5 AND " COVERED NEEDED PAGED, NULL, 0 },
	[LIST_MINE] = { RO, 9, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW
	    " AND p.dwelling_id IN (SELECT mine.dwelling_id FROM "
	    SCOPE_MINE("$2", "$3", "$4") " mine"
	    " WHERE mine.community_id = $1)" NEEDED PAGED, NULL, 0 },
	[LIST_NEED] = { RO, 9, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.id IN"
	    " (SELECT n.person_id FROM need n WHERE n.community_id = $1"
	    " AND n.kind_index = CAST($7 AS TEXT) AND n.ended_at IS NULL"
	    " UNION SELECT o.id FROM person o WHERE o.community_id = $1"
	    " AND o.born BETWEEN $8 AND $9) AND " COVERED PAGED,
	    NULL, 0 },
	[LIST_DWELLING] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.dwelling_id = $10 AND "
	    COVERED NEEDED PAGED, NULL, 0 },
	[LIST_HOUSEHOLD] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.id IN (SELECT m.person_id"
	    " FROM member m WHERE m.community_id = $1"
	    " AND m.household_id = $10 AND m.to_at IS NULL) AND " COVERED
	    NEEDED PAGED, NULL, 0 },
	[LIST_UNIT] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.dwelling_id IN "
	    PERSON_OF_UNIT("$1", "$10", "$4") " AND " COVERED NEEDED PAGED,
	    NULL, 0 },
	[LIST_GRID] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.dwelling_id IN "
	    PERSON_OF_GRID("$1", "$10", "$4") " AND " COVERED NEEDED PAGED,
	    NULL, 0 },
	[LIST_NAME] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.name = $10 AND " COVERED
	    NEEDED PAGED, NULL, 0 },
	[LIST_PHONE] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.phone_index = $10 AND "
	    COVERED NEEDED PAGED, NULL, 0 },
	[LIST_NUMBER] = { RO, 10, &person_line_view,
	    FROM_PERSON " WHERE" HERE_NOW " AND p.id_index = $10 AND "
	    COVERED NEEDED PAGED, NULL, 0 },
};

/* What a list is to be of. */
struct choice {
	int		 sql;
	struct value	 value;
	const char	*field;		/* the last filter given */
	int		 n;		/* how many were */
	const char	*need;		/* index, or NULL */
	int64_t		 from, to;	/* born */
};

static void
choose(struct choice *c, int sql, const char *field, struct value value)
{
	c->field = field;
	c->sql = sql;
	c->value = value;
	c->n++;
}

/* A number as it is indexed: tidied, its type before it. */
static enum err
choose_number(struct req *rq, struct choice *c)
{
	const struct person_query	*in = rq->in;
	char				 tidy[48];
	const char			*typed;
	size_t				 n, i;

	if ((scope_bits(rq) & ~(int64_t)SCOPE_HEAD) == 0)
		return req_fail(rq, ERR_FORBIDDEN,
		    "联户长不能按证件号码查找，请按姓名或手机号码查找。");
	n = text_narrow(in->id_number, tidy, sizeof(tidy));
	if (n == 0 || n >= sizeof(tidy))
		return req_field(rq, "id_number", "format",
		    "请填写完整的证件号码。");
	for (i = 0; i < n; i++)
		if (tidy[i] >= 'a' && tidy[i] <= 'z')
			tidy[i] -= 'a' - 'A';
	typed = arena_fmt(rq->arena, "%s:%s", person_id_types[in->id_type],
	    tidy);
	choose(c, LIST_NUMBER, "id_number",
	    V(crypt_index(rq->arena, "id_number", typed)));
	return OK;
}

static enum err
choose_one(struct req *rq, const struct choice *c)
{
	if (c->n <= 1)
		return OK;
	return req_field(rq, c->field, "one_only",
	    "一次只能按一种条件查找，请去掉多余的条件。");
}

/* At most one place besides the need. */
static enum err
choose_place(struct req *rq, struct choice *c)
{
	const struct person_query	*in = rq->in;

	if (in->dwelling_id != 0)
		choose(c, LIST_DWELLING, "dwelling_id", V(in->dwelling_id));
	if (in->household_id != 0)
		choose(c, LIST_HOUSEHOLD, "household_id", V(in->household_id));
	if (in->unit_id != 0)
		choose(c, LIST_UNIT, "unit_id", V(in->unit_id));
	if (in->grid_id != 0)
		choose(c, LIST_GRID, "grid_id", V(in->grid_id));
	return choose_one(rq, c);
}

/* One full value. */
static enum err
choose_value(struct req *rq, struct choice *c)
{
	const struct person_query	*in = rq->in;
	enum err			 e;

	if (in->name != NULL)
		choose(c, LIST_NAME, "name", V(in->name));
	if (in->phone != NULL)
		choose(c, LIST_PHONE, "phone",
		    V(crypt_index(rq->arena, "phone", in->phone)));
	if (in->id_number != NULL && (e = choose_number(rq, c)) != OK)
		return e;
	if (c->n == 0)
		return req_field(rq, "phone", "required",
		    "请填写手机号码、证件号码或姓名中的一项。");
	return choose_one(rq, c);
}

static void
choose_need(struct req *rq, struct choice *c)
{
	const struct person_query	*in = rq->in;
	const char			*kind;

	c->from = 1;
	c->to = 0;
	if (!field_given(rq, "need"))
		return;
	kind = need_kinds[in->need];
	c->need = crypt_index(rq->arena, "need", kind);
	if (!need_of_age(kind, person_today(rq), &c->from, &c->to)) {
		c->from = 1;
		c->to = 0;
	}
}

static enum err
answer(struct req *rq, struct choice *chosen)
{
	const struct person_query	*in = rq->in;
	int64_t				 limit = req_limit(in->limit);
	int64_t				 bits = scope_bits(rq);
	struct choice			 c = *chosen;
	struct values			 v;

	choose_need(rq, &c);
	/* A head finds nobody by number: only homes of another post. */
	if (c.sql == LIST_NUMBER)
		bits &= ~(int64_t)SCOPE_HEAD;
	if (c.n == 0 && (bits & SCOPE_ALL) == 0)
		c.sql = LIST_MINE;
	else if (c.n == 0 && c.need != NULL)
		c.sql = LIST_NEED;
	v = WITH(V(rq->who.community_id), V(bits), V(rq->who.user_id),
	    V(rq->now), V(in->after), V(limit + 1), V(c.need), V(c.from),
	    V(c.to), c.value);
	v.n = list_sql[c.sql].nargs;
	return req_list(rq, &list_sql[c.sql], v, limit);
}

static enum err
person_list(struct req *rq)
{
	struct choice	c = { .sql = LIST_ALL };
	enum err	e = choose_place(rq, &c);

	return e != OK ? e : answer(rq, &c);
}

static enum err
person_search(struct req *rq)
{
	struct choice	c = { .sql = LIST_ALL };
	enum err	e = choose_value(rq, &c);

	return e != OK ? e : answer(rq, &c);
}

static const struct route list_routes[] = {
	{ GET, "/api/v1/persons", PERSON_READERS, &person_query_shape,
	    REPLY_LIST, &person_line_view, 200, POOL_API, TX_READ,
	    person_list, "Persons the caller answers for, masked" },
	/* Reads, and is a POST so that no number stands in an address. */
	{ POST, "/api/v1/persons/search", PERSON_READERS,
	    &person_search_shape,
	    REPLY_LIST, &person_line_view, 200, POOL_API, TX_READ,
	    person_search, "Persons the caller answers for by phone, number"
	    " or name, each in full" },
	{ 0 }
};

void
person_list_register(void)
{
	db_register(list_sql, LIST_SQL_MAX);
	route_register("persons", list_routes);
}
