/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_internal.h -- between the files of bills.
 */
#ifndef SERVICE_BILL_INTERNAL_H
#define SERVICE_BILL_INTERNAL_H

#include "base/arena.h"
#include "http/field.h"
#include "http/json.h"
#include "http/req.h"
#include "service/bill.h"

/* Who works for payees: their own org is looked at in SQL. */
#define BILL_STAFF_ROLES	(ROLE_PROPERTY | ROLE_MERCHANT)

/*
 * Who lost that role works for no payee, though the org still lists them:
 * where residents are let in too the route alone does not tell.
 */
static inline bool
bill_is_staff(const struct req *rq)
{
	return (rq->who.roles & BILL_STAFF_ROLES) != 0;
}

struct bill_id_in {
	int64_t		 id;
};
extern const struct shape bill_id_shape;

const char *bill_state_label(const char *state);

/* A bill as it is shown; the same columns in lists and by itself. */
struct bill_row {
	int64_t		 id;
	const char	*state;
	int64_t		 payee_id;
	const char	*payee;
	const char	*kind;
	const char	*period;
	const char	*due_on;
	const char	*account_no;
	const char	*holder;
	int64_t		 dwelling_id;
	const char	*place;
	int64_t		 billed_fen;
	int64_t		 principal_fen;
	int64_t		 paid_fen;
	int64_t		 late_paid_fen;
	int64_t		 refunded_fen;
	int64_t		 paid_at;
	int64_t		 paying_until;
	int64_t		 created_at;
	int64_t		 open_fen, fen_days;
	int64_t		 disputed_fen;
	int64_t		 late_rate, late_cap, late_waived_fen;
	int64_t		 paying_fen, paying_late_fen, paying_waived_fen;
	int64_t		 family;
	int64_t		 bound, staff;

	/* Of one by itself, read beside. */
	const struct bill_line		*lines;
	const struct bill_paid		*payments;
	const struct bill_doubt		*doubts;
	size_t				 nlines, npayments, ndoubts;
	const struct bill_last		*last;
	const char			*made;
};

struct bill_due bill_row_due(const struct bill_row *);
void bill_put_due(struct json *, const struct req *, const void *row);
void bill_put_late(struct json *, const struct req *, const void *row);
void bill_put_kind(struct json *, const struct req *, const void *row);
void bill_put_state(struct json *, const struct req *, const void *row);
void bill_put_can(struct json *, const struct req *, const void *row);
extern const char *const bill_buttons[];

#define BILL_ROW_COLUMNS						\
	C_ID(bill_row, id),						\
	C_CODE(bill_row, state, bill_states),				\
	C_ID(bill_row, payee_id),					\
	C_TEXT(bill_row, payee),					\
	C_CODE(bill_row, kind, bill_kinds),				\
	C_TEXT(bill_row, period, .about = "2026-10"),			\
	C_TEXT(bill_row, due_on, .about = "the last day without fee"),	\
	C_TEXT(bill_row, account_no),					\
	C_TEXT(bill_row, holder, .about = "masked"),			\
	C_ID(bill_row, dwelling_id, .flags = VIEW_NULL,			\
	    .about = "null: the account fits no dwelling yet"),		\
	C_TEXT(bill_row, place, .flags = VIEW_NULL),			\
	C_FEN(bill_row, billed_fen),					\
	C_FEN(bill_row, principal_fen,					\
	    .about = "after disputes and waivers"),			\
	C_FEN(bill_row, paid_fen, .about = "of the principal"),		\
	C_FEN(bill_row, late_paid_fen),					\
	C_FEN(bill_row, refunded_fen),					\
	C_TIME(bill_row, paid_at, .flags = VIEW_NULL),			\
	C_TIME(bill_row, paying_until, .flags = VIEW_NULL,		\
	    .about = "a payment is open until then, and its sum stands"), \
	C_TIME(bill_row, created_at),					\
	C_FEN(bill_row, open_fen, .flags = VIEW_HIDDEN),		\
	C_INT(bill_row, fen_days, .flags = VIEW_HIDDEN),		\
	C_FEN(bill_row, disputed_fen,					\
	    .about = "doubted: not due now"),				\
	C_INT(bill_row, late_rate, .about = "1/10000 a day"),		\
	C_INT(bill_row, late_cap, .about = "percent of the principal"),	\
	C_FEN(bill_row, late_waived_fen),				\
	C_FEN(bill_row, paying_fen, .flags = VIEW_HIDDEN | VIEW_NULL),	\
	C_FEN(bill_row, paying_late_fen, .flags = VIEW_HIDDEN),		\
	C_FEN(bill_row, paying_waived_fen, .flags = VIEW_HIDDEN),	\
	C_BOOL(bill_row, family,					\
	    .about = "of a home that let the caller pay, not their own"), \
	C_BOOL(bill_row, bound, .flags = VIEW_HIDDEN),			\
	C_BOOL(bill_row, staff, .flags = VIEW_HIDDEN),			\
	C_CALC("state_label", SHAPE_TEXT, bill_put_state),		\
	C_CALC("kind_label", SHAPE_TEXT, bill_put_kind),		\
	C_CALC("late_fen", SHAPE_INT, bill_put_late,			\
	    .about = "late fee if it is paid today"),			\
	C_CALC("due_fen", SHAPE_INT, bill_put_due,			\
	    .about = "to be paid today, late fee included"),		\
	C_CALC("can", SHAPE_CODES, bill_put_can, .names = bill_buttons)

