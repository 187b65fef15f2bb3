/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll_call.h -- between the files of the roll call.
 *
 * roll_call.c         what one looks like; starting, lists and progress
 * roll_call_answer.c  homes and their answers
 * roll_call_flow.c    the flow, and who is told
 */
#ifndef SERVICE_ROLL_CALL_H
#define SERVICE_ROLL_CALL_H

#include <stdint.h>

#include "base/err.h"

struct flow;
struct req;

#define ROLL_CHOICES	6	/* at most, of one question */
#define ROLL_STAFF	(ROLE_HEAD | ROLE_GRID | ROLE_CLERK | ROLE_ADMIN)

extern const struct flow roll_call_flow;
extern const char *const roll_call_states[];	/* NULL-ended, as below */
extern const char *const roll_call_events[];

/* Tell everybody who has a home that is asked.  In a transaction. */
enum err roll_call_tell_homes(struct req *, int64_t id, const char *question);

void roll_call_answer_register(void);
void roll_call_flow_register(void);

#endif
