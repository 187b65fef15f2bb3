/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payment_notice.c -- what WeChat Pay tells us by itself.
 *
 * Proved before it is read.  204 says that it is booked, or was before;
 * anything else makes WeChat Pay tell it again, which does no harm.
 * pay.weixin.qq.com/doc/v3/merchant/4012791861.
 */
#include "base/fault.h"
#include "base/log.h"
#include "http/req.h"
#include "service/payment.h"
#include "service/payment_internal.h"

struct notice {
	const char	*id;
	const char	*event_type;
};

static const struct field notice_fields[] = {
	F_TEXT(notice, id, "通知编号", MUST, 1, 64),
	F_TEXT(notice, event_type, "通知类型", MUST, 1, 64),
	F_END
};
static const struct shape notice_shape = { .name = "WechatPayNotice",
	.size = sizeof(struct notice), .fields = notice_fields,
	.raw = true };

static enum err
open_notice(struct req *rq, enum pay_event event, struct pay_notice *ret)
{
	static const struct pay_proof	none = { .nonce = NULL };
	enum err			e;

	if (!pay_ready())
		return ERR_ABSENT;
	e = pay_notice_read(rq->arena, rq->proof != NULL ? rq->proof : &none,
	    rq->body, rq->body_len, rq->now, ret);
	if (e == OK && ret->event != event)
		log_warn("notice=%s fault=\"not what this address is for\"",
		    ret->id);
	return e;
}

/* What is only known to be wrong there is not told again by a yes. */
static enum err
notice_paid(struct req *rq)
{
	struct pay_notice	n;
	enum err		e;

	if ((e = open_notice(rq, PAY_EVENT_PAID, &n)) != OK)
		return e;
	if (n.event != PAY_EVENT_PAID)
		return OK;
	if (n.trade.state != PAY_PAID && n.trade.state != PAY_REFUNDING)
		return OK;
	FAULT("notice.before_book");
	e = payment_book(rq, &n.trade, n.id);
	FAULT("notice.after_book");
	return e;
}

static enum err
notice_refund(struct req *rq)
{
	struct pay_notice	n;
	enum err		e;

	if ((e = open_notice(rq, PAY_EVENT_REFUND, &n)) != OK)
		return e;
	if (n.event != PAY_EVENT_REFUND)
		return OK;
	FAULT("notice.before_refund");
	e = payment_refund_note(rq, &n.refund, n.id);
	FAULT("notice.after_refund");
	return e;
}

static const struct route notice_routes[] = {
	{ POST, "/api/v1/wechat/pay/notices", ANYONE, &notice_shape,
	    REPLY_NONE, NULL, 204, POOL_SLOW, TX_OWN, notice_paid,
	    "WeChat Pay tells of a payment; signed by it" },
	{ POST, "/api/v1/wechat/pay/refund-notices", ANYONE, &notice_shape,
	    REPLY_NONE, NULL, 204, POOL_SLOW, TX_OWN, notice_refund,
	    "WeChat Pay tells of a refund; signed by it" },
	{ 0 }
};

void
payment_notice_register(void)
{
	route_register("payments", notice_routes);
}
