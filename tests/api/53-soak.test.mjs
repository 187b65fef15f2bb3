// SPDX-License-Identifier: Apache-2.0
//
// 53-soak -- many payments while notices are lost, doubled and late, and
// worker and job runner are killed again and again.  Most pay water, some
// pay bills of their home, which two of the family want to pay at once.  At
// the end nothing was paid twice, nothing paid is not booked or has not
// moved its thing on, and the ledger is at zero.
// PLANET_SOAK is the number of payments; scripts/soak runs the long form.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { MINUTE, SECOND, start, test, until } from './harness.mjs';
import { AT_STAIRS, bill, bind, day, payee, PAYMENTS } from
    './lib/bill.mjs';
import { BIG, STAIRS } from './lib/fixture.mjs';
import { ORDERS, orderOf } from './lib/water.mjs';

const MANY = Number(process.env.PLANET_SOAK ?? 300);
const PAYERS = 22, FAMILY = 2;
// After so many payments a program dies: every few seconds, and often
// enough when it is soon over.
const STEP = MANY > 3000 ? 300 : MANY / 10;
const KILLS = 8;
const BILLS = Math.floor(MANY / 10), BATCH = 500;

const p = await start();
const payers = [];

for (let i = 0; i < PAYERS; i++)
	payers.push(await p.resident(900 + i));
// Bills of one home, in files; the ids of all of them.
async function makeBills() {
	const by = await payee(p), ids = [];

	for (let i = 0; i < BILLS; i += BATCH) {
		const rows = [];

		for (let n = i; n < Math.min(BILLS, i + BATCH); n++)
			rows.push(`S${String(n).padStart(6, '0')},王建国,` +
			    `${AT_STAIRS},水费,2026-10,100,120,20,,` +
			    `${1 + n % 90}.50,${day(p, 30)},`);
		const { batch } = await bill(p, by, rows.join('\n'));
		ids.push(...(await p.sql('SELECT id FROM bill WHERE' +
		    ` batch_id = ${batch.id}`)).map((row) => row.id));
	}
	return ids;
}
const bills = await makeBills();
const family = [];

for (let i = 0; i < FAMILY; i++) {
	family.push(await p.resident(980 + i));
	await bind(p, family[i], STAIRS);
}
await p.sql(`UPDATE water_product SET stock = ${MANY * 2} WHERE id = ${BIG}`);

let running = true, kills = 0, made = 0, left = 0;

const due = () => left >= (kills + 1) * STEP;

async function killer() {
	for (;;) {
		const part = kills % 2 ? 'slow' : 'jobs';

		await until(() => !running || due(), 'the next to die',
		    60_000 + MANY * 200);
		if (!running)
			return;
		await p.kill(part);
		await p.start(part);
		kills++;
	}
}

// Ask until it is answered; a program that died is back soon.
async function stubborn(who, where, body, refused = () => false) {
	const headers = { 'idempotency-key': `soak-${who.id}-${made++}` };

	return until(async () => {
		const r = await p.call('POST', where, { as: who, body, headers,
			check: false });

		if (refused(r))
			return r;
		if (r.status >= 400 && r.status < 500 && r.status !== 429)
			throw Object.assign(new Error(r.text),
			    { final: true });
		return r.status === 201 && r.json;
	}, where, 60_000);
}

async function payOne(who) {
	const o = await stubborn(who, ORDERS,
	    orderOf(who, { payment: 'online' }));
	const { wechat } = await stubborn(who, '/api/v1/payments',
	    { things: [{ kind: 'water_order', id: o.id }] });

	// Some think better of it.
	if (left % 20 === 7)
		return;
	await p.pay.pay(wechat, { wait: false });
}

// Each of the family pays each bill, in the same order; who comes too late
// is told so.  `twice` counts those whose wish the other forestalled.
let twice = 0;

async function payBills(who) {
	for (const id of bills) {
		const r = await stubborn(who, PAYMENTS,
		    { things: [{ kind: 'bill', id }] },
		    ({ status }) => status === 409);

		if (r.status === 409)
			twice++;
		else
			await p.pay.pay(r.wechat, { wait: false });
	}
}

async function payer(who) {
	while (left < MANY) {
		// However fast the machine, nobody runs away from death.
		await until(() => left < (kills + 1) * STEP + PAYERS,
		    'a death', 60_000);
		left++;
		await payOne(who);
	}
}

// Everything that was paid, as the stand-in says, has moved on, once.
async function checkThings(paid) {
	const times = new Map();
	const parts = await p.sql('SELECT p.number, i.kind, i.thing_id,' +
	    ' CASE i.kind WHEN \'bill\' THEN (SELECT b.state FROM bill b' +
	    ' WHERE b.id = i.thing_id) ELSE (SELECT o.state FROM' +
	    ' water_order o WHERE o.id = i.thing_id) END AS state' +
	    ' FROM payment p JOIN payment_item i ON i.payment_id = p.id' +
	    ' AND i.community_id = p.community_id');

	for (const one of parts.filter(({ number }) => paid.has(number))) {
		const key = `${one.kind} ${one.thing_id}`;

		times.set(key, (times.get(key) ?? 0) + 1);
		if (one.kind === 'bill')
			assert.equal(one.state, 'paid', key);
		else
			assert.ok(!['unpaid', 'paying'].includes(one.state),
			    `${key} ${one.state}`);
	}
	assert.ok(times.size > 0);
	for (const [key, n] of times)
		assert.equal(n, 1, `${key} was paid ${n} times`);
	assert.equal(await count('bill WHERE state = \'paid\''),
	    [...times.keys()].filter((key) => key.startsWith('bill')).length);
}

const count = async (what) => Number(await p.value(
    `SELECT count(*) FROM ${what}`));

test(`${MANY} payments, notices lost and programs killed`,
    { timeout: 60_000 + MANY * 200 }, async () => {
	await p.pay.rates({ lose: 0.05, double: 0.05, delay: 0.05 });
	const death = killer();

	await Promise.all([...payers.map(payer), ...family.map(payBills)]);
	running = false;
	await death;
	assert.ok(kills >= KILLS, `${kills} kills`);
	assert.ok(twice > 0, 'nobody of the family came too late');
	await p.pay.rates({});
	for (const ms of [31 * SECOND, 61 * SECOND, 3 * MINUTE, 16 * MINUTE]) {
		p.clock.add(ms);
		await sleep(200);
	}
	await until(async () => {
		p.clock.add(31 * SECOND);
		return await count('payment WHERE state IN (\'created\',' +
		    ' \'paying\')') === 0;
	}, 'all to be known', 60_000 + MANY * 20);

	const there = await p.pay.orders();
	const here = new Map((await p.sql('SELECT number, state,' +
	    ' transaction_id FROM payment')).map((r) => [r.number, r]));
	const paid = new Set();
	for (const one of there) {
		const row = here.get(one.number);

		assert.ok(row, one.number);
		if (one.transaction_id) {
			assert.equal(row.state, 'paid', one.number);
			assert.equal(row.transaction_id, one.transaction_id);
			paid.add(one.number);
		} else
			assert.equal(row.state, 'closed', one.number);
	}
	assert.ok(paid.size > MANY * 0.8, String(paid.size));
	assert.equal(await count('ledger_entry WHERE kind = \'paid\''),
	    paid.size);
	await checkThings(paid);
	assert.equal(await count('bill WHERE state <> \'paid\''), 0);
	assert.equal(await count('(SELECT kind, thing_id FROM payment_item' +
	    ' WHERE live = 1 GROUP BY kind, thing_id HAVING count(*) > 1) x'),
	    0);
	assert.equal(await count('money_doubt'), 0);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});
