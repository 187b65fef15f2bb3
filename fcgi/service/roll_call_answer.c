/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_call_answer.c -- the homes of a roll call and what they answered.
 *
 * A resident answers for the own home with a tap and may answer again
 * until it closes.  Staff enter what they learned at the door; over what
 * the home said itself only with a note of what they saw.
 *
 * An answer holds its call open until it commits, shared with all other
 * answers: a close waits for those begun and precedes those to come.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "flow/flow.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/person_internal.h"
#include "service/roll_call.h"
#include "service/scope.h"
#include "service/service.h"

#define MINE_FOR	(30 * CLOCK_DAY)
#define MINE_MAX	500

static const char *const home_states[] = { "silent", "answered", "alarm",
    NULL };
static const char *const home_vias[] = { "resident", "helper", "staff",
    NULL };

struct roll_home {
	int64_t		 household_id;
	int64_t		 unit_id;
	const char	*place;
	const char	*own_contact;	/* clear */
	int64_t		 named;		/* the caller is head there */
	const char	*choice;
	int64_t		 alarm;
	const char	*note;
	const char	*via;
	int64_t		 answered_at;
};

static void
home_contact(struct json *j, const struct req *rq, const void *row)
{
	const struct roll_home	*r = row;

	person_put_name(j, rq, r->own_contact, r->named != 0);
}

static const struct view_column roll_home_columns[] = {
	C_ID(roll_home, household_id),
	C_ID(roll_home, unit_id, .flags = VIEW_NULL),
	C_TEXT(roll_home, place),
	C_TEXT(roll_home, own_contact, .flags = VIEW_HIDDEN | VIEW_NULL),
	C_BOOL(roll_home, named, .flags = VIEW_HIDDEN),
	C_CALC("contact", SHAPE_TEXT, home_contact, .flags = VIEW_NULL,
	    .about = "who to ask for, masked but for the head of the unit;"
	    " null of one's own home"),
	C_TEXT(roll_home, choice, .flags = VIEW_NULL,
	    .about = "null: silent"),
	C_BOOL(roll_home, alarm),
	C_TEXT(roll_home, note, .flags = VIEW_NULL),
	C_CODE(roll_home, via, home_vias, .flags = VIEW_NULL),
	C_TIME(roll_home, answered_at, .flags = VIEW_NULL),
	C_END
};
static const struct view roll_home_view = VIEW(roll_home, "RollHome");

/* A roll call as one home sees it. */
struct roll_mine {
	int64_t		 id;
	const char	*state;
	const char	*question;
	const char	*choices;
	int64_t		 closes_at;
	int64_t		 household_id;
	const char	*place;
	const char	*choice;
	int64_t		 answered_at;
};

struct roll_option {
	const char	*code;
	const char	*label;
	int64_t		 alarm;
};

static const struct view_column roll_option_columns[] = {
	C_TEXT(roll_option, code),
	C_TEXT(roll_option, label),
	C_BOOL(roll_option, alarm),
	C_END
};
static const struct view roll_option_view =
    VIEW(roll_option, "RollOption");

static const struct view_column roll_mine_columns[] = {
	C_ID(roll_mine, id),
	C_CODE(roll_mine, state, roll_call_states),
	C_TEXT(roll_mine, question),
	C_ARRAY(roll_mine, choices, &roll_option_view),
	C_TIME(roll_mine, closes_at),
	C_ID(roll_mine, household_id),
	C_TEXT(roll_mine, place),
	C_TEXT(roll_mine, choice, .flags = VIEW_NULL),
	C_TIME(roll_mine, answered_at, .flags = VIEW_NULL),
	C_END
};
static const struct view roll_mine_view = VIEW(roll_mine, "RollMine");

struct roll_answer {
	int64_t		 id;
	const char	*choice;
	int64_t		 household_id;
	const char	*note;
};

static const struct field roll_answer_fields[] = {
	F_ID(roll_answer, id, "点名", MUST),
	F_TEXT(roll_answer, choice, "选项", MUST, 1, 20),
	F_ID(roll_answer, household_id, "住户", MAY),
	F_TEXT(roll_answer, note, "说明", MAY, 0, 100),
	F_END
};
static const struct shape roll_answer_shape =
    SHAPE(roll_answer, "RollAnswer");

