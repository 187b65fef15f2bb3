// SPDX-License-Identifier: Apache-2.0
//
// 19-openapi -- the description itself: whole, ASCII, linted, checked in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

import { start, test } from './harness.mjs';
import { run } from './lib/proc.mjs';

const p = await start({ jobs: false });
const { doc } = p.contract;
const operations = p.contract.operations();
const TESTS = fileURLToPath(new URL('..', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

// Every value in the document with where it stands.
function* walk(value, where = '') {
	yield [where, value];
	if (value !== null && typeof value === 'object')
		for (const [key, one] of Object.entries(value))
			yield* walk(one, `${where}/${key}`);
}

test('it is OpenAPI 3.1 and every reference leads somewhere', () => {
	assert.match(doc.openapi, /^3\.1\.\d+$/);
	for (const [where, value] of walk(doc)) {
		if (!where.endsWith('/$ref'))
			continue;
		assert.match(value, /^#\//, where);
		assert.ok(value.slice(2).split('/').reduce((at, key) =>
		    at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
		doc), `${where}: ${value}`);
	}
});

test('every schema is one, and every schema is used', () => {
	const text = JSON.stringify(doc);

	for (const name of Object.keys(doc.components.schemas)) {
		assert.ok(p.contract.ajv.getSchema(
		    `api#/components/schemas/${name}`), name);
		assert.ok(text.includes(`"#/components/schemas/${name}"`),
		    `${name} is not used`);
	}
});

test('operations have their own names, tags and words', () => {
	const ids = operations.map((o) => o.operationId);

	assert.equal(new Set(ids).size, ids.length);
	for (const o of operations) {
		assert.match(o.operationId, /^[a-z][a-z0-9_]+$/);
		assert.ok(o.summary.length > 3);
		assert.equal(o.tags.length, 1);
		assert.ok(doc.tags.some((tag) => tag.name === o.tags[0]));
	}
});

test('codes, enum values and names are ASCII', () => {
	for (const [where, value] of walk(doc)) {
		// What wx.requestPayment takes is worded by WeChat.
		if (where.startsWith('/components/schemas/PaymentWechat/'))
			continue;
		if (/\/enum\/\d+$|\/operationId$|\/required\/\d+$|\/x-/
		    .test(where) && typeof value === 'string')
			assert.match(value, /^[a-z0-9_]+$/, where);
		if (/\/properties$/.test(where))
			for (const name of Object.keys(value))
				assert.match(name, /^[a-z][a-z0-9_]*$/,
				    `${where}/${name}`);
	}
});

test('money says so, and is whole', () => {
	for (const [where, value] of walk(doc))
		if (/\/properties\/\w+_fen$/.test(where))
			assert.ok([value.type].flat().includes('integer'),
			    where);
});

test('every field that comes in has limits', () => {
	for (const o of operations) {
		const ref = o.requestBody?.content['application/json']
		    ?.schema.$ref;
		if (!ref)
			continue;
		const schema = doc.components.schemas[ref.split('/').pop()];
		assert.equal(schema.additionalProperties, false, ref);
		for (const [name, field] of Object.entries(
		    schema.properties ?? {}))
			if (field.type === 'string' && name !== 'phone')
				assert.ok(field.maxLength || field.enum ||
				    field.pattern || field.format,
				    `${ref} ${name}`);
	}
});

test('every guarded operation wants a session and says who may', () => {
	for (const o of operations) {
		const open = ['anyone', 'loopback'].includes(
		    o['x-roles'][0]);
		assert.deepEqual(o.security ?? doc.security,
		    open ? [] : [{ session: [] }], o.path);
		if (!open)
			assert.ok(o.responses[401] && o.responses[403]);
		assert.ok(o.responses[503] && o.responses.default);
	}
});

test('what may be created twice takes an idempotency key', () => {
	for (const path of ['/api/v1/water/orders',
		'/api/v1/water/orders/again', '/api/v1/me/addresses',
		'/api/v1/water/orders/{id}/{event}',
		'/api/v1/station/products'])
		assert.ok(doc.paths[path].post.parameters.some((one) =>
		    one.$ref?.endsWith('/IdempotencyKey')), path);
});

test('the routes that are printed are those described', async () => {
	const lines = (await p.ctl('routes')).trim().split('\n')
	    .map((line) => line.split(/\s+/).slice(0, 2).join(' '));

	assert.deepEqual(lines.filter((line) => line.includes('/')).sort(),
	    operations.map((o) => `${o.method} ${o.path}`).sort());
});

test('the copy in doc/ is what the programs say', async () => {
	const read = (name) => fs.readFileSync(`${TESTS}../doc/${name}`,
	    'utf8');

	assert.equal(read('openapi.json'), await p.ctl('openapi'),
	    'doc/openapi.json is old: planetctl openapi >doc/openapi.json');
	assert.equal(read('flows.txt'), await p.ctl('flows'));
	assert.equal(read('flows.dot'), await p.ctl('flows', '--graphviz'));
});

test('a linter finds nothing', {
	skip: major > 20 || (major === 20 && minor >= 19) ? false :
	    'the linter needs Node 20.19 or newer',
}, async () => {
	const file = `${p.dir}/openapi.json`;
	const config = `${TESTS}../doc/redocly.yaml`;

	fs.writeFileSync(file, await p.ctl('openapi'));
	await run(process.execPath, [`${TESTS}node_modules/.bin/redocly`,
		'lint', file, '--format', 'stylish',
		...fs.existsSync(config) ? ['--config', config] : []],
	    { env: { ...process.env, REDOCLY_TELEMETRY: 'off',
		REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1',
		CI: 'true' } });
});
