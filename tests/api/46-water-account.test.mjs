// SPDX-License-Identifier: Apache-2.0
//
// 46-water-account -- tickets, barrels and deposits of a household: every
// booking, every refusal beside it, and that nothing is lost or doubled.
import assert from 'node:assert/strict';

import { ENGINE, MINUTE, start, test, until } from './harness.mjs';
import { A, ABROAD, B, BIG, BIG_B, LOW, OUTSIDE, SMALL, STAIRS }
    from './lib/fixture.mjs';
import { HOME_LAN, HOME_WANG } from './lib/people.mjs';
import { delivering, fire, fireRefused, ORDERS, orderOf, place,
    placeRefused, see, stock, timeline } from './lib/water.mjs';

const p = await start();
const owner = await p.as('owner-a');
const courier = await p.as('courier-a');
const BOOKS = '/api/v1/station/ticket-books';
const RETURNS = '/api/v1/station/returns';
const ACCOUNTS = '/api/v1/station/accounts';

const patch = (id, body) => p.yes(200, 'PATCH',
    `/api/v1/station/products/${id}`, { as: owner, body });
const big = await patch(BIG, { returnable: true, deposit_fen: 3000 });
await patch(SMALL, { returnable: true, deposit_fen: 2000 });

await p.resident(1);
let next = 100;
// A resident whom no other test knows, not yet bound to a home.
const somebody = (dwelling = LOW) => p.resident(++next, { dwelling });

const bookOf = (who, more) => ({ address_id: who.address, product_id: BIG,
	paid: 10, gift: 2, price_fen: 16000, received: 'cash', ...more });
const sell = (who, more) => p.yes(201, 'POST', BOOKS,
    { as: owner, body: bookOf(who, more) });
const refund = (id, body = {}) => p.yes(200, 'POST', `${BOOKS}/${id}/refund`,
    { as: owner, body });
const byTicket = (who, n = 1, more = {}) => place(p, who,
    { payment: 'ticket', items: [[BIG, n]], ...more });
const accounts = async (who) => (await p.yes(200, 'GET',
    '/api/v1/water/account', { as: who })).items;
const account = async (who) => (await accounts(who))[0];
const tickets = async (who) => {
	const a = await account(who);
	return [a.tickets_real, a.tickets_gift, a.tickets_held,
		a.prepaid_fen];
};
const lines = async (who, query = '?limit=100') => (await p.yes(200, 'GET',
    `/api/v1/water/ledger${query}`, { as: who })).items;
const check = () => p.ctl('ledger', 'check');

// From tap to door; what the order is then.
async function deliver(who, more = {}, body = {}) {
	const o = await delivering(p, who, more);

	return fire(p, 'courier-a', o.id, 'handover',
	    { code: o.handover_code, ...body });
}

function bind(who, household, dwelling) {
	const id = ++next + 900000;

	return p.sql('INSERT INTO home (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at,' +
	    ' dwelling_id, place, via, name, relation, tenancy,' +
	    ` household_id, payer, bound_at) VALUES (101, ${id}, 'bound', 1,` +
	    ` 0, ${who.id}, 0, 'x', 1, 1, ${dwelling}, 'x', 'desk', 'x',` +
	    ` 'other', 'owned', ${household}, 0, 1)`);
}

test('what a barrel is lent for', async () => {
	assert.deepEqual([big.returnable, big.deposit_fen], [true, 3000]);
	for (const body of [{ deposit_fen: -1 }, { deposit_fen: 100001 },
		{ returnable: 1 }])
		await p.no(422, 'invalid_field', 'PATCH',
		    `/api/v1/station/products/${BIG}`, { as: owner, body });
	const { items } = await p.yes(200, 'GET',
	    `/api/v1/water/products?station_id=${B}`,
	    { as: await somebody() });
	assert.deepEqual([items[0].returnable, items[0].deposit_fen],
	    [false, 0]);
});

