// SPDX-License-Identifier: Apache-2.0
//
// 57-bills -- bills as residents meet them: seen, explained, paid, doubted,
// let go, given back; by whom, and by whom not.
import assert from 'node:assert/strict';

import { DAY, start, test } from './harness.mjs';
import { LIFT, LOW, STAIRS, THERE } from './lib/fixture.mjs';
import { AT_LIFT, AT_LOW, AT_STAIRS, bill, billFor, BILLS, bind, day, open,
    pay, payee, PAYEES, PAYMENTS } from './lib/bill.mjs';

const p = await start({ conf: { pay_minutes: 15 } });
const city = await payee(p), other = await payee(p);
const anna = await p.resident(1), bert = await p.resident(2);
const carl = await p.resident(3);
await bind(p, anna, LOW);
await bind(p, bert, STAIRS);

const see = (as, id, status = 200) => p.yes(status, 'GET', `${BILLS}/${id}`,
    { as });
const mine = async (as, query = '') => (await p.yes(200, 'GET',
    `${BILLS}?limit=100${query}`, { as })).items;
const preview = (as, id, days) => p.yes(200, 'GET',
    `${BILLS}/${id}/preview?date=${day(p, days)}`, { as });
const absent = (method, where, as, body) => p.no(404, 'not_found', method,
    where, { as, body });

test('a household sees its bills, and nobody else does', async () => {
	const b = await billFor(p, city, { period: '2026-09' });

	assert.deepEqual((await mine(anna)).map((x) => x.id), [b.id]);
	assert.deepEqual(await mine(bert), []);
	assert.deepEqual(await mine(anna, `&dwelling_id=${STAIRS}`), []);
	assert.deepEqual(await mine(anna, '&state=paid'), []);
	assert.equal((await mine(anna, '&state=open')).length, 1);
	const full = await see(anna, b.id);
	assert.equal(full.due_fen, 12345);
	assert.equal(full.family, false);
	assert.deepEqual(full.can, ['pay', 'dispute']);
	assert.equal(full.place, '山水小区1栋1单元101室');
	assert.match(full.made, /^由收费单位\d+于/);
	for (const as of [bert, carl, other.owner, await p.as('role-merchant')]) {
		await absent('GET', `${BILLS}/${b.id}`, as);
		await absent('GET', `${BILLS}/${b.id}/preview`, as);
	}
	assert.deepEqual((await see(city.clerk, b.id)).can, ['waive']);
	await absent('GET', `${PAYEES}/${city.id}/bills`, other.owner);
	for (const as of [bert, carl]) {
		await p.no(404, 'not_found', 'POST', PAYMENTS, { as, body: {
			things: [{ kind: 'bill', id: b.id }] } });
		await absent('POST', `${BILLS}/${b.id}/dispute`, as,
		    { reason: '不是我的' });
	}
	await absent('POST', `${BILLS}/${b.id}/waivers`, other.owner,
	    { what: 'late', reason: '别人的' });
});

test('a bill explains itself', async () => {
	const rows = (period, before, after, used, yuan) => `E1,李桂兰,` +
	    `${AT_LOW},电费,${period},${before},${after},${used},0.5,${yuan},` +
	    `${day(p, 5)},阶梯一档`;
	await bill(p, city, rows('2025-10', 1, 100.5, 99.5, 49.75));
	const { bills: [b] } = await bill(p, city,
	    rows('2026-10', 100.5, 200.125, 99.625, 49.81));
	const full = await see(anna, b.id);
	const [line] = full.lines;

	assert.deepEqual([line.reading_before, line.reading_after,
		line.quantity, line.unit_price, line.amount_fen],
	    [100500, 200125, 99625, 5000, 4981]);
	assert.equal(line.words, '上期读数 100.5，本期读数 200.125，用量 ' +
	    '99.625，单价 0.5 元，金额 49.81 元');
	assert.equal(line.note, '阶梯一档');
	assert.deepEqual(full.last_year, { period: '2025-10',
		billed_fen: 4975, quantity: 99500 });
	assert.equal(full.holder, '李**');
	assert.equal(full.kind_label, '电费');
});

