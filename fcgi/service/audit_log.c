/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_log.c -- the audit as the office reads it, newest first.
 *
 * Each statement goes along one index and looks at the other filters row
 * by row; the one that leaves fewest rows is taken.  Between two times the
 * moment orders the rows, which may differ from the chain's order by the
 * length of a request.
 */
#include "flow/task.h"
#include "http/audit_verify.h"
#include "http/req.h"
#include "service/service.h"

#define ANCHOR_MINUTE	5	/* after midnight, for the day before */

static const char *const audit_actors[] = { "user", "helper", "system",
    "console", NULL };

struct audit_item {
	int64_t		 seq;
	int64_t		 at;
	int64_t		 user_id;
	const char	*user_name;
	const char	*actor;
	int64_t		 for_id;
	const char	*for_name;
	const char	*action;
	const char	*thing;
	int64_t		 thing_id;
	int64_t		 subject_id;
	const char	*subject_name;
	const char	*reason;
	const char	*address;
	const char	*request_id;
	const char	*hash;
};

static const struct view_column audit_item_columns[] = {
	C_INT(audit_item, seq, .about = "its place in the chain, from 1"),
	C_TIME(audit_item, at),
	C_ID(audit_item, user_id, .flags = VIEW_NULL,
	    .about = "who did it; null for the platform itself"),
	C_TEXT(audit_item, user_name, .flags = VIEW_NULL),
	C_CODE(audit_item, actor, audit_actors),
	C_ID(audit_item, for_id, .flags = VIEW_NULL,
	    .about = "whom a helper acted for"),
	C_TEXT(audit_item, for_name, .flags = VIEW_NULL),
	C_TEXT(audit_item, action, .about = "method and route, or task"),
	C_TEXT(audit_item, thing, .flags = VIEW_NULL),
	C_ID(audit_item, thing_id, .flags = VIEW_NULL),
	C_ID(audit_item, subject_id, .flags = VIEW_NULL,
	    .about = "the person of the roster it is about"),
	C_TEXT(audit_item, subject_name, .flags = VIEW_NULL),
	C_TEXT(audit_item, reason, .flags = VIEW_NULL),
	C_TEXT(audit_item, address, .flags = VIEW_NULL),
	C_TEXT(audit_item, request_id, .flags = VIEW_NULL),
	C_TEXT(audit_item, hash, .about = "SHA-256 over the row and the"
	    " hash of the one before"),
	C_END
};
static const struct view audit_item_view = VIEW(audit_item, "AuditItem");

struct audit_query {
	int64_t		 user_id, subject_id, thing_id;
	const char	*thing;
	int64_t		 from, to;
	bool		 platform;
	int64_t		 limit, after;
};

static const struct field audit_query_fields[] = {
	F_ID(audit_query, user_id, "操作人", MAY),
	F_ID(audit_query, subject_id, "居民", MAY),
	F_TEXT(audit_query, thing, "对象", MAY, 1, 40),
	F_ID(audit_query, thing_id, "对象编号", MAY),
	F_TIME(audit_query, from, "开始时间", MAY),
	F_TIME(audit_query, to, "结束时间", MAY),
	F_BOOL(audit_query, platform, "平台记录", MAY),
	F_PAGE(audit_query),
	F_END
};
static const struct shape audit_query_shape =
    SHAPE(audit_query, "AuditQuery");

enum { AUDIT_ALL, AUDIT_TIME, AUDIT_SUBJECT, AUDIT_USER, AUDIT_KIND,
	AUDIT_THING, AUDIT_SQL_MAX };

#define AUDIT_BY(by, order)						\
	{ RO, 9, &audit_item_view,					\
	"SELECT a.seq, a.at, NULLIF(a.user_id, 0) AS user_id,"		\
	" u.name AS user_name, a.actor, a.for_id, f.name AS for_name,"	\
	" a.action, a.thing, a.thing_id, a.subject_id,"			\
	" p.name AS subject_name, a.reason, a.address, a.request_id,"	\
	" a.hash FROM audit a LEFT JOIN app_user u ON u.id = a.user_id"	\
	" LEFT JOIN app_user f ON f.id = a.for_id"			\
	" LEFT JOIN person p ON p.community_id = a.community_id"	\
	" AND p.id = a.subject_id WHERE a.community_id = $1"		\
	" AND a.at >= $3" by " ORDER BY " order " LIMIT $9", NULL, 0 }
