// SPDX-License-Identifier: Apache-2.0
//
// 54-payment-review -- payments on bad days: keys of ours that are wrong,
// refunds that nobody takes, certificates that end, books that do not
// balance, two of a family at once, and neighbours who are curious.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { DAY, HOUR, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { STAIRS } from './lib/fixture.mjs';
import { AT_STAIRS, billFor, bind, open, pay, payee, PAYMENTS } from
    './lib/bill.mjs';
import { fire, place, see } from './lib/water.mjs';

const DOUBT = '/api/v1/money-in-doubt';
const p = await start();
const admin = await p.as('role-admin'), owner = await p.as('owner-a');
const city = await payee(p);
const bert = await p.resident(1), dora = await p.resident(2);
await bind(p, bert, STAIRS);
await bind(p, dora, STAIRS);

let next = 600;
const count = async (what) => Number(await p.value(
    `SELECT count(*) FROM ${what}`));
const lies = (id) => p.value(`SELECT state FROM payment WHERE id = ${id}`);
const refundLies = (id) => p.value('SELECT state FROM payment_refund' +
    ` WHERE id = ${id}`);
const told = (page, words) => count(`outbox WHERE user_id = ${admin.id}` +
    ` AND page = '${page}' AND data LIKE '%${words}%'`);
const check = async () => assert.match(await p.ctl('ledger', 'check'),
    /all balance/);
const bills = (...ids) => ({ things: ids.map((id) => ({ kind: 'bill',
	id })) });
const water = ({ id }) => ({ things: [{ kind: 'water_order', id }] });

// Water paid online and delivered, of which all is being given back.
async function givenBack() {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });

	assert.equal((await p.pay.pay(wechat)).notice, 204);
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	const { handover_code } = await see(p, who.openid, o.id);
	await fire(p, 'courier-a', o.id, 'handover',
	    { code: handover_code });
	const refund = await p.yes(201, 'POST',
	    `${PAYMENTS}/${payment.id}/refunds`, { as: owner,
		body: { reason: '水有异味' } });
	return { who, id: payment.id, number: payment.number, refund };
}

test('two of a family open payments for one bill at once', async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-06' });
	const who = [bert, dora];
	const all = await Promise.all(who.map((as) => p.call('POST', PAYMENTS,
	    { as, body: bills(b.id) })));
	const first = all.findIndex((r) => r.status === 201);

	assert.deepEqual(all.map((r) => r.status).sort(), [201, 409],
	    all.map((r) => r.text).join('\n'));
	const no = all[1 - first].json;
	assert.equal(no.code, 'conflict');
	assert.match(no.detail, /家人正在付这一项.*以后可以再试/);
	assert.equal(await count('payment_item WHERE kind = \'bill\' AND' +
	    ` thing_id = ${b.id}`), 1);
	const { payment } = all[first].json;
	const shut = await p.yes(200, 'POST', `${PAYMENTS}/${payment.id
	}/close`, { as: who[first] });
	assert.equal(shut.state, 'closed');
	const done = await pay(p, who[1 - first], [b.id]);
	assert.notEqual(done.id, payment.id);
	assert.equal(await lies(payment.id), 'closed');
	await p.no(409, 'state_conflict', 'POST', PAYMENTS,
	    { as: who[first], body: bills(b.id) });
	await check();
});

test('what neighbours pay is not told', async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-05' });
	const nosy = await p.resident(++next);
	const absent = () => p.no(404, 'not_found', 'POST', PAYMENTS,
	    { as: nosy, body: bills(b.id) });

	const { wechat } = await open(p, bert, [b.id]);
	await absent();
	await p.pay.pay(wechat);
	await absent();
	const o = await place(p, bert, { payment: 'online' });
	await p.yes(201, 'POST', PAYMENTS, { as: bert, body: water(o) });
	await p.no(404, 'not_found', 'POST', PAYMENTS, { as: nosy,
		body: water(o) });
});

test('a signature of ours that is refused ends no payment', async () => {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });

	await p.pay.fault('any', 'error', { status: 401, times: 9,
		code: 'SIGN_ERROR' });
	await p.no(503, 'pay_unavailable', 'POST', PAYMENTS, { as: who,
		body: water(o) });
	await p.pay.clearFaults();
	const { payment } = await p.yes(201, 'POST', PAYMENTS, { as: who,
		body: water(o) });
	assert.equal(await count(`payment WHERE owner_id = ${who.id}`), 1);
	assert.equal(payment.state, 'paying');
	// Nor a payment that is open, when its time is over.
	await p.pay.fault('any', 'error', { status: 401, times: 999,
		code: 'SIGN_ERROR' });
	await p.pay.payNumber(payment.number, { notices: 'lost' });
	p.clock.add(20 * MINUTE);
	await until(async () => Number(await p.value('SELECT asked FROM' +
	    ` payment WHERE id = ${payment.id}`)) > 0, 'asked');
	assert.equal(await lies(payment.id), 'paying');
	await p.pay.clearFaults();
	await until(async () => {
		p.clock.add(MINUTE);
		return await lies(payment.id) === 'paid';
	}, 'paid');
});

