/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_rig.h -- what the tests of the ledger share: keys, a configuration
 * and a migrated database of either engine, with a small world in it.
 */
#ifndef UNIT_LEDGER_RIG_H
#define UNIT_LEDGER_RIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "store/db.h"

/* The world: one community, one station, its goods and keeper. */
#define RIG_COMMUNITY	1
#define RIG_STATION	20
#define RIG_KEEPER	21
#define RIG_BIG		22	/* returnable, deposit 30.00 */
#define RIG_SMALL	23	/* returnable, deposit 20.00 */
#define RIG_OTHER	24	/* returnable, deposit 35.00 */
#define RIG_HOUSEHOLD	31	/* of the dwelling of residents 1 to 4 */
#define RIG_RESIDENTS	12	/* users from 1, addresses from 101 */
#define RIG_STOCK	1000000

extern struct conf	*rig_conf;
extern const char	*rig_url;
extern int64_t		 rig_now;	/* half past ten, tomorrow */

/* Keys, configuration, tables; once. */
void rig_start(void);
void rig_stop(void);

/* An empty database at the schema, with the world; `url` NULL: SQLite. */
void rig_open(const char *url);

/* A connection of the caller's own. */
struct db *rig_db(void);

/* The one number of a query. */
int64_t rig_number(struct db *, const char *sql);

/* Bind resident `user` to the household of their dwelling. */
void rig_bind(struct db *, int64_t user);

/* ledger_check: how many faults there are; each is printed. */
int64_t rig_faults(struct db *);

#endif
