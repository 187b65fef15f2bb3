/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_audit.c -- which requests leave a row, and what a chain notices.
 */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "store/redis.h"

#include "http_notes.h"
#include "servers.h"

#include "http/audit.h"
#include "http/audit_verify.h"
#include "http/server.h"

#define THREADS	20

struct one {
	int64_t		 n;
};
static const struct view_column one_columns[] = { C_INT(one, n), C_END };
static const struct view one_view = VIEW(one, "One");

static struct stmt last_row = { .mode = RO, .nargs = 1,
	.view = &audit_link_view, .sql =
	"SELECT community_id, seq, at, user_id, actor, for_id, action,"
	" thing, thing_id, subject_id, reason, address, request_id,"
	" prev, hash FROM audit WHERE community_id = $1"
	" ORDER BY seq DESC LIMIT 1" };
static struct stmt row_count = { .mode = RO, .nargs = 0,
	.view = &one_view, .sql = "SELECT count(*) AS n FROM audit" };

static struct server pgsql;
static char	 told[4096];

static int64_t
rows(void)
{
	struct one row;

	assert_int_equal(db_one(notes_rig.db, notes_rig.arena, &row_count,
	    NOTHING, &row), OK);
	return row.n;
}

static struct audit_link
last(int64_t community)
{
	struct audit_link l;

	assert_int_equal(db_one(notes_rig.db, notes_rig.arena, &last_row,
	    WITH(V(community)), &l), OK);
	return l;
}

static void
tell(void *arg, int64_t community_id, int64_t seq, const char *what)
{
	size_t n = strlen(told);

	(void)arg;
	snprintf(told + n, sizeof(told) - n, "%d/%d %s\n",
	    (int)community_id, (int)seq, what);
}

/* Faults of the chain of community 1. */
static int64_t
faults(void)
{
	int64_t n, f = 0;

	told[0] = '\0';
	assert_int_equal(audit_verify(notes_rig.db, 1, tell, NULL, &n, &f),
	    OK);
	return f;
}

/* Requests: which leave a row. */
static void
test_rows(void **state)
{
	int64_t before = rows();
	struct audit_link l;

	(void)state;
	assert_int_equal(notes_post("/t/notes", "{\"id\":1,\"body\":\"a\"}",
	    "r-1"), 201);
	assert_int_equal(rows(), before + 1);
	l = last(1);
	assert_string_equal(l.actor, "user");
	assert_string_equal(l.action, "POST /t/notes");
	assert_int_equal(l.user_id, 20);
	assert_string_equal(l.request_id, "0123456789abcdef");
	assert_null(l.reason);
	/* The same reply again is no second deed. */
	assert_int_equal(notes_post("/t/notes", "{\"id\":1,\"body\":\"a\"}",
	    "r-1"), 201);
	assert_int_equal(rows(), before + 1);
	assert_int_equal(notes_get("/t/notes", notes_token), 200);
	assert_int_equal(notes_post("/t/fail", "{\"id\":2,\"body\":\"a\"}",
	    NULL), 409);
	assert_int_equal(notes_post("/t/torn", "{\"id\":2,\"body\":\"a\"}",
	    NULL), 500);
	assert_int_equal(notes_post("/t/notes", "{\"id\":1,\"body\":\"a\"}",
	    NULL), 409);
	assert_int_equal(notes_post("/t/notes", "{", NULL), 400);
	assert_int_equal(rows(), before + 1);
	/* A failure that leaves traces says what it failed of. */
	assert_int_equal(notes_post("/t/keep", "{\"id\":3,\"body\":\"a\"}",
	    NULL), 409);
	assert_int_equal(rows(), before + 2);
	assert_string_equal(last(1).reason, "locked");
	notes_agains = 0;
	assert_int_equal(notes_post("/t/own", "{\"id\":4,\"body\":\"a\"}",
	    NULL), 201);
	assert_int_equal(rows(), before + 3);
	notes_agains = 2;
	assert_int_equal(notes_post("/t/again", "{\"id\":5,\"body\":\"a\"}",
	    NULL), 201);
	assert_int_equal(rows(), before + 4);
	assert_int_equal(faults(), 0);
}

