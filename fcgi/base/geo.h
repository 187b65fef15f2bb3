/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.h -- points in GCJ-02, kept as millionths of a degree.
 */
#ifndef BASE_GEO_H
#define BASE_GEO_H

#include <stdbool.h>
#include <stdint.h>

struct geo {
	int64_t	lat;	/* 1e-6 degree */
	int64_t	lng;
};

/* Great-circle metres (haversine, R = 6,371,008.8 m; domain rules 3). */
double geo_metres(struct geo a, struct geo b);

/* WGS-84 to GCJ-02; outside China (domain rules 3) it is unchanged. */
struct geo geo_from_wgs84(struct geo);

/* Inside the box in which GCJ-02 is defined. */
bool geo_in_china(struct geo);

/*
 * Read a decimal degree such as "26.236438" to 1e-6, cut after six
 * places; false when it is none or beyond +-180.
 */
bool geo_parse(const char *s, int64_t *ret);

#endif
