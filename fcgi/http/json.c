/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c -- writing JSON straight into a buffer.
 *
 * Level 0 is the document, which holds one value; each open object or
 * list is a level above it.  Text is copied in runs between the few bytes
 * that JSON wants escaped, eight at a time.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/text.h"
#include "base/view.h"

#include "http/json.h"

#define ONES	0x0101010101010101ULL
#define HIGHS	0x8080808080808080ULL

static bool
in_object(const struct json *j)
{
	return (j->objects >> j->depth) & 1;
}

/* Before a value: put the comma; false when none may stand here. */
static bool
value_begin(struct json *j)
{
	uint64_t bit = 1ULL << j->depth;

	if (j->bad)
		return false;
	if (in_object(j)) {
		if (!j->keyed)
			return !(j->bad = true);
		j->keyed = false;
		return true;
	}
	if (j->filled & bit) {
		if (j->depth == 0)
			return !(j->bad = true);
		buf_putc(j->out, ',');
	}
	j->filled |= bit;
	return true;
}

static void
level_begin(struct json *j, bool object)
{
	uint64_t bit;

	if (!value_begin(j))
		return;
	if (j->depth >= JSON_DEPTH) {
		j->bad = true;
		return;
	}
	bit = 1ULL << ++j->depth;
	j->filled &= ~bit;
	j->objects = object ? j->objects | bit : j->objects & ~bit;
	buf_putc(j->out, object ? '{' : '[');
}

static void
level_end(struct json *j, bool object)
{
	if (j->depth == 0 || j->keyed || in_object(j) != object)
		j->bad = true;
	if (j->bad)
		return;
	j->depth--;
	buf_putc(j->out, object ? '}' : ']');
}

/* Whether one of the eight bytes is a control, a quote or a backslash. */
static bool
needs_escape(uint64_t w)
{
	uint64_t quote = w ^ (ONES * '"');
	uint64_t slash = w ^ (ONES * '\\');
	uint64_t hit;

	hit = (w - ONES * 0x20) & ~w;
	hit |= (quote - ONES) & ~quote;
	hit |= (slash - ONES) & ~slash;
	return (hit & HIGHS) != 0;
}

static size_t
plain_run(const char *s, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; i + sizeof(w) <= n; i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		if (needs_escape(w))
			break;
	}
	while (i < n && (unsigned char)s[i] >= 0x20 && s[i] != '"' &&
	    s[i] != '\\')
		i++;
	return i;
}

static void
put_escape(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char u[6] = { '\\', 'u', '0', '0', 0, 0 };

	switch (c) {
	case '"':
		BUF_LIT(b, "\\\"");
		break;
	case '\\':
		BUF_LIT(b, "\\\\");
		break;
	case '\n':
		BUF_LIT(b, "\\n");
		break;
	case '\r':
		BUF_LIT(b, "\\r");
		break;
	case '\t':
		BUF_LIT(b, "\\t");
		break;
	default:
		u[4] = hex[c >> 4];
		u[5] = hex[c & 15];
		buf_putn(b, u, sizeof(u));
		break;
	}
}

static void
put_string(struct buf *b, const char *s, size_t n)
{
	size_t run;

	buf_putc(b, '"');
	for (;;) {
		run = plain_run(s, n);
		buf_putn(b, s, run);
		if (run == n)
			break;
		put_escape(b, (unsigned char)s[run]);
		s += run + 1;
		n -= run + 1;
	}
	buf_putc(b, '"');
}

