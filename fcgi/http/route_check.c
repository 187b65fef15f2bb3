/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_check.c -- what a route row and its shape must be.
 *
 * Runs at start-up, so a fault in a table stops the process and not a
 * resident.  Every fault is logged; none hides another.
 */
#include <string.h>

#include "base/log.h"
#include "base/view.h"

#include "http/field.h"
#include "http/route.h"
#include "http/route_internal.h"

#define SHAPE_ROWS 64		/* the bits of rq->given */
#define SHAPE_NEST 4

static bool
fault(const struct route *r, const char *what)
{
	log_error("event=route_fault method=%s path=%s reason=\"%s\"",
	    method_name(r->method), r->path ? r->path : "-", what);
	return false;
}

static bool
fault_field(const struct route *r, const struct shape *s,
    const struct field *f, const char *what)
{
	log_error("event=route_fault method=%s path=%s shape=%s field=%s "
	    "reason=\"%s\"", method_name(r->method), r->path,
	    s->name ? s->name : "-", f->name, what);
	return false;
}

static bool
word(const char *s, size_t n, const char *more)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') &&
		    strchr(more, s[i]) == NULL)
			return false;
	return n > 0;
}

static const struct field *
shape_field(const struct shape *s, const char *name, size_t n)
{
	const struct field *f;

	for (f = s ? s->fields : NULL; f != NULL && f->name != NULL; f++)
		if (strlen(f->name) == n && memcmp(f->name, name, n) == 0)
			return f;
	return NULL;
}

static bool
check_param(const struct route *r, const char *seg, size_t n)
{
	const struct field *f;

	if (n < 3 || seg[n - 1] != '}' || !word(seg + 1, n - 2, "_"))
		return fault(r, "a path parameter is not {name}");
	f = shape_field(r->in, seg + 1, n - 2);
	if (f == NULL)
		return fault(r, "a path parameter is not in the shape");
	if (f->kind == FIELD_OBJECT || f->kind == FIELD_LIST ||
	    f->kind == FIELD_CODES || f->kind == FIELD_CURSOR ||
	    (f->flags & FIELD_NULL))
		return fault_field(r, r->in, f, "cannot stand in a path");
	return true;
}

static bool
check_path(const struct route *r)
{
	struct route_segments seg;
	bool good = true;
	int i, params = 0;

	if (r->path == NULL || !route_split(r->path, &seg))
		return fault(r, "the path is malformed");
	for (i = 0; i < seg.n; i++) {
		if (*seg.at[i] == '{') {
			params++;
			good = check_param(r, seg.at[i], seg.len[i]) && good;
		} else if (!word(seg.at[i], seg.len[i], "-._"))
			good = fault(r, "the path is malformed");
	}
	if (params > ROUTE_PARAMS)
		return fault(r, "too many path parameters");
	return good;
}

/* One of the three words, or roles, never both and never nothing. */
static bool
check_who(const struct route *r)
{
	uint64_t words = r->who & (ANYONE | LOGGED_IN | LOOPBACK);
	uint64_t roles = r->who & ROLE__ALL, act = r->who & ACT__ALL;

	if (r->who == 0)
		return fault(r, "nobody may");
	if (r->who != (words | roles | act))
		return fault(r, "who has unknown bits");
	/* A helper acts as a resident, and is looked at again inside. */
	if (act != 0 && ((roles & ROLE_RESIDENT) == 0 || r->tx == TX_OWN))
		return fault(r, "cannot be done for another");
	if (words != 0 && (roles != 0 || (words & (words - 1)) != 0))
		return fault(r, "who mixes words and roles");
	return true;
}

static bool
check_reply(const struct route *r)
{
	bool view = r->reply == REPLY_ONE || r->reply == REPLY_LIST;
	bool good = true;

	if (r->reply < REPLY_ONE || r->reply > REPLY_FILE)
		return fault(r, "no kind of reply");
	if (view != (r->out != NULL))
		good = fault(r, "the view does not fit the reply");
	if (r->out != NULL && (r->out->name == NULL || r->out->size == 0 ||
	    r->out->columns == NULL))
		good = fault(r, "the view is incomplete");
	if (r->reply == REPLY_NONE ? r->status != 204 :
	    r->reply == REPLY_ONE ? r->status != 200 && r->status != 201 &&
	    r->status != 202 : r->status != 200)
		good = fault(r, "the status does not fit the reply");
	return good;
}

static size_t
field_size(enum field_kind kind)
{
	switch (kind) {
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_TEXT:
	case FIELD_SECRET:
	case FIELD_PHONE:
	case FIELD_OBJECT:
		return sizeof(void *);
	case FIELD_LIST:
		return sizeof(struct field_list);
	default:
		return sizeof(int64_t);
	}
}

static bool
limits_good(const struct field *f)
{
	switch (f->kind) {
	case FIELD_INT:
		return f->min <= f->max;
	case FIELD_TEXT:
	case FIELD_SECRET:
	case FIELD_LIST:
		return f->min >= 0 && f->min <= f->max && f->max > 0;
	default:
		return true;
	}
}

