/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_conn.c -- the connections of a process: one set for all threads.
 *
 * A thread is held by a request, never by a connection: whoever is free
 * waits on the set and takes what becomes ready.  A request is looked at
 * before it is read, so that a peer that stops half-way holds nobody; it
 * goes after a while.
 *
 * The set reports each change once (EPOLLET) and nothing is armed anew.
 * The word of a descriptor says who may touch it: IDLE, nobody; BUSY, one
 * thread; AGAIN, the same, and there was news meanwhile.  Its generation
 * keeps news of a connection that has gone from its successor.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#include "http/server_internal.h"

#define CONNS_MAX	65536
#define PEEK		16384	/* of a request, looked at */
#define SLICE_US	1200	/* of the processor, below the kernel's 3 ms */
#define SLEPT_US	30	/* so long a wait was no mere call */
#define COMPLAIN_US	1000000	/* between lines about accept */

/* Beside descriptors, in the low half of an event's data. */
#define LISTENING	UINT32_MAX
#define TIMER		(UINT32_MAX - 1)
#define END		(UINT32_MAX - 2)

/* A generation and one of these. */
enum { FREE, IDLE, BUSY, AGAIN };
#define WORD(gen, state)	((uint64_t)(gen) << 2 | (state))

struct server_conn {
	_Atomic uint64_t	 word;
	_Atomic int64_t		 since_us; /* of half a request, or 0 */
};

/* FastCGI 3.3: version, type, id, content, padding. */
enum { HEADER = 8, FCGI_1 = 1, STDIN = 5 };

enum sight { NONE, PART, WHOLE, GONE };

int64_t server_peer_ms = 30000;

static bool
wait_for(struct server *s, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	return epoll_ctl(s->set, EPOLL_CTL_ADD, fd, &ev) == 0;
}

bool
server_conn_open(struct server *s)
{
	struct rlimit limit = { CONNS_MAX, CONNS_MAX };

	getrlimit(RLIMIT_NOFILE, &limit);
	s->nconns = limit.rlim_cur < CONNS_MAX ? (int)limit.rlim_cur :
	    CONNS_MAX;
	s->conns = calloc((size_t)s->nconns, sizeof(*s->conns));
	s->set = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC |
	    TFD_NONBLOCK);
	s->gone_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* Of the processes on one socket a free one is woken, not all. */
	if (s->conns != NULL && s->set >= 0 && s->gone_fd >= 0 &&
	    wait_for(s, s->fd, EPOLLIN | EPOLLEXCLUSIVE, LISTENING) &&
	    wait_for(s, s->timer, EPOLLIN | EPOLLET, TIMER) &&
	    wait_for(s, s->end_fd, EPOLLIN, END))
		return true;
	log_error("event=start reason=epoll errno=%d", errno);
	server_conn_close(s);
	return false;
}

void
server_conn_close(struct server *s)
{
	const int fds[] = { s->set, s->timer, s->gone_fd, s->end_fd };
	int fd, top = atomic_load(&s->top);
	size_t i;

	for (fd = 0; fd < top; fd++)
		if ((atomic_load(&s->conns[fd].word) & 3) != FREE)
			close(fd);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(s->conns);
}

static void
ring(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		log_error("event=stop reason=eventfd errno=%d", errno);
}

/* One connection less. */
static void
count_down(struct server *s)
{
	if (atomic_fetch_sub(&s->open, 1) == 1 && atomic_load(&s->stopped))
		ring(s->gone_fd);
}

void
server_conn_drop(struct server *s, const struct taken *t)
{
	/* First, because the next may have the descriptor at once. */
	atomic_store(&s->conns[t->fd].word, WORD(t->gen + 1, FREE));
	close(t->fd);
	count_down(s);
}

void
server_conn_lost(struct server *s, const struct taken *t)
{
	_Atomic uint64_t *word = &s->conns[t->fd].word;
	uint64_t w = WORD(t->gen, BUSY);

	/* Unless somebody has the descriptor by now. */
	if (!atomic_compare_exchange_strong(word, &w,
	    WORD(t->gen + 1, FREE)) && w == WORD(t->gen, AGAIN))
		atomic_compare_exchange_strong(word, &w,
		    WORD(t->gen + 1, FREE));
	count_down(s);
}

/* Whether a whole request is there, by the record that ends its body. */
static enum sight
look_at(const uint8_t *p, size_t n)
{
	size_t at = 0, len;

	while (n - at >= HEADER) {
		len = (size_t)p[at + 4] << 8 | p[at + 5];
		if (p[at] != FCGI_1)
			return GONE;
		if (p[at + 1] == STDIN && len == 0)
			return WHOLE;
		at += HEADER + len + p[at + 6];
		if (at > n)
			break;
	}
	return n == PEEK ? WHOLE : PART;
}

