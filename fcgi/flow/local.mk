# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libflow.a
libflow_a_CFLAGS = $(AM_CFLAGS)
libflow_a_SOURCES = \
	%D%/flow.c %D%/flow.h \
	%D%/flow_table.c %D%/flow_internal.h \
	%D%/flow_tell.c \
	%D%/outbox.c %D%/outbox.h \
	%D%/task.c %D%/task.h