void
json_init(struct json *j, struct buf *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

void
json_open(struct json *j)
{
	level_begin(j, true);
}

void
json_close(struct json *j)
{
	level_end(j, true);
}

void
json_list(struct json *j)
{
	level_begin(j, false);
}

void
json_unlist(struct json *j)
{
	level_end(j, false);
}

/* Before a key: false when none may stand here, else whether a comma. */
static bool
key_begin(struct json *j, bool *ret_comma)
{
	uint64_t bit = 1ULL << j->depth;

	if (!in_object(j) || j->keyed)
		j->bad = true;
	if (j->bad)
		return false;
	*ret_comma = (j->filled & bit) != 0;
	j->filled |= bit;
	return j->keyed = true;
}

void
json_key(struct json *j, const char *name)
{
	bool comma;

	if (!key_begin(j, &comma))
		return;
	if (comma)
		buf_putc(j->out, ',');
	put_string(j->out, name, strlen(name));
	buf_putc(j->out, ':');
}

void
json_int(struct json *j, int64_t v)
{
	if (value_begin(j))
		buf_puti(j->out, v);
}

void
json_id(struct json *j, int64_t v)
{
	if (!value_begin(j))
		return;
	buf_putc(j->out, '"');
	buf_puti(j->out, v);
	buf_putc(j->out, '"');
}

void
json_bool(struct json *j, bool v)
{
	if (!value_begin(j))
		return;
	if (v)
		BUF_LIT(j->out, "true");
	else
		BUF_LIT(j->out, "false");
}

void
json_nil(struct json *j)
{
	if (value_begin(j))
		BUF_LIT(j->out, "null");
}

void
json_text(struct json *j, const char *utf8)
{
	if (utf8 == NULL)
		json_nil(j);
	else
		json_textn(j, utf8, strlen(utf8));
}

void
json_textn(struct json *j, const char *utf8, size_t n)
{
	if (value_begin(j))
		put_string(j->out, utf8, n);
}

void
json_time(struct json *j, int64_t ms)
{
	char text[CLOCK_TEXT_MAX];
	int n = clock_text(ms, text);

	if (n <= 0)
		json_nil(j);
	else
		json_textn(j, text, (size_t)n);
}

void
json_degree(struct json *j, int64_t e6)
{
	uint64_t v = e6 < 0 ? 0 - (uint64_t)e6 : (uint64_t)e6;
	uint64_t part = v % 1000000;
	char digits[7] = { '.' };
	int i, n = 7;

	if (!value_begin(j))
		return;
	if (e6 < 0)
		buf_putc(j->out, '-');
	buf_puti(j->out, (int64_t)(v / 1000000));
	if (part == 0)
		return;
	for (i = 6; i > 0; i--, part /= 10)
		digits[i] = (char)('0' + part % 10);
	while (digits[n - 1] == '0')
		n--;
	buf_putn(j->out, digits, (size_t)n);
}

void
json_raw(struct json *j, const char *json)
{
	if (*json == '\0')
		j->bad = true;
	else if (value_begin(j))
		buf_puts(j->out, json);
}

void
json_put_int(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

void
json_put_id(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_id(j, v);
}

void
json_put_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

void
json_put_text(struct json *j, const char *key, const char *utf8)
{
	json_key(j, key);
	json_text(j, utf8);
}

void
json_put_time(struct json *j, const char *key, int64_t ms)
{
	json_key(j, key);
	json_time(j, ms);
}

bool
json_done(const struct json *j)
{
	return !j->bad && j->depth == 0 && (j->filled & 1) != 0;
}

/* A member's name as the view has it ready, comma, quotes and colon. */
static void
put_key(struct json *j, const struct view_column *c)
{
	bool comma;

	if (c->key == NULL)
		json_key(j, c->name);
	else if (key_begin(j, &comma))
		buf_putn(j->out, c->key + !comma, c->key_len - !comma);
}

static void
put_number(struct json *j, enum view_kind kind, int64_t v)
{
	switch (kind) {
	case VIEW_ID:
		json_id(j, v);
		break;
	case VIEW_BOOL:
		json_bool(j, v != 0);
		break;
	case VIEW_TIME:
		json_time(j, v);
		break;
	case VIEW_DEGREE:
		json_degree(j, v);
		break;
	default:
		json_int(j, v);
		break;
	}
}

static void
put_phone(struct json *j, const char *sealed, struct arena *scratch)
{
	char *clear;

	clear = crypt_open(scratch, "phone", sealed);
	json_text(j, text_mask_phone(scratch, clear ? clear : ""));
}

static void
put_words(struct json *j, enum view_kind kind, const char *s,
    struct arena *scratch)
{
	if (s == NULL)
		json_nil(j);
	else if (kind == VIEW_PHONE)
		put_phone(j, s, scratch);
	else if (kind == VIEW_OBJECT || kind == VIEW_ARRAY)
		json_raw(j, s);
	else
		json_text(j, s);
}

void
json_view(struct json *j, const struct view *view, const void *row,
    const struct req *rq, struct arena *scratch)
{
	const struct view_column *c;
	const void *at;
	int64_t v;

	json_open(j);
	for (c = view->columns; c->name != NULL; c++) {
		if (c->flags & VIEW_HIDDEN)
			continue;
		if (c->kind == VIEW_CALC && rq == NULL)
			continue;
		put_key(j, c);
		at = (const char *)row + c->offset;
		switch (c->kind) {
		case VIEW_CALC:
			c->calc(j, rq, row);
			break;
		case VIEW_TEXT:
		case VIEW_CODE:
		case VIEW_PHONE:
		case VIEW_OBJECT:
		case VIEW_ARRAY:
			put_words(j, c->kind, *(const char *const *)at,
			    scratch);
			break;
		default:
			v = *(const int64_t *)at;
			if ((c->flags & VIEW_NULL) && v == VIEW_NULL_INT)
				json_nil(j);
			else
				put_number(j, c->kind, v);
			break;
		}
	}
	json_close(j);
}

void
json_open_numbered(struct buf *b, struct json *j, int *n)
{
	char	key[16];

	if (*n == 0) {
		buf_clear(b);
		json_init(j, b);
		json_open(j);
	}
	snprintf(key, sizeof(key), "%d", (*n)++);
	json_key(j, key);
	json_open(j);
}
