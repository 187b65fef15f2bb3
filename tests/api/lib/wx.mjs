// SPDX-License-Identifier: Apache-2.0
//
// wx.mjs -- the control paths of the WeChat stand-in.
import { request } from './http.mjs';

export class Wx {
	constructor(url) {
		this.url = url;
	}

	async ask(method, path, body) {
		const answer = await request(this.url, method,
		    `/_standin/${path}`, { 'content-type': 'application/json' },
		    body === undefined ? '' : JSON.stringify(body));

		if (answer.status !== 200)
			throw new Error(`stand-in: ${method} ${path}:` +
			    ` ${answer.status} ${answer.text}`);
		return answer.json;
	}

	async loginCode(openid, more = {}) {
		return (await this.ask('POST', 'login-codes',
		    { openid, ...more })).code;
	}

	async phoneCode(phone, more = {}) {
		return (await this.ask('POST', 'phone-codes',
		    { phone, ...more })).code;
	}

	// The person allows `count` messages, as the phone would say.
	accept(openid, template_id, count = 1) {
		return this.ask('POST', 'accepts',
		    { openid, template_id, count });
	}

	template(id, keys) {
		return this.ask('POST', 'templates', { id, keys });
	}

	fault(kind, mode, more = {}) {
		return this.ask('POST', 'faults', { kind, mode, ...more });
	}

	clearFaults() {
		return this.ask('DELETE', 'faults');
	}

	clock(offset_ms) {
		return this.ask('POST', 'clock', { offset_ms });
	}

	messages(openid) {
		return this.ask('GET', 'messages' +
		    (openid ? `?openid=${openid}` : ''));
	}

	state() {
		return this.ask('GET', 'state');
	}

	// How many calls of a kind it has had.
	async calls(kind) {
		return (await this.state()).calls[kind] ?? 0;
	}
}
