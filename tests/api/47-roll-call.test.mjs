// SPDX-License-Identifier: Apache-2.0
//
// 47-roll-call -- one question to every home, to the last silent door.
import assert from 'node:assert/strict';

import { HOUR, MINUTE, start, test, until } from './harness.mjs';
import { ABROAD, HERE, LOW, OUTSIDE, STAIRS, THERE }
    from './lib/fixture.mjs';
import { HOME_JING, HOME_LAN, HOME_MIN, HOME_WANG } from './lib/people.mjs';

const p = await start();
const PATH = '/api/v1/roll-calls';
const GRID = '6001', UNIT = '6101';
const clerk = await p.as('clerk-1'), head = await p.as('head-1');
const far = await p.as('head-2'), grid = await p.as('grid-1');
const abroad = await p.as('grid-z');
const lan = await p.resident(1, { dwelling: null });
const wang = await p.resident(2, { dwelling: null });
const nobody = await p.resident(3, { dwelling: null });
let homes = 8000;

// A home that was bound before the test.
function bind(who, community, dwelling, household) {
	return p.sql('INSERT INTO home (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at,' +
	    ' dwelling_id, place, via, name, relation, tenancy,' +
	    ` household_id, payer) VALUES (${community}, ${homes++}, 'bound',` +
	    ` 1, 0, ${who.id}, 0, '住址', 1, 1, ${dwelling}, '某处', 'phone',` +
	    ` '某人', 'head', 'owned', ${household}, 0)`);
}

await bind(lan, HERE, LOW, HOME_LAN);
await bind(wang, HERE, STAIRS, HOME_WANG);

const later = (ms) => new Date(p.clock.now() + ms).toISOString();
const question = '今晚停水，家里都好吗？';
const call = (as, more = {}) => p.yes(201, 'POST', PATH, { as, body: {
	question, scope: 'community', closes_at: later(4 * HOUR), ...more } });
const faults = async (as, more) => (await p.no(422, 'invalid_field', 'POST',
    PATH, { as, body: { question, scope: 'community',
	closes_at: later(4 * HOUR), ...more } })).fields
    .map((f) => `${f.field} ${f.code}`);
const answer = (as, id, body) => p.yes(200, 'POST',
    `${PATH}/${id}/answers`, { as, body });
const list = async (as, where) => (await p.yes(200, 'GET', where,
    { as })).items;
const homesOf = (as, id, query = '') => list(as,
    `${PATH}/${id}/homes${query}`);
const progress = async (as, id) => (await list(as, `${PATH}/${id}/progress`))
    .map((u) => [u.unit_id, u.homes, u.answered, u.alarms, u.silent]);
const told = async (who) => (await p.sql('SELECT template FROM outbox' +
    ` WHERE user_id = ${who.id} ORDER BY id`)).map((row) => row.template ??
    row[0] ?? row);

test('every home of the community is asked, and those at home are told',
    async () => {
	const one = await call(clerk);

	assert.equal(one.homes, 3);
	assert.equal(one.state, 'open');
	assert.deepEqual(one.can.sort(), ['cancel', 'close']);
	assert.deepEqual(one.choices.map((c) => c.code),
	    ['ok', 'water', 'help', 'away']);
	assert.equal((await told(lan)).length, 1);
	assert.equal((await told(nobody)).length, 0);
	assert.deepEqual((await list(lan, '/api/v1/me/roll-calls'))
	    .map((c) => [c.id, c.household_id, c.choice]),
	[[one.id, HOME_LAN, null]]);
	assert.deepEqual(await list(nobody, '/api/v1/me/roll-calls'), []);
	// A map of the whole for the office, one's own part for others.
	assert.deepEqual(await progress(clerk, one.id),
	    [[UNIT, 2, 0, 0, 2], ['6201', 1, 0, 0, 1]]);
	assert.deepEqual(await progress(grid, one.id),
	    [[UNIT, 2, 0, 0, 2]]);
	assert.deepEqual(await progress(far, one.id), []);
	await p.yes(200, 'POST', `${PATH}/${one.id}/cancel`, { as: clerk });
	assert.deepEqual(await list(lan, '/api/v1/me/roll-calls'), []);
});

