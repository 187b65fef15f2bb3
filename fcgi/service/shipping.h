/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shipping.h -- telling WeChat that what was paid is delivered.
 *
 * The platform keeps the money of some mini-programs until it is told so
 * (wechat.md A.12).  It counts by payment, takes one registration and one
 * correction of each, and asks for a time that grows.  So:
 *
 *	water		same-city, from the handover at the door
 *	anything else	virtual, from the payment; when water is in the same
 *			payment it waits for the handover, which then counts
 *
 * Rows are written in the transaction of what they tell; a task tells
 * WeChat, after writing down which time it says.  Whether the register
 * applies to us at all is asked once a day; where it does not, nothing is
 * told.
 */
#ifndef SERVICE_SHIPPING_H
#define SERVICE_SHIPPING_H

#include <stdint.h>

#include "base/err.h"

struct req;

#define SHIPPING_SAME_CITY	2	/* WeChat's numbers */
#define SHIPPING_VIRTUAL	3

/*
 * Order `id` of water was handed over; `what` it was.  OK and nothing when
 * it was not paid online.  In a transaction.
 */
enum err shipping_handover(struct req *, int64_t id, const char *what);

/* What the platform pushed, read by who received it. */
struct shipping_event {
	const char	*event;		/* trade_manage_... */
	const char	*number;	/* merchant_trade_no, or NULL */
	int64_t		 received_at;	/* ms, 0: not said */
	int64_t		 settled_at;	/* likewise; or when it will be */
};

/*
 * Note an event: trade_manage_order_settlement,
 * trade_manage_remind_shipping, and those about the rule itself
 * (trade_manage_remind_access_api, wxa_trade_controlled).  ERR_ABSENT for a
 * payment that is not ours or not registered, ERR_FIELD for another event.
 * In a transaction; the payment's community becomes the caller's.
 */
enum err shipping_event(struct req *, const struct shipping_event *);

void shipping_register(void);

#endif
