// SPDX-License-Identifier: Apache-2.0
//
// state.mjs -- what the stand-in remembers, and its clock.
//
// With a file the whole is written there shortly after a change and when
// the program ends: a temporary file renamed, so it is old or new, never
// half.  A large state is written less often, so that writing stays cheap.
import fs from 'node:fs';

const CODES_MAX = 20000;	// then those older than an hour go
const MESSAGES_MAX = 10000;
const RECENT_MAX = 100;
const MAPS = ['users', 'logins', 'phones', 'accepts', 'templates'];

export class State {
	constructor(file) {
		this.file = file;
		this.timer = null;
		this.lastWriteMs = 0;
		this.calls = {};	// kind -> number, since the start
		this.recent = [];	// the last calls, newest first
		this.offset_ms = 0;	// our clock less the machine's
		this.whitelist = null;	// addresses that may fetch tokens
		this.messages = [];
		this.token = {};	// see token.mjs
		for (const name of MAPS)
			this[name] = new Map();
		if (file && fs.existsSync(file))
			this.load(JSON.parse(fs.readFileSync(file, 'utf8')));
	}

	load(kept) {
		for (const name of MAPS)
			this[name] = new Map(Object.entries(kept[name] ?? {}));
		this.messages = kept.messages ?? [];
		this.token = kept.token ?? {};
		this.offset_ms = kept.offset_ms ?? 0;
		this.whitelist = kept.whitelist ?? null;
	}

	// Everything that is kept, as plain objects.
	toJSON() {
		const out = { offset_ms: this.offset_ms, token: this.token,
			whitelist: this.whitelist };
		for (const name of MAPS)
			out[name] = Object.fromEntries(this[name]);
		out.messages = this.messages;
		return out;
	}

	now() {
		return Date.now() + this.offset_ms;
	}

	// Something changed: keep it soon.
	touch() {
		if (!this.file || this.timer)
			return;
		this.timer = setTimeout(() => this.save(),
		    Math.max(100, 20 * this.lastWriteMs));
		this.timer.unref();
	}

	save() {
		const start = Date.now();

		clearTimeout(this.timer);
		this.timer = null;
		if (!this.file)
			return;
		try {
			const temporary = `${this.file}.${process.pid}.tmp`;
			fs.writeFileSync(temporary, JSON.stringify(this),
			    { mode: 0o600 });
			fs.renameSync(temporary, this.file);
		} catch (error) {
			process.stderr.write(`standin: ${error.message}\n`);
		}
		this.lastWriteMs = Date.now() - start;
	}

	// The user of an openid, made when it is new.
	user(openid) {
		let user = this.users.get(openid);

		if (!user) {
			user = { since: this.now(), unionid: null,
				session_key: null };
			this.users.set(openid, user);
			this.touch();
		}
		return user;
	}

	// Remember a one-time code in `logins` or `phones`.
	addCode(codes, code, value) {
		const old = this.now() - 3600_000;

		if (codes.size >= CODES_MAX)
			for (const [key, { made }] of codes)
				if (made < old)
					codes.delete(key);
		codes.set(code, { ...value, made: this.now(), used: null });
		this.touch();
	}

	addMessage(message) {
		this.messages.push(message);
		if (this.messages.length > MESSAGES_MAX)
			this.messages.shift();
		this.touch();
	}

	acceptsOf(openid, template) {
		return this.accepts.get(openid)?.[template] ?? 0;
	}

	addAccepts(openid, template, n) {
		const of = this.accepts.get(openid) ?? {};

		of[template] = (of[template] ?? 0) + n;
		this.accepts.set(openid, of);
		this.touch();
		return of[template];
	}

	countCall(kind, entry) {
		this.calls[kind] = (this.calls[kind] ?? 0) + 1;
		this.recent.unshift(entry);
		this.recent.length = Math.min(this.recent.length, RECENT_MAX);
	}
}
