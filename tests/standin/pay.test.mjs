// SPDX-License-Identifier: Apache-2.0
//
// pay.test.mjs -- the pay side: its gate, orders, refunds, faults, keys.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt,
	X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { after, before, test } from 'node:test';

import { APPID, MCHID, Merchant } from './pay-client.mjs';

const JSAPI = '/v3/pay/transactions/jsapi';
const REFUNDS = '/v3/refund/domestic/refunds';
const BY_NUMBER = '/v3/pay/transactions/out-trade-no';
const MINUTE = 60_000;

let m;
before(async () => {
	m = await Merchant.start();
});
after(() => m.stop());

test('keys are made once, and closed to others', async () => {
	for (const name of ['apiclient_key.pem', 'apiv3.key',
		'merchant.serial'])
		assert.equal(fs.statSync(m.file(name)).mode & 0o777, 0o600);
	assert.match(m.serial, /^[0-9A-F]{40}$/);
	assert.match(m.apiv3, /^[A-Za-z0-9]{32}$/);
	assert.match(Object.keys(m.platform)[0], /^PUB_KEY_ID_01\d{32}$/);
});

test('the gate: who asks, and when', async () => {
	const where = `${BY_NUMBER}/NOBODY01?mchid=${MCHID}`;
	const ask = (how) => m.no(401, 'SIGN_ERROR', 'GET', where, how);
	const says = async (how, words) => assert.match(
	    (await ask(how)).message, words);
	const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
	    .privateKey;

	await m.no(404, 'ORDER_NOT_EXIST', 'GET', where);
	await says({ headers: { Authorization: null } }, /^签名信息错误，/);
	await says({ authorization: 'nonsense' }, /值格式错误/);
	await says({ authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1"' },
	    /值格式错误/);
	await says({ scheme: 'WECHATPAY2-SM2-WITH-SM3' }, /认证类型不正确/);
	await says({ mchid: '1900000110' }, /未申请过证书/);
	await says({ serial: '0'.repeat(40) }, /证书序列号有误/);
	await says({ key: stranger }, /^签名错误/);
	// The clock is looked at before the signature.
	await says({ key: stranger, at: m.now() - 302_000 }, /5分钟/);
	await says({ at: m.now() + 302_000 }, /5分钟/);
	for (const skew of [-299_000, 299_000])
		await m.no(404, 'ORDER_NOT_EXIST', 'GET', where,
		    { at: m.now() + skew });
	for (const name of ['User-Agent', 'Accept'])
		await m.no(400, 'INVALID_REQUEST', 'GET', where,
		    { headers: { [name]: null } });
	for (const [status, method, path] of [[404, 'GET', '/v3/nothing'],
		[405, 'GET', JSAPI], [405, 'POST', '/v3/certificates']]) {
		const answer = await m.ask(method, path);
		assert.equal(answer.status, status);
		assert.equal(answer.text, '');
	}
});

test('a wrong signature is told our message', async () => {
	const raw = JSON.stringify(m.orderBody('WRONG001'));
	const { detail } = await m.no(401, 'SIGN_ERROR', 'POST', JSAPI,
	    { raw, signed: '/v3/other' });
	const info = detail.sign_information;
	const lines = info.truncated_sign_message.split('\n');

	assert.equal(detail.issue, 'sign not match');
	assert.equal(info.method, 'POST');
	assert.equal(info.url, JSAPI);
	assert.deepEqual(lines.slice(0, 2), ['POST', JSAPI]);
	assert.equal(lines[4], raw.slice(0, 8));
	assert.equal(lines.length, 6);
	assert.equal(info.sign_message_length, Buffer.byteLength(
	    `${lines.slice(0, 4).join('\n')}\n${raw}\n`));
});

test('the body: what is not known or not allowed', async () => {
	const refuse = (body, code = 'PARAM_ERROR') =>
	    m.no(400, code, 'POST', JSAPI, { body });
	const base = m.orderBody('BODY0001');

	assert.match((await refuse({ ...base, amount: { total: 0 } })).message,
	    /校验失败，值低于最小值 1$/);
	await refuse({ ...base, amount: { total: -1 } });
	await refuse({ ...base, amount: { total: 1.5 } });
	await refuse({ ...base, amount: { total: '1' } });
	await refuse({ ...base, colour: 'red' });
	await refuse({ ...base, payer: { openid: 'a', unionid: 'b' } });
	await refuse({ ...base, attach: null });
	await refuse({ ...base, scene_info: { payer_client_ip: null } });
	await refuse({ ...base, description: '水💧' });
	await refuse({ ...base, description: 'x'.repeat(128) });
	await refuse({ ...base, out_trade_no: 'SHORT' });
	await refuse({ ...base, out_trade_no: 'A'.repeat(33) });
	await refuse({ ...base, out_trade_no: 'WITH BLANK' });
	await refuse({ ...base, notify_url: 'https://example.com/a?b=c' });
	await refuse({ ...base, mchid: '1900000110' });
	await refuse({ ...base, appid: 'wx00000000000000bb' },
	    'APPID_MCHID_NOT_MATCH');
	await refuse({ ...base, payer: undefined });
	await m.no(400, 'PARAM_ERROR', 'POST', JSAPI, { raw: '{"a":' });
	await m.no(400, 'PARAM_ERROR', 'POST', JSAPI,
	    { raw: JSON.stringify(base).replace('物', '\\ud83d\\udca7') });
	await m.no(404, 'ORDER_NOT_EXIST', 'GET',
	    `${BY_NUMBER}/BODY0001?mchid=${MCHID}`);
	await m.no(400, 'PARAM_ERROR', 'GET',
	    `${BY_NUMBER}/BODY0001?mchid=1900000110`);
	await m.no(400, 'PARAM_ERROR', 'GET', `${BY_NUMBER}/BODY0001`);
});

test('an order: the same again, another, paid, closed', async () => {
	const first = await m.order('ORDER001');
	const again = await m.order('ORDER001');
	const body = m.orderBody('ORDER001', { amount: { total: 101 } });

	assert.notEqual(first, again);
	assert.ok(first.length <= 64);
	await m.no(403, 'OUT_TRADE_NO_USED', 'POST', JSAPI, { body });
	const before = await m.query('ORDER001');
	assert.equal(before.trade_state, 'NOTPAY');
	assert.equal(before.transaction_id, undefined);
	const { transaction_id } = await m.control('POST', 'payments',
	    { prepay_id: first });
	await m.control('POST', 'payments', { prepay_id: again }, 400);
	const paid = await m.query('ORDER001');
	assert.equal(paid.trade_state, 'SUCCESS');
	assert.deepEqual(paid.amount, { total: 100, payer_total: 100,
		currency: 'CNY', payer_currency: 'CNY' });
	assert.equal(paid.payer.openid, 'anna');
	assert.equal(paid.appid, APPID);
	assert.deepEqual(await m.yes('GET', '/v3/pay/transactions/id/' +
	    `${transaction_id}?mchid=${MCHID}`), paid);
	await m.no(404, 'ORDER_NOT_EXIST', 'GET',
	    `/v3/pay/transactions/id/4200?mchid=${MCHID}`);
	await m.no(400, 'ORDER_PAID', 'POST', `${BY_NUMBER}/ORDER001/close`,
	    { body: { mchid: MCHID } });
	await m.no(400, 'ORDER_PAID', 'POST', JSAPI,
	    { body: m.orderBody('ORDER001') });
});

test('closed is final, and 204 is signed', async () => {
	const prepay_id = await m.order('CLOSE001');
	const close = () => m.ask('POST', `${BY_NUMBER}/CLOSE001/close`,
	    { body: { mchid: MCHID } });

	for (let i = 0; i < 2; i++) {
		const answer = await close();
		assert.equal(answer.status, 204);
		assert.equal(answer.text, '');
		assert.ok(m.proves(answer.headers, answer.bytes));
	}
	assert.equal((await m.query('CLOSE001')).trade_state, 'CLOSED');
	await m.control('POST', 'payments', { prepay_id }, 400);
	await m.no(400, 'ORDER_CLOSED', 'POST', JSAPI,
	    { body: m.orderBody('CLOSE001') });
	await m.no(404, 'ORDER_NOT_EXIST', 'POST',
	    `${BY_NUMBER}/NONE0001/close`, { body: { mchid: MCHID } });
});

test('a prepay_id lives two hours, an order as long as it says',
    async () => {
	const at = m.now();
	const long = await m.order('LIFE0001');
	const time_expire = new Date(at + 5 * MINUTE).toISOString();
	const short = await m.order('LIFE0002', { time_expire });

	// Less than a minute is made one.
	const soon = await m.order('LIFE0003',
	    { time_expire: new Date(at + 1000).toISOString() });
	m.moveTo(at + 30_000);
	await m.control('POST', 'payments', { prepay_id: soon,
		result: 'failed' });
	m.moveTo(at + 62_000);
	await m.control('POST', 'payments', { prepay_id: soon }, 400);
	m.moveTo(at + 4 * MINUTE);
	await m.control('POST', 'payments', { prepay_id: short,
		result: 'failed' });
	m.moveTo(at + 6 * MINUTE);
	await m.control('POST', 'payments', { prepay_id: short }, 400);
	m.moveTo(at + 121 * MINUTE);
	await m.control('POST', 'payments', { prepay_id: long }, 400);
	const fresh = await m.order('LIFE0001');
	const { state } = await m.control('POST', 'payments',
	    { prepay_id: fresh });
	assert.equal(state, 'SUCCESS');
});

test('refunds: once for a number, never more than was paid', async () => {
	const refund = (...how) => m.yes('POST', REFUNDS, m.refund(...how));
	const no = (status, code, ...how) => m.no(status, code, 'POST',
	    REFUNDS, m.refund(...how));

	await m.control('POST', 'pay', { refunds: { hold: true } });
	await m.order('REFUND01');
	await no(404, 'RESOURCE_NOT_EXISTS', 'REFUND01', 'R1', 40);
	await m.pay('REFUND01');
	await no(400, 'INVALID_REQUEST', 'REFUND01', 'R1', 40, 101);
	const first = await refund('REFUND01', 'R1', 40);
	assert.equal(first.status, 'PROCESSING');
	assert.deepEqual(await refund('REFUND01', 'R1', 40), first);
	await no(400, 'INVALID_REQUEST', 'REFUND01', 'R1', 41);
	await no(403, 'NOT_ENOUGH', 'REFUND01', 'R2', 61);
	await refund('REFUND01', 'R2', 60);
	await no(403, 'NOT_ENOUGH', 'REFUND01', 'R3', 1);
	assert.equal((await m.query('REFUND01')).trade_state, 'REFUND');
	m.heard = [];
	await m.control('POST', 'refunds', { refund_number: 'R1' });
	const [{ json, news, proved, path }] = m.heard;
	assert.ok(proved);
	assert.equal(path, '/refunds');
	assert.equal(json.event_type, 'REFUND.SUCCESS');
	assert.equal(news.refund_status, 'SUCCESS');
	assert.equal(news.status, undefined);
	const done = await m.yes('GET', `${REFUNDS}/R1`);
	assert.equal(done.status, 'SUCCESS');
	assert.ok(done.success_time);
	// One that is closed gives the sum back, one that is odd does not.
	await m.control('POST', 'refunds', { refund_number: 'R2',
		result: 'ABNORMAL' });
	assert.equal(m.heard[1].json.event_type, 'REFUND.ABNORMAL');
	await no(403, 'NOT_ENOUGH', 'REFUND01', 'R3', 1);
	await m.control('POST', 'refunds', { refund_number: 'R2',
		result: 'CLOSED' });
	await refund('REFUND01', 'R3', 60);
	await m.no(404, 'RESOURCE_NOT_EXISTS', 'GET', `${REFUNDS}/R9`);
	await m.control('POST', 'pay', { reset: true });
});

test('refunds of one payment may have to wait a minute', async () => {
	await m.pay('APART001');
	await m.control('POST', 'pay', { refund_apart_ms: MINUTE });
	await m.yes('POST', REFUNDS, m.refund('APART001', 'A1', 10));
	await m.no(429, 'FREQUENCY_LIMITED', 'POST', REFUNDS,
	    m.refund('APART001', 'A2', 10));
	m.moveTo(m.now() + MINUTE);
	await m.yes('POST', REFUNDS, m.refund('APART001', 'A2', 10));
	await m.control('POST', 'pay', { reset: true });
});

test('a payment is refunded at most 50 times; by itself', async () => {
	await m.pay('MANY0001');
	m.heard = [];
	for (let i = 0; i < 50; i++)
		await m.yes('POST', REFUNDS, m.refund('MANY0001', `M${i}`, 1));
	await m.no(400, 'INVALID_REQUEST', 'POST', REFUNDS,
	    m.refund('MANY0001', 'M50', 1));
	await m.hear(50);
	assert.equal((await m.yes('GET', `${REFUNDS}/M49`)).status, 'SUCCESS');
});

test('faults: nothing done, done but not told, answers spoilt',
    async () => {
	const fault = (mode, more) => m.control('POST', 'pay',
	    { faults: [{ path: 'jsapi', mode, ...more }] });
	const order = (number, how) => m.ask('POST', JSAPI,
	    { body: m.orderBody(number), ...how });
	const exists = async (number) => (await m.ask('GET',
	    `${BY_NUMBER}/${number}?mchid=${MCHID}`)).status === 200;

	for (const [mode, status, code] of [
		['system_error', 500, 'SYSTEM_ERROR'],
		['userpaying', 202, 'USERPAYING'],
		['too_many', 429, 'FREQUENCY_LIMITED']]) {
		await fault(mode);
		const answer = await order(`BEFORE${status}`);
		assert.equal(answer.status, status);
		assert.equal(answer.json.code, code);
		assert.equal(await exists(`BEFORE${status}`), false);
	}
	await fault('acted_error');
	assert.equal((await order('ACTED001')).status, 500);
	assert.ok(await exists('ACTED001'));
	for (const mode of ['acted_hang', 'acted_close']) {
		await fault(mode);
		await assert.rejects(order(mode, { patience: 200 }));
		assert.ok(await exists(mode));
	}
	await fault('hang');
	await assert.rejects(order('HANG0001', { patience: 200 }));
	assert.equal(await exists('HANG0001'), false);
	await fault('half');
	await assert.rejects(order('HALF0001'));
	for (const mode of ['bad_signature', 'wrong_nonce', 'unknown_serial',
		'signtest', 'old_timestamp', 'garbage']) {
		await fault(mode);
		const answer = await order(`SPOILT_${mode}`);
		assert.equal(answer.status, 200);
		assert.ok(!m.proves(answer.headers, answer.bytes), mode);
	}
	await fault('system_error', { times: 2 });
	await order('TWICE001');
	assert.equal((await order('TWICE001')).status, 500);
	assert.equal((await order('TWICE001')).status, 200);
	await m.control('POST', 'pay', { spelling: 'old' });
	await m.no(404, 'ORDERNOTEXIST', 'GET',
	    `${BY_NUMBER}/NOBODY01?mchid=${MCHID}`);
	await m.control('POST', 'pay', { reset: true });
});

test('the merchant\'s certificate ends; the clocks differ', async () => {
	const where = `${BY_NUMBER}/NOBODY01?mchid=${MCHID}`;

	await m.control('POST', 'pay', { serial: 'expired' });
	assert.match((await m.no(401, 'SIGN_ERROR', 'GET', where)).message,
	    /已过期/);
	await m.control('POST', 'pay', { serial: 'good', offset_ms: 302_000 });
	assert.match((await m.no(401, 'SIGN_ERROR', 'GET', where)).message,
	    /5分钟/);
	await m.control('POST', 'pay', { reset: true });
	await m.no(404, 'ORDER_NOT_EXIST', 'GET', where);
});

test('keys of the platform: which signs, certificates, rotation',
    async () => {
	const [old] = Object.keys(m.platform);
	const ask = (serial) => m.ask('GET', '/v3/certificates',
	    { headers: { 'Wechatpay-Serial': serial } });
	const { data: [one] } = (await ask(old)).json;
	const certificate = new X509Certificate(
	    m.open(one.encrypt_certificate));

	assert.equal(certificate.serialNumber, one.serial_no);
	m.platform[one.serial_no] = certificate.publicKey;
	for (const serial of [old, one.serial_no]) {
		const answer = await ask(serial);
		assert.equal(answer.headers['wechatpay-serial'], serial);
		assert.ok(m.proves(answer.headers, answer.bytes));
	}
	await m.control('POST', 'pay', { platform: 'key' });
	await m.no(404, 'RESOURCE_NOT_EXISTS', 'GET', '/v3/certificates');
	await m.control('POST', 'pay', { platform: 'certificate' });
	assert.equal((await ask(old)).headers['wechatpay-serial'],
	    one.serial_no);
	await m.control('POST', 'pay', { platform: 'both', rotate: {} });
	const names = fs.readdirSync(m.file('platform-keys'));
	assert.equal(names.length, 2);
	m.readKeys();
	assert.equal((await ask(old)).headers['wechatpay-serial'], old);
	await m.control('POST', 'pay', { rotate: { drop: true, give: false } });
	const answer = await ask(old);
	assert.notEqual(answer.headers['wechatpay-serial'], old);
	assert.ok(!m.proves(answer.headers, answer.bytes));
	await m.control('POST', 'pay', { rotate: { drop: true } });
	m.readKeys();
});

test('the harmless self-test', async () => {
	const serial = Object.keys(m.platform).sort().at(-1);
	const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING,
		oaepHash: 'sha1' };
	const secret = publicEncrypt({ key: m.platform[serial], ...oaep },
	    Buffer.from('密')).toString('base64');
	const how = { headers: { 'Wechatpay-Serial': serial } };
	const open = (text) => privateDecrypt({ key: m.key, ...oaep },
	    Buffer.from(text, 'base64')).toString('utf8');

	m.heard = [];
	const said = await m.yes('POST', '/v3/security/echo', { ...how,
		body: { echo_message: 'hello', encrypted_echo_message: secret,
			notify_url: `${m.earUrl}/echo` } });
	assert.equal(said.echo_message, 'hello');
	assert.equal(open(said.encrypted_echo_message), '密');
	const [{ json, news, proved }] = await m.hear(1);
	assert.ok(proved);
	assert.equal(json.event_type, 'SECURITY_ECHO.SUCCESS');
	assert.equal(open(news.encrypt_echo_message), '密');
	await m.no(400, 'PARAM_ERROR', 'POST', '/v3/security/echo', { ...how,
		body: { echo_message: 'x', encrypted_echo_message: 'AAAA' } });
	await m.no(400, 'PARAM_ERROR', 'POST', '/v3/security/echo',
	    { ...how, body: {} });
});

