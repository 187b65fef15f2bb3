// SPDX-License-Identifier: Apache-2.0
//
// 02-login -- from a WeChat code or a password to a session, and out.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { DAY, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { run } from './lib/proc.mjs';

const TIMEOUT = 1000;
const p = await start({ conf: { wechat_timeout_ms: TIMEOUT } });

const me = (token) => p.call('GET', '/api/v1/me', { token });
const login = (body) => p.call('POST', '/api/v1/sessions', { body });
const refused = (body, status, code) =>
    p.no(status, code, 'POST', '/api/v1/sessions', { body });

test('a code opens a session', async () => {
	const code = await p.wx.loginCode('anna');
	const s = await p.yes(201, 'POST', '/api/v1/sessions',
	    { body: { code } });

	assert.match(s.token, /^[A-Za-z0-9_-]{43}$/);
	assert.ok(Math.abs(Date.parse(s.expires_at) -
	    (p.clock.now() + 30 * DAY)) < MINUTE);
	assert.match(s.expires_at, /\+08:00$/);
	assert.deepEqual({ ...s.user, id: null }, { id: null, name: '',
		phone: null, community_id: null, community: null,
		roles: [] });
	assert.deepEqual((await me(s.token)).json, s.user);
});

test('the same person is the same user with another token', async () => {
	const [a, b] = [await p.as('anna', { fresh: true }),
		await p.as('anna', { fresh: true })];
	const other = await p.as('berta', { fresh: true });

	assert.equal(a.id, b.id);
	assert.notEqual(a.token, b.token);
	assert.notEqual(other.id, a.id);
});

test('two first log-ins at once make one user', async () => {
	const both = await Promise.all([1, 2, 3, 4].map(() =>
	    p.as('twin', { fresh: true })));

	assert.equal(new Set(both.map((one) => one.id)).size, 1);
	assert.equal(await p.value("SELECT COUNT(*) FROM app_user" +
	    " WHERE openid = 'twin'"), '1');
});

test('a code is good once', async () => {
	const code = await p.wx.loginCode('anna');

	await p.yes(201, 'POST', '/api/v1/sessions', { body: { code } });
	await refused({ code }, 401, 'login_code_invalid');
});

test('an invented code, an expired one, one for the phone', async () => {
	await refused({ code: 'invented' }, 401, 'login_code_invalid');
	await refused({ code: await p.wx.phoneCode('13900000001') }, 401,
	    'login_code_invalid');
	const code = await p.wx.loginCode('anna');
	await p.wx.clock(5 * MINUTE + SECOND);
	await refused({ code }, 401, 'login_code_invalid');
	await p.wx.clock(0);
});

test('a person blocked by WeChat is told so', async () => {
	await refused({ code: await p.wx.loginCode('anna',
	    { blocked: true }) }, 403, 'wechat_blocked');
	await p.wx.fault('login', 'errcode', { errcode: 40226 });
	await refused({ code: await p.wx.loginCode('anna') }, 403,
	    'wechat_blocked');
});

test('WeChat failing is 503, and the next log-in goes well', async (t) => {
	for (const [mode, more] of [['errcode', { errcode: -1 }],
		['errcode', { errcode: 45011 }], ['garbage', {}],
		['garbage', { body: '[]' }], ['garbage', { body: '' }],
		['garbage', { body: '{"openid":17}' }],
		['garbage', { body: '{"openid":"' + 'x'.repeat(1 << 19) +
		    '"}' }],
		['half', {}], ['close', {}], ['http500', {}]]) {
		await p.wx.fault('login', mode, { times: 100, ...more });
		await refused({ code: await p.wx.loginCode('anna') }, 503,
		    'wechat_unavailable');
		await p.wx.clearFaults();
		await p.as('anna', { fresh: true });
	}
});

test('WeChat saying nothing ends in time and harms nobody', async () => {
	const other = await p.as('berta');

	await p.wx.fault('login', 'hang', { times: 100 });
	const began = Date.now();
	const waiting = Promise.all(['a', 'b', 'c', 'd'].map(async (who) =>
	    refused({ code: await p.wx.loginCode(who) }, 503,
		'wechat_unavailable')));
	for (let i = 0; i < 20; i++)
		assert.equal((await me(other.token)).status, 200);
	assert.ok(Date.now() - began < TIMEOUT, 'reads waited for WeChat');
	await waiting;
	assert.ok(Date.now() - began < 3 * TIMEOUT + SECOND);
	await p.wx.clearFaults();
	await p.as('anna', { fresh: true });
});

