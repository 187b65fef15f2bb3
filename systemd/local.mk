# SPDX-License-Identifier: Apache-2.0
# Examples, so they go where documentation goes.
systemddocdir = $(docdir)/systemd
dist_systemddoc_DATA = \
	%D%/README.md \
	%D%/planet-jobs.service \
	%D%/planet-standby@.service \
	%D%/planet-worker@.service \
	%D%/planet-worker@.socket \
	%D%/planet.tmpfiles
dist_systemddoc_SCRIPTS = %D%/reload
