/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_import.h -- between the files of planetctl import.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include <stdbool.h>

struct ctl;

/* The communities of a file; an exit code. */
int ctl_import_community(struct ctl *, const char *path);

/* The bills of a payee; an exit code. */
int ctl_import_bills(struct ctl *, const char *path, const char *code,
    const char *payee, bool preview);

#endif
