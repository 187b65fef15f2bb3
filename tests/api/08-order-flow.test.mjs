// SPDX-License-Identifier: Apache-2.0
//
// 08-order-flow -- from tap to door, by the right people in the right state.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { B, BIG, BIG_B } from './lib/fixture.mjs';
import { delivering, fire, fireRefused, ORDERS, place, see, stock, timeline }
    from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
await p.resident(2);
const ANNA = anna.openid;

const can = async (openid, id) => (await see(p, openid, id)).can.sort();
const other = (code) => code === '0000' ? '0001' : '0000';

test('the whole way, each with the buttons of the moment', async () => {
	const { id } = await place(p, anna);

	assert.deepEqual(await can('owner-a', id), ['accept', 'pass',
		'reject']);
	assert.deepEqual(await can('courier-a', id), []);
	assert.deepEqual(await can(ANNA, id), ['cancel']);

	const accepted = await fire(p, 'clerk-a', id, 'accept');
	assert.equal(accepted.state, 'accepted');
	assert.deepEqual(accepted.can.sort(), ['assign', 'contact', 'deliver',
		'reject']);
	assert.equal(accepted.deadline_at, accepted.window_to);
	assert.deepEqual(await can('courier-a', id), ['deliver']);

	const out = await fire(p, 'courier-a', id, 'deliver');
	assert.equal(out.state, 'delivering');
	assert.equal(out.handover_code, null, 'the courier sees the code');
	assert.deepEqual(out.can.sort(), ['contact', 'fail', 'handover']);
	assert.equal((await see(p, 'owner-a', id)).handover_code, null);

	const mine = await see(p, ANNA, id);
	assert.match(mine.handover_code, /^\d{4}$/);
	assert.deepEqual(mine.can, ['confirm']);

	const done = await fire(p, 'courier-a', id, 'handover',
	    { code: mine.handover_code });
	assert.equal(done.state, 'delivered');
	assert.ok(done.paid_at);
	assert.deepEqual(done.can, []);

	const end = await fire(p, ANNA, id, 'confirm');
	assert.deepEqual([end.state, end.can, end.deadline_at,
		end.handover_code], ['completed', [], null, null]);
	assert.deepEqual((await timeline(p, ANNA, id)).map((e) => [e.event,
		e.from_state, e.to_state, e.actor]), [
		['place', null, 'placed', 'owner'],
		['accept', 'placed', 'accepted', 'org'],
		['deliver', 'accepted', 'delivering', 'courier'],
		['handover', 'delivering', 'delivered', 'assignee'],
		['confirm', 'delivered', 'completed', 'owner']]);
	for (const e of await timeline(p, ANNA, id))
		assert.match(`${e.label}${e.state_label}${e.actor_label}`,
		    /^\p{Script=Han}+$/u);
	assert.ok(!p.log().some((line) => line.includes('code=' +
	    mine.handover_code)));
});

test('strangers see nothing and do nothing', async () => {
	const { id } = await place(p, anna);

	for (const who of ['resident-2', 'owner-b', 'courier-b', 'owner-d',
		'role-merchant', 'owner-z', 'admin-z', 'courier-z'])
		for (const [method, tail] of [['GET', ''],
			['GET', '/timeline'], ['POST', '/accept'],
			['POST', '/cancel']])
			await p.no(404, 'not_found', method,
			    `${ORDERS}/${id}${tail}`,
			    { as: await p.as(who) });
	// Those who watch over the community can only help it on.
	for (const who of ['role-admin', 'role-clerk', 'role-platform']) {
		assert.deepEqual((await see(p, who, id)).can,
		    ['reject', 'pass']);
		await fireRefused(p, who, id, 'accept', 403, 'forbidden');
		await fireRefused(p, who, id, 'cancel', 403, 'forbidden');
	}
	await fireRefused(p, ANNA, id, 'accept', 403, 'forbidden');
	await fireRefused(p, 'owner-a', id, 'cancel', 403, 'forbidden');
	await fireRefused(p, 'courier-a', id, 'accept', 403, 'forbidden');
	assert.equal((await timeline(p, ANNA, id)).length, 1);
});