test('answered by a tap, and again until it closes', async () => {
	const one = await call(clerk);

	const row = await answer(lan, one.id, { choice: 'ok' });
	assert.deepEqual([row.household_id, row.choice, row.alarm, row.via],
	    [HOME_LAN, 'ok', false, 'resident']);
	assert.deepEqual(await progress(head, one.id),
	    [[UNIT, 2, 1, 0, 1]]);
	await answer(lan, one.id, { choice: 'help', note: '腿摔了' });
	assert.deepEqual(await progress(head, one.id),
	    [[UNIT, 2, 1, 1, 1]]);
	assert.deepEqual((await homesOf(head, one.id, '?state=alarm'))
	    .map((h) => [h.contact, h.note]), [['李桂兰', '腿摔了']]);

	await p.no(422, 'invalid_field', 'POST', `${PATH}/${one.id}/answers`,
	    { as: lan, body: { choice: 'maybe' } });
	await p.no(422, 'invalid_field', 'POST', `${PATH}/${one.id}/answers`,
	    { as: lan, body: { choice: 'ok","label":"x' } });
	// Nobody answers for a neighbour, or without a home.
	await p.no(404, 'not_found', 'POST', `${PATH}/${one.id}/answers`,
	    { as: lan, body: { choice: 'ok', household_id: HOME_WANG } });
	await p.no(404, 'not_found', 'POST', `${PATH}/${one.id}/answers`,
	    { as: nobody, body: { choice: 'ok' } });
	await p.yes(200, 'POST', `${PATH}/${one.id}/close`, { as: clerk });
	await p.no(409, 'state_conflict', 'POST',
	    `${PATH}/${one.id}/answers`, { as: lan, body: { choice: 'ok' } });
});

test('the head goes to the silent and enters what was seen', async () => {
	const one = await call(grid, { scope: 'unit', scope_id: UNIT });

	assert.equal(one.homes, 2);
	await answer(lan, one.id, { choice: 'ok' });
	assert.deepEqual((await homesOf(head, one.id, '?state=silent'))
	    .map((h) => [h.household_id, h.contact]),
	[[HOME_WANG, '王建国']]);
	assert.deepEqual(await homesOf(far, one.id), []);
	await p.no(422, 'invalid_field', 'POST', `${PATH}/${one.id}/answers`,
	    { as: head, body: { choice: 'ok' } });
	await p.no(404, 'not_found', 'POST', `${PATH}/${one.id}/answers`,
	    { as: far, body: { choice: 'ok', household_id: HOME_WANG } });
	await p.no(404, 'not_found', 'POST', `${PATH}/${one.id}/answers`,
	    { as: head, body: { choice: 'ok', household_id: HOME_MIN } });
	const row = await answer(head, one.id, { choice: 'away',
		household_id: HOME_WANG, note: '邻居说去了贵阳' });
	assert.equal(row.via, 'staff');
	assert.deepEqual(await homesOf(head, one.id, '?state=silent'), []);
	// What the home said itself is changed only with a reason.
	await p.no(422, 'invalid_field', 'POST', `${PATH}/${one.id}/answers`,
	    { as: head, body: { choice: 'help', household_id: HOME_LAN } });
	await answer(head, one.id, { choice: 'help', household_id: HOME_LAN,
		note: '上门看到老人不舒服' });
	// And the home may speak for itself again.
	await answer(wang, one.id, { choice: 'ok' });
	assert.deepEqual(await progress(head, one.id),
	    [[UNIT, 2, 2, 1, 0]]);
	await p.yes(200, 'POST', `${PATH}/${one.id}/close`, { as: grid });
});

