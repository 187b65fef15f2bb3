// SPDX-License-Identifier: Apache-2.0
//
// 39-posts -- who holds a post, who stands in, and the roles that follow.
import assert from 'node:assert/strict';

import { DAY, HOUR, MINUTE, start, test, until } from './harness.mjs';
import { A, GRID, GRID_Z, K1, LIFT, LOW, OTHER_GRID, OUTSIDE, UNIT, UNIT_LIFT }
    from './lib/fixture.mjs';
import { JING, LAN, MIN } from './lib/people.mjs';

const p = await start();
const admin = await p.as('role-admin');
const clerk = await p.as('clerk-1');
const POSTS = '/api/v1/posts';

const iso = (ms) => new Date(ms).toISOString();
const give = (body) => p.yes(201, 'POST', POSTS, { as: admin, body });
const refuse = async (status, code, body) => ((await p.no(status, code,
    'POST', POSTS, { as: admin, body })).fields ?? []).map((f) =>
	`${f.field} ${f.code}`);
const end = (id) => p.yes(204, 'DELETE', `${POSTS}/${id}`, { as: admin });
const rolesOf = async (as) => (await p.yes(200, 'GET', '/api/v1/me',
    { as })).roles;
const status = async (as, where) => (await p.call('GET', where, { as }))
    .status;
const grids = (as) => status(as, `/api/v1/grids/${GRID}`);
const mine = async (as) => (await p.yes(200, 'GET', '/api/v1/me/posts',
    { as })).items;

const eve = await p.resident(1);
const finn = await p.resident(2);
const zoe = await p.resident(3, { community: '102', dwelling: null });

test('a post gives the role at once, and takes it at its end', async () => {
	assert.equal(await grids(eve), 403);
	const post = await give({ role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: eve.id, name: '伊娃' });

	assert.deepEqual([post.role, post.scope, post.scope_id,
		post.scope_name, post.user_id, post.name, post.state,
		post.to_at, post.phone], ['grid', 'grid', GRID, '第一网格',
		eve.id, '伊娃', 'active', null, null]);
	assert.deepEqual(await rolesOf(eve), ['resident', 'grid']);
	assert.equal(await grids(eve), 200);
	assert.equal(await status(eve, `/api/v1/grids/${OTHER_GRID}`), 404);
	assert.deepEqual((await mine(eve)).map((m) => [m.id, m.community]),
	    [[post.id, '此处社区']]);
	p.clock.add(HOUR);
	await end(post.id);
	assert.deepEqual(await rolesOf(eve), ['resident']);
	assert.equal(await grids(eve), 403);
	await p.no(409, 'state_conflict', 'DELETE', `${POSTS}/${post.id}`,
	    { as: admin });
	await p.no(409, 'state_conflict', 'PATCH', `${POSTS}/${post.id}`,
	    { as: admin, body: { name: 'x' } });
	assert.deepEqual((await mine(eve)).map((m) => m.state), ['ended']);
	const grid = await p.yes(200, 'GET', `/api/v1/grids/${GRID}`,
	    { as: clerk });
	assert.deepEqual(grid.history.map((h) => h.name), ['伊娃']);
});

test('a role given otherwise outlives the post', async () => {
	await p.sql('INSERT INTO user_role VALUES' +
	    ` (101, ${finn.id}, 'teacher', 1)`);
	const post = await give({ role: 'teacher', scope: 'community',
		user_id: finn.id, name: '芬' });

	p.clock.add(MINUTE);
	await end(post.id);
	assert.equal(await p.value('SELECT COUNT(*) AS n FROM user_role WHERE' +
	    ` user_id = ${finn.id} AND role = 'teacher'`), '1');
});

test('of two posts the first to end takes no role', async () => {
	const one = await give({ role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: eve.id, name: '伊娃' });
	const two = await give({ role: 'grid', scope: 'grid',
		scope_id: OTHER_GRID, user_id: eve.id, name: '伊娃' });

	p.clock.add(MINUTE);
	await end(one.id);
	assert.deepEqual(await rolesOf(eve), ['resident', 'grid']);
	assert.equal(await grids(eve), 404);
	assert.equal(await status(eve, `/api/v1/grids/${OTHER_GRID}`), 200);
	await end(two.id);
	assert.deepEqual(await rolesOf(eve), ['resident']);
});

