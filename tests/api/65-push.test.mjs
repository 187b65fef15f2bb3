// SPDX-License-Identifier: Apache-2.0
//
// 65-push -- what the platform pushes about goods: the check of our address,
// plain and sealed, and what proves nothing.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { start, test, until } from './harness.mjs';
import { fire, place, see } from './lib/water.mjs';

const TOKEN = 'AQ1234567890';
const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
const SETTLED = 'trade_manage_order_settlement';
const REMIND = 'trade_manage_remind_shipping';
const p = await start({ conf: { push_token: TOKEN } });
// Nothing is pushed to this one.
const q = await start({ jobs: false, pay: false });
const PUSH = '/api/v1/wechat/push';
const url = `${p.base}${PUSH}`;
const push = (what) => p.pay.push({ url, token: TOKEN, ...what });
const GOOD = { status: 200, text: 'success' };

let next = 700;

async function paid(who) {
	const { id } = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST',
	    '/api/v1/payments', { as: who, body: { things: [
		{ kind: 'water_order', id }] } });

	assert.equal((await p.pay.pay(wechat)).notice, 204);
	return { id, payment: payment.id, number: payment.number };
}

// Water that is paid, handed over and told of.
async function shipped() {
	const who = await p.resident(++next);
	const one = await paid(who);

	await fire(p, 'owner-a', one.id, 'accept');
	await fire(p, 'courier-a', one.id, 'deliver');
	await fire(p, 'courier-a', one.id, 'handover',
	    { code: (await see(p, who.openid, one.id)).handover_code });
	await until(async () => {
		p.clock.add(11000);
		return (await p.pay.order(one.number)).ship;
	}, 'the shipping');
	return one;
}

const row = async ({ payment }) => (await p.sql('SELECT received_at,' +
    ' settled_at, reminded_at FROM shipping WHERE payment_id = ' +
    payment))[0];

// A push that is made here: what stands in the address, and the body.
async function raw(query, body, type = 'application/json') {
	const answer = await fetch(`${url}?${new URLSearchParams(query)}`,
	    body === undefined ? {} : { method: 'POST', body,
		headers: { 'content-type': type } });

	return { status: answer.status, text: await answer.text() };
}

function signed(...words) {
	return createHash('sha1').update([TOKEN, '1794729600', 'n1', ...words]
	    .sort().join('')).digest('hex');
}
const at = { timestamp: '1794729600', nonce: 'n1' };

test('the address is checked', async () => {
	assert.deepEqual(await push({ echo: '4375120948345356249' }),
	    { status: 200, text: '4375120948345356249' });
	assert.equal((await push({ echo: '1', spoil: 'signature' })).status,
	    403);
	assert.equal((await push({ echo: '1', token: 'another' })).status,
	    403);
	assert.equal((await raw({})).status, 403);
	assert.equal((await raw({ ...at, signature: signed() })).status, 400);
	await p.no(403, 'forbidden', 'GET', `${PUSH}?signature=%zz`);
	// The vector of the reference.
	const reply = await p.call('GET', `${PUSH}?signature=${signed()}` +
	    '&timestamp=1794729600&nonce=n1&echostr=a%2Bb');
	assert.equal(reply.text, 'a+b');
	assert.match(reply.headers['content-type'], /^text\/plain/);
	// Twice in one address is not there at all.
	assert.equal((await raw([['signature', signed()], ['nonce', 'n1'],
		['nonce', 'n1'], ['timestamp', at.timestamp],
		['echostr', '1']])).status, 403);
});

let one;

test('a settlement is noted, plain, once and twice', async () => {
	one = await shipped();
	assert.equal((await push({ event: SETTLED, number: one.number,
		spoil: 'signature' })).status, 403);
	assert.equal((await row(one)).settled_at, null);
	assert.deepEqual(await push({ event: SETTLED, number: one.number,
		step: 'shipped' }), GOOD);
	const first = await row(one);
	assert.ok(first.settled_at !== null);
	assert.equal(first.received_at, null);
	assert.deepEqual(await push({ event: SETTLED, number: one.number }),
	    GOOD);
	const then = await row(one);
	assert.ok(then.received_at !== null);
	assert.ok(Number(then.settled_at) < Number(first.settled_at));
	const replies = await Promise.all([1, 2, 3].map(() => push({
		event: SETTLED, number: one.number })));
	assert.deepEqual(replies, [GOOD, GOOD, GOOD]);
	assert.ok((await row(one)).received_at !== null);
});

