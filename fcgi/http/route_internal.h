/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_internal.h -- what route.c and route_check.c share.
 */
#ifndef HTTP_ROUTE_INTERNAL_H
#define HTTP_ROUTE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#define ROUTE_SEGMENTS 12	/* of a path, at most */

/* A path between its slashes; "/" has none. */
struct route_segments {
	int		 n;
	const char	*at[ROUTE_SEGMENTS];
	size_t		 len[ROUTE_SEGMENTS];
};

/* False for what does not start with / or has an empty segment. */
bool route_split(const char *path, struct route_segments *ret);

/* Check row `i` alone and against those before it; logs each fault. */
bool route_check(int i);

#endif