test('a ticket book is sold, and each line explained', async () => {
	const anna = await somebody();

	assert.deepEqual(await accounts(anna), []);
	assert.deepEqual(await lines(anna), []);
	const book = await sell(anna);
	assert.deepEqual([book.paid, book.gift, book.real_left,
		book.gift_left, book.held, book.prepaid_fen, book.station_id,
		book.product_id, book.closed_at], [10, 2, 10, 2, 0, 16000, A,
		BIG, null]);
	assert.match(book.title, /山泉/);
	const a = await account(anna);
	assert.deepEqual([a.station_id, a.shared, a.tickets_real,
		a.tickets_gift, a.tickets_held, a.prepaid_fen, a.barrels,
		a.deposit_fen], [A, false, 10, 2, 0, 16000, 0, 0]);
	assert.deepEqual((await lines(anna)).map((l) => [l.event, l.kind,
		l.amount, l.balance, l.text]), [
		['ticket_sale', 'prepaid', 16000, 16000,
			'购买水票，付款 160.00 元'],
		['ticket_sale', 'tickets_gift', 2, 2, '购买水票，赠送 2 张'],
		['ticket_sale', 'tickets_real', 10, 10, '购买水票 10 张']]);
	const { items } = await p.yes(200, 'GET', '/api/v1/water/ticket-books',
	    { as: anna });
	assert.deepEqual(items.map((b) => b.id), [book.id]);
	// Nobody else's.
	assert.deepEqual(await accounts(await somebody()), []);
	assert.deepEqual(await lines(await somebody(),
	    `?account_id=${a.id}`), []);
});

test('a book that cannot be sold', async () => {
	const anna = await somebody();
	const far = await somebody(OUTSIDE);
	const no = async (status, code, body, as = owner) => p.no(status,
	    code, 'POST', BOOKS, { as, body });
	const faulty = async (field, more) => assert.deepEqual((await no(422,
	    'invalid_field', bookOf(anna, more))).fields.map((f) => f.field),
	    [field]);

	await faulty('paid', { paid: -1 });
	await faulty('paid', { paid: 501 });
	await faulty('gift', { gift: -1 });
	await faulty('gift', { gift: 501 });
	await faulty('price_fen', { price_fen: -1 });
	await faulty('price_fen', { price_fen: 10000001 });
	await faulty('price_fen', { paid: 0, price_fen: 1 });
	await faulty('paid', { paid: 0, gift: 0, price_fen: 0 });
	await faulty('received', { received: 'card' });
	await faulty('address_id', { address_id: undefined });
	await faulty('address_id', { order_id: '1' });
	for (const name of ['product_id', 'paid', 'gift', 'price_fen',
		'received'])
		await faulty(name, { [name]: undefined });
	await no(404, 'not_found', bookOf(anna, { address_id: '1' }));
	await no(404, 'not_found', bookOf(anna, { product_id: '1' }));
	await no(404, 'not_found', bookOf(anna, { product_id: BIG_B }));
	// Another station's address, station, community; the wrong duty.
	await no(404, 'not_found', bookOf(far));
	for (const who of ['owner-b', 'owner-z', 'role-merchant'])
		await no(404, 'not_found', bookOf(anna), await p.as(who));
	for (const who of [courier, anna, await p.as('role-clerk')])
		await no(403, 'forbidden', bookOf(anna), who);
	assert.deepEqual(await accounts(anna), []);
});

test('a book for the household of an order; gifts alone', async () => {
	const anna = await somebody();
	const { id } = await place(p, anna);
	const book = await sell(anna, { address_id: undefined, order_id: id,
		paid: 0, gift: 1, price_fen: 0 });

	assert.deepEqual([book.paid, book.gift, book.price_fen], [0, 1, 0]);
	assert.deepEqual(await tickets(anna), [0, 1, 0, 0]);
	await p.no(404, 'not_found', 'POST', BOOKS, { as: await p.as('owner-b'),
		body: bookOf(anna, { address_id: undefined, order_id: id }) });
	await fire(p, anna.openid, id, 'cancel');
});

test('tickets are held, then spent; what is paid for goes first',
    async () => {
	const anna = await somebody(STAIRS);

	await sell(anna, { paid: 3, gift: 2, price_fen: 5000 });
	const o = await byTicket(anna, 2);
	assert.deepEqual([o.payment, o.tickets, o.paid_at, o.goods_fen,
		o.floor_fen, o.total_fen], ['ticket', 2, null, 3600, 800,
		4400]);
	assert.deepEqual(await tickets(anna), [1, 2, 2, 5000]);
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	assert.deepEqual(await tickets(anna), [1, 2, 2, 5000]);
	const done = await fire(p, 'courier-a', o.id, 'handover',
	    { code: (await see(p, anna.openid, o.id)).handover_code });
	assert.ok(done.paid_at);
	// 2 of 3 for 50.00: 33.33 are earned.
	assert.deepEqual(await tickets(anna), [1, 2, 0, 1667]);
	await deliver(anna, { payment: 'ticket', items: [[BIG, 2]] });
	assert.deepEqual(await tickets(anna), [0, 1, 0, 0]);
	const said = (await lines(anna)).filter((l) =>
	    l.thing_id === o.id && l.unit !== 'barrel').map((l) => l.text);
	assert.deepEqual(said, ['水已送到，水票抵付 33.33 元',
		'水已送到，用去水票 2 张', '为订单留着水票 2 张',
		'下单，留出水票 2 张']);
	await check();
});

