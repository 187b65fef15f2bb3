// SPDX-License-Identifier: Apache-2.0
//
// 11-idempotency -- the same key gets the first reply, whatever happens.
import assert from 'node:assert/strict';

import { DAY, HOUR, start, test, until } from './harness.mjs';
import { A, BIG, LAST_ONE } from './lib/fixture.mjs';
import { delivering, ORDERS, orderOf, place, see, setStock, stock }
    from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const bert = await p.resident(2);

let number = 0;
const newKey = () => `key-${++number}-${process.pid}`;
const post = (key, body, as = anna, where = ORDERS) => p.call('POST', where,
    { as, body, headers: { 'idempotency-key': key } });
const orders = async (as = anna) => Number(await p.value('SELECT COUNT(*)' +
    ` FROM water_order WHERE owner_id = ${as.id}`));
const replayed = (reply) => reply.headers['idempotency-replayed'] ?? null;

test('twice in a row: one order, the same reply', async () => {
	const key = newKey(), before = await stock(p, BIG);
	const one = await post(key, orderOf(anna));
	const two = await post(key, orderOf(anna));

	assert.deepEqual([one.status, two.status], [201, 201]);
	assert.equal(two.text, one.text);
	assert.deepEqual([replayed(one), replayed(two)], [null, 'true']);
	assert.notEqual(two.headers['x-request-id'],
	    one.headers['x-request-id']);
	assert.equal(await stock(p, BIG), before - 1);
	// Another key is another order.
	assert.notEqual((await post(newKey(), orderOf(anna))).json.id,
	    one.json.id);
});

test('the reply stays what it was when the order has moved on', async () => {
	const key = newKey();
	const one = await post(key, orderOf(anna));

	await p.yes(200, 'POST', `${ORDERS}/${one.json.id}/cancel`,
	    { as: anna, body: {} });
	assert.equal((await post(key, orderOf(anna))).text, one.text);
	assert.equal((await see(p, anna.openid, one.json.id)).state,
	    'cancelled');
});

test('many at once: one order, the same reply', async () => {
	for (let round = 0; round < 5; round++) {
		const key = newKey(), before = await orders();
		const all = await Promise.all(Array.from({ length: 8 }, () =>
		    post(key, orderOf(anna))));
		assert.deepEqual(all.map((r) => r.status),
		    Array(8).fill(201));
		assert.equal(new Set(all.map((r) => r.text)).size, 1);
		assert.equal(all.filter((r) => !replayed(r)).length, 1);
		assert.equal(await orders(), before + 1);
	}
});

test('another body under the same key is refused', async () => {
	const key = newKey();
	const one = await post(key, orderOf(anna));
	const before = await orders();

	for (const body of [orderOf(anna, { items: [[BIG, 2]] }),
		orderOf(anna, { note: 'x' })]) {
		const no = await post(key, body);
		assert.equal(`${no.status} ${no.json.code}`,
		    '422 idempotency_key_reused');
	}
	const elsewhere = await post(key, {}, anna,
	    `${ORDERS}/${one.json.id}/cancel`);
	assert.equal(elsewhere.json.code, 'idempotency_key_reused');
	assert.equal(await orders(), before);
	assert.equal((await see(p, anna.openid, one.json.id)).state,
	    'placed');
});

test('the same key at once with two bodies: one order', async () => {
	const key = newKey(), before = await orders();
	const all = await Promise.all([1, 2, 1, 2].map((n) => post(key,
	    orderOf(anna, { items: [[BIG, n]] }))));

	assert.deepEqual(all.map((r) => r.status).sort(),
	    [201, 201, 422, 422]);
	assert.equal(await orders(), before + 1);
});

test('a key is its owner\'s alone', async () => {
	const key = newKey();
	const [hers, his] = [await post(key, orderOf(anna)),
		await post(key, orderOf(bert), bert)];

	assert.deepEqual([hers.status, his.status], [201, 201]);
	assert.notEqual(hers.json.id, his.json.id);
});

