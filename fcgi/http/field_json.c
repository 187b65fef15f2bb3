/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_json.c -- fields from a JSON body.
 *
 * Jansson reads the text, after a look that bounds its recursion; here
 * the tree becomes the structs of the shapes and is dropped with the
 * arena.  An empty body is an empty object.
 */
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/arena.h"

#include "http/field.h"
#include "http/field_internal.h"
#include "http/req.h"

#define NEST_MAX 16		/* objects and lists inside each other */

static bool read_object(struct req *, const struct field_scope *,
    const struct shape *, const json_t *, char *);

/*
 * Whether brackets outside of strings nest deeper than we ever need.
 * Faulty text may be misread here; the parser finds that.
 */
static bool
too_deep(const char *s, size_t n)
{
	bool text = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (text) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				text = false;
		} else if (s[i] == '"')
			text = true;
		else if (s[i] == '{' || s[i] == '[') {
			if (++depth > NEST_MAX)
				return true;
		} else if ((s[i] == '}' || s[i] == ']') && depth > 0)
			depth--;
	}
	return false;
}

static bool
take_degree(struct req *rq, const struct field_scope *s,
    const struct field *f, const json_t *v, void *to)
{
	double d = json_number_value(v);

	if (!(d >= -180 && d <= 180)) {
		field_fault(rq, s, f, FAULT_FORMAT);
		return false;
	}
	*(int64_t *)to = llround(d * 1e6);
	return true;
}

static bool
take_object(struct req *rq, const struct field_scope *up,
    const struct field *f, const json_t *v, void *to)
{
	struct field_scope s = { up, f->name, -1 };
	char *into = arena_take(rq->arena, f->sub->size);

	*(const void **)to = into;
	return read_object(rq, &s, f->sub, v, into);
}

static bool
take_list(struct req *rq, const struct field_scope *up,
    const struct field *f, const json_t *v, void *to)
{
	const struct field bare = { .kind = FIELD_OBJECT, .label = f->label };
	struct field_scope s = { up, f->name, 0 };
	struct field_list *list = to;
	size_t i, n = json_array_size(v);
	const json_t *item;
	bool good = true;
	char *items;

	if (n < (size_t)f->min || n > (size_t)f->max) {
		field_fault(rq, up, f, n < (size_t)f->min ? FAULT_SHORT :
		    FAULT_LONG);
		return false;
	}
	items = arena_take(rq->arena, f->sub->size * (n ? n : 1));
	for (i = 0; i < n; i++) {
		s.index = (int)i;
		item = json_array_get(v, i);
		if (json_is_object(item)) {
			good = read_object(rq, &s, f->sub, item,
			    items + i * f->sub->size) && good;
			continue;
		}
		field_fault(rq, &s, &bare, FAULT_TYPE);
		good = false;
	}
	list->n = n;
	list->items = items;
	return good;
}

/* Text on the wire; a NUL inside is no text. */
static bool
take_string(struct req *rq, const struct field_scope *s,
    const struct field *f, const json_t *v, void *to)
{
	const char *text = json_string_value(v);

	if (strlen(text) != json_string_length(v)) {
		field_fault(rq, s, f, FAULT_TEXT);
		return false;
	}
	return field_take_text(rq, s, f, text, to);
}

/* Words of a closed set as bits; one said twice counts once. */
static bool
take_codes(struct req *rq, const struct field_scope *s,
    const struct field *f, const json_t *v, void *to)
{
	const char *word;
	int64_t bits = 0;
	size_t i;
	int n;

	for (i = 0; i < json_array_size(v); i++) {
		word = json_string_value(json_array_get(v, i));
		for (n = 0; word != NULL && f->names[n] != NULL &&
		    strcmp(f->names[n], word) != 0; n++)
			;
		if (word == NULL || f->names[n] == NULL) {
			field_fault(rq, s, f, FAULT_LISTED);
			return false;
		}
		bits |= 1LL << n;
	}
	if (f->min > 0 && bits == 0) {
		field_fault(rq, s, f, FAULT_SHORT);
		return false;
	}
	*(int64_t *)to = bits;
	return true;
}

static bool
type_fits(const struct field *f, const json_t *v)
{
	switch (f->kind) {
	case FIELD_INT:
		return json_is_integer(v);
	case FIELD_BOOL:
		return json_is_boolean(v);
	case FIELD_DEGREE:
		return json_is_number(v);
	case FIELD_OBJECT:
		return json_is_object(v);
	case FIELD_LIST:
	case FIELD_CODES:
		return json_is_array(v);
	default:
		return json_is_string(v);
	}
}

