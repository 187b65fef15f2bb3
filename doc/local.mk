# SPDX-License-Identifier: Apache-2.0
# Printed by planetctl and checked in; scripts/lint compares them.
printed_docs = %D%/openapi.json %D%/flows.txt %D%/flows.dot \
	%D%/planet.conf.sample

dist_doc_DATA = %D%/DESIGN.md %D%/BENCHMARKS.md $(printed_docs)
EXTRA_DIST += %D%/redocly.yaml

.PHONY: docs
docs: planetctl
	./planetctl openapi >$(top_srcdir)/%D%/openapi.json
	./planetctl flows >$(top_srcdir)/%D%/flows.txt
	./planetctl flows --graphviz >$(top_srcdir)/%D%/flows.dot
	./planetctl conf-sample >$(top_srcdir)/%D%/planet.conf.sample
