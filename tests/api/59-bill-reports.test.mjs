// SPDX-License-Identifier: Apache-2.0
//
// 59-bill-reports -- reminders by day, what came in, what is overdue.
import assert from 'node:assert/strict';

import { DAY, HOUR, start, test, until } from './harness.mjs';
import { LIFT, LOW, OUTSIDE, STAIRS } from './lib/fixture.mjs';
import { AT_LIFT, AT_LOW, AT_STAIRS, billFor, BILLS, bind, pay, payee,
    PAYEES } from './lib/bill.mjs';

const p = await start();
const city = await payee(p, { late_rate: 0, late_cap: 0 });
const other = await payee(p, { late_rate: 0, late_cap: 0 });
const anna = await p.resident(1), bert = await p.resident(2);
await bind(p, anna, LOW);
await bind(p, bert, LOW);
const dora = await p.resident(3);
await bind(p, dora, STAIRS);

const told = async (id) => (await p.sql('SELECT user_id, data FROM outbox' +
    ` WHERE template = 'bill_due' AND page = 'pages/bill/bill?id=${id}'` +
    ' ORDER BY id'));
// The task has run at the present time.
async function round() {
	const from = p.clock.now();

	p.clock.add(6 * 60_000);
	await until(async () => Number(await p.value('SELECT ran_at FROM' +
	    " task_run WHERE name = 'bill_remind'")) > from, 'a round');
}

test('reminders come on their days, by day, once', async () => {
	// Due in four days; -3, 0 and 7 are usual.
	const b = await billFor(p, city, { due: 4, period: '2026-10' });
	const paid = await billFor(p, city, { due: 4, period: '2026-09' });
	const doubted = await billFor(p, city, { due: 4, period: '2026-08' });
	const far = await billFor(p, city, { due: 4, period: '2026-07',
		at: ',,,' });
	await pay(p, anna, [paid.id]);
	const d = await p.yes(201, 'POST', `${BILLS}/${doubted.id}/dispute`,
	    { as: anna, body: { reason: '不对' } });

	await round();
	assert.equal((await told(b.id)).length, 0);
	p.clock.goto('21:30');
	p.clock.goto('07:00');
	// Three days before, but nobody is woken.
	await round();
	assert.equal((await told(b.id)).length, 0);
	p.clock.goto('08:05');
	await round();
	assert.deepEqual((await told(b.id)).map((m) => m.user_id).sort(),
	    [anna.id, bert.id].sort());
	assert.match((await told(b.id))[0].data, /2026-10 水费.*还有3天/);
	await round();
	p.clock.goto('20:00');
	await round();
	assert.equal((await told(b.id)).length, 2);
	for (const one of [paid, doubted, far])
		assert.equal((await told(one.id)).length, 0);
	// On the day itself; who pays for the family is told alone.
	await p.sql(`UPDATE home SET payer = 1 WHERE owner_id = ${bert.id}`);
	p.clock.add(2 * DAY);
	p.clock.goto('09:00');
	await round();
	assert.deepEqual((await told(b.id)).slice(2).map((m) => m.user_id),
	    [bert.id]);
	// In the evening of the seventh day after nothing goes out, the next
	// morning makes up for it.
	p.clock.add(7 * DAY);
	p.clock.goto('22:00');
	await round();
	assert.equal((await told(b.id)).length, 3);
	p.clock.goto('08:30');
	await round();
	assert.equal((await told(b.id)).length, 4);
	assert.match((await told(b.id))[3].data, /已过应缴日8天/);
	p.clock.add(5 * DAY);
	await round();
	assert.equal((await told(b.id)).length, 4);
	assert.equal((await told(doubted.id)).length, 0);
	await p.yes(200, 'POST', `/api/v1/bill-disputes/${d.id}/withdraw`,
	    { as: anna, body: {} });
});

test('a bill that comes late is not told of days before it', async () => {
	p.clock.goto('10:00');
	const b = await billFor(p, city, { due: -20, period: '2026-06' });

	await round();
	assert.equal((await told(b.id)).length, 0);
	const today = await billFor(p, city, { due: 0, period: '2026-05' });
	await round();
	assert.equal((await told(today.id)).length, 1);
});

