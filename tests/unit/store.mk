# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
STORE_TESTS = \
	tests/unit/test_db_pgsql \
	tests/unit/test_db_sqlite \
	tests/unit/test_limit \
	tests/unit/test_migrate \
	tests/unit/test_redis \
	tests/unit/test_session \
	tests/unit/test_session_list
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
store_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(SQLITE_CFLAGS) \
	$(LIBPQ_CFLAGS) $(HIREDIS_CFLAGS)
store_test_libs = libstore.a libbase.a $(CMOCKA_LIBS) $(HIREDIS_LIBS) \
	$(SQLITE_LIBS) $(LIBPQ_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS) \
	$(INIH_LIBS) -lm
store_test_common = tests/unit/servers.c tests/unit/servers.h \
	tests/unit/unit.h

tests_unit_test_db_pgsql_SOURCES = tests/unit/test_db_pgsql.c \
	tests/unit/db_cases.c tests/unit/db_cases.h $(store_test_common)
tests_unit_test_db_pgsql_CFLAGS = $(store_test_cflags)
tests_unit_test_db_pgsql_LDADD = $(store_test_libs)
tests_unit_test_db_sqlite_SOURCES = tests/unit/test_db_sqlite.c \
	tests/unit/db_cases.c tests/unit/db_cases.h $(store_test_common)
tests_unit_test_db_sqlite_CFLAGS = $(store_test_cflags)
tests_unit_test_db_sqlite_LDADD = $(store_test_libs)
tests_unit_test_limit_SOURCES = tests/unit/test_limit.c $(store_test_common)
tests_unit_test_limit_CFLAGS = $(store_test_cflags)
tests_unit_test_limit_LDADD = $(store_test_libs)
tests_unit_test_migrate_SOURCES = tests/unit/test_migrate.c \
	$(store_test_common)
tests_unit_test_migrate_CFLAGS = $(store_test_cflags)
tests_unit_test_migrate_LDADD = $(store_test_libs)
tests_unit_test_redis_SOURCES = tests/unit/test_redis.c $(store_test_common)
tests_unit_test_redis_CFLAGS = $(store_test_cflags)
tests_unit_test_redis_LDADD = $(store_test_libs)
tests_unit_test_session_SOURCES = tests/unit/test_session.c \
	$(store_test_common)
tests_unit_test_session_CFLAGS = $(store_test_cflags)
tests_unit_test_session_LDADD = $(store_test_libs)
tests_unit_test_session_list_SOURCES = tests/unit/test_session_list.c \
	$(store_test_common)
tests_unit_test_session_list_CFLAGS = $(store_test_cflags)
tests_unit_test_session_list_LDADD = $(store_test_libs)
endif
