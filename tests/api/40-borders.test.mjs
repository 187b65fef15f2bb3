// SPDX-License-Identifier: Apache-2.0
//
// 40-borders -- borders redrawn: preview, applied from a day on, undone.
import assert from 'node:assert/strict';

import { DAY, HOUR, start, test } from './harness.mjs';
import { ABROAD, GRID, GRID_Z, LIFT, LOW, OTHER_GRID, OTHER_UNIT, OUTSIDE,
    STAIRS, UNIT, UNIT_LIFT, UNIT_Z } from './lib/fixture.mjs';
import { LAN } from './lib/people.mjs';

const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const clerk = await p.as('clerk-1');
const worker = await p.as('grid-1');
const other = await p.as('grid-2');
const BORDERS = '/api/v1/borders';

const home = (id, to_id) => ({ kind: 'dwelling', id, to_id });
const unit = (id, to_id) => ({ kind: 'unit', id, to_id });
const draft = (...moves) => p.yes(201, 'POST', BORDERS, { as: admin,
	body: { title: '调整', moves } });
const refuse = async (...moves) => (await p.no(422, 'invalid_field', 'POST',
    BORDERS, { as: admin, body: { title: '调整', moves } })).fields
	.map((f) => `${f.field} ${f.code}`);
const preview = ({ id }) => p.yes(200, 'GET', `${BORDERS}/${id}/preview`,
    { as: clerk });
const post = (id, what, body = {}) => p.call('POST',
    `${BORDERS}/${id}/${what}`, { as: admin, body });
// A day in China, `n` days from now.
const day = (n) => new Date(p.clock.now() + 8 * HOUR + n * DAY)
    .toISOString().slice(0, 10);
async function apply({ id }, n) {
	const r = await post(id, 'apply', { on: day(n) });

	assert.equal(r.status, 200, r.text);
	return r.json;
}
async function undo({ id }) {
	const r = await post(id, 'undo');

	assert.equal(r.status, 200, r.text);
	return r.json;
}
async function where(id, at) {
	const one = await p.yes(200, 'GET', `/api/v1/dwellings/${id}/duty` +
	    (at ? `?at=${encodeURIComponent(new Date(at).toISOString())}` :
		''), { as: clerk });

	return `${one.grid_code} ${one.unit_code}`;
}
const rows = () => p.sql('SELECT * FROM unit_dwelling' +
    ' ORDER BY dwelling_id, from_at');
const unitRows = () => p.sql('SELECT * FROM unit_grid' +
    ' ORDER BY unit_id, from_at');

test('a draft moves nothing and shows what it would', async () => {
	const before = await rows();
	const d = await draft(home(STAIRS, UNIT_LIFT), unit(OTHER_UNIT, GRID));

	assert.deepEqual([d.state, d.move_count, d.applies_at, d.by_name],
	    ['draft', 2, null, 'role-admin']);
	assert.deepEqual(d.moves.map((m) => [m.kind, m.id, m.from_id,
		m.to_id, m.from_name, m.to_name]), [
		['dwelling', STAIRS, UNIT, UNIT_LIFT, '第一联户', '第二联户'],
		['unit', OTHER_UNIT, OTHER_GRID, GRID, '第二网格',
			'第一网格']]);
	const shown = await preview(d);
	assert.deepEqual(shown.units.map((u) => [u.code, u.homes_before,
		u.homes_after]), [['01-01', 2, 1], ['01-02', 1, 2],
		['02-01', 1, 1]]);
	assert.deepEqual(shown.grids.map((g) => [g.code, g.units_before,
		g.units_after, g.homes_before, g.homes_after, g.empty]), [
		['01', 2, 3, 3, 4, false], ['02', 1, 0, 1, 0, true]]);
	assert.deepEqual(shown.heads_away, []);
	assert.deepEqual(await rows(), before);
	assert.equal((await undo(d)).state, 'undone');
	assert.deepEqual(await rows(), before);
});

test('a head whose home would go is named', async () => {
	await p.sql(`UPDATE post SET person_id = ${LAN} WHERE id = 6503`);
	const d = await draft(home(LOW, UNIT_LIFT));

	assert.deepEqual((await preview(d)).heads_away.map((h) =>
	    [h.post_id, h.name, h.unit_id]), [['6503', 'head-1', UNIT]]);
	const fine = await draft(home(STAIRS, UNIT_LIFT));
	assert.deepEqual((await preview(fine)).heads_away, []);
});