test('heads are told half-way, and it closes by itself', async () => {
	const one = await call(clerk, { scope: 'grid', scope_id: GRID,
		remind_at: later(HOUR), closes_at: later(2 * HOUR) });
	const before = (await told(head)).length;

	await answer(lan, one.id, { choice: 'ok' });
	p.clock.add(HOUR + MINUTE);
	await until(async () => (await told(head)).length === before + 1);
	assert.equal((await p.yes(200, 'GET', `${PATH}/${one.id}`,
	    { as: head })).state, 'open');
	p.clock.add(HOUR);
	await until(async () => (await p.yes(200, 'GET', `${PATH}/${one.id}`,
	    { as: head })).state === 'closed');
	assert.deepEqual((await list(clerk, `${PATH}/${one.id}/timeline`))
	    .map((e) => [e.event, e.actor]),
	[['start', 'owner'], ['remind', 'system'], ['expire', 'system']]);
	await p.no(409, 'state_conflict', 'POST', `${PATH}/${one.id}/close`,
	    { as: clerk });
});

test('who may ask whom', async () => {
	await p.no(403, 'forbidden', 'POST', PATH, { as: head, body: {
		question, scope: 'community', closes_at: later(HOUR) } });
	await p.no(403, 'forbidden', 'POST', PATH, { as: lan, body: {
		question, scope: 'community', closes_at: later(HOUR) } });
	assert.deepEqual(await faults(far, { scope: 'unit', scope_id: UNIT }),
	    ['scope_id not_found']);
	assert.deepEqual(await faults(grid, { scope: 'grid',
		scope_id: '6002' }), ['scope_id not_found']);
	assert.deepEqual(await faults(abroad, { scope: 'unit',
		scope_id: UNIT }), ['scope_id not_found']);
	const theirs = await call(abroad, { scope: 'grid', scope_id: '6301' });
	assert.equal(theirs.homes, 1);
	await p.no(404, 'not_found', 'GET', `${PATH}/${theirs.id}`,
	    { as: clerk });
	await p.no(404, 'not_found', 'POST', `${PATH}/${theirs.id}/answers`,
	    { as: lan, body: { choice: 'ok' } });
	await p.no(404, 'not_found', 'POST', `${PATH}/${theirs.id}/answers`,
	    { as: clerk, body: { choice: 'ok', household_id: HOME_JING } });
	assert.deepEqual((await homesOf(abroad, theirs.id))
	    .map((h) => h.household_id), [HOME_JING]);
});

test('a question that cannot be asked', async () => {
	assert.deepEqual(await faults(clerk, { question: '？' }),
	    ['question too_short']);
	assert.deepEqual(await faults(clerk, { question: '问'.repeat(61) }),
	    ['question too_long']);
	assert.deepEqual(await faults(clerk, { scope: 'grid' }),
	    ['scope_id required']);
	assert.deepEqual(await faults(clerk, { scope_id: GRID }),
	    ['scope_id unexpected']);
	assert.deepEqual(await faults(clerk, { closes_at: later(MINUTE) }),
	    ['closes_at out_of_range']);
	assert.deepEqual(await faults(clerk,
	    { closes_at: later(15 * 24 * HOUR) }),
	['closes_at out_of_range']);
	assert.deepEqual(await faults(clerk, { remind_at: later(5 * HOUR) }),
	    ['remind_at out_of_range']);
	const choice = (code) => ({ code, label: '好', alarm: false });
	assert.deepEqual(await faults(clerk, { choices: [choice('a')] }),
	    ['choices too_short']);
	assert.deepEqual(await faults(clerk,
	    { choices: [choice('a'), choice('a')] }),
	['choices[1].code twice']);
	assert.deepEqual(await faults(clerk,
	    { choices: [choice('a'), choice('A"')] }),
	['choices[1].code invalid']);
	const own = await call(clerk, { choices: [choice('yes'),
		{ code: 'no', label: '不好', alarm: true }] });
	assert.equal((await answer(lan, own.id, { choice: 'no' })).alarm, true);
	assert.equal((await answer(lan, own.id, { choice: 'yes' })).alarm,
	    false);
});

