/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_call.c -- one question to WeChat Pay and its answer.
 *
 * A 2xx is proved over its raw bytes before it is parsed; one that is not
 * is an answer that never came.  Refusals bear no signature, and the code
 * in them decides.  What is logged names the call, the kind of failure,
 * the code and the request's id there; never a body, a key or a person.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/text.h"
#include "base/view.h"

#include "wechat/pay_internal.h"
#include "wechat/wechat_internal.h"

#define REPLY_MAX	(1 << 20)
#define VALUE_MAX	1024	/* of a header */
#define CODE_MAX	64

/* A header of the answer that we want. */
struct value {
	char	 text[VALUE_MAX];
	bool	 there, seen;
};

/* What a thread's handle keeps for WeChat Pay. */
struct pay_line {
	CURL		*curl;
	struct buf	 reply;
	struct value	 stamp, nonce, sign, serial, request;
	/* A file goes piece by piece to this instead. */
	bool		(*take)(void *, const char *, size_t);
	void		*arg;
	bool		 untaken;
};

static size_t
collect(char *data, size_t size, size_t n, void *arg)
{
	struct pay_line	*line = arg;
	long		 status = 0;

	if (line->take != NULL) {
		curl_easy_getinfo(line->curl, CURLINFO_RESPONSE_CODE,
		    &status);
		if (status == 200 && !line->take(line->arg, data, size * n)) {
			line->untaken = true;
			return 0;
		}
		return size * n;
	}
	buf_putn(&line->reply, data, size * n);
	return line->reply.over ? 0 : size * n;
}

/* Take the value when the `n` bytes at `s` are the header `name`. */
static void
take_value(struct value *v, const char *name, const char *s, size_t n)
{
	size_t	len = strlen(name);

	if (n <= len || s[len] != ':' || strncasecmp(s, name, len) != 0)
		return;
	s += len + 1;
	n -= len + 1;
	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL)
		n--;
	/* A second one, or one too long, proves nothing. */
	v->there = !v->seen && n > 0 && n < sizeof(v->text) &&
	    memchr(s, '\0', n) == NULL;
	v->seen = true;
	if (v->there) {
		memcpy(v->text, s, n);
		v->text[n] = '\0';
	}
}

static void
forget(struct pay_line *line)
{
	struct value *const	all[] = { &line->stamp, &line->nonce,
		&line->sign, &line->serial, &line->request };
	size_t			i;

	buf_clear(&line->reply);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		all[i]->there = all[i]->seen = false;
}

static size_t
collect_head(char *s, size_t size, size_t n, void *arg)
{
	struct pay_line	*line = arg;

	n *= size;
	if (n > 5 && strncmp(s, "HTTP/", 5) == 0)
		forget(line);
	take_value(&line->stamp, "Wechatpay-Timestamp", s, n);
	take_value(&line->nonce, "Wechatpay-Nonce", s, n);
	take_value(&line->sign, "Wechatpay-Signature", s, n);
	take_value(&line->serial, "Wechatpay-Serial", s, n);
	take_value(&line->request, "Request-ID", s, n);
	return n;
}

void
pay_call_free(struct pay_line *line)
{
	if (line == NULL)
		return;
	curl_easy_cleanup(line->curl);
	buf_free(&line->reply);
	free(line);
}

static struct pay_line *
line_of(struct wechat *w)
{
	struct pay_line	*line;

	if (w->pay != NULL)
		return w->pay;
	if ((line = calloc(1, sizeof(*line))) == NULL)
		return NULL;
	buf_init(&line->reply, REPLY_MAX);
	line->curl = curl_easy_init();
	if (line->curl == NULL || !wechat_prepare(line->curl) ||
	    curl_easy_setopt(line->curl, CURLOPT_WRITEFUNCTION, collect) ||
	    curl_easy_setopt(line->curl, CURLOPT_WRITEDATA, line) ||
	    curl_easy_setopt(line->curl, CURLOPT_HEADERFUNCTION,
	    collect_head) ||
	    curl_easy_setopt(line->curl, CURLOPT_HEADERDATA, line)) {
		pay_call_free(line);
		return NULL;
	}
	return w->pay = line;
}

