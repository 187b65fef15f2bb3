/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recon.h -- a day of payments against WeChat Pay's statement of it.
 *
 * Each morning yesterday's statement is brought for the merchant, its rows
 * are given to the communities whose payments they name (those of nobody to
 * community 0), and matched: statement, payments and refunds, ledger.  What
 * does not fit is a difference by kind; a person explains it or has it put
 * right and the day run again.  A day is closed by a person, once, when no
 * difference is open; its fees are booked then, and totals and differences
 * are signed by a hash.  A closed day is not run again.
 *
 * A payment is of the day it succeeded on, a refund stands in the statement
 * of the day it began.  One that is done and stands in none so far is ours
 * alone; the state in a statement is that of the day, so one still under
 * way there is no difference.
 *
 * recon.c	  requests
 * recon_run.c	  a run from its claim to its end, the task
 * recon_stage.c  the statement's rows
 * recon_match.c  what does not fit
 * recon_diff.c   differences on their way into the table
 * recon_share.c  what each payee's things brought, and their fees
 * recon_export.c rows of a day as a file
 * settlement.c   what payees have to get, and got
 */
#ifndef SERVICE_RECON_H
#define SERVICE_RECON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"
#include "http/json.h"

struct arena;
struct req;

#define RECON_WINDOW	4000	/* rows of one statement of SQL */
#define RECON_NOBODY	0	/* the community of rows that name none */

/* A run of one day. */
struct recon {
	struct req	*rq;
	struct arena	*row;		/* of a batch; reset often */
	int64_t		 day;		/* 20261122 */
	int64_t		 from, to;	/* its moments in China, ms */
	int64_t		 claim;
	int64_t		 run;		/* a later one has a larger number */
	int64_t		 community_id;	/* being matched */
	int64_t		 last;		/* highest row of the statement */
	int64_t		 moved_mill;	/* by trade, fees taken off */
	struct buf	 batch;
	struct json	 json;
	int		 n;
};

/* One difference. */
struct recon_found {
	int64_t		 id;		/* of what was gone over */
	const char	*kind;
	const char	*number;
	const char	*refund_number;
	const char	*transaction_id;	/* or NULL */
	int64_t		 line;		/* VIEW_NULL_INT: none, as below */
	int64_t		 theirs_fen, ours_fen;
	const char	*theirs, *ours;	/* or NULL */
};

extern const char *const recon_kinds[], *const recon_states[];

/* The kind in Chinese; NULL for NULL. */
const char *recon_kind_label(const char *kind);

/* A number alone, of many a statement. */
struct recon_count {
	int64_t		 n;
};
extern const struct view recon_count_view;

/* 20261122 as its first moment, or -1 when there is no such day. */
int64_t recon_day_start(int64_t day);
/* The day in China that `ms` lies in. */
int64_t recon_day_of(int64_t ms);

/*
 * Bring and match a day.  ERR_BUSY when another does, or the statement is
 * not made yet; ERR_NO_PAY without a merchant; the rest as pay_bill_fetch.
 * In no transaction.
 */
enum err recon_run(struct req *, int64_t day);

/* ---- parts of a run ---- */

/* fn(rq, arg), holding the claim; ERR_CONFLICT: it is lost. */
enum err recon_transact(struct recon *,
    enum err (*fn)(struct req *, void *), void *arg);

/* Fetch, stage; faults of the statement itself become differences. */
enum err recon_stage(struct recon *);
/* Match the rows and payments of rn->community_id. */
enum err recon_match(struct recon *);
/* What its payees have of the day. */
enum err recon_share(struct recon *);

/* A difference; flushed by hundreds and by recon_diff_flush. */
enum err recon_diff_add(struct recon *, const struct recon_found *);
enum err recon_diff_flush(struct recon *);

/* Begin a batch's next member; its number is its key. */
void recon_member(struct recon *);

/* ---- a closed day ---- */

/* Book the fees of its payees; in the closing's transaction. */
enum err recon_share_book(struct req *, int64_t community_id, int64_t day);

/* Let the reply be the day's rows. */
enum err recon_export(struct req *, int64_t community_id, int64_t day,
    bool sheet);

void recon_run_register(void);
void recon_stage_register(void);
void recon_match_register(void);
void recon_diff_register(void);
void recon_share_register(void);
void recon_export_register(void);

#endif
