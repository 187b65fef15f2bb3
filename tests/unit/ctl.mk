# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
CTL_TESTS = \
	tests/unit/test_ctl_admin \
	tests/unit/test_ctl_demo \
	tests/unit/test_ctl_doctor \
	tests/unit/test_ctl_import \
	tests/unit/test_stmt
check_PROGRAMS += $(CTL_TESTS)
TESTS += $(CTL_TESTS)

# The commands of planetctl without its main.
check_LIBRARIES += libctl.a
libctl_a_CFLAGS = $(AM_CFLAGS)
libctl_a_SOURCES = \
	fcgi/ctl_admin.c \
	fcgi/ctl_community.c \
	fcgi/ctl_demo.c fcgi/ctl_demo_data.c fcgi/ctl_demo_file.c \
	fcgi/ctl_demo_load.c fcgi/ctl_demo_roster.c fcgi/ctl_demo_payee.c \
	fcgi/ctl_doctor.c fcgi/ctl_doctor_store.c \
	fcgi/ctl_import.c fcgi/ctl_import_community.c fcgi/ctl_import_bills.c \
	fcgi/ctl_nginx.c \
	fcgi/ctl_password.c \
	fcgi/ctl_person.c

ctl_test_cppflags = $(AM_CPPFLAGS) \
	-DTEST_SQL_DIR='"$(abs_top_srcdir)/sql"'
ctl_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS) \
	$(LIBPQ_CFLAGS) $(HIREDIS_CFLAGS) $(SQLITE_CFLAGS)
ctl_test_libs = libctl.a $(ALL_LIBS) $(CMOCKA_LIBS)
ctl_test_common = tests/unit/ctl_rig.c tests/unit/ctl_rig.h \
	tests/unit/servers.c tests/unit/servers.h tests/unit/unit.h

tests_unit_test_ctl_admin_SOURCES = tests/unit/test_ctl_admin.c \
	$(ctl_test_common)
tests_unit_test_ctl_admin_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_admin_CFLAGS = $(ctl_test_cflags)
tests_unit_test_ctl_admin_LDADD = $(ctl_test_libs)
tests_unit_test_ctl_demo_SOURCES = tests/unit/test_ctl_demo.c \
	$(ctl_test_common)
tests_unit_test_ctl_demo_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_demo_CFLAGS = $(ctl_test_cflags)
tests_unit_test_ctl_demo_LDADD = $(ctl_test_libs)
tests_unit_test_ctl_doctor_SOURCES = tests/unit/test_ctl_doctor.c \
	$(ctl_test_common)
tests_unit_test_ctl_doctor_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_doctor_CFLAGS = $(ctl_test_cflags)
tests_unit_test_ctl_doctor_LDADD = $(ctl_test_libs)
tests_unit_test_ctl_import_SOURCES = tests/unit/test_ctl_import.c \
	$(ctl_test_common)
tests_unit_test_ctl_import_CPPFLAGS = $(ctl_test_cppflags)
tests_unit_test_ctl_import_CFLAGS = $(ctl_test_cflags)
tests_unit_test_ctl_import_LDADD = $(ctl_test_libs)
tests_unit_test_stmt_SOURCES = tests/unit/test_stmt.c tests/unit/unit.h
tests_unit_test_stmt_CFLAGS = $(ctl_test_cflags)
tests_unit_test_stmt_LDADD = $(ctl_test_libs)
endif
