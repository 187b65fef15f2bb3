// SPDX-License-Identifier: Apache-2.0
//
// 10-outbox -- subscribe messages: who is told, how often, and when not.
import assert from 'node:assert/strict';

import { MINUTE, SECOND, start, test, TEMPLATES, until } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { fire, place } from './lib/water.mjs';

const p = await start();
const NOTICES = '/api/v1/me/notices';

const notices = async (who) => Object.fromEntries((await p.yes(200, 'GET',
    NOTICES, { as: who })).items.map((n) => [n.template, n.remaining]));
const rows = (who) => p.sql('SELECT state, code, tries, permit FROM outbox' +
    ` WHERE user_id = ${who.id} ORDER BY id`);
const quiet = () => until(async () => await p.value('SELECT COUNT(*) FROM' +
    " outbox WHERE state = 'queued'") === '0', 'an empty outbox');
const texts = async (who) => (await p.wx.messages(who.openid))
    .map((m) => m.data.thing4.value);

// `ours` of them in the ledger, `theirs` at WeChat.
async function permit(who, ours, theirs = ours,
    template = 'order_progress') {
	for (let i = 0; i < ours; i++)
		await p.yes(200, 'POST', NOTICES,
		    { as: who, body: { template } });
	if (theirs > 0)
		await p.wx.accept(who.openid, TEMPLATES[template], theirs);
}

let number = 0;
const resident = () => p.resident(++number);

test('with permission each step is told, in WeChat\'s form', async () => {
	const who = await resident();

	await permit(who, 3);
	const { id } = await place(p, who, { items: [[BIG, 2]] });
	await fire(p, 'owner-a', id, 'accept');
	await fire(p, 'courier-a', id, 'deliver');
	await quiet();
	const sent = await p.wx.messages(who.openid);
	assert.deepEqual(sent.map((m) => [m.template_id, m.page,
		m.data.thing1.value, m.data.phrase2.value,
		m.data.thing4.value, m.miniprogram_state]), [
		[TEMPLATES.order_progress, `pages/water/order?id=${id}`,
			'山泉18.9L×2', '已接单', '水站已接单，请留意送水时间',
			'formal'],
		[TEMPLATES.order_progress, `pages/water/order?id=${id}`,
			'山泉18.9L×2', '配送中', '送水在路上，请准备收货码',
			'formal']]);
	assert.match(sent[0].data.time3.value,
	    /^\d{4}年\d{1,2}月\d{1,2}日 10:3\d$/);
	assert.deepEqual(await notices(who), { order_progress: 1,
		order_todo: 0, roll_call: 0, bill_due: 0 });
});

test('no permission, no send', async () => {
	const who = await resident();
	const before = await p.wx.calls('notify');

	await permit(who, 0, 5);
	await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
	await quiet();
	assert.deepEqual((await rows(who)).map((r) => [r.state, r.code]),
	    [['no_permission', null]]);
	assert.equal(await p.wx.calls('notify'), before);
	assert.deepEqual(await texts(who), []);
});

test('a permission for one template is none for the other', async () => {
	const who = await resident();

	await permit(who, 1, 1, 'order_todo');
	await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
	await quiet();
	assert.deepEqual((await rows(who)).map((r) => r.state),
	    ['no_permission']);
	assert.equal((await notices(who)).order_todo, 1);
});

test('43101 sets the count to zero', async () => {
	const who = await resident();

	await permit(who, 4, 0);
	const { id } = await place(p, who);
	await fire(p, 'owner-a', id, 'accept');
	await quiet();
	assert.deepEqual((await rows(who)).map((r) => [r.state, r.code]),
	    [['refused', '43101']]);
	assert.equal((await notices(who)).order_progress, 0);
	await fire(p, 'courier-a', id, 'deliver');
	await quiet();
	assert.deepEqual((await rows(who)).map((r) => r.state),
	    ['refused', 'no_permission']);
});

