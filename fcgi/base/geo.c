/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.c -- points in GCJ-02, kept as millionths of a degree.
 *
 * The shift from WGS-84 is the published open formula: within 2 m of what
 * maps draw, which is as good as a phone knows where it is.
 */
#include <math.h>
#include <stddef.h>

#include "base/geo.h"

#define EARTH_R		6371008.8	/* m, mean radius */
#define GCJ_A		6378245.0	/* m, Krasovsky's ellipsoid */
#define GCJ_E2		0.00669342162296594323
#define RADIAN		(M_PI / 180.0)
#define MICRO		1e6

double
geo_metres(struct geo a, struct geo b)
{
	double	 lat1 = (double)a.lat / MICRO * RADIAN;
	double	 lat2 = (double)b.lat / MICRO * RADIAN;
	double	 lng = (double)(b.lng - a.lng) / MICRO * RADIAN;
	double	 h, u = sin((lat2 - lat1) / 2), v = sin(lng / 2);

	h = u * u + cos(lat1) * cos(lat2) * v * v;
	return 2 * EARTH_R * asin(sqrt(h < 1 ? h : 1));
}

bool
geo_in_china(struct geo g)
{
	return g.lng >= 72004000 && g.lng <= 137834700 &&
	    g.lat >= 829300 && g.lat <= 55827100;
}

/* The two waves that both directions share. */
static double
ripple(double x)
{
	return (20 * sin(6 * M_PI * x) + 20 * sin(2 * M_PI * x)) * 2 / 3;
}

static double
swell(double v)
{
	return (20 * sin(M_PI * v) + 40 * sin(M_PI * v / 3)) * 2 / 3;
}

static double
shift_lat(double x, double y)
{
	return -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y +
	    0.2 * sqrt(fabs(x)) + ripple(x) + swell(y) +
	    (160 * sin(M_PI * y / 12) + 320 * sin(M_PI * y / 30)) * 2 / 3;
}

static double
shift_lng(double x, double y)
{
	return 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y +
	    0.1 * sqrt(fabs(x)) + ripple(x) + swell(x) +
	    (150 * sin(M_PI * x / 12) + 300 * sin(M_PI * x / 30)) * 2 / 3;
}

struct geo
geo_from_wgs84(struct geo g)
{
	double	 lat = (double)g.lat / MICRO, lng = (double)g.lng / MICRO;
	double	 m, root, north, east;

	if (!geo_in_china(g))
		return g;
	m = sin(lat * RADIAN);
	m = 1 - GCJ_E2 * m * m;
	root = sqrt(m);
	north = shift_lat(lng - 105, lat - 35) * 180 /
	    (GCJ_A * (1 - GCJ_E2) / (m * root) * M_PI);
	east = shift_lng(lng - 105, lat - 35) * 180 /
	    (GCJ_A / root * cos(lat * RADIAN) * M_PI);
	g.lat = llround((lat + north) * MICRO);
	g.lng = llround((lng + east) * MICRO);
	return g;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
geo_parse(const char *s, int64_t *ret)
{
	bool	 minus = *s == '-', beyond = false;
	int64_t	 v = 0;
	int	 n;

	s += minus;
	for (n = 0; is_digit(*s); n++, s++) {
		v = v * 10 + (*s - '0');
		if (n >= 3)
			return false;
	}
	if (n == 0)
		return false;
	if (*s == '.' && !is_digit(s[1]))
		return false;
	s += *s == '.';
	for (n = 0; is_digit(*s); n++, s++) {
		if (n < 6)
			v = v * 10 + (*s - '0');
		beyond |= *s != '0';
	}
	for (; n < 6; n++)
		v *= 10;
	if (*s != '\0' || v > 180000000 || (v == 180000000 && beyond))
		return false;
	*ret = minus ? -v : v;
	return true;
}