test('a signature of ours that is refused ends no refund, and is told',
    async () => {
	await p.pay.fault('refund', 'error', { status: 401, times: 999,
		code: 'SIGN_ERROR' });
	const one = await givenBack();
	const page = `pages/payment/detail?id=${one.id}`;

	await until(async () => {
		p.clock.add(31 * MINUTE);
		return await told(page, '未能到账') === 1;
	}, 'told');
	assert.equal(await refundLies(one.refund.id), 'asked');
	await p.pay.clearFaults();
	await until(async () => {
		p.clock.add(31 * MINUTE);
		return await lies(one.id) === 'refunded';
	}, 'refunded');
	assert.equal(await told(page, '未能到账'), 1);
	await check();
});

test('a definite no is told once, and told again to WeChat', async () => {
	await p.pay.fault('refund', 'error', { status: 403,
		code: 'USER_ACCOUNT_ABNORMAL' });
	const one = await givenBack();
	const page = `pages/payment/detail?id=${one.id}`;

	await until(async () => await refundLies(one.refund.id) ===
	    'abnormal', 'abnormal');
	assert.equal(await told(page, '未能到账'), 1);
	assert.equal(await lies(one.id), 'refunding');
	await until(async () => {
		p.clock.add(31 * MINUTE);
		return await lies(one.id) === 'refunded';
	}, 'refunded');
	assert.equal(await told(page, '未能到账'), 1);
	const { refund_rows } = await p.pay.order(one.number);
	assert.deepEqual(refund_rows.map((r) => r.refund_number ??
	    r.number), [one.refund.number]);
	await check();
});

test('a refund closed again and again waits longer, and is told',
    async () => {
	await p.pay.refunds({ result: 'CLOSED', notices: 'normal' });
	const one = await givenBack();
	const dead = () => count('payment_refund WHERE state = \'dead\'' +
	    ` AND payment_id = ${one.id}`);

	for (const [n, minutes] of [[1, 0], [2, 11], [3, 21]]) {
		p.clock.add(minutes * MINUTE);
		await until(async () => await dead() === n, `dead ${n}`);
	}
	assert.equal(await told(`pages/payment/detail?id=${one.id}`,
	    '未能到账'), 1);
	const [waits] = await p.sql('SELECT ask_at - created_at AS ms FROM' +
	    ` payment_refund WHERE payment_id = ${one.id}` +
	    ' AND state = \'asked\'');
	assert.equal(Number(waits.ms), 40 * MINUTE);
	await p.pay.reset();
	p.clock.add(41 * MINUTE);
	await until(async () => await lies(one.id) === 'refunded',
	    'refunded');
	await check();
});

test('money booked late is of the day it was paid', async () => {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });

	await p.yes(200, 'POST', `${PAYMENTS}/${payment.id}/close`,
	    { as: who });
	await p.pay.pay(wechat, { force: true, notices: 'lost' });
	const at = Math.floor(p.clock.now() / 1000) * 1000;
	p.clock.add(90 * SECOND);
	assert.deepEqual(await p.pay.notice(payment.number), [204]);
	const [d] = (await p.yes(200, 'GET', `${DOUBT}?state=open`,
	    { as: admin })).items;
	assert.equal(d.number, payment.number);
	await p.yes(200, 'POST', `${DOUBT}/${d.id}/rebook`, { as: admin,
		body: { reason: '居民仍要这桶水' } });
	const paid = Number(await p.value('SELECT paid_at FROM payment' +
	    ` WHERE id = ${payment.id}`));
	assert.ok(Math.abs(paid - at) < 30 * SECOND, String(paid - at));
	await check();
});

test('money of an order we do not know is told to the platform',
    async () => {
	const who = await p.resident(++next);
	const platform = await p.as('role-platform');
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });
	const messages = (user) => count('outbox WHERE page LIKE' +
	    ` 'pages/payment/doubt%' AND user_id = ${user.id}` +
	    ' AND community_id = 0');

	await p.pay.pay(wechat);
	assert.deepEqual(await p.pay.notice(payment.number,
	    { way: 'unknown_order' }), [204]);
	assert.equal(await messages(platform), 1);
	assert.equal(await messages(admin), 0);
	const [d] = (await p.yes(200, 'GET', `${DOUBT}?state=open`,
	    { as: platform })).items;
	assert.equal(d.why, 'unknown');
	await p.no(404, 'not_found', 'POST', `${DOUBT}/${d.id}/refund`,
	    { as: admin, body: { reason: '不是本社区的' } });
});

