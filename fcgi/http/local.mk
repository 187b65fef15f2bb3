# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libhttp.a
libhttp_a_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS) $(JANSSON_CFLAGS)
libhttp_a_SOURCES = \
	%D%/acting.c %D%/acting.h \
	%D%/audit.c %D%/audit.h %D%/audit_anchor.c \
	%D%/audit_verify.c %D%/audit_verify.h \
	%D%/field.c %D%/field.h %D%/field_internal.h %D%/field_json.c \
	%D%/field_query.c \
	%D%/health.c %D%/health.h \
	%D%/http.c %D%/http.h \
	%D%/idempotency.c %D%/idempotency.h \
	%D%/json.c %D%/json.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/openapi.c %D%/openapi_internal.h %D%/openapi_schema.c \
	%D%/reply.c %D%/reply.h \
	%D%/req.c %D%/req.h \
	%D%/route.c %D%/route.h %D%/route_check.c %D%/route_internal.h \
	%D%/upload.c %D%/upload.h \
	%D%/server.c %D%/server.h %D%/server_conn.c \
	%D%/server_dispatch.c \
	%D%/server_internal.h %D%/server_thread.c %D%/server_write.c
