# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
HTTP_TESTS = \
	tests/unit/test_audit \
	tests/unit/test_field \
	tests/unit/test_idempotency \
	tests/unit/test_json \
	tests/unit/test_openapi \
	tests/unit/test_route \
	tests/unit/test_server \
	tests/unit/test_server_dispatch \
	tests/unit/test_upload
check_PROGRAMS += $(HTTP_TESTS)
TESTS += $(HTTP_TESTS)
HTTP_RIG = tests/unit/http_rig.c tests/unit/http_rig.h tests/unit/unit.h
HTTP_TEST_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
HTTP_TEST_LIBS = libhttp.a libwechat.a libstore.a libbase.a \
	$(CMOCKA_LIBS) $(FCGI_LIBS) $(JANSSON_LIBS) $(CURL_LIBS) \
	$(HIREDIS_LIBS) $(SQLITE_LIBS) $(LIBPQ_LIBS) $(SODIUM_LIBS) \
	$(CRYPTO_LIBS) $(ZLIB_LIBS) $(INIH_LIBS) -lm

tests_unit_test_audit_SOURCES = tests/unit/test_audit.c \
	tests/unit/http_notes.c tests/unit/http_notes.h \
	tests/unit/servers.c tests/unit/servers.h $(HTTP_RIG)
tests_unit_test_audit_CFLAGS = $(HTTP_TEST_CFLAGS) \
	$(LIBPQ_CFLAGS) $(HIREDIS_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_audit_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_test_json_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_route_SOURCES = tests/unit/test_route.c
tests_unit_test_route_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_test_route_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_field_SOURCES = tests/unit/test_field.c $(HTTP_RIG)
tests_unit_test_field_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_test_field_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_server_dispatch_SOURCES = \
	tests/unit/test_server_dispatch.c tests/unit/http_notes.c \
	tests/unit/http_notes.h tests/unit/servers.c \
	tests/unit/servers.h $(HTTP_RIG)
tests_unit_test_server_dispatch_CFLAGS = $(HTTP_TEST_CFLAGS) \
	$(LIBPQ_CFLAGS) $(HIREDIS_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_server_dispatch_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_server_SOURCES = tests/unit/test_server.c $(HTTP_RIG) \
	tests/unit/fcgi_client.c tests/unit/fcgi_client.h
tests_unit_test_server_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_test_server_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_openapi_SOURCES = tests/unit/test_openapi.c \
	tests/unit/unit.h
tests_unit_test_openapi_CFLAGS = $(HTTP_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_openapi_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_upload_SOURCES = tests/unit/test_upload.c $(HTTP_RIG)
tests_unit_test_upload_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_test_upload_LDADD = $(HTTP_TEST_LIBS)

tests_unit_test_idempotency_SOURCES = tests/unit/test_idempotency.c \
	tests/unit/http_notes.c tests/unit/http_notes.h \
	tests/unit/servers.c tests/unit/servers.h $(HTTP_RIG)
tests_unit_test_idempotency_CFLAGS = $(HTTP_TEST_CFLAGS) \
	$(LIBPQ_CFLAGS) $(HIREDIS_CFLAGS) \
	$(JANSSON_CFLAGS)
tests_unit_test_idempotency_LDADD = $(HTTP_TEST_LIBS)
endif
