/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_password.c -- a new password, from a file or from who types it.
 *
 * Never from the command line, which everybody on the machine can read.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

#include "ctl_password.h"

static bool
refuse(const char *why)
{
	fprintf(stderr, "planetctl: %s\n", why);
	return false;
}

/* One line without its end; false when there is none or it is too long. */
static bool
read_line(FILE *fp, char out[CTL_PASSWORD_MAX])
{
	size_t	n = 0;
	int	c;

	while ((c = getc(fp)) != EOF && c != '\n') {
		if (c == '\0' || n + 1 == CTL_PASSWORD_MAX) {
			explicit_bzero(out, n);
			return false;
		}
		out[n++] = (char)c;
	}
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	return n > 0 || c == '\n';
}

/*
 * Ask on the terminal.  Signals wait, so that none leaves it without echo.
 */
static bool
ask(const char *prompt, char out[CTL_PASSWORD_MAX])
{
	struct termios	was, now;
	sigset_t	set, old;
	bool		good;

	fprintf(stderr, "%s: ", prompt);
	if (tcgetattr(STDIN_FILENO, &was) == -1)
		return false;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, &old);
	now = was;
	now.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
	good = read_line(stdin, out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
	fputc('\n', stderr);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return good;
}

static bool
ask_twice(char out[CTL_PASSWORD_MAX])
{
	char	again[CTL_PASSWORD_MAX] = "";
	bool	same;

	if (!ask("new password", out) || !ask("the same again", again))
		return refuse("no password was given");
	same = strcmp(out, again) == 0;
	explicit_bzero(again, sizeof(again));
	return same || refuse("the two are not the same");
}

static bool
read_file(const char *path, char out[CTL_PASSWORD_MAX])
{
	FILE	*fp = fopen(path, "r");
	bool	 good;

	if (fp == NULL) {
		fprintf(stderr, "planetctl: %s: %s\n", path,
		    strerror(errno));
		return false;
	}
	setvbuf(fp, NULL, _IONBF, 0);
	good = read_line(fp, out);
	fclose(fp);
	return good || refuse("the file holds no password, or one that is"
	    " too long");
}

static bool
obtain(const char *path, char out[CTL_PASSWORD_MAX])
{
	if (path != NULL)
		return read_file(path, out);
	setvbuf(stdin, NULL, _IONBF, 0);
	if (isatty(STDIN_FILENO))
		return ask_twice(out);
	return read_line(stdin, out) || refuse("standard input holds no"
	    " password, or one that is too long");
}

static bool
is_fit(const char *password, const char *account)
{
	if (!text_valid(password, strlen(password)) ||
	    !text_clean(password, false))
		return refuse("a password is text without control"
		    " characters");
	if (text_length(password) < CTL_PASSWORD_MIN)
		return refuse("a password has at least 8 characters");
	if (strcasecmp(password, account) == 0)
		return refuse("a password is not the account's name");
	return true;
}

bool
ctl_password_read(const char *path, const char *account,
    char out[CTL_PASSWORD_MAX])
{
	out[0] = '\0';
	if (obtain(path, out) && is_fit(out, account))
		return true;
	explicit_bzero(out, CTL_PASSWORD_MAX);
	return false;
}
