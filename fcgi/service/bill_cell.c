/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_cell.c -- the cells of a file of bills: numbers by their digits,
 * never through floating point.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/bill.h"
#include "service/bill_cell.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with commas between groups of three; *s moves past them. */
static enum bill_number
whole(const char **s, int64_t max, int64_t *ret)
{
	int	n = 0, group = -1;

	for (*ret = 0;; (*s)++) {
		if (**s == ',' && n > 0 && (group == 3 || (group < 0 &&
		    n <= 3))) {
			group = 0;
			continue;
		}
		if (!is_digit(**s))
			break;
		*ret = *ret * 10 + (**s - '0');
		if (*ret > max)
			return BILL_NUMBER_LARGE;
		n++;
		if (group >= 0)
			group++;
	}
	return n > 0 && (group < 0 || group == 3) ? BILL_NUMBER_OK :
	    BILL_NUMBER_FORM;
}

enum bill_number
bill_cell_number(const char *s, int scale, int64_t max, int64_t *ret)
{
	bool			minus = *s == '-';
	int64_t			v;
	enum bill_number	n;
	int			i;

	if (minus)
		s++;
	if ((n = whole(&s, max, &v)) != BILL_NUMBER_OK)
		return n;
	if (*s == '.' && !is_digit(*++s))
		return BILL_NUMBER_FORM;
	for (i = 0; i < scale; i++) {
		v = v * 10 + (is_digit(*s) ? *s - '0' : 0);
		s += is_digit(*s);
	}
	for (; is_digit(*s); s++)
		if (*s != '0')
			return BILL_NUMBER_DECIMALS;
	if (*s != '\0')
		return BILL_NUMBER_FORM;
	if (minus && v != 0)
		return BILL_NUMBER_NEGATIVE;
	if (v > max)
		return BILL_NUMBER_LARGE;
	*ret = v;
	return BILL_NUMBER_OK;
}

bool
bill_cell_period(const char *s, char out[BILL_PERIOD_MAX])
{
	int	year = 0, month = 0, n;

	for (n = 0; n < 4 && is_digit(*s); n++)
		year = year * 10 + (*s++ - '0');
	if (n != 4)
		return false;
	if (*s == '-' || *s == '/' || *s == '.')
		s++;
	else if (strncmp(s, "年", strlen("年")) == 0)
		s += strlen("年");
	else if (!is_digit(s[0]) || !is_digit(s[1]))
		return false;
	for (n = 0; n < 2 && is_digit(*s); n++)
		month = month * 10 + (*s++ - '0');
	if (strcmp(s, "月") == 0)
		s += strlen("月");
	if (*s != '\0' || month < 1 || month > 12 || year < 2000 ||
	    year > 2100)
		return false;
	snprintf(out, BILL_PERIOD_MAX, "%04u-%02u", (unsigned)year % 10000,
	    (unsigned)month % 100);
	return true;
}

bool
bill_cell_account(const char *s)
{
	size_t	n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

	return n > 0 && n <= 32 && s[n] == '\0' && s[0] != '-';
}

/* What bills call it, beside the code. */
static const char *const words[][2] = {
	{ "property", "物业费" }, { "property", "物业管理费" },
	{ "property", "物业服务费" }, { "water", "水费" },
	{ "electricity", "电费" }, { "gas", "燃气费" }, { "gas", "天然气费" },
	{ "gas", "煤气费" }, { "heating", "供暖费" }, { "heating", "采暖费" },
	{ "heating", "暖气费" }, { "parking", "停车费" },
	{ "parking", "车位费" }, { "broadband", "宽带费" },
	{ "other", "其他费用" }, { "other", "其他" }, { "other", "其它" },
	{ NULL, NULL }
};

int
bill_cell_kind(const char *text)
{
	const char	*code = text;
	int		 i;

	for (i = 0; words[i][0] != NULL; i++)
		if (strcmp(words[i][1], text) == 0)
			code = words[i][0];
	for (i = 0; bill_kinds[i] != NULL; i++)
		if (strcasecmp(bill_kinds[i], code) == 0)
			return i;
	return -1;
}
