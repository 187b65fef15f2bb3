/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_ship.c -- tell the platform that something paid was handed over.
 *
 * Without it the platform keeps the money of apps that it manages so
 * (wxa/sec/order/upload_shipping_info).  What is handed over at the door
 * is same-city delivery, all of it at once.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"

#include "wechat/wechat_internal.h"

#define ITEM_MAX	120	/* characters */

enum { BY_NUMBER = 1, BY_TRANSACTION };
enum { SAME_CITY = 2, UNIFIED = 1 };

enum err
wechat_ship_managed(struct wechat *w, struct redis *redis, struct arena *a,
    bool *ret)
{
	struct wechat_ask	 ask = {
		.what = "ship-managed",
		.path = "/wxa/sec/order/is_trade_managed",
	};
	struct wechat_answer	 answer;
	const json_t		*managed;
	enum err		 e;

	ask.body = wechat_call_body(a, json_pack("{s:s}", "appid",
	    w->conf->wechat_appid));
	if (ask.body == NULL)
		return ERR_INTERNAL;
	wechat_call_start(w);
	if ((e = wechat_token_call(w, redis, a, &ask, &answer)) != OK)
		return e;
	if (answer.errcode != 0) {
		wechat_call_refused(&ask, &answer);
		return ERR_WECHAT_AWAY;
	}
	managed = json_object_get(answer.json, "is_trade_managed");
	if (!json_is_boolean(managed))
		return wechat_call_misshapen(&ask, &answer);
	*ret = json_is_true(managed);
	return OK;
}

/* RFC 3339 with its milliseconds, also when there are none. */
static const char *
stamp(struct arena *a, int64_t ms)
{
	char	text[CLOCK_TEXT_MAX];

	clock_text(ms - ms % CLOCK_SECOND, text);
	return arena_fmt(a, "%.19s.%03lld+08:00", text,
	    (long long)(ms % CLOCK_SECOND));
}

static const char *
compose(struct arena *a, const struct wechat_shipment *s)
{
	json_t	*key;

	if (s->transaction_id != NULL)
		key = json_pack("{s:i, s:s}", "order_number_type",
		    BY_TRANSACTION, "transaction_id", s->transaction_id);
	else
		key = json_pack("{s:i, s:s, s:s}", "order_number_type",
		    BY_NUMBER, "mchid", s->mchid, "out_trade_no", s->number);
	return wechat_call_body(a, json_pack(
	    "{s:o, s:i, s:i, s:[{s:s}], s:s, s:{s:s}}", "order_key", key,
	    "logistics_type", s->logistics != 0 ? s->logistics : SAME_CITY,
	    "delivery_mode", UNIFIED,
	    "shipping_list", "item_desc", text_cut(a, s->item, ITEM_MAX),
	    "upload_time", stamp(a, s->at), "payer", "openid", s->openid));
}

static enum wechat_shipped
map(int errcode)
{
	switch (errcode) {
	case 0:
	case 10060002:		/* already shipped */
	case 10060023:		/* nothing changed */
		return WECHAT_SHIPPED;
	case -1:
	case 45009:		/* quota of the day */
	case 45011:		/* too often */
	case 10060001:		/* the payment is not known there yet */
	case 10060012:		/* busy */
	case 10060019:
		return WECHAT_SHIP_LATER;
	default:
		return WECHAT_SHIP_FAULTY;
	}
}

enum wechat_shipped
wechat_ship(struct wechat *w, struct redis *redis, struct arena *a,
    const struct wechat_shipment *s, int *ret_code)
{
	struct wechat_ask	 ask = {
		.what = "ship",
		.path = "/wxa/sec/order/upload_shipping_info",
	};
	struct wechat_answer	 answer;

	*ret_code = 0;
	if ((ask.body = compose(a, s)) == NULL) {
		log_error("wechat call=ship kind=unsendable");
		return WECHAT_SHIP_FAULTY;
	}
	wechat_call_start(w);
	if (wechat_token_call(w, redis, a, &ask, &answer) != OK)
		return WECHAT_SHIP_LATER;
	*ret_code = answer.errcode;
	if (answer.errcode != 0)
		wechat_call_refused(&ask, &answer);
	return map(answer.errcode);
}
