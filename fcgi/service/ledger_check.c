/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_check.c -- everything added up anew, nightly and when asked for.
 *
 * Each statement compares rows with rows of the same moment, so that it
 * may run while the ledger is written to.  What the night finds is told to
 * the admins of the community, once a day.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "flow/flow.h"
#include "flow/outbox.h"
#include "flow/task.h"
#include "http/req.h"
#include "service/ledger.h"
#include "service/service.h"

#define CHECKS	32	/* tables of them */
#define AT	(3 * 60 + 10)	/* minute of the night */
#define TOLD	64		/* communities, and admins of each */
#define PAGE	"pages/ledger/check?day="

struct ledger_counts {
	int64_t		 entries, lines, accounts;
};

static const struct view_column ledger_counts_columns[] = {
	C_INT(ledger_counts, entries),
	C_INT(ledger_counts, lines),
	C_INT(ledger_counts, accounts),
	C_END
};
static const struct view ledger_counts_view =
    VIEW(ledger_counts, "LedgerCounts");

struct ledger_admin {
	int64_t		 user_id;
};

static const struct view_column ledger_admin_columns[] = {
	C_ID(ledger_admin, user_id),
	C_END
};
static const struct view ledger_admin_view =
    VIEW(ledger_admin, "LedgerAdmin");

enum { CHECK_COUNT, CHECK_SUM, CHECK_EMPTY, CHECK_LOOSE, CHECK_BALANCE,
	CHECK_RUNNING, CHECK_ADMINS, CHECK_SQL_MAX };

static struct stmt check_sql[] = {
	[CHECK_COUNT] = { RO, 0, &ledger_counts_view,
	    "SELECT (SELECT COUNT(*) FROM ledger_entry) AS entries,"
	    " (SELECT COUNT(*) FROM ledger_line) AS lines,"
	    " (SELECT COUNT(*) FROM ledger_account) AS accounts", NULL, 0 },
	[CHECK_SUM] = { RO, 0, &ledger_fault_view,
	    "SELECT community_id, entry_id AS id FROM ledger_line"
	    " GROUP BY community_id, entry_id, unit"
	    " HAVING SUM(amount) <> 0", NULL, 0 },
	/* Row by row by unique keys, whatever the server knows of them. */
	[CHECK_EMPTY] = { RO, 0, &ledger_fault_view,
	    "SELECT e.community_id, e.id FROM ledger_entry e"
	    " WHERE (SELECT MIN(l.entry_id) FROM ledger_line l"
	    " WHERE l.community_id = e.community_id"
	    " AND l.entry_id = e.id) IS NULL", NULL, 0 },
	[CHECK_LOOSE] = { RO, 0, &ledger_fault_view,
	    "SELECT l.community_id, l.id FROM ledger_line l"
	    " WHERE (SELECT e.id FROM ledger_entry e"
	    " WHERE e.community_id = l.community_id"
	    " AND e.id = l.entry_id) IS NULL OR (SELECT a.id"
	    " FROM ledger_account a WHERE a.community_id = l.community_id"
	    " AND a.id = l.account_id AND a.unit = l.unit) IS NULL",
	    NULL, 0 },
	[CHECK_BALANCE] = { RO, 0, &ledger_fault_view,
	    "SELECT a.community_id, a.id FROM ledger_account a"
	    " LEFT JOIN ledger_line l ON l.community_id = a.community_id"
	    " AND l.account_id = a.id WHERE a.balance IS NOT NULL"
	    " GROUP BY a.community_id, a.id, a.balance, a.lines"
	    " HAVING a.balance <> COALESCE(SUM(l.amount), 0)"
	    " OR a.lines <> COUNT(l.id) OR a.balance < 0", NULL, 0 },
	[CHECK_RUNNING] = { RO, 0, &ledger_fault_view,
	    "SELECT r.community_id, r.id FROM"
	    " (SELECT community_id, id, balance, seq,"
	    " SUM(amount) OVER so_far AS total,"
	    " ROW_NUMBER() OVER so_far AS place FROM ledger_line"
	    " WHERE seq IS NOT NULL WINDOW so_far AS"
	    " (PARTITION BY community_id, account_id ORDER BY seq)) r"
	    " WHERE r.balance <> r.total OR r.seq <> r.place"
	    " OR r.balance < 0", NULL, 0 },
	/* Whoever was told today is told no more. */
	[CHECK_ADMINS] = { RO, 3, &ledger_admin_view,
	    "SELECT r.user_id FROM user_role r WHERE r.community_id = $1"
	    " AND r.role = 'admin' AND NOT EXISTS (SELECT 1 FROM outbox o"
	    " WHERE o.community_id = r.community_id"
	    " AND o.user_id = r.user_id AND o.page = $2)"
	    " ORDER BY r.user_id LIMIT $3", NULL, 0 },
};

static const struct ledger_check own_checks[] = {
	{ "an entry does not balance", &check_sql[CHECK_SUM] },
	{ "an entry has no lines", &check_sql[CHECK_EMPTY] },
	{ "a line has no entry or account", &check_sql[CHECK_LOOSE] },
	{ "an account's balance is not the sum of its lines",
	    &check_sql[CHECK_BALANCE] },
	{ "a line's balance does not follow from those before",
	    &check_sql[CHECK_RUNNING] },
	{ NULL, NULL }
};

