/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_task.c -- when a task is run, by whom, and when again.
 */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "flow/task.h"
#include "http/req.h"
#include "store/db.h"

#define RUNNERS	6

static const char	*folder;
static char		 url[300];
static int		 clock_fd;
static int64_t		 offset;
static struct conf	 conf;
static struct req	 rq;
static struct buf	 out;

static _Atomic int	 looks, hours, days, faults, slow;
static enum err		 fault_err;

static enum err
on_look(struct req *r)
{
	assert_non_null(r->task);
	assert_int_equal(r->who.user_id, 0);
	looks++;
	return OK;
}

static enum err
in_transaction(struct req *r, void *arg)
{
	(void)arg;
	audit_as(r, 5, 0);
	audit_thing(r, "hour", 3);
	return OK;
}

static enum err
on_hour(struct req *r)
{
	hours++;
	return req_transact(r, in_transaction, NULL);
}

static enum err
on_day(struct req *r)
{
	(void)r;
	days++;
	return OK;
}

static enum err
on_fault(struct req *r)
{
	(void)r;
	faults++;
	return fault_err;
}

static enum err
on_slow(struct req *r)
{
	struct timespec t = { 0, 30 * 1000000 };

	(void)r;
	slow++;
	nanosleep(&t, NULL);
	return OK;
}

static const struct task tasks[] = {
	{ "look", 0, TASK_NEVER, on_look },
	{ "hour", CLOCK_HOUR, TASK_NEVER, on_hour },
	{ "day", 0, 125, on_day },
	{ "fault", CLOCK_HOUR, TASK_NEVER, on_fault },
	{ "slow", CLOCK_DAY, TASK_NEVER, on_slow },
	{ NULL, 0, TASK_NEVER, NULL }
};

static void
move(int64_t ms)
{
	offset += ms;
	assert_int_equal(pwrite(clock_fd, &offset, 8, 0), 8);
}

/* To hour and minute of tomorrow in China. */
static void
tomorrow(int hour, int minute)
{
	int64_t now = clock_now();

	move(clock_day(now) + CLOCK_DAY + hour * CLOCK_HOUR +
	    minute * CLOCK_MINUTE - now);
}

static void
due(void)
{
	assert_int_equal(task_run_due(&rq), OK);
}

static int
start(void **state)
{
	const char *path;

	(void)state;
	log_open("test", LOG_ERROR_ + 1);
	crypt_init();
	folder = unit_folder();
	snprintf(url, sizeof(url), "sqlite:%s", unit_path(folder, "db"));
	path = unit_path(folder, "clock");
	clock_fd = open(path, O_RDWR | O_CREAT, 0600);
	move(0);
	assert_true(clock_follow(path));
	audit_register();
	task_register_own();
	task_register(tasks);
	task_register(tasks);
	assert_int_equal(db_open(url, 4000, false, &rq.db), OK);
	assert_int_equal(db_script(rq.db, "CREATE TABLE task_run ("
	    "name TEXT PRIMARY KEY, ran_at BIGINT NOT NULL,"
	    " claimed_until BIGINT NOT NULL, claim BIGINT NOT NULL);"
	    "CREATE TABLE audit (community_id BIGINT, seq BIGINT, at BIGINT,"
	    " user_id BIGINT, actor TEXT, for_id BIGINT, action TEXT,"
	    " thing TEXT, thing_id BIGINT, subject_id BIGINT, reason TEXT,"
	    " address TEXT, request_id TEXT, prev TEXT, hash TEXT,"
	    " PRIMARY KEY (community_id, seq));"
	    "CREATE TABLE audit_head (community_id BIGINT PRIMARY KEY,"
	    " seq BIGINT, hash TEXT);"), OK);
	buf_init(&out, 1024);
	rq.out = &out;
	rq.conf = &conf;
	conf.db_timeout_ms = 1000;
	rq.arena = arena_new(1 << 20);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	db_close(rq.db);
	arena_free(rq.arena);
	buf_free(&out);
	close(clock_fd);
	return 0;
}