/* Not known what became of it, and why in a word. */
static enum err
away(struct pay_refusal *why, const char *what, const char *kind, long code)
{
	log_warn("pay call=%s kind=%s code=%ld", what, kind, code);
	*why = (struct pay_refusal){ .status = code > 0 && code < 600 ?
	    (int)code : 0, .code = kind, .message = "" };
	return ERR_PAY_AWAY;
}

static bool
add(struct curl_slist **list, const char *text)
{
	struct curl_slist	*longer = NULL;

	if (text != NULL)
		longer = curl_slist_append(*list, text);
	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

/* What is signed of an address: all from the first slash of its path. */
static const char *
path_of(const char *url)
{
	const char	*s = strstr(url, "://");

	s = s != NULL ? strchr(s + 3, '/') : NULL;
	return s != NULL ? s : "/";
}

/* The headers of a question, signed now; NULL when they cannot be made. */
static struct curl_slist *
headers(struct arena *a, const char *url, const char *body)
{
	const struct conf	*c = pay_key_conf();
	struct curl_slist	*list = NULL;
	int64_t			 now = clock_now();
	const char		*stamp, *sign, *wanted = pay_key_wanted(now);
	char			 nonce[PAY_NONCE_MAX];

	stamp = arena_fmt(a, "%lld", (long long)(now / CLOCK_SECOND));
	pay_sign_nonce(nonce);
	sign = pay_sign_header(a, pay_key_own(), c->pay_mchid, c->pay_serial,
	    body != NULL ? "POST" : "GET", path_of(url), stamp, nonce, body);
	if (sign != NULL && wanted != NULL &&
	    add(&list, arena_fmt(a, "Authorization: %s", sign)) &&
	    add(&list, arena_fmt(a, "Wechatpay-Serial: %s", wanted)) &&
	    add(&list, "Accept: application/json") &&
	    add(&list, "Expect:") && (body == NULL ||
	    add(&list, "Content-Type: application/json")))
		return list;
	curl_slist_free_all(list);
	return NULL;
}

/* Send the question and wait for all of the answer. */
static enum err
transfer(struct wechat *w, struct arena *a, const char *what,
    const char *url, const char *body, long left, struct pay_refusal *why,
    long *ret_status)
{
	struct pay_line		*line = line_of(w);
	long			 half = w->conf->wechat_timeout_ms / 2 + 1;
	struct curl_slist	*list;
	CURL			*c;
	CURLcode		 code = CURLE_FAILED_INIT;

	if (line == NULL || (list = headers(a, url, body)) == NULL)
		return away(why, what, "setup", 0);
	c = line->curl;
	forget(line);
	line->untaken = false;
	if (curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    left < half ? left : half) == CURLE_OK &&
	    (body == NULL ?
	    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK :
	    curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)strlen(body)) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body) == CURLE_OK))
		code = curl_easy_perform(c);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(list);
	if (code != CURLE_OK)
		return away(why, what, line->untaken ? "untaken" :
		    wechat_call_kind(code), 0);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, ret_status);
	return OK;
}

static void
drop(void *json)
{
	json_decref(json);
}

/* The body as an object of the arena, or NULL. */
static json_t *
parse(struct arena *a, const struct buf *b)
{
	json_t	*json = json_loadb(b->data != NULL ? b->data : "", b->len,
	    JSON_REJECT_DUPLICATES, NULL);

	if (json == NULL)
		return NULL;
	arena_later(a, drop, json);
	return json_is_object(json) ? json : NULL;
}

/* A code of theirs without underscores: both spellings are live. */
static const char *
plain_code(struct arena *a, const char *s)
{
	char	*out = arena_take(a, CODE_MAX + 1);
	size_t	 n = 0;

	for (; s != NULL && *s != '\0'; s++) {
		if (*s == '_')
			continue;
		if (n == CODE_MAX || !isalnum((unsigned char)*s))
			return NULL;
		out[n++] = *s;
	}
	return n > 0 ? out : NULL;
}

