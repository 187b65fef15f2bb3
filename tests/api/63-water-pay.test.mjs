// SPDX-License-Identifier: Apache-2.0
//
// 63-water-pay -- water and ticket books paid online: stock that waits for
// its money, what happens when none comes, and every way back.
import assert from 'node:assert/strict';

import { ENGINE, MINUTE, start, test, until } from './harness.mjs';
import { A, BIG, BIG_B, LOW, OUTSIDE } from './lib/fixture.mjs';
import { fire, fireRefused, ORDERS, orderOf, place, placeRefused, see,
	setStock, stock, timeline } from './lib/water.mjs';

const p = await start();
const owner = await p.as('owner-a');
const PAYMENTS = '/api/v1/payments';
const OFFERS = '/api/v1/station/book-offers';
const BOOKS = '/api/v1/water/books';

let next = 300;
const somebody = (dwelling = LOW) => p.resident(++next, { dwelling });
const online = (who, more) => place(p, who, { payment: 'online', ...more });
const open = (who, ...things) => p.yes(201, 'POST', PAYMENTS,
    { as: who, body: { things } });
const water = (id) => ({ kind: 'water_order', id });
const refunds = (who, id, status, code) => p.no(status, code, 'POST',
    `${PAYMENTS}/${id}/refunds`, { as: who, body: { reason: '不要了' } });
const state = async (who, id) => (await see(p, who.openid, id)).state;
const reaches = (who, id, want) => until(async () =>
    await state(who, id) === want, `${id} ${want}`);
const payment = (who, id) => p.yes(200, 'GET', `${PAYMENTS}/${id}`,
    { as: who });
// What a jump of the clock made stale on its way is made good by a query.
const paymentReaches = (who, id, want) => {
	let times = 0;

	return until(async () => {
		if (++times % 50 === 0)
			p.clock.add(2 * MINUTE);
		return (await payment(who, id)).state === want;
	}, `payment ${id} ${want}`);
};
const stationSees = async (id, as = owner) => (await p.yes(200, 'GET',
    '/api/v1/station/orders?limit=100', { as })).items.some((o) =>
    o.id === id);
const check = async () => assert.match(await p.ctl('ledger', 'check'),
    /all balance/);

// An order of `who`, paid.
async function paid(who, more) {
	const o = await online(who, more);
	const opened = await open(who, water(o.id));

	await p.pay.pay(opened.wechat);
	await reaches(who, o.id, 'placed');
	return { o, payment: opened.payment.id };
}

test('an order waits for its money, and only then is the station\'s',
    async () => {
	const anna = await somebody();
	const before = await stock(p, BIG);
	const o = await online(anna, { items: [[BIG, 2]] });

	assert.deepEqual([o.state, o.state_label, o.payment, o.paid_at,
		o.can], ['unpaid', '待付款', 'online', null, ['cancel']]);
	assert.equal(await stock(p, BIG), before - 2);
	assert.equal(await stationSees(o.id), false);
	for (const who of ['owner-a', 'courier-a', 'owner-b']) {
		await p.no(404, 'not_found', 'GET', `${ORDERS}/${o.id}`,
		    { as: await p.as(who) });
		await fireRefused(p, who, o.id, 'accept', 404, 'not_found');
	}
	const { wechat, payment: { id, total_fen } } = await open(anna,
	    water(o.id));
	assert.equal(total_fen, 3600);
	assert.equal(await state(anna, o.id), 'paying');
	assert.equal(await stationSees(o.id), false);
	await p.pay.pay(wechat);
	await reaches(anna, o.id, 'placed');
	const now = await see(p, anna.openid, o.id);
	assert.ok(now.paid_at);
	assert.equal(await stationSees(o.id), true);
	await paymentReaches(anna, id, 'paid');
	assert.deepEqual((await timeline(p, anna.openid, o.id)).map((e) =>
	    e.event), ['order', 'begin', 'pay']);

	// To the door; what was paid is not paid again.
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	const done = await fire(p, 'courier-a', o.id, 'handover', { empties: 0,
		code: (await see(p, anna.openid, o.id)).handover_code });
	assert.deepEqual([done.paid_at, done.empties], [now.paid_at, 0]);
	await check();
});

