// SPDX-License-Identifier: Apache-2.0
//
// 07-order -- placing an order, and every way it can be refused.
import assert from 'node:assert/strict';

import { HOUR, start, test } from './harness.mjs';
import { A, B, BIG, BIG_B, BIG_Z, D, LAST_ONE, LIFT, OFF_SALE, OUTSIDE,
    SMALL, SOLD_OUT, STAIRS, Z } from './lib/fixture.mjs';
import { ORDERS, orderOf, place, placeRefused, setStock, stock }
    from './lib/water.mjs';

const p = await start();
// Stocks are counted here: nothing may be passed on meanwhile.
await p.stop('jobs');
const anna = await p.resident(1);
const high = await p.resident(2, { dwelling: STAIRS });
const lift = await p.resident(3, { dwelling: LIFT });
const far = await p.resident(4, { dwelling: OUTSIDE });
const owner = await p.as('owner-a');

const refused = async (status, code, more, who = anna) =>
    (await placeRefused(p, who, status, code, more)).fields
	?.map((f) => `${f.field} ${f.code}`);
const count = async () => Number(await p.value(
    'SELECT COUNT(*) FROM water_order'));
const day = (hhmm) => new Date(p.clock.now() + 8 * HOUR).toISOString()
    .slice(0, 10) + `T${hhmm}:00+08:00`;
const station = (body) => p.yes(200, 'PATCH', `/api/v1/station/${A}`,
    { as: owner, body });

test('an order is placed', async () => {
	const before = await stock(p, BIG);
	const o = await place(p, anna, { items: [[BIG, 2], [SMALL, 1]],
		note: '放门口' });

	assert.equal(o.state, 'placed');
	assert.equal(o.state_label, '待接单');
	assert.deepEqual(o.can, ['cancel']);
	assert.deepEqual([o.station_id, o.station, o.address_id, o.place,
		o.floor, o.contact], [A, '甲水站', anna.address,
		'山水小区1栋1单元101室', 1, '张三']);
	assert.match(o.phone, /^139\*{4}\d{4}$/);
	assert.deepEqual(o.items.map((i) => [i.product_id, i.quantity,
		i.price_fen]), [[BIG, 2, 1800], [SMALL, 1, 1200]]);
	assert.deepEqual([o.goods_fen, o.floor_fen, o.total_fen],
	    [4800, 0, 4800]);
	assert.deepEqual([o.window_from, o.window_to],
	    [day('09:00'), day('12:00')]);
	assert.deepEqual([o.payment, o.paid_at, o.note, o.reason,
		o.handover_code, o.urged], ['on_delivery', null, '放门口',
		null, null, 0]);
	assert.equal(Date.parse(o.deadline_at) - Date.parse(o.created_at),
	    15 * 60_000);
	assert.equal(await stock(p, BIG), before - 2);
	assert.deepEqual(await p.yes(200, 'GET', `${ORDERS}/${o.id}`,
	    { as: anna }), o);
});

test('floors without a lift cost, with one they do not', async () => {
	const up = await place(p, high, { items: [[BIG, 2], [SMALL, 3]] });
	const with_lift = await place(p, lift, { items: [[BIG, 2]] });

	// (6 - 2 free floors) x 5 barrels x 100 fen
	assert.deepEqual([up.floor, up.goods_fen, up.floor_fen,
		up.total_fen], [6, 7200, 2000, 9200]);
	assert.deepEqual([with_lift.floor, with_lift.floor_fen], [9, 0]);
});

test('a window is chosen', async () => {
	const o = await place(p, anna, { window: { from: day('14:00'),
		to: day('18:00') } });
	const utc = await place(p, anna, { window: {
		from: new Date(day('14:00')).toISOString(),
		to: new Date(day('18:00')).toISOString() } });

	assert.equal(o.window_from, day('14:00'));
	assert.equal(utc.window_from, day('14:00'));
});

test('a window that cannot be had', async () => {
	const closed = async (from, to) => assert.deepEqual(
	    await refused(409, 'closed', { window: { from, to } }),
	    ['window closed'], `${from} ${to}`);
	const next = (days, hhmm) => new Date(Date.parse(day(hhmm)) +
	    days * 24 * HOUR).toISOString();

	await closed(day('12:00'), day('14:00'));
	await closed(day('14:00'), day('18:01'));
	await closed(day('18:00'), day('14:00'));
	await closed(day('02:00'), day('03:00'));
	await closed(next(-1, '14:00'), next(-1, '18:00'));
	await closed(next(7, '14:00'), next(7, '18:00'));
	await closed('1970-01-01T00:00:00Z', '9999-12-31T00:00:00Z');
	await place(p, anna, { window: { from: next(6, '14:00'),
		to: next(6, '18:00') } });
	for (const [window, fault] of [
		[{}, 'window.from required,window.to required'],
		[null, 'window null'], ['morning', 'window type'],
		[{ from: day('14:00'), to: '18:00' }, 'window.to format'],
		[{ from: 1, to: 2 }, 'window.from type,window.to type'],
		[{ from: '2026-02-30T14:00:00Z', to: day('18:00') },
		    'window.from format'],
		[{ from: day('14:00'), to: day('18:00'), x: 1 },
		    'window.x unknown']])
		assert.equal((await refused(422, 'invalid_field',
		    { window })).join(), fault);
});

