/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_password.h -- a new password, from a file or from who types it.
 */
#ifndef CTL_PASSWORD_H
#define CTL_PASSWORD_H

#include <stdbool.h>

#define CTL_PASSWORD_MIN	8	/* code points */
#define CTL_PASSWORD_MAX	128	/* and bytes, with a NUL */

/*
 * The first line of `path`; with NULL asked for twice on the terminal
 * without echo, or the first line of standard input when that is none.
 * False after saying why it cannot be a password.  Wipe `out` after use.
 */
bool ctl_password_read(const char *path, const char *account,
    char out[CTL_PASSWORD_MAX]);

#endif
