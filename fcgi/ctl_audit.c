/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_audit.c -- planetctl audit verify, and the rows of what is done at
 * this machine's console.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/view.h"
#include "http/audit.h"
#include "http/audit_verify.h"
#include "store/db.h"

#include "ctl.h"
#include "ctl_audit.h"

#define REASON_MAX	500

struct ctl_chain {
	int64_t		 id;
	const char	*code;
};

static const struct view_column ctl_chain_columns[] = {
	C_ID(ctl_chain, id),
	C_TEXT(ctl_chain, code),
	C_END
};
static const struct view ctl_chain_view = VIEW(ctl_chain, "CtlChain");

enum { CHAIN_OF_CODE, CHAIN_OF_ID, CHAIN_SQL_MAX };

static struct stmt chain_sql[] = {
	[CHAIN_OF_CODE] = { RO, 1, &ctl_chain_view,
	    "SELECT id, code FROM community WHERE code = $1", NULL, 0 },
	[CHAIN_OF_ID] = { RO, 1, &ctl_chain_view,
	    "SELECT id, code FROM community WHERE id = $1", NULL, 0 },
};

/* One look through the chains. */
struct verify {
	struct ctl	*ctl;
	const char	*anchors;	/* NULL: none */
	int64_t		 only;		/* community, or -1 for all */
	int64_t		 faults, rows, chains, days;
};

void
ctl_audit_register(void)
{
	db_register(chain_sql, CHAIN_SQL_MAX);
}

static const char *
chain_name(struct ctl *ctl, int64_t id)
{
	struct ctl_chain	row;

	if (id == 0)
		return "0 (the platform)";
	if (db_one(ctl->db, ctl->arena, &chain_sql[CHAIN_OF_ID],
	    WITH(V(id)), &row) != OK)
		return arena_fmt(ctl->arena, "%" PRId64, id);
	return row.code;
}

static void
tell(void *arg, int64_t community_id, int64_t seq, const char *what)
{
	struct verify	*v = arg;

	printf("community %s seq %" PRId64 ": %s\n",
	    chain_name(v->ctl, community_id), seq, what);
}

static enum err
verify_chain(struct verify *v, int64_t id)
{
	int64_t		rows = 0, before = v->faults;
	enum err	e;

	e = audit_verify(v->ctl->db, id, tell, v, &rows, &v->faults);
	if (e != OK)
		return e;
	v->rows += rows;
	v->chains++;
	printf("community %s: %" PRId64 " rows, %s\n",
	    chain_name(v->ctl, id), rows, v->faults == before ? "whole" :
	    "BROKEN");
	return OK;
}

static enum err
verify_line(struct verify *v, const char *line, int at)
{
	struct audit_anchor	anchor;

	if (!audit_anchor_read(line, &anchor)) {
		fprintf(stderr, "planetctl: audit: %s:%d is no anchor\n",
		    v->anchors, at);
		return OK;
	}
	if (v->only >= 0 && anchor.community_id != v->only)
		return OK;
	v->days++;
	return audit_verify_anchor(v->ctl->db, &anchor, tell, v,
	    &v->faults);
}

static enum err
verify_anchors(struct verify *v)
{
	char		 line[256];
	enum err	 e = OK;
	FILE		*f;
	int		 at = 0;

	if ((f = fopen(v->anchors, "re")) == NULL) {
		perror(v->anchors);
		return ERR_ABSENT;
	}
	while (e == OK && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		e = verify_line(v, line, ++at);
	}
	fclose(f);
	return e;
}

static enum err
verify_all(struct verify *v)
{
	int64_t		*ids;
	enum err	 e;
	int		 i, n;

	if ((e = audit_chains(v->ctl->db, v->ctl->arena, &ids, &n)) != OK)
		return e;
	for (i = 0; i < n; i++)
		if ((v->only < 0 || v->only == ids[i]) &&
		    (e = verify_chain(v, ids[i])) != OK)
			return e;
	return v->anchors != NULL ? verify_anchors(v) : OK;
}

