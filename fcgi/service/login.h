/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h -- opening a session for somebody who has proved who it is.
 */
#ifndef SERVICE_LOGIN_H
#define SERVICE_LOGIN_H

#include <stdint.h>

#include "base/err.h"
#include "base/view.h"
#include "service/user.h"

struct req;

enum login_kind {
	LOGIN_WECHAT = 1,	/* a resident's, long */
	LOGIN_STAFF,		/* of the console, short */
	LOGIN_MUST_CHANGE	/* the same, for a new password alone */
};

struct login_session {
	const char	*token;
	int64_t		 expires_at;
	int64_t		 must_change;
	struct user	 user;		/* not a column */
};
extern const struct view login_session_view;

/*
 * Open a session for `u` as it was read; ERR_CREDENTIALS when it has been
 * closed meanwhile.  Outside transactions, last of all.
 */
enum err login_open(struct req *, const struct user *u, enum login_kind,
    struct login_session *ret);

#endif
