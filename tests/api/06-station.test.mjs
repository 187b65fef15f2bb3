// SPDX-License-Identifier: Apache-2.0
//
// 06-station -- what stations offer, and how they run their own.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { A, B, BIG, BIG_B, D, OFF_SALE, OUTSIDE, SMALL, THERE, WINDOWS, Z }
    from './lib/fixture.mjs';
import { stock } from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const owner = await p.as('owner-a');
const STATIONS = '/api/v1/water/stations', MINE = '/api/v1/station';

const near = async (address, as = anna) => (await p.yes(200, 'GET',
    `${STATIONS}?address_id=${address}`, { as })).items;
const goods = async (station, as = anna) => (await p.yes(200, 'GET',
    `/api/v1/water/products?station_id=${station}`, { as })).items;
const faults = async (method, where, body, as = owner) =>
    (await p.no(422, 'invalid_field', method, where, { as, body })).fields
	.map((f) => `${f.field} ${f.code}`);
const patch = (body, as = owner) => p.yes(200, 'PATCH', `${MINE}/${A}`,
    { as, body });

test('the stations of an address, in the order they are asked', async () => {
	const items = await near(anna.address);

	assert.deepEqual(items.map((one) => one.id), [A, B]);
	const { next_windows: windows, ...one } = items[0];
	assert.deepEqual(one, { id: A, name: '甲水站',
		phone: '0851-33330000', place: '门面 1 号', lat: 26.2501,
		lng: 105.9201, opens: 480, closes: 1260, windows: WINDOWS,
		floor_fee_fen: 100, free_floors: 2,
		accept_minutes: 15, paused: false, open: true });
	assert.equal(windows.length, 6);
	// Half past ten: the morning's window can still be had.
	assert.match(windows[0].from, /T09:00:00\+08:00$/);
	assert.match(windows[0].to, /T12:00:00\+08:00$/);
});

test('windows go with the clock', async () => {
	const first = async () =>
	    (await near(anna.address))[0].next_windows[0].to.slice(11, 16);
	const open = async () => (await near(anna.address))[0].open;

	for (const [at, to, isOpen] of [['11:29', '12:00', true],
		['11:31', '18:00', true], ['17:45', '20:30', true],
		['20:59', '12:00', true], ['21:00', '12:00', false],
		['00:00', '12:00', false], ['07:59', '12:00', false],
		['08:00', '12:00', true], ['10:30', '12:00', true]]) {
		p.clock.goto(at);
		assert.equal(await first(), to, at);
		assert.equal(await open(), isOpen, at);
	}
});

test('an address outside, another\'s, or none', async () => {
	const far = await p.resident(2, { dwelling: OUTSIDE });

	assert.deepEqual((await near(far.address, far)).map((s) => s.id),
	    [D]);
	assert.deepEqual(await near(far.address, anna), []);
	assert.deepEqual(await near('1'), []);
	for (const query of ['', '?address_id=', '?address_id=x',
		'?address_id=0', `?station_id=${A}`])
		await p.no(422, 'invalid_field', 'GET', STATIONS + query,
		    { as: anna });
});

test('goods on sale, with price and stock', async () => {
	const items = await goods(A);

	assert.ok(!items.some((one) => one.id === OFF_SALE));
	const big = items.find((one) => one.id === BIG);
	assert.deepEqual({ ...big, updated_at: 0 }, { id: BIG, station_id: A,
		brand: '山泉', name: '山泉 18.9 升', millilitres: 18900,
		price_fen: 1800, stock: 1000, on_sale: true,
		returnable: false, deposit_fen: 0, updated_at: 0 });
	assert.deepEqual((await goods(B)).map((one) => one.id), [BIG_B]);
	for (const id of [Z, '999999'])
		await p.no(404, 'not_found', 'GET',
		    `/api/v1/water/products?station_id=${id}`, { as: anna });
});

