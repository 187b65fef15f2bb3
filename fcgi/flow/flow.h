/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h -- things that somebody asked for, moving through named states.
 *
 * A service declares its flow as two tables: states, and moves between
 * them.  The engine alone changes a state: one conditional UPDATE on
 * (id, version, expected state), one row of the timeline, one outbox row a
 * message, all in the transaction that is open.  Overdue is an event like
 * any other, fired by the job runner.
 *
 * The table of a flow's things begins with the columns of struct
 * flow_thing; FLOW_SQL makes the three statements the engine needs.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/view.h"
#include "http/route.h"
#include "store/db.h"

struct json;
struct req;

/* Relations to a thing; beside the role bits in a move's `who`. */
#define REL_OWNER	(1ULL << 32)	/* asked for it */
#define REL_ORG		(1ULL << 33)	/* owner or clerk of its org */
#define REL_COURIER	(1ULL << 34)	/* courier of its org */
#define REL_ASSIGNEE	(1ULL << 35)	/* it is assigned to them */
#define REL_SYSTEM	(1ULL << 36)	/* the job runner */
#define REL_AREA	(1ULL << 37)	/* has a post for where it is */
#define REL__ALL	(REL_OWNER | REL_ORG | REL_COURIER | REL_ASSIGNEE | \
			REL_AREA)

/* A move's deadline: milliseconds, or one of these. */
#define FLOW_NONE	0		/* the next state has none */
#define FLOW_SET	(-1)		/* `before` sets it */
#define FLOW_KEEP	(-2)		/* as it was; same state only */

/* The columns that every flow's table has. */
struct flow_thing {
	int64_t		 community_id;
	int64_t		 id;
	const char	*state;
	int64_t		 version;
	int64_t		 urged;		/* times overdue in this state */
	int64_t		 deadline_at;	/* VIEW_NULL_INT: none */
	int64_t		 owner_id;
	int64_t		 org_id;
	int64_t		 assignee_id;	/* 0: nobody */
	const char	*title;
	const char	*duty;		/* the caller's in its org, `area`
					   (REL_AREA), or NULL */
};

extern const struct view flow_thing_view;

struct flow_state {
	const char	*name;		/* ASCII; NULL ends the table */
	const char	*label;		/* Chinese, at most 5 characters */
	bool		 final;
	const char	*overdue;	/* event fired when time is up */
	int		 times;		/* so often, then `then`; 0: always */
	const char	*then;
	const char	*why_open;	/* why it needs no deadline */
};

enum flow_audience { TELL_OWNER = 1, TELL_ORG, TELL_COURIERS, TELL_ASSIGNEE,
	TELL_ADMINS };

struct flow_tell {
	enum flow_audience	 to;	/* 0 ends the list */
	const char		*template;
	const char		*tip;	/* Chinese, at most 20 characters */
};

struct flow_step;

struct flow_move {
	const char	*from;		/* NULL: the beginning */
	const char	*event;		/* ASCII; NULL ends the table */
	const char	*to;
	uint64_t	 who;		/* roles and relations */
	int64_t		 deadline;	/* of `to`: ms, or FLOW_ above */
	const char	*label;		/* Chinese, what was done */
	/* Refuse, or set the step's deadline, assignee, org, note. */
	enum err (*before)(struct req *, struct flow_step *);
	/* Effects (SQL only) once the state has changed. */
	enum err (*after)(struct req *, struct flow_step *);
	struct flow_tell tells[4];
};

struct flow {
	const char		*name;		/* water_order */
	const char		*label;		/* 送水订单 */
	const char		*page;		/* client page, id appended */
	const struct flow_state	*states;
	const struct flow_move	*moves;
	struct stmt		*sql;		/* FLOW_SQL */
	uint64_t		 watchers;	/* roles that may read all */
};

/* One step being made; `before` may change the middle part. */
struct flow_step {
	const struct flow	*flow;
	const struct flow_move	*move;
	struct flow_thing	 thing;		/* as it was */
	const void		*in;		/* input of the event */
	int64_t			 deadline_at;	/* 0: none */
	int64_t			 assignee_id;	/* 0: nobody */
	int64_t			 org_id;
	const char		*note;		/* for the timeline */
	uint64_t		 mask;		/* roles and relations */
};

enum { FLOW_READ, FLOW_MOVE, FLOW_DUE, FLOW_PUT_OFF, FLOW_SQL_MAX };

/*
 * The engine's statements on `table`, a literal.  A flow whose things lie
 * at a dwelling has its own FLOW_READ beside FLOW_SQL_REST; a fourth
 * argument of it is rq->now.
 */
