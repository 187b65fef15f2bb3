# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/data/bills/README.md \
	tests/data/bills/wechat_all_2014_old_columns.csv \
	tests/data/bills/wechat_all_2019.csv \
	tests/data/bills/wechat_refund_2019.csv \
	tests/data/bills/wechat_success_2019.csv
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_statement
TESTS += tests/unit/test_statement
tests_unit_test_statement_SOURCES = tests/unit/test_statement.c \
	tests/unit/unit.h
tests_unit_test_statement_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_DATA_DIR='"$(abs_top_srcdir)/tests/data"' \
	-DTEST_SHARED_DIR='"$(abs_top_srcdir)/../shared"'
tests_unit_test_statement_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) \
	$(JANSSON_CFLAGS)
tests_unit_test_statement_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
endif
