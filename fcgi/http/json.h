/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h -- writing JSON straight into a buffer.
 *
 * The writer knows where it stands and refuses bad grammar (a key outside
 * an object, a value without its key, an end too many) by a sticky flag
 * that json_done reports.  At most 32 levels deep.
 */
#ifndef HTTP_JSON_H
#define HTTP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct arena;
struct req;
struct view;

#define JSON_DEPTH 32

struct json {
	struct buf	*out;
	uint64_t	 objects;	/* bit per level: an object */
	uint64_t	 filled;	/* bit per level: has a member */
	int		 depth;
	bool		 keyed;		/* a key waits for its value */
	bool		 bad;		/* grammar was broken */
};

void json_init(struct json *, struct buf *out);
void json_open(struct json *);		/* { */
void json_close(struct json *);		/* } */
void json_list(struct json *);		/* [ */
void json_unlist(struct json *);	/* ] */
void json_key(struct json *, const char *name);
void json_int(struct json *, int64_t);
void json_id(struct json *, int64_t);	/* digits as a string */
void json_bool(struct json *, bool);
void json_nil(struct json *);		/* null; json_null is Jansson's */
void json_text(struct json *, const char *utf8);	/* NULL: null */
void json_textn(struct json *, const char *utf8, size_t n);
void json_time(struct json *, int64_t ms);
void json_degree(struct json *, int64_t e6);
void json_raw(struct json *, const char *json);	/* trusted JSON text */

/* key and value in one go */
void json_put_int(struct json *, const char *key, int64_t);
void json_put_id(struct json *, const char *key, int64_t);
void json_put_bool(struct json *, const char *key, bool);
void json_put_text(struct json *, const char *key, const char *);
void json_put_time(struct json *, const char *key, int64_t);

/* True when one whole value was written and nothing was broken. */
bool json_done(const struct json *);

/*
 * Write `row` (of `view`) as an object.  `rq` reaches calculated columns;
 * outside a request it is NULL and these are left out.  Phones, sealed for
 * the column "phone", are opened into `scratch` and masked.
 */
void json_view(struct json *, const struct view *, const void *row,
    const struct req *rq, struct arena *scratch);

/*
 * Begin a member of the object in `b`, itself an object, called by its
 * number *n, which goes one up; at 0 `b` and `j` begin anew.  For
 * json_each in SQL.
 */
void json_open_numbered(struct buf *b, struct json *j, int *n);

#endif
