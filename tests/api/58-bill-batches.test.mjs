// SPDX-License-Identifier: Apache-2.0
//
// 58-bill-batches -- files of bills: read, judged, applied whole, undone
// whole; and what must not come in.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { DAY, start, test, until } from './harness.mjs';
import { HERE, LIFT, LOW, STAIRS } from './lib/fixture.mjs';
import { AT_LIFT, AT_LOW, AT_STAIRS, BATCHES, bill, billFor, BILLS, bind,
    bring, day, faults, form, HEAD, open, pay, payee, PAYEES, PAYMENTS }
    from './lib/bill.mjs';

const p = await start({ conf: { upload_max: 3 << 20 } });
const city = await payee(p), other = await payee(p);
const anna = await p.resident(1);
await bind(p, anna, LOW);
const due = day(p, 10);
const get = (id, what = '', as = city.owner) => p.yes(200, 'GET',
    `${BATCHES}/${id}${what}`, { as });
const order = (id, what, as = city.owner) => ['POST',
	`${BATCHES}/${id}/${what}`, { as }];
const count = async (what) => Number(await p.value(
    `SELECT COUNT(*) FROM ${what}`));
const row = (no, { at = AT_LOW, kind = '水费', period = '2026-10',
    yuan = '12.30', on = due, name = '李桂兰' } = {}) =>
    `${no},${name},${at},${kind},${period},,,,,${yuan},${on},`;

test('a file is looked at, applied, undone, and may come again', async () => {
	const text = [row('B1'), row('B2', { at: ',,,' }),
		row('B3', { at: '山水小区,9栋,1单元,101室' })].join('\n');
	const batch = await bring(p, city, text);

	assert.deepEqual([batch.state, batch.rows, batch.bills,
		batch.unmatched, batch.faults, batch.total_fen, batch.name],
	    ['checked', 3, 3, 2, 0, 3690, '账单.csv']);
	assert.match(batch.sha256, /^[0-9a-f]{64}$/);
	assert.equal(await count('bill'), 0);
	const list = (query) => get(batch.id, `/rows?${query}`);
	assert.deepEqual((await list('state=unmatched')).items.map((r) =>
	    r.account_no), ['B2', 'B3']);
	assert.deepEqual((await list('state=matched')).items.map((r) =>
	    [r.account_no, r.holder, r.place]), [['B1', '李**',
		'山水小区1栋1单元101室']]);
	const first = await list('limit=2');
	assert.equal(first.items.length, 2);
	assert.equal((await list(`limit=2&after=${first.next}`)).items.length,
	    1);
	// Not for another payee's people.
	for (const what of ['', '/rows', '/faults'])
		await p.no(404, 'not_found', 'GET',
		    `${BATCHES}/${batch.id}${what}`, { as: other.owner });
	for (const what of ['apply', 'undo'])
		await p.no(404, 'not_found', ...order(batch.id, what,
		    other.owner));
	assert.ok(!(await p.yes(200, 'GET', BATCHES,
	    { as: other.owner })).items.length);
	await p.no(404, 'not_found', 'POST', BATCHES, { as: other.owner,
		...form(city.id, `${HEAD}\n${row('B9')}\n`) });
	await p.no(409, 'state_conflict', ...order(batch.id, 'undo'));

	const twice = await Promise.all([1, 2].map(() =>
	    p.call(...order(batch.id, 'apply'))));
	assert.deepEqual(twice.map((r) => r.status).sort(), [200, 409]);
	assert.equal(await count("bill WHERE state = 'open'"), 3);
	const undone = await p.yes(200, ...order(batch.id, 'undo'));
	assert.ok(undone.undone_at);
	assert.equal(await count("bill WHERE state = 'undone'"), 3);
	assert.equal(await count('bill_account'), 0);
	assert.deepEqual((await p.yes(200, 'GET', BILLS,
	    { as: anna })).items, []);
	await p.no(409, 'state_conflict', ...order(batch.id, 'apply'));
	await bill(p, city, text);
	assert.equal(await count("bill WHERE state = 'open'"), 3);
	// The file itself is not kept.
	assert.deepEqual(fs.readdirSync(`${p.dir}/imports`), []);
});

