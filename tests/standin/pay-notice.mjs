// SPDX-License-Identifier: Apache-2.0
//
// pay-notice.mjs -- notices to the merchant, and what can befall them.
//
// A notice is sent until it is answered 200 or 204, after pauses as
// documented, times the scale; each sending is signed anew.  The ways:
//   normal      as it should be (settings.rates spoil some)
//   lost        never;  double: two at once;  late, delayed: after a while
//   reordered   after the next other notice;  signtest: first as a probe
//   forged, stale, tampered, unknown_serial, wrong_amount,
//   wrong_currency, wrong_appid, wrong_mchid, unknown_order: one such, and
//   no true one
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import { timeText } from './pay-book.mjs';
import { alnum } from './pay-keys.mjs';
import { tradeOf } from './pay-order.mjs';
import { refundNews } from './pay-refund.mjs';
import { nonceOf, proof, seal } from './pay-sign.mjs';

const PAUSES = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800,
	10800, 10800, 21600, 21600];		// seconds
const ECHO_PAUSES = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600];
const ANSWER_MS = 5000;
const LATE_MS = 10_000, DELAYED_MS = 2000;	// by the scale
const LOG_MAX = 500;

const BAD = ['forged', 'stale', 'tampered', 'unknown_serial',
	'wrong_amount', 'wrong_currency', 'wrong_appid', 'wrong_mchid',
	'unknown_order'];
export const WAYS = ['normal', 'lost', 'double', 'late', 'delayed',
	'reordered', 'signtest', ...BAD];

const agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 64 }),
	'https:': new https.Agent({ keepAlive: true, maxSockets: 64 }) };
let stranger = null;	// a key that nobody was told of

// The status of the answer, 0 when there was none.
function post(url, bytes, headers) {
	let protocol;

	try {
		({ protocol } = new URL(url));
	} catch {
		return Promise.resolve(0);
	}
	return new Promise((resolve) => {
		const request = (protocol === 'https:' ? https : http)
		    .request(url, { method: 'POST', agent: agents[protocol],
			headers, timeout: ANSWER_MS });
		request.on('timeout', () => request.destroy());
		// A connection kept for later may have ended meanwhile.
		request.on('error', (error) => resolve(request.reusedSocket &&
		    error.code === 'ECONNRESET' ?
		    post(url, bytes, headers) : 0));
		request.on('response', (answer) => {
			answer.on('error', () => resolve(0));
			answer.on('close', () => resolve(0));
			answer.on('end', () => resolve(answer.statusCode));
			answer.resume();
		});
		request.end(bytes);
	});
}

// Spoil what a notice says.
function twist(news, way) {
	switch (way) {
	case 'wrong_amount':
		return { ...news, amount: { ...news.amount,
			total: news.amount.total + 1,
			payer_total: news.amount.payer_total + 1 } };
	case 'wrong_currency':
		return { ...news, amount: { ...news.amount,
			currency: 'USD' } };
	case 'wrong_appid':
		return { ...news, [news.sp_appid ? 'sp_appid' : 'appid']:
		    'wxffffffffffffffff' };
	case 'wrong_mchid':
		return { ...news, [news.sp_mchid ? 'sp_mchid' : 'mchid']:
		    '1900000999' };
	case 'unknown_order':
		return { ...news, out_trade_no: `X${alnum(20)}`,
			transaction_id: `4200${Date.now()}00000000000` };
	default:
		return news;
	}
}

const KINDS = {
	payment: { type: 'transaction', summary: '支付成功', event: () =>
		'TRANSACTION.SUCCESS', },
	refund: { type: 'refund', summary: '退款结果', event: (refund) =>
		`REFUND.${refund.state}` },
	echo: { type: 'security', summary: '安全联调', event: () =>
		'SECURITY_ECHO.SUCCESS' },
};

export class Notices {
	constructor(pay) {
		this.pay = pay;
		this.held = [];		// to go after another one
		this.log = [];		// of sendings, the oldest first
		this.sent = 0;
	}

	// Where it goes, or null when nobody said.
	urlOf(kind, row) {
		return row.notify_url ?? (kind === 'refund' ?
		    this.pay.book.orders.get(row.number).notify_url : null);
	}

	newsOf(kind, row) {
		if (kind === 'payment')
			return { ...tradeOf(row), trade_state: 'SUCCESS',
				trade_state_desc: '支付成功' };
		return kind === 'refund' ? refundNews(row,
		    this.pay.book.orders.get(row.number)) : row.news;
	}

	bodyOf(kind, row, way) {
		const { about } = this.pay.settings;
		const { type, summary, event } = KINDS[kind];
		// A false one must not be known by the number of the true.
		const id = BAD.includes(way) && way !== 'stale' ?
		    randomUUID() : row.notice_id;

		return JSON.stringify({ id,
			create_time: timeText(row.done_at ?? row.paid_at ??
			    this.pay.now()),
			resource_type: 'encrypt-resource',
			event_type: event(row), summary, resource: {
				original_type: type,
				...seal(this.pay.keys.apiv3, JSON.stringify(
				    twist(this.newsOf(kind, row), way)), {
					nonce: nonceOf(id),
					about: about === 'normal' ? type :
					    about === 'empty' ? '' : null }),
			} });
	}

