// SPDX-License-Identifier: Apache-2.0
//
// pay.mjs -- how long it takes to open a payment, what of that the gateway
// takes, and how fast notices are answered that come RATE a second.
//
//   PLANET_BUILD=DIR PLANET_TEST_DB=sqlite|postgresql PAY_MANY=N
//	PAY_RATE=N node tests/bench/pay.mjs
//
// The stand-in for WeChat Pay, in Node, takes its part of the processors.
import assert from 'node:assert/strict';

import { start, test } from '../api/harness.mjs';
import { BIG } from '../api/lib/fixture.mjs';
import { place } from '../api/lib/water.mjs';

const MANY = Number(process.env.PAY_MANY ?? 1000);
const RATE = Number(process.env.PAY_RATE ?? 200);
const PAYERS = Math.min(MANY, 50);
const WARM = Math.min(20, Math.floor(MANY / 5));
const WANTED_MS = 50;

const p = await start();
await p.sql(`UPDATE water_product SET stock = ${MANY} WHERE id = ${BIG}`);

function say(name, took) {
	const sorted = [...took].sort((a, b) => a - b);
	const at = (part) => (sorted[Math.min(sorted.length - 1,
	    Math.floor(sorted.length * part))] ?? NaN).toFixed(1);

	console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
	    `max ${at(1)} ms`);
}

async function timed(took, fn) {
	const began = performance.now();
	const value = await fn();

	took.push(performance.now() - began);
	return value;
}

test(`${MANY} payments`, { timeout: 600_000 }, async () => {
	const payers = [], opened = [], trips = [];

	for (let i = 0; i < PAYERS; i++)
		payers.push(await p.resident(1000 + i));
	for (let i = 0; i < MANY; i++) {
		const as = payers[i % PAYERS];
		const { id } = await place(p, as, { payment: 'online' });
		const body = { things: [{ kind: 'water_order', id }] };
		const { wechat } = await timed(opened, () => p.yes(201,
		    'POST', '/api/v1/payments', { as, body }));
		// A question to the stand-in that does nothing there: a trip
		// without its signatures, so less than the gateway takes.
		await timed(trips, () => p.wx.ask('GET', 'pay'));
		await p.pay.pay(wechat, { notices: i < WARM ? 'normal' :
		    'lost' });
	}
	say('a payment opened', opened.slice(WARM));
	say('of that at least, there and back', trips.slice(WARM));
	const all = await p.pay.burst(RATE);
	console.log(`${all.sent} notices, ${RATE} a second: p50 ` +
	    `${all.p50_ms} ms, p99 ${all.p99_ms} ms, max ${all.max_ms} ms` +
	    ` (wanted: ${WANTED_MS} ms)`);
	assert.deepEqual(all.statuses, { 204: MANY });
	assert.equal(Number(await p.value('SELECT count(*) FROM payment' +
	    ' WHERE state = \'paid\'')), MANY);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});
