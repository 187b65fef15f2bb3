/* SPDX-License-Identifier: Apache-2.0 */
/*
 * need.c -- what a person needs, with source, day and ground.
 *
 * Kind and words lie sealed together; a blind index of the kind finds them.
 * What follows from the day of birth is calculated and not kept, as long as
 * that day is known.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/text.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/person_internal.h"
#include "service/service.h"

#define NEEDS_MAX	16
#define NOTE_MAX	200
#define YEAR		10000		/* in yyyymmdd */

const char *const need_kinds[] = { "alone", "over_80", "disabled",
    "pregnant", "minor", "chronic", "low_income", "other", NULL };

bool
need_of_age(const char *kind, int64_t today, int64_t *ret_from,
    int64_t *ret_to)
{
	bool	old = strcmp(kind, "over_80") == 0;

	if (!old && strcmp(kind, "minor") != 0)
		return false;
	*ret_from = old ? 0 : today - 18 * YEAR + 1;
	*ret_to = old ? today - 80 * YEAR : today;
	return true;
}

/*
 * The sealed JSON is our own: {"kind":"...","note":...}, with the note last
 * and escaped.  So its members are found by place.
 */
static void
put_body(struct json *j, const struct req *rq, const void *row, bool note)
{
	static const char	 head[] = "{\"kind\":\"";
	static const char	 middle[] = "\",\"note\":";
	const struct need	*n = row;
	const char		*body, *mid = NULL;
	size_t			 len;

	if (n->derived != NULL) {
		json_text(j, note ? NULL : n->derived);
		return;
	}
	body = n->body == NULL ? NULL :
	    crypt_open(rq->arena, "need", n->body);
	if (body != NULL && strncmp(body, head, sizeof(head) - 1) == 0)
		mid = strstr(body + sizeof(head) - 1, middle);
	if (mid == NULL) {
		json_text(j, note ? NULL : "other");
		return;
	}
	if (!note) {
		body += sizeof(head) - 1;
		json_textn(j, body, (size_t)(mid - body));
		return;
	}
	mid += sizeof(middle) - 1;
	len = strlen(mid);
	json_raw(j, len < 3 ? "null" : arena_copy(rq->arena, mid, len - 1));
}

static void
need_kind(struct json *j, const struct req *rq, const void *row)
{
	put_body(j, rq, row, false);
}

static void
need_note(struct json *j, const struct req *rq, const void *row)
{
	put_body(j, rq, row, true);
}

static void
need_derived(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_bool(j, ((const struct need *)row)->derived != NULL);
}

static const struct view_column need_columns[] = {
	C_ID(need, id, .flags = VIEW_NULL,
	    .about = "null when it follows from the age"),
	C_CODE(need, source, person_sources),
	C_CODE(need, ground, person_grounds),
	C_INT(need, as_of, .about = "day it was learned, yyyymmdd"),
	C_TIME(need, created_at),
	C_TEXT(need, body, .flags = VIEW_HIDDEN),
	C_CALC("kind", SHAPE_TEXT, need_kind, .about = "alone, over_80,"
	    " disabled, pregnant, minor, chronic, low_income, other"),
	C_CALC("note", SHAPE_TEXT, need_note, .flags = VIEW_NULL),
	C_CALC("derived", SHAPE_BOOL, need_derived,
	    .about = "from the day of birth; nobody has to ask"),
	C_END
};
const struct view need_view = VIEW(need, "Need");

struct need_new {
	int64_t		 id;
	int64_t		 kind;
	const char	*note;
	int64_t		 source;
	int64_t		 ground;
	int64_t		 as_of;
};

static const struct field need_new_fields[] = {
	F_ID(need_new, id, "居民", MUST),
	F_ENUM(need_new, kind, "关爱类别", MUST, need_kinds),
	F_TEXT(need_new, note, "说明", MAY, 0, NOTE_MAX),
	F_ENUM(need_new, source, "信息来源", MUST, person_sources),
	F_ENUM(need_new, ground, "采集依据", MUST, person_grounds),
	F_INT(need_new, as_of, "了解日期", MAY, 0, 99999999),
	F_END
};
static const struct shape need_new_shape = SHAPE(need_new, "NeedNew");

