// SPDX-License-Identifier: Apache-2.0
//
// 36-persons -- who lives where: lists, search, files, the clear look, and
// what each of the staff may see.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { GRID, GRID_Z, LIFT, LOW, OTHER_GRID, OTHER_UNIT, OUTSIDE, STAIRS,
	ABROAD, UNIT } from './lib/fixture.mjs';
import { citizen, HOME_JING, HOME_LAN, HOME_MIN, HOME_WANG, JIANGUO, JING,
	LAN, MIN, MING, numberOf } from './lib/people.mjs';

const p = await start({ jobs: false });
const PATH = '/api/v1/persons', HOMES = '/api/v1/households';
const clerk = await p.as('clerk-1'), grid = await p.as('grid-1');
const other = await p.as('grid-2'), head = await p.as('head-1');
const second = await p.as('head-2'), abroad = await p.as('grid-z');
const resident = await p.resident(1);

const SAID = { source: 'visit', ground: 'duty' };
const list = async (as, query = '', path = PATH) =>
	(await p.yes(200, 'GET', `${path}${query}`, { as })).items;
const ids = async (as, query, path) => (await list(as, query, path))
    .map((one) => one.id);
const file = (as, id) => p.yes(200, 'GET', `${PATH}/${id}`, { as });
const faults = async (method, where, body, as = clerk) =>
    (await p.no(422, 'invalid_field', method, where, { as, body })).fields
	.map((f) => `${f.field} ${f.code}`);
const found = async (as, body) => (await p.yes(200, 'POST',
    `${PATH}/search`, { as, body })).items.map((one) => one.id);

test('each sees their own part of the community', async () => {
	assert.deepEqual(await ids(clerk), [LAN, JIANGUO, MING, MIN]);
	assert.deepEqual(await ids(grid), [LAN, JIANGUO, MING]);
	assert.deepEqual(await ids(other), [MIN]);
	assert.deepEqual(await ids(head), [LAN, JIANGUO, MING]);
	assert.deepEqual(await ids(second), []);
	assert.deepEqual(await ids(abroad), [JING]);
	await p.no(403, 'forbidden', 'GET', PATH, { as: resident });
});

test('lists are masked; a head knows names and no number', async () => {
	const [lan] = await list(clerk);

	assert.deepEqual(lan, { id: LAN, household_id: HOME_LAN,
		dwelling_id: LOW, place: '山水小区1栋1单元101室',
		sex: 'female', born: 19480312, phone_mask: '139****7001',
		name: '李**', id_mask: '522501********' +
		    numberOf(LAN).slice(-4) });
	const [own] = await list(head);
	assert.deepEqual(own, { ...lan, name: '李桂兰', id_mask: null });
	for (const as of [clerk, grid, head]) {
		const text = JSON.stringify(await list(as));
		assert.doesNotMatch(text, /1390000|19480312\d{4}/);
	}
});

test('a filter by place', async () => {
	assert.deepEqual(await ids(clerk, `?dwelling_id=${STAIRS}`),
	    [JIANGUO, MING]);
	assert.deepEqual(await ids(clerk, `?household_id=${HOME_LAN}`), [LAN]);
	assert.deepEqual(await ids(clerk, `?unit_id=${UNIT}`),
	    [LAN, JIANGUO, MING]);
	assert.deepEqual(await ids(clerk, `?grid_id=${OTHER_GRID}`), [MIN]);
	assert.deepEqual(await ids(grid, `?grid_id=${GRID}`),
	    [LAN, JIANGUO, MING]);
	// What is another's is empty, not told.
	assert.deepEqual(await ids(grid, `?grid_id=${OTHER_GRID}`), []);
	assert.deepEqual(await ids(grid, `?dwelling_id=${OUTSIDE}`), []);
	assert.deepEqual(await ids(head, `?unit_id=${OTHER_UNIT}`), []);
	assert.deepEqual(await ids(clerk, `?dwelling_id=${ABROAD}`), []);
	assert.deepEqual(await ids(clerk, `?grid_id=${GRID_Z}`), []);
	assert.deepEqual(await faults('GET',
	    `${PATH}?grid_id=${GRID}&unit_id=${UNIT}`),
	    ['grid_id one_only']);
});

