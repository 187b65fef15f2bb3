/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_order.c -- order, query, close, and what the client is given.
 *
 * A service provider's members have other names: sp_ is the provider, sub_
 * whose money it is.  The query is the truth about a payment; answers and
 * notices about it have one form and are read here.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/view.h"

#include "wechat/pay_internal.h"

#define DESCRIPTION_MAX	127	/* characters */
#define NUMBER_LEAST	6
#define NOTICE_PATH	"/api/v1/wechat/pay/notices"

static const char *
base_path(void)
{
	return pay_key_partner() ? "/v3/pay/partner/transactions" :
	    "/v3/pay/transactions";
}

/* The provider's own AppID: not ours when the app is the merchant's. */
static const char *
provider_appid(const struct conf *c)
{
	return c->pay_sp_appid[0] != '\0' ? c->pay_sp_appid :
	    c->wechat_appid;
}

static bool
is_number(const char *what, const char *number)
{
	if (pay_call_is_number(number, NUMBER_LEAST, PAY_NUMBER_MAX - 1))
		return true;
	log_error("pay call=%s kind=unsendable why=number", what);
	return false;
}

/* Who sells to whom. */
static int
put_parties(json_t *body, const struct conf *c, const char *openid)
{
	if (!pay_key_partner())
		return json_object_update_new(body,
		    json_pack("{s:s, s:s, s:{s:s}}",
		    "appid", c->wechat_appid, "mchid", c->pay_mchid,
		    "payer", "openid", openid));
	if (c->pay_sub_appid[0] != '\0')
		return json_object_update_new(body,
		    json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}",
		    "sp_appid", provider_appid(c), "sp_mchid", c->pay_mchid,
		    "sub_appid", c->pay_sub_appid,
		    "sub_mchid", c->pay_sub_mchid,
		    "payer", "sub_openid", openid));
	return json_object_update_new(body,
	    json_pack("{s:s, s:s, s:s, s:{s:s}}",
	    "sp_appid", provider_appid(c), "sp_mchid", c->pay_mchid,
	    "sub_mchid", c->pay_sub_mchid, "payer", "sp_openid", openid));
}

static const char *
notify_url(struct arena *a, const struct conf *c)
{
	size_t	n = strlen(c->pay_notify_url);

	while (n > 0 && c->pay_notify_url[n - 1] == '/')
		n--;
	return arena_fmt(a, "%.*s" NOTICE_PATH, (int)n, c->pay_notify_url);
}

static const char *
compose(struct arena *a, const struct pay_order *o)
{
	const struct conf	*c = pay_key_conf();
	char			 until[CLOCK_TEXT_MAX];
	const char		*about;
	json_t			*body;

	about = text_cut(a, pay_call_plain(a, o->description),
	    DESCRIPTION_MAX);
	clock_text(o->expires_at - o->expires_at % CLOCK_SECOND, until);
	body = json_pack("{s:s, s:s, s:s, s:s, s:{s:I, s:s}}",
	    "description", about[0] != '\0' ? about : "社区缴费",
	    "out_trade_no", o->number, "time_expire", until,
	    "notify_url", notify_url(a, c),
	    "amount", "total", (json_int_t)o->total_fen, "currency", "CNY");
	if (body == NULL)
		return NULL;
	if (put_parties(body, c, o->openid) == -1 ||
	    (o->client_ip != NULL && json_object_set_new(body, "scene_info",
	    json_pack("{s:s}", "payer_client_ip", o->client_ip)) == -1)) {
		json_decref(body);
		return NULL;
	}
	return pay_call_body(a, body);
}

enum err
pay_order_create(struct wechat *w, struct arena *a,
    const struct pay_order *o, const char **ret_prepay_id,
    struct pay_refusal *ret_why)
{
	struct pay_ask		 ask = { .what = "order" };
	struct pay_answer	 answer;
	const char		*id;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (!is_number(ask.what, o->number) || o->total_fen < 1 ||
	    (ask.body = compose(a, o)) == NULL)
		return ERR_INTERNAL;
	ask.path = arena_fmt(a, "%s/jsapi", base_path());
	if ((e = pay_call(w, a, &ask, &answer, ret_why)) != OK)
		return e;
	id = pay_call_text(answer.json, "prepay_id");
	if (id == NULL || strlen(id) > 64)
		return pay_call_misshapen(&ask, ret_why);
	*ret_prepay_id = id;
	return OK;
}

enum err
pay_order_params(struct arena *a, const char *prepay_id,
    struct pay_params *ret)
{
	const struct conf	*c = pay_key_conf();
	char			 nonce[PAY_NONCE_MAX];
	struct pay_params	 p = { .sign_type = "RSA" };

	if (c == NULL)
		return ERR_NO_PAY;
	pay_sign_nonce(nonce);
	p.time_stamp = arena_fmt(a, "%lld",
	    (long long)(clock_now() / CLOCK_SECOND));
	p.nonce_str = arena_str(a, nonce);
	p.package = arena_fmt(a, "prepay_id=%s", prepay_id);
	p.pay_sign = pay_sign_client(a, pay_key_own(), c->wechat_appid,
	    p.time_stamp, p.nonce_str, p.package);
	if (p.pay_sign == NULL)
		return ERR_INTERNAL;
	*ret = p;
	return OK;
}

