// SPDX-License-Identifier: Apache-2.0
//
// 13-roles -- every route by every role and from a foreign community; who
// may is read from the API description, so that a new route is tested too.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { A, ABROAD, BIG, BIG_Z, HERE, K1, LOW, ROLES, THERE, Z }
    from './lib/fixture.mjs';
import { fire, ORDERS, orderOf, place } from './lib/water.mjs';

const p = await start({ jobs: false });
const anna = await p.resident(1);
const order = await place(p, anna);
await fire(p, 'owner-a', order.id, 'accept');
const operations = p.contract.operations();

// A person with every role in both communities, now in one of them.
async function everyone(openid, community) {
	const who = await p.as(openid);

	for (const id of [HERE, THERE])
		for (const role of ROLES.slice(0, -1))
			await p.sql('INSERT INTO user_role VALUES' +
			    ` (${id}, ${who.id}, '${role}', 1)`);
	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: who, body: { community_id: community } });
	return p.as(openid, { fresh: true });
}

const here = { address: anna.address, order: order.id, station: A,
	product: BIG, parent: K1, dwelling: LOW };

// The request that would do it, on the things of `world`.
function sample({ method, path }, world) {
	const ids = [[/\/addresses\/\{id\}/, world.address],
		[/\/orders\/\{id\}/, world.order],
		[/\/station\/\{id\}/, world.station],
		[/\/products\/\{id\}/, world.product]];
	const queries = {
		'/api/v1/territory': `?parent=${world.parent}`,
		'/api/v1/water/stations': `?address_id=${world.address}`,
		'/api/v1/water/products': `?station_id=${world.station}`,
		'/api/v1/station/people': `?station_id=${world.station}`,
		'/api/v1/station/products': `?station_id=${world.station}`,
	};
	const bodies = {
		'PATCH /api/v1/me': {},
		'POST /api/v1/me/phone': { code: 'none' },
		'POST /api/v1/me/notices': { template: 'order_todo' },
		'POST /api/v1/me/addresses': { dwelling_id: world.dwelling,
			contact: '张三', phone: '13912345678' },
		'PATCH /api/v1/me/addresses/{id}': { contact: '李四' },
		[`POST ${ORDERS}`]: { ...orderOf({ address: world.address }),
			station_id: world.station,
			items: [{ product_id: world.product, quantity: 1 }] },
		'PATCH /api/v1/station/{id}': { accept_minutes: 16 },
		'POST /api/v1/station/products': { station_id: world.station,
			brand: 'x', name: 'x', millilitres: 500,
			price_fen: 1, stock: 1, on_sale: true },
		'PATCH /api/v1/station/products/{id}': { price_fen: 1 },
		'POST /api/v1/station/products/{id}/stock': { change: 1 },
	};
	let where = path;

	for (const [one, id] of ids)
		where = where.replace(one, (text) =>
		    text.replace('{id}', id));
	where = where.replace('{event}', 'deliver');
	assert.ok(!where.includes('{'), `a sample for ${path} is missing`);
	return [method, where + (method === 'GET' ? queries[path] ?? '' : ''),
		method === 'GET' || method === 'DELETE' ? {} :
		    { body: bodies[`${method} ${path}`] ?? {} }];
}

const guarded = operations.filter((o) => !['anyone', 'loopback'].includes(
    o['x-roles'][0]));
const ends = (o) => o.path.startsWith('/api/v1/sessions');

test('the description names who may, for every route', () => {
	const words = new Set([...ROLES, 'anyone', 'loopback', 'logged_in']);

	assert.ok(operations.length >= 36);
	for (const o of operations) {
		assert.ok(o['x-roles'].length > 0, o.path);
		for (const role of o['x-roles'])
			assert.ok(words.has(role), `${o.path} ${role}`);
		assert.match(o['x-pool'], /^(api|slow)$/);
	}
	assert.deepEqual(operations.filter((o) => o['x-roles'][0] ===
	    'anyone').map((o) => `${o.method} ${o.path}`).sort(), [
		'GET /api/v1/communities', 'GET /healthz',
		'POST /api/v1/sessions', 'POST /api/v1/sessions/staff']);
});

test('without a session every guarded route is 401', async () => {
	for (const o of guarded)
		await p.no(401, 'no_session', ...sample(o, here));
});