test('what cannot be ordered so, or paid', async () => {
	const [anna, ben] = [await somebody(), await somebody()];
	const o = await online(anna);
	const no = (status, code, who, ...things) => p.no(status, code, 'POST',
	    PAYMENTS, { as: who, body: { things } });

	await no(404, 'not_found', ben, water(o.id));
	await no(404, 'not_found', anna, water('1'));
	const cash = await place(p, anna);
	await no(409, 'state_conflict', anna, water(cash.id));
	await fire(p, anna.openid, cash.id, 'cancel');
	for (const event of ['pay', 'begin', 'lapse', 'reopen', 'wind_up'])
		await fireRefused(p, anna.openid, o.id, event, 404,
		    'not_found');
	await p.sql(`UPDATE water_product SET price_fen = 0 WHERE id = ${BIG}`);
	await placeRefused(p, anna, 422, 'invalid_field',
	    { payment: 'online' });
	await p.sql('UPDATE water_product SET price_fen = 1800' +
	    ` WHERE id = ${BIG}`);
	await fire(p, anna.openid, o.id, 'cancel');
	await no(409, 'state_conflict', anna, water(o.id));
});

test('nobody begins to pay: the barrel is back, and no station knew',
    async () => {
	const anna = await somebody();
	const before = await stock(p, BIG);
	const o = await online(anna);

	p.clock.add(17 * MINUTE);
	await reaches(anna, o.id, 'cancelled');
	assert.equal(await stock(p, BIG), before);
	assert.equal(await stationSees(o.id), false);
	assert.equal((await timeline(p, anna.openid, o.id)).pop().event,
	    'lapse');
});

test('begun and not paid: closed at the gateway, then the barrel is back',
    async () => {
	const anna = await somebody();
	const before = await stock(p, BIG);
	const o = await online(anna);
	const opened = await open(anna, water(o.id));
	const { number } = (await p.pay.orders({ state: 'NOTPAY' })).pop();

	// While the gateway does not answer, the barrel stays.
	await p.pay.fault('close', 'system_error', { times: 3 });
	p.clock.add(25 * MINUTE);
	await until(async () => {
		const gone = await stock(p, BIG) === before;
		const { state: there } = await p.pay.order(number);

		assert.ok(!gone || there === 'CLOSED', there);
		p.clock.add(MINUTE);
		return gone;
	}, 'the barrel');
	assert.equal(await state(anna, o.id), 'cancelled');
	await paymentReaches(anna, opened.payment.id, 'closed');
	await p.pay.clearFaults();
});

test('cancelled while being paid: what is paid then goes back', async () => {
	const anna = await somebody();
	const before = await stock(p, BIG);
	const o = await online(anna);
	const { wechat, payment: { id } } = await open(anna, water(o.id));

	await p.sql('UPDATE payment SET claimed_until = ' +
	    `${p.clock.now() + 10 * MINUTE} WHERE id = ${id}`);
	await fire(p, anna.openid, o.id, 'cancel');
	assert.equal(await stock(p, BIG), before);
	await p.pay.pay(wechat, { force: true });
	await until(async () => {
		p.clock.add(MINUTE);
		return (await payment(anna, id)).state === 'refunded';
	}, 'the refund');
	assert.equal(await state(anna, o.id), 'cancelled');
	assert.equal(await stationSees(o.id), false);
	await check();
});

test('paid and not delivered: all goes back, whoever ends it', async () => {
	for (const [who, event, before] of [[null, 'cancel', []],
		['owner-a', 'reject', []], ['owner-a', 'reject', ['accept']],
		[null, 'cancel', ['accept']]]) {
		const anna = await somebody();
		const { o, payment: id } = await paid(anna);

		for (const one of before)
			await fire(p, 'owner-a', o.id, one);
		await fire(p, who ?? anna.openid, o.id, event,
		    { reason: '今天休息' });
		await until(async () => {
			p.clock.add(1000);
			return (await payment(anna, id)).state === 'refunded';
		}, 'the refund');
		await refunds(anna, id, 409, 'not_enough');
	}
	await check();
});

