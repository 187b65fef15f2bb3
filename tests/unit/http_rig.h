/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_rig.h -- what the tests of http stand on: a folder, keys, a SQLite
 * file, a Redis of the test's own, and a request that can be sent again
 * and again.
 */
#ifndef HTTP_RIG_H
#define HTTP_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/conf.h"

#include "http/req.h"

/* This layer's other tables, for a schema of the test's own. */
#define RIG_AUDIT							\
	"CREATE TABLE helper (community_id BIGINT NOT NULL, id BIGINT,"	\
	" elder_id BIGINT, helper_id BIGINT, rights BIGINT,"		\
	" from_at BIGINT, to_at BIGINT, used_at BIGINT,"		\
	" revoked_at BIGINT);"						\
	"CREATE TABLE audit (community_id BIGINT NOT NULL,"		\
	" seq BIGINT NOT NULL, at BIGINT NOT NULL,"			\
	" user_id BIGINT NOT NULL, actor TEXT NOT NULL, for_id BIGINT,"	\
	" action TEXT NOT NULL, thing TEXT, thing_id BIGINT,"		\
	" subject_id BIGINT, reason TEXT, address TEXT,"		\
	" request_id TEXT, prev TEXT NOT NULL, hash TEXT NOT NULL,"	\
	" PRIMARY KEY (community_id, seq));"				\
	"CREATE TABLE audit_head (community_id BIGINT PRIMARY KEY,"	\
	" seq BIGINT NOT NULL, hash TEXT NOT NULL);"

struct rig {
	char		 folder[64];
	char		 database[256];	/* conf's database, sqlite:... */
	char		 socket[128];	/* conf's redis, unix:... */
	struct conf	 conf;
	struct arena	*arena;
	struct db	*db;
	struct redis	*redis;
	struct buf	 out;
	pid_t		 server;	/* redis-server; 0 for none */
	struct req	 rq;
};

/* Folder, keys, ids, database (empty); Redis when `redis`. */
void rig_start(struct rig *, bool redis);
void rig_stop(struct rig *);

/* End and start Redis, its data lost. */
void rig_redis_stop(struct rig *);
void rig_redis_start(struct rig *);

/* Open the database with all that is registered. */
void rig_open(struct rig *);

/* A fresh request; members may be set before it is dispatched. */
struct req *rig_request(struct rig *, enum method, const char *path);

/* Give it a JSON body. */
void rig_body(struct rig *, const char *body);

/* A session's token, held by the arena of the rig until the next one. */
const char *rig_session(struct rig *, int64_t user, int64_t community,
    uint64_t roles);

/* The reply's body as a string; the head as one. */
const char *rig_reply(struct rig *);
const char *rig_head(struct rig *);

#endif
