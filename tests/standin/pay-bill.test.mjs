// SPDX-License-Identifier: Apache-2.0
//
// pay-bill.test.mjs -- statements: when, what, and how a test spoils them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { APPID, MCHID, Merchant } from './pay-client.mjs';

const TRADE = '/v3/bill/tradebill';
const REFUNDS = '/v3/refund/domestic/refunds';
const HOUR = 3600_000;

let m;
let day;
before(async () => {
	m = await Merchant.start();
	m.tomorrowAt(12);
	day = m.today;
});
after(() => m.stop());

// The text behind an answer, its sum checked.
async function fetchBill(where) {
	const offer = await m.yes('GET', where);
	const url = new URL(offer.download_url);
	const answer = await m.ask('GET', url.pathname + url.search);

	assert.equal(answer.status, 200);
	assert.equal(answer.headers['wechatpay-signature'], undefined);
	const bytes = where.includes('GZIP') ? gunzipSync(answer.bytes) :
	    answer.bytes;
	assert.equal(offer.hash_type, 'SHA1');
	assert.equal(createHash('sha1').update(bytes).digest('hex'),
	    offer.hash_value);
	return bytes.toString('utf8');
}

// { rows: [{name: cell}], sums: {name: cell} } of a statement.
function parse(text) {
	const lines = text.split('\r\n');
	assert.equal(lines.pop(), '');
	const cells = (line) => line.split(',').map((cell) => {
		assert.equal(cell[0], '`');
		return cell.slice(1);
	});
	const join = (heads, line) => {
		const names = heads.split(',');
		const values = cells(line);
		assert.equal(values.length, names.length);
		return Object.fromEntries(names.map((name, i) =>
		    [name, values[i]]));
	};
	const [heads, ...rest] = lines;
	const [sumHeads, sums] = rest.splice(-2);
	return { heads, rows: rest.map((line) => join(heads, line)),
		sums: join(sumHeads, sums) };
}

const bill = async (more = '') =>
	parse(await fetchBill(`${TRADE}?bill_date=${day}${more}`));

test('a day is stated at ten of the next, when something happened',
    async () => {
	await m.pay('BILL0001');
	await m.order('BILL0002');
	await m.order('BILL0003', { description: '水,费`\'"\\\n', attach: 'a' });
	await m.control('POST', 'payments', { number: 'BILL0003' });
	await m.control('POST', 'pay', { refunds: { hold: true } });
	await m.yes('POST', REFUNDS, m.refund('BILL0003', 'BR1', 30));
	const where = `${TRADE}?bill_date=${day}`;
	await m.no(400, 'STATEMENT_CREATING', 'GET', where);
	m.tomorrowAt(9.9);
	await m.no(400, 'STATEMENT_CREATING', 'GET', where);
	m.tomorrowAt(10);
	m.moveTo(m.now() - 24 * HOUR);
	await m.yes('GET', where);
	const [y, month, date] = day.split('-').map(Number);
	const before = new Date(Date.UTC(y, month - 1, date - 1))
	    .toISOString().slice(0, 10);
	await m.no(400, 'NO_STATEMENT_EXIST', 'GET',
	    `${TRADE}?bill_date=${before}`);
	for (const bad of ['2026-02-30', '20261122', '2999-01-01', '',
		'2020-01-01'])
		await m.no(400, 'PARAM_ERROR', 'GET',
		    `${TRADE}?bill_date=${bad}`);
	await m.no(400, 'PARAM_ERROR', 'GET', `${where}&bill_type=SOME`);
	await m.no(400, 'PARAM_ERROR', 'GET', `${where}&tar_type=ZIP`);
});

test('what it says: only what was paid, 27 cells, escaped', async () => {
	const { heads, rows, sums } = await bill('&tar_type=GZIP');

	assert.equal(heads.split(',').length, 27);
	assert.deepEqual(rows.map((row) => [row.商户订单号, row.交易状态]),
	    [['BILL0001', 'SUCCESS'], ['BILL0003', 'SUCCESS'],
		['BILL0003', 'REFUND']]);
	const [, paid, back] = rows;
	assert.equal(paid.公众账号ID, APPID);
	assert.equal(paid.商户号, MCHID);
	assert.equal(paid.特约商户号, '0');
	assert.equal(paid.用户标识, 'anna');
	assert.equal(paid.商品名称, '水\\ 费\\`\\\'\\"\\\\\\n');
	assert.equal(back.商品名称, '水\\ 费\\140\'\\"\\\\\\n');
	assert.equal(paid.订单金额, '1.00');
	assert.equal(paid.手续费, '0.01000');
	assert.equal(paid.微信退款单号, '0');
	assert.equal(back.商户退款单号, 'BR1');
	assert.equal(back.申请退款金额, '0.30');
	assert.equal(back.订单金额, '0.00');
	assert.equal(back.退款状态, 'PROCESSING');
	assert.equal(sums.总交易单数, '3');
	assert.equal(sums.订单总金额, '2.00');
	assert.equal(sums.申请退款总金额, '0.30');
	assert.match(paid.交易时间, new RegExp(`^${day} \\d\\d:\\d\\d:\\d\\d$`));
});