/* Codes that say nothing about what became of the question. */
static bool
is_passing(const char *code)
{
	static const char *const codes[] = { "SYSTEMERROR",
		"FREQUENCYLIMITED", "FREQUENCYLIMIT", "RATELIMITEXCEEDED",
		"RATELIMITEXCEED", "BANKERROR", "USERPAYING",
		"SERVICEUNAVAILABLE" };
	size_t	i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

/*
 * What the server signed over when our signature was wrong.  Its fifth
 * line is the beginning of the body and stays out of the log.
 */
static void
log_signature(struct arena *a, const struct pay_ask *ask, const json_t *json,
    const char *message)
{
	const json_t	*info = json_object_get(json, "detail");
	const char	*lines, *end;
	char		 url[512], text[1024], said[512];
	int		 i;

	if (json_object_get(info, "sign_information") == NULL)
		info = json_object_get(info, "detail");
	info = json_object_get(info, "sign_information");
	lines = pay_call_text(info, "truncated_sign_message");
	if ((end = lines) != NULL)
		for (i = 0; i < 4 && end != NULL; i++)
			end = strchr(end + (i > 0), '\n');
	if (end != NULL)
		lines = arena_copy(a, lines, (size_t)(end - lines));
	log_error("pay call=%s kind=sign message=%s method=%s url=%s"
	    " length=%lld lines=%s", ask->what,
	    log_quote(message, said, sizeof(said)),
	    ask->body != NULL ? "POST" : "GET",
	    log_quote(pay_call_text(info, "url"), url, sizeof(url)),
	    (long long)pay_call_fen(info, "sign_message_length"),
	    log_quote(end != NULL ? lines : NULL, text, sizeof(text)));
}

/* An answer that is not 2xx. */
static enum err
refused(struct arena *a, const struct pay_ask *ask,
    const struct pay_line *line, long status, struct pay_answer *ret)
{
	json_t		*json = parse(a, &line->reply);
	const char	*code, *message, *id = "-";
	char		 quoted[128];

	if (line->request.there)
		id = log_quote(line->request.text, quoted, sizeof(quoted));
	code = plain_code(a, pay_call_text(json, "code"));
	message = pay_call_text(json, "message");
	if (status < 400 || status >= 500 || status == 429 || code == NULL ||
	    is_passing(code)) {
		log_warn("pay call=%s kind=status status=%ld code=%s"
		    " request=%s", ask->what, status,
		    code != NULL ? code : "-", id);
		ret->why = (struct pay_refusal){ (int)status,
		    code != NULL ? code : "status", "" };
		return ERR_PAY_AWAY;
	}
	if (status == 401)
		log_signature(a, ask, json, message);
	log_line(status == 401 || strcmp(code, "PARAMERROR") == 0 ||
	    strcmp(code, "INVALIDREQUEST") == 0 ? LOG_ERROR_ : LOG_INFO_,
	    "pay call=%s kind=refused status=%ld code=%s request=%s",
	    ask->what, status, code, id);
	ret->why = (struct pay_refusal){ (int)status, code,
	    message != NULL ? message : "" };
	return ERR_PAY_REFUSED;
}

/* A success: proved first, then read. */
static enum err
proved(struct arena *a, const struct pay_ask *ask,
    const struct pay_line *line, struct pay_answer *ret)
{
	const struct pay_proof	 proof = {
		.timestamp = line->stamp.there ? line->stamp.text : NULL,
		.nonce = line->nonce.there ? line->nonce.text : NULL,
		.signature = line->sign.there ? line->sign.text : NULL,
		.serial = line->serial.there ? line->serial.text : NULL,
	};
	const struct buf	*b = &line->reply;
	const char		*why;

	why = pay_sign_proved(&proof, b->data != NULL ? b->data : "", b->len,
	    clock_now());
	if (why != NULL)
		return away(&ret->why, ask->what, why, ret->status);
	if (ret->status == 204)
		return b->len == 0 ? OK :
		    away(&ret->why, ask->what, "garbage", 204);
	if ((ret->json = parse(a, b)) == NULL)
		return away(&ret->why, ask->what, "garbage", ret->status);
	return OK;
}

static enum err
ask_once(struct wechat *w, struct arena *a, const struct pay_ask *ask,
    struct pay_answer *ret)
{
	const char	*base = pay_key_conf()->pay_url;
	size_t		 n = strlen(base);
	int64_t		 left;
	long		 status = 0;
	enum err	 e;

	while (n > 0 && base[n - 1] == '/')
		n--;
	wechat_call_start(w);
	left = wechat_call_left(w);
	e = transfer(w, a, ask->what, arena_fmt(a, "%.*s%s", (int)n, base,
	    ask->path), ask->body, left < INT_MAX ? (long)left : INT_MAX,
	    &ret->why, &status);
	if (e != OK)
		return e;
	ret->status = (int)status;
	if (status == 200 || status == 204)
		return proved(a, ask, w->pay, ret);
	return refused(a, ask, w->pay, status, ret);
}

enum err
pay_call(struct wechat *w, struct arena *a, const struct pay_ask *ask,
    struct pay_answer *ret, struct pay_refusal *ret_why)
{
	enum err	e;

	memset(ret, 0, sizeof(*ret));
	if (!pay_ready())
		return ERR_NO_PAY;
	e = ask_once(w, a, ask, ret);
	if (e != OK && ret_why != NULL)
		*ret_why = ret->why;
	return e;
}

bool
pay_call_is(enum err e, const struct pay_answer *answer, const char *code)
{
	return e == ERR_PAY_REFUSED && strcmp(answer->why.code, code) == 0;
}

/* Our signature goes only where https, or this machine, is. */
static bool
is_safe(struct arena *a, const char *url)
{
	const char	*path = path_of(url);
	size_t		 i;

	for (i = 0; url[i] != '\0'; i++)
		if (url[i] <= ' ' || url[i] > '~' || url[i] == '#')
			return false;
	return path > url && i <= 4096 && wechat_address(arena_copy(a, url,
	    (size_t)(path - url))) == NULL;
}

enum err
pay_call_file(struct wechat *w, struct arena *a, const char *what,
    const char *url, bool (*take)(void *, const char *, size_t), void *arg,
    struct pay_refusal *ret_why)
{
	struct pay_refusal	 none, *why = ret_why != NULL ? ret_why :
				    &none;
	struct pay_line		*line = line_of(w);
	long			 status = 0;
	enum err		 e;

	if (line == NULL || !is_safe(a, url))
		return away(why, what, "address", 0);
	line->take = take;
	line->arg = arg;
	/* A long file may take its time, a silent server may not. */
	curl_easy_setopt(line->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(line->curl, CURLOPT_LOW_SPEED_TIME,
	    (long)(w->conf->wechat_timeout_ms / 1000 + 1));
	e = transfer(w, a, what, url, NULL, 10L * CLOCK_MINUTE, why, &status);
	curl_easy_setopt(line->curl, CURLOPT_LOW_SPEED_LIMIT, 0L);
	curl_easy_setopt(line->curl, CURLOPT_LOW_SPEED_TIME, 0L);
	line->take = NULL;
	if (e == OK && status != 200)
		return away(why, what, "status", status);
	return e;
}

enum err
pay_call_misshapen(const struct pay_ask *ask, struct pay_refusal *ret_why)
{
	struct pay_refusal	none;

	return away(ret_why != NULL ? ret_why : &none, ask->what,
	    "misshapen", 0);
}

const char *
pay_call_body(struct arena *a, json_t *json)
{
	return wechat_call_body(a, json);
}

const char *
pay_call_text(const json_t *json, const char *name)
{
	const char	*s = json_string_value(json_object_get(json, name));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

int64_t
pay_call_fen(const json_t *json, const char *name)
{
	const json_t	*v = json_object_get(json, name);

	return json_is_integer(v) && json_integer_value(v) >= 0 ?
	    (int64_t)json_integer_value(v) : -1;
}

int64_t
pay_call_time(const json_t *json, const char *name)
{
	const char	*s = pay_call_text(json, name);
	int64_t		 ms;

	return s != NULL && clock_parse(s, &ms) ? ms : VIEW_NULL_INT;
}

char *
pay_call_plain(struct arena *a, const char *s)
{
	size_t	 n = strlen(s), len = 0, i, step;
	char	*out = arena_take(a, n + 1);

	if (!text_valid(s, n))
		return out;
	for (i = 0; i < n; i += step) {
		unsigned char c = (unsigned char)s[i];

		step = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (step == 4 || c < ' ' || c == 0x7f)
			continue;
		memcpy(out + len, s + i, step);
		len += step;
	}
	return out;
}

bool
pay_call_is_number(const char *s, size_t least, size_t most)
{
	return s != NULL && strlen(s) >= least &&
	    wechat_call_is_id(s, most);
}
