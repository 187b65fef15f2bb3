// SPDX-License-Identifier: Apache-2.0
//
// server.mjs -- HTTP: reads a call, finds its host, sends the answer.
//
// A host has owns(path) and route(call) -> { kind, handle }.  handle(call)
// gives { json | text | bytes, type, status, headers, cut }; `cut` spoils
// the sending.  A call with a kind is counted and may meet a fault.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { suffer } from './faults.mjs';

const BODY_MAX = 1 << 20;

// The body, or null when it is too long; the rest is then thrown away,
// so that the sender lives to read our answer.
async function readBody(request) {
	const parts = [];
	let length = 0;

	for await (const part of request.iterator({ destroyOnReturn: false })) {
		length += part.length;
		if (length > BODY_MAX) {
			request.resume();
			return null;
		}
		parts.push(part);
	}
	return Buffer.concat(parts);
}

function makeCall(request, body, state) {
	const url = new URL(request.url, 'http://standin');
	const call = {
		method: request.method,
		url: request.url,	// as it was sent
		headers: request.headers,
		path: url.pathname,
		query: url.searchParams,
		address: request.socket.remoteAddress ?? '',
		body,
		now: state.now(),
		delay_ms: 0,
		afterwards: [],
		// The work takes this long at least, or as a fault says.
		async dawdle(ms) {
			const wait = Math.max(ms, call.delay_ms);
			if (wait > 0)
				await sleep(wait, null, { ref: false });
		},
		// Run fn once, as the answer leaves or the caller has gone.
		later(fn) {
			call.afterwards.push(fn);
		},
		finish() {
			for (const fn of call.afterwards.splice(0))
				fn();
		},
	};
	return call;
}

function send(call, response, answer) {
	if (response.destroyed)
		return;
	if (answer.cut === 'hang')
		return;
	call.finish();
	if (answer.cut === 'close') {
		response.socket.destroy();
		return;
	}
	const bytes = answer.bytes ??
	    Buffer.from(answer.text ?? JSON.stringify(answer.json));
	response.writeHead(answer.status ?? 200, {
		...bytes.length === 0 ? {} : { 'Content-Type': answer.type ??
		    'application/json; charset=utf-8' },
		...answer.status === 204 ? {} :
		    { 'Content-Length': bytes.length },
		...answer.headers,
	});
	if (answer.cut === 'half') {
		response.write(bytes.subarray(0, bytes.length >> 1), () =>
		    response.socket?.destroy());
		return;
	}
	response.end(bytes);
}

async function answerCall(hosts, state, faults, call) {
	const host = hosts.find((one) => one.owns(call.path));
	const { kind, handle } = host.route(call);

	if (!kind)
		return handle(call);
	const fault = faults.take(kind);
	const entry = { at: call.now, method: call.method, path: call.path,
		kind, fault: fault?.mode ?? null, errcode: null };
	state.countCall(kind, entry);
	const answer = await suffer(fault, call, async () => handle(call));
	entry.errcode = answer.json?.errcode ?? (answer.json ? 0 : null);
	return answer;
}

// An http.Server over the hosts; the last must own every path.
export function serve(hosts, state, faults) {
	return http.createServer(async (request, response) => {
		try {
			const body = await readBody(request);
			if (body === null) {
				response.shouldKeepAlive = false;
				send({ finish() {} }, response, { status: 413,
					json: { error: 'body over 1 MiB' } });
				return;
			}
			const call = makeCall(request, body, state);
			response.on('close', () => call.finish());
			send(call, response,
			    await answerCall(hosts, state, faults, call));
		} catch (error) {
			// A caller that went away half-way is not news.
			if (error.code === 'ECONNRESET' || response.destroyed)
				return;
			process.stderr.write(`standin: ${error.stack}\n`);
			response.writeHead(500).end();
		}
	});
}