test('an event in the wrong state changes nothing', async () => {
	const { id } = await place(p, anna);
	const wrong = (who, event, body) => fireRefused(p, who, id, event,
	    409, 'state_conflict', body);

	await wrong('owner-a', 'deliver');
	await wrong('owner-a', 'assign', { courier_id: '5003' });
	await wrong(ANNA, 'confirm');
	await fire(p, 'owner-a', id, 'accept');
	await wrong('owner-a', 'accept');
	await wrong('owner-a', 'pass', { reason: '忙' });
	await fire(p, ANNA, id, 'cancel');
	for (const event of ['accept', 'reject', 'deliver', 'fail'])
		await wrong('owner-a', event, { reason: '忙' });
	await wrong(ANNA, 'cancel');
	await wrong(ANNA, 'confirm');
	assert.deepEqual(await can('owner-a', id), []);
});

test('events that there are not, and those of the platform', async () => {
	const { id } = await place(p, anna);

	for (const event of ['steal', 'place', 'supervise', 'expire',
		'complete', 'ACCEPT', 'accept%20', 'a'.repeat(65)])
		await p.no(404, 'not_found', 'POST',
		    `${ORDERS}/${id}/${event}`,
		    { as: await p.as('owner-a'), body: {} });
	await fireRefused(p, 'owner-a', id, 'accept', 422, 'invalid_field',
	    { state: 'completed' });
	assert.equal((await see(p, ANNA, id)).state, 'placed');
});

test('two at the same instant: one moves it, one is told', async () => {
	for (let round = 0; round < 10; round++) {
		const { id } = await place(p, anna);
		const sends = [['owner-a', 'accept', {}],
			[ANNA, 'cancel', {}],
			['clerk-a', 'reject', { reason: '忙' }]];
		const all = await Promise.all(sends.map(async ([who, event,
			body]) => p.call('POST', `${ORDERS}/${id}/${event}`,
		    { as: await p.as(who), body })));
		const yes = all.filter((r) => r.status === 200);
		// Cancel is possible after accept as well.
		const states = (await timeline(p, ANNA, id))
		    .map((e) => e.event).join();
		assert.equal(yes.length, states.split(',').length - 1);
		assert.match(states,
		    /^place,(accept(,cancel|,reject)?|cancel|reject)$/);
		for (const r of all.filter((one) => one.status !== 200))
			assert.match(`${r.status} ${r.json.code}`,
			    /^409 (conflict|state_conflict)$/);
	}
	const { id } = await place(p, anna);
	const both = await Promise.all(['owner-a', 'clerk-a'].map(async (who) =>
	    p.call('POST', `${ORDERS}/${id}/accept`,
		{ as: await p.as(who), body: {} })));
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
});

test('cancelled and rejected orders give their barrels back', async () => {
	const before = await stock(p, BIG);
	const one = await place(p, anna, { items: [[BIG, 3]] });
	const two = await place(p, anna, { items: [[BIG, 4]] });

	assert.equal(await stock(p, BIG), before - 7);
	await fire(p, ANNA, one.id, 'cancel', { reason: '不在家' });
	assert.equal(await stock(p, BIG), before - 4);
	const no = await fireRefused(p, 'owner-a', two.id, 'reject', 422,
	    'invalid_field');
	assert.equal(no.fields[0].field, 'reason');
	await fireRefused(p, 'owner-a', two.id, 'reject', 422,
	    'invalid_field', { reason: '  ' });
	const rejected = await fire(p, 'owner-a', two.id, 'reject',
	    { reason: '车坏了 🚚' });
	assert.deepEqual([rejected.state, rejected.reason],
	    ['rejected', '车坏了 🚚']);
	assert.equal(await stock(p, BIG), before);
	await Promise.all([1, 2, 3].map(async () => p.call('POST',
	    `${ORDERS}/${one.id}/cancel`, { as: anna, body: {} })));
	assert.equal(await stock(p, BIG), before);
});

