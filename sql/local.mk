# SPDX-License-Identifier: Apache-2.0
sqldir = $(pkgdatadir)/sql
dist_sql_DATA = \
	%D%/0001-people.sql \
	%D%/0002-territory.sql \
	%D%/0003-flow.sql \
	%D%/0004-water.sql
