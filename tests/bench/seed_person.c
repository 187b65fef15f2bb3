/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed_person.c -- persons of the benchmark.
 *
 * Every value that a row has in life is there and sealed: rows must be as
 * long as real ones.  The number is the same sealed text for all, because
 * sealing two million of them measures nothing; index and phone are each
 * person's own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/text.h"
#include "store/db.h"
#include "store/redis.h"
#include "store/session.h"
#include "http/route.h"
#include "seed_person.h"

#define BATCH		6000	/* persons a transaction */
#define HOME		3	/* persons a household */
#define DOORS		100	/* dwellings of a building */
#define MEMBERS_UPTO	100000	/* persons; more have no rows of members */
#define STEP		7919	/* prime to 10^8: phones do not repeat */

struct people {
	const struct conf	*conf;
	struct db		*db;
	struct arena		*arena;		/* of a batch */
	int64_t			 community, compound, entrance;
	int64_t			 home, dwelling, now;
	int64_t			 first, step;	/* of the persons' ids */
	int64_t			*ids;
	int			 n;
	const char		*number, *phone;	/* sealed */
};

enum { COMMUNITY, PLACE, HOUSEHOLD, PERSON, MEMBER, USER, ROLE, SQL_MAX };

static struct stmt sql[] = {
	[COMMUNITY] = { RW, 1, NULL,
	    "INSERT INTO community (id, code, edition, name, township)"
	    " VALUES ($1, '520402007004', '2023-09-12', '学苑社区',"
	    " '西航街道')", NULL, 0 },
	[PLACE] = { RW, 8, NULL,
	    "INSERT INTO place (community_id, id, parent_id, kind,"
	    " compound_id, name, full_name, rank) VALUES"
	    " ($1, $2, $3, $4, $5, $6, $7, $8)", NULL, 0 },
	[HOUSEHOLD] = { RW, 4, NULL,
	    "INSERT INTO household (community_id, id, dwelling_id, number,"
	    " tenancy, source, as_of, from_at, updated_at) VALUES"
	    " ($1, $2, $3, '1', 'owned', 'roster', 20260101, $4, $4)",
	    NULL, 0 },
	[PERSON] = { RW, 14, NULL,
	    "INSERT INTO person (community_id, id, name, sex, born,"
	    " id_type, id_number, id_index, id_mask, phone, phone_index,"
	    " phone_mask, source, ground, as_of, created_at, updated_at,"
	    " household_id, dwelling_id) VALUES ($1, $2, $3, $4, $5,"
	    " 'citizen', $6, $7, $8, $9, $10, $11, 'roster', 'duty',"
	    " 20260101, $12, $12, $13, $14)", NULL, 0 },
	[MEMBER] = { RW, 5, NULL,
	    "INSERT INTO member (community_id, household_id, person_id,"
	    " from_at, relation) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
	[USER] = { RW, 4, NULL,
	    "INSERT INTO app_user (id, openid, name, community_id,"
	    " created_at, updated_at) VALUES ($1, $2, '社区工作人员', $3,"
	    " $4, $4)", NULL, 0 },
	[ROLE] = { RW, 3, NULL,
	    "INSERT INTO user_role (community_id, user_id, role,"
	    " granted_at) VALUES ($1, $2, 'clerk', $3)", NULL, 0 },
};

static void
fail(const char *why)
{
	fprintf(stderr, "planet-bench-seed: %s\n", why);
	exit(1);
}

static void
run(struct people *p, int which, struct values v)
{
	if (db_run(p->db, &sql[which], v, NULL) != OK)
		fail("a row was refused; is the database migrated and empty?");
}

static void
begin(struct people *p)
{
	if (db_begin(p->db) != OK)
		fail("cannot begin");
}

static void
commit(struct people *p)
{
	if (db_commit(p->db) != OK)
		fail("cannot commit");
	arena_reset(p->arena);
}

const char *
seed_phone(struct arena *a, int i)
{
	return arena_fmt(a, "139%08d",
	    (int)((int64_t)i * STEP % 100000000));
}

static int64_t
place(struct people *p, const char *kind, int64_t parent, const char *name,
    const char *full, int rank)
{
	int64_t	id = id_new();

	run(p, PLACE, WITH(V(p->community), V(id), V(parent), V(kind),
	    V(parent == 0 ? id : p->compound), V(name), V(full), V(rank)));
	return id;
}

/* The next dwelling, with a household in it. */
static void
home(struct people *p, int i)
{
	int		 building = i / DOORS + 1, door = i % DOORS;
	const char	*name;
	int64_t		 id;

	if (door == 0) {
		name = arena_fmt(p->arena, "%d栋", building);
		id = place(p, "building", p->compound, name,
		    arena_fmt(p->arena, "学苑小区%s", name), building);
		p->entrance = place(p, "entrance", id, "1单元",
		    arena_fmt(p->arena, "学苑小区%s1单元", name), 1);
	}
	name = arena_fmt(p->arena, "%d%02d室", door / 4 + 1, door % 4 + 1);
	p->dwelling = place(p, "dwelling", p->entrance, name,
	    arena_fmt(p->arena, "学苑小区%d栋1单元%s", building, name), door);
	p->home = id_new();
	run(p, HOUSEHOLD, WITH(V(p->community), V(p->home), V(p->dwelling),
	    V(p->now)));
}

static void
person(struct people *p, int i)
{
	static const char *const	 family[] = { "王", "李", "张", "刘",
	    "陈", "杨", "欧阳", "赵" };
	struct arena			*a = p->arena;
	const char			*phone = seed_phone(a, i);
	int				 born = 19300101 + i % 95 * 10000;

	p->ids[i] = id_new();
	run(p, PERSON, WITH(V(p->community), V(p->ids[i]),
	    V(arena_fmt(a, "%s小%d", family[i % 8], i % 10)),
	    V(i % 2 ? "male" : "female"), V(born), V(p->number),
	    V(crypt_index(a, "id_number", arena_fmt(a, "citizen:%d", i))),
	    V(arena_fmt(a, "520402********%04d", i % 10000)), V(p->phone),
	    V(crypt_index(a, "phone", phone)),
	    V(text_mask_phone(a, phone)), V(p->now), V(p->home),
	    V(p->dwelling)));
	if (p->n <= MEMBERS_UPTO)
		run(p, MEMBER, WITH(V(p->community), V(p->home),
		    V(p->ids[i]), V(p->now),
		    V(i % HOME == 0 ? "head" : "child")));
}

static void
persons(struct people *p)
{
	int	i;

	begin(p);
	run(p, COMMUNITY, WITH(V(p->community)));
	p->compound = place(p, "compound", 0, "学苑小区", "学苑小区", 1);
	for (i = 0; i < p->n; i++) {
		if (i % HOME == 0)
			home(p, i / HOME);
		person(p, i);
		if (i % BATCH == BATCH - 1) {
			commit(p);
			begin(p);
		}
	}
	commit(p);
}

/* Each clerk's page begins somewhere else, as people turn pages. */
static void
clerk(struct people *p, struct redis *redis, FILE *fp, int i)
{
	struct session	who = { .user_id = id_new(),
	    .community_id = p->community, .roles = ROLE_CLERK,
	    .life_ms = CLOCK_DAY };
	char		token[CRYPT_TOKEN_MAX];
	int		at = (int)((int64_t)i * (p->n > 100 ? p->n - 100 : 1) /
	    SEED_CLERKS);

	run(p, USER, WITH(V(who.user_id),
	    V(arena_fmt(p->arena, "bench-clerk-%d", i)), V(p->community),
	    V(p->now)));
	run(p, ROLE, WITH(V(p->community), V(who.user_id), V(p->now)));
	if (session_open(redis, &who, token) != OK)
		fail("Redis refused a session");
	fprintf(fp, "%s ?after=%s\n", token, crypt_cursor(p->arena,
	    "/api/v1/persons", p->ids[at]));
}

static void
clerks(struct people *p, const char *tokens)
{
	struct redis	*redis;
	FILE		*fp;
	int		 i, fd;

	redis = redis_new(p->conf->redis, p->conf->redis_db,
	    p->conf->redis_timeout_ms);
	fd = open(tokens, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (redis == NULL || fd == -1 || (fp = fdopen(fd, "w")) == NULL)
		fail("cannot write the tokens");
	begin(p);
	for (i = 0; i < SEED_CLERKS; i++)
		clerk(p, redis, fp, i);
	commit(p);
	if (fclose(fp) != 0)
		fail("cannot write the tokens");
	redis_free(redis);
}

void
seed_persons_register(void)
{
	db_register(sql, SQL_MAX);
}

void
seed_persons(const struct conf *conf, struct db *db, int n,
    const char *tokens)
{
	struct arena	*kept = arena_new((size_t)1 << 30);
	struct people	 p = { .conf = conf, .db = db, .n = n,
	    .arena = arena_new((size_t)1 << 28), .now = clock_now(),
	    .community = id_new() };

	p.ids = ARENA_ARRAY(kept, int64_t, n);
	p.number = crypt_seal(kept, "id_number", "520402198001010011");
	p.phone = crypt_seal(kept, "phone", "13900000000");
	persons(&p);
	clerks(&p, tokens);
	arena_free(p.arena);
	arena_free(kept);
}
