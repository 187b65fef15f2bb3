/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c -- what time it is, and how it is written.
 *
 * Days are turned into dates by counting from 1 March of the year 0, so
 * that the leap day is the last of its year; 400 years are 146,097 days.
 * All arithmetic is in whole numbers and knows no time zone but +08:00.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define CHINA		(8 * CLOCK_HOUR)
#define DAYS_TO_1970	719468LL	/* from 0000-03-01 */
#define DAYS_400	146097LL
#define YEAR_LAST	253402271999999LL /* end of 9999 in China */
#define YEAR_FIRST	(-62167248000000LL) /* start of 0000 in China */

static const _Atomic int64_t *_Atomic clock_offset;

/* Floor division; C's own goes towards zero. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void
civil(int64_t day, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t	 era, left, year, month;

	day += DAYS_TO_1970;
	era = floor_div(day, DAYS_400);
	left = day - era * DAYS_400;			/* 0..146096 */
	year = (left - left / 1460 + left / 36524 - left / 146096) / 365;
	left -= year * 365 + year / 4 - year / 100;	/* 0..365 */
	month = (left * 5 + 2) / 153;			/* 0 is March */
	*ret_day = (int)(left - (month * 153 + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(era * 400 + year + (month >= 10));
}

static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t	 era, left;

	year -= month <= 2;
	era = floor_div(year, 400);
	left = year - era * 400;
	month += month > 2 ? -3 : 9;
	return era * DAYS_400 + left * 365 + left / 4 - left / 100 +
	    (month * 153 + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static int
month_days(int year, int month)
{
	static const char	 days[] = { 31, 28, 31, 30, 31, 30,
	    31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 &&
	    (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

int64_t
clock_now(void)
{
	const _Atomic int64_t	*offset;
	struct timespec		 ts;
	int64_t			 ms;

	clock_gettime(CLOCK_REALTIME, &ts);
	ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	offset = atomic_load_explicit(&clock_offset, memory_order_acquire);
	if (offset != NULL)
		ms += atomic_load_explicit(offset, memory_order_relaxed);
	return ms;
}

int64_t
clock_mono_us(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

bool
clock_follow(const char *path)
{
	struct stat	 st;
	void		*map = MAP_FAILED;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	/* A read past the end of a mapped file would be a SIGBUS. */
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(int64_t))
		map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED,
		    fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	atomic_store_explicit(&clock_offset, map, memory_order_release);
	return true;
}

static char *
put2(char *p, int v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
	return p + 2;
}

/* "2026-11-22"; a thread mostly writes the same day again. */
static char *
put_date(char *p, int64_t day)
{
	static _Thread_local int64_t	 last = INT64_MIN;
	static _Thread_local char	 text[10];
	int				 y, m, d;

	if (day != last) {
		civil(day, &y, &m, &d);
		put2(put2(text, y / 100), y % 100);
		text[4] = text[7] = '-';
		put2(text + 5, m);
		put2(text + 8, d);
		last = day;
	}
	memcpy(p, text, sizeof(text));
	return p + sizeof(text);
}

int
clock_text(int64_t ms, char out[CLOCK_TEXT_MAX])
{
	char	*p;
	int64_t	 day;
	int	 left;

	if (ms < YEAR_FIRST)
		ms = YEAR_FIRST;
	if (ms > YEAR_LAST)
		ms = YEAR_LAST;
	ms += CHINA;
	day = floor_div(ms, CLOCK_DAY);
	left = (int)(ms - day * CLOCK_DAY);
	p = put_date(out, day);
	*p++ = 'T';
	p = put2(p, left / (int)CLOCK_HOUR);
	*p++ = ':';
	p = put2(p, left / (int)CLOCK_MINUTE % 60);
	*p++ = ':';
	p = put2(p, left / 1000 % 60);
	left %= 1000;
	if (left != 0) {
		*p++ = '.';
		*p++ = (char)('0' + left / 100);
		p = put2(p, left % 100);
	}
	memcpy(p, "+08:00", 7);
	return (int)(p + 6 - out);
}

/* `n` digits at *s as a number, or -1; *s moves past them. */
static int
digits(const char **s, int n)
{
	int	 v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static bool
skip(const char **s, const char *any)
{
	if (**s == '\0' || strchr(any, **s) == NULL)
		return false;
	(*s)++;
	return true;
}

/* ".5" as 500; digits after the third are cut. */
static bool
parse_fraction(const char **s, int *ret_ms)
{
	int	 ms = 0, n;

	if (!skip(s, "."))
		return true;
	for (n = 0; **s >= '0' && **s <= '9'; n++, (*s)++)
		if (n < 3)
			ms = ms * 10 + (**s - '0');
	if (n == 0)
		return false;
	for (; n < 3; n++)
		ms *= 10;
	*ret_ms = ms;
	return true;
}

/* "Z" or "+08:00" at the end, in minutes east. */
static bool
parse_offset(const char *s, int *ret)
{
	int	 h, m, sign = *s == '-' ? -1 : 1;

	if (skip(&s, "Zz")) {
		*ret = 0;
		return *s == '\0';
	}
	if (!skip(&s, "+-") || (h = digits(&s, 2)) < 0 || h > 23 ||
	    !skip(&s, ":") || (m = digits(&s, 2)) < 0 || m > 59)
		return false;
	*ret = sign * (h * 60 + m);
	return *s == '\0';
}

bool
clock_parse(const char *s, int64_t *ret_ms)
{
	int64_t	 ms;
	int	 year, month, day, h, m, sec, frac = 0, east;

	if ((year = digits(&s, 4)) < 0 || !skip(&s, "-") ||
	    (month = digits(&s, 2)) < 1 || month > 12 || !skip(&s, "-") ||
	    (day = digits(&s, 2)) < 1 || day > month_days(year, month))
		return false;
	if (!skip(&s, "Tt") || (h = digits(&s, 2)) < 0 || h > 23 ||
	    !skip(&s, ":") || (m = digits(&s, 2)) < 0 || m > 59 ||
	    !skip(&s, ":") || (sec = digits(&s, 2)) < 0 || sec > 60 ||
	    !parse_fraction(&s, &frac) || !parse_offset(s, &east))
		return false;
	ms = days_from_civil(year, month, day) * CLOCK_DAY + h * CLOCK_HOUR +
	    m * CLOCK_MINUTE + sec * CLOCK_SECOND + frac -
	    east * CLOCK_MINUTE;
	/* A leap second ends a day in UTC; we count it as the next one. */
	if (sec == 60 && floor_div(ms, CLOCK_DAY) * CLOCK_DAY + frac != ms)
		return false;
	if (ms < -CHINA || ms > YEAR_LAST)
		return false;
	*ret_ms = ms;
	return true;
}

struct clock_local
clock_local(int64_t ms)
{
	struct clock_local	 l;
	int64_t			 day = floor_div(ms + CHINA, CLOCK_DAY);

	civil(day, &l.year, &l.month, &l.day);
	/* Day 0 was a Thursday. */
	l.weekday = (int)(day + 3 - floor_div(day + 3, 7) * 7) + 1;
	l.minute = (int)((ms + CHINA - day * CLOCK_DAY) / CLOCK_MINUTE);
	return l;
}

int64_t
clock_day(int64_t ms)
{
	return floor_div(ms + CHINA, CLOCK_DAY) * CLOCK_DAY - CHINA;
}
