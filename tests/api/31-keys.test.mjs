// SPDX-License-Identifier: Apache-2.0
//
// 31-keys -- the key file: changed while all runs, and faulty.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import { ENGINE, start, test, until } from './harness.mjs';
import { run } from './lib/proc.mjs';
import { delivering, place } from './lib/water.mjs';

const p = await start({ conf: { request_ms: 1000, db_timeout_ms: 800 } });
const KEYS = path.join(p.dir, 'planet.keys');
const anna = await p.resident(1);
const ADDRESSES = '/api/v1/me/addresses';
const dump = () => ENGINE === 'sqlite' ?
    run('sqlite3', [p.db.file, '.dump']) :
    run('/usr/lib/postgresql/15/bin/pg_dump', ['-h', p.db.socket, '-U',
	'planet', '--data-only', 'planet']);
const ids = () => fs.readFileSync(KEYS, 'utf8').split('\n')
    .filter((line) => line && !line.startsWith('@'))
    .map((line) => line.split(' ')[0]);
const phones = async () => (await p.yes(200, 'GET', ADDRESSES,
    { as: anna })).items.map((a) => a.phone);
const found = async (phone) => (await p.yes(200, 'POST',
    '/api/v1/persons/search', { as: await p.as('role-clerk'),
	body: { phone } })).items.map((one) => one.id);

async function fails(pattern, ...args) {
	await assert.rejects(p.ctl(...args), (error) => {
		assert.match(error.message, pattern);
		return true;
	});
}

// Something in every sealed column that a request can fill.
async function fill() {
	const order = await place(p, anna, {});
	const send = () => p.yes(201, 'POST', ADDRESSES, { as: anna,
		body: { dwelling_id: '1061', contact: '张三',
			phone: '13912345678' },
		headers: { 'idempotency-key': 'k-1' } });

	return { order, reply: await send(), send };
}

const first = await fill();
const [OLD] = ids();

test('a key is added, everything sealed anew, requests go on', async () => {
	const before = fs.statSync(KEYS);
	let going = true, seen = 0;
	const readers = Array.from({ length: 3 }, async (_, i) => {
		for (let n = 0; going; n++, seen++) {
			assert.deepEqual((await phones()).sort(),
			    ['139****0001', '139****5678']);
			assert.deepEqual(await found('13900007001'),
			    ['7001']);
			await p.yes(200, 'PATCH', '/api/v1/me/addresses/' +
			    first.reply.id, { as: anna, body: {
				phone: '13912345678', contact: `${i}${n}` } });
		}
	});
	const said = await p.ctl('keys', 'rotate');

	going = false;
	await Promise.all(readers);
	assert.ok(seen > 3);
	const [old, fresh] = ids();
	assert.deepEqual([old, ids().length], [OLD, 2]);
	assert.match(said, RegExp(`^${fresh} seals from now on`));
	assert.equal(fs.statSync(KEYS).mode & 0o777, 0o600);
	assert.deepEqual([fs.statSync(KEYS).uid, fs.statSync(KEYS).gid],
	    [before.uid, before.gid]);
	assert.ok(!(await dump()).includes(`${OLD}:`),
	    'a sealed column is not in service/sealed.c');
	assert.ok((await dump()).includes(`${fresh}:`));
	// Nothing was lost: what was kept is told again, the door is called.
	assert.deepEqual(await first.send(), first.reply);
	assert.deepEqual(await found('13900007004'), ['7004']);
	const { id } = await delivering(p, anna);
	const seenPhone = await p.call('POST',
	    `/api/v1/water/orders/${id}/phone`, { as: await p.as('courier-a'),
		body: {}, check: false });
	assert.ok(seenPhone.status === 404 || seenPhone.status < 300,
	    seenPhone.text);
});

test('what is sealed from now on takes the new key', async () => {
	const [, fresh] = ids();
	const other = await p.resident(2);

	assert.match(await p.value('SELECT phone FROM address WHERE user_id' +
	    ` = ${other.id}`), RegExp(`^${fresh}:`));
});

