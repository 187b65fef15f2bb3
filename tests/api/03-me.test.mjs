// SPDX-License-Identifier: Apache-2.0
//
// 03-me -- my name, community, phone number and messages.
import assert from 'node:assert/strict';

import { SECOND, start, test, TEMPLATES } from './harness.mjs';
import { HERE, THERE } from './lib/fixture.mjs';

const p = await start();
const anna = await p.as('anna');
const ME = '/api/v1/me', PHONE = '/api/v1/me/phone';

const patch = (body) => p.yes(200, 'PATCH', ME, { as: anna, body });
const faulty = async (method, where, body, ...wanted) => {
	const problem = await p.no(422, 'invalid_field', method, where,
	    { as: anna, body });
	assert.deepEqual(problem.fields.map((f) => `${f.field} ${f.code}`),
	    wanted);
	return problem;
};

test('a name is trimmed and kept, emoji too', async () => {
	for (const [given, kept] of [['张三', '张三'], ['  李四\u3000', '李四'],
		['👩‍👩‍👧 王', '👩‍👩‍👧 王'],
		['𠮷'.repeat(20), '𠮷'.repeat(20)],
		['O\'Brien"; --', 'O\'Brien"; --'], ['<b>', '<b>']]) {
		assert.equal((await patch({ name: given })).name, kept);
		assert.equal((await p.yes(200, 'GET', ME, { as: anna }))
		    .name, kept);
	}
});

test('a name that cannot be', async () => {
	await patch({ name: '张三' });
	await faulty('PATCH', ME, { name: '' }, 'name too_short');
	await faulty('PATCH', ME, { name: '  ' }, 'name too_short');
	await faulty('PATCH', ME, { name: null }, 'name null');
	await faulty('PATCH', ME, { name: 5 }, 'name type');
	await faulty('PATCH', ME, { name: 'x'.repeat(21) }, 'name too_long');
	await faulty('PATCH', ME, { name: 'a\nb' }, 'name not_text');
	await faulty('PATCH', ME, { name: 'a\u0000b' }, 'name not_text');
	assert.equal((await patch({})).name, '张三');
});

test('a community is chosen, and with it the role', async () => {
	const before = await p.call('GET', `${ME}/addresses`, { as: anna });
	const user = await patch({ community_id: HERE });

	assert.equal(before.status, 403);
	assert.equal(before.json.code, 'no_community');
	assert.equal(user.community_id, HERE);
	assert.equal(user.community, '此处社区');
	assert.deepEqual(user.roles, ['resident']);
	assert.deepEqual((await p.yes(200, 'GET', `${ME}/addresses`,
	    { as: anna })).items, []);
});

test('moving takes effect in every session at once', async () => {
	const second = await p.as('anna', { fresh: true });

	await p.yes(200, 'GET', '/api/v1/territory', { as: second });
	await patch({ community_id: THERE });
	const { items } = await p.yes(200, 'GET', '/api/v1/territory',
	    { as: second });
	assert.deepEqual(items.map((one) => one.name), ['邻家小区']);
	await patch({ community_id: HERE });
});

test('a community that is not there', async () => {
	await faulty('PATCH', ME, { community_id: '99' },
	    'community_id not_found');
	await faulty('PATCH', ME, { community_id: 'x' },
	    'community_id format');
	await faulty('PATCH', ME, { community_id: 101 },
	    'community_id type');
	await faulty('PATCH', ME, { community_id: '0' },
	    'community_id format');
	// One fault undoes the rest.
	await faulty('PATCH', ME, { name: '不改', community_id: '99' },
	    'community_id not_found');
	const user = await p.yes(200, 'GET', ME, { as: anna });
	assert.equal(user.name, '张三');
	assert.equal(user.community_id, HERE);
});

test('all faults are told together, and nobody may set roles', () =>
    faulty('PATCH', ME, { name: '', community_id: '', roles: ['admin'],
	phone: '13900000001' }, 'roles unknown', 'phone unknown',
	'name too_short', 'community_id format'));

test('the phone number comes by code, masked and sealed', async () => {
	const code = await p.wx.phoneCode('13912345678');
	const user = await p.yes(200, 'POST', PHONE,
	    { as: anna, body: { code } });
	const [row] = await p.sql('SELECT phone, phone_index FROM app_user' +
	    ` WHERE id = ${anna.id}`);

	assert.equal(user.phone, '139****5678');
	assert.equal((await p.yes(200, 'GET', ME, { as: anna })).phone,
	    '139****5678');
	assert.ok(!row.phone.includes('13912345678'));
	assert.ok(!row.phone_index.includes('13912345678'));
	assert.ok(!p.log().some((line) => line.includes('13912345678')));
});

