/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_match.c -- what does not fit, three ways, a window at a time.
 *
 * Rows of the statement against payments, refunds and the shelf; against
 * the items and ledger entries of these; and our own payments and refunds
 * of the day that no statement has.  One row has one difference, the
 * gravest.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "http/req.h"
#include "service/recon.h"

static const struct view_column recon_found_columns[] = {
	C_ID(recon_found, id),
	C_TEXT(recon_found, kind),
	C_TEXT(recon_found, number),
	C_TEXT(recon_found, refund_number),
	C_TEXT(recon_found, transaction_id, .flags = VIEW_NULL),
	C_INT(recon_found, line, .flags = VIEW_NULL),
	C_FEN(recon_found, theirs_fen, .flags = VIEW_NULL),
	C_FEN(recon_found, ours_fen, .flags = VIEW_NULL),
	C_TEXT(recon_found, theirs, .flags = VIEW_NULL),
	C_TEXT(recon_found, ours, .flags = VIEW_NULL),
	C_END
};
static const struct view recon_found_view =
    VIEW(recon_found, "ReconFound");

/* What an entry of the ledger moved. */
#define MOVED(e)							\
	"COALESCE((SELECT SUM(l.amount) FROM ledger_line l"		\
	" WHERE l.community_id = " e ".community_id"			\
	" AND l.entry_id = " e ".id AND l.amount > 0), 0)"
#define ENTRY(e, thing, id, kind)					\
	" LEFT JOIN ledger_entry " e " ON " e ".community_id ="		\
	" r.community_id AND " e ".thing = '" thing "'"			\
	" AND " e ".thing_id = " id " AND " e ".kind = '" kind "'"
#define TWICE								\
	" WHEN EXISTS (SELECT 1 FROM recon_row o"			\
	" WHERE o.community_id = r.community_id AND o.number = r.number" \
	" AND o.refund_number = r.refund_number AND o.day = r.day"	\
	" AND o.id < r.id) THEN 'twice'"
/* More than one fen off the rate that the row itself names. */
#define FEE(sign)							\
	" WHEN r.rate >= 0 AND abs(r.fee_mill * 10 " sign		\
	" r.amount_fen * r.rate) > 10000 THEN 'fee'"
#define WINDOW(refund)							\
	" WHERE r.community_id = $1 AND r.day = $2 AND r.id > $3"	\
	" AND r.id <= $4 AND r.refund = " refund ") m"			\
	" WHERE m.kind IS NOT NULL ORDER BY m.id"
/* Whose payment it is, unless the trade lies on the shelf. */
#define BOOKED								\
	"p.paid_at IS NOT NULL AND p.transaction_id = r.transaction_id"

enum { MATCH_PAID, MATCH_REFUNDS, MATCH_OURS, MATCH_OUR_REFUNDS,
	MATCH_SQL_MAX };

