/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c -- posting entries; see ledger.h.
 *
 * Lines are written first and the entry last, which seals them.  Balances
 * are changed in the order of the accounts' ids, so that two entries never
 * wait for each other.
 */
#include <string.h>

#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "service/ledger.h"
#include "service/service.h"
#include "store/db.h"

struct ledger_account {
	int64_t		 id;
	const char	*unit;
	int64_t		 balance;	/* VIEW_NULL_INT: not kept */
};

static const struct view_column ledger_account_columns[] = {
	C_ID(ledger_account, id),
	C_TEXT(ledger_account, unit),
	C_INT(ledger_account, balance, .flags = VIEW_NULL),
	C_END
};
static const struct view ledger_account_view =
    VIEW(ledger_account, "LedgerAccount");

struct ledger_moved {
	int64_t		 balance;
	int64_t		 lines;
};

static const struct view_column ledger_moved_columns[] = {
	C_INT(ledger_moved, balance),
	C_INT(ledger_moved, lines),
	C_END
};
static const struct view ledger_moved_view =
    VIEW(ledger_moved, "LedgerMoved");

static const struct view_column ledger_fault_columns[] = {
	C_ID(ledger_fault, community_id),
	C_ID(ledger_fault, id),
	C_END
};
const struct view ledger_fault_view = VIEW(ledger_fault, "LedgerFault");

enum { LEDGER_FIND, LEDGER_MAKE, LEDGER_MOVE, LEDGER_LINE, LEDGER_ENTRY,
	LEDGER_DONE, LEDGER_SQL_MAX };

static struct stmt ledger_sql[] = {
	[LEDGER_FIND] = { RO, 4, &ledger_account_view,
	    "SELECT id, unit, balance FROM ledger_account"
	    " WHERE community_id = $1 AND owner = $2 AND owner_id = $3"
	    " AND kind = $4", NULL, 0 },
	[LEDGER_MAKE] = { RW, 8, NULL,
	    "INSERT INTO ledger_account (community_id, id, owner, owner_id,"
	    " kind, unit, balance, lines, created_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)"
	    " ON CONFLICT (community_id, owner, owner_id, kind) DO NOTHING",
	    NULL, 0 },
	[LEDGER_MOVE] = { RW, 3, &ledger_moved_view,
	    "UPDATE ledger_account SET balance = balance + $3,"
	    " lines = lines + 1 WHERE community_id = $1 AND id = $2"
	    " AND balance + $3 >= 0 RETURNING balance, lines", NULL, 0 },
	[LEDGER_LINE] = { RW, 8, NULL,
	    "INSERT INTO ledger_line (community_id, account_id, id,"
	    " entry_id, unit, amount, balance, seq)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", NULL, 0 },
	[LEDGER_ENTRY] = { RW, 8, NULL,
	    "INSERT INTO ledger_entry (community_id, id, kind, thing,"
	    " thing_id, note, at, by_id)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", NULL, 0 },
	[LEDGER_DONE] = { RO, 4, &ledger_fault_view,
	    "SELECT community_id, id FROM ledger_entry"
	    " WHERE community_id = $1 AND thing = $2 AND thing_id = $3"
	    " AND kind = $4", NULL, 0 },
};

/* A line on its way: the account found, what the balance became. */
struct posting {
	int64_t		 account_id;
	int64_t		 amount;
	const char	*unit;
	bool		 kept;
	struct ledger_moved moved;
};

void
ledger_add(struct ledger_entry *entry, struct ledger_key key, int64_t amount)
{
	if (amount == 0)
		return;
	if (entry->n < LEDGER_LINES)
		entry->lines[entry->n] = (struct ledger_line){ key, amount };
	entry->n++;
}

/* Whether the lines of `unit` add up to zero within what is allowed. */
static bool
adds_up(const struct ledger_entry *entry, const char *unit)
{
	int64_t	sum = 0;
	int	i;

	for (i = 0; i < entry->n; i++) {
		if (strcmp(entry->lines[i].of.unit, unit) != 0)
			continue;
		if (entry->lines[i].amount > LEDGER_MAX ||
		    entry->lines[i].amount < -LEDGER_MAX)
			return false;
		sum += entry->lines[i].amount;
	}
	return sum == 0;
}

static bool
is_sound(const struct ledger_entry *entry)
{
	int	i;

	if (entry->n < 2 || entry->n > LEDGER_LINES)
		return false;
	for (i = 0; i < entry->n; i++)
		if (!adds_up(entry, entry->lines[i].of.unit))
			return false;
	return true;
}

