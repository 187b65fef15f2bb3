/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idempotency.h -- the same key gets the first reply.
 *
 * A key belongs to one user in one community.  Its row is written in the
 * transaction of the request it names, so reply and effect are kept or
 * lost together.
 */
#ifndef HTTP_IDEMPOTENCY_H
#define HTTP_IDEMPOTENCY_H

#include <stdbool.h>

#include "base/err.h"

struct req;

/* Add the statements. */
void idempotency_register(void);

/* Whether this request asks for it. */
bool idempotency_wanted(const struct req *);

/* OK, or ERR_FIELD (noted) when the key cannot be one. */
enum err idempotency_check(struct req *);

/*
 * In the transaction, before the handler.  OK: run it, or, when
 * rq->replayed, say the kept reply that is in rq already.
 * ERR_KEY_REUSED when the key named something else.
 */
enum err idempotency_begin(struct req *);

/*
 * In the transaction, after the handler ended with `e`: keep the reply of
 * a success, forget the key of a failure that is committed, and of a
 * reply that must be earned each time (rq->once).
 */
enum err idempotency_end(struct req *, enum err e);

#endif
