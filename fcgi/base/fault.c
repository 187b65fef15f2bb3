/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.c -- dying where a test wants it.
 */
#include "base/fault.h"

#ifdef PLANET_FAULTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
fault_point(const char *name)
{
	const char	*path = getenv("PLANET_FAULT");
	char		 line[128];
	FILE		*f;

	if (path == NULL || (f = fopen(path, "r")) == NULL)
		return;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	/* Of two that come at once, one finds the file. */
	if (strcmp(line, name) == 0 && unlink(path) == 0)
		kill(getpid(), SIGKILL);
}
#else
/* ISO C wants something to translate. */
extern int	fault_none;
#endif
