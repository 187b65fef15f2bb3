// SPDX-License-Identifier: Apache-2.0
//
// 51-refunds -- money going back: how much, by whom, and what WeChat makes
// of it.
import assert from 'node:assert/strict';

import { HOUR, MINUTE, SECOND, start, test, until } from './harness.mjs';
import { fire, place, see } from './lib/water.mjs';

const p = await start();
const owner = await p.as('owner-a');
const PAYMENTS = '/api/v1/payments';

let next = 700;
const check = async () => assert.match(await p.ctl('ledger', 'check'),
    /all balance/);
const lies = (id) => p.value(`SELECT state FROM payment WHERE id = ${id}`);
const refundLies = (id) => p.value('SELECT state FROM payment_refund' +
    ` WHERE id = ${id}`);
const reaches = (id, want) => until(async () => await lies(id) === want,
    `payment ${id} ${want}`);
const refundReaches = (id, want) => until(async () =>
    await refundLies(id) === want, `refund ${id} ${want}`);

// Water paid online and delivered: 1,800 fen that the station may return.
async function delivered() {
	const who = await p.resident(++next);
	const o = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST', PAYMENTS,
	    { as: who, body: { things: [{ kind: 'water_order',
		id: o.id }] } });

	assert.equal((await p.pay.pay(wechat)).notice, 204);
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	const { handover_code } = await see(p, who.openid, o.id);
	await fire(p, 'courier-a', o.id, 'handover',
	    { code: handover_code });
	return { who, o, id: payment.id, number: payment.number };
}

const bodyOf = ({ o }, amount_fen) => ({ reason: '水有异味，退款',
	items: [{ kind: 'water_order', id: o.id, amount_fen }] });
const give = (one, fen, as = owner, more = {}) => p.yes(201, 'POST',
    `${PAYMENTS}/${one.id}/refunds`, { as, body: bodyOf(one, fen),
	...more });
const refuse = (one, fen, status, code, as = owner) => p.no(status, code,
    'POST', `${PAYMENTS}/${one.id}/refunds`, { as,
	body: bodyOf(one, fen) });

test('back in two steps, and not a fen more', async () => {
	const one = await delivered();
	const first = await give(one, 1000);

	assert.equal(first.state, 'asked');
	assert.equal(first.amount_fen, 1000);
	await refuse(one, 801, 409, 'not_enough');
	await refundReaches(first.id, 'done');
	await reaches(one.id, 'paid');
	await refuse(one, 801, 409, 'not_enough');
	const last = await give(one, 800);
	await refundReaches(last.id, 'done');
	await reaches(one.id, 'refunded');
	await refuse(one, 1, 409, 'not_enough');
	const now = await p.yes(200, 'GET', `${PAYMENTS}/${one.id}`,
	    { as: one.who });
	assert.equal(now.refunded_fen, 1800);
	assert.deepEqual(now.refunds.map((r) => [r.amount_fen, r.state]),
	    [[1000, 'done'], [800, 'done']]);
	assert.ok(now.refunds.every((r) => r.account && r.done_at));
	const { refund_rows } = await p.pay.order(one.number);
	assert.equal(refund_rows.reduce((sum, r) => sum + r.refund_fen, 0),
	    1800);
	await check();
});

test('ten at once get what there is', async () => {
	const one = await delivered();
	const replies = await Promise.all(Array.from({ length: 10 }, () =>
		p.call('POST', `${PAYMENTS}/${one.id}/refunds`,
		    { as: owner, body: bodyOf(one, 500) })));

	assert.equal(replies.filter((r) => r.status === 201).length, 3,
	    replies.map((r) => r.text).join('\n'));
	assert.equal(Number(await p.value('SELECT refunded_fen FROM payment' +
	    ` WHERE id = ${one.id}`)), 1500);
	await check();
});

test('the same key is the same refund', async () => {
	const one = await delivered();
	const headers = { 'idempotency-key': `refund-${one.id}` };
	const a = await give(one, 500, owner, { headers });
	const b = await give(one, 500, owner, { headers });

	assert.equal(a.id, b.id);
	await refundReaches(a.id, 'done');
	assert.equal((await p.pay.order(one.number)).refund_rows.length, 1);
});

test('only who may gives back', async () => {
	const one = await delivered();

	await refuse(one, 100, 409, 'state_conflict', one.who);
	await refuse(one, 100, 404, 'not_found', await p.as('owner-b'));
	await refuse(one, 100, 404, 'not_found', await p.resident(++next));
	await p.no(404, 'not_found', 'POST', `${PAYMENTS}/1/refunds`,
	    { as: owner, body: { reason: '没有' } });
	await p.no(404, 'not_found', 'POST', `${PAYMENTS}/${one.id}/refunds`,
	    { as: owner, body: { reason: '别的', items: [
		{ kind: 'water_order', id: '1' }] } });
	await p.no(422, 'invalid_field', 'POST',
	    `${PAYMENTS}/${one.id}/refunds`, { as: owner, body: {} });
	assert.equal(await lies(one.id), 'paid');
});

