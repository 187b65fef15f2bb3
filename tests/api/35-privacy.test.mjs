// SPDX-License-Identifier: Apache-2.0
//
// 35-privacy -- who looked, all that is mine, and closing the account.
import assert from 'node:assert/strict';

import { MINUTE, start, test, until } from './harness.mjs';
import { HERE, LOW, THERE } from './lib/fixture.mjs';
import { HOME_WANG, JIANGUO, LAN } from './lib/people.mjs';
import { fire, ORDERS, orderOf, place } from './lib/water.mjs';

const p = await start();
const ME = '/api/v1/me', LOOKS = '/api/v1/me/looks';
const LAN_PHONE = '13900007001';

async function prove(who, phone) {
	return p.yes(200, 'POST', '/api/v1/me/phone', { as: who,
		body: { code: await p.wx.phoneCode(phone) } });
}

async function newcomer(openid, phone) {
	const who = await p.as(openid);

	await p.yes(200, 'PATCH', ME,
	    { as: who, body: { community_id: HERE, name: openid } });
	if (phone)
		await prove(who, phone);
	return who;
}

const lan = await newcomer('lan', LAN_PHONE);
const [home] = (await p.yes(200, 'POST', `${ME}/homes`,
    { as: lan, body: {} })).items;
const looks = async (as, query = '') => (await p.yes(200, 'GET',
    `${LOOKS}${query}`, { as })).items;
const look = async (openid, person, reason) => p.yes(200, 'POST',
    `/api/v1/persons/${person}/clear-look`, { as: await p.as(openid),
	body: { field: 'phone', reason } });

test('who looked at my record, when and why', async () => {
	assert.deepEqual(await looks(lan), []);
	await look('clerk-1', LAN, '通知体检');
	await look('grid-1', LAN, '上门走访');
	await look('clerk-1', JIANGUO, '别人的事');
	const all = await looks(lan);
	assert.deepEqual(all.map((l) => [l.who, l.role_label, l.reason,
		l.person]), [['grid-1', '网格员', '上门走访', '李桂兰'],
		['clerk-1', '社区工作人员', '通知体检', '李桂兰']]);
	assert.match(all[0].what, /完整/);
	assert.doesNotMatch(JSON.stringify(all), /\b1[3-9]\d{9}\b|别人/);
	await p.yes(200, 'GET', `/api/v1/persons/${LAN}`,
	    { as: await p.as('grid-1') });
	assert.match((await looks(lan))[0].what, /查看了住户档案/);
	// Page by page.
	const first = await p.yes(200, 'GET', `${LOOKS}?limit=2`,
	    { as: lan });
	assert.equal(first.items.length, 2);
	assert.deepEqual((await looks(lan,
	    `?limit=2&after=${first.next}`)).map((l) => l.reason),
	    ['通知体检']);
});

test('a list with clear numbers counts as a look at each', async () => {
	const at = p.clock.now();
	const row = (id, clear, made, kind) => p.sql('INSERT INTO export' +
	    ' (community_id, id, state, version, urged, owner_id, org_id,' +
	    ' title, created_at, updated_at, kind, format, clear, reason,' +
	    ` made_at, downloads, claimed_until) VALUES (101, ${id},` +
	    ` 'made', 1, 0, 5306, 0, 'x', ${at}, ${at}, '${kind}', 'csv',` +
	    ` ${clear}, '人口普查${id}', ${made}, 0, 0)`);

	await row(9001, 1, at, 'persons');
	await row(9002, 0, at, 'persons');	// masked
	await row(9003, 1, 'NULL', 'persons');	// never made
	await row(9004, 1, at, 'units');	// only heads
	await row(9005, 1, 1, 'persons');	// before she was in it
	const [one, ...rest] = await looks(lan);
	assert.deepEqual([one.who, one.reason, one.what], ['clerk-1',
		'人口普查9001', '导出了住户资料']);
	assert.equal(rest.length, 3);
	// Her household was on this one, and is not when she joins later.
	await row(9006, 1, at + 1, 'households');
	assert.equal((await looks(lan))[0].reason, '人口普查9006');
	const [{ from_at }] = await p.sql('SELECT from_at FROM member WHERE' +
	    ` person_id = ${LAN}`);
	await p.sql(`UPDATE member SET from_at = ${at + 2}` +
	    ` WHERE person_id = ${LAN}`);
	assert.equal((await looks(lan))[0].reason, '人口普查9001');
	await p.sql(`UPDATE member SET from_at = ${from_at}` +
	    ` WHERE person_id = ${LAN}`);
	await p.sql('DELETE FROM export WHERE id < 9999');
});

