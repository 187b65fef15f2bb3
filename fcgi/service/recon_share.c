/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon_share.c -- what each payee's things brought on a day, and the fees.
 *
 * Sums come from the ledger's lines of the payments and refunds that the
 * statement names.  The fee of a payment is shared among its payees by what
 * each got, the largest remainders taking what is left of the last fen, so
 * that shares add up to the fee.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/map.h"
#include "http/req.h"
#include "service/ledger.h"
#include "service/payment.h"
#include "service/recon.h"
#include "service/statement.h"

/* One payee's part of one row of the statement. */
struct recon_part {
	int64_t		 id;		/* line */
	int64_t		 refund;
	int64_t		 fee_mill;
	int64_t		 payee_id;
	int64_t		 fen;		/* without sign */
};

static const struct view_column recon_part_columns[] = {
	C_ID(recon_part, id),
	C_BOOL(recon_part, refund),
	C_INT(recon_part, fee_mill),
	C_ID(recon_part, payee_id),
	C_FEN(recon_part, fen),
	C_END
};
static const struct view recon_part_view = VIEW(recon_part, "ReconPart");

struct recon_fee {
	int64_t		 id;
	int64_t		 payee_id;
	int64_t		 fee_fen;
};
static const struct view_column recon_fee_columns[] = {
	C_ID(recon_fee, id),
	C_ID(recon_fee, payee_id),
	C_FEN(recon_fee, fee_fen),
	C_END
};
static const struct view recon_fee_view = VIEW(recon_fee, "ReconFee");

/* Lines of the accounts of payees, of an entry `e`. */
#define LINES								\
	" JOIN ledger_line l ON l.community_id = e.community_id"	\
	" AND l.entry_id = e.id JOIN ledger_account a"			\
	" ON a.community_id = l.community_id AND a.id = l.account_id"	\
	" AND a.owner = 'org' AND a.kind = 'due'"			\
	" WHERE r.community_id = $1 AND r.day = $2 AND r.id > $3"	\
	" AND r.id <= $4"
/* A row that stands there twice moved its money once. */
#define ONCE								\
	" AND NOT EXISTS (SELECT 1 FROM recon_row o"			\
	" WHERE o.community_id = r.community_id AND o.number = r.number" \
	" AND o.refund_number = r.refund_number AND o.day = r.day"	\
	" AND o.id < r.id)"
#define GROUPED								\
	" GROUP BY r.id, r.refund, r.fee_mill, a.owner_id"		\
	" ORDER BY r.id, a.owner_id"

enum { SHARE_PAID, SHARE_REFUNDS, SHARE_CLEAR, SHARE_ADD, SHARE_FEES,
	SHARE_SQL_MAX };

static struct stmt share_sql[] = {
	[SHARE_PAID] = { RO, 4, &recon_part_view,
	    "SELECT r.id, r.refund, r.fee_mill, a.owner_id AS payee_id,"
	    " CAST(SUM(l.amount) AS BIGINT) AS fen FROM recon_row r"
	    " JOIN payment p ON p.number = r.number"
	    " AND p.transaction_id = r.transaction_id"
	    " JOIN ledger_entry e ON e.community_id = r.community_id"
	    " AND e.thing = 'payment' AND e.thing_id = p.id"
	    " AND e.kind = 'paid'" LINES " AND r.refund = 0" ONCE GROUPED,
	    NULL, 0 },
	[SHARE_REFUNDS] = { RO, 4, &recon_part_view,
	    "SELECT r.id, r.refund, r.fee_mill, a.owner_id AS payee_id,"
	    " CAST(-SUM(l.amount) AS BIGINT) AS fen FROM recon_row r"
	    " JOIN payment_refund f ON f.number = r.refund_number"
	    " JOIN ledger_entry e ON e.community_id = r.community_id"
	    " AND e.thing = 'payment_refund' AND e.thing_id = f.id"
	    " AND e.kind = 'refund'" LINES " AND r.refund = 1" ONCE GROUPED,
	    NULL, 0 },
	[SHARE_CLEAR] = { RW, 2, NULL,
	    "DELETE FROM recon_payee WHERE community_id = $1 AND day = $2",
	    NULL, 0 },
	[SHARE_ADD] = { RW, 7, NULL,
	    "INSERT INTO recon_payee (community_id, day, payee_id, id,"
	    " paid_fen, refunded_fen, fee_fen)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7)", NULL, 0 },
	[SHARE_FEES] = { RO, 2, &recon_fee_view,
	    "SELECT id, payee_id, fee_fen FROM recon_payee"
	    " WHERE community_id = $1 AND day = $2 AND fee_fen <> 0"
	    " ORDER BY payee_id", NULL, 0 },
};

void
recon_share_register(void)
{
	db_register(share_sql, SHARE_SQL_MAX);
}

/* One payee's day. */
struct payee {
	int64_t		 id;
	int64_t		 paid_fen, refunded_fen, fee_fen;
	struct payee	*next;
};

struct sheet {
	struct recon	*rn;
	struct map	 map;		/* of payees; b is the place */
	struct payee	*first;
	struct payee	**by;
	int		 n, room;
};

