/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_rig.h -- what the tests of planetctl's commands share: a migrated
 * database, a configuration, and what a command printed.
 */
#ifndef UNIT_CTL_RIG_H
#define UNIT_CTL_RIG_H

#include <stdint.h>

#include "ctl.h"

/* Ends the words of a command. */
#define RIG_RUN(fn, ...) \
	ctl_rig_run((fn), (const char *const []){ __VA_ARGS__, NULL })

extern struct ctl	 ctl_rig;
extern const char	*ctl_rig_dir;	/* a folder of this test's own */
extern const char	*ctl_rig_redis;	/* unix:PATH, or NULL for none */
extern char		 ctl_rig_out[65536]; /* of the last command */
extern char		 ctl_rig_err[65536];

/* Once: register all statements, make the folder, keys and secret. */
void ctl_rig_start(void);

/* Remove the folder. */
void ctl_rig_stop(void);

/*
 * An empty database at the schema: of the folder when `url` is NULL, else
 * that one, emptied.  `more` are lines of the [server] section.
 */
void ctl_rig_open(const char *url, const char *more);
void ctl_rig_close(void);

/*
 * A test's main: `cases` for SQLite (NULL), then for PostgreSQL where it
 * can be had; how many failed.
 */
int ctl_rig_both(int (*cases)(const char *url));

/* Run a command; its exit code. */
int ctl_rig_run(int (*fn)(struct ctl *, int, char **),
    const char *const *words);

/* The one number, or text, of a query. */
int64_t ctl_rig_number(const char *sql);
const char *ctl_rig_text(const char *sql);

/* Write a file of the folder; its path, in the arena. */
const char *ctl_rig_file(const char *name, const char *text);

#endif
