// SPDX-License-Identifier: Apache-2.0
//
// 41-staff -- accounts of staff, and who may touch them.
import assert from 'node:assert/strict';

import { start, test, until } from './harness.mjs';
import { HERE, THERE } from './lib/fixture.mjs';
import { hire, login, loginNo, loginYes, settled, STAFF }
    from './lib/staff.mjs';

const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const adminZ = await p.as('admin-z');
const platform = await p.as('role-platform');
const one = (id, as = admin) => p.yes(200, 'GET', `${STAFF}/${id}`, { as });
const me = async (who) => (await p.call('GET', '/api/v1/me',
    { as: who })).status;
const roles = (id, as, body) => p.call('PUT', `${STAFF}/${id}/roles`,
    { as, body });

test('an admin makes an account, whose password is shown once', async () => {
	const made = await hire(p, 'zhou.min', { name: '周敏',
		phone: '13912340001', clerk: true });
	const seen = await one(made.id);

	assert.match(made.password, /^[A-Za-z0-9]{12}$/);
	assert.deepEqual([seen.account, seen.name, seen.phone, seen.admin,
		seen.clerk, seen.must_change, seen.totp, seen.locked_until],
	    ['zhou.min', '周敏', '139****0001', false, true, true, false,
		null]);
	assert.ok(!JSON.stringify(seen).includes(made.password));
	// It is sealed, and proves nothing as one from WeChat does.
	const [kept] = await p.sql('SELECT phone, phone_index, staff_phone' +
	    ` FROM app_user WHERE id = ${made.id}`);
	assert.deepEqual([kept.phone, kept.phone_index], [null, null]);
	assert.ok(!kept.staff_phone.includes('13912340001'));
	const s = await loginYes(p, 'zhou.min', made.password);
	assert.deepEqual(s.user.roles, ['clerk']);
	assert.equal(s.must_change, true);
	assert.equal(s.user.community_id, HERE);
	assert.equal(await p.value("SELECT COUNT(*) FROM audit WHERE thing" +
	    ` = 'staff' AND thing_id = ${made.id} AND user_id = ${admin.id}` +
	    " AND action = 'POST /api/v1/staff'"), '1');
});

test('accounts that cannot be', async () => {
	const no = async (body, field) => {
		const problem = await p.no(422, 'invalid_field', 'POST', STAFF,
		    { as: admin, body });
		assert.ok(problem.fields.some((f) => f.field === field),
		    JSON.stringify(problem));
	};

	for (const account of ['ab', 'Zhou', '1abc', 'a b c', '周敏敏', '',
		'x'.repeat(65), 'zhou/min'])
		await no({ account, name: '周' }, 'account');
	await no({ account: 'zhou.min', name: '又一位' }, 'account');
	await no({ account: 'wang', name: '' }, 'name');
	await no({ account: 'wang', name: '名'.repeat(21) }, 'name');
	await no({ account: 'wang', name: '王', phone: '1391234' }, 'phone');
	await no({ account: 'wang', name: '王', platform: true }, 'platform');
	await no({ name: '王' }, 'account');
});

test('two of one name at once: one is made', async () => {
	const all = await Promise.all([1, 2, 3].map(() => p.call('POST',
	    STAFF, { as: admin, body: { account: 'twins', name: '双' } })));

	assert.deepEqual(all.map((r) => r.status).sort(), [201, 422, 422]);
});

test('the list: those of here, page by page', async () => {
	await hire(p, 'abroad.one', {}, 'admin-z');
	const seen = [];
	let next = '';

	do {
		const page = await p.yes(200, 'GET', `${STAFF}?limit=1` +
		    (next && `&after=${next}`), { as: admin });
		assert.ok(page.items.length <= 1);
		seen.push(...page.items.map((row) => row.account));
		next = page.next;
	} while (next);
	assert.ok(seen.includes('zhou.min') && seen.includes('twins'));
	assert.ok(!seen.includes('abroad.one'));
	const all = (await p.yes(200, 'GET', `${STAFF}?limit=100`,
	    { as: platform })).items.map((row) => row.account);
	assert.ok(all.includes('abroad.one') && all.includes('twins'));
});

