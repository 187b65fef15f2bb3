// SPDX-License-Identifier: Apache-2.0
//
// 30-audit -- who did what, in a chain that shows where it was broken.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { DAY, ENGINE, start, test, until } from './harness.mjs';
import { HERE, LOW } from './lib/fixture.mjs';
import { fire, place } from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const admin = await p.as('role-admin');
const ADDRESSES = '/api/v1/me/addresses';
const ANCHORS = path.join(p.dir, 'audit-anchors.txt');

const audit = async (query = '', as = admin) => (await p.yes(200, 'GET',
    `/api/v1/audit${query}`, { as })).items;
const count = async (where = '1 = 1') => Number(await p.value(
    `SELECT count(*) AS n FROM audit WHERE ${where}`));

// What planetctl audit verify says: { code, text }.
async function verify(...args) {
	try {
		return { code: 0, text: await p.ctl('audit', 'verify',
		    ...args) };
	} catch (error) {
		return { code: 1, text: error.message };
	}
}

async function broken(...saying) {
	const { code, text } = await verify();

	assert.equal(code, 1, text);
	for (const one of saying)
		assert.match(text, one);
	return text;
}

test('a write leaves a row, a look at what is mine does not', async () => {
	const before = await count();
	const { id } = await p.yes(201, 'POST', ADDRESSES, { as: anna, body: {
		dwelling_id: '1061', contact: '张三', phone: '13912345678' } });

	assert.equal(await count(), before + 1);
	await p.yes(200, 'GET', ADDRESSES, { as: anna });
	assert.equal(await count(), before + 1);
	const [row] = await audit();
	assert.deepEqual([row.user_id, row.actor, row.action, row.for_id],
	    [anna.id, 'user', `POST ${ADDRESSES}`, null]);
	assert.match(row.hash, /^[0-9a-f]{64}$/);
	assert.match(row.request_id, /^[0-9a-f]{32}$/);
	await p.yes(204, 'DELETE', `${ADDRESSES}/${id}`, { as: anna });
	assert.equal(await count(), before + 2);
});

test('what was refused or rolled back leaves none', async () => {
	const before = await count();
	const body = { dwelling_id: LOW, contact: '张三',
		phone: '13912345678' };

	await p.no(409, 'conflict', 'POST', ADDRESSES, { as: anna, body });
	await p.no(422, 'invalid_field', 'POST', ADDRESSES,
	    { as: anna, body: { ...body, dwelling_id: '999' } });
	await p.no(404, 'not_found', 'DELETE', `${ADDRESSES}/999`,
	    { as: anna });
	assert.equal(await count(), before);
});

test('the same reply again is no second deed', async () => {
	const before = await count();
	const send = () => p.yes(201, 'POST', ADDRESSES, { as: anna,
		body: { dwelling_id: '1091', contact: '张三',
			phone: '13912345678' },
		headers: { 'idempotency-key': 'audit-1' } });
	const one = await send();

	assert.deepEqual(await send(), one);
	assert.equal(await count(), before + 1);
});

test('an order names itself, and so does the clock', async () => {
	const { id } = await place(p, anna);

	assert.deepEqual((await audit()).slice(0, 1).map((r) => [r.thing,
		r.thing_id]), [['water_order', id]]);
	await fire(p, 'owner-a', id, 'accept');
	const rows = await audit(`?thing=water_order&thing_id=${id}`);
	assert.deepEqual(rows.map((r) => [r.action, r.user_name]), [
		['POST /api/v1/water/orders/{id}/{event}', 'owner-a'],
		['POST /api/v1/water/orders', anna.user.name]]);
	await fire(p, 'courier-a', id, 'deliver');
	p.clock.add(DAY);
	const last = await until(async () => (await audit('?thing=water_order' +
	    `&thing_id=${id}`)).find((r) => r.actor === 'system'),
	    'the row of the runner');
	assert.deepEqual([last.user_id, last.action],
	    [null, 'flow water_order overdue']);
});

