/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill.h -- bills of living (生活缴费): property fee, water, power, gas,
 * heating, parking, broadband.
 *
 * A payee's file becomes a batch: checked, applied whole, undone whole while
 * nothing of it is paid.  A line that is doubted is not due and bears no
 * late fee meanwhile; the others can be paid.  Each line is paid by one
 * payment.  The late fee (违约金) is simple interest on what is unpaid from
 * the day after the due day, rounded once, half up, and never above the cap
 * that the payee had to set, itself at most the principal.
 *
 * There is deliberately nothing here that cuts a service or shuts a door for
 * arrears: under Civil Code art. 944 a property company may remind, then go
 * to court or arbitration, and may not stop water, power, heat or gas to
 * collect.  So no field, state or event of a bill reaches any other service.
 *
 * bill.c          what a bill looks like, lists, preview, look-up
 * bill_sum.c      what is due, and the late fee: arithmetic only
 * bill_pay.c      bills as things to be paid
 * bill_dispute.c  doubts of residents
 * bill_waiver.c   two persons of the payee let go of something
 * bill_batch.c    files: routes
 * bill_read.c     a file read, judged, staged
 * bill_cell.c     its cells
 * bill_apply.c    a batch applied and undone
 * bill_remind.c   reminders
 * bill_report.c   collection and arrears
 * payee.c         who may bill, and on which terms
 * money_sweep.c   what a kill in the middle left behind
 */
#ifndef SERVICE_BILL_H
#define SERVICE_BILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "flow/flow.h"

struct req;

#define BILL_LINES	20	/* of a bill */
#define BILL_ROWS_MAX	50000	/* of a file */

/* Codes, NULL-ended; `bill_kinds` gives the bits of payee.kinds. */
extern const char *const bill_kinds[];
extern const char *const bill_states[];

/* Chinese for a kind; the kind itself when there is none. */
const char *bill_kind_label(const char *kind);

/* ---- days and sums (bill_sum.c) ---- */

/* Days since 1970 of a moment in China, and of yyyymmdd. */
int64_t bill_day(int64_t ms);
int64_t bill_day_of(int64_t yyyymmdd);

/* 2026-10-31 of a day; yyyymmdd of such a text, false when it is none. */
#define BILL_DAY_MAX	12
void bill_day_text(int64_t day, char out[BILL_DAY_MAX]);
bool bill_day_parse(const char *text, int64_t *ret_day);

/*
 * The late fee on fen-days (the sum of amount times days), at `rate` in
 * 1/10000 a day, rounded once half up, at most `cap` percent of `principal`
 * (which is what bears it).
 */
int64_t bill_late(int64_t fen_days, int64_t rate, int64_t cap,
    int64_t principal);

/* What of a bill is due on a day. */
struct bill_due {
	int64_t		 principal_fen;	/* unpaid and not doubted */
	int64_t		 late_fen;	/* without what is waived */
	int64_t		 waived_fen;	/* late fee spared by a waiver */
	int64_t		 total_fen;
	int64_t		 disputed_fen;	/* doubted: not due now */
};

/* The numbers that it is worked out from; see BILL_SUMS. */
struct bill_sums {
	int64_t		 open_fen, fen_days, disputed_fen;
	int64_t		 late_rate, late_cap, late_waived_fen;
};
struct bill_due bill_due(const struct bill_sums *);

/* SQL: the first three of them for bill b, on day `day`. */
#define BILL_SUMS(day)							\
	"COALESCE((SELECT CAST(SUM(l.amount_fen) AS BIGINT)"		\
	" FROM bill_line l WHERE l.community_id = b.community_id"	\
	" AND l.bill_id = b.id AND l.payment_id IS NULL"		\
	" AND l.dispute_id IS NULL), 0) AS open_fen,"			\
	" COALESCE((SELECT CAST(SUM(l.amount_fen * (CAST(" day		\
	" AS BIGINT) - b.due_day - l.frozen_days)) AS BIGINT)"		\
	" FROM bill_line l WHERE l.community_id = b.community_id"	\
	" AND l.bill_id = b.id AND l.payment_id IS NULL"		\
	" AND l.dispute_id IS NULL AND CAST(" day " AS BIGINT)"		\
	" > b.due_day + l.frozen_days), 0) AS fen_days,"		\
	" COALESCE((SELECT CAST(SUM(l.amount_fen) AS BIGINT)"		\
	" FROM bill_line l WHERE l.community_id = b.community_id"	\
	" AND l.bill_id = b.id AND l.payment_id IS NULL"		\
	" AND l.dispute_id IS NOT NULL), 0) AS disputed_fen"

/* ---- who may see ---- */

/*
 * SQL: bill b is of a dwelling that `user` is bound to, or that somebody is
 * bound to who lets `helper` pay (bit 2 is ACT_PAY of a grant) at `now`.
 */
#define BILL_BOUND(user, helper, now)					\
	"EXISTS (SELECT 1 FROM home h WHERE"				\
	" h.community_id = b.community_id"				\
	" AND h.dwelling_id = b.dwelling_id AND h.state = 'bound'"	\
	" AND (h.owner_id = " user " OR h.owner_id IN"			\
	" (SELECT g.elder_id FROM helper g"				\
	" WHERE g.community_id = b.community_id"			\
	" AND g.helper_id = " helper " AND g.revoked_at IS NULL"	\
	" AND g.from_at <= " now					\
	" AND (g.to_at IS NULL OR g.to_at > " now ")"			\
	" AND (g.rights & 2) <> 0)))"

