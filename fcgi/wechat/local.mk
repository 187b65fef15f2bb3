# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libwechat.a
libwechat_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libwechat_a_SOURCES = \
	fcgi/wechat/wechat.c \
	fcgi/wechat/wechat.h \
	fcgi/wechat/wechat_call.c \
	fcgi/wechat/wechat_internal.h \
	fcgi/wechat/wechat_login.c \
	fcgi/wechat/wechat_notify.c \
	fcgi/wechat/wechat_phone.c \
	fcgi/wechat/wechat_token.c