test('tickets come back when no water comes', async () => {
	const anna = await somebody();

	await sell(anna, { paid: 1, gift: 2, price_fen: 1600 });
	for (const [who, event, before] of [[anna.openid, 'cancel', []],
		['owner-a', 'reject', []], [anna.openid, 'cancel', ['accept']],
		['owner-a', 'reject', ['accept']]]) {
		const o = await byTicket(anna, 2);
		assert.deepEqual(await tickets(anna), [0, 1, 2, 1600]);
		for (const one of before)
			await fire(p, 'owner-a', o.id, one);
		await fire(p, who, o.id, event, { reason: '今天休息' });
		assert.deepEqual(await tickets(anna), [1, 2, 0, 1600]);
	}
	// On a failed delivery they stay held.
	const o = await delivering(p, anna,
	    { payment: 'ticket', items: [[BIG, 1]] });
	await fire(p, 'courier-a', o.id, 'fail', { reason: '无人应门' });
	assert.deepEqual(await tickets(anna), [0, 2, 1, 1600]);
	await fire(p, anna.openid, o.id, 'cancel');
	assert.deepEqual(await tickets(anna), [1, 2, 0, 1600]);
	await check();
});

test('an order that tickets do not cover takes nothing', async () => {
	const anna = await somebody();
	const before = [await stock(p, BIG), await stock(p, SMALL)];
	const no = async (more) => {
		const r = await placeRefused(p, anna, 409, 'not_enough',
		    { payment: 'ticket', ...more });
		assert.deepEqual(r.fields.map((f) => `${f.field} ${f.code}`),
		    ['payment no_tickets']);
		return r.fields[0].detail;
	};

	assert.match(await no({}), /还剩 0 张，这一单需要 1 张/);
	await sell(anna, { paid: 1, gift: 1, price_fen: 1600 });
	assert.match(await no({ items: [[BIG, 3]] }), /还剩 2 张/);
	await no({ items: [[SMALL, 1]] });
	await no({ items: [[BIG, 1], [SMALL, 1]] });
	await no({ station_id: B, items: [[BIG_B, 1]] });
	assert.deepEqual(await tickets(anna), [1, 1, 0, 1600]);
	assert.deepEqual([await stock(p, BIG), await stock(p, SMALL)], before);
	await placeRefused(p, anna, 422, 'invalid_field',
	    { payment: 'tickets' });
});

test('a ticket spent twice at the same instant', async () => {
	for (let round = 0; round < 12; round++) {
		const anna = await somebody();
		await sell(anna, { paid: round % 2, gift: 1 - round % 2,
			price_fen: round % 2 ? 1800 : 0 });
		const all = await Promise.all(Array.from({ length: 4 }, () =>
		    p.call('POST', ORDERS, { as: anna, body: orderOf(anna,
			{ payment: 'ticket' }) })));
		assert.deepEqual(all.map((r) => r.status).sort(),
		    [201, 409, 409, 409]);
		for (const r of all.filter((one) => one.status === 409))
			assert.equal(r.json.code, 'not_enough');
		assert.equal((await tickets(anna))[2], 1);
		const { id } = all.find((r) => r.status === 201).json;
		await fire(p, anna.openid, id, 'cancel');
	}
	await check();
});

test('cancelled and handed over at once: back or spent, not both',
    async () => {
	for (let round = 0; round < 8; round++) {
		const anna = await somebody();
		await sell(anna, { paid: 1, gift: 0, price_fen: 1800 });
		const o = await byTicket(anna);
		await fire(p, 'owner-a', o.id, 'accept');
		const both = await Promise.all([['owner-a', 'reject',
			{ reason: '忙' }], [anna.openid, 'cancel', {}]]
		    .map(async ([who, event, body]) => p.call('POST',
			`${ORDERS}/${o.id}/${event}`,
			{ as: await p.as(who), body })));
		assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
		assert.deepEqual(await tickets(anna), [1, 0, 0, 1800]);
	}
	await check();
});

