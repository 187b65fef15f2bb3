# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libstore.a
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(LIBPQ_CFLAGS) \
	$(HIREDIS_CFLAGS)
libstore_a_SOURCES = \
	%D%/db.c %D%/db.h %D%/db_internal.h \
	%D%/db_pgsql.c %D%/db_pgsql_internal.h %D%/db_pgsql_stmt.c \
	%D%/db_sqlite.c %D%/db_sqlite_internal.h %D%/db_sqlite_stmt.c \
	%D%/limit.c %D%/limit.h \
	%D%/migrate.c %D%/migrate.h \
	%D%/redis.c %D%/redis.h %D%/redis_internal.h \
	%D%/session.c %D%/session.h \
	%D%/session_cache.c %D%/session_cache.h \
	%D%/session_internal.h \
	%D%/session_list.c \
	%D%/session_watch.c
