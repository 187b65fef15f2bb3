/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.c -- the table of what can be asked, and how it is found.
 *
 * All rows stand in one array in the order they were registered.  The
 * matcher holds them again, by number of segments and method, with fixed
 * segments before parameters, so that the first fit is the right one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#include "http/field.h"
#include "http/route.h"
#include "http/route_internal.h"

#define METHODS		(DELETE + 1)

/* A row as the matcher wants it. */
struct fit {
	const struct route	*route;
	int			 index;
	struct route_segments	 seg;
	const char		*names[ROUTE_PARAMS];
};

/* Rows of one method and number of segments. */
struct bucket {
	const struct fit	*first;
	int			 n;
};

const char *const role_names[ROLE__COUNT + 1] = {
	"resident", "head", "grid", "clerk", "party", "property",
	"technician", "merchant", "courier", "teacher", "admin", "platform",
	NULL
};

static const char *const methods[METHODS] = {
	[GET] = "GET", [POST] = "POST", [PATCH] = "PATCH", [PUT] = "PUT",
	[DELETE] = "DELETE"
};

static const struct route *rows[ROUTE_MAX];
static const char *tags[ROUTE_MAX];
static int count;
static bool overflow;

static struct fit fits[ROUTE_MAX];
static struct bucket buckets[ROUTE_SEGMENTS + 1][METHODS];

uint64_t
role_bit(const char *name)
{
	int i;

	for (i = 0; i < ROLE__COUNT; i++)
		if (strcmp(role_names[i], name) == 0)
			return 1ULL << i;
	return 0;
}

const char *
method_name(enum method m)
{
	return m >= GET && m <= DELETE ? methods[m] : "-";
}

enum method
method_find(const char *name)
{
	enum method m;

	for (m = GET; m <= DELETE; m++)
		if (strcmp(methods[m], name) == 0)
			return m;
	return 0;
}

void
route_register(const char *tag, const struct route *table)
{
	const struct route *r;
	int i;

	for (i = 0; i < count; i++)
		if (rows[i] == table)
			return;
	for (r = table; r->method != 0; r++) {
		if (count == ROUTE_MAX) {
			overflow = true;
			return;
		}
		rows[count] = r;
		tags[count++] = tag;
	}
}

const struct route *
route_at(int i, const char **ret_tag)
{
	if (i < 0 || i >= count)
		return NULL;
	if (ret_tag != NULL)
		*ret_tag = tags[i];
	return rows[i];
}

int
route_count(void)
{
	return count;
}

int
route_index(const struct route *r)
{
	int i;

	for (i = 0; i < count; i++)
		if (rows[i] == r)
			return i;
	return -1;
}

bool
route_split(const char *path, struct route_segments *ret)
{
	const char *end;

	ret->n = 0;
	if (*path != '/')
		return false;
	if (path[1] == '\0')
		return true;
	while (*path == '/') {
		path++;
		end = path + strcspn(path, "/");
		if (end == path || ret->n == ROUTE_SEGMENTS)
			return false;
		ret->at[ret->n] = path;
		ret->len[ret->n++] = (size_t)(end - path);
		path = end;
	}
	return true;
}

/* By segments, method, then fixed text before parameters. */
static int
fit_order(const void *va, const void *vb)
{
	const struct fit *a = va, *b = vb;
	bool pa, pb;
	int i;

	if (a->seg.n != b->seg.n)
		return a->seg.n < b->seg.n ? -1 : 1;
	if (a->route->method != b->route->method)
		return a->route->method < b->route->method ? -1 : 1;
	for (i = 0; i < a->seg.n; i++) {
		pa = *a->seg.at[i] == '{';
		pb = *b->seg.at[i] == '{';
		if (pa != pb)
			return pa ? 1 : -1;
	}
	return a->index < b->index ? -1 : a->index > b->index;
}

/* The names of the shape's rows, because those end with a NUL. */
static void
fit_names(struct fit *t)
{
	const struct field *f;
	int i, k = 0;

	for (i = 0; i < t->seg.n; i++) {
		if (*t->seg.at[i] != '{')
			continue;
		for (f = t->route->in->fields; f->name != NULL; f++)
			if (strlen(f->name) == t->seg.len[i] - 2 &&
			    strncmp(f->name, t->seg.at[i] + 1,
			    t->seg.len[i] - 2) == 0)
				break;
		t->names[k++] = f->name;
	}
}

