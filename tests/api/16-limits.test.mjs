// SPDX-License-Identifier: Apache-2.0
//
// 16-limits -- so many a minute, of one user and from one address.
import assert from 'node:assert/strict';
import http from 'node:http';

import { MINUTE, start, test } from './harness.mjs';

const p = await start({ jobs: false, conf: { user_reads: 20, user_writes: 5,
	address_requests: 160, logins: 12, login_tries: 100 } });
const anna = await p.as('anna'), bert = await p.as('bert');
const ME = '/api/v1/me';

const read = (as) => p.call('GET', ME, { as });
const write = (as) => p.call('PATCH', ME, { as, body: {} });
const slow = (as) => p.call('POST', '/api/v1/me/phone', { as, body: {} });

// A minute that has just begun.
function newMinute() {
	p.clock.add(MINUTE - p.clock.now() % MINUTE);
}

// How many of `n` calls pass; the rest must be told when to come back.
async function passing(n, call) {
	const all = await Promise.all(Array.from({ length: n }, call));
	const no = all.filter((r) => r.status === 429);

	for (const r of no) {
		assert.equal(r.json.code, 'rate_limited');
		assert.match(r.json.detail, /\p{Script=Han}/u);
		const wait = Number(r.headers['retry-after']);
		assert.ok(wait >= 1 && wait <= 60, `${wait}`);
	}
	return n - no.length;
}

test('reads of a user', async () => {
	newMinute();
	assert.equal(await passing(30, () => read(anna)), 20);
	assert.equal(await passing(3, () => read(anna)), 0);
	// Writing is counted apart, and so is everybody else.
	assert.equal(await passing(5, () => write(anna)), 5);
	assert.equal(await passing(20, () => read(bert)), 20);
});

test('the next minute all is forgiven', async () => {
	const { headers } = await read(anna);

	p.clock.add(Number(headers['retry-after']) * 1000);
	assert.equal(await passing(20, () => read(anna)), 20);
});

test('writes of a user, in both pools together', async () => {
	newMinute();
	assert.equal(await passing(3, () => slow(anna)), 3);
	assert.equal(await passing(9, () => write(anna)), 2);
	assert.equal(await passing(2, () => slow(anna)), 0);
	assert.equal(await passing(2, () => write(bert)), 2);
	// Another session is the same person.
	assert.equal((await write(await p.as('anna', { fresh: true })))
	    .status, 429);
});

test('a call that may not be made is not counted', async () => {
	newMinute();
	for (let i = 0; i < 30; i++)
		assert.equal((await p.call('GET', '/api/v1/station',
		    { as: anna })).status, 403);
	assert.equal(await passing(30, () => read(anna)), 20);
});

test('passwords from one address, and codes of many phones', async () => {
	newMinute();
	const bad = (i) => p.call('POST', '/api/v1/sessions/staff',
	    { body: { account: `someone-${i}`, password: 'wrong' } });
	let wrong = 0;

	for (let i = 0; i < 15; i++)
		wrong += (await bad(i)).status === 401;
	assert.equal(wrong, 12);
	// A carrier's address is that of thousands; a code is no password.
	for (let i = 0; i < 30; i++)
		assert.equal((await p.call('POST', '/api/v1/sessions',
		    { body: { code: 'invented' } })).status, 401);
	await p.as('anna', { fresh: true });
});

test('guesses at one account', async () => {
	newMinute();
	let wrong = 0;

	for (let i = 0; i < 14; i++) {
		const r = await p.call('POST', '/api/v1/sessions/staff',
		    { body: { account: 'someone', password: 'wrong' } });
		assert.match(String(r.status), /^(401|429)$/);
		wrong += r.status === 401;
	}
	assert.ok(wrong >= 6 && wrong <= 12, `${wrong}`);
});

test('public requests from one address, counted in blocks', async () => {
	newMinute();
	const n = await passing(200, () =>
	    p.call('GET', '/api/v1/communities'));

	// Never too many; up to a block too few.
	assert.ok(n <= 160 && n >= 150, `${n}`);
	// A rush at the beginning of a minute is no reason to refuse one.
	for (let round = 0; round < 8; round++) {
		newMinute();
		assert.equal(await passing(60, () =>
		    p.call('GET', '/api/v1/communities')), 60);
	}
});

test('health is never limited', async () => {
	newMinute();
	await passing(200, () => p.call('GET', '/api/v1/communities'));
	for (let i = 0; i < 20; i++)
		assert.equal((await p.call('GET', '/healthz')).status, 200);
	assert.equal((await p.call('GET', '/readyz')).status, 200);
});

// One request from an address of this machine.
function from(localAddress, agent) {
	return new Promise((resolve, reject) => {
		http.get(`${p.base}/healthz`, { localAddress, agent },
		    (answer) => {
			let text = '';
			answer.on('data', (part) => { text += part; });
			answer.on('end', () => resolve({ text,
				status: answer.statusCode,
				headers: answer.headers }));
		}).on('error', reject);
	});
}

// Ask until refused, 32 at a time: how many passed, and the refusal.
async function refusal(localAddress, most) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
	let passed = 0, no = null;

	await Promise.all(Array.from({ length: 32 }, async () => {
		while (no === null && passed < most) {
			const answer = await from(localAddress, agent);
			if (answer.status === 200)
				passed++;
			else
				no = answer;
		}
	}));
	agent.destroy();
	return { passed, no };
}

test('nginx itself holds a stranger back, in our words', async () => {
	const { passed, no } = await refusal('127.0.0.2', 40_000);

	assert.ok(passed >= 1000, `${passed}`);
	assert.equal(no?.status, 429, `${passed} passed`);
	assert.equal(JSON.parse(no.text).code, 'rate_limited');
	assert.equal(no.headers['content-type'], 'application/problem+json');
	assert.ok(Number(no.headers['retry-after']) > 0);
	// Others are not held back with it, this machine never.
	assert.equal((await from('127.0.0.3')).status, 200);
	assert.equal((await refusal('127.0.0.1', passed + 500)).no, null);
});
