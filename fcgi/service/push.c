/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push.c -- what the platform tells us by itself, beside payments.
 *
 * Proved before it is read (wechat_push.h).  The answer is "success" also
 * for what we do not know: anything else makes the platform tell it again,
 * and after some of that it stops telling at all.
 */
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "http/req.h"
#include "service/service.h"
#include "service/shipping.h"
#include "wechat/wechat_push.h"

struct push_check {
	const char	*signature;
	const char	*timestamp;
	const char	*nonce;
	const char	*echostr;
};

static const struct field push_check_fields[] = {
	F_TEXT(push_check, signature, "签名", MUST, 40, 40),
	F_TEXT(push_check, timestamp, "时间戳", MUST, 1, 32),
	F_TEXT(push_check, nonce, "随机串", MUST, 1, 64),
	F_TEXT(push_check, echostr, "回显串", MUST, 1, 128),
	F_END
};
static const struct shape push_check_shape = { .name = "WechatPushCheck",
	.size = sizeof(struct push_check), .fields = push_check_fields,
	.raw = true };

/* A body is told of nowhere: its names are the platform's. */
static const struct field push_sent_fields[] = {
	F_END
};
static const struct shape push_sent_shape = { .name = "WechatPush",
	.size = sizeof(char), .fields = push_sent_fields, .raw = true };

/*
 * The parameter `name`, or NULL.  Named twice it is none; those that we do
 * not know are the platform's business.
 */
static const char *
parameter(struct req *rq, const char *name)
{
	const char	*s = rq->query != NULL ? rq->query : "", *ret = NULL;
	size_t		 len = strlen(name), n;

	for (; *s != '\0'; s += n + (s[n] == '&')) {
		n = strcspn(s, "&");
		if (n <= len || s[len] != '=' || memcmp(s, name, len) != 0)
			continue;
		if (ret != NULL)
			return NULL;
		ret = text_unescape(rq->arena, s + len + 1, n - len - 1);
		if (ret == NULL)
			return NULL;
	}
	return ret;
}

static struct wechat_push_proof
proof_of(struct req *rq)
{
	return (struct wechat_push_proof){
		.signature = parameter(rq, "signature"),
		.msg_signature = parameter(rq, "msg_signature"),
		.timestamp = parameter(rq, "timestamp"),
		.nonce = parameter(rq, "nonce"),
	};
}

static enum err
push_check(struct req *rq)
{
	struct wechat_push_proof	 p = proof_of(rq);
	const char			*echo = parameter(rq, "echostr");
	enum err			 e;

	if (!wechat_push_ready())
		return ERR_ABSENT;
	if ((e = wechat_push_check(rq->arena, &p)) != OK)
		return e;
	if (echo == NULL)
		return req_fail(rq, ERR_MALFORMED, NULL);
	buf_puts(rq->out, echo);
	return OK;
}

static enum err
note(struct req *rq, void *arg)
{
	return shipping_event(rq, arg);
}

static enum err
push_take(struct req *rq)
{
	struct wechat_push_proof	 p = proof_of(rq);
	struct wechat_push		 got;
	struct shipping_event		 ev;
	char				 name[128];
	enum err			 e;

	if (!wechat_push_ready())
		return ERR_ABSENT;
	e = wechat_push_read(rq->arena, &p, rq->body, rq->body_len, &got);
	if (e != OK)
		return e;
	if (got.event != NULL) {
		ev = (struct shipping_event){ got.event, got.number,
			got.received_at, got.settled_at };
		e = req_transact(rq, note, &ev);
		if (e != OK && e != ERR_ABSENT && e != ERR_FIELD)
			return e;
		log_info("event=push what=%s taken=%d",
		    log_quote(got.event, name, sizeof(name)), e == OK);
		if (e != OK)
			req_reset(rq);
	}
	BUF_LIT(rq->out, "success");
	return OK;
}

static const struct route push_routes[] = {
	{ GET, "/api/v1/wechat/push", ANYONE, &push_check_shape,
	    REPLY_TEXT, NULL, 200, POOL_API, TX_READ, push_check,
	    "WeChat checks the address of its pushes; signed by it" },
	{ POST, "/api/v1/wechat/push", ANYONE, &push_sent_shape,
	    REPLY_TEXT, NULL, 200, POOL_API, TX_OWN, push_take,
	    "WeChat tells of an event; signed by it in the query" },
	{ 0 }
};

void
push_register(void)
{
	route_register("wechat", push_routes);
}
