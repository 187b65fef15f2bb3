/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_id.c -- ids are ordered, unique across threads and processes.
 */
#include <sys/wait.h>

#include <pthread.h>

#include "unit.h"

#include "base/clock.h"
#include "base/id.h"

#define THREADS	4
#define EACH	20000

static int
node_of(int64_t id)
{
	return (int)(id >> 12 & (ID_NODE_MAX - 1));
}

static void *
make_many(void *arg)
{
	int64_t	*ids = arg;
	int	 i;

	for (i = 0; i < EACH; i++)
		ids[i] = id_new();
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	int64_t	 x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
ids_of_all_threads_differ(void **state)
{
	static int64_t	 ids[THREADS][EACH];
	int64_t		*all = ids[0];
	pthread_t	 thread[THREADS];
	int		 i, j;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, make_many,
		    ids[i]), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < THREADS; i++)
		for (j = 1; j < EACH; j++)
			assert_true(ids[i][j] > ids[i][j - 1]);
	qsort(all, THREADS * EACH, sizeof(*all), compare);
	for (i = 1; i < THREADS * EACH; i++)
		assert_true(all[i] > all[i - 1]);
	assert_true(all[0] > 0);
}

static void
an_id_tells_its_time(void **state)
{
	int64_t	 id, now = clock_now();

	(void)state;
	id = id_new();
	/* The test before may have run ahead of the clock. */
	assert_true(id >= id_at(now));
	assert_true(id < id_at(now + CLOCK_MINUTE));
	assert_int_equal(id_at(1704067200000), 0);
	assert_int_equal(id_at(1704067200001), 1 << 22);
	assert_int_equal(id_at(0), 0);
	assert_true(id_at(1704067200000 + (1LL << 41) - 1) > 0);
}

static void
a_clock_that_steps_back_does_no_harm(void **state)
{
	const char	*folder = unit_folder();
	const char	*path = unit_path(folder, "clock");
	int64_t		 offset = 0, id, last;
	FILE		*f;
	int		 i;

	(void)state;
	unit_write(path, (char *)&offset, sizeof(offset), 0600);
	assert_true(clock_follow(path));
	last = id_new();
	offset = -CLOCK_DAY;
	f = fopen(path, "r+");
	assert_non_null(f);
	fwrite(&offset, sizeof(offset), 1, f);
	fclose(f);
	for (i = 0; i < 10000; i++) {
		id = id_new();
		assert_true(id > last);
		last = id;
	}
	unlink(path);
	rmdir(folder);
}

static void
each_process_has_its_node(void **state)
{
	const char	*folder = unit_folder();
	int		 go[2], ready[2], status;
	pid_t		 pid;
	char		 c;

	(void)state;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		c = id_init(folder, 5, 2) && node_of(id_new()) == 5;
		close(go[1]);
		if (write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 1);
	assert_false(id_init(folder, 5, 1));
	assert_true(id_init(folder, 5, 2));
	assert_int_equal(node_of(id_new()), 6);
	/* Both are taken now. */
	assert_false(id_init(folder, 5, 2));
	assert_int_equal(node_of(id_new()), 6);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* A node comes free with its process. */
	assert_true(id_init(folder, 5, 2));
	assert_int_equal(node_of(id_new()), 5);
	unlink(unit_path(folder, "node-5"));
	unlink(unit_path(folder, "node-6"));
	assert_int_equal(rmdir(folder), 0);
	assert_false(id_init(folder, 0, 1));
}

static void
nodes_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_false(id_init("/tmp", -1, 1));
	assert_false(id_init("/tmp", 0, 0));
	assert_false(id_init("/tmp", 1023, 1));
	assert_false(id_init("/tmp", 0, INT32_MAX));
}

static void
ids_are_read(void **state)
{
	int64_t	 id;

	(void)state;
	assert_true(id_parse("1", &id));
	assert_int_equal(id, 1);
	assert_true(id_parse("9223372036854775807", &id));
	assert_int_equal(id, INT64_MAX);
}

static void
what_is_no_id_is_refused(void **state)
{
	static const char *const	 rows[] = { "", "0", "01", "-1", "+1",
	    " 1", "1 ", "1.0", "0x10", "9223372036854775808", "１",
	    "99999999999999999999", "12345678901234567890123", "1e3" };
	int64_t	 id = 42;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (id_parse(rows[i], &id) || id != 42)
			fail_msg("'%s' was taken", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(ids_of_all_threads_differ),
		cmocka_unit_test(an_id_tells_its_time),
		cmocka_unit_test(each_process_has_its_node),
		cmocka_unit_test(nodes_out_of_range_are_refused),
		cmocka_unit_test(a_clock_that_steps_back_does_no_harm),
		cmocka_unit_test(ids_are_read),
		cmocka_unit_test(what_is_no_id_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
