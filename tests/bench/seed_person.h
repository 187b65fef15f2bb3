/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed_person.h -- persons of the benchmark, and whom one of them can be
 * found by.
 */
#ifndef BENCH_SEED_PERSON_H
#define BENCH_SEED_PERSON_H

#include <stdint.h>

struct arena;
struct conf;
struct db;

#define SEED_CLERKS	200	/* who ask for lists */

/* The phone of person `i`, 11 digits, each its own. */
const char *seed_phone(struct arena *, int i);

/* The statements; before the database is opened. */
void seed_persons_register(void);

/*
 * A community of `n` persons in households of three, and SEED_CLERKS
 * clerks; a line of the file `tokens` for each clerk: token, blank, and the
 * query of a page that begins somewhere.  Ends the program on a failure.
 */
void seed_persons(const struct conf *, struct db *, int n,
    const char *tokens);

#endif
