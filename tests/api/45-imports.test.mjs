// SPDX-License-Identifier: Apache-2.0
//
// 45-imports -- files of places, grids and persons: uploaded by a clerk,
// checked, compared, applied, undone.
import assert from 'node:assert/strict';
import fs from 'node:fs';

import { start, test, until } from './harness.mjs';
import { LIFT, LOW, OUTSIDE, STAIRS, THERE } from './lib/fixture.mjs';
import { citizen, LAN, numberOf } from './lib/people.mjs';

const p = await start({ conf: { upload_max: 2 << 20 } });
const big = await start();
const clerk = await p.as('clerk-1');
const IMPORTS = '/api/v1/imports';
const B = 'x-boundary-7';

// A form as browsers send it; a part with `file` is the file.
function form(parts, { end = `--${B}--\r\n` } = {}) {
	const bytes = parts.flatMap(({ name, value, file }) => [
		`--${B}\r\ncontent-disposition: form-data; name="${name}"` +
		(file === undefined ? '' : `; filename="${file}"\r\n` +
		    'content-type: text/csv') + '\r\n\r\n', value, '\r\n']);

	return Buffer.concat([...bytes, end].map((one) => Buffer.from(one)));
}

const send = (bytes, { as = clerk, type =
    `multipart/form-data; boundary=${B}` } = {}) => ({ as, raw: bytes,
	headers: { 'content-type': type } });

const parts = (kind, text, more = []) => [{ name: 'kind', value: kind },
	...more, { name: 'file', value: text, file: '名单.csv' }];

const get = (id, as = clerk) => p.yes(200, 'GET', `${IMPORTS}/${id}`,
    { as });

const settled = (id) => until(async () => {
	const r = await get(id);
	return !['uploaded', 'applying', 'undoing'].includes(r.state) && r;
}, `import ${id}`, 30_000);

// Upload and wait until it was checked.
async function bring(kind, text, { partial, as = clerk } = {}) {
	const more = partial ? [{ name: 'partial', value: 'true' }] : [];
	const r = await p.yes(202, 'POST', IMPORTS,
	    send(form(parts(kind, text, more)), { as }));

	assert.equal(r.state, 'uploaded');
	return settled(r.id);
}

async function order(id, what) {
	await p.yes(202, 'POST', `${IMPORTS}/${id}/${what}`, { as: clerk });
	return settled(id);
}

async function load(kind, text, options) {
	const checked = await bring(kind, text, options);

	assert.equal(checked.state, 'checked', JSON.stringify([checked,
		await faults(checked.id)]));
	const done = await order(checked.id, 'apply');
	assert.equal(done.state, 'applied', done.detail);
	return done;
}

const items = async (id, what, query = '?limit=100') => (await p.yes(200,
    'GET', `${IMPORTS}/${id}/${what}${query}`, { as: clerk })).items;
const faults = async (id) => (await items(id, 'faults')).map((f) =>
    `${f.line} ${f.label ?? '-'}: ${f.detail}`);
const total = (r) => [r.added, r.changed, r.same, r.faults];
const count = async (what) => Number(await p.value(
    `SELECT COUNT(*) FROM ${what}`));

const ROSTER = '小区,楼栋,单元,房号,户号,姓名,性别,证件类型,证件号码,出生日期,' +
    '手机,与户主关系,居住性质,需求,来源,登记日期,依据\n';
const ID = citizen('52040219700101003');
const SMALL = `${ROSTER}山水小区,1栋,1单元,601室,2,赵一,男,,${ID},,` +
    '+86 139-0000-8001,户主,租住,慢性病；残疾,走访,2026-03-01,本人同意\n' +
    '山水小区,1栋,1单元,601室,2,钱二,女,,,1975/3/8,' +
    '１３９００００８００２,配偶,,,,,\n';

