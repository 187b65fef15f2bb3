// SPDX-License-Identifier: Apache-2.0
//
// 13-roles -- every route by every role and from a foreign community; who
// may is read from the API description, so that a new route is tested too.
import assert from 'node:assert/strict';

import { start, test } from './harness.mjs';
import { form } from './lib/bill.mjs';
import { A, ABROAD, BIG, BIG_Z, HERE, K1, LOW, ROLES, THERE, Z }
    from './lib/fixture.mjs';
import { HOME_JING, HOME_WANG, JING, LAN, NEED_JING, NEED_LAN, seal }
    from './lib/people.mjs';
import { hire } from './lib/staff.mjs';
import { fire, ORDERS, orderOf, place } from './lib/water.mjs';

const p = await start({ jobs: false });
const anna = await p.resident(1);
const order = await place(p, anna);
await fire(p, 'owner-a', order.id, 'accept');
// A ticket book, so that there is a water account.
async function bookOf(seller, address, product, station) {
	const as = await p.as(seller);
	const book = await p.yes(201, 'POST', '/api/v1/station/ticket-books',
	    { as, body: { address_id: address, product_id: product, paid: 1,
		gift: 0, price_fen: 1, received: 'cash' } });

	return { book: book.id, account: book.account_id, station };
}
// A book that a station offers, and one that `who` is buying.
async function offered(seller, product, who) {
	const offer = (await p.yes(201, 'POST',
	    '/api/v1/station/book-offers', { as: await p.as(seller),
		body: { product_id: product, paid: 1, gift: 0,
			price_fen: 1 } })).id;

	return { offer, buying: (await p.yes(201, 'POST',
	    '/api/v1/water/books', { as: who, body: { offer_id: offer,
		address_id: who.address } })).id };
}
// What WeChat is told of a payment of `who`.
async function shipped(who, community, id) {
	await p.sql('INSERT INTO payment (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at, number,' +
	    ' things, total_fen, refunded_fen, expires_at, asked,' +
	    ` claimed_until) VALUES (${community}, ${id}, 'closed', 1, 0,` +
	    ` ${who.id}, 0, 'x', 1, 1, 'P${id}', '[]', 1, 0, 1, 0, 0)`);
	await p.sql('INSERT INTO shipping (community_id, payment_id,' +
	    ' logistics, item_desc, state, upload_time, uploads, corrections,' +
	    ` tries, created_at) VALUES (${community}, ${id}, 3, 'x', 'done',` +
	    ' 1, 1, 0, 1, 1)');
	return id;
}
// Money that came twice, of a payment of `who`.
async function doubtful(who, community, id) {
	await p.sql('INSERT INTO payment (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at, number,' +
	    ' things, total_fen, refunded_fen, expires_at, asked,' +
	    ` claimed_until) VALUES (${community}, ${id}, 'closed', 1, 0,` +
	    ` ${who.id}, 0, 'x', 1, 1, 'P${id}', '[]', 1, 0, 1, 0, 0)`);
	await p.sql('INSERT INTO money_doubt (community_id, id, state,' +
	    ' version, urged, owner_id, org_id, title, created_at,' +
	    ' updated_at, why, payment_id, number, transaction_id,' +
	    ` amount_fen, paid_at, promised_at) VALUES (${community}, ${id}1,` +
	    ` 'open', 1, 0, ${who.id}, 0, 'x', 1, 1, 'unknown', ${id},` +
	    ` 'P${id}', 'T${id}', 1, 1, 1)`);
	return { payment: id, doubt: `${id}1` };
}
// A payee, and a bill of it that `who` doubts and staff would let go.
async function billed(who, community, dwelling, id) {
	const things = `(community_id, id, state, version, urged, owner_id,` +
	    ' org_id, title, created_at, updated_at, bill_id, reason,';
	const head = `(${community}, ${id}, 'asked', 1, 0, ${who.id}, ${id},` +
	    ` 'x', 1, 1, ${id}, 'x',`;

	for (const text of [
		'org (community_id, id, kind, name, phone, place, created_at)' +
		` VALUES (${community}, ${id}, 'payee', 'x', '1', '', 1)`,
		`payee VALUES (${community}, ${id}, 255, 5, 100, '', '', 1)`,
		`bill_batch VALUES (${community}, ${id}, ${id}, 'x', '', 1,` +
		" 'applied', 1, 1, 0, 0, 100, 0, 1, 1, 1, NULL)",
		'bill (community_id, id, payee_id, account_no, dwelling_id,' +
		' holder_mask, kind, period, due_on, due_day, state,' +
		' billed_fen, principal_fen, late_rate, late_cap,' +
		' late_waived_fen, paid_fen, late_paid_fen, refunded_fen,' +
		' batch_id, reminded_day, created_at, updated_at) VALUES' +
		` (${community}, ${id}, ${id}, 'X1', ${dwelling}, '', 'water',` +
		" '2026-10', '2026-10-31', 20757, 'disputed', 100, 100, 5," +
		` 100, 0, 0, 0, 0, ${id}, 0, 1, 1)`,
		'bill_line (community_id, bill_id, seq, what, billed_fen,' +
		' amount_fen, dispute_id, disputed_day, frozen_days, paying)' +
		` VALUES (${community}, ${id}, 1, 'x', 100, 100, ${id}, 20757,` +
		' 0, 0)',
		`bill_dispute ${things} seq, was_fen) VALUES ${head} 1, 100)`,
		`bill_waiver ${things} what) VALUES ${head} 'late')`])
		await p.sql(`INSERT INTO ${text}`);
	return { bill: id };
}
const operations = p.contract.operations();

