/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_rig.c -- what the tests of http stand on.
 */
#include "config.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "store/redis.h"

#include "http_rig.h"

#include "http/reply.h"

static const struct conf defaults = {
	.drain_ms = 2000, .request_ms = 5000, .body_max = 65536,
	.upload_max = 1 << 20,
	.db_timeout_ms = 2000, .redis_timeout_ms = 1000,
	.session_days = 30, .staff_minutes = 60, .session_cache = 64,
	.session_cache_ms = 1000, .log_level = "error", .generation = "t",
	.run_dir = "", .dir = "", .listen = "", .clock_file = "",
	.wechat_url = "http://127.0.0.1:9", .wechat_appid = "wx",
	.wechat_secret_file = "", .wechat_timeout_ms = 1000,
	.wechat_state = "formal"
};

void
rig_redis_start(struct rig *r)
{
	struct timespec t = { 0, 10000000 };
	int i;

	if ((r->server = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("redis-server", "redis-server", "--port", "0",
		    "--unixsocket", r->socket + 5, "--save", "",
		    "--appendonly", "no", "--dir", r->folder, "--loglevel",
		    "warning", "--logfile", "redis.log", (char *)NULL);
		_exit(127);
	}
	assert_true(r->server > 0);
	for (i = 0; i < 1000; i++) {
		if (redis_ping(r->redis) == OK)
			return;
		nanosleep(&t, NULL);
	}
	fail_msg("no redis-server");
}

void
rig_redis_stop(struct rig *r)
{
	if (r->server <= 0)
		return;
	kill(r->server, SIGKILL);
	waitpid(r->server, NULL, 0);
	r->server = 0;
}

void
rig_start(struct rig *r, bool redis)
{
	memset(r, 0, sizeof(*r));
	log_open("test", LOG_ERROR_ + 1);
	snprintf(r->folder, sizeof(r->folder), "%s", unit_folder());
	snprintf(r->database, sizeof(r->database), "sqlite:%s/test.db",
	    r->folder);
	snprintf(r->socket, sizeof(r->socket), "unix:%s/redis", r->folder);
	r->conf = defaults;
	r->conf.db = r->database;
	r->conf.redis = r->socket;
	assert_true(crypt_init());
	assert_true(crypt_new_keys(unit_path(r->folder, "keys")));
	assert_true(crypt_load_keys(unit_path(r->folder, "keys")));
	assert_true(id_init(r->folder, 0, 4));
	r->arena = arena_new(1 << 20);
	buf_init(&r->out, 1 << 20);
	r->redis = redis_new(r->socket, 0, 1000);
	if (redis)
		rig_redis_start(r);
}

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
rig_stop(struct rig *r)
{
	db_close(r->db);
	rig_redis_stop(r);
	redis_free(r->redis);
	arena_free(r->arena);
	buf_free(&r->out);
	nftw(r->folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

void
rig_open(struct rig *r)
{
	assert_int_equal(db_open(r->database, 2000, true, &r->db), OK);
}

struct req *
rig_request(struct rig *r, enum method m, const char *path)
{
	struct req *rq = &r->rq;

	arena_reset(r->arena);
	buf_clear(&r->out);
	r->out.over = false;
	memset(rq, 0, sizeof(*rq));
	rq->arena = r->arena;
	rq->db = r->db;
	rq->redis = r->redis;
	rq->conf = &r->conf;
	rq->out = &r->out;
	rq->method = m;
	rq->path = path;
	rq->query = "";
	rq->address = "203.0.113.7";
	rq->request_id = "0123456789abcdef";
	rq->body = "";
	return rq;
}

void
rig_body(struct rig *r, const char *body)
{
	r->rq.body = body;
	r->rq.body_len = strlen(body);
	r->rq.content_type = "application/json";
}

const char *
rig_session(struct rig *r, int64_t user, int64_t community, uint64_t roles)
{
	static char tokens[8][CRYPT_TOKEN_MAX];
	static int turn;
	struct session s = { .user_id = user, .community_id = community,
		.roles = roles, .life_ms = CLOCK_HOUR };
	char *token = tokens[turn++ % 8];

	assert_int_equal(session_open(r->redis, &s, token), OK);
	return token;
}

const char *
rig_reply(struct rig *r)
{
	return buf_text(&r->out);
}

const char *
rig_head(struct rig *r)
{
	static struct buf head;

	if (head.max == 0)
		buf_init(&head, 8192);
	buf_clear(&head);
	reply_head(&r->rq, &head);
	return buf_text(&head);
}
