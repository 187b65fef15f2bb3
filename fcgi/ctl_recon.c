/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_recon.c -- planetctl reconcile DATE: bring a day's statement now and
 * match it, as the morning's task does.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/req.h"
#include "service/recon.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"

#include "ctl.h"

#define RECON_TIME	(600 * 1000000LL)

struct recon_line {
	int64_t		 community_id;
	const char	*state;
	int64_t		 payments, paid_fen, open;
};

static const struct view_column recon_line_columns[] = {
	C_ID(recon_line, community_id),
	C_TEXT(recon_line, state),
	C_INT(recon_line, payments),
	C_FEN(recon_line, paid_fen),
	C_INT(recon_line, open),
	C_END
};
static const struct view recon_line_view = VIEW(recon_line, "ReconLine");

static struct stmt recon_sql[] = {
	{ RO, 1, &recon_line_view,
	    "SELECT c.community_id, c.state, c.payments, c.paid_fen,"
	    " (SELECT COUNT(*) FROM recon_diff d"
	    " WHERE d.community_id = c.community_id AND d.day = c.day"
	    " AND d.state = 'open') AS open FROM reconciliation c"
	    " WHERE c.day = $1 ORDER BY c.community_id", NULL, 0 },
};

void
ctl_recon_register(void)
{
	db_register(recon_sql, 1);
}

/* 2026-11-22; 0 for anything else. */
static int64_t
read_day(const char *s)
{
	int64_t	day = 0;
	int	i;

	for (i = 0; i < 10 && s[i] != '\0'; i++)
		if (i == 4 || i == 7) {
			if (s[i] != '-')
				return 0;
		} else if (s[i] >= '0' && s[i] <= '9')
			day = day * 10 + (s[i] - '0');
		else
			return 0;
	return i == 10 && s[i] == '\0' && recon_day_start(day) >= 0 ? day : 0;
}

static int
print_day(struct ctl *ctl, int64_t day)
{
	struct recon_line	row;
	struct rows		rows;
	int64_t			open = 0;

	if (db_query(ctl->db, &recon_sql[0], WITH(V(day)), &rows) != OK)
		return 1;
	while (db_each(&rows, &row)) {
		printf("community %lld: %s, %lld payments, %lld fen, %lld"
		    " differences open\n", (long long)row.community_id,
		    row.state, (long long)row.payments,
		    (long long)row.paid_fen, (long long)row.open);
		open += row.open;
	}
	return db_end(&rows) == OK && open == 0 ? 0 : 1;
}

int
ctl_recon(struct ctl *ctl, int argc, char **argv)
{
	struct req	rq = { .arena = ctl->arena, .db = ctl->db,
		.conf = ctl->conf, .task = "planetctl reconcile" };
	int64_t		day;
	enum err	e;

	if (argc != 2 || (day = read_day(argv[1])) == 0)
		return 2;
	rq.now = clock_now();
	rq.deadline = clock_mono_us() + RECON_TIME;
	if (day >= recon_day_of(rq.now)) {
		fprintf(stderr, "planetctl: that day has not ended\n");
		return 1;
	}
	if ((e = wechat_init(ctl->conf)) == OK &&
	    (e = pay_init(ctl->conf)) == OK) {
		rq.wechat = wechat_new(ctl->conf);
		e = recon_run(&rq, day);
		wechat_free(rq.wechat);
	}
	if (e != OK) {
		fprintf(stderr, "planetctl: reconcile: %s\n",
		    err_info(e)->title);
		return 1;
	}
	return print_day(ctl, day);
}