test('input that is no code', async () => {
	const field = async (body, code) => {
		const problem = await refused(body, 422, 'invalid_field');
		assert.deepEqual(problem.fields.map((f) =>
		    [f.field, f.code]), code);
	};

	await field({}, [['code', 'required']]);
	await field({ code: '' }, [['code', 'required']]
	    .map(([f]) => [f, 'too_short']));
	await field({ code: null }, [['code', 'null']]);
	await field({ code: 7 }, [['code', 'type']]);
	await field({ code: 'x'.repeat(129) }, [['code', 'too_long']]);
	await field({ code: 'a\u0000b' }, [['code', 'not_text']]);
	await field({ code: 'x', more: 1 }, [['more', 'unknown']]);
});

test('Redis knows the hash of a token and not the token', async () => {
	const { token } = await p.as('anna', { fresh: true });
	const hash = createHash('sha256').update(token).digest('hex');
	const keys = await run('redis-cli', ['-s', p.redis, 'keys', '*']);

	assert.ok(keys.includes(`sess:${hash}`));
	assert.ok(!keys.includes(token));
	assert.ok(!p.log().some((line) => line.includes(token)));
});

test('what is no token opens nothing', async () => {
	const { token } = await p.as('anna');

	for (const authorization of [undefined, '', 'Bearer', 'Bearer ',
		`Basic ${token}`, token, `Bearer ${token}x`,
		`Bearer ${token.slice(1)}`, 'Bearer ' + 'A'.repeat(43),
		`Bearer ${token}, Bearer ${token}`, 'Bearer ' +
		'*'.repeat(43)]) {
		const reply = await p.call('GET', '/api/v1/me', { headers:
		    authorization === undefined ? {} : { authorization } });
		assert.equal(reply.status, 401, authorization);
		assert.equal(reply.json.code, 'no_session');
		assert.equal(reply.headers['www-authenticate'], 'Bearer');
	}
	assert.equal((await p.call('GET', '/api/v1/me', { headers:
	    { authorization: `bearer ${token}` } })).status, 200);
});

// The slow pool answers 422 to a session that it knows.
async function known(token) {
	const slow = await p.call('POST', '/api/v1/me/phone',
	    { token, body: {} });
	return [(await me(token)).status, slow.status];
}

// The pool that did not end it hears of it from Redis, in a moment.
async function unknown(token) {
	assert.equal((await me(token)).status, 401);
	await until(async () => (await known(token))[1] === 401,
	    'the other pool to know');
}

test('log-out ends this session and no other, in both pools', async () => {
	const [a, b] = [await p.as('anna', { fresh: true }),
		await p.as('anna', { fresh: true })];

	assert.deepEqual(await known(a.token), [200, 422]);
	await p.yes(204, 'DELETE', '/api/v1/sessions/current', { as: a });
	await p.no(401, 'no_session', 'DELETE', '/api/v1/sessions/current',
	    { as: a });
	await unknown(a.token);
	assert.deepEqual(await known(b.token), [200, 422]);
});

test('log-out of all ends all of one user, and no other\'s', async () => {
	const all = await Promise.all([1, 2, 3].map(() =>
	    p.as('anna', { fresh: true })));
	const other = await p.as('berta');

	for (const one of all)
		assert.deepEqual(await known(one.token), [200, 422]);
	await p.yes(204, 'DELETE', '/api/v1/sessions', { as: all[1] });
	for (const one of all)
		await unknown(one.token);
	assert.deepEqual(await known(other.token), [200, 422]);
	p.people.delete('anna');
});

test('an account that was closed logs in no more', async () => {
	const { id, token } = await p.as('gone');

	await p.sql(`UPDATE app_user SET closed_at = 1 WHERE id = ${id}`);
	await refused({ code: await p.wx.loginCode('gone') }, 403,
	    'forbidden');
	assert.equal((await me(token)).status, 401);
});

test('a session lives on by being used, and not otherwise', async () => {
	const [used, idle] = [await p.as('anna', { fresh: true }),
		await p.as('anna', { fresh: true })];

	for (let days = 0; days < 60; days += 20) {
		p.clock.add(20 * DAY);
		assert.equal((await me(used.token)).status, 200);
	}
	assert.equal((await me(idle.token)).status, 401);
	p.clock.add(30 * DAY - MINUTE);
	assert.equal((await me(used.token)).status, 200);
	p.clock.add(30 * DAY + SECOND);
	assert.equal((await me(used.token)).status, 401);
});

test('the first log-in stands in the audit by its user', async () => {
	const who = await p.as('audited-newcomer');

	assert.deepEqual(await p.sql('SELECT user_id, thing FROM audit WHERE' +
	    ` thing_id = ${who.id} AND action = 'POST /api/v1/sessions'`),
	    [{ user_id: who.id, thing: 'user' }]);
});
