/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h -- who did what to whom: append-only, chained by hash.
 *
 * Every request of a TX_WRITE route, and every req_transact of a TX_OWN
 * route that succeeds, leaves one row, written by the dispatcher last in
 * the transaction: the chain's head is locked until the commit and nothing
 * is waited for meanwhile.  A look at personal data is a TX_WRITE route,
 * also when it is a GET.  Handlers only say what the row is to name.
 */
#ifndef HTTP_AUDIT_H
#define HTTP_AUDIT_H

#include <stdint.h>

#include "base/err.h"

struct db;
struct req;

/* What a row says; text may be NULL but for actor and action. */
struct audit_row {
	int64_t		 community_id;	/* 0: of none */
	int64_t		 at;
	int64_t		 user_id;	/* 0: the platform itself */
	const char	*actor;		/* user, helper, system, console */
	int64_t		 for_id;	/* whom a helper acts for, or 0 */
	const char	*action;	/* METHOD route, or task and verb */
	const char	*thing;
	int64_t		 thing_id;	/* 0: none */
	int64_t		 subject_id;	/* a person, 0: none */
	const char	*reason;
	const char	*address;
	const char	*request_id;
};

/* What this request did it to; the last call wins. */
void audit_thing(struct req *, const char *thing, int64_t id);

/*
 * The person it is about, who can read the row; `reason` may be NULL.
 * Called more than once (a list of persons), each gets an own row.
 */
void audit_subject(struct req *, int64_t person_id, const char *reason);

/*
 * Append one row and chain it; for the dispatcher, tasks and planetctl.
 * In a transaction, as the last thing before its commit.
 */
enum err audit_append(struct db *, const struct audit_row *);

/* The rows of this request; the dispatcher's own call. */
enum err audit_request(struct req *);

void audit_register(void);

#endif
