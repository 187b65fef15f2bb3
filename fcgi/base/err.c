/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.c -- the rows of err.def as a table.
 */
#include <stddef.h>

#include "base/err.h"

static const struct err_info err_table[ERR__MAX] = {
#define ERR(name, status, retry, code, title, detail) \
	[ERR_##name] = { #name, status, retry, code, title, detail },
#include "base/err.def"
#undef ERR
};

const struct err_info *
err_info(enum err e)
{
	if ((unsigned)e >= ERR__MAX || err_table[e].name == NULL)
		return &err_table[ERR_INTERNAL];
	return &err_table[e];
}
