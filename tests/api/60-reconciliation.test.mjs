// SPDX-License-Identifier: Apache-2.0
//
// 60-reconciliation -- a day against WeChat Pay's statement of it: nothing
// to say, every kind of difference, what closing needs and does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { DAY, HOUR, start, test, until } from './harness.mjs';
import { A } from './lib/fixture.mjs';
import { fire, place } from './lib/water.mjs';

const p = await start();
const RECON = '/api/v1/reconciliations';
const PLATFORM = '/api/v1/platform/reconciliations';
const admin = await p.as('role-admin');
const platform = await p.as('role-platform');
const far = await p.as('admin-z');
const clerk = await p.as('clerk-1');

let next = 700;
const today = () => new Date(p.clock.now() + 8 * HOUR).toISOString()
    .slice(0, 10);
const number = (date) => Number(date.replaceAll('-', ''));
// The next day, when the task has done its part.
async function morning() {
	const day = number(today());

	p.clock.goto('10:30');
	await until(async () => await p.value('SELECT state FROM' +
	    ' reconciliation WHERE community_id = 0' +
	    ` AND day = ${day}`) === 'open' && await p.value('SELECT' +
	    ` claimed_until FROM recon_run WHERE day = ${day}`) === '0',
	'the morning', 30_000);
}
const see = (date, as = admin, base = RECON) => p.yes(200, 'GET',
    `${base}/${date}`, { as });
const run = (date, as = admin) => p.yes(200, 'POST',
    `${RECON}/${date}/run`, { as });
const close = (date, as = admin, base = RECON) => p.yes(200, 'POST',
    `${base}/${date}/close`, { as });
const diffs = async (date, { as = admin, base = RECON, query = '' } = {}) =>
    (await p.yes(200, 'GET', `${base}/${date}/differences?limit=100${query}`,
	{ as })).items;
const explain = (date, id, { as = admin, base = RECON } = {}) => p.yes(200,
    'POST', `${base}/${date}/differences/${id}/explain`,
    { as, body: { note: '已与微信客服核对无误' } });
const due = async (org) => Number(await p.value('SELECT' +
    ' COALESCE(SUM(l.amount), 0) FROM ledger_line l JOIN ledger_account a' +
    ' ON a.community_id = l.community_id AND a.id = l.account_id' +
    ` WHERE a.owner = 'org' AND a.kind = 'due' AND a.owner_id = ${org}`));

// An order of water that was paid online.
async function paid() {
	const who = await p.resident(++next);
	const order = await place(p, who, { payment: 'online' });
	const { payment, wechat } = await p.yes(201, 'POST',
	    '/api/v1/payments', { as: who, body: { things: [
		{ kind: 'water_order', id: order.id }] } });

	await p.pay.pay(wechat);
	await until(async () => await p.value('SELECT state FROM payment' +
	    ` WHERE id = ${payment.id}`) === 'paid', 'paid');
	return { who, order, id: payment.id, number: payment.number,
		fen: payment.total_fen };
}

test('a day without a difference is closed, once', async () => {
	const date = today();
	const a = await paid(), b = await paid();
	const before = await due(A);

	await p.no(404, 'not_found', 'GET', `${RECON}/${date}`, { as: admin });
	await p.no(409, 'conflict', 'POST', `${RECON}/${date}/run`,
	    { as: admin });
	await assert.rejects(p.ctl('reconcile', date), /not ended/);
	await morning();
	assert.match(await p.ctl('reconcile', date),
	    /community 101: open, 2 payments, \d+ fen, 0 differences open/);
	await assert.rejects(p.ctl('reconcile', '2026-02-30'), /usage/);
	const day = await run(date);
	assert.equal(day.date, date);
	assert.equal(day.day, number(date));
	assert.deepEqual([day.state, day.open, day.payments, day.our_payments,
		day.paid_fen, day.our_paid_fen, day.refunds, day.sha256],
	['open', 0, 2, 2, a.fen + b.fen, a.fen + b.fen, 0, null]);
	assert.ok(day.fee_fen > 0);
	assert.deepEqual(await diffs(date), []);
	const sheet = (await p.yes(200, 'GET', `${RECON}/${date}/settlement`,
	    { as: admin })).items;
	assert.deepEqual(sheet.map((s) => [s.payee_id, s.paid_fen,
		s.refunded_fen, s.fee_fen, s.net_fen]), [[A, a.fen + b.fen, 0,
		day.fee_fen, a.fen + b.fen - day.fee_fen]]);

	// Two at once: one closes it, and the fees are booked once.
	const both = await Promise.all([1, 2].map(() => p.call('POST',
	    `${RECON}/${date}/close`, { as: admin })));
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
	const closed = await see(date);
	assert.equal(closed.state, 'closed');
	assert.equal(closed.closed_by, 'role-admin');
	assert.match(closed.sha256, /^[0-9a-f]{64}$/);
	assert.equal(await due(A), before - day.fee_fen);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
	// What is closed stays so.
	assert.deepEqual(await run(date), closed);
	await p.no(409, 'state_conflict', 'POST', `${RECON}/${date}/close`,
	    { as: admin });
	assert.equal(await p.value('SELECT count(*) FROM audit WHERE thing =' +
	    ` 'reconciliation' AND thing_id = ${number(date)}`), '1');
});

