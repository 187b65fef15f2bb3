// SPDX-License-Identifier: Apache-2.0
//
// 48-two-posts -- who holds two posts gets at each home what the post there
// gives, and no more by having the other.
import assert from 'node:assert/strict';

import { HOUR, start, test } from './harness.mjs';
import { GRID, HERE, K2, LIFT, LOW, OTHER_GRID, OUTSIDE, UNIT, UNIT_LIFT }
    from './lib/fixture.mjs';
import { HOME_LAN, HOME_MIN, JIANGUO, LAN, MIN, MING, numberOf }
    from './lib/people.mjs';

const p = await start({ jobs: false });
const PERSONS = '/api/v1/persons', HOMES = '/api/v1/households';
const CALLS = '/api/v1/roll-calls';
const SAID = { source: 'visit', ground: 'duty' };
const why = '核对本人信息';
let made = 0;

// Somebody with posts [role, scope, the scope's id].
async function holder(...posts) {
	const id = 5900 + ++made, openid = `holder-${made}`;

	await p.sql('INSERT INTO app_user (id, openid, name, community_id,' +
	    ` created_at, updated_at) VALUES (${id}, '${openid}',` +
	    ` '${openid}', ${HERE}, 1, 1)`);
	for (const role of new Set(posts.map((post) => post[0])))
		await p.sql('INSERT INTO user_role (community_id, user_id,' +
		    ` role, granted_at) VALUES (${HERE}, ${id}, '${role}', 1)`);
	for (const [i, [role, scope, at]] of posts.entries())
		await p.sql('INSERT INTO post (community_id, id, user_id,' +
		    ' name, role, scope, scope_id, from_at, created_at)' +
		    ` VALUES (${HERE}, ${id * 10 + i}, ${id}, '${openid}',` +
		    ` '${role}', '${scope}', ${at}, 0, 1)`);
	return p.as(openid);
}

const list = async (as, where) => (await p.yes(200, 'GET', where,
    { as })).items;
const ids = async (as, where = PERSONS) => (await list(as, where))
    .map((one) => one.id);
const one = async (as, id) => (await list(as, PERSONS))
    .find((row) => row.id === id);
const file = (as, id) => p.yes(200, 'GET', `${PERSONS}/${id}`, { as });
const found = async (as, body) => (await p.yes(200, 'POST',
    `${PERSONS}/search`, { as, body })).items.map((row) => row.id);
const look = (as, id, field) => [`${PERSONS}/${id}/clear-look`,
	{ as, body: { field, reason: why } }];

const gate = await holder(['head', 'unit', UNIT_LIFT],
    ['property', 'compound', K2]);
const both = await holder(['grid', 'grid', OTHER_GRID],
    ['head', 'unit', UNIT]);
const desk = await holder(['clerk', 'community', 0], ['head', 'unit', UNIT]);
const here = await holder(['grid', 'grid', GRID], ['head', 'unit', UNIT]);
const helps = await holder(['head', 'unit', UNIT_LIFT],
    ['party', 'grid', OTHER_GRID], ['party', 'unit', UNIT]);

test('a gatekeeper who is head elsewhere reads nobody at the gate',
    async () => {
	assert.deepEqual(await ids(gate), []);
	assert.deepEqual(await ids(gate, HOMES), []);
	for (const path of [PERSONS, HOMES])
		assert.deepEqual(await ids(gate,
		    `${path}?dwelling_id=${OUTSIDE}`), []);
	assert.deepEqual(await found(gate, { phone: '13900007004' }), []);
	await p.no(404, 'not_found', 'GET', `${PERSONS}/${MIN}`, { as: gate });
	await p.no(404, 'not_found', 'GET', `${HOMES}/${HOME_MIN}`,
	    { as: gate });
	await p.no(404, 'not_found', 'POST', ...look(gate, MIN, 'phone'));
	await p.no(404, 'not_found', 'POST', `${PERSONS}/${MIN}/needs`,
	    { as: gate, body: { ...SAID, kind: 'chronic' } });
	// What is for property staff, and for heads, is for both.
	for (const id of [OUTSIDE, LIFT])
		await p.yes(200, 'GET', `/api/v1/dwellings/${id}/duty`,
		    { as: gate });
	await p.no(404, 'not_found', 'GET', `/api/v1/dwellings/${LOW}/duty`,
	    { as: gate });
});