test('a service provider, for a merchant under it', async () => {
	const at = '/v3/pay/partner/transactions';
	const { appid, mchid, ...rest } = m.orderBody('PARTNER1');
	const body = { ...rest, sp_appid: APPID, sp_mchid: MCHID,
		sub_mchid: '1900000222', payer: { sp_openid: 'anna' } };
	const query = `${at}/out-trade-no/PARTNER1?sp_mchid=${MCHID}`;

	assert.ok(appid && mchid);
	await m.no(400, 'PARAM_ERROR', 'POST', `${at}/jsapi`,
	    { body: { ...body, payer: {} } });
	await m.no(400, 'PARAM_ERROR', 'POST', `${at}/jsapi`,
	    { body: { ...body, sp_mchid: '1900000110' } });
	const { prepay_id } = await m.yes('POST', `${at}/jsapi`, { body });
	m.heard = [];
	await m.control('POST', 'payments', { prepay_id });
	const [{ news }] = m.heard;
	assert.equal(news.sp_mchid, MCHID);
	assert.equal(news.sub_mchid, '1900000222');
	assert.equal(news.mchid, undefined);
	const seen = await m.yes('GET', `${query}&sub_mchid=1900000222`);
	assert.equal(seen.trade_state, 'SUCCESS');
	await m.no(404, 'ORDER_NOT_EXIST', 'GET', `${query}&sub_mchid=1`);
	await m.no(404, 'ORDER_NOT_EXIST', 'GET',
	    `${BY_NUMBER}/PARTNER1?mchid=${MCHID}`);
	await m.no(404, 'RESOURCE_NOT_EXISTS', 'POST', REFUNDS,
	    m.refund('PARTNER1', 'P1', 100));
	const refund = m.refund('PARTNER1', 'P1', 100);
	refund.body.sub_mchid = '1900000222';
	await m.yes('POST', REFUNDS, refund);
	await m.yes('GET', `${REFUNDS}/P1?sub_mchid=1900000222`);
});