#define AUDIT_LIST(by)							\
	AUDIT_BY(" AND a.seq < $2 AND a.at < $4" by, "a.seq DESC")

#define ANY_OF(n, column) " AND (" column " = $" n " OR $" n " = 0)"
#define ANY_THING " AND (CAST($7 AS TEXT) IS NULL OR a.thing = $7)"

static struct stmt audit_sql[] = {
	[AUDIT_ALL] = AUDIT_LIST(ANY_OF("5", "a.user_id")
	    ANY_OF("6", "a.subject_id") ANY_THING
	    ANY_OF("8", "a.thing_id")),
	/* Before the moment of row $2, or with 0 before $4. */
	[AUDIT_TIME] = AUDIT_BY(" AND (a.at, a.seq) < (COALESCE((SELECT"
	    " c.at FROM audit c WHERE c.community_id = $1"
	    " AND c.seq = $2), $4), $2)"
	    ANY_OF("5", "a.user_id") ANY_OF("6", "a.subject_id") ANY_THING
	    ANY_OF("8", "a.thing_id"), "a.at DESC, a.seq DESC"),
	[AUDIT_SUBJECT] = AUDIT_LIST(ANY_OF("5", "a.user_id")
	    " AND a.subject_id = $6" ANY_THING ANY_OF("8", "a.thing_id")),
	[AUDIT_USER] = AUDIT_LIST(" AND a.user_id = $5"
	    ANY_OF("6", "a.subject_id") ANY_THING
	    ANY_OF("8", "a.thing_id")),
	[AUDIT_KIND] = AUDIT_LIST(ANY_OF("5", "a.user_id")
	    ANY_OF("6", "a.subject_id") " AND a.thing = $7"
	    ANY_OF("8", "a.thing_id")),
	[AUDIT_THING] = AUDIT_LIST(ANY_OF("5", "a.user_id")
	    ANY_OF("6", "a.subject_id") " AND a.thing = $7"
	    " AND a.thing_id = $8"),
};

static enum err
audit_log_list(struct req *rq)
{
	const struct audit_query *in = rq->in;
	int64_t			  limit = req_limit(in->limit);
	int64_t			  after;
	int			  which = AUDIT_ALL;

	if (in->platform && (rq->who.roles & ROLE_PLATFORM) == 0)
		return ERR_FORBIDDEN;
	if (in->thing_id != 0 && in->thing == NULL)
		return req_field(rq, "thing", "required",
		    "按对象编号查询时，请同时填写对象名称。");
	if (in->subject_id != 0)
		which = AUDIT_SUBJECT;
	else if (in->thing_id != 0)
		which = AUDIT_THING;
	else if (in->user_id != 0)
		which = AUDIT_USER;
	else if (field_given(rq, "from") || field_given(rq, "to"))
		which = AUDIT_TIME;
	else if (in->thing != NULL)
		which = AUDIT_KIND;
	after = in->after;
	if (after == 0 && which != AUDIT_TIME)
		after = INT64_MAX;
	return req_list(rq, &audit_sql[which],
	    WITH(V(in->platform ? 0 : rq->who.community_id),
	    V(after), V(in->from),
	    V(field_given(rq, "to") ? in->to : INT64_MAX), V(in->user_id),
	    V(in->subject_id), V(in->thing), V(in->thing_id), V(limit + 1)),
	    limit);
}

static const struct route audit_log_routes[] = {
	{ GET, "/api/v1/audit", ROLE_ADMIN, &audit_query_shape,
	    REPLY_LIST, &audit_item_view, 200, POOL_API, TX_READ,
	    audit_log_list,
	    "Who did what, newest first; with platform=true what belongs to"
	    " no community, for its administrators" },
	{ 0 }
};

static const struct task audit_log_tasks[] = {
	{ "audit_anchor", 0, ANCHOR_MINUTE, audit_anchor_write },
	{ NULL, 0, TASK_NEVER, NULL }
};

void
audit_log_register(void)
{
	db_register(audit_sql, AUDIT_SQL_MAX);
	route_register("audit", audit_log_routes);
	task_register(audit_log_tasks);
}