test('search by full value only', async () => {
	const number = numberOf(LAN);

	for (const phone of ['13900007001', '+86 139 0000 7001',
		'１３９００００７００１'])
		assert.deepEqual(await found(clerk, { phone }), [LAN]);
	assert.deepEqual(await found(clerk, { id_number: number }), [LAN]);
	assert.deepEqual(await found(clerk, { id_number:
	    number.toLowerCase() }), [LAN]);
	assert.deepEqual(await found(clerk, { name: '李桂兰' }), [LAN]);
	assert.deepEqual(await found(clerk, { name: '李' }), []);
	assert.deepEqual(await found(clerk, { id_type: 'passport',
		id_number: number }), []);
	assert.deepEqual(await found(other, { phone: '13900007001' }),
	    []);
	assert.deepEqual(await found(clerk, { phone: '13900007101' }),
	    []);
	assert.deepEqual(await found(abroad, { phone: '13900007101' }),
	    [JING]);
	await p.no(403, 'forbidden', 'POST', `${PATH}/search`,
	    { as: head, body: { id_number: number } });
	await p.no(403, 'forbidden', 'POST', `${PATH}/search`,
	    { as: resident, body: { name: '李桂兰' } });
	const no = (body) => faults('POST', `${PATH}/search`, body);
	for (const phone of ['1390000700', '139****7001', '139000070011'])
		assert.deepEqual(await no({ phone }), ['phone format']);
	assert.deepEqual(await no({}), ['phone required']);
	assert.deepEqual(await no({ need: 'alone' }), ['phone required']);
	assert.deepEqual(await no({ phone: '13900007001', name: '李桂兰' }),
	    ['phone one_only']);
	// Addresses are written into logs.
	for (const [name, value] of [['phone', '13900007001'],
		['id_number', number], ['id_type', 'passport'],
		['name', 'x']])
		assert.deepEqual(await faults('GET',
		    `${PATH}?${name}=${value}`), [`${name} unknown`]);
});

test('a search goes by need too, in pages, and leaves no deed', async () => {
	const deeds = async () => Number(await p.value('SELECT COUNT(*)' +
	    ' FROM audit'));
	const before = await deeds();
	const page = (body) => p.yes(200, 'POST', `${PATH}/search`,
	    { as: clerk, body });

	await p.sql(`UPDATE person SET name = '李桂兰' WHERE id = ${MIN}`);
	const one = await page({ name: '李桂兰', limit: 1 });
	assert.deepEqual(one.items.map((row) => row.id), [LAN]);
	const two = await page({ name: '李桂兰', limit: 1,
		after: one.next });
	assert.deepEqual([two.items.map((row) => row.id), two.next],
	    [[MIN], null]);
	assert.deepEqual(await found(clerk, { name: '李桂兰',
		need: 'alone' }), [LAN]);
	await p.sql(`UPDATE person SET name = '张敏' WHERE id = ${MIN}`);
	// A page of the list is none of the search.
	const list = await p.yes(200, 'GET', `${PATH}?limit=1`,
	    { as: clerk });
	assert.deepEqual(await faults('POST', `${PATH}/search`,
	    { name: '李桂兰', after: list.next }), ['after format']);
	assert.equal(await deeds(), before);
});

test('pages do not lose anybody', async () => {
	const seen = [];
	let after = '';

	for (;;) {
		const { items, next } = await p.yes(200, 'GET',
		    `${PATH}?limit=3${after}`, { as: clerk });
		seen.push(...items.map((one) => one.id));
		if (next === null)
			break;
		assert.equal(items.length, 3);
		after = `&after=${next}`;
	}
	assert.deepEqual(seen, await ids(clerk));
});

