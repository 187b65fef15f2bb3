/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_keys.c -- planetctl keys: make, add, list, drop; seal all anew.
 *
 * `rotate` puts a new key into the file, which all programs follow, and
 * seals every column of service/sealed.c with it, some rows a transaction,
 * each only if nobody changed it meanwhile.  It can be stopped at any
 * moment: `reseal` goes on with what is left.
 */
#include <sys/stat.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "service/sealed.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_keys.h"

#define ROWS_AT_ONCE	200
#define KEYS		16
#define FOLLOW_MS	2000	/* programs look once a second */
#define PASSES		10

struct reseal {
	struct ctl	*ctl;
	struct arena	*arena;		/* of a batch */
	struct sealed	*col;
	char		 key[CRYPT_KEY_MAX + 1];	/* ID: */
	struct sealed_row rows[ROWS_AT_ONCE];
	const char	*fresh[ROWS_AT_ONCE];
	int		 n;
	int64_t		 done, bad;
};

static void
sleep_ms(int64_t ms)
{
	struct timespec	t = { ms / 1000, ms % 1000 * 1000000 };

	if (ms > 0)
		nanosleep(&t, NULL);
}

/* `key` as values begin, for the one that seals or the one named. */
static void
prefix(char out[CRYPT_KEY_MAX + 1], const char *name)
{
	snprintf(out, CRYPT_KEY_MAX + 1, "%.16s:", name);
}

static enum err
count(struct ctl *ctl, struct sealed *col, const char *key, int64_t *ret)
{
	struct sealed_count	row = { 0 };
	enum err		e;

	e = db_one(ctl->db, ctl->arena, &col->count,
	    WITH(V((int64_t)strlen(key)), V(key)), &row);
	*ret = row.n;
	return e;
}

/* How many values a key sealed, in all columns. */
static enum err
count_all(struct ctl *ctl, const char *name, bool say, int64_t *ret)
{
	char		 key[CRYPT_KEY_MAX + 1];
	struct sealed	*col;
	enum err	 e;
	int64_t		 n;

	prefix(key, name);
	*ret = 0;
	for (col = sealed_columns; col->table != NULL; col++) {
		if ((e = count(ctl, col, key, &n)) != OK)
			return e;
		*ret += n;
		if (say && n > 0)
			printf("  %s.%s: %" PRId64 "\n", col->table,
			    col->column, n);
	}
	return OK;
}

/* ---- sealing anew ---- */

static enum err
read_rows(struct reseal *r, const struct sealed_row *after)
{
	struct arena		*a = r->arena;
	struct sealed_row	*row;
	struct rows		 rows;
	enum err		 e;

	r->n = 0;
	e = db_query(r->ctl->db, &r->col->read, WITH(V(after->a),
	    V(after->b), V(after->c), V(after->t),
	    V((int64_t)strlen(r->key)), V((const char *)r->key),
	    V(ROWS_AT_ONCE)), &rows);
	if (e != OK)
		return e;
	while (r->n < ROWS_AT_ONCE && db_each(&rows, &r->rows[r->n])) {
		row = &r->rows[r->n++];
		row->t = arena_str(a, row->t);
		row->sealed = arena_str(a, row->sealed);
	}
	return db_end(&rows);
}

static void
seal_rows(struct reseal *r)
{
	struct arena	*a = r->arena;
	const char	*clear;
	int		 i;

	for (i = 0; i < r->n; i++) {
		clear = crypt_open(a, r->col->name, r->rows[i].sealed);
		r->fresh[i] = clear == NULL ? NULL :
		    crypt_seal(a, r->col->name, clear);
		if (clear != NULL)
			continue;
		r->bad++;
		fprintf(stderr, "planetctl: keys: %s.%s of %" PRId64 ", %"
		    PRId64 ", %" PRId64 " %s does not open\n",
		    r->col->table, r->col->column, r->rows[i].a,
		    r->rows[i].b, r->rows[i].c, r->rows[i].t);
	}
}