test('a book is given back for what is unspent of it', async () => {
	const anna = await somebody();
	const book = await sell(anna);
	const no = (status, code, id = book.id, as = owner, body = {}) =>
	    p.no(status, code, 'POST', `${BOOKS}/${id}/refund`, { as, body });

	await no(403, 'forbidden', book.id, courier);
	await no(403, 'forbidden', book.id, anna);
	await no(404, 'not_found', book.id, await p.as('owner-b'));
	await no(404, 'not_found', book.id, await p.as('owner-z'));
	await no(404, 'not_found', '1');
	await deliver(anna, { payment: 'ticket', items: [[BIG, 3]] });
	const o = await byTicket(anna);
	await no(409, 'state_conflict');
	await fire(p, anna.openid, o.id, 'cancel');
	await no(409, 'conflict', book.id, owner, { expected_fen: 16000 });
	const back = await refund(book.id, { expected_fen: 11200 });
	assert.deepEqual([back.refund_fen, back.real_left, back.gift_left,
		back.prepaid_fen], [11200, 0, 0, 0]);
	assert.ok(back.closed_at);
	await no(409, 'state_conflict');
	assert.deepEqual(await tickets(anna), [0, 0, 0, 0]);
	await placeRefused(p, anna, 409, 'not_enough', { payment: 'ticket' });

	const spent = await sell(anna, { paid: 1, gift: 0, price_fen: 1800 });
	await deliver(anna, { payment: 'ticket' });
	await no(409, 'state_conflict', spent.id);

	// An unused one: only the money, whatever was on top.
	const whole = await sell(anna, { paid: 3, gift: 5, price_fen: 4999 });
	const both = await Promise.all([1, 2].map(() => p.call('POST',
	    `${BOOKS}/${whole.id}/refund`, { as: owner, body: {} })));
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
	assert.equal(both.find((r) => r.status === 200).json.refund_fen, 4999);
	await check();
});

test('empties are counted at the door, and the deposit', async () => {
	const anna = await somebody();
	const state = async () => {
		const a = await account(anna);
		return [a.barrels, a.deposit_fen];
	};
	const look = (id, query, as = courier) => p.yes(200, 'GET',
	    `${ORDERS}/${id}/door${query}`, { as });
	// What was said before is what happens.
	const door = async (n, empties) => {
		const known = empties === undefined;
		const { id, handover_code: code } = await delivering(p, anna,
		    { items: [[BIG, n]] });
		const before = await look(id, known ? '' :
		    `?empties=${empties}`);
		const o = await fire(p, 'courier-a', id, 'handover',
		    known ? { code } : { code, empties });
		assert.deepEqual([before.empties, before.deposit_fen,
			before.barrels, before.cash_fen], [o.empties,
			o.deposit_fen, n, o.total_fen + o.deposit_fen]);
		assert.equal((await look(id, '', anna)).cash_fen, 0);
		return [o.empties, o.deposit_fen, ...await state()];
	};

	// An old client says nothing: as many back as came.
	assert.deepEqual(await door(2), [2, 0, 0, 0]);
	assert.deepEqual(await door(2, 0), [0, 6000, 2, 6000]);
	assert.deepEqual(await door(1, 1), [1, 0, 2, 6000]);
	assert.deepEqual(await door(2, 1), [1, 3000, 3, 9000]);
	assert.deepEqual(await door(1, 3), [3, -6000, 1, 3000]);
	assert.deepEqual(await door(1), [1, 0, 1, 3000]);
	// More than came and are owed.
	const o = await delivering(p, anna);
	const code = { code: o.handover_code };
	for (const empties of [3, 400]) {
		const r = await fireRefused(p, 'courier-a', o.id, 'handover',
		    422, 'invalid_field', { ...code, empties });
		assert.match(r.fields[0].detail, /最多 2 只/);
	}
	for (const query of ['?empties=3', '?empties=-1', '?empties=401'])
		await p.no(422, 'invalid_field', 'GET',
		    `${ORDERS}/${o.id}/door${query}`, { as: courier });
	for (const who of ['courier-b', 'owner-z', 'resident-1'])
		await p.no(404, 'not_found', 'GET',
		    `${ORDERS}/${o.id}/door`, { as: await p.as(who) });
	for (const empties of [-1, 401, 1.5, '1', null])
		await fireRefused(p, 'courier-a', o.id, 'handover', 422,
		    'invalid_field', { ...code, empties });
	await fire(p, 'courier-a', o.id, 'handover', { ...code, empties: 2 });
	assert.deepEqual(await state(), [0, 0]);
	assert.equal((await timeline(p, anna.openid, o.id)).at(-1).note,
	    '收回空桶 2 只，退押金 30.00 元');
	const all = await lines(anna);
	assert.deepEqual(all.slice(0, 3).map((l) => [l.text, l.balance]), [
		['多还了空桶，退押金 30.00 元', 0], ['收回空桶 2 只', 0],
		['送到满桶 1 只', 2]]);
	await check();
});

