/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home.c -- homes of a user: matched to the roster or asked for.
 *
 * Whoever proved a number that the roster has is bound at once, and learns
 * nothing of who else lives there.  All others ask, and are looked at.
 */
#include <string.h>

#include "http/audit.h"
#include "http/req.h"
#include "service/home.h"
#include "service/household.h"
#include "service/scope.h"
#include "service/service.h"

struct home_ask {
	int64_t		 dwelling_id;
	const char	*name;
	int64_t		 relation;
	int64_t		 tenancy;
};

static const struct field home_ask_fields[] = {
	F_ID(home_ask, dwelling_id, "房屋", MAY),
	F_TEXT(home_ask, name, "姓名", MAY, 1, 20),
	F_ENUM(home_ask, relation, "与户主关系", MAY, person_relations),
	F_ENUM(home_ask, tenancy, "居住方式", MAY, person_tenancies),
	F_END
};
static const struct shape home_ask_shape = SHAPE(home_ask, "HomeAsk");

struct home_id {
	int64_t		 id;
};

static const struct field home_id_fields[] = {
	F_ID(home_id, id, "房屋绑定", MUST),
	F_END
};
static const struct shape home_id_shape = SHAPE(home_id, "HomeId");

struct home_patch {
	int64_t		 id;
	bool		 payer;
};

static const struct field home_patch_fields[] = {
	F_ID(home_patch, id, "房屋绑定", MUST),
	F_BOOL(home_patch, payer, "家庭付款人", MAY),
	F_END
};
static const struct shape home_patch_shape = SHAPE(home_patch, "HomePatch");

struct home_page {
	int64_t		 limit;
	int64_t		 after;
};

static const struct field home_page_fields[] = {
	F_PAGE(home_page),
	F_END
};
static const struct shape home_page_shape = SHAPE(home_page, "HomePage");

