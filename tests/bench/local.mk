# SPDX-License-Identifier: Apache-2.0
# scripts/bench: what it measures against, and the records it measures on.
check_PROGRAMS += planet-bench-nothing planet-bench-seed \
	planet-bench-search
planet_bench_nothing_SOURCES = %D%/nothing.c
planet_bench_nothing_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
planet_bench_nothing_LDADD = $(FCGI_LIBS)
planet_bench_seed_SOURCES = %D%/seed.c %D%/seed_person.c \
	%D%/seed_person.h
planet_bench_seed_CFLAGS = $(AM_CFLAGS)
planet_bench_seed_LDADD = libstore.a libbase.a $(HIREDIS_LIBS) \
	$(SQLITE_LIBS) $(LIBPQ_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS) \
	$(INIH_LIBS)
planet_bench_search_SOURCES = %D%/search.c %D%/seed_person.h
planet_bench_search_CFLAGS = $(AM_CFLAGS)
planet_bench_search_LDADD = $(ALL_LIBS)

EXTRA_DIST += \
	%D%/bench.mjs \
	%D%/contenders.mjs \
	%D%/load.lua \
	%D%/load.mjs \
	%D%/nginx.mjs \
	%D%/options.mjs \
	%D%/pay.mjs \
	%D%/prepare.mjs \
	%D%/proc.mjs \
	%D%/recon.mjs \
	%D%/report.mjs \
	%D%/same.mjs \
	%D%/search.mjs \
	%D%/fastify/package.json \
	%D%/fastify/package-lock.json \
	%D%/fastify/server.js \
	%D%/php/index.php
