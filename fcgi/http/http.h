/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h -- what this layer itself brings: its statements and routes.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

/* Register both.  Before route_ready and the first db_open. */
void http_register(void);

#endif