test('nobody else reads who looked at her', async () => {
	const other = await newcomer('other');

	assert.deepEqual(await looks(other), []);
	// An application that nobody has approved shows nothing.
	const { items } = await p.yes(200, 'POST', `${ME}/homes`,
	    { as: other, body: { dwelling_id: LOW } });
	assert.equal(items[0].state, 'asked');
	assert.deepEqual(await looks(other), []);
	// Nor does another community.
	await p.yes(200, 'PATCH', ME,
	    { as: lan, body: { community_id: THERE } });
	assert.deepEqual(await looks(lan), []);
	await p.yes(200, 'PATCH', ME,
	    { as: lan, body: { community_id: HERE } });
	assert.equal((await looks(lan)).length, 3);
	await p.no(401, 'no_session', 'GET', LOOKS, {});
});

async function anOrder() {
	const address = await p.yes(201, 'POST', `${ME}/addresses`, {
		as: lan, body: { dwelling_id: LOW, phone: '13800007777',
			contact: '<b>李&"\'桂兰</b>' } });

	return p.yes(201, 'POST', ORDERS, { as: lan, body: orderOf({
		address: address.id }, { note: '</td><script>' }) });
}

const order = await anOrder();

test('all that is mine, for a machine', async () => {
	await p.yes(201, 'POST', `${ME}/helpers`, { as: lan, body: {
		phone: '13811112222', name: '女儿',
		rights: ['water', 'read'] } });
	const r = await p.call('GET', `${ME}/export?format=json`,
	    { as: lan });

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-type'], 'application/json');
	assert.match(r.headers['content-disposition'],
	    /^attachment; filename="my-data\.json"$/);
	const all = r.json;
	assert.equal(all.account[0].phone, LAN_PHONE);
	assert.equal(all.account[0].community, '此处社区');
	assert.deepEqual(all.homes.map((h) => [h.state, h.name]),
	    [['bound', '李桂兰']]);
	assert.deepEqual([all.roster[0].name, all.roster[0].born,
		all.roster[0].phone], ['李桂兰', 19480312, LAN_PHONE]);
	assert.match(all.roster[0].id_mask, /\*{4,}/);
	assert.deepEqual(all.needs.map((n) => n.need),
	    [{ kind: 'alone', note: '儿子在贵阳' }]);
	assert.equal(all.memberships[0].relation, 'head');
	assert.equal(all.addresses[0].phone, '13800007777');
	assert.equal(all.orders[0].id, order.id);
	assert.equal(all.orders[0].phone, '13800007777');
	assert.equal(all.helpers[0].rights, '订水、查看');
	assert.deepEqual([all.water, all.roll_calls], [[], []]);
	assert.equal(all.looks.length, 3);
	assert.ok(all.stays.length >= 3);
	// Of nobody else.
	assert.doesNotMatch(r.text, /王建国|王小明|13900007002|别人的事/);
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE action' +
	    ` = 'GET /api/v1/me/export' AND user_id = ${lan.id}`), '1');
});

test('the same to read, everything escaped', async () => {
	const r = await p.call('GET', `${ME}/export?format=html`,
	    { as: lan });

	assert.equal(r.status, 200);
	assert.equal(r.headers['content-type'], 'text/html; charset=utf-8');
	assert.equal(r.headers['x-content-type-options'], 'nosniff');
	for (const words of ['我的数据', LAN_PHONE, '李桂兰', '独居：儿子在贵阳',
		'18.00 元', '待接单', '订水、查看', '上门走访', '网格员',
		'已绑定', '&lt;b&gt;李&amp;&quot;&#39;桂兰&lt;/b&gt;',
		'&lt;/td&gt;&lt;script&gt;'])
		assert.ok(r.text.includes(words), words);
	assert.doesNotMatch(r.text, /<script|<b>|undefined|null/);
	assert.equal(r.text.match(/<table>/g).length,
	    r.text.match(/<\/table>/g).length);
	for (const query of ['', '?format=pdf', '?format=json&x=1'])
		await p.no(422, 'invalid_field', 'GET',
		    `${ME}/export${query}`, { as: lan });
	await p.no(401, 'no_session', 'GET', `${ME}/export?format=json`, {});
});

test('an export of who has nothing', async () => {
	const who = await newcomer('empty');
	const json = (await p.call('GET', `${ME}/export?format=json`,
	    { as: who })).json;

	assert.equal(json.account[0].phone, null);
	assert.deepEqual([json.homes, json.roster, json.needs, json.orders,
		json.looks], [[], [], [], [], []]);
	assert.match((await p.call('GET', `${ME}/export?format=html`,
	    { as: who })).text, /没有记录/);
});