test('what each date costs: simple interest, one rounding, capped',
    async () => {
	const b = await billFor(p, city, { due: 1, period: '2026-08' });
	const at = async (days) => {
		const d = await preview(anna, b.id, days);
		return [d.principal_fen, d.late_fen, d.total_fen, d.capped];
	};

	assert.deepEqual(await at(0), [12345, 0, 12345, false]);
	assert.deepEqual(await at(1), [12345, 0, 12345, false]);
	assert.deepEqual(await at(2), [12345, 6, 12351, false]);
	assert.deepEqual(await at(31), [12345, 185, 12530, false]);
	assert.deepEqual(await at(2101), [12345, 12345, 24690, true]);
	await p.no(422, 'invalid_field', 'GET', `${BILLS}/${b.id}` +
	    `/preview?date=${day(p, -1)}`, { as: anna });
	await p.no(422, 'invalid_field', 'GET', `${BILLS}/${b.id}` +
	    '/preview?date=2026-02-30', { as: anna });
	assert.match((await preview(anna, b.id, 1)).rule, /万分之5.*100%/);
});

test('bills are paid by one payment, and their sum stands meanwhile',
    async () => {
	const one = await billFor(p, city, { due: -30, period: '2026-07' });
	const two = await billFor(p, other, { kind: '物业费', fen: 20000 });
	const { payment, wechat } = await open(p, anna, [one.id, two.id]);

	assert.equal(payment.total_fen, 12345 + 185 + 20000);
	assert.ok((await see(anna, one.id)).paying_until);
	// Nothing moves while somebody pays.
	await p.no(409, 'state_conflict', 'POST', `${BILLS}/${one.id}/dispute`,
	    { as: anna, body: { reason: '数字不对' } });
	await p.pay.pay(wechat);
	const done = await see(anna, one.id);
	assert.deepEqual([done.state, done.due_fen, done.paid_fen,
		done.late_paid_fen, done.can], ['paid', 0, 12345, 185, []]);
	assert.equal(done.payments[0].payment_id, payment.id);
	assert.equal((await see(anna, two.id)).state, 'paid');
	await p.no(409, 'state_conflict', 'POST', PAYMENTS, { as: anna, body: {
		things: [{ kind: 'bill', id: one.id }] } });
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});

test('two of a family open a payment for one bill: one of them may',
    async () => {
	const b = await billFor(p, city, { at: AT_STAIRS, period: '2026-06' });
	const dora = await p.resident(4);
	await bind(p, dora, STAIRS);

	const all = await Promise.all([bert, dora].map((as) => p.call('POST',
	    PAYMENTS, { as, body: { things: [{ kind: 'bill', id: b.id }] } })));
	assert.deepEqual(all.map((r) => r.status).sort(), [201, 409],
	    all.map((r) => r.text).join());
	const { wechat } = all.find((r) => r.status === 201).json;
	await p.pay.pay(wechat);
	assert.equal((await see(dora, b.id)).state, 'paid');
	assert.equal((await see(bert, b.id)).payments.length, 1);
});

