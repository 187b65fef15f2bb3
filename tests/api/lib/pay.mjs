// SPDX-License-Identifier: Apache-2.0
//
// pay.mjs -- the pay side of the stand-in, as a test plays with it: the
// payer's thumb, the notices, the faults, the statements.
//
// What each word means stands in tests/standin/pay-control.mjs.
import fs from 'node:fs';
import path from 'node:path';

// Section [pay] of planet.conf for the keys in dir/name.
export function payConf(dir, name, url, base) {
	const serial = fs.readFileSync(path.join(dir, name,
	    'merchant.serial'), 'utf8').trim();

	return { pay_url: url, pay_mchid: '1900000109', pay_serial: serial,
		pay_key_file: `${name}/apiclient_key.pem`,
		pay_apiv3_file: `${name}/apiv3.key`,
		pay_platform_dir: `${name}/platform-keys`,
		pay_notify_url: base };
}

export class Pay {
	constructor(wx) {
		this.wx = wx;
	}

	// The resident's thumb.  `what` is what the API gave as `wechat`, its
	// `package`, or a prepay_id; more: { result, notices, wait, delay_ms,
	// amount, force }.  -> { number, state, transaction_id, notice },
	// notice being the status that the first notice was answered with.
	pay(what, more = {}) {
		const text = typeof what === 'string' ? what : what.package;

		return this.wx.ask('POST', 'payments', { prepay_id:
		    text.replace(/^prepay_id=/, ''), ...more });
	}

	// Pay by out_trade_no.
	payNumber(number, more = {}) {
		return this.wx.ask('POST', 'payments', { number, ...more });
	}

	// Send the notice of a payment again, now: { times, way, together }.
	// The statuses it was answered with.
	async notice(number, more = {}) {
		return (await this.wx.ask('POST', 'notices',
		    { number, ...more })).statuses;
	}

	// The notice of every paid order once, at this rate, answered by
	// { sent, statuses, p50_ms, p99_ms, max_ms }.
	burst(per_second, more = {}) {
		return this.wx.ask('POST', 'notices-burst',
		    { per_second, ...more });
	}

	async refundNotice(refund_number, more = {}) {
		return (await this.wx.ask('POST', 'notices',
		    { refund_number, ...more })).statuses;
	}

	// { sent, log: [{ number, refund_number, way, attempt, status }] }
	notices() {
		return this.wx.ask('GET', 'notices');
	}

	// How later refunds end: { result, hold, delay_ms, notices }.
	refunds(script) {
		return this.set({ refunds: script });
	}

	// End a refund that is held: { result, notices, wait }.
	endRefund(refund_number, more = {}) {
		return this.wx.ask('POST', 'refunds',
		    { refund_number, ...more });
	}

	// The next call of a path meets this; paths and modes are listed in
	// tests/standin/pay-faults.mjs.  more: { times, delay_ms, status,
	// code, message }.
	fault(path_, mode, more = {}) {
		return this.set({ faults: [{ path: path_, mode, ...more }] });
	}

	clearFaults() {
		return this.set({ faults: [] });
	}

	// Chances of ordinary notices: { lose, double, delay }, 0 to 1.
	rates(rates) {
		return this.set({ rates });
	}

	// A new platform key; { give, drop, certificate }.
	rotate(how = {}) {
		return this.set({ rotate: how });
	}

	set(settings) {
		return this.wx.ask('POST', 'pay', settings);
	}

	// As it was in the beginning, but for orders, refunds and keys.
	reset() {
		return this.set({ reset: true });
	}

	// Orders with their refunds in refund_rows; { state, number }.
	orders(filter = {}) {
		const query = new URLSearchParams(filter).toString();

		return this.wx.ask('GET', `payments${query && `?${query}`}`);
	}

	// { orders: {state: n}, refunds: {state: n}, paid_fen, refunded_fen }
	sum() {
		return this.wx.ask('GET', 'payments-sum');
	}

	async order(number) {
		return (await this.orders({ number }))[0] ?? null;
	}

	// The platform tells us of goods: { url, token, event, number, step,
	// aes_key, xml, appid, spoil }, or checks an address with `echo`; see
	// tests/standin/push.mjs.  -> { status, text }
	push(what) {
		return this.wx.ask('POST', 'push', what);
	}

	// Spoil the statement of a day ("2026-11-22"): { extra, missing,
	// amount, trade_file, fund_file }; nothing makes it true again.
	statement(date, more = {}) {
		return this.wx.ask('POST', 'statement', { date, ...more });
	}
}
