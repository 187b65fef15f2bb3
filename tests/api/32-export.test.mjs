// SPDX-License-Identifier: Apache-2.0
//
// 32-export -- lists taken out: masked at once, in clear by four eyes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

import { DAY, MINUTE, start, test, until } from './harness.mjs';
import { HERE } from './lib/fixture.mjs';
import { numberOf } from './lib/people.mjs';

const p = await start();
const EXPORTS = '/api/v1/exports';
const clerk = await p.as('clerk-1');
const other = await p.as('role-clerk');
const admin = await p.as('role-admin');
const far = await p.as('admin-z');
const DIR = path.join(p.dir, 'exports');
const REASON = '上级检查，核对名单';

const ask = (body, as = clerk) => p.yes(201, 'POST', EXPORTS,
    { as, body: { format: 'csv', kind: 'persons', ...body } });
const see = (id, as = clerk) => p.yes(200, 'GET', `${EXPORTS}/${id}`,
    { as });
const inState = (id, state) => until(async () => {
	const x = await see(id);
	return x.state === state && x;
}, `${state}`, 30_000);

// The file's bytes.
async function fetchFile(id, as = clerk) {
	const r = await fetch(`${p.base}${EXPORTS}/${id}/file`, {
		headers: { authorization: `Bearer ${as.token}` } });

	assert.equal(r.status, 200);
	const bytes = Buffer.from(await r.arrayBuffer());
	assert.equal(Number(r.headers.get('content-length')), bytes.length);
	return { bytes, text: bytes.toString(), headers: r.headers };
}

async function made(body, as = clerk) {
	const { id } = await ask(body, as);

	await inState(id, 'made');
	return { id, ...await fetchFile(id, as) };
}

// A spreadsheet is a zip of XML (APPNOTE 4.3); its cells as text.
function sheetText(bytes) {
	const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
	let at = bytes.readUInt32LE(end + 16), text = '';

	for (let n = bytes.readUInt16LE(end + 10); n > 0; n--) {
		const [name, more, note] = [28, 30, 32].map((i) =>
		    bytes.readUInt16LE(at + i));
		const size = bytes.readUInt32LE(at + 20);
		const head = bytes.readUInt32LE(at + 42);
		const path = bytes.toString('utf8', at + 46, at + 46 + name);
		const data = head + 30 + bytes.readUInt16LE(head + 26) +
		    bytes.readUInt16LE(head + 28);

		if (/worksheets\/sheet|sharedStrings/.test(path))
			text += zlib.inflateRawSync(bytes.subarray(data,
			    data + size)).toString();
		at += 46 + name + more + note;
	}
	return text;
}

test('a masked list is made at once and holds no clear number', async () => {
	const x = await made({});

	assert.ok(x.text.startsWith('\ufeff姓名,性别,'));
	const lines = x.text.trim().split('\r\n');
	assert.equal(lines.length, 1 + 4);
	assert.match(x.text, /李\*\*,女,1948,身份证,/);
	assert.match(x.text, /,139\*\*\*\*7001,山水小区1栋1单元101室,/);
	assert.match(x.text, /,户主,自有,01,01-01,花名册,2026-01-01/);
	for (const clear of ['13900007001', numberOf('7001'), '李桂兰',
		'1948-03-12', '陈静'])
		assert.ok(!x.text.includes(clear), clear);
	assert.equal(x.headers.get('content-type'), 'text/csv; charset=utf-8');
	assert.match(x.headers.get('content-disposition'),
	    /^attachment; filename="persons-\d{8}\.csv"$/);
	const file = path.join(DIR, `${x.id}.csv`);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	assert.equal(fs.statSync(DIR).mode & 0o777, 0o700);
	const row = await see(x.id);
	assert.deepEqual([row.rows, row.bytes, row.clear, row.downloads,
		row.agreed_by, row.state_label], [4, x.bytes.length, false, 1,
		null, '可下载']);
});

