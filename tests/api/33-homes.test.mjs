// SPDX-License-Identifier: Apache-2.0
//
// 33-homes -- binding a home: by number at once, else somebody looks.
import assert from 'node:assert/strict';

import { DAY, HOUR, MINUTE, start, test, until } from './harness.mjs';
import { ABROAD, HERE, K1, LIFT, LOW, OUTSIDE, STAIRS, THERE }
    from './lib/fixture.mjs';
import { HOME_LAN, HOME_MIN, HOME_WANG, JIANGUO, LAN, MIN }
    from './lib/people.mjs';

const p = await start();
const MINE = '/api/v1/me/homes', CASES = '/api/v1/homes';
let made = 0;

// Somebody of here without an address; with a proved number when given.
async function newcomer(phone, community = HERE) {
	const who = await p.as(`newcomer-${++made}`);

	await p.yes(200, 'PATCH', '/api/v1/me', { as: who,
		body: { name: `来人${made}`, community_id: community } });
	if (phone)
		await prove(who, phone);
	return who;
}

async function prove(who, phone) {
	return p.yes(200, 'POST', '/api/v1/me/phone', { as: who,
		body: { code: await p.wx.phoneCode(phone) } });
}

const bind = async (as, body = {}) => (await p.yes(200, 'POST', MINE,
    { as, body })).items;
const ask = async (as, dwelling_id, body = {}) => (await bind(as,
    { dwelling_id, ...body })).find((h) => h.dwelling_id === dwelling_id);
const mine = async (as) => (await p.yes(200, 'GET', MINE, { as })).items;
const cases = async (as, query = '?state=asked') => (await p.yes(200, 'GET',
    `${CASES}${query}`, { as })).items;
const decide = async (openid, id, event, body = {}) => p.yes(200, 'POST',
    `${CASES}/${id}/${event}`, { as: await p.as(openid), body });
const refused = async (status, code, openid, id, event, body = {}) =>
    p.no(status, code, 'POST', `${CASES}/${id}/${event}`,
	{ as: await p.as(openid), body });

test('a number that the roster has binds at once', async () => {
	const lan = await newcomer('13900007001');
	const [home, ...rest] = await bind(lan);

	assert.deepEqual(rest, []);
	assert.equal(home.state, 'bound');
	assert.equal(home.via, 'phone');
	assert.equal(home.dwelling_id, LOW);
	assert.equal(home.name, '李桂兰');
	assert.equal(home.relation, 'head');
	assert.deepEqual(home.can, ['leave']);
	assert.deepEqual(await mine(lan), [home]);
	const row = (await p.sql('SELECT person_id, household_id, via' +
	    ` FROM home WHERE id = ${home.id}`))[0];
	assert.deepEqual(row, { person_id: LAN, household_id: HOME_LAN,
		via: 'phone' });
	// Asked again: clearly said, nothing doubled.
	await p.no(409, 'incomplete', 'POST', MINE, { as: lan, body: {} });
	await p.no(409, 'conflict', 'POST', MINE,
	    { as: lan, body: { dwelling_id: LOW } });
	assert.equal((await mine(lan)).length, 1);
});

test('nobody is told who else lives there', async () => {
	const wang = await newcomer('13900007002');
	const text = JSON.stringify(await bind(wang,
	    { dwelling_id: STAIRS }));

	assert.match(text, /王建国/);
	assert.doesNotMatch(text, /王小明|person_id|household_id|"phone":/);
});

test('a number of another community matches nothing here', async () => {
	const jing = await newcomer('13900007101');

	await p.no(409, 'incomplete', 'POST', MINE, { as: jing, body: {} });
	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: jing, body: { community_id: THERE } });
	assert.equal((await bind(jing))[0].dwelling_id, ABROAD);
});

test('without a number, or a dwelling, there is nothing to bind', async () => {
	const who = await newcomer();

	const one = await p.no(409, 'incomplete', 'POST', MINE,
	    { as: who, body: {} });
	assert.match(one.detail, /手机号/);
	await prove(who, '13911110000');
	const two = await p.no(409, 'incomplete', 'POST', MINE,
	    { as: who, body: {} });
	assert.match(two.detail, /选择房屋/);
	for (const id of ['999', ABROAD, K1])
		await p.no(422, 'invalid_field', 'POST', MINE,
		    { as: who, body: { dwelling_id: id } });
	await p.no(422, 'invalid_field', 'POST', MINE, { as: who,
		body: { dwelling_id: LIFT, relation: 'boss', tenancy: 'x',
			name: 'x'.repeat(21) } });
});

