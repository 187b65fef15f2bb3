/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h -- messages that wait to go out, and the permissions to send.
 *
 * A row is written in the transaction of what it tells.  A runner claims
 * rows for a while, takes one permission for each in the same
 * transaction, sends outside it, and records the end.  A runner that dies
 * leaves claims that lapse: the row is sent by another, so a message may
 * come twice after a crash, but none is lost.
 */
#ifndef FLOW_OUTBOX_H
#define FLOW_OUTBOX_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"

struct arena;
struct db;
struct req;

#define OUTBOX_CLAIM	16		/* rows a claim takes at most */
#define OUTBOX_LIFE	(24 * 3600 * 1000LL) /* older is stale news */

struct outbox_row {
	int64_t		 community_id;
	int64_t		 id;
	int64_t		 user_id;
	const char	*openid;
	const char	*template;
	const char	*page;
	const char	*data;
	int64_t		 permit;	/* 1: a permission was taken */
	int64_t		 tries;
	int64_t		 created_at;
};

enum outbox_end { OUTBOX_SENT, OUTBOX_REFUSED, OUTBOX_NO_PERMISSION,
	OUTBOX_FAILED, OUTBOX_LATER, OUTBOX_RELEASED };

/* The end in a word, for the log. */
const char *outbox_end_name(enum outbox_end);

/* Register the statements. */
void outbox_register(void);

/*
 * Queue one message in the open transaction; a person without WeChat
 * (a staff account) gets none.
 */
enum err outbox_put(struct req *, int64_t user_id, const char *template,
    const char *page, const char *data);

/*
 * Claim up to OUTBOX_CLAIM due rows for `hold_ms`, at most one a person,
 * taking permissions.  Rows whose person has given none end at once as
 * no_permission and are not returned.  Opens its own transaction.
 */
enum err outbox_claim(struct db *, struct arena *, int64_t now,
    int64_t hold_ms, int64_t ret_claim[1], struct outbox_row *ret, int *ret_n);

/*
 * Record how it ended.  LATER queues it again with a growing pause, until
 * its life is over; RELEASED puts it back as if it had not been claimed.
 * FAILED gives the permission back, REFUSED sets the person's count to
 * zero.  Nothing happens when the claim lapsed and another has it.
 */
enum err outbox_finish(struct db *, const struct outbox_row *, int64_t claim,
    enum outbox_end, int code, int64_t now);

/* Add one permission for each accept the client saw. */
enum err outbox_permit(struct req *, int64_t user_id, const char *template);

#endif