test('money for what another payment has paid: doubled, and goes back',
    async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-02' });
	const first = await open(p, bert, [b.id]);

	await p.yes(200, 'POST', `${PAYMENTS}/${first.payment.id}/close`,
	    { as: bert });
	const second = await pay(p, dora, [b.id]);
	assert.equal((await p.pay.pay(first.wechat, { force: true })).notice,
	    204);
	assert.equal(await lies(first.payment.id), 'doubtful');
	const [d] = (await p.yes(200, 'GET', `${DOUBT}?state=open`,
	    { as: admin })).items;
	assert.deepEqual([d.number, d.why], [first.payment.number,
		'doubled']);
	await p.no(409, 'state_conflict', 'POST', `${DOUBT}/${d.id}/rebook`,
	    { as: admin, body: { reason: '入账试试' } });
	await check();
	p.clock.add(2 * MINUTE);
	await until(async () => await lies(first.payment.id) === 'refunded',
	    'given back');
	assert.equal(await lies(second.id), 'paid');
	assert.equal(await p.value(`SELECT state FROM bill WHERE id = ${b.id}`),
	    'paid');
	const [back] = (await p.pay.order(first.payment.number)).refund_rows;
	assert.equal(back.refund_fen, first.payment.total_fen);
	assert.deepEqual((await p.pay.order(second.number)).refund_rows, []);
	await check();
});

test('as many of another money are not what was asked for', async () => {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });

	await p.pay.pay(wechat, { notices: 'lost' });
	assert.deepEqual(await p.pay.notice(payment.number,
	    { way: 'wrong_currency' }), [204]);
	assert.equal(await lies(payment.id), 'doubtful');
	const [d] = (await p.yes(200, 'GET', `${DOUBT}?state=open`,
	    { as: admin })).items;
	assert.deepEqual([d.number, d.why], [payment.number,
		'wrong_amount']);
	assert.equal(await count('ledger_entry WHERE kind = \'paid\' AND' +
	    ` thing_id = ${payment.id}`), 0);
	p.clock.add(2 * MINUTE);
	await until(async () => await lies(payment.id) === 'refunded',
	    'given back');
	await check();
});

test('a new certificate is fetched before the old one ends', async () => {
	const dir = path.join(p.dir, 'pay', 'platform-keys');
	const pems = () => fs.readdirSync(dir).filter((name) =>
	    /^[0-9A-F]{40}\.pem$/.test(name));

	await p.pay.rotate({ certificate: true });
	p.clock.add(7 * HOUR);
	await until(() => p.value('SELECT 1 FROM task_run WHERE name =' +
	    ` 'pay_keys'`), 'a run');
	// A merchant with a public key only has nothing to fetch.
	assert.deepEqual(pems(), []);
	const from = path.join(p.dir, 'pay', 'platform-certificate.pem');
	const { X509Certificate } = await import('node:crypto');
	const first = new X509Certificate(fs.readFileSync(from)).serialNumber;
	fs.copyFileSync(from, path.join(dir, `${first}.pem`));
	await p.pay.rotate({ certificate: true });
	const second = new X509Certificate(fs.readFileSync(from))
	    .serialNumber;
	await until(() => {
		p.clock.add(HOUR);
		return pems().includes(`${second}.pem`);
	}, 'the new one');
});

test('money that nobody knows goes back when the promised time is over',
    async () => {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });
	const shelved = async () => (await p.yes(200, 'GET', DOUBT,
	    { as: await p.as('role-platform', { fresh: true }) })).items
	    .find((d) => d.number === payment.number);

	// As after a database that was brought back from yesterday.
	await p.sql('UPDATE payment SET number = \'P-gone\' WHERE id =' +
	    ` ${payment.id}`);
	assert.equal((await p.pay.pay(wechat)).notice, 204);
	const d = await shelved();
	assert.deepEqual([d.why, d.state, d.amount_fen], ['unknown', 'open',
		payment.total_fen]);
	assert.equal(Date.parse(d.promised_at) - Date.parse(d.created_at),
	    72 * HOUR);
	p.clock.add(Date.parse(d.promised_at) - MINUTE - p.clock.now());
	await until(async () => await lies(payment.id) === 'closed',
	    'a round of the runner');
	assert.equal((await shelved()).state, 'open');
	p.clock.add(2 * MINUTE);
	await until(async () => {
		p.clock.add(31 * SECOND);
		return (await shelved()).state === 'refunded';
	}, 'given back');
	const order = await p.pay.order(payment.number);
	assert.deepEqual(order.refund_rows.map((r) => [r.state,
		r.refund_fen]), [['SUCCESS', payment.total_fen]]);
	await check();
});