test('a roster is checked, applied, and a second time changes nothing',
    async () => {
	const checked = await bring('roster', SMALL);
	assert.deepEqual([checked.state, checked.rows, checked.name,
		...total(checked)], ['checked', 2, '名单.csv', 5, 0, 0, 0]);
	assert.deepEqual(checked.counts.map((c) => [c.part, c.added]),
	    [['household', 1], ['person', 2], ['need', 2]]);
	const rows = await items(checked.id, 'rows', '?verdict=add&limit=2');
	assert.deepEqual(rows.map((r) => [r.part, r.line, r.name]),
	    [['household', 2, '2'], ['person', 2, '赵一']]);
	const by = Object.fromEntries(rows[1].changes.map((c) =>
	    [c.field, c.after]));
	assert.equal(by.phone_mask, '139****8001');
	assert.equal(by.id_mask, `520402********${ID.slice(-4)}`);
	assert.equal(by.home, '山水小区1栋1单元601室');
	// Nothing was written before it was asked for.
	assert.equal(await count("person WHERE name = '赵一'"), 0);

	const done = await order(checked.id, 'apply');
	assert.equal(done.state, 'applied', done.detail);
	const [one] = await p.sql('SELECT p.*, m.relation, h.tenancy,' +
	    ' h.number, h.dwelling_id AS home, h.contact_id FROM person p' +
	    ' JOIN member m ON m.person_id = p.id JOIN household h' +
	    " ON h.id = m.household_id WHERE p.name = '赵一'");
	assert.deepEqual([one.sex, one.born, one.id_type, one.source,
		one.ground, one.as_of, one.relation, one.tenancy, one.number,
		one.home, one.contact_id], ['male', '19700101', 'citizen',
		'visit', 'consent', '20260301', 'head', 'rented', '2',
		STAIRS, one.id]);
	assert.doesNotMatch(JSON.stringify(one), new RegExp(`${ID}|13900008001`));
	assert.equal(await count(`need WHERE person_id = ${one.id}`), 2);
	assert.equal(await count("person WHERE name = '钱二' AND" +
	    " phone_mask = '139****8002' AND born = 19750308"), 1);
	assert.ok(!fs.readdirSync(`${p.dir}/imports`).length);

	const again = await load('roster', SMALL);
	assert.deepEqual(total(again), [0, 0, 5, 0]);
	assert.equal(await count("person WHERE name IN ('赵一', '钱二')"), 2);
	await p.no(409, 'state_conflict', 'POST',
	    `${IMPORTS}/${again.id}/apply`, { as: clerk });
});

test('what has changed is shown, then done, then undone', async () => {
	const text = `${ROSTER}山水小区,2栋,1单元,901室,,赵一,,,${ID},,` +
	    '13900008009,本人,自有,,,,\n山水小区,1栋,1单元,601室,2,钱二,,,,' +
	    '1975-03-08,,子女,,独居,,,\n山水小区,1栋,1单元,101室,,李桂兰,,,' +
	    `${numberOf(LAN)},,13900007001,,,,,,\n`;
	const was = await p.sql('SELECT * FROM person ORDER BY id');
	const checked = await bring('roster', text);
	const changed = await items(checked.id, 'rows', '?verdict=change');
	const diff = (name) => Object.fromEntries(changed.find((r) =>
	    r.name === name).changes.map((c) => [c.label,
		[c.before, c.after]]));

	assert.deepEqual(diff('赵一'), { 手机: ['139****8001',
		'139****8009'], 住处: ['山水小区1栋1单元601室',
		'山水小区2栋1单元901室'], 与户主关系: [null, 'head'] });
	assert.deepEqual(diff('钱二'), { 与户主关系: ['spouse', 'child'] });
	// A change behind the mask is a change.
	const behind = await bring('roster', text.replace('13900008009',
	    '13900098001'));
	assert.deepEqual((await items(behind.id, 'rows', '?verdict=change'))
	    .find((r) => r.name === '赵一').changes.find((c) =>
		c.label === '手机'), { field: 'phone_mask', label: '手机',
		before: '139****8001',
		after: '139****8001（隐藏的几位不同）' });
	// A household, a need; nothing of whom nothing new is said.
	assert.deepEqual(total(checked), [2, 2, 3, 0]);

	const moved = await order(checked.id, 'apply');
	assert.equal(moved.state, 'applied', moved.detail);
	const home = async () => p.value('SELECT MIN(h.dwelling_id) FROM' +
	    ' member m JOIN household h ON h.id = m.household_id JOIN person' +
	    " p ON p.id = m.person_id WHERE p.name = '赵一' AND" +
	    ' m.to_at IS NULL');
	assert.equal(await home(), LIFT);
	const undone = await order(checked.id, 'undo');
	assert.equal(undone.state, 'undone', undone.detail);
	assert.equal(await home(), STAIRS);
	const now = await p.sql('SELECT * FROM person ORDER BY id');
	assert.deepEqual(now.map((r) => ({ ...r, updated_at: 0 })),
	    was.map((r) => ({ ...r, updated_at: 0 })));
	await p.no(409, 'state_conflict', 'POST',
	    `${IMPORTS}/${checked.id}/undo`, { as: clerk });
});