test('half an hour before its end a window is over', async () => {
	p.clock.goto('11:31');
	assert.deepEqual(await refused(409, 'closed', { window: {
		from: day('09:00'), to: day('12:00') } }), ['window closed']);
	assert.equal((await place(p, anna)).window_from, day('14:00'));
});

test('at night the next morning is promised, and the answer due then',
    async () => {
	p.clock.goto('22:00');
	const o = await place(p, anna);

	p.clock.goto('08:00');
	assert.equal(o.window_from, day('09:00'));
	assert.equal(o.deadline_at, day('08:15'));
	p.clock.goto('10:30');
});

test('a station that cannot be', async () => {
	assert.deepEqual(await refused(422, 'invalid_field',
	    { station_id: '999999' }), ['station_id not_found']);
	assert.deepEqual(await refused(422, 'invalid_field',
	    { station_id: Z }), ['station_id not_found']);
	assert.deepEqual(await refused(409, 'not_served',
	    { station_id: D }), ['address_id not_served']);
	assert.deepEqual(await refused(409, 'not_served', {}, far),
	    ['address_id not_served']);
	await station({ paused: true });
	assert.deepEqual(await refused(409, 'closed'), ['station_id paused']);
	await station({ paused: false });
	await place(p, anna);
});

test('an address that is not mine, or no more', async () => {
	for (const address_id of [high.address, '1', '999999'])
		assert.deepEqual(await refused(422, 'invalid_field',
		    { address_id }), ['address_id not_found']);
	const gone = await p.yes(201, 'POST', '/api/v1/me/addresses',
	    { as: anna, body: { dwelling_id: STAIRS, contact: '张三',
		phone: '13900001111' } });
	await p.yes(204, 'DELETE', `/api/v1/me/addresses/${gone.id}`,
	    { as: anna });
	assert.deepEqual(await refused(422, 'invalid_field',
	    { address_id: gone.id }), ['address_id not_found']);
});

test('goods that cannot be', async () => {
	const before = [await count(), await stock(p, BIG)];
	const bad = (items, code = 'invalid_field', status = 422) =>
	    refused(status, code, { items });

	assert.deepEqual(await bad([[SOLD_OUT, 1]], 'out_of_stock', 409),
	    ['items[0].quantity out_of_stock']);
	assert.deepEqual(await bad([[BIG, 1], [OFF_SALE, 1]],
	    'out_of_stock', 409), ['items[1].product_id off_sale']);
	assert.deepEqual(await bad([[BIG_B, 1]]),
	    ['items[0].product_id not_found']);
	assert.deepEqual(await bad([[BIG_Z, 1], ['999', 1]]),
	    ['items[1].product_id not_found',
		'items[0].product_id not_found']);
	assert.deepEqual(await bad([[BIG, 1], [BIG, 1]]),
	    ['items duplicate']);
	assert.deepEqual(await bad([]), ['items too_short']);
	assert.deepEqual(await bad(Array.from({ length: 11 }, (_, i) =>
	    [String(4000 + i), 1])), ['items too_long']);
	assert.deepEqual([await count(), await stock(p, BIG)], before);
});

test('quantities from one to twenty', async () => {
	for (const [quantity, code] of [[0, 'too_small'], [-1, 'too_small'],
		[21, 'too_large'], [1000000, 'too_large'],
		[9007199254740993, 'too_large'], [1.5, 'type'],
		['2', 'type'], [null, 'null'], [true, 'type'], [[], 'type'],
		[1.0000001, 'type']])
		assert.deepEqual(await refused(422, 'invalid_field',
		    { items: [[BIG, quantity]] }),
		    [`items[0].quantity ${code}`], String(quantity));
	await p.no(400, 'malformed', 'POST', ORDERS, { as: anna, raw:
	    JSON.stringify(orderOf(anna)).replace('"quantity":1',
		'"quantity":99999999999999999999') });
	assert.equal((await place(p, anna, { items: [[BIG, 20]] }))
	    .goods_fen, 36000);
});

