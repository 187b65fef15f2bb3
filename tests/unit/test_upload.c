/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_upload.c -- forms with a file, however they are cut on their way,
 * and what is no such form.
 */
#include "unit.h"

#include "http_rig.h"

#include "http/upload.h"

#define TYPE	"multipart/form-data; boundary=XyZ"
#define PART	"\r\n--XyZ\r\nContent-Disposition: form-data; name="
#define FIRST	"--XyZ\r\nContent-Disposition: form-data; name="
#define END	"\r\n--XyZ--\r\n"
#define A_FILE	"\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n"
#define KIND	PART "\"kind\"\r\n\r\nroster"

struct sent {
	int64_t		 kind;
	const char	*note;
};

static const char *const kinds[] = { "territory", "roster", NULL };
static const struct field sent_fields[] = {
	F_ENUM(sent, kind, "种类", MUST, kinds),
	F_TEXT(sent, note, "备注", MAY, 0, 2000),
	F_END
};
static const struct shape sent_shape = SHAPE_UPLOAD(sent, "Sent");
static const struct route sent_route = { POST, "/api/v1/sent", ANYONE,
	&sent_shape, REPLY_NONE, NULL, 204, POOL_API, TX_OWN, NULL, "Send" };

/* A body that comes in pieces; `step` is the largest of them. */
struct body {
	const char	*data;
	size_t		 n, at, step;
};

static struct rig rig;
static char path[256];
static struct upload got;

static long
next(struct req *rq, void *to, size_t max)
{
	struct body *b = rq->reader;
	size_t n = b->n - b->at;

	n = n < max ? n : max;
	n = n < b->step ? n : b->step;
	memcpy(to, b->data + b->at, n);
	b->at += n;
	return (long)n;
}

/* Send `n` bytes as a form in pieces of `step`. */
static enum err
send_bytes(const char *type, const char *data, size_t n, size_t step)
{
	static struct body b;
	struct req *rq = rig_request(&rig, POST, "/api/v1/sent");

	unlink(path);
	b = (struct body){ data, n, 0, step };
	rq->route = &sent_route;
	rq->content_type = type;
	rq->read = next;
	rq->reader = &b;
	return upload_read(rq, path, &got);
}

static enum err
send(const char *data)
{
	return send_bytes(TYPE, data, strlen(data), 4096);
}

static const struct sent *
sent(void)
{
	return rig.rq.in;
}

/* The fault of a field, or NULL. */
static const char *
fault(const char *field)
{
	const struct req_fault *f;

	for (f = rig.rq.faults; f != NULL; f = f->next)
		if (strcmp(f->field, field) == 0)
			return f->code;
	return NULL;
}

static bool
is_there(void)
{
	return access(path, F_OK) == 0;
}

/* The file is there, holds just this, and is nobody else's to read. */
static void
assert_file(const char *data, size_t n)
{
	char *is = malloc(n + 1);
	FILE *f = fopen(path, "r");
	struct stat st;

	assert_non_null(f);
	assert_non_null(is);
	assert_int_equal(fread(is, 1, n + 1, f), n);
	assert_memory_equal(is, data, n);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fclose(f);
	free(is);
	assert_int_equal(got.size, n);
}

static void
assert_malformed(const char *data)
{
	assert_int_equal(send(data), ERR_MALFORMED);
	assert_false(is_there());
}