test('households and units, and as a spreadsheet', async () => {
	const homes = await made({ kind: 'households' });

	assert.match(homes.text,
	    /山水小区1栋1单元601室,1,租住,2,王\*\*,139\*\*\*\*7002,01,01-01/);
	const units = await made({ kind: 'units' });
	assert.match(units.text, /^\ufeff网格,网格员,联户,/);
	assert.match(units.text, /01,grid-1,01-01,第一联户,2,3,head-1,/);
	assert.ok(!units.text.includes('邻家'));
	for (const kind of ['persons', 'households', 'units']) {
		const x = await made({ kind, format: 'xlsx' });
		const text = sheetText(x.bytes);
		assert.ok(text.includes('手机') &&
		    !text.includes('13900007001'), kind);
		assert.equal(x.headers.get('content-type'), 'application/' +
		    'vnd.openxmlformats-officedocument.spreadsheetml.sheet');
		assert.equal(fs.statSync(path.join(DIR, `${x.id}.xlsx`))
		    .mode & 0o777, 0o600);
	}
	assert.match(sheetText((await made({ format: 'xlsx' })).bytes),
	    /139\*\*\*\*7001/);
});

test('a clear list waits for another person', async () => {
	await p.no(422, 'invalid_field', 'POST', EXPORTS, { as: clerk,
		body: { kind: 'persons', format: 'csv', clear: true } });
	const { id, state, can } = await ask({ clear: true, reason: REASON });
	assert.deepEqual([state, can], ['asked', ['refuse']]);
	assert.deepEqual((await see(id, other)).can, ['agree', 'refuse']);

	await p.no(403, 'forbidden', 'POST', `${EXPORTS}/${id}/agree`,
	    { as: clerk, body: {} });
	await p.no(404, 'not_found', 'GET', `${EXPORTS}/${id}/file`,
	    { as: clerk });
	// From elsewhere it is not there at all.
	for (const [method, tail] of [['GET', ''], ['POST', '/agree'],
		['POST', '/refuse'], ['GET', '/file'], ['GET', '/timeline']])
		await p.no(404, 'not_found', method, `${EXPORTS}/${id}${tail}`,
		    { as: far, ...method === 'POST' ? { body: {} } : {} });
	assert.deepEqual((await p.yes(200, 'GET', EXPORTS, { as: far })).items,
	    []);
	assert.ok(!fs.existsSync(path.join(DIR, `${id}.csv`)));

	await p.yes(200, 'POST', `${EXPORTS}/${id}/agree`,
	    { as: other, body: {} });
	const x = await inState(id, 'made');
	assert.equal(x.agreed_by, 'role-clerk');
	const { text } = await fetchFile(id);
	assert.match(text, /李桂兰,女,1948-03-12,身份证,/);
	// Excel would make noughts of its last digits.
	assert.ok(text.includes(`"\t${numberOf('7001')}",13900007001,`));
	assert.ok(!text.includes('13900007101'));
	// Whoever agreed has no claim to the file.
	await p.no(404, 'not_found', 'GET', `${EXPORTS}/${id}/file`,
	    { as: other });
	await p.no(409, 'state_conflict', 'POST', `${EXPORTS}/${id}/agree`,
	    { as: admin, body: {} });
});

test('two agree at once: once', async () => {
	const { id } = await ask({ clear: true, reason: REASON });
	const r = await Promise.all([other, admin, other].map((as) =>
	    p.call('POST', `${EXPORTS}/${id}/agree`, { as, body: {} })));

	assert.deepEqual(r.map((one) => one.status).sort(), [200, 409, 409]);
	await inState(id, 'made');
});

