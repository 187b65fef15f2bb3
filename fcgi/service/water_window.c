/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water_window.c -- delivery windows: the same of each day, written
 * "09:00-12:00,14:00-18:00", used as moments of the next days.
 */
#include <string.h>

#include "base/clock.h"
#include "service/water.h"

/* Two digits below `limit`, or -1. */
static int
two_digits(const char *s, int limit)
{
	int	v;

	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -1;
	v = (s[0] - '0') * 10 + s[1] - '0';
	return v <= limit ? v : -1;
}

/* "HH:MM" as a minute of the day, 24:00 included; -1 when it is not. */
static int
minute_of(const char *s)
{
	int	h, m;

	if ((h = two_digits(s, 24)) < 0 || s[2] != ':' ||
	    (m = two_digits(s + 3, 59)) < 0 || h * 60 + m > 1440)
		return -1;
	return h * 60 + m;
}

bool
water_window_parse(const char *text, int64_t opens, int64_t closes,
    struct water_hours *ret)
{
	const char	*s = text;
	int		 from, to, last = (int)opens;

	ret->n = 0;
	for (;;) {
		if (strlen(s) < 11 || ret->n == WATER_WINDOWS)
			return false;
		from = minute_of(s);
		to = minute_of(s + 6);
		if (from < last || s[5] != '-' || to <= from || to > closes)
			return false;
		ret->at[ret->n].from = from;
		ret->at[ret->n++].to = to;
		last = to;
		s += 11;
		if (*s == '\0')
			return true;
		if (*s++ != ',')
			return false;
	}
}

bool
water_window_next(const struct water_hours *h, int64_t now, int i,
    struct water_window *ret)
{
	int64_t	day = clock_day(now);
	int	d, w;

	for (d = 0; d < WATER_DAYS; d++)
		for (w = 0; w < h->n; w++) {
			ret->from = day + d * CLOCK_DAY +
			    h->at[w].from * CLOCK_MINUTE;
			ret->to = day + d * CLOCK_DAY +
			    h->at[w].to * CLOCK_MINUTE;
			if (ret->to - now >= WATER_LEAD && i-- == 0)
				return true;
		}
	return false;
}

bool
water_window_open(const struct water_hours *h, int64_t now,
    struct water_window want)
{
	struct water_window	w;
	int			i;

	for (i = 0; water_window_next(h, now, i, &w); i++)
		if (w.from == want.from && w.to == want.to)
			return true;
	return false;
}

int64_t
water_window_deadline(int64_t now, int64_t opens, int64_t closes,
    int64_t minutes)
{
	int64_t	day = clock_day(now), at = now, left = minutes;
	int64_t	minute, open_left;

	for (;;) {
		minute = (at - day) / CLOCK_MINUTE;
		if (minute < opens) {
			at = day + opens * CLOCK_MINUTE;
			minute = opens;
		}
		open_left = closes - minute;
		if (open_left > 0 && left <= open_left)
			return at + left * CLOCK_MINUTE;
		if (open_left > 0)
			left -= open_left;
		day += CLOCK_DAY;
		at = day;
	}
}