static enum sight
look(int fd)
{
	struct pollfd p = { fd, POLLRDHUP, 0 };
	uint8_t data[PEEK];
	enum sight sight;
	ssize_t n;

	n = recv(fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
	if (n == 0)
		return GONE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? NONE : GONE;
	sight = look_at(data, (size_t)n);
	/* The rest of it will never come. */
	if (sight == PART && poll(&p, 1, 0) > 0)
		sight = GONE;
	return sight;
}

static void
arm(struct server *s, int64_t us)
{
	struct itimerspec t = { { 0, 0 }, { 0, 0 } };

	if (atomic_exchange(&s->armed, true))
		return;
	us = us < 1000 ? 1000 : us;
	t.it_value.tv_sec = us / 1000000;
	t.it_value.tv_nsec = us % 1000000 * 1000;
	timerfd_settime(s->timer, 0, &t, NULL);
}

/* Half a request, or nothing from a new peer: not for ever. */
static void
note_half(struct server *s, const struct taken *t, bool half)
{
	_Atomic int64_t *since = &s->conns[t->fd].since_us;
	int64_t was = atomic_load_explicit(since, memory_order_relaxed);

	if (half == (was != 0))
		return;
	atomic_store(since, half ? clock_mono_us() : 0);
	if (half)
		arm(s, server_peer_ms * 1000);
}

/*
 * Let go of a connection unless a request is there: true then.  `half`
 * when one is owed.
 */
static bool
settle(struct server *s, struct taken *t, bool half)
{
	_Atomic uint64_t *word = &s->conns[t->fd].word;
	enum sight sight;
	uint64_t w;

	for (;;) {
		if ((sight = look(t->fd)) == GONE)
			break;
		note_half(s, t, sight == PART || (sight == NONE && half));
		if (sight == WHOLE)
			return true;
		if (!t->waited && !wait_for(s, t->fd, EPOLLIN | EPOLLRDHUP |
		    EPOLLET, (uint64_t)t->gen << 32 | (uint32_t)t->fd))
			break;
		t->waited = true;
		w = WORD(t->gen, BUSY);
		if (atomic_compare_exchange_strong(word, &w,
		    WORD(t->gen, IDLE)))
			return false;
		atomic_store(word, WORD(t->gen, BUSY));
	}
	server_conn_drop(s, t);
	return false;
}

bool
server_conn_keep(struct server *s, struct taken *t)
{
	_Atomic uint64_t *word = &s->conns[t->fd].word;
	uint64_t w = WORD(t->gen, BUSY);

	/* Usually it waits already and nothing has come meanwhile. */
	if (t->waited && atomic_compare_exchange_strong(word, &w,
	    WORD(t->gen, IDLE)))
		return false;
	atomic_store(word, WORD(t->gen, BUSY));
	return settle(s, t, false);
}

/* A peer that stops half-way must not hold a thread for ever. */
static void
bound_peer(int fd)
{
	struct timeval t = { server_peer_ms / 1000,
		server_peer_ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* Out of descriptors or the like: wait a little rather than spin. */
static void
accept_failed(struct server *s, int e)
{
	static const struct timespec pause = { 0, 20 * 1000 * 1000 };
	int64_t now = clock_mono_us();

	if (e == EAGAIN || e == EINTR || e == ECONNABORTED)
		return;
	if (now - atomic_load(&s->accept_us) > COMPLAIN_US) {
		atomic_store(&s->accept_us, now);
		log_warn("event=accept errno=%d", e);
	}
	nanosleep(&pause, NULL);
}

/* Somebody new, in the hands of this thread. */
static void
begin(struct server *s, int fd, struct taken *ret)
{
	struct server_conn *c = &s->conns[fd];
	int top = atomic_load(&s->top);

	*ret = (struct taken){ fd,
	    (uint32_t)(atomic_load(&c->word) >> 2) + 1, false };
	atomic_store(&c->since_us, 0);
	atomic_store(&c->word, WORD(ret->gen, BUSY));
	while (top <= fd &&
	    !atomic_compare_exchange_weak(&s->top, &top, fd + 1))
		;
	bound_peer(fd);
}

static bool
take_new(struct server *s, struct taken *ret)
{
	int fd = -1;

	/* Counted before the look at `stopped`: drain must not miss it. */
	atomic_fetch_add(&s->open, 1);
	if (!atomic_load(&s->stopped)) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			accept_failed(s, errno);
	}
	if (fd >= s->nconns) {
		close(fd);
		accept_failed(s, EMFILE);
		fd = -1;
	}
	if (fd < 0) {
		count_down(s);
		return false;
	}
	begin(s, fd, ret);
	return settle(s, ret, true);
}

/* From idle to ours; else whoever has it is told that there is news. */
static bool
claim(struct server *s, int fd, uint32_t gen)
{
	_Atomic uint64_t *word = &s->conns[fd].word;
	uint64_t w = WORD(gen, IDLE);

	for (;;) {
		if (w == WORD(gen, IDLE)) {
			if (atomic_compare_exchange_weak(word, &w,
			    WORD(gen, BUSY)))
				return true;
		} else if (w == WORD(gen, BUSY)) {
			if (atomic_compare_exchange_weak(word, &w,
			    WORD(gen, AGAIN)))
				return false;
		} else
			return false;
	}
}

static bool
take_known(struct server *s, uint64_t data, struct taken *ret)
{
	struct server_conn *c;

	*ret = (struct taken){ (int)(uint32_t)data, (uint32_t)(data >> 32),
	    true };
	if (!claim(s, ret->fd, ret->gen))
		return false;
	c = &s->conns[ret->fd];
	return settle(s, ret, atomic_load_explicit(&c->since_us,
	    memory_order_relaxed) != 0);
}

/*
 * Give up a peer that has owed a request for too long.  True when it has
 * sent the request this very moment, which then is the caller's.
 */
static bool
give_up(struct server *s, int fd, uint64_t w, struct taken *ret)
{
	struct server_conn *c = &s->conns[fd];
	int64_t since;

	if (!atomic_compare_exchange_strong(&c->word, &w, w - IDLE + BUSY))
		return false;
	*ret = (struct taken){ fd, (uint32_t)(w >> 2), true };
	since = atomic_load(&c->since_us);
	if (since == 0 ||
	    since + server_peer_ms * 1000 > clock_mono_us())
		return settle(s, ret, since != 0);
	server_conn_drop(s, ret);
	return false;
}

/* Look for such peers; armed again while somebody owes a request. */
static bool
sweep(struct server *s, struct taken *ret)
{
	int64_t now = clock_mono_us(), since, left, next = INT64_MAX;
	int fd, top = atomic_load(&s->top);
	bool found = false;
	uint64_t w, fired;

	if (read(s->timer, &fired, sizeof(fired)) < 0)
		return false;
	atomic_store(&s->armed, false);
	for (fd = 0; fd < top && !found; fd++) {
		w = atomic_load(&s->conns[fd].word);
		since = atomic_load(&s->conns[fd].since_us);
		if (since == 0 || (w & 3) == FREE)
			continue;
		left = since + server_peer_ms * 1000 - now;
		if (left <= 0 && (w & 3) == IDLE) {
			found = give_up(s, fd, w, ret);
			continue;
		}
		left = left < 0 ? 0 : left;
		next = left < next ? left : next;
	}
	if (found)
		next = 0;
	if (next != INT64_MAX)
		arm(s, next);
	return found;
}

/*
 * One event.  A thread that never sleeps is stopped when its slice of the
 * processor ends, which may be in the middle of a request, and then waits
 * behind all others; so it gives way between two requests before that.
 */
static bool
wait_event(struct server *s, struct epoll_event *ret)
{
	static _Thread_local int64_t awake_us;
	int64_t before = clock_mono_us(), after;
	int n;

	if (before - awake_us > SLICE_US) {
		sched_yield();
		awake_us = before = clock_mono_us();
	}
	n = epoll_wait(s->set, ret, 1, -1);
	after = clock_mono_us();
	if (after - before > SLEPT_US)
		awake_us = after;
	return n == 1;
}

bool
server_conn_next(struct server *s, struct taken *ret)
{
	struct epoll_event ev;
	bool found = false;

	while (!found && !atomic_load(&s->ended)) {
		if (!wait_event(s, &ev))
			continue;
		switch ((uint32_t)ev.data.u64) {
		case LISTENING:
			found = take_new(s, ret);
			break;
		case TIMER:
			found = sweep(s, ret);
			break;
		case END:
			break;
		default:
			found = take_known(s, ev.data.u64, ret);
			break;
		}
	}
	return found;
}

void
server_conn_drain(struct server *s, int64_t ms)
{
	struct pollfd p = { s->gone_fd, POLLIN, 0 };
	int64_t left, end = clock_mono_us() + ms * 1000;
	uint64_t n;

	atomic_store(&s->stopped, true);
	epoll_ctl(s->set, EPOLL_CTL_DEL, s->fd, NULL);
	while (atomic_load(&s->open) > 0 &&
	    (left = end - clock_mono_us()) > 0)
		if (poll(&p, 1, (int)(left / 1000 + 1)) > 0 &&
		    read(s->gone_fd, &n, sizeof(n)) < 0)
			break;
}

void
server_conn_end(struct server *s)
{
	atomic_store(&s->ended, true);
	ring(s->end_fd);
}