test('what failed is not kept: the key may try again', async () => {
	const key = newKey();
	const body = orderOf(anna, { items: [[LAST_ONE, 1]] });

	await setStock(p, LAST_ONE, 0);
	assert.equal((await post(key, body)).status, 409);
	await setStock(p, LAST_ONE, 1);
	assert.equal((await post(key, body)).status, 201);
	assert.equal((await post(key, body)).status, 201);
	assert.equal(await stock(p, LAST_ONE), 0);
	// Nor is what was faulty.
	const other = newKey();
	assert.equal((await post(other, {})).status, 422);
	assert.equal((await post(other, orderOf(anna))).status, 201);
});

test('events take a key as well', async () => {
	const key = newKey();
	const { id } = await place(p, anna);
	const owner = await p.as('owner-a');
	const where = `${ORDERS}/${id}/accept`;
	const one = await post(key, {}, owner, where);

	assert.equal(one.status, 200);
	assert.equal((await post(key, {}, owner, where)).text, one.text);
	assert.equal((await post(newKey(), {}, owner, where)).status, 409);
});

test('a wrong code counts once a try, with a key too', async () => {
	const { id, handover_code: code } = await delivering(p, anna);
	const courier = await p.as('courier-a'), key = newKey();
	const body = { code: code === '0000' ? '0001' : '0000' };
	const where = `${ORDERS}/${id}/handover`;

	for (let i = 0; i < 2; i++)
		assert.equal((await post(key, body, courier, where)).status,
		    422);
	assert.equal(await p.value('SELECT code_tries FROM water_order' +
	    ` WHERE id = ${id}`), '2');
	assert.equal((await post(key, { code }, courier, where)).status, 200);
	assert.equal((await post(key, { code }, courier, where)).status, 200);
});

test('stock added under a key is added once', async () => {
	const before = await stock(p, BIG), key = newKey();
	const owner = await p.as('owner-a');
	const where = `/api/v1/station/products/${BIG}/stock`;

	for (let i = 0; i < 3; i++)
		assert.equal((await post(key, { change: 7 }, owner, where))
		    .json.stock, before + 7);
	assert.equal(await stock(p, BIG), before + 7);
});

test('what a key may look like', async () => {
	for (const key of ['a', 'x'.repeat(64), '!~"\\', '550e8400-e29b'])
		assert.equal((await post(key, orderOf(anna))).status, 201,
		    key);
	for (const key of ['x'.repeat(65), 'a b', 'é', 'x'.repeat(4000)]) {
		const no = await post(key, orderOf(anna));
		assert.equal(no.status, 422, key);
		assert.equal(no.json.fields[0].field, 'Idempotency-Key');
	}
	// Where nothing is made it does not matter.
	await p.yes(200, 'GET', ORDERS, { as: anna,
		headers: { 'idempotency-key': 'a b' } });
});

test('a killed worker leaves no key half taken', async () => {
	const keys = Array.from({ length: 60 }, newKey);
	const before = await orders();
	const sent = keys.map((key) => post(key, orderOf(anna))
	    .catch(() => null));

	await new Promise((resolve) => setTimeout(resolve, 12));
	await p.kill('api');
	await Promise.all(sent);
	await p.start('api');
	for (const key of keys)
		assert.equal((await post(key, orderOf(anna))).status, 201);
	assert.equal(await orders(), before + 60);
});

test('keys are forgotten after a week', async () => {
	const key = newKey();
	const one = await post(key, orderOf(anna));
	const kept = async () => Number(await p.value('SELECT COUNT(*) FROM' +
	    ` idempotency WHERE key = '${key}'`));

	p.clock.add(7 * DAY - HOUR);
	assert.equal((await post(key, orderOf(anna))).text, one.text);
	p.clock.add(2 * HOUR);
	await until(async () => await kept() === 0, 'the sweep');
	assert.equal((await p.yes(200, 'GET',
	    `/api/v1/water/products?station_id=${A}`, { as: anna })).next,
	    null);
});
