// SPDX-License-Identifier: Apache-2.0
//
// 66-partner -- the merchant is a service provider's: paid, told, refunded
// and closed by the partner interfaces, and configurations under which
// nobody could pay.
import assert from 'node:assert/strict';

import { SECOND, start, test, until } from './harness.mjs';
import { fire, place, see } from './lib/water.mjs';

const APPID = 'wx0123456789abcdef';
const PAYMENTS = '/api/v1/payments';
const SUB = '1900000999';
const p = await start({ conf: { pay_mode: 'partner', pay_sub_mchid: SUB } });
const owner = await p.as('owner-a');

let next = 800;

async function opened() {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: { things: [{ kind: 'water_order', id: o.id }] } });

	return { who, o, wechat, id: payment.id, number: payment.number };
}
const lies = (id) => p.value(`SELECT state FROM payment WHERE id = ${id}`);
const check = async () => assert.match(await p.ctl('ledger', 'check'),
    /all balance/);


// Paid, told, delivered, and given back.
async function all() {
	const { who, o, id, number, wechat } = await opened();
	const order = await p.pay.order(number);

	assert.ok(order.partner);
	assert.equal(order.sub_mchid, SUB);
	await p.pay.pay(wechat, { notices: 'lost' });
	for (const way of ['forged', 'wrong_mchid']) {
		for (const status of await p.pay.notice(number, { way }))
			assert.ok(status >= 400, `${way} ${status}`);
		assert.equal(await lies(id), 'paying');
	}
	assert.deepEqual(await p.pay.notice(number, { times: 2 }),
	    [204, 204]);
	assert.equal(await lies(id), 'paid');
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	await fire(p, 'courier-a', o.id, 'handover',
	    { code: (await see(p, who.openid, o.id)).handover_code });
	await p.yes(201, 'POST', `${PAYMENTS}/${id}/refunds`, { as: owner,
		body: { reason: '水有异味，退款', items: [{
			kind: 'water_order', id: o.id,
			amount_fen: 1800 }] } });
	await until(async () => await lies(id) === 'refunded', 'refunded');
	assert.equal((await p.pay.order(number)).refund_rows[0].refund_fen,
	    1800);
	await check();
	return number;
}

test('paid, told, delivered and given back', async () => {
	await all();
});

test('a lost notice is found by the query', async () => {
	const { id, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	p.clock.add(31 * SECOND);
	await until(async () => await lies(id) === 'paid', 'paid');
	await check();
});

test('closed there, and here', async () => {
	const { who, id, number } = await opened();

	await p.yes(200, 'POST', `${PAYMENTS}/${id}/close`, { as: who });
	assert.equal((await p.pay.order(number)).state, 'CLOSED');
});

test('the sub-merchant\'s own program', async () => {
	p.options.conf.pay_sub_appid = APPID;
	p.writeConf();
	await p.stop('slow');
	await p.start('slow');
	const number = await all();
	assert.equal((await p.pay.order(number)).sub_appid, APPID);
});

test('no worker starts when nobody could pay', async () => {
	p.options.conf.pay_sub_appid = '';
	p.options.conf.pay_sp_appid = 'wx9999999999999999';
	p.writeConf();
	await p.stop('slow');
	await assert.rejects(p.start('slow'));
	delete p.options.conf.pay_sp_appid;
	p.writeConf();
	await p.start('slow');
	await p.yes(200, 'GET', PAYMENTS, { as: await p.resident(next) });
});
