// SPDX-License-Identifier: Apache-2.0
//
// pay-client.mjs -- a merchant for the tests of the pay side: a stand-in of
// its own, requests that are signed, answers that are proved, and an ear
// for notices.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createDecipheriv, createPrivateKey, createPublicKey, sign,
	verify } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('standin.mjs', import.meta.url));
export const APPID = 'wx00000000000000aa';
export const SECRET = 'ffffffffffffffffffffffffffffffff';
export const MCHID = '1900000109';
const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
const DAY = 86400_000;

// Whatever a test says of a request: { body, raw, headers, mchid, serial,
// scheme, key, at, nonce, signed, authorization }.
export class Merchant {
	static async start(...more) {
		const one = new Merchant();

		one.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pay-'));
		one.clock = path.join(one.dir, 'clock');
		one.more = more;
		one.moveTo(Date.now());
		await one.up();
		one.readKeys();
		one.heard = [];
		one.answers = [];	// statuses to give; then 204
		await one.listen();
		return one;
	}

	async up() {
		const child = spawn(process.execPath, [PROGRAM, '--port', '0',
			'--appid', APPID, '--secret', SECRET,
			'--pay-dir', path.join(this.dir, 'pay'),
			'--state', path.join(this.dir, 'state.json'),
			'--clock-file', this.clock, '--pay-scale', '0.001',
			...this.more],
		    { stdio: ['ignore', 'pipe', 'inherit'] });
		const line = await new Promise((resolve, reject) => {
			child.stdout.once('data', (text) => resolve(`${text}`));
			child.once('exit', (n) =>
			    reject(new Error(`exit ${n}`)));
		});
		this.child = child;
		this.url = /(http:\S+)/.exec(line)[1];
	}

	async down(signal = 'SIGTERM') {
		const gone = new Promise((resolve) =>
		    this.child.once('exit', resolve));
		this.child.kill(signal);
		await gone;
	}

	async stop() {
		this.ear.close();
		this.ear.closeAllConnections();
		await this.down();
		fs.rmSync(this.dir, { recursive: true });
	}

	file(name) {
		return path.join(this.dir, 'pay', name);
	}

	readKeys() {
		const read = (name) =>
		    fs.readFileSync(this.file(name), 'utf8').trim();

		this.key = createPrivateKey(read('apiclient_key.pem'));
		this.serial = read('merchant.serial');
		this.apiv3 = read('apiv3.key');
		this.platform = {};
		for (const name of fs.readdirSync(this.file('platform-keys')))
			this.platform[name.slice(0, -4)] = createPublicKey(
			    read(`platform-keys/${name}`));
	}

	// The clock of both sides.
	moveTo(ms) {
		const bytes = Buffer.alloc(8);

		this.offset = ms - Date.now();
		bytes.writeBigInt64LE(BigInt(this.offset));
		fs.writeFileSync(this.clock, bytes);
	}

	now() {
		return Date.now() + this.offset;
	}

	// HH:MM of the day after now's, in China.
	tomorrowAt(hours) {
		const day = Math.floor((this.now() + 8 * 3600_000) / DAY) + 1;

		this.moveTo(day * DAY + (hours - 8) * 3600_000);
	}

	get today() {
		return new Date(this.now() + 8 * 3600_000).toISOString()
		    .slice(0, 10);
	}

	authorization(method, where, body, how) {
		const at = Math.floor((how.at ?? this.now()) / 1000);
		const nonce = how.nonce ?? 'a'.repeat(32);
		const text = `${method}\n${how.signed ?? where}\n${at}\n` +
		    `${nonce}\n${body}\n`;
		const signature = sign('sha256', Buffer.from(text),
		    how.key ?? this.key).toString('base64');

		return `${how.scheme ?? SCHEME} mchid="${how.mchid ?? MCHID}"` +
		    `,nonce_str="${nonce}",timestamp="${at}",serial_no="` +
		    `${how.serial ?? this.serial}",signature="${signature}"`;
	}

	// { status, headers, text, bytes, json }
	ask(method, where, how = {}) {
		const body = how.raw ?? (how.body === undefined ? '' :
		    JSON.stringify(how.body));
		const headers = { 'User-Agent': 'test', Accept:
			'application/json', Authorization: how.authorization ??
			this.authorization(method, where, body, how),
		...body === '' ? {} : { 'Content-Type': 'application/json' },
		...how.headers };

		for (const [name, value] of Object.entries(headers))
			if (value === null)
				delete headers[name];
		return new Promise((resolve, reject) => {
			const call = http.request(this.url + where, { method,
				headers, timeout: how.patience ?? 5000 },
			    (answer) => {
				const parts = [];
				answer.on('data', (part) => parts.push(part));
				answer.on('error', reject);
				answer.on('end', () => {
					const bytes = Buffer.concat(parts);
					resolve({ status: answer.statusCode,
						headers: answer.headers, bytes,
						...textOf(bytes) });
				});
			});
			call.on('timeout', () =>
			    call.destroy(new Error('no answer')));
			call.on('error', reject);
			call.end(body);
		});
	}

