/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_flow.c -- what flow_ready refuses, and what a caller can do.
 *
 * Each case takes the sound table and breaks it in one place.
 */
#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "flow/flow_internal.h"
#include "http/req.h"

static const struct flow_state sound_states[] = {
	{ "open", "待处理", false, "supervise", 2, "expire", NULL },
	{ "held", "已挂起", false, NULL, 0, NULL, "waits for the resident" },
	{ "done", "已完成", true, NULL, 0, NULL, NULL },
	{ NULL, NULL, false, NULL, 0, NULL, NULL }
};

static const struct flow_move sound_moves[] = {
	{ NULL, "ask", "open", REL_OWNER, 1000, "提出", NULL, NULL,
	    { { 0 } } },
	{ "open", "hold", "held", REL_ORG, FLOW_NONE, "挂起", NULL, NULL,
	    { { 0 } } },
	{ "open", "note", "open", REL_ORG | REL_OWNER, FLOW_KEEP, "备注",
	    NULL, NULL, { { 0 } } },
	{ "open", "supervise", "open", REL_SYSTEM, 1000, "督办", NULL, NULL,
	    { { 0 } } },
	{ "open", "expire", "done", REL_SYSTEM, FLOW_NONE, "关闭", NULL,
	    NULL, { { 0 } } },
	{ "held", "close", "done", REL_OWNER, FLOW_NONE, "完成", NULL, NULL,
	    { { 0 } } },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, { { 0 } } }
};

#define NSTATES (sizeof(sound_states) / sizeof(sound_states[0]))
#define NMOVES (sizeof(sound_moves) / sizeof(sound_moves[0]))

static struct flow_state states[NSTATES];
static struct flow_move moves[NMOVES + 1];
static struct flow flow;

static int
fresh(void **state)
{
	(void)state;
	log_open("test", LOG_ERROR_ + 1);
	memcpy(states, sound_states, sizeof(sound_states));
	memset(moves, 0, sizeof(moves));
	memcpy(moves, sound_moves, sizeof(sound_moves));
	flow = (struct flow){ .name = "thing", .label = "事项",
	    .page = "p?id=", .states = states, .moves = moves };
	return 0;
}

static void
test_sound(void **state)
{
	(void)state;
	assert_true(flow_check(&flow));
}

static void
test_unknown_state(void **state)
{
	(void)state;
	moves[1].to = "nowhere";
	assert_false(flow_check(&flow));
	fresh(NULL);
	moves[1].from = "nowhere";
	assert_false(flow_check(&flow));
}

static void
test_nobody_may(void **state)
{
	(void)state;
	moves[1].who = 0;
	assert_false(flow_check(&flow));
}

static void
test_unreachable(void **state)
{
	(void)state;
	/* Only "hold" leads to "held". */
	moves[1].to = "done";
	assert_false(flow_check(&flow));
}

static void
test_no_way_out(void **state)
{
	(void)state;
	moves[5].from = "open";
	assert_false(flow_check(&flow));
}

static void
test_final_left(void **state)
{
	(void)state;
	moves[5].from = "done";
	moves[5].to = "held";
	assert_false(flow_check(&flow));
}

static void
test_no_deadline(void **state)
{
	(void)state;
	moves[0].deadline = FLOW_NONE;
	assert_false(flow_check(&flow));
	fresh(NULL);
	states[1].why_open = NULL;
	assert_false(flow_check(&flow));
}

static void
test_overdue_event(void **state)
{
	(void)state;
	states[0].overdue = "hurry";
	assert_false(flow_check(&flow));
	fresh(NULL);
	moves[3].who = REL_OWNER;
	assert_false(flow_check(&flow));
	fresh(NULL);
	states[0].then = "note";
	assert_false(flow_check(&flow));
}

static void
test_final_with_deadline(void **state)
{
	(void)state;
	moves[5].deadline = 1000;
	assert_false(flow_check(&flow));
}

static void
test_kept_deadline_of_another(void **state)
{
	(void)state;
	moves[1].deadline = FLOW_KEEP;
	assert_false(flow_check(&flow));
}

static void
test_set_by_nobody(void **state)
{
	(void)state;
	moves[3].deadline = FLOW_SET;
	assert_false(flow_check(&flow));
}

static void
test_event_twice(void **state)
{
	(void)state;
	moves[NMOVES - 1] = moves[1];
	assert_false(flow_check(&flow));
}

static void
test_no_label(void **state)
{
	(void)state;
	moves[2].label = NULL;
	assert_false(flow_check(&flow));
}

/* What `mask` may do in `state`, as JSON. */
static void
expect_can(const char *at, uint64_t mask, const char *json)
{
	struct json	j;
	struct buf	b;

	buf_init(&b, 1024);
	json_init(&j, &b);
	flow_can(&j, &flow, at, mask);
	assert_true(json_done(&j));
	assert_string_equal(buf_text(&b), json);
	buf_free(&b);
}

static void
test_can(void **state)
{
	(void)state;
	expect_can("open", REL_ORG, "[\"hold\",\"note\"]");
	expect_can("open", REL_OWNER, "[\"note\"]");
	expect_can("held", REL_OWNER, "[\"close\"]");
	expect_can("held", REL_ORG, "[]");
	expect_can("done", REL_OWNER | REL_ORG, "[]");
	expect_can("open", ROLE_ADMIN, "[]");
}

static void
test_mask(void **state)
{
	struct req	rq = { .who = { .user_id = 7,
	    .roles = ROLE_RESIDENT } };

	(void)state;
	assert_int_equal(flow_mask(&rq, 7, 0, NULL),
	    ROLE_RESIDENT | REL_OWNER);
	assert_int_equal(flow_mask(&rq, 8, 7, NULL),
	    ROLE_RESIDENT | REL_ASSIGNEE);
	assert_int_equal(flow_mask(&rq, 8, 0, "courier"),
	    ROLE_RESIDENT | REL_COURIER);
	assert_int_equal(flow_mask(&rq, 8, 0, "clerk"),
	    ROLE_RESIDENT | REL_ORG);
	assert_int_equal(flow_mask(&rq, 8, 0, "area"),
	    ROLE_RESIDENT | REL_AREA);
	assert_int_equal(flow_mask(&rq, 8, 0, NULL), ROLE_RESIDENT);
	rq.who.roles = ROLE_PLATFORM;
	assert_int_equal(flow_mask(&rq, 8, 0, NULL),
	    ROLE_PLATFORM | ROLE_ADMIN);
	/* Nobody is not the owner of what nobody owns. */
	rq.who = (struct session){ .user_id = 0 };
	assert_int_equal(flow_mask(&rq, 0, 0, "owner"), 0);
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		CASE(test_sound), CASE(test_unknown_state),
		CASE(test_nobody_may), CASE(test_unreachable),
		CASE(test_no_way_out), CASE(test_final_left),
		CASE(test_no_deadline), CASE(test_overdue_event),
		CASE(test_final_with_deadline),
		CASE(test_kept_deadline_of_another),
		CASE(test_set_by_nobody), CASE(test_event_twice),
		CASE(test_no_label), CASE(test_can), CASE(test_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