test('what cannot be moved', async () => {
	assert.deepEqual(await refuse(home('999', UNIT)),
	    ['moves[0].id not_found']);
	assert.deepEqual(await refuse(home(ABROAD, UNIT)),
	    ['moves[0].id not_found']);
	assert.deepEqual(await refuse(home('1002', UNIT)),
	    ['moves[0].id not_found']);
	assert.deepEqual(await refuse(home(LOW, UNIT_Z)),
	    ['moves[0].to_id not_found']);
	assert.deepEqual(await refuse(home(LOW, GRID)),
	    ['moves[0].to_id not_found']);
	assert.deepEqual(await refuse(home(LOW, UNIT)),
	    ['moves[0].to_id same']);
	assert.deepEqual(await refuse(unit(UNIT_Z, GRID)),
	    ['moves[0].id not_found']);
	assert.deepEqual(await refuse(unit(UNIT, GRID_Z)),
	    ['moves[0].to_id not_found']);
	assert.deepEqual(await refuse(home(LIFT, UNIT), home(LIFT, OTHER_UNIT)),
	    ['moves[1].id duplicate']);
	assert.deepEqual(await refuse(), ['moves too_short']);
	assert.deepEqual(await refuse(...Array.from({ length: 401 }, () =>
	    home(LIFT, UNIT))), ['moves too_long']);
	for (const as of [clerk, worker])
		await p.no(403, 'forbidden', 'POST', BORDERS, { as, body: {
			title: 'x', moves: [home(LIFT, UNIT)] } });
});

test('another community\'s border is absent', async () => {
	const d = await draft(home(LIFT, UNIT));
	const z = await p.as('admin-z');

	await p.no(404, 'not_found', 'GET', `${BORDERS}/${d.id}/preview`,
	    { as: z });
	await p.no(404, 'not_found', 'POST', `${BORDERS}/${d.id}/apply`,
	    { as: z, body: { on: day(1) } });
	await p.no(404, 'not_found', 'POST', `${BORDERS}/${d.id}/undo`,
	    { as: z, body: {} });
	assert.deepEqual((await p.yes(200, 'GET', BORDERS, { as: z })).items,
	    []);
	assert.ok((await p.yes(200, 'GET', BORDERS, { as: clerk })).items
	    .some((one) => one.id === d.id));
});

test('a day that cannot be', async () => {
	const d = await draft(home(LIFT, UNIT));

	for (const on of [day(-1), '2026-02-30', '2026-13-01', 'yesterday!',
		'', day(400), '20261201  '])
		assert.equal((await post(d.id, 'apply', { on })).status, 422,
		    on);
	assert.equal((await post(d.id, 'apply', {})).status, 422);
});

test('applied on a day to come, undone before it', async () => {
	const before = [await rows(), await unitRows()];
	const d = await draft(home(STAIRS, UNIT_LIFT), unit(OTHER_UNIT, GRID));
	const applied = await apply(d, 3);

	assert.equal(applied.state, 'applied');
	assert.match(applied.applies_at,
	    new RegExp(`^${day(3)}T00:00:00\\+08:00`));
	assert.equal(await where(STAIRS), '01 01-01');
	assert.equal(await where(OUTSIDE), '02 02-01');
	// What waits is moved by nobody else.
	const { detail } = await p.no(409, 'conflict', 'POST', BORDERS,
	    { as: admin, body: { title: 'x', moves: [home(STAIRS,
		OTHER_UNIT)] } });
	assert.match(detail, /601室/);
	await p.no(409, 'conflict', 'POST',
	    `/api/v1/units/${OTHER_UNIT}/dwellings`, { as: admin,
		body: { dwellings: [{ id: STAIRS }], move: true } });
	await p.no(409, 'conflict', 'PATCH', `/api/v1/units/${OTHER_UNIT}`,
	    { as: admin, body: { grid_id: GRID } });
	assert.equal((await post(d.id, 'apply', { on: day(4) })).json.code,
	    'state_conflict');
	p.clock.add(DAY);
	assert.equal((await undo(d)).state, 'undone');
	assert.deepEqual([await rows(), await unitRows()], before);
	p.clock.add(3 * DAY);
	assert.equal(await where(STAIRS), '01 01-01');
	for (const what of ['undo', 'apply'])
		assert.equal((await post(d.id, what, what === 'undo' ? {} :
		    { on: day(1) })).json.code, 'state_conflict');
});

