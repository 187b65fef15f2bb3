// SPDX-License-Identifier: Apache-2.0
//
// 42-password -- rules, age, lock-out, and the first password.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { DAY, MINUTE, SECOND, start, test } from './harness.mjs';
import { changePassword, hire, login, loginNo, loginYes, settled, STAFF }
    from './lib/staff.mjs';

const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const me = async (who) => (await p.call('GET', '/api/v1/me',
    { as: who })).status;
const guard = async (id) => p.value('SELECT tries FROM login_guard WHERE' +
    ` user_id = ${id}`);
const wrong = (account) => login(p, account, 'Falsch-12345');

test('the first password opens nothing but its own change', async () => {
	const one = await hire(p, 'first', { clerk: true, admin: true });
	const s = await loginYes(p, 'first', one.password);

	assert.equal(s.must_change, true);
	for (const [method, where, body] of [['GET', STAFF],
		['GET', '/api/v1/me/addresses'], ['GET', '/api/v1/me/notices'],
		['PATCH', '/api/v1/me', { name: 'x' }],
		['GET', '/api/v1/me/sessions'], ['POST', '/api/v1/me/totp']])
		await p.no(403, 'password_change', method, where,
		    { as: s, body });
	assert.equal(await me(s), 200);
	assert.equal((await changePassword(p, s, one.password,
	    'Mein-Eigenes-1')).status, 204);
	await p.yes(200, 'GET', STAFF, { as: s });
	await loginNo(p, 401, 'bad_credentials', 'first', one.password);
	assert.equal((await loginYes(p, 'first', 'Mein-Eigenes-1'))
	    .must_change, false);
	const again = await p.call('POST',
	    `${STAFF}/${one.id}/reset-password`, { as: admin });
	const t = await loginYes(p, 'first', again.json.password);
	await p.yes(204, 'DELETE', '/api/v1/sessions/current', { as: t });
});

test('passwords that are refused, and why', async () => {
	const who = await settled(p, 'choosy');
	const no = async (fresh, code) => {
		const r = await changePassword(p, who, who.password, fresh);
		assert.equal(r.status, 422, `${fresh} ${r.text}`);
		assert.deepEqual(r.json.fields.map((f) => [f.field, f.code]),
		    [['new', code]]);
	};

	await no('Ab1-efg', 'too_short');
	await no('abcdefgh', 'too_plain');
	await no('abcdefg1', 'too_plain');
	await no('ABCDEFG1', 'too_plain');
	await no('密码密码密码密码1', 'too_plain');
	await no('x-Choosy-99', 'account');
	await no('Aa1-'.repeat(32) + 'x', 'too_long');
	await no(who.password, 'used');
	const bad = await changePassword(p, who, 'Nicht-das-1',
	    'Etwas-Neues-1');
	assert.deepEqual(bad.json.fields.map((f) => [f.field, f.code]),
	    [['old', 'wrong']]);
	assert.equal(await me(who), 200);
	for (const good of ['Abcdefg1', 'abcdef-1', '密码密码密码a1']) {
		assert.equal((await changePassword(p, who, who.password,
		    good)).status, 204, good);
		who.password = good;
	}
});

test('the last five are refused, the sixth may come back', async () => {
	const who = await settled(p, 'history');
	const all = [who.password];

	for (let i = 1; i <= 5; i++) {
		const fresh = `Geheimes-${i}x`;
		assert.equal((await changePassword(p, who, all.at(-1), fresh))
		    .status, 204);
		all.push(fresh);
	}
	for (const old of all.slice(1)) {
		const r = await changePassword(p, who, all.at(-1), old);
		assert.deepEqual(r.json.fields?.map((f) => f.code), ['used'],
		    `${old} ${r.text}`);
	}
	assert.equal((await changePassword(p, who, all.at(-1), all[0]))
	    .status, 204);
	assert.ok(Number(await p.value('SELECT COUNT(*) FROM password_old' +
	    ` WHERE user_id = ${who.id}`)) <= 5);
	assert.ok(!(await p.sql('SELECT password FROM password_old')).some(
	    (row) => !row.password.startsWith('$argon2id$')));
});

