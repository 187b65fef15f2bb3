/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.h -- what this process counted since it started.
 */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include <stdint.h>

struct buf;
struct route;

/* When the process began to serve, and with how many threads. */
void metrics_start(int threads);

/* One request ended; a NULL route (index -1) is one nobody knows. */
void metrics_request(int index, const struct route *, int status,
    int64_t us);

/* A transaction was run again. */
void metrics_replay(void);

/* One thread more (+1) or less (-1) is at work. */
void metrics_busy(int by);

/* All of it as Prometheus text. */
void metrics_print(struct buf *);

#endif
