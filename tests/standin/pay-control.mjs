// SPDX-License-Identifier: Apache-2.0
//
// pay-control.mjs -- what a test or a person asks of the pay side.
//
//   POST payments  {prepay_id | number, result?: paid|failed, notices?,
//                   wait?, delay_ms?, amount?, force?}
//        the payer's thumb.  notices: see pay-notice.mjs; amount: what is
//        really paid; force: even an order that is closed or too old
//        -> {number, state, transaction_id, notice: status | null}
//   GET  payments  ?state=&number=  -> [order, with its refunds]
//   GET  payments-sum  -> {orders: {state: n}, refunds: {state: n},
//                   paid_fen, refunded_fen}
//   POST notices   {number | refund_number, times?, way?, together?}
//        send the notice of a payment or a refund (again), now
//        -> {statuses}
//   POST notices-burst {per_second, state?}  every paid order's notice
//        once, at this rate -> {sent, statuses, p50_ms, p99_ms, max_ms}
//   GET  notices   -> {sent, log}
//   POST refunds   {refund_number, result?, notices?, wait?, delay_ms?}
//        end a refund that is held -> {state, notice}
//   POST statement {date, extra?, missing?, amount?, trade_file?,
//                   fund_file?}; without more it is true again
//   POST pay       any of: {faults: [{path, mode, times?, delay_ms?,
//                   status?, code?, message?}] (added; [] clears),
//                   rates, refunds, platform, serial, spelling,
//                   offset_ms, refund_apart_ms, notice_by, about,
//                   trade_managed, rotate: {give?, drop?, certificate?},
//                   reset: true}  -> all settings
//   GET  pay       -> the same
//   POST push      see push.mjs
//
// `wait` (default true) answers after the first notice was answered.
import { randomUUID } from 'node:crypto';

import { Refusal } from './control.mjs';
import { MODES, PATHS } from './pay-faults.mjs';
import { WAYS } from './pay-notice.mjs';
import { RESULTS } from './pay-refund.mjs';
import { flag, list, must, object, oneOf, parse, PayError, text,
	whole } from './pay-rules.mjs';
import { EVENTS, Push } from './push.mjs';

const DELAY = whole(0, 3600_000);
const WAY = oneOf(...WAYS);

function rate(value) {
	if (typeof value !== 'number' || value < 0 || value > 1)
		throw new PayError(400, 'PARAM_ERROR', 'a rate is 0 to 1');
}

function amounts(value) {
	for (const one of Object.values(value))
		whole(0)(one, '/amount');
}

const RULES = {
	thumb: object({ prepay_id: text(64), number: text(32),
		result: oneOf('paid', 'failed'), notices: WAY, wait: flag,
		delay_ms: DELAY, amount: whole(), force: flag }),
	notices: object({ number: text(32), refund_number: text(64),
		times: whole(1, 1000), way: WAY, together: flag }),
	burst: object({ per_second: must(whole(1, 10000)),
		state: oneOf('SUCCESS', 'REFUND') }),
	refund: object({ refund_number: must(text(64)),
		result: oneOf(...RESULTS), notices: WAY, wait: flag,
		delay_ms: DELAY }),
	statement: object({ date: must(text(10)), extra: list(object({
		number: text(32), transaction_id: text(32),
		refund_number: text(64), refund_id: text(32),
		openid: text(128), description: text(127),
		fen: must(whole(0)) }), 0, 10000),
	missing: list(text(64), 0, 10000), amount: amounts,
	trade_file: text(4096), fund_file: text(4096) }),
	push: object({ url: must(text(1024)), token: must(text(32)),
		event: oneOf(...EVENTS), number: text(32),
		step: oneOf('shipped', 'received'), echo: text(64),
		aes_key: text(43, { min: 43 }), xml: flag, appid: text(32),
		spoil: oneOf('signature') }),
	settings: object({ faults: list(object({ path: must(oneOf(...PATHS)),
		mode: must(oneOf(...MODES)), times: whole(1, 1e6),
		delay_ms: DELAY, status: whole(100, 599), code: text(64),
		message: text(256) }), 0),
	rates: object({ lose: rate, double: rate, delay: rate }),
	refunds: object({ result: oneOf(...RESULTS), hold: flag,
		delay_ms: DELAY, notices: WAY }),
	platform: oneOf('key', 'certificate', 'both'),
	serial: oneOf('good', 'expired', 'void'),
	spelling: oneOf('new', 'old'), offset_ms: whole(-1e12, 1e12),
	refund_apart_ms: whole(0), notice_by: oneOf('publicKeys',
	    'certificates'), about: oneOf('normal', 'empty', 'absent'),
	trade_managed: flag, reset: flag, rotate: object({ give: flag,
		drop: flag, certificate: flag }) }),
};

