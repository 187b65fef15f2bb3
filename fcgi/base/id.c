/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id.c -- identifiers: 63 bits, ordered by time, made in the process.
 *
 * `id_last` holds the last milliseconds and sequence as one number, so one
 * compare-and-swap makes an id.  When the clock stands or steps back, or a
 * millisecond is used up, the number goes on from where it was.
 */
#include <sys/file.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"

#define ID_EPOCH	1704067200000LL	/* 2024-01-01T00:00:00Z */
#define ID_SEQ_BITS	12
#define ID_NODE_BITS	10

static _Atomic int64_t	id_last;
static _Atomic int64_t	id_node = ID_NODE_MAX - 1;
static int		id_lock = -1;

/* Our number is ours until the process ends: the lock goes with it. */
static bool
take_node(const char *dir, int node)
{
	char	 path[4096];
	int	 fd, n;

	n = snprintf(path, sizeof(path), "%s/node-%d", dir, node);
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		close(fd);
		return false;
	}
	if (id_lock != -1)
		close(id_lock);
	id_lock = fd;
	atomic_store(&id_node, node);
	return true;
}

bool
id_init(const char *dir, int base, int count)
{
	int	 node;

	if (base < 0 || count < 1 || count > ID_NODE_MAX - 1 - base)
		return false;
	for (node = base; node < base + count; node++)
		if (take_node(dir, node))
			return true;
	return false;
}

static int64_t
compose(int64_t tick)
{
	return (tick >> ID_SEQ_BITS) << (ID_SEQ_BITS + ID_NODE_BITS) |
	    atomic_load_explicit(&id_node, memory_order_relaxed) <<
	    ID_SEQ_BITS | (tick & ((1 << ID_SEQ_BITS) - 1));
}

int64_t
id_new(void)
{
	int64_t	 now, last, tick;

	now = clock_now() - ID_EPOCH;
	now = now < 0 ? 0 : now << ID_SEQ_BITS;
	last = atomic_load(&id_last);
	do
		tick = now > last ? now : last + 1;
	while (!atomic_compare_exchange_weak(&id_last, &last, tick));
	return compose(tick);
}

int64_t
id_at(int64_t ms)
{
	ms -= ID_EPOCH;
	return ms < 0 ? 0 : ms << (ID_SEQ_BITS + ID_NODE_BITS);
}

bool
id_parse(const char *s, int64_t *ret)
{
	int64_t	 v = 0;

	if (*s < '1' || *s > '9')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' ||
		    __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *s - '0', &v))
			return false;
	}
	*ret = v;
	return true;
}
