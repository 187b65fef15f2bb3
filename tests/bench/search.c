/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.c -- how long the database takes to find a person by phone.
 *
 * Runs the product's own statement, as POST /api/v1/persons/search does, for
 * random numbers of what seed_person.c wrote, and for as many that nobody
 * has.  Prints one line of JSON: microseconds each.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/log.h"
#include "store/db.h"
#include "service/service.h"

#define STEP	7919		/* as in seed_person.c */

struct search {
	const struct stmt	*stmt;
	struct db		*db;
	struct arena		*arena;
	int64_t			 community;
	int			 persons, n;
};

struct found {
	int64_t	 id;
};

static const struct view_column found_columns[] = {
	C_ID(found, id),
	C_END
};
static const struct view found_view = VIEW(found, "Found");
static struct stmt community_sql[] = {
	{ RO, 0, &found_view, "SELECT community_id AS id FROM person"
	    " LIMIT 1", NULL, 0 }
};

static void
fail(const char *why)
{
	fprintf(stderr, "planet-bench-search: %s\n", why);
	exit(1);
}

/* The statement of the service that looks up a phone. */
static const struct stmt *
find_stmt(void)
{
	const struct stmt	*s;
	size_t			 i;

	for (i = 0; (s = db_registered(i)) != NULL; i++)
		if (s->view != NULL &&
		    strcmp(s->view->name, "PersonLine") == 0 &&
		    strstr(s->sql, "p.phone_index = $10") != NULL)
			return s;
	fail("the statement is gone");
	return NULL;
}

/* One search; microseconds, and whether somebody was found. */
static int64_t
search(struct search *s, const char *phone, bool *ret_found)
{
	void		*row = arena_take(s->arena, s->stmt->view->size);
	const char	*index = crypt_index(s->arena, "phone", phone);
	struct rows	 rows;
	int64_t		 began = clock_mono_us();

	*ret_found = false;
	if (db_query(s->db, s->stmt, WITH(V(s->community), V(1), V(1),
	    V(clock_now()), V(0), V(21), VNULL, V(1), V(0), V(index)),
	    &rows) != OK)
		fail("the search failed");
	while (db_each(&rows, row))
		*ret_found = true;
	if (db_end(&rows) != OK)
		fail("the search failed");
	return clock_mono_us() - began;
}

static int
by_size(const void *a, const void *b)
{
	int64_t	x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
measure(struct search *s, const char *name, bool there)
{
	int64_t		*us = calloc((size_t)s->n, sizeof(*us));
	const char	*phone;
	bool		 found;
	int		 i, who;

	if (us == NULL)
		fail("no memory");
	for (i = 0; i < s->n; i++) {
		who = (int)crypt_uniform((uint32_t)s->persons);
		phone = arena_fmt(s->arena, "%s%08d", there ? "139" : "138",
		    (int)((int64_t)who * STEP % 100000000));
		us[i] = search(s, phone, &found);
		if (found != there)
			fail("somebody was found or not who should");
		arena_reset(s->arena);
	}
	qsort(us, (size_t)s->n, sizeof(*us), by_size);
	printf("\"%s\":{\"p50_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld}",
	    name, (long long)us[s->n / 2], (long long)us[s->n / 100 * 99],
	    (long long)us[s->n - 1]);
	free(us);
}

static int
number(const char *s)
{
	int64_t	n;

	if (!id_parse(s, &n) || n > 10000000)
		fail("--persons and --searches take a number");
	return (int)n;
}

static const char *
options(struct search *s, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "persons", required_argument, NULL, 'p' },
		{ "searches", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	const char	*config = NULL;
	int		 c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (c == 'c')
			config = optarg;
		else if (c == 'p')
			s->persons = number(optarg);
		else if (c == 's')
			s->n = number(optarg);
		else
			exit(2);
	if (config == NULL || s->persons == 0 || optind != argc) {
		fprintf(stderr, "usage: planet-bench-search --config FILE"
		    " --persons N [--searches N]\n");
		exit(2);
	}
	return config;
}

int
main(int argc, char **argv)
{
	struct search	 s = { .n = 2000 };
	struct conf	*conf = conf_load(options(&s, argc, argv));
	struct found	 community;

	if (conf == NULL)
		return 1;
	log_open("planet-bench-search", LOG_WARN_);
	if (!crypt_init() || !crypt_load_keys(conf->keys_file) ||
	    !service_ready())
		fail("keys or tables are missing");
	db_register(community_sql, 1);
	s.stmt = find_stmt();
	if (db_open(conf->db, conf->db_timeout_ms, true, &s.db) != OK)
		fail("cannot open the database");
	s.arena = arena_new(1 << 20);
	if (db_one(s.db, s.arena, &community_sql[0], NOTHING, &community) !=
	    OK)
		fail("there is nobody");
	s.community = community.id;
	printf("{\"persons\":%d,\"searches\":%d,", s.persons, s.n);
	measure(&s, "found", true);
	printf(",");
	measure(&s, "absent", false);
	printf("}\n");
	db_close(s.db);
	arena_free(s.arena);
	conf_free(conf);
	return 0;
}
