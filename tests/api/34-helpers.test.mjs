// SPDX-License-Identifier: Apache-2.0
//
// 34-helpers -- somebody acts for somebody else, as far as a grant goes.
import assert from 'node:assert/strict';

import { DAY, HOUR, start, test, until } from './harness.mjs';
import { HERE, LOW, THERE } from './lib/fixture.mjs';
import { JIANGUO, JING, LAN, MIN } from './lib/people.mjs';
import { fire, ORDERS, orderOf, place, timeline } from './lib/water.mjs';

const p = await start();
const HELPERS = '/api/v1/me/helpers';
const mother = await p.resident(1), daughter = await p.as('daughter');
const stranger = await p.resident(2);
const PHONE = '13800001234';
let numbers = 0;

async function prove(who, phone) {
	return p.yes(200, 'POST', '/api/v1/me/phone', { as: who,
		body: { code: await p.wx.phoneCode(phone) } });
}

// Given long ago, as far as the number a day goes.
async function give(as, body = {}) {
	const grant = await p.yes(201, 'POST', HELPERS, { as, body: {
		phone: `1380000${String(5000 + numbers++)}`, name: '女儿',
		rights: ['water'], ...body } });

	await p.sql(`UPDATE helper SET created_at = created_at - ${DAY}` +
	    ` WHERE id = ${grant.id}`);
	return grant;
}

const list = async (as) => (await p.yes(200, 'GET', HELPERS,
    { as })).items;
const acting = (as, grant, more = {}) => ({ as, ...more,
	headers: { 'acting-for': grant.id ?? grant, ...more.headers } });

// A grant that the daughter holds, from the mother; ended afterwards.
async function granted(rights, fn, body = {}) {
	const phone = `1370000${String(1000 + numbers++)}`;

	await prove(daughter, phone);
	const grant = await give(mother, { phone, rights, ...body });
	try {
		return await fn(grant);
	} finally {
		await p.call('DELETE', `${HELPERS}/${grant.id}`,
		    { as: mother });
	}
}

test('a grant waits for its number, then both sides see it', async () => {
	const grant = await give(mother, { phone: PHONE,
		rights: ['water', 'read', 'water'] });

	assert.deepEqual([grant.state, grant.direction, grant.phone,
		grant.rights, grant.ground, grant.to_at], ['waiting', 'given',
		'138****1234', ['water', 'read'], 'self', null]);
	assert.deepEqual(await list(daughter), []);
	// The daughter lives elsewhere and has chosen no community.
	await prove(daughter, PHONE);
	const [got] = await list(daughter);
	assert.deepEqual([got.id, got.state, got.direction, got.community],
	    [grant.id, 'active', 'received', '此处社区']);
	// Not whether the number has an account: only that it was used.
	assert.equal((await list(mother))[0].state, 'waiting');
	assert.doesNotMatch(JSON.stringify(got), new RegExp(PHONE));
	assert.doesNotMatch(await p.value('SELECT phone FROM helper'),
	    /138\d{8}/);
	await p.no(409, 'conflict', 'POST', HELPERS, { as: mother, body: {
		phone: PHONE, name: '女儿', rights: ['pay'] } });
});

test('a daughter orders for her mother', async () => {
	const [grant] = await list(daughter);
	const as = acting(daughter, grant);
	const { items: [address] } = await p.yes(200, 'GET',
	    '/api/v1/me/addresses', as);
	assert.equal(address.id, mother.address);
	const { items } = await p.yes(200, 'GET',
	    `/api/v1/water/stations?address_id=${address.id}`, as);
	assert.ok(items.length > 0);
	const order = await p.yes(201, 'POST', ORDERS,
	    { ...as, body: orderOf(mother) });
	assert.deepEqual(order.can, ['cancel']);
	// It is the mother's order.
	assert.equal((await p.yes(200, 'GET', `${ORDERS}/${order.id}`,
	    { as: mother })).id, order.id);
	await p.no(403, 'no_community', 'GET', `${ORDERS}/${order.id}`,
	    { as: daughter });
	const [step] = await timeline(p, mother.openid, order.id);
	assert.deepEqual([step.event, step.actor, step.actor_label],
	    ['place', 'helper', '家人代办']);
	assert.equal(await p.value('SELECT actor_id FROM flow_event' +
	    ` WHERE thing_id = ${order.id}`), daughter.id);
	const audit = (await p.sql('SELECT user_id, actor, for_id FROM audit' +
	    ` WHERE thing_id = ${order.id}`))[0];
	assert.deepEqual(audit, { user_id: daughter.id, actor: 'helper',
		for_id: mother.id });
	assert.notEqual((await list(mother))[0].used_at, null);
	// Both are told: the mother that it was done, both how it goes on.
	await fire(p, 'owner-a', order.id, 'accept');
	const told = await p.sql('SELECT user_id FROM outbox WHERE page' +
	    ` LIKE '%${order.id}' AND user_id IN (${mother.id},` +
	    ` ${daughter.id}) ORDER BY id`);
	assert.deepEqual(told.map((row) => row.user_id).sort(),
	    [mother.id, mother.id, daughter.id].sort());
	const done = await p.yes(200, 'POST',
	    `${ORDERS}/${order.id}/cancel`, { ...as, body: {} });
	assert.equal(done.state, 'cancelled');
	await p.yes(201, 'POST', `${ORDERS}/again`, { ...as, body: {} });
});

