/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo_load.c -- the demo's tables into the database.
 *
 * What is there already is left as it is: a station that has sold barrels
 * keeps its stock, a person a password that was changed.
 */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/id.h"
#include "base/view.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_demo.h"
#include "ctl_person.h"

#define STATION_KIND	"water_station"
#define OPENS		(7 * 60)
#define CLOSES		(21 * 60)
#define WINDOWS		"08:00-10:00,10:00-12:00,14:00-17:00,17:00-20:00"
#define FLOOR_FEE	100
#define FREE_FLOORS	2
#define DEPOSIT		3000	/* fen a barrel */

struct demo_org {
	int64_t		 id;
};

static const struct view_column demo_org_columns[] = {
	C_ID(demo_org, id),
	C_END
};
static const struct view demo_org_view = VIEW(demo_org, "CtlDemoOrg");

enum { DEMO_ORG, DEMO_ORG_ADD, DEMO_STATION_ADD, DEMO_AREA_ADD,
	DEMO_PRODUCT_ADD, DEMO_STAFF_ADD, DEMO_SQL_MAX };

static struct stmt demo_sql[] = {
	[DEMO_ORG] = { RO, 3, &demo_org_view,
	    "SELECT id FROM org WHERE community_id = $1 AND kind = $2"
	    " AND name = $3", NULL, 0 },
	[DEMO_ORG_ADD] = { RW, 9, NULL,
	    "INSERT INTO org (community_id, id, kind, name, phone, place,"
	    " lat, lng, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
	    " $9)", NULL, 0 },
	[DEMO_STATION_ADD] = { RW, 8, NULL,
	    "INSERT INTO water_station (community_id, id, opens, closes,"
	    " floor_fee_fen, free_floors, accept_minutes, windows, paused)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)", NULL, 0 },
	[DEMO_AREA_ADD] = { RW, 4, NULL,
	    "INSERT INTO water_area (community_id, compound_id, station_id,"
	    " rank) VALUES ($1, $2, $3, $4)", NULL, 0 },
	[DEMO_PRODUCT_ADD] = { RW, 10, NULL,
	    "INSERT INTO water_product (community_id, id, station_id, brand,"
	    " name, millilitres, price_fen, stock, on_sale, updated_at,"
	    " returnable, deposit_fen)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, 1, $10)",
	    NULL, 0 },
	[DEMO_STAFF_ADD] = { RW, 5, NULL,
	    "INSERT INTO org_staff (community_id, org_id, user_id, duty,"
	    " since) VALUES ($1, $2, $3, $4, $5)", NULL, 0 },
};

void
ctl_demo_load_register(void)
{
	ctl_community_register();
	place_tree_register();
	ctl_person_register();
	db_register(demo_sql, DEMO_SQL_MAX);
}

static struct db *
db_of(const struct demo *d)
{
	return d->ctl->db;
}

/* ---- territory ---- */

static enum err
load_community(struct demo *d, int i)
{
	struct ctl_community	c;
	enum err		e;
	int			change;

	e = ctl_community_find(db_of(d), d->attempt,
	    demo_communities[i].code, &c);
	if (e == ERR_ABSENT) {
		c = demo_communities[i];
		e = ctl_community_keep(db_of(d), d->attempt, &c, &change);
	}
	if (e != OK)
		return e;
	d->communities[i] = c.id;
	d->places[i] = place_tree_new(d->attempt, c.id);
	return place_tree_load(d->places[i], db_of(d));
}

/* Make sure of a dwelling; one that is there is not touched. */
static void
add_dwelling(struct demo *d, int community, const struct place_row *r)
{
	int	line;

	if (place_tree_id(d->places[community], r->name, PLACE_LEVELS) == 0)
		place_tree_add(d->places[community], r, &line);
}

static void
add_compound(struct demo *d, const struct demo_compound *c)
{
	struct place_row	r;
	int			b, u, f, n;

	for (b = 1; b <= (d->all ? c->all_buildings : c->buildings); b++)
		for (u = 1; u <= c->entrances; u++)
			for (f = 1; f <= c->floors; f++)
				for (n = 1; n <= c->doors; n++) {
					ctl_demo_data_dwelling(d->attempt, c,
					    b, u, f, n, &r);
					add_dwelling(d, c->community, &r);
				}
}

static enum err
load_territory(struct demo *d)
{
	const struct demo_compound	*c;
	struct place_counts		 counts;
	enum err			 e;
	int				 i;

	for (i = 0; i < DEMO_COMMUNITIES; i++)
		if ((e = load_community(d, i)) != OK)
			return e;
	for (c = demo_compounds; c->name != NULL; c++)
		add_compound(d, c);
	for (i = 0; i < DEMO_COMMUNITIES; i++) {
		e = place_tree_write(d->places[i], db_of(d), &counts);
		if (e != OK)
			return e;
		d->dwellings += counts.added[PLACE_DWELLING];
	}
	return OK;
}

/* ---- stations ---- */