/* $1 is the community, $2 of a resident's list the user. */
#define BILL_ROW_SELECT(day, bound, staff)				\
	"SELECT b.id, b.state, b.payee_id, o.name AS payee, b.kind,"	\
	" b.period, b.due_on, b.account_no, b.holder_mask AS holder,"	\
	" b.dwelling_id, b.place, b.billed_fen, b.principal_fen,"	\
	" b.paid_fen, b.late_paid_fen, b.refunded_fen, b.paid_at,"	\
	" b.paying_until, b.created_at, " BILL_ROW_SUMS(day)		\
	", b.late_rate, b.late_cap, b.late_waived_fen, b.paying_fen,"	\
	" b.paying_late_fen, b.paying_waived_fen, CASE WHEN EXISTS"	\
	" (SELECT 1 FROM home w WHERE w.community_id = b.community_id"	\
	" AND w.dwelling_id = b.dwelling_id AND w.owner_id = $2"	\
	" AND w.state = 'bound') THEN 0 ELSE " bound " END AS family, "	\
	bound " AS bound, " staff " AS staff"				\
	" FROM bill b JOIN org o ON o.community_id = b.community_id"	\
	" AND o.id = b.payee_id"
#define BILL_ROW_SUMS(day)	BILL_SUMS(day)

extern const struct view bill_core_view;
#define BILL_CORE_SELECT(day, user, helper, now)			\
	"SELECT b.id, b.payee_id, o.name AS payee, b.state, b.kind,"	\
	" b.period, b.due_day, " BILL_SUMS(day) ", b.late_rate,"	\
	" b.late_cap, b.late_waived_fen, b.paying_id, b.paying_until,"	\
	" b.paying_fen, b.paying_late_fen, b.paying_waived_fen,"	\
	" CASE WHEN " BILL_BOUND(user, helper, now)			\
	" THEN 1 ELSE 0 END AS bound,"					\
	" CASE WHEN " BILL_STAFF("b.payee_id", user)			\
	" THEN 1 ELSE 0 END AS staff"					\
	" FROM bill b JOIN org o ON o.community_id = b.community_id"	\
	" AND o.id = b.payee_id"

/* A batch `t` as bill_batch_view has it. */
#define BILL_BATCH_COLUMNS						\
	"t.id, t.payee_id, o.name AS payee, t.name, t.state, t.rows,"	\
	" t.bills, t.unmatched, t.faults, t.total_fen,"			\
	" NULLIF(t.by_id, 0) AS by_id, t.created_at, t.checked_at,"	\
	" t.applied_at, t.undone_at, t.sha256"
#define BILL_BATCH_FROM							\
	" FROM bill_batch t JOIN org o"					\
	" ON o.community_id = t.community_id AND o.id = t.payee_id"

/* How many lines there are of each sort. */
struct bill_rest {
	int64_t		 unpaid, disputed, paid;
	int64_t		 principal_fen;
};
extern const struct view bill_rest_view;

extern const struct view bill_full_view;

/*
 * Take `fen` off the unpaid lines that dispute `dispute_id` doubts (0:
 * those that nobody doubts), the last first; ERR_STATE when there is less.
 */
enum err bill_cut(struct req *, int64_t bill_id, int64_t dispute_id,
    int64_t fen);

void bill_full_register(void);

#endif
