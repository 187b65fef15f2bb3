// SPDX-License-Identifier: Apache-2.0
//
// 12-input -- whatever is sent gets a clear error and changes nothing.
import assert from 'node:assert/strict';
import path from 'node:path';

import { start, test } from './harness.mjs';
import { BIG } from './lib/fixture.mjs';
import { raw, statusOf } from './lib/http.mjs';
import { run } from './lib/proc.mjs';
import { ORDERS, orderOf } from './lib/water.mjs';

const p = await start();
const anna = await p.resident(1);
const pids = () => [p.parts.api.pid, p.parts.slow.pid];
const [PIDS, ME] = [pids(), '/api/v1/me'];

const send = (bytes, headers = {}, where = ORDERS, method = 'POST') =>
    p.call(method, where, { as: anna, raw: bytes, headers });
const good = JSON.stringify(orderOf(anna));
const count = async () => Number(await p.value(
    'SELECT COUNT(*) FROM water_order'));

async function malformed(bytes, label = String(bytes).slice(0, 60)) {
	const no = await send(bytes);

	assert.equal(`${no.status} ${no.json.code}`, '400 malformed',
	    `${label}: ${no.text}`);
	return no.json.detail;
}

test('what is not JSON', async () => {
	for (const text of ['{', '}', '{"a":1', '{"a":1,}', '{a:1}',
		"{'a':1}", '{"a":01}', '{"a":+1}', '{"a":.5}', '{"a":NaN}',
		'{"a":1e}', '{"a":tru}', '{} {}', '{}x', '\ufeff{}', '//\n{}',
		'{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\n"}', '{"a" 1}',
		'a=1&b=2', '<xml/>', ' ', '\u00a0{}', '{"a":1e999}',
		'{"a":123456789012345678901234567890}'])
		await malformed(text);
	for (const text of ['[]', '"x"', '1', 'null', 'true',
		`[${good}]`, '[[{}]]'])
		await malformed(text);
});

test('bytes that are no text', async () => {
	for (const hex of ['00', '7b7d00', '007b7d', '7b0022', 'ff', 'c080',
		'7b2261223a22c08022', 'fffe7b007d00', '1f8b08000000'])
		await malformed(Buffer.from(hex, 'hex'), hex);
	for (const bad of ['ff', 'c080', 'eda080', 'f4908080', 'e282',
		'80', 'fc80808080af', '00']) {
		const [a, b] = JSON.stringify(orderOf(anna,
		    { note: 'HERE' })).split('HERE');
		await malformed(Buffer.concat([Buffer.from(a),
			Buffer.from(bad, 'hex'), Buffer.from(b)]), bad);
	}
	for (const escaped of ['\\ud800', '\\udc00\\ud800', '\\ud83d x']) {
		const no = await send(good.replace('}],', `}],"note":"${
			escaped}",`));
		assert.match(String(no.status), /^4(00|22)$/, escaped);
	}
});

test('nesting ten thousand deep, and merely too deep', async () => {
	for (const n of [17, 100, 10_000, 30_000]) {
		assert.match(await malformed('['.repeat(n)), /嵌套/);
		assert.match(await malformed('['.repeat(n) + ']'.repeat(n)),
		    /嵌套/);
		if (n <= 10_000)
			assert.match(await malformed('{"a":'.repeat(n) + '1' +
			    '}'.repeat(n)), /嵌套/);
	}
	// Brackets in a text are text.
	const no = await send(JSON.stringify({ ...orderOf(anna),
		note: '['.repeat(100) + '"\\'.repeat(10) }));
	assert.equal(no.status, 422);
	assert.equal(no.json.fields[0].code, 'too_long');
});

test('the same key twice', async () => {
	assert.match(await malformed(good.replace('{', '{"note":"a",')
	    .replace('}],', '}],"note":"b",')), /重复/);
	assert.match(await malformed(good.replace('"quantity":1',
	    '"quantity":1,"quantity":20')), /重复/);
	assert.match(await malformed('{"note":1,"n\\u006fte":2}'), /重复/);
});

test('content types', async () => {
	for (const type of ['application/json',
		'application/json; charset=utf-8', 'Application/JSON',
		'application/json;charset="UTF-8"'])
		assert.equal((await send(good, { 'content-type': type }))
		    .status, 201, type);
	for (const type of ['text/plain', 'application/jsonx', 'text/json',
		'application/x-www-form-urlencoded', 'multipart/form-data',
		'application/json; charset=gbk', '', 'json',
		'application/json, text/plain', 'application/problem+json']) {
		const no = await send(good, { 'content-type': type });
		assert.equal(`${no.status} ${no.json.code}`,
		    '415 unsupported_media_type', type);
	}
	// Nothing needs no type.
	assert.equal((await p.call('POST', ORDERS, { as: anna })).status,
	    422);
});

test('bodies too large', async () => {
	const sized = (n) => `{"note":"${'x'.repeat(n - 11)}"}`;

	for (const n of [65_537, 1 << 20, 8 << 20]) {
		const no = await send(sized(n)).catch((error) => error);
		// nginx may hang up on one that goes on sending.
		if (no instanceof Error)
			assert.match(no.code, /^(EPIPE|ECONNRESET)$/);
		else
			assert.equal(`${no.status} ${no.json.code}`,
			    '413 too_large', String(n));
	}
	const most = await send(sized(65_536));
	assert.equal(most.status, 422);
	assert.ok(most.json.fields.some((f) => f.code === 'too_long'));
});

