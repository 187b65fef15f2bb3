/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h -- what planet-jobs does by the clock, beside flows and outbox.
 *
 * A task is a row; several runners agree through task_run who does it.  A
 * runner that dies gives it up after LEASE; so a task must be harmless
 * when it is done again from its beginning.
 */
#ifndef FLOW_TASK_H
#define FLOW_TASK_H

#include <stdint.h>

#include "base/err.h"

struct req;

struct task {
	const char	*name;		/* NULL ends the table */
	int64_t		 every_ms;	/* 0: every look for work */
	int64_t		 at_minute;	/* of the day, for daily ones; else -1 */
	/*
	 * rq has arena, db, redis, conf and now, and no caller; it opens
	 * its own transactions by req_transact.
	 */
	enum err (*run)(struct req *rq);
};

/* Before the runner starts. */
void task_register(const struct task *table);

/* Run what is due.  OK also when others have it. */
enum err task_run_due(struct req *);

/* Run `name` now, for planetctl and tests; ERR_ABSENT for none. */
enum err task_run_named(struct req *, const char *name);

void task_register_own(void);

#endif