static enum pay_state
state_of(const char *s)
{
	static const struct {
		const char	*name;
		enum pay_state	 state;
	} states[] = {
		{ "SUCCESS", PAY_PAID }, { "REFUND", PAY_REFUNDING },
		{ "NOTPAY", PAY_UNPAID }, { "USERPAYING", PAY_UNPAID },
		{ "PAYERROR", PAY_UNPAID }, { "CLOSED", PAY_CLOSED },
		{ "REVOKED", PAY_CLOSED },
	};
	size_t	i;

	for (i = 0; s != NULL && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(s, states[i].name) == 0)
			return states[i].state;
	return 0;
}

/* Whose it is: the sub-merchant; nobody's when of another provider. */
static void
read_parties(const json_t *json, struct pay_trade *t)
{
	const json_t	*payer = json_object_get(json, "payer");
	const char	*provider;

	if (!pay_key_partner()) {
		t->appid = pay_call_text(json, "appid");
		t->mchid = pay_call_text(json, "mchid");
		t->openid = pay_call_text(payer, "openid");
		return;
	}
	provider = pay_call_text(json, "sp_mchid");
	t->mchid = provider != NULL &&
	    strcmp(provider, pay_key_conf()->pay_mchid) == 0 ?
	    pay_call_text(json, "sub_mchid") : NULL;
	t->appid = pay_call_text(json, "sub_appid");
	t->openid = pay_call_text(payer, "sub_openid");
	if (pay_key_conf()->pay_sub_appid[0] == '\0') {
		t->appid = pay_call_text(json, "sp_appid");
		t->openid = pay_call_text(payer, "sp_openid");
	}
}

bool
pay_order_read(const json_t *json, struct pay_trade *ret)
{
	const json_t		*amount = json_object_get(json, "amount");
	struct pay_trade	 t = { .paid_at = VIEW_NULL_INT };
	bool			 paid;

	read_parties(json, &t);
	t.state = state_of(pay_call_text(json, "trade_state"));
	t.number = pay_call_text(json, "out_trade_no");
	t.transaction_id = pay_call_text(json, "transaction_id");
	t.total_fen = pay_call_fen(amount, "total");
	t.currency = pay_call_text(amount, "currency");
	paid = t.state == PAY_PAID || t.state == PAY_REFUNDING;
	if (t.state == 0 || t.appid == NULL || t.mchid == NULL ||
	    t.number == NULL || (paid && (t.total_fen < 1 ||
	    !pay_call_is_number(t.transaction_id, 1, 32))))
		return false;
	if (t.total_fen < 0)
		t.total_fen = 0;
	if (t.currency == NULL)
		t.currency = "CNY";
	if (paid)
		t.paid_at = pay_call_time(json, "success_time");
	*ret = t;
	return true;
}

enum err
pay_order_query(struct wechat *w, struct arena *a, const char *number,
    struct pay_trade *ret, struct pay_refusal *ret_why)
{
	const struct conf	*c = pay_key_conf();
	struct pay_ask		 ask = { .what = "query" };
	struct pay_answer	 answer;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (!is_number(ask.what, number))
		return ERR_INTERNAL;
	ask.path = pay_key_partner() ?
	    arena_fmt(a, "%s/out-trade-no/%s?sp_mchid=%s&sub_mchid=%s",
	    base_path(), number, c->pay_mchid, c->pay_sub_mchid) :
	    arena_fmt(a, "%s/out-trade-no/%s?mchid=%s", base_path(), number,
	    c->pay_mchid);
	e = pay_call(w, a, &ask, &answer, ret_why);
	if (pay_call_is(e, &answer, "ORDERNOTEXIST")) {
		*ret = (struct pay_trade){ .appid = c->wechat_appid,
		    .mchid = pay_mchid(), .number = arena_str(a, number),
		    .state = PAY_ABSENT, .currency = "CNY",
		    .paid_at = VIEW_NULL_INT };
		return OK;
	}
	if (e != OK)
		return e;
	if (answer.json == NULL || !pay_order_read(answer.json, ret) ||
	    strcmp(ret->number, number) != 0)
		return pay_call_misshapen(&ask, ret_why);
	return OK;
}

enum err
pay_order_close(struct wechat *w, struct arena *a, const char *number,
    struct pay_refusal *ret_why)
{
	const struct conf	*c = pay_key_conf();
	struct pay_ask		 ask = { .what = "close" };
	struct pay_answer	 answer;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	if (!is_number(ask.what, number))
		return ERR_INTERNAL;
	ask.path = arena_fmt(a, "%s/out-trade-no/%s/close", base_path(),
	    number);
	ask.body = pay_call_body(a, pay_key_partner() ?
	    json_pack("{s:s, s:s}", "sp_mchid", c->pay_mchid,
	    "sub_mchid", c->pay_sub_mchid) :
	    json_pack("{s:s}", "mchid", c->pay_mchid));
	if (ask.body == NULL)
		return ERR_INTERNAL;
	e = pay_call(w, a, &ask, &answer, ret_why);
	return pay_call_is(e, &answer, "ORDERNOTEXIST") ? OK : e;
}
