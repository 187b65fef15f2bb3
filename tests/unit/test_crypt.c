/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_crypt.c -- tokens, passwords, sealed columns, indexes, cursors.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "unit.h"

#include "base/arena.h"
#include "base/crypt.h"

#define KEY_A	"a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define KEY_B	"b AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
#define KEY_C	"c AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n"

static struct arena	*arena;
static const char	*folder, *path;

static bool
load(const char *text, mode_t mode)
{
	unit_write(path, text, strlen(text), mode);
	return crypt_load_keys(path);
}

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1024 * 1024);
	folder = unit_folder();
	path = strdup(unit_path(folder, "keys"));
	return crypt_init() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	unlink(path);
	free((char *)(uintptr_t)path);
	return rmdir(folder);
}

/* Runs first: no key is loaded yet. */
static void
without_keys_nothing_is_sealed(void **state)
{
	int64_t	 v = 0;
	int	 status;
	pid_t	 pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		crypt_seal(arena, "phone", "13812341234");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_null(crypt_open(arena, "phone", "a:AAAA"));
	/* Cursors of this process work all the same. */
	assert_true(crypt_cursor_read("x", crypt_cursor(arena, "x", 5), &v));
	assert_int_equal(v, 5);
}

static void
random_bytes_differ(void **state)
{
	unsigned char	 a[32] = { 0 }, b[32] = { 0 };
	unsigned	 seen = 0;
	uint32_t	 v;
	int		 i;

	(void)state;
	crypt_random(a, sizeof(a));
	crypt_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (i = 0; i < 1000; i++) {
		v = crypt_uniform(10);
		assert_in_range(v, 0, 9);
		seen |= 1u << v;
	}
	assert_int_equal(seen, 0x3ff);
}

static void
tokens_are_base64url_and_differ(void **state)
{
	char	 a[CRYPT_TOKEN_MAX], b[CRYPT_TOKEN_MAX];

	(void)state;
	crypt_token(a);
	crypt_token(b);
	assert_int_equal(strlen(a), 43);
	assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	assert_string_not_equal(a, b);
}

