/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h -- the general ledger: what moved from where to where.
 *
 * Double entry, append-only, whole numbers.  An account is one heap of one
 * unit (fen, barrels, tickets), named by its owner and the owner's own word
 * for it.  An entry is one thing that happened, once to each thing; its
 * lines add up to zero in every unit, so nothing comes from nowhere.  A
 * positive balance is what the owner has; the world outside and the totals
 * of an organisation go below zero.
 *
 * Of an account that is `kept` the balance is in its row, never below zero:
 * a line is a conditional UPDATE, so of two that spend one ticket at once
 * one finds no row.  Other accounts have no balance and nobody waits for
 * their row; their lines are summed when asked for.
 *
 * The database itself refuses an entry that does not balance, a line added
 * later, and any change; ledger_check adds everything up anew.
 */
#ifndef SERVICE_LEDGER_H
#define SERVICE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct arena;
struct db;
struct stmt;

#define LEDGER_FEN	"fen"
#define LEDGER_BARREL	"barrel"
#define LEDGER_TICKET	"ticket"

#define LEDGER_LINES	160	/* of one entry */
/* No single amount is larger; sums stay far from 2^63. */
#define LEDGER_MAX	1000000000000LL

/* Which account; made at its first line. */
struct ledger_key {
	const char	*owner;		/* noun of who has it */
	int64_t		 owner_id;
	const char	*kind;
	const char	*unit;
	bool		 kept;
};

struct ledger_line {
	struct ledger_key of;
	int64_t		 amount;
};

/* What happened; `kind` once to each thing. */
struct ledger_entry {
	int64_t		 community_id;
	const char	*kind;
	const char	*thing;
	int64_t		 thing_id;
	const char	*note;		/* or NULL */
	int64_t		 at;
	int64_t		 by_id;		/* 0: the platform */
	int		 n;
	struct ledger_line lines[LEDGER_LINES];
};

/* Add a line; zero adds none, too many spoil the entry. */
void ledger_add(struct ledger_entry *, struct ledger_key, int64_t amount);

/*
 * Write the entry.  ERR_SHORT when an account would fall below zero,
 * ERR_UNIQUE when this was done to the thing before, ERR_INTERNAL (logged)
 * when it does not balance, has no line or too many.  In a transaction,
 * which must fail after any of these.
 */
enum err ledger_post(struct db *, struct arena *,
    const struct ledger_entry *);

/* Balance of a kept account; 0 when it has had no line. */
enum err ledger_balance(struct db *, struct arena *, int64_t community_id,
    struct ledger_key, int64_t *ret);

/* Whether entry `kind` was made of the thing: OK or ERR_ABSENT. */
enum err ledger_find(struct db *, struct arena *, int64_t community_id,
    const char *thing, int64_t thing_id, const char *kind);

/* ---- checking ---- */

/* A fault: community and id of what is wrong. */
struct ledger_fault {
	int64_t		 community_id;
	int64_t		 id;
};
extern const struct view ledger_fault_view;

/* A check: a statement that finds faults, and what to call them. */
struct ledger_check {
	const char	*what;		/* English; NULL ends the table */
	struct stmt	*stmt;		/* of ledger_fault_view, no values */
};

struct ledger_report {
	int64_t		 entries, lines, accounts;
	int64_t		 faults;
};

/* Add checks of a service; before the first db_open. */
void ledger_check_register(const struct ledger_check *);

/*
 * Add everything up anew: entries, running and present balances, and what
 * services registered.  Each fault is told to `tell`; OK when all could be
 * read, whether faulty or not.  A check that cannot be read is logged, the
 * others are run, and its error is returned.
 */
enum err ledger_check(struct db *, struct arena *,
    void (*tell)(void *arg, const char *what, const struct ledger_fault *),
    void *arg, struct ledger_report *ret);

#endif
