/* SPDX-License-Identifier: Apache-2.0 */
/*
 * home_flow.c -- how a home is asked for, bound, refused and ended.
 *
 * Whoever answers for the dwelling decides: its head, its grid worker, the
 * service hall.  Nobody decides about themselves.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "flow/task.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/home.h"
#include "service/scope.h"

#define DAY	CLOCK_DAY
#define AT_ONCE	64

const char *const home_states[] = { "asked", "bound", "refused", "ended",
    NULL };
const char *const home_vias[] = { "phone", "asked", "desk", NULL };

static const struct view_column home_facts_columns[] = {
	C_ID(home_facts, dwelling_id),
	C_ID(home_facts, owner_id),
	C_TEXT(home_facts, name),
	C_TEXT(home_facts, relation),
	C_TEXT(home_facts, tenancy),
	C_TEXT(home_facts, phone, .flags = VIEW_NULL),
	C_TEXT(home_facts, phone_index, .flags = VIEW_NULL),
	C_END
};
static const struct view home_facts_view = VIEW(home_facts, "HomeFacts");

struct home_place {
	const char	*full_name;
};

static const struct view_column home_place_columns[] = {
	C_TEXT(home_place, full_name),
	C_END
};
static const struct view home_place_view = VIEW(home_place, "HomePlace");

struct home_open {
	int64_t		 id;
	int64_t		 community_id;
	const char	*state;
};

static const struct view_column home_open_columns[] = {
	C_ID(home_open, id),
	C_ID(home_open, community_id),
	C_TEXT(home_open, state),
	C_END
};
static const struct view home_open_view = VIEW(home_open, "HomeOpen");

enum { FLOW_FACTS, FLOW_PLACE, FLOW_INSERT, FLOW_LINK, FLOW_VIA, FLOW_ENDED,
	FLOW_ADDRESS, FLOW_HELPER, FLOW_MINE, FLOW_LEFT, HOME_FLOW_SQL_MAX };

static struct stmt flow_sql[] = {
	[FLOW_FACTS] = { RO, 2, &home_facts_view,
	    "SELECT t.dwelling_id, t.owner_id, t.name, t.relation,"
	    " t.tenancy, u.phone, u.phone_index FROM home t"
	    " JOIN app_user u ON u.id = t.owner_id"
	    " WHERE t.community_id = $1 AND t.id = $2", NULL, 0 },
	[FLOW_PLACE] = { RO, 2, &home_place_view,
	    "SELECT full_name FROM place WHERE community_id = $1"
	    " AND id = $2 AND kind = 'dwelling'", NULL, 0 },
	[FLOW_INSERT] = { RW, 17, NULL,
	    "INSERT INTO home (community_id, id, state, version, urged,"
	    " deadline_at, owner_id, org_id, assignee_id, title, created_at,"
	    " updated_at, dwelling_id, place, via, name, relation, tenancy,"
	    " household_id, person_id, payer, bound_at)"
	    " VALUES ($1, $2, $3, 1, 0, $4, $5, 0, $6, $7, $8, $8, $9, $10,"
	    " $11, $12, $13, $14, $15, $16, 0, $17)", NULL, 0 },
	[FLOW_LINK] = { RW, 5, NULL,
	    "UPDATE home SET household_id = $3, person_id = $4,"
	    " bound_at = $5 WHERE community_id = $1 AND id = $2", NULL, 0 },
	[FLOW_VIA] = { RW, 4, NULL,
	    "UPDATE home SET via = $3, relation = $4"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[FLOW_ENDED] = { RW, 4, NULL,
	    "UPDATE home SET ended_at = $3, reason = $4, payer = 0"
	    " WHERE community_id = $1 AND id = $2", NULL, 0 },
	[FLOW_ADDRESS] = { RW, 3, NULL,
	    "UPDATE address SET removed_at = $3, is_default = 0"
	    " WHERE community_id = $1 AND removed_at IS NULL"
	    " AND EXISTS (SELECT 1 FROM home t"
	    " WHERE t.community_id = $1 AND t.id = $2"
	    " AND t.owner_id = address.user_id"
	    " AND t.dwelling_id = address.dwelling_id)", NULL, 0 },
	/* Others help at home; without one there is nothing to help with. */
	[FLOW_HELPER] = { RW, 4, NULL,
	    "UPDATE helper SET revoked_at = $3, revoked_by = $4"
	    " WHERE community_id = $1 AND elder_id = $2"
	    " AND revoked_at IS NULL AND NOT EXISTS (SELECT 1 FROM home t"
	    " WHERE t.community_id = $1 AND t.owner_id = $2"
	    " AND t.state = 'bound')", NULL, 0 },
	[FLOW_MINE] = { RO, 1, &home_open_view,
	    "SELECT id, community_id, state FROM home WHERE owner_id = $1"
	    " AND state IN ('asked', 'bound') ORDER BY community_id, id",
	    NULL, 0 },
	[FLOW_LEFT] = { RO, 3, &home_open_view,
	    "SELECT t.id, t.community_id, t.state FROM home t"
	    " WHERE t.state = 'bound' AND t.household_id IS NOT NULL"
	    " AND (CAST($1 AS BIGINT) = 0 OR t.community_id = $1)"
	    " AND (CAST($2 AS BIGINT) = 0 OR t.household_id = $2)"
	    " AND (CAST($3 AS BIGINT) = 0 OR t.person_id = $3)"
	    " AND (NOT EXISTS (SELECT 1 FROM household h"
	    " WHERE h.community_id = t.community_id"
	    " AND h.id = t.household_id AND h.to_at IS NULL)"
	    " OR (t.person_id IS NOT NULL AND NOT EXISTS (SELECT 1"
	    " FROM member m WHERE m.community_id = t.community_id"
	    " AND m.household_id = t.household_id"
	    " AND m.person_id = t.person_id AND m.to_at IS NULL)))"
	    " ORDER BY t.id LIMIT 64", NULL, 0 },
};

