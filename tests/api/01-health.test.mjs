// SPDX-License-Identifier: Apache-2.0
//
// 01-health -- it stands, says so, and refuses what it does not know.
import assert from 'node:assert/strict';
import path from 'node:path';

import { start, test } from './harness.mjs';
import { raw, request, statusOf } from './lib/http.mjs';
import { run } from './lib/proc.mjs';

const p = await start();

test('both pools are alive and ready', async () => {
	for (const where of ['/healthz', '/readyz', '/readyz/slow']) {
		const reply = await request(p.base, 'GET', where, {});
		assert.equal(reply.status, 200, where);
		assert.match(reply.headers['content-type'], /^text\/plain/);
	}
});

test('metrics are Prometheus text and count what was asked', async () => {
	const count = (text) => text.split('\n')
	    .filter((line) => line.includes('/api/v1/communities'))
	    .map((line) => Number(line.split(' ').pop()))
	    .reduce((a, b) => a + b, 0);
	const before = await p.call('GET', '/metrics');
	await p.yes(200, 'GET', '/api/v1/communities');
	const after = await p.call('GET', '/metrics');

	assert.match(after.text, /^# TYPE \S+ (counter|gauge|histogram)$/m);
	for (const line of after.text.trimEnd().split('\n'))
		assert.match(line,
		    /^(#.*|[a-z_]+(\{[^}]*\})? [0-9.e+-]+|)$/, line);
	assert.ok(count(after.text) > count(before.text));
});

// nginx lets only this machine through; the worker looks for itself.
test('readiness and metrics are for loopback only', async () => {
	const ask = (where, address) => run('cgi-fcgi', ['-bind', '-connect',
		path.join(p.dir, 'run/api-0.sock')], { env: {
		PATH: process.env.PATH, REQUEST_METHOD: 'GET',
		DOCUMENT_URI: where, QUERY_STRING: '',
		REMOTE_ADDR: address, REQUEST_ID: '0' } });

	for (const where of ['/readyz', '/metrics']) {
		assert.match(await ask(where, '127.0.0.1'), /^Status: 200 /);
		assert.match(await ask(where, '203.0.113.9'),
		    /^Status: 403 /);
		assert.match(await ask(where, ''), /^Status: 403 /);
	}
	assert.match(await ask('/healthz', '203.0.113.9'), /^Status: 200 /);
});

test('what is not there is a 404 problem, from nginx and worker', () =>
    Promise.all(['/', '/nothing', '/api', '/api/', '/api/v1/nothing',
	'/api/v2/me', '/api/v1/me/', '/api/v1/me/me',
	'/API/v1/me', '/healthz/x', '/api/v1/%00', '/api/v1/%ff',
	'/api/v1/..%2f..%2fetc%2fpasswd'].map(async (where) => {
	const reply = await p.call('GET', where);
	assert.match(`${reply.status} ${reply.json.code}`,
	    /^(404 not_found|400 malformed)$/, where);
})));

test('a wrong method is 405 with Allow', async () => {
	for (const [method, where, allow] of [
		['PUT', '/api/v1/me', 'GET, PATCH, DELETE'],
		['DELETE', '/api/v1/water/orders', 'GET, POST'],
		['OPTIONS', '/api/v1/communities', 'GET'],
		['BREW', '/api/v1/communities', 'GET'],
	]) {
		const reply = method === 'BREW' ? null :
		    await p.call(method, where);
		if (!reply) {
			const text = await raw(p.base, `${method} ${where}` +
			    ' HTTP/1.1\r\nHost: x\r\nConnection: close' +
			    '\r\n\r\n');
			assert.equal(statusOf(text), 405);
			continue;
		}
		assert.equal(reply.status, 405, method);
		assert.equal(reply.json.code, 'method_not_allowed');
		assert.equal(reply.headers.allow, allow, where);
	}
});

test('HEAD has the head of GET and no body', async () => {
	const get = await p.call('GET', '/api/v1/communities');
	const head = await p.call('HEAD', '/api/v1/communities',
	    { check: false });

	assert.equal(head.status, 200);
	assert.equal(head.text, '');
	assert.equal(head.headers['content-type'],
	    get.headers['content-type']);
});

test('each request has an id of its own, up to the log line', async () => {
	const mine = 'f'.repeat(32);
	const one = await p.call('GET', '/api/v1/communities',
	    { headers: { 'x-request-id': mine } });
	const two = await p.call('GET', '/api/v1/communities');
	const [a, b] = [one, two].map((r) => r.headers['x-request-id']);

	assert.match(a, /^[0-9a-f]{32}$/);
	assert.notEqual(a, b);
	assert.notEqual(a, mine);
	assert.equal(p.log('api').filter((line) => line.includes(`id=${a}`) &&
	    line.includes('route=/api/v1/communities') &&
	    line.includes('status=200')).length, 1);
});

test('no answer is cached or sniffed, and nobody names versions', async () => {
	for (const where of ['/api/v1/communities', '/api/v1/me', '/none']) {
		const { headers } = await p.call('GET', where);
		assert.equal(headers['cache-control'], 'no-store', where);
		assert.equal(headers['x-content-type-options'], 'nosniff',
		    where);
		assert.equal(headers.server, 'nginx');
	}
});

test('what nginx cannot read is a problem too', async () => {
	const long = await p.call('GET', `/api/v1/me?x=${'a'.repeat(9000)}`,
	    { check: false });

	assert.equal(long.status, 400);
	assert.equal(long.json.code, 'malformed');
	for (const bytes of ['GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n',
		'\x00\x01\x02\r\n\r\n', 'GET /a b HTTP/1.1\r\n\r\n'])
		assert.ok([0, 400, 505].includes(statusOf(
		    await raw(p.base, bytes, { enough: () => true }))),
		    bytes);
	await p.yes(200, 'GET', '/api/v1/communities');
});
