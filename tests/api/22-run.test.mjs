// SPDX-License-Identifier: Apache-2.0
//
// 22-run -- scripts/run and scripts/demo, as a newcomer uses them.
//
// The real scripts with the programs of PLANET_BUILD, in folders and on
// ports of this file's own.  The tests follow one instance from its first
// start to its end, so they stand in this order.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as node from 'node:test';
import { fileURLToPath } from 'node:url';

import { request } from './lib/http.mjs';
import { Component, run, until } from './lib/proc.mjs';
import { Postgres, Sqlite } from './lib/sql.mjs';
import { Wx } from './lib/wx.mjs';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = path.resolve(process.env.PLANET_BUILD ?? TOP);
const ENGINE = process.env.PLANET_TEST_DB ?? 'sqlite';
const ORDERS = '/api/v1/water/orders';
const RUN = path.join(TOP, 'scripts/run');
const DEMO = path.join(TOP, 'scripts/demo');
const PARTS = ['redis', 'standin', 'api', 'slow', 'jobs', 'nginx'];
// As a user on Debian has it.
const USERS_PATH = process.env.PATH.split(':').filter((one) =>
    !one.endsWith('/sbin')).join(':');

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'pr-'));
fs.chmodSync(scratch, 0o755);
let failed = false;

function freePort() {
	return new Promise((resolve, reject) => {
		const server = net.createServer();
		server.once('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

// What /proc has of a process, or null: who it is, however long it lives.
function stat(pid) {
	try {
		const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		const end = text.lastIndexOf(')');
		const words = text.slice(end + 2).split(' ');
		return { pid: Number(pid), parent: Number(words[1]),
			name: text.slice(text.indexOf('(') + 1, end),
			zombie: words[0] === 'Z', began: words[19] };
	} catch {
		return null;
	}
}

// A process and all that it started.
function family(pid) {
	const all = fs.readdirSync('/proc').filter((one) =>
	    /^\d+$/.test(one)).map(stat).filter(Boolean);
	const found = all.filter((one) => one.pid === pid);

	for (const one of found)
		found.push(...all.filter((other) => other.parent === one.pid));
	return found;
}

function lives(one) {
	const now = stat(one.pid);

	return now !== null && !now.zombie && now.began === one.began;
}

// Processes that name this folder, whoever started them.
function strangers(dir) {
	return fs.readdirSync('/proc').filter((pid) => {
		try {
			return /^\d+$/.test(pid) && fs.readFileSync(
			    `/proc/${pid}/cmdline`, 'utf8').includes(dir);
		} catch {
			return false;
		}
	});
}

// scripts/run on a folder; as `user` when one is given.
class Instance {
	constructor(name, { user = null, more = [] } = {}) {
		this.dir = path.join(scratch, name);
		this.more = more;
		this.user = user;
		this.said = path.join(scratch, `${name}.out`);
	}

	get log() {
		return fs.readFileSync(path.join(this.dir, 'log/planet.log'),
		    'utf8');
	}

	get argv() {
		return [RUN, '--dir', this.dir, '--port', String(this.port),
			'--build', BUILD, ...this.more];
	}

	// One of its own words, such as --reload; what it said.
	word(...words) {
		return run(RUN, ['--dir', this.dir, ...words]);
	}

	async start() {
		this.port ??= await freePort();
		this.base = `http://127.0.0.1:${this.port}`;
		this.part = new Component('run', this.said, this.argv,
		    { user: this.user, env: { PATH: USERS_PATH,
			XDG_RUNTIME_DIR: '' } });
		this.part.start();
		await until(() => {
			if (!this.part.running)
				throw Object.assign(new Error(
				    fs.readFileSync(this.said, 'utf8')),
				    { final: true });
			return /Ctrl-C stops it/.test(
			    fs.readFileSync(this.said, 'utf8'));
		}, 'scripts/run', 50_000);
		this.family = family(this.part.pid);
		this.demo = JSON.parse(fs.readFileSync(
		    path.join(this.dir, 'demo.json'), 'utf8'));
		this.wx = new Wx(this.demo.standin_url);
	}

	pid(name) {
		return Number(fs.readFileSync(
		    path.join(this.dir, `run/${name}.pid`), 'utf8'));
	}

	async ask(status, method, where, token, body) {
		const answer = await request(this.base, method, where, {
			...token ? { authorization: `Bearer ${token}` } : {},
			'content-type': 'application/json' },
		    body === undefined ? '' : JSON.stringify(body));

		assert.equal(answer.status, status, answer.text);
		return answer.json;
	}

	// Log in as a resident of the demo; the token.
	async login(i = 0) {
		const { openid } = this.demo.residents[i];

		return (await this.ask(201, 'POST', '/api/v1/sessions', null,
		    { code: await this.wx.loginCode(openid) })).token;
	}

	// Whether all that it started has gone, and nothing is left open.
	async gone() {
		await until(() => !this.family.some(lives), 'all to end');
		await until(() => strangers(this.dir).length === 0,
		    'those that nobody knew');
		await assert.rejects(request(this.base, 'GET', '/healthz', {}));
		assert.deepEqual(fs.readdirSync(path.join(this.dir, 'run'))
		    .filter((one) => /\.(sock|pid)$/.test(one)), []);
	}
}

const a = new Instance('a');
const b = new Instance('b');
const known = [a, b];
let database = new Sqlite(a.dir);
let token, order;

function test(name, fn) {
	return node.test(name, { timeout: 90_000 }, async (t) => {
		try {
			await fn(t);
		} catch (error) {
			failed = true;
			for (const one of known)
				if (fs.existsSync(`${one.dir}/log/planet.log`))
					process.stderr.write(`--- ${name}: ` +
					    `${one.dir}\n${one.log.split('\n')
						.slice(-60).join('\n')}\n`);
			throw error;
		}
	});
}

node.before(async () => {
	if (ENGINE !== 'postgresql')
		return;
	database = new Postgres(scratch, scratch);
	await database.make();
	a.more = ['--db', database.url];
});

node.after(async () => {
	for (const one of known)
		await one.part?.stop('SIGTERM', 60_000);
	await database.component?.stop('SIGINT');
	if (failed)
		process.stderr.write(`logs stay in ${scratch}\n`);
	else
		fs.rmSync(scratch, { recursive: true, force: true });
});

test('it starts, and the demo plays a whole day', async () => {
	await a.start();
	assert.match(await run(DEMO, ['--dir', a.dir]),
	    /all \d+ steps did what they should/);
	assert.match(fs.readFileSync(`${a.dir}/planet.conf`, 'utf8'),
	    ENGINE === 'sqlite' ? /^db = sqlite:/m : /^db = postgresql:/m);
	for (const name of PARTS)
		assert.ok(a.family.some(({ pid }) => pid === a.pid(name)),
		    name);
	token = await a.login();
	[order] = (await a.ask(200, 'GET', ORDERS, token)).items;
	assert.equal(order.state, 'cancelled');
});

test('the demo fails where it should', async () => {
	await assert.rejects(run(DEMO, ['--dir', `${scratch}/nowhere`]),
	    /start scripts\/run first/);
	await assert.rejects(run(DEMO, ['--dir', a.dir, '--port',
		String(await freePort())]), /nobody answers/);
});

test('a folder and a port have one instance', async () => {
	await assert.rejects(run(RUN, a.argv.slice(1)), /already runs/);
	await assert.rejects(run(RUN, ['--dir', `${scratch}/c`, '--port',
		String(a.port), '--build', BUILD]), /is taken/);
	await assert.rejects(run(RUN, ['--dir', `${scratch}/c`, '--build',
		`${scratch}/nowhere`]), /nothing is built/);
	await assert.rejects(run(RUN, ['--dir', `${scratch}/c`, '--stop']),
	    /nothing runs/);
	await a.ask(200, 'GET', '/api/v1/me', token);
});

test('whoever dies is started again, and the log says so', async () => {
	for (const name of ['api', 'jobs', 'redis']) {
		const old = stat(a.pid(name));
		process.kill(old.pid, 'SIGKILL');
		await until(() => !lives(old) && a.pid(name) !== old.pid &&
		    stat(a.pid(name)), `${name} to come again`);
		const line = new RegExp(`^${name} +\\| .* keep: ${name}` +
		    ` \\(${old.pid}\\) ended with signal KILL, starting`, 'm');
		await until(() => line.test(a.log), `${line}`);
	}
	await until(async () => (await request(a.base, 'GET', '/api/v1/me',
	    { authorization: `Bearer ${token}` })).status === 200,
	'it to serve again');
	a.family = family(a.part.pid);
});

// Who is not root, if that one can reach what has been built.
async function somebody() {
	const as = ['--reuid=daemon', '--regid=daemon', '--clear-groups',
		'--'];

	if (process.getuid() !== 0)
		return null;
	return run('setpriv', [...as, 'test', '-x', `${BUILD}/planet-worker`,
		'-a', '-r', RUN]).then(() => 'daemon', () => null);
}

test('another runs beside it and ends alone', async (t) => {
	b.user = await somebody();
	t.diagnostic(`as ${b.user ?? 'ourselves'}`);
	if (b.user) {
		fs.mkdirSync(b.dir);
		await run('chown', [`${b.user}:`, b.dir]);
	}
	await b.start();
	assert.notEqual(b.demo.standin_url, a.demo.standin_url);
	const other = await b.login();
	await b.ask(200, 'PATCH', '/api/v1/me', other,
	    { community_id: b.demo.residents[0].community });
	assert.deepEqual((await b.ask(200, 'GET', ORDERS, other)).items, []);
	await b.ask(401, 'GET', '/api/v1/me', token);
	await a.ask(401, 'GET', '/api/v1/me', other);
	// As a Ctrl-C does.
	await b.part.stop('SIGINT', 60_000);
	await b.gone();
	// But for its pauses, all of the first are still there.
	assert.deepEqual(a.family.filter((one) => one.name !== 'sleep' &&
	    !lives(one)), []);
	await a.ask(200, 'GET', '/api/v1/me', token);
});

test('SIGTERM ends all that it started', async () => {
	assert.ok(a.family.length > 2 * PARTS.length);
	assert.equal((await a.part.stop('SIGTERM', 60_000)).code, 0);
	await a.gone();
	assert.match(a.log, /has stopped\n/);
	assert.doesNotMatch(a.log, /runtime error:|Sanitizer|is killed/);
});

test('started again it finds its data, and its settings', async () => {
	const conf = `${a.dir}/planet.conf`;

	fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(
	    '[server]\n', '[server]\ndrain_ms = 2000\n') +
	    '[limits]\nuser_writes = 0\n');
	fs.rmSync(a.said);
	await a.start();
	await a.ask(200, 'GET', '/api/v1/me', token);
	assert.deepEqual((await a.ask(200, 'GET', ORDERS, token)).items[0],
	    order);
});

// A resident that orders and thinks better of it, again and again, each on
// one connection that is kept: what came back, as status -> times.
class Customers {
	constructor(n) {
		this.seen = new Map();
		this.opened = 0;
		this.going = true;
		this.agent = new http.Agent({ keepAlive: true, maxSockets: n });
		const open = this.agent.createConnection.bind(this.agent);
		this.agent.createConnection = (...args) => {
			this.opened++;
			return open(...args);
		};
		this.all = Array.from({ length: n }, () => this.live());
	}

	post(where, body) {
		return new Promise((resolve) => {
			const note = (what, json) => {
				this.seen.set(what,
				    (this.seen.get(what) ?? 0) + 1);
				resolve(json);
			};
			const call = http.request(a.base + where, {
				method: 'POST', agent: this.agent,
				timeout: 20_000, headers: {
				'content-type': 'application/json',
				'content-length': body.length,
				authorization: `Bearer ${token}` } },
			(answer) => {
				let text = '';
				answer.on('data', (part) => { text += part; });
				answer.on('end', () => note(answer.statusCode,
				    JSON.parse(text)));
			});
			call.on('timeout', () => call.destroy(
			    Object.assign(new Error(), { code: 'late' })));
			call.on('error', (error) => note(error.code));
			call.end(body);
		});
	}

	async live() {
		while (this.going) {
			const made = await this.post(`${ORDERS}/again`, '{}');
			if (made?.id)
				await this.post(`${ORDERS}/${made.id}/cancel`,
				    '{"reason":"no"}');
		}
	}

	get orders() {
		return this.seen.get(201) ?? 0;
	}

	async end() {
		this.going = false;
		await Promise.all(this.all);
		this.agent.destroy();
	}
}

async function countOrders() {
	const [row] = await database.sql(
	    'SELECT COUNT(*) AS n FROM water_order');

	return Number(row.n);
}

test('reloads under POSTs refuse none and cut nobody', async () => {
	const before = await countOrders();
	const customers = new Customers(6);
	const more = async (what) => {
		const then = customers.orders;
		await until(() => customers.orders > then + 20, what);
	};

	try {
		for (let i = 0; i < 2; i++) {
			await more('orders before a reload');
			const old = ['api', 'slow', 'jobs'].map((name) =>
			    stat(a.pid(name)));
			assert.match(await a.word('--reload'), /new .* serve/);
			await until(() => !old.some(lives),
			    'the old programs to end', 20_000);
			await more('orders after a reload');
		}
	} finally {
		await customers.end();
	}
	assert.deepEqual([...customers.seen.keys()].sort(), [200, 201],
	    JSON.stringify([...customers.seen]));
	assert.equal(customers.opened, 6);
	assert.equal(await countOrders() - before, customers.orders);
	assert.doesNotMatch(a.log, /does not end, is killed/);
});

test('a reload with bad settings is refused, all goes on', async () => {
	const conf = `${a.dir}/planet.conf`;
	const good = fs.readFileSync(conf, 'utf8');
	const pids = PARTS.map((name) => a.pid(name));

	fs.writeFileSync(conf, `${good}[server]\napi_threads = none\n`);
	await assert.rejects(a.word('--reload'), /planet\.conf is faulty/);
	fs.writeFileSync(conf, good);
	assert.deepEqual(PARTS.map((name) => a.pid(name)), pids);
	await a.ask(200, 'GET', '/api/v1/me', token);
});

test('nothing outlives it when it is killed', async () => {
	a.family = family(a.part.pid);
	await a.part.stop('SIGKILL');
	await until(() => !a.family.some(lives), 'all to end', 60_000);
	// What it left in the folder is no hindrance.
	fs.rmSync(a.said);
	await a.start();
	await a.ask(200, 'GET', '/api/v1/me', token);
	await a.word('--stop');
	await a.gone();
});
