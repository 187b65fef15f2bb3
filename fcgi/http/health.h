/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h -- alive, ready, and what was counted.
 */
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include "http/route.h"

/* The one that looks at the database. */
#define HEALTH_READY	"/readyz"

/* /healthz for anyone, /readyz and /metrics for this machine. */
extern const struct route health_routes[];

#endif
