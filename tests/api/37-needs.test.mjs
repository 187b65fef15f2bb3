// SPDX-License-Identifier: Apache-2.0
//
// 37-needs -- what somebody needs: sealed, asked once, found by its kind.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { HOME_LAN, JIANGUO, JING, LAN, MIN, MING } from './lib/people.mjs';

const p = await start({ jobs: false });
const PATH = '/api/v1/persons';
const clerk = await p.as('clerk-1'), grid = await p.as('grid-1');
const other = await p.as('grid-2'), head = await p.as('head-1');
const second = await p.as('head-2'), abroad = await p.as('grid-z');
const resident = await p.resident(1);

const SAID = { source: 'visit', ground: 'consent' };
const ids = async (as, query) => (await p.yes(200, 'GET',
    `${PATH}${query}`, { as })).items.map((one) => one.id);
const needs = async (as, id) => (await p.yes(200, 'GET', `${PATH}/${id}`,
    { as })).needs;
const add = (as, id, kind, more = {}) => p.yes(201, 'POST',
    `${PATH}/${id}/needs`, { as, body: { kind, ...SAID, ...more } });
const faults = async (id, body) => (await p.no(422, 'invalid_field', 'POST',
    `${PATH}/${id}/needs`, { as: clerk, body })).fields
    .map((f) => `${f.field} ${f.code}`);

test('a need has a source, a day and a ground', async () => {
	assert.deepEqual(await faults(JIANGUO, { ...SAID, kind: 'chronic',
		note: '高血压\n每天' }), ['note not_text']);
	const one = await add(head, JIANGUO, 'chronic',
	    { note: '高血压，"按时"吃药 \\ 每天', as_of: 20261001 });
	assert.deepEqual({ ...one, id: 0, created_at: 0 }, { id: 0,
		kind: 'chronic', note: '高血压，"按时"吃药 \\ 每天',
		derived: false, source: 'visit', ground: 'consent',
		as_of: 20261001, created_at: 0 });
	assert.deepEqual(await needs(grid, JIANGUO), [one]);
	const [row] = await p.sql('SELECT body, kind_index FROM need' +
	    ` WHERE id = ${one.id}`);
	assert.doesNotMatch(row.body + row.kind_index, /高血压|chronic/);
});

test('what must be said', async () => {
	assert.deepEqual(await faults(LAN, { kind: 'chronic' }),
	    ['source required', 'ground required']);
	assert.deepEqual(await faults(LAN, { ...SAID, kind: 'lonely' }),
	    ['kind not_listed']);
	assert.deepEqual(await faults(LAN, { ...SAID, kind: 'chronic',
		note: 'x'.repeat(201) }), ['note too_long']);
	assert.deepEqual(await faults(LAN, { ...SAID, kind: 'chronic',
		as_of: 20990101 }), ['as_of too_large']);
	const body = { ...SAID, kind: 'disabled' };
	for (const as of [other, second, abroad])
		await p.no(404, 'not_found', 'POST', `${PATH}/${LAN}/needs`,
		    { as, body });
	await p.no(404, 'not_found', 'POST', `${PATH}/${JING}/needs`,
	    { as: clerk, body });
	await p.no(403, 'forbidden', 'POST', `${PATH}/${LAN}/needs`,
	    { as: resident, body });
});

test('asked once: who asks again hears when it was said', async () => {
	const no = await p.no(409, 'conflict', 'POST', `${PATH}/${LAN}/needs`,
	    { as: head, body: { ...SAID, kind: 'alone' } });

	assert.match(no.detail, /2026年1月1日.*入户走访/);
	assert.equal((await needs(head, LAN)).length, 1);
});

test('the same need twice at once', async () => {
	const all = await Promise.all(Array.from({ length: 5 }, () =>
	    p.call('POST', `${PATH}/${LAN}/needs`, { as: clerk,
		body: { ...SAID, kind: 'low_income' } })));

	assert.deepEqual(all.map((r) => r.status).sort(),
	    [201, 409, 409, 409, 409]);
});

