/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_notes.c -- a small service for tests of the dispatcher: notes that
 * are added, listed, and go wrong in every way a handler can.
 */
#include "unit.h"

#include <jansson.h>

#include "base/clock.h"

#include "http_notes.h"

#include "http/http.h"
#include "http/server.h"

struct note {
	int64_t		 id;
	const char	*body;
	const char	*phone;
};

static const struct view_column note_columns[] = {
	C_ID(note, id),
	C_TEXT(note, body),
	C_PHONE(note, phone, .flags = VIEW_NULL),
	C_END
};
static const struct view note_view = VIEW(note, "Note");

struct one_n {
	int64_t		 n;
};
static const struct view_column one_n_columns[] = { C_INT(one_n, n), C_END };
static const struct view one_n_view = VIEW(one_n, "Number");

enum { ADD, ALL, COUNT, SEQUENCE, MAX_ };

static struct stmt sql[] = {
	[ADD] = { .mode = RW, .nargs = 4, .view = &note_view, .sql =
	    "INSERT INTO note (id, community_id, body, phone)"
	    " VALUES ($1, $2, $3, $4) RETURNING id, body, phone" },
	[ALL] = { .mode = RO, .nargs = 3, .view = &note_view, .sql =
	    "SELECT id, body, phone FROM note WHERE community_id = $1"
	    " AND id > $2 ORDER BY id LIMIT $3" },
	[COUNT] = { .mode = RO, .nargs = 0, .view = &one_n_view, .sql =
	    "SELECT count(*) AS n FROM note" },
	[SEQUENCE] = { .mode = RO, .nargs = 0, .view = &one_n_view, .sql =
	    "SELECT count(*) AS n FROM idempotency" },
};

struct note_new {
	int64_t		 id;
	const char	*body;
};
static const struct field note_new_fields[] = {
	F_INT(note_new, id, "编号", MUST, 1, 1000),
	F_TEXT(note_new, body, "内容", MUST, 1, 20),
	F_END
};
static const struct shape note_new_shape = SHAPE(note_new, "NoteNew");

struct page {
	int64_t		 limit, after;
};
static const struct field page_fields[] = { F_PAGE(page), F_END };
static const struct shape page_shape = SHAPE(page, "Page");

struct by_id {
	int64_t		 id;
};
static const struct field by_id_fields[] = {
	F_ID(by_id, id, "编号", MUST), F_END
};
static const struct shape by_id_shape = SHAPE(by_id, "ById");

_Atomic int	 notes_runs;
int		 notes_agains;
int64_t		 notes_again_ms;

static enum err
note_add(struct req *rq)
{
	const struct note_new *in = rq->in;
	struct note row;
	enum err e;

	notes_runs++;
	e = db_one(rq->db, rq->arena, &sql[ADD], WITH(V(in->id),
	    V(rq->who.community_id), V(in->body),
	    V(crypt_seal(rq->arena, "phone", "13800138000"))), &row);
	return e != OK ? e : req_one(rq, &row);
}

static enum err
note_list(struct req *rq)
{
	const struct page *in = rq->in;
	int64_t limit = req_limit(in->limit);

	notes_runs++;
	return req_list(rq, &sql[ALL], WITH(V(rq->who.community_id),
	    V(in->after), V(limit + 1)), limit);
}

static enum err
note_all(struct req *rq)
{
	notes_runs++;
	return req_list(rq, &sql[ALL], WITH(V(rq->who.community_id), V(0),
	    V(1000)), 0);
}

static enum err
note_again(struct req *rq)
{
	enum err e = note_add(rq);
	int64_t end = clock_mono_us() + notes_again_ms * 1000;

	if (e != OK || notes_agains-- <= 0)
		return e;
	while (clock_mono_us() < end)
		;
	req_field(rq, "x", "y", "z");
	rq->keep = true;
	return ERR_AGAIN;
}

static enum err
note_fail(struct req *rq)
{
	note_add(rq);
	return req_fail(rq, ERR_STATE, "这样不行。");
}

static enum err
note_keep(struct req *rq)
{
	note_add(rq);
	rq->keep = true;
	req_fail(rq, ERR_LOCKED, NULL);
	return OK;		/* the refusal counts all the same */
}

static enum err
note_torn(struct req *rq)
{
	note_add(rq);
	json_open(req_json(rq));
	return OK;
}

static enum err
note_silent(struct req *rq)
{
	notes_runs++;
	(void)rq;
	return OK;
}

static enum err
note_huge(struct req *rq)
{
	struct json *j = req_json(rq);
	int i;

	json_list(j);
	for (i = 0; i < 300000; i++)
		json_text(j, "more than fits");
	json_unlist(j);
	return OK;
}

static enum err
note_fat(struct req *rq)
{
	int i;

	for (i = 0; i < 3; i++)
		arena_take(rq->arena, 1 << 19);
	json_nil(req_json(rq));
	return OK;
}

static enum err
note_who(struct req *rq)
{
	struct json *j = req_json(rq);

	notes_runs++;
	json_open(j);
	json_put_id(j, "user", rq->who.user_id);
	json_put_int(j, "roles", (int64_t)rq->who.roles);
	json_close(j);
	return OK;
}

static enum err
add_in_own(struct req *rq, void *arg)
{
	(void)arg;
	return note_again(rq);
}

static enum err
note_own(struct req *rq)
{
	assert_false(db_in_transaction(rq->db));
	return req_transact(rq, add_in_own, NULL);
}

static enum err
note_open(struct req *rq)
{
	assert_int_equal(db_begin(rq->db), OK);
	note_add(rq);
	return OK;
}