test('head here and grid worker there: names here, numbers there',
    async () => {
	assert.deepEqual(await ids(both), [LAN, JIANGUO, MING, MIN]);
	const lan = await one(both, LAN), min = await one(both, MIN);

	assert.deepEqual([lan.name, lan.id_mask], ['李桂兰', null]);
	assert.equal(min.name, '张*');
	assert.match(min.id_mask, /^5\d{5}\*{8}\d{3}[\dX]$/);
	assert.equal((await file(both, LAN)).id_mask, null);
	assert.equal((await file(both, MIN)).id_mask, min.id_mask);

	await p.no(403, 'forbidden', 'POST', ...look(both, LAN, 'id_number'));
	assert.equal((await p.yes(200, 'POST', ...look(both, LAN, 'phone')))
	    .value, '13900007001');
	assert.equal((await p.yes(200, 'POST', ...look(both, MIN,
	    'id_number'))).value, numberOf(MIN));
	assert.deepEqual(await found(both, { id_number: numberOf(LAN) }), []);
	assert.deepEqual(await found(both, { id_number: numberOf(MIN) }),
	    [MIN]);
	assert.deepEqual(await found(both, { phone: '13900007001' }), [LAN]);
});

test('a head writes nobody, whatever they are elsewhere', async () => {
	const body = { ...SAID, name: '李桂花' };

	await p.no(404, 'not_found', 'PATCH', `${PERSONS}/${LAN}`,
	    { as: both, body });
	await p.no(404, 'not_found', 'PATCH', `${HOMES}/${HOME_LAN}`,
	    { as: both, body: { ...SAID, tenancy: 'lent' } });
	await p.no(404, 'not_found', 'DELETE',
	    `${HOMES}/${HOME_LAN}/members/${LAN}`, { as: both });
	const new_one = { ...SAID, name: '钱八', relation: 'other' };
	assert.deepEqual((await p.no(422, 'invalid_field', 'POST', PERSONS,
	    { as: both, body: { ...new_one, household_id: HOME_LAN } }))
	    .fields.map((f) => `${f.field} ${f.code}`),
	['household_id not_found']);
	await p.yes(200, 'PATCH', `${PERSONS}/${MIN}`,
	    { as: both, body: { ...SAID, sex: 'female' } });
	await p.yes(201, 'POST', `${PERSONS}/${LAN}/needs`,
	    { as: both, body: { ...SAID, kind: 'chronic' } });
});

test('households: names by the post there', async () => {
	const contacts = (await list(both, HOMES)).map((h) => h.contact);
	const members = async (as, id) => (await p.yes(200, 'GET',
	    `${HOMES}/${id}`, { as })).members.map((m) => m.name);

	assert.deepEqual(contacts, ['李桂兰', '王建国', '张*']);
	assert.deepEqual(await members(both, HOME_LAN), ['李桂兰']);
	assert.deepEqual(await members(both, HOME_MIN), ['张*']);
	assert.deepEqual(await members(await p.as('grid-1'), HOME_LAN),
	    ['李**']);
});

test('both posts at one home: each gives what it gives', async () => {
	const lan = await one(here, LAN);

	assert.equal(lan.name, '李桂兰');
	assert.match(lan.id_mask, /^5\d{5}\*{8}/);
	assert.deepEqual(await ids(here), [LAN, JIANGUO, MING]);
	assert.equal((await one(desk, LAN)).name, '李桂兰');
	assert.equal((await one(desk, MIN)).name, '张*');
	assert.match((await one(desk, LAN)).id_mask, /^5\d{5}\*{8}/);
});

test('a volunteer of a grid is not its grid worker', async () => {
	for (const path of [PERSONS, HOMES])
		assert.deepEqual(await ids(helps, path), []);
	const call = await p.yes(201, 'POST', CALLS, { as: desk, body: {
		question: '今晚停水，家里都好吗？', scope: 'community',
		closes_at: new Date(p.clock.now() + HOUR).toISOString() } });
	const units = async (as) => (await list(as,
	    `${CALLS}/${call.id}/progress`)).map((u) => u.unit_id);

	assert.deepEqual(await units(desk), [UNIT, '6201']);
	assert.deepEqual(await units(both), [UNIT, '6201']);
	assert.deepEqual(await units(helps), []);
	assert.deepEqual(await units(gate), []);
	assert.deepEqual((await list(both, `${CALLS}/${call.id}/homes`))
	    .map((h) => h.contact), ['李桂兰', '王建国', '张*']);
	assert.deepEqual(await list(helps, `${CALLS}/${call.id}/homes`), []);
});
