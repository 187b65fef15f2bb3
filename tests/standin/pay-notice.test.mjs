// SPDX-License-Identifier: Apache-2.0
//
// pay-notice.test.mjs -- notices: true ones, and all that can befall them.
import assert from 'node:assert/strict';
import { after, beforeEach, before, test } from 'node:test';

import { MCHID, Merchant } from './pay-client.mjs';

let m;
let count = 0;
before(async () => {
	m = await Merchant.start();
});
after(() => m.stop());
beforeEach(() => {
	m.heard = [];
	m.answers = [];
});

function number() {
	return `NOTICE${String(++count).padStart(4, '0')}`;
}

const log = async () => (await m.control('GET', 'notices')).log;

test('a true notice', async () => {
	const no = number();
	const answer = await m.pay(no);
	const [{ path, headers, json, news, proved }] = m.heard;

	assert.equal(answer.notice, 204);
	assert.equal(path, '/notices');
	assert.ok(proved);
	assert.match(headers['request-id'], /-0$/);
	assert.ok(json.id.length <= 36);
	assert.equal(json.event_type, 'TRANSACTION.SUCCESS');
	assert.equal(json.resource_type, 'encrypt-resource');
	assert.equal(json.resource.original_type, 'transaction');
	assert.equal(json.resource.algorithm, 'AEAD_AES_256_GCM');
	assert.equal(json.resource.nonce.length, 12);
	assert.equal(news.out_trade_no, no);
	assert.equal(news.transaction_id, answer.transaction_id);
	assert.equal(news.trade_state, 'SUCCESS');
	assert.equal(news.mchid, MCHID);
	assert.deepEqual(news.amount, { total: 100, payer_total: 100,
		currency: 'CNY', payer_currency: 'CNY' });
	// What is taken is not sent again.
	assert.equal((await log()).filter((one) => one.number === no).length,
	    1);
});

test('what is refused is sent again, signed anew, until it is taken',
    async () => {
	m.answers = [500, 401, 302, 200];
	assert.equal((await m.pay(number())).notice, 500);
	const heard = await m.hear(4);
	const set = (fn) => new Set(heard.map(fn)).size;

	assert.ok(heard.every((one) => one.proved));
	assert.equal(set((one) => one.json.id), 1);
	assert.equal(set((one) => one.headers['wechatpay-nonce']), 4);
	assert.deepEqual((await log()).slice(-4).map((one) =>
	    [one.attempt, one.status]),
	[[1, 500], [2, 401], [3, 302], [4, 200]]);
});

test('nobody there is a failure, and it is tried again', async () => {
	const no = number();
	const { port } = m.ear.address();

	m.ear.close();
	m.ear.closeAllConnections();
	const prepay_id = await m.order(no);
	assert.equal((await m.control('POST', 'payments', { prepay_id }))
	    .notice, 0);
	await new Promise((resolve) => m.ear.listen(port, '127.0.0.1',
	    resolve));
	await m.hear(1);
	assert.ok((await log()).filter((one) => one.number === no)
	    .some((one) => one.status === 0));
});

test('lost, double, late, delayed', async () => {
	const way = (notices, more) => m.pay(number(), { notices, ...more });

	assert.equal((await way('lost')).notice, null);
	assert.equal(m.heard.length, 0);
	assert.equal((await way('double')).notice, 204);
	assert.equal(m.heard.length, 2);
	assert.equal(m.heard[0].json.id, m.heard[1].json.id);
	for (const one of ['late', 'delayed']) {
		assert.equal((await way(one, { wait: false, delay_ms: 50 }))
		    .notice, null);
		assert.equal(m.heard.length, one === 'late' ? 2 : 3);
		await m.hear(one === 'late' ? 3 : 4);
	}
	assert.equal((await way('late')).notice, 204);
});

test('one that goes behind the next', async () => {
	const [first, second] = [number(), number()];

	await m.pay(first, { notices: 'reordered', wait: false });
	await m.pay(second);
	const heard = await m.hear(2);
	assert.deepEqual(heard.map((one) => one.news.out_trade_no),
	    [second, first]);
	assert.ok(heard.every((one) => one.proved));
	// Not for ever, when there is no other.
	await m.pay(number(), { notices: 'reordered' });
	assert.equal(m.heard.length, 3);
});

