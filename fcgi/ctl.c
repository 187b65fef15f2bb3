/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl.c -- planetctl: what a person does to an installation.
 *
 *	planetctl --config FILE COMMAND ...
 *
 * Each command is one row of the table below; `need` says how much has to
 * stand before it runs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"
#include "config.h"
#include "ctl.h"
#include "ctl_audit.h"
#include "ctl_keys.h"
#include "ctl_nginx.h"
#include "flow/flow.h"
#include "http/route.h"
#include "program.h"
#include "service/service.h"
#include "store/db.h"
#include "store/migrate.h"

#define USUAL_CONF	"/etc/planet/planet.conf"

enum need {
	NEED_NOTHING,	/* not even a configuration */
	NEED_TABLES,	/* routes and flows registered */
	NEED_CONF,	/* the configuration */
	NEED_KEYS,	/* and keys, tables, a node number */
	NEED_DB,	/* and the database, before its migration */
	NEED_SCHEMA	/* and its statements prepared */
};

struct command {
	const char	*name;
	const char	*usage;
	enum need	 need;
	int		(*run)(struct ctl *, int, char **);
};

const char *
ctl_sql_dir(void)
{
	const char	*dir = getenv("PLANET_SQL_DIR");

	if (dir != NULL && dir[0] != '\0')
		return dir;
	if (access(PLANET_SQL_SOURCE, R_OK) == 0)
		return PLANET_SQL_SOURCE;
	return PLANET_SQL_DIR;
}

static int
run_migrate(struct ctl *ctl, int argc, char **argv)
{
	int		n;
	enum err	e;

	(void)argc;
	(void)argv;
	if ((e = migrate_run(ctl->db, ctl_sql_dir(), &n)) != OK) {
		fprintf(stderr, "planetctl: migrate: %s\n",
		    err_info(e)->title);
		return 1;
	}
	printf("%d migrations applied\n", n);
	return 0;
}

static int
run_check(struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (migrate_check(ctl->db, ctl_sql_dir()) != OK) {
		fprintf(stderr, "planetctl: the database is not at this"
		    " program's schema; run: planetctl migrate\n");
		return 1;
	}
	printf("ok\n");
	return 0;
}

static int
run_nginx(struct ctl *ctl, int argc, char **argv)
{
	if (argc > 2)
		return 2;
	return ctl_nginx(ctl->conf, argc == 2 ? argv[1] : NULL, stdout);
}

static int
run_routes(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argc;
	(void)argv;
	route_print(stdout);
	return 0;
}

static int
run_openapi(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argc;
	(void)argv;
	return openapi_print(stdout) == OK ? 0 : 1;
}

static int
run_flows(struct ctl *ctl, int argc, char **argv)
{
	bool	dot = argc == 2 && strcmp(argv[1], "--graphviz") == 0;

	(void)ctl;
	if (argc > 1 && !dot)
		return 2;
	flow_print(stdout, dot);
	return 0;
}

static int
run_sample(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argc;
	(void)argv;
	conf_sample(stdout);
	return 0;
}

static const struct command commands[] = {
	{ "migrate", "migrate", NEED_DB, run_migrate },
	{ "check", "check", NEED_DB, run_check },
	{ "doctor", "doctor", NEED_CONF, ctl_doctor },
	{ "admin", "admin create --account A [--community CODE]"
	    " [--role ROLE]... [--name N] [--password-file F]"
	    " [--keep-password] | list | reset-password --account A",
	    NEED_SCHEMA, ctl_admin },
	{ "import", "import territory|grids|roster FILE.csv"
	    " [--community CODE] [--preview] [--partial]"
	    " [--faults OUT.csv] | undo ID | communities FILE.csv"
	    " | bills FILE.csv --payee NAME [--community CODE] [--preview]",
	    NEED_SCHEMA, ctl_import },
	{ "demo", "demo --base-url URL --standin-url URL [--files DIR]",
	    NEED_SCHEMA, ctl_demo },
	{ "audit", "audit verify [--community CODE] [--anchors FILE]",
	    NEED_SCHEMA, ctl_audit },
	{ "keys", "keys new | list | rotate | reseal | drop ID", NEED_CONF,
	    ctl_keys },
	{ "seal", "seal < LINES (COLUMN<tab>VALUE)", NEED_KEYS, ctl_seal },
	{ "ledger", "ledger check", NEED_SCHEMA, ctl_ledger },
	{ "reconcile", "reconcile DATE", NEED_SCHEMA, ctl_recon },
	{ "nginx", "nginx [all|http|server]", NEED_CONF, run_nginx },
	{ "routes", "routes", NEED_TABLES, run_routes },
	{ "openapi", "openapi", NEED_TABLES, run_openapi },
	{ "flows", "flows [--graphviz]", NEED_TABLES, run_flows },
	{ "conf-sample", "conf-sample", NEED_NOTHING, run_sample },
	{ NULL, NULL, NEED_NOTHING, NULL }
};

static int
usage(void)
{
	const struct command	*c;

	fprintf(stderr, "usage: planetctl [--config FILE] COMMAND\n");
	for (c = commands; c->name != NULL; c++)
		fprintf(stderr, "  %s\n", c->usage);
	return 2;
}

/* Whether a configuration was named, or is where one usually is. */
static bool
has_conf(const struct command *c, const char *path)
{
	if (path != NULL || access(USUAL_CONF, F_OK) == 0)
		return true;
	fprintf(stderr, "planetctl: which installation?  There is no "
	    USUAL_CONF ", so name its\nconfiguration; that of scripts/run"
	    " is planet.conf in its folder.\n"
	    "usage: planetctl --config FILE %s\n", c->usage);
	return false;
}

/* Bring up what the command needs, run it, take it down again. */
static int
run(const struct command *c, const char *path, int argc, char **argv)
{
	struct ctl	 ctl = { .conf = NULL };
	struct conf	*conf = NULL;
	const char	*words;
	int		 rc = 1;

	if (c->need >= NEED_CONF) {
		if (!has_conf(c, path))
			return 2;
		conf = program_start("ctl", path != NULL ? path : USUAL_CONF,
		    c->need >= NEED_KEYS);
		if (conf == NULL)
			return 1;
		ctl.conf = conf;
	}
	if ((c->need == NEED_TABLES || c->need == NEED_CONF) &&
	    !service_ready())
		goto out;
	ctl_admin_register();
	ctl_import_register();
	ctl_demo_register();
	ctl_audit_register();
	ctl_recon_register();
	ctl.arena = arena_new(64 << 20);
	if (c->need >= NEED_DB && db_open(conf->db, conf->db_timeout_ms,
	    c->need == NEED_SCHEMA, &ctl.db) != OK) {
		fprintf(stderr, "planetctl: the database does not answer,"
		    " or is not migrated\n");
		goto out;
	}
	words = ctl_audit_words(&ctl, argc, argv);
	rc = c->run(&ctl, argc, argv);
	if (rc == 0)
		rc = ctl_audit_note(&ctl, c->name, words);
	if (rc == 2)
		fprintf(stderr, "usage: planetctl --config FILE %s\n",
		    c->usage);
out:
	db_close(ctl.db);
	arena_free(ctl.arena);
	conf_free(conf);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct command	*c;
	const char		*path = NULL;
	int			 at = 1;

	if (argc > 2 && strcmp(argv[1], "--config") == 0) {
		path = argv[2];
		at = 3;
	}
	if (at >= argc)
		return usage();
	for (c = commands; c->name != NULL; c++)
		if (strcmp(c->name, argv[at]) == 0)
			return run(c, path, argc - at, argv + at);
	return usage();
}
