// SPDX-License-Identifier: Apache-2.0
//
// harness.mjs -- a whole private instance for one test file.
//
//   const p = await start({ conf: { user_writes: 5 } });
//
// Redis, the WeChat stand-in, PostgreSQL when asked for, both pools, the
// job runner and nginx, all on Unix sockets in a folder of its own (nginx
// and the stand-in on free ports of loopback).  It is half past ten in
// China, tomorrow, until p.clock moves.  p.pay plays WeChat Pay, unless
// `pay` is false: then there is no merchant.  Everything ends with the file;
// the folder stays when a test failed.  Environment: PLANET_BUILD, the
// folder of the programs; PLANET_TEST_DB, sqlite or postgresql.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import * as node from 'node:test';
import { fileURLToPath } from 'node:url';

import { Clock } from './lib/clock.mjs';
import { confText, TEMPLATES } from './lib/conf.mjs';
import { Contract } from './lib/contract.mjs';
import { fixture, HERE, LOW } from './lib/fixture.mjs';
import { agent, request } from './lib/http.mjs';
import { Pay, payConf } from './lib/pay.mjs';
import { people } from './lib/people.mjs';
import { Component, run, until } from './lib/proc.mjs';
import { Postgres, Sqlite } from './lib/sql.mjs';
import { Wx } from './lib/wx.mjs';

export { DAY, HOUR, MINUTE, SECOND } from './lib/clock.mjs';
export { TEMPLATES } from './lib/conf.mjs';
export { until };

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = path.resolve(process.env.PLANET_BUILD ?? TOP);
const STANDIN = path.join(TOP, 'tests/standin/standin.mjs');

export const ENGINE = process.env.PLANET_TEST_DB ?? 'sqlite';
const TEMPLATE_KEYS = ['thing1', 'phrase2', 'time3', 'thing4'];

const stacks = [];
let failed = false;

// A test of node's; what the programs said meanwhile is shown on failure.
export function test(name, ...rest) {
	const fn = rest.pop();
	const options = { timeout: 60_000, ...rest.pop() };

	return node.test(name, options, async (t) => {
		const marks = stacks.map((p) => p.logSizes());
		try {
			await fn(t);
		} catch (error) {
			failed = true;
			stacks.forEach((p, i) => process.stderr.write(
			    `--- ${name}\n${p.logTail(marks[i])}\n`));
			throw error;
		}
	});
}

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

export class Planet {
	constructor(options) {
		this.options = options;
		this.kind = options.db ?? ENGINE;
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pt-'));
		fs.chmodSync(this.dir, 0o755);
		for (const name of ['log', 'run', 'redis', 'nginx',
			'nginx/tmp'])
			fs.mkdirSync(path.join(this.dir, name), 0o755);
		fs.chmodSync(path.join(this.dir, 'run'), 0o755);
		this.conf = path.join(this.dir, 'planet.conf');
		this.generation = '0';
		this.parts = {};
		this.people = new Map();
		this.needed = [];	// what must not end meanwhile
		this.clock = new Clock(path.join(this.dir, 'clock'));
		this.db = this.kind === 'postgresql' ?
		    new Postgres(this.dir, path.join(this.dir, 'log')) :
		    new Sqlite(this.dir);
	}

	program(name) {
		return path.join(BUILD, name);
	}

	add(name, argv, options) {
		const part = new Component(name,
		    path.join(this.dir, 'log', `${name}.log`), argv, options);

		this.parts[name] = part;
		return part;
	}

	// planetctl with this configuration; what it printed.
	ctl(...args) {
		return run(this.program('planetctl'),
		    ['--config', this.conf, ...args],
		    { env: { ...process.env,
			PLANET_SQL_DIR: path.join(TOP, 'sql') } });
	}

	writeConf() {
		fs.writeFileSync(this.conf, confText({
			server: { dir: this.dir, run_dir: 'run',
				listen: `127.0.0.1:${this.port}`,
				clock_file: 'clock',
				generation: this.generation },
			database: { db: this.db.url },
			redis: { redis: 'unix:redis.sock' },
			wechat: { wechat_url: this.wx.url,
				wechat_secret_file: 'wechat.secret' },
			pay: this.options.pay === false ? {} : payConf(
			    this.dir, 'pay', this.wx.url, this.base),
			keys: { keys_file: 'planet.keys' },
		}, this.options.conf ?? {}));
	}

	async startStandin() {
		const part = this.add('standin', [process.execPath, STANDIN,
			'--port', '0', '--notify-ms', '5',
			'--state', path.join(this.dir, 'standin.json'),
			'--clock-file', path.join(this.dir, 'clock'),
			'--pay-scale', '0.001',
			...this.options.pay === false ? [] :
			    ['--pay-dir', path.join(this.dir, 'pay')]]);
		const line = /listening on (http:\S+)/;

		part.start();
		this.wx = new Wx(await until(() => line.exec(
		    fs.readFileSync(part.log, 'utf8'))?.[1], 'the stand-in'));
		this.pay = new Pay(this.wx);
		for (const id of Object.values(TEMPLATES))
			await this.wx.template(id, TEMPLATE_KEYS);
	}

