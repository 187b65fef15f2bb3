/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypt_internal.h -- between crypt.c and crypt_key.c.
 */
#ifndef BASE_CRYPT_INTERNAL_H
#define BASE_CRYPT_INTERNAL_H

/* Give cursors a key of this process, until a key file brings one. */
void crypt_key_init(void);

#endif
