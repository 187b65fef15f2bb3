// SPDX-License-Identifier: Apache-2.0
//
// http.mjs -- requests as a test wants them, sound or not.
import http from 'node:http';
import net from 'node:net';

export const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

function parse(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

// One request; {status, headers, text, json}.  `body` is a Buffer or text.
export function request(base, method, path, headers, body) {
	return new Promise((resolve, reject) => {
		const url = new URL(base);
		const call = http.request({ host: url.hostname,
			port: url.port, method, path, headers, agent,
			timeout: 30_000 }, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('error', reject);
			answer.on('end', () => {
				const text = Buffer.concat(parts).toString();
				resolve({ status: answer.statusCode,
					headers: answer.headers, text,
					json: parse(text) });
			});
		});
		call.on('timeout', () =>
		    call.destroy(new Error(`${method} ${path}: no answer`)));
		call.on('error', reject);
		call.end(body);
	});
}

// Bytes as they are, and all that comes back until the peer closes, `ms`
// have passed, or enough(text) says so.
export function raw(base, bytes, { ms = 5000, enough = () => false,
	end = false } = {}) {
	return new Promise((resolve, reject) => {
		const url = new URL(base);
		const socket = net.connect(Number(url.port), url.hostname);
		let text = '';
		const done = () => {
			clearTimeout(timer);
			socket.destroy();
			resolve(text);
		};
		const timer = setTimeout(done, ms);
		socket.on('connect', () => end ? socket.end(bytes) :
		    socket.write(bytes));
		socket.on('data', (part) => {
			text += part;
			if (enough(text))
				done();
		});
		socket.on('close', done);
		socket.on('error', (error) => {
			clearTimeout(timer);
			text ? done() : reject(error);
		});
	});
}

// The status of an answer given to raw(), or 0.
export function statusOf(text) {
	return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}