test('its kinds, and the flow of funds', async () => {
	const paid = await bill('&bill_type=SUCCESS');
	const back = await bill('&bill_type=REFUND');

	assert.equal(paid.heads.split(',').length, 20);
	assert.equal(paid.rows.length, 2);
	assert.equal(Object.keys(paid.sums).length, 4);
	assert.equal(back.heads.split(',').length, 29);
	assert.equal(back.rows.length, 1);
	const flow = parse(await fetchBill('/v3/bill/fundflowbill?bill_date=' +
	    `${day}&tar_type=GZIP`));
	assert.equal(flow.heads.split(',').length, 11);
	assert.deepEqual(flow.rows.map((row) => [row.收支类型,
		row['收支金额(元)'], row['账户结余(元)']]), [
		['收入', '1.00', '1.00'], ['支出', '0.01', '0.99'],
		['收入', '1.00', '1.99'], ['支出', '0.01', '1.98'],
		['支出', '0.30', '1.68']]);
	assert.equal(flow.sums.收入金额, '2.00');
	assert.equal(flow.sums.支出笔数, '3');
	await m.no(400, 'PARAM_ERROR', 'GET', '/v3/bill/fundflowbill?' +
	    `bill_date=${day}&account_type=SOME`);
});

test('a link is for five minutes, and for who signs', async () => {
	const { download_url } = await m.yes('GET',
	    `${TRADE}?bill_date=${day}`);
	const url = new URL(download_url);
	const where = url.pathname + url.search;

	await m.no(401, 'SIGN_ERROR', 'GET', where,
	    { headers: { Authorization: null } });
	await m.no(401, 'SIGN_ERROR', 'GET', where,
	    { signed: url.pathname });
	await m.no(400, 'INVALID_REQUEST', 'GET',
	    '/v3/billdownload/file?token=none');
	m.moveTo(m.now() + 299_000);
	assert.equal((await m.ask('GET', where)).status, 200);
	m.moveTo(m.now() + 2000);
	await m.no(400, 'INVALID_REQUEST', 'GET', where);
	await m.control('POST', 'pay', { faults: [{ path: 'download',
		mode: 'half' }] });
	const { download_url: again } = await m.yes('GET',
	    `${TRADE}?bill_date=${day}`);
	await assert.rejects(m.ask('GET', again.slice(m.url.length)));
});

test('spoilt: one missing, one more, one of another sum; and true again',
    async () => {
	const true_text = await fetchBill(`${TRADE}?bill_date=${day}`);

	await m.control('POST', 'statement', { date: day,
		missing: ['BILL0001'], amount: { BILL0003: 99, BR1: 31 },
		extra: [{ fen: 500, number: 'GHOST001' },
			{ fen: 1, refund_number: 'GHOSTR1' }] });
	const { rows, sums } = await bill();
	assert.deepEqual(rows.map((row) => [row.商户订单号, row.订单金额,
		row.申请退款金额]).sort(), [
		['BILL0003', '0.00', '0.31'], ['BILL0003', '0.99', '0.00'],
		[rows.find((row) => row.商户退款单号 === 'GHOSTR1').商户订单号,
			'0.00', '0.01'],
		['GHOST001', '5.00', '0.00']].sort());
	assert.equal(sums.订单总金额, '5.99');
	await m.control('POST', 'statement', { date: day });
	assert.equal(await fetchBill(`${TRADE}?bill_date=${day}`), true_text);
	const file = path.join(m.dir, 'own.csv');
	fs.writeFileSync(file, 'whatever');
	await m.control('POST', 'statement', { date: day, trade_file: file });
	assert.equal(await fetchBill(`${TRADE}?bill_date=${day}`),
	    'whatever');
	await m.control('POST', 'statement', { date: day, colour: 1 }, 400);
});