	async startRedis() {
		this.redis = path.join(this.dir, 'redis.sock');
		this.add('redis', ['redis-server', '--port', '0',
			'--unixsocket', this.redis, '--dir',
			path.join(this.dir, 'redis'), '--appendonly', 'yes',
			'--save', '', '--daemonize', 'no',
			'--always-show-logo', 'no']);
		await this.start('redis');
	}

	// A worker of a pool under the present generation.
	addWorker(pool) {
		const name = this.workerName(pool);
		const socket = path.join(this.dir, 'run',
		    `${pool}-${this.generation}.sock`);

		this.add(name, ['spawn-fcgi', '-n', '-s', socket,
			'-M', '0666', '--', this.program('planet-worker'),
			'--config', this.conf, '--pool', pool]);
		return name;
	}

	workerName(pool) {
		return this.generation === '0' ? pool :
		    `${pool}-${this.generation}`;
	}

	async startNginx() {
		const prefix = path.join(this.dir, 'nginx');

		fs.writeFileSync(path.join(prefix, 'nginx.conf'),
		    await this.ctl('nginx'));
		this.add('nginx', ['nginx', '-e', 'stderr', '-p', prefix,
			'-c', 'nginx.conf'], { env: {
			PATH: `${process.env.PATH}:/usr/sbin` } });
		await this.start('nginx');
	}

	async up() {
		await Promise.all([this.startStandin(), this.startRedis(),
			this.db.make()]);
		if (this.db.component)
			this.parts.postgres = this.db.component;
		this.port = await freePort();
		this.base = `http://127.0.0.1:${this.port}`;
		fs.writeFileSync(path.join(this.dir, 'wechat.secret'),
		    '0123456789abcdef0123456789abcdef\n', { mode: 0o600 });
		this.writeConf();
		await this.ctl('keys', 'new');
		await this.ctl('migrate');
		if (this.options.demo)
			await this.ctl('demo', '--base-url', this.base,
			    '--standin-url', this.wx.url);
		if (this.options.fixture ?? true)
			await this.sql(`${fixture(this.clock.now())};\n` +
			    await people(this));
		this.contract = new Contract(await this.ctl('openapi'));
		this.add('jobs', [this.program('planet-jobs'), '--config',
			this.conf]);
		for (const pool of ['api', 'slow'])
			this.parts[this.addWorker(pool)].start();
		if (this.options.jobs ?? true)
			this.parts.jobs.start();
		this.needed = [this.workerName('api'),
			this.workerName('slow')];
		await this.startNginx();
		this.needed = [];
	}

	// --- Parts --------------------------------------------------------

	ready(name) {
		return { redis: () => run('redis-cli', ['-s', this.redis,
			'ping']).then((text) => text.startsWith('PONG')),
		api: () => this.answers('/readyz'),
		slow: () => this.answers('/readyz/slow'),
		nginx: async () => await this.answers('/readyz') &&
		    this.answers('/readyz/slow'),
		}[name] ?? (() => true);
	}

	async answers(where) {
		return (await request(this.base, 'GET', where, {}))
		    .status === 200;
	}

	async start(name) {
		if (name === 'postgres')
			return this.db.start();
		this.parts[name].start();
		await until(() => {
			for (const one of new Set([name, ...this.needed]))
				if (!this.parts[one].running)
					throw Object.assign(new Error(
					    `${one} has ended`),
					    { final: true });
			return this.ready(name)();
		}, name, 20_000);
	}

	stop(name, signal) {
		return this.parts[name].stop(
		    signal ?? (name === 'postgres' ? 'SIGINT' : 'SIGTERM'));
	}

	kill(name) {
		return this.parts[name].stop('SIGKILL');
	}

	// --- Talking ------------------------------------------------------

	// {status, headers, text, json}, held against the description.
	async call(method, where, { as, token = as?.token, body, raw,
		headers = {}, check = true } = {}) {
		const all = { ...headers };
		const bytes = raw ?? (body === undefined ? undefined :
		    JSON.stringify(body));

		if (token)
			all.authorization = `Bearer ${token}`;
		if (bytes !== undefined && !('content-type' in all))
			all['content-type'] = 'application/json';
		if (bytes !== undefined)
			all['content-length'] = Buffer.byteLength(bytes);
		const reply = await request(this.base, method, where, all,
		    bytes);
		if (check)
			this.contract.check(method, where, reply, body);
		return reply;
	}

