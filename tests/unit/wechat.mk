# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_wechat tests/unit/test_wechat_phone \
	tests/unit/test_wechat_token
wechat_test_common = tests/unit/wechat_rig.c tests/unit/wechat_rig.h \
	tests/unit/servers.c tests/unit/servers.h tests/unit/unit.h
wechat_test_cppflags = $(AM_CPPFLAGS) \
	-DTEST_STANDIN='"$(abs_top_srcdir)/tests/standin/standin.mjs"'
wechat_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CURL_CFLAGS) \
	$(JANSSON_CFLAGS) $(LIBPQ_CFLAGS)
wechat_test_libs = libwechat.a libstore.a libbase.a $(CMOCKA_LIBS) \
	$(CURL_LIBS) $(JANSSON_LIBS) $(HIREDIS_LIBS) $(SQLITE_LIBS) \
	$(LIBPQ_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS) $(ZLIB_LIBS) $(INIH_LIBS)
tests_unit_test_wechat_SOURCES = tests/unit/test_wechat.c \
	$(wechat_test_common)
tests_unit_test_wechat_CPPFLAGS = $(wechat_test_cppflags)
tests_unit_test_wechat_CFLAGS = $(wechat_test_cflags)
tests_unit_test_wechat_LDADD = $(wechat_test_libs)
tests_unit_test_wechat_phone_SOURCES = tests/unit/test_wechat_phone.c \
	$(wechat_test_common)
tests_unit_test_wechat_phone_CPPFLAGS = $(wechat_test_cppflags)
tests_unit_test_wechat_phone_CFLAGS = $(wechat_test_cflags)
tests_unit_test_wechat_phone_LDADD = $(wechat_test_libs)
tests_unit_test_wechat_token_SOURCES = tests/unit/test_wechat_token.c \
	$(wechat_test_common)
tests_unit_test_wechat_token_CPPFLAGS = $(wechat_test_cppflags)
tests_unit_test_wechat_token_CFLAGS = $(wechat_test_cflags)
tests_unit_test_wechat_token_LDADD = $(wechat_test_libs)
check_PROGRAMS += tests/unit/test_pay_sign
tests_unit_test_pay_sign_SOURCES = tests/unit/test_pay_sign.c \
	tests/unit/servers.c tests/unit/servers.h tests/unit/unit.h
tests_unit_test_pay_sign_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_SHARED_DIR='"$(abs_top_srcdir)/../shared"'
tests_unit_test_pay_sign_CFLAGS = $(wechat_test_cflags) $(CRYPTO_CFLAGS)
tests_unit_test_pay_sign_LDADD = $(wechat_test_libs)
check_PROGRAMS += tests/unit/test_pay
tests_unit_test_pay_SOURCES = tests/unit/test_pay.c $(wechat_test_common)
tests_unit_test_pay_CPPFLAGS = $(wechat_test_cppflags) \
	-DTEST_SHARED_DIR='"$(abs_top_srcdir)/../shared"'
tests_unit_test_pay_CFLAGS = $(wechat_test_cflags)
tests_unit_test_pay_LDADD = $(wechat_test_libs)
TESTS += tests/unit/test_pay tests/unit/test_pay_sign
check_PROGRAMS += tests/unit/test_wechat_push
tests_unit_test_wechat_push_SOURCES = tests/unit/test_wechat_push.c \
	tests/unit/unit.h
tests_unit_test_wechat_push_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_SHARED_DIR='"$(abs_top_srcdir)/../shared"'
tests_unit_test_wechat_push_CFLAGS = $(wechat_test_cflags)
tests_unit_test_wechat_push_LDADD = $(wechat_test_libs)
TESTS += tests/unit/test_wechat_push
check_PROGRAMS += tests/unit/test_vectors
tests_unit_test_vectors_SOURCES = tests/unit/test_vectors.c tests/unit/unit.h
tests_unit_test_vectors_CPPFLAGS = $(tests_unit_test_pay_sign_CPPFLAGS)
tests_unit_test_vectors_CFLAGS = $(tests_unit_test_pay_sign_CFLAGS)
tests_unit_test_vectors_LDADD = $(wechat_test_libs)
TESTS += tests/unit/test_vectors
TESTS += tests/unit/test_wechat tests/unit/test_wechat_phone \
	tests/unit/test_wechat_token
endif

EXTRA_DIST += \
	tests/standin/control.mjs \
	tests/standin/errcodes.mjs \
	tests/standin/faults.mjs \
	tests/standin/keywords.mjs \
	tests/standin/notify.mjs \
	tests/standin/page.mjs \
	tests/standin/pay.mjs \
	tests/standin/pay.test.mjs \
	tests/standin/pay-bill.mjs \
	tests/standin/pay-bill.test.mjs \
	tests/standin/pay-bill-fund.mjs \
	tests/standin/pay-bill-trade.mjs \
	tests/standin/pay-book.mjs \
	tests/standin/pay-client.mjs \
	tests/standin/pay-control.mjs \
	tests/standin/pay-echo.mjs \
	tests/standin/pay-faults.mjs \
	tests/standin/pay-keys.mjs \
	tests/standin/pay-notice.mjs \
	tests/standin/pay-notice.test.mjs \
	tests/standin/pay-order.mjs \
	tests/standin/pay-refund.mjs \
	tests/standin/pay-rules.mjs \
	tests/standin/pay-ship.test.mjs \
	tests/standin/pay-sign.mjs \
	tests/standin/platform.mjs \
	tests/standin/push.mjs \
	tests/standin/server.mjs \
	tests/standin/shipping.mjs \
	tests/standin/standin.mjs \
	tests/standin/standin.test.mjs \
	tests/standin/state.mjs \
	tests/standin/token.mjs
