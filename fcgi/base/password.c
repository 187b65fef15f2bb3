/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c -- which passwords are fit.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/crypt.h"
#include "base/password.h"
#include "base/text.h"

#define KINDS_MIN	3

static const char smalls[] = "abcdefghijkmnpqrstuvwxyz";
static const char capitals[] = "ABCDEFGHJKLMNPQRSTUVWXYZ";
static const char digits[] = "23456789";

static int
kinds(const char *s)
{
	bool	small = false, capital = false, digit = false, other = false;

	for (; *s != '\0'; s++)
		if (*s >= 'a' && *s <= 'z')
			small = true;
		else if (*s >= 'A' && *s <= 'Z')
			capital = true;
		else if (*s >= '0' && *s <= '9')
			digit = true;
		else
			other = true;
	return small + capital + digit + other;
}

static bool
contains(const char *s, const char *part)
{
	size_t	n = strlen(part);

	for (; n > 0 && strlen(s) >= n; s++)
		if (strncasecmp(s, part, n) == 0)
			return true;
	return false;
}

enum password_fault
password_check(const char *password, const char *account)
{
	size_t	n = text_length(password);

	if (n < PASSWORD_MIN)
		return PASSWORD_SHORT;
	if (n > PASSWORD_MAX)
		return PASSWORD_LONG;
	if (kinds(password) < KINDS_MIN)
		return PASSWORD_PLAIN;
	if (account != NULL && contains(password, account))
		return PASSWORD_ACCOUNT;
	return PASSWORD_FIT;
}

static char
one_of(const char *set)
{
	return set[crypt_uniform((uint32_t)strlen(set))];
}

/* About 57 bits. */
void
password_make(char out[PASSWORD_FIRST])
{
	static const char *const sets[] = { smalls, capitals, digits };
	size_t	i;

	do {
		for (i = 0; i + 1 < PASSWORD_FIRST; i++)
			out[i] = one_of(sets[crypt_uniform(3)]);
		out[PASSWORD_FIRST - 1] = '\0';
	} while (password_check(out, NULL) != PASSWORD_FIT);
}