struct home_query {
	int64_t		 state;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field home_query_fields[] = {
	F_ENUM(home_query, state, "状态", MAY, home_states),
	F_PAGE(home_query),
	F_END
};
static const struct shape home_query_shape = SHAPE(home_query, "HomeQuery");

static const char *const staff_events[] = { "approve", "refuse", "end",
    NULL };

static const struct field home_event_in_fields[] = {
	F_ID(home_event_in, id, "房屋绑定", MUST),
	F_ENUM(home_event_in, event, "操作", MUST, staff_events),
	F_ID(home_event_in, household_id, "家庭", MAY),
	F_ID(home_event_in, person_id, "住户", MAY),
	F_BOOL(home_event_in, enter, "登记到住户档案", MAY),
	F_TEXT(home_event_in, reason, "原因", MAY, 0, 100),
	F_END
};
static const struct shape home_event_shape =
    SHAPE(home_event_in, "HomeEvent");

struct home {
	int64_t		 id;
	const char	*state;
	int64_t		 dwelling_id;
	const char	*place;
	const char	*via;
	const char	*name;
	const char	*relation;
	const char	*tenancy;
	int64_t		 payer;
	int64_t		 household_id;
	int64_t		 person_id;
	const char	*phone;		/* the asker's, sealed */
	const char	*reason;
	int64_t		 urged;
	int64_t		 deadline_at;
	int64_t		 created_at;
	int64_t		 bound_at;
	int64_t		 ended_at;
	int64_t		 owner_id;
	int64_t		 assignee_id;
	const char	*duty;
};

static const char *const home_events[] = { "match", "approve", "refuse",
    "withdraw", "leave", "end", NULL };

static void
home_label(struct json *j, const struct req *rq, const void *row)
{
	const struct home	*h = row;

	(void)rq;
	json_text(j, flow_label(&home_flow, h->state));
}

static void
home_can(struct json *j, const struct req *rq, const void *row)
{
	const struct home	*h = row;

	flow_can(j, &home_flow, h->state, flow_mask(rq, h->owner_id,
	    h->assignee_id, h->duty));
}

/* `theirs`: what only those who decide may see. */
#define HOME_VIEW_COLUMNS(theirs)					\
	C_ID(home, id),							\
	C_CODE(home, state, home_states),				\
	C_ID(home, dwelling_id),					\
	C_TEXT(home, place, .about = "the dwelling's full name"),	\
	C_CODE(home, via, home_vias),					\
	C_TEXT(home, name, .about = "as the asker says it"),		\
	C_CODE(home, relation, person_relations),			\
	C_CODE(home, tenancy, person_tenancies),			\
	C_BOOL(home, payer, .about = "pays the family's bills"),	\
	C_ID(home, household_id, .flags = VIEW_NULL | (theirs)),	\
	C_ID(home, person_id, .flags = VIEW_NULL | (theirs)),		\
	C_PHONE(home, phone, .flags = VIEW_NULL | (theirs)),		\
	C_TEXT(home, reason, .flags = VIEW_NULL),			\
	C_INT(home, urged, .about = "times overdue in this state"),	\
	C_TIME(home, deadline_at, .flags = VIEW_NULL),			\
	C_TIME(home, created_at),					\
	C_TIME(home, bound_at, .flags = VIEW_NULL),			\
	C_TIME(home, ended_at, .flags = VIEW_NULL),			\
	C_ID(home, owner_id, .flags = VIEW_HIDDEN),			\
	C_ID(home, assignee_id, .flags = VIEW_HIDDEN),			\
	C_TEXT(home, duty, .flags = VIEW_HIDDEN | VIEW_NULL),		\
	C_CALC("state_label", SHAPE_TEXT, home_label),			\
	C_CALC("can", SHAPE_CODES, home_can, .names = home_events,	\
	    .about = "events the caller may fire now"),			\
	C_END

static const struct view_column home_columns[] = {
	HOME_VIEW_COLUMNS(VIEW_HIDDEN)
};
static const struct view home_view = VIEW(home, "Home");

static const struct view_column home_case_columns[] = {
	HOME_VIEW_COLUMNS(0)
};
static const struct view home_case_view = {
	.name = "HomeCase",
	.size = sizeof(struct home),
	.columns = home_case_columns,
};

struct home_asker {
	const char	*name;
	const char	*phone_index;
};

static const struct view_column home_asker_columns[] = {
	C_TEXT(home_asker, name),
	C_TEXT(home_asker, phone_index, .flags = VIEW_NULL),
	C_END
};
static const struct view home_asker_view = VIEW(home_asker, "HomeAsker");

struct home_there {
	int64_t		 id;
	const char	*state;
};

static const struct view_column home_there_columns[] = {
	C_ID(home_there, id),
	C_TEXT(home_there, state),
	C_END
};
static const struct view home_there_view = VIEW(home_there, "HomeThere");

/* Another account that stands for the person there. */
struct home_taken {
	int64_t		 id;
	int64_t		 owner_id;
	int64_t		 desk;		/* nobody can log in to it */
};

static const struct view_column home_taken_columns[] = {
	C_ID(home_taken, id),
	C_ID(home_taken, owner_id),
	C_BOOL(home_taken, desk),
	C_END
};
static const struct view home_taken_view = VIEW(home_taken, "HomeTaken");

struct home_count {
	int64_t		 n;
};

static const struct view_column home_count_columns[] = {
	C_INT(home_count, n),
	C_END
};
static const struct view home_count_view = VIEW(home_count, "HomeCount");

#define HOME_COLUMNS							\
	"SELECT t.id, t.state, t.dwelling_id, t.place, t.via, t.name,"	\
	" t.relation, t.tenancy, t.payer, t.household_id, t.person_id,"	\
	" u.phone, t.reason, t.urged, t.deadline_at, t.created_at,"	\
	" t.bound_at, t.ended_at, t.owner_id, t.assignee_id,"

#define HOME_FROM " FROM home t JOIN app_user u ON u.id = t.owner_id"

enum { HOME_LIST, HOME_GET, HOME_ALL_CASES, HOME_CASES, HOME_CASE,
	HOME_LOCK, HOME_THERE, HOME_TAKEN, HOME_HELPERS, HOME_ADDRESSES,
	HOME_COUNT, HOME_FAMILY, HOME_NO_PAYER,
	HOME_PAYER, HOME_SQL_MAX };

static struct stmt home_sql[] = {
	[HOME_LIST] = { RO, 4, &home_view,
	    HOME_COLUMNS " CAST(NULL AS TEXT) AS duty" HOME_FROM
	    " WHERE t.community_id = $1 AND t.owner_id = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR t.id < $3)"
	    " ORDER BY t.id DESC LIMIT $4", NULL, 0 },
	[HOME_GET] = { RO, 3, &home_view,
	    HOME_COLUMNS " CAST(NULL AS TEXT) AS duty" HOME_FROM
	    " WHERE t.community_id = $1 AND t.owner_id = $2"
	    " AND t.id = $3", NULL, 0 },
	[HOME_ALL_CASES] = { RO, 4, &home_case_view,
	    HOME_COLUMNS " 'area' AS duty" HOME_FROM
	    " WHERE t.community_id = $1 AND t.state = $2"
	    " AND (CAST($3 AS BIGINT) = 0 OR t.id < $3)"
	    " ORDER BY t.id DESC LIMIT $4", NULL, 0 },
	/* From the caller's few dwellings, not from all homes in a state. */
	[HOME_CASES] = { RO, 7, &home_case_view,
	    HOME_COLUMNS " 'area' AS duty FROM "
	    SCOPE_MINE("$5", "$6", "$7") " a CROSS JOIN home t"
	    " JOIN app_user u ON u.id = t.owner_id"
	    " WHERE t.community_id = $1 AND t.state = $2"
	    " AND a.community_id = t.community_id"
	    " AND t.dwelling_id = a.dwelling_id"
	    " AND (CAST($3 AS BIGINT) = 0 OR t.id < $3)"
	    " ORDER BY t.id DESC LIMIT $4", NULL, 0 },
	[HOME_CASE] = { RO, 5, &home_case_view,
	    HOME_COLUMNS " 'area' AS duty" HOME_FROM
	    " WHERE t.community_id = $1 AND t.id = $2"
	    " AND (CAST($3 AS BIGINT) = 1 OR " HOME_AREA("$4", "$5") ")",
	    NULL, 0 },
	/* Who asks twice at once is served one after the other. */
	[HOME_LOCK] = { RW, 2, &home_asker_view,
	    "UPDATE app_user SET updated_at = $2 WHERE id = $1"
	    " AND closed_at IS NULL RETURNING name, phone_index", NULL, 0 },
	[HOME_THERE] = { RO, 3, &home_there_view,
	    "SELECT id, state FROM home WHERE community_id = $1"
	    " AND owner_id = $2 AND dwelling_id = $3"
	    " AND state IN ('asked', 'bound')", NULL, 0 },
	[HOME_TAKEN] = { RO, 4, &home_taken_view,
	    "SELECT t.id, t.owner_id, CASE WHEN t.via = 'desk'"
	    " AND u.openid IS NULL AND u.password IS NULL THEN 1 ELSE 0"
	    " END AS desk" HOME_FROM " WHERE t.community_id = $1"
	    " AND t.dwelling_id = $2 AND t.person_id = $3"
	    " AND t.state = 'bound' AND t.owner_id <> $4", NULL, 0 },
	[HOME_HELPERS] = { RW, 3, NULL,
	    "UPDATE helper SET elder_id = $3 WHERE community_id = $1"
	    " AND elder_id = $2 AND revoked_at IS NULL"
	    " AND COALESCE(helper_id, 0) <> $3 AND NOT EXISTS (SELECT 1"
	    " FROM helper o WHERE o.community_id = $1 AND o.elder_id = $3"
	    " AND o.phone_index = helper.phone_index"
	    " AND o.revoked_at IS NULL)", NULL, 0 },
	[HOME_ADDRESSES] = { RW, 3, NULL,
	    "UPDATE address SET user_id = $3, is_default = 0"
	    " WHERE community_id = $1 AND user_id = $2"
	    " AND removed_at IS NULL AND NOT EXISTS (SELECT 1"
	    " FROM address o WHERE o.community_id = $1 AND o.user_id = $3"
	    " AND o.dwelling_id = address.dwelling_id"
	    " AND o.removed_at IS NULL)", NULL, 0 },
	[HOME_COUNT] = { RO, 1, &home_count_view,
	    "SELECT COUNT(*) AS n FROM home WHERE owner_id = $1"
	    " AND state IN ('asked', 'bound')", NULL, 0 },
	/* Two who set it at once come one after the other. */
	[HOME_FAMILY] = { RW, 3, NULL,
	    "UPDATE household SET updated_at = updated_at"
	    " WHERE community_id = $1 AND id = (SELECT household_id"
	    " FROM home WHERE community_id = $1 AND owner_id = $2"
	    " AND id = $3 AND state = 'bound')", NULL, 0 },
	[HOME_NO_PAYER] = { RW, 3, NULL,
	    "UPDATE home SET payer = 0 WHERE community_id = $1"
	    " AND payer = 1 AND id <> $3 AND household_id ="
	    " (SELECT o.household_id FROM home o WHERE o.community_id = $1"
	    " AND o.owner_id = $2 AND o.id = $3 AND o.state = 'bound')",
	    NULL, 0 },
	[HOME_PAYER] = { RW, 4, NULL,
	    "UPDATE home SET payer = COALESCE($4, payer)"
	    " WHERE community_id = $1 AND owner_id = $2 AND id = $3"
	    " AND state = 'bound'", NULL, 0 },
};

static enum err
count_of(struct req *rq, int which, struct values v, int64_t *ret)
{
	struct home_count	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &home_sql[which], v, &row);
	*ret = e == OK ? row.n : 0;
	return e;
}