test('a number from abroad', async () => {
	const user = await p.yes(200, 'POST', PHONE, { as: anna, body: {
		code: await p.wx.phoneCode('61234567',
		    { country_code: '852' }) } });

	assert.match(user.phone, /\*/);
	assert.ok(!user.phone.includes('61234567'));
});

test('a phone code used, invented, or of log-in', async () => {
	const code = await p.wx.phoneCode('13912345678');

	await p.yes(200, 'POST', PHONE, { as: anna, body: { code } });
	await faulty('POST', PHONE, { code }, 'code invalid');
	await faulty('POST', PHONE, { code: 'invented' }, 'code invalid');
	await faulty('POST', PHONE, { code: await p.wx.loginCode('anna') },
	    'code invalid');
	await faulty('POST', PHONE, {}, 'code required');
});

test('an access token that WeChat has dropped is fetched anew', async () => {
	let later = 0;

	for (const errcode of [40001, 42001, 40014]) {
		// WeChat takes a forced renewal every 30 s.
		await p.wx.clock(later += 31 * SECOND);
		await p.wx.fault('phone', 'errcode', { errcode });
		await p.yes(200, 'POST', PHONE, { as: anna, body: {
			code: await p.wx.phoneCode('13912345678') } });
	}
});

test('WeChat away: 503, and the number stays', async () => {
	for (const [kind, mode, more] of [['phone', 'http500', {}],
		['phone', 'garbage', {}], ['phone', 'half', {}],
		['phone', 'errcode', { errcode: -1 }]]) {
		await p.wx.fault(kind, mode, { times: 50, ...more });
		await p.no(503, 'wechat_unavailable', 'POST', PHONE,
		    { as: anna, body: {
			code: await p.wx.phoneCode('13999999999') } });
		await p.wx.clearFaults();
	}
	assert.equal((await p.yes(200, 'GET', ME, { as: anna })).phone,
	    '139****5678');
});

test('messages: what may be sent, and each accept adds one', async () => {
	const list = () => p.yes(200, 'GET', `${ME}/notices`, { as: anna });
	const { items, next } = await list();

	assert.equal(next, null);
	assert.deepEqual(items, [
		{ template: 'order_progress', remaining: 0,
			template_id: TEMPLATES.order_progress },
		{ template: 'order_todo', remaining: 0,
			template_id: TEMPLATES.order_todo },
		{ template: 'roll_call', remaining: 0,
			template_id: TEMPLATES.roll_call },
		{ template: 'bill_due', remaining: 0,
			template_id: TEMPLATES.bill_due }]);
	for (const n of [1, 2])
		assert.equal((await p.yes(200, 'POST', `${ME}/notices`,
		    { as: anna, body: { template: 'order_progress' } }))
		    .remaining, n);
	assert.deepEqual((await list()).items.map((one) => one.remaining),
	    [2, 0, 0, 0]);
	await faulty('POST', `${ME}/notices`, { template: 'spam' },
	    'template not_listed');
	await faulty('POST', `${ME}/notices`, {}, 'template required');
});

test('nothing is written into an account closed meanwhile', async () => {
	const who = await p.as('closed-meanwhile');
	const phone = '13988887777';
	const row = () => p.sql('SELECT name, phone, community_id FROM' +
	    ` app_user WHERE id = ${who.id}`);
	const grant = await p.resident(1);

	await p.yes(201, 'POST', `${ME}/helpers`, { as: grant, body: {
		phone, name: '女儿', rights: ['water'] } });
	await p.sql(`UPDATE app_user SET closed_at = ${p.clock.now()}` +
	    ` WHERE id = ${who.id}`);
	const was = await row();
	await p.no(401, 'no_session', 'PATCH', ME,
	    { as: who, body: { name: '不在' } });
	await p.no(401, 'no_session', 'PATCH', ME,
	    { as: who, body: { community_id: HERE } });
	await p.no(401, 'no_session', 'POST', PHONE,
	    { as: who, body: { code: await p.wx.phoneCode(phone) } });
	assert.deepEqual(await row(), was);
	assert.equal(await p.value('SELECT COUNT(*) FROM helper WHERE' +
	    ` helper_id = ${who.id}`), '0');
});
