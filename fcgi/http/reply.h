/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.h -- what goes back: head, and the body when something failed.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>

#include "base/err.h"

struct buf;
struct req;

#define REPLY_JSON	"application/json"
#define REPLY_PROBLEM	"application/problem+json"
#define REPLY_PLAIN	"text/plain; charset=utf-8"
#define REPLY_HTML	"text/html; charset=utf-8"

/* Before the code: the `type` of a problem, a name and not an address. */
#define REPLY_TYPE_BASE "https://01planet.cn/problems/"

/*
 * Whether what a handler said is what its route promises: one whole JSON
 * value or nothing, within the limits of arena and buffer.
 */
bool reply_sound(const struct req *);

/* Make status, content type and, for a success, the rest of `rq` final. */
void reply_success(struct req *);

/* Replace what was said by problem+json about rq->err (or `e`). */
void reply_problem(struct req *, enum err e);

/* The CGI head (Status: ... to the blank line) into `head`. */
void reply_head(const struct req *, struct buf *head);

#endif