static void
build(void)
{
	struct bucket *b;
	int i;

	memset(buckets, 0, sizeof(buckets));
	for (i = 0; i < count; i++) {
		fits[i].route = rows[i];
		fits[i].index = i;
		route_split(rows[i]->path, &fits[i].seg);
		fit_names(&fits[i]);
	}
	qsort(fits, (size_t)count, sizeof(fits[0]), fit_order);
	for (i = 0; i < count; i++) {
		b = &buckets[fits[i].seg.n][fits[i].route->method];
		if (b->n++ == 0)
			b->first = &fits[i];
	}
}

bool
route_ready(void)
{
	bool good = true;
	int i;

	if (overflow) {
		log_error("event=route_fault reason=\"over %d routes\"",
		    ROUTE_MAX);
		good = false;
	}
	for (i = 0; i < count; i++)
		if (!route_check(i))
			good = false;
	if (good)
		build();
	return good;
}

/* From the last segment on: there the paths differ most. */
static bool
segments_fit(const struct route_segments *want,
    const struct route_segments *have)
{
	int i;

	for (i = have->n - 1; i >= 0; i--) {
		if (*want->at[i] == '{') {
			if (have->len[i] > ROUTE_PARAM_MAX)
				return false;
		} else if (want->len[i] != have->len[i] ||
		    memcmp(want->at[i], have->at[i], have->len[i]) != 0)
			return false;
	}
	return true;
}

static const struct fit *
bucket_find(enum method m, const struct route_segments *have)
{
	const struct bucket *b = &buckets[have->n][m];
	int i;

	for (i = 0; i < b->n; i++)
		if (segments_fit(&b->first[i].seg, have))
			return &b->first[i];
	return NULL;
}

static void
match_fill(const struct fit *f, const struct route_segments *have,
    struct route_match *ret)
{
	int i, k = 0;

	ret->route = f->route;
	ret->index = f->index;
	for (i = 0; i < have->n; i++) {
		if (*f->seg.at[i] != '{')
			continue;
		ret->names[k] = f->names[k];
		ret->values[k] = have->at[i];
		ret->lengths[k++] = have->len[i];
	}
	ret->n = k;
}

enum err
route_find(enum method method, const char *path, struct route_match *ret)
{
	struct route_segments have;
	const struct fit *f = NULL;

	if (!route_split(path, &have))
		return ERR_ABSENT;
	if (method >= GET && method <= DELETE)
		f = bucket_find(method, &have);
	if (f == NULL)
		return route_allow(path) != 0 ? ERR_METHOD : ERR_ABSENT;
	match_fill(f, &have, ret);
	return OK;
}

unsigned
route_allow(const char *path)
{
	struct route_segments have;
	unsigned bits = 0;
	enum method m;

	if (!route_split(path, &have))
		return 0;
	for (m = GET; m <= DELETE; m++)
		if (bucket_find(m, &have) != NULL)
			bits |= 1u << m;
	return bits;
}

static void
print_who(FILE *f, uint64_t who)
{
	const char *sep = "";
	int i;

	if (who == ANYONE || who == LOGGED_IN || who == LOOPBACK) {
		fputs(who == ANYONE ? "ANYONE" : who == LOGGED_IN ?
		    "LOGGED_IN" : "LOOPBACK", f);
		return;
	}
	for (i = 0; i < ROLE__COUNT; i++) {
		if ((who >> i & 1) == 0)
			continue;
		fprintf(f, "%s%s", sep, role_names[i]);
		sep = ",";
	}
}

void
route_print(FILE *f)
{
	int i;

	for (i = 0; i < count; i++) {
		fprintf(f, "%-6s %-44s %s ", method_name(rows[i]->method),
		    rows[i]->path, rows[i]->pool == POOL_API ? "api " :
		    "slow");
		print_who(f, rows[i]->who);
		fprintf(f, "  %s\n", rows[i]->about);
	}
}
