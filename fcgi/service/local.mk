# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libservice.a
libservice_a_CFLAGS = $(AM_CFLAGS) $(XLSX_CFLAGS)
libservice_a_SOURCES = \
	%D%/service.c %D%/service.h \
	%D%/payment.c %D%/payment_thing.c %D%/payment.h \
	%D%/payment_internal.h %D%/payment_ask.c %D%/payment_book.c \
	%D%/payment_doubt.c %D%/payment_flow.c %D%/payment_notice.c \
	%D%/payment_refund.c \
	%D%/statement.c %D%/statement.h \
	%D%/recon.c %D%/recon.h \
	%D%/recon_diff.c \
	%D%/recon_export.c \
	%D%/recon_match.c \
	%D%/recon_run.c \
	%D%/recon_share.c \
	%D%/recon_stage.c \
	%D%/settlement.c \
	%D%/receipt.c %D%/receipt.h \
	%D%/receipt_title.c \
	%D%/push.c \
	%D%/sealed.c %D%/sealed.h \
	%D%/scope.c %D%/scope.h \
	%D%/household.c %D%/household.h %D%/household_internal.h \
	%D%/household_write.c \
	%D%/user.c %D%/user.h \
	%D%/login.c %D%/login.h \
	%D%/credential.c %D%/credential.h \
	%D%/device.c %D%/device.h \
	%D%/my_session.c \
	%D%/me.c \
	%D%/territory.c \
	%D%/address.c \
	%D%/water.h \
	%D%/water_window.c \
	%D%/water_station.c \
	%D%/water_stock.c \
	%D%/water_place.c \
	%D%/water_offer.c \
	%D%/water_flow.c \
	%D%/water_order.c %D%/water_pay.c %D%/shipping.c %D%/shipping.h \
	%D%/station.c \
	%D%/place_rank.c %D%/place_tree.c %D%/place_tree.h \
	%D%/grid.c %D%/grid.h \
	%D%/unit.c %D%/unit_internal.h \
	%D%/unit_dwelling.c \
	%D%/border.c %D%/border_internal.h \
	%D%/border_move.c \
	%D%/border_preview.c \
	%D%/post.c %D%/post.h \
	%D%/post_internal.h \
	%D%/post_deputy.c \
	%D%/post_make.c \
	%D%/post_role.c \
	%D%/person.c %D%/person_internal.h \
	%D%/person_list.c \
	%D%/person_look.c \
	%D%/person_write.c \
	%D%/need.c \
	%D%/home.c %D%/home.h \
	%D%/home_flow.c \
	%D%/home_roster.c \
	%D%/helper.c %D%/helper.h \
	%D%/helper_desk.c \
	%D%/privacy.c %D%/privacy.h \
	%D%/privacy_export.c \
	%D%/privacy_close.c \
	%D%/staff.c \
	%D%/password.c \
	%D%/totp.c \
	%D%/scan.c \
	%D%/sheet.c %D%/sheet.h \
	%D%/import.c %D%/import.h \
	%D%/import_internal.h \
	%D%/import_apply.c \
	%D%/import_check.c \
	%D%/import_diff.c %D%/import_diff.h \
	%D%/import_faulty.c \
	%D%/import_forget.c \
	%D%/import_grids.c \
	%D%/import_grids_sql.c \
	%D%/import_read.c \
	%D%/import_record.c \
	%D%/import_roster.c \
	%D%/import_roster_sql.c \
	%D%/import_stage.c \
	%D%/import_step.c \
	%D%/import_tally.c \
	%D%/import_territory.c \
	%D%/export.c %D%/export.h \
	%D%/export_file.c %D%/export_file.h \
	%D%/export_make.c %D%/export_rows.c \
	%D%/audit_log.c \
	%D%/ledger.c %D%/ledger.h \
	%D%/ledger_check.c \
	%D%/water_account.c %D%/water_account.h \
	%D%/water_book.c %D%/water_book_buy.c \
	%D%/water_ticket.c \
	%D%/water_barrel.c \
	%D%/water_ledger.c \
	%D%/bill.c %D%/bill.h %D%/bill_internal.h %D%/bill_full.c \
	%D%/bill_sum.c %D%/bill_pay.c \
	%D%/bill_dispute.c %D%/bill_waiver.c \
	%D%/bill_batch.c %D%/bill_read.c %D%/bill_apply.c \
	%D%/bill_cell.c %D%/bill_cell.h \
	%D%/bill_remind.c %D%/bill_report.c %D%/money_sweep.c \
	%D%/payee.c \
	%D%/correction.c \
	%D%/roll_call.c %D%/roll_call.h \
	%D%/roll_call_answer.c %D%/roll_call_flow.c
