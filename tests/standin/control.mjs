// SPDX-License-Identifier: Apache-2.0
//
// control.mjs -- the paths under /_standin/: what a test or a person asks
// of the stand-in itself.  JSON in and out; a member that is not known is
// refused, so that a slip of the pen shows.
//
//   POST   login-codes  {openid, unionid?, blocked?}      -> {code}
//   POST   phone-codes  {phone, openid?, country_code?}   -> {code}
//   POST   accepts      {openid, template_id, count?}     -> {count}
//   POST   templates    {id, keys, values?}               -> {id, keys}
//   GET    messages     ?openid=                          -> [message]
//   DELETE messages                                       -> {}
//   POST   faults       {kind, mode, times?, errcode?, errmsg?, delay_ms?,
//                        after_acting?, body?}            -> {faults}
//   GET    faults, DELETE faults                          -> {faults}
//   POST   clock        {offset_ms}                       -> {offset_ms, now}
//   POST   whitelist    {ips: [address] | null}           -> {ips}
//   GET    state                                          -> all of it
//   GET    (nothing)                                      -> a page
//   and those of the pay side: see pay-control.mjs
//
// The clock's offset is set, not added to.  A code with `blocked` meets
// 40226.  `body` is the text that mode "garbage" answers.
import { randomBytes, randomInt } from 'node:crypto';

import { KINDS, MODES } from './faults.mjs';
import { isKey } from './notify.mjs';
import { page } from './page.mjs';
import { PayControl } from './pay-control.mjs';

const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
    '0123456789';
const OPENID = /^[A-Za-z0-9_-]{1,128}$/;

const check = {
	openid: (v) => typeof v === 'string' && OPENID.test(v),
	text: (v) => typeof v === 'string',
	digits: (v) => typeof v === 'string' && /^\d{4,15}$/.test(v),
	country: (v) => typeof v === 'string' && /^\d{1,4}$/.test(v),
	template: (v) => typeof v === 'string' &&
	    /^[A-Za-z0-9_-]{1,128}$/.test(v),
	flag: (v) => typeof v === 'boolean',
	count: (v) => Number.isInteger(v) && v >= 0 && v <= 1e6,
	whole: (v) => Number.isSafeInteger(v),
	kind: (v) => KINDS.includes(v),
	mode: (v) => MODES.includes(v),
	keys: (v) => Array.isArray(v) && v.length > 0 && v.every(isKey),
	values: (v) => v !== null && typeof v === 'object' &&
	    Object.values(v).every((one) => Array.isArray(one)),
	ips: (v) => v === null || Array.isArray(v),
};

export class Refusal extends Error {}

// The members a body may have; `!` marks those it must have.
function read(call, shape) {
	let given;

	try {
		given = JSON.parse(call.body.toString('utf8') || '{}');
	} catch {
		throw new Refusal('the body is not JSON');
	}
	if (given === null || typeof given !== 'object' ||
	    Array.isArray(given))
		throw new Refusal('the body is not an object');
	for (const name of Object.keys(given))
		if (!Object.hasOwn(shape, name))
			throw new Refusal(`unknown member ${name}`);
	for (const [name, rule] of Object.entries(shape)) {
		const must = rule.startsWith('!');
		const value = given[name];
		if (value === undefined ? must :
		    !check[must ? rule.slice(1) : rule](value))
			throw new Refusal(`${name} is missing or wrong`);
	}
	return given;
}

export class Control {
	constructor(state, faults, platform, pay) {
		this.state = state;
		this.faults = faults;
		this.platform = platform;
		this.pay = pay;
		this.routes = {
			'POST login-codes': (call) => this.loginCode(call),
			'POST phone-codes': (call) => this.phoneCode(call),
			'POST accepts': (call) => this.accept(call),
			'POST templates': (call) => this.template(call),
			'GET messages': (call) => this.messages(call),
			'DELETE messages': () => this.forgetMessages(),
			'POST faults': (call) => this.addFault(call),
			'GET faults': () => ({ faults: this.faults.list }),
			'DELETE faults': () => this.forgetFaults(),
			'POST clock': (call) => this.setClock(call),
			'POST whitelist': (call) => this.setWhitelist(call),
			'GET state': () => this.whole(),
			...new PayControl(pay).routes,
		};
	}