test('books that do not balance are told of once a night', async () => {
	const one = await givenBack();
	const messages = () => count(`outbox WHERE user_id = ${admin.id}` +
	    ' AND page LIKE \'pages/ledger/check%\'');
	const by = (n) => p.sql('UPDATE payment_item SET amount_fen =' +
	    ` amount_fen + ${n} WHERE payment_id = ${one.id}`);
	const ran = async () => Number(await p.value('SELECT ran_at FROM' +
	    ' task_run WHERE name = \'ledger-check\''));

	assert.equal(await messages(), 0);
	await by(1);
	for (const n of [1, 2]) {
		p.clock.add(DAY);
		await until(async () => await messages() === n, `night ${n}`);
	}
	await by(-1);
	const last = await ran();
	p.clock.add(DAY);
	await until(async () => await ran() > last, 'a night');
	assert.equal(await messages(), 2);
	await check();
});

test('what was paid and has not moved is told of', async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-02' });
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: water(o) });
	const { id } = await pay(p, await p.as('resident-1',
	    { fresh: true }), [b.id]);
	const spoiled = async (thing, words, wrong, right) => {
		await check();
		await p.sql(wrong);
		await assert.rejects(p.ctl('ledger', 'check'), (error) =>
		    error.message.includes(`id ${thing}: ${words}`));
		await p.sql(right);
		await check();
	};

	assert.equal((await p.pay.pay(wechat)).notice, 204);
	const line = (what) => `UPDATE bill_line SET payment_id = ${what}` +
	    ` WHERE bill_id = ${b.id}`;
	await spoiled(b.id, 'a bill that was paid is not marked so',
	    line('NULL'), line(id));
	const note = (n) => 'UPDATE bill_payment SET principal_fen =' +
	    ` principal_fen + ${n} WHERE bill_id = ${b.id}`;
	await spoiled(b.id, 'a bill that was paid is not marked so',
	    note(1), note(-1));
	const order = (state) => `UPDATE water_order SET state = '${state}'` +
	    ` WHERE id = ${o.id}`;
	await spoiled(o.id, 'an order that was paid has not moved on',
	    order('cancelled'), order('placed'));
	await spoiled(77, 'a ticket book that was paid is not there',
	    'INSERT INTO payment_item (community_id, payment_id, seq, kind,' +
	    ' thing_id, payee_id, title, amount_fen, refunded_fen, live)' +
	    ' SELECT community_id, payment_id, 2, \'water_book\', 77,' +
	    ` payee_id, title, 1, 0, 1 FROM payment_item WHERE payment_id =` +
	    ` ${id}`, `DELETE FROM payment_item WHERE payment_id = ${id}` +
	    ' AND seq = 2');
});

test('money beside a payment that cannot go back is told of', async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-04' });
	const paid = await pay(p, await p.as('resident-1', { fresh: true }),
	    [b.id]);
	const id = 8_000_001;

	await p.pay.refunds({ result: 'ABNORMAL', notices: 'normal' });
	await p.sql('INSERT INTO money_doubt (community_id, id, state,' +
	    ' version, urged, deadline_at, owner_id, org_id, title,' +
	    ' created_at, updated_at, why, payment_id, number,' +
	    ' transaction_id, amount_fen, paid_at, promised_at)' +
	    ` SELECT community_id, ${id}, 'open', 1, 0, updated_at + 1000000000,` +
	    ' owner_id, 0, title, updated_at - 120000, updated_at,' +
	    ' \'doubled\', id, number, \'4299\', total_fen, updated_at,' +
	    ` updated_at + 1000000000 FROM payment WHERE id = ${paid.id}`);
	await until(async () => {
		p.clock.add(31 * SECOND);
		return await p.value('SELECT r.state FROM payment_refund r' +
		    ' JOIN money_doubt d ON d.refund_id = r.id' +
		    ` WHERE d.id = ${id}`) === 'abnormal';
	}, 'abnormal');
	assert.equal(await told(`pages/payment/doubt?id=${id}`,
	    '未能到账'), 1);
	assert.equal(await lies(paid.id), 'paid');
	await p.pay.reset();
});
