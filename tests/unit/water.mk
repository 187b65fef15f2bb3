# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
WATER_TESTS = tests/unit/test_ledger tests/unit/test_plan \
	tests/unit/test_shipping tests/unit/test_water_account
check_PROGRAMS += $(WATER_TESTS)
TESTS += $(WATER_TESTS)
water_test_cppflags = $(AM_CPPFLAGS) \
	-DTEST_SQL_DIR='"$(abs_top_srcdir)/sql"'
water_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(LIBPQ_CFLAGS) \
	$(HIREDIS_CFLAGS)
water_test_common = tests/unit/ledger_rig.c tests/unit/ledger_rig.h \
	tests/unit/servers.c tests/unit/servers.h tests/unit/unit.h

tests_unit_test_ledger_SOURCES = tests/unit/test_ledger.c \
	$(water_test_common)
tests_unit_test_ledger_CPPFLAGS = $(water_test_cppflags)
tests_unit_test_ledger_CFLAGS = $(water_test_cflags)
tests_unit_test_ledger_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_plan_SOURCES = tests/unit/test_plan.c \
	tests/unit/servers.c tests/unit/servers.h tests/unit/unit.h
tests_unit_test_plan_CPPFLAGS = $(water_test_cppflags)
tests_unit_test_plan_CFLAGS = $(water_test_cflags) $(SQLITE_CFLAGS)
tests_unit_test_plan_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_shipping_SOURCES = tests/unit/test_shipping.c \
	$(water_test_common)
tests_unit_test_shipping_CPPFLAGS = $(water_test_cppflags)
tests_unit_test_shipping_CFLAGS = $(water_test_cflags)
tests_unit_test_shipping_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_water_account_SOURCES = tests/unit/test_water_account.c \
	$(water_test_common)
tests_unit_test_water_account_CPPFLAGS = $(water_test_cppflags)
tests_unit_test_water_account_CFLAGS = $(water_test_cflags)
tests_unit_test_water_account_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
endif
