/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_internal.h -- what the files of this folder share: one question,
 * one answer, one deadline for all the questions that a call needs.
 */
#ifndef WECHAT_WECHAT_INTERNAL_H
#define WECHAT_WECHAT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

#include "wechat/wechat.h"

struct arena;
struct conf;
struct pay_line;
struct redis;

#define WECHAT_QUERY_MAX	5
#define WECHAT_RID_MAX		33

struct wechat {
	const struct conf	*conf;		/* outlives us */
	CURL			*curl;		/* keeps its connection */
	struct curl_slist	*headers;	/* of a POST */
	struct buf		 reply;		/* body as it arrives */
	int64_t			 until;		/* clock_mono_us: give up */
	struct pay_line		*pay;		/* to WeChat Pay, or NULL */
};

/* One parameter of a query. */
struct wechat_pair {
	const char	*name;			/* NULL ends the list */
	const char	*value;
};

struct wechat_ask {
	const char		*what;		/* names it in the log */
	const char		*path;		/* after the base address */
	struct wechat_pair	 query[WECHAT_QUERY_MAX];
	const char		*body;		/* JSON text; NULL for GET */
};

struct wechat_answer {
	json_t	*json;				/* an object, the arena's */
	int	 errcode;			/* 0 for success */
	char	 rid[WECHAT_RID_MAX];		/* request id or "-" */
};

/* What wechat_init read; never logged. */
const char *wechat_secret(void);

/*
 * A file that its owner alone may read into `out`, with a NUL after it.
 * NULL, or what is wrong with it.
 */
const char *wechat_private(const char *path, char *out, size_t size,
    size_t *ret_n);

/* What is wrong with a base address, or NULL. */
const char *wechat_address(const char *url);

/* Start libcurl, once. */
bool wechat_library(void);

/* What every handle is set to. */
bool wechat_prepare(CURL *);

/* How a transfer failed, in a word for the log. */
const char *wechat_call_kind(CURLcode);

/* A call begins: all its questions together have the time-out. */
void wechat_call_start(struct wechat *);

/* Milliseconds left of it, 0 when there are none. */
int64_t wechat_call_left(const struct wechat *);

/*
 * Ask and read the answer.  OK when a JSON object with a readable errcode
 * came; all else is logged here and ERR_WECHAT_AWAY.
 */
enum err wechat_call(struct wechat *, struct arena *,
    const struct wechat_ask *, struct wechat_answer *ret);

/* Log a refusal, louder when it is ours to mend. */
void wechat_call_refused(const struct wechat_ask *,
    const struct wechat_answer *);

/* Log an answer that lacks what it must have; gives ERR_WECHAT_AWAY. */
enum err wechat_call_misshapen(const struct wechat_ask *,
    const struct wechat_answer *);

/*
 * The compact text of `json` in raw UTF-8, which is then dropped.  NULL
 * when `json` is: a string in it was not UTF-8.
 */
const char *wechat_call_body(struct arena *, json_t *json);

/* Whether `s` has 1..max bytes of [A-Za-z0-9_-]. */
bool wechat_call_is_id(const char *s, size_t max);

/* Get the token and ask with it; a refused token is replaced once. */
enum err wechat_token_call(struct wechat *, struct redis *, struct arena *,
    struct wechat_ask *, struct wechat_answer *ret);

#endif
