/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_call.c -- one question to the platform and its answer.
 *
 * What is logged names the call, the kind of failure, the errcode and the
 * platform's request id; never an address, a body or a text that came
 * back, for these hold codes, tokens and people.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/wechat_internal.h"

#define URL_MAX		8192

void
wechat_call_start(struct wechat *w)
{
	w->until = clock_mono_us() + w->conf->wechat_timeout_ms * 1000;
}

int64_t
wechat_call_left(const struct wechat *w)
{
	int64_t	left = (w->until - clock_mono_us()) / 1000;

	return left > 0 ? left : 0;
}

static enum err
away(const struct wechat_ask *ask, const char *kind, long code)
{
	log_warn("wechat call=%s kind=%s code=%ld", ask->what, kind, code);
	return ERR_WECHAT_AWAY;
}

const char *
wechat_call_kind(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return "unreachable";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return "tls";
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		return "oversize";
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
		return "cut";
	default:
		return "transport";
	}
}

/* The address with its query, or NULL. */
static const char *
address(struct wechat *w, struct arena *a, const struct wechat_ask *ask)
{
	const char	*base = w->conf->wechat_url;
	size_t		 n = strlen(base), i;
	struct buf	 url;
	const char	*ret;

	while (n > 0 && base[n - 1] == '/')
		n--;
	buf_init(&url, URL_MAX);
	buf_putn(&url, base, n);
	buf_puts(&url, ask->path);
	for (i = 0; i < WECHAT_QUERY_MAX && ask->query[i].name; i++) {
		char *value = curl_easy_escape(w->curl, ask->query[i].value,
		    (int)strlen(ask->query[i].value));

		if (value == NULL)
			url.over = true;
		else
			buf_fmt(&url, "%c%s=%s", i == 0 ? '?' : '&',
			    ask->query[i].name, value);
		curl_free(value);
	}
	ret = url.over ? NULL : arena_copy(a, url.data, url.len);
	buf_free(&url);
	return ret;
}

/* Set the handle up for one question. */
static bool
aim(struct wechat *w, struct arena *a, const struct wechat_ask *ask,
    long left)
{
	long		 half = (long)(w->conf->wechat_timeout_ms / 2) + 1;
	CURL		*c = w->curl;
	const char	*url;
	bool		 ok;

	if ((url = address(w, a, ask)) == NULL)
		return false;
	ok = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    left < half ? left : half) == CURLE_OK;
	if (ask->body == NULL)
		return ok &&
		    curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL)
		    == CURLE_OK &&
		    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	return ok &&
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, w->headers)
	    == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)strlen(ask->body)) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->body) == CURLE_OK;
}

/* Bring the answer's bytes into w->reply. */
static enum err
transfer(struct wechat *w, struct arena *a, const struct wechat_ask *ask)
{
	int64_t		left = wechat_call_left(w);
	long		status = 0;
	CURLcode	code;

	if (left == 0)
		return away(ask, "timeout", 0);
	if (left > INT_MAX)
		left = INT_MAX;
	buf_clear(&w->reply);
	if (!aim(w, a, ask, (long)left))
		return away(ask, "setup", 0);
	if ((code = curl_easy_perform(w->curl)) != CURLE_OK)
		return away(ask, wechat_call_kind(code), (long)code);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return away(ask, "status", status);
	return OK;
}

static void
drop(void *json)
{
	json_decref(json);
}

/* Copy the request id that ends a text, when it looks like one. */
static void
read_rid(const json_t *json, char out[WECHAT_RID_MAX])
{
	static const char	 mark[] = "rid: ";
	const char		*text, *at, *next;
	size_t			 n;

	memcpy(out, "-", 2);
	text = json_string_value(json_object_get(json, "errmsg"));
	if (text == NULL || (at = strstr(text, mark)) == NULL)
		return;
	while ((next = strstr(at + 1, mark)) != NULL)
		at = next;
	at += sizeof(mark) - 1;
	n = strspn(at, "0123456789abcdef-");
	if (n == 0 || n >= WECHAT_RID_MAX || at[n] != '\0')
		return;
	memcpy(out, at, n + 1);
}

enum err
wechat_call(struct wechat *w, struct arena *a, const struct wechat_ask *ask,
    struct wechat_answer *ret)
{
	const json_t	*code;
	json_t		*json;
	json_int_t	 n = 0;
	enum err	 e;

	if ((e = transfer(w, a, ask)) != OK)
		return e;
	json = json_loadb(w->reply.data ? w->reply.data : "", w->reply.len,
	    JSON_REJECT_DUPLICATES, NULL);
	if (json == NULL)
		return away(ask, "garbage", 0);
	arena_later(a, drop, json);
	if (!json_is_object(json))
		return away(ask, "garbage", 0);
	if ((code = json_object_get(json, "errcode")) != NULL) {
		n = json_integer_value(code);
		if (!json_is_integer(code) || n < INT_MIN || n > INT_MAX)
			return away(ask, "garbage", 0);
	}
	ret->json = json;
	ret->errcode = (int)n;
	read_rid(json, ret->rid);
	return OK;
}

/* How loud a refusal is. */
static enum log_level
level_of(int errcode)
{
	switch (errcode) {
	case 40029:		/* the person's: an old or used code, */
	case 40163:
	case 40226:		/* an account at risk, */
	case 43101:		/* no permission left */
		return LOG_INFO_;
	case 40002:		/* ours: set up wrongly */
	case 40013:
	case 40125:
	case 40164:
	case 40243:
	case 48001:
	case 50002:
		return LOG_ERROR_;
	default:
		return LOG_WARN_;
	}
}

void
wechat_call_refused(const struct wechat_ask *ask,
    const struct wechat_answer *answer)
{
	log_line(level_of(answer->errcode),
	    "wechat call=%s kind=refused errcode=%d rid=%s", ask->what,
	    answer->errcode, answer->rid);
}

enum err
wechat_call_misshapen(const struct wechat_ask *ask,
    const struct wechat_answer *answer)
{
	log_warn("wechat call=%s kind=misshapen errcode=%d rid=%s",
	    ask->what, answer->errcode, answer->rid);
	return ERR_WECHAT_AWAY;
}

const char *
wechat_call_body(struct arena *a, json_t *json)
{
	char		*text;
	const char	*ret;

	if (json == NULL)
		return NULL;
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	ret = arena_str(a, text);
	free(text);
	return ret;
}

bool
wechat_call_is_id(const char *s, size_t max)
{
	static const char id[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t n;

	if (s == NULL)
		return false;
	n = strspn(s, id);
	return n > 0 && n <= max && s[n] == '\0';
}