static enum err
start(struct req *rq, const char *event, const struct home_new *in)
{
	int64_t		id, n;
	enum err	e;

	e = count_of(rq, HOME_COUNT, WITH(V(in->owner_id)), &n);
	if (e != OK)
		return e;
	if (n >= HOME_MAX)
		return req_failf(rq, ERR_CONFLICT,
		    "最多绑定 %d 个房屋，请先解除不再居住的房屋。",
		    HOME_MAX);
	e = home_start(rq, event, in, &id);
	if (e == ERR_ABSENT)
		return req_field(rq, "dwelling_id", "not_found",
		    "没有找到这个房屋，请重新选择。");
	return e;
}

/*
 * The desk kept an account for somebody without a phone, who now has one:
 * helpers and addresses become theirs, and the desk's home ends.
 */
static enum err
take_over(struct req *rq, const struct home_taken *from)
{
	int64_t		me = rq->who.user_id;
	enum err	e;

	e = db_run(rq->db, &home_sql[HOME_HELPERS],
	    WITH(V(rq->who.community_id), V(from->owner_id), V(me)), NULL);
	if (e == OK)
		e = db_run(rq->db, &home_sql[HOME_ADDRESSES],
		    WITH(V(rq->who.community_id), V(from->owner_id), V(me)),
		    NULL);
	if (e != OK)
		return e;
	rq->who.user_id = from->owner_id;
	e = flow_fire(rq, &home_flow, from->id, "leave", NULL,
	    "本人已登录，由本人账号接管");
	rq->who.user_id = me;
	return e;
}

