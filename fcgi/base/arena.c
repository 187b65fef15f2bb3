/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c -- memory that lives as long as one request.
 *
 * Memory is cut from blocks; one common block stays for the life of the
 * arena, all others go at the reset.  The head of the list is the block
 * being cut; what is big gets a block of its own, put behind the head, so
 * that the rest of the head is not lost.
 *
 * With ARENA_MALLOC there is no common block: each allocation is a block.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"

#define ARENA_BLOCK	(32 * 1024)	/* bytes of a common block */
#define ARENA_BIG	(ARENA_BLOCK / 4)
#define ARENA_ALIGN	16

struct block {
	struct block	*next;
	size_t		 size;		/* bytes of data */
	_Alignas(ARENA_ALIGN) char data[];
};

struct later {
	struct later	*next;
	void		(*fn)(void *);
	void		*arg;
};

struct arena {
	size_t		 limit;
	size_t		 used;
	bool		 over;
	struct later	*later;		/* newest first */
	struct block	*blocks;
	size_t		 cut;		/* bytes taken from the head block */
};

static struct block *
block_new(size_t size)
{
	struct block	*b = NULL;

	if (size < SIZE_MAX - sizeof(*b))
		b = malloc(sizeof(*b) + size);
	if (b == NULL) {
		log_error("event=out_of_memory bytes=%zu", size);
		abort();
	}
	b->next = NULL;
	b->size = size;
	return b;
}

#ifdef ARENA_MALLOC

static void *
carve(struct arena *a, size_t size)
{
	struct block	*b = block_new(size);

	b->next = a->blocks;
	a->blocks = b;
	return b->data;
}

static void
drop(struct arena *a)
{
	struct block	*b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		free(b);
	}
}

#else

static void *
carve(struct arena *a, size_t size)
{
	struct block	*b = a->blocks;
	size_t		 whole;
	void		*p;

	whole = size > SIZE_MAX - ARENA_ALIGN ? SIZE_MAX :
	    (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (b != NULL && whole > b->size - a->cut && whole > ARENA_BIG) {
		b = block_new(whole);
		b->next = a->blocks->next;
		a->blocks->next = b;
		return b->data;
	}
	if (b == NULL || whole > b->size - a->cut) {
		b = block_new(whole > ARENA_BLOCK ? whole : ARENA_BLOCK);
		b->next = a->blocks;
		a->blocks = b;
		a->cut = 0;
	}
	p = b->data + a->cut;
	a->cut += whole;
	return p;
}

/* All blocks but one of the common ones. */
static void
drop(struct arena *a)
{
	struct block	*b, *next, *keep = NULL;

	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		if (keep == NULL && b->size == ARENA_BLOCK) {
			keep = b;
			keep->next = NULL;
		} else
			free(b);
	}
	a->blocks = keep;
	a->cut = 0;
}

#endif

static void
run_later(struct arena *a)
{
	struct later	*l;

	while ((l = a->later) != NULL) {
		a->later = l->next;
		l->fn(l->arg);
	}
}

struct arena *
arena_new(size_t limit)
{
	struct arena	*a = calloc(1, sizeof(*a));

	if (a == NULL) {
		log_error("event=out_of_memory bytes=%zu", sizeof(*a));
		abort();
	}
	a->limit = limit;
	return a;
}

void
arena_free(struct arena *a)
{
	struct block	*b;

	if (a == NULL)
		return;
	run_later(a);
	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		free(b);
	}
	free(a);
}

void
arena_reset(struct arena *a)
{
	run_later(a);
	drop(a);
	a->used = 0;
	a->over = false;
}

void *
arena_take(struct arena *a, size_t size)
{
	void	*p;

	/* No two allocations share an address. */
	if (size == 0)
		size = 1;
	p = carve(a, size);
	a->used += size;
	if (a->used > a->limit)
		a->over = true;
	return memset(p, 0, size);
}

char *
arena_copy(struct arena *a, const char *s, size_t n)
{
	char	*p = arena_take(a, n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

char *
arena_str(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_copy(a, s, strlen(s));
}

char *
arena_vfmt(struct arena *a, const char *fmt, va_list ap)
{
	va_list	 again;
	char	*p;
	int	 n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	p = arena_take(a, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list	 ap;
	char	*p;

	va_start(ap, fmt);
	p = arena_vfmt(a, fmt, ap);
	va_end(ap);
	return p;
}

void
arena_later(struct arena *a, void (*fn)(void *), void *arg)
{
	struct later	*l = ARENA_NEW(a, struct later);

	l->fn = fn;
	l->arg = arg;
	l->next = a->later;
	a->later = l;
}

bool
arena_over(const struct arena *a)
{
	return a->over;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