test('without a folder nobody is a merchant', async () => {
	const none = new Merchant();
	Object.assign(none, { dir: m.dir, clock: m.clock, offset: m.offset,
		more: ['--pay-dir', ''], key: m.key, serial: m.serial });
	await none.up();
	try {
		const { message } = await none.no(401, 'SIGN_ERROR', 'POST',
		    JSAPI, { body: m.orderBody('NOBODY01') });
		assert.match(message, /未申请过证书/);
		await none.control('POST', 'payments', { prepay_id: 'wx0' },
		    400);
		const { serials } = await none.control('GET', 'pay');
		assert.deepEqual(serials, []);
	} finally {
		await none.down('SIGKILL');
	}
	await m.control('POST', 'pay', { colour: 'red' }, 400);
	await m.control('POST', 'payments', { number: 'NOBODY01' }, 400);
});

test('the page for a person: what can be paid has a button', async () => {
	const prepay_id = await m.order('PAGE0001',
	    { description: '<b>水费</b>' });
	const html = async () =>
	    (await fetch(`${m.url}/_standin/`)).text();

	assert.ok((await html()).includes(`data-id="${prepay_id}"`));
	assert.ok((await html()).includes('&lt;b&gt;水费&lt;/b&gt;'));
	await m.control('POST', 'payments', { prepay_id });
	assert.ok(!(await html()).includes(`data-id="${prepay_id}"`));
	assert.ok((await html()).includes('PAGE0001'));
});

test('orders and refunds outlive a crash', async () => {
	await m.pay('LASTING1', { notices: 'lost' });
	await m.control('POST', 'pay', { refunds: { hold: true } });
	await m.yes('POST', REFUNDS, m.refund('LASTING1', 'L1', 30));
	const prepay_id = await m.order('LASTING2');
	await m.down('SIGKILL');
	m.heard = [];
	await m.up();
	assert.equal((await m.query('LASTING1')).trade_state, 'REFUND');
	await m.hear(1);	// the refund goes on by itself
	assert.equal((await m.yes('GET', `${REFUNDS}/L1`)).status, 'SUCCESS');
	await m.no(403, 'NOT_ENOUGH', 'POST', REFUNDS,
	    m.refund('LASTING1', 'L2', 71));
	await m.control('POST', 'payments', { prepay_id });
});
