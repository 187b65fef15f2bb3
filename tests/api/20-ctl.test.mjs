// SPDX-License-Identifier: Apache-2.0
//
// 20-ctl -- planetctl: the demo, staff accounts, imports, the doctor.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { MINUTE, start, test } from './harness.mjs';
import { HERE } from './lib/fixture.mjs';
import { run } from './lib/proc.mjs';
import { ORDERS } from './lib/water.mjs';

// The lock-out has its own tests.
const p = await start({ demo: true, conf: { login_tries: 100 } });
const demo = JSON.parse(fs.readFileSync(`${p.dir}/demo.json`, 'utf8'));
const STAFF = '/api/v1/sessions/staff';
const PLACES = '/api/v1/territory';

const login = (account, password) => p.call('POST', STAFF,
    { body: { account, password } });
const me = (token) => p.call('GET', '/api/v1/me', { token });
const file = (name, text) => {
	const full = path.join(p.dir, name);

	fs.writeFileSync(full, text, { mode: 0o600 });
	return full;
};
const fails = async (pattern, ...args) => assert.rejects(p.ctl(...args),
    (error) => {
	assert.match(error.message, pattern);
	return true;
});

test('demo.json says who is who', () => {
	assert.deepEqual([demo.base_url, demo.standin_url],
	    [p.base, p.wx.url]);
	assert.ok(demo.staff.length >= 10 && demo.residents.length >= 10);
	assert.ok(demo.payees.length >= 4);
	for (const one of demo.payees)
		assert.ok(one.account && one.password && one.payee &&
		    one.bill_kinds.length > 0, one.account);
	for (const one of demo.staff)
		assert.ok(one.account && one.password && one.community &&
		    one.roles.length > 0, one.account);
	for (const one of demo.residents)
		assert.match(one.phone, /^1[3-9]\d{9}$/);
	assert.equal(fs.statSync(`${p.dir}/demo.json`).mode & 0o077, 0);
});

test('every account of the demo logs in with its roles', async () => {
	for (const one of demo.staff) {
		const s = await p.staff(one.account);
		assert.deepEqual(s.user.roles, one.roles, one.account);
		assert.equal(s.user.community_id, one.community);
		const life = Date.parse(s.expires_at) - p.clock.now();
		assert.ok(life > 29 * MINUTE && life <= 30 * MINUTE + 1000);
	}
});

test('a wrong password and an unknown account look the same', async () => {
	const [one] = demo.staff;
	const [a, b] = [await login(one.account, 'wrong'),
		await login('nobody', one.password)];

	assert.deepEqual([a.status, b.status], [401, 401]);
	assert.equal(a.json.code, 'bad_credentials');
	assert.deepEqual({ ...a.json, request_id: '' },
	    { ...b.json, request_id: '' });
	for (const [account, password] of [['', ''], [one.account, ''],
		['', one.password], [one.account, 'x'.repeat(129)]])
		assert.equal((await login(account, password)).status, 422);
	for (const password of [`${one.password} `, ` ${one.password}`,
		one.password.toUpperCase()])
		assert.equal((await login(one.account, password)).status,
		    401);
	assert.ok(!p.log().some((line) => line.includes(one.password)));
});

test('an unknown account takes as long as a wrong password', async () => {
	const [one] = demo.staff;
	const time = async (account) => {
		const all = [];
		for (let i = 0; i < 5; i++) {
			const began = process.hrtime.bigint();
			await login(account, 'wrong');
			all.push(Number(process.hrtime.bigint() - began));
		}
		return all.sort((a, b) => a - b)[2];
	};
	const ratio = await time('nobody') / await time(one.account);

	assert.ok(ratio > 0.4 && ratio < 2.5, `${ratio}`);
});

test('a staff session ends after half an hour of rest', async () => {
	const { account } = demo.staff[1];
	const [used, idle] = [await p.staff(account), await p.staff(account)];

	for (let i = 0; i < 3; i++) {
		p.clock.add(20 * MINUTE);
		assert.equal((await me(used.token)).status, 200);
	}
	assert.equal((await me(idle.token)).status, 401);
	p.clock.add(31 * MINUTE);
	assert.equal((await me(used.token)).status, 401);
});

