// SPDX-License-Identifier: Apache-2.0
//
// 50-payments -- things paid online: what opens a payment and what does
// not, notices of every kind, and what a gateway that does not answer leaves
// behind.
import assert from 'node:assert/strict';

import { MINUTE, SECOND, start, test, until } from './harness.mjs';
import { fire, place } from './lib/water.mjs';

const p = await start();
const PAYMENTS = '/api/v1/payments';
const DOUBT = '/api/v1/money-in-doubt';
const admin = await p.as('role-admin');

let next = 500;
const somebody = () => p.resident(++next);
const order = (who, more) => place(p, who, { payment: 'online', ...more });
const water = (...orders) => orders.map(({ id }) =>
    ({ kind: 'water_order', id }));
const open = (who, things) => p.yes(201, 'POST', PAYMENTS,
    { as: who, body: { things } });
const see = (who, id) => p.yes(200, 'GET', `${PAYMENTS}/${id}`,
    { as: who });
// As it stands here, without asking anybody.
const lies = async (id) => p.value('SELECT state FROM payment' +
    ` WHERE id = ${id}`);
const reaches = (id, want) => until(async () => await lies(id) === want,
    `payment ${id} ${want}`);
const entries = async (id) => Number(await p.value('SELECT count(*) FROM' +
    ` ledger_entry WHERE kind = 'paid' AND thing_id = ${id}`));
const messages = async (id) => Number(await p.value('SELECT count(*) FROM' +
    ` outbox WHERE page = 'pages/payment/detail?id=${id}'`));
const check = async () => assert.match(await p.ctl('ledger', 'check'),
    /all balance/);
const shelf = async (number) => (await p.yes(200, 'GET',
    `${DOUBT}?limit=100`, { as: admin })).items.find((d) =>
    d.number === number);

// A resident with an order of water and a payment open for it.
async function opened(more) {
	const who = await somebody();
	const o = await order(who, more);
	const { payment, wechat } = await open(who, water(o));

	return { who, o, wechat, id: payment.id, number: payment.number };
}

test('an order is paid, once, and the money is the station\'s', async () => {
	const who = await somebody();
	const a = await order(who);
	const b = await order(who);
	const { payment, wechat } = await open(who, water(a, b));

	assert.equal(payment.state, 'paying');
	assert.equal(payment.total_fen, a.total_fen + b.total_fen);
	assert.equal(payment.number, `P${payment.id}`);
	assert.equal(payment.things.length, 2);
	assert.deepEqual(Object.keys(wechat), ['timeStamp', 'nonceStr',
		'package', 'signType', 'paySign']);
	assert.equal((await p.pay.pay(wechat)).notice, 204);
	const now = await see(who, payment.id);
	assert.equal(now.state, 'paid');
	assert.equal(now.state_label, '已付款');
	assert.ok(now.paid_at);
	assert.deepEqual(now.refunds, []);
	assert.equal(await entries(payment.id), 1);
	const other = await somebody();
	await p.no(404, 'not_found', 'GET', `${PAYMENTS}/${payment.id}`,
	    { as: other });
	await p.no(404, 'not_found', 'POST', `${PAYMENTS}/${payment.id}/close`,
	    { as: other });
	assert.deepEqual((await p.yes(200, 'GET', PAYMENTS, { as: other }))
	    .items, []);
	assert.equal((await p.yes(200, 'GET', PAYMENTS, { as: who }))
	    .items[0].id, payment.id);
	await p.no(409, 'state_conflict', 'POST', PAYMENTS, { as: who,
		body: { things: water(a) } });
	await p.no(409, 'state_conflict', 'POST', `${PAYMENTS}/${payment.id
	}/close`, { as: who });
	await check();
});

test('what cannot be paid opens nothing', async () => {
	const who = await somebody();
	const o = await order(who);
	const no = (status, code, things) => p.no(status, code, 'POST',
	    PAYMENTS, { as: who, body: { things } });

	await no(422, 'invalid_field', []);
	await no(422, 'invalid_field', [...water(o), ...water(o)]);
	await no(422, 'invalid_field', [{ kind: 'castle', id: o.id }]);
	await no(404, 'not_found', [{ kind: 'water_order', id: '1' }]);
	await no(404, 'not_found', water(await order(await somebody())));
	await no(409, 'state_conflict', water(await place(p, who)));
	assert.equal(Number(await p.value('SELECT count(*) FROM payment' +
	    ` WHERE owner_id = ${who.id}`)), 0);
});

