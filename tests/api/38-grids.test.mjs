// SPDX-License-Identifier: Apache-2.0
//
// 38-grids -- grids, ten-household units, and who answers for a dwelling.
import assert from 'node:assert/strict';

import { DAY, HOUR, start, test } from './harness.mjs';
import { ABROAD, GRID, GRID_Z, K1, LIFT, LOW, OTHER_GRID, OTHER_UNIT, OUTSIDE,
    STAIRS, UNIT, UNIT_LIFT, UNIT_Z } from './lib/fixture.mjs';

const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const clerk = await p.as('clerk-1');
const worker = await p.as('grid-1');
const other = await p.as('grid-2');
const head = await p.as('head-1');
const GRIDS = '/api/v1/grids', UNITS = '/api/v1/units';

const get = (as, where) => p.yes(200, 'GET', where, { as });
const absent = (as, where) => p.no(404, 'not_found', 'GET', where, { as });
const codes = async (as) => (await get(as, GRIDS)).items.map((g) => g.code);
const add = (where, body) => p.yes(201, 'POST', where, { as: admin, body });
const patch = (where, body) => p.yes(200, 'PATCH', where,
    { as: admin, body });
const take = (unit, ids, more = {}) => p.yes(200, 'POST',
    `${UNITS}/${unit}/dwellings`, { as: admin,
	body: { dwellings: ids.map((id) => ({ id })), ...more } });
const untaken = (status, code, unit, ids, more = {}) => p.no(status, code,
    'POST', `${UNITS}/${unit}/dwellings`, { as: admin,
	body: { dwellings: ids.map((id) => ({ id })), ...more } });
const duty = (as, id, at) => get(as, `/api/v1/dwellings/${id}/duty` +
    (at ? `?at=${encodeURIComponent(new Date(at).toISOString())}` : ''));
const homesOf = (unit) => unit.dwelling_list.map((d) => d.id).sort();

test('the community sees its grids, with what they hold', async () => {
	const { items } = await get(clerk, GRIDS);

	assert.deepEqual(items.map((g) => [g.id, g.code, g.units,
		g.dwellings, g.households, g.worker, g.deputy]), [
		[GRID, '01', 2, 3, 2, 'grid-1', null],
		[OTHER_GRID, '02', 1, 1, 1, 'grid-2', null]]);
	assert.deepEqual(await codes(admin), ['01', '02']);
});

test('a grid worker sees the own grid and no other', async () => {
	assert.deepEqual((await get(worker, GRIDS)).items.map((g) => g.id),
	    [GRID]);
	assert.equal((await get(worker, `${GRIDS}/${GRID}`)).code, '01');
	for (const id of [OTHER_GRID, GRID_Z, UNIT, '1', '0', 'x'])
		await absent(worker, `${GRIDS}/${id}`);
	await absent(worker, `${UNITS}/${OTHER_UNIT}`);
	await absent(worker, `${UNITS}/${UNIT_Z}`);
	await absent(worker, `/api/v1/dwellings/${OUTSIDE}/duty`);
	await absent(worker, `/api/v1/dwellings/${ABROAD}/duty`);
	await absent(other, `${UNITS}/${UNIT}`);
	await absent(clerk, `${GRIDS}/${GRID_Z}`);
	await absent(await p.as('admin-z'), `${GRIDS}/${GRID}`);
});

test('a role without a post sees nothing', async () => {
	assert.deepEqual((await get(await p.as('role-grid'), GRIDS)).items,
	    []);
	await absent(await p.as('role-grid'), `${GRIDS}/${GRID}`);
	await absent(await p.as('role-head'), `${UNITS}/${UNIT}`);
	await absent(await p.as('role-property'),
	    `/api/v1/dwellings/${LOW}/duty`);
});

test('a head sees the own unit', async () => {
	const unit = await get(head, `${UNITS}/${UNIT}`);

	assert.deepEqual(homesOf(unit), [LOW, STAIRS]);
	assert.deepEqual([unit.code, unit.grid, unit.head, unit.dwellings,
		unit.households], ['01-01', '第一网格', 'head-1', 2, 2]);
	assert.deepEqual(unit.heads.map((h) => [h.name, h.deputy]),
	    [['head-1', false]]);
	assert.deepEqual(unit.history, []);
	await absent(head, `${UNITS}/${UNIT_LIFT}`);
	await absent(head, `/api/v1/dwellings/${LIFT}/duty`);
	assert.equal((await duty(head, LOW)).head, 'head-1');
	await p.no(403, 'forbidden', 'GET', GRIDS, { as: head });
});

test('property staff see their compound', async () => {
	const who = await p.as('role-property');

	await p.sql('INSERT INTO post (community_id, id, user_id, name, role,' +
	    ' scope, scope_id, from_at, created_at) VALUES (101, 6590,' +
	    ` ${who.id}, 'x', 'property', 'compound', ${K1}, 0, 0)`);
	assert.equal((await duty(who, LOW)).unit_code, '01-01');
	await absent(who, `/api/v1/dwellings/${OUTSIDE}/duty`);
	await p.sql('DELETE FROM post WHERE id = 6590');
});

