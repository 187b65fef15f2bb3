/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seed.c -- records and sessions for the benchmark.
 *
 * One community with one station, N residents in dwellings of their own,
 * each with M orders.  Orders are written turn by turn, not resident by
 * resident, so that a resident's orders lie as scattered as real ones.
 * The sessions are opened by the product's own session_open; their tokens
 * go to a file, one a line.  The database must be migrated and empty.  With
 * --persons the records are those of seed_person.c instead.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "store/db.h"
#include "store/redis.h"
#include "store/session.h"
#include "http/route.h"
#include "seed_person.h"

#define BATCH		5000		/* orders a transaction */
#define DOORS		100		/* dwellings of a building */

struct resident {
	int64_t		 id;
	int64_t		 address;
	const char	*place;
	const char	*name;
	int64_t		 floor;
};

struct seed {
	const struct conf	*conf;
	struct db		*db;
	struct arena		*arena;
	struct resident		*residents;
	int			 n, orders;
	int			 persons;	/* instead of residents */
	const char		*tokens;	/* file */
	const char		*phone, *mask;	/* all rows': sealed, masked */
	int64_t			 now;
	int64_t			 community, compound, station, product;
	int64_t			 courier;
};

enum { COMMUNITY, USER, ROLE, PLACE, ADDRESS, ORG, STATION, AREA, PRODUCT,
	ORDER, ITEM, OFFER, EVENT, SQL_MAX };

static struct stmt sql[] = {
	[COMMUNITY] = { RW, 1, NULL,
	    "INSERT INTO community (id, code, edition, name, township)"
	    " VALUES ($1, '520402001001', '2023-09-12', '西航社区',"
	    " '西航街道')", NULL, 0 },
	[USER] = { RW, 6, NULL,
	    "INSERT INTO app_user (id, openid, name, phone, community_id,"
	    " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
	    NULL, 0 },
	[ROLE] = { RW, 4, NULL,
	    "INSERT INTO user_role (community_id, user_id, role, granted_at)"
	    " VALUES ($1, $2, $3, $4)", NULL, 0 },
	[PLACE] = { RW, 9, NULL,
	    "INSERT INTO place (community_id, id, parent_id, kind,"
	    " compound_id, name, full_name, rank, floor, lift) VALUES"
	    " ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)", NULL, 0 },
	[ADDRESS] = { RW, 7, NULL,
	    "INSERT INTO address (community_id, id, user_id, dwelling_id,"
	    " contact, phone, label, is_default, created_at) VALUES"
	    " ($1, $2, $3, $4, $5, $6, '', 1, $7)", NULL, 0 },
	[ORG] = { RW, 3, NULL,
	    "INSERT INTO org (community_id, id, kind, name, phone, place,"
	    " created_at) VALUES ($1, $2, 'water', '清泉水站',"
	    " '0851-33220000', '西航路28号', $3)", NULL, 0 },
	[STATION] = { RW, 2, NULL,
	    "INSERT INTO water_station (community_id, id, opens, closes,"
	    " floor_fee_fen, free_floors, accept_minutes, windows, paused)"
	    " VALUES ($1, $2, 480, 1200, 100, 3, 15,"
	    " '09:00-12:00,14:00-18:00', 0)", NULL, 0 },
	[AREA] = { RW, 3, NULL,
	    "INSERT INTO water_area (community_id, compound_id, station_id,"
	    " rank) VALUES ($1, $2, $3, 1)", NULL, 0 },
	[PRODUCT] = { RW, 4, NULL,
	    "INSERT INTO water_product (community_id, id, station_id, brand,"
	    " name, millilitres, price_fen, stock, on_sale, updated_at)"
	    " VALUES ($1, $2, $3, '山泉', '饮用天然水', 18900, 2200, 500, 1,"
	    " $4)", NULL, 0 },
	[ORDER] = { RW, 26, NULL,
	    "INSERT INTO water_order (community_id, id, state, version,"
	    " urged, deadline_at, owner_id, org_id, assignee_id, title,"
	    " created_at, updated_at, address_id, compound_id, place, floor,"
	    " lift, contact, phone, phone_mask, window_from, window_to,"
	    " items, goods_fen, floor_fen, total_fen, agreed_fen, payment,"
	    " paid_at, code, code_tries, note, reason, station,"
	    " station_phone, courier) VALUES"
	    " ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
	    " $14, $15, 1, $16, $17, $18, $19, $20, $21, $22, 0, $22, $22,"
	    " 'on_delivery', $23, $24, 0, $25, $26,"
	    " (SELECT name FROM org WHERE community_id = $1 AND id = $7),"
	    " (SELECT phone FROM org WHERE community_id = $1 AND id = $7),"
	    " (SELECT name FROM app_user WHERE id = $8))", NULL, 0 },
	[ITEM] = { RW, 4, NULL,
	    "INSERT INTO water_item (community_id, order_id, product_id,"
	    " quantity, price_fen) VALUES ($1, $2, $3, $4, 2200)", NULL, 0 },
	[OFFER] = { RW, 4, NULL,
	    "INSERT INTO water_offer (community_id, order_id, station_id,"
	    " offered_at) VALUES ($1, $2, $3, $4)", NULL, 0 },
	[EVENT] = { RW, 5, NULL,
	    "INSERT INTO flow_event (community_id, thing_id, id, flow, event,"
	    " to_state, actor_id, actor, created_at) VALUES ($1, $2, $3,"
	    " 'water_order', 'place', 'placed', $4, 'owner', $5)", NULL, 0 },
};