struct need_id {
	int64_t		 id;
};

static const struct field need_id_fields[] = {
	F_ID(need_id, id, "关爱信息", MUST),
	F_END
};
static const struct shape need_id_shape = SHAPE(need_id, "NeedId");

struct need_owner {
	int64_t		 person_id;
};

static const struct view_column need_owner_columns[] = {
	C_ID(need_owner, person_id),
	C_END
};
static const struct view need_owner_view = VIEW(need_owner, "NeedOwner");

enum { NEED_LIST, NEED_OF_KIND, NEED_GET, NEED_OWNER, NEED_ADD, NEED_END,
	NEED_SQL_MAX };

#define NEED_SELECT							\
	"SELECT id, source, ground, as_of, created_at, body FROM need"	\
	" WHERE community_id = $1"

static struct stmt need_sql[] = {
	[NEED_LIST] = { RO, 2, &need_view,
	    NEED_SELECT " AND person_id = $2 AND ended_at IS NULL"
	    " ORDER BY id", NULL, 0 },
	[NEED_OF_KIND] = { RO, 3, &need_view,
	    NEED_SELECT " AND person_id = $2 AND kind_index = $3"
	    " AND ended_at IS NULL", NULL, 0 },
	[NEED_GET] = { RO, 2, &need_view,
	    NEED_SELECT " AND id = $2", NULL, 0 },
	[NEED_OWNER] = { RO, 2, &need_owner_view,
	    "SELECT person_id FROM need WHERE community_id = $1"
	    " AND id = $2 AND ended_at IS NULL", NULL, 0 },
	[NEED_ADD] = { RW, 10, NULL,
	    "INSERT INTO need (community_id, id, person_id, kind_index,"
	    " body, source, ground, as_of, by_id, created_at) VALUES"
	    " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", NULL, 0 },
	[NEED_END] = { RW, 3, NULL,
	    "UPDATE need SET ended_at = $3 WHERE community_id = $1"
	    " AND id = $2 AND ended_at IS NULL", NULL, 0 },
};

/* A need of age, with what is known of the day of birth. */
static bool
derive(const struct req *rq, const struct person *p, const char *kind,
    struct need *ret)
{
	int64_t	from, to;

	if (p->born == VIEW_NULL_INT ||
	    !need_of_age(kind, person_today(rq), &from, &to) ||
	    p->born < from || p->born > to)
		return false;
	*ret = (struct need){ .id = VIEW_NULL_INT, .source = p->source,
	    .ground = p->ground, .as_of = p->as_of,
	    .created_at = p->created_at, .derived = kind };
	return true;
}

enum err
need_list(struct req *rq, const struct person *p, struct field_list *ret)
{
	struct need	*all;
	struct rows	 rows;
	enum err	 e;
	size_t		 n = 0;

	all = ARENA_ARRAY(rq->arena, struct need, NEEDS_MAX);
	n += derive(rq, p, "over_80", &all[n]);
	n += derive(rq, p, "minor", &all[n]);
	e = db_query(rq->db, &need_sql[NEED_LIST],
	    WITH(V(rq->who.community_id), V(p->id)), &rows);
	if (e != OK)
		return e;
	while (n < NEEDS_MAX && db_each(&rows, &all[n])) {
		all[n].source = arena_str(rq->arena, all[n].source);
		all[n].ground = arena_str(rq->arena, all[n].ground);
		all[n].body = arena_str(rq->arena, all[n].body);
		n++;
	}
	*ret = (struct field_list){ n, all };
	return db_end(&rows);
}

