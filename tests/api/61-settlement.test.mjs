// SPDX-License-Identifier: Apache-2.0
//
// 61-settlement -- what payees have to get, and what was paid out to them.
import assert from 'node:assert/strict';

import { start, test, until } from './harness.mjs';
import { A, Z } from './lib/fixture.mjs';
import { place } from './lib/water.mjs';

const p = await start();
const SETTLEMENTS = '/api/v1/settlements';
const admin = await p.as('role-admin');
const far = await p.as('admin-z');

const list = async (as = admin) => (await p.yes(200, 'GET', SETTLEMENTS,
    { as })).items;
const payOut = (amount_fen, reference, org = A, as = admin) => p.call('POST',
    `${SETTLEMENTS}/${org}/paid-out`, { as,
	    body: { amount_fen, reference } });

const who = await p.resident(1);
const order = await place(p, who, { payment: 'online' });
const { payment, wechat } = await p.yes(201, 'POST', '/api/v1/payments',
    { as: who, body: { things: [{ kind: 'water_order', id: order.id }] } });

test('nothing is owed before anything was paid', async () => {
	assert.deepEqual(await list(), []);
	assert.equal((await payOut(1, 'BANK-0001')).status, 404);
});

test('what was paid is owed, and paid out once', async () => {
	await p.pay.pay(wechat);
	const [row] = await until(async () => {
		const rows = await list();
		return rows.length > 0 && rows;
	}, 'money');
	const total = payment.total_fen;

	assert.deepEqual([row.payee_id, row.payee, row.due_fen,
		row.paid_out_fen], [A, '甲水站', total, 0]);
	assert.equal((await payOut(total + 1, 'BANK-0001')).status, 409);
	assert.equal((await payOut(0, 'BANK-0001')).status, 422);
	assert.equal((await payOut(10, '')).status, 422);
	const r = await payOut(10, 'BANK-0001');
	assert.deepEqual([r.status, r.json.due_fen, r.json.paid_out_fen],
	    [201, total - 10, 10]);
	// The bank's number once.
	assert.equal((await payOut(10, 'BANK-0001')).status, 409);
	// Two at once for all that is left: one.
	const both = await Promise.all(['BANK-0002', 'BANK-0003'].map((ref) =>
	    payOut(total - 10, ref)));
	assert.deepEqual(both.map((one) => one.status).sort(), [201, 409]);
	assert.deepEqual((await list()).map((s) => [s.due_fen,
		s.paid_out_fen]), [[0, total]]);
	const payouts = (await p.yes(200, 'GET', `${SETTLEMENTS}/${A}/payouts`,
	    { as: admin })).items;
	assert.deepEqual(payouts.map((t) => t.amount_fen), [total - 10, 10]);
	assert.equal(payouts[1].by_name, 'role-admin');
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
	assert.equal(await p.value('SELECT count(*) FROM audit WHERE thing =' +
	    " 'payout' AND reason = 'BANK-0001'"), '1');
});

test('another community and others have none of it', async () => {
	assert.deepEqual(await list(far), []);
	assert.equal((await payOut(1, 'BANK-0009', A, far)).status, 404);
	assert.equal((await payOut(1, 'BANK-0009', Z)).status, 404);
	for (const openid of ['owner-a', 'clerk-1'])
		await p.no(403, 'forbidden', 'GET', SETTLEMENTS,
		    { as: await p.as(openid) });
});
