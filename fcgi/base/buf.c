/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.c -- a growing byte buffer that is born with a maximum.
 *
 * There is always one byte more than `cap` says, for the NUL of buf_text.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

#define BUF_FIRST	512
#define BUF_KEEP	(256 * 1024)

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	if (b->cap > BUF_KEEP)
		buf_free(b);
	b->len = 0;
	b->over = false;
}

bool
buf_reserve(struct buf *b, size_t n)
{
	size_t	 cap;
	char	*data;

	if (b->cap - b->len >= n)
		return true;
	if (n > b->max - b->len) {
		b->over = true;
		return false;
	}
	cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	if (cap < BUF_FIRST)
		cap = BUF_FIRST < b->max ? BUF_FIRST : b->max;
	if (cap < b->len + n)
		cap = b->len + n;
	data = cap + 1 == 0 ? NULL : realloc(b->data, cap + 1);
	if (data == NULL) {
		log_error("event=out_of_memory bytes=%zu", cap);
		abort();
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void
buf_putn_slow(struct buf *b, const char *s, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, s, n);
	b->len += n;
}

void
buf_puti(struct buf *b, int64_t v)
{
	static const char pairs[] =
	    "00010203040506070809101112131415161718192021222324"
	    "25262728293031323334353637383940414243444546474849"
	    "50515253545556575859606162636465666768697071727374"
	    "75767778798081828384858687888990919293949596979899";
	uint64_t	 u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char		 text[20], *p = text + sizeof(text);

	for (; u >= 100; u /= 100) {
		p -= 2;
		memcpy(p, pairs + u % 100 * 2, 2);
	}
	if (u >= 10) {
		p -= 2;
		memcpy(p, pairs + u * 2, 2);
	} else
		*--p = (char)('0' + u);
	if (v < 0)
		*--p = '-';
	buf_putn(b, p, (size_t)(text + sizeof(text) - p));
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 room = b->cap - b->len;
	int	 n;

	/* The spare byte takes the NUL. */
	va_start(ap, fmt);
	n = vsnprintf(b->data == NULL ? NULL : b->data + b->len,
	    b->data == NULL ? 0 : room + 1, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	if ((size_t)n > room) {
		if (!buf_reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

const char *
buf_text(struct buf *b)
{
	if (b->data == NULL)
		return "";
	b->data[b->len] = '\0';
	return b->data;
}

void
buf_html(struct buf *b, const char *s, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		switch (s[i]) {
		case '&':
			BUF_LIT(b, "&amp;");
			break;
		case '<':
			BUF_LIT(b, "&lt;");
			break;
		case '>':
			BUF_LIT(b, "&gt;");
			break;
		case '"':
			BUF_LIT(b, "&quot;");
			break;
		case '\'':
			BUF_LIT(b, "&#39;");
			break;
		default:
			buf_putc(b, s[i]);
			break;
		}
}
