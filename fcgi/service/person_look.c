/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person_look.c -- a clear value, to one who says why.
 *
 * Each look is a row of the audit with its reason, for the person to read.
 * They are counted by the day; who needs more takes an export, to which a
 * second person agrees.
 */
#include <string.h>

#include "base/crypt.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/person_internal.h"
#include "service/service.h"

#define LOOKS_A_DAY	60
#define SECONDS_A_DAY	86400

static const char *const look_fields[] = { "phone", "id_number", NULL };
enum { LOOK_PHONE, LOOK_NUMBER };

struct person_look {
	int64_t		 id;
	int64_t		 field;
	const char	*reason;
};

static const struct field person_look_fields[] = {
	F_ID(person_look, id, "居民", MUST),
	F_ENUM(person_look, field, "要查看的内容", MUST, look_fields),
	F_TEXT(person_look, reason, "查看原因", MUST, 4, 200),
	F_END
};
static const struct shape person_look_shape =
    SHAPE(person_look, "PersonLook");

struct person_clear {
	int64_t		 id;
	const char	*field;
	const char	*value;
	int64_t		 left;
};

static const struct view_column person_clear_columns[] = {
	C_ID(person_clear, id),
	C_CODE(person_clear, field, look_fields),
	C_TEXT(person_clear, value, .about = "in clear"),
	C_INT(person_clear, left, .about = "looks left today"),
	C_END
};
static const struct view person_clear_view =
    VIEW(person_clear, "PersonClear");

struct look_count {
	int64_t		 looks;
};

static const struct view_column look_count_columns[] = {
	C_INT(look_count, looks),
	C_END
};
static const struct view look_count_view = VIEW(look_count, "LookCount");

enum { LOOK_BEGIN, LOOK_COUNT, LOOK_LEFT, LOOK_SQL_MAX };

static struct stmt look_sql[] = {
	[LOOK_BEGIN] = { RW, 3, NULL,
	    "INSERT INTO look_count (community_id, user_id, day, looks)"
	    " VALUES ($1, $2, $3, 0)"
	    " ON CONFLICT (community_id, user_id, day) DO NOTHING",
	    NULL, 0 },
	[LOOK_COUNT] = { RW, 4, NULL,
	    "UPDATE look_count SET looks = looks + 1"
	    " WHERE community_id = $1 AND user_id = $2 AND day = $3"
	    " AND looks < $4", NULL, 0 },
	[LOOK_LEFT] = { RO, 3, &look_count_view,
	    "SELECT looks FROM look_count WHERE community_id = $1"
	    " AND user_id = $2 AND day = $3", NULL, 0 },
};

/* One look more today; how many are left. */
static enum err
count_look(struct req *rq, int64_t *ret_left)
{
	int64_t			day = person_today(rq), n;
	struct look_count	count;
	enum err		e;

	e = db_run(rq->db, &look_sql[LOOK_BEGIN],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(day)),
	    NULL);
	if (e != OK)
		return e;
	e = db_run(rq->db, &look_sql[LOOK_COUNT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(day),
	    V(LOOKS_A_DAY)), &n);
	if (e != OK)
		return e;
	if (n == 0) {
		rq->retry_after = SECONDS_A_DAY / 24;
		return req_failf(rq, ERR_LIMITED, "今天已查看 %d 次完整信息。"
		    "如需批量使用，请申请导出，由另一位工作人员同意后办理。",
		    LOOKS_A_DAY);
	}
	e = db_one(rq->db, rq->arena, &look_sql[LOOK_LEFT],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(day)),
	    &count);
	*ret_left = LOOKS_A_DAY - count.looks;
	return e;
}

static enum err
open_value(struct req *rq, const struct person *p, int64_t field,
    const char **ret)
{
	const char	*sealed = field == LOOK_PHONE ? p->phone :
			    p->id_number;

	if (sealed == NULL)
		return req_fail(rq, ERR_ABSENT, field == LOOK_PHONE ?
		    "没有登记这位居民的手机号码。" :
		    "没有登记这位居民的证件号码。");
	*ret = crypt_open(rq->arena, look_fields[field], sealed);
	return *ret == NULL ? ERR_INTERNAL : OK;
}

static enum err
person_look(struct req *rq)
{
	const struct person_look	*in = rq->in;
	struct person_clear		 row = { .id = in->id };
	struct person			 p;
	enum err			 e;

	if ((e = person_reach(rq, in->id, &p)) != OK)
		return e;
	if (in->field == LOOK_NUMBER && !p.numbered)
		return req_fail(rq, ERR_FORBIDDEN,
		    "联户长不能查看证件号码，如有需要请联系社区工作人员。");
	row.field = look_fields[in->field];
	if ((e = open_value(rq, &p, in->field, &row.value)) != OK ||
	    (e = count_look(rq, &row.left)) != OK)
		return e;
	rq->once = true;
	audit_thing(rq, in->field == LOOK_PHONE ? "phone" : "id_number",
	    in->id);
	audit_subject(rq, in->id, in->reason);
	return req_one(rq, &row);
}

static const struct route look_routes[] = {
	{ POST, "/api/v1/persons/{id}/clear-look", PERSON_READERS,
	    &person_look_shape,
	    REPLY_ONE, &person_clear_view, 200, POOL_API, TX_WRITE,
	    person_look, "Phone or number in clear, for a reason that the"
	    " person can read" },
	{ 0 }
};

void
person_look_register(void)
{
	db_register(look_sql, LOOK_SQL_MAX);
	route_register("persons", look_routes);
}
