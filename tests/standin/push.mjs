// SPDX-License-Identifier: Apache-2.0
//
// push.mjs -- what the platform tells the app of its own accord, here about
// goods that were paid: POST /_standin/push
//
//   {url, token, event, number?, step?: shipped|received, aes_key?, xml?,
//    appid?, spoil?: signature}          -> {status, text}
//   {url, token, echo: TEXT}             the check of an address, by GET
//
// With aes_key (43 characters) the event is sealed.  `received` marks the
// order so: the settlement follows.
import { createCipheriv, createHash, randomBytes,
	randomInt } from 'node:crypto';

import { Refusal } from './control.mjs';

const BLOCK = 32;

export const EVENTS = ['trade_manage_order_settlement',
	'trade_manage_remind_shipping', 'trade_manage_remind_access_api',
	'wxa_trade_controlled'];

// SHA-1 of the words sorted bytewise and joined.
function seal1(...words) {
	return createHash('sha1').update(words.map((word) => Buffer.from(word))
	    .sort(Buffer.compare).join('')).digest('hex');
}

function encrypt(text, aes_key, appid) {
	const key = Buffer.from(`${aes_key}=`, 'base64');
	const message = Buffer.from(text);
	const length = Buffer.alloc(4);
	length.writeUInt32BE(message.length);
	const plain = Buffer.concat([randomBytes(16), length, message,
		Buffer.from(appid)]);
	const pad = BLOCK - plain.length % BLOCK;
	const cipher = createCipheriv('aes-256-cbc', key,
	    key.subarray(0, 16)).setAutoPadding(false);

	return Buffer.concat([cipher.update(plain),
		cipher.update(Buffer.alloc(pad, pad)), cipher.final()])
	    .toString('base64');
}

function xmlOf(object) {
	return `<xml>${Object.entries(object).map(([name, value]) =>
	    `<${name}>${typeof value === 'number' ? value :
		`<![CDATA[${value}]]>`}</${name}>`).join('')}</xml>`;
}

export class Push {
	constructor(pay) {
		this.pay = pay;
	}

	// The members of an event about an order.
	about(event, order, step) {
		const seconds = (ms) => Math.floor(ms / 1000);
		const now = seconds(this.pay.now());

		if (!order)
			return {};
		const key = { transaction_id: order.transaction_id,
			merchant_id: order.mchid,
			sub_merchant_id: order.sub_mchid ?? '',
			merchant_trade_no: order.number,
			pay_time: seconds(order.paid_at) };
		if (event === 'trade_manage_remind_shipping')
			return { ...key, msg: '请尽快发货' };
		if (!order.ship)
			throw new Refusal('not shipped');
		const shipped = { ...key,
			shipped_time: seconds(order.ship.at) };
		if (step === 'shipped')
			return { ...shipped, estimated_settlement_time:
			    now + 2 * 86400 };
		order.ship.state = 4;
		this.pay.book.write('order', order);
		return { ...shipped, confirm_receive_method: 2,
			confirm_receive_time: now, settlement_time: now };
	}

	body(given, order) {
		const { event, step = 'received', aes_key, xml } = given;
		const head = { ToUserName: 'gh_0123456789ab',
			FromUserName: Object.values(order?.payer ??
			    { openid: 'system' })[0],
			CreateTime: Math.floor(this.pay.now() / 1000),
			MsgType: 'event', Event: event };
		const write = xml ? xmlOf : JSON.stringify;
		const text = write({ ...head, ...this.about(event, order,
		    step) });

		if (aes_key === undefined)
			return { text };
		const sealed = encrypt(text, aes_key, given.appid ??
		    this.pay.appid);
		return { sealed, text: write({ ToUserName: head.ToUserName,
			Encrypt: sealed }) };
	}

	async send(given) {
		const { url, token, event, number, echo, spoil } = given;
		const order = this.pay.book.orders.get(number);

		if (echo === undefined && event === undefined)
			throw new Refusal('event or echo is missing');
		if (number !== undefined && !order?.transaction_id)
			throw new Refusal('no such payment');
		const { text, sealed } = echo === undefined ?
		    this.body(given, order) : {};
		const timestamp = String(Math.floor(this.pay.now() / 1000));
		const nonce = String(randomInt(1e9));
		const sign = (...words) => spoil === 'signature' ?
		    '0'.repeat(40) : seal1(token, timestamp, nonce, ...words);
		const query = new URLSearchParams({ signature: sign(),
			timestamp, nonce,
			...echo === undefined ? {} : { echostr: echo },
			...sealed ? { encrypt_type: 'aes',
				msg_signature: sign(sealed) } : {} });
		try {
			const answer = await fetch(`${url}?${query}`, {
				signal: AbortSignal.timeout(5000),
				...echo !== undefined ? {} : { method: 'POST',
					body: text, headers: { 'Content-Type':
					given.xml ? 'text/xml' :
					    'application/json' } } });
			return { status: answer.status,
				text: await answer.text() };
		} catch (error) {
			return { status: 0, text: error.message };
		}
	}
}