#define R_ONE	REPLY_ONE, &note_view
static const struct route notes_routes[] = {
	{ GET, "/t/open", ANYONE, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_who, "x" },
	{ POST, "/t/sessions/staff", ANYONE, NULL, R_ONE, 201, POOL_API,
	    TX_READ,
	    note_who, "x" },
	{ GET, "/t/local", LOOPBACK, NULL, REPLY_TEXT, NULL, 200, POOL_API,
	    TX_READ, note_silent, "x" },
	{ GET, "/t/me", LOGGED_IN, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_who, "x" },
	{ GET, "/t/admin", ROLE_ADMIN, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_who, "x" },
	{ GET, "/t/notes", ROLE_RESIDENT | ROLE_CLERK, &page_shape,
	    REPLY_LIST, &note_view, 200, POOL_API, TX_READ, note_list, "x" },
	{ GET, "/t/all", ROLE_RESIDENT, NULL, REPLY_LIST, &note_view, 200,
	    POOL_API, TX_READ, note_all, "x" },
	{ POST, "/t/notes", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_add, "x" },
	{ POST, "/t/others", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_add, "x" },
	{ POST, "/t/again", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_again, "x" },
	{ POST, "/t/own", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_SLOW, TX_OWN, note_own, "x" },
	{ POST, "/t/left", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_SLOW, TX_OWN, note_open, "x" },
	{ POST, "/t/fail", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_fail, "x" },
	{ POST, "/t/keep", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_keep, "x" },
	{ POST, "/t/torn", ROLE_RESIDENT, &note_new_shape, R_ONE, 201,
	    POOL_API, TX_WRITE, note_torn, "x" },
	{ GET, "/t/silent", ANYONE, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_silent, "x" },
	{ GET, "/t/huge", ANYONE, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_huge, "x" },
	{ GET, "/t/fat", ANYONE, NULL, R_ONE, 200, POOL_API, TX_READ,
	    note_fat, "x" },
	{ DELETE, "/t/notes/{id}", ROLE_RESIDENT, &by_id_shape, REPLY_NONE,
	    NULL, 204, POOL_API, TX_WRITE, note_silent, "x" },
	{ 0 }
};

static const char notes_schema[] =
    "CREATE TABLE note (id BIGINT PRIMARY KEY, community_id BIGINT NOT NULL,"
    " body TEXT NOT NULL, phone TEXT);"
    "CREATE TABLE idempotency (community_id BIGINT NOT NULL,"
    " user_id BIGINT NOT NULL, key TEXT NOT NULL, route TEXT NOT NULL,"
    " body_hash TEXT NOT NULL, status BIGINT NOT NULL, reply TEXT NOT NULL,"
    " created_at BIGINT NOT NULL, PRIMARY KEY (community_id, user_id, key));"
    RIG_AUDIT;

const char	*notes_url;
struct rig	 notes_rig;
struct req	*notes_rq;
const char	*notes_token;

static int64_t
number(int which)
{
	struct one_n row;

	assert_int_equal(db_one(notes_rig.db, notes_rig.arena, &sql[which],
	    NOTHING, &row), OK);
	return row.n;
}

int64_t
notes_count(void)
{
	return number(COUNT);
}

int64_t
notes_keys(void)
{
	return number(SEQUENCE);
}

int
notes_send(void)
{
	json_t *root;

	server_dispatch(notes_rq);
	assert_false(db_in_transaction(notes_rig.db));
	if (notes_rq->status >= 400) {
		assert_string_equal(notes_rq->content,
		    "application/problem+json");
		root = json_loads(rig_reply(&notes_rig),
		    JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(root);
		assert_int_equal(json_integer_value(json_object_get(root,
		    "status")), notes_rq->status);
		assert_string_equal(json_string_value(json_object_get(root,
		    "request_id")), "0123456789abcdef");
		json_decref(root);
	}
	return notes_rq->status;
}

int
notes_get(const char *path, const char *token)
{
	notes_rq = rig_request(&notes_rig, GET, path);
	notes_rq->token = token;
	return notes_send();
}

int
notes_post(const char *path, const char *body, const char *key)
{
	notes_rq = rig_request(&notes_rig, POST, path);
	notes_rq->token = notes_token;
	notes_rq->key = key;
	if (body != NULL)
		rig_body(&notes_rig, body);
	return notes_send();
}

bool
notes_says(const char *what)
{
	return strstr(rig_reply(&notes_rig), what) != NULL;
}

bool
notes_heads(const char *what)
{
	return strstr(rig_head(&notes_rig), what) != NULL;
}

void
notes_resident(int64_t user, int64_t community)
{
	notes_token = rig_session(&notes_rig, user, community,
	    ROLE_RESIDENT);
}

int
notes_start(void **state)
{
	(void)state;
	rig_start(&notes_rig, true);
	if (notes_url != NULL)
		snprintf(notes_rig.database, sizeof(notes_rig.database), "%s",
		    notes_url);
	assert_int_equal(db_open(notes_rig.database, 2000, false,
	    &notes_rig.db), OK);
	assert_int_equal(db_script(notes_rig.db, notes_schema), OK);
	db_close(notes_rig.db);
	db_register(sql, MAX_);
	http_register();
	route_register("notes", notes_routes);
	assert_true(route_ready());
	rig_open(&notes_rig);
	notes_resident(20, 1);
	return 0;
}

int
notes_stop(void **state)
{
	(void)state;
	rig_stop(&notes_rig);
	return 0;
}
