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
	$(LIBPQ_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS) $(INIH_LIBS)
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
	tests/standin/platform.mjs \
	tests/standin/server.mjs \
	tests/standin/standin.mjs \
	tests/standin/standin.test.mjs \
	tests/standin/state.mjs \
	tests/standin/token.mjs
