// SPDX-License-Identifier: Apache-2.0
//
// token.mjs -- access tokens: the stable kind and the classic kind.
//
// The two kinds do not void each other.  state.token holds
//   stable, classic   the newest token of each kind, or absent
//   known             token -> { kind, until, killed }
//   forced            times of forced renewals, for their limits
import { randomBytes } from 'node:crypto';

import { failure, success } from './errcodes.mjs';

const LIFE_MS = 7200_000;
const OVERLAP_MS = 300_000;	// renewed so long before its end
const FORCED_A_DAY = 20;
const FORCED_APART_MS = 30_000;
const SHAPE = /^\d{1,3}_[A-Za-z0-9_-]{64,500}$/;

// The number of the day in China that `ms` lies in.
function dayOf(ms) {
	return Math.floor((ms + 8 * 3600_000) / 86400_000);
}

export class Tokens {
	constructor(state, app) {
		this.state = state;
		this.app = app;
	}

	get store() {
		const token = this.state.token;

		token.known ??= {};
		token.forced ??= [];
		return token;
	}

	issue(kind, now) {
		const { store } = this;
		const token = `99_${randomBytes(99).toString('base64url')}`;

		for (const [old, { until }] of Object.entries(store.known))
			if (until < now - 86400_000)
				delete store.known[old];
		store.known[token] = { kind, until: now + LIFE_MS,
			killed: false };
		store[kind] = token;
		this.state.touch();
		return token;
	}

	// What is wrong with the query's access_token: an answer, or null.
	refusal(call) {
		const token = call.query.get('access_token');

		if (!token)
			return failure(call, 41001);
		if (!SHAPE.test(token))
			return failure(call, 40014);
		const known = Object.hasOwn(this.store.known, token) ?
		    this.store.known[token] : null;
		if (!known || known.killed)
			return failure(call, 40001);
		return known.until <= call.now ? failure(call, 42001) : null;
	}

	// Appid, grant type, secret, in this order.
	credentialRefusal(call, given, grant) {
		if (!given.appid)
			return failure(call, 41002);
		if (given.appid !== this.app.appid)
			return failure(call, 40013);
		if (given.grant_type !== grant)
			return failure(call, 40002);
		if (!given.secret)
			return failure(call, 41004);
		if (given.secret !== this.app.secret)
			return failure(call, 40125);
		return null;
	}

	addressRefusal(call) {
		const { whitelist } = this.state;
		const address = call.address.replace(/^::ffff:/, '');

		if (!whitelist || whitelist.includes(address))
			return null;
		return failure(call, 40164, `invalid ip ${address} ipv6` +
		    ` ::ffff:${address}, not in whitelist`);
	}

	grant(call, token) {
		const left = this.store.known[token].until - call.now;

		return success(call, { access_token: token,
			expires_in: Math.floor(left / 1000) });
	}

	async classic(call) {
		await call.dawdle(0);
		const no = this.credentialRefusal(call,
		    Object.fromEntries(call.query), 'client_credential') ??
		    this.addressRefusal(call);
		if (no)
			return no;
		const former = this.store.known[this.store.classic];
		const token = this.issue('classic', call.now);
		if (former)
			former.until = Math.min(former.until,
			    call.now + OVERLAP_MS);
		return this.grant(call, token);
	}

	// Void the former token, as often as that is allowed.
	force(call) {
		const { store } = this;
		const today = store.forced.filter((at) =>
		    dayOf(at) === dayOf(call.now));

		if (today.length >= FORCED_A_DAY)
			return failure(call, 45009);
		if (store.forced.some((at) =>
		    Math.abs(call.now - at) < FORCED_APART_MS))
			return failure(call, 45011);
		store.forced = [...today, call.now];
		if (store.known[store.stable])
			store.known[store.stable].killed = true;
		return this.grant(call, this.issue('stable', call.now));
	}

	async stable(call, given) {
		await call.dawdle(0);
		const no = this.credentialRefusal(call, given,
		    'client_credential') ?? this.addressRefusal(call);
		if (no)
			return no;
		if (typeof (given.force_refresh ?? false) !== 'boolean')
			return failure(call, 47001);
		if (given.force_refresh)
			return this.force(call);
		const { known, stable } = this.store;
		if (known[stable] && !known[stable].killed &&
		    known[stable].until - call.now > OVERLAP_MS)
			return this.grant(call, stable);
		return this.grant(call, this.issue('stable', call.now));
	}
}