static void
fail(const char *why)
{
	fprintf(stderr, "planet-bench-seed: %s\n", why);
	exit(1);
}

static void
run(struct seed *s, int which, struct values v)
{
	if (db_run(s->db, &sql[which], v, NULL) != OK)
		fail("a row was refused; is the database migrated and empty?");
}

static void
begin(struct seed *s)
{
	if (db_begin(s->db) != OK)
		fail("cannot begin");
}

static void
commit(struct seed *s)
{
	if (db_commit(s->db) != OK)
		fail("cannot commit");
}

static int64_t
place(struct seed *s, const char *kind, int64_t parent, const char *name,
    const char *full, int64_t rank, struct value floor)
{
	int64_t	id = id_new();

	run(s, PLACE, WITH(V(s->community), V(id), V(parent), V(kind),
	    V(parent == 0 ? id : s->compound), V(name), V(full), V(rank),
	    floor));
	return id;
}

static void
resident(struct seed *s, int i, int64_t entrance)
{
	struct resident	*r = &s->residents[i];
	int		 door = i % DOORS;
	int64_t		 dwelling;
	const char	*room;

	r->id = id_new();
	r->address = id_new();
	r->floor = door / 4 + 1;
	r->name = arena_fmt(s->arena, "居民%d", i + 1);
	room = arena_fmt(s->arena, "%lld%02d", (long long)r->floor,
	    door % 4 + 1);
	r->place = arena_fmt(s->arena, "阳光花园%d栋1单元%s室", i / DOORS + 1,
	    room);
	dwelling = place(s, "dwelling", entrance, room, r->place, door,
	    V(r->floor));
	run(s, USER, WITH(V(r->id), V(arena_fmt(s->arena, "bench-%d", i)),
	    V(r->name), V(s->phone), V(s->community), V(s->now)));
	run(s, ROLE, WITH(V(s->community), V(r->id), V("resident"),
	    V(s->now)));
	run(s, ADDRESS, WITH(V(s->community), V(r->address), V(r->id),
	    V(dwelling), V(r->name), V(s->phone), V(s->now)));
}

