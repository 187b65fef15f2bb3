/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h -- what planet-jobs does by the clock, beside flows and outbox.
 *
 * A task is a row; several runners agree through task_run who does it.  A
 * runner that dies gives it up after TASK_LEASE; so a task must be harmless
 * when it is done again from its beginning.  One that failed is tried again
 * a minute later; one that was missed runs as soon as there is a runner.
 */
#ifndef FLOW_TASK_H
#define FLOW_TASK_H

#include <stdint.h>

#include "base/err.h"

struct req;

#define TASK_LEASE	(10 * 60 * 1000LL)
#define TASK_NEVER	(-1)		/* at_minute of one that is not daily */

struct task {
	const char	*name;		/* NULL ends the table */
	/*
	 * Pause between two runs.  0: at every look for work, by every
	 * runner and without a claim; such a task makes its own.
	 */
	int64_t		 every_ms;
	/* Minute of the day in China for daily ones (every_ms 0), or -1. */
	int64_t		 at_minute;
	/*
	 * rq has arena, db, redis, conf and now, and no caller; it opens
	 * its own transactions by req_transact.  A transaction that said
	 * audit_thing or audit_subject leaves a row of the audit, in the
	 * chain that audit_as said.
	 */
	enum err (*run)(struct req *rq);
};

/* Before the runner starts. */
void task_register(const struct task *table);

/* i from 0; NULL past the end. */
const struct task *task_at(int i);

/* Run what is due.  OK also when others have it. */
enum err task_run_due(struct req *);

/*
 * Run `name` now, for planetctl and tests; ERR_ABSENT for none, ERR_BUSY
 * when a runner has it.
 */
enum err task_run_named(struct req *, const char *name);

void task_register_own(void);

#endif
