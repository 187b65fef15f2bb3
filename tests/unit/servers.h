/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers.h -- a Redis and a PostgreSQL of the test's own.
 *
 * Each lives in a new folder, listens on a Unix socket there and nowhere
 * else, and ends with the program that started it, however that ends.
 */
#ifndef UNIT_SERVERS_H
#define UNIT_SERVERS_H

#include <sys/types.h>

#include <stdbool.h>

#define SERVERS_SKIP	77	/* exit status of a test that cannot run */

struct server {
	char	dir[64];
	char	program[128];
	char	where[256];	/* for redis_new, or for db_open */
	pid_t	pid;		/* 0 while it is down */
	bool	redis;
};

/* False when the programs are not installed.  Ready when it returns. */
bool servers_redis(struct server *);
bool servers_pgsql(struct server *);

/* kill -9 and wait for its end; the folder stays. */
void servers_kill(struct server *);

/* Start it again where it was; ready when it returns. */
void servers_again(struct server *);

/* End it and remove the folder. */
void servers_stop(struct server *);

/* Remove a folder and all in it. */
void servers_remove(const char *dir);

#endif
