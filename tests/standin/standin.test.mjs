// SPDX-License-Identifier: Apache-2.0
//
// standin.test.mjs -- the stand-in says what the platform would say.
//
// Each test that needs a state of its own starts its own stand-in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('standin.mjs', import.meta.url));
const APPID = 'wx00000000000000aa';
const SECRET = 'ffffffffffffffffffffffffffffffff';
const TEMPLATE = 'water-order-progress';
const RID = /rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/;

const running = new Set();
after(() => running.forEach((one) => one.child.kill('SIGKILL')));

class StandIn {
	static async start(...more) {
		const child = spawn(process.execPath, [PROGRAM, '--port', '0',
			'--appid', APPID, '--secret', SECRET, ...more],
		    { stdio: ['ignore', 'pipe', 'inherit'] });
		const line = await new Promise((resolve, reject) => {
			child.stdout.once('data', (text) => resolve(`${text}`));
			child.once('exit', (n) =>
			    reject(new Error(`exit ${n}`)));
		});
		const one = new StandIn();
		one.child = child;
		one.url = /^standin listening on (http:\/\/127\.0\.0\.1:\d+)\n$/
		    .exec(line)[1];
		running.add(one);
		return one;
	}

	async stop(signal = 'SIGTERM') {
		const gone = new Promise((resolve) =>
		    this.child.once('exit', resolve));
		this.child.kill(signal);
		running.delete(this);
		return gone;
	}

	get(where) {
		return fetch(this.url + where);
	}

	async ask(where, body) {
		const answer = body === undefined ? await this.get(where) :
		    await fetch(this.url + where, { method: 'POST',
			body: typeof body === 'string' ? body :
			    JSON.stringify(body) });
		assert.equal(answer.status, 200);
		return answer.json();
	}

	control(name, body, method = body === undefined ? 'GET' : 'POST') {
		return fetch(`${this.url}/_standin/${name}`, { method,
			body: body === undefined ? undefined :
			    JSON.stringify(body) }).then((r) => r.json());
	}

	login(code, change = {}) {
		const query = new URLSearchParams({ appid: APPID,
			secret: SECRET, js_code: code,
			grant_type: 'authorization_code', ...change });
		return this.ask(`/sns/jscode2session?${query}`);
	}

	stable(change = {}) {
		return this.ask('/cgi-bin/stable_token', { appid: APPID,
			secret: SECRET, grant_type: 'client_credential',
			...change });
	}

	async token() {
		return (await this.stable()).access_token;
	}

	phone(token, body) {
		return this.ask('/wxa/business/getuserphonenumber' +
		    `?access_token=${token}`, body);
	}

	send(token, change = {}) {
		return this.ask('/cgi-bin/message/subscribe/send' +
		    `?access_token=${token}`, { touser: 'o-one',
			template_id: TEMPLATE, page: 'pages/order/order?id=1',
			data: { thing1: { value: '桶装水' } },
			miniprogram_state: 'formal', lang: 'zh_CN',
			...change });
	}
}

const shared = await StandIn.start();

function refused(answer, code, text) {
	assert.equal(answer.errcode, code, JSON.stringify(answer));
	assert.match(answer.errmsg, RID);
	if (text)
		assert.ok(answer.errmsg.startsWith(text), answer.errmsg);
}

test('login: a code works once, as text/plain without errcode', async () => {
	const { code } = await shared.control('login-codes',
	    { openid: 'o-login' });
	const query = new URLSearchParams({ appid: APPID, secret: SECRET,
		js_code: code, grant_type: 'authorization_code' });
	const answer = await shared.get(`/sns/jscode2session?${query}`);
	assert.equal(answer.headers.get('content-type'), 'text/plain');
	const body = await answer.json();
	assert.deepEqual(Object.keys(body), ['session_key', 'openid']);
	assert.equal(body.openid, 'o-login');
	assert.equal(Buffer.from(body.session_key, 'base64').length, 16);
	refused(await shared.login(code), 40163, 'code been used, rid: ');
});

