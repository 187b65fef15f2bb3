/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.c -- the engine: see, start, fire, overdue, timeline.
 *
 * Nothing here locks: the version read is the version the UPDATE demands,
 * so of two that act at once one finds no row and is told so.
 */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/flow_internal.h"
#include "http/audit.h"
#include "http/req.h"

static const struct view_column flow_thing_columns[] = {
	C_ID(flow_thing, community_id),
	C_ID(flow_thing, id),
	C_TEXT(flow_thing, state),
	C_INT(flow_thing, version),
	C_INT(flow_thing, urged),
	C_TIME(flow_thing, deadline_at, .flags = VIEW_NULL),
	C_ID(flow_thing, owner_id),
	C_ID(flow_thing, org_id),
	C_ID(flow_thing, assignee_id),
	C_TEXT(flow_thing, title),
	C_TEXT(flow_thing, duty, .flags = VIEW_NULL),
	C_END
};
const struct view flow_thing_view = VIEW(flow_thing, "FlowThing");

static const struct view_column flow_due_columns[] = {
	C_ID(flow_due, community_id),
	C_ID(flow_due, id),
	C_END
};
const struct view flow_due_view = VIEW(flow_due, "FlowDue");

/* A row of the timeline. */
struct flow_event {
	int64_t		 id;
	const char	*flow;
	const char	*event;
	const char	*from_state;
	const char	*to_state;
	const char	*actor;
	const char	*note;
	int64_t		 created_at;
};

static const char *const actor_names[] = { "owner", "org", "courier",
    "assignee", "staff", "system", "area", "helper", NULL };
static const char *const actor_labels[] = { "本人", "商家", "配送员",
    "经办人", "社区工作人员", "系统", "联户长或网格员", "家人代办" };

static void
event_label(struct json *j, const struct req *rq, const void *row)
{
	const struct flow_event	*ev = row;
	const struct flow	*flow = flow_named(ev->flow);
	const struct flow_move	*move = NULL;

	(void)rq;
	if (flow != NULL)
		move = flow_find(flow, ev->from_state, ev->event);
	json_text(j, move != NULL ? move->label : ev->event);
}

static void
event_state_label(struct json *j, const struct req *rq, const void *row)
{
	const struct flow_event	*ev = row;
	const struct flow	*flow = flow_named(ev->flow);

	(void)rq;
	json_text(j, flow != NULL ? flow_label(flow, ev->to_state) :
	    ev->to_state);
}

static void
event_actor_label(struct json *j, const struct req *rq, const void *row)
{
	const struct flow_event	*ev = row;
	int			 i;

	(void)rq;
	for (i = 0; actor_names[i] != NULL; i++)
		if (strcmp(actor_names[i], ev->actor) == 0) {
			json_text(j, actor_labels[i]);
			return;
		}
	json_text(j, ev->actor);
}

static const struct view_column flow_event_columns[] = {
	C_ID(flow_event, id),
	C_TEXT(flow_event, flow, .flags = VIEW_HIDDEN),
	C_TEXT(flow_event, event),
	C_TEXT(flow_event, from_state, .flags = VIEW_NULL),
	C_TEXT(flow_event, to_state),
	C_CODE(flow_event, actor, actor_names),
	C_TEXT(flow_event, note, .flags = VIEW_NULL),
	C_TIME(flow_event, created_at),
	C_CALC("label", SHAPE_TEXT, event_label,
	    .about = "what was done, in Chinese"),
	C_CALC("state_label", SHAPE_TEXT, event_state_label,
	    .about = "the state after it, in Chinese"),
	C_CALC("actor_label", SHAPE_TEXT, event_actor_label,
	    .about = "who did it, in Chinese"),
	C_END
};
const struct view flow_event_view = VIEW(flow_event, "FlowEvent");

enum { FLOW_LOG, FLOW_LIST, FLOW_OWN_MAX };

static struct stmt flow_sql[] = {
	[FLOW_LOG] = { RW, 11, NULL,
	    "INSERT INTO flow_event (community_id, thing_id, id, flow, event,"
	    " from_state, to_state, actor_id, actor, note, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
	    NULL, 0 },
	[FLOW_LIST] = { RO, 2, &flow_event_view,
	    "SELECT id, flow, event, from_state, to_state, actor, note,"
	    " created_at FROM flow_event"
	    " WHERE community_id = $1 AND thing_id = $2 ORDER BY id",
	    NULL, 0 },
};

void
flow_register_own(void)
{
	db_register(flow_sql, FLOW_OWN_MAX);
}

