/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_refund.c -- a refund and its query.
 *
 * One number is one intention: asked again with it, WeChat answers about
 * the same refund, so whatever is not known is asked again unchanged.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/view.h"

#include "wechat/pay_internal.h"

#define REASON_MAX	80	/* bytes */
#define REFUND_NUMBER_MAX 64
#define NOTICE_PATH	"/api/v1/wechat/pay/refund-notices"
#define REFUNDS_PATH	"/v3/refund/domestic/refunds"

/* The reason in at most REASON_MAX bytes, between characters. */
static const char *
cut(struct arena *a, const char *reason)
{
	char	*s = pay_call_plain(a, reason != NULL ? reason : "");
	size_t	 n = strlen(s);

	if (n > REASON_MAX) {
		n = REASON_MAX;
		while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		s[n] = '\0';
	}
	return s;
}

static const char *
compose(struct arena *a, const struct pay_refund_order *o)
{
	const struct conf	*c = pay_key_conf();
	size_t			 n = strlen(c->pay_notify_url);
	const char		*reason = cut(a, o->reason);
	json_t			*body;
	bool			 good;

	while (n > 0 && c->pay_notify_url[n - 1] == '/')
		n--;
	body = json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:s}}",
	    "out_trade_no", o->number, "out_refund_no", o->refund_number,
	    "notify_url", arena_fmt(a, "%.*s" NOTICE_PATH, (int)n,
	    c->pay_notify_url),
	    "amount", "refund", (json_int_t)o->refund_fen,
	    "total", (json_int_t)o->total_fen, "currency", "CNY");
	if (body == NULL)
		return NULL;
	good = reason[0] == '\0' || json_object_set_new(body, "reason",
	    json_string(reason)) == 0;
	if (good && pay_key_partner())
		good = json_object_set_new(body, "sub_mchid",
		    json_string(c->pay_sub_mchid)) == 0;
	if (good)
		return pay_call_body(a, body);
	json_decref(body);
	return NULL;
}

static enum pay_refund_state
state_of(const char *s)
{
	if (s == NULL)
		return 0;
	return strcmp(s, "SUCCESS") == 0 ? PAY_REFUND_DONE :
	    strcmp(s, "PROCESSING") == 0 ? PAY_REFUND_RUNNING :
	    strcmp(s, "CLOSED") == 0 ? PAY_REFUND_CLOSED :
	    strcmp(s, "ABNORMAL") == 0 ? PAY_REFUND_ABNORMAL : 0;
}

bool
pay_refund_read(const json_t *json, const char *state,
    struct pay_refund *ret)
{
	const json_t		*amount = json_object_get(json, "amount");
	struct pay_refund	 r = { .done_at = VIEW_NULL_INT };

	r.state = state_of(pay_call_text(json, state));
	r.number = pay_call_text(json, "out_trade_no");
	r.refund_number = pay_call_text(json, "out_refund_no");
	r.refund_id = pay_call_text(json, "refund_id");
	r.transaction_id = pay_call_text(json, "transaction_id");
	r.refund_fen = pay_call_fen(amount, "refund");
	r.total_fen = pay_call_fen(amount, "total");
	r.account = pay_call_text(json, "user_received_account");
	if (r.account == NULL)
		r.account = "";
	if (r.state == PAY_REFUND_DONE)
		r.done_at = pay_call_time(json, "success_time");
	if (r.state == 0 || r.number == NULL || r.refund_number == NULL ||
	    r.refund_id == NULL || r.transaction_id == NULL ||
	    r.refund_fen < 1 || r.total_fen < r.refund_fen)
		return false;
	*ret = r;
	return true;
}

enum err
pay_refund_create(struct wechat *w, struct arena *a,
    const struct pay_refund_order *o, struct pay_refund *ret,
    struct pay_refusal *ret_why)
{
	struct pay_ask		 ask = {
		.what = "refund",
		.path = REFUNDS_PATH,
	};
	struct pay_answer	 answer;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (!pay_call_is_number(o->refund_number, 1, REFUND_NUMBER_MAX) ||
	    !pay_call_is_number(o->number, 6, PAY_NUMBER_MAX - 1) ||
	    o->refund_fen < 1 || o->refund_fen > o->total_fen ||
	    (ask.body = compose(a, o)) == NULL) {
		log_error("pay call=refund kind=unsendable");
		return ERR_INTERNAL;
	}
	if ((e = pay_call(w, a, &ask, &answer, ret_why)) != OK)
		return e;
	if (answer.json == NULL ||
	    !pay_refund_read(answer.json, "status", ret) ||
	    strcmp(ret->refund_number, o->refund_number) != 0 ||
	    strcmp(ret->number, o->number) != 0)
		return pay_call_misshapen(&ask, ret_why);
	return OK;
}

enum err
pay_refund_query(struct wechat *w, struct arena *a,
    const char *refund_number, struct pay_refund *ret,
    struct pay_refusal *ret_why)
{
	struct pay_ask		 ask = { .what = "refund-query" };
	struct pay_answer	 answer;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (!pay_call_is_number(refund_number, 1, REFUND_NUMBER_MAX)) {
		log_error("pay call=refund-query kind=unsendable");
		return ERR_INTERNAL;
	}
	ask.path = pay_key_partner() ?
	    arena_fmt(a, REFUNDS_PATH "/%s?sub_mchid=%s", refund_number,
	    pay_key_conf()->pay_sub_mchid) :
	    arena_fmt(a, REFUNDS_PATH "/%s", refund_number);
	e = pay_call(w, a, &ask, &answer, ret_why);
	if (pay_call_is(e, &answer, "RESOURCENOTEXISTS")) {
		*ret = (struct pay_refund){ .state = PAY_REFUND_ABSENT,
		    .refund_number = arena_str(a, refund_number),
		    .done_at = VIEW_NULL_INT, .account = "" };
		return OK;
	}
	if (e != OK)
		return e;
	if (answer.json == NULL ||
	    !pay_refund_read(answer.json, "status", ret) ||
	    strcmp(ret->refund_number, refund_number) != 0)
		return pay_call_misshapen(&ask, ret_why);
	return OK;
}