static struct stmt home_sql[] = {
	[FLOW_READ] = { RO, 4, &flow_thing_view,
	    "SELECT t.community_id, t.id, t.state, t.version, t.urged,"
	    " t.deadline_at, t.owner_id, t.org_id, t.assignee_id,"
	    " t.title, CASE WHEN " HOME_AREA("$3", "$4")
	    " THEN 'area' END AS duty FROM home t"
	    " WHERE t.community_id = $1 AND t.id = $2", NULL, 0 },
	FLOW_SQL_REST("home")
};

static struct value
id_or_null(int64_t id)
{
	return id != 0 ? value_int(id) : VNULL;
}

/* Nobody decides about themselves, whatever post they hold. */
static enum err
not_self(struct req *rq, struct flow_step *st)
{
	if (st->thing.owner_id == rq->who.user_id)
		return req_fail(rq, ERR_FORBIDDEN,
		    "不能审核自己的申请，请联系网格员或社区。");
	return OK;
}

static enum err
need_reason(struct req *rq, struct flow_step *st)
{
	if (st->note == NULL || st->note[0] == '\0')
		return req_field(rq, "reason", "required",
		    "请写明原因，对方会看到。");
	return not_self(rq, st);
}

/* What the approver chose from the roster, or nothing. */
static enum err
link_roster(struct req *rq, struct flow_step *st)
{
	struct home_facts	facts;
	int64_t			household = 0, person = 0;
	enum err		e;

	e = db_one(rq->db, rq->arena, &flow_sql[FLOW_FACTS],
	    WITH(V(st->thing.community_id), V(st->thing.id)), &facts);
	if (e != OK)
		return e;
	e = home_roster_find(rq, &facts, st->in, &household, &person);
	if (e != OK)
		return e;
	if (person != 0)
		audit_subject(rq, person, "核实住户绑定房屋");
	e = db_run(rq->db, &flow_sql[FLOW_LINK],
	    WITH(V(st->thing.community_id), V(st->thing.id),
	    id_or_null(household), id_or_null(person), V(rq->now)), NULL);
	if (e == ERR_UNIQUE)
		return req_field_as(rq, ERR_CONFLICT, "person_id", "taken",
		    "这位住户已由其他账号绑定，请先核对。");
	return e;
}