test('who is no admin has none of it', async () => {
	const { id } = await hire(p, 'guarded');

	for (const role of ['resident', 'clerk', 'grid', 'merchant'])
		for (const [method, where, body] of [['GET', STAFF],
			['POST', STAFF, { account: 'x.y.z', name: 'x' }],
			['GET', `${STAFF}/${id}`],
			['PATCH', `${STAFF}/${id}`, { name: 'x' }],
			['PUT', `${STAFF}/${id}/roles`,
			    { admin: true, clerk: true }],
			['POST', `${STAFF}/${id}/reset-password`],
			['POST', `${STAFF}/${id}/unlock`],
			['DELETE', `${STAFF}/${id}/sessions`],
			['DELETE', `${STAFF}/${id}/totp`],
			['DELETE', `${STAFF}/${id}`]])
			await p.no(403, 'forbidden', method, where,
			    { as: await p.as(`role-${role}`), body });
});

test('another community\'s admin finds nothing', async () => {
	const { id, password } = await hire(p, 'of.here', { admin: true });

	for (const [method, where, body] of [['GET', ''],
		['PATCH', '', { name: 'x' }],
		['PATCH', '', { closed: true }], ['DELETE', ''],
		['PUT', '/roles', { admin: true, clerk: true }],
		['POST', '/reset-password'], ['POST', '/unlock'],
		['DELETE', '/sessions'], ['DELETE', '/totp']])
		await p.no(404, 'not_found', method, `${STAFF}/${id}${where}`,
		    { as: adminZ, body });
	await p.no(404, 'not_found', 'GET', `${STAFF}/99`, { as: admin });
	await loginYes(p, 'of.here', password);
});

test('who also works elsewhere is not for one admin alone', async () => {
	const both = await settled(p, 'both', { clerk: true });

	await p.sql(`INSERT INTO user_role VALUES (${THERE}, ${both.id},` +
	    " 'clerk', 1)");
	for (const as of [admin, adminZ]) {
		assert.equal((await one(both.id, as)).clerk, true);
		for (const [method, where, body] of [
			['PATCH', '', { name: 'x' }], ['DELETE', ''],
			['POST', '/reset-password'], ['POST', '/unlock'],
			['DELETE', '/sessions'], ['DELETE', '/totp']])
			await p.no(403, 'forbidden', method,
			    `${STAFF}/${both.id}${where}`, { as, body });
	}
	assert.equal(await me(both), 200);
	await p.yes(200, 'PATCH', `${STAFF}/${both.id}`,
	    { as: platform, body: { name: '两地' } });
	// Each may take what is theirs to give.
	const taken = await roles(both.id, adminZ, { admin: false,
		clerk: false });
	assert.deepEqual([taken.status, taken.json.account,
		taken.json.clerk], [200, 'both', false]);
	await p.no(404, 'not_found', 'GET', `${STAFF}/${both.id}`,
	    { as: adminZ });
	assert.equal(await p.value('SELECT COUNT(*) FROM user_role WHERE' +
	    ` user_id = ${both.id} AND community_id = ${THERE}`), '0');
	assert.equal((await p.yes(200, 'PATCH', `${STAFF}/${both.id}`,
	    { as: admin, body: { name: '此处' } })).name, '此处');
});

test('a platform account is out of sight, and cannot be made', async () => {
	const boss = await settled(p, 'boss');

	await p.sql(`INSERT INTO user_role VALUES (0, ${boss.id},` +
	    " 'platform', 1)");
	await p.no(404, 'not_found', 'GET', `${STAFF}/${boss.id}`,
	    { as: admin });
	await p.no(404, 'not_found', 'POST',
	    `${STAFF}/${boss.id}/reset-password`, { as: admin });
	await one(boss.id, platform);
	const { id } = await hire(p, 'climber');
	for (const body of [{ admin: true, clerk: true, platform: true },
		{ roles: ['platform'] }])
		assert.equal((await roles(id, admin, body)).status, 422);
});

test('roles are given and taken, in open sessions too', async () => {
	const who = await settled(p, 'changing');
	const list = async () => (await p.call('GET', STAFF,
	    { as: who })).status;

	assert.equal(await list(), 403);
	assert.equal((await roles(who.id, admin, { admin: true,
		clerk: true })).json.admin, true);
	assert.equal(await list(), 200);
	assert.equal((await roles(who.id, admin, { admin: false,
		clerk: true })).status, 200);
	assert.equal(await list(), 403);
	assert.deepEqual((await p.yes(200, 'GET', '/api/v1/me',
	    { as: who })).roles, ['clerk']);
});