test('who may', async () => {
	const body = { role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: eve.id, name: 'x' };

	for (const name of ['clerk-1', 'grid-1', 'head-1'])
		await p.no(403, 'forbidden', 'POST', POSTS,
		    { as: await p.as(name), body });
	const z = await p.as('admin-z');
	assert.deepEqual(((await p.no(422, 'invalid_field', 'POST', POSTS,
	    { as: z, body })).fields).map((f) => f.field), ['scope_id']);
	for (const [method, where, more] of [['GET', '6501', {}],
		['PATCH', '6501', { body: { name: 'x' } }],
		['DELETE', '6501', {}],
		['PUT', '6501/duty-times', { body: { times: [] } }],
		['POST', '6501/deputies', { body: { user_id: zoe.id,
			from: iso(p.clock.now()),
			to: iso(p.clock.now() + DAY) } }]])
		await p.no(404, 'not_found', method, `${POSTS}/${where}`,
		    { as: z, ...more });
	assert.deepEqual((await p.yes(200, 'GET', POSTS, { as: z })).items
	    .map((one) => one.name), ['grid-z']);
	assert.ok((await p.yes(200, 'GET', `${POSTS}?role=head`,
	    { as: clerk })).items.every((one) => one.role === 'head'));
	await p.no(403, 'forbidden', 'GET', POSTS,
	    { as: await p.as('grid-1') });
});

test('a role fits its part of the community', async () => {
	const someone = { user_id: eve.id, name: 'x' };

	for (const [role, scope, id] of [['head', 'grid', GRID],
		['grid', 'unit', UNIT], ['clerk', 'grid', GRID],
		['property', 'community', undefined],
		['teacher', 'compound', K1]])
		assert.deepEqual(await refuse(422, 'invalid_field',
		    { role, scope, scope_id: id, ...someone }),
		    ['scope not_fitting'], role);
	for (const [role, scope, id] of [['grid', 'grid', GRID_Z],
		['grid', 'grid', UNIT], ['property', 'compound', LOW],
		['teacher', 'org', '3101'], ['party', 'unit', '6401'],
		['clerk', 'community', '101']])
		assert.deepEqual(await refuse(422, 'invalid_field',
		    { role, scope, scope_id: id, ...someone }),
		    ['scope_id not_found'], role);
	assert.deepEqual(await refuse(422, 'invalid_field',
	    { role: 'grid', scope: 'grid', ...someone }),
	    ['scope_id required']);
	for (const role of ['admin', 'resident', 'merchant', 'platform'])
		assert.deepEqual(await refuse(422, 'invalid_field',
		    { role, scope: 'community', ...someone }),
		    ['role not_listed'], role);
	for (const [role, scope, id] of [['property', 'compound', K1],
		['technician', 'org', A], ['party', 'unit', UNIT]]) {
		const post = await give({ role, scope, scope_id: id,
			...someone });
		p.clock.add(MINUTE);
		await end(post.id);
	}
});

test('somebody of this community, or a number to wait for', async () => {
	const post = { role: 'grid', scope: 'grid', scope_id: GRID };

	for (const user_id of [zoe.id, '1'])
		assert.deepEqual(await refuse(422, 'invalid_field',
		    { ...post, user_id, name: 'x' }), ['user_id not_found']);
	assert.deepEqual(await refuse(422, 'invalid_field',
	    { ...post, name: 'x' }), ['phone required']);
	assert.deepEqual(await refuse(422, 'invalid_field',
	    { ...post, name: 'x', phone: '123' }), ['phone format']);
	assert.deepEqual(await refuse(422, 'invalid_field',
	    { ...post, phone: '13700000001' }), ['name required']);
	assert.deepEqual(await refuse(422, 'invalid_field', { ...post,
		user_id: eve.id, name: 'x', from: iso(p.clock.now()),
		to: iso(p.clock.now() - 1) }), ['to too_small']);
	await refuse(409, 'conflict', { ...post, user_id:
		(await p.as('grid-1')).id, name: 'x' });
});