static void
test_intervals(void **state)
{
	(void)state;
	tomorrow(3, 0);
	due();
	assert_int_equal(looks, 1);
	assert_int_equal(hours, 1);
	due();
	assert_int_equal(looks, 2);
	assert_int_equal(hours, 1);
	move(CLOCK_HOUR - CLOCK_SECOND);
	due();
	assert_int_equal(hours, 1);
	move(CLOCK_SECOND);
	due();
	assert_int_equal(hours, 2);
	/* Long away: once, not once for each hour. */
	move(30 * CLOCK_HOUR);
	due();
	due();
	assert_int_equal(hours, 3);
}

static void
test_daily(void **state)
{
	int before;

	(void)state;
	tomorrow(3, 0);
	due();
	before = days;
	due();
	assert_int_equal(days, before);
	tomorrow(2, 4);
	due();
	assert_int_equal(days, before);
	move(CLOCK_MINUTE);
	due();
	assert_int_equal(days, before + 1);
	due();
	move(20 * CLOCK_HOUR);
	due();
	assert_int_equal(days, before + 1);
	/* Nobody was there at the time: as soon as somebody is. */
	tomorrow(9, 0);
	due();
	assert_int_equal(days, before + 2);
}

static void
test_faults(void **state)
{
	int before = faults;

	(void)state;
	fault_err = ERR_INTERNAL;
	move(2 * CLOCK_HOUR);
	due();
	assert_int_equal(faults, before + 1);
	due();
	assert_int_equal(faults, before + 1);
	move(CLOCK_MINUTE);
	due();
	assert_int_equal(faults, before + 2);
	fault_err = OK;
	move(CLOCK_MINUTE);
	due();
	move(CLOCK_MINUTE);
	due();
	assert_int_equal(faults, before + 3);
}

/* Who died holding it gives it up when the lease is over. */
static void
test_lease(void **state)
{
	static const char held[] = "UPDATE task_run SET claim = 7,"
	    " ran_at = 0, claimed_until = %lld WHERE name = 'hour'";
	char sql[200];
	int before = hours;

	(void)state;
	snprintf(sql, sizeof(sql), held, (long long)(clock_now() +
	    TASK_LEASE));
	assert_int_equal(db_script(rq.db, sql), OK);
	due();
	assert_int_equal(hours, before);
	assert_int_equal(task_run_named(&rq, "hour"), ERR_BUSY);
	move(TASK_LEASE + 1);
	due();
	assert_int_equal(hours, before + 1);
	assert_int_equal(task_run_named(&rq, "hour"), OK);
	assert_int_equal(hours, before + 2);
	assert_int_equal(task_run_named(&rq, "hours"), ERR_ABSENT);
}

struct number {
	int64_t n;
};
static const struct view_column number_columns[] = {
	C_INT(number, n), C_END
};
static const struct view number_view = VIEW(number, "N");

static void
test_audit(void **state)
{
	static struct stmt count = { RO, 0, &number_view, "SELECT count(*)"
	    " AS n FROM audit WHERE community_id = 5 AND actor = 'system'"
	    " AND action = 'hour' AND thing = 'hour' AND user_id = 0",
	    NULL, 0 };
	struct number row;

	(void)state;
	assert_int_equal(db_one(rq.db, rq.arena, &count, NOTHING, &row), OK);
	assert_int_equal(row.n, hours);
}

static void *
run_slow(void *arg)
{
	struct req r = { .conf = &conf };
	struct buf b;

	(void)arg;
	buf_init(&b, 1024);
	r.out = &b;
	r.arena = arena_new(1 << 20);
	if (db_open(url, 4000, true, &r.db) == OK)
		task_run_due(&r);
	db_close(r.db);
	arena_free(r.arena);
	buf_free(&b);
	return NULL;
}

static void
test_runners(void **state)
{
	pthread_t t[RUNNERS];
	int i, round, before = slow;

	(void)state;
	for (round = 1; round <= 3; round++) {
		move(CLOCK_DAY + CLOCK_MINUTE);
		for (i = 0; i < RUNNERS; i++)
			assert_int_equal(pthread_create(&t[i], NULL,
			    run_slow, NULL), 0);
		for (i = 0; i < RUNNERS; i++)
			pthread_join(t[i], NULL);
		assert_int_equal(slow, before + round);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_daily),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_runners),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
