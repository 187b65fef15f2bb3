/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h -- what time it is, and how it is written.
 *
 * Inside: milliseconds since 1970 UTC.  Outside: RFC 3339 at +08:00; China
 * has one zone and no summer time (GB/T 7408, since 1992).  A test moves
 * the clock through a shared file that all its programs map.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SECOND	1000LL
#define CLOCK_MINUTE	(60 * CLOCK_SECOND)
#define CLOCK_HOUR	(60 * CLOCK_MINUTE)
#define CLOCK_DAY	(24 * CLOCK_HOUR)
#define CLOCK_TEXT_MAX	32	/* 2026-11-22T16:20:32.123+08:00 and NUL */

/* A moment as a wall clock in China shows it. */
struct clock_local {
	int	year, month, day;	/* month and day from 1 */
	int	weekday;		/* 1 Monday .. 7 Sunday */
	int	minute;			/* of the day, 0..1439 */
};

/* Milliseconds since the epoch, the test's offset included. */
int64_t clock_now(void);

/* Microseconds of a clock that never steps; for durations only. */
int64_t clock_mono_us(void);

/*
 * Add the 64-bit offset in milliseconds that the file `path` holds to
 * every clock_now, as the file says it at that moment.  False when the
 * file cannot be mapped.  Only for tests.
 */
bool clock_follow(const char *path);

/* Write `ms` as RFC 3339 with +08:00, ms shown only when not zero. */
int clock_text(int64_t ms, char out[CLOCK_TEXT_MAX]);

/* Read RFC 3339 (any offset, years 1970..9999); false when it is not. */
bool clock_parse(const char *s, int64_t *ret_ms);

/* The wall clock in China at `ms`. */
struct clock_local clock_local(int64_t ms);

/* Midnight in China of the day that `ms` lies in. */
int64_t clock_day(int64_t ms);

#endif