test('the station is told of orders, and nobody of their own deed',
    async () => {
	const who = await resident();
	const [owner, clerk] = [await p.as('owner-a'),
		await p.as('clerk-a')];

	await permit(owner, 5, 5, 'order_todo');
	await permit(clerk, 5, 5, 'order_todo');
	await permit(who, 5);
	const { id } = await place(p, who);
	await fire(p, who.openid, id, 'cancel');
	await quiet();
	for (const one of [owner, clerk])
		assert.deepEqual(await texts(one), ['有新订单，请及时接单',
			'客户已取消，无需送水']);
	assert.deepEqual(await texts(who), []);
	assert.deepEqual(await texts(await p.as('owner-b')), []);
	await p.sql('DELETE FROM notice_permit');
});


test('a busy WeChat is asked again, later, and hears it once', async () => {
	for (const [mode, more] of [['errcode', { errcode: -1 }],
		['errcode', { errcode: 43108 }],
		['errcode', { errcode: 45011 }], ['http500', {}],
		['garbage', {}], ['half', {}]]) {
		const who = await resident();
		await permit(who, 1);
		await p.wx.fault('notify', mode, more);
		await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
		await until(async () => (await rows(who))[0]?.tries === '1' &&
		    (await p.wx.state()).faults.length === 0, mode);
		assert.deepEqual(await texts(who), [], mode);
		p.clock.add(3 * SECOND);
		await quiet();
		assert.deepEqual((await rows(who)).map((r) => [r.state,
			r.tries]), [['sent', '2']], mode);
		assert.equal((await texts(who)).length, 1, mode);
	}
});

test('an answer that never comes does not hold up the others', async () => {
	const [slow, quick] = [await resident(), await resident()];

	await permit(slow, 1);
	await permit(quick, 1);
	await p.wx.fault('notify', 'hang', {});
	await fire(p, 'owner-a', (await place(p, slow)).id, 'accept');
	await until(async () => (await p.wx.state()).faults.length === 0,
	    'the hanging call');
	await fire(p, 'owner-a', (await place(p, quick)).id, 'accept');
	await until(async () => (await texts(quick)).length === 1,
	    'the other\'s message', 1500);
	await until(async () => (await rows(slow))[0].state === 'queued' &&
	    (await p.value('SELECT claim FROM outbox WHERE user_id =' +
		` ${slow.id}`)) === '0', 'the time-out');
	p.clock.add(5 * SECOND);
	await quiet();
	assert.equal((await texts(slow)).length, 1);
});

test('what WeChat will never take is given up', async () => {
	for (const errcode of [40003, 40037, 47003, 41030]) {
		const who = await resident();
		await permit(who, 1);
		await p.wx.fault('notify', 'errcode', { errcode });
		await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
		await quiet();
		assert.deepEqual((await rows(who)).map((r) => [r.state,
			r.code]), [['failed', String(errcode)]]);
	}
});

test('a dropped access token is fetched anew and the message goes',
    async () => {
	const who = await resident();

	await permit(who, 1);
	await p.wx.clock(31 * SECOND);
	await p.wx.fault('notify', 'errcode', { errcode: 40001 });
	await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
	await until(async () => {
		p.clock.add(SECOND);
		return (await texts(who)).length === 1;
	}, 'the message');
	await quiet();
});

// Five steps at once for one person; WeChat wants them one by one.
test('one person\'s messages go one after the other', async () => {
	const who = await resident();
	const ids = [];

	await p.stop('jobs');
	await permit(who, 6);
	for (let i = 0; i < 6; i++) {
		ids.push((await place(p, who)).id);
		await fire(p, 'owner-a', ids[i], 'accept');
	}
	await p.start('jobs');
	await quiet();
	assert.deepEqual((await p.wx.messages(who.openid)).map((m) => m.page),
	    ids.map((id) => `pages/water/order?id=${id}`));
	assert.ok(!(await p.wx.state()).recent.some((call) =>
	    call.errcode === 43108 && !call.fault));
});