test('who may read it, and what is found', async () => {
	await p.no(401, 'no_session', 'GET', '/api/v1/audit', {});
	for (const role of ['clerk', 'grid', 'resident'])
		await p.no(403, 'forbidden', 'GET', '/api/v1/audit',
		    { as: await p.as(`role-${role}`) });
	assert.deepEqual(await audit('', await p.as('admin-z')), []);
	await p.no(403, 'forbidden', 'GET', '/api/v1/audit?platform=true',
	    { as: admin });
	const platform = await p.as('role-platform');
	await p.yes(200, 'GET', '/api/v1/audit?platform=true',
	    { as: platform });
	const all = await audit('?limit=100');
	const of = (query) => audit(`?limit=100&${query}`);
	const mine = all.filter((r) => r.user_id === anna.id);
	assert.ok(mine.length > 3 && mine.length < all.length);
	assert.deepEqual(await of(`user_id=${anna.id}`), mine);
	assert.deepEqual(await of('subject_id=1'), []);
	assert.deepEqual(await of('thing=water_order'),
	    all.filter((r) => r.thing === 'water_order'));
	await p.no(422, 'invalid_field', 'GET', '/api/v1/audit?thing_id=7',
	    { as: admin });
	const [from, to] = [all.at(-1).at, all.at(3).at]
	    .map(encodeURIComponent);
	assert.deepEqual(await of(`from=${from}&to=${to}`), all.filter((r) =>
	    Date.parse(r.at) < Date.parse(all.at(3).at)));
	assert.deepEqual(await of(`from=${to}`), all.filter((r) =>
	    Date.parse(r.at) >= Date.parse(all.at(3).at)));
	assert.deepEqual(await of(`from=${from}&thing=water_order`),
	    all.filter((r) => r.thing === 'water_order'));
	// By pages, nothing twice and nothing left out.
	for (const query of ['', `&from=${from}`, `&from=${from}&to=${to}`,
		'&thing=water_order']) {
		const paged = [];
		let after = '';
		do {
			const page = await p.yes(200, 'GET',
			    `/api/v1/audit?limit=2${query}${after}`,
			    { as: admin });
			paged.push(...page.items);
			after = page.next && `&after=${page.next}`;
		} while (after !== null);
		assert.deepEqual(paged, await of(query.slice(1)), query);
	}
	assert.ok(!JSON.stringify(all).includes('13912345678'));
});

test('twenty at once, and the chain is whole', async () => {
	const before = await count(`community_id = ${HERE}`);
	const people = await Promise.all(Array.from({ length: 20 }, (_, i) =>
	    p.resident(100 + i, { dwelling: null })));
	const replies = await Promise.all(people.map((as) => p.call('POST',
	    ADDRESSES, { as, body: { dwelling_id: LOW, contact: '李四',
		phone: '13912345678' } })));

	assert.deepEqual(replies.map((r) => r.status),
	    Array.from({ length: 20 }, () => 201));
	assert.equal(await count(`community_id = ${HERE} AND action =` +
	    ` 'POST ${ADDRESSES}' AND seq > ${before}`), 20);
	const { code, text } = await verify();
	assert.equal(code, 0, text);
	const last = await p.value('SELECT max(seq) AS n FROM audit WHERE' +
	    ` community_id = ${HERE}`);
	assert.equal(Number(last), await count(`community_id = ${HERE}`));
});

test('the database itself refuses to change it', async () => {
	const before = await count();

	for (const sql of ["UPDATE audit SET reason = 'x' WHERE seq = 1",
		'DELETE FROM audit WHERE seq = 1', 'DELETE FROM audit',
		...(ENGINE === 'postgresql' ? ['TRUNCATE audit'] : [])])
		await assert.rejects(p.sql(sql), /append-only/, sql);
	assert.equal(await count(), before);
});

test('a command at the console is written down', async () => {
	const file = path.join(p.dir, 'towns.csv');

	fs.writeFileSync(file, 'code,name\n');
	await assert.rejects(p.ctl('import', 'communities', file));
	assert.equal(await count("actor = 'console'"), 0);
	fs.writeFileSync(path.join(p.dir, 'pw'), 'Correct-horse-9-battery\n',
	    { mode: 0o600 });
	await p.ctl('admin', 'create', '--account', 'chief', '--community',
	    '520403001001', '--role', 'admin', '--password-file',
	    path.join(p.dir, 'pw'));
	const row = (await audit()).find((r) => r.actor === 'console');
	assert.equal(row.action, 'planetctl admin');
	assert.match(row.reason,
	    /^create --account chief --comm.* --role admin/);
	await p.ctl('admin', 'list');
	assert.equal(await count("actor = 'console'"), 1);
});

test('who logs in stands in the chain of the community', async () => {
	const login = (password) => ({ body: { account: 'chief', password } });
	const rows = async () => (await audit()).filter((r) =>
	    r.action === 'POST /api/v1/sessions/staff');

	await p.no(401, 'bad_credentials', 'POST', '/api/v1/sessions/staff',
	    login('wrong-horse'));
	assert.deepEqual((await rows()).map((r) => [r.user_name, r.reason]),
	    [['chief', 'bad_credentials']]);
	await p.yes(201, 'POST', '/api/v1/sessions/staff',
	    login('Correct-horse-9-battery'));
	assert.deepEqual((await rows()).map((r) => [r.user_name, r.reason]),
	    [['chief', null], ['chief', 'bad_credentials']]);
});