test('a resident of the demo can order from its station', async () => {
	const one = demo.residents[0];
	const who = await p.as(one.openid);

	await p.yes(200, 'PATCH', '/api/v1/me', { as: who,
		body: { community_id: one.community } });
	const { id } = await p.yes(201, 'POST', '/api/v1/me/addresses',
	    { as: who, body: { dwelling_id: one.dwelling_id,
		contact: '张三', phone: one.phone } });
	const { items } = await p.yes(200, 'GET',
	    `/api/v1/water/stations?address_id=${id}`, { as: who });
	assert.ok(items.length >= 2);
	const goods = (await p.yes(200, 'GET', '/api/v1/water/products' +
	    `?station_id=${items[0].id}`, { as: who })).items;
	await p.yes(201, 'POST', ORDERS, { as: who, body: {
		station_id: items[0].id, address_id: id,
		items: [{ product_id: goods[0].id, quantity: 1 }],
		payment: 'on_delivery' } });
});

test('the demo a second time leaves all as it is', async () => {
	const stock = await p.value('SELECT SUM(stock) FROM water_product');
	const count = await p.value('SELECT COUNT(*) FROM place');

	await p.ctl('demo', '--base-url', p.base, '--standin-url', p.wx.url);
	assert.deepEqual(JSON.parse(fs.readFileSync(`${p.dir}/demo.json`)),
	    demo);
	assert.equal(await p.value('SELECT SUM(stock) FROM water_product'),
	    stock);
	assert.equal(await p.value('SELECT COUNT(*) FROM place'), count);
});

test('an account is created, and its password changed', async () => {
	const first = file('pw1', 'Erstes-Passwort-1\n');
	const second = file('pw2', 'Zweites-Passwort-2\n');

	await p.ctl('admin', 'create', '--account', 'boss', '--community',
	    '520403001001', '--role', 'admin', '--role', 'clerk', '--name',
	    '李主任', '--password-file', first);
	const s = await login('boss', 'Erstes-Passwort-1');
	assert.equal(s.status, 201, s.text);
	assert.deepEqual([s.json.user.name, s.json.user.community_id,
		s.json.user.roles], ['李主任', HERE, ['clerk', 'admin']]);
	assert.match(await p.ctl('admin', 'list'), /^boss\tadmin\t李主任/m);

	await p.ctl('admin', 'reset-password', '--account', 'boss',
	    '--password-file', second);
	assert.equal((await me(s.json.token)).status, 401);
	assert.equal((await login('boss', 'Erstes-Passwort-1')).status, 401);
	assert.equal((await login('boss', 'Zweites-Passwort-2')).status, 201);
	const hash = await p.value('SELECT password FROM app_user WHERE' +
	    " account = 'boss'");
	assert.match(hash, /^\$argon2id\$/);
});

test('accounts that cannot be', async () => {
	const pw = file('pw', 'Ein-Passwort-123\n');
	const create = (...more) => ['admin', 'create', '--password-file',
		pw, ...more];

	await fails(/already/, ...create('--account', 'boss', '--community',
	    '520403001001'));
	await fails(/no community/, ...create('--account', 'other',
	    '--community', '999999999999'));
	await fails(/no such role/, ...create('--account', 'other',
	    '--community', '520403001001', '--role', 'king'));
	await fails(/--community/, ...create('--account', 'other'));
	for (const account of ['ab', 'A-Boss', '1boss', 'bo ss', "o'neil"])
		await fails(/account is/, ...create('--account', account,
		    '--community', '520403001001'));
	await fails(/no such account/, 'admin', 'reset-password',
	    '--account', 'nobody', '--password-file', pw);
	assert.equal(await p.value('SELECT COUNT(*) FROM app_user WHERE' +
	    " account = 'other'"), '0');
});

const HEAD = '小区,楼栋,单元,房号,楼层,电梯\n';
const load = (text, name = 'places.csv') => p.ctl('import', 'territory',
    file(name, text), '--community', '520403001001');
const places = async (parent) => (await p.yes(200, 'GET', PLACES +
    (parent ? `?parent=${parent}` : ''), { as: await p.resident(1) })).items;