test('a head lives in the unit', async () => {
	const head = { role: 'head', scope: 'unit', name: '李桂兰' };
	const person = (person_id, scope_id = UNIT) => ({ ...head, person_id,
		scope_id });

	assert.deepEqual(await refuse(422, 'invalid_field',
	    { ...head, scope_id: UNIT, phone: '13700000002' }),
	    ['person_id required']);
	// Elsewhere: another unit's, another grid's, another community's.
	assert.deepEqual(await refuse(422, 'invalid_field',
	    person(LAN, UNIT_LIFT)), ['person_id elsewhere']);
	assert.deepEqual(await refuse(422, 'invalid_field', person(MIN)),
	    ['person_id elsewhere']);
	assert.deepEqual(await refuse(422, 'invalid_field', person(JING)),
	    ['person_id not_found']);
	// The unit has a head.
	await refuse(409, 'conflict', person(LAN));
	await end('6503');
	p.clock.add(MINUTE);
	const post = await give({ role: 'head', scope: 'unit', scope_id: UNIT,
		person_id: LAN });
	assert.deepEqual([post.name, post.phone, post.user_id],
	    ['李桂兰', '139****7001', null]);
	assert.equal(await status(await p.as('head-1', { fresh: true }),
	    `/api/v1/units/${UNIT}`), 403);
	const unit = await p.yes(200, 'GET', `/api/v1/units/${UNIT}`,
	    { as: clerk });
	assert.deepEqual([unit.head, unit.history.map((h) => h.name)],
	    ['李桂兰', ['head-1']]);
});

test('a number proved later takes up its post', async () => {
	const gail = await p.resident(4);
	const post = await give({ role: 'grid', scope: 'grid',
		scope_id: OTHER_GRID, name: '盖尔', phone: '13700000003' });

	assert.deepEqual([post.user_id, post.phone],
	    [null, '137****0003']);
	await refuse(409, 'conflict', { role: 'grid', scope: 'grid',
		scope_id: OTHER_GRID, name: '盖尔', phone: '13700000003' });
	await p.yes(200, 'POST', '/api/v1/me/phone', { as: gail, body: {
		code: await p.wx.phoneCode('13700000004') } });
	assert.deepEqual(await rolesOf(gail), ['resident']);
	await p.yes(200, 'PATCH', `${POSTS}/${post.id}`, { as: admin,
		body: { phone: '13700000004' } });
	assert.deepEqual(await rolesOf(gail), ['resident', 'grid']);
	assert.equal(await status(gail, `/api/v1/grids/${OTHER_GRID}`), 200);
	assert.deepEqual((await p.no(409, 'conflict', 'PATCH',
	    `${POSTS}/${post.id}`, { as: admin,
		body: { phone: '13700000005' } })).fields
	    .map((f) => f.field), ['phone']);
	assert.doesNotMatch(await p.value('SELECT phone FROM post WHERE id =' +
	    ` ${post.id}`), /137\d{8}/);
});

test('the post waits, the person comes', async () => {
	const hal = await p.resident(5);
	const post = await give({ role: 'party', scope: 'community',
		name: '哈尔', phone: '13700000006' });

	await p.yes(200, 'POST', '/api/v1/me/phone', { as: hal, body: {
		code: await p.wx.phoneCode('13700000006') } });
	await until(async () => (await rolesOf(hal)).includes('party'),
	    'the role');
	assert.deepEqual((await mine(hal)).map((m) => m.id), [post.id]);
});