function read(call, rule) {
	try {
		return parse(call.body, rule);
	} catch (error) {
		if (error instanceof PayError)
			throw new Refusal(`${error.message}` +
			    ` (${error.detail?.field ?? ''})`);
		throw error;
	}
}

export class PayControl {
	constructor(pay) {
		this.pay = pay;
		this.routes = {
			'POST payments': (call) => this.thumb(call),
			'GET payments': (call) => this.payments(call),
			'GET payments-sum': () => this.sum(),
			'POST notices': (call) => this.send(call),
			'POST notices-burst': (call) => this.burst(call),
			'GET notices': () => ({ sent: pay.notices.sent,
				log: pay.notices.log }),
			'POST refunds': (call) => this.refund(call),
			'POST statement': (call) => this.statement(call),
			'POST pay': (call) => this.set(call),
			'GET pay': () => this.all(),
			'POST push': (call) => new Push(pay).send(read(call,
			    RULES.push)),
		};
	}

	need() {
		if (!this.pay.keys)
			throw new Refusal('started without --pay-dir');
	}

	// The order of a prepay_id or a number, that can still be paid.
	payable(given) {
		const { book } = this.pay;
		const order = given.prepay_id === undefined ?
		    book.orders.get(given.number) :
		    book.prepays.get(given.prepay_id);

		if (!order)
			throw new Refusal('no such order');
		if (order.transaction_id)
			throw new Refusal(`the order is ${order.state}`);
		if (given.force)
			return order;
		const until = order.prepays.find(([id]) =>
		    id === given.prepay_id)?.[1] ?? Infinity;
		if (order.state !== 'NOTPAY')
			throw new Refusal(`the order is ${order.state}`);
		if (Math.min(until, order.expires_at) <= this.pay.now())
			throw new Refusal('it is too late to pay');
		return order;
	}

	async thumb(call) {
		this.need();
		const given = read(call, RULES.thumb);
		const { result = 'paid', notices = 'normal', wait = true,
			delay_ms, amount } = given;
		const order = this.payable(given);
		const { book } = this.pay;

		if (result === 'paid') {
			order.paid_total = amount;
			book.pay(order, this.pay.now());
		}
		const news = this.tell(order, result, notices, delay_ms);
		const notice = wait ? await news : null;
		return { number: order.number, state: order.state,
			transaction_id: order.transaction_id, notice };
	}

	// No notice is made of what was not paid, but false ones can be.
	async tell(order, result, way, delay_ms) {
		const { notices } = this.pay;
		const at = this.pay.now();

		if (result === 'paid') {
			const first = notices.announce('payment', order, way,
			    { delay_ms });
			this.pay.book.write('order', order);
			return first;
		}
		if (['normal', 'lost', 'double', 'late', 'delayed',
			'reordered', 'signtest'].includes(way))
			return null;
		return notices.announce('payment', { ...order,
			state: 'SUCCESS', paid_at: at, notice_id: null,
			transaction_id: `4200${at}00000000000` }, way);
	}

