# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
STAFF_TESTS = \
	tests/unit/test_device \
	tests/unit/test_password \
	tests/unit/test_totp
check_PROGRAMS += $(STAFF_TESTS)
TESTS += $(STAFF_TESTS)

tests_unit_test_device_SOURCES = tests/unit/test_device.c tests/unit/unit.h
tests_unit_test_device_CFLAGS = $(base_test_cflags)
tests_unit_test_device_LDADD = libservice.a $(base_test_libs)
tests_unit_test_password_SOURCES = tests/unit/test_password.c \
	tests/unit/unit.h
tests_unit_test_password_CFLAGS = $(base_test_cflags)
tests_unit_test_password_LDADD = $(base_test_libs)
tests_unit_test_totp_SOURCES = tests/unit/test_totp.c tests/unit/unit.h
tests_unit_test_totp_CFLAGS = $(base_test_cflags)
tests_unit_test_totp_LDADD = $(base_test_libs) $(CRYPTO_LIBS)
endif
