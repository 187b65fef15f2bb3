// SPDX-License-Identifier: Apache-2.0
//
// staff.mjs -- accounts of staff, their passwords and second factors.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

export const STAFF = '/api/v1/staff';
const LOGIN = '/api/v1/sessions/staff';

export const login = (p, account, password, more = {}) =>
    p.call('POST', LOGIN, { body: { account, password, ...more } });

export async function loginYes(p, account, password, more = {}) {
	const reply = await login(p, account, password, more);

	assert.equal(reply.status, 201, reply.text);
	return { ...reply.json, id: reply.json.user.id };
}

export async function loginNo(p, status, code, account, password,
    more = {}) {
	const reply = await login(p, account, password, more);

	assert.equal(`${reply.status} ${reply.json?.code}`,
	    `${status} ${code}`, reply.text);
	return { ...reply.json, headers: reply.headers };
}

// An account as an admin makes it: {id, account, password}.
export async function hire(p, account, more = {}, by = 'role-admin') {
	return p.yes(201, 'POST', STAFF, { as: await p.as(by),
		body: { account, name: '工作人员', ...more } });
}

export function changePassword(p, as, old, fresh) {
	return p.call('POST', '/api/v1/me/password',
	    { as, body: { old, new: fresh } });
}

// The same with a password of its own and an open session.
export async function settled(p, account, more = {}, by = 'role-admin') {
	const one = await hire(p, account, more, by);
	const first = await loginYes(p, account, one.password);
	const password = `Eigenes-${one.id.slice(-6)}`;
	const reply = await changePassword(p, first, one.password, password);

	assert.equal(reply.status, 204, reply.text);
	return { ...one, password, token: first.token };
}

function base32(text) {
	const set = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
	const bits = [...text].map((c) => set.indexOf(c).toString(2)
	    .padStart(5, '0')).join('');

	return Buffer.from(bits.match(/.{8}/g).map((one) =>
	    parseInt(one, 2)));
}

// What the authenticator shows at `ms`.
export function totp(secret, ms) {
	const counter = Buffer.alloc(8);

	counter.writeBigInt64BE(BigInt(Math.floor(ms / 30_000)));
	const mac = createHmac('sha1', base32(secret)).update(counter)
	    .digest();
	const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
	return String(n % 1_000_000).padStart(6, '0');
}
