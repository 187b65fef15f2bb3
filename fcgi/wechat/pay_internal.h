/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_internal.h -- what the files of WeChat Pay share: keys, signatures,
 * one question and its proved answer.
 */
#ifndef WECHAT_PAY_INTERNAL_H
#define WECHAT_PAY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

#include "wechat/pay.h"
#include "wechat/pay_openssl.h"

struct arena;
struct conf;
struct pay_line;
struct wechat;

#define PAY_APIV3_BYTES	32
#define PAY_NONCE_MAX	33	/* 32 hex digits and NUL */
#define PAY_STALE_S	300	/* WeChat's window for a time stamp */

/* ---- pay_key.c ---- */

/* What pay_init was given; NULL while no merchant is configured. */
const struct conf *pay_key_conf(void);

bool pay_key_partner(void);

/* Ours; never logged. */
EVP_PKEY *pay_key_own(void);
const unsigned char *pay_key_apiv3(void);

/* Theirs by its serial, lent for ever; NULL when unknown or over. */
EVP_PKEY *pay_key_theirs(const char *serial, int64_t now);

/* The serial that answers shall be signed by; NULL when none is good. */
const char *pay_key_wanted(int64_t now);

/* Read the folder again now. */
void pay_key_again(void);

/* The key in a PEM text; NULL when it is not RSA of 2048 bits or more. */
EVP_PKEY *pay_key_private(const char *pem, size_t n);
EVP_PKEY *pay_key_public(const char *pem, size_t n);

/*
 * The key of a certificate whose serial is `serial`, and its end in ms;
 * NULL when it is another's or cannot be read.
 */
EVP_PKEY *pay_key_certificate(const char *pem, size_t n, const char *serial,
    int64_t *ret_until);

/* ---- pay_sign.c ---- */

/* RSASSA-PKCS1-v1_5 with SHA-256, base64; NULL when libcrypto refuses. */
const char *pay_sign_make(struct arena *, EVP_PKEY *, const char *s,
    size_t n);
bool pay_sign_good(EVP_PKEY *, const char *s, size_t n, const char *text);

/* The five lines of a question, and what stands in Authorization. */
const char *pay_sign_lines(struct arena *, const char *method,
    const char *url, const char *stamp, const char *nonce,
    const char *body);
const char *pay_sign_header(struct arena *, EVP_PKEY *, const char *mchid,
    const char *serial, const char *method, const char *url,
    const char *stamp, const char *nonce, const char *body);

/* What the client's request for payment is signed with, base64. */
const char *pay_sign_client(struct arena *, EVP_PKEY *, const char *appid,
    const char *stamp, const char *nonce, const char *package);

/* 32 random hex digits in capitals. */
void pay_sign_nonce(char out[PAY_NONCE_MAX]);

/*
 * Whether `proof` proves `body` at `now` (ms); NULL, or why not in a word:
 * absent, clock, probe, serial, signature.
 */
const char *pay_sign_proved(const struct pay_proof *, const char *body,
    size_t len, int64_t now);

/*
 * Open AES-GCM (a key of 32 bytes, or 16 for AES-128): `sealed` is base64
 * with the tag last.  The text with a NUL after it; NULL when it does not
 * open.
 */
char *pay_sign_open(struct arena *, const unsigned char *key, size_t key_len,
    const char *nonce, const char *aad, const char *sealed,
    size_t *ret_len);

/* RSA-OAEP with SHA-1, base64 outside; NULL when it fails. */
const char *pay_sign_hide(struct arena *, EVP_PKEY *, const char *text);
const char *pay_sign_show(struct arena *, EVP_PKEY *, const char *text);

/* Bytes in base64, and strictly back: NULL when it is none. */
const char *pay_sign_base64(struct arena *, const unsigned char *, size_t);
unsigned char *pay_sign_bytes(struct arena *, const char *text,
    size_t *ret_n);

/* ---- pay_call.c ---- */

struct pay_ask {
	const char	*what;		/* names it in the log */
	const char	*path;		/* and query, escaped */
	const char	*body;		/* JSON text; NULL for GET */
};

struct pay_answer {
	int		 status;
	json_t		*json;		/* an object; NULL for 204 */
	struct pay_refusal why;		/* of what is not OK */
};

/*
 * Ask.  OK: a proved answer.  ERR_PAY_REFUSED: a definite no, in ret->why.
 * ERR_PAY_AWAY: not known; ret->why.code then says in a small word what
 * happened.  The reason goes to *ret_why too, unless that is NULL.
 */
enum err pay_call(struct wechat *, struct arena *, const struct pay_ask *,
    struct pay_answer *ret, struct pay_refusal *ret_why);

/* Whether it was refused with this code, written without underscores. */
bool pay_call_is(enum err, const struct pay_answer *, const char *code);

/*
 * Bring an unsigned file from `url`, given by a proved answer, piece by
 * piece to take(arg, ...), which ends it by false.
 */
enum err pay_call_file(struct wechat *, struct arena *, const char *what,
    const char *url, bool (*take)(void *, const char *, size_t), void *arg,
    struct pay_refusal *ret_why);

/* Log an answer that lacks what it must have; gives ERR_PAY_AWAY. */
enum err pay_call_misshapen(const struct pay_ask *, struct pay_refusal *);

/* Compact UTF-8 text of `json`, which is dropped; NULL when it is. */
const char *pay_call_body(struct arena *, json_t *json);

/* Give back what a thread's handle keeps.  NULL is fine. */
void pay_call_free(struct pay_line *);

/* A member as text in the arena's JSON; NULL when it is none or empty. */
const char *pay_call_text(const json_t *, const char *name);

/* A member that is an integer from 0; -1 when it is none. */
int64_t pay_call_fen(const json_t *, const char *name);

/* A member that is a time; VIEW_NULL_INT when it is none. */
int64_t pay_call_time(const json_t *, const char *name);

/* `s` without characters of four bytes and controls: B.1 of the rules. */
char *pay_call_plain(struct arena *, const char *s);

/* Whether `s` has least..most bytes of [A-Za-z0-9_-]. */
bool pay_call_is_number(const char *s, size_t least, size_t most);

/* ---- pay_order.c and pay_refund.c, for notices ---- */

/* Read a trade or a refund; false when it lacks what it must have. */
bool pay_order_read(const json_t *, struct pay_trade *ret);
bool pay_refund_read(const json_t *, const char *state,
    struct pay_refund *ret);

#endif
