# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_ctl_nginx
TESTS += tests/unit/test_ctl_nginx

# With a route table of its own, so without libhttp.a.
tests_unit_test_ctl_nginx_SOURCES = tests/unit/test_ctl_nginx.c \
	tests/unit/unit.h fcgi/ctl_nginx.c fcgi/ctl_nginx.h
tests_unit_test_ctl_nginx_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ctl_nginx_LDADD = libbase.a $(CMOCKA_LIBS)
endif