static int
setup(void **state)
{
	(void)state;
	rig_start(&rig, false);
	snprintf(path, sizeof(path), "%s/sent.csv", rig.folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

/* ---- what is a form ---- */

/* Each cut of a form falls within each of its boundaries once. */
static void
test_form_in_pieces_of_any_size(void **state)
{
	static const char form[] = "ignored\r\n" FIRST A_FILE "a,b\r\n1,2"
	    KIND PART "\"note\"\r\n\r\n a&b=c%" END "ignored too";
	size_t step;

	(void)state;
	for (step = 1; step <= sizeof(form); step++) {
		assert_int_equal(send_bytes(TYPE, form, sizeof(form) - 1,
		    step), OK);
		assert_file("a,b\r\n1,2", 8);
		assert_string_equal(got.name, "a.csv");
		assert_int_equal(sent()->kind, 1);
		assert_string_equal(sent()->note, "a&b=c%");
		assert_true(field_given(&rig.rq, "note"));
	}
}

static void
test_parts_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(send(FIRST "\"kind\"\r\n\r\nterritory" PART A_FILE
	    "x" END), OK);
	assert_file("x", 1);
	assert_int_equal(sent()->kind, 0);
	assert_false(field_given(&rig.rq, "note"));
	assert_null(sent()->note);
}

static void
test_empty_file_and_empty_value(void **state)
{
	(void)state;
	assert_int_equal(send(FIRST A_FILE KIND PART "\"note\"\r\n\r\n" END),
	    OK);
	assert_file("", 0);
	assert_true(field_given(&rig.rq, "note"));
	assert_string_equal(sent()->note, "");
}

/* What begins as a boundary does and is none belongs to the file. */
static void
test_data_like_boundaries(void **state)
{
	static const char data[] = "--XyZ\r\n--XyY\r\n--Xy\r\n\r\n--\r-\n--XyZ"
	    "\r\n\r\n-\r\n--xyz\r\n\0--XyZ\r";
	char form[1024];
	size_t n, step;

	(void)state;
	n = (size_t)snprintf(form, sizeof(form), "%s", FIRST A_FILE);
	memcpy(form + n, data, sizeof(data) - 1);
	n += sizeof(data) - 1;
	n += (size_t)snprintf(form + n, sizeof(form) - n, "%s", KIND END);
	for (step = 1; step < 80; step++) {
		assert_int_equal(send_bytes(TYPE, form, n, step), OK);
		assert_file(data, sizeof(data) - 1);
	}
}

/* Its boundary stands at each place about the end of the window. */
static void
test_file_larger_than_the_window(void **state)
{
	static char form[140000];
	size_t head, size, n;

	(void)state;
	head = strlen(FIRST A_FILE);
	for (size = 65536 - head - 12; size < 65536 - head + 4; size++) {
		memcpy(form, FIRST A_FILE, head);
		memset(form + head, '\r', size);
		n = head + size;
		n += (size_t)snprintf(form + n, sizeof(form) - n, "%s",
		    KIND END);
		assert_int_equal(send_bytes(TYPE, form, n, n), OK);
		assert_file(form + head, size);
		assert_int_equal(send_bytes(TYPE, form, n, 65535), OK);
		assert_file(form + head, size);
	}
	size = 130000;
	memset(form + head, '-', size);
	n = head + size;
	n += (size_t)snprintf(form + n, sizeof(form) - n, "%s", KIND END);
	assert_int_equal(send_bytes(TYPE, form, n, 1000), OK);
	assert_file(form + head, size);
}

static void
test_boundary_of_the_content_type(void **state)
{
	static const char form[] = FIRST A_FILE "x" KIND END;
	static const char *const good[] = {
		"multipart/form-data; boundary=\"XyZ\"",
		"multipart/form-data; charset=utf-8; BOUNDARY=XyZ; more=1",
		"multipart/form-data; boundary=XyZ ",
	};
	static const char *const bad[] = {
		NULL, "multipart/form-data", "multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"XyZ",
		"multipart/form-data; boundary=12345678901234567890123456789012"
		"345678901234567890123456789012345678901",
	};
	char longest[256], type[256];
	size_t i;

	(void)state;
	for (i = 0; i < nitems(good); i++)
		assert_int_equal(send_bytes(good[i], form, strlen(form), 99),
		    OK);
	for (i = 0; i < nitems(bad); i++) {
		assert_int_equal(send_bytes(bad[i], form, strlen(form), 99),
		    ERR_MEDIA_TYPE);
		assert_false(is_there());
	}
	/* Seventy is the most there may be. */
	snprintf(type, sizeof(type), "multipart/form-data; boundary=%070d", 1);
	snprintf(longest, sizeof(longest), "--%070d\r\nContent-Disposition:"
	    " form-data; name=\"kind\"\r\n\r\nroster\r\n--%070d--", 1, 1);
	assert_int_equal(send_bytes(type, longest, strlen(longest), 99),
	    ERR_FIELD);
	assert_string_equal(fault("file"), "required");
	assert_null(fault("kind"));
}

/* ---- names ---- */

static void
assert_name(const char *disposition, const char *name)
{
	char form[1024];

	snprintf(form, sizeof(form), "--XyZ\r\n%s\r\n\r\nx" KIND END,
	    disposition);
	assert_int_equal(send(form), OK);
	assert_file("x", 1);
	assert_string_equal(got.name, name);
}

static void
test_names_of_files(void **state)
{
#define D "Content-Disposition: form-data; "
	(void)state;
	assert_name(D "name=\"file\"; filename=\"花名册 2026.csv\"",
	    "花名册 2026.csv");
	assert_name(D "name=\"file\"; filename=\"a \\\"b\\\" \\\\c.csv\"",
	    "c.csv");
	assert_name(D "name=\"file\"; filename=\"a \\\"b\\\".csv\"",
	    "a \"b\".csv");
	assert_name(D "name=\"file\"; filename=\"C:\\tmp\\花.csv\"", "花.csv");
	assert_name(D "name=\"file\"; filename=\"../../etc/passwd\"", "passwd");
	assert_name(D "name=file; filename=a.csv", "a.csv");
	assert_name("CONTENT-DISPOSITION:form-data;NAME=file;FileName=a.csv",
	    "a.csv");
	assert_name("X-More: 1\r\n" D "name=\"file\"; filename=\"a.csv\"\r\n"
	    "Content-Type: text/csv", "a.csv");
	/* What looks like a parameter, within a name. */
	assert_name(D "name=\"file\"; filename=\"a; name=b.csv\"",
	    "a; name=b.csv");
	assert_name(D "filename=\"a; name=b; filename=c.csv\"; name=\"file\"",
	    "a; name=b; filename=c.csv");
	assert_name(D "filename=\"a\\\"; name=b.csv\"; name=\"file\"",
	    "a\"; name=b.csv");
	/* Nothing that can be shown. */
	assert_name(D "name=\"file\"; filename=\"\"", "upload.csv");
	assert_name(D "name=\"file\"; filename=\"folder/\"", "upload.csv");
	assert_name(D "name=\"file\"; filename=\"\xff\xfe.csv\"", "upload.csv");
	assert_name(D "name=\"file\"; filename=\"a\x01.csv\"", "upload.csv");
#undef D
}

static void
test_long_names_are_cut(void **state)
{
	char disposition[600], name[304] = "";
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		memcpy(name + 3 * i, "册", 4);
	snprintf(disposition, sizeof(disposition), "%s\"%s\"",
	    "Content-Disposition: form-data; name=file; filename=", name);
	assert_name(disposition, name);
	snprintf(disposition, sizeof(disposition), "%s\"%s册\"",
	    "Content-Disposition: form-data; name=file; filename=", name);
	memcpy(name + 3 * 99, "…", 4);
	assert_name(disposition, name);
}

/* ---- what is none ---- */

static void
test_forms_without_an_end(void **state)
{
	static const char form[] = FIRST A_FILE "a,b\r\n1,2" KIND END;
	size_t n, last = sizeof(form) - 1 - 2;

	(void)state;
	for (n = 0; n < last; n++) {
		assert_int_equal(send_bytes(TYPE, form, n, 10),
		    ERR_MALFORMED);
		assert_false(is_there());
	}
	assert_int_equal(send_bytes(TYPE, form, last, 10), OK);
	assert_true(is_there());
}

static void
test_what_is_no_form(void **state)
{
	(void)state;
	assert_malformed("{\"kind\":\"roster\"}");
	/* Another boundary than was announced. */
	assert_malformed("--XYZ\r\nContent-Disposition: form-data; name="
	    A_FILE "x\r\n--XYZ--\r\n");
	/* After a boundary stands nothing but blanks. */
	assert_malformed("--XyZa\r\nContent-Disposition: form-data; name="
	    A_FILE "x" KIND END);
	assert_int_equal(send("--XyZ \t\r\nContent-Disposition: form-data;"
	    " name=" A_FILE "x" KIND END), OK);
	/* Parts without a name, or of one that is no text. */
	assert_malformed("--XyZ\r\n\r\nx" KIND END);
	assert_malformed("--XyZ\r\nContent-Type: text/csv\r\n\r\nx" KIND END);
	assert_malformed(FIRST "\"\"\r\n\r\nx" KIND END);
	assert_malformed(FIRST "\"kind\r\n\r\nx" KIND END);
	assert_malformed(FIRST "\"\xff\"\r\n\r\nx" KIND END);
	assert_malformed("--XyZ\r\nContent-Disposition: form-data;"
	    " filename=\"a.csv\"\r\n\r\nx" KIND END);
	/* The file came first, and goes. */
	assert_malformed(FIRST A_FILE "x" PART "\"\"\r\n\r\nx" END);
}

/* Nobody gave a body. */
static void
test_no_body(void **state)
{
	struct req *rq = rig_request(&rig, POST, "/api/v1/sent");

	(void)state;
	rq->route = &sent_route;
	rq->content_type = TYPE;
	assert_int_equal(upload_read(rq, path, &got), ERR_MALFORMED);
}

/* A head of `n` bytes, in one line or in many. */
static enum err
send_head(size_t n, size_t width)
{
	static char form[16384];
	static const char line[] = "Content-Disposition: form-data; name=file;"
	    " filename=a.csv\r\n";
	char *s = form;
	size_t one;

	s += snprintf(s, 64, "--XyZ\r\n");
	for (n -= sizeof(line) - 3; n > 0; n -= one) {
		one = n < width ? n : width;
		memset(s, 'X', one);
		s += one;
		memcpy(s, "\r\n", 2);
		s += 2;
	}
	snprintf(s, 512, "%s\r\nx" KIND END, line);
	return send_bytes(TYPE, form, strlen(form), 1000);
}

static void
test_heads_too_long(void **state)
{
	(void)state;
	assert_int_equal(send_head(UPLOAD_HEAD_MAX, UPLOAD_HEAD_MAX), OK);
	assert_int_equal(send_head(UPLOAD_HEAD_MAX + 1, UPLOAD_HEAD_MAX),
	    ERR_MALFORMED);
	assert_false(is_there());
	assert_int_equal(send_head(UPLOAD_HEAD_MAX, 50), OK);
	assert_int_equal(send_head(UPLOAD_HEAD_MAX + 1, 50), ERR_MALFORMED);
	/* A line that never ends is not waited for. */
	assert_int_equal(send_head(3 * UPLOAD_HEAD_MAX, 3 * UPLOAD_HEAD_MAX),
	    ERR_MALFORMED);
	assert_false(is_there());
}

/* ---- what is wrong in a form ---- */

static void
test_doubled_parts(void **state)
{
	(void)state;
	assert_int_equal(send(FIRST A_FILE "x" KIND KIND END), ERR_FIELD);
	assert_string_equal(fault("kind"), "doubled");
	assert_null(fault("file"));
	assert_false(is_there());
	assert_int_equal(send(FIRST A_FILE "x" PART A_FILE "y" KIND END),
	    ERR_FIELD);
	assert_string_equal(fault("file"), "doubled");
	assert_false(is_there());
}

static void
test_missing_and_unknown_parts(void **state)
{
	(void)state;
	assert_int_equal(send("--XyZ--"), ERR_FIELD);
	assert_string_equal(fault("file"), "required");
	assert_string_equal(fault("kind"), "required");
	assert_int_equal(send(FIRST A_FILE "x" END), ERR_FIELD);
	assert_string_equal(fault("kind"), "required");
	assert_null(fault("file"));
	assert_false(is_there());
	/* A value where the file should be. */
	assert_int_equal(send(FIRST "\"file\"\r\n\r\nx" KIND END), ERR_FIELD);
	assert_string_equal(fault("file"), "type");
	assert_false(is_there());
	assert_int_equal(send(FIRST A_FILE "x" KIND PART
	    "\"other\"\r\n\r\n1" END), ERR_FIELD);
	assert_string_equal(fault("other"), "unknown");
	assert_false(is_there());
	assert_int_equal(send(FIRST A_FILE "x" PART "\"kind\"\r\n\r\nshoes"
	    END), ERR_FIELD);
	assert_non_null(fault("kind"));
	assert_false(is_there());
}

static void
test_values_at_their_limit(void **state)
{
	char form[4096], value[UPLOAD_VALUE_MAX + 2];

	(void)state;
	memset(value, 'v', sizeof(value));
	value[UPLOAD_VALUE_MAX] = '\0';
	snprintf(form, sizeof(form), "%s%s%s%s", FIRST A_FILE "x" KIND PART
	    "\"note\"\r\n\r\n", value, END, "");
	assert_int_equal(send(form), OK);
	assert_string_equal(sent()->note, value);
	value[UPLOAD_VALUE_MAX] = 'v';
	value[UPLOAD_VALUE_MAX + 1] = '\0';
	snprintf(form, sizeof(form), "%s%s%s", FIRST A_FILE "x" KIND PART
	    "\"note\"\r\n\r\n", value, END);
	assert_int_equal(send(form), ERR_FIELD);
	assert_string_equal(fault("note"), "too_long");
	assert_false(is_there());
}

static void
test_parts_at_their_limit(void **state)
{
	char form[8192];
	size_t n;
	int i;

	(void)state;
	n = (size_t)snprintf(form, sizeof(form), "%s", FIRST A_FILE "x" KIND);
	for (i = 2; i < UPLOAD_PARTS_MAX; i++)
		n += (size_t)snprintf(form + n, sizeof(form) - n,
		    PART "\"p%d\"\r\n\r\n1", i);
	snprintf(form + n, sizeof(form) - n, END);
	assert_int_equal(send(form), ERR_FIELD);
	assert_string_equal(fault("p15"), "unknown");
	snprintf(form + n, sizeof(form) - n, PART "\"p\"\r\n\r\n1" END);
	assert_malformed(form);
}

static void
test_files_at_their_limit(void **state)
{
	static char form[70000 + 1024];
	size_t head = strlen(FIRST A_FILE), n;
	size_t step;

	(void)state;
	rig.conf.upload_max = 70000;
	memcpy(form, FIRST A_FILE, head);
	memset(form + head, 'x', 70001);
	for (step = 1; step < 70000; step = step * 9 + 1) {
		n = head + 70000;
		n += (size_t)snprintf(form + n, sizeof(form) - n, KIND END);
		assert_int_equal(send_bytes(TYPE, form, n, step), OK);
		assert_file(form + head, 70000);
		memset(form + head, 'x', 70001);
		n = head + 70001;
		n += (size_t)snprintf(form + n, sizeof(form) - n, KIND END);
		assert_int_equal(send_bytes(TYPE, form, n, step),
		    ERR_TOO_LARGE);
		assert_false(is_there());
		assert_non_null(rig.rq.detail);
	}
	rig.conf.upload_max = 1 << 20;
}

/* What lies there already is not touched. */
static void
test_path_that_is_taken(void **state)
{
	static const char form[] = FIRST A_FILE "new" KIND END;
	struct req *rq;
	struct body b = { form, sizeof(form) - 1, 0, 99 };

	(void)state;
	unlink(path);
	unit_write(path, "old", 3, 0600);
	rq = rig_request(&rig, POST, "/api/v1/sent");
	rq->route = &sent_route;
	rq->content_type = TYPE;
	rq->read = next;
	rq->reader = &b;
	assert_int_equal(upload_read(rq, path, &got), ERR_AWAY);
	got.size = 3;
	assert_file("old", 3);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form_in_pieces_of_any_size),
		cmocka_unit_test(test_parts_in_any_order),
		cmocka_unit_test(test_empty_file_and_empty_value),
		cmocka_unit_test(test_data_like_boundaries),
		cmocka_unit_test(test_file_larger_than_the_window),
		cmocka_unit_test(test_boundary_of_the_content_type),
		cmocka_unit_test(test_names_of_files),
		cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_forms_without_an_end),
		cmocka_unit_test(test_what_is_no_form),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_heads_too_long),
		cmocka_unit_test(test_doubled_parts),
		cmocka_unit_test(test_missing_and_unknown_parts),
		cmocka_unit_test(test_values_at_their_limit),
		cmocka_unit_test(test_parts_at_their_limit),
		cmocka_unit_test(test_files_at_their_limit),
		cmocka_unit_test(test_path_that_is_taken),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
