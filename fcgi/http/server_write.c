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
#include <unistd.h>

#include "base/buf.h"

#include "http/server_internal.h"

#define VERSION		1
#define END_REQUEST	3
#define STDOUT		6
#define HEADER		8
#define CONTENT_MAX	65528	/* a multiple of eight below 64 KiB */
#define PIECE		32768	/* of a file; a multiple of eight */
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

static bool
send_all(int fd, struct iovec *v, int left)
{
	ssize_t n;

	while (left > 0) {
		n = writev(fd, v, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (; left > 0 && (size_t)n >= v->iov_len; v++, left--)
			n -= (ssize_t)v->iov_len;
		if (left > 0) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return true;
}

bool
server_write(int fd, int id, const struct buf *head, const char *body,
    size_t len)
{
	struct wire w;

	w.n = 0;
	return lay_out(&w, id, head, body, len) && send_all(fd, w.iov, w.n);
}

/* Some of the file into `piece`; 0 at its end, less when it fails. */
static ssize_t
read_piece(int file, char *piece, int64_t left)
{
	size_t want = left < PIECE ? (size_t)left : PIECE;
	ssize_t n;

	do
		n = read(file, piece, want);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Bytes as one record of the answer. */
static bool
send_record(int fd, int id, const void *data, size_t n)
{
	uint8_t h[HEADER];
	struct iovec v[2] = { { h, HEADER },
		{ (void *)(uintptr_t)data, n } };

	put_header(h, STDOUT, id, n);
	return send_all(fd, v, n > 0 ? 2 : 1);
}

bool
server_write_file(int fd, int id, const struct buf *head, int file,
    int64_t len)
{
	uint8_t end[2 * HEADER];
	struct iovec v = { end, sizeof(end) };
	char piece[PIECE];
	ssize_t n;

	if (!send_record(fd, id, head->data, head->len))
		return false;
	for (; len > 0; len -= n)
		/* Shorter than it was said to be: the peer must see it. */
		if ((n = read_piece(file, piece, len)) <= 0 ||
		    !send_record(fd, id, piece, (size_t)n))
			return false;
	memset(end, 0, sizeof(end));
	if (!send_record(fd, id, NULL, 0))
		return false;
	put_header(end, END_REQUEST, id, HEADER);
	return send_all(fd, &v, 1);
}
