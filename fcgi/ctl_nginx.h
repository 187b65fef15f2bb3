/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_nginx.h -- nginx's configuration, printed from the route table.
 */
#ifndef CTL_NGINX_H
#define CTL_NGINX_H

#include <stdint.h>
#include <stdio.h>

struct conf;

/*
 * Print a part of nginx's configuration; the routes must be ready.
 *
 *   NULL, all	a whole nginx.conf, as scripts/run uses it
 *   http	what belongs into http {}: pools, limits, request map
 *   server	what belongs into server {}: locations and error pages
 *
 * 0, or 1 after saying on standard error why not.
 */
int ctl_nginx(const struct conf *, const char *part, FILE *);

/*
 * How many idle connections each of nginx's workers keeps to a pool of so
 * many threads; 0 when the pool's worker does not wait for them at its end.
 */
int64_t ctl_nginx_keep(const struct conf *, int64_t threads);

#endif
