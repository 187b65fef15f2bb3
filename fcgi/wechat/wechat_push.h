/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat_push.h -- what the platform pushes to us: proof and seal.
 *
 * The token and the EncodingAESKey are set in the console.  In the secure
 * mode a push is proved by msg_signature, over what is sealed, and opens
 * with the key; in the plain mode by signature alone.
 */
#ifndef WECHAT_WECHAT_PUSH_H
#define WECHAT_WECHAT_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct conf;

#define WECHAT_PUSH_KEY_LEN	43	/* characters of an EncodingAESKey */
#define WECHAT_PUSH_RANDOM	16	/* bytes before what is sealed */

/*
 * The hex SHA-1 of token, stamp, nonce and `sealed` (NULL: the plain mode)
 * in the order of their bytes.
 */
const char *wechat_push_sign(struct arena *, const char *token,
    const char *stamp, const char *nonce, const char *sealed);

/* Whether `signature` is that; any may be NULL, and then it is not. */
bool wechat_push_proved(struct arena *, const char *token,
    const char *stamp, const char *nonce, const char *sealed,
    const char *signature);

/*
 * Open what was sealed for `appid`, base64; the text with a NUL after it.
 * NULL when the key is none, it does not open, or it is for another.
 */
char *wechat_push_open(struct arena *, const char *key, const char *appid,
    const char *sealed, size_t *ret_len);

/*
 * Seal a reply; `random` has WECHAT_PUSH_RANDOM fresh bytes.  NULL when the
 * key is none.
 */
const char *wechat_push_seal(struct arena *, const char *key,
    const char *appid, const void *random, const char *text);

/* Whether it is an EncodingAESKey. */
bool wechat_push_key_sound(const char *key);

/* ---- by the keys of planet.conf ---- */

/*
 * Read push_aes_key_file when one is named; not OK: logged what is wrong.
 * Without a push_token nothing is pushed, and nothing is ready.
 */
enum err wechat_push_init(const struct conf *);
bool wechat_push_ready(void);

/* What an address says; any may be NULL. */
struct wechat_push_proof {
	const char	*signature, *msg_signature;
	const char	*timestamp, *nonce;
};

/* The check of our address: OK, or ERR_FORBIDDEN. */
enum err wechat_push_check(struct arena *, const struct wechat_push_proof *);

struct wechat_push {
	const char	*event;		/* NULL: nothing that we read */
	const char	*number;	/* of a payment, or NULL */
	int64_t		 received_at;	/* ms, 0: not said */
	int64_t		 settled_at;	/* likewise; or when it will be */
};

/*
 * Prove and read a push; the body has a NUL after it.  ERR_FORBIDDEN when
 * it is not proved or, with a key, not sealed for us; ERR_MALFORMED when
 * it is proved and cannot be read.  XML is OK and no event.
 */
enum err wechat_push_read(struct arena *, const struct wechat_push_proof *,
    const char *body, size_t len, struct wechat_push *ret);

#endif
