# SPDX-License-Identifier: Apache-2.0
sqldir = $(pkgdatadir)/sql
dist_sql_DATA = \
	%D%/0001-people.sql \
	%D%/0002-territory.sql \
	%D%/0003-flow.sql \
	%D%/0004-water.sql \
	%D%/0005-duty.sql \
	%D%/0006-household.sql \
	%D%/0007-audit.sql \
	%D%/0008-home.sql \
	%D%/0009-staff.sql \
	%D%/0010-import.sql \
	%D%/0011-water-account.sql \
	%D%/0012-roll-call.sql \
	%D%/0013-export.sql \
	%D%/0014-correction.sql \
	%D%/0015-payment.sql \
	%D%/0016-water-pay.sql \
	%D%/0017-bill.sql \
	%D%/0018-reconciliation.sql \
	%D%/0019-receipt.sql