test('a wrong code five times locks it, and the owner confirms', async () => {
	const { id, handover_code: code } = await delivering(p, anna);

	for (let left = 4; left >= 1; left--) {
		const no = await fireRefused(p, 'courier-a', id, 'handover',
		    422, 'invalid_field', { code: other(code) });
		assert.equal(no.fields[0].code, 'wrong');
		assert.match(no.fields[0].detail, new RegExp(` ${left} 次`));
		assert.equal(await p.value('SELECT code_tries FROM' +
		    ` water_order WHERE id = ${id}`), String(5 - left));
	}
	await fireRefused(p, 'courier-a', id, 'handover', 409, 'locked',
	    { code: other(code) });
	await fireRefused(p, 'courier-a', id, 'handover', 409, 'locked',
	    { code });
	assert.equal((await see(p, 'courier-a', id)).state, 'delivering');
	assert.equal((await timeline(p, ANNA, id)).length, 3);
	assert.equal((await fire(p, ANNA, id, 'confirm')).state,
	    'completed');
});

test('many guesses at once are five guesses', async () => {
	const { id, handover_code: code } = await delivering(p, anna);
	const guesses = Array.from({ length: 40 }, (_, i) =>
	    String(i).padStart(4, '0')).filter((one) => one !== code);
	const courier = await p.as('courier-a');
	const all = await Promise.all(guesses.map((one) => p.call('POST',
	    `${ORDERS}/${id}/handover`, { as: courier,
		body: { code: one } })));

	assert.equal(all.filter((r) => r.status === 422).length, 4);
	assert.equal(all.filter((r) => r.status === 409).length,
	    guesses.length - 4);
});

test('a code that is none is not counted', async () => {
	const { id, handover_code: code } = await delivering(p, anna);

	for (const bad of [undefined, '', '12', '12345', 1234, null])
		await fireRefused(p, 'courier-a', id, 'handover', 422,
		    'invalid_field', { code: bad });
	for (const who of ['courier-a2', 'owner-a'])
		await fireRefused(p, who, id, 'handover', 403, 'forbidden',
		    { code });
	assert.equal((await fire(p, 'courier-a', id, 'handover', { code }))
	    .state, 'delivered');
});

test('nobody home: back to accepted, and a new code', async () => {
	const first = await delivering(p, anna);

	await fireRefused(p, 'courier-a', first.id, 'fail', 422,
	    'invalid_field');
	assert.equal((await fire(p, 'courier-a', first.id, 'fail',
	    { reason: '无人应门' })).state, 'accepted');
	await p.sql('UPDATE water_order SET code_tries = 4' +
	    ` WHERE id = ${first.id}`);
	// Setting out again is no way to more tries; the station's word is.
	const tries = () => p.value('SELECT code_tries FROM water_order' +
	    ` WHERE id = ${first.id}`);
	await fire(p, 'courier-a', first.id, 'deliver');
	assert.equal(await tries(), '4');
	await fire(p, 'owner-a', first.id, 'fail', { reason: '改约' });
	await fire(p, 'owner-a', first.id, 'deliver');
	assert.equal(await tries(), '0');
	assert.ok((await timeline(p, ANNA, first.id)).some((e) =>
	    e.event === 'fail' && e.note === '无人应门'));
});

test('an order is assigned to one courier', async () => {
	const { id } = await place(p, anna);
	const courier_id = (await p.as('courier-a2')).id;

	await fire(p, 'owner-a', id, 'accept');
	for (const [body, code] of [[{}, 'required'],
		[{ courier_id: (await p.as('courier-b')).id }, 'not_found'],
		[{ courier_id: anna.id }, 'not_found'],
		[{ courier_id: 'x' }, 'format']])
		assert.equal((await fireRefused(p, 'owner-a', id, 'assign',
		    422, 'invalid_field', body)).fields[0].code, code);
	await fireRefused(p, 'courier-a', id, 'assign', 403, 'forbidden',
	    { courier_id });
	await fire(p, 'owner-a', id, 'assign', { courier_id });
	await fireRefused(p, 'courier-a', id, 'deliver', 403, 'forbidden');
	assert.equal((await fire(p, 'courier-a2', id, 'deliver')).state,
	    'delivering');
});