test('a file: where each fact is from, and of which day', async () => {
	const lan = await file(grid, LAN);

	assert.equal(lan.name, '李桂兰');
	assert.equal(lan.phone_mask, '139****7001');
	assert.equal(lan.place, '山水小区1栋1单元101室');
	assert.deepEqual(lan.facts.find((one) => one.field === 'phone'),
	    { field: 'phone', source: 'roster', ground: 'duty',
		as_of: 20260101 });
	assert.deepEqual(lan.homes.map((h) => [h.household_id, h.relation,
		h.to_at]), [[HOME_LAN, 'head', null]]);
	assert.deepEqual(lan.needs.map((n) => [n.kind, n.note, n.derived]),
	    [['alone', '儿子在贵阳', false]]);
	assert.equal((await file(head, LAN)).id_mask, null);
	for (const as of [other, second])
		await p.no(404, 'not_found', 'GET', `${PATH}/${LAN}`, { as });
	await p.no(404, 'not_found', 'GET', `${PATH}/${JING}`, { as: clerk });
	await p.no(404, 'not_found', 'GET', `${PATH}/${LAN}`, { as: abroad });
	await p.no(403, 'forbidden', 'GET', `${PATH}/${LAN}`,
	    { as: resident });
});

const looks = (id) => p.sql('SELECT user_id, action, reason FROM audit' +
    ` WHERE community_id = 101 AND subject_id = ${id} ORDER BY seq`);

test('opening a file is written down', async () => {
	const before = (await looks(MING)).length;

	await file(grid, MING);
	const rows = await looks(MING);
	assert.equal(rows.length, before + 1);
	assert.equal(rows.at(-1).user_id, grid.id);
	assert.equal(rows.at(-1).action, 'GET /api/v1/persons/{id}');
	// A list, and what was refused, are no looks at a person.
	await list(grid);
	await p.no(404, 'not_found', 'GET', `${PATH}/${MING}`,
	    { as: other });
	assert.equal((await looks(MING)).length, before + 1);
});

const look = (as, id, field, reason = '上门送药前联系') =>
	p.yes(200, 'POST', `${PATH}/${id}/clear-look`,
	    { as, body: { field, reason } });

test('a clear value takes a reason, and leaves it', async () => {
	const seen = await look(clerk, LAN, 'phone');

	assert.equal(seen.value, '13900007001');
	assert.equal(seen.left, 59);
	assert.deepEqual((await looks(LAN)).at(-1), { user_id: clerk.id,
		action: 'POST /api/v1/persons/{id}/clear-look',
		reason: '上门送药前联系' });
	assert.equal((await look(grid, LAN, 'id_number')).value,
	    numberOf(LAN));
	assert.equal((await look(head, LAN, 'phone')).value, '13900007001');
});

test('no clear value without right or reason', async () => {
	const where = `${PATH}/${LAN}/clear-look`;
	const before = (await looks(LAN)).length;
	const body = { field: 'phone', reason: '上门送药前联系' };

	assert.deepEqual(await faults('POST', where, { field: 'phone' }),
	    ['reason required']);
	assert.deepEqual(await faults('POST', where, { ...body,
		reason: ' 看看 ' }), ['reason too_short']);
	assert.deepEqual(await faults('POST', where, { ...body,
		field: 'name' }), ['field not_listed']);
	await p.no(404, 'not_found', 'POST', where, { as: other, body });
	await p.no(404, 'not_found', 'POST', where, { as: abroad, body });
	await p.no(403, 'forbidden', 'POST', where,
	    { as: head, body: { ...body, field: 'id_number' } });
	await p.no(403, 'forbidden', 'POST', where, { as: resident, body });
	await p.no(404, 'not_found', 'POST', `${PATH}/${MING}/clear-look`,
	    { as: clerk, body });
	assert.equal((await looks(LAN)).length, before);
});

