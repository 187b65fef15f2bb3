# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libservice.a
libservice_a_CFLAGS = $(AM_CFLAGS)
libservice_a_SOURCES = \
	%D%/service.c %D%/service.h \
	%D%/scope.c %D%/scope.h \
	%D%/household.c %D%/household.h \
	%D%/user.c %D%/user.h \
	%D%/login.c \
	%D%/me.c \
	%D%/territory.c \
	%D%/address.c \
	%D%/water.h \
	%D%/water_window.c \
	%D%/water_station.c \
	%D%/water_stock.c \
	%D%/water_place.c \
	%D%/water_offer.c \
	%D%/water_flow.c \
	%D%/water_order.c \
	%D%/station.c \
	%D%/grid.c \
	%D%/border.c \
	%D%/post.c \
	%D%/person.c \
	%D%/need.c \
	%D%/home.c \
	%D%/helper.c \
	%D%/privacy.c \
	%D%/staff.c \
	%D%/password.c \
	%D%/totp.c \
	%D%/scan.c \
	%D%/import.c \
	%D%/export.c \
	%D%/audit_log.c \
	%D%/water_account.c \
	%D%/roll_call.c