test('each day has one line a chain, outside the database', async () => {
	const lines = () => fs.existsSync(ANCHORS) ?
	    fs.readFileSync(ANCHORS, 'utf8').trim().split('\n') : [];
	const ran = () => p.value('SELECT ran_at FROM task_run' +
	    " WHERE name = 'audit_anchor'");

	await until(ran, 'the first run');
	const before = await ran();
	p.clock.goto('00:06');
	await until(async () => await ran() !== before, 'the line of the day');
	const day = new Date(p.clock.now() + 8 * 3600e3 - DAY).toISOString()
	    .slice(0, 10);
	const here = lines().filter((l) => l.startsWith(`${day} ${HERE} `));
	assert.equal(here.length, 1);
	assert.equal(fs.statSync(ANCHORS).mode & 0o777, 0o600);
	const [, , seq, hash] = here[0].split(' ');
	assert.equal(await p.value('SELECT hash FROM audit WHERE' +
	    ` community_id = ${HERE} AND seq = ${seq}`), hash);
	// Runners that start anew find it done.
	await p.sql("UPDATE task_run SET ran_at = 0 WHERE name =" +
	    " 'audit_anchor'");
	await until(async () => await ran() !== '0', 'another run');
	assert.equal(lines().filter((l) => l.startsWith(`${day} ${HERE} `))
	    .length, 1);
	assert.equal(new Set(lines()).size, lines().length);
	const { code, text } = await verify();
	assert.equal(code, 0, text);
	assert.match(text, / [1-9]\d* anchors, 0 faults/);
});

// --- From here on the chain is broken by hand, and mended again. ----------

const mend = async () => {
	await p.sql('DELETE FROM audit');
	await p.sql('INSERT INTO audit SELECT * FROM audit_good');
	await p.sql('DELETE FROM audit_head');
	await p.sql('INSERT INTO audit_head SELECT * FROM head_good');
};

test('a changed, missing or moved row is found', async () => {
	await p.stop('jobs');
	if (ENGINE === 'postgresql')
		await p.sql('DROP TRIGGER audit_no_change ON audit');
	else
		await p.sql('DROP TRIGGER audit_no_update;' +
		    ' DROP TRIGGER audit_no_delete');
	await p.sql('CREATE TABLE audit_good AS SELECT * FROM audit');
	await p.sql('CREATE TABLE head_good AS SELECT * FROM audit_head');
	const here = (seq) => `community_id = ${HERE} AND seq = ${seq}`;
	const code = '520403001001';

	await p.sql(`UPDATE audit SET user_id = 1 WHERE ${here(3)}`);
	const text = await broken(RegExp(`community ${code} seq 3: .*changed`));
	assert.match(text, / 1 faults/);
	assert.match(text, /community 0 \(the platform\): .*whole|BROKEN/);
	assert.equal((await verify('--community', '520403001002')).code, 0);
	assert.equal((await verify('--community', code)).code, 1);
	await mend();

	await p.sql(`DELETE FROM audit WHERE ${here(4)}`);
	await broken(RegExp(`community ${code} seq 4: .*missing`));
	await mend();

	await p.sql(`UPDATE audit SET seq = -1 WHERE ${here(2)}`);
	await p.sql(`UPDATE audit SET seq = 2 WHERE ${here(5)}`);
	await p.sql(`UPDATE audit SET seq = 5 WHERE ${here(-1)}`);
	await broken(RegExp(`community ${code} seq 2:`),
	    RegExp(`community ${code} seq 5:`));
	await mend();

	await p.sql(`DELETE FROM audit WHERE community_id = ${HERE}` +
	    ' AND seq > 10');
	await broken(RegExp(`community ${code} seq 11: .*cut off`));
	// With the head mended too, only the anchors know.
	await p.sql('UPDATE audit_head SET seq = 10, hash = (SELECT hash' +
	    ` FROM audit WHERE ${here(10)}) WHERE community_id = ${HERE}`);
	await broken(/missing: the anchor of/);
	const other = path.join(p.dir, 'no-anchors');
	fs.writeFileSync(other, '');
	assert.equal((await verify('--anchors', other)).code, 0);
	assert.equal((await verify('--anchors', `${other}.x`)).code, 1);
	await mend();
	assert.equal((await verify()).code, 0);
});

test('called wrongly', async () => {
	for (const args of [['audit'], ['audit', 'mend'],
		['audit', 'verify', '--community'],
		['audit', 'verify', '--community', '1'],
		['audit', 'verify', '--day', '1']])
		await assert.rejects(p.ctl(...args), args.join(' '));
	assert.equal((await verify('--community', '0')).code, 0);
});
