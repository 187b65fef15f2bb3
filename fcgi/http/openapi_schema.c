/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi_schema.c -- shapes and views as JSON Schema (2020-12).
 *
 * Each has one component under its name, in the order in which the routes
 * first use it; what is nullable has the type "null" beside its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/view.h"

#include "http/field.h"
#include "http/json.h"
#include "http/openapi_internal.h"
#include "http/route.h"

#define ID_PATTERN	"^[1-9][0-9]{0,18}$"
#define NAME_MAX_	128
#define SEEN_MAX	1024

/* Components written so far. */
struct seen {
	int		 n;
	bool		 clash;
	const char	*names[SEEN_MAX];
	const void	*what[SEEN_MAX];
};

static void put_shape(struct json *, struct seen *, const struct shape *,
    const struct route *);
static void put_view(struct json *, struct seen *, const struct view *);

bool
openapi_in_path(const struct route *r, const struct field *f)
{
	char want[NAME_MAX_];

	snprintf(want, sizeof(want), "{%s}", f->name);
	return strstr(r->path, want) != NULL;
}

static bool
body_row(const struct route *r, unsigned flags)
{
	const struct field *f;

	if (r->in == NULL || r->method == GET || r->method == DELETE)
		return false;
	for (f = r->in->fields; f->name != NULL; f++)
		if (!openapi_in_path(r, f) && (f->flags & flags) == flags)
			return true;
	return false;
}

bool
openapi_has_body(const struct route *r)
{
	return body_row(r, 0);
}

bool
openapi_must_body(const struct route *r)
{
	return body_row(r, FIELD_MUST);
}

/* True the first time; a second thing of the same name is a clash. */
static bool
first(struct seen *s, const char *name, const void *what)
{
	int i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->names[i], name) != 0)
			continue;
		if (s->what[i] != what) {
			log_error("event=openapi schema=%s "
			    "reason=\"named twice\"", name);
			s->clash = true;
		}
		return false;
	}
	if (s->n == SEEN_MAX) {
		s->clash = true;
		return false;
	}
	s->names[s->n] = name;
	s->what[s->n++] = what;
	return true;
}

static void
put_type(struct json *j, const char *type, bool null)
{
	json_key(j, "type");
	if (!null) {
		json_text(j, type);
		return;
	}
	json_list(j);
	json_text(j, type);
	json_text(j, "null");
	json_unlist(j);
}

static void
put_ref(struct json *j, const char *name)
{
	char ref[NAME_MAX_];

	snprintf(ref, sizeof(ref), "#/components/schemas/%s", name);
	json_put_text(j, "$ref", ref);
}

static void
put_ref_or_null(struct json *j, const char *name, bool null)
{
	if (!null) {
		put_ref(j, name);
		return;
	}
	json_key(j, "oneOf");
	json_list(j);
	json_open(j);
	put_ref(j, name);
	json_close(j);
	json_open(j);
	json_put_text(j, "type", "null");
	json_close(j);
	json_unlist(j);
}

static void
put_enum(struct json *j, const char *const *names, bool null)
{
	json_key(j, "enum");
	json_list(j);
	for (; *names != NULL; names++)
		json_text(j, *names);
	if (null)
		json_nil(j);
	json_unlist(j);
}

static void
put_about(struct json *j, const char *label, const char *about)
{
	char both[512];

	if (label == NULL && about == NULL)
		return;
	snprintf(both, sizeof(both), "%s%s%s", label ? label : "",
	    label && about ? ": " : "", about ? about : "");
	json_put_text(j, "description", both);
}

static void
put_range(struct json *j, const char *lo, int64_t min, const char *hi,
    int64_t max)
{
	json_put_int(j, lo, min);
	json_put_int(j, hi, max);
}

static void
put_list(struct json *j, const char *name)
{
	json_key(j, "items");
	json_open(j);
	put_ref(j, name);
	json_close(j);
}

static void
field_limits(struct json *j, const struct field *f)
{
	bool null = (f->flags & FIELD_NULL) != 0;

	switch (f->kind) {
	case FIELD_INT:
		json_put_text(j, "format", "int64");
		put_range(j, "minimum", f->min, "maximum", f->max);
		break;
	case FIELD_ID:
		json_put_text(j, "pattern", ID_PATTERN);
		break;
	case FIELD_CURSOR:
		/* 24 bytes in base64url (crypt_cursor). */
		json_put_text(j, "pattern", "^[A-Za-z0-9_-]{32}$");
		break;
	case FIELD_SECRET:
		json_put_text(j, "format", "password");
		put_range(j, "minLength", f->min, "maxLength", f->max);
		break;
	case FIELD_TEXT:
		put_range(j, "minLength", f->min, "maxLength", f->max);
		break;
	case FIELD_ENUM:
		put_enum(j, f->names, null);
		break;
	case FIELD_TIME:
		json_put_text(j, "format", "date-time");
		break;
	case FIELD_DEGREE:
		put_range(j, "minimum", -180, "maximum", 180);
		break;
	case FIELD_LIST:
		put_list(j, f->sub->name);
		put_range(j, "minItems", f->min, "maxItems", f->max);
		break;
	case FIELD_CODES:
		json_put_int(j, "minItems", f->min);
		json_key(j, "items");
		json_open(j);
		json_put_text(j, "type", "string");
		put_enum(j, f->names, false);
		json_close(j);
		break;
	default:
		break;
	}
}