test('the number in clear is for who brings it, and leaves a trace',
    async () => {
	const { id } = await place(p, anna);
	const look = async (who, status) => (await p.yes(status, 'POST',
	    `${ORDERS}/${id}/contact`, { as: await p.as(who), body: {} }));

	await look('owner-a', 409);
	await fire(p, 'owner-a', id, 'accept');
	await look('courier-a', 403);
	await look('courier-b', 404);
	await look(ANNA, 403);
	assert.deepEqual(await look('owner-a', 200), { contact: '张三',
		phone: anna.phone });
	await fire(p, 'courier-a', id, 'deliver');
	assert.equal((await look('courier-a', 200)).phone, anna.phone);
	assert.deepEqual((await timeline(p, ANNA, id)).filter((e) =>
	    e.event === 'contact').map((e) => e.actor), ['org', 'assignee']);
	assert.ok(!p.log().some((line) => line.includes(anna.phone)));
});

test('a station passes it on to the next one', async () => {
	const before = [await stock(p, BIG), await stock(p, BIG_B)];
	const { id } = await place(p, anna, { items: [[BIG, 2]] });

	await fireRefused(p, 'owner-a', id, 'pass', 422, 'invalid_field');
	const gone = await fire(p, 'owner-a', id, 'pass',
	    { reason: '今天忙' });
	assert.deepEqual([gone.state, gone.station_id, gone.can],
	    ['placed', B, []]);
	const mine = await see(p, ANNA, id);
	assert.deepEqual([mine.station_id, mine.total_fen,
		mine.items[0].product_id], [B, 3400, BIG_B]);
	assert.deepEqual([await stock(p, BIG), await stock(p, BIG_B)],
	    [before[0], before[1] - 2]);
	await p.no(404, 'not_found', 'GET', `${ORDERS}/${id}`,
	    { as: await p.as('owner-a') });
	await fireRefused(p, 'owner-b', id, 'pass', 409, 'state_conflict',
	    { reason: '也忙' });
	assert.equal((await fire(p, 'owner-b', id, 'accept')).state,
	    'accepted');
});

test('the desk ends what the station left lying', async () => {
	const { id } = await place(p, anna);

	await fireRefused(p, 'role-clerk', id, 'reject', 422,
	    'invalid_field');
	const o = await fire(p, 'role-clerk', id, 'reject',
	    { reason: '水站已停业' });
	assert.deepEqual([o.state, o.reason], ['rejected', '水站已停业']);
	const last = (await timeline(p, ANNA, id)).pop();
	assert.deepEqual([last.event, last.actor], ['reject', 'staff']);
});

test('passing on tells why', async () => {
	const { id } = await place(p, anna, { items: [[BIG, 1]] });

	await fireRefused(p, 'owner-a', id, 'pass', 422, 'invalid_field');
	await fire(p, 'role-admin', id, 'pass', { reason: '人手不够' });
	const last = (await timeline(p, ANNA, id)).pop();
	assert.equal(last.note, '已转给乙水站，原因：人手不够');
	await fire(p, ANNA, id, 'cancel');
});

test('what the owner confirms on the way is paid too', async () => {
	const { id } = await delivering(p, anna);
	const o = await fire(p, ANNA, id, 'confirm');

	assert.equal(o.state, 'completed');
	assert.notEqual(o.paid_at, null);
});

test('who comes is known, and others see that it is taken', async () => {
	const { id } = await place(p, anna);

	await fire(p, 'owner-a', id, 'accept');
	assert.equal((await see(p, ANNA, id)).courier, null);
	assert.ok((await see(p, 'courier-a2', id)).can.includes('deliver'));
	const courier = await p.as('courier-a');
	await fire(p, 'owner-a', id, 'assign', { courier_id: courier.id });
	const o = await see(p, ANNA, id);
	assert.equal(o.courier_id, courier.id);
	assert.equal(typeof o.courier, 'string');
	assert.ok(!(await see(p, 'courier-a2', id)).can.includes('deliver'));
	await fire(p, ANNA, id, 'cancel');
});
