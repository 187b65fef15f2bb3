/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_account.h -- what the files of the water account share.
 *
 * water_account.c  whose account it is; summaries
 * water_book.c     ticket books: sold and given back
 * water_book_buy.c offered by a station, bought and paid online
 * water_ticket.c   tickets: held, spent, back again
 * water_barrel.c   barrels and deposits at the door
 * water_ledger.c   every line, explained
 *
 * Whose it is: a household has one account with each station.  Which
 * household is known once the resident's home at that dwelling is bound;
 * then all who are bound to it share the account.  Until then (and where
 * the roster knows no household) it is the resident's own, for that
 * dwelling.  When a home is bound later, the next booking turns the
 * resident's own account into the household's, or, when there is one
 * already, merges it: books change hands, barrels and deposit are moved by
 * an entry, and the old account is closed.
 *
 * Ledger accounts, all kept unless said otherwise:
 *	water_account	barrels, deposit
 *	water_book	real, gift, held_real, held_gift (tickets),
 *			prepaid (fen: what the real tickets left are worth)
 *	org (station)	tickets, barrels, cash, online, earned (not kept)
 *
 * Money that came in at the till stands against `cash`.  What was paid
 * online was booked by the payment already, as the station's `due`
 * (payment.h), so the sale of such a book stands against `online`, which
 * only says where its prepaid money lies: nobody adds `online` to `due`.
 * The same way back: a refund takes from `due`, and the book from `online`.
 * What comes back for a book is its prepaid money, which is its price less
 * what was earned; each ticket earned its share with the fraction of a fen
 * dropped, so the fractions are the resident's.
 *
 * Each booking first takes the account's row, so what is read after that
 * stands until the commit.  Rows are taken in the order of their ids.
 */
#ifndef SERVICE_WATER_ACCOUNT_H
#define SERVICE_WATER_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "service/ledger.h"

struct flow_step;
struct req;
struct water_lines;

#define WATER_BARRELS_MAX 400	/* barrels brought back at once */

/* The kinds of entries, as the ledger keeps them. */
#define WATER_SALE	"ticket_sale"
#define WATER_HOLD	"ticket_hold"
#define WATER_SPEND	"ticket_spend"
#define WATER_BACK	"ticket_back"
#define WATER_REFUND	"ticket_refund"
#define WATER_DELIVERY	"delivery"
#define WATER_RETURN	"return"
#define WATER_MERGE	"merge"

/* ---- accounts ---- */

/*
 * The account of a resident's household at a dwelling with a station,
 * made or merged when need be, its row taken.  In a transaction.
 */
enum err water_account_take(struct req *, int64_t station_id,
    int64_t user_id, int64_t dwelling_id, int64_t *ret_id);

/* Take the row of account `id`; ERR_ABSENT when there is none. */
enum err water_account_lock(struct req *, int64_t id);

/* An entry to be filled: at rq->now, by the caller. */
struct ledger_entry *water_account_entry(struct req *, const char *kind,
    const char *thing, int64_t thing_id);

/* Post it. */
enum err water_account_post(struct req *, const struct ledger_entry *);

/* The ledger's names. */
struct ledger_key water_key_account(int64_t id, const char *kind);
struct ledger_key water_key_book(int64_t id, const char *kind);
struct ledger_key water_key_station(int64_t id, const char *kind);

/* What a summary shows. */
struct water_account {
	int64_t		 id;
	int64_t		 station_id;
	const char	*station;
	int64_t		 dwelling_id;
	const char	*place;
	int64_t		 shared;
	int64_t		 tickets_real;
	int64_t		 tickets_gift;
	int64_t		 tickets_held;
	int64_t		 prepaid_fen;
	int64_t		 barrels;
	int64_t		 deposit_fen;
	int64_t		 created_at;
};
extern const struct view water_account_view;

/* Answer with account `id`, of a station that the caller works for. */
enum err water_account_answer(struct req *, int64_t id);

/*
 * SQL: account row `a` is the resident's: $1 community, $2 user.
 */
#define WATER_MINE(a)							\
	" " a ".community_id = $1 AND " a ".id IN"			\
	" (SELECT w.id FROM water_account w WHERE w.community_id = $1"	\
	" AND w.user_id = $2 AND w.household_id IS NULL"		\
	" UNION ALL SELECT w.id FROM home h CROSS JOIN water_account w"	\
	" WHERE h.community_id = $1 AND h.owner_id = $2"		\
	" AND h.state = 'bound' AND w.community_id = $1"		\
	" AND w.household_id = h.household_id)"

/*
 * SQL: the caller ($2) works for the station; `and` narrows by duty.
 */
#define WATER_WORKS(station, and)					\
	" EXISTS (SELECT 1 FROM org_staff f WHERE f.community_id = $1"	\
	" AND f.org_id = " station " AND f.user_id = $2" and ")"
#define WATER_NO_COURIER " AND f.duty <> 'courier'"

/* ---- tickets ---- */

/*
 * Hold a ticket for each barrel of an order, each of the barrel's own
 * product.  What was paid for goes before what was a gift, older books
 * before newer.  ERR_SHORT, with the field, when there are not enough.
 */
enum err water_ticket_hold(struct req *, int64_t account_id,
    int64_t order_id, const struct water_lines *);

/* The order ended without water: what was held goes back where it was. */
enum err water_ticket_back(struct req *, int64_t order_id);

/* The water is there: what was held is spent, its money earned. */
enum err water_ticket_spend(struct req *, int64_t order_id,
    int64_t station_id);

/* ---- books ---- */

struct water_book_new {
	int64_t		 id;
	int64_t		 account_id;	/* whose row is taken */
	int64_t		 station_id;
	int64_t		 product_id;
	const char	*title;
	int64_t		 paid, gift;	/* tickets */
	int64_t		 price_fen;
	bool		 online;
	int64_t		 sold_by;	/* user */
};

/* Write a book that was paid for, and its sale. */
enum err water_book_write(struct req *, const struct water_book_new *);

/*
 * What would come back now for book `id`, paid online, when the caller may
 * give it back: one of its household, or the desk of its station.
 */
enum err water_book_worth(struct req *, int64_t id, int64_t *ret_fen);

/*
 * `fen` of what was paid for book `id` is on its way back: the book is
 * closed.  ERR_STATE when that is not what it is worth.
 */
enum err water_book_end(struct req *, int64_t id, int64_t fen);

/* Answer with the book `id` of the caller's household. */
enum err water_book_answer_mine(struct req *, int64_t id);

#define WATER_BOOK_MAX	500	/* tickets of a book */

/* ---- barrels ---- */

/* What happened at the door. */
struct water_door {
	int64_t		 out;		/* returnable barrels brought */
	int64_t		 empties;	/* taken back */
	int64_t		 deposit_fen;	/* taken; below 0: given back */
};

/*
 * Book an order's barrels at the handover.  `empties` VIEW_NULL_INT: as
 * many as were brought, which changes nothing.  Barrels that stay without
 * one in exchange cost the deposit of their product, empties standing for
 * the dearest first; empties beyond give back their part of the deposit,
 * each the same.  A faulty count is noted as the field.
 */
enum err water_barrel_deliver(struct req *, const struct flow_step *,
    int64_t empties, struct water_door *ret);

/* "收回空桶 1 只，收押金 30.00 元" for the timeline. */
const char *water_door_note(struct req *, const struct water_door *);

void water_book_register(void);
void water_book_buy_register(void);
void water_ticket_register(void);
void water_barrel_register(void);
void water_ledger_register(void);

#endif
