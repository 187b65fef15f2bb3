# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_flow tests/unit/test_task tests/unit/test_water_window
TESTS += tests/unit/test_flow tests/unit/test_task tests/unit/test_water_window

tests_unit_test_flow_SOURCES = tests/unit/test_flow.c tests/unit/unit.h
tests_unit_test_flow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_flow_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_task_SOURCES = tests/unit/test_task.c tests/unit/unit.h
tests_unit_test_task_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_task_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)

tests_unit_test_water_window_SOURCES = tests/unit/test_water_window.c \
	tests/unit/unit.h
tests_unit_test_water_window_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_water_window_LDADD = $(ALL_LIBS) $(CMOCKA_LIBS)
endif
