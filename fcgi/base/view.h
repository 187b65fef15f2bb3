/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h -- what a row looks like: one table for SQL, struct and JSON.
 *
 * The columns that come from SQL stand first to last in the order of the
 * SELECT, under the same names (checked when statements are prepared).
 * Calculated columns have no place in SQL or struct.
 */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;
struct req;
struct view;

enum view_kind {
	VIEW_ID,	/* int64_t, a string of digits outside */
	VIEW_INT,	/* int64_t */
	VIEW_FEN,	/* int64_t, money */
	VIEW_BOOL,	/* int64_t 0 or 1 */
	VIEW_TIME,	/* int64_t ms, RFC 3339 outside */
	VIEW_DEGREE,	/* int64_t 1e-6 degree, a decimal outside */
	VIEW_TEXT,	/* const char * */
	VIEW_CODE,	/* const char *, one of `names` */
	VIEW_PHONE,	/* const char *, sealed; masked outside */
	VIEW_OBJECT,	/* const char *, stored JSON object of `sub` */
	VIEW_ARRAY,	/* const char *, stored JSON array of `sub` */
	VIEW_CALC	/* written by `calc`; not in SQL */
};

/* What VIEW_CALC writes, for the description. */
enum view_shape { SHAPE_CODES, SHAPE_TEXT, SHAPE_INT, SHAPE_BOOL,
	SHAPE_OBJECT, SHAPE_OBJECTS };

/*
 * A NULL in a number column reads as 0 unless the column is flagged
 * VIEW_NULL; then it reads as VIEW_NULL_INT and is written as null.
 */
#define VIEW_NULL_INT	INT64_MIN

#define VIEW_NULL	1u	/* SQL NULL is written as null */
#define VIEW_HIDDEN	2u	/* read from SQL, not written */

struct view_column {
	enum view_kind		 kind;
	const char		*name;	/* NULL ends the table */
	const char		*key;	/* ,"name": as the macros make it */
	size_t			 key_len;
	size_t			 offset; /* in the row's struct */
	unsigned		 flags;	/* VIEW_NULL, VIEW_HIDDEN */
	const char *const	*names;	/* VIEW_CODE, SHAPE_CODES: closed set */
	const struct view	*sub;	/* of what is stored or calculated */
	enum view_shape		 shape;	/* of VIEW_CALC */
	void (*calc)(struct json *, const struct req *, const void *row);
	const char		*about;	/* one English line, for the API text */
};

struct view {
	const char		 *name;	/* schema name, e.g. WaterOrder */
	size_t			  size;	/* of the row's struct */
	const struct view_column *columns;
};

/* The member's name, a literal, also as JSON writes it. */
#define C_KEY(lit)	.name = lit, .key = ",\"" lit "\":", \
	.key_len = sizeof(",\"" lit "\":") - 1
#define C_ID(s, m, ...)	  { .kind = VIEW_ID, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_INT(s, m, ...)  { .kind = VIEW_INT, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_FEN(s, m, ...)  { .kind = VIEW_FEN, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_BOOL(s, m, ...) { .kind = VIEW_BOOL, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_TIME(s, m, ...) { .kind = VIEW_TIME, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_DEGREE(s, m, ...) { .kind = VIEW_DEGREE, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_TEXT(s, m, ...) { .kind = VIEW_TEXT, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_CODE(s, m, set, ...) { .kind = VIEW_CODE, C_KEY(#m), \
	.offset = offsetof(struct s, m), .names = (set), __VA_ARGS__ }
#define C_PHONE(s, m, ...) { .kind = VIEW_PHONE, C_KEY(#m), \
	.offset = offsetof(struct s, m), __VA_ARGS__ }
#define C_OBJECT(s, m, v, ...) { .kind = VIEW_OBJECT, C_KEY(#m), \
	.offset = offsetof(struct s, m), .sub = (v), __VA_ARGS__ }
#define C_ARRAY(s, m, v, ...) { .kind = VIEW_ARRAY, C_KEY(#m), \
	.offset = offsetof(struct s, m), .sub = (v), __VA_ARGS__ }
#define C_CALC(n, sh, fn, ...) { .kind = VIEW_CALC, C_KEY(n), \
	.shape = (sh), .calc = (fn), __VA_ARGS__ }
#define C_END		  { .name = NULL }

/* A view over `struct s` whose columns are in `s_columns`. */
#define VIEW(s, schema)	{ .name = (schema), .size = sizeof(struct s), \
	.columns = s##_columns }

#endif
