/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h -- UTF-8 as people type it.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* True when the `n` bytes are well-formed UTF-8 (Unicode table 3-7). */
bool text_valid(const char *s, size_t n);

/* Code points in a valid string. */
size_t text_length(const char *s);

/*
 * True when there is nothing that should not be in a person's text: C0 and
 * C1 controls (newline allowed when `lines`), U+2028/9, bidi overrides,
 * noncharacters.
 */
bool text_clean(const char *s, bool lines);

/* A copy without white space (ASCII and U+3000, U+00A0) at either end. */
char *text_trim(struct arena *, const char *s);

/* The first `points` code points of `s`, "…" for the last when cut. */
char *text_cut(struct arena *, const char *s, size_t points);

/*
 * A mainland mobile number in its 11 digits: full-width digits, blanks,
 * dashes and a leading +86 or 86 are dropped.  NULL when it is none
 * (^1[3-9][0-9]{9}$, domain rules 2.3).
 */
char *text_phone(struct arena *, const char *s);

/* 138****1234; shorter than 7 characters becomes "****". */
char *text_mask_phone(struct arena *, const char *phone);

/* 520499********0001; a short or strange number loses all but its last. */
char *text_mask_id(struct arena *, const char *number);

/*
 * The family name, a star for each character after it: 王*, 李**, 欧阳**.
 * A name of one character is hidden whole; one in other letters keeps its
 * first: J****.
 */
char *text_mask_name(struct arena *, const char *name);

/*
 * ASCII of what `s` says, in full width or not, into `out` without white
 * space or dashes; other characters become '?'.  The number of characters
 * that there are, also when `out` is too short for them.
 */
size_t text_narrow(const char *s, char *out, size_t size);

/*
 * `n` bytes of GB18030 (GBK with it) as UTF-8; NULL when they are not.
 */
char *text_from_gbk(struct arena *, const char *s, size_t n);

/*
 * The string as GBK, its bytes through *ret_n; NULL when a character has
 * no place there.
 */
char *text_to_gbk(struct arena *, const char *s, size_t *ret_n);

/* Percent- and plus-decode a query part; NULL on a bad escape or NUL. */
char *text_unescape(struct arena *, const char *s, size_t n);

#endif