test('a kept reply does not hold a clear value', async () => {
	const call = () => p.yes(200, 'POST', `${PATH}/${LAN}/clear-look`, {
		as: clerk, headers: { 'idempotency-key': 'look-0001' },
		body: { field: 'phone', reason: '上门送药前联系' } });
	const [one, two] = [await call(), await call()];

	assert.equal(one.left - two.left, 1);
	assert.deepEqual(await p.sql('SELECT 1 AS one FROM idempotency' +
	    " WHERE reply LIKE '%13900007001%'"), []);
});

test('sixty looks a day, then a second person', async () => {
	await p.sql('UPDATE look_count SET looks = 59' +
	    ` WHERE user_id = ${grid.id}`);
	assert.equal((await look(grid, LAN, 'phone')).left, 0);
	const no = await p.no(429, 'rate_limited', 'POST',
	    `${PATH}/${LAN}/clear-look`, { as: grid,
		body: { field: 'phone', reason: '上门送药前联系' } });
	assert.match(no.detail, /另一位工作人员/);
	await look(clerk, LAN, 'phone');
});

const fresh = { name: '赵一', ...SAID };
let turn = 0;
const number = () => citizen(`520402198001${String(++turn % 28 + 1)
    .padStart(2, '0')}${String(turn + 100)}`);

test('a person entered, with where it was learned', async () => {
	const id_number = number();
	const one = await p.yes(201, 'POST', PATH, { as: grid, body: {
		...fresh, id_number, phone: '１３９ ００００ ８００１',
		household_id: HOME_WANG, relation: 'parent',
		as_of: 20260901, source: 'self', ground: 'consent' } });

	assert.equal(one.sex, Number(id_number[16]) % 2 ? 'male' : 'female');
	assert.equal(String(one.born), id_number.slice(6, 14));
	assert.equal(one.phone_mask, '139****8001');
	assert.equal(one.dwelling_id, STAIRS);
	assert.deepEqual([one.source, one.ground, one.as_of],
	    ['self', 'consent', 20260901]);
	assert.deepEqual(one.facts.map((f) => f.as_of),
	    Array(5).fill(20260901));
	assert.deepEqual(await found(clerk, { phone: '13900008001' }),
	    [one.id]);
	const [row] = await p.sql('SELECT id_number, phone FROM person' +
	    ` WHERE id = ${one.id}`);
	assert.ok(!row.id_number.includes(id_number));
	assert.doesNotMatch(row.phone, /13900008001/);
});

test('what must be said', async () => {
	assert.deepEqual(await faults('POST', PATH, { name: '赵一' }),
	    ['source required', 'ground required']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh, name: ' ' }),
	    ['name too_short']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		ground: 'because' }), ['ground not_listed']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		as_of: 20260230 }), ['as_of format']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		as_of: 20990101 }), ['as_of too_large']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		born: 20261301 }), ['born format']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		phone: '1390000800' }), ['phone format']);
	assert.deepEqual(await faults('POST', PATH, fresh, grid),
	    ['household_id required']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		household_id: HOME_LAN }), ['relation required']);
	for (const household_id of [HOME_MIN, HOME_JING, '1'])
		assert.deepEqual(await faults('POST', PATH, { ...fresh,
			household_id, relation: 'child' }, grid),
		    ['household_id not_found']);
	await p.no(403, 'forbidden', 'POST', PATH, { as: head, body: fresh });
	await p.no(403, 'forbidden', 'POST', PATH,
	    { as: resident, body: fresh });
});