test('only who looks after money, and each community its own', async () => {
	const date = today();

	await paid();
	await morning();
	await run(date);
	const resident = await p.resident(1);
	for (const as of [clerk, resident, await p.as('owner-a')])
		for (const [method, more] of [['GET', ''], ['POST', '/run'],
			['POST', '/close'], ['GET', '/differences']])
			await p.no(403, 'forbidden', method,
			    `${RECON}/${date}${more}`, { as });
	await p.no(403, 'forbidden', 'GET', `${PLATFORM}/${date}`,
	    { as: admin });
	assert.equal((await see(date, far)).payments, 0);
	assert.equal((await see(date)).payments, 1);
	assert.equal((await see(date, platform, PLATFORM)).payments, 0);
	for (const bad of ['2026-13-01', '2026-02-30', '20261122xx',
		'1999-01-01'])
		await p.no(404, 'not_found', 'GET', `${RECON}/${bad}`,
		    { as: admin });
	await close(date, far);
	assert.equal((await see(date)).state, 'open');
	const { items } = await p.yes(200, 'GET', RECON, { as: admin });
	assert.equal(items[0].date, date);
});

test('a missing, an extra and a changed row are differences', async () => {
	const date = today();
	const [a, b, c] = [await paid(), await paid(), await paid()];

	await morning();
	await p.pay.statement(date, { missing: [a.number],
		amount: { [b.number]: b.fen + 1 },
		extra: [{ number: 'X20261122', fen: 777 }] });
	assert.equal((await run(date)).open, 2);
	const found = Object.fromEntries((await diffs(date)).map((d) =>
	    [d.kind, d]));
	assert.deepEqual(Object.keys(found).sort(), ['amount', 'missing']);
	assert.equal(found.missing.number, a.number);
	assert.equal(found.missing.ours_fen, a.fen);
	assert.equal(found.missing.theirs_fen, null);
	assert.equal(found.amount.number, b.number);
	assert.equal(found.amount.theirs_fen, b.fen + 1);
	assert.equal(found.amount.ours_fen, b.fen);
	assert.equal(found.amount.label, '金额不一致');
	// The row of nobody is the platform's, and theirs alone.
	const odd = await diffs(date, { as: platform, base: PLATFORM });
	assert.deepEqual(odd.map((d) => [d.kind, d.number, d.theirs_fen]),
	    [['not_ours', 'X20261122', 777]]);
	await p.no(409, 'conflict', 'POST', `${PLATFORM}/${date}/close`,
	    { as: platform });
	await p.no(409, 'conflict', 'POST', `${RECON}/${date}/close`,
	    { as: admin });

	// Explained: it stays so when the day is run again as it was.
	await p.no(404, 'not_found', 'POST', `${RECON}/${date}/differences/` +
	    `${found.missing.id}/explain`, { as: far,
		body: { note: '不是我的' } });
	await p.no(422, 'invalid_field', 'POST', `${RECON}/${date}/` +
	    `differences/${found.missing.id}/explain`, { as: admin,
		body: { note: '' } });
	const said = await explain(date, found.missing.id);
	assert.deepEqual([said.state, said.explained_by], ['explained',
		'role-admin']);
	assert.deepEqual([(await run(date)).open, (await see(date)).explained],
	    [1, 1]);
	// Another amount is another matter.
	await explain(date, found.amount.id);
	await p.pay.statement(date, { missing: [a.number],
		amount: { [b.number]: b.fen + 2 } });
	assert.equal((await run(date)).open, 1);
	assert.equal((await diffs(date, { query: '&state=open' }))[0].id,
	    found.amount.id);
	// Put right: it is gone, and the day can be closed.
	await p.pay.statement(date, { missing: [a.number] });
	assert.deepEqual([(await run(date)).open, (await diffs(date)).length],
	    [0, 1]);
	assert.deepEqual((await diffs(date, { query: '&state=gone' }))
	    .map((d) => d.kind), ['amount']);
	const closed = await close(date);
	assert.equal(closed.explained, 1);
	await p.no(409, 'state_conflict', 'POST', `${RECON}/${date}/` +
	    `differences/${found.missing.id}/explain`, { as: admin,
		body: { note: '结账以后' } });
	assert.equal((await see(date, platform, PLATFORM)).open, 0);

});

