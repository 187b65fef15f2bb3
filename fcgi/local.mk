# SPDX-License-Identifier: Apache-2.0
# The three programs, all of the same libraries.
bin_PROGRAMS += planet-worker planet-jobs planetctl

program_sources = %D%/program.c %D%/program.h

planet_worker_SOURCES = %D%/worker.c $(program_sources)
planet_worker_CFLAGS = $(AM_CFLAGS)
planet_worker_LDADD = $(ALL_LIBS)

planet_jobs_SOURCES = %D%/jobs.c $(program_sources)
planet_jobs_CFLAGS = $(AM_CFLAGS)
planet_jobs_LDADD = $(ALL_LIBS)

planetctl_SOURCES = %D%/ctl.c %D%/ctl.h \
	%D%/ctl_admin.c \
	%D%/ctl_audit.c %D%/ctl_audit.h \
	%D%/ctl_community.c %D%/ctl_community.h \
	%D%/ctl_demo.c %D%/ctl_demo.h %D%/ctl_demo_data.c \
	%D%/ctl_demo_file.c %D%/ctl_demo_load.c %D%/ctl_demo_roster.c \
	%D%/ctl_doctor.c %D%/ctl_doctor.h %D%/ctl_doctor_store.c \
	%D%/ctl_import.c %D%/ctl_import.h %D%/ctl_import_community.c \
	%D%/ctl_import_bills.c %D%/ctl_demo_payee.c \
	%D%/ctl_keys.c %D%/ctl_keys.h \
	%D%/ctl_ledger.c \
	%D%/ctl_nginx.c %D%/ctl_nginx.h \
	%D%/ctl_recon.c \
	%D%/ctl_password.c %D%/ctl_password.h \
	%D%/ctl_person.c %D%/ctl_person.h \
	%D%/ctl_seal.c \
	$(program_sources)
planetctl_CPPFLAGS = $(AM_CPPFLAGS) \
	-DPLANET_SQL_DIR='"$(sqldir)"' \
	-DPLANET_SQL_SOURCE='"$(abs_top_srcdir)/sql"'
planetctl_CFLAGS = $(AM_CFLAGS)
planetctl_LDADD = $(ALL_LIBS)
