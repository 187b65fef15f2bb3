/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h -- the table of what can be asked, and by whom.
 *
 * A row is complete and no column has a harmless default: `who` must be
 * written out, ANYONE too, and zero is refused at start-up.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct req;
struct shape;
struct view;

enum method { GET = 1, POST, PATCH, PUT, DELETE };

/* Roles, held per community, several at once (bits of a session). */
#define ROLE_RESIDENT	(1ULL << 0)
#define ROLE_HEAD	(1ULL << 1)	/* of a ten-household unit */
#define ROLE_GRID	(1ULL << 2)	/* grid worker */
#define ROLE_CLERK	(1ULL << 3)	/* community service hall */
#define ROLE_PARTY	(1ULL << 4)	/* party-member volunteer */
#define ROLE_PROPERTY	(1ULL << 5)
#define ROLE_TECHNICIAN	(1ULL << 6)
#define ROLE_MERCHANT	(1ULL << 7)
#define ROLE_COURIER	(1ULL << 8)
#define ROLE_TEACHER	(1ULL << 9)
#define ROLE_ADMIN	(1ULL << 10)	/* of one community */
#define ROLE_PLATFORM	(1ULL << 11)	/* of all */
#define ROLE__COUNT	12
#define ROLE__ALL	((1ULL << ROLE__COUNT) - 1)

/* Who may, beside roles. */
#define ANYONE		(1ULL << 62)	/* no session needed */
#define LOGGED_IN	(1ULL << 61)	/* any session, community or not */
#define LOOPBACK	(1ULL << 60)	/* only from this machine, no session */

/*
 * A helper with the right may do this for another (service/helper.c); set
 * beside the roles in `who`.
 */
#define ACT_WATER	(1ULL << 40)	/* order water and follow it */
#define ACT_PAY		(1ULL << 41)
#define ACT_REPORT	(1ULL << 42)	/* repairs, complaints, wishes */
#define ACT_READ	(1ULL << 43)	/* read what is the other's */
#define ACT__ALL	(ACT_WATER | ACT_PAY | ACT_REPORT | ACT_READ)

/* Names of the role bits in order, NULL-ended. */
extern const char *const role_names[ROLE__COUNT + 1];

/* Bits of a role's name; 0 when there is none. */
uint64_t role_bit(const char *name);

enum pool {
	POOL_API = 1,	/* never leaves the machine room */
	POOL_SLOW	/* calls WeChat, hashes passwords, decodes pictures */
};

enum tx {
	TX_READ = 1,	/* reads only; a POST may, a search */
	TX_WRITE,	/* the dispatcher's transaction, replayed; also for
			   a GET that leaves a trace, a look */
	TX_OWN		/* leaves the machine room: req_transact by hand */
};

/* What the reply is. */
enum reply_kind {
	REPLY_ONE = 1,	/* one object of the view */
	REPLY_LIST,	/* {"items":[...],"next":...} of the view */
	REPLY_NONE,	/* 204, no body */
	REPLY_TEXT,	/* text/plain (health, metrics) */
	REPLY_FILE	/* rq->content as the handler says, in rq->out */
};

struct route {
	enum method		 method;	/* 0 ends the table */
	const char		*path;		/* /api/v1/things/{id} */
	uint64_t		 who;
	const struct shape	*in;		/* NULL: nothing may come */
	enum reply_kind		 reply;
	const struct view	*out;		/* NULL for NONE and TEXT */
	int			 status;	/* of success */
	enum pool		 pool;
	enum tx			 tx;
	enum err (*handler)(struct req *);
	const char		*about;		/* English summary */
};

/*
 * Add a table (ended by a zero row).  Before route_ready.  `tag` groups it
 * in the API description.
 */
void route_register(const char *tag, const struct route *table);

/*
 * Check all rows (paths unique and well-formed, who not empty, handler,
 * path names present in the shape, statuses that fit) and build the
 * matcher.  False after logging each fault.
 */
bool route_ready(void);

/*
 * The row for a method and a decoded path; path parameters as spans into
 * `path`, in the order they stand in it.  ERR_ABSENT or ERR_METHOD.
 */
#define ROUTE_PARAMS 4		/* of one path */
#define ROUTE_PARAM_MAX 64	/* bytes of one value, at least one */
#define ROUTE_MAX 512		/* rows in all */
struct route_match {
	const struct route	*route;
	int			 index;		/* of the route, from 0 */
	int			 n;
	const char		*names[ROUTE_PARAMS];
	const char		*values[ROUTE_PARAMS];
	size_t			 lengths[ROUTE_PARAMS];
};
enum err route_find(enum method, const char *path, struct route_match *ret);

/* Bits (1 << method) of the methods that `path` knows; 0 for none. */
unsigned route_allow(const char *path);

/* Every row, i from 0; NULL past the end.  Its tag through ret_tag. */
const struct route *route_at(int i, const char **ret_tag);
int route_count(void);

/* Its place in that order; -1 when it is not registered. */
int route_index(const struct route *);

const char *method_name(enum method);

/* GET for "GET" and so on; 0 when we do not know it. */
enum method method_find(const char *name);

/* planetctl routes: one line a row. */
void route_print(FILE *);

/* planetctl openapi: OpenAPI 3.1 as JSON text. */
enum err openapi_print(FILE *);

#endif
