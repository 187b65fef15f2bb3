/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_ledger.c -- planetctl ledger check: add everything up anew, now.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "service/ledger.h"

static void
print_fault(void *arg, const char *what, const struct ledger_fault *f)
{
	(void)arg;
	printf("FAULT community %lld id %lld: %s\n",
	    (long long)f->community_id, (long long)f->id, what);
}

int
ctl_ledger(struct ctl *ctl, int argc, char **argv)
{
	struct ledger_report	report;
	enum err		e;

	if (argc != 2 || strcmp(argv[1], "check") != 0)
		return 2;
	e = ledger_check(ctl->db, ctl->arena, print_fault, NULL, &report);
	if (e != OK) {
		fprintf(stderr, "planetctl: ledger: %s\n",
		    err_info(e)->title);
		return 1;
	}
	printf("%lld entries, %lld lines, %lld accounts: ",
	    (long long)report.entries, (long long)report.lines,
	    (long long)report.accounts);
	if (report.faults == 0)
		printf("all balance\n");
	else
		printf("%lld faults\n", (long long)report.faults);
	return report.faults == 0 ? 0 : 1;
}