test('what was changed meanwhile is neither overwritten nor undone',
    async () => {
	const text = `${ROSTER}山水小区,1栋,1单元,601室,2,孙三,,,,19800101,` +
	    '13900008003,,,,,,\n山水小区,1栋,1单元,601室,2,钱二,男,,,' +
	    '1975-03-08,,,,,,,\n';
	const first = await bring('roster', text);
	await p.sql("UPDATE person SET sex = 'male', as_of = 20260909" +
	    " WHERE name = '钱二'");
	const failed = await order(first.id, 'apply');
	assert.equal(failed.state, 'failed');
	assert.match(failed.detail, /被改过.*重新上传/);
	assert.equal(await count("person WHERE name = '孙三'"), 0);

	const second = await load('roster', text);
	const stale = await bring('roster', text);
	await p.sql("UPDATE person SET phone_mask = '1' WHERE name = '孙三'");
	const kept = await order(second.id, 'undo');
	assert.deepEqual([kept.state, /不能整体撤销/.test(kept.detail)],
	    ['applied', true]);
	await p.sql("UPDATE person SET phone_mask = '139****8003'" +
	    " WHERE name = '孙三'");
	assert.equal((await order(second.id, 'undo')).state, 'undone');
	assert.equal(await count("person WHERE name = '孙三'"), 0);
	// Checked before that, and so no longer true.
	assert.match((await order(stale.id, 'apply')).detail,
	    /别的文件导入|被改过/);
});

const bad = (n) => `山水小区,1栋,1单元,601室,2,${n}\n`;

test('each faulty row by line, column and reason, and back as CSV',
    async () => {
	const row = (name, cells = {}) => ['山水小区', '1栋', '1单元',
		cells.room ?? '601室', cells.household ?? '9', name, '',
		cells.type ?? '', cells.id ?? '', cells.born ?? '',
		cells.phone ?? '', cells.relation ?? '', cells.tenancy ?? '',
		cells.needs ?? '', '', cells.as_of ?? '', ''].join();
	const wrong = ID.slice(0, 17) + (ID[17] === '1' ? '2' : '1');
	const text = ROSTER + [
		row('好人', { id: citizen('52040219600101001').toLowerCase() }),
		row('甲', { id: wrong }),
		row('乙', { id: '520499190013010001' }),
		row('丙', { id: '520499202602309998' }),
		row('丁', { id: '520402700101003' }),
		row('戊', { id: citizen('52040219700101000') }),
		row('=cmd|calc'),
		row('己', { phone: '1390000800' }),
		row('庚', { born: '2031-01-01', as_of: '2026-02-30' }),
		row('辛', { room: '999室' }),
		row('壬', { relation: '路人', needs: '独居；发财' }),
		row('癸', { id: citizen('52040219600101001') }),
		row('子', { tenancy: '租住' }),
		row(''),
		row('丑', { type: '护照' }),
		row('好人', { household: '8', born: '19600102',
			id: citizen('52040219600102002') }),
	].join('\n') + '\n';
	const before = await count('person');
	const r = await bring('roster', text);
	const all = (await faults(r.id)).join('\n');

	assert.equal(r.state, 'faulty');
	for (const [line, label] of [[3, '证件号码'], [4, '证件号码'],
		[5, '证件号码'], [6, '证件号码'], [7, '证件号码'],
		[8, '姓名'], [9, '手机'], [10, '出生日期'],
		[10, '登记日期'], [11, '房号'], [12, '与户主关系'],
		[12, '需求'], [13, '证件号码'], [14, '居住性质'],
		[15, '姓名'], [16, '证件号码']])
		assert.match(all, new RegExp(`^${line} ${label}: `, 'm'));
	assert.doesNotMatch(all, /^(2|17) /m);
	assert.match(all, /^8 姓名: 像是公式/m);
	assert.match(all, /^13 证件号码: 与第 2 行/m);
	assert.equal(r.faults, 16);
	await p.no(409, 'state_conflict', 'POST', `${IMPORTS}/${r.id}/apply`,
	    { as: clerk });
	const csv = await p.call('GET', `${IMPORTS}/${r.id}/faulty-rows`,
	    { as: clerk });
	const lines = csv.text.replace('\ufeff', '').trim().split('\r\n');
	assert.equal(csv.status, 200);
	assert.equal(lines.length, 15);
	assert.match(lines[0], /"依据","错误原因"$/);
	assert.match(lines[1], new RegExp(`"甲".*"${wrong}".*证件号码：`));
	assert.match(csv.text, /"'=cmd\|calc"/);
	// Whoever did not bring it does not get it back.
	await p.no(404, 'not_found', 'GET', `${IMPORTS}/${r.id}/faulty-rows`,
	    { as: await p.as('role-clerk') });
	assert.equal(await count('person'), before);

	const some = await load('roster', text, { partial: true });
	assert.deepEqual([some.faults, some.rows], [16, 16]);
	assert.equal(await count('person'), before + 2);
	assert.equal((await order(some.id, 'undo')).state, 'undone');
	assert.equal(await count('person'), before);
});