test('a reminder is noted', async () => {
	assert.equal((await row(one)).reminded_at, null);
	assert.deepEqual(await push({ event: REMIND, number: one.number }),
	    GOOD);
	assert.ok((await row(one)).reminded_at !== null);
});

test('what we do not know is taken kindly', async () => {
	const before = await p.sql('SELECT * FROM shipping');
	const query = { ...at, signature: signed(), openid: 'o1' };
	const said = (what) => raw(query, JSON.stringify(what));

	assert.deepEqual(await said({ MsgType: 'event', Event: SETTLED,
		merchant_trade_no: 'P0000001', settlement_time: 1 }), GOOD);
	assert.deepEqual(await said({ MsgType: 'event', Event: SETTLED }),
	    GOOD);
	assert.deepEqual(await said({ MsgType: 'event',
		Event: 'debug_demo', debug_str: '' }), GOOD);
	assert.deepEqual(await said({ MsgType: 'text', Content: '在吗？' }),
	    GOOD);
	assert.deepEqual(await push({ event: 'wxa_trade_controlled' }), GOOD);
	// XML is proved and left unread.
	assert.deepEqual(await push({ event: SETTLED, number: one.number,
		xml: true }), GOOD);
	assert.equal((await push({ event: SETTLED, number: one.number,
		xml: true, spoil: 'signature' })).status, 403);
	assert.deepEqual(await p.sql('SELECT * FROM shipping'), before);
});

test('proved, and yet nothing that can be read', async () => {
	const query = { ...at, signature: signed() };

	for (const body of ['', '[]', '{', 'null', '"x"', '{"Event":',
		'{"Encrypt":"AAAA"}'])
		assert.equal((await raw(query, body)).status, 400, body);
	assert.deepEqual(await raw(query, '{"Event":{}}'), GOOD);
	assert.equal((await raw(query, 'x'.repeat(70_000))).status, 413);
	assert.equal((await raw({}, '{}')).status, 403);
});

test('nobody is asked when nothing is pushed to us', async () => {
	await q.no(404, 'not_found', 'GET', `${PUSH}?signature=${signed()}` +
	    '&timestamp=1794729600&nonce=n1&echostr=1');
	await q.no(404, 'not_found', 'POST', PUSH, { body: {} });
});

test('with a key, only what is sealed for us is believed', async () => {
	const two = await shipped();
	const sealed = (more) => push({ event: SETTLED, number: two.number,
		aes_key: KEY, ...more });
	const file = path.join(p.dir, 'push.key');

	p.options.conf.push_aes_key_file = 'push.key';
	p.writeConf();
	// Readable by others it stops the worker.
	fs.writeFileSync(file, `${KEY}\n`, { mode: 0o644 });
	await p.stop('api');
	await assert.rejects(p.start('api'));
	fs.chmodSync(file, 0o600);
	await p.start('api');
	assert.equal((await push({ event: SETTLED, number: two.number }))
	    .status, 403);
	assert.equal((await sealed({ spoil: 'signature' })).status, 403);
	assert.equal((await sealed({ appid: 'wx1111111111111111' })).status,
	    403);
	assert.equal((await sealed({ aes_key: KEY.split('').reverse()
	    .join('') })).status, 403);
	assert.equal((await row(two)).settled_at, null);
	assert.deepEqual(await sealed({ xml: true }), GOOD);
	assert.equal((await row(two)).settled_at, null);
	assert.deepEqual(await sealed(), GOOD);
	assert.ok((await row(two)).settled_at !== null);
	assert.deepEqual(await sealed(), GOOD);
	assert.deepEqual(await push({ echo: 'x1' }),
	    { status: 200, text: 'x1' });
	assert.match(await p.ctl('doctor').catch((e) =>
	    e.stdout ?? e.message), /pushes are sealed/);
});
