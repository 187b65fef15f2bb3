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

#include <stdbool.h>
#include <stdint.h>

#include "base/crypt.h"
#include "base/err.h"
#include "base/view.h"

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

/* One person a request is about. */
struct audit_subject {
	int64_t		 id;
	const char	*reason;
	struct audit_subject *next;
};

/* What a handler says of its row; part of struct req. */
struct audit_note {
	const char	*thing;
	int64_t		 thing_id;
	struct audit_subject *subjects;	/* in the order they were named */
	const char	*reason;	/* where there is no subject */
	bool		 as;		/* audit_as was called */
	int64_t		 community_id, user_id;
};

/* What this request did it to; the last call wins. */
void audit_thing(struct req *, const char *thing, int64_t id);

/*
 * The person it is about, who can read the row; `reason` may be NULL.
 * Called more than once (a list of persons), each gets an own row.
 */
void audit_subject(struct req *, int64_t person_id, const char *reason);

/* Why, where it is about no one person. */
void audit_reason(struct req *, const char *reason);

/*
 * Who it was and in whose chain it stands, where the session does not say:
 * a log-in, or a task's work for one community.
 */
void audit_as(struct req *, int64_t community_id, int64_t user_id);

/*
 * Append one row and chain it; for the dispatcher, tasks and planetctl.
 * In a transaction, as the last thing before its commit.
 */
enum err audit_append(struct db *, const struct audit_row *);

/*
 * The rows of this request, which ended with `e` and is to be committed;
 * the dispatcher's own call.  A request without a route is a task: rq->task
 * names it, and there is a row only when thing or subject was said.
 */
enum err audit_request(struct req *, enum err e);

/* A row as it lies in the database. */
struct audit_link {
	int64_t		 community_id, seq, at, user_id;
	const char	*actor;
	int64_t		 for_id;	/* VIEW_NULL_INT for NULL, as below */
	const char	*action, *thing;
	int64_t		 thing_id, subject_id;
	const char	*reason, *address, *request_id;
	const char	*prev, *hash;
};
extern const struct view audit_link_view;

/* The hash that belongs to a row, from all its columns but `hash`. */
void audit_hash(const struct audit_link *, char out[CRYPT_HEX_MAX]);

void audit_register(void);

#endif
