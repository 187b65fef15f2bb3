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
void scope_register(void);
void grid_register(void);
void border_register(void);
void post_register(void);
void household_register(void);
void person_register(void);
void need_register(void);
void home_register(void);
void helper_register(void);
void privacy_register(void);
void staff_register(void);
void my_session_register(void);
void password_register(void);
void totp_register(void);
void scan_register(void);
void import_register(void);
void export_register(void);
void audit_log_register(void);
void ledger_register(void);
void ledger_check_register_own(void);
void water_account_register(void);
void roll_call_register(void);
void correction_register(void);
void recon_register(void);
void settlement_register(void);
void receipt_register(void);
void push_register(void);

#endif