test('a change ends the other sessions and keeps this one', async () => {
	const who = await settled(p, 'several');
	const other = await loginYes(p, 'several', who.password);

	assert.equal((await changePassword(p, who, who.password,
	    'Ganz-Anders-1')).status, 204);
	assert.deepEqual([await me(who), await me(other)], [200, 401]);
});

test('two changes at once: one holds', async () => {
	const who = await settled(p, 'hurried');
	const all = await Promise.all(['Eins-Zwei-1', 'Zwei-Drei-2'].map(
	    (one) => changePassword(p, who, who.password, one)));
	const good = all.map((r) => r.status);

	assert.equal(good.filter((n) => n === 204).length, 1, `${good}`);
	const holds = good[0] === 204 ? 'Eins-Zwei-1' : 'Zwei-Drei-2';
	await loginYes(p, 'hurried', holds);
});

test('who has no password has none to change', async () => {
	await p.no(409, 'state_conflict', 'POST', '/api/v1/me/password',
	    { as: admin, body: { old: 'x', new: 'Etwas-Neues-1' } });
});

test('an old password must be changed', async () => {
	const who = await settled(p, 'aged');
	const offset = p.clock.offset;

	p.clock.add(90 * DAY - MINUTE);
	assert.equal((await loginYes(p, 'aged', who.password)).must_change,
	    false);
	p.clock.add(2 * MINUTE);
	const s = await loginYes(p, 'aged', who.password);
	assert.equal(s.must_change, true);
	assert.equal((await changePassword(p, s, who.password,
	    'Wieder-Neu-1')).status, 204);
	assert.equal((await loginYes(p, 'aged', 'Wieder-Neu-1'))
	    .must_change, false);
	p.clock.set(offset);
	await p.as('role-admin', { fresh: true });
});

test('five wrong ones lock for a quarter of an hour', async () => {
	const who = await settled(p, 'locked');
	const open = await loginYes(p, 'locked', who.password);

	for (let i = 0; i < 5; i++)
		assert.equal((await wrong('locked')).status, 401);
	const no = await loginNo(p, 429, 'login_locked', 'locked',
	    who.password);
	const wait = Number(no.headers['retry-after']);
	assert.ok(wait > 14 * 60 && wait <= 15 * 60 + 1, `${wait}`);
	assert.equal(await me(open), 200, 'open sessions live on');
	assert.notEqual((await p.yes(200, 'GET', `${STAFF}/${who.id}`,
	    { as: admin })).locked_until, null);
	p.clock.add(14 * MINUTE);
	await loginNo(p, 429, 'login_locked', 'locked', who.password);
	p.clock.add(MINUTE + SECOND);
	assert.equal((await wrong('locked')).status, 401);
	await loginYes(p, 'locked', who.password);
	assert.equal(await guard(who.id), undefined);
});

test('a right one in between begins anew', async () => {
	const who = await settled(p, 'human');

	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 4; i++)
			assert.equal((await wrong('human')).status, 401);
		await loginYes(p, 'human', who.password);
	}
});

test('a name that does not exist is locked as one that does', async () => {
	const who = await settled(p, 'exists');
	const seen = async (account) => {
		const all = [];
		for (let i = 0; i < 7; i++) {
			const r = await wrong(account);
			all.push([r.status, r.json.code, r.json.detail]);
		}
		return all;
	};

	assert.deepEqual(await seen('exists'), await seen('exists.not'));
	assert.ok(!JSON.stringify(await p.sql('SELECT * FROM login_guard'))
	    .includes('exists'));
	await p.yes(204, 'POST', `${STAFF}/${who.id}/unlock`, { as: admin });
	await loginYes(p, 'exists', who.password);
});

test('many at once are no more than five', async () => {
	const who = await settled(p, 'stormed');

	for (let i = 0; i < 3; i++)
		assert.equal((await wrong('stormed')).status, 401);
	// Around the fifth: whatever the order, two more are looked at.
	const all = await Promise.all(Array.from({ length: 4 },
	    () => wrong('stormed')));
	const codes = all.map((r) => r.status).sort();
	assert.deepEqual(codes, [401, 401, 429, 429]);
	await loginNo(p, 429, 'login_locked', 'stormed', who.password);
});