test('age needs no telling', async () => {
	const [child] = await needs(grid, MING);

	assert.deepEqual([child.kind, child.derived, child.id, child.source],
	    ['minor', true, null, 'roster']);
	for (const kind of ['over_80', 'minor'])
		await p.no(409, 'conflict', 'POST', `${PATH}/${MING}/needs`,
		    { as: grid, body: { ...SAID, kind } });
	const old = await p.yes(201, 'POST', PATH, { as: clerk, body: {
		...SAID, name: '赵老', born: 19400101,
		household_id: HOME_LAN, relation: 'sibling' } });
	assert.deepEqual(old.needs.map((n) => n.kind), ['over_80']);
	const unknown = await p.yes(201, 'POST', PATH, { as: clerk, body: {
		...SAID, name: '钱老', household_id: HOME_LAN,
		relation: 'other' } });
	assert.deepEqual(unknown.needs, []);
	await add(grid, unknown.id, 'over_80');
	assert.deepEqual(await ids(clerk, '?need=over_80'),
	    [old.id, unknown.id]);
	assert.deepEqual(await ids(head, '?need=over_80'),
	    [old.id, unknown.id]);
	assert.deepEqual(await ids(clerk,
	    `?need=over_80&household_id=${HOME_LAN}`), [old.id, unknown.id]);
	assert.deepEqual(await ids(other, '?need=over_80'), []);
});

test('the day somebody comes of age', async () => {
	const today = new Date(p.clock.now() + 8 * 3600_000);
	const day = (years, days) => {
		const d = new Date(today);
		d.setUTCDate(d.getUTCDate() + days);
		return (d.getUTCFullYear() - years) * 10000 +
		    (d.getUTCMonth() + 1) * 100 + d.getUTCDate();
	};
	const kinds = async (born) => (await p.yes(201, 'POST', PATH, {
		as: clerk, body: { ...SAID, name: '孙', born } })).needs
	    .map((n) => n.kind);

	assert.deepEqual(await kinds(day(80, 0)), ['over_80']);
	assert.deepEqual(await kinds(day(80, 1)), []);
	assert.deepEqual(await kinds(day(18, 0)), []);
	assert.deepEqual(await kinds(day(18, 1)), ['minor']);
	assert.deepEqual(await kinds(day(0, 0)), ['minor']);
});

test('found by kind, each in their own part', async () => {
	await add(other, MIN, 'disabled');
	await add(grid, JIANGUO, 'disabled');
	assert.deepEqual(await ids(clerk, '?need=alone'), [LAN]);
	assert.deepEqual(await ids(clerk, '?need=disabled'), [JIANGUO, MIN]);
	assert.deepEqual(await ids(grid, '?need=disabled'), [JIANGUO]);
	assert.deepEqual(await ids(other, '?need=disabled'), [MIN]);
	assert.deepEqual(await ids(clerk, '?need=pregnant'), []);
	assert.deepEqual(await ids(abroad, '?need=alone'), [JING]);
	const named = async (need) => (await p.yes(200, 'POST',
	    `${PATH}/search`, { as: clerk, body: { name: '王小明', need } }))
	    .items.map((one) => one.id);
	assert.deepEqual(await named('minor'), [MING]);
	assert.deepEqual(await named('alone'), []);
	assert.deepEqual((await p.no(422, 'invalid_field', 'GET',
	    `${PATH}?need=lonely`, { as: clerk })).fields.map((f) => f.code),
	    ['not_listed']);
});

test('a need ends, and may come again', async () => {
	const one = await add(grid, JIANGUO, 'pregnant');
	const where = `/api/v1/needs/${one.id}`;

	for (const as of [other, second, abroad])
		await p.no(404, 'not_found', 'DELETE', where, { as });
	await p.no(403, 'forbidden', 'DELETE', where, { as: resident });
	await p.yes(204, 'DELETE', where, { as: head });
	await p.no(404, 'not_found', 'DELETE', where, { as: head });
	assert.ok(!(await needs(grid, JIANGUO)).some((n) =>
	    n.kind === 'pregnant'));
	await add(grid, JIANGUO, 'pregnant');
	const rows = await p.sql('SELECT action, user_id FROM audit WHERE' +
	    ` thing = 'need' AND thing_id = ${one.id} ORDER BY seq`);
	assert.deepEqual(rows, [{ action: 'POST /api/v1/persons/{id}/needs',
		user_id: grid.id }, { action: 'DELETE /api/v1/needs/{id}',
		user_id: head.id }]);
});
