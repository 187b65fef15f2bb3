/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.h -- what a request may carry: rows that decode and validate.
 *
 * One table serves a route: a field named in the path comes from there;
 * of the rest, GET and DELETE read the query and the other methods read
 * the JSON body.  Unknown keys are refused, and all faulty fields are
 * reported together, each with a Chinese sentence.  A query takes no
 * FIELD_PHONE and no FIELD_SECRET: addresses are written into logs.
 *
 * Absent, null and empty are three things: an absent field leaves its
 * member zero and is not `given`; null is refused unless FIELD_NULL, then
 * it is given and null; empty text is text.
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct req;

enum field_kind {
	FIELD_INT,	/* int64_t, min..max */
	FIELD_ID,	/* int64_t, digits in a string */
	FIELD_TEXT,	/* const char *, min..max code points, trimmed */
	FIELD_SECRET,	/* the same, not trimmed, never echoed */
	FIELD_ENUM,	/* int64_t, place in `names` */
	FIELD_TIME,	/* int64_t ms, RFC 3339 */
	FIELD_BOOL,	/* bool */
	FIELD_PHONE,	/* const char *, 11 digits after tidying */
	FIELD_DEGREE,	/* int64_t 1e-6 degree, a JSON number or query text */
	FIELD_CURSOR,	/* int64_t from `after`, bound to the route */
	FIELD_OBJECT,	/* const void *, struct of `sub`; NULL when absent */
	FIELD_LIST,	/* struct field_list of `sub`, min..max items */
	FIELD_CODES	/* int64_t, a bit for each place in `names`; >= min */
};

#define FIELD_MUST	1u
#define FIELD_NULL	2u	/* null is allowed */
#define FIELD_LINES	4u	/* text may have line breaks */

struct field_list {
	size_t		 n;
	const void	*items;		/* n structs of the sub shape */
};

struct shape;

struct field {
	enum field_kind		 kind;
	const char		*name;	/* NULL ends the table */
	size_t			 offset;
	unsigned		 flags;
	int64_t			 min, max;
	const char *const	*names;	/* FIELD_ENUM, _CODES, NULL-ended */
	const struct shape	*sub;
	const char		*label;	/* Chinese, begins the sentence */
	const char		*about;	/* English, for the API text */
};

/* An input struct and its rows; at most 64 rows. */
struct shape {
	const char		*name;	/* schema name, e.g. WaterOrderNew */
	size_t			 size;
	const struct field	*fields;
	bool			 upload; /* a form with a file: upload.h */
	/* Signed by its sender: left as it came in rq->query and rq->body,
	   of any type, for the handler to prove; no address is counted.
	   Rows tell of it only. */
	bool			 raw;
};

#define F_INT(s, m, zh, need, lo, hi) { .kind = FIELD_INT, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need), .min = (lo),	\
	.max = (hi), .label = (zh) }
#define F_ID(s, m, zh, need) { .kind = FIELD_ID, .name = #m,		\
	.offset = offsetof(struct s, m), .flags = (need), .label = (zh) }
#define F_TEXT(s, m, zh, need, lo, hi) { .kind = FIELD_TEXT, .name = #m, \
	.offset = offsetof(struct s, m), .flags = (need), .min = (lo),	\
	.max = (hi), .label = (zh) }
#define F_SECRET(s, m, zh, need, lo, hi) { .kind = FIELD_SECRET,	\
	.name = #m, .offset = offsetof(struct s, m), .flags = (need),	\
	.min = (lo), .max = (hi), .label = (zh) }
#define F_ENUM(s, m, zh, need, set) { .kind = FIELD_ENUM, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need),		\
	.names = (set), .label = (zh) }
#define F_TIME(s, m, zh, need) { .kind = FIELD_TIME, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need), .label = (zh) }
#define F_BOOL(s, m, zh, need) { .kind = FIELD_BOOL, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need), .label = (zh) }
#define F_PHONE(s, m, zh, need) { .kind = FIELD_PHONE, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need), .label = (zh) }
#define F_DEGREE(s, m, zh, need) { .kind = FIELD_DEGREE, .name = #m,	\
	.offset = offsetof(struct s, m), .flags = (need), .label = (zh) }
#define F_OBJECT(s, m, zh, need, sh) { .kind = FIELD_OBJECT, .name = #m, \
	.offset = offsetof(struct s, m), .flags = (need), .sub = (sh),	\
	.label = (zh) }
#define F_LIST(s, m, zh, need, lo, hi, sh) { .kind = FIELD_LIST,	\
	.name = #m, .offset = offsetof(struct s, m), .flags = (need),	\
	.min = (lo), .max = (hi), .sub = (sh), .label = (zh) }
#define F_CODES(s, m, zh, need, lo, set) { .kind = FIELD_CODES,		\
	.name = #m, .offset = offsetof(struct s, m), .flags = (need),	\
	.min = (lo), .names = (set), .label = (zh) }
/* `limit` and `after` of a list or search; the struct has both. */
#define F_PAGE(s)							\
	{ .kind = FIELD_INT, .name = "limit",				\
	.offset = offsetof(struct s, limit), .min = 1, .max = 100,	\
	.label = "每页数量" },						\
	{ .kind = FIELD_CURSOR, .name = "after",			\
	.offset = offsetof(struct s, after), .label = "翻页标记" }
#define F_END { .name = NULL }
#define MUST FIELD_MUST
#define MAY 0u

#define SHAPE(s, schema) { .name = (schema), .size = sizeof(struct s),	\
	.fields = s##_fields }

/* The fields of a form that has a file, "file", beside them. */
#define SHAPE_UPLOAD(s, schema) { .name = (schema),			\
	.size = sizeof(struct s), .fields = s##_fields, .upload = true }

/*
 * Decode the whole input of the route into rq->in.  ERR_MALFORMED for what
 * is no JSON, a doubled key, nesting too deep or an unknown key in the
 * wrong form; ERR_FIELD with every faulty field noted by req_field.
 */
enum err field_decode(struct req *rq);

/* Whether the top-level field `name` was sent, and whether as null. */
bool field_given(const struct req *rq, const char *name);
bool field_null(const struct req *rq, const char *name);

#endif