test('the list says which key can go; one in use cannot', async () => {
	const [, fresh] = ids();

	assert.match(await p.ctl('keys', 'list'), RegExp(
	    `^${OLD} +0 values, can be dropped\n${fresh} +\\d+ values, seals`));
	await fails(/seals; planetctl keys rotate/, 'keys', 'drop', fresh);
	await fails(/there is no key/, 'keys', 'drop', 'k0');
	// A row that the old one sealed after all.
	const row = await p.value('SELECT phone FROM person WHERE id = 7001');
	await p.sql(`UPDATE person SET phone = '${OLD}:AAAA' WHERE id = 7001`);
	await fails(/values need it/, 'keys', 'drop', OLD);
	await fails(/person.phone of .*does not open/s, 'keys', 'reseal');
	await p.sql(`UPDATE person SET phone = '${row}' WHERE id = 7001`);
	assert.equal(ids().length, 2);
});

test('the first key goes, and all is found as before', async () => {
	const [, fresh] = ids();
	const page = await p.yes(200, 'GET', '/api/v1/persons?limit=1' +
	    '&dwelling_id=1061', { as: await p.as('role-clerk') });

	await p.ctl('keys', 'drop', OLD);
	assert.deepEqual(ids(), [fresh]);
	const text = fs.readFileSync(KEYS, 'utf8');
	assert.match(text, /^@index \S+\n@cursor \S+\n/);
	assert.deepEqual(await found('13900007001'), ['7001']);
	// A page that was begun goes on.
	if (page.next !== null)
		await p.yes(200, 'GET', '/api/v1/persons?limit=1' +
		    `&dwelling_id=1061&after=${page.next}`,
		    { as: await p.as('role-clerk') });
	await p.ctl('keys', 'rotate');
	assert.deepEqual(await found('13900007001'), ['7001']);
	assert.equal(ids().length, 2);
	// Programs that start with this file alone, too.
	await p.stop('api');
	await p.start('api');
	assert.deepEqual(await found('13900007004'), ['7004']);
});

test('an interrupted rotation goes on', async () => {
	const [old] = ids().slice(-1);
	const count = async (id) => Number(await p.value('SELECT count(*)' +
	    ` AS n FROM person WHERE phone LIKE '${id}:%'`));

	// As if it had been killed after the key was written.
	await p.ctl('keys', 'rotate');
	const fresh = ids().at(-1);
	const sealed = await p.value('SELECT phone FROM person' +
	    ' WHERE id = 7001');
	assert.ok(await count(old) === 0 && await count(fresh) > 0);
	assert.ok(sealed.startsWith(`${fresh}:`));
	assert.match(await p.ctl('keys', 'reseal'), /^0 values sealed/);
	// The rows of the audit say what was done at the console.
	assert.ok(Number(await p.value('SELECT count(*) AS n FROM audit WHERE' +
	    " action = 'planetctl keys' AND reason = 'rotate'")) >= 3);
});

test('two at once: one of them is told to wait, or both are done',
    async () => {
	const before = ids().length;
	const ends = await Promise.allSettled([p.ctl('keys', 'rotate'),
		p.ctl('keys', 'rotate')]);

	for (const one of ends.filter((e) => e.status === 'rejected'))
		assert.match(one.reason.message, /somebody else|Busy|values/);
	assert.equal(ids().length, before +
	    ends.filter((e) => e.status === 'fulfilled').length);
	assert.deepEqual(await found('13900007001'), ['7001']);
});

// --- Faulty files. --------------------------------------------------------

const good = () => fs.readFileSync(KEYS);
const doctor = async () => {
	try {
		return await p.ctl('doctor');
	} catch (error) {
		return error.message;
	}
};
const mark = () => p.log('api').length;
const said = (from, pattern) => until(async () => {
	await phones();
	return p.log('api').slice(from).some((line) => pattern.test(line));
}, `the log to say ${pattern}`);