test('numbers that cannot be, each by its reason', async () => {
	const bad = [['520403', 'id_length'], ['110105491231002', 'id_old'],
		['A1010519491231002X', 'id_digits'],
		['110105194912310021', 'id_check'],
		['520499190013010001', 'id_date'],
		['520499202602309998', 'id_date'],
		[citizen('52040220000101000'), 'id_serial'],
		[citizen('52040220990101001'), 'id_future'],
		[citizen('52040218500101001'), 'id_age']];

	for (const [id_number, code] of bad) {
		const no = await p.no(422, 'invalid_field', 'POST', PATH,
		    { as: clerk, body: { ...fresh, id_number } });
		assert.deepEqual(no.fields.map((f) => `${f.field} ${f.code}`),
		    [`id_number ${code}`]);
		assert.ok(!JSON.stringify(no).includes(id_number));
	}
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		id_number: numberOf(MIN), sex: 'male' }), ['sex mismatch']);
	assert.deepEqual(await faults('POST', PATH, { ...fresh,
		id_number: numberOf(MIN), born: 19910908 }),
	    ['born mismatch']);
	for (const id_number of ['E123', 'E12345É', 'E'.repeat(21)])
		assert.deepEqual(await faults('POST', PATH, { ...fresh,
			id_type: 'passport', id_number }),
		    ['id_number format'], id_number);
});

test('numbers as people type them, and other documents', async () => {
	const add = (body) => p.yes(201, 'POST', PATH, { as: clerk,
		body: { ...fresh, ...body } });
	const x = await add({ id_number: '１１０１０５１９４９１２３１００２ｘ' });

	assert.equal(x.id_mask, '110105********002X');
	assert.equal(x.notice, null);
	assert.deepEqual(await found(clerk, {
		id_number: '11010519491231002X' }), [x.id]);
	const strange = await add({ id_number:
	    citizen('52049919800101001') });
	assert.match(strange.notice, /地区代码/);
	const permit = await add({ id_type: 'permit',
		id_number: citizen('81000019800101001') });
	assert.equal(permit.notice, null);
	const passport = await add({ id_type: 'passport',
		id_number: ' e1234 5678 ' });
	assert.deepEqual([passport.id_mask, passport.born],
	    ['E****8', null]);
	assert.deepEqual(await found(clerk, { id_type: 'passport',
		id_number: 'E12345678' }), [passport.id]);
});

test('one number, one person; nobody is told whose', async () => {
	const no = await p.no(409, 'conflict', 'POST', PATH, { as: clerk,
		body: { ...fresh, id_number: numberOf(MIN) } });

	assert.deepEqual(no.fields.map((f) => `${f.field} ${f.code}`),
	    ['id_number taken']);
	assert.doesNotMatch(JSON.stringify(no), /张|7004|91090/);
	// The other community has its own roster.
	await p.yes(201, 'POST', PATH, { as: clerk,
		body: { ...fresh, id_number: numberOf(JING) } });
	await p.no(409, 'conflict', 'PATCH', `${PATH}/${LAN}`, { as: clerk,
		body: { ...SAID, id_number: numberOf(MIN) } });
});

test('one number by two clerks at once', async () => {
	const id_number = number();
	const all = await Promise.all(Array.from({ length: 6 }, () =>
	    p.call('POST', PATH, { as: clerk,
		body: { ...fresh, id_number } })));

	assert.deepEqual(all.map((r) => r.status).sort(),
	    [201, 409, 409, 409, 409, 409]);
});

test('a correction keeps the source of each field', async () => {
	const where = `${PATH}/${MIN}`;
	const now = await p.yes(200, 'PATCH', where, { as: other, body: {
		phone: '13900008004', source: 'self', ground: 'consent',
		as_of: 20261001 } });
	const of = (name) => now.facts.find((f) => f.field === name);

	assert.equal(now.phone_mask, '139****8004');
	assert.deepEqual(of('phone'), { field: 'phone', source: 'self',
		ground: 'consent', as_of: 20261001 });
	assert.equal(of('name').source, 'roster');
	assert.deepEqual(await found(clerk, { phone: '13900007004' }),
	    []);
	const none = await p.yes(200, 'PATCH', where, { as: other,
		body: { ...SAID, phone: null } });
	assert.equal(none.phone_mask, null);
	assert.deepEqual(await faults('PATCH', where,
	    { phone: '13900007004' }), ['source required',
		'ground required']);
	assert.deepEqual(await faults('PATCH', where, { ...SAID,
		born: 19910908 }), ['born mismatch']);
	assert.deepEqual(await faults('PATCH', where, { ...SAID,
		sex: 'male' }), ['sex mismatch']);
	for (const as of [grid, abroad])
		await p.no(404, 'not_found', 'PATCH', where,
		    { as, body: { ...SAID, name: '赵' } });
	await p.no(403, 'forbidden', 'PATCH', `${PATH}/${LAN}`,
	    { as: head, body: { ...SAID, name: '赵' } });
	assert.equal((await file(clerk, MIN)).name, '张敏');
	await p.yes(200, 'PATCH', where, { as: clerk,
		body: { ...SAID, phone: '13900007004' } });
});

