/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id.h -- identifiers: 63 bits, ordered by time, made in the process.
 *
 * 41 bits of milliseconds since 2024-01-01, 10 of node, 12 of sequence.
 * On the wire they are decimal strings, because JavaScript's numbers end
 * at 2^53.  A clock that steps back does not make ids step back.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_TEXT_MAX	20		/* 19 digits and NUL */
#define ID_NODE_MAX	1024

/*
 * Take a node number no other process of this machine holds: the first
 * free lock file `dir`/node-N with N from `base` up, `count` of them.
 * False when none is free or the folder is missing.  The last node, 1023,
 * is no process's: it is what id_new uses before, in tests.
 */
bool id_init(const char *dir, int base, int count);

/* A new id, larger than every one this process made before. */
int64_t id_new(void);

/* The id of the first moment of `ms`: for "since when" in SQL. */
int64_t id_at(int64_t ms);

/* Read 1..19 decimal digits, positive, no sign, no leading zero. */
bool id_parse(const char *s, int64_t *ret);

#endif