test('another claims a number\'s home: somebody looks first', async () => {
	const second = await newcomer('13900007001');
	const home = await ask(second, LOW);

	assert.equal(home.state, 'asked');
	await refused(409, 'conflict', 'head-1', home.id, 'approve',
	    { person_id: LAN });
	await p.yes(204, 'DELETE', `${MINE}/${home.id}`, { as: second });
});

test('asked for, seen by those who answer for it, approved', async () => {
	const who = await newcomer();
	const home = await ask(who, LIFT, { name: '赵六', relation: 'tenant',
		tenancy: 'rented' });

	assert.equal(home.state, 'asked');
	assert.equal(home.via, 'asked');
	assert.deepEqual(home.can, ['match', 'withdraw']);
	assert.equal(home.name, '赵六');
	for (const [openid, sees] of [['head-2', true], ['grid-1', true],
		['clerk-1', true], ['role-admin', true], ['head-1', false],
		['grid-2', false], ['grid-z', false], ['role-head', false],
		['role-grid', false]]) {
		const as = await p.as(openid);
		assert.equal((await cases(as)).some((c) => c.id === home.id),
		    sees, openid);
		if (sees)
			continue;
		await p.no(404, 'not_found', 'GET', `${CASES}/${home.id}`,
		    { as });
		await p.no(404, 'not_found', 'GET',
		    `${CASES}/${home.id}/timeline`, { as });
		await refused(404, 'not_found', openid, home.id, 'approve');
		await refused(404, 'not_found', openid, home.id, 'refuse',
		    { reason: '不认识' });
	}
	const done = await decide('head-2', home.id, 'approve');
	assert.equal(done.state, 'bound');
	assert.equal(done.person_id, null);
	await refused(409, 'state_conflict', 'head-2', home.id, 'approve');
	const { items } = await p.yes(200, 'GET',
	    `${CASES}/${home.id}/timeline`, { as: who });
	assert.deepEqual(items.map((i) => `${i.event} ${i.actor}`),
	    ['ask owner', 'approve area']);
	await p.no(404, 'not_found', 'GET', `${CASES}/${home.id}/timeline`,
	    { as: await newcomer() });
});

test('refusing needs a reason that the asker reads', async () => {
	const who = await newcomer();
	const home = await ask(who, OUTSIDE);

	await refused(422, 'invalid_field', 'grid-2', home.id, 'refuse');
	await decide('grid-2', home.id, 'refuse', { reason: '查无此户' });
	const now = await p.yes(200, 'GET', `${MINE}/${home.id}`,
	    { as: who });
	assert.equal(now.state, 'refused');
	assert.equal(now.reason, '查无此户');
	// And may ask again.
	assert.equal((await ask(who, OUTSIDE)).state, 'asked');
});

test('the approver names the person, or has them written down', async () => {
	const who = await newcomer('13911112222');
	const home = await ask(who, OUTSIDE, { name: '孙七',
		relation: 'spouse' });

	for (const body of [{ person_id: LAN }, { person_id: '1' },
		{ household_id: HOME_LAN }, { household_id: '1' },
		{ person_id: MIN, household_id: HOME_WANG }])
		await refused(422, 'invalid_field', 'clerk-1', home.id,
		    'approve', body);
	const done = await decide('grid-2', home.id, 'approve',
	    { household_id: HOME_MIN, enter: true });
	assert.equal(done.household_id, HOME_MIN);
	const [row] = await p.sql('SELECT p.name, p.source, p.phone_mask,' +
	    ' m.relation FROM person p JOIN member m ON m.person_id = p.id' +
	    ` AND m.household_id = ${HOME_MIN} WHERE p.id =` +
	    ` ${done.person_id}`);
	assert.deepEqual(row, { name: '孙七', source: 'self',
		phone_mask: '139****2222', relation: 'spouse' });
	const other = await newcomer();
	const second = await ask(other, OUTSIDE);
	assert.equal((await decide('clerk-1', second.id, 'approve',
	    { person_id: MIN })).person_id, MIN);
	// A dwelling that the roster knows nobody of.
	const third = await ask(await newcomer(), LIFT, { name: '周八' });
	const made = await decide('head-2', third.id, 'approve',
	    { enter: true });
	assert.match(made.household_id, /^\d+$/);
	assert.equal(await p.value('SELECT dwelling_id FROM household' +
	    ` WHERE id = ${made.household_id}`), LIFT);
});

