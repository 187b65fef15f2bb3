# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libbase.a
libbase_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(CRYPTO_CFLAGS) \
	$(INIH_CFLAGS)
libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/buf.c %D%/buf.h \
	%D%/clock.c %D%/clock.h \
	%D%/conf.c %D%/conf.h \
	%D%/conf_internal.h \
	%D%/conf_table.c \
	%D%/crypt.c %D%/crypt.h \
	%D%/crypt_internal.h \
	%D%/crypt_key.c %D%/crypt_keyfile.c \
	%D%/csv.c %D%/csv.h \
	%D%/err.c %D%/err.def %D%/err.h \
	%D%/fault.c %D%/fault.h \
	%D%/geo.c %D%/geo.h \
	%D%/hmac.c %D%/hmac.h \
	%D%/id.c %D%/id.h \
	%D%/idcard.c %D%/idcard.h %D%/idcard_internal.h \
	%D%/idcard_area.c \
	%D%/log.c %D%/log.h \
	%D%/map.c %D%/map.h \
	%D%/money.c %D%/money.h \
	%D%/password.c %D%/password.h \
	%D%/text.c %D%/text.h \
	%D%/totp.c %D%/totp.h \
	%D%/view.h