	payments(call) {
		const { orders, refunds } = this.pay.book;
		const state = call.query.get('state');
		const number = call.query.get('number');
		const back = new Map();

		for (const one of refunds.values())
			back.set(one.number, [...back.get(one.number) ?? [],
				one]);
		return [...orders.values()].filter((order) =>
		    (state === null || order.state === state) &&
		    (number === null || order.number === number))
		    .map(({ print, ...order }) => ({ ...order,
			prepay_id: order.prepays.at(-1)?.[0] ?? null,
			refund_rows: back.get(order.number) ?? [] }));
	}

	sum() {
		const out = { orders: {}, refunds: {}, paid_fen: 0,
			refunded_fen: 0 };
		const count = (of, state) => {
			of[state] = (of[state] ?? 0) + 1;
		};

		for (const order of this.pay.book.orders.values()) {
			count(out.orders, order.state);
			if (order.transaction_id)
				out.paid_fen += order.paid_total ?? order.total;
		}
		for (const refund of this.pay.book.refunds.values()) {
			count(out.refunds, refund.state);
			if (refund.state === 'SUCCESS')
				out.refunded_fen += refund.refund_fen;
		}
		return out;
	}

	async send(call) {
		this.need();
		const { number, refund_number, times = 1, way = 'normal',
			together = false } = read(call, RULES.notices);
		const { book, notices } = this.pay;
		const row = refund_number === undefined ?
		    book.orders.get(number) : book.refunds.get(refund_number);
		const kind = refund_number === undefined ? 'payment' :
		    'refund';
		const statuses = [];

		if (!row?.transaction_id)
			throw new Refusal('nothing to tell of');
		if (kind === 'refund' && row.state === 'PROCESSING')
			throw new Refusal('the refund is not done');
		row.notice_id ??= randomUUID();
		if (together)
			return { statuses: await Promise.all(Array.from(
			    { length: times }, () =>
				notices.send(kind, row, way))) };
		for (let i = 0; i < times; i++)
			statuses.push(await notices.send(kind, row, way));
		return { statuses };
	}

	burst(call) {
		this.need();
		const { per_second, state } = read(call, RULES.burst);

		return this.pay.notices.burst(
		    [...this.pay.book.paid.values()].filter((order) =>
			state === undefined || order.state === state),
		    per_second);
	}

	async refund(call) {
		this.need();
		const { refund_number, wait = true, ...how } = read(call,
		    RULES.refund);
		const refund = this.pay.book.refunds.get(refund_number);

		if (!refund)
			throw new Refusal('no such refund');
		const news = this.pay.refunds.end(refund, how);
		return { state: refund.state,
			notice: wait ? await news : null };
	}

	statement(call) {
		const { date, ...more } = read(call, RULES.statement);

		this.pay.bills.spoilt.set(date, more);
		return { date, ...more };
	}

	rotate({ give = true, drop = false, certificate = false }) {
		const { keys } = this.pay;
		const one = certificate ? keys.addCertificate() :
		    keys.addPublicKey({ give });

		if (drop)
			keys.drop(certificate ? 'certificates' : 'publicKeys');
		return one.serial;
	}

	set(call) {
		this.need();
		const { faults, rotate, reset, ...more } = read(call,
		    RULES.settings);

		if (reset) {
			this.pay.resetSettings();
			this.pay.faults.list = [];
		}
		if (faults?.length === 0)
			this.pay.faults.list = [];
		for (const one of faults ?? [])
			this.pay.faults.list.push({ delay_ms: 0, ...one,
				times: one.times ?? 1 });
		Object.assign(this.pay.settings, more);
		if (rotate)
			this.rotate(rotate);
		return this.all();
	}

	all() {
		const { keys, settings, faults, mchid } = this.pay;

		return { ...settings, faults: faults.list, mchid,
			now: this.pay.now(),
			serials: keys ? [...keys.publicKeys,
				...keys.certificates].map((one) => one.serial) :
			    [] };
	}
}
