/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h -- the services there are; each file adds its routes,
 * statements and flows.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>

/*
 * Register everything and check all tables.  Once, before the database is
 * opened; false after logging what is wrong.
 */
bool service_ready(void);

/* One function a file; each registers its tables. */
void login_register(void);
void me_register(void);
void territory_register(void);
void address_register(void);
void water_station_register(void);
void water_order_register(void);
void station_register(void);

#endif