test('in force from its day, and the day before keeps its grid',
    async () => {
	const start = p.clock.now();
	const d = await draft(home(STAIRS, UNIT_LIFT), unit(OTHER_UNIT, GRID));

	await apply(d, 2);
	p.clock.add(3 * DAY);
	assert.equal(await where(STAIRS), '01 01-02');
	assert.equal(await where(OUTSIDE), '01 02-01');
	assert.equal(await where(STAIRS, start), '01 01-01');
	assert.equal(await where(OUTSIDE, start), '02 02-01');
	assert.equal((await p.call('GET',
	    `/api/v1/dwellings/${OUTSIDE}/duty`, { as: worker })).status,
	200);
	assert.equal((await p.call('GET',
	    `/api/v1/dwellings/${OUTSIDE}/duty`, { as: other })).status,
	404);
	// The preview still says what it did.
	assert.deepEqual((await preview(d)).units.map((u) => [u.code,
		u.homes_before, u.homes_after]), [['01-01', 2, 1],
		['01-02', 1, 2], ['02-01', 1, 1]]);

	const during = p.clock.now();
	p.clock.add(HOUR);
	await undo(d);
	p.clock.add(HOUR);
	assert.equal(await where(STAIRS), '01 01-01');
	assert.equal(await where(OUTSIDE), '02 02-01');
	assert.equal(await where(STAIRS, during), '01 01-02');
	assert.equal(await where(OUTSIDE, during), '01 02-01');
	assert.equal(await where(STAIRS, start), '01 01-01');
});

test('today is from now on', async () => {
	const d = await draft(home(LIFT, OTHER_UNIT));

	await apply(d, 0);
	assert.equal(await where(LIFT), '02 02-01');
	assert.equal(await where(LIFT, p.clock.now() - HOUR), '01 01-02');
	p.clock.add(HOUR);
	await undo(d);
	assert.equal(await where(LIFT), '01 01-02');
});

test('a dwelling that was in no unit', async () => {
	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES (101, 1599, 1502,' +
	    " 'dwelling', 1500, '102室', '远山小区1栋1单元102室', 2)");
	p.clock.add(HOUR);
	const d = await draft(home('1599', OTHER_UNIT));

	assert.deepEqual((await preview(d)).units.map((u) =>
	    [u.homes_before, u.homes_after]), [[1, 2]]);
	await apply(d, 0);
	assert.equal(await where('1599'), '02 02-01');
	p.clock.add(HOUR);
	await undo(d);
	assert.equal(await where('1599'), 'null null');
});

test('a draft that the world has passed', async () => {
	p.clock.add(HOUR);
	const old = await draft(home(LIFT, UNIT));
	const young = await draft(home(LIFT, OTHER_UNIT), home(LOW, UNIT_LIFT));

	await apply(young, 1);
	const r = await post(old.id, 'apply', { on: day(2) });
	assert.equal(`${r.status} ${r.json.code}`, '409 conflict');
	assert.match(r.json.detail, /901室/);
	// The refused one is a draft still.
	assert.equal((await preview(old)).state, 'draft');
	await undo(young);
	await apply(old, 1);
	await undo(old);
});

test('moved on since: nothing to undo', async () => {
	const first = await draft(home(LIFT, UNIT));

	await apply(first, 0);
	p.clock.add(HOUR);
	const second = await draft(home(LIFT, OTHER_UNIT));
	await apply(second, 0);
	p.clock.add(HOUR);
	const r = await post(first.id, 'undo');
	assert.equal(`${r.status} ${r.json.code}`, '409 conflict');
	assert.match(r.json.detail, /901室/);
	await undo(second);
	p.clock.add(HOUR);
	await undo(first);
	assert.equal(await where(LIFT), '01 01-02');
});

test('a unit that closed meanwhile', async () => {
	p.clock.add(HOUR);
	const made = await p.yes(201, 'POST', '/api/v1/units', { as: admin,
		body: { grid_id: GRID, code: '01-09', name: '短命联户' } });
	const d = await draft(home(LIFT, made.id));

	p.clock.add(HOUR);
	await p.yes(200, 'PATCH', `/api/v1/units/${made.id}`, { as: admin,
		body: { closed: true } });
	assert.equal((await post(d.id, 'apply', { on: day(1) })).status, 409);
	assert.equal(await where(LIFT), '01 01-02');
});

test('two at once: one is in force', async () => {
	p.clock.add(HOUR);
	const d = await draft(home(LIFT, UNIT));
	const ends = await Promise.all([1, 2, 3].map(() => post(d.id, 'apply',
	    { on: day(1) })));

	assert.deepEqual(ends.map((r) => r.status).sort(), [200, 409, 409]);
	await undo(d);

	const [one, two] = [await draft(home(LIFT, UNIT), home(LOW,
	    OTHER_UNIT)), await draft(home(LOW, UNIT_LIFT), home(LIFT,
	    OTHER_UNIT))];
	const both = await Promise.all([one, two].map(({ id }) => post(id,
	    'apply', { on: day(1) })));
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
	assert.equal(await p.value('SELECT COUNT(*) AS n FROM unit_dwelling' +
	    ` WHERE dwelling_id = ${LIFT} AND to_at IS NULL`), '1');
	const won = both[0].status === 200 ? one : two;
	const undone = await Promise.all([1, 2].map(() => post(won.id,
	    'undo')));
	assert.deepEqual(undone.map((r) => r.status).sort(), [200, 409]);
	assert.equal(await where(LIFT), '01 01-02');
});
