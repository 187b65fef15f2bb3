/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.c -- what a field may hold, and what is said when it does not.
 *
 * A fault never repeats the value that was sent.  A path parameter that
 * does not read is an absent thing, not a faulty field: it names nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/geo.h"
#include "base/id.h"
#include "base/text.h"

#include "http/field.h"
#include "http/field_internal.h"
#include "http/req.h"

#define UNKNOWN_POINTS 40	/* of an unknown key that are echoed */

static const char *const codes[] = {
	[FAULT_REQUIRED] = "required", [FAULT_NULL] = "null",
	[FAULT_TYPE] = "type", [FAULT_SMALL] = "too_small",
	[FAULT_LARGE] = "too_large", [FAULT_SHORT] = "too_short",
	[FAULT_LONG] = "too_long", [FAULT_LISTED] = "not_listed",
	[FAULT_FORMAT] = "format", [FAULT_UNKNOWN] = "unknown",
	[FAULT_TEXT] = "not_text"
};

static const char *
place(struct arena *a, const struct field_scope *s, const char *name)
{
	for (; s != NULL; s = s->up) {
		if (name == NULL)
			name = s->index < 0 ? arena_str(a, s->name) :
			    arena_fmt(a, "%s[%d]", s->name, s->index);
		else if (s->index < 0)
			name = arena_fmt(a, "%s.%s", s->name, name);
		else
			name = arena_fmt(a, "%s[%d].%s", s->name, s->index,
			    name);
	}
	return name;
}

static const char *
say_type(struct arena *a, const struct field *f)
{
	switch (f->kind) {
	case FIELD_INT:
		return arena_fmt(a, "%s应为整数", f->label);
	case FIELD_ID:
		return arena_fmt(a, "%s应为数字编号", f->label);
	case FIELD_BOOL:
		return arena_fmt(a, "%s应为是或否", f->label);
	case FIELD_DEGREE:
		return arena_fmt(a, "%s应为经纬度数值", f->label);
	case FIELD_OBJECT:
		return arena_fmt(a, "%s的内容格式不正确", f->label);
	case FIELD_LIST:
	case FIELD_CODES:
		return arena_fmt(a, "%s应为列表", f->label);
	default:
		return arena_fmt(a, "%s应为文字", f->label);
	}
}

static const char *
say_format(struct arena *a, const struct field *f)
{
	switch (f->kind) {
	case FIELD_PHONE:
		return arena_fmt(a, "%s应为 11 位手机号码", f->label);
	case FIELD_TIME:
		return arena_fmt(a, "%s应为带时区的时间，例如 "
		    "2026-01-31T08:00:00+08:00", f->label);
	case FIELD_CURSOR:
		return arena_fmt(a, "%s已失效，请从第一页重新加载",
		    f->label);
	case FIELD_DEGREE:
		return arena_fmt(a, "%s应为 -180 到 180 之间的经纬度数值",
		    f->label);
	default:
		return say_type(a, f);
	}
}

static const char *
say_missing(struct arena *a, const struct field *f)
{
	switch (f->kind) {
	case FIELD_ID:
	case FIELD_ENUM:
	case FIELD_CODES:
	case FIELD_BOOL:
	case FIELD_TIME:
		return arena_fmt(a, "请选择%s", f->label);
	case FIELD_LIST:
		return arena_fmt(a, "请添加%s", f->label);
	default:
		return arena_fmt(a, "请填写%s", f->label);
	}
}

static const char *
say(struct arena *a, const struct field *f, enum field_fault fault)
{
	const char *unit = f->kind == FIELD_LIST ? "项" : "个字";

	switch (fault) {
	case FAULT_REQUIRED:
		return say_missing(a, f);
	case FAULT_NULL:
		return arena_fmt(a, "%s不能为空", f->label);
	case FAULT_TYPE:
		return say_type(a, f);
	case FAULT_SMALL:
		return arena_fmt(a, "%s最少 %" PRId64, f->label, f->min);
	case FAULT_LARGE:
		return arena_fmt(a, "%s最多 %" PRId64, f->label, f->max);
	case FAULT_SHORT:
		if (f->min == 1)
			return say_missing(a, f);
		return arena_fmt(a, "%s至少 %" PRId64 " %s", f->label,
		    f->min, unit);
	case FAULT_LONG:
		return arena_fmt(a, "%s最多 %" PRId64 " %s", f->label,
		    f->max, unit);
	case FAULT_LISTED:
		return arena_fmt(a, "%s不在可选范围内，请重新选择",
		    f->label);
	case FAULT_TEXT:
		return arena_fmt(a, "%s含有无法使用的字符，请删除后再试",
		    f->label);
	default:
		return say_format(a, f);
	}
}

void
field_fault(struct req *rq, const struct field_scope *s,
    const struct field *f, enum field_fault fault)
{
	req_field(rq, place(rq->arena, s, f->name), codes[fault],
	    say(rq->arena, f, fault));
}

void
field_unknown(struct req *rq, const struct field_scope *s, const char *name)
{
	if (text_valid(name, strlen(name)))
		name = text_cut(rq->arena, name, UNKNOWN_POINTS);
	else
		name = "?";
	req_field(rq, place(rq->arena, s, name), codes[FAULT_UNKNOWN],
	    "没有这一项内容，请更新小程序后重试");
}

bool
field_take_int(struct req *rq, const struct field_scope *s,
    const struct field *f, int64_t v, void *to)
{
	if (v < f->min || v > f->max) {
		field_fault(rq, s, f, v < f->min ? FAULT_SMALL : FAULT_LARGE);
		return false;
	}
	*(int64_t *)to = v;
	return true;
}