static const struct ledger_check	*checks[CHECKS];
static int				 nchecks;

void
ledger_check_register(const struct ledger_check *table)
{
	int	i;

	for (i = 0; i < nchecks; i++)
		if (checks[i] == table)
			return;
	if (nchecks < CHECKS)
		checks[nchecks++] = table;
}

static enum err
run_check(struct db *db, const struct ledger_check *c,
    void (*tell)(void *, const char *, const struct ledger_fault *),
    void *arg, int64_t *faults)
{
	struct ledger_fault	row;
	struct rows		rows;
	enum err		e;

	if ((e = db_query(db, c->stmt, NOTHING, &rows)) != OK)
		return e;
	while (db_each(&rows, &row)) {
		tell(arg, c->what, &row);
		++*faults;
	}
	return db_end(&rows);
}

enum err
ledger_check(struct db *db, struct arena *a,
    void (*tell)(void *, const char *, const struct ledger_fault *),
    void *arg, struct ledger_report *ret)
{
	const struct ledger_check	*c;
	struct ledger_counts		 counts;
	enum err			 e, first = OK;
	int				 i;

	*ret = (struct ledger_report){ 0 };
	e = db_one(db, a, &check_sql[CHECK_COUNT], NOTHING, &counts);
	if (e != OK)
		return e;
	*ret = (struct ledger_report){ .entries = counts.entries,
	    .lines = counts.lines, .accounts = counts.accounts };
	for (i = 0; i < nchecks; i++)
		for (c = checks[i]; c->what != NULL; c++) {
			e = run_check(db, c, tell, arg, &ret->faults);
			if (e == OK)
				continue;
			log_error("ledger check=\"%s\" err=%s", c->what,
			    err_info(e)->name);
			if (e == ERR_AWAY)
				return e;
			/* The others may still find something. */
			if (first == OK)
				first = e;
		}
	return first;
}

/* Communities that have a fault. */
struct faulty {
	int		 n;
	int64_t		 community_id[TOLD];
	int64_t		 now;			/* being told */
};

static void
note_fault(void *arg, const char *what, const struct ledger_fault *f)
{
	struct faulty	*faulty = arg;
	int		 i;

	for (i = 0; i < faulty->n; i++)
		if (faulty->community_id[i] == f->community_id)
			break;
	/* Nobody's community has no admins. */
	if (i == faulty->n && i < TOLD && f->community_id != 0)
		faulty->community_id[faulty->n++] = f->community_id;
	log_error("ledger community=%lld id=%lld fault=\"%s\"",
	    (long long)f->community_id, (long long)f->id, what);
}

static enum err
tell_admins(struct req *rq, void *arg)
{
	const struct faulty	*faulty = arg;
	struct clock_local	 day = clock_local(rq->now);
	int64_t			 users[TOLD];
	struct ledger_admin	 row;
	struct rows		 rows;
	const char		*page, *data;
	enum err		 e;
	int			 i, n = 0;

	rq->who.community_id = faulty->now;
	page = arena_fmt(rq->arena, PAGE "%04d%02d%02d", day.year, day.month,
	    day.day);
	e = db_query(rq->db, &check_sql[CHECK_ADMINS],
	    WITH(V(faulty->now), V(page), V(TOLD)), &rows);
	if (e != OK)
		return e;
	while (n < TOLD && db_each(&rows, &row))
		users[n++] = row.user_id;
	e = db_end(&rows);
	data = flow_message(rq, "社区总账核对", "账目不平",
	    "夜间核对发现差错，请尽快处理");
	for (i = 0; e == OK && i < n; i++)
		e = outbox_put(rq, users[i], "order_todo", page, data);
	return e;
}

static enum err
run_nightly(struct req *rq)
{
	struct ledger_report	report;
	struct faulty		*faulty = ARENA_NEW(rq->arena,
				    struct faulty);
	enum err		e, told = OK;
	int			i;

	/* What was found is told, though not all could be read. */
	e = ledger_check(rq->db, rq->arena, note_fault, faulty, &report);
	for (i = 0; told == OK && i < faulty->n; i++) {
		faulty->now = faulty->community_id[i];
		told = req_transact(rq, tell_admins, faulty);
	}
	if (e != OK || told != OK) {
		log_error("ledger faults=%lld checked=0 err=%s",
		    (long long)report.faults,
		    err_info(e != OK ? e : told)->name);
		return e != OK ? e : told;
	}
	log_info("ledger entries=%lld lines=%lld accounts=%lld faults=%lld",
	    (long long)report.entries, (long long)report.lines,
	    (long long)report.accounts, (long long)report.faults);
	return OK;
}

static const struct task ledger_tasks[] = {
	{ "ledger-check", 0, AT, run_nightly },
	{ NULL, 0, 0, NULL }
};

void
ledger_check_register_own(void)
{
	db_register(check_sql, CHECK_SQL_MAX);
	ledger_check_register(own_checks);
	task_register(ledger_tasks);
}
