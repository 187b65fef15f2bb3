// SPDX-License-Identifier: Apache-2.0
//
// 18-reload -- stopping gently, and a new generation without a refusal.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { SECOND, start, test, until } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { run } from './lib/proc.mjs';
import { ORDERS, orderOf, place, setStock } from './lib/water.mjs';

const p = await start({ conf: { wechat_timeout_ms: 5000, drain_ms: 2000 } });
const anna = await p.resident(1);

test('a request that runs is finished before the end', async () => {
	await p.wx.fault('login', 'delay', { delay_ms: 800 });
	const calls = await p.wx.calls('login');
	const running = p.call('POST', '/api/v1/sessions',
	    { body: { code: await p.wx.loginCode('anna') } });
	await until(async () => await p.wx.calls('login') > calls,
	    'the call to WeChat');
	const began = Date.now();
	const ended = p.stop('slow');
	assert.equal((await running).status, 201);
	assert.equal((await ended).code, 0);
	assert.ok(Date.now() - began >= 500, 'it did not wait');
	await p.start('slow');
});

test('a worker that has ended takes no more, and says so', async () => {
	assert.equal((await p.stop('api')).code, 0);
	const no = await p.call('GET', ORDERS, { as: anna });
	assert.equal(`${no.status} ${no.json.code}`,
	    '503 temporarily_unavailable');
	await p.start('api');
	await p.yes(200, 'GET', ORDERS, { as: anna });
});

test('killed with a signal of the keyboard it ends gently too', async () => {
	assert.equal((await p.stop('api', 'SIGINT')).code, 0);
	await p.start('api');
});

test('an idle kept connection does not hold up the end', async () => {
	for (let i = 0; i < 20; i++)
		await p.yes(200, 'GET', ORDERS, { as: anna });
	const began = Date.now();
	assert.equal((await p.stop('api')).code, 0);
	// As long as drain_ms says, and no longer.
	assert.ok(Date.now() - began < 4 * SECOND);
	await p.start('api');
});

// One order on a connection of its own: its status, or the error.
function once() {
	return new Promise((resolve) => {
		const body = JSON.stringify(orderOf(anna));
		const call = http.request(`${p.base}${ORDERS}`, {
			method: 'POST', agent: false, headers: {
			'content-type': 'application/json',
			'content-length': Buffer.byteLength(body),
			authorization: `Bearer ${anna.token}` } },
		(answer) => {
			answer.resume();
			answer.on('end', () => resolve(answer.statusCode));
		});
		call.on('error', (error) => resolve(error.code));
		call.end(body);
	});
}

function childrenOf(pid) {
	return fs.readdirSync('/proc').filter((one) => /^\d+$/.test(one))
	    .filter((one) => {
		try {
			return fs.readFileSync(`/proc/${one}/stat`, 'utf8')
			    .split(') ').pop().split(' ')[1] === String(pid);
		} catch {
			return false;
		}
	});
}

const answers = (socket) => run('cgi-fcgi', ['-bind', '-connect', socket],
    { env: { PATH: process.env.PATH, REQUEST_METHOD: 'GET',
	DOCUMENT_URI: '/healthz', QUERY_STRING: '', REMOTE_ADDR: '127.0.0.1',
	REQUEST_ID: '0' } }).then((text) => text.startsWith('Status: 200'));

// The harder way: a new generation on new sockets beside the old one, then
// nginx, and when its old workers have gone the old generation.  (What
// scripts/run does keeps the sockets and needs no word to nginx.)
async function reload() {
	const old = ['api', 'slow'].map((pool) => p.workerName(pool));
	const leavers = childrenOf(p.parts.nginx.pid);

	p.generation = String(Number(p.generation) + 1);
	p.writeConf();
	for (const pool of ['api', 'slow']) {
		p.parts[p.addWorker(pool)].start();
		await until(() => answers(path.join(p.dir, 'run',
		    `${pool}-${p.generation}.sock`)), 'the new generation');
	}
	fs.writeFileSync(path.join(p.dir, 'nginx/nginx.conf'),
	    await p.ctl('nginx'));
	p.parts.nginx.signal('SIGHUP');
	await until(() => leavers.every((pid) => !fs.existsSync(
	    `/proc/${pid}`)), 'nginx to turn over', 40_000);
	for (const name of old) {
		assert.equal((await p.stop(name)).code, 0, name);
		delete p.parts[name];
	}
}

test('three reloads under orders, and not one is refused', async () => {
	const seen = new Map();
	let going = true;

	await setStock(p, BIG, 1000000);
	const before = Number(await p.value(
	    'SELECT COUNT(*) FROM water_order'));
	const customers = Array.from({ length: 6 }, async () => {
		while (going) {
			const status = await once();
			seen.set(status, (seen.get(status) ?? 0) + 1);
		}
	});
	try {
		for (let i = 0; i < 3; i++) {
			const then = seen.get(201) ?? 0;
			await until(() => (seen.get(201) ?? 0) > then + 50,
			    'orders between reloads');
			await reload();
		}
	} finally {
		going = false;
		await Promise.all(customers);
	}
	assert.deepEqual([...seen.keys()], [201], JSON.stringify([...seen]));
	assert.equal(Number(await p.value('SELECT COUNT(*) FROM' +
	    ' water_order')) - before, seen.get(201));
	assert.equal(p.generation, '3');
});

test('sessions live on in the new generation', async () => {
	await p.yes(200, 'GET', '/api/v1/me', { as: anna });
	await place(p, anna);
	assert.deepEqual(Object.keys(p.parts).filter((name) =>
	    /^(api|slow)/.test(name)), ['api-3', 'slow-3']);
});

test('a configuration that is wrong starts nothing', async () => {
	const good = fs.readFileSync(p.conf, 'utf8');

	for (const [from, to, why] of [
		['api_threads = 16', 'api_threads = 0', /api_threads/],
		['api_threads = 16', 'api_thread = 16', /api_thread/],
		['[limits]', '[limit]', /limit/],
		['redis = unix:redis.sock', 'redis = ', /redis/]]) {
		const file = path.join(p.dir, 'wrong.conf');
		fs.writeFileSync(file, good.replace(from, to));
		for (const args of [['planet-worker', '--config', file,
			'--pool', 'api'], ['planet-jobs', '--config', file],
			['planetctl', '--config', file, 'nginx']])
			await assert.rejects(run(p.program(args[0]),
			    args.slice(1)), (error) => {
				assert.match(error.message, why);
				assert.match(error.message, /wrong\.conf:\d+/);
				return true;
			});
	}
});