test('refused, taken back, or left lying', async () => {
	const one = await ask({ clear: true, reason: REASON });
	await p.yes(200, 'POST', `${EXPORTS}/${one.id}/refuse`, { as: admin,
		body: { reason: '请用脱敏名单' } });
	await p.no(409, 'state_conflict', 'POST', `${EXPORTS}/${one.id}/agree`,
	    { as: other, body: {} });
	const steps = (await p.yes(200, 'GET',
	    `${EXPORTS}/${one.id}/timeline`, { as: clerk })).items;
	assert.deepEqual(steps.map((s) => [s.event, s.note]),
	    [['ask', null], ['refuse', '请用脱敏名单']]);

	const two = await ask({ clear: true, reason: REASON });
	assert.equal((await p.yes(200, 'POST', `${EXPORTS}/${two.id}/refuse`,
	    { as: clerk, body: {} })).state, 'refused');

	const three = await ask({ clear: true, reason: REASON });
	p.clock.add(3 * DAY - MINUTE);
	assert.equal((await see(three.id)).state, 'asked');
	p.clock.add(MINUTE);
	await inState(three.id, 'lapsed');
	assert.deepEqual(fs.readdirSync(DIR).filter((name) =>
	    [one, two, three].some((x) => name.startsWith(x.id))), []);
});

test('a file is there for a day', async () => {
	const x = await made({});
	const file = path.join(DIR, `${x.id}.csv`);

	p.clock.add(DAY - MINUTE);
	await p.as('clerk-1', { fresh: true });
	await fetchFile(x.id);
	p.clock.add(MINUTE);
	await p.no(404, 'not_found', 'GET', `${EXPORTS}/${x.id}/file`,
	    { as: clerk });
	await inState(x.id, 'expired');
	p.clock.add(11 * MINUTE);
	await until(() => !fs.existsSync(file), 'the file to be deleted');
});

test('each step and each download stands in the audit', async () => {
	const { id } = await ask({ clear: true, reason: REASON });
	await p.yes(200, 'POST', `${EXPORTS}/${id}/agree`,
	    { as: other, body: {} });
	await inState(id, 'made');
	await fetchFile(id);
	await fetchFile(id);
	await p.no(404, 'not_found', 'GET', `${EXPORTS}/${id}/file`,
	    { as: admin });
	const rows = (await p.yes(200, 'GET',
	    `/api/v1/audit?thing=export&thing_id=${id}`, { as: admin })).items;
	assert.deepEqual(rows.map((r) => [r.action, r.actor, r.user_id,
		r.reason]).reverse(), [
		[`POST ${EXPORTS}`, 'user', clerk.id, REASON],
		[`POST ${EXPORTS}/{id}/agree`, 'user', other.id, null],
		['export_make', 'system', null, null],
		[`GET ${EXPORTS}/{id}/file`, 'user', clerk.id, REASON],
		[`GET ${EXPORTS}/{id}/file`, 'user', clerk.id, REASON]]);
	assert.equal((await see(id)).downloads, 2);
});

test('who may not, and what is wrong', async () => {
	const body = { kind: 'persons', format: 'csv' };

	await p.no(401, 'no_session', 'POST', EXPORTS, { body });
	for (const role of ['grid', 'head', 'resident', 'property'])
		await p.no(403, 'forbidden', 'POST', EXPORTS,
		    { as: await p.as(`role-${role}`), body });
	for (const wrong of [{ kind: 'needs' }, { format: 'pdf' },
		{ kind: undefined }, { clear: 1 }, { reason: '短' },
		{ reason: '长'.repeat(201) }, { clear: true, reason: '   ' }])
		await p.no(422, 'invalid_field', 'POST', EXPORTS,
		    { as: clerk, body: { ...body, ...wrong } });
	await p.no(404, 'not_found', 'GET', `${EXPORTS}/999`, { as: clerk });
	// The flow can be begun so often only.
	const all = [];
	while (all.length < 12) {
		const r = await p.call('POST', EXPORTS, { as: clerk,
			body: { ...body, clear: true, reason: REASON } });
		if (r.status !== 201) {
			assert.equal(r.status, 409);
			break;
		}
		all.push(r.json.id);
	}
	assert.equal(all.length, 10);
	for (const id of all)
		await p.yes(200, 'POST', `${EXPORTS}/${id}/refuse`,
		    { as: clerk, body: {} });
});

