// SPDX-License-Identifier: Apache-2.0
//
// 52-payment-faults -- a program is killed at each step between what WeChat
// Pay did and what we wrote of it; whoever comes next puts it right.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

import { MINUTE, SECOND, start, test, until } from './harness.mjs';
import { fire, place, see } from './lib/water.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pf-'));
const file = path.join(dir, 'fault');
after(() => fs.rmSync(dir, { recursive: true }));
process.env.PLANET_FAULT = file;

const p = await start();
const owner = await p.as('owner-a');
const PAYMENTS = '/api/v1/payments';
// Built without --enable-faults, the programs do not know the variable.
const skip = !fs.readFileSync(p.program('planet-worker'))
    .includes('PLANET_FAULT') && 'built without --enable-faults';

let next = 800;
const lies = (id) => p.value(`SELECT state FROM payment WHERE id = ${id}`);
const reaches = (id, want) => until(async () => {
	p.clock.add(31 * SECOND);
	return await lies(id) === want;
}, `payment ${id} ${want}`);
const arm = (point) => fs.writeFileSync(file, point);
const gone = () => until(() => !fs.existsSync(file), 'the kill');

async function ready(part) {
	await until(() => !p.parts[part].running, `${part} killed`);
	await p.start(part);
}

async function ordered() {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });

	return { who, o, body: { things: [{ kind: 'water_order',
		id: o.id }] } };
}

async function opened() {
	const one = await ordered();
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: one.who, body: one.body });

	return { ...one, id: payment.id, number: payment.number, wechat };
}

// One booking, one order at the gateway, and nothing out of balance.
async function sound({ id, number }) {
	assert.equal(Number(await p.value('SELECT count(*) FROM' +
	    ` ledger_entry WHERE kind = 'paid' AND thing_id = ${id}`)), 1);
	assert.equal((await p.pay.orders()).filter((o) =>
	    o.number === number).length, 1);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
}

for (const point of ['payment.before_prepay', 'payment.after_prepay'])
	test(`killed at ${point}: the same payment goes on`, { skip },
	    async () => {
		const one = await ordered();

		arm(point);
		const reply = await p.call('POST', PAYMENTS, { as: one.who,
			body: one.body, check: false });
		assert.ok(reply.status >= 500, reply.text);
		await ready('slow');
		const { payment, wechat } = await p.yes(201, 'POST',
		    PAYMENTS, { as: one.who, body: one.body });
		assert.equal(Number(await p.value('SELECT count(*) FROM' +
		    ` payment WHERE owner_id = ${one.who.id}`)), 1);
		await p.pay.pay(wechat);
		await reaches(payment.id, 'paid');
		await sound(payment);
	});

for (const point of ['notice.before_book', 'payment.before_commit',
	'notice.after_book'])
	test(`killed at ${point}: told again, booked once`, { skip },
	    async () => {
		const one = await opened();

		arm(point);
		await p.pay.pay(one.wechat, { wait: false });
		await gone();
		await ready('slow');
		await reaches(one.id, 'paid');
		assert.deepEqual(await p.pay.notice(one.number), [204]);
		await sound(one);
	});

for (const point of ['payment.before_query', 'payment.after_query',
	'payment.before_commit'])
	test(`killed at ${point}: another runner asks`, { skip },
	    async () => {
		const one = await opened();

		await p.pay.pay(one.wechat, { notices: 'lost' });
		arm(point);
		p.clock.add(31 * SECOND);
		await gone();
		await ready('jobs');
		await reaches(one.id, 'paid');
		await sound(one);
	});

for (const point of ['payment.before_close', 'payment.after_close'])
	test(`killed at ${point}: it is closed all the same`, { skip },
	    async () => {
		const one = await opened();

		arm(point);
		p.clock.add(16 * MINUTE);
		await gone();
		await ready('jobs');
		await reaches(one.id, 'closed');
		assert.equal((await p.pay.order(one.number)).state,
		    'CLOSED');
	});

// Water that was brought, and that the station may give money back for.
async function delivered() {
	const one = await opened();

	assert.equal((await p.pay.pay(one.wechat)).notice, 204);
	await fire(p, 'owner-a', one.o.id, 'accept');
	await fire(p, 'courier-a', one.o.id, 'deliver');
	const { handover_code } = await see(p, one.who.openid, one.o.id);
	await fire(p, 'courier-a', one.o.id, 'handover',
	    { code: handover_code });
	return one;
}
const giveBack = ({ id }) => p.yes(201, 'POST', `${PAYMENTS}/${id}/refunds`,
    { as: owner, body: { reason: '水有异味' } });

for (const point of ['notice.before_refund', 'notice.after_refund'])
	test(`killed at ${point}: told again, done once`, { skip },
	    async () => {
		await p.pay.refunds({ hold: true });
		const one = await delivered();
		const { id, number } = await giveBack(one);

		await until(async () => await p.value('SELECT state FROM' +
		    ` payment_refund WHERE id = ${id}`) === 'running',
		'running');
		arm(point);
		await p.pay.endRefund(number, { wait: false });
		await gone();
		await ready('slow');
		assert.deepEqual(await p.pay.refundNotice(number), [204]);
		assert.equal(await lies(one.id), 'refunded');
		assert.equal(Number(await p.value('SELECT count(*) FROM' +
		    ` flow_event WHERE thing_id = ${one.id}` +
		    ' AND event = \'returned\'')), 1);
		await p.pay.reset();
		await sound(one);
	});

for (const point of ['refund.before_call', 'refund.after_call'])
	test(`killed at ${point}: one refund`, { skip }, async () => {
		const one = await delivered();

		arm(point);
		await giveBack(one);
		await gone();
		await ready('jobs');
		await reaches(one.id, 'refunded');
		assert.equal((await p.pay.order(one.number)).refund_rows
		    .length, 1);
		await sound(one);
	});