/* Said once is enough: who asks again hears when, and from where. */
static enum err
known_already(struct req *rq, const struct person *p, const char *kind,
    const char *index)
{
	static const char *const	 said[] = { "花名册", "本人填报",
	    "入户走访", "窗口登记", "其他来源" };
	struct need			 old;
	enum err			 e;
	int64_t				 from, to;
	int				 i = 0;

	if (p->born != VIEW_NULL_INT &&
	    need_of_age(kind, person_today(rq), &from, &to))
		return req_fail(rq, ERR_CONFLICT, "已登记出生日期，系统会"
		    "按年龄自动得出，不需要另行登记。");
	memset(&old, 0, sizeof(old));
	e = db_one(rq->db, rq->arena, &need_sql[NEED_OF_KIND],
	    WITH(V(rq->who.community_id), V(p->id), V(index)), &old);
	if (e != OK)
		return e == ERR_ABSENT ? OK : e;
	while (person_sources[i + 1] != NULL &&
	    strcmp(person_sources[i], old.source) != 0)
		i++;
	return req_failf(rq, ERR_CONFLICT, "这项情况已经登记过（%d年%d月"
	    "%d日，来源：%s），不必再问。如有变化，请先删除再登记。",
	    (int)(old.as_of / 10000), (int)(old.as_of / 100 % 100),
	    (int)(old.as_of % 100), said[i]);
}

static const char *
seal_body(struct req *rq, const char *kind, const char *note)
{
	struct buf	 b;
	struct json	 j;
	const char	*sealed;

	buf_init(&b, 16 << 10);
	json_init(&j, &b);
	json_open(&j);
	json_put_text(&j, "kind", kind);
	json_put_text(&j, "note", note);
	json_close(&j);
	sealed = crypt_seal(rq->arena, "need", buf_text(&b));
	buf_free(&b);
	return sealed;
}

static enum err
need_answer(struct req *rq, int64_t id, int64_t person_id)
{
	struct need	n;
	enum err	e;

	memset(&n, 0, sizeof(n));
	e = db_one(rq->db, rq->arena, &need_sql[NEED_GET],
	    WITH(V(rq->who.community_id), V(id)), &n);
	if (e != OK)
		return e;
	audit_thing(rq, "need", id);
	audit_subject(rq, person_id, NULL);
	return req_one(rq, &n);
}

static enum err
need_add(struct req *rq)
{
	const struct need_new	*in = rq->in;
	const char		*kind = need_kinds[in->kind], *index;
	int64_t			 id = id_new(), as_of = in->as_of;
	struct person		 p;
	enum err		 e;

	if ((e = person_reach(rq, in->id, &p)) != OK ||
	    (e = person_as_of(rq, &as_of)) != OK)
		return e;
	index = crypt_index(rq->arena, "need", kind);
	if ((e = known_already(rq, &p, kind, index)) != OK)
		return e;
	e = db_run(rq->db, &need_sql[NEED_ADD],
	    WITH(V(rq->who.community_id), V(id), V(in->id), V(index),
	    V(seal_body(rq, kind, in->note)), V(person_sources[in->source]),
	    V(person_grounds[in->ground]), V(as_of), V(rq->who.user_id),
	    V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return req_fail(rq, ERR_CONFLICT,
		    "这项情况刚刚有人登记过，请刷新后查看。");
	return e != OK ? e : need_answer(rq, id, in->id);
}

static enum err
need_end(struct req *rq)
{
	const struct need_id	*in = rq->in;
	struct need_owner	 owner;
	struct person		 p;
	enum err		 e;
	int64_t			 n;

	e = db_one(rq->db, rq->arena, &need_sql[NEED_OWNER],
	    WITH(V(rq->who.community_id), V(in->id)), &owner);
	if (e != OK || (e = person_reach(rq, owner.person_id, &p)) != OK)
		return e;
	e = db_run(rq->db, &need_sql[NEED_END],
	    WITH(V(rq->who.community_id), V(in->id), V(rq->now)), &n);
	if (e != OK)
		return e;
	audit_thing(rq, "need", in->id);
	audit_subject(rq, owner.person_id, NULL);
	return n == 0 ? ERR_ABSENT : OK;
}

static const struct route need_routes[] = {
	{ POST, "/api/v1/persons/{id}/needs", PERSON_READERS,
	    &need_new_shape,
	    REPLY_ONE, &need_view, 201, POOL_API, TX_WRITE,
	    need_add, "Note what a person needs" },
	{ DELETE, "/api/v1/needs/{id}", PERSON_READERS, &need_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    need_end, "It is no longer needed" },
	{ 0 }
};

void
need_register(void)
{
	db_register(need_sql, NEED_SQL_MAX);
	route_register("persons", need_routes);
}