	// The body of an answer that must have this status.
	async yes(status, method, where, options) {
		const reply = await this.call(method, where, options);

		assert.equal(reply.status, status,
		    `${method} ${where}: ${reply.text}`);
		return reply.json;
	}

	// The problem that must be answered.
	async no(status, code, method, where, options) {
		const reply = await this.call(method, where, options);

		assert.equal(`${reply.status} ${reply.json?.code}`,
		    `${status} ${code}`, `${method} ${where}: ${reply.text}`);
		return { ...reply.json, headers: reply.headers };
	}

	// Log in as an openid; once, unless `fresh`.
	async as(openid, { fresh = false } = {}) {
		if (!fresh && this.people.has(openid))
			return this.people.get(openid);
		const { token, user } = await this.yes(201, 'POST',
		    '/api/v1/sessions',
		    { body: { code: await this.wx.loginCode(openid) } });
		const who = { token, id: user.id, openid, user };
		if (!fresh)
			this.people.set(openid, who);
		return who;
	}

	// Resident `i`, with a community and an address in it.
	async resident(i, { community = HERE, dwelling = LOW } = {}) {
		const openid = `resident-${i}`;

		if (this.people.has(openid))
			return this.people.get(openid);
		const who = await this.as(openid);
		who.user = await this.yes(200, 'PATCH', '/api/v1/me',
		    { as: who, body: { community_id: community } });
		who.phone = `139${String(i).padStart(8, '0')}`;
		if (dwelling)
			who.address = (await this.yes(201, 'POST',
			    '/api/v1/me/addresses', { as: who, body: {
				dwelling_id: dwelling, contact: '张三',
				phone: who.phone } })).id;
		return who;
	}

	// Log in with account and password of the demo.
	async staff(account) {
		const { staff } = JSON.parse(fs.readFileSync(
		    path.join(this.dir, 'demo.json'), 'utf8'));
		const one = staff.find((row) => row.account === account);

		return this.yes(201, 'POST', '/api/v1/sessions/staff',
		    { body: { account, password: one.password } });
	}

	// --- Looking ------------------------------------------------------

	sql(text) {
		return this.db.sql(text);
	}

	// The single value of a query.
	async value(text) {
		return Object.values((await this.sql(text))[0] ?? {})[0];
	}

	logFiles() {
		const dir = path.join(this.dir, 'log');

		return fs.readdirSync(dir).map((name) =>
		    path.join(dir, name));
	}

	logSizes() {
		return new Map(this.logFiles().map((file) =>
		    [file, fs.statSync(file).size]));
	}

	// Lines of one program's log, or of all.
	log(name) {
		return this.logFiles().filter((file) => !name ||
		    path.basename(file) === `${name}.log`)
		    .flatMap((file) => fs.readFileSync(file, 'utf8')
			.split('\n').slice(0, -1));
	}

	// What has been logged since logSizes() was taken.
	logTail(marks = new Map(), lines = 40) {
		return this.logFiles().map((file) => {
			const text = fs.readFileSync(file, 'utf8')
			    .slice(marks.get(file) ?? 0).trimEnd();
			const tail = text.split('\n').slice(-lines);
			return text && `${path.basename(file)}:\n  ` +
			    tail.join('\n  ');
		}).filter(Boolean).join('\n');
	}

	// End all; how the programs of ours ended must be well.
	async down() {
		const bad = [];
		const ours = (name) => /^(api|slow|jobs)/.test(name);
		const end = async (name) => {
			const how = await this.stop(name).catch(() => null);
			if (how && how.code !== 0 && ours(name))
				bad.push(`${name} ended with` +
				    ` ${how.code ?? how.signal}`);
		};

		if (this.parts.nginx)
			await end('nginx');
		await Promise.all(Object.keys(this.parts).filter(ours)
		    .map(end));
		await Promise.all(Object.keys(this.parts).map(end));
		bad.push(...this.log().filter((line) =>
		    /runtime error:|Sanitizer/.test(line)));
		fs.closeSync(this.clock.fd);
		agent.destroy();
		// A test that goes on after its end must not hold us up.
		setTimeout(() => process.exit(1), 10_000).unref();
		if (failed || bad.length > 0)
			process.stderr.write(`logs stay in ${this.dir}\n`);
		else
			fs.rmSync(this.dir, { recursive: true, force: true });
		assert.deepEqual(bad, []);
	}
}

// An instance that stands until the file has been tested.
export async function start(options = {}) {
	const p = new Planet(options);

	stacks.push(p);
	node.after(() => p.down());
	try {
		await p.up();
	} catch (error) {
		failed = true;
		process.stderr.write(`${p.logTail()}\n`);
		await p.down().catch(() => {});
		throw error;
	}
	return p;
}
