// SPDX-License-Identifier: Apache-2.0
//
// pay-ship.test.mjs -- shipping of what was paid: once, corrected once.
import assert from 'node:assert/strict';
import { createDecipheriv, createHash } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { APPID, MCHID, Merchant, SECRET } from './pay-client.mjs';

let m;
let token;
before(async () => {
	m = await Merchant.start();
	token = (await ask('/cgi-bin/stable_token', { appid: APPID,
		secret: SECRET, grant_type: 'client_credential' }))
	    .access_token;
});
after(() => m.stop());

async function ask(where, body) {
	const answer = await fetch(m.url + where, { method: 'POST',
		body: JSON.stringify(body) });
	return answer.json();
}

const call = (name, body) =>
	ask(`/wxa/sec/order/${name}?access_token=${token}`, body);
const code = async (body) => (await call('upload_shipping_info', body))
    .errcode;

function shipment(number, seconds, more = {}) {
	return { order_key: { order_number_type: 1, mchid: MCHID,
		out_trade_no: number }, logistics_type: 2, delivery_mode: 1,
	shipping_list: [{ item_desc: '桶装水 2 桶' }],
	upload_time: `2026-11-23T10:00:${seconds}.000+08:00`,
	payer: { openid: 'anna' }, ...more };
}

test('whether it applies', async () => {
	const managed = async () =>
	    (await call('is_trade_managed', { appid: APPID }))
		.is_trade_managed;

	assert.equal(await managed(), true);
	await m.control('POST', 'pay', { trade_managed: false });
	assert.equal(await managed(), false);
	assert.equal((await call('is_trade_managed', { appid: 'wx0' }))
	    .errcode, 40013);
	assert.equal((await ask('/wxa/sec/order/is_trade_managed',
	    { appid: APPID })).errcode, 41001);
	assert.equal((await call('is_trade_management_confirmation_completed',
	    { appid: APPID })).completed, true);
	await m.control('POST', 'pay', { reset: true });
});

test('once, corrected once, and no more', async () => {
	await m.order('SHIP0001');
	assert.equal(await code(shipment('SHIP0001', '01')), 10060001);
	const { transaction_id } = await m.control('POST', 'payments',
	    { number: 'SHIP0001' });
	const look = async () =>
	    (await call('get_order', { transaction_id })).order;

	assert.equal((await look()).order_state, 1);
	assert.equal(await code(shipment('SHIP0001', '10')), 0);
	assert.equal((await look()).order_state, 2);
	assert.equal((await look()).shipping.finish_shipping_count, 1);
	assert.equal(await code(shipment('SHIP0001', '11')), 10060023);
	const other = [{ item_desc: '桶装水 1 桶' }];
	assert.equal(await code(shipment('SHIP0001', '10',
	    { shipping_list: other })), 268485216);
	// The other kind of key is as good.
	assert.equal(await code(shipment('SHIP0001', '12', {
		shipping_list: other,
		order_key: { order_number_type: 2, transaction_id } })), 0);
	assert.equal((await look()).shipping.finish_shipping_count, 2);
	assert.equal(await code(shipment('SHIP0001', '13')), 10060003);
	await m.pay('SHIP0002');
	await m.yes('POST', '/v3/refund/domestic/refunds',
	    m.refund('SHIP0002', 'SR1', 100));
	assert.equal(await code(shipment('SHIP0002', '01')), 10060004);
	assert.equal((await call('get_order', { merchant_id: MCHID,
		merchant_trade_no: 'SHIP0002' })).order.order_state, 5);
});

test('what is said wrongly', async () => {
	await m.pay('SHIP0003');
	const no = async (errcode, more) => assert.equal(await code(
	    shipment('SHIP0003', '01', more)), errcode);

	await no(10060031, { payer: { openid: 'bert' } });
	await no(10060005, { logistics_type: 5 });
	await no(268485224, { delivery_mode: 3 });
	await no(10060006, { delivery_mode: 2 });
	await no(10060007, { delivery_mode: 2, logistics_type: 1 });
	await no(268485228, { shipping_list: [{ item_desc: 'a' },
		{ item_desc: 'b' }] });
	await no(10060008, { shipping_list: [{}] });
	await no(10060009, { shipping_list: [{ item_desc: '水'.repeat(121) }] });
	await no(268485226, { logistics_type: 1 });
	await no(268485216, { upload_time: '2026-11-23T10:00:00+08:00' });
	await no(268485194, { order_key: {} });
	await no(10060001, { order_key: { order_number_type: 2,
		transaction_id: '4200' } });
	await m.control('POST', 'faults', { kind: 'shipping',
		mode: 'errcode', errcode: -1 });
	await no(-1, {});
	await no(0, {});
});

test('what the platform tells: an address checked, an event, sealed',
    async () => {
	const heard = [];
	const ear = http.createServer(async (request, response) => {
		const { searchParams } = new URL(request.url, m.url);
		let body = '';
		for await (const part of request)
			body += part;
		heard.push({ query: Object.fromEntries(searchParams), body });
		response.end(searchParams.get('echostr') ?? 'success');
	});
	await new Promise((resolve) => ear.listen(0, '127.0.0.1', resolve));
	const url = `http://127.0.0.1:${ear.address().port}/push`;
	const push = (more) => m.control('POST', 'push', { url,
		token: 'tok', event: 'trade_manage_order_settlement',
		number: 'SHIP0001', ...more });
	const hash = (...words) => createHash('sha1').update(
	    words.sort().join('')).digest('hex');

	assert.equal((await m.control('POST', 'push', { url, token: 'tok',
		echo: '42' })).text, '42');
	assert.equal((await push({ step: 'shipped' })).text, 'success');
	await push({ xml: true });
	const aes_key = 'A'.repeat(43);
	await push({ aes_key });
	await push({ spoil: 'signature' });
	await m.control('POST', 'push', { url, token: 'tok',
		event: 'trade_manage_order_settlement', number: 'NOBODY01' },
	    400);
	ear.close();
	ear.closeAllConnections();
	for (const { query } of heard.slice(0, 4))
		assert.equal(query.signature, hash('tok', query.timestamp,
		    query.nonce));
	assert.equal(heard[4].query.signature, '0'.repeat(40));
	const shipped = JSON.parse(heard[1].body);
	assert.equal(shipped.merchant_trade_no, 'SHIP0001');
	assert.ok(shipped.estimated_settlement_time);
	assert.match(heard[2].body, /<settlement_time>\d+</);
	const { query, body } = heard[3];
	const { Encrypt } = JSON.parse(body);
	assert.equal(query.msg_signature, hash('tok', query.timestamp,
	    query.nonce, Encrypt));
	const key = Buffer.from(`${aes_key}=`, 'base64');
	const cipher = createDecipheriv('aes-256-cbc', key,
	    key.subarray(0, 16)).setAutoPadding(false);
	const plain = Buffer.concat([cipher.update(Encrypt, 'base64'),
		cipher.final()]);
	const end = 20 + plain.readUInt32BE(16);
	assert.equal(JSON.parse(plain.subarray(20, end)).Event,
	    'trade_manage_order_settlement');
	assert.equal(plain.subarray(end, plain.length - plain.at(-1))
	    .toString(), APPID);
	assert.equal((await call('get_order', { merchant_id: MCHID,
		merchant_trade_no: 'SHIP0001' })).order.order_state, 4);
});
