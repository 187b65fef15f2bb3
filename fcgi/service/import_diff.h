/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_diff.h -- what a staged row changes, field by field.
 */
#ifndef SERVICE_IMPORT_DIFF_H
#define SERVICE_IMPORT_DIFF_H

#include "base/view.h"

struct arena;
struct json;

extern const struct view import_change_view;

#define IMPORT_PHONE	1u	/* the numbers differ, masks may not */
#define IMPORT_NUMBER	2u

/*
 * Write as an array of import_change_view the fields in which two flat
 * objects differ; `before` may be NULL.  Of what is masked, `hidden` says
 * whether what is behind the mask differs.
 */
void import_diff(struct json *, struct arena *, const char *before,
    const char *after, unsigned hidden);

#endif