static const char *
field_type(enum field_kind kind)
{
	switch (kind) {
	case FIELD_INT:
		return "integer";
	case FIELD_BOOL:
		return "boolean";
	case FIELD_DEGREE:
		return "number";
	case FIELD_LIST:
	case FIELD_CODES:
		return "array";
	default:
		return "string";
	}
}

void
openapi_field(struct json *j, const struct field *f)
{
	bool null = (f->flags & FIELD_NULL) != 0;

	json_open(j);
	if (f->kind == FIELD_OBJECT)
		put_ref_or_null(j, f->sub->name, null);
	else {
		put_type(j, field_type(f->kind), null);
		field_limits(j, f);
	}
	put_about(j, f->label, f->about);
	json_close(j);
}

static void
shape_required(struct json *j, const struct shape *s, const struct route *r)
{
	const struct field *f;
	bool any = false;

	for (f = s->fields; f->name != NULL; f++) {
		if (!(f->flags & FIELD_MUST) || (r && openapi_in_path(r, f)))
			continue;
		if (!any) {
			json_key(j, "required");
			json_list(j);
			any = true;
		}
		json_text(j, f->name);
	}
	if (any)
		json_unlist(j);
}

/* `r` for the shape of a body: what its path holds is not in it. */
static void
put_shape(struct json *j, struct seen *seen, const struct shape *s,
    const struct route *r)
{
	const struct field *f;

	if (!first(seen, s->name, s))
		return;
	json_key(j, s->name);
	json_open(j);
	json_put_text(j, "type", "object");
	json_put_bool(j, "additionalProperties", false);
	shape_required(j, s, r);
	json_key(j, "properties");
	json_open(j);
	for (f = s->fields; f->name != NULL; f++) {
		if (r != NULL && openapi_in_path(r, f))
			continue;
		json_key(j, f->name);
		openapi_field(j, f);
	}
	json_close(j);
	json_close(j);
	for (f = s->fields; f->name != NULL; f++)
		if (f->sub != NULL)
			put_shape(j, seen, f->sub, NULL);
}

static void
calc_schema(struct json *j, const struct view_column *c, bool null)
{
	switch (c->shape) {
	case SHAPE_CODES:
		put_type(j, "array", null);
		json_key(j, "items");
		json_open(j);
		json_put_text(j, "type", "string");
		if (c->names != NULL)
			put_enum(j, c->names, false);
		json_close(j);
		break;
	case SHAPE_TEXT:
		put_type(j, "string", null);
		break;
	case SHAPE_INT:
		put_type(j, "integer", null);
		break;
	case SHAPE_BOOL:
		put_type(j, "boolean", null);
		break;
	case SHAPE_OBJECT:
		put_ref_or_null(j, c->sub->name, null);
		break;
	case SHAPE_OBJECTS:
		put_type(j, "array", null);
		put_list(j, c->sub->name);
		break;
	}
}

static const char *
column_type(enum view_kind kind)
{
	switch (kind) {
	case VIEW_INT:
	case VIEW_FEN:
		return "integer";
	case VIEW_BOOL:
		return "boolean";
	case VIEW_DEGREE:
		return "number";
	default:
		return "string";
	}
}

static void
plain_column(struct json *j, const struct view_column *c, bool null)
{
	put_type(j, column_type(c->kind), null);
	if (c->kind == VIEW_ID)
		json_put_text(j, "pattern", ID_PATTERN);
	else if (c->kind == VIEW_INT || c->kind == VIEW_FEN)
		json_put_text(j, "format", "int64");
	else if (c->kind == VIEW_TIME)
		json_put_text(j, "format", "date-time");
	else if (c->kind == VIEW_CODE && c->names != NULL)
		put_enum(j, c->names, null);
}

static void
column_schema(struct json *j, const struct view_column *c)
{
	bool null = (c->flags & VIEW_NULL) != 0;

	json_open(j);
	if (c->kind == VIEW_CALC)
		calc_schema(j, c, null);
	else if (c->kind == VIEW_OBJECT)
		put_ref_or_null(j, c->sub->name, null);
	else if (c->kind == VIEW_ARRAY) {
		put_type(j, "array", null);
		put_list(j, c->sub->name);
	} else
		plain_column(j, c, null);
	put_about(j, c->kind == VIEW_FEN && !c->about ? "in fen" : NULL,
	    c->about);
	json_close(j);
}