test('what is not in the grant', async () => {
	await granted(['read'], async (grant) => {
		const as = acting(daughter, grant);
		const body = orderOf(mother);

		await p.yes(200, 'GET', ORDERS, as);
		await p.yes(200, 'GET', '/api/v1/me/homes', as);
		const no = await p.no(403, 'forbidden', 'POST', ORDERS,
		    { ...as, body });
		assert.match(no.detail, /授权不包含/);
	});
	await granted(['water'], async (grant) => {
		const as = acting(daughter, grant);

		await p.no(403, 'forbidden', 'GET', '/api/v1/me/homes', as);
		for (const [method, where, body] of [
			['GET', '/api/v1/me'], ['GET', HELPERS],
			['DELETE', '/api/v1/me'],
			['PATCH', '/api/v1/me', { name: '我' }],
			['GET', '/api/v1/me/export?format=json'],
			['POST', HELPERS, { phone: '13811110000',
				name: '同伙', rights: ['pay'] }],
			['POST', '/api/v1/me/addresses', { dwelling_id: LOW,
				contact: '我' }],
			['DELETE', `${HELPERS}/${grant.id}`]]) {
			const no = await p.no(403, 'forbidden', method, where,
			    { ...as, body });
			assert.match(no.detail, /不能由他人代办/);
		}
	});
});

test('a grant of somebody else is absent', async () => {
	await granted(['water', 'read', 'pay', 'report'], async (grant) => {
		for (const who of [stranger, mother, await p.as('owner-a')])
			await p.no(404, 'not_found', 'GET', ORDERS,
			    acting(who, grant));
		for (const id of ['1', '0', 'x', '-1', '9'.repeat(30)])
			await p.no(404, 'not_found', 'GET', ORDERS,
			    acting(daughter, id));
		await p.no(404, 'not_found', 'DELETE',
		    `${HELPERS}/${grant.id}`, { as: stranger });
		await p.no(401, 'no_session', 'GET', ORDERS,
		    { headers: { 'acting-for': grant.id } });
	});
});

test('a helper of a helper has nothing of the first', async () => {
	const friend = await p.as('friend');

	await granted(['water', 'read'], async (grant) => {
		await p.yes(200, 'PATCH', '/api/v1/me', { as: daughter,
			body: { community_id: THERE } });
		await prove(friend, '13822220001');
		const next = await give(daughter, { phone: '13822220001',
			rights: ['water', 'read'] });
		assert.deepEqual((await p.yes(200, 'GET', ORDERS,
		    acting(friend, next))).items, []);
		await p.no(404, 'not_found', 'GET', ORDERS,
		    acting(friend, grant));
		await p.no(404, 'not_found', 'GET',
		    `${ORDERS}/${(await place(p, mother)).id}`,
		    acting(friend, next));
	});
});

test('acting brings no role of the helper along', async () => {
	const owner = await p.as('owner-a');

	await prove(owner, '13822220002');
	const grant = await give(stranger, { phone: '13822220002',
		rights: ['water', 'read'] });
	const order = await place(p, mother);
	await p.yes(200, 'GET', `${ORDERS}/${order.id}`, { as: owner });
	await p.no(404, 'not_found', 'GET', `${ORDERS}/${order.id}`,
	    acting(owner, grant));
	await p.no(404, 'not_found', 'POST', `${ORDERS}/${order.id}/accept`,
	    acting(owner, grant, { body: {} }));
});