static bool
take(struct req *rq, const struct field_scope *s, const struct field *f,
    const json_t *v, void *to)
{
	if (json_is_null(v) && (f->flags & FIELD_NULL))
		return true;
	if (json_is_null(v) || !type_fits(f, v)) {
		field_fault(rq, s, f, json_is_null(v) ? FAULT_NULL :
		    FAULT_TYPE);
		return false;
	}
	switch (f->kind) {
	case FIELD_INT:
		return field_take_int(rq, s, f, json_integer_value(v), to);
	case FIELD_BOOL:
		*(bool *)to = json_is_true(v);
		return true;
	case FIELD_DEGREE:
		return take_degree(rq, s, f, v, to);
	case FIELD_OBJECT:
		return take_object(rq, s, f, v, to);
	case FIELD_LIST:
		return take_list(rq, s, f, v, to);
	case FIELD_CODES:
		return take_codes(rq, s, f, v, to);
	default:
		return take_string(rq, s, f, v, to);
	}
}

/* The row for a key; at the top, those of the path are not to be had. */
static const struct field *
find(const struct req *rq, const struct field_scope *s,
    const struct shape *sh, const char *key)
{
	const struct field *f;

	for (f = sh->fields; f->name != NULL; f++)
		if (strcmp(f->name, key) == 0)
			return s == NULL && field_in_path(rq, f) ? NULL : f;
	return NULL;
}

static bool
read_object(struct req *rq, const struct field_scope *s,
    const struct shape *sh, const json_t *o, char *into)
{
	const struct field *f;
	const json_t *v;
	const char *key;
	bool good = true;
	void *it;

	for (it = json_object_iter((json_t *)o); it != NULL;
	    it = json_object_iter_next((json_t *)o, it)) {
		key = json_object_iter_key(it);
		if (find(rq, s, sh, key) == NULL) {
			field_unknown(rq, s, key);
			good = false;
		}
	}
	for (f = sh->fields; f->name != NULL; f++) {
		if (s == NULL && field_in_path(rq, f))
			continue;
		v = json_object_get(o, f->name);
		if (v == NULL) {
			if (f->flags & FIELD_MUST) {
				field_fault(rq, s, f, FAULT_REQUIRED);
				good = false;
			}
			continue;
		}
		if (s == NULL)
			field_mark(rq, f, json_is_null(v));
		good = take(rq, s, f, v, into + f->offset) && good;
	}
	return good;
}

static void
drop(void *root)
{
	json_decref(root);
}

static enum err
malformed(struct req *rq, const json_error_t *at)
{
	if (json_error_code(at) == json_error_duplicate_key)
		return req_failf(rq, ERR_MALFORMED, "请求内容第 %d 行第 %d 列"
		    "附近有重复的项目，请更新小程序后重试。", at->line,
		    at->column);
	if (json_error_code(at) == json_error_numeric_overflow)
		return req_failf(rq, ERR_MALFORMED, "请求内容第 %d 行第 %d 列"
		    "附近的数字过大，请修改后再试。", at->line, at->column);
	return req_failf(rq, ERR_MALFORMED, "请求内容第 %d 行第 %d 列附近无法"
	    "识别，请更新小程序后重试。", at->line, at->column);
}

enum err
field_read_json(struct req *rq, void *into)
{
	static const struct field none[] = { F_END };
	static const struct shape nothing = { .name = "Nothing",
		.size = 1, .fields = none };
	const struct shape *sh = rq->route->in ? rq->route->in : &nothing;
	const char *body = rq->body_len > 0 ? rq->body : "{}";
	size_t n = rq->body_len > 0 ? rq->body_len : 2;
	json_error_t at;
	json_t *root;

	if (memchr(body, '\0', n) != NULL)	/* Jansson reads over it */
		return req_fail(rq, ERR_MALFORMED, NULL);
	if (too_deep(body, n))
		return req_fail(rq, ERR_MALFORMED,
		    "请求内容嵌套过深，请更新小程序后重试。");
	root = json_loadb(body, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
	    &at);
	if (root == NULL)
		return malformed(rq, &at);
	arena_later(rq->arena, drop, root);
	if (!json_is_object(root))
		return req_fail(rq, ERR_MALFORMED,
		    "请求内容应为一个 JSON 对象，请更新小程序后重试。");
	read_object(rq, NULL, sh, root, into);
	return OK;
}