test('login: unionid is there when the user has one', async () => {
	const { code } = await shared.control('login-codes',
	    { openid: 'o-union', unionid: 'u-1' });
	assert.equal((await shared.login(code)).unionid, 'u-1');
});

test('login: refusals in their order', async () => {
	const { code } = await shared.control('login-codes',
	    { openid: 'o-order' });
	const none = { appid: '', secret: '', js_code: '', grant_type: '' };
	refused(await shared.login('', none), 41002, 'appid missing, rid: ');
	none.appid = 'wx1';
	refused(await shared.login('', none), 40013, 'invalid appid, rid: ');
	none.appid = APPID;
	refused(await shared.login('', none), 40002);
	none.grant_type = 'authorization_code';
	refused(await shared.login('', none), 41004);
	none.secret = 'wrong';
	refused(await shared.login('', none), 40125);
	none.secret = SECRET;
	refused(await shared.login('', none), 41008);
	refused(await shared.login('invented'), 40029, 'invalid code, rid: ');
	assert.equal((await shared.login(code)).openid, 'o-order');
});

test('login: a code of five minutes is good, a second later not',
    async () => {
	const one = await StandIn.start();
	const codes = [];
	for (let i = 0; i < 2; i++)
		codes.push((await one.control('login-codes',
		    { openid: 'o-old' })).code);
	await one.control('clock', { offset_ms: 299_000 });
	assert.equal((await one.login(codes[0])).openid, 'o-old');
	await one.control('clock', { offset_ms: 301_000 });
	refused(await one.login(codes[1]), 40029);
	await one.stop();
});

test('login: a blocked user', async () => {
	const { code } = await shared.control('login-codes',
	    { openid: 'o-bad', blocked: true });
	refused(await shared.login(code), 40226);
});

test('token: refusals in their order, without a comma', async () => {
	const bad = { appid: 'wx1', secret: 'x', grant_type: 'x' };
	refused(await shared.stable(bad), 40013, 'invalid appid rid: ');
	bad.appid = APPID;
	refused(await shared.stable(bad), 40002);
	bad.grant_type = 'client_credential';
	refused(await shared.stable(bad), 40125);
	refused(await shared.ask('/cgi-bin/stable_token'), 43002);
	refused(await shared.ask('/cgi-bin/stable_token', ''), 44002);
	refused(await shared.ask('/cgi-bin/stable_token', 'a=b&c=d'), 47001);
	refused(await shared.ask('/cgi-bin/no_such'), 40066);
});

test('token: stable with a shrinking life, renewed near its end',
    async () => {
	const one = await StandIn.start();
	const first = await one.stable();
	assert.equal(first.expires_in, 7200);
	assert.ok(first.access_token.length <= 512);
	await one.control('clock', { offset_ms: 1000_000 });
	const second = await one.stable();
	assert.equal(second.access_token, first.access_token);
	assert.ok(second.expires_in <= 6200 && second.expires_in > 6100);
	await one.control('clock', { offset_ms: 6901_000 });
	const third = await one.stable();
	assert.notEqual(third.access_token, first.access_token);
	refused(await one.phone(first.access_token, {}), 40029);
	await one.control('clock', { offset_ms: 7201_000 });
	refused(await one.phone(first.access_token, {}), 42001,
	    'access_token expired rid: ');
	refused(await one.phone(third.access_token, {}), 40029);
	await one.stop();
});

test('token: force kills the former, 30 s apart, 20 a day', async () => {
	const one = await StandIn.start();
	// Begin at noon in China, so that no day ends in between.
	const noon = 86400_000 + 4 * 3600_000 - Date.now() % 86400_000;
	await one.control('clock', { offset_ms: noon });
	const first = await one.token();
	const second = await one.stable({ force_refresh: true });
	assert.notEqual(second.access_token, first);
	refused(await one.phone(first, {}), 40001, 'invalid credential');
	assert.equal(await one.token(), second.access_token);
	refused(await one.stable({ force_refresh: true }), 45011);
	for (let i = 1; i < 20; i++) {
		await one.control('clock',
		    { offset_ms: noon + i * 31_000 });
		assert.ok((await one.stable({ force_refresh: true }))
		    .access_token);
	}
	await one.control('clock', { offset_ms: noon + 700_000 });
	refused(await one.stable({ force_refresh: true }), 45009);
	await one.control('clock', { offset_ms: noon + 86400_000 });
	assert.ok((await one.stable({ force_refresh: true })).access_token);
	refused(await one.stable({ force_refresh: 1 }), 47001);
	await one.stop();
});

