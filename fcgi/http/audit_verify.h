/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_verify.h -- whether the chains are whole.
 *
 * A row changed by hand no longer has its hash; one taken away leaves a
 * gap, or a head that says more rows than there are; who mends the hashes
 * and the head as well is found by what was written outside the database,
 * the anchors.
 */
#ifndef HTTP_AUDIT_VERIFY_H
#define HTTP_AUDIT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct db;
struct req;

/* A line of the anchors: DAY COMMUNITY SEQ HASH. */
struct audit_anchor {
	char		 day[11];	/* 2026-11-22, which it closes */
	int64_t		 community_id, seq;
	char		 hash[65];
};

typedef void audit_tell(void *arg, int64_t community_id, int64_t seq,
    const char *what);

void audit_verify_register(void);
void audit_anchor_register(void);

/* Ids of all chains into the arena. */
enum err audit_chains(struct db *, struct arena *, int64_t **ret_ids,
    int *ret_n);

/*
 * Go through one chain and tell of each fault; faults through ret_faults,
 * rows through ret_rows.  Requests may go on meanwhile.
 */
enum err audit_verify(struct db *, int64_t community_id, audit_tell *,
    void *arg, int64_t *ret_rows, int64_t *ret_faults);

/* The same for one anchor: the row is there and has that hash. */
enum err audit_verify_anchor(struct db *, const struct audit_anchor *,
    audit_tell *, void *arg, int64_t *ret_faults);

/* Read one line, without its end; false when it is none. */
bool audit_anchor_read(const char *line, struct audit_anchor *);

/*
 * The task: append what every chain ended with to conf's anchors_file,
 * for the day before rq->now, once a day and chain.
 */
enum err audit_anchor_write(struct req *);

#endif