test('the same things again are the same payment; others wait', async () => {
	const { who, o, id, number } = await opened();
	const more = await order(who);
	const again = await open(who, water(o));

	assert.equal(again.payment.id, id);
	assert.equal(again.payment.number, number);
	const no = await p.no(409, 'conflict', 'POST', PAYMENTS, { as: who,
		body: { things: water(o, more) } });
	assert.match(no.detail, new RegExp(id));
	const closed = await p.yes(200, 'POST', `${PAYMENTS}/${id}/close`,
	    { as: who });
	assert.equal(closed.state, 'closed');
	assert.equal((await p.pay.order(number)).state, 'CLOSED');
	const fresh = await open(who, water(o, more));
	assert.notEqual(fresh.payment.id, id);
});

test('opened ten times at once, it is one payment', async () => {
	const who = await somebody();
	const o = await order(who);
	const replies = await Promise.all(Array.from({ length: 10 }, () =>
		p.call('POST', PAYMENTS, { as: who,
			body: { things: water(o) } })));
	const ids = new Set(replies.filter((r) => r.status === 201)
	    .map((r) => r.json.payment.id));

	assert.equal(ids.size, 1, replies.map((r) => r.text).join('\n'));
	assert.ok(replies.every((r) => [201, 409, 503].includes(r.status)));
});

