/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h -- what the three programs do first, and in the same order.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>

struct conf;

/*
 * Read the configuration, name the log, take a node number, load the keys
 * and check all tables.  NULL after writing why not.  Without `full` only
 * the configuration and the log (for commands that need nothing else).
 */
struct conf *program_start(const char *name, const char *conf_path,
    bool full);

#endif
