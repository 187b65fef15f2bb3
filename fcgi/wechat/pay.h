/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay.h -- what we ask WeChat Pay (APIv3), and what it tells us.
 *
 * Direct merchant or service provider, as planet.conf says.  Calls block
 * for at most the configured time-out and are made outside transactions,
 * in the slow pool and by the job runner.  Every successful answer is
 * proved by its signature before it is parsed; one that is not is an answer
 * that never came.  Sources: pay.weixin.qq.com/doc/v3/merchant, pages
 * 4012791897 (order), 4012791900 (query), 4012791901 (close), 4012791903
 * (refund), 4012791861 (notices), 4012791907 and 4012791909 (statements),
 * 4012154180 (platform keys), 4014551946 (echo).
 *
 * pay_key.c     our key, the platform's keys, several valid at once
 * pay_key_refresh.c  new certificates
 * pay_sign.c    what is signed, and what is proved
 * pay_call.c    one question and its answer
 * pay_order.c   order, query, close, parameters for the client
 * pay_refund.c  refund and its query
 * pay_notice.c  notices
 * pay_bill.c    statements of a day
 * pay_echo.c    the harmless self-test
 */
#ifndef WECHAT_PAY_H
#define WECHAT_PAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct conf;
struct wechat;

#define PAY_NUMBER_MAX	33	/* out_trade_no, with NUL */
#define PAY_REFUNDS	50	/* of one payment, by WeChat's rule */

/*
 * Once per process, before threads.  OK too when no merchant is
 * configured; then pay_ready is false.  ERR_INTERNAL, with the reason in
 * the log, when a key file is missing, malformed or open to others, no
 * platform key is there, or the address is neither https nor this machine.
 */
enum err pay_init(const struct conf *);

/* Whether a merchant is configured. */
bool pay_ready(void);

/* The merchant number that orders are under (sub_mchid for a provider). */
const char *pay_mchid(void);

/* Why WeChat said no; for the log and for staff, never for residents. */
struct pay_refusal {
	int		 status;	/* of HTTP */
	const char	*code;		/* without underscores: NOTENOUGH */
	const char	*message;
};

/*
 * What every question may return:
 *	OK
 *	ERR_PAY_AWAY	the outcome is not known: ask again with the same
 *			number, never with a fresh one
 *	ERR_PAY_REFUSED	a definite no, *ret_why (which may be NULL) says why
 *	ERR_NO_PAY	no merchant is configured
 * With ERR_PAY_AWAY *ret_why.code is the code that came or a small word:
 * timeout, unreachable, tls, cut, status, garbage, misshapen, and for an
 * answer without proof absent, clock, probe, serial, signature.
 */

/* ---- orders ---- */

struct pay_order {
	const char	*number;	/* ours: 6..32 of [A-Za-z0-9_-] */
	const char	*description;	/* cut to 127 characters, no emoji */
	const char	*openid;	/* of our mini-program */
	int64_t		 total_fen;	/* at least 1 */
	int64_t		 expires_at;	/* ms; 1 minute to 7 days ahead */
	const char	*client_ip;	/* or NULL */
};

/* POST .../jsapi.  The same number and content gives a fresh prepay_id. */
enum err pay_order_create(struct wechat *, struct arena *,
    const struct pay_order *, const char **ret_prepay_id,
    struct pay_refusal *ret_why);

/* What wx.requestPayment takes. */
struct pay_params {
	const char	*time_stamp;	/* seconds as text */
	const char	*nonce_str;
	const char	*package;	/* prepay_id=... */
	const char	*sign_type;	/* RSA */
	const char	*pay_sign;
};
enum err pay_order_params(struct arena *, const char *prepay_id,
    struct pay_params *ret);

enum pay_state { PAY_UNPAID = 1, PAY_PAID, PAY_REFUNDING, PAY_CLOSED,
	PAY_ABSENT };		/* never ordered, or not any more */

struct pay_trade {
	const char	*appid, *mchid;	/* ours, or the sub-merchant's */
	const char	*number;
	const char	*transaction_id; /* NULL until it is paid */
	const char	*openid;	/* likewise */
	enum pay_state	 state;
	int64_t		 total_fen;	/* what was to be paid; 0 unknown */
	const char	*currency;
	int64_t		 paid_at;	/* ms; VIEW_NULL_INT until then */
};

