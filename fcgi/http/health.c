/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c -- alive, ready, and what was counted.
 *
 * Alive asks nothing of anyone, so that a lost database does not make a
 * supervisor kill workers that would recover by themselves.
 */
#include "base/buf.h"
#include "store/redis.h"

#include "http/health.h"
#include "http/metrics.h"
#include "http/req.h"

static enum err
health_alive(struct req *rq)
{
	BUF_LIT(rq->out, "ok\n");
	return OK;
}

static enum err
health_ready(struct req *rq)
{
	if (rq->db == NULL || db_ping(rq->db) != OK)
		return req_fail(rq, ERR_AWAY, NULL);
	if (redis_ping(rq->redis) != OK)
		return req_fail(rq, ERR_AWAY, NULL);
	BUF_LIT(rq->out, "ready\n");
	return OK;
}

static enum err
health_metrics(struct req *rq)
{
	metrics_print(rq->out);
	rq->content = "text/plain; version=0.0.4; charset=utf-8";
	return OK;
}

const struct route health_routes[] = {
	{ GET, "/healthz", ANYONE, NULL, REPLY_TEXT, NULL, 200, POOL_API,
	    TX_READ, health_alive, "Whether the process answers" },
	{ GET, HEALTH_READY, LOOPBACK, NULL, REPLY_TEXT, NULL, 200, POOL_API,
	    TX_READ, health_ready, "Whether database and Redis answer" },
	{ GET, "/metrics", LOOPBACK, NULL, REPLY_TEXT, NULL, 200, POOL_API,
	    TX_READ, health_metrics, "Counters as Prometheus text" },
	{ 0 }
};