test('after the end of it: taken back, given up, run out', async () => {
	const tries = async (grant) => {
		for (const [method, where, body] of [['GET', ORDERS],
			['POST', ORDERS, orderOf(mother)]]) {
			const no = await p.no(403, 'forbidden', method, where,
			    acting(daughter, grant, { body }));
			assert.match(no.detail, /已经结束/);
		}
	};
	await granted(['water'], async (grant) => {
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
		await p.yes(204, 'DELETE', `${HELPERS}/${grant.id}`,
		    { as: mother });
		await tries(grant);
		await p.no(404, 'not_found', 'DELETE',
		    `${HELPERS}/${grant.id}`, { as: mother });
		assert.equal((await list(daughter))[0].state, 'revoked');
	});
	await granted(['water'], async (grant) => {
		await p.yes(204, 'DELETE', `${HELPERS}/${grant.id}`,
		    { as: daughter });
		await tries(grant);
	});
	await granted(['water'], async (grant) => {
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
		p.clock.add(DAY + HOUR);
		await tries(grant);
		assert.equal((await list(mother)).find((g) =>
		    g.id === grant.id).state, 'expired');
		p.clock.add(-DAY - HOUR);
	}, { until: new Date(p.clock.now() + DAY).toISOString() });
});

test('one key, two elders: no reply of the one for the other', async () => {
	await prove(daughter, '13822220009');
	const one = await give(mother, { phone: '13822220009' });
	const two = await give(stranger, { phone: '13822220009' });
	const headers = { 'idempotency-key': 'same-key' };
	const send = (grant, elder) => p.call('POST', ORDERS,
	    acting(daughter, grant, { headers, body: orderOf(elder) }));
	const first = await send(one, mother);
	const again = await send(one, mother);

	assert.equal(first.status, 201);
	assert.equal(again.json.id, first.json.id);
	assert.equal(again.headers['idempotency-replayed'], 'true');
	assert.equal((await send(two, mother)).status, 422);
	// The mother's own request by the same key is another one.
	const own = await p.yes(201, 'POST', ORDERS, { as: mother, headers,
		body: orderOf(mother) });
	assert.notEqual(own.id, first.json.id);
	// No replay for whom it was taken from.
	await p.yes(204, 'DELETE', `${HELPERS}/${one.id}`, { as: mother });
	assert.equal((await send(one, mother)).status, 403);
	await p.yes(204, 'DELETE', `${HELPERS}/${two.id}`, { as: stranger });
});

test('taken back while the helper orders: before, or not at all', async () => {
	for (let round = 0; round < 8; round++) {
		const phone = `1360000${String(2000 + round)}`;
		await prove(daughter, phone);
		const grant = await give(mother, { phone });
		const calls = Array.from({ length: 4 }, () => p.call('POST',
		    ORDERS, acting(daughter, grant,
			{ body: orderOf(mother) })));
		const end = p.call('DELETE', `${HELPERS}/${grant.id}`,
		    { as: mother });
		const all = await Promise.all([...calls, end]);

		assert.equal(all.at(-1).status, 204);
		for (const r of all.slice(0, -1))
			assert.match(String(r.status), /^(201|403)$/, r.text);
		// The audit is in the order of the commits.
		const seq = (text) => p.value('SELECT COALESCE(MAX(seq), 0)' +
		    ` FROM audit WHERE community_id = 101 AND ${text}`);
		assert.ok(Number(await seq(`user_id = ${daughter.id}` +
		    ' AND action = \'POST /api/v1/water/orders\'')) <
		    Number(await seq(`thing_id = ${grant.id} AND action =` +
		    ' \'DELETE /api/v1/me/helpers/{id}\'')));
		await p.no(403, 'forbidden', 'POST', ORDERS,
		    acting(daughter, grant, { body: orderOf(mother) }));
	}
});

test('faults of the form', async () => {
	const faults = async (body) => (await p.no(422, 'invalid_field',
	    'POST', HELPERS, { as: mother, body })).fields.map((f) =>
	    `${f.field} ${f.code}`);
	const sound = { phone: '13800009999', name: '女儿',
		rights: ['water'] };

	assert.deepEqual(await faults({}), ['phone required',
		'name required', 'rights required']);
	for (const [rights, code] of [[[], 'too_short'], ['water', 'type'],
		[['vote'], 'not_listed'], [[1], 'not_listed'],
		[[null], 'not_listed'], [null, 'null']])
		assert.deepEqual(await faults({ ...sound, rights }),
		    [`rights ${code}`], JSON.stringify(rights));
	assert.deepEqual(await faults({ ...sound, phone: '1380000999' }),
	    ['phone format']);
	assert.deepEqual(await faults({ ...sound,
		until: new Date(p.clock.now() - 1000).toISOString() }),
	    ['until past']);
	await prove(mother, '13800008888');
	assert.deepEqual(await faults({ ...sound, phone: '13800008888' }),
	    ['phone own']);
});

