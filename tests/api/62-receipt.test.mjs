// SPDX-License-Identifier: Apache-2.0
//
// 62-receipt -- receipts without gaps, the printed page, invoice titles.
import assert from 'node:assert/strict';

import { start, test, until } from './harness.mjs';
import { A, BIG_B, B } from './lib/fixture.mjs';
import { orderOf, place } from './lib/water.mjs';

const p = await start();
const PAYMENTS = '/api/v1/payments';

async function open(who, orders) {
	return p.yes(201, 'POST', PAYMENTS, { as: who, body: { things:
	    orders.map(({ id }) => ({ kind: 'water_order', id })) } });
}

async function paid(i, orders = 1) {
	const who = await p.resident(i);
	const things = [];

	for (let n = 0; n < orders; n++)
		things.push(n === 0 ? await place(p, who,
		    { payment: 'online' }) : await p.yes(201, 'POST',
		    '/api/v1/water/orders', { as: who, body: { ...orderOf(who,
			{ items: [[BIG_B, 1]] }), station_id: B,
		    payment: 'online' } }));
	const { payment, wechat } = await open(who, things);
	await p.pay.pay(wechat);
	await until(async () => await p.value('SELECT state FROM payment' +
	    ` WHERE id = ${payment.id}`) === 'paid', 'paid');
	return { who, ...payment };
}

const receipt = (a, as = a.who) => p.yes(200, 'GET',
    `${PAYMENTS}/${a.id}/receipt`, { as });
const title = (a, body, as = a.who) => p.call('POST',
    `${PAYMENTS}/${a.id}/invoice-title`, { as, body });
const [a, b, c] = [await paid(1, 2), await paid(2), await paid(3)];
const year = new Date(p.clock.now() + 8 * 3600_000).getUTCFullYear();

test('unpaid has none, and nobody has another\'s', async () => {
	const who = await p.resident(4);
	const { payment } = await open(who, [await place(p, who,
	    { payment: 'online' })]);

	await p.no(409, 'state_conflict', 'GET',
	    `${PAYMENTS}/${payment.id}/receipt`, { as: who });
	await p.no(404, 'not_found', 'GET', `${PAYMENTS}/${a.id}/receipt`,
	    { as: b.who });
	await p.no(403, 'forbidden', 'GET', `${PAYMENTS}/${a.id}/receipt`,
	    { as: await p.as('grid-1') });
	assert.equal(await p.value('SELECT count(*) FROM receipt'), '0');
	assert.equal((await title({ id: payment.id }, { title: '某公司' }, who))
	    .status, 404);
});

test('numbers follow one another, also when all ask at once', async () => {
	const all = await Promise.all([a, b, c].flatMap((one) =>
	    [1, 2, 3, 4].map(() => receipt(one))));
	const numbers = new Map(all.map((r) => [r.payment_id, r.number]));

	assert.equal(numbers.size, 3);
	assert.deepEqual([...numbers.values()].sort(), [1, 2, 3].map((n) =>
	    `${year}-00000${n}`));
	for (const r of all)
		assert.equal(r.number, numbers.get(r.payment_id));
	const r = await receipt(a);
	assert.equal(r.total_fen, a.total_fen);
	assert.equal(r.payment_number, a.number);
	assert.deepEqual(r.items.map((i) => i.payee_id), [A, B]);
	assert.equal(r.items.reduce((sum, i) => sum + i.amount_fen, 0),
	    a.total_fen);
});

test('the page is escaped and the payer\'s alone', async () => {
	const r = await receipt(a);

	await p.sql("UPDATE payment_item SET title = '<b>&\"水\"</b>' WHERE" +
	    ` payment_id = ${a.id} AND seq = 1`);
	const page = await fetch(`${p.base}/api/v1/receipts/${r.id}/page`,
	    { headers: { authorization: `Bearer ${a.who.token}` } });
	const text = await page.text();
	assert.equal(page.headers.get('content-type'),
	    'text/html; charset=utf-8');
	assert.ok(text.includes('&lt;b&gt;&amp;&quot;水&quot;&lt;/b&gt;'));
	assert.ok(!text.includes('<b>') && text.includes(r.number) &&
	    text.includes((a.total_fen / 100).toFixed(2)));
	assert.equal((await fetch(`${p.base}/api/v1/receipts/${r.id}/page`,
	    { headers: { authorization: `Bearer ${b.who.token}` } })).status,
	404);
});

test('an invoice title for each payee, seen by its staff', async () => {
	const body = { title: '贵州某某有限公司', tax_no: '91350100M000100Y43' };

	assert.equal((await title(a, body)).status, 422);
	for (const bad of ['91350100M000100Y44', '91350100M000100Y4I',
		'91350100m000100y43'])
		assert.equal((await title(b, { ...body, tax_no: bad })).status,
		    422);
	const one = await title(a, { ...body, payee_id: A });
	assert.deepEqual([one.status, one.json.payee_id, one.json.tax_no],
	    [200, A, body.tax_no]);
	// Said again, it is still one.
	const again = await title(a, { title: '李桂兰', payee_id: A });
	assert.deepEqual([again.json.id, again.json.title, again.json.tax_no],
	    [one.json.id, '李桂兰', null]);
	assert.equal((await title(a, { ...body, payee_id: '3003' })).status,
	    404);
	assert.equal((await title(a, { ...body, payee_id: A }, b.who)).status,
	    404);
	await title(a, { title: '乙方抬头', payee_id: B });
	await title(b, { title: '乙方抬头' });
	const seen = async (openid) => (await p.yes(200, 'GET',
	    '/api/v1/invoice-titles', { as: await p.as(openid) })).items
	    .map((t) => [t.payee_id, t.title]);
	assert.deepEqual(await seen('owner-a'), [[A, '乙方抬头'],
		[A, '李桂兰']]);
	assert.deepEqual(await seen('owner-b'), [[B, '乙方抬头']]);
	assert.deepEqual(await seen('owner-d'), []);
	// Who only carries for a station reads none of its titles.
	await p.sql('INSERT INTO org_staff (community_id, org_id, user_id,' +
	    ` duty, since) VALUES (101, ${B}, ${(await p.as('owner-a')).id},` +
	    " 'courier', 1)");
	assert.ok((await seen('owner-a')).every(([payee]) => payee === A));
	await p.no(403, 'forbidden', 'GET', '/api/v1/invoice-titles',
	    { as: a.who });
});