/* The community, its station, and everybody in it. */
static void
people(struct seed *s)
{
	int64_t	building, entrance = 0;
	char	name[32];
	int	i;

	begin(s);
	run(s, COMMUNITY, WITH(V(s->community)));
	s->compound = place(s, "compound", 0, "阳光花园", "阳光花园", 1,
	    VNULL);
	run(s, ORG, WITH(V(s->community), V(s->station), V(s->now)));
	run(s, STATION, WITH(V(s->community), V(s->station)));
	run(s, AREA, WITH(V(s->community), V(s->compound), V(s->station)));
	run(s, PRODUCT, WITH(V(s->community), V(s->product), V(s->station),
	    V(s->now)));
	run(s, USER, WITH(V(s->courier), V("bench-courier"), V("送水员"),
	    V(s->phone), V(s->community), V(s->now)));
	for (i = 0; i < s->n; i++) {
		if (i % DOORS == 0) {
			snprintf(name, sizeof(name), "%d栋", i / DOORS + 1);
			building = place(s, "building", s->compound, name,
			    arena_fmt(s->arena, "阳光花园%s", name), i, VNULL);
			entrance = place(s, "entrance", building, "1单元",
			    arena_fmt(s->arena, "阳光花园%s1单元", name), 1,
			    VNULL);
		}
		resident(s, i, entrance);
	}
	commit(s);
}

enum { PLACED, ACCEPTED, DELIVERING, DELIVERED, COMPLETED, CANCELLED,
	REJECTED };

static const char *const states[] = { "placed", "accepted", "delivering",
	"delivered", "completed", "cancelled", "rejected" };

/* The last order of each is under way, most before it were completed. */
static int
state_of(const struct seed *s, int turn, int i)
{
	if (turn == s->orders - 1)
		return PLACED + i % 4;
	if ((turn + i) % 7 == 0)
		return CANCELLED;
	return (turn + i) % 11 == 0 ? REJECTED : COMPLETED;
}

/*
 * About a third of all: a list has both.
 */
static bool
has_courier(int state, int turn, int i)
{
	if (state == DELIVERING || state == DELIVERED)
		return true;
	return state == COMPLETED && (turn + i) % 5 < 2;
}

static const char *
items_of(struct seed *s, struct arena *a, int quantity)
{
	return arena_fmt(a, "[{\"product_id\":\"%lld\",\"quantity\":%d,"
	    "\"brand\":\"山泉\",\"name\":\"饮用天然水\",\"millilitres\":18900,"
	    "\"price_fen\":2200}]", (long long)s->product, quantity);
}

static void
order(struct seed *s, struct arena *a, int turn, int i)
{
	const struct resident	*r = &s->residents[i];
	int			 state = state_of(s, turn, i);
	bool			 ended = state > DELIVERED;
	int64_t			 id = id_new(), at;
	int			 quantity = 1 + i % 3;

	at = s->now - (s->orders - turn) * CLOCK_DAY;
	run(s, ORDER, WITH(V(s->community), V(id), V(states[state]),
	    V(1 + i % 4), ended ? VNULL : V(s->now + CLOCK_DAY), V(r->id),
	    V(s->station),
	    has_courier(state, turn, i) ? V(s->courier) : VNULL,
	    V(arena_fmt(a, "山泉18.9L×%d", quantity)), V(at),
	    V(at + CLOCK_HOUR), V(r->address), V(s->compound), V(r->place),
	    V(r->floor), V(r->name), V(s->phone), V(s->mask),
	    V(at + CLOCK_HOUR), V(at + 4 * CLOCK_HOUR),
	    V(items_of(s, a, quantity)), V(2200 * quantity),
	    state == COMPLETED ? V(at + 2 * CLOCK_HOUR) : VNULL,
	    V(state == DELIVERING ? "4711" : ""),
	    i % 3 == 0 ? V("放在门口就行，谢谢。") : VNULL,
	    state > COMPLETED ? V("临时有事，改天再送。") : VNULL));
	run(s, ITEM, WITH(V(s->community), V(id), V(s->product),
	    V(quantity)));
	run(s, OFFER, WITH(V(s->community), V(id), V(s->station), V(at)));
	run(s, EVENT, WITH(V(s->community), V(id), V(id_new()), V(r->id),
	    V(at)));
}

