// SPDX-License-Identifier: Apache-2.0
//
// 64-shipping -- WeChat is told what was delivered, so that it frees the
// station's money: once, corrected once, and not at all where it does not
// ask for it.
import assert from 'node:assert/strict';

import { DAY, HOUR, MINUTE, start, test, until } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { fire, place, see } from './lib/water.mjs';

const p = await start();
const owner = await p.as('owner-a');
const admin = await p.as('role-admin');
const SHIPPINGS = '/api/v1/shippings';
const offer = await p.yes(201, 'POST', '/api/v1/station/book-offers',
    { as: owner, body: { product_id: BIG, paid: 3, gift: 0,
	price_fen: 5000 } });

let next = 400;
const somebody = () => p.resident(++next);
const listed = async (state) => (await p.yes(200, 'GET',
    `${SHIPPINGS}?state=${state}&limit=100`, { as: admin })).items;
const told = (id) => until(async () => {
	p.clock.add(11000);
	return (await listed('done')).find((s) => s.payment_id === id);
}, `shipping of ${id}`);
// What the stand-in was told of a payment.
const known = async (number) => (await p.pay.order(number)).ship;
const again = (id, body, as = admin) => p.call('POST',
    `${SHIPPINGS}/${id}/again`, { as, body });

async function order(who) {
	return (await place(p, who, { payment: 'online' })).id;
}

async function book(who) {
	return (await p.yes(201, 'POST', '/api/v1/water/books', { as: who,
		body: { offer_id: offer.id, address_id: who.address } })).id;
}

// Pay for orders and books: { id, number } of the payment.
async function pay(who, { orders = [], books = [] }) {
	const { payment, wechat } = await p.yes(201, 'POST',
	    '/api/v1/payments', { as: who, body: { things: [
		...orders.map((id) => ({ kind: 'water_order', id })),
		...books.map((id) => ({ kind: 'water_book', id }))] } });

	await p.pay.pay(wechat);
	return until(async () => {
		const now = await p.yes(200, 'GET',
		    `/api/v1/payments/${payment.id}`, { as: who });
		return now.state === 'paid' && now;
	}, 'the payment');
}

async function deliver(who, id) {
	await fire(p, 'owner-a', id, 'accept');
	await fire(p, 'courier-a', id, 'deliver');
	return fire(p, 'courier-a', id, 'handover',
	    { code: (await see(p, who.openid, id)).handover_code });
}

// Long enough for the task to have looked again.
async function looked() {
	const ran = () => p.value("SELECT ran_at FROM task_run" +
	    " WHERE name = 'shipping'");
	const before = await ran();

	await until(async () => {
		p.clock.add(11000);
		return await ran() !== before;
	}, 'the task');
}

test('water is told of at the handover, as same-city', async () => {
	const anna = await somebody();
	const id = await order(anna);
	const paid = await pay(anna, { orders: [id] });

	await looked();
	assert.equal(await known(paid.number), undefined);
	await deliver(anna, id);
	const row = await told(paid.id);
	assert.deepEqual([row.logistics, row.uploads, row.corrections,
		row.number, row.errcode], [2, 1, 0, paid.number, null]);
	assert.match(row.item_desc, /山泉/);
	const ship = await known(paid.number);
	assert.deepEqual([ship.given.logistics_type, ship.given.delivery_mode,
		ship.count], [2, 1, 1]);
	assert.match(ship.given.shipping_list[0].item_desc, /山泉/);

	// A person corrects it once, and the time that is said grows.
	assert.equal((await again(paid.id, { item_desc: '桶装水' })).status,
	    200);
	await until(async () => {
		p.clock.add(11000);
		return (await known(paid.number)).count === 2;
	}, 'the correction');
	assert.ok((await known(paid.number)).at > ship.at);
	await told(paid.id);
	assert.equal((await again(paid.id, { item_desc: '水' })).status, 409);
	await p.no(403, 'forbidden', 'POST', `${SHIPPINGS}/${paid.id}/again`,
	    { as: owner, body: {} });
	await p.no(404, 'not_found', 'POST', `${SHIPPINGS}/${paid.id}/again`,
	    { as: await p.as('admin-z'), body: {} });
});

test('paid at the door: nothing to tell', async () => {
	const anna = await somebody();
	const { id } = await place(p, anna);
	const before = await p.value('SELECT COUNT(*) FROM shipping');

	await deliver(anna, id);
	await looked();
	assert.equal(await p.value('SELECT COUNT(*) FROM shipping'), before);
});

test('what needs no door is told of at once', async () => {
	const anna = await somebody();
	const paid = await pay(anna, { books: [await book(anna)] });
	const row = await told(paid.id);

	assert.equal(row.logistics, 3);
	assert.equal((await known(paid.number)).given.logistics_type, 3);
});

test('a book and water together wait for the door', async () => {
	const anna = await somebody();
	const id = await order(anna);
	const paid = await pay(anna, { orders: [id],
		books: [await book(anna)] });

	await looked();
	await looked();
	assert.equal(await known(paid.number), undefined);
	await deliver(anna, id);
	assert.equal((await told(paid.id)).logistics, 2);
	assert.deepEqual([(await known(paid.number)).count,
		(await known(paid.number)).given.logistics_type], [1, 2]);
});

test('the water of the two is cancelled: the book alone is told',
    async () => {
	const anna = await somebody();
	const id = await order(anna);
	const paid = await pay(anna, { orders: [id],
		books: [await book(anna)] });

	await looked();
	await fire(p, anna.openid, id, 'cancel');
	p.clock.add(11 * MINUTE);
	assert.equal((await told(paid.id)).logistics, 3);
});

test('WeChat busy, or not there: told later; refused: a person looks',
    async () => {
	const anna = await somebody();
	const [one, two] = [await order(anna), await order(anna)];
	const later = await pay(anna, { orders: [one] });
	const bad = await pay(anna, { orders: [two] });

	await p.wx.fault('shipping', 'errcode',
	    { errcode: 10060001, times: 2 });
	await deliver(anna, one);
	await until(async () => {
		p.clock.add(MINUTE);
		return (await listed('done')).some((s) =>
		    s.payment_id === later.id);
	}, 'the end of it');
	assert.ok(Number(await p.value('SELECT tries FROM shipping' +
	    ` WHERE payment_id = ${later.id}`)) >= 3);

	await p.wx.fault('shipping', 'errcode',
	    { errcode: 10060031, times: 1 });
	await deliver(anna, two);
	const row = await until(async () => {
		p.clock.add(11000);
		return (await listed('faulty')).find((s) =>
		    s.payment_id === bad.id);
	}, 'the refusal');
	assert.deepEqual([row.errcode, row.uploads], [10060031, 0]);
	assert.equal((await again(bad.id, {})).status, 200);
	assert.equal((await told(bad.id)).corrections, 0);
});

test('where the platform does not ask, nothing is told', async () => {
	await p.pay.set({ trade_managed: false });
	p.clock.add(DAY + HOUR);
	const anna = await somebody();
	const paid = await pay(anna, { books: [await book(anna)] });

	await until(async () => {
		p.clock.add(11000);
		return (await listed('unneeded')).some((s) =>
		    s.payment_id === paid.id);
	}, 'the row');
	assert.equal(await known(paid.number), undefined);
	await p.pay.set({ trade_managed: true });
});