test('one line is doubted and the rest is paid', async () => {
	const head = '户号,户名,小区,楼栋,单元,房号,费用类型,项目,账期,金额,应缴日期';
	const row = (what, yuan) => `D1,李桂兰,${AT_LOW},物业费,${what},` +
	    `2026-10,${yuan},${day(p, -30)}`;
	const { bills: [b] } = await bill(p, city, `${head}\n` +
	    `${row('服务费', '100.00')}\n${row('公摊', '50.00')}\n`,
	    { whole: true });
	assert.equal(b.billed_fen, 15000);
	await p.no(409, 'state_conflict', 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { line: 3, reason: '没有这项' } });
	const doubt = await p.yes(201, 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { line: 2, reason: '公摊算错了' } });
	assert.deepEqual([doubt.state, doubt.was_fen, doubt.can],
	    ['asked', 5000, ['withdraw']]);
	// Twice at once is no second doubt.
	await p.no(409, 'state_conflict', 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { line: 2, reason: '公摊算错了' } });
	let now = await see(anna, b.id);
	// 100 yuan, 30 days, 5 in 10000: 1.50.
	assert.deepEqual([now.state, now.due_fen, now.late_fen,
		now.disputed_fen], ['disputed', 10150, 150, 5000]);
	await pay(p, anna, [b.id]);
	now = await see(anna, b.id);
	assert.deepEqual([now.state, now.paid_fen, now.due_fen,
		now.disputed_fen], ['disputed', 10000, 0, 5000]);
	await p.no(409, 'state_conflict', 'POST', PAYMENTS, { as: anna, body: {
		things: [{ kind: 'bill', id: b.id }] } });

	// Only the payee's own answer; not less than nothing.
	const answer = (as, event, body) => ['POST',
		`/api/v1/bill-disputes/${doubt.id}/${event}`, { as, body }];
	await p.no(404, 'not_found', ...answer(other.owner, 'uphold',
	    { answer: '好', amount_fen: 0 }));
	await p.no(403, 'forbidden', ...answer(anna, 'uphold',
	    { answer: '好', amount_fen: 0 }));
	await p.no(422, 'invalid_field', ...answer(city.clerk, 'uphold',
	    { answer: '已更正', amount_fen: 5000 }));
	await p.no(422, 'invalid_field', ...answer(city.clerk, 'refuse',
	    {}));
	// Ten days of thinking cost nothing.
	p.clock.add(10 * DAY);
	const list = (await p.yes(200, 'GET',
	    `/api/v1/bill-disputes?payee_id=${city.id}`,
	    { as: city.clerk })).items;
	assert.equal(list[0].id, doubt.id);
	assert.deepEqual((await p.yes(200, 'GET',
	    '/api/v1/bill-disputes', { as: bert })).items, []);
	await p.yes(200, ...answer(city.clerk, 'uphold',
	    { answer: '按实际面积更正', amount_fen: 2000 }));
	now = await see(anna, b.id);
	// 20 yuan, late for the 30 days before the doubt: 0.30.
	assert.deepEqual([now.state, now.principal_fen, now.due_fen,
		now.late_fen], ['open', 12000, 2030, 30]);
	assert.equal(now.disputes[0].answer, '按实际面积更正');
	assert.deepEqual((await p.yes(200, 'GET',
	    `/api/v1/bill-disputes/${doubt.id}/timeline`,
	    { as: anna })).items.map((x) => x.event).slice(0, 1), ['ask']);
	// The rest is paid by a second payment.
	await pay(p, anna, [b.id]);
	now = await see(anna, b.id);
	assert.deepEqual([now.state, now.paid_fen, now.late_paid_fen,
		now.payments.length], ['paid', 12000, 180, 2]);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});

test('a doubt that is refused or taken back: due as before', async () => {
	const b = await billFor(p, city, { due: 0, period: '2026-05' });
	const ask = () => p.yes(201, 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { reason: '全部有疑问' } });
	const first = await ask();
	assert.equal((await see(anna, b.id)).due_fen, 0);
	p.clock.add(5 * DAY);
	await p.yes(200, 'POST', `/api/v1/bill-disputes/${first.id}/withdraw`,
	    { as: anna, body: {} });
	let now = await see(anna, b.id);
	assert.deepEqual([now.state, now.due_fen], ['open', 12345]);
	p.clock.add(2 * DAY);
	// Two days late, the five before do not count: 12.345 -> 12.
	assert.equal((await see(anna, b.id)).late_fen, 12);
	const second = await ask();
	await p.yes(200, 'POST', `/api/v1/bill-disputes/${second.id}/refuse`,
	    { as: city.owner, body: { answer: '读数无误' } });
	assert.equal((await see(anna, b.id)).state, 'open');
	const third = await ask();
	await p.yes(200, 'POST', `/api/v1/bill-disputes/${third.id}/withdraw`,
	    { as: anna, body: {} });
	await p.no(409, 'state_conflict', 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { reason: '再来一次' } });
});