test('who has died is in no list, and the number is free', async () => {
	const id_number = number();
	const one = await p.yes(201, 'POST', PATH, { as: clerk, body: {
		...fresh, id_number, household_id: HOME_WANG,
		relation: 'grandparent' } });
	const where = `${PATH}/${one.id}`;

	await p.no(403, 'forbidden', 'PATCH', where,
	    { as: grid, body: { ...SAID, gone: true } });
	const gone = await p.yes(200, 'PATCH', where,
	    { as: clerk, body: { ...SAID, gone: true } });
	assert.ok(gone.gone_at);
	assert.ok(gone.homes[0].to_at);
	assert.ok(!(await ids(clerk)).includes(one.id));
	await p.no(404, 'not_found', 'PATCH', where,
	    { as: clerk, body: { ...SAID, name: '赵' } });
	await p.no(404, 'not_found', 'GET', where, { as: grid });
	await p.yes(201, 'POST', PATH, { as: clerk,
		body: { ...fresh, id_number } });
});

// --- households --------------------------------------------------------

const home = (as, id) => p.yes(200, 'GET', `${HOMES}/${id}`, { as });

test('households, each their own', async () => {
	const all = await list(clerk, '', HOMES);

	assert.deepEqual(all.map((h) => h.id),
	    [HOME_LAN, HOME_WANG, HOME_MIN]);
	assert.equal(all[0].people, 1);
	assert.equal(all[0].contact, '李**');
	assert.equal(all[0].contact_phone_mask, '139****7001');
	assert.equal((await list(head, '', HOMES))[0].contact, '李桂兰');
	assert.deepEqual(await ids(other, '', HOMES), [HOME_MIN]);
	assert.deepEqual(await ids(grid, `?unit_id=${UNIT}`, HOMES),
	    [HOME_LAN, HOME_WANG]);
	assert.deepEqual(await ids(clerk, `?dwelling_id=${LOW}`, HOMES),
	    [HOME_LAN]);
	assert.deepEqual(await ids(grid, `?grid_id=${OTHER_GRID}`, HOMES),
	    []);
	const one = await home(head, HOME_WANG);
	assert.deepEqual(one.members.slice(0, 2).map((m) => [m.person_id,
		m.relation, m.name]), [[JIANGUO, 'head', '王建国'],
		[MING, 'child', '王小明']]);
	assert.equal((await home(grid, HOME_WANG)).members[1].name, '王**');
	for (const as of [other, second, abroad])
		await p.no(404, 'not_found', 'GET', `${HOMES}/${HOME_WANG}`,
		    { as });
	await p.no(403, 'forbidden', 'GET', HOMES, { as: resident });
});