test('what the ledger lacks, and what is paid there alone', async () => {
	const date = today();
	const a = await paid(), b = await paid();

	await morning();
	// As if a booking had been lost, and a payment not been noticed.
	await p.sql(`UPDATE payment_item SET amount_fen = amount_fen + 5 WHERE
	    payment_id = ${a.id}`);
	const [was] = await p.sql('SELECT paid_at, transaction_id, state FROM' +
	    ` payment WHERE id = ${b.id}`);
	await p.sql(`UPDATE payment SET paid_at = NULL, transaction_id = NULL,
	    ask_at = NULL, state = 'closed' WHERE id = ${b.id}`);
	await run(date);
	assert.deepEqual((await diffs(date)).map((d) => [d.kind, d.number,
		d.ours]).sort(), [['items', a.number, 'paid'],
		['state', b.number, 'closed']]);
	await p.sql(`UPDATE payment_item SET amount_fen = amount_fen - 5 WHERE
	    payment_id = ${a.id}`);
	await p.sql(`UPDATE payment SET paid_at = ${was.paid_at},
	    transaction_id = '${was.transaction_id}', state = '${was.state}'
	    WHERE id = ${b.id}`);
});

// A statement of our own making.
const HEAD = '交易时间,微信订单号,商户订单号,交易状态,微信退款单号,商户退款单号,' +
    '退款状态,手续费,费率,订单金额,申请退款金额';
const LAST = '总交易单数,手续费总金额,订单总金额,申请退款总金额';
function statement(name, lines) {
	const file = path.join(p.dir, name);

	fs.writeFileSync(file, `\ufeff${lines.join('\r\n')}\r\n`);
	return file;
}

test('damaged rows and a last line that does not fit', async () => {
	const date = today();
	const a = await paid();
	const transaction = await p.value('SELECT transaction_id FROM payment' +
	    ` WHERE id = ${a.id}`);
	const yuan = (a.fen / 100).toFixed(2);
	const row = (fee) => `\`${date} 12:00:00,\`${transaction},\`` +
	    `${a.number},\`SUCCESS,\`0,\`0,\`,\`${fee},\`0.60%,\`${yuan},` +
	    '`0.00';

	await morning();
	await p.pay.statement(date, { trade_file: statement('bad.csv', [HEAD,
		row('5.00000'), row('5.00000'), '12:00,`4.2E+27,`x',
		LAST, '`9,`10.00000,`1.00,`0.00']) });
	await run(date);
	assert.deepEqual((await diffs(date)).filter((d) => d.number ===
	    a.number).map((d) => [d.kind, d.line]), [['fee', 2], ['twice', 3]]);
	// What stands there twice came once, and costs its fee once.
	assert.deepEqual((await p.yes(200, 'GET', `${RECON}/${date}/settlement`,
	    { as: admin })).items.map((s) => [s.paid_fen, s.fee_fen]),
	[[a.fen, 500]]);
	const odd = await diffs(date, { as: platform, base: PLATFORM });
	assert.deepEqual(odd.map((d) => `${d.kind} ${d.number}`).sort(),
	    ['damaged line 4', 'fund fund', 'summary paid_fen',
		'summary rows']);
	assert.equal(odd.find((d) => d.kind === 'damaged').line, 4);

	// What is no statement is no empty day.
	await p.pay.statement(date, { trade_file: statement('worse.csv',
	    ['<html>', 'busy']) });
	await p.no(400, 'malformed', 'POST', `${RECON}/${date}/run`,
	    { as: admin });
	assert.deepEqual([(await see(date)).state, (await see(date)).why],
	    ['failed', 'malformed']);
	await p.no(409, 'state_conflict', 'POST', `${RECON}/${date}/close`,
	    { as: admin });
	await p.pay.statement(date);
	assert.deepEqual([(await run(date)).state, (await see(date)).open],
	    ['open', 0]);
	// The task may be about the same day just now.
	await until(() => fs.readdirSync(path.join(p.dir, 'statements'))
	    .length === 0, 'no statement to be left');
	await close(date);
});