// A home asked for, and a helper, of `who`.
async function homely(who, dwelling_id) {
	const { items } = await p.yes(200, 'POST', '/api/v1/me/homes',
	    { as: who, body: { dwelling_id } });
	const helper = await p.yes(201, 'POST', '/api/v1/me/helpers',
	    { as: who, body: { phone: '13912340001', name: '女儿',
		rights: ['water'] } });

	return { home: items[0].id, helper: helper.id };
}
// New borders, not in force.
async function borderOf(admin, dwelling, to_id) {
	return (await p.yes(201, 'POST', '/api/v1/borders', {
		as: await p.as(admin), body: { title: 'x', moves: [
			{ kind: 'dwelling', id: dwelling, to_id }] } })).id;
}

// A file that waits to be checked.
const FORM = ['kind"\r\n\r\ngrids', 'file"; filename="x.csv"\r\n\r\na,b'];
const upload = { raw: FORM.map((part) => '--x\r\n' +
    `content-disposition: form-data; name="${part}\r\n`).join('') +
    '--x--\r\n', headers: {
	'content-type': 'multipart/form-data; boundary=x' } };
// A question to one unit.
async function roll(caller, scope_id) {
	return (await p.yes(201, 'POST', '/api/v1/roll-calls', {
		as: await p.as(caller), body: asking(scope_id) })).id;
}
const asking = (scope_id) => ({ question: '都好吗？', scope: 'unit', scope_id,
	closes_at: new Date(p.clock.now() + 3600_000).toISOString() });
const STAFF_HERE = (await hire(p, 'staff.here')).id;
const STAFF_THERE = (await hire(p, 'staff.there', {}, 'admin-z')).id;

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

// A clear list that somebody of the office asked for.
const exportOf = async (openid) => (await p.yes(201, 'POST',
    '/api/v1/exports', { as: await p.as(openid), body: { kind: 'persons',
	format: 'csv', clear: true, reason: '核对名单' } })).id;

// A file that waits to be checked.
async function imported(community, id) {
	await p.sql('INSERT INTO import (community_id, id, kind, name, sha256,' +
	    ' bytes, state, partial, rows, added, changed, same, faults,' +
	    ' counts, kept, by_id, claim, claimed_until, created_at) VALUES' +
	    ` (${community}, ${id}, 'roster', 'x.csv', '', 1, 'uploaded', 0,` +
	    " 0, 0, 0, 0, 0, '[]', 1, 1, 0, 0, 1)");
	return id;
}

// Something to be put right.
async function correctionOf(community, id, person) {
	const [{ sealed }] = await seal(p, [['correction', '张三']]);

	await p.sql('INSERT INTO correction (community_id, id, state, version,' +
	    ' urged, owner_id, org_id, title, created_at, updated_at,' +
	    ` person_id, field, value) VALUES (${community}, ${id}, 'asked',` +
	    ` 1, 0, ${anna.id}, 0, 'x', 1, 1, ${person}, 'name', '${sealed}')`);
	return id;
}