struct roll_homes {
	int64_t		 id;
	int64_t		 state;
	int64_t		 unit_id;
	int64_t		 limit;
	int64_t		 after;
};

static const struct field roll_homes_fields[] = {
	F_ID(roll_homes, id, "点名", MUST),
	F_ENUM(roll_homes, state, "状态", MAY, home_states),
	F_ID(roll_homes, unit_id, "十联户", MAY),
	F_PAGE(roll_homes),
	F_END
};
static const struct shape roll_homes_shape =
    SHAPE(roll_homes, "RollHomesPage");

/* What an answer is judged by. */
struct roll_open {
	const char	*state;
	const char	*choices;
};

static const struct view_column roll_open_columns[] = {
	C_TEXT(roll_open, state),
	C_TEXT(roll_open, choices),
	C_END
};
static const struct view roll_open_view = VIEW(roll_open, "RollOpen");

struct roll_whose {
	int64_t		 household_id;
	int64_t		 mine;
};

static const struct view_column roll_whose_columns[] = {
	C_ID(roll_whose, household_id),
	C_BOOL(roll_whose, mine),
	C_END
};
static const struct view roll_whose_view = VIEW(roll_whose, "RollWhose");

#define HOME_SELECT(bits, user, now)					\
	"SELECT r.household_id, NULLIF(r.unit_id, 0) AS unit_id,"	\
	" r.place, p.name AS own_contact, CASE WHEN "			\
	SCOPE_HEADS("r.community_id", "r.dwelling_id", bits, user, now)	\
	" THEN 1 ELSE 0 END AS named, r.choice, r.alarm, r.note,"	\
	" r.via, r.answered_at FROM roll_home r LEFT JOIN household h"	\
	" ON h.community_id = r.community_id AND h.id = r.household_id"	\
	" LEFT JOIN person p ON p.community_id = h.community_id"	\
	" AND p.id = h.contact_id AND p.gone_at IS NULL"

#define HOME_MINE							\
	" JOIN home m ON m.community_id = r.community_id"		\
	" AND m.household_id = r.household_id AND m.state = 'bound'"

#define CALL_OPEN							\
	"SELECT state, choices FROM roll_call WHERE community_id = $1"	\
	" AND id = $2"

enum { HOME_CALL, HOME_HOLD, HOME_OWN, HOME_STAFF, HOME_ANSWER, HOME_GET,
	HOME_LIST, HOME_MY_CALLS, HOME_SQL_MAX };

