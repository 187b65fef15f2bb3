/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_stmt.c -- which statements say one thing to SQLite and another to
 * PostgreSQL: those that stand here, and no other.
 *
 * Of the worker and of planetctl; planet-jobs has its own, and migrate.c
 * asks before anything is registered: scripts/lint looks at these.
 */
#include "unit.h"

#include "service/service.h"
#include "store/db.h"

#include "ctl.h"

/* What SQLite is told, whole; each row says why one text does not do. */
static const char *const expected[] = {
	/*
	 * An import fills tables and asks them in one breath.  SQLite plans
	 * the same before and after; PostgreSQL knows only what it saw last.
	 */
	/* ANALYZE import_row: all rows were staged since. */
	"DELETE FROM import_row WHERE 1 = 0",
	/* SET LOCAL enable_seqscan: what was small is gone over by index. */
	"DELETE FROM import WHERE 1 = 0",
	/* ANALYZE household: the trigger of each new member looks there. */
	"DELETE FROM household WHERE 1 = 0",
	/* ANALYZE person: so does it here, for the persons just added. */
	"DELETE FROM person WHERE 1 = 0",
	/* ANALYZE member: and among the members, after the first of them. */
	"DELETE FROM member WHERE 1 = 0",
	/* jsonb_each: PostgreSQL parses what is JSON as text at each member. */
	"INSERT INTO import_row (community_id, import_id, id, part,"
	" line, up, key, a_id, thing_id, verdict, body, before, phone,"
	" phone_index, id_number, id_index, need)"
	" SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT),"
	" CAST(value ->> 'i' AS BIGINT), value ->> 'p',"
	" CAST(value ->> 'l' AS BIGINT), CAST(value ->> 'u' AS BIGINT),"
	" value ->> 'k', CAST(value ->> 'a' AS BIGINT),"
	" CAST(value ->> 't' AS BIGINT), value ->> 'v', value ->> 'b',"
	" value ->> 'w', value ->> 'f', value ->> 'fi', value ->> 'd',"
	" value ->> 'di', value ->> 'n' FROM json_each($3)",
	/* ANALYZE recon_row: a statement was staged since. */
	"DELETE FROM recon_row WHERE 1 = 0",
	/* jsonb_each: as for an import. */
	"INSERT INTO recon_row (community_id, day, id, refund, number,"
	" refund_number, transaction_id, at, state, amount_fen,"
	" fee_mill, rate) SELECT c.community_id, c.day,"
	" CAST(v.value ->> 'i' AS BIGINT), CAST(v.value ->> 'k' AS BIGINT),"
	" v.value ->> 'n', v.value ->> 'r', v.value ->> 't',"
	" CAST(v.value ->> 'a' AS BIGINT), v.value ->> 's',"
	" CAST(v.value ->> 'm' AS BIGINT), CAST(v.value ->> 'f' AS BIGINT),"
	" CAST(v.value ->> 'p' AS BIGINT) FROM json_each($2) v"
	" LEFT JOIN payment p ON p.number = v.value ->> 'n'"
	" LEFT JOIN money_doubt d ON d.transaction_id = v.value ->> 't'"
	" JOIN reconciliation c ON c.community_id ="
	" COALESCE(p.community_id, d.community_id, 0)"
	" AND c.day = CAST($1 AS BIGINT) AND c.state = 'running'",
	/* ANALYZE bill_batch_row, bill_account, bill: as for an import. */
	"DELETE FROM bill_batch_row WHERE 1 = 0",
	/* FOR SHARE: an answer holds its roll call open, beside others. */
	"SELECT state, choices FROM roll_call WHERE community_id = $1"
	" AND id = $2",
	NULL
};

static struct stmt twofold = { .mode = RO, .sql = "SELECT 1",
    .pgsql = "SELECT 2" };

static bool
is_expected(const struct stmt *st)
{
	size_t i;

	for (i = 0; expected[i] != NULL; i++)
		if (strcmp(expected[i], st->sql) == 0)
			return true;
	return false;
}

static size_t
count_expected(void)
{
	size_t n = 0;

	while (expected[n] != NULL)
		n++;
	return n;
}

/* How many have a second text; the first of them that nobody expects. */
static size_t
count_twofold(const struct stmt **ret_strange)
{
	const struct stmt	*st;
	size_t			 i, n = 0;

	*ret_strange = NULL;
	for (i = 0; (st = db_registered(i)) != NULL; i++) {
		if (st->pgsql == NULL)
			continue;
		n++;
		if (!is_expected(st) && *ret_strange == NULL)
			*ret_strange = st;
	}
	return n;
}

static void
test_second_texts_are_those_listed(void **state)
{
	const struct stmt	*strange;
	size_t			 n = count_twofold(&strange);

	(void)state;
	/* That there are statements at all to look at. */
	assert_non_null(db_registered(50));
	if (strange != NULL)
		fail_msg("has a second text: %s", strange->sql);
	assert_int_equal(n, count_expected());
}

/* Last: the registry keeps it for ever. */
static void
test_another_is_noticed(void **state)
{
	const struct stmt	*strange;

	(void)state;
	db_register(&twofold, 1);
	assert_int_equal(count_twofold(&strange), count_expected() + 1);
	assert_ptr_equal(strange, &twofold);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_texts_are_those_listed),
		cmocka_unit_test(test_another_is_noticed),
	};

	if (!service_ready())
		return 1;
	ctl_admin_register();
	ctl_import_register();
	ctl_demo_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