	owns(path) {
		return path === '/' || path.startsWith('/_standin');
	}

	route() {
		return { kind: null, handle: (call) => this.answer(call) };
	}

	async answer(call) {
		const name = call.path.replace(/^\/(_standin\/?)?/, '');

		if (name === '' && call.method === 'GET')
			return call.path === '/_standin/' ?
			    { type: 'text/html; charset=utf-8',
				text: page(this.whole(), this.platform.app,
				    this.pay) } :
			    { status: 302, json: {},
				headers: { Location: '/_standin/' } };
		const handle = this.routes[`${call.method} ${name}`];
		if (!handle) {
			const there = Object.keys(this.routes).some((row) =>
			    row.endsWith(` ${name}`));
			return { status: there ? 405 : 404,
				json: { error: there ? 'wrong method' :
				    'no such path' } };
		}
		try {
			return { json: await handle(call) };
		} catch (error) {
			if (!(error instanceof Refusal))
				throw error;
			return { status: 400, json: { error: error.message } };
		}
	}

	loginCode(call) {
		const given = read(call, { openid: '!openid',
			unionid: 'openid', blocked: 'flag' });
		const code = '0' + Array.from({ length: 31 }, () =>
		    ALNUM[randomInt(ALNUM.length)]).join('');
		const user = this.state.user(given.openid);

		user.unionid = given.unionid ?? user.unionid;
		this.state.addCode(this.state.logins, code, {
			openid: given.openid, unionid: given.unionid ?? null,
			blocked: given.blocked ?? false });
		return { code };
	}

	phoneCode(call) {
		const given = read(call, { phone: '!digits', openid: 'openid',
			country_code: 'country' });
		const code = randomBytes(32).toString('hex');

		this.state.addCode(this.state.phones, code, {
			phone: given.phone, openid: given.openid ?? null,
			country_code: given.country_code ?? '86' });
		return { code };
	}

	accept(call) {
		const given = read(call, { openid: '!openid',
			template_id: '!template', count: 'count' });

		this.state.user(given.openid);
		return { count: this.state.addAccepts(given.openid,
		    given.template_id, given.count ?? 1) };
	}

	template(call) {
		const { id, keys, values } = read(call, { id: '!template',
			keys: '!keys', values: 'values' });

		this.state.templates.set(id, { keys, values: values ?? {} });
		this.state.touch();
		return { id, keys };
	}

	messages(call) {
		const openid = call.query.get('openid');

		return this.state.messages.filter((message) =>
		    openid === null || message.openid === openid);
	}

	forgetMessages() {
		this.state.messages = [];
		this.state.touch();
		return {};
	}

	addFault(call) {
		const fault = read(call, { kind: '!kind', mode: '!mode',
			times: 'count', errcode: 'whole', errmsg: 'text',
			delay_ms: 'count', after_acting: 'flag',
			body: 'text' });

		fault.times ??= 1;
		fault.delay_ms ??= 0;
		fault.after_acting ??= false;
		if (fault.mode === 'errcode' && fault.errcode === undefined)
			throw new Refusal('errcode is missing');
		if (fault.mode === 'delay' && fault.delay_ms === 0)
			throw new Refusal('delay_ms is missing');
		if (fault.times > 0)
			this.faults.add(fault);
		return { faults: this.faults.list };
	}

	forgetFaults() {
		this.faults.clear();
		return { faults: [] };
	}

	setClock(call) {
		const { offset_ms } = read(call, { offset_ms: '!whole' });

		this.state.offset_ms = offset_ms;
		this.state.touch();
		return { offset_ms, now: this.state.now() };
	}

	setWhitelist(call) {
		const { ips } = read(call, { ips: '!ips' });

		this.state.whitelist = ips;
		this.state.touch();
		return { ips };
	}

	whole() {
		return { now: this.state.now(), ...this.state.toJSON(),
			faults: this.faults.list, calls: this.state.calls,
			recent: this.state.recent };
	}
}
