/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_demo.c -- planetctl demo: three communities to try everything on.
 *
 * Only for installations that nobody else can reach: all passwords are the
 * same and stand in demo.json.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_demo.h"
#include "ctl_person.h"

#define DEMO_MEMORY	(256 << 20)
#define DEMO_TRIES	10

void
ctl_demo_register(void)
{
	ctl_demo_load_register();
	ctl_demo_payee_register();
}

/*
 * Passwords of the accounts that are not there yet.  Outside of the
 * transaction, because hashing takes its time.
 */
static enum err
make_passwords(struct demo *d)
{
	struct ctl	*ctl = d->ctl;
	int64_t		 id;
	enum err	 e;
	int		 i;

	for (i = 0; demo_people[i].account != NULL; i++) {
		e = ctl_person_find(ctl->db, ctl->arena,
		    demo_people[i].account, &id);
		if (e == ERR_ABSENT)
			d->passwords[i] = crypt_password(ctl->arena,
			    DEMO_PASSWORD);
		else if (e != OK)
			return e;
	}
	return OK;
}

static enum err
load(struct demo *d)
{
	enum err	e;

	if ((e = make_passwords(d)) != OK)
		return e;
	d->attempt = arena_new(DEMO_MEMORY);
	e = db_transact(d->ctl->db, DEMO_TRIES, ctl_demo_load, d);
	arena_free(d->attempt);
	return e != OK ? e : ctl_demo_payee_bills(d);
}

static int
demo(struct ctl *ctl, const char *base_url, const char *standin_url,
    const char *out, const char *files)
{
	struct demo	d = { .ctl = ctl, .all = files != NULL };
	enum err	e;

	if ((e = load(&d)) != OK) {
		fprintf(stderr, "planetctl: demo: %s\n", err_info(e)->title);
		return 1;
	}
	if (files != NULL && ((mkdir(files, 0700) != 0 && errno != EEXIST) ||
	    !ctl_demo_roster(&d, files))) {
		fprintf(stderr, "planetctl: demo: %s: %s\n", files,
		    strerror(errno));
		return 1;
	}
	if (!ctl_demo_file(&d, out, base_url, standin_url)) {
		fprintf(stderr, "planetctl: demo: %s: %s\n", out,
		    strerror(errno));
		return 1;
	}
	printf("demo: added %d dwellings, %d stations, %d products, %d"
	    " accounts; %d residents may log in; all in %s\n", d.dwellings,
	    d.new_stations, d.products, d.people, DEMO_RESIDENTS, out);
	return 0;
}

int
ctl_demo(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "base-url", required_argument, NULL, 'b' },
		{ "standin-url", required_argument, NULL, 's' },
		{ "out", required_argument, NULL, 'o' },
		{ "files", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 }
	};
	const char	*base_url = NULL, *standin_url = NULL, *out = NULL;
	const char	*files = NULL;
	int		 c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'b':
			base_url = optarg;
			break;
		case 's':
			standin_url = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		case 'f':
			files = optarg;
			break;
		default:
			return 2;
		}
	if (base_url == NULL || standin_url == NULL || optind != argc)
		return 2;
	if (out == NULL)
		out = arena_fmt(ctl->arena, "%s/demo.json", ctl->conf->dir);
	return demo(ctl, base_url, standin_url, out, files);
}
