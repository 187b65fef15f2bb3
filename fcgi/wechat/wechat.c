/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wechat.c -- the process's secret and base address, the thread's handle.
 *
 * The secret comes from a file that its owner alone may read and leaves
 * this folder only inside requests to the base address, which is https
 * unless it is this very machine.
 */
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/log.h"

#include "wechat/pay_internal.h"
#include "wechat/wechat_internal.h"

#define SECRET_MAX	256
#define REPLY_MAX	(256 << 10)

static char	secret[SECRET_MAX + 1];
static bool	curl_ready;

const char *
wechat_secret(void)
{
	return secret;
}

/* Read to the end or until `out` is full; false when the disk fails. */
static bool
read_all(int fd, char *out, size_t size, size_t *ret_n)
{
	ssize_t	n;

	*ret_n = 0;
	while (*ret_n < size &&
	    (n = read(fd, out + *ret_n, size - *ret_n)) != 0) {
		if (n == -1 && errno != EINTR)
			return false;
		*ret_n += n > 0 ? (size_t)n : 0;
	}
	return true;
}

const char *
wechat_private(const char *path, char *out, size_t size, size_t *ret_n)
{
	struct stat	st;
	const char	*why = NULL;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK))
	    == -1)
		return errno == ENOENT ? "is not there" : "cannot be opened";
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		why = "is not a file";
	else if ((st.st_mode & 077) != 0)
		why = "may be read by others; chmod 600";
	else if (!read_all(fd, out, size - 1, ret_n))
		why = "cannot be read";
	else if (*ret_n == size - 1)
		why = "is empty or too long";
	else {
		out[*ret_n] = '\0';
		if (strlen(out) != *ret_n)
			why = "holds what no secret has";
	}
	close(fd);
	return why;
}

/* Keep the secret of `path`, without the line's end. */
static const char *
load_secret(const char *path)
{
	char		 text[SECRET_MAX + 4];
	const char	*why;
	size_t		 n, i;

	if ((why = wechat_private(path, text, sizeof(text), &n)) != NULL)
		return why;
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > 0 && text[n - 1] == '\r')
		text[--n] = '\0';
	if (n == 0 || n > SECRET_MAX)
		return "is empty or too long";
	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return "holds what no secret has";
	memcpy(secret, text, n + 1);
	explicit_bzero(text, sizeof(text));
	return NULL;
}

/* Whether `host` is this machine. */
static bool
is_loopback(const char *host)
{
	struct in_addr	in;

	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	    (inet_pton(AF_INET, host, &in) == 1 &&
	    ntohl(in.s_addr) >> 24 == 127);
}

/* What is wrong with the parts of a base address, or NULL. */
static const char *
judge_parts(CURLU *parts)
{
	char		*scheme = NULL, *host = NULL, *more = NULL;
	const char	*why = NULL;

	if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		why = "has no scheme or host";
	else if (curl_url_get(parts, CURLUPART_QUERY, &more, 0) == CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_FRAGMENT, &more, 0) == CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_USER, &more, 0) == CURLUE_OK)
		why = "has more than scheme, host, port and path";
	else if (strcmp(scheme, "https") != 0 &&
	    (strcmp(scheme, "http") != 0 || !is_loopback(host)))
		why = "is not https, which it must be for another machine";
	curl_free(scheme);
	curl_free(host);
	curl_free(more);
	return why;
}

const char *
wechat_address(const char *url)
{
	CURLU		*parts = curl_url();
	const char	*why;

	if (parts == NULL)
		return "cannot be read for want of memory";
	if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
		why = "is not an address";
	else
		why = judge_parts(parts);
	curl_url_cleanup(parts);
	return why;
}

bool
wechat_library(void)
{
	if (curl_ready)
		return true;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		log_error("wechat init=failed library=curl");
		return false;
	}
	json_object_seed(0);
	return curl_ready = true;
}

enum err
wechat_init(const struct conf *conf)
{
	const char	*why;
	char		 name[256];

	if (!wechat_library())
		return ERR_INTERNAL;
	if (conf->wechat_appid[0] == '\0') {
		log_error("wechat init=failed why=\"appid is not set\"");
		return ERR_INTERNAL;
	}
	if ((why = wechat_address(conf->wechat_url)) != NULL) {
		log_error("wechat init=failed url=%s why=\"%s\"",
		    log_quote(conf->wechat_url, name, sizeof(name)), why);
		return ERR_INTERNAL;
	}
	if ((why = load_secret(conf->wechat_secret_file)) != NULL) {
		log_error("wechat init=failed secret_file=%s why=\"%s\"",
		    log_quote(conf->wechat_secret_file, name, sizeof(name)),
		    why);
		return ERR_INTERNAL;
	}
	return OK;
}

/* Collect the body; taking less than was offered ends the transfer. */
static size_t
collect(char *data, size_t size, size_t n, void *arg)
{
	struct buf	*reply = arg;

	buf_putn(reply, data, size * n);
	return reply->over ? 0 : size * n;
}

bool
wechat_prepare(CURL *c)
{
	bool	 ok = true;

	ok = ok && curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
	ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
	    "http,https") == CURLE_OK;
#else
	ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
	/* The environment of whoever started us names no proxy. */
	ok = ok && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_USERAGENT, "01planet")
	    == CURLE_OK;
	return ok;
}

static bool
prepare(struct wechat *w)
{
	CURL	*c = w->curl;
	bool	 ok = wechat_prepare(c);

	ok = ok && curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE,
	    (curl_off_t)REPLY_MAX) == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect)
	    == CURLE_OK;
	ok = ok && curl_easy_setopt(c, CURLOPT_WRITEDATA, &w->reply)
	    == CURLE_OK;
	return ok;
}

struct wechat *
wechat_new(const struct conf *conf)
{
	struct wechat	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->conf = conf;
	buf_init(&w->reply, REPLY_MAX);
	w->curl = curl_easy_init();
	w->headers = curl_slist_append(NULL,
	    "Content-Type: application/json; charset=utf-8");
	if (w->curl == NULL || w->headers == NULL || !prepare(w)) {
		wechat_free(w);
		return NULL;
	}
	return w;
}

void
wechat_free(struct wechat *w)
{
	if (w == NULL)
		return;
	pay_call_free(w->pay);
	curl_easy_cleanup(w->curl);
	curl_slist_free_all(w->headers);
	buf_free(&w->reply);
	free(w);
}