test('a role of a post stays while the post does', async () => {
	const { id } = await hire(p, 'of.a.post', { clerk: true });

	await p.sql('INSERT INTO post (community_id, id, role, scope,' +
	    ' scope_id, user_id, name, from_at, created_at) VALUES' +
	    ` (${HERE}, 9901, 'clerk', 'community', 0, ${id}, 'x', 0, 0)`);
	assert.equal((await roles(id, admin, { admin: false,
		clerk: false })).json.code, 'state_conflict');
	await p.sql('UPDATE post SET to_at = 1 WHERE id = 9901');
	assert.equal((await roles(id, admin, { admin: false,
		clerk: false })).status, 200);
});

test('the last admin stays', async () => {
	const z = await settled(p, 'admin.there', { admin: true }, 'admin-z');
	const away = { admin: false, clerk: false };

	// Of two who leave at once one stays.
	await roles(z.id, adminZ, { admin: true, clerk: false });
	const x = await settled(p, 'admin.third', { admin: true }, 'admin-z');
	await p.sql("DELETE FROM user_role WHERE role = 'admin' AND" +
	    ` user_id = ${adminZ.id}`);
	const both = await Promise.all([roles(z.id, z, away),
		roles(x.id, x, away)]);
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
	const last = both[0].status === 409 ? z : x;
	await p.no(409, 'state_conflict', 'DELETE', `${STAFF}/${last.id}`,
	    { as: last });
	await p.no(409, 'state_conflict', 'PATCH', `${STAFF}/${last.id}`,
	    { as: last, body: { closed: true } });
	assert.equal(await me(last), 200);
	// Not for the platform's admin either, wherever that one is.
	await p.no(409, 'state_conflict', 'DELETE', `${STAFF}/${last.id}`,
	    { as: platform });
	await p.sql(`INSERT INTO user_role VALUES (${THERE}, ${adminZ.id},` +
	    " 'admin', 1)");
	await p.yes(204, 'DELETE', `${STAFF}/${last.id}`, { as: last });
	assert.equal(await me(last), 401);
});

test('two who remove each other at once: one stays', async () => {
	const left = async () => Number(await p.value('SELECT COUNT(*) FROM' +
	    ' user_role r JOIN app_user u ON u.id = r.user_id WHERE' +
	    ` r.community_id = ${THERE} AND r.role = 'admin'` +
	    ' AND u.closed_at IS NULL'));
	const away = { admin: false, clerk: false };
	const ways = [(as, id) => roles(id, as, away),
		(as, id) => p.call('DELETE', `${STAFF}/${id}`, { as }),
		(as, id) => p.call('PATCH', `${STAFF}/${id}`,
		    { as, body: { closed: true } })];

	for (const [i, way] of [...ways, ...ways].entries()) {
		const pair = [];
		for (const name of ['x', 'y'])
			pair.push(await settled(p, `pair.${name}${i}`,
			    { admin: true }, 'admin-z'));
		await p.sql("DELETE FROM user_role WHERE role = 'admin'" +
		    ` AND community_id = ${THERE} AND user_id NOT IN` +
		    ` (${pair.map((one) => one.id)})`);
		const both = await Promise.all([way(pair[0], pair[1].id),
			way(pair[1], pair[0].id)]);
		assert.equal(both.filter((r) => r.status < 300).length, 1,
		    both.map((r) => r.text).join());
		assert.equal(await left(), 1);
		await p.sql(`INSERT INTO user_role VALUES (${THERE},` +
		    ` ${adminZ.id}, 'admin', 1)`);
	}
});