const report = (what, as = city.clerk) => p.yes(200, 'GET',
    `${PAYEES}/${city.id}/reports/${what}`, { as });

test('what came in, by payee, compound and building', async () => {
	await p.sql("UPDATE bill SET period = '2020-01' WHERE payee_id =" +
	    ` ${city.id} AND account_no IN (SELECT account_no FROM bill)`);
	const one = await billFor(p, city, { at: AT_LOW, fen: 10000,
		period: '2027-01' });
	const two = await billFor(p, city, { at: AT_STAIRS, fen: 20000,
		period: '2027-01' });
	await billFor(p, city, { at: AT_LIFT, fen: 30000, period: '2027-02' });
	await billFor(p, city, { at: '远山小区,1栋,1单元,101室', fen: 5000,
		period: '2027-02' });
	await billFor(p, city, { at: ',,,', fen: 1000, period: '2027-02' });
	await billFor(p, other, { at: AT_LIFT, fen: 77777,
		period: '2027-01' });
	await pay(p, anna, [one.id]);
	await pay(p, dora, [two.id]);

	const rows = async (query) => (await report('collection?' +
	    `from=2027-01&to=2027-02${query}`)).items.map((r) => [r.place,
		r.bills, r.principal_fen, r.paid_fen, r.rate]);
	assert.deepEqual(await rows(''), [[null, 5, 66000, 30000, 4545]]);
	assert.deepEqual(await rows('&by=compound'), [
		['山水小区', 3, 60000, 30000, 5000],
		['远山小区', 1, 5000, 0, 0], [null, 1, 1000, 0, 0]]);
	assert.deepEqual(await rows('&by=building'), [
		['山水小区1栋', 2, 30000, 30000, 10000],
		['山水小区2栋', 1, 30000, 0, 0],
		['远山小区1栋', 1, 5000, 0, 0], [null, 1, 1000, 0, 0]]);
	assert.deepEqual((await report('collection?from=2027-02&to=2027-02'))
	    .items.map((r) => r.bills), [3]);
	assert.deepEqual((await report('collection?from=2030-01')).items, []);
	await p.no(422, 'invalid_field', 'GET', `${PAYEES}/${city.id}/reports` +
	    '/collection?from=2027-13', { as: city.clerk });
	for (const what of ['collection', 'arrears']) {
		await p.no(404, 'not_found', 'GET',
		    `${PAYEES}/${city.id}/reports/${what}`,
		    { as: other.owner });
		await p.no(403, 'forbidden', 'GET',
		    `${PAYEES}/${city.id}/reports/${what}`, { as: anna });
	}
});

test('arrears by age', async () => {
	const third = await payee(p, { late_rate: 0, late_cap: 0 });
	const eva = await p.resident(4);
	await bind(p, eva, LIFT);
	await bind(p, eva, OUTSIDE);
	const make = (due, fen, month) => billFor(p, third, { due, fen,
		at: AT_LIFT, period: `2026-0${month}` });

	await make(0, 1, 1);
	await make(-1, 10, 2);
	await make(-30, 100, 3);
	await make(-31, 1000, 4);
	const doubted = await make(-90, 10000, 5);
	await make(-91, 100000, 6);
	await make(-365, 1000000, 7);
	await make(-366, 10000000, 8);
	const paid = await make(-500, 9, 9);
	await pay(p, eva, [paid.id]);
	await p.yes(201, 'POST', `${BILLS}/${doubted.id}/dispute`,
	    { as: eva, body: { reason: '不对' } });
	const { items } = await p.yes(200, 'GET',
	    `${PAYEES}/${third.id}/reports/arrears`, { as: third.owner });
	assert.deepEqual(items.map((r) => [r.age, r.bills, r.open_fen,
		r.disputed_fen]), [['not_due', 1, 1, 0], ['d0_30', 2, 110, 0],
		['d31_90', 2, 1000, 10000], ['d91_365', 2, 1100000, 0],
		['more', 1, 10000000, 0]]);
	assert.ok(HOUR);
});
