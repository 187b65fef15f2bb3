/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post.c -- posts, duty times and deputies.
 */
#include "service/service.h"

void
post_register(void)
{
}
