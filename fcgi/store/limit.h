/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit.h -- so many requests a minute, counted in Redis.
 *
 * Large limits are leased in blocks (a sixteenth of the limit), so that a
 * busy reader costs one round trip in many; small ones (up to 60) are
 * counted one by one and exactly.
 */
#ifndef STORE_LIMIT_H
#define STORE_LIMIT_H

#include <stdint.h>

#include "base/err.h"

struct redis;

/*
 * Count one request of `who` in class `what`, at most `per_minute`; 0 is
 * no limit.  ERR_LIMITED with the seconds to wait in *ret_wait, ERR_AWAY
 * when Redis does not answer (the caller decides whether that is a no).
 */
enum err limit_take(struct redis *, const char *what, const char *who,
    int64_t per_minute, int64_t now, int *ret_wait);

#endif
