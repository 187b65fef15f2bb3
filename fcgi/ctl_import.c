/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import.c -- planetctl import: what a community hands in as a table.
 *
 * The engine is service/import.h; here is only who calls it.  A file may
 * have rows of several communities: each is an import of its own, and all
 * are applied in one transaction.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/id.h"
#include "base/text.h"
#include "http/audit.h"
#include "http/req.h"
#include "service/bill.h"
#include "service/import.h"

#include "ctl.h"
#include "ctl_community.h"
#include "ctl_import.h"

#define IMPORT_MEMORY	(64 << 20)
#define IMPORT_TIME	(30 * 60 * 1000000LL)	/* us, for all of it */
#define OUT_MAX		(256 << 20)
#define QUOTED		20	/* code points of a cell in a message */

/* A community that rows are for. */
struct target {
	struct ctl_community	 community;
	int64_t			 import;
	bool			 checked;
	struct target		*next;
};

struct import {
	struct ctl		*ctl;
	struct arena		*arena;
	struct req		*rq;
	const char		*path;
	const char		*faults_path;	/* or NULL */
	enum import_kind	 kind;
	bool			 partial, preview;
	struct target		*targets;
	const char		*usual;	/* code of rows that name none */
	int64_t			 faults;
	enum err		 err;
};

void
ctl_import_register(void)
{
	ctl_community_register();
	import_engine_register();
	bill_engine_register();
	audit_register();
}

static void
complain(struct import *im, int64_t line, const char *label,
    const char *text)
{
	im->faults++;
	if (line == 0)
		fprintf(stderr, "%s：%s\n", im->path, text);
	else
		fprintf(stderr, "%s 第 %lld 行%s%s：%s\n", im->path,
		    (long long)line, label != NULL ? "，" : "",
		    label != NULL ? label : "", text);
}

/* ---- communities ---- */

/* The community with this code; NULL when there is none, or no answer. */
static struct target *
target_of(struct import *im, const char *code)
{
	struct ctl_community	 c;
	struct target		*t;
	enum err		 e;

	for (t = im->targets; t != NULL; t = t->next)
		if (strcmp(t->community.code, code) == 0)
			return t;
	e = ctl_community_find(im->ctl->db, im->arena, code, &c);
	if (e != OK) {
		if (e != ERR_ABSENT)
			im->err = e;
		return NULL;
	}
	t = ARENA_NEW(im->arena, struct target);
	t->community = c;
	t->next = im->targets;
	im->targets = t;
	return t;
}

/* The one named on the command line, or the only one there is. */
static bool
choose_usual(struct import *im, const char *code)
{
	struct ctl_community	c;
	enum err		e;

	if (code == NULL) {
		e = ctl_community_only(im->ctl->db, im->arena, &c);
		if (e == OK)
			im->usual = arena_str(im->arena, c.code);
		else if (e != ERR_ABSENT)
			im->err = e;
		return im->err == OK;
	}
	if (target_of(im, code) == NULL) {
		if (im->err == OK)
			fprintf(stderr, "没有代码为 %s 的社区\n", code);
		return false;
	}
	im->usual = code;
	return true;
}

/* The cell of the title row that names communities, or -1. */
static int
community_cell(struct arena *a, const struct csv_row *row)
{
	const char	*title;
	int		 i;

	for (i = 0; i < row->count; i++) {
		title = text_trim(a, row->field[i]);
		if (strcmp(title, "社区") == 0 ||
		    strcasecmp(title, "community") == 0)
			return i;
	}
	return -1;
}

/* What the rows say of communities; the rest is the engine's to judge. */
static void
note_code(struct import *im, struct arena *a, const struct csv_row *row,
    int cell)
{
	const char	*code = cell < row->count ?
			    text_trim(a, row->field[cell]) : "";
	int		 i;

	for (i = 0; i < row->count && row->field[i][0] == '\0'; i++)
		;
	if (i == row->count || (code[0] == '\0' && im->usual != NULL))
		return;
	if (code[0] == '\0')
		complain(im, row->line, "社区", "请填写社区的 12 位代码");
	else if (target_of(im, code) == NULL && im->err == OK)
		complain(im, row->line, "社区", arena_fmt(a,
		    "没有代码为“%s”的社区", text_cut(a, code, QUOTED)));
}

