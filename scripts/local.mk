# SPDX-License-Identifier: Apache-2.0
# For a checkout; nothing here is installed.
EXTRA_DIST += \
	%D%/bench \
	%D%/components.sh \
	%D%/demo \
	%D%/demo_money.sh \
	%D%/demo_people.sh \
	%D%/folder.sh \
	%D%/keep \
	%D%/lib.sh \
	%D%/lint \
	%D%/run \
	%D%/setup \
	%D%/soak \
	%D%/test