test('what was delivered goes back only by the station\'s hand', async () => {
	const anna = await somebody();
	const { o, payment: id } = await paid(anna);
	const refund = async (openid, amount_fen) => p.call('POST',
	    `${PAYMENTS}/${id}/refunds`, { as: await p.as(openid), body: {
		items: [{ ...water(o.id), amount_fen }], reason: '水有异味' } });

	// Before the door it is cancelled instead.
	assert.equal((await refund(anna.openid, 1800)).status, 409);
	assert.equal((await refund('owner-a', 1800)).status, 409);
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	await fire(p, 'courier-a', o.id, 'handover', { code: (await see(p,
	    anna.openid, o.id)).handover_code });
	assert.equal((await refund(anna.openid, 1800)).status, 409);
	for (const who of ['owner-b', 'courier-a', 'owner-z'])
		assert.ok([403, 404].includes((await refund(who, 1800)).status),
		    who);
	// Nor who lost the role, though the station lists them.
	const gone = await somebody();
	await p.sql('INSERT INTO org_staff (community_id, org_id, user_id,' +
	    ` duty, since) VALUES (101, ${A}, ${gone.id}, 'clerk', 1)`);
	assert.equal((await refund(gone.openid, 1)).status, 404);
	assert.equal((await refund('owner-a', 1801)).status, 409);
	assert.equal((await refund('owner-a', 800)).status, 201);
	assert.equal((await refund('owner-a', 1001)).status, 409);
	assert.equal((await payment(anna, id)).refunded_fen, 800);
	await check();
});

test('a paid order stays with the station that has the money', async () => {
	const anna = await somebody();
	const { o, payment: id } = await paid(anna);

	await setStock(p, BIG_B, 1000);
	await fireRefused(p, 'owner-a', o.id, 'pass', 409, 'state_conflict',
	    { reason: '忙' });
	await until(async () => {
		p.clock.add(20 * MINUTE);
		return await state(anna, o.id) === 'rejected';
	}, 'the end');
	await paymentReaches(anna, id, 'refunded');
	assert.equal((await see(p, anna.openid, o.id)).station_id, A);
	await check();
});

test('cancelled and paid in the same instant: one of both', async () => {
	for (let round = 0; round < 6; round++) {
		const anna = await somebody();
		const before = await stock(p, BIG);
		const o = await online(anna);
		const { wechat, payment: { id } } = await open(anna,
		    water(o.id));

		const [r] = await Promise.all([p.call('POST',
		    `${ORDERS}/${o.id}/cancel`, { as: anna, body: {} }),
		p.pay.pay(wechat, { force: true })]);
		assert.ok([200, 409].includes(r.status), r.text);
		if (r.status === 409)
			await fire(p, anna.openid, o.id, 'cancel');
		await until(async () => {
			p.clock.add(10000);
			return (await payment(anna, id)).state === 'refunded';
		}, 'the refund');
		assert.equal(await state(anna, o.id), 'cancelled');
		assert.equal(await stock(p, BIG), before);
	}
	await check();
});

/* ---- ticket books ---- */

const offerOf = (more) => ({ product_id: BIG, paid: 10, gift: 2,
	price_fen: 16000, ...more });
const offer = (more) => p.yes(201, 'POST', OFFERS,
    { as: owner, body: offerOf(more) });
const buy = (who, id, more) => p.yes(201, 'POST', BOOKS, { as: who,
	body: { offer_id: id, address_id: who.address, ...more } });
const book = (id) => ({ kind: 'water_book', id });
const tickets = async (who) => {
	const [a] = (await p.yes(200, 'GET', '/api/v1/water/account',
	    { as: who })).items;

	return a ? [a.tickets_real, a.tickets_gift, a.prepaid_fen] : null;
};