test('encodings, quoting, and files that are none', async () => {
	const gbk = Buffer.from('d0a1c7f82cc2a5b6b02cb5a5d4aa2cb7bfbac52c' +
	    'd0d5c3fb0d0a', 'hex');
	const row = Buffer.from('c9bdcbaed0a1c7f82c31b6b02c31b5a5d4aa2c' +
	    '363031cad22cd6dccbc40d0a', 'hex');
	assert.deepEqual(total(await bring('roster',
	    Buffer.concat([gbk, row]))), [1, 0, 1, 0]);
	assert.deepEqual(total(await bring('roster', '\ufeff"小区","楼栋",' +
	    '"单元","房号","姓名"\r\n"山水小区","1栋","1单元","601室",' +
	    '"周""四"\r\n')), [1, 0, 1, 0]);

	const head = '小区,楼栋,单元,房号,户号,姓名\n';
	for (const [text, pattern] of [
		['', null],
		['\n\n', /空的/],
		[head, /没有一个人/],
		['楼栋,单元,房号,姓名\n', /1 小区: 缺少这一列/],
		['小区,小区,楼栋,单元,房号,姓名\n', /出现了两次/],
		[`${head.trim()},备注\n`, /不是能导入的列/],
		[head + bad('"没有完'), /引号/],
		[head + bad('x'.repeat(70_000)), /过长/],
		[head + bad('五') + '\n' + 'a,'.repeat(70) + '\n', /列太多/],
		[Buffer.concat([Buffer.from(head + bad('好')), row,
			Buffer.from([0xff, 0x41, 0x0a])]), /编码/],
		[Buffer.concat([Buffer.from('\ufeff' + head), row]), /编码/],
	]) {
		if (pattern === null) {
			const r = await p.no(422, 'invalid_field', 'POST',
			    IMPORTS, send(form(parts('roster', text))));
			assert.equal(r.fields[0].field, 'file');
			continue;
		}
		const r = await bring('roster', text);
		assert.equal(r.state, 'faulty');
		assert.match((await faults(r.id)).join('\n'), pattern);
	}
});