test('the station\'s own side shows all its goods', async () => {
	const mine = async (as, station) => (await p.yes(200, 'GET',
	    `${MINE}/products?station_id=${station}`, { as })).items
	    .map((one) => one.id);

	assert.ok((await mine(owner, A)).includes(OFF_SALE));
	assert.ok((await mine(await p.as('courier-a'), A)).includes(BIG));
	assert.deepEqual(await mine(owner, B), []);
	assert.deepEqual(await mine(owner, Z), []);
	await p.no(422, 'invalid_field', 'GET', `${MINE}/products`,
	    { as: owner });
});

test('whose station it is', async () => {
	const stations = async (openid) => (await p.yes(200, 'GET', MINE,
	    { as: await p.as(openid) })).items.map((one) => one.id);
	const people = async (openid, id) => (await p.yes(200, 'GET',
	    `${MINE}/people?station_id=${id}`, { as: await p.as(openid) }))
	    .items.map((one) => `${one.name} ${one.duty}`);

	assert.deepEqual(await stations('owner-a'), [A]);
	assert.deepEqual(await stations('courier-b'), [B]);
	assert.deepEqual(await stations('role-merchant'), []);
	assert.deepEqual(await people('owner-a', A), ['clerk-a clerk',
		'courier-a courier', 'courier-a2 courier',
		'owner-a owner']);
	assert.deepEqual(await people('owner-b', A), []);
});

test('hours and fees are changed by owner and clerk alone', async () => {
	const clerk = await p.as('clerk-a');

	assert.equal((await patch({ floor_fee_fen: 150 })).floor_fee_fen, 150);
	assert.equal((await patch({ floor_fee_fen: 100 }, clerk)).floor_fee_fen,
	    100);
	for (const who of ['owner-b', 'role-merchant'])
		await p.no(404, 'not_found', 'PATCH', `${MINE}/${A}`,
		    { as: await p.as(who), body: { paused: true } });
	await p.no(404, 'not_found', 'PATCH', `${MINE}/${A}`,
	    { as: await p.as('owner-z'), body: { paused: true } });
	await p.no(403, 'forbidden', 'PATCH', `${MINE}/${A}`,
	    { as: await p.as('courier-a'), body: { paused: true } });
	assert.equal((await patch({})).paused, false);
});

test('a courier that also is a merchant elsewhere changes nothing here',
    async () => {
	await p.sql('INSERT INTO org_staff (community_id, org_id, user_id,' +
	    ` duty, since) VALUES (101, ${A}, 5011, 'courier', 1)`);
	await p.no(404, 'not_found', 'PATCH', `${MINE}/${A}`,
	    { as: await p.as('owner-b'), body: { paused: true } });
	await p.no(404, 'not_found', 'POST',
	    `${MINE}/products/${BIG}/stock`,
	    { as: await p.as('owner-b'), body: { change: 1 } });
	await p.sql(`DELETE FROM org_staff WHERE org_id = ${A} AND` +
	    ' user_id = 5011');
});

test('hours that cannot be', async () => {
	const bad = (body) => faults('PATCH', `${MINE}/${A}`, body);

	assert.deepEqual(await bad({ opens: 1300 }), ['closes too_small']);
	assert.deepEqual(await bad({ opens: -1, closes: 1441,
		floor_fee_fen: 1.5, accept_minutes: 0, free_floors: '2', name: 'x' }),
	    ['name unknown', 'opens too_small', 'closes too_large',
		'floor_fee_fen type', 'free_floors type',
		'accept_minutes too_small']);
	for (const windows of ['09:00-12:00;14:00-18:00', '9:00-12:00-',
		'12:00-09:00', '09:00-12:00,11:00-13:00', '07:00-09:00',
		'20:00-21:30', '09:00-12:00,', '25:00-26:00',
		'09:61-10:00', '09:00 -12:00', '09:00-09:00'])
		assert.deepEqual(await bad({ windows }), ['windows format'],
		    windows);
	assert.equal((await patch({})).windows, WINDOWS);
});