/* Whether "{name}" stands in the path. */
static bool
in_path(const char *path, const char *name)
{
	size_t n = strlen(name);
	const char *p = path;

	while ((p = strchr(p, '{')) != NULL) {
		p++;
		if (strncmp(p, name, n) == 0 && p[n] == '}')
			return true;
	}
	return false;
}

static bool check_shape(const struct route *, const struct shape *, int);

static bool
check_field(const struct route *r, const struct shape *s,
    const struct field *f, int level)
{
	bool nests = f->kind == FIELD_OBJECT || f->kind == FIELD_LIST;
	bool query = r->method == GET || r->method == DELETE;

	if (f->kind > FIELD_CODES)
		return fault_field(r, s, f, "no kind of field");
	if (shape_field(s, f->name, strlen(f->name)) != f)
		return fault_field(r, s, f, "named twice");
	if (!word(f->name, strlen(f->name), "_"))
		return fault_field(r, s, f, "not a name");
	if (f->offset + field_size(f->kind) > s->size)
		return fault_field(r, s, f, "outside of the struct");
	if (f->label == NULL || *f->label == '\0')
		return fault_field(r, s, f, "without a label");
	if (!limits_good(f))
		return fault_field(r, s, f, "limits out of order");
	if ((f->kind == FIELD_ENUM || f->kind == FIELD_CODES) &&
	    (f->names == NULL || *f->names == NULL))
		return fault_field(r, s, f, "an enumeration of nothing");
	if (f->kind == FIELD_CURSOR && (level > 0 ||
	    (r->method != GET && (r->method != POST || r->tx != TX_READ))))
		return fault_field(r, s, f, "a cursor outside of a search");
	if (nests != (f->sub != NULL))
		return fault_field(r, s, f, "sub shape does not fit");
	if ((nests || f->kind == FIELD_CODES) && query)
		return fault_field(r, s, f, "cannot stand in a query");
	/* nginx logs the address of what went wrong, its query with it. */
	if ((f->kind == FIELD_SECRET || f->kind == FIELD_PHONE) && query &&
	    !in_path(r->path, f->name))
		return fault_field(r, s, f, "would be written into logs");
	if ((f->flags & FIELD_NULL) && query)
		return fault_field(r, s, f, "a query knows no null");
	return !nests || check_shape(r, f->sub, level + 1);
}

static bool
check_shape(const struct route *r, const struct shape *s, int level)
{
	const struct field *f;
	bool good = true;
	int n = 0;

	if (level > SHAPE_NEST)
		return fault(r, "shapes nest too deep");
	if (s->name == NULL || s->size == 0 || s->fields == NULL)
		return fault(r, "a shape is incomplete");
	for (f = s->fields; f->name != NULL; f++, n++)
		good = check_field(r, s, f, level) && good;
	if (n > SHAPE_ROWS)
		return fault(r, "a shape has too many rows");
	return good;
}

/* The same path, whatever its parameters are called. */
static bool
same_path(const char *a, const char *b)
{
	struct route_segments sa, sb;
	int i;

	if (!route_split(a, &sa) || !route_split(b, &sb) || sa.n != sb.n)
		return false;
	for (i = 0; i < sa.n; i++) {
		if (*sa.at[i] == '{' && *sb.at[i] == '{')
			continue;
		if (sa.len[i] != sb.len[i] ||
		    memcmp(sa.at[i], sb.at[i], sa.len[i]) != 0)
			return false;
	}
	return true;
}

/* A body's schema is printed once, so its path names may not differ. */
static bool
same_body(const struct route *a, const struct route *b)
{
	const struct field *f;

	for (f = a->in->fields; f->name != NULL; f++)
		if (in_path(a->path, f->name) != in_path(b->path, f->name))
			return false;
	return true;
}

static bool
has_body(const struct route *r)
{
	return r->in != NULL && r->method != GET && r->method != DELETE;
}

static bool
check_others(const struct route *r, int i)
{
	const struct route *o;
	bool good = true;

	while (--i >= 0) {
		o = route_at(i, NULL);
		if (o->path == NULL)
			continue;
		if (o->method == r->method && same_path(o->path, r->path))
			good = fault(r, "the path is there twice");
		else if (strcmp(o->path, r->path) != 0 &&
		    same_path(o->path, r->path))
			good = fault(r, "two names for one parameter");
		if (has_body(r) && has_body(o) && r->in == o->in &&
		    !same_body(r, o))
			good = fault(r, "a shape is shared by unlike paths");
	}
	return good;
}

bool
route_check(int i)
{
	const struct route *r = route_at(i, NULL);
	bool good;

	if (r->method > DELETE)
		return fault(r, "no method");
	if (r->path == NULL)
		return fault(r, "no path");
	good = r->in == NULL || check_shape(r, r->in, 0);
	if (good)
		good = check_path(r);
	good = check_who(r) && good;
	good = check_reply(r) && good;
	if (r->pool != POOL_API && r->pool != POOL_SLOW)
		good = fault(r, "no pool");
	if (r->tx < TX_READ || r->tx > TX_OWN)
		good = fault(r, "no kind of transaction");
	if (r->handler == NULL)
		good = fault(r, "no handler");
	if (r->about == NULL || *r->about == '\0')
		good = fault(r, "no summary");
	if (good)
		good = check_others(r, i);
	return good;
}