test('ten megabytes in one field', async () => {
	const r = await big.yes(202, 'POST', IMPORTS, send(form(parts(
	    'roster', `小区,楼栋,单元,房号,户号,姓名\n${'x'.repeat(10 << 20)}`)),
	    { as: await big.as('clerk-1') }));
	const done = await until(async () => {
		const one = await big.yes(200, 'GET', `${IMPORTS}/${r.id}`,
		    { as: await big.as('clerk-1') });
		return one.state === 'faulty' && one;
	}, 'the field is refused', 30_000);

	assert.equal(done.rows, 0);
	assert.match((await big.yes(200, 'GET', `${IMPORTS}/${r.id}/faults`,
	    { as: await big.as('clerk-1') })).items[0].detail, /过长/);
});

test('a million rows and one are too many, and said so at once',
    async () => {
	const r = await bring('grids', '\n'.repeat(10) + 'a\n' +
	    '1\n'.repeat(1_000_000 + 1));

	assert.equal(r.state, 'faulty');
	assert.match((await faults(r.id)).join(), /超过 1000000 行/);
	assert.equal(await count(`import_row WHERE import_id = ${r.id}`), 0);
});

test('forms that are none', async () => {
	const file = { name: 'file', value: 'a\n', file: 'a.csv' };
	const kind = { name: 'kind', value: 'roster' };
	const fields = async (list) => (await p.no(422, 'invalid_field',
	    'POST', IMPORTS, send(form(list)))).fields.map((f) =>
		`${f.field} ${f.code}`).sort();
	const before = await count('import');

	assert.deepEqual(await fields([kind]), ['file required']);
	assert.deepEqual(await fields([file]), ['kind required']);
	assert.deepEqual(await fields([kind, file, file]), ['file doubled']);
	assert.deepEqual(await fields([kind, kind, file]), ['kind doubled']);
	assert.deepEqual(await fields([{ ...kind, value: 'cats' }, file]),
	    ['kind not_listed']);
	assert.deepEqual(await fields([kind, file, { name: 'more',
		value: 'x' }]), ['more unknown']);
	assert.deepEqual(await fields([kind, { name: 'file', value: 'a' }]),
	    ['file type']);
	assert.deepEqual(await fields([{ ...kind,
		value: 'x'.repeat(1 << 20) }, file]), ['kind too_long']);
	for (const raw of ['', 'x', `--${B}\r\n`, `--${B}--\r\n`.slice(0, 9),
		form([kind, file], { end: '' }),
		form([kind, file]).subarray(0, 120),
		`--${B}\r\nx: y\r\n\r\nz\r\n--${B}--\r\n`])
		await p.no(400, 'malformed', 'POST', IMPORTS, send(raw));
	await p.no(422, 'invalid_field', 'POST', IMPORTS,
	    send(`--${B}--\r\n`));
	for (const type of ['application/json', 'text/csv', undefined,
		'multipart/form-data', 'multipart/form-data; boundary=',
		`multipart/form-data; boundary=${'x'.repeat(71)}`])
		await p.no(415, 'unsupported_media_type', 'POST', IMPORTS,
		    send(form([kind, file]), { type: type ?? 'x/y' }));
	await p.no(413, 'too_large', 'POST', IMPORTS, send(form([kind,
		{ ...file, value: 'x'.repeat((2 << 20) + 1) }])));
	await p.no(413, 'too_large', 'POST', IMPORTS, send(form([kind,
		{ ...file, value: 'x'.repeat(3 << 20) }])));
	assert.equal(await count('import'), before);
	assert.deepEqual(fs.readdirSync(`${p.dir}/imports`).filter((name) =>
	    fs.statSync(`${p.dir}/imports/${name}`).mode & 0o077), []);
});

const GRIDS = '网格编号,网格名称,网格员,网格员手机,十联户编号,十联户名称,联户长,' +
    '联户长手机,小区,楼栋,单元,房号\n';