test('barrels and tickets are settled before an account is closed', async () => {
	const who = await newcomer('barrels');
	const account = (id, owner, household) => p.sql('INSERT INTO' +
	    ' water_account (community_id, id, station_id, dwelling_id,' +
	    ' household_id, user_id, moves, created_at) VALUES (101,' +
	    ` ${id}, 3001, ${LOW}, ${household}, ${owner}, 0, 1)`);
	const heap = (id, owner, kind, unit, balance) => p.sql('INSERT INTO' +
	    ' ledger_account (community_id, id, owner, owner_id, kind,' +
	    ' unit, balance, lines, created_at) VALUES (101,' +
	    ` ${id}, 'water_account', ${owner}, '${kind}', '${unit}',` +
	    ` ${balance}, 0, 1)`);

	await account(9101, who.id, 'NULL');
	await heap(9102, 9101, 'barrels', 'barrel', 0);
	assert.deepEqual((await p.yes(200, 'GET', `${ME}/closing`,
	    { as: who })).todo, []);
	await heap(9103, 9101, 'deposit', 'fen', 3000);
	assert.deepEqual((await p.no(409, 'incomplete', 'DELETE', ME,
	    { as: who })).fields.map((f) => f.field), ['water']);
	assert.deepEqual((await p.call('GET', `${ME}/export?format=json`,
	    { as: who })).json.water, [
		{ station: '甲水站', kind: 'barrels', unit: 'barrel',
			balance: 0 },
		{ station: '甲水站', kind: 'deposit', unit: 'fen',
			balance: 3000 }]);
	// Another's is none of hers.
	assert.deepEqual((await p.yes(200, 'GET', `${ME}/closing`,
	    { as: await p.as('other') })).todo, []);
});

test('what a family shares is left to who stays', async () => {
	const one = await newcomer('family-1', '13900007002');
	const two = await newcomer('family-2');
	const [h] = (await p.yes(200, 'POST', `${ME}/homes`,
	    { as: one, body: {} })).items;

	await p.sql('INSERT INTO water_account (community_id, id,' +
	    ' station_id, dwelling_id, household_id, user_id, moves,' +
	    ` created_at) VALUES (101, 9111, 3001, ${h.dwelling_id},` +
	    ` ${HOME_WANG}, ${one.id}, 0, 1)`);
	await p.sql('INSERT INTO ledger_account (community_id, id, owner,' +
	    ' owner_id, kind, unit, balance, lines, created_at) VALUES' +
	    ' (101, 9112, \'water_account\', 9111, \'deposit\', \'fen\',' +
	    ' 3000, 0, 1)');
	await p.no(409, 'incomplete', 'DELETE', ME, { as: one });
	const [asked] = (await p.yes(200, 'POST', `${ME}/homes`,
	    { as: two, body: { dwelling_id: h.dwelling_id } })).items;
	await p.yes(200, 'POST', `/api/v1/homes/${asked.id}/approve`, {
		as: await p.as('clerk-1'),
		body: { household_id: HOME_WANG } });
	await p.yes(200, 'DELETE', ME, { as: one });
	await p.no(409, 'incomplete', 'DELETE', ME, { as: two });
});

test('what must be finished before an account is closed', async () => {
	const before = await p.yes(200, 'GET', `${ME}/closing`,
	    { as: lan });

	assert.deepEqual(before.todo.map((t) => [t.what, t.count]),
	    [['orders', 1]]);
	const no = await p.no(409, 'incomplete', 'DELETE', ME,
	    { as: lan });
	assert.deepEqual(no.fields.map((f) => f.field), ['orders']);
	// Nothing of it happened.
	assert.equal((await p.yes(200, 'GET', `${ME}/homes/${home.id}`,
	    { as: lan })).state, 'bound');
	for (const openid of ['head-1', 'owner-a', 'clerk-1']) {
		const busy = await p.no(409, 'incomplete', 'DELETE', ME,
		    { as: await p.as(openid) });
		assert.ok(busy.fields.some((f) => f.field === 'offices'));
	}
});