test('empties stand for the dearest barrels; each part of a deposit the same',
    async () => {
	const anna = await somebody();
	const o = await deliver(anna, { items: [[BIG, 1], [SMALL, 2]] },
	    { empties: 1 });

	assert.equal(o.deposit_fen, 4000);
	const more = await deliver(anna, { items: [[BIG, 1]] },
	    { empties: 0 });
	assert.equal(more.deposit_fen, 3000);
	// 70.00 for three: 23.33, then what is left.
	const back = async (barrels) => (await p.yes(201, 'POST', RETURNS,
	    { as: courier, body: { order_id: o.id, barrels } })).deposit_fen;
	assert.equal(await back(1), 4667);
	assert.equal(await back(2), 0);
	await check();
});

test('barrels come back at the station, and their deposit', async () => {
	const anna = await somebody();
	const o = await deliver(anna, { items: [[BIG, 3]] }, { empties: 0 });
	const { id } = await account(anna);
	const no = (status, code, body, as = courier) => p.no(status, code,
	    'POST', RETURNS, { as, body });

	for (const barrels of [0, -1, 4, 401])
		await no(422, 'invalid_field', { account_id: id, barrels });
	await no(422, 'invalid_field', { barrels: 1 });
	await no(422, 'invalid_field', { account_id: id });
	await no(422, 'invalid_field', { account_id: id, order_id: o.id,
		barrels: 1 });
	for (const who of ['owner-b', 'courier-b', 'owner-z', 'role-courier']) {
		const as = await p.as(who);
		await no(404, 'not_found', { account_id: id, barrels: 1 }, as);
		await no(404, 'not_found', { order_id: o.id, barrels: 1 }, as);
		for (const tail of ['', '/ledger', '/ticket-books']) {
			const r = await p.call('GET',
			    `${ACCOUNTS}/${id}${tail}`, { as });
			if (r.status === 200)
				assert.deepEqual(r.json.items, []);
			else
				assert.equal(r.status, 404);
		}
	}
	await no(403, 'forbidden', { account_id: id, barrels: 1 }, anna);
	const now = await p.yes(201, 'POST', RETURNS,
	    { as: courier, body: { account_id: id, barrels: 1 } });
	assert.deepEqual([now.barrels, now.deposit_fen], [2, 6000]);
	const both = await Promise.all([1, 2, 3].map(() => p.call('POST',
	    RETURNS, { as: owner, body: { account_id: id, barrels: 2 } })));
	assert.deepEqual(both.map((r) => r.status).sort(), [201, 422, 422]);
	const seen = await p.yes(200, 'GET', `${ACCOUNTS}/${id}`,
	    { as: owner });
	assert.deepEqual([seen.barrels, seen.deposit_fen], [0, 0]);
	const { items } = await p.yes(200, 'GET',
	    `${ACCOUNTS}/${id}/ledger?limit=2`, { as: owner });
	assert.deepEqual(items.map((l) => l.text),
	    ['退还空桶，退押金 60.00 元', '退还空桶 2 只']);
	const list = await p.yes(200, 'GET',
	    `${ACCOUNTS}?station_id=${A}&limit=100`, { as: owner });
	assert.ok(list.items.some((a) => a.id === id));
	assert.deepEqual((await p.yes(200, 'GET',
	    `${ACCOUNTS}?station_id=${A}`, { as: await p.as('owner-b') }))
	    .items, []);
	await check();
});

test('what is not lent is not counted', async () => {
	const anna = await somebody();

	await patch(BIG, { returnable: false });
	const o = await deliver(anna, { items: [[BIG, 2]] });
	assert.deepEqual([o.empties, o.deposit_fen], [0, 0]);
	assert.deepEqual(await accounts(anna), []);
	const again = await delivering(p, anna);
	await fireRefused(p, 'courier-a', again.id, 'handover', 422,
	    'invalid_field', { code: again.handover_code, empties: 1 });
	await fire(p, 'courier-a', again.id, 'handover',
	    { code: again.handover_code, empties: 0 });
	await patch(BIG, { returnable: true });
});

test('who confirms without the courier has given back as many', async () => {
	const anna = await somebody();

	await sell(anna, { paid: 1, gift: 0, price_fen: 1800 });
	const o = await delivering(p, anna, { payment: 'ticket' });
	const end = await fire(p, anna.openid, o.id, 'confirm',
	    { empties: 0 });
	assert.deepEqual([end.state, end.empties, end.deposit_fen],
	    ['completed', 1, 0]);
	assert.deepEqual(await tickets(anna), [0, 0, 0, 0]);
	await check();
});

