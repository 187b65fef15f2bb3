// SPDX-License-Identifier: Apache-2.0
//
// 43-totp-scan -- the second factor, and logging in by scanning.
import assert from 'node:assert/strict';

import { HOUR, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { login, loginNo, loginYes, settled, STAFF, totp }
    from './lib/staff.mjs';

const TOTP = '/api/v1/me/totp', SCANS = '/api/v1/sessions/scans';
const p = await start({ jobs: false });
const admin = await p.as('role-admin');
const code = (secret, ms = 0) => totp(secret, p.clock.now() + ms);
const step = () => p.clock.add(30 * SECOND);

// An account with a second factor; its recovery codes.
async function guarded(account) {
	const who = await settled(p, account, { clerk: true });

	who.secret = (await p.yes(201, 'POST', TOTP, { as: who })).secret;
	who.codes = (await p.yes(200, 'POST', `${TOTP}/confirm`,
	    { as: who, body: { code: code(who.secret) } })).items
	    .map((row) => row.code);
	step();
	return who;
}

test('a secret counts after its first code', async () => {
	const who = await settled(p, 'second');
	const { secret, uri } = await p.yes(201, 'POST', TOTP, { as: who });

	assert.match(secret, /^[A-Z2-7]{32}$/);
	assert.ok(uri.startsWith('otpauth://totp/01%E6%98%9F%E7%90%83:second' +
	    `?secret=${secret}&`), uri);
	await loginYes(p, 'second', who.password);
	const kept = await p.value('SELECT totp_new FROM app_user WHERE id =' +
	    ` ${who.id}`);
	assert.ok(!kept.includes(secret));
	await p.no(422, 'invalid_field', 'POST', `${TOTP}/confirm`,
	    { as: who, body: { code: '000000' === code(secret) ? '000001' :
		'000000' } });
	assert.equal((await p.yes(200, 'GET', TOTP, { as: who })).enabled,
	    false);
	const { items } = await p.yes(200, 'POST', `${TOTP}/confirm`,
	    { as: who, body: { code: code(secret) } });
	assert.equal(new Set(items.map((row) => row.code)).size, 10);
	assert.deepEqual(await p.yes(200, 'GET', TOTP, { as: who }),
	    { enabled: true, codes: 10 });
	const indexes = JSON.stringify(await p.sql('SELECT * FROM' +
	    ' recovery_code'));
	assert.ok(items.every((row) => !indexes.includes(row.code)));
	await p.no(409, 'state_conflict', 'POST', TOTP, { as: who });
	await p.no(409, 'state_conflict', 'POST', `${TOTP}/confirm`,
	    { as: who, body: { code: code(secret) } });
});

test('log-in asks for it after the right password only', async () => {
	const who = await guarded('asked');

	await loginNo(p, 401, 'bad_credentials', 'asked', 'Falsch-12345');
	await loginNo(p, 401, 'bad_credentials', 'asked', 'Falsch-12345',
	    { totp: code(who.secret) });
	await loginNo(p, 401, 'totp_required', 'asked', who.password);
	await loginYes(p, 'asked', who.password,
	    { totp: code(who.secret) });
	step();
	await loginNo(p, 401, 'totp_invalid', 'asked', who.password,
	    { totp: code(who.secret, 5 * MINUTE) });
	await loginNo(p, 401, 'totp_invalid', 'asked', who.password,
	    { totp: 'abcdef' });
	assert.equal((await login(p, 'asked', who.password, { totp: '12345' }))
	    .status, 422);
});

test('a code works once, and one step to either side', async () => {
	const who = await guarded('once');
	const fits = async (ms) => (await login(p, 'once', who.password,
	    { totp: code(who.secret, ms) })).status;

	const used = code(who.secret);
	await loginYes(p, 'once', who.password, { totp: used });
	await loginNo(p, 401, 'totp_invalid', 'once', who.password,
	    { totp: used });
	step();
	step();
	assert.equal(await fits(-60 * SECOND), 401);
	assert.equal(await fits(-30 * SECOND), 201);
	assert.equal(await fits(60 * SECOND), 401);
	assert.equal(await fits(30 * SECOND), 201);
	// What lies before a code that was used is over too.
	assert.equal(await fits(0), 401);
});

test('one code twice at once opens one session', async () => {
	const who = await guarded('doubled');
	const one = code(who.secret);
	const all = await Promise.all([1, 2, 3].map(() => login(p, 'doubled',
	    who.password, { totp: one })));

	assert.deepEqual(all.map((r) => r.status).sort(), [201, 401, 401]);
});

test('wrong codes count as wrong passwords do', async () => {
	const who = await guarded('guessed');

	for (let i = 0; i < 5; i++)
		await loginNo(p, 401, 'totp_invalid', 'guessed', who.password,
		    { totp: code(who.secret, (i + 5) * MINUTE) });
	await loginNo(p, 429, 'login_locked', 'guessed', who.password,
	    { totp: code(who.secret) });
	// And what was only not asked for does not.
	const other = await guarded('asked.often');
	for (let i = 0; i < 7; i++)
		await loginNo(p, 401, 'totp_required', 'asked.often',
		    other.password);
	await loginYes(p, 'asked.often', other.password,
	    { totp: code(other.secret) });
});

test('a recovery code is good once, however it is typed', async () => {
	const who = await guarded('lost.phone');

	await loginYes(p, 'lost.phone', who.password,
	    { totp: who.codes[0] });
	await loginNo(p, 401, 'totp_invalid', 'lost.phone', who.password,
	    { totp: who.codes[0] });
	await loginYes(p, 'lost.phone', who.password,
	    { totp: who.codes[1].toUpperCase().replace('-', '') });
	assert.equal((await p.yes(200, 'GET', TOTP, { as: who })).codes, 8);
	const other = await guarded('other.phone');
	await loginNo(p, 401, 'totp_invalid', 'other.phone', other.password,
	    { totp: who.codes[2] });
});

test('it is switched off by a code, not by an open session', async () => {
	const who = await guarded('off');

	const OFF = `${TOTP}/off`;
	await p.no(422, 'invalid_field', 'POST', OFF, { as: who, body: {} });
	await p.no(422, 'invalid_field', 'POST', OFF,
	    { as: who, body: { code: code(who.secret, HOUR) } });
	// Addresses are written into logs.
	await p.no(405, 'method_not_allowed', 'DELETE',
	    `${TOTP}?code=${code(who.secret)}`, { as: who });
	await p.yes(204, 'POST', OFF,
	    { as: who, body: { code: code(who.secret) } });
	await loginYes(p, 'off', who.password);
	await p.no(404, 'not_found', 'POST', OFF,
	    { as: who, body: { code: '123456' } });
	assert.equal(await p.value('SELECT COUNT(*) FROM recovery_code WHERE' +
	    ` user_id = ${who.id}`), '0');
});

test('an admin may take a lost one away, and it is noted', async () => {
	const who = await guarded('forgotten');

	await p.no(404, 'not_found', 'DELETE', `${STAFF}/${who.id}/totp`,
	    { as: await p.as('admin-z') });
	await loginNo(p, 401, 'totp_required', 'forgotten', who.password);
	await p.yes(204, 'DELETE', `${STAFF}/${who.id}/totp`, { as: admin });
	await loginYes(p, 'forgotten', who.password);
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE' +
	    " action = 'DELETE /api/v1/staff/{id}/totp' AND user_id =" +
	    ` ${admin.id} AND thing_id = ${who.id}`), '1');
	const self = await settled(p, 'self.admin', { admin: true });
	await p.no(409, 'state_conflict', 'DELETE',
	    `${STAFF}/${self.id}/totp`, { as: self });
});

