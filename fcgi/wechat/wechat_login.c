/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_login.c -- who holds a wx.login code (code2Session).
 *
 * A code that is not one is refused here without asking.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/conf.h"

#include "wechat/wechat_internal.h"

#define CODE_MAX	512	/* bytes; today's have 32 */
#define OPENID_MAX	128	/* the documented limit */

static enum err
map(const struct wechat_ask *ask, const struct wechat_answer *answer)
{
	if (answer->errcode == 0)
		return OK;
	wechat_call_refused(ask, answer);
	switch (answer->errcode) {
	case 40029:
	case 40163:
		return ERR_LOGIN_CODE;
	case 40226:
		return ERR_BLOCKED;
	default:
		return ERR_WECHAT_AWAY;
	}
}

static enum err
take(struct arena *a, const struct wechat_ask *ask,
    const struct wechat_answer *answer, struct wechat_login *ret)
{
	const json_t	*unionid = json_object_get(answer->json, "unionid");
	const char	*id;

	id = json_string_value(json_object_get(answer->json, "openid"));
	if (!wechat_call_is_id(id, OPENID_MAX))
		return wechat_call_misshapen(ask, answer);
	if (unionid != NULL &&
	    !wechat_call_is_id(json_string_value(unionid), OPENID_MAX))
		return wechat_call_misshapen(ask, answer);
	ret->openid = arena_str(a, id);
	ret->unionid = arena_str(a, json_string_value(unionid));
	return OK;
}

enum err
wechat_login(struct wechat *w, struct arena *a, const char *code,
    struct wechat_login *ret)
{
	const struct wechat_ask ask = {
		.what = "login",
		.path = "/sns/jscode2session",
		.query = {
			{ "appid", w->conf->wechat_appid },
			{ "secret", wechat_secret() },
			{ "js_code", code },
			{ "grant_type", "authorization_code" },
		},
	};
	struct wechat_answer	 answer;
	enum err		 e;

	if (code[0] == '\0' || strlen(code) > CODE_MAX)
		return ERR_LOGIN_CODE;
	wechat_call_start(w);
	if ((e = wechat_call(w, a, &ask, &answer)) != OK ||
	    (e = map(&ask, &answer)) != OK)
		return e;
	return take(a, &ask, &answer, ret);
}
