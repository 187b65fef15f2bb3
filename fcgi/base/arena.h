/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h -- memory that lives as long as one request.
 *
 * One arena a thread, reset after each request, its first block kept.
 * arena_take never returns NULL: passing the soft limit sets a sticky
 * flag that the dispatcher turns into a logged 500, and malloc itself
 * failing ends the process, which its starter replaces.  Built with
 * --enable-arena-malloc each allocation is a malloc of its own, so that
 * AddressSanitizer sees every overrun.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena; `limit` is its soft limit in bytes. */
struct arena *arena_new(size_t limit);

/* Run what is due (newest first) and give all memory back.  NULL is fine. */
void arena_free(struct arena *);

/* Run what is due (newest first), forget everything, clear the flag. */
void arena_reset(struct arena *);

/* `size` zeroed bytes, aligned for any type; never NULL. */
void *arena_take(struct arena *, size_t size);

/* A copy of `n` bytes at `s` with a NUL after them. */
char *arena_copy(struct arena *, const char *s, size_t n);

/* A copy of the string `s`; NULL stays NULL. */
char *arena_str(struct arena *, const char *s);

/* A formatted string. */
char *arena_fmt(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vfmt(struct arena *, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Call fn(arg) when the arena is reset or freed: for what is not memory. */
void arena_later(struct arena *, void (*fn)(void *), void *arg);

/* True once the soft limit was passed since the last reset. */
bool arena_over(const struct arena *);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *);

#define ARENA_NEW(a, type)	((type *)arena_take((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n)	\
	((type *)arena_take((a), sizeof(type) * (size_t)(n)))

#endif
