/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.h -- a form with a file (multipart/form-data), read as it comes.
 *
 * A route whose shape says `upload` gets its body unread, after its caller
 * was judged.  The handler, TX_OWN, calls upload_read once: the part
 * "file" goes to the disk, the other parts are fields of the shape.
 */
#ifndef HTTP_UPLOAD_H
#define HTTP_UPLOAD_H

#include <stdint.h>

#include "base/err.h"

struct req;

#define UPLOAD_VALUE_MAX	1024	/* bytes of a part that is no file */
#define UPLOAD_PARTS_MAX	16
#define UPLOAD_HEAD_MAX		4096	/* bytes of a part's head */

struct upload {
	const char	*name;		/* of the file, without folders */
	int64_t		 size;
};

/*
 * Read the form to its end: the file to `path`, which must not be there
 * and is made with mode 0600, the fields to rq->in.  On a failure the file
 * is gone.  ERR_FIELD with the faulty fields, ERR_TOO_LARGE,
 * ERR_MEDIA_TYPE without a boundary, ERR_MALFORMED for what is no form or
 * ends in the middle.
 */
enum err upload_read(struct req *, const char *path, struct upload *ret);

#endif