test('a notice three times, out of order and beside the query, books once',
    async () => {
	const { who, id, number, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	const [statuses] = await Promise.all([
		p.pay.notice(number, { times: 30, together: true }),
		...Array.from({ length: 20 }, () => see(who, id))]);
	assert.deepEqual(new Set(statuses), new Set([204]));
	assert.deepEqual(await p.pay.notice(number, { times: 3 }),
	    [204, 204, 204]);
	assert.equal(await lies(id), 'paid');
	assert.equal(await entries(id), 1);
	assert.ok(await messages(id) <= 1);
	await check();
});

test('a message for one booking, told three times', async () => {
	const { id, number, wechat } = await opened();

	assert.equal((await p.pay.pay(wechat)).notice, 204);
	await p.pay.notice(number, { times: 3 });
	assert.equal(await messages(id), 1);
});

test('notices that prove nothing book nothing', async () => {
	const { id, number, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	for (const way of ['forged', 'stale', 'tampered', 'unknown_serial',
		'wrong_appid', 'wrong_mchid'])
		for (const status of await p.pay.notice(number, { way })) {
			assert.ok(status >= 400, `${way} ${status}`);
			assert.equal(await entries(id), 0, way);
		}
	assert.deepEqual(await p.pay.notice(number), [204]);
	assert.equal(await lies(id), 'paid');
	await check();
});

test('a lost notice is found by the query', async () => {
	const { id, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	p.clock.add(31 * SECOND);
	await reaches(id, 'paid');
	assert.equal(await entries(id), 1);
});

test('time is over: closed there first, then here, and paid anew',
    async () => {
	const { who, o, id, number } = await opened();

	p.clock.add(16 * MINUTE);
	await reaches(id, 'closed');
	assert.equal((await p.pay.order(number)).state, 'CLOSED');
	assert.equal(await lies(id), 'closed');
	await p.no(409, 'state_conflict', 'POST', PAYMENTS, { as: who,
		body: { things: water(o) } });
});

test('paid in the last second, though nobody told', async () => {
	const { id, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	p.clock.add(16 * MINUTE);
	await reaches(id, 'paid');
	await check();
});

test('a wrong amount lies on the shelf and goes back', async () => {
	const { id, number, wechat } = await opened();

	assert.equal((await p.pay.pay(wechat, { amount: 1 })).notice, 204);
	assert.equal(await lies(id), 'doubtful');
	const d = await shelf(number);
	assert.deepEqual([d.why, d.state, d.amount_fen], ['wrong_amount',
		'open', 1]);
	assert.equal(await entries(id), 0);
	await check();
	await p.no(409, 'state_conflict', 'POST', `${DOUBT}/${d.id}/rebook`,
	    { as: admin, body: { reason: '入账试试' } });
	await p.no(403, 'forbidden', 'GET', DOUBT, { as: await somebody() });
	p.clock.add(2 * MINUTE);
	await until(async () => (await shelf(number)).state === 'refunded',
	    'given back');
	assert.equal(await lies(id), 'refunded');
	const [refund] = (await p.pay.order(number)).refund_rows;
	assert.equal(refund.refund_fen, 1);
	await check();
});

test('paid after the close, it is booked when it is still wanted',
    async () => {
	const { who, id, number, wechat } = await opened();

	await p.yes(200, 'POST', `${PAYMENTS}/${id}/close`, { as: who });
	assert.equal((await p.pay.pay(wechat, { force: true })).notice, 204);
	const d = await shelf(number);
	assert.deepEqual([d.why, await lies(id)], ['late', 'doubtful']);
	const rows = await p.yes(200, 'POST', `${DOUBT}/${d.id}/rebook`,
	    { as: admin, body: { reason: '居民仍要这桶水' } });
	assert.equal(rows.state, 'rebooked');
	assert.equal(await lies(id), 'paid');
	assert.equal(await entries(id), 1);
	assert.equal((await p.yes(200, 'GET', `${DOUBT}/${d.id}/timeline`,
	    { as: admin })).items.length, 2);
	await p.no(409, 'state_conflict', 'POST', `${DOUBT}/${d.id}/refund`,
	    { as: admin, body: { reason: '再退一次' } });
	await check();
});

test('paid after the close and not wanted, it goes back by itself',
    async () => {
	const { who, o, id, number, wechat } = await opened();

	await p.yes(200, 'POST', `${PAYMENTS}/${id}/close`, { as: who });
	await fire(p, who.openid, o.id, 'cancel');
	await p.pay.pay(wechat, { force: true });
	p.clock.add(2 * MINUTE);
	await reaches(id, 'refunded');
	assert.equal((await shelf(number)).state, 'refunded');
	await check();
});

test('money of an order we do not know is the platform\'s to look at',
    async () => {
	const { number, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	assert.deepEqual(await p.pay.notice(number,
	    { way: 'unknown_order' }), [204]);
	const [d] = await p.sql('SELECT * FROM money_doubt' +
	    ' WHERE why = \'unknown\'');
	assert.equal(Number(d.community_id), 0);
	assert.equal(d.state, 'open');
	await check();
});

test('an order that WeChat may have taken goes on with its number',
    async () => {
	const who = await somebody();
	const o = await order(who);

	await p.pay.fault('jsapi', 'bad_signature', { times: 9 });
	await p.no(503, 'pay_unavailable', 'POST', PAYMENTS, { as: who,
		body: { things: water(o) } });
	const [row] = await p.sql('SELECT id, state FROM payment' +
	    ` WHERE owner_id = ${who.id}`);
	assert.equal(row.state, 'created');
	await p.pay.clearFaults();
	const { payment } = await open(who, water(o));
	assert.equal(payment.id, String(row.id));
	assert.equal(payment.state, 'paying');
	assert.equal((await p.pay.orders()).filter((x) =>
	    x.number === payment.number).length, 1);
});

test('a definite no frees the things', async () => {
	const who = await somebody();
	const o = await order(who);

	await p.pay.fault('jsapi', 'error', { status: 403,
		code: 'NO_AUTH' });
	await p.no(502, 'pay_refused', 'POST', PAYMENTS, { as: who,
		body: { things: water(o) } });
	assert.equal(await p.value('SELECT state FROM payment' +
	    ` WHERE owner_id = ${who.id}`), 'closed');
	await open(who, water(o));
});

test('a gateway that says it is busy is asked again', async () => {
	const { who, id, wechat } = await opened();

	await p.pay.pay(wechat, { notices: 'lost' });
	await p.pay.fault('query', 'system_error');
	p.clock.add(3 * SECOND);
	assert.equal((await see(who, id)).state, 'paying');
	await p.pay.fault('query', 'userpaying');
	p.clock.add(31 * SECOND);
	await until(async () => {
		p.clock.add(31 * SECOND);
		return await lies(id) === 'paid';
	}, 'paid');
	await p.pay.clearFaults();
	await check();
});

test('paid for two, one of them given up: that one goes back', async () => {
	const who = await somebody();
	const a = await order(who);
	const b = await order(who);
	const { payment, wechat } = await open(who, water(a, b));

	await p.stop('jobs');
	await p.pay.pay(wechat, { notices: 'lost' });
	await fire(p, who.openid, b.id, 'cancel');
	assert.deepEqual(await p.pay.notice(payment.number), [204]);
	assert.equal(await lies(payment.id), 'refunding');
	assert.equal(await entries(payment.id), 1);
	await p.start('jobs');
	await reaches(payment.id, 'paid');
	const now = await see(who, payment.id);
	assert.equal(now.refunded_fen, b.total_fen);
	assert.deepEqual(now.refunds.map((r) => [r.amount_fen, r.state]),
	    [[b.total_fen, 'done']]);
	assert.equal(await p.value('SELECT state FROM water_order' +
	    ` WHERE id = ${a.id}`), 'placed');
	await check();
});

test('given up at once by two thumbs and the clock, it is closed once',
    async () => {
	const { who, id } = await opened();

	const replies = await Promise.all(Array.from({ length: 8 }, () =>
		p.call('POST', `${PAYMENTS}/${id}/close`, { as: who })));
	assert.ok(replies.every((r) => r.status === 200),
	    replies.map((r) => r.text).join('\n'));
	await reaches(id, 'closed');
	assert.equal(Number(await p.value('SELECT count(*) FROM flow_event' +
	    ` WHERE thing_id = ${id} AND event = 'close'`)), 1);
});