/* Query by our number; an unknown one is OK with PAY_ABSENT. */
enum err pay_order_query(struct wechat *, struct arena *,
    const char *number, struct pay_trade *ret, struct pay_refusal *ret_why);

/* Close; OK when it is closed now or was never ordered. */
enum err pay_order_close(struct wechat *, struct arena *,
    const char *number, struct pay_refusal *ret_why);

/* ---- refunds ---- */

struct pay_refund_order {
	const char	*number;	/* of the payment */
	const char	*refund_number;	/* one for one intention, for ever */
	const char	*reason;	/* shown to the payer; <= 80 bytes */
	int64_t		 refund_fen;
	int64_t		 total_fen;	/* of the payment */
};

enum pay_refund_state { PAY_REFUND_RUNNING = 1, PAY_REFUND_DONE,
	PAY_REFUND_CLOSED,		/* dead: a new number is needed */
	PAY_REFUND_ABNORMAL,		/* the payer's account takes nothing */
	PAY_REFUND_ABSENT };

struct pay_refund {
	const char	*number, *refund_number;
	const char	*refund_id;
	const char	*transaction_id;
	enum pay_refund_state state;
	int64_t		 refund_fen, total_fen;
	int64_t		 done_at;	/* ms or VIEW_NULL_INT */
	const char	*account;	/* where it went, as WeChat words it */
};

enum err pay_refund_create(struct wechat *, struct arena *,
    const struct pay_refund_order *, struct pay_refund *ret,
    struct pay_refusal *ret_why);
enum err pay_refund_query(struct wechat *, struct arena *,
    const char *refund_number, struct pay_refund *ret,
    struct pay_refusal *ret_why);

/* ---- notices ---- */

/* The headers that prove a notice; any may be NULL, and all of it. */
struct pay_proof {
	const char	*timestamp, *nonce, *signature, *serial;
};

enum pay_event { PAY_EVENT_PAID = 1, PAY_EVENT_REFUND, PAY_EVENT_ECHO,
	PAY_EVENT_OTHER };

struct pay_notice {
	const char	*id;		/* of the notice, to know it again */
	enum pay_event	 event;
	struct pay_trade trade;		/* PAY_EVENT_PAID */
	struct pay_refund refund;	/* PAY_EVENT_REFUND */
};

/*
 * Prove and open a notice.  `now` in ms.  ERR_FORBIDDEN (logged with the
 * reason, without the body) when the signature, its age (300 s and more)
 * or the serial is not good, or it does not open; ERR_MALFORMED when it is
 * proved but says nothing we can read.
 */
enum err pay_notice_read(struct arena *, const struct pay_proof *,
    const char *body, size_t len, int64_t now, struct pay_notice *ret);

/* ---- statements ---- */

enum pay_bill { PAY_BILL_TRADE = 1, PAY_BILL_FUND };

/*
 * Bring the statement of a day (20261122) to the file `path` (0600, made
 * anew): asked for as GZIP, unpacked as it comes, its SHA-1 checked over
 * what was unpacked.  ERR_ABSENT: nothing happened that day.  ERR_BUSY: it
 * is not made yet, ask after 10:00.
 */
enum err pay_bill_fetch(struct wechat *, struct arena *, enum pay_bill,
    int64_t day, const char *path, struct pay_refusal *ret_why);

/* ---- keys ---- */

/* Whether the folder has a certificate; a merchant is configured. */
bool pay_key_has_certificate(void);

/*
 * Fetch the platform's certificates and put new ones into the folder of
 * platform keys; ERR_ABSENT when the merchant has a public key only.
 */
enum err pay_key_refresh(struct wechat *, struct arena *,
    struct pay_refusal *ret_why);

/*
 * Ask for an echo, in clear and sealed both ways: moves no money and tries
 * keys, clock and signatures.  Not OK: *ret_why says what is wrong.
 */
enum err pay_echo(struct wechat *, struct arena *,
    struct pay_refusal *ret_why);

#endif
