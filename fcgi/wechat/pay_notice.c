/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_notice.c -- what WeChat Pay tells us by itself.
 *
 * Proved over the bytes that came, then opened, then read.  Who comes
 * without a good signature learns nothing but that; the log says why.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/pay_internal.h"

static void
drop(void *json)
{
	json_decref(json);
}

static json_t *
parse(struct arena *a, const char *s, size_t n)
{
	json_t	*json = json_loadb(s, n, JSON_REJECT_DUPLICATES, NULL);

	if (json == NULL)
		return NULL;
	arena_later(a, drop, json);
	return json_is_object(json) ? json : NULL;
}

static enum pay_event
event_of(const char *s)
{
	if (strncmp(s, "TRANSACTION.", 12) == 0)
		return PAY_EVENT_PAID;
	if (strncmp(s, "REFUND.", 7) == 0)
		return PAY_EVENT_REFUND;
	return strcmp(s, "SECURITY_ECHO.SUCCESS") == 0 ? PAY_EVENT_ECHO :
	    PAY_EVENT_OTHER;
}

/* The opened resource; NULL when it does not open. */
static const char *
open_resource(struct arena *a, const json_t *resource, size_t *ret_len)
{
	const char	*algorithm = pay_call_text(resource, "algorithm");
	const char	*sealed = pay_call_text(resource, "ciphertext");
	const char	*nonce = pay_call_text(resource, "nonce");

	if (algorithm == NULL || sealed == NULL || nonce == NULL ||
	    strcmp(algorithm, "AEAD_AES_256_GCM") != 0)
		return NULL;
	return pay_sign_open(a, pay_key_apiv3(), PAY_APIV3_BYTES, nonce,
	    pay_call_text(resource, "associated_data"), sealed, ret_len);
}

/* A refund says whose it is, which its struct has no place for. */
static bool
is_ours(const json_t *json)
{
	const struct conf	*c = pay_key_conf();
	const char		*mchid, *sub;

	if (!pay_key_partner()) {
		mchid = pay_call_text(json, "mchid");
		return mchid != NULL && strcmp(mchid, c->pay_mchid) == 0;
	}
	mchid = pay_call_text(json, "sp_mchid");
	sub = pay_call_text(json, "sub_mchid");
	return mchid != NULL && strcmp(mchid, c->pay_mchid) == 0 &&
	    sub != NULL && strcmp(sub, c->pay_sub_mchid) == 0;
}

static enum err
unreadable(const char *what)
{
	log_warn("pay notice=unreadable what=%s", what);
	return ERR_MALFORMED;
}

static enum err
forged(const char *why)
{
	log_warn("pay notice=refused why=%s", why);
	return ERR_FORBIDDEN;
}

static enum err
read_resource(struct arena *a, const json_t *resource,
    struct pay_notice *n)
{
	const char	*text;
	json_t		*json;
	size_t		 len = 0;

	if ((text = open_resource(a, resource, &len)) == NULL)
		return forged("sealed");
	if ((json = parse(a, text, len)) == NULL)
		return unreadable("resource");
	if (n->event == PAY_EVENT_PAID)
		return pay_order_read(json, &n->trade) ? OK :
		    unreadable("trade");
	if (n->event == PAY_EVENT_REFUND)
		return is_ours(json) && pay_refund_read(json,
		    "refund_status", &n->refund) ? OK : unreadable("refund");
	return OK;
}

enum err
pay_notice_read(struct arena *a, const struct pay_proof *proof,
    const char *body, size_t len, int64_t now, struct pay_notice *ret)
{
	struct pay_notice	 n = { .id = NULL };
	const char		*why, *event;
	json_t			*json;
	enum err		 e = OK;

	if (!pay_ready())
		return ERR_FORBIDDEN;
	if ((why = pay_sign_proved(proof, body, len, now)) != NULL)
		return forged(why);
	if ((json = parse(a, body, len)) == NULL)
		return unreadable("body");
	n.id = pay_call_text(json, "id");
	event = pay_call_text(json, "event_type");
	if (n.id == NULL || strlen(n.id) > 64 || event == NULL)
		return unreadable("envelope");
	n.event = event_of(event);
	if (n.event != PAY_EVENT_OTHER)
		e = read_resource(a, json_object_get(json, "resource"), &n);
	if (e == OK)
		*ret = n;
	return e;
}