test('token: the classic kind stands beside the stable one', async () => {
	const one = await StandIn.start();
	const where = '/cgi-bin/token?grant_type=client_credential' +
	    `&appid=${APPID}&secret=${SECRET}`;
	const stable = await one.token();
	const first = (await one.ask(where)).access_token;
	const second = (await one.ask(where)).access_token;
	assert.notEqual(first, second);
	for (const token of [stable, first, second])
		refused(await one.phone(token, {}), 40029);
	await one.control('clock', { offset_ms: 301_000 });
	refused(await one.phone(first, {}), 42001);
	refused(await one.phone(second, {}), 40029);
	assert.equal(await one.token(), stable);
	await one.stop();
});

test('token: absent, malformed, unknown; the whitelist', async () => {
	refused(await shared.phone('', {}), 41001,
	    'access_token missing rid: ');
	refused(await shared.phone('short', {}), 40014);
	refused(await shared.phone(`99_${'a'.repeat(120)}`, {}), 40001);
	await shared.control('whitelist', { ips: ['192.0.2.1'] });
	refused(await shared.stable(), 40164, 'invalid ip 127.0.0.1 ipv6');
	await shared.control('whitelist', { ips: ['127.0.0.1'] });
	assert.ok(await shared.token());
	await shared.control('whitelist', { ips: null });
});

test('session: the key signs the empty text', async () => {
	const token = await shared.token();
	const { code } = await shared.control('login-codes',
	    { openid: 'o-key' });
	const { session_key } = await shared.login(code);
	const sign = (key) => createHmac('sha256', key).update('')
	    .digest('hex');
	const where = (what, key) => `/wxa/${what}?access_token=${token}` +
	    `&openid=o-key&sig_method=hmac_sha256&signature=${sign(key)}`;
	assert.equal((await shared.ask(where('checksession', session_key)))
	    .errcode, 0);
	refused(await shared.ask(where('checksession', 'other')), 87009);
	const fresh = (await shared.ask(where('resetusersessionkey',
	    session_key))).session_key;
	refused(await shared.ask(where('checksession', session_key)), 87009);
	assert.equal((await shared.ask(where('checksession', fresh)))
	    .errcode, 0);
});

test('phone: a code works once and is not a login code', async () => {
	const token = await shared.token();
	const { code } = await shared.control('phone-codes',
	    { phone: '13800138000', openid: 'o-phone' });
	refused(await shared.phone(token, { code, openid: 'o-else' }), 40003);
	const { phone_info } = await shared.phone(token,
	    { code, openid: 'o-phone' });
	assert.equal(phone_info.phoneNumber, '13800138000');
	assert.equal(phone_info.purePhoneNumber, '13800138000');
	assert.equal(phone_info.countryCode, '86');
	assert.equal(phone_info.watermark.appid, APPID);
	assert.equal(typeof phone_info.watermark.timestamp, 'number');
	const again = await shared.phone(token, { code });
	refused(again, 40029, 'invalid code hint: [');
	const login = await shared.control('login-codes', { openid: 'o-x' });
	refused(await shared.phone(token, { code: login.code }), 40029);
});

test('phone: a number from abroad, an aged code', async () => {
	const one = await StandIn.start();
	const codes = [];
	for (let i = 0; i < 2; i++)
		codes.push((await one.control('phone-codes',
		    { phone: '61234567', country_code: '852' })).code);
	const token = await one.token();
	const { phone_info } = await one.phone(token, { code: codes[0] });
	assert.equal(phone_info.purePhoneNumber, '61234567');
	assert.equal(phone_info.countryCode, '852');
	assert.equal(phone_info.phoneNumber, '+85261234567');
	await one.control('clock', { offset_ms: 300_500 });
	refused(await one.phone(token, { code: codes[1] }), 40029);
	await one.stop();
});