test('a probe has no good signature; the true one follows', async () => {
	m.answers = [401];
	await m.pay(number(), { notices: 'signtest' });
	const [probe, real] = await m.hear(2);

	assert.match(probe.headers['wechatpay-signature'],
	    /^WECHATPAY\/SIGNTEST\//);
	assert.ok(!probe.proved);
	assert.ok(real.proved);
});

test('false ones: not proved', async () => {
	for (const notices of ['forged', 'stale', 'tampered',
		'unknown_serial']) {
		await m.pay(number(), { notices });
		assert.equal(m.heard.at(-1).proved, false, notices);
	}
	assert.equal(m.heard.length, 4);
});

test('false ones: proved, but not what was ordered', async () => {
	const cases = {
		wrong_amount: (news) => news.amount.total === 101,
		wrong_appid: (news) => news.appid === 'wxffffffffffffffff',
		wrong_mchid: (news) => news.mchid === '1900000999',
		unknown_order: (news) => /^X/.test(news.out_trade_no),
	};
	for (const [notices, holds] of Object.entries(cases)) {
		const no = number();
		const prepay_id = await m.order(no);
		// The thumb said no; the notice says yes all the same.
		await m.control('POST', 'payments', { prepay_id, notices,
			result: 'failed' });
		const { proved, news } = m.heard.at(-1);
		assert.ok(proved);
		assert.ok(holds(news), notices);
		assert.equal((await m.query(no)).trade_state, 'NOTPAY');
	}
	await m.control('POST', 'payments', { number: 'NOTICE0001',
		result: 'failed' }, 400);
	const prepay_id = await m.order(number());
	const none = await m.control('POST', 'payments', { prepay_id,
		result: 'failed' });
	assert.deepEqual([none.state, none.notice], ['NOTPAY', null]);
});

test('what was really paid, and paid in spite of a close', async () => {
	const no = number();
	const { state } = await m.pay(no, { amount: 70 });

	assert.equal(state, 'SUCCESS');
	assert.equal(m.heard[0].news.amount.total, 70);
	assert.equal((await m.query(no)).amount.total, 70);
	const late = number();
	const prepay_id = await m.order(late);
	await m.ask('POST', `/v3/pay/transactions/out-trade-no/${late}/close`,
	    { body: { mchid: MCHID } });
	await m.control('POST', 'payments', { prepay_id, force: true });
	assert.equal((await m.query(late)).trade_state, 'SUCCESS');
});

test('the same notice again, one after another and at once', async () => {
	const no = number();

	await m.pay(no, { notices: 'lost' });
	const { statuses } = await m.control('POST', 'notices',
	    { number: no, times: 3 });
	assert.deepEqual(statuses, [204, 204, 204]);
	await m.control('POST', 'notices', { number: no, times: 5,
		together: true });
	assert.equal(new Set(m.heard.map((one) => one.json.id)).size, 1);
	assert.equal(m.heard.length, 8);
	await m.control('POST', 'notices', { number: 'NOTICE9999' }, 400);
	const all = await m.control('POST', 'notices-burst',
	    { per_second: 1000 });
	assert.equal(all.statuses[204], all.sent);
	assert.equal(m.heard.length, 8 + all.sent);
	assert.ok(all.max_ms >= all.p50_ms);
});

test('signed by the certificate; additional data empty and absent',
    async () => {
	await m.control('POST', 'pay', { notice_by: 'certificates',
		about: 'empty' });
	await m.pay(number());
	assert.match(m.heard[0].headers['wechatpay-serial'], /^[0-9A-F]{40}$/);
	assert.equal(m.heard[0].json.resource.associated_data, '');
	await m.control('POST', 'pay', { about: 'absent' });
	await m.pay(number());
	assert.equal(m.heard[1].json.resource.associated_data, undefined);
	assert.equal(m.heard[1].news.trade_state, 'SUCCESS');
	await m.control('POST', 'pay', { reset: true });
});

test('chance: all lost, all double; never a word of what was not said',
    async () => {
	await m.control('POST', 'pay', { rates: { lose: 1 } });
	assert.equal((await m.pay(number())).notice, null);
	await m.control('POST', 'pay', { rates: { double: 1 } });
	await m.pay(number());
	assert.equal(m.heard.length, 2);
	await m.control('POST', 'pay', { rates: { delay: 1 } });
	await m.pay(number(), { wait: false });
	await m.hear(3);
	await m.control('POST', 'pay', { rates: { lose: 2 } }, 400);
	await m.control('POST', 'pay', { reset: true });
});
