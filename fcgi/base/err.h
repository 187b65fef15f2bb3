/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h -- how things fail: one closed set, zero is success.
 *
 * Lower layers return these; the dispatcher alone maps them to a status
 * and logs.  The rows stand in err.def.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
	OK = 0,
#define ERR(name, status, retry, code, title, detail) ERR_##name,
#include "base/err.def"
#undef ERR
	ERR__MAX
};

/* What the world is told of one error; see err.def. */
struct err_info {
	const char	*name;		/* C name without ERR_ */
	int		 status;	/* HTTP status */
	int		 retry_after;	/* seconds, 0 for none */
	const char	*code;		/* stable wire code */
	const char	*title;		/* English, short */
	const char	*detail;	/* Chinese, for a person */
};

/* The row of `e`; never NULL, OK and strangers read as INTERNAL. */
const struct err_info *err_info(enum err e);

#endif