test('a grid names its units and workers', async () => {
	const grid = await get(clerk, `${GRIDS}/${GRID}`);

	assert.deepEqual(grid.unit_list.map((u) => [u.id, u.code, u.head,
		u.dwellings, u.households, u.grid_id]), [
		[UNIT, '01-01', 'head-1', 2, 2, GRID],
		[UNIT_LIFT, '01-02', 'head-2', 1, 0, GRID]]);
	assert.deepEqual(grid.workers.map((w) => w.name), ['grid-1']);
	assert.deepEqual(grid.history, []);
});

test('who answers for a dwelling', async () => {
	const now = await duty(clerk, OUTSIDE);

	assert.deepEqual([now.place, now.grid, now.worker, now.unit, now.head],
	    ['远山小区1栋1单元101室', '第二网格', 'grid-2', '远山联户',
		null]);
	for (const id of ['1002', '999', ABROAD])
		await absent(clerk, `/api/v1/dwellings/${id}/duty`);
	await p.no(422, 'invalid_field', 'GET',
	    `/api/v1/dwellings/${LOW}/duty?at=yesterday`, { as: clerk });
});

test('only an admin draws and writes', async () => {
	for (const as of [clerk, worker, head]) {
		await p.no(403, 'forbidden', 'POST', GRIDS, { as,
			body: { code: 'x', name: 'x' } });
		await p.no(403, 'forbidden', 'PATCH', `${GRIDS}/${GRID}`,
		    { as, body: { name: 'x' } });
		await p.no(403, 'forbidden', 'POST',
		    `${UNITS}/${UNIT}/dwellings`, { as,
			body: { dwellings: [{ id: LIFT }] } });
	}
	const z = await p.as('admin-z');
	await p.no(404, 'not_found', 'PATCH', `${GRIDS}/${GRID}`,
	    { as: z, body: { name: 'x' } });
	await p.no(404, 'not_found', 'PATCH', `${UNITS}/${UNIT}`,
	    { as: z, body: { name: 'x' } });
	await p.no(404, 'not_found', 'POST', `${UNITS}/${UNIT}/dwellings`,
	    { as: z, body: { dwellings: [{ id: ABROAD }] } });
	await p.no(422, 'invalid_field', 'POST', UNITS,
	    { as: z, body: { grid_id: GRID, code: 'x', name: 'x' } });
});

test('a code is used once', async () => {
	const { fields } = await p.no(409, 'conflict', 'POST', GRIDS,
	    { as: admin, body: { code: '01', name: '新网格' } });

	assert.deepEqual(fields.map((f) => f.field), ['code']);
	const three = await add(GRIDS, { code: '03', name: '第三网格' });
	assert.deepEqual([three.units, three.worker, three.to_at],
	    [0, null, null]);
	await p.no(409, 'conflict', 'PATCH', `${GRIDS}/${three.id}`,
	    { as: admin, body: { code: '02' } });
	assert.equal((await patch(`${GRIDS}/${three.id}`,
	    { name: '河边网格' })).name, '河边网格');
	await p.no(409, 'conflict', 'POST', UNITS, { as: admin,
		body: { grid_id: GRID, code: '02-01', name: 'x' } });
	await p.no(422, 'invalid_field', 'POST', UNITS, { as: admin,
		body: { grid_id: '1', code: '09-01', name: 'x' } });
	for (const body of [{}, { code: '', name: 'x' },
		{ code: 'x'.repeat(21), name: 'x' }])
		await p.no(422, 'invalid_field', 'POST', GRIDS,
		    { as: admin, body });
});

test('a dwelling is in one unit at a time', async () => {
	const unit = await add(UNITS, { grid_id: OTHER_GRID, code: '02-02',
		name: '新联户' });
	const { detail } = await untaken(409, 'conflict', unit.id, [LIFT]);

	assert.match(detail, /901室.*01-02 第二联户/);
	for (const id of ['999', ABROAD, '1002'])
		await untaken(422, 'invalid_field', unit.id, [id]);
	await untaken(422, 'invalid_field', unit.id, []);
	assert.deepEqual(homesOf(await get(admin, `${UNITS}/${unit.id}`)),
	    []);
	// One of two cannot: neither is taken.
	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES (101, 1599, 1502,' +
	    " 'dwelling', 1500, '102室', '远山小区1栋1单元102室', 2)");
	await untaken(409, 'conflict', unit.id, ['1599', LIFT]);
	assert.equal((await duty(clerk, '1599')).unit, null);
	assert.deepEqual(homesOf(await take(unit.id, ['1599'])), ['1599']);
	// Again is harmless.
	assert.deepEqual(homesOf(await take(unit.id, ['1599'])), ['1599']);
	await absent(worker, '/api/v1/dwellings/1599/duty');
	assert.equal((await duty(other, '1599')).unit_code, '02-02');
});