	// Whether these headers prove these bytes now.
	proves(headers, bytes) {
		const key = this.platform[headers['wechatpay-serial']];
		const timestamp = headers['wechatpay-timestamp'];

		return key !== undefined &&
		    Math.abs(this.now() / 1000 - timestamp) < 300 &&
		    verify('sha256', Buffer.concat([Buffer.from(
			`${timestamp}\n${headers['wechatpay-nonce']}\n`),
			bytes, Buffer.from('\n')]), key, Buffer.from(
			headers['wechatpay-signature'], 'base64'));
	}

	// An answer that must be 2xx and proved.
	async yes(method, where, how) {
		const answer = await this.ask(method, where, how);

		assert.ok(answer.status < 300, `${where}: ${answer.text}`);
		assert.ok(this.proves(answer.headers, answer.bytes),
		    'not proved');
		return answer.json;
	}

	// A refusal, which is not signed.
	async no(status, code, method, where, how) {
		const answer = await this.ask(method, where, how);

		assert.equal(`${answer.status} ${answer.json?.code}`,
		    `${status} ${code}`, answer.text);
		assert.equal(answer.headers['wechatpay-signature'], undefined);
		return answer.json;
	}

	orderBody(number, more = {}) {
		return { appid: APPID, mchid: MCHID, description: '物业费',
			out_trade_no: number, notify_url:
			`${this.earUrl}/notices`, amount: { total: 100,
				currency: 'CNY' }, payer: { openid: 'anna' },
			...more };
	}

	async order(number, more = {}) {
		return (await this.yes('POST', '/v3/pay/transactions/jsapi',
		    { body: this.orderBody(number, more) })).prepay_id;
	}

	query(number) {
		return this.yes('GET', '/v3/pay/transactions/out-trade-no/' +
		    `${number}?mchid=${MCHID}`);
	}

	refund(number, refund_number, refund, total = 100) {
		return { body: { out_trade_no: number,
			out_refund_no: refund_number, reason: '退',
			notify_url: `${this.earUrl}/refunds`,
			amount: { refund, total, currency: 'CNY' } } };
	}

	async control(method, where, body, status = 200) {
		const answer = await fetch(`${this.url}/_standin/${where}`,
		    { method, body: body && JSON.stringify(body) });
		const json = await answer.json();

		assert.equal(answer.status, status, JSON.stringify(json));
		return json;
	}

	async pay(number, more = {}) {
		const prepay_id = await this.order(number);

		return this.control('POST', 'payments', { prepay_id, ...more });
	}

	// Hear notices: { at, headers, bytes, json, news, proved }.
	listen() {
		this.ear = http.createServer(async (request, response) => {
			const parts = [];
			for await (const part of request)
				parts.push(part);
			const bytes = Buffer.concat(parts);
			const { json } = textOf(bytes);
			this.heard.push({ path: request.url, bytes, json,
				headers: request.headers,
				proved: this.proves(request.headers, bytes),
				news: json && this.open(json.resource) });
			response.writeHead(this.answers.shift() ?? 204).end();
		});
		return new Promise((resolve) => {
			this.ear.listen(0, '127.0.0.1', () => {
				const { port } = this.ear.address();
				this.earUrl = `http://127.0.0.1:${port}`;
				resolve();
			});
		});
	}

	open({ ciphertext, nonce, associated_data }) {
		const bytes = Buffer.from(ciphertext, 'base64');
		const cipher = createDecipheriv('aes-256-gcm', this.apiv3,
		    nonce);

		if (associated_data)
			cipher.setAAD(Buffer.from(associated_data));
		cipher.setAuthTag(bytes.subarray(-16));
		const text = Buffer.concat([cipher.update(
		    bytes.subarray(0, -16)), cipher.final()]).toString('utf8');
		return text.startsWith('{') ? JSON.parse(text) : text;
	}

	// Wait until `n` notices have been heard.
	async hear(n) {
		for (const end = Date.now() + 10_000; this.heard.length < n;) {
			assert.ok(Date.now() < end,
			    `heard ${this.heard.length} of ${n}`);
			await new Promise((resolve) =>
			    setTimeout(resolve, 5));
		}
		return this.heard;
	}
}

function textOf(bytes) {
	const text = bytes.toString('utf8');

	try {
		return { text, json: JSON.parse(text) };
	} catch {
		return { text };
	}
}