static void
orders(struct seed *s)
{
	struct arena	*a = arena_new(1 << 20);
	int		 turn, i;
	long		 n = 0;

	begin(s);
	for (turn = 0; turn < s->orders; turn++)
		for (i = 0; i < s->n; i++) {
			order(s, a, turn, i);
			arena_reset(a);
			if (++n % BATCH == 0) {
				commit(s);
				begin(s);
			}
		}
	commit(s);
	arena_free(a);
}

static void
sessions(struct seed *s)
{
	struct redis	*redis;
	char		 token[CRYPT_TOKEN_MAX];
	FILE		*fp;
	int		 i, fd;

	redis = redis_new(s->conf->redis, s->conf->redis_db,
	    s->conf->redis_timeout_ms);
	fd = open(s->tokens, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (redis == NULL || fd == -1 || (fp = fdopen(fd, "w")) == NULL)
		fail("cannot write the tokens");
	for (i = 0; i < s->n; i++) {
		struct session who = { .user_id = s->residents[i].id,
		    .community_id = s->community, .roles = ROLE_RESIDENT,
		    .life_ms = s->conf->session_days * CLOCK_DAY };

		if (session_open(redis, &who, token) != OK)
			fail("Redis refused a session");
		fprintf(fp, "%s\n", token);
	}
	if (fclose(fp) != 0)
		fail("cannot write the tokens");
	redis_free(redis);
}

static int
number(const char *s)
{
	int64_t	n;

	if (!id_parse(s, &n) || n > 10000000)
		fail("--residents, --orders and --persons take a number");
	return (int)n;
}

static const char *
options(struct seed *s, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "residents", required_argument, NULL, 'r' },
		{ "orders", required_argument, NULL, 'o' },
		{ "persons", required_argument, NULL, 'p' },
		{ "tokens", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	const char	*config = NULL;
	int		 c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (c == 'c')
			config = optarg;
		else if (c == 'r')
			s->n = number(optarg);
		else if (c == 'o')
			s->orders = number(optarg);
		else if (c == 'p')
			s->persons = number(optarg);
		else if (c == 't')
			s->tokens = optarg;
		else
			exit(2);
	if (config == NULL || s->tokens == NULL || optind != argc) {
		fprintf(stderr, "usage: planet-bench-seed --config FILE"
		    " --tokens FILE [--residents N] [--orders N]"
		    " | [--persons N]\n");
		exit(2);
	}
	return config;
}

int
main(int argc, char **argv)
{
	struct seed	 s = { .n = 2000, .orders = 30 };
	struct conf	*conf = conf_load(options(&s, argc, argv));

	if (conf == NULL)
		return 1;
	s.conf = conf;
	log_open("planet-bench-seed", LOG_WARN_);
	if (!crypt_init() || !crypt_load_keys(conf->keys_file) ||
	    !id_init(conf->run_dir, (int)conf->node, 16))
		fail("keys or node numbers are missing");
	db_register(sql, SQL_MAX);
	seed_persons_register();
	if (db_open(conf->db, conf->db_timeout_ms, true, &s.db) != OK)
		fail("cannot open the database");
	if (s.persons > 0) {
		seed_persons(conf, s.db, s.persons, s.tokens);
		db_close(s.db);
		conf_free(conf);
		return 0;
	}
	s.arena = arena_new((size_t)1 << 30);
	s.residents = ARENA_ARRAY(s.arena, struct resident, s.n);
	s.phone = crypt_seal(s.arena, "phone", "13800138000");
	s.mask = text_mask_phone(s.arena, "13800138000");
	s.now = clock_now();
	s.community = id_new();
	s.station = id_new();
	s.product = id_new();
	s.courier = id_new();
	people(&s);
	orders(&s);
	sessions(&s);
	db_close(s.db);
	arena_free(s.arena);
	conf_free(conf);
	return 0;
}