const here = { address: anna.address, order: order.id,
	export: await exportOf('role-admin'),
	...await bookOf('owner-a', anna.address, BIG, A),
	...await offered('owner-a', BIG, anna),
	shipping: await shipped(anna, HERE, '8821'),
	...await billed(anna, HERE, LOW, '8841'),
	...await doubtful(anna, HERE, '8831'),
	product: BIG, parent: K1, dwelling: LOW, person: LAN,
	...await homely(anna, LOW),
	household: HOME_WANG, need: NEED_LAN, staff: STAFF_HERE,
	grid: '6001', grid2: '6002', post: '6502',
	border: await borderOf('role-admin', LOW, '6102'),
	unit: '6101', roll: await roll('head-1', '6101'),
	import: await imported(HERE, '8801'),
	correction: await correctionOf(HERE, '8811', LAN) };

const YESTERDAY = new Date(p.clock.now() - 16 * 3600_000).toISOString()
    .slice(0, 10);

// The request that would do it, on the things of `world`.
function sample({ method, path }, world) {
	const ids = [[/\/addresses\/\{id\}/, world.address],
		[/\/orders\/\{id\}/, world.order],
		[/\/station\/\{id\}/, world.station],
		[/\/products\/\{id\}/, world.product],
		[/\/staff\/\{id\}/, world.staff],
		[/\/roll-calls\/\{id\}/, world.roll],
		[/\/dwellings\/\{(dwelling_)?id\}/, world.dwelling],
		[/\/grids\/\{id\}/, world.grid],
		[/\/units\/\{id\}/, world.unit],
		[/\/posts\/\{id\}/, world.post],
		[/\/borders\/\{id\}/, world.border],
		[/\/exports\/\{id\}/, world.export],
		[/\/imports\/\{id\}/, world.import],
		[/\/corrections\/\{id\}/, world.correction],
		[/\/me\/sessions\/\{id\}/, '1'],
		[/\/accounts\/\{id\}/, world.account],
		[/\/ticket-books\/\{id\}/, world.book],
		[/\/water\/books\/\{id\}/, world.buying],
		[/\/book-offers\/\{id\}/, world.offer],
		[/\/shippings\/\{id\}/, world.shipping],
		[/\/payments\/\{id\}/, world.payment],
		[/\/money-in-doubt\/\{id\}/, world.doubt],
		[/\/differences\/\{id\}/, '1'],
		[/\{date\}/, YESTERDAY],
		[/\/settlements\/\{payee_id\}/, world.station],
		[/\/receipts\/\{id\}/, '1'],
		[/\/(bills|payees|bill-\w+)\/\{id\}/, world.bill],
		[/\/homes\/\{id\}/, world.home],
		[/\/helpers\/\{(helper_)?id\}/, world.helper],
		[/\/persons\/\{id\}/, world.person],
		[/\/households\/\{id\}/, world.household],
		[/\/needs\/\{id\}/, world.need]];
	const queries = {
		'/api/v1/territory': `?parent=${world.parent}`,
		'/api/v1/water/stations': `?address_id=${world.address}`,
		'/api/v1/water/products': `?station_id=${world.station}`,
		'/api/v1/station/accounts': `?station_id=${world.station}`,
		'/api/v1/water/ledger': `?account_id=${world.account}`,
		'/api/v1/water/book-offers': `?station_id=${world.station}`,
		'/api/v1/station/book-offers': `?station_id=${world.station}`,
		'/api/v1/shippings': '?state=done',
		'/api/v1/bill-batches': `?payee_id=${world.bill}`,
		'/api/v1/bill-disputes': `?payee_id=${world.bill}`,
		'/api/v1/station/people': `?station_id=${world.station}`,
		'/api/v1/station/products': `?station_id=${world.station}`,
		'/api/v1/persons': `?dwelling_id=${world.dwelling}`,
		'/api/v1/households': `?dwelling_id=${world.dwelling}`,
	};
	const said = { source: 'visit', ground: 'duty' };
	const later = new Date(p.clock.now() + 864e5).toISOString();
	const bodies = {
		'POST /api/v1/grids': { code: '1', name: 'x' },
		'PATCH /api/v1/grids/{id}': { name: 'x' },
		'POST /api/v1/units': { grid_id: world.grid, code: 'x',
			name: 'x' },
		'PATCH /api/v1/units/{id}': { name: 'x' },
		'POST /api/v1/units/{id}/dwellings': {
			dwellings: [{ id: world.dwelling }] },
		'POST /api/v1/posts': { role: 'grid', scope: 'grid',
			scope_id: world.grid, phone: '13912340004',
			name: 'x' },
		'PATCH /api/v1/posts/{id}': { name: 'x' },
		'POST /api/v1/posts/{id}/deputies': { user_id: anna.id,
			name: 'x', from: new Date(p.clock.now())
				.toISOString(), to: later },
		'PUT /api/v1/posts/{id}/duty-times': { times: [] },
		'POST /api/v1/borders': { title: 'x', moves: [{ id: world.unit,
			kind: 'unit', to_id: world.grid2 }] },
		'POST /api/v1/borders/{id}/apply': { on: later.slice(0, 10) },
		'PATCH /api/v1/me': {},
		'POST /api/v1/me/password': { old: 'x', new: 'y' },
		'POST /api/v1/me/totp/confirm': { code: '123456' },
		'POST /api/v1/me/totp/off': { code: '123456' },
		'POST /api/v1/staff': { account: 'a.b.c', name: 'x' },
		'PATCH /api/v1/staff/{id}': { name: 'x' },
		'PUT /api/v1/staff/{id}/roles': { admin: false,
			clerk: false },
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
		'POST /api/v1/station/ticket-books': { paid: 1, gift: 0,
			address_id: world.address, product_id: world.product,
			price_fen: 1, received: 'cash' },
		'POST /api/v1/station/book-offers': { paid: 1, gift: 0,
			product_id: world.product, price_fen: 1 },
		'PATCH /api/v1/station/book-offers/{id}': { on_sale: true },
		'POST /api/v1/payments': { things: [{ kind: 'water_order',
			id: world.order }] },
		'POST /api/v1/payments/{id}/refunds': { reason: '退款' },
		'POST /api/v1/money-in-doubt/{id}/refund': { reason: '退回' },
		'POST /api/v1/money-in-doubt/{id}/rebook': { reason: '入账' },
		'POST /api/v1/reconciliations/{date}/differences/{id}/explain': {
			note: '已经核对' },
		['POST /api/v1/platform/reconciliations/{date}/differences/' +
		    '{id}/explain']: { note: '已经核对' },
		'POST /api/v1/settlements/{payee_id}/paid-out': {
			amount_fen: 1, reference: 'BANK-1' },
		'POST /api/v1/payments/{id}/invoice-title': { title: '某公司' },
		'POST /api/v1/water/books': { offer_id: world.offer,
			address_id: world.address },
		'POST /api/v1/payees': { name: '某单位', phone: '12345',
			kinds: ['water'], owner_id: anna.id },
		'PATCH /api/v1/payees/{id}': { late_rate: 1 },
		'PUT /api/v1/payees/{id}/accounts': { account_no: 'X1',
			dwelling_id: world.dwelling },
		'POST /api/v1/bills/lookup': { account_no: 'X9',
			holder: '张三' },
		'POST /api/v1/bills/{id}/dispute': { reason: '不对' },
		'POST /api/v1/bills/{id}/waivers': { what: 'late',
			reason: '困难' },
		'POST /api/v1/station/returns': { account_id: world.account,
			barrels: 1 },
		'POST /api/v1/exports': { kind: 'units', format: 'csv' },
		'POST /api/v1/persons': { name: '赵一', ...said,
			household_id: world.household, relation: 'other' },
		'POST /api/v1/persons/search': { phone: '13900007001' },
		'PATCH /api/v1/persons/{id}': { ...said, phone: null },
		'POST /api/v1/persons/{id}/clear-look': { field: 'phone',
			reason: '上门前联系' },
		'POST /api/v1/persons/{id}/needs': { ...said,
			kind: 'chronic' },
		'POST /api/v1/me/homes': { dwelling_id: world.dwelling },
		'PATCH /api/v1/me/homes/{id}': { payer: true },
		'POST /api/v1/me/helpers': { phone: '13912340002',
			name: '儿子', rights: ['read'] },
		'POST /api/v1/persons/{id}/helpers': { phone: '13912340003',
			name: '女儿', rights: ['water'], note: '本人在场' },
		'POST /api/v1/me/corrections': { home_id: world.home,
			field: 'name', value: '张三' },
		'POST /api/v1/roll-calls': asking(world.unit),
		'POST /api/v1/roll-calls/{id}/answers': { choice: 'ok',
			household_id: world.household, note: '在家' },
		'POST /api/v1/households': { ...said, tenancy: 'owned',
			dwelling_id: world.dwelling, number: '9' },
		'PATCH /api/v1/households/{id}': { ...said,
			tenancy: 'owned' },
		'POST /api/v1/households/{id}/members': {
			person_id: world.person, relation: 'other' },
	};
	let where = path;

	for (const [one, id] of ids)
		where = where.replace(one, (text) =>
		    text.replace(/\{\w+\}/, id));
	where = where.replace('{event}', path.startsWith('/api/v1/homes') ?
	    'approve' : path.startsWith('/api/v1/bill-') ? 'withdraw' :
	    'deliver').replace('{code}', 'none')
	    .replace('{person_id}', world.person);
	assert.ok(!where.includes('{'), `a sample for ${path} is missing`);
	if (`${method} ${path}` === 'POST /api/v1/imports')
		return [method, path, upload];
	if (`${method} ${path}` === 'POST /api/v1/bill-batches')
		return [method, path, form(world.bill, 'x\n')];
	return [method, where + (method === 'GET' ? queries[path] ?? '' : ''),
		method === 'GET' || method === 'DELETE' ? {} :
		    { body: bodies[`${method} ${path}`] ?? {} }];
}

