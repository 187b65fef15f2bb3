// SPDX-License-Identifier: Apache-2.0
//
// 05-address -- where my water goes.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { ABROAD, K1, LIFT, LOW, OUTSIDE, STAIRS } from './lib/fixture.mjs';

const p = await start();
const anna = await p.resident(1, { dwelling: null });
const bert = await p.resident(2, { dwelling: null });
const PATH = '/api/v1/me/addresses';

const add = (as, body) => p.yes(201, 'POST', PATH, { as, body });
const list = async (as) => (await p.yes(200, 'GET', PATH, { as })).items;
const faults = async (method, where, body, as = anna) =>
    (await p.no(422, 'invalid_field', method, where, { as, body })).fields
	.map((f) => `${f.field} ${f.code}`);

const sound = { dwelling_id: LOW, contact: '张三', phone: '13912345678' };

test('an address points to a dwelling', async () => {
	const one = await add(anna, { ...sound, label: '门口有狗 🐕' });

	assert.deepEqual({ ...one, id: 0, created_at: 0 }, { id: 0,
		dwelling_id: LOW, place: '山水小区1栋1单元101室', floor: 1,
		lift: false, contact: '张三', phone: '139****5678',
		label: '门口有狗 🐕', is_default: true, created_at: 0 });
	assert.deepEqual(await list(anna), [one]);
	assert.deepEqual(await list(bert), []);
});

test('one at most is the default, and it stands first', async () => {
	const second = await add(anna, { ...sound, dwelling_id: STAIRS });
	const third = await add(anna, { ...sound, dwelling_id: LIFT,
		is_default: true });

	assert.equal(second.is_default, false);
	assert.deepEqual((await list(anna)).map((a) => [a.dwelling_id,
		a.is_default]), [[LIFT, true], [LOW, false],
		[STAIRS, false]]);
	await p.yes(200, 'PATCH', `${PATH}/${second.id}`,
	    { as: anna, body: { is_default: true } });
	assert.deepEqual((await list(anna)).map((a) => [a.dwelling_id,
		a.is_default]), [[STAIRS, true], [LOW, false],
		[LIFT, false]]);
	assert.equal(third.lift, true);
});

test('the same dwelling twice', async () => {
	await p.no(409, 'conflict', 'POST', PATH, { as: anna, body: sound });
	// Another person may live there too.
	await add(bert, sound);
});

test('a dwelling that cannot be mine', async () => {
	for (const id of ['999', ABROAD, K1])
		assert.deepEqual(await faults('POST', PATH,
		    { ...sound, dwelling_id: id }),
		    ['dwelling_id not_found'], id);
});

test('faults of the form, all together', async () => {
	assert.deepEqual(await faults('POST', PATH, {}),
	    ['dwelling_id required', 'contact required']);
	assert.deepEqual(await faults('POST', PATH, { dwelling_id: 1,
		contact: '', phone: '123', label: 'x'.repeat(31),
		is_default: 'yes', floor: 3 }), ['floor unknown',
		'dwelling_id type', 'contact too_short', 'phone format',
		'label too_long', 'is_default type']);
	for (const phone of ['1391234567', '139123456789', '03912345678',
		'１３９１２３４５６７', '', 'abc', '1391234567\u0000'])
		assert.match((await faults('POST', PATH,
		    { ...sound, phone })).join(), /^phone /, phone);
});

test('numbers as people write them', async () => {
	for (const phone of ['139 1234 5678', '139-1234-5678',
		'+86 13912345678', '+8613912345678']) {
		const a = await add(bert, { ...sound, dwelling_id: LIFT,
			phone });
		assert.equal(a.phone, '139****5678', phone);
		await p.yes(204, 'DELETE', `${PATH}/${a.id}`, { as: bert });
	}
});

test('the number that WeChat vouched for, when none is given', async () => {
	const bare = { dwelling_id: STAIRS, contact: '李四' };

	assert.deepEqual(await faults('POST', PATH, bare, bert),
	    ['phone required']);
	await p.yes(200, 'POST', '/api/v1/me/phone', { as: bert, body: {
		code: await p.wx.phoneCode('13800001111') } });
	assert.equal((await add(bert, bare)).phone, '138****1111');
});

test('changing one', async () => {
	const [first] = await list(anna);
	const where = `${PATH}/${first.id}`;
	const now = await p.yes(200, 'PATCH', where, { as: anna, body: {
		contact: '王五', phone: '13711112222', label: '' } });

	assert.deepEqual(now, { ...first, contact: '王五',
		phone: '137****2222', label: '' });
	assert.deepEqual(await p.yes(200, 'PATCH', where,
	    { as: anna, body: {} }), now);
	assert.deepEqual(await faults('PATCH', where,
	    { dwelling_id: LOW, id: '1' }), ['dwelling_id unknown',
		'id unknown']);
	assert.deepEqual(await faults('PATCH', where, { contact: null }),
	    ['contact null']);
});

test('another\'s address is absent', async () => {
	const [hers] = await list(anna);

	for (const id of [hers.id, '1', '0', '-1', 'x',
		'9223372036854775808', '%ff', '1'.repeat(80)]) {
		await p.no(404, 'not_found', 'PATCH', `${PATH}/${id}`,
		    { as: bert, body: { contact: '我' } });
		await p.no(404, 'not_found', 'DELETE', `${PATH}/${id}`,
		    { as: bert });
	}
	assert.equal((await list(anna))[0].contact, hers.contact);
});

test('a removed one is gone, and its dwelling free again', async () => {
	const [first] = await list(anna);
	const where = `${PATH}/${first.id}`;

	await p.yes(204, 'DELETE', where, { as: anna });
	await p.no(404, 'not_found', 'DELETE', where, { as: anna });
	await p.no(404, 'not_found', 'PATCH', where,
	    { as: anna, body: { contact: '我' } });
	assert.ok(!(await list(anna)).some((a) => a.id === first.id));
	await add(anna, { ...sound, dwelling_id: first.dwelling_id });
});

test('numbers lie sealed in the database', async () => {
	const rows = await p.sql('SELECT phone FROM address');

	assert.ok(rows.length >= 4);
	for (const { phone } of rows)
		assert.doesNotMatch(phone, /1[3-9]\d{9}/);
	assert.equal(new Set(rows.map((row) => row.phone)).size,
	    rows.length, 'equal numbers look equal');
});

test('twenty at most', async () => {
	const carl = await p.resident(3, { dwelling: null });
	const many = Array.from({ length: 21 }, (_, i) => 8000 + i);

	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES ' + many.map((id) =>
	    `(101, ${id}, 1002, 'dwelling', 1000, 'n${id}', 'n', ${id})`)
		.join());
	for (const id of many.slice(0, 20))
		await add(carl, { ...sound, dwelling_id: String(id) });
	await p.no(409, 'conflict', 'POST', PATH, { as: carl, body: {
		...sound, dwelling_id: String(many[20]) } });
	assert.equal((await list(carl)).length, 20);
});

test('a query or a body where none belongs', async () => {
	await p.no(422, 'invalid_field', 'GET', `${PATH}?limit=5`,
	    { as: anna });
	await p.no(400, 'malformed', 'GET', PATH, { as: anna, raw: '{}' });
	assert.equal((await list(anna)).filter((a) =>
	    a.dwelling_id === OUTSIDE).length, 0);
});
