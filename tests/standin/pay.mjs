// SPDX-License-Identifier: Apache-2.0
//
// pay.mjs -- the pay side's host: the table of its paths, the gate that all
// pass, and the proof of its answers.
//
// Answers of status 2xx are signed, others are not.  Its clock is that of
// the stand-in, moved by the clock file and by settings.offset_ms.
import fs from 'node:fs';

import { Bills } from './pay-bill.mjs';
import { Book } from './pay-book.mjs';
import { Echo } from './pay-echo.mjs';
import { PayFaults, suffer } from './pay-faults.mjs';
import { alnum, PayKeys } from './pay-keys.mjs';
import { Notices } from './pay-notice.mjs';
import { Orders } from './pay-order.mjs';
import { Refunds } from './pay-refund.mjs';
import { parse, PayError, RULES } from './pay-rules.mjs';
import { checkAuthorization, proof } from './pay-sign.mjs';

const NUMBER = '([A-Za-z0-9_|*@-]+|%7C|%2A)+';

// What a test may set; see pay-control.mjs.
function usualSettings() {
	return {
		platform: 'both',	// key, certificate, both
		serial: 'good',		// or expired, void
		offset_ms: 0,
		spelling: 'new',	// old: codes without underscores
		rates: {},		// lose, double, delay
		refunds: {},		// see pay-refund.mjs
		refund_apart_ms: 0,
		notice_by: 'publicKeys',	// or certificates
		about: 'normal',	// associated_data: empty, absent
		trade_managed: true,
	};
}

export class Pay {
	constructor(state, { dir, mchid, appid, scale, clockFile }) {
		this.state = state;
		this.mchid = mchid;
		this.appid = appid;
		this.scale = scale;
		this.keys = dir ? new PayKeys(dir) : null;
		this.clock = clockFile ? fs.openSync(clockFile, 'r') : null;
		this.settings = usualSettings();
		this.faults = new PayFaults();
		this.book = new Book(dir && state.file ?
		    `${state.file}.pay` : null);
		this.notices = new Notices(this);
		this.orders = new Orders(this);
		this.refunds = new Refunds(this);
		this.bills = new Bills(this);
		this.echo = new Echo(this);
		this.routes = this.makeRoutes();
		this.refunds.resume();
	}

	resetSettings() {
		this.settings = usualSettings();
	}

	makeRoutes() {
		const { orders, refunds, bills, echo } = this;
		const rows = [];
		const add = (name, method, path, host, member, rule = null) =>
		    rows.push({ name, method, rule, path:
			new RegExp(`^${path.replaceAll('{}', `(${NUMBER})`)}$`),
			handle: host[member].bind(host) });

		for (const [part, order, close] of [
			['', RULES.order, RULES.close],
			['/partner', RULES.partnerOrder, RULES.partnerClose],
		]) {
			const at = `/v3/pay${part}/transactions`;
			add('jsapi', 'POST', `${at}/jsapi`, orders, 'create',
			    order);
			add('query', 'GET', `${at}/out-trade-no/{}`, orders,
			    'byNumber');
			add('query', 'GET', `${at}/id/{}`, orders, 'byId');
			add('close', 'POST', `${at}/out-trade-no/{}/close`,
			    orders, 'close', close);
		}
		add('refund', 'POST', '/v3/refund/domestic/refunds', refunds,
		    'create', RULES.refund);
		add('refund_query', 'GET', '/v3/refund/domestic/refunds/{}',
		    refunds, 'query');
		add('bill', 'GET', '/v3/bill/tradebill', bills, 'trade');
		add('bill', 'GET', '/v3/bill/fundflowbill', bills, 'fund');
		add('download', 'GET', '/v3/billdownload/file', bills,
		    'download');
		add('certificates', 'GET', '/v3/certificates', echo,
		    'certificates');
		add('echo', 'POST', '/v3/security/echo', echo, 'echo',
		    RULES.echo);
		return rows;
	}

	// Moved by the file that the product maps.
	now() {
		const bytes = Buffer.alloc(8);

		if (this.clock !== null)
			fs.readSync(this.clock, bytes, 0, 8, 0);
		return this.state.now() + Number(bytes.readBigInt64LE()) +
		    this.settings.offset_ms;
	}

	owns(path) {
		return path.startsWith('/v3/');
	}

	route() {
		return { kind: null, handle: (call) => this.answer(call) };
	}

	async answer(call) {
		const rows = this.routes.map((row) => ({ row,
			match: row.path.exec(call.path) }))
		    .filter(({ match }) => match);
		const found = rows.find(({ row }) =>
		    row.method === call.method);
		const entry = { at: call.now, method: call.method,
			path: call.path, kind: 'pay', fault: null,
			errcode: null };

		call.now = this.now();
		this.state.countCall('pay', entry);
		if (!found)
			return { status: rows.length > 0 ? 405 : 404,
				text: '' };
		const { row, match } = found;
		const fault = this.faults.take(row.name);
		entry.fault = fault?.mode ?? null;
		const answer = await suffer(fault, this, call,
		    () => this.act(row, match, call));
		entry.errcode = answer.code ?? answer.status ?? 200;
		return answer;
	}

	// What it would answer without a fault.
	async act(row, match, call) {
		try {
			const signer = this.enter(call);
			const given = row.rule ? parse(call.body, row.rule) :
			    null;
			const found = match.map((one) => one &&
			    decodeURIComponent(one));
			const json = await row.handle(call, found, given,
			    signer);
			return json?.bytes ? json : this.signed(signer, json,
			    call);
		} catch (error) {
			if (!(error instanceof PayError))
				throw error;
			return this.refusal(error);
		}
	}

	// Who asks, and the key of ours that they want the answer from.
	enter(call) {
		const { headers } = call;

		if (!headers['user-agent'] || !headers.accept)
			throw new PayError(400, 'INVALID_REQUEST',
			    'Http头缺少Accept或User-Agent');
		const who = checkAuthorization(call, this);
		if (!who.mchid)
			throw new PayError(401, 'SIGN_ERROR', who.message,
			    who.detail);
		if (call.method === 'POST' && !/^application\/json\b/.test(
		    headers['content-type'] ?? ''))
			throw new PayError(400, 'INVALID_REQUEST',
			    'Http头Content-Type不是application/json');
		return this.signerFor(headers['wechatpay-serial']);
	}

	signerFor(serial) {
		const { keys, settings } = this;

		if (settings.platform === 'certificate')
			return keys.newest('certificates');
		if (!serial)
			return keys.newest('publicKeys');
		const one = keys.find(serial);
		if (one && (settings.platform === 'both' || !one.until))
			return one;
		// A key that we have dropped, or one that was never ours.
		return keys.newest('publicKeys');
	}

	signed(signer, json, call) {
		const text = json === null ? '' : JSON.stringify(json);

		return { status: json === null ? 204 : 200, text, headers: {
			...this.usualHeaders('0'),
			...proof(signer, Buffer.from(text), call.now) } };
	}

	usualHeaders(internal) {
		return { 'Cache-Control': 'no-cache, must-revalidate',
			'X-Content-Type-Options': 'nosniff',
			'Content-Language': 'zh-CN',
			'Request-ID': `${alnum(32)}-${internal}` };
	}

	refusal({ status, code, message, detail }) {
		const spelled = this.settings.spelling === 'old' ?
		    code.replaceAll('_', '') : code;

		return { status, code: spelled, text: JSON.stringify({
			code: spelled, message,
			...detail ? { detail } : {} }),
		headers: status === 401 ? {} :
		    this.usualHeaders('268435461') };
	}
}