test('something is let go by two persons', async () => {
	const b = await billFor(p, city, { due: -30, period: '2026-04' });
	const ask = (as, body) => p.yes(201, 'POST', `${BILLS}/${b.id}/waivers`,
	    { as, body: { reason: '低保户', ...body } });
	const say = (id, event) => ['POST',
		`/api/v1/bill-waivers/${id}/${event}`];

	await p.no(422, 'invalid_field', 'POST', `${BILLS}/${b.id}/waivers`,
	    { as: city.clerk, body: { what: 'principal', amount_fen: 12346,
		reason: '多于本金' } });
	const late = await ask(city.clerk, { what: 'late', amount_fen: 100 });
	assert.deepEqual(late.can, ['withdraw']);
	await p.no(409, 'conflict', 'POST', `${BILLS}/${b.id}/waivers`,
	    { as: city.owner, body: { what: 'late', reason: '又一次' } });
	await p.no(403, 'forbidden', ...say(late.id, 'agree'),
	    { as: city.clerk, body: {} });
	await p.no(404, 'not_found', ...say(late.id, 'agree'),
	    { as: other.owner, body: {} });
	await absent('GET', `${PAYEES}/${city.id}/waivers`, other.owner);
	assert.equal((await see(anna, b.id)).late_fen, 185);
	await p.yes(200, ...say(late.id, 'agree'), { as: city.owner,
		body: {} });
	assert.equal((await see(anna, b.id)).late_fen, 85);
	const some = await ask(city.owner, { what: 'principal',
		amount_fen: 2345 });
	await p.yes(200, ...say(some.id, 'agree'), { as: city.clerk,
		body: {} });
	// 100 yuan, 30 days: 150, less 100.
	let now = await see(anna, b.id);
	assert.deepEqual([now.principal_fen, now.late_fen, now.due_fen],
	    [10000, 50, 10050]);
	const all = await ask(city.owner, { what: 'late' });
	await p.yes(200, ...say(all.id, 'agree'), { as: city.clerk, body: {} });
	p.clock.add(DAY);
	assert.equal((await see(anna, b.id)).due_fen, 10000);
	const rest = await ask(city.owner, { what: 'principal' });
	await p.yes(200, ...say(rest.id, 'agree'), { as: city.clerk,
		body: {} });
	now = await see(anna, b.id);
	assert.deepEqual([now.state, now.due_fen, now.can],
	    ['waived', 0, []]);
	assert.equal((await p.yes(200, 'GET', `${PAYEES}/${city.id}/waivers`,
	    { as: city.clerk })).items.length, 4);
});

test('what was given back whole is owed again', async () => {
	const b = await billFor(p, city, { due: -30, period: '2026-03' });
	const payment = await pay(p, anna, [b.id]);
	const back = (as, more = {}) => ['POST',
		`${PAYMENTS}/${payment.id}/refunds`, { as, body: { reason:
		    '多收了', items: [{ kind: 'bill', id: b.id, ...more }] } }];

	const no = await p.call(...back(anna));
	assert.equal(no.status, 409, no.text);
	assert.equal((await p.call(...back(other.owner))).status, 404);
	const part = await p.call(...back(city.owner, { amount_fen: 530 }));
	assert.equal(part.status, 201, part.text);
	let now = await see(anna, b.id);
	assert.deepEqual([now.state, now.refunded_fen], ['paid', 530]);
	p.clock.add(3 * DAY);
	const rest = await p.call(...back(city.owner, { amount_fen: 12000 }));
	assert.equal(rest.status, 201, rest.text);
	now = await see(anna, b.id);
	assert.deepEqual([now.state, now.refunded_fen, now.due_fen,
		now.late_fen, now.paid_fen], ['open', 12530, 12530, 185, 0]);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});

