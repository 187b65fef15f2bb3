/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi_internal.h -- schemas for openapi.c.
 */
#ifndef HTTP_OPENAPI_INTERNAL_H
#define HTTP_OPENAPI_INTERNAL_H

#include <stdbool.h>

struct field;
struct json;
struct route;

/* "{name}" stands in the path of the route. */
bool openapi_in_path(const struct route *, const struct field *);

/* Whether the route reads a body, and whether one must be there. */
bool openapi_has_body(const struct route *);
bool openapi_must_body(const struct route *);

/* The schema of one field as a value. */
void openapi_field(struct json *, const struct field *);

/* The members of components.schemas; false when two share a name. */
bool openapi_schemas(struct json *);

#endif
