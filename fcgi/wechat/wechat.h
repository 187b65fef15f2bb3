/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat.h -- what we ask WeChat's mini-program platform.
 *
 * Calls block for at most the configured time-out, so they are made only
 * in the slow pool and by the job runner, never inside a transaction.
 * Answers are read by content (HTTP status is 200 even for failures) and
 * codes are matched, never texts.
 */
#ifndef WECHAT_WECHAT_H
#define WECHAT_WECHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct conf;
struct redis;
struct wechat;			/* one a thread: a curl handle */

/*
 * Once per process, before threads; reads the secret file.  ERR_INTERNAL,
 * with the reason in the log, when that is missing, malformed or open to
 * others, when there is no appid, or when the base address is neither
 * https nor this machine.
 */
enum err wechat_init(const struct conf *);

/* A handle for one thread; the conf must outlive it.  NULL: no memory. */
struct wechat *wechat_new(const struct conf *);
void wechat_free(struct wechat *);

struct wechat_login {
	const char	*openid;
	const char	*unionid;	/* NULL when not given */
};

/*
 * Exchange a wx.login code (code2Session).  ERR_LOGIN_CODE for 40029 and
 * 40163, ERR_BLOCKED for 40226, ERR_WECHAT_AWAY for -1, 45011, time-outs
 * and what cannot be read.  The session_key is dropped: nothing needs it.
 */
enum err wechat_login(struct wechat *, struct arena *, const char *code,
    struct wechat_login *ret);

/*
 * Exchange a phone button's code for the number (digits only, mainland
 * numbers without 86, others as dialled from there: 00 and the country
 * code before them, so that +1 310... is not taken for 1310...).
 * ERR_LOGIN_CODE when the code is not good, ERR_AWAY without Redis.
 */
enum err wechat_phone(struct wechat *, struct redis *, struct arena *,
    const char *code, const char **ret_phone);

/*
 * The access token, shared through Redis: one process fetches (a lock with
 * a life), the others read; fetched again 5 minutes before its end.  With
 * `stale` not NULL that token was refused: get another.
 */
enum err wechat_token(struct wechat *, struct redis *, struct arena *,
    const char *stale, const char **ret_token);

enum wechat_sent {
	WECHAT_SENT,		/* taken by WeChat */
	WECHAT_REFUSED,		/* 43101: the person has no permission left */
	WECHAT_FAULTY,		/* ours to mend: template, data, page */
	WECHAT_LATER		/* try again: busy, 43108, quota, no answer */
};

/*
 * Send one subscribe message.  `data` is the JSON text of the data object,
 * `page` may be NULL.  The platform's errcode goes to *ret_code (0: none).
 */
enum wechat_sent wechat_notify(struct wechat *, struct redis *,
    struct arena *, const char *openid, const char *template_id,
    const char *page, const char *data, int *ret_code);

/*
 * Whether the platform keeps the money of this app until it is told of the
 * handover (wxa/sec/order/is_trade_managed).
 */
enum err wechat_ship_managed(struct wechat *, struct redis *,
    struct arena *, bool *ret);

enum wechat_shipped {
	WECHAT_SHIPPED,		/* taken, now or before */
	WECHAT_SHIP_LATER,	/* try again: busy, payment not known yet */
	WECHAT_SHIP_FAULTY	/* ours to mend */
};

/* Something paid that was handed over, at the door or on payment. */
struct wechat_shipment {
	const char	*transaction_id; /* or NULL, then the two below */
	const char	*mchid, *number;
	const char	*openid;	/* of the payer */
	const char	*item;		/* what; cut to 120 characters */
	int		 logistics;	/* 2 or 0: same city, 3: virtual */
	int64_t		 at;		/* ms; grows with each correction */
};

/*
 * Register a handover (upload_shipping_info); once more corrects it, and
 * no third time.  The platform's errcode goes to *ret_code (0: none).
 */
enum wechat_shipped wechat_ship(struct wechat *, struct redis *,
    struct arena *, const struct wechat_shipment *, int *ret_code);

#endif
