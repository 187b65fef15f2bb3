// SPDX-License-Identifier: Apache-2.0
//
// sql.mjs -- the database of a stack: made, asked directly, and taken away.
//
// sql(text) gives the rows of one query as objects of strings and nulls:
// ids do not fit a JavaScript number.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { Component, run, until } from './proc.mjs';

const NULL = '\u0001';

function parseCsv(text) {
	const rows = [];
	let row = [], cell = '', quoted = false;

	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (quoted) {
			if (c !== '"')
				cell += c;
			else if (text[i + 1] === '"')
				cell += text[++i];
			else
				quoted = false;
		} else if (c === '"') {
			quoted = true;
		} else if (c === ',' || c === '\n') {
			row.push(cell.replace(/\r$/, ''));
			cell = '';
			if (c === '\n')
				rows.push(row.splice(0));
		} else {
			cell += c;
		}
	}
	const names = rows.shift() ?? [];
	return rows.map((cells) => Object.fromEntries(cells.map((value, i) =>
	    [names[i], value === NULL ? null : value])));
}

export class Sqlite {
	constructor(dir) {
		this.kind = 'sqlite';
		this.file = path.join(dir, 'planet.db');
		this.url = `sqlite:${this.file}`;
		this.component = null;
	}

	async make() {}

	async sql(text) {
		return parseCsv(await run('sqlite3', ['-batch', '-csv',
			'-header', '-nullvalue', NULL, '-cmd',
			'.timeout 10000', this.file], { input: `${text};` }));
	}
}

const BIN = '/usr/lib/postgresql/15/bin';

function program(name) {
	const full = path.join(process.env.PLANET_PG_BIN ?? BIN, name);

	return fs.existsSync(full) ? full : name;
}

// postgres refuses to be root; who we are otherwise owns the cluster.
const USER = process.getuid() === 0 ? 'postgres' : null;

function asUser(argv) {
	return USER ? ['setpriv', `--reuid=${USER}`, `--regid=${USER}`,
		'--clear-groups', '--', ...argv] : argv;
}

async function initdb(dir) {
	const argv = asUser([program('initdb'), '-D', dir, '-U', 'planet',
		'-E', 'UTF8', '--locale=C', '-A', 'trust', '-N',
		'--no-instructions']);

	await run(argv[0], argv.slice(1), { cwd: '/' });
}

async function ownFolder(dir) {
	fs.mkdirSync(dir, { mode: 0o700 });
	if (USER)
		await run('chown', [`${USER}:`, dir]);
}

export class Postgres {
	constructor(dir, logs) {
		this.kind = 'postgresql';
		this.dir = path.join(dir, 'pg');
		this.socket = path.join(dir, 'pgsock');
		this.url = `postgresql://planet@${
			encodeURIComponent(this.socket)}/planet`;
		this.component = new Component('postgres',
		    path.join(logs, 'postgres.log'),
		    [program('postgres'), '-D', this.dir, '-k', this.socket,
			'-c', 'listen_addresses=', '-c', 'fsync=off',
			'-c', 'max_connections=200',
			'-c', 'shared_buffers=32MB',
			'-c', 'log_min_messages=warning'],
		    { user: USER });
	}

	// A cluster takes a second to make, so one may be copied.
	async make() {
		const ready = process.env.PLANET_TEST_CLUSTER;

		await ownFolder(this.socket);
		if (ready)
			await run('cp', ['-a', ready, this.dir]);
		else {
			await ownFolder(this.dir);
			await initdb(this.dir);
		}
		await this.start();
		await this.psql('postgres', 'CREATE DATABASE planet');
	}

	// After a kill it refuses while a child of the dead one still ends.
	async start() {
		await until(async () => {
			if (!this.component.running)
				this.component.start();
			return this.psql('postgres', 'SELECT 1');
		}, 'postgres', 30_000);
	}

	psql(database, text) {
		return run('psql', ['-X', '-q', '-h', this.socket,
			'-U', 'planet', '-d', database, '--csv',
			'-v', 'ON_ERROR_STOP=1', '-P', `null=${NULL}`],
		    { input: `${text};` });
	}

	async sql(text) {
		return parseCsv(await this.psql('planet', text));
	}

	// A connection that stays: say() waits until it was done, pid is
	// its backend, end() closes it and rolls back what it began.
	async session() {
		const child = spawn('psql', ['-X', '-q', '-A', '-t', '-h',
			this.socket, '-U', 'planet', '-d', 'planet'],
		    { stdio: ['pipe', 'pipe', 'inherit'] });
		let said = '', n = 0;
		const say = async (text) => {
			const mark = `done-${++n}\n`;

			said = '';
			child.stdin.write(`${text};\n\\echo ${mark}`);
			await until(() => said.endsWith(mark), text);
			return said.slice(0, -mark.length).trim();
		};

		child.stdout.on('data', (data) => {
			said += data;
		});
		return { say, pid: await say('SELECT pg_backend_pid()'),
			end: () => child.stdin.end() };
	}
}

// A cluster to be copied, in `dir`, which must be passable for others.
export async function prepareCluster(dir) {
	await ownFolder(dir);
	await initdb(dir);
	return dir;
}
