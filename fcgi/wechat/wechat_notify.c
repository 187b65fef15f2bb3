/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_notify.c -- one subscribe message to one person.
 *
 * Two at once to one person are refused by the platform (43108): whoever
 * sends puts them in a row.
 */
#include <string.h>

#include <jansson.h>

#include "base/conf.h"
#include "base/log.h"

#include "wechat/wechat_internal.h"

static enum wechat_sent
map(int errcode)
{
	switch (errcode) {
	case 0:
		return WECHAT_SENT;
	case 43101:
		return WECHAT_REFUSED;
	case 40003:		/* not a person of this app */
	case 40037:		/* template */
	case 40097:		/* state or language */
	case 41030:		/* page */
	case 43107:		/* capability banned */
	case 44002:
	case 45168:		/* sensitive word */
	case 47001:
	case 47003:		/* data */
	case 48001:		/* API not granted */
		return WECHAT_FAULTY;
	default:
		return WECHAT_LATER;
	}
}

/* The request's body, or NULL when something in it cannot be sent. */
static const char *
compose(const struct wechat *w, struct arena *a, const char *openid,
    const char *template_id, const char *page, const char *data)
{
	json_t	*object, *body;

	object = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	/* The two that have a default are called required as well. */
	body = json_pack("{s:s, s:s, s:O, s:s, s:s}", "touser", openid,
	    "template_id", template_id, "data", object,
	    "miniprogram_state", w->conf->wechat_state, "lang", "zh_CN");
	json_decref(object);
	if (body != NULL && page != NULL && page[0] != '\0' &&
	    json_object_set_new(body, "page", json_string(page)) == -1) {
		json_decref(body);
		return NULL;
	}
	return wechat_call_body(a, body);
}

enum wechat_sent
wechat_notify(struct wechat *w, struct redis *redis, struct arena *a,
    const char *openid, const char *template_id, const char *page,
    const char *data, int *ret_code)
{
	struct wechat_ask	 ask = {
		.what = "notify",
		.path = "/cgi-bin/message/subscribe/send",
	};
	struct wechat_answer	 answer;

	*ret_code = 0;
	ask.body = compose(w, a, openid, template_id, page, data);
	if (ask.body == NULL) {
		log_error("wechat call=notify kind=unsendable");
		return WECHAT_FAULTY;
	}
	wechat_call_start(w);
	if (wechat_token_call(w, redis, a, &ask, &answer) != OK)
		return WECHAT_LATER;
	*ret_code = answer.errcode;
	if (answer.errcode != 0)
		wechat_call_refused(&ask, &answer);
	return map(answer.errcode);
}