/* Bind what the roster says is theirs; *ret_done when something changed. */
static enum err
bind(struct req *rq, const struct home_new *in, bool *ret_done)
{
	struct home_there	there;
	struct home_taken	taken;
	enum err		e;

	*ret_done = false;
	e = db_one(rq->db, rq->arena, &home_sql[HOME_TAKEN],
	    WITH(V(rq->who.community_id), V(in->dwelling_id),
	    V(in->person_id), V(in->owner_id)), &taken);
	if (e == OK && taken.desk == 0)
		return OK;
	if (e == OK)
		e = take_over(rq, &taken);
	if (e != OK && e != ERR_ABSENT)
		return e;
	e = db_one(rq->db, rq->arena, &home_sql[HOME_THERE],
	    WITH(V(rq->who.community_id), V(in->owner_id),
	    V(in->dwelling_id)), &there);
	if (e == ERR_ABSENT)
		e = start(rq, "match", in);
	else if (e != OK || strcmp(there.state, "bound") == 0)
		return e;
	else
		e = flow_fire(rq, &home_flow, there.id, "match", in, NULL);
	*ret_done = e == OK;
	return e;
}

static enum err
ask(struct req *rq, const struct home_new *in)
{
	struct home_there	there;
	enum err		e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_THERE],
	    WITH(V(rq->who.community_id), V(in->owner_id),
	    V(in->dwelling_id)), &there);
	if (e == OK && strcmp(there.state, "bound") == 0)
		return req_fail(rq, ERR_CONFLICT, "您已经绑定了这个房屋。");
	if (e == OK)
		return req_fail(rq, ERR_CONFLICT,
		    "您已经申请过这个房屋，正在等待核实。");
	return e == ERR_ABSENT ? start(rq, "ask", in) : e;
}