test('grids: new ones, moved homes, other people, and all undone',
    async () => {
	const worker = await p.as('resident-1');
	await p.yes(200, 'POST', '/api/v1/me/phone', { as: worker, body: {
		code: await p.wx.phoneCode('13900009001') } });
	const tables = ['grid', 'unit', 'unit_grid', 'unit_dwelling'];
	const look = async () => Promise.all(tables.map((t) => p.sql(
	    `SELECT * FROM ${t} WHERE community_id = 101 ORDER BY 2, 3`)));
	const before = await look();
	const text = `${GRIDS}01,第一网格,王网,13900009001,01-01,第一联户,` +
	    '李桂兰,13900007001,山水小区,1栋,1单元,\n' +
	    '03,新网格,,,03-01,新联户,,,山水小区,2栋,1单元,901室\n';
	const checked = await bring('grids', text);
	assert.deepEqual(checked.counts.map((c) => [c.part, c.added,
		c.changed, c.same]), [['grid', 1, 0, 1], ['unit', 1, 0, 1],
		['home', 0, 1, 2], ['worker', 0, 1, 0], ['head', 0, 1, 0]]);
	const [home] = (await items(checked.id, 'rows', '?verdict=change'))
	    .filter((r) => r.part === 'home');
	assert.deepEqual(home.changes, [{ field: 'unit', label: '十联户',
		before: '01-02', after: '03-01' }]);

	assert.equal((await order(checked.id, 'apply')).state, 'applied');
	assert.equal(await p.value('SELECT u.code FROM unit_dwelling d JOIN' +
	    ` unit u ON u.id = d.unit_id WHERE d.dwelling_id = ${LIFT}` +
	    ' AND d.to_at IS NULL'), '03-01');
	assert.deepEqual(await p.sql('SELECT name, user_id, person_id FROM' +
	    " post WHERE scope IN ('grid', 'unit') AND to_at IS NULL AND" +
	    ' scope_id IN (6001, 6101) AND deputy_of IS NULL ORDER BY role'),
	    [{ name: '王网', user_id: worker.id, person_id: null },
		{ name: '李桂兰', user_id: null, person_id: LAN }]);
	assert.equal(await count(`user_role WHERE user_id = ${worker.id}` +
	    " AND role = 'grid'"), 1);
	assert.deepEqual(total(await bring('grids', text)).slice(0, 2),
	    [0, 0]);

	assert.equal((await order(checked.id, 'undo')).state, 'undone');
	assert.deepEqual(await look(), before);
	assert.equal(await count(`user_role WHERE user_id = ${worker.id}` +
	    " AND role = 'grid'"), 0);
	assert.equal(await p.value("SELECT name FROM post WHERE role = 'grid'" +
	    ' AND scope_id = 6001 AND to_at IS NULL AND deputy_of IS NULL'),
	    'grid-1');
});

test('grids that overlap, and a head who lives elsewhere', async () => {
	const line = (grid, unit, head, phone, where) => `${grid},网格${grid},` +
	    `,,${unit},联户${unit},${head},${phone},${where}\n`;
	const low = '山水小区,1栋,1单元,101室';
	const r = await bring('grids', GRIDS +
	    line('05', '05-01', '张敏', '13900007004', low) +
	    line('05', '05-02', '', '', '山水小区,1栋,1单元,') +
	    line('06', '05-01', '', '', '山水小区,2栋,1单元,901室') +
	    line('06', '06-01', '新人', '13900009999',
		'山水小区,2栋,1单元,901室') +
	    line('06', '06-01', '别人', '', '山水小区,2栋,1单元,901室') +
	    line('06', '06-02', '', '', '山水小区,2栋,1单元,902室'));
	const all = (await faults(r.id)).join('\n');

	assert.equal(r.state, 'faulty');
	assert.match(all, /^2 联户长: 张敏住在远山小区1栋1单元101室/m);
	assert.match(all, /^3 房号: .*101室已经在第 2 行划给另一个十联户/m);
	assert.match(all, /^4 十联户编号: 第 2 行把这个十联户放在另一个网格/m);
	assert.match(all, /^6 联户长: 与第 5 行填的不是同一个人/m);
	assert.match(all, /^7 房号: 没有找到这个房屋/m);
	assert.doesNotMatch(all, /^5 /m);
});