static struct stmt match_sql[] = {
	[MATCH_PAID] = { RO, 4, &recon_found_view,
	    "SELECT m.id, m.kind, m.number, m.refund_number,"
	    " m.transaction_id, m.id AS line, m.theirs_fen, m.ours_fen,"
	    " m.theirs, m.ours FROM (SELECT r.id, CASE"
	    " WHEN p.id IS NULL AND d.id IS NULL THEN 'not_ours'" TWICE
	    " WHEN " BOOKED " THEN CASE"
	    " WHEN p.total_fen <> r.amount_fen THEN 'amount'"
	    " WHEN r.state <> 'SUCCESS' THEN 'state'"
	    " WHEN r.amount_fen <> (SELECT COALESCE(SUM(i.amount_fen), 0)"
	    " FROM payment_item i WHERE i.community_id = p.community_id"
	    " AND i.payment_id = p.id) THEN 'items'"
	    " WHEN " MOVED("e") " <> r.amount_fen THEN 'ledger'"
	    FEE("-") " END"
	    " WHEN d.id IS NOT NULL THEN CASE"
	    " WHEN d.amount_fen <> r.amount_fen THEN 'amount'"
	    " WHEN r.state <> 'SUCCESS' THEN 'state'" FEE("-") " END"
	    " WHEN p.paid_at IS NOT NULL THEN 'transaction'"
	    " ELSE 'state' END AS kind, r.number, r.refund_number,"
	    " r.transaction_id, r.amount_fen AS theirs_fen,"
	    " CASE WHEN " BOOKED " THEN p.total_fen"
	    " ELSE COALESCE(d.amount_fen, p.total_fen) END AS ours_fen,"
	    " r.state AS theirs, CASE WHEN " BOOKED " THEN p.state"
	    " ELSE COALESCE(d.state, p.state) END AS ours"
	    " FROM recon_row r LEFT JOIN payment p ON p.number = r.number"
	    " LEFT JOIN money_doubt d"
	    " ON d.transaction_id = r.transaction_id"
	    ENTRY("e", "payment", "p.id", "paid") WINDOW("0"), NULL, 0 },
	[MATCH_REFUNDS] = { RO, 4, &recon_found_view,
	    "SELECT m.id, m.kind, m.number, m.refund_number,"
	    " m.transaction_id, m.id AS line, m.theirs_fen, m.ours_fen,"
	    " m.theirs, m.ours FROM (SELECT r.id, CASE"
	    " WHEN f.id IS NULL THEN 'not_ours'" TWICE
	    " WHEN f.amount_fen <> r.amount_fen THEN 'amount'"
	    " WHEN r.state = 'SUCCESS' AND f.state <> 'done' THEN 'state'"
	    " WHEN r.state IN ('FAIL', 'CHANGE') AND f.state = 'done'"
	    " THEN 'state' WHEN " MOVED("e") " <> r.amount_fen"
	    " AND f.community_id <> 0 THEN 'ledger'" FEE("+")
	    " END AS kind, r.number, r.refund_number, r.transaction_id,"
	    " r.amount_fen AS theirs_fen, f.amount_fen AS ours_fen,"
	    " r.state AS theirs, f.state AS ours"
	    " FROM recon_row r LEFT JOIN payment_refund f"
	    " ON f.number = r.refund_number"
	    ENTRY("e", "payment_refund", "f.id", "refund") WINDOW("1"),
	    NULL, 0 },
	[MATCH_OURS] = { RO, 3, &recon_found_view,
	    "SELECT p.id, 'missing' AS kind, p.number,"
	    " '' AS refund_number, p.transaction_id,"
	    " CAST(NULL AS BIGINT) AS line,"
	    " CAST(NULL AS BIGINT) AS theirs_fen, p.total_fen AS ours_fen,"
	    " CAST(NULL AS TEXT) AS theirs, p.state AS ours"
	    " FROM payment p WHERE p.community_id = $1 AND p.paid_at >= $2"
	    " AND p.paid_at < $3 AND NOT EXISTS (SELECT 1 FROM recon_row r"
	    " WHERE r.community_id = p.community_id"
	    " AND r.number = p.number AND r.refund_number = '')",
	    NULL, 0 },
	[MATCH_OUR_REFUNDS] = { RO, 3, &recon_found_view,
	    "SELECT f.id, 'missing' AS kind, COALESCE(p.number, '')"
	    " AS number, f.number AS refund_number, p.transaction_id,"
	    " CAST(NULL AS BIGINT) AS line,"
	    " CAST(NULL AS BIGINT) AS theirs_fen, f.amount_fen AS ours_fen,"
	    " CAST(NULL AS TEXT) AS theirs, f.state AS ours"
	    " FROM payment_refund f LEFT JOIN payment p"
	    " ON p.community_id = f.community_id AND p.id = f.payment_id"
	    " WHERE f.community_id = $1 AND f.done_at >= $2"
	    " AND f.done_at < $3 AND f.state = 'done'"
	    " AND NOT EXISTS (SELECT 1 FROM recon_row r"
	    " WHERE r.community_id = f.community_id"
	    " AND r.refund_number = f.number AND (p.number IS NULL"
	    " OR r.number = p.number))", NULL, 0 },
};

void
recon_match_register(void)
{
	db_register(match_sql, MATCH_SQL_MAX);
}

/*
 * One statement's differences.  They are written by transactions between
 * its rows only after it has ended: what it found waits in the arena.
 */
static enum err
gather(struct recon *rn, int which, struct values v)
{
	struct recon_found	 row, *kept = NULL;
	struct rows		 rows;
	size_t			 n = 0, room = 0, i;
	enum err		 e;

	arena_reset(rn->row);
	e = db_query(rn->rq->db, &match_sql[which], v, &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row)) {
		if (n == room) {
			struct recon_found *more = ARENA_ARRAY(rn->row,
			    struct recon_found, room = room * 2 + 16);

			for (i = 0; i < n; i++)
				more[i] = kept[i];
			kept = more;
		}
		row.kind = arena_str(rn->row, row.kind);
		row.number = arena_str(rn->row, row.number);
		row.refund_number = arena_str(rn->row, row.refund_number);
		row.transaction_id = arena_str(rn->row, row.transaction_id);
		row.theirs = arena_str(rn->row, row.theirs);
		row.ours = arena_str(rn->row, row.ours);
		kept[n++] = row;
	}
	e = db_end(&rows);
	for (i = 0; e == OK && i < n; i++)
		e = recon_diff_add(rn, &kept[i]);
	return e != OK ? e : recon_diff_flush(rn);
}

enum err
recon_match(struct recon *rn)
{
	int64_t		at;
	enum err	e = OK;

	for (at = 0; e == OK && at < rn->last; at += RECON_WINDOW) {
		e = gather(rn, MATCH_PAID, WITH(V(rn->community_id),
		    V(rn->day), V(at), V(at + RECON_WINDOW)));
		if (e == OK)
			e = gather(rn, MATCH_REFUNDS,
			    WITH(V(rn->community_id), V(rn->day), V(at),
			    V(at + RECON_WINDOW)));
	}
	for (at = rn->from; e == OK && at < rn->to; at += CLOCK_HOUR) {
		e = gather(rn, MATCH_OURS, WITH(V(rn->community_id), V(at),
		    V(at + CLOCK_HOUR)));
		if (e == OK)
			e = gather(rn, MATCH_OUR_REFUNDS,
			    WITH(V(rn->community_id), V(at),
			    V(at + CLOCK_HOUR)));
	}
	return e;
}