async function bought(who, id) {
	const b = await buy(who, id);
	const opened = await open(who, book(b.id));

	await p.pay.pay(opened.wechat);
	await until(async () => (await p.yes(200, 'GET', `${BOOKS}/${b.id}`,
	    { as: who })).state === 'sold', 'the book');
	return { id: b.id, payment: opened.payment.id };
}

test('what a station offers', async () => {
	const anna = await somebody();
	const one = await offer();
	const no = (status, code, body, as = owner) => p.no(status, code,
	    'POST', OFFERS, { as, body });
	const listed = async () => (await p.yes(200, 'GET',
	    `/api/v1/water/book-offers?station_id=${A}`, { as: anna })).items
	    .map((f) => f.id);

	assert.deepEqual([one.station_id, one.paid, one.gift, one.price_fen,
		one.on_sale], [A, 10, 2, 16000, true]);
	assert.ok((await listed()).includes(one.id));
	for (const more of [{ paid: 0 }, { paid: 501 }, { gift: -1 },
		{ price_fen: 0 }, { price_fen: 10000001 }])
		await no(422, 'invalid_field', offerOf(more));
	await no(404, 'not_found', offerOf({ product_id: BIG_B }));
	await no(403, 'forbidden', offerOf(), await p.as('courier-a'));
	await no(404, 'not_found', offerOf(), await p.as('owner-b'));
	await p.no(404, 'not_found', 'PATCH', `${OFFERS}/${one.id}`,
	    { as: await p.as('owner-b'), body: { on_sale: false } });
	const off = await p.yes(200, 'PATCH', `${OFFERS}/${one.id}`,
	    { as: owner, body: { on_sale: false } });
	assert.equal(off.on_sale, false);
	assert.ok(!(await listed()).includes(one.id));
	await p.no(422, 'invalid_field', 'POST', BOOKS, { as: anna,
		body: { offer_id: one.id, address_id: anna.address } });
	assert.ok((await p.yes(200, 'GET', `${OFFERS}?station_id=${A}`,
	    { as: owner })).items.some((f) => f.id === one.id));
});

test('a book is there when its money is, and not before', async () => {
	const [anna, far] = [await somebody(), await somebody(OUTSIDE)];
	const { id: offerId } = await offer();
	const no = (status, code, body, as = anna) => p.no(status, code,
	    'POST', BOOKS, { as, body });

	await no(422, 'invalid_field', { offer_id: '1',
		address_id: anna.address });
	await no(422, 'invalid_field', { offer_id: offerId,
		address_id: far.address });
	await no(422, 'invalid_field', { offer_id: offerId,
		address_id: far.address }, far);
	await no(409, 'conflict', { offer_id: offerId,
		address_id: anna.address, expected_fen: 1 });
	const b = await buy(anna, offerId, { expected_fen: 16000 });
	assert.deepEqual([b.state, b.price_fen, b.can], ['unpaid', 16000,
		['cancel']]);
	assert.equal(await tickets(anna), null);
	await p.no(404, 'not_found', 'GET', `${BOOKS}/${b.id}`,
	    { as: await somebody() });
	await p.no(404, 'not_found', 'GET', `${BOOKS}/${b.id}`, { as: owner });
	const { wechat } = await open(anna, book(b.id));
	await Promise.all([p.pay.pay(wechat, { notices: 'double' })]);
	await until(async () => await tickets(anna) !== null, 'the tickets');
	assert.deepEqual(await tickets(anna), [10, 2, 16000]);
	const { items: [mine] } = await p.yes(200, 'GET',
	    '/api/v1/water/ticket-books', { as: anna });
	assert.deepEqual([mine.id, mine.received], [b.id, 'online']);
	await p.no(409, 'state_conflict', 'POST', `${BOOKS}/${b.id}/cancel`,
	    { as: anna, body: {} });
	await check();

	// One that is not paid ends; a cancelled one is never paid for.
	const late = await buy(anna, offerId);
	p.clock.add(17 * MINUTE);
	await until(async () => (await p.yes(200, 'GET',
	    `${BOOKS}/${late.id}`, { as: anna })).state === 'cancelled',
	'its end');
	await p.no(409, 'state_conflict', 'POST', PAYMENTS, { as: anna,
		body: { things: [book(late.id)] } });
});

