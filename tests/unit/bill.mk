# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_bill_sum tests/unit/test_bill_cell
TESTS += tests/unit/test_bill_sum tests/unit/test_bill_cell
tests_unit_test_bill_sum_SOURCES = tests/unit/test_bill_sum.c
tests_unit_test_bill_sum_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_bill_sum_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_bill_cell_SOURCES = tests/unit/test_bill_cell.c
tests_unit_test_bill_cell_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_bill_cell_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
endif
