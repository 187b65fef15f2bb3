/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post_deputy.c -- who stands in for the holder of a post, and when the
 * holder is on duty.
 *
 * A deputy's post lies within the time of the post it stands in for, and
 * no two deputies of one post stand in at once.
 */
#include <string.h>

#include "base/id.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/post.h"
#include "service/post_internal.h"
#include "service/service.h"

#define TIMES_MAX 50		/* of one post */

struct deputy_new {
	int64_t		 id;
	int64_t		 user_id;
	const char	*name;
	int64_t		 from;
	int64_t		 to;
};

static const struct field deputy_new_fields[] = {
	F_ID(deputy_new, id, "任职", MUST),
	F_ID(deputy_new, user_id, "代理人", MUST),
	F_TEXT(deputy_new, name, "姓名", MAY, 1, 40),
	F_TIME(deputy_new, from, "开始时间", MUST),
	F_TIME(deputy_new, to, "结束时间", MUST),
	F_END
};
static const struct shape deputy_new_shape =
    SHAPE(deputy_new, "DeputyNew");

struct time_in {
	int64_t		 weekday;
	int64_t		 from_minute;
	int64_t		 to_minute;
};

static const struct field time_in_fields[] = {
	F_INT(time_in, weekday, "星期", MUST, 1, 7),
	F_INT(time_in, from_minute, "开始时间", MUST, 0, 1439),
	F_INT(time_in, to_minute, "结束时间", MUST, 1, 1440),
	F_END
};
static const struct shape time_in_shape = SHAPE(time_in, "DutyTimeNew");

struct times_in {
	int64_t			 id;
	struct field_list	 times;
};

static const struct field times_in_fields[] = {
	F_ID(times_in, id, "任职", MUST),
	F_LIST(times_in, times, "值班时间", MUST, 0, TIMES_MAX,
	    &time_in_shape),
	F_END
};
static const struct shape times_in_shape = SHAPE(times_in, "DutyTimes");

struct deputy_name {
	const char	*name;
};

static const struct view_column deputy_name_columns[] = {
	C_TEXT(deputy_name, name),
	C_END
};
static const struct view deputy_name_view =
    VIEW(deputy_name, "DeputyName");

enum { DEPUTY_OTHER, DEPUTY_ADD, DEPUTY_TIMES_CLEAR, DEPUTY_TIMES_ADD,
	DEPUTY_SQL_MAX };

