/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_push_read.c -- what the platform pushes, proved and read.
 *
 * With a key only what is sealed is believed: the plain signature does not
 * cover the body.  XML is proved and then left unread, for its text may
 * hold what a person wrote; the console is to say JSON.
 */
#include <string.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/wechat_internal.h"
#include "wechat/wechat_push.h"

#define SECONDS_MAX	253402300799	/* the year 9999 */

static const struct conf	*used;
static char			 key[WECHAT_PUSH_KEY_LEN + 4];

static const char *
load_key(const char *path)
{
	const char	*why;
	size_t		 n;

	if ((why = wechat_private(path, key, sizeof(key), &n)) != NULL)
		return why;
	n = strcspn(key, "\r\n");
	if (n != WECHAT_PUSH_KEY_LEN)
		return "does not hold 43 characters";
	key[n] = '\0';
	return wechat_push_key_sound(key) ? NULL : "is no EncodingAESKey";
}

enum err
wechat_push_init(const struct conf *conf)
{
	const char	*why = NULL;
	char		 name[256];

	used = NULL;
	key[0] = '\0';
	if (conf->push_aes_key_file[0] != '\0') {
		if (conf->push_token[0] == '\0')
			why = "is there, but push_token is empty";
		else
			why = load_key(conf->push_aes_key_file);
	}
	if (why != NULL) {
		log_error("push init=failed of=%s why=\"%s\"",
		    log_quote(conf->push_aes_key_file, name, sizeof(name)),
		    why);
		return ERR_INTERNAL;
	}
	if (conf->push_token[0] != '\0')
		used = conf;
	return OK;
}

bool
wechat_push_ready(void)
{
	return used != NULL;
}

static enum err
forged(const char *what)
{
	log_warn("push %s=refused why=signature", what);
	return ERR_FORBIDDEN;
}

enum err
wechat_push_check(struct arena *a, const struct wechat_push_proof *p)
{
	return wechat_push_proved(a, used->push_token, p->timestamp,
	    p->nonce, NULL, p->signature) ? OK : forged("check");
}

static void
drop(void *json)
{
	json_decref(json);
}

/* The text as an object of the arena, or NULL. */
static json_t *
parse(struct arena *a, const char *text, size_t len)
{
	json_t	*json = json_loadb(text, len, 0, NULL);

	if (json == NULL)
		return NULL;
	arena_later(a, drop, json);
	return json_is_object(json) ? json : NULL;
}

static const char *
text_of(const json_t *json, const char *name)
{
	const char	*s = json_string_value(json_object_get(json, name));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* Seconds, a number or its digits, as ms; 0 when not said. */
static int64_t
time_of(const json_t *json, const char *name)
{
	const json_t	*v = json_object_get(json, name);
	const char	*s = json_string_value(v);
	int64_t		 n = json_integer_value(v);

	for (; s != NULL && *s >= '0' && *s <= '9' && n <= SECONDS_MAX; s++)
		n = n * 10 + (*s - '0');
	if ((s != NULL && *s != '\0') || n < 0 || n > SECONDS_MAX)
		return 0;
	return n * CLOCK_SECOND;
}

static bool
is_xml(const char *s, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", *s) != NULL)
		s++, n--;
	return n > 0 && *s == '<';
}

/* What stands in <Encrypt> of a body of XML, or NULL. */
static const char *
sealed_xml(struct arena *a, const char *body)
{
	static const char	mark[] = "<Encrypt>", data[] = "<![CDATA[";
	const char		*s = strstr(body, mark);

	if (s == NULL)
		return NULL;
	s += strlen(mark);
	if (strncmp(s, data, strlen(data)) == 0)
		s += strlen(data);
	return arena_copy(a, s, strcspn(s, "]<"));
}

static enum err
unread(const char *why)
{
	log_warn("push event=unread why=\"%s\"", why);
	return ERR_MALFORMED;
}

/* What was pushed, proved; `*text` becomes what was sealed. */
static enum err
prove(struct arena *a, const struct wechat_push_proof *p, bool xml,
    const char **text, size_t *len)
{
	const char	*sealed;

	if (key[0] == '\0')
		return wechat_push_proved(a, used->push_token, p->timestamp,
		    p->nonce, NULL, p->signature) ? OK : forged("event");
	sealed = xml ? sealed_xml(a, *text) :
	    text_of(parse(a, *text, *len), "Encrypt");
	if (sealed == NULL || !wechat_push_proved(a, used->push_token,
	    p->timestamp, p->nonce, sealed, p->msg_signature))
		return forged("event");
	*text = wechat_push_open(a, key, used->wechat_appid, sealed, len);
	if (*text == NULL) {
		log_warn("push event=refused why=seal");
		return ERR_FORBIDDEN;
	}
	return OK;
}

enum err
wechat_push_read(struct arena *a, const struct wechat_push_proof *p,
    const char *body, size_t len, struct wechat_push *ret)
{
	const char	*text = body != NULL ? body : "";
	json_t		*json;
	enum err	 e;

	memset(ret, 0, sizeof(*ret));
	e = prove(a, p, is_xml(text, len), &text, &len);
	if (e != OK)
		return e;
	if (is_xml(text, len)) {
		log_warn("push event=unread why=\"XML; choose JSON in the"
		    " console\"");
		return OK;
	}
	if ((json = parse(a, text, len)) == NULL)
		return unread("no JSON");
	ret->event = text_of(json, "Event");
	if (ret->event == NULL && text_of(json, "Encrypt") != NULL)
		return unread("sealed; push_aes_key_file is not set");
	ret->number = text_of(json, "merchant_trade_no");
	ret->received_at = time_of(json, "confirm_receive_time");
	ret->settled_at = time_of(json, "settlement_time");
	if (ret->settled_at == 0)
		ret->settled_at = time_of(json, "estimated_settlement_time");
	return OK;
}
