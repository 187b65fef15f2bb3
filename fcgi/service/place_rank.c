/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place_rank.c -- where a name stands among its siblings.
 *
 * One number from the name alone, so that a place that is added later
 * leaves the others where they are: 3栋 before 10栋, 二单元 before 十单元,
 * A2 before B1, and 12A after 12.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "service/place_tree.h"

#define NUMBER_NONE	1000000000LL	/* after every number */
#define LETTER_STEP	28
#define NUMBER_STEP	((NUMBER_NONE + 1) * LETTER_STEP)

/* 1..26 for an ASCII letter, else 0. */
static int
letter(char c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 1 : 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of the numeral at `s`, 1..10, all of three bytes; or 0. */
static int
numeral(const char *s)
{
	static const char *const numerals[] = { "一", "二", "三", "四",
	    "五", "六", "七", "八", "九", "十" };
	int	i;

	for (i = 0; i < 10; i++)
		if (strncmp(s, numerals[i], 3) == 0)
			return i + 1;
	return 0;
}

/* 一 .. 九十九 at *s, which moves past it; 0 when there is none. */
static int64_t
chinese(const char **s)
{
	int	v = numeral(*s), unit;

	if (v == 0)
		return 0;
	*s += 3;
	if (v < 10 && numeral(*s) == 10) {
		v *= 10;
		*s += 3;
	} else if (v < 10)
		return v;
	if ((unit = numeral(*s)) > 0 && unit < 10) {
		v += unit;
		*s += 3;
	}
	return v;
}

/* Digits at *s, which moves past them; kept below NUMBER_NONE. */
static int64_t
digits(const char **s)
{
	int64_t	v = 0;

	for (; is_digit(**s); (*s)++)
		if ((v = v * 10 + (**s - '0')) >= NUMBER_NONE)
			v = NUMBER_NONE - 1;
	return v;
}

/* The first number in *s, which moves past it; false when there is none. */
static bool
first_number(const char **s, int64_t *ret)
{
	for (; **s != '\0'; (*s)++) {
		if (is_digit(**s)) {
			*ret = digits(s);
			return true;
		}
		if ((*ret = chinese(s)) > 0)
			return true;
	}
	return false;
}

int64_t
place_rank(const char *name)
{
	const char	*s = name;
	int64_t		 lead = 0, number, tail = 0;

	if (letter(*s) > 0) {
		lead = 27 * letter(*s++);
		if (letter(*s) > 0)
			lead += letter(*s++);
	}
	if (first_number(&s, &number))
		tail = letter(*s);
	else
		number = NUMBER_NONE;
	return lead * NUMBER_STEP + number * LETTER_STEP + tail;
}