test('the right and a wrong one at once as the fifth', async () => {
	const who = await settled(p, 'racing');

	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 4; i++)
			assert.equal((await wrong('racing')).status, 401);
		const [good, bad] = await Promise.all([login(p, 'racing',
		    who.password), wrong('racing')]);
		assert.ok([401, 429].includes(bad.status), bad.text);
		assert.ok([201, 429].includes(good.status), good.text);
		await p.yes(204, 'POST', `${STAFF}/${who.id}/unlock`,
		    { as: admin });
	}
	await loginYes(p, 'racing', who.password);
});

test('neither a restart nor an empty Redis forgets', async () => {
	const who = await settled(p, 'patient');

	for (let i = 0; i < 4; i++)
		assert.equal((await wrong('patient')).status, 401);
	await p.stop('slow');
	await p.start('slow');
	assert.equal((await wrong('patient')).status, 401);
	await p.stop('redis');
	fs.rmSync(`${p.dir}/redis`, { recursive: true });
	fs.mkdirSync(`${p.dir}/redis`);
	await p.start('redis');
	await p.stop('slow');
	await p.start('slow');
	await loginNo(p, 429, 'login_locked', 'patient', who.password);
	const boss = await p.as('role-admin', { fresh: true });
	await p.yes(204, 'POST', `${STAFF}/${who.id}/unlock`, { as: boss });
	await loginYes(p, 'patient', who.password);
	p.people.clear();
});

test('the old password is guarded as a log-in is', async () => {
	const who = await settled(p, 'stolen');

	for (let i = 0; i < 5; i++)
		assert.equal((await changePassword(p, who, 'Geraten-1',
		    'Etwas-Neues-1')).status, 422);
	const r = await changePassword(p, who, who.password, 'Etwas-Neues-1');
	assert.equal(r.json.code, 'login_locked');
});

test('log-ins leave a row each, and no word of what was typed', async () => {
	const who = await settled(p, 'watched');
	const rows = () => p.sql('SELECT reason, user_id, community_id,' +
	    " address FROM audit WHERE action = 'POST" +
	    " /api/v1/sessions/staff' ORDER BY at, seq");
	const mine = async () => (await rows()).filter((row) =>
	    row.user_id === who.id).map((row) => row.reason);
	const before = (await mine()).length;

	await wrong('watched');
	await loginYes(p, 'watched', who.password);
	for (let i = 0; i < 5; i++)
		await wrong('watched');
	await wrong('watched');
	assert.deepEqual((await mine()).slice(before), ['bad_credentials',
		null, ...Array(5).fill('bad_credentials'), 'login_locked']);
	const nobody = (await rows()).length;
	await wrong('watched.not');
	const last = (await rows()).filter((row) => row.user_id === '0');
	assert.equal((await rows()).length, nobody + 1);
	assert.equal(last.at(-1).community_id, '0');
	const all = JSON.stringify(await p.sql('SELECT * FROM audit'));
	assert.ok(!all.includes('Falsch-12345') &&
	    !all.includes('watched.not'));
});

test('planetctl: the first must be changed, unless it is kept', async () => {
	const file = `${p.dir}/pw`;
	const create = (account, password, ...more) => {
		fs.writeFileSync(file, `${password}\n`);
		return p.ctl('admin', 'create', '--account', account,
		    '--community', '520403001001', '--password-file', file,
		    ...more);
	};

	await create('ctl.one', 'Aus-der-Konsole-1');
	assert.equal((await loginYes(p, 'ctl.one', 'Aus-der-Konsole-1'))
	    .must_change, true);
	await create('ctl.two', 'Aus-der-Konsole-1', '--keep-password');
	assert.equal((await loginYes(p, 'ctl.two', 'Aus-der-Konsole-1'))
	    .must_change, false);
	await assert.rejects(create('ctl.three', 'alleskleinhier',
	    '--keep-password'), /three of/);
	for (let i = 0; i < 5; i++)
		await wrong('ctl.two');
	fs.writeFileSync(file, 'Noch-Einmal-2\n');
	await p.ctl('admin', 'reset-password', '--account', 'ctl.two',
	    '--password-file', file);
	assert.equal((await loginYes(p, 'ctl.two', 'Noch-Einmal-2'))
	    .must_change, true);
});