test('what Excel would run is made harmless', async () => {
	const names = ['=cmd|/c calc', '+1', '-1', '@SUM(A1)', '王"五', '李,四'];
	const now = p.clock.now();

	for (const [i, name] of names.entries())
		await p.sql('INSERT INTO person (community_id, id, name,' +
		    ' source, ground, as_of, created_at, updated_at)' +
		    ` VALUES (${HERE}, ${8000 + i}, '${name}', 'roster',` +
		    ` 'duty', 20260101, ${now}, ${now})`);
	const { id } = await ask({ clear: true, reason: REASON });
	await p.yes(200, 'POST', `${EXPORTS}/${id}/agree`,
	    { as: admin, body: {} });
	await inState(id, 'made');
	const { text } = await fetchFile(id);
	for (const cell of ["\r\n'=cmd|/c calc,", "\r\n'+1,", "\r\n'-1,",
		"\r\n'@SUM(A1),", '\r\n"王""五",', '\r\n"李,四",'])
		assert.ok(text.includes(cell), cell);
	await p.sql('DELETE FROM person WHERE id >= 8000');
});

test('24,000 rows take bounded memory', async () => {
	const peak = (name) => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(
	    `/proc/${p.parts[name].pid}/status`, 'utf8'))[1]);
	const sealed = await p.value('SELECT phone FROM person' +
	    ' WHERE id = 7001');
	const number = await p.value('SELECT id_number FROM person WHERE' +
	    ' id = 7001');

	await p.sql('INSERT INTO person (community_id, id, name, sex, born,' +
	    ' id_type, id_number, id_index, id_mask, phone, phone_index,' +
	    ' phone_mask, source, ground, as_of, created_at, updated_at)' +
	    ' WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n' +
	    ` WHERE i < 24000) SELECT ${HERE}, 100000 + i, '李四', 'female',` +
	    ` 19480312, 'citizen', '${number}', 'x' || i, '5204**', ` +
	    `'${sealed}', 'y' || i, '139****', 'roster', 'duty', 20260101,` +
	    ` ${p.clock.now()}, ${p.clock.now()} FROM n`);
	const before = [peak('jobs'), peak('slow')];
	for (const format of ['csv', 'xlsx']) {
		const { id } = await ask({ clear: true, reason: REASON,
			format });
		await p.yes(200, 'POST', `${EXPORTS}/${id}/agree`,
		    { as: admin, body: {} });
		const x = await inState(id, 'made');
		assert.equal(x.rows, 24004);
		const { bytes } = await fetchFile(id);
		assert.equal(bytes.length, x.bytes);
		assert.ok(bytes.length > 300_000);
		if (format === 'csv')
			assert.equal(bytes.toString().split('\r\n').length,
			    24006);
		else
			assert.match(sheetText(bytes), /r="A24005"/);
	}
	const after = [peak('jobs'), peak('slow')];
	// AddressSanitizer keeps for a while what was given back.
	if (fs.readFileSync(p.program('planet-jobs')).includes('__asan_init'))
		after.splice(0, 2, ...before);
	assert.ok(after[0] - before[0] < 16 * 1024,
	    `jobs: ${before[0]} to ${after[0]} KiB`);
	assert.ok(after[1] - before[1] < 4 * 1024,
	    `slow: ${before[1]} to ${after[1]} KiB`);
	await p.sql('DELETE FROM person WHERE id > 100000');
});

test('a runner killed at work leaves nothing half', async () => {
	const asked = await Promise.all([1, 2, 3].map(() => ask({})));

	await p.kill('jobs');
	p.parts.jobs.start();
	p.clock.add(6 * MINUTE);
	for (const { id } of asked) {
		await inState(id, 'made');
		assert.match((await fetchFile(id)).text, /^\ufeff姓名/);
	}
});
