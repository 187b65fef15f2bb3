/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_token.c -- the access token, one for all processes.
 *
 *   wx:token:APPID       the token, with a life that ends 5 minutes
 *                        before its own
 *   wx:token-lock:APPID  who fetches now, with a life of 10 s
 *
 * Only the holder of the lock fetches; the others look again until it is
 * there or their time is over.  The stable kind is asked for, whose
 * renewal does not void what others still use, so two fetchers (a lock
 * that ended too soon) do no harm; only a token that the platform both
 * refuses and hands out again is renewed by force.
 */
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/redis.h"

#include "wechat/wechat_internal.h"

#define TOKEN_MAX	1024
#define LIFE_MAX	7200	/* seconds; the documented ceiling */
#define MARGIN		300	/* seconds; the platform renews then */
#define SHORT_LIFE	10	/* seconds; of one that ends soon */
#define LOCK_MS		10000
#define LOOK_AGAIN_MS	20

/* One search for the token. */
struct search {
	struct wechat	*w;
	struct redis	*redis;
	struct arena	*a;
	const char	*stale;		/* refused; NULL for none */
	const char	*key;
	const char	*lock;
};

static bool
is_token(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] > '~')
			return false;
	return n > 0 && n <= TOKEN_MAX;
}

/* The shared token; ERR_ABSENT when there is none that may be used. */
static enum err
look(const struct search *s, const char **ret)
{
	char		*token;
	enum err	 e;

	if ((e = redis_get(s->redis, s->a, s->key, &token)) != OK)
		return e;
	if (is_token(token) &&
	    (s->stale == NULL || strcmp(token, s->stale) != 0)) {
		*ret = token;
		return OK;
	}
	/* Somebody may have put a good one there since: not that one. */
	e = redis_del_if(s->redis, s->key, token);
	return e == OK ? ERR_ABSENT : e;
}

/* Ask the platform; the life in seconds through *ret_life. */
static enum err
fetch(const struct search *s, bool force, const char **ret,
    json_int_t *ret_life)
{
	struct wechat_ask	 ask = {
		.what = force ? "token-force" : "token",
		.path = "/cgi-bin/stable_token",
	};
	struct wechat_answer	 answer;
	const json_t		*life;
	const char		*token;
	enum err		 e;

	ask.body = wechat_call_body(s->a, json_pack("{s:s, s:s, s:s, s:b}",
	    "grant_type", "client_credential",
	    "appid", s->w->conf->wechat_appid,
	    "secret", wechat_secret(), "force_refresh", (int)force));
	if (ask.body == NULL)
		return ERR_INTERNAL;
	if ((e = wechat_call(s->w, s->a, &ask, &answer)) != OK)
		return e;
	if (answer.errcode != 0) {
		wechat_call_refused(&ask, &answer);
		return ERR_WECHAT_AWAY;
	}
	token = json_string_value(json_object_get(answer.json,
	    "access_token"));
	life = json_object_get(answer.json, "expires_in");
	if (token == NULL || !is_token(token) || !json_is_integer(life) ||
	    json_integer_value(life) < 1)
		return wechat_call_misshapen(&ask, &answer);
	*ret = arena_str(s->a, token);
	*ret_life = json_integer_value(life);
	return OK;
}

/* Fetch and share; the lock is ours. */
static enum err
renew(const struct search *s, const char **ret)
{
	json_int_t	life;
	enum err	e;

	/* Whoever held the lock before us may just have done it. */
	if ((e = look(s, ret)) != ERR_ABSENT)
		return e;
	if ((e = fetch(s, false, ret, &life)) != OK)
		return e;
	if (s->stale != NULL && strcmp(*ret, s->stale) == 0 &&
	    (e = fetch(s, true, ret, &life)) != OK)
		return e;
	if (life > LIFE_MAX)
		life = LIFE_MAX;
	if (life > MARGIN + SHORT_LIFE)
		life -= MARGIN;
	else if (life > SHORT_LIFE)
		life = SHORT_LIFE;
	return redis_set(s->redis, s->key, *ret, life * 1000, false);
}

static enum err
search(const struct search *s, const char **ret)
{
	const struct timespec	 again = {
		.tv_nsec = LOOK_AGAIN_MS * 1000000L };
	char			 owner[CRYPT_TOKEN_MAX];
	enum err		 e;

	crypt_token(owner);
	while ((e = look(s, ret)) == ERR_ABSENT) {
		e = redis_set(s->redis, s->lock, owner, LOCK_MS, true);
		if (e == OK) {
			e = renew(s, ret);
			/* Failing that, the lock ends by itself. */
			(void)redis_del_if(s->redis, s->lock, owner);
			return e;
		}
		if (e != ERR_CONFLICT)
			return e;
		if (wechat_call_left(s->w) == 0) {
			log_warn("wechat call=token kind=timeout code=0");
			return ERR_WECHAT_AWAY;
		}
		nanosleep(&again, NULL);
	}
	return e;
}

static enum err
find(struct wechat *w, struct redis *redis, struct arena *a,
    const char *stale, const char **ret)
{
	const char		*appid = w->conf->wechat_appid;
	const char		*token = NULL;
	const struct search	 s = {
		.w = w, .redis = redis, .a = a, .stale = stale,
		.key = arena_fmt(a, "wx:token:%s", appid),
		.lock = arena_fmt(a, "wx:token-lock:%s", appid),
	};
	enum err		 e;

	if ((e = search(&s, &token)) == OK)
		*ret = token;
	return e;
}

enum err
wechat_token(struct wechat *w, struct redis *redis, struct arena *a,
    const char *stale, const char **ret_token)
{
	wechat_call_start(w);
	return find(w, redis, a, stale, ret_token);
}

/* Whether the platform did not like the token. */
static bool
is_refusal(int errcode)
{
	return errcode == 40001 || errcode == 40014 || errcode == 42001;
}

enum err
wechat_token_call(struct wechat *w, struct redis *redis, struct arena *a,
    struct wechat_ask *ask, struct wechat_answer *ret)
{
	const char	*token;
	enum err	 e;

	if ((e = find(w, redis, a, NULL, &token)) != OK)
		return e;
	ask->query[0] = (struct wechat_pair){ "access_token", token };
	if ((e = wechat_call(w, a, ask, ret)) != OK ||
	    !is_refusal(ret->errcode))
		return e;
	wechat_call_refused(ask, ret);
	if ((e = find(w, redis, a, token, &token)) != OK)
		return e;
	ask->query[0].value = token;
	return wechat_call(w, a, ask, ret);
}
