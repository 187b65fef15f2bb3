// SPDX-License-Identifier: Apache-2.0
//
// platform.mjs -- the mini-program platform's host: log-in and phone
// number by code, checks of the session key, and the table of its paths.
//
// Codes are used once, live five minutes, and those of the phone button
// are not those of log-in.
import { createHmac, randomBytes } from 'node:crypto';

import { failure, success } from './errcodes.mjs';
import { Notify } from './notify.mjs';
import { Shipping } from './shipping.mjs';
import { Tokens } from './token.mjs';

const CODE_LIFE_MS = 300_000;

export class Platform {
	constructor(state, app, pay) {
		this.state = state;
		this.app = app;
		this.tokens = new Tokens(state, app);
		this.notify = new Notify(state, app);
		this.routes = {
			'/sns/jscode2session': { kind: 'login', method: 'GET',
				handle: (call) => this.login(call) },
			'/cgi-bin/token': { kind: 'token', method: 'GET',
				handle: (call) => this.tokens.classic(call) },
			'/cgi-bin/stable_token': { kind: 'token',
				method: 'POST',
				handle: (call, given) =>
				    this.tokens.stable(call, given) },
			'/wxa/business/getuserphonenumber': { kind: 'phone',
				method: 'POST', token: true,
				handle: (call, given) =>
				    this.phone(call, given) },
			'/cgi-bin/message/subscribe/send': { kind: 'notify',
				method: 'POST', token: true, literal: true,
				handle: (call, given) =>
				    this.notify.send(call, given) },
			'/wxa/checksession': { kind: 'session', method: 'GET',
				token: true,
				handle: (call) => this.checkSession(call) },
			'/wxa/resetusersessionkey': { kind: 'session',
				method: 'GET', token: true,
				handle: (call) => this.resetSession(call) },
			...new Shipping(pay, app).routes,
		};
	}

	owns() {
		return true;
	}

	route(call) {
		const route = Object.hasOwn(this.routes, call.path) ?
		    this.routes[call.path] : null;

		if (!route)
			return { kind: 'other',
				handle: (one) => failure(one, 40066) };
		return { kind: route.kind,
			handle: (one) => this.enter(route, one) };
	}

	// What all calls have in common: token, method, body; in this order.
	enter(route, call) {
		const no = route.token ? this.tokens.refusal(call) : null;

		if (no)
			return no;
		if (call.method !== route.method)
			return failure(call,
			    route.method === 'POST' ? 43002 : 43001);
		if (route.method === 'GET')
			return route.handle(call);
		if (call.body.length === 0)
			return failure(call, 44002);
		const given = parseBody(call.body, route.literal);
		return given ? route.handle(call, given) :
		    failure(call, 47001);
	}

	// A code of `codes` that is still good, or an errcode.
	redeem(codes, code, now) {
		const row = codes.get(code);

		if (!row)
			return 40029;
		if (row.used !== null)
			return 40163;
		return now - row.made > CODE_LIFE_MS ? 40029 : row;
	}

	async login(call) {
		await call.dawdle(0);
		const no = this.tokens.credentialRefusal(call,
		    Object.fromEntries(call.query), 'authorization_code');
		if (no)
			return no;
		const code = call.query.get('js_code');
		if (!code)
			return failure(call, 41008);
		const row = this.redeem(this.state.logins, code, call.now);
		if (typeof row === 'number')
			return failure(call, row);
		row.used = call.now;
		this.state.touch();
		if (row.blocked)
			return failure(call, 40226);
		const user = this.state.user(row.openid);
		user.session_key = randomBytes(16).toString('base64');
		user.unionid = row.unionid ?? user.unionid;
		return success(call, { session_key: user.session_key,
			openid: row.openid,
			...user.unionid ? { unionid: user.unionid } : {} });
	}

	async phone(call, given) {
		await call.dawdle(0);
		const row = this.redeem(this.state.phones, given.code,
		    call.now);
		// A used code is not told from an invented one here.
		if (typeof row === 'number')
			return failure(call, 40029, 'invalid code hint: [' +
			    `${randomBytes(8).toString('base64url')}]`);
		if (given.openid !== undefined && row.openid &&
		    given.openid !== row.openid)
			return failure(call, 40003);
		row.used = call.now;
		this.state.touch();
		const abroad = row.country_code !== '86';
		return success(call, { errcode: 0, errmsg: 'ok',
			phone_info: {
				phoneNumber: (abroad ?
				    `+${row.country_code}` : '') + row.phone,
				purePhoneNumber: row.phone,
				countryCode: row.country_code,
				watermark: {
					timestamp: Math.floor(call.now / 1000),
					appid: this.app.appid,
				},
			} });
	}

	// The user whose key signs the empty text as the query says, or null.
	signer(call) {
		const user = this.state.users.get(call.query.get('openid'));

		if (!user?.session_key ||
		    call.query.get('sig_method') !== 'hmac_sha256')
			return null;
		const right = createHmac('sha256', user.session_key)
		    .update('').digest('hex');
		return right === call.query.get('signature') ? user : null;
	}

	async checkSession(call) {
		await call.dawdle(0);
		return this.signer(call) ?
		    success(call, { errcode: 0, errmsg: 'ok' }) :
		    failure(call, 87009);
	}

	async resetSession(call) {
		await call.dawdle(0);
		const user = this.signer(call);
		if (!user)
			return failure(call, 87009);
		user.session_key = randomBytes(16).toString('base64');
		this.state.touch();
		return success(call, { errcode: 0, errmsg: 'ok',
			openid: call.query.get('openid'),
			session_key: user.session_key });
	}
}

// The object a body holds, or null.  Message calls show \u escapes as
// they stand, so `literal` keeps them from being decoded.
function parseBody(body, literal) {
	try {
		let text = new TextDecoder('utf-8', { fatal: true })
		    .decode(body);
		if (literal)
			text = text.replace(/\\(u|.)/g, (all, next) =>
			    next === 'u' ? '\\\\u' : all);
		const given = JSON.parse(text);
		return given !== null && typeof given === 'object' &&
		    !Array.isArray(given) ? given : null;
	} catch {
		return null;
	}
}
