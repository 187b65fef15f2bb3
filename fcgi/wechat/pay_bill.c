/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_bill.c -- the statement of a day, unpacked as it comes.
 *
 * The file itself bears no signature; its SHA-1 stands in an answer that
 * does.  It takes its name only when it is whole and good.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <zlib.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/pay_internal.h"

#define PIECE		65536
#define FILE_MAX	(2LL << 30)	/* unpacked: millions of rows */
#define GZIP_ONLY	(16 + MAX_WBITS)

/* A file on its way. */
struct fetch {
	z_stream	 z;
	EVP_MD_CTX	*sha1;
	int		 fd;
	int64_t		 n;		/* unpacked so far */
	bool		 whole;		/* the packed form has ended */
	unsigned char	 piece[PIECE];
};

static bool
write_all(int fd, const unsigned char *s, size_t n)
{
	ssize_t	w;

	while (n > 0) {
		w = write(fd, s, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return true;
}

/* Unpack what fits into one piece and keep it. */
static bool
unpack(struct fetch *f)
{
	size_t	n;
	int	rc;

	f->z.next_out = f->piece;
	f->z.avail_out = PIECE;
	rc = inflate(&f->z, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return false;
	n = PIECE - f->z.avail_out;
	f->n += (int64_t)n;
	f->whole = rc == Z_STREAM_END;
	return f->n <= FILE_MAX && write_all(f->fd, f->piece, n) &&
	    EVP_DigestUpdate(f->sha1, f->piece, n) == 1;
}

static bool
take(void *arg, const char *data, size_t n)
{
	struct fetch	*f = arg;

	f->z.next_in = (unsigned char *)(uintptr_t)data;
	f->z.avail_in = (uInt)n;
	do {
		if (f->whole) {		/* another member follows */
			if (inflateReset(&f->z) != Z_OK)
				return false;
			f->whole = false;
		}
		if (!unpack(f))
			return false;
	} while (f->z.avail_in > 0 || (f->z.avail_out == 0 && !f->whole));
	return true;
}

static bool
has_digest(struct fetch *f, const char *want)
{
	unsigned char	raw[EVP_MAX_MD_SIZE];
	char		hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned	n = 0, i;

	if (EVP_DigestFinal_ex(f->sha1, raw, &n) != 1)
		return false;
	for (i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	return strcasecmp(hex, want) == 0;
}

/* Bring, unpack and check the file of `url` into the open f->fd. */
static enum err
bring(struct wechat *w, struct arena *a, struct fetch *f, const char *url,
    const char *digest, struct pay_refusal *ret_why)
{
	const struct pay_ask	ask = { .what = "statement-file" };
	enum err		e;

	if (inflateInit2(&f->z, GZIP_ONLY) != Z_OK)
		return ERR_INTERNAL;
	f->sha1 = EVP_MD_CTX_new();
	if (f->sha1 == NULL ||
	    EVP_DigestInit_ex(f->sha1, EVP_sha1(), NULL) != 1)
		e = ERR_INTERNAL;
	else
		e = pay_call_file(w, a, ask.what, url, take, f, ret_why);
	if (e == OK && (!f->whole || !has_digest(f, digest)))
		e = pay_call_misshapen(&ask, ret_why);
	EVP_MD_CTX_free(f->sha1);
	inflateEnd(&f->z);
	return e;
}

static enum err
no_file(const char *path, const char *part)
{
	char	quoted[512];

	log_error("pay call=statement-file file=%s why=\"%s\"",
	    log_quote(path, quoted, sizeof(quoted)), strerror(errno));
	unlink(part);
	return ERR_INTERNAL;
}

static enum err
keep(struct wechat *w, struct arena *a, const char *url, const char *digest,
    const char *path, struct pay_refusal *ret_why)
{
	const char	*part = arena_fmt(a, "%s.part", path);
	struct fetch	*f = ARENA_NEW(a, struct fetch);
	enum err	 e;

	unlink(part);
	f->fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd == -1)
		return no_file(path, part);
	e = bring(w, a, f, url, digest, ret_why);
	if (close(f->fd) == -1 && e == OK)
		return no_file(path, part);
	if (e == OK && rename(part, path) == -1)
		return no_file(path, part);
	if (e != OK)
		unlink(part);
	return e;
}

enum err
pay_bill_fetch(struct wechat *w, struct arena *a, enum pay_bill kind,
    int64_t day, const char *path, struct pay_refusal *ret_why)
{
	struct pay_ask		 ask = { .what = "statement" };
	struct pay_answer	 answer;
	const char		*type, *digest, *url, *date;
	enum err		 e;

	if (!pay_ready())
		return ERR_NO_PAY;
	date = arena_fmt(a, "%04lld-%02lld-%02lld", (long long)day / 10000,
	    (long long)day / 100 % 100, (long long)day % 100);
	ask.path = kind == PAY_BILL_TRADE ?
	    arena_fmt(a, "/v3/bill/tradebill?bill_date=%s&bill_type=ALL"
	    "&tar_type=GZIP", date) :
	    arena_fmt(a, "/v3/bill/fundflowbill?bill_date=%s"
	    "&account_type=BASIC&tar_type=GZIP", date);
	/* A fund flow is always the account's own. */
	if (pay_key_partner() && kind == PAY_BILL_TRADE)
		ask.path = arena_fmt(a, "%s&sub_mchid=%s", ask.path,
		    pay_key_conf()->pay_sub_mchid);
	e = pay_call(w, a, &ask, &answer, ret_why);
	if (pay_call_is(e, &answer, "NOSTATEMENTEXIST"))
		return ERR_ABSENT;
	if (pay_call_is(e, &answer, "STATEMENTCREATING"))
		return ERR_BUSY;
	if (e != OK)
		return e;
	type = pay_call_text(answer.json, "hash_type");
	digest = pay_call_text(answer.json, "hash_value");
	url = pay_call_text(answer.json, "download_url");
	if (type == NULL || strcasecmp(type, "SHA1") != 0 ||
	    digest == NULL || url == NULL)
		return pay_call_misshapen(&ask, ret_why);
	return keep(w, a, url, digest, path, ret_why);
}
