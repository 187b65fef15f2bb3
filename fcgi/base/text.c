/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c -- UTF-8 as people type it.
 *
 * All functions but text_valid and text_from_gbk take NUL-terminated
 * strings; decode() alone knows what UTF-8 looks like, the rest asks it.
 */
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define POINT_MINUS	0x2212
#define POINT_BLANK	0x3000		/* ideographic space */
#define POINT_NBSP	0x00a0

/*
 * The first character of the `n` bytes at `s` into *ret; its length, or 0
 * when it is malformed.  The second byte's range depends on the first one:
 * that keeps out overlong forms, surrogates and what is past U+10FFFF.
 */
static size_t
decode(const char *s, size_t n, uint32_t *ret)
{
	const unsigned char	*p = (const unsigned char *)s;
	unsigned char		 low = 0x80, high = 0xbf;
	uint32_t		 c = p[0];
	size_t			 i, len;

	if (c < 0x80) {
		*ret = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (len > n)
		return 0;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	c &= 0x7fu >> len;
	for (i = 1; i < len; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*ret = c;
	return len;
}

bool
text_valid(const char *s, size_t n)
{
	const uint64_t	 tops = 0x8080808080808080u;
	uint64_t	 word;
	uint32_t	 c;
	size_t		 len;

	while (n > 0) {
		if (n >= sizeof(word)) {
			memcpy(&word, s, sizeof(word));
			if ((word & tops) == 0) {
				s += sizeof(word);
				n -= sizeof(word);
				continue;
			}
		}
		if ((len = decode(s, n, &c)) == 0)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

size_t
text_length(const char *s)
{
	size_t	 n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Code points that no person types and some readers stumble over. */
static bool
is_unclean(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	    c == 0x2028 || c == 0x2029 ||
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool
text_clean(const char *s, bool lines)
{
	size_t	 len, n = strlen(s);
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		if ((len = decode(s, n, &c)) == 0)
			return false;
		if (is_unclean(c) && !(lines && c == '\n'))
			return false;
	}
	return true;
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == POINT_BLANK ||
	    c == POINT_NBSP;
}

char *
text_trim(struct arena *a, const char *s)
{
	const char	*start = NULL, *end = s;
	size_t		 len, n = strlen(s);
	uint32_t	 c;

	for (; n > 0; s += len, n -= len) {
		/* What is malformed is not blank, and not judged here. */
		if ((len = decode(s, n, &c)) == 0) {
			len = 1;
			c = '?';
		}
		if (is_blank(c))
			continue;
		if (start == NULL)
			start = s;
		end = s + len;
	}
	if (start == NULL)
		start = end;
	return arena_copy(a, start, (size_t)(end - start));
}

char *
text_cut(struct arena *a, const char *s, size_t points)
{
	const char	*p = s;
	size_t		 n;

	if (text_length(s) <= points)
		return arena_str(a, s);
	if (points == 0)
		return arena_copy(a, "", 0);
	for (n = points - 1; n > 0; n--)
		do
			p++;
		while (((unsigned char)*p & 0xc0) == 0x80);
	return arena_fmt(a, "%.*s…", (int)(p - s), s);
}

static bool
is_dash(uint32_t c)
{
	return c == '-' || (c >= 0x2010 && c <= 0x2015) ||
	    c == POINT_MINUS || c == 0xfe63 || c == 0xff0d;
}

/* U+FF01 .. U+FF5E are ASCII in full width. */
static uint32_t
narrow(uint32_t c)
{
	return c >= 0xff01 && c <= 0xff5e ? c - 0xff01 + '!' : c;
}

/* The digits of `s` (a plus first is kept); false when there is more. */
static bool
phone_digits(const char *s, char *out, size_t size)
{
	size_t	 len, n = strlen(s), used = 0;
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		if ((len = decode(s, n, &c)) == 0)
			return false;
		if (is_blank(c) || is_dash(c))
			continue;
		c = narrow(c);
		if (!(c >= '0' && c <= '9') && !(c == '+' && used == 0))
			return false;
		if (used + 1 == size)
			return false;
		out[used++] = (char)c;
	}
	out[used] = '\0';
	return true;
}

char *
text_phone(struct arena *a, const char *s)
{
	char		 all[16];	/* +8613812341234 and some */
	const char	*p = all;

	if (!phone_digits(s, all, sizeof(all)))
		return NULL;
	if (*p == '+' && strncmp(++p, "86", 2) != 0)
		return NULL;
	/* No mobile number starts with 8, so this is the country. */
	if (strncmp(p, "86", 2) == 0)
		p += 2;
	if (strlen(p) != 11 || p[0] != '1' || p[1] < '3')
		return NULL;
	return arena_str(a, p);
}

char *
text_mask_phone(struct arena *a, const char *phone)
{
	size_t	 n = strlen(phone), tail;

	if (n < 7)
		return arena_str(a, "****");
	/* At least four places stay hidden. */
	tail = n - 7 < 4 ? n - 7 : 4;
	return arena_fmt(a, "%.3s****%s", phone, phone + n - tail);
}

char *
text_mask_id(struct arena *a, const char *number)
{
	size_t	 n = strlen(number);

	if (n == 18)
		return arena_fmt(a, "%.6s********%s", number, number + 14);
	if (n < 4)
		return arena_str(a, "****");
	return arena_fmt(a, "%.1s****%s", number, number + n - 1);
}

/* Family names of two characters that are met with; others are rare. */
static bool
is_double_name(const char *s)
{
	static const char	 names[] = "欧阳司马上官诸葛东方皇甫尉迟公孙"
	    "令狐慕容长孙宇文司徒司空夏侯轩辕端木独孤南宫百里东郭西门申屠"
	    "太史公羊钟离淳于濮阳单于呼延闻人赫连澹台公冶宗政太叔仲孙闾丘"
	    "鲜于拓跋公西左丘乐正";
	size_t			 i;

	for (i = 0; i + 6 < sizeof(names); i += 6)
		if (strncmp(s, names + i, 6) == 0)
			return true;
	return false;
}

char *
text_mask_name(struct arena *a, const char *name)
{
	size_t	 points = text_length(name), kept;
	char	*out, *p;

	if (points <= 1)
		return arena_str(a, "*");
	kept = points > 2 && is_double_name(name) ? 2 : 1;
	for (p = out = arena_str(a, name); kept > 0; kept--, points--)
		do
			p++;
		while (((unsigned char)*p & 0xc0) == 0x80);
	if (points > 4)
		points = 4;
	memset(p, '*', points);
	p[points] = '\0';
	return out;
}

size_t
text_narrow(const char *s, char *out, size_t size)
{
	size_t	 len, n = strlen(s), used = 0;
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		if ((len = decode(s, n, &c)) == 0) {
			len = 1;
			c = '?';
		}
		if (is_blank(c) || is_dash(c))
			continue;
		c = narrow(c);
		if (used + 1 < size)
			out[used] = c > ' ' && c < 0x7f ? (char)c : '?';
		used++;
	}
	out[used < size ? used : size - 1] = '\0';
	return used;
}

char *
text_from_gbk(struct arena *a, const char *s, size_t n)
{
	size_t	 size = n * 2 + 4, left = size;
	iconv_t	 cd;
	char	*out, *to, *from = (char *)(uintptr_t)s;
	bool	 good;

	if (n > 0 && memchr(s, '\0', n) != NULL)
		return NULL;
	cd = iconv_open("UTF-8", "GB18030");
	if (cd == (iconv_t)-1)
		return NULL;
	/* Two bytes become three, four become four: twice is enough. */
	out = to = arena_take(a, size);
	good = iconv(cd, &from, &n, &to, &left) != (size_t)-1 &&
	    iconv(cd, NULL, NULL, &to, &left) != (size_t)-1;
	iconv_close(cd);
	if (!good || left == 0 || !text_valid(out, size - left))
		return NULL;
	return out;
}

char *
text_to_gbk(struct arena *a, const char *s, size_t *ret_n)
{
	size_t	 n = strlen(s), size = n * 2 + 4, left = size;
	iconv_t	 cd = iconv_open("GBK", "UTF-8");
	char	*out, *to, *from = (char *)(uintptr_t)s;
	bool	 good;

	if (cd == (iconv_t)-1)
		return NULL;
	out = to = arena_take(a, size);
	good = iconv(cd, &from, &n, &to, &left) != (size_t)-1;
	iconv_close(cd);
	*ret_n = size - left;
	return good ? out : NULL;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *
text_unescape(struct arena *a, const char *s, size_t n)
{
	char	*out = arena_take(a, n + 1), *p = out;
	size_t	 i;
	int	 high, low;

	for (i = 0; i < n; i++) {
		*p = s[i] == '+' ? ' ' : s[i];
		if (s[i] == '%') {
			if (n - i < 3 || (high = hex(s[i + 1])) < 0 ||
			    (low = hex(s[i + 2])) < 0)
				return NULL;
			*p = (char)(high << 4 | low);
			i += 2;
		}
		if (*p++ == '\0')
			return NULL;
	}
	return out;
}