test('a household is made where a dwelling is', async () => {
	const body = { ...SAID, dwelling_id: LIFT, tenancy: 'rented' };
	const one = await p.yes(201, 'POST', HOMES, { as: grid, body });

	assert.deepEqual([one.number, one.tenancy, one.members.length,
		one.source], ['1', 'rented', 0, 'visit']);
	const no = await p.no(409, 'conflict', 'POST', HOMES,
	    { as: grid, body });
	assert.deepEqual(no.fields.map((f) => f.field), ['number']);
	await p.yes(201, 'POST', HOMES, { as: grid,
		body: { ...body, number: '2' } });
	for (const dwelling_id of [ABROAD, '1000', '9'])
		assert.deepEqual(await faults('POST', HOMES,
		    { ...body, dwelling_id }), ['dwelling_id not_found']);
	assert.deepEqual(await faults('POST', HOMES, { ...body,
		dwelling_id: OUTSIDE }, grid), ['dwelling_id not_found']);
	assert.deepEqual(await faults('POST', HOMES, { dwelling_id: LIFT }),
	    ['tenancy required', 'source required', 'ground required']);
	await p.no(403, 'forbidden', 'POST', HOMES, { as: head, body });
});

test('moving in, moving on, moving out', async () => {
	const [next] = await ids(clerk, `?dwelling_id=${LIFT}`, HOMES);
	const one = await p.yes(201, 'POST', PATH, { as: grid, body: {
		...fresh, household_id: HOME_WANG, relation: 'tenant' } });
	const body = { person_id: one.id, relation: 'head', moves: true };
	const where = `${HOMES}/${next}/members`;

	await p.yes(200, 'PATCH', `${HOMES}/${HOME_WANG}`, { as: grid,
		body: { ...SAID, contact_id: one.id } });
	await p.no(404, 'not_found', 'POST', where, { as: other, body });
	const there = await p.yes(201, 'POST', where, { as: grid, body });
	assert.deepEqual(there.members.map((m) => m.person_id), [one.id]);
	assert.equal((await file(grid, one.id)).dwelling_id, LIFT);
	assert.equal((await home(grid, HOME_WANG)).contact_id, null);
	assert.ok(!(await home(grid, HOME_WANG)).members.some((m) =>
	    m.person_id === one.id));
	await p.no(409, 'conflict', 'POST', where, { as: grid, body });
	for (const person_id of [MIN, JING, '1'])
		assert.deepEqual(await faults('POST', where,
		    { ...body, person_id }, grid), ['person_id not_found']);
	await p.no(404, 'not_found', 'DELETE', `${where}/${one.id}`,
	    { as: other });
	await p.yes(204, 'DELETE', `${where}/${one.id}`, { as: grid });
	await p.no(404, 'not_found', 'DELETE', `${where}/${one.id}`,
	    { as: grid });
	await p.no(404, 'not_found', 'GET', `${PATH}/${one.id}`,
	    { as: grid });
	assert.equal((await file(clerk, one.id)).dwelling_id, null);
});

test('two homes: both parts answer for the person', async () => {
	const one = await p.yes(201, 'POST', PATH, { as: clerk, body: {
		...fresh, household_id: HOME_WANG, relation: 'other' } });

	await p.no(404, 'not_found', 'GET', `${PATH}/${one.id}`,
	    { as: other });
	await p.yes(201, 'POST', `${HOMES}/${HOME_MIN}/members`, { as: clerk,
		body: { person_id: one.id, relation: 'carer' } });
	assert.equal((await file(other, one.id)).homes.length, 2);
	assert.equal((await file(grid, one.id)).dwelling_id, OUTSIDE);
	await p.yes(204, 'DELETE', `${HOMES}/${HOME_MIN}/members/${one.id}`,
	    { as: other });
	assert.equal((await file(grid, one.id)).dwelling_id, STAIRS);
});