/* Who that helper is: rights do not chain, so nobody when acting. */
int64_t bill_helper(const struct req *);

/* SQL: `user` is owner or clerk of the payee `org`. */
#define BILL_STAFF(org, user)						\
	"EXISTS (SELECT 1 FROM org_staff f WHERE"			\
	" f.community_id = b.community_id AND f.org_id = " org		\
	" AND f.user_id = " user " AND f.duty <> 'courier')"

/* A bill as those who change it need it. */
struct bill_core {
	int64_t		 id;
	int64_t		 payee_id;
	const char	*payee;
	const char	*state;
	const char	*kind;
	const char	*period;
	int64_t		 due_day;
	int64_t		 open_fen, fen_days, disputed_fen;
	int64_t		 late_rate, late_cap, late_waived_fen;
	int64_t		 paying_id;	/* 0: none is open */
	int64_t		 paying_until;
	int64_t		 paying_fen, paying_late_fen, paying_waived_fen;
	int64_t		 bound;		/* the caller's, as above */
	int64_t		 staff;		/* of the caller's payee */
};

/*
 * Take the bill's row until the commit and read it, for who is calling or
 * for nobody.  ERR_ABSENT when there is none, or it is undone.
 */
enum err bill_take(struct req *, int64_t id, struct bill_core *ret);

/* What is due of it now: what stands, when a payment is open. */
struct bill_due bill_core_due(const struct bill_core *);

/* Set the state that follows from its lines.  In the transaction. */
enum err bill_settle(struct req *, int64_t id);

/* "2026-10 水费". */
const char *bill_title(struct req *, const struct bill_core *);

/* Answer with the bill as the caller sees it. */
enum err bill_answer(struct req *, int64_t id);

/* Refuse to change it while somebody pays: OK or ERR_STATE. */
enum err bill_not_paying(struct req *, const struct bill_core *);

/* ---- disputes and waivers ---- */

extern const struct flow bill_dispute_flow, bill_waiver_flow;

/* End the open ones of bills of a batch that is being undone. */
enum err bill_dispute_void(struct req *, int64_t batch_id);
enum err bill_waiver_void(struct req *, int64_t batch_id);

/* ---- batches ---- */

struct bill_batch {
	int64_t		 id;
	int64_t		 payee_id;
	const char	*payee;
	const char	*name;
	const char	*state;
	int64_t		 rows, bills, unmatched, faults;
	int64_t		 total_fen;
	int64_t		 by_id;
	int64_t		 created_at, checked_at, applied_at, undone_at;
	const char	*sha256;
};
extern const struct view bill_batch_view;

/* Of the community and the payee, for whoever; ERR_ABSENT. */
enum err bill_batch_get(struct req *, int64_t community_id, int64_t id,
    struct bill_batch *ret);

/*
 * Read the file, judge and stage its rows: the batch is then checked or
 * faulty.  Opens its own transactions.  ERR_TOO_LARGE beyond upload_max.
 */
enum err bill_batch_check(struct req *, int64_t community_id,
    int64_t payee_id, const char *name, const char *path, int64_t by_id,
    int64_t *ret_id);

/* All or nothing.  ERR_STATE, ERR_CONFLICT with a sentence.  In a tx. */
enum err bill_batch_apply(struct req *, int64_t community_id, int64_t id);
enum err bill_batch_undo(struct req *, int64_t community_id, int64_t id);

/* Call fn for each fault that was kept, in the order of lines. */
enum err bill_batch_faults(struct req *, int64_t community_id, int64_t id,
    void (*fn)(void *arg, int64_t line, const char *label,
    const char *detail), void *arg);

/* ---- payees ---- */

struct payee {
	int64_t		 id;
	const char	*name;
	const char	*phone;
	const char	*contact;
	int64_t		 kinds;
	int64_t		 late_rate, late_cap;	/* VIEW_NULL_INT: not set */
	const char	*remind;
	const char	*duty;			/* the caller's, or NULL */
};

/* OK, or ERR_ABSENT when the caller is not owner or clerk of it. */
enum err payee_mine(struct req *, int64_t id, struct payee *ret);

/* Whoever asks; by name with id 0. */
enum err payee_find(struct req *, int64_t community_id, int64_t id,
    const char *name, struct payee *ret);

/* Days of "-3,0,7": ascending, -30..365, at most 8; -1 when it is not. */
#define PAYEE_DAYS	8
int payee_days(const char *text, int64_t ret[PAYEE_DAYS]);

/* Make one of an org that is there; it has no late fee yet. */
enum err payee_make(struct req *, int64_t community_id, int64_t org_id,
    int64_t kinds, const char *contact);

void bill_register(void);
/* Statements of what planetctl needs: batches and payees, no routes. */
void bill_engine_register(void);
void bill_pay_register(void);
void bill_dispute_register(void);
void bill_waiver_register(void);
void bill_batch_register(void);
void bill_read_register(void);
void bill_apply_register(void);
void bill_remind_register(void);
void bill_report_register(void);
/* What a kill left of batches, statements and exports. */
void money_sweep_register(void);
void payee_register(void);
void payee_sql_register(void);

#endif
