/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_csv.c -- tables as spreadsheets save them, good and broken.
 */
#include "unit.h"

#include "base/csv.h"

static FILE		*file;
static struct csv	*csv;
static struct csv_row	 row;

static void
open_bytes(const char *s, size_t n)
{
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fwrite(s, 1, n, file), n);
	rewind(file);
	csv = csv_new(file);
}

static void
open_text(const char *s)
{
	open_bytes(s, strlen(s));
}

static void
close_file(void)
{
	csv_free(csv);
	fclose(file);
}

/* The next row is at `line` and reads a|b|c. */
static void
assert_row(int line, const char *want)
{
	char	 have[4096] = "";
	size_t	 n = 0;
	int	 i;

	assert_int_equal(csv_next(csv, &row), CSV_ROW);
	for (i = 0; i < row.count; i++)
		n += (size_t)snprintf(have + n, sizeof(have) - n, "%s%s",
		    i == 0 ? "" : "|", row.field[i]);
	assert_string_equal(have, want);
	assert_int_equal(row.line, line);
	for (; i < CSV_COLUMNS_MAX; i++)
		assert_null(row.field[i]);
}

static void
assert_state(enum csv_state want, int line)
{
	int	 i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(csv_next(csv, &row), want);
		assert_int_equal(row.line, line);
		assert_int_equal(row.count, 0);
	}
}

static void
rows_are_read(void **state)
{
	(void)state;
	open_text("name,floor\n学苑,3\n,\nx,4");
	assert_row(1, "name|floor");
	assert_row(2, "学苑|3");
	assert_row(3, "|");
	assert_row(4, "x|4");
	assert_state(CSV_END, 4);
	close_file();
}

static void
line_ends_of_all_systems_are_read(void **state)
{
	(void)state;
	open_text("a,b\r\nc,d\re,f\n\r\n\n\"g\"\r\n\"h\"\r");
	assert_row(1, "a|b");
	assert_row(2, "c|d");
	assert_row(3, "e|f");
	assert_row(6, "g");
	assert_row(7, "h");
	assert_state(CSV_END, 8);
	close_file();
}

static void
quoted_fields_hold_anything(void **state)
{
	(void)state;
	open_text("\"a,b\",\"say \"\"hi\"\"\",\"\"\n"
	    "\"one\r\ntwo\nthree\rfour\",x\n\"\"\"\"\nlast,\"\"");
	assert_row(1, "a,b|say \"hi\"|");
	assert_row(2, "one\ntwo\nthree\nfour|x");
	assert_row(6, "\"");
	assert_row(7, "last|");
	assert_state(CSV_END, 7);
	close_file();
}

static void
blanks_are_part_of_a_field(void **state)
{
	(void)state;
	open_text(" a , b\n \n");
	assert_row(1, " a | b");
	assert_row(2, " ");
	assert_state(CSV_END, 3);
	close_file();
}

static void
an_empty_file_has_no_rows(void **state)
{
	static const char *const	 rows[] = { "", "\xef\xbb\xbf" };
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		open_text(rows[i]);
		assert_state(CSV_END, 1);
		close_file();
	}
	open_text("\xef\xbb\xbf\n\r\n");
	assert_state(CSV_END, 3);
	close_file();
}

static void
a_mark_is_dropped(void **state)
{
	(void)state;
	open_text("\xef\xbb\xbf\"社区\",b\n\xef\xbb\xbf" "c\n");
	assert_row(1, "社区|b");
	assert_row(2, "\xef\xbb\xbf" "c");
	close_file();
}

static void
gbk_is_known_by_its_bytes(void **state)
{
	(void)state;
	open_text("\xd1\xa7\xd4\xb7,\"\xc7\xe0\xcb\xc9,1\"\nx,\xcb\xae\n");
	assert_row(1, "学苑|青松,1");
	assert_row(2, "x|水");
	assert_state(CSV_END, 3);
	close_file();
	/* 联通 alone would pass for UTF-8: the file decides. */
	open_text("\xc1\xaa\xcd\xa8\nabc\n\xc9\xe7\xc7\xf8\n");
	assert_row(1, "联通");
	assert_row(2, "abc");
	assert_row(3, "社区");
	close_file();
}

/* Characters that lie across the chunks in which the encoding is found. */
static void
long_files_of_utf8_are_utf8(void **state)
{
	static const char *const	 chars[] = { "水", "💧", "é" };
	FILE				*f;
	size_t				 i, shift;
	int				 n;

	(void)state;
	for (i = 0; i < nitems(chars); i++)
		for (shift = 0; shift < 4; shift++) {
			f = tmpfile();
			assert_non_null(f);
			fprintf(f, "%.*s\n", (int)shift, "abc");
			for (n = 0; n < 60000; n++)
				fprintf(f, "%s%s", chars[i],
				    n % 1000 == 999 ? "\n" : "");
			rewind(f);
			csv = csv_new(f);
			for (n = 0; csv_next(csv, &row) == CSV_ROW; n++)
				assert_true(strncmp(row.field[0], "abc",
				    shift) == 0 || strncmp(row.field[0],
				    chars[i], strlen(chars[i])) == 0);
			assert_int_equal(n, 60 + (shift > 0));
			csv_free(csv);
			fclose(f);
		}
}

