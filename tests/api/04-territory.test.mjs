// SPDX-License-Identifier: Apache-2.0
//
// 04-territory -- communities for all, places for those inside.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { HERE, K1, LOW, STAIRS, THERE } from './lib/fixture.mjs';

const p = await start();
const anna = await p.resident(1, { dwelling: null });

const children = async (parent, as = anna) => (await p.yes(200, 'GET',
    `/api/v1/territory${parent ? `?parent=${parent}` : ''}`, { as })).items;

test('communities are public', async () => {
	const { items, next } = await p.yes(200, 'GET',
	    '/api/v1/communities');

	assert.equal(next, null);
	assert.deepEqual(items.map((one) => one.id).sort(), [HERE, THERE]);
	const here = items.find((one) => one.id === HERE);
	assert.deepEqual(here, { id: HERE, code: '520403001001',
		name: '此处社区', township: '中心街道', lat: 26.25,
		lng: 105.92 });
	assert.equal(items.find((one) => one.id === THERE).lat, null);
});

test('from the compound down to the dwelling', async () => {
	const compounds = await children();
	const buildings = await children(K1);
	const entrances = await children(buildings[0].id);
	const dwellings = await children(entrances[0].id);

	assert.deepEqual(compounds.map((one) => [one.name, one.kind]),
	    [['山水小区', 'compound'], ['远山小区', 'compound']]);
	assert.equal(compounds[0].parent_id, null);
	assert.deepEqual(buildings.map((one) => [one.name, one.parent_id]),
	    [['1栋', K1], ['2栋', K1]]);
	assert.deepEqual(entrances.map((one) => one.kind), ['entrance']);
	assert.deepEqual(dwellings.map((one) =>
	    [one.id, one.full_name, one.floor, one.lift]),
	    [[LOW, '山水小区1栋1单元101室', 1, false],
		[STAIRS, '山水小区1栋1单元601室', 6, false]]);
	assert.deepEqual(await children(LOW), []);
});

test('another community\'s places are not to be had', async () => {
	const zoe = await p.resident(2, { community: THERE,
		dwelling: null });

	assert.deepEqual((await children(null, zoe)).map((one) => one.name),
	    ['邻家小区']);
	assert.equal((await children('2000', zoe)).length, 1);
	assert.deepEqual(await children(K1, zoe), []);
	assert.deepEqual(await children('2000'), []);
	assert.deepEqual(await children('999999'), []);
});

test('a parent that is no id', async () => {
	for (const bad of ['x', '-1', '1.5', '1e3', '',
		'99999999999999999999', '%ff', '0x10'])
		await p.no(422, 'invalid_field', 'GET',
		    `/api/v1/territory?parent=${bad}`, { as: anna });
	for (const bad of ['parent=%00', 'parent=%zz',
		'parent=1&parent=2'])
		await p.no(400, 'malformed', 'GET',
		    `/api/v1/territory?${bad}`, { as: anna });
	await p.no(422, 'invalid_field', 'GET',
	    '/api/v1/territory?community_id=102', { as: anna });
});

test('without a session there are no places', () =>
    p.no(401, 'no_session', 'GET', '/api/v1/territory'));
