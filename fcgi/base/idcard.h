/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idcard.h -- citizen identity numbers, GB 11643-1999.
 *
 * Eighteen characters: area 6, day of birth 8, serial 3 (odd for men), check
 * 1.  Every reason of a refusal has a stable code and a Chinese sentence
 * that says what to do.  An area that is in no list is no reason: lists
 * age, numbers do not.
 */
#ifndef BASE_IDCARD_H
#define BASE_IDCARD_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum idcard_fault {
	IDCARD_GOOD,
	IDCARD_OLD,		/* 15 digits, of before 2000 */
	IDCARD_LENGTH,
	IDCARD_DIGITS,
	IDCARD_CHECK,
	IDCARD_DATE,		/* no such day */
	IDCARD_FUTURE,
	IDCARD_AGE,		/* older than anybody */
	IDCARD_SERIAL		/* 000 */
};

struct idcard {
	char	 number[19];	/* tidied: digits, X upper-case */
	int64_t	 born;		/* yyyymmdd */
	bool	 female;
	bool	 permit;	/* of Hong Kong, Macao or Taiwan: 81 82 83 */
	bool	 area_known;	/* false is a warning only */
};

/*
 * Read a number as people type it: full-width characters, blanks around it
 * and a small x are fine.  `today` is yyyymmdd in China.  On a fault the
 * rest of `ret` means nothing.
 */
enum idcard_fault idcard_read(const char *s, int64_t today,
    struct idcard *ret);

/* The stable code of a fault, and what to say about it. */
const char *idcard_code(enum idcard_fault);
const char *idcard_detail(enum idcard_fault);

/* Whether yyyymmdd is a day that was or will be, from 1800 to 2199. */
bool idcard_day(int64_t day);

/* Full years from `born` to `today`, both yyyymmdd. */
int64_t idcard_age(int64_t born, int64_t today);

#endif
