/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_notes.h -- a small service for tests of the dispatcher.
 *
 * Paths under /t: open sessions local me admin notes all others again own
 * left fail keep torn silent huge fat; the handlers stand in http_notes.c.
 */
#ifndef HTTP_NOTES_H
#define HTTP_NOTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http_rig.h"

extern const char	*notes_url;	/* database; NULL: SQLite's file */
extern struct rig	 notes_rig;
extern struct req	*notes_rq;	/* the last request */
extern const char	*notes_token;	/* who posts */

extern _Atomic int	 notes_runs;	/* of handlers */
extern int		 notes_agains;	/* times "again" still says so */
extern int64_t		 notes_again_ms; /* each of them takes so long */

/* Set up, and tear down, as cmocka wants them. */
int notes_start(void **state);
int notes_stop(void **state);

/* Be a resident from now on. */
void notes_resident(int64_t user, int64_t community);

/* Rows of notes and of kept keys. */
int64_t notes_count(void);
int64_t notes_keys(void);

/* Dispatch; the status.  A problem is checked to be a whole one. */
int notes_send(void);
int notes_get(const char *path, const char *token);
int notes_post(const char *path, const char *body, const char *key);

/* Whether body or head contain it. */
bool notes_says(const char *);
bool notes_heads(const char *);

#endif
