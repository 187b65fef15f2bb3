/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.c -- what the three programs do first, and in the same order.
 */
#include <sys/stat.h>

#include <string.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/crypt.h"
#include "base/id.h"
#include "base/log.h"
#include "program.h"
#include "service/service.h"

/* Processes of one machine, old and new generation, and people's tools. */
#define NODES_A_MACHINE 64

static enum log_level
log_least(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn",
	    "error" };
	int	i;

	for (i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_INFO_;
}

struct conf *
program_start(const char *name, const char *conf_path, bool full)
{
	struct conf	*conf;

	/* What we write is ours: the database holds people. */
	umask(077);
	if ((conf = conf_load(conf_path)) == NULL)
		return NULL;
	log_open(name, log_least(conf->log_level));
	if (!crypt_init())
		goto fail;
	if (!full)
		return conf;
	if (conf->clock_file[0] != '\0' && !clock_follow(conf->clock_file)) {
		log_error("fault=\"clock file cannot be mapped\"");
		goto fail;
	}
	if (!id_init(conf->run_dir, (int)conf->node, NODES_A_MACHINE)) {
		log_error("fault=\"no node number is free in run_dir\"");
		goto fail;
	}
	if (crypt_load_keys(conf->keys_file) && service_ready())
		return conf;
fail:
	conf_free(conf);
	return NULL;
}
