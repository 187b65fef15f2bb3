# SPDX-License-Identifier: Apache-2.0
# The API tests; scripts/test runs them.
EXTRA_DIST += tests/package.json tests/package-lock.json \
	%D%/harness.mjs \
	%D%/run.mjs \
	%D%/lib/clock.mjs \
	%D%/lib/conf.mjs \
	%D%/lib/contract.mjs \
	%D%/lib/fixture.mjs \
	%D%/lib/http.mjs \
	%D%/lib/proc.mjs \
	%D%/lib/sql.mjs \
	%D%/lib/water.mjs \
	%D%/lib/wx.mjs \
	%D%/01-health.test.mjs \
	%D%/02-login.test.mjs \
	%D%/03-me.test.mjs \
	%D%/04-territory.test.mjs \
	%D%/05-address.test.mjs \
	%D%/06-station.test.mjs \
	%D%/07-order.test.mjs \
	%D%/08-order-flow.test.mjs \
	%D%/08-order-lists.test.mjs \
	%D%/09-deadlines.test.mjs \
	%D%/10-outbox.test.mjs \
	%D%/11-idempotency.test.mjs \
	%D%/12-input.test.mjs \
	%D%/13-roles.test.mjs \
	%D%/14-redis-away.test.mjs \
	%D%/15-database-away.test.mjs \
	%D%/16-limits.test.mjs \
	%D%/17-cursor.test.mjs \
	%D%/18-reload.test.mjs \
	%D%/19-openapi.test.mjs \
	%D%/20-ctl.test.mjs \
	%D%/22-run.test.mjs