test('ten current helpers at most', async () => {
	const carl = await p.resident(3);
	const all = await Promise.all(Array.from({ length: 12 }, (_, i) =>
	    p.call('POST', HELPERS, { as: carl, body: { name: '邻居',
		rights: ['read'], phone: `1350000${3000 + i}` } })));

	assert.deepEqual(all.map((r) => r.status).sort(),
	    [...Array(10).fill(201), 409, 409]);
	const [one] = await list(carl);
	await p.yes(204, 'DELETE', `${HELPERS}/${one.id}`, { as: carl });
	await give(carl);
});

test('at the desk, for an elder without a phone', async () => {
	const clerk = await p.as('clerk-1');
	const where = `/api/v1/persons/${LAN}/helpers`;
	const body = { phone: '13833330001', name: '女儿',
		rights: ['water', 'read'], note: '本人与女儿在场' };

	await p.no(422, 'invalid_field', 'POST', where, { as: clerk,
		body: { ...body, note: undefined } });
	for (const [openid, status] of [['grid-1', 403], ['head-1', 403],
		['admin-z', 404], ['owner-a', 403]])
		await p.no(status, status === 404 ? 'not_found' : 'forbidden',
		    'POST', where, { as: await p.as(openid), body });
	for (const id of [JING, '1'])
		await p.no(404, 'not_found', 'POST',
		    `/api/v1/persons/${id}/helpers`, { as: clerk, body });
	const { items: [grant] } = await p.yes(200, 'POST', where,
	    { as: clerk, body });
	assert.deepEqual([grant.ground, grant.note, grant.elder,
		grant.state], ['desk', body.note, '李桂兰', 'waiting']);
	const helper = await p.as('lan-daughter');
	await prove(helper, '13833330001');
	const as = acting(helper, grant);
	const { items: [home] } = await p.yes(200, 'GET',
	    '/api/v1/me/homes', as);
	assert.deepEqual([home.state, home.via, home.dwelling_id],
	    ['bound', 'desk', LOW]);
	const { items: [address] } = await p.yes(200, 'GET',
	    '/api/v1/me/addresses', as);
	await p.yes(201, 'POST', ORDERS,
	    { ...as, body: orderOf({ address: address.id }) });
	// A second helper for the same elder makes no second account.
	const { items } = await p.yes(200, 'POST', where, { as: clerk,
		body: { ...body, phone: '13833330002', name: '儿子' } });
	assert.equal(items.length, 2);
	assert.equal(await p.value('SELECT COUNT(*) FROM app_user WHERE' +
	    ' account LIKE \'elder-%\''), '1');
	// Nobody logs in as the elder.
	await p.no(401, 'bad_credentials', 'POST', '/api/v1/sessions/staff',
	    { body: { account: await p.value('SELECT account FROM app_user' +
		' WHERE account LIKE \'elder-%\''), password: 'x' } });
	// Ended at the desk.
	await p.no(404, 'not_found', 'DELETE',
	    `/api/v1/persons/${JIANGUO}/helpers/${grant.id}`, { as: clerk });
	await p.yes(204, 'DELETE', `${where}/${grant.id}`, { as: clerk });
	await p.no(403, 'forbidden', 'GET', ORDERS, as);
	assert.equal((await p.yes(200, 'GET', where, { as: clerk })).items
	    .find((g) => g.id === grant.id).state, 'revoked');
	assert.deepEqual((await p.yes(200, 'GET',
	    `/api/v1/persons/${JIANGUO}/helpers`, { as: clerk })).items, []);
});

test('who was helped at the desk gets a phone, and takes over', async () => {
	const where = `/api/v1/persons/${MIN}/helpers`;
	const helper = await p.as('min-son');
	const min = await p.as('min');

	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: min, body: { community_id: HERE } });
	await prove(helper, '13844440001');
	const { items: [grant] } = await p.yes(200, 'POST', where, {
		as: await p.as('clerk-1'), body: { phone: '13844440001',
			name: '儿子', rights: ['water', 'read'],
			note: '本人在场' } });
	await prove(min, '13900007004');
	const { items: [home] } = await p.yes(200, 'POST',
	    '/api/v1/me/homes', { as: min, body: {} });
	assert.deepEqual([home.state, home.via], ['bound', 'phone']);
	assert.deepEqual((await list(min)).map((g) => [g.id, g.state]),
	    [[grant.id, 'waiting']]);
	assert.deepEqual(await p.sql('SELECT state, via FROM home WHERE' +
	    ` person_id = ${MIN} ORDER BY id`), [
		{ state: 'ended', via: 'desk' },
		{ state: 'bound', via: 'phone' }]);
	// The son goes on, now for her own account.
	assert.deepEqual((await p.yes(200, 'GET', '/api/v1/me/homes',
	    acting(helper, grant))).items.map((h) => h.id), [home.id]);
	assert.equal((await p.yes(200, 'GET', '/api/v1/me/addresses',
	    acting(helper, grant))).items.length, 1);
});