static struct value
or_null(int64_t v)
{
	return v > 0 ? value_int(v) : VNULL;
}

uint64_t
flow_mask(const struct req *rq, int64_t owner_id, int64_t assignee_id,
    const char *duty)
{
	uint64_t	mask = rq->who.roles;

	if (rq->who.user_id == 0)
		return 0;
	if (owner_id == rq->who.user_id)
		mask |= REL_OWNER;
	if (assignee_id == rq->who.user_id)
		mask |= REL_ASSIGNEE;
	if (duty != NULL)
		mask |= strcmp(duty, "courier") == 0 ? REL_COURIER :
		    strcmp(duty, "area") == 0 ? REL_AREA : REL_ORG;
	if (mask & ROLE_PLATFORM)
		mask |= ROLE_ADMIN;
	return mask;
}

void
flow_can(struct json *j, const struct flow *flow, const char *state,
    uint64_t mask)
{
	const struct flow_move	*m;

	json_list(j);
	for (m = flow->moves; m->event != NULL; m++)
		if (m->from != NULL && (m->who & mask) != 0 &&
		    strcmp(m->from, state) == 0)
			json_text(j, m->event);
	json_unlist(j);
}

static enum err
read_thing(struct req *rq, const struct flow *flow, int64_t id,
    int64_t user_id, struct flow_thing *ret)
{
	const struct stmt	*s = &flow->sql[FLOW_READ];
	struct values		 v = WITH(V(rq->who.community_id), V(id),
	    V(user_id), V(rq->now));

	v.n = s->nargs;
	return db_one(rq->db, rq->arena, s, v, ret);
}

enum err
flow_see(struct req *rq, const struct flow *flow, int64_t id,
    struct flow_thing *ret, uint64_t *ret_mask)
{
	uint64_t	mask;
	enum err	e;

	if ((e = read_thing(rq, flow, id, rq->who.user_id, ret)) != OK)
		return e;
	mask = flow_mask(rq, ret->owner_id, ret->assignee_id, ret->duty);
	if ((mask & (REL__ALL | flow->watchers)) == 0)
		return ERR_ABSENT;
	if (ret_mask != NULL)
		*ret_mask = mask;
	return OK;
}

/* Whose hand it was, for the timeline: the nearest relation counts. */
static const char *
actor_of(const struct req *rq, const struct flow_step *st)
{
	uint64_t	by = st->mask & st->move->who;

	if (rq->actor_id != 0)
		return "helper";
	if (by & REL_SYSTEM)
		return "system";
	if (by & REL_OWNER)
		return "owner";
	if (by & REL_ASSIGNEE)
		return "assignee";
	if (by & REL_COURIER)
		return "courier";
	if (by & REL_ORG)
		return "org";
	if (by & REL_AREA)
		return "area";
	return "staff";
}

static enum err
log_step(struct req *rq, const struct flow_step *st)
{
	if (rq->audit.thing == NULL)
		audit_thing(rq, st->flow->name, st->thing.id);
	return db_run(rq->db, &flow_sql[FLOW_LOG],
	    WITH(V(st->thing.community_id), V(st->thing.id), V(id_new()),
	    V(st->flow->name), V(st->move->event), V(st->move->from),
	    V(st->move->to), or_null(req_caller(rq)), V(actor_of(rq, st)),
	    V(st->note), V(rq->now)), NULL);
}

enum err
flow_start(struct req *rq, const struct flow *flow, const char *event,
    const struct flow_thing *thing)
{
	struct flow_step	st = {
		.flow = flow,
		.move = flow_find(flow, NULL, event),
		.thing = *thing,
		.org_id = thing->org_id,
		.assignee_id = thing->assignee_id,
	};
	enum err		e;

	st.mask = flow_mask(rq, thing->owner_id, thing->assignee_id, NULL);
	if ((e = log_step(rq, &st)) != OK)
		return e;
	return flow_tell(rq, &st);
}

/* The one place where a state changes. */
static enum err
change_state(struct req *rq, const struct flow_step *st)
{
	const struct flow_thing	*t = &st->thing;
	int64_t			 urged = 0, n;
	enum err		 e;

	if (strcmp(st->move->from, st->move->to) == 0)
		urged = t->urged + ((st->mask & REL_SYSTEM) ? 1 : 0);
	e = db_run(rq->db, &st->flow->sql[FLOW_MOVE],
	    WITH(V(t->community_id), V(t->id), V(t->version),
	    V(st->move->from), V(st->move->to), V(urged),
	    or_null(st->deadline_at), or_null(st->assignee_id),
	    V(st->org_id), V(rq->now)), &n);
	if (e != OK)
		return e;
	return n == 1 ? OK : ERR_CONFLICT;
}