test('moved from a moment on, and the day before stays', async () => {
	const unit = await add(UNITS, { grid_id: OTHER_GRID, code: '02-03',
		name: '电梯联户' });
	const before = p.clock.now();

	p.clock.add(DAY);
	await take(unit.id, [LIFT], { move: true });
	p.clock.add(HOUR);
	assert.deepEqual(homesOf(await get(clerk, `${UNITS}/${UNIT_LIFT}`)),
	    []);
	assert.equal((await duty(clerk, LIFT)).grid_code, '02');
	assert.equal((await duty(clerk, LIFT)).worker, 'grid-2');
	assert.equal((await duty(clerk, LIFT, before)).grid_code, '01');
	assert.equal((await duty(clerk, LIFT, before)).head, 'head-2');
	await absent(worker, `/api/v1/dwellings/${LIFT}/duty`);
	assert.equal((await duty(other, LIFT, before)).unit_code, '01-02');
	// A unit takes its dwellings along.
	await patch(`${UNITS}/${unit.id}`, { grid_id: GRID });
	p.clock.add(HOUR);
	assert.equal((await duty(worker, LIFT)).grid_code, '01');
	assert.equal((await duty(worker, LIFT,
	    p.clock.now() - 3 * HOUR / 2)).grid_code, '02');
	await absent(other, `/api/v1/dwellings/${LIFT}/duty`);
	await p.no(422, 'invalid_field', 'PATCH', `${UNITS}/${unit.id}`,
	    { as: admin, body: { grid_id: GRID_Z } });
});

test('out of a unit, and no longer anybody\'s', async () => {
	const where = `${UNITS}/${UNIT}/dwellings/${STAIRS}`;

	p.clock.add(HOUR);
	await p.no(403, 'forbidden', 'DELETE', where, { as: clerk });
	await p.no(404, 'not_found', 'DELETE',
	    `${UNITS}/${UNIT_LIFT}/dwellings/${STAIRS}`, { as: admin });
	await p.yes(204, 'DELETE', where, { as: admin });
	p.clock.add(HOUR);
	await p.no(404, 'not_found', 'DELETE', where, { as: admin });
	assert.equal((await duty(clerk, STAIRS)).unit, null);
	await absent(worker, `/api/v1/dwellings/${STAIRS}/duty`);
	await take(UNIT, [STAIRS]);
	assert.equal((await duty(worker, STAIRS)).unit_code, '01-01');
});

test('the same dwelling for two units at once', async () => {
	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES (101, 1598, 1502,' +
	    " 'dwelling', 1500, '103室', '远山小区1栋1单元103室', 3)");
	const ends = await Promise.all([UNIT, UNIT_LIFT, OTHER_UNIT].map(
	    (unit) => p.call('POST', `${UNITS}/${unit}/dwellings`,
		{ as: admin, body: { dwellings: [{ id: '1598' }] } })));

	assert.deepEqual(ends.map((r) => r.status).sort(), [200, 409, 409]);
	assert.equal(await p.value('SELECT COUNT(*) AS n FROM unit_dwelling' +
	    ' WHERE dwelling_id = 1598'), '1');
});

test('what is closed was empty', async () => {
	const grid = await add(GRIDS, { code: '08', name: '临时网格' });
	const unit = await add(UNITS, { grid_id: grid.id, code: '08-01',
		name: '临时联户' });
	const close = (where) => p.call('PATCH', where, { as: admin,
		body: { closed: true } });

	assert.equal((await close(`${GRIDS}/${grid.id}`)).status, 409);
	assert.equal((await close(`${UNITS}/${UNIT}`)).status, 409);
	p.clock.add(HOUR);
	assert.ok((await close(`${UNITS}/${unit.id}`)).json.to_at);
	p.clock.add(HOUR);
	assert.ok((await close(`${GRIDS}/${grid.id}`)).json.to_at);
	assert.equal((await close(`${GRIDS}/${grid.id}`)).status, 404);
	assert.ok(!(await codes(admin)).includes('08'));
	await untaken(404, 'not_found', unit.id, ['1598'], { move: true });
	await p.no(422, 'invalid_field', 'POST', UNITS, { as: admin,
		body: { grid_id: grid.id, code: '08-02', name: 'x' } });
	// Its code is free again.
	await add(GRIDS, { code: '08', name: '又一个网格' });
});

test('three hundred dwellings at a time', async () => {
	const many = Array.from({ length: 301 }, (_, i) => String(90000 + i));

	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES ' + many.map((id) =>
	    `(101, ${id}, 1502, 'dwelling', 1500, 'n${id}', 'n', ${id})`)
		.join());
	await untaken(422, 'invalid_field', OTHER_UNIT, many);
	const unit = await take(OTHER_UNIT, many.slice(0, 300));
	assert.ok(unit.dwellings >= 301);
});
