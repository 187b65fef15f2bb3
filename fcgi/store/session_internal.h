/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_internal.h -- between session.c and session_list.c.
 */
#ifndef STORE_SESSION_INTERNAL_H
#define STORE_SESSION_INTERNAL_H

#include "store/redis_internal.h"
#include "store/session_cache.h"

#define KEY_MAX		96
#define VALUE_MAX	184
#define NUMBER_MAX	24
#define FROM_MAX	(NUMBER_MAX + 2 * SESSION_FROM_MAX + 3)

/* Read a value; it must be what would have been written. */
bool session_value_read(const char *text, struct session *ret);

/* What stands for a token in Redis; false when it is none. */
bool session_hash(const char *token, char ret[CRYPT_HEX_MAX]);

/* End the one that stands under `hash`; ERR_ABSENT. */
enum err session_end_hash(struct redis *, const char *hash);

#endif