static struct payee *
payee_of(struct sheet *s, int64_t id)
{
	struct arena	*a = s->rn->rq->arena;
	struct map_spot	*spot;
	struct payee	*p, **more;
	bool		 fresh;

	spot = map_at(&s->map, map_hash_int(0, id), &fresh);
	if (!fresh)
		return s->by[spot->b];
	if (s->n == s->room) {
		more = ARENA_ARRAY(a, struct payee *, s->room * 2 + 64);
		if (s->n > 0)
			memcpy(more, s->by, sizeof(*more) * (size_t)s->n);
		s->by = more;
		s->room = s->room * 2 + 64;
	}
	p = ARENA_NEW(a, struct payee);
	p->id = id;
	p->next = s->first;
	s->first = p;
	spot->b = s->n;
	s->by[s->n++] = p;
	return p;
}

/* A fee in whole fen, half up and away from zero. */
static int64_t
whole_fee(int64_t mill)
{
	int64_t	half = STATEMENT_MILL / 2;

	return (mill + (mill < 0 ? -half : half)) / STATEMENT_MILL;
}

/* Give `fee` to n parts by their fen, largest remainders first. */
static void
share_fee(const struct recon_part *part, int n, int64_t fee, int64_t *out)
{
	int64_t	total = 0, left, size = fee < 0 ? -fee : fee;
	int64_t	rest[PAYMENT_THINGS];
	int	i, best;

	for (i = 0; i < n; i++)
		total += part[i].fen;
	for (left = size, i = 0; i < n; i++) {
		out[i] = total > 0 ? size * part[i].fen / total : 0;
		rest[i] = total > 0 ? size * part[i].fen % total : 0;
		left -= out[i];
	}
	for (; left > 0 && n > 0; left--) {
		for (best = 0, i = 1; i < n; i++)
			if (rest[i] > rest[best])
				best = i;
		out[best]++;
		rest[best] = -1;
	}
	for (i = 0; i < n && fee < 0; i++)
		out[i] = -out[i];
}

static void
take_row(struct sheet *s, const struct recon_part *part, int n)
{
	struct payee	*p;
	int64_t		 fee[PAYMENT_THINGS];
	int		 i;

	share_fee(part, n, n > 0 ? whole_fee(part->fee_mill) : 0, fee);
	for (i = 0; i < n; i++) {
		p = payee_of(s, part[i].payee_id);
		if (part[i].refund)
			p->refunded_fen += part[i].fen;
		else
			p->paid_fen += part[i].fen;
		p->fee_fen += fee[i];
	}
}

static enum err
take_window(struct sheet *s, int which, int64_t at)
{
	struct recon_part	part[PAYMENT_THINGS], row;
	struct rows		rows;
	enum err		e;
	int			n = 0;

	e = db_query(s->rn->rq->db, &share_sql[which],
	    WITH(V(s->rn->community_id), V(s->rn->day), V(at),
	    V(at + RECON_WINDOW)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row)) {
		if (n > 0 && part[0].id != row.id) {
			take_row(s, part, n);
			n = 0;
		}
		if (n < PAYMENT_THINGS)
			part[n++] = row;
	}
	take_row(s, part, n);
	return db_end(&rows);
}

static enum err
write_sheet(struct req *rq, void *arg)
{
	struct sheet	*s = arg;
	struct payee	*p;
	enum err	 e;

	e = db_run(rq->db, &share_sql[SHARE_CLEAR],
	    WITH(V(s->rn->community_id), V(s->rn->day)), NULL);
	for (p = s->first; e == OK && p != NULL; p = p->next)
		e = db_run(rq->db, &share_sql[SHARE_ADD],
		    WITH(V(s->rn->community_id), V(s->rn->day), V(p->id),
		    V(id_new()), V(p->paid_fen), V(p->refunded_fen),
		    V(p->fee_fen)), NULL);
	return e;
}

enum err
recon_share(struct recon *rn)
{
	struct sheet	s = { .rn = rn };
	int64_t		at;
	enum err	e = OK;

	for (at = 0; e == OK && at < rn->last; at += RECON_WINDOW)
		if ((e = take_window(&s, SHARE_PAID, at)) == OK)
			e = take_window(&s, SHARE_REFUNDS, at);
	if (e == OK)
		e = recon_transact(rn, write_sheet, &s);
	map_free(&s.map);
	return e;
}

/* ---- booking ---- */

static enum err
book_one(struct req *rq, int64_t community_id, const struct recon_fee *f)
{
	struct ledger_entry	*x = ARENA_NEW(rq->arena,
				    struct ledger_entry);

	x->community_id = community_id;
	x->kind = "fee";
	x->thing = "recon_payee";
	x->thing_id = f->id;
	x->at = rq->now;
	x->by_id = rq->who.user_id;
	ledger_add(x, payment_thing_fee(), f->fee_fen);
	ledger_add(x, payment_thing_due(f->payee_id), -f->fee_fen);
	return ledger_post(rq->db, rq->arena, x);
}

enum err
recon_share_book(struct req *rq, int64_t community_id, int64_t day)
{
	struct recon_fee	 row, *fees = NULL, *more;
	struct rows		 rows;
	size_t			 n = 0, room = 0, i;
	enum err		 e;

	e = db_query(rq->db, &share_sql[SHARE_FEES],
	    WITH(V(community_id), V(day)), &rows);
	if (e != OK)
		return e;
	while (db_each(&rows, &row)) {
		if (n == room) {
			more = ARENA_ARRAY(rq->arena, struct recon_fee,
			    room * 2 + 16);
			if (n > 0)
				memcpy(more, fees, n * sizeof(*more));
			room = room * 2 + 16;
			fees = more;
		}
		fees[n++] = row;
	}
	e = db_end(&rows);
	for (i = 0; e == OK && i < n; i++)
		e = book_one(rq, community_id, &fees[i]);
	return e;
}