test('what begins and ends later does so by the clock', async () => {
	const now = p.clock.now();
	const post = await give({ role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: finn.id, name: '芬', from: iso(now + DAY),
		to: iso(now + 2 * DAY) });

	assert.equal(post.state, 'waiting');
	assert.ok(!(await rolesOf(finn)).includes('grid'));
	p.clock.add(DAY + MINUTE);
	await until(async () => await grids(finn) === 200, 'the role');
	p.clock.add(DAY);
	// At once nothing is seen; the role goes within a minute.
	assert.ok([403, 404].includes(await grids(finn)));
	p.clock.add(MINUTE);
	await until(async () => await grids(finn) === 403, 'its end');
	assert.ok(!(await rolesOf(finn)).includes('grid'));
});

test('a post that an import wrote for a number known already', async () => {
	const joy = await p.resident(7);
	const { phone_index: index } = (await p.sql('SELECT phone_index FROM' +
	    ` app_user WHERE id = ${(await p.resident(4)).id}`))[0];

	await p.yes(200, 'POST', '/api/v1/me/phone', { as: joy, body: {
		code: await p.wx.phoneCode('13700000009') } });
	const known = await p.value('SELECT phone_index AS i FROM app_user' +
	    ` WHERE id = ${joy.id}`);
	assert.notEqual(known, index);
	for (const [id, i] of [[6601, known], [6602, 'nobody']])
		await p.sql('INSERT INTO post (community_id, id, name, role,' +
		    ' scope, scope_id, from_at, created_at, phone_index)' +
		    ` VALUES (101, ${id}, 'x', 'grid', 'grid', ${GRID}, 0,` +
		    ` 0, '${i}')`);
	p.clock.add(MINUTE);
	await until(async () => await grids(joy) === 200, 'the post');
	assert.deepEqual((await p.sql('SELECT user_id FROM post WHERE id IN' +
	    ' (6601, 6602) ORDER BY id')).map((row) => row.user_id),
	[joy.id, null]);
	assert.equal(await p.value('SELECT COUNT(*) AS n FROM audit WHERE' +
	    ` thing = 'user' AND thing_id = ${joy.id} AND user_id = 0`), '1');
	await end('6601');
	await end('6602');
});

test('with a grid its posts end', async () => {
	const grid = await p.yes(201, 'POST', '/api/v1/grids', { as: admin,
		body: { code: '77', name: '临时网格' } });

	await give({ role: 'grid', scope: 'grid', scope_id: grid.id,
		user_id: finn.id, name: '芬' });
	assert.equal(await status(finn, `/api/v1/grids/${grid.id}`), 200);
	p.clock.add(HOUR);
	await p.yes(200, 'PATCH', `/api/v1/grids/${grid.id}`,
	    { as: admin, body: { closed: true } });
	assert.notEqual(await status(finn, `/api/v1/grids/${grid.id}`), 200);
	p.clock.add(MINUTE);
	await until(async () => await status(finn, '/api/v1/grids') === 403,
	    'the end of the role');
});

test('sessions are told, also when the commit was all there was time for',
    async () => {
	const ida = await p.resident(6);

	// As a worker leaves it that loses Redis after its commit.
	await p.sql('INSERT INTO user_role VALUES' +
	    ` (101, ${ida.id}, 'party', 1)`);
	assert.deepEqual(await rolesOf(ida), ['resident', 'party']);
	const posts = () => status(ida, '/api/v1/grids');
	await p.sql(`INSERT INTO user_role VALUES (101, ${ida.id}, 'grid',` +
	    ' 1)');
	assert.equal(await posts(), 403);
	await p.sql(`INSERT INTO post_sync VALUES (${ida.id}, 1)`);
	p.clock.add(MINUTE);
	await until(async () => await posts() === 200, 'the session');
	await until(async () => await p.value(
	    'SELECT COUNT(*) AS n FROM post_sync') === '0', 'its end');
});

