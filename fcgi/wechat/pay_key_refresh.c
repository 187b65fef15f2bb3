/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_key_refresh.c -- fetch the platform's certificates (doc/v3/merchant
 * 4012551764) and put the new ones beside those that we have.
 *
 * An answer signed by a key that we lack is not believed, so the first one
 * is put there by hand; a new one is sent a day and more before the old
 * one ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/pay_internal.h"

/* Write `pem` under its name unless it is there. */
static bool
keep(struct arena *a, const char *serial, const char *pem, size_t n)
{
	const char	*dir = pay_key_conf()->pay_platform_dir;
	const char	*path = arena_fmt(a, "%s/%s.pem", dir, serial);
	const char	*fresh = arena_fmt(a, "%s/.%s.%ld.new", dir, serial,
			    (long)getpid());
	bool		 good;
	int		 fd;

	if (access(path, F_OK) == 0)
		return true;
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	good = fd != -1 && write(fd, pem, n) == (ssize_t)n && fsync(fd) == 0;
	if (fd != -1)
		close(fd);
	good = good && rename(fresh, path) == 0;
	if (!good) {
		log_error("pay call=certificates why=\"%s\" serial=%s",
		    strerror(errno), serial);
		unlink(fresh);
	}
	return good;
}

/* Open, check and keep one of the list. */
static bool
take(struct arena *a, const json_t *one)
{
	const json_t	*sealed = json_object_get(one, "encrypt_certificate");
	const char	*serial = pay_call_text(one, "serial_no");
	const char	*nonce = pay_call_text(sealed, "nonce");
	const char	*text = pay_call_text(sealed, "ciphertext");
	const char	*pem = NULL;
	int64_t		 until;
	size_t		 n = 0;
	EVP_PKEY	*key;

	if (serial == NULL || nonce == NULL || text == NULL ||
	    strlen(serial) > 40 || strspn(serial,
	    "0123456789abcdefABCDEF") != strlen(serial))
		return false;
	pem = pay_sign_open(a, pay_key_apiv3(), PAY_APIV3_BYTES, nonce,
	    pay_call_text(sealed, "associated_data"), text, &n);
	if (pem == NULL ||
	    (key = pay_key_certificate(pem, n, serial, &until)) == NULL)
		return false;
	EVP_PKEY_free(key);
	return until <= clock_now() || keep(a, serial, pem, n);
}

enum err
pay_key_refresh(struct wechat *w, struct arena *a,
    struct pay_refusal *ret_why)
{
	const struct pay_ask	 ask = {
		.what = "certificates",
		.path = "/v3/certificates",
	};
	struct pay_answer	 answer;
	const json_t		*list;
	size_t			 i;
	enum err		 e;

	e = pay_call(w, a, &ask, &answer, ret_why);
	if (pay_call_is(e, &answer, "RESOURCENOTEXISTS"))
		return ERR_ABSENT;
	if (e != OK)
		return e;
	list = json_object_get(answer.json, "data");
	for (i = 0; i < json_array_size(list); i++)
		if (!take(a, json_array_get(list, i)))
			return pay_call_misshapen(&ask, ret_why);
	if (i == 0)
		return pay_call_misshapen(&ask, ret_why);
	pay_key_again();
	return OK;
}
