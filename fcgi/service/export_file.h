/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_file.h -- rows of text into a CSV file or a spreadsheet.
 *
 * CSV is UTF-8 with a byte order mark, or Excel takes it for GBK.  A cell
 * that Excel would take for a formula gets an apostrophe before it, and a
 * long number a tab, or its last digits turn to noughts.  A spreadsheet
 * says itself that its cells are text.
 */
#ifndef SERVICE_EXPORT_FILE_H
#define SERVICE_EXPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct export_file;

/*
 * A new file that lives in the arena, mode 0600, in place of one there;
 * NULL when it cannot be made.  Rows wait for the end in `dir`, not in
 * memory.
 */
struct export_file *export_file_open(struct arena *, const char *path,
    const char *dir, bool sheet, const char *title);

/* One row; NULL is an empty cell. */
void export_file_row(struct export_file *, const char *const *cells, int n);

/* Finish it, on the disk; false when any of it could not be written. */
bool export_file_close(struct export_file *);

#endif
