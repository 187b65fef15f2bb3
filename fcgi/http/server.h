/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h -- FastCGI on a listening socket, a number of threads, one
 * dispatcher: match, authorise, decode, run, commit, reply, log.
 *
 * Authorisation is here and nowhere else.  SIGTERM and SIGINT: finish what
 * runs, serve what still comes on kept connections until nginx closes them
 * or drain_ms has passed, take no new connection, then return.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/err.h"

struct conf;
struct req;

/*
 * Serve listening socket `fd` with `threads` threads until told to stop.
 * Statements and routes must be registered and ready.  0, or 1 when it
 * could not start (logged).
 */
int server_run(const struct conf *, int fd, int threads, const char *pool);

/*
 * The dispatcher itself, without FastCGI: `rq` holds what came and what
 * the thread lends.  Fills rq->out, rq->status, rq->content.  For tests
 * and fuzzers.
 */
void server_dispatch(struct req *rq);

#endif