test('a file that others may read is refused', async () => {
	const from = mark();

	fs.chmodSync(KEYS, 0o644);
	await said(from, /event=keys_refused.*others may read it/);
	// Who serves goes on with the keys that are known.
	assert.equal((await phones()).length, 2);
	assert.match(await doctor(), /FAIL .*keys .*can be read by others/);
	await fails(/others may read it/, 'keys', 'rotate');
	await fails(/others may read it/, 'audit', 'verify');
	fs.chmodSync(KEYS, 0o600);
	assert.match(await doctor(), /ok .*what is sealed opens/);
});

test('a file that is gone', async () => {
	const kept = good(), from = mark();

	fs.renameSync(KEYS, `${KEYS}.away`);
	await said(from, /event=keys_gone/);
	assert.equal((await phones()).length, 2);
	assert.match(await doctor(),
	    /FAIL .*No such file.*restore it from its copy/);
	await fails(/No such file/, 'keys', 'list');
	fs.renameSync(`${KEYS}.away`, KEYS);
	assert.deepEqual(good(), kept);
});

test('a file that the right user cannot read', async (t) => {
	if (process.getuid() !== 0)
		return t.skip('only root can give it away');
	const as = (argv) => run('setpriv', ['--reuid=postgres',
		'--regid=postgres', '--clear-groups', '--', ...argv]);

	await assert.rejects(as([p.program('planetctl'), '--config', p.conf,
		'keys', 'list']), /Permission denied/);
});

test('with a bad file no program starts', async () => {
	const kept = good();
	const bad = {
		gone: () => fs.unlinkSync(KEYS),
		empty: () => fs.writeFileSync(KEYS, ''),
		rubbish: () => fs.writeFileSync(KEYS, 'k1 short\n'),
		open: () => fs.chmodSync(KEYS, 0o644),
	};

	for (const [what, spoil] of Object.entries(bad)) {
		spoil();
		for (const [name, ...more] of [['planet-jobs'],
			['planet-worker', '--pool', 'api']])
			await assert.rejects(run(p.program(name), ['--config',
				p.conf, ...more], { timeout: 10_000 }),
			    (error) => {
				assert.match(error.message, /: 1\n/,
				    `${name} ${what}`);
				assert.match(error.message, /keys/,
				    `${name} ${what}`);
				return true;
			    });
		fs.rmSync(KEYS, { force: true });
		fs.writeFileSync(KEYS, kept, { mode: 0o600 });
	}
	assert.equal((await phones()).length, 2);
});

test('a file with a faulty line', async () => {
	const kept = good(), from = mark();

	fs.writeFileSync(KEYS, `${kept}rubbish\n`);
	await said(from, /event=keys_refused.*line=\d+ why="not 'ID BASE64'"/);
	assert.match(await doctor(), /FAIL .*the keys cannot be used/);
	assert.equal((await phones()).length, 2);
	fs.writeFileSync(KEYS, kept);
	await until(async () => /what is sealed opens/.test(await doctor()),
	    'all to be well');
});

test("another installation's file opens nothing, and says so", async () => {
	const kept = good(), from = mark();

	fs.unlinkSync(KEYS);
	await p.ctl('keys', 'new');
	await said(from, /event=unknown_key id=k/);
	assert.match(await doctor(), /FAIL .*address.phone does not open with/);
	await fails(/do not open; is this the installation's key file/,
	    'keys', 'reseal');
	// The same id with another key.
	const name = kept.toString().trim().split('\n').pop().split(' ')[0];
	fs.writeFileSync(KEYS, good().toString().replace(/^\S+/, name));
	assert.match(await doctor(), /FAIL .*person.phone does not open with/);
	fs.writeFileSync(KEYS, kept);
	await until(async () => (await phones()).includes('139****5678'),
	    'the numbers to be back');
	assert.match(await doctor(), /ok .*what is sealed opens/);
});