static bool
take_words(struct req *rq, const struct field_scope *s,
    const struct field *f, const char *v, void *to)
{
	size_t n;

	if (!text_clean(v, (f->flags & FIELD_LINES) != 0)) {
		field_fault(rq, s, f, FAULT_TEXT);
		return false;
	}
	if (f->kind == FIELD_TEXT)
		v = text_trim(rq->arena, v);
	else
		v = arena_str(rq->arena, v);
	n = text_length(v);
	if (n < (size_t)f->min || n > (size_t)f->max) {
		field_fault(rq, s, f, n < (size_t)f->min ? FAULT_SHORT :
		    FAULT_LONG);
		return false;
	}
	*(const char **)to = v;
	return true;
}

static bool
take_name(struct req *rq, const struct field_scope *s,
    const struct field *f, const char *v, void *to)
{
	int64_t i;

	for (i = 0; f->names[i] != NULL; i++) {
		if (strcmp(f->names[i], v) != 0)
			continue;
		*(int64_t *)to = i;
		return true;
	}
	field_fault(rq, s, f, FAULT_LISTED);
	return false;
}

static bool
take_phone(struct req *rq, const char *v, void *to)
{
	char *phone;

	if (!text_clean(v, false) ||
	    (phone = text_phone(rq->arena, v)) == NULL)
		return false;
	*(const char **)to = phone;
	return true;
}

bool
field_take_text(struct req *rq, const struct field_scope *s,
    const struct field *f, const char *v, void *to)
{
	bool good;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_SECRET:
		return take_words(rq, s, f, v, to);
	case FIELD_ENUM:
		return take_name(rq, s, f, v, to);
	case FIELD_ID:
		good = id_parse(v, to);
		break;
	case FIELD_TIME:
		good = clock_parse(v, to);
		break;
	case FIELD_PHONE:
		good = take_phone(rq, v, to);
		break;
	case FIELD_DEGREE:
		good = geo_parse(v, to);
		break;
	case FIELD_CURSOR:
		good = crypt_cursor_read(rq->route->path, v, to);
		break;
	default:
		good = false;
		break;
	}
	if (!good)
		field_fault(rq, s, f, FAULT_FORMAT);
	return good;
}

bool
field_in_path(const struct req *rq, const struct field *f)
{
	int i;

	for (i = 0; i < rq->match.n; i++)
		if (strcmp(rq->match.names[i], f->name) == 0)
			return true;
	return false;
}

void
field_mark(struct req *rq, const struct field *f, bool null)
{
	uint64_t bit = 1ULL << (f - rq->route->in->fields);

	rq->given |= bit;
	if (null)
		rq->nulls |= bit;
}

static uint64_t
bit_of(const struct req *rq, const char *name)
{
	const struct shape *s = rq->route ? rq->route->in : NULL;
	int i;

	for (i = 0; s != NULL && s->fields[i].name != NULL; i++)
		if (strcmp(s->fields[i].name, name) == 0)
			return 1ULL << i;
	return 0;
}

bool
field_given(const struct req *rq, const char *name)
{
	return (rq->given & bit_of(rq, name)) != 0;
}

bool
field_null(const struct req *rq, const char *name)
{
	return (rq->nulls & bit_of(rq, name)) != 0;
}

/* Plain digits with at most one minus; what does not fit is no number. */
static bool
digits(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	int64_t v = 0;

	s += minus;
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_sub_overflow(v, (int64_t)(*s - '0'), &v))
			return false;
	}
	if (!minus && v == INT64_MIN)
		return false;
	*ret = minus ? v : -v;
	return true;
}

bool
field_take_plain(struct req *rq, const struct field *f, const char *v,
    void *to)
{
	int64_t n;

	if (!text_valid(v, strlen(v))) {
		field_fault(rq, NULL, f, FAULT_TEXT);
		return false;
	}
	if (f->kind == FIELD_INT) {
		if (digits(v, &n))
			return field_take_int(rq, NULL, f, n, to);
		field_fault(rq, NULL, f, FAULT_TYPE);
		return false;
	}
	if (f->kind == FIELD_BOOL) {
		*(bool *)to = strcmp(v, "true") == 0;
		if (*(bool *)to || strcmp(v, "false") == 0)
			return true;
		field_fault(rq, NULL, f, FAULT_TYPE);
		return false;
	}
	return field_take_text(rq, NULL, f, v, to);
}

/* False when a parameter of the path does not read as its row says. */
static bool
read_path(struct req *rq, char *into)
{
	const struct field *f;
	const char *v;
	int i;

	for (i = 0; i < rq->match.n; i++) {
		for (f = rq->route->in->fields; f->name != NULL; f++)
			if (strcmp(f->name, rq->match.names[i]) == 0)
				break;
		v = arena_copy(rq->arena, rq->match.values[i],
		    rq->match.lengths[i]);
		if (!field_take_plain(rq, f, v, into + f->offset))
			return false;
		field_mark(rq, f, false);
	}
	return true;
}

enum err
field_decode(struct req *rq)
{
	const struct shape *s = rq->route->in;
	bool query = rq->method == GET || rq->method == DELETE;
	char *into = NULL;
	enum err e;

	if (s != NULL) {
		into = arena_take(rq->arena, s->size);
		if (!read_path(rq, into)) {
			req_reset(rq);
			return req_fail(rq, ERR_ABSENT, NULL);
		}
	}
	if (s != NULL && s->raw)
		return OK;
	if (query && rq->body_len > 0)
		return req_fail(rq, ERR_MALFORMED, NULL);
	e = field_read_query(rq, query ? into : NULL);
	if (e == OK && s != NULL && s->upload)
		into = NULL;	/* by upload_read, when it comes */
	else if (e == OK && !query)
		e = field_read_json(rq, into);
	if (e == OK && rq->faults != NULL)
		e = ERR_FIELD;
	rq->in = into;
	return e;
}
