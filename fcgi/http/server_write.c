/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_write.c -- one reply, one write.
 *
 * libfcgi's own stream flushes every 8 KiB, and each flush wakes nginx for
 * a part of a reply.  So the records (FastCGI specification 3.3, 5.3, 5.5)
 * are laid around head and body where these are, and leave together.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"

#include "http/server_internal.h"

#define VERSION		1
#define END_REQUEST	3
#define STDOUT		6
#define HEADER		8
#define CONTENT_MAX	65528	/* a multiple of eight below 64 KiB */
#define PARTS		80	/* records of a reply, 5 MiB of them */

struct wire {
	uint8_t		 headers[PARTS][HEADER];
	uint8_t		 end[3 * HEADER];
	struct iovec	 iov[2 * PARTS + 2];
	int		 n;
};

static void
put_header(uint8_t h[HEADER], int type, int id, size_t len)
{
	h[0] = VERSION;
	h[1] = (uint8_t)type;
	h[2] = (uint8_t)(id >> 8);
	h[3] = (uint8_t)id;
	h[4] = (uint8_t)(len >> 8);
	h[5] = (uint8_t)len;
	h[6] = 0;
	h[7] = 0;
}

static void
add(struct wire *w, const void *data, size_t n)
{
	if (n == 0)
		return;
	w->iov[w->n].iov_base = (void *)(uintptr_t)data;
	w->iov[w->n++].iov_len = n;
}

/* Head and the body's first part share a record; then records of body. */
static bool
lay_out(struct wire *w, int id, const struct buf *head, const char *body,
    size_t len)
{
	size_t part, first = head->len;
	int k = 0;

	do {
		if (k == PARTS || first > CONTENT_MAX)
			return false;
		part = len < CONTENT_MAX - first ? len : CONTENT_MAX - first;
		put_header(w->headers[k], STDOUT, id, first + part);
		add(w, w->headers[k++], HEADER);
		add(w, head->data, first);
		add(w, body, part);
		body += part;
		len -= part;
		first = 0;
	} while (len > 0);
	memset(w->end, 0, sizeof(w->end));
	put_header(w->end, STDOUT, id, 0);
	put_header(w->end + HEADER, END_REQUEST, id, HEADER);
	add(w, w->end, sizeof(w->end));
	return true;
}

bool
server_write(int fd, int id, const struct buf *head, const char *body,
    size_t len)
{
	struct wire w;
	struct iovec *v = w.iov;
	ssize_t n;

	w.n = 0;
	if (!lay_out(&w, id, head, body, len))
		return false;
	while (w.n > 0) {
		n = writev(fd, v, w.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (; w.n > 0 && (size_t)n >= v->iov_len; v++, w.n--)
			n -= (ssize_t)v->iov_len;
		if (w.n > 0) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return true;
}