#define FLOW_SQL(table)	FLOW_SQL_READ(table), FLOW_SQL_REST(table)
#define FLOW_SQL_READ(table)						\
	[FLOW_READ] = { RO, 3, &flow_thing_view,			\
	    "SELECT t.community_id, t.id, t.state, t.version, t.urged,"	\
	    " t.deadline_at, t.owner_id, t.org_id, t.assignee_id,"	\
	    " t.title, s.duty FROM " table " t"				\
	    " LEFT JOIN org_staff s ON s.community_id = t.community_id"	\
	    " AND s.org_id = t.org_id AND s.user_id = $3"		\
	    " WHERE t.community_id = $1 AND t.id = $2", NULL, 0 }
#define FLOW_SQL_REST(table)						\
	[FLOW_MOVE] = { RW, 10, NULL,					\
	    "UPDATE " table " SET state = $5, version = version + 1,"	\
	    " urged = $6, deadline_at = $7, assignee_id = $8,"		\
	    " org_id = $9, updated_at = $10"				\
	    " WHERE community_id = $1 AND id = $2"			\
	    " AND version = $3 AND state = $4", NULL, 0 },		\
	[FLOW_DUE] = { RO, 2, &flow_due_view,				\
	    "SELECT community_id, id FROM " table			\
	    " WHERE deadline_at IS NOT NULL AND deadline_at <= $1"	\
	    " ORDER BY deadline_at LIMIT $2", NULL, 0 },		\
	[FLOW_PUT_OFF] = { RW, 4, NULL,					\
	    "UPDATE " table " SET deadline_at = $3"			\
	    " WHERE community_id = $1 AND id = $2"			\
	    " AND deadline_at <= $4", NULL, 0 }

struct flow_due {
	int64_t		 community_id;
	int64_t		 id;
};
extern const struct view flow_due_view;

/* Add a flow and its statements.  Before flow_ready. */
void flow_register(const struct flow *);

/*
 * Check all: states exist and are reachable, every state that is not
 * final has a way out and a deadline or says why not, overdue events are
 * the system's, nobody-may moves are refused.  False after logging.
 */
bool flow_ready(void);

/* i from 0; NULL past the end. */
const struct flow *flow_at(int i);

/*
 * The thing `id` as far as the caller may see it; ERR_ABSENT when there
 * is none or it is not theirs.  Relations and roles through ret_mask.
 */
enum err flow_see(struct req *, const struct flow *, int64_t id,
    struct flow_thing *ret, uint64_t *ret_mask);

/*
 * The beginning: timeline and messages of the move from NULL, for a thing
 * that the service has just inserted in that move's state.
 */
enum err flow_start(struct req *, const struct flow *, const char *event,
    const struct flow_thing *);

/*
 * Do `event` to thing `id` for the caller.  ERR_ABSENT not theirs,
 * ERR_FORBIDDEN not for them, ERR_STATE not now, ERR_CONFLICT somebody
 * was faster; or what the hooks refuse.  Needs an open transaction.
 */
enum err flow_fire(struct req *, const struct flow *, int64_t id,
    const char *event, const void *in, const char *note);

/*
 * Fire what is overdue about thing `id` as the system; OK when it is not
 * (any more).  ERR_CONFLICT when somebody was faster: roll back.  Needs an
 * open transaction.
 */
enum err flow_overdue(struct req *, const struct flow *, int64_t id);

/*
 * Do `event`, one of the system's, to thing `id` for a task; ERR_STATE when
 * it is not possible now.  Needs an open transaction.
 */
enum err flow_system(struct req *, const struct flow *, int64_t id,
    const char *event, const char *note);

/*
 * What cannot be moved on must not stand in the way of what can: its
 * deadline is set `ms` later.  Needs an open transaction.
 */
enum err flow_put_off(struct req *, const struct flow *, int64_t id,
    int64_t ms);

/* Answer with the timeline of thing `id`, oldest first. */
enum err flow_timeline(struct req *, const struct flow *, int64_t id);
extern const struct view flow_event_view;

/*
 * The data of a message, for outbox_put: what it is about, how it stands
 * (five characters) and what to do; cut to what WeChat takes.
 */
const char *flow_message(struct req *, const char *title, const char *phrase,
    const char *tip);

/* Relations from a row's columns; duty may be NULL. */
uint64_t flow_mask(const struct req *, int64_t owner_id, int64_t assignee_id,
    const char *duty);

/* Write the events that `mask` may fire in `state` as a JSON list. */
void flow_can(struct json *, const struct flow *, const char *state,
    uint64_t mask);

/* Chinese label of a state; the name itself when there is none. */
const char *flow_label(const struct flow *, const char *state);

/* planetctl flows: all tables as text, or as Graphviz. */
void flow_print(FILE *, bool graphviz);

#endif