test('notify: one accept lets one message pass', async () => {
	const one = await StandIn.start();
	const token = await one.token();
	refused(await one.send(token), 40003);
	assert.equal((await one.control('accepts', { openid: 'o-one',
		template_id: TEMPLATE, count: 2 })).count, 2);
	refused(await one.send(token, { template_id: 'another-template' }),
	    43101, 'user refuse to accept the msg rid: ');
	for (let i = 0; i < 2; i++)
		assert.deepEqual((({ errcode, errmsg }) =>
		    ({ errcode, errmsg }))(await one.send(token)),
		{ errcode: 0, errmsg: 'ok' });
	refused(await one.send(token), 43101);
	const [message, ...more] = await one.control('messages?openid=o-one');
	assert.equal(more.length, 1);
	assert.equal(message.template_id, TEMPLATE);
	assert.equal(message.page, 'pages/order/order?id=1');
	assert.deepEqual(message.data, { thing1: { value: '桶装水' } });
	assert.deepEqual(await one.control('messages?openid=o-two'), []);
	await one.control('messages', undefined, 'DELETE');
	assert.deepEqual(await one.control('messages'), []);
	await one.stop();
});

test('notify: what is wrong with the rest', async () => {
	const token = await shared.token();
	await shared.control('accepts',
	    { openid: 'o-one', template_id: TEMPLATE });
	refused(await shared.send('x'), 40014);
	refused(await shared.send(token, { touser: 7 }), 40003);
	refused(await shared.send(token, { template_id: '' }), 40037);
	for (const page of ['https://a.example/', '', 7, 'a b'])
		refused(await shared.send(token, { page }), 41030);
	refused(await shared.send(token, { lang: 'de_DE' }), 40097);
	refused(await shared.send(token, { miniprogram_state: 'x' }), 40097);
	refused(await shared.send(token, { data: [] }), 47003);
	refused(await shared.send(token, { data: { thing5: {} } }), 47003,
	    'argument invalid! data.thing5.value is empty rid: ');
	refused(await shared.send(token, { data: { nought1: { value: '1' } } }),
	    47003, 'argument invalid! data.nought1.value invalid rid: ');
	// None of these used the accept up.
	const sent = await shared.send(token, { page: undefined });
	assert.equal(sent.errcode, 0);
});

test('notify: escapes are shown as they stand', async () => {
	const token = await shared.token();
	await shared.control('accepts',
	    { openid: 'o-one', template_id: TEMPLATE });
	const body = (value) => '{"touser":"o-one",' +
	    `"template_id":"${TEMPLATE}",` +
	    `"data":{"thing1":{"value":"${value}"}}}`;
	const where = `/cgi-bin/message/subscribe/send?access_token=${token}`;
	refused(await shared.ask(where, body('\\u6876\\u88c5\\u6c34\\u5230')),
	    47003, 'argument invalid! data.thing1.value invalid');
	assert.equal((await shared.ask(where, body('\\u6876\\"\\\\')))
	    .errcode, 0);
	const sent = await shared.control('messages?openid=o-one');
	assert.equal(sent.at(-1).data.thing1.value, '\\u6876"\\');
});

