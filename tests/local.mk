# SPDX-License-Identifier: Apache-2.0
include tests/unit/base.mk
include tests/unit/store.mk
include tests/unit/http.mk
include tests/unit/wechat.mk
include tests/unit/flow.mk
include tests/unit/nginx.mk
include tests/unit/ctl.mk
include tests/unit/water.mk
include tests/unit/staff.mk
include tests/unit/recon.mk
include tests/unit/bill.mk
include tests/bench/local.mk
include tests/api/local.mk