test('an account that was matched once, or by hand, is known', async () => {
	const at = `${PAYEES}/${city.id}/accounts`;
	const put = (as, body) => ['PUT', at, { as, body }];

	await p.no(404, 'not_found', ...put(other.owner,
	    { account_no: 'B2', dwelling_id: STAIRS }));
	await p.no(422, 'invalid_field', ...put(city.owner,
	    { account_no: 'B2', dwelling_id: '1002' }));
	const set = await p.yes(200, ...put(city.owner,
	    { account_no: 'B2', dwelling_id: STAIRS }));
	assert.deepEqual([set.bills, set.place], [1,
		'山水小区1栋1单元601室']);
	const { batch } = await bill(p, city, [
		row('B1', { at: ',,,', period: '2026-11' }),
		row('B2', { at: ',,,', period: '2026-11' })].join('\n'));
	assert.equal(batch.unmatched, 0);
	assert.equal(await count(`bill WHERE dwelling_id = ${STAIRS}`), 2);
	// The account is another's home: said, not guessed.
	const wrong = await bring(p, city, row('B1', { at: AT_LIFT,
		period: '2026-12' }));
	assert.equal(wrong.state, 'faulty');
	assert.match((await faults(p, city, wrong.id))[0],
	    /^2 户号: 这个户号以前对应的是山水小区1栋1单元101室/);
});

// What is wrong, and what is said of it.
const WRONG = {
	'a negative amount': [row('W1', { yuan: '-5.00' }),
		/^2 金额: 不能是负数/],
	'nothing to pay': [row('W1', { yuan: '0' }), /^2 金额: 应大于 0/],
	'three decimals': [row('W1', { yuan: '5.005' }), /^2 金额: 最多 2 位/],
	'an amount in words': [row('W1', { yuan: '五元' }), /^2 金额: 应是/],
	'an exponent': [row('W1', { yuan: '1.2E+05' }), /^2 金额: 应是/],
	'too much': [row('W1', { yuan: '100000000.01' }), /^2 金额: 数字太大/],
	'month 13': [row('W1', { period: '2026-13' }), /^2 账期: .*1 到 12/],
	'no month': [row('W1', { period: '2026' }), /^2 账期/],
	'a day that is none': [row('W1', { on: '2026-02-30' }),
		/^2 应缴日期/],
	'a strange kind': [row('W1', { kind: '罚款' }), /^2 费用类型: 应是/],
	'a formula as account': [row('=cmd|calc'), /^2 户号: 像是公式/],
	'a formula as name': [row('W1', { name: '=cmd' }),
		/^2 户名: 像是公式/],
	'a formula with a plus': [row('W1', { name: '+cmd()' }),
		/^2 户名: 像是公式/],
	'a formula with an at': [row('W1', { name: '@SUM(A1)' }),
		/^2 户名: 像是公式/],
	'a formula as amount': [row('W1', { yuan: '=1+1' }), /^2 金额: 应是/],
	'a formula as note': [`${row('W1')}=cmd`, /^2 备注: 像是公式/],
	'an account spoilt by a spreadsheet': [row('1.23E+10'),
		/^2 户号: .*设为文本/],
	'half a place': [row('W1', { at: '山水小区,,,101室' }),
		/^2 房号: .*都填/],
	'an account twice': [`${row('W1')}\n${row('W2')}\n${row('W1')}`,
		/^4 户号: 与第 2 行重复/],
	'one account, two homes': [`${row('W1')}\n` +
	    row('W1', { period: '2026-11', at: AT_LIFT }),
		/^3 户号: .*不同的房屋/],
	'billed before': [row('B1'), /^2 账期: .*不能重复收取/],
	'readings that go back': [`W1,x,${AT_LOW},水费,2026-10,20,10,,,5,` +
	    `${due},`, /^2 本期读数: 比上期读数小/],
};