test('long names are cut to what WeChat takes', async () => {
	const who = await resident();
	const brand = '特别特别特别特别特别特别长的品牌名';

	await permit(who, 1);
	const { id: product } = await p.yes(201, 'POST',
	    '/api/v1/station/products', { as: await p.as('owner-a'), body: {
		station_id: '3001', brand, name: '长 👨‍👩‍👧', stock: 9,
		millilitres: 18900, price_fen: 100, on_sale: true } });
	await fire(p, 'owner-a', (await place(p, who,
	    { items: [[product, 1]] })).id, 'accept');
	await quiet();
	const [sent] = await p.wx.messages(who.openid);
	assert.ok([...sent.data.thing1.value].length <= 20);
	assert.ok(sent.data.thing1.value.startsWith('特别特别'));
});

async function crowd(n) {
	const people = [];

	await p.stop('jobs');
	for (let i = 0; i < n; i++) {
		const who = await resident();
		await permit(who, 1);
		await fire(p, 'owner-a', (await place(p, who)).id, 'accept');
		people.push(who);
	}
	return people;
}

test('two runners at once send each message once', async () => {
	const people = await crowd(20);

	for (const who of people)
		await p.wx.accept(who.openid, TEMPLATES.order_progress, 5);
	p.add('jobs-2', [p.program('planet-jobs'), '--config', p.conf])
	    .start();
	await p.start('jobs');
	await quiet();
	for (const who of people)
		assert.equal((await texts(who)).length, 1, who.openid);
	assert.equal((await p.stop('jobs-2')).code, 0);
});

test('a runner killed in the middle loses nothing', async () => {
	const people = await crowd(12);

	await p.wx.fault('notify', 'delay', { delay_ms: 60, times: 1000 });
	for (const ms of [90, 140, 40]) {
		await p.start('jobs');
		await new Promise((resolve) => setTimeout(resolve, ms));
		await p.kill('jobs');
	}
	await p.wx.clearFaults();
	await p.start('jobs');
	// The claims of the dead run out.
	p.clock.add(2 * MINUTE);
	await quiet();
	for (const who of people)
		assert.equal((await texts(who)).length, 1, who.openid);
	for (const who of people)
		assert.match((await rows(who))[0].state,
		    /^(sent|refused)$/);
});

// The first message takes so long that the claim on all of them runs out.
test('who lost the claim sends no more of it', async () => {
	const people = await crowd(6);

	for (const who of people)
		await p.wx.accept(who.openid, TEMPLATES.order_progress, 5);
	await p.wx.fault('notify', 'delay', { delay_ms: 1000, times: 1 });
	await p.start('jobs');
	await until(async () => (await p.wx.state()).faults.length === 0,
	    'the slow call');
	p.clock.add(2 * MINUTE);
	await quiet();
	await new Promise((resolve) => setTimeout(resolve, 1100));
	const twice = (await Promise.all(people.map(async (who) =>
	    (await texts(who)).length))).filter((n) => n !== 1);
	// That one itself may come twice: nobody knows how it ended.
	assert.ok(twice.length <= 1 && twice.every((n) => n === 2),
	    `${twice}`);
});

test('a runner told to end finishes what it holds', async () => {
	const people = await crowd(6);

	await p.wx.fault('notify', 'delay', { delay_ms: 200, times: 2 });
	const calls = await p.wx.calls('notify');
	await p.start('jobs');
	await until(async () => await p.wx.calls('notify') > calls,
	    'a call');
	assert.equal((await p.stop('jobs')).code, 0);
	await p.wx.clearFaults();
	assert.equal(await p.value('SELECT COUNT(*) FROM outbox WHERE' +
	    " state = 'queued' AND claim <> 0"), '0');
	await p.start('jobs');
	p.clock.add(MINUTE);
	await quiet();
	for (const who of people)
		assert.equal((await texts(who)).length, 1, who.openid);
});