/* The number is the roster's now: what was asked for needs nobody. */
static enum err
link_match(struct req *rq, struct flow_step *st)
{
	const struct home_new	*in = st->in;
	enum err		 e;

	e = db_run(rq->db, &flow_sql[FLOW_LINK],
	    WITH(V(st->thing.community_id), V(st->thing.id),
	    id_or_null(in->household_id), id_or_null(in->person_id),
	    V(rq->now)), NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &flow_sql[FLOW_VIA],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(in->via),
	    V(in->relation)), NULL);
}

static enum err
set_ended(struct req *rq, struct flow_step *st)
{
	return db_run(rq->db, &flow_sql[FLOW_ENDED],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(rq->now),
	    V(st->note)), NULL);
}

/* What was for this home ends with it; orders and their steps stay. */
static enum err
move_out(struct req *rq, struct flow_step *st)
{
	enum err	e;

	if ((e = set_ended(rq, st)) != OK)
		return e;
	e = db_run(rq->db, &flow_sql[FLOW_ADDRESS],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(rq->now)),
	    NULL);
	if (e != OK)
		return e;
	return db_run(rq->db, &flow_sql[FLOW_HELPER],
	    WITH(V(st->thing.community_id), V(st->thing.owner_id),
	    V(rq->now), V(rq->who.user_id)), NULL);
}

/* Who should decide: the head, else the grid worker, else nobody (0). */
static enum err
decider(struct req *rq, int64_t dwelling_id, int64_t owner_id,
    int64_t *ret_head, int64_t *ret_worker)
{
	struct scope_duty	duty;
	enum err		e;

	if ((e = scope_duty_of(rq, dwelling_id, &duty)) != OK)
		return e;
	*ret_head = duty.head_id == owner_id ? 0 : duty.head_id;
	*ret_worker = duty.grid_worker_id == owner_id ? 0 :
	    duty.grid_worker_id;
	return OK;
}

static enum err
hand_over(struct req *rq, struct flow_step *st)
{
	struct home_facts	facts;
	int64_t			head, worker;
	enum err		e;

	e = db_one(rq->db, rq->arena, &flow_sql[FLOW_FACTS],
	    WITH(V(st->thing.community_id), V(st->thing.id)), &facts);
	if (e != OK)
		return e;
	e = decider(rq, facts.dwelling_id, facts.owner_id, &head, &worker);
	if (e != OK)
		return e;
	if (worker != 0 && worker != st->thing.assignee_id) {
		st->assignee_id = worker;
		st->note = "联户长尚未处理，已转给网格员";
	} else
		st->note = "已再次提醒工作人员核实";
	return OK;
}

static enum err
escalate(struct req *rq, struct flow_step *st)
{
	(void)rq;
	st->note = "超过两天未处理，已报社区管理员";
	return OK;
}

