/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idcard.c -- citizen identity numbers, GB 11643-1999.
 *
 * The order of tests is the order of the enum, so that who mistypes one
 * digit hears of the check and not of the thirteenth month it made.
 */
#include <stddef.h>
#include <string.h>

#include "base/idcard.h"
#include "base/idcard_internal.h"
#include "base/text.h"

#define LENGTH		18
#define OLD_LENGTH	15
#define AGE_MAX		130

static const struct {
	const char	*code;
	const char	*detail;
} faults[] = {
	[IDCARD_GOOD] = { "ok", "" },
	[IDCARD_OLD] = { "id_old",
	    "这是旧的 15 位号码，请填写现在身份证上的 18 位号码。" },
	[IDCARD_LENGTH] = { "id_length",
	    "身份证号码应为 18 位，请核对位数。" },
	[IDCARD_DIGITS] = { "id_digits",
	    "身份证号码前 17 位应为数字，最后一位是数字或 X，请核对。" },
	[IDCARD_CHECK] = { "id_check",
	    "身份证号码的校验位不对，可能有一位填错了，请对照证件核对。" },
	[IDCARD_DATE] = { "id_date",
	    "身份证号码中的出生日期不存在，请对照证件核对第 7 至 14 位。" },
	[IDCARD_FUTURE] = { "id_future",
	    "身份证号码中的出生日期还没有到，请对照证件核对第 7 至 14 位。" },
	[IDCARD_AGE] = { "id_age",
	    "身份证号码中的出生日期过早，请对照证件核对第 7 至 14 位。" },
	[IDCARD_SERIAL] = { "id_serial",
	    "身份证号码中的顺序码不能是 000，请对照证件核对第 15 至 17 位。" },
};

const char *
idcard_code(enum idcard_fault fault)
{
	return faults[fault].code;
}

const char *
idcard_detail(enum idcard_fault fault)
{
	return faults[fault].detail;
}

static int
number_at(const char *s, int n)
{
	int	 value = 0;

	while (n-- > 0)
		value = value * 10 + *s++ - '0';
	return value;
}

bool
idcard_day(int64_t day)
{
	static const int	 days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
				    30, 31, 30, 31 };
	int64_t			 y = day / 10000, m = day / 100 % 100;
	int64_t			 d = day % 100;
	bool			 leap = (y % 4 == 0 && y % 100 != 0) ||
				    y % 400 == 0;

	if (y < 1800 || y > 2199 || m < 1 || m > 12 || d < 1)
		return false;
	return d <= days[m - 1] + (m == 2 && leap);
}

int64_t
idcard_age(int64_t born, int64_t today)
{
	return (today - born) / 10000;
}

static bool
all_digits(const char *s)
{
	int	 i;

	for (i = 0; i < LENGTH - 1; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return (s[i] >= '0' && s[i] <= '9') || s[i] == 'X';
}

static char
check_of(const char *s)
{
	static const int	 weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3,
				    7, 9, 10, 5, 8, 4, 2 };
	int			 i, sum = 0;

	for (i = 0; i < LENGTH - 1; i++)
		sum += weights[i] * (s[i] - '0');
	return "10X98765432"[sum % 11];
}

static enum idcard_fault
check_day(int64_t born, int64_t today)
{
	if (!idcard_day(born))
		return IDCARD_DATE;
	if (born > today)
		return IDCARD_FUTURE;
	return idcard_age(born, today) > AGE_MAX ? IDCARD_AGE : IDCARD_GOOD;
}

enum idcard_fault
idcard_read(const char *s, int64_t today, struct idcard *ret)
{
	enum idcard_fault	 fault;
	char			*x = &ret->number[LENGTH - 1];
	size_t			 n;

	memset(ret, 0, sizeof(*ret));
	n = text_narrow(s, ret->number, sizeof(ret->number));
	if (n != LENGTH)
		return n == OLD_LENGTH ? IDCARD_OLD : IDCARD_LENGTH;
	if (*x == 'x')
		*x = 'X';
	if (!all_digits(ret->number))
		return IDCARD_DIGITS;
	if (check_of(ret->number) != *x)
		return IDCARD_CHECK;
	ret->born = number_at(ret->number + 6, 8);
	if ((fault = check_day(ret->born, today)) != IDCARD_GOOD)
		return fault;
	if (number_at(ret->number + 14, 3) == 0)
		return IDCARD_SERIAL;
	ret->female = (ret->number[16] - '0') % 2 == 0;
	ret->permit = ret->number[0] == '8' && ret->number[1] >= '1' &&
	    ret->number[1] <= '3';
	ret->area_known = ret->permit || idcard_area(ret->number);
	return IDCARD_GOOD;
}