test('nobody approves themselves', async () => {
	const head = await p.as('head-2');

	await p.yes(200, 'PATCH', '/api/v1/me',
	    { as: head, body: { community_id: HERE } });
	const home = await ask(head, LIFT);

	await refused(403, 'forbidden', 'head-2', home.id, 'approve');
	await refused(403, 'forbidden', 'head-2', home.id, 'refuse',
	    { reason: '不' });
	assert.equal(await p.value('SELECT assignee_id FROM home' +
	    ` WHERE id = ${home.id}`), '5301');
	await decide('grid-1', home.id, 'approve');
	await p.yes(204, 'DELETE', `${MINE}/${home.id}`, { as: head });
});

test('two approve, or ask, at once: one of them does', async () => {
	const who = await newcomer();
	const [a, b] = await Promise.all([1, 2].map(() => p.call('POST',
	    MINE, { as: who, body: { dwelling_id: STAIRS } })));

	assert.deepEqual([a.status, b.status].sort(), [200, 409]);
	const [home] = await mine(who);
	const all = await Promise.all(['head-1', 'grid-1', 'clerk-1'].map(
	    async (openid) => p.call('POST', `${CASES}/${home.id}/approve`,
		{ as: await p.as(openid), body: {} })));
	assert.deepEqual(all.map((r) => r.status).sort(), [200, 409, 409]);
	assert.equal(await p.value('SELECT COUNT(*) FROM flow_event WHERE' +
	    ` thing_id = ${home.id} AND event = 'approve'`), '1');
});

test('a proved number ends the waiting', async () => {
	const who = await newcomer();

	assert.equal((await ask(who, OUTSIDE)).state, 'asked');
	await p.sql('UPDATE home SET state = \'ended\' WHERE person_id =' +
	    ` ${MIN}`);
	await prove(who, '13900007004');
	const [home] = await bind(who);
	assert.equal(home.state, 'bound');
	assert.equal(home.via, 'phone');
	await p.yes(204, 'DELETE', `${MINE}/${home.id}`, { as: who });
});

test('another\'s home is absent', async () => {
	const [home] = await mine(await p.as('newcomer-1'));
	const other = await newcomer();

	for (const id of [home.id, '1', '0', 'x', '9223372036854775808']) {
		await p.no(404, 'not_found', 'GET', `${MINE}/${id}`,
		    { as: other });
		await p.no(404, 'not_found', 'DELETE', `${MINE}/${id}`,
		    { as: other });
		await p.no(404, 'not_found', 'PATCH', `${MINE}/${id}`,
		    { as: other, body: { payer: true } });
	}
});

test('moving out ends what was for that home', async () => {
	const who = await newcomer('13900007004');
	const [home] = await bind(who);
	const address = async (dwelling_id) => p.yes(201, 'POST',
	    '/api/v1/me/addresses', { as: who, body: { dwelling_id,
		contact: '张敏', phone: '13900007004' } });

	await address(OUTSIDE);
	const other = await address(LIFT);
	assert.equal((await p.yes(200, 'PATCH', `${MINE}/${home.id}`,
	    { as: who, body: { payer: true } })).payer, true);
	await p.yes(201, 'POST', '/api/v1/me/helpers', { as: who, body: {
		phone: '13922223333', name: '女儿', rights: ['water'] } });
	await p.yes(204, 'DELETE', `${MINE}/${home.id}`, { as: who });
	const now = await p.yes(200, 'GET', `${MINE}/${home.id}`,
	    { as: who });
	assert.deepEqual([now.state, now.payer, now.can],
	    ['ended', false, []]);
	assert.deepEqual((await p.yes(200, 'GET', '/api/v1/me/addresses',
	    { as: who })).items.map((a) => a.id), [other.id]);
	assert.equal((await p.yes(200, 'GET', '/api/v1/me/helpers',
	    { as: who })).items[0].state, 'revoked');
	assert.deepEqual((await p.yes(200, 'GET',
	    `${CASES}/${home.id}/timeline`, { as: who })).items
	    .map((i) => i.event), ['match', 'leave']);
	await p.no(409, 'state_conflict', 'DELETE', `${MINE}/${home.id}`,
	    { as: who });
	await p.no(404, 'not_found', 'PATCH', `${MINE}/${home.id}`,
	    { as: who, body: { payer: true } });
	// And back again.
	assert.equal((await bind(who))[0].state, 'bound');
});

