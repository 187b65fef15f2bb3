/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_internal.h -- what the files of payments share.
 */
#ifndef SERVICE_PAYMENT_INTERNAL_H
#define SERVICE_PAYMENT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"
#include "flow/flow.h"
#include "store/db.h"
#include "wechat/pay.h"

struct req;

#define PAYMENT_CLAIM	(60 * CLOCK_SECOND)	/* for one question */
#define PAYMENT_REST	(2 * CLOCK_SECOND)	/* between two questions */
#define PAYMENT_DOUBT	(72 * CLOCK_HOUR)	/* promised to the payer */
#define PAYMENT_AT_ONCE	20			/* questions of a round */

struct payment_row {
	int64_t		 community_id;
	int64_t		 id;
	const char	*state;
	int64_t		 owner_id;
	const char	*title;
	const char	*number;
	const char	*things;
	int64_t		 total_fen;
	int64_t		 refunded_fen;
	int64_t		 expires_at;
	const char	*prepay_id;
	int64_t		 prepay_at;		/* VIEW_NULL_INT: never */
	const char	*transaction_id;
	int64_t		 asked;
	int64_t		 created_at;
};
extern const struct view payment_row_view;

/* Its columns, of the table or alias before each (p "." or ""). */
#define PAYMENT_ROW							\
	"community_id, id, state, owner_id, title, number, things,"	\
	" total_fen, refunded_fen, expires_at, prepay_id, prepay_at,"	\
	" transaction_id, asked, created_at"

struct payment_part {
	int64_t		 payment_id;
	int64_t		 seq;
	const char	*kind;
	int64_t		 thing_id;
	int64_t		 payee_id;
	const char	*title;
	int64_t		 amount_fen;
	int64_t		 refunded_fen;
	int64_t		 live;
};
extern const struct view payment_part_view;

struct payment_parts {
	int			 n;
	struct payment_part	 at[PAYMENT_THINGS];
};

extern const struct flow payment_flow, payment_doubt_flow;
extern const char *const payment_states[], *const payment_doubt_states[];
extern const char *const payment_doubt_whys[];
void payment_flow_register(void);

/*
 * All in a transaction.  The row of a payment is taken until the commit,
 * so that one thing at a time happens to it.
 */
enum err payment_take(struct req *, int64_t id, struct payment_row *ret);
enum err payment_take_number(struct req *, const char *number,
    struct payment_row *ret);
enum err payment_parts(struct req *, int64_t id, struct payment_parts *ret);

/* A kind refused in a way that is no failure: forget its sentence. */
void payment_forgive(struct req *);

/* An event of the system; ERR_AGAIN when somebody was faster. */
enum err payment_move(struct req *, const struct flow *, int64_t id,
    const char *event, const char *note);

/*
 * Book what the gateway says was paid, in a transaction of its own, once.
 * `notice` is the notice's id or NULL.  ERR_CONFLICT when it is not for
 * this merchant at all (logged).
 */
enum err payment_book(struct req *, const struct pay_trade *,
    const char *notice);

/*
 * Book all parts as paid; ERR_STATE when none is wanted, then nothing was
 * changed.  Parts not wanted are given back.  `from` is the account the
 * money lies in, `all` refuses when one is not wanted.
 */
enum err payment_book_parts(struct req *, const struct payment_row *,
    struct ledger_key from, bool all, const char *transaction_id,
    int64_t paid_at);

/* Note a notice that was taken; whether it is the first of its id. */
enum err payment_book_notice(struct req *, const char *id,
    const char *number, bool *ret_first);

/* Close unpaid, or after money came that cannot be booked: free things. */
enum err payment_release(struct req *, const struct payment_row *);

/*
 * Ask the gateway about a payment, outside a transaction, and write down
 * what it says.  OK also when others are asking, or it does not answer.
 */
enum err payment_ask_one(struct req *, int64_t id);

/* What came of a refund, from answer, query or notice. */
enum err payment_refund_note(struct req *, const struct pay_refund *,
    const char *notice);
/*
 * WeChat will not have it: the admins are told, and when it is `hopeless`
 * that it is told no more as if nothing had happened.
 */
enum err payment_refund_refused(struct req *, int64_t id, bool hopeless);
struct payment_back {			/* one refund being written */
	int64_t		 payment_id;	/* 0: of no payment */
	int64_t		 amount_fen;
	const char	*reason;
	int64_t		 by_id;		/* 0: the platform */
	int64_t		 wait;		/* ms, before it is told */
	int64_t		 id;		/* returned */
};
/* Only its row; money and parts are the caller's. */
enum err payment_refund_write(struct req *, struct payment_back *);
/* Give back parts that nothing waited for: fen[i] of parts->at[i]. */
enum err payment_refund_parts(struct req *, const struct payment_row *,
    const struct payment_parts *, const int64_t *fen, bool told,
    struct payment_back *);

/* Put a trade on the shelf; OK and nothing when it lies there. */
enum err payment_doubt_add(struct req *, const struct payment_row *,
    const struct pay_trade *, const char *why);
/* The refund `refund_id` is done: so is the shelf's row, if it is one's. */
enum err payment_doubt_done(struct req *, int64_t refund_id);
/* It does not go on: so is told of the shelf's row, if it is one's. */
enum err payment_doubt_stuck(struct req *, int64_t refund_id);
/* Refund `was` died and `now` follows it. */
enum err payment_doubt_follow(struct req *, int64_t was, int64_t now);
enum err payment_doubt_rebook(struct req *, struct flow_step *);
enum err payment_doubt_refund(struct req *, struct flow_step *);

/* Stream the refunds of a payment as a JSON list. */
struct json;
extern const struct view payment_refund_view;
void payment_refund_stream(struct json *, const struct req *,
    int64_t payment_id, enum err *ret_err);

#endif