test('a deputy, during the dates only', async () => {
	const now = p.clock.now();
	const deputy = { user_id: finn.id, name: '芬', from: iso(now + DAY),
		to: iso(now + 3 * DAY) };
	const where = `${POSTS}/6501/deputies`;
	const post = await p.yes(201, 'POST', where,
	    { as: admin, body: deputy });
	const duty = () => p.yes(200, 'GET',
	    `/api/v1/dwellings/${LOW}/duty`, { as: clerk });

	assert.deepEqual([post.deputy_of, post.role, post.scope_id,
		post.state], ['6501', 'grid', GRID, 'waiting']);
	assert.equal((await duty()).worker_deputy, null);
	p.clock.add(DAY + MINUTE);
	await until(async () => await grids(finn) === 200, 'the deputy');
	assert.deepEqual([(await duty()).worker, (await duty())
	    .worker_deputy], ['grid-1', '芬']);
	assert.equal(await status(finn, `/api/v1/dwellings/${OUTSIDE}/duty`),
	    404);
	assert.equal(await grids(await p.as('grid-1')), 200);
	// Nobody stands in for the one who stands in, or twice at once.
	for (const [code, to, body] of [
		['state_conflict', post.id, deputy],
		['conflict', '6501', { ...deputy, user_id: eve.id }]])
		await p.no(409, code, 'POST', `${POSTS}/${to}/deputies`,
		    { as: admin, body });
	p.clock.add(2 * DAY);
	assert.ok([403, 404].includes(await grids(finn)));
	p.clock.add(MINUTE);
	await until(async () => await grids(finn) === 403, 'the end');
	assert.equal((await duty()).worker_deputy, null);
});

test('what is asked goes to who stands in', async () => {
	const asked = async (i) => {
		const who = await p.resident(i, { dwelling: null });
		const { items } = await p.yes(200, 'POST', '/api/v1/me/homes',
		    { as: who, body: { dwelling_id: LIFT } });
		return p.value('SELECT assignee_id FROM home WHERE id =' +
		    ` ${items[0].id}`);
	};
	const now = p.clock.now();

	assert.equal(await asked(20), (await p.as('head-2')).id);
	await p.yes(201, 'POST', `${POSTS}/6504/deputies`, { as: admin,
		body: { user_id: finn.id, name: '芬', from: iso(now),
			to: iso(now + HOUR) } });
	assert.equal(await asked(21), finn.id);
	p.clock.add(HOUR + MINUTE);
	assert.equal(await asked(22), (await p.as('head-2')).id);
	await end('6504');
	// Without a head it is the grid worker's.
	assert.equal(await asked(23), (await p.as('grid-1')).id);
});

test('a deputy who cannot be', async () => {
	const now = p.clock.now();
	const fault = async (body, to = '6501') => (await p.no(422,
	    'invalid_field', 'POST', `${POSTS}/${to}/deputies`,
	    { as: admin, body: { user_id: eve.id, from: iso(now),
		to: iso(now + DAY), name: 'x', ...body } })).fields
	    .map((f) => `${f.field} ${f.code}`);

	assert.deepEqual(await fault({ to: iso(now) }), ['to too_small']);
	assert.deepEqual(await fault({ from: iso(now - 2 * DAY),
		to: iso(now - DAY) }), ['to too_small']);
	assert.deepEqual(await fault({ user_id: zoe.id }),
	    ['user_id not_found']);
	assert.deepEqual(await fault({ user_id: (await p.as('grid-1')).id }),
	    ['user_id same']);
	const brief = await give({ role: 'grid', scope: 'grid',
		scope_id: GRID, user_id: finn.id, name: '芬',
		to: iso(now + HOUR) });
	assert.deepEqual(await fault({ from: iso(now + MINUTE) }, brief.id),
	    ['to too_large']);
	assert.deepEqual(await fault({ from: iso(now - DAY),
		to: iso(now + MINUTE) }, brief.id), ['from too_small']);
	await end(brief.id);
});

test('with the post its deputies end', async () => {
	const now = p.clock.now();
	const post = await give({ role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: finn.id, name: '芬' });
	const deputy = await p.yes(201, 'POST', `${POSTS}/${post.id}/deputies`,
	    { as: admin, body: { user_id: eve.id, name: '伊娃',
		from: iso(now + MINUTE), to: iso(now + DAY) } });

	p.clock.add(2 * MINUTE);
	await until(async () => await grids(eve) === 200, 'the deputy');
	await end(post.id);
	assert.equal(await grids(eve), 403);
	assert.equal(await grids(finn), 403);
	assert.equal((await p.yes(200, 'GET', `${POSTS}/${deputy.id}`,
	    { as: clerk })).state, 'ended');
});