test('a household shares; what was one\'s own is merged', async () => {
	const mother = await somebody(), son = await somebody();
	const guest = await somebody();

	await sell(mother, { paid: 2, gift: 0, price_fen: 3600 });
	await sell(son, { paid: 1, gift: 1, price_fen: 1800 });
	await deliver(son, { items: [[BIG, 1]] }, { empties: 0 });
	await deliver(mother, { items: [[BIG, 2]] }, { empties: 0 });
	await bind(mother, HOME_LAN, LOW);
	await bind(son, HOME_LAN, LOW);
	// The first booking after it makes the account the household's.
	const first = await byTicket(mother, 1);
	assert.deepEqual(await tickets(mother), [1, 0, 1, 3600]);
	assert.equal((await account(mother)).shared, true);
	assert.equal((await accounts(son)).length, 2);
	const o = await byTicket(son, 3);
	assert.deepEqual((await accounts(son)).map((a) => [a.shared,
		a.tickets_real, a.tickets_gift, a.tickets_held, a.prepaid_fen,
		a.barrels, a.deposit_fen]), [[true, 0, 0, 4, 5400, 3, 9000]]);
	assert.deepEqual(await account(mother), await account(son));
	await check();
	await fire(p, son.openid, o.id, 'cancel');
	await fire(p, mother.openid, first.id, 'cancel');
	assert.deepEqual(await tickets(son), [3, 1, 0, 5400]);
	const merged = (await lines(mother)).filter((l) =>
	    l.event === 'merge').map((l) => l.text).sort();
	assert.deepEqual(merged, ['并入家庭水账户，押金 30.00 元',
		'并入家庭水账户，水桶 1 只']);
	// Somebody who is not bound there; and who has moved out.
	assert.deepEqual(await accounts(guest), []);
	await p.sql("UPDATE home SET state = 'ended'" +
	    ` WHERE owner_id = ${son.id}`);
	assert.deepEqual(await accounts(son), []);
	await placeRefused(p, son, 409, 'not_enough', { payment: 'ticket' });
	await check();
});

// The book goes from one account to another while `what` waits for the
// first; then it must wait for the other before it books anything.
async function moved(book, household, what) {
	const [from, to] = [await p.db.session(), await p.db.session()];
	const waits = async ({ pid }) => (await p.sql('SELECT pid FROM' +
	    ` pg_locks WHERE ${pid} = ANY (pg_blocking_pids(pid))`))
	    .length > 0;
	let done = false;

	await from.say('BEGIN; SELECT 1 FROM water_account WHERE id =' +
	    ` ${book.account_id} FOR NO KEY UPDATE`);
	await to.say(`BEGIN; SELECT 1 FROM water_account WHERE id =` +
	    ` ${household} FOR NO KEY UPDATE`);
	const going = what().finally(() => {
		done = true;
	});
	await until(() => waits(from), 'it waits for its account');
	await from.say(`UPDATE water_book SET account_id = ${household}` +
	    ` WHERE id = ${book.id}; COMMIT`);
	await until(async () => done || await waits(to), 'and the other');
	assert.equal(done, false);
	await to.say('COMMIT');
	await going;
	from.end();
	to.end();
}

test('a book that changes hands is booked in its new account', {
	skip: ENGINE === 'sqlite' && 'one writer at a time',
}, async () => {
	const anna = await somebody(), bert = await somebody();
	const { account_id } = await sell(bert);
	const one = await sell(anna), two = await sell(anna);

	await moved(two, account_id, () => refund(two.id));
	const o = await byTicket(anna);
	await moved(one, account_id, () =>
	    fire(p, anna.openid, o.id, 'cancel'));
	assert.deepEqual(await tickets(anna), [0, 0, 0, 0]);
	assert.deepEqual(await tickets(bert), [20, 4, 0, 32000]);
	await check();
});

test('two of a household begin at the same instant', async () => {
	const one = await somebody(STAIRS), two = await somebody(STAIRS);

	await bind(one, HOME_WANG, STAIRS);
	await bind(two, HOME_WANG, STAIRS);
	await Promise.all([one, two, one, two].map((who) => sell(who,
	    { paid: 1, gift: 0, price_fen: 1800 })));
	assert.deepEqual(await tickets(one), [4, 0, 0, 7200]);
	assert.deepEqual(await accounts(one), await accounts(two));
	await check();
});

test('tickets are good for the station that sold them', async () => {
	const anna = await somebody();

	await sell(anna, { paid: 1, gift: 0, price_fen: 1800 });
	const o = await byTicket(anna);
	await fireRefused(p, 'owner-a', o.id, 'pass', 409, 'state_conflict',
	    { reason: '忙' });
	await fire(p, anna.openid, o.id, 'cancel');
});

