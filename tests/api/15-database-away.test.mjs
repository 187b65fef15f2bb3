// SPDX-License-Identifier: Apache-2.0
//
// 15-database-away -- what was acknowledged stays, whatever is killed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';

import { ENGINE, SECOND, start, test, until } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { ORDERS, orderOf, place, setStock, stock } from './lib/water.mjs';

const p = await start({ conf: { db_timeout_ms: 1000 } });
const anna = await p.resident(1);
const SERVER = { skip: ENGINE === 'postgresql' ? false :
    'SQLite is a file and no server that could be away' };

const list = () => p.call('GET', ORDERS, { as: anna });
const order = () => p.call('POST', ORDERS, { as: anna,
	body: orderOf(anna) });

async function away() {
	await until(async () => (await list()).status === 503, '503');
	for (const ask of [list, order, () => p.call('GET',
	    '/api/v1/communities')]) {
		const r = await ask();
		assert.equal(r.status, 503, r.text);
		assert.match(r.headers['retry-after'], /^[1-9]\d?$/);
	}
	assert.equal((await p.call('GET', '/healthz')).status, 200);
	assert.equal((await p.call('GET', '/readyz')).status, 503);
	assert.equal((await p.call('GET', ORDERS)).status, 401);
}

// Each thread has a connection of its own, so one answer proves little.
async function recovered() {
	let well = 0;

	await until(async () => {
		well = (await list()).status === 200 ? well + 1 : 0;
		return well === 40;
	}, 'api', 5000);
	await until(async () => (await p.call('POST', '/api/v1/sessions',
	    { body: { code: await p.wx.loginCode('anna') } })).status === 201,
	    'slow', 5000);
	await place(p, anna);
}

test('stopped and started', SERVER, async () => {
	await p.stop('postgres');
	await away();
	await p.start('postgres');
	await recovered();
});

test('killed and started', SERVER, async () => {
	await p.kill('postgres');
	await away();
	await p.start('postgres');
	await recovered();
});

test('there and silent', SERVER, async () => {
	const began = Date.now();

	p.parts.postgres.signal('SIGSTOP');
	const heads = execFileSync('ps',
	    ['-o', 'pid=', '--ppid', String(p.parts.postgres.pid)])
	    .toString().trim().split(/\s+/).map(Number);
	heads.forEach((pid) => process.kill(pid, 'SIGSTOP'));
	try {
		assert.equal((await list()).status, 503);
		assert.ok(Date.now() - began < 12 * SECOND);
	} finally {
		heads.forEach((pid) => process.kill(pid, 'SIGCONT'));
		p.parts.postgres.signal('SIGCONT');
	}
	await recovered();
});

test('connections that the server ends are made again', SERVER, async () => {
	await p.sql('SELECT COUNT(pg_terminate_backend(pid)) FROM' +
	    " pg_stat_activity WHERE datname = 'planet' AND" +
	    ' pid <> pg_backend_pid()');
	await recovered();
	for (let i = 0; i < 30; i++)
		assert.equal((await list()).status, 200);
});

test('a worker that starts while the database is away waits for it', SERVER,
    async () => {
	await p.stop('postgres');
	await p.stop('api');
	p.parts.api.start();
	await until(async () => (await p.call('GET', '/healthz', {}))
	    .status === 200, 'the worker');
	await away();
	await p.start('postgres');
	await recovered();
});

// Somebody else holds the write lock longer than we are ready to wait.
async function whileLocked(fn) {
	const lock = ENGINE === 'postgresql' ?
	    ['psql', ['-X', '-q', '-h', p.db.socket, '-U', 'planet', '-d',
		'planet'], 'BEGIN; SELECT COUNT(*) FROM (SELECT 1 FROM' +
		' water_product FOR UPDATE) t;\n'] :
	    ['sqlite3', ['-batch', p.db.file],
		'.timeout 5000\nBEGIN IMMEDIATE;\n.print locked\n'];
	const child = spawn(lock[0], lock[1],
	    { stdio: ['pipe', 'pipe', 'inherit'] });

	child.stdin.write(lock[2]);
	await new Promise((resolve) => child.stdout.once('data', resolve));
	try {
		await fn();
	} finally {
		const gone = new Promise((resolve) =>
		    child.once('exit', resolve));
		child.stdin.end('ROLLBACK;\n');
		await gone;
	}
}

test('a lock held too long: writing is busy, reading goes on', async () => {
	const before = await stock(p, BIG);

	await whileLocked(async () => {
		const began = Date.now();
		const waiting = order();
		for (let i = 0; i < 10; i++)
			assert.equal((await list()).status, 200);
		assert.ok(Date.now() - began < SECOND);
		const r = await waiting;
		assert.equal(r.status, 503, r.text);
		assert.match(r.headers['retry-after'], /^[1-9]\d?$/);
		assert.ok(Date.now() - began < 11 * SECOND);
	});
	await place(p, anna);
	assert.equal(await stock(p, BIG), before - 1);
});

// Orders by several at once while `harm` is done; all that were answered
// with 201 must be there, and the barrels must add up.
async function underFire(harm, people = 8) {
	const acknowledged = [];
	let going = true, asked = 0;

	await setStock(p, BIG, 100000);
	const before = Number(await p.value(
	    'SELECT COUNT(*) FROM water_order'));
	const customers = Array.from({ length: people }, async () => {
		while (going) {
			asked++;
			const r = await order().catch(() => null);
			if (r?.status === 201)
				acknowledged.push(r.json.id);
			else if (r)
				assert.equal(r.status, 503, r.text);
			if (r?.status !== 201)
				await new Promise((resolve) =>
				    setTimeout(resolve, 20));
		}
	});
	try {
		await until(() => acknowledged.length > 20,
		    'the first orders');
		await harm();
		const then = acknowledged.length;
		await until(() => acknowledged.length > then + 20,
		    'orders after the harm', 15_000);
	} finally {
		going = false;
	}
	await Promise.all(customers);
	const there = new Set((await p.sql('SELECT id FROM water_order'))
	    .map((row) => row.id));
	for (const id of acknowledged)
		assert.ok(there.has(id), `order ${id} is lost`);
	assert.equal(new Set(acknowledged).size, acknowledged.length);
	const sold = there.size - before;
	assert.ok(sold >= acknowledged.length && sold <= asked);
	assert.equal(await stock(p, BIG), 100000 - sold);
	assert.equal(await p.value('SELECT COUNT(*) FROM flow_event WHERE' +
	    " event = 'place'"), String(there.size));
}

test('nothing acknowledged is lost when the worker is killed', () =>
    underFire(async () => {
	for (let i = 0; i < 3; i++) {
		await p.kill('api');
		await p.start('api');
		await new Promise((resolve) => setTimeout(resolve, 60));
	}
}));

test('nor when the database is killed', SERVER, () => underFire(async () => {
	for (let i = 0; i < 2; i++) {
		await p.kill('postgres');
		await p.start('postgres');
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
}));

test('nor when Redis is killed', () => underFire(async () => {
	await p.kill('redis');
	await p.start('redis');
}));