const guarded = operations.filter((o) => !['anyone', 'loopback'].includes(
    o['x-roles'][0]));
// What would end the session, or the account.
const ends = (o) => o.path.startsWith('/api/v1/sessions') ||
    (o.method === 'DELETE' && o.path === '/api/v1/me');

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
		'GET /api/v1/communities', 'GET /api/v1/wechat/push',
		'GET /healthz',
		'POST /api/v1/sessions', 'POST /api/v1/sessions/scans',
		'POST /api/v1/sessions/scans/{code}/claim',
		'POST /api/v1/sessions/staff',
		'POST /api/v1/wechat/pay/notices',
		'POST /api/v1/wechat/pay/refund-notices',
		'POST /api/v1/wechat/push']);
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
		'water_product', 'water_account', 'water_book',
		'ledger_entry', 'ledger_line', 'flow_event', 'home',
		'helper', 'org_staff', 'person', 'household', 'member', 'need', 'export',
		'import', 'roll_call',
		'roll_home', 'grid', 'unit', 'unit_grid', 'unit_dwelling',
		'post', 'border', 'duty_time'])
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

	const unit = await p.yes(201, 'POST', '/api/v1/units', {
		as: await p.as('admin-z'), body: { grid_id: '6301',
			code: '9', name: 'x' } });
	await fire(p, 'owner-z', o.id, 'accept');
	await foreign(await everyone('all-here', HERE), {
		address: zoe.address, order: o.id,
		export: await exportOf('admin-z'),
		...await bookOf('owner-z', zoe.address, BIG_Z, Z),
		...await offered('owner-z', BIG_Z, zoe),
		shipping: await shipped(zoe, THERE, '8822'),
		...await billed(zoe, THERE, ABROAD, '8842'),
		...await doubtful(zoe, THERE, '8832'),
		product: BIG_Z, parent: '2000', dwelling: ABROAD, person: JING,
		...await homely(zoe, ABROAD),
		household: HOME_JING, need: NEED_JING, staff: STAFF_THERE,
		grid: '6301', grid2: '6301', post: '6505',
		border: await borderOf('admin-z', ABROAD, unit.id),
		unit: '6401', roll: await roll('grid-z', '6401'),
		import: await imported(THERE, '8802'),
		correction: await correctionOf(THERE, '8812', JING) });
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