test('nobody accepts: the tickets come back by themselves', async () => {
	const anna = await somebody();

	await sell(anna, { paid: 1, gift: 1, price_fen: 1800 });
	const { id } = await byTicket(anna, 2);
	await until(async () => {
		p.clock.add(20 * MINUTE);
		return (await see(p, anna.openid, id)).state === 'rejected';
	}, 'the end of the order', 20_000);
	assert.deepEqual(await tickets(anna), [1, 1, 0, 1800]);
	assert.equal((await lines(anna))[0].text, '订单未送水，退回水票 1 张');
	p.clock.goto('10:30');
	await check();
});

test('the same again, by ticket as before', async () => {
	const anna = await somebody();
	const again = () => p.call('POST', `${ORDERS}/again`,
	    { as: anna, body: {} });

	await sell(anna, { paid: 2, gift: 0, price_fen: 3600 });
	await byTicket(anna);
	const o = await again();
	assert.deepEqual([o.status, o.json.payment, o.json.tickets],
	    [201, 'ticket', 1]);
	const no = await again();
	assert.deepEqual([no.status, no.json.code], [409, 'not_enough']);
});

test('the ledger in pages, and its balances', async () => {
	const anna = await somebody();

	for (let i = 0; i < 3; i++) {
		await sell(anna, { paid: 2, gift: 1, price_fen: 3500 });
		await deliver(anna, { payment: 'ticket', items: [[BIG, 2]] },
		    { empties: i });
	}
	const all = [];
	let after = '';
	do {
		const page = await p.yes(200, 'GET', '/api/v1/water/ledger' +
		    `?limit=7${after}`, { as: anna });
		all.push(...page.items);
		after = page.next && `&after=${page.next}`;
	} while (after);
	assert.deepEqual(all, await lines(anna));
	const sums = {};
	for (const l of all.reverse()) {
		sums[l.kind] = (sums[l.kind] ?? 0) + l.amount;
		assert.equal(l.balance, sums[l.kind]);
		assert.match(l.text, /^[\p{Script=Han}，（）\d. ]+$/u);
	}
	const a = await account(anna);
	assert.deepEqual([sums.tickets_real, sums.tickets_gift,
		sums.tickets_held, sums.prepaid, sums.barrels, sums.deposit],
	    [a.tickets_real, a.tickets_gift, a.tickets_held, a.prepaid_fen,
		a.barrels, a.deposit_fen]);
	for (const query of ['?limit=0', '?limit=101', '?account_id=x'])
		await p.no(422, 'invalid_field', 'GET',
		    `/api/v1/water/ledger${query}`, { as: anna });
	const zoe = await p.resident(++next, { community: '102',
		dwelling: ABROAD });
	assert.deepEqual(await lines(zoe, `?account_id=${a.id}`), []);
});

test('the database itself refuses what does not balance', async () => {
	const [row] = await p.sql('SELECT l.* FROM ledger_line l' +
	    ' JOIN ledger_account a ON a.id = l.account_id' +
	    ' WHERE a.balance > 0 LIMIT 1');
	const bad = (why, sql) => assert.rejects(p.sql(sql), (error) =>
	    why.test(error.message) || assert.fail(error.message));
	const line = (entry, amount) => 'INSERT INTO ledger_line VALUES' +
	    ` (101, ${row.account_id}, ${++next}, ${entry}, '${row.unit}',` +
	    ` ${amount}, NULL, NULL)`;
	const entry = "INSERT INTO ledger_entry VALUES (101, 1, 'x', 'x', 1," +
	    ' NULL, 1, NULL)';

	await bad(/append-only/, 'UPDATE ledger_line SET amount = amount + 1');
	await bad(/append-only/, 'DELETE FROM ledger_line');
	await bad(/append-only/, "UPDATE ledger_entry SET note = 'x'");
	await bad(/append-only/, 'DELETE FROM ledger_entry');
	await bad(/sealed/, line(row.entry_id, 1));
	await bad(/does not balance/, entry);
	await bad(/does not balance/,
	    `BEGIN; ${line(1, 1)}; ${entry}; COMMIT`);
	await bad(/does not balance/,
	    `BEGIN; ${line(1, 1)}; ${line(1, -2)}; ${entry}; COMMIT`);
	await bad(/check/i, `BEGIN; ${line(1, 0)}; ${entry}; COMMIT`);
	await bad(/check/i, 'UPDATE ledger_account SET balance = -1' +
	    ` WHERE id = ${row.account_id}`);
	if (ENGINE === 'postgresql') {
		await bad(/foreign key/, line(1, 1));
		await bad(/append-only/, 'TRUNCATE ledger_line');
	}
	assert.match(await check(), /all balance/);
});

