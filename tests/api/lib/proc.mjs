// SPDX-License-Identifier: Apache-2.0
//
// proc.mjs -- programs that a test starts, and their certain end.
//
// Every program is known by its process id and dies with us: by teardown,
// by our exit handler, or, when we are killed, by the kernel.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const alive = new Set();

function killAll() {
	for (const one of alive)
		one.signal('SIGKILL');
}
process.on('exit', killAll);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
	process.once(signal, () => {
		killAll();
		process.exit(1);
	});

// Wait until fn() gives something true and return it; a throw counts as
// not yet, unless the error is final.  `what` says in the error what was
// waited for.
export async function until(fn, what = 'a condition', ms = 10_000) {
	const end = Date.now() + ms;
	let last = null;

	for (;;) {
		try {
			const value = await fn();
			if (value)
				return value;
		} catch (error) {
			if (error.final)
				throw error;
			last = error;
		}
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms for ${what}` +
			    (last ? `: ${last.message}` : ''));
		await sleep(15);
	}
}

// Run a program to its end; its standard output, or an error with all it
// said.  `input` goes to its standard input.
export function run(file, args, { input = '', ...options } = {}) {
	return new Promise((resolve, reject) => {
		const child = execFile(file, args,
		    { maxBuffer: 64 << 20, ...options },
		    (error, out, err) => {
			if (error)
				reject(new Error(`${file} ${args.join(' ')}:` +
				    ` ${error.code}\n${out}${err}`));
			else
				resolve(out);
		});
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

export class Component {
	// `argv` is the command; `user` runs it as somebody else.
	constructor(name, log, argv, { env = {}, user = null } = {}) {
		this.name = name;
		this.log = log;
		this.env = env;
		this.argv = ['setpriv', '--pdeathsig', 'KILL',
			...user ? [`--reuid=${user}`, `--regid=${user}`,
			    '--clear-groups'] : [],
			'--', ...argv];
		this.child = null;
	}

	get running() {
		return this.child !== null;
	}

	get pid() {
		return this.child?.pid ?? null;
	}

	start() {
		if (this.child)
			throw new Error(`${this.name} runs already`);
		const fd = fs.openSync(this.log, 'a');
		const child = spawn(this.argv[0], this.argv.slice(1),
		    { stdio: ['ignore', fd, fd],
			env: { ...process.env, ...this.env } });
		fs.closeSync(fd);
		this.child = child;
		this.end = new Promise((resolve) => {
			const gone = (code, signal) => {
				alive.delete(this);
				if (this.child === child)
					this.child = null;
				resolve({ code, signal });
			};
			child.once('exit', gone);
			child.once('error', () => gone(-1, null));
		});
		alive.add(this);
		return this;
	}

	signal(name) {
		this.child?.kill(name);
	}

	// Tell it to end and wait; killed when it does not.  How it ended.
	async stop(signal = 'SIGTERM', ms = 20_000) {
		if (!this.child)
			return null;
		const timer = setTimeout(() => this.signal('SIGKILL'), ms);
		this.signal(signal);
		const how = await this.end;
		clearTimeout(timer);
		return how;
	}
}