static enum err
make_step(struct req *rq, struct flow_step *st)
{
	enum err	e;

	st->org_id = st->thing.org_id;
	st->assignee_id = st->thing.assignee_id;
	if (st->move->deadline > 0)
		st->deadline_at = rq->now + st->move->deadline;
	else if (st->move->deadline == FLOW_KEEP)
		st->deadline_at = st->thing.deadline_at;
	if (st->move->before != NULL &&
	    (e = st->move->before(rq, st)) != OK)
		return e;
	if ((e = change_state(rq, st)) != OK)
		return e;
	if (st->move->after != NULL && (e = st->move->after(rq, st)) != OK)
		return e;
	if ((e = log_step(rq, st)) != OK)
		return e;
	return flow_tell(rq, st);
}

/* Why there is no such move now: not for this caller, or not now. */
static enum err
refuse(struct req *rq, const struct flow *flow, const char *state,
    const char *event, uint64_t mask)
{
	const struct flow_move	*m;
	bool			 known = false, theirs = false;

	for (m = flow->moves; m->event != NULL; m++)
		if (m->from != NULL && strcmp(m->event, event) == 0) {
			known = true;
			theirs |= (m->who & mask) != 0;
		}
	if (!known)
		return ERR_ABSENT;
	if (!theirs)
		return ERR_FORBIDDEN;
	return req_failf(rq, ERR_STATE,
	    "当前状态是“%s”，不能进行这个操作，请刷新后查看最新进度。",
	    flow_label(flow, state));
}

enum err
flow_fire(struct req *rq, const struct flow *flow, int64_t id,
    const char *event, const void *in, const char *note)
{
	struct flow_step	st = { .flow = flow, .in = in, .note = note };
	enum err		e;

	if ((e = flow_see(rq, flow, id, &st.thing, &st.mask)) != OK)
		return e;
	st.move = flow_find(flow, st.thing.state, event);
	if (st.move == NULL)
		return refuse(rq, flow, st.thing.state, event, st.mask);
	if ((st.move->who & st.mask) == 0)
		return ERR_FORBIDDEN;
	return make_step(rq, &st);
}

enum err
flow_overdue(struct req *rq, const struct flow *flow, int64_t id)
{
	struct flow_step	 st = { .flow = flow, .mask = REL_SYSTEM };
	const struct flow_state	*state;
	const char		*event;
	enum err		 e;

	if ((e = read_thing(rq, flow, id, 0, &st.thing)) != OK)
		return e == ERR_ABSENT ? OK : e;
	if (st.thing.deadline_at == VIEW_NULL_INT ||
	    st.thing.deadline_at > rq->now)
		return OK;
	state = flow_state(flow, st.thing.state);
	if (state == NULL || state->overdue == NULL)
		return ERR_INTERNAL;
	event = state->overdue;
	if (state->then != NULL && st.thing.urged >= state->times)
		event = state->then;
	st.move = flow_find(flow, st.thing.state, event);
	return make_step(rq, &st);
}

enum err
flow_system(struct req *rq, const struct flow *flow, int64_t id,
    const char *event, const char *note)
{
	struct flow_step	 st = { .flow = flow, .mask = REL_SYSTEM,
	    .note = note };
	enum err		 e;

	if ((e = read_thing(rq, flow, id, 0, &st.thing)) != OK)
		return e;
	st.move = flow_find(flow, st.thing.state, event);
	if (st.move == NULL || (st.move->who & REL_SYSTEM) == 0)
		return ERR_STATE;
	return make_step(rq, &st);
}

enum err
flow_put_off(struct req *rq, const struct flow *flow, int64_t id, int64_t ms)
{
	return db_run(rq->db, &flow->sql[FLOW_PUT_OFF],
	    WITH(V(rq->who.community_id), V(id), V(rq->now + ms),
	    V(rq->now)), NULL);
}

enum err
flow_timeline(struct req *rq, const struct flow *flow, int64_t id)
{
	struct flow_thing	thing;
	enum err		e;

	if ((e = flow_see(rq, flow, id, &thing, NULL)) != OK)
		return e;
	return req_list(rq, &flow_sql[FLOW_LIST],
	    WITH(V(rq->who.community_id), V(id)), 0);
}