test('a gateway that does not answer, and two that ask', async () => {
	const date = today();

	await paid();
	await morning();
	await p.pay.fault('bill', 'bad_signature');
	const r = await p.call('POST', `${RECON}/${date}/run`, { as: admin });
	assert.equal(r.status, 503);
	assert.deepEqual([(await see(date)).state, (await see(date)).why],
	    ['failed', 'pay_unavailable']);
	const many = await Promise.all([1, 2, 3].map(() => p.call('POST',
	    `${RECON}/${date}/run`, { as: admin })));
	assert.ok(many.some((one) => one.status === 200));
	assert.ok(many.every((one) => [200, 503].includes(one.status)));
	await run(date);
	assert.equal((await see(date)).open, 0);
});

test('a refund stands in the statement of its day', async () => {
	const date = today();
	const a = await paid();
	const from = Date.parse(`${date}T00:00:00+08:00`);
	const sum = async () => Number(await p.value('SELECT' +
	    ' COALESCE(SUM(amount_fen), 0) FROM payment_refund WHERE state =' +
	    ` 'done' AND done_at >= ${from} AND done_at < ${from + DAY}`));

	await fire(p, a.who.openid, a.order.id, 'cancel');
	await until(async () => await p.value('SELECT state FROM' +
	    ` payment_refund WHERE payment_id = ${a.id}`) === 'done', 'done');
	await morning();
	// Orders of the days before, never accepted, were given back too.
	const day = await run(date);
	assert.deepEqual([day.refunded_fen, day.open], [await sum(), 0]);
	assert.ok(day.refunded_fen >= a.fen);
	const sheet = (await p.yes(200, 'GET', `${RECON}/${date}/settlement`,
	    { as: admin })).items;
	assert.deepEqual(sheet.map((s) => [s.payee_id, s.paid_fen,
		s.refunded_fen, s.fee_fen]), [[A, a.fen, day.refunded_fen,
		day.fee_fen]]);
	// What refunds gave back of the fees is theirs again.
	const before = await due(A);
	await close(date);
	assert.equal(await due(A), before - day.fee_fen);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});

test('a refund that no statement has', async () => {
	const date = today();
	const a = await paid();

	await fire(p, a.who.openid, a.order.id, 'cancel');
	await until(async () => await p.value('SELECT state FROM' +
	    ` payment_refund WHERE payment_id = ${a.id}`) === 'done', 'done');
	await morning();
	const refund = await p.value('SELECT number FROM payment_refund' +
	    ` WHERE payment_id = ${a.id}`);
	await p.pay.statement(date, { missing: [refund] });
	await run(date);
	assert.deepEqual((await diffs(date)).map((d) => [d.kind,
		d.refund_number]), [['missing', refund]]);
});

test('the day as a file, and no cell is a formula', async () => {
	const date = today();
	const a = await paid();

	await morning();
	await p.pay.statement(date, { missing: [a.number] });
	await run(date);
	const [d] = await diffs(date);
	await p.yes(200, 'POST', `${RECON}/${date}/differences/${d.id}/` +
	    'explain', { as: admin, body: { note: '=HYPERLINK("x")' } });
	const get = (query) => fetch(`${p.base}${RECON}/${date}/export${query}`,
	    { headers: { authorization: `Bearer ${admin.token}` } });
	const csv = await get('?format=csv');
	const text = await csv.text();

	assert.equal(csv.headers.get('content-type'),
	    'text/csv; charset=utf-8');
	assert.match(text, /^\ufeff?交易时间,类型,商户订单号/);
	assert.ok(text.includes(a.number));
	assert.ok(text.includes('系统有、账单没有') &&
	    text.includes('"\'=HYPERLINK(""x"")"'), text);
	const xlsx = await get('?format=xlsx');
	assert.equal(Buffer.from(await xlsx.arrayBuffer()).toString('latin1',
	    0, 2), 'PK');
	assert.deepEqual(fs.readdirSync(path.join(p.dir, 'exports')), []);
	assert.equal((await fetch(`${p.base}${RECON}/2020-01-01/export`, {
		headers: { authorization: `Bearer ${admin.token}` } })).status,
	404);
});

test('the morning brings yesterday, also after days of rest', async () => {
	const date = today();
	const a = await paid();

	p.clock.add(3 * DAY);
	p.clock.goto('10:30');
	const day = await until(async () => {
		const r = await p.call('GET', `${RECON}/${date}`,
		    { as: await p.as('role-admin', { fresh: true }) });
		return r.status === 200 && r.json.state === 'open' && r.json;
	}, 'the task', 30_000);
	assert.equal(day.paid_fen, a.fen);
});