static struct stmt deputy_sql[] = {
	[DEPUTY_OTHER] = { RO, 4, &deputy_name_view,
	    "SELECT name FROM post WHERE community_id = $1"
	    " AND deputy_of = $2 AND from_at < $4"
	    " AND (to_at IS NULL OR to_at > $3) ORDER BY from_at LIMIT 1",
	    NULL, 0 },
	[DEPUTY_ADD] = { RW, 11, NULL,
	    "INSERT INTO post (community_id, id, role, scope, scope_id,"
	    " user_id, name, deputy_of, from_at, to_at, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	    NULL, 0 },
	[DEPUTY_TIMES_CLEAR] = { RW, 2, NULL,
	    "DELETE FROM duty_time WHERE community_id = $1"
	    " AND post_id = $2", NULL, 0 },
	[DEPUTY_TIMES_ADD] = { RW, 5, NULL,
	    "INSERT INTO duty_time (community_id, post_id, weekday,"
	    " from_minute, to_minute) VALUES ($1, $2, $3, $4, $5)",
	    NULL, 0 },
};

struct standing_in {
	struct deputy_new	 in;
	int64_t			 id;
};

static enum err
check_dates(struct req *rq, const struct deputy_new *in,
    const struct post *p)
{
	if (in->to <= in->from || in->to <= rq->now)
		return req_field(rq, "to", "too_small",
		    "结束时间应晚于开始时间和现在。");
	if (in->from < p->from_at)
		return req_field(rq, "from", "too_small",
		    "代理不能早于原任职的开始时间。");
	if (p->to_at != VIEW_NULL_INT && in->to > p->to_at)
		return req_field(rq, "to", "too_large",
		    "代理不能晚于原任职的结束时间。");
	return OK;
}

static enum err
check_deputy(struct req *rq, const struct deputy_new *in,
    const struct post *p, struct post_user *ret)
{
	struct deputy_name	other;
	enum err		e;

	if (p->deputy_of != VIEW_NULL_INT)
		return req_fail(rq, ERR_STATE,
		    "代理任职不能再指定代理，请在原任职上操作。");
	if (p->to_at != VIEW_NULL_INT && p->to_at <= rq->now)
		return req_fail(rq, ERR_STATE, "这个任职已经结束。");
	if ((e = check_dates(rq, in, p)) != OK)
		return e;
	if (in->user_id == p->user_id)
		return req_field(rq, "user_id", "same",
		    "代理人不能是本人，请选择其他人员。");
	e = post_person(rq, in->user_id, ret);
	if (e == ERR_ABSENT)
		return req_field(rq, "user_id", "not_found",
		    "没有找到这位人员，请先让对方登录并选择本社区。");
	if (e != OK)
		return e;
	e = db_one(rq->db, rq->arena, &deputy_sql[DEPUTY_OTHER],
	    WITH(V(rq->who.community_id), V(p->id), V(in->from),
	    V(in->to)), &other);
	if (e == OK)
		return req_failf(rq, ERR_CONFLICT,
		    "这段时间已由%s代理，请调整时间。", other.name);
	return e == ERR_ABSENT ? OK : e;
}

static enum err
stand_in(struct req *rq, void *arg)
{
	struct standing_in	*s = arg;
	const struct deputy_new	*in = &s->in;
	struct post_user	 u = { 0 };
	struct post		 p;
	const char		*name;
	enum err		 e;

	if ((e = post_hold(rq, in->id)) != OK ||
	    (e = post_get(rq, in->id, &p)) != OK ||
	    (e = check_deputy(rq, in, &p, &u)) != OK)
		return e;
	name = in->name != NULL ? in->name : u.name;
	if (*name == '\0')
		return req_field(rq, "name", "required", "请填写姓名。");
	e = db_run(rq->db, &deputy_sql[DEPUTY_ADD],
	    WITH(V(rq->who.community_id), V(s->id), V(p.role), V(p.scope),
	    V(p.scope_id == VIEW_NULL_INT ? 0 : p.scope_id),
	    V(in->user_id), V(name), V(p.id), V(in->from), V(in->to),
	    V(rq->now)), NULL);
	if (e != OK)
		return e;
	audit_thing(rq, "post", s->id);
	return post_roles(rq, rq->who.community_id, in->user_id);
}

static enum err
deputy_add(struct req *rq)
{
	struct standing_in	s = { *(const struct deputy_new *)rq->in,
				    id_new() };
	enum err		e;

	if ((e = req_transact(rq, stand_in, &s)) != OK)
		return e;
	post_tell(rq, s.in.user_id);
	return post_answer(rq, s.id);
}

/* No end before its beginning, and no two at once. */
static enum err
check_times(struct req *rq, const struct times_in *in)
{
	const struct time_in	*t = in->times.items;
	size_t			 i, k;

	for (i = 0; i < in->times.n; i++) {
		if (t[i].to_minute <= t[i].from_minute)
			return req_field(rq, arena_fmt(rq->arena,
			    "times[%zu].to_minute", i), "too_small",
			    "结束时间应晚于开始时间。");
		for (k = 0; k < i; k++)
			if (t[k].weekday == t[i].weekday &&
			    t[k].from_minute < t[i].to_minute &&
			    t[i].from_minute < t[k].to_minute)
				return req_field(rq, arena_fmt(rq->arena,
				    "times[%zu].from_minute", i), "overlap",
				    "同一天的值班时间不能重叠。");
	}
	return OK;
}

static enum err
times_put(struct req *rq)
{
	const struct times_in	*in = rq->in;
	const struct time_in	*t = in->times.items;
	enum err		 e;

	if ((e = check_times(rq, in)) != OK ||
	    (e = post_hold(rq, in->id)) != OK)
		return e;
	audit_thing(rq, "post", in->id);
	e = db_run(rq->db, &deputy_sql[DEPUTY_TIMES_CLEAR],
	    WITH(V(rq->who.community_id), V(in->id)), NULL);
	for (size_t i = 0; i < in->times.n && e == OK; i++)
		e = db_run(rq->db, &deputy_sql[DEPUTY_TIMES_ADD],
		    WITH(V(rq->who.community_id), V(in->id),
		    V(t[i].weekday), V(t[i].from_minute),
		    V(t[i].to_minute)), NULL);
	return e != OK ? e : post_answer(rq, in->id);
}

static const struct route deputy_routes[] = {
	{ POST, "/api/v1/posts/{id}/deputies", ROLE_ADMIN,
	    &deputy_new_shape,
	    REPLY_ONE, &post_full_view, 201, POOL_API, TX_OWN,
	    deputy_add, "Let somebody stand in for the holder of a post" },
	{ PUT, "/api/v1/posts/{id}/duty-times", ROLE_ADMIN, &times_in_shape,
	    REPLY_ONE, &post_full_view, 200, POOL_API, TX_WRITE,
	    times_put, "Set when the holder of a post is on duty" },
	{ 0 }
};

void
post_deputy_register(void)
{
	db_register(deputy_sql, DEPUTY_SQL_MAX);
	route_register("posts", deputy_routes);
}
