/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c -- the one list of all services.
 */
#include "flow/flow.h"
#include "http/http.h"
#include "http/route.h"
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
	return route_ready() && flow_ready();
}
