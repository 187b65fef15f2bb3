/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi_client.c -- the web server's side of FastCGI.
 */
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgi_client.h"

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

int
fcgi_connect(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(path);

	if (fd < 0 || n >= sizeof(un.sun_path))
		return -1;
	memcpy(un.sun_path, path, n + 1);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
put(int fd, const void *data, size_t n)
{
	const char *p = data;
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w)
		if ((w = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

static bool
record(int fd, int type, const void *data, size_t n)
{
	uint8_t h[8] = { 1, (uint8_t)type, 0, 1, (uint8_t)(n >> 8),
		(uint8_t)n, 0, 0 };

	return put(fd, h, sizeof(h)) && (n == 0 || put(fd, data, n));
}

static size_t
length(uint8_t *to, size_t n)
{
	if (n < 128) {
		to[0] = (uint8_t)n;
		return 1;
	}
	to[0] = (uint8_t)(n >> 24 | 128);
	to[1] = (uint8_t)(n >> 16);
	to[2] = (uint8_t)(n >> 8);
	to[3] = (uint8_t)n;
	return 4;
}

bool
fcgi_begin(int fd, bool keep, const char *const *params)
{
	uint8_t begin[8] = { 0, 1, keep, 0, 0, 0, 0, 0 }, pairs[16384];
	size_t n = 0, name, value;
	const char *eq;

	for (; *params != NULL; params++) {
		eq = strchr(*params, '=');
		name = (size_t)(eq - *params);
		value = strlen(eq + 1);
		if (n + name + value + 8 > sizeof(pairs))
			return false;
		n += length(pairs + n, name);
		n += length(pairs + n, value);
		memcpy(pairs + n, *params, name);
		memcpy(pairs + n + name, eq + 1, value);
		n += name + value;
	}
	return record(fd, BEGIN, begin, sizeof(begin)) &&
	    record(fd, PARAMS, pairs, n) && record(fd, PARAMS, NULL, 0);
}

bool
fcgi_stdin(int fd, const char *data, size_t n)
{
	size_t part;

	if (n == 0)
		return record(fd, STDIN, NULL, 0);
	for (; n > 0; data += part, n -= part) {
		part = n < 30000 ? n : 30000;
		if (!record(fd, STDIN, data, part))
			return false;
	}
	return true;
}

static bool
get(int fd, void *data, size_t n, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char *to = data;
	ssize_t r;

	for (; n > 0; to += r, n -= (size_t)r) {
		if (poll(&p, 1, ms) != 1)
			return false;
		if ((r = recv(fd, to, n, 0)) <= 0)
			return false;
	}
	return true;
}

long
fcgi_reply(int fd, char *out, size_t size, int ms)
{
	uint8_t h[8], data[65535 + 255];
	size_t n, all = 0;

	for (;;) {
		if (!get(fd, h, sizeof(h), ms))
			return -1;
		n = (size_t)h[4] << 8 | h[5];
		if (!get(fd, data, n + h[6], ms))
			return -1;
		if (h[1] == STDOUT && all + n < size) {
			memcpy(out + all, data, n);
			all += n;
		}
		if (h[1] == END)
			break;
	}
	out[all] = '\0';
	return (long)all;
}

bool
fcgi_ended(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char c;

	return poll(&p, 1, ms) == 1 && recv(fd, &c, 1, 0) <= 0;
}