static void
scan(struct import *im, struct csv *csv)
{
	struct arena	*a = arena_new(IMPORT_MEMORY);
	struct csv_row	 row;
	int		 cell = -1;

	if (csv_next(csv, &row) == CSV_ROW)
		cell = community_cell(a, &row);
	if (cell < 0 && im->usual == NULL) {
		fprintf(stderr, "请用 --community 指定社区的 12 位代码\n");
		im->faults++;
	}
	while (cell >= 0 && im->err == OK && csv_next(csv, &row) == CSV_ROW) {
		note_code(im, a, &row, cell);
		arena_reset(a);
	}
	arena_free(a);
}

/* Which communities the file is for; false when none can be. */
static bool
find_targets(struct import *im)
{
	FILE		*file = fopen(im->path, "r");
	struct csv	*csv;

	if (file == NULL) {
		complain(im, 0, NULL, "打不开");
		return false;
	}
	csv = csv_new(file);
	scan(im, csv);
	csv_free(csv);
	fclose(file);
	if (im->targets == NULL && im->usual != NULL)
		target_of(im, im->usual);
	return im->err == OK && im->targets != NULL;
}

/* ---- checking ---- */

static enum err
begin(struct req *rq, void *arg)
{
	struct import	*im = arg;
	struct target	*t;
	const char	*name = strrchr(im->path, '/');
	enum err	 e = OK;

	for (t = im->targets; e == OK && t != NULL; t = t->next) {
		t->import = id_new();
		e = import_begin(rq, t->community.id, t->import, im->kind,
		    name != NULL ? name + 1 : im->path, im->path,
		    im->partial, 0, t->import);
	}
	return e;
}

static void
print_fault(void *arg, int64_t line, const char *label, const char *detail)
{
	complain(arg, line, label, detail);
}

static enum err
write_faults(struct import *im, const struct target *t)
{
	struct buf	 out;
	FILE		*file;
	enum err	 e;

	buf_init(&out, OUT_MAX);
	e = import_faulty_rows(im->rq, t->community.id, t->import, im->path,
	    &out);
	if (e == OK) {
		file = fopen(im->faults_path, "w");
		if (file == NULL ||
		    fwrite(out.data, 1, out.len, file) != out.len)
			fprintf(stderr, "%s：写不了\n", im->faults_path);
		if (file != NULL)
			fclose(file);
	}
	buf_free(&out);
	return e;
}

static enum err
check(struct import *im, struct target *t)
{
	struct import_console	 console = { im->usual };
	struct import_record	 r;
	enum err		 e;

	e = import_check(im->rq, t->community.id, t->import, t->import,
	    im->path, &console);
	if (e == OK)
		e = import_get(im->rq, t->community.id, t->import, &r);
	if (e != OK)
		return e;
	t->checked = strcmp(r.state, "checked") == 0;
	if (r.faults == 0)
		return OK;
	e = import_faults(im->rq, t->community.id, t->import, print_fault,
	    im);
	if (e == OK && im->faults_path != NULL)
		e = write_faults(im, t);
	return e;
}

/* ---- applying ---- */

static enum err
apply_all(struct req *rq, void *arg)
{
	struct import	*im = arg;
	struct target	*t;
	enum err	 e = OK;

	for (t = im->targets; e == OK && t != NULL; t = t->next) {
		if (!t->checked)
			continue;
		audit_as(rq, t->community.id, 0);
		audit_thing(rq, "import", t->import);
		e = import_apply(rq, t->community.id, t->import);
	}
	return e;
}

static void
print_part(void *arg, const char *label, int64_t added, int64_t changed,
    int64_t same)
{
	const struct target	*t = arg;

	printf("%s %s：新增 %lld，更新 %lld，不变 %lld\n", t->community.name,
	    label, (long long)added, (long long)changed, (long long)same);
}

static enum err
print_all(struct import *im)
{
	struct target	*t;
	enum err	 e = OK;

	for (t = im->targets; e == OK && t != NULL; t = t->next) {
		if (!t->checked)
			continue;
		e = import_parts(im->rq, t->community.id, t->import,
		    print_part, t);
		if (!im->preview)
			printf("%s 导入编号 %lld，可用 planetctl import undo"
			    " 撤销\n", t->community.name,
			    (long long)t->import);
	}
	return e;
}

static enum err
import_all(struct import *im)
{
	struct target	*t;
	enum err	 e;
	bool		 any = false;

	if ((e = req_transact(im->rq, begin, im)) != OK)
		return e;
	for (t = im->targets; t != NULL; t = t->next) {
		if ((e = check(im, t)) != OK)
			return e;
		any = any || t->checked;
	}
	if (!any || (im->faults > 0 && !im->partial)) {
		im->faults += im->faults == 0;
		return OK;
	}
	im->rq->now = clock_now();
	if (!im->preview && (e = req_transact(im->rq, apply_all, im)) != OK)
		return e;
	return print_all(im);
}