test('who may pay for a family pays, until it is taken back', async () => {
	const fritz = await p.resident(5);
	const b = await billFor(p, city, { at: AT_LIFT, period: '2026-02' });
	const c = await billFor(p, city, { at: AT_LIFT, period: '2026-01' });
	const eva = await p.resident(6);
	await bind(p, eva, LIFT);
	const code = await p.wx.phoneCode('13700009001');
	await p.yes(200, 'POST', '/api/v1/me/phone', { as: fritz,
		body: { code } });
	const grant = async (rights) => p.yes(201, 'POST',
	    '/api/v1/me/helpers', { as: eva, body: { phone: '13700009001',
		name: '儿子', rights } });
	const end = (g) => p.call('DELETE', `/api/v1/me/helpers/${g.id}`,
	    { as: eva });

	const wrong = await grant(['read', 'water']);
	await absent('GET', `${BILLS}/${b.id}`, fritz);
	assert.deepEqual(await mine(fritz), []);
	await end(wrong);
	const right = await grant(['pay']);
	assert.deepEqual((await mine(fritz)).map((x) => [x.id, x.family]),
	    [[c.id, true], [b.id, true]]);
	const { payment } = await open(p, fritz, [b.id]);
	assert.equal(payment.total_fen, 12345);
	await p.yes(200, 'POST', `${PAYMENTS}/${payment.id}/close`,
	    { as: fritz });
	const paid = await pay(p, fritz, [c.id]);
	assert.equal(paid.total_fen, 12345);
	const done = await see(eva, c.id);
	assert.deepEqual([done.state, done.due_fen, done.payments.map((x) =>
		x.payment_id)], ['paid', 0, [paid.id]]);
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
	// For whom acts for eva the chain ends: what others let eva pay for
	// is not theirs.
	const acting = await p.call('GET', BILLS, { as: fritz, headers: {
		'acting-for': right.id } });
	assert.deepEqual(acting.json.items.map((x) => x.id), [c.id, b.id]);
	await end(right);
	await absent('GET', `${BILLS}/${b.id}`, fritz);
	await absent('GET', `${BILLS}/${c.id}`, fritz);
	await p.no(404, 'not_found', 'POST', PAYMENTS, { as: fritz, body: {
		things: [{ kind: 'bill', id: b.id }] } });
});

test('a bill is found by account and name, and tells little', async () => {
	const b = await billFor(p, city, { period: '2026-01' });
	const look = (as, holder, account_no = b.account_no) => p.call('POST',
	    `${BILLS}/lookup`, { as, body: { account_no, holder } });

	for (const name of ['王建国', '王**']) {
		const { json } = await look(carl, name);
		assert.equal(json.items.length, 1, name);
		assert.equal(json.items[0].due_fen, 12345);
		assert.doesNotMatch(JSON.stringify(json), new RegExp(
		    `建国|山水|101室|"id"|${b.id}`));
	}
	for (const name of ['李建国', '王建', '王建国庆', '***', '李**'])
		assert.deepEqual((await look(carl, name)).json.items, [], name);
	assert.deepEqual((await look(carl, '王建国', 'nobody')).json.items, []);
	let n = 0;
	while ((await look(carl, '王建')).status === 200)
		assert.ok(++n < 20);
	assert.equal((await look(carl, '王建国')).status, 429);
	assert.equal((await look(bert, '王建国')).status, 200);
});

test('another community has nothing of it', async () => {
	const far = await p.resident(7, { community: THERE, dwelling: null });
	const [{ id }] = await mine(anna);

	await absent('GET', `${BILLS}/${id}`, far);
	assert.deepEqual(await mine(far), []);
	await absent('GET', `${PAYEES}/${city.id}`, far);
});

