/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c -- one event, one line on standard error.
 *
 * A line is put together on the stack and leaves in one write(2), so that
 * lines of several threads and processes do not mix.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define LOG_LINE	4096		/* bytes, the newline included */

static const char *const log_names[] = { "debug", "info", "warn", "error" };
static char		 log_program[32] = "planet";
static enum log_level	 log_least = LOG_INFO_;

/* What follows the time in a line of each level: " info api[123] ". */
static struct head {
	char	text[64];
	size_t	len;
} heads[4];
static pthread_once_t	 once = PTHREAD_ONCE_INIT;

static void
make_heads(void)
{
	size_t	i;
	int	n;

	for (i = 0; i < 4; i++) {
		n = snprintf(heads[i].text, sizeof(heads[i].text),
		    " %s %s[%ld] ", log_names[i], log_program,
		    (long)getpid());
		heads[i].len = (size_t)n;
	}
}

/* A child has a number of its own. */
static void
prepare(void)
{
	make_heads();
	pthread_atfork(NULL, NULL, make_heads);
}

void
log_open(const char *program, enum log_level least)
{
	pthread_once(&once, prepare);
	snprintf(log_program, sizeof(log_program), "%s", program);
	log_least = least;
	make_heads();
}

/* Where to cut at or before `n` without splitting a character. */
static size_t
char_start(const char *s, size_t n)
{
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
write_all(const char *s, size_t n)
{
	ssize_t	 w;

	while (n > 0) {
		w = write(STDERR_FILENO, s, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		s += w;
		n -= (size_t)w;
	}
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	char	 line[LOG_LINE + 1];
	va_list	 ap;
	size_t	 i, len;
	int	 n, saved = errno;

	if (level < log_least)
		return;
	pthread_once(&once, prepare);
	len = (size_t)clock_text(clock_now(), line);
	memcpy(line + len, heads[level].text, heads[level].len);
	len += heads[level].len;
	errno = saved;		/* for %m */
	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	len += n < 0 ? 0 : (size_t)n;
	if (len >= LOG_LINE) {
		len = char_start(line, LOG_LINE - 4);
		memcpy(line + len, "...", 3);
		len += 3;
	}
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[len] = '\n';
	write_all(line, len + 1);
	errno = saved;
}

/* One character of a quoted value; returns its length in `out`. */
static size_t
escape(unsigned char c, bool high, char out[5])
{
	const char	*named = c == '\n' ? "\\n" : c == '\t' ? "\\t" :
	    c == '"' ? "\\\"" : c == '\\' ? "\\\\" : NULL;

	if (named != NULL)
		return (size_t)snprintf(out, 5, "%s", named);
	if (c < ' ' || c == 127 || (high && c >= 128))
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	out[0] = (char)c;
	return 1;
}

static bool
is_plain(const char *s)
{
	const unsigned char	*p = (const unsigned char *)s;

	for (; *p != '\0'; p++)
		if (*p <= ' ' || *p == 127 || strchr("\"\\=", *p) != NULL)
			return false;
	return p != (const unsigned char *)s;
}

const char *
log_quote(const char *s, char *out, unsigned long size)
{
	char	 one[5];
	size_t	 n, len = 0;
	bool	 high;

	if (size < 8) {
		if (size > 0)
			out[0] = '\0';
		return out;
	}
	if (s == NULL)
		s = "-";
	/* What a terminal could be misled by is shown as bytes. */
	high = !text_valid(s, strlen(s)) || !text_clean(s, true);
	if (!high && is_plain(s) && strlen(s) < size) {
		memcpy(out, s, strlen(s) + 1);
		return out;
	}
	out[len++] = '"';
	for (; *s != '\0'; s++) {
		n = escape((unsigned char)*s, high, one);
		/* The three dots, the closing quote and the NUL. */
		if (len + n + 5 > size) {
			for (; !high && ((unsigned char)*s & 0xc0) == 0x80;
			    s--)
				len--;
			memcpy(out + len, "...", 3);
			len += 3;
			break;
		}
		memcpy(out + len, one, n);
		len += n;
	}
	out[len++] = '"';
	out[len] = '\0';
	return out;
}