test('a home less keeps the helpers of the others', async () => {
	const who = await newcomer();
	const one = await ask(who, LOW), two = await ask(who, STAIRS);

	await decide('head-1', one.id, 'approve');
	await decide('head-1', two.id, 'approve');
	await p.yes(201, 'POST', '/api/v1/me/helpers', { as: who, body: {
		phone: '13922224444', name: '儿子', rights: ['read'] } });
	await refused(422, 'invalid_field', 'head-1', two.id, 'end');
	await refused(404, 'not_found', 'head-2', two.id, 'end',
	    { reason: '已搬走' });
	const done = await decide('head-1', two.id, 'end',
	    { reason: '已搬走' });
	assert.deepEqual([done.state, done.reason], ['ended', '已搬走']);
	assert.equal((await p.yes(200, 'GET', '/api/v1/me/helpers',
	    { as: who })).items[0].state, 'waiting');
});

test('ten open homes at most', async () => {
	const who = await newcomer();
	const ids = Array.from({ length: 11 }, (_, i) => String(8100 + i));

	await p.sql('INSERT INTO place (community_id, id, parent_id, kind,' +
	    ' compound_id, name, full_name, rank) VALUES ' + ids.map((id) =>
	    `(101, ${id}, 1002, 'dwelling', 1000, 'm${id}', 'm', ${id})`)
		.join());
	const all = await Promise.all(ids.map((dwelling_id) => p.call('POST',
	    MINE, { as: who, body: { dwelling_id } })));
	assert.deepEqual(all.map((r) => r.status).sort(),
	    [...Array(10).fill(200), 409]);
	assert.equal((await mine(who)).length, 10);
});

test('nobody decides: the grid worker, then the admins', async () => {
	const who = await newcomer();
	const admin = await p.as('role-admin');
	const home = await ask(who, LIFT);
	const assignee = () => p.value('SELECT assignee_id FROM home' +
	    ` WHERE id = ${home.id}`);
	const events = async () => (await p.yes(200, 'GET',
	    `${CASES}/${home.id}/timeline`, { as: who })).items
	    .map((i) => i.event);

	assert.equal(await assignee(), '5304');
	p.clock.add(DAY - HOUR);
	assert.deepEqual(await events(), ['ask']);
	p.clock.add(HOUR + 1000);
	await until(async () => (await events()).length === 2, 'supervise');
	assert.equal(await assignee(), '5301');
	p.clock.add(DAY + 1000);
	await until(async () => (await events()).length === 3, 'escalate');
	assert.deepEqual(await events(), ['ask', 'supervise', 'escalate']);
	assert.equal(await p.value('SELECT COUNT(*) FROM outbox WHERE' +
	    ` user_id = ${admin.id} AND page LIKE '%${home.id}'`), '1');
	await decide('clerk-1', home.id, 'approve');
});

test('homes by state: each of the caller\'s part once, in pages', async () => {
	const pages = async (openid, fresh = false) => {
		const as = await p.as(openid, { fresh }), seen = [];
		let after = '';

		for (;;) {
			const { items, next } = await p.yes(200, 'GET',
			    `${CASES}?state=bound&limit=2${after}`, { as });
			seen.push(...items.map((h) => h.id));
			if (next === null)
				return seen;
			assert.equal(items.length, 2);
			after = `&after=${next}`;
		}
	};
	const bound = async (...at) => (await p.sql('SELECT id FROM home' +
	    ` WHERE community_id = ${HERE} AND state = 'bound' AND` +
	    ` dwelling_id IN (${at}) ORDER BY id DESC`)).map((row) => row.id);

	// A grid worker who is head of a unit in it sees nothing twice.
	await p.sql('INSERT INTO post (community_id, id, user_id, name, role,' +
	    ` scope, scope_id, from_at, created_at) VALUES (${HERE}, 6590,` +
	    " 5301, 'grid-1', 'head', 'unit', 6101, 0, 1)");
	await p.sql('INSERT INTO user_role (community_id, user_id, role,' +
	    ` granted_at) VALUES (${HERE}, 5301, 'head', 1)`);
	assert.ok((await bound(LOW, STAIRS)).length > 2);
	assert.deepEqual(await pages('head-1'), await bound(LOW, STAIRS));
	assert.deepEqual(await pages('head-2'), await bound(LIFT));
	assert.deepEqual(await pages('grid-1', true),
	    await bound(LOW, STAIRS, LIFT));
	assert.deepEqual(await pages('clerk-1'),
	    await bound(LOW, STAIRS, LIFT, OUTSIDE));
	assert.deepEqual(await pages('role-head'), []);
});

test('everything asked, decided and ended stands in the audit', async () => {
	const rows = await p.sql('SELECT action, thing, subject_id FROM' +
	    ' audit WHERE thing = \'home\'');

	for (const action of ['POST /api/v1/me/homes',
		'DELETE /api/v1/me/homes/{id}',
		'POST /api/v1/homes/{id}/{event}'])
		assert.ok(rows.some((row) => row.action === action), action);
	assert.ok(rows.some((row) => row.subject_id === MIN));
	assert.ok(JIANGUO);
});

