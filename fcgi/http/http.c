/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c -- what this layer itself brings: its statements and routes.
 */
#include "http/health.h"
#include "http/http.h"
#include "http/idempotency.h"
#include "http/route.h"

void
http_register(void)
{
	idempotency_register();
	route_register("health", health_routes);
}