test('places: one more, and gone again', async () => {
	const head = '小区,楼栋,单元,房号,楼层,电梯\n';
	const before = await p.sql('SELECT * FROM place ORDER BY 1, 2');
	const checked = await bring('territory', `${head}新苑,1栋,1单元,101,` +
	    '1,否\n远山小区,1栋,1单元,101室,2,\n');
	assert.deepEqual(total(checked), [4, 4, 0, 0]);
	const [row] = (await items(checked.id, 'rows', '?verdict=change'))
	    .filter((r) => r.part === 'dwelling');
	assert.deepEqual([row.name, row.changes[0]], ['101室', { field:
		'floor', label: '楼层', before: '1', after: '2' }]);
	await order(checked.id, 'apply');
	assert.equal(await p.value('SELECT floor FROM place WHERE id =' +
	    ` ${OUTSIDE}`), '2');
	const { items: found } = await p.yes(200, 'GET', '/api/v1/territory',
	    { as: clerk });
	assert.ok(found.some((one) => one.name === '新苑'));
	// A home whose people have come since cannot be taken back.
	const roster = await load('roster', `${ROSTER}新苑,1栋,1单元,101,,` +
	    '吴五,,,,1980-01-01,,,,,,,\n');
	assert.match((await order(checked.id, 'undo')).detail,
	    /在别处使用|不能/);
	await order(roster.id, 'undo');
	assert.equal((await order(checked.id, 'undo')).state, 'undone');
	assert.deepEqual(await p.sql('SELECT * FROM place ORDER BY 1, 2'),
	    before);
});

test('killed in the middle of it: all or nothing', async () => {
	const rows = Array.from({ length: 3000 }, (_, i) => `山水小区,1栋,` +
	    `1单元,601室,${5 + i % 3},众人${i},,,,19800101,,,,,,,\n`);
	const checked = await bring('roster', ROSTER + rows.join(''));
	const people = () => count("person WHERE name LIKE '众人%'");

	assert.equal(checked.state, 'checked');
	for (let i = 0; i < 4; i++) {
		if (i === 0)
			await p.yes(202, 'POST',
			    `${IMPORTS}/${checked.id}/apply`, { as: clerk });
		await new Promise((done) => setTimeout(done, 30 + 40 * i));
		await p.kill('jobs');
		const n = await people();
		assert.ok(n === 0 || n === 3000, `${n} of 3000`);
		// The claim of the dead runner lapses.
		p.clock.add(6 * 60_000);
		await p.start('jobs');
	}
	assert.equal((await settled(checked.id)).state, 'applied');
	assert.equal(await people(), 3000);
	assert.equal((await order(checked.id, 'undo')).state, 'undone');
	assert.equal(await people(), 0);
});

test('nobody else, and nobody elsewhere', async () => {
	const r = await bring('roster', SMALL);
	const body = form(parts('roster', SMALL));

	for (const openid of ['role-resident', 'grid-1', 'head-1'])
		for (const [method, where, more] of [['POST', '', send(body,
		    { as: await p.as(openid) })], ['GET', ''], ['GET',
			`/${r.id}`], ['GET', `/${r.id}/rows`],
			['POST', `/${r.id}/apply`], ['POST', `/${r.id}/undo`]])
			await p.no(403, 'forbidden', method, IMPORTS + where,
			    more ?? { as: await p.as(openid) });
	const zoe = await p.as('admin-z');
	assert.equal(zoe.user.community_id, String(THERE));
	for (const [method, what] of [['GET', ''], ['GET', '/rows'],
		['GET', '/faults'], ['GET', '/faulty-rows'],
		['POST', '/apply'], ['POST', '/undo']])
		await p.no(404, 'not_found', method,
		    `${IMPORTS}/${r.id}${what}`, { as: zoe });
	assert.deepEqual((await p.yes(200, 'GET', IMPORTS, { as: zoe }))
	    .items, []);
	const all = await p.yes(200, 'GET', `${IMPORTS}?limit=2`,
	    { as: clerk });
	assert.equal(all.items[0].id, r.id);
	assert.ok(all.next);
	// Rows that say they are of another community are no clerk's.
	const other = await bring('roster', '社区,小区,楼栋,单元,房号,姓名\n' +
	    '520403001002,山水小区,1栋,1单元,601室,甲\n');
	assert.match((await faults(other.id)).join(), /别的社区/);
	assert.ok(Number(await count("audit WHERE thing = 'import'")) > 10);
});