test('who to ask for: in clear to the head alone', async () => {
	const one = await call(clerk);
	const contacts = async (as) => (await homesOf(as, one.id))
	    .map((h) => h.contact);

	assert.deepEqual(await contacts(head), ['李桂兰', '王建国']);
	assert.deepEqual(await contacts(grid), ['李**', '王**']);
	assert.deepEqual(await contacts(clerk), ['李**', '王**', '张*']);
	// Whoever lives there is told of nobody.
	assert.equal((await answer(wang, one.id, { choice: 'ok' })).contact,
	    null);
	const home = { choice: 'ok', household_id: HOME_LAN };
	assert.equal((await answer(grid, one.id, home)).contact, '李**');
	assert.equal((await answer(head, one.id, home)).contact, '李桂兰');
	await p.yes(200, 'POST', `${PATH}/${one.id}/close`, { as: clerk });
});

test('all homes of all my calls, in one page', async () => {
	const MINE = '/api/v1/me/roll-calls';
	const asked = async () => (await list(wang, MINE))
	    .map((c) => `${c.id} ${c.household_id}`);
	const before = await asked();
	const made = [];

	await bind(wang, HERE, OUTSIDE, HOME_MIN);
	const both = (await asked()).length - before.length;
	for (let i = 0; i < 11; i++)
		made.unshift((await call(clerk)).id);
	const reply = await p.yes(200, 'GET', MINE, { as: wang });
	assert.equal(reply.next, null);
	assert.deepEqual((await asked()).slice(0, 22), made.flatMap((id) =>
	    [`${id} ${HOME_WANG}`, `${id} ${HOME_MIN}`]));
	assert.equal((await asked()).length, before.length + both + 22);
	// Closed ones stay for 30 days, open ones until they close.
	for (const id of made)
		await p.yes(200, 'POST', `${PATH}/${id}/close`, { as: clerk });
	const age = (id, days) => p.sql('UPDATE roll_call SET updated_at =' +
	    ` ${p.clock.now() - days * 24 * HOUR} WHERE id = ${id}`);
	await age(made[0], 29);
	await age(made[1], 31);
	const left = (await asked()).map((row) => row.split(' ')[0]);
	assert.ok(left.includes(made[0]));
	assert.ok(!left.includes(made[1]));
	const open = await call(clerk);
	await age(open.id, 31);
	assert.equal((await asked())[0], `${open.id} ${HOME_WANG}`);
	await p.sql('UPDATE home SET state = \'left\' WHERE owner_id =' +
	    ` ${wang.id} AND household_id = ${HOME_MIN}`);
});

// One writer at a time is SQLite's own; PostgreSQL has to be told.
test('an answer that meets the close comes before it or not at all',
    { skip: p.kind !== 'postgresql' }, async () => {
	const one = await call(clerk);
	const waits = (what) => until(async () => (await p.value(
	    'SELECT COUNT(*) FROM pg_stat_activity WHERE ' + what)) !== '0');

	const closing = p.sql('BEGIN; UPDATE roll_call SET state =' +
	    ` 'closed', deadline_at = NULL WHERE id = ${one.id};` +
	    ' SELECT pg_sleep(1.5); COMMIT');
	await waits("wait_event = 'PgSleep'");
	await p.no(409, 'state_conflict', 'POST', `${PATH}/${one.id}/answers`,
	    { as: lan, body: { choice: 'ok' } });
	await closing;
	assert.deepEqual((await progress(head, one.id))[0],
	    [UNIT, 2, 0, 0, 2]);

	// Answers do not wait for one another.
	const two = await call(clerk);
	const holding = p.sql('BEGIN; SELECT state FROM roll_call WHERE id' +
	    ` = ${two.id} FOR SHARE; SELECT pg_sleep(1.5); COMMIT`);
	await waits("wait_event = 'PgSleep'");
	await answer(lan, two.id, { choice: 'ok' });
	await waits("wait_event = 'PgSleep'");
	await p.yes(200, 'POST', `${PATH}/${two.id}/close`, { as: clerk });
	await holding;
});

test('fifty answers at once are all counted once', async () => {
	const one = await call(clerk);

	await Promise.all(Array.from({ length: 50 }, (_, i) => answer(
	    i % 2 ? lan : wang, one.id, { choice: i % 3 ? 'ok' : 'water' })));
	assert.deepEqual((await progress(clerk, one.id)).map((u) =>
	    [u[0], u[1], u[2], u[4]]), [[UNIT, 2, 2, 0], ['6201', 1, 0, 1]]);
});