test('places come in from a table, and a second time change nothing',
    async () => {
	const text = HEAD + '新苑,1栋,1单元,101,1,否\n' +
	    '新苑,1栋,1单元,1102,11,否\n新苑,10栋,1单元,101,1,否\n' +
	    '新苑,2栋,1单元,101,1,否\n';
	const rows = () => p.sql('SELECT id, full_name, floor, lift FROM' +
	    ' place ORDER BY id');

	await load(text);
	const before = await rows();
	await load(text);
	assert.deepEqual(await rows(), before);
	const compound = (await places()).find((one) =>
	    one.name === '新苑');
	const buildings = await places(compound.id);
	assert.deepEqual(buildings.map((one) => one.name),
	    ['1栋', '2栋', '10栋']);
	const [entrance] = await places(buildings[0].id);
	assert.deepEqual((await places(entrance.id)).map((one) => [one.name,
		one.floor, one.lift]), [['101', 1, false],
		['1102', 11, false]]);
});

test('a faulty table changes nothing, and each fault is named', async () => {
	const before = await p.value('SELECT COUNT(*) FROM place');
	const bad = (text, pattern) => assert.rejects(load(text, 'bad.csv'),
	    (error) => {
		assert.match(error.message, pattern);
		return true;
	});

	await bad(HEAD + '好苑,1栋,1单元,101,1,否\n好苑,1栋,1单元,102,x,否\n' +
	    '好苑,1栋,1单元,103,1,也许\n,1栋,1单元,104,1,否\n',
	    /3 行[^]*4 行[^]*5 行/);
	await bad('', /./);
	await bad('a,b,c\n1,2,3\n', /./);
	await bad(HEAD + '好苑,1栋,1单元,"101,1,否\n', /./);
	await bad(Buffer.from([0xff, 0xfe, 0x00, 0x41]), /./);
	await fails(/./, 'import', 'territory', '/nowhere.csv',
	    '--community', '520403001001');
	assert.equal(await p.value('SELECT COUNT(*) FROM place'), before);
});

test('the doctor finds a well instance well, and what ails it', async () => {
	const well = await p.ctl('doctor');
	assert.match(well, /^ok .*WeChat Pay at .* signatures are good$/m);

	assert.doesNotMatch(well, /^FAIL/m);
	assert.match(well, /^ok {4}database/m);
	await p.stop('redis');
	await fails(/^FAIL {2}Redis/m, 'doctor');
	await p.start('redis');
	await p.ctl('doctor');
});

test('what needs no instance runs without one', async () => {
	const bare = (...args) => run(p.program('planetctl'), args);

	for (const args of [['routes'], ['openapi'], ['flows'],
		['flows', '--graphviz'], ['conf-sample']])
		assert.ok((await bare(...args)).length > 500, args[0]);
	assert.match(await bare('conf-sample'), /^\[server\]/m);
	await assert.rejects(bare('dance'));
	await assert.rejects(bare());
	await assert.rejects(run(p.program('planetctl'),
	    ['--config', '/nowhere', 'migrate']), /\/nowhere: No such file/);
});

test('what needs an instance asks which', { skip: fs.existsSync(
    '/etc/planet/planet.conf') && 'there is one here' }, async () => {
	for (const args of [['migrate'], ['doctor'], ['nginx'], ['import'],
		['import', 'territory', '/nowhere.csv'], ['admin', 'list'],
		['admin', 'create', '--account', 'boss']])
		await assert.rejects(run(p.program('planetctl'), args),
		    (error) => {
			assert.match(error.message, /name its\nconfiguration/);
			assert.match(error.message, new RegExp('^usage: ' +
			    `planetctl --config FILE ${args[0]}`, 'm'));
			assert.doesNotMatch(error.message, /No such file/);
			return true;
		});
	// One that is named and another that is not understood.
	await fails(/^usage: planetctl --config FILE import/m, 'import');
	await fails(/^usage: planetctl --config FILE admin/m, 'admin',
	    'crown');
});

test('a schema that is newer than the program is refused', async () => {
	assert.match(await p.ctl('check'), /ok/);
	assert.match(await p.ctl('migrate'), /^0 migrations/);
	await p.sql('INSERT INTO schema_version VALUES' +
	    " (9999, '9999-later', 'x', 1)");
	await fails(/./, 'check');
	await fails(/./, 'migrate');
	await p.sql('DELETE FROM schema_version WHERE version = 9999');
	// Nor one whose migrations are not ours.
	await p.sql("UPDATE schema_version SET sha256 = 'x' WHERE" +
	    ' version = 1');
	await fails(/./, 'check');
});
