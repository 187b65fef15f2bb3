/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_echo.c -- the harmless self-test (doc/v3/merchant/4014551946).
 *
 * It moves no money and needs all that a payment needs: our key and its
 * serial number, the clock, the network, WeChat's key and its signature;
 * and, sealed both ways, that each side holds what it says.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"

#include "wechat/pay_internal.h"

static enum err
wrong(struct pay_refusal *ret_why, const char *code, const char *message)
{
	if (ret_why != NULL)
		*ret_why = (struct pay_refusal){ .code = code,
		    .message = message };
	return ERR_PAY_AWAY;
}

enum err
pay_echo(struct wechat *w, struct arena *a, struct pay_refusal *ret_why)
{
	struct pay_ask		 ask = {
		.what = "echo",
		.path = "/v3/security/echo",
	};
	struct pay_answer	 answer;
	char			 secret[PAY_NONCE_MAX], open[PAY_NONCE_MAX];
	const char		*serial, *hidden, *back;
	int64_t			 now = clock_now();
	EVP_PKEY		*key;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	pay_sign_nonce(secret);
	pay_sign_nonce(open);
	serial = pay_key_wanted(now);
	key = serial != NULL ? pay_key_theirs(serial, now) : NULL;
	if (key == NULL || (hidden = pay_sign_hide(a, key, secret)) == NULL)
		return wrong(ret_why, "key", "no key of WeChat Pay is good");
	ask.body = pay_call_body(a, json_pack("{s:s, s:s}",
	    "echo_message", open, "encrypted_echo_message", hidden));
	if (ask.body == NULL)
		return ERR_INTERNAL;
	if ((e = pay_call(w, a, &ask, &answer, ret_why)) != OK)
		return e;
	back = pay_call_text(answer.json, "echo_message");
	if (back == NULL || strcmp(back, open) != 0)
		return pay_call_misshapen(&ask, ret_why);
	/* It comes back sealed for the certificate that WeChat has of us. */
	back = pay_call_text(answer.json, "encrypted_echo_message");
	back = back != NULL ? pay_sign_show(a, pay_key_own(), back) : NULL;
	if (back == NULL || strcmp(back, secret) != 0)
		return wrong(ret_why, "sealed", "what WeChat Pay sealed for"
		    " us does not open: is the private key of pay_serial?");
	return OK;
}
