/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_call_flow.c -- a roll call from its start to its close.
 *
 * Half-way, or when the caller said, each head is told how many homes are
 * still silent; at the end it closes by itself.
 */
#include "base/arena.h"
#include "flow/flow.h"
#include "flow/outbox.h"
#include "http/req.h"
#include "service/roll_call.h"

#define MESSAGE	"roll_call"
#define PAGE	"pages/roll/call?id="
#define TO_DO	"order_todo"

struct roll_times {
	int64_t		 closes_at;
};

static const struct view_column roll_times_columns[] = {
	C_TIME(roll_times, closes_at),
	C_END
};
static const struct view roll_times_view = VIEW(roll_times, "RollTimes");

/* Somebody to tell, and of how many homes. */
struct roll_told {
	int64_t		 user_id;
	int64_t		 homes;
};

static const struct view_column roll_told_columns[] = {
	C_ID(roll_told, user_id),
	C_INT(roll_told, homes),
	C_END
};
static const struct view roll_told_view = VIEW(roll_told, "RollTold");

enum { ROLL_TIMES, ROLL_PEOPLE, ROLL_HEADS, ROLL_FLOW_MAX };

static struct stmt roll_sql[] = {
	[ROLL_TIMES] = { RO, 2, &roll_times_view,
	    "SELECT closes_at FROM roll_call WHERE community_id = $1"
	    " AND id = $2", NULL, 0 },
	[ROLL_PEOPLE] = { RO, 2, &roll_told_view,
	    "SELECT h.owner_id AS user_id, COUNT(*) AS homes"
	    " FROM roll_home r JOIN home h"
	    " ON h.community_id = r.community_id"
	    " AND h.household_id = r.household_id AND h.state = 'bound'"
	    " WHERE r.community_id = $1 AND r.roll_call_id = $2"
	    " GROUP BY h.owner_id", NULL, 0 },
	[ROLL_HEADS] = { RO, 3, &roll_told_view,
	    "SELECT p.user_id, COUNT(*) AS homes FROM roll_home r JOIN post p"
	    " ON p.community_id = r.community_id AND p.scope = 'unit'"
	    " AND p.scope_id = r.unit_id AND p.role = 'head'"
	    " AND p.from_at <= $3 AND (p.to_at IS NULL OR p.to_at > $3)"
	    " WHERE r.community_id = $1 AND r.roll_call_id = $2"
	    " AND r.choice IS NULL AND p.user_id IS NOT NULL"
	    " GROUP BY p.user_id", NULL, 0 },
};

static struct stmt roll_flow_sql[] = {
	FLOW_SQL("roll_call")
};

/*
 * The rows of `which` in the arena.  They are read whole first, because a
 * statement that is being read must not be written beside.
 */
static enum err
read_told(struct req *rq, int which, int64_t id, struct roll_told **ret,
    size_t *ret_n)
{
	struct values	 v = WITH(V(rq->who.community_id), V(id), V(rq->now));
	struct roll_told *all = NULL, row;
	struct rows	 rows;
	size_t		 n = 0, room = 0;
	enum err	 e;

	if (which == ROLL_PEOPLE)
		v.n = 2;
	if ((e = db_query(rq->db, &roll_sql[which], v, &rows)) != OK)
		return e;
	while (db_each(&rows, &row)) {
		if (n == room) {
			struct roll_told *more;

			room = room == 0 ? 256 : room * 2;
			more = ARENA_ARRAY(rq->arena, struct roll_told,
			    room);
			for (size_t i = 0; i < n; i++)
				more[i] = all[i];
			all = more;
		}
		all[n++] = row;
	}
	*ret = all;
	*ret_n = n;
	return db_end(&rows);
}

enum err
roll_call_tell_homes(struct req *rq, int64_t id, const char *question)
{
	struct roll_told	*all;
	const char		*page, *data;
	enum err		 e;
	size_t			 i, n;

	if ((e = read_told(rq, ROLL_PEOPLE, id, &all, &n)) != OK)
		return e;
	page = arena_fmt(rq->arena, "%s%lld", PAGE, (long long)id);
	data = flow_message(rq, question, "待回复", "请点开回复，让邻里放心");
	for (i = 0; i < n; i++) {
		e = outbox_put(rq, all[i].user_id, MESSAGE, page, data);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
tell_heads(struct req *rq, struct flow_step *st)
{
	struct roll_told	*all;
	const char		*page;
	enum err		 e;
	size_t			 i, n;

	if ((e = read_told(rq, ROLL_HEADS, st->thing.id, &all, &n)) != OK)
		return e;
	page = arena_fmt(rq->arena, "%s%lld", PAGE, (long long)st->thing.id);
	for (i = 0; i < n; i++) {
		e = outbox_put(rq, all[i].user_id, TO_DO, page,
		    flow_message(rq, st->thing.title, "待上门",
		    arena_fmt(rq->arena, "还有%lld户未回复，请上门看看",
		    (long long)all[i].homes)));
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
until_close(struct req *rq, struct flow_step *st)
{
	struct roll_times	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &roll_sql[ROLL_TIMES],
	    WITH(V(st->thing.community_id), V(st->thing.id)), &row);
	if (e != OK)
		return e;
	/* A runner that was away for long closes at its next look. */
	st->deadline_at = row.closes_at > rq->now ? row.closes_at :
	    rq->now + 1;
	st->note = "已把未回复的住户交给联户长";
	return OK;
}

static const struct flow_state roll_states[] = {
	{ "open", "进行中", false, "remind", 1, "expire", NULL },
	{ "closed", "已结束", true, NULL, 0, NULL, NULL },
	{ "cancelled", "已取消", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

#define DESK	(ROLE_ADMIN | ROLE_CLERK)

static const struct flow_move roll_moves[] = {
	{ NULL, "start", "open", REL_OWNER, FLOW_SET, "发起点名",
	    NULL, NULL, { { 0 } } },
	{ "open", "remind", "open", REL_SYSTEM, FLOW_SET, "提醒联户长",
	    until_close, tell_heads, { { 0 } } },
	{ "open", "expire", "closed", REL_SYSTEM, FLOW_NONE, "到时结束",
	    NULL, NULL, { { TELL_OWNER, TO_DO, "点名已结束，请查看结果" } } },
	{ "open", "close", "closed", REL_OWNER | DESK, FLOW_NONE, "提前结束",
	    NULL, NULL, { { TELL_OWNER, TO_DO, "点名已结束，请查看结果" } } },
	{ "open", "cancel", "cancelled", REL_OWNER | DESK, FLOW_NONE,
	    "取消点名", NULL, NULL, { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

const struct flow roll_call_flow = {
	.name = "roll_call",
	.label = "点名",
	.page = PAGE,
	.states = roll_states,
	.moves = roll_moves,
	.sql = roll_flow_sql,
	.watchers = ROLL_STAFF,
};

const char *const roll_call_states[] = { "open", "closed", "cancelled",
    NULL };
const char *const roll_call_events[] = { "close", "cancel", NULL };

void
roll_call_flow_register(void)
{
	db_register(roll_sql, ROLL_FLOW_MAX);
	flow_register(&roll_call_flow);
}