test('closing empties what says who it was, and keeps what it must', async () => {
	const helper = await p.as('helper');
	await prove(helper, '13811112222');
	const [grant] = (await p.yes(200, 'GET', `${ME}/helpers`,
	    { as: helper })).items;

	await fire(p, 'lan', order.id, 'cancel');
	const second = await p.as('lan', { fresh: true });
	const done = await p.yes(200, 'DELETE', ME, { as: lan });
	assert.deepEqual(done.todo, []);
	assert.ok(done.stays.some((s) => /审计/.test(s.what) &&
	    /六个月/.test(s.until)));
	assert.ok(done.stays.some((s) => /订单/.test(s.what)));
	for (const as of [lan, second])
		await p.no(401, 'no_session', 'GET', ME, { as });
	const [row] = await p.sql('SELECT openid, unionid, name, phone,' +
	    ' phone_index, password, closed_at FROM app_user WHERE id =' +
	    ` ${lan.id}`);
	assert.deepEqual({ ...row, closed_at: !!row.closed_at }, {
		openid: null, unionid: null, name: '', phone: null,
		phone_index: null, password: null, closed_at: true });
	assert.deepEqual(await p.sql('SELECT state, name FROM home WHERE' +
	    ` owner_id = ${lan.id}`), [{ state: 'ended', name: '' }]);
	assert.deepEqual(await p.sql('SELECT contact, label FROM address' +
	    ` WHERE user_id = ${lan.id} AND removed_at IS NOT NULL`),
	    [{ contact: '', label: '' }]);
	assert.equal(await p.value('SELECT COUNT(*) FROM user_role WHERE' +
	    ` user_id = ${lan.id}`), '0');
	// The order, its steps and the audit stay.
	assert.equal(await p.value('SELECT state FROM water_order WHERE id' +
	    ` = ${order.id}`), 'cancelled');
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE action' +
	    ` = 'DELETE /api/v1/me' AND user_id = ${lan.id}`), '1');
	// So does what the community knows of her.
	assert.equal(await p.value('SELECT name FROM person WHERE id =' +
	    ` ${LAN}`), '李桂兰');
	await p.no(403, 'forbidden', 'GET', ORDERS, { as: helper,
		headers: { 'acting-for': grant.id } });
});

test('and the same person may begin anew', async () => {
	const again = await p.as('lan', { fresh: true });

	assert.notEqual(again.id, lan.id);
	assert.equal(again.user.community_id, null);
	await p.yes(200, 'PATCH', ME,
	    { as: again, body: { community_id: HERE } });
	await prove(again, LAN_PHONE);
	const [bound] = (await p.yes(200, 'POST', `${ME}/homes`,
	    { as: again, body: {} })).items;
	assert.equal(bound.state, 'bound');
	assert.deepEqual((await p.yes(200, 'GET', ORDERS,
	    { as: again })).items, []);
});

test('who helped and closes is forgotten by number and name', async () => {
	const carl = await p.resident(7), dora = await newcomer('dora');

	await prove(dora, '13866660001');
	await p.yes(201, 'POST', `${ME}/helpers`, { as: carl, body: {
		phone: '13866660001', name: '朵拉', rights: ['pay'] } });
	await p.yes(200, 'DELETE', ME, { as: dora });
	const [grant] = (await p.yes(200, 'GET', `${ME}/helpers`,
	    { as: carl })).items;
	assert.deepEqual([grant.state, grant.phone, grant.name],
	    ['revoked', '', '已注销']);
});

test('an order at the moment of closing is not brought to nobody', async () => {
	for (let i = 20; i < 26; i++) {
		const who = await p.resident(i);
		const [a, b] = await Promise.all([
			p.call('POST', ORDERS,
			    { as: who, body: orderOf(who) }),
			p.call('DELETE', ME, { as: who })]);
		const both = `${a.status} ${b.status}`;

		// Ordered first and not closed; or closed, and nothing ordered.
		assert.match(both, p.kind === 'sqlite' ?
		    /^(201 409|(401|404|403|409|422) 200)$/ :
		    /^(201 (409|200)|(401|404|403|409|422) 200)$/);
	}
	const who = await p.resident(30);
	const open = await place(p, who);
	await p.sql('UPDATE app_user SET closed_at = ' +
	    `${p.clock.now()} WHERE id = ${who.id}`);
	p.clock.add(11 * MINUTE);
	await until(async () => await p.value('SELECT COUNT(*) FROM' +
	    ' water_order w JOIN app_user u ON u.id = w.owner_id WHERE' +
	    ' u.closed_at IS NOT NULL AND w.state = \'placed\'') === '0',
	    'orders of closed accounts are cancelled');
	assert.equal(await p.value('SELECT state FROM water_order WHERE' +
	    ` id = ${open.id}`), 'cancelled');
});
