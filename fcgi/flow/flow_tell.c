/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_tell.c -- who is told of a step, and in which words.
 *
 * All templates of ours have the same four keys, so one text serves each
 * flow: thing1 what, phrase2 state, time3 when, thing4 what to do next.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "flow/flow_internal.h"
#include "flow/outbox.h"
#include "http/req.h"

/* WeChat's limits of the keyword kinds (A.7). */
#define THING_POINTS	20
#define PHRASE_POINTS	5

struct tell_user {
	int64_t	user_id;
};

static const struct view_column tell_user_columns[] = {
	C_ID(tell_user, user_id),
	C_END
};
static const struct view tell_user_view = VIEW(tell_user, "TellUser");

enum { TELL_SQL_ORG, TELL_SQL_COURIERS, TELL_SQL_ADMINS, TELL_SQL_PLATFORM,
	TELL_SQL_HELPERS, TELL_SQL_MAX };

static struct stmt tell_sql[] = {
	[TELL_SQL_ORG] = { RO, 2, &tell_user_view,
	    "SELECT user_id FROM org_staff WHERE community_id = $1"
	    " AND org_id = $2 AND duty <> 'courier' ORDER BY user_id",
	    NULL, 0 },
	[TELL_SQL_COURIERS] = { RO, 2, &tell_user_view,
	    "SELECT user_id FROM org_staff WHERE community_id = $1"
	    " AND org_id = $2 AND duty = 'courier' ORDER BY user_id",
	    NULL, 0 },
	[TELL_SQL_ADMINS] = { RO, 1, &tell_user_view,
	    "SELECT user_id FROM user_role WHERE community_id = $1"
	    " AND role = 'admin' ORDER BY user_id", NULL, 0 },
	/* Of what no community knows. */
	[TELL_SQL_PLATFORM] = { RO, 0, &tell_user_view,
	    "SELECT DISTINCT user_id FROM user_role"
	    " WHERE role = 'platform' ORDER BY user_id", NULL, 0 },
	/* Who has done a step for the owner and still may. */
	[TELL_SQL_HELPERS] = { RO, 4, &tell_user_view,
	    "SELECT DISTINCT h.helper_id AS user_id FROM flow_event f"
	    " JOIN helper h ON h.community_id = f.community_id"
	    " AND h.elder_id = $3 AND h.helper_id = f.actor_id"
	    " AND h.revoked_at IS NULL AND (h.to_at IS NULL OR h.to_at > $4)"
	    " WHERE f.community_id = $1 AND f.thing_id = $2"
	    " AND f.actor = 'helper' ORDER BY user_id", NULL, 0 },
};

void
flow_tell_register(void)
{
	db_register(tell_sql, TELL_SQL_MAX);
}

static void
put_value(struct json *j, const char *key, const char *value)
{
	json_key(j, key);
	json_open(j);
	json_put_text(j, "value", value);
	json_close(j);
}

const char *
flow_message(struct req *rq, const char *title, const char *phrase,
    const char *tip)
{
	struct clock_local	 at = clock_local(rq->now);
	struct json		 j;
	struct buf		 b;
	const char		*text;

	buf_init(&b, 4096);
	json_init(&j, &b);
	json_open(&j);
	put_value(&j, "thing1",
	    text_cut(rq->arena, title, THING_POINTS));
	put_value(&j, "phrase2", text_cut(rq->arena, phrase, PHRASE_POINTS));
	put_value(&j, "time3", arena_fmt(rq->arena,
	    "%d年%d月%d日 %02d:%02d", at.year, at.month, at.day,
	    at.minute / 60, at.minute % 60));
	put_value(&j, "thing4", text_cut(rq->arena, tip, THING_POINTS));
	json_close(&j);
	text = arena_copy(rq->arena, b.data, b.len);
	buf_free(&b);
	return text;
}

/*
 * The people of an audience.  They are read whole first, because a
 * statement that is being read must not be written beside.
 */
static enum err
audience(struct req *rq, const struct flow_step *st, enum flow_audience to,
    int64_t *users, int max, int *ret_n)
{
	const struct stmt	*s = &tell_sql[TELL_SQL_ADMINS];
	struct values		 v = WITH(V(st->thing.community_id),
	    V(st->org_id));
	struct values		 own = WITH(V(st->thing.community_id),
	    V(st->thing.id), V(st->thing.owner_id), V(rq->now));
	struct tell_user	 row;
	struct rows		 rows;
	enum err		 e;
	int			 n = 0;

	if (to == TELL_ASSIGNEE) {
		users[0] = st->assignee_id;
		*ret_n = users[0] != 0;
		return OK;
	}
	if (to == TELL_OWNER) {
		users[n++] = st->thing.owner_id;
		s = &tell_sql[TELL_SQL_HELPERS];
		v = own;
	} else if (to == TELL_ORG)
		s = &tell_sql[TELL_SQL_ORG];
	else if (to == TELL_COURIERS)
		s = &tell_sql[TELL_SQL_COURIERS];
	else if (st->thing.community_id == 0) {
		s = &tell_sql[TELL_SQL_PLATFORM];
		v = NOTHING;
	} else
		v.n = 1;
	if ((e = db_query(rq->db, s, v, &rows)) != OK)
		return e;
	while (n < max && db_each(&rows, &row))
		users[n++] = row.user_id;
	*ret_n = n;
	return db_end(&rows);
}

/* Whatever is done for somebody, they are told. */
static enum err
tell_elder(struct req *rq, const struct flow_step *st, const char *page)
{
	return outbox_put(rq, st->thing.owner_id, "order_progress", page,
	    flow_message(rq, st->thing.title, flow_label(st->flow,
	    st->move->to), "家人已为您代办，请查看"));
}

enum err
flow_tell(struct req *rq, const struct flow_step *st)
{
	const struct flow_tell	*t;
	int64_t			 users[64];
	const char		*page, *data;
	enum err		 e;
	int			 i, n;

	page = arena_fmt(rq->arena, "%s%lld", st->flow->page,
	    (long long)st->thing.id);
	for (t = st->move->tells; t < st->move->tells + 4 && t->to; t++) {
		/* Bad news once is enough, and permissions are few. */
		if (t->to == TELL_OWNER && (st->mask & REL_SYSTEM) &&
		    st->thing.urged > 0 && st->move->from != NULL &&
		    strcmp(st->move->from, st->move->to) == 0)
			continue;
		e = audience(rq, st, t->to, users, 64, &n);
		if (e != OK)
			return e;
		data = flow_message(rq, st->thing.title,
		    flow_label(st->flow, st->move->to), t->tip);
		for (i = 0; i < n; i++) {
			/* Nobody is told of what they did themselves. */
			if (users[i] == req_caller(rq))
				continue;
			e = outbox_put(rq, users[i], t->template, page, data);
			if (e != OK)
				return e;
		}
	}
	return rq->actor_id != 0 ? tell_elder(rq, st, page) : OK;
}