test('a doubt that ends while the rest is being paid: its line can be paid',
    async () => {
	const head = '户号,户名,小区,楼栋,单元,房号,费用类型,项目,账期,金额,应缴日期';
	const row = (no, what, yuan) => `${no},李桂兰,${AT_LOW},物业费,${what},` +
	    `2026-05,${yuan},${day(p, 20)}`;

	for (const [no, event, as, body, left] of [
		['W1', 'refuse', city.clerk, { answer: '核实无误' }, 5000],
		['W2', 'uphold', city.clerk, { answer: '更正',
			amount_fen: 4000 }, 4000],
		['W3', 'withdraw', anna, {}, 5000]]) {
		const { bills: [b] } = await bill(p, city, `${head}\n` +
		    `${row(no, '服务费', '100.00')}\n` +
		    `${row(no, '公摊', '50.00')}\n`, { whole: true });
		const doubt = await p.yes(201, 'POST',
		    `${BILLS}/${b.id}/dispute`, { as: anna,
			body: { line: 2, reason: '公摊算错了' } });
		const { payment, wechat } = await open(p, anna, [b.id]);
		assert.equal(payment.total_fen, 10000);
		await p.yes(200, 'POST', `/api/v1/bill-disputes/${doubt.id}/` +
		    event, { as, body });
		await p.pay.pay(wechat);
		let now = await see(anna, b.id);
		assert.deepEqual([now.state, now.paid_fen, now.due_fen],
		    ['open', 10000, left]);
		await pay(p, anna, [b.id]);
		now = await see(anna, b.id);
		assert.deepEqual([now.state, now.paid_fen, now.due_fen,
			now.payments.length], ['paid', 10000 + left, 0, 2]);
	}
	assert.match(await p.ctl('ledger', 'check'), /all balance/);
});

test('a name of stars alone opens no account', async () => {
	const b = await bill(p, city, `STARS,**,${AT_STAIRS},燃气费,2026-04,,,,,` +
	    `12.00,${day(p, 5)},`);
	const who = await p.resident(6);
	const look = async (holder) => (await p.yes(200, 'POST',
	    `${BILLS}/lookup`, { as: who, body: { account_no: 'STARS',
		holder } })).items.length;

	assert.equal(b.bills.length, 1);
	for (const guess of ['王伟', '**', '任意'])
		assert.equal(await look(guess), 0);
});

// The org's list outlives the role: a clerk who was let go lives here still.
test('who lost the role is a resident, though the payee lists them',
    async () => {
	const b = await billFor(p, city, { period: '2026-03' });
	const c = await billFor(p, city, { period: '2026-03' });
	const gone = await p.resident(5);

	await p.sql('INSERT INTO org_staff (community_id, org_id, user_id,' +
	    ` duty, since) VALUES (101, ${city.id}, ${gone.id}, 'clerk', 1)`);
	await pay(p, anna, [c.id]);
	await absent('GET', `${BILLS}/${b.id}`, gone);
	await absent('GET', `${BILLS}/${b.id}/preview`, gone);
	const [{ payment_id }] = (await see(anna, c.id)).payments;
	await absent('POST', `${PAYMENTS}/${payment_id}/refunds`, gone,
	    { reason: '退给我' });
	const doubt = await p.yes(201, 'POST', `${BILLS}/${b.id}/dispute`,
	    { as: anna, body: { reason: '不对' } });
	await absent('GET', `/api/v1/bill-disputes?payee_id=${city.id}`, gone);
	await p.no(403, 'forbidden', 'POST',
	    `/api/v1/bill-disputes/${doubt.id}/uphold`, { as: gone,
		body: { answer: '免了', amount_fen: 0 } });
	assert.equal((await see(city.clerk, b.id)).disputed_fen, 12345);
});