static void
what_is_neither_is_refused(void **state)
{
	(void)state;
	open_text("a,b\nok,\xff\n");
	assert_row(1, "a|b");
	assert_state(CSV_ENCODING, 2);
	close_file();
	/* With a mark it is UTF-8 or nothing. */
	open_text("\xef\xbb\xbf" "a\n\xc9\xe7\xc7\xf8\n");
	assert_row(1, "a");
	assert_state(CSV_ENCODING, 2);
	close_file();
	open_bytes("a\nb\0c\n", 6);
	assert_row(1, "a");
	assert_state(CSV_ENCODING, 2);
	close_file();
	/* A character without its end, at the very end. */
	open_text("a\n\xe6\xb0");
	assert_row(1, "a");
	assert_int_not_equal(csv_next(csv, &row), CSV_END);
	close_file();
}

static void
quotes_in_the_wrong_place_are_refused(void **state)
{
	static const struct {
		const char	*text;
		int		 line;
	} rows[] = {
		{ "a\nb\"c\n", 2 }, { "a\n\"b\"c\n", 2 }, { "a\n\"b\" ,c\n",
		    2 }, { "a\n b,\"c\nd\n\ne", 2 }, { "a\n\"", 2 },
		{ "a\nx,\"one\ntwo\"three\n", 3 }, { "a\n \"b\"\n", 2 },
		{ "a\n\"b\"\"", 2 },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		open_text(rows[i].text);
		assert_row(1, "a");
		assert_state(CSV_QUOTE, rows[i].line);
		close_file();
	}
}

static void
fields_end_at_64_kib(void **state)
{
	static char	 text[CSV_FIELD_MAX + 8];
	int		 quoted;

	(void)state;
	for (quoted = 0; quoted < 2; quoted++) {
		memset(text, 'a', sizeof(text));
		text[0] = '\n';
		text[1] = quoted ? '"' : 'a';
		text[CSV_FIELD_MAX + quoted + 1] = quoted ? '"' : '\n';
		open_bytes(text, CSV_FIELD_MAX + (size_t)quoted + 2);
		assert_int_equal(csv_next(csv, &row), CSV_ROW);
		assert_int_equal(strlen(row.field[0]), CSV_FIELD_MAX);
		close_file();
		text[CSV_FIELD_MAX + quoted + 1] = 'a';
		open_bytes(text, sizeof(text));
		assert_state(CSV_LONG, 2);
		close_file();
	}
}

static void
rows_end_at_64_columns(void **state)
{
	char	 text[256] = "";
	int	 i;

	(void)state;
	for (i = 0; i < CSV_COLUMNS_MAX - 1; i++)
		text[i] = ',';
	open_text(text);
	assert_int_equal(csv_next(csv, &row), CSV_ROW);
	assert_int_equal(row.count, CSV_COLUMNS_MAX);
	assert_state(CSV_END, 1);
	close_file();
	text[i] = ',';
	open_text(text);
	assert_state(CSV_COLUMNS, 1);
	close_file();
}

static void
a_pipe_is_read_as_well(void **state)
{
	FILE	*f = popen("printf '\\311\\347\\307\\370,1\\nx,2\\n'", "r");

	(void)state;
	assert_non_null(f);
	csv = csv_new(f);
	assert_row(1, "社区|1");
	assert_row(2, "x|2");
	assert_state(CSV_END, 3);
	csv_free(csv);
	pclose(f);
	f = popen("printf '\\357\\273\\277\\346\\260\\264\\n'", "r");
	assert_non_null(f);
	csv = csv_new(f);
	assert_row(1, "水");
	csv_free(csv);
	pclose(f);
}

static void
what_cannot_be_read_is_told(void **state)
{
	FILE	*f = fopen("/", "r");

	(void)state;
	assert_non_null(f);
	csv = csv_new(f);
	assert_state(CSV_READ, 1);
	csv_free(csv);
	fclose(f);
	csv_free(NULL);
}

static void
each_state_has_its_words(void **state)
{
	int	 a, b;

	(void)state;
	for (a = CSV_ROW; a <= CSV_READ; a++)
		for (b = CSV_ROW; b < a; b++)
			assert_string_not_equal(csv_why((enum csv_state)a),
			    csv_why((enum csv_state)b));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(line_ends_of_all_systems_are_read),
		cmocka_unit_test(quoted_fields_hold_anything),
		cmocka_unit_test(blanks_are_part_of_a_field),
		cmocka_unit_test(an_empty_file_has_no_rows),
		cmocka_unit_test(a_mark_is_dropped),
		cmocka_unit_test(gbk_is_known_by_its_bytes),
		cmocka_unit_test(long_files_of_utf8_are_utf8),
		cmocka_unit_test(what_is_neither_is_refused),
		cmocka_unit_test(quotes_in_the_wrong_place_are_refused),
		cmocka_unit_test(fields_end_at_64_kib),
		cmocka_unit_test(rows_end_at_64_columns),
		cmocka_unit_test(a_pipe_is_read_as_well),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(each_state_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