static enum err
write_rows(void *arg)
{
	struct reseal		*r = arg;
	const struct sealed_row	*row;
	enum err		 e;
	int			 i;

	for (i = 0; i < r->n; i++) {
		row = &r->rows[i];
		if (r->fresh[i] == NULL)
			continue;
		e = db_run(r->ctl->db, &r->col->write, WITH(V(r->fresh[i]),
		    V(row->a), V(row->b), V(row->c), V(row->t),
		    V(row->sealed)), NULL);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err
reseal_column(struct reseal *r)
{
	struct sealed_row	after = { INT64_MIN, INT64_MIN, INT64_MIN,
		"", NULL };
	char			text[256];
	enum err		e;

	for (;;) {
		arena_reset(r->arena);
		if ((e = read_rows(r, &after)) != OK || r->n == 0)
			return e;
		seal_rows(r);
		if ((e = db_transact(r->ctl->db, 20, write_rows, r)) != OK)
			return e;
		r->done += r->n;
		after = r->rows[r->n - 1];
		snprintf(text, sizeof(text), "%s", after.t);
		after.t = text;
	}
}

/* All columns, until there is nothing left that a request wrote late. */
static int
reseal(struct ctl *ctl)
{
	char		 names[KEYS][CRYPT_KEY_MAX];
	struct reseal	 r = { .ctl = ctl, .arena = arena_new(8 << 20) };
	enum err	 e = OK;
	int64_t		 before, total = 0;
	int		 pass, n = crypt_keys(names, KEYS);

	prefix(r.key, names[n - 1]);
	sleep_ms(FOLLOW_MS);
	for (pass = 0; pass < PASSES; pass++) {
		before = r.done;
		r.bad = 0;
		for (r.col = sealed_columns; r.col->table != NULL &&
		    e == OK; r.col++)
			e = reseal_column(&r);
		if (e != OK || r.done - before <= r.bad)
			break;
		total += r.done - before - r.bad;
	}
	arena_free(r.arena);
	printf("%" PRId64 " values sealed with %s\n", total, names[n - 1]);
	if (e != OK)
		fprintf(stderr, "planetctl: keys: %s; go on with: planetctl"
		    " keys reseal\n", err_info(e)->title);
	else if (r.bad > 0)
		fprintf(stderr, "planetctl: keys: %" PRId64 " values do not"
		    " open; is this the installation's key file?\n", r.bad);
	return e == OK && r.bad == 0 ? 0 : 1;
}

static int
rotate(struct ctl *ctl)
{
	char	names[KEYS][CRYPT_KEY_MAX];
	int	n;

	if (!crypt_add_key(ctl->conf->keys_file))
		return 1;
	n = crypt_keys(names, KEYS);
	printf("%s seals from now on; keep a copy of %s\n", names[n - 1],
	    ctl->conf->keys_file);
	return reseal(ctl);
}

/* ---- list and drop ---- */

static int
list(struct ctl *ctl)
{
	char		names[KEYS][CRYPT_KEY_MAX];
	int64_t		used;
	enum err	e;
	int		i, n = crypt_keys(names, KEYS);

	for (i = 0; i < n; i++) {
		if ((e = count_all(ctl, names[i], false, &used)) != OK) {
			fprintf(stderr, "planetctl: keys: %s\n",
			    err_info(e)->title);
			return 1;
		}
		printf("%-16s  %" PRId64 " values%s\n", names[i], used,
		    i == n - 1 ? ", seals" : used == 0 ?
		    ", can be dropped" : "");
	}
	return 0;
}

/*
 * A request that began before the file changed may still commit what an
 * older key sealed: it has ended when its time is over.
 */
static void
wait_for_requests(struct ctl *ctl)
{
	struct timespec	now;
	struct stat	st;

	if (stat(ctl->conf->keys_file, &st) == -1 ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1)
		return;
	sleep_ms((st.st_mtim.tv_sec - now.tv_sec) * 1000 + FOLLOW_MS +
	    ctl->conf->request_ms);
}

static int
drop(struct ctl *ctl, const char *name)
{
	char		names[KEYS][CRYPT_KEY_MAX];
	int64_t		used;
	enum err	e;
	int		i, n = crypt_keys(names, KEYS);

	for (i = 0; i < n && strcmp(names[i], name) != 0; i++)
		;
	if (i == n || i == n - 1) {
		fprintf(stderr, i == n ? "planetctl: keys: there is no key"
		    " %s\n" : "planetctl: keys: %s seals; planetctl keys"
		    " rotate makes another do it\n", name);
		return 1;
	}
	wait_for_requests(ctl);
	if ((e = count_all(ctl, name, true, &used)) != OK || used > 0) {
		fprintf(stderr, "planetctl: keys: %s: %s\n", name, e != OK ?
		    err_info(e)->title : "values need it; planetctl keys"
		    " reseal takes them off it");
		return 1;
	}
	if (!crypt_drop_key(ctl->conf->keys_file, name))
		return 1;
	printf("dropped %s\n", name);
	return 0;
}

static int
make(struct ctl *ctl)
{
	if (!crypt_new_keys(ctl->conf->keys_file))
		return 1;
	printf("wrote %s; keep a copy in a safe place\n",
	    ctl->conf->keys_file);
	return 0;
}

/* Keys and database, which `new` does without. */
static bool
ready(struct ctl *ctl)
{
	const struct conf	*conf = ctl->conf;

	if (conf->clock_file[0] != '\0')
		clock_follow(conf->clock_file);
	if (!crypt_load_keys(conf->keys_file))
		return false;
	sealed_register();
	if (db_open(conf->db, conf->db_timeout_ms, true, &ctl->db) == OK)
		return true;
	fprintf(stderr, "planetctl: the database does not answer, or is not"
	    " migrated\n");
	return false;
}

int
ctl_keys(struct ctl *ctl, int argc, char **argv)
{
	const char	*what = argc > 1 ? argv[1] : "";

	if (argc == 2 && strcmp(what, "new") == 0)
		return make(ctl);
	if (argc == 3 && strcmp(what, "drop") == 0)
		return ready(ctl) ? drop(ctl, argv[2]) : 1;
	if (argc != 2)
		return 2;
	if (strcmp(what, "list") == 0)
		return ready(ctl) ? list(ctl) : 1;
	if (strcmp(what, "rotate") == 0)
		return ready(ctl) ? rotate(ctl) : 1;
	if (strcmp(what, "reseal") == 0)
		return ready(ctl) ? reseal(ctl) : 1;
	return 2;
}