static enum err
bind_all(struct req *rq, const struct home_asker *who,
    const struct home_new *said, int64_t dwelling_id, int *ret_done)
{
	struct household_match	at[HOME_MAX];
	struct home_new		in = *said;
	enum err		e;
	bool			done;
	int			i, n = 0;

	*ret_done = 0;
	if (who->phone_index == NULL)
		return OK;
	e = household_match(rq, who->phone_index, dwelling_id, at, HOME_MAX,
	    &n);
	for (i = 0; e == OK && i < n; i++) {
		in.dwelling_id = at[i].dwelling_id;
		in.household_id = at[i].household_id;
		in.person_id = at[i].person_id;
		in.via = "phone";
		in.name = at[i].name;
		in.relation = at[i].relation;
		e = bind(rq, &in, &done);
		*ret_done += done;
	}
	return e;
}

static enum err
nothing_found(struct req *rq, const struct home_asker *who)
{
	if (who->phone_index == NULL)
		return req_fail(rq, ERR_INCOMPLETE,
		    "请先授权手机号，或选择房屋后提交申请。");
	return req_fail(rq, ERR_INCOMPLETE,
	    "没有可以直接绑定的房屋，请选择房屋后提交申请。");
}

static enum err
list_mine(struct req *rq, int64_t after, int64_t limit)
{
	return req_list(rq, &home_sql[HOME_LIST],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(after),
	    V(limit + 1)), limit);
}

static enum err
home_ask(struct req *rq)
{
	const struct home_ask	*in = rq->in;
	struct home_new		 said = { .owner_id = rq->who.user_id,
	    .dwelling_id = in->dwelling_id, .via = "asked",
	    .relation = "other", .tenancy = "other" };
	struct home_asker	 who;
	enum err		 e;
	int			 done;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_LOCK],
	    WITH(V(rq->who.user_id), V(rq->now)), &who);
	if (e != OK)
		return e == ERR_ABSENT ? ERR_NO_SESSION : e;
	said.name = in->name != NULL ? in->name : who.name;
	if (field_given(rq, "relation"))
		said.relation = person_relations[in->relation];
	if (field_given(rq, "tenancy"))
		said.tenancy = person_tenancies[in->tenancy];
	e = bind_all(rq, &who, &said, in->dwelling_id, &done);
	if (e == OK && done == 0)
		e = in->dwelling_id != 0 ? ask(rq, &said) :
		    nothing_found(rq, &who);
	/* Somebody was faster, for the same person or the same home. */
	if (e == ERR_UNIQUE)
		return ERR_CONFLICT;
	return e != OK ? e : list_mine(rq, 0, 100);
}

static enum err
home_list(struct req *rq)
{
	const struct home_page	*in = rq->in;

	return list_mine(rq, in->after, req_limit(in->limit));
}

static enum err
answer_mine(struct req *rq, int64_t id)
{
	struct home	row;
	enum err	e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
home_get(struct req *rq)
{
	const struct home_id	*in = rq->in;

	return answer_mine(rq, in->id);
}

/* A household has one payer: whoever says so last. */
static enum err
only_payer(struct req *rq, int64_t id)
{
	enum err	e;

	e = db_run(rq->db, &home_sql[HOME_FAMILY],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), NULL);
	return e != OK ? e : db_run(rq->db, &home_sql[HOME_NO_PAYER],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(id)), NULL);
}

static enum err
home_patch(struct req *rq)
{
	const struct home_patch	*in = rq->in;
	int64_t			 n;
	enum err		 e;

	audit_thing(rq, "home", in->id);
	if (field_given(rq, "payer") && in->payer &&
	    (e = only_payer(rq, in->id)) != OK)
		return e;
	e = db_run(rq->db, &home_sql[HOME_PAYER],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id),
	    field_given(rq, "payer") ? V(in->payer) : VNULL), &n);
	if (e != OK)
		return e;
	return n == 0 ? ERR_ABSENT : answer_mine(rq, in->id);
}

/* An open application is withdrawn, a home is moved out of. */
static enum err
home_leave(struct req *rq)
{
	const struct home_id	*in = rq->in;
	struct home		 row;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id)),
	    &row);
	if (e != OK)
		return e;
	return flow_fire(rq, &home_flow, in->id,
	    strcmp(row.state, "asked") == 0 ? "withdraw" : "leave", NULL,
	    NULL);
}

static enum err
home_cases(struct req *rq)
{
	const struct home_query	*in = rq->in;
	int64_t			 limit = req_limit(in->limit);
	const struct stmt	*stmt = &home_sql[scope_wide(rq) ?
	    HOME_ALL_CASES : HOME_CASES];
	struct values		 v = WITH(V(rq->who.community_id),
	    V(home_states[in->state]), V(in->after), V(limit + 1),
	    V(scope_bits(rq)), V(rq->who.user_id), V(rq->now));

	v.n = stmt->nargs;
	return req_list(rq, stmt, v, limit);
}