test('a book given back: its payer gets what is left', async () => {
	const anna = await somebody();
	const { id: offerId } = await offer({ paid: 3, gift: 1,
		price_fen: 5000 });
	const { id, payment: pid } = await bought(anna, offerId);
	const back = (body = {}, as = anna) => p.call('POST',
	    `${BOOKS}/${id}/refund`, { as, body });
	const o = await place(p, anna, { payment: 'ticket' });

	assert.equal((await back()).status, 409);
	assert.equal((await back({}, await somebody())).status, 404);
	await fire(p, 'owner-a', o.id, 'accept');
	await fire(p, 'courier-a', o.id, 'deliver');
	await fire(p, 'courier-a', o.id, 'handover', { code: (await see(p,
	    anna.openid, o.id)).handover_code });
	// A third of 50.00 is earned, its fraction dropped.
	assert.deepEqual(await tickets(anna), [2, 1, 3334]);
	assert.equal((await back({ expected_fen: 1 })).status, 409);
	const both = await Promise.all([back(), back()]);
	assert.deepEqual(both.map((r) => r.status).sort(), [200, 409]);
	assert.equal(both.find((r) => r.status === 200).json.refund_fen,
	    3334);
	const { number } = await payment(anna, pid);
	await until(async () => {
		p.clock.add(1000);
		return (await p.pay.order(number)).refunded === 3334;
	}, 'the refund at the gateway');
	assert.equal((await payment(anna, pid)).refunded_fen, 3334);
	await check();
});

test('a book sold at the desk is given back there', async () => {
	const anna = await somebody();
	const b = await p.yes(201, 'POST', '/api/v1/station/ticket-books',
	    { as: owner, body: { address_id: anna.address, product_id: BIG,
		paid: 1, gift: 0, price_fen: 1800, received: 'cash' } });

	await p.no(409, 'state_conflict', 'POST', `${BOOKS}/${b.id}/refund`,
	    { as: anna, body: {} });
	await p.no(422, 'invalid_field', 'POST',
	    '/api/v1/station/ticket-books', { as: owner, body: {
		address_id: anna.address, product_id: BIG, paid: 1, gift: 0,
		price_fen: 1, received: 'online' } });
	// An online one at the desk goes back online.
	const { id: offerId } = await offer();
	const { id, payment: pid } = await bought(anna, offerId);
	const r = await p.yes(200, 'POST',
	    `/api/v1/station/ticket-books/${id}/refund`,
	    { as: owner, body: {} });
	assert.equal(r.refund_fen, 16000);
	await until(async () => {
		p.clock.add(1000);
		return (await payment(anna, pid)).state === 'refunded';
	}, 'the refund');
	await check();
});

test('an order and a book in one payment', async (t) => {
	const anna = await somebody();
	const { id: offerId } = await offer();
	const o = await online(anna);
	const b = await buy(anna, offerId);
	const { wechat, payment: { id, total_fen } } = await open(anna,
	    water(o.id), book(b.id));

	t.diagnostic(ENGINE);
	assert.equal(total_fen, 17800);
	await p.pay.pay(wechat, { notices: 'lost' });
	await until(async () => {
		p.clock.add(10000);
		return await state(anna, o.id) === 'placed';
	}, 'the query');
	assert.deepEqual(await tickets(anna), [10, 2, 16000]);
	// One of the two goes back, the other stays.
	await fire(p, anna.openid, o.id, 'cancel');
	await until(async () => (await payment(anna, id)).refunded_fen === 1800,
	    'a part');
	assert.deepEqual(await tickets(anna), [10, 2, 16000]);
	await check();
});