for (const [name, [text, said]] of Object.entries(WRONG))
	test(`refused: ${name}`, async () => {
		const was = await count('bill');
		const batch = await bring(p, city, text);

		assert.equal(batch.state, 'faulty');
		assert.match((await faults(p, city, batch.id))[0], said);
		await p.no(409, 'state_conflict', ...order(batch.id, 'apply'));
		assert.equal(await count('bill'), was);
	});

test('refused: files that are no table of bills', async () => {
	const said = async (bytes) => {
		const batch = await bring(p, city, bytes, { whole: true });

		assert.equal(batch.state, 'faulty');
		return (await faults(p, city, batch.id)).join('\n');
	};

	assert.match(await said('a,b,c\n1,2,3\n'), /户号/);
	assert.match(await said(`${HEAD.replace('金额,', '')}\nW1\n`), /金额/);
	assert.match(await said(`${HEAD}\n`), /没有一张账单/);
	assert.match(await said(`${HEAD}\n"W1,x\n`), /引号/);
	assert.match(await said(Buffer.concat([Buffer.from(`${HEAD}\n`),
		Buffer.from([0xff, 0xfe, 0, 1])])), /编码/);
	// A line without end: the cell's limit stops it, not the memory.
	assert.match(await said(`${HEAD}\n${'9'.repeat(2 << 20)}`), /过长/);
	assert.match(await said(`${HEAD}\n${'9,'.repeat(1 << 20)}`), /列太多/);
	await p.no(413, 'too_large', 'POST', BATCHES, { as: city.owner,
		...form(city.id, 'x'.repeat(4 << 20)), check: false });
	await p.no(422, 'invalid_field', 'POST', BATCHES, { as: city.owner,
		...form(city.id, '') });
	// Every fault counts, a thousand are kept.
	const many = await bring(p, city, Array.from({ length: 1200 }, (_, i) =>
	    row(`M${i}`, { yuan: '-1' })).join('\n'));
	assert.equal(many.faults, 1200);
	assert.equal(await count('bill_batch_fault WHERE batch_id =' +
	    ` ${many.id}`), 1000);
});

test('files of spreadsheets: GBK, marks, CRLF, quotes', async () => {
	// 户号,费用类型,账期,金额,应缴日期 / G1,水费 in GBK.
	const gbk = Buffer.concat([Buffer.from([0xbb, 0xa7, 0xba, 0xc5, 0x2c,
		0xb7, 0xd1, 0xd3, 0xc3, 0xc0, 0xe0, 0xd0, 0xcd, 0x2c, 0xd5,
		0xcb, 0xc6, 0xda, 0x2c, 0xbd, 0xf0, 0xb6, 0xee, 0x2c, 0xd3,
		0xa6, 0xbd, 0xc9, 0xc8, 0xd5, 0xc6, 0xda, 0x0d, 0x0a]),
	Buffer.from('G1,'), Buffer.from([0xcb, 0xae, 0xb7, 0xd1]),
	Buffer.from(`,2026-10,1.00,${due}\r\n`)]);
	const one = await bill(p, city, gbk, { whole: true });
	assert.deepEqual([one.bills[0].kind, one.bills[0].billed_fen],
	    ['water', 100]);
	const two = await bill(p, city, `\ufeff${HEAD}\r\n"G2","李""桂""兰",` +
	    `${AT_LOW},水费,2026年10月,,,,,"1,234.50",2026/12/31,"甲,乙"\r\n`,
	    { whole: true });
	assert.deepEqual([two.bills[0].billed_fen, two.bills[0].due_on,
		two.bills[0].period], [123450, '2026-12-31', '2026-10']);
});