test('two of the platform who remove each other at once', async () => {
	const kept = await p.sql('SELECT user_id FROM user_role WHERE' +
	    " community_id = 0 AND role = 'platform'");
	const pair = [await settled(p, 'boss.one'),
		await settled(p, 'boss.two', {}, 'admin-z')];

	await p.sql("DELETE FROM user_role WHERE role = 'platform'");
	for (const one of pair)
		await p.sql(`INSERT INTO user_role VALUES (0, ${one.id},` +
		    " 'platform', 1)");
	const as = [];
	for (const name of ['boss.one', 'boss.two'])
		as.push(await loginYes(p, name,
		    pair.find((one) => one.account === name).password));
	const both = await Promise.all([0, 1].map((i) => p.call('DELETE',
	    `${STAFF}/${pair[1 - i].id}`, { as: as[i] })));
	assert.equal(both.filter((r) => r.status === 204).length, 1,
	    both.map((r) => r.text).join());
	assert.equal(await p.value('SELECT COUNT(*) FROM user_role r JOIN' +
	    ' app_user u ON u.id = r.user_id WHERE r.community_id = 0 AND' +
	    ' u.closed_at IS NULL'), '1');
	await p.sql('DELETE FROM user_role WHERE community_id = 0');
	for (const { user_id } of kept)
		await p.sql(`INSERT INTO user_role VALUES (0, ${user_id},` +
		    " 'platform', 1)");
});

test('closed is closed at once, and may be opened again', async () => {
	const who = await settled(p, 'leaving', { clerk: true });

	assert.equal(await me(who), 200);
	await p.yes(204, 'DELETE', `${STAFF}/${who.id}`, { as: admin });
	assert.equal(await me(who), 401);
	await loginNo(p, 401, 'bad_credentials', 'leaving', who.password);
	assert.ok((await p.yes(200, 'GET', `${STAFF}?closed=true`,
	    { as: admin })).items.some((row) => row.id === who.id));
	assert.ok(!(await p.yes(200, 'GET', `${STAFF}?limit=100`,
	    { as: admin })).items.some((row) => row.id === who.id));
	await p.no(409, 'state_conflict', 'POST',
	    `${STAFF}/${who.id}/reset-password`, { as: admin });
	assert.equal((await roles(who.id, admin, { admin: true,
		clerk: true })).status, 409);
	assert.equal((await p.yes(200, 'PATCH', `${STAFF}/${who.id}`,
	    { as: admin, body: { closed: false, phone: '13912340002' } }))
	    .closed_at, null);
	await loginYes(p, 'leaving', who.password);
});

test('a reset ends what was open, and its password is for once', async () => {
	const who = await settled(p, 'reset.me');
	const { password } = await p.yes(200, 'POST',
	    `${STAFF}/${who.id}/reset-password`, { as: admin });

	assert.equal(await me(who), 401);
	await loginNo(p, 401, 'bad_credentials', 'reset.me', who.password);
	assert.equal((await loginYes(p, 'reset.me', password)).must_change,
	    true);
	const self = await settled(p, 'admin.self', { admin: true });
	await p.no(409, 'state_conflict', 'POST',
	    `${STAFF}/${self.id}/reset-password`, { as: self });
});

test('all sessions of one are ended, and no one else\'s', async () => {
	const who = await settled(p, 'many'), other = await settled(p, 'few');
	const second = await loginYes(p, 'many', who.password);

	await p.yes(204, 'DELETE', `${STAFF}/${who.id}/sessions`,
	    { as: admin });
	assert.deepEqual([await me(who), await me(second), await me(other)],
	    [401, 401, 200]);
	await loginYes(p, 'many', who.password);
});

test('a resident with WeChat is not closed with the account', async () => {
	const who = await settled(p, 'neighbour');

	await p.sql("UPDATE app_user SET openid = 'neighbour' WHERE id =" +
	    ` ${who.id}`);
	await p.no(409, 'state_conflict', 'DELETE', `${STAFF}/${who.id}`,
	    { as: admin });
	assert.equal(await me(who), 200);
});

test('with Redis away nothing is half done', async () => {
	const who = await settled(p, 'in.the.dark');

	await p.stop('redis');
	const r = await p.call('POST', `${STAFF}/${who.id}/reset-password`,
	    { as: admin });
	assert.equal(r.status, 503, r.text);
	assert.equal((await login(p, 'in.the.dark', who.password)).status,
	    503);
	await p.start('redis');
	await until(async () => (await login(p, 'in.the.dark', who.password))
	    .status === 201, 'log-ins again');
});
