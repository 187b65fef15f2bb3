/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pay_openssl.h -- libcrypto, which has a type of the name that one of our
 * errors has.
 */
#ifndef WECHAT_PAY_OPENSSL_H
#define WECHAT_PAY_OPENSSL_H

#define ERR_STATE	openssl_err_state
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

#endif
