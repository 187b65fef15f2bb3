/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c -- what this layer itself brings: its statements and routes.
 */
#include "http/acting.h"
#include "http/audit.h"
#include "http/audit_verify.h"
#include "http/health.h"
#include "http/http.h"
#include "http/idempotency.h"
#include "http/route.h"

void
http_register(void)
{
	acting_register();
	audit_register();
	audit_verify_register();
	audit_anchor_register();
	idempotency_register();
	route_register("health", health_routes);
}
