/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo.h -- between the files of planetctl demo: what there is to
 * load, and what became of it.
 *
 * ctl_demo.c       the command, and the order of things
 * ctl_demo_data.c  the tables
 * ctl_demo_load.c  into the database
 * ctl_demo_file.c  demo.json
 * ctl_demo_roster.c  who lives there, as files to import
 * ctl_demo_payee.c  who bills, and the first bills
 */
#ifndef CTL_DEMO_H
#define CTL_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "service/place_tree.h"

#include "ctl_community.h"

#define DEMO_COMMUNITIES	3
#define DEMO_AREAS		3	/* compounds of a station */
#define DEMO_ROLES		2	/* of a person */
#define DEMO_RESIDENTS		24
#define DEMO_PEOPLE		32	/* at most, with an account */
#define DEMO_STATIONS		5
#define DEMO_PAYEES		4
#define DEMO_PASSWORD		"Planet-2026-demo"

struct ctl;
struct arena;

/* A compound of buildings that are all alike. */
struct demo_compound {
	int		 community;	/* place in demo_communities */
	const char	*name;		/* NULL ends the table */
	int		 buildings, entrances, floors, doors;
	int		 all_buildings;	/* with the people of the roster */
	int		 lift_from;	/* first building with a lift, or 0 */
	int64_t		 lat, lng;
};

/* A station; areas are compounds by name, the lowest rank asked first. */
struct demo_station {
	int		 community;
	const char	*name;
	const char	*phone;
	const char	*place;
	int64_t		 lat, lng;
	struct {
		const char	*compound;
		int		 rank;
	}		 areas[DEMO_AREAS];
};

/* What stations sell; bit i of `stations` is demo_stations[i]. */
struct demo_product {
	const char	*brand;		/* NULL ends the table */
	const char	*name;
	int64_t		 millilitres;
	int64_t		 price_fen;
	int64_t		 stock;
	unsigned	 stations;
};

struct demo_person {
	const char	*account;	/* NULL ends the table */
	const char	*name;
	int		 community;
	const char	*roles[DEMO_ROLES];
	int		 station;	/* place in demo_stations, or -1 */
	const char	*duty;		/* at the station */
	const char	*openid;	/* NULL: no WeChat */
};

extern const struct ctl_community demo_communities[DEMO_COMMUNITIES];
extern const struct demo_compound demo_compounds[];
extern const struct demo_station demo_stations[DEMO_STATIONS];
extern const struct demo_product demo_products[];
extern const struct demo_person demo_people[];

/* Somebody who lives here and will log in by WeChat. */
struct demo_resident {
	const char	*openid;
	const char	*phone;
	int		 community;
	int64_t		 dwelling_id;
	const char	*place;		/* where that is */
};

/* Head and grid worker of a community's first resident. */
struct demo_duty {
	const char	*head_name;
	const char	*head_phone;	/* NULL: no files were written */
	const char	*worker_phone;
};

/* What stands in the database after loading. */
struct demo {
	struct ctl		*ctl;
	struct arena		*attempt;	/* of one transaction */
	bool			 all;	/* the dwellings of the roster too */
	struct demo_duty	 duty[DEMO_COMMUNITIES];
	int64_t			 communities[DEMO_COMMUNITIES];
	struct place_tree	*places[DEMO_COMMUNITIES];
	int64_t			 stations[DEMO_STATIONS];
	int64_t			 payees[DEMO_PAYEES];
	const char		*passwords[DEMO_PEOPLE]; /* of new accounts */
	struct demo_resident	 residents[DEMO_RESIDENTS];
	int			 dwellings;	/* added, as the next three */
	int			 new_stations;
	int			 products;
	int			 people;
};

/* Row of a dwelling of a compound, its text in the arena. */
void ctl_demo_data_dwelling(struct arena *, const struct demo_compound *,
    int building, int entrance, int floor, int door,
    struct place_row *ret);

/* The compound and the dwelling in which resident `i` lives. */
void ctl_demo_data_resident(struct arena *, int i, struct demo_resident *ret,
    struct place_row *ret_row);

void ctl_demo_load_register(void);

void ctl_demo_payee_register(void);

/* The payees, once people are there; in the transaction. */
enum err ctl_demo_payee_load(struct demo *);

/* Their first bills, once residents have their places. */
enum err ctl_demo_payee_bills(struct demo *);

/* Which payee an account is for, and its duty there; -1 for none. */
int ctl_demo_payee_of(const char *account, const char **ret_duty);
const char *ctl_demo_payee_name(int, int64_t *ret_kinds);

/* Load all of it; fn of a transaction, `arg` is a struct demo. */
enum err ctl_demo_load(void *arg);

/*
 * Write roster-CODE.csv and grids-CODE.csv of each community into the
 * folder; false with errno.
 */
bool ctl_demo_roster(struct demo *, const char *dir);

/* Write demo.json at `path`, as a whole or not at all; false with errno. */
bool ctl_demo_file(const struct demo *, const char *path,
    const char *base_url, const char *standin_url);

#endif
