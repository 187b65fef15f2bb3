/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h -- one event, one line on standard error.
 *
 *   2026-11-22T16:20:32.123+08:00 info api[123] key=value ...
 *
 * Values with blanks, quotes or control characters are quoted, so a line
 * is always one line.  Nothing personal and no secret goes in.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

/* Name the program and the least level that is written. */
void log_open(const char *program, enum log_level least);

/* Write one line; longer than 4 KiB is cut and marked with "...". */
void log_line(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_debug(...)	log_line(LOG_DEBUG_, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO_, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARN_, __VA_ARGS__)
#define log_error(...)	log_line(LOG_ERROR_, __VA_ARGS__)

/*
 * Quote `s` for a log value into `out` of `size` bytes (cut when too
 * long) and return `out`; NULL gives "-".
 */
const char *log_quote(const char *s, char *out, unsigned long size);

#endif