test('a large body in chunks', async () => {
	const head = `POST ${ORDERS} HTTP/1.1\r\nHost: x\r\n` +
	    `Authorization: Bearer ${anna.token}\r\n` +
	    'Content-Type: application/json\r\nConnection: close\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n';
	const chunks = (text) => text.match(/[^]{1,8000}/g).map((part) =>
	    `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`)
	    .join('') + '0\r\n\r\n';

	assert.equal(statusOf(await raw(p.base, head + chunks(good))), 201);
	assert.equal(statusOf(await raw(p.base, head + chunks(
	    `{"note":"${'x'.repeat(1 << 20)}"}`)).catch(() => '')) || 413,
	    413);
});

test('a body that stops half-way makes nothing', async () => {
	const before = await count();
	const head = (n) => `POST ${ORDERS} HTTP/1.1\r\nHost: x\r\n` +
	    `Authorization: Bearer ${anna.token}\r\n` +
	    `Content-Type: application/json\r\nContent-Length: ${n}\r\n\r\n`;

	for (const [n, text] of [[good.length + 1, good], [999, good],
		[999, ''], [good.length, good.slice(0, 20)]])
		await raw(p.base, head(n) + text, { end: true, ms: 300 });
	await raw(p.base, head(999) + good, { ms: 100 });
	assert.equal(await count(), before);
});

// Not through nginx, which waits for the whole body.
test('a body that stops half-way behind nginx', async () => {
	const before = await count();
	const ask = (length, input, more = {}) => run('cgi-fcgi', ['-bind',
		'-connect', path.join(p.dir, 'run/api-0.sock')], { input,
		env: { PATH: process.env.PATH, REQUEST_METHOD: 'POST',
		DOCUMENT_URI: ORDERS, QUERY_STRING: '',
		REMOTE_ADDR: '127.0.0.1', CONTENT_TYPE: 'application/json',
		CONTENT_LENGTH: String(length), REQUEST_ID: '0',
		HTTP_AUTHORIZATION: `Bearer ${anna.token}`, ...more } });

	assert.match(await ask(Buffer.byteLength(good), good),
	    /^Status: 201 /);
	assert.match(await ask(Buffer.byteLength(good) - 9, good),
	    /^Status: 400 /);
	assert.match(await ask(Buffer.byteLength(good) + 9, good),
	    /^Status: 400 /);
	assert.match(await ask(9999, ''), /^Status: 400 /);
	assert.match(await ask(9999999999999, good), /^Status: 413 /);
	assert.match(await ask(65537, good), /^Status: 413 /);
	for (const id of ['', 'x'.repeat(65), 'a b', 'a\r\nSet-Cookie: b'])
		assert.match(await ask(2, '{}', { REQUEST_ID: id }),
		    /^Status: 422 [^]*X-Request-Id: [0-9a-f]{32}\r\n/);
	assert.equal(await count(), before + 1);
});

test('a query that is no query', async () => {
	for (const [query, status] of [['?x=1', 422], ['?limit=5', 422],
		['?%', 400], ['?%00=1', 400], ['?limit', 422], ['?', 201],
		['?&&', 201], ['?%ff=1', 422], ['?' + 'a=1&'.repeat(500),
		422]])
		assert.equal((await send(good, {}, ORDERS + query)).status,
		    status, query);
});

test('a thousand faults are told in part', async () => {
	const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) =>
	    [`k${i}`, i]));
	const no = await send(JSON.stringify(many));

	assert.equal(no.status, 422);
	assert.ok(no.json.fields.length <= 64);
	const long = await send(JSON.stringify({ ['长'.repeat(5000)]: 1 }));
	assert.ok(long.text.length < 4000);
	const odd = await send('{"\\u0000<script>\\u2028":1}');
	assert.match(String(odd.status), /^4(00|22)$/);
});

test('heads that are too long or say nothing', async () => {
	for (const headers of [{ authorization: `Bearer ${'x'.repeat(7000)}` },
		{ authorization: '\u00ff\u00fe' }])
		assert.equal((await p.call('GET', ME, { headers })).status,
		    401);
	const huge = await p.call('GET', ME, { check: false,
		headers: { authorization: `Bearer ${'x'.repeat(20000)}` } });
	assert.equal(huge.status, 400);
	assert.equal((await p.call('GET', ME, { as: anna, headers: {
		'accept': 'text/html', 'accept-encoding': 'br',
		'x-forwarded-for': '1.2.3.4', 'range': 'bytes=0-1',
		'if-none-match': '*' } })).status, 200);
});

// A small generator, so that a failure can be repeated.
function* dice(seed) {
	for (let x = seed;;) {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		yield x / 2 ** 32;
	}
}

test('five hundred spoilt orders never harm the worker', async () => {
	const roll = dice(20261122);
	const pick = (n) => Math.floor(roll.next().value * n);
	const spoil = () => {
		const bytes = [...Buffer.from(good)];
		for (let n = 1 + pick(4); n > 0; n--)
			switch (pick(5)) {
			case 0: bytes[pick(bytes.length)] = pick(256); break;
			case 1: bytes.splice(pick(bytes.length), 1); break;
			case 2: bytes.splice(pick(bytes.length), 0,
				pick(256)); break;
			case 3: bytes.length = pick(bytes.length); break;
			default: bytes.splice(pick(bytes.length), 0,
				...bytes.slice(pick(bytes.length)));
			}
		return Buffer.from(bytes);
	};

	for (let i = 0; i < 50; i++)
		await Promise.all(Array.from({ length: 10 }, async () => {
			const bytes = spoil();
			const reply = await send(bytes);
			assert.match(String(reply.status),
			    /^(201|400|409|422)$/, bytes.toString('hex'));
		}));
});

test('the same workers still stand, and an order is placed', async () => {
	assert.deepEqual(pids(), PIDS);
	assert.equal((await send(good)).json.items[0].product_id, BIG);
});
