/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_apply.c -- what a check found, done and put back.
 *
 * All or nothing: one transaction, which begins by looking whether
 * anything has changed since the check.
 */
#include "service/import_internal.h"

enum { APPLY_APPLIED, APPLY_UNDONE, APPLY_SINCE, APPLY_BY_INDEX,
	APPLY_SQL_MAX };

static struct stmt apply_sql[] = {
	[APPLY_APPLIED] = { RW, 3, NULL,
	    "UPDATE import SET state = 'applied', applied_at = $3,"
	    " detail = NULL, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('checked', 'applying')", NULL, 0 },
	[APPLY_UNDONE] = { RW, 3, NULL,
	    "UPDATE import SET state = 'undone', undone_at = $3,"
	    " detail = NULL, claim = 0, claimed_until = 0"
	    " WHERE community_id = $1 AND id = $2"
	    " AND state IN ('applied', 'undoing')", NULL, 0 },
	[APPLY_SINCE] = { RO, 2, &import_count_view,
	    "SELECT COUNT(*) AS n FROM import o JOIN import m"
	    " ON m.community_id = o.community_id WHERE o.community_id = $1"
	    " AND m.id = $2 AND o.id <> m.id AND o.kind = m.kind"
	    " AND (COALESCE(o.applied_at, 0) > m.checked_at"
	    " OR COALESCE(o.undone_at, 0) > m.checked_at)", NULL, 0 },
	/*
	 * Tables that were small a moment ago: PostgreSQL would go through
	 * them from end to end, in our statements and in the triggers'.
	 */
	[APPLY_BY_INDEX] = { RW, 0, NULL,
	    "DELETE FROM import WHERE 1 = 0",
	    "SET LOCAL enable_seqscan = off", 0 },
};

void
import_apply_register(void)
{
	db_register(apply_sql, APPLY_SQL_MAX);
}

static enum err
move_on(struct req *rq, int which, int64_t community_id, int64_t id)
{
	int64_t		n;
	enum err	e;

	e = db_run(rq->db, &apply_sql[which], WITH(V(community_id), V(id),
	    V(rq->now)), &n);
	return e != OK ? e : n == 1 ? OK : ERR_STATE;
}

/* What the engine alone could say, in words. */
static enum err
explain(struct req *rq, enum err e)
{
	if (e != ERR_UNIQUE && e != ERR_CONSTRAINT)
		return e;
	return req_fail(rq, e, "有的内容刚刚被别处改过或正在使用，没有写入"
	    "任何内容，请重新上传文件检查一遍。");
}

enum err
import_apply(struct req *rq, int64_t community_id, int64_t id)
{
	struct import_bound	 b = import_step_bound(rq, community_id, id);
	struct import_record	 r;
	struct import_count	 since = { 0 };
	const struct import_plan *plan;
	enum err		 e;

	if ((e = import_get(rq, community_id, id, &r)) != OK ||
	    (e = move_on(rq, APPLY_APPLIED, community_id, id)) != OK ||
	    (e = import_step_last(rq, &b)) != OK)
		return e;
	e = db_one(rq->db, rq->arena, &apply_sql[APPLY_SINCE],
	    WITH(V(community_id), V(id)), &since);
	if (e == OK && since.n > 0)
		return req_fail(rq, ERR_CONFLICT, "检查之后又有别的文件导入，"
		    "请重新上传这个文件再核对一遍。");
	if (e == OK)
		e = db_run(rq->db, &apply_sql[APPLY_BY_INDEX], NOTHING, NULL);
	plan = import_plan_of(import_kind_of(&r));
	if (e == OK)
		e = import_step_all(rq, plan->apply, &b);
	if (e == OK && plan->applied != NULL)
		e = plan->applied(rq, community_id, id);
	return explain(rq, e);
}

enum err
import_undo(struct req *rq, int64_t community_id, int64_t id)
{
	struct import_bound	 b = import_step_bound(rq, community_id, id);
	struct import_record	 r;
	const struct import_plan *plan;
	enum err		 e;

	if ((e = import_get(rq, community_id, id, &r)) != OK ||
	    (e = move_on(rq, APPLY_UNDONE, community_id, id)) != OK ||
	    (e = import_step_last(rq, &b)) != OK)
		return e;
	if (b.to == 0)
		return req_fail(rq, ERR_STATE,
		    "导入已超过 30 天，不能再撤销，请改为逐条修改。");
	b.applied_at = r.applied_at;
	plan = import_plan_of(import_kind_of(&r));
	e = db_run(rq->db, &apply_sql[APPLY_BY_INDEX], NOTHING, NULL);
	if (e == OK)
		e = import_step_all(rq, plan->undo, &b);
	if (e == OK && plan->undone != NULL)
		e = plan->undone(rq, community_id, id);
	if (e == ERR_CONSTRAINT || e == ERR_UNIQUE)
		return req_fail(rq, e, "导入的内容已经在别处使用，不能撤销，"
		    "请改为逐条修改。");
	return e;
}