test('without rate and cap of the late fee nothing is applied', async () => {
	const fresh = await payee(p, { terms: false, kinds: ['water'] });
	const batch = await bring(p, fresh, row('F1'));

	assert.equal(batch.state, 'checked');
	const no = await p.no(409, 'state_conflict', ...order(batch.id, 'apply',
	    fresh.owner));
	assert.match(no.detail, /违约金/);
	const patch = (body, as = fresh.owner) => ['PATCH',
		`${PAYEES}/${fresh.id}`, { as, body }];
	await p.yes(200, ...patch({ late_rate: 0 }));
	await p.no(409, 'state_conflict', ...order(batch.id, 'apply',
	    fresh.owner));
	for (const body of [{ late_cap: 101 }, { late_rate: 101 },
		{ late_rate: -1 }, { remind: '7,0' }, { remind: 'x' },
		{ remind: '1,2,3,4,5,6,7,8,9' }, { remind: '366' }])
		await p.no(422, 'invalid_field', ...patch(body));
	await p.no(404, 'not_found', ...patch({ late_cap: 0 }, city.owner));
	await p.yes(200, ...patch({ late_cap: 0, remind: '-30,365' }));
	await p.yes(200, ...order(batch.id, 'apply', fresh.owner));
	const kind = await bring(p, fresh, row('F2', { kind: '电费' }));
	assert.match((await faults(p, fresh, kind.id))[0], /没有开通电费/);
});

test('nothing is undone of which something is paid, or being paid',
    async () => {
	const rows = ['U1', 'U2'].map((no) => row(no, { kind: '电费' }));
	const { batch, bills } = await bill(p, city, rows.join('\n'));
	const { payment, wechat } = await open(p, anna, [bills[0].id]);
	const no = await p.no(409, 'conflict', ...order(batch.id, 'undo'));

	assert.match(no.detail, /正在付款/);
	await p.yes(200, 'POST', `${PAYMENTS}/${payment.id}/close`,
	    { as: anna });
	assert.ok(wechat);
	// A doubt is no obstacle, and ends with the bill.
	const doubt = await p.yes(201, 'POST', `${BILLS}/${bills[1].id}/dispute`,
	    { as: anna, body: { reason: '不对' } });
	await p.yes(200, ...order(batch.id, 'undo'));
	assert.equal(await p.value('SELECT state FROM bill_dispute WHERE id =' +
	    ` ${doubt.id}`), 'void');
	await p.no(404, 'not_found', 'POST', PAYMENTS, { as: anna, body: {
		things: [{ kind: 'bill', id: bills[0].id }] } });
	const again = await bill(p, city, rows.join('\n'));
	await pay(p, anna, [again.bills[0].id]);
	await p.no(409, 'conflict', ...order(again.batch.id, 'undo'));
	assert.equal(await count("bill WHERE state = 'undone'" +
	    ` AND batch_id = ${again.batch.id}`), 0);
});

test('two files with the same bill: the second is refused whole',
    async () => {
	const one = await bring(p, city, row('T1', { kind: '燃气费' }));
	const two = await bring(p, city, [row('T0', { kind: '燃气费' }),
		row('T1', { kind: '燃气费' })].join('\n'));

	await p.yes(200, ...order(one.id, 'apply'));
	await p.no(409, 'conflict', ...order(two.id, 'apply'));
	assert.equal(await count("bill WHERE account_no = 'T0'"), 0);
	assert.equal((await get(two.id)).state, 'checked');
});