const VALUES = {
	thing1: [['桶装水已送达，请开门！12345678', '😀'],
		['一二三四五六七八九十一二三四五六七八九十一', 'a\nb', 'a\tb']],
	number2: [['12', '-1.50', '9'.repeat(32)],
		['1e5', '１２', '9'.repeat(33), '12桶']],
	letter3: [['Water', 'a'.repeat(32)], ['a1', 'a'.repeat(33), '水']],
	symbol4: [['!?', '，。！？；'], ['a', '!!!!!!']],
	character_string5: [['W-2026/11#7'], ['水1', 'a'.repeat(33)]],
	time6: [['15:01', '15:01:59', '2026年11月22日 15:01',
		'2026-11-22 09:00~2026-11-22 11:00', '9:00~11:00'],
		['24:01', '15:60', '下午三点', '9:00～11:00', '2026年']],
	date7: [['2026年11月22日', '2026年11月', '11月22日', '2026-11-22',
		'2026/11/22', '2026.11', '2026年11月22日 15:01',
		'2026-11-22~2026-11-23'],
		['2026-11/22', '明天', '2026-11-22～2026-11-23', '15:01']],
	amount8: [['¥12.30', '12.30元', '￥1234567890', '100'],
		['12.30.1', '12345678901', '￥', '一元', '12.3元整']],
	phone_number9: [['+86-0766-66888866', '13800138000'],
		['+86-0766-668888661', '电话', '1380013800a']],
	car_number10: [['粤A8Z888挂', '贵G12345'],
		['粤A8Z8888挂', '粤A水888', 'a']],
	name11: [['王小二', 'John Smith', '王A'],
		['一二三四五六七八九十一', 'a'.repeat(21), '王2']],
	phrase12: [['配送中', '一二三四五'], ['一二三四五六', 'ok', '好1']],
	enum13: [['yes'], ['maybe']],
};

for (const [key, [good, bad]] of Object.entries(VALUES))
	test(`notify: values of ${key}`, async () => {
		const token = await shared.token();
		const openid = `o-${key}`;
		const template_id = `with-${key}`;
		await shared.control('templates', { id: template_id,
			keys: [key], values: { enum13: ['yes', 'no'] } });
		await shared.control('templates',
		    { id: TEMPLATE, keys: ['thing1'] });
		await shared.control('accepts',
		    { openid, template_id, count: 100 });
		const send = (value) => shared.send(token, { touser: openid,
			template_id, data: { [key]: { value } } });
		const where = `argument invalid! data.${key}.value`;
		for (const value of good) {
			const answer = await send(value);
			assert.equal(answer.errcode, 0,
			    `${value}: ${answer.errmsg}`);
		}
		for (const value of bad)
			refused(await send(value), 47003,
			    `${where} invalid rid: `);
		refused(await send(''), 47003, `${where} is empty rid: `);
	});

test('notify: a registered template knows its keys', async () => {
	const one = await StandIn.start();
	const token = await one.token();
	await one.control('accepts', { openid: 'o-one',
		template_id: TEMPLATE });
	await one.control('templates',
	    { id: TEMPLATE, keys: ['thing1', 'time2'] });
	refused(await one.send(token, { template_id: 'not-registered' }),
	    40037);
	refused(await one.send(token), 47003,
	    'argument invalid! data.time2.value is empty');
	refused(await one.send(token, { data: { thing1: { value: 'a' },
		time2: { value: '9:00' }, thing3: { value: 'b' } } }), 47003,
	'argument invalid! data.thing3.value invalid');
	await one.stop();
});

test('notify: two at once to one person, not to two', async () => {
	const one = await StandIn.start('--notify-ms', '100');
	const token = await one.token();
	for (const openid of ['o-one', 'o-two'])
		await one.control('accepts',
		    { openid, template_id: TEMPLATE, count: 5 });
	const codes = async (...users) => (await Promise.all(users.map(
	    (touser) => one.send(token, { touser }))))
	    .map((answer) => answer.errcode).sort();
	assert.deepEqual(await codes('o-one', 'o-one'), [0, 43108]);
	assert.deepEqual(await codes('o-one', 'o-two'), [0, 0]);
	assert.deepEqual(await codes('o-one'), [0]);
	await one.stop();
});