// A home of LIFT, approved as somebody new in a household of their own.
async function entered(name, more = {}) {
	const who = await newcomer();
	const home = await ask(who, LIFT, { name });

	return { who, ...await decide('head-2', home.id, 'approve',
	    { enter: true, ...more }) };
}

const SAID = { source: 'visit', ground: 'duty' };

async function ended(home) {
	const now = await p.yes(200, 'GET', `${MINE}/${home.id}`,
	    { as: home.who });

	assert.deepEqual([now.state, now.payer], ['ended', false]);
	assert.equal((await p.yes(200, 'GET', '/api/v1/me/helpers',
	    { as: home.who })).items[0].state, 'revoked');
	const step = (await p.yes(200, 'GET', `${CASES}/${home.id}/timeline`,
	    { as: home.who })).items.at(-1);
	assert.deepEqual([step.event, step.actor], ['moved', 'system']);
}

// With a payer's flag and a helper, that have to end with it.
async function furnished(name) {
	const home = await entered(name);

	await p.yes(200, 'PATCH', `${MINE}/${home.id}`,
	    { as: home.who, body: { payer: true } });
	await p.yes(201, 'POST', '/api/v1/me/helpers', { as: home.who,
		body: { phone: '13922225555', name: '女儿',
			rights: ['water'] } });
	return home;
}

test('a gap in the households\' numbers is filled', async () => {
	const one = await entered('甲'), two = await entered('乙');
	const number = (home) => p.value('SELECT number FROM household' +
	    ` WHERE id = ${home.household_id}`);

	assert.notEqual(await number(one), await number(two));
	// As many as there are, and one more: the number after the last.
	await p.sql('UPDATE household SET number =' +
	    ` '${Number(await number(two)) + 1}' WHERE id =` +
	    ` ${one.household_id}`);
	const three = await entered('丙'), four = await entered('丁');
	const all = await Promise.all([one, two, three, four].map(number));
	assert.equal(new Set(all).size, 4, String(all));
});

test('moved out or gone in the roster: the home ends', async () => {
	const clerk = await p.as('clerk-1');
	const out = await furnished('出户'), all = await furnished('整户');
	const gone = await furnished('已故'), moved = await furnished('迁居');
	const stays = await furnished('仍住');

	await p.yes(204, 'DELETE', `/api/v1/households/${out.household_id}` +
	    `/members/${out.person_id}`, { as: clerk });
	await ended(out);
	await p.yes(200, 'PATCH', `/api/v1/households/${all.household_id}`,
	    { as: clerk, body: { ...SAID, moved_out: true } });
	await ended(all);
	await p.yes(200, 'PATCH', `/api/v1/persons/${gone.person_id}`,
	    { as: clerk, body: { ...SAID, gone: true } });
	await ended(gone);
	await p.yes(201, 'POST', `/api/v1/households/${HOME_LAN}/members`,
	    { as: clerk, body: { person_id: moved.person_id,
		relation: 'other', moves: true } });
	await ended(moved);
	assert.equal((await mine(stays.who))[0].state, 'bound');
});

test('who left by an import: the home ends within a minute', async () => {
	const home = await furnished('导入');

	await p.sql(`UPDATE member SET to_at = ${p.clock.now()} WHERE` +
	    ` person_id = ${home.person_id}`);
	p.clock.add(2 * MINUTE);
	await until(async () => (await mine(home.who))[0].state === 'ended',
	    'the home ends');
	await ended(home);
	assert.equal(await p.value('SELECT COUNT(*) FROM audit WHERE' +
	    ` community_id = 101 AND thing = 'home' AND actor = 'system'` +
	    ` AND thing_id = ${home.id}`), '1');
});

test('a household has one payer', async () => {
	const one = await entered('付一');
	const two = await entered('付二', { household_id: one.household_id });
	const other = await furnished('别家');
	const pay = (home) => p.yes(200, 'PATCH', `${MINE}/${home.id}`,
	    { as: home.who, body: { payer: true } });
	const payers = async () => (await p.sql('SELECT id FROM home WHERE' +
	    ` payer = 1 AND household_id = ${one.household_id}`))
	    .map((row) => row.id);

	await pay(one);
	assert.deepEqual(await payers(), [one.id]);
	await pay(two);
	assert.deepEqual(await payers(), [two.id]);
	await Promise.all([pay(one), pay(two)]);
	assert.equal((await payers()).length, 1);
	assert.equal((await mine(other.who))[0].payer, true);
});