const fresh = { station_id: A, brand: '新泉', name: '新泉 5 升',
	millilitres: 5000, price_fen: 900, stock: 7, on_sale: true };

test('a product is added once', async () => {
	const one = await p.yes(201, 'POST', `${MINE}/products`,
	    { as: owner, body: fresh });

	assert.deepEqual({ ...one, id: 0, updated_at: 0 },
	    { id: 0, ...fresh, returnable: false, deposit_fen: 0,
		updated_at: 0 });
	assert.ok((await goods(A)).some((row) => row.id === one.id));
	await p.no(409, 'conflict', 'POST', `${MINE}/products`,
	    { as: owner, body: fresh });
	for (const station_id of [B, Z, '999'])
		await p.no(404, 'not_found', 'POST', `${MINE}/products`,
		    { as: owner, body: { ...fresh, station_id } });
	assert.deepEqual(await faults('POST', `${MINE}/products`,
	    { station_id: A, brand: '', name: 'x'.repeat(41),
		millilitres: 0, price_fen: -1, stock: 1e9 }),
	    ['brand too_short', 'name too_long', 'millilitres too_small',
		'price_fen too_small', 'stock too_large',
		'on_sale required']);
});

test('a product is changed by its station alone', async () => {
	const where = `${MINE}/products/${SMALL}`;
	const one = await p.yes(200, 'PATCH', where,
	    { as: owner, body: { price_fen: 0, on_sale: false } });

	assert.deepEqual([one.price_fen, one.on_sale, one.name],
	    [0, false, '山泉 11.3 升']);
	assert.ok(!(await goods(A)).some((row) => row.id === SMALL));
	await p.yes(200, 'PATCH', where,
	    { as: owner, body: { price_fen: 1200, on_sale: true } });
	const twin = await p.yes(201, 'POST', `${MINE}/products`, { as: owner,
	    body: { ...fresh, brand: '山泉', millilitres: 18900 } });
	await p.no(409, 'conflict', 'PATCH', `${MINE}/products/${twin.id}`,
	    { as: owner, body: { name: '山泉 18.9 升' } });
	for (const who of ['owner-b', 'owner-z'])
		await p.no(404, 'not_found', 'PATCH', where,
		    { as: await p.as(who), body: { price_fen: 1 } });
	assert.deepEqual(await faults('PATCH', where, { stock: 5 }),
	    ['stock unknown']);
});

test('stock is changed by what came and went', async () => {
	const where = `${MINE}/products/${BIG}/stock`;
	const change = (n, as = owner) => p.call('POST', where,
	    { as, body: { change: n } });
	const before = await stock(p, BIG);

	assert.equal((await change(5)).json.stock, before + 5);
	assert.equal((await change(-5)).json.stock, before);
	await Promise.all(Array.from({ length: 10 }, () => change(3)));
	assert.equal(await stock(p, BIG), before + 30);
	assert.deepEqual(await faults('POST', where,
	    { change: -before - 31 }), ['change too_small']);
	assert.deepEqual(await faults('POST', where, { change: 100001 }),
	    ['change too_large']);
	assert.equal((await change(1, await p.as('owner-b'))).status, 404);
	assert.equal((await change(1, await p.as('courier-a'))).status, 403);
	assert.equal(await stock(p, BIG), before + 30);
});

test('a paused station says so', async () => {
	await patch({ paused: true });
	const items = await near(anna.address);

	assert.deepEqual(items.map((s) => [s.id, s.paused, s.open,
		s.next_windows.length > 0]),
	    [[B, false, true, true], [A, true, false, false]]);
	await patch({ paused: false });
});

test('a resident elsewhere sees other stations', async () => {
	const zoe = await p.resident(9, { community: THERE,
		dwelling: '2011' });

	assert.deepEqual((await near(zoe.address, zoe)).map((s) => s.id),
	    [Z]);
	assert.deepEqual(await near(anna.address, zoe), []);
});
