/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_seal.c -- seal values that are to be loaded by SQL.
 *
 * Standard input has a line a value, COLUMN<tab>VALUE; standard output a
 * line for each, SEALED<tab>INDEX.  Who may read the key file could do so
 * anyway; nothing can be opened this way.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypt.h"
#include "base/text.h"
#include "ctl.h"

#define LINE_MAX_ 4096

/* One line without its end; false when it is not COLUMN<tab>VALUE. */
static bool
seal_line(struct arena *a, char *line)
{
	char	*tab = strchr(line, '\t');

	if (tab == NULL || tab == line || tab[1] == '\0' ||
	    !text_valid(tab + 1, strlen(tab + 1)))
		return false;
	*tab++ = '\0';
	printf("%s\t%s\n", crypt_seal(a, line, tab),
	    crypt_index(a, line, tab));
	return true;
}

int
ctl_seal(struct ctl *ctl, int argc, char **argv)
{
	char	line[LINE_MAX_];
	size_t	n;
	int	at = 0;

	(void)argv;
	if (argc != 1)
		return 2;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		at++;
		n = strlen(line);
		if (n + 1 == sizeof(line))
			line[0] = '\0';
		else if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (!seal_line(ctl->arena, line)) {
			fprintf(stderr, "planetctl: seal: line %d is not"
			    " COLUMN<tab>VALUE\n", at);
			return 1;
		}
		arena_reset(ctl->arena);
	}
	return 0;
}