test('what was changed behind the program\'s back is found', async () => {
	const [row] = await p.sql('SELECT id FROM ledger_account' +
	    " WHERE kind = 'real' AND balance > 0 LIMIT 1");

	await p.sql('UPDATE ledger_account SET balance = balance + 1' +
	    ` WHERE id = ${row.id}`);
	await assert.rejects(check(), (error) => error.message.includes(
	    `FAULT community 101 id ${row.id}: an account's balance`));
	await p.sql('UPDATE ledger_account SET balance = balance - 1' +
	    ` WHERE id = ${row.id}`);
	assert.match(await check(), /all balance/);
});

test('at night all is added up', async () => {
	const nights = () => p.log('jobs').filter((line) =>
	    /ledger entries=\d+ .*faults=0/.test(line)).length;
	const before = nights();

	p.clock.goto('03:09');
	p.clock.goto('03:11');
	await until(() => nights() > before, 'the nightly check', 20_000);
	p.clock.goto('10:30');
});

test('killed in the middle, nothing is half done', async () => {
	const anna = await somebody();

	await sell(anna, { paid: 40, gift: 0, price_fen: 70000 });
	const all = Array.from({ length: 40 }, () => p.call('POST', ORDERS,
	    { as: anna, body: orderOf(anna, { payment: 'ticket' }),
		check: false }).catch(() => null));
	await until(async () => Number(await p.value('SELECT COUNT(*) AS n' +
	    ' FROM water_order WHERE owner_id =' +
	    ` ${anna.id}`)) >= 3, 'some orders');
	await p.kill('api');
	await Promise.all(all);
	await p.start('api');
	const held = Number(await p.value('SELECT COUNT(*) AS n FROM' +
	    ` water_order WHERE owner_id = ${anna.id}`));
	assert.ok(held >= 3 && held <= 40);
	assert.deepEqual(await tickets(anna), [40 - held, 0, held, 70000]);
	assert.match(await check(), /all balance/);
});

// A small generator, so that a failure can be repeated.
function random(seed) {
	return (n) => {
		seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
		return Math.floor(seed / 2 ** 32 * n);
	};
}

test('many at once through the front door', { timeout: 120_000 },
    async (t) => {
	const seed = Number(process.env.PLANET_TEST_SEED ?? Date.now() % 1e9);
	const dice = random(seed);
	const family = [await somebody(), await somebody(), await somebody()];
	const open = [];
	const any = () => open.splice(dice(open.length), 1)[0] ?? [];
	const ok = (r) => assert.ok([200, 201, 409, 422].includes(r.status),
	    r.text);
	const steps = [
		async (who) => ok(await p.call('POST', BOOKS, { as: owner,
			body: bookOf(who, { paid: 1 + dice(3), gift: dice(3),
				price_fen: 1 + dice(9999) }) })),
		async (who) => {
			const r = await p.call('POST', ORDERS, { as: who,
				body: orderOf(who, { items: [[BIG,
					1 + dice(3)]], payment: dice(4) ?
					'ticket' : 'on_delivery' }) });
			ok(r);
			if (r.status === 201)
				open.push([who, r.json.id]);
		},
		async () => {
			const [who, id] = any();
			if (id)
				ok(await p.call('POST',
				    `${ORDERS}/${id}/cancel`,
				    { as: who, body: {} }));
		},
		async () => {
			const [who, id] = any();
			if (!id)
				return;
			await fire(p, 'owner-a', id, 'accept');
			await fire(p, 'courier-a', id, 'deliver');
			const { handover_code: code } = await see(p,
			    who.openid, id);
			ok(await p.call('POST', `${ORDERS}/${id}/handover`,
			    { as: courier, body: { code,
				empties: dice(5) } }));
		},
		async (who) => {
			const a = await account(who);
			if (a)
				ok(await p.call('POST', RETURNS, { as: courier,
					body: { account_id: a.id,
						barrels: 1 + dice(3) } }));
		},
		async (who) => {
			const { items } = await p.yes(200, 'GET',
			    '/api/v1/water/ticket-books', { as: who });
			const one = items[dice(items.length + 1)];
			if (one)
				ok(await p.call('POST',
				    `${BOOKS}/${one.id}/refund`,
				    { as: owner, body: {} }));
		},
	];

	t.diagnostic(`seed ${seed} on ${ENGINE}`);
	await bind(family[0], HOME_LAN, LOW);
	await bind(family[1], HOME_LAN, LOW);
	await Promise.all(Array.from({ length: 6 }, async () => {
		for (let i = 0; i < 40; i++) {
			const n = [0, 1, 1, 1, 2, 3, 3, 4, 5][dice(9)];
			await steps[n](family[dice(3)]);
		}
	}));
	assert.match(await check(), /all balance/);
});