test('whoever asks is judged before what they ask', async () => {
	for (const o of guarded.filter((one) => one.requestBody))
		await p.no(401, 'no_session', o.method, sample(o, here)[1],
		    { raw: '{{{', headers: { 'content-type': 'text/x' } });
});

test('without a community every route of a role is 403', async () => {
	const lost = await p.as('lost');

	for (const o of guarded.filter((one) => !ends(one)))
		if (o['x-roles'][0] === 'logged_in') {
			const [method, where, more] = sample(o, here);
			const r = await p.call(method, where,
			    { ...more, as: lost });
			assert.ok(![401, 403].includes(r.status), o.path);
		} else {
			const [method, where, more] = sample(o, here);
			await p.no(403, 'no_community', method, where,
			    { ...more, as: lost });
		}
});

for (const role of ROLES)
	test(`${role}: what is theirs opens, all else is 403`, async () => {
		const who = await p.as(`role-${role}`);
		let yes = 0, no = 0;

		for (const o of guarded.filter((one) => !ends(one))) {
			const may = o['x-roles'];
			const open = may[0] === 'logged_in' ||
			    may.includes(role) || (role === 'platform' &&
			    may.includes('admin'));
			const [method, where, more] = sample(o, here);
			if (!open) {
				await p.no(403, 'forbidden', method, where,
				    { ...more, as: who });
				no++;
				continue;
			}
			const r = await p.call(method, where,
			    { ...more, as: who });
			// Watchers may read an order, and not move it.
			const watch = o.path.endsWith('{event}') &&
			    ['admin', 'clerk', 'platform'].includes(role);
			assert.ok(r.status < 500 && r.status !== 401 &&
			    (r.status !== 403 || watch),
			    `${method} ${where}: ${r.text}`);
			yes++;
		}
		assert.ok(yes >= 6 && no >= 4, `${yes} and ${no}`);
	});

// Nothing of another community may be read, named, or touched.
async function foreign(who, world) {
	const before = await snapshot();

	for (const o of guarded.filter((one) => !ends(one))) {
		const [method, where, more] = sample(o, world);
		const names = Object.values(world).some((id) =>
		    where.includes(id) ||
		    JSON.stringify(more).includes(`"${id}"`));
		if (!names)
			continue;
		const r = await p.call(method, where, { ...more, as: who });
		if (r.status === 200)
			assert.deepEqual(r.json, { items: [], next: null },
			    `${method} ${where}`);
		else
			assert.match(String(r.status), /^4(04|22)$/,
			    `${method} ${where}: ${r.text}`);
	}
	assert.deepEqual(await snapshot(), before);
}

const snapshot = async () => {
	const all = {};

	for (const table of ['address', 'water_order', 'water_station',
		'water_product', 'flow_event', 'org_staff'])
		all[table] = await p.sql(`SELECT * FROM ${table}` +
		    ' ORDER BY 1, 2, 3');
	return all;
};

test('things of here, asked for by somebody of there', async () =>
    foreign(await everyone('all-there', THERE), here));

test('things of there, asked for by somebody of here', async () => {
	const zoe = await p.resident(2, { community: THERE,
		dwelling: ABROAD });
	const o = await place(p, zoe, { station_id: Z, items: [[BIG_Z, 1]] });

	await fire(p, 'owner-z', o.id, 'accept');
	await foreign(await everyone('all-here', HERE), {
		address: zoe.address, order: o.id, station: Z,
		product: BIG_Z, parent: '2000', dwelling: ABROAD });
});

test('a role of there counts for nothing here', async () => {
	const who = await p.as('admin-z');

	await p.yes(200, 'GET', '/api/v1/water/urged-orders', { as: who });
	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: who, body: { community_id: HERE } });
	await p.no(403, 'forbidden', 'GET', '/api/v1/water/urged-orders',
	    { as: who });
	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: who, body: { community_id: THERE } });
	await p.yes(200, 'GET', '/api/v1/water/urged-orders', { as: who });
});

test('a platform role counts everywhere', async () => {
	const who = await p.as('role-platform');

	for (const community_id of [THERE, HERE]) {
		await p.yes(200, 'PATCH', '/api/v1/me',
		    { as: who, body: { community_id } });
		await p.yes(200, 'GET', '/api/v1/water/urged-orders',
		    { as: who });
	}
	await p.yes(200, 'GET', `${ORDERS}/${order.id}`, { as: who });
});