test('all faults of a form together', async () => {
	assert.deepEqual(await refused(422, 'invalid_field', {
		station_id: 5, address_id: undefined,
		items: [[undefined, 0], ['x', 21]],
		payment: 'wechat', note: 'x'.repeat(101), tip: 1 }), [
		'tip unknown', 'station_id type', 'address_id required',
		'items[0].product_id required', 'items[0].quantity too_small',
		'items[1].product_id format', 'items[1].quantity too_large',
		'payment not_listed', 'note too_long']);
});

test('a note with anything that is text', async () => {
	for (const note of ['👨‍👩‍👧‍👦🐕 门口', '𠮷野家',
		'"; DROP TABLE water_order;--',
		'\\u0041 \\n %s %n', '</script>', '😀'.repeat(100)])
		assert.equal((await place(p, anna, { note })).note, note);
	assert.equal((await place(p, anna, { note: '' })).note, '');
	for (const note of ['a\u0000b', 'a\u0007b', 'a\nb', '\u202e反',
		'\ud800'])
		assert.ok(['422', '400'].includes(String((await p.call('POST',
		    ORDERS, { as: anna, body: orderOf(anna, { note }) }))
		    .status)), JSON.stringify(note));
	assert.deepEqual(await refused(422, 'invalid_field',
	    { note: 'a\u0000b' }), ['note not_text']);
});

test('two residents, one barrel: one order, one clear refusal', async () => {
	for (let round = 0; round < 10; round++) {
		await setStock(p, LAST_ONE, 1);
		const both = await Promise.all([anna, high].map((who) =>
		    p.call('POST', ORDERS, { as: who, body: orderOf(who,
			{ items: [[LAST_ONE, 1]] }) })));
		assert.deepEqual(both.map((r) => r.status).sort(),
		    [201, 409]);
		const no = both.find((r) => r.status === 409).json;
		assert.equal(no.code, 'out_of_stock');
		assert.equal(no.fields[0].field, 'items[0].quantity');
		assert.equal(await stock(p, LAST_ONE), 0);
	}
});

test('what is short undoes what was there', async () => {
	await setStock(p, LAST_ONE, 3);
	const before = [await stock(p, BIG), await count()];
	const no = await placeRefused(p, anna, 409, 'out_of_stock',
	    { items: [[BIG, 2], [LAST_ONE, 4]] });

	assert.match(no.fields[0].detail, /只剩 3 桶/);
	assert.deepEqual([await stock(p, BIG), await count()], before);
	assert.equal(await stock(p, LAST_ONE), 3);
});

test('two who want the same two things in other order', async () => {
	const before = await stock(p, BIG);

	await setStock(p, SMALL, 500);
	const all = await Promise.all(Array.from({ length: 16 }, (_, i) =>
	    p.call('POST', ORDERS, { as: i % 2 ? anna : high,
		body: orderOf(i % 2 ? anna : high, { items: i % 2 ?
		    [[BIG, 1], [SMALL, 1]] : [[SMALL, 1], [BIG, 1]] }) })));
	assert.deepEqual(all.map((r) => r.status), Array(16).fill(201));
	assert.equal(await stock(p, BIG), before - 16);
});

test('the other station has its own price', async () => {
	const o = await place(p, anna, { station_id: B,
		items: [[BIG_B, 3]] });

	assert.deepEqual([o.station_id, o.total_fen], [B, 5100]);
});

test('a price that changed meanwhile is asked about again', async () => {
	const price = (fen) => p.yes(200, 'PATCH',
	    `/api/v1/station/products/${BIG}`,
	    { as: owner, body: { price_fen: fen } });
	const before = await stock(p, BIG);

	await place(p, anna, { expected_total_fen: 1800 });
	await price(1900);
	const no = await placeRefused(p, anna, 409, 'conflict',
	    { expected_total_fen: 1800 });
	assert.deepEqual(no.fields.map((f) => `${f.field} ${f.code}`),
	    ['expected_total_fen changed']);
	assert.match(no.fields[0].detail, /19\.00 元/);
	await p.no(409, 'conflict', 'POST', `${ORDERS}/again`,
	    { as: anna, body: { expected_total_fen: 1800 } });
	assert.equal(await stock(p, BIG), before - 1);
	assert.equal((await place(p, anna, { expected_total_fen: 1900 }))
	    .total_fen, 1900);
	await p.yes(201, 'POST', `${ORDERS}/again`,
	    { as: anna, body: { expected_total_fen: 1900 } });
	assert.deepEqual(await refused(422, 'invalid_field',
	    { expected_total_fen: -1 }), ['expected_total_fen too_small']);
	await price(1800);
});