static struct stmt home_sql[] = {
	[HOME_CALL] = { RO, 2, &roll_open_view, CALL_OPEN, NULL, 0 },
	/*
	 * SQLite has one writer.  PostgreSQL could close the call between
	 * this look and the answer's commit; a lock by UPDATE would forbid
	 * that too, but all homes would answer one after the other.
	 */
	[HOME_HOLD] = { RW, 2, &roll_open_view, CALL_OPEN,
	    CALL_OPEN " FOR SHARE", 0 },
	[HOME_OWN] = { RO, 4, &roll_whose_view,
	    "SELECT r.household_id, 1 AS mine FROM roll_home r" HOME_MINE
	    " WHERE r.community_id = $1 AND r.roll_call_id = $2"
	    " AND m.owner_id = $3"
	    " AND (CAST($4 AS BIGINT) = 0 OR r.household_id = $4)"
	    " ORDER BY r.household_id LIMIT 2", NULL, 0 },
	[HOME_STAFF] = { RO, 6, &roll_whose_view,
	    "SELECT r.household_id, 0 AS mine FROM roll_home r"
	    " WHERE r.community_id = $1 AND r.roll_call_id = $2"
	    " AND r.household_id = $3 AND "
	    SCOPE_COVERS("r.community_id", "r.dwelling_id", "$4", "$5", "$6"),
	    NULL, 0 },
	[HOME_ANSWER] = { RW, 10, NULL,
	    "UPDATE roll_home SET choice = $4, alarm = $5, note = $6,"
	    " via = $7, by_id = $8, answered_at = $9"
	    " WHERE community_id = $1 AND roll_call_id = $2"
	    " AND household_id = $3 AND (via IS NULL OR via = 'staff'"
	    " OR CAST($10 AS BIGINT) = 1)", NULL, 0 },
	[HOME_GET] = { RO, 6, &roll_home_view,
	    HOME_SELECT("$4", "$5", "$6") " WHERE r.community_id = $1"
	    " AND r.roll_call_id = $2 AND r.household_id = $3", NULL, 0 },
	[HOME_LIST] = { RO, 9, &roll_home_view,
	    HOME_SELECT("$6", "$7", "$8") " WHERE r.community_id = $1"
	    " AND r.roll_call_id = $2 AND r.household_id > $3"
	    " AND (CAST($4 AS BIGINT) = 0 OR r.unit_id = $4)"
	    " AND (CAST($5 AS BIGINT) = -1 OR ($5 = 0 AND r.choice IS NULL)"
	    " OR ($5 = 1 AND r.choice IS NOT NULL)"
	    " OR ($5 = 2 AND r.alarm = 1)) AND "
	    SCOPE_COVERS("r.community_id", "r.dwelling_id", "$6", "$7", "$8")
	    " ORDER BY r.household_id LIMIT $9", NULL, 0 },
	[HOME_MY_CALLS] = { RO, 4, &roll_mine_view,
	    "SELECT c.id, c.state, c.question, c.choices, c.closes_at,"
	    " r.household_id, r.place, r.choice, r.answered_at"
	    " FROM home m JOIN roll_home r"
	    " ON r.community_id = m.community_id"
	    " AND r.household_id = m.household_id JOIN roll_call c"
	    " ON c.community_id = r.community_id AND c.id = r.roll_call_id"
	    " WHERE m.community_id = $1 AND m.owner_id = $2"
	    " AND m.state = 'bound' AND c.state <> 'cancelled'"
	    " AND (c.state = 'open' OR c.updated_at > $3)"
	    " ORDER BY c.id DESC, r.household_id LIMIT $4", NULL, 0 },
};

/* ---- answering ---- */

/*
 * Whether `code` is one of the choices, and whether it is an alarm.  They
 * are our own JSON, so its parts stand where choices_json put them.
 */
static bool
find_choice(struct req *rq, const char *choices, const char *code,
    bool *ret_alarm)
{
	const char	*at, *end, *alarm;

	at = strstr(choices, arena_fmt(rq->arena, "{\"code\":\"%s\",", code));
	if (at == NULL || strpbrk(code, "\"\\{}") != NULL)
		return false;
	end = strchr(at, '}');
	alarm = strstr(at, "\"alarm\":true}");
	*ret_alarm = alarm != NULL && end != NULL && alarm < end;
	return true;
}

static enum err
check_choice(struct req *rq, const struct roll_answer *in, bool *ret_alarm)
{
	struct roll_open	row;
	enum err		e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_HOLD],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	if (strcmp(row.state, "open") != 0)
		return req_fail(rq, ERR_STATE,
		    "这次点名已经结束。如需帮助请直接联系社区。");
	if (!find_choice(rq, row.choices, in->choice, ret_alarm))
		return req_field(rq, "choice", "unknown",
		    "没有这个选项，请刷新后重新选择。");
	return OK;
}

/* The caller's own home in it; with several it must be said which. */
static enum err
own_home(struct req *rq, const struct roll_answer *in,
    struct roll_whose *ret)
{
	struct roll_whose	row;
	struct rows		rows;
	enum err		e;
	int			n = 0;

	e = db_query(rq->db, &home_sql[HOME_OWN],
	    WITH(V(rq->who.community_id), V(in->id), V(rq->who.user_id),
	    V(in->household_id)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row))
		if (n++ == 0)
			*ret = row;
	if ((e = db_end(&rows)) != OK)
		return e;
	if (n > 1 && in->household_id == 0)
		return req_field(rq, "household_id", "required",
		    "您有多处住所，请选择是哪一户。");
	return n == 0 ? ERR_ABSENT : OK;
}

static enum err
find_home(struct req *rq, const struct roll_answer *in,
    struct roll_whose *ret)
{
	enum err	e;