test('where somebody lives is kept, whoever writes the rows', async () => {
	const at = () => p.value('SELECT dwelling_id FROM person' +
	    ` WHERE id = ${JIANGUO}`);

	assert.equal(await at(), STAIRS);
	await p.sql(`UPDATE household SET dwelling_id = ${LIFT},` +
	    ` number = '8' WHERE id = ${HOME_WANG}`);
	assert.equal(await at(), LIFT);
	await p.sql('INSERT INTO member (community_id, household_id,' +
	    ` person_id, from_at, relation) VALUES (101, ${HOME_LAN},` +
	    ` ${JIANGUO}, 9999999999999, 'carer')`);
	assert.equal(await at(), LOW);
	await p.sql(`DELETE FROM member WHERE household_id = ${HOME_LAN}` +
	    ` AND person_id = ${JIANGUO}`);
	assert.equal(await at(), LIFT);
	await p.sql(`UPDATE household SET dwelling_id = ${STAIRS},` +
	    ` number = '1' WHERE id = ${HOME_WANG}`);
	assert.equal(await at(), STAIRS);
});

test('tenancy and contact; a whole household leaves', async () => {
	const where = `${HOMES}/${HOME_MIN}`;
	const now = await p.yes(200, 'PATCH', where, { as: other,
		body: { ...SAID, tenancy: 'lent', as_of: 20261111 } });

	assert.deepEqual([now.tenancy, now.contact_id, now.as_of],
	    ['lent', MIN, 20261111]);
	assert.deepEqual(await faults('PATCH', where, { ...SAID,
		contact_id: LAN }), ['contact_id not_found']);
	assert.deepEqual(await faults('PATCH', where, { tenancy: 'lent' }),
	    ['source required', 'ground required']);
	await p.no(404, 'not_found', 'PATCH', where,
	    { as: grid, body: { ...SAID, tenancy: 'owned' } });
	const left = await p.yes(200, 'PATCH', where, { as: other,
		body: { ...SAID, moved_out: true } });
	assert.ok(left.to_at);
	assert.deepEqual(left.members, []);
	assert.deepEqual(await ids(other), []);
	assert.deepEqual(await ids(other, '', HOMES), []);
	await p.no(409, 'state_conflict', 'PATCH', where,
	    { as: other, body: { ...SAID, tenancy: 'owned' } });
	await p.no(409, 'state_conflict', 'POST', `${where}/members`,
	    { as: clerk, body: { person_id: LAN, relation: 'head' } });
	assert.ok((await file(clerk, MIN)).homes[0].to_at);
});

test('nobody moves into a household that moves out', async () => {
	for (let i = 0; i < 6; i++) {
		const house = await p.yes(201, 'POST', HOMES, { as: clerk,
			body: { ...SAID, dwelling_id: LIFT,
				number: `r${i}`, tenancy: 'owned' } });
		const one = await p.yes(201, 'POST', PATH,
		    { as: clerk, body: fresh });
		const where = `${HOMES}/${house.id}`;
		const all = await Promise.all([
			p.call('PATCH', where, { as: clerk,
				body: { ...SAID, moved_out: true } }),
			p.call('POST', `${where}/members`, { as: clerk,
				body: { person_id: one.id,
					relation: 'head' } }),
			p.call('POST', PATH, { as: clerk, body: { ...fresh,
				household_id: house.id,
				relation: 'other' } })]);
		assert.equal(all[0].status, 200, all[0].text);
		for (const r of all.slice(1))
			assert.match(String(r.status), /^(201|409|422)$/,
			    r.text);
		assert.equal(await p.value('SELECT COUNT(*) FROM member' +
		    ` WHERE household_id = ${house.id} AND to_at IS NULL`),
		    '0');
	}
});

test('what was done is in the audit by its thing', async () => {
	const rows = await p.sql('SELECT DISTINCT action FROM audit' +
	    " WHERE thing IN ('person', 'household', 'phone')");

	assert.deepEqual(rows.map((row) => row.action).sort(), [
		'DELETE /api/v1/households/{id}/members/{person_id}',
		'GET /api/v1/persons/{id}',
		'PATCH /api/v1/households/{id}',
		'PATCH /api/v1/persons/{id}',
		'POST /api/v1/households',
		'POST /api/v1/households/{id}/members',
		'POST /api/v1/persons',
		'POST /api/v1/persons/{id}/clear-look']);
});