static enum err
read_case(struct req *rq, int64_t id, struct home *ret)
{
	return db_one(rq->db, rq->arena, &home_sql[HOME_CASE],
	    WITH(V(rq->who.community_id), V(id), V(scope_wide(rq)),
	    V(rq->who.user_id), V(rq->now)), ret);
}

static enum err
home_case(struct req *rq)
{
	const struct home_id	*in = rq->in;
	struct home		 row;
	enum err		 e;

	e = read_case(rq, in->id, &row);
	return e != OK ? e : req_one(rq, &row);
}

/*
 * Who asked may read the steps; who was told to decide, only while their
 * post covers it.
 */
static enum err
home_timeline(struct req *rq)
{
	const struct home_id	*in = rq->in;
	struct home		 row;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_GET],
	    WITH(V(rq->who.community_id), V(rq->who.user_id), V(in->id)),
	    &row);
	if (e == ERR_ABSENT && (rq->who.roles & ~ROLE_RESIDENT) != 0)
		e = read_case(rq, in->id, &row);
	return e != OK ? e : flow_timeline(rq, &home_flow, in->id);
}

static enum err
home_event(struct req *rq)
{
	const struct home_event_in	*in = rq->in;
	struct home			 row;
	enum err			 e;

	if ((e = read_case(rq, in->id, &row)) != OK)
		return e;
	e = flow_fire(rq, &home_flow, in->id, staff_events[in->event], in,
	    in->reason);
	if (e != OK || (e = read_case(rq, in->id, &row)) != OK)
		return e;
	return req_one(rq, &row);
}

#define DECIDERS	(ROLE_HEAD | ROLE_GRID | ROLE_CLERK | ROLE_ADMIN)

static const struct route home_routes[] = {
	{ POST, "/api/v1/me/homes", ROLE_RESIDENT, &home_ask_shape,
	    REPLY_LIST, &home_view, 200, POOL_API, TX_WRITE,
	    home_ask, "Bind the homes my number is known at, or ask for one" },
	{ GET, "/api/v1/me/homes", ROLE_RESIDENT | ACT_READ,
	    &home_page_shape,
	    REPLY_LIST, &home_view, 200, POOL_API, TX_READ,
	    home_list, "My homes, newest first" },
	{ GET, "/api/v1/me/homes/{id}", ROLE_RESIDENT | ACT_READ,
	    &home_id_shape,
	    REPLY_ONE, &home_view, 200, POOL_API, TX_READ,
	    home_get, "One of my homes" },
	{ PATCH, "/api/v1/me/homes/{id}", ROLE_RESIDENT, &home_patch_shape,
	    REPLY_ONE, &home_view, 200, POOL_API, TX_WRITE,
	    home_patch, "Pay the family's bills there, or no more" },
	{ DELETE, "/api/v1/me/homes/{id}", ROLE_RESIDENT, &home_id_shape,
	    REPLY_NONE, NULL, 204, POOL_API, TX_WRITE,
	    home_leave, "Move out, or withdraw what was asked" },
	{ GET, "/api/v1/homes", DECIDERS, &home_query_shape,
	    REPLY_LIST, &home_case_view, 200, POOL_API, TX_READ,
	    home_cases, "Homes in my area by state, asked ones first" },
	{ GET, "/api/v1/homes/{id}", DECIDERS, &home_id_shape,
	    REPLY_ONE, &home_case_view, 200, POOL_API, TX_READ,
	    home_case, "One home in my area" },
	{ GET, "/api/v1/homes/{id}/timeline", DECIDERS | ROLE_RESIDENT,
	    &home_id_shape,
	    REPLY_LIST, &flow_event_view, 200, POOL_API, TX_READ,
	    home_timeline, "Every step of a home" },
	{ POST, "/api/v1/homes/{id}/{event}", DECIDERS, &home_event_shape,
	    REPLY_ONE, &home_case_view, 200, POOL_API, TX_WRITE,
	    home_event, "Approve, refuse or end a home" },
	{ 0 }
};

void
home_register(void)
{
	home_flow_register();
	home_roster_register();
	db_register(home_sql, HOME_SQL_MAX);
	route_register("homes", home_routes);
}
