/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log.c -- one event is one line, whatever is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define THREADS	4
#define EACH	500

static const char	*folder, *path;
static int		 kept = -1;
static char		 text[THREADS * EACH * 256];

static void
capture(void)
{
	int	 fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

	assert_true(fd >= 0);
	fflush(stderr);
	kept = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* What was logged since capture(). */
static const char *
captured(void)
{
	FILE	*f;
	size_t	 n;

	dup2(kept, STDERR_FILENO);
	close(kept);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static int
setup(void **state)
{
	(void)state;
	folder = unit_folder();
	path = strdup(unit_path(folder, "log"));
	return path == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	free((char *)(uintptr_t)path);
	return rmdir(folder);
}

static void
a_line_has_time_level_and_program(void **state)
{
	char		 want[64], when[32];
	const char	*line, *rest;
	int64_t		 ms, now = clock_now();

	(void)state;
	log_open("api", LOG_INFO_);
	capture();
	log_info("status=%d path=%s", 200, "/me");
	line = captured();
	rest = strchr(line, ' ');
	assert_non_null(rest);
	snprintf(when, sizeof(when), "%.*s", (int)(rest - line), line);
	assert_true(clock_parse(when, &ms));
	assert_true(ms >= now && ms <= clock_now());
	snprintf(want, sizeof(want), " info api[%d] status=200 path=/me\n",
	    (int)getpid());
	assert_string_equal(rest, want);
}

static void
lesser_levels_are_left_out(void **state)
{
	(void)state;
	log_open("api", LOG_WARN_);
	capture();
	log_debug("no");
	log_info("no");
	log_warn("w");
	log_error("e");
	captured();
	assert_null(strstr(text, "no"));
	assert_non_null(strstr(text, " warn api["));
	assert_non_null(strstr(text, " error api["));
	log_open("api", LOG_INFO_);
}

static void
a_line_stays_one_line(void **state)
{
	(void)state;
	capture();
	log_info("a=%s", "x\ny\r\033[2J\x7f");
	captured();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(text, "a=x?y??[2J?\n"));
}

static void
a_long_line_is_cut_and_marked(void **state)
{
	char	 big[6000];
	size_t	 i;

	(void)state;
	/* Three bytes a character: the cut must not split one. */
	for (i = 0; i + 3 < sizeof(big); i += 3)
		memcpy(big + i, "水", 3);
	big[i] = '\0';
	for (i = 0; i < 3; i++) {
		capture();
		log_info("%s%s", &"aa"[i], big);
		captured();
		assert_in_range(strlen(text), 4090, 4096);
		assert_string_equal(text + strlen(text) - 4, "...\n");
		assert_true(text_valid(text, strlen(text)));
	}
}

static void
errno_is_left_alone(void **state)
{
	(void)state;
	capture();
	errno = ENOENT;
	log_info("why=\"%m\"");
	assert_int_equal(errno, ENOENT);
	captured();
	assert_non_null(strstr(text, "why=\"No such file or directory\""));
}

static void *
write_many(void *arg)
{
	int	 i;

	for (i = 0; i < EACH; i++)
		log_info("thread=%d n=%d end", *(int *)arg, i);
	return NULL;
}

static void
lines_of_threads_do_not_mix(void **state)
{
	pthread_t	 thread[THREADS];
	int		 number[THREADS], i, lines = 0;
	char		*line, *save;

	(void)state;
	capture();
	for (i = 0; i < THREADS; i++) {
		number[i] = i;
		pthread_create(&thread[i], NULL, write_many, &number[i]);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	captured();
	for (line = strtok_r(text, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save), lines++) {
		assert_int_equal(strncmp(line, "20", 2), 0);
		assert_string_equal(line + strlen(line) - 4, " end");
		assert_null(strstr(strstr(line, "thread=") + 1, "thread="));
	}
	assert_int_equal(lines, THREADS * EACH);
}

static void
values_are_quoted_when_they_must_be(void **state)
{
	static const struct {
		const char	*in, *out;
	} rows[] = {
		{ NULL, "-" }, { "", "\"\"" }, { "plain", "plain" },
		{ "/api/v1/me", "/api/v1/me" }, { "水站", "水站" },
		{ "a b", "\"a b\"" }, { "a\"b", "\"a\\\"b\"" },
		{ "a=b", "\"a=b\"" }, { "a\\b", "\"a\\\\b\"" },
		{ "a\nb\tc", "\"a\\nb\\tc\"" }, { "\x01", "\"\\x01\"" },
		{ "\x7f", "\"\\x7f\"" }, { "\xff", "\"\\xff\"" },
		{ "\xc2\x9b" "2J", "\"\\xc2\\x9b2J\"" },
		{ "\u202e", "\"\\xe2\\x80\\xae\"" },
	};
	char	 out[64];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		assert_string_equal(log_quote(rows[i].in, out, sizeof(out)),
		    rows[i].out);
}

static void
long_values_are_cut_and_closed(void **state)
{
	char	 out[16], guard[16];
	size_t	 size;

	(void)state;
	assert_string_equal(log_quote("abcdefghijklmno", out, sizeof(out)),
	    "abcdefghijklmno");
	assert_string_equal(log_quote("abcdefghijklmnop", out, sizeof(out)),
	    "\"abcdefghij...\"");
	assert_string_equal(log_quote("水水水水水水", out, sizeof(out)),
	    "\"水水水...\"");
	for (size = 0; size <= sizeof(out); size++) {
		memset(out, 'G', sizeof(out));
		memset(guard, 'G', sizeof(guard));
		log_quote("\n\n\n\n\n\n 水水水水水水水", out, size);
		assert_memory_equal(out + size, guard, sizeof(out) - size);
		if (size > 0)
			assert_non_null(memchr(out, '\0', size));
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(a_line_has_time_level_and_program),
		cmocka_unit_test(lesser_levels_are_left_out),
		cmocka_unit_test(a_line_stays_one_line),
		cmocka_unit_test(a_long_line_is_cut_and_marked),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(lines_of_threads_do_not_mix),
		cmocka_unit_test(values_are_quoted_when_they_must_be),
		cmocka_unit_test(long_values_are_cut_and_closed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
