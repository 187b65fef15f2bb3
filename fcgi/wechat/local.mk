# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libwechat.a
libwechat_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) \
	$(CRYPTO_CFLAGS) $(ZLIB_CFLAGS)
libwechat_a_SOURCES = \
	fcgi/wechat/pay.h \
	fcgi/wechat/pay_bill.c \
	fcgi/wechat/pay_call.c \
	fcgi/wechat/pay_echo.c \
	fcgi/wechat/pay_internal.h \
	fcgi/wechat/pay_key.c \
	fcgi/wechat/pay_key_refresh.c \
	fcgi/wechat/pay_notice.c \
	fcgi/wechat/pay_openssl.h \
	fcgi/wechat/pay_order.c \
	fcgi/wechat/pay_refund.c \
	fcgi/wechat/pay_sign.c \
	fcgi/wechat/wechat.c \
	fcgi/wechat/wechat.h \
	fcgi/wechat/wechat_call.c \
	fcgi/wechat/wechat_internal.h \
	fcgi/wechat/wechat_login.c \
	fcgi/wechat/wechat_notify.c \
	fcgi/wechat/wechat_phone.c \
	fcgi/wechat/wechat_push.c \
	fcgi/wechat/wechat_push.h \
	fcgi/wechat/wechat_push_read.c \
	fcgi/wechat/wechat_ship.c \
	fcgi/wechat/wechat_token.c
