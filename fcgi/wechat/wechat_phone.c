/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_phone.c -- the number behind a phone button's code.
 *
 * It is built from country code and bare number: the form in which the
 * platform joins the two is not stated.  A number from abroad keeps the
 * 00 of a call from China in front, for +1 310 555 1234 without it would
 * read as somebody's mainland number.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"

#include "wechat/wechat_internal.h"

#define CODE_MAX	512	/* bytes; today's have 64 */
#define E164_MAX	15	/* digits of country code and number */

/* Whether `s` is digits, `least` to `most` of them, none of them first. */
static bool
is_digits(const char *s, size_t least, size_t most)
{
	size_t n;

	if (s == NULL)
		return false;
	n = strspn(s, "0123456789");
	return n >= least && n <= most && s[n] == '\0';
}

/* The number in our form, or NULL when it cannot be one. */
static const char *
join(struct arena *a, const char *country, const char *number)
{
	if (!is_digits(country, 1, 4) || country[0] == '0')
		return NULL;
	if (strcmp(country, "86") == 0)
		return is_digits(number, 11, 11) && number[0] == '1' &&
		    number[1] >= '3' ? arena_str(a, number) : NULL;
	if (!is_digits(number, 4, E164_MAX - strlen(country)))
		return NULL;
	return arena_fmt(a, "00%s%s", country, number);
}

static enum err
take(struct arena *a, const struct wechat_ask *ask,
    const struct wechat_answer *answer, const char **ret)
{
	const json_t	*info = json_object_get(answer->json, "phone_info");
	const char	*phone;

	phone = join(a,
	    json_string_value(json_object_get(info, "countryCode")),
	    json_string_value(json_object_get(info, "purePhoneNumber")));
	if (phone == NULL)
		return wechat_call_misshapen(ask, answer);
	*ret = phone;
	return OK;
}

enum err
wechat_phone(struct wechat *w, struct redis *redis, struct arena *a,
    const char *code, const char **ret_phone)
{
	struct wechat_ask	 ask = {
		.what = "phone",
		.path = "/wxa/business/getuserphonenumber",
	};
	struct wechat_answer	 answer;
	enum err		 e;

	if (code[0] == '\0' || strlen(code) > CODE_MAX)
		return ERR_LOGIN_CODE;
	ask.body = wechat_call_body(a, json_pack("{s:s}", "code", code));
	if (ask.body == NULL)
		return ERR_LOGIN_CODE;
	wechat_call_start(w);
	e = wechat_token_call(w, redis, a, &ask, &answer);
	if (e != OK)
		return e;
	if (answer.errcode == 0)
		return take(a, &ask, &answer, ret_phone);
	wechat_call_refused(&ask, &answer);
	return answer.errcode == 40029 || answer.errcode == 40163 ?
	    ERR_LOGIN_CODE : ERR_WECHAT_AWAY;
}