test('notice and answer race a hundred times: one refund', async () => {
	await p.pay.refunds({ hold: true });
	const one = await delivered();
	const refund = await give(one, 1800);
	const number = refund.number;

	await refundReaches(refund.id, 'running');
	await p.pay.endRefund(number, { notices: 'lost' });
	const notices = p.pay.refundNotice(number, { times: 100,
		together: true });
	p.clock.add(61 * SECOND);
	assert.deepEqual(new Set(await notices), new Set([204]));
	await reaches(one.id, 'refunded');
	assert.equal(Number(await p.value('SELECT count(*) FROM flow_event' +
	    ` WHERE thing_id = ${one.id} AND event = 'returned'`)), 1);
	assert.equal((await p.pay.order(one.number)).refund_rows.length, 1);
	await p.pay.reset();
	await check();
});

// The answer that is held says less than the notice that overtakes it.
test('a hundred refunds, each told of while its answer is held',
    { timeout: 120_000 }, async () => {
	const each = 36, times = 50, all = 2 * times;
	const two = [await delivered(), await delivered()];
	const ids = two.map((one) => one.id).join();
	const ended = async (what) => Number(await p.value(
	    `SELECT count(*) FROM ${what}`));

	await p.stop('jobs');
	await p.pay.refunds({ delay_ms: 0, notices: 'normal' });
	// Some answers come before the notice, some meanwhile, some after.
	await p.pay.set({ faults: Array.from({ length: all }, (_, i) => ({
		path: 'refund', mode: 'acted_delay', delay_ms: i % 25 })) });
	for (let i = 0; i < times; i++)
		for (const one of two)
			await give(one, each);
	for (const one of two)
		await refuse(one, 1, 409, 'not_enough');
	await p.start('jobs');
	await until(async () => {
		p.clock.add(SECOND);
		return await ended('payment_refund WHERE state = \'done\'' +
		    ` AND payment_id IN (${ids})`) === all;
	}, 'all done', 100_000);
	for (const one of two) {
		await reaches(one.id, 'refunded');
		assert.equal(await ended('payment_refund WHERE payment_id =' +
		    ` ${one.id}`), times);
		assert.equal(await ended('flow_event WHERE thing_id =' +
		    ` ${one.id} AND event = 'returned'`), 1);
		const { refund_rows } = await p.pay.order(one.number);
		assert.deepEqual(refund_rows.map((r) => [r.state,
			r.refund_fen]), Array(times).fill(['SUCCESS', each]));
	}
	assert.equal(await ended('ledger_entry e JOIN payment_refund r ON' +
	    ' r.id = e.thing_id WHERE e.thing = \'payment_refund\' AND' +
	    ` e.kind = 'refund' AND r.payment_id IN (${ids})`), all);
	await p.pay.reset();
	await check();
});

test('a lost refund notice is found by the query', async () => {
	await p.pay.refunds({ hold: true });
	const one = await delivered();
	const refund = await give(one, 1800);

	await refundReaches(refund.id, 'running');
	await p.pay.endRefund(refund.number, { notices: 'lost' });
	p.clock.add(61 * SECOND);
	await refundReaches(refund.id, 'done');
	await p.pay.reset();
});

test('an answer that never came is asked for with the same number',
    async () => {
	const one = await delivered();

	await p.pay.fault('refund', 'acted_error', { times: 3, status: 500,
		code: 'SYSTEM_ERROR' });
	const refund = await give(one, 1800);
	await until(async () => {
		p.clock.add(61 * SECOND);
		return await refundLies(refund.id) === 'done';
	}, 'done');
	assert.equal((await p.pay.order(one.number)).refund_rows.length, 1);
	await p.pay.reset();
	await check();
});

test('too little money there is tried again later', async () => {
	const one = await delivered();

	await p.pay.fault('refund', 'error', { status: 403,
		code: 'NOT_ENOUGH' });
	const refund = await give(one, 1800);
	await until(async () => Number(await p.value('SELECT asked FROM' +
	    ` payment_refund WHERE id = ${refund.id}`)) > 0, 'asked');
	assert.equal(await refundLies(refund.id), 'asked');
	await until(async () => {
		p.clock.add(31 * MINUTE);
		return await refundLies(refund.id) === 'done';
	}, 'done');
	await p.pay.reset();
});

test('a refund that WeChat closed is followed by another', async () => {
	await p.pay.refunds({ result: 'CLOSED', notices: 'normal' });
	const one = await delivered();
	const refund = await give(one, 1800);

	await refundReaches(refund.id, 'dead');
	await p.pay.reset();
	await until(async () => {
		p.clock.add(61 * SECOND);
		return await lies(one.id) === 'refunded';
	}, 'refunded');
	const rows = await p.sql('SELECT number, state FROM payment_refund' +
	    ` WHERE payment_id = ${one.id} ORDER BY id`);
	assert.equal(rows[0].state, 'dead');
	assert.equal(rows.at(-1).state, 'done');
	assert.equal(new Set(rows.map((r) => r.number)).size, rows.length);
	await check();
});

test('an account that takes nothing is for a person', async () => {
	await p.pay.refunds({ result: 'ABNORMAL', notices: 'normal' });
	const one = await delivered();
	const refund = await give(one, 1800);

	await refundReaches(refund.id, 'abnormal');
	assert.equal(await lies(one.id), 'refunding');
	await p.pay.reset();
	p.clock.add(7 * HOUR);
	await check();
});
