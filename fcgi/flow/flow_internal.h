/* SPDX-License-Identifier: Apache-2.0 */
/* flow_internal.h -- what the files of the flow engine share. */
#ifndef FLOW_INTERNAL_H
#define FLOW_INTERNAL_H

#include "flow/flow.h"

/* The state called `name`; NULL when the flow has none. */
const struct flow_state *flow_state(const struct flow *, const char *name);

/* The move from `from` (NULL: the beginning) by `event`; NULL if none. */
const struct flow_move *flow_find(const struct flow *, const char *from,
    const char *event);

/* The flow called `name`, registered before. */
const struct flow *flow_named(const char *name);

/* Register the statements of flow.c and flow_tell.c. */
void flow_register_own(void);
void flow_tell_register(void);

/* One flow's part of flow_ready. */
bool flow_check(const struct flow *);

/* Queue the messages of a step that was made. */
enum err flow_tell(struct req *, const struct flow_step *);

#endif
