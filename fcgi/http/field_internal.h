/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field_internal.h -- what the readers of fields share.
 *
 * field.c knows kinds, limits and sentences; field_json.c and
 * field_query.c know where a value stands and which type it came as.
 */
#ifndef HTTP_FIELD_INTERNAL_H
#define HTTP_FIELD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct field;
struct req;
struct shape;

/* Where a field stands: the objects and lists around it, outwards. */
struct field_scope {
	const struct field_scope	*up;	/* NULL: the top */
	const char			*name;	/* of the object or list */
	int				 index;	/* in a list; -1: object */
};

/* Codes of faults, as the API says them. */
enum field_fault {
	FAULT_REQUIRED, FAULT_NULL, FAULT_TYPE, FAULT_SMALL, FAULT_LARGE,
	FAULT_SHORT, FAULT_LONG, FAULT_LISTED, FAULT_FORMAT, FAULT_UNKNOWN,
	FAULT_TEXT
};

/* Note a fault of `f` in `scope`, with its sentence. */
void field_fault(struct req *, const struct field_scope *,
    const struct field *f, enum field_fault);

/* Note a key that no row knows. */
void field_unknown(struct req *, const struct field_scope *,
    const char *name);

/* Check `v` against the row and store it in `to`; false when at fault. */
bool field_take_int(struct req *, const struct field_scope *,
    const struct field *, int64_t v, void *to);

/* The same for all kinds that are text on the wire; `s` has no NUL. */
bool field_take_text(struct req *, const struct field_scope *,
    const struct field *, const char *s, void *to);

/* The same for any scalar from path or query; `v` may be no UTF-8. */
bool field_take_plain(struct req *, const struct field *, const char *v,
    void *to);

/* Whether row `f` is taken from the path of this request. */
bool field_in_path(const struct req *, const struct field *f);

/* Record that top-level row `f` was sent. */
void field_mark(struct req *, const struct field *f, bool null);

/* Read the JSON body, or the query, into `into`. */
enum err field_read_json(struct req *, void *into);
enum err field_read_query(struct req *, void *into);

#endif
