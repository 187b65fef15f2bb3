// SPDX-License-Identifier: Apache-2.0
//
// 48-corrections -- what a resident wants put right in the roster.
import assert from 'node:assert/strict';

import { DAY, MINUTE, start, test, until } from './harness.mjs';
import { HERE, LOW, STAIRS } from './lib/fixture.mjs';
import { HOME_LAN, LAN } from './lib/people.mjs';

const p = await start();
const MINE = '/api/v1/me/corrections', DESK = '/api/v1/corrections';
const clerk = await p.as('clerk-1'), abroad = await p.as('admin-z');
const lan = await p.resident(1, { dwelling: null });
const other = await p.resident(2, { dwelling: null });
const HOME = '8801', ASKED = '8802';

function home(id, who, state, person, dwelling) {
	return p.sql('INSERT INTO home (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at,' +
	    ' dwelling_id, place, via, name, relation, tenancy,' +
	    ` household_id, person_id, payer) VALUES (${HERE}, ${id},` +
	    ` '${state}', 1, 0, ${who.id}, 0, '住址', 1, 1, ${dwelling},` +
	    ` '某处', 'phone', '某人', 'head', 'owned',` +
	    ` ${person ? HOME_LAN : 'NULL'}, ${person ?? 'NULL'}, 0)`);
}

await home(HOME, lan, 'bound', LAN, LOW);
await home(ASKED, lan, 'asked', null, STAIRS);

const ask = (body, as = lan) => p.yes(201, 'POST', MINE, { as,
	body: { home_id: HOME, field: 'phone', value: '13800001111', ...body } });
const waiting = async () => (await p.yes(200, 'GET', DESK, { as: clerk }))
    .items;

test('asked, looked at, put right, and told', async () => {
	const one = await ask({ note: '换了号码' });

	assert.deepEqual([one.state, one.field, one.person, one.can],
	    ['asked', 'phone', '李桂兰', ['withdraw']]);
	assert.ok(!JSON.stringify(one).includes('13800001111'));
	assert.ok(!(await p.value('SELECT value FROM correction'))
	    .includes('13800001111'));
	assert.deepEqual((await waiting()).map((c) => [c.id, c.can]),
	    [[one.id, ['accept', 'refuse']]]);
	const look = await p.yes(200, 'GET', `${DESK}/${one.id}`,
	    { as: clerk });
	assert.deepEqual([look.value, look.person_id], ['13800001111', LAN]);
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE' +
	    ` subject_id = ${LAN} AND action LIKE 'GET%corrections%'`), '1');
	// Asked twice is asked once.
	await p.no(409, 'conflict', 'POST', MINE, { as: lan, body: {
		home_id: HOME, field: 'phone', value: '13800002222' } });
	await p.yes(200, 'POST', `${DESK}/${one.id}/accept`, { as: clerk });
	assert.equal((await p.yes(200, 'GET', MINE, { as: lan })).items[0]
	    .state, 'done');
	assert.deepEqual(await waiting(), []);
	await p.no(409, 'state_conflict', 'POST', `${DESK}/${one.id}/accept`,
	    { as: clerk });
	await ask({});
});

test('refused with a reason, or taken back', async () => {
	const one = await ask({ field: 'name', value: '李桂蘭' });

	await p.no(422, 'invalid_field', 'POST', `${DESK}/${one.id}/refuse`,
	    { as: clerk });
	const done = await p.yes(200, 'POST', `${DESK}/${one.id}/refuse`,
	    { as: clerk, body: { reason: '与身份证不符' } });
	assert.deepEqual([done.state, done.reason],
	    ['refused', '与身份证不符']);
	const two = await ask({ field: 'name', value: '李桂蘭' });
	assert.equal((await p.yes(200, 'DELETE', `${MINE}/${two.id}`,
	    { as: lan })).state, 'withdrawn');
	await p.no(409, 'state_conflict', 'POST', `${DESK}/${two.id}/accept`,
	    { as: clerk });
});

test('whose it is not', async () => {
	const one = await ask({ field: 'sex', value: '女' });

	for (const home_id of [ASKED, '999'])
		await p.no(422, 'invalid_field', 'POST', MINE, { as: lan,
			body: { home_id, field: 'sex', value: '女' } });
	await p.no(422, 'invalid_field', 'POST', MINE, { as: other,
		body: { home_id: HOME, field: 'sex', value: '女' } });
	await p.no(422, 'invalid_field', 'POST', MINE, { as: lan,
		body: { home_id: HOME, field: 'shoe', value: '40' } });
	await p.no(422, 'invalid_field', 'POST', MINE, { as: lan,
		body: { home_id: HOME, field: 'other',
			value: '字'.repeat(101) } });
	await p.no(404, 'not_found', 'DELETE', `${MINE}/${one.id}`,
	    { as: other });
	await p.no(403, 'forbidden', 'GET', DESK, { as: lan });
	await p.no(404, 'not_found', 'GET', `${DESK}/${one.id}`,
	    { as: abroad });
	await p.no(404, 'not_found', 'POST', `${DESK}/${one.id}/accept`,
	    { as: abroad });
	assert.deepEqual((await p.yes(200, 'GET', DESK, { as: abroad }))
	    .items, []);
});

test('nobody forgets it', async () => {
	const { id } = await ask({ field: 'born', value: '1948-03-13' });

	p.clock.add(3 * DAY + MINUTE);
	await until(async () => (await p.yes(200, 'GET',
	    `${DESK}/${id}/timeline`, { as: await p.as('clerk-1',
		{ fresh: true }) })).items.some((e) => e.event === 'supervise'));
});

test('two answers at once: one counts', async () => {
	const admin = await p.as('role-admin', { fresh: true });
	const desk = await p.as('clerk-1', { fresh: true });
	const { id } = await ask({ field: 'tenancy', value: '租住' },
	    await p.as('resident-1', { fresh: true }));
	const replies = await Promise.all([
		p.call('POST', `${DESK}/${id}/accept`, { as: admin }),
		p.call('POST', `${DESK}/${id}/refuse`, { as: desk,
			body: { reason: '不符' } })]);

	assert.deepEqual(replies.map((r) => r.status).sort(), [200, 409]);
});