test('faults: each mode, before and after acting', async () => {
	const one = await StandIn.start();
	const code = async () =>
	    (await one.control('login-codes', { openid: 'o-f' })).code;
	const spent = async (c) => (await one.control('state'))
	    .logins[c].used !== null;
	const fault = (mode, more = {}) => one.control('faults',
	    { kind: 'login', times: 1, mode, ...more });
	const raw = (c) => one.get(`/sns/jscode2session?appid=${APPID}` +
	    `&secret=${SECRET}&js_code=${c}` +
	    '&grant_type=authorization_code');

	for (const after_acting of [false, true]) {
		let c = await code();
		await fault('errcode', { errcode: -1, after_acting });
		refused(await one.login(c), -1, 'system error, rid: ');
		assert.equal(await spent(c), after_acting);

		c = await code();
		await fault('garbage', { after_acting });
		await assert.rejects((await raw(c)).json());
		assert.equal(await spent(c), after_acting);

		c = await code();
		await fault('http500', { after_acting });
		assert.equal((await raw(c)).status, 500);
		assert.equal(await spent(c), after_acting);

		c = await code();
		await fault('half', { after_acting });
		await assert.rejects((await raw(c)).text());
		assert.equal(await spent(c), after_acting);

		c = await code();
		await fault('close', { after_acting });
		await assert.rejects(raw(c));
		assert.equal(await spent(c), after_acting);

		c = await code();
		await fault('delay', { delay_ms: 150, after_acting });
		const start = performance.now();
		assert.equal((await one.login(c)).openid, 'o-f');
		assert.ok(performance.now() - start >= 140);

		c = await code();
		await fault('hang', { after_acting });
		await assert.rejects(fetch(`${one.url}/sns/jscode2session?` +
		    `appid=${APPID}&secret=${SECRET}&js_code=${c}` +
		    '&grant_type=authorization_code',
		{ signal: AbortSignal.timeout(200) }));
		assert.equal(await spent(c), after_acting);
	}
	await one.stop();
});

test('faults: so many times, of that kind, and cleared', async () => {
	const one = await StandIn.start();
	await one.control('faults', { kind: 'token', mode: 'errcode',
		errcode: 45011, errmsg: 'slower', times: 2 });
	refused(await one.login('x'), 40029);
	refused(await one.stable(), 45011, 'slower rid: ');
	refused(await one.stable(), 45011);
	assert.ok(await one.token());
	await one.control('faults', { kind: 'any', mode: 'errcode',
		errcode: -1, times: 9 });
	refused(await one.login('x'), -1);
	refused(await one.stable(), -1);
	await one.control('faults', undefined, 'DELETE');
	assert.ok(await one.token());
	const { calls } = await one.control('state');
	assert.deepEqual(calls, { login: 2, token: 5 });
	await one.stop();
});

test('faults: a hanging send keeps its person busy', async () => {
	const one = await StandIn.start();
	const token = await one.token();
	await one.control('accepts', { openid: 'o-one',
		template_id: TEMPLATE, count: 3 });
	await one.control('faults', { kind: 'notify', mode: 'hang',
		after_acting: true });
	const control = new AbortController();
	const first = fetch(`${one.url}/cgi-bin/message/subscribe/send` +
	    `?access_token=${token}`, { method: 'POST', signal: control.signal,
		body: JSON.stringify({ touser: 'o-one',
			template_id: TEMPLATE,
			data: { thing1: { value: 'a' } } }) });
	while ((await one.control('messages')).length === 0)
		;
	refused(await one.send(token), 43108);
	control.abort();
	await assert.rejects(first);
	while ((await one.send(token)).errcode === 43108)
		;
	assert.equal((await one.control('messages')).length, 2);
	await one.stop();
});

test('control: slips of the pen are refused', async () => {
	const status = async (name, method, body) => (await fetch(
	    `${shared.url}/_standin/${name}`, { method, body })).status;
	assert.equal(await status('login-codes', 'POST', '{}'), 400);
	assert.equal(await status('login-codes', 'POST', '[]'), 400);
	assert.equal(await status('login-codes', 'POST', '{'), 400);
	assert.equal(await status('login-codes', 'POST',
	    '{"openid":"o","extra":1}'), 400);
	assert.equal(await status('login-codes', 'POST',
	    '{"openid":"o o"}'), 400);
	assert.equal(await status('phone-codes', 'POST', '{"phone":"x"}'), 400);
	assert.equal(await status('faults', 'POST',
	    '{"kind":"login","mode":"errcode"}'), 400);
	assert.equal(await status('faults', 'POST',
	    '{"kind":"login","mode":"weird"}'), 400);
	assert.equal(await status('templates', 'POST',
	    '{"id":"a","keys":["what1"]}'), 400);
	assert.equal(await status('login-codes', 'GET'), 405);
	assert.equal(await status('nothing', 'GET'), 404);
	assert.equal(await status('login-codes', 'POST',
	    `{"openid":"${'o'.repeat(1 << 20)}"}`), 413);
	assert.equal(await status('login-codes', 'POST', '{"openid":"o"}'),
	    200);
});

