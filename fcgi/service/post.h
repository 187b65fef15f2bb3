/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post.h -- posts, and the roles that they give.
 *
 * A role comes with the first post that is valid and goes with the last,
 * unless it was given otherwise.  What has changed is noted in post_sync,
 * from which a task tells the sessions, whatever happened to Redis.
 */
#ifndef SERVICE_POST_H
#define SERVICE_POST_H

#include <stdint.h>

#include "base/err.h"

struct req;

/* Give and take the roles of `user_id` as the posts say now. */
enum err post_roles(struct req *, int64_t community_id, int64_t user_id);

/* Tell the sessions of `user_id` now; the task does it again if not. */
void post_tell(struct req *, int64_t user_id);

/* Posts waiting for this number become the user's; see scope_claim. */
enum err post_claim(struct req *, int64_t user_id, const char *phone_index);

void post_role_register(void);

#endif
