/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl.h -- the commands of planetctl that do more than print a table.
 *
 * Each takes what follows its name on the command line and returns the
 * exit code: 0 done, 1 not done (said why), 2 called wrongly.
 */
#ifndef CTL_H
#define CTL_H

#include "ctl_nginx.h"

struct arena;
struct conf;
struct db;

struct ctl {
	const struct conf	*conf;
	struct db		*db;	/* prepared; doctor opens its own */
	struct arena		*arena;
};

/* The folder of the migrations; in ctl.c. */
const char *ctl_sql_dir(void);

/*
 * territory|grids|roster FILE.csv [--community CODE] [--preview]
 *     [--partial] [--faults OUT.csv]
 * undo ID
 * communities FILE.csv
 * bills FILE.csv --payee NAME [--community CODE] [--preview]
 *
 * All or nothing unless partial: every faulty cell is named on standard
 * error in Chinese, with its line and column, and the faulty rows go to
 * OUT.csv to be mended.  The same file again changes nothing.
 */
int ctl_import(struct ctl *, int argc, char **argv);
void ctl_import_register(void);

/*
 * --base-url URL --standin-url URL [--out FILE] [--files DIR]
 *
 * Three communities with people, stations and goods, and a file that says
 * who they are (default: demo.json in the state folder).  What is there
 * already is left as it is.  With --files, all dwellings of the roster,
 * and in that folder roster-CODE.csv and grids-CODE.csv to import.
 */
int ctl_demo(struct ctl *, int argc, char **argv);
void ctl_demo_register(void);

/*
 * create --account A [--community CODE] [--role ROLE]... [--name N]
 *     [--password-file F]
 * reset-password --account A [--password-file F]
 * list
 */
int ctl_admin(struct ctl *, int argc, char **argv);
void ctl_admin_register(void);

/*
 * No arguments.  Reads COLUMN<tab>VALUE a line from standard input and
 * prints SEALED<tab>INDEX for each, for rows that are loaded by SQL.
 */
int ctl_seal(struct ctl *, int argc, char **argv);

/*
 * check: add up all entries and balances; 1 when something is at fault.
 */
int ctl_ledger(struct ctl *, int argc, char **argv);

/*
 * DATE, as 2026-11-22.  Brings WeChat Pay's statement of that day and
 * matches it; exit code 1 also when a difference is open.
 */
int ctl_recon(struct ctl *, int argc, char **argv);
void ctl_recon_register(void);

/*
 * No arguments.  One line a check, "ok", "WARN" or "FAIL", what was looked
 * at, and how to mend it; 1 when one failed.  Needs the configuration
 * alone: keys and services need not be ready, ctl->db may be NULL.
 */
int ctl_doctor(struct ctl *, int argc, char **argv);

#endif
