/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c -- planet-worker: FastCGI responder on file descriptor 0.
 *
 *	planet-worker --config FILE --pool api|slow
 *
 * Both pools are this program; nginx sends each route to its pool.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "http/server.h"
#include "program.h"
#include "wechat/pay.h"
#include "wechat/wechat.h"
#include "wechat/wechat_push.h"

static int
usage(void)
{
	fprintf(stderr,
	    "usage: planet-worker --config FILE --pool api|slow\n");
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "pool", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 }
	};
	const char	*path = NULL, *pool = NULL;
	struct conf	*conf;
	int		 c, threads, rc;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'p':
			pool = optarg;
			break;
		default:
			return usage();
		}
	if (path == NULL || pool == NULL || optind != argc ||
	    (strcmp(pool, "api") != 0 && strcmp(pool, "slow") != 0))
		return usage();
	if ((conf = program_start(pool, path, true)) == NULL)
		return 1;
	threads = (int)(strcmp(pool, "api") == 0 ? conf->api_threads :
	    conf->slow_threads);
	if (wechat_init(conf) != OK || pay_init(conf) != OK ||
	    wechat_push_init(conf) != OK) {
		conf_free(conf);
		return 1;
	}
	rc = server_run(conf, 0, threads, pool);
	conf_free(conf);
	return rc;
}