test('planetctl brings bills too', async () => {
	const file = `${p.dir}/bills.csv`;

	fs.writeFileSync(file, `${HEAD}\n${row('C1', { kind: '停车费',
		at: AT_STAIRS })}\n`);
	const args = ['import', '--community', '520403001001', '--payee',
		city.name];
	assert.match(await p.ctl(...args, '--preview', 'bills', file), /1 张/);
	assert.equal(await count("bill WHERE account_no = 'C1'"), 0);
	assert.match(await p.ctl(...args, 'bills', file), /已生成 1 张账单/);
	assert.equal(await count("bill WHERE account_no = 'C1'"), 1);
	await assert.rejects(p.ctl(...args, 'bills', file), /不能重复收取/);
	await assert.rejects(p.ctl('import', '--community', '520403001001',
	    '--payee', '没有', 'bills', file), /没有收费单位/);
	await assert.rejects(p.ctl('import', '--community', '520403001001',
	    'bills', file));
	assert.equal(await count(`bill WHERE dwelling_id = ${LIFT}`), 0);
	assert.ok(await billFor(p, other));
});

test('a file larger than files may be is not even opened', async () => {
	const file = `${p.dir}/huge.csv`;
	const batches = await count('bill_batch');

	fs.writeFileSync(file, '');
	fs.truncateSync(file, 3 * 2 ** 30);
	const began = performance.now();
	await assert.rejects(p.ctl('import', '--community', '520403001001',
	    '--payee', city.name, 'bills', file), /文件超过 3 MB/);
	assert.ok(performance.now() - began < 4000);
	assert.equal(await count('bill_batch'), batches);
	fs.unlinkSync(file);
});

test('more doubts than one round ends are all ended by an undo', async () => {
	const { batch, bills: [b] } = await bill(p, city,
	    row('M1', { kind: '供暖费' }));
	const doubts = Array.from({ length: 501 }, (_, i) => '(' +
	    `${HERE}, ${7000 + i}, 'asked', 1, 0, NULL, ${anna.id},` +
	    ` ${city.id}, 'x', 1, 1, ${b.id}, 1, 'x', 1230)`);

	await p.sql('INSERT INTO bill_dispute (community_id, id, state,' +
	    ' version, urged, deadline_at, owner_id, org_id, title,' +
	    ' created_at, updated_at, bill_id, seq, reason, was_fen) VALUES ' +
	    doubts.join(', '));
	await p.yes(200, ...order(batch.id, 'undo'));
	assert.equal(await count('bill_dispute WHERE state =' +
	    ` 'asked' AND bill_id = ${b.id}`), 0);
});

// Killed between its first row and its verdict: nobody goes on with it.
test('a file whose check never ended is let go after a day', async () => {
	const old = await bring(p, city, row('S1'));
	const fresh = await bring(p, city, row('S2'));
	const dir = `${p.dir}/imports`;
	const born = (ms) => (BigInt(Math.round(ms)) - 1704067200000n) << 22n;
	const files = [`bills-${born(p.clock.now() - 3600_000)}.csv`,
		`bills-${born(p.clock.now() + 1.5 * DAY)}.csv`, 'other.csv'];

	for (const name of files)
		fs.writeFileSync(`${dir}/${name}`, 'x');
	for (const b of [old, fresh])
		await p.sql("UPDATE bill_batch SET state = 'uploaded'" +
		    ` WHERE id = ${b.id}`);
	await p.sql('UPDATE bill_batch SET created_at = created_at +' +
	    ` ${1.5 * DAY} WHERE id = ${fresh.id}`);
	p.clock.add(DAY + 3600_000);
	await until(async () => (await get(old.id)).state === 'faulty',
	    'the old one to be let go');
	assert.match((await faults(p, city, old.id))[0], /没有完成/);
	assert.equal(await count(`bill_batch_row WHERE batch_id = ${old.id}`),
	    0);
	await p.no(409, 'state_conflict', ...order(old.id, 'apply'));
	assert.equal((await get(fresh.id)).state, 'uploaded');
	assert.equal(await count(`bill_batch_row WHERE batch_id = ${fresh.id}`),
	    1);
	await until(() => !fs.existsSync(`${dir}/${files[0]}`), 'its file');
	assert.deepEqual(fs.readdirSync(dir).sort(), files.slice(1).sort());
	for (const name of files.slice(1))
		fs.unlinkSync(`${dir}/${name}`);
});