/* Every column counts, and where one ends. */
static void
test_hash(void **state)
{
	static const struct audit_link base = { 1, 2, 3, 4, "user",
		VIEW_NULL_INT, "a", "ab", VIEW_NULL_INT, VIEW_NULL_INT, "c",
		NULL, NULL, "p", NULL };
	struct audit_link l[16];
	char hash[16][CRYPT_HEX_MAX];
	int i, j;

	(void)state;
	for (i = 0; i < 16; i++)
		l[i] = base;
	l[1].community_id = 2;
	l[2].seq = 3;
	l[3].at = 4;
	l[4].user_id = 5;
	l[5].actor = "helper";
	l[6].for_id = 0;
	l[7].action = "aa";
	l[7].thing = "b";
	l[8].thing = NULL;
	l[9].thing_id = 7;
	l[10].subject_id = 7;
	l[11].reason = "";
	l[12].reason = NULL;
	l[13].address = "-";
	l[14].request_id = "-";
	l[15].prev = "q";
	for (i = 0; i < 16; i++)
		audit_hash(&l[i], hash[i]);
	for (i = 0; i < 16; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(hash[i], hash[j]);
	/* What it is must not change: the rows lie there for ever. */
	assert_string_equal(hash[0], "820c511f9a792d8cd93dcd4ae28c4fb3"
	    "5684549993724a356bed2132306d6814");
}

static void
put(int64_t community)
{
	const struct audit_row row = { .community_id = community,
		.at = clock_now(), .user_id = 9, .actor = "console",
		.action = "test", .thing = "note", .thing_id = 8,
		.subject_id = 7, .reason = "because" };

	assert_int_equal(db_begin(notes_rig.db), OK);
	assert_int_equal(audit_append(notes_rig.db, &row), OK);
	assert_int_equal(db_commit(notes_rig.db), OK);
}

static void
mend(const char *sql)
{
	assert_int_equal(db_script(notes_rig.db, sql), OK);
}

static void
test_faults(void **state)
{
	int i;

	(void)state;
	mend("DELETE FROM audit; DELETE FROM audit_head;");
	assert_int_equal(faults(), 0);
	for (i = 0; i < 8; i++)
		put(1);
	put(2);
	assert_int_equal(faults(), 0);
	mend("CREATE TABLE good AS SELECT * FROM audit;"
	    "UPDATE audit SET reason = NULL WHERE community_id = 1"
	    " AND seq = 3;");
	assert_int_equal(faults(), 1);
	assert_string_equal(told, "1/3 the row was changed\n");
#define AGAIN "DELETE FROM audit; INSERT INTO audit SELECT * FROM good;"
	mend(AGAIN "DELETE FROM audit WHERE community_id = 1 AND seq = 4;");
	assert_int_equal(faults(), 1);
	assert_string_equal(told, "1/4 the row is missing\n");
	mend(AGAIN "DELETE FROM audit WHERE community_id = 1 AND seq > 6;");
	assert_int_equal(faults(), 1);
	assert_non_null(strstr(told, "1/7 the row is missing: the chain was"
	    " cut off"));
	mend(AGAIN "DELETE FROM audit WHERE community_id = 1 AND seq = 1;");
	assert_int_equal(faults(), 1);
	assert_string_equal(told, "1/1 the row is missing\n");
	/* Two rows in each other's place. */
	mend(AGAIN "UPDATE audit SET seq = 100 WHERE community_id = 1"
	    " AND seq = 2; UPDATE audit SET seq = 2 WHERE community_id = 1"
	    " AND seq = 5; UPDATE audit SET seq = 5 WHERE community_id = 1"
	    " AND seq = 100;");
	assert_int_equal(faults(), 2);
	assert_string_equal(told, "1/2 the row was changed\n"
	    "1/5 the row was changed\n");
	/* A row of its own making: its hash is right, its place is not. */
	mend(AGAIN "UPDATE audit SET prev = 'x' WHERE community_id = 1"
	    " AND seq = 8;");
	assert_int_equal(faults(), 1);
	mend(AGAIN "UPDATE audit_head SET seq = 7 WHERE community_id = 1;");
	assert_int_equal(faults(), 1);
	mend("DELETE FROM audit_head WHERE community_id = 1;");
	assert_int_equal(faults(), 1);
	mend("INSERT INTO audit_head SELECT community_id, seq, hash FROM good"
	    " WHERE community_id = 1 AND seq = 8;");
	assert_int_equal(faults(), 0);
	mend("UPDATE audit_head SET hash = 'x' WHERE community_id = 1;");
	assert_int_equal(faults(), 1);
	mend("DROP TABLE good; DELETE FROM audit; DELETE FROM audit_head;");
}

static void
test_anchor(void **state)
{
	static const char good[] = "2026-11-22 0 12 "
	    "0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcdef";
	static const char *const bad[] = { "", "2026-11-22", "2026-11-22 1",
		"2026-11-22 1 2", "2026-11-22 1 2 abc",
		"2026-11-22 -1 12 0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef",
		"2026-1-22 1 12 0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef",
		"2026-11-22 1 12 0123456789ABCDEF0123456789abcdef"
		"0123456789abcdef0123456789abcdef",
		"2026-11-22 1 12 0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdefa" };
	struct audit_anchor a;
	int64_t f = 0;
	size_t i;

	(void)state;
	assert_true(audit_anchor_read(good, &a));
	assert_string_equal(a.day, "2026-11-22");
	assert_int_equal(a.community_id, 0);
	assert_int_equal(a.seq, 12);
	for (i = 0; i < nitems(bad); i++)
		assert_false(audit_anchor_read(bad[i], &a));
	/* Against rows. */
	put(1);
	put(1);
	a.community_id = 1;
	a.seq = 1;
	snprintf(a.hash, sizeof(a.hash), "%s", last(1).prev);
	told[0] = '\0';
	assert_int_equal(audit_verify_anchor(notes_rig.db, &a, tell, NULL,
	    &f), OK);
	assert_int_equal(f, 0);
	a.seq = 2;
	assert_int_equal(audit_verify_anchor(notes_rig.db, &a, tell, NULL,
	    &f), OK);
	a.seq = 3;
	assert_int_equal(audit_verify_anchor(notes_rig.db, &a, tell, NULL,
	    &f), OK);
	assert_int_equal(f, 2);
	assert_string_equal(told, "1/2 the row is not what it was: see the"
	    " anchor of 2026-11-22\n1/3 the row is missing: the anchor of"
	    " 2026-11-22 knows it\n");
}

static int
lines_of(const char *path)
{
	FILE *f = fopen(path, "re");
	int c, n = 0;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* The file: once a day and chain, and a torn end stays alone. */
static void
test_anchor_file(void **state)
{
	struct req *rq = &notes_rig.rq;
	struct stat st;
	char path[300];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/anchors", notes_rig.folder);
	unlink(path);
	rq->conf = &notes_rig.conf;
	notes_rig.conf.anchors_file = path;
	rq->db = notes_rig.db;
	rq->arena = notes_rig.arena;
	rq->now = 1800000000000;
	mend("DELETE FROM audit; DELETE FROM audit_head;");
	assert_int_equal(audit_anchor_write(rq), OK);
	assert_int_equal(lines_of(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	put(1);
	assert_int_equal(audit_anchor_write(rq), OK);
	put(2);
	put(1);
	assert_int_equal(audit_anchor_write(rq), OK);
	assert_int_equal(audit_anchor_write(rq), OK);
	assert_int_equal(lines_of(path), 2);
	f = fopen(path, "ae");
	assert_non_null(f);
	fputs("2027-01-1", f);
	fclose(f);
	rq->now += CLOCK_DAY;
	assert_int_equal(audit_anchor_write(rq), OK);
	assert_int_equal(lines_of(path), 5);
	notes_rig.conf.anchors_file = "/nowhere/at/all";
	assert_int_equal(audit_anchor_write(rq), ERR_INTERNAL);
}

struct writer {
	pthread_t	 thread;
	int		 id;
	int		 status;
};

static void *
write_one(void *arg)
{
	struct writer *w = arg;
	char body[64];
	struct req rq = { .method = POST, .path = "/t/notes", .query = "",
		.conf = &notes_rig.conf, .token = notes_token,
		.body = body, .address = "203.0.113.9",
		.content_type = "application/json", .request_id = "many" };
	struct buf out;

	snprintf(body, sizeof(body), "{\"id\":%d,\"body\":\"a\"}", w->id);
	rq.body_len = strlen(body);
	buf_init(&out, 65536);
	rq.out = &out;
	rq.arena = arena_new(1 << 20);
	rq.redis = redis_new(notes_rig.socket, 0, 1000);
	if (db_open(notes_rig.database, 8000, true, &rq.db) == OK)
		server_dispatch(&rq);
	w->status = rq.status;
	db_close(rq.db);
	redis_free(rq.redis);
	arena_free(rq.arena);
	buf_free(&out);
	return NULL;
}

/* Many at once, the first ones of a chain: it is whole. */
static void
test_at_once(void **state)
{
	struct writer w[THREADS];
	int i, good = 0;

	(void)state;
	mend("DELETE FROM audit; DELETE FROM audit_head;");
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct writer){ .id = 700 + i };
		assert_int_equal(pthread_create(&w[i].thread, NULL,
		    write_one, &w[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_true(w[i].status == 201 || w[i].status == 503);
		good += w[i].status == 201;
	}
	assert_true(good > 0);
	assert_int_equal(rows(), good);
	assert_int_equal(last(1).seq, good);
	assert_int_equal(faults(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_anchor_file),
		cmocka_unit_test(test_at_once),
	};
	int n;

	n = cmocka_run_group_tests_name("sqlite", tests, notes_start,
	    notes_stop);
	if (n != 0 || !servers_pgsql(&pgsql))
		return n;
	notes_url = pgsql.where;
	n = cmocka_run_group_tests_name("postgresql", tests, notes_start,
	    notes_stop);
	servers_stop(&pgsql);
	return n;
}
