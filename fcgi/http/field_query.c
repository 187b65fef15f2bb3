/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_query.c -- fields from the query string.
 *
 * Each name at most once; names no row knows are refused.  A route that
 * reads a body takes no query at all.
 */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#include "http/field.h"
#include "http/field_internal.h"
#include "http/req.h"

static const struct field *
find(const struct req *rq, const char *name)
{
	const struct field *f;

	for (f = rq->route->in->fields; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return field_in_path(rq, f) ? NULL : f;
	return NULL;
}

static enum err
take_pair(struct req *rq, char *into, const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n);
	const struct field *f;
	char *name, *value;

	name = text_unescape(rq->arena, s, eq ? (size_t)(eq - s) : n);
	value = eq == NULL ? arena_str(rq->arena, "") :
	    text_unescape(rq->arena, eq + 1, n - (size_t)(eq + 1 - s));
	if (name == NULL || value == NULL)
		return req_fail(rq, ERR_MALFORMED, NULL);
	f = into ? find(rq, name) : NULL;
	if (f == NULL) {
		field_unknown(rq, NULL, name);
		return OK;
	}
	if (field_given(rq, f->name))
		return req_failf(rq, ERR_MALFORMED, "%s重复出现，请更新小程序"
		    "后重试。", f->label);
	field_mark(rq, f, false);
	field_take_plain(rq, f, value, into + f->offset);
	return OK;
}

enum err
field_read_query(struct req *rq, void *into)
{
	const char *s = rq->query ? rq->query : "", *end;
	const struct field *f;
	enum err e;

	while (*s != '\0') {
		end = s + strcspn(s, "&");
		if (end > s && (e = take_pair(rq, into, s,
		    (size_t)(end - s))) != OK)
			return e;
		s = *end == '&' ? end + 1 : end;
	}
	if (into == NULL)
		return OK;
	for (f = rq->route->in->fields; f->name != NULL; f++)
		if ((f->flags & FIELD_MUST) && !field_given(rq, f->name))
			field_fault(rq, NULL, f, FAULT_REQUIRED);
	return OK;
}
