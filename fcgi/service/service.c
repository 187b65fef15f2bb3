/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c -- the one list of all services.
 */
#include "flow/flow.h"
#include "http/http.h"
#include "http/route.h"
#include "service/bill.h"
#include "service/payment.h"
#include "service/service.h"

bool
service_ready(void)
{
	http_register();
	login_register();
	me_register();
	territory_register();
	address_register();
	water_station_register();
	water_order_register();
	station_register();
	scope_register();
	grid_register();
	border_register();
	post_register();
	household_register();
	person_register();
	need_register();
	home_register();
	helper_register();
	privacy_register();
	staff_register();
	my_session_register();
	password_register();
	totp_register();
	scan_register();
	import_register();
	export_register();
	audit_log_register();
	ledger_register();
	payment_register();
	bill_register();
	water_account_register();
	roll_call_register();
	correction_register();
	recon_register();
	settlement_register();
	receipt_register();
	push_register();
	return route_ready() && flow_ready();
}
