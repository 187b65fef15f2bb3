/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.c -- what a User-Agent calls itself.
 *
 * Nothing of its text is repeated, only names of our own.
 */
#include <stdio.h>
#include <string.h>

#include "service/device.h"

struct word {
	const char	*mark;
	const char	*name;
};

/* The first that is found counts: most call themselves Mozilla and Safari. */
static const struct word programs[] = {
	{ "MicroMessenger", "微信" }, { "wechatdevtools", "微信" },
	{ "Edg", "Edge" }, { "360SE", "360 浏览器" },
	{ "QQBrowser", "QQ 浏览器" }, { "Firefox", "Firefox" },
	{ "OPR/", "Opera" }, { "Chrome", "Chrome" }, { "Safari", "Safari" },
	{ "curl", "curl" }, { NULL, NULL }
};
static const struct word systems[] = {
	{ "OpenHarmony", "鸿蒙" }, { "HarmonyOS", "鸿蒙" },
	{ "Android", "安卓" }, { "iPhone", "iPhone" }, { "iPad", "iPad" },
	{ "Windows", "Windows" }, { "Macintosh", "Mac" },
	{ "Linux", "Linux" }, { NULL, NULL }
};

static const char *
look(const struct word *words, const char *agent)
{
	for (; words->mark != NULL; words++)
		if (strstr(agent, words->mark) != NULL)
			return words->name;
	return NULL;
}

void
device_name(const char *agent, char out[DEVICE_MAX])
{
	const char	*program, *system;

	program = agent != NULL ? look(programs, agent) : NULL;
	system = agent != NULL ? look(systems, agent) : NULL;
	if (program != NULL && system != NULL)
		snprintf(out, DEVICE_MAX, "%s · %s", program, system);
	else
		snprintf(out, DEVICE_MAX, "%s", program != NULL ? program :
		    system != NULL ? system : "未知设备");
}