test('an end set, moved and taken back', async () => {
	const now = p.clock.now();
	const post = await give({ role: 'grid', scope: 'grid', scope_id: GRID,
		user_id: finn.id, name: '芬' });
	const patch = (body) => p.yes(200, 'PATCH', `${POSTS}/${post.id}`,
	    { as: admin, body });

	assert.equal(Date.parse((await patch({ to: iso(now + DAY) })).to_at),
	    now + DAY);
	assert.equal((await patch({ to: null })).to_at, null);
	assert.equal((await patch({ name: '老芬' })).name, '老芬');
	await p.no(422, 'invalid_field', 'PATCH', `${POSTS}/${post.id}`,
	    { as: admin, body: { to: iso(now - DAY) } });
	await patch({ to: iso(p.clock.now() + DAY) });
	p.clock.add(DAY + MINUTE);
	await until(async () => await grids(finn) === 403, 'the end');
	await p.no(409, 'state_conflict', 'PATCH', `${POSTS}/${post.id}`,
	    { as: admin, body: { to: null } });
});

test('times of duty', async () => {
	const where = `${POSTS}/6501/duty-times`;
	const put = (times) => p.call('PUT', where, { as: admin,
		body: { times } });
	const day = (weekday, from_minute, to_minute) =>
	    ({ weekday, from_minute, to_minute });
	const good = [day(1, 540, 720), day(1, 840, 1080), day(7, 0, 1440)];

	assert.deepEqual((await put(good)).json.duty_times, good);
	for (const bad of [[day(1, 540, 540)], [day(8, 1, 2)],
		[day(0, 1, 2)], [day(1, 0, 1441)], [day(1, -1, 5)],
		[day(1, 540, 720), day(1, 719, 800)],
		Array.from({ length: 51 }, (_, i) => day(1, i, i + 1))])
		assert.equal((await put(bad)).status, 422);
	assert.deepEqual((await p.yes(200, 'GET', `${POSTS}/6501`,
	    { as: clerk })).duty_times, good);
	assert.deepEqual((await put([])).json.duty_times, []);
	await p.no(403, 'forbidden', 'PUT', where, { as: clerk,
		body: { times: [] } });
});

test('the same post twice at once', async () => {
	const body = { role: 'grid', scope: 'grid', scope_id: OTHER_GRID,
		user_id: eve.id, name: '伊娃' };
	const ends = await Promise.all([1, 2, 3, 4].map(() =>
	    p.call('POST', POSTS, { as: admin, body })));

	assert.deepEqual(ends.map((r) => r.status).sort(),
	    [201, 409, 409, 409]);
	const { id } = ends.find((r) => r.status === 201).json;
	p.clock.add(MINUTE);
	const over = await Promise.all([1, 2, 3].map(() =>
	    p.call('DELETE', `${POSTS}/${id}`, { as: admin })));
	assert.deepEqual(over.map((r) => r.status).sort(), [204, 409, 409]);
});

test('a list by pages, those that ended when asked for', async () => {
	const first = await p.yes(200, 'GET', `${POSTS}?limit=2`,
	    { as: clerk });
	const next = await p.yes(200, 'GET',
	    `${POSTS}?limit=2&after=${first.next}`, { as: clerk });
	const all = (await p.yes(200, 'GET', `${POSTS}?ended=true&limit=100`,
	    { as: clerk })).items;

	assert.equal(first.items.length, 2);
	assert.ok(BigInt(next.items[0].id) < BigInt(first.items[1].id));
	assert.ok(all.some((one) => one.state === 'ended'));
	assert.ok((await p.yes(200, 'GET', `${POSTS}?limit=100`,
	    { as: clerk })).items.every((one) => one.state !== 'ended'));
});