/* The id of a community's code; false after saying that there is none. */
static bool
chain_of(struct ctl *ctl, const char *code, int64_t *ret)
{
	struct ctl_chain	row;

	if (strcmp(code, "0") == 0) {
		*ret = 0;
		return true;
	}
	if (db_one(ctl->db, ctl->arena, &chain_sql[CHAIN_OF_CODE],
	    WITH(V(code)), &row) != OK) {
		fprintf(stderr, "planetctl: audit: no community %s\n", code);
		return false;
	}
	*ret = row.id;
	return true;
}

int
ctl_audit(struct ctl *ctl, int argc, char **argv)
{
	struct verify	v = { .ctl = ctl, .only = -1 };
	enum err	e;
	int		i;

	if (argc < 2 || strcmp(argv[1], "verify") != 0 || argc % 2 != 0)
		return 2;
	if (access(ctl->conf->anchors_file, F_OK) == 0)
		v.anchors = ctl->conf->anchors_file;
	for (i = 2; i < argc; i += 2)
		if (strcmp(argv[i], "--anchors") == 0)
			v.anchors = argv[i + 1];
		else if (strcmp(argv[i], "--community") != 0)
			return 2;
		else if (!chain_of(ctl, argv[i + 1], &v.only))
			return 1;
	if ((e = verify_all(&v)) != OK) {
		fprintf(stderr, "planetctl: audit: %s\n",
		    err_info(e)->title);
		return 1;
	}
	printf("%" PRId64 " rows in %" PRId64 " chains, %" PRId64
	    " anchors, %" PRId64 " faults\n", v.rows, v.chains, v.days,
	    v.faults);
	return v.faults > 0 ? 1 : 0;
}

/* ---- rows of the console ---- */

/* Whether the command writes, and what of it is its name. */
static bool
writes(int argc, char **argv)
{
	static const char *const words[] = { "import", "demo", "admin",
	    "keys", NULL };
	int	i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], argv[0]) == 0)
			break;
	return words[i] != NULL && !(argc > 1 &&
	    (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "new") == 0));
}

static enum err
append(void *arg)
{
	void	**a = arg;

	return audit_append(a[0], a[1]);
}

const char *
ctl_audit_words(struct ctl *ctl, int argc, char **argv)
{
	struct buf	 all;
	const char	*text;
	int		 i;

	if (!writes(argc, argv))
		return NULL;
	buf_init(&all, REASON_MAX);
	for (i = 1; i < argc; i++) {
		buf_puts(&all, i > 1 ? " " : "");
		buf_puts(&all, argv[i]);
	}
	text = arena_str(ctl->arena, buf_text(&all));
	buf_free(&all);
	return text;
}

/* The community that the command named, or 0. */
static int64_t
named(struct ctl *ctl, const char *words)
{
	static const char	 option[] = "--community ";
	struct ctl_chain	 chain;
	const char		*s = strstr(words, option);

	if (s == NULL)
		return 0;
	s += sizeof(option) - 1;
	if (db_one(ctl->db, ctl->arena, &chain_sql[CHAIN_OF_CODE],
	    WITH(V((const char *)arena_copy(ctl->arena, s,
	    strcspn(s, " ")))), &chain) != OK)
		return 0;
	return chain.id;
}

int
ctl_audit_note(struct ctl *ctl, const char *command, const char *words)
{
	struct audit_row row = { .at = clock_now(), .actor = "console",
		.reason = words };
	void		*arg[] = { ctl->db, &row };
	enum err	 e;

	if (ctl->db == NULL || words == NULL)
		return 0;
	row.community_id = named(ctl, words);
	row.action = arena_fmt(ctl->arena, "planetctl %s", command);
	if ((e = db_transact(ctl->db, 10, append, arg)) == OK)
		return 0;
	fprintf(stderr, "planetctl: it is done, but the audit has no row of"
	    " it: %s\n", err_info(e)->title);
	return 1;
}