static enum err
add_areas(struct demo *d, const struct demo_station *s, int64_t id)
{
	int64_t		compound;
	enum err	e;
	int		i;

	for (i = 0; i < DEMO_AREAS && s->areas[i].compound != NULL; i++) {
		compound = place_tree_id(d->places[s->community],
		    &s->areas[i].compound, 1);
		e = db_run(db_of(d), &demo_sql[DEMO_AREA_ADD],
		    WITH(V(d->communities[s->community]), V(compound), V(id),
		    V(s->areas[i].rank)), NULL);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
add_products(struct demo *d, int station, int64_t community, int64_t id)
{
	const struct demo_product	*p;
	enum err			 e;

	for (p = demo_products; p->brand != NULL; p++) {
		if ((p->stations & 1u << station) == 0)
			continue;
		e = db_run(db_of(d), &demo_sql[DEMO_PRODUCT_ADD],
		    WITH(V(community), V(id_new()), V(id), V(p->brand),
		    V(p->name), V(p->millilitres), V(p->price_fen),
		    V(p->stock), V(clock_now()), V(DEPOSIT)), NULL);
		if (e != OK)
			return e;
		d->products++;
	}
	return OK;
}

static enum err
add_station(struct demo *d, int i, int64_t community, int64_t id)
{
	const struct demo_station	*s = &demo_stations[i];
	enum err			 e;

	e = db_run(db_of(d), &demo_sql[DEMO_ORG_ADD],
	    WITH(V(community), V(id), V(STATION_KIND), V(s->name),
	    V(s->phone), V(s->place), V(s->lat), V(s->lng), V(clock_now())),
	    NULL);
	if (e != OK)
		return e;
	e = db_run(db_of(d), &demo_sql[DEMO_STATION_ADD],
	    WITH(V(community), V(id), V(OPENS), V(CLOSES), V(FLOOR_FEE),
	    V(FREE_FLOORS), V(d->ctl->conf->accept_minutes), V(WINDOWS)),
	    NULL);
	if (e != OK || (e = add_areas(d, s, id)) != OK)
		return e;
	d->new_stations++;
	return add_products(d, i, community, id);
}

static enum err
load_stations(struct demo *d)
{
	struct demo_org	row;
	int64_t		community;
	enum err	e;
	int		i;

	for (i = 0; i < DEMO_STATIONS; i++) {
		community = d->communities[demo_stations[i].community];
		e = db_one(db_of(d), d->attempt, &demo_sql[DEMO_ORG],
		    WITH(V(community), V(STATION_KIND),
		    V(demo_stations[i].name)), &row);
		if (e == ERR_ABSENT) {
			row.id = id_new();
			e = add_station(d, i, community, row.id);
		}
		if (e != OK)
			return e;
		d->stations[i] = row.id;
	}
	return OK;
}

/* ---- people ---- */

static enum err
add_person(struct demo *d, const struct demo_person *p, const char *hash)
{
	struct ctl_person	who = { .account = p->account,
		.password = hash, .name = p->name, .openid = p->openid,
		.community_id = d->communities[p->community] };
	enum err		e;
	int			i;

	if ((e = ctl_person_add(db_of(d), &who)) != OK)
		return e;
	for (i = 0; i < DEMO_ROLES && p->roles[i] != NULL; i++) {
		e = ctl_person_grant(db_of(d), who.id, who.community_id,
		    p->roles[i]);
		if (e != OK)
			return e;
	}
	d->people++;
	if (p->station < 0)
		return OK;
	return db_run(db_of(d), &demo_sql[DEMO_STAFF_ADD],
	    WITH(V(who.community_id), V(d->stations[p->station]), V(who.id),
	    V(p->duty), V(clock_now())), NULL);
}

static enum err
load_people(struct demo *d)
{
	int64_t		id;
	enum err	e;
	int		i;

	for (i = 0; demo_people[i].account != NULL; i++) {
		e = ctl_person_find(db_of(d), d->attempt,
		    demo_people[i].account, &id);
		if (e == ERR_ABSENT && d->passwords[i] == NULL)
			e = ERR_AGAIN;
		else if (e == ERR_ABSENT)
			e = add_person(d, &demo_people[i], d->passwords[i]);
		if (e != OK)
			return e;
	}
	return OK;
}

/* Residents are not in the database before they log in; their homes are. */
static void
place_residents(struct demo *d)
{
	struct demo_resident	*r;
	struct place_row	 row;
	int			 i;

	for (i = 0; i < DEMO_RESIDENTS; i++) {
		r = &d->residents[i];
		ctl_demo_data_resident(d->ctl->arena, i, r, &row);
		r->dwelling_id = place_tree_id(d->places[r->community],
		    row.name, PLACE_LEVELS);
	}
}

enum err
ctl_demo_load(void *arg)
{
	struct demo	*d = arg;
	enum err	 e;

	arena_reset(d->attempt);
	d->dwellings = d->new_stations = d->products = d->people = 0;
	if ((e = load_territory(d)) == OK && (e = load_stations(d)) == OK)
		e = load_people(d);
	if (e == OK)
		e = ctl_demo_payee_load(d);
	if (e == OK)
		place_residents(d);
	/* Somebody else loads the same: look again. */
	return e == ERR_UNIQUE ? ERR_AGAIN : e;
}