test('who logs in by WeChat needs none', async () => {
	await p.no(409, 'state_conflict', 'POST', TOTP, { as: admin });
	assert.deepEqual(await p.yes(200, 'GET', TOTP, { as: admin }),
	    { enabled: false, codes: 0 });
});

// --- Scanning -----------------------------------------------------------

const WINDOWS = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64)' +
    ' AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36' };
const scan = () => p.yes(201, 'POST', SCANS, { headers: WINDOWS });
const claim = (s, secret = s.secret) => p.call('POST',
    `${SCANS}/${s.code}/claim`, { body: { secret } });
const say = (s, word, as) => p.call('POST', `${SCANS}/${s.code}/${word}`,
    { as });

test('a code is shown, scanned, confirmed, and opens once', async () => {
	const clerk = await p.as('role-clerk');
	const s = await scan();

	assert.ok(Math.abs(Date.parse(s.expires_at) - p.clock.now() -
	    2 * MINUTE) < 5 * SECOND);
	assert.deepEqual((await claim(s)).json, { state: 'waiting',
		session: null });
	const seen = await p.yes(200, 'GET', `${SCANS}/${s.code}`,
	    { as: clerk });
	assert.deepEqual([seen.state, seen.address, seen.device],
	    ['waiting', '127.0.0.1', 'Chrome · Windows']);
	assert.equal((await say(s, 'confirm', clerk)).status, 204);
	const { state, session } = (await claim(s)).json;
	assert.equal(state, 'done');
	assert.deepEqual([session.user.id, session.user.roles,
		session.must_change], [clerk.id, ['clerk'], false]);
	const life = Date.parse(session.expires_at) - p.clock.now();
	assert.ok(life > 29 * MINUTE && life <= 31 * MINUTE, 'short');
	assert.equal((await p.call('GET', '/api/v1/me',
	    { as: session })).status, 200);
	assert.equal((await claim(s)).status, 404);
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE action' +
	    " LIKE 'POST /api/v1/sessions/scans/%' AND user_id =" +
	    ` ${clerk.id}`), '2');
	// The console's session makes no other one.
	assert.equal((await say(await scan(), 'confirm', session)).json.code,
	    'state_conflict');
});