static void
put_view(struct json *j, struct seen *seen, const struct view *v)
{
	const struct view_column *c;

	if (!first(seen, v->name, v))
		return;
	json_key(j, v->name);
	json_open(j);
	json_put_text(j, "type", "object");
	json_put_bool(j, "additionalProperties", false);
	json_key(j, "required");
	json_list(j);
	for (c = v->columns; c->name != NULL; c++)
		if (!(c->flags & VIEW_HIDDEN))
			json_text(j, c->name);
	json_unlist(j);
	json_key(j, "properties");
	json_open(j);
	for (c = v->columns; c->name != NULL; c++) {
		if (c->flags & VIEW_HIDDEN)
			continue;
		json_key(j, c->name);
		column_schema(j, c);
	}
	json_close(j);
	json_close(j);
	for (c = v->columns; c->name != NULL; c++)
		if (c->sub != NULL && !(c->flags & VIEW_HIDDEN))
			put_view(j, seen, c->sub);
}

static void
put_page(struct json *j, struct seen *lists, const struct view *v)
{
	char name[NAME_MAX_];

	if (!first(lists, v->name, v))
		return;
	snprintf(name, sizeof(name), "%sList", v->name);
	json_key(j, name);
	json_open(j);
	json_put_text(j, "type", "object");
	json_put_bool(j, "additionalProperties", false);
	json_key(j, "required");
	json_raw(j, "[\"items\",\"next\"]");
	json_key(j, "properties");
	json_open(j);
	json_key(j, "items");
	json_open(j);
	json_put_text(j, "type", "array");
	put_list(j, v->name);
	json_close(j);
	json_key(j, "next");
	json_open(j);
	put_type(j, "string", true);
	put_about(j, NULL, "?after= of the next page; null at the end");
	json_close(j);
	json_close(j);
	json_close(j);
}

static void
put_codes(struct json *j)
{
	const char *code;
	int e, other;

	json_key(j, "enum");
	json_list(j);
	for (e = 1; e < ERR__MAX; e++) {
		code = err_info((enum err)e)->code;
		for (other = 1; other < e; other++)
			if (strcmp(err_info((enum err)other)->code, code) == 0)
				break;
		if (other == e)
			json_text(j, code);
	}
	json_unlist(j);
}

static void
put_fault(struct json *j)
{
	json_key(j, "Fault");
	json_raw(j, "{\"type\":\"object\",\"additionalProperties\":false,"
	    "\"required\":[\"field\",\"code\",\"detail\"],\"properties\":{"
	    "\"field\":{\"type\":\"string\",\"description\":"
	    "\"such as items[0].quantity\"},"
	    "\"code\":{\"type\":\"string\"},"
	    "\"detail\":{\"type\":\"string\","
	    "\"description\":\"Chinese, for a person\"}}}");
}

static void
put_problem(struct json *j)
{
	put_fault(j);
	json_key(j, "Problem");
	json_open(j);
	json_put_text(j, "type", "object");
	json_put_text(j, "description", "RFC 9457 problem details");
	json_put_bool(j, "additionalProperties", false);
	json_key(j, "required");
	json_raw(j, "[\"type\",\"title\",\"status\",\"code\",\"detail\","
	    "\"request_id\"]");
	json_key(j, "properties");
	json_open(j);
	json_key(j, "type");
	json_raw(j, "{\"type\":\"string\",\"format\":\"uri\"}");
	json_key(j, "title");
	json_raw(j, "{\"type\":\"string\"}");
	json_key(j, "status");
	json_raw(j, "{\"type\":\"integer\",\"minimum\":400,"
	    "\"maximum\":599}");
	json_key(j, "code");
	json_open(j);
	json_put_text(j, "type", "string");
	put_codes(j);
	json_close(j);
	json_key(j, "detail");
	json_raw(j, "{\"type\":\"string\",\"description\":"
	    "\"Chinese, for a person\"}");
	json_key(j, "request_id");
	json_raw(j, "{\"type\":\"string\"}");
	json_key(j, "fields");
	json_open(j);
	json_put_text(j, "type", "array");
	put_list(j, "Fault");
	json_close(j);
	json_close(j);
	json_close(j);
}

bool
openapi_schemas(struct json *j)
{
	static struct seen seen, lists;
	const struct route *r;
	int i;

	memset(&seen, 0, sizeof(seen));
	memset(&lists, 0, sizeof(lists));
	put_problem(j);
	for (i = 0; (r = route_at(i, NULL)) != NULL; i++) {
		if (openapi_has_body(r) && !r->in->upload)
			put_shape(j, &seen, r->in, r);
		if (r->out == NULL)
			continue;
		put_view(j, &seen, r->out);
		if (r->reply == REPLY_LIST)
			put_page(j, &lists, r->out);
	}
	return !seen.clash && !lists.clash;
}