static const struct flow_state states[] = {
	{ "asked", "待核实", false, "supervise", 1, "escalate", NULL },
	{ "bound", "已绑定", false, NULL, 0, NULL,
	    "they live there until they move out" },
	{ "refused", "未通过", true, NULL, 0, NULL, NULL },
	{ "ended", "已解除", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

#define PROGRESS	"order_progress"
#define TASK		"order_todo"
#define OWNER(tip)	{ TELL_OWNER, PROGRESS, (tip) }
#define ASSIGNEE(tip)	{ TELL_ASSIGNEE, TASK, (tip) }
#define ADMINS(tip)	{ TELL_ADMINS, TASK, (tip) }
#define DESK		(ROLE_ADMIN | ROLE_CLERK)

static const struct flow_move moves[] = {
	{ NULL, "ask", "asked", REL_OWNER, FLOW_SET, "申请绑定房屋",
	    NULL, NULL, { ASSIGNEE("有住户申请绑定，请核实") } },
	{ NULL, "ask_desk", "asked", REL_OWNER, FLOW_SET,
	    "申请绑定房屋，等待社区核实",
	    NULL, NULL, { ADMINS("有住户申请绑定，请核实") } },
	{ NULL, "match", "bound", REL_OWNER, FLOW_NONE,
	    "手机号与登记一致，自动绑定", NULL, NULL, { { 0 } } },
	{ NULL, "enter", "bound", DESK, FLOW_NONE, "社区代为登记",
	    NULL, NULL, { { 0 } } },

	{ "asked", "match", "bound", REL_OWNER, FLOW_NONE,
	    "手机号与登记一致，自动绑定", NULL, link_match, { { 0 } } },
	{ "asked", "approve", "bound", REL_AREA | DESK, FLOW_NONE,
	    "核实通过", not_self, link_roster,
	    { OWNER("房屋已绑定，可以办理业务了") } },
	{ "asked", "refuse", "refused", REL_AREA | DESK, FLOW_NONE,
	    "核实未通过", need_reason, set_ended,
	    { OWNER("未能通过核实，请查看原因") } },
	{ "asked", "withdraw", "ended", REL_OWNER, FLOW_NONE, "撤回申请",
	    NULL, set_ended, { { 0 } } },
	{ "asked", "supervise", "asked", REL_SYSTEM, DAY, "超时督办",
	    hand_over, NULL, { ASSIGNEE("绑定申请待核实，请尽快处理"),
	    OWNER("尚未核实，已为您催办") } },
	{ "asked", "escalate", "asked", REL_SYSTEM, DAY, "报社区管理员",
	    escalate, NULL, { ADMINS("绑定申请超时未核实，请跟进"),
	    ASSIGNEE("绑定申请待核实，请尽快处理") } },

	{ "bound", "leave", "ended", REL_OWNER, FLOW_NONE, "已搬离",
	    NULL, move_out, { { 0 } } },
	{ "bound", "end", "ended", REL_AREA | DESK, FLOW_NONE,
	    "工作人员解除绑定", need_reason, move_out,
	    { OWNER("房屋绑定已解除，请查看原因") } },
	{ "bound", "moved", "ended", REL_SYSTEM, FLOW_NONE,
	    "住户登记已变更，自动解除", NULL, move_out,
	    { OWNER("房屋绑定已解除，请查看原因") } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow home_flow = {
	.name = "home",
	.label = "房屋绑定",
	.page = "pages/home/home?id=",
	.states = states,
	.moves = moves,
	.sql = home_sql,
	.watchers = DESK,
};

static enum err
insert(struct req *rq, const struct home_new *in, const struct flow_thing *t,
    const char *place, bool bound)
{
	return db_run(rq->db, &flow_sql[FLOW_INSERT],
	    WITH(V(t->community_id), V(t->id), V(t->state),
	    bound ? VNULL : V(t->deadline_at), V(t->owner_id),
	    id_or_null(t->assignee_id), V(t->title), V(rq->now),
	    V(in->dwelling_id), V(place), V(in->via), V(in->name),
	    V(in->relation), V(in->tenancy), id_or_null(in->household_id),
	    id_or_null(in->person_id), bound ? V(rq->now) : VNULL), NULL);
}

enum err
home_start(struct req *rq, const char *event, const struct home_new *in,
    int64_t *ret_id)
{
	bool			 bound = strcmp(event, "ask") != 0;
	struct home_place	 place;
	struct flow_thing	 t = { .id = id_new(), .urged = 0 };
	int64_t			 worker = 0;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &flow_sql[FLOW_PLACE],
	    WITH(V(rq->who.community_id), V(in->dwelling_id)), &place);
	if (e != OK)
		return e;
	t.community_id = rq->who.community_id;
	t.owner_id = in->owner_id;
	t.state = bound ? "bound" : "asked";
	t.title = arena_fmt(rq->arena, "绑定 %s", place.full_name);
	if (!bound) {
		t.deadline_at = rq->now + DAY;
		e = decider(rq, in->dwelling_id, in->owner_id,
		    &t.assignee_id, &worker);
		if (e != OK)
			return e;
		if (t.assignee_id == 0)
			t.assignee_id = worker;
		if (t.assignee_id == 0)
			event = "ask_desk";
	}
	*ret_id = t.id;
	e = insert(rq, in, &t, place.full_name, bound);
	return e != OK ? e : flow_start(rq, &home_flow, event, &t);
}

enum err
home_leave_all(struct req *rq)
{
	/* An open home in each of more communities than there are. */
	struct home_open	at[64 * HOME_MAX], row;
	int64_t			here = rq->who.community_id;
	struct rows		rows;
	enum err		e;
	int			i, n = 0;

	e = db_query(rq->db, &flow_sql[FLOW_MINE],
	    WITH(V(rq->who.user_id)), &rows);
	if (e != OK)
		return e;
	while (n < 64 * HOME_MAX && db_each(&rows, &row)) {
		row.state = strcmp(row.state, "bound") == 0 ? "leave" :
		    "withdraw";
		at[n++] = row;
	}
	e = db_end(&rows);
	for (i = 0; e == OK && i < n; i++) {
		rq->who.community_id = at[i].community_id;
		e = flow_fire(rq, &home_flow, at[i].id, at[i].state, NULL,
		    "注销账号");
	}
	rq->who.community_id = here;
	return e;
}

/* Up to AT_ONCE homes whose person has left, as home_end_of says. */
static enum err
who_left(struct req *rq, int64_t community_id, int64_t household_id,
    int64_t person_id, struct home_open ret[AT_ONCE], int *ret_n)
{
	struct rows	rows;
	enum err	e;

	*ret_n = 0;
	e = db_query(rq->db, &flow_sql[FLOW_LEFT],
	    WITH(V(community_id), V(household_id), V(person_id)), &rows);
	if (e != OK)
		return e;
	while (*ret_n < AT_ONCE && db_each(&rows, &ret[*ret_n]))
		(*ret_n)++;
	return db_end(&rows);
}

/* Somebody else may have ended it meanwhile. */
static enum err
end_one(struct req *rq, int64_t id)
{
	enum err	e;

	e = flow_system(rq, &home_flow, id, "moved",
	    "住户登记中已不住在这里");
	return e == ERR_STATE ? OK : e;
}

enum err
home_end_of(struct req *rq, int64_t household_id, int64_t person_id)
{
	struct home_open	at[AT_ONCE];
	enum err		e;
	int			i, n = AT_ONCE, rounds = 0;

	while (n == AT_ONCE && rounds++ < 100) {
		e = who_left(rq, rq->who.community_id, household_id,
		    person_id, at, &n);
		for (i = 0; e == OK && i < n; i++)
			e = end_one(rq, at[i].id);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
sweep_one(struct req *rq, void *arg)
{
	const struct home_open	*at = arg;

	audit_as(rq, at->community_id, 0);
	return end_one(rq, at->id);
}

/* After imports, and whoever was bound while the roster changed. */
static enum err
sweep(struct req *rq)
{
	struct home_open	at[AT_ONCE];
	int64_t			here = rq->who.community_id;
	enum err		e;
	int			i, n;

	e = who_left(rq, 0, 0, 0, at, &n);
	for (i = 0; e == OK && i < n; i++) {
		rq->who.community_id = at[i].community_id;
		e = req_transact(rq, sweep_one, &at[i]);
		if (e == ERR_CONFLICT)
			e = OK;
	}
	rq->who.community_id = here;
	return e;
}

static const struct task home_tasks[] = {
	{ "home_roster", CLOCK_MINUTE, TASK_NEVER, sweep },
	{ NULL, 0, 0, NULL }
};

void
home_flow_register(void)
{
	task_register(home_tasks);
	db_register(flow_sql, HOME_FLOW_SQL_MAX);
	flow_register(&home_flow);
}
