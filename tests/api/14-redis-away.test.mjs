// SPDX-License-Identifier: Apache-2.0
//
// 14-redis-away -- sessions cannot be known: say so, and recover alone.
import assert from 'node:assert/strict';

import { start, test, until } from './harness.mjs';
import { run } from './lib/proc.mjs';
import { place } from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const ME = '/api/v1/me';
const me = (as = anna) => p.call('GET', ME, { as });
const slow = (as = anna) => p.call('POST', '/api/v1/me/phone',
    { as, body: {} });
const login = async () => p.call('POST', '/api/v1/sessions',
    { body: { code: await p.wx.loginCode('anna') } });

// All that is so while it is away; `quick` is the longest a no may take.
async function whileAway(quick) {
	// A cached session may pass until the loss is noticed, by each pool.
	await until(async () => (await me()).status === 503, 'the first 503');
	await until(async () => (await slow()).status === 503,
	    'the first 503 of the slow pool');
	for (const ask of [me, slow, login]) {
		const began = Date.now();
		const r = await ask();
		assert.equal(`${r.status} ${r.json.code}`,
		    '503 temporarily_unavailable', r.text);
		assert.match(r.headers['retry-after'], /^[1-9]\d?$/);
		assert.ok(Date.now() - began < quick, 'it took too long');
	}
	assert.equal((await p.call('GET', '/api/v1/communities')).status,
	    200);
	assert.equal((await p.call('GET', ME)).status, 401);
	assert.equal((await p.call('GET', '/healthz')).status, 200);
	assert.equal((await p.call('GET', '/readyz')).status, 503);
	assert.equal((await p.call('GET', '/metrics')).status, 200);
}

async function recovered(as = anna) {
	await until(async () => (await me(as)).status === 200, 'api to be' +
	    ' well again', 5000);
	await until(async () => (await slow(as)).status === 422, 'slow to be' +
	    ' well again', 5000);
	assert.equal((await p.call('GET', '/readyz')).status, 200);
	assert.equal((await login()).status, 201);
}

const workers = () => [p.parts.api.pid, p.parts.slow.pid, p.parts.jobs.pid];
const PIDS = workers();

test('with Redis all is well', () => recovered());

test('Redis stopped and started', async () => {
	await p.stop('redis');
	await whileAway(500);
	await p.start('redis');
	await recovered();
	await place(p, anna);
});

test('Redis killed and started', async () => {
	await p.kill('redis');
	await whileAway(500);
	await p.start('redis');
	await recovered();
});

test('Redis there and silent', async () => {
	p.parts.redis.signal('SIGSTOP');
	try {
		await whileAway(3500);
	} finally {
		p.parts.redis.signal('SIGCONT');
	}
	await recovered();
});

test('a session ended elsewhere meanwhile is not believed', async () => {
	const one = await p.as('bert', { fresh: true });

	assert.equal((await me(one)).status, 200);
	await p.stop('redis');
	await until(async () => (await me(one)).status === 503, '503');
	await p.start('redis');
	// Before the workers have seen that it is back.
	await run('redis-cli', ['-s', p.redis, 'flushall']);
	await until(async () => (await me(one)).status === 401, '401');
	assert.equal((await slow(one)).status, 401);
	p.people.delete('resident-1');
});

test('a session taken from Redis by hand is gone at once', async () => {
	const one = await p.as('bert', { fresh: true });

	assert.equal((await me(one)).status, 200);
	assert.equal((await me(one)).status, 200);
	await run('redis-cli', ['-s', p.redis, 'flushdb']);
	await until(async () => (await me(one)).status === 401, '401', 1000);
});

test('connections that Redis drops are made again', async () => {
	const one = await p.as('bert', { fresh: true });

	for (const type of ['normal', 'pubsub']) {
		await run('redis-cli', ['-s', p.redis, 'client', 'kill',
			'type', type]);
		for (let i = 0; i < 20; i++)
			assert.equal((await me(one)).status, 200);
	}
});

test('a value in Redis that is not ours opens nothing', async () => {
	const one = await p.as('bert', { fresh: true });
	const keys = (await run('redis-cli', ['-s', p.redis, 'keys',
		'sess:*'])).trim().split('\n');

	for (const value of ['', 'v1', 'v1 1 1 4095 0 1', 'v2 1 1 1 0 1 1',
		'v1 -1 101 4095 0 9999999999999 9999999999999', '\xff']) {
		for (const key of keys)
			await run('redis-cli', ['-s', p.redis, 'set', key,
				value]);
		await until(async () => (await me(one)).status === 401,
		    `401 for "${value}"`);
	}
});

test('nothing had to be started again', async () => {
	assert.deepEqual(workers(), PIDS);
	const fresh = await p.as('carl', { fresh: true });

	assert.equal((await me(fresh)).status, 200);
});
