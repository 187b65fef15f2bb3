/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi_client.h -- the web server's side of FastCGI, as much as a test of
 * a responder needs.
 */
#ifndef FCGI_CLIENT_H
#define FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Connect to a Unix socket; -1 when nobody listens. */
int fcgi_connect(const char *path);

/* BEGIN_REQUEST and all parameters, "NAME=value", NULL-ended. */
bool fcgi_begin(int fd, bool keep, const char *const *params);

/* A part of the body; `n` 0 ends it. */
bool fcgi_stdin(int fd, const char *data, size_t n);

/*
 * Read one reply into `out`, NUL-terminated; its length, or -1 when the
 * connection ended before END_REQUEST or `ms` went by.
 */
long fcgi_reply(int fd, char *out, size_t size, int ms);

/* Whether the peer ends the connection within `ms`. */
bool fcgi_ended(int fd, int ms);

#endif
