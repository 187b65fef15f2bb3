/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment.h -- paying things online, and giving money back.
 *
 * A payment covers one or several things of any kind; what they cost comes
 * from their own service, never from the client.  What is sent to WeChat
 * Pay is written first, calls stand outside transactions, and whatever is
 * not known afterwards is asked for: a crash anywhere is repaired by a
 * query.  Money is booked in one transaction with what it pays for, once.
 * Money that nothing waits for lies on the shelf (money in doubt) until it
 * is booked after all or given back.
 *
 * payment.c		routes of the payer; what is created
 * payment_flow.c	states and moves, the shelf's too
 * payment_thing.c	the kinds of things
 * payment_book.c	a paid trade: booked, or put on the shelf
 * payment_notice.c	notices
 * payment_ask.c	the runner's tasks: query, close, release
 * payment_refund.c	refunds, asked for and carried out
 * payment_doubt.c	the shelf
 *
 * Ledger accounts, in fen, none kept: gateway/clearing (the world outside,
 * below zero while WeChat Pay holds money for us), org/due (what is theirs
 * and was not paid out), gateway/doubt (the shelf), gateway/fee, org/fee.
 *	paid		org/due +, gateway/clearing -
 *	refund		org/due -, gateway/clearing +	(when it is asked)
 *	doubt		gateway/doubt +, gateway/clearing -
 *	fee		gateway/fee +, org/due -	(from the statement)
 *	settled		org/due -, gateway/clearing +
 */
#ifndef SERVICE_PAYMENT_H
#define SERVICE_PAYMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "service/ledger.h"

struct req;

#define PAYMENT_THINGS	50	/* of one payment */

/* What a kind says of one of its things. */
struct payment_thing {
	int64_t		 id;
	int64_t		 payee_id;	/* the org whose money it is */
	int64_t		 amount_fen;	/* due now */
	const char	*title;		/* for statement and receipt */
};

/* An item of a payment that was paid, or refunded in part. */
struct payment_item {
	int64_t		 payment_id;
	int64_t		 thing_id;
	int64_t		 payee_id;
	int64_t		 payer_id;	/* user */
	int64_t		 amount_fen;	/* paid; of a refund: given back now */
	int64_t		 left_fen;	/* of a refund: paid and kept */
	int64_t		 at;
};

/*
 * A kind of things that can be paid.  All run in the transaction that is
 * open and change only their own tables; money is booked by us.
 */
struct payment_kind {
	const char	*name;		/* bill, water_order, water_book */
	const char	*label;		/* Chinese */
	/*
	 * What is due for thing `id`, its row taken, when the caller may
	 * pay it: ERR_ABSENT not theirs, ERR_STATE (with a sentence) when
	 * there is nothing to pay now.
	 */
	enum err (*quote)(struct req *, int64_t id,
	    struct payment_thing *ret);
	/* A payment was opened, to be paid by `until` (ms). */
	enum err (*opened)(struct req *, int64_t id, int64_t payment_id,
	    int64_t until);
	/* It was closed unpaid, at the gateway too. */
	enum err (*closed)(struct req *, int64_t id, int64_t payment_id);
	/*
	 * The money is there.  ERR_STATE, having changed nothing, when it
	 * is not wanted (any more): then it goes on the shelf.
	 */
	enum err (*paid)(struct req *, const struct payment_item *);
	/*
	 * How much of what was paid for thing `id` the caller may have
	 * given back now: their own, or staff of the payee.  ERR_ABSENT,
	 * ERR_STATE as above.
	 */
	enum err (*refundable)(struct req *, int64_t id,
	    int64_t *ret_fen);
	/* Part or all is on its way back; booked already. */
	enum err (*refunded)(struct req *, const struct payment_item *);
};

/* Add a kind; before service_ready ends. */
void payment_thing_add(const struct payment_kind *);
const struct payment_kind *payment_thing_kind(const char *name);

/*
 * Give back `fen` of what was paid for a thing, 0 for all that is left, on
 * the service's own decision (an order ended without water).  Writes the
 * refund; the runner carries it out.  ERR_ABSENT when nothing was paid
 * online.  In a transaction.
 */
enum err payment_give_back(struct req *, const char *kind,
    int64_t thing_id, int64_t fen, const char *reason);

/*
 * The thing is not wanted any more and perhaps being paid: the runner
 * closes its payment at the gateway first.  OK when there is none open.
 * In a transaction.
 */
enum err payment_drop(struct req *, const char *kind, int64_t thing_id);

/* Which payment paid a thing: ERR_ABSENT when none did. */
struct payment_of {
	int64_t		 payment_id;
	const char	*number;
	const char	*transaction_id;
	const char	*openid;	/* the payer's */
	int64_t		 paid_at;
	int64_t		 amount_fen;	/* of the item */
	int64_t		 refunded_fen;
};
enum err payment_find(struct req *, const char *kind, int64_t thing_id,
    struct payment_of *ret);

/*
 * A payment paid only part of a thing: what is left of it may be paid by
 * another.  In `paid`.
 */
enum err payment_let_go(struct req *, const char *kind, int64_t thing_id,
    int64_t payment_id);

/* Ledger names. */
struct ledger_key payment_thing_clearing(void);
struct ledger_key payment_thing_doubt(void);
struct ledger_key payment_thing_fee(void);
struct ledger_key payment_thing_due(int64_t org_id);

void payment_register(void);
void payment_book_register(void);
void payment_notice_register(void);
void payment_ask_register(void);
void payment_refund_register(void);
void payment_doubt_register(void);

#endif
