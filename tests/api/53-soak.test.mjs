// SPDX-License-Identifier: Apache-2.0
//
// 53-soak -- many payments while notices are lost, doubled and late, and
// worker and job runner are killed again and again.  At the end nothing was
// paid twice, nothing paid is not booked, and the ledger is at zero.
// PLANET_SOAK is the number of payments; scripts/soak runs the long form.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import { MINUTE, SECOND, start, test, until } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { ORDERS, orderOf } from './lib/water.mjs';

const MANY = Number(process.env.PLANET_SOAK ?? 300);
const PAYERS = 24, KILL_MS = 1500;

const p = await start();
const payers = [];

for (let i = 0; i < PAYERS; i++)
	payers.push(await p.resident(900 + i));
await p.sql(`UPDATE water_product SET stock = ${MANY * 2} WHERE id = ${BIG}`);

let running = true, kills = 0, made = 0, left = 0;

async function killer() {
	for (let i = 0; running; i++) {
		const part = i % 2 ? 'slow' : 'jobs';

		await sleep(KILL_MS);
		if (!running)
			return;
		await p.kill(part);
		await p.start(part);
		kills++;
	}
}

// Ask until it is answered; a program that died is back soon.
async function stubborn(who, where, body) {
	const headers = { 'idempotency-key': `soak-${who.id}-${made++}` };

	return until(async () => {
		const r = await p.call('POST', where, { as: who, body, headers,
			check: false });

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

async function payer(who) {
	while (left < MANY) {
		left++;
		await payOne(who);
	}
}

const count = async (what) => Number(await p.value(
    `SELECT count(*) FROM ${what}`));

test(`${MANY} payments, notices lost and programs killed`,
    { timeout: 60_000 + MANY * 200 }, async () => {
	await p.pay.rates({ lose: 0.05, double: 0.05, delay: 0.05 });
	const death = killer();

	await Promise.all(payers.map(payer));
	running = false;
	await death;
	assert.ok(kills > 0);
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
	let paid = 0;
	for (const one of there) {
		const row = here.get(one.number);

		assert.ok(row, one.number);
		if (one.transaction_id) {
			assert.equal(row.state, 'paid', one.number);
			assert.equal(row.transaction_id, one.transaction_id);
			paid++;
		} else
			assert.equal(row.state, 'closed', one.number);
	}
	assert.ok(paid > MANY * 0.8, String(paid));
	assert.equal(await count('ledger_entry WHERE kind = \'paid\''), paid);
	assert.equal(await count('(SELECT kind, thing_id FROM payment_item' +
	    ' WHERE live = 1 GROUP BY kind, thing_id HAVING count(*) > 1) x'),
	    0);
	assert.equal(await count('money_doubt'), 0);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});