/* The account of a key, made when this is its first line. */
static enum err
find_account(struct db *db, struct arena *a, const struct ledger_entry *entry,
    const struct ledger_key *k, struct ledger_account *ret)
{
	enum err	e;

	e = db_one(db, a, &ledger_sql[LEDGER_FIND],
	    WITH(V(entry->community_id), V(k->owner), V(k->owner_id),
	    V(k->kind)), ret);
	if (e == ERR_ABSENT) {
		e = db_run(db, &ledger_sql[LEDGER_MAKE],
		    WITH(V(entry->community_id), V(id_new()), V(k->owner),
		    V(k->owner_id), V(k->kind), V(k->unit),
		    k->kept ? V(0) : VNULL, V(entry->at)), NULL);
		if (e == OK)
			e = db_one(db, a, &ledger_sql[LEDGER_FIND],
			    WITH(V(entry->community_id), V(k->owner),
			    V(k->owner_id), V(k->kind)), ret);
	}
	if (e != OK)
		return e;
	if (strcmp(ret->unit, k->unit) == 0 &&
	    (ret->balance != VIEW_NULL_INT) == k->kept)
		return OK;
	log_error("ledger owner=%s kind=%s fault=\"two sorts of account\"",
	    k->owner, k->kind);
	return ERR_INTERNAL;
}

/* Indices of the lines by account; lines of one account as they stand. */
static void
by_account(const struct posting *p, int n, int *order)
{
	int	i, j;

	for (i = 0; i < n; i++) {
		for (j = i; j > 0 && p[order[j - 1]].account_id >
		    p[i].account_id; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
}

static enum err
move_balances(struct db *db, struct arena *a,
    const struct ledger_entry *entry, struct posting *p)
{
	int		order[LEDGER_LINES];
	struct posting	*one;
	enum err	e;
	int		i;

	by_account(p, entry->n, order);
	for (i = 0; i < entry->n; i++) {
		one = &p[order[i]];
		if (!one->kept)
			continue;
		e = db_one(db, a, &ledger_sql[LEDGER_MOVE],
		    WITH(V(entry->community_id), V(one->account_id),
		    V(one->amount)), &one->moved);
		if (e != OK)
			return e == ERR_ABSENT ? ERR_SHORT : e;
	}
	return OK;
}

static enum err
write_lines(struct db *db, const struct ledger_entry *entry, int64_t id,
    const struct posting *p)
{
	enum err	e;
	int		i;

	for (i = 0; i < entry->n; i++, p++) {
		e = db_run(db, &ledger_sql[LEDGER_LINE],
		    WITH(V(entry->community_id), V(p->account_id),
		    V(id_new()), V(id), V(p->unit), V(p->amount),
		    p->kept ? V(p->moved.balance) : VNULL,
		    p->kept ? V(p->moved.lines) : VNULL), NULL);
		if (e != OK)
			return e;
	}
	return OK;
}

enum err
ledger_post(struct db *db, struct arena *a, const struct ledger_entry *entry)
{
	struct posting		p[LEDGER_LINES];
	struct ledger_account	account;
	const struct ledger_line *l;
	int64_t			id = id_new();
	enum err		e;
	int			i;

	if (!is_sound(entry)) {
		log_error("ledger kind=%s thing=%s id=%lld"
		    " fault=\"the entry does not balance\"", entry->kind,
		    entry->thing, (long long)entry->thing_id);
		return ERR_INTERNAL;
	}
	for (i = 0; i < entry->n; i++) {
		l = &entry->lines[i];
		e = find_account(db, a, entry, &l->of, &account);
		if (e != OK)
			return e;
		p[i] = (struct posting){ .account_id = account.id,
		    .amount = l->amount, .unit = l->of.unit,
		    .kept = l->of.kept };
	}
	if ((e = move_balances(db, a, entry, p)) != OK ||
	    (e = write_lines(db, entry, id, p)) != OK)
		return e;
	return db_run(db, &ledger_sql[LEDGER_ENTRY],
	    WITH(V(entry->community_id), V(id), V(entry->kind),
	    V(entry->thing), V(entry->thing_id), V(entry->note),
	    V(entry->at), entry->by_id != 0 ? V(entry->by_id) : VNULL),
	    NULL);
}

enum err
ledger_balance(struct db *db, struct arena *a, int64_t community_id,
    struct ledger_key k, int64_t *ret)
{
	struct ledger_account	row;
	enum err		e;

	e = db_one(db, a, &ledger_sql[LEDGER_FIND],
	    WITH(V(community_id), V(k.owner), V(k.owner_id), V(k.kind)),
	    &row);
	if (e != OK && e != ERR_ABSENT)
		return e;
	*ret = e == OK && row.balance != VIEW_NULL_INT ? row.balance : 0;
	return OK;
}

enum err
ledger_find(struct db *db, struct arena *a, int64_t community_id,
    const char *thing, int64_t thing_id, const char *kind)
{
	struct ledger_fault	row;

	return db_one(db, a, &ledger_sql[LEDGER_DONE],
	    WITH(V(community_id), V(thing), V(thing_id), V(kind)), &row);
}

void
ledger_register(void)
{
	db_register(ledger_sql, LEDGER_SQL_MAX);
	ledger_check_register_own();
}
