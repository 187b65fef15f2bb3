/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_rig.h -- a stand-in of WeChat and a Redis for one test, both
 * children of it that end with it, what the test asks of them, and the
 * handles that the calls under test take.
 */
#ifndef UNIT_WECHAT_RIG_H
#define UNIT_WECHAT_RIG_H

#include <sys/types.h>

#include <jansson.h>

#include "base/conf.h"

#include "servers.h"

struct arena;
struct redis;
struct wechat;

struct wechat_rig {
	char		 folder[64];	/* sockets and files of the test */
	char		 secret[96];	/* file */
	char		 url[64];	/* of the stand-in */
	char		 keys[96];	/* of WeChat Pay; folder, "" for none */
	struct server	 server;	/* Redis */
	pid_t		 standin_pid;
	long		 log_at;	/* read so far */
	struct conf	 conf;		/* fits all this */
	struct arena	*a;
	struct redis	*redis;
	struct wechat	*w;
};

#define RIG_APPID	"wx00000000000000cc"
#define RIG_SECRET	"cafecafecafecafecafecafecafecafe"
#define RIG_KEY		"wx:token:" RIG_APPID
#define RIG_LOCK	"wx:token-lock:" RIG_APPID

/*
 * Start both, wait until they answer, and open all of the rig; the log
 * goes to a file from then on.  Fails the test when something does not.
 */
void wechat_rig_start(struct wechat_rig *);

/* The same, with the keys of a merchant in rig->keys. */
void wechat_rig_start_pay(struct wechat_rig *);

/* End both and remove the folder. */
void wechat_rig_stop(struct wechat_rig *);

/* A new handle, without a connection, whose calls have `ms`. */
void wechat_rig_fresh(struct wechat_rig *, int64_t ms);

/* What was logged since the last call of this, in the rig's arena. */
const char *wechat_rig_log(struct wechat_rig *);

/*
 * Before each test: no faults, no messages, no token, a new handle, an
 * empty arena, the log read; and the stand-in's clock a day on, so that
 * the limits of a day are free again.
 */
void wechat_rig_clean(struct wechat_rig *);

/*
 * Send `body` (NULL: none) to a path and give the JSON that comes back,
 * which the caller drops.
 */
json_t *wechat_rig_ask(const struct wechat_rig *, const char *method,
    const char *path, const char *body);

/* POST a formatted body to /_standin/`name`, and drop what comes. */
void wechat_rig_set(const struct wechat_rig *, const char *name,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for one that answers {"code":...}, copied to `out`. */
void wechat_rig_code(const struct wechat_rig *, char out[80],
    const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The next call of a kind gets `body` as its answer. */
void wechat_rig_answer(const struct wechat_rig *, const char *kind,
    const char *body);

/* Move the stand-in's clock on. */
void wechat_rig_pass(const struct wechat_rig *, int64_t ms);

/* How many calls of a kind the stand-in has seen. */
int wechat_rig_calls(const struct wechat_rig *, const char *kind);

#endif