	headersOf(bytes, way) {
		const { keys, settings } = this.pay;
		const one = keys.newest(settings.notice_by);
		const now = this.pay.now() - (way === 'stale' ? 600_000 : 0);
		let signer = one;

		if (way === 'forged') {
			stranger ??= generateKeyPairSync('rsa',
			    { modulusLength: 2048 }).privateKey;
			signer = { key: stranger, serial: one.serial };
		}
		const headers = proof(signer, bytes, now);
		if (way === 'signtest')
			headers['Wechatpay-Signature'] = 'WECHATPAY/SIGNTEST/' +
			    headers['Wechatpay-Signature'].slice(19);
		if (way === 'unknown_serial')
			headers['Wechatpay-Serial'] =
			    `PUB_KEY_ID_${'9'.repeat(34)}`;
		return headers;
	}

	// One sending; its status.
	async send(kind, row, way, attempt = 1) {
		const url = this.urlOf(kind, row);
		let bytes = Buffer.from(this.bodyOf(kind, row, way));
		const headers = { 'Content-Type': 'application/json',
			'User-Agent': 'Mozilla/4.0', Accept: '*/*',
			'Request-ID': `${alnum(32)}-0`,
			...this.headersOf(bytes, way) };

		if (way === 'tampered')
			bytes = Buffer.from(bytes.toString('utf8')
			    .replace('"summary"', '"Summary"'));
		headers['Content-Length'] = bytes.length;
		const status = url ? await post(url, bytes, headers) : 0;
		this.log.push({ at: this.pay.now(), number: row.number ?? null,
			refund_number: row.refund_number ?? null, kind, way,
			attempt, status });
		if (this.log.length > LOG_MAX)
			this.log.shift();
		this.sent++;
		return status;
	}

	// Notices of these payments at so many a second, each once:
	// { sent, statuses: {status: n}, p50_ms, p99_ms, max_ms }
	async burst(orders, perSecond) {
		const start = Date.now();
		const took = [];
		const statuses = {};

		await Promise.all(orders.map(async (order, i) => {
			await sleep(start + i * 1000 / perSecond - Date.now());
			order.notice_id ??= randomUUID();
			const from = performance.now();
			const status = await this.send('payment', order,
			    'normal');
			took.push(performance.now() - from);
			statuses[status] = (statuses[status] ?? 0) + 1;
		}));
		took.sort((a, b) => a - b);
		const at = (part) => Number((took[Math.min(took.length - 1,
		    Math.floor(took.length * part))] ?? 0).toFixed(1));
		return { sent: took.length, statuses, p50_ms: at(0.5),
			p99_ms: at(0.99), max_ms: at(1) };
	}

	// Until it is taken; a promise of the first status.
	async deliver(kind, row, way = 'normal', attempt = 1) {
		const status = await this.send(kind, row, way, attempt);
		const pause = (kind === 'echo' ? ECHO_PAUSES :
		    PAUSES)[attempt - 1];

		if (status !== 200 && status !== 204 && pause !== undefined)
			setTimeout(() => this.deliver(kind, row, 'normal',
			    attempt + 1), pause * 1000 * this.pay.scale)
			    .unref();
		return status;
	}

	async after(ms, kind, row) {
		await sleep(ms, null, { ref: false });
		return this.deliver(kind, row);
	}

	// What chance makes of a notice that should be normal.
	luck() {
		const { lose = 0, double = 0, delay = 0 } =
		    this.pay.settings.rates;
		const x = Math.random();

		if (x < lose)
			return 'lost';
		if (x < lose + double)
			return 'double';
		return x < lose + double + delay ? 'delayed' : 'normal';
	}

	// Hold it back until another has gone, but not for ever.
	hold(kind, row) {
		return new Promise((resolve) => {
			let timer = null;
			const go = () => {
				clearTimeout(timer);
				this.held = this.held.filter((one) =>
				    one !== go);
				resolve(this.deliver(kind, row));
			};
			timer = setTimeout(go, LATE_MS *
			    Math.max(this.pay.scale, 0.5)).unref();
			this.held.push(go);
		});
	}

	// Tell of a row in this way; a promise of the first status, or of
	// null when nothing is sent.
	async announce(kind, row, way = 'normal', { delay_ms } = {}) {
		const real = way === 'normal' ? this.luck() : way;
		const { scale } = this.pay;
		const others = this.held;

		row.notice_id ??= randomUUID();
		if (real === 'lost')
			return null;
		if (real === 'reordered')
			return this.hold(kind, row);
		if (real === 'late')
			return this.after(delay_ms ?? LATE_MS * scale, kind,
			    row);
		if (real === 'delayed')
			return this.after(delay_ms ?? DELAYED_MS * scale,
			    kind, row);
		if (BAD.includes(real))
			return this.send(kind, row, real);
		const first = this.deliver(kind, row, real === 'signtest' ?
		    'signtest' : 'normal');
		const second = real === 'double' ?
		    this.deliver(kind, row) : null;
		const status = await first;
		await second;
		others.forEach((go) => go());
		return status;
	}
}
