/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c -- what this process counted since it started.
 *
 * Relaxed atomic counters: a scrape may see one request half counted,
 * which the next one mends.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/session.h"

#include "http/metrics.h"
#include "http/route.h"

#define CLASSES	6		/* 1xx .. 5xx; 0 is not used */
#define ADD(c, n) atomic_fetch_add_explicit(&(c), (n), memory_order_relaxed)
#define GETC(c)	atomic_load_explicit(&(c), memory_order_relaxed)

static const int64_t bounds[] = {	/* microseconds */
	250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 5000000, 10000000
};
static const char *const bound_names[] = {
	"0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
	"0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"
};
#define BOUNDS ((int)(sizeof(bounds) / sizeof(bounds[0])))
_Static_assert(sizeof(bounds) / sizeof(bounds[0]) ==
    sizeof(bound_names) / sizeof(bound_names[0]), "a name each");

static struct {
	_Atomic uint64_t count[BOUNDS + 1];
	_Atomic uint64_t sum_us;
} latency[POOL_SLOW + 1];

static _Atomic uint64_t requests[ROUTE_MAX + 1][CLASSES];
static _Atomic uint64_t replays;
static _Atomic int busy;
static _Atomic int threads_all;
static _Atomic int64_t started;

void
metrics_start(int threads)
{
	atomic_store(&started, clock_mono_us());
	atomic_store(&threads_all, threads);
}

void
metrics_request(int index, const struct route *r, int status, int64_t us)
{
	int pool = r ? (int)r->pool : POOL_API, i = 0;
	int class = status / 100;

	if (index < 0 || index >= ROUTE_MAX)
		index = ROUTE_MAX;
	if (class < 1 || class >= CLASSES)
		class = 5;
	ADD(requests[index][class], 1);
	while (i < BOUNDS && us > bounds[i])
		i++;
	ADD(latency[pool].count[i], 1);
	ADD(latency[pool].sum_us, (uint64_t)(us > 0 ? us : 0));
}

void
metrics_replay(void)
{
	ADD(replays, 1);
}

void
metrics_busy(int by)
{
	ADD(busy, by);
}

static void
print_requests(struct buf *b)
{
	const struct route *r;
	uint64_t n;
	int i, c;

	BUF_LIT(b, "# HELP planet_requests_total Requests answered.\n"
	    "# TYPE planet_requests_total counter\n");
	for (i = 0; i <= ROUTE_MAX; i++) {
		r = i < ROUTE_MAX ? route_at(i, NULL) : NULL;
		for (c = 1; c < CLASSES; c++) {
			if ((n = GETC(requests[i][c])) == 0)
				continue;
			buf_fmt(b, "planet_requests_total{method=\"%s\","
			    "route=\"%s\",status=\"%dxx\"} %" PRIu64 "\n",
			    r ? method_name(r->method) : "-",
			    r ? r->path : "-", c, n);
		}
	}
}

static void
print_latency(struct buf *b)
{
	static const char *const pools[] = { "", "api", "slow" };
	uint64_t n;
	int p, i;

	BUF_LIT(b, "# HELP planet_request_seconds Time to answer.\n"
	    "# TYPE planet_request_seconds histogram\n");
	for (p = POOL_API; p <= POOL_SLOW; p++) {
		for (n = 0, i = 0; i < BOUNDS; i++) {
			n += GETC(latency[p].count[i]);
			buf_fmt(b, "planet_request_seconds_bucket{"
			    "pool=\"%s\",le=\"%s\"} %" PRIu64 "\n", pools[p],
			    bound_names[i], n);
		}
		n += GETC(latency[p].count[BOUNDS]);
		buf_fmt(b, "planet_request_seconds_bucket{pool=\"%s\","
		    "le=\"+Inf\"} %" PRIu64 "\n", pools[p], n);
		buf_fmt(b, "planet_request_seconds_sum{pool=\"%s\"} %.6f\n",
		    pools[p], (double)GETC(latency[p].sum_us) / 1e6);
		buf_fmt(b, "planet_request_seconds_count{pool=\"%s\"} %"
		    PRIu64 "\n", pools[p], n);
	}
}

static void
print_one(struct buf *b, const char *name, const char *type,
    const char *help, int64_t v)
{
	buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name,
	    help, name, type, name, v);
}

void
metrics_print(struct buf *b)
{
	struct session_stats s = session_stats();

	print_requests(b);
	print_latency(b);
	print_one(b, "planet_transaction_replays_total", "counter",
	    "Transactions run again.", (int64_t)GETC(replays));
	print_one(b, "planet_session_cache_hits_total", "counter",
	    "Sessions found in the process.", s.hits);
	print_one(b, "planet_session_cache_misses_total", "counter",
	    "Sessions asked of Redis.", s.misses);
	print_one(b, "planet_session_cache_invalidations_total", "counter",
	    "Entries that Redis took back.", s.invalidations);
	print_one(b, "planet_session_cache_entries", "gauge",
	    "Sessions held in the process.", s.entries);
	print_one(b, "planet_session_cache_tracking", "gauge",
	    "1 while Redis keeps the cache true.", s.tracking);
	print_one(b, "planet_threads", "gauge", "Threads that serve.",
	    GETC(threads_all));
	print_one(b, "planet_threads_busy", "gauge",
	    "Threads at work on a request.", GETC(busy));
	print_one(b, "planet_uptime_seconds", "gauge",
	    "Time since the process began to serve.",
	    (clock_mono_us() - GETC(started)) / 1000000);
	print_one(b, "planet_process_id", "gauge", "Which process this is.",
	    getpid());
}
