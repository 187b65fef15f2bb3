/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_shipping.c -- what the platform pushes about deliveries.
 */
#include "unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "http/req.h"
#include "service/shipping.h"

#include "ledger_rig.h"
#include "servers.h"

static struct req	 rq;
static struct buf	 out;

#define PAID(id, community)						\
	"INSERT INTO payment (community_id, id, state, version, urged,"	\
	" owner_id, org_id, title, created_at, updated_at, number,"	\
	" things, total_fen, refunded_fen, expires_at, asked,"		\
	" claimed_until) VALUES (" community ", " id ", 'paid', 1, 0,"	\
	" 1, 0, 'x', 1, 1, 'N" id "', '[]', 5, 0, 1, 0, 0);"
#define SHIP(id, state, ask)						\
	"INSERT INTO shipping (community_id, payment_id, logistics,"	\
	" item_desc, state, upload_time, uploads, corrections, tries,"	\
	" ask_at, created_at) VALUES (1, " id ", 2, 'x', '" state "',"	\
	" 1, 0, 0, 9, " ask ", 1);"

static enum err
fire(struct req *r, void *arg)
{
	(void)r;
	return shipping_event(&rq, arg);
}

static enum err
push(const char *event, const char *number, int64_t received,
    int64_t settled)
{
	struct shipping_event	ev = { event, number, received, settled };

	req_reset(&rq);
	rq.who.community_id = 0;
	rq.now = rig_now;
	rq.deadline = clock_mono_us() + 5000000;
	return req_transact(&rq, fire, &ev);
}

static int64_t
number(const char *sql)
{
	return rig_number(rq.db, sql);
}

#define OF(column, id)							\
	number("SELECT COALESCE(" column ", 0) AS n FROM shipping"	\
	    " WHERE payment_id = " id)

static void
test_settlement(void **state)
{
	(void)state;
	assert_int_equal(push("trade_manage_order_settlement", "N51", 0,
	    7000), OK);
	assert_int_equal(rq.who.community_id, 1);
	assert_int_equal(OF("received_at", "51"), 0);
	assert_int_equal(OF("settled_at", "51"), 7000);
	/* The second one knows when it was received, and not less. */
	assert_int_equal(push("trade_manage_order_settlement", "N51", 8000,
	    0), OK);
	assert_int_equal(OF("received_at", "51"), 8000);
	assert_int_equal(OF("settled_at", "51"), 7000);
	assert_int_equal(OF("settled_at", "52"), 0);
}

static void
test_reminder(void **state)
{
	(void)state;
	assert_int_equal(push("trade_manage_remind_shipping", "N52", 0, 0),
	    OK);
	assert_int_equal(OF("reminded_at", "52"), rig_now);
	assert_int_equal(OF("ask_at", "52"), rig_now);
	assert_int_equal(OF("tries", "52"), 0);
	assert_int_equal(number("SELECT COUNT(*) AS n FROM shipping"
	    " WHERE payment_id = 52 AND state = 'wanted'"), 1);
	/* What it knows already is not told again. */
	assert_int_equal(push("trade_manage_remind_shipping", "N51", 0, 0),
	    OK);
	assert_int_equal(OF("ask_at", "51"), 0);
}

static void
test_rule_is_asked_anew(void **state)
{
	(void)state;
	assert_int_equal(push("wxa_trade_controlled", NULL, 0, 0), OK);
	assert_int_equal(number("SELECT asked_at AS n FROM shipping_rule"),
	    0);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_int_equal(push("trade_manage_order_settlement", NULL, 1, 1),
	    ERR_ABSENT);
	assert_int_equal(push("trade_manage_order_settlement", "N99", 1, 1),
	    ERR_ABSENT);
	/* Ours, and never registered. */
	assert_int_equal(push("trade_manage_remind_shipping", "N53", 0, 0),
	    ERR_ABSENT);
	assert_int_equal(push("subscribe_msg_sent_event", "N51", 0, 0),
	    ERR_FIELD);
}

static int
begin(void **state)
{
	(void)state;
	rig_start();
	rig_open(NULL);
	rq.db = rig_db();
	rq.arena = arena_new(1 << 20);
	rq.conf = rig_conf;
	buf_init(&out, 65536);
	rq.out = &out;
	rq.task = "test";
	assert_int_equal(db_script(rq.db, PAID("51", "1") PAID("52", "1")
	    PAID("53", "1") SHIP("51", "done", "NULL")
	    SHIP("52", "faulty", "NULL")
	    "INSERT INTO shipping_rule VALUES (1, 1, 99);"), OK);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_free(&out);
	arena_free(rq.arena);
	db_close(rq.db);
	rig_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_settlement),
		cmocka_unit_test(test_reminder),
		cmocka_unit_test(test_rule_is_asked_anew),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
