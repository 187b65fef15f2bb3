/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_keys.h -- the key file and what is sealed with it.
 */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H

struct ctl;

/* new | list | rotate | reseal | drop ID */
int ctl_keys(struct ctl *, int argc, char **argv);

#endif
