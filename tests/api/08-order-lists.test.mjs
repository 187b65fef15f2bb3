// SPDX-License-Identifier: Apache-2.0
//
// 08-order-lists -- orders found again, and the last one ordered again.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { B, BIG, LAST_ONE, THERE } from './lib/fixture.mjs';
import { fire, ORDERS, orderOf, place, setStock } from './lib/water.mjs';

const p = await start();
const bert = await p.resident(2);

const again = (as) => p.call('POST', `${ORDERS}/again`, { as, body: {} });

test('once more with one tap', async () => {
	const carl = await p.resident(30);
	const none = await again(carl);

	assert.equal(`${none.status} ${none.json.code}`, '409 incomplete');
	await place(p, carl, { items: [[BIG, 2]], note: '放门口',
		window: undefined });
	const two = await again(carl);
	assert.equal(two.status, 201);
	assert.deepEqual([two.json.items[0].product_id,
		two.json.items[0].quantity, two.json.note,
		two.json.address_id, two.json.state], [BIG, 2, '放门口',
		carl.address, 'placed']);
	assert.equal((await p.call('POST', `${ORDERS}/again`,
	    { as: carl })).status, 201, 'an empty body');
	await p.no(422, 'invalid_field', 'POST', `${ORDERS}/again`,
	    { as: carl, body: { station_id: B } });
});

test('once more, and exactly what is missing', async () => {
	const who = await p.resident(31);
	const missing = async (status, code, field) => {
		const r = await again(who);
		assert.equal(`${r.status} ${r.json.code}`,
		    `${status} ${code}`, r.text);
		assert.deepEqual(r.json.fields.map((f) =>
		    `${f.field} ${f.code}`), [field]);
		assert.match(r.json.fields[0].detail, /\p{Script=Han}/u);
	};

	await setStock(p, LAST_ONE, 1);
	await place(p, who, { items: [[LAST_ONE, 1]] });
	await missing(409, 'out_of_stock',
	    'items[0].quantity out_of_stock');
	await setStock(p, LAST_ONE, 5);
	await p.sql('UPDATE water_product SET on_sale = 0' +
	    ` WHERE id = ${LAST_ONE}`);
	await missing(409, 'out_of_stock', 'items[0].product_id off_sale');
	await p.sql('UPDATE water_product SET on_sale = 1' +
	    ` WHERE id = ${LAST_ONE}`);
	await p.sql('UPDATE water_station SET paused = 1 WHERE id = 3001');
	await missing(409, 'closed', 'station_id paused');
	await p.sql('UPDATE water_station SET paused = 0 WHERE id = 3001');
	await p.yes(204, 'DELETE', `/api/v1/me/addresses/${who.address}`,
	    { as: who });
	await missing(422, 'invalid_field', 'address_id not_found');
});

test('lists: mine, the station\'s by state, nobody else\'s', async () => {
	const dora = await p.resident(40);
	const [one, two] = [await place(p, dora), await place(p, dora)];
	const list = async (openid, where) => (await p.yes(200, 'GET', where,
	    { as: await p.as(openid) })).items.map((o) => o.id);

	await fire(p, 'owner-a', one.id, 'accept');
	assert.deepEqual(await list(dora.openid, ORDERS), [two.id, one.id]);
	assert.ok(!(await list(bert.openid, ORDERS)).includes(one.id));
	const placed = await list('owner-a',
	    '/api/v1/station/orders?state=placed&limit=100');
	assert.ok(placed.includes(two.id) && !placed.includes(one.id));
	assert.ok((await list('courier-a', '/api/v1/station/orders' +
	    '?state=accepted&limit=100')).includes(one.id));
	assert.ok(!(await list('owner-b', '/api/v1/station/orders?limit=100'))
	    .some((id) => id === one.id || id === two.id));
	await p.no(422, 'invalid_field', 'GET',
	    '/api/v1/station/orders?state=lost',
	    { as: await p.as('owner-a') });
});

test('who moves away has left the old community behind', async () => {
	const eve = await p.resident(50);
	const { id } = await place(p, eve);

	await p.yes(200, 'PATCH', '/api/v1/me', { as: eve,
	    body: { community_id: THERE } });
	await p.no(404, 'not_found', 'GET', `${ORDERS}/${id}`, { as: eve });
	await p.no(422, 'invalid_field', 'POST', ORDERS, { as: eve,
	    body: orderOf(eve) });
	assert.deepEqual((await p.yes(200, 'GET', ORDERS, { as: eve }))
	    .items, []);
});