	if ((e = own_home(rq, in, ret)) != ERR_ABSENT)
		return e;
	if ((rq->who.roles & (ROLL_STAFF | ROLE_PLATFORM)) == 0)
		return ERR_ABSENT;
	if (in->household_id == 0)
		return req_field(rq, "household_id", "required",
		    "请选择是哪一户。");
	return db_one(rq->db, rq->arena, &home_sql[HOME_STAFF],
	    WITH(V(rq->who.community_id), V(in->id), V(in->household_id),
	    V(scope_bits(rq)), V(rq->who.user_id), V(rq->now)), ret);
}

static enum err
roll_answer(struct req *rq)
{
	const struct roll_answer *in = rq->in;
	struct roll_whose	 whose = { 0, 0 };
	struct roll_home	 row;
	bool			 alarm = false, over;
	const char		*via;
	int64_t			 n;
	enum err		 e;

	if ((e = find_home(rq, in, &whose)) != OK ||
	    (e = check_choice(rq, in, &alarm)) != OK)
		return e;
	via = !whose.mine ? "staff" : rq->actor_id != 0 ? "helper" :
	    "resident";
	over = whose.mine || (in->note != NULL && *in->note != '\0');
	e = db_run(rq->db, &home_sql[HOME_ANSWER],
	    WITH(V(rq->who.community_id), V(in->id), V(whose.household_id),
	    V(in->choice), V(alarm), V(in->note), V(via),
	    V(rq->actor_id != 0 ? rq->actor_id : rq->who.user_id),
	    V(rq->now), V(over)), &n);
	if (e != OK)
		return e;
	if (n == 0)
		return req_field(rq, "note", "required",
		    "这一户已经自己回复过，如要更改请写明上门看到的情况。");
	audit_thing(rq, "roll_call", in->id);
	e = db_one(rq->db, rq->arena, &home_sql[HOME_GET],
	    WITH(V(rq->who.community_id), V(in->id), V(whose.household_id),
	    V(scope_bits(rq)), V(rq->who.user_id), V(rq->now)), &row);
	if (e != OK)
		return e;
	/* Who else lives there is the roster's to know. */
	if (whose.mine)
		row.own_contact = NULL;
	return req_one(rq, &row);
}

/* ---- lists ---- */

static enum err
roll_homes(struct req *rq)
{
	const struct roll_homes	*in = rq->in;
	struct roll_open	 row;
	int64_t			 limit = req_limit(in->limit);
	int64_t			 state = field_given(rq, "state") ?
	    in->state : -1;
	enum err		 e;

	e = db_one(rq->db, rq->arena, &home_sql[HOME_CALL],
	    WITH(V(rq->who.community_id), V(in->id)), &row);
	if (e != OK)
		return e;
	return req_list(rq, &home_sql[HOME_LIST],
	    WITH(V(rq->who.community_id), V(in->id), V(in->after),
	    V(in->unit_id), V(state), V(scope_bits(rq)), V(rq->who.user_id),
	    V(rq->now), V(limit + 1)), limit);
}

static enum err
roll_mine(struct req *rq)
{
	return req_list(rq, &home_sql[HOME_MY_CALLS],
	    WITH(V(rq->who.community_id), V(rq->who.user_id),
	    V(rq->now - MINE_FOR), V(MINE_MAX)), 0);
}

static const struct route roll_routes[] = {
	{ GET, "/api/v1/me/roll-calls", ROLE_RESIDENT | ACT_REPORT, NULL,
	    REPLY_LIST, &roll_mine_view, 200, POOL_API, TX_READ,
	    roll_mine, "Roll calls that ask my homes: those open, and those"
	    " closed within 30 days; newest first, in one page" },
	{ GET, "/api/v1/roll-calls/{id}/homes", ROLL_STAFF,
	    &roll_homes_shape,
	    REPLY_LIST, &roll_home_view, 200, POOL_API, TX_READ,
	    roll_homes, "Homes of the caller's part, the silent ones too" },
	{ POST, "/api/v1/roll-calls/{id}/answers",
	    ROLE_RESIDENT | ROLL_STAFF | ACT_REPORT, &roll_answer_shape,
	    REPLY_ONE, &roll_home_view, 200, POOL_API, TX_WRITE,
	    roll_answer, "Answer for my home, or for one at the door" },
	{ 0 }
};

void
roll_call_answer_register(void)
{
	db_register(home_sql, HOME_SQL_MAX);
	route_register("roll_calls", roll_routes);
}
