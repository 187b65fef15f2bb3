/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_thing.c -- the kinds of things that can be paid, and the names
 * under which their money is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "service/payment.h"

#define KINDS	16

static const struct payment_kind	*kinds[KINDS];
static int				 nkinds;

void
payment_thing_add(const struct payment_kind *k)
{
	if (nkinds == KINDS || payment_thing_kind(k->name) != NULL) {
		log_error("payment fault=\"kind %s cannot be added\"",
		    k->name);
		abort();
	}
	kinds[nkinds++] = k;
}

const struct payment_kind *
payment_thing_kind(const char *name)
{
	int	i;

	for (i = 0; i < nkinds; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

struct ledger_key
payment_thing_clearing(void)
{
	return (struct ledger_key){ "gateway", 1, "clearing", LEDGER_FEN,
	    false };
}

struct ledger_key
payment_thing_doubt(void)
{
	return (struct ledger_key){ "gateway", 1, "doubt", LEDGER_FEN,
	    false };
}

struct ledger_key
payment_thing_fee(void)
{
	return (struct ledger_key){ "gateway", 1, "fee", LEDGER_FEN,
	    false };
}

struct ledger_key
payment_thing_due(int64_t org_id)
{
	return (struct ledger_key){ "org", org_id, "due", LEDGER_FEN,
	    false };
}
