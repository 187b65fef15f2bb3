// SPDX-License-Identifier: Apache-2.0
//
// contract.mjs -- replies held against the API description.
//
// check() throws unless status, content type and body are as the
// description says; what no operation describes may only be refused.
// What was accepted must itself be as described.
import addFormats from 'ajv-formats';
import Ajv2020 from 'ajv/dist/2020.js';

const PROBLEM = 'application/problem+json';

function pattern(path) {
	return new RegExp('^' + path.split(/(\{[^}]+\})/).map((part) =>
	    part.startsWith('{') ? '[^/]+' :
	    part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')).join('') + '$');
}

const escape = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

// Literal segments count more than parameters, the earlier the more.
const weight = (path) => path.split('/').map((part) =>
    part.startsWith('{') ? '1' : '0').join('');

export class Contract {
	constructor(text) {
		this.doc = JSON.parse(text);
		this.ajv = new Ajv2020({ strict: false, allErrors: true });
		addFormats(this.ajv);
		this.ajv.addSchema(this.doc, 'api');
		this.compiled = new Map();
		this.seen = new Set();
		this.paths = Object.keys(this.doc.paths)
		    .sort((a, b) => weight(a) < weight(b) ? -1 : 1)
		    .map((path) => ({ path, match: pattern(path) }));
	}

	// Every operation as {method, path, ...its object}.
	operations() {
		return Object.entries(this.doc.paths).flatMap(([path, item]) =>
		    Object.entries(item).map(([method, operation]) =>
			({ method: method.toUpperCase(), path,
				...operation })));
	}

	find(method, path) {
		const bare = path.split('?')[0];
		const known = this.paths.find((one) => one.match.test(bare));

		return { path: known?.path ?? null, operation: known ?
		    this.doc.paths[known.path][method.toLowerCase()] ?? null :
		    null };
	}

	validate(pointer, value) {
		let fn = this.compiled.get(pointer);

		if (!fn) {
			fn = this.ajv.compile({ $ref: `api#${pointer}` });
			this.compiled.set(pointer, fn);
		}
		if (!fn(value))
			throw new Error(`${JSON.stringify(value)} does not` +
			    ` fit ${pointer}:` +
			    ` ${this.ajv.errorsText(fn.errors)}`);
	}

	// Where the description of this answer stands, or a throw.
	describe(method, path, status) {
		const found = this.find(method, path);
		const where = `/paths/${escape(found.path ?? '')}/` +
		    `${method.toLowerCase()}/responses/${status}`;
		const answer = found.operation?.responses[status];

		if (!found.operation) {
			if (status !== 404 && status !== 405 &&
			    status !== 400)
				throw new Error(`${method} ${path} is not` +
				    ` described and answered ${status}`);
			return { pointer: '/components/responses/Problem',
				answer: this.problem };
		}
		if (!answer)
			throw new Error(`${method} ${found.path} answered` +
			    ` ${status}, which is not described`);
		this.seen.add(`${method} ${found.path} ${status}`);
		return answer.$ref ? { pointer: answer.$ref.slice(1),
			answer: this.problem } : { pointer: where, answer };
	}

	get problem() {
		return this.doc.components.responses.Problem;
	}

	checkSent(method, path, reply, sent) {
		const { path: known, operation } = this.find(method, path);

		if (sent === undefined || reply.status >= 300 ||
		    !operation?.requestBody)
			return;
		this.validate(`/paths/${escape(known)}/` +
		    `${method.toLowerCase()}/requestBody/content/` +
		    'application~1json/schema', sent);
	}

	check(method, path, reply, sent) {
		this.checkSent(method, path, reply, sent);
		const { pointer, answer } = this.describe(method, path,
		    reply.status);
		const types = Object.keys(answer.content ?? {});
		const full = reply.headers['content-type'] ?? null;
		const type = full?.split(';')[0].trim() ?? null;
		const where = `${method} ${path} -> ${reply.status}`;

		if (!reply.headers['x-request-id'])
			throw new Error(`${where}: no X-Request-Id`);
		if (types.length === 0) {
			if (reply.text !== '' || type !== null)
				throw new Error(`${where}: has a body`);
			return;
		}
		if (!types.includes(type))
			throw new Error(`${where}: content type ${full}` +
			    ` instead of ${types}`);
		if (type.startsWith('text/') || method === 'HEAD' ||
		    !answer.content[type].schema)
			return;
		this.validate(`${pointer}/content/${escape(type)}/schema`,
		    reply.json);
		if (type === PROBLEM)
			this.checkProblem(where, reply);
	}

	checkProblem(where, { status, headers, json }) {
		if (json.status !== status)
			throw new Error(`${where}: body says ${json.status}`);
		if (json.request_id !== headers['x-request-id'])
			throw new Error(`${where}: request_id is not that` +
			    ' of the header');
		if (!/\p{Script=Han}/u.test(json.detail))
			throw new Error(`${where}: detail is not Chinese`);
		if ((status === 429 || status === 503) &&
		    !/^[1-9]\d*$/.test(headers['retry-after'] ?? ''))
			throw new Error(`${where}: no Retry-After`);
	}
}