test('two desks at once make one account', async () => {
	const body = { phone: '13833330003', name: '女儿',
		rights: ['water'], note: '本人在场' };
	const all = await Promise.all([0, 1, 2].map(async (i) => p.call(
	    'POST', `/api/v1/persons/${JIANGUO}/helpers`, {
		as: await p.as('clerk-1'),
		body: { ...body, phone: `1383333000${4 + i}` } })));

	for (const r of all)
		assert.match(String(r.status), /^(200|409)$/, r.text);
	assert.ok(all.some((r) => r.status === 200));
	assert.equal(await p.value('SELECT COUNT(*) FROM home WHERE' +
	    ` person_id = ${JIANGUO} AND state = 'bound'`), '1');
	assert.equal(HERE, '101');
});

test('reading leaves a trace, once a day', async () => {
	await granted(['read'], async (grant) => {
		const used = async () => (await list(mother)).find((g) =>
		    g.id === grant.id);

		assert.deepEqual([(await used()).used_at,
			(await used()).state], [null, 'waiting']);
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
		const first = await used();
		assert.notEqual(first.used_at, null);
		assert.equal(first.state, 'active');
		p.clock.add(HOUR);
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
		assert.equal((await used()).used_at, first.used_at);
		p.clock.add(DAY);
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
		assert.notEqual((await used()).used_at, first.used_at);
		p.clock.add(-DAY - HOUR);
	});
});

test('a number with an account looks like one without', async () => {
	const who = await p.resident(8);
	const known = await p.as('known-number');

	await prove(known, '13855550001');
	const one = await give(who, { phone: '13855550001' });
	const two = await give(who, { phone: '13855550002' });
	assert.deepEqual([one.state, two.state], ['waiting', 'waiting']);
	assert.equal((await list(known))[0].state, 'active');
});

test('twenty new grants a day', async () => {
	const who = await p.resident(9);
	const more = (status, i) => p.call('POST', HELPERS, { as: who,
		body: { phone: `138666600${10 + i}`, name: '女儿',
			rights: ['water'] } }).then((r) => {
		assert.equal(r.status, status, r.text);
		return r.json;
	});

	for (let i = 0; i < 20; i++)
		await p.yes(204, 'DELETE',
		    `${HELPERS}/${(await more(201, i)).id}`, { as: who });
	assert.equal((await more(429, 20)).code, 'rate_limited');
	await p.sql(`UPDATE helper SET created_at = created_at - ${DAY}` +
	    ` WHERE elder_id = ${who.id}`);
	await more(201, 21);
});

test('no clerk makes themselves a helper; the elder is told', async () => {
	const clerk = await p.as('clerk-1'), min = await p.as('min');
	const where = `/api/v1/persons/${MIN}/helpers`;
	const body = { phone: '13877770001', name: '侄女',
		rights: ['water', 'pay'], note: '本人在场' };
	const told = () => p.value('SELECT COUNT(*) FROM outbox WHERE' +
	    ` user_id = ${min.id} AND page = 'pages/me/helpers'`);
	const before = Number(await told());

	await prove(clerk, body.phone);
	const no = await p.no(422, 'invalid_field', 'POST', where,
	    { as: clerk, body });
	assert.deepEqual(no.fields.map((f) => `${f.field} ${f.code}`),
	    ['phone own']);
	assert.equal(Number(await told()), before);
	await p.yes(200, 'POST', where, { as: clerk,
		body: { ...body, phone: '13877770002' } });
	assert.equal(Number(await told()), before + 1);
});

test('a grant that missed its number finds it', async () => {
	await granted(['read'], async (grant) => {
		await p.sql('UPDATE helper SET helper_id = NULL WHERE id = ' +
		    grant.id);
		await p.no(404, 'not_found', 'GET', ORDERS,
		    acting(daughter, grant));
		// Later than the clock has ever been.
		p.clock.add(DAY + 2 * HOUR);
		await until(async () => await p.value('SELECT helper_id FROM' +
		    ` helper WHERE id = ${grant.id}`) === daughter.id,
		    'the grant is claimed');
		await p.yes(200, 'GET', ORDERS, acting(daughter, grant));
	});
});
