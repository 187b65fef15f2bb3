/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h -- a growing byte buffer that is born with a maximum.
 *
 * Passing the maximum sets a sticky `over` flag and drops what does not
 * fit; ask once, at the end.  The memory is kept across buf_clear.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char	*data;		/* not NUL-terminated; see buf_text */
	size_t	 len;		/* bytes used */
	size_t	 cap;		/* bytes there are */
	size_t	 max;		/* bytes there may be */
	bool	 over;		/* something did not fit */
};

/* Make `b` empty with room for at most `max` bytes. */
void buf_init(struct buf *b, size_t max);

/* Give the memory back; `b` is empty and usable again. */
void buf_free(struct buf *b);

/* Forget the bytes, keep the memory (up to 256 KiB of it). */
void buf_clear(struct buf *b);

/* Room for `n` more bytes, or false (and `over`) when past the maximum. */
bool buf_reserve(struct buf *b, size_t n);

void buf_putn_slow(struct buf *b, const char *s, size_t n);

/* Append `n` bytes. */
static inline void
buf_putn(struct buf *b, const char *s, size_t n)
{
	if (b->cap - b->len >= n && n > 0) {
		memcpy(b->data + b->len, s, n);
		b->len += n;
	} else if (n > 0)
		buf_putn_slow(b, s, n);
}

/* Append one byte. */
static inline void
buf_putc(struct buf *b, char c)
{
	buf_putn(b, &c, 1);
}

/* Append a string; `lit` must be a literal for BUF_LIT. */
static inline void
buf_puts(struct buf *b, const char *s)
{
	buf_putn(b, s, strlen(s));
}
#define BUF_LIT(b, lit)	buf_putn((b), "" lit, sizeof(lit) - 1)

/* Append a signed integer in decimal. */
void buf_puti(struct buf *b, int64_t v);

/* Append formatted text. */
void buf_fmt(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes as a NUL-terminated string, valid until the next change. */
const char *buf_text(struct buf *b);

/* Append text for HTML, with & < > and both quotes escaped. */
void buf_html(struct buf *b, const char *s, size_t n);

#endif
