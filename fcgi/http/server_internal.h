/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_internal.h -- what server.c and its threads share.
 */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct conf;

/* All that the threads of one process have in common. */
struct server {
	const struct conf	*conf;
	int			 fd;		/* listening, non-blocking */
	int			 stop_fd;	/* eventfd, readable at stop */
	_Atomic int64_t		 stop_us;	/* clock_mono_us; 0: serve */
};

/* One thread; `arg` is the struct server. */
void *server_thread(void *arg);

#endif
