/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipt.h -- receipts of payments, and invoice titles kept for payees.
 *
 * receipt.c	    numbered receipts, as data and to be printed
 * receipt_title.c  whom an invoice is made out to
 */
#ifndef SERVICE_RECEIPT_H
#define SERVICE_RECEIPT_H

#include <stdbool.h>

/*
 * Whether `s` is a unified social credit code: 18 characters of the 31 that
 * are used, the last one right for the others (GB 32100-2015).
 */
bool receipt_credit_code(const char *s);

void receipt_title_register(void);

#endif
