// SPDX-License-Identifier: Apache-2.0
//
// 44-my-sessions -- where I am logged in, and how long a session can live.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { HOUR, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { run } from './lib/proc.mjs';
import { loginYes, settled } from './lib/staff.mjs';

const MINE = '/api/v1/me/sessions';
const p = await start({ jobs: false });
const me = async (who) => (await p.call('GET', '/api/v1/me',
    { as: who })).status;
const list = async (as) => (await p.yes(200, 'GET', MINE, { as })).items;

const AGENTS = [
	['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)' +
	    ' MicroMessenger/8.0.40 Safari/605', '微信 · iPhone'],
	['Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0 Chrome/114',
	    '微信 · 安卓'],
	['Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Firefox/120.0',
	    'Firefox · Linux'],
	['Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537 Edg/120',
	    'Edge · Windows'],
	['<script>alert(1)</script>', '未知设备'],
	['', '未知设备'],
];

test('each is listed with from where and on what', async () => {
	for (const [agent, name] of AGENTS) {
		const { token } = await p.yes(201, 'POST', '/api/v1/sessions',
		    { body: { code: await p.wx.loginCode('anna') },
			headers: { 'user-agent': agent } });
		const mine = (await list({ token })).find((s) => s.current);

		assert.deepEqual([mine.kind, mine.device, mine.address],
		    ['wechat', name, '127.0.0.1']);
		assert.ok(Math.abs(Date.parse(mine.opened_at) -
		    p.clock.now()) < MINUTE);
	}
	const all = await list(await p.as('anna', { fresh: true }));
	assert.equal(all.length, AGENTS.length + 1);
	assert.equal(all.filter((s) => s.current).length, 1);
	assert.ok(all[0].current, 'the newest first');
});

test('an id tells neither token nor hash, and ends one', async () => {
	const [a, b] = [await p.as('berta', { fresh: true }),
		await p.as('berta', { fresh: true })];
	const other = await p.as('carla');
	const hash = createHash('sha256').update(a.token).digest('hex');
	const id = (await list(a)).find((s) => s.current).id;

	assert.match(id, /^[1-9]\d{0,18}$/);
	assert.ok(!hash.includes(BigInt(id).toString(16)));
	assert.ok(!JSON.stringify(await list(a)).includes(a.token));
	await p.no(404, 'not_found', 'DELETE', `${MINE}/${id}`,
	    { as: other });
	assert.equal(await me(a), 200);
	await p.yes(204, 'DELETE', `${MINE}/${id}`, { as: b });
	assert.deepEqual([await me(a), await me(b)], [401, 200]);
	await p.no(404, 'not_found', 'DELETE', `${MINE}/${id}`, { as: b });
	assert.deepEqual((await list(b)).map((s) => s.current), [true]);
	await p.no(404, 'not_found', 'DELETE', `${MINE}/x`, { as: b });
});

test('nothing of an ended session stays in Redis', async () => {
	const who = await p.as('dora', { fresh: true });
	const hash = createHash('sha256').update(who.token).digest('hex');
	const keys = async () => (await run('redis-cli', ['-s', p.redis,
		'keys', `sess*${hash}`])).trim().split('\n').filter(Boolean);

	assert.equal((await keys()).length, 2);
	await p.yes(204, 'DELETE', '/api/v1/sessions/current', { as: who });
	assert.deepEqual(await keys(), []);
});

test('last use moves as the session slides', async () => {
	const who = await settled(p, 'sliding');
	const first = (await list(who)).find((s) => s.current);

	assert.equal(first.kind, 'staff');
	p.clock.add(10 * MINUTE);
	assert.equal(await me(who), 200);
	const then = (await list(who)).find((s) => s.current);
	assert.equal(then.id, first.id);
	assert.equal(then.opened_at, first.opened_at);
	assert.equal(Date.parse(then.used_at) - Date.parse(first.used_at) >=
	    10 * MINUTE, true);
});

test('a staff session ends after half a day, used or not', async () => {
	const { password } = await settled(p, 'tireless');
	const who = await loginYes(p, 'tireless', password);
	const idle = await loginYes(p, 'tireless', password);

	for (let ms = 0; ms < 12 * HOUR - 25 * MINUTE; ms += 25 * MINUTE) {
		p.clock.add(25 * MINUTE);
		assert.equal(await me(who), 200, `after ${ms}`);
	}
	assert.equal(await me(idle), 401, 'idle after 30 minutes');
	const mine = (await list(who)).find((s) => s.current);
	assert.ok(Date.parse(mine.expires_at) - p.clock.now() <
	    30 * MINUTE);
	p.clock.add(Date.parse(mine.expires_at) - p.clock.now() - SECOND);
	assert.equal(await me(who), 200);
	p.clock.add(2 * SECOND);
	assert.equal(await me(who), 401);
});

test('with Redis away the list is not invented', async () => {
	const who = await p.as('emma', { fresh: true });

	await list(who);
	await p.stop('redis');
	assert.equal((await p.call('GET', MINE, { as: who })).status, 503);
	assert.equal((await p.call('DELETE', `${MINE}/1`, { as: who }))
	    .status, 503);
	await p.start('redis');
	await until(async () => (await p.call('GET', MINE, { as: who }))
	    .status === 200, 'the list again');
});
