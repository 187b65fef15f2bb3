/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nothing.c -- the FastCGI worker that does nothing: what the road costs.
 *
 * The same library, threads and reply size as planet-worker, but every
 * request gets the same bytes.  Its rate is the most that any worker on
 * this way can reach; scripts/bench gives the others as a part of it.
 * Listens on descriptor 0; --threads N, --size BYTES of the body.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcgiapp.h>

#define THREADS_MAX	256
#define BODY_MAX	(1 << 20)
#define HEAD_MAX	256

static char head[HEAD_MAX];	/* header lines and the empty one */
static char *body;
static int body_len;

static void
usage(void)
{
	fprintf(stderr,
	    "usage: planet-bench-nothing [--threads N] [--size BYTES]\n");
	exit(2);
}

/* Digits only, from lo to hi; anything else ends the program. */
static int
number(const char *s, int lo, int hi)
{
	int n = 0;

	if (*s == '\0')
		usage();
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > hi)
			usage();
		n = n * 10 + (*s - '0');
	}
	if (n < lo || n > hi)
		usage();
	return n;
}

/* A JSON object of exactly `size` bytes. */
static bool
make_reply(int size)
{
	static const char open[] = "{\"nothing\":\"", close[] = "\"}";
	const int frame = sizeof(open) - 1 + sizeof(close) - 1;

	if ((body = malloc((size_t)size + 1)) == NULL)
		return false;
	memcpy(body, open, sizeof(open) - 1);
	memset(body + sizeof(open) - 1, 'x', (size_t)(size - frame));
	memcpy(body + size - (sizeof(close) - 1), close, sizeof(close));
	body_len = size;
	snprintf(head, sizeof(head), "Status: 200 OK\r\n"
	    "Content-Type: application/json\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Length: %d\r\n\r\n", size);
	return true;
}

static void *
serve(void *arg)
{
	FCGX_Request rq;

	(void)arg;
	if (FCGX_InitRequest(&rq, 0, 0) != 0)
		return NULL;
	while (FCGX_Accept_r(&rq) == 0) {
		FCGX_PutS(head, rq.out);
		FCGX_PutStr(body, body_len, rq.out);
		FCGX_Finish_r(&rq);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "size", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	pthread_t thread[THREADS_MAX];
	int threads = 16, size = 8192, c, i;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 't':
			threads = number(optarg, 1, THREADS_MAX);
			break;
		case 's':
			size = number(optarg, 32, BODY_MAX);
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
	if (FCGX_Init() != 0 || !make_reply(size)) {
		fprintf(stderr, "planet-bench-nothing: cannot start\n");
		return 1;
	}
	/* libfcgi catches it for one thread to notice; there are many. */
	signal(SIGTERM, SIG_DFL);
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, serve, NULL) != 0) {
			fprintf(stderr, "planet-bench-nothing: no thread\n");
			return 1;
		}
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	free(body);
	return 0;
}
