/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acting.h -- one person acts for another, as far as a grant goes.
 *
 * The header Acting-For names a grant (table helper, service/helper.c).
 * From then on rq->who is the one it is done for, as a resident and no
 * more, and rq->actor_id is the caller.  Rights do not chain: a grant is
 * good only for the person it names, by that person's own session.
 */
#ifndef HTTP_ACTING_H
#define HTTP_ACTING_H

#include "base/err.h"

struct req;

/* Names of the ACT_ bits of route.h in order, NULL-ended. */
extern const char *const acting_rights[];

/*
 * Become the one that rq->acting_for lets the caller act for.  ERR_ABSENT
 * when the grant is not the caller's, ERR_FORBIDDEN with a sentence when
 * it is over or does not cover the route.  Else rq->who is unchanged.
 */
enum err acting_begin(struct req *);

/*
 * In the transaction, first of all: the grant still stands, and cannot be
 * taken back before the commit.  OK when nobody acts for another.
 */
enum err acting_hold(struct req *);

/*
 * After a read that went well: note, once a day, that the grant was used.
 * A fault is logged and changes nothing of the reply.
 */
void acting_note_read(struct req *);

void acting_register(void);

#endif