test('two claims at once give one session', async () => {
	const s = await scan();

	assert.equal((await say(s, 'confirm', admin)).status, 204);
	const all = await Promise.all([1, 2, 3, 4].map(() => claim(s)));
	assert.deepEqual(all.map((r) => r.status).sort(),
	    [200, 404, 404, 404]);
	assert.equal(all.filter((r) => r.json.session).length, 1);
});

test('a refusal is final, and so is a confirmation', async () => {
	const [a, b] = [await scan(), await scan()];

	assert.equal((await say(a, 'refuse', admin)).status, 204);
	assert.equal((await say(a, 'confirm', admin)).status, 409);
	assert.equal((await claim(a)).json.code, 'state_conflict');
	assert.equal((await claim(a)).status, 404);
	assert.equal((await say(b, 'confirm', admin)).status, 204);
	assert.equal((await say(b, 'confirm', await p.as('role-clerk')))
	    .status, 409);
	assert.equal((await claim(b)).json.session.user.id, admin.id);
});

test('residents and strangers confirm nothing', async () => {
	const s = await scan();

	for (const who of ['role-resident', 'lost'])
		for (const [method, more] of [['GET', ''],
			['POST', '/confirm'], ['POST', '/refuse']])
			assert.equal((await p.call(method, SCANS +
			    `/${s.code}${more}`, { as: await p.as(who) }))
			    .status, 403);
	assert.equal((await p.call('POST', `${SCANS}/${s.code}/confirm`))
	    .status, 401);
	assert.equal((await claim(s)).json.state, 'waiting');
});

test('neither the code nor another\'s secret is enough', async () => {
	const [a, b] = [await scan(), await scan()];

	assert.equal((await say(a, 'confirm', admin)).status, 204);
	for (const secret of [b.secret, a.code, 'x', a.secret.slice(1)])
		assert.equal((await claim(a, secret)).status, 404);
	assert.equal((await claim({ code: 'invented', secret: a.secret }))
	    .status, 404);
	assert.equal((await claim(a, '')).status, 422);
	assert.equal((await claim(a)).json.state, 'done');
	for (const code of ['invented', 'x'.repeat(64), '%E6%B0%B4'])
		for (const [method, more] of [['GET', ''],
			['POST', '/confirm'], ['POST', '/refuse']])
			assert.equal((await p.call(method, SCANS +
			    `/${code}${more}`, { as: admin })).status, 404);
});

test('after two minutes it is over', async () => {
	const [a, b] = [await scan(), await scan()];

	await say(b, 'confirm', admin);
	p.clock.add(2 * MINUTE + SECOND);
	assert.equal((await claim(a)).status, 404);
	assert.equal((await claim(b)).status, 404);
	assert.equal((await say(a, 'confirm', admin)).status, 404);
});

test('who loses the role before the claim gets nothing', async () => {
	const who = await settled(p, 'demoted');
	const s = await scan();

	await p.sql("UPDATE app_user SET openid = 'demoted' WHERE id =" +
	    ` ${who.id}`);
	await p.sql(`INSERT INTO user_role VALUES (101, ${who.id}, 'clerk',` +
	    ' 1)');
	assert.equal((await say(s, 'confirm', await p.as('demoted'))).status,
	    204);
	await p.sql(`DELETE FROM user_role WHERE user_id = ${who.id}`);
	assert.equal((await claim(s)).json.code, 'state_conflict');
});

test('with Redis away nobody scans', async () => {
	const s = await scan();

	await p.stop('redis');
	assert.equal((await p.call('POST', SCANS)).status, 503);
	assert.equal((await claim(s)).status, 503);
	await p.start('redis');
	await until(async () => (await p.call('POST', SCANS)).status === 201,
	    'scans again');
});