static void
sha256_is_the_standards(void **state)
{
	char	 out[CRYPT_HEX_MAX];

	(void)state;
	crypt_sha256("abc", 3, out);
	assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	crypt_sha256("", 0, out);
	assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

static void
sha256_of_a_file_is_that_of_its_bytes(void **state)
{
	static char	 data[200000];
	char		 want[CRYPT_HEX_MAX], out[CRYPT_HEX_MAX];
	int64_t		 size = -1;

	(void)state;
	memset(data, 'x', sizeof(data));
	unit_write(path, data, sizeof(data), 0600);
	crypt_sha256(data, sizeof(data), want);
	assert_true(crypt_sha256_file(path, out, &size));
	assert_string_equal(out, want);
	assert_int_equal(size, sizeof(data));
	unit_write(path, "", 0, 0600);
	crypt_sha256("", 0, want);
	assert_true(crypt_sha256_file(path, out, &size));
	assert_string_equal(out, want);
	assert_int_equal(size, 0);
}

static void
what_is_no_file_has_no_sha256(void **state)
{
	char	 out[CRYPT_HEX_MAX] = "x";
	int64_t	 size = -1;

	(void)state;
	assert_false(crypt_sha256_file(folder, out, &size));
	assert_string_equal(out, "");
	assert_int_equal(size, 0);
	unlink(path);
	assert_false(crypt_sha256_file(path, out, &size));
	/* Nobody writes into it, and nobody waits. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(crypt_sha256_file(path, out, &size));
	unlink(path);
}

static void
equal_is_equal(void **state)
{
	(void)state;
	assert_true(crypt_equal("", ""));
	assert_true(crypt_equal("1234", "1234"));
	assert_false(crypt_equal("1234", "1235"));
	assert_false(crypt_equal("1234", "123"));
	assert_false(crypt_equal("", "1"));
}

static void
key_files_are_read(void **state)
{
	(void)state;
	assert_true(load(KEY_A, 0600));
	assert_true(load("# first\n\n" KEY_A KEY_B, 0400));
	/* Lines of an editor elsewhere, and no line end at the end. */
	assert_true(load("a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
	    "b-1_X AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", 0600));
}

static void
bad_key_files_are_refused(void **state)
{
	static const char *const	 rows[] = {
		"", "# none\n", "a\n", "a \n", "a AAAA\n", KEY_A KEY_A,
		" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
		"a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*=\n",
		"a AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= x\n",
		"a:b AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"12345678901234567 "
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		KEY_A "b\n",
	};
	char	*sealed;
	size_t	 i;

	(void)state;
	assert_true(load(KEY_A, 0600));
	sealed = crypt_seal(arena, "phone", "13812341234");
	for (i = 0; i < nitems(rows); i++)
		if (load(rows[i], 0600))
			fail_msg("row %zu was taken", i);
	assert_false(load(KEY_B, 0640));
	assert_false(load(KEY_B, 0604));
	assert_false(crypt_load_keys(folder));
	assert_false(crypt_load_keys(unit_path(folder, "absent")));
	/* A refused file changes nothing. */
	assert_string_equal(crypt_open(arena, "phone", sealed),
	    "13812341234");
}

static void
too_many_keys_are_refused(void **state)
{
	char	 text[4096] = "";
	size_t	 n = 0;
	int	 i;

	(void)state;
	for (i = 0; i < 16; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%d%s", i,
		    &KEY_A[0]);
	assert_true(load(text, 0600));
	snprintf(text + n, sizeof(text) - n, "%s", KEY_B);
	assert_false(load(text, 0600));
}

static void
a_new_key_file_is_written_once(void **state)
{
	const char	*fresh = unit_path(folder, "fresh");
	struct stat	 st;

	(void)state;
	umask(0);
	assert_true(crypt_new_keys(fresh));
	assert_int_equal(stat(fresh, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(crypt_load_keys(fresh));
	assert_false(crypt_new_keys(fresh));
	assert_true(crypt_load_keys(fresh));
	unlink(fresh);
	assert_false(crypt_new_keys(unit_path(folder, "absent/keys")));
}

static void
what_is_sealed_opens(void **state)
{
	static const char *const	 rows[] = { "", "1", "13812341234",
	    "贵州省安顺市西秀区学苑社区3栋1单元402" };
	char	*a, *b;
	size_t	 i;

	(void)state;
	assert_true(load(KEY_A, 0600));
	for (i = 0; i < nitems(rows); i++) {
		a = crypt_seal(arena, "phone", rows[i]);
		b = crypt_seal(arena, "phone", rows[i]);
		assert_int_equal(strncmp(a, "a:", 2), 0);
		assert_string_not_equal(a, b);
		assert_string_equal(crypt_open(arena, "phone", a), rows[i]);
		assert_string_equal(crypt_open(arena, "phone", b), rows[i]);
		if (strlen(rows[i]) > 8)
			assert_null(strstr(a + 2, rows[i]));
	}
}

static void
what_was_changed_does_not_open(void **state)
{
	char	*sealed, *other;
	size_t	 i;

	(void)state;
	assert_true(load(KEY_A, 0600));
	sealed = crypt_seal(arena, "phone", "13812341234");
	assert_null(crypt_open(arena, "name", sealed));
	assert_null(crypt_open(arena, "", sealed));
	for (i = 0; sealed[i] != '\0'; i++) {
		other = arena_str(arena, sealed);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert_null(crypt_open(arena, "phone", other));
		other = arena_copy(arena, sealed, i);
		assert_null(crypt_open(arena, "phone", other));
	}
	assert_null(crypt_open(arena, "phone",
	    arena_fmt(arena, "%s=", sealed)));
	assert_null(crypt_open(arena, "phone", "13812341234"));
	assert_null(crypt_open(arena, "phone", "a:"));
	assert_null(crypt_open(arena, "phone", ":"));
	assert_null(crypt_open(arena, "phone", ""));
	/* Under another key of the same name. */
	assert_true(load("a AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n",
	    0600));
	assert_null(crypt_open(arena, "phone", sealed));
}

static void
a_rotated_key_seals_and_the_old_one_opens(void **state)
{
	char	*old, *fresh, *index, *cursor;
	int64_t	 v = 0;

	(void)state;
	assert_true(load(KEY_A, 0600));
	old = crypt_seal(arena, "phone", "13812341234");
	index = crypt_index(arena, "phone", "13812341234");
	cursor = crypt_cursor(arena, "orders", 77);
	assert_true(load(KEY_A KEY_B KEY_C, 0600));
	fresh = crypt_seal(arena, "phone", "13812341234");
	assert_int_equal(strncmp(fresh, "c:", 2), 0);
	assert_string_equal(crypt_open(arena, "phone", old), "13812341234");
	assert_string_equal(crypt_open(arena, "phone", fresh),
	    "13812341234");
	/* Or a look-up would miss what was written before. */
	assert_string_equal(crypt_index(arena, "phone", "13812341234"),
	    index);
	assert_true(crypt_cursor_read("orders", cursor, &v));
	assert_int_equal(v, 77);
	assert_true(load(KEY_B KEY_C, 0600));
	assert_null(crypt_open(arena, "phone", old));
	assert_string_equal(crypt_open(arena, "phone", fresh),
	    "13812341234");
	assert_string_not_equal(crypt_index(arena, "phone", "13812341234"),
	    index);
}

static void
an_index_tells_values_and_columns_apart(void **state)
{
	const char	*one;

	(void)state;
	assert_true(load(KEY_A, 0600));
	one = crypt_index(arena, "phone", "13812341234");
	assert_int_equal(strlen(one), 64);
	assert_int_equal(strspn(one, "0123456789abcdef"), 64);
	assert_string_equal(crypt_index(arena, "phone", "13812341234"), one);
	assert_string_not_equal(crypt_index(arena, "phone", "13812341235"),
	    one);
	assert_string_not_equal(crypt_index(arena, "phon", "e13812341234"),
	    one);
	assert_string_not_equal(crypt_index(arena, "phone2", "13812341234"),
	    one);
}

static void
a_password_fits_its_hash_only(void **state)
{
	const char	*hash = crypt_password(arena, "一二三 correct");

	(void)state;
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$",
	    31), 0);
	assert_string_not_equal(crypt_password(arena, "一二三 correct"),
	    hash);
	assert_true(crypt_password_fits(hash, "一二三 correct"));
	assert_false(crypt_password_fits(hash, "一二三 Correct"));
	assert_false(crypt_password_fits(hash, ""));
	assert_false(crypt_password_fits("", "x"));
	assert_false(crypt_password_fits("plain", "plain"));
	assert_false(crypt_password_fits(NULL, "x"));
	assert_false(crypt_password_fits(NULL, ""));
}

static void
a_cursor_is_read_where_it_was_made(void **state)
{
	static const int64_t	 rows[] = { 0, 1, -1, INT64_MAX, INT64_MIN,
	    1234567890123456789 };
	int64_t			 v;
	size_t			 i;
	char			*c;

	(void)state;
	assert_true(load(KEY_A, 0600));
	for (i = 0; i < nitems(rows); i++) {
		v = 42;
		c = crypt_cursor(arena, "orders:7", rows[i]);
		assert_int_equal(strspn(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(c));
		assert_false(crypt_cursor_read("orders:8", c, &v));
		assert_int_equal(v, 42);
		assert_true(crypt_cursor_read("orders:7", c, &v));
		assert_int_equal(v, rows[i]);
	}
}

static void
a_cursor_made_by_hand_is_refused(void **state)
{
	const char	*c = crypt_cursor(arena, "s", 9);
	char		*other;
	int64_t		 v = 42;
	size_t		 i;

	(void)state;
	for (i = 0; c[i] != '\0'; i++) {
		other = arena_str(arena, c);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert_false(crypt_cursor_read("s", other, &v));
		assert_false(crypt_cursor_read("s", arena_copy(arena, c, i),
		    &v));
	}
	assert_false(crypt_cursor_read("s", arena_fmt(arena, "%sAAAA", c),
	    &v));
	assert_false(crypt_cursor_read("s", "9", &v));
	assert_false(crypt_cursor_read("s", "游标", &v));
	assert_int_equal(v, 42);
}

/* What somebody else put into the file, as programs that run see it. */
static void
a_changed_file_is_followed(void **state)
{
	char	*by_a, *by_b;

	(void)state;
	assert_true(load(KEY_A KEY_B, 0600));
	by_b = crypt_seal(arena, "x", "text");
	assert_true(load(KEY_A, 0600));
	by_a = crypt_seal(arena, "x", "text");
	assert_null(crypt_open(arena, "x", by_b));
	unit_write(path, KEY_A KEY_B, strlen(KEY_A KEY_B), 0600);
	assert_string_equal(crypt_open(arena, "x", by_b), "text");
	/* A file that cannot be used leaves what is known. */
	unit_write(path, "rubbish\n", 8, 0600);
	assert_null(crypt_open(arena, "x", "c:AAAA"));
	assert_string_equal(crypt_open(arena, "x", by_a), "text");
	assert_string_equal(crypt_open(arena, "x", by_b), "text");
	unlink(path);
	assert_null(crypt_open(arena, "x", "c:AAAA"));
	assert_string_equal(crypt_open(arena, "x", by_b), "text");
	assert_true(load(KEY_A, 0600));
}

static void
a_key_is_added_and_dropped(void **state)
{
	char		 names[4][CRYPT_KEY_MAX], cursor[128];
	const char	*index, *old, *fresh;
	struct stat	 st;
	int64_t		 v;

	(void)state;
	assert_true(load(KEY_A "# a word\n", 0600));
	index = crypt_index(arena, "x", "text");
	snprintf(cursor, sizeof(cursor), "%s", crypt_cursor(arena, "s", 7));
	old = crypt_seal(arena, "x", "text");
	assert_true(crypt_add_key(path));
	assert_int_equal(crypt_keys(names, 4), 2);
	assert_string_equal(names[0], "a");
	fresh = crypt_seal(arena, "x", "text");
	assert_memory_equal(fresh, names[1], strlen(names[1]));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(crypt_drop_key(path, names[1]));
	assert_false(crypt_drop_key(path, "b"));
	assert_false(crypt_drop_key(path, "@index"));
	assert_int_equal(crypt_keys(names, 4), 2);
	assert_true(crypt_drop_key(path, "a"));
	assert_int_equal(crypt_keys(names, 4), 1);
	assert_null(crypt_open(arena, "x", old));
	/* What was found is found, here and in a program that starts now. */
	assert_string_equal(crypt_index(arena, "x", "text"), index);
	assert_true(crypt_load_keys(path));
	assert_string_equal(crypt_index(arena, "x", "text"), index);
	assert_true(crypt_cursor_read("s", cursor, &v));
	assert_int_equal(v, 7);
	assert_string_equal(crypt_open(arena, "x", fresh), "text");
	/* And again, when the first line is not the first key. */
	assert_true(crypt_add_key(path));
	assert_int_equal(crypt_keys(names, 4), 2);
	assert_true(crypt_drop_key(path, names[0]));
	assert_string_equal(crypt_index(arena, "x", "text"), index);
	while (crypt_keys(names, 4) < 16)
		assert_true(crypt_add_key(path));
	assert_false(crypt_add_key(path));
	assert_true(crypt_load_keys(path));
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(crypt_add_key(path));
	assert_false(crypt_add_key(unit_path(folder, "absent")));
}

static void
lines_of_index_stand_first(void **state)
{
	static const char index[] =
	    "@index AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

	(void)state;
	assert_true(load(KEY_A, 0600));
	unit_write(path, KEY_A, strlen(KEY_A), 0600);
	assert_false(load("@index AgI=\n" KEY_A, 0600));
	assert_false(load("@other AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
	    "=\n" KEY_A, 0600));
	unit_write(path, index, strlen(index), 0600);
	assert_false(crypt_load_keys(path));	/* no key */
	assert_true(load(KEY_A, 0600));
}

#define SEALERS	4
static _Atomic int	 over;

static void *
seal_on(void *arg)
{
	struct arena	*a = arena_new(1024 * 1024);
	char		*s;
	intptr_t	 bad = 0;

	(void)arg;
	while (!over) {
		s = crypt_seal(a, "x", "text");
		s = crypt_open(a, "x", s);
		bad += s == NULL || strcmp(s, "text") != 0;
		arena_reset(a);
	}
	arena_free(a);
	return (void *)bad;
}

static void
threads_seal_while_keys_change(void **state)
{
	char		 names[16][CRYPT_KEY_MAX];
	pthread_t	 t[SEALERS];
	void		*bad;
	int		 i;

	(void)state;
	over = 0;
	assert_true(load(KEY_A, 0600));
	for (i = 0; i < SEALERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, seal_on, NULL),
		    0);
	for (i = 0; i < 8; i++) {
		assert_true(crypt_add_key(path));
		assert_int_equal(crypt_keys(names, 16), i + 2);
	}
	over = 1;
	for (i = 0; i < SEALERS; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(without_keys_nothing_is_sealed),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(tokens_are_base64url_and_differ),
		cmocka_unit_test(sha256_is_the_standards),
		cmocka_unit_test(sha256_of_a_file_is_that_of_its_bytes),
		cmocka_unit_test(what_is_no_file_has_no_sha256),
		cmocka_unit_test(equal_is_equal),
		cmocka_unit_test(key_files_are_read),
		cmocka_unit_test(bad_key_files_are_refused),
		cmocka_unit_test(too_many_keys_are_refused),
		cmocka_unit_test(a_new_key_file_is_written_once),
		cmocka_unit_test(what_is_sealed_opens),
		cmocka_unit_test(what_was_changed_does_not_open),
		cmocka_unit_test(a_rotated_key_seals_and_the_old_one_opens),
		cmocka_unit_test(a_changed_file_is_followed),
		cmocka_unit_test(a_key_is_added_and_dropped),
		cmocka_unit_test(lines_of_index_stand_first),
		cmocka_unit_test(threads_seal_while_keys_change),
		cmocka_unit_test(an_index_tells_values_and_columns_apart),
		cmocka_unit_test(a_password_fits_its_hash_only),
		cmocka_unit_test(a_cursor_is_read_where_it_was_made),
		cmocka_unit_test(a_cursor_made_by_hand_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
