/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bill_sum.c -- what is due of a bill on a day: arithmetic only.
 *
 * Amounts times days are added up first and rounded once; nothing is
 * charged on a charge.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/idcard.h"

#include "service/bill.h"

#define OFFSET		(8 * CLOCK_HOUR)	/* of China */
#define TEN_THOUSAND	10000

int64_t
bill_day(int64_t ms)
{
	return (clock_day(ms) + OFFSET) / CLOCK_DAY;
}

/* Days before the year, counted from 1 March of year 0. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t	y = month > 2 ? year : year - 1;
	int64_t	m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 +
	    day - 1;
}

int64_t
bill_day_of(int64_t yyyymmdd)
{
	return days_of(yyyymmdd / 10000, yyyymmdd / 100 % 100,
	    yyyymmdd % 100) - days_of(1970, 1, 1);
}

void
bill_day_text(int64_t day, char out[BILL_DAY_MAX])
{
	struct clock_local	t = clock_local(day * CLOCK_DAY);

	snprintf(out, BILL_DAY_MAX, "%04u-%02u-%02u",
	    (unsigned)t.year % 10000, (unsigned)t.month % 100,
	    (unsigned)t.day % 100);
}

bool
bill_day_parse(const char *text, int64_t *ret_day)
{
	int64_t	v = 0;
	int	i;

	for (i = 0; i < 10; i++) {
		if (i == 4 || i == 7) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	if (text[10] != '\0' || !idcard_day(v))
		return false;
	*ret_day = bill_day_of(v);
	return true;
}

int64_t
bill_late(int64_t fen_days, int64_t rate, int64_t cap, int64_t principal)
{
	int64_t	late = (fen_days * rate + TEN_THOUSAND / 2) / TEN_THOUSAND;
	int64_t	most = principal * cap / 100;

	return late < most ? late : most;
}

struct bill_due
bill_due(const struct bill_sums *s)
{
	struct bill_due	d = { .principal_fen = s->open_fen,
			    .disputed_fen = s->disputed_fen };

	d.late_fen = bill_late(s->fen_days, s->late_rate, s->late_cap,
	    s->open_fen);
	d.waived_fen = d.late_fen < s->late_waived_fen ? d.late_fen :
	    s->late_waived_fen;
	d.late_fen -= d.waived_fen;
	d.total_fen = d.principal_fen + d.late_fen;
	return d;
}