test('page: shows the state and escapes it', async () => {
	const one = await StandIn.start();
	await one.control('login-codes', { openid: 'o-page' });
	await one.control('faults', { kind: 'any', mode: 'errcode',
		errcode: 40226, times: 7 });
	const answer = await one.get('/_standin/');
	assert.equal(answer.headers.get('content-type'),
	    'text/html; charset=utf-8');
	const text = await answer.text();
	assert.match(text, /o-page/);
	assert.match(text, /微信替身/);
	assert.match(text, /40226/);
	await one.control('faults', undefined, 'DELETE');
	await one.control('accepts',
	    { openid: 'o-one', template_id: TEMPLATE });
	await one.send(await one.token(),
	    { data: { thing1: { value: '<b>"\'&' } } });
	assert.match(await (await one.get('/_standin/')).text(),
	    /thing1: &lt;b&gt;&quot;&#39;&amp;</);
	assert.equal((await fetch(`${one.url}/`, { redirect: 'manual' }))
	    .status, 302);
	await one.stop();
});

test('state: kept in the file across a restart', async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'standin-'));
	const file = path.join(folder, 'state.json');
	let one = await StandIn.start('--state', file);
	const { code } = await one.control('login-codes',
	    { openid: '__proto__' });
	const used = await one.control('login-codes', { openid: 'o-kept' });
	await one.login(used.code);
	await one.control('accepts', { openid: 'o-one',
		template_id: TEMPLATE, count: 2 });
	const token = await one.token();
	await one.send(token);
	await one.control('clock', { offset_ms: 5000 });
	assert.equal(await one.stop(), 0);
	one = await StandIn.start('--state', file);
	assert.equal(await one.token(), token);
	assert.equal((await one.login(code)).openid, '__proto__');
	refused(await one.login(used.code), 40163);
	assert.equal((await one.control('messages')).length, 1);
	assert.equal((await one.send(token)).errcode, 0);
	refused(await one.send(token), 43101);
	assert.equal((await one.control('state')).offset_ms, 5000);
	// Written while it runs, too: after a while a kill loses nothing.
	while (!fs.readFileSync(file, 'utf8').includes('"o-one":{"water-' +
	    'order-progress":0}'))
		await new Promise((resolve) => setTimeout(resolve, 20));
	await one.stop('SIGKILL');
	one = await StandIn.start('--state', file);
	assert.equal((await one.control('messages')).length, 2);
	await one.stop();
	assert.deepEqual(fs.readdirSync(folder), ['state.json']);
	fs.rmSync(folder, { recursive: true });
});

test('stop: SIGTERM ends it at once, calls that hang or not',
    async () => {
	const one = await StandIn.start();
	await one.control('faults', { kind: 'login', mode: 'hang' });
	const hanging = assert.rejects(one.login('x'));
	while ((await one.control('state')).calls.login !== 1)
		;
	assert.equal(await one.stop(), 0);
	await hanging;
});

test('start: wrong use, a port that is taken, a broken file', async () => {
	const end = (...args) => new Promise((resolve) => {
		const child = spawn(process.execPath, [PROGRAM, ...args],
		    { stdio: 'ignore' });
		child.once('exit', resolve);
	});
	assert.equal(await end(), 2);
	assert.equal(await end('--port', 'x'), 2);
	assert.equal(await end('--port', '0', '--what', '1'), 2);
	assert.equal(await end('--port', new URL(shared.url).port), 1);
	assert.equal(await end('--port', '0', '--state', PROGRAM), 1);
});

test('stop: the one that the tests shared', async () => {
	assert.equal(await shared.stop(), 0);
});
