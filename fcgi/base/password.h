/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h -- which passwords are fit, and one made for a first log-in.
 *
 * At least 8 characters, of at least 3 of the 4 kinds small letter, capital,
 * digit and other, and the account's name is no part of it.
 */
#ifndef BASE_PASSWORD_H
#define BASE_PASSWORD_H

#define PASSWORD_MIN	8	/* code points */
#define PASSWORD_MAX	128
#define PASSWORD_FIRST	13	/* one made here, and NUL */

enum password_fault {
	PASSWORD_FIT = 0,
	PASSWORD_SHORT,
	PASSWORD_LONG,
	PASSWORD_PLAIN,		/* too few kinds */
	PASSWORD_ACCOUNT	/* the account's name stands in it */
};

/* `account` may be NULL; both are valid UTF-8. */
enum password_fault password_check(const char *password,
    const char *account);

/*
 * A random one that passes the check, without letters and digits that are
 * mistaken for each other.  Wipe it after use.
 */
void password_make(char out[PASSWORD_FIRST]);

#endif
