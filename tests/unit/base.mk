# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
BASE_TESTS = \
	tests/unit/test_arena \
	tests/unit/test_buf \
	tests/unit/test_clock \
	tests/unit/test_conf \
	tests/unit/test_crypt \
	tests/unit/test_csv \
	tests/unit/test_err \
	tests/unit/test_geo \
	tests/unit/test_id \
	tests/unit/test_idcard \
	tests/unit/test_log \
	tests/unit/test_map \
	tests/unit/test_money \
	tests/unit/test_text
check_PROGRAMS += $(BASE_TESTS)
TESTS += $(BASE_TESTS)
base_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
base_test_libs = libbase.a $(CMOCKA_LIBS) $(SODIUM_LIBS) $(INIH_LIBS) -lm

tests_unit_test_arena_SOURCES = tests/unit/test_arena.c tests/unit/unit.h
tests_unit_test_arena_CFLAGS = $(base_test_cflags)
tests_unit_test_arena_LDADD = $(base_test_libs)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_CFLAGS = $(base_test_cflags)
tests_unit_test_buf_LDADD = $(base_test_libs)
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/unit.h
tests_unit_test_clock_CFLAGS = $(base_test_cflags)
tests_unit_test_clock_LDADD = $(base_test_libs)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/unit.h
tests_unit_test_conf_CFLAGS = $(base_test_cflags)
tests_unit_test_conf_LDADD = $(base_test_libs)
tests_unit_test_crypt_SOURCES = tests/unit/test_crypt.c tests/unit/unit.h
tests_unit_test_crypt_CFLAGS = $(base_test_cflags)
tests_unit_test_crypt_LDADD = $(base_test_libs)
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c tests/unit/unit.h
tests_unit_test_csv_CFLAGS = $(base_test_cflags)
tests_unit_test_csv_LDADD = $(base_test_libs)
tests_unit_test_err_SOURCES = tests/unit/test_err.c tests/unit/unit.h
tests_unit_test_err_CFLAGS = $(base_test_cflags)
tests_unit_test_err_LDADD = $(base_test_libs)
tests_unit_test_geo_SOURCES = tests/unit/test_geo.c tests/unit/unit.h
tests_unit_test_geo_CFLAGS = $(base_test_cflags)
tests_unit_test_geo_LDADD = $(base_test_libs)
tests_unit_test_id_SOURCES = tests/unit/test_id.c tests/unit/unit.h
tests_unit_test_id_CFLAGS = $(base_test_cflags)
tests_unit_test_id_LDADD = $(base_test_libs)
tests_unit_test_idcard_SOURCES = tests/unit/test_idcard.c tests/unit/unit.h
tests_unit_test_idcard_CFLAGS = $(base_test_cflags)
tests_unit_test_idcard_LDADD = $(base_test_libs)
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/unit.h
tests_unit_test_log_CFLAGS = $(base_test_cflags)
tests_unit_test_log_LDADD = $(base_test_libs)
tests_unit_test_map_SOURCES = tests/unit/test_map.c tests/unit/unit.h
tests_unit_test_map_CFLAGS = $(base_test_cflags)
tests_unit_test_map_LDADD = $(base_test_libs)
tests_unit_test_money_SOURCES = tests/unit/test_money.c tests/unit/unit.h
tests_unit_test_money_CFLAGS = $(base_test_cflags)
tests_unit_test_money_LDADD = $(base_test_libs)
tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/unit/unit.h
tests_unit_test_text_CFLAGS = $(base_test_cflags)
tests_unit_test_text_LDADD = $(base_test_libs)
endif
