// SPDX-License-Identifier: Apache-2.0
//
// water.mjs -- an order of water, as the tests place and move it.
import { A, BIG } from './fixture.mjs';

export const ORDERS = '/api/v1/water/orders';

// The body of an order; `items` as [product, quantity] pairs.
export function orderOf(who, { items = [[BIG, 1]], ...more } = {}) {
	return { station_id: A, address_id: who.address,
		items: items.map(([product_id, quantity]) =>
		    ({ product_id, quantity })),
		payment: 'on_delivery', ...more };
}

export function place(p, who, more) {
	return p.yes(201, 'POST', ORDERS,
	    { as: who, body: orderOf(who, more) });
}

export function placeRefused(p, who, status, code, more) {
	return p.no(status, code, 'POST', ORDERS,
	    { as: who, body: orderOf(who, more) });
}

// Send an event; what the order is then.
export async function fire(p, openid, id, event, body = {}) {
	return p.yes(200, 'POST', `${ORDERS}/${id}/${event}`,
	    { as: await p.as(openid), body });
}

export async function fireRefused(p, openid, id, event, status, code,
    body = {}) {
	return p.no(status, code, 'POST', `${ORDERS}/${id}/${event}`,
	    { as: await p.as(openid), body });
}

export async function see(p, openid, id) {
	return p.yes(200, 'GET', `${ORDERS}/${id}`,
	    { as: await p.as(openid) });
}

export async function timeline(p, openid, id) {
	return (await p.yes(200, 'GET', `${ORDERS}/${id}/timeline`,
	    { as: await p.as(openid) })).items;
}

// An order of `who` on its way to the door with courier-a.
export async function delivering(p, who, more) {
	const { id } = await place(p, who, more);

	await fire(p, 'owner-a', id, 'accept');
	await fire(p, 'courier-a', id, 'deliver');
	return see(p, who.openid, id);
}

export async function stock(p, product) {
	return Number(await p.value('SELECT stock FROM water_product' +
	    ` WHERE id = ${product}`));
}

export function setStock(p, product, n) {
	return p.sql(`UPDATE water_product SET stock = ${n}` +
	    ` WHERE id = ${product}`);
}
