/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.c -- who looked at my record, when and why.
 *
 * The audit names the person each look was about; a resident reads the
 * rows of the persons that their bound homes stand for.  Who looked is
 * named by name and office, never by number.
 */
#include <string.h>

#include "http/req.h"
#include "service/privacy.h"
#include "service/service.h"

struct look_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field look_page_fields[] = {
	F_PAGE(look_page),
	F_END
};
static const struct shape look_page_shape = SHAPE(look_page, "LookPage");

/* By the end of what was asked for; the first that fits. */
static const struct {
	const char	*part, *label;
} actions[] = {
	{ "/clear-look", "查看了完整的证件号码或手机号" },
	{ "/needs", "登记或修改了特殊需要" },
	{ "/members", "修改了家庭成员登记" },
	{ "/helpers", "登记或取消了代办家人" },
	{ "/homes/", "核实了房屋绑定" },
	{ "/exports", "导出了住户资料" },
	{ "/imports", "批量更新了住户资料" },
	{ "GET /api/v1/persons", "查看了住户档案" },
	{ "POST /api/v1/persons", "登记了住户档案" },
	{ "PATCH /api/v1/persons", "修改了住户档案" },
	{ "DELETE /api/v1/needs", "结束了特殊需要登记" },
};

const char *
privacy_action(const struct look *l)
{
	size_t	i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strstr(l->action, actions[i].part) != NULL)
			return actions[i].label;
	return "查看或修改了住户资料";
}

static const char *const role_labels[ROLE__COUNT] = { "居民", "联户长",
    "网格员", "社区工作人员", "党员志愿者", "物业", "维修师傅", "商家",
    "配送员", "教师", "社区管理员", "平台管理员" };

const char *
privacy_role(const struct look *l)
{
	int	i;

	if (strcmp(l->actor, "system") == 0)
		return "系统";
	if (strcmp(l->actor, "console") == 0)
		return "平台运维";
	for (i = 0; l->role != NULL && i < ROLE__COUNT; i++)
		if (strcmp(role_names[i], l->role) == 0)
			return role_labels[i];
	return role_labels[0];
}

static void
look_action(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, privacy_action(row));
}

static void
look_role(struct json *j, const struct req *rq, const void *row)
{
	(void)rq;
	json_text(j, privacy_role(row));
}

static const struct view_column look_columns[] = {
	C_ID(look, id),
	C_TIME(look, at),
	C_TEXT(look, who, .about = "name of who it was"),
	C_TEXT(look, action, .flags = VIEW_HIDDEN),
	C_TEXT(look, reason, .flags = VIEW_NULL),
	C_TEXT(look, actor, .flags = VIEW_HIDDEN),
	C_TEXT(look, role, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_TEXT(look, person, .about = "whose record"),
	C_CALC("what", SHAPE_TEXT, look_action, .about = "in Chinese"),
	C_CALC("role_label", SHAPE_TEXT, look_role, .about = "in Chinese"),
	C_END
};
const struct view privacy_look_view = VIEW(look, "Look");

enum { LOOK_LIST, LOOK_SQL_MAX };

/* The persons that the caller's ($2) bound homes stand for. */
#define MY_PERSONS							\
	"(SELECT t.person_id FROM home t WHERE t.community_id = $1"	\
	" AND t.owner_id = $2 AND t.state = 'bound'"			\
	" AND t.person_id IS NOT NULL)"

/* What office user `u` holds. */
#define ROLE_OF(u)							\
	"(SELECT MIN(r.role) FROM user_role r WHERE r.user_id = " u	\
	" AND r.community_id IN (0, $1) AND r.role <> 'resident') AS role"

/*
 * Two chains in one list: the id that pages it is the moment, with what
 * tells two of one millisecond apart.
 */
#define MOMENT(at, id)	at " * 4096 + " id " % 4096 AS id"

static struct stmt look_sql[] = {
	[LOOK_LIST] = { RO, 4, &privacy_look_view,
	    "SELECT z.id, z.at, z.who, z.action, z.reason, z.actor, z.role,"
	    " z.person FROM (SELECT " MOMENT("a.at", "a.seq") ", a.at,"
	    " COALESCE(u.name, '') AS who, a.action, a.reason, a.actor, "
	    ROLE_OF("a.user_id") ", p.name AS person FROM audit a"
	    " JOIN person p ON p.community_id = a.community_id"
	    " AND p.id = a.subject_id"
	    " LEFT JOIN app_user u ON u.id = a.user_id"
	    " WHERE a.community_id = $1 AND a.subject_id IN " MY_PERSONS
	    " AND a.user_id <> $2"
	    /* Lists with clear numbers name nobody one by one. */
	    " UNION ALL SELECT " MOMENT("x.made_at", "x.id")
	    ", x.made_at AS at, COALESCE(u.name, '') AS who,"
	    " 'GET /exports' AS action, x.reason, 'user' AS actor, "
	    ROLE_OF("x.owner_id") ", p.name AS person FROM export x"
	    " JOIN person p ON p.community_id = x.community_id"
	    " AND p.created_at <= x.made_at"
	    " AND (p.gone_at IS NULL OR p.gone_at > x.made_at)"
	    " LEFT JOIN app_user u ON u.id = x.owner_id"
	    " WHERE x.community_id = $1 AND x.clear = 1"
	    " AND x.made_at IS NOT NULL"
	    " AND (x.kind = 'persons' OR x.kind = 'households'"
	    " AND EXISTS (SELECT 1 FROM member m"
	    " WHERE m.community_id = x.community_id AND m.person_id = p.id"
	    " AND m.from_at <= x.made_at"
	    " AND (m.to_at IS NULL OR m.to_at > x.made_at)))"
	    " AND p.id IN " MY_PERSONS " AND x.owner_id <> $2) z"
	    " WHERE (CAST($3 AS BIGINT) = 0 OR z.id < $3)"
	    " ORDER BY z.id DESC LIMIT $4", NULL, 0 },
};

struct stmt *const privacy_looks = &look_sql[LOOK_LIST];

static enum err
look_list(struct req *rq)
{
	const struct look_page	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);

	return req_list(rq, privacy_looks,
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->after),
	    V(limit + 1)), limit);
}

static const struct route look_routes[] = {
	{ GET, "/api/v1/me/looks", ROLE_RESIDENT, &look_page_shape,
	    REPLY_LIST, &privacy_look_view, 200, POOL_API, TX_READ,
	    look_list, "Who looked at my record, when and why" },
	{ 0 }
};

void
privacy_register(void)
{
	db_register(look_sql, LOOK_SQL_MAX);
	route_register("privacy", look_routes);
	privacy_export_register();
	privacy_close_register();
}
