/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_internal.h -- what server.c, its threads and its connections
 * share.
 */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct server_conn;

/* All that the threads of one process have in common. */
struct server {
	const struct conf	*conf;
	int			 fd;		/* listening, non-blocking */
	int			 set;		/* epoll: what is waited for */
	int			 timer;		/* for unfinished requests */
	int			 gone_fd;	/* eventfd: all have gone */
	int			 end_fd;	/* eventfd: threads, leave */
	struct server_conn	*conns;		/* by descriptor */
	int			 nconns;
	_Atomic int		 top;		/* above every descriptor */
	_Atomic int		 open;		/* connections */
	_Atomic bool		 stopped;	/* nobody new */
	_Atomic bool		 ended;
	_Atomic bool		 armed;		/* the timer */
	_Atomic int64_t		 accept_us;	/* of the last complaint */
	_Atomic int64_t		 db_retry_us;	/* open no database before */
};

/* A connection that one thread has to itself. */
struct taken {
	int		 fd;
	uint32_t	 gen;		/* of the descriptor's users */
	bool		 waited;	/* it is in the set */
};

/*
 * Milliseconds that a peer may take in the middle of a request or of its
 * reply.  Tests shorten it.
 */
extern int64_t server_peer_ms;

/* Make set, timer and table; false, logged, when that fails. */
bool server_conn_open(struct server *);

/* Close every connection and all else.  No thread may be left. */
void server_conn_close(struct server *);

/*
 * Wait for a connection on which a request stands, whole as far as can
 * be seen.  False at the end.
 */
bool server_conn_next(struct server *, struct taken *ret);

/*
 * Done with the reply: wait for the next request.  True when it is there
 * already and the caller has to serve it.
 */
bool server_conn_keep(struct server *, struct taken *);

/* Close it. */
void server_conn_drop(struct server *, const struct taken *);

/* libfcgi has closed it. */
void server_conn_lost(struct server *, const struct taken *);

/* Take nobody new and wait, up to `ms`, until all have gone. */
void server_conn_drain(struct server *, int64_t ms);

/* Let every thread come back from server_conn_next. */
void server_conn_end(struct server *);

/*
 * Send head and `len` bytes of body as the whole answer to request `id`.
 * False when the connection cannot be used any more.
 */
bool server_write(int fd, int id, const struct buf *head, const char *body,
    size_t len);

/*
 * The same with `len` bytes of an open file, a piece at a time, so that a
 * large one takes no memory.
 */
bool server_write_file(int fd, int id, const struct buf *head, int file,
    int64_t len);

/* One thread; `arg` is the struct server. */
void *server_thread(void *arg);

#endif
