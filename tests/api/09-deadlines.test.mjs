// SPDX-License-Identifier: Apache-2.0
//
// 09-deadlines -- what happens when nobody does anything.
import assert from 'node:assert/strict';

import { DAY, HOUR, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { A, B, BIG, BIG_B, SMALL } from './lib/fixture.mjs';
import { delivering, fire, ORDERS, place, see, setStock, stock, timeline }
    from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const ANNA = anna.openid;

const events = async (id) => (await timeline(p, ANNA, id))
    .map((e) => e.event);
// Let the time run out, and wait for the step that follows.
async function overdue(id, ms) {
	const before = (await events(id)).length;

	p.clock.add(ms);
	await until(async () => (await events(id)).length > before,
	    'the next step');
	return see(p, ANNA, id);
}
const urged = async (as = 'role-admin') => (await p.yes(200, 'GET',
    '/api/v1/water/urged-orders?limit=100', { as: await p.as(as) })).items;

test('a station that does not accept loses the order to the next', async () => {
	const before = [await stock(p, BIG), await stock(p, BIG_B)];
	const { id } = await place(p, anna, { items: [[BIG, 2]] });

	p.clock.add(15 * MINUTE - 5 * SECOND);
	const early = await see(p, ANNA, id);
	assert.deepEqual([early.station_id, early.urged], [A, 0]);
	const moved = await overdue(id, 5 * SECOND);
	assert.deepEqual([moved.state, moved.station_id, moved.urged,
		moved.total_fen, moved.items[0].product_id],
	    ['placed', B, 1, 3400, BIG_B]);
	assert.deepEqual([await stock(p, BIG), await stock(p, BIG_B)],
	    [before[0], before[1] - 2]);
	const last = (await timeline(p, ANNA, id)).pop();
	assert.deepEqual([last.event, last.actor, last.note],
	    ['supervise', 'system', '已转给乙水站']);
	assert.ok(Date.parse(moved.deadline_at) > p.clock.now());
	assert.deepEqual((await urged()).map((o) => o.id), [id]);
	assert.deepEqual((await urged('role-clerk')).map((o) => o.id), [id]);

	// The first station has it no more; the second may take it.
	await p.no(404, 'not_found', 'POST', `${ORDERS}/${id}/accept`,
	    { as: await p.as('owner-a'), body: {} });
	assert.equal((await fire(p, 'owner-b', id, 'accept')).urged, 0);
	assert.deepEqual(await urged(), []);
	await fire(p, ANNA, id, 'cancel');
});

test('when nobody ever accepts, it ends, and the barrels are back',
    async () => {
	const before = [await stock(p, BIG), await stock(p, BIG_B)];
	const { id } = await place(p, anna, { items: [[BIG, 3]] });

	for (const [n, station] of [[1, B], [2, B], [3, B]]) {
		const o = await overdue(id, 15 * MINUTE + SECOND);
		assert.deepEqual([o.state, o.urged, o.station_id],
		    ['placed', n, station]);
	}
	const end = await overdue(id, 15 * MINUTE + SECOND);
	assert.deepEqual([end.state, end.deadline_at, end.can],
	    ['rejected', null, []]);
	assert.match(end.reason, /\p{Script=Han}/u);
	assert.deepEqual(await events(id), ['place', 'supervise', 'supervise',
		'supervise', 'expire']);
	assert.deepEqual([await stock(p, BIG), await stock(p, BIG_B)],
	    before);
	assert.deepEqual(await urged(), []);
});

test('the next station is asked only if it can do the same', async () => {
	const stays = async (items, prepare, undo) => {
		await p.sql(prepare);
		const { id } = await place(p, anna, { items });
		const o = await overdue(id, 15 * MINUTE + SECOND);
		await p.sql(undo);
		assert.deepEqual([o.station_id, o.state, o.urged],
		    [A, 'placed', 1], prepare);
		assert.equal((await timeline(p, ANNA, id)).pop().note,
		    '已再次提醒水站接单');
		await fire(p, ANNA, id, 'cancel');
	};
	const product = (set) => `UPDATE water_product SET ${set}` +
	    ` WHERE id = ${BIG_B}`;
	const other = (set) => `UPDATE water_station SET ${set}` +
	    ` WHERE id = ${B}`;

	p.clock.goto('09:30');
	await stays([[BIG, 2]], product('stock = 1'), product('stock = 900'));
	await stays([[BIG, 2]], product('price_fen = 1801'),
	    product('price_fen = 1700'));
	await stays([[BIG, 1]], product('on_sale = 0'),
	    product('on_sale = 1'));
	await stays([[BIG, 1]], other('paused = 1'), other('paused = 0'));
	await stays([[BIG, 1]], other('closes = 700'),
	    other('closes = 1260'));
	await stays([[SMALL, 1], [BIG, 1]], 'SELECT 1', 'SELECT 1');
});

test('time to accept runs in opening hours only', async () => {
	p.clock.goto('20:50');
	const { id, deadline_at } = await place(p, anna);

	// Ten minutes today, five tomorrow.
	assert.match(deadline_at, /T08:05:\d\d(\.\d+)?\+08:00$/);
	p.clock.goto('08:00');
	assert.equal((await see(p, ANNA, id)).urged, 0);
	await overdue(id, 6 * MINUTE);
	await fire(p, ANNA, id, 'cancel');
	p.clock.goto('10:30');
});

test('an accepted order that is late is urged every hour', async () => {
	const { id } = await place(p, anna);

	await fire(p, 'owner-a', id, 'accept');
	p.clock.goto('12:00');
	const late = await overdue(id, SECOND);
	assert.deepEqual([late.state, late.urged, late.station_id],
	    ['accepted', 1, A]);
	for (let n = 2; n <= 5; n++)
		assert.equal((await overdue(id, HOUR + SECOND)).urged, n);
	assert.ok((await urged()).some((o) => o.id === id));
	// Urging takes nothing away from the station.
	await fire(p, 'courier-a', id, 'deliver');
	const o = await overdue(id, 3 * HOUR + SECOND);
	assert.deepEqual([o.state, o.urged], ['delivering', 1]);
	await fire(p, ANNA, id, 'confirm');
	p.clock.goto('10:30');
});

test('a delivered order completes itself after a day', async () => {
	const { id, handover_code: code } = await delivering(p, anna);

	await fire(p, 'courier-a', id, 'handover', { code });
	p.clock.add(DAY - MINUTE);
	assert.equal((await see(p, ANNA, id)).state, 'delivered');
	const end = await overdue(id, MINUTE + SECOND);
	assert.equal(end.state, 'completed');
	assert.equal((await timeline(p, ANNA, id)).pop().actor, 'system');
});

test('what fell due while no runner ran is done when one does', async () => {
	const ids = [];

	p.clock.goto('10:30');
	for (let i = 0; i < 5; i++)
		ids.push((await place(p, anna)).id);
	await p.stop('jobs');
	p.clock.add(20 * MINUTE);
	for (const id of ids)
		assert.equal((await see(p, ANNA, id)).urged, 0);
	await p.start('jobs');
	for (const id of ids)
		await until(async () => (await see(p, ANNA, id)).urged === 1,
		    'the first urging');
	for (const id of ids)
		await fire(p, ANNA, id, 'cancel');
});

test('three runners fire each deadline once', async () => {
	const ids = [];

	await setStock(p, BIG, 1000);
	p.clock.goto('10:30');
	for (const n of [2, 3])
		p.add(`jobs-${n}`, [p.program('planet-jobs'), '--config',
			p.conf]).start();
	for (let i = 0; i < 30; i++)
		ids.push((await place(p, anna)).id);
	p.clock.add(15 * MINUTE + SECOND);
	for (const id of ids)
		await until(async () => (await see(p, ANNA, id)).urged === 1,
		    'the first urging');
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.deepEqual(await p.sql('SELECT thing_id FROM flow_event WHERE' +
	    " event = 'supervise' AND thing_id IN" +
	    ` (${ids.join()}) GROUP BY thing_id HAVING COUNT(*) <> 1`), []);
	assert.equal(await p.value('SELECT SUM(quantity) FROM water_item i' +
	    ' JOIN water_order o ON o.id = i.order_id WHERE' +
	    ` o.id IN (${ids.join()})`), '30');
	for (const id of ids)
		await fire(p, ANNA, id, 'cancel');
	for (const n of [2, 3])
		assert.equal((await p.stop(`jobs-${n}`)).code, 0);
});

test('accept against the runner: one of them, never both halves', async () => {
	for (let round = 0; round < 8; round++) {
		p.clock.goto('10:30');
		const { id } = await place(p, anna, { items: [[BIG, 1]] });
		const owner = await p.as('owner-a');
		p.clock.add(15 * MINUTE + SECOND);
		const r = await p.call('POST', `${ORDERS}/${id}/accept`,
		    { as: owner, body: {} });
		const o = await see(p, ANNA, id);
		assert.match(`${r.status} ${o.state} ${o.station_id}`,
		    /^(200 accepted 3001|404 placed 3002|409 placed 3002)$/);
		const [row] = await p.sql('SELECT p.station_id FROM' +
		    ' water_item i JOIN water_product p ON p.id =' +
		    ` i.product_id WHERE i.order_id = ${id}`);
		assert.equal(row.station_id, o.station_id);
		await fire(p, ANNA, id, 'cancel');
	}
});

test('a runner killed at any moment leaves whole orders', async () => {
	const sum = async () => await stock(p, BIG) + await stock(p, BIG_B);
	const before = await sum();
	const ids = [];

	p.clock.goto('10:30');
	for (let i = 0; i < 40; i++)
		ids.push((await place(p, anna)).id);
	p.clock.add(15 * MINUTE + SECOND);
	for (const ms of [2, 5, 9, 14, 20]) {
		await new Promise((resolve) => setTimeout(resolve, ms));
		await p.kill('jobs');
		await p.start('jobs');
	}
	await until(async () => await p.value('SELECT COUNT(*) FROM' +
	    ` water_order WHERE id IN (${ids.join()}) AND urged = 1 AND` +
	    ` org_id = ${B}`) === '40', 'all to be passed on');
	assert.equal(await sum(), before - 40);
	assert.equal(await p.value('SELECT COUNT(*) FROM flow_event WHERE' +
	    ` thing_id IN (${ids.join()})`), '80');
});

test('nothing else is brought instead of what was ordered', async () => {
	const other = await p.yes(201, 'POST', '/api/v1/station/products', {
		as: await p.as('owner-a'),
		body: { station_id: A, brand: '山泉', name: '山泉矿物 18.9 升',
			millilitres: 18900, price_fen: 1800, stock: 9,
			on_sale: true },
	});
	const { id } = await place(p, anna,
	    { items: [[BIG, 1], [other.id, 1]] });
	const o = await overdue(id, 15 * MINUTE);

	assert.deepEqual([o.state, o.station_id, o.urged], ['placed', A, 1]);
	assert.equal((await timeline(p, ANNA, id)).pop().note,
	    '已再次提醒水站接单');
	await fire(p, ANNA, id, 'cancel');
	assert.equal(await stock(p, other.id), 9);
});

test('an order whose window is over is passed to nobody', async () => {
	const { id } = await place(p, anna, { items: [[BIG, 1]] });

	await p.sql(`UPDATE water_order SET window_to = ${p.clock.now()}` +
	    ` WHERE id = ${id}`);
	assert.equal((await overdue(id, 15 * MINUTE)).station_id, A);
	await fire(p, ANNA, id, 'cancel');
});

test('who accepts while the runner is passing it on keeps all of it',
    { skip: p.kind !== 'postgresql' && 'one writer at a time' }, async () => {
	const before = await stock(p, BIG);
	const { id } = await place(p, anna, { items: [[BIG, 2]] });
	const active = (what) => p.value('SELECT count(*) FROM' +
	    ` pg_stat_activity WHERE state = 'active' AND ${what}`);
	const held = p.sql('BEGIN; UPDATE water_product SET stock = stock' +
	    ` WHERE id = ${BIG}; SELECT pg_sleep(2); COMMIT`);

	await until(async () => Number(await active(
	    "query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")) > 0,
	    'the lock');
	p.clock.add(15 * MINUTE);
	await until(async () => Number(await active(
	    "wait_event_type = 'Lock'")) > 0, 'the runner at the lock');
	await fire(p, 'owner-a', id, 'accept');
	await held;
	await until(async () => Number(await active(
	    "wait_event_type = 'Lock'")) === 0, 'the runner to go on');
	const o = await see(p, ANNA, id);
	assert.deepEqual([o.state, o.station_id, o.items[0].product_id],
	    ['accepted', A, BIG]);
	assert.equal(await p.value('SELECT quantity FROM water_item WHERE' +
	    ` order_id = ${id} AND product_id = ${BIG}`), '2');
	assert.equal(await stock(p, BIG), before - 2);
	await fire(p, ANNA, id, 'cancel');
	assert.equal(await stock(p, BIG), before);
});
