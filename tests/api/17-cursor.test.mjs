// SPDX-License-Identifier: Apache-2.0
//
// 17-cursor -- long lists in pages, and cursors that nobody gave out.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { ORDERS, place } from './lib/water.mjs';

const p = await start({ jobs: false });
const anna = await p.resident(1), bert = await p.resident(2);
const MINE = [];

for (let i = 0; i < 25; i++)
	MINE.unshift((await place(p, anna)).id);
const theirs = await place(p, bert);

const page = (query = '', as = anna, where = ORDERS) =>
    p.yes(200, 'GET', where + query, { as });
const ids = (list) => list.items.map((o) => o.id);
const after = (cursor) => `after=${encodeURIComponent(cursor)}`;

async function all(limit, as = anna, where = ORDERS, between = () => {}) {
	const found = [];
	let next = null, pages = 0;

	do {
		const list = await page(`?limit=${limit}` +
		    (next ? `&${after(next)}` : ''), as, where);
		assert.ok(list.items.length <= limit);
		assert.ok(!next || list.items.length > 0, 'an empty page');
		found.push(...ids(list));
		next = list.next;
		pages++;
		await between();
	} while (next);
	return { found, pages };
}

test('twenty by default, newest first, and the rest after it', async () => {
	const one = await page();
	const two = await page(`?${after(one.next)}`);

	assert.deepEqual(ids(one), MINE.slice(0, 20));
	assert.deepEqual(ids(two), MINE.slice(20));
	assert.equal(two.next, null);
});

test('every size of page gives the same whole', async () => {
	for (const [limit, pages] of [[1, 25], [5, 5], [7, 4], [24, 2],
		[25, 1], [26, 1], [100, 1]]) {
		const r = await all(limit);
		assert.deepEqual(r.found, MINE, String(limit));
		assert.equal(r.pages, pages, String(limit));
	}
});

test('what comes meanwhile moves nothing', async () => {
	const r = await all(4, anna, ORDERS, async () => {
		MINE.unshift((await place(p, anna)).id);
	});

	assert.deepEqual(r.found, MINE.slice(r.pages));
});

test('the station\'s list pages the same way', async () => {
	const owner = await p.as('owner-a');
	const every = [theirs.id, ...MINE].sort((a, b) =>
	    BigInt(a) < BigInt(b) ? 1 : -1);

	for (const query of ['', '?state=placed'])
		assert.deepEqual(ids(await page(query ? `${query}&limit=100` :
		    '?limit=100', owner, '/api/v1/station/orders')), every);
	const r = await all(7, owner, '/api/v1/station/orders');
	assert.deepEqual(r.found, every);
	const urged = await page('?limit=1', await p.as('role-admin'),
	    '/api/v1/water/urged-orders');
	assert.deepEqual(urged, { items: [], next: null });
});

test('a limit that is none', async () => {
	for (const bad of ['0', '-1', '101', '1e1', '1.0', 'x', '', '%20',
		'99999999999999999999', '٣', '0x10', '+5', ' 5'])
		await p.no(422, 'invalid_field', 'GET',
		    `${ORDERS}?limit=${encodeURI(bad)}`, { as: anna });
	await p.no(400, 'malformed', 'GET', `${ORDERS}?limit=1&limit=2`,
	    { as: anna });
	assert.equal((await page('?limit=007')).items.length, 7);
});

test('a cursor made by hand is refused', async () => {
	const { next } = await page('?limit=3');
	const flip = (i) => next.slice(0, i) +
	    (next[i] === 'A' ? 'B' : 'A') + next.slice(i + 1);
	const made = ['', 'x', '0', MINE[3], `${MINE[3]}.x`, 'null',
		Buffer.from(MINE[3]).toString('base64url'),
		next + 'A', next.slice(0, -1), next + next, `${next}=`,
		` ${next}`, 'A'.repeat(next.length), 'é'.repeat(20),
		'x'.repeat(5000)];

	for (let i = 0; i < next.length; i++)
		made.push(flip(i));
	for (const cursor of made) {
		const no = await p.no(422, 'invalid_field', 'GET',
		    `${ORDERS}?${after(cursor)}`, { as: anna });
		assert.deepEqual(no.fields.map((f) => f.field), ['after'],
		    cursor);
	}
});

test('a cursor of one list does not fit another', async () => {
	const { next } = await page('?limit=3');
	const owner = await p.as('owner-a');
	const other = await page('?limit=3', owner,
	    '/api/v1/station/orders');

	await p.no(422, 'invalid_field', 'GET',
	    `/api/v1/station/orders?${after(next)}`, { as: owner });
	await p.no(422, 'invalid_field', 'GET',
	    `${ORDERS}?${after(other.next)}`, { as: anna });
});

test('a cursor in another\'s hands shows only their own', async () => {
	const { next } = await page('?limit=1');

	assert.deepEqual(ids(await page(`?${after(next)}`, bert)),
	    [theirs.id].filter((id) => BigInt(id) < BigInt(MINE[0])));
	assert.deepEqual((await page(`?${after(next)}`,
	    await p.resident(3))).items, []);
});

test('a cursor outlives the restart of the worker', async () => {
	const { next } = await page('?limit=3');

	await p.stop('api');
	await p.start('api');
	assert.deepEqual(ids(await page(`?limit=3&${after(next)}`)),
	    MINE.slice(3, 6));
});