/* A request without a caller, as a task has one. */
static void
fill_request(struct req *rq, struct ctl *ctl, struct arena *a,
    struct buf *out)
{
	*rq = (struct req){ .arena = a, .db = ctl->db, .conf = ctl->conf,
	    .out = out, .task = "planetctl import" };
	rq->now = clock_now();
	rq->deadline = clock_mono_us() + IMPORT_TIME;
}

static int
told(const struct import *im, enum err e)
{
	if (e != OK) {
		if (im->rq->detail != NULL)
			fprintf(stderr, "%s\n", im->rq->detail);
		fprintf(stderr, "planetctl: import: %s; nothing was"
		    " written\n", err_info(e)->title);
	} else if (im->faults > 0 && im->partial)
		fprintf(stderr, "共 %lld 处错误，有错误的行没有导入。\n",
		    (long long)im->faults);
	else if (im->faults > 0)
		fprintf(stderr, "共 %lld 处错误，没有导入任何内容。\n",
		    (long long)im->faults);
	return e != OK || im->faults > 0;
}

static int
import_file(struct import *im, const char *code)
{
	struct req	rq;
	struct buf	out;
	enum err	e = OK;
	int		rc = 1;

	im->arena = arena_new(IMPORT_MEMORY);
	buf_init(&out, 65536);
	fill_request(&rq, im->ctl, im->arena, &out);
	im->rq = &rq;
	if (choose_usual(im, code)) {
		if (find_targets(im))
			e = import_all(im);
		rc = told(im, im->err != OK ? im->err : e);
	}
	buf_free(&out);
	arena_free(im->arena);
	return rc;
}

static enum err
undo(struct req *rq, void *arg)
{
	int64_t		id = *(int64_t *)arg, community;
	enum err	e;

	if ((e = import_community(rq, id, &community)) != OK)
		return e;
	audit_as(rq, community, 0);
	audit_thing(rq, "import", id);
	return import_undo(rq, community, id);
}

static int
import_back(struct ctl *ctl, const char *text)
{
	struct arena	*a = arena_new(IMPORT_MEMORY);
	struct import	 im = { .ctl = ctl };
	struct req	 rq;
	struct buf	 out;
	int64_t		 id;
	enum err	 e;

	buf_init(&out, 65536);
	fill_request(&rq, ctl, a, &out);
	im.rq = &rq;
	e = id_parse(text, &id) ? req_transact(&rq, undo, &id) : ERR_ABSENT;
	told(&im, e);
	if (e == OK)
		printf("已撤销\n");
	buf_free(&out);
	arena_free(a);
	return e != OK;
}

static int
kind_of(const char *name)
{
	int	i;

	for (i = 0; import_kinds[i] != NULL; i++)
		if (strcmp(import_kinds[i], name) == 0)
			return i;
	return -1;
}

/* What stands after the options: WHAT and FILE. */
static int
dispatch(struct import *im, const char *what, const char *path,
    const char *code, bool plain)
{
	int	kind = kind_of(what);

	if (strcmp(what, "communities") == 0 && plain)
		return ctl_import_community(im->ctl, path);
	if (strcmp(what, "undo") == 0 && plain)
		return import_back(im->ctl, path);
	if (kind < 0)
		return 2;
	im->kind = (enum import_kind)kind;
	im->path = path;
	return import_file(im, code);
}

int
ctl_import(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "community", required_argument, NULL, 'c' },
		{ "faults", required_argument, NULL, 'f' },
		{ "partial", no_argument, NULL, 'p' },
		{ "preview", no_argument, NULL, 'n' },
		{ "payee", required_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 }
	};
	struct import	 im = { .ctl = ctl };
	const char	*code = NULL, *payee = NULL;
	int		 c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'c':
			code = optarg;
			break;
		case 'f':
			im.faults_path = optarg;
			break;
		case 'p':
			im.partial = true;
			break;
		case 'n':
			im.preview = true;
			break;
		case 'y':
			payee = optarg;
			break;
		default:
			return 2;
		}
	if (argc - optind != 2)
		return 2;
	if ((payee != NULL) != (strcmp(argv[optind], "bills") == 0))
		return 2;
	if (payee != NULL)
		return im.partial || im.faults_path != NULL ? 2 :
		    ctl_import_bills(ctl, argv[optind + 1], code, payee,
		    im.preview);
	return dispatch(&im, argv[optind], argv[optind + 1], code,
	    code == NULL && !im.partial && !im.preview &&
	    im.faults_path == NULL);
}
